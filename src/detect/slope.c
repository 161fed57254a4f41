#include "detect/slope.h"
#include "detect/state.h"
#include "detect/stat.h"
#include <math.h>
#include <stdlib.h>

double tangent_angle(double speed, double uniform) { return atan(speed / uniform) * 180 / acos(-1); }

bool inverse_velocity(const double *t, const double *v, int n, struct inverse *ret) {
    double st = 0, sy = 0, tt = 0, ty = 0, yy = 0;
    if (n < 3) return false;
    for (int i = 0; i < n; i++) {
        if (!(v[i] > 0)) return false;
        st += t[i] / n;
        sy += 1 / v[i] / n;
    }
    for (int i = 0; i < n; i++) {
        double dt = t[i] - st, dy = 1 / v[i] - sy;
        tt += dt * dt;
        ty += dt * dy;
        yy += dy * dy;
    }
    if (!(tt > 0)) return false;
    double b = ty / tt, a = sy - b * st, left = yy - b * ty;
    *ret = (struct inverse){a, b, yy > 0 ? 1 - left / yy : 0, INFINITY, INFINITY, INFINITY};
    if (!(b < 0)) return true;
    ret->t_f = -a / b;
    double s2 = n > 2 ? fmax(left, 0) / (n - 2) : 0, d = ret->t_f - st; /* where the line meets 0: variance of the mean and of the slope */
    double half = 1.959964 * sqrt(s2 * (1.0 / n + d * d / tt)) / -b;
    ret->low = ret->t_f - half;
    ret->high = ret->t_f + half;
    return true;
}

bool sma_over_lma(const double *v, int i, int sma, int lma, double *s, double *l) {
    if (i + 1 < lma || sma < 1 || lma < sma) return false;
    *s = *l = 0;
    for (int k = 0; k < lma; k++) {
        *l += v[i - k] / lma;
        if (k < sma) *s += v[i - k] / sma;
    }
    return true;
}

double speed_of(const struct slope_reading *r, int n) {
    if (n < 2) return NAN;
    double *v = xmalloc((size_t)n * (size_t)(n - 1) / 2 * sizeof *v);
    int k = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (r[j].t > r[i].t) v[k++] = (r[j].mm - r[i].mm) * ZB_DAY / (double)(r[j].t - r[i].t);
    double s = k ? stat_median(v, k) : NAN;
    free(v);
    return s;
}

/* Noise of one reading, mm: how far readings lie off the line between their neighbours, robust. Movement bends that little. */
static double noise_of(const struct slope_reading *r, int n) {
    double off[SLOPE_READINGS_MAX];
    int k = 0;
    for (int i = 1; i + 1 < n; i++) {
        if (r[i + 1].t <= r[i - 1].t) continue;
        double w = (double)(r[i].t - r[i - 1].t) / (double)(r[i + 1].t - r[i - 1].t);
        off[k++] = fabs(r[i].mm - (1 - w) * r[i - 1].mm - w * r[i + 1].mm) / sqrt(1 + w * w + (1 - w) * (1 - w));
    }
    return k ? 1.4826 * stat_median(off, k) : 0;
}

/* Robust speed up to reading i over the span, and its standard error by the noise of a reading; NAN with too few readings or less than half the span. */
static double speed_at(const struct slope_reading *r, int i, double span, double readings, double noise, double *error) {
    int from = i;
    while (from > 0 && r[i].t - r[from - 1].t <= span * ZB_DAY) from--;
    bool enough = i - from + 1 >= readings && r[i].t - r[from].t >= span * ZB_DAY / 2;
    if (!enough) return NAN;
    double mean = 0, spread = 0;
    for (int j = from; j <= i; j++) mean += (double)(r[j].t - r[from].t) / ZB_DAY / (i - from + 1);
    for (int j = from; j <= i; j++) {
        double d = (double)(r[j].t - r[from].t) / ZB_DAY - mean;
        spread += d * d;
    }
    *error = noise / sqrt(spread);
    return speed_of(r + from, i - from + 1);
}

