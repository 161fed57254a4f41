/* letters/<key>.yaml and pages.yaml. Every field of every text is looked up among the sets the template may use. */
#include "policy/bind.h"
#include "policy/letter.h"
#include <stdio.h>

const struct builtin_set PAPER_SET = {"paper", "today year asof known area area_code maker"};
#define FIGURE_COLUMNS "area id name unit target due value reported difference reported_on signer status note"
/* One row: the plan. Then a row for each: plan area, goal, indicator in its default reading, other reading, requirement, month of an indicator, requirement that is
 * late, indicator without data, reported figure that differs, area below, ledger. */
const struct builtin_set PLAN_SETS[] = {
    {"plan", "name number from to requirements green amber red not_due no_data reported differing late gaps"},
    {"area", "area name requirements green amber red not_due no_data"},
    {"goal", FIGURE_COLUMNS},
    {"indicator", FIGURE_COLUMNS},
    {"differ", FIGURE_COLUMNS},
    {"reading", "id name reading_of reading value unit signed"},
    {"requirement", "area id name who due target status note"},
    {"trend", "id label value target"},
    {"late", "id name who due days note"},
    {"gap", "id name why"},
    {"below", "code name green amber red not_due no_data share"},
    {"evidence", "ledger name records"},
};
/* One row: the link. Then a row for each: check, kind of file, stream, point, point with something to say, code, refused file, kind of alarm of the trial. */
const struct builtin_set LINK_SETS[] = {
    {"link",
     "mine name region gas phase opened opened_by accepted accepted_by note from to files records expected received compared offset open"},
    {"check", "name value need unit result"},
    {"kind", "type name family files expected percent records refused doubled"},
    {"stream", "stream name types result"},
    {"point", "point location type unit class confirmed expected received note"},
    {"fault", "point location note"},
    {"code", "code what"},
    {"refusal", "file received reason"},
    {"alarm", "name n"},
};

static const struct {
    const char *key;
    const struct builtin_set *set;
    int n;
} FACTS[] = {{"plan", PLAN_SETS, sizeof PLAN_SETS / sizeof *PLAN_SETS}, {"link", LINK_SETS, sizeof LINK_SETS / sizeof *LINK_SETS}, {"", NULL, 0}};

static const char *columns_find(enum letter_facts f, struct str key) {
    for (int i = 0; i < FACTS[f].n; i++)
        if (str_is(key, FACTS[f].set[i].key)) return FACTS[f].set[i].columns;
    return NULL;
}

const char *facts_columns(enum letter_facts f, const char *key) {
    const char *c = columns_find(f, str_of(key));
    if (!c) ZB_BUG("no set %s", key);
    return c;
}

static const char *const BLOCK[] = {
#define X(id, key) key,
    LETTER_BLOCKS(X)
#undef X
};
static const char *const STYLE[] = {"body", "flat", "center", "right", "note", "title", "subtitle", "number", "caption", "sign"};
static const char *const ALIGN[] = {"center", "left", "right", "top"};
static const char *const KEYS[LETTER_BLOCKS_N] = {"block style lead zh",
                                                  "block level zh",
                                                  "block set same zh empty columns",
                                                  "block set same zh empty kind unit label values target",
                                                  "block zh cols rows",
                                                  "block set same blocks",
                                                  "block set same has blocks else",
                                                  "block lines",
                                                  "block"};

struct letters { /* a template being read */
    struct reader *r;
    const struct policy *p;
    struct letter_rule *l;
    const char *outer[8]; /* sets of the repeats around */
    int depth;
};

static void *many(struct letters *b, const struct node *seq, size_t size) {
    void *p = b->r->bad || !seq ? NULL : arena_alloc(b->r->a, (size_t)(seq->n + 1) * size);
    if (!p && !b->r->bad && seq) node_fail(b->r, seq, "too much for one policy");
    return p;
}

/* ---- which columns a set has ---- */
static bool ledger_has(const struct ledger *l, struct str column) {
    return str_is(column, "no") || str_is(column, "state") || lfield_find(l->field, l->fields, column) >= 0;
}

static void ledger_columns(const struct ledger *l, struct buf *out) {
    buf_puts(out, "no state");
    for (int i = 0; i < l->fields; i++) buf_printf(out, " %s", l->field[i].key);
}

