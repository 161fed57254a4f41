/* Warning levels 预警等级 by the tables of rules/forecast.yaml: facts in, a colour with its reason out. The only place where a forecast becomes a level. */
#pragma once
#include "detect/clue.h"
#include "detect/detect.h"

/* Facts of one place by item of the policy; NAN: not known. A rule whose item is not known does not hold, and no fact ends a warning by its absence: that is
 * the caller's alarm life. */
struct warn_facts {
    double value[WARN_ITEMS_MAX];
};
void warn_facts_clear(struct warn_facts *f);
void warn_fact(const struct policy *p, struct warn_facts *f, const char *item, double v); /* ZB_BUG: the policy has no such item */
struct warning {
    enum alarm_level level;
    const struct warn_rule *rule;     /* the strongest that holds, the first of equals; NULL none */
    int rules;                        /* that hold */
    char why[ALARM_WHY_CAP];          /* rule and facts, as struct alarm keeps them */
    char reason[320], reason_en[320]; /* why in words: what was compared, and what the rule shows beside */
};
void warn_judge(const struct policy *p, enum detector_id hazard, const struct warn_facts *f, struct warning *ret);
/* alarm.why in words; false ("" in out) when this policy does not know its rule. */
bool warn_say(const struct policy *p, const char *why, bool zh, char *out, size_t cap);
const struct warn_rule *warn_rule_of(const struct policy *p, const char *why); /* NULL: this policy has none of that name */
/* Makes the words of a warning anew after its why was changed. */
void warn_retell(const struct policy *p, struct warning *w);
/* The facts of a why; what it does not name is unknown. */
void warn_recall(const struct policy *p, const char *why, struct warn_facts *f);
/* Hazards of one place: two at policy's joint_from or above raise the highest by one colour. */
enum alarm_level levels_joint(const struct policy *p, const enum alarm_level *of_hazard, int n);

/* The warning of a hazard at a point ("" the whole mine) as an alarm of kind WARNING, one a hazard and point, its reason in the note. Raised, made stronger, and
 * released by a judgement of level NONE after the kind's off-delay. A hazard in the shadow (policy) has the same life, marked by alarm_trial; of those that are
 * not, two at a mine raise the colour (alarm JOINT). */
void mine_warn(const struct policy *p, struct mine_state *m, struct str point, enum detector_id hazard, const struct warning *w, zb_time t, zb_time now,
               struct alarm_diffs *out);
/* The same as a clue with its evidence: every fact the rule compared, as seen and where its level begins. For a hazard in the shadow, and for what is
 * judged afterwards. from: when the level was first reached, so that the same warning is the same clue. Nothing is added for level NONE. */
void warn_clue(const struct policy *p, enum detector_id hazard, const struct warn_facts *f, const struct warning *w, struct str mine, struct str subject,
               zb_time from, zb_time to, struct clues *out);
