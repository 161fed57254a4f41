/* The smaller files ledgers lean on, and what is checked over all files: references, effects, their cycles and rights. */
#include "policy/bind.h"
#include <stdio.h>
#include <stdlib.h>

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}

/* "50 %", "-15 d", "0", "2 h" */
static void step_at(struct reader *r, const struct node *n, struct ladder_step *s) {
    const char *text = node_text(r, n, "at", NULL);
    if (r->bad) return;
    struct str unit, head = str_cut(str_of(text), ' ', &unit);
    int64_t v;
    static const struct {
        const char *u;
        zb_time ms;
    } U[] = {{"min", ZB_MINUTE}, {"h", ZB_HOUR}, {"d", ZB_DAY}};
    s->percent = -1;
    if (!strcmp(text, "0")) return;
    if (unit.p && str_is(unit, "%") && num_i64(head, 0, 1000, &v)) {
        s->percent = (int)v;
        return;
    }
    for (size_t i = 0; unit.p && i < 3; i++)
        if (str_is(unit, U[i].u) && num_i64(head, -100000, 100000, &v)) {
            s->offset = v * U[i].ms;
            return;
        }
    node_fail(r, n, "at: \"%s\": write 50 %% (of the time), -15 d (before it is due), 0 or 5 d (after)", text);
}

void bind_ladder(struct reader *r, const struct node *root, struct policy *p) {
    static const char *const DO[] = {"notice", "act"};
    node_keys(r, root, "source ladders");
    const struct node *seq = node_seq(r, root, "ladders");
    p->ladder = many(r, seq, sizeof *p->ladder);
    for (const struct node *n = p->ladder ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en steps");
        struct ladder *l = &p->ladder[p->ladders++];
        *l = (struct ladder){.key = node_text(r, n, "key", NULL), .zh = node_text(r, n, "zh", NULL), .en = node_text(r, n, "en", NULL)};
        const struct node *steps = node_seq(r, n, "steps");
        l->step = many(r, steps, sizeof *l->step);
        for (const struct node *m = l->step ? steps->child : NULL; m && !r->bad; m = m->next) {
            node_keys(r, m, "at do act zh en urgent");
            struct ladder_step *s = &l->step[l->steps++];
            step_at(r, m, s);
            s->kind = (enum step_kind)node_choice(r, m, "do", DO, 2);
            s->act = node_text(r, m, "act", s->kind == STEP_ACT ? NULL : "");
            s->zh = node_text(r, m, "zh", NULL);
            s->en = node_text(r, m, "en", NULL);
            s->urgent = node_bool(r, m, "urgent", false);
            s->at = m;
        }
    }
}

void bind_calendar(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source off work");
    const struct node *off = node_seq(r, root, "off"), *work = node_seq(r, root, "work");
    p->calendar = r->bad ? NULL : arena_alloc(r->a, (size_t)(off->n + work->n + 1) * sizeof *p->calendar);
    const struct node *lists[] = {off, work};
    for (int k = 0; k < 2 && p->calendar; k++)
        for (const struct node *n = lists[k]->child; n && !r->bad; n = n->next) {
            int32_t day;
            if (n->kind != NODE_SCALAR || !zb_day_parse(str_of(n->text), &day)) {
                node_fail(r, n, "\"%s\" is not a day: write 2026-10-01", n->kind == NODE_SCALAR ? n->text : "?");
                return;
            }
            for (int i = 0; i < p->calendar_days; i++)
                if (p->calendar[i].day == day) node_fail(r, n, "%s is there twice", n->text);
            p->calendar[p->calendar_days++] = (struct calendar_day){day, k == 1};
        }
}

bool policy_work_day(const struct policy *p, int32_t day) {
    for (int i = 0; i < p->calendar_days; i++)
        if (p->calendar[i].day == day) return p->calendar[i].work;
    int week = (day % 7 + 7 + 3) % 7; /* 1970-01-01 was a Thursday; 0 Monday */
    return week < 5;
}

void bind_sites(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source ledger code level name gas");
    p->site = (struct site_rule){node_text(r, root, "ledger", NULL), node_text(r, root, "code", NULL), node_text(r, root, "level", NULL),
                                 node_text(r, root, "name", NULL),   node_text(r, root, "gas", NULL),  -1};
}

