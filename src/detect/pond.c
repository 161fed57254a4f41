#include "detect/pond.h"
#include "base/str.h"
#include <math.h>
#include <stdlib.h>

double beach_of(double crest, double level, double slope) { return (crest - level) / slope; }

double phreatic_least(const struct curve *c, double height) {
    if (!c->n) return NAN;
    if (height <= c->x[0]) return c->y[0];
    for (int i = 1; i < c->n; i++)
        if (height <= c->x[i]) return c->y[i - 1] + (c->y[i] - c->y[i - 1]) * (height - c->x[i - 1]) / (c->x[i] - c->x[i - 1]);
    return c->y[c->n - 1];
}

unsigned pond_check(const struct detect_pond *r, double crest, double level, double freeboard, double beach, double slope) {
    unsigned wrong = 0;
    if (fabs(crest - level - freeboard) >= r->balance) wrong |= POND_FREEBOARD_WRONG;
    if (slope > 0 && fabs(beach - freeboard / slope) > r->beach * freeboard / slope) wrong |= POND_BEACH_WRONG;
    return wrong;
}

double pond_wet(const struct detect_pond *r, const double *day, int days) {
    double s = 0, share = 1;
    for (int i = 0; i < days && i < r->wet_days; i++, share *= r->fade) s += isfinite(day[i]) ? share * day[i] : 0;
    return s;
}

enum { FEATURES = 3 };
static void features(const struct detect_pond *r, double usual, const double *level, const double *wet, int now, double x[FEATURES]) {
    int before = now - (int)r->look;
    x[0] = level[now] - usual;
    x[1] = level[now] - level[before > 0 ? before : 0];
    x[2] = wet[now];
}

bool pond_fit(const struct detect_pond *r, const double *level, const double *wet, int n, struct pond_model *m) {
    int h = (int)r->horizon, rows = n - h;
    *m = (struct pond_model){0};
    if (rows < h || h < 1) return false;
    double *x = xmalloc((size_t)rows * FEATURES * sizeof *x), *y = xmalloc((size_t)rows * sizeof *y);
    for (int i = 0; i < rows; i++) {
        m->usual += level[i] / rows;
        y[i] = level[i + h] - level[i];
        m->change += y[i] / rows;
    }
    for (int i = 0; i < rows; i++) features(r, m->usual, level, wet, i, x + i * FEATURES);
    for (int j = 0; j < FEATURES; j++) {
        double s = 0, q = 0;
        for (int i = 0; i < rows; i++) s += x[i * FEATURES + j] / rows;
        for (int i = 0; i < rows; i++) q += (x[i * FEATURES + j] - s) * (x[i * FEATURES + j] - s) / rows;
        m->mean[j] = s;
        m->sd[j] = q > 1e-18 ? sqrt(q) : 1;
        for (int i = 0; i < rows; i++) x[i * FEATURES + j] = (x[i * FEATURES + j] - s) / m->sd[j];
    }
    for (int i = 0; i < rows; i++) y[i] -= m->change;
    bool ok = ridge_fit(x, y, NULL, rows, FEATURES, r->ridge * rows, m->w);
    if (!ok) memset(m->w, 0, sizeof m->w); /* nothing moved: the change is what it was */
    for (int i = 0; i < rows; i++) {
        double off = y[i] - linear_at(m->w, x + i * FEATURES, FEATURES);
        m->spread += off * off / rows;
    }
    m->spread = sqrt(m->spread);
    free(x), free(y);
    return true;
}

double pond_next(const struct detect_pond *r, const struct pond_model *m, const double *level, const double *wet, int now) {
    double x[FEATURES], s = level[now] + m->change;
    features(r, m->usual, level, wet, now, x);
    for (int j = 0; j < FEATURES; j++) s += m->w[j] * (x[j] - m->mean[j]) / m->sd[j];
    return s;
}
