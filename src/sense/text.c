/* The tokenizer of the `;` `~` `||` families (data-access.md 2.4). */
#include "sense/inside.h"
#include <stdio.h>

static bool blank(char c) { return c == ' ' || c == '\r' || c == '\n' || c == '\t'; }
static struct str trim(struct str s) {
    while (s.n && blank(s.p[0])) s.p++, s.n--;
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

/* Cells of one record; returns how many there were. Beyond max they are left to `ext`. */
static int cells(struct str rec, struct str *cell, int max, struct str *ext) {
    int n = 0;
    const char *p = rec.p, *end = rec.p + rec.n;
    *ext = (struct str){"", 0};
    for (;;) {
        const char *q = memchr(p, ';', (size_t)(end - p));
        const char *stop = q ? q : end;
        if (n < max)
            cell[n] = trim((struct str){p, (size_t)(stop - p)});
        else if (n == max)
            *ext = (struct str){p, (size_t)(end - p)};
        n++;
        if (!q) break;
        p = q + 1;
    }
    return n;
}

static bool full_width(struct str r) { /* ； and ～ typed for ; and ~ */
    const char *p = r.p, *end = r.p + r.n;
    while ((p = memchr(p, 0xEF, (size_t)(end - p)))) {
        if (end - p >= 3 && (!memcmp(p, "\xEF\xBC\x9B", 3) || !memcmp(p, "\xEF\xBD\x9E", 3))) return true;
        p++;
    }
    return false;
}

static void record_take(const struct policy *p, struct str raw, int no, struct arena *a, struct batch *b) {
    const struct record_layout *l = &b->format->body;
    struct record *r = &b->rec[b->n];
    struct str ext;
    if (full_width(raw)) {
        refusal_add(b, a, no, "", "holds a full-width separator: write ; and ~");
        b->refused++;
        return;
    }
    int n = cells(raw, (struct str *)r->cell, l->n, &ext);
    if (n < l->min_fields) {
        refusal_add(b, a, no, "", "has %d fields, at least %d are needed: %.*s", n, l->min_fields, raw.n > 80 ? 80 : (int)raw.n, raw.p);
        b->refused++;
        return;
    }
    for (int i = n; i < l->n; i++) ((struct str *)r->cell)[i] = (struct str){"", 0};
    for (int i = 0; i < l->n; i++) {
        const char *wrong = cell_check(p, b, &l->f[i], (struct str *)&r->cell[i]);
        if (!wrong) continue;
        refusal_add(b, a, no, l->f[i].name, "\"%.*s\" %s", r->cell[i].n > 60 ? 60 : (int)r->cell[i].n, r->cell[i].p, wrong);
        b->refused++;
        return;
    }
    r->ext = n > l->n ? trim(ext) : (struct str){"", 0};
    r->no = no;
    b->n++;
}

static int count(struct str s, char c) {
    int n = 0;
    const char *p = s.p, *end = s.p + s.n;
    while (p < end && (p = memchr(p, c, (size_t)(end - p)))) n++, p++;
    return n;
}

static int end_check(struct str *bytes, const char *mark, bool *truncated, struct zb_err *e) {
    size_t n = strlen(mark);
    if (bytes->n < n || memcmp(bytes->p + bytes->n - n, mark, n) != 0) {
        *truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the file does not end with %s: it is not complete", mark);
    }
    bytes->n -= n;
    if (bytes->n && memmem(bytes->p, bytes->n, mark, n))
        return zb_fail(e, ZB_E_INPUT, "the end mark %s stands in the middle: several files in one are not taken", mark);
    return ZB_OK;
}

static int head_take(struct str raw, struct arena *a, struct batch *b, struct zb_err *e) {
    const struct record_layout *l = &b->format->header;
    struct str ext;
    int n = cells(raw, b->header, l->n, &ext);
    if (n < l->min_fields || (n > l->n && trim(ext).n)) {
        refusal_add(b, a, 0, "", "the header has %d fields, %d are expected", n, l->n);
        return zb_fail(e, ZB_E_INPUT, "the header has %d fields, a %s file has %d: %.*s", n, b->format->type, l->n, raw.n > 100 ? 100 : (int)raw.n, raw.p);
    }
    for (int i = n; i < l->n; i++) b->header[i] = (struct str){"", 0};
    return ZB_OK;
}

int text_split(const struct policy *p, struct str bytes, struct arena *a, struct batch *b, bool *truncated, struct zb_err *e) {
    const struct format *f = b->format;
    bytes = trim(bytes);
    if (end_check(&bytes, f->file_end, truncated, e) != ZB_OK) return e->rc;
    int most = count(bytes, f->rec_end) + 1, no = 0;
    b->rec = arena_alloc(a, (size_t)most * sizeof *b->rec);
    struct str *cell = arena_alloc(a, (size_t)most * (size_t)f->body.n * sizeof *cell);
    if (!b->rec || !cell) return zb_fail(e, ZB_E_LIMIT, "%d records need more memory than one upload may take", most);
    bool head = false;
    for (const char *q = bytes.p, *end = bytes.p + bytes.n; q && q < end;) {
        const char *stop = memchr(q, f->rec_end, (size_t)(end - q));
        struct str raw = trim((struct str){q, (size_t)((stop ? stop : end) - q)});
        q = stop ? stop + 1 : NULL;
        if (!raw.n) continue;
        if (!head) {
            if (head_take(raw, a, b, e) != ZB_OK) return e->rc;
            head = true;
            continue;
        }
        b->rec[b->n].cell = cell + (size_t)b->n * (size_t)f->body.n;
        record_take(p, raw, ++no, a, b);
    }
    return head ? ZB_OK : zb_fail(e, ZB_E_INPUT, "the file has no header");
}

static bool separator_in(const struct format *f, struct str s) {
    return (s.n && (memchr(s.p, ';', s.n) || memchr(s.p, f->rec_end, s.n) || memmem(s.p, s.n, f->file_end, strlen(f->file_end)))) || full_width(s);
}

static int row_put(const struct format *f, const struct record_layout *l, const struct str *row, struct buf *out, struct zb_err *e) {
    for (int i = 0; i < l->n; i++) {
        if (separator_in(f, row[i])) return zb_fail(e, ZB_E_INPUT, "field %s holds a separator: " STR_FMT, l->f[i].name, STR_ARG(row[i]));
        if (i) buf_putc(out, ';');
        buf_put(out, row[i].p, row[i].n);
    }
    buf_putc(out, f->rec_end);
    return ZB_OK;
}

static void csv_cell(struct buf *out, struct str s) {
    bool quote = s.n && (memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n) || memchr(s.p, '\n', s.n));
    if (!quote) {
        buf_put(out, s.p, s.n);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_putc(out, '"');
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, '"');
}

static void csv_encode(const struct format *f, const struct str *const *rows, int n, struct buf *out) {
    for (int i = 0; i < f->body.n; i++) buf_printf(out, "%s%s", i ? "," : "", i == f->point ? "point" : f->body.f[i].name);
    buf_puts(out, "\r\n");
    for (int r = 0; r < n; r++) {
        for (int i = 0; i < f->body.n; i++) {
            if (i) buf_putc(out, ',');
            csv_cell(out, rows[r][i]);
        }
        buf_puts(out, "\r\n");
    }
}

int batch_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out, struct zb_err *e) {
    if (!strcmp(f->type, "CSV")) {
        csv_encode(f, rows, n, out);
    } else {
        if (row_put(f, &f->header, header, out, e) != ZB_OK) return e->rc;
        for (int i = 0; i < n; i++)
            if (row_put(f, &f->body, rows[i], out, e) != ZB_OK) return e->rc;
        buf_puts(out, f->file_end);
    }
    return out->over ? zb_fail(e, ZB_E_LIMIT, "the file is larger than its buffer") : ZB_OK;
}
