/* What the plan room shows, as JSON: requirements and indicators of an area or a mine, one indicator with its trend and the areas below, the records behind a
 * figure, the wall map. Of today from the tables that are kept up to date, of another day from what was frozen then or asked anew.
 * The caller has checked that the actor may see the area; records are shown only to whom their ledger shows them. */
#pragma once
#include "access/access.h"
#include "prove/light.h"

struct look {
    struct db *db; /* a reader */
    const struct policy *p;
    const struct actor *actor;
    struct arena *arena;
    const char *path;         /* of the database, for another day */
    char area[8], mine[24];   /* region code; mine's code or "" */
    zb_time now, asof, known; /* asof, known: NONE now */
    bool wall;                /* nothing secret */
    struct other_day *past;   /* NULL: each view makes the records of its day and drops them; else kept there for the next view, closed by the caller */
};
/* A look at now by this reader; what the views make lies in its arena until look_end. */
struct look look_new(struct db *db, const struct policy *p, const struct actor *actor, const char *path);
void look_end(struct look *l);
/* The records of the day asked for: *own, or those kept in l->past. Give them back with look_past_done. */
ZB_MUST int look_past(struct look *l, const uint64_t uses[4], struct other_day *own, struct other_day **ret, struct zb_err *e);
void look_past_done(struct look *l, struct other_day *x);
/* "14", "1402", "140214" or "140214900001" to area and mine; "": what the actor answers for. ZB_E_INPUT: no such area; ZB_E_DENIED: not the actor's. */
ZB_MUST int look_area(struct look *l, struct str text, struct zb_err *e);
/* {"area","area_name","asof","known","frozen","lines":[…]}: `only` keeps to one requirement, task or indicator by id; "" all. */
ZB_MUST int view_plan(struct look *l, struct str only, struct json *j, struct zb_err *e);
/* One indicator: its definition, figure, months, and the areas below (of a county: its mines). */
ZB_MUST int view_indicator(struct look *l, struct str id, struct json *j, struct zb_err *e);
/* The cases behind its figure: those not met first. */
ZB_MUST int view_rows(struct look *l, struct str id, int64_t after, int64_t limit, struct json *j, struct zb_err *e);
/* Tasks × the area and those below it. */
ZB_MUST int view_wallmap(struct look *l, struct json *j, struct zb_err *e);
/* What a report needs beside view_plan: {"below":[lights of the areas below],"months":[figures kept by then],"records":[how many in each ledger],"reported":[…]} */
ZB_MUST int view_report(struct look *l, struct json *j, struct zb_err *e);
/* Keeps every figure of that day as known then, for ever; *id of it. */
ZB_MUST int view_freeze(struct look *l, struct str who, struct str why, int64_t *id, struct zb_err *e);
