/* The files of indicators: trees to structs; parameters are put in their places; what a SQL reads is taken from its words. */
#include "policy/bind.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

const char *const INDICATOR_KIND_KEY[] = {
#define X(id, key) key,
    INDICATOR_KINDS(X)
#undef X
};
const char *const INDICATOR_CYCLE_KEY[] = {"once", "state", "event", "month", "quarter", "half", "year"};
const char *const INDICATOR_LEVEL_KEY[] = {"province", "city", "county", "site"};

struct iparam {
    const char *key, *literal;
    bool used;
    const struct node *at;
};
struct ifile {
    struct reader *r;
    struct iparam *param;
    int params;
};

static void *many(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad || !seq ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!p && !r->bad && seq) node_fail(r, seq, "too much for one policy");
    return p;
}
static bool letter(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* "95", "2024-12-31" (as a day), or words: 'a','b' */
static const char *literal_of(struct reader *r, const struct node *n, const char *value) {
    zb_fix fix;
    int32_t day;
    if (num_fix(str_of(value), &fix)) return value;
    if (zb_day_parse(str_of(value), &day)) return arena_printf(r->a, "%d", day);
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 8192);
    struct str rest = str_of(value);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        for (size_t i = 0; i < w.n; i++)
            if (!letter(w.p[i]) && w.p[i] != '-' && w.p[i] != '.') node_fail(r, n, "value: a number, a day, or words of letters, digits, - . and _");
        if (w.n) buf_printf(&b, "%s'" STR_FMT "'", b.n ? "," : "", STR_ARG(w));
    }
    if (!b.n) node_fail(r, n, "value is empty");
    return r->bad ? "" : arena_str(r->a, buf_str(&b));
}

static void params_bind(struct ifile *f, const struct node *root) {
    const struct node *seq = !f->r->bad && node_get(root, "params") ? node_seq(f->r, root, "params") : NULL;
    f->param = many(f->r, seq, sizeof *f->param);
    for (const struct node *n = f->param ? seq->child : NULL; n && !f->r->bad; n = n->next) {
        node_keys(f->r, n, "key value unit source");
        struct iparam *p = &f->param[f->params];
        *p = (struct iparam){.key = node_text(f->r, n, "key", NULL), .at = n};
        const char *value = node_text(f->r, n, "value", NULL);
        (void)node_text(f->r, n, "unit", "");
        (void)node_text(f->r, n, "source", NULL);
        if (f->r->bad) return;
        p->literal = literal_of(f->r, n, value);
        for (int i = 0; i < f->params; i++)
            if (!strcmp(f->param[i].key, p->key)) node_fail(f->r, n, "parameter %s is there twice", p->key);
        f->params++;
    }
}

/* The SQL with its parameters in place. Texts in quotes stay as they are. */
static const char *sql_fill(struct ifile *f, const struct node *at, const char *sql) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    for (const char *p = sql; *p && !f->r->bad;) {
        const char *end = p + 1;
        if (*p == '\'') {
            while (*end && *end != '\'') end++;
            if (!*end) node_fail(f->r, at, "a text in the SQL does not end");
            buf_put(&b, p, (size_t)(end - p) + (*end != 0));
            p = *end ? end + 1 : end;
            continue;
        }
        if (*p == ';' || *p == '?' || *p == '"')
            node_fail(f->r, at, "the SQL is one select without parameters of its own and without double quotes: '%c' has no place", *p);
        if (*p != ':' || !letter(p[1])) {
            buf_putc(&b, *p++);
            continue;
        }
        while (letter(*end)) end++;
        struct str key = {p + 1, (size_t)(end - p - 1)};
        struct iparam *found = NULL;
        for (int i = 0; i < f->params; i++)
            if (str_is(key, f->param[i].key)) found = &f->param[i];
        if (!found) {
            node_fail(f->r, at, "the SQL names :" STR_FMT ", which is no parameter of this file", STR_ARG(key));
            break;
        }
        found->used = true;
        buf_puts(&b, found->literal);
        p = end;
    }
    const char *kept = f->r->bad ? "" : arena_str(f->r->a, buf_str(&b));
    if (!kept || b.over) node_fail(f->r, at, "the SQL is too long");
    return kept ? kept : "";
}

