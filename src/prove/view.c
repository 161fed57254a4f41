#include "ledger/ledger.h"
#include "prove/key.h"
#include "prove/look.h"
#include <stdio.h>
#include <stdlib.h>

static const char *target_text(const struct look *l, const struct indicator *x) {
    static const char *const SIGN[] = {"≥", ">", "≤", "<"};
    char v[ZB_FIX_CAP];
    if (x->aim == AIM_RISING) return "↑";
    if (x->aim == AIM_FALLING) return "↓";
    if (x->aim == AIM_NONE) return "";
    return arena_printf(l->arena, "%s%s", SIGN[x->aim], zb_fix_text((zb_fix)llround(x->target * 1e6), v));
}

static bool uses_column(const struct indicator *x, char c) {
    static const char *const OF[INDICATOR_KINDS_N] = {
        [IK_SHARE] = "ab",  [IK_RATIO] = "ab",       [IK_COUNT] = "a",          [IK_LEAST] = "",  [IK_FALL] = "ac",
        [IK_GROWTH] = "ac", [IK_RATE_FALL] = "abcd", [IK_RATE_GROWTH] = "abcd", [IK_MEAN_OF] = ""};
    return strchr(OF[x->kind], c) != NULL;
}

static void figure_json(const struct look *l, const struct indicator *x, const struct area_figure *a, struct json *j) {
    const struct forecast *f = &a->in.forecast;
    kv_z(j, "light", LIGHT_KEY[a->out.light]);
    kv_z(j, "why_zh", a->out.zh);
    kv_z(j, "why_en", a->out.en);
    key_real(j, "value", a->has == FIGURE_VALUE, a->value);
    kv_z(j, "unit", x->unit);
    kv_z(j, "target", target_text(l, x));
    key_real(j, "a", uses_column(x, 'a'), a->f.a);
    key_real(j, "b", uses_column(x, 'b'), a->f.b);
    key_real(j, "base_a", uses_column(x, 'c'), a->f.c);
    key_real(j, "base_b", uses_column(x, 'd'), a->f.d);
    kv_i(j, "cases", a->f.n);
    kv_i(j, "missing", a->f.missing);
    key_day(j, "due", a->due);
    key_real(j, "year_before", a->in.has_before, a->in.before);
    key_real(j, "path", a->out.has_path, a->out.path);
    key_real(j, "forecast", f->given, f->at);
    key_real(j, "forecast_low", f->given, f->low);
    key_real(j, "forecast_high", f->given, f->high);
}

static void words_json(const struct look *l, const struct indicator *x, struct json *j) {
    kv_z(j, "of", x->of);
    kv_z(j, "kind_of", INDICATOR_KIND_KEY[x->kind]);
    kv_z(j, "cycle", INDICATOR_CYCLE_KEY[x->cycle]);
    json_key(j, "strive");
    json_bool(j, x->strive);
    json_key(j, "proxy");
    json_bool(j, x->proxy);
    kv_z(j, "assumed", x->assumed);
    kv_z(j, "note_zh", x->note_zh);
    kv_z(j, "note_en", x->note_en);
    kv_z(j, "reading_of", x->reading_of >= 0 ? l->p->indicator[x->reading_of].id : NULL);
    kv_z(j, "ambiguity", x->ambiguity);
    kv_z(j, "reading_zh", x->reading_zh);
    kv_z(j, "reading_en", x->reading_en);
    kv_z(j, "signed_by", x->signed_by);
}

/* ---- lights of requirements ---- */
static bool serves(const struct plan_requirement *q, const char *id) { return word_in(q->indicators, str_of(id)); }

struct worst {
    enum light light;
    int at, n[LIGHTS_N]; /* at: indicator, -1 none */
};
static struct worst worst_of(const struct look *l, const struct plan_requirement *q, const struct area_figure *a, const bool *there) {
    struct worst w = {LIGHT_NO_CASE, -1, {0}};
    for (int i = 0; i < l->p->indicators; i++) {
        const struct indicator *x = &l->p->indicator[i];
        if (x->reading_of >= 0 || !there[i] || !look_shows(l, x) || !serves(q, x->id)) continue;
        enum light k = a[i].out.light;
        if (q->strive && k == LIGHT_RED) k = LIGHT_AMBER;
        w.n[k]++;
        if (w.at < 0 || light_rank(k) > light_rank(w.light)) {
            w.light = k;
            w.at = i;
        }
    }
    return w;
}

/* ---- the plan ---- */
static void head_json(const struct look *l, int64_t frozen, struct json *j) {
    kv_z(j, "area", l->mine[0] ? l->mine : l->area);
    kv_z(j, "area_name", look_name(l, l->area));
    kv_t(j, "asof", l->asof);
    kv_t(j, "known", l->known);
    json_key(j, "frozen");
    if (frozen)
        json_i64(j, frozen);
    else
        json_none(j);
    kv_z(j, "policy", l->p->hash);
}

static void indicator_line(const struct look *l, int i, const struct area_figure *a, struct json *j) {
    const struct indicator *x = &l->p->indicator[i];
    json_obj(j);
    kv_z(j, "line", "indicator");
    kv_z(j, "id", x->id);
    kv_z(j, "zh", x->zh);
    kv_z(j, "en", x->en);
    figure_json(l, x, a, j);
    words_json(l, x, j);
    json_end(j);
}

