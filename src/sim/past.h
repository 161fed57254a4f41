/* The simulated past of the ledgers: what its files share. Days are whole days since 1970; keys name records within the files. */
#pragma once
#include "sim/sim.h"

#define MONTHS_MAX 120
struct pbody { /* a regulator */
    char area[8], key[24], level[12];
    int mines, officers;
};
struct pmine {
    int i, body; /* who supervises it */
    char code[24], key[16], county[8], kind[12];
    bool ug, coal, graded;
    int planted; /* index of PLANT + 1; 0 clean */
};
struct pevent {
    zb_time at;
    int64_t order;
    int ledger;
    char *text;
};
struct past_sim {
    const struct policy *p;
    struct history_config c;
    int32_t from, to; /* first and last day */
    uint64_t rng;
    FILE **file; /* by ledger */
    struct pevent *ev;
    int n, cap;
    int64_t order, seq;
    struct pbody *body;
    int bodies;
    struct pmine *m;
    struct buf truth;
    uint64_t world; /* planted faults of the whole province, bits of PLANT */
    bool failed;
};

/* past.c */
uint64_t past_rnd(struct past_sim *s);
zb_time past_at(int32_t day, double hour, int salt);
/* One change; ' in fmt stands for the double quote. who: "role user area". Lies beyond the end: dropped. */
void say(struct past_sim *s, zb_time at, const char *ledger, const char *key, const char *who, const char *act, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
const char *dt(int32_t day); /* texts live until sixteen more are made */
const char *tm(zb_time t);
const char *by(const struct past_sim *s, const struct pmine *m, const char *role, const char *user); /* an officer of the level that supervises it */
const char *own(const struct pmine *m, const char *role);                                            /* somebody of the mine */
bool planted(const struct past_sim *s, const struct pmine *m, const char *rule);                     /* m NULL: in the whole province */
int32_t month_day(int32_t any, int months, int day);                                                 /* that day of the month so many months on */
const char *criterion_of(const struct past_sim *s, const struct pmine *m, int nth, int32_t day);

/* past_world.c */
void world_begin(struct past_sim *s);
void world_month(struct past_sim *s, int32_t first);
/* past_mine.c */
void mine_begin(struct past_sim *s, struct pmine *m);
void mine_month(struct past_sim *s, struct pmine *m, int32_t first);
/* past_acts.c: whole ways of records */
struct hazard_way {
    const char *key, *source;
    int32_t found, deadline, stop; /* stop: the day it goes no further (0: to its end) */
    int criterion;
    bool inquiry, producing, quick, basic;
};
void hazard(struct past_sim *s, const struct pmine *m, const struct hazard_way *w);
struct check_way {
    const char *key, *until; /* the last act done; NULL: to the end */
    int32_t day, plan, recheck;
    int found_general, found_major, serious;
    bool no_quiz;
};
void check(struct past_sim *s, const struct pmine *m, const struct check_way *w);
void grade_reset(struct past_sim *s, const struct pmine *m, int32_t day, bool keep);
void penalty(struct past_sim *s, const struct pmine *m, const char *key, int32_t opened, const char *category, const char *penalties, const char *until);
/* past_plant.c */
void plants_choose(struct past_sim *s);
void plant_late(struct past_sim *s, struct pmine *m); /* what a planted fault adds to a mine's records */
