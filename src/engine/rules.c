/* Rules over the ledgers, on a thread of their own: the province every night, a mine soon after something of it changed. Reminders become notices, clues and
 * measures drafts of records; everything else an officer takes up from the list. */
#include "engine/inside.h"
#include "ledger/ledger.h"
#include "notify/notify.h"
#include "prove/hit.h"
#include <stdio.h>
#include <stdlib.h>

#define NIGHT_HOUR 1     /* Beijing; the day's dates are reached */
#define MINES_AT_ONCE 20 /* more changed mines than this: the province in one go */
#define CHANGES_AT_ONCE 2000

/* ---- what follows a hit ---- */
struct follow_hit {
    int64_t id, site;
    char rule[40], area[24], mine[24];
    double score;
    bool shadow;
    zb_time first;
    char zh[2000], en[2000], *evidence;
};

static json_t *value_of(const struct policy *p, const struct follow *f, const struct follow_hit *h, enum follow_value v, zb_time now) {
    const struct rule *u = policy_rule(p, str_of(h->rule));
    char t[ZB_TIME_CAP];
    switch (v) {
    case FOLLOW_SITE: return h->site ? json_integer(h->site) : NULL;
    case FOLLOW_AREA: return h->site || !h->area[0] ? NULL : json_string(h->area);
    case FOLLOW_RULE: return json_string(h->rule);
    case FOLLOW_NOW: return json_string(zb_time_text(now, t));
    case FOLLOW_SCORE: return json_real(h->score / 100);
    case FOLLOW_ZH: return json_string(h->zh);
    case FOLLOW_EN: return json_string(h->en);
    case FOLLOW_EVIDENCE: return json_string(h->evidence);
    case FOLLOW_SHADOW: return json_boolean(h->shadow);
    case FOLLOW_MEANS: {
        struct str rest = str_of(u ? u->means : "");
        while (rest.p && rest.n) {
            struct str w = str_cut(rest, ' ', &rest);
            if (word_in(f->means, w)) return json_stringn(w.p, w.n);
        }
        return json_string(f->usual);
    }
    default: return NULL;
    }
}

static int record_new(struct engine *en, struct db *w, struct policy *p, const struct follow *f, const struct follow_hit *h, zb_time now, struct zb_err *e) {
    struct lcall c = {.db = w, .policy = p, .l = &p->ledger[f->to_ledger], .now = now, .arena = arena_new((size_t)4 << 20), .dir = en->dir};
    struct lchange ch = {.values = json_object(), .at = ZB_TIME_NONE, .why = str_of(h->rule)};
    int64_t id;
    bool done;
    for (int i = 0; i < f->sets; i++) {
        json_t *v = value_of(p, f, h, f->set[i].value, now);
        if (v) json_object_set_new(ch.values, f->set[i].field, v);
    }
    int rc = ledger_change_in(&c, &ch, &id, &done, e);
    json_decref(ch.values);
    arena_free(c.arena);
    return rc;
}

static int mark(struct db *w, int64_t id, int followed, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(w, "update hit set followed=?2 where id=?1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    stmt_i64(q, 2, followed);
    return stmt_run(q, e);
}

static int hit_read(struct db *w, int64_t id, struct follow_hit *h, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(w, "select rule,site,area,mine,score,shadow,first_seen,zh,en,evidence from hit where id=?1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : zb_fail(e, ZB_E_ABSENT, "hit %lld", (long long)id);
    *h =
        (struct follow_hit){.id = id, .site = stmt_col_i64(q, 1), .score = stmt_col_real(q, 4), .shadow = stmt_col_i64(q, 5) != 0, .first = stmt_col_i64(q, 6)};
    str_copy(stmt_col_text(q, 0), h->rule, sizeof h->rule);
    str_copy(stmt_col_text(q, 2), h->area, sizeof h->area);
    str_copy(stmt_col_text(q, 3), h->mine, sizeof h->mine);
    str_copy(stmt_col_text(q, 7), h->zh, sizeof h->zh);
    str_copy(stmt_col_text(q, 8), h->en, sizeof h->en);
    struct str ev = stmt_col_text(q, 9);
    h->evidence = xstrndup(ev.p, ev.n);
    return ZB_OK;
}

/* Ids of hits of this action that stand and were not followed, by rule. */
static int waiting(struct db *w, const char *action, int64_t **ret, int *n, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(w,
               "select id from hit where followed=0 and action=?1 and ended is null and unknown=0 and excused_zh is null order by rule,area,mine,id "
               "limit 20000",
               e);
    if (!q) return e->rc;
    stmt_z(q, 1, action);
    int r, cap = 0;
    *n = 0;
    *ret = NULL;
    while ((r = stmt_row(q, e)) == 1) {
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 64) * sizeof **ret);
        (*ret)[(*n)++] = stmt_col_i64(q, 0);
    }
    return r;
}

