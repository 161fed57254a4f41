#include "paper/draw.h"

#ifdef __SANITIZE_ADDRESS__ /* fontconfig keeps patterns to the end of the process, cairo 1.16 loses tables of subset faces when a PDF is finished */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libcairo\n"; }
#endif

void pen_open(struct pen *pen, cairo_t *cr, const struct page_style *style) {
    *pen = (struct pen){.cr = cr, .ctx = pango_cairo_create_context(cr), .style = style};
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(pen->ctx, o);
    cairo_font_options_destroy(o);
    pango_context_set_language(pen->ctx, pango_language_from_string("zh-cn"));
    pango_context_set_base_dir(pen->ctx, PANGO_DIRECTION_LTR);
    pango_context_set_round_glyph_positions(pen->ctx, FALSE);
}

void pen_close(struct pen *pen) { g_object_unref(pen->ctx); }

void pen_font(struct pen *pen, enum page_face face, double size, bool bold, PangoFontDescription **ret) {
    PangoFontDescription *d = pango_font_description_new();
    pango_font_description_set_family(d, pen->style->face[face]);
    pango_font_description_set_absolute_size(d, size * PANGO_SCALE);
    pango_font_description_set_weight(d, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    *ret = d;
}

PangoLayout *pen_layout(struct pen *pen, const char *text, enum page_face face, double size, bool bold, double width) {
    PangoLayout *l = pango_layout_new(pen->ctx);
    PangoFontDescription *d;
    pen_font(pen, face, size, bold, &d);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    pango_layout_set_auto_dir(l, FALSE);
    if (width > 0) {
        pango_layout_set_width(l, (int)(width * PANGO_SCALE));
        pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    } else
        pango_layout_set_single_paragraph_mode(l, TRUE);
    pango_layout_set_text(l, text, -1);
    pen->unknown += pango_layout_get_unknown_glyphs_count(l);
    return l;
}

double pen_baseline(double y, double step, double size) { return y + (step - size) / 2 + 0.88 * size; }

double pen_text(struct pen *pen, const char *text, enum page_face face, double size, double x, double y, enum cell_align align) {
    PangoLayout *l = pen_layout(pen, text, face, size, false, 0);
    PangoRectangle r;
    pango_layout_get_extents(l, NULL, &r);
    double w = (double)r.width / PANGO_SCALE;
    cairo_move_to(pen->cr, align == CELL_LEFT ? x : align == CELL_RIGHT ? x - w : x - w / 2, pen_baseline(y - size / 2, size, size));
    pango_cairo_show_layout_line(pen->cr, pango_layout_get_line_readonly(l, 0));
    g_object_unref(l);
    return w;
}
