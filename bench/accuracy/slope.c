/* slope-century-mine: stages of the wall day by day, from readings up to that day only. Nothing is fitted: each prism's own past is its measure, so --train is
 * not read. Top stage: red. Warning stage: yellow or above. */
#include "accuracy.h"
#include "detect/slope.h"
#include <stdio.h>
#include <stdlib.h>

enum { PRISMS_MAX = 100 };
struct prism {
    struct str id;
    struct slope_reading *r;
    int n;
    zb_time first[ALARM_LEVELS_N]; /* first day at a stage or above; NONE */
    double alone[2];               /* baseline: days on which the last step was faster than 10 mm/d, before and from 1 February */
    struct slope_point_now now;
    bool lost; /* told once */
};
struct wall {
    struct prism prism[PRISMS_MAX];
    int n;
    double *rain; /* by day from `from` */
    int32_t from, to;
    bool rained;
};

static struct prism *prism_of(struct wall *w, struct str id, int rows) {
    for (int i = 0; i < w->n; i++)
        if (str_eq(w->prism[i].id, id)) return &w->prism[i];
    if (w->n == PRISMS_MAX) return NULL;
    struct prism *p = &w->prism[w->n++];
    *p = (struct prism){.id = id, .r = xcalloc((size_t)rows, sizeof(struct slope_reading))};
    for (int l = 0; l < ALARM_LEVELS_N; l++) p->first[l] = ZB_TIME_NONE;
    return p;
}

static int by_time(const void *a, const void *b) {
    zb_time x = ((const struct slope_reading *)a)->t, y = ((const struct slope_reading *)b)->t;
    return (x > y) - (x < y);
}

static int wall_read(const struct table *t, struct wall *w, struct zb_err *e) {
    w->from = INT32_MAX, w->to = INT32_MIN;
    for (int i = 0; i < t->rows; i++) {
        struct prism *p = prism_of(w, table_text(t, i, "prism_id"), t->rows);
        if (!p) return zb_fail(e, ZB_E_LIMIT, "more than %d prisms", PRISMS_MAX);
        struct slope_reading *r = &p->r[p->n++];
        if (!zb_time_parse(table_text(t, i, "timestamp_local"), &r->t))
            return zb_fail(e, ZB_E_INPUT, "data row %d: timestamp_local \"" STR_FMT "\" is no time", i + 1, STR_ARG(table_text(t, i, "timestamp_local")));
        if (table_num(t, i, "displacement_mm", &r->mm, e) != ZB_OK) return e->rc;
        if (!isfinite(r->mm)) p->n--;
        int32_t day = zb_day_of(r->t);
        if (day < w->from) w->from = day;
        if (day > w->to) w->to = day;
    }
    for (int i = 0; i < w->n; i++) qsort(w->prism[i].r, (size_t)w->prism[i].n, sizeof(struct slope_reading), by_time);
    return w->to - w->from < 4000 ? ZB_OK : zb_fail(e, ZB_E_LIMIT, "readings span more than 4000 days");
}

static int rain_read(const char *dir, struct wall *w, struct zb_err *e) {
    struct table t;
    struct zb_err none;
    w->rain = xcalloc((size_t)(w->to - w->from) + 2, sizeof *w->rain);
    if (table_load(dir, "date|rain_mm", &t, &none) != ZB_OK) return ZB_OK;
    w->rained = true;
    for (int i = 0; i < t.rows && e->rc == ZB_OK; i++) {
        int32_t day;
        double v;
        if (!zb_day_parse(table_text(&t, i, "date"), &day))
            zb_fail(e, ZB_E_INPUT, "data row %d: date \"" STR_FMT "\" is no day", i + 1, STR_ARG(table_text(&t, i, "date")));
        else if (table_num(&t, i, "rain_mm", &v, e) == ZB_OK && isfinite(v) && day >= w->from && day <= w->to)
            w->rain[day - w->from] = v;
    }
    table_done(&t);
    return e->rc;
}

static zb_time day_end(int32_t day) { return (zb_time)day * ZB_DAY + ZB_DAY - 8 * ZB_HOUR - 1; }

