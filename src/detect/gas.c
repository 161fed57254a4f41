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

/* The few looks of the straight line, of every channel: now, 2 and 6 rows ago. */
static int plain_of(const double *x, int channels, double *z) {
    static const int AT[GAS_PLAIN_LOOKS] = {0, 2, 4};
    int k = 0;
    for (int c = 0; c < channels; c++)
        for (int l = 0; l < GAS_PLAIN_LOOKS; l++) z[k++] = x[(c ? LOOKS + (c - 1) * COMPANION : 0) + AT[l]];
    z[k++] = 1;
    return k;
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
    double z[FEATURES_MAX + 1];
    int few = 0;
    for (int i = 0; i < n; i++) { /* in place: the few are fewer */
        few = plain_of(x + (size_t)i * (k + 1), m->channels, z);
        memcpy(x + (size_t)i * (size_t)few, z, (size_t)few * sizeof *x);
    }
    ridge_fit(x, y, NULL, n, few, 1, m->plain); /* 1: against columns that are each other's copy */
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

static void experts_at(const struct gas_model *m, const double *x, double ret[GAS_EXPERTS]) {
    double z[FEATURES_MAX + 1], few[GAS_PLAIN_LOOKS * GAS_CHANNELS_MAX + 1];
    scaled(m, x, z);
    ret[GAS_PLAIN] = linear_at(m->plain, few, plain_of(z, m->channels, few));
    ret[GAS_RIDGE] = linear_at(m->w, z, m->k + 1);
    ret[GAS_TREES] = boost_at(m->trees, x);
}

/* Views of a rise of at least the first step: 1, its log odds, the middle of ridge and trees beyond it, the ridge alone beyond it. */
static void views_at(const struct gas_model *m, const double *x, const double expert[GAS_EXPERTS], double v[GAS_VIEWS]) {
    double z[FEATURES_MAX + 1], step = m->rule.rise;
    memcpy(z, x, (size_t)m->k * sizeof *z);
    z[m->k] = step;
    v[0] = 1;
    v[1] = boost_at(m->odds, z);
    v[2] = ((expert[GAS_RIDGE] + expert[GAS_TREES]) / 2 - step) / step;
    v[3] = (expert[GAS_RIDGE] - step) / step;
}

/* The experts' shares, in tenths, with which their mean would have lost least in squares. */
static double mean_of(const struct gas_tally *t, const double expert[GAS_EXPERTS]) {
    double best = INFINITY, mean = 0;
    for (int a = 0; a <= 10; a++)
        for (int b = 0; a + b <= 10; b++) {
            const double w[GAS_EXPERTS] = {a / 10.0, b / 10.0, (10 - a - b) / 10.0};
            double lost = 0;
            for (int i = 0; i < GAS_EXPERTS; i++)
                for (int j = 0; j < GAS_EXPERTS; j++) lost += w[i] * w[j] * t->error[i][j];
            if (lost >= best) continue;
            best = lost;
            mean = w[0] * expert[0] + w[1] * expert[1] + w[2] * expert[2];
        }
    return mean;
}

/* The rise to show: cost |r-p| + (r-p)²/(2·pull) is least at mean - pull·(1-2·chance) while p is between 0 and the sensor's first step. */
static double drawn(double mean, double chance, double pull) { return isinf(pull) ? 0 : fmax(0, mean - pull * fmax(0, 1 - 2 * chance)); }

struct blind { /* what was forecast for rows while they were not fitted on */
    double (*expert)[GAS_EXPERTS], (*view)[GAS_VIEWS];
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
            experts_at(m, x, b->expert[i]);
            views_at(m, x, b->expert[i], b->view[i]);
        }
        learners_free(m);
    }
}

/* Chances that mean what they say, fitted on rows not fitted on: of a rise by the first step, from the views; of a rise by any gap, from how far the mean is beyond it.
 * The odds of the trees rank a far gap worse than the mean does, much worse where few such rises were learnt from. */
static void weigh(struct gas_model *m, const struct sheet *s, const struct blind *b) {
    int gaps = (int)m->rule.rises, n = s->n * gaps;
    double *x = xmalloc((size_t)n * 2 * sizeof *x), *y = xmalloc((size_t)n * sizeof *y);
    for (int i = 0; i < s->n; i++) y[i] = s->rise[i] >= m->rule.rise - 1e-9;
    if (!logistic_fit(b->view[0], y, NULL, s->n, GAS_VIEWS, 1, m->first)) m->first[1] = 1; /* the log odds as they are */
    for (int i = 0, r = 0; i < s->n; i++) {
        double mean = mean_of(&m->start, b->expert[i]);
        for (int g = 1; g <= gaps; g++, r++) {
            x[2 * r] = 1, x[2 * r + 1] = mean / m->rule.rise - g;
            y[r] = s->rise[i] >= g * m->rule.rise - 1e-9;
        }
    }
    if (!logistic_fit(x, y, NULL, n, 2, 1, m->weight)) m->weight[1] = 1;
    free(x), free(y);
}

