/* Slopes from prisms and GNSS points (methods.md C10): speed, tangent angle, onset of acceleration, inverse velocity with an interval, loss while moving; then one
 * stage for the wall from all its points and the rain. One value a point and day is enough (the middle reading of the day); days in ms, displacement in mm. */
#pragma once
#include "detect/warn.h"

struct slope_reading { /* of one point, rising in time */
    zb_time t;
    double mm;
};
#define SLOPE_READINGS_MAX 400
struct inverse {                     /* 1/v = a + b·t; t_f = -a/b */
    double a, b, r2, t_f, low, high; /* low, high: 95 % of t_f by the delta method; INFINITY when the line does not fall */
};
struct slope_state {
    double speed, sure, uniform;      /* mm/d: robust over rule.span or a half, a quarter … of it, whichever is surest to be fast; less rule.errors
                                  * standard errors by the point's own noise, never below 0; middle speed of the
                                  * time before, never below rule.slowest. NAN: too few readings */
    double angle;                     /* degrees: atan(sure/uniform) */
    bool onset;                       /* SMA over LMA by rule.ratio, rule.hold readings in a row */
    double days, days_low, days_high; /* left by inverse velocity from now; NAN when it does not apply */
    bool lost;                        /* no reading for rule.lost days after it moved at rule.moving degrees or more */
};
/* ---- formulas ---- */
double tangent_angle(double speed, double uniform);                                                 /* degrees */
bool inverse_velocity(const double *t, const double *v, int n, struct inverse *ret);                /* false: fewer than 3 points or a speed <= 0 */
bool sma_over_lma(const double *v, int i, int sma, int lma, double *short_mean, double *long_mean); /* false: fewer than lma values up to i */
double speed_of(const struct slope_reading *r, int n); /* mm/d, Theil–Sen over the readings; NAN with fewer than 2 */

void slope_point(const struct detect_slope *rule, const struct slope_reading *r, int n, zb_time now,
                 struct slope_state *ret); /* readings after now are not read */

/* A shorter look at points read often, by a half, a quarter … of rule.span with twice as many readings, so that no outlier makes it: where that is surer to be
 * fast, it is what ret says. r: at most SLOPE_READINGS_MAX, the newest last. */
void slope_quick(const struct detect_slope *rule, const struct slope_reading *r, int n, struct slope_state *ret);

#define SLOPE_POINTS_MAX 200
struct slope_point_now {    /* kept per point; plain bytes */
    enum alarm_level level; /* its stage at its last reading */
    zb_time at;
};
struct slope_wall {
    enum alarm_level level;
    int count[ALARM_LEVELS_N]; /* points at each stage within rule.together */
};
/* Facts of a point for the table of levels. */
void slope_facts(const struct policy *p, const struct slope_state *s, double rain_mm, struct warn_facts *f);
/* Stage of the wall: points of the last rule.together days by GB 39496's counts. A point alone reaches the top colour by its own rule only. */
void slope_wall_now(const struct policy *p, const struct slope_point_now *pt, int n, zb_time now, struct slope_wall *ret);
