#include "detect/learn.h"
#include "base/str.h"
#include "detect/stat.h"
#include <math.h>
#include <stdlib.h>

double logistic(double odds) { return odds >= 0 ? 1 / (1 + exp(-odds)) : exp(odds) / (1 + exp(odds)); }

double linear_at(const double *w, const double *x, int k) {
    double s = 0;
    for (int j = 0; j < k; j++) s += w[j] * x[j];
    return s;
}

struct normal {
    double a[LEARN_FEATURES_MAX * LEARN_FEATURES_MAX], b[LEARN_FEATURES_MAX];
};

/* The ridge; a column of zeros gets the weight 0 instead of making all of it unsolvable. */
static void shrink(struct normal *m, const bool *v, int k, double ridge) {
    for (int j = 0; j < k; j++) {
        double *d = &m->a[j * k + j];
        *d = *d == 0 ? 1 : v[j] ? *d + ridge : *d;
    }
}

/* Cholesky of the k × k matrix a in place, then a·w = b. */
static bool solve(double *a, double *b, int k) {
    for (int i = 0; i < k; i++)
        for (int j = 0; j <= i; j++) {
            double s = a[i * k + j], own = s;
            for (int m = 0; m < j; m++) s -= a[i * k + m] * a[j * k + m];
            if (i == j && !(s > 1e-12 * (1 + own))) return false;
            a[i * k + j] = i == j ? sqrt(s) : s / a[j * k + j];
        }
    for (int i = 0; i < k; i++) {
        for (int m = 0; m < i; m++) b[i] -= a[i * k + m] * b[m];
        b[i] /= a[i * k + i];
    }
    for (int i = k; i--;) {
        for (int m = i + 1; m < k; m++) b[i] -= a[m * k + i] * b[m];
        b[i] /= a[i * k + i];
    }
    return true;
}

/* Constant columns carry the level: they are not shrunk. */
static void varying(const double *x, int n, int k, bool *v) {
    for (int j = 0; j < k; j++) {
        v[j] = false;
        for (int i = 1; i < n && !v[j]; i++) v[j] = x[(size_t)i * (size_t)k + (size_t)j] != x[j];
    }
}

static void normal_add(struct normal *m, const double *x, double y, double weight, int k) {
    for (int i = 0; i < k; i++) {
        double wx = weight * x[i];
        m->b[i] += wx * y;
        for (int j = 0; j <= i; j++) m->a[i * k + j] += wx * x[j];
    }
}

bool ridge_fit(const double *x, const double *y, const double *weight, int n, int k, double ridge, double *w) {
    bool v[LEARN_FEATURES_MAX];
    memset(w, 0, (size_t)(k > 0 ? k : 0) * sizeof *w);
    if (k < 1 || k > LEARN_FEATURES_MAX || n < 1) return false;
    struct normal *m = xcalloc(1, sizeof *m);
    varying(x, n, k, v);
    for (int i = 0; i < n; i++) normal_add(m, x + (size_t)i * (size_t)k, y[i], weight ? weight[i] : 1, k);
    shrink(m, v, k, ridge);
    bool ok = solve(m->a, m->b, k);
    if (ok) memcpy(w, m->b, (size_t)k * sizeof *w);
    free(m);
    return ok;
}

bool logistic_fit(const double *x, const double *y, const double *weight, int n, int k, double ridge, double *w) {
    enum { STEPS = 50 };
    bool v[LEARN_FEATURES_MAX], ok = true;
    memset(w, 0, (size_t)(k > 0 ? k : 0) * sizeof *w);
    if (k < 1 || k > LEARN_FEATURES_MAX || n < 1) return false;
    struct normal *m = xmalloc(sizeof *m);
    varying(x, n, k, v);
    double far = 1;
    for (int step = 0; ok && step < STEPS && far > 1e-9; step++) {
        memset(m, 0, sizeof *m);
        for (int i = 0; i < n; i++) {
            const double *r = x + (size_t)i * (size_t)k;
            double z = linear_at(w, r, k), p = logistic(z), h = fmax(p * (1 - p), 1e-9);
            normal_add(m, r, z + (y[i] - p) / h, h * (weight ? weight[i] : 1), k); /* iteratively reweighted least squares */
        }
        shrink(m, v, k, ridge);
        ok = solve(m->a, m->b, k);
        far = 0;
        for (int j = 0; ok && j < k; j++) {
            far = fmax(far, fabs(m->b[j] - w[j]));
            w[j] = m->b[j];
        }
    }
    free(m);
    if (!ok) memset(w, 0, (size_t)k * sizeof *w);
    return ok;
}

