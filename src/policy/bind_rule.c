/* Files of rules and insights: trees to structs, `:name` to numbered parameters. */
#include "policy/bind.h"
#include <ctype.h>

const char *const RULE_ACTION_KEY[] = {
#define X(id, key) key,
    RULE_ACTIONS(X)
#undef X
};

const char *const FOLLOW_VALUE_KEY[] = {
#define X(id, key) key,
    FOLLOW_VALUES(X)
#undef X
};

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}

/* ---- parameters ---- */
static struct rule_value value_of(struct reader *r, const struct node *n) {
    struct rule_value v = {.kind = RULE_TEXT, .s = n->text};
    int32_t day;
    if (n->kind != NODE_SCALAR) {
        node_fail(r, n, "a number, a day or a word is expected");
    } else if (!n->quoted && num_i64(str_of(n->text), INT64_MIN, INT64_MAX, &v.i)) {
        v.kind = RULE_INT;
    } else if (!n->quoted && zb_day_parse(str_of(n->text), &day)) {
        v.kind = RULE_INT;
        v.i = day;
    } else if (!n->quoted && num_double(str_of(n->text), &v.r)) {
        v.kind = RULE_REAL;
    }
    return v;
}

static void param_bind(struct reader *r, const struct node *n, struct rule_param *p, int first) {
    node_keys(r, n, "value unit note source");
    const struct node *v = r->bad ? NULL : node_get(n, "value");
    if (!r->bad && !v) node_fail(r, n, "key value is missing");
    if (r->bad) return;
    *p = (struct rule_param){.key = n->key, .unit = node_text(r, n, "unit", ""), .first = first, .at = n};
    p->note = node_text(r, n, node_get(n, "source") ? "source" : "note", NULL);
    if (v->kind == NODE_SEQ && !v->n) node_fail(r, v, "%s: an empty list", n->key);
    p->value = many(r, v, sizeof *p->value);
    if (!p->value) return;
    if (v->kind != NODE_SEQ) p->value[p->values++] = value_of(r, v);
    for (const struct node *m = v->kind == NODE_SEQ ? v->child : NULL; m && !r->bad; m = m->next) p->value[p->values++] = value_of(r, m);
}

static int params_bind(struct reader *r, const struct node *map, struct rule *u) {
    const struct node *seq = r->bad ? NULL : node_get(map, "params");
    int first = 2;
    if (seq && seq->kind != NODE_MAP) node_fail(r, seq, "params is a map of names");
    u->param = many(r, seq, sizeof *u->param);
    for (const struct node *n = u->param ? seq->child : NULL; n && !r->bad; n = n->next) {
        param_bind(r, n, &u->param[u->params], first);
        first += u->param[u->params].values;
        if (first > 200) node_fail(r, n, "more than 200 values");
        u->params++;
    }
    return first;
}

static void param_put(struct reader *r, struct rule *u, struct rule_sql *q, struct str name, struct buf *out) {
    for (int i = 0; i < u->params; i++) {
        struct rule_param *p = &u->param[i];
        if (!str_is(name, p->key)) continue;
        for (int k = 0; k < p->values; k++) buf_printf(out, "%s?%d", k ? "," : "", p->first + k);
        if (p->first + p->values - 1 > q->top) q->top = p->first + p->values - 1;
        p->used = true;
        return;
    }
    node_fail(r, q->at, ":" STR_FMT " is no parameter: name it under params", STR_ARG(name));
}

static bool word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* `:name` outside quotes becomes its number; a parameter written by the author himself would be somebody else's. */
static void sql_bind(struct reader *r, const struct node *map, const char *key, bool required, struct rule *u, struct rule_sql *q) {
    const char *text = node_text(r, map, key, required ? NULL : "");
    *q = (struct rule_sql){.at = r->bad ? NULL : node_get(map, key)};
    if (r->bad || !text[0]) return;
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    for (const char *p = text; *p && !r->bad;) {
        const char *start = p;
        if (*p == '\'' || *p == '"') {
            for (p++; *p && *p != *start; p++) {}
            p += *p != 0;
        } else if (*p == '?' || *p == ';') {
            node_fail(r, q->at, "%s: '%c' has no place here: a value is a parameter, written :name", key, *p);
        } else if (*p == ':' && word(p[1])) {
            for (p++; word(*p); p++) {}
            param_put(r, u, q, (struct str){start + 1, (size_t)(p - start - 1)}, &b);
            continue;
        } else {
            p++;
        }
        buf_put(&b, start, (size_t)(p - start));
    }
    if (!r->bad && b.over) node_fail(r, q->at, "%s is too long", key);
    if (!r->bad) q->text = arena_str(r->a, buf_str(&b));
}

static void suppress_bind(struct reader *r, const struct node *map, struct rule *u) {
    const struct node *seq = !r->bad && node_get(map, "suppress") ? node_seq(r, map, "suppress") : NULL;
    u->suppress = many(r, seq, sizeof *u->suppress);
    for (const struct node *n = u->suppress ? seq->child : NULL; n && !r->bad; n = n->next) {
        struct rule_suppress *s = &u->suppress[u->suppresses++];
        node_keys(r, n, "when zh en");
        sql_bind(r, n, "when", true, u, &s->when);
        s->zh = node_text(r, n, "zh", NULL);
        s->en = node_text(r, n, "en", NULL);
    }
}

