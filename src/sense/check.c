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
        for (size_t i = 0; i < s->n; i++)
            if ((unsigned char)s->p[i] <= ' ' || s->p[i] == '/') return "is not a code (no blanks, no /)";
        return s->n > 47 ? "is longer than 47 bytes" : NULL;
    default: return s->n > (f->max_len ? f->max_len : 400) ? "is too long" : NULL;
    }
}

void record_take(const struct policy *p, struct str *cell, int no, struct str ext, struct arena *a, struct batch *b) {
    const struct record_layout *l = &b->format->body;
    for (int i = 0; i < l->n; i++) {
        const struct field *f = &l->f[i];
        struct str *s = &cell[i];
        if (s->n ? f->kind == FIELD_TEXT && s->n <= (f->max_len ? f->max_len : 400u) && b->format->syntax != SYNTAX_XML : !f->required)
            continue; /* most cells */
        const char *wrong = cell_check(p, b, f, s);
        if (!wrong) continue;
        refusal_add(b, a, no, f->name, "\"%.*s\" %s", s->n > 60 ? 60 : (int)s->n, s->p, wrong);
        b->refused++;
        return;
    }
    b->rec[b->n++] = (struct record){cell, ext, no};
}
