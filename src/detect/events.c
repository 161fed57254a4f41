/* D6, D8 and reactions: when things happen matters as much as what is shown. */
#include "detect/integrity.h"
#include "detect/stat.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double lost_together(int k, int n, double p) { return stat_binomial_tail(k, n, p); }

static bool excused(const struct coincide_in *in, zb_time t) {
    for (int i = 0; i < in->nexcused; i++)
        if (t >= in->excused[i] - ZB_MINUTE && t <= in->excused[i] + ZB_MINUTE) return true;
    return false;
}

/* Cells within `before` after a value of at least `high`: the time in which a loss hides a rise. */
static int high_cells(const struct grid *g, zb_fix high, int before, uint8_t *mark) {
    int until = -1, n = 0;
    for (int i = 0; i < g->n; i++) {
        if (g->v[i] != CELL_NONE && g->v[i] >= high) until = i + before;
        mark[i] = i <= until;
        n += mark[i];
    }
    return n;
}

static void coincide_hit(const struct grid *g, const struct coincide_in *in, int inside, int counted, double share, const struct policy *p, struct hits *out) {
    const struct detect_coincide *c = &p->detect.coincide;
    double chance = stat_binomial_tail(inside, counted, share);
    if (inside < c->min_events || chance > c->p_max) return;
    int last = (int)((in->lost[in->nlost - 1] - g->t0) / g->step);
    if (last < g->day || last >= g->n) return; /* told on the day of the last loss */
    struct hit *h = hit_new(out, p, DETECTOR_COINCIDE, last, last + 1);
    h->seen = inside, h->expected = counted * share, h->chance = chance;
    snprintf(h->zh, sizeof h->zh, "%d次中断、标校或故障中有%d次发生在接近报警值之后，按时间占比应有%.2f次", counted, inside, h->expected);
    snprintf(h->en, sizeof h->en, "%d of %d losses, calibrations or faults began just after a value near the limit; by share of time %.2f were to be expected",
             inside, counted, h->expected);
}

void coincide_find(const struct grid *g, zb_fix limit, const struct coincide_in *in, const struct policy *p, struct hits *out) {
    const struct detect_coincide *c = &p->detect.coincide;
    if (!in->nlost || g->n < 2) return;
    double total = (double)(g->n * g->step);
    if (limit != ZB_FIX_NONE) {
        uint8_t *mark = xmalloc((size_t)g->n);
        int high = high_cells(g, (zb_fix)(c->near_limit * (double)limit), (int)(c->before_s * 1000 / (double)g->step), mark), inside = 0, counted = 0;
        for (int i = 0; i < in->nlost; i++) {
            int at = (int)((in->lost[i] - g->t0) / g->step);
            if (at < 0 || at >= g->n || excused(in, in->lost[i])) continue;
            counted++;
            inside += mark[at] || (at > 0 && mark[at - 1]);
        }
        coincide_hit(g, in, inside, counted, (double)high / g->n, p, out);
        free(mark);
    }
    int inside = 0, counted = 0;
    for (int i = 0; i < in->nlost; i++) {
        if (excused(in, in->lost[i])) continue;
        counted++;
        for (int k = 0; k < in->nvisit; k++)
            if (in->lost[i] <= in->visit[k] && in->lost[i] > in->visit[k] - (zb_time)(c->visit_before_s * 1000)) {
                inside++;
                break;
            }
    }
    if (in->nvisit) {
        double share = fmin(1, in->nvisit * c->visit_before_s * 1000 / total), chance = stat_binomial_tail(inside, counted, share);
        if (inside >= c->min_events && chance <= c->p_max) {
            struct hit *h = hit_new(out, p, DETECTOR_COINCIDE, g->day, g->n);
            h->seen = inside, h->expected = counted * share, h->chance = chance;
            snprintf(h->zh, sizeof h->zh, "%d次中断中有%d次在检查人员到达前%.0f分钟内开始，按时间占比应有%.2f次", counted, inside, c->visit_before_s / 60,
                     h->expected);
            snprintf(h->en, sizeof h->en, "%d of %d losses began within %.0f min before inspectors came; by share of time %.2f were to be expected", inside,
                     counted, c->visit_before_s / 60, h->expected);
        }
    }
}

