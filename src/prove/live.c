/* Figures kept up to date. A changed record is in ledger_touch; of its mine's cases every indicator that reads its ledger is asked again, and what was asked is
 * rolled up. A record that is no mine's (a regulator, a roster) may count in cases anywhere: first its own area, then those indicators are asked anew in full.
 * A new day, a new policy and a flood of changes ask everything. Month-ends that have passed are kept, newest first, one at a time. */
#include "prove/inside.h"
#include <stdio.h>
#include <stdlib.h>

#define TOUCHES_MAX 2000
#define MINES_MAX 40 /* more changed mines at once: asking in full is cheaper */

struct prover {
    struct db *db;
    char path[700];
    char hash[65];       /* of the policy that `uses` was made for */
    uint64_t (*uses)[4]; /* by indicator, what derived fields read included */
    bool *stale;         /* by indicator: to be asked in full */
    zb_time views_at;    /* ledgers that are views were last looked at */
    char trouble[400];   /* what could not be asked */
};

int prover_open(const char *path, struct prover **ret, struct zb_err *e) {
    struct prover *x = xcalloc(1, sizeof *x);
    str_copy(str_of(path), x->path, sizeof x->path);
    if (db_open(path, DB_WRITE, &x->db, e) != ZB_OK) {
        prover_close(x);
        return e->rc;
    }
    *ret = x;
    return ZB_OK;
}
void prover_close(struct prover *x) {
    if (!x) return;
    db_close(x->db);
    free(x->uses);
    free(x->stale);
    free(x);
}
const char *prover_trouble(const struct prover *x) { return x->trouble; }

static void policy_take(struct prover *x, const struct policy *p) {
    if (x->uses && !strcmp(x->hash, p->hash)) return;
    free(x->uses);
    free(x->stale);
    x->uses = xcalloc((size_t)p->indicators + 1, sizeof *x->uses);
    x->stale = xcalloc((size_t)p->indicators + 1, sizeof *x->stale);
    str_copy(str_of(p->hash), x->hash, sizeof x->hash);
    for (int i = 0; i < p->indicators; i++) {
        memcpy(x->uses[i], p->indicator[i].uses, sizeof x->uses[i]);
        prove_closure(p, x->uses[i]);
    }
}

/* ---- one indicator ---- */
static bool above(const char *area, const char *code) { /* area is code or holds it */
    size_t n = strcmp(area + 4, "00") ? 6 : strcmp(area + 2, "0000") ? 4 : 0;
    return !strncmp(area, code, n);
}

static int areas_keep(struct db *db, const struct policy *p, const struct indicator *x, struct area_figure *a, int n, int32_t today, const char *only,
                      struct zb_err *e) {
    struct trends t;
    if (keep_trends(db, x, &t, e) != ZB_OK) return e->rc;
    int rc = ZB_OK;
    for (int i = 0; i < n && rc == ZB_OK; i++) {
        if (only && !above(a[i].area, only)) continue;
        trend_use(x, &p->light, &t, today, &a[i]);
        rc = keep_area(db, x, &a[i], e);
    }
    trends_free(&t);
    return rc;
}

static int asked_keep(struct db *db, const struct policy *p, const struct indicator *x, const struct figure_scope *s, const char *only,
                      const struct figure_row *row, int n, int32_t today, struct zb_err *e) {
    struct figure_row *all = NULL;
    struct area_figure *a = NULL;
    int many = n;
    bool part = s->area != NULL;
    if (db_begin(db, e) != ZB_OK) return e->rc;
    int rc = keep_base(db, x, s, row, n, e);
    if (rc == ZB_OK && part) rc = keep_base_read(db, x, &all, &many, e);
    if (rc == ZB_OK) rc = areas_keep(db, p, x, a, figure_areas(p, x, part ? all : row, many, &a), today, only, e);
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    free(all);
    free(a);
    return rc;
}

