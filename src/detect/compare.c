#include "detect/compare.h"
#include "detect/stat.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool ratio_look(double *base, int n, double x, const struct detect_ratio *c, struct ratio_seen *ret) {
    if (n > (int)c->baseline_max) base += n - (int)c->baseline_max, n = (int)c->baseline_max; /* the latest */
    if (n < (int)c->baseline_min) return false;
    double med = stat_median(base, n), mad = stat_mad(base, n, med);
    *ret = (struct ratio_seen){.median = med, .mad = mad, .ratio = med != 0 ? x / med : NAN, .z = stat_z(x, med, mad, c->z_floor * fabs(med)), .n = n};
    double r = ret->ratio;
    ret->band = r < c->low ? RATIO_LOW : r < c->attend_low ? RATIO_BELOW : r <= c->attend_high ? RATIO_NORMAL : r <= c->high ? RATIO_ABOVE : RATIO_HIGH;
    return true;
}

/* Share of the past's runs of so many days with a figure that were all as far out as the nearest day of this one: a single day off lies as far and says nothing
 * of three. */
static double run_tail(const double *day, int n, int days, double nearest, int side) {
    int run = 0, as_far = 0, runs = 1 - days;
    for (int i = 0; i < n; i++) {
        if (isnan(day[i])) continue;
        runs++;
        run = side * day[i] >= side * nearest ? run + 1 : 0;
        as_far += run >= days;
    }
    return (as_far + 1.0) / ((runs > 0 ? runs : 0) + 1);
}

void ratio_find(const struct ratio_in *in, const struct policy *p, struct clues *out) {
    const struct detect_ratio *c = &p->detect.ratio;
    int days = (int)c->days, k = 0;
    if (in->n <= days) return;
    double *base = xmalloc((size_t)in->n * sizeof *base), sum = 0, nearest = NAN;
    for (int i = 0; i < in->n - days; i++)
        if (!isnan(in->day[i])) base[k++] = in->day[i];
    bool all = true;
    int side = 0;
    struct ratio_seen s = {0};
    for (int i = in->n - days; i < in->n && all; i++) {
        all = !isnan(in->day[i]) && ratio_look(base, k, in->day[i], c, &s) && fabs(s.z) >= c->z && (s.band == RATIO_LOW || s.band == RATIO_HIGH);
        int now = s.band == RATIO_HIGH ? 1 : -1;
        all = all && (!side || side == now);
        side = now;
        if (!(side * nearest <= side * in->day[i])) nearest = in->day[i];
        sum += in->day[i];
    }
    free(base);
    all = all && run_tail(in->day, in->n - days, days, nearest, side) <= c->tail + 1e-9;
    if (!all) return;
    struct clue *x = clue_new(out, p, DETECTOR_RATIO, in->mine, str_of(in->en), in->t0 + (in->n - days) * ZB_DAY, in->t0 + in->n * ZB_DAY);
    double mean = sum / days;
    struct clue_factor *f = clue_factor(x, in->zh, in->en, in->unit, mean, s.median);
    snprintf(f->how_zh, sizeof f->how_zh, "此前%d天的中位数，中位绝对偏差%.3g", s.n, s.mad);
    snprintf(f->how_en, sizeof f->how_en, "median of %d days before, MAD %.3g", s.n, s.mad);
    snprintf(x->zh, sizeof x->zh, "%s连续%d天为%.4g%s，平时%.4g%s（比值%.2f，稳健z=%.1f）。", in->zh, days, mean, in->unit, s.median, in->unit, mean / s.median,
             s.z);
    snprintf(x->en, sizeof x->en, "%s %.4g %s for %d days where %.4g is usual (ratio %.2f, robust z %.1f).", in->en, mean, in->unit, days, s.median,
             mean / s.median, s.z);
    clue_innocent(x, "产品或煤层变化、排水量变化", "another seam or product, more pumping", LOOKED_NO);
    clue_seal(x);
}

