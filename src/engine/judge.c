/* The judge's thread: inputs in the order of the log, timers between them, findings stored in groups, checkpoints in small portions.
 * Whatever storage failure meets it, it keeps what it found, tells the trouble and tries again; the inputs are safe in the fact log. */
#include "engine/inside.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUEUE_BYTES_MAX (64 << 20)
#define GROUP_MAX 64 /* inputs judged before their findings are stored together */
#define FLUSH_EVERY (10 * ZB_SECOND)
#define FLUSH_SAMPLES 2000000
#define TIMERS_EVERY 200
#define CHECKPOINT_EVERY ZB_SECOND
#define CHECKPOINT_ROUND 300 /* seconds in which every mine gets its turn */

void job_free(struct job *j) {
    if (!j) return;
    if (j->arena) arena_free(j->arena);
    free(j->bytes);
    free(j);
}

static void trouble_set(struct engine *en, const char *text) {
    pthread_mutex_lock(&en->trouble_lock);
    bool news = strcmp(en->trouble, text) != 0;
    snprintf(en->trouble, sizeof en->trouble, "%s", text);
    pthread_mutex_unlock(&en->trouble_lock);
    if (news && text[0]) log_event("event=storage_trouble text=\"%s\"", text);
}

/* From here until it is judged (or dropped) no timer runs past its time: replay steps it in this same order. */
void job_stamp(struct engine *en, struct job *j) {
    pthread_mutex_lock(&en->q_lock);
    zb_time now = zb_now();
    if (now < en->stamped) now = en->stamped; /* a clock set back does not turn the order round */
    en->stamped = j->received = now;
    j->before = en->fly_last;
    if (en->fly_last)
        en->fly_last->after = j;
    else
        en->fly_first = j;
    en->fly_last = j;
    j->flying = true;
    pthread_mutex_unlock(&en->q_lock);
}

static void land(struct engine *en, struct job *j) { /* under q_lock */
    if (!j->flying) return;
    if (j->before)
        j->before->after = j->after;
    else
        en->fly_first = j->after;
    if (j->after)
        j->after->before = j->before;
    else
        en->fly_last = j->before;
    j->flying = false;
}

void job_drop(struct engine *en, struct job *j) {
    pthread_mutex_lock(&en->q_lock);
    land(en, j);
    quota_give(en, &j->hold);
    pthread_mutex_unlock(&en->q_lock);
    job_free(j);
}

void judge_room(struct engine *en) {
    pthread_mutex_lock(&en->q_lock);
    while (en->queue_bytes > QUEUE_BYTES_MAX && !en->stop) pthread_cond_wait(&en->q_less, &en->q_lock);
    pthread_mutex_unlock(&en->q_lock);
}

void ticket_take(struct ticket *t, struct job *j) {
    pthread_cond_init(&t->wake, NULL);
    t->under_way = true;
    t->done = false;
    j->ticket = t;
}

static void tell(struct job *j, int rc, const struct zb_err *e) { /* under q_lock */
    struct ticket *t = j->ticket;
    if (!t) return;
    j->ticket = NULL;
    t->rc = rc;
    if (rc != ZB_OK) t->err = *e;
    t->seq = j->seq;
    t->done = true;
    pthread_cond_signal(&t->wake);
}

/* The log's thread brings what is in the log, in its order; what is not goes behind all that is queued. */
void judge_queue(struct engine *en, struct job *j) {
    pthread_mutex_lock(&en->q_lock);
    j->next = NULL;
    if (en->tail)
        en->tail->next = j;
    else
        en->head = j;
    en->tail = j;
    en->queue++;
    en->queue_bytes += (int64_t)j->size;
    if (!j->till_judged) tell(j, ZB_OK, NULL); /* queued first: whoever then settles finds it judged */
    pthread_cond_signal(&en->q_more);
    pthread_mutex_unlock(&en->q_lock);
}

void ticket_tell(struct engine *en, struct job *j, int rc, const struct zb_err *e) {
    pthread_mutex_lock(&en->q_lock);
    tell(j, rc, e);
    pthread_mutex_unlock(&en->q_lock);
}

