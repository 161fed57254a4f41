/* What colour a figure has and why; where its line leads. Pure: no database, no clock. The rules stand in prove.yaml. */
#pragma once
#include "prove/prove.h"

#define LIGHTS(X) X(GREEN, "green") X(AMBER, "amber") X(RED, "red") X(NOT_DUE, "not_due") X(NO_DATA, "no_data") X(NO_CASE, "no_case") X(SHOWN, "shown")
enum light { /* SHOWN: has no target, is only shown */
#define X(id, key) LIGHT_##id,
             LIGHTS(X)
#undef X
                 LIGHTS_N
};
extern const char *const LIGHT_KEY[];
int light_rank(enum light l); /* the worse the higher: red, amber, no data, not due, shown, green, no case */

struct point {
    int32_t day;
    double v;
};
/* A line through points by the median of their slopes (Theil–Sen), so that a single odd month moves nothing; low and high: 80 %. */
struct forecast {
    bool given; /* false: too few points */
    double at, low, high;
};
struct forecast forecast_make(const struct light_rule *r, const struct point *p, int n, int32_t day);

struct light_in {
    enum figure_has has;
    double value;
    int32_t today;
    bool has_before; /* RISING, FALLING: the figure a year before */
    double before;
    bool has_base; /* of the path: the figure on base_on */
    double base;
    bool last_missed;         /* by_end: its last full period ended without the target met */
    struct forecast forecast; /* at the due date */
};
struct light_out {
    enum light light;
    char zh[160], en[160]; /* why */
    bool has_path;
    double path; /* where the line from base to target stands today */
};
bool light_met(const struct indicator *x, double value);
int32_t light_due(const struct indicator *x, int32_t today);    /* due date, or the last day of the period; INT32_MAX: none */
int32_t light_period(const struct indicator *x, int32_t today); /* first day of the period; INT32_MAX: no cycle */
void light_make(const struct indicator *x, const struct light_rule *r, const struct light_in *in, struct light_out *ret);
