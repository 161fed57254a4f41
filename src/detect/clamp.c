/* D4, D5 and the look of a calibration. */
#include "detect/integrity.h"
#include "detect/stat.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct top {                              /* of a window */
    int n, at_top, visits, longest, work; /* longest: cells of a stay at the top; work: cells while coal is cut */
    zb_fix max, min;
};
static struct top top_of(const struct grid *g, int from, int to) {
    struct top t = {.max = INT64_MIN, .min = INT64_MAX};
    for (int i = from; i < to; i++) {
        t.work += g->work && g->work[i] == REGIME_WORK;
        if (g->v[i] == CELL_NONE) continue;
        t.n++;
        if (g->v[i] > t.max) t.max = g->v[i];
        if (g->v[i] < t.min) t.min = g->v[i];
    }
    bool there = false;
    int stay = 0;
    zb_fix away = t.max > t.min ? (t.max - t.min) / 50 : 0; /* a visit ends when it is left for more than a tremble */
    for (int i = from; i < to; i++) {
        if (g->v[i] == CELL_NONE) continue;
        bool now = g->v[i] == t.max;
        t.at_top += now;
        t.visits += now && !there;
        there = now || (there && t.max - g->v[i] <= away);
        stay = now ? stay + 1 : 0;
        if (stay > t.longest) t.longest = stay;
    }
    return t;
}
static double steps_in(const struct top *t, const struct grid *g) { return t->n ? (double)(t->max - t->min) / (double)g->unit : 0; }
static double share_of(const struct top *t) { return t->n ? (double)t->at_top / t->n : 0; }

/* What is usual for this sensor: the 99 % quantile of the share at the top and the longest stay at the top at work, over windows of the past, so many of them at work;
 * how often a value stays. */
struct usual {
    double share, stays;
    int longest, at_work;
};
static struct usual usual_of(const struct grid *g, int w, int hop, const struct policy *p) {
    const struct detect_clamp *c = &p->detect.clamp;
    struct usual u = {.stays = flat_learn(g, &p->detect.flat).p_work};
    double *share = xmalloc((size_t)(g->day / hop + 2) * sizeof *share);
    int n = 0;
    for (int i = 0; i + w <= g->day; i += hop) {
        struct top t = top_of(g, i, i + w);
        double steps = steps_in(&t, g);
        if (t.n < 0.8 * w || steps < c->coarse_steps) continue;
        if (steps >= c->range_steps) share[n++] = share_of(&t);
        bool work = t.work >= c->work_share * w;
        u.at_work += work;
        if (work && t.longest > u.longest) u.longest = t.longest;
    }
    stat_sort(share, n);
    u.share = n ? stat_quantile(share, n, 0.99) : 0;
    free(share);
    return u;
}

/* A window of enough steps tells by its share at the top. One of fewer looks like a coarse sensor at rest: only at work, and only by a stay at the top that this
 * sensor's habit of staying shows in fewer than one of 1/coarse_chance such windows, and longer than any before: of a past with
 * little work that says nothing. */
static bool is_clamped(const struct top *t, int w, const struct grid *g, const struct usual *u, const struct detect_clamp *c) {
    double share = share_of(t), steps = steps_in(t, g);
    bool work = t->work >= c->work_share * w;
    if (t->n < 0.8 * w || t->visits < c->visits || share < c->top_share) return false;
    if (steps >= c->range_steps) return share >= c->own_factor * u->share && share * steps >= (work ? c->mass : c->mass_rest);
    if (steps < c->coarse_steps || !work || u->at_work < c->learn || !(u->stays > 0 && u->stays < 1)) return false;
    return t->longest > u->longest && t->longest > 1 + log(c->coarse_chance / t->visits) / log(u->stays);
}

