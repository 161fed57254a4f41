/* Files from cells, by the same tables the decoders read. */
#include "sense/inside.h"
#include <stdio.h>

static bool full_width(struct str s) { return s.p && s.n && (memmem(s.p, s.n, "\xEF\xBC\x9B", 3) || memmem(s.p, s.n, "\xEF\xBD\x9E", 3)); }

static bool separator_in(const struct format *f, struct str s) {
    if (!s.n) return false;
    if (f->syntax == SYNTAX_LINES) return memchr(s.p, ';', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n);
    return memchr(s.p, ';', s.n) || memchr(s.p, f->end[0].rec, s.n) || memmem(s.p, s.n, f->end[0].file, strlen(f->end[0].file)) || full_width(s);
}

static int row_put(const struct format *f, const struct record_layout *l, const struct str *row, const char *end, struct buf *out, struct zb_err *e) {
    for (int i = 0; i < l->n; i++) {
        if (separator_in(f, row[i])) return zb_fail(e, ZB_E_INPUT, "field %s holds a separator: " STR_FMT, l->f[i].name, STR_ARG(row[i]));
        if (i) buf_putc(out, ';');
        buf_put(out, row[i].p, row[i].n);
    }
    buf_puts(out, end);
    return ZB_OK;
}

static int text_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out, struct zb_err *e) {
    bool records = f->syntax == SYNTAX_RECORDS;
    const char end[2] = {records ? f->end[0].rec : '\n', 0}, head_end[2] = {f->head_end ? f->head_end : end[0], 0};
    if (records && row_put(f, &f->header, header, head_end, out, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++)
        if (row_put(f, &f->body, rows[i], end, out, e) != ZB_OK) return e->rc;
    if (records) buf_puts(out, f->end[0].file);
    return ZB_OK;
}

static void csv_cell(struct buf *out, struct str s) {
    bool quote = s.n && (memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n) || memchr(s.p, '\n', s.n));
    if (!quote) {
        buf_put(out, s.p, s.n);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_putc(out, '"');
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, '"');
}

static void csv_encode(const struct format *f, const struct str *const *rows, int n, struct buf *out) {
    for (int i = 0; i < f->body.n; i++) buf_printf(out, "%s%s", i ? "," : "", f->body.f[i].at);
    buf_puts(out, "\r\n");
    for (int r = 0; r < n; r++) {
        for (int i = 0; i < f->body.n; i++) {
            if (i) buf_putc(out, ',');
            csv_cell(out, rows[r][i]);
        }
        buf_puts(out, "\r\n");
    }
}

/* ---- XML ---- */
static void xml_attribute(struct buf *out, struct str name, struct str v) {
    buf_printf(out, " " STR_FMT "=\"", STR_ARG(name));
    for (size_t i = 0; i < v.n; i++) switch (v.p[i]) {
        case '<': buf_puts(out, "&lt;"); break;
        case '&': buf_puts(out, "&amp;"); break;
        case '"': buf_puts(out, "&quot;"); break;
        case '\n': buf_puts(out, "&#10;"); break;
        case '\t': buf_puts(out, "&#9;"); break;
        default: buf_putc(out, v.p[i]);
        }
    buf_putc(out, '"');
}

/* "x&y,x&y" as <child a="x" b="y"/>… */
static void xml_children(struct buf *out, const char *at, struct str v) {
    struct str names, child = str_cut(str_of(at), '/', &names);
    while (v.p && v.n) {
        struct str one = str_cut(v, ',', &v), rest = names;
        buf_printf(out, "<" STR_FMT, STR_ARG(child));
        while (rest.p) {
            struct str name = str_cut(rest, ' ', &rest), value = one.p ? str_cut(one, '&', &one) : (struct str){"", 0};
            xml_attribute(out, name, value);
        }
        buf_puts(out, "/>");
    }
}

static void xml_element(struct buf *out, const char *name, const struct record_layout *l, const struct str *row) {
    int children = -1;
    buf_printf(out, "<%s", name);
    for (int i = 0; i < l->n; i++) {
        if (strchr(l->f[i].at, '/'))
            children = row[i].n ? i : children;
        else if (row[i].n)
            xml_attribute(out, str_of(l->f[i].at), row[i]);
    }
    if (children < 0) {
        buf_puts(out, "/>");
        return;
    }
    buf_putc(out, '>');
    xml_children(out, l->f[children].at, row[children]);
    buf_printf(out, "</%s>", name);
}

static void xml_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out) {
    buf_printf(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?><%s", f->root);
    if (f->code[0]) xml_attribute(out, STR("code"), str_of(f->code));
    buf_putc(out, '>');
    xml_element(out, f->head, &f->header, header);
    for (int i = 0; i < n; i++) xml_element(out, f->list, &f->body, rows[i]);
    buf_printf(out, "</%s>", f->root);
}

/* ---- JSON ---- */
static void json_text(struct buf *out, struct str v) {
    buf_putc(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static void json_value(struct buf *out, const struct field *f, struct str v) {
    if (f->number)
        buf_put(out, v.p, v.n);
    else
        json_text(out, v);
}

/* Members in the layout's order; those of one inner object stand side by side there. */
static bool json_members(struct buf *out, const struct record_layout *l, const struct str *row) {
    struct str open = {"", 0};
    bool any = false, inner = false;
    for (int i = 0; i < l->n; i++) {
        if (!row[i].n) continue;
        struct str name, group = str_cut(str_of(l->f[i].at), '.', &name);
        if (!name.p) name = group, group = (struct str){"", 0};
        if (!str_eq(group, open)) {
            if (open.n) buf_putc(out, '}');
            if (any) buf_putc(out, ',');
            if (group.n) {
                json_text(out, group);
                buf_puts(out, ":{");
            }
            open = group;
            inner = false;
        } else if (open.n ? inner : any) {
            buf_putc(out, ',');
        }
        json_text(out, name);
        buf_putc(out, ':');
        json_value(out, &l->f[i], row[i]);
        any = inner = true;
    }
    if (open.n) buf_putc(out, '}');
    return any;
}

static void json_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out) {
    if (f->list[0]) {
        buf_putc(out, '{');
        if (json_members(out, &f->header, header)) buf_putc(out, ',');
        json_text(out, str_of(f->list));
        buf_putc(out, ':');
    }
    buf_putc(out, '[');
    for (int i = 0; i < n; i++) {
        buf_puts(out, i ? ",{" : "{");
        json_members(out, &f->body, rows[i]);
        buf_putc(out, '}');
    }
    buf_puts(out, f->list[0] ? "]}" : "]");
}

int batch_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out, struct zb_err *e) {
    switch (f->syntax) {
    case SYNTAX_RAW: return zb_fail(e, ZB_E_INPUT, "the layout of %s is not known", f->type);
    case SYNTAX_CSV: csv_encode(f, rows, n, out); break;
    case SYNTAX_XML: xml_encode(f, header, rows, n, out); break;
    case SYNTAX_JSON: json_encode(f, header, rows, n, out); break;
    default:
        if (text_encode(f, header, rows, n, out, e) != ZB_OK) return e->rc;
    }
    return out->over ? zb_fail(e, ZB_E_LIMIT, "the file is larger than its buffer") : ZB_OK;
}
