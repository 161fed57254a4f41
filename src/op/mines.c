#include "op/fns.h"
#include "sense/sense.h"
#include <stdio.h>
#include <math.h>
#include <stdlib.h>

bool sees(const struct op_call *c, const char *region, const char *mine) { return may_see(&c->actor, region, mine); }

static const char *region_name(const struct op_call *c, const char *code) {
    const struct region *r = policy_region(c->policy, str_of(code));
    return r ? r->name : "";
}

static void limits_json(struct json *j, const struct limits *l) {
    json_key(j, "limits");
    json_obj(j);
    json_key(j, "hi_alarm");
    json_fix(j, l->hi_alarm);
    json_key(j, "hi_clear");
    json_fix(j, l->hi_clear);
    json_key(j, "lo_alarm");
    json_fix(j, l->lo_alarm);
    json_key(j, "lo_clear");
    json_fix(j, l->lo_clear);
    json_key(j, "hi_cut");
    json_fix(j, l->hi_cut);
    json_key(j, "hi_restore");
    json_fix(j, l->hi_restore);
    json_key(j, "lo_cut");
    json_fix(j, l->lo_cut);
    json_key(j, "lo_restore");
    json_fix(j, l->lo_restore);
    json_end(j);
}

void type_json(struct json *j, const struct policy *p, const struct point_def *d) {
    const struct sensor_type *t = policy_sensor_coded(p, str_of(d->sensor_type));
    kv_z(j, "type", d->type_name);
    kv_z(j, "type_en", t ? t->en : d->type_name);
}

static void point_json(struct json *j, const struct policy *policy, const char *mine, const struct point_now *p) {
    json_obj(j);
    json_key(j, "mine");
    json_z(j, mine);
    json_key(j, "point");
    json_z(j, p->def->code);
    type_json(j, policy, p->def);
    json_key(j, "location");
    json_z(j, p->def->location);
    json_key(j, "unit");
    json_z(j, p->def->unit);
    json_key(j, "value_type");
    json_z(j, VALUE_TYPE_KEY[p->def->vt]);
    json_key(j, "v");
    json_fix(j, p->last.v);
    json_key(j, "t");
    json_time(j, p->last.t);
    json_key(j, "state");
    json_i64(j, p->last.state);
    json_key(j, "level");
    json_z(j, ALARM_LEVEL_KEY[p->level]);
    json_key(j, "silent");
    json_bool(j, p->silent);
    limits_json(j, &p->eff);
    json_key(j, "source");
    json_z(j, p->limit_source ? p->limit_source : "");
    json_end(j);
}

static void mine_head(struct op_call *c, const struct mine_view *v) {
    struct json *j = c->out;
    json_obj(j);
    json_key(j, "mine");
    json_z(j, v->code);
    json_key(j, "name");
    json_z(j, v->name);
    json_key(j, "region");
    json_z(j, v->region);
    json_key(j, "region_name");
    json_z(j, region_name(c, v->region));
    json_key(j, "gas_class");
    json_z(j, v->gas_class);
    json_key(j, "last_heard");
    json_time(j, v->heard);
}

struct counts {
    char mine[24];
    int64_t n[5];
};
struct listing {
    struct op_call *c;
    struct counts *k;
    int n;
    struct zb_err *e;
};

static int alarm_counts(struct op_call *c, struct counts **ret, int *n, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(c->db, "select mine, level, count(*) from alarm where state<5 and merged is null group by mine, level order by mine", e);
    *ret = NULL;
    *n = 0;
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct str mine = stmt_col_text(q, 0);
        if (!*n || !str_is(mine, (*ret)[*n - 1].mine)) {
            *ret = xrealloc(*ret, (size_t)(*n + 1) * sizeof **ret);
            (*ret)[*n] = (struct counts){0};
            str_copy(mine, (*ret)[(*n)++].mine, 24);
        }
        int64_t level = stmt_col_i64(q, 1);
        if (level >= 0 && level < 5) (*ret)[*n - 1].n[level] = stmt_col_i64(q, 2);
    }
    return r < 0 ? r : ZB_OK;
}

