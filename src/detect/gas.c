#include "detect/gas_inside.h"
#include <math.h>
#include <stdlib.h>

/* What is read of a channel at a moment; the first COMPANION of them of the companions too. */
enum what { LAG, MEAN, MAX, MIN, SD };
static const struct {
    enum what what;
    int rows;
    const char *key;
} LOOK[] = {{LAG, 0, "now"},
            {LAG, 1, "1 row ago"},
            {LAG, 2, "2 rows ago"},
            {LAG, 4, "4 rows ago"},
            {LAG, 6, "6 rows ago"},
            {LAG, 12, "12 rows ago"},
            {MEAN, 6, "mean of 6 rows"},
            {MEAN, 30, "mean of 30 rows"},
            {SD, 12, "spread of 12 rows"},
            {LAG, 3, "3 rows ago"},
            {MAX, 6, "max of 6 rows"},
            {MAX, 12, "max of 12 rows"},
            {MIN, 12, "min of 12 rows"},
            {MEAN, 3, "mean of 3 rows"},
            {MEAN, 12, "mean of 12 rows"},
            {MAX, 60, "max of 60 rows"},
            {MAX, 120, "max of 120 rows"},
            {SD, 30, "spread of 30 rows"}};
enum { LOOKS = sizeof LOOK / sizeof *LOOK, COMPANION = GAS_COMPANION, GAPS_MAX = GAS_GAPS_MAX, FEATURES_MAX = GAS_FEATURES_MAX };
_Static_assert((int)LOOKS == (int)GAS_LOOKS, "the table of looks and its length");

static double look(const double *rows, int now, int channels, int c, int l) {
    int n = LOOK[l].rows, from = LOOK[l].what == LAG ? now - n : now - n + 1;
    double s = 0, q = 0, hi = -INFINITY, lo = INFINITY;
    if (LOOK[l].what == LAG) return rows[(from > 0 ? from : 0) * channels + c];
    for (int i = from; i <= now; i++) {
        double v = rows[(i > 0 ? i : 0) * channels + c];
        s += v;
        q += v * v;
        hi = fmax(hi, v);
        lo = fmin(lo, v);
    }
    switch (LOOK[l].what) {
    case MAX: return hi;
    case MIN: return lo;
    case SD: return sqrt(fmax(0, q / n - s / n * (s / n)));
    default: return s / n;
    }
}

static void features(const double *rows, int now, int channels, double *x) {
    int k = 0;
    for (int l = 0; l < LOOKS; l++) x[k++] = look(rows, now, channels, 0, l);
    for (int c = 1; c < channels; c++)
        for (int l = 0; l < COMPANION; l++) x[k++] = look(rows, now, channels, c, l);
}

static double peak_after(const double *rows, int i, int horizon, int channels) {
    double hi = -INFINITY;
    for (int j = i + 1; j <= i + horizon; j++) hi = fmax(hi, rows[j * channels]);
    return hi;
}

struct sheet { /* features and rises of the rows that are fitted on */
    int n, k;
    double *x, *rise;
    bool *use;
};

static void scale_of(struct gas_model *m, const struct sheet *s) {
    for (int j = 0; j < s->k; j++) {
        double a = 0, q = 0;
        int n = 0;
        for (int i = 0; i < s->n; i++)
            if (s->use[i]) {
                a += s->x[(size_t)i * (size_t)s->k + (size_t)j];
                n++;
            }
        a /= n;
        for (int i = 0; i < s->n; i++) {
            double d = s->x[(size_t)i * (size_t)s->k + (size_t)j] - a;
            if (s->use[i]) q += d * d;
        }
        m->mean[j] = a;
        m->sd[j] = fmax(sqrt(q / n), 1e-9);
    }
}

static void scaled(const struct gas_model *m, const double *x, double *z) {
    for (int j = 0; j < m->k; j++) z[j] = (x[j] - m->mean[j]) / m->sd[j];
    z[m->k] = 1;
}

/* Every row once for every gap: did it rise by at least that much? */
static void odds_fit(struct gas_model *m, const struct sheet *s, int n) {
    int gaps = (int)m->rule.rises;
    size_t k = (size_t)s->k + 1;
    double *x = xmalloc((size_t)n * (size_t)gaps * k * sizeof *x), *y = xmalloc((size_t)n * (size_t)gaps * sizeof *y);
    size_t r = 0;
    for (int g = 1; g <= gaps; g++)
        for (int i = 0; i < s->n; i++) {
            if (!s->use[i]) continue;
            memcpy(x + r * k, s->x + (size_t)i * (size_t)s->k, (size_t)s->k * sizeof *x);
            x[r * k + (size_t)s->k] = g * m->rule.rise;
            y[r++] = s->rise[i] >= g * m->rule.rise - 1e-9;
        }
    struct boost_how how = {
        BOOST_LOGISTIC, (int)m->rule.trees, (int)m->rule.leaves, (int)m->rule.least * gaps, m->rule.rate, m->rule.shrink, 1, m->rule.columns, 2};
    m->odds = boost_fit(&how, x, y, NULL, (int)r, (int)k);
    free(x), free(y);
}

