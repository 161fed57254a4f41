/* A point's samples on an even grid, the common ground of the sensor-day tests (methods D1-D7). Cells without a sample are CELL_NONE; a cell holds the last
 * sample in it. The day that is judged is [day, n); what is before it is the point's own past, from which norms are learned. Nothing looks ahead. */
#pragma once
#include "model/point.h"
#include "policy/detect.h"

#define CELL_NONE ZB_FIX_NONE
/* What lies farther out (2·10¹²) is no reading of a sensor and is left out; the difference of two others fits an integer. NONE is no value. */
#define CELL_MOST ((zb_fix)1 << 61)
static inline bool cell_value(zb_fix v) { return v >= -CELL_MOST && v <= CELL_MOST; }
enum regime { REGIME_REST, REGIME_WORK, REGIME_UNKNOWN }; /* of the place: is coal cut there? */
struct grid {
    zb_time t0, step; /* time of cell i: t0 + i step */
    int n, day;
    zb_fix *v;       /* n values */
    uint32_t *state; /* OR of the states in the cell */
    uint8_t *work;   /* enum regime of each cell; NULL unknown throughout */
    zb_fix unit;     /* resolution: the smallest step between values, at least a millionth */
};
/* Owns v and state; work is made by grid_regime. from: a whole number of steps is best. */
void grid_make(struct grid *g, const struct sample *s, int n, zb_time from, zb_time day, zb_time to, zb_time step);
void grid_free(struct grid *g);
/* on: a switch's samples (1 running), rising: each cell gets the state that stood then; older than `stale` is unknown. */
void grid_regime(struct grid *g, const struct sample *on, int n, zb_time stale);
zb_time grid_time(const struct grid *g, int cell);
/* Period of a series: median of its gaps, 0 when there are fewer than 3 samples. */
zb_time samples_period(const struct sample *s, int n);
