/* Paragraphs and pages. Lines stand on a grid of their step, whatever the face's own height is, so that 22 lines of 28 letters come out as the standard asks. */
#include "paper/pdf.h"
#include <cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <stdio.h>

static cairo_status_t to_buf(void *arg, const unsigned char *data, unsigned n) {
    struct buf *b = arg;
    buf_put(b, data, n);
    return b->over ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void page_number(struct page *g) {
    char t[32];
    double em = g->p->style.foot_size, y = g->bottom + 7 * MM;
    snprintf(t, sizeof t, "— %d —", g->number);
    if (!g->p->style.outer_numbers)
        pen_text(&g->pen, t, FACE_SONG, em, g->left + g->width / 2, y, CELL_CENTER);
    else if (g->number % 2)
        pen_text(&g->pen, t, FACE_SONG, em, g->left + g->width - em, y, CELL_RIGHT);
    else
        pen_text(&g->pen, t, FACE_SONG, em, g->left + em, y, CELL_LEFT);
}

static void page_end(struct page *g) {
    if (!g->number) return;
    page_number(g);
    cairo_show_page(g->pen.cr);
}

void page_next(struct page *g) {
    page_end(g);
    g->full |= g->number == PAPER_PAGES;
    g->number++;
    g->y = g->top;
}

void page_room(struct page *g, double h) {
    if (!g->number || (g->y + h > g->bottom + 0.01 && g->y > g->top)) page_next(g);
}

/* Spreads what is missing of a full line over its letters. */
static void justify(PangoLayoutLine *line, double missing) {
    int n = 0, k = 0;
    for (GSList *r = line->runs; r; r = r->next) n += ((PangoGlyphItem *)r->data)->glyphs->num_glyphs;
    if (n < 2) return;
    int each = (int)(missing * PANGO_SCALE / (n - 1));
    for (GSList *r = line->runs; r; r = r->next) {
        PangoGlyphString *g = ((PangoGlyphItem *)r->data)->glyphs;
        for (int i = 0; i < g->num_glyphs; i++)
            if (++k < n) g->glyphs[i].geometry.width += each;
    }
}

void lines_draw(struct page *g, PangoLayout *l, int from, int to, double x, double y, double step, double size, double full) {
    PangoLayoutIter *it = pango_layout_get_iter(l);
    int n = pango_layout_get_line_count(l);
    for (int i = 0; i < to; i++) {
        if (i >= from) {
            PangoRectangle r;
            PangoLayoutLine *line = pango_layout_iter_get_line(it);
            pango_layout_iter_get_line_extents(it, NULL, &r);
            double lx = (double)r.x / PANGO_SCALE, w = (double)r.width / PANGO_SCALE;
            bool last = i + 1 == n || pango_layout_get_line_readonly(l, i + 1)->is_paragraph_start;
            if (full > 0 && !last && full - lx - w > 0 && full - lx - w < 2.5 * size) justify(line, full - lx - w);
            cairo_move_to(g->pen.cr, x + lx, pen_baseline(y + (i - from) * step, step, size));
            pango_cairo_show_layout_line(g->pen.cr, line);
        }
        pango_layout_iter_next_line(it);
    }
    pango_layout_iter_free(it);
}

static bool ends_a_phrase(const char *p) {
    static const char *const END[] = {"，", "。", "、", "；", "：", "！", "？", "）", "》", "”"};
    for (size_t i = 0; i < sizeof END / sizeof *END; i++)
        if (!strncmp(p, END[i], 3)) return true;
    return false;
}

/* Runs in one text with their bold attributes. Pango never breaks between ， and “ although it may: an invisible mark lets it. */
static char *joined(const struct block *b, double spacing, PangoAttrList *attrs) {
    struct buf t;
    buf_init(&t, PAPER_TEXT * 8);
    for (const struct run *r = b->run; r; r = r->next) {
        guint from = (guint)t.n;
        for (const char *p = r->text; *p; p++) {
            if (!strncmp(p, "“", 3) && p - r->text >= 3 && ends_a_phrase(p - 3)) buf_puts(&t, "\xe2\x80\x8b");
            buf_putc(&t, *p);
        }
        if (r->bold) {
            PangoAttribute *a = pango_attr_weight_new(PANGO_WEIGHT_BOLD);
            a->start_index = from;
            a->end_index = (guint)t.n;
            pango_attr_list_insert(attrs, a);
        }
    }
    if (spacing != 0) pango_attr_list_insert(attrs, pango_attr_letter_spacing_new((int)(spacing * PANGO_SCALE)));
    return t.p ? t.p : xstrndup("", 0);
}

/* The grid's letter is a little narrower than the type: 28 letters of 16 pt on 156 mm. */
static double spacing_of(const struct page *g, const struct look *k) {
    if (!g->p->style.line_chars || k->size != g->p->style.body_size) return 0;
    return g->width / g->p->style.line_chars - k->size;
}

static PangoLayout *para_layout(struct page *g, const struct block *b, const struct look *k, double em, double width) {
    PangoAttrList *attrs = pango_attr_list_new();
    char *text = joined(b, em - k->size, attrs);
    PangoLayout *l = pen_layout(&g->pen, "", k->face, k->size, k->bold, width);
    pango_layout_set_attributes(l, attrs);
    pango_attr_list_unref(attrs);
    pango_layout_set_indent(l, (int)(k->first * em * PANGO_SCALE));
    pango_layout_set_alignment(l, k->align == CELL_LEFT ? PANGO_ALIGN_LEFT : k->align == CELL_RIGHT ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_CENTER);
    pango_layout_set_text(l, text, -1);
    g->pen.unknown += pango_layout_get_unknown_glyphs_count(l);
    free(text);
    return l;
}

/* Who signs and the date, one centred over the other, four letters from the right. */
static double sign_left(PangoLayout *l, const struct page *g, double em, double right) {
    PangoRectangle r;
    pango_layout_get_extents(l, NULL, &r);
    double w = (double)r.width / PANGO_SCALE, left = g->width - w - right * em;
    pango_layout_set_width(l, r.width + PANGO_SCALE);
    return left > 0 ? left : 0;
}

/* What must stand on the same page as a heading: the beginning of what follows it. */
static double least_of(const struct page *g, const struct block *b) {
    double line = g->p->style.line_step, page = g->bottom - g->top - 4 * line;
    if (!b) return 0;
    if (b->kind == BLOCK_TABLE) return 8 * line * g->p->style.table_size / g->p->style.body_size;
    if (b->kind == BLOCK_CHART) {
        double h = chart_height(b->chart, g->width) + 2 * line;
        return h < page ? h : page;
    }
    if (b->kind != BLOCK_PARA) return 0;
    double after = sign_after(g->p, b);
    return after > 0 ? line + after : 2 * line;
}

static void para_draw(struct page *g, const struct block *b) {
    struct look k = paper_look(&g->p->style, b->style);
    double em = k.size + spacing_of(g, &k), width = g->width + 0.5 + em - k.size; /* the last letter needs no space after it */
    PangoLayout *l = para_layout(g, b, &k, em, width);
    double x = g->left + (b->style == PARA_SIGN ? sign_left(l, g, em, k.right) : 0);
    int n = pango_layout_get_line_count(l), at = 0;
    double after = sign_after(g->p, b);
    if (b->style == PARA_SIGN) page_room(g, n * k.step);
    if (k.keep) page_room(g, (n < 3 ? n : 3) * k.step + least_of(g, b->next));
    while (at < n && !g->full) {
        page_room(g, k.step);
        int fit = (int)((g->bottom - g->y + 0.01) / k.step);
        if (fit < 1) fit = 1;
        if (fit > n - at) fit = n - at;
        if (after > 0 && at + fit == n && g->y + fit * k.step + after > g->bottom && g->y > g->top) { /* two lines go with the signature to the next page */
            fit -= 2;
            if (fit < 2) {
                page_next(g);
                continue;
            }
        }
        lines_draw(g, l, at, at + fit, x, g->y, k.step, k.size, k.justify ? g->width : 0);
        g->y += fit * k.step;
        at += fit;
    }
    g_object_unref(l);
}

void caption_draw(struct page *g, const char *text) {
    if (!text[0]) return;
    struct look k = paper_look(&g->p->style, PARA_CAPTION);
    PangoLayout *l = pen_layout(&g->pen, text, k.face, k.size, k.bold, g->width);
    int n = pango_layout_get_line_count(l), fit = (int)((g->bottom - g->y) / k.step);
    if (n > fit) n = fit;
    pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
    lines_draw(g, l, 0, n, g->left, g->y, k.step, k.size, 0);
    g_object_unref(l);
    g->y += n * k.step;
}

static void chart_block(struct page *g, const struct chart *c) {
    double h = chart_height(c, g->width), most = g->bottom - g->top - 30;
    if (h > most) h = most;
    struct look k = paper_look(&g->p->style, PARA_CAPTION);
    page_room(g, h + (c->caption[0] ? k.step : 0) + 6);
    caption_draw(g, c->caption);
    chart_draw(&g->pen, c, g->left, g->y, g->width, h);
    g->y += h + 6;
}

static int block_draw(struct page *g, const struct block *b, struct zb_err *e) {
    switch (b->kind) {
    case BLOCK_PARA: para_draw(g, b); return ZB_OK;
    case BLOCK_TABLE: return table_draw(g, b->table, e);
    case BLOCK_CHART: chart_block(g, b->chart); return ZB_OK;
    case BLOCK_SPACE:
        page_room(g, 0);
        g->y += b->lines * g->p->style.line_step;
        if (g->y > g->bottom) page_next(g);
        return ZB_OK;
    case BLOCK_BREAK:
        if (b->next) page_next(g);
        return ZB_OK;
    }
    return ZB_OK;
}

/* Which family of each face's list is really there. */
static void faces_tell(struct page *g, struct paper_stat *stat) {
    for (int i = 0; i < PAGE_FACES_N; i++) {
        PangoFontDescription *d;
        pen_font(&g->pen, (enum page_face)i, 12, false, &d);
        PangoFontset *set = pango_context_load_fontset(g->pen.ctx, d, pango_language_from_string("zh-cn"));
        PangoFont *f = set ? pango_fontset_get_font(set, 0x5b89) : NULL; /* 安 */
        PangoFontDescription *got = f ? pango_font_describe(f) : NULL;
        str_copy(str_of(got && pango_font_description_get_family(got) ? pango_font_description_get_family(got) : ""), stat->face[i], sizeof stat->face[i]);
        if (got) pango_font_description_free(got);
        if (f) g_object_unref(f);
        if (set) g_object_unref(set);
        pango_font_description_free(d);
    }
}

static void properties(const struct paper *p, cairo_surface_t *s) {
    char day[ZB_TIME_CAP], t[64];
    snprintf(t, sizeof t, "%sT00:00:00+08:00", zb_day_text(p->day, day));
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, p->title);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATOR, "zhiben");
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, t);
}

