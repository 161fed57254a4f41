/* The prover's thread: figures follow changed records within a second, and month-ends are kept when nothing else waits. */
#include "engine/inside.h"
#include "prove/prove.h"
#include <stdio.h>

enum { PERIOD_MS = 500 };

static bool wait_or_stop(struct engine *en) {
    struct timespec until;
    pthread_mutex_lock(&en->prove_lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PERIOD_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!en->prove_stop && pthread_cond_timedwait(&en->prove_wake, &en->prove_lock, &until) == 0) {}
    bool stop = en->prove_stop;
    pthread_mutex_unlock(&en->prove_lock);
    return stop;
}

static int step(struct engine *en, bool months, struct zb_err *e) {
    struct policy *p = engine_policy(en);
    char before[400];
    int did, rc;
    str_copy(str_of(prover_trouble(en->prover)), before, sizeof before);
    rc = prover_step(en->prover, p, zb_now(), &did, e);
    if (rc == ZB_OK && !did && months) rc = prover_month(en->prover, p, zb_now(), &did, e);
    policy_unref(p);
    const char *trouble = prover_trouble(en->prover);
    if (trouble[0] && strcmp(trouble, before)) log_event("event=figure_failed reason=\"%s\" next=\"it is shown as missing\"", trouble);
    return rc;
}

static void *run(void *arg) {
    struct engine *en = arg;
    struct zb_err e;
    bool told = false;
    while (!wait_or_stop(en)) {
        bool bad = step(en, true, &e) != ZB_OK;
        if (bad && !told) log_event("event=figures_failed reason=\"%s\" next=\"tried again in a second\"", e.msg);
        told = bad;
    }
    return NULL;
}

static int proving_open(struct engine *en, struct zb_err *e) {
    char path[600];
    records_path(en->dir, path, sizeof path);
    return prover_open(path, &en->prover, e);
}
int proving_start(struct engine *en, struct zb_err *e) {
    if (proving_open(en, e) != ZB_OK) return e->rc;
    if (pthread_create(&en->prove_thread, NULL, run, en) != 0) return zb_fail(e, ZB_E_IO, "cannot start the prover's thread");
    en->proving = true;
    return ZB_OK;
}
void proving_stop(struct engine *en) {
    if (en->proving) {
        pthread_mutex_lock(&en->prove_lock);
        en->prove_stop = true;
        pthread_cond_signal(&en->prove_wake);
        pthread_mutex_unlock(&en->prove_lock);
        pthread_join(en->prove_thread, NULL);
        en->proving = false;
    }
    prover_close(en->prover);
    en->prover = NULL;
}

/* Where nothing is served no thread follows: whoever looks brings the figures up to date first. */
int engine_figures(struct engine *en, struct zb_err *e) {
    if (en->proving) return ZB_OK;
    if (!en->prover && proving_open(en, e) != ZB_OK) return e->rc;
    return step(en, false, e);
}
void engine_records(const struct engine *en, char *out, size_t cap) { records_path(en->dir, out, cap); }
