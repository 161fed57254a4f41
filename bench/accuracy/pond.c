/* tailings-pond: the level 24 h ahead. Rain of a day is known from the next midnight on. */
#include "accuracy.h"
#include "detect/pond.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>

enum part { NOWHERE, TRAIN, TEST };
struct pond { /* one line of time in even steps for both parts, whichever is earlier; NAN: not known */
    int n;
    zb_time from, step;
    double *level, *wet;
    uint8_t *part; /* whose record stands there */
};

static int time_of(const struct table *t, int i, zb_time *ret, struct zb_err *e) { /* "2020-06-01 0:05" */
    struct str hm, s = table_text(t, i, "Time"), day = str_cut(s, ' ', &hm);
    char text[60];
    int n = snprintf(text, sizeof text, STR_FMT " %s" STR_FMT ":00", STR_ARG(day), hm.n == 4 ? "0" : "", STR_ARG(hm));
    if (zb_time_parse(s, ret) || zb_time_parse((struct str){text, (size_t)n}, ret)) return ZB_OK;
    return zb_fail(e, ZB_E_INPUT, "data row %d: Time \"" STR_FMT "\" is not yyyy-mm-dd h:mm", i + 1, STR_ARG(s));
}

static int pond_read(const struct table *const part[2], zb_time step, struct pond *p, struct zb_err *e) {
    zb_time first = ZB_TIME_NONE, last = 0, t = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < part[k]->rows; i++) {
                double v;
                if (time_of(part[k], i, &t, e) != ZB_OK || table_num(part[k], i, "Primary Pond Level[m]", &v, e) != ZB_OK) return e->rc;
                if (pass == 0) {
                    if (first == ZB_TIME_NONE || t < first) first = t;
                    if (t > last) last = t;
                } else if (isfinite(v)) {
                    p->level[(t - first) / step] = v, p->part[(t - first) / step] = (uint8_t)(TRAIN + k);
                }
            }
        if (pass == 0) {
            if (first == ZB_TIME_NONE) return zb_fail(e, ZB_E_INPUT, "no rows");
            if ((last - first) / step > 10000000) return zb_fail(e, ZB_E_LIMIT, "the series is longer than ten million steps");
            *p = (struct pond){.n = (int)((last - first) / step) + 1, .from = first, .step = step};
            p->level = xcalloc((size_t)p->n, sizeof(double)), p->wet = xcalloc((size_t)p->n, sizeof(double)), p->part = xcalloc((size_t)p->n, 1);
            for (int i = 0; i < p->n; i++) p->level[i] = NAN;
        }
    }
    return ZB_OK;
}

/* What a forecast may see at each step: a missing record holds the value before for as long as a change is looked at. */
static void hold(const struct detect_pond *r, const struct pond *p, bool train_only, double *level) {
    for (int i = 0, old = 0; i < p->n; i++, old++) {
        bool here = p->part[i] != NOWHERE && !(train_only && p->part[i] == TEST);
        if (here) old = 0;
        level[i] = here ? p->level[i] : i && old <= r->look && !(train_only && p->part[i] == TEST) ? level[i - 1] : NAN;
    }
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

static void judge(const struct detect_pond *r, const struct pond *p, struct json *out, struct zb_err *e) {
    struct pond_model m;
    int h = (int)r->horizon, n = 0;
    double *level = xmalloc((size_t)p->n * sizeof *level), *f = xmalloc((size_t)p->n * sizeof *f), *now = xmalloc((size_t)p->n * sizeof *now),
           *trend = xmalloc((size_t)p->n * sizeof *trend), *y = xmalloc((size_t)p->n * sizeof *y);
    hold(r, p, true, level);
    if (!pond_fit(r, level, p->wet, p->n, &m)) {
        zb_fail(e, ZB_E_INPUT, "the steps to fit on are fewer than two days");
        goto end;
    }
    hold(r, p, false, level);
    for (int i = 0; i + h < p->n; i++) {
        if (p->part[i] != TEST || p->part[i + h] != TEST) continue;
        struct trend t = {0};
        int k = (int)r->trend < i + 1 ? (int)r->trend : i + 1;
        while (k > 1 && isnan(level[i - k + 1])) k--;
        f[n] = pond_next(r, &m, level, p->wet, i);
        if (isnan(f[n])) f[n] = level[i]; /* the change before is not known yet */
        now[n] = level[i];
        trend[n] = theil_sen(level + i - k + 1, k, &t) ? t.intercept + t.slope * (k - 1 + h) : now[n];
        y[n++] = p->level[i + h];
    }
    json_key(out, "rows"), json_i64(out, n);
    figures(out, "forecast", f, y, n);
    json_key(out, "baselines");
    json_obj(out);
    figures(out, "persistence", now, y, n);
    figures(out, "trend_6h", trend, y, n);
    json_end(out);
end:
    free(level), free(f), free(now), free(trend), free(y);
}

int run_pond(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct split sp;
    struct pond s = {0};
    struct policy *p = NULL;
    bool rain = false;
    if (policy_load(a->policy, &p, e) != ZB_OK) return e->rc;
    const struct detect_pond *r = &p->detect.pond;
    if (split_load(a, "Time|Primary Pond Level[m]", &sp, e) == ZB_OK) {
        const struct table *const part[2] = {&sp.train, &sp.test};
        if (pond_read(part, (zb_time)(r->step_s * ZB_SECOND), &s, e) == ZB_OK && rain_add(a->train, r, &s, &rain, e) == ZB_OK &&
            rain_add(a->data, r, &s, &rain, e) == ZB_OK) {
            put_split(a, out);
            json_key(out, "rain"), json_bool(out, rain);
            judge(r, &s, out, e);
        }
        free(s.level), free(s.wet), free(s.part);
        split_done(&sp);
    }
    policy_unref(p);
    return e->rc;
}
