/* The families of `;` fields (data-access.md 2.4): records ended by marks with a header first, and lines without either. */
#include "sense/inside.h"
#include "sense/scan.h"
#include <stdio.h>

static bool blank(char c) { return c == ' ' || c == '\r' || c == '\n' || c == '\t'; }
static struct str trim(struct str s) {
    while (s.n && blank(s.p[0])) s.p++, s.n--;
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

/* Cells of one record; returns how many there were. */
static int cells(struct str rec, struct str *cell, int max) {
    int n = 0;
    for (struct str rest = rec; rest.p; n++) {
        struct str one = str_cut(rest, ';', &rest);
        if (n < max) cell[n] = trim(one);
    }
    return n;
}

static bool full_width(struct str r) { /* ； and ～ typed for ; and ~ */
    const char *p = r.p, *end = r.p + r.n;
    while (p < end && (p = memchr(p, 0xEF, (size_t)(end - p)))) {
        if (end - p >= 3 && (!memcmp(p, "\xEF\xBC\x9B", 3) || !memcmp(p, "\xEF\xBD\x9E", 3))) return true;
        p++;
    }
    return false;
}

static size_t count(struct str s, char c) {
    size_t n = 0;
    for (const char *p = s.p, *end = s.p + s.n; p < end && (p = memchr(p, c, (size_t)(end - p))); p++) n++;
    return n;
}

/* Marks are two or three letters that occur nowhere else: their first letter is looked for, memmem is slow on such. */
static bool holds(struct str s, const char *mark) {
    size_t n = strlen(mark);
    for (const char *p = s.p, *end = s.p + s.n; p < end && (p = memchr(p, mark[0], (size_t)(end - p))); p++)
        if ((size_t)(end - p) >= n && !memcmp(p, mark, n)) return true;
    return false;
}

int records_room(struct batch *b, size_t most, struct arena *a, struct str **ret, struct zb_err *e) {
    size_t fields = (size_t)b->format->body.n;
    b->rec = most < INT32_MAX ? arena_alloc(a, most * sizeof *b->rec) : NULL;
    *ret = b->rec ? arena_alloc(a, most * fields * sizeof **ret) : NULL;
    return *ret ? ZB_OK : zb_fail(e, ZB_E_LIMIT, "%zu records need more memory than one upload may take", most);
}

/* ---- a record on its way: cells are laid down as their separators are met ---- */
struct row {
    struct decode *d;
    struct batch *b;
    struct str *cells, *cell; /* of all records; of this one */
    const char *begin, *from; /* of the record, of the cell */
    const char *surplus;      /* first cell beyond the layout */
    int n, no;
    bool odd;
};

static void cell_end(struct row *w, const char *at) {
    struct str s = {w->from, (size_t)(at - w->from)};
    if (s.n && ((unsigned char)s.p[0] <= ' ' || (unsigned char)s.p[s.n - 1] <= ' ')) s = trim(s);
    if (w->n < w->b->format->body.n)
        w->cell[w->n] = s;
    else if (w->n == w->b->format->body.n)
        w->surplus = w->from;
    w->n++;
    w->from = at + 1;
}

static void row_end(struct row *w, const char *at) {
    const struct record_layout *l = &w->b->format->body;
    struct batch *b = w->b;
    cell_end(w, at);
    struct str raw = {w->begin, (size_t)(at - w->begin)};
    bool empty = w->n == 1 && !w->cell[0].n, odd = w->odd && full_width(raw);
    int n = w->n;
    struct str ext = w->surplus ? trim((struct str){w->surplus, (size_t)(at - w->surplus)}) : (struct str){"", 0};
    w->begin = w->from;
    w->n = 0;
    w->odd = false;
    w->surplus = NULL;
    if (empty) return;
    w->no++;
    if (odd || n < l->min_fields) {
        raw = trim(raw);
        if (odd)
            refusal_add(b, w->d->a, w->no, "", "holds a full-width separator: write ; and ~");
        else
            refusal_add(b, w->d->a, w->no, "", "has %d fields, at least %d are needed: %.*s", n, l->min_fields, raw.n > 80 ? 80 : (int)raw.n, raw.p);
        b->refused++;
        return;
    }
    for (int i = n; i < l->n; i++) w->cell[i] = (struct str){"", 0};
    record_take(w->d->p, w->cell, w->no, ext, w->d->a, b);
    w->cell = w->cells + (size_t)b->n * (size_t)l->n;
}

static void rows_walk(struct row *w, struct str s, char end) {
    for (size_t i = 0; i < s.n; i += 64) {
        uint64_t odd, m = scan_block(s.p + i, s.n - i, ';', end, &odd);
        if (!odd) {
            for (; m; m &= m - 1) {
                const char *at = s.p + i + __builtin_ctzll(m);
                *at == ';' ? cell_end(w, at) : row_end(w, at);
            }
            continue;
        }
        for (; m; m &= m - 1) { /* a byte of a full-width letter somewhere: which record's? */
            int k = __builtin_ctzll(m);
            uint64_t before = k ? odd & (~0ull >> (64 - k)) : 0;
            w->odd |= before != 0;
            odd &= ~before;
            s.p[i + (size_t)k] == ';' ? cell_end(w, s.p + i + k) : row_end(w, s.p + i + k);
        }
        w->odd |= odd != 0;
    }
    if (w->begin < s.p + s.n) row_end(w, s.p + s.n);
}

static int rows_take(struct decode *d, struct str s, char end, struct batch *b, struct zb_err *e) {
    struct row w = {.d = d, .b = b, .begin = s.p, .from = s.p};
    if (records_room(b, count(s, end) + 2, d->a, &w.cells, e) != ZB_OK) return e->rc;
    w.cell = w.cells;
    rows_walk(&w, s, end);
    return ZB_OK;
}

/* ---- the header says which of the formats of this name it is ---- */
static bool head_fits(struct decode *d, const struct batch *b, struct str *cell, int n) {
    const struct format *f = b->format;
    const struct record_layout *l = &f->header;
    while (n > l->n && !cell[n - 1].n) n--; /* empty fields at the end */
    if (n > l->n || n < l->min_fields) return false;
    for (int i = 0; i < l->n; i++) {
        struct str s = i < n ? cell[i] : (struct str){"", 0};
        if (cell_check(d->p, b, &l->f[i], &s)) return false;
    }
    return f->head_mine < 0 || str_eq(cell[f->head_mine], d->u->mine);
}

/* The end mark that is there; -1 none. Some writers end the last record too. */
static int end_find(const struct format *f, struct str bytes) {
    for (int i = 0; i < f->ends; i++) {
        size_t n = strlen(f->end[i].file);
        if (bytes.n >= n && !memcmp(bytes.p + bytes.n - n, f->end[i].file, n)) return i;
    }
    return -1;
}

static struct str head_cut(const struct format *f, int end, struct str bytes, struct str *body) {
    bytes = trim(bytes);
    struct str head = str_cut(bytes, f->head_end ? f->head_end : f->end[end].rec, body);
    if (!body->p) *body = (struct str){bytes.p + bytes.n, 0};
    return trim(head);
}

struct opened { /* a file of records with its end taken off */
    struct str cell[FORMAT_FIELDS_MAX], body;
    int n, end;
};

static bool open_as(struct decode *d, const struct format *f, struct str bytes, struct batch *b, struct opened *o) {
    b->format = f;
    o->end = end_find(f, bytes);
    if (o->end < 0) return false;
    bytes.n -= strlen(f->end[o->end].file);
    struct str head = head_cut(f, o->end, bytes, &o->body);
    o->n = cells(head, o->cell, FORMAT_FIELDS_MAX);
    return o->n <= FORMAT_FIELDS_MAX && head_fits(d, b, o->cell, o->n);
}

static int head_take(struct decode *d, const struct opened *o, struct batch *b, struct zb_err *e) {
    const struct format *f = b->format;
    const struct record_layout *l = &f->header;
    int n = o->n;
    while (n > l->n && n <= FORMAT_FIELDS_MAX && !o->cell[n - 1].n) n--;
    bool timeless = n == l->n - 1 && f->head_time == l->n - 1; /* the upload's time is left out: the name has it */
    if ((n < l->min_fields && !timeless) || n > l->n) {
        refusal_add(b, d->a, 0, "", "the header has %d fields, %d are expected", n, l->n);
        return zb_fail(e, ZB_E_INPUT, "the header has %d fields, a %s file has %d: %.*s", n, f->type, l->n, o->cell[0].n > 100 ? 100 : (int)o->cell[0].n,
                       o->cell[0].p);
    }
    for (int i = 0; i < l->n; i++) b->header[i] = i < n ? o->cell[i] : (struct str){"", 0};
    b->timeless = timeless;
    return ZB_OK;
}

/* Families that share a header tell their records apart by how many fields they have. */
static int first_fields(const struct format *f, const struct opened *o) {
    struct str rest, first = trim(str_cut(o->body, f->end[o->end].rec, &rest));
    return first.n ? (int)count(first, ';') + 1 : 0;
}

static bool body_fits(const struct format *f, const struct opened *o) {
    int n = first_fields(f, o);
    return !n || (n >= f->body.min_fields && n <= f->body.n);
}

/* The first whose header and first record fit, else the first whose header fits, else the first there is: its refusal is told. */
static void open_best(struct decode *d, struct str bytes, struct batch *b, struct opened *o) {
    const struct format *near = NULL;
    for (int i = 0; i < d->u->formats; i++) {
        if (!open_as(d, d->u->format[i], bytes, b, o)) continue;
        if (body_fits(b->format, o)) return;
        if (!near) near = b->format;
    }
    (void)open_as(d, near ? near : d->u->format[0], bytes, b, o);
}

int text_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e) {
    struct opened o;
    bytes = trim(bytes);
    open_best(d, bytes, b, &o);
    const struct format *f = b->format;
    if (o.end < 0) {
        d->truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the file does not end with %s: it is not complete", f->end[0].file);
    }
    const char *mark = f->end[o.end].file;
    if (holds(o.body, mark)) return zb_fail(e, ZB_E_INPUT, "the end mark %s stands in the middle: several files in one are not taken", mark);
    if (o.n == 1 && !o.cell[0].n) return zb_fail(e, ZB_E_INPUT, "the file has no header");
    if (head_take(d, &o, b, e) != ZB_OK) return e->rc;
    return rows_take(d, o.body, f->end[o.end].rec, b, e);
}

int lines_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e) {
    if (bytes.p[bytes.n - 1] != '\n') {
        d->truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the last line has no end: the file is not complete");
    }
    return rows_take(d, bytes, '\n', b, e);
}
