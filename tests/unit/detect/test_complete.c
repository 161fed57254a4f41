/* Completeness of points and the measure of a mine's clock. */
#include "../test.h"
#include "detect/complete.h"
#include "detect/skew.h"

#define HOURS 48
static struct point_hour hours[20][HOURS];
static struct point_def def[20];
static struct point_feed p[20];
static int bulk[HOURS];
static const struct complete_rule RULE = {24, 3, 30};

static void point(int i, const char *code, const char *location, int from, int to, int n) {
    memset(hours[i], 0, sizeof hours[i]);
    def[i] = (struct point_def){0};
    str_copy(str_of(code), def[i].code, sizeof def[i].code);
    str_copy(str_of(location), def[i].location, sizeof def[i].location);
    str_copy(STR("0001"), def[i].sensor_type, sizeof def[i].sensor_type);
    p[i] = (struct point_feed){.def = &def[i], .per_hour = 120, .hour = hours[i]};
    for (int h = from; h < to; h++) hours[i][h].n = n;
}

static void what_was_expected_and_what_came(void **s) {
    (void)s;
    point(0, "A", "here", 0, HOURS, 120);
    hours[0][5].n = 60;
    hours[0][6].n = 500;        /* more than was asked makes up for nothing */
    hours[0][HOURS - 1].n = 30; /* a quarter of an hour old */
    point(1, "B", "there", 40, HOURS, 120);
    hours[1][HOURS - 1].n = 30;
    complete_judge(&RULE, p, 2, HOURS, 15 * ZB_MINUTE, bulk);
    assert_int_equal(p[0].expected, 47 * 120 + 30);
    assert_int_equal(p[0].received, 47 * 120 + 30 - 60);
    assert_int_equal(p[0].marks, 0);
    assert_int_equal(p[1].expected, 7 * 120 + 30); /* owes nothing before it began */
    assert_int_equal(p[1].received, p[1].expected);
    assert_int_equal(p[1].marks, 1u << MARK_FRESH);
    hours[1][40].n = 50; /* it began in the middle of that hour */
    complete_judge(&RULE, p, 2, HOURS, 15 * ZB_MINUTE, bulk);
    assert_int_equal(p[1].expected, 6 * 120 + 50 + 30);
    assert_int_equal(p[1].received, p[1].expected);
    p[1].before = true; /* it was there a week ago: then it owes the gap */
    complete_judge(&RULE, p, 2, HOURS, 15 * ZB_MINUTE, bulk);
    assert_int_equal(p[1].expected, 47 * 120 + 30);
}

static void points_vanish_and_change_their_names(void **s) {
    (void)s;
    point(0, "A", "here", 0, HOURS, 120);
    point(1, "B", "there", 0, 20, 120);  /* gone for 28 hours */
    point(2, "C", "corner", 0, 40, 120); /* gone for 8, and another began there */
    point(3, "D", "corner", 41, HOURS, 120);
    point(4, "E", "nowhere", 0, 0, 0);
    point(5, "F", "far", 0, 40, 120); /* gone for 8 only */
    complete_judge(&RULE, p, 6, HOURS, ZB_HOUR, bulk);
    assert_int_equal(p[0].marks, 0);
    assert_int_equal(p[1].marks, 1u << MARK_VANISHED);
    assert_int_equal(p[2].marks, 1u << MARK_RENAMED);
    assert_int_equal(p[2].renamed, 3);
    assert_int_equal(p[3].marks, 1u << MARK_FRESH);
    assert_int_equal(p[4].marks, 1u << MARK_NEVER);
    assert_int_equal(p[5].marks, 0);
    str_copy(STR("0004"), def[3].sensor_type, sizeof def[3].sensor_type); /* another kind of sensor is no new name */
    complete_judge(&RULE, p, 6, HOURS, ZB_HOUR, bulk);
    assert_int_equal(p[2].renamed, -1);
    /* nobody sends: the mine is silent, no point vanished */
    for (int h = 20; h < HOURS; h++) hours[0][h].n = hours[2][h].n = hours[3][h].n = hours[5][h].n = 0;
    complete_judge(&RULE, p, 6, HOURS, ZB_HOUR, bulk);
    assert_int_equal(p[1].marks, 0);
}

