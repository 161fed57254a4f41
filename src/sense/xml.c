/* XML families (DB14/T 671.1: one head, any number of records, all values in attributes). Strict: no document type, no entities beyond
 * the five, at most 4 elements deep. Attributes are matched by name. What a writer that concatenates text leaves raw is mended once. */
#include "sense/inside.h"
#include <expat.h>
#include <strings.h>

enum { DEPTH_MAX = 4, NAMES = 64, EXT_MAX = 400 };
struct names { /* expat gives one attribute name the same address all through a file */
    const char *name;
    int at; /* field, -1 unknown */
};
struct xml {
    struct decode *d;
    struct batch *b;
    XML_Parser x;
    char *text, *end; /* room for values: never longer than the file */
    struct str *cells, *cell;
    struct names seen[2][NAMES]; /* of the head, of records */
    struct str ext;
    int depth, heads, no, track; /* track: field fed by child elements, -1 none */
    bool in_record;
    struct zb_err *e;
    bool failed;
};

static void fail(struct xml *w, const char *what, const char *name) {
    if (w->failed) return;
    w->failed = true;
    zb_fail(w->e, ZB_E_INPUT, "line %lu, column %lu: %s%.60s", XML_GetCurrentLineNumber(w->x), XML_GetCurrentColumnNumber(w->x) + 1, what, name);
    XML_StopParser(w->x, XML_FALSE);
}

static struct str keep(struct xml *w, const char *value) {
    size_t n = strlen(value);
    if ((size_t)(w->end - w->text) < n) return (struct str){"", 0};
    struct str s = {memcpy(w->text, value, n), n};
    w->text += n;
    if (n && ((unsigned char)s.p[0] <= ' ' || (unsigned char)s.p[n - 1] <= ' ')) s = str_trim(s);
    return s;
}

static int field_of(struct xml *w, const struct record_layout *l, struct names *seen, const char *name) {
    struct names *k = &seen[((uintptr_t)name >> 4) % NAMES];
    if (k->name == name) return k->at;
    *k = (struct names){name, -1};
    for (int i = 0; i < l->n && k->at < 0; i++)
        if (!strcmp(l->f[i].at, name)) k->at = i;
    (void)w;
    return k->at;
}

static void ext_add(struct xml *w, const char *name, const char *value) {
    if (w->ext.n > EXT_MAX) return;
    char *s = arena_printf(w->d->a, "%.*s%s%s=%.200s", (int)w->ext.n, w->ext.p, w->ext.n ? ";" : "", name, value);
    if (s) w->ext = str_of(s);
}

static void take(struct xml *w, const struct record_layout *l, struct names *seen, struct str *to, const char **atts) {
    for (int i = 0; i < l->n; i++) to[i] = (struct str){"", 0};
    w->ext = (struct str){"", 0};
    for (; atts[0]; atts += 2) {
        int at = field_of(w, l, seen, atts[0]);
        if (at >= 0)
            to[at] = keep(w, atts[1]);
        else
            ext_add(w, atts[0], atts[1]);
    }
}

/* child/x y: attributes of children, "x&y,x&y". */
static void child_take(struct xml *w, const char *element, const char **atts) {
    if (w->track < 0) return;
    struct str names, child = str_cut(str_of(w->b->format->body.f[w->track].at), '/', &names);
    if (strlen(element) != child.n || strncasecmp(element, child.p, child.n)) return;
    struct str *to = &w->cell[w->track];
    char *begin = to->n ? (char *)to->p : w->text;
    if (to->n && to->p + to->n != w->text) return; /* something else was kept between: cannot be, records do not nest */
    struct str rest = names;
    for (bool first = true; rest.p; first = false) {
        struct str name = str_cut(rest, ' ', &rest);
        if (w->text < w->end && (!first || to->n)) *w->text++ = first ? ',' : '&';
        for (const char **a = atts; a[0]; a += 2)
            if (str_is(name, a[0])) (void)keep(w, a[1]);
    }
    *to = (struct str){begin, (size_t)(w->text - begin)};
}

static void start(void *arg, const char *name, const char **atts) {
    struct xml *w = arg;
    const struct format *f = w->b->format;
    w->depth++;
    if (w->depth == 1) {
        if (strcasecmp(name, f->root)) fail(w, "the root element must be root, not ", name);
    } else if (w->depth == 2 && !strcasecmp(name, f->list)) {
        w->cell = w->cells + (size_t)w->b->n * (size_t)f->body.n;
        take(w, &f->body, w->seen[1], w->cell, atts);
        w->in_record = true;
        w->no++;
    } else if (w->depth == 2 && !strcasecmp(name, f->head)) {
        if (w->heads++)
            fail(w, "a second ", name);
        else
            take(w, &f->header, w->seen[0], w->b->header, atts);
    } else if (w->depth == 3 && w->in_record) {
        child_take(w, name, atts);
    } else if (w->depth > DEPTH_MAX) {
        fail(w, "elements stand too deep: ", name);
    }
}

