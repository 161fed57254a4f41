/* Templates of papers as data: letters/<key>.yaml, one a kind, and pages.yaml with their proportions. A template is a list of blocks whose texts hold fields
 * {set.column}; a set is a named table of values. There is no more language than that: a field, `repeat` over the rows of a set, `if` something is there.
 * Which sets a template may use follows from what it is about, so every field is checked when the policy is loaded:
 *   paper                    every paper: who made it, of which day (PAPER_SET)
 *   record                   with `ledger`: the record's fields, `no` and `state`
 *   <reference field>        with `ledger`: the fields of the record it refers to
 *   <sub-table>              with `ledger`: its rows
 *   <linked set>             with `linked`: records of another ledger that refer to this one
 *   plan …                   with `facts: plan`: figures of an area (PLAN_SETS)
 *   link …                   with `facts: link`: a mine's link and its acceptance report (LINK_SETS) */
#pragma once
#include "model/page.h"
#include "policy/tree.h"

struct policy;
struct builtin_set {
    const char *key, *columns; /* space-separated */
};
extern const struct builtin_set PAPER_SET, PLAN_SETS[], LINK_SETS[];
#define LETTER_FACTS(X) X(PLAN, "plan") X(LINK, "link")
enum letter_facts {
#define X(id, key) FACTS_##id,
    LETTER_FACTS(X)
#undef X
        LETTER_FACTS_N /* about a record */
};
const char *facts_columns(enum letter_facts f, const char *key); /* ZB_BUG: no such set */

#define LETTER_BLOCKS(X)                                                                                                                                       \
    X(PARA, "para")                                                                                                                                            \
    X(HEADING, "heading") X(TABLE, "table") X(CHART, "chart") X(GRID, "grid") X(REPEAT, "repeat") X(IF, "if") X(SPACE, "space") X(BREAK, "break")
enum letter_block_kind {
#define X(id, key) LETTER_##id,
    LETTER_BLOCKS(X)
#undef X
        LETTER_BLOCKS_N
};
struct letter_column {           /* of a table: column `of` of its set; of a chart: a series */
    const char *zh, *group, *of; /* group: heading over neighbours of the same group */
    double width;
    const char *align; /* "left", "right", "center", "top" (and left) */
};
struct letter_cell {
    const char *zh, *align;
    int cols, rows;
    bool label;
};
struct letter_row {
    double high; /* mm at least */
    struct letter_cell *cell;
    int cells;
};
struct letter_block {
    enum letter_block_kind kind;
    const char *style;                 /* PARA */
    const char *lead, *zh;             /* PARA: bold beginning; PARA, HEADING: text; TABLE, CHART, GRID: caption */
    int n;                             /* HEADING: level; SPACE: lines */
    const char *set, *same;            /* TABLE, CHART, REPEAT, IF: rows; those with the same value in this column as the enclosing repeat's row */
    const char *column;                /* IF: a column of the current row; "" the set has rows */
    const char *empty;                 /* TABLE, CHART: said when there are no rows */
    const char *label, *target, *unit; /* CHART: columns; unit is text with fields */
    bool line;                         /* CHART */
    struct letter_column *col;
    int cols;
    double width[40]; /* GRID */
    struct letter_row *row;
    int rows;
    struct letter_block *block, *other; /* REPEAT, IF; other: else */
    int blocks, others;
    const struct node *at;
};
struct letter_linked {
    const char *set, *ledger, *by; /* records of `ledger` whose reference field `by` is this record */
    int to_ledger;
};
struct letter_rule {
    const char *key, *zh, *en, *source, *file;
    const char *title;         /* of the file; with fields */
    const char *ledger, *when; /* ledger: key, "" none; when: "field=value" the record must have, "" any */
    const char *levels;        /* with facts: areas it is for: "province", "city", "county" */
    enum letter_facts facts;
    int of_ledger;
    const struct page_style *page;
    struct letter_linked *link;
    int links;
    struct letter_block *block;
    int blocks;
    const struct node *at;
};

const struct letter_rule *letter_find(const struct policy *p, struct str key); /* NULL: unknown */
/* Cuts the next field of a text: what stands before it, then set and column; false when there is none (before: the rest). */
bool letter_field(struct str *text, struct str *before, struct str *set, struct str *column);