static int up(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void clock_look(const struct clock_in *r, int n, const struct detect_clock *c, struct clock_seen *ret) {
    *ret = (struct clock_seen){.first_gap = -1};
    if (n < 3) return;
    double *x = xmalloc((size_t)n * sizeof *x);
    int k = 0;
    for (int i = 1; i < n; i++)
        if (r[i].device != r[i - 1].device) x[k++] = fabs((double)(r[i].device - r[i - 1].device)) / 1000;
    qsort(x, (size_t)k, sizeof *x, up);
    ret->median_s = k ? x[(k - 1) / 2] : 0;
    zb_time newest = r[0].device;
    for (int i = 1; i < n; i++) {
        zb_time d = r[i].device - r[i - 1].device, lag = (r[i].received - r[i].device) - (r[i - 1].received - r[i - 1].device);
        if (!d) ret->duplicates++;
        if (d < 0) ret->backward++;
        if (r[i].device > newest && ret->median_s > 0 && (double)(r[i].device - newest) / 1000 > c->gap_factor * ret->median_s) {
            ret->gaps++;
            if (ret->first_gap < 0) ret->first_gap = i;
        }
        if (r[i].device > newest) newest = r[i].device;
        if (fabs((double)lag) / 1000 >= c->jump_s) ret->jumps++;
    }
    free(x);
}

void clock_find(struct str mine, struct str type, zb_time day, const struct clock_in *r, int n, const struct policy *p, struct clues *out) {
    const struct detect_clock *c = &p->detect.clock;
    struct clock_seen s;
    clock_look(r, n, c, &s);
    if (s.jumps < c->jumps_min && s.backward <= c->back_max) return;
    struct clue *k = clue_new(out, p, DETECTOR_CLOCK, mine, type, day, day + ZB_DAY);
    clue_factor(k, "时钟倒退", "steps back", "次", s.backward, 0);
    clue_factor(k, "整小时跳变", "jumps of an hour", "次", s.jumps, 0);
    clue_factor(k, "重复时刻", "times told twice", "次", s.duplicates, 0);
    snprintf(k->zh, sizeof k->zh, "%.*s数据的设备时钟一天内倒退%d次，与文件时间之差整小时跳变%d次（中位间隔%.0f秒）。", STR_ARG(type), s.backward, s.jumps,
             s.median_s);
    snprintf(
        k->en, sizeof k->en,
        "The device clock of %.*s data stepped back %d times in the day and jumped by an hour or more against the files' time %d times (median step %.0f s).",
        STR_ARG(type), s.backward, s.jumps, s.median_s);
    clue_innocent(k, "校时", "the clock was set", s.jumps > 1 || s.backward > 1 ? LOOKED_ABSENT : LOOKED_FOUND);
    clue_innocent(k, "断线补传", "a backlog sent later", LOOKED_ABSENT); /* judged by the stamp of the host */
    clue_seal(k);
}

static zb_fix value_at(const struct grid *g, int from, int to, bool most) {
    zb_fix v = CELL_NONE;
    for (int i = from < 0 ? 0 : from; i < to && i < g->n; i++)
        if (g->v[i] != CELL_NONE && (v == CELL_NONE || !most || g->v[i] > v)) v = g->v[i];
    return v;
}

void react_find(const struct grid *g, const zb_time *event, int n, const char *zh, const char *en, const struct policy *p, struct hits *out) {
    const struct detect_react *c = &p->detect.react;
    int still = 0, judged = 0, last = -1, after = (int)(c->after_s * 1000 / (double)g->step);
    for (int i = 0; i < n; i++) {
        int at = (int)((event[i] - g->t0) / g->step);
        if (at < 1 || at + after >= g->n) continue;
        zb_fix before = value_at(g, at - 3, at, false), top = value_at(g, at, at + after, true);
        if (before == CELL_NONE || top == CELL_NONE) continue;
        judged++;
        last = at;
        still += (double)(top - before) < c->steps * (double)g->unit;
    }
    /* p_react: how often an honest sensor reacts */
    if (judged < c->min_events || still < judged || last < g->day) return;
    struct hit *h = hit_new(out, p, DETECTOR_REACT, last, last + after);
    h->seen = still, h->expected = judged * (1 - c->p_react), h->chance = pow(1 - c->p_react, still);
    snprintf(h->zh, sizeof h->zh, "%d次%s后%.0f分钟内数值均未上升", still, zh, c->after_s / 60);
    snprintf(h->en, sizeof h->en, "%d times %s and the value did not rise within %.0f min", still, en, c->after_s / 60);
}

/* The calibration flag that begins at or after *from: [*from, *to). A cell without a sample does not end it. */
static bool next_flag(const struct grid *g, int *from, int *to) {
    while (*from < g->n && !(g->state[*from] & ST_CALIB)) ++*from;
    for (*to = *from; *to < g->n && (g->v[*to] == CELL_NONE || (g->state[*to] & ST_CALIB)); ++*to) {}
    return *from < g->n;
}

void test_gas_find(const struct grid *g, zb_fix limit, const struct policy *p, struct hits *out) {
    const struct detect_react *c = &p->detect.react;
    int judged = 0, last = -1, end = -1;
    if (limit == ZB_FIX_NONE || limit <= 0) return;
    for (int from = 0, to; next_flag(g, &from, &to); from = to) {
        zb_fix before = value_at(g, from - 10, from, false), top = value_at(g, from, to, true);
        if (before == CELL_NONE || top == CELL_NONE || (double)((to - from) * g->step) < c->gas_s * 1000) continue;
        if ((double)(top - before) >= c->gas_rise * (double)limit) return; /* it has seen the gas */
        judged++, last = from, end = to;
    }
    if (judged < c->gas_events || last < g->day) return;
    struct hit *h = hit_new(out, p, DETECTOR_REACT, last, end);
    h->seen = judged, h->expected = 0;
    snprintf(h->zh, sizeof h->zh, "近%d次标校（标校标志在位）数值均未因标准气样上升", judged);
    snprintf(h->en, sizeof h->en, "at the last %d calibrations the flag stood and the value did not rise with the test gas", judged);
}

void twin_find(const struct grid *a, const struct grid *b, const struct policy *p, struct hits *out) {
    const struct detect_twin *c = &p->detect.twin;
    int w = (int)(c->window_s * 1000 / (double)a->step), n = a->n < b->n ? a->n : b->n;
    if (w < 1) return; /* a cell is longer than the window */
    for (int i = a->day; i + w <= n; i += w) {
        int moved = 0, same = 0;
        for (int k = i + 1; k < i + w; k++) {
            if (a->v[k] == CELL_NONE || b->v[k] == CELL_NONE || a->v[k - 1] == CELL_NONE || b->v[k - 1] == CELL_NONE) continue;
            zb_fix da = a->v[k] - a->v[k - 1], db = b->v[k] - b->v[k - 1];
            if (!da && !db) continue;
            moved++, same += da == db;
        }
        if (moved < c->changes || same < c->same_share * moved) continue;
        struct hit *h = hit_new(out, p, DETECTOR_TWIN, i, i + w);
        h->seen = (double)same / moved, h->expected = 0;
        snprintf(h->zh, sizeof h->zh, "%d次变化中有%d次与另一测点同时同幅", moved, same);
        snprintf(h->en, sizeof h->en, "%d of %d changes are the same as another point's at the same time", same, moved);
        return;
    }
}
