/* Forecasts live: samples in, warnings of their colour out, the same from a frozen state; a quiet twin beside each that warns of nothing. */
#include "../policy.h"
#include "detect/ahead.h"
#include "detect/ahead_fit.h"
#include "detect/warn.h"
#include <math.h>

static struct alarm_diffs d;
static uint32_t seed;
static int up(void **s) {
    policy_up(s);
    static const enum detector_id ON[] = {DETECTOR_GAS, DETECTOR_BURST, DETECTOR_SLOPE, DETECTOR_POND};
    for (int i = 0; i < 4; i++) p->detect.who[ON[i]].shadow = false; /* as their owner would */
    return 0;
}
static int down(void **s) {
    alarm_diffs_done(&d);
    return policy_down(s);
}

static void define(struct mine_state *m, const char *code, const char *sensor, const char *wall, const char *lo_red, const char *hi_red) {
    struct point_def x = {.vt = sensor[0] == '1' ? VALUE_KG : VALUE_MN, POINT_PLAIN};
    snprintf(x.code, sizeof x.code, "%s", code);
    snprintf(x.sensor_type, sizeof x.sensor_type, "%s", sensor);
    snprintf(x.station, sizeof x.station, "%s", wall);
    snprintf(x.location, sizeof x.location, "1101工作面回风");
    if (lo_red) x.line.lo[LEVEL_RED] = fx(lo_red);
    if (hi_red) x.line.hi[LEVEL_RED] = fx(hi_red);
    mine_define(p, m, &x, at("2026-01-01 00:00:00"), &d);
}
static struct mine_state *mine(void) { return mine_new(&(struct mine_facts){.code = "140200000001", .region = "140200"}); }
static void put(struct mine_state *m, const char *code, zb_time t, double v) {
    struct sample x = {t, (zb_fix)llround(v * 1e6), 0};
    assert_true(mine_sample(p, m, str_of(code), &x, t, &d));
}
/* Thaws what was frozen: the same bytes again, and it goes on from there. */
static struct mine_state *frozen(struct mine_state *m) {
    struct buf a, b;
    struct mine_state *to;
    buf_init(&a, 64 << 20), buf_init(&b, 64 << 20);
    mine_freeze(m, &a);
    OK(mine_thaw(buf_str(&a), &to, &err));
    mine_freeze(to, &b);
    assert_true(a.n == b.n && !memcmp(a.p, b.p, a.n));
    mine_refresh(p, to);
    buf_done(&a), buf_done(&b);
    mine_free(m);
    return to;
}
static const struct alarm *warned(enum alarm_level level, const char *hazard) { /* the first of this colour */
    char group[64];
    snprintf(group, sizeof group, "warning/%s", hazard);
    for (int i = 0; i < d.n; i++)
        if (d.a[i].kind == ALARM_WARNING && d.a[i].level == level && !strcmp(d.a[i].group, group)) return &d.a[i];
    return NULL;
}
static int warnings(void) {
    int n = 0;
    for (int i = 0; i < d.n; i++) n += d.a[i].kind == ALARM_WARNING || d.a[i].kind == ALARM_JOINT;
    return n;
}

/* Three receivers on one wall, read each morning: creep of 0.7 mm/d with 1 mm of noise; from day 60 on it accelerates as 1/(t_f - t). */
static struct mine_state *slope_days(struct mine_state *m, bool moves, int freeze_at) {
    static const char *const CODE[] = {"G1.x", "G1.y", "G2.x", "G3.z"};
    zb_time t0 = at("2026-01-02 08:10:00");
    seed = 5;
    for (int i = 0; i < 4; i++) define(m, CODE[i], i == 3 ? "Z402" : "Z401", "N1", NULL, NULL);
    for (int day = 0; day < 80; day++) {
        double mm = .7 * day + (moves && day > 60 ? 80 * (1 / (80.5 - day) - 1 / 20.5) : 0);
        for (int i = 0; i < 4; i++) put(m, CODE[i], t0 + day * ZB_DAY, (i == 1 ? -1 : 1) * mm + 2 * (lcg_next(&seed) - .5));
        mine_tick(p, m, t0 + day * ZB_DAY + ZB_HOUR, &d);
        if (day == freeze_at) m = frozen(m);
    }
    return m;
}

