/* CSV (RFC 4180) with a header line naming the columns, in any order. */
#include "sense/inside.h"

struct csv {
    const char *p, *end;
    struct arena *a;
    bool bad;
};

/* One cell; *last: it ended the line. A quoted cell without doubled quotes stays a view. */
static struct str cell(struct csv *c, bool *last) {
    struct str s;
    if (c->p < c->end && *c->p == '"') {
        const char *start = ++c->p;
        bool doubled = false;
        for (; c->p < c->end; c->p++) {
            if (*c->p != '"') continue;
            if (c->p + 1 == c->end || c->p[1] != '"') break;
            doubled = true;
            c->p++;
        }
        if (c->p >= c->end) c->bad = true;
        s = (struct str){start, (size_t)(c->p - start)};
        if (c->p < c->end) c->p++;
        char *q = doubled ? arena_str(c->a, s) : NULL;
        if (q) {
            size_t n = 0;
            for (size_t i = 0; i < s.n; i++, n++) {
                q[n] = s.p[i];
                if (s.p[i] == '"') i++;
            }
            s = (struct str){q, n};
        }
        if (c->p < c->end && *c->p != ',' && *c->p != '\r' && *c->p != '\n') c->bad = true;
    } else {
        const char *start = c->p;
        while (c->p < c->end && *c->p != ',' && *c->p != '\r' && *c->p != '\n') {
            if (*c->p == '"') c->bad = true;
            c->p++;
        }
        s = str_trim((struct str){start, (size_t)(c->p - start)});
    }
    *last = c->p >= c->end || *c->p != ',';
    if (c->p < c->end && *c->p == ',') c->p++;
    if (*last) {
        if (c->p < c->end && *c->p == '\r') c->p++;
        if (c->p < c->end && *c->p == '\n') c->p++;
    }
    return s;
}

static const char *names_of(const struct record_layout *l, struct arena *a) {
    const char *all = "";
    for (int i = 0; i < l->n; i++) {
        const char *more = arena_printf(a, "%s%s%s", all, i ? "," : "", l->f[i].at);
        if (more) all = more;
    }
    return all;
}

static int head(struct csv *c, const struct record_layout *l, int *column, int *columns, struct zb_err *e) {
    uint64_t seen = 0;
    bool last = false;
    for (*columns = 0; !last; ++*columns) {
        struct str name = cell(c, &last);
        int at = -1;
        for (int i = 0; at < 0 && i < l->n; i++)
            if (str_is(name, l->f[i].at) || str_is(name, l->f[i].name)) at = i;
        if (at < 0 || (seen & (1ull << at)) || *columns == FORMAT_FIELDS_MAX)
            return zb_fail(e, ZB_E_INPUT, "line 1: column \"%.*s\" is unknown or there twice; allowed: %.200s", name.n > 60 ? 60 : (int)name.n, name.p,
                           names_of(l, c->a));
        seen |= 1ull << at;
        column[*columns] = at;
    }
    for (int i = 0; i < l->min_fields; i++)
        if (!(seen & (1ull << i)))
            return zb_fail(e, ZB_E_INPUT, "line 1: column %s is missing; the header line names the columns: %.200s", l->f[i].at, names_of(l, c->a));
    return ZB_OK;
}

static void line(struct decode *d, struct csv *c, const int *column, int columns, int no, struct str *to, struct batch *b) {
    const struct record_layout *l = &b->format->body;
    for (int i = 0; i < l->n; i++) to[i] = (struct str){"", 0};
    bool last = false;
    int n = 0;
    for (; !last; n++) {
        struct str s = cell(c, &last);
        if (n < columns) to[column[n]] = s;
    }
    if (n == 1 && !to[column[0]].n) return; /* an empty line */
    const char *wrong = n != columns ? "has another number of cells than the header line" : c->bad ? "has a stray or open quote" : NULL;
    c->bad = false;
    if (wrong) {
        refusal_add(b, d->a, no, "", "%s", wrong);
        b->refused++;
        return;
    }
    record_take(d->p, to, no, (struct str){"", 0}, d->a, b);
}

int csv_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e) {
    const struct record_layout *l = &b->format->body;
    struct csv c = {bytes.p, bytes.p + bytes.n, d->a, false};
    int column[FORMAT_FIELDS_MAX], columns, no = 1;
    size_t most = 2;
    for (const char *q = bytes.p; q < c.end; q++) most += *q == '\n' || *q == '\r';
    struct str *cells;
    if (records_room(b, most, d->a, &cells, e) != ZB_OK || head(&c, l, column, &columns, e) != ZB_OK) return e->rc;
    while (c.p < c.end && (size_t)b->n < most - 1) line(d, &c, column, columns, ++no, cells + (size_t)b->n * (size_t)l->n, b);
    return ZB_OK;
}
