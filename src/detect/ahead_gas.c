/* Methane live: a row an even step, the point's own first value of the step with what the points beside said last. The night's rows are made by the same rule. */
#include "detect/ahead.h"
#include <math.h>
#include <stdlib.h>

void gas_ahead_free(struct gas_ahead *g) {
    if (!g) return;
    gas_live_free(g->live);
    gas_free(g->model);
    free(g);
}

/* The last value of a point, whatever its kind; false: it has said nothing yet. */
static bool last_of(const struct pt *pt, double *ret) {
    zb_fix v = !pt ? ZB_FIX_NONE : pt->def.vt == VALUE_MN ? pt->valid[0] : pt->last.v;
    if (v != ZB_FIX_NONE) *ret = zb_fix_double(v);
    return v != ZB_FIX_NONE;
}

static void judge(struct step *s, struct pt *pt, zb_time t) {
    const struct detect_gas *r = &s->p->detect.gas;
    struct gas_ahead *g = pt->ahead->gas;
    double limit = zb_fix_double(pt->eff.hi_alarm), step_min = r->step_s / 60;
    if (g->row[0] >= limit) return; /* it stands there: the alarm's business */
    struct warn_facts f;
    warn_facts_clear(&f);
    warn_fact(s->p, &f, "gas_cross", g->next.cross);
    warn_fact(s->p, &f, "gas_minutes", g->next.to_limit * step_min);
    warn_fact(s->p, &f, "gas_peak", g->next.peak);
    warn_fact(s->p, &f, "gas_limit", limit);
    warn_fact(s->p, &f, "gas_horizon", r->horizon * step_min);
    ahead_warn(s, pt->def.code, DETECTOR_GAS, &f, t);
}

void gas_ahead_sample(struct step *s, struct pt *pt, const struct sample *x) {
    struct gas_ahead *g = pt->ahead->gas;
    const struct detect_gas *r = &s->p->detect.gas;
    int64_t slot = x->t / (zb_time)(r->step_s * ZB_SECOND);
    if (slot == g->slot || pt->eff.hi_alarm == ZB_FIX_NONE) return;
    double row[GAS_CHANNELS_MAX] = {zb_fix_double(x->v)}, limit = zb_fix_double(pt->eff.hi_alarm);
    for (int c = 1; c < gas_channels(g->model); c++)
        if (!last_of(pt_find(s->m, str_of(g->with[c - 1])), &row[c])) return;
    int64_t missed = g->slot == INT64_MIN ? 0 : slot - g->slot - 1;
    if (missed > r->trend) { /* what was before is no past of it */
        gas_live_free(g->live);
        g->live = gas_live_new(g->model);
        missed = 0;
    }
    for (; missed > 0; missed--) gas_live_row(g->live, g->row, limit, &g->next); /* a short gap holds the value before */
    memcpy(g->row, row, sizeof row);
    gas_live_row(g->live, row, limit, &g->next);
    g->slot = slot;
    g->at = x->t;
    judge(s, pt, x->t);
}
