/* A rule 规则 over ledgers, and an insight 洞察, as the files of rules/ and insights/ say them: one SQL whose rows are hits, what excuses a hit, and one
 * SQL whose rows are what cannot be judged because data is absent. A rule proposes; what follows an officer decides.
 * SQL: `:name` is a parameter (a list in brackets: `in (:name)`), bound, never written into the text. Columns: `site` (record of the site ledger, null for
 * what no mine answers for), `since` (day), then as wanted `id` (record of ledger `subject`), `key` (tells hits of one subject apart), `score` (0–100),
 * `act` (another action than the rule's), `area` (of what has no site); every further column is evidence, `since` and `*_on` are days, `{column}` in
 * `say` stands for its value. For one mine the same SQL is asked with `where site = …` around it.
 * A rule over what comes in by itself 监测流 has no SQL: it names the kinds of alarms and the detectors that serve it, which judge as data comes. */
#pragma once
#include "policy/tree.h"

#define RULE_ACTIONS(X)                                                                                                                                        \
    X(REMINDER, "reminder") /* 提醒: a notice to whom it concerns */                                                                                         \
    X(FINDING, "finding")   /* 一般问题: an officer enters it as a finding, or says why not */                                                             \
    X(CLUE, "clue")         /* 线索: a record to verify, never shown to the mine */                                                                          \
    X(MEASURE, "measure")   /* 督办: a letter is drafted */                                                                                                  \
    X(PROPOSAL, "proposal") /* a legal step is proposed */                                                                                                     \
    X(BLOCK, "block")       /* stands in the way of an approval */                                                                                             \
    X(RETURN, "return")     /* a paper goes back to who wrote it */                                                                                            \
    X(MAP, "map")           /* a colour on the wall map */
enum rule_action {
#define X(id, key) RULE_##id,
    RULE_ACTIONS(X)
#undef X
        RULE_ACTIONS_N
};
extern const char *const RULE_ACTION_KEY[];

enum rule_value_kind { RULE_INT, RULE_REAL, RULE_TEXT }; /* a day is an int */
struct rule_value {
    enum rule_value_kind kind;
    int64_t i;
    double r;
    const char *s;
};
struct rule_param {
    const char *key, *unit, *note;
    struct rule_value *value;
    int values, first; /* its first value is ?first; ?1 is the site */
    bool used;
    const struct node *at;
};
struct rule_sql {
    const char *text; /* ?N for parameters; NULL: none */
    int top;          /* highest N in it */
    const struct node *at;
};
struct rule_suppress {
    struct rule_sql when; /* a condition over the hit, h */
    const char *zh, *en;
};
struct rule {
    const char *id, *zh, *en, *serves, *ledgers, *source, *file, *subject, *means, *to;
    const char *alarms, *detectors; /* of a rule over streams: kinds of alarms, keys of detectors, that are its hits; it has no SQL */
    enum rule_action action;
    int score;
    bool shadow, insight;
    struct rule_param *param;
    int params;
    struct rule_sql hit, missing; /* hit.text NULL: nothing to ask a ledger */
    const char *say_zh, *say_en, *missing_zh, *missing_en;
    struct rule_suppress *suppress;
    int suppresses;
    const struct node *at;
};
struct rule_file {
    struct rule *rule;
    int rules;
};

/* follow.yaml: what the machine does with a new hit that stands: a clue becomes a record, a measure a draft. Which ledgers these are is the policy's. */
#define FOLLOW_VALUES(X)                                                                                                                                       \
    X(SITE, "site")                                                                                                                                            \
    X(AREA, "area") X(RULE, "rule") X(NOW, "now") X(SCORE, "score") X(ZH, "zh") X(EN, "en") X(EVIDENCE, "evidence") X(SHADOW, "shadow") X(MEANS, "means")
enum follow_value {
#define X(id, key) FOLLOW_##id,
    FOLLOW_VALUES(X)
#undef X
        FOLLOW_VALUES_N
};
extern const char *const FOLLOW_VALUE_KEY[];
struct follow_set {
    const char *field;
    enum follow_value value; /* score: as a share of 1 */
    const struct node *at;
};
struct follow {
    const char *ledger, *means, *usual; /* means: which of the rule's may be drafted; usual: else this one */
    int to_ledger, per_run;             /* most of one rule in one run; the others follow in the next */
    struct follow_set *set;
    int sets;
    const struct node *at;
};
struct follow_rules {
    const char *file;
    struct follow clue, measure;
    int told; /* reasons shown in one notice */
};
