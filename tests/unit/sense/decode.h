/* A decoder's test: one upload decoded into `b`, as received at `now`. */
#pragma once
#include "../policy.h"
#include "sense/sense.h"

static struct arena *a;
static struct batch b;
static bool truncated;
static zb_time now;
static int each(void **s) {
    (void)s;
    a = arena_new((size_t)256 << 20);
    return 0;
}
static int each_end(void **s) {
    (void)s;
    arena_free(a);
    return 0;
}
static int dec(const char *name, const char *text) {
    err.msg[0] = 0;
    return batch_decode(p, str_of(name), STR(""), str_of(text), now, a, &b, &truncated, &err);
}
