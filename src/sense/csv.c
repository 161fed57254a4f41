/* Plain CSV (RFC 4180) with a header line naming the columns: point,time,value[,state[,unit[,location]]]. */
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

static int head(struct csv *c, const struct record_layout *l, int *column, int *columns, struct zb_err *e) {
    unsigned seen = 0;
    bool last = false;
    for (*columns = 0; !last; ++*columns) {
        struct str name = cell(c, &last);
        int at = str_is(name, "point") ? format_field(l, "point_code") : -1;
        for (int i = 0; at < 0 && i < l->n; i++)
            if (str_is(name, l->f[i].name)) at = i;
        if (at < 0 || (seen & (1u << at)) || *columns == FORMAT_FIELDS_MAX)
            return zb_fail(e, ZB_E_INPUT, "line 1: column \"%.*s\" is unknown or there twice; allowed: point,time,value,state,unit,location",
                           name.n > 60 ? 60 : (int)name.n, name.p);
        seen |= 1u << at;
        column[*columns] = at;
    }
    for (int i = 0; i < l->min_fields; i++)
        if (!(seen & (1u << i)))
            return zb_fail(e, ZB_E_INPUT, "line 1: column %s is missing; the header line names the columns point,time,value", i ? l->f[i].name : "point");
    return ZB_OK;
}

static void line(const struct policy *p, struct csv *c, const int *column, int columns, int no, struct arena *a, struct batch *b) {
    const struct record_layout *l = &b->format->body;
    struct record *r = &b->rec[b->n];
    struct str *to = (struct str *)r->cell;
    for (int i = 0; i < l->n; i++) to[i] = (struct str){"", 0};
    bool last = false;
    int n = 0;
    for (; !last; n++) {
        struct str s = cell(c, &last);
        if (n < columns) to[column[n]] = s;
    }
    if (n == 1 && !to[column[0]].n) return; /* an empty line */
    const char *wrong = n != columns ? "has another number of cells than the header line" : c->bad ? "has a stray or open quote" : NULL;
    const char *field = "";
    struct str what = {"", 0};
    for (int i = 0; i < l->n && !wrong; i++)
        if ((wrong = cell_check(p, b, &l->f[i], &to[i]))) {
            field = l->f[i].name;
            what = to[i];
        }
    c->bad = false;
    if (wrong) {
        refusal_add(b, a, no, field, "\"%.*s\" %s", what.n > 60 ? 60 : (int)what.n, what.p, wrong);
        b->refused++;
        return;
    }
    r->ext = (struct str){"", 0};
    r->no = no;
    b->n++;
}

int csv_split(const struct policy *p, struct str bytes, struct arena *a, struct batch *b, struct zb_err *e) {
    const struct record_layout *l = &b->format->body;
    struct csv c = {bytes.p, bytes.p + bytes.n, a, false};
    int column[FORMAT_FIELDS_MAX], columns, most = 1, no = 1;
    for (const char *q = bytes.p; q < c.end; q++) most += *q == '\n' || *q == '\r';
    b->rec = arena_alloc(a, (size_t)most * sizeof *b->rec);
    struct str *cells = arena_alloc(a, (size_t)(most + 1) * (size_t)l->n * sizeof *cells);
    if (!b->rec || !cells) return zb_fail(e, ZB_E_LIMIT, "%d lines need more memory than one upload may take", most);
    if (head(&c, l, column, &columns, e) != ZB_OK) return e->rc;
    while (c.p < c.end && b->n < most) {
        b->rec[b->n].cell = cells + (size_t)b->n * (size_t)l->n;
        line(p, &c, column, columns, ++no, a, b);
    }
    return ZB_OK;
}
