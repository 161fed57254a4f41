/* What the files of src/prove/ share. */
#pragma once
#include "prove/light.h"
#include "prove/prove.h"
/* The database's own words at the end of a message. */
const char *prove_why(const char *msg);
void figure_sql(struct buf *b, const struct indicator *x, const struct figure_scope *s); /* the statement of figure_rows */
void prove_closure(const struct policy *p, uint64_t uses[4]);                            /* adds what the derived fields and views of the ledgers read */

/* What other SQL of the policy gives. */
#define REPORTED_COLUMNS "t.rec,t.area,t.indicator,t.day,t.value,t.a,t.b,t.proof,t.signer,t.valid"
#define MEASURES_COLUMNS "t.rec,t.basis,t.area,t.means,t.issued,t.open"
#define DUTIES_COLUMNS "t.filing,t.area,t.due,t.sent,t.done,t.rec"

/* What one indicator says of one area, with its light. */
struct area_figure {
    char area[8];
    struct figure f;
    enum figure_has has;
    double value;
    int32_t due;
    struct light_in in;
    struct light_out out;
};
/* Rows summed for every region down to the indicator's level; in order of the policy's regions. *ret is malloc'd. */
int figure_areas(const struct policy *p, const struct indicator *x, const struct figure_row *row, int n, struct area_figure **ret);
/* Means of the parts that have a value there; parts[k] are the areas of part k, one length for all. */
int figure_means(const struct policy *p, const struct indicator *x, const struct area_figure *const *parts, const int *parts_n, struct area_figure **ret);

/* keep.c */
void keep_sums_bind(struct stmt *q, int at, const struct figure *f, enum figure_has has, double value); /* nine parameters from `at` */
void keep_sums(struct stmt *q, int at, struct figure *f, enum figure_has *has, double *value);          /* nine columns from `at` */
int keep_base(struct db *db, const struct indicator *x, const struct figure_scope *s, const struct figure_row *row, int n, struct zb_err *e);
int keep_base_read(struct db *db, const struct indicator *x, struct figure_row **ret, int *n, struct zb_err *e);
int keep_area(struct db *db, const struct indicator *x, const struct area_figure *a, struct zb_err *e);
int keep_areas_read(struct db *db, const struct indicator *x, struct area_figure **ret, int *n, struct zb_err *e);
int keep_month(struct db *db, const struct indicator *x, int32_t day, zb_time known, const struct area_figure *a, struct zb_err *e);
struct trend_point {
    char area[8];
    int32_t day;
    enum figure_has has;
    double value;
};
struct trends { /* of one indicator, by area, rising days */
    struct trend_point *p;
    int n;
};
int keep_trends(struct db *db, const struct indicator *x, struct trends *t, struct zb_err *e);
void trends_free(struct trends *t);
void trend_use(const struct indicator *x, const struct light_rule *rule, const struct trends *t, int32_t today, struct area_figure *a);
int keep_state(struct db *db, const char *key, char *out, size_t cap, struct zb_err *e); /* "" absent */
int keep_state_set(struct db *db, const char *key, const char *value, struct zb_err *e);

/* past.c: the wanted indicators (NULL: all) of that day, by area: a[i] and n[i] by indicator; malloc'd each. */
int past_areas(struct other_day *x, const struct policy *p, const bool *want, struct area_figure **a, int *n, struct zb_err *e);
