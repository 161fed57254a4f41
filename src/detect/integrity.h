/* Is a sensor telling the truth? Tests of one point and one day against its own past, its neighbour and what else is known (methods D1-D9). Pure: arrays in,
 * hits out. Each test names what it cannot see. A hit alone is a suspicion; integrity_day puts the parts of a day together (D11). */
#pragma once
#include "detect/clue.h"
#include "detect/grid.h"

struct hit {
    enum detector_id detector;
    int from, to; /* cells [from, to) */
    int source;   /* copies: cell the block was first seen at; -1 */
    int grade;
    double seen, expected; /* in the test's own measure */
    double chance;         /* by accident in a day; NAN unknown */
    char zh[200], en[200]; /* what was seen, one clause */
};
struct hits {
    struct hit *h;
    int n, cap;
};
void hits_done(struct hits *l);
struct hit *hit_new(struct hits *l, const struct policy *p, enum detector_id d, int from, int to);

/* ---- flat.c: D1 ---- */
struct flat_end {            /* the lower or upper end of the values */
    int sign;                /* -1 lower, 1 upper, 0 no past */
    zb_fix most;             /* the outermost value of the past and the day */
    int need_work, need_all; /* cells a stay within the outermost end_share of the past's values hardly ever lasts; none of the past did */
};
struct flat_norm {           /* learned from the past: how often a value stays once it has stayed */
    double p_work, p_all;    /* NAN: fewer than learn_min occasions */
    int need_work, need_all; /* cells of a run no honest sensor of this kind shows once in 1/alpha days; 0 cannot be judged */
    int longest;             /* run in the past */
    struct flat_end end[2];
};
struct flat_norm flat_learn(const struct grid *g, const struct detect_flat *c);
/* Where the regime is known a run counts its working cells only: a sensor at rest may stand still for half a day. Without a regime the past's longest run
 * times margin is needed too. At an end of all values (a methane sensor's zero in fresh air) a run has to be
 * longer than stays near that end as well. beside (may be NULL, same grid): at rest a run is a hit when the neighbour has moved much meanwhile. */
void flat_find(const struct grid *g, const struct grid *beside, const struct flat_norm *norm, const struct policy *p, struct hits *out);

/* ---- replay.c: D2 ---- */
/* Exact copies, also with a constant added: windows of `window` differences, hashed. v: values without gaps; day: index the judged day begins at.
 * A series that repeats itself by nature (more than own_share of its past's lively windows) is not judged. from/to/source of hits are indexes of v. */
void replay_find(const zb_fix *v, int n, int day, const struct policy *p, struct hits *out);
/* The same across points and mines: fingerprints of a share of the day's lively windows, to be joined by equal hash. At most cap; returns how many. */
struct fingerprint {
    uint64_t hash;
    int at; /* index of v */
};
int replay_fingerprints(const zb_fix *v, int n, int day, const struct detect_replay *c, struct fingerprint *out, int cap);
/* Longest common stretch (equal values, or equal but for a constant) through a[i] and b[j]; returns its length, *from_a, *from_b its start. */
int replay_extent(const zb_fix *a, int na, int i, const zb_fix *b, int nb, int j, int *from_a, int *from_b, zb_fix *offset);

/* ---- profile.c: D3 ---- */
/* For each window of m cells beginning in [from, n - m]: the best match among windows beginning before it by more than `apart` (`both`: on either side).
 * d: z-normalised distance sqrt(2m(1 - r)), INFINITY where the window or all partners have fewer than `changes` changes; at: the partner, -1 none. x: values
 * in steps, without gaps. Diagonal updates of dot products (no FFT); O(rows n) time, O(n) memory. */
void profile_join(const float *x, int n, int from, int m, int apart, int changes, bool both, float *d, int *at);
/* Near copies: windows of the day that differ from an earlier one, but for a constant, by less than `noise` of their own step to step movement, and at least
 * 1/second times better than from any other: noise or a constant added to a copy, or a copy rounded anew. calib: of the day; these and flagged calibrations
 * of any day are no movement. */
struct calib_span {
    int from, to;
    zb_fix peak;
    bool flagged; /* the mine said so */
};
void near_find(const struct grid *g, const struct calib_span *calib, int calibs, const struct policy *p, struct hits *out);

