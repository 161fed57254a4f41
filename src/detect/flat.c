/* D1: a value that stays too long. */
#include "detect/integrity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void hits_done(struct hits *l) {
    free(l->h);
    *l = (struct hits){0};
}
struct hit *hit_new(struct hits *l, const struct policy *p, enum detector_id d, int from, int to) {
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->h = xrealloc(l->h, (size_t)l->cap * sizeof *l->h);
    }
    struct hit *h = &l->h[l->n++];
    *h = (struct hit){.detector = d, .from = from, .to = to, .source = -1, .grade = p->detect.who[d].grade, .seen = NAN, .expected = NAN, .chance = NAN};
    return h;
}

struct walk { /* over the cells that have a value */
    const struct grid *g;
    int at, run, worked, from; /* cell; length of the run of equal values, its working cells, its first cell */
    zb_fix v;
};
static bool step(struct walk *w, int to) {
    while (++w->at < to) {
        if (w->g->v[w->at] == CELL_NONE) continue;
        bool work = w->g->work && w->g->work[w->at] == REGIME_WORK;
        if (w->run && w->g->v[w->at] == w->v) {
            w->run++;
            w->worked += work;
        } else {
            w->run = 1, w->worked = work, w->from = w->at, w->v = w->g->v[w->at];
        }
        return true;
    }
    return false;
}

/* ln(alpha/n) / ln p, one more: methods D1. */
static int needed(double p, double alpha, double per_day) {
    if (isnan(p)) return 0;
    if (p <= 0) return 2;
    if (p >= 1) return 0;
    double l = ceil(log(alpha / per_day) / log(p)) + 1;
    return l < 1e8 ? (int)l : 0;
}

static int fix_up(const void *a, const void *b) {
    zb_fix x = *(const zb_fix *)a, y = *(const zb_fix *)b;
    return (x > y) - (x < y);
}
/* level: from where it is the outermost share of the values. The habit is that of stays that have settled: one that only brushes the end leaves it at once. */
static void end_learn(const struct grid *g, zb_fix level, const struct detect_flat *c, struct flat_end *x) {
    double per_day = (double)ZB_DAY / (double)g->step, stay = 0, all = 0, stay_work = 0, work = 0;
    for (int i = 0, run = 0, worked = 0; i < g->n; i++) {
        if (g->v[i] == CELL_NONE) continue;
        if ((g->v[i] - x->most) * x->sign > 0) x->most = g->v[i];
        if (i >= g->day) continue;
        bool there = (g->v[i] - level) * x->sign >= 0, cut = g->work && g->work[i] == REGIME_WORK;
        if (run >= c->min_samples) all++, stay += there;
        if (cut && worked >= c->min_samples) work++, stay_work += there;
        run = there ? run + 1 : 0;
        worked = there ? worked + cut : 0;
        if (run > x->need_all) x->need_all = run;
        if (worked > x->need_work) x->need_work = worked;
    }
    int habit = needed((stay + 1) / (all + 2), c->alpha_day, per_day), habit_work = needed((stay_work + 1) / (work + 2), c->alpha_day, per_day);
    if (habit > x->need_all) x->need_all = habit;
    if (habit_work > x->need_work) x->need_work = habit_work;
}
static void ends_learn(const struct grid *g, const struct detect_flat *c, struct flat_norm *ret) {
    enum { SOME = 2048 }; /* values enough to tell a share by */
    zb_fix v[SOME];
    int n = 0, hop = g->day / SOME + 1;
    for (int i = 0; i < g->day; i += hop)
        if (g->v[i] != CELL_NONE) v[n++] = g->v[i];
    if (!n) return;
    qsort(v, (size_t)n, sizeof *v, fix_up);
    int beyond = (int)(c->end_share * (n - 1));
    ret->end[0] = (struct flat_end){.sign = -1, .most = v[0]}, ret->end[1] = (struct flat_end){.sign = 1, .most = v[n - 1]};
    end_learn(g, v[beyond], c, &ret->end[0]), end_learn(g, v[n - 1 - beyond], c, &ret->end[1]);
}

struct flat_norm flat_learn(const struct grid *g, const struct detect_flat *c) {
    struct walk w = {.g = g, .at = -1};
    double stay = 0, all = 0, stay_work = 0, work = 0, cells = 0, work_cells = 0;
    struct flat_norm n = {.p_work = NAN, .p_all = NAN};
    int before = 0, worked_before = 0;
    while (step(&w, g->day)) {
        cells++, work_cells += g->work && g->work[w.at] == REGIME_WORK;
        if (before >= 2) {
            all++, stay += w.run > 1;
            if (worked_before >= 2 && g->work[w.at] == REGIME_WORK) work++, stay_work += w.run > 1;
        }
        before = w.run;
        worked_before = w.worked == w.run ? w.worked : 0;
        if (w.run > n.longest) n.longest = w.run;
    }
    double per_day = (double)ZB_DAY / (double)g->step;
    /* Laplace's estimate: a sensor that hardly ever stays is known by that too */
    if (cells >= c->learn_min) n.p_all = (stay + 1) / (all + 2);
    if (work_cells >= c->learn_min) n.p_work = (stay_work + 1) / (work + 2);
    n.need_all = needed(n.p_all, c->alpha_day, per_day);
    n.need_work = needed(n.p_work, c->alpha_day, per_day * fmax(work_cells, 1) / fmax(cells, 1)); /* work alone is tried */
    ends_learn(g, c, &n);
    return n;
}

