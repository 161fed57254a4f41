/* How far a mine's clock is off: when a file says it was made against when it came. Each hour keeps the median of its files, a day keeps 24 of them, and the
 * answer is their median: an hour of backlog, a single mad stamp or a slow afternoon of the network do not move it. Pure; times in ms.
 * Positive: the mine's clock is behind (or its way is long); negative: it is ahead, which no network can do. */
#pragma once
#include "base/str.h"
#include "base/time.h"

#define SKEW_HOURS 24
#define SKEW_HOUR_MAX 64
struct skew {
    int64_t hour;                                 /* of receipt, that `now` belongs to; 0 nothing yet */
    int n, stride, skip;                          /* of this hour: kept, one of so many, how many to leave out yet */
    int hours;                                    /* finished ones */
    zb_time now[SKEW_HOUR_MAX], past[SKEW_HOURS]; /* past: newest last */
};
void skew_add(struct skew *k, zb_time received, zb_time delay);
/* false: nothing measured. spread: how far the middle half of the hours (of the files, in the first hour) lie apart; hours: how many it rests on, 0: only the
 * one that runs. */
bool skew_of(const struct skew *k, zb_time *offset, zb_time *spread, int *hours);
void skew_freeze(const struct skew *k, struct buf *out); /* numbers with blanks between */
bool skew_thaw(struct str text, struct skew *ret);       /* "" is nothing measured; false: damaged */