static void a_wall_that_goes(void **s) {
    (void)s;
    d.n = 0;
    struct mine_state *m = slope_days(mine(), true, -1);
    const struct alarm *y = warned(LEVEL_YELLOW, "slope"), *o = warned(LEVEL_ORANGE, "slope"), *r = warned(LEVEL_RED, "slope");
    assert_true(y && o && r && !strcmp(y->id, r->id) && !strcmp(y->point, "N1"));
    assert_true(y->last < o->last && o->last < r->last);
    assert_non_null(strstr(r->note, "（测点G"));
    char english[400];
    assert_true(warn_say(p, r->why, false, english, sizeof english) && strstr(english, "points of this wall at yellow or above 3"));
    struct ahead_now now;
    assert_true(mine_ahead(p, m, STR("G2.x"), &now) && now.hazard == DETECTOR_SLOPE && now.speed > 3 && now.angle > 80);
    int n = d.n;
    struct alarm *all = xmalloc((size_t)n * sizeof *all);
    memcpy(all, d.a, (size_t)n * sizeof *all);
    mine_free(m);
    d.n = 0;
    mine_free(slope_days(mine(), true, 70)); /* the same over a restart, in the middle of it */
    assert_true(d.n == n && !memcmp(all, d.a, (size_t)n * sizeof *all));
    free(all);
    d.n = 0;
    mine_free(slope_days(mine(), false, -1));
    assert_int_equal(warnings(), 0);
}

static void a_prism_lost(void **s) {
    (void)s;
    d.n = 0;
    struct mine_state *m = mine();
    zb_time t0 = at("2026-01-02 08:10:00");
    define(m, "A.x", "Z401", "", NULL, NULL);
    define(m, "B.x", "Z401", "", NULL, NULL);
    for (int day = 0; day < 50; day++) {
        if (day < 42) put(m, "A.x", t0 + day * ZB_DAY, day < 34 ? .1 * day : 3.4 + 1.1 * (day - 34));
        put(m, "B.x", t0 + day * ZB_DAY, 0);
    }
    bool told = false;
    for (int i = 0; i < d.n; i++) told |= d.a[i].kind == ALARM_WARNING && strstr(d.a[i].note, "失去测点，须到现场（测点A.x）");
    assert_true(told);
    mine_free(m);
}

/* A level that swings by 0.6 m in six days; its flood limit is reached in the upper part, or never. */
static void a_pond_that_fills(void **s) {
    (void)s;
    enum { N = 30 * 288 };
    static struct sample level[N], rain[30];
    zb_time t0 = at("2026-01-02 00:00:00");
    for (int i = 0; i < N; i++) level[i] = (struct sample){t0 + i * 5 * ZB_MINUTE, (zb_fix)llround((100 + .6 * sin(i / 288.0)) * 1e6), 0};
    for (int i = 0; i < 30; i++) rain[i] = (struct sample){t0 + i * ZB_DAY, 0, 0};
    struct past l = {STR("L"), level, N}, g = {STR("R"), rain, 30};
    struct pond_model model;
    assert_true(pond_learn_from(&p->detect.pond, &l, &g, 1, &model) && model.spread < .1);
    for (int quiet = 0; quiet < 2; quiet++) {
        struct mine_state *m = mine();
        struct buf b;
        d.n = 0;
        define(m, "L", "Z103", "", NULL, quiet ? "103" : "100.5");
        define(m, "B", "Z101", "", "70", NULL);
        define(m, "R", "0031", "", NULL, NULL);
        buf_init(&b, 1 << 20);
        model_head(&b, DETECTOR_POND, p, 20500, "L", NULL, 0);
        buf_put(&b, &model, sizeof model);
        assert_true(mine_model(p, m, buf_str(&b)));
        b.n--;
        assert_false(mine_model(p, m, buf_str(&b)));
        buf_done(&b);
        zb_time told = ZB_TIME_NONE;
        for (int i = 0; i < N && told == ZB_TIME_NONE; i++) {
            put(m, "L", level[i].t, zb_fix_double(level[i].v));
            put(m, "B", level[i].t, 120);
            if (warned(LEVEL_ORANGE, "pond")) told = level[i].t;
            if (i == 50) m = frozen(m);
        }
        if (quiet) {
            assert_int_equal(warnings(), 0);
        } else {
            const struct alarm *o = warned(LEVEL_ORANGE, "pond");
            assert_true(o && !warned(LEVEL_RED, "pond")); /* before it is there */
            assert_true(strstr(o->note, "预测24小时内达到防洪限制水位") && strstr(o->note, "24小时后预测水位 100."));
            put(m, "B", told + ZB_HOUR, 69); /* and the beach gives way */
            const struct alarm *r = warned(LEVEL_RED, "pond");
            assert_true(r && !strcmp(r->id, o->id) && strstr(r->note, "干滩小于最小值"));
        }
        mine_free(m);
    }
}

