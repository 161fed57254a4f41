/* plan.yaml, plan/<area>.yaml, duties.yaml: trees to structs, then what holds over all of them. */
#include "policy/bind.h"
#include <stdio.h>

#define KEYS(name, LIST) const char *const name[] = {LIST(KEY)};
#define KEY(id, key) key,
KEYS(PLAN_TEST_KEY, PLAN_TESTS)
KEYS(PLAN_CYCLE_KEY, PLAN_CYCLES)
KEYS(PLAN_BASIS_KEY, PLAN_BASES)
KEYS(PLAN_AFTER_KEY, PLAN_AFTERS)

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}

/* The texts <what>_zh and <what>_en, or zh and en when what is "". */
static struct plan_words words(struct reader *r, const struct node *n, const char *what) {
    char zh[40], en[40];
    snprintf(zh, sizeof zh, "%s%szh", what, what[0] ? "_" : "");
    snprintf(en, sizeof en, "%s%sen", what, what[0] ? "_" : "");
    return (struct plan_words){node_text(r, n, zh, NULL), node_text(r, n, en, NULL)};
}

static enum plan_cycle cycle_of(struct reader *r, const struct node *n, const char *key) {
    return r->bad || !node_get(n, key) ? PLAN_CYCLE_NONE : (enum plan_cycle)node_choice(r, n, key, PLAN_CYCLE_KEY, PLAN_CYCLES_N);
}

static void requirement_bind(struct reader *r, const struct node *n, struct plan_requirement *q) {
    node_keys(
        r, n,
        "id zh en who on lead test due from cycle cycle_list by strive when_zh when_en target_zh target_en proof_zh proof_en ledgers indicators rules entry "
        "consequence basis after_end note");
    *q = (struct plan_requirement){.id = node_text(r, n, "id", NULL),
                                   .name = words(r, n, ""),
                                   .when = words(r, n, "when"),
                                   .target = words(r, n, "target"),
                                   .proof = words(r, n, "proof"),
                                   .who = node_text(r, n, "who", NULL),
                                   .on = node_text(r, n, "on", ""),
                                   .lead = node_text(r, n, "lead", ""),
                                   .ledgers = node_text(r, n, "ledgers", NULL),
                                   .indicators = node_text(r, n, "indicators", NULL),
                                   .rules = node_text(r, n, "rules", ""),
                                   .consequence = node_text(r, n, "consequence", ""),
                                   .test = (enum plan_test)node_choice(r, n, "test", PLAN_TEST_KEY, PLAN_TESTS_N),
                                   .due = node_day(r, n, "due", PLAN_DAY_NONE),
                                   .from = node_day(r, n, "from", PLAN_DAY_NONE),
                                   .cycle = cycle_of(r, n, "cycle"),
                                   .cycle_list = node_text(r, n, "cycle_list", ""),
                                   .by = node_text(r, n, "by", ""),
                                   .basis = (enum plan_basis)node_choice(r, n, "basis", PLAN_BASIS_KEY, PLAN_BASES_N),
                                   .after = (enum plan_after)node_choice(r, n, "after_end", PLAN_AFTER_KEY, PLAN_AFTERS_N),
                                   .entry = node_bool(r, n, "entry", false),
                                   .strive = node_bool(r, n, "strive", false),
                                   .note = node_text(r, n, "note", ""),
                                   .at = n};
    if (r->bad) return;
    bool dated = q->test == PLAN_TEST_DATED || q->test == PLAN_TEST_PERIOD;
    char year[20];
    int32_t day;
    snprintf(year, sizeof year, "2024-%.9s", q->by); /* a leap year: 02-29 is a day too */
    if (dated != (q->due != PLAN_DAY_NONE)) node_fail(r, n, "%s: due belongs to the tests dated and period, and to no other", q->id);
    if ((q->test == PLAN_TEST_CYCLE) != (q->cycle != PLAN_CYCLE_NONE)) node_fail(r, n, "%s: cycle belongs to the test cycle, and to no other", q->id);
    if ((q->cycle == PLAN_CYCLE_LISTED) != (q->cycle_list[0] != 0)) node_fail(r, n, "%s: cycle_list belongs to the cycle listed, and to no other", q->id);
    if (q->by[0] && (q->cycle != PLAN_CYCLE_YEAR || !zb_day_parse(str_of(year), &day)))
        node_fail(r, node_get(n, "by"), "by: \"%s\" is not a day of a yearly cycle: write 12-10", q->by);
    if (q->entry == (q->rules[0] != 0)) node_fail(r, n, "%s: either rules watch it, or entry: true says that what is entered is the proof", q->id);
}

