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

struct flat_norm flat_learn(const struct grid *g, const struct detect_flat *c) {
    struct walk w = {.g = g, .at = -1};
    double stay = 0, all = 0, stay_work = 0, work = 0, cells = 0, work_cells = 0;
    struct flat_norm n = {NAN, NAN, 0, 0, 0};
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
    n.need_work = needed(n.p_work, c->alpha_day, per_day);
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

enum why { WHY_NOT, WHY_WORK, WHY_ALL, WHY_BESIDE };
static enum why judge(const struct walk *w, const struct grid *beside, const struct flat_norm *n, const struct detect_flat *c, double *range) {
    double seconds = (double)(w->at - w->from + 1) * (double)w->g->step / 1000;
    if (seconds < c->min_s || w->run < c->min_samples) return WHY_NOT;
    if (n->need_work && w->worked >= n->need_work) return WHY_WORK;
    if (!w->g->work && n->need_all && w->run >= n->need_all && w->run > c->margin * n->longest) return WHY_ALL;
    if (beside && seconds >= c->beside_s && w->run > n->longest && beside_moved(beside, w, c, range)) return WHY_BESIDE;
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