void bind_notify(struct reader *r, const struct node *root, struct policy *p) {
    static const char *const KIND[] = {"log", "webhook", "smtp", "exec"};
    node_keys(r, root, "source receipt_wait retry channels");
    p->receipt_wait = node_duration(r, root, "receipt_wait", ZB_TIME_NONE);
    const struct node *retry = node_seq(r, root, "retry"), *seq = node_seq(r, root, "channels");
    for (const struct node *n = r->bad ? NULL : retry->child; n && !r->bad; n = n->next) {
        struct node item = *n, map = {.kind = NODE_MAP, .line = n->line, .col = n->col, .child = &item, .n = 1};
        item.key = "retry";
        item.next = NULL;
        if (p->retries == 10) node_fail(r, n, "at most 10 waits");
        if (!r->bad) p->retry[p->retries++] = node_duration(r, &map, "retry", ZB_TIME_NONE);
    }
    p->channel = many(r, seq, sizeof *p->channel);
    for (const struct node *n = p->channel ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key kind url program from user password_file");
        struct channel_rule *c = &p->channel[p->channels++];
        *c = (struct channel_rule){node_text(r, n, "key", NULL),        (enum channel_kind)node_choice(r, n, "kind", KIND, 4),
                                   node_text(r, n, "url", ""),          node_text(r, n, "program", ""),
                                   node_text(r, n, "from", ""),         node_text(r, n, "user", ""),
                                   node_text(r, n, "password_file", "")};
        if (r->bad) return;
        if ((c->kind == CHANNEL_WEBHOOK || c->kind == CHANNEL_SMTP) && !c->url[0]) node_fail(r, n, "channel %s needs url", c->key);
        if (c->kind == CHANNEL_SMTP && !c->from[0]) node_fail(r, n, "channel %s needs from", c->key);
        if (c->kind == CHANNEL_EXEC && c->program[0] != '/') node_fail(r, n, "channel %s needs program, an absolute path", c->key);
    }
}

void bind_import(struct reader *r, const struct node *root, struct import_profile *out) {
    node_keys(r, root, "import ledger zh en source columns constant");
    *out = (struct import_profile){.key = node_text(r, root, "import", NULL),
                                   .ledger = node_text(r, root, "ledger", NULL),
                                   .zh = node_text(r, root, "zh", NULL),
                                   .en = node_text(r, root, "en", NULL),
                                   .constant = node_text(r, root, "constant", "")};
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "columns");
    out->column = many(r, seq, sizeof *out->column);
    for (const struct node *n = out->column ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "from to as comma scale map drop");
        struct import_column *c = &out->column[out->columns++];
        *c = (struct import_column){node_text(r, n, "from", NULL), node_text(r, n, "to", NULL), node_text(r, n, "as", ""),   node_bool(r, n, "comma", false),
                                    node_fix(r, n, "scale"),       node_text(r, n, "map", ""),  node_text(r, n, "drop", ""), n};
        if (!r->bad && c->as[0] && strcmp(c->as, "address")) node_fail(r, n, "as: \"%s\" is not one of address", c->as);
    }
}

/* ---- over all files ---- */
struct all {
    struct policy *p;
    struct zb_err *e;
    bool bad;
    char *mark;
};
static struct reader reader_of(struct all *a, const struct ledger *l) { return (struct reader){a->p->arena, l->file, a->e, a->bad}; }

static void fields_refer(struct all *a, struct reader *r, struct ledger_field *f, int n) {
    for (int i = 0; i < n && !r->bad; i++) {
        if (f[i].type != LF_REF) continue;
        f[i].to_ledger = policy_ledger(a->p, str_of(f[i].to));
        if (f[i].to_ledger < 0) node_fail(r, f[i].at, "field %s refers to ledger \"%s\", which is not there", f[i].key, f[i].to);
    }
}

/* list_day and list_of: which items of a list a record may take depends on other fields of it. */
static void lists_refer(struct all *a, struct reader *r, struct ledger *l) {
    for (int i = 0; i < l->fields && !r->bad; i++) {
        struct ledger_field *f = &l->field[i];
        struct str kind, ref = str_cut(str_of(f->list_of), '.', &kind);
        bool any = !strcmp(f->list_day, "any");
        if (f->list_day[0] && !any) f->day_field = lfield_find(l->field, l->fields, str_of(f->list_day));
        if (f->list_day[0] && !any && (f->day_field < 0 || l->field[f->day_field].type != LF_DAY || l->field[f->day_field].derive[0] || !f->list))
            node_fail(r, f->at, "list_day: \"%s\" is not a stored date of %s", f->list_day, l->key);
        if (!f->list_of[0] || r->bad) continue;
        f->of_ref = lfield_find(l->field, l->fields, ref);
        const struct ledger *to = f->of_ref >= 0 && l->field[f->of_ref].type == LF_REF ? &a->p->ledger[l->field[f->of_ref].to_ledger] : NULL;
        if (to) f->of_field = lfield_find(to->field, to->fields, kind);
        if (f->of_field < 0 || to->field[f->of_field].type != LF_ENUM || to->field[f->of_field].derive[0])
            node_fail(r, f->at, "list_of: \"%s\" is not a reference of %s and an enum of what it points at, such as site.kind", f->list_of, l->key);
    }
}

