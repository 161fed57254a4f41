/* tailings-pond: the level 24 h ahead. Rain of a day is known from the next midnight on. */
#include "accuracy.h"
#include "detect/pond.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>

struct pond { /* even steps; a missing record holds the value before */
    int n;
    zb_time from, step;
    double *level, *wet;
    bool *seen; /* a record of its own */
};

static int time_of(const struct table *t, int i, zb_time *ret, struct zb_err *e) { /* "2020-06-01 0:05" */
    struct str hm, s = table_text(t, i, "Time"), day = str_cut(s, ' ', &hm);
    char text[60];
    int n = snprintf(text, sizeof text, STR_FMT " %s" STR_FMT ":00", STR_ARG(day), hm.n == 4 ? "0" : "", STR_ARG(hm));
    if (zb_time_parse(s, ret) || zb_time_parse((struct str){text, (size_t)n}, ret)) return ZB_OK;
    return zb_fail(e, ZB_E_INPUT, "data row %d: Time \"" STR_FMT "\" is not yyyy-mm-dd h:mm", i + 1, STR_ARG(s));
}

static int pond_read(const struct table *const *part, int parts, zb_time step, struct pond *p, zb_time *second, struct zb_err *e) {
    zb_time first = ZB_TIME_NONE, last = 0, t = 0, before = ZB_TIME_NONE;
    for (int pass = 0; pass < 2; pass++) {
        before = ZB_TIME_NONE;
        for (int k = 0; k < parts; k++)
            for (int i = 0; i < part[k]->rows; i++) {
                double v;
                if (time_of(part[k], i, &t, e) != ZB_OK || table_num(part[k], i, "Primary Pond Level[m]", &v, e) != ZB_OK) return e->rc;
                if (before != ZB_TIME_NONE && t <= before) return zb_fail(e, ZB_E_INPUT, "data row %d: its time is not after the row before", i + 1);
                before = t;
                if (k == parts - 1 && i == 0) *second = t;
                if (pass == 0)
                    first = first == ZB_TIME_NONE ? t : first, last = t;
                else if (isfinite(v) && (t - first) % step == 0)
                    p->level[(t - first) / step] = v, p->seen[(t - first) / step] = true;
            }
        if (pass == 0) {
            if ((last - first) / step > 10000000) return zb_fail(e, ZB_E_LIMIT, "the series is longer than ten million steps");
            *p = (struct pond){.n = (int)((last - first) / step) + 1, .from = first, .step = step};
            p->level = xcalloc((size_t)p->n, sizeof(double)), p->wet = xcalloc((size_t)p->n, sizeof(double)), p->seen = xcalloc((size_t)p->n, sizeof(bool));
        }
    }
    for (int i = 1; i < p->n; i++)
        if (!p->seen[i]) p->level[i] = p->level[i - 1];
    return ZB_OK;
}

/* Daily rain of both folders; a folder without such a table has none. */
static int rain_add(const char *dir, const struct detect_pond *r, struct pond *p, bool *found, struct zb_err *e) {
    struct table t;
    struct zb_err none;
    enum { DAYS = 4000 };
    if (!dir || table_load(dir, "date|total_rain_mm", &t, &none) != ZB_OK) return ZB_OK;
    double *mm = xcalloc(DAYS, sizeof *mm);
    int32_t first = zb_day_of(p->from) - 30, day;
    for (int i = 0; i < t.rows && e->rc == ZB_OK; i++) {
        double v;
        if (!zb_day_parse(table_text(&t, i, "date"), &day))
            zb_fail(e, ZB_E_INPUT, "data row %d: date \"" STR_FMT "\" is not yyyy-mm-dd", i + 1, STR_ARG(table_text(&t, i, "date")));
        else if (table_num(&t, i, "total_rain_mm", &v, e) == ZB_OK && day >= first && day < first + DAYS && isfinite(v))
            mm[day - first] = v;
    }
    for (int i = 0; i < p->n && e->rc == ZB_OK; i++) {
        double before[30];
        int at = zb_day_of(p->from + i * p->step) - first;
        for (int d = 0; d < 30; d++) before[d] = at - 1 - d >= 0 && at - 1 - d < DAYS ? mm[at - 1 - d] : 0;
        double w = pond_wet(r, before, 30);
        if (w > p->wet[i]) p->wet[i] = w;
    }
    *found = true;
    free(mm);
    table_done(&t);
    return e->rc;
}

static void figures(struct json *out, const char *key, const double *f, const double *y, int n) {
    json_key(out, key);
    json_obj(out);
    put(out, "rmse_m", root_mean_square(f, y, n));
    put(out, "mae_m", mean_abs(f, y, n));
    json_end(out);
}

static void judge(const struct detect_pond *r, const struct pond *p, int from, struct json *out, struct zb_err *e) {
    struct pond_model m;
    int h = (int)r->horizon, n = 0;
    if (!pond_fit(r, p->level, p->wet, from, &m)) {
        zb_fail(e, ZB_E_INPUT, "%d steps to fit on are fewer than two days", from);
        return;
    }
    double *f = xmalloc((size_t)p->n * sizeof *f), *now = xmalloc((size_t)p->n * sizeof *now), *trend = xmalloc((size_t)p->n * sizeof *trend),
           *y = xmalloc((size_t)p->n * sizeof *y);
    for (int i = from; i + h < p->n; i++) {
        if (!p->seen[i] || !p->seen[i + h]) continue;
        struct trend t = {0};
        int k = (int)r->trend < i + 1 ? (int)r->trend : i + 1;
        f[n] = pond_next(r, &m, p->level, p->wet, i);
        now[n] = p->level[i];
        trend[n] = theil_sen(p->level + i - k + 1, k, &t) ? t.intercept + t.slope * (k - 1 + h) : now[n];
        y[n++] = p->level[i + h];
    }
    json_key(out, "rows"), json_i64(out, n);
    figures(out, "forecast", f, y, n);
    json_key(out, "baselines");
    json_obj(out);
    figures(out, "persistence", now, y, n);
    figures(out, "trend_6h", trend, y, n);
    json_end(out);
    free(f), free(now), free(trend), free(y);
}

int run_pond(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct split sp;
    struct pond s = {0};
    struct policy *p = NULL;
    bool rain = false;
    zb_time second = 0;
    if (policy_load(a->policy, &p, e) != ZB_OK) return e->rc;
    const struct detect_pond *r = &p->detect.pond;
    if (split_load(a, "Time|Primary Pond Level[m]", &sp, e) == ZB_OK) {
        const struct table *const part[2] = {&sp.train, &sp.test};
        if (pond_read(part, 2, (zb_time)(r->step_s * ZB_SECOND), &s, &second, e) == ZB_OK && rain_add(a->train, r, &s, &rain, e) == ZB_OK &&
            rain_add(a->data, r, &s, &rain, e) == ZB_OK) {
            put_split(a, out);
            json_key(out, "rain"), json_bool(out, rain);
            judge(r, &s, (int)((second - s.from) / s.step), out, e);
        }
        free(s.level), free(s.wet), free(s.seen);
        split_done(&sp);
    }
    policy_unref(p);
    return e->rc;
}
