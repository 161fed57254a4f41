/* What gas.c and gas_pack.c share. */
#pragma once
#include "detect/gas.h"

enum { GAS_LOOKS = 18, GAS_COMPANION = 9, GAS_GAPS_MAX = 8, GAS_PLAIN_LOOKS = 3, GAS_VIEWS = 4 };
enum { GAS_FEATURES_MAX = GAS_LOOKS + (GAS_CHANNELS_MAX - 1) * GAS_COMPANION };

struct gas_model {
    struct detect_gas rule;
    int channels, k;
    double mean[GAS_FEATURES_MAX], sd[GAS_FEATURES_MAX], w[GAS_FEATURES_MAX + 1]; /* ridge on the scaled features, then 1 */
    double plain[GAS_PLAIN_LOOKS * GAS_CHANNELS_MAX + 1];                         /* the straight line on a few of them, then 1 */
    struct boost *trees, *odds;                                                   /* of the mean; of a rise by the gap in the last feature */
    double weight[2], first[GAS_VIEWS]; /* chance of a rise by any gap, from how far the mean is beyond it; by the first step, of the views */
    struct gas_tally start;
};

struct gas_live {
    const struct gas_model *m;
    struct gas_watch watch;
    int n;        /* rows in use; when there is no room the newest that are still looked at move to the front */
    double row[]; /* of as many channels as the model has */
};
int gas_live_room(const struct gas_model *m); /* rows */

static inline int gas_features(int channels) { return GAS_LOOKS + (channels - 1) * GAS_COMPANION; }
bool gas_rule_good(const struct detect_gas *r); /* its numbers are ones the code can work with */