static int mine_line(void *arg, const struct mine_view *v) {
    struct listing *l = arg;
    struct op_call *c = l->c;
    if (!sees(c, v->region, v->code)) return 0;
    const struct counts none = {0}, *k = &none;
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->k[i].mine, v->code)) k = &l->k[i];
    struct json *j = c->out;
    mine_head(c, v);
    json_key(j, "points");
    json_i64(j, mine_points(v->state));
    json_key(j, "alarms");
    json_obj(j);
    static const enum alarm_level ORDER[] = {LEVEL_RED, LEVEL_ORANGE, LEVEL_YELLOW, LEVEL_BLUE};
    for (int i = 0; i < 4; i++) {
        json_key(j, ALARM_LEVEL_KEY[ORDER[i]]);
        json_i64(j, k->n[ORDER[i]]);
    }
    json_end(j);
    int below = below_count(c, v->code, NULL);
    json_key(j, "below");
    if (below < 0)
        json_none(j);
    else
        json_i64(j, below);
    json_end(j);
    return 0;
}

int op_mines(struct op_call *c, struct zb_err *e) {
    struct listing l = {c, NULL, 0, e};
    if (alarm_counts(c, &l.k, &l.n, e) != ZB_OK) {
        free(l.k);
        return e->rc;
    }
    json_obj(c->out);
    json_key(c->out, "mines");
    json_arr(c->out);
    engine_mines(c->en, STR(""), mine_line, &l);
    json_arr_end(c->out);
    json_end(c->out);
    free(l.k);
    return ZB_OK;
}

struct detail {
    struct op_call *c;
    int shown;
};

static void points_json(struct op_call *c, const struct mine_view *v) {
    for (int i = 0; i < mine_points(v->state); i++) {
        struct point_now p;
        if (mine_point_at(v->state, i, &p)) point_json(c->out, c->policy, v->code, &p);
    }
}

static int mine_detail(void *arg, const struct mine_view *v) {
    struct detail *d = arg;
    if (!sees(d->c, v->region, v->code)) return 0;
    d->shown++;
    mine_head(d->c, v);
    json_key(d->c->out, "points");
    json_arr(d->c->out);
    points_json(d->c, v);
    json_arr_end(d->c->out);
    json_end(d->c->out);
    return 0;
}

static int no_mine(struct op_call *c, struct zb_err *e) {
    return zb_fail(e, ZB_E_ABSENT, "no mine " STR_FMT " here, or not in your area", STR_ARG(op_text(c, "mine")));
}

int op_mine(struct op_call *c, struct zb_err *e) {
    struct detail d = {c, 0};
    engine_mines(c->en, op_text(c, "mine"), mine_detail, &d);
    return d.shown ? ZB_OK : no_mine(c, e);
}

static int mine_points_line(void *arg, const struct mine_view *v) {
    struct detail *d = arg;
    if (!sees(d->c, v->region, v->code)) return 0;
    d->shown++;
    points_json(d->c, v);
    return 0;
}

int op_points(struct op_call *c, struct zb_err *e) {
    struct detail d = {c, 0};
    json_obj(c->out);
    json_key(c->out, "points");
    json_arr(c->out);
    engine_mines(c->en, op_text(c, "mine"), mine_points_line, &d);
    json_arr_end(c->out);
    json_end(c->out);
    return d.shown || !op_text(c, "mine").n ? ZB_OK : no_mine(c, e);
}

int op_mine_set(struct op_call *c, struct zb_err *e) {
    if (engine_mine_set(c->en, str_of(c->actor.user), op_text(c, "mine"), op_text(c, "name"), op_text(c, "gas_class"), e) != ZB_OK) return e->rc;
    json_obj(c->out);
    json_end(c->out);
    return ZB_OK;
}

/* ---- one point's past ---- */
struct where {
    struct op_call *c;
    struct str point;
    char mine[24];
    struct point_now now;
    struct point_def def;
    struct ahead_now ahead;
    bool foreseen;
    int n;
};

static int find_point(void *arg, const struct mine_view *v) {
    struct where *w = arg;
    struct point_now p;
    if (!sees(w->c, v->region, v->code) || !mine_point(v->state, w->point, &p)) return 0;
    str_copy(str_of(v->code), w->mine, sizeof w->mine);
    w->now = p;
    w->def = *p.def;
    struct policy *policy = engine_policy(w->c->en);
    w->foreseen = mine_ahead(policy, v->state, w->point, &w->ahead);
    policy_unref(policy);
    w->now.def = &w->def; /* the state may move on once the mine is unlocked */
    w->n++;
    return 0;
}

static int point_where(struct op_call *c, struct str mine, struct str point, struct where *w, struct zb_err *e) {
    struct str tail, head = str_cut(point, '/', &tail);
    if (!mine.n && tail.p) {
        mine = head;
        point = tail;
    }
    *w = (struct where){.c = c, .point = point};
    engine_mines(c->en, mine, find_point, w);
    if (w->n == 1) return ZB_OK;
    if (w->n > 1) return zb_fail(e, ZB_E_INPUT, "point " STR_FMT " exists in %d mines: write MINE/POINT", STR_ARG(point), w->n);
    return zb_fail(e, ZB_E_ABSENT, "no point " STR_FMT " here, or not in your area: zhiben points lists them", STR_ARG(point));
}

