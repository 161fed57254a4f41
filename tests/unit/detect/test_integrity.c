/* Vectors of methods.md sections 0.2, D1-D9, E3, E4, E6; and what each integrity test must and must not say. */
#include "../policy.h"
#include "../vectors.h"
#include "detect/integrity.h"
#include "detect/stat.h"

static double normal(void) {
    double x = -6;
    for (int i = 0; i < 12; i++) x += uni();
    return x;
}
/* Series A of 0.2, in steps of 0.01 */
static int A[300];
static void series_a(void) {
    double y = 0;
    lcg = 7;
    for (int i = 0; i < 300; i++) {
        y = 0.9 * y + 0.02 * sqrt(1 - 0.81) * normal();
        A[i] = (int)floor((0.40 + y) / 0.01 + 0.5);
    }
}
static void the_generator(void **s) {
    (void)s;
    lcg = 42;
    NEAR(uni(), .252345175, 1e-9);
    NEAR(uni(), .088125045, 1e-8);
    lcg = 42;
    NEAR(normal(), -.671301491, 1e-9);
    NEAR(normal(), .635076736, 1e-9);
    series_a();
    static const int FIRST[] = {40, 41, 40, 40, 39, 40, 41, 41, 40, 41, 43, 41, 41, 40, 40, 40, 39, 40, 39, 40};
    for (int i = 0; i < 20; i++) assert_int_equal(A[i], FIRST[i]);
}

static void tails_and_fits(void **s) {
    (void)s;
    NEAR(stat_binomial_tail(5, 40, .002), 1.9863e-8, 1e-4);
    NEAR(lost_together(5, 40, .002) / 1.9863e-8, 1, 1e-4);
    NEAR(stat_hyper_tail(7, 1440, 60, 12) / 1.03355e-7, 1, 1e-4);
    NEAR(stat_binomial_tail(2, 2, 120.0 / 43200) / 7.716e-6, 1, 1e-3);
    NEAR(stat_binomial_tail(1, 2, 120.0 / 43200), .0055478, 1e-4);
    NEAR(stat_binomial_tail(56, 82, .6), .076406, 1e-4);
    NEAR(stat_binomial_tail(104, 104, .6) / 8.47e-24, 1, 1e-3);
    NEAR(stat_fisher((double[]){.05, .02, .2}, 3), .009158, 1e-4);
    NEAR(stat_chi2_p(16.919, 9), .05, 1e-3);
    NEAR(stat_chi2_p(21.666, 9), .01, 1e-3);
    assert_int_equal(stat_bh((double[]){.001, .008, .039, .041, .042, .06, .074, .205, .212, .216}, 10, .05), 2);
    double h[] = {21.2, 20.5, 22.1, 21.7, 20.9, 21.4, 22.4, 21.0, 20.7, 21.9, 21.3, 21.6, 20.8, 22.0, 21.1, 21.5, 20.6, 21.8, 22.2, 21.2};
    double med = stat_median(h, 20), mad = stat_mad(h, 20, med);
    NEAR(med, 21.35, 1e-9);
    NEAR(mad, .45, 1e-9);
    NEAR(stat_z(16.8, med, mad, .02 * med), -6.8199, 1e-4);
    NEAR(stat_z(28.6, med, mad, .02 * med), 10.8668, 1e-4);
    double P[] = {5000, 5200, 4800, 5100, 5300, 0, 0, 4900, 5050, 5250}, E[] = {128000, 131500, 124800, 129700, 133300, 41000, 40500, 126200, 128900, 132300};
    struct line l;
    assert_true(stat_ols(P, E, 10, &l));
    NEAR(l.a, 40756.684, 1e-7);
    NEAR(l.b, 17.454019, 1e-7);
    NEAR(l.s, 164.764, 1e-5);
    NEAR((98000 - l.a) / l.b, 3279.66, 1e-5);
    double w[] = {9.5, 9.9, 9.6, 9.8, 9.7, 9.6, 9.9, 9.7, 9.8, 9.6};
    med = stat_median(w, 10);
    NEAR(stat_z(13, med, stat_mad(w, 10, med), .02 * med), 17.0103, 1e-5);
    double hours[12], r, mean;
    for (int i = 0; i < 12; i++) hours[i] = (22 + i) % 24;
    stat_direction(hours, 12, &r, &mean);
    NEAR(r, .638441, 1e-5);
    NEAR(mean, 3.5, 1e-6);
}

