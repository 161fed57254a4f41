/* One document tree, written as PDF (Pango and Cairo), DOCX (own XML in a zip) or XLSX (libxlsxwriter).
 * Every text that comes in is cleaned once, here: what is not UTF-8 becomes U+FFFD, control characters and marks that turn the direction of
 * writing go, so no writer meets them. A tree beyond its maxima stays as it was before and says so when it is written.
 * Templates are policy (policy/letter.h); fill.c makes the tree of one from named sets of values. */
#pragma once
#include "base/arena.h"
#include "base/json.h"
#include "base/num.h"
#include "model/page.h"

#define PAPER_BLOCKS 20000
#define PAPER_CELLS 400000
#define PAPER_COLS 40
#define PAPER_TEXT 20000             /* bytes of one text */
#define PAPER_BYTES (64u << 20)      /* of the whole tree */
#define PAPER_OUT ((size_t)64 << 20) /* of a written file */
#define PAPER_PAGES 2000
#define PAPER_CHARTS 60
#define CHART_POINTS 120
#define CHART_SERIES 4

enum paper_format { PAPER_PDF, PAPER_DOCX, PAPER_XLSX, PAPER_FORMATS_N };
extern const char *const PAPER_FORMAT_KEY[];  /* "pdf" … */
extern const char *const PAPER_FORMAT_TYPE[]; /* media types */

#define PARA_STYLES(X)                                                                                                                                         \
    X(BODY, "body")                                                                                                                                            \
    X(FLAT, "flat")                                                                                                                                            \
    X(CENTER, "center")                                                                                                                                        \
    X(RIGHT, "right") X(NOTE, "note") X(TITLE, "title") X(SUBTITLE, "subtitle") X(NUMBER, "number") X(CAPTION, "caption") X(H1, "h1") X(H2, "h2") X(H3, "h3")  \
        X(H4, "h4") X(SIGN, "sign")
enum para_style { /* NUMBER: 发文字号; SIGN: name and date of who signs, a line each */
#define X(id, key) PARA_##id,
                  PARA_STYLES(X)
#undef X
                      PARA_STYLES_N
};
extern const char *const PARA_STYLE_KEY[];
enum cell_align { CELL_CENTER, CELL_LEFT, CELL_RIGHT, CELL_TOP }; /* TOP: left, and at the top of its cell */
enum chart_kind { CHART_BAR, CHART_LINE };

struct paper;
struct paper *paper_new(const struct page_style *style); /* the style is copied */
void paper_free(struct paper *p);                        /* NULL is fine */
void paper_drop(struct paper **p);                       /* for ZB_AUTO */
/* Name of the document (properties, first sheet) and the day it carries (properties of the file; the same tree gives the same bytes). */
void paper_meta(struct paper *p, struct str title, int32_t day);
const char *paper_name(const struct paper *p); /* the title given */
void paper_para(struct paper *p, enum para_style style, struct str text);
void paper_run(struct paper *p, struct str text, bool bold); /* more of the paragraph begun last */
/* A heading with its number: level 1 一、 2 （一） 3 1. 4 （1）; a higher level starts the lower ones anew. */
void paper_heading(struct paper *p, int level, struct str text);
void paper_space(struct paper *p, int lines);
void paper_break(struct paper *p); /* next page */
/* A table: relative column widths; the first `head` rows are repeated on every page. Cells come row by row; those covered by a span are left out. */
void paper_table(struct paper *p, struct str caption, int cols, const double *width, int head);
void paper_cell(struct paper *p, struct str text, enum cell_align align);
void paper_number(struct paper *p, zb_fix v, struct str text); /* shown as text, a number in XLSX; NONE: text alone */
void paper_span(struct paper *p, int cols, int rows);          /* of the cell put last */
void paper_label(struct paper *p);                             /* the cell put last is a heading of its row */
void paper_row(struct paper *p, double min_mm);                /* ends the row; at least so high, 0: as high as its text */
/* A chart: categories down or along, up to CHART_SERIES series, a target for each category or NONE. */
void paper_chart(struct paper *p, enum chart_kind kind, struct str caption, struct str unit, int series, const struct str *names);
void paper_point(struct paper *p, struct str label, const zb_fix *values, zb_fix target); /* NONE: no data */
/* ZB_E_LIMIT when anything was left out; says what. */
ZB_MUST int paper_check(const struct paper *p, struct zb_err *e);

struct paper_stat {
    int pages;                   /* PDF only */
    int unknown_glyphs;          /* characters no face has; PDF only */
    char face[PAGE_FACES_N][64]; /* the family really taken for each face; PDF only */
};
ZB_MUST int paper_write(const struct paper *p, enum paper_format f, struct buf *out, struct paper_stat *stat, struct zb_err *e);

/* The tree as JSON, for the child process and for tests: {"page":{…},"title","day","blocks":[{"style","runs":[…]}|{"table":…}|{"chart":…}|{"space":n}|{"break":true}]} */
void paper_json(const struct paper *p, struct json *j);
ZB_MUST int paper_read(struct str json, struct paper **ret, struct zb_err *e); /* ZB_E_INPUT, ZB_E_LIMIT */
/* Writes in a process of its own (`EXE paper FORMAT`, the tree on its stdin): a crash of the layout never reaches the caller. At most two at a time
 * (ZB_E_LIMIT), 60 s, 1 GiB, PAPER_OUT bytes. exe: this program. */
ZB_MUST int paper_render(const char *exe, const struct paper *p, enum paper_format f, struct buf *out, struct paper_stat *stat, struct zb_err *e);
