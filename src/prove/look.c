/* Which figures: of an area or a mine, of today or of another day. */
#include "prove/look.h"
#include <stdio.h>
#include <stdlib.h>

struct look look_new(struct db *db, const struct policy *p, const struct actor *actor, const char *path) {
    return (struct look){
        .db = db, .p = p, .actor = actor, .arena = arena_new((size_t)64 << 20), .path = path, .now = zb_now(), .asof = ZB_TIME_NONE, .known = ZB_TIME_NONE};
}
void look_end(struct look *l) { arena_free(l->arena); }
int look_area(struct look *l, struct str text, struct zb_err *e) {
    char code[24];
    str_copy(text.n ? text : str_of(l->actor->area), code, sizeof code);
    size_t n = strlen(code);
    l->mine[0] = l->area[0] = 0;
    if (n > 6 || (n && !policy_region(l->p, str_of(code)) && n != 2 && n != 4)) {
        str_copy(str_of(code), l->mine, sizeof l->mine);
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 400);
        buf_printf(&b, "select area from l_%s where \"%s\"=?1", l->p->site.ledger, l->p->site.code);
        ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
        if (!q) return e->rc;
        stmt_z(q, 1, l->mine);
        int r = stmt_row(q, e);
        if (r < 0) return r;
        if (r == 1) str_copy(stmt_col_text(q, 0), l->area, sizeof l->area);
        if (r == 0 || !may_see(l->actor, l->area, l->mine)) return zb_fail(e, ZB_E_INPUT, "area \"%s\": no area or mine that you see", code);
        return ZB_OK;
    }
    snprintf(l->area, sizeof l->area, "%s%s", code, n == 2 ? "0000" : n == 4 ? "00" : n ? "" : "");
    if (!policy_region(l->p, str_of(l->area))) return zb_fail(e, ZB_E_INPUT, "area \"%s\": write 14, 1402, 140214 or a mine's code", code);
    if (!may_see(l->actor, l->area, "")) return zb_fail(e, ZB_E_DENIED, "area %s is not yours to see", l->area);
    return ZB_OK;
}

const char *look_name(const struct look *l, const char *area) {
    const struct region *g = policy_region(l->p, str_of(area));
    return g ? g->name : "";
}
bool look_shows(const struct look *l, const struct indicator *x) {
    const struct role_rule *r = policy_role(l->p, str_of(l->actor->role));
    if (x->secret && (l->wall || l->mine[0] || (r && r->mine))) return false;
    return !l->mine[0] || (x->level == DOWN_TO_SITE && x->kind != IK_MEAN_OF);
}
static int32_t day_asked(const struct look *l) { return zb_day_of(l->asof == ZB_TIME_NONE ? l->now : l->asof); }

/* ---- today ---- */
static void row_take(struct stmt *q, struct area_figure *a) { /* columns of AREA_ROW below */
    keep_sums(q, 1, &a->f, &a->has, &a->value);
    a->out.light = (enum light)stmt_col_i64(q, 10);
    str_copy(stmt_col_text(q, 11), a->out.zh, sizeof a->out.zh);
    str_copy(stmt_col_text(q, 12), a->out.en, sizeof a->out.en);
    a->due = stmt_col_null(q, 13) ? INT32_MAX : (int32_t)stmt_col_i64(q, 13);
    a->in.has_before = !stmt_col_null(q, 14);
    a->in.before = stmt_col_real(q, 14);
    a->out.has_path = !stmt_col_null(q, 15);
    a->out.path = stmt_col_real(q, 15);
    a->in.forecast = (struct forecast){!stmt_col_null(q, 16), stmt_col_real(q, 16), stmt_col_real(q, 17), stmt_col_real(q, 18)};
}
#define AREA_ROW "a,b,c,d,least,n,missing,has,value,light,zh,en,due,before,path,ahead,low,high"

static int area_read(struct look *l, struct area_figure *a, bool *there, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select indicator," AREA_ROW " from prove_area where area=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, l->area);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        int i = policy_indicator(l->p, stmt_col_text(q, 0));
        if (i < 0) continue;
        there[i] = true;
        row_take(q, &a[i]);
    }
    return r;
}

static void mine_light(struct look *l, const struct indicator *x, struct area_figure *a) {
    static const struct trends NONE;
    a->has = figure_value(x, &a->f, &a->value);
    trend_use(x, &l->p->light, &NONE, day_asked(l), a);
}

