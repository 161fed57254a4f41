/* Formats: a file's layout, container and meaning. What a table may say stands here, once. */
#include "policy/bind.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const KIND[] = {
#define X(id, key) key,
    FIELD_KINDS(X)
#undef X
};
static const char *const SYNTAX[] = {
#define X(id, key) key,
    SYNTAXES(X)
#undef X
};
static const char *const FACT[] = {
#define X(id, key) key,
    FACT_KINDS(X)
#undef X
};
static const struct {
    const char *key, *field;
} SLOT[] = {
#define X(id, key, field) {key, field},
    SLOTS(X)
#undef X
};
/* slots of each kind, the needed ones first, ended by "/" */
static const char *const FACT_SLOTS[] = {
    "point / item unit sensor type_name value_type station sys location class range_high range_low hi_alarm hi_clear lo_alarm lo_clear hi_cut hi_restore "
    "lo_cut lo_restore hi_yellow hi_orange hi_red lo_yellow lo_orange lo_red on_desc off_desc x y z relation",
    "point value / item state time unit sensor type_name value_type station sys location class",
    "station run / time",
    "point kind / same_as code level start end peak say",
};

static int field_at(const struct record_layout *l, struct str name) {
    for (int i = 0; i < l->n; i++)
        if (str_is(name, l->f[i].name)) return i;
    return -1;
}

/* "name! kind 中文": the short form of a field. */
static struct field field_short(struct reader *r, const struct node *n) {
    struct str kind, zh, name = str_cut(str_of(n->text), ' ', &kind);
    struct field f = {.min = ZB_FIX_NONE, .max = ZB_FIX_NONE};
    zh = kind;
    if (kind.p) kind = str_cut(kind, ' ', &zh);
    int k = 0;
    while (k < FIELD_KINDS_N && !(kind.p && str_is(kind, KIND[k]))) k++;
    if (!name.n || k == FIELD_KINDS_N) {
        node_fail(r, n, "\"%s\": write \"name kind 中文\", kind one of text dec int time date flag code; name! when it must not be empty", n->text);
        return f;
    }
    f.required = name.p[name.n - 1] == '!';
    f.name = arena_str(r->a, (struct str){name.p, name.n - f.required});
    f.zh = zh.p ? arena_str(r->a, zh) : "";
    f.kind = (enum field_kind)k;
    return f;
}

static struct field field_long(struct reader *r, const struct node *n) {
    node_keys(r, n, "name zh at kind required number max_len min max");
    return (struct field){node_text(r, n, "name", NULL),
                          node_text(r, n, "zh", ""),
                          node_text(r, n, "at", ""),
                          (enum field_kind)node_choice(r, n, "kind", KIND, FIELD_KINDS_N),
                          node_bool(r, n, "required", false),
                          node_bool(r, n, "number", false),
                          (uint16_t)node_int(r, n, "max_len", 0, 1, 60000),
                          node_fix(r, n, "min"),
                          node_fix(r, n, "max")};
}

static void bind_layout(struct reader *r, const struct node *root, const char *key, struct record_layout *out) {
    const struct node *map = r->bad ? NULL : node_get(root, key);
    if (!map && !r->bad) node_fail(r, root, "key %s is missing", key);
    if (r->bad) return;
    node_keys(r, map, "min fields");
    const struct node *seq = node_seq(r, map, "fields");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        if (out->n == FORMAT_FIELDS_MAX) {
            node_fail(r, n, "more than %d fields", FORMAT_FIELDS_MAX);
            return;
        }
        struct field *f = &out->f[out->n];
        *f = n->kind == NODE_SCALAR ? field_short(r, n) : field_long(r, n);
        if (r->bad) return;
        if (!f->at || !f->at[0]) f->at = f->name;
        if (field_at(out, str_of(f->name)) >= 0) node_fail(r, n, "field %s is there twice", f->name);
        out->n++;
    }
    out->min_fields = (int)node_int(r, map, "min", out->n, 0, out->n);
}

static void bind_key(struct reader *r, const struct node *root, struct format *f) {
    if (r->bad || !node_get(root, "key")) return;
    const struct node *seq = node_seq(r, root, "key");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        int at = n->kind == NODE_SCALAR ? field_at(&f->body, str_of(n->text)) : -1;
        if (at < 0 || f->keys == 4)
            node_fail(r, n, "key: at most 4 names of body fields");
        else
            f->key[f->keys++] = at;
    }
}

