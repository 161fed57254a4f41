/* A data directory that is not being served takes over a past told in files, and its rules can be asked what they find on the last day of it. */
#include "engine/inside.h"
#include "ledger/ledger.h"
#include "prove/prove.h"
#include "prove/rule.h"

/* Rules ask figures too: those of that day. */
static int figures_ask(struct engine *en, zb_time until, struct zb_err *e) {
    char path[600];
    struct prover *x;
    int did;
    records_path(en->dir, path, sizeof path);
    if (prover_open(path, &x, e) != ZB_OK) return e->rc;
    int rc = prover_step(x, en->policy, until, &did, e);
    prover_close(x);
    return rc;
}

static int rules_ask(struct engine *en, zb_time until, rule_hit_fn *fn, void *arg, struct zb_err *e) {
    if (figures_ask(en, until, e) != ZB_OK) return e->rc;
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
    if (rc == ZB_OK) rc = prove_migrate(en->writer, en->policy, e);
    if (rc == ZB_OK) rc = ledger_past_load(en->writer, en->policy, dir, folder, until, progress, ret, e);
    if (rc == ZB_OK) rc = db_survey(en->writer, e); /* so much came in that what the planner knew is worth nothing */
    if (rc == ZB_OK && fn) rc = rules_ask(en, until, fn, arg, e);
    engine_free(en);
    return rc;
}