/* ---- E4 ---- */
enum { FLOWS = 4 };
static const char *const FLOW_ZH[] = {"皮带秤产量", "主井提升量", "销售票据", "库存变化"}, *const FLOW_EN[] = {"belt scale", "skip hoisting", "tickets",
                                                                                                               "change of stock"};

static double window_chi2(const struct balance_window *w, const struct detect_balance *c, double x[FLOWS], double z[FLOWS], int *freedom) {
    static const double A[] = {1, -1, 0, 0, 0, 1, -1, -1},
                        B[] = {1, 0, -1, -1}; /* belt = skip; skip = tickets + stock; without hoisting belt = tickets + stock */
    bool hoists = !isnan(w->skip);
    double y[FLOWS] = {w->belt, hoists ? w->skip : 0, w->ticket, w->stock}, s[FLOWS];
    double size = fmax(fmax(fabs(w->belt), fabs(y[1])), 1);
    s[0] = c->sigma_scale * fmax(fabs(w->belt), 0.1 * size), s[1] = c->sigma_scale * fmax(fabs(y[1]), 0.1 * size);
    s[2] = c->sigma_ticket * fmax(fabs(w->ticket), 0.1 * size), s[3] = fmax(c->sigma_stock * fabs(w->stock), 0.01 * size);
    for (int i = 0; i < FLOWS; i++)
        if (isnan(y[i])) return NAN;
    *freedom = hoists ? 2 : 1;
    return stat_reconcile(hoists ? A : B, *freedom, FLOWS, y, s, x, z);
}

void balance_find(struct str mine, const struct balance_window *w, int n, const zb_time *t, zb_time span, const struct policy *p, struct clues *out) {
    const struct detect_balance *c = &p->detect.balance;
    int run = 0, worst = 0;
    double x[FLOWS], z[FLOWS], chi = 0, chance = 1;
    for (int i = 0; i < n; i++) {
        int freedom = 2;
        double xx[FLOWS], zz[FLOWS], now = window_chi2(&w[i], c, xx, zz, &freedom), q = isnan(now) ? 1 : stat_chi2_p(now, freedom);
        if (q > c->p_max) {
            run = 0, chance = 1;
            continue;
        }
        run++, chance *= q, chi = now;
        memcpy(x, xx, sizeof x), memcpy(z, zz, sizeof z);
    }
    if (run < c->windows) return;
    for (int i = 1; i < FLOWS; i++)
        if (fabs(z[i]) > fabs(z[worst])) worst = i;
    struct clue *k = clue_new(out, p, DETECTOR_BALANCE, mine, STR(""), t[n - run], t[n - 1] + span);
    const struct balance_window *l = &w[n - 1];
    double y[FLOWS] = {l->belt, l->skip, l->ticket, l->stock};
    for (int i = 0; i < FLOWS; i++) {
        if (isnan(y[i])) continue;
        struct clue_factor *f = clue_factor(k, FLOW_ZH[i], FLOW_EN[i], "t", y[i], x[i]);
        snprintf(f->how_zh, sizeof f->how_zh, "数据协调值，测量检验z=%.1f", z[i]);
        snprintf(f->how_en, sizeof f->how_en, "reconciled; measurement test z %.1f", z[i]);
    }
    k->chance = chance;
    snprintf(k->zh, sizeof k->zh, "连续%d个时段产量、提升、销售与库存不平衡（χ²=%.0f）：%s为%.0ft，按其余各量应为%.0ft。票据与库存之间的差别须盘库核实。", run,
             chi, FLOW_ZH[worst], y[worst], x[worst]);
    snprintf(k->en, sizeof k->en,
             "Output, hoisting, sales and stock do not balance in %d windows in a row (chi2 %.0f): %s %.0f t where the others give %.0f t. Tickets and stock "
             "can only be told apart by a survey.",
             run, chi, FLOW_EN[worst], y[worst], x[worst]);
    clue_innocent(k, "秤的校准、盘库误差", "calibration of scales, error of the survey", LOOKED_NO);
    clue_seal(k);
}

