/* Tailings ponds: derived values, consistency, the level a day ahead (methods.md C9, thresholds.md B). Metres, hours by the step of the series. */
#pragma once
#include "detect/gas.h"

/* Beach length of an even slope (share, > 0) between crest and level. */
double beach_of(double crest, double level, double slope);
/* Least depth of the phreatic line for a dam of this height, straight between the policy's points, held beyond its ends. */
double phreatic_least(const struct curve *c, double height);
/* What does not fit together; bits. NAN is not compared. */
enum { POND_FREEBOARD_WRONG = 1, POND_BEACH_WRONG = 2 };
unsigned pond_check(const struct detect_pond *r, double crest, double level, double freeboard, double beach, double slope);

/* The level a horizon ahead: ridge regression of its change on how high it stands against its usual level (ponds are pumped towards one), its change over
 * rule.look, and the rain of whole days before, believed as far as it held for stretches of the past it was not fitted on. Even steps; a level that is not
 * known is NAN and makes no row. */
struct pond_model {
    double usual, w[3], mean[3], sd[3], change; /* change: mean of the fitted rows */
    double spread;                              /* root mean square of what the fit leaves, m */
};
/* Rain that still runs off: sum over the days before, halving (rule.fade) each day; day[0] is yesterday. */
double pond_wet(const struct detect_pond *r, const double *day, int days);
bool pond_fit(const struct detect_pond *r, const double *level, const double *wet, int n, struct pond_model *ret); /* false: fewer rows than a horizon */
double pond_next(const struct detect_pond *r, const struct pond_model *m, const double *level, const double *wet,
                 int now); /* reads level[now-look..now], wet[now] */