static void changes_in_time(void **s) {
    (void)s;
    double z[] = {.2, -.5, .1, .7, -.3, 0, 1.2, .9, 1.5, .8, 1.1, 1.4, .7};
    assert_int_equal(stat_cusum(z, 13, .5, 4), 12);
    assert_int_equal(stat_cusum(z, 12, .5, 4), -1);
    double y[] = {2.1, 1.9, 2, 2.2, 1.8, 2, 5.1, 4.9, 5, 5.2, 4.8, 5, 3, 3.1, 2.9, 3};
    int end[16];
    assert_int_equal(stat_pelt(y, 16, 1, end, 16), 3);
    assert_int_equal(end[0], 6);
    assert_int_equal(end[1], 12);
    assert_int_equal(end[2], 16);
    assert_int_equal(stat_pelt(y, 16, .05, end, 16), 3);
    assert_int_equal(stat_pelt(y, 16, 20, end, 16), 1);
    double a[] = {1, -1, 0, 0, 0, 1, -1, -1}, q[] = {10200, 9900, 9300, 350}, sg[] = {204, 198, 93, 100}, x[4], zz[4];
    NEAR(stat_reconcile(a, 2, 4, q, sg, x, zz), 5.1418, 1e-4);
    NEAR(x[0], 9839.93, 1e-6);
    NEAR(x[2], 9388.09, 1e-6);
    NEAR(x[3], 451.84, 1e-4);
    q[2] = 7200;
    NEAR(stat_reconcile(a, 2, 4, q, sg, x, zz), 161.47, 1e-4);
    NEAR(x[2], 7755.77, 1e-6);
    NEAR(zz[0], 8.125, 1e-3);
    NEAR(zz[2], -12.663, 1e-4);
    double flat[] = {1, 1, 1, 1}, none[8] = {0};
    assert_true(isnan(stat_reconcile(none, 2, 4, flat, sg, x, zz))); /* no equation at all */
}

/* ---- grids from steps of 0.01 at 30 s ---- */
static struct grid grid_of(const int *v, int n, int day) {
    struct sample *x = malloc((size_t)n * sizeof *x);
    zb_time t = at("2026-03-01 00:00:00");
    for (int i = 0; i < n; i++) x[i] = (struct sample){t + i * 30 * ZB_SECOND, v[i] == INT32_MIN ? ZB_FIX_NONE : v[i] * (zb_fix)10000, 0};
    struct grid g;
    grid_make(&g, x, n, t, t + day * 30 * ZB_SECOND, t + n * 30 * ZB_SECOND, 30 * ZB_SECOND);
    free(x);
    return g;
}
static void work_of(struct grid *g, int from, int to) {
    g->work = calloc((size_t)g->n, 1);
    for (int i = from; i < to; i++) g->work[i] = REGIME_WORK;
}
static void run_lengths(void **s) {
    (void)s;
    series_a();
    struct grid g = grid_of(A, 300, 300);
    struct detect_flat c = p->detect.flat;
    c.learn_min = 50;
    struct flat_norm n = flat_learn(&g, &c);
    NEAR(n.p_all, .397993, 0.05); /* the vector's p is over all pairs, ours over those that stayed once; this series has no memory of staying */
    assert_int_equal(n.longest, 6);
    assert_true(isnan(n.p_work));
    grid_free(&g);
}