/* true: the set is there; *has: and this column of it (column empty: any); what there is goes to say (NULL: not asked). */
static bool set_find(const struct letters *b, struct str set, struct str column, bool *has, struct buf *say) {
    const struct letter_rule *l = b->l;
    const struct ledger *of = l->of_ledger >= 0 ? &b->p->ledger[l->of_ledger] : NULL, *to = NULL;
    const char *columns = NULL;
    if (str_is(set, PAPER_SET.key)) columns = PAPER_SET.columns;
    if (!columns) columns = columns_find(l->facts, set);
    if (columns) {
        *has = !column.n || word_in(columns, column);
        if (say) buf_puts(say, columns);
        return true;
    }
    if (!of) return false;
    if (str_is(set, "record")) to = of;
    int f = lfield_find(of->field, of->fields, set);
    if (!to && f >= 0 && of->field[f].type == LF_REF) to = &b->p->ledger[policy_ledger(b->p, str_of(of->field[f].to))];
    for (int i = 0; i < l->links && !to; i++)
        if (str_is(set, l->link[i].set)) to = &b->p->ledger[l->link[i].to_ledger];
    if (to) {
        *has = !column.n || ledger_has(to, column);
        if (say) ledger_columns(to, say);
        return true;
    }
    for (int i = 0; i < of->subs; i++)
        if (str_is(set, of->sub[i].key)) {
            *has = !column.n || lfield_find(of->sub[i].field, of->sub[i].fields, column) >= 0;
            for (int k = 0; say && k < of->sub[i].fields; k++) buf_printf(say, "%s%s", k ? " " : "", of->sub[i].field[k].key);
            return true;
        }
    return false;
}

static void sets_say(const struct letters *b, struct buf *out) {
    const struct ledger *of = b->l->of_ledger >= 0 ? &b->p->ledger[b->l->of_ledger] : NULL;
    buf_puts(out, PAPER_SET.key);
    for (int i = 0; i < FACTS[b->l->facts].n; i++) buf_printf(out, " %s", FACTS[b->l->facts].set[i].key);
    if (!of) return;
    buf_puts(out, " record");
    for (int i = 0; i < of->fields; i++)
        if (of->field[i].type == LF_REF) buf_printf(out, " %s", of->field[i].key);
    for (int i = 0; i < of->subs; i++) buf_printf(out, " %s", of->sub[i].key);
    for (int i = 0; i < b->l->links; i++) buf_printf(out, " %s", b->l->link[i].set);
}

static void column_check(struct letters *b, const struct node *n, struct str set, struct str column) {
    bool has = false;
    if (b->r->bad) return;
    ZB_AUTO(buf_done) struct buf say;
    buf_init(&say, 4000);
    if (!set_find(b, set, column, &has, &say)) {
        buf_clear(&say);
        sets_say(b, &say);
        node_fail(b->r, n, "unknown set \"%.60s\"; this paper has: %.300s", arena_str(b->r->a, set), say.p);
    } else if (!has)
        node_fail(b->r, n, "unknown field {%.60s.%.60s}; %.60s has: %.220s", arena_str(b->r->a, set), arena_str(b->r->a, column), arena_str(b->r->a, set),
                  say.p ? say.p : "");
}

bool letter_field(struct str *text, struct str *before, struct str *set, struct str *column) {
    struct str rest = {NULL, 0};
    *before = str_cut(*text, '{', &rest);
    if (!rest.p) return false;
    struct str after = {NULL, 0}, field = str_cut(rest, '}', &after);
    *set = str_cut(field, '.', column);
    if (!column->p) *column = STR("");
    *text = after.p ? after : STR("");
    return true;
}

/* A text with fields: braces that close, names that are there. */
static const char *text(struct letters *b, const struct node *n, const char *key, const char *absent) {
    const char *z = node_text(b->r, n, key, absent);
    const struct node *at = b->r->bad ? NULL : node_get(n, key);
    struct str rest = str_of(z), before, set, column;
    while (at && !b->r->bad && letter_field(&rest, &before, &set, &column)) {
        if (!set.n || !column.n || set.n > 60 || column.n > 60)
            node_fail(b->r, at, "%s: write a field as {set.column}", key);
        else
            column_check(b, at, set, column);
    }
    return z;
}

static const char *choice(struct letters *b, const struct node *n, const char *key, const char *const *names, int count, const char *absent) {
    return node_get(n, key) ? names[node_choice(b->r, n, key, names, count)] : absent;
}

/* A column's name alone: of the block's own set. */
static const char *column_of(struct letters *b, const struct node *n, const char *key, const char *set, const char *absent) {
    const char *z = node_text(b->r, n, key, absent);
    if (z[0] && node_get(n, key)) column_check(b, node_get(n, key), str_of(set), str_of(z));
    return z;
}