void capacity_find(const struct capacity_in *in, const struct policy *p, struct clues *out) {
    const struct detect_capacity *c = &p->detect.capacity;
    const struct {
        const char *zh, *en;
        double t, share;
        bool applies;
    } SPAN[] = {{"本年", "this year", in->year, c->year_share, true},
                {"本季度", "this quarter", in->quarter, c->quarter_share, in->underground},
                {"本月", "this month", in->month, c->month_share, in->day <= (int32_t)c->month_until_d}};
    if (!(in->annual > 0)) return;
    for (int i = 0; i < 3; i++) {
        double limit = SPAN[i].share * in->annual;
        if (!SPAN[i].applies || isnan(SPAN[i].t) || SPAN[i].t <= c->warn_share * limit) continue;
        bool over = SPAN[i].t > limit;
        struct clue *k = clue_new(out, p, DETECTOR_CAPACITY, in->mine, str_of(SPAN[i].en), (zb_time)in->day * ZB_DAY - 8 * ZB_HOUR,
                                  (zb_time)(in->day + 1) * ZB_DAY - 8 * ZB_HOUR);
        k->grade = over ? 3 : 1;
        struct clue_factor *f = clue_factor(k, SPAN[i].zh, SPAN[i].en, "t", SPAN[i].t, limit);
        snprintf(f->how_zh, sizeof f->how_zh, "核定生产能力%.0ft/a的%.0f%%", in->annual, SPAN[i].share * 100);
        snprintf(f->how_en, sizeof f->how_en, "%.0f %% of the approved %.0f t a year", SPAN[i].share * 100, in->annual);
        snprintf(k->zh, sizeof k->zh, "%s产量%.0ft，%s判定线%.0ft（核定能力的%.0f%%）。", SPAN[i].zh, SPAN[i].t, over ? "超过" : "已达九成以上，", limit,
                 SPAN[i].share * 100);
        snprintf(k->en, sizeof k->en, "Output %s %.0f t, %s the line of %.0f t (%.0f %% of capacity).", SPAN[i].en, SPAN[i].t, over ? "above" : "close to",
                 limit, SPAN[i].share * 100);
        clue_seal(k);
    }
}

/* ---- E5 ---- */
double rough_hour(const struct grid *g, int from, int to) {
    double s = 0;
    int n = 0;
    for (int i = from > 0 ? from : 1; i < to && i < g->n; i++) {
        if (g->v[i] == CELL_NONE || g->v[i - 1] == CELL_NONE) continue;
        s += fabs((double)(g->v[i] - g->v[i - 1])) / (double)ZB_FIX_ONE;
        n++;
    }
    return 2 * n >= to - from ? s / n : NAN;
}
static double work_share(const struct grid *g, int from, int to) {
    int w = 0, n = 0;
    for (int i = from; i < to && i < g->n; i++)
        if (g->work[i] != REGIME_UNKNOWN) n++, w += g->work[i] == REGIME_WORK;
    return 2 * n >= to - from ? (double)w / n : NAN;
}

