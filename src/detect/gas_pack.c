/* A methane model and its live memory to bytes and back. Plain numbers in the machine's own order, as checkpoints have them; everything is checked on the way in. */
#include "detect/gas_inside.h"
#include <math.h>
#include <stdlib.h>

#define VERSION 2u

struct io {
    struct buf *out; /* NULL: reading */
    struct str in;
    bool bad;
};
static void bytes(struct io *f, void *v, size_t n) {
    if (f->out) {
        buf_put(f->out, v, n);
    } else if (f->bad || f->in.n < n) {
        f->bad = true;
        memset(v, 0, n);
    } else {
        memcpy(v, f->in.p, n);
        f->in.p += n, f->in.n -= n;
    }
}
static void doubles(struct io *f, double *v, int n) {
    bytes(f, v, (size_t)n * sizeof *v);
    for (int i = 0; i < n; i++)
        if (!isfinite(v[i])) f->bad = true, v[i] = 0;
}
static void number(struct io *f, int *v, int min, int max) {
    int32_t x = *v;
    bytes(f, &x, sizeof x);
    if (x < min || x > max) f->bad = true, x = min;
    *v = x;
}

static void single(struct io *f, float *v) {
    bytes(f, v, sizeof *v);
    if (!isfinite(*v)) f->bad = true, *v = 0;
}

static void node(struct io *f, struct boost_node *n, int at, int nodes, int features) {
    int8_t x[3] = {n->feature, n->left, n->right};
    bytes(f, x, sizeof x);
    bool leaf = x[0] < 0;
    if (x[0] >= features || (!leaf && (x[1] <= at || x[1] >= nodes || x[2] <= at || x[2] >= nodes)))
        f->bad = true, x[0] = -1; /* children lie behind: no circle */
    n->feature = x[0], n->left = x[1], n->right = x[2];
    single(f, &n->cut);
    single(f, &n->value);
}

static void tree(struct io *f, struct boost_node *at, int nodes, int features) {
    bool used[2 * BOOST_LEAVES_MAX] = {true};
    for (int i = 0; i < nodes; i++) {
        struct boost_node spare = {.feature = -1}, *n = used[i] || !f->out ? &at[i] : &spare; /* a tree may have fewer nodes than there is room for */
        node(f, n, i, nodes, features);
        if (n->feature >= 0) used[n->left] = used[n->right] = true;
    }
}

static void trees(struct io *f, struct boost **b, enum boost_loss loss, int features) {
    struct boost head = *b ? **b : (struct boost){.loss = loss, .k = features};
    number(f, &head.trees, 1, 2000);
    number(f, &head.nodes, 1, 2 * BOOST_LEAVES_MAX - 1);
    doubles(f, &head.base, 1);
    if (!*b) {
        *b = xcalloc(1, sizeof **b);
        **b = head;
        (*b)->node = xcalloc((size_t)head.trees * (size_t)head.nodes, sizeof *(*b)->node);
    }
    for (int t = 0; t < head.trees && !f->bad; t++) tree(f, (*b)->node + t * head.nodes, head.nodes, features);
}

static void walk(struct io *f, struct gas_model *m) {
    uint32_t version = VERSION;
    bytes(f, &version, sizeof version);
    if (version != VERSION) f->bad = true;
    number(f, &m->channels, 1, GAS_CHANNELS_MAX);
    m->k = gas_features(m->channels);
    doubles(f, (double *)&m->rule, sizeof m->rule / sizeof(double));
    if (!gas_rule_good(&m->rule)) f->bad = true;
    doubles(f, m->mean, m->k);
    doubles(f, m->sd, m->k);
    doubles(f, m->w, m->k + 1);
    doubles(f, m->plain, GAS_PLAIN_LOOKS * m->channels + 1);
    doubles(f, m->weight, 2);
    doubles(f, m->first, GAS_VIEWS);
    doubles(f, (double *)&m->start, sizeof m->start / sizeof(double));
    for (int i = 0; i < m->k; i++)
        if (!(m->sd[i] > 0)) f->bad = true, m->sd[i] = 1;
    trees(f, &m->trees, BOOST_SQUARE, m->k);
    trees(f, &m->odds, BOOST_LOGISTIC, m->k + 1);
}

void gas_pack(const struct gas_model *m, struct buf *out) {
    struct io f = {.out = out};
    walk(&f, (struct gas_model *)m); /* the walk only reads when it writes out */
}

struct gas_model *gas_unpack(struct str in) {
    struct io f = {.in = in};
    struct gas_model *m = xcalloc(1, sizeof *m);
    walk(&f, m);
    if (!f.bad && !f.in.n) return m;
    gas_free(m);
    return NULL;
}

static void live_walk(struct io *f, struct gas_live *l) {
    number(f, &l->n, 0, 10000);
    for (; l->n > gas_live_room(l->m); l->n--) doubles(f, l->row, l->m->channels); /* written when more was kept */
    doubles(f, l->row, l->n * l->m->channels);
    doubles(f, (double *)&l->watch.tally, sizeof l->watch.tally / sizeof(double));
    bytes(f, &l->watch.seen, sizeof l->watch.seen);
    doubles(f, &l->watch.expert[0][0], GAS_HORIZON_MAX * GAS_EXPERTS);
    doubles(f, l->watch.mean, GAS_HORIZON_MAX);
    doubles(f, l->watch.chance, GAS_HORIZON_MAX);
}

void gas_live_pack(const struct gas_live *l, struct buf *out) {
    struct io f = {.out = out};
    live_walk(&f, (struct gas_live *)l);
}

bool gas_live_unpack(struct gas_live *l, struct str in) {
    struct io f = {.in = in};
    live_walk(&f, l);
    return !f.bad && !f.in.n;
}
