/* Ponds live: once a step of the series the facts of all its points make one warning of the pond. */
#include "detect/ahead.h"
#include <math.h>

#define BEIJING (8 * ZB_HOUR)
#define STALE ZB_DAY /* an older value tells nothing of now */

static void least(double *to, double v) { *to = isnan(*to) || v < *to ? v : *to; }

/* Rain of the whole days before: known from the next midnight on. */
static double wet_at(const struct policy *p, const struct mine_state *m, zb_time t) {
    enum { DAYS = 17 }; /* as the gauges' memory */
    double day[DAYS];
    zb_time midnight = (t + BEIJING) / ZB_DAY * ZB_DAY - BEIJING;
    for (int d = 0; d < DAYS; d++) day[d] = rain_within(m, midnight - d * ZB_DAY - 1, ZB_DAY);
    return pond_wet(&p->detect.pond, day, DAYS);
}

/* The level a day ahead, from the last even steps; a missing step holds the value before. */
static void level_forecast(struct step *s, struct level_ahead *a, zb_time t) {
    enum { ROWS_MAX = RAIN_SLOTS };
    double level[ROWS_MAX], wet[ROWS_MAX];
    const struct ring *r = &a->step;
    int n = 0;
    for (int64_t k = r->newest - r->n + 1; k <= r->newest; k++) {
        zb_fix v = r->v[((k % r->n) + r->n) % r->n];
        if (v == ZB_FIX_NONE && !n) continue;
        level[n] = v == ZB_FIX_NONE ? level[n - 1] : zb_fix_double(v);
        wet[n++] = 0;
    }
    a->next = NAN;
    if (!a->fitted || n <= s->p->detect.pond.look) return;
    wet[n - 1] = wet_at(s->p, s->m, t);
    a->next = pond_next(&s->p->detect.pond, &a->model, level, wet, n - 1);
    a->at = t;
}

struct pond_facts {
    double beach, freeboard, phreatic, level, ahead, forecast, spread;
};

static void facts_add(const struct pt *pt, struct pond_facts *f) {
    const struct lines *l = &pt->watch->line;
    zb_fix lo = l->lo[LEVEL_RED], hi = l->hi[LEVEL_RED];
    double v = zb_fix_double(pt->valid[0]);
    switch (pt->ahead->what) {
    case FORECAST_BEACH:
        if (lo != ZB_FIX_NONE) least(&f->beach, v - zb_fix_double(lo));
        break;
    case FORECAST_FREEBOARD:
        if (lo != ZB_FIX_NONE) least(&f->freeboard, v - zb_fix_double(lo));
        break;
    case FORECAST_PHREATIC:
        if (lo != ZB_FIX_NONE && lo > 0) least(&f->phreatic, v / zb_fix_double(lo));
        break;
    case FORECAST_LEVEL:
        if (hi == ZB_FIX_NONE) break;
        least(&f->level, zb_fix_double(hi) - v);
        if (!isnan(pt->ahead->level->next)) {
            double left = zb_fix_double(hi) - pt->ahead->level->next;
            if (isnan(f->ahead) || left < f->ahead) f->forecast = pt->ahead->level->next, f->spread = pt->ahead->level->model.spread;
            least(&f->ahead, left);
        }
        break;
    default: break;
    }
}

static void pond_judge(struct step *s, zb_time t) {
    struct pond_facts o = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    struct warn_facts f;
    bool pond = false;
    for (int i = 0; i < s->m->n; i++) {
        const struct pt *pt = s->m->pt[i];
        if (!pt->ahead || !pt->watch || pt->ahead->what == FORECAST_SLOPE || pt->valid[0] == ZB_FIX_NONE || t - pt->last.t > STALE) continue;
        pond |= pt->ahead->what >= FORECAST_LEVEL && pt->ahead->what <= FORECAST_PHREATIC;
        facts_add(pt, &o);
    }
    if (!pond) return; /* a rain gauge alone is no pond */
    warn_facts_clear(&f);
    warn_fact(s->p, &f, "beach_over_min", o.beach);
    warn_fact(s->p, &f, "freeboard_over_min", o.freeboard);
    warn_fact(s->p, &f, "phreatic_ratio", o.phreatic);
    warn_fact(s->p, &f, "level_below_flood", o.level);
    warn_fact(s->p, &f, "level_below_flood_24h", o.ahead);
    warn_fact(s->p, &f, "pond_level_24h", o.forecast);
    warn_fact(s->p, &f, "pond_spread", o.spread);
    warn_fact(s->p, &f, "pond_rain", rain_within(s->m, t, ZB_DAY));
    ahead_warn(s, "", DETECTOR_POND, &f, t);
}

void pond_ahead_sample(struct step *s, struct pt *pt, const struct sample *x) {
    struct level_ahead *a = pt->ahead->level;
    zb_time step = (zb_time)(s->p->detect.pond.step_s * ZB_SECOND);
    if (a) {
        zb_fix *v = ring_at(&a->step, x->t);
        if (v && *v == ZB_FIX_NONE) {
            *v = x->v;
            level_forecast(s, a, x->t);
        }
    }
    /* a value that falls between two steps and is worse than its line does not wait for the next */
    if (s->m->pond_at != ZB_TIME_NONE && x->t / step == s->m->pond_at / step && !pt->live) return;
    s->m->pond_at = x->t;
    pond_judge(s, x->t);
}
