/* Hits of rules kept: table hit, one row for what a rule says of a subject, from when it was first seen until it was seen no more; table rule_run, what the
 * last run of each rule cost and found. Reading (hits_look) needs no lock; only storing is a transaction. */
#pragma once
#include "prove/rule.h"

ZB_MUST int hits_init(struct db *db, struct zb_err *e);

#define HITS_OF_RULE 20000 /* more of one rule say something of the rule: it fails and its hits stay as they were */
struct hits;               /* what one run found */
/* Runs every rule. site 0: the province; else this mine alone. A rule that fails is told in rule_run and spoils no other. */
ZB_MUST int hits_look(struct db *db, const struct policy *p, int64_t site, struct hits **ret, struct zb_err *e);
void hits_free(struct hits *h);
struct hits_sum {
    int found, fresh, ended, failed;
    zb_time ms;
    char trouble[480]; /* the first that failed */
};
/* In a transaction of its own: what is seen again stays, what is new begins, what is not seen ends. */
ZB_MUST int hits_store(struct db *db, const struct policy *p, const struct hits *h, zb_time now, struct hits_sum *ret, struct zb_err *e);
/* The mine of a record, by the journal's name of it ("major_hazard/12"); "" none. */
ZB_MUST int hits_mine(struct db *db, const struct policy *p, const char *subject, char mine[24], struct zb_err *e);
/* The site record of a mine's code; 0 none. */
ZB_MUST int hits_site(struct db *db, const struct policy *p, struct str mine, int64_t *site, struct zb_err *e);