int ticket_wait(struct engine *en, struct ticket *t, struct zb_err *e) {
    if (!t->under_way) return ZB_OK;
    pthread_mutex_lock(&en->q_lock);
    while (!t->done) pthread_cond_wait(&t->wake, &en->q_lock);
    pthread_mutex_unlock(&en->q_lock);
    pthread_cond_destroy(&t->wake);
    t->under_way = false;
    if (t->rc != ZB_OK) *e = t->err;
    return t->rc;
}

/* Takes up to GROUP_MAX jobs, waiting at most until the next timer; not at all when there is other work. */
static struct job *jobs_take(struct engine *en, bool busy, bool *stop, zb_time *horizon) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 250000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&en->q_lock);
    while (!en->head && !en->stop && !busy)
        if (pthread_cond_timedwait(&en->q_more, &en->q_lock, &until) == ETIMEDOUT) break;
    struct job *first = en->head, *last = NULL;
    for (int n = 0; en->head && n < GROUP_MAX; n++) {
        last = en->head;
        en->head = last->next;
    }
    if (last) last->next = NULL;
    if (!en->head) en->tail = NULL;
    *stop = en->stop;
    zb_time now = zb_now();
    if (now > en->stamped) en->stamped = now; /* nothing may be stamped before a timer that ran */
    *horizon = en->fly_first ? en->fly_first->received : en->stamped;
    pthread_mutex_unlock(&en->q_lock);
    return first;
}

static void jobs_done(struct engine *en, struct job *first) {
    pthread_mutex_lock(&en->q_lock);
    for (struct job *j = first, *next; j; j = next) {
        next = j->next;
        en->queue--;
        land(en, j);
        quota_give(en, &j->hold);
        en->queue_bytes -= (int64_t)j->size;
        tell(j, ZB_OK, NULL);
        job_free(j);
    }
    pthread_cond_broadcast(&en->q_less);
    pthread_mutex_unlock(&en->q_lock);
}

static bool stopping(struct engine *en) {
    pthread_mutex_lock(&en->q_lock);
    bool s = en->stop;
    pthread_mutex_unlock(&en->q_lock);
    return s;
}

/* true: try again. Gives up only when told to stop: the fact log has everything. */
static bool again(struct engine *en, const struct zb_err *e) {
    trouble_set(en, e->msg);
    if (stopping(en)) return false;
    nanosleep(&(struct timespec){0, 200000000}, NULL);
    return true;
}

static bool step_one(struct engine *en, struct job *j) {
    struct zb_err e;
    switch (j->kind) {
    case JOB_REFUSED: refused_add(en, j->mine ? j->mine->code : "", j->name, j->origin, j->reason, j->received); return true;
    case JOB_SETTLE: return true;
    default: break;
    }
    while (batch_step(en, j, true, true, &e) != ZB_OK)
        if (!again(en, &e)) return false;
    return true;
}

static bool store_group(struct engine *en) {
    struct zb_err e;
    while (findings_store(en, zb_now(), &e) != ZB_OK)
        if (!again(en, &e)) return false;
    trouble_set(en, "");
    return true;
}

/* Judging a mine's past again takes tens of milliseconds, and after a cut all mines want it at once: one a round, so that live files come between.
 * True: others are left. */
static bool timers_run(struct engine *en, zb_time now) {
    bool judged = false, left = false;
    zb_time from;
    for (size_t i = 0; i < en->mines.cap; i++) {
        struct mine *m = en->mines.slot[i].key ? en->mines.slot[i].val : NULL;
        if (!m) continue;
        bool late = mine_late(m->state, &from) <= now;
        if (late && judged) {
            left = true;
            continue;
        }
        judged |= late;
        mine_step_tick(en, m, now);
    }
    return left;
}

int judge_settle(struct engine *en, bool checkpoint, struct zb_err *e) {
    if (findings_store(en, zb_now(), e) != ZB_OK) return e->rc;
    if (en->unflushed || en->flushed != en->input) {
        if (series_flush(en->series, en->input, e) != ZB_OK) return e->rc;
        en->unflushed = 0;
        en->flushed = en->input;
    }
    en->flushed_at = zb_now();
    if (feeds_store(en, e) != ZB_OK) return e->rc;
    return checkpoint && en->mines.n ? findings_checkpoint(en, en->mines.cap, e) : ZB_OK;
}

