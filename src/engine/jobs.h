/* Between the files of the night's judgement: a mine as it stood when the night began, and what is asked of its series. */
#pragma once
#include "engine/inside.h"

struct print {
    uint64_t hash;
    int mine, point, at; /* at: index of the value in the day */
};
struct copied { /* what the judge may change meanwhile */
    char code[24], gas[12];
    struct point_def *def;
    const struct point_def **list;
    int n;
    zb_time *visit; /* arrivals of inspectors */
    int visits;
};
struct stop { /* what the ledgers say must stand still */
    char mine[24], rule[16], zh[80], en[80];
    int32_t since;
    double crew, hours;
    bool power;
};
enum { MONTHS_KEPT = 8 };
struct month { /* a point's past as a night judges it */
    const struct copied *m;
    int point, n;
    struct sample *s;
};
struct night {
    struct engine *en;
    struct policy *p;
    zb_time day, now;
    struct copied *mine;
    int mines;
    struct print *print;
    int prints;
    struct stop *stop;
    int stops;
    struct month month[MONTHS_KEPT]; /* the last asked for first */
    struct night_result *ret;
};

bool night_stopped(struct engine *en);
void evidence_look(struct engine *en, zb_time now); /* evidence.c */
bool night_turn(struct engine *en);                 /* live alarms first; false: stopped */
ZB_MUST int night_read(struct night *n, const struct copied *m, int i, zb_time from, struct sample **s, int *k, struct zb_err *e); /* up to the day's end */
bool has_word(const char *place, const char *words); /* one of them, separated by | */

/* jobs_still.c: mines that should stand still. */
ZB_MUST int stops_load(struct night *n, struct zb_err *e);
const struct stop *stop_of(const struct night *n, const char *mine); /* NULL: it may work */
ZB_MUST int stops_judge(struct night *n, struct clues *out, struct zb_err *e);
/* kWh of each of n hours from `from` of the counters a circuit names, added to out; *any: there is such a counter. */
ZB_MUST int circuit_hours(struct night *n, const struct copied *m, const struct circuit_rule *c, zb_time from, int hours, double *out, bool *any,
                          struct zb_err *e);
/* Hours of the day in which the busiest machine of work ran, and what flowed; NAN: there is no such point. */
ZB_MUST int work_hours(struct night *n, const struct copied *m, double *ret, struct zb_err *e);
ZB_MUST int flow_day(struct night *n, const struct copied *m, const struct flow_rule *f, double *ret, struct zb_err *e);

/* jobs_day.c: a mine's day in figures, and each against the others and against its own past. */
ZB_MUST int day_judge(struct night *n, int mi, struct clues *out, struct zb_err *e);
ZB_MUST int facts_trim(struct night *n, struct zb_err *e);
