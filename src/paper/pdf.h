/* Between the page and the tables on it. */
#pragma once
#include "paper/draw.h"

struct page {
    struct pen pen;
    const struct paper *p;
    cairo_surface_t *surface;
    double left, top, width, bottom; /* type area, points */
    double y;                        /* next free place */
    int number;                      /* of this page; 0 none yet */
    bool full;                       /* more than PAPER_PAGES */
};
void page_next(struct page *g);
/* Room for h points, on the next page if need be (if h fits a page at all). */
void page_room(struct page *g, double h);
void caption_draw(struct page *g, const char *text); /* centred above what follows; "" nothing */
int table_draw(struct page *g, const struct table *t, struct zb_err *e);
/* Draws lines [from, to) of a layout, the first at y, left edge x. */
void lines_draw(struct page *g, PangoLayout *l, int from, int to, double x, double y, double step, double size, double justify);