static void missing_bind(struct reader *r, const struct node *map, struct rule *u) {
    const struct node *n = r->bad ? NULL : node_get(map, "missing");
    if (!n) return;
    node_keys(r, n, "sql zh en");
    sql_bind(r, n, "sql", true, u, &u->missing);
    u->missing_zh = node_text(r, n, "zh", NULL);
    u->missing_en = node_text(r, n, "en", NULL);
}

static void say_bind(struct reader *r, const struct node *map, struct rule *u) {
    const struct node *n = r->bad ? NULL : node_get(map, "say");
    if (!n && !r->bad) node_fail(r, map, "key say is missing: {zh: …, en: …}, the reason in words");
    if (r->bad) return;
    node_keys(r, n, "zh en");
    u->say_zh = node_text(r, n, "zh", NULL);
    u->say_en = node_text(r, n, "en", NULL);
}

static void rule_bind(struct reader *r, const struct node *n, const char *source, bool insight, struct rule *u) {
    node_keys(r, n, "id zh en serves ledgers source alarms detectors subject action means to score shadow params sql say suppress missing");
    *u = (struct rule){.id = node_text(r, n, "id", NULL),
                       .zh = node_text(r, n, "zh", NULL),
                       .en = node_text(r, n, "en", NULL),
                       .serves = node_text(r, n, "serves", NULL),
                       .ledgers = node_text(r, n, "ledgers", ""),
                       .source = node_text(r, n, "source", source),
                       .alarms = node_text(r, n, "alarms", ""),
                       .detectors = node_text(r, n, "detectors", ""),
                       .file = r->file,
                       .insight = insight,
                       .at = n};
    if (r->bad || u->alarms[0] || u->detectors[0]) {
        if (!r->bad && node_get(n, "sql")) node_fail(r, n, "%s: either sql, or alarms and detectors", u->id);
        return;
    }
    u->subject = node_text(r, n, "subject", "");
    u->action = (enum rule_action)node_choice(r, n, "action", RULE_ACTION_KEY, RULE_ACTIONS_N);
    u->means = node_text(r, n, "means", "");
    u->to = node_text(r, n, "to", NULL);
    u->score = (int)node_int(r, n, "score", 50, 0, 100);
    u->shadow = node_bool(r, n, "shadow", false);
    params_bind(r, n, u);
    sql_bind(r, n, "sql", true, u, &u->hit);
    say_bind(r, n, u);
    suppress_bind(r, n, u);
    missing_bind(r, n, u);
    for (int i = 0; i < u->params && !r->bad; i++)
        if (!u->param[i].used) node_fail(r, u->param[i].at, "parameter %s is not used", u->param[i].key);
}

void bind_rules(struct reader *r, const struct node *root, bool insight, struct rule_file *out) {
    node_keys(r, root, "source rules");
    const char *source = node_text(r, root, "source", NULL);
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "rules");
    out->rule = many(r, seq, sizeof *out->rule);
    for (const struct node *n = out->rule ? seq->child : NULL; n && !r->bad; n = n->next) rule_bind(r, n, source, insight, &out->rule[out->rules++]);
}

/* ---- follow.yaml ---- */
static void follow_bind(struct reader *r, const struct node *root, const char *key, struct follow *f) {
    const struct node *n = r->bad ? NULL : node_get(root, key);
    if (!n && !r->bad) node_fail(r, root, "key %s is missing", key);
    if (r->bad) return;
    node_keys(r, n, "ledger per_run means usual set");
    *f = (struct follow){.ledger = node_text(r, n, "ledger", NULL),
                         .means = node_text(r, n, "means", ""),
                         .usual = node_text(r, n, "usual", ""),
                         .per_run = (int)node_int(r, n, "per_run", INT64_MIN, 1, 100000),
                         .to_ledger = -1,
                         .at = n};
    const struct node *set = r->bad ? NULL : node_get(n, "set");
    if (!r->bad && (!set || set->kind != NODE_MAP)) node_fail(r, n, "set: {field: value} is missing");
    f->set = many(r, set, sizeof *f->set);
    for (const struct node *m = f->set ? set->child : NULL; m && !r->bad; m = m->next)
        f->set[f->sets++] = (struct follow_set){m->key, (enum follow_value)node_choice(r, set, m->key, FOLLOW_VALUE_KEY, FOLLOW_VALUES_N), m};
}

void bind_follow(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source told clue measure");
    p->follow.file = r->file;
    p->follow.told = (int)node_int(r, root, "told", INT64_MIN, 1, 50);
    follow_bind(r, root, "clue", &p->follow.clue);
    follow_bind(r, root, "measure", &p->follow.measure);
}

