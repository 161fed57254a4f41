/* What looks ahead live (rules/forecast.yaml): kept at each point whose type a forecast asks for, and stepped by its samples like everything else, so that the
 * same inputs give the same warnings. Warnings are judged at the time of the data; nothing here is judged again when late data comes. */
#pragma once
#include "detect/burst.h"
#include "detect/pond.h"
#include "detect/slope.h"
#include "detect/state.h"

#define AHEAD_CODE 48
struct gas_ahead { /* of a methane point that has a model */
    struct gas_model *model;
    struct gas_live *live;
    char with[GAS_CHANNELS_MAX - 1][AHEAD_CODE]; /* the points beside, as they were fitted */
    int32_t fitted;                              /* day */
    int64_t slot;                                /* number of the last even step; INT64_MIN none */
    double row[GAS_CHANNELS_MAX];                /* the last row */
    struct gas_next next;                        /* the last forecast; at: when, NONE none */
    zb_time at;
};
enum { SLOPE_HOURS = 48, SLOPE_DAYS_MAX = 400 };
struct slope_ahead {             /* of a prism's or receiver's component */
    struct ring hour, day, when; /* mm: last of each hour, middle reading of each day (Beijing); ms: which hour that was */
    enum alarm_level level;      /* at its last judgement */
    zb_time at;                  /* NONE: not judged yet */
    double speed, angle, days, days_low, days_high;
    char why[ALARM_WHY_CAP];
};
struct level_ahead { /* of a pond's level */
    struct ring step;
    struct pond_model model;
    int32_t fitted; /* day; 0: no model yet */
    double next;    /* forecast; NAN none */
    zb_time at;     /* of it */
};
struct ahead {
    enum forecast_type what; /* FORECAST_TYPES_N: methane */
    struct gas_ahead *gas;   /* NULL: no model */
    struct slope_ahead *slope;
    struct level_ahead *level;
};
enum { BURST_KEPT = 1024 };
struct burst_ahead { /* of a mine with seismic events */
    struct burst_shift shift[BURST_KEPT];
    double score[BURST_KEPT]; /* NAN: judged without a model */
    int n;                    /* closed shifts kept, the newest last */
    int64_t open;             /* number of the shift now counted; INT64_MIN none */
    struct burst_shift now;
    zb_time received; /* when its last event came in */
    struct burst_model model;
    int32_t fitted; /* day; 0: none */
};

void ahead_make(const struct policy *p, struct pt *pt); /* what its type asks for; keeps what is there */
void ahead_done(struct pt *pt);
void ahead_sample(struct step *s, struct pt *pt, const struct sample *x, bool sure);
void ahead_late(struct pt *pt, const struct sample *x); /* it counts in what is remembered; nothing is judged */
bool ahead_type(const struct policy *p, const struct pt *pt, enum forecast_type k);
/* facts → warning of this place; point "" the mine */
void ahead_warn(struct step *s, const char *point, enum detector_id hazard, const struct warn_facts *f, zb_time t);

void gas_ahead_free(struct gas_ahead *g);
void gas_ahead_sample(struct step *s, struct pt *pt, const struct sample *x);
void slope_ahead_put(struct slope_ahead *a, zb_time t, zb_fix v);
void slope_ahead_sample(struct step *s, struct pt *pt, const struct sample *x);
void pond_ahead_sample(struct step *s, struct pt *pt, const struct sample *x);
void burst_ahead_sample(struct step *s, struct pt *pt, const struct sample *x);
zb_time burst_tick(struct step *s); /* closes a shift that is over; when to look again */
void burst_ahead_free(struct burst_ahead *b);
struct burst_ahead *burst_ahead_new(void);
/* Rain of the mine's gauges within the time before t: the greatest; NAN without a gauge that remembers. */
double rain_within(const struct mine_state *m, zb_time t, zb_time within);
