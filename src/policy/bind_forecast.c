/* rules/forecast.yaml → struct forecast_policy. */
#include "policy/bind.h"

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}

static double number(struct reader *r, const struct node *n, const char *key) {
    zb_fix v = node_fix(r, n, key);
    if (v == ZB_FIX_NONE && !r->bad) node_fail(r, n, "key %s is missing", key);
    return r->bad ? 0 : zb_fix_double(v);
}

static void bind_items(struct reader *r, const struct node *root, struct forecast_policy *f) {
    const struct node *items = node_seq(r, root, "items");
    f->item = many(r, items, sizeof *f->item);
    if (items && items->n > WARN_ITEMS_MAX) node_fail(r, items, "more than %d items", WARN_ITEMS_MAX);
    for (const struct node *n = f->item && !r->bad ? items->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en unit");
        f->item[f->items++] =
            (struct warn_item){node_text(r, n, "key", NULL), node_text(r, n, "zh", NULL), node_text(r, n, "en", NULL), node_text(r, n, "unit", NULL)};
    }
}

static int item_of(struct reader *r, const struct node *n, const struct forecast_policy *f, struct str key) {
    for (int i = 0; i < f->items; i++)
        if (str_is(key, f->item[i].key)) return i;
    node_fail(r, n, "there is no item \"" STR_FMT "\" above", STR_ARG(key));
    return 0;
}

static void bind_shows(struct reader *r, const struct node *map, const struct forecast_policy *f, struct warn_rule *w) {
    struct str rest = str_of(node_text(r, map, "show", ""));
    while (!r->bad && rest.p && rest.n) {
        if (w->shows == WARN_CONDS_MAX) node_fail(r, map, "at most %d items in show", WARN_CONDS_MAX);
        if (!r->bad) w->show[w->shows++] = item_of(r, map, f, str_cut(rest, ' ', &rest));
    }
}

static void bind_types(struct reader *r, const struct node *root, struct forecast_policy *f) {
    static const char *const KEY[] = {
#define X(id, key) #key,
        FORECAST_TYPES(X)
#undef X
    };
    const struct node *map = r->bad ? NULL : node_get(root, "types");
    if (!map) {
        node_fail(r, root, "key types is missing");
        return;
    }
    node_keys(r, map,
              ""
#define X(id, key) #key " "
              FORECAST_TYPES(X)
#undef X
    );
    for (int i = 0; i < FORECAST_TYPES_N && !r->bad; i++) f->types[i] = node_text(r, map, KEY[i], NULL);
}

static void bind_conds(struct reader *r, const struct node *map, const struct forecast_policy *f, struct warn_rule *w) {
    const struct node *seq = node_seq(r, map, "when");
    if (seq && (seq->n < 1 || seq->n > WARN_CONDS_MAX)) node_fail(r, seq, "1 to %d conditions", WARN_CONDS_MAX);
    for (const struct node *n = seq && !r->bad ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "item from to");
        const char *item = node_text(r, n, "item", NULL);
        bool from = node_get(n, "from"), to = node_get(n, "to");
        int i = r->bad ? 0 : item_of(r, n, f, str_of(item));
        if (!r->bad && from == to) node_fail(r, n, "one of from (reached upward) and to (reached downward)");
        if (r->bad) return;
        w->cond[w->conds++] = (struct warn_cond){i, from, number(r, n, from ? "from" : "to")};
    }
}

static void bind_warns(struct reader *r, const struct node *root, struct policy *p) {
    struct forecast_policy *f = &p->forecast;
    const struct node *seq = node_seq(r, root, "levels");
    f->warn = many(r, seq, sizeof *f->warn);
    for (const struct node *n = f->warn ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key hazard level zh en show when source check");
        struct warn_rule *w = &f->warn[f->warns++];
        *w = (struct warn_rule){.key = node_text(r, n, "key", NULL),
                                .zh = node_text(r, n, "zh", NULL),
                                .en = node_text(r, n, "en", NULL),
                                .source = node_text(r, n, "source", NULL),
                                .level = (enum alarm_level)node_choice(r, n, "level", ALARM_LEVEL_KEY, ALARM_LEVELS_N),
                                .check = node_bool(r, n, "check", false)};
        const char *hazard = node_text(r, n, "hazard", NULL);
        int k = 0;
        while (!r->bad && k < DETECTORS_N && (!p->detect.who[k].key || strcmp(p->detect.who[k].key, hazard))) k++;
        if (!r->bad && k == DETECTORS_N) node_fail(r, n, "there is no detector \"%s\" above", hazard);
        w->hazard = (enum detector_id)k;
        for (int i = 0; i < f->warns - 1 && !r->bad; i++)
            if (!strcmp(f->warn[i].key, w->key)) node_fail(r, n, "level rule %s is there twice", w->key);
        bind_conds(r, n, f, w);
        bind_shows(r, n, f, w);
    }
}

static void bind_joint(struct reader *r, const struct node *root, struct policy *p) {
    const struct node *map = r->bad ? NULL : node_get(root, "joint");
    if (!map) {
        node_fail(r, root, "key joint is missing");
        return;
    }
    node_keys(r, map, "points from source");
    const char *points = node_text(r, map, "points", NULL);
    node_text(r, map, "source", NULL);
    p->forecast.joint_from = (enum alarm_level)node_choice(r, map, "from", ALARM_LEVEL_KEY, ALARM_LEVELS_N);
    for (int i = 0; i < p->joints && !r->bad; i++)
        if (!strcmp(p->joint[i].zh, points)) p->forecast.points = &p->joint[i];
    if (!r->bad && !p->forecast.points) node_fail(r, map, "limits.yaml has no joint rule \"%s\"", points);
}

static void bind_curve(struct reader *r, const struct node *root, const char *key, struct curve *c) {
    const struct node *seq = node_seq(r, root, key);
    if (seq && (seq->n < 1 || seq->n > 16)) node_fail(r, seq, "1 to 16 points");
    for (const struct node *n = seq && !r->bad ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "height depth source check");
        node_text(r, n, "source", "");
        node_bool(r, n, "check", false);
        c->x[c->n] = number(r, n, "height");
        c->y[c->n] = number(r, n, "depth");
        if (!r->bad && c->n && !(c->x[c->n] > c->x[c->n - 1])) node_fail(r, n, "heights must rise");
        c->n++;
    }
}

void bind_forecast(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source types detectors items levels joint phreatic");
    bind_types(r, root, &p->forecast);
    bind_detectors(r, root, p);
    bind_items(r, root, &p->forecast);
    bind_warns(r, root, p);
    bind_joint(r, root, p);
    bind_curve(r, root, "phreatic", &p->forecast.phreatic);
}
