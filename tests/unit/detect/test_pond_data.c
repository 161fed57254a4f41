/* The level of a real pond every five minutes as it would come in: it rests for up to 33 hours and misses single readings, and nothing alarms. */
#include "../test.h"
#include "detect/state.h"

static char path[600];
static void quiet(void **s) {
    (void)s;
    struct policy *p;
    OK(policy_load(getenv("POLICY"), &p, &err));
    struct mine_facts facts = {.code = "140981999007", .region = "140981"};
    struct mine_state *m = mine_new(&facts);
    struct alarm_diffs d = {0};
    struct point_def x = {.code = "K1", .sensor_type = "Z103", .vt = VALUE_MN, POINT_PLAIN, .every = 10 * ZB_MINUTE}; /* as tailings.yaml declares */
    char line[300];
    FILE *f = fopen(path, "r");
    int rows = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char t[20], *rest = NULL, *cell = strtok_r(line, ",", &rest), *v = NULL;
        if (cell[0] != '2') continue;
        int hour = cell[12] == ':' ? 1 : 2; /* "2020-06-01 0:05" */
        snprintf(t, sizeof t, "%.11s%s%s:00", cell, hour == 1 ? "0" : "", cell + 11);
        for (int i = 0; i < 4; i++) v = strtok_r(NULL, ",", &rest);
        struct sample one = {at(t), fx(v), 0};
        if (!rows++) mine_define(p, m, &x, one.t, &d);
        if (mine_due(m) <= one.t) mine_tick(p, m, one.t, &d);
        mine_sample(p, m, STR("K1"), &one, one.t, &d);
        mine_heard(p, m, 10 * ZB_MINUTE, one.t, &d);
    }
    fclose(f);
    assert_int_equal(rows, 17556);
    if (d.n) fail_msg("%d alarms, the first %s: %s", d.n, ALARM_KIND_KEY[d.a[0].kind], d.a[0].note);
    /* and the silence that is one is found */
    zb_time end = mine_last_heard(m) + 3 * ZB_HOUR;
    mine_heard(p, m, 10 * ZB_MINUTE, end, &d);
    mine_tick(p, m, end, &d);
    assert_true(d.n > 0 && d.a[d.n - 1].kind == ALARM_POINT_SILENT);
    alarm_diffs_done(&d);
    mine_free(m);
    policy_unref(p);
}
int main(void) {
    snprintf(path, sizeof path, "%s/tailings-pond/pond_2020-06_07.csv", getenv("DATA") ? getenv("DATA") : join(getenv("SRC"), "../shared/data"));
    if (access(path, R_OK)) return printf("%s is not here\n", path), 77;
    const struct CMUnitTest t[] = {cmocka_unit_test(quiet)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
