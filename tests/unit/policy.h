/* The delivered policy, read once for a file's tests: policy_up and policy_down are the group's. */
#pragma once
#include "policy/policy.h"
#include "test.h"

static struct policy *p;
__attribute__((unused)) static int policy_up(void **s) {
    (void)s;
    OK(policy_load(getenv("POLICY"), &p, &err));
    return 0;
}
__attribute__((unused)) static int policy_down(void **s) {
    (void)s;
    policy_unref(p);
    return 0;
}