void clamp_find(const struct grid *g, zb_fix limit, zb_fix range_hi, const struct policy *p, struct hits *out) {
    const struct detect_clamp *c = &p->detect.clamp;
    int w = (int)(c->window_s * 1000 / (double)g->step), hop = w / 30 > 0 ? w / 30 : 1, first = g->day - w + hop;
    if (w < c->cells) return; /* a few readings of a slow series stand at the top by chance */
    struct usual u = usual_of(g, w, w / 2, p);
    struct hit *open = NULL;
    size_t at = (size_t)-1;
    for (int i = first > 0 ? first : 0; i + w <= g->n; i += hop) {
        struct top t = top_of(g, i, i + w);
        double share = share_of(&t);
        if (!is_clamped(&t, w, g, &u, c) || (range_hi != ZB_FIX_NONE && t.max >= range_hi)) continue;
        open = at == (size_t)-1 ? NULL : &out->h[at];
        if (!open || i > open->to) open = hit_new(out, p, DETECTOR_CLAMP, i, i + w);
        at = (size_t)(open - out->h);
        open->to = i + w;
        if (!(share > open->seen || isnan(open->seen))) continue;
        open->seen = share, open->expected = u.share;
        bool below = limit != ZB_FIX_NONE && t.max < limit;
        char v[ZB_FIX_CAP], lim[ZB_FIX_CAP];
        zb_fix_text(t.max, v), zb_fix_text(limit, lim);
        snprintf(open->zh, sizeof open->zh, "%.0f%%的读数停在最高值%s，%d次触顶而不越过，最长停留%d个读数；平时不超过%.1f%%%s%s%s", share * 100, v, t.visits,
                 t.longest, u.share * 100, below ? "；报警值" : "", below ? lim : "", below ? "从未达到" : "");
        snprintf(open->en, sizeof open->en,
                 "%.0f %% of readings stand at the highest value %s, reached %d times and never passed, %d of them in a row; usually at most %.1f %%%s%s%s",
                 share * 100, v, t.visits, t.longest, u.share * 100, below ? "; alarm limit " : "", below ? lim : "", below ? " never reached" : "");
    }
}

/* Standard deviation of steps from cell to cell in [from, to) of one regime; NAN with fewer than `least`. */
static double roughness(const struct grid *g, int from, int to, enum regime r, int least) {
    double q = 0;
    int n = 0;
    for (int i = from + 1; i < to; i++) {
        if (g->v[i] == CELL_NONE || g->v[i - 1] == CELL_NONE || (g->work && g->work[i] != r)) continue;
        double d = (double)(g->v[i] - g->v[i - 1]) / (double)g->unit;
        q += d * d, n++;
    }
    return n < least ? NAN : sqrt(q / n);
}

void smooth_find(const struct grid *g, const struct policy *p, struct hits *out) {
    const struct detect_smooth *c = &p->detect.smooth;
    int w = (int)(c->window_s * 1000 / (double)g->step), n = 0;
    if (w < 30) return;
    enum regime r = g->work ? REGIME_WORK : REGIME_UNKNOWN;
    double *own = xmalloc((size_t)(g->day / w * 2 + 2) * sizeof *own);
    for (int i = 0; i + w <= g->day; i += w / 2) {
        double x = roughness(g, i, i + w, r, w / 4);
        if (!isnan(x)) own[n++] = x;
    }
    stat_sort(own, n);
    double low = n >= c->learn ? stat_quantile(own, n, c->own_quantile) : NAN;
    int first = out->n;
    for (int i = g->day; i + w <= g->n && low > 0; i += w) {
        double x = roughness(g, i, i + w, r, w / 4);
        if (isnan(x) || x >= low * 0.5 || x == 0) continue; /* wholly flat is the flat test's business */
        struct hit *h = hit_new(out, p, DETECTOR_SMOOTH, i, i + w);
        h->seen = x, h->expected = low;
        snprintf(h->zh, sizeof h->zh, "波动幅度%.2f个最小单位，不到本测点平时最低水平%.2f的一半", x, low);
        snprintf(h->en, sizeof h->en, "moves by %.2f steps, less than half of the %.2f it moves at least otherwise", x, low);
    }
    for (int i = first; i < out->n && out->n - first >= c->windows; i++) out->h[i].grade = 2; /* an honest quiet morning ends */
    free(own);
}

static double base_before(const struct grid *g, int i) {
    double v[20];
    int n = 0;
    for (int k = i - 1; k >= 0 && k >= i - 40 && n < 20; k--)
        if (g->v[k] != CELL_NONE) v[n++] = (double)g->v[k];
    return n >= 10 ? stat_median(v, n) : NAN;
}
static bool quiet(const struct grid *b, int from, int to, double steps) {
    zb_fix lo = INT64_MAX, hi = INT64_MIN;
    for (int i = from; i < to && i < b->n; i++) {
        if (b->v[i] == CELL_NONE) continue;
        if (b->v[i] < lo) lo = b->v[i];
        if (b->v[i] > hi) hi = b->v[i];
    }
    return hi < lo || (double)(hi - lo) <= steps * (double)b->unit;
}