/* A lively month, then a day in which the value stands */
static int long_[6000];
static void lively(int n, uint32_t seed) {
    double y = 0;
    lcg = seed;
    for (int i = 0; i < n; i++) {
        y = 0.98 * y + 0.015 * normal();
        long_[i] = (int)floor((0.5 + y) / 0.01 + 0.5);
    }
}
static void a_stuck_value_at_work(void **s) {
    (void)s;
    lively(5760, 3);
    for (int i = 4000; i < 4060; i++) long_[i] = long_[4000];
    struct grid g = grid_of(long_, 5760, 2880);
    work_of(&g, 0, 5760);
    struct flat_norm n = flat_learn(&g, &p->detect.flat);
    struct hits h = {0};
    flat_find(&g, NULL, &n, p, &h);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.h[0].from, 4000);
    assert_true(h.h[0].to >= 4060 && h.h[0].to < 4065);
    assert_true(h.h[0].chance < 1e-3);
    h.n = 0;
    memset(g.work, REGIME_REST, 5760); /* the same while the face rests says nothing */
    flat_find(&g, NULL, &n, p, &h);
    assert_int_equal(h.n, 0);
    hits_done(&h);
    grid_free(&g);
}
static void a_flat_neighbourhood_and_a_moving_one(void **s) {
    (void)s;
    lively(5760, 3);
    int other[5760];
    for (int i = 0; i < 5760; i++) other[i] = 20 + i % 17;
    for (int i = 4000; i < 4200; i++) long_[i] = long_[4000];
    struct grid g = grid_of(long_, 5760, 2880), moving = grid_of(other, 5760, 2880);
    for (int i = 0; i < 5760; i++) other[i] = 20;
    struct grid still = grid_of(other, 5760, 2880);
    work_of(&g, 0, 0);
    struct flat_norm n = flat_learn(&g, &p->detect.flat);
    struct hits h = {0};
    flat_find(&g, &still, &n, p, &h);
    assert_int_equal(h.n, 0);
    flat_find(&g, &moving, &n, p, &h);
    assert_int_equal(h.n, 1);
    hits_done(&h);
    grid_free(&g), grid_free(&moving), grid_free(&still);
}

static void a_sensor_at_its_zero(void **s) {
    (void)s;
    int fresh[8640];
    double y = 0.06;
    lcg = 5;
    for (int i = 0; i < 8640; i++) {
        y += (0.06 - y) * 0.05 + 0.012 * normal();
        fresh[i] = y < 0 ? 0 : (int)floor(y / 0.01 + 0.5);
    }
    struct hits h = {0};
    for (int i = 0; i < 24; i++) fresh[6000 + i] = 0; /* twelve minutes at zero, as its past has some */
    for (int stuck = 0; stuck < 2; stuck++) {
        if (stuck)
            for (int i = 0; i < 240; i++) fresh[7000 + i] = 0; /* two hours, which it has not */
        struct grid g = grid_of(fresh, 8640, 5760);
        work_of(&g, 0, 8640);
        struct flat_norm n = flat_learn(&g, &p->detect.flat);
        assert_true(n.need_work < 24);
        h.n = 0;
        flat_find(&g, NULL, &n, p, &h);
        assert_int_equal(h.n, stuck);
        grid_free(&g);
    }
    for (int i = 0; i < 24; i++) fresh[6000 + i] = 5; /* the same twelve minutes at a value that has room on both sides */
    struct grid g = grid_of(fresh, 7000, 5760);
    work_of(&g, 0, 7000);
    struct flat_norm n = flat_learn(&g, &p->detect.flat);
    h.n = 0;
    flat_find(&g, NULL, &n, p, &h);
    assert_int_equal(h.n, 1);
    hits_done(&h);
    grid_free(&g);
}

static void exact_copies(void **s) {
    (void)s;
    series_a();
    zb_fix v[300];
    struct policy q = *p;
    q.detect.replay.window = 19; /* 19 differences are 20 values */
    q.detect.replay.changes = 1;
    for (int i = 0; i < 300; i++) v[i] = A[i] * 10000;
    struct hits h = {0};
    replay_find(v, 300, 150, &q, &h);
    assert_int_equal(h.n, 0);
    for (int i = 0; i < 50; i++) v[200 + i] = v[20 + i];
    replay_find(v, 300, 150, &q, &h);
    assert_int_equal(h.n, 1);
    assert_true(h.h[0].from <= 200 && h.h[0].to >= 250 && h.h[0].from - h.h[0].source == 180);
    h.n = 0;
    for (int i = 0; i < 50; i++) v[200 + i] += 50000; /* a constant hides nothing */
    replay_find(v, 300, 150, &q, &h);
    assert_int_equal(h.n, 1);
    h.n = 0;
    for (int i = 0; i < 50; i += 5) v[200 + i] += 10000; /* every fifth value off: no window is equal */
    replay_find(v, 300, 150, &q, &h);
    assert_int_equal(h.n, 0);
    for (int i = 0; i < 300; i++) v[i] = (i % 50) * (i % 7) % 23 * 10000 + (i % 50) * 10000; /* period 350: no; then one of 50 */
    for (int i = 50; i < 300; i++) v[i] = v[i - 50];
    replay_find(v, 300, 150, &q, &h);
    assert_int_equal(h.n, 0); /* a series that repeats itself by nature */
    hits_done(&h);
}
static void fingerprints_meet_across_points(void **s) {
    (void)s;
    lively(3000, 11);
    zb_fix a[3000], b[3000];
    for (int i = 0; i < 3000; i++) a[i] = long_[i] * 10000;
    lively(3000, 12);
    for (int i = 0; i < 3000; i++) b[i] = long_[i] * 10000;
    memcpy(b + 1000, a + 500, 700 * sizeof *b);
    struct fingerprint x[200], y[200];
    int n = replay_fingerprints(a, 3000, 0, &p->detect.replay, x, 200), m = replay_fingerprints(b, 3000, 0, &p->detect.replay, y, 200), met = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            if (x[i].hash == y[k].hash) {
                int fa, fb;
                zb_fix off;
                assert_int_equal(replay_extent(a, 3000, x[i].at, b, 3000, y[k].at, &fa, &fb, &off), 700);
                assert_int_equal(fa, 500);
                assert_int_equal(fb, 1000);
                assert_int_equal(off, 0);
                met++;
            }
    assert_true(met > 5);
}

