/* From stored series to what the forecasts are fitted on, by the rules by which live samples become rows. Pure. */
#pragma once
#include "detect/burst.h"
#include "detect/detect.h"
#include "detect/pond.h"

/* Rows at even steps, *rows: n × channels, the caller frees it; returns n. ch[0] is the target; a step without a value of it holds the one before for at most
 * rule.trend steps, a longer gap is left out. */
int gas_rows(const struct detect_gas *r, const struct past *ch, int channels, double **rows);
/* False: too short a past. rain: gauges, the greatest day counts. */
bool pond_learn_from(const struct detect_pond *r, const struct past *level, const struct past *rain, int gauges, struct pond_model *ret);
enum burst_part { BURST_EVENTS, BURST_SOUND, BURST_WORK, BURST_PARTS };
struct burst_source {
    enum burst_part part;
    const struct past *past;
};
/* Shifts from the first event until `until`, as live ones are counted. False: too few strong events. */
bool burst_learn_from(const struct detect_burst *r, const struct burst_source *src, int n, zb_time until, struct burst_model *ret);
