/* Comparison factor by factor: vectors of methods.md E3-E6 and the public case of Hebei, 2025. */
#include "../policy.h"
#include "../vectors.h"
#include "detect/compare.h"
#include "detect/stat.h"

#define MINE STR("140214900001")

static void ratio_bands(void **s) {
    (void)s;
    static const double H[] = {21.2, 20.5, 22.1, 21.7, 20.9, 21.4, 22.4, 21.0, 20.7, 21.9, 21.3, 21.6, 20.8, 22.0, 21.1, 21.5, 20.6, 21.8, 22.2, 21.2};
    static const struct {
        double x, ratio, z;
        enum ratio_band band;
    } V[] = {{16.8, .786885, -6.8199, RATIO_LOW},
             {18.5, .866511, -4.2718, RATIO_BELOW},
             {21.0, .983607, -.5246, RATIO_NORMAL},
             {24.0, 1.124122, 3.972, RATIO_ABOVE},
             {28.6, 1.339578, 10.8668, RATIO_HIGH}};
    double base[20];
    struct ratio_seen r;
    for (int i = 0; i < 5; i++) {
        memcpy(base, H, sizeof base);
        assert_true(ratio_look(base, 20, V[i].x, &p->detect.ratio, &r));
        NEAR(r.ratio, V[i].ratio, 1e-6);
        NEAR(r.z, V[i].z, 1e-4);
        assert_int_equal(r.band, V[i].band);
    }
    assert_false(ratio_look(base, 19, 20, &p->detect.ratio, &r));
    double day[60];
    for (int i = 0; i < 60; i++) day[i] = 21 + uni();
    struct ratio_in in = {.mine = MINE, .zh = "吨煤电耗", .en = "power per ton", .unit = "kWh/t", .day = day, .n = 60};
    struct clues c = {0};
    ratio_find(&in, p, &c);
    assert_int_equal(c.n, 0);
    for (int i = 57; i < 60; i++) day[i] = 30;
    ratio_find(&in, p, &c);
    assert_int_equal(c.n, 1);
    assert_non_null(strstr(c.c[0].zh, "吨煤电耗连续3天"));
    day[20] = day[40] = day[50] = 31; /* a day of little coal now and then is no such run */
    c.n = 0;
    ratio_find(&in, p, &c);
    assert_int_equal(c.n, 1);
    day[51] = NAN, day[52] = day[53] = 31; /* a day without a figure does not break one */
    c.n = 0;
    ratio_find(&in, p, &c);
    assert_int_equal(c.n, 0);
    day[50] = 21, day[58] = 21.5; /* not in a row */
    c.n = 0;
    ratio_find(&in, p, &c);
    assert_int_equal(c.n, 0);
    clues_done(&c);
}

