/* Clocks of records: started and stopped by states, moved by dates, never losing the first due date; each step of a ladder fires once. */
#include "ledger/inside.h"
#include <stdio.h>

struct running {
    bool there, stopped;
    zb_time started, due, first;
    int step;
};

static int running_load(struct db *db, const char *ledger, int64_t rec, const char *clock, struct running *r, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "select started,due,first_due,step,stopped is not null from ledger_clock where ledger=?1 and rec=?2 and clock=?3", e);
    if (!q) return e->rc;
    stmt_z(q, 1, ledger);
    stmt_i64(q, 2, rec);
    stmt_z(q, 3, clock);
    int got = stmt_row(q, e);
    *r = (struct running){.there = got == 1};
    if (got == 1) *r = (struct running){true, stmt_col_i64(q, 4) != 0, stmt_col_i64(q, 0), stmt_col_i64(q, 1), stmt_col_i64(q, 2), (int)stmt_col_i64(q, 3)};
    return got < 0 ? got : ZB_OK;
}

/* The next step from *at on. A past that is taken over does not remind: such steps are passed over, and are not given later either. */
static zb_time next_of(const struct lcall *c, const struct ledger_clock *ck, const struct running *r, int *at) {
    zb_time when = ZB_TIME_NONE;
    int s = rectify_step(ck->ladder, *at, r->started, r->due, &when);
    while (c->past && s < ck->ladder->steps && ck->ladder->step[s].kind == STEP_NOTICE && when <= c->past->horizon)
        s = rectify_step(ck->ladder, s + 1, r->started, r->due, &when);
    if (c->past) *at = s;
    return s < ck->ladder->steps ? when : ck->every ? r->due : ZB_TIME_NONE;
}

static int running_store(struct lcall *c, int64_t rec, const struct ledger_clock *ck, const struct running *r, zb_time stopped, struct zb_err *e) {
    int step = r->step;
    zb_time next = stopped == ZB_TIME_NONE ? next_of(c, ck, r, &step) : ZB_TIME_NONE;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(c->db,
                            "insert into ledger_clock(ledger,rec,clock,started,due,first_due,step,next,stopped) values(?1,?2,?3,?4,?5,?6,?7,?8,?9) on "
                            "conflict(ledger,rec,clock) do update set started=?4,due=?5,step=?7,next=?8,stopped=?9",
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, c->l->key);
    stmt_i64(q, 2, rec);
    stmt_z(q, 3, ck->key);
    stmt_time(q, 4, r->started);
    stmt_time(q, 5, r->due);
    stmt_time(q, 6, r->first);
    stmt_i64(q, 7, step);
    stmt_time(q, 8, next);
    stmt_time(q, 9, stopped);
    return stmt_run(q, e);
}

/* The value of the clock's field as a moment: the end of a day in Beijing, or a time. */
static zb_time field_time(const struct ledger *l, const struct record *r, const char *key, bool end_of_day) {
    int i = key[0] ? lfield_find(l->field, l->fields, str_of(key)) : -1;
    if (i < 0 || r->v[i].null) return ZB_TIME_NONE;
    if (l->field[i].type == LF_TIME) return r->v[i].i;
    return (r->v[i].i + (end_of_day ? 1 : 0)) * ZB_DAY - 8 * ZB_HOUR - (end_of_day ? 1 : 0);
}

/* A step that lies before `now` when the due date is moved has been overtaken, not missed. */
static int step_after(const struct ladder *l, zb_time started, zb_time due, zb_time now) {
    for (int i = 0; i < l->steps; i++) {
        zb_time when;
        i = rectify_step(l, i, started, due, &when);
        if (i >= l->steps || when > now) return i;
    }
    return l->steps;
}

static int due_store(struct lcall *c, int64_t rec, struct zb_err *e) {
    char sql[500];
    snprintf(sql, sizeof sql,
             "update l_%s set due=(select min(due) from ledger_clock where ledger=?2 and rec=?1 and stopped is null), due_first=(select min(first_due) from "
             "ledger_clock where ledger=?2 and rec=?1 and stopped is null) where id=?1",
             c->l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, rec);
    stmt_z(q, 2, c->l->key);
    return stmt_run(q, e);
}