/* A SQL that fails is told, stops no other, and leaves no old figure behind. */
static int ask(struct prover *pr, const struct policy *p, int i, const struct figure_scope *s, const char *only, int32_t today, struct zb_err *e) {
    struct figure_row *row;
    int n;
    const struct indicator *x = &p->indicator[i];
    if (figure_rows(pr->db, x, s, &row, &n, e) != ZB_OK) {
        struct area_figure *a;
        str_copy(str_of(e->msg), pr->trouble, sizeof pr->trouble);
        n = figure_areas(p, x, NULL, 0, &a);
        for (int k = 0; k < n; k++) a[k].has = FIGURE_MISSING;
        int failed = db_begin(pr->db, e);
        if (failed == ZB_OK) failed = areas_keep(pr->db, p, x, a, n, today, NULL, e);
        if (failed == ZB_OK) failed = db_commit(pr->db, e);
        if (failed != ZB_OK) db_rollback(pr->db);
        free(a);
        return failed;
    }
    int rc = asked_keep(pr->db, p, x, s, only, row, n, today, e);
    free(row);
    return rc;
}

static int mean_keep(struct prover *pr, const struct policy *p, const struct indicator *x, int32_t today, struct zb_err *e) {
    struct area_figure *part[40] = {0}, *a = NULL;
    int n[40], rc = ZB_OK;
    for (int k = 0; k < x->parts_n && rc == ZB_OK; k++) rc = keep_areas_read(pr->db, &p->indicator[x->part[k]], &part[k], &n[k], e);
    if (rc == ZB_OK) {
        int many = figure_means(p, x, (const struct area_figure *const *)part, n, &a);
        rc = db_begin(pr->db, e);
        if (rc == ZB_OK) rc = areas_keep(pr->db, p, x, a, many, today, NULL, e);
        if (rc == ZB_OK) rc = db_commit(pr->db, e);
        if (rc != ZB_OK) db_rollback(pr->db);
    }
    for (int k = 0; k < x->parts_n; k++) free(part[k]);
    free(a);
    return rc;
}

