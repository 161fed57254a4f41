/* Two weeks of a real slope station: the published levels of its piezometers, with the barometer of the station beside it. */
#include "convert.h"

static char dir[500];
struct rows {
    char text[1400][200];
    int n;
};
static void rows_read(const char *name, struct rows *r) {
    FILE *f = fopen(join(dir, name), "r");
    if (!f) fail_msg("%s is not there", name);
    for (r->n = 0; r->n < 1400 && fgets(r->text[r->n], 200, f); r->n++) r->text[r->n][strcspn(r->text[r->n], "\r\n")] = 0;
    fclose(f);
}
static struct str column(const char *line, int k) {
    struct str rest = str_of(line), one = {"", 0};
    for (int i = 0; i <= k && rest.p; i++) one = str_cut(rest, '\t', &rest);
    return one;
}
static struct observation take(const char *point, const char *line, int k) {
    struct observation o = {str_of(point), {0, ZB_FIX_NONE, 0}, 0, false};
    assert_true(zb_time_parse(column(line, 0), &o.s.t));
    assert_true(num_fix(column(line, k), &o.s.v));
    return o;
}
static void published_levels(void **s) {
    (void)s;
    static struct rows drive, tower;
    rows_read("waMVD116_14d.txt", &drive);
    rows_read("waWatertonA_14d.txt", &tower);
    assert_int_equal(drive.n, 1344);
    struct policy *p = station_policy();
    struct arena *a = arena_new((size_t)64 << 20);
    int n = 0, cap = 1344 * 5 * 11;
    struct observation *o = calloc((size_t)cap, sizeof *o);
    for (int i = 0; i < drive.n; i++) {
        o[n++] = take("F1", drive.text[i], 17);
        o[n++] = take("R1", drive.text[i], 18);
        o[n++] = take("F2", drive.text[i], 19);
        o[n++] = take("R2", drive.text[i], 20);
    }
    for (int i = 0; i < tower.n; i++) o[n++] = take("B", tower.text[i], 5);
    n = observations_convert(p, STR("140981300007"), o, n, cap, a);
    level(o, n, "P1", at("2015-12-18 00:00:00"), 0.3461);
    level(o, n, "P1", at("2015-12-31 23:45:00"), 0.3377);
    level(o, n, "P2", at("2015-12-18 00:00:00"), 0.0753);
    level(o, n, "P2", at("2015-12-31 23:45:00"), 0.0585);
    double least = 1e9, most = -1e9;
    int made = 0;
    for (int i = 0; i < n; i++) {
        if (!str_is(o[i].point, "P1")) continue;
        double v = zb_fix_double(o[i].s.v);
        least = fmin(least, v), most = fmax(most, v);
        made++;
    }
    assert_int_equal(made, 1344);
    if (fabs(least - 0.3175) > 0.0005 || fabs(most - 0.5278) > 0.0005) fail_msg("%.4f to %.4f m, 0.3175 to 0.5278 are published", least, most);
    free(o);
    arena_free(a);
    policy_unref(p);
}
int main(void) {
    snprintf(dir, sizeof dir, "%s/slope-piezometer-usgs", getenv("DATA") ? getenv("DATA") : join(getenv("SRC"), "../shared/data"));
    if (access(dir, R_OK)) return printf("%s is not here\n", dir), 77;
    const struct CMUnitTest t[] = {cmocka_unit_test(published_levels)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
