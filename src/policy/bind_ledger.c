/* The files of ledgers and lists: trees to structs, then what one file cannot know is checked over all. */
#include "policy/bind.h"
#include <stdio.h>

const char *const LFIELD_TYPE_KEY[] = {
#define X(id, key) key,
    LFIELD_TYPES(X)
#undef X
};

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}

static const struct node *maybe_seq(struct reader *r, const struct node *map, const char *key) {
    return !r->bad && node_get(map, key) ? node_seq(r, map, key) : NULL;
}

bool word_in(const char *words, struct str w) {
    struct str rest = str_of(words);
    while (rest.p && w.n) {
        struct str one = str_cut(rest, ' ', &rest);
        if (str_eq(one, w)) return true;
    }
    return false;
}
int lfield_find(const struct ledger_field *f, int n, struct str key) {
    for (int i = 0; i < n; i++)
        if (str_is(key, f[i].key)) return i;
    return -1;
}
int lstate_find(const struct ledger *l, struct str key) {
    for (int i = 0; i < l->states; i++)
        if (str_is(key, l->state[i].key)) return i;
    return -1;
}
int lact_find(const struct ledger *l, struct str key) {
    for (int i = 0; i < l->acts; i++)
        if (str_is(key, l->act[i].key)) return i;
    return -1;
}
static const char *name_check(struct reader *r, const struct node *n, const char *key) {
    if (r->bad) return "";
    size_t len = strlen(key);
    bool good = len > 0 && len <= 40 && key[0] >= 'a' && key[0] <= 'z';
    for (size_t i = 0; i < len; i++) good &= (key[i] >= 'a' && key[i] <= 'z') || (key[i] >= '0' && key[i] <= '9') || key[i] == '_';
    if (!good) node_fail(r, n, "key \"%s\": small letters, digits and _, beginning with a letter, at most 40", key);
    return key;
}

/* ---- fields ---- */
static void field_enum(struct reader *r, const struct node *n, const struct policy *p, struct ledger_field *f) {
    const struct node *of = maybe_seq(r, n, "of");
    const char *name = node_text(r, n, "list", "");
    if (r->bad) return;
    if (of) {
        f->list = list_inline(r, of, f->key);
        return;
    }
    for (int i = 0; i < p->lists; i++)
        if (!strcmp(p->list[i].key, name)) f->list = &p->list[i];
    if (!f->list) node_fail(r, n, "enum %s needs its members under `of`, or `list: NAME` of a file in lists/ (\"%s\" is none)", f->key, name);
}

static const char RESERVED[] =
    "id no rev state state_at area city mine due due_first overdue created created_by updated updated_by rec since until row act who why known as_from r";

static int fields_bind(struct reader *r, const struct node *seq, const struct policy *p, struct ledger_field **ret, bool sub) {
    struct ledger_field *out = many(r, seq, sizeof *out);
    int k = 0;
    *ret = out;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en unit help_zh help_en type to of list list_day list_of required filter min max derive also");
        struct ledger_field *f = &out[k];
        *f = (struct ledger_field){.key = name_check(r, n, node_text(r, n, "key", NULL)),
                                   .zh = node_text(r, n, "zh", NULL),
                                   .en = node_text(r, n, "en", NULL),
                                   .unit = node_text(r, n, "unit", ""),
                                   .help_zh = node_text(r, n, "help_zh", ""),
                                   .help_en = node_text(r, n, "help_en", ""),
                                   .type = (enum lfield_type)node_choice(r, n, "type", LFIELD_TYPE_KEY, LFIELD_TYPES_N),
                                   .to = node_text(r, n, "to", ""),
                                   .to_ledger = -1,
                                   .list_day = node_text(r, n, "list_day", ""),
                                   .list_of = node_text(r, n, "list_of", ""),
                                   .day_field = -1,
                                   .of_ref = -1,
                                   .of_field = -1,
                                   .required = node_bool(r, n, "required", false),
                                   .filter = node_bool(r, n, "filter", false),
                                   .derive = node_text(r, n, "derive", ""),
                                   .also = node_text(r, n, "also", ""),
                                   .at = n,
                                   .min = ZB_FIX_NONE,
                                   .max = ZB_FIX_NONE};
        if (r->bad) return k;
        if (f->type == LF_TEXT || f->type == LF_SEALED) f->max_bytes = (int)node_int(r, n, "max", 1000, 1, 100000);
        if (f->type == LF_NUM || f->type == LF_INT) {
            f->min = node_fix(r, n, "min");
            f->max = node_fix(r, n, "max");
        }
        if (f->type == LF_ENUM || f->type == LF_SET) field_enum(r, n, p, f);
        if (word_in(RESERVED, str_of(f->key))) node_fail(r, n, "key %s is taken: every record has one", f->key);
        if (lfield_find(out, k, str_of(f->key)) >= 0) node_fail(r, n, "field %s is there twice", f->key);
        if (f->derive[0] && (f->required || f->filter || sub))
            node_fail(r, n, "field %s is derived: it can be neither required nor a filter, nor stand in a sub-table", f->key);
        if (sub && f->type == LF_SEALED) node_fail(r, n, "a sub-table holds no sealed field");
        k++;
    }
    return k;
}