static void aim_bind(struct reader *r, const struct node *n, struct indicator *x) {
    static const char *const WORD[] = {">=", ">", "<=", "<", "rising", "falling", "none"};
    const char *text = node_text(r, n, "target", NULL);
    if (r->bad) return;
    struct str rest, head = str_cut(str_of(text), ' ', &rest);
    for (int i = 0; i < 7; i++) {
        zb_fix v;
        if (!str_is(head, WORD[i])) continue;
        x->aim = (enum indicator_aim)i;
        if (i >= AIM_RISING ? !rest.n : rest.p && num_fix(rest, &v)) {
            x->target = i >= AIM_RISING ? 0 : zb_fix_double(v);
            return;
        }
    }
    node_fail(r, node_get(n, "target"), "target: \"%s\": write >= 100, > 60, <= 0, < 5, rising, falling or none", text);
}

static double real(struct reader *r, const struct node *n, const char *key, bool *there) {
    zb_fix v = r->bad ? ZB_FIX_NONE : node_fix(r, n, key);
    *there = v != ZB_FIX_NONE;
    return *there ? zb_fix_double(v) : 0;
}

static void what_bind(struct ifile *f, const struct node *n, struct indicator *x) {
    struct reader *r = f->r;
    x->kind = node_get(n, "kind") ? (enum indicator_kind)node_choice(r, n, "kind", INDICATOR_KIND_KEY, INDICATOR_KINDS_N) : x->kind;
    x->of = node_text(r, n, "of", x->of);
    x->parts = node_text(r, n, "parts", x->parts);
    if (node_get(n, "target")) aim_bind(r, n, x);
    x->sql_at = node_get(n, "sql") ? node_get(n, "sql") : x->sql_at;
    if (node_get(n, "sql")) x->sql = sql_fill(f, x->sql_at, node_text(r, n, "sql", NULL));
    if (r->bad) return;
    if (x->kind == IK_MEAN_OF ? x->sql[0] || !x->parts[0] : !x->sql[0] || !x->of[0] || x->parts[0])
        node_fail(r, n,
                  x->kind == IK_MEAN_OF ? "%s: mean_of has parts and no sql" : "%s needs `of` (whose records its cases are) and `sql`; parts belong to mean_of",
                  x->id);
}

static void one_bind(struct ifile *f, const struct node *n, const char *source, struct indicator *x) {
    struct reader *r = f->r;
    node_keys(r, n,
              "id zh en of kind unit target amber due cycle by_end level strive proxy secret base_on assumed note_zh note_en ambiguity reading_zh reading_en "
              "signed_by parts sql readings");
    *x = (struct indicator){.id = node_text(r, n, "id", NULL),
                            .zh = node_text(r, n, "zh", NULL),
                            .en = node_text(r, n, "en", NULL),
                            .unit = node_text(r, n, "unit", NULL),
                            .source = source,
                            .file = r->file,
                            .note_zh = node_text(r, n, "note_zh", ""),
                            .note_en = node_text(r, n, "note_en", ""),
                            .assumed = node_text(r, n, "assumed", ""),
                            .of = "",
                            .of_ledger = -1,
                            .sql = "",
                            .parts = "",
                            .due = node_day(r, n, "due", INT32_MAX),
                            .base_on = node_day(r, n, "base_on", INT32_MAX),
                            .cycle = EACH_ONCE,
                            .level = DOWN_TO_SITE,
                            .strive = node_bool(r, n, "strive", false),
                            .by_end = node_bool(r, n, "by_end", false),
                            .proxy = node_bool(r, n, "proxy", false),
                            .secret = node_bool(r, n, "secret", false),
                            .reading_of = -1,
                            .ambiguity = node_text(r, n, "ambiguity", ""),
                            .reading_zh = node_text(r, n, "reading_zh", ""),
                            .reading_en = node_text(r, n, "reading_en", ""),
                            .signed_by = node_text(r, n, "signed_by", ""),
                            .at = n};
    if (r->bad) return;
    x->amber = real(r, n, "amber", &x->has_amber);
    if (node_get(n, "cycle")) x->cycle = (enum indicator_cycle)node_choice(r, n, "cycle", INDICATOR_CYCLE_KEY, EACH_N);
    if (node_get(n, "level")) x->level = (enum indicator_level)node_choice(r, n, "level", INDICATOR_LEVEL_KEY, INDICATOR_LEVELS_N);
    if (!r->bad && !node_get(n, "target")) node_fail(r, n, "%s: target is missing", x->id);
    what_bind(f, n, x);
    if (!r->bad && x->base_on != INT32_MAX && zb_period_start(ZB_MONTH_UNIT, x->base_on, 1) != x->base_on + 1)
        node_fail(r, node_get(n, "base_on"), "%s: base_on is the last day of a month: figures of the past are kept by month-ends", x->id);
    if (!r->bad && x->by_end && x->cycle < EACH_MONTH) node_fail(r, n, "%s: by_end belongs to the cycles month, quarter, half and year", x->id);
    if (!r->bad && x->cycle == EACH_ONCE && x->due == INT32_MAX) node_fail(r, n, "%s: a due date, or a cycle (state event month quarter half year)", x->id);
}