void slope_quick(const struct detect_slope *rule, const struct slope_reading *r, int n, struct slope_state *ret) {
    double noise = noise_of(r, n), error = 0;
    if (isnan(ret->sure)) return;
    for (double span = rule->span / 2; span * ZB_DAY >= ZB_HOUR && n > 0; span /= 2) {
        double v = speed_at(r, n - 1, span, 2 * rule->readings, noise, &error);
        if (!(v - rule->errors * error > ret->sure)) continue;
        ret->speed = v;
        ret->sure = v - rule->errors * error;
    }
    ret->angle = tangent_angle(ret->sure, ret->uniform);
}

/* Onset at speed i of n: short mean over long mean for the last `hold` speeds. */
static bool onset_at(const struct detect_slope *rule, const double *speed, int i) {
    for (int k = 0; k < rule->hold; k++) {
        double s, l;
        if (i - k < 0 || !sma_over_lma(speed, i - k, (int)rule->sma, (int)rule->lma, &s, &l) || !(s > rule->ratio * l)) return false;
    }
    return true;
}

/* Inverse velocity over the speeds since the acceleration began. */
static void failure_of(const struct detect_slope *rule, const double *t, const double *speed, int n, double now, struct slope_state *ret) {
    struct inverse inv;
    int from = n - 1;
    while (from > 0 && onset_at(rule, speed, from - 1)) from--;
    ret->days = ret->days_low = ret->days_high = NAN;
    if (!ret->onset || n - from < rule->points || !inverse_velocity(t + from, speed + from, n - from, &inv) || !(inv.b < 0) || inv.r2 < rule->r2 ||
        inv.t_f <= t[n - 1])
        return;
    ret->days = inv.t_f - now;
    ret->days_low = inv.low - now;
    ret->days_high = inv.high - now;
}

void slope_point(const struct detect_slope *rule, const struct slope_reading *r, int n, zb_time now, struct slope_state *ret) {
    double speed[SLOPE_READINGS_MAX], t[SLOPE_READINGS_MAX], before[SLOPE_READINGS_MAX];
    int k = 0, b = 0;
    double error = 0;
    *ret = (struct slope_state){.speed = NAN, .sure = NAN, .uniform = NAN, .angle = NAN, .days = NAN, .days_low = NAN, .days_high = NAN};
    while (n > 0 && r[n - 1].t > now) n--;
    if (n > SLOPE_READINGS_MAX) r += n - SLOPE_READINGS_MAX, n = SLOPE_READINGS_MAX;
    double noise = noise_of(r, n);
    for (int i = 0; i < n; i++) {
        double v = speed_at(r, i, rule->span, rule->readings, noise, &error);
        if (!isfinite(v)) continue;
        double age = (double)(r[n - 1].t - r[i].t) / ZB_DAY;
        if (age >= rule->span && age <= rule->span + rule->uniform) before[b++] = v;
        t[k] = (double)r[i].t / ZB_DAY;
        speed[k++] = v;
    }
    if (!k || t[k - 1] < (double)r[n - 1].t / ZB_DAY) return; /* the last reading has no speed yet */
    ret->speed = speed[k - 1];
    ret->sure = fmax(0, ret->speed - rule->errors * error);
    ret->uniform = fmax(b ? stat_median(before, b) : speed[0], rule->slowest);
    slope_quick(rule, r, n, ret);
    ret->onset = onset_at(rule, speed, k - 1);
    failure_of(rule, t, speed, k, (double)now / ZB_DAY, ret);
    ret->lost = now - r[n - 1].t > rule->lost * ZB_DAY && ret->angle >= rule->moving;
}

void slope_facts(const struct policy *p, const struct slope_state *s, double rain_mm, struct warn_facts *f) {
    warn_facts_clear(f);
    warn_fact(p, f, "slope_speed", s->sure);
    warn_fact(p, f, "slope_angle", s->angle);
    warn_fact(p, f, "slope_onset", s->onset);
    warn_fact(p, f, "slope_days", s->days);
    warn_fact(p, f, "slope_lost", s->lost);
    warn_fact(p, f, "slope_rain", rain_mm);
}

void slope_wall_now(const struct policy *p, const struct slope_point_now *pt, int n, zb_time now, struct slope_wall *ret) {
    *ret = (struct slope_wall){.level = LEVEL_NONE};
    for (int i = 0; i < n; i++)
        if (pt[i].at <= now && now - pt[i].at <= p->detect.slope.together * ZB_DAY) ret->count[pt[i].level]++;
    ret->count[LEVEL_NONE] = 0;
    ret->level = level_raise(p->forecast.points, ret->count);
}
