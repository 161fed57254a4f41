/* The published counts of the Seattle rain threshold from two years of hourly rain: 641 hours on 31 days, 783 hours on 41 days. */
#include "../test.h"
#include "detect/state.h"

static void counts(const char *dir, const char *station, int hours, int days) {
    char path[600], line[64];
    snprintf(path, sizeof path, "%s/%s_t.txt", dir, station);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s is not there", path);
    /* inches: P3 >= 3.5 - 0.67 P15 */
    struct limit_rule rule = {.antecedent = {3 * ZB_DAY, 15 * ZB_DAY, fx("3.5"), fx("0.67"), LEVEL_YELLOW}};
    struct ring r;
    ring_make(&r, ZB_HOUR, RAIN_SLOTS);
    zb_time last = ZB_TIME_NONE;
    int over = 0, on = 0;
    int32_t day = INT32_MIN;
    while (fgets(line, sizeof line, f)) {
        int y, mo, d, h, v;
        char text[32];
        zb_time t;
        if (sscanf(line, "%*2d%4d%2d%2d%2d%3d", &y, &mo, &d, &h, &v) != 5) fail_msg("%s: %s", path, line);
        snprintf(text, sizeof text, "%04d-%02d-%02d %02d:00:00", y, mo, d, h);
        assert_true(zb_time_parse(str_of(text), &t));
        for (zb_time hour = last == ZB_TIME_NONE ? t : last + ZB_HOUR; hour <= t; hour += ZB_HOUR) { /* missing hours are dry */
            zb_fix *slot = ring_at(&r, hour), sum, limit;
            if (hour == t) *slot = v * (ZB_FIX_ONE / 100);
            if (rain_level(&rule, &r, hour, &sum, &limit) == LEVEL_NONE) continue;
            over++;
            on += zb_day_of(hour) != day;
            day = zb_day_of(hour);
        }
        last = t;
    }
    fclose(f);
    ring_done(&r);
    assert_int_equal(over, hours);
    assert_int_equal(on, days);
}
static char dir[500];
static void kbfi(void **s) {
    (void)s;
    counts(dir, "KBFI", 641, 31);
}
static void ksea(void **s) {
    (void)s;
    counts(dir, "KSEA", 783, 41);
}
int main(void) {
    snprintf(dir, sizeof dir, "%s/slope-piezometer-usgs", getenv("DATA") ? getenv("DATA") : join(getenv("SRC"), "../shared/data"));
    if (access(dir, R_OK)) return printf("%s is not here\n", dir), 77;
    const struct CMUnitTest t[] = {cmocka_unit_test(kbfi), cmocka_unit_test(ksea)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