/* A strong event follows a shift of many small ones. */
static int events_of_shift(int i) { return i % 7 == 3 ? 14 : 2; }
static void shift_put(struct sample *x, int *n, zb_time t, int i) {
    for (int k = 0; k < events_of_shift(i); k++) x[(*n)++] = (struct sample){t + k * ZB_MINUTE, (zb_fix)(300 + 17 * ((i + k) % 9)) * ZB_FIX_ONE, 0};
    if (i % 7 == 4) x[(*n)++] = (struct sample){t + 4 * ZB_HOUR, 40000 * ZB_FIX_ONE, 0};
}
static void shifts_before_a_burst(void **s) {
    (void)s;
    enum { FIT = 240, N = 300 };
    static struct sample x[N * 16];
    int n = 0, fit = 0;
    zb_time t0 = at("2026-01-02 00:00:00"), length = 8 * ZB_HOUR;
    for (int i = 0; i < N; i++) {
        shift_put(x, &n, t0 + i * length, i);
        if (i == FIT - 1) fit = n;
    }
    struct past past = {STR("WZ"), x, fit};
    struct burst_source src = {BURST_EVENTS, &past};
    struct burst_model model;
    assert_true(burst_learn_from(&p->detect.burst, &src, 1, t0 + FIT * length, &model));
    struct mine_state *m = mine();
    struct buf b;
    d.n = 0;
    define(m, "WZ", "0607", "", NULL, NULL);
    for (int i = 0; i < fit; i++) put(m, "WZ", x[i].t, zb_fix_double(x[i].v));
    assert_int_equal(warnings(), 0); /* nothing is learnt yet */
    buf_init(&b, 1 << 20);
    model_head(&b, DETECTOR_BURST, p, 20500, "", NULL, 0);
    buf_put(&b, &model, sizeof model);
    assert_true(mine_model(p, m, buf_str(&b)));
    buf_done(&b);
    m = frozen(m);
    int right = 0, wrong = 0, before = 0;
    for (int i = fit; i < n; i++) {
        put(m, "WZ", x[i].t, zb_fix_double(x[i].v));
        for (; before < d.n; before++) {
            if (d.a[before].kind != ALARM_WARNING || d.a[before].cleared != ZB_TIME_NONE || d.a[before].count > 1) continue;
            int shift = (int)((d.a[before].raised - t0) / length) - 1; /* that was judged */
            *(shift % 7 == 3 ? &right : &wrong) += 1;
            assert_non_null(strstr(d.a[before].note, "下一班强震概率"));
        }
    }
    assert_true(right >= 7 && wrong <= 2);
    int quiet = d.n; /* the last shift is over: a timer closes it */
    mine_tick(p, m, t0 + N * length + ZB_HOUR, &d);
    assert_true(d.n > quiet || m->burst->n > 0);
    assert_true(m->burst->open == (t0 + N * length + 8 * ZB_HOUR) / length);
    mine_free(m);
}

