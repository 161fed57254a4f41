#include "policy/tree.h"
#include <stdio.h>
#include <yaml.h>

#define DEPTH_MAX 32
#define NODES_MAX 200000

void node_fail(struct reader *r, const struct node *n, const char *fmt, ...) {
    if (r->bad) return;
    r->bad = true;
    char text[360];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    zb_fail(r->e, ZB_E_INPUT, "%s:%d:%d: %s", r->file, n ? n->line : 1, n ? n->col : 1, text);
}

struct build {
    struct reader *r;
    struct node *root, *stack[DEPTH_MAX];
    int depth, nodes;
    struct node *key;
};

static struct node *node_make(struct build *b, const yaml_event_t *ev, enum node_kind kind) {
    struct node *n = arena_alloc(b->r->a, sizeof *n);
    struct node at = {.line = (int)ev->start_mark.line + 1, .col = (int)ev->start_mark.column + 1};
    if (!n || ++b->nodes > NODES_MAX) {
        node_fail(b->r, &at, "more than %d nodes or too much text", NODES_MAX);
        return NULL;
    }
    *n = at;
    n->kind = kind;
    return n;
}

static void put(struct node *parent, struct node *n) {
    if (parent->last)
        parent->last->next = n;
    else
        parent->child = n;
    parent->last = n;
    parent->n++;
}

static void scalar_text(struct build *b, struct node *n, const yaml_event_t *ev) {
    struct str s = {(const char *)ev->data.scalar.value, ev->data.scalar.length};
    if (memchr(s.p, 0, s.n)) node_fail(b->r, n, "a NUL byte in a text");
    n->text = arena_str(b->r->a, s);
    n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!n->text) node_fail(b->r, n, "too much text");
}

static void duplicate_check(struct build *b, const struct node *map, const struct node *key) {
    for (const struct node *c = map->child; c; c = c->next)
        if (!strcmp(c->key, key->text)) node_fail(b->r, key, "key %s is there twice (first at line %d)", key->text, c->line);
}

static void attach(struct build *b, struct node *n) {
    if (!b->depth) {
        b->root = n;
        return;
    }
    struct node *parent = b->stack[b->depth - 1];
    if (parent->kind == NODE_SEQ) {
        put(parent, n);
    } else if (!b->key) {
        if (n->kind != NODE_SCALAR) {
            node_fail(b->r, n, "a key must be a plain text");
            return;
        }
        duplicate_check(b, parent, n);
        b->key = n;
    } else {
        n->key = b->key->text;
        put(parent, n);
        b->key = NULL;
    }
}

static void down(struct build *b, struct node *n) {
    if (b->depth == DEPTH_MAX) {
        node_fail(b->r, n, "nested deeper than %d", DEPTH_MAX);
        return;
    }
    attach(b, n);
    b->stack[b->depth++] = n;
}

static void take(struct build *b, const yaml_event_t *ev, int *documents) {
    struct node at = {.line = (int)ev->start_mark.line + 1, .col = (int)ev->start_mark.column + 1};
    struct node *n;
    switch (ev->type) {
    case YAML_ALIAS_EVENT: node_fail(b->r, &at, "aliases (*name) are not taken: write it out"); break;
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1) node_fail(b->r, &at, "a second document: one file holds one");
        break;
    case YAML_SCALAR_EVENT:
        if (ev->data.scalar.anchor || (ev->data.scalar.tag && !ev->data.scalar.quoted_implicit && !ev->data.scalar.plain_implicit))
            node_fail(b->r, &at, "anchors and tags are not taken");
        if ((n = node_make(b, ev, NODE_SCALAR))) {
            scalar_text(b, n, ev);
            if (!b->r->bad) attach(b, n);
        }
        break;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        if (ev->type == YAML_MAPPING_START_EVENT ? ev->data.mapping_start.anchor != NULL : ev->data.sequence_start.anchor != NULL)
            node_fail(b->r, &at, "anchors (&name) are not taken");
        if ((n = node_make(b, ev, ev->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_SEQ))) down(b, n);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: b->depth--; break;
    default: break;
    }
}

int tree_parse(struct reader *r, struct str bytes, struct node **ret) {
    struct build b = {.r = r};
    yaml_parser_t y;
    if (!yaml_parser_initialize(&y)) return zb_fail(r->e, ZB_E_IO, "%s: no memory", r->file);
    yaml_parser_set_input_string(&y, (const unsigned char *)bytes.p, bytes.n);
    yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
    int documents = 0;
    for (bool end = false; !end && !r->bad;) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&y, &ev)) {
            struct node at = {.line = (int)y.problem_mark.line + 1, .col = (int)y.problem_mark.column + 1};
            node_fail(r, &at, "%s%s%s", y.problem ? y.problem : "not YAML", y.context ? ", " : "", y.context ? y.context : "");
            break;
        }
        take(&b, &ev, &documents);
        end = ev.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&ev);
    }
    yaml_parser_delete(&y);
    if (!r->bad && (!b.root || b.root->kind != NODE_MAP)) node_fail(r, b.root, "the file must be a map of keys");
    *ret = b.root;
    return r->bad ? ZB_E_INPUT : ZB_OK;
}