/* ---- blocks ---- */
static struct letter_block *blocks(struct letters *b, const struct node *seq, int *count);

static void set_and_same(struct letters *b, const struct node *n, struct letter_block *k) {
    k->set = node_text(b->r, n, "set", NULL);
    if (!b->r->bad) column_check(b, node_get(n, "set"), str_of(k->set), STR(""));
    k->same = column_of(b, n, "same", k->set, "");
    bool has = false;
    for (int i = 0; i < b->depth && k->same[0] && !b->r->bad && !has; i++) set_find(b, str_of(b->outer[i]), str_of(k->same), &has, NULL);
    if (k->same[0] && !has && !b->r->bad) node_fail(b->r, node_get(n, "same"), "same: no repeat around this has a column %s", k->same);
}

static double length(struct letters *b, const struct node *n, const char *key, double absent, double max) {
    zb_fix v = node_fix(b->r, n, key);
    if (v == ZB_FIX_NONE) return absent;
    double d = zb_fix_double(v);
    if (!b->r->bad && !(d > 0 && d <= max)) node_fail(b->r, node_get(n, key), "%s: a number above 0, at most %g, is expected", key, max);
    return d;
}

static void columns(struct letters *b, const struct node *n, const char *key, struct letter_block *k) {
    const struct node *seq = node_seq(b->r, n, key);
    k->col = many(b, seq, sizeof *k->col);
    for (const struct node *c = k->col ? seq->child : NULL; c && !b->r->bad; c = c->next) {
        node_keys(b->r, c, "zh of width align group");
        if (k->cols == (k->kind == LETTER_CHART ? 4 : 40)) node_fail(b->r, c, "%s: more than %d", key, k->cols);
        k->col[k->cols++] = (struct letter_column){node_text(b->r, c, "zh", NULL), node_text(b->r, c, "group", ""), column_of(b, c, "of", k->set, NULL),
                                                   length(b, c, "width", 1, 1000), choice(b, c, "align", ALIGN, 4, "center")};
    }
    if (!b->r->bad && !k->cols) node_fail(b->r, seq, "%s: one at least", key);
}

static void grid(struct letters *b, const struct node *n, struct letter_block *k) {
    const struct node *cols = node_seq(b->r, n, "cols"), *rows = node_seq(b->r, n, "rows");
    for (const struct node *c = cols && !b->r->bad ? cols->child : NULL; c && !b->r->bad; c = c->next) {
        int64_t w;
        if (k->cols == 40 || c->kind != NODE_SCALAR || !num_i64(str_of(c->text), 1, 1000, &w)) {
            node_fail(b->r, c, "cols: at most 40 whole numbers from 1 to 1000, the shares of the width");
            return;
        }
        k->width[k->cols++] = (double)w;
    }
    k->row = many(b, rows, sizeof *k->row);
    for (const struct node *r = k->row ? rows->child : NULL; r && !b->r->bad; r = r->next) {
        node_keys(b->r, r, "high cells");
        struct letter_row *o = &k->row[k->rows++];
        o->high = length(b, r, "high", 0, 150);
        const struct node *cells = node_seq(b->r, r, "cells");
        o->cell = many(b, cells, sizeof *o->cell);
        for (const struct node *c = o->cell ? cells->child : NULL; c && !b->r->bad; c = c->next) {
            node_keys(b->r, c, "zh label align cols rows");
            o->cell[o->cells++] =
                (struct letter_cell){text(b, c, "zh", ""), choice(b, c, "align", ALIGN, 4, "center"), (int)node_int(b->r, c, "cols", 1, 1, 40),
                                     (int)node_int(b->r, c, "rows", 1, 1, 40), node_bool(b->r, c, "label", false)};
        }
    }
}

static void nested(struct letters *b, const struct node *n, struct letter_block *k) {
    if (b->depth == 8) {
        node_fail(b->r, n, "blocks nested deeper than 8");
        return;
    }
    b->outer[b->depth++] = k->kind == LETTER_REPEAT ? k->set : "";
    k->block = blocks(b, node_seq(b->r, n, "blocks"), &k->blocks);
    if (node_get(n, "else")) k->other = blocks(b, node_seq(b->r, n, "else"), &k->others);
    b->depth--;
}

static void chart(struct letters *b, const struct node *n, struct letter_block *k) {
    static const char *const KIND[] = {"bar", "line"};
    k->line = node_choice(b->r, n, "kind", KIND, 2) == 1;
    k->unit = text(b, n, "unit", "");
    k->label = column_of(b, n, "label", k->set, NULL);
    k->target = column_of(b, n, "target", k->set, "");
    columns(b, n, "values", k);
}

