/* Pure rules of records 整改: may this act be done now and by whom, when is it due, which step of a ladder comes next.
 * (definition, state of the record, who, now) → verdict. No database, clock or log inside. */
#pragma once
#include "policy/policy.h"

enum verdict { ALLOWED, NOT_IN_STATE, NOT_YOUR_ROLE, NOT_YOUR_LEVEL, SAME_PERSON };
struct rectify_facts {
    int state;
    const char *role, *user;
    bool automatic;       /* done by a clock */
    int level, sup_level; /* digits of the area: 2 province, 4 city, 6 county, 12 mine; who supervises the site (0: not said) */
    const char *done_by;  /* "new:alice register:bob …": who did what on this record */
};
enum verdict rectify_may(const struct ledger *l, const struct ledger_act *a, const struct rectify_facts *f);
/* What to tell; zh and en. */
void rectify_why(const struct ledger *l, const struct ledger_act *a, enum verdict r, const struct rectify_facts *f, char zh[200], char en[240]);

/* When a clock is due: `start` when its state was entered; field: the value of its due field (end of that day) or of after_field. NONE: the field is empty. */
zb_time rectify_due(const struct policy *p, const struct ledger_clock *c, zb_time start, zb_time field);
/* The first step from index `from` that lies not before start; *when gets its time. Returns its index, or the number of steps. */
int rectify_step(const struct ladder *l, int from, zb_time start, zb_time due, zb_time *when);
