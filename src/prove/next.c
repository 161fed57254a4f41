/* The next rung for what is red, and reported figures beside computed ones. */
#include "prove/key.h"
#include "prove/look.h"
#include "prove/office.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- proposals ---- */
struct red {
    char area[8];
    int indicator;
    int32_t since;
    double value;
    char zh[160], en[160];
};

static int reds_read(struct look *l, struct red **ret, int *n, struct zb_err *e) {
    int cap = 0, r;
    *ret = NULL;
    *n = 0;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select area,indicator,since,value,zh,en from prove_area where light=?1 order by area,indicator", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, LIGHT_RED);
    while ((r = stmt_row(q, e)) == 1) {
        struct red x = {.indicator = policy_indicator(l->p, stmt_col_text(q, 1)), .since = (int32_t)stmt_col_i64(q, 2), .value = stmt_col_real(q, 3)};
        str_copy(stmt_col_text(q, 0), x.area, sizeof x.area);
        str_copy(stmt_col_text(q, 4), x.zh, sizeof x.zh);
        str_copy(stmt_col_text(q, 5), x.en, sizeof x.en);
        if (x.indicator < 0 || !within(x.area, l->area) || l->p->indicator[x.indicator].reading_of >= 0 || !look_shows(l, &l->p->indicator[x.indicator]))
            continue;
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 64) * sizeof **ret);
        (*ret)[(*n)++] = x;
    }
    return r;
}

/* The highest rung already taken for this basis and area; -1 none. *open: one is still open, drafts included. */
static int rung_taken(struct look *l, const char *basis, const char *area, bool *open, int *ret, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_printf(&b, "select t.means,t.open,t.issued from (%s) t where t.basis=?1 and t.area=?2", l->p->light.measures_sql);
    *ret = -1;
    *open = false;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
    if (!q) return e->rc;
    stmt_z(q, 1, basis);
    stmt_z(q, 2, area);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        *open |= stmt_col_i64(q, 1) && stmt_col_null(q, 2); /* a draft waits for its officer */
        for (int i = 0; i < l->p->light.rungs; i++)
            if (str_is(stmt_col_text(q, 0), l->p->light.rung[i].means) && i > *ret) *ret = i;
    }
    return r;
}

static void proposal_json(struct look *l, const struct red *x, const struct rung *rung, int days, struct json *j) {
    const struct indicator *i = &l->p->indicator[x->indicator];
    const struct list_item *means = list_find(l->p->plan.means, str_of(rung->means));
    char v[ZB_FIX_CAP];
    const char *value = zb_fix_text((zb_fix)llround(x->value * 1e6), v);
    json_obj(j);
    kv_z(j, "area", x->area);
    kv_z(j, "area_name", look_name(l, x->area));
    kv_z(j, "indicator", i->id);
    kv_z(j, "zh", i->zh);
    kv_z(j, "en", i->en);
    kv_i(j, "days", days);
    kv_z(j, "means", rung->means);
    kv_z(j, "means_zh", means ? means->zh : rung->means);
    kv_z(j, "means_en", means ? means->en : rung->means);
    kv_z(j, "why_zh", arena_printf(l->arena, "%s %s：%s，现值%s%s，红灯已%d天", i->id, i->zh, x->zh, value, i->unit, days));
    kv_z(j, "why_en", arena_printf(l->arena, "%s %s: %s, now %s %s, red for %d days", i->id, i->en, x->en, value, i->unit, days));
    json_end(j);
}

int view_proposals(struct look *l, struct json *j, struct zb_err *e) {
    struct red *x;
    int n, rc = reds_read(l, &x, &n, e);
    int32_t today = zb_day_of(l->now);
    if (rc != ZB_OK) return rc;
    json_obj(j);
    kv_z(j, "area", l->area);
    json_key(j, "proposals");
    json_arr(j);
    for (int i = 0; i < n && rc == ZB_OK; i++) {
        int days = today - x[i].since, taken = -1;
        bool waits = false;
        rc = rung_taken(l, l->p->indicator[x[i].indicator].id, x[i].area, &waits, &taken, e);
        if (rc != ZB_OK || waits || taken + 1 >= l->p->light.rungs || days < l->p->light.rung[taken + 1].days) continue;
        proposal_json(l, &x[i], &l->p->light.rung[taken + 1], days, j);
    }
    json_arr_end(j);
    json_end(j);
    free(x);
    return rc;
}

/* ---- reported beside computed ---- */
struct reported {
    int64_t rec;
    char area[8], indicator[64], proof[200], signer[64];
    int32_t day;
    double value, a, b;
    bool sums, valid;
};

static int reported_read(struct look *l, int32_t day, struct reported **ret, int *n, struct zb_err *e) {
    int cap = 0, r;
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_printf(&b,
               "select t.rec,t.area,t.indicator,t.day,t.value,t.a,t.b,t.proof,t.signer,t.valid from (%s) t where t.day=?1 order by t.indicator,t.area,t.valid "
               "desc,t.rec desc",
               l->p->light.reported_sql);
    *ret = NULL;
    *n = 0;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, day);
    while ((r = stmt_row(q, e)) == 1) {
        struct reported x = {.rec = stmt_col_i64(q, 0),
                             .day = (int32_t)stmt_col_i64(q, 3),
                             .value = stmt_col_real(q, 4),
                             .a = stmt_col_real(q, 5),
                             .b = stmt_col_real(q, 6),
                             .sums = !stmt_col_null(q, 5) && !stmt_col_null(q, 6),
                             .valid = stmt_col_i64(q, 9) != 0};
        str_copy(stmt_col_text(q, 1), x.area, sizeof x.area);
        str_copy(stmt_col_text(q, 2), x.indicator, sizeof x.indicator);
        str_copy(stmt_col_text(q, 7), x.proof, sizeof x.proof);
        str_copy(stmt_col_text(q, 8), x.signer, sizeof x.signer);
        if (!within(x.area, l->area)) continue;
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 128) * sizeof **ret);
        (*ret)[(*n)++] = x;
    }
    return r;
}

