/* str: a view (not owned, not NUL-ended). buf: owned, always NUL-ended, never longer than the maximum it was born with;
 * a put beyond it sets `over` and changes nothing, so a run of puts is checked once at its end. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""
static inline struct str str_of(const char *z) { return (struct str){z, z ? strlen(z) : 0}; }
static inline bool str_eq(struct str a, struct str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
static inline bool str_is(struct str a, const char *z) { return str_eq(a, str_of(z)); }
struct str str_trim(struct str s); /* ASCII blanks, tabs, CR, LF at both ends */
/* Cuts s at the first c: returns what is before, *rest what is after (rest->p NULL when c was not found). */
struct str str_cut(struct str s, char c, struct str *rest);

/* NUL-ended copy into a fixed field, cut at its end (never inside a UTF-8 letter). */
void str_copy(struct str s, char *to, size_t cap);

struct buf {
    char *p;
    size_t n, cap, max;
    bool over;
};
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b); /* safe on zeroed, on done twice */
void buf_clear(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) ZB_PRINTF(2, 3);
static inline struct str buf_str(const struct buf *b) { return (struct str){b->p ? b->p : "", b->n}; }

void *xmalloc(size_t n); /* aborts when there is no memory */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrndup(const char *p, size_t n);
