/* The plan that a government has set, as data: plan.yaml (what it is, goals, agencies), plan/<area>.yaml (tasks and their requirements) and duties.yaml
 * (what must be filed when). A requirement is the smallest thing that can be judged; it names the ledgers that hold its proof, the indicators that measure it
 * and the rules that watch it. The engine knows no plan by name and no date of one. */
#pragma once
#include "policy/tree.h"

#define PLAN_DAY_NONE INT32_MIN
struct policy;
struct code_list;

#define PLAN_TESTS(X) X(DATED, "dated") X(PERIOD, "period") X(CYCLE, "cycle") X(EVENT, "event") X(STATE, "state") X(PROXY, "proxy")
enum plan_test { /* judged on its day; at the end, trend before; each period; each case; at any time; by an index only */
#define X(id, key) PLAN_TEST_##id,
                 PLAN_TESTS(X)
#undef X
                     PLAN_TESTS_N
};
#define PLAN_CYCLES(X) X(NONE, "none") X(MONTH, "month") X(QUARTER, "quarter") X(HALF_YEAR, "half_year") X(YEAR, "year") X(LISTED, "listed")
enum plan_cycle { /* LISTED: by a list, each member its own */
#define X(id, key) PLAN_CYCLE_##id,
                  PLAN_CYCLES(X)
#undef X
                      PLAN_CYCLES_N
};
#define PLAN_BASES(X) X(STATUTE, "statute") X(STANDING_RULE, "standing_rule") X(CAMPAIGN, "campaign")
enum plan_basis { /* what it rests on: law, a standing rule, this campaign alone */
#define X(id, key) PLAN_BASIS_##id,
                  PLAN_BASES(X)
#undef X
                      PLAN_BASES_N
};
#define PLAN_AFTERS(X) X(CONTINUES, "continues") X(CARRIED_OVER, "carried_over") X(LAPSES, "lapses")
enum plan_after { /* the day after the plan's end: goes on; what is not reached stays owed; ends */
#define X(id, key) PLAN_AFTER_##id,
                  PLAN_AFTERS(X)
#undef X
                      PLAN_AFTERS_N
};
extern const char *const PLAN_TEST_KEY[], *const PLAN_CYCLE_KEY[], *const PLAN_BASIS_KEY[], *const PLAN_AFTER_KEY[];

struct plan_words { /* texts for people, Chinese first */
    const char *zh, *en;
};
struct plan_requirement {
    const char *id; /* "T08.1": the task's id, a dot, a number */
    struct plan_words name, when, target, proof;
    const char *who, *on, *lead;                            /* keys of the list of actors, space-separated; on, lead: may be "" */
    const char *ledgers, *indicators, *rules, *consequence; /* ids, space-separated; a consequence with * is this platform's default */
    enum plan_test test;
    int32_t due, from; /* days; PLAN_DAY_NONE: none */
    enum plan_cycle cycle;
    const char *cycle_list; /* PLAN_CYCLE_LISTED: key of the list */
    const char *by;         /* "12-10": day of the year in a yearly cycle; "" its end */
    enum plan_basis basis;
    enum plan_after after;
    bool entry;  /* no rule watches it: the proof is what is entered */
    bool strive; /* the plan says "strive": shown against its target, nobody is held to account for it */
    const char *note;
    const struct node *at;
};
struct plan_task {
    const char *id, *lead;
    struct plan_words name;
    struct plan_requirement *requirement;
    int requirements;
    const struct node *at;
};
struct plan_area {
    const char *key, *file, *source;
    struct plan_words name;
    struct plan_task *task;
    int tasks;
};
struct plan_goal {
    const char *id, *indicators;
    struct plan_words name, target;
    int32_t due;
    bool qualitative, yearly; /* without a number of its own; judged at each year's end */
    const struct node *at;
};
struct plan_part { /* an agency, or a post of the organisation */
    const char *key;
    struct plan_words name;
    const struct node *at;
};
struct plan_duty { /* something that is filed by a date */
    const char *key;
    struct plan_words name;
    const char *owner, *to;   /* actors, space-separated; the receiver */
    const char *filing;       /* member of the ledger field named in duties.yaml; "": not a filing of its own */
    const char *requirements; /* ids */
    int32_t on, until;        /* a single day; the last day of a repeated one */
    enum plan_cycle every;    /* NONE: on */
    const char *levels; /* each area of these owes it: "province city county", a county when it has mines; "": owed by others than areas */
    int month, day;           /* YEAR: that date. MONTH, QUARTER: this day of the month after; 0: the last day of the period itself */
    bool assumed;             /* the plan leaves the date open */
    const struct node *at;
};
struct action_plan { /* plan.yaml and duties.yaml */
    const char *key, *number, *source, *file, *duty_file;
    struct plan_words name;
    int32_t issued, from, to;
    const struct code_list *actors, *means;
    const char *actors_key, *means_key;
    struct plan_goal *goal;
    int goals;
    struct plan_part *agency;
    int agencies;
    struct plan_part *post;
    int posts;
    const char *duty_ledger, *duty_field, *duty_sql; /* the filings: filing, area, due, sent (days), done (1), rec */
    struct plan_duty *duty;
    int duties;
};

/* NULL: there is none. */
const struct plan_requirement *plan_requirement_find(const struct policy *p, struct str id);
int plan_requirements(const struct policy *p);