static void matrix_profile(void **s) {
    (void)s;
    static const float v[] = {0, 1, 3, 2, 9, 1, 14, 15, 1, 2, 2, 10, 7};
    static const double P[] = {.64249, .2857, 1.64017, .89813, 1.27955, 1.78196, 2.98723, 2.83943, .2857, .64249};
    static const int I[] = {9, 8, 9, 1, 9, 2, 3, 4, 1, 0};
    float d[300];
    int at_[300];
    profile_join(v, 13, 0, 4, 1, 0, true, d, at_);
    for (int i = 0; i < 10; i++) {
        NEAR(d[i], P[i], 1e-5);
        assert_int_equal(at_[i], I[i]);
    }
    series_a();
    float a[300];
    for (int i = 0; i < 300; i++) a[i] = (float)A[i];
    profile_join(a, 300, 0, 20, 5, 0, true, d, at_);
    int least = 0;
    double x[281];
    for (int i = 0; i < 281; i++) {
        x[i] = d[i];
        if (d[i] < d[least]) least = i;
    }
    NEAR(d[least], 2.001668, 1e-5);
    assert_int_equal(least, 43);
    NEAR(stat_median(x, 281), 2.948280, 1e-5);
    for (int i = 0; i < 50; i++) a[200 + i] = a[20 + i];
    profile_join(a, 300, 0, 20, 5, 0, true, d, at_);
    int zeros = 0;
    for (int i = 0; i < 281; i++) zeros += d[i] < 1e-3;
    assert_int_equal(zeros, 62);
    assert_int_equal(at_[20], 200);
    for (int i = 0; i < 50; i += 5) a[200 + i] += 1;
    profile_join(a, 300, 0, 20, 5, 0, true, d, at_);
    double min = 9;
    for (int i = 0; i < 281; i++) min = d[i] < min ? d[i] : min;
    assert_true(min > 0.5 && min < 2.001668); /* still below the honest minimum */
}
static void near_copies(void **s) {
    (void)s;
    struct hits h = {0};
    struct policy q = *p;
    q.detect.near.learn = 20;
    lively(5760, 5);
    struct grid g = grid_of(long_, 5760, 2880);
    near_find(&g, NULL, 0, &q, &h);
    assert_int_equal(h.n, 0); /* an honest day */
    grid_free(&g);
    for (int i = 0; i < 240; i++) long_[4000 + i] = long_[1000 + i] + 7 + (uni() < 0.2 ? (uni() < 0.5 ? 1 : -1) : 0);
    g = grid_of(long_, 5760, 2880);
    near_find(&g, NULL, 0, &q, &h);
    assert_true(h.n >= 1);
    assert_int_equal(h.h[0].from - h.h[0].source, 3000);
    assert_true(h.h[0].from >= 3940 && h.h[0].to <= 4300);
    grid_free(&g);
    h.n = 0;
    lively(5760, 5); /* the same test gas twice */
    for (int i = 0; i < 16; i++) long_[1500 + i] = long_[4500 + i] = i < 8 ? 0 : 200;
    g = grid_of(long_, 5760, 2880);
    near_find(&g, NULL, 0, &q, &h);
    assert_true(h.n >= 1); /* as long as nobody says what it is */
    h.n = 0;
    near_find(&g, (struct calib_span[]){{4500, 4516, fx("2"), false}}, 1, &q, &h);
    assert_int_equal(h.n, 0);
    for (int i = 0; i < 16; i++) g.state[1500 + i] = g.state[4500 + i] = ST_CALIB;
    near_find(&g, NULL, 0, &q, &h);
    assert_int_equal(h.n, 0);
    grid_free(&g);
    for (int i = 0; i < 5760; i++) long_[i] = (int)(50 + 30 * sin(i * M_PI / 360) + 3 * uni()); /* a tide: like itself by nature */
    g = grid_of(long_, 5760, 2880);
    near_find(&g, NULL, 0, &q, &h);
    assert_int_equal(h.n, 0);
    hits_done(&h);
    grid_free(&g);
}