static void requirement_line(const struct look *l, const struct plan_area *g, const struct plan_task *t, const struct plan_requirement *q,
                             const struct area_figure *a, const bool *there, struct json *j) {
    struct worst w = worst_of(l, q, a, there);
    json_obj(j);
    kv_z(j, "line", "requirement");
    kv_z(j, "id", q->id);
    kv_z(j, "zh", q->name.zh);
    kv_z(j, "en", q->name.en);
    kv_z(j, "light", LIGHT_KEY[w.light]);
    kv_z(j, "why_zh", w.at >= 0 ? a[w.at].out.zh : "无指标数据，凭台账录入证明");
    kv_z(j, "why_en", w.at >= 0 ? a[w.at].out.en : "no figure: proved by what is entered");
    kv_z(j, "worst", w.at >= 0 ? l->p->indicator[w.at].id : NULL);
    kv_z(j, "plan_area", g->key);
    kv_z(j, "task", t->id);
    kv_z(j, "lead", q->lead[0] ? q->lead : t->lead);
    kv_z(j, "who", q->who);
    kv_z(j, "test", PLAN_TEST_KEY[q->test]);
    key_day(j, "due", q->due == PLAN_DAY_NONE ? INT32_MAX : q->due);
    kv_z(j, "when_zh", q->when.zh);
    kv_z(j, "when_en", q->when.en);
    kv_z(j, "target_zh", q->target.zh);
    kv_z(j, "target_en", q->target.en);
    kv_z(j, "indicators", q->indicators);
    kv_z(j, "ledgers", q->ledgers);
    kv_z(j, "rules", q->rules);
    kv_z(j, "basis", PLAN_BASIS_KEY[q->basis]);
    kv_z(j, "after_end", PLAN_AFTER_KEY[q->after]);
    json_end(j);
}

static bool begins(const char *id, struct str with) { /* "T08.1" begins with "T08" and with "T08.1" */
    return !with.n || (!strncmp(id, with.p, with.n) && (!id[with.n] || id[with.n] == '.' || id[with.n] == '/'));
}

static void want_find(const struct look *l, struct str only, bool *want) {
    for (int i = 0; i < l->p->indicators; i++) want[i] = begins(l->p->indicator[i].id, only) && look_shows(l, &l->p->indicator[i]);
    for (int g = 0; g < l->p->areas; g++)
        for (int t = 0; t < l->p->area[g].tasks; t++)
            for (int k = 0; k < l->p->area[g].task[t].requirements; k++) {
                const struct plan_requirement *q = &l->p->area[g].task[t].requirement[k];
                for (int i = 0; i < l->p->indicators && begins(q->id, only); i++)
                    want[i] |= serves(q, l->p->indicator[i].id) && look_shows(l, &l->p->indicator[i]);
            }
}

int view_plan(struct look *l, struct str only, struct json *j, struct zb_err *e) {
    int n = l->p->indicators;
    struct area_figure *a = arena_alloc(l->arena, (size_t)(n + 1) * sizeof *a);
    bool *there = arena_alloc(l->arena, (size_t)n + 1), *want = arena_alloc(l->arena, (size_t)n + 1), *shown = arena_alloc(l->arena, (size_t)n + 1);
    int64_t frozen;
    if (!a || !there || !want || !shown) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    want_find(l, only, want);
    memcpy(shown, want, (size_t)n);
    if (look_figures(l, want, a, there, &frozen, e) != ZB_OK) return e->rc;
    json_obj(j);
    head_json(l, frozen, j);
    json_key(j, "lines");
    json_arr(j);
    for (int g = 0; g < l->p->areas; g++)
        for (int t = 0; t < l->p->area[g].tasks; t++)
            for (int k = 0; k < l->p->area[g].task[t].requirements; k++) {
                const struct plan_requirement *q = &l->p->area[g].task[t].requirement[k];
                bool own = false;
                for (int i = 0; i < n; i++) own |= there[i] && serves(q, l->p->indicator[i].id) && look_shows(l, &l->p->indicator[i]);
                if (begins(q->id, only) && (own || !l->mine[0])) requirement_line(l, &l->p->area[g], &l->p->area[g].task[t], q, a, there, j);
            }
    for (int i = 0; i < n; i++)
        if (there[i] && shown[i]) indicator_line(l, i, &a[i], j);
    json_arr_end(j);
    json_end(j);
    return ZB_OK;
}

/* ---- one indicator ---- */
static int months_json(struct look *l, const struct indicator *x, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(l->db, "select day,has,value,a,b,known from prove_month where indicator=?1 and area=?2 order by day", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    stmt_z(q, 2, l->area);
    json_key(j, "months");
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(j);
        key_day(j, "day", (int32_t)stmt_col_i64(q, 0));
        key_real(j, "value", stmt_col_i64(q, 1) == FIGURE_VALUE, stmt_col_real(q, 2));
        key_real(j, "a", true, stmt_col_real(q, 3));
        key_real(j, "b", true, stmt_col_real(q, 4));
        kv_t(j, "known", stmt_col_time(q, 5));
        json_end(j);
    }
    json_arr_end(j);
    return r;
}