static void task_bind(struct reader *r, const struct node *n, struct plan_task *t) {
    node_keys(r, n, "id zh en lead requirements");
    *t = (struct plan_task){.id = node_text(r, n, "id", NULL), .name = words(r, n, ""), .lead = node_text(r, n, "lead", NULL), .at = n};
    const struct node *seq = r->bad ? NULL : node_seq(r, n, "requirements");
    t->requirement = many(r, seq, sizeof *t->requirement);
    for (const struct node *m = t->requirement ? seq->child : NULL; m && !r->bad; m = m->next) {
        struct plan_requirement *q = &t->requirement[t->requirements++];
        size_t len = strlen(t->id);
        requirement_bind(r, m, q);
        if (!r->bad && (strncmp(q->id, t->id, len) || q->id[len] != '.' || !q->id[len + 1])) node_fail(r, m, "id \"%s\" must begin with %s.", q->id, t->id);
    }
}

void bind_area(struct reader *r, const struct node *root, struct plan_area *out) {
    node_keys(r, root, "area zh en source tasks");
    *out =
        (struct plan_area){.key = node_text(r, root, "area", NULL), .name = words(r, root, ""), .source = node_text(r, root, "source", NULL), .file = r->file};
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "tasks");
    out->task = many(r, seq, sizeof *out->task);
    for (const struct node *n = out->task ? seq->child : NULL; n && !r->bad; n = n->next) task_bind(r, n, &out->task[out->tasks++]);
}

static int parts_bind(struct reader *r, const struct node *root, const char *key, struct plan_part **ret) {
    const struct node *seq = r->bad ? NULL : node_seq(r, root, key);
    struct plan_part *out = many(r, seq, sizeof *out);
    int k = 0;
    *ret = out;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en");
        out[k++] = (struct plan_part){node_text(r, n, "key", NULL), words(r, n, ""), n};
    }
    return k;
}

static void goals_bind(struct reader *r, const struct node *root, struct action_plan *p) {
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "goals");
    p->goal = many(r, seq, sizeof *p->goal);
    for (const struct node *n = p->goal ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "id zh en indicators due qualitative yearly target_zh target_en");
        struct plan_goal *g = &p->goal[p->goals];
        *g = (struct plan_goal){.id = node_text(r, n, "id", NULL),
                                .indicators = node_text(r, n, "indicators", NULL),
                                .name = words(r, n, ""),
                                .target = words(r, n, "target"),
                                .due = node_day(r, n, "due", PLAN_DAY_NONE),
                                .qualitative = node_bool(r, n, "qualitative", false),
                                .yearly = node_bool(r, n, "yearly", false),
                                .at = n};
        for (int i = 0; i < p->goals && !r->bad; i++)
            if (!strcmp(p->goal[i].id, g->id)) node_fail(r, n, "goal %s is there twice", g->id);
        if (!r->bad && (g->due < p->from || g->due > p->to)) node_fail(r, n, "goal %s: due must lie in the plan's time", g->id);
        p->goals++;
    }
}

void bind_plan(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source plan zh en number issued from to actors means goals organisation agencies");
    struct action_plan *l = &p->plan;
    *l = (struct action_plan){.key = node_text(r, root, "plan", NULL),
                              .number = node_text(r, root, "number", NULL),
                              .source = node_text(r, root, "source", NULL),
                              .file = r->file,
                              .name = words(r, root, ""),
                              .issued = node_day(r, root, "issued", PLAN_DAY_NONE),
                              .from = node_day(r, root, "from", PLAN_DAY_NONE),
                              .to = node_day(r, root, "to", PLAN_DAY_NONE),
                              .actors_key = node_text(r, root, "actors", NULL),
                              .means_key = node_text(r, root, "means", NULL)};
    if (!r->bad && (l->from == PLAN_DAY_NONE || l->to < l->from)) node_fail(r, root, "from and to: the days the plan begins and ends");
    goals_bind(r, root, l);
    l->posts = parts_bind(r, root, "organisation", &l->post);
    l->agencies = parts_bind(r, root, "agencies", &l->agency);
}