/* ---- facts ---- */
static bool slot_in(const char *words, const char *key) {
    struct str rest = str_of(words);
    while (rest.p)
        if (str_is(str_cut(rest, ' ', &rest), key)) return true;
    return false;
}

static void bind_source(struct reader *r, const struct node *n, const struct format *f, struct source *s) {
    if (n->kind != NODE_SCALAR) {
        node_fail(r, n, "%s: write a field, a|b, a+b or =text", n->key);
        return;
    }
    if (n->text[0] == '=') {
        s->constant = n->text + 1;
        return;
    }
    s->first = strchr(n->text, '|') != NULL;
    struct str rest = str_of(n->text);
    while (rest.p) {
        struct str name = str_cut(rest, s->first ? '|' : '+', &rest);
        int at = field_at(&f->body, name);
        if (at < 0 || s->fields == 3) {
            node_fail(r, n, "%s: \"%s\": at most 3 names of body fields, a|b (the first not empty) or a+b (joined), or =text", n->key, n->text);
            return;
        }
        s->field[s->fields++] = at;
    }
}

static bool source_given(const struct source *s) { return s->constant || s->fields; }

static void slots_default(struct reader *r, const struct node *n, const struct format *f, struct fact *x) {
    const char *mark = strchr(FACT_SLOTS[x->kind], '/');
    for (int i = 0; i < SLOTS_N && !r->bad; i++) {
        if (!slot_in(FACT_SLOTS[x->kind], SLOT[i].key) || source_given(&x->slot[i])) continue;
        int at = SLOT[i].field[0] ? field_at(&f->body, str_of(SLOT[i].field)) : -1;
        if (at >= 0) {
            x->slot[i].field[0] = at;
            x->slot[i].fields = 1;
        } else if (strstr(FACT_SLOTS[x->kind], SLOT[i].key) < mark) {
            node_fail(r, n, "a %s fact needs %s", FACT[x->kind], SLOT[i].key);
        }
    }
}

static void bind_when(struct reader *r, const struct node *n, const struct format *f, struct fact *x) {
    const char *text = node_text(r, n, "when", "");
    x->when = -1;
    if (r->bad || !text[0]) return;
    struct str words, name = str_cut(str_of(text), '=', &words);
    if (words.p && name.n && name.p[name.n - 1] == '!') {
        x->when_not = true;
        name.n--;
    }
    x->when = field_at(&f->body, name);
    if (!words.p || x->when < 0) node_fail(r, n, "when: \"%s\": write field=word word or field!=word", text);
    x->when_words = words.p ? words.p : "";
}

/* Words the engine acts on must be its own. */
static void words_check(struct reader *r, const struct node *n, const struct fact *x) {
    const enum slot at[] = {SLOT_KIND, SLOT_SAME_AS, SLOT_LEVEL};
    for (int i = 0; i < 3 && !r->bad; i++) {
        const struct source *s = &x->slot[at[i]];
        const char *const *names = at[i] == SLOT_LEVEL ? ALARM_LEVEL_KEY : ALARM_KIND_KEY;
        int many = at[i] == SLOT_LEVEL ? ALARM_LEVELS_N : ALARM_KINDS_N;
        struct str rest = str_of(s->map ? s->map : s->constant);
        while (rest.p && !r->bad) {
            struct str word = str_cut(rest, ' ', &rest), to;
            if (s->map) (void)str_cut(word, '=', &to), word = to;
            bool known = word.p && at[i] == SLOT_LEVEL && str_is(word, "end");
            for (int k = 0; word.p && k < many; k++) known |= str_is(word, names[k]);
            if (!known) node_fail(r, n, "%s: \"" STR_FMT "\" is no alarm %s", SLOT[at[i]].key, STR_ARG(word), at[i] == SLOT_LEVEL ? "level" : "kind");
        }
    }
}

