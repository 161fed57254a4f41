#include "prove/hit.h"
#include "base/map.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const MIGRATIONS[] = {
    "create table hit(id integer primary key, rule text not null, site integer not null, rec integer not null, key text not null, unknown integer not null, "
    "subject text not null, area text not null, mine text not null, since integer not null, score real not null, action text not null, shadow integer not "
    "null, "
    "excused_zh text, excused_en text, zh text not null, en text not null, evidence text not null, policy text not null, first_seen integer not null, "
    "last_seen "
    "integer not null, ended integer, times integer not null, followed integer not null, unique(rule,site,rec,key,unknown)) strict;"
    "create index hit_mine on hit(mine,id);"
    "create index hit_area on hit(area,id);"
    "create index hit_follow on hit(followed,action,rule,id);"
    "create table rule_run(rule text primary key, t integer not null, ms integer not null, found integer not null, excused integer not null, unknown integer "
    "not "
    "null, trouble text not null) strict;"};

int hits_init(struct db *db, struct zb_err *e) { return db_migrate(db, "hits", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e); }

struct one {
    struct rule_hit h; /* its texts in the arena */
};
struct ran {
    zb_time ms;
    int found, excused, unknown;
    char trouble[480];
};
struct hits {
    struct arena *arena;
    struct one *one;
    int n, cap;
    int of_rule;     /* of the one that runs */
    struct ran *ran; /* by the policy's rules */
    int64_t site;
};

static zb_time clock_ms(void) { return zb_now(); }

static int keep(void *arg, const struct rule_hit *h, struct zb_err *e) {
    struct hits *x = arg;
    if (++x->of_rule > HITS_OF_RULE) return zb_fail(e, ZB_E_LIMIT, "more than %d hits", HITS_OF_RULE);
    if (x->n == x->cap) x->one = xrealloc(x->one, (size_t)(x->cap = x->cap ? 2 * x->cap : 256) * sizeof *x->one);
    struct rule_hit k = *h;
    k.key = arena_str(x->arena, str_of(h->key));
    k.area = arena_str(x->arena, str_of(h->area));
    k.zh = arena_str(x->arena, str_of(h->zh));
    k.en = arena_str(x->arena, str_of(h->en));
    k.evidence = arena_str(x->arena, str_of(h->evidence));
    if (!k.evidence) return zb_fail(e, ZB_E_LIMIT, "a run found more than fits");
    x->one[x->n++].h = k;
    return ZB_OK;
}

int hits_look(struct db *db, const struct policy *p, int64_t site, struct hits **ret, struct zb_err *e) {
    if (!site && db_survey(db, e) != ZB_OK) return e->rc;
    struct hits *x = xcalloc(1, sizeof *x);
    x->arena = arena_new((size_t)512 << 20);
    x->ran = xcalloc((size_t)p->rules + 1, sizeof *x->ran);
    x->site = site;
    for (int i = 0; i < p->rules; i++) {
        struct zb_err why;
        int before = x->n;
        zb_time t = clock_ms();
        x->of_rule = 0;
        if (rule_run(db, p->rule[i], site, keep, x, &why) != ZB_OK) {
            str_copy(str_of(why.msg), x->ran[i].trouble, sizeof x->ran[i].trouble);
            x->n = before;
        }
        for (int k = before; k < x->n; k++) {
            const struct rule_hit *h = &x->one[k].h;
            ++*(h->unknown ? &x->ran[i].unknown : h->excused ? &x->ran[i].excused : &x->ran[i].found);
        }
        x->ran[i].ms = clock_ms() - t;
    }
    *ret = x;
    return ZB_OK;
}

void hits_free(struct hits *h) {
    if (!h) return;
    arena_free(h->arena);
    free(h->one);
    free(h->ran);
    free(h);
}

/* ---- storing ---- */
int hits_site(struct db *db, const struct policy *p, struct str mine, int64_t *site, struct zb_err *e) {
    char sql[200];
    snprintf(sql, sizeof sql, "select id from l_%s where \"%s\"=?1", p->site.ledger, p->site.code);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, e);
    if (!q) return e->rc;
    stmt_text(q, 1, mine);
    int r = stmt_row(q, e);
    *site = r == 1 ? stmt_col_i64(q, 0) : 0;
    return r < 0 ? r : ZB_OK;
}

int hits_mine(struct db *db, const struct policy *p, const char *subject, char mine[24], struct zb_err *e) {
    struct str id, key = str_cut(str_of(subject), '/', &id);
    int64_t rec;
    int l = policy_ledger(p, key);
    mine[0] = 0;
    if (l < 0 || p->ledger[l].view[0] || !id.p || !num_i64(id, 1, INT64_MAX, &rec)) return ZB_OK;
    char sql[120];
    snprintf(sql, sizeof sql, "select mine from l_%s where id=?1", p->ledger[l].key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, rec);
    int r = stmt_row(q, e);
    if (r == 1) str_copy(stmt_col_text(q, 0), mine, 24);
    return r < 0 ? r : ZB_OK;
}

struct place {
    char area[24], mine[24];
};
static int place_of(struct db *db, const struct policy *p, const struct rule_hit *h, struct place *ret, struct zb_err *e) {
    str_copy(str_of(h->area), ret->area, sizeof ret->area);
    ret->mine[0] = 0;
    if (!h->site) return ZB_OK;
    char sql[200];
    snprintf(sql, sizeof sql, "select area,\"%s\" from l_%s where id=?1", p->site.code, p->site.ledger);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, h->site);
    int r = stmt_row(q, e);
    if (r == 1) {
        str_copy(stmt_col_text(q, 0), ret->area, sizeof ret->area);
        str_copy(stmt_col_text(q, 1), ret->mine, sizeof ret->mine);
    }
    return r < 0 ? r : ZB_OK;
}