void rough_find(const struct rough_in *in, const struct policy *p, struct clues *out) {
    const struct detect_rough *c = &p->detect.rough;
    const struct grid *g = in->g;
    int hour = (int)(ZB_HOUR / g->step), n = 0, above = 0, first = -1;
    if (!g->work || hour < 4) return;
    double *idle = xmalloc((size_t)(g->day / hour + 2) * sizeof *idle), most = 0;
    for (int i = 0; i + hour <= g->day; i += hour) {
        double w = work_share(g, i, i + hour), r = rough_hour(g, i, i + hour);
        if (!isnan(r) && w < 0.05) idle[n++] = r;
    }
    stat_sort(idle, n);
    double cut = n >= (int)c->learn ? stat_quantile(idle, n, c->quantile) : NAN;
    free(idle);
    for (int i = g->day; i + hour <= g->n && !isnan(cut); i += hour) {
        double r = rough_hour(g, i, i + hour), w = work_share(g, i, i + hour);
        if (isnan(r) || r <= cut || w >= 0.05) continue; /* hours in which work is admitted are not hidden */
        above++;
        if (first < 0) first = i;
        if (r > most) most = r;
    }
    if (above < c->hours) return;
    struct clue *k = clue_new(out, p, DETECTOR_ROUGH, in->mine, in->point, grid_time(g, first), grid_time(g, g->n));
    struct clue_factor *f = clue_factor(k, "瓦斯波动", "movement of gas", "%CH4", most, cut);
    snprintf(f->how_zh, sizeof f->how_zh, "此前%d个停产小时的%.0f%%分位", n, c->quantile * 100);
    snprintf(f->how_en, sizeof f->how_en, "%.0f %% quantile of %d idle hours before", c->quantile * 100, n);
    snprintf(k->zh, sizeof k->zh, "%s期间，%.*s（%.*s）瓦斯有%d小时像生产时一样波动，无生产记录。", in->zh, STR_ARG(in->location), STR_ARG(in->point), above);
    snprintf(k->en, sizeof k->en, "During %s gas at %.*s (%.*s) moved as in production for %d hours, with none recorded.", in->en, STR_ARG(in->location),
             STR_ARG(in->point), above);
    clue_innocent(k, "检修作业、气压下降", "repair work, falling barometer", LOOKED_NO);
    clue_seal(k);
}

/* ---- places ---- */
void places_find(const struct places_in *in, const struct policy *p, struct clues *out) {
    const struct detect_place *c = &p->detect.place;
    const struct detect_air *a = &p->detect.air;
    double declared = 0;
    for (int i = 0; i < in->n; i++)
        if (in->place[i].declared && !isnan(in->place[i].air)) declared += in->place[i].air;
    for (int i = 0; i < in->n; i++) {
        const struct place_seen *s = &in->place[i];
        bool people = s->persons >= c->persons && s->persons_s >= c->hold_s, air = s->air >= a->least, power = s->kwh > 0;
        int factors = people + air + power;
        if (s->declared || !(people || air)) continue;
        enum detector_id by = factors >= p->detect.hidden.factors ? DETECTOR_HIDDEN : people ? DETECTOR_PLACE : DETECTOR_AIR;
        struct clue *k = clue_new(out, p, by, in->mine, s->name, in->from, in->to);
        if (people) clue_factor(k, "同时人数", "persons at once", "人", s->persons, 0);
        if (air) clue_factor(k, "供风量", "air", "m³/min", s->air, 0);
        if (power) clue_factor(k, "用电", "electricity", "kWh", s->kwh, 0);
        snprintf(k->zh, sizeof k->zh, "未申报地点%.*s：", STR_ARG(s->name));
        snprintf(k->en, sizeof k->en, "Place not declared, %.*s:", STR_ARG(s->name));
        size_t za = strlen(k->zh), b = strlen(k->en);
        snprintf(k->zh + za, sizeof k->zh - za, "%s%s%s有活动；最多%.0f人，停留%.0f分钟。", people ? "有人 " : "", air ? "有风 " : "", power ? "有电 " : "",
                 people ? s->persons : 0, people ? s->persons_s / 60 : 0);
        snprintf(k->en + b, sizeof k->en - b, "%s%s%s; at most %.0f persons, for %.0f min.", people ? " people" : "", air ? " air" : "", power ? " power" : "",
                 people ? s->persons : 0, people ? s->persons_s / 60 : 0);
        clue_innocent(k, "批准的巡检、密闭施工、排水点", "approved round, sealing work, pumping place", LOOKED_NO);
        clue_seal(k);
    }
    if (isnan(in->air_total) || !(declared > 0) || in->air_total - declared <= a->tolerance * in->air_total) return;
    struct clue *k = clue_new(out, p, DETECTOR_AIR, in->mine, STR(""), in->from, in->to);
    k->grade = 1;
    clue_factor(k, "矿井总风量", "air of the mine", "m³/min", in->air_total, declared);
    snprintf(k->zh, sizeof k->zh, "矿井总风量%.0fm³/min，各申报地点合计%.0fm³/min，%.0f%%去向不明。", in->air_total, declared,
             (1 - declared / in->air_total) * 100);
    snprintf(k->en, sizeof k->en, "The mine takes %.0f m³/min, declared places %.0f m³/min; where %.0f %% go is not told.", in->air_total, declared,
             (1 - declared / in->air_total) * 100);
    clue_innocent(k, "漏风、硐室和巷道用风", "leakage, rooms and roadways", LOOKED_NO);
    clue_seal(k);
}