/* A reading: the default with what it changes. */
static void reading_bind(struct ifile *f, const struct node *n, int of, const struct indicator *as, struct indicator *x) {
    struct reader *r = f->r;
    node_keys(r, n, "key zh en ambiguity of kind target unit signed_by parts sql");
    const char *key = node_text(r, n, "key", NULL);
    *x = *as;
    x->id = r->bad ? "" : arena_printf(r->a, "%s/%s", as->id, key);
    x->reading_of = of;
    x->reading_zh = node_text(r, n, "zh", NULL);
    x->reading_en = node_text(r, n, "en", NULL);
    x->ambiguity = node_text(r, n, "ambiguity", as->ambiguity);
    x->unit = node_text(r, n, "unit", as->unit);
    x->signed_by = node_text(r, n, "signed_by", "");
    x->at = n;
    what_bind(f, n, x);
}

void bind_indicators(struct reader *r, const struct node *root, struct indicator_file *out) {
    struct ifile f = {.r = r};
    node_keys(r, root, "source params indicators");
    const char *source = node_text(r, root, "source", NULL);
    params_bind(&f, root);
    const struct node *seq = node_seq(r, root, "indicators");
    int most = 0;
    for (const struct node *n = r->bad ? NULL : seq->child; n; n = n->next) most += 1 + (node_get(n, "readings") ? node_get(n, "readings")->n : 0);
    out->indicator = r->bad ? NULL : arena_alloc(r->a, (size_t)(most + 1) * sizeof *out->indicator);
    for (const struct node *n = out->indicator ? seq->child : NULL; n && !r->bad; n = n->next) {
        int at = out->indicators++;
        one_bind(&f, n, source, &out->indicator[at]);
        const struct node *more = !r->bad && node_get(n, "readings") ? node_seq(r, n, "readings") : NULL;
        for (const struct node *m = more ? more->child : NULL; m && !r->bad; m = m->next) {
            reading_bind(&f, m, at, &out->indicator[at], &out->indicator[out->indicators]);
            out->indicators++;
        }
    }
    for (int i = 0; i < f.params && !r->bad; i++)
        if (!f.param[i].used) node_fail(r, f.param[i].at, "parameter %s is used by no indicator", f.param[i].key);
}

static void peers_bind(struct reader *r, const struct node *root, struct light_rule *l) {
    const struct node *seq = node_seq(r, root, "peer_mines");
    for (const struct node *n = r->bad ? NULL : seq->child; n && !r->bad; n = n->next) {
        int64_t v = 0;
        if (l->peers == 8 || n->kind != NODE_SCALAR || !num_i64(str_of(n->text), l->peers ? l->peer_mines[l->peers - 1] + 1 : 1, 100000, &v))
            node_fail(r, n, "peer_mines: at most 8 whole numbers, rising");
        else
            l->peer_mines[l->peers++] = (int)v;
    }
}
static void rungs_bind(struct reader *r, const struct node *root, struct light_rule *l) {
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "rungs");
    for (const struct node *n = r->bad ? NULL : seq->child; n && !r->bad; n = n->next) {
        node_keys(r, n, "days means");
        int days = (int)node_int(r, n, "days", INT64_MIN, 0, 3660);
        if (!r->bad && (l->rungs == 12 || (l->rungs && days <= l->rung[l->rungs - 1].days))) node_fail(r, n, "rungs: at most 12, with rising days");
        if (!r->bad) l->rung[l->rungs++] = (struct rung){days, node_text(r, n, "means", NULL)};
    }
}
void bind_prove(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source amber_days period_late_pct path_slack_pct forecast_points forecast_months peer_mines rungs reported_sql measures_sql");
    (void)node_text(r, root, "source", NULL);
    p->light = (struct light_rule){.amber_days = (int)node_int(r, root, "amber_days", INT64_MIN, 0, 366),
                                   .period_late_pct = (int)node_int(r, root, "period_late_pct", INT64_MIN, 0, 100),
                                   .path_slack_pct = (int)node_int(r, root, "path_slack_pct", INT64_MIN, 0, 100),
                                   .forecast_points = (int)node_int(r, root, "forecast_points", INT64_MIN, 3, 60),
                                   .forecast_months = (int)node_int(r, root, "forecast_months", INT64_MIN, 3, 60)};
    p->light.reported_sql = node_text(r, root, "reported_sql", NULL);
    p->light.measures_sql = node_text(r, root, "measures_sql", NULL);
    peers_bind(r, root, &p->light);
    rungs_bind(r, root, &p->light);
}