/* One hit's record, whole or not at all; what cannot be written stays in the list and is not tried for ever. */
static int record_follow(struct engine *en, struct policy *p, const struct follow *f, int64_t id, char rule[40], int *of_rule, zb_time now, struct zb_err *e) {
    struct db *w = engine_writer(en);
    struct follow_hit h = {0};
    struct zb_err why;
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        rc = hit_read(w, id, &h, e);
        if (rc == ZB_OK && strcmp(rule, h.rule)) {
            str_copy(str_of(h.rule), rule, 40);
            *of_rule = 0;
        }
        bool wait = rc == ZB_OK && ++*of_rule > f->per_run, nobody = rc == ZB_OK && !h.site && !h.area[0], quiet = h.shadow && f == &p->follow.measure;
        int done = rc != ZB_OK || wait ? 0 : nobody || quiet ? 2 : 1;
        if (done == 1 && record_new(en, w, p, f, &h, now, &why) != ZB_OK) {
            db_rollback(w);
            rc = db_begin(w, e);
            done = 3;
            log_event("event=hit_not_followed rule=%s hit=%lld reason=\"%s\"", h.rule, (long long)id, why.msg);
        }
        if (rc == ZB_OK && done) rc = mark(w, id, done, e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK && db_in_tx(w)) db_rollback(w);
    }
    engine_writer_back(en);
    free(h.evidence);
    return rc;
}

static int records_follow(struct engine *en, struct policy *p, const char *action, const struct follow *f, zb_time now, struct zb_err *e) {
    int64_t *id;
    int n, of_rule = 0;
    char rule[40] = "";
    struct db *w = engine_writer(en);
    int rc = waiting(w, action, &id, &n, e);
    engine_writer_back(en);
    for (int i = 0; i < n && rc == ZB_OK; i++) rc = record_follow(en, p, f, id[i], rule, &of_rule, now, e);
    free(id);
    return rc;
}

/* Reminders of one rule to one mine (or area) are one notice. */
struct notice_of {
    char rule[40], area[24], mine[24];
    int64_t first_id;
    int n;
    struct buf body, body_en;
};

static int notice_send(struct db *w, const struct policy *p, struct notice_of *x, zb_time now, struct zb_err *e) {
    const struct rule *u = policy_rule(p, str_of(x->rule));
    if (!x->n || !u) return ZB_OK;
    char dedup[160], subject[60], title[300], title_en[300];
    snprintf(dedup, sizeof dedup, "rule/%s/%s/%s/%lld/%d", x->rule, x->area, x->mine, (long long)x->first_id, x->n);
    snprintf(subject, sizeof subject, "hit/%lld", (long long)x->first_id);
    snprintf(title, sizeof title, "%s %s（%d）", u->id, u->zh, x->n);
    snprintf(title_en, sizeof title_en, "%s %s (%d)", u->id, u->en, x->n);
    struct notice out = {dedup, subject, x->area, title, title_en, buf_str(&x->body).p, buf_str(&x->body_en).p, false};
    int rc = notify_put(w, &out, now, e);
    x->n = 0;
    buf_clear(&x->body);
    buf_clear(&x->body_en);
    return rc;
}