/* ---- E6 ---- */
void drift_find(struct str mine, const struct factor_days *f, int factors, int days, zb_time t0, const struct policy *p, struct clues *out) {
    const struct detect_drift *c = &p->detect.drift;
    int base = (int)c->baseline_min, moved = 0, first = days;
    if (days <= base || factors > 16) return;
    double *z = xmalloc((size_t)days * sizeof *z), *v = xmalloc((size_t)base * sizeof *v);
    int end[64], side[16] = {0}, up = 0, down = 0;
    double was[16], now[16];
    for (int k = 0; k < factors; k++) {
        int n = 0, m = 0;
        for (int i = 0; i < base; i++)
            if (!isnan(f[k].day[i])) v[n++] = f[k].day[i];
        double med = stat_median(v, n), mad = stat_mad(v, n, med);
        if (n * 2 < base) continue;
        for (int i = base; i < days; i++) { /* a holiday or an overhaul is no drift: no day weighs more than a third of what is needed */
            double x = isnan(f[k].day[i]) ? 0 : stat_z(f[k].day[i], med, mad, c->z_floor * fabs(med));
            z[m++] = fmax(-c->h / 3, fmin(c->h / 3, x));
        }
        bool rise = stat_cusum(z, m, c->k, c->h) >= 0;
        for (int i = 0; i < m; i++) z[i] = -z[i];
        bool fall = stat_cusum(z, m, c->k, c->h) >= 0;
        if (rise == fall) continue; /* neither, or to and fro */
        side[k] = rise ? 1 : -1;
        up += rise, down += fall;
        int parts = stat_pelt(z, m, 2 * log(m > 1 ? m : 2), end, 64), from = parts > 1 ? base + end[0] : base;
        if (from < first) first = from;
        was[k] = med, n = 0;
        now[k] = 0;
        for (int i = from; i < days; i++)
            if (!isnan(f[k].day[i])) now[k] += f[k].day[i], n++;
        now[k] = n ? now[k] / n : NAN;
    }
    free(z), free(v);
    moved = up > down ? up : down;
    if (moved < c->factors) return;
    struct clue *x = clue_new(out, p, DETECTOR_DRIFT, mine, STR(""), t0 + first * ZB_DAY, t0 + days * ZB_DAY);
    x->grade = 2;
    snprintf(x->zh, sizeof x->zh, "%d个因素同向偏离自身基线：", moved);
    snprintf(x->en, sizeof x->en, "%d factors left their baselines in the same direction:", moved);
    for (int k = 0; k < factors; k++) {
        if (side[k] != (up > down ? 1 : -1)) continue;
        struct clue_factor *y = clue_factor(x, f[k].zh, f[k].en, f[k].unit, now[k], was[k]);
        snprintf(y->how_zh, sizeof y->how_zh, "最初%d天的中位数", base);
        snprintf(y->how_en, sizeof y->how_en, "median of the first %d days", base);
        snprintf(x->zh + strlen(x->zh), sizeof x->zh - strlen(x->zh), "%s由%.4g到%.4g%s；", f[k].zh, was[k], now[k], f[k].unit);
        snprintf(x->en + strlen(x->en), sizeof x->en - strlen(x->en), " %s from %.4g to %.4g %s;", f[k].en, was[k], now[k], f[k].unit);
    }
    clue_innocent(x, "已批准的增产或减产", "an approved change of output", LOOKED_NO);
    clue_seal(x);
}
