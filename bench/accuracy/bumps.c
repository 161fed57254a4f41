/* seismic-bumps: hazard per shift (methods.md C5). Judged twice: by nested cross-validation, so that no row helped to choose anything it is judged by, and running
 * ahead, fitted on earlier rows only. */
#include "accuracy.h"
#include "detect/burst.h"
#include "detect/stat.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>

enum { FOLDS = 10, RAW = 19, C5 = 6, RESAMPLES = 2000 };
#define COLUMNS "seismic|seismoacoustic|shift|genergy|gimpuls|goenergy|goimpuls|ghazard|nbumps|nbumps2|nbumps3|nbumps4|nbumps5|senergy|maxenergy|class"

struct shifts {
    int n;
    struct burst_shift *s;
    bool *hit;
    double *raw, *c5; /* features of the baselines, constant last */
};
static double letter(struct str s) { return s.n == 1 && s.p[0] >= 'a' && s.p[0] <= 'd' ? s.p[0] - 'a' : 0; } /* unknown: none */

/* An empty cell holds the reading of the shift before; a shift whose class is not told is neither fitted on nor judged. */
static int shift_read(const struct table *t, int i, const struct detect_burst *r, struct shifts *out, double hold[11], struct zb_err *e) {
    static const char *const NUM[] = {"genergy", "gimpuls", "goenergy", "goimpuls", "nbumps",    "nbumps2",
                                      "nbumps3", "nbumps4", "nbumps5",  "senergy",  "maxenergy", "class"};
    double v[12];
    for (int j = 0; j < 12; j++)
        if (table_num(t, i, NUM[j], &v[j], e) != ZB_OK)
            return e->rc;
        else if (j < 11)
            hold[j] = v[j] = isfinite(v[j]) ? v[j] : hold[j];
    if (!isfinite(v[11])) return ZB_OK;
    int at = out->n++;
    bool working = str_is(table_text(t, i, "shift"), "W");
    double strong = v[10] >= r->strong ? v[7] + v[8] : 0; /* decades from 10⁴ J */
    out->s[at] = (struct burst_shift){v[4], strong, v[9], v[0], working};
    out->hit[at] = v[11] == 1;
    double raw[RAW] = {letter(table_text(t, i, "seismic")),
                       letter(table_text(t, i, "seismoacoustic")),
                       letter(table_text(t, i, "ghazard")),
                       working,
                       log(1 + v[0]),
                       log(1 + v[1]),
                       v[2],
                       v[3],
                       v[4],
                       v[5],
                       v[6],
                       v[7],
                       v[8],
                       log10(1 + v[9]),
                       log10(1 + v[10]),
                       v[0],
                       v[9],
                       v[10],
                       1};
    double c5[C5] = {log(1 + v[1]), v[4], log10(1 + v[9]), working, raw[0], 1};
    memcpy(out->raw + at * RAW, raw, sizeof raw);
    memcpy(out->c5 + at * C5, c5, sizeof c5);
    return ZB_OK;
}

static int shifts_read(const struct split *sp, const struct detect_burst *r, struct shifts *out, int *train, struct zb_err *e) {
    const struct table *const part[2] = {&sp->train, &sp->test};
    size_t n = (size_t)part[0]->rows + (size_t)part[1]->rows;
    *out = (struct shifts){0, xcalloc(n, sizeof *out->s), xcalloc(n, sizeof *out->hit), xcalloc(n * RAW, sizeof(double)), xcalloc(n * C5, sizeof(double))};
    for (int p = 0; p < 2; p++) {
        double hold[11] = {0};
        for (int i = 0; i < part[p]->rows; i++)
            if (shift_read(part[p], i, r, out, hold, e) != ZB_OK) return e->rc;
        if (!p) *train = out->n;
    }
    return ZB_OK;
}
static void shifts_done(struct shifts *s) { free(s->s), free(s->hit), free(s->raw), free(s->c5); }

