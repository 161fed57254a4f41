/* A mine under the detectors: `F` are its facts, set by the file; made anew for each test. */
#pragma once
#include "../policy.h"
#include "detect/state.h"

static struct mine_state *m;
static struct alarm_diffs d;
static zb_time t0;
static struct mine_facts F;
static int up(void **s) {
    t0 = at("2026-03-01 08:00:00");
    return policy_up(s);
}
static int each(void **s) {
    (void)s;
    m = mine_new(&F);
    d = (struct alarm_diffs){0};
    return 0;
}
static int each_end(void **s) {
    (void)s;
    mine_free(m);
    alarm_diffs_done(&d);
    return 0;
}