/* A mine's hours: fans and pumps always, hoist and face in production. */
enum { DAYS = 40, HOURS = DAYS * 24 };
static double total[HOURS], hoist[HOURS], fan[HOURS], face[HOURS];
static void hours_make(int stop_day, double hoist_day, bool nights) { /* hoist_day: kWh of the hoist a day once stopped */
    lcg = 5;
    for (int i = 0; i < HOURS; i++) {
        bool stopped = i / 24 >= stop_day;
        int h = i % 24;
        double noise = 1 + 0.04 * (uni() - 0.5);
        fan[i] = 600 * noise;
        face[i] = stopped ? 15 : (h >= 6 && h < 14 ? 150 : 800) * noise;
        hoist[i] = stopped ? (nights ? (h >= 22 || h < 10 ? hoist_day / 12 : 0) : hoist_day / 24) * noise : 127.1 * noise;
        total[i] = fan[i] + face[i] + hoist[i];
    }
}
static int found_after(int stop_day, int most, struct clues *c) {
    struct circuit k[] = {{"全矿用电", "the mine's load", total, true}, {"主提升", "main hoist", hoist, true}, {"通风", "ventilation", fan, false}};
    struct still_in in = {.mine = MINE,
                          .subject = STR(""),
                          .rule = "X04",
                          .zh = "申报停产检修",
                          .en = "declared maintenance",
                          .t0 = at("2025-08-01 00:00:00"),
                          .stop = stop_day * 24,
                          .circuit = k,
                          .circuits = 3};
    for (int d = 1; d <= most; d++) {
        in.n = (stop_day + d) * 24;
        c->n = 0;
        still_find(&in, p, c);
        if (c->n && c->c[0].grade >= 2) return d;
    }
    return 0;
}
static void hebei_2025(void **s) { /* declared ten days of maintenance; the main hoist's share 9.7 % to 13 %, about twelve hours each night */
    (void)s;
    struct clues c = {0};
    hours_make(30, 0.13 / 0.87 * (600 + 15) * 24, true);
    double a = 0, b = 0;
    for (int i = 0; i < 720; i++) a += hoist[i], b += total[i];
    NEAR(a / b, .097, .03);
    a = b = 0;
    for (int i = 720; i < HOURS; i++) a += hoist[i], b += total[i];
    NEAR(a / b, .13, .01);
    int day = found_after(30, 10, &c);
    assert_in_range(day, 1, 3);
    print_message("found on day %d: %s\n", day, c.c[0].zh);
    assert_non_null(strstr(c.c[0].zh, "主提升用电占比由平时9.7%升至13.0%"));
    assert_non_null(strstr(c.c[0].zh, "主提升夜间规律用电"));
    assert_non_null(strstr(c.c[0].zh, "平均每天12小时"));
    assert_non_null(strstr(c.c[0].en, "share of main hoist in electricity rose"));
    assert_string_equal(c.c[0].rule, "X04");
    char id[CLUE_ID_CAP];
    strcpy(id, c.c[0].id);
    struct circuit k[] = {{"全矿用电", "the mine's load", total, true}, {"主提升", "main hoist", hoist, true}};
    struct still_in later = {.mine = MINE,
                             .subject = STR(""),
                             .rule = "X04",
                             .zh = "申报停产检修",
                             .en = "declared maintenance",
                             .t0 = at("2025-08-01 00:00:00"),
                             .n = HOURS,
                             .stop = 720,
                             .circuit = k,
                             .circuits = 2};
    c.n = 0;
    still_find(&later, p, &c);
    assert_string_equal(c.c[0].id, id); /* the same stop, the same clue, longer */
    hours_make(30, 120, false);         /* really at rest: men and material now and then */
    assert_int_equal(found_after(30, 10, &c), 0);
    clues_done(&c);
}
static void load_at_rest_and_not(void **s) {
    (void)s;
    double h[60 * 24];
    lcg = 9;
    for (int i = 0; i < 60 * 24; i++) h[i] = (i / 24 % 7 == 6 ? 12 : 150) * (0.8 + 0.4 * uni());
    struct idle_norm n = idle_learn(h, 50 * 24, &p->detect.idle);
    assert_true(n.rested);
    NEAR(n.rest_day, 12 * 24, .05);
    struct idle_seen x;
    idle_look(h, 55 * 24, 56 * 24, &n, &p->detect.idle, &x); /* day 55 is a seventh day */
    assert_int_equal(x.found_at, -1);
    idle_look(h, 56 * 24, 57 * 24, &n, &p->detect.idle, &x);
    assert_int_equal(x.found_at, 56 * 24 + 1);
    assert_true(x.kwh > 8 * x.rest);
    for (int i = 0; i < 60 * 24; i++) h[i] = 150 * (0.8 + 0.4 * uni()); /* never at rest: only an unchanged load tells */
    n = idle_learn(h, 50 * 24, &p->detect.idle);
    assert_false(n.rested);
    idle_look(h, 50 * 24, 51 * 24, &n, &p->detect.idle, &x);
    assert_true(x.found_at >= 0);
    for (int i = 50 * 24; i < 60 * 24; i++) h[i] /= 2;
    idle_look(h, 50 * 24, 51 * 24, &n, &p->detect.idle, &x);
    assert_int_equal(x.found_at, -1);
    n = idle_learn(h, 3 * 24, &p->detect.idle);
    assert_int_equal(n.days, 0); /* too few days: nothing is said */
    idle_look(h, 50 * 24, 51 * 24, &n, &p->detect.idle, &x);
    assert_int_equal(x.found_at, -1);
}
static void signs_of_production(void **s) {
    (void)s;
    struct sign g[] = {{"井下人数", "persons underground", "人", 46, 12}, {"皮带运行", "belt hours", "h", 7, 0}, {"外运", "haulage", "t", 0, 0}};
    struct still_in in = {.mine = MINE,
                          .subject = STR(""),
                          .rule = "R93",
                          .zh = "停产整顿未验收",
                          .en = "suspension, not accepted",
                          .t0 = at("2026-03-01 00:00:00"),
                          .n = 48,
                          .stop = 24,
                          .sign = g,
                          .signs = 3};
    struct clues c = {0};
    still_find(&in, p, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.c[0].grade, 2);
    assert_int_equal(c.c[0].factors, 2);
    assert_non_null(strstr(c.c[0].zh, "井下人数46人，允许12人"));
    g[0].seen = 10, g[1].seen = 0;
    c.n = 0;
    still_find(&in, p, &c);
    assert_int_equal(c.n, 0);
    clues_done(&c);
}
static void output_and_haulage(void **s) {
    (void)s;
    struct balance_window w[3];
    zb_time t[3] = {0, ZB_DAY, 2 * ZB_DAY};
    struct clues c = {0};
    for (int i = 0; i < 3; i++) w[i] = (struct balance_window){10200, 9900, 9300, 350};
    balance_find(MINE, w, 3, t, ZB_DAY, p, &c);
    assert_int_equal(c.n, 0);
    for (int i = 0; i < 3; i++) w[i].ticket = 7200;
    balance_find(MINE, w, 3, t, ZB_DAY, p, &c);
    assert_int_equal(c.n, 1);
    assert_true(c.c[0].chance < 1e-9);
    assert_true(c.c[0].from == 0 && c.c[0].to == 3 * ZB_DAY);
    w[2].belt = NAN; /* not measured: nothing is said */
    c.n = 0;
    balance_find(MINE, w, 3, t, ZB_DAY, p, &c);
    assert_int_equal(c.n, 0);
    struct capacity_in k = {.mine = MINE, .annual = 1200000, .month = 90000, .quarter = 290000, .year = 700000, .underground = true, .day = 20700};
    capacity_find(&k, p, &c);
    assert_int_equal(c.n, 0);
    k.quarter = 370000;
    capacity_find(&k, p, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.c[0].grade, 3);
    k.quarter = 100000, k.month = 130000; /* the month's line ended with its list */
    c.n = 0;
    capacity_find(&k, p, &c);
    assert_int_equal(c.n, 0);
    k.day = 20600;
    capacity_find(&k, p, &c);
    assert_int_equal(c.n, 1);
    clues_done(&c);
}
static void gas_betrays_work(void **s) {
    (void)s;
    enum { N = 6 * 2880 };
    struct sample *x = calloc(N, sizeof *x);
    zb_time t = at("2026-03-01 00:00:00");
    lcg = 77;
    for (int i = 0; i < N; i++) { /* five days by shifts; the sixth is declared idle, and moves */
        bool work = i >= 5 * 2880 || i / 960 % 3 != 0;
        x[i] = (struct sample){t + i * 30 * ZB_SECOND, (40 + (zb_fix)(uni() * (work ? 6 : 1.3))) * 10000, 0};
    }
    struct grid g;
    grid_make(&g, x, N, t, t + 5 * ZB_DAY, t + 6 * ZB_DAY, 30 * ZB_SECOND);
    g.work = calloc(N, 1);
    for (int i = 0; i < 5 * 2880; i++) g.work[i] = i / 960 % 3 != 0 ? REGIME_WORK : REGIME_REST;
    struct rough_in in = {.mine = MINE, .point = STR("P1"), .location = STR("1101工作面"), .g = &g, .zh = "申报停产检修", .en = "declared maintenance"};
    struct clues c = {0};
    rough_find(&in, p, &c);
    assert_int_equal(c.n, 0); /* 40 idle hours are not enough to know */
    struct policy q = *p;
    q.detect.rough.learn = 30;
    rough_find(&in, &q, &c);
    assert_int_equal(c.n, 1);
    assert_non_null(strstr(c.c[0].zh, "24小时"));
    for (int i = 5 * 2880; i < N; i++) g.v[i] = 400000 + i % 90 / 80 * 10000;
    c.n = 0;
    rough_find(&in, &q, &c);
    assert_int_equal(c.n, 0);
    clues_done(&c);
    grid_free(&g);
    free(x);
}
static void undeclared_places(void **s) {
    (void)s;
    struct place_seen w[] = {
        {STR("1101工作面"), true, 18, 20000, 1200, 5000}, {STR("1305巷"), false, 6, 9000, NAN, NAN}, {STR("东翼巷道"), false, 2, 9000, NAN, NAN}};
    struct places_in in = {.mine = MINE, .place = w, .n = 3, .air_total = NAN, .from = 0, .to = ZB_DAY};
    struct clues c = {0};
    places_find(&in, p, &c);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.c[0].rule, "R30");
    assert_string_equal(c.c[0].subject, "1305巷");
    w[1].air = 300; /* two factors agree on the same place */
    c.n = 0;
    places_find(&in, p, &c);
    assert_string_equal(c.c[0].rule, "X11");
    assert_int_equal(c.c[0].grade, 3);
    w[1].persons = 0, w[1].air = NAN;
    in.air_total = 1700;
    c.n = 0;
    places_find(&in, p, &c);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.c[0].rule, "R31");
    in.air_total = 1300;
    c.n = 0;
    places_find(&in, p, &c);
    assert_int_equal(c.n, 0);
    clues_done(&c);
}
static void slow_drift(void **s) {
    (void)s;
    double people[60], power[60], air[60];
    lcg = 3;
    for (int i = 0; i < 60; i++) people[i] = 200 + 8 * uni(), power[i] = 30000 + 900 * uni(), air[i] = 5000 + 100 * uni();
    struct factor_days f[] = {{"井下人数", "persons", "人", people}, {"用电", "power", "kWh", power}, {"风量", "air", "m³/min", air}};
    struct clues c = {0};
    drift_find(MINE, f, 3, 60, 0, p, &c);
    assert_int_equal(c.n, 0);
    for (int i = 40; i < 60; i++) people[i] += 20;
    drift_find(MINE, f, 3, 60, 0, p, &c);
    assert_int_equal(c.n, 0); /* one factor is not enough */
    for (int i = 40; i < 60; i++) power[i] += 2500;
    drift_find(MINE, f, 3, 60, 0, p, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.c[0].factors, 2);
    assert_true(c.c[0].from >= 39 * ZB_DAY && c.c[0].from <= 41 * ZB_DAY); /* where it began */
    clues_done(&c);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(ratio_bands),         cmocka_unit_test(hebei_2025),         cmocka_unit_test(load_at_rest_and_not),
                                   cmocka_unit_test(signs_of_production), cmocka_unit_test(output_and_haulage), cmocka_unit_test(gas_betrays_work),
                                   cmocka_unit_test(undeclared_places),   cmocka_unit_test(slow_drift)};
    return cmocka_run_group_tests(t, policy_up, policy_down);
}
