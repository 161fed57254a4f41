/* Trends and control charts of methods.md C1. */
#include "detect/gas.h"
#include "base/str.h"
#include "detect/stat.h"
#include <math.h>
#include <stdlib.h>

bool theil_sen(const double *v, int n, struct trend *ret) {
    if (n < 2 || n > TREND_MAX) return false;
    double *s = xmalloc((size_t)n * (size_t)(n - 1) / 2 * sizeof *s), level[TREND_MAX];
    int m = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) s[m++] = (v[j] - v[i]) / (j - i);
    ret->slope = stat_median(s, m);
    free(s);
    for (int i = 0; i < n; i++) level[i] = v[i] - ret->slope * i;
    ret->intercept = stat_median(level, n);
    return true;
}

double steps_to(const struct trend *t, int n, double limit) {
    double last = t->intercept + t->slope * (n - 1);
    if (last >= limit) return 0;
    return t->slope > 0 ? (limit - last) / t->slope : INFINITY;
}

struct holt holt_of(const double *v, int n, double alpha, double beta) {
    struct holt h = {v[0], v[1] - v[0]};
    for (int i = 1; i < n; i++) {
        double before = h.level;
        h.level = alpha * v[i] + (1 - alpha) * (h.level + h.trend);
        h.trend = beta * (h.level - before) + (1 - beta) * h.trend;
    }
    return h;
}

struct ewma ewma_chart(const double *v, int n, double lambda, double mu, double sigma, double width) {
    struct ewma r = {mu, mu, -1};
    for (int i = 0; i < n; i++) {
        r.z = lambda * v[i] + (1 - lambda) * r.z;
        r.limit = mu + width * sigma * sqrt(lambda / (2 - lambda) * (1 - pow(1 - lambda, 2.0 * (i + 1))));
        if (r.first < 0 && r.z > r.limit) r.first = i;
    }
    return r;
}