int calib_find(const struct grid *g, const struct grid *beside, const struct detect_calib *c, struct calib_span *out, int cap) {
    int n = 0, longest = (int)(c->max_s * 1000 / (double)g->step);
    for (int i = g->day > 0 ? g->day : 1; i < g->n && n < cap; i++) {
        if (g->v[i] == CELL_NONE) continue;
        double base = base_before(g, i), far = c->rise_steps * (double)g->unit;
        if (isnan(base) || fabs((double)g->v[i] - base) < far) continue;
        zb_fix peak = g->v[i], low = g->v[i];
        bool flagged = false, work = false, settled = false;
        int e = i, still = 0, rest = (int)(c->plateau_s * 1000 / (double)g->step);
        for (; e < g->n && e - i <= longest && !settled; e++) {
            if (g->v[e] == CELL_NONE) continue;
            still = e > i && g->v[e] == g->v[e - 1] ? still + 1 : 1;
            settled = still >= rest && (double)g->v[e] <= c->below_factor * base; /* adjusted, it may stay below where it was */
            if (fabs((double)g->v[e] - base) < far) break;
            if (g->v[e] > peak) peak = g->v[e];
            if (g->v[e] < low) low = g->v[e];
            flagged = flagged || (g->state[e] & ST_CALIB);
            work = work || (g->work && g->work[e] == REGIME_WORK);
        }
        bool back = settled || (e < g->n && e - i <= longest);
        bool like =
            (double)peak >= c->rise_factor * base && (double)low <= c->below_factor * base && !work && (!beside || quiet(beside, i, e, c->beside_steps));
        if (back && (like || flagged)) out[n++] = (struct calib_span){i, e, peak, flagged};
        if (back) i = e - 1;
    }
    return n;
}

/* ---- level at this hour of the day ---- */
static double block(const struct grid *g, int from, int to) {
    double *v = xmalloc((size_t)(to - from + 1) * sizeof *v);
    int n = 0;
    for (int i = from; i < to && i < g->n; i++)
        if (g->v[i] != CELL_NONE) v[n++] = (double)g->v[i];
    double m = n * 2 >= to - from ? stat_median(v, n) : NAN;
    free(v);
    return m;
}

void level_find(const struct grid *g, const struct policy *p, struct hits *out) {
    const struct detect_level *c = &p->detect.level;
    int w = (int)(c->step_s * 1000 / (double)g->step), day = (int)(ZB_DAY / g->step), hold = (int)(c->hold_s / c->step_s + 0.5);
    if (w < 1 || g->day / day < (int)c->learn_d) return;
    int blocks = g->day / w, n = 0;
    double *all = xmalloc((size_t)(blocks + 1) * sizeof *all), same[64];
    for (int b = 0; b < blocks; b++) {
        double m = block(g, b * w, (b + 1) * w);
        if (!isnan(m)) all[n++] = m;
    }
    stat_sort(all, n);
    double floor = n ? c->floor_share * (stat_quantile(all, n, 0.95) - stat_quantile(all, n, 0.05)) : 0;
    free(all);
    int run = 0;
    for (int i = g->day; i + w <= g->n && n; i += w) {
        int k = 0;
        for (int d = 1; i - d * day >= 0 && d <= 30; d++) {
            double m = block(g, i - d * day, i - d * day + w);
            if (!isnan(m)) same[k++] = m;
        }
        double now = block(g, i, i + w), med = stat_median(same, k), z = k >= c->learn_d && !isnan(now) ? stat_z(now, med, stat_mad(same, k, med), floor) : 0;
        run = fabs(z) >= c->z ? run + 1 : 0;
        if (run < hold || !hold) continue;
        if (run > hold) {
            out->h[out->n - 1].to = i + w;
            continue;
        }
        struct hit *h = hit_new(out, p, DETECTOR_LEVEL, i - (hold - 1) * w, i + w);
        h->seen = now / (double)ZB_FIX_ONE, h->expected = med / (double)ZB_FIX_ONE;
        snprintf(h->zh, sizeof h->zh, "水平%.3g，往日同一时刻%.3g（稳健z=%.1f）", h->seen, h->expected, z);
        snprintf(h->en, sizeof h->en, "level %.3g where %.3g is usual at this hour (robust z %.1f)", h->seen, h->expected, z);
    }
}
