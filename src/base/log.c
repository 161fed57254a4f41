#include "base/log.h"
#include "base/time.h"
#include <stdatomic.h>
#include <stdio.h>

static atomic_int quiet;
void log_quiet(int on) { quiet = on; }
void log_event(const char *fmt, ...) {
    if (quiet) return;
    char line[1200], t[ZB_TIME_CAP];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s %s\n", zb_time_iso(zb_now(), t), line);
}