static void subs_bind(struct reader *r, const struct node *root, const struct policy *p, struct ledger *l) {
    const struct node *seq = maybe_seq(r, root, "subs");
    l->sub = many(r, seq, sizeof *l->sub);
    for (const struct node *n = l->sub ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en fields");
        struct ledger_sub *s = &l->sub[l->subs++];
        *s = (struct ledger_sub){.key = name_check(r, n, node_text(r, n, "key", NULL)), .zh = node_text(r, n, "zh", NULL), .en = node_text(r, n, "en", NULL)};
        if (!r->bad) s->fields = fields_bind(r, node_seq(r, n, "fields"), p, &s->field, true);
        if (!r->bad && lfield_find(l->field, l->fields, str_of(s->key)) >= 0) node_fail(r, n, "%s is a field already", s->key);
    }
}

static void states_bind(struct reader *r, const struct node *root, struct ledger *l) {
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "states");
    l->state = many(r, seq, sizeof *l->state);
    for (const struct node *n = l->state ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en open hidden_number");
        if (l->states == 60) node_fail(r, n, "more than 60 states");
        struct ledger_state s = {name_check(r, n, node_text(r, n, "key", NULL)),
                                 node_text(r, n, "zh", NULL),
                                 node_text(r, n, "en", NULL),
                                 node_bool(r, n, "open", false),
                                 node_bool(r, n, "hidden_number", false),
                                 n};
        if (!r->bad && lstate_find(l, str_of(s.key)) >= 0) node_fail(r, n, "state %s is there twice", s.key);
        if (!r->bad) l->state[l->states++] = s;
    }
    if (!r->bad && !l->states) node_fail(r, root, "a ledger has at least one state");
}

/* A list of state names in [ ]; "any" all of them. */
static uint64_t states_mask(struct reader *r, const struct node *map, const char *key, const struct ledger *l) {
    const struct node *seq = maybe_seq(r, map, key);
    uint64_t m = 0;
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        int i = n->kind == NODE_SCALAR ? lstate_find(l, str_of(n->text)) : -1;
        if (n->kind == NODE_SCALAR && !strcmp(n->text, "any"))
            m |= ((uint64_t)1 << l->states) - 1;
        else if (i < 0)
            node_fail(r, n, "%s: \"%s\" is not a state of %s", key, n->kind == NODE_SCALAR ? n->text : "?", l->key);
        else
            m |= (uint64_t)1 << i;
    }
    return m;
}

/* Space-separated names of fields or sub-tables. */
static const char *fields_words(struct reader *r, const struct node *map, const char *key, const struct ledger *l) {
    const char *words = node_text(r, map, key, "");
    struct str rest = str_of(r->bad ? "" : words);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        bool sub = false;
        for (int i = 0; i < l->subs; i++) sub |= str_is(w, l->sub[i].key);
        if (w.n && !sub && lfield_find(l->field, l->fields, w) < 0)
            node_fail(r, node_get(map, key), "%s: \"" STR_FMT "\" is not a field of %s", key, STR_ARG(w), l->key);
    }
    return words;
}

