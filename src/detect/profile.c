/* D3: near copies, by a matrix profile. Rows are windows of the judged day, columns all earlier windows; dot products roll along diagonals, a row at a time, so
 * that the inner loop runs over neighbouring columns without branches and the compiler makes vectors of it. Values are whole steps with the mean taken off:
 * products of a window stay exact in a float up to 2^24. */
#include "detect/integrity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct moments {           /* of each window; changes: within it */
    double *mean, *square; /* mean; sum of squares about it */
    int *changes;
};
static struct moments moments_of(const float *x, int n, int m) {
    int k = n - m + 1;
    struct moments o = {xmalloc((size_t)k * sizeof(double)), xmalloc((size_t)k * sizeof(double)), xmalloc((size_t)k * sizeof(int))};
    double sum = 0, square = 0;
    int changes = 0;
    for (int i = 0; i < n; i++) {
        sum += x[i], square += (double)x[i] * x[i];
        if (i) changes += x[i] != x[i - 1];
        int s = i - m + 1;
        if (s < 0) continue;
        o.mean[s] = sum / m;
        o.square[s] = square - sum * sum / m;
        o.changes[s] = changes;
        sum -= x[s], square -= (double)x[s] * x[s];
        changes -= x[s + 1 < n ? s + 1 : s] != x[s];
    }
    return o;
}
static void moments_done(struct moments *o) { free(o->mean), free(o->square), free(o->changes); }

/* x less its mean, rounded when x holds whole steps. */
static float *centred(const float *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    float mean = n ? (float)rint(sum / n) : 0, *y = xmalloc((size_t)(n + 1) * sizeof *y);
    for (int i = 0; i < n; i++) y[i] = x[i] - mean;
    return y;
}

/* One build for every processor of the last ten years, eight lanes where there are. The thread sanitizer cannot: what chooses
 * the variant runs before the sanitizer does. */
#ifdef __SANITIZE_THREAD__
#define WIDE
#else
#define WIDE __attribute__((target_clones("avx2", "default")))
#endif

/* One row: qt[j] (dot product of the windows at i and j) from the row before, in place from the right. */
WIDE static void row_next(float *restrict to, const float *restrict qt, const float *restrict x, int k, int m, float gone, float come) {
    for (int j = 1; j < k; j++) to[j] = qt[j - 1] - gone * x[j - 1] + come * x[j + m - 1];
}
static float dot(const float *a, const float *b, int m) {
    double s = 0;
    for (int i = 0; i < m; i++) s += (double)a[i] * b[i];
    return (float)s;
}

/* Calls fn for each row with its dot products against columns 0..k-1. */
struct rows {
    const float *x;
    int n, m, k, i;
    float *qt, *other;
};
static void rows_start(struct rows *r, const float *x, int n, int m, int from) {
    *r = (struct rows){.x = x, .n = n, .m = m, .k = n - m + 1, .i = from};
    r->qt = xmalloc((size_t)r->k * sizeof(float));
    r->other = xmalloc((size_t)r->k * sizeof(float));
    for (int j = 0; j < r->k; j++) r->qt[j] = dot(x + from, x + j, m);
}
static bool rows_next(struct rows *r) {
    if (r->i + 1 >= r->k) return false;
    row_next(r->other, r->qt, r->x, r->k, r->m, r->x[r->i], r->x[r->i + r->m]);
    r->other[0] = dot(r->x + r->i + 1, r->x, r->m);
    float *t = r->qt;
    r->qt = r->other, r->other = t;
    r->i++;
    return true;
}
static void rows_done(struct rows *r) { free(r->qt), free(r->other); }

