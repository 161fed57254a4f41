/* All the detectors remember of one mine. */
#pragma once
#include "base/map.h"
#include "detect/detect.h"

/* bits with which a value does not speak for the place */
#define UNSURE (ST_CALIB | ST_OVER_RANGE | ST_STATION | ST_NOT_POLLED | ST_PAUSED | ST_FAULT | ST_NO_VALUE | ST_FUTURE)
#define LINKS_MAX 4
#define RELATION_MAX 399
struct live { /* an alarm that is pending, stands, or waits for its off-delay */
    struct live *next;
    struct alarm a;
    bool on;          /* raised (else within its on-delay) */
    zb_time off_from; /* event time of the first value beyond the clear limit; NONE while the condition holds */
    zb_time off_due;  /* when the timer clears it if no sample does: for a backlog the off-delay runs from its receipt */
};
/* A memory by slots of equal length, newest wins the slot it falls in; bounded: RING_MAX slots. */
enum { CHANGE_SLOTS = 24, RAIN_SLOTS = 18 * 24 + 1, WINDOWS_MAX = 3 };
struct ring {
    zb_time slot;   /* length of one; 0 unused */
    int64_t newest; /* number of the newest slot (event time / slot); INT64_MIN none */
    int n;          /* how many slots */
    zb_time last;   /* time of the last value that went in: told twice, it counts once */
    zb_fix *v;      /* slot k at k mod n; ZB_FIX_NONE none */
};
/* What only points with colour lines, windows or states need; made when a rule or the mine's own lines ask for it. */
struct watch {
    struct lines line; /* the stricter of rules and the mine's own */
    const struct limit_rule *row[LIMIT_ROWS_MAX];
    int rows;
    struct ring change[WINDOWS_MAX]; /* first value of each slot, a ring for each length of window */
    struct ring rain;                /* what fell in each hour */
    int joint;                       /* its place in p->joint and items, -1 none */
};
struct pt {
    struct point_def def;
    char *relation; /* 关联关系: long, and few have one; NULL none */
    struct limits eff;
    const char *source; /* of eff, in the policy */
    int32_t eff_day;
    struct sample last;
    zb_time received;           /* when its last sample came in */
    zb_fix valid[3];            /* last valid values, newest first: is it rising? */
    zb_time lost_at;            /* event time it was lost, NONE */
    bool defined;               /* by CDDY, not only seen in values */
    bool confirmed;             /* its location class is a person's word: definitions do not change it */
    int link[LINKS_MAX], links; /* KG points its relation names */
    int gas[LINKS_MAX], gases;  /* gas points whose relation names this one */
    struct live *live;
    struct watch *watch; /* NULL: plain limits only */
    struct ahead *ahead; /* NULL: no forecast looks at it */
    int index, next;     /* its place in the mine; the place of the point whose sample came after its own: files keep their order */
};
struct mine_state {
    struct mine_facts f;
    struct pt **pt;
    int n, cap, at;              /* at: whose sample came last */
    struct map by_code, station; /* code → pt; station code → its live alarm */
    struct live *own;            /* alarms of the whole mine, stations and reports */
    zb_time heard, due;
    struct burst_ahead *burst;            /* NULL: no seismic events */
    bool past;                            /* judges the past anew: forecasts are not made of it */
    zb_time pond_at;                      /* slot in which the pond was judged last */
    int joints;                           /* points that take part in a joint rule */
    zb_time period;                       /* of its most frequent files; 0 unknown */
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
    const char *note, *note_en;
    const char *why; /* NULL: none */
};
struct note { /* of an alarm, in both languages */
    char zh[160], en[160];
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
/* ring.c */
void ring_move(struct ring *r, zb_time t);
zb_fix *ring_at(struct ring *r, zb_time t); /* the slot of t, NULL when too old */
void ring_done(struct ring *r);
void ring_make(struct ring *r, zb_time slot, int n);
zb_fix ring_sum(const struct ring *r, zb_time t, zb_time within); /* slots that end within (t - within, t] */
void rain_add(struct ring *r, const struct sample *x);
enum alarm_level rain_level(const struct limit_rule *l, const struct ring *r, zb_time t, zb_fix *sum, zb_fix *line);
/* lines.c: colours of value, change, rain and state */
void watch_make(struct step *s, struct pt *pt, int32_t day);
void watch_done(struct pt *pt);
enum alarm_level line_reached(const zb_fix line[COLOURS], zb_fix v, int sign, zb_fix *ret);
void watch_check(struct step *s, struct pt *pt, const struct sample *x, bool sure);
/* joint.c */
enum alarm_level level_raise(const struct joint_rule *j, const int count[COLOURS]);
void joint_check(struct step *s, zb_time t);
/* points.c */
struct pt *pt_find(const struct mine_state *m, struct str code);
struct pt *pt_after(struct mine_state *m, struct str code); /* the same, quick when samples come in the order of the file before */
struct pt *pt_make(struct mine_state *m, const struct point_def *def);
void pt_limits(struct step *s, struct pt *pt, zb_time t);
bool is_methane(const struct pt *pt);
bool is_feed(const struct pt *pt);
/* feed.c */
void feed_check(struct step *s, struct pt *pt, zb_time t);
void links_make(struct mine_state *m, struct pt *pt);
