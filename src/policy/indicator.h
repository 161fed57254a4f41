/* An indicator 指标 as the files of indicators/ say it. Its one SQL gives one row a case; the figure of any area is the sum over its cases, so the rows behind a
 * figure are always those that made it. Columns, by these names:
 *   rec   the record that is the case, of ledger `of` (null: none)    area  region code of whose case it is    mine  its mine's code, '' none
 *   a     what counts (null: not known, counted as missing)           b     out of what                       c, d  the same of the base
 *   note  text, if wanted: which month, which law
 * Sums of a, b, c, d go up the area tree; values are never averaged over areas. `:name` in the SQL is a parameter of the file; a list of words stands in
 * brackets: `in (:five_posts)`. Clocks: zb_today(), zb_now(), nothing else, so that the same SQL tells of a past day. */
#pragma once
#include "policy/ledger.h"

#define INDICATOR_KINDS(X)                                                                                                                                     \
    X(SHARE, "share")             /* 100·a/b */                                                                                                               \
    X(RATIO, "ratio")             /* a/b */                                                                                                                    \
    X(COUNT, "count")             /* a */                                                                                                                      \
    X(LEAST, "least")             /* the least a of all cases */                                                                                               \
    X(FALL, "fall")               /* 100·(c − a)/c */                                                                                                       \
    X(GROWTH, "growth")           /* 100·(a − c)/c */                                                                                                       \
    X(RATE_FALL, "rate_fall")     /* of a/b against c/d */                                                                                                     \
    X(RATE_GROWTH, "rate_growth") /* of a/b against c/d */                                                                                                     \
    X(MEAN_OF, "mean_of")         /* mean of the values of `parts` in the same area */
enum indicator_kind {
#define X(id, key) IK_##id,
    INDICATOR_KINDS(X)
#undef X
        INDICATOR_KINDS_N
};
extern const char *const INDICATOR_KIND_KEY[];

enum indicator_aim { AIM_MIN, AIM_ABOVE, AIM_MAX, AIM_BELOW, AIM_RISING, AIM_FALLING, AIM_NONE }; /* >= > <= < rising falling none */
enum indicator_cycle { EACH_ONCE, EACH_STATE, EACH_EVENT, EACH_MONTH, EACH_QUARTER, EACH_HALF, EACH_YEAR, EACH_N };
extern const char *const INDICATOR_CYCLE_KEY[];
enum indicator_level { DOWN_TO_PROVINCE, DOWN_TO_CITY, DOWN_TO_COUNTY, DOWN_TO_SITE, INDICATOR_LEVELS_N };
extern const char *const INDICATOR_LEVEL_KEY[];

struct indicator {
    const char *id, *zh, *en, *unit, *source, *file;
    const char *note_zh, *note_en; /* how the words of the notice are taken; "" */
    const char *assumed;           /* which of target, due, scope is a project choice; "" none */
    enum indicator_kind kind;
    const char *of;
    int of_ledger; /* -1 with MEAN_OF */
    const char *sql;
    const char *parts;
    const int *part;
    int parts_n;
    enum indicator_aim aim;
    double target;
    bool has_amber;
    double amber; /* missed, but from here on amber and not red */
    int32_t due;  /* INT32_MAX: none */
    enum indicator_cycle cycle;
    enum indicator_level level; /* the lowest for which the figure means something */
    bool strive;                /* 力争: missed is amber */
    bool by_end;                /* filled in the course of its period: missing before the end is not yet missed */
    bool proxy;                 /* the notice names no number: shown for trend */
    bool secret;                /* rests on clues, tips or planned visits: neither on a wall nor at a mine */
    int32_t base_on;            /* the day whose figure is the base of path and trend; INT32_MAX: missing */
    /* another reading of an ambiguous clause stands beside the default one */
    int reading_of;                                              /* index of the default; -1: is one */
    const char *ambiguity, *reading_zh, *reading_en, *signed_by; /* "A07"; signed_by "": nobody yet */
    uint64_t uses[4];                                            /* ledgers the SQL reads, by index */
    const struct node *at, *sql_at;
};
struct rung { /* so many days after a light turned red, this means is proposed */
    int days;
    const char *means;
};
struct light_rule { /* prove.yaml: when a light turns, and what follows */
    int amber_days, period_late_pct, path_slack_pct, forecast_points, forecast_months;
    int peer_mines[8], peers; /* smallest number of mines of each group of peers, rising */
    struct rung rung[12];
    int rungs;
    const char *reported_sql, *measures_sql; /* their columns stand in prove.yaml */
};
struct indicator_file {
    struct indicator *indicator;
    int indicators;
};

struct policy;
int policy_indicator(const struct policy *p, struct str id);                     /* index; -1 */
void indicator_reads(const struct policy *p, const char *sql, uint64_t uses[4]); /* adds the ledgers whose tables a SQL names */
