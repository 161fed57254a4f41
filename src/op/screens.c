/* Daily screens, lists of the policy and statistics: what screens.yaml and statistics.yaml declare, for whoever asks. */
#include "ledger/ledger.h"
#include "op/fns.h"
#include "prove/statistic.h"
#include "prove/view.h"
#include "sheet/sheet.h"
#include <stdio.h>

int op_list(struct op_call *c, struct zb_err *e) {
    struct str key = op_text(c, "list");
    for (int i = 0; i < c->policy->lists; i++)
        if (str_is(key, c->policy->list[i].key)) {
            list_json(&c->policy->list[i], c->out);
            return ZB_OK;
        }
    return zb_fail(e, ZB_E_ABSENT, "no list \"%.*s\" in this policy", key.n > 60 ? 60 : (int)key.n, key.p);
}

int op_basemap(struct op_call *c, struct zb_err *e) {
    (void)e;
    const struct basemap *m = &c->policy->basemap;
    const char *const K[] = {"approval", "source", "view"}, *const V[] = {m->approval ? m->approval : "", m->source ? m->source : "", m->view ? m->view : ""};
    json_obj(c->out);
    json_texts(c->out, 3, K, V);
    json_key(c->out, "areas");
    json_arr(c->out);
    for (int i = 0; i < m->outlines; i++) {
        const char *const OK[] = {"area", "path"}, *const OV[] = {m->outline[i].area, m->outline[i].path};
        json_obj(c->out);
        json_texts(c->out, 2, OK, OV);
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

/* ---- screens ---- */
static bool screen_for(const struct op_call *c, const struct screen *s) {
    return ledger_access(&c->policy->ledger[s->of_ledger], &c->actor) && (!s->roles[0] || word_in(s->roles, str_of(c->actor.role)));
}

static int screen_json(struct op_call *c, const struct screen *s, struct zb_err *e) {
    const char *const K[] = {"key", "zh", "en", "help_zh", "help_en", "ledger", "where", "sort"};
    const char *const V[] = {s->key, s->zh, s->en, s->help_zh, s->help_en, s->ledger, s->where, s->sort};
    struct lcall lc = {.db = c->db, .policy = c->policy, .actor = &c->actor, .l = &c->policy->ledger[s->of_ledger], .now = zb_now(), .arena = c->arena};
    char late[2100];
    int64_t n, overdue;
    snprintf(late, sizeof late, "%s;overdue=1", s->where);
    if (ledger_count(&lc, str_of(s->where), &n, e) != ZB_OK || ledger_count(&lc, str_of(late), &overdue, e) != ZB_OK) return e->rc;
    json_obj(c->out);
    json_texts(c->out, 8, K, V);
    json_key(c->out, "n");
    json_i64(c->out, n);
    json_key(c->out, "overdue");
    json_i64(c->out, overdue);
    json_end(c->out);
    return ZB_OK;
}

static int group_json(struct op_call *c, const struct screen_group *g, struct zb_err *e) {
    const char *const K[] = {"key", "zh", "en"}, *const V[] = {g->key, g->zh, g->en};
    json_obj(c->out);
    json_texts(c->out, 3, K, V);
    json_key(c->out, "screens");
    json_arr(c->out);
    for (int i = 0; i < c->policy->screens; i++) {
        const struct screen *s = &c->policy->screen[i];
        if (!strcmp(s->group, g->key) && screen_for(c, s) && screen_json(c, s, e) != ZB_OK) return e->rc;
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

int op_screens(struct op_call *c, struct zb_err *e) {
    json_obj(c->out);
    json_key(c->out, "groups");
    json_arr(c->out);
    for (int i = 0; i < c->policy->screen_groups; i++)
        if (group_json(c, &c->policy->screen_group[i], e) != ZB_OK) return e->rc;
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

/* ---- statistics ---- */
static bool statistic_for(const struct op_call *c, const struct statistic *s) {
    bool seen = s->of_ledger < 0 || ledger_access(&c->policy->ledger[s->of_ledger], &c->actor);
    return seen && (word_in(s->roles, str_of(c->actor.role)) || !strcmp(c->actor.role, "operator"));
}

int op_statistics(struct op_call *c, struct zb_err *e) {
    (void)e;
    json_obj(c->out);
    json_key(c->out, "statistics");
    json_arr(c->out);
    for (int i = 0; i < c->policy->statistics; i++) {
        const struct statistic *s = &c->policy->statistic[i];
        const char *const K[] = {"key", "zh", "en", "note_zh", "note_en", "source", "ledger"};
        const char *const V[] = {s->key, s->zh, s->en, s->note_zh, s->note_en, s->source, s->ledger};
        if (!statistic_for(c, s)) continue;
        json_obj(c->out);
        json_texts(c->out, 7, K, V);
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

static const struct statistic *statistic_find(struct op_call *c, struct look *l, struct zb_err *e) {
    struct str key = op_text(c, "key");
    *l = (struct look){.db = c->db, .p = c->policy, .actor = &c->actor, .arena = c->arena, .now = zb_now(), .asof = ZB_TIME_NONE, .known = ZB_TIME_NONE};
    for (int i = 0; i < c->policy->statistics; i++) {
        const struct statistic *s = &c->policy->statistic[i];
        if (!str_is(key, s->key) || !statistic_for(c, s)) continue;
        if (look_area(l, op_text(c, "area"), e) != ZB_OK) return NULL;
        if (!l->mine[0]) return s;
        zb_fail(e, ZB_E_DENIED, "statistics are of areas");
        return NULL;
    }
    zb_fail(e, ZB_E_ABSENT, "no statistic \"%.*s\" that your role sees: see /api/v1/statistics", key.n > 60 ? 60 : (int)key.n, key.p);
    return NULL;
}

struct gather {
    struct op_call *c;
    const struct statistic *s;
    struct table_writer *w;
    int rows;
};

static const char *area_name(const struct op_call *c, struct str area) {
    const struct region *g = policy_region(c->policy, area);
    return g ? g->name : "";
}

static zb_fix fix_of(double v) { return (zb_fix)(v * 1e6 + (v < 0 ? -0.5 : 0.5)); }

/* A value that is a word of a list is told in both languages: {"key","zh","en"}. */
static void cell_json(struct stmt *q, int col, const struct table_column *x, struct json *j) {
    enum lfield_type type = x->type;
    char day[ZB_TIME_CAP];
    const struct list_item *it = x->list && !stmt_col_null(q, col) ? list_find(x->list, stmt_col_text(q, col)) : NULL;
    if (it) {
        const char *const K[] = {"key", "zh", "en"}, *const V[] = {it->key, it->zh, it->en};
        json_obj(j);
        json_texts(j, 3, K, V);
        json_end(j);
    } else if (stmt_col_null(q, col))
        json_none(j);
    else if (type == LF_NUM)
        json_fix(j, fix_of(stmt_col_real(q, col)));
    else if (type == LF_INT)
        json_i64(j, stmt_col_i64(q, col));
    else if (type == LF_BOOL)
        json_bool(j, stmt_col_i64(q, col) != 0);
    else if (type == LF_DAY)
        json_z(j, zb_day_text((int32_t)stmt_col_i64(q, col), day));
    else
        json_str(j, stmt_col_text(q, col));
}

static int row_json(void *arg, struct stmt *q, struct zb_err *e) {
    (void)e;
    struct gather *g = arg;
    struct json *j = g->c->out;
    json_obj(j);
    json_key(j, "area");
    json_str(j, stmt_col_text(q, 0));
    json_key(j, "area_name");
    json_z(j, area_name(g->c, stmt_col_text(q, 0)));
    json_key(j, "ledger");
    json_z(j, g->s->ledger);
    json_key(j, "rec");
    if (stmt_col_null(q, 1))
        json_none(j);
    else
        json_i64(j, stmt_col_i64(q, 1));
    json_key(j, "cells");
    json_arr(j);
    for (int i = 0; i < g->s->columns; i++) cell_json(q, i + 2, &g->s->column[i], j);
    json_arr_end(j);
    json_end(j);
    g->rows++;
    return ZB_OK;
}

int op_statistic(struct op_call *c, struct zb_err *e) {
    struct look l;
    const struct statistic *s = statistic_find(c, &l, e);
    struct gather g = {.c = c, .s = s};
    if (!s) return e->rc;
    json_obj(c->out);
    json_key(c->out, "key");
    json_z(c->out, s->key);
    json_key(c->out, "area");
    json_z(c->out, l.area);
    json_key(c->out, "columns");
    json_arr(c->out);
    for (int i = 0; i < s->columns; i++) {
        const struct table_column *x = &s->column[i];
        const char *const K[] = {"key", "zh", "en", "unit", "type"}, *const V[] = {x->key, x->zh, x->en, x->unit, LFIELD_TYPE_KEY[x->type]};
        json_obj(c->out);
        json_texts(c->out, 5, K, V);
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_key(c->out, "rows");
    json_arr(c->out);
    if (statistic_rows(c->db, c->policy, s, l.area, row_json, &g, e) != ZB_OK) return e->rc;
    json_arr_end(c->out);
    json_key(c->out, "more");
    json_bool(c->out, g.rows == STATISTIC_ROWS_MAX);
    json_end(c->out);
    return ZB_OK;
}

static int row_table(void *arg, struct stmt *q, struct zb_err *e) {
    (void)e;
    struct gather *g = arg;
    char day[ZB_TIME_CAP];
    table_text(g->w, str_of(area_name(g->c, stmt_col_text(q, 0))));
    for (int i = 0; i < g->s->columns; i++) {
        enum lfield_type type = g->s->column[i].type;
        int col = i + 2;
        const struct code_list *words = g->s->column[i].list;
        const struct list_item *it = words && !stmt_col_null(q, col) ? list_find(words, stmt_col_text(q, col)) : NULL;
        if (it)
            table_text(g->w, str_of(it->zh));
        else if (stmt_col_null(q, col))
            table_text(g->w, STR(""));
        else if (type == LF_NUM || type == LF_INT)
            table_fix(g->w, fix_of(stmt_col_real(q, col)));
        else if (type == LF_BOOL)
            table_text(g->w, stmt_col_i64(q, col) ? STR("是") : STR("否"));
        else if (type == LF_DAY)
            table_text(g->w, str_of(zb_day_text((int32_t)stmt_col_i64(q, col), day)));
        else
            table_text(g->w, stmt_col_text(q, col));
    }
    table_row(g->w);
    return ZB_OK;
}

int op_statistic_export(struct op_call *c, struct zb_err *e) {
    struct look l;
    bool csv = str_is(op_text(c, "format"), "csv");
    if (op_text(c, "format").n && !csv && !str_is(op_text(c, "format"), "xlsx")) return zb_fail(e, ZB_E_INPUT, "format: xlsx or csv");
    const struct statistic *s = statistic_find(c, &l, e);
    if (!s) return e->rc;
    struct gather g = {.c = c, .s = s, .w = table_begin(!csv, s->zh)};
    table_text(g.w, STR("地区"));
    for (int i = 0; i < s->columns; i++)
        table_text(g.w, str_of(s->column[i].unit[0] ? arena_printf(c->arena, "%s（%s）", s->column[i].zh, s->column[i].unit) : s->column[i].zh));
    table_row(g.w);
    int rc = statistic_rows(c->db, c->policy, s, l.area, row_table, &g, e);
    struct zb_err e2;
    int rc2 = table_end(g.w, c->out->b, rc == ZB_OK ? e : &e2);
    if (rc != ZB_OK || rc2 != ZB_OK) return rc != ZB_OK ? rc : rc2;
    c->type = csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    char name[200], day[ZB_TIME_CAP];
    snprintf(name, sizeof name, "%s-%s-%s.%s", s->zh, area_name(c, str_of(l.area)), zb_day_text(zb_day_of(l.now), day), csv ? "csv" : "xlsx");
    op_file_named(c, name);
    return ZB_OK;
}
