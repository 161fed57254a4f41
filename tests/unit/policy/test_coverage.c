/* The coverage names every requirement and every hole; a rule counts only with a case that turns it on and one that turns it off. */
#include "../policy.h"
#include "policy/coverage.h"

static char *cover(const char *fixtures, bool json, int *holes) {
    static char *kept;
    struct buf b;
    buf_init(&b, 8 << 20);
    OK(coverage_write(p, fixtures, json, &b, holes, &err));
    free(kept);
    kept = calloc(1, b.n + 1);
    memcpy(kept, b.p, b.n);
    buf_done(&b);
    return kept;
}
static int times(const char *text, const char *what) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}
static const char *line_of(const char *text, const char *with) {
    static char line[4000];
    const char *at = strstr(text, with);
    if (!at) fail_msg("\"%s\" is not in the coverage", with);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

static void every_requirement_and_hole(void **s) {
    (void)s;
    char fixtures[600];
    int holes, same;
    snprintf(fixtures, sizeof fixtures, "%s/tests/fixtures", getenv("SRC"));
    const char *json = cover(fixtures, true, &holes);
    assert_int_equal(times(json, "{\"id\":\"T"), 272);
    assert_int_equal(times(json, "\"entry\":true"), 7);
    assert_int_equal(times(json, "\"entry\":false"), 303);
    assert_int_equal(times(strstr(json, "{\"requirements\":310"), "\"why\":"), holes);
    assert_int_equal(holes, 0);
    const char *text = cover(fixtures, false, &same);
    assert_int_equal(same, holes);
    assert_int_equal(times(text, "proof by entry"), 7);
    assert_non_null(strstr(text, "R40 ✓ (rules/hazards.yaml:"));
    assert_non_null(strstr(text, "I08.1 ✓ (indicators/03_hazards.yaml:"));
}

static void half_a_fixture_is_a_hole(void **s) {
    (void)s;
    static const struct {
        const char *text, *lacks;
    } T[] = {{"R40:\n  on: {expect: [{id: 1}]}\n", "no fixture turns it off"},
             {"R40:\n  off: {expect: []}\n", "no fixture turns it on"},
             {"R40:\n  on: {expect: []}\n  off: {expect: []}\n", "no fixture turns it on"}, /* a case "on" that expects nothing shows nothing */
             {"R40:\n  suppressed: {expect: []}\n", "no fixture turns it on and off"},
             {"R40:\n  on second: {expect: [{id: 1}]}\n  off: {}\n", NULL},
             {"I08.1:\n  green: {}\n  red: {}\n", "no fixture shows it without data"},
             {"I08.1:\n  no_data: {}\n", "no fixture turns it on and off"},
             {"I01.8/penalties:\n  green: {}\n", "no fixture turns it off"}, /* a reading beside the default */
             {"I08.1:\n  green: {}\n  red big: {}\n  no_data: {}\n", NULL}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        char *dir = scratch(), cmd[200];
        int holes;
        snprintf(cmd, sizeof cmd, "mkdir -p %s/rules", dir);
        assert_int_equal(system(cmd), 0);
        FILE *f = fopen(join(dir, "rules/x.yaml"), "w");
        fputs(T[i].text, f);
        fclose(f);
        const char *text = cover(dir, false, &holes);
        char id[80];
        snprintf(id, sizeof id, "  %.*s: ", (int)strcspn(T[i].text, ":"), T[i].text);
        if (T[i].lacks)
            assert_non_null(strstr(line_of(text, id), T[i].lacks));
        else
            assert_null(strstr(text, id));
        snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
        assert_int_equal(system(cmd), 0);
    }
    int holes;
    assert_non_null(strstr(cover("/nowhere", false, &holes), "  R40: no fixture turns it on and off"));
}

static void a_fixture_that_does_not_parse(void **s) {
    (void)s;
    char *dir = scratch(), cmd[200];
    int holes;
    struct buf b;
    snprintf(cmd, sizeof cmd, "mkdir -p %s/rules", dir);
    assert_int_equal(system(cmd), 0);
    FILE *f = fopen(join(dir, "rules/x.yaml"), "w");
    fputs("R40: {on: \n]\n", f);
    fclose(f);
    buf_init(&b, 8 << 20);
    assert_int_equal(coverage_write(p, dir, false, &b, &holes, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "rules/x.yaml:2:"));
    buf_done(&b);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(every_requirement_and_hole), cmocka_unit_test(half_a_fixture_is_a_hole),
                                   cmocka_unit_test(a_fixture_that_does_not_parse)};
    return cmocka_run_group_tests(t, policy_up, policy_down);
}