/* Now and then: the series to disk, some mines' checkpoints. */
static void housekeeping(struct engine *en, bool settle, zb_time now) {
    struct zb_err e;
    if (settle && judge_settle(en, false, &e) != ZB_OK) trouble_set(en, e.msg);
    if (en->unflushed > FLUSH_SAMPLES || (en->unflushed && now - en->flushed_at > FLUSH_EVERY)) {
        en->flushed_at = now;
        en->unflushed = 0;
        if (series_flush_some(en->series, en->input, &e) != ZB_OK) trouble_set(en, e.msg);
    }
    if (feeds_due(en, now)) {
        en->fed_at = now;
        if (feeds_store(en, &e) != ZB_OK) trouble_set(en, e.msg);
    }
    if (now - en->checkpoint_at < CHECKPOINT_EVERY || !en->mines.n) return;
    en->checkpoint_at = now;
    if (findings_checkpoint(en, en->mines.n / CHECKPOINT_ROUND + 4, &e) != ZB_OK) trouble_set(en, e.msg);
}

static void *judge_main(void *arg) {
    pthread_setname_np(pthread_self(), "judge");
    struct engine *en = arg;
    bool stop = false, given_up = false, more = false;
    zb_time timers_at = 0, horizon;
    for (;;) {
        struct job *first = jobs_take(en, more, &stop, &horizon);
        if (!first && stop) return NULL;
        bool settle = false;
        for (struct job *j = first; j && !given_up; j = j->next) {
            settle |= j->kind == JOB_SETTLE;
            given_up = !step_one(en, j);
        }
        zb_time now = zb_now();
        pthread_rwlock_rdlock(&en->mines_lock);
        bool left = false;
        if (now - timers_at >= TIMERS_EVERY && !given_up) {
            left = timers_run(en, horizon);
            timers_at = left ? 0 : now;
        }
        if (!given_up) given_up = !store_group(en);
        if (!given_up) housekeeping(en, settle, now);
        if (!given_up) more = night_step(en, now, !first) || left;
        pthread_rwlock_unlock(&en->mines_lock);
        jobs_done(en, first);
    }
}

int judge_start(struct engine *en, struct zb_err *e) {
    if (pthread_create(&en->judge, NULL, judge_main, en)) return zb_fail(e, ZB_E_IO, "cannot start the judge's thread");
    en->judging = true;
    return ZB_OK;
}

void judge_stop(struct engine *en) {
    if (!en->judging) return;
    pthread_mutex_lock(&en->q_lock);
    en->stop = true;
    pthread_cond_broadcast(&en->q_more);
    pthread_cond_broadcast(&en->q_less);
    pthread_mutex_unlock(&en->q_lock);
    pthread_join(en->judge, NULL);
    en->judging = false;
}

void engine_settle(struct engine *en) {
    struct job *j = xcalloc(1, sizeof *j);
    struct ticket t = {0};
    struct zb_err e;
    j->kind = JOB_SETTLE;
    j->till_judged = true;
    ticket_take(&t, j);
    judge_queue(en, j);
    if (ticket_wait(en, &t, &e) != ZB_OK) ZB_BUG("settling cannot fail");
}

void engine_stats(struct engine *en, struct engine_stat *ret) {
    *ret = (struct engine_stat){0};
    pthread_mutex_lock(&en->q_lock);
    ret->queue = en->queue;
    ret->queue_bytes = en->queue_bytes;
    ret->lag = en->head ? zb_now() - en->head->received : 0;
    pthread_mutex_unlock(&en->q_lock);
    int used = disk_used(en->dir, &ret->disk_free), judged = __atomic_load_n(&en->disk, __ATOMIC_RELAXED);
    ret->disk_used = judged < 0 ? used : judged; /* what uploads are admitted by */
    ret->inputs = raw_last(en->raw);
    raw_stats(en->raw, &ret->raw);
    pthread_mutex_lock(&en->trouble_lock);
    snprintf(ret->trouble, sizeof ret->trouble, "%s", en->trouble);
    pthread_mutex_unlock(&en->trouble_lock);
}