static bool may_act(const struct ledger *to, int act, const char *roles, struct str *lacks) {
    struct str rest = str_of(roles);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        if (!w.n) continue;
        bool can = false;
        if (act >= 0) can = word_in(to->act[act].roles, w);
        for (int i = 0; act < 0 && i < to->accesses; i++) can |= to->access[i].create && word_in(to->access[i].roles, w);
        if (!can && !str_is(w, "auto")) {
            *lacks = w;
            return false;
        }
    }
    return true;
}

/* Who makes records of l, or does this act. */
static void effect_check(struct all *a, struct reader *r, const struct ledger *l, const struct ledger_act *act, struct ledger_effect *f) {
    f->to_ledger = policy_ledger(a->p, str_of(f->ledger));
    if (f->to_ledger < 0) {
        node_fail(r, f->at, "effect on ledger \"%s\", which is not there", f->ledger);
        return;
    }
    const struct ledger *to = &a->p->ledger[f->to_ledger];
    f->to_act = strcmp(f->act, "new") ? lact_find(to, str_of(f->act)) : -1;
    if (strcmp(f->act, "new") && f->to_act < 0) node_fail(r, f->at, "effect: %s has no act \"%s\"", to->key, f->act);
    if (to->view[0]) node_fail(r, f->at, "effect: %s is read only", to->key);
    for (int i = 0; i < f->sets && !r->bad; i++) {
        int k = lfield_find(to->field, to->fields, str_of(f->set[i].field));
        if (k < 0 || to->field[k].derive[0]) node_fail(r, f->set[i].at, "set: \"%s\" is not a stored field of %s", f->set[i].field, to->key);
    }
    struct str lacks;
    for (int i = 0; i < (act ? 1 : l->accesses) && !r->bad; i++)
        if ((act || l->access[i].create) && !may_act(to, f->to_act, act ? act->roles : l->access[i].roles, &lacks))
            node_fail(r, f->at, "effect: the role " STR_FMT " may do %s here, but has no right to do %s on %s", STR_ARG(lacks), act ? act->key : "new", f->act,
                      to->key);
}

/* Depth first over acts, and over the making of records; mark: 1 on the way, 2 done. */
#define NEW 64
static void cycle_walk(struct all *a, int l, int act) {
    const struct ledger *x = &a->p->ledger[l];
    char *m = &a->mark[l * (NEW + 1) + act];
    const struct ledger_effect *f = act == NEW ? x->effect : x->act[act].effect;
    int n = act == NEW ? x->effects : x->act[act].effects;
    if (a->bad || *m == 2) return;
    *m = 1;
    for (int i = 0; i < n && !a->bad; i++) {
        int to = f[i].to_act < 0 ? NEW : f[i].to_act;
        if (a->mark[f[i].to_ledger * (NEW + 1) + to] == 1) {
            struct reader r = reader_of(a, x);
            node_fail(&r, f[i].at, "effects go in a circle: %s.%s comes back to %s.%s", x->key, act == NEW ? "new" : x->act[act].key, f[i].ledger, f[i].act);
            a->bad = true;
            return;
        }
        cycle_walk(a, f[i].to_ledger, to);
    }
    *m = 2;
}

static void ledger_check(struct all *a, struct ledger *l) {
    struct reader r = reader_of(a, l);
    fields_refer(a, &r, l->field, l->fields);
    for (int i = 0; i < l->subs; i++) fields_refer(a, &r, l->sub[i].field, l->sub[i].fields);
    for (struct str w, rest = str_of(l->scope); rest.p && rest.n && !r.bad;) {
        w = str_cut(rest, ' ', &rest);
        int s = lfield_find(l->field, l->fields, w);
        if (s >= 0 && l->field[s].type != LF_REGION && l->field[s].type != LF_REF)
            node_fail(&r, l->field[s].at, "scope " STR_FMT " must be a region or a reference", STR_ARG(w));
    }
    lists_refer(a, &r, l);
    for (int i = 0; i < l->acts; i++)
        for (int k = 0; k < l->act[i].effects && !r.bad; k++) effect_check(a, &r, l, &l->act[i], &l->act[i].effect[k]);
    for (int k = 0; k < l->effects && !r.bad; k++) effect_check(a, &r, l, NULL, &l->effect[k]);
    a->bad |= r.bad;
}

