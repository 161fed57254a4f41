/* JSON families: members by name or by path "a.b", numbers as numbers or as texts. Depth and number of values are counted before anything is built. */
#include "sense/inside.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8, VALUES_MAX = 400000, EXT_MAX = 400 };

static int measure(struct str s, struct zb_err *e) {
    int depth = 0, values = 0;
    bool text = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (text) {
            if (c == '\\')
                i++;
            else
                text = c != '"';
        } else if (c == '"') {
            text = true;
        } else if (c == '{' || c == '[') {
            values++;
            if (++depth > DEPTH_MAX) return zb_fail(e, ZB_E_LIMIT, "values stand more than %d deep", DEPTH_MAX);
        } else if (c == '}' || c == ']') {
            depth--;
        } else {
            values += c == ',';
        }
        if (values > VALUES_MAX) return zb_fail(e, ZB_E_LIMIT, "more than %d values in one file", VALUES_MAX);
    }
    return ZB_OK;
}

static struct str real_text(double v, struct arena *a) {
    char z[64];
    if (!isfinite(v) || fabs(v) >= 9e12) return STR("1e99"); /* refused by its field */
    int n = snprintf(z, sizeof z, "%.6f", v);
    while (n > 1 && z[n - 1] == '0') n--;
    if (z[n - 1] == '.') n--;
    return (struct str){arena_str(a, (struct str){z, (size_t)n}), (size_t)n};
}

/* A value as a cell; a list of plain values joined by commas, anything else as its JSON. */
static struct str text_of(const json_t *v, struct arena *a) {
    char *s = NULL;
    size_t i;
    json_t *x;
    if (json_is_string(v)) return str_trim((struct str){json_string_value(v), json_string_length(v)});
    if (json_is_integer(v)) return str_of(arena_printf(a, "%lld", (long long)json_integer_value(v)));
    if (json_is_real(v)) return real_text(json_real_value(v), a);
    if (json_is_boolean(v)) return json_is_true(v) ? STR("1") : STR("0");
    if (!v || json_is_null(v)) return (struct str){"", 0};
    bool plain = json_is_array(v);
    json_array_foreach(v, i, x) plain &= json_is_string(x) || json_is_integer(x);
    if (!plain) {
        s = json_dumps(v, JSON_COMPACT);
        struct str kept = str_of(s ? arena_str(a, str_of(s)) : "");
        free(s);
        return kept;
    }
    struct str all = {"", 0};
    json_array_foreach(v, i, x) {
        struct str one = text_of(x, a);
        char *joined = arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(all), i ? "," : "", STR_ARG(one));
        if (!joined || all.n > EXT_MAX) break;
        all = str_of(joined);
    }
    return all;
}

static const json_t *at_path(const json_t *o, const char *path) {
    struct str rest = str_of(path);
    while (rest.p && o) {
        struct str one = str_cut(rest, '.', &rest);
        char key[64];
        str_copy(one, key, sizeof key);
        o = json_object_get(o, key);
    }
    return o;
}

static void take(const json_t *o, const struct record_layout *l, struct str *to, struct arena *a) {
    for (int i = 0; i < l->n; i++) to[i] = text_of(at_path(o, l->f[i].at), a);
}

static bool known(const struct record_layout *l, const char *key) {
    size_t n = strlen(key);
    for (int i = 0; i < l->n; i++)
        if (!strncmp(l->f[i].at, key, n) && (!l->f[i].at[n] || l->f[i].at[n] == '.')) return true;
    return false;
}

static struct str surplus(const json_t *o, const struct record_layout *l, struct arena *a) {
    struct str ext = {"", 0};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v) {
        if (known(l, key) || ext.n > EXT_MAX) continue;
        struct str s = json_is_array(v) || json_is_object(v) ? STR("...") : text_of(v, a);
        char *joined = arena_printf(a, STR_FMT "%s%.60s=%.*s", STR_ARG(ext), ext.n ? ";" : "", key, s.n > 200 ? 200 : (int)s.n, s.p);
        if (joined) ext = str_of(joined);
    }
    return ext;
}

static int records(struct decode *d, const json_t *list, struct batch *b, struct zb_err *e) {
    const struct record_layout *l = &b->format->body;
    struct str *cells;
    size_t i;
    json_t *o;
    if (records_room(b, json_array_size(list) + 1, d->a, &cells, e) != ZB_OK) return e->rc;
    json_array_foreach(list, i, o) {
        struct str *cell = cells + (size_t)b->n * (size_t)l->n;
        if (!json_is_object(o)) {
            refusal_add(b, d->a, (int)i + 1, "", "is not an object");
            b->refused++;
            continue;
        }
        take(o, l, cell, d->a);
        record_take(d->p, cell, (int)i + 1, surplus(o, l, d->a), d->a, b);
    }
    return ZB_OK;
}

/* Texts are views into the parsed tree: they move to the arena before it goes. */
static bool own(struct str *s, int n, struct arena *a) {
    for (int i = 0; i < n; i++)
        if (s[i].n && !(s[i].p = arena_str(a, s[i]))) return false;
    return true;
}

int json_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e) {
    const struct format *f = b->format;
    if (bytes.p[bytes.n - 1] != '}' && bytes.p[bytes.n - 1] != ']') {
        d->truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the file does not end with } or ]: it is not complete");
    }
    if (measure(bytes, e) != ZB_OK) return e->rc;
    json_error_t why;
    json_t *root = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &why);
    if (!root) return zb_fail(e, ZB_E_INPUT, "line %d, column %d: %s", why.line, why.column, why.text);
    const json_t *list = f->list[0] ? json_object_get(root, f->list) : root;
    int rc = ZB_OK;
    if (!json_is_array(list))
        rc = f->list[0] ? zb_fail(e, ZB_E_INPUT, "member %s must be there and be a list", f->list) : zb_fail(e, ZB_E_INPUT, "the file must be a list [ … ]");
    if (rc == ZB_OK) {
        take(root, &f->header, b->header, d->a);
        rc = records(d, list, b, e);
    }
    bool room = rc != ZB_OK || own(b->header, f->header.n, d->a);
    for (int i = 0; i < b->n && room && rc == ZB_OK; i++) room = own((struct str *)b->rec[i].cell, f->body.n, d->a);
    if (!room) rc = zb_fail(e, ZB_E_LIMIT, "the file's texts need more memory than one upload may take");
    json_decref(root);
    b->memo_text = (struct str){NULL, 0}; /* it was a view into the tree */
    return rc;
}
