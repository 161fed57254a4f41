/* Power that should not be there, and what else shows that a standing mine works. */
#include "detect/compare.h"
#include "detect/stat.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double day_sum(const double *hour, int from, int n) { /* NAN when more than four hours are missing */
    double s = 0;
    int k = 0;
    for (int i = from; i < from + 24 && i < n; i++)
        if (!isnan(hour[i])) s += hour[i], k++;
    return k >= 20 ? s * 24 / k : NAN;
}

struct idle_norm idle_learn(const double *hour, int n, const struct detect_idle *c) {
    struct idle_norm r = {NAN, NAN, NAN, {0}, false, 0};
    int days = n / 24, k = 0, h = 0;
    double *sum = xmalloc((size_t)(days + 1) * sizeof *sum), *sorted = xmalloc((size_t)(days + 1) * sizeof *sorted),
           *at = xmalloc((size_t)(n + 24) * sizeof *at);
    for (int d = 0; d < days; d++) {
        sum[d] = day_sum(hour, d * 24, n);
        if (!isnan(sum[d])) sorted[k++] = sum[d];
    }
    stat_sort(sorted, k);
    if (k >= c->baseline_min) {
        r.days = k;
        r.rest_day = stat_quantile(sorted, k, c->rest_quantile), r.work_day = stat_quantile(sorted, k, c->work_quantile);
        r.rested = r.work_day >= c->separation * r.rest_day;
        for (int d = 0; d < days; d++)
            for (int i = d * 24; i < d * 24 + 24 && sum[d] <= c->factor * r.rest_day; i++)
                if (!isnan(hour[i])) at[h++] = hour[i];
        stat_sort(at, h);
        r.hour_cut = c->factor * stat_quantile(at, h, 0.95);
        for (int t = 0; t < 24; t++) {
            h = 0;
            for (int d = 0; d < days; d++)
                if (!isnan(hour[d * 24 + t])) at[h++] = hour[d * 24 + t];
            r.typical[t] = stat_median(at, h);
        }
    }
    free(sum), free(sorted), free(at);
    return r;
}

void idle_look(const double *hour, int from, int to, const struct idle_norm *n, const struct detect_idle *c, struct idle_seen *ret) {
    *ret = (struct idle_seen){.found_at = -1};
    double usual = 0;
    int known = 0;
    for (int i = from; i < to && n->days; i++) {
        if (isnan(hour[i])) continue;
        known++;
        ret->kwh += hour[i];
        usual += n->typical[i % 24];
        bool above = n->rested && hour[i] > n->hour_cut;
        ret->hours += above;
        bool clear = n->rested ? ret->hours >= c->hours : known >= 12 && ret->kwh >= c->unchanged * usual;
        if (clear && ret->found_at < 0) ret->found_at = i;
    }
    ret->rest = n->rested ? known * n->rest_day / 24 : usual;
}

/* ---- declared to stand still ---- */
struct told {
    struct clue *c;
    int factors;
};
static void say(struct told *t, const char *zh, const char *en) {
    struct clue *c = t->c;
    snprintf(c->zh + strlen(c->zh), sizeof c->zh - strlen(c->zh), "%s%s", t->factors ? "；" : "", zh);
    snprintf(c->en + strlen(c->en), sizeof c->en - strlen(c->en), "%s%s", t->factors ? "; " : "", en);
    t->factors++;
}

