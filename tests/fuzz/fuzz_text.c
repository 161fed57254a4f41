/* Upload families and plain CSV: first byte picks the type. */
#include "fuzz.h"
#include "sense/sense.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    static struct policy *policy;
    struct zb_err e;
    if (!policy && policy_load(getenv("POLICY") ? getenv("POLICY") : "policies/shanxi", &policy, &e) != ZB_OK) abort();
    if (!n) return 0;
    const struct format *f = &policy->format[p[0] % policy->formats];
    char name[80];
    snprintf(name, sizeof name, "140214000123_%s_20260301000030.txt", f->type);
    struct arena *a = arena_new((size_t)64 << 20);
    struct batch b;
    bool truncated;
    if (batch_decode(policy, str_of(name), (struct str){(const char *)p + 1, n - 1}, 1772323200000, a, &b, &truncated, &e) == ZB_OK)
        for (int i = 0; i < b.n; i++) {
            struct str code;
            struct sample s;
            struct point_def d;
            (void)sample_of(policy, &b, &b.rec[i], &code, &s);
            (void)point_of(policy, &b, &b.rec[i], &d);
        }
    arena_free(a);
    return 0;
}
