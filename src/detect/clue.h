/* Making clues: pure. */
#pragma once
#include "base/json.h"
#include "model/clue.h"
#include "policy/policy.h"

struct clues { /* a list that grows; cleared by the caller */
    struct clue *c;
    int n, cap;
};
void clues_done(struct clues *l);
/* A clue of a detector with rule, version, criterion, grade and shadow from the policy; to be filled and then sealed. */
struct clue *clue_new(struct clues *l, const struct policy *p, enum detector_id d, struct str mine, struct str subject, zb_time from, zb_time to);
struct clue_factor *clue_factor(struct clue *c, const char *zh, const char *en, const char *unit, double seen, double expected);
void clue_innocent(struct clue *c, const char *zh, const char *en, enum looked looked);
/* Gives id and score. Score: 1 - chance^(1/6) for a known chance (a millionth: 0.9), else by grade (1: 0.3, 2: 0.6, 3: 0.9); each explanation found halves it. */
void clue_seal(struct clue *c);
/* Clues from `from` on replace earlier ones of the same id: the newer judgement of the same facts. */
void clues_renew(struct clues *l, int from);
/* The evidence bundle. */
void clue_json(const struct clue *c, const char *policy_hash, struct json *j);