/* Hours of the day in which a circuit of a standing mine ran, over the last days: regular nights are work that hides. */
static void nights(struct told *t, const struct still_in *in, const struct circuit *k, const struct policy *p, double cut) {
    const struct detect_share *c = &p->detect.share;
    double *hour = xmalloc((size_t)(in->n - in->stop + 1) * sizeof *hour), r, mean;
    int run = 0, night = 0, regular = 0, nights_seen = 0;
    for (int i = in->stop; i < in->n; i++) {
        int at = i % 24;
        bool on = !isnan(k->hour[i]) && k->hour[i] > cut, dark = at >= 22 || at < 9;
        if (on) hour[run++] = at;
        night += on && dark;
        if (at == 8 || i + 1 == in->n) { /* a night ends at nine */
            regular += night >= c->night_hours;
            nights_seen += at == 8;
            night = 0;
        }
    }
    stat_direction(hour, run, &r, &mean);
    free(hour);
    if (regular < c->days || r < c->night_r) return;
    char zh[200], en[200];
    double per_day = run * 24.0 / (in->n - in->stop);
    snprintf(zh, sizeof zh, "%s夜间规律用电：%d个夜晚中%d个连续运行，平均每天%.0f小时，集中在%.0f时前后", k->zh, nights_seen, regular, per_day, mean);
    snprintf(en, sizeof en, "%s runs regularly at night: %d of %d nights, %.0f hours a day, about %.0f o'clock", k->en, regular, nights_seen, per_day, mean);
    struct clue_factor *f = clue_factor(t->c, "夜间运行规律度R", "regularity of night running R", "1", r, c->night_r);
    snprintf(f->how_zh, sizeof f->how_zh, "运行时刻的平均方向长度");
    snprintf(f->how_en, sizeof f->how_en, "length of the mean direction of running hours");
    say(t, zh, en);
}

/* Share of a working circuit in the whole: by day before the stop, by day since. */
static void share(struct told *t, const struct still_in *in, const struct circuit *k, const struct policy *p) {
    const struct detect_share *c = &p->detect.share;
    const double *all = in->circuit[0].hour;
    int before = in->stop / 24, n = 0, run = 0;
    double *base = xmalloc((size_t)(before + 1) * sizeof *base), sum = 0, last = NAN;
    for (int d = 0; d < before; d++) {
        double a = day_sum(k->hour, d * 24, in->n), b = day_sum(all, d * 24, in->n);
        if (b > 0 && !isnan(a)) base[n++] = a / b;
    }
    double med = stat_median(base, n), mad = stat_mad(base, n, med), z = 0;
    free(base);
    if (n < c->baseline_min || !(med > 0)) return;
    for (int d = (in->stop + 23) / 24; (d + 1) * 24 <= in->n; d++) {
        double a = day_sum(k->hour, d * 24, in->n), b = day_sum(all, d * 24, in->n);
        if (!(b > 0) || isnan(a)) continue;
        last = a / b;
        z = stat_z(last, med, mad, c->z_floor * med);
        bool up = z >= c->z && last >= (1 + c->rise) * med;
        run = up ? run + 1 : 0;
        sum = up ? sum + last : 0;
    }
    if (run < c->days) return;
    double now = sum / run;
    z = stat_z(now, med, mad, c->z_floor * med);
    char zh[200], en[200];
    snprintf(zh, sizeof zh, "%s用电占比由平时%.1f%%升至%.1f%%（升高%.0f%%，稳健z=%.1f，已连续%d天），停产时本应下降", k->zh, med * 100, now * 100,
             (now / med - 1) * 100, z, run);
    snprintf(en, sizeof en,
             "share of %s in electricity rose from %.1f %% to %.1f %% (by %.0f %%, robust z %.1f, %d days in a row); standing still it should fall", k->en,
             med * 100, now * 100, (now / med - 1) * 100, z, run);
    struct clue_factor *f = clue_factor(t->c, k->zh, k->en, "%", now * 100, med * 100);
    snprintf(f->how_zh, sizeof f->how_zh, "停产前%d天占比的中位数", n);
    snprintf(f->how_en, sizeof f->how_en, "median share of %d days before the stop", n);
    say(t, zh, en);
}

/* The circuit at rest: the 5 % lowest of its hours before the stop that are above nothing; work is half way to its 90 %. */
static double run_cut(const struct circuit *k, int stop) {
    double *v = xmalloc((size_t)(stop + 1) * sizeof *v);
    int n = 0;
    for (int i = 0; i < stop; i++)
        if (!isnan(k->hour[i])) v[n++] = k->hour[i];
    stat_sort(v, n);
    double lo = stat_quantile(v, n, 0.05), hi = stat_quantile(v, n, 0.9);
    free(v);
    return lo + 0.3 * (hi - lo);
}

