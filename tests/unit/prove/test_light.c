/* Colours and where a line leads: pure, by the rules given. */
#include "../test.h"
#include "prove/light.h"
#include <math.h>

static const struct light_rule RULE = {.amber_days = 30, .period_late_pct = 75, .path_slack_pct = 10, .forecast_points = 4, .forecast_months = 18};
static int32_t day(const char *text) {
    int32_t d;
    assert_true(zb_day_parse(str_of(text), &d));
    return d;
}
static enum light light(const struct indicator *x, const char *today, double value) {
    struct light_in in = {.has = FIGURE_VALUE, .value = value, .today = day(today)};
    struct light_out out;
    light_make(x, &RULE, &in, &out);
    return out.light;
}

static void targets(void **st) {
    (void)st;
    struct indicator x = {.aim = AIM_MIN, .target = 95, .cycle = EACH_STATE, .due = INT32_MAX, .base_on = INT32_MAX};
    assert_int_equal(light(&x, "2025-06-01", 95), LIGHT_GREEN); /* 以上 is inclusive */
    assert_int_equal(light(&x, "2025-06-01", 94.999), LIGHT_RED);
    x.has_amber = true;
    x.amber = 90;
    assert_int_equal(light(&x, "2025-06-01", 90), LIGHT_AMBER);
    assert_int_equal(light(&x, "2025-06-01", 89.9), LIGHT_RED);
    x = (struct indicator){.aim = AIM_ABOVE, .target = 60, .cycle = EACH_STATE, .due = INT32_MAX, .base_on = INT32_MAX};
    assert_int_equal(light(&x, "2025-06-01", 60), LIGHT_RED); /* 超过 is not */
    assert_int_equal(light(&x, "2025-06-01", 60.1), LIGHT_GREEN);
    x.aim = AIM_MAX;
    x.target = 0;
    assert_int_equal(light(&x, "2025-06-01", 0), LIGHT_GREEN);
    assert_int_equal(light(&x, "2025-06-01", 1), LIGHT_RED);
    x.strive = true;
    assert_int_equal(light(&x, "2025-06-01", 1), LIGHT_AMBER);
}

static void dates(void **st) {
    (void)st;
    struct indicator x = {.aim = AIM_MIN, .target = 100, .cycle = EACH_ONCE, .due = day("2025-12-31"), .base_on = INT32_MAX};
    assert_int_equal(light(&x, "2025-06-01", 50), LIGHT_NOT_DUE);
    assert_int_equal(light(&x, "2025-12-01", 50), LIGHT_AMBER);
    assert_int_equal(light(&x, "2025-12-31", 50), LIGHT_RED);
    assert_int_equal(light(&x, "2026-06-01", 50), LIGHT_RED);
    x.base_on = day("2024-12-31"); /* a straight line from 0 to 100 in the year, ten hundredths of slack */
    struct light_in in = {.has = FIGURE_VALUE, .value = 41, .today = day("2025-07-01"), .has_base = true};
    struct light_out out;
    light_make(&x, &RULE, &in, &out);
    assert_int_equal(out.light, LIGHT_NOT_DUE);
    assert_true(out.has_path && fabs(out.path - 100.0 * 182 / 365) < 0.01);
    in.value = 39;
    light_make(&x, &RULE, &in, &out);
    assert_int_equal(out.light, LIGHT_AMBER);
    in = (struct light_in){.has = FIGURE_MISSING, .today = day("2026-06-01")};
    light_make(&x, &RULE, &in, &out);
    assert_int_equal(out.light, LIGHT_NO_DATA); /* never green, never red */
    in.has = FIGURE_NO_CASE;
    light_make(&x, &RULE, &in, &out);
    assert_int_equal(out.light, LIGHT_NO_CASE);
}

static void periods(void **st) {
    (void)st;
    struct indicator x = {.aim = AIM_MIN, .target = 100, .cycle = EACH_HALF, .by_end = true, .due = INT32_MAX, .base_on = INT32_MAX};
    assert_int_equal(light(&x, "2025-01-02", 10), LIGHT_NOT_DUE);
    assert_int_equal(light(&x, "2025-05-17", 10), LIGHT_AMBER);
    assert_int_equal(light(&x, "2025-06-30", 10), LIGHT_RED);
    assert_int_equal(light_due(&x, day("2025-05-17")), day("2025-06-30"));
    struct light_in in = {.has = FIGURE_VALUE, .value = 10, .today = day("2025-07-02"), .last_missed = true};
    struct light_out out;
    light_make(&x, &RULE, &in, &out);
    assert_int_equal(out.light, LIGHT_RED);
    x.by_end = false; /* what is judged at once */
    assert_int_equal(light(&x, "2025-01-02", 10), LIGHT_RED);
}

static void lines(void **st) {
    (void)st;
    struct point p[12] = {{0, 0}};
    struct forecast f = forecast_make(&RULE, p, 0, 400);
    assert_false(f.given);
    for (int i = 0; i < 12; i++) p[i] = (struct point){30 * i, 10 + 2 * i};
    assert_false(forecast_make(&RULE, p, 3, 400).given); /* too few */
    f = forecast_make(&RULE, p, 12, 30 * 20);
    assert_true(f.given && fabs(f.at - 50) < 1e-6 && fabs(f.low - 50) < 1e-6 && fabs(f.high - 50) < 1e-6);
    p[5].v = 90; /* one odd month moves the line by nothing */
    f = forecast_make(&RULE, p, 12, 30 * 20);
    assert_true(fabs(f.at - 50) < 1 && f.low <= f.at && f.at <= f.high);
    for (int i = 0; i < 12; i++) p[i].v = 10 + 2 * i + (i % 2 ? 3 : -3);
    f = forecast_make(&RULE, p, 12, 30 * 20);
    assert_true(f.low < 48 && f.high > 52); /* unsteady: wide */
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(targets), cmocka_unit_test(dates), cmocka_unit_test(periods), cmocka_unit_test(lines)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
