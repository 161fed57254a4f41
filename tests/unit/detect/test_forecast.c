/* Vectors of methods.md section C; forecasts on made series; warning levels, their reasons, joint colours. */
#include "../policy.h"
#include "detect/burst.h"
#include "detect/gas_inside.h"
#include "detect/index.h"
#include "detect/pond.h"
#include "detect/slope.h"
#include "detect/state.h"
#include <math.h>

#define NEAR(a, b) assert_true(fabs((a) - (b)) <= 1e-6 * fmax(1, fabs((double)(b))))

static const double X[10] = {.42, .44, .43, .47, .50, .49, .53, .56, .58, .61};
static void trends_and_charts(void **s) {
    (void)s;
    struct trend t;
    assert_true(theil_sen(X, 10, &t));
    NEAR(t.slope, .02);
    NEAR(t.intercept, .42);
    NEAR(steps_to(&t, 10, 1.0), 20);
    assert_true(steps_to(&t, 10, .5) == 0);
    const double falling[3] = {3, 2, 1};
    assert_true(theil_sen(falling, 3, &t) && isinf(steps_to(&t, 3, 5)));
    assert_false(theil_sen(X, 1, &t));
    struct holt h = holt_of(X, 10, .5, .3);
    NEAR(h.level, .604216251);
    NEAR(h.trend, .024101989);
    NEAR(h.level + 10 * h.trend, .845236141);
    struct ewma e = ewma_chart(X, 5, .2, .40, .03, 3);
    assert_int_equal(e.first, 4);
    assert_true(fabs(e.z - .440774) < 1e-6 && fabs(e.limit - .428344) < 1e-6);
    e = ewma_chart(X, 10, .2, .40, .03, 3);
    assert_true(fabs(e.z - .525326) < 1e-6 && fabs(e.limit - .429827) < 1e-6);
}

static void emission_and_outburst(void **s) {
    (void)s;
    NEAR(emission_absolute(1200, .45), 5.4);
    NEAR(emission_relative(5.4, 5000), 1.5552);
    assert_true(isnan(emission_relative(5.4, 0)));
    const double c[] = {.35, .9, 1.4, 1.2, 1.0, .8, .65, .55, .48, .42, .38};
    NEAR(emission_after_blast(c, 11, 3, .30, 300), 42.885);
    const double t[] = {1, 2, 3, 4, 5}, q[] = {.38, .58, .73, .86, .97};
    struct k1 k;
    assert_true(k1_of(t, q, 5, &k));
    NEAR(k.k1, .477635912);
    NEAR(k.w, .096740591);
    NEAR(r_index(5.4, 5), 3.6);
    NEAR(r_index(7.2, 6.5), 13.5);
    assert_true(isnan(r_index(1, 2))); /* both brackets negative: their product says nothing */
}

static void fire(void **s) {
    (void)s;
    struct fire_ratios r = fire_ratios_of(&(struct fire_gas){.co = .01, .n2 = 70.4, .o2 = 15.2}, .265, .3);
    NEAR(r.deficit, 3.456);
    NEAR(r.graham, .289352);
    const struct fire_gas g = {.co = .0120, .co2 = .80, .n2 = 79.6, .o2 = 19.2, .h2 = .001};
    r = fire_ratios_of(&g, .265, .3);
    NEAR(r.deficit, 1.894);
    NEAR(r.graham, .633580);
    assert_true(fabs(r.r1 - 42.2386) < 1e-4);
    NEAR(r.r3, 1.5);
    NEAR(r.jones_trickett, .427006);
    r = fire_ratios_of(&g, .2647, .3);
    NEAR(r.deficit, 1.87012);
    NEAR(r.graham, .641670);
    NEAR(r.jones_trickett, .432459);
    r = fire_ratios_of(&(struct fire_gas){.co = .01, .n2 = 79, .o2 = 20.9}, .265, .3);
    assert_true(isnan(r.graham)); /* too little oxygen is gone */
    const double v[] = {3, 5, 4, 7, 6, 9, 8, 12};
    struct mann_kendall m = mann_kendall_of(v, 8);
    assert_true(m.s == 22 && fabs(m.var - 65.3333) < 1e-4 && fabs(m.z - 2.598076) < 1e-6 && fabs(m.p - .00937477) < 1e-8);
}