static void import_check(struct all *a, struct import_profile *im) {
    im->to_ledger = policy_ledger(a->p, str_of(im->ledger));
    struct reader r = {a->p->arena, "imports", a->e, a->bad};
    if (im->to_ledger < 0) node_fail(&r, NULL, "import %s: ledger \"%s\" is not there", im->key, im->ledger);
    const struct ledger *l = r.bad ? NULL : &a->p->ledger[im->to_ledger];
    for (int i = 0; l && i < im->columns && !r.bad; i++) {
        int k = lfield_find(l->field, l->fields, str_of(im->column[i].to));
        if (strcmp(im->column[i].to, "state") && (k < 0 || l->field[k].derive[0]))
            node_fail(&r, im->column[i].at, "import %s: \"%s\" is not a stored field of %s", im->key, im->column[i].to, l->key);
    }
    a->bad |= r.bad;
}

void bind_all(struct zb_err *e, struct policy *p, bool *bad) {
    struct all a = {p, e, false, xcalloc((size_t)p->ledgers + 1, NEW + 1)};
    for (int i = 0; i < p->ledgers && !a.bad; i++) ledger_check(&a, &p->ledger[i]);
    for (int i = 0; i < p->ledgers && !a.bad; i++)
        for (int k = 0; k <= p->ledger[i].acts && !a.bad; k++) cycle_walk(&a, i, k < p->ledger[i].acts ? k : NEW);
    for (int i = 0; i < p->imports && !a.bad; i++) import_check(&a, &p->import[i]);
    p->site.at = policy_ledger(p, str_of(p->site.ledger));
    struct reader r = {p->arena, "sites.yaml", e, a.bad};
    if (!a.bad && p->site.at < 0) node_fail(&r, NULL, "ledger %s is not there", p->site.ledger);
    const char *names[] = {p->site.code, p->site.level, p->site.name, p->site.gas};
    for (int i = 0; i < 4 && !r.bad; i++)
        if (lfield_find(p->ledger[p->site.at].field, p->ledger[p->site.at].fields, str_of(names[i])) < 0)
            node_fail(&r, NULL, "%s is not a field of %s", names[i], p->site.ledger);
    detect_complete(&r, p);
    *bad = a.bad || r.bad;
    if (!*bad) indicators_all(e, p, bad);
    if (!*bad) rules_all(e, p, bad);
    if (!*bad) screens_all(e, p, bad);
    if (!*bad) links_check(e, p, bad);
    if (!*bad) storage_check(e, p, bad);
    free(a.mark);
}

int policy_ledger(const struct policy *p, struct str key) {
    for (int i = 0; i < p->ledgers; i++)
        if (str_is(key, p->ledger[i].key) || (p->ledger[i].id[0] && str_is(key, p->ledger[i].id))) return i;
    return -1;
}

/* A name without its kind (县 区 市 at the end), at least two letters of three bytes. */
static struct str stem_of(const char *name) {
    static const char *const END[] = {"县", "区", "市"};
    struct str s = str_of(name);
    for (int i = 0; i < 3; i++)
        if (s.n > 6 && !memcmp(s.p + s.n - 3, END[i], 3)) return (struct str){s.p, s.n - 3};
    return (struct str){NULL, 0};
}

static const char *found(struct str hay, struct str needle) { return needle.n ? memmem(hay.p, hay.n, needle.p, needle.n) : NULL; }

static const char *found_any(struct str hay, const struct region *g) {
    const char *at = found(hay, str_of(g->name));
    struct str rest = str_of(g->also);
    while (!at && rest.p && rest.n) at = found(hay, str_cut(rest, '|', &rest));
    return at;
}

const struct region *policy_region_of(const struct policy *p, struct str address) {
    const struct region *city = NULL, *best = NULL;
    const char *where = NULL;
    if (!address.n) return NULL;
    for (int i = 0; i < p->regions; i++) {
        const struct region *g = &p->region[i];
        bool is_city = !strcmp(g->code + 4, "00") && strcmp(g->code + 2, "0000");
        if (is_city && (found_any(address, g) || found(address, stem_of(g->name)))) city = g;
    }
    for (int pass = 0; pass < 3 && !best; pass++) /* full names in the city, names without 县 区 市 there, full names anywhere */
        for (int i = 0; i < p->regions; i++) {
            const struct region *g = &p->region[i];
            if (!strcmp(g->code + 4, "00") || (pass < 2 && city && strncmp(city->code, g->code, 4))) continue;
            const char *at = pass == 1 ? found(address, stem_of(g->name)) : found_any(address, g);
            if (at && (!where || at < where)) {
                best = g;
                where = at;
            }
        }
    return best ? best : city;
}