static void block(struct letters *b, const struct node *n, struct letter_block *k) {
    *k = (struct letter_block){
        .kind = (enum letter_block_kind)node_choice(b->r, n, "block", BLOCK, LETTER_BLOCKS_N), .at = n, .same = "", .column = "", .empty = ""};
    if (b->r->bad) return;
    node_keys(b->r, n, KEYS[k->kind]);
    bool rows = k->kind == LETTER_TABLE || k->kind == LETTER_CHART || k->kind == LETTER_REPEAT || k->kind == LETTER_IF;
    if (rows) set_and_same(b, n, k);
    if (k->kind == LETTER_TABLE || k->kind == LETTER_CHART) k->empty = text(b, n, "empty", "");
    switch (k->kind) {
    case LETTER_PARA:
        k->style = choice(b, n, "style", STYLE, sizeof STYLE / sizeof *STYLE, "body");
        k->lead = text(b, n, "lead", "");
        k->zh = text(b, n, "zh", NULL);
        break;
    case LETTER_HEADING:
        k->n = (int)node_int(b->r, n, "level", INT64_MIN, 1, 4);
        k->zh = text(b, n, "zh", NULL);
        break;
    case LETTER_TABLE:
        k->zh = text(b, n, "zh", "");
        columns(b, n, "columns", k);
        break;
    case LETTER_CHART:
        k->zh = text(b, n, "zh", "");
        chart(b, n, k);
        break;
    case LETTER_GRID:
        k->zh = text(b, n, "zh", "");
        grid(b, n, k);
        break;
    case LETTER_IF:
        k->column = column_of(b, n, "has", k->set, "");
        nested(b, n, k);
        break;
    case LETTER_REPEAT: nested(b, n, k); break;
    case LETTER_SPACE: k->n = (int)node_int(b->r, n, "lines", 1, 1, 40); break;
    default: break;
    }
}

static struct letter_block *blocks(struct letters *b, const struct node *seq, int *count) {
    struct letter_block *out = many(b, seq, sizeof *out);
    for (const struct node *n = out ? seq->child : NULL; n && !b->r->bad; n = n->next) block(b, n, &out[(*count)++]);
    return out;
}

/* ---- the file ---- */
static void links(struct letters *b, const struct node *root) {
    const struct node *seq = node_seq(b->r, root, "linked");
    b->l->link = many(b, seq, sizeof *b->l->link);
    for (const struct node *n = b->l->link ? seq->child : NULL; n && !b->r->bad; n = n->next) {
        node_keys(b->r, n, "set ledger by");
        struct letter_linked k = {node_text(b->r, n, "set", NULL), node_text(b->r, n, "ledger", NULL), node_text(b->r, n, "by", NULL), 0};
        if (b->r->bad) return;
        k.to_ledger = policy_ledger(b->p, str_of(k.ledger));
        const struct ledger *to = k.to_ledger >= 0 ? &b->p->ledger[k.to_ledger] : NULL;
        int f = to ? lfield_find(to->field, to->fields, str_of(k.by)) : -1;
        if (!to)
            node_fail(b->r, node_get(n, "ledger"), "ledger \"%s\" is not there", k.ledger);
        else if (f < 0 || to->field[f].type != LF_REF || policy_ledger(b->p, str_of(to->field[f].to)) != b->l->of_ledger)
            node_fail(b->r, node_get(n, "by"), "by: \"%s\" of %s does not refer to %s", k.by, to->key, b->p->ledger[b->l->of_ledger].key);
        b->l->link[b->l->links++] = k;
    }
}

static void about(struct letters *b, const struct node *root) {
    static const char *const NAMES[] = {
#define X(id, key) key,
        LETTER_FACTS(X)
#undef X
    };
    struct letter_rule *l = b->l;
    l->ledger = node_text(b->r, root, "ledger", "");
    l->of_ledger = -1;
    l->facts = node_get(root, "facts") ? (enum letter_facts)node_choice(b->r, root, "facts", NAMES, LETTER_FACTS_N) : LETTER_FACTS_N;
    if (b->r->bad) return;
    if (l->ledger[0]) l->of_ledger = policy_ledger(b->p, str_of(l->ledger));
    if (l->ledger[0] && l->of_ledger < 0) node_fail(b->r, node_get(root, "ledger"), "ledger \"%s\" is not there", l->ledger);
    if (!b->r->bad && (l->facts < LETTER_FACTS_N) == (l->of_ledger >= 0))
        node_fail(b->r, root, "write either ledger (about a record) or facts: plan (about an area), link (about a mine's link)");
    l->when = node_text(b->r, root, "when", "");
    l->levels = node_text(b->r, root, "levels", l->facts == FACTS_PLAN ? NULL : "");
    struct str value, field = str_cut(str_of(l->when), '=', &value);
    const struct ledger *of = !b->r->bad && l->of_ledger >= 0 ? &b->p->ledger[l->of_ledger] : NULL;
    if (l->when[0] && !b->r->bad && (!of || !value.p || lfield_find(of->field, of->fields, field) < 0))
        node_fail(b->r, node_get(root, "when"), "when: write field=value with a field of %s", of ? of->key : "the ledger");
    if (!b->r->bad && of && node_get(root, "linked")) links(b, root);
}

