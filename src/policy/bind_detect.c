/* rules/detect_*.yaml, and the detectors of rules/forecast.yaml → struct detect_policy. */
#include "policy/bind.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>

struct param {
    const char *key, *unit;
};
#define X(name, unit) {#name, unit},
#define D(ID, key) static const struct param PARAM_##key[] = {DETECT_##ID(X)};
DETECTORS(D)
#undef D
#undef X
static const struct {
    const char *key;
    const struct param *param;
    int params;
    size_t at; /* the detector's parameters are doubles in the order of the table */
} KIND[] = {
#define D(ID, key) {#key, PARAM_##key, sizeof PARAM_##key / sizeof *PARAM_##key, offsetof(struct detect_policy, key)},
    DETECTORS(D)
#undef D
};

static void bind_params(struct reader *r, const struct node *map, int k, double *out) {
    bool seen[40] = {false};
    const struct node *seq = node_seq(r, map, "params");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key value unit source check");
        const char *key = node_text(r, n, "key", NULL), *unit = node_text(r, n, "unit", NULL);
        node_text(r, n, "source", NULL);
        node_bool(r, n, "check", false);
        zb_fix v = node_fix(r, n, "value");
        int at = -1;
        for (int i = 0; i < KIND[k].params && !r->bad; i++)
            if (!strcmp(KIND[k].param[i].key, key)) at = i;
        if (r->bad) return;
        if (at < 0)
            node_fail(r, n, "detector %s has no parameter \"%s\"", KIND[k].key, key);
        else if (seen[at])
            node_fail(r, n, "parameter %s is there twice", key);
        else if (v == ZB_FIX_NONE)
            node_fail(r, n, "parameter %s: key value is missing", key);
        else if (strcmp(KIND[k].param[at].unit, unit))
            node_fail(r, n, "parameter %s is measured in \"%s\", not in \"%s\"", key, KIND[k].param[at].unit, unit);
        else {
            out[at] = zb_fix_double(v);
            seen[at] = true;
        }
    }
    for (int i = 0; i < KIND[k].params && !r->bad; i++)
        if (!seen[i]) node_fail(r, map, "detector %s: parameter %s (%s) is missing", KIND[k].key, KIND[k].param[i].key, KIND[k].param[i].unit);
}

void bind_detectors(struct reader *r, const struct node *root, struct policy *p) {
    const struct node *seq = node_seq(r, root, "detectors");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key rule version zh en criterion owner grade shadow params");
        const char *key = node_text(r, n, "key", NULL);
        int k = 0;
        while (k < DETECTORS_N && !r->bad && strcmp(KIND[k].key, key)) k++;
        if (k == DETECTORS_N)
            node_fail(r, n, "there is no detector \"%s\"", key);
        else if (!r->bad && p->detect.who[k].key)
            node_fail(r, n, "detector %s is there twice", key);
        if (r->bad) return;
        p->detect.who[k] = (struct detector){.key = KIND[k].key,
                                             .rule = node_text(r, n, "rule", NULL),
                                             .zh = node_text(r, n, "zh", NULL),
                                             .en = node_text(r, n, "en", NULL),
                                             .criterion = node_text(r, n, "criterion", ""),
                                             .owner = node_text(r, n, "owner", NULL),
                                             .version = (int)node_int(r, n, "version", INT64_MIN, 1, 100000),
                                             .grade = (int)node_int(r, n, "grade", INT64_MIN, 1, 3),
                                             .shadow = node_bool(r, n, "shadow", true)};
        bind_params(r, n, k, (double *)((char *)&p->detect + KIND[k].at));
    }
}

void bind_detect(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source detectors gas_types steady_types work_types fan_types");
    static const struct {
        const char *key;
        size_t at;
    } TYPES[] = {{"gas_types", offsetof(struct detect_policy, gas_types)},
                 {"steady_types", offsetof(struct detect_policy, steady_types)},
                 {"work_types", offsetof(struct detect_policy, work_types)},
                 {"fan_types", offsetof(struct detect_policy, fan_types)}};
    for (size_t i = 0; i < 4 && !r->bad; i++)
        if (node_get(root, TYPES[i].key)) *(const char **)((char *)&p->detect + TYPES[i].at) = node_text(r, root, TYPES[i].key, NULL);
    bind_detectors(r, root, p);
}

static void flows_bind(struct reader *r, const struct node *root, struct clue_rule *c) {
    static const char *const KEY[] = {
#define X(id, key) key,
        FLOWS(X)
#undef X
    };
    static const char *const WAY[] = {
#define X(id, key) key,
        FLOW_WAYS(X)
#undef X
    };
    const struct node *seq = node_seq(r, root, "flows");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key types words way");
        int k = node_choice(r, n, "key", KEY, FLOWS_N), way = r->bad ? 0 : node_choice(r, n, "way", WAY, FLOW_WAYS_N);
        if (r->bad) return;
        if (c->flow[k].types) node_fail(r, n, "flow %s is there twice", KEY[k]);
        c->flow[k] = (struct flow_rule){node_text(r, n, "types", NULL), node_text(r, n, "words", ""), (enum flow_way)way};
    }
    for (int k = 0; k < FLOWS_N && !r->bad; k++)
        if (!c->flow[k].types) node_fail(r, root, "flows: %s is missing", KEY[k]);
}

