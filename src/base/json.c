#include "base/json.h"
#include "base/utf8.h"

void json_init(struct json *j, struct buf *b) { *j = (struct json){.b = b}; }
static void sep(struct json *j) {
    if (j->comma[j->depth]) buf_putc(j->b, ',');
    j->comma[j->depth] = true;
}
static void open(struct json *j, char c) {
    sep(j);
    buf_putc(j->b, c);
    if (++j->depth >= 32) ZB_BUG("JSON deeper than 32");
    j->comma[j->depth] = false;
}
static void shut(struct json *j, char c) {
    if (j->depth == 0) ZB_BUG("JSON closed once too often");
    j->depth--;
    buf_putc(j->b, c);
}
void json_obj(struct json *j) { open(j, '{'); }
void json_end(struct json *j) { shut(j, '}'); }
void json_arr(struct json *j) { open(j, '['); }
void json_arr_end(struct json *j) { shut(j, ']'); }

static void quoted(struct buf *b, struct str s) {
    static const char hex[] = "0123456789abcdef";
    bool ok = utf8_valid(s);
    buf_putc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && (ok || c < 0x80)) continue;
        buf_put(b, s.p + from, i - from);
        from = i + 1;
        if (c >= 0x80)
            buf_puts(b, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buf_putc(b, '\\'), buf_putc(b, (char)c);
        else if (c == '\n')
            buf_puts(b, "\\n");
        else
            buf_puts(b, "\\u00"), buf_putc(b, hex[c >> 4]), buf_putc(b, hex[c & 15]);
    }
    buf_put(b, s.p + from, s.n - from);
    buf_putc(b, '"');
}
void json_key(struct json *j, const char *k) {
    char text[68]; /* `,"key":` in one piece: keys are short and plain, and there are many */
    const char *key = k;
    size_t n = 0;
    if (j->comma[j->depth]) text[n++] = ',';
    text[n++] = '"';
    while (*k > ' ' && *k < 127 && *k != '"' && *k != '\\' && n < 64) text[n++] = *k++;
    if (!*k) {
        text[n++] = '"';
        text[n++] = ':';
        buf_put(j->b, text, n);
    } else {
        sep(j);
        quoted(j->b, str_of(key));
        buf_putc(j->b, ':');
    }
    j->comma[j->depth] = false; /* its value follows without a comma; what comes after sets it again */
}
void json_str(struct json *j, struct str s) {
    sep(j);
    quoted(j->b, s);
}
void json_raw(struct json *j, struct str s) {
    sep(j);
    buf_put(j->b, s.p, s.n);
}
void json_none(struct json *j) { json_raw(j, STR("null")); }
void json_z(struct json *j, const char *z) { z ? json_str(j, str_of(z)) : json_none(j); }
void json_bool(struct json *j, bool v) { json_raw(j, v ? STR("true") : STR("false")); }
void json_i64(struct json *j, int64_t v) {
    char text[24], *end = text + sizeof text, *p = end;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) *--p = '-';
    json_raw(j, (struct str){p, (size_t)(end - p)});
}
void json_fix(struct json *j, zb_fix v) {
    char t[ZB_FIX_CAP];
    v == ZB_FIX_NONE ? json_none(j) : json_raw(j, str_of(zb_fix_text(v, t)));
}
void json_time(struct json *j, zb_time t) {
    char x[ZB_TIME_CAP];
    t == ZB_TIME_NONE ? json_none(j) : json_str(j, str_of(zb_time_iso(t, x)));
}

void json_texts(struct json *j, int n, const char *const *key, const char *const *value) {
    for (int i = 0; i < n; i++) {
        json_key(j, key[i]);
        json_z(j, value[i]);
    }
}