static bool word_in(const char *words, const char *w) {
    struct str rest = str_of(words);
    while (rest.p)
        if (str_is(str_cut(rest, ' ', &rest), w)) return true;
    return false;
}

void node_keys(struct reader *r, const struct node *map, const char *allowed) {
    if (r->bad) return;
    if (map->kind != NODE_MAP) {
        node_fail(r, map, "a map with the keys %s is expected here", allowed);
        return;
    }
    for (const struct node *c = map->child; c; c = c->next)
        if (!word_in(allowed, c->key)) {
            node_fail(r, c, "unknown key %s; allowed: %s", c->key, allowed);
            return;
        }
}

const struct node *node_get(const struct node *map, const char *key) {
    for (const struct node *c = map && map->kind == NODE_MAP ? map->child : NULL; c; c = c->next)
        if (!strcmp(c->key, key)) return c;
    return NULL;
}

const struct node *node_seq(struct reader *r, const struct node *map, const char *key) {
    const struct node *n = r->bad ? NULL : node_get(map, key);
    if (r->bad) return NULL;
    if (!n)
        node_fail(r, map, "key %s is missing", key);
    else if (n->kind != NODE_SEQ)
        node_fail(r, n, "%s must be a list", key);
    return r->bad ? NULL : n;
}

static const struct node *scalar(struct reader *r, const struct node *map, const char *key, bool required) {
    if (r->bad) return NULL;
    const struct node *n = node_get(map, key);
    if (!n && required) node_fail(r, map, "key %s is missing", key);
    if (n && n->kind != NODE_SCALAR) node_fail(r, n, "%s must be one value, not a %s", key, n->kind == NODE_MAP ? "map" : "list");
    return r->bad ? NULL : n;
}

const char *node_text(struct reader *r, const struct node *map, const char *key, const char *absent) {
    const struct node *n = scalar(r, map, key, !absent);
    return n ? n->text : absent ? absent : "";
}

int64_t node_int(struct reader *r, const struct node *map, const char *key, int64_t absent, int64_t min, int64_t max) {
    const struct node *n = scalar(r, map, key, absent == INT64_MIN);
    int64_t v = absent;
    if (n && (n->quoted || !num_i64(str_of(n->text), min, max, &v)))
        node_fail(r, n, "%s: \"%s\" is not a whole number from %lld to %lld", key, n->text, (long long)min, (long long)max);
    return v;
}

zb_fix node_fix(struct reader *r, const struct node *map, const char *key) {
    const struct node *n = scalar(r, map, key, false);
    zb_fix v = ZB_FIX_NONE;
    if (n && (n->quoted || !num_fix(str_of(n->text), &v))) node_fail(r, n, "%s: \"%s\" is not a number (write 1.0; no comma, no unit)", key, n->text);
    return v;
}

bool node_bool(struct reader *r, const struct node *map, const char *key, bool absent) {
    const struct node *n = scalar(r, map, key, false);
    if (!n) return absent;
    if (!n->quoted && !strcmp(n->text, "true")) return true;
    if (n->quoted || strcmp(n->text, "false")) node_fail(r, n, "%s: \"%s\": write true or false", key, n->text);
    return false;
}

zb_time node_duration(struct reader *r, const struct node *map, const char *key, zb_time absent) {
    static const struct {
        const char *unit;
        zb_time ms;
    } UNIT[] = {{"s", ZB_SECOND}, {"min", ZB_MINUTE}, {"h", ZB_HOUR}, {"d", ZB_DAY}};
    const struct node *n = scalar(r, map, key, absent == ZB_TIME_NONE);
    if (!n) return absent;
    struct str unit, head = str_cut(str_of(n->text), ' ', &unit);
    int64_t v;
    for (size_t i = 0; unit.p && i < 4; i++)
        if (str_is(unit, UNIT[i].unit) && num_i64(head, 0, 1000000, &v)) return v * UNIT[i].ms;
    if (!n->quoted && !strcmp(n->text, "0")) return 0;
    node_fail(r, n, "%s: \"%s\" is not a length of time: write 30 s, 5 min, 2 h or 3 d", key, n->text);
    return 0;
}

int32_t node_day(struct reader *r, const struct node *map, const char *key, int32_t absent) {
    const struct node *n = scalar(r, map, key, false);
    int32_t v = absent;
    if (n && !zb_day_parse(str_of(n->text), &v)) node_fail(r, n, "%s: \"%s\" is not a day: write 2026-02-01", key, n->text);
    return v;
}

int node_choice(struct reader *r, const struct node *map, const char *key, const char *const *names, int count) {
    const struct node *n = scalar(r, map, key, true);
    if (!n) return 0;
    char all[300] = "";
    for (int i = 0; i < count; i++) {
        if (!strcmp(n->text, names[i])) return i;
        size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", names[i]);
    }
    node_fail(r, n, "%s: \"%s\" is not one of %s", key, n->text, all);
    return 0;
}
