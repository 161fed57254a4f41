/* Three small learners for the forecasts, fitted at run time on a mine's own history: weighted ridge regression, ridge logistic regression,
 * gradient boosted trees of few leaves. Rows are x[i*k .. i*k+k-1], all finite. Deterministic: the same rows give the same model, bit by bit on one machine.
 * Friedman, Greedy function approximation, Annals of Statistics 29 (2001); second-order steps as in Chen & Guestrin, KDD 2016. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LEARN_FEATURES_MAX 64
#define BOOST_LEAVES_MAX 8

/* The generator of methods.md 0.2: u in [0,1). */
static inline double lcg_next(uint32_t *x) { return (double)(*x = 1664525u * *x + 1013904223u) / 4294967296.0; }

/* w[k]: least squares of y with ridge·w² on every coefficient but those of constant columns; weight NULL: all 1.
 * False (w all 0) when the rows do not determine it: k > LEARN_FEATURES_MAX, n < 1, or singular with ridge 0. */
bool ridge_fit(const double *x, const double *y, const double *weight, int n, int k, double ridge, double *w);
/* w[k] of log odds = x·w, y in {0,1}; Newton steps, the ridge as above. */
bool logistic_fit(const double *x, const double *y, const double *weight, int n, int k, double ridge, double *w);
double linear_at(const double *w, const double *x, int k);

enum boost_loss { BOOST_SQUARE, BOOST_LOGISTIC };
struct boost_how {
    enum boost_loss loss;
    int trees, leaves, least; /* leaves ≤ BOOST_LEAVES_MAX (2: stumps, an additive model); rows a leaf holds at least */
    double rate, ridge;       /* step in (0,1]; shrinks a leaf's value */
    double rows, columns;     /* share drawn for a tree, (0,1]; 1: all */
    uint32_t seed;
};
struct boost_node {              /* feature < 0: a leaf of this value */
    int8_t feature, left, right; /* places in the tree */
    float cut, value;            /* x[feature] <= cut goes left; value: mean of what is below, for reasons */
};
struct boost {
    enum boost_loss loss;
    int k, trees, nodes; /* nodes of one tree: 2·leaves-1 */
    double base;
    struct boost_node *node;
};
/* The caller frees with boost_free. NULL when n < 1 or how is out of range. */
struct boost *boost_fit(const struct boost_how *how, const double *x, const double *y, const double *weight, int n, int k);
void boost_free(struct boost *b);
double boost_at(const struct boost *b, const double *x); /* the value, or the log odds */
/* What each feature adds to boost_at, base aside: at every split on the way the change of the mean below it (Saabas). part[k]. */
void boost_parts(const struct boost *b, const double *x, double *part);
double logistic(double odds);

struct cut { /* a score from which a row is flagged, and what came of it on the rows it was chosen on */
    double at, share, sensitivity, false_share;
};
/* Where balanced accuracy is best, smoothed over neighbouring cuts so that no single row decides. False with rows of one kind only. */
bool cut_choose(const double *score, const bool *hit, int n, struct cut *ret);
