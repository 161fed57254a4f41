/* screens.yaml and statistics.yaml: trees to structs, then what they say about ledgers and roles. */
#include "policy/bind.h"

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}

/* What a browser draws: nothing but what an outline needs. */
static bool drawn(const char *s, const char *allowed) { return s[0] && s[strspn(s, allowed)] == 0; }

void bind_basemap(struct reader *r, const struct node *root, struct policy *p) {
    struct basemap *m = &p->basemap;
    node_keys(r, root, "source approval view areas");
    m->source = node_text(r, root, "source", NULL);
    m->approval = node_text(r, root, "approval", "");
    m->view = node_text(r, root, "view", "0 0 1000 1000");
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "areas");
    m->outline = many(r, seq, sizeof *m->outline);
    if (!r->bad && seq->n && !m->approval[0]) node_fail(r, root, "approval: a map with outlines shows its approval number (审图号)");
    if (!r->bad && !drawn(m->view, "0123456789. -")) node_fail(r, root, "view: \"%.60s\" is not four numbers such as 0 0 1000 1400", m->view);
    for (const struct node *n = m->outline ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "area path");
        struct outline *o = &m->outline[m->outlines++];
        *o = (struct outline){node_text(r, n, "area", NULL), node_text(r, n, "path", NULL)};
        if (!r->bad && !policy_region(p, str_of(o->area))) node_fail(r, n, "area: \"%.20s\" is not a division of regions.yaml", o->area);
        if (!r->bad && !drawn(o->path, "MmLlHhVvCcSsQqTtAaZz0123456789.,+-e \n"))
            node_fail(r, n, "path of %s: only commands of an SVG path and numbers are taken", o->area);
        for (int i = 0; i + 1 < m->outlines && !r->bad; i++)
            if (!strcmp(m->outline[i].area, o->area)) node_fail(r, n, "area %s is there twice", o->area);
    }
}

void bind_screens(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source groups screens");
    node_text(r, root, "source", NULL);
    const struct node *groups = r->bad ? NULL : node_seq(r, root, "groups"), *seq = r->bad ? NULL : node_seq(r, root, "screens");
    p->screen_group = many(r, groups, sizeof *p->screen_group);
    for (const struct node *n = p->screen_group ? groups->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en");
        p->screen_group[p->screen_groups++] = (struct screen_group){node_text(r, n, "key", NULL), node_text(r, n, "zh", NULL), node_text(r, n, "en", NULL)};
    }
    p->screen = many(r, seq, sizeof *p->screen);
    for (const struct node *n = p->screen ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en help_zh help_en group ledger where sort roles");
        struct screen *s = &p->screen[p->screens];
        bool known = false;
        *s = (struct screen){.key = node_text(r, n, "key", NULL),
                             .zh = node_text(r, n, "zh", NULL),
                             .en = node_text(r, n, "en", NULL),
                             .help_zh = node_text(r, n, "help_zh", ""),
                             .help_en = node_text(r, n, "help_en", ""),
                             .group = node_text(r, n, "group", NULL),
                             .ledger = node_text(r, n, "ledger", NULL),
                             .where = node_text(r, n, "where", ""),
                             .sort = node_text(r, n, "sort", ""),
                             .roles = node_text(r, n, "roles", ""),
                             .of_ledger = -1,
                             .at = n};
        for (int i = 0; i < p->screen_groups && !r->bad; i++) known |= !strcmp(p->screen_group[i].key, s->group);
        if (!r->bad && !known) node_fail(r, n, "screen %s: group \"%s\" is not one of groups", s->key, s->group);
        for (int i = 0; i < p->screens && !r->bad; i++)
            if (!strcmp(p->screen[i].key, s->key)) node_fail(r, n, "screen %s is there twice", s->key);
        p->screens++;
    }
}

void bind_statistics(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source statistics");
    const char *source = node_text(r, root, "source", NULL);
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "statistics");
    p->statistic = many(r, seq, sizeof *p->statistic);
    for (const struct node *n = p->statistic ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en note_zh note_en source roles ledger rule columns sql");
        struct statistic *s = &p->statistic[p->statistics];
        *s = (struct statistic){.key = node_text(r, n, "key", NULL),
                                .zh = node_text(r, n, "zh", NULL),
                                .en = node_text(r, n, "en", NULL),
                                .note_zh = node_text(r, n, "note_zh", ""),
                                .note_en = node_text(r, n, "note_en", ""),
                                .source = node_text(r, n, "source", source),
                                .roles = node_text(r, n, "roles", NULL),
                                .ledger = node_text(r, n, "ledger", ""),
                                .rule = node_text(r, n, "rule", ""),
                                .sql = node_text(r, n, "sql", NULL),
                                .of_ledger = -1,
                                .at = n};
        columns_bind(r, r->bad ? NULL : node_seq(r, n, "columns"), true, &s->column, &s->columns);
        for (int i = 0; i < p->statistics && !r->bad; i++)
            if (!strcmp(p->statistic[i].key, s->key)) node_fail(r, n, "statistic %s is there twice", s->key);
        p->statistics++;
    }
}