static void learners_fit(struct gas_model *m, const struct sheet *s) {
    size_t k = (size_t)s->k;
    double *x = xmalloc((size_t)s->n * (k + 1) * sizeof *x), *y = xmalloc((size_t)s->n * sizeof *y);
    int n = 0;
    scale_of(m, s);
    for (int i = 0; i < s->n; i++)
        if (s->use[i]) {
            scaled(m, s->x + (size_t)i * k, x + (size_t)n * (k + 1));
            y[n++] = s->rise[i];
        }
    ridge_fit(x, y, NULL, n, s->k + 1, m->rule.ridge, m->w);
    for (int i = 0, r = 0; i < s->n; i++)
        if (s->use[i]) memcpy(x + (size_t)r++ * k, s->x + (size_t)i * k, k * sizeof *x);
    struct boost_how how = {BOOST_SQUARE, (int)m->rule.trees, (int)m->rule.leaves, (int)m->rule.least, m->rule.rate, m->rule.shrink, 1, m->rule.columns, 1};
    m->trees = boost_fit(&how, x, y, NULL, n, s->k);
    free(x), free(y);
    odds_fit(m, s, n);
}

static void learners_free(struct gas_model *m) {
    boost_free(m->trees);
    boost_free(m->odds);
    m->trees = m->odds = NULL;
}

/* Views of a rise of at least gap. The ridge alone helps with the first step and misleads farther out, where it is a straight line's guess. */
enum { VIEWS = 4, COMMON = 3 }; /* 1, its log odds, the mean beyond it; the ridge alone beyond it */
static double ridge_at(const struct gas_model *m, const double *x) {
    double z[FEATURES_MAX + 1];
    scaled(m, x, z);
    return linear_at(m->w, z, m->k + 1);
}

static void views_at(const struct gas_model *m, const double *x, double mean, double gap, double v[VIEWS]) {
    double z[FEATURES_MAX + 1];
    memcpy(z, x, (size_t)m->k * sizeof *z);
    z[m->k] = gap;
    v[0] = 1;
    v[1] = boost_at(m->odds, z);
    v[2] = (mean - gap) / m->rule.rise;
    v[3] = (ridge_at(m, x) - gap) / m->rule.rise;
}

/* The rise to show: cost |r-p| + (r-p)²/(2·pull) is least at mean - pull·(1-2·chance) while p is between 0 and the sensor's first step. */
static double drawn(double mean, double chance, double pull) { return fmax(0, mean - pull * fmax(0, 1 - 2 * chance)); }

struct blind { /* what was forecast for rows while they were not fitted on */
    int n, gaps;
    double *mean, *ridge, *view; /* view: [n][gaps][VIEWS] */
};

/* Fits without one block of time after the other and forecasts it. Rows whose horizon or nearest past touches the block are left out. */
static void blind_make(struct gas_model *m, struct sheet *s, struct blind *b) {
    int folds = (int)m->rule.folds, guard = (int)m->rule.horizon + LOOK[5].rows;
    for (int f = 0; f < folds; f++) {
        int from = (int)((int64_t)s->n * f / folds), to = (int)((int64_t)s->n * (f + 1) / folds);
        for (int i = 0; i < s->n; i++) s->use[i] = i < from - guard || i >= to + guard;
        learners_fit(m, s);
        for (int i = from; i < to; i++) {
            const double *x = s->x + (size_t)i * (size_t)s->k;
            b->ridge[i] = ridge_at(m, x);
            b->mean[i] = (b->ridge[i] + boost_at(m->trees, x)) / 2;
            for (int g = 0; g < b->gaps; g++) views_at(m, x, b->mean[i], (g + 1) * m->rule.rise, b->view + (i * b->gaps + g) * VIEWS);
        }
        learners_free(m);
    }
}

