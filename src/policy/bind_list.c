/* Files of lists/: code lists, a file each; files of the same list are its editions, each with the time its document was in force. */
#include "policy/bind.h"
#include <stdio.h>

const struct list_item *list_find(const struct code_list *l, struct str key) {
    for (int i = 0; l && i < l->items; i++)
        if (str_is(key, l->item[i].key)) return &l->item[i];
    return NULL;
}

bool list_item_for(const struct list_item *it, struct str kind) {
    const char *kinds = it->kinds[0] || !it->edition ? it->kinds : it->edition->kinds;
    return !kinds[0] || !kind.n || word_in(kinds, kind);
}

const struct list_item *list_valid(const struct code_list *l, struct str key, int32_t day, struct str kind) {
    for (int i = 0; l && i < l->items; i++) {
        const struct list_item *it = &l->item[i];
        if (str_is(key, it->key) && it->from <= day && day <= it->to && list_item_for(it, kind)) return it;
    }
    return NULL;
}

static void item_bind(struct reader *r, const struct node *n, const struct list_edition *ed, struct list_item *it) {
    node_keys(r, n, "key zh en from to cite heading detect sources thresholds kinds after");
    *it = (struct list_item){.key = node_text(r, n, "key", NULL),
                             .zh = node_text(r, n, "zh", NULL),
                             .en = node_text(r, n, "en", NULL),
                             .from = node_day(r, n, "from", ed ? ed->from : INT32_MIN),
                             .to = node_day(r, n, "to", ed ? ed->to : INT32_MAX),
                             .cite = node_text(r, n, "cite", ""),
                             .heading = node_text(r, n, "heading", ""),
                             .detect = node_text(r, n, "detect", ""),
                             .sources = node_text(r, n, "sources", ""),
                             .thresholds = node_text(r, n, "thresholds", ""),
                             .kinds = node_text(r, n, "kinds", ""),
                             .root = node_text(r, n, "after", ""),
                             .edition = ed,
                             .at = n};
    struct str rest = str_of(it->detect);
    while (!r->bad && rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        if (w.n && (w.n > 1 || !strchr("ABCD", w.p[0]))) node_fail(r, node_get(n, "detect"), "detect: \"" STR_FMT "\" is not one of A B C D", STR_ARG(w));
    }
    if (!r->bad && it->from > it->to) node_fail(r, n, "%s ends before it begins", it->key);
}

/* The items of seq behind those the list has. */
static void items_bind(struct reader *r, const struct node *seq, const struct list_edition *ed, struct code_list *l) {
    struct list_item *all = r->bad ? NULL : arena_alloc(r->a, (size_t)(l->items + seq->n + 1) * sizeof *all);
    if (!all) return node_fail(r, seq, "too much for one policy");
    if (l->items) memcpy(all, l->item, (size_t)l->items * sizeof *all);
    l->item = all;
    for (const struct node *n = seq->child; n && !r->bad; n = n->next) {
        struct list_item *it = &all[l->items];
        item_bind(r, n, ed, it);
        for (int i = 0; i < l->items && !r->bad; i++)
            if (!strcmp(all[i].key, it->key) && all[i].to >= it->from && it->to >= all[i].from) node_fail(r, n, "%s is there twice at the same time", it->key);
        if (r->bad) return;
        const struct list_item *before = it->root[0] ? list_find(l, str_of(it->root)) : NULL;
        if (it->root[0] && !before) node_fail(r, node_get(n, "after"), "after: \"%s\" is not an item of an earlier edition", it->root);
        it->root = before ? before->root : it->key;
        l->items++;
    }
}

struct code_list *list_inline(struct reader *r, const struct node *seq, const char *key) {
    struct code_list *l = r->bad ? NULL : arena_alloc(r->a, sizeof *l);
    if (!l) return NULL;
    *l = (struct code_list){.key = key, .id = "", .zh = "", .en = "", .source = ""};
    items_bind(r, seq, NULL, l);
    return l;
}

static void edition_bind(struct reader *r, const struct node *root, struct code_list *l, struct list_edition *ed) {
    const struct node *n = r->bad ? NULL : node_get(root, "edition");
    *ed = (struct list_edition){.key = "",
                                .id = node_text(r, root, "id", ""),
                                .zh = node_text(r, root, "zh", NULL),
                                .en = node_text(r, root, "en", NULL),
                                .source = node_text(r, root, "source", NULL),
                                .kinds = "",
                                .document = node_text(r, root, "document", ""),
                                .from = INT32_MIN,
                                .to = INT32_MAX};
    if (!n || r->bad) return;
    node_keys(r, n, "key zh en from to kinds");
    ed->key = node_text(r, n, "key", NULL);
    ed->zh = node_text(r, n, "zh", NULL);
    ed->en = node_text(r, n, "en", NULL);
    ed->kinds = node_text(r, n, "kinds", "");
    ed->from = node_day(r, n, "from", INT32_MIN);
    ed->to = node_day(r, n, "to", INT32_MAX);
    for (int i = 0; i < l->editions && !r->bad; i++)
        if (!strcmp(l->edition[i].key, ed->key)) node_fail(r, n, "edition %s of list %s is in another file too", ed->key, l->key);
}

#define EDITIONS_MAX 40

void bind_list(struct reader *r, const struct node *root, const struct policy *p, struct code_list *out, bool *joined) {
    node_keys(r, root, "list id zh en source edition status document items");
    const char *key = node_text(r, root, "list", NULL), *status = node_text(r, root, "status", "");
    struct code_list *l = out;
    for (int i = 0; i < p->lists; i++)
        if (!strcmp(p->list[i].key, key)) l = &p->list[i];
    *joined = l != out;
    if (!*joined)
        *l = (struct code_list){.key = key,
                                .id = node_text(r, root, "id", ""),
                                .zh = node_text(r, root, "zh", NULL),
                                .en = node_text(r, root, "en", NULL),
                                .source = node_text(r, root, "source", NULL)};
    if (*joined && !r->bad && (!node_get(root, "edition") || !l->edition[0].key[0]))
        node_fail(r, root, "list %s is in another file too: where a list has editions, each file says `edition`", key);
    if (!l->edition && !r->bad) l->edition = arena_alloc(r->a, EDITIONS_MAX * sizeof *l->edition);
    if (r->bad) return;
    if (!l->edition || l->editions == EDITIONS_MAX) return node_fail(r, root, "list %s: more than %d editions", key, EDITIONS_MAX);
    struct list_edition *ed = &l->edition[l->editions];
    edition_bind(r, root, l, ed);
    const struct node *seq = r->bad ? NULL : node_seq(r, root, "items");
    if (r->bad) return;
    if (strcmp(status, "to_be_loaded") && status[0]) node_fail(r, node_get(root, "status"), "status: \"%s\" is not one of to_be_loaded", status);
    if ((status[0] != 0) != (ed->document[0] != 0))
        node_fail(r, root, "status: to_be_loaded goes with `document`, which says what must be got, and the other way round");
    if (!r->bad && status[0] && seq->n) node_fail(r, seq, "list %s is to be loaded, so it has no items yet: take status away when it is loaded", key);
    l->editions++;
    items_bind(r, seq, ed, l);
}