static void roles_check(struct reader *r, const struct node *at, const struct policy *p, const char *roles) {
    for (struct str w, rest = str_of(roles); rest.p && rest.n && !r->bad;) {
        w = str_cut(rest, ' ', &rest);
        if (w.n && !policy_role(p, w)) node_fail(r, at, "role \"" STR_FMT "\" is not in roles.yaml", STR_ARG(w));
    }
}

/* Names of fields only: what stands behind them is judged when the list is asked. */
static void where_check(struct reader *r, const struct screen *s, const struct ledger *l) {
    for (struct str one, rest = str_of(s->where); rest.p && rest.n && !r->bad;) {
        one = str_trim(str_cut(rest, ';', &rest));
        size_t n = 0;
        while (n < one.n && !strchr("=<>~", one.p[n])) n++;
        struct str key = {one.p, n};
        if (one.n && (n == one.n || (lfield_find(l->field, l->fields, key) < 0 && !word_in("state due overdue area mine no created updated", key))))
            node_fail(r, s->at, "where: \"" STR_FMT "\" does not begin with a field of %s", STR_ARG(one), l->key);
    }
    const char *sort = s->sort[0] == '-' ? s->sort + 1 : s->sort;
    if (sort[0] && lfield_find(l->field, l->fields, str_of(sort)) < 0 && !word_in("due created updated", str_of(sort)))
        node_fail(r, s->at, "sort: \"%s\" is not a field of %s", s->sort, l->key);
}

/* "inspection.level", "case.penalties.target": whose list a column's values are of. */
static void words_find(struct reader *r, const struct node *at, const struct policy *p, struct table_column *c) {
    struct str field, sub = {NULL, 0}, key = str_cut(str_of(c->of), '.', &field);
    int i = policy_ledger(p, key), k = -1;
    const struct ledger *l = i >= 0 ? &p->ledger[i] : NULL;
    const struct ledger_field *f = l ? l->field : NULL;
    int n = l ? l->fields : 0;
    if (field.p && memchr(field.p, '.', field.n)) {
        sub = str_cut(field, '.', &field);
        n = 0;
        for (int s = 0; l && s < l->subs; s++)
            if (str_is(sub, l->sub[s].key)) f = l->sub[s].field, n = l->sub[s].fields;
    }
    if (n) k = lfield_find(f, n, field);
    if (k < 0 || !f[k].list)
        node_fail(r, at, "column %s: of: \"%s\" is not a field with members, such as case.category or case.penalties.target", c->key, c->of);
    else
        c->list = f[k].list;
}

void screens_all(struct zb_err *e, struct policy *p, bool *bad) {
    struct reader r = {p->arena, "screens.yaml", e, *bad};
    for (int i = 0; i < p->screens && !r.bad; i++) {
        struct screen *s = &p->screen[i];
        s->of_ledger = policy_ledger(p, str_of(s->ledger));
        if (s->of_ledger < 0)
            node_fail(&r, s->at, "screen %s: ledger \"%s\" is not there", s->key, s->ledger);
        else
            where_check(&r, s, &p->ledger[s->of_ledger]);
        roles_check(&r, s->at, p, s->roles);
    }
    r.file = "statistics.yaml";
    for (int i = 0; i < p->statistics && !r.bad; i++) {
        struct statistic *s = &p->statistic[i];
        s->of_ledger = s->ledger[0] ? policy_ledger(p, str_of(s->ledger)) : -1;
        if (s->ledger[0] && s->of_ledger < 0) node_fail(&r, s->at, "statistic %s: ledger \"%s\" is not there", s->key, s->ledger);
        roles_check(&r, s->at, p, s->roles);
        if (!r.bad && s->rule[0] && !policy_rule(p, str_of(s->rule))) node_fail(&r, s->at, "statistic %s: rule \"%s\" is not there", s->key, s->rule);
        for (int k = 0; k < s->columns && !r.bad; k++)
            if (s->column[k].of[0]) words_find(&r, s->at, p, &s->column[k]);
    }
    *bad = r.bad;
}
