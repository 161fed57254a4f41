#include "detect/stat.h"
#include <math.h>
#include <stdlib.h>

static int up(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
void stat_sort(double *x, int n) { qsort(x, (size_t)n, sizeof *x, up); }
double stat_quantile(const double *s, int n, double q) {
    if (n < 1) return NAN;
    double at = q * (n - 1);
    int i = (int)at;
    return i + 1 < n ? s[i] + (at - i) * (s[i + 1] - s[i]) : s[n - 1];
}
double stat_median(double *x, int n) {
    stat_sort(x, n);
    return stat_quantile(x, n, 0.5);
}
double stat_mad(const double *x, int n, double median) {
    if (n < 1) return NAN;
    double *d = xmalloc((size_t)n * sizeof *d);
    for (int i = 0; i < n; i++) d[i] = fabs(x[i] - median);
    double m = stat_median(d, n);
    free(d);
    return m;
}
double stat_z(double x, double median, double mad, double floor) {
    double scale = STAT_SIGMA * mad;
    if (scale < floor) scale = floor;
    return scale > 0 ? (x - median) / scale : 0;
}

static double choose_ln(int n, int k) { return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0); }

double stat_binomial_tail(int k, int n, double p) {
    if (k <= 0) return 1;
    if (k > n || p <= 0) return 0;
    if (p >= 1) return 1;
    double sum = 0;
    for (int i = n; i >= k; i--) sum += exp(choose_ln(n, i) + i * log(p) + (n - i) * log1p(-p));
    return sum < 1 ? sum : 1;
}
double stat_hyper_tail(int k, int total, int marked, int drawn) {
    double sum = 0;
    int most = marked < drawn ? marked : drawn;
    for (int i = most; i >= k && i >= 0; i--)
        if (drawn - i <= total - marked) sum += exp(choose_ln(marked, i) + choose_ln(total - marked, drawn - i) - choose_ln(total, drawn));
    return sum < 1 ? sum : 1;
}
double stat_poisson_tail(int k, double mean) {
    if (k <= 0) return 1;
    if (mean <= 0) return 0;
    double sum = 0, term;
    for (int i = k; i < k + 1000; i++) {
        term = exp(-mean + i * log(mean) - lgamma(i + 1.0));
        sum += term;
        if (i > mean && term < sum * 1e-12) break;
    }
    return sum < 1 ? sum : 1;
}
double stat_chi2_tail(double x, int df) {
    double term = 1, sum = 1;
    for (int i = 1; i < df / 2; i++) sum += term *= x / 2 / i;
    return exp(-x / 2) * sum;
}
/* Odd degrees by the recurrence Q(x, k + 2) = Q(x, k) + (x/2)^(k/2) e^(-x/2) / Gamma(k/2 + 1), begun at one degree. */
double stat_chi2_p(double x, int df) {
    if (x <= 0) return 1;
    if (df % 2 == 0) return stat_chi2_tail(x, df);
    double q = erfc(sqrt(x / 2));
    for (int k = 1; k < df; k += 2) q += exp(k / 2.0 * log(x / 2) - x / 2 - lgamma(k / 2.0 + 1));
    return q;
}
double stat_fisher(const double *p, int n) {
    double x = 0;
    for (int i = 0; i < n; i++) x -= 2 * log(p[i] > 1e-300 ? p[i] : 1e-300);
    return stat_chi2_tail(x, 2 * n);
}
int stat_bh(const double *p, int n, double q) {
    for (int k = n; k > 0; k--)
        if (p[k - 1] <= q * k / n) return k;
    return 0;
}

bool stat_ols(const double *x, const double *y, int n, struct line *ret) {
    double mx = 0, my = 0, sxx = 0, sxy = 0, rest = 0;
    for (int i = 0; i < n; i++) mx += x[i] / n, my += y[i] / n;
    for (int i = 0; i < n; i++) sxx += (x[i] - mx) * (x[i] - mx), sxy += (x[i] - mx) * (y[i] - my);
    if (n < 3 || !(sxx > 0)) return false;
    *ret = (struct line){my - sxy / sxx * mx, sxy / sxx, 0, n};
    for (int i = 0; i < n; i++) {
        double d = y[i] - ret->a - ret->b * x[i];
        rest += d * d;
    }
    ret->s = sqrt(rest / (n - 2));
    return true;
}
int stat_cusum(const double *z, int n, double k, double h) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        s += z[i] - k;
        if (s < 0) s = 0;
        if (s > h) return i;
    }
    return -1;
}