static const char *roles_words(struct reader *r, const struct node *map, const struct policy *p, bool autos) {
    const char *words = node_text(r, map, "roles", NULL);
    struct str rest = str_of(r->bad ? "" : words);
    int n = 0;
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        if (!w.n) continue;
        n++;
        if (!(autos && str_is(w, "auto")) && !policy_role(p, w)) node_fail(r, node_get(map, "roles"), "role \"" STR_FMT "\" is not in roles.yaml", STR_ARG(w));
    }
    if (!r->bad && !n) node_fail(r, map, "roles: nobody may do this");
    return words;
}

static int effects_bind(struct reader *r, const struct node *map, struct ledger_effect **ret) {
    const struct node *seq = maybe_seq(r, map, "effects");
    struct ledger_effect *out = many(r, seq, sizeof *out);
    int k = 0;
    *ret = out;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "ledger act on when set");
        struct ledger_effect *f = &out[k++];
        *f = (struct ledger_effect){.ledger = node_text(r, n, "ledger", NULL),
                                    .act = node_text(r, n, "act", NULL),
                                    .on = node_text(r, n, "on", ""),
                                    .when = node_text(r, n, "when", ""),
                                    .at = n};
        const struct node *set = r->bad ? NULL : node_get(n, "set");
        if (set && set->kind != NODE_MAP) node_fail(r, set, "set: a map of field: SQL");
        f->set = many(r, set, sizeof *f->set);
        for (const struct node *s = f->set && !r->bad ? set->child : NULL; s && !r->bad; s = s->next) {
            if (s->kind != NODE_SCALAR) node_fail(r, s, "set: %s needs SQL", s->key);
            f->set[f->sets++] = (struct ledger_set){s->key, s->text, s};
        }
        if (!r->bad && strcmp(f->act, "new") && !f->on[0]) node_fail(r, n, "an effect other than new needs `on`: SQL that gives the ids");
    }
    return k;
}

static void acts_bind(struct reader *r, const struct node *root, const struct policy *p, struct ledger *l) {
    const struct node *seq = maybe_seq(r, root, "acts");
    l->act = many(r, seq, sizeof *l->act);
    for (const struct node *n = l->act ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en from to roles needs asks not_by guard guard_zh guard_en signed why supervisor officers effects");
        if (l->acts == 64) node_fail(r, n, "more than 64 acts");
        struct ledger_act *a = &l->act[l->acts];
        const char *to = node_text(r, n, "to", "");
        *a = (struct ledger_act){.key = name_check(r, n, node_text(r, n, "key", NULL)),
                                 .zh = node_text(r, n, "zh", NULL),
                                 .en = node_text(r, n, "en", NULL),
                                 .from = states_mask(r, n, "from", l),
                                 .to = -1,
                                 .roles = roles_words(r, n, p, true),
                                 .needs = fields_words(r, n, "needs", l),
                                 .asks = fields_words(r, n, "asks", l),
                                 .not_by = node_text(r, n, "not_by", ""),
                                 .guard = node_text(r, n, "guard", ""),
                                 .guard_zh = node_text(r, n, "guard_zh", ""),
                                 .guard_en = node_text(r, n, "guard_en", ""),
                                 .is_signed = node_bool(r, n, "signed", false),
                                 .why = node_bool(r, n, "why", false),
                                 .supervisor = node_bool(r, n, "supervisor", false),
                                 .officers = (int)node_int(r, n, "officers", 1, 1, 3),
                                 .at = n};
        if (r->bad) return;
        if (!a->from) node_fail(r, n, "act %s: from which states?", a->key);
        if (to[0] && (a->to = lstate_find(l, str_of(to))) < 0) node_fail(r, node_get(n, "to"), "to: \"%s\" is not a state of %s", to, l->key);
        if (a->guard[0] && !(a->guard_zh[0] && a->guard_en[0])) node_fail(r, n, "act %s: a guard needs guard_zh and guard_en, what to tell", a->key);
        if (!strcmp(a->key, "new") || !strcmp(a->key, "edit") || lact_find(l, str_of(a->key)) >= 0) node_fail(r, n, "act %s is there already", a->key);
        a->effects = effects_bind(r, n, &a->effect);
        l->acts++;
    }
    for (int i = 0; i < l->acts && !r->bad; i++) {
        struct str rest = str_of(l->act[i].not_by);
        while (rest.p && rest.n) {
            struct str w = str_cut(rest, ' ', &rest);
            if (w.n && !str_is(w, "new") && lact_find(l, w) < 0) node_fail(r, l->act[i].at, "not_by: \"" STR_FMT "\" is not an act of %s", STR_ARG(w), l->key);
        }
    }
    for (int s = 1; s < l->states && !r->bad; s++) { /* the first is where records begin */
        bool reached = l->start >> s & 1;
        for (int i = 0; i < l->acts; i++) reached |= l->act[i].to == s && l->act[i].from != (uint64_t)1 << s;
        if (!reached) node_fail(r, l->state[s].at, "state %s is dead: no act leads there", l->state[s].key);
    }
}

