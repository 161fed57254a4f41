/* Which points are looked at, and where their samples go. */
#include "detect/ahead.h"
#include <math.h>
#include <stdlib.h>

bool ahead_type(const struct policy *p, const struct pt *pt, enum forecast_type k) { return word_in(p->forecast.types[k], str_of(pt->def.sensor_type)); }

static struct slope_ahead *slope_new(const struct policy *p) {
    struct slope_ahead *a = xcalloc(1, sizeof *a);
    const struct detect_slope *r = &p->detect.slope;
    int days = (int)(r->span + r->uniform) + 3;
    if (days > SLOPE_DAYS_MAX) days = SLOPE_DAYS_MAX;
    ring_make(&a->hour, ZB_HOUR, SLOPE_HOURS);
    ring_make(&a->day, ZB_DAY, days);
    ring_make(&a->when, ZB_DAY, days);
    a->at = ZB_TIME_NONE;
    a->speed = a->angle = a->days = a->days_low = a->days_high = NAN;
    return a;
}

static struct level_ahead *level_new(const struct policy *p) {
    struct level_ahead *a = xcalloc(1, sizeof *a);
    int rows = (int)p->detect.pond.look + 2;
    ring_make(&a->step, (zb_time)(p->detect.pond.step_s * ZB_SECOND), rows < RAIN_SLOTS ? rows : RAIN_SLOTS);
    a->next = NAN;
    a->at = ZB_TIME_NONE;
    return a;
}

void ahead_make(const struct policy *p, struct pt *pt) {
    if (pt->ahead || pt->def.vt != VALUE_MN) return;
    int what = 0;
    while (what < FORECAST_TYPES_N && !(what != FORECAST_AIR && ahead_type(p, pt, (enum forecast_type)what))) what++;
    if (what == FORECAST_TYPES_N) return; /* a methane point begins with its model */
    pt->ahead = xcalloc(1, sizeof *pt->ahead);
    pt->ahead->what = (enum forecast_type)what;
    if (what == FORECAST_SLOPE) pt->ahead->slope = slope_new(p);
    if (what == FORECAST_LEVEL) pt->ahead->level = level_new(p);
}

void ahead_done(struct pt *pt) {
    struct ahead *a = pt->ahead;
    if (!a) return;
    gas_ahead_free(a->gas);
    if (a->slope) ring_done(&a->slope->hour), ring_done(&a->slope->day), ring_done(&a->slope->when);
    if (a->level) ring_done(&a->level->step);
    free(a->slope), free(a->level), free(a);
    pt->ahead = NULL;
}

void ahead_sample(struct step *s, struct pt *pt, const struct sample *x, bool sure) {
    if (!sure) return; /* no fact ends a warning by its absence */
    switch (pt->ahead->what) {
    case FORECAST_SLOPE: slope_ahead_sample(s, pt, x); break;
    case FORECAST_LEVEL:
    case FORECAST_BEACH:
    case FORECAST_FREEBOARD:
    case FORECAST_PHREATIC:
    case FORECAST_RAIN: pond_ahead_sample(s, pt, x); break;
    case FORECAST_SEISMIC:
    case FORECAST_ACOUSTIC: burst_ahead_sample(s, pt, x); break;
    default:
        if (pt->ahead->gas) gas_ahead_sample(s, pt, x);
    }
}

void ahead_late(struct pt *pt, const struct sample *x) {
    if (pt->ahead->slope) slope_ahead_put(pt->ahead->slope, x->t, x->v);
    zb_fix *v = pt->ahead->level ? ring_at(&pt->ahead->level->step, x->t) : NULL;
    if (v && *v == ZB_FIX_NONE) *v = x->v;
}

void ahead_warn(struct step *s, const char *point, enum detector_id hazard, const struct warn_facts *f, zb_time t) {
    struct warning w;
    warn_judge(s->p, hazard, f, &w);
    mine_warn(s->p, s->m, str_of(point), hazard, &w, t, s->now, s->out);
}

double rain_within(const struct mine_state *m, zb_time t, zb_time within) {
    double most = NAN;
    for (int i = 0; i < m->n; i++) {
        const struct pt *pt = m->pt[i];
        if (!pt->watch || !pt->watch->rain.slot || pt->watch->rain.newest == INT64_MIN) continue;
        most = fmax(isnan(most) ? 0 : most, zb_fix_double(ring_sum(&pt->watch->rain, t, within)));
    }
    return most;
}
