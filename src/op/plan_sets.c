/* The plan of an area as sets of a report: what the plan room shows, asked once and put into rows. */
#include "op/paper_sets.h"
#include "prove/view.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *key, *zh;
} LIGHT_ZH[] = {{"green", "达到"},     {"amber", "预警"},         {"red", "未达到"},  {"not_due", "未到期"},
                {"no_data", "无数据"}, {"no_case", "无此类情形"}, {"shown", "仅展示"}};
enum { RED = 2, NO_DATA = 4, NO_CASE = 5, COUNTED = 7 };

static int light_at(const json_t *o) {
    for (int i = 0; i < COUNTED; i++)
        if (!strcmp(member_text(o, "light"), LIGHT_ZH[i].key)) return i;
    return COUNTED - 1;
}
static zb_fix rounded(zb_fix v) { return v == ZB_FIX_NONE ? v : (v + (v < 0 ? -5000 : 5000)) / 10000 * 10000; } /* two decimals, as people write them */

struct sums { /* of requirements, by light */
    int n, light[COUNTED];
};
static void sum(struct sums *s, int light) {
    s->n++;
    s->light[light]++;
}
static void sums_put(struct sheaf *s, const struct sums *a) { /* green amber red not_due no_data */
    for (int i = 0; i < 5; i++) sheaf_i64(s, a->light[i]);
}

struct plan_ask {
    struct paper_ask *a;
    const struct policy *p;
    struct arena *arena;
    const json_t *lines, *report;
    int32_t day;
    int differing, reported;
};

/* Names of actors for their codes. */
static const char *actors(const struct plan_ask *k, const char *codes) {
    ZB_AUTO(buf_done) struct buf b;
    struct str rest = str_of(codes);
    buf_init(&b, 2000);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        const struct list_item *it = k->p->plan.actors ? list_find(k->p->plan.actors, w) : NULL;
        if (!w.n) continue;
        if (b.n) buf_puts(&b, "、");
        if (it)
            buf_puts(&b, it->zh);
        else
            buf_put(&b, w.p, w.n);
    }
    char *z = arena_str(k->arena, buf_str(&b));
    return z ? z : "";
}

/* The requirement line an indicator stands for first; NULL: a goal's. */
static const json_t *requirement_of(const struct plan_ask *k, const char *id) {
    size_t i;
    const json_t *o;
    json_array_foreach((json_t *)k->lines, i,
                       o) if (!strcmp(member_text(o, "line"), "requirement") && word_in(member_text(o, "indicators"), str_of(id))) return o;
    return NULL;
}

static const char *due_text(const json_t *o) { return member_text(o, "due"); }

static int days_late(const struct plan_ask *k, const json_t *o) {
    int32_t due;
    return zb_day_parse(str_of(due_text(o)), &due) && due < k->day ? k->day - due : 0;
}

/* What the area reported; NULL: nothing. */
static const json_t *reported_of(const struct plan_ask *k, const json_t *line) {
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(k->report, "reported"), i, o) if (!strcmp(member_text(o, "indicator"), member_text(line, "id"))) return o;
    return NULL;
}

/* Reported less computed; NONE unless both are there and of the same day: figures of different days are not compared. */
static zb_fix difference(const struct plan_ask *k, const json_t *line, const json_t *reported) {
    zb_fix value = rounded(member_fix(line, "value")), said = rounded(member_fix(reported, "value"));
    int32_t day;
    bool same = zb_day_parse(str_of(member_text(reported, "day")), &day) && day == k->day;
    return same && value != ZB_FIX_NONE && said != ZB_FIX_NONE ? said - value : ZB_FIX_NONE;
}