void profile_join(const float *x0, int n, int from, int m, int apart, int changes, bool both, float *d, int *at) {
    if (n < m + 1 || from > n - m) return;
    float *x = centred(x0, n);
    struct moments o = moments_of(x, n, m);
    struct rows r;
    rows_start(&r, x, n, m, from);
    do {
        int i = r.i, best = -1;
        double top = -2;
        for (int j = 0; j < r.k && o.changes[i] >= changes && o.square[i] > 0; j++) {
            if (j >= i - apart && (j <= i + apart || !both)) continue;
            if (!both && j >= i) break;
            if (o.changes[j] < changes || !(o.square[j] > 0)) continue;
            double c = (r.qt[j] - m * o.mean[i] * o.mean[j]) / sqrt(o.square[i] * o.square[j]);
            if (c > top) top = c, best = j;
        }
        double left = 2.0 * m * (1 - top);
        d[i - from] = best < 0 ? INFINITY : (float)sqrt(left > 0 ? left : 0);
        at[i - from] = best;
    } while (rows_next(&r));
    rows_done(&r);
    moments_done(&o);
    free(x);
}

/* ---- near copies ---- */
struct near_col { /* of each window, for the test rss = s_i + s_j - 2 (qt - m mu_i mu_j) < share_i, share_j */
    float *s, *mean, *allow;
};
/* One row of a block of columns: the dot products rolled on from the row before, and whether any column is within what both windows allow. Index 0 of q and to is the
 * column before the block. No branch, no reduction but a count: vectors. */
struct near_row {
    float gone, come, s, mean, most; /* the values that leave and come; of the row's window: square, m times its mean, what it allows */
};
WIDE static int block_row(float *restrict to, const float *restrict q, const float *restrict x, const struct near_col *c, int a, int n, int m,
                          const struct near_row *w) {
    const float *s = c->s + a, *mean = c->mean + a, *allow = c->allow + a, *left = x + a - 1, *right = x + a + m - 1;
    float gone = w->gone, come = w->come, si = w->s, mmi = w->mean, most = w->most;
    int any = 0;
    for (int j = 0; j < n; j++) {
        float v = q[j] - gone * left[j] + come * right[j];
        to[j + 1] = v;
        float rss = si + s[j] - 2 * (v - mmi * mean[j]), limit = allow[j] < most ? allow[j] : most;
        any += rss < limit;
    }
    return any;
}

/* Closer than this window moves from cell to cell: two honest windows each bring their own noise and their own wandering. */
static double allowed(const float *x, int m, const struct detect_near *c) {
    double move = 0;
    for (int i = 1; i < m; i++) move += (double)(x[i] - x[i - 1]) * (x[i] - x[i - 1]);
    return c->noise * c->noise * move * m / (m - 1);
}
static double rss_of(const float *a, const float *b, int m, const struct moments *o, int i, int j) {
    double r = 0, off = o->mean[i] - o->mean[j];
    for (int t = 0; t < m; t++) {
        double d = a[t] - b[t] - off;
        r += d * d;
    }
    return r;
}

struct near_best {
    int at;
    double rss, second;
};
/* Exactly, over all columns: the closest, and the closest of those apart from it. */
static struct near_best look(const struct rows *r, const struct moments *o, const struct near_col *c, int to) {
    struct near_best b = {-1, INFINITY, INFINITY};
    for (int j = 0; j < to; j++) {
        if (c->allow[j] < 0) continue;
        double rss = o->square[r->i] + o->square[j] - 2 * (r->qt[j] - r->m * o->mean[r->i] * o->mean[j]);
        if (rss < b.rss) b.rss = rss, b.at = j;
    }
    for (int j = 0; j < to; j++) {
        if (c->allow[j] < 0 || abs(j - b.at) <= r->m) continue;
        double rss = o->square[r->i] + o->square[j] - 2 * (r->qt[j] - r->m * o->mean[r->i] * o->mean[j]);
        if (rss < b.second) b.second = rss;
    }
    if (b.at >= 0) b.rss = rss_of(r->x + r->i, r->x + b.at, r->m, o, r->i, b.at);
    return b;
}

static bool is_near(const struct near_best *b, const struct near_col *c, int i, double second) {
    return b->at >= 0 && b->rss < fmin(c->allow[i], c->allow[b->at]) && b->rss <= second * second * b->second;
}