static void clocks_bind(struct reader *r, const struct node *root, const struct policy *p, struct ledger *l) {
    const struct node *seq = maybe_seq(r, root, "clocks");
    l->clock = many(r, seq, sizeof *l->clock);
    for (const struct node *n = l->clock ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en during due_field after after_field work_days every ladder");
        struct ledger_clock *c = &l->clock[l->clocks++];
        const char *ladder = node_text(r, n, "ladder", "");
        *c = (struct ledger_clock){.key = name_check(r, n, node_text(r, n, "key", NULL)),
                                   .zh = node_text(r, n, "zh", NULL),
                                   .en = node_text(r, n, "en", NULL),
                                   .during = states_mask(r, n, "during", l),
                                   .field = fields_words(r, n, "due_field", l),
                                   .after = node_duration(r, n, "after", 0),
                                   .from_field = fields_words(r, n, "after_field", l),
                                   .work_days = (int)node_int(r, n, "work_days", 0, 1, 400),
                                   .every = node_bool(r, n, "every", false),
                                   .at = n};
        if (r->bad) return;
        if (!c->during) node_fail(r, n, "clock %s: during which states?", c->key);
        if (!!c->field[0] + (c->after > 0) + (c->work_days > 0) != 1) node_fail(r, n, "clock %s: one of due_field, after, work_days", c->key);
        const char *names[] = {c->field, c->from_field};
        for (int k = 0; k < 2; k++) {
            int i = names[k][0] ? lfield_find(l->field, l->fields, str_of(names[k])) : -1;
            if (names[k][0] && (i < 0 || (l->field[i].type != LF_DAY && l->field[i].type != LF_TIME) || l->field[i].derive[0]))
                node_fail(r, n, "clock %s: %s is not a stored date or time", c->key, names[k]);
        }
        if (c->every && c->field[0]) node_fail(r, n, "clock %s: each period needs after or work_days", c->key);
        for (int i = 0; i < p->ladders; i++)
            if (!strcmp(p->ladder[i].key, ladder)) c->ladder = &p->ladder[i];
        if (!r->bad && !c->ladder) node_fail(r, n, "clock %s: \"%s\" is not a ladder of ladder.yaml", c->key, ladder);
        for (int i = 0; i < (c->ladder ? c->ladder->steps : 0) && !r->bad; i++) {
            const struct ladder_step *st = &c->ladder->step[i];
            int a = st->kind == STEP_ACT ? lact_find(l, str_of(st->act)) : 0;
            if (a < 0 || (st->kind == STEP_ACT && !word_in(l->act[a].roles, STR("auto"))))
                node_fail(r, n, "clock %s: ladder %s does act %s, which is not an act with roles auto here", c->key, c->ladder->key, st->act);
        }
    }
}

