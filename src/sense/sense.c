#include "sense/sense.h"
#include "base/utf8.h"
#include "sense/inside.h"
#include <iconv.h>
#include <errno.h>

int format_field(const struct record_layout *l, const char *name) {
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->f[i].name, name)) return i;
    return -1;
}

static int key_order(const struct format *f, const struct record *x, const struct record *y) {
    for (int k = 0; k < f->keys; k++) {
        struct str a = x->cell[f->key[k]], b = y->cell[f->key[k]];
        int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
        if (r) return r;
        if (a.n != b.n) return a.n < b.n ? -1 : 1;
    }
    return 0;
}

/* Most writers list their points in rising order: then no key is there twice and nothing needs to be remembered. */
static bool keys_rise(const struct batch *b) {
    for (int i = 1; i < b->n; i++)
        if (key_order(b->format, &b->rec[i - 1], &b->rec[i]) >= 0) return false;
    return true;
}

/* Later records of the same key win. Open addressing over record numbers. */
static int duplicates_drop(struct batch *b, struct arena *a) {
    const struct format *f = b->format;
    if (!f->keys || b->n < 2 || keys_rise(b)) return ZB_OK;
    size_t cap = 16;
    while (cap < (size_t)b->n * 2) cap *= 2;
    int *slot = arena_alloc(a, cap * sizeof *slot);
    if (!slot) return ZB_E_LIMIT;
    int gone = 0;
    struct str same[4] = {{"", 0}}; /* a file's times are mostly one: hashed once */
    uint32_t hash[4] = {0};
    for (int i = 0; i < b->n; i++) {
        uint32_t h = 0;
        for (int k = 0; k < f->keys; k++) {
            struct str one = b->rec[i].cell[f->key[k]];
            if (!i || !str_eq(one, same[k])) hash[k] = map_hash(one);
            same[k] = one;
            h = h * 31 + hash[k];
        }
        for (size_t at = h & (cap - 1);; at = (at + 1) & (cap - 1)) {
            if (!slot[at]) {
                slot[at] = i + 1;
                break;
            }
            struct record *o = &b->rec[slot[at] - 1];
            if (key_order(f, o, &b->rec[i])) continue;
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

/* A number on its way through some database has lost the zeros before it. */
static bool same_mine(struct str a, struct str b) {
    while (a.n && a.p[0] == '0') a.p++, a.n--;
    while (b.n && b.p[0] == '0') b.p++, b.n--;
    return str_eq(a, b);
}

static int header_check(struct decode *d, zb_time now, struct batch *b, struct zb_err *e) {
    const struct format *f = b->format;
    const struct record_layout *l = &f->header;
    const zb_time ahead = d->p->silence.future_max;
    for (int i = 0; i < l->n; i++) {
        const char *wrong = b->timeless && i == f->head_time ? NULL : cell_check(d->p, b, &l->f[i], &b->header[i]);
        if (!wrong) continue;
        refusal_add(b, d->a, 0, l->f[i].name, "\"%.*s\" %s", b->header[i].n > 60 ? 60 : (int)b->header[i].n, b->header[i].p, wrong);
        return zb_fail(e, ZB_E_INPUT, "header field %s (%s): \"%.*s\" %s", l->f[i].name, l->f[i].zh, b->header[i].n > 60 ? 60 : (int)b->header[i].n,
                       b->header[i].p, wrong);
    }
    struct str mine = f->head_mine < 0 ? (struct str){"", 0} : b->header[f->head_mine];
    if (mine.n && !(f->syntax == SYNTAX_XML ? same_mine(mine, d->u->mine) : str_eq(mine, d->u->mine))) {
        refusal_add(b, d->a, 0, "mine", "header says another mine than the file name");
        return zb_fail(e, ZB_E_INPUT, "the header says mine %.*s, the file name says " STR_FMT, mine.n > 30 ? 30 : (int)mine.n, mine.p, STR_ARG(d->u->mine));
    }
    struct str time = f->head_time < 0 ? (struct str){"", 0} : b->header[f->head_time];
    if (!batch_time(b, time, &b->time)) b->time = ZB_TIME_NONE;
    if (b->time != ZB_TIME_NONE && b->time > now + ahead) {
        refusal_add(b, d->a, 0, "time", "the header's time lies in the future");
        return zb_fail(e, ZB_E_INPUT, "the header's time " STR_FMT " lies more than %lld min in the future: set the clock of the mine's host", STR_ARG(time),
                       (long long)(ahead / ZB_MINUTE));
    }
    if (b->timeless) b->time = b->name_time;
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

static int from_gb18030(struct str *s, struct arena *a, struct zb_err *e) {
    size_t room = s->n * 2, left = s->n, out = room; /* two bytes give three, four give four */
    char *to = arena_alloc(a, room + 1), *q = to, *from = (char *)s->p;
    iconv_t cd = to ? iconv_open("UTF-8", "GB18030") : (iconv_t)-1;
    if (!to) return zb_fail(e, ZB_E_LIMIT, "the file's text needs more memory than one upload may take");
    if (cd == (iconv_t)-1) return zb_fail(e, ZB_E_IO, "this system's iconv knows no GB18030");
    size_t r = iconv(cd, &from, &left, &q, &out);
    iconv_close(cd);
    if (r == (size_t)-1 || left) return zb_fail(e, ZB_E_INPUT, "byte %zu: the file is neither UTF-8 nor GB18030", s->n - left + 1);
    *s = (struct str){to, (size_t)(q - to)};
    return ZB_OK;
}

static int text_of_file(const struct format *f, struct str *bytes, struct decode *d, struct zb_err *e) {
    if (bytes->n >= 3 && !memcmp(bytes->p, "\xEF\xBB\xBF", 3)) *bytes = (struct str){bytes->p + 3, bytes->n - 3};
    struct str whole = *bytes, core = str_trim(whole);
    if (!core.n) {
        d->truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the file is empty");
    }
    if (f->syntax != SYNTAX_LINES) *bytes = core; /* a line's end is its end mark */
    if (memchr(core.p, 0, core.n)) return zb_fail(e, ZB_E_INPUT, "the file holds NUL bytes: it is not a text file");
    if (utf8_valid(*bytes)) return ZB_OK;
    return f->gb18030 ? from_gb18030(bytes, d->a, e) : zb_fail(e, ZB_E_INPUT, "the file is not UTF-8 (GBK is not taken for this family)");
}

static int split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e) {
    switch (b->format->syntax) {
    case SYNTAX_LINES: return lines_split(d, bytes, b, e);
    case SYNTAX_XML: return xml_split(d, bytes, b, e);
    case SYNTAX_JSON: return json_split(d, bytes, b, e);
    case SYNTAX_CSV: return csv_split(d, bytes, b, e);
    default: return text_split(d, unquote(bytes, d->a), b, e);
    }
}

static int too_bad(const struct policy *p, const struct batch *b, struct zb_err *e) {
    int all = b->n + b->refused;
    if (!all || b->refused * 100LL <= (long long)p->bad_record_percent * all) return ZB_OK;
    const struct refusal *w = b->whys ? &b->why[0] : NULL;
    return zb_fail(e, ZB_E_INPUT, "%d of %d records are bad, more than %d %%; the first: record %d %s: %s", b->refused, all, p->bad_record_percent,
                   w ? w->record : 0, w ? w->field : "", w ? w->reason : "");
}

int batch_decode(const struct policy *p, struct str name, struct str link, struct str bytes, zb_time now, struct arena *a, struct batch *ret, bool *truncated,
                 struct zb_err *e) {
    struct upload_name un;
    *ret = (struct batch){.name_time = ZB_TIME_NONE, .time = ZB_TIME_NONE};
    *truncated = false;
    if (upload_name_parse(p, name, link, &un, e) != ZB_OK) return e->rc;
    const struct format *f = un.format[0];
    struct decode d = {p, &un, a, false};
    if (bytes.n > f->max_bytes) return zb_fail(e, ZB_E_LIMIT, "the file has %zu bytes; a %s file has at most %zu", bytes.n, f->type, f->max_bytes);
    ret->format = f;
    ret->mine = (struct str){arena_str(a, un.mine), un.mine.n};
    ret->name_time = un.time;
    if (f->syntax == SYNTAX_RAW) return ZB_OK;
    int rc = text_of_file(f, &bytes, &d, e);
    if (rc == ZB_OK) rc = split(&d, bytes, ret, e);
    *truncated = d.truncated;
    if (rc != ZB_OK) return rc;
    if (header_check(&d, now, ret, e) != ZB_OK || too_bad(p, ret, e) != ZB_OK) return e->rc;
    if (duplicates_drop(ret, a) != ZB_OK || arena_over(a))
        return zb_fail(e, ZB_E_LIMIT, "the file's %d records need more memory than one upload may take", ret->n + ret->refused);
    ret->accepted = ret->n;
    return ZB_OK;
}
