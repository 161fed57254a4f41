/* Robust statistics and exact tails, as methods.md defines them (0.1, D6, D11, E3, E4, E6). No state, no allocation beyond the call.
 * Median of even n: mean of the two middle values. MAD: median |x - median|; robust sigma = 1.4826 MAD. */
#pragma once
#include "base/num.h"
#include <stdbool.h>

#define STAT_SIGMA 1.4826
double stat_median(double *x, int n);                   /* sorts x; NAN when n is 0 */
double stat_quantile(const double *sorted, int n, double q); /* linear between neighbours; NAN when n is 0 */
void stat_sort(double *x, int n);
double stat_mad(const double *x, int n, double median); /* NAN when n is 0 */
/* (x - median) / max(1.4826 MAD, floor) */
double stat_z(double x, double median, double mad, double floor);
double stat_binomial_tail(int k, int n, double p);               /* P(X >= k) */
double stat_hyper_tail(int k, int total, int marked, int drawn); /* P(X >= k) of the marked among the drawn */
double stat_poisson_tail(int k, double mean);                    /* P(X >= k) */
/* Fisher's X = -2 sum ln p, 2n degrees of freedom: P(chi2 >= X). Only for p of different data. */
double stat_fisher(const double *p, int n);
/* Benjamini-Hochberg: how many of the sorted p are rejected at q. */
int stat_bh(const double *sorted, int n, double q);
double stat_chi2_tail(double x, int even_df); /* P(chi2 >= x), df even */

struct line {
    double a, b, s; /* y = a + b x, standard deviation of the rest with n - 2 */
    int n;
};
bool stat_ols(const double *x, const double *y, int n, struct line *ret); /* false: n < 3 or x does not vary */
/* One-sided CUSUM of a standardised series with slack k: index of the first sum > h, -1 none. */
int stat_cusum(const double *z, int n, double k, double h);
/* Change points by PELT, squared error, beta a change: writes the ends of segments (the last one is n), at most cap; returns how many. */
int stat_pelt(const double *y, int n, double beta, int *end, int cap);
/* Mean direction of the hours of the day: R in 0..1 and the mean hour in 0..24. */
void stat_direction(const double *hour, int n, double *r, double *mean);
/* Data reconciliation: minimises sum ((x - y)/sigma)^2 with A x = 0 (A rows by n, rows <= 6, n <= 12). z: what was measured less what balances, over
 * the standard deviation of that.
 * Returns chi2 of the imbalance with `rows` degrees of freedom, NAN when A is singular. */
double stat_reconcile(const double *a, int rows, int n, const double *y, const double *sigma, double *x, double *z);
double stat_chi2_p(double x, int df); /* P(chi2 >= x), any df 1..12 */
