#include "detect/grid.h"
#include "detect/stat.h"
#include <stdlib.h>

zb_time grid_time(const struct grid *g, int cell) { return g->t0 + cell * g->step; }

static zb_fix unit_of(const struct grid *g) {
    zb_fix unit = 0, last = CELL_NONE;
    for (int i = 0; i < g->n; i++) {
        if (g->v[i] == CELL_NONE) continue;
        zb_fix d = last == CELL_NONE ? 0 : g->v[i] > last ? g->v[i] - last : last - g->v[i];
        if (d && (!unit || d < unit)) unit = d;
        last = g->v[i];
    }
    return unit ? unit : 1;
}

void grid_make(struct grid *g, const struct sample *s, int n, zb_time from, zb_time day, zb_time to, zb_time step) {
    int cells = to > from && step > 0 ? (int)((to - from + step - 1) / step) : 0;
    *g = (struct grid){.t0 = from, .step = step, .n = cells, .day = day > from ? (int)((day - from) / step) : 0};
    g->v = xmalloc((size_t)(cells + 1) * sizeof *g->v);
    g->state = xcalloc((size_t)cells + 1, sizeof *g->state);
    for (int i = 0; i < cells; i++) g->v[i] = CELL_NONE;
    for (int k = 0; k < n; k++) {
        if (s[k].t < from || s[k].t >= to) continue;
        int i = (int)((s[k].t - from) / step);
        if (cell_value(s[k].v)) g->v[i] = s[k].v;
        g->state[i] |= s[k].state;
    }
    g->unit = unit_of(g);
}

void grid_free(struct grid *g) {
    free(g->v), free(g->state), free(g->work);
    *g = (struct grid){0};
}

void grid_regime(struct grid *g, const struct sample *on, int n, zb_time stale) {
    g->work = xmalloc((size_t)g->n + 1);
    int k = -1;
    for (int i = 0; i < g->n; i++) {
        zb_time t = grid_time(g, i) + g->step - 1;
        while (k + 1 < n && on[k + 1].t <= t) k++;
        bool known = k >= 0 && on[k].v != ZB_FIX_NONE && t - on[k].t <= stale;
        g->work[i] = !known ? REGIME_UNKNOWN : on[k].v > 0 ? REGIME_WORK : REGIME_REST;
    }
}

static int up(const void *a, const void *b) {
    zb_time x = *(const zb_time *)a, y = *(const zb_time *)b;
    return (x > y) - (x < y);
}
zb_time samples_period(const struct sample *s, int n) {
    if (n < 3) return 0;
    zb_time *gap = xmalloc((size_t)n * sizeof *gap);
    int k = 0;
    for (int i = 1; i < n; i++)
        if (s[i].t > s[i - 1].t) gap[k++] = s[i].t - s[i - 1].t;
    qsort(gap, (size_t)k, sizeof *gap, up);
    zb_time m = k ? gap[k / 2] : 0;
    free(gap);
    return m;
}
