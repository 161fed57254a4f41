/* Conversions of raw engineering values, against the published figures of a slope station: first rows here, whole files in test_convert_data. */
#include "convert.h"

static void published_rows(void **s) {
    (void)s;
    struct policy *p = station_policy();
    /* 2015-12-18 00:00, and 2015-12-31 23:45 with the barometer of that time */
    struct observation o[40] = {raw("F1", "2923", T0), raw("R1", "5781", T0),  raw("F2", "2835", T0), raw("R2", "5694", T0), raw("B", "2056", T0),
                                raw("W", "0.213", T0), raw("TT", "775.5", T0), raw("K", "977", T0),   raw("N", "1", T0),     raw("F1", "2923", T0 + ZB_MINUTE)};
    struct arena *a = arena_new(1 << 20);
    int n = observations_convert(p, STR("140981300007"), o, 10, 40, a);
    level(o, n, "P1", T0, 0.3461);
    level(o, n, "P2", T0, 0.0753);
    level(o, n, "BARO", T0, (2056 * 0.240 + 500) * 0.1);
    level(o, n, "VWC", T0, 0.213 * 2.975 - 0.4);
    level(o, n, "KPA", T0, 100 - 0.1 * 977);
    level(o, n, "TC", T0, 0.05 * 775.5 - 30);
    level(o, n, "RAIN", T0, 0.254);
    assert_int_equal(n, 10 + 9); /* the second F1 has no temperature of its time: no level is made up */
    struct point_def d;
    for (int i = 10; i < n; i++) assert_true(sample_point(p, NULL, o[i].from, a, &d));
    assert_int_equal(observations_convert(p, STR("140981300008"), o, 10, 40, a), 10); /* another mine */
    double v;
    struct conversion c = {.formula = FORMULA_THERMISTOR, .a = 1e-3, .b = 2e-4, .c = 1e-7};
    assert_false(conversion_value(&c, 0, 0, 0, &v));
    assert_false(conversion_value(&c, -5, 0, 0, &v));
    arena_free(a);
    policy_unref(p);
}
static void refusals(void **s) {
    (void)s;
    static const char *const T[][2] = {{"- {mine: m, point: a, to: b, sensor: Z109, unit: kPa, formula: cubic}", "formula"},
                                       {"- {mine: m, point: a, to: b, sensor: Z109, unit: kPa, formula: linear, a: 1.0ppm}", "1.0ppm"},
                                       {"- {mine: m, point: a, to: b, sensor: Z109, unit: kPa, formula: linear, t0: 1}", "t0"},
                                       {"- {mine: m, point: a, to: a, sensor: Z109, unit: kPa, formula: linear}", "point of its own"}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        char text[400];
        snprintf(text, sizeof text, "source: x\nconversions:\n  %s\n", T[i][0]);
        struct policy *p = NULL;
        assert_int_equal(policy_with(text, &p), ZB_E_INPUT);
        if (!strstr(err.msg, "conversions.yaml:3:") || !strstr(err.msg, i == 1 ? "not a number" : T[i][1])) fail_msg("case %zu: %s", i, err.msg);
    }
}
int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(published_rows), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
