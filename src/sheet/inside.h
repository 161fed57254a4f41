#pragma once
#include "sheet/sheet.h"
#define SHEET_ROWS 200000
#define SHEET_COLS 500
#define SHEET_CELLS 10000000
struct grid { /* cells as they come, any order */
    struct arena *a;
    struct gcell {
        int row, col;
        struct str text;
    } * c;
    size_t n, cap;
    int top_row, top_col;
};
int grid_put(struct grid *g, int row, int col, struct str text, struct zb_err *e); /* row from 1, col from 0; the text is copied */
int grid_sheet(struct grid *g, const char *name, struct sheet *ret, struct zb_err *e);
void grid_done(struct grid *g);
int xlsx_read(struct arena *a, struct str bytes, struct sheet *ret, struct zb_err *e);
