/* Tables: heights are measured, rows that belong together by a span stay together, headings come again on every page, a row longer than a page is cut at its lines. */
#include "paper/pdf.h"
#include <stdlib.h>

#define PAD_X 3.0
#define PAD_Y 2.5

struct grid { /* a table being drawn */
    struct page *g;
    const struct table *t;
    double x[PAPER_COLS + 1], size, step;
};
struct laid { /* a row with its cells laid out */
    const struct row *row;
    PangoLayout *cell[PAPER_COLS];
    int lines[PAPER_COLS];
    double height;
};

static double cell_width(const struct grid *d, const struct cell *c) { return d->x[c->col + c->cols] - d->x[c->col]; }

static void lay(struct grid *d, const struct row *r, struct laid *out) {
    *out = (struct laid){.row = r, .height = r->min * MM};
    double least = d->step + 2 * PAD_Y;
    if (out->height < least) out->height = least;
    for (int i = 0; i < r->cells; i++) {
        const struct cell *c = &r->cell[i];
        out->cell[i] = pen_layout(&d->g->pen, c->text, c->label ? FACE_HEI : FACE_SONG, d->size, false, cell_width(d, c) - 2 * PAD_X);
        pango_layout_set_alignment(out->cell[i], c->align == CELL_LEFT || c->align == CELL_TOP ? PANGO_ALIGN_LEFT
                                                 : c->align == CELL_RIGHT                      ? PANGO_ALIGN_RIGHT
                                                                                               : PANGO_ALIGN_CENTER);
        out->lines[i] = pango_layout_get_line_count(out->cell[i]);
        double h = out->lines[i] * d->step + 2 * PAD_Y;
        if (c->rows == 1 && h > out->height) out->height = h;
    }
}

static void unlay(struct laid *l) {
    for (int i = 0; i < l->row->cells; i++) g_object_unref(l->cell[i]);
}

static void box(struct grid *d, double x, double y, double w, double h, bool fill) {
    cairo_t *cr = d->g->pen.cr;
    cairo_rectangle(cr, x, y, w, h);
    if (fill) {
        cairo_set_source_rgb(cr, .93, .93, .93);
        cairo_fill_preserve(cr);
    }
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_set_line_width(cr, 0.5);
    cairo_stroke(cr);
}

/* A cell's lines [from, from + n) in a box of height h. */
static void cell_draw(struct grid *d, const struct cell *c, PangoLayout *l, int from, int n, double y, double h) {
    cairo_t *cr = d->g->pen.cr;
    double x = d->x[c->col], w = cell_width(d, c), text = n * d->step, top = c->align == CELL_TOP ? y : y + (h - text) / 2;
    box(d, x, y, w, h, c->label);
    if (n < 1) return;
    cairo_save(cr);
    cairo_rectangle(cr, x, y, w, h);
    cairo_clip(cr);
    lines_draw(d->g, l, from, from + n, x + PAD_X, top < y + PAD_Y ? y + PAD_Y : top, d->step, d->size, 0);
    cairo_restore(cr);
}

/* Rows tied by spans: [first, first + n), n at least 1. */
static int band(const struct row *r) {
    int need = 1, n = 0;
    for (; r && n < need; r = r->next, n++)
        for (int i = 0; i < r->cells; i++)
            if (n + r->cell[i].rows > need) need = n + r->cell[i].rows;
    return n;
}

static void band_draw(struct grid *d, struct laid *l, int n) {
    double y = d->g->y;
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < l[k].row->cells; i++) {
            const struct cell *c = &l[k].row->cell[i];
            double h = 0;
            for (int m = k; m < n && m < k + c->rows; m++) h += l[m].height;
            cell_draw(d, c, l[k].cell[i], 0, l[k].lines[i], y, h);
        }
        y += l[k].height;
    }
    d->g->y = y;
}

/* What a spanning cell needs beyond its rows goes to the last of them. */
static double band_height(struct grid *d, struct laid *l, int n) {
    double all = 0;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < l[k].row->cells; i++) {
            const struct cell *c = &l[k].row->cell[i];
            int last = k + c->rows < n ? k + c->rows : n;
            double have = 0, need = l[k].lines[i] * d->step + 2 * PAD_Y;
            for (int m = k; m < last; m++) have += l[m].height;
            if (need > have) l[last - 1].height += need - have;
        }
    for (int k = 0; k < n; k++) all += l[k].height;
    return all;
}