static void bind_fact(struct reader *r, const struct node *n, const struct format *f, struct fact *x) {
    *x = (struct fact){.kind = (enum fact_kind)node_choice(r, n, "fact", FACT, FACT_KINDS_N)};
    if (r->bad) return;
    char allowed[600];
    snprintf(allowed, sizeof allowed, "fact when every instant quiet unset map %s", FACT_SLOTS[x->kind]);
    node_keys(r, n, allowed);
    const struct node *maps = r->bad ? NULL : node_get(n, "map");
    if (maps && maps->kind != NODE_MAP) node_fail(r, maps, "map: write slot: \"from=to from=to\"");
    for (int i = 0; i < SLOTS_N && !r->bad; i++) {
        const struct node *s = slot_in(FACT_SLOTS[x->kind], SLOT[i].key) ? node_get(n, SLOT[i].key) : NULL;
        if (s) bind_source(r, s, f, &x->slot[i]);
        if (maps && node_get(maps, SLOT[i].key)) x->slot[i].map = node_text(r, maps, SLOT[i].key, NULL);
    }
    if (maps) node_keys(r, maps, FACT_SLOTS[x->kind]);
    bind_when(r, n, f, x);
    x->every = node_duration(r, n, "every", 0);
    x->instant = node_bool(r, n, "instant", false);
    x->quiet = node_bool(r, n, "quiet", false);
    const char *unset = node_text(r, n, "unset", "");
    x->unset_zero = slot_in(unset, "0");
    x->unset_negative = slot_in(unset, "-0.01");
    slots_default(r, n, f, x);
    words_check(r, n, x);
    const enum slot plain[] = {SLOT_POINT, SLOT_VALUE, SLOT_TIME, SLOT_STATE};
    x->plain = x->kind == FACT_SAMPLE && !source_given(&x->slot[SLOT_ITEM]) && x->slot[SLOT_TIME].fields == 1 && x->when < 0;
    for (int i = 0; i < 4; i++) x->plain &= !x->slot[plain[i]].constant && !x->slot[plain[i]].map && x->slot[plain[i]].fields <= 1;
}

static void bind_facts(struct reader *r, const struct node *root, struct format *f) {
    if (r->bad) return;
    const struct node *seq = node_get(root, "facts") ? node_seq(r, root, "facts") : NULL;
    f->fact = arena_alloc(r->a, (size_t)(seq ? seq->n : 0) * sizeof *f->fact + 1);
    if (!f->fact) node_fail(r, root, "too much for one policy");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        if (f->facts == FACTS_MAX) {
            node_fail(r, n, "more than %d facts", FACTS_MAX);
            return;
        }
        bind_fact(r, n, f, &f->fact[f->facts]);
        f->has |= 1u << f->fact[f->facts++].kind;
    }
    if (!r->bad && !f->facts && !f->keep[0] && f->syntax != SYNTAX_RAW) node_fail(r, root, "format %s says nothing: give facts, keep, or syntax: raw", f->type);
}

/* ---- containers ---- */
static void bind_ends(struct reader *r, const struct node *root, struct format *f) {
    struct str rest = str_of(node_text(r, root, "ends", "~ ||"));
    while (rest.p && !r->bad) { /* "~ ||", or "^ ]]], ~ ||": the first is written, both are read */
        struct str file, one = str_trim(str_cut(rest, ',', &rest)), rec = str_cut(one, ' ', &file);
        if (rec.n != 1 || !file.p || !file.n || f->ends == 2) {
            node_fail(r, root, "ends: write a record's mark, a blank and the file's mark; at most two pairs with a comma between");
            return;
        }
        f->end[f->ends].rec = rec.p[0];
        f->end[f->ends++].file = arena_str(r->a, file);
    }
    const char *head = node_text(r, root, "head_end", "");
    f->head_end = head[0];
}