static int means_keep(struct prover *pr, const struct policy *p, const bool *changed, int32_t today, struct zb_err *e) {
    for (int i = 0; i < p->indicators; i++) {
        bool any = false;
        for (int k = 0; k < p->indicator[i].parts_n; k++) any |= changed[p->indicator[i].part[k]];
        if (any && mean_keep(pr, p, &p->indicator[i], today, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* ---- what changed ---- */
struct touched {
    int64_t last;
    int n;
    uint64_t by_area[4]; /* ledgers of records that are no mine's: they may count anywhere */
    struct {
        char area[24], mine[24];
        uint64_t ledgers[4];
    } at[MINES_MAX];
    int places;
    bool flood;
};

static void touch_add(struct touched *t, const struct policy *p, struct str ledger, struct str area, struct str mine) {
    int l = policy_ledger(p, ledger), i = 0;
    if (l < 0) return;
    while (i < t->places && !(str_is(area, t->at[i].area) && str_is(mine, t->at[i].mine))) i++;
    if (i == MINES_MAX) {
        t->flood = true;
        return;
    }
    if (i == t->places) {
        t->places++;
        memset(&t->at[i], 0, sizeof t->at[i]);
        str_copy(area, t->at[i].area, sizeof t->at[i].area);
        str_copy(mine, t->at[i].mine, sizeof t->at[i].mine);
    }
    t->at[i].ledgers[l / 64] |= (uint64_t)1 << (l % 64);
}

static int touched_read(struct db *db, const struct policy *p, struct touched *t, struct zb_err *e) {
    *t = (struct touched){0};
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select n,ledger,area,mine from ledger_touch order by n limit 2001", e);
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        t->last = stmt_col_i64(q, 0);
        touch_add(t, p, stmt_col_text(q, 1), stmt_col_text(q, 2), stmt_col_text(q, 3));
        t->n++;
    }
    t->flood |= t->n > TOUCHES_MAX;
    return r;
}

/* A record may be a body's of its own code, which is no mine's. */
static int is_site(struct db *db, const struct policy *p, const char *mine, bool *ret, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 400);
    buf_printf(&b, "select 1 from l_%s where \"%s\"=?1", p->site.ledger, p->site.code);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    int r = stmt_row(q, e);
    *ret = r == 1;
    return r < 0 ? r : ZB_OK;
}
static int by_area_find(struct db *db, const struct policy *p, struct touched *t, struct zb_err *e) {
    for (int i = 0; i < t->places; i++) {
        bool site = false;
        if (t->at[i].mine[0] && is_site(db, p, t->at[i].mine, &site, e) != ZB_OK) return e->rc;
        for (int k = 0; k < 4 && !site; k++) t->by_area[k] |= t->at[i].ledgers[k];
    }
    return ZB_OK;
}

static int touched_forget(struct db *db, const struct touched *t, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "delete from ledger_touch where n<=?1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, t->last);
    return stmt_run(q, e);
}

static int touches_max(struct db *db, struct touched *t, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select coalesce(max(n),0) from ledger_touch", e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    *t = (struct touched){.last = r == 1 ? stmt_col_i64(q, 0) : 0};
    return r < 0 ? r : ZB_OK;
}

static bool meet(const uint64_t a[4], const uint64_t b[4]) { return (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]); }

static int places_ask(struct prover *pr, const struct policy *p, const struct touched *t, int32_t today, struct zb_err *e) {
    bool *changed = xcalloc((size_t)p->indicators + 1, 1);
    int rc = ZB_OK;
    for (int k = 0; k < t->places; k++)
        for (int i = 0; i < p->indicators && rc == ZB_OK; i++) {
            struct figure_scope s = {t->at[k].area, t->at[k].mine};
            if (!meet(pr->uses[i], t->at[k].ledgers) || p->indicator[i].kind == IK_MEAN_OF) continue;
            rc = ask(pr, p, i, &s, t->at[k].area, today, e);
            changed[i] = true;
        }
    if (rc == ZB_OK) rc = means_keep(pr, p, changed, today, e);
    for (int i = 0; i < p->indicators; i++) pr->stale[i] |= meet(pr->uses[i], t->by_area);
    free(changed);
    return rc;
}

static int stale_ask(struct prover *pr, const struct policy *p, int32_t today, int *did, struct zb_err *e) {
    struct figure_scope all = {0};
    bool any = false;
    for (int i = 0; i < p->indicators; i++) {
        if (!pr->stale[i] || p->indicator[i].kind == IK_MEAN_OF) continue;
        any = true;
        ++*did;
        if (ask(pr, p, i, &all, NULL, today, e) != ZB_OK) return e->rc;
    }
    if (any && means_keep(pr, p, pr->stale, today, e) != ZB_OK) return e->rc;
    memset(pr->stale, 0, (size_t)p->indicators);
    return ZB_OK;
}

/* Alarms come by a view and leave no touch: whatever reads one is asked anew now and then. */
static void views_mark(struct prover *pr, const struct policy *p, zb_time now) {
    if (now - pr->views_at < 5 * ZB_MINUTE) return;
    pr->views_at = now;
    for (int i = 0; i < p->indicators; i++)
        for (int l = 0; l < p->ledgers; l++)
            if (p->ledger[l].view[0] && (pr->uses[i][l / 64] >> (l % 64) & 1)) pr->stale[i] = true;
}

/* ---- month-ends ---- */
static int month_ask(struct prover *pr, const struct policy *p, int32_t day, zb_time now, struct zb_err *e) {
    struct other_day past;
    struct area_figure **a = xcalloc((size_t)p->indicators + 1, sizeof *a);
    int *n = xcalloc((size_t)p->indicators + 1, sizeof *n), rc = past_open(pr->path, p, NULL, past_end_of(day), now, &past, e);
    if (rc == ZB_OK) {
        rc = past_areas(&past, p, NULL, a, n, e);
        past_close(&past);
    }
    if (rc == ZB_OK) rc = db_begin(pr->db, e);
    for (int i = 0; i < p->indicators && rc == ZB_OK; i++)
        for (int k = 0; k < n[i] && rc == ZB_OK; k++) /* an empty county is not worth a row */
            if (a[i][k].f.n || !strcmp(a[i][k].area + 4, "00")) rc = keep_month(pr->db, &p->indicator[i], day, now, &a[i][k], e);
    char key[ZB_TIME_CAP + 8], text[ZB_TIME_CAP];
    snprintf(key, sizeof key, "month %s", zb_day_text(day, text));
    if (rc == ZB_OK) rc = keep_state_set(pr->db, key, p->hash, e);
    if (rc == ZB_OK) rc = db_commit(pr->db, e);
    if (rc != ZB_OK && db_in_tx(pr->db)) db_rollback(pr->db);
    for (int i = 0; i < p->indicators; i++) free(a[i]);
    free(a);
    free(n);
    return rc;
}

/* The newest month-end of the plan's time, its base included, that is not yet kept; 0: none. */
static int month_missing(struct db *db, const struct policy *p, int32_t today, int32_t *ret, struct zb_err *e) {
    *ret = 0;
    for (int32_t day = zb_period_start(ZB_MONTH_UNIT, today, 0) - 1; day >= p->plan.from - 1; day = zb_period_start(ZB_MONTH_UNIT, day, 0) - 1) {
        char key[ZB_TIME_CAP + 8], text[ZB_TIME_CAP], hash[80];
        snprintf(key, sizeof key, "month %s", zb_day_text(day, text));
        if (keep_state(db, key, hash, sizeof hash, e) != ZB_OK) return e->rc;
        if (hash[0]) continue;
        *ret = day;
        return ZB_OK;
    }
    return ZB_OK;
}

static int relight(struct prover *pr, const struct policy *p, int32_t today, struct zb_err *e) {
    for (int i = 0; i < p->indicators; i++) {
        struct area_figure *a;
        int n, rc;
        if (keep_areas_read(pr->db, &p->indicator[i], &a, &n, e) != ZB_OK) return e->rc;
        rc = db_begin(pr->db, e);
        if (rc == ZB_OK) rc = areas_keep(pr->db, p, &p->indicator[i], a, n, today, NULL, e);
        if (rc == ZB_OK) rc = db_commit(pr->db, e);
        if (rc != ZB_OK) db_rollback(pr->db);
        free(a);
        if (rc != ZB_OK) return rc;
    }
    return ZB_OK;
}

int prover_month(struct prover *pr, const struct policy *p, zb_time now, int *did, struct zb_err *e) {
    int32_t day, today = zb_day_of(now);
    *did = 0;
    policy_take(pr, p);
    if (month_missing(pr->db, p, today, &day, e) != ZB_OK || !day) return day ? e->rc : ZB_OK;
    *did = 1;
    return month_ask(pr, p, day, now, e) == ZB_OK ? relight(pr, p, today, e) : e->rc;
}

/* ---- a step ---- */
int prover_step(struct prover *pr, const struct policy *p, zb_time now, int *did, struct zb_err *e) {
    char want[120], have[120], day[ZB_TIME_CAP];
    struct touched t;
    int32_t today = zb_day_of(now);
    *did = 0;
    policy_take(pr, p);
    if (db_clock(pr->db, now, e) != ZB_OK || keep_state(pr->db, "full", have, sizeof have, e) != ZB_OK) return e->rc;
    snprintf(want, sizeof want, "%s %s", p->hash, zb_day_text(today, day));
    bool full = strcmp(want, have) != 0;
    if (full && db_survey(pr->db, e) != ZB_OK) return e->rc;
    if ((full ? touches_max(pr->db, &t, e) : touched_read(pr->db, p, &t, e)) != ZB_OK) return e->rc;
    if (full || t.flood) {
        pr->trouble[0] = 0;
        memset(pr->stale, 1, (size_t)p->indicators);
    } else if (t.n) {
        *did = t.n;
        if (by_area_find(pr->db, p, &t, e) != ZB_OK || places_ask(pr, p, &t, today, e) != ZB_OK) return e->rc;
    }
    views_mark(pr, p, now);
    if (stale_ask(pr, p, today, did, e) != ZB_OK || (t.last && touched_forget(pr->db, &t, e) != ZB_OK)) return e->rc;
    return full ? keep_state_set(pr->db, "full", want, e) : ZB_OK;
}