/* ---- boosted trees over features cut into at most BINS classes ---- */
enum { BINS = 64 };
struct grow {
    const struct boost_how *how;
    int n, k;
    uint8_t *bin;            /* [k][n] */
    double (*edge)[BINS];    /* [k]: class b holds values <= edge[b] */
    int *edges;              /* classes of a feature */
    double *grad, *hess, *f; /* of a row; f: the sum so far */
    int *row;                /* rows of the leaves, one leaf after the other */
    bool *use;               /* features of this tree */
};
struct leaf {
    int from, to, node; /* rows row[from..to) */
    double g, h;
    double gain; /* of its best split; 0 none */
    int feature, bin;
};

static void bins_make(struct grow *g, const double *x) {
    double *v = xmalloc((size_t)g->n * sizeof *v);
    for (int j = 0; j < g->k; j++) {
        for (int i = 0; i < g->n; i++) v[i] = x[(size_t)i * (size_t)g->k + (size_t)j];
        stat_sort(v, g->n);
        int m = 0, from = 0;
        while (from < g->n && m < BINS) { /* equal values stay together */
            int to = m == BINS - 1 ? g->n - 1 : from + (g->n - from) / (BINS - m) - 1;
            if (to < from) to = from;
            while (to + 1 < g->n && v[to + 1] == v[to]) to++;
            g->edge[j][m++] = to + 1 < g->n ? (v[to] + v[to + 1]) / 2 : v[to];
            from = to + 1;
        }
        g->edges[j] = m;
        for (int i = 0; i < g->n; i++) {
            double y = x[(size_t)i * (size_t)g->k + (size_t)j];
            int lo = 0, hi = m - 1;
            while (lo < hi) {
                int mid = (lo + hi) / 2;
                if (y <= g->edge[j][mid])
                    hi = mid;
                else
                    lo = mid + 1;
            }
            g->bin[(size_t)j * (size_t)g->n + (size_t)i] = (uint8_t)lo;
        }
    }
    free(v);
}

static double worth(double g, double h, double ridge) { return g * g / (h + ridge); }

static void leaf_look(struct grow *g, struct leaf *l) {
    l->gain = 0;
    for (int j = 0; j < g->k; j++) {
        if (!g->use[j] || g->edges[j] < 2) continue;
        double hg[BINS] = {0}, hh[BINS] = {0};
        int hn[BINS] = {0};
        const uint8_t *bin = g->bin + (size_t)j * (size_t)g->n;
        for (int i = l->from; i < l->to; i++) {
            int r = g->row[i], b = bin[r];
            hg[b] += g->grad[r];
            hh[b] += g->hess[r];
            hn[b]++;
        }
        double sg = 0, sh = 0, whole = worth(l->g, l->h, g->how->ridge);
        int sn = 0, all = l->to - l->from;
        for (int b = 0; b < g->edges[j] - 1; b++) {
            sg += hg[b];
            sh += hh[b];
            sn += hn[b];
            if (sn < g->how->least || all - sn < g->how->least) continue;
            double gain = worth(sg, sh, g->how->ridge) + worth(l->g - sg, l->h - sh, g->how->ridge) - whole;
            if (gain > l->gain + 1e-12) {
                l->gain = gain;
                l->feature = j;
                l->bin = b;
            }
        }
    }
}

static void leaf_sum(struct grow *g, struct leaf *l) {
    l->g = l->h = 0;
    for (int i = l->from; i < l->to; i++) {
        l->g += g->grad[g->row[i]];
        l->h += g->hess[g->row[i]];
    }
}

struct node { /* while a tree is grown, in double precision: in single the rows would not go where their classes say. What is kept is single */
    int8_t feature, left, right;
    double cut, value;
};