/* How much the neighbour moved meanwhile: range in its own steps, and changes. */
static bool beside_moved(const struct grid *b, const struct walk *w, const struct detect_flat *c, double *range) {
    zb_fix lo = INT64_MAX, hi = INT64_MIN, last = CELL_NONE;
    int moves = 0;
    for (int i = w->from; i <= w->at && i < b->n; i++) {
        if (b->v[i] == CELL_NONE) continue;
        if (b->v[i] < lo) lo = b->v[i];
        if (b->v[i] > hi) hi = b->v[i];
        moves += last != CELL_NONE && b->v[i] != last;
        last = b->v[i];
    }
    *range = hi > lo ? (double)(hi - lo) / (double)b->unit : 0;
    return *range >= c->beside_steps && moves >= c->beside_moves;
}

/* At the end of what a sensor can show, or has shown, the gas moves on unseen: a run there may be as long as a stay near that end. */
static bool usual_at_end(const struct walk *w, const struct flat_norm *n, bool work) {
    for (int i = 0; i < 2; i++) {
        const struct flat_end *x = &n->end[i];
        if (!x->sign || w->v != x->most) continue;
        if (work ? w->worked <= x->need_work : w->run <= x->need_all) return true;
    }
    return false;
}

enum why { WHY_NOT, WHY_WORK, WHY_ALL, WHY_BESIDE };
static enum why judge(const struct walk *w, const struct grid *beside, const struct flat_norm *n, const struct detect_flat *c, double *range) {
    double seconds = (double)(w->at - w->from + 1) * (double)w->g->step / 1000;
    if (seconds < c->min_s || w->run < c->min_samples) return WHY_NOT;
    if (n->need_work && w->worked >= n->need_work && !usual_at_end(w, n, true)) return WHY_WORK;
    if (w->run <= n->longest || usual_at_end(w, n, false)) return WHY_NOT;
    if (!w->g->work && n->need_all && w->run >= n->need_all && w->run > c->margin * n->longest) return WHY_ALL;
    if (beside && seconds >= c->beside_s && beside_moved(beside, w, c, range)) return WHY_BESIDE;
    return WHY_NOT;
}

static void tell(struct hit *h, enum why why, const struct walk *w, const struct flat_norm *n, double range) {
    char v[ZB_FIX_CAP];
    zb_fix_text(w->v, v);
    double minutes = (double)(h->to - h->from) * (double)w->g->step / 60000, p = why == WHY_WORK ? n->p_work : n->p_all;
    int need = why == WHY_WORK ? n->need_work : n->need_all;
    h->seen = why == WHY_WORK ? w->worked : w->run;
    h->expected = why == WHY_BESIDE ? n->longest : need;
    if (why != WHY_BESIDE && p > 0) h->chance = fmin(1, pow(p, h->seen - 1) * (double)ZB_DAY / (double)w->g->step);
    if (why == WHY_WORK) {
        snprintf(h->zh, sizeof h->zh, "数值%s持续%.0f分钟不变，其中生产时段%d个读数；按本测点自身规律，生产时连续%d个相同即千日难遇", v, minutes, w->worked,
                 need);
        snprintf(h->en, sizeof h->en, "value %s unchanged for %.0f min, %d readings of it while coal was cut; by this sensor's own habit %d in a row are rare",
                 v, minutes, w->worked, need);
    } else if (why == WHY_ALL) {
        snprintf(h->zh, sizeof h->zh, "数值%s持续%.0f分钟不变，此前最长只有%d个读数相同", v, minutes, n->longest);
        snprintf(h->en, sizeof h->en, "value %s unchanged for %.0f min; never more than %d equal readings before", v, minutes, n->longest);
    } else {
        snprintf(h->zh, sizeof h->zh, "数值%s持续%.0f分钟不变，同期邻近测点变化%.0f个最小单位", v, minutes, range);
        snprintf(h->en, sizeof h->en, "value %s unchanged for %.0f min while its neighbour moved by %.0f steps", v, minutes, range);
    }
}

void flat_find(const struct grid *g, const struct grid *beside, const struct flat_norm *n, const struct policy *p, struct hits *out) {
    struct walk w = {.g = g, .at = -1}; /* from the first cell: a run keeps its beginning, and with it its clue's id, over days */
    struct hit *open = NULL;
    while (step(&w, g->n)) {
        if (w.run == 1) open = NULL;
        if (w.at < g->day) continue;
        double range = 0;
        enum why why = judge(&w, beside, n, &p->detect.flat, &range);
        if (why == WHY_NOT && !open) continue;
        if (!open) open = hit_new(out, p, DETECTOR_FLAT, w.from, w.at + 1);
        open->to = w.at + 1;
        if (why != WHY_NOT) tell(open, why, &w, n, range);
    }
}