static int reported_latest(struct look *l, int32_t *day, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_printf(&b, "select max(t.day) from (%s) t", l->p->light.reported_sql);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    *day = r == 1 && !stmt_col_null(q, 0) ? (int32_t)stmt_col_i64(q, 0) : zb_day_of(l->now);
    return r < 0 ? r : ZB_OK;
}

/* What the areas one level below reported, summed: of shares met and out of, of counts the values. */
static void below_json(const struct look *l, const struct reported *x, int n, const struct reported *of, struct json *j) {
    const struct indicator *i = NULL;
    int at = policy_indicator(l->p, str_of(of->indicator)), areas = 0;
    double a = 0, b = 0, value = 0;
    bool sums = true, city = !strcmp(of->area + 2, "0000");
    if (at >= 0) i = &l->p->indicator[at];
    for (int k = 0; k < n; k++) {
        bool child = city ? !strcmp(x[k].area + 4, "00") && strcmp(x[k].area, of->area)
                          : strcmp(x[k].area + 4, "00") && !strncmp(x[k].area, of->area, 4) && !strcmp(of->area + 4, "00");
        if (!child || !x[k].valid || strcmp(x[k].indicator, of->indicator)) continue;
        areas++;
        a += x[k].a;
        b += x[k].b;
        value += x[k].value;
        sums &= x[k].sums;
    }
    kv_i(j, "below_areas", areas);
    bool share = i && i->kind == IK_SHARE, count = i && i->kind == IK_COUNT;
    key_real(j, "below_value", areas && ((share && sums && b != 0) || count), share ? (b != 0 ? 100 * a / b : 0) : value);
}

static void reported_json(struct look *l, const struct reported *x, int n, const struct reported *of, const struct area_figure *a, int many, struct json *j) {
    int at = policy_indicator(l->p, str_of(of->indicator));
    const struct area_figure *f = NULL;
    for (int k = 0; k < many; k++)
        if (!strcmp(a[k].area, of->area)) f = &a[k];
    bool there = f && f->has == FIGURE_VALUE;
    json_obj(j);
    kv_z(j, "indicator", of->indicator);
    kv_z(j, "zh", at >= 0 ? l->p->indicator[at].zh : "政策中无此指标");
    kv_z(j, "en", at >= 0 ? l->p->indicator[at].en : "no indicator of the policy");
    kv_z(j, "unit", at >= 0 ? l->p->indicator[at].unit : "");
    kv_z(j, "area", of->area);
    kv_z(j, "area_name", look_name(l, of->area));
    key_day(j, "day", of->day);
    kv_i(j, "id", of->rec);
    key_real(j, "reported", true, of->value);
    key_real(j, "reported_a", of->sums, of->a);
    key_real(j, "reported_b", of->sums, of->b);
    kv_z(j, "proof", of->proof);
    kv_z(j, "signer", of->signer);
    json_key(j, "corrected");
    json_bool(j, !of->valid);
    key_real(j, "computed", there, there ? f->value : 0);
    key_real(j, "computed_a", there, there ? f->f.a : 0);
    key_real(j, "computed_b", there, there ? f->f.b : 0);
    key_real(j, "difference", there, there ? of->value - f->value : 0);
    below_json(l, x, n, of, j);
    json_end(j);
}

int view_reported(struct look *l, int32_t day, struct json *j, struct zb_err *e) {
    struct reported *x = NULL;
    struct area_figure **a = xcalloc((size_t)l->p->indicators + 1, sizeof *a);
    int *many = xcalloc((size_t)l->p->indicators + 1, sizeof *many), n = 0, rc = ZB_OK;
    bool *want = xcalloc((size_t)l->p->indicators + 1, 1);
    uint64_t uses[4] = {0};
    struct other_day past = {0};
    if (day == INT32_MAX) rc = reported_latest(l, &day, e);
    if (rc == ZB_OK) rc = reported_read(l, day, &x, &n, e);
    for (int k = 0; k < n && rc == ZB_OK; k++) {
        int at = policy_indicator(l->p, str_of(x[k].indicator));
        if (at < 0) continue;
        want[at] = true;
        for (int p = 0; p < l->p->indicator[at].parts_n; p++) want[l->p->indicator[at].part[p]] = true;
    }
    for (int i = 0; i < l->p->indicators; i++)
        for (int k = 0; k < 4 && want[i]; k++) uses[k] |= l->p->indicator[i].uses[k];
    if (rc == ZB_OK && n) rc = past_open(l->path, l->p, uses, past_end_of(day), l->known == ZB_TIME_NONE ? l->now : l->known, &past, e);
    if (rc == ZB_OK && n) rc = past_areas(&past, l->p, want, a, many, e);
    past_close(&past);
    if (rc == ZB_OK) {
        json_obj(j);
        kv_z(j, "area", l->area);
        key_day(j, "day", day);
        json_key(j, "figures");
        json_arr(j);
        for (int k = 0; k < n; k++) {
            int at = policy_indicator(l->p, str_of(x[k].indicator));
            if (at < 0 || look_shows(l, &l->p->indicator[at])) reported_json(l, x, n, &x[k], at >= 0 ? a[at] : NULL, at >= 0 ? many[at] : 0, j);
        }
        json_arr_end(j);
        json_end(j);
    }
    for (int i = 0; i < l->p->indicators; i++) free(a[i]);
    free(a);
    free(many);
    free(want);
    free(x);
    return rc;
}