static void bind_one(struct reader *r, const struct node *root, struct format *f) {
    static const char *const EXT[] = {"txt", "txt -", "xml", "json", "csv", "txt xml json csv dat -"};
    node_keys(r, root,
              "source family type zh assumed syntax ext mine_len gb18030 ends head_end root code head list period keep link max_bytes key header body facts");
    f->family = node_text(r, root, "family", NULL);
    f->type = node_text(r, root, "type", NULL);
    f->zh = node_text(r, root, "zh", NULL);
    f->assumed = node_text(r, root, "assumed", "");
    f->syntax = node_get(root, "syntax") ? (enum syntax)node_choice(r, root, "syntax", SYNTAX, SYNTAXES_N) : SYNTAX_RECORDS;
    f->ext = node_text(r, root, "ext", EXT[f->syntax]);
    f->mine_len = node_text(r, root, "mine_len", "12");
    f->gb18030 = node_bool(r, root, "gb18030", false);
    f->root = node_text(r, root, "root", "");
    f->code = node_text(r, root, "code", "");
    f->head = node_text(r, root, "head", "");
    f->list = node_text(r, root, "list", "");
    f->keep = node_text(r, root, "keep", "");
    f->period_s = (int)(node_duration(r, root, "period", 0) / ZB_SECOND);
    f->link = node_bool(r, root, "link", true);
    f->max_bytes = (size_t)node_int(r, root, "max_bytes", f->syntax == SYNTAX_JSON ? 4 << 20 : 20 << 20, 1, 64 << 20);
    bind_ends(r, root, f);
    f->head_mine = f->head_time = -1;
    if (f->syntax != SYNTAX_RAW) {
        if (node_get(root, "header")) bind_layout(r, root, "header", &f->header);
        bind_layout(r, root, "body", &f->body);
        bind_key(r, root, f);
        f->head_mine = field_at(&f->header, STR("mine"));
        f->head_time = field_at(&f->header, STR("time"));
    }
    bind_facts(r, root, f);
    if (r->bad) return;
    for (const char *c = f->type; *c; c++)
        if (!((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z'))) node_fail(r, root, "type \"%s\": letters only", f->type);
    if (strlen(f->type) < 3 || strlen(f->type) > 20) node_fail(r, root, "type \"%s\": 3 to 20 letters", f->type);
    if (f->syntax == SYNTAX_XML && (!f->root[0] || !f->head[0] || !f->list[0])) node_fail(r, root, "XML needs root, head and list: names of elements");
}

/* One of several: what it does not say stands at the file's top. */
static struct node *with_top(struct reader *r, const struct node *one, const struct node *root) {
    struct node *all = arena_alloc(r->a, sizeof *all), **end = all ? &all->child : NULL;
    if (!all) return NULL;
    *all = *one;
    all->child = NULL;
    for (int pass = 0; pass < 2; pass++)
        for (const struct node *c = pass ? root->child : one->child; c; c = c->next) {
            if (pass && (!strcmp(c->key, "formats") || node_get(one, c->key))) continue;
            struct node *copy = arena_alloc(r->a, sizeof *copy);
            if (!copy) return NULL;
            *copy = *c;
            copy->next = NULL;
            *end = copy;
            end = &copy->next;
        }
    return all;
}

void bind_formats(struct reader *r, const struct node *root, struct format *f, int *n) {
    const struct node *seq = node_get(root, "formats") ? node_seq(r, root, "formats") : NULL;
    for (const struct node *one = seq ? seq->child : root; one && !r->bad; one = seq ? one->next : NULL) {
        if (*n == FORMATS_MAX) {
            node_fail(r, one, "more than %d formats", FORMATS_MAX);
            return;
        }
        if (one->kind != NODE_MAP) {
            node_fail(r, one, "a format is a map");
            return;
        }
        struct node *all = seq ? with_top(r, one, root) : NULL;
        if (seq && !all) node_fail(r, one, "too much for one policy");
        if (r->bad) return;
        bind_one(r, all ? all : one, &f[*n]);
        for (int i = 0; i < *n && !r->bad; i++)
            if (!strcmp(f[i].type, f[*n].type) && !strcmp(f[i].family, f[*n].family))
                node_fail(r, one, "type %s of family %s is there already", f[*n].type, f[*n].family);
        ++*n;
    }
}

static int by_type(const void *a, const void *b) {
    const struct format *x = *(const struct format *const *)a, *y = *(const struct format *const *)b;
    int r = strcasecmp(x->type, y->type);
    return r ? r : (x > y) - (x < y);
}

void formats_index(struct policy *p) {
    p->format_by_type = arena_alloc(p->arena, (size_t)(p->formats + 1) * sizeof *p->format_by_type);
    if (!p->format_by_type) return;
    for (int i = 0; i < p->formats; i++) p->format_by_type[i] = &p->format[i];
    qsort(p->format_by_type, (size_t)p->formats, sizeof *p->format_by_type, by_type);
}

int policy_formats(const struct policy *p, struct str type, const struct format *const **ret) {
    int lo = 0, hi = p->formats;
    char z[24];
    if (!type.n || type.n >= sizeof z) return 0;
    memcpy(z, type.p, type.n);
    z[type.n] = 0;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (strcasecmp(p->format_by_type[mid]->type, z) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret = p->format_by_type + lo;
    int n = 0;
    while (lo + n < p->formats && !strcasecmp(p->format_by_type[lo + n]->type, z)) n++;
    return n;
}

const struct format *policy_format(const struct policy *p, struct str type) {
    const struct format *const *f;
    return policy_formats(p, type, &f) ? f[0] : NULL;
}
