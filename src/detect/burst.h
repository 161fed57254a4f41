/* Rock burst hazard per shift from seismic and acoustic events (methods.md C5). A hazard level with its sensitivity and false share, never a prediction of a
 * burst: an additive logistic model of six readings, fitted on the mine's own shifts, and formulas of the field. */
#pragma once
#include "detect/learn.h"
#include "policy/forecast.h"

struct burst_shift {         /* one shift or day, in time order */
    double events, strong;   /* counts; strong: at or above rule.strong */
    double energy, acoustic; /* J: of the events; of the most active geophone */
    bool working;            /* coal was won, not prepared */
};
#define BURST_FEATURES 5
struct burst_model {
    double mean[BURST_FEATURES], sd[BURST_FEATURES], w[BURST_FEATURES + 1];
    struct cut cut; /* of shifts forecast while not fitted on */
};
/* hit[i]: a strong event in the shift after i. False with fewer than rule.positives of either kind. past: the shifts before s[0] are s[-past..-1], 0 none. */
bool burst_fit(const struct detect_burst *r, const struct burst_shift *s, const bool *hit, const bool *use, int n,
               struct burst_model *ret);                                                                           /* use NULL: all rows */
double burst_score(const struct detect_burst *r, const struct burst_model *m, const struct burst_shift *s, int now); /* log odds; reads s[now-past..now] */
/* Log odds above which a shift stands out against the last rule.memory shifts, the share of warned shifts kept: the level of a mine drifts over months.
 * score: of the shifts before now, the newest last; with fewer than rule.enough the model's own cut. */
double burst_cut(const struct detect_burst *r, const struct burst_model *m, const double *score, int n);
/* What speaks for hazard, strongest first, as "事件 7 次（高于常态）"; returns how many of at most max. */
struct burst_reason {
    const char *zh, *en;
    double value, part; /* reading; what it adds to the log odds */
};
int burst_reasons(const struct detect_burst *r, const struct burst_model *m, const struct burst_shift *s, int now, struct burst_reason *out, int max);

/* ---- formulas ---- */
double deviation_percent(double now, const double *before, int n); /* 100·(now/mean - 1); NAN when the mean is 0 or n < 1 */
struct b_value {
    double b, shi_bolt, aki, mean; /* NAN: fewer than two magnitudes or all at the floor */
};
struct b_value b_value_of(const double *magnitude, int n, double floor, double step);
double magnitude_energy(double m); /* J: lg E = 1.8 + 1.9 M */
double energy_magnitude(double joule);