void bind_letter(struct reader *r, const struct node *root, const struct policy *p, struct letter_rule *l) {
    struct letters b = {.r = r, .p = p, .l = l};
    node_keys(r, root, "source letter zh en title page ledger when facts levels linked blocks");
    *l = (struct letter_rule){.key = node_text(r, root, "letter", NULL),
                              .zh = node_text(r, root, "zh", NULL),
                              .en = node_text(r, root, "en", NULL),
                              .source = node_text(r, root, "source", NULL),
                              .file = r->file,
                              .at = root};
    about(&b, root);
    const char *page = node_text(r, root, "page", NULL);
    for (int i = 0; i < p->pages && !r->bad; i++)
        if (!strcmp(p->page[i].key, page)) l->page = &p->page[i];
    if (!r->bad && !l->page) node_fail(r, node_get(root, "page"), "page \"%s\" is not in pages.yaml", page);
    if (!r->bad) l->title = text(&b, root, "title", NULL);
    if (!r->bad) l->block = blocks(&b, node_seq(r, root, "blocks"), &l->blocks);
}

static double measure(struct reader *r, const struct node *n, const char *key, double min, double max) {
    zb_fix v = node_fix(r, n, key);
    double d = v == ZB_FIX_NONE ? -1 : zb_fix_double(v);
    if (!r->bad && (d < min || d > max)) node_fail(r, node_get(n, key) ? node_get(n, key) : n, "%s: a number from %g to %g is expected", key, min, max);
    return d;
}

void bind_pages(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source pages");
    const struct node *seq = node_seq(r, root, "pages");
    struct page_style *out = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *out);
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n,
                  "key width height top right bottom left body_size line_step title_size title_step table_size note_size foot_size line_chars outer_numbers "
                  "faces source");
        struct page_style *s = &out[p->pages++];
        *s = (struct page_style){.key = node_text(r, n, "key", NULL),
                                 .width = measure(r, n, "width", 50, 900),
                                 .height = measure(r, n, "height", 50, 900),
                                 .top = measure(r, n, "top", 5, 200),
                                 .right = measure(r, n, "right", 5, 200),
                                 .bottom = measure(r, n, "bottom", 12, 200),
                                 .left = measure(r, n, "left", 5, 200),
                                 .body_size = measure(r, n, "body_size", 5, 40),
                                 .line_step = measure(r, n, "line_step", 6, 80),
                                 .title_size = measure(r, n, "title_size", 5, 60),
                                 .title_step = measure(r, n, "title_step", 6, 99),
                                 .table_size = measure(r, n, "table_size", 5, 30),
                                 .note_size = measure(r, n, "note_size", 5, 30),
                                 .foot_size = measure(r, n, "foot_size", 5, 30),
                                 .line_chars = (int)node_int(r, n, "line_chars", 0, 0, 200),
                                 .outer_numbers = node_bool(r, n, "outer_numbers", false)};
        if (!r->bad && (s->width - s->left - s->right < 60 || s->height - s->top - s->bottom < 60)) node_fail(r, n, "the margins leave less than 60 mm");
        const struct node *faces = r->bad ? NULL : node_get(n, "faces");
        if (!r->bad && !faces) node_fail(r, n, "key faces is missing");
        if (!r->bad) node_keys(r, faces, "body title hei kai song");
        for (int i = 0; i < PAGE_FACES_N && !r->bad; i++) s->face[i] = node_text(r, faces, PAGE_FACE_KEY[i], NULL);
    }
    p->page = out;
}

const struct letter_rule *letter_find(const struct policy *p, struct str key) {
    for (int i = 0; i < p->letters; i++)
        if (str_is(key, p->letter[i].key)) return &p->letter[i];
    return NULL;
}
