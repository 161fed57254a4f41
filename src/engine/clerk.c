/* The clerk: once a second it steps the clocks of records that are due, and writes their notices. */
#include "engine/inside.h"
#include "ledger/ledger.h"
#include "notify/notify.h"
#include <stdio.h>

/* A step of a ladder that says: notice. */
static int notice_put(void *arg, struct db *db, const struct lnotice *n, zb_time now, struct zb_err *e) {
    (void)arg;
    char subject[120], body[2000], body_en[2000];
    snprintf(subject, sizeof subject, "%s/%lld", n->ledger, (long long)n->id);
    snprintf(body, sizeof body, "%s %s\n%s", n->no, n->title, n->zh);
    snprintf(body_en, sizeof body_en, "%s %s\n%s", n->no, n->title, n->en);
    struct notice out = {n->dedup, subject, n->area, n->zh, n->en, body, body_en, n->urgent};
    return notify_put(db, &out, now, e);
}

static void *run(void *arg) {
    struct engine *en = arg;
    for (;;) {
        pthread_mutex_lock(&en->clerk_lock);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        while (!en->clerk_stop && pthread_cond_timedwait(&en->clerk_wake, &en->clerk_lock, &until) == 0) {}
        bool stop = en->clerk_stop;
        pthread_mutex_unlock(&en->clerk_lock);
        if (stop) return NULL;
        clerk_step(en, zb_now());
    }
}

void clerk_step(struct engine *en, zb_time now) {
    struct zb_err e;
    int did = 0;
    struct policy *p = engine_policy(en);
    struct db *w = engine_writer(en);
    int rc = ledger_clocks(w, p, en->dir, now, 200, notice_put, en, &did, &e);
    engine_writer_back(en);
    if (rc == ZB_OK) rc = notify_step(en->clerk_db, p, now, channel_send, NULL, &did, &e);
    policy_unref(p);
    if (rc != ZB_OK) log_event("event=clock_failed reason=\"%s\" next=\"tried again in a second\"", e.msg);
}

int clerk_start(struct engine *en, struct zb_err *e) {
    char path[600];
    records_path(en->dir, path, sizeof path);
    if (db_open(path, DB_WRITE, &en->clerk_db, e) != ZB_OK) return e->rc; /* sending is slow: not under the writers' lock */
    if (pthread_create(&en->clerk, NULL, run, en) != 0) return zb_fail(e, ZB_E_IO, "cannot start the clerk's thread");
    en->clerking = true;
    return ZB_OK;
}

void clerk_stop(struct engine *en) {
    if (!en->clerking) return;
    pthread_mutex_lock(&en->clerk_lock);
    en->clerk_stop = true;
    pthread_cond_signal(&en->clerk_wake);
    pthread_mutex_unlock(&en->clerk_lock);
    pthread_join(en->clerk, NULL);
    en->clerking = false;
}