static void held_below_a_ceiling(void **s) {
    (void)s;
    struct hits h = {0};
    lively(5760, 9);
    struct grid g = grid_of(long_, 5760, 2880);
    clamp_find(&g, fx("1"), fx("4"), p, &h);
    assert_int_equal(h.n, 0);
    grid_free(&g);
    double w[480];
    for (int i = 0; i < 480; i++) w[i] = long_[3600 + i];
    stat_sort(w, 480);
    int cap = (int)stat_quantile(w, 480, .85);
    for (int i = 3600; i < 4080; i++)
        if (long_[i] > cap) long_[i] = cap;
    g = grid_of(long_, 5760, 2880);
    clamp_find(&g, fx("1"), fx("4"), p, &h);
    assert_int_equal(h.n, 1);
    assert_true(h.h[0].from <= 3660 && h.h[0].to >= 4020);
    h.n = 0;
    clamp_find(&g, fx("1"), cap * (zb_fix)10000, p, &h); /* the end of the sensor's range is saturation, not fakery */
    assert_int_equal(h.n, 0);
    hits_done(&h);
    grid_free(&g);
}
/* A coarse sensor cut off at work shows three steps only: its long stays at the top tell. The same at rest is a sensor at rest. */
static void held_below_a_ceiling_in_few_steps(void **s) {
    (void)s;
    struct hits h = {0};
    int v[8640];
    lcg = 11;
    double y = 0;
    for (int i = 0; i < 8640; i++) {
        y = 0.97 * y + 0.55 * (uni() - 0.5);
        v[i] = (int)floor(8 + 2.2 * y + 0.5);
    }
    struct grid g = grid_of(v, 8640, 5760);
    g.work = xmalloc(8640);
    memset(g.work, REGIME_WORK, 8640);
    clamp_find(&g, fx("1"), fx("4"), p, &h);
    assert_int_equal(h.n, 0);
    zb_fix top = g.v[6000], low;
    for (int i = 6000; i < 6480; i++) top = g.v[i] > top ? g.v[i] : top;
    for (int cut = 1; cut <= 3 && !h.n; cut++) { /* lower until few steps are left */
        for (int i = 6000; i < 6480; i++)
            if (g.v[i] > fx("0.09") - cut * g.unit) g.v[i] = fx("0.09") - cut * g.unit;
        low = fx("0.09") - (cut + 3) * g.unit;
        for (int i = 6000; i < 6480; i++)
            if (g.v[i] < low) g.v[i] = low;
        clamp_find(&g, fx("1"), fx("4"), p, &h);
    }
    assert_int_equal(h.n, 1);
    assert_true(h.h[0].from <= 6060 && h.h[0].to >= 6420);
    h.n = 0;
    memset(g.work, REGIME_REST, 8640);
    clamp_find(&g, fx("1"), fx("4"), p, &h);
    assert_int_equal(h.n, 0);
    hits_done(&h);
    grid_free(&g);
}

/* A curve drawn through a lively sensor: a window or two only weigh, three of one day are a clue by themselves. */
static void a_drawn_curve(void **s) {
    (void)s;
    int window = (int)(p->detect.smooth.window_s / 30), enough = (int)p->detect.smooth.windows;
    for (int k = 0; k <= enough; k++) {
        struct hits h = {0};
        lively(5760, 17);
        for (int i = 2880; i < 2880 + k * window; i++) long_[i] = 50 + (i - 2880) / 12;
        struct grid g = grid_of(long_, 5760, 2880);
        smooth_find(&g, p, &h);
        assert_int_equal(h.n, k);
        for (int i = 0; i < h.n; i++) assert_int_equal(h.h[i].grade, k < enough ? 1 : 2);
        hits_done(&h);
        grid_free(&g);
    }
}