static void water_and_roof(void **s) {
    (void)s;
    NEAR(inrush_coefficient(2.4, 30), .08);
    NEAR(inrush_coefficient(3.2, 30), .106667);
    NEAR(floor_thickness(4, .025, .2, 1.5), 7.262087);
    struct pumps u = pumps_needed(400, 700);
    assert_true(u.work == 480 && u.standby == 336 && u.service == 120 && u.together == 840);
    const double pr[] = {28, 29, 30, 31, 29, 30, 38, 41, 30, 29, 28, 31, 30, 40};
    int at[5];
    double limit, factor;
    assert_int_equal(roof_weighting(pr, 14, at, 5, &limit, &factor), 3);
    assert_true(at[0] == 6 && at[1] == 7 && at[2] == 13);
    NEAR(limit, 35.997618);
    NEAR(factor, 1.342564);
    assert_true(air_quantity(1.5, 10) == 900);
}

static void burst_formulas(void **s) {
    (void)s;
    const double before[] = {12000, 15000, 11000, 14000, 13000, 12500, 13500, 13000};
    NEAR(deviation_percent(22000, before, 8), 69.230769);
    const double m[] = {.5, .6, .6, .7, .7, .8, .8, .9, 1, 1, 1.1, 1.2, 1.3, 1.5, 1.9};
    struct b_value b = b_value_of(m, 15, .5, .1);
    NEAR(b.mean, .973333);
    NEAR(b.b, .829862);
    NEAR(b.shi_bolt, .155706);
    NEAR(b.aki, .214269);
    assert_true(isnan(b_value_of(m, 1, .5, .1).b));
    assert_true(fabs(magnitude_energy(1.9) - 257039.58) < .01);
    NEAR(energy_magnitude(1e4), 1.157895);
    NEAR(energy_magnitude(1e5), 1.684211);
}

static void slope_formulas(void **s) {
    (void)s;
    const double d[] = {0, 2, 4, 6, 8, 10, 12, 15, 20, 30, 60, 150}, angle[] = {45, 45, 45, 45, 45, 45, 56.310, 68.199, 78.690, 86.186, 88.727};
    for (int i = 1; i < 12; i++) assert_true(fabs(tangent_angle(d[i] - d[i - 1], 2) - angle[i - 1]) < 5e-4);
    double t[6], v[6];
    for (int i = 0; i < 6; i++) {
        t[i] = i;
        v[i] = 1 / (.6 - .05 * i);
    }
    struct inverse inv;
    assert_true(inverse_velocity(t, v, 6, &inv));
    NEAR(inv.a, .6);
    NEAR(inv.b, -.05);
    NEAR(inv.t_f, 12);
    assert_true(fabs(inv.high - inv.low) < 1e-6);
    const double noisy[] = {1.70, 1.78, 2.05, 2.20, 2.55, 2.80};
    assert_true(inverse_velocity(t, noisy, 6, &inv));
    NEAR(inv.t_f, 12.264404);
    NEAR(inv.r2, .987792);
    assert_true(inv.low < 12 && inv.high > 12.3 && inv.high - inv.low < 3);
    assert_false(inverse_velocity(t, (double[]){1, 0, 2}, 3, &inv));
    const double w[] = {1, 1.1, .9, 1, 1, 1.1, 1, 1.2, 1.5, 1.9, 2.6, 3.4};
    double a, b;
    assert_false(sma_over_lma(w, 5, 3, 7, &a, &b));
    assert_true(sma_over_lma(w, 6, 3, 7, &a, &b));
    NEAR(a, 1.033333);
    NEAR(b, 1.014286);
    assert_true(sma_over_lma(w, 11, 3, 7, &a, &b));
    NEAR(a, 2.633333);
    NEAR(b, 1.814286);
}

