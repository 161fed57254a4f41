#include "base/utf8.h"
#include "sheet/inside.h"
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

int grid_put(struct grid *g, int row, int col, struct str t, struct zb_err *e) {
    if (!t.n) return ZB_OK;
    if (row > SHEET_ROWS || col >= SHEET_COLS || g->n >= SHEET_CELLS)
        return zb_fail(e, ZB_E_LIMIT, "row %d, column %d: a table has at most %d rows, %d columns and %d cells", row, col + 1, SHEET_ROWS, SHEET_COLS,
                       SHEET_CELLS);
    if (g->n == g->cap) g->c = xrealloc(g->c, (g->cap = g->cap ? g->cap * 2 : 4096) * sizeof *g->c);
    char *kept = arena_str(g->a, t);
    if (!kept) return zb_fail(e, ZB_E_LIMIT, "the table holds too much text");
    g->c[g->n++] = (struct gcell){row, col, {kept, t.n}};
    if (row > g->top_row) g->top_row = row;
    if (col > g->top_col) g->top_col = col;
    return ZB_OK;
}

void grid_done(struct grid *g) {
    free(g->c);
    g->c = NULL;
}

int grid_sheet(struct grid *g, const char *name, struct sheet *ret, struct zb_err *e) {
    char *there = xcalloc((size_t)g->top_row + 2, 1);
    int *at = xcalloc((size_t)g->top_row + 2, sizeof *at), rows = 0, cols = g->top_col + 1;
    for (size_t i = 0; i < g->n; i++) there[g->c[i].row] = 1;
    for (int r = 1; r <= g->top_row; r++)
        if (there[r]) rows++;
    *ret = (struct sheet){name, rows, g->n ? cols : 0, NULL, arena_alloc(g->a, ((size_t)rows + 1) * sizeof(int))};
    if ((size_t)rows * (size_t)cols <= SHEET_CELLS) ret->cell = arena_alloc(g->a, ((size_t)rows * (size_t)cols + 1) * sizeof *ret->cell);
    int rc = ret->cell && ret->line ? ZB_OK : zb_fail(e, ZB_E_LIMIT, "the table is too large: %d rows of %d columns", rows, cols);
    for (int r = 1, k = 0; rc == ZB_OK && r <= g->top_row; r++)
        if (there[r]) {
            at[r] = k;
            ret->line[k++] = r;
        }
    for (size_t i = 0; rc == ZB_OK && i < g->n; i++) ret->cell[(size_t)at[g->c[i].row] * (size_t)cols + (size_t)g->c[i].col] = g->c[i].text;
    free(there);
    free(at);
    return rc;
}

/* GB18030 to UTF-8, or a refusal. */
static int to_utf8(struct arena *a, struct str in, struct str *ret, struct zb_err *e) {
    iconv_t cd = iconv_open("UTF-8", "GB18030");
    size_t left = in.n, room = in.n * 2 + 16;
    char *out = arena_alloc(a, room + 1), *from = (char *)in.p, *to = out;
    bool good = cd != (iconv_t)-1 && out && iconv(cd, &from, &left, &to, &room) != (size_t)-1 && left == 0;
    if (cd != (iconv_t)-1) iconv_close(cd);
    if (!good) return zb_fail(e, ZB_E_INPUT, "the file is neither XLSX nor text in UTF-8 or GB18030: save it as .xlsx");
    *ret = (struct str){out, (size_t)(to - out)};
    return ZB_OK;
}

static char separator(struct str s) { /* the one that occurs most in the first line, outside quotes */
    static const char SEP[] = ",;\t";
    int n[3] = {0};
    bool quoted = false;
    for (size_t i = 0; i < s.n && (quoted || s.p[i] != '\n'); i++) {
        if (s.p[i] == '"') quoted = !quoted;
        for (int k = 0; k < 3 && !quoted; k++) n[k] += s.p[i] == SEP[k];
    }
    int best = 0;
    for (int k = 1; k < 3; k++)
        if (n[k] > n[best]) best = k;
    return SEP[best];
}

static int csv_read(struct arena *a, struct str s, struct sheet *ret, struct zb_err *e) {
    struct grid g = {.a = a};
    ZB_AUTO(buf_done) struct buf cell;
    buf_init(&cell, 1 << 20);
    char sep = separator(s);
    int line = 1, row = 1, col = 0, rc = ZB_OK;
    size_t i = 0;
    while (i <= s.n && rc == ZB_OK) {
        buf_clear(&cell);
        if (i < s.n && s.p[i] == '"') {
            int opened = line;
            for (i++; i < s.n; i++) {
                if (s.p[i] == '"' && i + 1 < s.n && s.p[i + 1] == '"')
                    i++;
                else if (s.p[i] == '"')
                    break;
                line += s.p[i] == '\n';
                buf_putc(&cell, s.p[i]);
            }
            if (i >= s.n) rc = zb_fail(e, ZB_E_INPUT, "line %d: a quote is opened and never closed", opened);
            i++;
        }
        while (i < s.n && s.p[i] != sep && s.p[i] != '\n') {
            if (s.p[i] != '\r') buf_putc(&cell, s.p[i]);
            i++;
        }
        if (cell.over && rc == ZB_OK) rc = zb_fail(e, ZB_E_LIMIT, "line %d: a cell is larger than 1 MiB", line);
        if (rc == ZB_OK) rc = grid_put(&g, row, col, buf_str(&cell), e);
        if (i >= s.n) break;
        if (s.p[i++] == sep) {
            col++;
        } else {
            row = ++line;
            col = 0;
        }
    }
    if (rc == ZB_OK) rc = grid_sheet(&g, "CSV", ret, e);
    grid_done(&g);
    return rc;
}

int sheet_read(struct arena *a, struct str b, struct sheet *ret, struct zb_err *e) {
    if (b.n > (size_t)20 << 20) return zb_fail(e, ZB_E_LIMIT, "a table file has at most 20 MiB");
    if (b.n > 4 && !memcmp(b.p, "PK\x03\x04", 4)) return xlsx_read(a, b, ret, e);
    if (b.n > 8 && !memcmp(b.p, "\xd0\xcf\x11\xe0", 4))
        return zb_fail(e, ZB_E_INPUT, "an old (.xls) or password-protected workbook: save it as .xlsx without a password");
    if (b.n >= 3 && !memcmp(b.p, "\xef\xbb\xbf", 3)) b = (struct str){b.p + 3, b.n - 3};
    if (memchr(b.p ? b.p : "", 0, b.n)) return zb_fail(e, ZB_E_INPUT, "the file is neither XLSX nor text");
    if (!utf8_valid(b) && to_utf8(a, b, &b, e) != ZB_OK) return e->rc;
    return csv_read(a, b, ret, e);
}