/* Nothing, one value, no value at all, the same time again, times that run backwards, values at the ends of what an integer holds: no clue and, under the
 * sanitizers, no trap. */
static void odd_series(void **s) {
    (void)s;
    enum { N = 6000 };
    struct sample *x = xmalloc(N * sizeof *x);
    const zb_fix WILD[] = {INT64_MAX, -INT64_MAX, ZB_FIX_NONE, 0, 1, -1};
    const zb_time STEP[] = {30000, 1, ZB_HOUR, 2 * ZB_DAY};
    for (int kind = 0; kind < 6; kind++)
        for (int k = 0; k < 4; k++) {
            int n = kind == 0 ? 0 : kind == 1 ? 1 : N;
            for (int i = 0; i < n; i++) {
                zb_time t = kind == 3 ? 0 : kind == 4 ? (N - i) * 30000 : i * 30000;
                x[i] = (struct sample){t, kind == 2 ? ZB_FIX_NONE : WILD[i * 7 / 5 % 6], kind == 5 ? UINT32_MAX : 0};
            }
            struct grid g, b;
            grid_make(&g, x, n, 0, 2880 * 30000, N * 30000, STEP[k] == 1 ? 30000 : STEP[k]);
            grid_make(&b, x, n, 0, 2880 * 30000, N * 30000, STEP[k] == 1 ? 30000 : STEP[k]);
            grid_regime(&g, x, n, ZB_DAY);
            struct five five[2] = {{0, 300000, INT64_MAX, -INT64_MAX, INT64_MAX}, {ZB_TIME_NONE, 0, 0, 0, 0}};
            zb_time lost[2] = {0, N * 30000};
            struct limits law = {.hi_alarm = INT64_MAX, .lo_alarm = -INT64_MAX};
            struct sensor_day in = {.mine = STR("1"),
                                    .point = STR("P"),
                                    .location = STR(""),
                                    .g = &g,
                                    .beside = &b,
                                    .s = x,
                                    .n = n,
                                    .limit = INT64_MAX,
                                    .range_hi = -INT64_MAX,
                                    .own = &law,
                                    .law = &law,
                                    .five = five,
                                    .fives = 2,
                                    .fan_stop = lost,
                                    .fan_stops = 2,
                                    .steady = k & 1};
            in.events = (struct coincide_in){.lost = lost, .nlost = 2, .visit = lost, .nvisit = 2, .excused = lost, .nexcused = 1};
            struct integrity_day d;
            struct clues c = {0};
            integrity_judge(&in, p, &d, &c);
            if (kind < 3) assert_int_equal(c.n, 0);
            assert_true(d.score >= 0 && d.score <= 1);
            struct hits alike = {0};
            twin_find(&g, &b, p, &alike);
            hits_done(&alike);
            clues_done(&c);
            grid_free(&g), grid_free(&b);
        }
    assert_int_equal(samples_period(x, 0), 0);
    free(x);
}

static void a_test_gas_is_labelled(void **s) {
    (void)s;
    int v[400], quiet[400];
    for (int i = 0; i < 400; i++) v[i] = 70 + i % 2, quiet[i] = 32 + i % 2;
    for (int i = 300; i < 306; i++) v[i] = 150;
    for (int i = 306; i < 314; i++) v[i] = 220;
    for (int i = 314; i < 400; i++) v[i] = 20;
    struct grid g = grid_of(v, 400, 200), b = grid_of(quiet, 400, 200);
    struct calib_span c[4];
    assert_int_equal(calib_find(&g, &b, &p->detect.calib, c, 4), 1);
    assert_int_equal(c[0].from, 300);
    assert_int_equal(c[0].to, 318);
    assert_false(c[0].flagged);
    assert_true(c[0].peak == fx("2.2"));
    for (int i = 314; i < 400; i++) g.v[i] = fx("1.6"); /* it stays high: a rise, no test gas */
    assert_int_equal(calib_find(&g, &b, &p->detect.calib, c, 4), 0);
    grid_free(&g), grid_free(&b);
}