int pdf_write(const struct paper *p, struct buf *out, struct paper_stat *stat, struct zb_err *e) {
    const struct page_style *s = &p->style;
    struct page g = {.p = p, .left = s->left * MM, .top = s->top * MM, .width = (s->width - s->left - s->right) * MM, .bottom = (s->height - s->bottom) * MM};
    g.surface = cairo_pdf_surface_create_for_stream(to_buf, out, s->width * MM, s->height * MM);
    properties(p, g.surface);
    cairo_t *cr = cairo_create(g.surface);
    pen_open(&g.pen, cr, s);
    int rc = ZB_OK;
    for (const struct block *b = p->first; b && rc == ZB_OK && !g.full; b = b->next) rc = block_draw(&g, b, e);
    if (!g.number) page_next(&g);
    page_end(&g);
    stat->pages = g.number;
    stat->unknown_glyphs = g.pen.unknown;
    faces_tell(&g, stat);
    pen_close(&g.pen);
    cairo_destroy(cr);
    cairo_surface_finish(g.surface);
    cairo_status_t st = cairo_surface_status(g.surface);
    cairo_surface_destroy(g.surface);
    if (rc == ZB_OK && g.full) rc = zb_fail(e, ZB_E_LIMIT, "more than %d pages: ask for less", PAPER_PAGES);
    if (rc == ZB_OK && st != CAIRO_STATUS_SUCCESS)
        rc = zb_fail(e, out->over ? ZB_E_LIMIT : ZB_E_IO, "the PDF cannot be written: %s", cairo_status_to_string(st));
    return rc;
}