/* Killick, Fearnhead, Eckley 2012. F[t] = min over kept s of F[s] + cost(s, t) + beta. */
int stat_pelt(const double *y, int n, double beta, int *end, int cap) {
    if (n < 1) return 0;
    double *sum = xcalloc((size_t)n + 1, sizeof *sum), *square = xcalloc((size_t)n + 1, sizeof *square), *f = xcalloc((size_t)n + 1, sizeof *f);
    int *prev = xcalloc((size_t)n + 1, sizeof *prev), *keep = xcalloc((size_t)n + 1, sizeof *keep), kept = 1;
    double *at = xcalloc((size_t)n + 1, sizeof *at);
    for (int i = 0; i < n; i++) sum[i + 1] = sum[i] + y[i], square[i + 1] = square[i] + y[i] * y[i];
    f[0] = -beta;
    for (int t = 1; t <= n; t++) {
        f[t] = INFINITY;
        for (int k = 0; k < kept; k++) {
            int s = keep[k];
            double d = sum[t] - sum[s], cost = square[t] - square[s] - d * d / (t - s);
            at[k] = f[s] + cost;
            if (at[k] + beta < f[t]) f[t] = at[k] + beta, prev[t] = s;
        }
        int left = 0;
        for (int k = 0; k < kept; k++)
            if (at[k] <= f[t]) keep[left++] = keep[k];
        keep[left++] = t;
        kept = left;
    }
    int m = 0, count = 0;
    for (int t = n; t > 0; t = prev[t]) count++;
    for (int t = n; t > 0; t = prev[t], m++)
        if (count - 1 - m < cap) end[count - 1 - m] = t;
    free(sum), free(square), free(f), free(prev), free(keep), free(at);
    return count < cap ? count : cap;
}
void stat_direction(const double *hour, int n, double *r, double *mean) {
    double c = 0, s = 0;
    for (int i = 0; i < n; i++) c += cos(hour[i] * M_PI / 12), s += sin(hour[i] * M_PI / 12);
    *r = n ? hypot(c, s) / n : 0;
    *mean = fmod(atan2(s, c) * 12 / M_PI + 24, 24);
}

enum { ROWS = 6, COLS = 12 };
/* Solves M X = B in place by Gauss-Jordan with pivots; false: singular. */
static bool solve(double m[ROWS][ROWS], double b[ROWS][COLS + 1], int n, int cols) {
    for (int i = 0; i < n; i++) {
        int best = i;
        for (int k = i + 1; k < n; k++)
            if (fabs(m[k][i]) > fabs(m[best][i])) best = k;
        if (fabs(m[best][i]) < 1e-12) return false;
        for (int j = 0; j < n; j++) {
            double t = m[i][j];
            m[i][j] = m[best][j], m[best][j] = t;
        }
        for (int j = 0; j < cols; j++) {
            double t = b[i][j];
            b[i][j] = b[best][j], b[best][j] = t;
        }
        for (int k = 0; k < n; k++) {
            if (k == i) continue;
            double f = m[k][i] / m[i][i];
            for (int j = i; j < n; j++) m[k][j] -= f * m[i][j];
            for (int j = 0; j < cols; j++) b[k][j] -= f * b[i][j];
        }
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < cols; j++) b[i][j] /= m[i][i];
    return true;
}
double stat_reconcile(const double *a, int rows, int n, const double *y, const double *sigma, double *x, double *z) {
    double m[ROWS][ROWS] = {{0}}, b[ROWS][COLS + 1] = {{0}}, r[ROWS] = {0}, chi = 0;
    if (rows < 1 || rows > ROWS || n < 2 || n > COLS) return NAN;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < n; j++) {
            double v = sigma[j] * sigma[j], aij = a[i * n + j];
            r[i] += aij * y[j];
            b[i][j] = aij * v; /* A V, becomes (A V A')^-1 A V */
            for (int k = 0; k < rows; k++) m[i][k] += aij * v * a[k * n + j];
        }
    for (int i = 0; i < rows; i++) b[i][n] = r[i];
    if (!solve(m, b, rows, n + 1)) return NAN;
    for (int i = 0; i < rows; i++) chi += r[i] * b[i][n];
    for (int j = 0; j < n; j++) {
        double adj = 0, var = 0;
        for (int i = 0; i < rows; i++) {
            adj -= a[i * n + j] * sigma[j] * sigma[j] * b[i][n];
            var += a[i * n + j] * sigma[j] * sigma[j] * b[i][j];
        }
        x[j] = y[j] + adj;
        z[j] = var > 0 ? -adj / sqrt(var) : 0;
    }
    return chi;
}
