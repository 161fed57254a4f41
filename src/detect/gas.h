/* Methane some minutes ahead (methods.md C1). Fitted at run time on the mine's own history of one target sensor and its companions (other methane sensors,
 * air, production running), sampled at an even step; a forecast sees the rows up to now and nothing else.
 * Four learners share one table of features: a plain straight line, ridge regression and boosted trees for the mean of the next maximum, weighed by what came true of
 * late (little past: the line; much: the others), boosted trees pooled over several rises for "how likely is a rise of at least g". The forecast leaves the present value only as far as the mean absolute error bears it: on quantised
 * sensors the median of the next minutes is mostly "as now", the mean is not. */
#pragma once
#include "base/str.h"
#include "detect/learn.h"
#include "policy/forecast.h"

#define GAS_CHANNELS_MAX 5 /* channel 0 is the target */
#define GAS_PAST 120       /* rows back that features look; before the first row stands the first row */

struct trend {
    double slope, intercept; /* per step; at the first value */
};
#define TREND_MAX 400
bool theil_sen(const double *v, int n, struct trend *ret);   /* of even steps; false with fewer than two values or more than TREND_MAX */
double steps_to(const struct trend *t, int n, double limit); /* from the last of n values until the line meets limit; 0 beyond it, INFINITY not rising */
struct holt {
    double level, trend;
};
struct holt holt_of(const double *v, int n, double alpha, double beta); /* n >= 2 */
struct ewma {
    double z, limit; /* after the last value looked at */
    int first;       /* index of the first signal, -1 none */
};
struct ewma ewma_chart(const double *v, int n, double lambda, double mu, double sigma, double width);

#define GAS_HORIZON_MAX 60
#define GAS_PULLS 21
enum gas_expert { GAS_PLAIN, GAS_RIDGE, GAS_TREES, GAS_EXPERTS }; /* least squares on a few rows back, ridge and trees on all features */
struct gas_tally { /* what was lost so far: absolutely by "as now"; products of the experts' errors; by the forecast at each pull, absolute and square */
    double now, error[GAS_EXPERTS][GAS_EXPERTS], cost[GAS_PULLS], square[GAS_PULLS];
};
/* Of one live sensor, 3 kB: past forecasts come true and set how the experts are weighed and how far the next is drawn to the present. Plain bytes, to be kept in a
 * checkpoint. */
struct gas_watch {
    struct gas_tally tally;
    uint64_t seen;
    double expert[GAS_HORIZON_MAX][GAS_EXPERTS], mean[GAS_HORIZON_MAX], chance[GAS_HORIZON_MAX];
};
struct gas_model;
/* rows: n × channels, finite. NULL with fewer than 10 · GAS_PAST rows or a rule or channels out of range. gas_free frees. Takes seconds: a job, never the live path. */
struct gas_model *gas_fit(const struct detect_gas *rule, const double *rows, int n, int channels);
void gas_free(struct gas_model *m);
/* To bytes and back, 25 kB; what comes back is bit for bit what was fitted. NULL: damaged, or of another version. */
void gas_pack(const struct gas_model *m, struct buf *out);
struct gas_model *gas_unpack(struct str bytes);
int gas_channels(const struct gas_model *m);
void gas_watch_start(const struct gas_model *m, struct gas_watch *w);
struct gas_next {
    double peak;     /* greatest value within the horizon: right in the middle and in the mean */
    double mean;     /* its expectation, not drawn to the present */
    double rise;     /* chance that it is above the present by rule.rise */
    double cross;    /* chance that it reaches the limit; 1 when it stands there */
    double to_limit; /* steps until the robust trend of the last rule.trend values meets the limit; INFINITY not rising */
    const char *why; /* what speaks most for a rise: of channel why_channel, as "mean of 6 rows"; "" nothing does */
    int why_channel;
};
/* rows[0..now] and every row once, in order; the last GAS_PAST + horizon rows are enough. O(trees) a row. */
void gas_next(const struct gas_model *m, struct gas_watch *w, const double *rows, int now, double limit, struct gas_next *ret);

/* ---- live: a model at its sensor. Rows come one by one; nothing older than is looked at is kept (1.1 kB a channel and 1.4). ---- */
struct gas_live;
struct gas_live *gas_live_new(const struct gas_model *m); /* borrows m */
void gas_live_free(struct gas_live *l);
void gas_live_follow(struct gas_live *l, const struct gas_live *before); /* the rows of the model before it, of as many channels */
void gas_live_pack(const struct gas_live *l, struct buf *out);
bool gas_live_unpack(struct gas_live *l, struct str bytes); /* into a new one of the same model */
/* v: one finite value a channel at the next even step. */
void gas_live_row(struct gas_live *l, const double *v, double limit, struct gas_next *ret);