static void plain_load(struct told *t, const struct still_in *in, const struct policy *p, bool *plain) {
    const struct detect_idle *c = &p->detect.idle;
    const struct circuit *k = &in->circuit[0];
    struct idle_norm norm = idle_learn(k->hour, in->stop / 24 * 24, c);
    struct idle_seen s;
    idle_look(k->hour, in->stop, in->n, &norm, c, &s);
    if (s.found_at < 0) return;
    char zh[200], en[200];
    if (norm.rested) {
        snprintf(zh, sizeof zh, "%s%d个小时用电高于停产水平，共%.0fkWh，停产应约%.0fkWh", k->zh, s.hours, s.kwh, s.rest);
        snprintf(en, sizeof en, "%s above its level at rest in %d hours: %.0f kWh where rest takes about %.0f", k->en, s.hours, s.kwh, s.rest);
    } else {
        snprintf(zh, sizeof zh, "%s与生产时无异：%.0fkWh，生产时同一时段%.0fkWh", k->zh, s.kwh, s.rest);
        snprintf(en, sizeof en, "%s as in production: %.0f kWh, usually %.0f in these hours", k->en, s.kwh, s.rest);
    }
    struct clue_factor *f = clue_factor(t->c, k->zh, k->en, "kWh", s.kwh, s.rest);
    snprintf(f->how_zh, sizeof f->how_zh, "停产前%d天：静止日%.0fkWh，生产日%.0fkWh", norm.days, norm.rest_day, norm.work_day);
    snprintf(f->how_en, sizeof f->how_en, "%d days before: %.0f kWh a day at rest, %.0f at work", norm.days, norm.rest_day, norm.work_day);
    say(t, zh, en);
    *plain = norm.rested; /* never seen at rest: a hint, not a contradiction */
}

void still_find(const struct still_in *in, const struct policy *p, struct clues *out) {
    struct clue *c = clue_new(out, p, DETECTOR_IDLE, in->mine, in->subject, in->t0 + in->stop * ZB_HOUR, in->t0 + in->n * ZB_HOUR);
    struct told t = {.c = c};
    bool plain = false;
    snprintf(c->zh, sizeof c->zh, "%s期间（第%d天）：", in->zh, (in->n - in->stop + 23) / 24);
    snprintf(c->en, sizeof c->en, "During %s (day %d): ", in->en, (in->n - in->stop + 23) / 24);
    if (in->circuits) plain_load(&t, in, p, &plain);
    for (int k = 1; k < in->circuits; k++) {
        if (!in->circuit[k].works) continue;
        share(&t, in, &in->circuit[k], p);
        nights(&t, in, &in->circuit[k], p, run_cut(&in->circuit[k], in->stop));
    }
    for (int i = 0; i < in->signs; i++) {
        const struct sign *s = &in->sign[i];
        if (!(s->seen > s->allowed)) continue;
        char zh[200], en[200];
        snprintf(zh, sizeof zh, "%s%g%s，允许%g%s", s->zh, s->seen, s->unit, s->allowed, s->unit);
        snprintf(en, sizeof en, "%s %g %s where %g are allowed", s->en, s->seen, s->unit, s->allowed);
        clue_factor(c, s->zh, s->en, s->unit, s->seen, s->allowed);
        say(&t, zh, en);
    }
    if (!t.factors) {
        out->n--;
        return;
    }
    c->grade = t.factors > 1 || plain ? 2 : 1;
    if (t.factors > 2) c->grade = 3;
    if (in->rule) str_copy(str_of(in->rule), c->rule, sizeof c->rule);
    snprintf(c->zh + strlen(c->zh), sizeof c->zh - strlen(c->zh), "。与申报的停产不符，疑似组织生产。");
    snprintf(c->en + strlen(c->en), sizeof c->en - strlen(c->en), ". This does not fit a standstill; production is suspected.");
    clue_innocent(c, "批准的检修、排水、通风用电", "approved repair, pumping, ventilation", in->circuits > 1 ? LOOKED_ABSENT : LOOKED_NO);
    clue_seal(c);
}