static int put(struct db *db, const struct policy *p, const struct rule_hit *h, zb_time now, bool *fresh, struct zb_err *e) {
    struct place at;
    if (place_of(db, p, h, &at, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(db,
               "insert into hit(rule,site,rec,key,unknown,subject,area,mine,since,score,action,shadow,excused_zh,excused_en,zh,en,evidence,policy,"
               "first_seen,last_seen,times,followed) values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?19,1,0) on "
               "conflict(rule,site,rec,key,unknown) do update set area=?7,mine=?8,score=?10,action=?11,shadow=?12,excused_zh=?13,excused_en=?14,"
               "zh=?15,en=?16,evidence=?17,policy=?18,last_seen=?19,"
               "since=case when hit.ended is null then hit.since else ?9 end,first_seen=case when hit.ended is null then hit.first_seen else ?19 end,"
               "times=case when hit.ended is null then hit.times else hit.times+1 end,"
               "followed=case when hit.ended is null and hit.action=?11 then hit.followed else 0 end,ended=null returning first_seen",
               e);
    if (!q) return e->rc;
    stmt_z(q, 1, h->rule->id);
    stmt_i64(q, 2, h->site);
    stmt_i64(q, 3, h->id);
    stmt_z(q, 4, h->key);
    stmt_i64(q, 5, h->unknown);
    stmt_z(q, 6, h->rule->subject);
    stmt_z(q, 7, at.area);
    stmt_z(q, 8, at.mine);
    stmt_i64(q, 9, h->since);
    stmt_real(q, 10, h->score);
    stmt_z(q, 11, RULE_ACTION_KEY[h->action]);
    stmt_i64(q, 12, h->rule->shadow);
    stmt_z(q, 13, h->excused ? h->excused->zh : NULL);
    stmt_z(q, 14, h->excused ? h->excused->en : NULL);
    stmt_z(q, 15, h->zh);
    stmt_z(q, 16, h->en);
    stmt_z(q, 17, h->evidence);
    stmt_z(q, 18, p->hash);
    stmt_time(q, 19, now);
    int r = stmt_row(q, e);
    if (r == 1) *fresh = stmt_col_i64(q, 0) == now;
    return r < 0 ? r : ZB_OK;
}

static int end_unseen(struct db *db, const char *rule, int64_t site, zb_time now, int *ended, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "update hit set ended=?2 where rule=?1 and ended is null and last_seen<?2 and (?3=0 or site=?3)", e);
    if (!q) return e->rc;
    stmt_z(q, 1, rule);
    stmt_time(q, 2, now);
    stmt_i64(q, 3, site);
    if (stmt_run(q, e) != ZB_OK) return e->rc;
    *ended += (int)db_changes(db);
    return ZB_OK;
}

static int ran_put(struct db *db, const char *rule, const struct ran *r, zb_time now, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db,
                            "insert into rule_run(rule,t,ms,found,excused,unknown,trouble) values(?1,?2,?3,?4,?5,?6,?7) on conflict(rule) do update set "
                            "t=?2,ms=?3,found=?4,excused=?5,unknown=?6,trouble=?7",
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, rule);
    stmt_time(q, 2, now);
    stmt_i64(q, 3, r->ms);
    stmt_i64(q, 4, r->found);
    stmt_i64(q, 5, r->excused);
    stmt_i64(q, 6, r->unknown);
    stmt_z(q, 7, r->trouble);
    return stmt_run(q, e);
}

/* Rules that left the policy say nothing any more. */
static int end_gone(struct db *db, const struct policy *p, zb_time now, int *ended, struct zb_err *e) {
    char gone[200][40];
    int n = 0, r;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select distinct rule from hit where ended is null", e);
        if (!q) return e->rc;
        while ((r = stmt_row(q, e)) == 1)
            if (!policy_rule(p, stmt_col_text(q, 0)) && n < 200) str_copy(stmt_col_text(q, 0), gone[n++], 40);
        if (r < 0) return r;
    }
    for (int i = 0; i < n; i++)
        if (end_unseen(db, gone[i], 0, now, ended, e) != ZB_OK) return e->rc;
    return ZB_OK;
}

static int store(struct db *db, const struct policy *p, const struct hits *h, zb_time now, struct hits_sum *s, struct zb_err *e) {
    for (int i = 0; i < h->n; i++) {
        bool fresh = false;
        if (put(db, p, &h->one[i].h, now, &fresh, e) != ZB_OK) return e->rc;
        s->fresh += fresh;
    }
    for (int i = 0; i < p->rules; i++) {
        const struct ran *r = &h->ran[i];
        if (!p->rule[i]->hit.text) continue;
        s->ms += r->ms;
        s->failed += r->trouble[0] != 0;
        if (r->trouble[0] && !s->trouble[0]) snprintf(s->trouble, sizeof s->trouble, "%s", r->trouble);
        if (!r->trouble[0] && end_unseen(db, p->rule[i]->id, h->site, now, &s->ended, e) != ZB_OK) return e->rc;
        if (!h->site && ran_put(db, p->rule[i]->id, r, now, e) != ZB_OK) return e->rc;
    }
    s->found = h->n;
    return h->site ? ZB_OK : end_gone(db, p, now, &s->ended, e);
}

int hits_store(struct db *db, const struct policy *p, const struct hits *h, zb_time now, struct hits_sum *ret, struct zb_err *e) {
    *ret = (struct hits_sum){0};
    if (db_begin(db, e) != ZB_OK) return e->rc;
    int rc = store(db, p, h, now, ret, e);
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}
