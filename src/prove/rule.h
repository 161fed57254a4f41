/* Runs rules (policy/rule.h) over the ledgers: rows of their SQL become hits with their reason in words and their evidence. Reads only.
 * The moment is the handle's clock (db_clock): a rule can be asked for a past day, of what stands in the tables. */
#pragma once
#include "policy/policy.h"
#include "store/db.h"

struct rule_hit {
    const struct rule *rule;
    bool unknown;                        /* cannot tell: data is absent */
    const struct rule_suppress *excused; /* NULL: it stands */
    int64_t site, id;                    /* 0 none */
    const char *key, *area;              /* "" none */
    int32_t since;
    double score;
    enum rule_action action;
    const char *zh, *en;  /* the reason */
    const char *evidence; /* JSON object of the further columns */
};
typedef int rule_hit_fn(void *arg, const struct rule_hit *h, struct zb_err *e);
/* Prepares every SQL and looks at its columns: ZB_E_INPUT with file:line:column. */
ZB_MUST int rules_check(struct db *db, const struct policy *p, struct zb_err *e);
/* Calls fn for every hit, excused ones too, and then for what cannot be judged. site 0: the whole province. What h points to lives for the call. */
ZB_MUST int rule_run(struct db *db, const struct rule *u, int64_t site, rule_hit_fn *fn, void *arg, struct zb_err *e);
