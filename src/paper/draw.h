/* Text on a cairo surface through Pango: what the PDF and the charts share. Units are points. */
#pragma once
#include "paper/inside.h"
#include <pango/pangocairo.h>

struct pen {
    cairo_t *cr;
    PangoContext *ctx;
    const struct page_style *style;
    int unknown; /* glyphs no face has */
};
void pen_open(struct pen *pen, cairo_t *cr, const struct page_style *style);
void pen_close(struct pen *pen);
/* A layout of text in a face; width in points (0: one line, as wide as it is). The caller unrefs it. */
PangoLayout *pen_layout(struct pen *pen, const char *text, enum page_face face, double size, bool bold, double width);
void pen_font(struct pen *pen, enum page_face face, double size, bool bold, PangoFontDescription **ret);
/* One line of text with its middle at y; x is its left, middle or right by align. Returns its width. */
double pen_text(struct pen *pen, const char *text, enum page_face face, double size, double x, double y, enum cell_align align);
/* The line's baseline at the place type of this size has in a step whose top is y. */
double pen_baseline(double y, double step, double size);
void chart_draw(struct pen *pen, const struct chart *c, double x, double y, double w, double h);
double chart_height(const struct chart *c, double width);