/* ---- a plain logistic regression, its cut chosen on inner folds as ours is ---- */
struct plain {
    double mean[RAW], sd[RAW], w[RAW];
    struct cut cut;
};
static double plain_at(const struct plain *m, const double *x, int k) {
    double s = m->w[k - 1];
    for (int j = 0; j < k - 1; j++) s += m->w[j] * (x[j] - m->mean[j]) / m->sd[j];
    return s;
}
static void plain_weights(const double *x, const bool *hit, const bool *use, int n, int k, struct plain *m) {
    double *z = xmalloc((size_t)(n * k) * sizeof *z), *y = xmalloc((size_t)n * sizeof *y);
    int rows = 0;
    for (int j = 0; j < k; j++) {
        double s = 0, q = 0;
        int c = 0;
        for (int i = 0; i < n; i++)
            if (use[i]) s += x[i * k + j], c++;
        for (int i = 0; i < n; i++)
            if (use[i]) q += (x[i * k + j] - s / c) * (x[i * k + j] - s / c);
        m->mean[j] = s / c;
        m->sd[j] = q > 1e-18 ? sqrt(q / c) : 1;
    }
    for (int i = 0; i < n; i++) {
        if (!use[i]) continue;
        for (int j = 0; j < k; j++) z[rows * k + j] = j == k - 1 ? 1 : (x[i * k + j] - m->mean[j]) / m->sd[j];
        y[rows++] = hit[i];
    }
    logistic_fit(z, y, NULL, rows, k, 1e-3, m->w);
    free(z), free(y);
}
static void plain_fit(const double *x, const bool *hit, const bool *use, int n, int k, struct plain *m) {
    enum { INNER = 5 };
    double *score = xmalloc((size_t)n * sizeof *score);
    bool *in = xmalloc((size_t)n), *of = xmalloc((size_t)n);
    int out = 0;
    for (int f = 0; f < INNER; f++) {
        for (int i = 0, row = 0; i < n; i++) in[i] = use[i] && row++ % INNER != f;
        plain_weights(x, hit, in, n, k, m);
        for (int i = 0; i < n; i++)
            if (use[i] && !in[i]) {
                score[out] = plain_at(m, x + i * k, k);
                of[out++] = hit[i];
            }
    }
    cut_choose(score, of, out, &m->cut);
    plain_weights(x, hit, use, n, k, m);
    free(score), free(in), free(of);
}

/* ---- what is judged: score above its cut, row by row ---- */
enum who { OURS, OURS_FIXED, LOGISTIC_RAW, LOGISTIC_C5, NBUMPS, WHO };
static const char *const WHO_KEY[WHO] = {"forecast", "forecast_fixed_cut", "logistic", "logistic_c5", "rule_nbumps_2"};
struct verdicts {
    double *over[WHO]; /* score minus cut */
};

static int judge_rows(const struct detect_burst *r, const struct shifts *s, const bool *use, const bool *ask, struct verdicts *v, struct zb_err *e) {
    struct burst_model m;
    struct plain raw, c5;
    if (!burst_fit(r, s->s, s->hit, use, s->n, &m)) return zb_fail(e, ZB_E_INPUT, "fewer than %g rows of a class to fit on", r->positives);
    plain_fit(s->raw, s->hit, use, s->n, RAW, &raw);
    plain_fit(s->c5, s->hit, use, s->n, C5, &c5);
    double *score = xmalloc((size_t)s->n * sizeof *score);
    for (int i = 0; i < s->n; i++) {
        score[i] = burst_score(r, &m, s->s, i);
        if (!ask[i]) continue;
        v->over[OURS][i] = score[i] - burst_cut(r, &m, score, i);
        v->over[OURS_FIXED][i] = score[i] - m.cut.at;
        v->over[LOGISTIC_RAW][i] = plain_at(&raw, s->raw + i * RAW, RAW) - raw.cut.at;
        v->over[LOGISTIC_C5][i] = plain_at(&c5, s->c5 + i * C5, C5) - c5.cut.at;
        v->over[NBUMPS][i] = s->s[i].events - 2;
    }
    free(score);
    return ZB_OK;
}

/* 95 % interval of balanced accuracy: both classes drawn anew, fixed seed. */
static void interval(const struct counts *c, double out[2]) {
    double v[RESAMPLES], sens = (double)c->tp / (c->tp + c->fn), spec = (double)c->tn / (c->tn + c->fp);
    uint32_t seed = 42;
    for (int k = 0; k < RESAMPLES; k++) {
        int tp = 0, tn = 0;
        for (int i = 0; i < c->tp + c->fn; i++) tp += lcg_next(&seed) < sens;
        for (int i = 0; i < c->tn + c->fp; i++) tn += lcg_next(&seed) < spec;
        v[k] = ((double)tp / (c->tp + c->fn) + (double)tn / (c->tn + c->fp)) / 2;
    }
    stat_sort(v, RESAMPLES);
    out[0] = v[RESAMPLES / 40];
    out[1] = v[RESAMPLES - 1 - RESAMPLES / 40];
}