int clocks_set(struct lcall *c, const struct record *r, bool entered, struct zb_err *e) {
    (void)entered;
    for (int i = 0; i < c->l->clocks; i++) {
        const struct ledger_clock *ck = &c->l->clock[i];
        struct running run;
        if (running_load(c->db, c->l->key, r->id, ck->key, &run, e) != ZB_OK) return e->rc;
        bool in = ck->during >> r->state & 1, live = run.there && !run.stopped;
        zb_time start = live ? run.started : r->state_at;
        zb_time field = ck->field[0] ? field_time(c->l, r, ck->field, true) : field_time(c->l, r, ck->from_field, false);
        zb_time due = in ? rectify_due(c->policy, ck, start, field) : ZB_TIME_NONE;
        if (live && (!in || due == ZB_TIME_NONE)) {
            if (running_store(c, r->id, ck, &run, c->now, e) != ZB_OK) return e->rc;
        } else if (in && due != ZB_TIME_NONE && !live) {
            run = (struct running){true, false, start, due, run.there ? run.first : due, 0};
            if (running_store(c, r->id, ck, &run, ZB_TIME_NONE, e) != ZB_OK) return e->rc;
        } else if (live && in && due != run.due && (ck->field[0] || ck->from_field[0])) { /* moved: the first due date stays */
            run.due = due;
            run.step = step_after(ck->ladder, run.started, due, c->now);
            if (running_store(c, r->id, ck, &run, ZB_TIME_NONE, e) != ZB_OK) return e->rc;
        }
    }
    return due_store(c, r->id, e);
}

/* ---- the timer ---- */
struct pass {
    struct db *db;
    const struct policy *p;
    const char *dir;
    zb_time now;
    ledger_tell_fn *tell;
    void *arg;
};

static int tell(struct pass *s, struct lcall *c, const struct record *r, const struct ledger_clock *ck, const struct running *run, const struct ladder_step *st,
                struct zb_err *e) {
    if (!s->tell) return ZB_OK;
    int t = lfield_find(c->l->field, c->l->fields, str_of(c->l->title));
    struct str title = t >= 0 ? value_text(c, &c->l->field[t], &r->v[t]) : STR("");
    char dedup[200];
    snprintf(dedup, sizeof dedup, "%s/%lld/%s/%lld/%lld/%d", c->l->key, (long long)r->id, ck->key, (long long)run->started, (long long)run->due, run->step);
    struct lnotice n = {c->l->key, r->id, r->no, arena_str(c->arena, title), r->area, r->mine, st->zh, st->en, dedup, st->urgent};
    return s->tell(s->arg, s->db, &n, s->now, e);
}

static int journal_step(struct pass *s, struct lcall *c, const struct record *r, const struct ledger_clock *ck, const struct ladder_step *st,
                        const char *failed, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    char subject[120];
    buf_init(&b, 4096);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "no");
    json_z(&j, r->no);
    json_key(&j, "clock");
    json_z(&j, ck->key);
    json_key(&j, "step");
    json_z(&j, st->en);
    if (failed) {
        json_key(&j, "not_done");
        json_z(&j, failed);
    }
    json_end(&j);
    snprintf(subject, sizeof subject, "%s/%lld", c->l->key, (long long)r->id);
    if (c->past) return past_entry(c, "clock", "ledger.step", subject, buf_str(&b), e);
    return audit_append(s->db, s->now, STR("clock"), STR("ledger.step"), str_of(subject), buf_str(&b), e);
}

static int act_do(struct pass *s, struct lcall *c, const struct record *r, const struct ladder_step *st, char failed[300], struct zb_err *e) {
    struct lchange ch = {.id = r->id, .rev = r->rev, .act = st->act, .at = ZB_TIME_NONE, .why = str_of(st->zh)};
    int64_t id;
    bool done;
    struct zb_err why = {0};
    if (db_exec(s->db, "savepoint step", e) != ZB_OK) return e->rc;
    int rc = ledger_change_in(c, &ch, &id, &done, &why);
    if (rc != ZB_OK) {
        if (rc == ZB_E_IO) {
            *e = why;
            return rc;
        }
        str_copy(str_of(why.msg), failed, 300);
        if (db_exec(s->db, "rollback to step", e) != ZB_OK) return e->rc;
    }
    return db_exec(s->db, "release step", e);
}