/* Pulls are multiples of a fifth of the sensor's first step; the last is "as now" itself. */
static double pull_at(const struct gas_model *m, int step) { return step == GAS_PULLS - 1 ? INFINITY : step * m->rule.rise / 5; }

/* The forecast was mean and chance, of these experts; it rose by `rise`. */
static void tally_errors(struct gas_tally *t, double rise, const double expert[GAS_EXPERTS], double weight) {
    t->now += weight * fabs(rise);
    for (int i = 0; i < GAS_EXPERTS; i++)
        for (int j = 0; j < GAS_EXPERTS; j++) t->error[i][j] += weight * (expert[i] - rise) * (expert[j] - rise);
}
static void tally_pulls(const struct gas_model *m, struct gas_tally *t, double rise, double mean, double chance, double weight) {
    for (int p = 0; p < GAS_PULLS; p++) {
        double d = rise - drawn(mean, chance, pull_at(m, p));
        t->cost[p] += weight * fabs(d);
        t->square[p] += weight * d * d;
    }
}

static double first_chance(const struct gas_model *m, const double view[GAS_VIEWS]) { return logistic(linear_at(m->first, view, GAS_VIEWS)); }

/* The pull that is best against both plain rules at once: in absolute error against "as now", in squares against the straight line. */
static double pull_choose(const struct gas_model *m, const struct gas_tally *t) {
    double best = INFINITY, pull = 0, line = t->error[GAS_PLAIN][GAS_PLAIN];
    for (int p = 0; p < GAS_PULLS; p++) {
        double worse = fmax(t->now > 0 ? t->cost[p] / t->now : 1, line > 0 ? sqrt(t->square[p] / line) : 1);
        if (worse >= best) continue;
        best = worse;
        pull = pull_at(m, p);
    }
    return pull;
}

/* What was lost on the rows not fitted on stands at the beginning, as if these were `prior` rows. */
static void blend_fit(struct gas_model *m, struct sheet *s) {
    size_t n = (size_t)s->n;
    double weight = m->rule.prior / s->n;
    struct blind b = {xmalloc(n * sizeof *b.expert), xmalloc(n * sizeof *b.view)};
    blind_make(m, s, &b);
    for (int i = 0; i < s->n; i++) tally_errors(&m->start, s->rise[i], b.expert[i], weight);
    weigh(m, s, &b);
    for (int i = 0; i < s->n; i++) tally_pulls(m, &m->start, s->rise[i], mean_of(&m->start, b.expert[i]), first_chance(m, b.view[i]), weight);
    free(b.expert), free(b.view);
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
        for (int i = 0; i < GAS_EXPERTS; i++)
            for (int j = 0; j < GAS_EXPERTS; j++) w->tally.error[i][j] *= fade;
        for (int p = 0; p < GAS_PULLS; p++) {
            w->tally.cost[p] *= fade;
            w->tally.square[p] *= fade;
        }
        tally_errors(&w->tally, rise, w->expert[at], 1);
        tally_pulls(m, &w->tally, rise, w->mean[at], w->chance[at], 1);
    }
}

void gas_next(const struct gas_model *m, struct gas_watch *w, const double *rows, int now, double limit, struct gas_next *ret) {
    double x[FEATURES_MAX], v[TREND_MAX], view[GAS_VIEWS], value = rows[now * m->channels];
    struct trend t;
    int at = (int)(w->seen % (uint64_t)m->rule.horizon);
    features(rows, now, m->channels, x);
    learn_from(m, w, rows, now);
    experts_at(m, x, w->expert[at]);
    views_at(m, x, w->expert[at], view);
    double rise = mean_of(&w->tally, w->expert[at]), chance = first_chance(m, view), beyond[2] = {1, (value + rise - limit) / m->rule.rise};
    w->mean[at] = rise;
    w->chance[at] = chance;
    w->seen++;
    *ret = (struct gas_next){.mean = value + rise, .rise = chance, .to_limit = INFINITY};
    ret->peak = value + drawn(rise, chance, pull_choose(m, &w->tally));
    ret->cross = value >= limit ? 1 : logistic(linear_at(m->weight, beyond, 2));
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
