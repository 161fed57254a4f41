/* Errors: the code says what the caller can do, the text says what happened; each level adds what it knew.
 * Bad data, full disk, lost network are errors. A bug aborts (ZB_BUG). Out of memory aborts: every input is bounded first. */
#pragma once
#include <stdarg.h>

enum zb_rc {
    ZB_OK = 0,
    ZB_E_INPUT = -1,    /* what came in is wrong: HTTP 400 */
    ZB_E_DENIED = -2,   /* not allowed: 401 or 403 */
    ZB_E_ABSENT = -3,   /* no such thing: 404 */
    ZB_E_CONFLICT = -4, /* somebody else was faster, or already there: 409 */
    ZB_E_LIMIT = -5,    /* too large, too many, too deep: 413 or 429 */
    ZB_E_IO = -6,       /* disk, database, network: 503 */
    ZB_E_BUSY = -7      /* too much from this sender at present: 429 with a time to wait */
};

struct zb_err {
    enum zb_rc rc;
    char msg[480];
};

#define ZB_MUST __attribute__((warn_unused_result))
#define ZB_AUTO(fn) __attribute__((cleanup(fn)))
#define ZB_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Sets e (may be NULL) to rc and the text; returns rc. */
int zb_fail(struct zb_err *e, enum zb_rc rc, const char *fmt, ...) ZB_PRINTF(3, 4);
/* Puts "text: " before the message already in e; returns e->rc (ZB_E_IO if e is NULL). */
int zb_wrap(struct zb_err *e, const char *fmt, ...) ZB_PRINTF(2, 3);
/* A programming error: prints file, line, text; aborts, in production too. */
#define ZB_BUG(...) zb_bug(__FILE__, __LINE__, __VA_ARGS__)
__attribute__((noreturn)) void zb_bug(const char *file, int line, const char *fmt, ...) ZB_PRINTF(3, 4);
