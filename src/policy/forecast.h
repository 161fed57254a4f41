/* rules/forecast.yaml: the forecasts are detectors (policy/detect.h); here are the tables that make a warning level of what they and people tell. */
#pragma once
#include "model/alarm.h"
#include "policy/detect.h"

/* Which points a forecast looks at: sensor types, separated by blanks. */
#define FORECAST_TYPES(X)                                                                                                                                      \
    X(SLOPE, slope)                                                                                                                                            \
    X(LEVEL, level) X(BEACH, beach) X(FREEBOARD, freeboard) X(PHREATIC, phreatic) X(RAIN, rain) X(SEISMIC, seismic) X(ACOUSTIC, acoustic) X(AIR, air)
enum forecast_type {
#define X(id, key) FORECAST_##id,
    FORECAST_TYPES(X)
#undef X
        FORECAST_TYPES_N
};

#define WARN_CONDS_MAX 4
#define WARN_ITEMS_MAX 60
struct warn_item { /* a measured or forecast fact that rules compare */
    const char *key, *zh, *en, *unit;
};
struct warn_cond {
    int item;  /* index in items */
    bool high; /* true: reached from value upward; false: from value downward */
    double value;
};
struct warn_rule { /* all conditions true: this level. thresholds.md 0: warn_rule(level, param, op, value, source) */
    const char *key, *zh, *en, *source;
    enum detector_id hazard;
    enum alarm_level level;
    struct warn_cond cond[WARN_CONDS_MAX];
    int conds;
    int show[WARN_CONDS_MAX]; /* items told beside, when known */
    int shows;
    bool check; /* assumed: to be confirmed by the owner */
};
struct curve { /* piecewise straight: the least phreatic depth by dam height */
    int n;
    double x[16], y[16];
};
struct forecast_policy {
    const char *types[FORECAST_TYPES_N];
    struct warn_item *item;
    int items;
    struct warn_rule *warn;
    int warns;
    const struct joint_rule *points; /* so many points of a wall at one level make the next colour */
    enum alarm_level joint_from;     /* two hazards of one place at this level or above raise the colour by one */
    struct curve phreatic;           /* m of dam height → m of depth */
};