/* The table of levels on a prism's readings up to now. */
static void prism_step(const struct policy *p, const struct wall *w, struct prism *pr, int32_t day) {
    zb_time now = day_end(day);
    struct slope_state s;
    struct warn_facts f;
    struct warning warn;
    double rain = 0;
    for (int d = 0; d < p->detect.slope.rain; d++) /* the table's day ends at 9 a.m.: known on that day */
        rain += day - d >= w->from ? w->rain[day - d - w->from] : 0;
    slope_point(&p->detect.slope, pr->r, pr->n, now, &s);
    slope_facts(p, &s, w->rained ? rain : NAN, &f);
    warn_judge(p, DETECTOR_SLOPE, &f, &warn);
    int last = -1;
    for (int i = 0; i < pr->n && pr->r[i].t <= now; i++) last = i;
    bool fresh = last >= 0 && zb_day_of(pr->r[last].t) == day;
    bool gone = s.lost && !pr->lost;
    pr->lost = s.lost;
    if (fresh || gone) pr->now = (struct slope_point_now){warn.level, now};
    for (int l = 1; (fresh || gone) && l <= (int)warn.level; l++)
        if (pr->first[l] == ZB_TIME_NONE) pr->first[l] = now;
    if (fresh && last > 0) {
        double v = (pr->r[last].mm - pr->r[last - 1].mm) * ZB_DAY / (double)(pr->r[last].t - pr->r[last - 1].t);
        int32_t february;
        if (zb_day_parse(STR("2014-02-01"), &february)) pr->alone[day >= february] += fabs(v) > 10;
    }
}

static void put_day(struct json *out, const char *key, zb_time t) {
    char text[ZB_TIME_CAP];
    json_key(out, key);
    json_z(out, t == ZB_TIME_NONE ? NULL : zb_day_text(zb_day_of(t), text));
}

static void put_prism(struct json *out, const struct prism *p) {
    char id[40];
    str_copy(p->id, id, sizeof id);
    json_key(out, id);
    json_obj(out);
    json_key(out, "readings"), json_i64(out, p->n);
    for (int l = LEVEL_BLUE; l <= LEVEL_RED; l++) put_day(out, ALARM_LEVEL_KEY[l], p->first[l]);
    put(out, "fast_steps_before_february", p->alone[0]);
    put(out, "fast_steps_from_february", p->alone[1]);
    json_end(out);
}

static void judge(const struct policy *p, struct wall *w, struct json *out) {
    int32_t calm, storm, end;
    zb_time first[ALARM_LEVELS_N];
    int top = 0, warned = 0, last = 0;
    if (!zb_day_parse(STR("2013-12-01"), &calm) || !zb_day_parse(STR("2014-02-01"), &storm) || !zb_day_parse(STR("2014-02-20"), &end)) return;
    for (int l = 0; l < ALARM_LEVELS_N; l++) first[l] = ZB_TIME_NONE;
    for (int32_t day = w->from; day <= w->to; day++) {
        struct slope_point_now now[PRISMS_MAX];
        struct slope_wall wall;
        for (int i = 0; i < w->n; i++) {
            prism_step(p, w, &w->prism[i], day);
            now[i] = w->prism[i].now;
        }
        slope_wall_now(p, now, w->n, day_end(day), &wall);
        for (int l = LEVEL_BLUE; l <= (int)wall.level; l++)
            if (day >= storm && first[l] == ZB_TIME_NONE) first[l] = day_end(day);
        top += day >= calm && day < storm && wall.level == LEVEL_RED;
        warned += day >= calm && day < storm && wall.level >= LEVEL_YELLOW;
        if (day < end && wall.level > LEVEL_NONE) last = (int)wall.level;
    }
    json_key(out, "warning_before_2014_02_20"), json_bool(out, first[LEVEL_YELLOW] != ZB_TIME_NONE && zb_day_of(first[LEVEL_YELLOW]) < end);
    json_key(out, "top_stage_days_december_january"), json_i64(out, top);
    json_key(out, "warning_days_december_january"), json_i64(out, warned);
    json_key(out, "stage_before_2014_02_20"), json_z(out, ALARM_LEVEL_KEY[last]);
    json_key(out, "wall_first_day_from_february");
    json_obj(out);
    for (int l = LEVEL_BLUE; l <= LEVEL_RED; l++) put_day(out, ALARM_LEVEL_KEY[l], first[l]);
    json_end(out);
    json_key(out, "prisms");
    json_obj(out);
    for (int i = 0; i < w->n; i++) put_prism(out, &w->prism[i]);
    json_end(out);
}

int run_slope(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct policy *p = NULL;
    struct table t;
    if (policy_load(a->policy, &p, e) != ZB_OK) return e->rc;
    if (table_load(a->data, "prism_id|timestamp_local|displacement_mm", &t, e) == ZB_OK) {
        struct wall *w = xcalloc(1, sizeof *w);
        if (wall_read(&t, w, e) == ZB_OK && rain_read(a->data, w, e) == ZB_OK) {
            json_key(out, "fitted_on"), json_z(out, "nothing: each prism's own past");
            json_key(out, "rain"), json_bool(out, w->rained);
            judge(p, w, out);
        }
        for (int i = 0; i < w->n; i++) free(w->prism[i].r);
        free(w->rain);
        free(w);
        table_done(&t);
    }
    policy_unref(p);
    return e->rc;
}
