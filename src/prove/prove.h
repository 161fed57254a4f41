/* Indicators computed from the ledgers: of today, kept up to date record by record, and of any past day as it was known on any day. All reading except its
 * own tables: prove_base (indicator × area × mine), prove_area (rolled up), prove_month (trend), prove_frozen with prove_figure (what was once reported).
 * SQL of the policy also sees zb_region(code, level, city, name), the policy's regions; rules see zb_figure, what the last step found: indicator, zh, en, unit,
 * reading, secret, once (a dated target), sign (1 the more the better, -1 the less), target, area, level ("mine": one mine's), place, mine, a, b, n, missing,
 * value, and of areas light, why_zh, why_en, since, due, before, path, forecast, low, high. */
#pragma once
#include "base/json.h"
#include "policy/policy.h"
#include "store/db.h"

/* After ledger_migrate. Makes the tables, fills zb_region and zb_figure, prepares every SQL (ZB_E_INPUT: file:line:column). */
ZB_MUST int prove_migrate(struct db *db, const struct policy *p, struct zb_err *e);

/* Sums of one indicator over an area or a mine. Which columns mean something is the indicator's kind. */
struct figure {
    double a, b, c, d, least;
    int64_t n, missing; /* cases; those whose a is not known */
};
void figure_add(struct figure *to, const struct figure *f); /* least: the lesser */
enum figure_has { FIGURE_VALUE, FIGURE_NO_CASE, FIGURE_MISSING };
/* MEAN_OF is not for this one: see prove_value. */
enum figure_has figure_value(const struct indicator *x, const struct figure *f, double *ret);

/* One indicator's sums by area and mine. where: NULL, or what keeps to one mine or area. */
struct figure_row {
    char area[8], mine[24];
    struct figure f;
};
struct figure_scope {
    const char *area, *mine; /* the cases of that area that are this mine's or no mine's; area NULL: all */
};
/* *ret is malloc'd. */
ZB_MUST int figure_rows(struct db *db, const struct indicator *x, const struct figure_scope *s, struct figure_row **ret, int *n, struct zb_err *e);

/* ---- another day ---- */
struct other_day { /* what SQL sees on this handle: the records as they were so at `asof`, as far as recorded by `known` */
    struct db *db;
    zb_time asof, known;
};
/* A handle of its own (writing: temporary tables only). The l_, s_, h_ and v_ names of the ledgers that the SQL of `uses` reads (NULL: all) then stand for
 * that moment; zb_today() is its day. Alarms and what else comes by a view: those there by then, with the state they have today. due and due_first are null. */
ZB_MUST int past_open(const char *path, const struct policy *p, const uint64_t uses[4], zb_time asof, zb_time known, struct other_day *ret, struct zb_err *e);
void past_close(struct other_day *x);
zb_time past_end_of(int32_t day); /* the last millisecond of that day in Beijing */

/* ---- kept up to date ---- */
struct prover; /* one thread's */
ZB_MUST int prover_open(const char *path, struct prover **ret, struct zb_err *e);
void prover_close(struct prover *x); /* NULL fine */
/* Asks again what changed since the last step; a new day or policy: everything. *did: changes and indicators asked (0: nothing to do). */
ZB_MUST int prover_step(struct prover *x, const struct policy *p, zb_time now, int *did, struct zb_err *e);
/* Keeps the newest month-end of the plan's time that is not yet kept, as known now. *did 0: all are. */
ZB_MUST int prover_month(struct prover *x, const struct policy *p, zb_time now, int *did, struct zb_err *e);
const char *prover_trouble(const struct prover *x); /* a SQL that failed in the last full pass; "" */
