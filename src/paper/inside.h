/* The tree itself, for the writers. */
#pragma once
#include "paper/paper.h"

enum block_kind { BLOCK_PARA, BLOCK_TABLE, BLOCK_CHART, BLOCK_SPACE, BLOCK_BREAK };
struct run {
    const char *text;
    bool bold;
    struct run *next;
};
struct cell {
    const char *text;
    zb_fix num; /* NONE: text */
    uint8_t col, cols, rows, align;
    bool label;
};
struct row {
    struct cell *cell; /* origins only, rising by column */
    int cells;
    double min; /* mm */
    struct row *next;
};
struct table {
    const char *caption;
    int cols, head, rows;
    double width[PAPER_COLS]; /* shares, sum 1 */
    struct row *first, *last;
};
struct chart {
    enum chart_kind kind;
    const char *caption, *unit, *name[CHART_SERIES];
    int series, points;
    const char *label[CHART_POINTS];
    zb_fix value[CHART_SERIES][CHART_POINTS], target[CHART_POINTS];
};
struct block {
    enum block_kind kind;
    enum para_style style;
    struct run *run, *last_run;
    struct table *table;
    struct chart *chart;
    int lines;
    struct block *next;
};
struct paper {
    struct arena *a;
    struct page_style style;
    const char *title;
    int32_t day;
    struct block *first, *last;
    int blocks, cells, charts;
    int number[5];                /* of headings, by level */
    struct cell open[PAPER_COLS]; /* the row being filled */
    int open_n, busy[PAPER_COLS]; /* rows further covered from above */
    char over[120];               /* what was too much; "" nothing */
};

/* How a paragraph looks; sizes in points, indents in characters of its size. */
struct look {
    enum page_face face;
    double size, step;
    int first, left, right; /* indents */
    enum cell_align align;
    bool bold, justify, keep; /* keep: with what follows */
    int outline;              /* of headings, 1 …; 0 none */
};
struct look paper_look(const struct page_style *s, enum para_style style);
#define MM (72.0 / 25.4)

int pdf_write(const struct paper *p, struct buf *out, struct paper_stat *stat, struct zb_err *e);
int docx_write(const struct paper *p, struct buf *out, struct zb_err *e);
int xlsx_write(const struct paper *p, struct buf *out, struct zb_err *e);
/* A chart as PNG, about width mm wide; *height_mm set. */
int chart_png(const struct paper *p, const struct chart *c, double width_mm, double *height_mm, struct buf *out, struct zb_err *e);
/* Points that empty lines and a signature right after this block take; 0: no signature follows. It never stands alone on a page. */
double sign_after(const struct paper *p, const struct block *b);
/* The text of all runs. */
void para_text(const struct block *b, struct buf *out);
