/* Comparison factor by factor 逐因素比对 (methods E): people, air, power, output and haulage of one mine against each other, against its own past and against what
 * it has declared. Pure; arrays are hours or days with NAN where there is no figure. A baseline is what lies before the judged time, so that a result can be
 * worked out again from the same figures. */
#pragma once
#include "detect/clue.h"
#include "detect/grid.h"

/* ---- E3: a ratio against its baseline ---- */
#define RATIO_BANDS(X) X(LOW, "low") X(BELOW, "below") X(NORMAL, "normal") X(ABOVE, "above") X(HIGH, "high")
enum ratio_band {
#define X(id, key) RATIO_##id,
    RATIO_BANDS(X)
#undef X
};
struct ratio_seen {
    double median, mad, ratio, z;
    enum ratio_band band;
    int n;
};
/* base: normal samples under like conditions (sorted by the call); false: fewer than baseline_min. */
bool ratio_look(double *base, int n, double x, const struct detect_ratio *c, struct ratio_seen *ret);
/* kWh a ton, gas a ton … by day: the last `days` days all extreme on one side, as hardly any run of so many days in the past → a clue. NAN: no figure that day. */
struct ratio_in {
    struct str mine;
    const char *zh, *en, *unit; /* of the ratio */
    const double *day;
    int n;
    zb_time t0; /* of day 0 */
};
void ratio_find(const struct ratio_in *in, const struct policy *p, struct clues *out);

/* ---- power while it should rest ---- */
struct idle_norm {
    double rest_day, work_day; /* kWh of a day at rest and at work, from the lowest and the upper days of the past */
    double hour_cut;           /* an hour above it is work */
    double typical[24];        /* median of each hour of the day over the past */
    bool rested;               /* rest was seen: the two are far enough apart */
    int days;                  /* of the past; 0: too few to judge */
};
/* hour: kWh of each hour from a midnight, n hours before the judged time. */
struct idle_norm idle_learn(const double *hour, int n, const struct detect_idle *c);
struct idle_seen {
    int hours;        /* above the cut */
    int found_at;     /* hour index by which it was clear; -1 not */
    double kwh, rest; /* in the judged hours; what rest would take */
};
/* A mine that was never seen at rest is judged by its load being unchanged. */
void idle_look(const double *hour, int from, int to, const struct idle_norm *n, const struct detect_idle *c, struct idle_seen *ret);

/* ---- declared to stand still ---- */
struct circuit { /* a part of the load; the first one given is the whole */
    const char *zh, *en;
    const double *hour; /* kWh from t0, n hours */
    bool works;         /* its share falls when a mine stands still: hoisting, haulage, faces; not fans and pumps */
};
struct sign { /* anything else that should not be */
    const char *zh, *en, *unit;
    double seen, allowed; /* allowed: what the order or plan leaves */
};
struct still_in {
    struct str mine, subject;
    const char *rule;    /* of the kind of stop: suspended, sealed, under construction, declared maintenance; NULL: the detector's own */
    const char *zh, *en; /* what was declared or ordered */
    zb_time t0;          /* of hour 0: a Beijing midnight */
    int n, stop;         /* hours there are; hour the stop began at */
    const struct circuit *circuit;
    int circuits;
    const struct sign *sign;
    int signs;
};
/* One clue for the whole stop, worded by what is seen up to hour n; two factors in the same direction, or plain load, make grade 2. */
void still_find(const struct still_in *in, const struct policy *p, struct clues *out);

/* ---- E4: output against haulage ---- */
struct
    balance_window { /* tons of a shift, day or month; NAN not measured: without skip belt is set against tickets and stock, without another the window is left out */
    double belt, skip, ticket, stock; /* stock: change of it */
};
void balance_find(struct str mine, const struct balance_window *w, int n, const zb_time *t, zb_time span, const struct policy *p, struct clues *out);
/* R34: tons so far against the approved capacity of a year. */
struct capacity_in {
    struct str mine;
    double annual, month, quarter, year;
    bool underground;
    int32_t day; /* as of */
};
void capacity_find(const struct capacity_in *in, const struct policy *p, struct clues *out);

/* ---- E5: gas betrays production ---- */
double rough_hour(const struct grid *g, int from, int to); /* mean step from cell to cell, in units; NAN when half is missing */
struct rough_in {
    struct str mine, point, location;
    const struct grid *g; /* with regime over the past */
    const char *zh, *en;  /* what was declared */
};
void rough_find(const struct rough_in *in, const struct policy *p, struct clues *out);

/* ---- places ---- */
struct place_seen {
    struct str name;
    bool declared;
    double persons, persons_s; /* most at once; seconds with at least `persons` of the parameter */
    double air, kwh;           /* m3/min measured, kWh of the day; NAN not measured */
};
struct places_in {
    struct str mine;
    const struct place_seen *place;
    int n;
    double air_total; /* of the mine; NAN */
    zb_time from, to;
};
void places_find(const struct places_in *in, const struct policy *p, struct clues *out);

/* ---- E6: slow drift of several factors ---- */
struct factor_days {
    const char *zh, *en, *unit;
    const double *day;
};
void drift_find(struct str mine, const struct factor_days *f, int factors, int days, zb_time t0, const struct policy *p, struct clues *out);