/* One row of `indicator`, `goal` or `differ`. */
static void indicator_put(struct plan_ask *k, const char *area, const char *name, const json_t *o) {
    struct sheaf *s = k->a->s;
    const json_t *said = reported_of(k, o);
    zb_fix value = rounded(member_fix(o, "value")), reported = rounded(member_fix(said, "value"));
    sheaf_z(s, area);
    sheaf_z(s, member_text(o, "id"));
    sheaf_z(s, name);
    sheaf_z(s, member_text(o, "unit"));
    sheaf_z(s, member_text(o, "target"));
    sheaf_z(s, due_text(o));
    if (value == ZB_FIX_NONE)
        sheaf_z(s, light_at(o) == NO_CASE ? "—" : "无数据");
    else
        sheaf_fix(s, value);
    if (reported == ZB_FIX_NONE)
        sheaf_z(s, "未上报");
    else
        sheaf_fix(s, reported);
    sheaf_fix(s, difference(k, o, said));
    sheaf_z(s, member_text(said, "day"));
    sheaf_z(s, member_text(said, "signer"));
    sheaf_z(s, LIGHT_ZH[light_at(o)].zh);
    sheaf_z(s, member_text(o, "why_zh"));
}

static void indicators(struct plan_ask *k) {
    size_t i;
    const json_t *o;
    sheaf_set(k->a->s, "indicator", facts_columns(FACTS_PLAN, "indicator"));
    json_array_foreach((json_t *)k->lines, i, o) {
        const json_t *q = strcmp(member_text(o, "line"), "indicator") ? NULL : requirement_of(k, member_text(o, "id"));
        if (q && !member_text(o, "reading_of")[0]) indicator_put(k, member_text(q, "plan_area"), member_text(o, "zh"), o);
    }
    sheaf_set(k->a->s, "reading", facts_columns(FACTS_PLAN, "reading"));
    json_array_foreach((json_t *)k->lines, i, o) {
        if (strcmp(member_text(o, "line"), "indicator") || !member_text(o, "reading_of")[0]) continue;
        sheaf_z(k->a->s, member_text(o, "id"));
        sheaf_z(k->a->s, member_text(o, "zh"));
        sheaf_z(k->a->s, member_text(o, "reading_of"));
        sheaf_z(k->a->s, member_text(o, "reading_zh"));
        sheaf_fix(k->a->s, rounded(member_fix(o, "value")));
        sheaf_z(k->a->s, member_text(o, "unit"));
        sheaf_z(k->a->s, member_text(o, "signed_by")[0] ? member_text(o, "signed_by") : "尚未签认");
    }
    sheaf_set(k->a->s, "differ", facts_columns(FACTS_PLAN, "differ"));
    json_array_foreach((json_t *)k->lines, i, o) {
        const json_t *said = strcmp(member_text(o, "line"), "indicator") ? NULL : reported_of(k, o);
        if (!said) continue;
        k->reported++;
        zb_fix d = difference(k, o, said);
        if (d == ZB_FIX_NONE || d == 0) continue;
        k->differing++;
        indicator_put(k, "", member_text(o, "zh"), o);
    }
}

static void goals(struct plan_ask *k) {
    sheaf_set(k->a->s, "goal", facts_columns(FACTS_PLAN, "goal"));
    for (int g = 0; g < k->p->plan.goals; g++) {
        const struct plan_goal *goal = &k->p->plan.goal[g];
        size_t i;
        const json_t *o;
        json_array_foreach((json_t *)k->lines, i, o) if (!strcmp(member_text(o, "line"), "indicator") && !member_text(o, "reading_of")[0] &&
                                                         word_in(goal->indicators, str_of(member_text(o, "id")))) indicator_put(k, "", goal->name.zh, o);
    }
}

/* Months of the indicators, with the target beside where it is a number. */
static void trends(struct plan_ask *k) {
    size_t i;
    const json_t *m;
    sheaf_set(k->a->s, "trend", facts_columns(FACTS_PLAN, "trend"));
    json_array_foreach(json_object_get(k->report, "months"), i, m) {
        int at = policy_indicator(k->p, str_of(member_text(m, "indicator")));
        if (at < 0) continue;
        const struct indicator *x = &k->p->indicator[at];
        bool target = x->aim == AIM_MIN || x->aim == AIM_ABOVE || x->aim == AIM_MAX || x->aim == AIM_BELOW;
        sheaf_z(k->a->s, x->id);
        sheaf_put(k->a->s, (struct str){member_text(m, "day"), 7}, ZB_FIX_NONE);
        sheaf_fix(k->a->s, rounded(member_fix(m, "value")));
        sheaf_fix(k->a->s, target ? (zb_fix)llround(x->target * 1e6) : ZB_FIX_NONE);
    }
}