/* The views weighed together on rows not fitted on, so that a chance means what it says. */
static void weigh(const struct sheet *s, const struct blind *b, double step, int gaps, int views, double *w) {
    size_t n = (size_t)(s->n * gaps), k = (size_t)views;
    double *x = xmalloc(n * k * sizeof *x), *y = xmalloc(n * sizeof *y);
    for (int i = 0; i < s->n; i++)
        for (int g = 0; g < gaps; g++) {
            memcpy(x + (size_t)(i * gaps + g) * k, b->view + (i * b->gaps + g) * VIEWS, k * sizeof *x);
            y[i * gaps + g] = s->rise[i] >= (g + 1) * step - 1e-9;
        }
    if (!logistic_fit(x, y, NULL, s->n * gaps, views, 1, w)) w[1] = 1; /* the log odds as they are */
    free(x), free(y);
}

/* Pulls are multiples of a fifth of the sensor's first step. */
static double pull_at(const struct gas_model *m, int step) { return step * m->rule.rise / 5; }

static void tally_add(const struct gas_model *m, struct gas_tally *t, double rise, double mean, double chance, double weight) {
    t->now += weight * fabs(rise);
    t->mean += weight * (rise - mean) * (rise - mean);
    for (int p = 0; p < GAS_PULLS; p++) {
        double d = rise - drawn(mean, chance, pull_at(m, p));
        t->cost[p] += weight * fabs(d);
        t->square[p] += weight * d * d;
    }
}

/* What the pulls would have cost on the rows not fitted on, as if these were `prior` rows. */
static void tally_make(struct gas_model *m, const struct sheet *s, const struct blind *b) {
    for (int i = 0; i < s->n; i++)
        tally_add(m, &m->start, s->rise[i], b->mean[i], logistic(linear_at(m->first, b->view + i * b->gaps * VIEWS, VIEWS)), m->rule.prior / s->n);
}

/* The pull that is best against both plain rules at once: in absolute error against "as now", in squares against the mean and what may be given away of it. */
static double pull_choose(const struct gas_model *m, const struct gas_tally *t) {
    double best = INFINITY, pull = 0;
    for (int p = 0; p < GAS_PULLS; p++) {
        double worse = fmax(t->now > 0 ? t->cost[p] / t->now : 1, t->mean > 0 ? sqrt(t->square[p] / t->mean) / (1 + m->rule.slack) : 1);
        if (worse >= best) continue;
        best = worse;
        pull = pull_at(m, p);
    }
    return pull;
}

static void blend_fit(struct gas_model *m, struct sheet *s) {
    int gaps = (int)m->rule.rises;
    size_t n = (size_t)s->n;
    struct blind b = {s->n, gaps, xmalloc(n * sizeof(double)), xmalloc(n * sizeof(double)), xmalloc(n * (size_t)gaps * VIEWS * sizeof(double))};
    blind_make(m, s, &b);
    weigh(s, &b, m->rule.rise, gaps, COMMON, m->weight);
    weigh(s, &b, m->rule.rise, 1, VIEWS, m->first);
    tally_make(m, s, &b);
    free(b.mean), free(b.ridge), free(b.view);
}

bool gas_rule_good(const struct detect_gas *r) {
    return r->horizon >= 1 && r->horizon <= GAS_HORIZON_MAX && r->rises >= 1 && r->rises <= GAPS_MAX && r->folds >= 2 && r->rise > 0 && r->memory > 0 &&
           r->trees >= 1 && r->trees <= 2000 && r->leaves >= 2 && r->leaves <= BOOST_LEAVES_MAX && r->step_s >= 1;
}

int gas_channels(const struct gas_model *m) { return m->channels; }

struct gas_model *gas_fit(const struct detect_gas *rule, const double *rows, int n, int channels) {
    int horizon = (int)rule->horizon, use = n - horizon;
    if (channels < 1 || channels > GAS_CHANNELS_MAX || n < 10 * GAS_PAST || !gas_rule_good(rule)) return NULL;
    struct gas_model *m = xcalloc(1, sizeof *m);
    *m = (struct gas_model){.rule = *rule, .channels = channels, .k = gas_features(channels)};
    struct sheet s = {use, m->k, xmalloc((size_t)use * (size_t)m->k * sizeof(double)), xmalloc((size_t)use * sizeof(double)),
                      xcalloc((size_t)use, sizeof(bool))};
    for (int i = 0; i < use; i++) {
        features(rows, i, channels, s.x + (size_t)i * (size_t)s.k);
        s.rise[i] = peak_after(rows, i, horizon, channels) - rows[i * channels];
    }
    blend_fit(m, &s);
    for (int i = 0; i < use; i++) s.use[i] = true;
    learners_fit(m, &s);
    free(s.x), free(s.rise), free(s.use);
    return m;
}

void gas_free(struct gas_model *m) {
    if (m) learners_free(m);
    free(m);
}

