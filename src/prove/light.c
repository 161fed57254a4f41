#include "prove/light.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const LIGHT_KEY[] = {
#define X(id, key) key,
    LIGHTS(X)
#undef X
};

int light_rank(enum light l) {
    static const int RANK[LIGHTS_N] = {
        [LIGHT_RED] = 6, [LIGHT_AMBER] = 5, [LIGHT_NO_DATA] = 4, [LIGHT_NOT_DUE] = 3, [LIGHT_SHOWN] = 2, [LIGHT_GREEN] = 1, [LIGHT_NO_CASE] = 0};
    return RANK[l];
}

/* ---- forecast ---- */
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double quantile(const double *sorted, int n, double q) {
    double at = q * (n - 1);
    int i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

#define POINTS_MAX 60
struct forecast forecast_make(const struct light_rule *r, const struct point *p, int n, int32_t day) {
    struct forecast f = {0};
    double slope[POINTS_MAX * (POINTS_MAX - 1) / 2], rest[POINTS_MAX];
    int k = 0, most = r->forecast_months < POINTS_MAX ? r->forecast_months : POINTS_MAX;
    if (n > most) {
        p += n - most;
        n = most;
    }
    if (n < r->forecast_points) return f;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (p[j].day != p[i].day) slope[k++] = (p[j].v - p[i].v) / (p[j].day - p[i].day);
    if (!k) return f;
    qsort(slope, (size_t)k, sizeof *slope, by_value);
    double m = quantile(slope, k, 0.5);
    int32_t last = p[n - 1].day;
    for (int i = 0; i < n; i++) rest[i] = p[i].v - m * (p[i].day - last);
    qsort(rest, (size_t)n, sizeof *rest, by_value);
    double level = quantile(rest, n, 0.5), ahead = day - last;
    for (int i = 0; i < n; i++) rest[i] = fabs(rest[i] - level);
    qsort(rest, (size_t)n, sizeof *rest, by_value);
    double spread = 1.2816 * 1.4826 * quantile(rest, n, 0.5); /* 80 % of a normal spread with this median deviation */
    f = (struct forecast){true, level + m * ahead, level + quantile(slope, k, 0.1) * ahead - spread, level + quantile(slope, k, 0.9) * ahead + spread};
    return f;
}

/* ---- light ---- */
bool light_met(const struct indicator *x, double v) {
    static const double EPS = 1e-9;
    switch (x->aim) {
    case AIM_MIN: return v >= x->target - EPS;
    case AIM_ABOVE: return v > x->target + EPS;
    case AIM_MAX: return v <= x->target + EPS;
    case AIM_BELOW: return v < x->target - EPS;
    default: return true;
    }
}

static bool better(const struct indicator *x, double v, double than) { /* nearer to the aim */
    return x->aim == AIM_MAX || x->aim == AIM_BELOW || x->aim == AIM_FALLING ? v < than : v > than;
}

static int unit_of(const struct indicator *x) {
    static const int MONTHS[EACH_N] = {[EACH_MONTH] = ZB_MONTH_UNIT, [EACH_QUARTER] = ZB_QUARTER_UNIT, [EACH_HALF] = ZB_HALF_UNIT, [EACH_YEAR] = ZB_YEAR_UNIT};
    return MONTHS[x->cycle];
}

int32_t light_due(const struct indicator *x, int32_t today) { return unit_of(x) ? zb_period_start((enum zb_unit)unit_of(x), today, 1) - 1 : x->due; }

int32_t light_period(const struct indicator *x, int32_t today) { return unit_of(x) ? zb_period_start((enum zb_unit)unit_of(x), today, 0) : INT32_MAX; }

static void why(struct light_out *o, enum light l, const char *zh, const char *en) {
    o->light = l;
    str_copy(str_of(zh), o->zh, sizeof o->zh);
    str_copy(str_of(en), o->en, sizeof o->en);
}

static void missed(const struct indicator *x, struct light_out *o, const char *zh, const char *en) {
    why(o, x->strive || x->proxy ? LIGHT_AMBER : LIGHT_RED, zh, en);
}

/* Not met on its way to a date. */
static void on_the_way(const struct indicator *x, const struct light_rule *r, const struct light_in *in, struct light_out *o) {
    if (in->has_base && x->base_on < x->due && in->today > x->base_on) {
        double gone = (double)(in->today - x->base_on) / (x->due - x->base_on);
        o->has_path = true;
        o->path = in->base + gone * (x->target - in->base);
        if (better(x, o->path - r->path_slack_pct / 100.0 * (x->target - in->base), in->value)) {
            why(o, LIGHT_AMBER, "落后于进度线", "behind the line from base to target");
            return;
        }
    }
    if (x->due - in->today <= r->amber_days)
        why(o, LIGHT_AMBER, "临近期限，尚未达标", "due soon and not yet met");
    else if (in->forecast.given && !light_met(x, in->forecast.at))
        why(o, LIGHT_AMBER, "按趋势到期难以达标", "the trend misses the target at the due date");
    else
        why(o, LIGHT_NOT_DUE, "未到期", "not yet due");
}

/* Not met, filled in the course of a period. */
static void in_the_period(const struct indicator *x, const struct light_rule *r, const struct light_in *in, struct light_out *o) {
    int32_t first = zb_period_start((enum zb_unit)unit_of(x), in->today, 0), next = zb_period_start((enum zb_unit)unit_of(x), in->today, 1);
    if (in->today + 1 >= next)
        missed(x, o, "本期末未达标", "the period ends and the target is not met");
    else if (in->last_missed)
        missed(x, o, "上期未达标，本期尚未达标", "missed in the last period and not yet met in this one");
    else if ((in->today - first + 1) * 100 >= (next - first) * r->period_late_pct)
        why(o, LIGHT_AMBER, "本期将尽，尚未达标", "the period is nearly over and the target not yet met");
    else
        why(o, LIGHT_NOT_DUE, "本期未到期", "the period is not over");
}

void light_make(const struct indicator *x, const struct light_rule *r, const struct light_in *in, struct light_out *o) {
    *o = (struct light_out){0};
    if (in->has == FIGURE_MISSING) {
        why(o, LIGHT_NO_DATA, "缺数据", "data is missing");
    } else if (in->has == FIGURE_NO_CASE) {
        why(o, LIGHT_NO_CASE, "无此类情形", "no case");
    } else if (x->aim == AIM_NONE) {
        why(o, LIGHT_SHOWN, "无目标值，仅展示", "no target: shown only");
    } else if (x->aim == AIM_RISING || x->aim == AIM_FALLING) {
        if (!in->has_before)
            why(o, LIGHT_SHOWN, "基期缺失，无法比较", "the base is missing: nothing to compare with");
        else if (better(x, in->value, in->before))
            why(o, LIGHT_GREEN, "较上年同期改善", "better than a year before");
        else if (in->value == in->before)
            why(o, LIGHT_AMBER, "与上年同期持平", "as a year before");
        else
            missed(x, o, "较上年同期变差", "worse than a year before");
    } else if (light_met(x, in->value)) {
        why(o, LIGHT_GREEN, "达标", "target met");
    } else if (x->has_amber && !better(x, x->amber, in->value)) {
        why(o, LIGHT_AMBER, "未达标，差距在允许范围内", "missed by little");
    } else if (x->cycle == EACH_ONCE && in->today < x->due) {
        on_the_way(x, r, in, o);
    } else if (x->cycle == EACH_ONCE) {
        missed(x, o, "到期未达标", "due and not met");
    } else if (x->by_end) {
        in_the_period(x, r, in, o);
    } else {
        missed(x, o, "未达标", "not met");
    }
}
