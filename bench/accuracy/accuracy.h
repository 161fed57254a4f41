/* ./dev bench accuracy NAME [--train DIR] --data DIR: what the table of sets and their runners share. A set reads tables by their columns, never by a file's
 * name, so any folder with the same columns is judged; rows stay in time order and a forecast sees only rows before it. */
#pragma once
#include "base/arena.h"
#include "base/json.h"
#include <math.h>

struct table { /* cells are texts as they stand in the file, columns in the file's order */
    int cols, rows;
    struct str *name, *cell;
    struct arena *arena;
};
/* Every .csv, .tsv, .txt or .arff of DIR (also .gz) that has all of the columns (separated by '|'), in order of file name, rows joined. ZB_E_INPUT
 * names the folder, the columns and what was found. dir may be one file. */
ZB_MUST int table_load(const char *dir, const char *columns, struct table *ret, struct zb_err *e);
void table_done(struct table *t);
int table_col(const struct table *t, const char *name); /* -1 absent */
struct str table_text(const struct table *t, int row, const char *name);
ZB_MUST int table_num(const struct table *t, int row, const char *name, double *ret,
                      struct zb_err *e); /* empty or "?": NAN; else whole or an error with row, column, value */
ZB_MUST int table_nums(const struct table *t, const char *name, double *ret, struct zb_err *e); /* the column */

struct accuracy {
    const char *train, *data; /* folders; train NULL: the first 70 % of data */
    const char *policy;
};
/* Rows to fit on and to score. One table: 70 % of its rows, then the rest; two: all of each. */
struct split {
    struct table train, test;
    bool joined; /* test is the continuation of train: its rows know their past */
};
ZB_MUST int split_load(const struct accuracy *a, const char *columns, struct split *ret, struct zb_err *e);
void split_done(struct split *s);
void put_split(const struct accuracy *a, struct json *out); /* fitted_on */

struct accuracy_set {
    const char *name;
    int (*run)(const struct accuracy *a, struct json *out, struct zb_err *e); /* writes its keys into the open object */
};
int run_methane(const struct accuracy *a, struct json *out, struct zb_err *e);
int run_methane_faults(const struct accuracy *a, struct json *out, struct zb_err *e);
int run_power(const struct accuracy *a, struct json *out, struct zb_err *e);
int run_nab(const struct accuracy *a, struct json *out, struct zb_err *e);
int run_bumps(const struct accuracy *a, struct json *out, struct zb_err *e);
int run_pond(const struct accuracy *a, struct json *out, struct zb_err *e);
int run_slope(const struct accuracy *a, struct json *out, struct zb_err *e);

/* Figures. NAN where they mean nothing (no positive row …), written as null. */
void put(struct json *out, const char *key, double v); /* six decimals at most */
double mean_abs(const double *p, const double *y, int n);
double root_mean_square(const double *p, const double *y, int n);
double average_precision(const double *score, const bool *hit, int n); /* ties as one step */
double area_under(const double *score, const bool *hit, int n);        /* ROC; ties half */
struct counts {
    int tp, fp, tn, fn;
};
struct counts count_at(const double *score, const bool *hit, int n, double cut); /* score >= cut */
double balanced(const struct counts *c);
