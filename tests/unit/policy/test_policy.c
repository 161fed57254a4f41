#include "../test.h"
#include "policy/policy.h"

static struct policy *shanxi(void) {
    struct policy *p;
    OK(policy_load(getenv("POLICY"), &p, &err));
    return p;
}
static void loads(void **s) {
    (void)s;
    struct policy *p = shanxi();
    assert_string_equal(p->name, "shanxi");
    assert_int_equal(strlen(p->hash), 64);
    assert_string_equal(policy_region(p, STR("140214"))->name, "云冈区");
    assert_int_equal(policy_format(p, STR("CDDY"))->body.n, 24);
    assert_int_equal(policy_format(p, STR("RYSS"))->body.n, 15);
    assert_int_equal(policy_format(p, STR("YCBJ"))->body.n, 17);
    assert_null(policy_format(p, STR("NOPE")));
    policy_unref(p);
}
static void limits_by_class_gas_and_day(void **s) {
    (void)s;
    struct policy *p = shanxi();
    const char *src;
    int32_t day = zb_day_of(at("2026-03-01 00:00:00"));
    struct limits l = policy_limits(p, "F_CORNER", "0001", "", day, &src);
    assert_true(l.hi_alarm == fx("1.0") && l.hi_cut == fx("1.5") && l.hi_restore == fx("1.0"));
    assert_non_null(strstr(src, "2025"));
    l = policy_limits(p, "F_CORNER", "0001", "", zb_day_of(at("2025-06-01 00:00:00")), &src);
    assert_non_null(strstr(src, "2022"));
    l = policy_limits(p, "R_TOTAL", "0001", "", day, &src);
    assert_true(l.hi_alarm == fx("0.75") && l.hi_cut == ZB_FIX_NONE);
    l = policy_limits(p, "", "0001", "", day, &src); /* no class: never none */
    assert_true(l.hi_alarm == fx("1.0") && l.hi_cut == fx("1.0"));
    l = policy_limits(p, "", "0012", "", day, &src);
    assert_true(l.lo_alarm != ZB_FIX_NONE && l.lo_alarm < fx("20"));
    assert_string_equal(policy_loc_class(p, STR("1101工作面上隅角")), "F_CORNER");
    assert_string_equal(policy_loc_class(p, STR("1203掘进回风流")), "H_RET");
    policy_unref(p);
}
/* each refusal names file:line:column */
static void refusals(void **s) {
    (void)s;
    static const struct {
        const char *file, *text, *where, *why;
    } T[] = {
        {"causes.yaml", "causes: []\nextra: 1\n", "causes.yaml:2:8", "unknown key extra; allowed: source causes"},
        {"causes.yaml", "causes: []\ncauses: []\n", "causes.yaml:2:1", "twice"},
        {"causes.yaml", "causes: [&a {key: x, zh: x, en: x}, *a]\n", "causes.yaml:1:10", "anchors"},
        {"causes.yaml", "causes: []\n---\ncauses: []\n", "causes.yaml:2:1", "second document"},
        {"causes.yaml", "causes: []\n]\n", "causes.yaml:2:1", ""},
        {"causes.yaml", "causes: {}\n", "causes.yaml:1:9", "must be a list"},
        {"causes.yaml", "causes: [{key: x, zh: x}]\n", "causes.yaml:1:10", "en is missing"},
        {"causes.yaml", "causes: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", "causes.yaml:1:", "deeper"},
        {"silence.yaml", "sample_period: 30\nlate_after: 90 s\npoint_after: 2 min\nmine_after: 10 min\nfuture_max: 5 min\ntruncated_wait: 10 min\n",
         "silence.yaml:1:16", "30 s, 5 min"},
        {"basemap.yaml", "source: s\nareas: [{area: \"140100\", path: \"M0 0Z\"}]\n", "basemap.yaml:1:1", "approval number"},
        {"basemap.yaml", "source: s\napproval: x\nareas: [{area: \"140100\", path: \"M0 0Z\\\"/><script\"}]\n", "basemap.yaml:3:9", "only commands"},
        {"basemap.yaml", "source: s\napproval: x\nareas: [{area: \"999999\", path: \"M0 0Z\"}]\n", "basemap.yaml:3:9", "not a division"},
        {"basemap.yaml", "source: s\napproval: x\nareas: [{area: \"140100\", path: M0 0Z}, {area: \"140100\", path: M0 0Z}]\n", "basemap.yaml:3:40", "twice"},
#define STORAGE "night_from_hour: 1\nnight_to_hour: 5\ndisk_warn_percent: 85\ndisk_refuse_percent: 95\nat_least_days: 731\n"
        {"storage.yaml", STORAGE "sample_days: 700\n", "storage.yaml:", "less than the 731 days"},
        {"storage.yaml", STORAGE "sample_days: 800\nfamilies: [{families: F7, sample_days: 30, source: x}]\n", "storage.yaml:", "less than the 731 days"},
        {"storage.yaml", STORAGE "sample_days: 800\nfamilies: [{families: F7 NOPE, sample_days: 800, source: x}]\n", "storage.yaml:7:12",
         "\"NOPE\" is no family"},
        {"storage.yaml", STORAGE "sample_days: 800\nfamilies: [{families: F7, sample_days: 800, source: x}, {families: F8 F7, sample_days: 900, source: x}]\n",
         "storage.yaml:7:57", "stands twice"},
        {"storage.yaml", STORAGE "sample_days: 800\nfamilies: [{families: F7, sample_days: 800}]\n", "storage.yaml:7:12", "source is missing"},
        {"policy.yaml", "name: x\nno_value: []\nbad_record_percent: 1,0\n", "policy.yaml:3:21", "1,0"},
        {"limits.yaml", "limits: [{class: A, sensors: \"0001\", hi_alarm: 1.0ppm, unit: x, source: x}]\npatterns: []\n", "limits.yaml:1:48", "1.0ppm"},
        {"limits.yaml", "limits: [{class: A, sensors: \"0001\", hi_alarm: \"1.0\", unit: x, source: x}]\npatterns: []\n", "limits.yaml:1:48", "not a number"},
        {"limits.yaml", "limits: []\npatterns: [{words: x, class: NOPE}]\n", "limits.yaml:2:12", "NOPE"},
        {"indicators/x.yaml",
         "source: x\nparams: [{key: lim, value: 5, source: x}]\nindicators: [{id: I1, zh: x, en: x, unit: x, of: site, cycle: state, target: \">= 1,0\", sql: "
         "\"select :lim\"}]\n",
         "x.yaml:3:78", "1,0"},
        {"indicators/x.yaml",
         "source: x\nparams: [{key: lim, value: 5, source: x}]\nindicators: [{id: I1, zh: x, en: x, unit: x, of: site, cycle: state, target: none, sql: "
         "\"select :limit\"}]\n",
         "x.yaml:3:89", ":limit, which is no parameter"},
        {"indicators/x.yaml",
         "source: x\nparams: [{key: lim, value: 5, source: x}]\nindicators: [{id: I1, zh: x, en: x, unit: x, of: site, cycle: state, target: none, sql: "
         "\"select 1\"}]\n",
         "x.yaml:2:10", "lim is used by no indicator"},
        {"indicators/x.yaml",
         "source: x\nparams: [{key: lim, value: 5, source: x}]\nindicators: [{id: I1, zh: x, en: x, unit: x, of: site, cycle: state, target: none, sql: "
         "\"select 1; drop table l_site\"}]\n",
         "x.yaml:3:89", "has no place"},
        {"indicators/x.yaml",
         "source: x\nparams: [{key: lim, value: 5, source: x}]\nindicators: [{id: I1, zh: x, en: x, unit: x, of: site, cycle: state, target: none, kind: "
         "mean_of, sql: \"select :lim\"}]\n",
         "x.yaml:3:14", "mean_of has parts"},
        {"indicators/x.yaml",
         "source: x\nparams: [{key: lim, value: 5, source: x}]\nindicators: [{id: I1, zh: x, en: x, unit: x, of: site, cycle: state, target: none, kind: "
         "mean_of, parts: NOPE}, {id: I2, zh: x, en: x, unit: x, of: nope, cycle: state, target: none, sql: \"select :lim\"}]\n",
         "x.yaml:3:", "no ledger"},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        char cmd[600], *dir = scratch();
        snprintf(cmd, sizeof cmd, "cp -r %s/. %s/", getenv("POLICY"), dir);
        assert_int_equal(system(cmd), 0);
        FILE *f = fopen(join(dir, T[i].file), "w");
        fputs(T[i].text, f);
        fclose(f);
        struct policy *p;
        struct zb_err e = {0};
        assert_int_equal(policy_load(dir, &p, &e), ZB_E_INPUT);
        if (!strstr(e.msg, T[i].where) || !strstr(e.msg, T[i].why)) fail_msg("case %zu: %s", i, e.msg);
        snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
        assert_int_equal(system(cmd), 0);
    }
}
int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(loads), cmocka_unit_test(limits_by_class_gas_and_day), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