/* Does the past resemble itself as closely? Rows spread over it are asked; a series with a shape of its own every day is no copy of itself. */
static bool natural(const float *x, int n, int day, const struct moments *o, const struct near_col *c, const struct detect_near *k) {
    enum { ASKED = 48 };
    int m = (int)k->window, like = 0;
    struct rows r = {.x = x, .n = n, .m = m, .k = n - m + 1};
    r.qt = xmalloc((size_t)r.k * sizeof(float));
    for (int q = 0; q < ASKED && like < k->natural; q++) {
        r.i = day / 3 + (int)((double)(day - m - day / 3) * q / ASKED);
        while (r.i < day - m && c->allow[r.i] < 0) r.i++;
        int to = r.i - m;
        if (r.i >= day - m || to < 1) continue;
        for (int j = 0; j < to; j++)
            if (c->allow[j] >= 0) r.qt[j] = dot(x + r.i, x + j, m);
        struct near_best b = look(&r, o, c, to);
        like += b.at >= 0 && b.rss < fmin(c->allow[r.i], c->allow[b.at]);
    }
    free(r.qt);
    return like >= k->natural;
}

static void near_tell(struct hits *out, const struct policy *p, const struct rows *r, const struct near_best *b, const struct moments *o, struct hit **open) {
    int m = r->m, i = r->i;
    double rest = sqrt(b->rss / m), spread = sqrt(o->square[i] / m);
    if (*open && i <= (*open)->to && i - b->at == (*open)->from - (*open)->source) {
        (*open)->to = i + m;
        if (rest >= (*open)->seen) return;
    } else {
        *open = hit_new(out, p, DETECTOR_NEAR, i, i + m);
        (*open)->source = b->at;
    }
    struct hit *h = *open;
    h->seen = rest;
    h->expected = isfinite(b->second) ? sqrt(b->second / m) : spread;
    snprintf(h->zh, sizeof h->zh, "与先前一段走势几乎相同：扣除固定差后剩余%.2f个最小单位，其他任何时段最接近的也差%.2f", rest, h->expected);
    snprintf(h->en, sizeof h->en, "almost an earlier stretch: but for a constant %.2f steps remain; the closest of all other times differs by %.2f", rest,
             h->expected);
}

static bool in_calib(const struct grid *g, const struct calib_span *c, int n, int i) {
    bool in = g->state[i] & ST_CALIB;
    for (int k = 0; k < n && !in; k++) in = i >= c[k].from && i < c[k].to;
    return in;
}
/* A gap holds the value before it: no change, so no liveliness. So does a calibration: the same test gas makes the same shape each time, and a shape so tall would
 * be all there is to compare. */
static float *steps_of(const struct grid *g, const struct calib_span *c, int calibs) {
    float *x = xmalloc((size_t)(g->n + 1) * sizeof *x);
    double sum = 0, last = 0;
    int n = 0;
    for (int i = 0; i < g->n; i++)
        if (g->v[i] != CELL_NONE) sum += (double)g->v[i] / (double)g->unit, n++;
    double mean = n ? rint(sum / n) : 0;
    for (int i = 0; i < g->n; i++) {
        if (g->v[i] != CELL_NONE && !in_calib(g, c, calibs, i)) last = (double)g->v[i] / (double)g->unit - mean;
        x[i] = (float)last;
    }
    return x;
}

struct span {
    int from, to;
};
/* Stretches of lively windows in [from, to); two nearer than m are one: to begin anew costs as much as m rows. */
static int spans_of(const float *allow, int from, int to, int m, struct span **ret) {
    int n = 0, cap = 0;
    *ret = NULL;
    for (int i = from; i < to; i++) {
        if (allow[i] < 0) continue;
        if (n && i - (*ret)[n - 1].to < m) {
            (*ret)[n - 1].to = i + 1;
            continue;
        }
        if (n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 16) * sizeof **ret);
        (*ret)[n++] = (struct span){i, i + 1};
    }
    return n;
}

struct near {
    const float *x;
    int m;
    struct near_col col;
    const struct moments *o;
};

/* Rows against one span of columns, block by block so that a block stays in the cache for all rows; any[row] counts the columns that are near and lie before
 * its window. The first row and column 0 are not looked at. */
