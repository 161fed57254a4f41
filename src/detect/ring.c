/* Memories by slots: what a point's value was in each part of the last hour or day, what rain fell in each hour of the last 18 days. */
#include "detect/state.h"
#include <stdlib.h>

void ring_make(struct ring *r, zb_time slot, int n) {
    *r = (struct ring){slot, INT64_MIN, n, ZB_TIME_NONE, xmalloc((size_t)n * sizeof *r->v)};
    for (int i = 0; i < n; i++) r->v[i] = ZB_FIX_NONE;
}

void ring_done(struct ring *r) {
    free(r->v);
    *r = (struct ring){0};
}

static int64_t slot_of(const struct ring *r, zb_time t) { return t >= 0 ? t / r->slot : (t - r->slot + 1) / r->slot; }
static int place(const struct ring *r, int64_t k) { return (int)(((k % r->n) + r->n) % r->n); }

void ring_move(struct ring *r, zb_time t) {
    int64_t k = slot_of(r, t);
    if (k <= r->newest) return;
    int64_t from = r->newest == INT64_MIN || k - r->newest >= r->n ? k - r->n + 1 : r->newest + 1;
    for (int64_t i = from; i <= k; i++) r->v[place(r, i)] = ZB_FIX_NONE;
    r->newest = k;
}

zb_fix *ring_at(struct ring *r, zb_time t) {
    ring_move(r, t);
    int64_t k = slot_of(r, t);
    return k > r->newest - r->n ? &r->v[place(r, k)] : NULL;
}

zb_fix ring_sum(const struct ring *r, zb_time t, zb_time within) {
    zb_fix sum = 0;
    if (r->newest == INT64_MIN) return 0;
    int64_t to = slot_of(r, t), from = to - within / r->slot + 1;
    if (from <= r->newest - r->n) from = r->newest - r->n + 1;
    for (int64_t k = from; k <= to && k <= r->newest; k++) {
        zb_fix v = r->v[place(r, k)];
        if (v != ZB_FIX_NONE) sum += v;
    }
    return sum;
}

void rain_add(struct ring *r, const struct sample *x) {
    zb_fix *v = x->t == r->last ? NULL : ring_at(r, x->t);
    r->last = x->t;
    if (v && x->v > 0) *v = (*v == ZB_FIX_NONE ? 0 : *v) + x->v;
}

enum alarm_level rain_level(const struct limit_rule *l, const struct ring *r, zb_time t, zb_fix *sum, zb_fix *line) {
    const struct antecedent *a = &l->antecedent;
    enum alarm_level level = LEVEL_NONE;
    if (l->within > 0) {
        *sum = ring_sum(r, t, l->within);
        level = line_reached(l->sum, *sum, 1, line);
    }
    if (a->recent > 0) {
        zb_fix recent = ring_sum(r, t, a->recent), before = ring_sum(r, t - a->recent, a->before);
        zb_fix limit = a->at - (zb_fix)((__int128)a->less * before / ZB_FIX_ONE);
        if (recent >= limit && a->level > level) {
            level = a->level;
            *sum = recent;
            *line = limit;
        }
    }
    return level;
}
