#include "sense/sense.h"
#include "base/utf8.h"
#include "sense/inside.h"
#include <stdio.h>

int format_field(const struct record_layout *l, const char *name) {
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->f[i].name, name)) return i;
    return -1;
}

static bool all_of(struct str s, bool letters) {
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (letters && s.p[i] >= 'A' && s.p[i] <= 'Z'))) return false;
    return s.n > 0;
}

int upload_name_parse(struct str name, struct upload_name *ret, struct zb_err *e) {
    struct str type, stamp, ext, rest;
    struct str mine = str_cut(name, '_', &rest);
    type = rest.p ? str_cut(rest, '_', &rest) : (struct str){"", 0};
    stamp = rest.p ? str_cut(rest, '.', &ext) : (struct str){"", 0};
    if (!rest.p) ext = (struct str){"", 0};
    bool code = (mine.n == 12 && all_of(mine, false)) || (mine.n == 20 && all_of(mine, true));
    bool kind = type.n >= 2 && type.n <= 12 && all_of(type, true);
    bool end = ext.p && (str_is(ext, "txt") || str_is(ext, "TXT") || (str_is(type, "CSV") && (str_is(ext, "csv") || str_is(ext, "CSV"))));
    zb_time t = ZB_TIME_NONE;
    if (!code || !kind || !end || !zb_time_stamp_parse(stamp, &t))
        return zb_fail(e, ZB_E_INPUT, "file name \"%.*s\" is not MINE_TYPE_yyyyMMddHHmmss.txt with a mine code of 12 digits", name.n > 100 ? 100 : (int)name.n,
                       name.p ? name.p : "");
    *ret = (struct upload_name){mine, type, t};
    return ZB_OK;
}

void refusal_add(struct batch *b, struct arena *a, int record, const char *field, const char *fmt, ...) {
    if (!b->why) b->why = arena_alloc(a, BATCH_REASONS_MAX * sizeof *b->why);
    if (!b->why || b->whys == BATCH_REASONS_MAX) return;
    struct refusal *r = &b->why[b->whys++];
    r->record = record;
    r->field = field;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->reason, sizeof r->reason, fmt, ap);
    va_end(ap);
}

static bool no_value(const struct policy *p, struct str s) {
    for (int i = 0; i < p->no_values; i++)
        if (str_is(s, p->no_value[i])) return true;
    return false;
}

/* Text of one cell against its field; a word for "no value" becomes empty. NULL: good, else what is expected. */
bool batch_time(const struct batch *b, struct str s, zb_time *ret) {
    struct batch *w = (struct batch *)b; /* a memo is no change */
    if (s.n == w->memo_text.n && s.n && !memcmp(s.p, w->memo_text.p, s.n)) {
        *ret = w->memo_time;
        return true;
    }
    if (!zb_time_parse(s, ret)) return false;
    w->memo_text = s;
    w->memo_time = *ret;
    return true;
}

const char *cell_check(const struct policy *p, const struct batch *b, const struct field *f, struct str *s) {
    zb_fix x;
    int64_t n;
    zb_time t;
    int32_t day;
    if (!s->n) return f->required ? "must not be empty" : NULL;
    if (f->kind != FIELD_TEXT && f->kind != FIELD_CODE && (s->p[0] == '-' || s->p[0] > '9') && no_value(p, *s)) {
        s->n = 0;
        return f->required ? "must not be empty" : NULL;
    }
    switch (f->kind) {
    case FIELD_DEC:
        if (!num_fix(*s, &x)) return "is not a number (write 1.0: no comma, no unit)";
        return (f->min != ZB_FIX_NONE && x < f->min) || (f->max != ZB_FIX_NONE && x > f->max) ? "is out of its range" : NULL;
    case FIELD_INT:
        if (!num_i64(*s, INT64_MIN / ZB_FIX_ONE, INT64_MAX / ZB_FIX_ONE, &n)) return "is not a whole number";
        return (f->min != ZB_FIX_NONE && n * ZB_FIX_ONE < f->min) || (f->max != ZB_FIX_NONE && n * ZB_FIX_ONE > f->max) ? "is out of its range" : NULL;
    case FIELD_TIME: return batch_time(b, *s, &t) ? NULL : "is not a time (yyyy-MM-dd HH:mm:ss)";
    case FIELD_DATE: return zb_day_parse(*s, &day) ? NULL : "is not a day (yyyy-MM-dd)";
    case FIELD_FLAG: return s->n == 1 && (s->p[0] == '0' || s->p[0] == '1') ? NULL : "is not 0 or 1";
    case FIELD_CODE:
        for (size_t i = 0; i < s->n; i++)
            if ((unsigned char)s->p[i] <= ' ' || s->p[i] == '/') return "is not a code (no blanks, no /)";
        return s->n > 47 ? "is longer than 47 bytes" : NULL;
    default: return s->n > (f->max_len ? f->max_len : 400) ? "is too long" : NULL;
    }
}

/* Later records of the same key win. Open addressing over record numbers. */
int duplicates_drop(struct batch *b, struct arena *a) {
    const struct format *f = b->format;
    if (!f->keys || b->n < 2) return ZB_OK;
    size_t cap = 16;
    while (cap < (size_t)b->n * 2) cap *= 2;
    int *slot = arena_alloc(a, cap * sizeof *slot);
    if (!slot) return ZB_E_LIMIT;
    int gone = 0;
    for (int i = 0; i < b->n; i++) {
        uint32_t h = 0;
        for (int k = 0; k < f->keys; k++) h = h * 31 + map_hash(b->rec[i].cell[f->key[k]]);
        for (size_t at = h & (cap - 1);; at = (at + 1) & (cap - 1)) {
            if (!slot[at]) {
                slot[at] = i + 1;
                break;
            }
            struct record *o = &b->rec[slot[at] - 1];
            bool same = true;
            for (int k = 0; k < f->keys && same; k++) same = str_eq(o->cell[f->key[k]], b->rec[i].cell[f->key[k]]);
            if (!same) continue;
            o->cell = NULL;
            slot[at] = i + 1;
            gone++;
            break;
        }
    }
    if (!gone) return ZB_OK;
    int n = 0;
    for (int i = 0; i < b->n; i++)
        if (b->rec[i].cell) b->rec[n++] = b->rec[i];
    b->n = n;
    b->warned += gone;
    return ZB_OK;
}