static void figures(struct json *out, const char *key, const double *over, const bool *hit, int n) {
    struct counts c = count_at(over, hit, n, 0);
    double i[2];
    interval(&c, i);
    json_key(out, key);
    json_obj(out);
    put(out, "balanced_accuracy", balanced(&c));
    put(out, "auc", area_under(over, hit, n));
    put(out, "low95", i[0]);
    put(out, "high95", i[1]);
    put(out, "sensitivity", (double)c.tp / (c.tp + c.fn));
    put(out, "false_share", (double)c.fp / (c.fp + c.tn));
    json_key(out, "tp"), json_i64(out, c.tp);
    json_key(out, "fp"), json_i64(out, c.fp);
    json_key(out, "fn"), json_i64(out, c.fn);
    json_key(out, "tn"), json_i64(out, c.tn);
    json_end(out);
}

static int nested(const struct detect_burst *r, const struct shifts *s, int train, struct json *out, struct zb_err *e) {
    (void)train; /* every row is judged by the others */
    struct verdicts v;
    bool *use = xmalloc((size_t)s->n), *ask = xmalloc((size_t)s->n);
    for (int w = 0; w < WHO; w++) v.over[w] = xcalloc((size_t)s->n, sizeof(double));
    int rc = ZB_OK;
    for (int f = 0; f < FOLDS && rc == ZB_OK; f++) {
        for (int i = 0; i < s->n; i++) use[i] = !(ask[i] = i % FOLDS == f);
        rc = judge_rows(r, s, use, ask, &v, e);
    }
    if (rc == ZB_OK) { /* rows fitted on and judged are of one time: the cut stands as chosen */
        figures(out, "forecast", v.over[OURS_FIXED], s->hit, s->n);
        for (int w = LOGISTIC_RAW; w < WHO; w++) figures(out, WHO_KEY[w], v.over[w], s->hit, s->n);
    }
    for (int w = 0; w < WHO; w++) free(v.over[w]);
    free(use), free(ask);
    return rc;
}

static void reasons(const struct detect_burst *r, const struct burst_model *m, const struct shifts *s, int now, struct json *out) {
    struct burst_reason why[3];
    int n = burst_reasons(r, m, s->s, now, why, 3);
    json_key(out, "example");
    json_obj(out);
    json_key(out, "row"), json_i64(out, now);
    json_key(out, "reasons");
    json_arr(out);
    for (int i = 0; i < n; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s %.4g, %s (log odds %+.2f)", why[i].zh, why[i].value, why[i].en, why[i].part);
        json_z(out, text);
    }
    json_arr_end(out);
    json_end(out);
}

static int ahead(const struct detect_burst *r, const struct shifts *s, int train, struct json *out, struct zb_err *e) {
    struct verdicts v;
    struct burst_model m;
    bool *use = xcalloc((size_t)s->n, 1), *ask = xcalloc((size_t)s->n, 1);
    for (int w = 0; w < WHO; w++) v.over[w] = xcalloc((size_t)s->n, sizeof(double));
    for (int i = 0; i < s->n; i++) ask[i] = !(use[i] = i < train);
    int rc = judge_rows(r, s, use, ask, &v, e), worst = train;
    if (rc == ZB_OK && burst_fit(r, s->s, s->hit, use, s->n, &m)) {
        for (int w = 0; w < WHO; w++) figures(out, WHO_KEY[w], v.over[w] + train, s->hit + train, s->n - train);
        for (int i = train; i < s->n; i++)
            if (v.over[OURS][i] > v.over[OURS][worst]) worst = i;
        reasons(r, &m, s, worst, out);
    }
    for (int w = 0; w < WHO; w++) free(v.over[w]);
    free(use), free(ask);
    return rc;
}

/* Too few strong shifts to fit on is an answer, not a failure: it is told in place of the figures. */
static void half(const char *key, int rows, int (*judge)(const struct detect_burst *, const struct shifts *, int, struct json *, struct zb_err *),
                 const struct detect_burst *r, const struct shifts *s, int train, struct json *out) {
    struct zb_err e = {0};
    json_key(out, key);
    json_obj(out);
    json_key(out, "rows"), json_i64(out, rows);
    if (judge(r, s, train, out, &e) != ZB_OK) json_key(out, "not_judged"), json_z(out, e.msg);
    json_end(out);
}

int run_bumps(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct split sp;
    struct shifts s = {0};
    struct policy *p = NULL;
    int train = 0;
    if (policy_load(a->policy, &p, e) != ZB_OK) return e->rc;
    if (split_load(a, COLUMNS, &sp, e) != ZB_OK) goto end;
    if (shifts_read(&sp, &p->detect.burst, &s, &train, e) == ZB_OK) {
        put_split(a, out);
        half("nested_cv", s.n, nested, &p->detect.burst, &s, train, out);
        half("ahead", s.n - train, ahead, &p->detect.burst, &s, train, out);
    }
    shifts_done(&s);
    split_done(&sp);
end:
    policy_unref(p);
    return e->rc;
}
