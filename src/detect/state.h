/* All the detectors remember of one mine. */
#pragma once
#include "base/map.h"
#include "detect/detect.h"

#define LINKS_MAX 4
struct live { /* an alarm that is pending, stands, or waits for its off-delay */
    struct live *next;
    struct alarm a;
    bool on;          /* raised (else within its on-delay) */
    zb_time off_from; /* event time of the first value beyond the clear limit; NONE while the condition holds */
    zb_time off_due;  /* when the timer clears it if no sample does: for a backlog the off-delay runs from its receipt */
};
struct pt {
    struct point_def def;
    struct limits eff;
    const char *source; /* of eff, in the policy */
    int32_t eff_day;
    struct sample last;
    zb_time received;           /* when its last sample came in */
    zb_fix valid[3];            /* last valid values, newest first: is it rising? */
    zb_time lost_at;            /* event time it was lost, NONE */
    bool defined;               /* by CDDY, not only seen in values */
    int link[LINKS_MAX], links; /* KG points its relation names */
    int gas[LINKS_MAX], gases;  /* gas points whose relation names this one */
    struct live *live;
};
struct mine_state {
    struct mine_facts f;
    struct pt **pt;
    int n, cap;
    struct map by_code, station; /* code → pt; station code → its live alarm */
    struct live *own;            /* alarms of the whole mine, stations and reports */
    zb_time heard, due;
    zb_time period; /* of its most frequent files; 0 unknown */
    zb_time late_from, late_due, late_by; /* earliest late sample since the past was judged last; when to judge it again, and at the latest */
};

struct step {
    const struct policy *p;
    struct mine_state *m;
    zb_time now;
    struct alarm_diffs *out;
};

/* life.c */
struct cond {
    struct pt *pt;
    const char *point;
    enum alarm_kind kind;
    enum alarm_level level;
    zb_time t;
    zb_fix v, limit;
    uint32_t labels;
    const char *group;
    const char *note;
};
void alarm_hold(struct step *s, const struct cond *c);                                              /* the condition is true at c->t */
void alarm_release(struct step *s, struct pt *pt, const char *point, enum alarm_kind k, zb_time t); /* false, by a valid value */
void told_release(struct step *s, struct pt *pt, const char *point, enum alarm_kind k, const char *group, zb_time t);
bool told_stands(struct mine_state *m, const char *point, enum alarm_kind k, const char *group);
void alarm_rest(struct step *s, struct pt *pt, enum alarm_kind k); /* between the limits: nothing changes, the off-delay starts anew */
struct live *alarm_find(struct mine_state *m, struct pt *pt, const char *point, enum alarm_kind k);
bool alarm_stands(struct mine_state *m, struct pt *pt, enum alarm_kind k); /* raised and its condition still true */
zb_time alarms_tick(struct step *s);                                       /* off-delays due; returns the next */
enum alarm_level point_level(const struct pt *pt);
/* late.c */
void late_note(struct step *s, zb_time t);
void alarm_tell(struct alarm_diffs *d, const struct alarm *a);                         /* life.c */
void lives_move(struct mine_state *m, struct pt *pt, struct pt *from, uint32_t kinds); /* life.c: of these kinds pt's give way to from's */
/* points.c */
struct pt *pt_find(const struct mine_state *m, struct str code);
struct pt *pt_make(struct mine_state *m, const struct point_def *def);
void pt_limits(struct step *s, struct pt *pt, zb_time t);
bool is_methane(const struct pt *pt);
bool is_feed(const struct pt *pt);
/* feed.c */
void feed_check(struct step *s, struct pt *pt, zb_time t);
void links_make(struct mine_state *m, struct pt *pt);
