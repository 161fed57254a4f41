#include "accuracy.h"
#include <stdio.h>
#include <stdlib.h>

void put(struct json *out, const char *key, double v) {
    char text[64];
    int n = snprintf(text, sizeof text, "%.6f", v);
    while (n > 1 && text[n - 1] == '0') n--;
    if (n > 1 && text[n - 1] == '.') n--;
    json_key(out, key);
    if (isfinite(v))
        json_raw(out, (struct str){text, (size_t)n});
    else
        json_none(out);
}

double mean_abs(const double *p, const double *y, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += fabs(p[i] - y[i]);
    return n ? s / n : NAN;
}

double root_mean_square(const double *p, const double *y, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += (p[i] - y[i]) * (p[i] - y[i]);
    return n ? sqrt(s / n) : NAN;
}

struct ranked {
    double score;
    bool hit;
};
static int highest_first(const void *a, const void *b) {
    double x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;
    return (x < y) - (x > y);
}
static struct ranked *rank(const double *score, const bool *hit, int n, int *hits) {
    struct ranked *r = xmalloc((size_t)(n + 1) * sizeof *r);
    *hits = 0;
    for (int i = 0; i < n; i++) {
        r[i] = (struct ranked){score[i], hit[i]};
        *hits += hit[i];
    }
    qsort(r, (size_t)n, sizeof *r, highest_first);
    return r;
}

double average_precision(const double *score, const bool *hit, int n) {
    int hits, tp = 0;
    struct ranked *r = rank(score, hit, n, &hits);
    double sum = 0;
    for (int i = 0; i < n;) {
        int to = i, before = tp;
        while (to < n && r[to].score == r[i].score) tp += r[to++].hit;
        sum += (double)(tp - before) / hits * tp / to;
        i = to;
    }
    free(r);
    return hits ? sum : NAN;
}

double area_under(const double *score, const bool *hit, int n) {
    int hits, tp = 0, fp = 0;
    struct ranked *r = rank(score, hit, n, &hits);
    double sum = 0;
    for (int i = 0; i < n;) {
        int to = i, t0 = tp, f0 = fp;
        for (; to < n && r[to].score == r[i].score; to++)
            if (r[to].hit)
                tp++;
            else
                fp++;
        sum += (double)(fp - f0) * (t0 + tp) / 2;
        i = to;
    }
    free(r);
    return hits && n > hits ? sum / hits / (n - hits) : NAN;
}

struct counts count_at(const double *score, const bool *hit, int n, double cut) {
    struct counts c = {0};
    for (int i = 0; i < n; i++)
        if (score[i] >= cut)
            *(hit[i] ? &c.tp : &c.fp) += 1;
        else
            *(hit[i] ? &c.fn : &c.tn) += 1;
    return c;
}

double balanced(const struct counts *c) { return ((double)c->tp / (c->tp + c->fn) + (double)c->tn / (c->tn + c->fp)) / 2; }