static void follow_check(struct reader *r, const struct policy *p, struct follow *f) {
    f->to_ledger = policy_ledger(p, str_of(f->ledger));
    if (f->to_ledger < 0) {
        node_fail(r, f->at, "ledger \"%s\" is not there", f->ledger);
        return;
    }
    const struct ledger *l = &p->ledger[f->to_ledger];
    for (int i = 0; i < f->sets && !r->bad; i++)
        if (lfield_find(l->field, l->fields, str_of(f->set[i].field)) < 0) node_fail(r, f->set[i].at, "%s is not a field of %s", f->set[i].field, l->key);
}

/* ---- over all files ---- */
static void words_check(struct reader *r, const struct policy *p, const struct rule *u) {
    const char *const names[] = {u->ledgers, u->subject};
    for (int k = 0; k < 2; k++) {
        struct str rest = str_of(names[k]);
        while (rest.p && rest.n && !r->bad) {
            struct str w = str_cut(rest, ' ', &rest);
            if (w.n && policy_ledger(p, w) < 0) node_fail(r, u->at, "%s: ledger \"" STR_FMT "\" is not there", u->id, STR_ARG(w));
        }
    }
    struct str rest = str_of(u->to);
    while (rest.p && rest.n && !r->bad) {
        struct str w = str_cut(rest, ' ', &rest);
        if (w.n && !policy_role(p, w)) node_fail(r, u->at, "%s: to: \"" STR_FMT "\" is not a role", u->id, STR_ARG(w));
    }
}

/* Alarms and detectors a rule over streams names are there, and a detector stands under the rule it names itself. */
static void stream_check(struct reader *r, const struct policy *p, const struct rule *u) {
    struct str rest = str_of(u->alarms);
    while (rest.p && rest.n && !r->bad) {
        struct str w = str_cut(rest, ' ', &rest);
        int k = 0;
        while (k < ALARM_KINDS_N && !str_is(w, ALARM_KIND_KEY[k])) k++;
        if (w.n && k == ALARM_KINDS_N) node_fail(r, u->at, "%s: alarms: there is no kind \"" STR_FMT "\"", u->id, STR_ARG(w));
    }
    rest = str_of(u->detectors);
    while (rest.p && rest.n && !r->bad) {
        struct str w = str_cut(rest, ' ', &rest);
        int k = 0;
        while (k < DETECTORS_N && !(p->detect.who[k].key && str_is(w, p->detect.who[k].key))) k++;
        if (w.n && k == DETECTORS_N) node_fail(r, u->at, "%s: there is no detector \"" STR_FMT "\"", u->id, STR_ARG(w));
    }
}

static void detectors_check(struct reader *r, const struct policy *p) {
    for (int k = 0; k < DETECTORS_N && !r->bad; k++) {
        const struct detector *d = &p->detect.who[k];
        const struct rule *u = d->key ? policy_rule(p, str_of(d->rule)) : NULL;
        if (!d->key || (u && (!u->detectors[0] || word_in(u->detectors, str_of(d->key))))) continue;
        r->file = u ? u->file : r->file;
        if (u)
            node_fail(r, u->at, "%s: detector %s says it serves this rule: name it under detectors", u->id, d->key);
        else
            zb_fail(r->e, ZB_E_INPUT, "%s/rules: detector %s serves rule %s, which is not there", p->dir, d->key, d->rule), r->bad = true;
    }
}

void rules_all(struct zb_err *e, struct policy *p, bool *bad) {
    const struct rule_file *set[] = {p->rule_file, p->insight_file};
    const int n[] = {p->rule_files, p->insight_files};
    struct reader f = {p->arena, p->follow.file, e, *bad};
    follow_check(&f, p, &p->follow.clue);
    if (!f.bad) follow_check(&f, p, &p->follow.measure);
    *bad |= f.bad;
    int count = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n[k]; i++) count += set[k][i].rules;
    p->rule = arena_alloc(p->arena, (size_t)(count + 1) * sizeof *p->rule);
    if (!p->rule) {
        zb_fail(e, ZB_E_LIMIT, "%s: too much for one policy", p->dir);
        *bad = true;
        return;
    }
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n[k]; i++)
            for (int j = 0; j < set[k][i].rules; j++) {
                const struct rule *u = &set[k][i].rule[j];
                struct reader r = {p->arena, u->file, e, *bad};
                for (int m = 0; m < p->rules && !r.bad; m++)
                    if (!strcmp(p->rule[m]->id, u->id)) node_fail(&r, u->at, "%s is there twice: %s:%d", u->id, p->rule[m]->file, p->rule[m]->at->line);
                if (u->hit.text) words_check(&r, p, u);
                stream_check(&r, p, u);
                *bad |= r.bad;
                p->rule[p->rules++] = u;
            }
    struct reader r = {p->arena, p->follow.file, e, *bad};
    detectors_check(&r, p);
    *bad |= r.bad;
}

const struct rule *policy_rule(const struct policy *p, struct str id) {
    for (int i = 0; i < p->rules; i++)
        if (str_is(id, p->rule[i]->id)) return p->rule[i];
    return NULL;
}