static void lost_before_the_limit(void **s) {
    (void)s;
    int v[2880];
    for (int i = 0; i < 2880; i++) v[i] = 40 + i % 3;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 10; i++) v[400 + 500 * k + i] = 90;
    struct grid g = grid_of(v, 2880, 0);
    zb_time lost[4];
    for (int k = 0; k < 4; k++) lost[k] = grid_time(&g, 400 + 500 * k + 12);
    struct coincide_in in = {.lost = lost, .nlost = 4};
    struct hits h = {0};
    coincide_find(&g, fx("1"), &in, p, &h);
    assert_int_equal(h.n, 1);
    NEAR(h.h[0].seen, 4, 0);
    assert_true(h.h[0].chance < 1e-5);
    h.n = 0;
    for (int k = 0; k < 4; k++) lost[k] = grid_time(&g, 600 + 500 * k); /* the same losses in quiet time */
    coincide_find(&g, fx("1"), &in, p, &h);
    assert_int_equal(h.n, 0);
    zb_time visit[4];
    for (int k = 0; k < 4; k++) visit[k] = lost[k] + ZB_HOUR;
    in.visit = visit, in.nvisit = 1;
    coincide_find(&g, fx("1"), &in, p, &h);
    assert_int_equal(h.n, 0); /* once is chance */
    in.nexcused = 4, in.excused = lost, in.nvisit = 4;
    coincide_find(&g, fx("1"), &in, p, &h);
    assert_int_equal(h.n, 0); /* a whole station was lost */
    hits_done(&h);
    grid_free(&g);
}
static void clocks(void **s) {
    (void)s;
    static const int T[] = {0, 60, 120, 180, 180, 240, 300, 290, 350, 410, 1010, 1070};
    struct clock_in r[12];
    for (int i = 0; i < 12; i++) r[i] = (struct clock_in){T[i] * ZB_SECOND, i * 60 * ZB_SECOND};
    struct clock_seen c;
    clock_look(r, 12, &p->detect.clock, &c);
    assert_int_equal(c.duplicates, 1);
    assert_int_equal(c.backward, 1);
    assert_int_equal(c.first_gap, 10);
    assert_int_equal(c.gaps, 1);
    NEAR(c.median_s, 60, 0);
}
static void no_reaction_and_twins(void **s) {
    (void)s;
    lively(5760, 21);
    struct grid a = grid_of(long_, 5760, 2880), b = grid_of(long_, 5760, 2880);
    struct hits h = {0};
    twin_find(&a, &b, p, &h);
    assert_int_equal(h.n, 1);
    grid_free(&b);
    lively(5760, 22);
    b = grid_of(long_, 5760, 2880);
    h.n = 0;
    twin_find(&a, &b, p, &h);
    assert_int_equal(h.n, 0);
    for (int i = 0; i < 5760; i++) long_[i] = 30;
    grid_free(&b);
    b = grid_of(long_, 5760, 2880);
    zb_time stop[] = {grid_time(&b, 1000), grid_time(&b, 2000), grid_time(&b, 4000)};
    react_find(&b, stop, 3, "", "", p, &h);
    assert_int_equal(h.n, 1);
    for (int i = 2010; i < 2030; i++) b.v[i] = 500000; /* it did rise once */
    h.n = 0;
    react_find(&b, stop, 3, "", "", p, &h);
    assert_int_equal(h.n, 0);
    hits_done(&h);
    grid_free(&a), grid_free(&b);
}
static void an_upload_against_itself(void **s) {
    (void)s;
    struct sample x[60];
    zb_time t = at("2026-03-01 00:00:00");
    for (int i = 0; i < 60; i++) x[i] = (struct sample){t + i * 30 * ZB_SECOND, 400000 + i % 10 * 10000, 0};
    struct grid g;
    grid_make(&g, x, 60, t, t, t + 30 * ZB_MINUTE, 30 * ZB_SECOND);
    struct five f[6];
    for (int i = 0; i < 6; i++) f[i] = (struct five){t + i * 5 * ZB_MINUTE, t + (i + 1) * 5 * ZB_MINUTE, fx("0.49"), fx("0.4"), fx("0.45")};
    struct hits h = {0};
    upload_find(&g, x, 60, f, 6, p, &h);
    assert_int_equal(h.n, 0);
    for (int i = 1; i < 4; i++) f[i].max = fx("0.45"); /* below what was sent */
    upload_find(&g, x, 60, f, 6, p, &h);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.h[0].from, 10);
    h.n = 0;
    struct limits own = LIMITS_NONE, law = LIMITS_NONE;
    law.hi_alarm = fx("1"), own.hi_alarm = fx("0.8");
    limits_find(&own, &law, p, &h);
    assert_int_equal(h.n, 0); /* stricter is fine */
    own.hi_alarm = fx("1.5");
    limits_find(&own, &law, p, &h);
    assert_int_equal(h.n, 1);
    hits_done(&h);
    grid_free(&g);
}