static void requirement_put(struct plan_ask *k, const json_t *o) {
    struct sheaf *s = k->a->s;
    sheaf_z(s, member_text(o, "plan_area"));
    sheaf_z(s, member_text(o, "id"));
    sheaf_z(s, member_text(o, "zh"));
    sheaf_z(s, actors(k, member_text(o, "lead")));
    sheaf_z(s, due_text(o)[0] ? due_text(o) : member_text(o, "when_zh"));
    sheaf_z(s, member_text(o, "target_zh"));
    sheaf_z(s, member_text(o, "worst")[0] ? LIGHT_ZH[light_at(o)].zh : "凭录入证明");
    sheaf_z(s, member_text(o, "why_zh"));
}

static void requirements(struct plan_ask *k, struct sums *all, struct sums *by_area, int *late, int *gaps) {
    struct sheaf *s = k->a->s;
    size_t i;
    const json_t *o;
    sheaf_set(s, "requirement", facts_columns(FACTS_PLAN, "requirement"));
    json_array_foreach((json_t *)k->lines, i, o) {
        if (strcmp(member_text(o, "line"), "requirement")) continue;
        int light = light_at(o);
        requirement_put(k, o);
        sum(all, light);
        for (int g = 0; g < k->p->areas; g++)
            if (!strcmp(k->p->area[g].key, member_text(o, "plan_area"))) sum(&by_area[g], light);
    }
    sheaf_set(s, "late", facts_columns(FACTS_PLAN, "late"));
    json_array_foreach((json_t *)k->lines, i, o) {
        bool red = light_at(o) == RED || light_at(o) == NO_DATA; /* not reached, or nothing to show it by */
        if (strcmp(member_text(o, "line"), "requirement") || !red || !days_late(k, o)) continue;
        ++*late;
        sheaf_z(s, member_text(o, "id"));
        sheaf_z(s, member_text(o, "zh"));
        sheaf_z(s, actors(k, member_text(o, "lead")));
        sheaf_z(s, due_text(o));
        sheaf_i64(s, days_late(k, o));
        sheaf_z(s, member_text(o, "why_zh"));
    }
    sheaf_set(s, "gap", facts_columns(FACTS_PLAN, "gap"));
    json_array_foreach((json_t *)k->lines, i, o) {
        if (strcmp(member_text(o, "line"), "indicator") || light_at(o) != NO_DATA || member_text(o, "reading_of")[0]) continue;
        ++*gaps;
        sheaf_z(s, member_text(o, "id"));
        sheaf_z(s, member_text(o, "zh"));
        sheaf_z(s, member_text(o, "why_zh"));
    }
}

static void below(struct plan_ask *k) {
    struct sheaf *s = k->a->s;
    size_t i;
    const json_t *o;
    sheaf_set(s, "below", facts_columns(FACTS_PLAN, "below"));
    json_array_foreach(json_object_get(k->report, "below"), i, o) {
        int64_t n[COUNTED], judged = 0;
        for (int c = 0; c < COUNTED; c++) n[c] = json_integer_value(json_object_get(o, LIGHT_ZH[c].key));
        judged = n[0] + n[1] + n[2] + n[4];
        sheaf_z(s, member_text(o, "area"));
        sheaf_z(s, member_text(o, "area_name"));
        for (int c = 0; c < 5; c++) sheaf_i64(s, n[c]);
        sheaf_fix(s, judged ? rounded((zb_fix)(n[0] * 100 * ZB_FIX_ONE / judged)) : ZB_FIX_NONE);
    }
    sheaf_set(s, "evidence", facts_columns(FACTS_PLAN, "evidence"));
    json_array_foreach(json_object_get(k->report, "records"), i, o) {
        sheaf_z(s, member_text(o, "ledger"));
        sheaf_z(s, member_text(o, "zh"));
        sheaf_i64(s, json_integer_value(json_object_get(o, "n")));
    }
}