static int mine_read(struct look *l, struct area_figure *a, bool *there, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select indicator,a,b,c,d,least,n,missing,has,value from prove_base where mine=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, l->mine);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        int i = policy_indicator(l->p, stmt_col_text(q, 0));
        struct area_figure one = {0};
        if (i < 0) continue;
        keep_sums(q, 1, &one.f, &one.has, &one.value);
        figure_add(&a[i].f, &one.f);
        there[i] = true;
    }
    for (int i = 0; i < l->p->indicators; i++)
        if (there[i]) mine_light(l, &l->p->indicator[i], &a[i]);
    return r;
}

/* ---- another day ---- */
static int frozen_find(struct look *l, int64_t *id, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select id from prove_frozen where asof=?1 and known=?2 and policy=?3 order by id desc limit 1", e);
    if (!q) return e->rc;
    stmt_time(q, 1, l->asof);
    stmt_time(q, 2, l->known);
    stmt_z(q, 3, l->p->hash);
    int r = stmt_row(q, e);
    *id = r == 1 ? stmt_col_i64(q, 0) : 0;
    return r < 0 ? r : ZB_OK;
}

static int frozen_read(struct look *l, int64_t id, struct area_figure *a, bool *there, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(l->db, "select indicator,a,b,c,d,least,n,missing,has,value,light,zh,en from prove_figure where frozen=?1 and area=?2", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    stmt_z(q, 2, l->area);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        int i = policy_indicator(l->p, stmt_col_text(q, 0));
        if (i < 0) continue;
        there[i] = true;
        keep_sums(q, 1, &a[i].f, &a[i].has, &a[i].value);
        a[i].out.light = (enum light)stmt_col_i64(q, 10);
        str_copy(stmt_col_text(q, 11), a[i].out.zh, sizeof a[i].out.zh);
        str_copy(stmt_col_text(q, 12), a[i].out.en, sizeof a[i].out.en);
        a[i].due = light_due(&l->p->indicator[i], day_asked(l));
    }
    return r;
}

static int past_mine(struct look *l, struct other_day *past, const bool *want, struct area_figure *a, bool *there, struct zb_err *e) {
    struct figure_scope s = {l->area, l->mine};
    for (int i = 0; i < l->p->indicators; i++) {
        struct figure_row *row;
        int n;
        if (!want[i] || l->p->indicator[i].kind == IK_MEAN_OF) continue;
        if (figure_rows(past->db, &l->p->indicator[i], &s, &row, &n, e) != ZB_OK) return e->rc;
        for (int k = 0; k < n; k++)
            if (!strcmp(row[k].mine, l->mine)) {
                figure_add(&a[i].f, &row[k].f);
                there[i] = true;
            }
        free(row);
        if (there[i]) mine_light(l, &l->p->indicator[i], &a[i]);
    }
    return ZB_OK;
}

/* Trend points count as they are kept: those up to the day asked for. */
static int past_light(struct look *l, int i, struct area_figure *a, struct zb_err *e) {
    struct trends t;
    if (keep_trends(l->db, &l->p->indicator[i], &t, e) != ZB_OK) return e->rc;
    trend_use(&l->p->indicator[i], &l->p->light, &t, day_asked(l), a);
    trends_free(&t);
    return ZB_OK;
}

static int past_area(struct look *l, struct other_day *past, const bool *want, struct area_figure *a, bool *there, struct zb_err *e) {
    struct area_figure **all = xcalloc((size_t)l->p->indicators + 1, sizeof *all);
    int *n = xcalloc((size_t)l->p->indicators + 1, sizeof *n), rc = past_areas(past, l->p, want, all, n, e);
    for (int i = 0; i < l->p->indicators; i++) {
        for (int k = 0; k < n[i] && rc == ZB_OK; k++)
            if (!strcmp(all[i][k].area, l->area)) {
                a[i] = all[i][k];
                there[i] = true;
                rc = past_light(l, i, &a[i], e);
            }
        free(all[i]);
    }
    free(all);
    free(n);
    return rc;
}

static void wanted_uses(const struct look *l, const bool *want, uint64_t uses[4]) {
    for (int i = 0; i < l->p->indicators; i++) {
        const struct indicator *x = &l->p->indicator[i];
        for (int k = 0; k < 4 && want[i]; k++) uses[k] |= x->uses[k];
    }
}

int look_past(struct look *l, const uint64_t uses[4], struct other_day *own, struct other_day **ret, struct zb_err *e) {
    *own = (struct other_day){0};
    *ret = l->past ? l->past : own;
    if ((*ret)->db) return ZB_OK;
    return past_open(l->path, l->p, l->past ? NULL : uses, l->asof, l->known, *ret, e);
}
void look_past_done(struct look *l, struct other_day *x) {
    if (x != l->past) past_close(x);
}

