/* Files of tables/: numbers of law in rows and columns; a cell that is not what its column says is refused with its place. */
#include "policy/bind.h"

static bool key_good(const char *k) {
    size_t n = strspn(k, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return k[0] >= 'a' && k[0] <= 'z' && !k[n] && n <= 40;
}

void columns_bind(struct reader *r, const struct node *seq, bool words, struct table_column **ret, int *n) {
    static const char *const TYPE[] = {"text", "num", "int", "bool", "date"};
    static const enum lfield_type AS[] = {LF_TEXT, LF_NUM, LF_INT, LF_BOOL, LF_DAY};
    struct table_column *out = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *out);
    *ret = out;
    for (const struct node *m = out ? seq->child : NULL; m && !r->bad; m = m->next) {
        node_keys(r, m, words ? "key zh en unit type of" : "key zh en unit type");
        struct table_column *c = &out[*n];
        *c = (struct table_column){node_text(r, m, "key", NULL),
                                   node_text(r, m, "zh", NULL),
                                   node_text(r, m, "en", NULL),
                                   node_text(r, m, "unit", ""),
                                   AS[node_choice(r, m, "type", TYPE, 5)],
                                   "",
                                   NULL};
        const struct node *of = node_get(m, "of");
        if (of && of->kind == NODE_SEQ) c->list = list_inline(r, of, c->key);
        if (of && of->kind != NODE_SEQ) c->of = node_text(r, m, "of", "");
        if (!r->bad && !key_good(c->key)) node_fail(r, m, "column \"%s\": small letters, digits and _, beginning with a letter", c->key);
        for (int i = 0; i < *n && !r->bad; i++)
            if (!strcmp(out[i].key, c->key)) node_fail(r, m, "column %s is there twice", c->key);
        ++*n;
    }
    if (!r->bad && !*n) node_fail(r, seq, "a table has at least one column");
}

static void cell_bind(struct reader *r, const struct node *n, const struct table_column *c, const char **ret) {
    zb_fix v;
    int64_t i;
    int32_t day;
    if (n->kind != NODE_SCALAR) return node_fail(r, n, "%s: one value is expected", c->key);
    struct str t = str_of(n->text);
    bool good = true;
    if (t.n) switch (c->type) {
        case LF_NUM: good = num_fix(t, &v); break;
        case LF_INT: good = num_i64(t, -9007199254740991, 9007199254740991, &i); break;
        case LF_BOOL: good = str_is(t, "true") || str_is(t, "false"); break;
        case LF_DAY: good = zb_day_parse(t, &day); break;
        default: break;
        }
    if (!good) node_fail(r, n, "%s: \"%s\" is not of type %s (\"\" is no value)", c->key, n->text, LFIELD_TYPE_KEY[c->type]);
    *ret = n->text;
}

void bind_table(struct reader *r, const struct node *root, struct code_table *t) {
    node_keys(r, root, "table id zh en source status document columns rows");
    *t = (struct code_table){.key = node_text(r, root, "table", NULL),
                             .id = node_text(r, root, "id", ""),
                             .zh = node_text(r, root, "zh", NULL),
                             .en = node_text(r, root, "en", NULL),
                             .source = node_text(r, root, "source", NULL),
                             .document = node_text(r, root, "document", "")};
    const char *status = node_text(r, root, "status", "");
    const struct node *cols = r->bad ? NULL : node_seq(r, root, "columns"), *rows = r->bad ? NULL : node_seq(r, root, "rows");
    if (!rows) return;
    if (!key_good(t->key) || !strcmp(t->key, "list") || !strcmp(t->key, "edition"))
        node_fail(r, root, "table \"%s\": small letters, digits and _; list and edition are taken", t->key);
    if (status[0] && strcmp(status, "to_be_loaded")) node_fail(r, node_get(root, "status"), "status: \"%s\" is not one of to_be_loaded", status);
    if (!r->bad && (status[0] != 0) != (t->document[0] != 0))
        node_fail(r, root, "status: to_be_loaded goes with `document`, which says what must be got, and the other way round");
    if (!r->bad && (status[0] != 0) == (rows->n > 0)) node_fail(r, rows, "a table has rows, or it is to be loaded");
    columns_bind(r, cols, false, &t->column, &t->columns);
    t->cell = r->bad ? NULL : arena_alloc(r->a, ((size_t)rows->n * (size_t)t->columns + 1) * sizeof *t->cell);
    for (const struct node *n = t->cell ? rows->child : NULL; n && !r->bad; n = n->next) {
        if (n->kind != NODE_SEQ || n->n != t->columns) return node_fail(r, n, "a row of %d values is expected here", t->columns);
        int c = 0;
        for (const struct node *m = n->child; m && !r->bad; m = m->next, c++) cell_bind(r, m, &t->column[c], &t->cell[t->rows * t->columns + c]);
        t->rows++;
    }
}
