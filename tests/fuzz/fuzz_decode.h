/* One file of a format, and all that is read from it. */
#pragma once
#include "fuzz.h"
#include "sense/sense.h"
static void fuzz_decode(const struct policy *policy, const struct format *f, const char *p, size_t n) {
    static const char *const EXT[] = {".txt", "", ".xml", ".json", ".csv", ""};
    char name[120];
    int64_t digits = 12;
    struct str rest;
    struct zb_err e;
    if (!num_i64(str_cut(str_of(f->mine_len), ' ', &rest), 1, 20, &digits)) abort();
    snprintf(name, sizeof name, "%.*s_%s_20260301000030%s", (int)digits, "14021400012345678901", f->type, EXT[f->syntax]);
    struct arena *a = arena_new((size_t)64 << 20);
    struct batch b;
    bool truncated;
    if (batch_decode(policy, str_of(name), STR(""), (struct str){p, n}, 1772323200000, a, &b, &truncated, &e) == ZB_OK)
        for (int i = 0; i < b.n; i++) {
            static union {
                struct observation o[FACTS_MAX];
                struct point_def d[FACTS_MAX];
                struct event v[FACTS_MAX];
                struct station_state s[FACTS_MAX];
            } u;
            int k = samples_of(policy, &b, i, a, u.o);
            uint32_t from = k ? u.o[0].from : 0;
            if (k) (void)sample_point(policy, &b, from, a, u.d);
            (void)points_of(policy, &b, i, a, u.d);
            (void)events_of(policy, &b, i, a, u.v);
            (void)stations_of(policy, &b, i, a, u.s);
        }
    arena_free(a);
}

/* "TYPE\nbytes". A type that is none, or of another container, is taken for the first of this container. */
static int fuzz_named(const uint8_t *p, size_t n, enum syntax syntax) {
    static struct policy *policy;
    struct zb_err e;
    if (!policy && policy_load(getenv("POLICY") ? getenv("POLICY") : "policies/shanxi", &policy, &e) != ZB_OK) abort();
    struct str rest, type = str_cut((struct str){(const char *)p, n}, '\n', &rest);
    if (!rest.p) rest = (struct str){"", 0};
    const struct format *const *named;
    const struct format *f = policy_formats(policy, type, &named) ? named[0] : NULL;
    bool other = f && (syntax == SYNTAX_XML || syntax == SYNTAX_JSON ? f->syntax != syntax : f->syntax == SYNTAX_XML || f->syntax == SYNTAX_JSON);
    for (int i = 0; i < policy->formats && (!f || other); i++)
        if (policy->format[i].syntax == syntax) f = &policy->format[i], other = false;
    fuzz_decode(policy, f, rest.p, rest.n);
    return 0;
}
