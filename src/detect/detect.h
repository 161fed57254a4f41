/* Detectors and alarm life cycle: pure functions of (policy, state of a mine, input, now) → changed alarms. No file, clock, database, log.
 * Limits: corrections.md section 1; states and truth tables: thresholds.md A.1, A.6; silence: data-access.md 2.5.
 * The same inputs in the same order give the same alarms with the same ids. Memory is bounded: MINE_POINTS_MAX points a mine. */
#pragma once
#include "model/alarm.h"
#include "policy/policy.h"

#define MINE_POINTS_MAX 20000
struct mine_facts {                                    /* compiled from ledgers by the engine */
    char code[24], name[96], gas_class[12], region[8]; /* gas_class "low" "high" "outburst" or "" (unknown: strictest) */
};
struct mine_state; /* all the detectors remember of one mine */
struct mine_state *mine_new(const struct mine_facts *f);
void mine_free(struct mine_state *m);
void mine_facts_set(struct mine_state *m, const struct mine_facts *f);

/* What changed in one step; grows, cleared by the caller. An alarm appears when it is raised, when level, label, peak or limit change, and when it clears. */
struct alarm_diffs {
    struct alarm *a;
    int n, cap;
};
void alarm_diffs_done(struct alarm_diffs *d);

/* Every step: `now` is the receive time of the input. Timers due before it are run first by the caller with mine_tick. */
void mine_define(const struct policy *p, struct mine_state *m, const struct point_def *def, zb_time now, struct alarm_diffs *out);
/* Samples of a point in rising time. A sample older than the newest judged one of its point is not judged (returns false): late data, the caller's business.
 * live: false when t is older than now - late_after: alarms that already ended are then retrospective, but one still over limit at the last value is live. */
bool mine_sample(const struct policy *p, struct mine_state *m, struct str point, const struct sample *s, zb_time now, struct alarm_diffs *out);
/* A person has confirmed the location class of a point ("": none fits); from now on definitions do not change it. A point that is not there is left alone. */
void mine_class(const struct policy *p, struct mine_state *m, struct str point, struct str loc_class, zb_time now, struct alarm_diffs *out);
/* Every alarm that stands, told as it is: a link that comes out of its trial brings them to the desk. */
void mine_standing(const struct mine_state *m, struct alarm_diffs *out);
/* An outstation's state (FZSS): run 0 normal, 1 broken, 2 fault, 9 unknown. One alarm a station; its points' faults are grouped under it. */
void mine_station(const struct policy *p, struct mine_state *m, struct str station, int run, zb_time t, zb_time now, struct alarm_diffs *out);
/* What the mine itself tells (its alarms, people alarms, seal and video events). Stands beside our own judgement unless the same thing is alarmed already.
 * Ends by an event with its end; a file without it ends nothing. */
void mine_told(const struct policy *p, struct mine_state *m, const struct event *v, zb_time now, struct alarm_diffs *out);
/* Any accepted upload: the link is alive. period: how often such files come, 0 on event; the mine is late by its most frequent files,
 * the limits of silence.yaml (made for sample_period) stretched to them. */
void mine_heard(const struct policy *p, struct mine_state *m, zb_time period, zb_time now, struct alarm_diffs *out);
/* Runs timers due at or before now: off-delays, silence of points, lateness, whole mine (one cause, one alarm: a silent mine silences its points' alarms into its group). */
void mine_tick(const struct policy *p, struct mine_state *m, zb_time now, struct alarm_diffs *out);
zb_time mine_due(const struct mine_state *m); /* next timer; INT64_MAX none */
/* The program itself was down until now: nobody is late for that; clocks of silence that have not yet run out start anew. */
void mine_resume(const struct policy *p, struct mine_state *m, zb_time now);
/* Late data 迟到数据: samples older than the newest judged one of their point. When to judge the past again (INT64_MAX: nothing is late), and from which
 * event time. */
zb_time mine_late(const struct mine_state *m, zb_time *from);
bool alarm_of_samples(enum alarm_kind k); /* one that mine_rejudge can find */
struct past {                             /* the merged samples of a point in the window, rising, up to its newest */
    struct str point;
    const struct sample *v;
    int n;
};
/* Judges the window anew as if all had come in time; out gets the last word on every alarm in it, found before or not, and the state goes on from there.
 * cut: something stood already when the window began; what begins with a point's first sample is then not told. */
void mine_rejudge(const struct policy *p, struct mine_state *m, const struct past *past, int n, bool cut, struct alarm_diffs *out);
/* A model that a night fitted, as model_head wrote it with the model behind; false: damaged, of another version, or of a point that is not there. It is an
 * input of the mine like any other: the same inputs give the same warnings. */
bool mine_model(const struct policy *p, struct mine_state *m, struct str bytes);
void model_head(struct buf *out, enum detector_id kind, const struct policy *p, int32_t day, const char *point, const char *const *with, int n);
bool mine_fitted(const struct mine_state *m, struct str point, enum detector_id kind, int32_t *day); /* has a model; of which day */
struct ahead_now { /* the last forecast at a point, for screens; NAN: not of this hazard, or not known */
    enum detector_id hazard;
    zb_time at, horizon;
    double expected, spread, chance;                /* value at the horizon (methane: the greatest until then), its error, chance of reaching the limit */
    double speed, angle, days, days_low, days_high; /* mm/d, degrees, days left */
};
bool mine_ahead(const struct policy *p, const struct mine_state *m, struct str point, struct ahead_now *ret); /* false: none */
/* Checkpoint: state to bytes and back; version and length checked on the way in. */
void mine_freeze(const struct mine_state *m, struct buf *out);
ZB_MUST int mine_thaw(struct str bytes, struct mine_state **ret, struct zb_err *e);
/* After a thaw: effective limits by this policy, for screens; judges nothing. */
void mine_refresh(const struct policy *p, struct mine_state *m);

/* What stands now, for screens. Valid until the next step. */
struct point_now {
    const struct point_def *def;
    struct sample last;
    zb_time received;
    struct limits eff;
    const char *limit_source;
    enum alarm_level level;
    bool silent;
    bool defined, confirmed; /* by a definition file; its location class by a person */
};
int mine_points(const struct mine_state *m);
bool mine_point_at(const struct mine_state *m, int i, struct point_now *ret);
bool mine_point(const struct mine_state *m, struct str code, struct point_now *ret);
zb_time mine_last_heard(const struct mine_state *m);