static int reminders_put(struct db *w, const struct policy *p, const int64_t *id, int n, zb_time now, struct zb_err *e) {
    struct notice_of x = {0};
    int rc = ZB_OK;
    buf_init(&x.body, 64 << 10);
    buf_init(&x.body_en, 64 << 10);
    for (int i = 0; i < n && rc == ZB_OK; i++) {
        struct follow_hit h;
        if ((rc = hit_read(w, id[i], &h, e)) != ZB_OK) break;
        if (strcmp(h.rule, x.rule) || strcmp(h.area, x.area) || strcmp(h.mine, x.mine)) {
            rc = notice_send(w, p, &x, now, e);
            str_copy(str_of(h.rule), x.rule, sizeof x.rule);
            str_copy(str_of(h.area), x.area, sizeof x.area);
            str_copy(str_of(h.mine), x.mine, sizeof x.mine);
        }
        if (!h.shadow && h.area[0]) {
            if (!x.n++) x.first_id = h.id;
            if (x.n <= p->follow.told) {
                buf_printf(&x.body, "%s\n", h.zh);
                buf_printf(&x.body_en, "%s\n", h.en);
            }
        }
        if (rc == ZB_OK) rc = mark(w, h.id, 1, e);
        free(h.evidence);
    }
    if (rc == ZB_OK) rc = notice_send(w, p, &x, now, e);
    buf_done(&x.body);
    buf_done(&x.body_en);
    return rc;
}

static int reminders_follow(struct engine *en, struct policy *p, zb_time now, struct zb_err *e) {
    int64_t *id;
    int n;
    struct db *w = engine_writer(en);
    int rc = waiting(w, RULE_ACTION_KEY[RULE_REMINDER], &id, &n, e);
    if (rc == ZB_OK && n) {
        rc = db_begin(w, e);
        if (rc == ZB_OK && (rc = reminders_put(w, p, id, n, now, e)) == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK && db_in_tx(w)) db_rollback(w);
    }
    engine_writer_back(en);
    free(id);
    return rc;
}

/* ---- runs ---- */
int engine_rules_run(struct engine *en, struct db *look, int64_t site, zb_time now, struct hits_sum *ret, struct zb_err *e) {
    struct policy *p = engine_policy(en);
    struct hits *h = NULL;
    *ret = (struct hits_sum){0};
    int rc = hits_look(look, p, site, &h, e);
    if (rc == ZB_OK) {
        struct db *w = engine_writer(en);
        rc = hits_store(w, p, h, now, ret, e);
        engine_writer_back(en);
    }
    hits_free(h);
    if (rc == ZB_OK) rc = reminders_follow(en, p, now, e);
    if (rc == ZB_OK) rc = records_follow(en, p, RULE_ACTION_KEY[RULE_CLUE], &p->follow.clue, now, e);
    if (rc == ZB_OK) rc = records_follow(en, p, RULE_ACTION_KEY[RULE_MEASURE], &p->follow.measure, now, e);
    policy_unref(p);
    return rc;
}

/* Mines of which the journal says something changed since `*seq`; *many: too many to look at one by one. */
struct changed {
    char mine[MINES_AT_ONCE][24];
    int n;
    bool many;
};

static void changed_add(struct changed *c, struct str mine) {
    for (int i = 0; i < c->n; i++)
        if (str_is(mine, c->mine[i])) return;
    if (!mine.n) return;
    if (c->n == MINES_AT_ONCE)
        c->many = true;
    else
        str_copy(mine, c->mine[c->n++], 24);
}

static int changed_read(struct db *db, const struct policy *p, int64_t *seq, struct changed *c, struct zb_err *e) {
    char(*subject)[120] = xmalloc(CHANGES_AT_ONCE * sizeof *subject);
    int n = 0, r;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select seq,subject from journal where seq>?1 order by seq limit 2000", e);
        if (!q) {
            free(subject);
            return e->rc;
        }
        stmt_i64(q, 1, *seq);
        while ((r = stmt_row(q, e)) == 1) {
            *seq = stmt_col_i64(q, 0);
            str_copy(stmt_col_text(q, 1), subject[n++], sizeof *subject);
        }
    }
    for (int i = 0; i < n && r == ZB_OK; i++) {
        char mine[24];
        r = hits_mine(db, p, subject[i], mine, e);
        if (r == ZB_OK) changed_add(c, str_of(mine));
    }
    if (n == CHANGES_AT_ONCE) c->many = true;
    free(subject);
    return r;
}