/* A wall that creeps, then speeds up; another that only shakes. */
static void slope_stages(void **s) {
    (void)s;
    enum { N = 60 };
    struct slope_reading r[N];
    struct slope_state st;
    struct warn_facts f;
    struct warning w;
    uint32_t seed = 42;
    zb_time t0 = at("2026-01-01 12:00:00");
    double mm = 0;
    int told = 0;
    enum alarm_level seen[N];
    for (int i = 0; i < N; i++) {
        mm += i < 45 ? .8 : .8 * pow(1.5, i - 44);
        r[i] = (struct slope_reading){t0 + i * ZB_DAY, mm + lcg_next(&seed) - .5};
        slope_point(&p->detect.slope, r, i + 1, r[i].t, &st);
        slope_facts(p, &st, NAN, &f);
        warn_judge(p, DETECTOR_SLOPE, &f, &w);
        seen[i] = w.level;
        if (i < 45) assert_true(w.level < LEVEL_YELLOW);
        if (isfinite(st.days)) told++;
        assert_true(isnan(st.days) || (st.onset && st.days > 0 && st.days < 15 && st.days_low <= st.days && st.days <= st.days_high));
    }
    assert_int_equal(seen[N - 1], LEVEL_RED);
    assert_non_null(strstr(w.reason, "mm/d"));
    assert_true(told > 0);
    for (int i = 46; i < N; i++) assert_true(seen[i] >= seen[i - 1]);
    slope_point(&p->detect.slope, r, N, r[N - 1].t - 20 * ZB_DAY, &st); /* what comes later is not read */
    assert_true(st.angle < 60);
    slope_point(&p->detect.slope, r, N, r[N - 1].t + 5 * ZB_DAY, &st);
    assert_true(st.lost);
    for (int i = 0; i < N; i++) r[i].mm = 16 * (lcg_next(&seed) - .5);
    for (int i = 0; i < N; i++) {
        slope_point(&p->detect.slope, r, i + 1, r[i].t, &st);
        slope_facts(p, &st, 100, &f);
        warn_judge(p, DETECTOR_SLOPE, &f, &w);
        assert_true(w.level < LEVEL_ORANGE);
    }
    const struct slope_point_now two[3] = {{LEVEL_ORANGE, t0}, {LEVEL_ORANGE, t0 + ZB_DAY}, {LEVEL_RED, t0 - 9 * ZB_DAY}};
    struct slope_wall wall;
    slope_wall_now(p, two, 3, t0 + 2 * ZB_DAY, &wall);
    assert_true(wall.level == LEVEL_RED && wall.count[LEVEL_ORANGE] == 2 && wall.count[LEVEL_RED] == 0);
    slope_wall_now(p, two, 1, t0 + 2 * ZB_DAY, &wall);
    assert_int_equal(wall.level, LEVEL_ORANGE);
}

static void levels_raised(void **s) {
    (void)s;
    static const struct {
        int n[ALARM_LEVELS_N];
        enum alarm_level l;
    } T[] = {{{0}, LEVEL_NONE},
             {{0, 3, 0, 0, 0}, LEVEL_BLUE},
             {{0, 4, 0, 0, 0}, LEVEL_YELLOW},
             {{0, 3, 2, 0, 0}, LEVEL_YELLOW},
             {{0, 0, 3, 0, 0}, LEVEL_ORANGE},
             {{0, 0, 0, 2, 0}, LEVEL_RED},
             {{0, 4, 2, 0, 0}, LEVEL_YELLOW},
             {{0, 0, 0, 0, 1}, LEVEL_RED}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) assert_int_equal(level_raise(p->forecast.points, T[i].n), T[i].l);
    assert_int_equal(levels_joint(p, (enum alarm_level[]){LEVEL_YELLOW, LEVEL_YELLOW}, 2), LEVEL_ORANGE);
    assert_int_equal(levels_joint(p, (enum alarm_level[]){LEVEL_ORANGE, LEVEL_BLUE, LEVEL_NONE}, 3), LEVEL_ORANGE);
    assert_int_equal(levels_joint(p, (enum alarm_level[]){LEVEL_RED, LEVEL_RED}, 2), LEVEL_RED);
    assert_int_equal(levels_joint(p, NULL, 0), LEVEL_NONE);
}