static void masked_and_calibrated_in_bulk(void **s) {
    (void)s;
    for (int i = 0; i < 10; i++) point(i, (char[]){(char)('A' + i), 0}, (char[]){(char)('a' + i), 0}, 0, HOURS, 120);
    for (int i = 0; i < 3; i++) hours[i][7].states = ST_CALIB;
    for (int i = 0; i < 2; i++) hours[i][9].states = ST_CALIB;
    hours[9][3].states = ST_PAUSED, hours[9][4].states = ST_NOT_POLLED;
    complete_judge(&RULE, p, 10, HOURS, ZB_HOUR, bulk);
    assert_int_equal(bulk[7], 3);
    assert_int_equal(bulk[9], 0); /* two technicians' ordinary work */
    assert_int_equal(p[0].marks, 1u << MARK_CALIBRATED | 1u << MARK_BULK);
    assert_int_equal(p[0].calibrated, 2);
    assert_int_equal(p[9].marks, 1u << MARK_MASKED);
    assert_int_equal(p[9].masked, 2);
    for (int i = 0; i < 8; i++) hours[i + 2][7].n = i < 7 ? 120 : 0;
    struct complete_rule half = {24, 3, 50}; /* 3 of 9 are not half */
    complete_judge(&half, p, 10, HOURS, ZB_HOUR, bulk);
    assert_int_equal(bulk[7], 0);
}

static uint32_t seed = 7;
static zb_time noise(int n) {
    seed = seed * 1664525 + 1013904223;
    return (zb_time)(seed >> 16) % n;
}

static void clock_is_measured_through_noise(void **s) {
    (void)s;
    struct skew k = {0};
    zb_time off, spread, t = at("2026-03-01 00:00:00");
    int hours_n;
    assert_false(skew_of(&k, &off, &spread, &hours_n));
    for (int i = 0; i < 30; i++) skew_add(&k, t + i * 30000, -42000 + noise(400)); /* a clock 42 s ahead; the first quarter of an hour */
    assert_true(skew_of(&k, &off, &spread, &hours_n));
    assert_int_equal(hours_n, 0);
    assert_in_range(off + 42000, 0, 400);
    for (int h = 1; h < 20; h++)
        for (int i = 0; i < 240; i++) {
            zb_time d = -42000 + noise(400);
            if (h == 5) d = (240 - i) * 90000;            /* six hours of backlog come in */
            if (i % 50 == 9) d = 8 * ZB_HOUR;             /* a mad stamp */
            if (h > 8 && h < 12 && i % 3 == 0) d += 5000; /* a slow network */
            skew_add(&k, t + h * ZB_HOUR + i * 15000, d);
        }
    assert_true(skew_of(&k, &off, &spread, &hours_n));
    assert_int_equal(hours_n, 19);
    assert_in_range(off + 42000, 0, 400);
    assert_in_range(spread, 0, 400);
    for (int h = 20; h < 50; h++) skew_add(&k, t + h * ZB_HOUR, 1000); /* the clock was set: a day later nothing of before is left */
    assert_true(skew_of(&k, &off, &spread, &hours_n));
    assert_int_equal(off, 1000);
    assert_int_equal(hours_n, SKEW_HOURS);
}

static void clock_survives_a_restart(void **s) {
    (void)s;
    struct skew a = {0}, b;
    zb_time t = at("2026-03-01 00:00:00"), oa, ob, sa, sb;
    int ha, hb;
    for (int i = 0; i < 3000; i++) { /* frozen and thawed in the middle of everything */
        ZB_AUTO(buf_done) struct buf out;
        buf_init(&out, 8000);
        skew_add(&a, t + i * 5000, noise(90000) - 45000);
        if (i % 7) continue;
        skew_freeze(&a, &out);
        assert_true(skew_thaw(buf_str(&out), &b));
        assert_true(skew_of(&a, &oa, &sa, &ha) && skew_of(&b, &ob, &sb, &hb));
        assert_true(oa == ob && sa == sb && ha == hb);
        a = b;
    }
    assert_true(skew_thaw(STR(""), &b));
    static const char *const BAD[] = {"x", "1 1 0 65 0", "1 1 0 2 0 5", "1 1 0 1 0 5 6", "1 1 0 0 25", "-1 1 0 0 0", "1 0 0 0 0", "1  1 0 0 0"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(skew_thaw(str_of(BAD[i]), &b));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_expected_and_what_came), cmocka_unit_test(points_vanish_and_change_their_names),
                                       cmocka_unit_test(masked_and_calibrated_in_bulk), cmocka_unit_test(clock_is_measured_through_noise),
                                       cmocka_unit_test(clock_survives_a_restart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