void bind_clues(struct reader *r, const struct node *root, struct policy *p) {
    struct clue_rule *c = &p->clue;
    node_keys(r, root,
              "source ledger fields trial open stops persons quota places visits capacity restricted working energy_types air_types count_types flows circuits "
              "track_days "
              "person_days hour_days");
    const struct node *f = node_get(root, "fields"), *seq = node_seq(r, root, "circuits");
    if (!r->bad && !f) node_fail(r, root, "key fields is missing");
    if (r->bad) return;
    node_keys(r, f, "site rule raised_at score reason reason_en evidence digest window shadow factors");
    *c = (struct clue_rule){.ledger = node_text(r, root, "ledger", NULL),
                            .at = -1,
                            .site = node_text(r, f, "site", NULL),
                            .rule = node_text(r, f, "rule", NULL),
                            .raised_at = node_text(r, f, "raised_at", NULL),
                            .score = node_text(r, f, "score", NULL),
                            .reason = node_text(r, f, "reason", NULL),
                            .reason_en = node_text(r, f, "reason_en", NULL),
                            .evidence = node_text(r, f, "evidence", NULL),
                            .digest = node_text(r, f, "digest", NULL),
                            .window = node_text(r, f, "window", NULL),
                            .shadow = node_text(r, f, "shadow", NULL),
                            .factors = node_text(r, f, "factors", NULL),
                            .trial = node_text(r, root, "trial", NULL),
                            .open = node_text(r, root, "open", NULL),
                            .stops = node_text(r, root, "stops", NULL),
                            .persons = node_text(r, root, "persons", NULL),
                            .quota = node_text(r, root, "quota", NULL),
                            .restricted = node_text(r, root, "restricted", NULL),
                            .energy_types = node_text(r, root, "energy_types", NULL),
                            .air_types = node_text(r, root, "air_types", NULL),
                            .count_types = node_text(r, root, "count_types", NULL),
                            .places = node_text(r, root, "places", NULL),
                            .visits = node_text(r, root, "visits", NULL),
                            .capacity = node_text(r, root, "capacity", NULL),
                            .working = node_text(r, root, "working", NULL),
                            .track_days = (int)node_int(r, root, "track_days", INT64_MIN, 2, 400),
                            .person_days = (int)node_int(r, root, "person_days", INT64_MIN, 31, 4000),
                            .hour_days = (int)node_int(r, root, "hour_days", INT64_MIN, 31, 4000)};
    if (!r->bad) flows_bind(r, root, c);
    c->circuit = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *c->circuit);
    for (const struct node *n = c->circuit ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "zh en words works");
        c->circuit[c->circuits++] =
            (struct circuit_rule){node_text(r, n, "zh", NULL), node_text(r, n, "en", NULL), node_text(r, n, "words", NULL), node_bool(r, n, "works", true)};
    }
}

/* The ledger and its fields are there, and a digest tells one clue from another. */
static void clues_complete(struct reader *r, struct policy *p) {
    struct clue_rule *c = &p->clue;
    c->at = policy_ledger(p, str_of(c->ledger));
    const struct ledger *l = c->at < 0 ? NULL : &p->ledger[c->at];
    if (!l) {
        node_fail(r, NULL, "clues.yaml: ledger %s is not there", c->ledger);
        return;
    }
    const char *field[] = {c->site, c->rule, c->raised_at, c->score, c->reason, c->reason_en, c->evidence, c->digest, c->window, c->shadow};
    for (size_t i = 0; i < sizeof field / sizeof *field && !r->bad; i++)
        if (lfield_find(l->field, l->fields, str_of(field[i])) < 0) node_fail(r, NULL, "clues.yaml: %s is not a field of %s", field[i], l->key);
    if (!r->bad && strcmp(l->unique, c->digest)) node_fail(r, NULL, "clues.yaml: %s must be the unique field of %s", c->digest, l->key);
    const char *state[] = {c->trial, c->open};
    for (int i = 0; i < 2 && !r->bad; i++) {
        int st = lstate_find(l, str_of(state[i]));
        if (st < 0 || !(l->start >> st & 1)) node_fail(r, NULL, "clues.yaml: a record of %s cannot begin in state %s", l->key, state[i]);
    }
}

void detect_complete(struct reader *r, struct policy *p) {
    clues_complete(r, p);
    if (!p->detect.gas_types || !p->detect.steady_types || !p->detect.work_types || !p->detect.fan_types)
        node_fail(r, NULL, "rules/detect_*.yaml: gas_types, steady_types, work_types and fan_types must be given once");
    for (int k = 0; k < DETECTORS_N && !r->bad; k++) {
        const struct detector *d = &p->detect.who[k];
        if (!d->key)
            node_fail(r, NULL, "detector %s is in no file rules/detect_*.yaml", KIND[k].key);
        else if (!policy_role(p, str_of(d->owner)))
            node_fail(r, NULL, "rules: detector %s: owner \"%s\" is not a role", d->key, d->owner);
    }
}
