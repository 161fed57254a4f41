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

struct sheet { /* rows that are whole: their features, what the level did meanwhile, and when */
    int n, *at;
    double *x, *y;
};

static void sheet_make(const struct detect_pond *r, double usual, const double *level, const double *wet, int n, struct sheet *s) {
    int h = (int)r->horizon, rows = n - h;
    *s = (struct sheet){0, xmalloc((size_t)rows * sizeof *s->at), xmalloc((size_t)rows * FEATURES * sizeof *s->x), xmalloc((size_t)rows * sizeof *s->y)};
    for (int i = 0; i < rows; i++) {
        double *x = s->x + s->n * FEATURES;
        features(r, usual, level, wet, i, x);
        if (!isfinite(level[i + h] - level[i]) || !isfinite(x[0] + x[1] + x[2])) continue;
        s->at[s->n] = i;
        s->y[s->n++] = level[i + h] - level[i];
    }
}
static void sheet_done(struct sheet *s) { free(s->at), free(s->x), free(s->y); }

/* Least squares over the rows outside [from, to) of time; false: too few. */
static bool line_fit(const struct detect_pond *r, const struct sheet *s, int from, int to, struct pond_model *m) {
    double *x = xmalloc((size_t)s->n * FEATURES * sizeof *x), *y = xmalloc((size_t)s->n * sizeof *y);
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        if (s->at[i] >= from && s->at[i] < to) continue;
        memcpy(x + n * FEATURES, s->x + i * FEATURES, FEATURES * sizeof *x);
        y[n++] = s->y[i];
    }
    m->change = 0;
    for (int i = 0; i < n; i++) m->change += y[i] / n;
    for (int j = 0; j < FEATURES; j++) {
        double a = 0, q = 0;
        for (int i = 0; i < n; i++) a += x[i * FEATURES + j] / n;
        for (int i = 0; i < n; i++) q += (x[i * FEATURES + j] - a) * (x[i * FEATURES + j] - a) / n;
        m->mean[j] = a;
        m->sd[j] = q > 1e-18 ? sqrt(q) : 1;
        for (int i = 0; i < n; i++) x[i * FEATURES + j] = (x[i * FEATURES + j] - a) / m->sd[j];
    }
    for (int i = 0; i < n; i++) y[i] -= m->change;
    bool ok = n >= (int)r->horizon;
    if (ok && !ridge_fit(x, y, NULL, n, FEATURES, r->ridge * n, m->w)) memset(m->w, 0, sizeof m->w); /* nothing moved: the change is what it was */
    free(x), free(y);
    return ok;
}

static double change_at(const struct pond_model *m, const double *x) {
    double s = m->change;
    for (int j = 0; j < FEATURES; j++) s += m->w[j] * (x[j] - m->mean[j]) / m->sd[j];
    return s;
}

/* How far the line may be believed: each stretch of time forecast by the others, the share of its change that came true. Little past: little belief. */
static double trust_of(const struct detect_pond *r, const struct sheet *s) {
    int folds = (int)r->folds, h = (int)r->horizon, last = s->n ? s->at[s->n - 1] + 1 : 0;
    double came = 0, told = 0;
    for (int f = 0; f < folds; f++) {
        int from = (int)((int64_t)last * f / folds), to = (int)((int64_t)last * (f + 1) / folds);
        struct pond_model m = {0};
        if (!line_fit(r, s, from - h, to + h, &m)) continue;
        for (int i = 0; i < s->n; i++) {
            if (s->at[i] < from || s->at[i] >= to) continue;
            double c = change_at(&m, s->x + i * FEATURES);
            came += c * s->y[i], told += c * c;
        }
    }
    return told > 0 ? fmin(fmax(came / told, 0), 1) : 0;
}

bool pond_fit(const struct detect_pond *r, const double *level, const double *wet, int n, struct pond_model *m) {
    int h = (int)r->horizon, known = 0;
    *m = (struct pond_model){0};
    if (h < 1 || n - h < h) return false;
    for (int i = 0; i < n - h; i++)
        if (isfinite(level[i])) m->usual += (level[i] - m->usual) / ++known;
    struct sheet s;
    sheet_make(r, m->usual, level, wet, n, &s);
    bool ok = line_fit(r, &s, 0, 0, m);
    double trust = ok ? trust_of(r, &s) : 0;
    m->change *= trust;
    for (int j = 0; j < FEATURES; j++) m->w[j] *= trust;
    for (int i = 0; i < s.n && ok; i++) {
        double off = s.y[i] - change_at(m, s.x + i * FEATURES);
        m->spread += off * off / s.n;
    }
    m->spread = sqrt(m->spread);
    sheet_done(&s);
    return ok;
}

double pond_next(const struct detect_pond *r, const struct pond_model *m, const double *level, const double *wet, int now) {
    double x[FEATURES];
    features(r, m->usual, level, wet, now, x);
    return level[now] + change_at(m, x);
}