static int past_read(struct look *l, bool *want, struct area_figure *a, bool *there, struct zb_err *e) {
    uint64_t uses[4] = {0};
    struct other_day own, *past;
    for (int i = 0; i < l->p->indicators; i++) /* parts of what is wanted */
        for (int k = 0; want[i] && k < l->p->indicator[i].parts_n; k++) want[l->p->indicator[i].part[k]] = true;
    wanted_uses(l, want, uses);
    if (look_past(l, uses, &own, &past, e) != ZB_OK) return e->rc;
    int rc = l->mine[0] ? past_mine(l, past, want, a, there, e) : past_area(l, past, want, a, there, e);
    look_past_done(l, past);
    return rc;
}

/* asof alone: as known now. known alone: as of that moment too. */
void look_moment(struct look *l) {
    if (l->known != ZB_TIME_NONE && l->asof == ZB_TIME_NONE) l->asof = l->known;
    if (l->asof != ZB_TIME_NONE && l->known == ZB_TIME_NONE) l->known = l->now;
}

int look_figures(struct look *l, bool *want, struct area_figure *a, bool *there, int64_t *frozen, struct zb_err *e) {
    *frozen = 0;
    look_moment(l);
    if (l->asof == ZB_TIME_NONE) return l->mine[0] ? mine_read(l, a, there, e) : area_read(l, a, there, e);
    if (!l->mine[0] && frozen_find(l, frozen, e) != ZB_OK) return e->rc;
    return *frozen ? frozen_read(l, *frozen, a, there, e) : past_read(l, want, a, there, e);
}

/* ---- frozen ---- */
static int frozen_keep(struct db *w, const struct look *l, int64_t id, const struct indicator *x, const struct area_figure *a, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(w,
                            "insert into prove_figure(frozen,area,indicator,a,b,c,d,least,n,missing,has,value,light,zh,en) "
                            "values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
                            e);
    (void)l;
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    stmt_z(q, 2, a->area);
    stmt_z(q, 3, x->id);
    keep_sums_bind(q, 4, &a->f, a->has, a->value);
    stmt_i64(q, 13, a->out.light);
    stmt_z(q, 14, a->out.zh);
    stmt_z(q, 15, a->out.en);
    return stmt_run(q, e);
}

static int frozen_head(struct db *w, const struct look *l, struct str who, struct str why, int64_t *id, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(w, "insert into prove_frozen(asof,known,policy,t,who,why) values(?1,?2,?3,?4,?5,?6) returning id", e);
    if (!q) return e->rc;
    stmt_time(q, 1, l->asof);
    stmt_time(q, 2, l->known);
    stmt_z(q, 3, l->p->hash);
    stmt_time(q, 4, l->now);
    stmt_text(q, 5, who);
    stmt_text(q, 6, why);
    int r = stmt_row(q, e);
    if (r == 1) *id = stmt_col_i64(q, 0);
    return r < 0 ? r : ZB_OK;
}

int view_freeze(struct look *l, struct str who, struct str why, int64_t *id, struct zb_err *e) {
    struct other_day past;
    struct db *w = NULL;
    look_moment(l);
    if (l->asof == ZB_TIME_NONE) l->asof = l->known = l->now;
    struct area_figure **a = xcalloc((size_t)l->p->indicators + 1, sizeof *a);
    int *n = xcalloc((size_t)l->p->indicators + 1, sizeof *n), rc = past_open(l->path, l->p, NULL, l->asof, l->known, &past, e);
    if (rc == ZB_OK) {
        rc = past_areas(&past, l->p, NULL, a, n, e);
        past_close(&past);
    }
    if (rc == ZB_OK) rc = db_open(l->path, DB_WRITE, &w, e);
    if (rc == ZB_OK) rc = db_begin(w, e);
    if (rc == ZB_OK) rc = frozen_head(w, l, who, why, id, e);
    for (int i = 0; i < l->p->indicators && rc == ZB_OK; i++)
        for (int k = 0; k < n[i] && rc == ZB_OK; k++) {
            rc = past_light(l, i, &a[i][k], e);
            if (rc == ZB_OK && (a[i][k].f.n || !strcmp(a[i][k].area + 4, "00"))) rc = frozen_keep(w, l, *id, &l->p->indicator[i], &a[i][k], e);
        }
    if (rc == ZB_OK) rc = audit_append(w, l->now, who, STR("plan.freeze"), str_of(arena_printf(l->arena, "frozen/%lld", (long long)*id)), STR("{}"), e);
    if (rc == ZB_OK) rc = db_commit(w, e);
    if (rc != ZB_OK && w && db_in_tx(w)) db_rollback(w);
    db_close(w);
    for (int i = 0; i < l->p->indicators; i++) free(a[i]);
    free(a);
    free(n);
    return rc;
}
