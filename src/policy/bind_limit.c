/* Limits by class, sensor type and edition: alarm and cut values, lines of four colours, change and rain, states, joint levels. */
#include "policy/bind.h"
#include <stdio.h>

static void *list(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!r->bad && !p) node_fail(r, seq, "too much for one policy");
    return p;
}

static struct limits limits_of(struct reader *r, const struct node *n) {
    return (struct limits){node_fix(r, n, "hi_alarm"), node_fix(r, n, "hi_clear"),   node_fix(r, n, "lo_alarm"), node_fix(r, n, "lo_clear"),
                           node_fix(r, n, "hi_cut"),   node_fix(r, n, "hi_restore"), node_fix(r, n, "lo_cut"),   node_fix(r, n, "lo_restore")};
}

/* {blue: 1, yellow: 2, orange: 3, red: 4}; sign: red is the greatest (1), the smallest (-1) */
static bool colours(struct reader *r, const struct node *n, const char *key, int sign, zb_fix ret[COLOURS]) {
    const struct node *map = node_get(n, key);
    for (int i = 0; i < COLOURS; i++) ret[i] = ZB_FIX_NONE;
    if (!map || r->bad) return false;
    if (map->kind != NODE_MAP) {
        node_fail(r, map, "%s: write {blue: …, yellow: …, orange: …, red: …}", key);
        return false;
    }
    node_keys(r, map, "blue yellow orange red");
    zb_fix before = ZB_FIX_NONE;
    for (int i = LEVEL_BLUE; i < COLOURS && !r->bad; i++) {
        ret[i] = node_fix(r, map, ALARM_LEVEL_KEY[i]);
        if (ret[i] == ZB_FIX_NONE) continue;
        if (before != ZB_FIX_NONE && (sign > 0 ? ret[i] <= before : ret[i] >= before))
            node_fail(r, map, "%s: the lines must go %s from blue to red", key, sign > 0 ? "up" : "down");
        before = ret[i];
    }
    return true;
}

static void states_of(struct reader *r, const struct node *n, struct limit_rule *l) {
    const struct node *map = r->bad ? NULL : node_get(n, "is");
    if (!map) return;
    if (map->kind != NODE_MAP) {
        node_fail(r, map, "is: write {yellow: \"2\", red: \"0\"}");
        return;
    }
    node_keys(r, map, "blue yellow orange red");
    for (int i = LEVEL_BLUE; i < COLOURS && !r->bad; i++)
        if (node_get(map, ALARM_LEVEL_KEY[i])) l->is[i] = node_text(r, map, ALARM_LEVEL_KEY[i], NULL);
}

static void antecedent_of(struct reader *r, const struct node *n, struct antecedent *ret) {
    const struct node *map = r->bad ? NULL : node_get(n, "antecedent");
    if (!map) return;
    if (map->kind != NODE_MAP) {
        node_fail(r, map, "antecedent: write {recent: 3 d, before: 15 d, at: 88.9, less: 0.67, level: yellow}");
        return;
    }
    node_keys(r, map, "recent before at less level");
    *ret = (struct antecedent){node_duration(r, map, "recent", ZB_TIME_NONE), node_duration(r, map, "before", ZB_TIME_NONE), node_fix(r, map, "at"),
                               node_fix(r, map, "less"), (enum alarm_level)node_choice(r, map, "level", ALARM_LEVEL_KEY, ALARM_LEVELS_N)};
    if (!r->bad && (ret->at == ZB_FIX_NONE || ret->less == ZB_FIX_NONE || ret->recent <= 0 || ret->recent + ret->before > RAIN_MAX))
        node_fail(r, map, "antecedent needs recent, before (at most 18 d together), at and less");
}

