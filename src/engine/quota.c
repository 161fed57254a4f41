/* No mine can starve the others: each has a rate it may keep up, a share of what lies between door and judge, and backlogs together have one, so
 * that what is live never stands behind them. Whoever is over is told to wait before its bytes are read, decoded or written. */
#include "engine/inside.h"
#include <math.h>

static void refill(struct quota *q, const struct intake_rule *r, zb_time now) {
    double s = (double)(now - q->at) / 1000;
    if (!q->at || s < 0) s = q->at ? 0 : INFINITY; /* the first time, with everything saved up; a clock set back gives nothing */
    q->files = fmin((double)r->files_most, q->files + s * (double)r->files);
    q->bytes = fmin((double)r->bytes_most, q->bytes + s * (double)r->bytes);
    q->at = now;
}

static bool fits(int64_t held, int64_t n, int64_t share) { return !held || held + n <= share; }

/* Under q_lock. */
static int seconds(const struct engine *en, const struct intake_rule *r, struct mine *m, bool backlog, int64_t n, zb_time now) {
    struct quota *q = &m->quota;
    if (!r->files) return 0;
    refill(q, r, now);
    double least = fmin((double)n, (double)r->bytes_most), s = 0; /* one larger than may be saved up waits for a full store */
    if (q->files < 1) s = (1 - q->files) / (double)r->files;
    if (q->bytes < least) s = fmax(s, (least - q->bytes) / (double)r->bytes);
    if (s > 0) return s < 3600 ? (int)ceil(s) : 3600;
    return fits(q->held, n, r->mine_share) && (!backlog || fits(en->held_backlog, n, r->backlog_share)) ? 0 : 1;
}

static bool is_backlog(const struct intake_rule *r, zb_time sent, zb_time now) { return r->files && sent != ZB_TIME_NONE && sent < now - r->live_within; }

struct upload_order upload_order_of(const struct policy *p, struct str mine, struct str name, zb_time now) {
    struct upload_name un = {.time = ZB_TIME_NONE};
    struct zb_err ignored;
    if (upload_name_parse(p, name, mine, &un, &ignored) != ZB_OK || !is_backlog(&p->intake, un.time, now)) return (struct upload_order){0, un.time};
    bool defines = un.format[0]->has & 1u << FACT_DEFINE && !(un.format[0]->has & 1u << FACT_SAMPLE);
    return defines ? (struct upload_order){1, un.time} : (struct upload_order){2, -un.time};
}

int upload_order_cmp(const struct upload_order *a, const struct upload_order *b) {
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    return a->t < b->t ? -1 : a->t > b->t;
}

static void told(struct mine *m, zb_time now) {
    m->quota.waits++;
    m->quota.waited = now;
}

int quota_take(struct engine *en, const struct intake_rule *r, struct mine *m, zb_time sent, size_t bytes, struct hold *ret, int *wait, struct zb_err *e) {
    zb_time now = zb_now();
    bool backlog = is_backlog(r, sent, now);
    int64_t n = (int64_t)bytes;
    pthread_mutex_lock(&en->q_lock);
    *wait = seconds(en, r, m, backlog, n, now);
    if (*wait) {
        told(m, now);
    } else {
        m->quota.files -= 1;
        m->quota.bytes -= (double)n;
        *ret = (struct hold){m, n, backlog ? n : 0};
        m->quota.held += ret->bytes;
        en->held_backlog += ret->backlog;
    }
    pthread_mutex_unlock(&en->q_lock);
    if (!*wait) return ZB_OK;
    return zb_fail(e, ZB_E_BUSY, "mine %s sends more than its share%s: send this file again after %d s", m->code,
                   backlog ? " (a backlog stands behind what is live)" : "", *wait);
}

void quota_give(struct engine *en, struct hold *h) {
    if (h->mine) h->mine->quota.held -= h->bytes;
    en->held_backlog -= h->backlog;
    *h = (struct hold){0};
}

int engine_wait(struct engine *en, struct str mine, struct str name, size_t bytes) {
    struct upload_name un;
    struct zb_err ignored;
    struct mine *m = mine_resolve(en, mine);
    struct policy *p = engine_policy(en);
    zb_time now = zb_now();
    bool backlog = upload_name_parse(p, name, mine, &un, &ignored) == ZB_OK && is_backlog(&p->intake, un.time, now);
    pthread_mutex_lock(&en->q_lock);
    int wait = seconds(en, &p->intake, m, backlog, (int64_t)bytes, now);
    if (wait) told(m, now);
    pthread_mutex_unlock(&en->q_lock);
    policy_unref(p);
    return wait;
}