/* Splits l: it becomes the left half, *right the other. Rows keep their order. */
static void leaf_split(struct grow *g, struct leaf *l, struct leaf *right, struct node *tree, int *nodes, int *spare) {
    const uint8_t *bin = g->bin + (size_t)l->feature * (size_t)g->n;
    int a = l->from, s = 0;
    for (int i = l->from; i < l->to; i++) {
        int r = g->row[i];
        if (bin[r] <= l->bin)
            g->row[a++] = r;
        else
            spare[s++] = r;
    }
    memcpy(g->row + a, spare, (size_t)s * sizeof *spare);
    struct node *n = &tree[l->node];
    n->feature = (int8_t)l->feature;
    n->cut = g->edge[l->feature][l->bin];
    n->left = (int8_t)(*nodes)++;
    n->right = (int8_t)(*nodes)++;
    *right = (struct leaf){.from = a, .to = l->to, .node = n->right};
    *l = (struct leaf){.from = l->from, .to = a, .node = n->left};
    struct leaf *both[2] = {l, right};
    for (int i = 0; i < 2; i++) {
        leaf_sum(g, both[i]);
        leaf_look(g, both[i]);
        tree[both[i]->node] = (struct node){.feature = -1, .value = -g->how->rate * both[i]->g / (both[i]->h + g->how->ridge)};
    }
}

static void tree_grow(struct grow *g, int rows, struct node *tree, int *spare) {
    struct leaf leaf[BOOST_LEAVES_MAX];
    int leaves = 1, nodes = 1;
    leaf[0] = (struct leaf){.from = 0, .to = rows};
    leaf_sum(g, &leaf[0]);
    leaf_look(g, &leaf[0]);
    tree[0] = (struct node){.feature = -1, .value = -g->how->rate * leaf[0].g / (leaf[0].h + g->how->ridge)};
    while (leaves < g->how->leaves) {
        int best = 0;
        for (int i = 1; i < leaves; i++)
            if (leaf[i].gain > leaf[best].gain) best = i;
        if (leaf[best].gain <= 0) break;
        leaf_split(g, &leaf[best], &leaf[leaves], tree, &nodes, spare);
        leaves++;
    }
}

static double grown_value(const struct node *tree, const double *x) {
    const struct node *n = tree;
    while (n->feature >= 0) n = tree + (x[n->feature] <= n->cut ? n->left : n->right);
    return n->value;
}

static const struct boost_node *tree_leaf(const struct boost_node *tree, const double *x) {
    const struct boost_node *n = tree;
    while (n->feature >= 0) n = tree + (x[n->feature] <= (double)n->cut ? n->left : n->right);
    return n;
}

static double base_of(enum boost_loss loss, const double *y, const double *weight, int n) {
    double s = 0, w = 0;
    for (int i = 0; i < n; i++) {
        s += y[i] * (weight ? weight[i] : 1);
        w += weight ? weight[i] : 1;
    }
    double mean = w > 0 ? s / w : 0;
    if (loss == BOOST_SQUARE) return mean;
    mean = fmin(fmax(mean, 1e-6), 1 - 1e-6);
    return log(mean / (1 - mean));
}

static void slopes(struct grow *g, const double *y, const double *weight) {
    for (int i = 0; i < g->n; i++) {
        double w = weight ? weight[i] : 1, p = g->how->loss == BOOST_LOGISTIC ? logistic(g->f[i]) : g->f[i];
        g->grad[i] = w * (p - y[i]);
        g->hess[i] = w * (g->how->loss == BOOST_LOGISTIC ? fmax(p * (1 - p), 1e-9) : 1);
    }
}

static int draw(struct grow *g, uint32_t *seed) {
    int rows = 0, used = 0;
    for (int i = 0; i < g->n; i++)
        if (g->how->rows >= 1 || lcg_next(seed) < g->how->rows) g->row[rows++] = i;
    for (int j = 0; j < g->k; j++) used += g->use[j] = g->how->columns >= 1 || lcg_next(seed) < g->how->columns;
    if (!used)
        for (int j = 0; j < g->k; j++) g->use[j] = true;
    return rows;
}

