#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct str str_trim(struct str s) {
    while (s.n && blank(s.p[0])) s.p++, s.n--;
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

struct str str_cut(struct str s, char c, struct str *rest) {
    const char *q = s.n ? memchr(s.p, c, s.n) : NULL;
    if (!q) {
        if (rest) *rest = (struct str){NULL, 0};
        return s;
    }
    size_t n = (size_t)(q - s.p);
    if (rest) *rest = (struct str){q + 1, s.n - n - 1};
    return (struct str){s.p, n};
}

void *xmalloc(size_t n) {
    void *p = malloc(n ? n : 1);
    if (!p) ZB_BUG("out of memory for %zu bytes", n);
    return p;
}
void *xcalloc(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p) ZB_BUG("out of memory for %zu x %zu bytes", n, size);
    return p;
}
void *xrealloc(void *old, size_t n) {
    void *p = realloc(old, n ? n : 1);
    if (!p) ZB_BUG("out of memory for %zu bytes", n);
    return p;
}
char *xstrndup(const char *p, size_t n) {
    char *z = xmalloc(n + 1);
    if (n) memcpy(z, p, n);
    z[n] = '\0';
    return z;
}

void buf_init(struct buf *b, size_t max) { *b = (struct buf){.max = max}; }
void buf_done(struct buf *b) {
    free(b->p);
    *b = (struct buf){.max = b->max};
}
void buf_clear(struct buf *b) {
    b->n = 0;
    b->over = false;
    if (b->p) b->p[0] = '\0';
}

static bool buf_room(struct buf *b, size_t n) {
    if (b->over || n > b->max || b->n > b->max - n) {
        b->over = true;
        return false;
    }
    if (b->n + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 256;
        if (cap < b->n + n + 1) cap = b->n + n + 1;
        b->p = xrealloc(b->p, cap);
        b->cap = cap;
    }
    return true;
}

void buf_put(struct buf *b, const void *p, size_t n) {
    if (!buf_room(b, n)) return;
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}
void buf_puts(struct buf *b, const char *z) { buf_put(b, z, strlen(z)); }
void buf_putc(struct buf *b, char c) { buf_put(b, &c, 1); }
void buf_printf(struct buf *b, const char *fmt, ...) {
    va_list ap, aq;
    va_start(ap, fmt);
    va_copy(aq, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && buf_room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, aq);
        b->n += (size_t)n;
    }
    va_end(aq);
}

void str_copy(struct str s, char *to, size_t cap) {
    size_t n = s.n < cap ? s.n : cap - 1;
    if (n < s.n)
        while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
    if (n) memcpy(to, s.p, n);
    to[n] = 0;
}
