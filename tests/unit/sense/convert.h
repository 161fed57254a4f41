/* The station of the published figures, as conversions of a policy. */
#pragma once
#include "../test.h"
#include "sense/sense.h"
#include <math.h>

#define T0 1450368000000
static int policy_with(const char *conversions, struct policy **ret) {
    char cmd[900], *dir = scratch();
    snprintf(cmd, sizeof cmd, "cp -r %s/. %s/", getenv("POLICY"), dir);
    assert_int_equal(system(cmd), 0);
    FILE *f = fopen(join(dir, "conversions.yaml"), "w");
    fputs(conversions, f);
    fclose(f);
    err.msg[0] = 0;
    int rc = policy_load(dir, ret, &err);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    return rc;
}
static struct policy *station_policy(void) {
#define ROW(to, sensor, unit, from, rest) "  - {mine: \"140981300007\", point: " from ", to: " to ", sensor: " sensor ", unit: \"" unit "\", " rest "}\n"
    static const char text[] = "source: test\nconversions:\n" ROW("BARO", "Z112", "kPa", "B", "formula: linear, a: 0.0240, b: 50") //
        ROW("T1", "0010", "℃", "R1", "formula: thermistor, a: 1.4051e-3, b: 2.369e-4, c: 1.019e-7, offset: 0.3")                   //
        ROW("T2", "0010", "℃", "R2", "formula: thermistor, a: 1.4051e-3, b: 2.369e-4, c: 1.019e-7, offset: 0.1")                   //
        ROW("P1", "Z104", "m", "F1",
            "formula: vibrating_wire, a: -0.000095792, b: -0.0023260, c: 828.53, t0: 20.2, k: 0.26200077702, d: -5.25380505498, temperature: T1, barometer: "
            "BARO, scale: 0.1019977334, offset: 0.1")
            ROW("P2", "Z104", "m", "F2",
                "formula: vibrating_wire, a: -0.00010171, b: 0.016517, c: 772.93, t0: 20.2, k: 0.143410951632, d: -2.85442951806, temperature: T2, barometer: "
                "BARO, scale: 0.1019977334, offset: -0.2")                                                                                   //
        ROW("VWC", "Z110", "", "W", "formula: linear, a: 2.975, b: -0.4") ROW("KPA", "Z111", "kPa", "K", "formula: linear, a: -0.1, b: 100") //
        ROW("TC", "0003", "℃", "TT", "formula: linear, a: 0.05, b: -30") ROW("RAIN", "0031", "mm", "N", "formula: linear, a: 0.254");
    struct policy *p = NULL;
    if (policy_with(text, &p) != ZB_OK) fail_msg("%s", err.msg);
    return p;
}
__attribute__((unused)) static struct observation raw(const char *point, const char *v, zb_time t) {
    return (struct observation){str_of(point), {t, fx(v), 0}, 0, false};
}
static void level(const struct observation *o, int n, const char *point, zb_time t, double want) {
    for (int i = 0; i < n; i++)
        if (str_is(o[i].point, point) && o[i].s.t == t) {
            if (fabs(zb_fix_double(o[i].s.v) - want) > 0.0005) fail_msg("%s is %.6f, %.6f is published", point, zb_fix_double(o[i].s.v), want);
            return;
        }
    fail_msg("%s was not made", point);
}