static int header_check(const struct policy *p, const struct upload_name *un, zb_time now, struct arena *a, struct batch *b, struct zb_err *e) {
    const struct record_layout *l = &b->format->header;
    for (int i = 0; i < l->n; i++) {
        const char *wrong = cell_check(p, b, &l->f[i], &b->header[i]);
        if (!wrong) continue;
        refusal_add(b, a, 0, l->f[i].name, "\"%.*s\" %s", b->header[i].n > 60 ? 60 : (int)b->header[i].n, b->header[i].p, wrong);
        return zb_fail(e, ZB_E_INPUT, "header field %s (%s): \"%.*s\" %s", l->f[i].name, l->f[i].zh, b->header[i].n > 60 ? 60 : (int)b->header[i].n,
                       b->header[i].p, wrong);
    }
    int m = format_field(l, "mine"), t = format_field(l, "time");
    if (m >= 0 && !str_eq(b->header[m], un->mine)) {
        refusal_add(b, a, 0, "mine", "header says another mine than the file name");
        return zb_fail(e, ZB_E_INPUT, "the header says mine %.*s, the file name says " STR_FMT, b->header[m].n > 30 ? 30 : (int)b->header[m].n, b->header[m].p,
                       STR_ARG(un->mine));
    }
    if (t >= 0 && !zb_time_parse(b->header[t], &b->time)) b->time = ZB_TIME_NONE;
    if (b->time != ZB_TIME_NONE && b->time > now + p->silence.future_max) {
        refusal_add(b, a, 0, "time", "the header's time lies in the future");
        return zb_fail(e, ZB_E_INPUT, "the header's time " STR_FMT " lies more than %lld min in the future: set the clock of the mine's host",
                       STR_ARG(b->header[t]), (long long)(p->silence.future_max / ZB_MINUTE));
    }
    return ZB_OK;
}

/* A pair of quotes round the whole content: some writers save a JSON string. */
static struct str unquote(struct str s, struct arena *a) {
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"') return s;
    char *p = arena_alloc(a, s.n);
    if (!p) return s;
    size_t n = 0;
    for (size_t i = 1; i + 1 < s.n; i++) {
        if (s.p[i] == '\\' && i + 2 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\')) i++;
        p[n++] = s.p[i];
    }
    return (struct str){p, n};
}

int batch_decode(const struct policy *p, struct str name, struct str bytes, zb_time now, struct arena *a, struct batch *ret, bool *truncated,
                 struct zb_err *e) {
    struct upload_name un;
    *ret = (struct batch){.name_time = ZB_TIME_NONE, .time = ZB_TIME_NONE};
    *truncated = false;
    if (upload_name_parse(name, &un, e) != ZB_OK) return e->rc;
    const struct format *f = policy_format(p, un.type);
    if (!f) return zb_fail(e, ZB_E_INPUT, "type " STR_FMT " is not one this policy knows", STR_ARG(un.type));
    if (bytes.n > f->max_bytes) return zb_fail(e, ZB_E_LIMIT, "the file has %zu bytes; a %s file has at most %zu", bytes.n, f->type, f->max_bytes);
    *ret = (struct batch){.format = f, .mine = {arena_str(a, un.mine), un.mine.n}, .name_time = un.time, .time = ZB_TIME_NONE};
    if (bytes.n >= 3 && !memcmp(bytes.p, "\xEF\xBB\xBF", 3)) bytes = (struct str){bytes.p + 3, bytes.n - 3};
    bytes = str_trim(bytes);
    if (!bytes.n) {
        *truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the file is empty");
    }
    if (memchr(bytes.p, 0, bytes.n)) return zb_fail(e, ZB_E_INPUT, "the file holds NUL bytes: it is not a text file");
    if (!utf8_valid(bytes)) return zb_fail(e, ZB_E_INPUT, "the file is not UTF-8 (GBK is not taken for this family)");
    int rc = str_is(un.type, "CSV") ? csv_split(p, bytes, a, ret, e) : text_split(p, unquote(bytes, a), a, ret, truncated, e);
    if (rc != ZB_OK) return rc;
    if (str_is(un.type, "CSV")) ret->header[0] = ret->mine;
    if (header_check(p, &un, now, a, ret, e) != ZB_OK) return e->rc;
    int all = ret->n + ret->refused;
    if (all && ret->refused * 100 > p->bad_record_percent * all) {
        const struct refusal *w = ret->whys ? &ret->why[0] : NULL;
        return zb_fail(e, ZB_E_INPUT, "%d of %d records are bad, more than %d %%; the first: record %d %s: %s", ret->refused, all, p->bad_record_percent,
                       w ? w->record : 0, w ? w->field : "", w ? w->reason : "");
    }
    if (duplicates_drop(ret, a) != ZB_OK || arena_over(a))
        return zb_fail(e, ZB_E_LIMIT, "the file's %d records need more memory than one upload may take", all);
    ret->accepted = ret->n;
    return ZB_OK;
}
