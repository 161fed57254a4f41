#include "detect/skew.h"
#include "base/num.h"
#include <stdlib.h>

static int rising(const void *a, const void *b) {
    zb_time x = *(const zb_time *)a, y = *(const zb_time *)b;
    return x < y ? -1 : x > y;
}

/* v is sorted on the way. */
static zb_time median(zb_time *v, int n) {
    qsort(v, (size_t)n, sizeof *v, rising);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void hour_end(struct skew *k) {
    if (!k->n) return;
    if (k->hours == SKEW_HOURS) memmove(k->past, k->past + 1, sizeof *k->past * (size_t)--k->hours);
    k->past[k->hours++] = median(k->now, k->n);
}

/* More files than there is room for: every second one stays, and from then on only every second is taken. */
static void thin(struct skew *k) {
    for (int i = 0; i < SKEW_HOUR_MAX / 2; i++) k->now[i] = k->now[2 * i];
    k->n = SKEW_HOUR_MAX / 2;
    k->stride *= 2;
}

void skew_add(struct skew *k, zb_time received, zb_time delay) {
    int64_t hour = received / ZB_HOUR;
    if (hour != k->hour) {
        hour_end(k);
        k->hour = hour;
        k->n = k->skip = 0;
        k->stride = 1;
    }
    if (k->skip) {
        k->skip--;
        return;
    }
    if (k->n == SKEW_HOUR_MAX) thin(k);
    k->now[k->n++] = delay;
    k->skip = k->stride - 1;
}

bool skew_of(const struct skew *k, zb_time *offset, zb_time *spread, int *hours) {
    zb_time v[SKEW_HOUR_MAX];
    int n = k->hours ? k->hours : k->n;
    *hours = k->hours;
    if (!n) return false;
    memcpy(v, k->hours ? k->past : k->now, (size_t)n * sizeof *v);
    *offset = median(v, n);
    *spread = v[n - 1 - n / 4] - v[n / 4];
    return true;
}

void skew_freeze(const struct skew *k, struct buf *out) {
    if (!k->hour) return;
    buf_printf(out, "%lld %d %d %d %d", (long long)k->hour, k->stride, k->skip, k->n, k->hours);
    for (int i = 0; i < k->n; i++) buf_printf(out, " %lld", (long long)k->now[i]);
    for (int i = 0; i < k->hours; i++) buf_printf(out, " %lld", (long long)k->past[i]);
}

static bool next(struct str *rest, int64_t min, int64_t max, int64_t *ret) {
    if (!rest->p) return false;
    struct str one = str_cut(*rest, ' ', rest);
    return num_i64(one, min, max, ret);
}

bool skew_thaw(struct str text, struct skew *ret) {
    int64_t hour, stride, skip, n, hours;
    *ret = (struct skew){0};
    if (!text.n) return true;
    if (!next(&text, 1, INT64_MAX, &hour) || !next(&text, 1, INT32_MAX, &stride) || !next(&text, 0, INT32_MAX, &skip) || !next(&text, 0, SKEW_HOUR_MAX, &n) ||
        !next(&text, 0, SKEW_HOURS, &hours))
        return false;
    struct skew k = {.hour = hour, .stride = (int)stride, .skip = (int)skip, .n = (int)n, .hours = (int)hours};
    for (int i = 0; i < k.n; i++)
        if (!next(&text, INT64_MIN / 2, INT64_MAX / 2, &k.now[i])) return false;
    for (int i = 0; i < k.hours; i++)
        if (!next(&text, INT64_MIN / 2, INT64_MAX / 2, &k.past[i])) return false;
    if (text.p) return false;
    *ret = k;
    return true;
}