void bind_duties(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source ledger field sql duties");
    struct action_plan *l = &p->plan;
    l->duty_file = r->file;
    l->duty_ledger = node_text(r, root, "ledger", NULL);
    l->duty_field = node_text(r, root, "field", NULL);
    l->duty_sql = node_text(r, root, "sql", NULL);
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "duties");
    l->duty = many(r, seq, sizeof *l->duty);
    for (const struct node *n = l->duty ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en owner levels to filing requirements on every month day until assumed");
        struct plan_duty *d = &l->duty[l->duties];
        *d = (struct plan_duty){.key = node_text(r, n, "key", NULL),
                                .name = words(r, n, ""),
                                .owner = node_text(r, n, "owner", NULL),
                                .levels = node_text(r, n, "levels", ""),
                                .to = node_text(r, n, "to", NULL),
                                .filing = node_text(r, n, "filing", ""),
                                .requirements = node_text(r, n, "requirements", NULL),
                                .on = node_day(r, n, "on", PLAN_DAY_NONE),
                                .until = node_day(r, n, "until", PLAN_DAY_NONE),
                                .every = cycle_of(r, n, "every"),
                                .month = (int)node_int(r, n, "month", 0, 1, 12),
                                .day = (int)node_int(r, n, "day", -1, 0, 31),
                                .assumed = node_bool(r, n, "assumed", false),
                                .at = n};
        if (r->bad) return;
        bool single = d->on != PLAN_DAY_NONE, repeated = d->every == PLAN_CYCLE_MONTH || d->every == PLAN_CYCLE_QUARTER || d->every == PLAN_CYCLE_YEAR;
        if (single == repeated || (!single && d->day < 0) || (d->every == PLAN_CYCLE_YEAR) != (d->month > 0))
            node_fail(r, n, "duty %s: either on a day, or every month or quarter with day, or every year with month and day", d->key);
        for (int i = 0; i < l->duties && !r->bad; i++)
            if (!strcmp(l->duty[i].key, d->key)) node_fail(r, n, "duty %s is there twice", d->key);
        l->duties++;
    }
}

/* ---- over all files ---- */
const struct plan_requirement *plan_requirement_find(const struct policy *p, struct str id) {
    for (int a = 0; a < p->areas; a++)
        for (int t = 0; t < p->area[a].tasks; t++)
            for (int i = 0; i < p->area[a].task[t].requirements; i++)
                if (str_is(id, p->area[a].task[t].requirement[i].id)) return &p->area[a].task[t].requirement[i];
    return NULL;
}

int plan_requirements(const struct policy *p) {
    int n = 0;
    for (int a = 0; a < p->areas; a++)
        for (int t = 0; t < p->area[a].tasks; t++) n += p->area[a].task[t].requirements;
    return n;
}

static const struct code_list *list_named(const struct policy *p, const char *key) {
    for (int i = 0; i < p->lists; i++)
        if (!strcmp(p->list[i].key, key)) return &p->list[i];
    return NULL;
}

/* Every word of words satisfies good, which says why not. */
typedef bool word_good(const struct policy *p, struct str word);
static bool is_actor(const struct policy *p, struct str w) { return list_find(p->plan.actors, w) != NULL; }
static bool is_means(const struct policy *p, struct str w) {
    if (w.n && w.p[w.n - 1] == '*') w.n--;
    return list_find(p->plan.means, w) != NULL;
}
static bool is_requirement(const struct policy *p, struct str w) { return plan_requirement_find(p, w) != NULL; }
static bool is_ledger(const struct policy *p, struct str w) { return policy_ledger(p, w) >= 0; }
/* An id such as I08.1, IS2.2, G5, R38, X04: capital letters, then digits, then perhaps a dot and digits. Whether it is there is asked by --coverage. */
static bool is_id(const struct policy *p, struct str w) {
    (void)p;
    size_t i = 0, from;
    while (i < w.n && w.p[i] >= 'A' && w.p[i] <= 'Z') i++;
    if (!i) return false;
    for (int part = 0; part < 2; part++) {
        from = i;
        while (i < w.n && w.p[i] >= '0' && w.p[i] <= '9') i++;
        if (i == w.n) return i > from;
        if (w.p[i++] != '.') return false;
    }
    return false;
}
static void each_word(struct reader *r, const struct policy *p, const struct node *at, const char *key, const char *text, word_good *good, const char *what) {
    const struct node *n = node_get(at, key);
    struct str rest = str_of(text);
    while (!r->bad && rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        if (w.n && !good(p, w)) node_fail(r, n ? n : at, "%s: \"" STR_FMT "\" is not %s", key, STR_ARG(w), what);
    }
}

