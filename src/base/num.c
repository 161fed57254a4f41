#include "base/num.h"
#include <math.h>
#include <stdlib.h>
#include <stdio.h>

bool num_i64(struct str s, int64_t min, int64_t max, int64_t *ret) {
    size_t i = s.n && s.p[0] == '-' ? 1 : 0;
    bool neg = i == 1;
    if (i == s.n) return false;
    int64_t v = 0;
    for (; i < s.n; i++) {
        int d = s.p[i] - '0';
        if (d < 0 || d > 9) return false;
        if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_sub_overflow(v, (int64_t)d, &v)) return false; /* kept negative: holds INT64_MIN */
    }
    if (!neg && v == INT64_MIN) return false;
    if (!neg) v = -v;
    if (v < min || v > max) return false;
    *ret = v;
    return true;
}

bool num_fix(struct str s, zb_fix *ret) {
    size_t i = 0;
    bool neg = false;
    int64_t v = 0;
    int whole = 0, frac = 0;
    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) neg = s.p[0] == '-', i = 1;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        if (++whole > 12 && v) return false;
        v = v * 10 + (s.p[i] - '0');
        if (v >= 9000000000000LL) return false;
    }
    if (whole == 0) return false;
    v *= ZB_FIX_ONE;
    if (i < s.n) {
        if (s.p[i++] != '.') return false;
        int64_t w = ZB_FIX_ONE / 10;
        for (; i < s.n; i++, frac++) {
            int d = s.p[i] - '0';
            if (d < 0 || d > 9 || frac > 30) return false;
            if (frac < 6)
                v += d * w, w /= 10;
            else if (frac == 6 && d >= 5)
                v += 1;
        }
        if (frac == 0) return false;
    }
    *ret = neg ? -v : v;
    return true;
}

char *zb_fix_text(zb_fix v, char out[ZB_FIX_CAP]) {
    out[0] = '\0';
    if (v == ZB_FIX_NONE) return out;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    unsigned frac = (unsigned)(u % (uint64_t)ZB_FIX_ONE);
    int n = snprintf(out, ZB_FIX_CAP, "%s%llu", v < 0 ? "-" : "", (unsigned long long)(u / (uint64_t)ZB_FIX_ONE));
    if (frac) {
        n += snprintf(out + n, (size_t)(ZB_FIX_CAP - n), ".%06u", frac);
        while (out[n - 1] == '0') out[--n] = '\0';
    }
    return out;
}
bool num_double(struct str s, double *ret) {
    char z[64], *end;
    if (!s.n || s.n >= sizeof z || !strchr("+-.0123456789", s.p[0])) return false;
    str_copy(s, z, sizeof z);
    for (const char *p = z; *p; p++)
        if (!strchr("+-.0123456789eE", *p)) return false;
    *ret = strtod(z, &end);
    return !*end && isfinite(*ret);
}

double zb_fix_double(zb_fix v) { return (double)v / (double)ZB_FIX_ONE; }
