#include "base/err.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int zb_fail(struct zb_err *e, enum zb_rc rc, const char *fmt, ...) {
    if (!e) return rc;
    char text[sizeof e->msg]; /* the arguments may point into e->msg */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    e->rc = rc;
    memcpy(e->msg, text, sizeof text);
    return rc;
}

int zb_wrap(struct zb_err *e, const char *fmt, ...) {
    if (!e) return ZB_E_IO;
    char head[200], old[sizeof e->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    memcpy(old, e->msg, sizeof old);
    size_t n = strlen(head);
    memcpy(e->msg, head, n);
    memcpy(e->msg + n, ": ", 2);
    size_t room = sizeof e->msg - n - 3, m = strnlen(old, sizeof old);
    if (m > room) m = room;
    memcpy(e->msg + n + 2, old, m);
    e->msg[n + 2 + m] = '\0';
    return e->rc;
}

void zb_bug(const char *file, int line, const char *fmt, ...) {
    va_list ap;
    fprintf(stderr, "zhiben: bug at %s:%d: ", file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}