static void requirement_check(struct reader *r, const struct policy *p, const struct plan_requirement *q) {
    char actor[120], means[120];
    snprintf(actor, sizeof actor, "in the list %s", p->plan.actors_key);
    snprintf(means, sizeof means, "in the list %s", p->plan.means_key);
    each_word(r, p, q->at, "who", q->who, is_actor, actor);
    each_word(r, p, q->at, "on", q->on, is_actor, actor);
    each_word(r, p, q->at, "lead", q->lead, is_actor, actor);
    each_word(r, p, q->at, "consequence", q->consequence, is_means, means);
    each_word(r, p, q->at, "ledgers", q->ledgers, is_ledger, "a ledger");
    each_word(r, p, q->at, "indicators", q->indicators, is_id, "an id of an indicator, such as I08.1");
    each_word(r, p, q->at, "rules", q->rules, is_id, "an id of a rule or insight, such as R38 or X04");
    if (r->bad) return;
    if (q->due != PLAN_DAY_NONE && (q->due < p->plan.from || q->due > p->plan.to))
        node_fail(r, node_get(q->at, "due"), "%s: due lies outside the plan's time", q->id);
    if (q->cycle_list[0] && !list_named(p, q->cycle_list))
        node_fail(r, node_get(q->at, "cycle_list"), "cycle_list: \"%s\" is not a file of lists/", q->cycle_list);
    if (plan_requirement_find(p, str_of(q->id)) != q) node_fail(r, q->at, "requirement %s is there twice", q->id);
}

static void duty_check(struct reader *r, const struct policy *p, const struct plan_duty *d) {
    int l = policy_ledger(p, str_of(p->plan.duty_ledger));
    int f = l < 0 ? -1 : lfield_find(p->ledger[l].field, p->ledger[l].fields, str_of(p->plan.duty_field));
    each_word(r, p, d->at, "owner", d->owner, is_actor, "an actor");
    each_word(r, p, d->at, "to", d->to, is_actor, "an actor");
    each_word(r, p, d->at, "requirements", d->requirements, is_requirement, "a requirement");
    if (r->bad || !d->filing[0]) return;
    if (f < 0 || p->ledger[l].field[f].type != LF_ENUM)
        node_fail(r, NULL, "duties are filed in %s.%s, which is not there", p->plan.duty_ledger, p->plan.duty_field);
    else if (!list_find(p->ledger[l].field[f].list, str_of(d->filing)))
        node_fail(r, node_get(d->at, "filing"), "filing: \"%s\" is not a member of %s.%s", d->filing, p->plan.duty_ledger, p->plan.duty_field);
}

void bind_plan_all(struct zb_err *e, struct policy *p, bool *bad) {
    struct action_plan *l = &p->plan;
    struct reader r = {p->arena, l->file, e, false};
    l->actors = list_named(p, l->actors_key);
    l->means = list_named(p, l->means_key);
    if (!l->actors) node_fail(&r, NULL, "actors: \"%s\" is not a file of lists/", l->actors_key);
    if (!l->means) node_fail(&r, NULL, "means: \"%s\" is not a file of lists/", l->means_key);
    for (int i = 0; i < l->agencies && !r.bad; i++)
        if (!is_actor(p, str_of(l->agency[i].key))) node_fail(&r, l->agency[i].at, "agency %s is not in the list %s", l->agency[i].key, l->actors_key);
    for (int i = 0; i < l->goals; i++) each_word(&r, p, l->goal[i].at, "indicators", l->goal[i].indicators, is_id, "an id of an indicator, such as G8");
    for (int a = 0; a < p->areas; a++) {
        r.file = p->area[a].file;
        for (int b = 0; b < a && !r.bad; b++)
            if (!strcmp(p->area[a].key, p->area[b].key)) node_fail(&r, NULL, "area %s is in another file too", p->area[a].key);
        for (int t = 0; t < p->area[a].tasks; t++) {
            const struct plan_task *k = &p->area[a].task[t];
            each_word(&r, p, k->at, "lead", k->lead, is_actor, "an actor");
            for (int i = 0; i < k->requirements; i++) requirement_check(&r, p, &k->requirement[i]);
        }
    }
    r.file = l->duty_file;
    for (int i = 0; i < l->duties; i++) duty_check(&r, p, &l->duty[i]);
    *bad = r.bad;
}
