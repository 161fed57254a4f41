/* A clue 线索: a suspicion with what a person needs to check it (issue 7.5). The machine's half of ledger L23; what the officer does with it stands there.
 * Same facts, same clue: the id is a digest of mine, rule, subject and start. */
#pragma once
#include "base/num.h"
#include "base/time.h"

enum { CLUE_FACTORS = 8, CLUE_INNOCENT = 6, CLUE_ID_CAP = 25 };
enum looked { LOOKED_NO, LOOKED_ABSENT, LOOKED_FOUND }; /* not looked for (no data); looked for and not there; there */
struct clue_factor {                                     /* one thing seen beside what was to be expected */
    char zh[64], en[64], unit[16];
    double seen, expected; /* NAN: no number to expect */
    char how_zh[160], how_en[160]; /* how the expected value was got */
};
struct clue_innocent { /* an explanation that would make it harmless */
    char zh[64], en[64];
    enum looked looked;
};
struct clue {
    char id[CLUE_ID_CAP];
    char mine[24], subject[64]; /* subject: point, place, card, circuit; "" the whole mine */
    char rule[16], detector[24]; /* "R36" "flat" */
    int version;                 /* of the rule */
    zb_time from, to;            /* the window it is about */
    int grade;                   /* 1 statistical, 2 independent evidence or physical contradiction, 3 exact contradiction (methods D11) */
    double score;                /* 0..1: how sure, from chance and explanations */
    double chance;               /* of this by accident in one day of this point; NAN unknown */
    bool shadow;                 /* its rule is not switched on yet */
    char criterion[80];          /* what it may be evidence of; ids separated by blanks */
    struct clue_factor factor[CLUE_FACTORS];
    int factors;
    struct clue_innocent innocent[CLUE_INNOCENT];
    int innocents;
    char zh[600], en[600]; /* the reason in words */
};