static void end(void *arg, const char *name) {
    struct xml *w = arg;
    (void)name;
    if (w->depth == 2 && w->in_record) {
        record_take(w->d->p, w->cell, w->no, w->ext, w->d->a, w->b);
        w->in_record = false;
    }
    w->depth--;
}

static void doctype(void *arg, const char *name, const char *sys, const char *pub, int internal) {
    (void)sys, (void)pub, (void)internal;
    fail(arg, "a document type declaration is not taken: ", name);
}

/* Inside a quoted attribute < becomes &lt; and an & that begins no entity &amp;. */
static bool entity(const char *p, const char *end) {
    static const char *const E[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
    for (int i = 0; i < 5; i++)
        if ((size_t)(end - p) >= strlen(E[i]) && !memcmp(p, E[i], strlen(E[i]))) return true;
    return end - p > 3 && p[1] == '#';
}

static struct str repair(struct str s, struct arena *a) {
    size_t odd = 0;
    for (size_t i = 0; i < s.n; i++) odd += s.p[i] == '<' || s.p[i] == '&';
    char *out = s.n + 4 * odd < (size_t)64 << 20 ? arena_alloc(a, s.n + 4 * odd + 1) : NULL;
    if (!out) return (struct str){NULL, 0};
    char *to = out, quote = 0;
    bool tag = false;
    for (const char *p = s.p, *end = s.p + s.n; p < end; p++) {
        if (quote && (*p == '<' || (*p == '&' && !entity(p, end)))) {
            const char *e = *p == '<' ? "&lt;" : "&amp;";
            memcpy(to, e, strlen(e));
            to += strlen(e);
            continue;
        }
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if (tag && (*p == '"' || *p == '\''))
            quote = *p;
        else
            tag = *p == '<' || (tag && *p != '>');
        *to++ = *p;
    }
    return (struct str){out, (size_t)(to - out)};
}

static int parse(struct decode *d, struct str bytes, struct batch *b, bool *raw, struct zb_err *e) {
    struct xml w = {.d = d, .b = b, .e = e, .track = -1};
    const struct record_layout *l = &b->format->body;
    size_t most = 1;
    for (const char *q = bytes.p, *stop = q + bytes.n; q < stop && (q = memchr(q, '<', (size_t)(stop - q))); q++) most += stop - q > 1 && q[1] != '/';
    if (records_room(b, most, d->a, &w.cells, e) != ZB_OK) return e->rc;
    w.text = arena_alloc(d->a, bytes.n + 1);
    if (!w.text) return zb_fail(e, ZB_E_LIMIT, "the file's text needs more memory than one upload may take");
    w.end = w.text + bytes.n;
    for (int i = 0; i < l->n; i++)
        if (strchr(l->f[i].at, '/')) w.track = i;
    w.x = XML_ParserCreate("UTF-8");
    if (!w.x) zb_bug(__FILE__, __LINE__, "no memory");
    XML_SetUserData(w.x, &w);
    XML_SetElementHandler(w.x, start, end);
    XML_SetStartDoctypeDeclHandler(w.x, doctype);
    enum XML_Status ok = XML_Parse(w.x, bytes.p, (int)bytes.n, 1);
    enum XML_Error why = XML_GetErrorCode(w.x);
    if (ok != XML_STATUS_OK && !w.failed)
        zb_fail(e, ZB_E_INPUT, "line %lu, column %lu: %s", XML_GetCurrentLineNumber(w.x), XML_GetCurrentColumnNumber(w.x) + 1, XML_ErrorString(why));
    *raw = ok != XML_STATUS_OK && !w.failed && (why == XML_ERROR_INVALID_TOKEN || why == XML_ERROR_UNDEFINED_ENTITY || why == XML_ERROR_SYNTAX);
    XML_ParserFree(w.x);
    if (ok != XML_STATUS_OK) return e->rc;
    return w.heads ? ZB_OK : zb_fail(e, ZB_E_INPUT, "the file has no %s element", b->format->head);
}

int xml_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e) {
    size_t n = strlen(b->format->root) + 3;
    if (bytes.n < n || strncasecmp(bytes.p + bytes.n - n + 2, b->format->root, n - 3) || memcmp(bytes.p + bytes.n - n, "</", 2)) {
        d->truncated = true;
        return zb_fail(e, ZB_E_INPUT, "the file does not end with </%s>: it is not complete", b->format->root);
    }
    bool raw;
    if (parse(d, bytes, b, &raw, e) == ZB_OK) return ZB_OK;
    if (!raw) return e->rc;
    struct zb_err first = *e;
    struct str mended = repair(bytes, d->a);
    b->n = b->refused = b->whys = 0;
    if (!mended.p || parse(d, mended, b, &raw, e) != ZB_OK) {
        *e = first;
        return e->rc;
    }
    b->repaired = true;
    b->warned++;
    return ZB_OK;
}
