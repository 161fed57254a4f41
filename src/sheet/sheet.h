/* Tables in files: XLSX and CSV in, XLSX and CSV out. Formulas are never run: a cell is the value its maker stored; what is written is text or number, never a formula.
 * Refused with ZB_E_INPUT: encrypted and old binary workbooks, XML with a DOCTYPE, broken zips. ZB_E_LIMIT: file > 20 MiB, unpacked > 200 MiB or > 200 × its size,
 * > 200,000 rows, > 500 columns, > 10 million cells. */
#pragma once
#include "base/arena.h"
#include "base/num.h"
#include "base/time.h"

struct sheet { /* the first sheet that is not empty; texts live in the arena given */
    const char *name;
    int rows, cols;
    struct str *cell; /* [row * cols + col]: what a person would type: 12.5, 2026-03-01, 2026-03-01 08:30:00, true */
    int *line;        /* the file's own number of each row, from 1; empty rows are left out */
};
/* Kind by content, not name. CSV: UTF-8 (with or without BOM) or GB18030, separator , ; or tab, quotes as RFC 4180. */
ZB_MUST int sheet_read(struct arena *a, struct str bytes, struct sheet *ret, struct zb_err *e);

struct table_writer;
struct table_writer *table_begin(bool xlsx, const char *name); /* the first row is the heading: bold, frozen, with filters */
void table_text(struct table_writer *w, struct str s);         /* CSV: a text that a spreadsheet would run (= + - @ tab) gets an apostrophe */
void table_fix(struct table_writer *w, zb_fix v);
void table_row(struct table_writer *w); /* ends the row */
/* The file's bytes; frees the writer. */
ZB_MUST int table_end(struct table_writer *w, struct buf *out, struct zb_err *e);