static void a_day_is_judged_and_told(void **s) {
    (void)s;
    lively(5760, 31);
    memcpy(long_ + 4000, long_ + 1000, 300 * sizeof *long_);
    struct grid g = grid_of(long_, 5760, 2880);
    struct sensor_day in = {.mine = STR("140214900001"), .point = STR("P1"), .location = STR("1101工作面"), .g = &g, .limit = fx("1"), .range_hi = fx("4")};
    struct integrity_day d;
    struct clues c = {0}, again = {0};
    integrity_judge(&in, p, &d, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.c[0].grade, 3);
    assert_int_equal(d.grade, 3);
    assert_true(d.score >= 0.9);
    assert_string_equal(c.c[0].rule, "R36");
    assert_string_equal(c.c[0].detector, "replay");
    assert_int_equal(c.c[0].from, grid_time(&g, 4000));
    assert_non_null(strstr(c.c[0].zh, "逐一相同"));
    assert_non_null(strstr(c.c[0].zh, "原始时段"));
    integrity_judge(&in, p, &d, &again);
    assert_string_equal(c.c[0].id, again.c[0].id); /* same facts, same clue */
    in.declared = true;
    struct clues eased = {0};
    integrity_judge(&in, p, &d, &eased);
    assert_true(eased.c[0].score < c.c[0].score);
    struct buf b;
    struct json j;
    buf_init(&b, 20000);
    json_init(&j, &b);
    clue_json(&c.c[0], p->hash, &j);
    assert_false(b.over);
    assert_non_null(strstr(b.p, "\"criterion\":\"COAL-2026-11.02\""));
    assert_non_null(strstr(b.p, "\"looked\":\"absent\""));
    buf_done(&b);
    clues_done(&c), clues_done(&again), clues_done(&eased);
    grid_free(&g);
}
static void empty_and_short_days(void **s) {
    (void)s;
    int none[100];
    for (int i = 0; i < 100; i++) none[i] = INT32_MIN;
    for (int n = 0; n <= 100; n += 50) {
        struct grid g = grid_of(none, n, n / 2);
        struct sensor_day in = {.mine = STR("1"), .point = STR("P"), .location = STR(""), .g = &g, .limit = ZB_FIX_NONE, .range_hi = ZB_FIX_NONE};
        struct integrity_day d;
        struct clues c = {0};
        integrity_judge(&in, p, &d, &c);
        assert_int_equal(c.n, 0);
        assert_true(d.score == 0);
        clues_done(&c);
        grid_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(the_generator),
                                   cmocka_unit_test(tails_and_fits),
                                   cmocka_unit_test(changes_in_time),
                                   cmocka_unit_test(run_lengths),
                                   cmocka_unit_test(a_stuck_value_at_work),
                                   cmocka_unit_test(a_flat_neighbourhood_and_a_moving_one),
                                   cmocka_unit_test(a_sensor_at_its_zero),
                                   cmocka_unit_test(exact_copies),
                                   cmocka_unit_test(fingerprints_meet_across_points),
                                   cmocka_unit_test(matrix_profile),
                                   cmocka_unit_test(near_copies),
                                   cmocka_unit_test(held_below_a_ceiling),
                                   cmocka_unit_test(held_below_a_ceiling_in_few_steps),
                                   cmocka_unit_test(a_drawn_curve),
                                   cmocka_unit_test(odd_series),
                                   cmocka_unit_test(a_test_gas_is_labelled),
                                   cmocka_unit_test(lost_before_the_limit),
                                   cmocka_unit_test(clocks),
                                   cmocka_unit_test(no_reaction_and_twins),
                                   cmocka_unit_test(an_upload_against_itself),
                                   cmocka_unit_test(a_day_is_judged_and_told),
                                   cmocka_unit_test(empty_and_short_days)};
    return cmocka_run_group_tests(t, policy_up, policy_down);
}