static void rules_of_tables(void **s) {
    (void)s;
    static const struct {
        enum detector_id hazard;
        const char *item;
        double below, at;
        enum alarm_level level;
    } T[] = {{DETECTOR_OUTBURST, "k1", .49, .5, LEVEL_ORANGE},
             {DETECTOR_OUTBURST, "coal_pressure", .739, .74, LEVEL_ORANGE},
             {DETECTOR_FIRE, "ico", .39, .4, LEVEL_BLUE},
             {DETECTOR_FIRE, "ico", 2.9, 3, LEVEL_RED},
             {DETECTOR_WATER, "water_coefficient", .1, .106667, LEVEL_ORANGE},
             {DETECTOR_WATER, "lead_m", 30, 29, LEVEL_ORANGE},
             {DETECTOR_POND, "phreatic_ratio", 1.1, 1.05, LEVEL_ORANGE},
             {DETECTOR_POND, "beach_over_min", 0, -1, LEVEL_RED},
             {DETECTOR_POND, "level_below_flood", .01, 0, LEVEL_RED},
             {DETECTOR_GAS, "gas_cross", .49, .5, LEVEL_YELLOW}};
    struct warn_facts f;
    struct warning w;
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        enum detector_id h = T[i].hazard;
        warn_facts_clear(&f);
        warn_judge(p, h, &f, &w);
        assert_true(w.level == LEVEL_NONE && !w.rule); /* nothing known, nothing said */
        warn_fact(p, &f, T[i].item, T[i].below);
        warn_judge(p, h, &f, &w);
        assert_true(w.level < T[i].level);
        warn_fact(p, &f, T[i].item, T[i].at);
        warn_judge(p, h, &f, &w);
        assert_int_equal(w.level, T[i].level);
        assert_true(strlen(w.reason) > 10 && strlen(w.reason_en) > 10);
    }
    warn_facts_clear(&f);
    warn_fact(p, &f, "drill_s", 6.2);
    warn_fact(p, &f, "drill_q", 5.5);
    warn_judge(p, DETECTOR_OUTBURST, &f, &w);
    assert_true(w.level == LEVEL_RED && w.rules == 3);
    assert_string_equal(w.reason, "钻屑量与q同时超限：钻屑量S 6.2 kg/m（≥ 6），瓦斯涌出初速度q 5.5 L/min（≥ 5）");
    assert_string_equal(w.reason_en, "cuttings and flow both beyond: drill cuttings S 6.2 kg/m (≥ 6), initial flow q 5.5 L/min (≥ 5)");
}

static void warning_as_alarm(void **s) {
    (void)s;
    struct mine_facts facts = {.code = "140214900001"};
    struct mine_state *m = mine_new(&facts);
    struct alarm_diffs d = {0};
    struct warning w = {.level = LEVEL_YELLOW, .reason = "试验"}, none = {.level = LEVEL_NONE};
    const enum detector_id gas = DETECTOR_GAS, fire_at = DETECTOR_FIRE;
    zb_time t = at("2026-03-01 08:00:00");
    assert_true(p->detect.who[gas].shadow); /* until its owner switches it on */
    mine_warn(p, m, STR("P1"), gas, &w, t, t, &d);
    assert_true(d.n == 1 && alarm_shadow(&d.a[0])); /* its owner's business */
    mine_warn(p, m, STR("P1"), gas, &none, t, t, &d);
    mine_tick(p, m, t + ZB_HOUR, &d);
    assert_true(d.n == 2 && alarm_shadow(&d.a[1]) && d.a[1].cleared == t);
    d.n = 0;
    p->detect.who[gas].shadow = p->detect.who[fire_at].shadow = false;
    mine_warn(p, m, STR("P1"), gas, &w, t, t, &d);
    assert_int_equal(d.n, 1);
    mine_warn(p, m, STR("P1"), fire_at, &w, t, t, &d);
    assert_int_equal(d.n, 3); /* two hazards of the mine: a third says the next colour */
    assert_true(d.a[0].kind == ALARM_WARNING && d.a[0].level == LEVEL_YELLOW && !strcmp(d.a[0].note, "试验") && strcmp(d.a[0].id, d.a[1].id));
    assert_true(d.a[2].kind == ALARM_JOINT && d.a[2].level == LEVEL_ORANGE);
    assert_string_equal(d.a[2].note, "瓦斯预测（黄）、自然发火指标（黄）同时存在，升为橙色");
    char english[200];
    assert_true(warn_say(p, d.a[2].why, false, english, sizeof english));
    assert_string_equal(english, "methane forecast (yellow), spontaneous combustion indices (yellow) together: raised to orange");
    d.n = 0;
    mine_warn(p, m, STR("P1"), gas, &w, t + ZB_MINUTE, t + ZB_MINUTE, &d);
    assert_int_equal(d.n, 0); /* the same */
    w.level = LEVEL_ORANGE;
    mine_warn(p, m, STR("P1"), gas, &w, t + ZB_MINUTE, t + ZB_MINUTE, &d);
    assert_true(d.n == 2 && d.a[0].level == LEVEL_ORANGE && d.a[1].kind == ALARM_JOINT && d.a[1].level == LEVEL_RED);
    struct alarm first = d.a[0];
    d.n = 0;
    mine_warn(p, m, STR("P1"), gas, &none, t + 2 * ZB_MINUTE, t + 2 * ZB_MINUTE, &d);
    assert_int_equal(d.n, 0);
    assert_true(mine_due(m) <= t + 2 * ZB_MINUTE + p->kind[ALARM_WARNING].off_delay);
    mine_tick(p, m, t + 13 * ZB_MINUTE, &d);
    int cleared = 0;
    for (int i = 0; i < d.n; i++) cleared += d.a[i].cleared == t + 2 * ZB_MINUTE && (!strcmp(d.a[i].id, first.id) || d.a[i].kind == ALARM_JOINT);
    assert_int_equal(cleared, 2);
    p->detect.who[gas].shadow = p->detect.who[fire_at].shadow = true;
    struct clues l = {0};
    struct warn_facts f;
    warn_facts_clear(&f);
    warn_clue(p, gas, &f, &none, STR("140214900001"), STR("P1"), t, t, &l);
    assert_int_equal(l.n, 0);
    warn_fact(p, &f, "gas_cross", .8);
    warn_fact(p, &f, "gas_minutes", 6);
    warn_judge(p, gas, &f, &w);
    warn_clue(p, gas, &f, &w, STR("140214900001"), STR("P1"), t, t + ZB_MINUTE, &l);
    warn_clue(p, gas, &f, &w, STR("140214900001"), STR("P1"), t, t + 9 * ZB_MINUTE, &l);
    assert_true(l.n == 2 && l.c[0].shadow && l.c[0].factors == 2 && !strcmp(l.c[0].id, l.c[1].id) && !strcmp(l.c[0].rule, "R18"));
    assert_true(l.c[0].factor[0].seen == .8 && l.c[0].factor[0].expected == .7 && strstr(l.c[0].zh, "橙色预警"));
    assert_non_null(strstr(l.c[0].factor[1].how_en, "orange: <= 10"));
    clues_done(&l);
    mine_free(m);
    alarm_diffs_done(&d);
}