/* Methane that follows its neighbour by some minutes: rises of 0.6 from 0.5, some higher. */
static double gas_at(int i, bool beside, double up) {
    int k = (i + (beside ? 8 : 0)) % 120;
    return .45 + (k >= 80 && k < 95 ? (k - 80) * up / 15 : k >= 95 && k < 110 ? up : 0);
}
static void methane_minutes_ahead(void **s) {
    (void)s;
    enum { FIT = 2400 };
    static struct sample a[FIT], c[FIT];
    zb_time t0 = at("2026-02-01 00:00:00");
    struct detect_gas r = p->detect.gas;
    r.trees = 40; /* the test has less time than a mine */
    seed = 9;
    for (int i = 0; i < FIT; i++) {
        a[i] = (struct sample){t0 + i * 30 * ZB_SECOND, (zb_fix)llround((gas_at(i, false, .62) + .02 * (lcg_next(&seed) - .5)) * 100) * 10000, 0};
        c[i] = (struct sample){a[i].t, (zb_fix)llround((gas_at(i, true, .4) + .02 * (lcg_next(&seed) - .5)) * 100) * 10000, 0};
        if (i % 50 == 7) a[i].state = ST_CALIB; /* no row of its own: the one before is held */
    }
    const struct past ch[2] = {{STR("P1"), a, FIT}, {STR("P2"), c, FIT}};
    double *rows;
    int n = gas_rows(&r, ch, 2, &rows);
    assert_true(n == FIT || n == FIT - 1);
    struct gas_model *model = gas_fit(&r, rows, n, 2), *again;
    struct buf b;
    const char *const WITH[] = {"P2"};
    buf_init(&b, 1 << 20);
    model_head(&b, DETECTOR_GAS, p, 20500, "P1", WITH, 1);
    size_t head = b.n;
    gas_pack(model, &b);
    again = gas_unpack((struct str){b.p + head, b.n - head});
    struct buf twice;
    buf_init(&twice, 1 << 20);
    gas_pack(again, &twice);
    assert_true(twice.n == b.n - head && !memcmp(twice.p, b.p + head, twice.n) && twice.n < 40000);
    for (int quiet = 0; quiet < 2; quiet++) {
        struct mine_state *m = mine();
        d.n = 0;
        define(m, "P1", "0001", "", NULL, NULL);
        define(m, "P2", "0001", "", NULL, NULL);
        put(m, "P1", t0 - ZB_MINUTE, .45); /* its limits are known from its first sample on */
        assert_true(mine_model(p, m, buf_str(&b)));
        zb_time over = ZB_TIME_NONE;
        for (int i = FIT; i < FIT + 600 && over == ZB_TIME_NONE; i++) {
            double up = quiet ? .1 : .62;
            put(m, "P2", t0 + i * 30 * ZB_SECOND, round(gas_at(i, true, quiet ? .06 : .4) * 100) / 100);
            put(m, "P1", t0 + i * 30 * ZB_SECOND + 5 * ZB_SECOND, round(gas_at(i, false, up) * 100) / 100);
            if (i == FIT + 90) m = frozen(m); /* in the middle of the rise */
            for (int k = 0; k < d.n; k++)
                if (d.a[k].kind == ALARM_OVER_HI) over = d.a[k].raised;
        }
        if (quiet) {
            assert_true(over == ZB_TIME_NONE);
            assert_int_equal(warnings(), 0);
        } else {
            const struct alarm *y = warned(LEVEL_YELLOW, "gas") ? warned(LEVEL_YELLOW, "gas") : warned(LEVEL_ORANGE, "gas");
            assert_true(over != ZB_TIME_NONE && y && y->raised < over && over - y->raised <= 10 * ZB_MINUTE);
            assert_true(strstr(y->note, "达限概率") && strstr(y->note, "预计最大值") && strstr(y->note, "预测时段 3 min"));
            struct ahead_now now;
            assert_true(mine_ahead(p, m, STR("P1"), &now) && now.hazard == DETECTOR_GAS && now.horizon == 3 * ZB_MINUTE && now.chance > .3);
        }
        mine_free(m);
    }
    struct mine_state *m = mine();
    define(m, "P1", "0001", "", NULL, NULL);
    assert_true(mine_model(p, m, buf_str(&b)));
    for (size_t i = 0; i < b.n; i += 97) { /* a damaged model is refused, or is one the code can work with */
        char kept = b.p[i];
        b.p[i] = (char)(kept ^ 0x55);
        if (mine_model(p, m, buf_str(&b))) put(m, "P1", t0 + (zb_time)i * ZB_HOUR, .5);
        b.p[i] = kept;
    }
    assert_false(mine_model(p, m, STR("gas 20500 P9 P2\nx")));
    assert_false(mine_model(p, m, STR("")));
    struct buf f;
    struct mine_state *thawed;
    struct zb_err e;
    buf_init(&f, 64 << 20);
    mine_freeze(m, &f);
    for (size_t i = 0; i < f.n; i += 61) { /* so is a damaged state */
        char kept = f.p[i];
        f.p[i] = (char)(kept ^ 0xAA);
        if (mine_thaw(buf_str(&f), &thawed, &e) == ZB_OK) mine_free(thawed);
        f.p[i] = kept;
    }
    mine_free(m);
    buf_done(&f), buf_done(&b), buf_done(&twice);
    gas_free(model), gas_free(again);
    free(rows);
}

static void in_the_shadow(void **s) {
    (void)s;
    p->detect.who[DETECTOR_SLOPE].shadow = true;
    d.n = 0;
    mine_free(slope_days(mine(), true, -1));
    p->detect.who[DETECTOR_SLOPE].shadow = false;
    int trials = 0;
    for (int i = 0; i < d.n; i++) {
        assert_true(d.a[i].kind != ALARM_JOINT);
        trials += alarm_shadow(&d.a[i]);
        assert_true(d.a[i].kind != ALARM_WARNING || alarm_shadow(&d.a[i]));
    }
    assert_true(trials >= 3);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(a_wall_that_goes),      cmocka_unit_test(a_prism_lost),          cmocka_unit_test(a_pond_that_fills),
                                   cmocka_unit_test(shifts_before_a_burst), cmocka_unit_test(methane_minutes_ahead), cmocka_unit_test(in_the_shadow)};
    return cmocka_run_group_tests(t, up, down);
}