static void all_put(struct plan_ask *k) {
    struct sheaf *s = k->a->s;
    struct sums all = {0}, *by_area = xcalloc((size_t)k->p->areas + 1, sizeof *by_area);
    int late = 0, gaps = 0;
    indicators(k);
    goals(k);
    trends(k);
    requirements(k, &all, by_area, &late, &gaps);
    below(k);
    sheaf_set(s, "area", facts_columns(FACTS_PLAN, "area"));
    for (int g = 0; g < k->p->areas; g++) {
        sheaf_z(s, k->p->area[g].key);
        sheaf_z(s, k->p->area[g].name.zh);
        sheaf_i64(s, by_area[g].n);
        sums_put(s, &by_area[g]);
    }
    sheaf_set(s, "plan", facts_columns(FACTS_PLAN, "plan"));
    sheaf_z(s, k->p->plan.name.zh);
    sheaf_z(s, k->p->plan.number);
    sheaf_date(s, k->p->plan.from, true);
    sheaf_date(s, k->p->plan.to, true);
    sheaf_i64(s, all.n);
    sums_put(s, &all);
    sheaf_i64(s, k->reported);
    sheaf_i64(s, k->differing);
    sheaf_i64(s, late);
    sheaf_i64(s, gaps);
    free(by_area);
}

/* Runs one view and reads its JSON. */
typedef int view_fn(struct look *l, struct json *j, struct zb_err *e);
static int plan_view(struct look *l, struct json *j, struct zb_err *e) { return view_plan(l, STR(""), j, e); }
static json_t *viewed(struct look *l, view_fn *fn, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    json_error_t err;
    buf_init(&b, (size_t)64 << 20);
    json_init(&j, &b);
    if (fn(l, &j, e) != ZB_OK) return NULL;
    json_t *o = b.over ? NULL : json_loadb(b.p, b.n, 0, &err);
    if (!o) zb_fail(e, ZB_E_LIMIT, "the figures are too many for one report");
    return o;
}

int sets_of_plan(struct paper_ask *a, struct zb_err *e) {
    char path[600];
    struct op_call *c = a->c;
    size_t n = strlen(a->area);
    const char *level = n == 2 ? "province" : n == 4 ? "city" : "county";
    if (!word_in(a->l->levels, str_of(level)))
        return zb_fail(e, ZB_E_INPUT, "%s %s is made for: %s; %s is a %s", a->l->key, a->l->zh, a->l->levels, a->area, level);
    engine_records(c->en, path, sizeof path);
    struct other_day past = {0}; /* one for all views of the report */
    struct look l = look_new(c->db, c->policy, &c->actor, path);
    l.past = &past;
    if (a->asof != INT32_MIN) l.asof = past_end_of(a->asof);
    if (a->known != INT32_MIN) l.known = past_end_of(a->known);
    int rc = look_area(&l, str_of(a->area), e);
    if (rc == ZB_OK && l.asof == ZB_TIME_NONE && l.known == ZB_TIME_NONE) rc = engine_figures(c->en, e);
    json_t *plan = rc == ZB_OK ? viewed(&l, plan_view, e) : NULL, *report = plan ? viewed(&l, view_report, e) : NULL;
    struct plan_ask k = {.a = a,
                         .p = c->policy,
                         .arena = l.arena,
                         .lines = json_object_get(plan, "lines"),
                         .report = report,
                         .day = a->asof == INT32_MIN ? zb_day_of(l.now) : a->asof};
    if (report) all_put(&k);
    json_decref(plan);
    json_decref(report);
    past_close(&past);
    look_end(&l);
    return report ? ZB_OK : e->rc;
}
