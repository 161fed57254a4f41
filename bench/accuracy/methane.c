/* methane-mm116: greatest value of the next three minutes, and the onset of >= 1.0 % (methods.md C1, G). */
#include "accuracy.h"
#include "detect/gas.h"
#include "policy/policy.h"
#include <stdlib.h>

enum { HORIZON = 6, FEATURES = 11, WARM = 12 };
#define COLUMNS "MM31|MM116|AS038|PG072|PD|MM116_pred"
static const double LIMIT = 1.0;

struct gas { /* columns of a table */
    int n;
    double *mm31, *mm116, *air, *flow, *pd, *peak;
};
static int gas_read(const struct table *t, struct gas *g, struct zb_err *e) {
    size_t n = (size_t)t->rows;
    double *v = xmalloc(6 * n * sizeof *v);
    *g = (struct gas){t->rows, v, v + n, v + 2 * n, v + 3 * n, v + 4 * n, v + 5 * n};
    if (table_nums(t, "MM31", g->mm31, e) != ZB_OK || table_nums(t, "MM116", g->mm116, e) != ZB_OK || table_nums(t, "AS038", g->air, e) != ZB_OK ||
        table_nums(t, "PG072", g->flow, e) != ZB_OK || table_nums(t, "PD", g->pd, e) != ZB_OK || table_nums(t, "MM116_pred", g->peak, e) != ZB_OK)
        return e->rc;
    for (int c = 0; c < 5; c++) { /* an empty cell holds the value before, as it does live; before the first value stands the first */
        double *x = v + (size_t)c * n;
        size_t k = 0;
        while (k < n && !isfinite(x[k])) k++;
        if (k == n) return zb_fail(e, ZB_E_INPUT, "a column is empty from the first row to the last");
        for (size_t i = 0; i < n; i++)
            if (!isfinite(x[i])) x[i] = i < k ? x[k] : x[i - 1];
    }
    return ZB_OK;
}

/* the eleven features of methods.md C1 */
static void ols_features(const struct gas *g, int i, double x[FEATURES]) {
    int a = i >= 2 ? i - 2 : 0, b = i >= 6 ? i - 6 : 0, c = i >= 12 ? i - 12 : 0;
    const double f[FEATURES] = {1, g->mm116[i], g->mm116[a], g->mm116[b], g->mm31[i], g->mm31[a], g->mm31[b], g->mm31[c], g->air[i], g->flow[i], g->pd[i]};
    memcpy(x, f, sizeof f);
}

static void ols(const struct gas *train, const struct gas *test, double *p) {
    double w[FEATURES], *x = xmalloc((size_t)(train->n + 1) * FEATURES * sizeof *x), *y = xmalloc((size_t)(train->n + 1) * sizeof *y);
    int n = 0;
    for (int i = train->n > WARM ? WARM : 0; i < train->n; i++) {
        if (!isfinite(train->peak[i])) continue;
        ols_features(train, i, x + (size_t)n * FEATURES);
        y[n++] = train->peak[i];
    }
    ridge_fit(x, y, NULL, n, FEATURES, 0, w);
    free(y);
    for (int i = 0; i < test->n; i++) {
        ols_features(test, i, x);
        p[i] = linear_at(w, x, FEATURES);
    }
    free(x);
}

/* Rows without a target are not judged. */
static void judge(const struct gas *test, const double *p, const double *onset, const char *name, struct json *out) {
    size_t cap = (size_t)test->n + 1;
    double *score = xmalloc(cap * sizeof *score), *told = xmalloc(cap * sizeof *told), *came = xmalloc(cap * sizeof *came);
    bool *hit = xmalloc(cap);
    int n = 0, rows = 0;
    for (int i = 0; i < test->n; i++) {
        if (!isfinite(test->peak[i])) continue;
        told[rows] = p[i], came[rows++] = test->peak[i];
        if (test->mm116[i] < LIMIT) {
            score[n] = onset[i];
            hit[n++] = test->peak[i] >= LIMIT;
        }
    }
    json_key(out, name);
    json_obj(out);
    put(out, "mae", mean_abs(told, came, rows));
    put(out, "rmse", root_mean_square(told, came, rows));
    put(out, "onset_ap", average_precision(score, hit, n));
    put(out, "onset_auc", area_under(score, hit, n));
    json_end(out);
    free(score), free(told), free(came), free(hit);
}

/* The program's own forecast: fitted on train, then row by row over test. */
static int forecast(const struct detect_gas *rule, const struct gas *train, const struct gas *test, double *peak, double *onset, struct zb_err *e) {
    enum { CHANNELS = 5 };
    double *rows = xmalloc((size_t)(train->n + test->n) * CHANNELS * sizeof *rows);
    const struct gas *part[2] = {train, test};
    for (int p = 0, r = 0; p < 2; p++)
        for (int i = 0; i < part[p]->n; i++, r++) {
            const double v[CHANNELS] = {part[p]->mm116[i], part[p]->mm31[i], part[p]->air[i], part[p]->flow[i], part[p]->pd[i]};
            memcpy(rows + r * CHANNELS, v, sizeof v);
        }
    struct gas_model *m = gas_fit(rule, rows, train->n, CHANNELS);
    struct gas_watch w;
    if (m) gas_watch_start(m, &w);
    for (int i = 0; m && i < test->n; i++) {
        struct gas_next next;
        gas_next(m, &w, rows + train->n * CHANNELS, i, LIMIT, &next);
        peak[i] = next.peak;
        onset[i] = next.cross;
    }
    free(rows);
    if (!m) zb_fail(e, ZB_E_INPUT, "%d rows to fit on are too few", train->n);
    gas_free(m);
    return e->rc;
}

int run_methane(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct split s;
    struct gas train = {0}, test = {0};
    struct policy *policy = NULL;
    if (policy_load(a->policy, &policy, e) != ZB_OK) return e->rc;
    if (split_load(a, COLUMNS, &s, e) != ZB_OK) goto end;
    if (gas_read(&s.train, &train, e) == ZB_OK && gas_read(&s.test, &test, e) == ZB_OK) {
        double *p = xmalloc((size_t)test.n * sizeof *p), *onset = xmalloc((size_t)test.n * sizeof *onset);
        put_split(a, out);
        json_key(out, "rows");
        json_i64(out, test.n);
        if (forecast(&policy->detect.gas, &train, &test, p, onset, e) == ZB_OK) judge(&test, p, onset, "forecast", out);
        ols(&train, &test, p);
        json_key(out, "baselines");
        json_obj(out);
        judge(&test, test.mm116, test.mm116, "persistence", out);
        judge(&test, p, p, "ols", out);
        json_end(out);
        free(p), free(onset);
    }
    free(train.mm31), free(test.mm31);
    split_done(&s);
end:
    policy_unref(policy);
    return e->rc;
}