static void span_look(const struct near *k, struct span row, struct span col, int *any) {
    enum { BLOCK = 2048 };
    int rows = row.to - row.from, m = k->m, first = col.from > 0 ? col.from : 1, last = col.to < row.to - m ? col.to : row.to - m;
    float buf[2][BLOCK + 1], *edge = xmalloc((size_t)rows * sizeof *edge), *next = xmalloc((size_t)rows * sizeof *next);
    for (int i = 0; i < rows && first < last; i++) edge[i] = dot(k->x + row.from + i, k->x + first - 1, m);
    for (int a = first; a < last; a += BLOCK) {
        int n = last - a < BLOCK ? last - a : BLOCK;
        for (int j = 0; j <= n; j++) buf[0][j] = dot(k->x + row.from, k->x + a - 1 + j, m);
        next[0] = buf[0][n];
        for (int i = 1; i < rows; i++) {
            float *to = buf[i & 1], *q = buf[~i & 1];
            int at = row.from + i, before = at - m - a; /* columns whose window lies before */
            if (before > n) before = n;
            if (before < 0 || k->col.allow[at] < 0) before = 0; /* a row that is not lively is only rolled on */
            struct near_row w = {k->x[at - 1], k->x[at + m - 1], k->col.s[at], (float)(m * k->o->mean[at]), k->col.allow[at]};
            to[0] = edge[i];
            any[i] += block_row(to, q, k->x, &k->col, a, before, m, &w);
            block_row(to + before, q + before, k->x, &k->col, a + before, n - before, m, &w);
            next[i] = to[n];
        }
        float *t = edge;
        edge = next, next = t;
    }
    free(edge), free(next);
}

void near_find(const struct grid *g, const struct calib_span *calib, int calibs, const struct policy *p, struct hits *out) {
    const struct detect_near *c = &p->detect.near;
    int m = (int)c->window, from = g->day;
    if (g->n - from < m || from < c->learn * m) return;
    float *x = steps_of(g, calib, calibs);
    struct moments o = moments_of(x, g->n, m);
    int k = g->n - m + 1;
    struct near_col col = {xmalloc((size_t)k * sizeof(float)), xmalloc((size_t)k * sizeof(float)), xmalloc((size_t)k * sizeof(float))};
    for (int j = 0; j < k; j++) {
        col.s[j] = (float)o.square[j];
        col.mean[j] = (float)o.mean[j];
        col.allow[j] = o.changes[j] >= c->changes ? (float)allowed(x + j, m, c) : -1;
    }
    struct near near = {x, m, col, &o};
    struct span *row, *column;
    int rows = spans_of(col.allow, from, k, m, &row), columns = spans_of(col.allow, 0, k, m, &column);
    bool copy = true;
    struct hit *open = NULL;
    size_t at = (size_t)-1;
    for (int i = 0; i < rows && copy; i++) {
        int length = row[i].to - row[i].from, *any = xcalloc((size_t)length, sizeof *any);
        for (int j = 0; j < columns; j++) span_look(&near, row[i], column[j], any);
        any[0] = 1; /* not rolled to: looked at exactly */
        struct rows r = {.k = 0};
        for (int q = 0; q < length && copy; q++) {
            int now = row[i].from + q, to = now - m;
            if (!any[q] || col.allow[now] < 0 || to < 1) continue;
            if (r.k && now - r.i >= m) rows_done(&r), r.k = 0;
            if (!r.k) rows_start(&r, x, g->n, m, now);
            while (r.i < now && rows_next(&r)) {}
            struct near_best b = look(&r, &o, &col, to);
            if (!is_near(&b, &col, now, c->second)) continue;
            if (at == (size_t)-1 && natural(x, g->n, from, &o, &col, c)) copy = false;
            if (!copy) break;
            if (at != (size_t)-1) open = &out->h[at];
            near_tell(out, p, &r, &b, &o, &open);
            at = (size_t)(open - out->h);
        }
        if (r.k) rows_done(&r);
        free(any);
    }
    free(row), free(column);
    free(x), free(col.s), free(col.mean), free(col.allow);
    moments_done(&o);
}