int op_samples(struct op_call *c, struct zb_err *e) {
    struct where w;
    if (point_where(c, op_text(c, "mine"), op_text(c, "point"), &w, e) != ZB_OK) return e->rc;
    struct sample *s = NULL;
    int n = 0, limit = (int)op_int(c, "limit", 200000);
    if (series_read(engine_series(c->en), str_of(w.mine), w.point, op_int(c, "from", 0), op_int(c, "to", (zb_time)1 << 52), &s, &n, e) != ZB_OK) return e->rc;
    struct json *j = c->out;
    json_obj(j);
    json_key(j, "samples");
    json_arr(j);
    for (int i = 0; i < n && i < limit; i++) {
        json_obj(j);
        json_key(j, "t");
        json_time(j, s[i].t);
        json_key(j, "v");
        json_fix(j, s[i].v);
        json_key(j, "state");
        json_i64(j, s[i].state);
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "next");
    json_time(j, n > limit ? s[limit].t : ZB_TIME_NONE);
    json_end(j);
    free(s);
    return ZB_OK;
}

static void real_key(struct json *j, const char *key, double v) {
    char text[40];
    json_key(j, key);
    snprintf(text, sizeof text, "%.5g", v);
    if (isfinite(v))
        json_raw(j, str_of(text));
    else
        json_none(j);
}

/* What the last forecast at this point says; a hazard in the shadow is its owner's business. */
static void forecast_json(struct json *j, const struct policy *p, const struct ahead_now *a) {
    json_obj(j);
    json_key(j, "hazard"), json_z(j, p->detect.who[a->hazard].key);
    json_key(j, "zh"), json_z(j, p->detect.who[a->hazard].zh);
    json_key(j, "en"), json_z(j, p->detect.who[a->hazard].en);
    json_key(j, "at"), json_i64(j, a->at);
    json_key(j, "horizon"), json_i64(j, a->horizon);
    real_key(j, "expected", a->expected);
    real_key(j, "spread", a->spread);
    real_key(j, "chance", a->chance);
    real_key(j, "speed", a->speed);
    real_key(j, "angle", a->angle);
    real_key(j, "days", a->days);
    real_key(j, "days_low", a->days_low);
    real_key(j, "days_high", a->days_high);
    json_end(j);
}

int op_series(struct op_call *c, struct zb_err *e) {
    struct where w;
    if (point_where(c, op_text(c, "mine"), op_text(c, "point"), &w, e) != ZB_OK) return e->rc;
    zb_time to = op_int(c, "to", zb_now()), from = op_int(c, "from", to - ZB_DAY);
    if (from >= to) return zb_fail(e, ZB_E_INPUT, "from is not before to");
    struct bucket *b = NULL;
    int n = 0;
    if (series_buckets(engine_series(c->en), str_of(w.mine), w.point, from, to, (int)op_int(c, "buckets", 1000), &b, &n, e) != ZB_OK) return e->rc;
    struct json *j = c->out;
    json_obj(j);
    json_key(j, "mine");
    json_z(j, w.mine);
    json_key(j, "point");
    json_str(j, w.point);
    json_key(j, "unit");
    json_z(j, w.def.unit);
    json_key(j, "location");
    json_z(j, w.def.location);
    type_json(j, c->policy, &w.def);
    limits_json(j, &w.now.eff);
    json_key(j, "forecast");
    struct policy *policy = engine_policy(c->en);
    if (w.foreseen && !policy->detect.who[w.ahead.hazard].shadow)
        forecast_json(j, policy, &w.ahead);
    else
        json_none(j);
    policy_unref(policy);
    json_key(j, "source");
    json_z(j, w.now.limit_source ? w.now.limit_source : "");
    json_key(j, "buckets");
    json_arr(j);
    for (int i = 0; i < n; i++) {
        json_arr(j);
        json_i64(j, b[i].t);
        json_fix(j, b[i].min);
        json_fix(j, b[i].max);
        json_fix(j, b[i].last);
        json_i64(j, b[i].n);
        json_i64(j, b[i].states);
        json_arr_end(j);
    }
    json_arr_end(j);
    json_end(j);
    free(b);
    return ZB_OK;
}