/* ---- over all files ---- */
void indicator_reads(const struct policy *p, const char *sql, uint64_t uses[4]) {
    for (const char *s = sql; *s;) {
        if (!letter(*s)) {
            s++;
            continue;
        }
        const char *end = s;
        while (letter(*end)) end++;
        if ((end - s) > 2 && s[1] == '_' && strchr("lvhs", *s))
            for (int i = 0; i < p->ledgers; i++) {
                size_t n = strlen(p->ledger[i].key);
                bool whole = (size_t)(end - s) == n + 2, sub = *s == 's' && (size_t)(end - s) > n + 3 && s[n + 2] == '_';
                if ((whole || sub) && !strncmp(s + 2, p->ledger[i].key, n)) uses[i / 64] |= (uint64_t)1 << (i % 64);
            }
        s = end;
    }
}

int policy_indicator(const struct policy *p, struct str id) {
    for (int i = 0; i < p->indicators; i++)
        if (str_is(id, p->indicator[i].id)) return i;
    return -1;
}

static void parts_find(struct reader *r, const struct policy *p, struct indicator *x) {
    struct str rest = str_of(x->parts);
    int *part = arena_alloc(r->a, 40 * sizeof *part);
    while (part && rest.p && rest.n && !r->bad) {
        struct str w = str_cut(rest, ' ', &rest);
        int i = policy_indicator(p, w);
        if (!w.n) continue;
        if (i < 0 || x->parts_n == 40 || p->indicator[i].kind == IK_MEAN_OF)
            node_fail(r, x->at, "parts: " STR_FMT " is no indicator with a SQL", STR_ARG(w));
        else
            part[x->parts_n++] = i;
    }
    x->part = part;
}

static void means_find(struct zb_err *e, struct policy *p, bool *bad) {
    struct reader r = {p->arena, "prove.yaml", e, *bad};
    const struct code_list *means = NULL;
    for (int i = 0; i < p->lists; i++)
        if (!strcmp(p->list[i].key, p->plan.means_key)) means = &p->list[i];
    for (int i = 0; i < p->light.rungs && means; i++)
        if (!list_find(means, str_of(p->light.rung[i].means))) node_fail(&r, NULL, "rungs: %s is no means of the plan", p->light.rung[i].means);
    *bad |= r.bad;
}

void indicators_all(struct zb_err *e, struct policy *p, bool *bad) {
    means_find(e, p, bad);
    int n = 0;
    for (int i = 0; i < p->indicator_files; i++) n += p->indicator_file[i].indicators;
    p->indicator = arena_alloc(p->arena, (size_t)(n + 1) * sizeof *p->indicator);
    for (int i = 0; p->indicator && i < p->indicator_files; i++)
        for (int k = 0, first = p->indicators; k < p->indicator_file[i].indicators; k++) {
            struct indicator *x = &p->indicator_file[i].indicator[k];
            struct reader r = {p->arena, x->file, e, *bad};
            if (policy_indicator(p, str_of(x->id)) >= 0) node_fail(&r, x->at, "indicator %s is there twice", x->id);
            if (x->of[0] && (x->of_ledger = policy_ledger(p, str_of(x->of))) < 0) node_fail(&r, x->at, "of: no ledger \"%s\"", x->of);
            if (x->reading_of >= 0) x->reading_of += first;
            indicator_reads(p, x->sql, x->uses);
            p->indicator[p->indicators++] = *x;
            *bad |= r.bad;
        }
    for (int i = 0; i < p->indicators && !*bad; i++) {
        struct reader r = {p->arena, p->indicator[i].file, e, false};
        if (p->indicator[i].kind == IK_MEAN_OF) parts_find(&r, p, &p->indicator[i]);
        *bad |= r.bad;
    }
}