static void bind_rule(struct reader *r, const struct node *n, struct limit_rule *l) {
    node_keys(r, n,
              "class zh sensors gas hi_alarm hi_clear lo_alarm lo_clear hi_cut hi_restore lo_cut lo_restore high low rise fall sum antecedent within is unit "
              "cut_range from to "
              "mine_default source");
    *l = (struct limit_rule){.loc_class = node_text(r, n, "class", NULL),
                             .zh = node_text(r, n, "zh", ""),
                             .sensor_types = node_text(r, n, "sensors", NULL),
                             .gas_class = node_text(r, n, "gas", ""),
                             .lim = limits_of(r, n),
                             .within = node_duration(r, n, "within", 0),
                             .unit = node_text(r, n, "unit", NULL),
                             .cut_range = node_text(r, n, "cut_range", ""),
                             .source = node_text(r, n, "source", NULL),
                             .from = node_day(r, n, "from", INT32_MIN),
                             .to = node_day(r, n, "to", INT32_MAX),
                             .mine_default = node_bool(r, n, "mine_default", false)};
    colours(r, n, "high", 1, l->line.hi);
    colours(r, n, "low", -1, l->line.lo);
    bool change = colours(r, n, "rise", 1, l->change.hi), sum;
    change |= colours(r, n, "fall", 1, l->change.lo);
    sum = colours(r, n, "sum", 1, l->sum);
    states_of(r, n, l);
    antecedent_of(r, n, &l->antecedent);
    if (r->bad) return;
    if (l->from > l->to) node_fail(r, n, "from is after to");
    if ((change || sum) != (l->within > 0)) node_fail(r, n, "rise, fall and sum need within, and only they: 1 h, 1 d");
    if (sum && l->within > RAIN_MAX) node_fail(r, n, "sum: within at most 18 d");
}

static void bind_joint(struct reader *r, const struct node *root, struct policy *p) {
    const struct node *seq = r->bad || !node_get(root, "joint") ? NULL : node_seq(r, root, "joint");
    struct joint_rule *out = seq ? list(r, seq, sizeof *out) : NULL;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "zh en items blue yellow orange source");
        out[p->joints++] = (struct joint_rule){node_text(r, n, "zh", NULL),
                                               node_text(r, n, "en", NULL),
                                               node_text(r, n, "items", NULL),
                                               node_text(r, n, "source", NULL),
                                               (int)node_int(r, n, "blue", INT64_MIN, 1, 1000),
                                               (int)node_int(r, n, "yellow", INT64_MIN, 1, 1000),
                                               (int)node_int(r, n, "orange", INT64_MIN, 1, 1000)};
    }
    p->joint = out;
}

/* Tables that exist and were not seen: named, never filled with invented numbers. */
static void bind_pending(struct reader *r, const struct node *root, struct policy *p) {
    const struct node *seq = r->bad || !node_get(root, "pending") ? NULL : node_seq(r, root, "pending");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "zh source");
        (void)node_text(r, n, "zh", NULL);
        (void)node_text(r, n, "source", NULL);
        p->limits_pending++;
    }
}

void bind_limits(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source limits patterns joint pending");
    const struct node *seq = node_seq(r, root, "limits"), *pat = node_seq(r, root, "patterns");
    struct limit_rule *out = seq ? list(r, seq, sizeof *out) : NULL;
    struct loc_pattern *words = pat ? list(r, pat, sizeof *words) : NULL;
    if (!out || !words) return;
    for (const struct node *n = seq->child; n && !r->bad; n = n->next) bind_rule(r, n, &out[p->limits++]);
    for (const struct node *n = pat->child; n && !r->bad; n = n->next) {
        node_keys(r, n, "words class");
        words[p->patterns] = (struct loc_pattern){node_text(r, n, "words", NULL), node_text(r, n, "class", NULL)};
        bool known = false;
        for (int i = 0; i < p->limits; i++) known |= !strcmp(out[i].loc_class, words[p->patterns].loc_class);
        if (!r->bad && !known) node_fail(r, n, "class %s has no limit above", words[p->patterns].loc_class);
        p->patterns++;
    }
    p->limit = out;
    p->pattern = words;
    bind_joint(r, root, p);
    bind_pending(r, root, p);
}