static int last_seq(struct db *db, int64_t *seq, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select coalesce(max(seq),0) from journal", e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    if (r == 1) *seq = stmt_col_i64(q, 0);
    return r < 0 ? r : ZB_OK;
}

struct ruler { /* what the thread remembers */
    int64_t seq;
    int32_t day; /* of the last run of the province; 0: none since the start */
    char policy[65];
    bool all; /* the province is asked for */
    zb_time all_at;
};

static int step(struct engine *en, struct ruler *x, zb_time now, struct zb_err *e) {
    struct policy *p = engine_policy(en);
    struct changed c = {0};
    struct hits_sum s;
    int rc = changed_read(en->rules_db, p, &x->seq, &c, e);
    int32_t today = zb_day_of(now);
    bool night = x->day != today && (now + 8 * ZB_HOUR) % ZB_DAY >= NIGHT_HOUR * ZB_HOUR;
    if (c.many || strcmp(x->policy, p->hash)) x->all = true;
    if (rc == ZB_OK && (night || (x->all && now - x->all_at > 10 * ZB_MINUTE))) {
        rc = engine_rules_run(en, en->rules_db, 0, now, &s, e);
        if (rc == ZB_OK) {
            log_event("event=rules_run found=%d new=%d ended=%d failed=%d ms=%lld trouble=\"%s\"", s.found, s.fresh, s.ended, s.failed, (long long)s.ms,
                      s.trouble);
            str_copy(str_of(p->hash), x->policy, sizeof x->policy);
            x->day = today;
            x->all = false;
            x->all_at = now;
        }
    } else if (!c.many) {
        for (int i = 0; i < c.n && rc == ZB_OK; i++) {
            int64_t site = 0;
            rc = hits_site(en->rules_db, p, str_of(c.mine[i]), &site, e);
            if (rc == ZB_OK && site) rc = engine_rules_run(en, en->rules_db, site, now, &s, e);
        }
    }
    policy_unref(p);
    return rc;
}

static void *run(void *arg) {
    struct engine *en = arg;
    struct ruler x = {.all = true, .all_at = 0};
    struct zb_err e;
    if (last_seq(en->rules_db, &x.seq, &e) != ZB_OK) log_event("event=rules_failed reason=\"%s\"", e.msg);
    for (;;) {
        pthread_mutex_lock(&en->rules_lock);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        while (!en->rules_stop && pthread_cond_timedwait(&en->rules_wake, &en->rules_lock, &until) == 0) {}
        bool stop = en->rules_stop;
        pthread_mutex_unlock(&en->rules_lock);
        if (stop) return NULL;
        if (step(en, &x, zb_now(), &e) != ZB_OK) log_event("event=rules_failed reason=\"%s\" next=\"tried again\"", e.msg);
    }
}

int rules_start(struct engine *en, struct zb_err *e) {
    char path[600];
    records_path(en->dir, path, sizeof path);
    if (db_open(path, DB_READ, &en->rules_db, e) != ZB_OK) return e->rc;
    if (pthread_create(&en->rules, NULL, run, en) != 0) return zb_fail(e, ZB_E_IO, "cannot start the rules' thread");
    en->ruling = true;
    return ZB_OK;
}

void rules_stop(struct engine *en) {
    if (!en->ruling) return;
    pthread_mutex_lock(&en->rules_lock);
    en->rules_stop = true;
    pthread_cond_signal(&en->rules_wake);
    pthread_mutex_unlock(&en->rules_lock);
    pthread_join(en->rules, NULL);
    en->ruling = false;
}