static void pond_derived(void **s) {
    (void)s;
    static const double H[] = {20, 30, 45, 60, 80, 100, 120, 200}, D[] = {2, 2, 3, 4, 5, 6, 6.8, 8};
    for (int i = 0; i < 8; i++) NEAR(phreatic_least(&p->forecast.phreatic, H[i]), D[i]);
    NEAR(beach_of(105, 103.5, .01), 150);
    const struct detect_pond *r = &p->detect.pond;
    assert_int_equal(pond_check(r, 105, 103.5, 1.48, 150, .01), 0);
    assert_int_equal(pond_check(r, 105, 103.5, 1.40, 150, .01), POND_FREEBOARD_WRONG);
    assert_int_equal(pond_check(r, 105, 103.5, 1.50, 90, .01), POND_BEACH_WRONG);
    assert_int_equal(pond_check(r, NAN, 103.5, 1.5, NAN, .01), 0);
    NEAR(pond_wet(r, (double[]){10, 4, NAN, 8}, 4), 13);
}

/* A pond that is pumped back to its usual level, with rain now and then. */
static void pond_ahead(void **s) {
    (void)s;
    enum { N = 12000 };
    const struct detect_pond *r = &p->detect.pond;
    double *level = xmalloc(N * sizeof *level), *wet = xmalloc(N * sizeof *wet), off = 0, ours = 0, now = 0;
    uint32_t seed = 7;
    for (int i = 0; i < N; i++) {
        off += -off / 900 + (lcg_next(&seed) < .0008 ? .3 : 0);
        level[i] = 338.5 + floor(off * 100 + .5) / 100;
        wet[i] = 0;
    }
    struct pond_model m, again;
    assert_true(pond_fit(r, level, wet, 8000, &m) && pond_fit(r, level, wet, 8000, &again));
    assert_memory_equal(&m, &again, sizeof m);
    assert_false(pond_fit(r, level, wet, 500, &again));
    for (int i = 8000; i + 288 < N; i++) {
        ours += pow(pond_next(r, &m, level, wet, i) - level[i + 288], 2);
        now += pow(level[i] - level[i + 288], 2);
    }
    assert_true(ours < now);
    for (int i = 3000; i < 5500; i++) level[i] = NAN; /* nine days without a link: no rows, and no level that stood still */
    assert_true(pond_fit(r, level, wet, 8000, &again));
    assert_true(fabs(again.w[0] - m.w[0]) < fabs(m.w[0]) / 2 && again.w[0] < 0 && isfinite(again.spread));
    for (int i = 0; i < 8000; i++) level[i] = NAN;
    assert_false(pond_fit(r, level, wet, 8000, &again));
    free(level), free(wet);
}