struct boost *boost_fit(const struct boost_how *how, const double *x, const double *y, const double *weight, int n, int k) {
    if (n < 1 || k < 1 || k > LEARN_FEATURES_MAX || how->leaves < 2 || how->leaves > BOOST_LEAVES_MAX || how->trees < 0) return NULL;
    size_t rows = (size_t)n, cols = (size_t)k;
    struct grow g = {.how = how,
                     .n = n,
                     .k = k,
                     .bin = xmalloc(rows * cols),
                     .edge = xcalloc(cols, sizeof *g.edge),
                     .edges = xcalloc(cols, sizeof(int)),
                     .grad = xmalloc(rows * sizeof(double)),
                     .hess = xmalloc(rows * sizeof(double)),
                     .f = xmalloc(rows * sizeof(double)),
                     .row = xmalloc(rows * sizeof(int)),
                     .use = xcalloc(cols, sizeof(bool))};
    int *spare = xmalloc(rows * sizeof *spare);
    struct boost *b = xcalloc(1, sizeof *b);
    *b = (struct boost){how->loss, k, how->trees, 2 * how->leaves - 1, base_of(how->loss, y, weight, n), NULL};
    b->node = xcalloc((size_t)(b->trees * b->nodes) + 1, sizeof *b->node);
    bins_make(&g, x);
    for (int i = 0; i < n; i++) g.f[i] = b->base;
    uint32_t seed = how->seed;
    for (int t = 0; t < b->trees; t++) {
        struct node tree[2 * BOOST_LEAVES_MAX] = {{0}};
        struct boost_node *kept = b->node + (size_t)t * (size_t)b->nodes;
        slopes(&g, y, weight);
        tree_grow(&g, draw(&g, &seed), tree, spare);
        for (int i = 0; i < n; i++) g.f[i] += grown_value(tree, x + (size_t)i * cols);
        for (int i = 0; i < b->nodes; i++)
            kept[i] = (struct boost_node){tree[i].feature, tree[i].left, tree[i].right, (float)tree[i].cut, (float)tree[i].value};
    }
    free(g.bin), free(g.edge), free(g.edges), free(g.grad), free(g.hess), free(g.f), free(g.row), free(g.use), free(spare);
    return b;
}

void boost_free(struct boost *b) {
    if (b) free(b->node);
    free(b);
}

double boost_at(const struct boost *b, const double *x) {
    double s = b->base;
    for (int t = 0; t < b->trees; t++) s += tree_leaf(b->node + (size_t)t * (size_t)b->nodes, x)->value;
    return s;
}

void boost_parts(const struct boost *b, const double *x, double *part) {
    for (int j = 0; j < b->k; j++) part[j] = 0;
    for (int t = 0; t < b->trees; t++) {
        const struct boost_node *tree = b->node + (size_t)t * (size_t)b->nodes, *n = tree;
        while (n->feature >= 0) {
            const struct boost_node *to = tree + (x[n->feature] <= (double)n->cut ? n->left : n->right);
            part[n->feature] += to->value - n->value;
            n = to;
        }
    }
}

struct ranked {
    double score;
    bool hit;
};
static int lowest_first(const void *a, const void *b) {
    double x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;
    return (x > y) - (x < y);
}

enum { CUTS = 150, REACH = 12 };
static struct cut cut_at(const struct ranked *r, int n, int hits, int c) { /* the highest 70 % to 3 % */
    int at = (int)(n * (0.3 + 0.67 * c / (CUTS - 1))), tp = 0;
    while (at > 0 && r[at - 1].score == r[at].score) at--;
    for (int i = at; i < n; i++) tp += r[i].hit;
    return (struct cut){r[at].score, (double)(n - at) / n, (double)tp / hits, (double)(n - at - tp) / (n - hits)};
}

bool cut_choose(const double *score, const bool *hit, int n, struct cut *ret) {
    struct cut cut[CUTS];
    struct ranked *r = xmalloc((size_t)(n > 0 ? n : 1) * sizeof *r);
    int hits = 0;
    for (int i = 0; i < n; i++) {
        r[i] = (struct ranked){score[i], hit[i]};
        hits += hit[i];
    }
    bool both = hits > 0 && hits < n;
    double best = -INFINITY;
    if (both) qsort(r, (size_t)n, sizeof *r, lowest_first);
    for (int c = 0; both && c < CUTS; c++) cut[c] = cut_at(r, n, hits, c);
    for (int c = 0; both && c < CUTS; c++) {
        double s = 0;
        for (int d = -REACH; d <= REACH; d++) {
            const struct cut *k = &cut[c + d < 0 ? 0 : c + d >= CUTS ? CUTS - 1 : c + d];
            s += k->sensitivity - k->false_share;
        }
        if (s <= best) continue;
        best = s;
        *ret = cut[c];
    }
    free(r);
    return both;
}
