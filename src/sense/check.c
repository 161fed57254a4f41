/* Cells against their fields. */
#include "sense/inside.h"
#include <stdio.h>

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

static bool two(const char *p, int *ret) {
    unsigned a = (unsigned)(p[0] - '0'), b = (unsigned)(p[1] - '0');
    *ret = (int)(a * 10 + b);
    return a <= 9 && b <= 9;
}

/* Most times of a file are the one before, or at least of its day. */
bool batch_time(const struct batch *b, struct str s, zb_time *ret) {
    struct batch *w = (struct batch *)b; /* a memo is no change */
    int h = 0, m = 0, sec = 0;
    if (s.n == 19 && w->memo_text.n == 19 && !memcmp(s.p, w->memo_text.p, 11)) {
        if (!memcmp(s.p + 11, w->memo_text.p + 11, 8)) {
            *ret = w->memo_time;
            return true;
        }
        if (!two(s.p + 11, &h) || !two(s.p + 14, &m) || !two(s.p + 17, &sec) || s.p[13] != ':' || s.p[16] != ':' || h > 23 || m > 59 || sec > 59) return false;
        *ret = w->memo_midnight + h * ZB_HOUR + m * ZB_MINUTE + sec * ZB_SECOND;
    } else {
        if (!zb_time_parse(s, ret)) return false;
        if (s.n == 19) (void)(two(s.p + 11, &h) && two(s.p + 14, &m) && two(s.p + 17, &sec));
        if (s.n == 19) w->memo_midnight = *ret - h * ZB_HOUR - m * ZB_MINUTE - sec * ZB_SECOND;
    }
    w->memo_text = s;
    w->memo_time = *ret;
    return true;
}

/* Codes hold no blanks, control letters or '/': eight bytes at a time. */
static bool code_bad(struct str s) {
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t w;
    for (; s.n >= 8; s.p += 8, s.n -= 8) {
        memcpy(&w, s.p, 8);
        uint64_t slash = w ^ (ones * '/');
        if (((w - ones * 0x21) & ~w & high) || ((slash - ones) & ~slash & high)) return true;
    }
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/') return true;
    return false;
}

/* Text of one cell against its field; a word for "no value" becomes empty. NULL: good, else what is expected. */
const char *cell_check(const struct policy *p, const struct batch *b, const struct field *f, struct str *s) {
    zb_fix x;
    int64_t n;
    zb_time t;
    int32_t day;
    if (!s->n) return f->required ? "must not be empty" : NULL;
    bool word = b->format->syntax == SYNTAX_XML; /* writers of XML print absent texts as null too */
    if ((word || (f->kind != FIELD_TEXT && f->kind != FIELD_CODE)) && (s->p[0] == '-' || s->p[0] > '9') && no_value(p, *s)) {
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
    case FIELD_DATE: return zb_day_parse(*s, &day) || batch_time(b, *s, &t) ? NULL : "is not a day (yyyy-MM-dd)";
    case FIELD_FLAG: return s->n == 1 && (s->p[0] == '0' || s->p[0] == '1') ? NULL : "is not 0 or 1";
    case FIELD_CODE:
        if (code_bad(*s)) return "is not a code (no blanks, no /)";
        return s->n > 47 ? "is longer than 47 bytes" : NULL;
    default: return s->n > (f->max_len ? f->max_len : 400) ? "is too long" : NULL;
    }
}

/* The cells most files are made of, told good without the long way; false: look closely. */
static inline bool plainly_good(const struct batch *b, const struct field *f, struct str s) {
    zb_fix x;
    zb_time t;
    if (!s.n) return !f->required;
    switch (f->kind) {
    case FIELD_TEXT: return s.n <= (f->max_len ? f->max_len : 400u);
    case FIELD_CODE: return s.n <= 47 && !code_bad(s);
    case FIELD_DEC: return f->min == ZB_FIX_NONE && f->max == ZB_FIX_NONE && s.p[0] <= '9' && num_fix(s, &x);
    case FIELD_INT:
        return s.n == 1 && s.p[0] >= '0' && s.p[0] <= '9' && (f->min == ZB_FIX_NONE || f->min <= 0) && (f->max == ZB_FIX_NONE || f->max >= 9 * ZB_FIX_ONE);
    case FIELD_TIME: return batch_time(b, s, &t);
    default: return false;
    }
}

void record_take(const struct policy *p, struct str *cell, int no, struct str ext, struct arena *a, struct batch *b) {
    const struct record_layout *l = &b->format->body;
    const bool xml = b->format->syntax == SYNTAX_XML; /* there "null" stands for absent in texts too */
    for (int i = 0; i < l->n; i++) {
        const struct field *f = &l->f[i];
        if (plainly_good(b, f, cell[i]) && !(xml && cell[i].n == 4)) continue;
        const char *wrong = cell_check(p, b, f, &cell[i]);
        if (!wrong) continue;
        refusal_add(b, a, no, f->name, "\"%.*s\" %s", cell[i].n > 60 ? 60 : (int)cell[i].n, cell[i].p, wrong);
        b->refused++;
        return;
    }
    b->rec[b->n++] = (struct record){cell, ext, no};
}
