#include "detect/ahead_fit.h"
#include "detect/state.h"
#include <math.h>
#include <stdlib.h>

#define BEIJING (8 * ZB_HOUR)

static bool sure(const struct sample *x) { return !(x->state & UNSURE) && x->v != ZB_FIX_NONE; }

/* ---- methane ---- */
static void row_add(double **rows, int *n, int *cap, const double *row, int channels) {
    if (*n == *cap) {
        *cap = *cap ? 2 * *cap : 4096;
        *rows = xrealloc(*rows, (size_t)*cap * (size_t)channels * sizeof **rows);
    }
    memcpy(*rows + (size_t)(*n)++ * (size_t)channels, row, (size_t)channels * sizeof *row);
}

int gas_rows(const struct detect_gas *r, const struct past *ch, int channels, double **rows) {
    zb_time step = (zb_time)(r->step_s * ZB_SECOND);
    double row[GAS_CHANNELS_MAX] = {0};
    bool known[GAS_CHANNELS_MAX] = {false};
    int at[GAS_CHANNELS_MAX] = {0}, n = 0, cap = 0;
    int64_t last = INT64_MIN;
    *rows = NULL;
    for (int i = 0; i < ch[0].n; i++) {
        const struct sample *x = &ch[0].v[i];
        int64_t slot = x->t / step;
        if (!sure(x) || slot == last) continue;
        bool all = true;
        int64_t missed = last == INT64_MIN || slot - last - 1 > (int64_t)r->trend ? 0 : slot - last - 1;
        for (; n && missed > 0; missed--) row_add(rows, &n, &cap, row, channels);
        for (int c = 1; c < channels; c++) {
            for (; at[c] < ch[c].n && ch[c].v[at[c]].t <= x->t; at[c]++)
                if (sure(&ch[c].v[at[c]])) row[c] = zb_fix_double(ch[c].v[at[c]].v), known[c] = true;
            all &= known[c];
        }
        if (!all) continue;
        row[0] = zb_fix_double(x->v);
        row_add(rows, &n, &cap, row, channels);
        last = slot;
    }
    return n;
}

/* ---- pond ---- */
static double *rain_days(const struct past *rain, int gauges, int32_t first, int days) {
    double *mm = xcalloc((size_t)days + 1, sizeof *mm), *one = xmalloc(((size_t)days + 1) * sizeof *one);
    for (int g = 0; g < gauges; g++) {
        memset(one, 0, (size_t)days * sizeof *one);
        for (int i = 0; i < rain[g].n; i++) {
            int d = zb_day_of(rain[g].v[i].t) - first;
            if (sure(&rain[g].v[i]) && rain[g].v[i].v > 0 && d >= 0 && d < days) one[d] += zb_fix_double(rain[g].v[i].v);
        }
        for (int d = 0; d < days; d++) mm[d] = fmax(mm[d], one[d]);
    }
    free(one);
    return mm;
}

bool pond_learn_from(const struct detect_pond *r, const struct past *level, const struct past *rain, int gauges, struct pond_model *ret) {
    zb_time step = (zb_time)(r->step_s * ZB_SECOND);
    int back = (int)r->wet_days, last = level->n - 1, i = 0;
    if (level->n < 2) return false;
    int64_t from = level->v[0].t / step, rows = level->v[last].t / step - from + 1;
    if (rows < 2 || rows > 10000000) return false;
    int32_t first = zb_day_of(level->v[0].t) - back;
    int days = zb_day_of(level->v[last].t) - first + 1;
    double *mm = rain_days(rain, gauges, first, days), *v = xmalloc((size_t)rows * sizeof *v), *wet = xmalloc((size_t)rows * sizeof *wet);
    double now = NAN;
    int n = 0, old = 0;
    for (int64_t k = 0; k < rows; k++, old++) {
        for (; i < level->n && level->v[i].t / step <= from + k; i++)
            if (sure(&level->v[i])) now = zb_fix_double(level->v[i].v), old = 0;
        if (old > r->look) now = NAN; /* a longer gap is not a level that stood still */
        double before[32];
        int at = zb_day_of((from + k) * step) - first;
        for (int d = 0; d < back && d < 32; d++) before[d] = at - 1 - d >= 0 && at - 1 - d < days ? mm[at - 1 - d] : 0;
        v[n] = now;
        wet[n++] = pond_wet(r, before, back < 32 ? back : 32);
    }
    bool good = pond_fit(r, v, wet, n, ret);
    free(mm), free(v), free(wet);
    return good;
}

/* ---- rock burst ---- */
static zb_time first_event(const struct burst_source *src, int n) {
    zb_time t = INT64_MAX;
    for (int k = 0; k < n; k++)
        if (src[k].part == BURST_EVENTS && src[k].past->n && src[k].past->v[0].t < t) t = src[k].past->v[0].t;
    return t;
}

static void shifts_add(const struct detect_burst *r, const struct burst_source *s, int64_t from, int64_t length, struct burst_shift *shift, int n) {
    for (int i = 0; i < s->past->n; i++) {
        const struct sample *x = &s->past->v[i];
        int64_t k = (x->t + BEIJING) / length - from;
        if (!sure(x) || k < 0 || k >= n) continue;
        double joule = zb_fix_double(x->v);
        if (s->part == BURST_SOUND) {
            shift[k].acoustic += joule;
        } else {
            shift[k].events++;
            shift[k].strong += joule >= r->strong;
            shift[k].energy += joule;
        }
    }
}

/* Won, when a switch of work was on at the end of the shift, or there is none. */
static void shifts_work(const struct burst_source *src, int sources, int64_t from, int64_t length, struct burst_shift *shift, int n) {
    bool any = false;
    for (int k = 0; k < sources; k++) {
        if (src[k].part != BURST_WORK || !src[k].past->n) continue;
        any = true;
        for (int i = 0, at = 0, on = 0; i < n; i++) {
            for (; at < src[k].past->n && src[k].past->v[at].t < (from + i + 1) * length - BEIJING; at++) on = src[k].past->v[at].v > 0;
            shift[i].working |= on;
        }
    }
    for (int i = 0; i < n && !any; i++) shift[i].working = true;
}

bool burst_learn_from(const struct detect_burst *r, const struct burst_source *src, int sources, zb_time until, struct burst_model *ret) {
    int64_t length = (int64_t)(r->shift_h * ZB_HOUR);
    zb_time first = first_event(src, sources);
    if (first >= until) return false;
    int64_t from = (first + BEIJING) / length, rows = (until + BEIJING) / length - from;
    if (rows < 2 || rows > 100000) return false;
    int n = (int)rows;
    struct burst_shift *shift = xcalloc((size_t)n, sizeof *shift);
    bool *hit = xcalloc((size_t)n, sizeof *hit), *use = xcalloc((size_t)n, sizeof *use);
    for (int k = 0; k < sources; k++)
        if (src[k].part != BURST_WORK) shifts_add(r, &src[k], from, length, shift, n);
    shifts_work(src, sources, from, length, shift, n);
    for (int i = 0; i + 1 < n; i++) use[i] = true, hit[i] = shift[i + 1].strong > 0;
    bool good = burst_fit(r, shift, hit, use, n, ret);
    free(shift), free(hit), free(use);
    return good;
}
