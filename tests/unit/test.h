/* What every test includes. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/num.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define OK(call)                                                                                                                                               \
    do {                                                                                                                                                       \
        struct zb_err *e_ = &err;                                                                                                                              \
        (void)e_;                                                                                                                                              \
        err.msg[0] = 0;                                                                                                                                        \
        int rc_ = (call);                                                                                                                                      \
        if (rc_ != ZB_OK) fail_msg("%s: %s", #call, err.msg);                                                                                                  \
    } while (0)
__attribute__((unused)) static struct zb_err err;
__attribute__((unused)) static zb_time at(const char *text) {
    zb_time t;
    assert_true(zb_time_parse(str_of(text), &t));
    return t;
}
__attribute__((unused)) static zb_fix fx(const char *text) {
    zb_fix v;
    assert_true(num_fix(str_of(text), &v));
    return v;
}
__attribute__((unused)) static char *scratch(void) {
    static char dir[64];
    snprintf(dir, sizeof dir, "%s/zbtestXXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}
__attribute__((unused)) static const char *join(const char *dir, const char *name) {
    static char p[8][400];
    static int i;
    i = (i + 1) % 8;
    snprintf(p[i], sizeof p[i], "%s/%s", dir, name);
    return p[i];
}