/* `hide` as it stands, or all fields and sub-tables but those of `only`. */
static const char *hide_words(struct reader *r, const struct node *map, const struct ledger *l) {
    const char *hide = fields_words(r, map, "hide", l), *only = fields_words(r, map, "only", l);
    if (r->bad || !only[0]) return hide;
    if (hide[0]) node_fail(r, map, "hide or only, not both");
    for (int i = 0; i < l->fields + l->subs; i++) {
        const char *key = i < l->fields ? l->field[i].key : l->sub[i - l->fields].key;
        if (!word_in(only, str_of(key))) hide = arena_printf(r->a, "%s%s%s", hide, hide[0] ? " " : "", key);
    }
    return hide;
}

static void access_bind(struct reader *r, const struct node *root, const struct policy *p, struct ledger *l) {
    static const char *const SEE[] = {"none", "own", "area", "linked"};
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "access");
    l->access = many(r, seq, sizeof *l->access);
    for (const struct node *n = l->access ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "roles see new import edit not_states hide only where unseal");
        l->access[l->accesses++] = (struct ledger_access){.roles = roles_words(r, n, p, false),
                                                          .see = (enum see_kind)node_choice(r, n, "see", SEE, 4),
                                                          .create = node_bool(r, n, "new", false),
                                                          .import = node_bool(r, n, "import", false),
                                                          .unseal = node_bool(r, n, "unseal", false),
                                                          .edit = states_mask(r, n, "edit", l),
                                                          .not_states = states_mask(r, n, "not_states", l),
                                                          .hide = hide_words(r, n, l),
                                                          .where = node_text(r, n, "where", ""),
                                                          .at = n};
    }
}

void bind_ledger(struct reader *r, const struct node *root, const struct policy *p, struct ledger *l) {
    node_keys(
        r, root,
        "ledger id zh en source master title scope mine number unique search columns view start log_reads fields subs states effects guard guard_zh guard_en "
        "acts clocks access");
    *l = (struct ledger){.key = name_check(r, root, node_text(r, root, "ledger", NULL)),
                         .id = node_text(r, root, "id", ""),
                         .zh = node_text(r, root, "zh", NULL),
                         .en = node_text(r, root, "en", NULL),
                         .source = node_text(r, root, "source", NULL),
                         .master = node_text(r, root, "master", "master"),
                         .number = node_text(r, root, "number", ""),
                         .view = node_text(r, root, "view", ""),
                         .log_reads = node_bool(r, root, "log_reads", false),
                         .guard = node_text(r, root, "guard", ""),
                         .guard_zh = node_text(r, root, "guard_zh", ""),
                         .guard_en = node_text(r, root, "guard_en", ""),
                         .file = r->file,
                         .at = root};
    if (!r->bad) l->fields = fields_bind(r, node_seq(r, root, "fields"), p, &l->field, false);
    subs_bind(r, root, p, l);
    states_bind(r, root, l);
    l->start = l->view[0] ? UINT64_MAX : r->bad || !node_get(root, "start") ? 1 : states_mask(r, root, "start", l);
    l->effects = effects_bind(r, root, &l->effect);
    acts_bind(r, root, p, l);
    clocks_bind(r, root, p, l);
    access_bind(r, root, p, l);
    l->title = fields_words(r, root, "title", l);
    l->scope = fields_words(r, root, "scope", l);
    l->mine = fields_words(r, root, "mine", l);
    l->unique = fields_words(r, root, "unique", l);
    l->search = fields_words(r, root, "search", l);
    l->columns = fields_words(r, root, "columns", l);
    if (!r->bad && l->guard[0] && !(l->guard_zh[0] && l->guard_en[0])) node_fail(r, root, "a guard needs guard_zh and guard_en, what to tell");
    if (!r->bad && (!l->title[0] || (!l->scope[0] && !l->view[0]))) node_fail(r, root, "title and scope: which field names a record, which gives its area");
    if (!r->bad && l->view[0] && (l->acts || l->clocks || l->subs)) node_fail(r, root, "a ledger over a view is read only: no acts, clocks or sub-tables");
}