static void below_json(const char *code, const char *name, struct stmt *q, struct json *j) { /* n a b value has light zh en from column 2 */
    json_obj(j);
    kv_z(j, "area", code);
    kv_z(j, "area_name", name);
    kv_z(j, "light", LIGHT_KEY[stmt_col_i64(q, 6)]);
    json_key(j, "why_zh");
    json_str(j, stmt_col_text(q, 7));
    json_key(j, "why_en");
    json_str(j, stmt_col_text(q, 8));
    key_real(j, "value", stmt_col_i64(q, 5) == FIGURE_VALUE, stmt_col_real(q, 4));
    key_real(j, "a", true, stmt_col_real(q, 2));
    key_real(j, "b", true, stmt_col_real(q, 3));
    kv_i(j, "cases", stmt_col_i64(q, 1));
    json_end(j);
}

bool look_below(const char *code, const char *of) { /* the next level down */
    if (!strcmp(code, of)) return false;
    bool city = !strcmp(code + 4, "00");
    if (!strcmp(of + 2, "0000")) return city && strcmp(code + 2, "0000");
    return !strcmp(of + 4, "00") && !city && !strncmp(code, of, 4);
}

static int areas_below_json(struct look *l, const struct indicator *x, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select area,n,a,b,value,has,light,zh,en from prove_area where indicator=?1 order by area", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        char code[8];
        str_copy(stmt_col_text(q, 0), code, sizeof code);
        if (look_below(code, l->area)) below_json(code, look_name(l, code), q, j);
    }
    return r;
}

static int mines_below_json(struct look *l, const struct indicator *x, struct json *j, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1000);
    buf_printf(&b,
               "select p.mine,p.a,p.b,p.c,p.d,p.least,p.n,p.missing,p.has,p.value,s.\"%s\" from prove_base p join l_%s s on s.\"%s\"=p.mine where "
               "p.indicator=?1 and p.area=?2 order by p.mine",
               l->p->site.name, l->p->site.ledger, l->p->site.code);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    stmt_z(q, 2, l->area);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        static const struct trends NONE;
        struct area_figure a = {0};
        keep_sums(q, 1, &a.f, &a.has, &a.value);
        trend_use(x, &l->p->light, &NONE, zb_day_of(l->now), &a);
        json_obj(j);
        json_key(j, "area");
        json_str(j, stmt_col_text(q, 0));
        json_key(j, "area_name");
        json_str(j, stmt_col_text(q, 10));
        kv_z(j, "light", LIGHT_KEY[a.out.light]);
        kv_z(j, "why_zh", a.out.zh);
        kv_z(j, "why_en", a.out.en);
        key_real(j, "value", a.has == FIGURE_VALUE, a.value);
        key_real(j, "a", true, a.f.a);
        key_real(j, "b", true, a.f.b);
        kv_i(j, "cases", a.f.n);
        json_end(j);
    }
    return r;
}

static int indicator_ask(struct look *l, struct str id, int *at, struct zb_err *e) {
    *at = policy_indicator(l->p, id);
    if (*at >= 0 && look_shows(l, &l->p->indicator[*at])) return ZB_OK;
    return zb_fail(e, ZB_E_ABSENT, "no indicator \"%.*s\" that you see: see /api/v1/plan", id.n > 40 ? 40 : (int)id.n, id.p ? id.p : "");
}

int view_indicator(struct look *l, struct str id, struct json *j, struct zb_err *e) {
    int at, n = l->p->indicators;
    int64_t frozen;
    if (indicator_ask(l, id, &at, e) != ZB_OK) return e->rc;
    struct area_figure *a = arena_alloc(l->arena, (size_t)(n + 1) * sizeof *a);
    bool *there = arena_alloc(l->arena, (size_t)n + 1), *want = arena_alloc(l->arena, (size_t)n + 1);
    if (!a || !there || !want) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    want[at] = true;
    if (look_figures(l, want, a, there, &frozen, e) != ZB_OK) return e->rc;
    const struct indicator *x = &l->p->indicator[at];
    if (!there[at]) a[at] = (struct area_figure){.has = FIGURE_NO_CASE, .due = INT32_MAX, .out = {LIGHT_NO_CASE, "无此类情形", "no case", false, 0}};
    json_obj(j);
    head_json(l, frozen, j);
    kv_z(j, "id", x->id);
    kv_z(j, "zh", x->zh);
    kv_z(j, "en", x->en);
    kv_z(j, "source", x->source);
    kv_z(j, "sql", x->sql);
    figure_json(l, x, &a[at], j);
    words_json(l, x, j);
    if (months_json(l, x, j, e) != ZB_OK) return e->rc;
    json_key(j, "below");
    json_arr(j);
    int rc = l->mine[0] ? ZB_OK : strcmp(l->area + 4, "00") ? mines_below_json(l, x, j, e) : areas_below_json(l, x, j, e);
    json_arr_end(j);
    json_end(j);
    return rc;
}
