/* A data directory that is not being served takes over a past told in files, and its rules can be asked what they find on the last day of it. */
#include "engine/inside.h"
#include "ledger/ledger.h"
#include "prove/rule.h"

static int rules_ask(struct engine *en, zb_time until, rule_hit_fn *fn, void *arg, struct zb_err *e) {
    int rc = db_clock(en->db, until, e);
    for (int i = 0; i < en->policy->rules && rc == ZB_OK; i++) rc = rule_run(en->db, en->policy->rule[i], 0, fn, arg, e);
    struct zb_err e2;
    int rc2 = db_clock(en->db, ZB_TIME_NONE, &e2);
    return rc != ZB_OK ? rc : rc2;
}

int engine_past(const char *dir, const char *folder, zb_time until, FILE *progress, rule_hit_fn *fn, void *arg, struct past_result *ret, struct zb_err *e) {
    struct engine *en = engine_make(dir);
    *ret = (struct past_result){0};
    int rc = lock_dir(en, e) == ZB_OK && open_stores(en, NULL, e) == ZB_OK ? ledger_migrate(en->writer, en->policy, zb_now(), e) : e->rc;
    if (rc == ZB_OK) rc = ledger_past_load(en->writer, en->policy, dir, folder, until, progress, ret, e);
    if (rc == ZB_OK && fn) rc = rules_ask(en, until, fn, arg, e);
    engine_free(en);
    return rc;
}