/* One due step, whole or not at all. */
static int step_fire(struct pass *s, struct lcall *c, int64_t rec, const struct ledger_clock *ck, struct zb_err *e) {
    struct running run, after;
    struct record r;
    char failed[300] = "";
    if (running_load(s->db, c->l->key, rec, ck->key, &run, e) != ZB_OK || record_load(c, rec, false, &r, e) != ZB_OK) return e->rc;
    if (!run.there || run.stopped) return ZB_OK;
    zb_time when;
    int i = rectify_step(ck->ladder, run.step, run.started, run.due, &when);
    if (i < ck->ladder->steps) {
        const struct ladder_step *st = &ck->ladder->step[i];
        run.step = i;
        int rc = st->kind == STEP_NOTICE ? tell(s, c, &r, ck, &run, st, e) : act_do(s, c, &r, st, failed, e);
        if (rc != ZB_OK || journal_step(s, c, &r, ck, st, failed[0] ? failed : NULL, e) != ZB_OK) return e->rc;
        if (running_load(s->db, c->l->key, rec, ck->key, &after, e) != ZB_OK) return e->rc;
        if (after.stopped || after.started != run.started || after.due != run.due) return ZB_OK; /* the act moved it */
        run.step = i + 1;
    } else if (ck->every) {
        run = (struct running){true, false, run.due, rectify_due(s->p, ck, run.due, ZB_TIME_NONE), run.first, 0};
    }
    return running_store(c, rec, ck, &run, ZB_TIME_NONE, e) == ZB_OK ? due_store(c, rec, e) : e->rc;
}

struct waiting {
    char ledger[64], clock[64];
    int64_t rec;
    zb_time at;
};
/* 1: one is due by then; 0 none. */
static int waiting_find(struct db *db, zb_time by, struct waiting *w, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select ledger,rec,clock,next from ledger_clock where next<=?1 order by next limit 1", e);
    if (!q) return e->rc;
    stmt_time(q, 1, by);
    int r = stmt_row(q, e);
    if (r != 1) return r;
    str_copy(stmt_col_text(q, 0), w->ledger, sizeof w->ledger);
    w->rec = stmt_col_i64(q, 1);
    str_copy(stmt_col_text(q, 2), w->clock, sizeof w->clock);
    w->at = stmt_col_i64(q, 3);
    return r;
}

static int step_in(struct pass *s, struct lcall *c, const struct waiting *w, struct zb_err *e) {
    int l = policy_ledger(s->p, str_of(w->ledger));
    c->l = l >= 0 ? &s->p->ledger[l] : NULL;
    const struct ledger_clock *ck = NULL;
    for (int i = 0; c->l && i < c->l->clocks; i++)
        if (!strcmp(c->l->clock[i].key, w->clock)) ck = &c->l->clock[i];
    if (ck) return step_fire(s, c, w->rec, ck, e);
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(s->db, "update ledger_clock set next=null where ledger=?1 and rec=?2 and clock=?3", e); /* the policy dropped it */
    if (!q) return e->rc;
    stmt_z(q, 1, w->ledger);
    stmt_i64(q, 2, w->rec);
    stmt_z(q, 3, w->clock);
    return stmt_run(q, e);
}

static int step_tx(struct pass *s, const struct waiting *w, struct zb_err *e) {
    struct lcall c = {.db = s->db, .policy = s->p, .now = s->now, .arena = arena_new((size_t)4 << 20), .dir = s->dir};
    int rc = db_begin(s->db, e);
    if (rc == ZB_OK) {
        rc = step_in(s, &c, w, e);
        if (rc == ZB_OK) rc = db_commit(s->db, e);
        if (rc != ZB_OK) db_rollback(s->db);
    }
    arena_free(c.arena);
    return rc;
}

int clocks_past(struct lcall *in, zb_time t, int *did, struct zb_err *e) {
    struct lcall c = *in;
    struct waiting w;
    int r;
    *did = 0;
    c.actor = NULL;
    while ((r = waiting_find(c.db, t, &w, e)) == 1) {
        struct pass s = {c.db, c.policy, c.dir, w.at, NULL, NULL};
        c.now = w.at;
        if (db_clock(c.db, w.at, e) != ZB_OK || step_in(&s, &c, &w, e) != ZB_OK) return e->rc;
        arena_reset(c.arena);
        ++*did;
    }
    return r;
}

int ledger_clocks(struct db *db, const struct policy *p, const char *dir, zb_time now, int most, ledger_tell_fn *tell_fn, void *arg, int *did,
                  struct zb_err *e) {
    struct pass s = {db, p, dir, now, tell_fn, arg};
    *did = 0;
    while (*did < most) {
        struct waiting w;
        int r = waiting_find(db, now, &w, e);
        if (r <= 0) return r;
        if (step_tx(&s, &w, e) != ZB_OK) return e->rc;
        ++*did;
    }
    return ZB_OK;
}
