/* People underground 人员 (methods E1, thresholds A.7): what position cards say against quotas, time, place and papers. Facts of persons and areas come from the
 * ledgers, compiled by the engine. Pure: presences in, clues out. Names are not in the clues; the card is, and who may read the ledger finds the person. */
#pragma once
#include "detect/clue.h"

struct presence { /* a card somewhere for a while; rising by card, then time */
    struct str card, area, reader;
    zb_time from, to;
    double x, y; /* m, NAN unknown: of the reader */
};
struct person_fact { /* by card */
    struct str card, employer;
    bool known;      /* a card of somebody on file */
    bool special;    /* a special operator: needs a certificate */
    bool certified;  /* one valid on the day */
    bool trained;    /* a valid pass for the post */
    bool contracted; /* the employer is the mine, or has a contract in force */
    bool leader;     /* on the list of leaders underground */
    bool exempt;     /* not counted in head-count limits: rescue, inspection */
};
struct area_fact {
    struct str area, name;
    int quota; /* 0: none */
    bool restricted;
    bool declared; /* an approved working place */
};
/* Order of cards: bytes, then length. */
int card_compare(struct str a, struct str b);

struct people_in {
    struct str mine;
    zb_time from, to; /* the day */
    const struct presence *at;
    int n;
    const struct person_fact *person; /* rising by card_compare */
    int persons;
    const struct area_fact *area;
    int areas;
    int quota;      /* underground at once; 0 unknown */
    bool producing; /* a leader is needed */
};
/* All tests of a mine's day. */
void people_judge(const struct people_in *in, const struct policy *p, struct clues *out);

/* The parts, for tests and for pages. */
int people_most(const struct people_in *in, struct str area, zb_time *when, double *over_s, int limit); /* most at once; seconds above limit */
/* Most and least persons of each of n hours from `from`. */
void people_hours(const struct people_in *in, zb_time from, int n, int *most, int *least);
/* Cards moving as one: pairs with `passes` readings of the same reader within within_s, and same_share of either's passes. */
void people_pairs(const struct people_in *in, const struct policy *p, struct clues *out);

/* Counts of one shift from different sources; NAN where there is none. */
struct head_count {
    const char *zh, *en;
    const double *shift;
};
void counts_find(struct str mine, const struct head_count *c, int sources, int shifts, zb_time end, const struct policy *p, struct clues *out);