static void head_draw(struct grid *d, struct laid *head, int n) {
    if (n) band_draw(d, head, n);
}

/* A row that no page holds: as many lines as fit, then on. */
static void row_cut(struct grid *d, struct laid *l, struct laid *head, int heads) {
    int from = 0, most = 0;
    for (int i = 0; i < l->row->cells; i++)
        if (l->lines[i] > most) most = l->lines[i];
    do {
        int fit = (int)((d->g->bottom - d->g->y - 2 * PAD_Y + 0.01) / d->step);
        if (fit < 1) {
            if (d->g->full) return;
            page_next(d->g);
            head_draw(d, head, heads);
            fit = (int)((d->g->bottom - d->g->y - 2 * PAD_Y + 0.01) / d->step);
            if (fit < 1) fit = 1;
        }
        int n = most - from < fit ? most - from : fit;
        double h = n * d->step + 2 * PAD_Y;
        for (int i = 0; i < l->row->cells; i++) {
            int left = l->lines[i] - from;
            cell_draw(d, &l->row->cell[i], l->cell[i], from, left < 0 ? 0 : left < n ? left : n, d->g->y, h);
        }
        d->g->y += h;
        from += n;
    } while (from < most && !d->g->full);
}

static void bands_draw(struct grid *d, const struct row *r, struct laid *head, int heads, double head_height) {
    double page = d->g->bottom - d->g->top - head_height;
    while (r && !d->g->full) {
        int n = band(r);
        struct laid *l = calloc((size_t)n, sizeof *l);
        if (!l) ZB_BUG("out of memory");
        const struct row *q = r;
        for (int k = 0; k < n; k++, q = q->next) lay(d, q, &l[k]);
        double h = band_height(d, l, n);
        if (h <= page && d->g->y + h > d->g->bottom + 0.01) {
            page_next(d->g);
            head_draw(d, head, heads);
        }
        if (h <= page)
            band_draw(d, l, n);
        else
            for (int k = 0; k < n; k++) row_cut(d, &l[k], head, heads); /* a span's text stands in its first row then */
        for (int k = 0; k < n; k++) unlay(&l[k]);
        free(l);
        r = q;
    }
}

/* Every column holds one letter at least; type is made smaller until it does. */
static int columns(struct grid *d, struct zb_err *e) {
    double w[PAPER_COLS];
    d->size = d->g->p->style.table_size;
    while (d->t->cols * (d->size + 2 * PAD_X + 1) > d->g->width && d->size > 5) d->size -= 0.5;
    double least = d->size + 2 * PAD_X + 1;
    if (d->t->cols * least > d->g->width) return zb_fail(e, ZB_E_LIMIT, "a table of %d columns does not fit this page: choose fewer, or XLSX", d->t->cols);
    double spare = 0, wide = 0;
    for (int i = 0; i < d->t->cols; i++) {
        w[i] = d->t->width[i] * d->g->width;
        if (w[i] < least) {
            spare += least - w[i];
            w[i] = least;
        } else
            wide += w[i] - least;
    }
    d->x[0] = d->g->left;
    for (int i = 0; i < d->t->cols; i++) {
        if (wide > 0 && w[i] > least) w[i] -= spare * (w[i] - least) / wide;
        d->x[i + 1] = d->x[i] + w[i];
    }
    d->step = d->size * 1.42;
    return ZB_OK;
}

int table_draw(struct page *g, const struct table *t, struct zb_err *e) {
    struct grid d = {.g = g, .t = t};
    struct laid head[8];
    const struct row *r = t->first;
    int heads = 0;
    if (columns(&d, e) != ZB_OK) return e->rc;
    for (; r && heads < t->head && heads < 8; r = r->next) lay(&d, r, &head[heads++]);
    double hh = band_height(&d, head, heads);
    if (hh > (g->bottom - g->top) / 2) hh = 0; /* headings that take half the page are not repeated */
    struct look k = paper_look(&g->p->style, PARA_CAPTION);
    double caption = t->caption[0] ? k.step : 0;
    page_room(g, caption + hh + 3 * d.step);
    caption_draw(g, t->caption);
    if (hh > 0)
        head_draw(&d, head, heads);
    else
        for (int i = 0; i < heads; i++) row_cut(&d, &head[i], NULL, 0);
    bands_draw(&d, r, head, hh > 0 ? heads : 0, hh);
    for (int i = 0; i < heads; i++) unlay(&head[i]);
    g->y += 6;
    return ZB_OK;
}