static double chance_of(const struct gas_model *m, const double *x, double mean, double gap, const double *w, int views) {
    double v[VIEWS];
    views_at(m, x, mean, gap, v);
    return logistic(linear_at(w, v, views));
}

static void why(const struct gas_model *m, const double *x, struct gas_next *ret) {
    double part[FEATURES_MAX + 1], z[FEATURES_MAX + 1];
    memcpy(z, x, (size_t)m->k * sizeof *z);
    z[m->k] = m->rule.rise;
    boost_parts(m->odds, z, part);
    int best = 0;
    for (int j = 1; j < m->k; j++)
        if (part[j] > part[best]) best = j;
    bool own = best < LOOKS;
    ret->why = part[best] > 0 ? LOOK[own ? best : (best - LOOKS) % COMPANION].key : "";
    ret->why_channel = own ? 0 : 1 + (best - LOOKS) / COMPANION;
}

void gas_watch_start(const struct gas_model *m, struct gas_watch *w) { *w = (struct gas_watch){.tally = m->start}; }

/* The forecast made a horizon ago is now known to be right or wrong. */
static void learn_from(const struct gas_model *m, struct gas_watch *w, const double *rows, int now) {
    int h = (int)m->rule.horizon, at = (int)(w->seen % (uint64_t)h);
    if (w->seen >= (uint64_t)h && now >= h) {
        double fade = pow(0.5, 1 / m->rule.memory), rise = peak_after(rows, now - h, h, m->channels) - rows[(now - h) * m->channels];
        w->tally.now *= fade;
        w->tally.mean *= fade;
        for (int p = 0; p < GAS_PULLS; p++) {
            w->tally.cost[p] *= fade;
            w->tally.square[p] *= fade;
        }
        tally_add(m, &w->tally, rise, w->mean[at], w->chance[at], 1);
    }
}

void gas_next(const struct gas_model *m, struct gas_watch *w, const double *rows, int now, double limit, struct gas_next *ret) {
    double x[FEATURES_MAX], v[TREND_MAX], value = rows[now * m->channels];
    struct trend t;
    int at = (int)(w->seen % (uint64_t)m->rule.horizon);
    features(rows, now, m->channels, x);
    double rise = (ridge_at(m, x) + boost_at(m->trees, x)) / 2, chance = chance_of(m, x, rise, m->rule.rise, m->first, VIEWS);
    learn_from(m, w, rows, now);
    w->mean[at] = rise;
    w->chance[at] = chance;
    w->seen++;
    *ret = (struct gas_next){.mean = value + rise, .rise = chance, .to_limit = INFINITY};
    ret->peak = value + drawn(rise, chance, pull_choose(m, &w->tally));
    ret->cross = value >= limit ? 1 : chance_of(m, x, rise, limit - value, m->weight, COMMON);
    int n = (int)fmin(fmin(m->rule.trend, TREND_MAX), now + 1);
    for (int i = 0; i < n; i++) v[i] = rows[(now - n + 1 + i) * m->channels];
    if (theil_sen(v, n, &t)) ret->to_limit = steps_to(&t, n, limit);
    why(m, x, ret);
}

/* How far back a forecast looks: features, its own judgement, the trend. */
static int rows_kept(const struct gas_model *m) { return 1 + (int)fmax(GAS_PAST, fmax(m->rule.horizon, fmin(m->rule.trend, TREND_MAX))); }

int gas_live_room(const struct gas_model *m) { return rows_kept(m) + 15; }

struct gas_live *gas_live_new(const struct gas_model *m) {
    struct gas_live *l = xcalloc(1, sizeof *l + (size_t)(gas_live_room(m) * m->channels) * sizeof *l->row);
    l->m = m;
    gas_watch_start(m, &l->watch);
    return l;
}

static void newest_keep(struct gas_live *l, const struct gas_live *of) {
    int keep = rows_kept(l->m), from = of->n > keep ? of->n - keep : 0, channels = l->m->channels;
    l->n = of->n - from;
    memmove(l->row, of->row + from * channels, (size_t)(l->n * channels) * sizeof *l->row);
}

void gas_live_follow(struct gas_live *l, const struct gas_live *before) { newest_keep(l, before); }

void gas_live_free(struct gas_live *l) { free(l); }

void gas_live_row(struct gas_live *l, const double *v, double limit, struct gas_next *ret) {
    if (l->n == gas_live_room(l->m)) newest_keep(l, l);
    memcpy(l->row + l->n * l->m->channels, v, (size_t)l->m->channels * sizeof *v);
    gas_next(l->m, &l->watch, l->row, l->n++, limit, ret);
}
