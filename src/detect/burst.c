#include "detect/burst.h"
#include "base/str.h"
#include "detect/stat.h"
#include <math.h>
#include <stdlib.h>

static const struct {
    const char *zh, *en;
} NAME[BURST_FEATURES] = {{"本班微震事件次数", "seismic events of the shift"},
                          {"本班采煤作业", "coal was won in the shift"},
                          {"地音能量（J）", "acoustic energy (J)"},
                          {"近期有强震的班次占比", "share of past shifts with a strong event"},
                          {"近期班均震动能量（lg J）", "mean lg energy of past shifts"}};

static void features(const struct detect_burst *r, const struct burst_shift *s, int now, double x[BURST_FEATURES]) {
    int from = now - (int)r->past > 0 ? now - (int)r->past : 0, n = now - from;
    double strong = 0, energy = 0;
    for (int i = from; i < now; i++) {
        strong += s[i].strong > 0;
        energy += log10(1 + s[i].energy);
    }
    x[0] = log(1 + s[now].events);
    x[1] = s[now].working;
    x[2] = log10(1 + s[now].acoustic);
    x[3] = n ? strong / n : 0;
    x[4] = n ? energy / n : 0;
}

static double score_of(const struct burst_model *m, const double *x) {
    double s = m->w[BURST_FEATURES];
    for (int j = 0; j < BURST_FEATURES; j++) s += m->w[j] * (x[j] - m->mean[j]) / m->sd[j];
    return s;
}

double burst_score(const struct detect_burst *r, const struct burst_model *m, const struct burst_shift *s, int now) {
    double x[BURST_FEATURES];
    features(r, s, now, x);
    return score_of(m, x);
}

/* Both kinds weigh the same, so that log odds 0 is the middle. x: n rows. */
static void model_fit(const struct detect_burst *r, const double *x, const bool *hit, const bool *use, int n, struct burst_model *m) {
    enum { K = BURST_FEATURES };
    double *z = xmalloc((size_t)n * (K + 1) * sizeof *z), *y = xmalloc((size_t)n * sizeof *y), *w = xmalloc((size_t)n * sizeof *w);
    int rows = 0, hits = 0;
    for (int j = 0; j < K; j++) m->mean[j] = m->sd[j] = 0;
    for (int i = 0; i < n; i++) {
        if (!use[i]) continue;
        for (int j = 0; j < K; j++) m->mean[j] += x[i * K + j];
        rows++;
        hits += hit[i];
    }
    for (int j = 0; j < K; j++) m->mean[j] /= rows;
    for (int i = 0; i < n; i++)
        for (int j = 0; use[i] && j < K; j++) m->sd[j] += (x[i * K + j] - m->mean[j]) * (x[i * K + j] - m->mean[j]) / rows;
    for (int j = 0; j < K; j++) m->sd[j] = m->sd[j] > 1e-18 ? sqrt(m->sd[j]) : 1;
    for (int i = 0, k = 0; i < n; i++) {
        if (!use[i]) continue;
        for (int j = 0; j < K; j++) z[k * (K + 1) + j] = (x[i * K + j] - m->mean[j]) / m->sd[j];
        z[k * (K + 1) + K] = 1;
        y[k] = hit[i];
        w[k++] = hit[i] ? (double)(rows - hits) / hits : 1;
    }
    logistic_fit(z, y, w, rows, K + 1, r->ridge, m->w);
    free(z), free(y), free(w);
}

bool burst_fit(const struct detect_burst *r, const struct burst_shift *s, const bool *hit, const bool *use, int n, struct burst_model *m) {
    int rows = 0, hits = 0, folds = (int)r->folds;
    *m = (struct burst_model){0};
    for (int i = 0; i < n; i++) {
        rows += !use || use[i];
        hits += (!use || use[i]) && hit[i];
    }
    if (folds < 2 || hits < r->positives || rows - hits < r->positives) return false;
    double *x = xmalloc((size_t)n * BURST_FEATURES * sizeof *x);
    bool *in = xmalloc((size_t)n);
    double *score = xmalloc((size_t)rows * sizeof *score);
    bool *of = xmalloc((size_t)rows);
    for (int i = 0; i < n; i++) features(r, s, i, x + i * BURST_FEATURES);
    int k = 0;
    for (int f = 0; f < folds; f++) {
        for (int i = 0, row = 0; i < n; i++) in[i] = (!use || use[i]) && row++ % folds != f;
        model_fit(r, x, hit, in, n, m);
        for (int i = 0; i < n; i++)
            if ((!use || use[i]) && !in[i]) {
                score[k] = score_of(m, x + i * BURST_FEATURES);
                of[k++] = hit[i];
            }
    }
    cut_choose(score, of, k, &m->cut);
    for (int i = 0; i < n; i++) in[i] = !use || use[i];
    model_fit(r, x, hit, in, n, m);
    free(x), free(in), free(score), free(of);
    return true;
}

double burst_cut(const struct detect_burst *r, const struct burst_model *m, const double *score, int n) {
    int k = n < (int)r->memory ? n : (int)r->memory;
    if (k < r->enough || k < 1) return m->cut.at;
    double *v = xmalloc((size_t)k * sizeof *v);
    memcpy(v, score + n - k, (size_t)k * sizeof *v);
    stat_sort(v, k);
    double cut = stat_quantile(v, k, 1 - m->cut.share);
    free(v);
    return cut;
}

int burst_reasons(const struct detect_burst *r, const struct burst_model *m, const struct burst_shift *s, int now, struct burst_reason *out, int max) {
    double x[BURST_FEATURES];
    int n = 0;
    features(r, s, now, x);
    const double shown[BURST_FEATURES] = {s[now].events, x[1], s[now].acoustic, x[3], x[4]};
    for (int j = 0; j < BURST_FEATURES; j++) {
        struct burst_reason why = {NAME[j].zh, NAME[j].en, shown[j], m->w[j] * (x[j] - m->mean[j]) / m->sd[j]};
        if (why.part <= 0) continue;
        int at = n;
        while (at > 0 && out[at - 1].part < why.part) at--;
        if (at >= max) continue;
        int keep = n < max ? n : max - 1;
        memmove(out + at + 1, out + at, (size_t)(keep - at) * sizeof *out);
        out[at] = why;
        n = keep + 1;
    }
    return n;
}

double deviation_percent(double now, const double *before, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += before[i];
    return n > 0 && s > 0 ? 100 * (now * n / s - 1) : NAN;
}

struct b_value b_value_of(const double *magnitude, int n, double floor, double step) {
    struct b_value r = {NAN, NAN, NAN, NAN};
    double s = 0, q = 0;
    for (int i = 0; i < n; i++) s += magnitude[i];
    double mean = n > 0 ? s / n : NAN;
    if (n < 2 || !(mean > floor - step / 2)) return r;
    for (int i = 0; i < n; i++) q += (magnitude[i] - mean) * (magnitude[i] - mean);
    r.mean = mean;
    r.b = log10(exp(1)) / (mean - (floor - step / 2));
    r.shi_bolt = 2.30 * r.b * r.b * sqrt(q / ((double)n * (n - 1)));
    r.aki = r.b / sqrt(n);
    return r;
}

double magnitude_energy(double m) { return pow(10, 1.8 + 1.9 * m); }
double energy_magnitude(double joule) { return (log10(joule) - 1.8) / 1.9; }