/* ---- clamp.c: D4, D5 ---- */
/* Share of cells at the window's maximum, against the past's 99 % quantile. limit: alarm limit of the point (NONE none), range_hi: end of its range. */
void clamp_find(const struct grid *g, zb_fix limit, zb_fix range_hi, const struct policy *p, struct hits *out);
/* Differences too small for this sensor at work (held smooth), in windows side by side. Weak: the policy's grade; 2 when `windows` of a day are so. */
void smooth_find(const struct grid *g, const struct policy *p, struct hits *out);
/* A jump to a plateau and back below where it began, while the neighbour rests: what a test gas looks like. A label, never a clue. */
int calib_find(const struct grid *g, const struct grid *beside, const struct detect_calib *c, struct calib_span *out, int cap);
/* Level against the point's own past at this hour of the day: robust z for hold_s. */
void level_find(const struct grid *g, const struct policy *p, struct hits *out);

/* ---- events.c: D6, D8 ---- */
struct coincide_in {
    const zb_time *lost; /* starts of dropouts, calibrations, faults in the window */
    int nlost;
    const zb_time *visit; /* arrivals of inspectors */
    int nvisit;
    const zb_time *excused; /* starts excused: whole station lost, declared work */
    int nexcused;
};
/* Lost just before the limit: losses within before_s after a value of at least near_limit x limit, against the share of such time (binomial). */
void coincide_find(const struct grid *g, zb_fix limit, const struct coincide_in *in, const struct policy *p, struct hits *out);
/* Many points lost in the same minute: P(at least k of n) when each is lost with probability p in a minute. */
double lost_together(int k, int n, double p);
struct clock_in {
    zb_time device, received;
};
struct clock_seen {
    int duplicates, backward, gaps, jumps;
    double median_s; /* step of the device clock */
    int first_gap;   /* index the first gap ends at, -1 */
};
void clock_look(const struct clock_in *r, int n, const struct detect_clock *c, struct clock_seen *ret);
/* A day of a mine's files of one type, in the order they were made: whole-hour jumps out and back, or many steps back, are a clue (a slow clock is not: its
 * offset is told with the link). */
void clock_find(struct str mine, struct str type, zb_time day, const struct clock_in *r, int n, const struct policy *p, struct clues *out);
/* No reaction: `event` at which the value must rise (a fan stopped). */
void react_find(const struct grid *g, const zb_time *event, int n, const char *zh, const char *en, const struct policy *p, struct hits *out);
/* No reaction to test gas: flagged calibrations of the past and the day, the last of them in the day, and never did the value rise by a share of the alarm limit. */
void test_gas_find(const struct grid *g, zb_fix limit, const struct policy *p, struct hits *out);
/* Two points alike: share of the changing cells in which both have the same value. */
void twin_find(const struct grid *a, const struct grid *b, const struct policy *p, struct hits *out);

/* ---- upload.c: D9, limits ---- */
struct five { /* a row of five-minute statistics */
    zb_time start, end;
    zb_fix max, min, avg;
};
void upload_find(const struct grid *g, const struct sample *s, int n, const struct five *f, int nf, const struct policy *p, struct hits *out);
/* Limits the mine has set against the regulation's: laxer is a hit, stricter is fine. */
void limits_find(const struct limits *own, const struct limits *law, const struct policy *p, struct hits *out);

/* ---- integrity.c: D11 ---- */
struct part {
    enum detector_id detector;
    double score; /* 0..1 */
    int grade, hits;
};
struct integrity_day {
    double score; /* 1 - product of (1 - part) */
    int grade;    /* of the day: 2 when two different tests agree, though each alone is 1 */
    struct part part[DETECTORS_N];
    int parts;
    struct calib_span calib[8];
    int calibs;
};
struct sensor_day {
    struct str mine, point, location;
    const struct grid *g, *beside; /* beside NULL: no neighbour is known */
    const struct sample *s;        /* the raw samples of the same span */
    int n;
    zb_fix limit, range_hi;
    const struct limits *own, *law; /* NULL unknown */
    const struct five *five;
    int fives;
    struct coincide_in events;
    const zb_time *fan_stop;
    int fan_stops;
    bool steady;   /* its level follows the hour of the day, not the work: it may be judged by that */
    bool declared; /* an outage, calibration or work at this point was declared for the day */
};
/* All tests of one sensor-day. Hits of grade >= open_grade become clues; weaker ones only weigh in the score. */
void integrity_judge(const struct sensor_day *in, const struct policy *p, struct integrity_day *day, struct clues *out);