/* A level that goes anywhere: what a fit sees in it did not hold elsewhere in the past, so the forecast keeps to now. */
static void pond_trust(void **s) {
    (void)s;
    enum { N = 9000, FITTED = 3000 };
    const struct detect_pond *r = &p->detect.pond;
    double *level = xmalloc(N * sizeof *level), *wet = xcalloc(N, sizeof *wet), worst = 0;
    for (uint32_t seed = 1; seed <= 10; seed++) {
        uint32_t x = seed;
        double at = 300, ours = 0, now = 0;
        for (int i = 0; i < N; i++) level[i] = at += (lcg_next(&x) - .5) * .01;
        struct pond_model m;
        assert_true(pond_fit(r, level, wet, FITTED, &m));
        for (int i = FITTED; i + 288 < N; i++) {
            ours += pow(pond_next(r, &m, level, wet, i) - level[i + 288], 2);
            now += pow(level[i] - level[i + 288], 2);
        }
        worst = fmax(worst, sqrt(ours / now));
    }
    assert_true(worst < 1.7); /* 3.8 when the fit is believed as it is */
    free(level), free(wet);
}

static void learners(void **s) {
    (void)s;
    enum { N = 400, K = 3 };
    double x[N * K], y[N], z[N], w[K];
    uint32_t seed = 42;
    assert_true(fabs(lcg_next(&seed) - .252345175) < 1e-9 && fabs(lcg_next(&seed) - .088125045) < 1e-9);
    for (int i = 0; i < N; i++) {
        x[i * K] = lcg_next(&seed);
        x[i * K + 1] = lcg_next(&seed);
        x[i * K + 2] = 1;
        y[i] = 2 * x[i * K] - 3 * x[i * K + 1] + .5;
        z[i] = x[i * K] > .6;
    }
    assert_true(ridge_fit(x, y, NULL, N, K, 0, w));
    NEAR(w[0], 2);
    NEAR(w[1], -3);
    NEAR(w[2], .5);
    for (int i = 0; i < N; i++) x[i * K + 1] = x[i * K];
    assert_false(ridge_fit(x, y, NULL, N, K, 0, w)); /* one column twice */
    for (int i = 0; i < N; i++) x[i * K + 1] = 0;
    assert_true(ridge_fit(x, y, NULL, N, K, 0, w) && w[1] == 0 && logistic_fit(x, z, NULL, N, K, .1, w) && w[1] == 0); /* nothing ever happened there */
    for (int i = 0; i < N; i++) x[i * K + 1] = x[i * K];
    assert_true(ridge_fit(x, y, NULL, N, K, 1, w) && fabs(w[0] - w[1]) < 1e-9);
    assert_true(logistic_fit(x, z, NULL, N, K, .1, w) && w[0] > 1);
    struct boost_how how = {BOOST_LOGISTIC, 40, 2, 10, .2, 1, 1, 1, 1};
    struct boost *b = boost_fit(&how, x, z, NULL, N, K);
    const double yes[K] = {.9, .9, 1}, no[K] = {.1, .1, 1};
    double part[K];
    assert_true(logistic(boost_at(b, yes)) > .9 && logistic(boost_at(b, no)) < .1);
    boost_parts(b, yes, part);
    assert_true(part[0] + part[1] > 1 && part[2] == 0);
    boost_free(b);
    how.leaves = 1;
    assert_null(boost_fit(&how, x, z, NULL, N, K));
    struct cut c;
    assert_true(cut_choose((double[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, (bool[]){0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, 10, &c));
    assert_true(c.at == 7 && c.sensitivity == 1 && c.false_share == 0);
    assert_false(cut_choose((double[]){1, 2}, (bool[]){0, 0}, 2, &c));
}

/* Quiet, then every so often a ramp that a companion announces ten rows before. */
static void gas_make(double *rows, int n) {
    uint32_t seed = 11;
    for (int i = 0; i < n; i++) {
        int k = i % 97;
        double up = k >= 60 && k < 75 ? (k - 60) * .04 : k >= 75 && k < 85 ? .56 : 0;
        rows[2 * i] = floor((.5 + up + .1 * (lcg_next(&seed) - .5)) * 10 + .5) / 10;
        rows[2 * i + 1] = .2 + (k >= 48 && k < 80 ? .2 : 0) + .02 * lcg_next(&seed);
    }
}

static void gas_ahead(void **s) {
    (void)s;
    enum { N = 3000, FIT = 2000 };
    struct detect_gas r = p->detect.gas;
    r.trees = 40; /* the test has less time than a mine */
    double rows[2 * N], ours = 0, plain = 0, squares = 0, plain2 = 0;
    gas_make(rows, N);
    assert_null(gas_fit(&r, rows, 500, 2));
    struct gas_model *m = gas_fit(&r, rows, FIT, 2), *twin = gas_fit(&r, rows, FIT, 2);
    struct gas_live *live = gas_live_new(m);
    struct gas_watch w, v;
    struct gas_next a, b, c;
    gas_watch_start(m, &w);
    gas_watch_start(twin, &v);
    int announced = 0, ramps = 0;
    for (int i = FIT; i < N - 6; i++) {
        gas_next(m, &w, rows + 2 * FIT, i - FIT, 1.0, &a);
        gas_next(twin, &v, rows + 2 * FIT, i - FIT, 1.0, &b);
        gas_live_row(live, rows + 2 * i, 1.0, &c);
        assert_true(a.peak == b.peak && a.cross == b.cross); /* the same rows, the same model */
        assert_true(a.peak == c.peak && a.cross == c.cross && a.to_limit == c.to_limit);
        double y = 0;
        for (int h = 1; h <= 6; h++) y = fmax(y, rows[2 * (i + h)]);
        ours += fabs(a.peak - y), plain += fabs(rows[2 * i] - y);
        squares += pow(a.peak - y, 2), plain2 += pow(rows[2 * i] - y, 2);
        assert_true(a.cross >= 0 && a.cross <= 1 && (rows[2 * i] < 1.0 || a.cross == 1));
        if (i % 97 == 66) ramps++, announced += a.rise > .5;
    }
    assert_true(ours < plain && squares < plain2);
    assert_true(ramps > 5 && announced == ramps);
    double now[2 * 200], later[2 * 200];
    memcpy(now, rows, sizeof now);
    memcpy(later, rows, sizeof later);
    for (int i = 2 * 150; i < 2 * 200; i++) later[i] = 3;
    gas_watch_start(m, &w), gas_watch_start(m, &v);
    for (int i = 0; i < 150; i++) gas_next(m, &w, now, i, 1.0, &a), gas_next(m, &v, later, i, 1.0, &b);
    assert_true(a.peak == b.peak && a.mean == b.mean); /* what comes later is not read */
    gas_live_free(live);
    gas_free(m), gas_free(twin);
}

/* Where nothing it was fitted on comes true any more, the forecast goes back to what does: as now. */
static void gas_believes_what_came_true(void **s) {
    (void)s;
    enum { FIT = 1500, LIVE = 1500 };
    struct detect_gas r = p->detect.gas;
    r.trees = 10;
    double rows[2 * (FIT + LIVE)];
    gas_make(rows, FIT + LIVE);
    struct gas_model *m = gas_fit(&r, rows, FIT, 2);
    struct gas_live *live = gas_live_new(m);
    struct gas_next is = {0};
    double first = 0, last = 0, spread[2] = {0};
    for (int i = 0; i < LIVE; i++) {
        double *v = rows + 2 * (FIT + i);
        v[0] = 0.4; /* the target stands still, whatever goes on beside it */
        gas_live_row(live, v, 1.0, &is);
        if (i >= 120 && i < 320) first += fabs(is.peak - 0.4), spread[0] += fabs(is.mean - 0.4);
        if (i >= LIVE - 200) last += fabs(is.peak - 0.4), spread[1] += fabs(is.mean - 0.4);
    }
    assert_true(spread[1] < spread[0] && last < first);
    gas_live_free(live);
    gas_free(m);
}

/* A model and its live memory come back from bytes as they were, also where more rows had been kept than are looked at now; a new model goes on with the rows. */
static void gas_bytes(void **s) {
    (void)s;
    enum { FIT = 1500, LIVE = 1000 };
    struct detect_gas r = p->detect.gas;
    r.trees = 10;
    double rows[2 * (FIT + LIVE)];
    gas_make(rows, FIT + LIVE);
    struct gas_model *m = gas_fit(&r, rows, FIT, 2), *back, *far;
    struct buf b, past;
    buf_init(&b, 1 << 20), buf_init(&past, 1 << 20);
    gas_pack(m, &b);
    back = gas_unpack(buf_str(&b)), far = gas_unpack(buf_str(&b));
    assert_non_null(back);
    far->rule.trend = 300; /* looks farther back, so it keeps more */
    struct gas_live *live[4] = {gas_live_new(m), gas_live_new(far), gas_live_new(back), gas_live_new(back)};
    struct gas_next is[4];
    for (int i = 0; i < LIVE; i++) {
        const double *v = rows + 2 * (FIT + i);
        if (i == 500) {
            gas_live_pack(live[1], &past);
            assert_true(gas_live_unpack(live[2], buf_str(&past)));
            gas_live_follow(live[3], live[1]);
        }
        for (int k = 0; k < (i < 500 ? 2 : 4); k++) gas_live_row(live[k], v, 1.0, &is[k]);
        assert_true(is[0].peak == is[1].peak && is[0].cross == is[1].cross);
        if (i < 500) continue;
        assert_true(is[0].peak == is[2].peak && is[0].cross == is[2].cross && is[0].to_limit == is[2].to_limit);
        assert_true(is[0].rise == is[3].rise && is[0].to_limit == is[3].to_limit); /* its own judgement, and with it the mean, begins anew */
    }
    for (int k = 0; k < 4; k++) gas_live_free(live[k]);
    gas_free(m), gas_free(back), gas_free(far);
    buf_done(&b), buf_done(&past);
}

static void burst_levels(void **s) {
    (void)s;
    enum { N = 900 };
    const struct detect_burst *r = &p->detect.burst;
    struct burst_shift sh[N];
    bool hit[N];
    struct burst_model m, again;
    uint32_t seed = 3;
    for (int i = 0; i < N; i++) {
        bool busy = lcg_next(&seed) < .3;
        sh[i] = (struct burst_shift){busy ? 3 + floor(4 * lcg_next(&seed)) : floor(2 * lcg_next(&seed)), 0, busy ? 8000 : 300, busy ? 2e5 : 4e4, busy};
        hit[i] = lcg_next(&seed) < (busy ? .3 : .02);
    }
    assert_true(burst_fit(r, sh, hit, NULL, N, &m) && burst_fit(r, sh, hit, NULL, N, &again));
    assert_memory_equal(&m, &again, sizeof m);
    assert_true(m.cut.sensitivity > .7 && m.cut.false_share < .4);
    sh[N - 1] = (struct burst_shift){8, 0, 9000, 3e5, true};
    assert_true(burst_score(r, &m, sh, N - 1) > m.cut.at);
    struct burst_reason why[2];
    assert_int_equal(burst_reasons(r, &m, sh, N - 1, why, 2), 2);
    assert_true(why[0].part >= why[1].part && why[1].part > 0);
    double score[N];
    for (int i = 0; i < N; i++) score[i] = i;
    assert_true(burst_cut(r, &m, score, 10) == m.cut.at);
    double cut = burst_cut(r, &m, score, N);
    assert_true(cut > N - 400 && cut < N);
    for (int i = 0; i < N; i++) hit[i] = i < 5;
    assert_false(burst_fit(r, sh, hit, NULL, N, &m));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trends_and_charts),
                                       cmocka_unit_test(emission_and_outburst),
                                       cmocka_unit_test(fire),
                                       cmocka_unit_test(water_and_roof),
                                       cmocka_unit_test(burst_formulas),
                                       cmocka_unit_test(slope_formulas),
                                       cmocka_unit_test(slope_stages),
                                       cmocka_unit_test(levels_raised),
                                       cmocka_unit_test(rules_of_tables),
                                       cmocka_unit_test(warning_as_alarm),
                                       cmocka_unit_test(pond_derived),
                                       cmocka_unit_test(pond_ahead),
                                       cmocka_unit_test(pond_trust),
                                       cmocka_unit_test(learners),
                                       cmocka_unit_test(gas_ahead),
                                       cmocka_unit_test(gas_believes_what_came_true),
                                       cmocka_unit_test(gas_bytes),
                                       cmocka_unit_test(burst_levels)};
    return cmocka_run_group_tests(tests, policy_up, policy_down);
}
