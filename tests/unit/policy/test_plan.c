/* The plan in the policy against the fact table of the notice: every id, test, due day, target, ledger, indicator and rule, value by value; what differs on
 * purpose stands in tests/plan/differences.txt with its reason. With PLAN_FACTS=<fact book> the table itself is compared with the book. */
#include "../test.h"
#include "policy/policy.h"

#define COLS 8
struct line {
    char *col[COLS];
    int n;
};

static char *text_of(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot read %s", path);
    char *p = calloc(1, 4 << 20);
    size_t n = fread(p, 1, (4 << 20) - 1, f);
    assert_true(n > 0);
    fclose(f);
    return p;
}
static char *file_of(const char *name) {
    char path[500];
    snprintf(path, sizeof path, "%s/tests/plan/%s", getenv("SRC"), name);
    return text_of(path);
}
extern struct line *kept[8]; /* held until the end of the process */
struct line *kept[8];
static int keeps;
/* Splits in place at |; lines that are empty or begin with # are left out. */
static struct line *lines_of(char *text, int *n) {
    struct line *l = calloc(2000, sizeof *l);
    kept[keeps++ % 8] = l;
    *n = 0;
    for (char *p = text, *end; p && *p; p = end) {
        end = strchr(p, '\n');
        if (end) *end++ = 0;
        if (!*p || *p == '#') continue;
        struct line *one = &l[(*n)++];
        for (char *c = p; c && one->n < COLS;) {
            one->col[one->n++] = c;
            c = strchr(c, '|');
            if (c) *c++ = 0;
        }
    }
    return l;
}
static struct policy *shanxi(void) {
    struct policy *p;
    OK(policy_load(getenv("POLICY"), &p, &err));
    return p;
}

/* ---- the differences ---- */
static struct line *differ;
static int differs;
static bool differ_used[200];
static void same(const char *id, const char *column, const char *want, const char *got) {
    for (int i = 0; i < differs; i++)
        if (!strcmp(differ[i].col[0], id) && !strcmp(differ[i].col[1], column)) {
            if (!strcmp(want, got)) fail_msg("%s %s: no difference any more; take it out of differences.txt", id, column);
            want = differ[i].col[2];
            differ_used[i] = true;
        }
    if (strcmp(want, got)) fail_msg("%s %s: the facts say \"%s\", the policy \"%s\"", id, column, want, got);
}

static void test_text(const struct policy *p, const struct plan_requirement *q, char out[80]) {
    char day[ZB_TIME_CAP];
    const char *cycle = PLAN_CYCLE_KEY[q->cycle];
    if (q->cycle == PLAN_CYCLE_HALF_YEAR) cycle = "half-year";
    for (int i = 0; i < p->lists; i++)
        if (q->cycle == PLAN_CYCLE_LISTED && !strcmp(p->list[i].key, q->cycle_list)) cycle = p->list[i].id;
    if (q->due != PLAN_DAY_NONE)
        snprintf(out, 80, "%s %s", PLAN_TEST_KEY[q->test], zb_day_text(q->due, day));
    else if (q->from != PLAN_DAY_NONE)
        snprintf(out, 80, "%s from %s", PLAN_TEST_KEY[q->test], zb_day_text(q->from, day));
    else if (q->test == PLAN_TEST_CYCLE)
        snprintf(out, 80, "cycle %s%s%s", cycle, q->by[0] ? " " : "", q->by);
    else
        snprintf(out, 80, "%s", PLAN_TEST_KEY[q->test]);
}

static void requirements(void **s) {
    (void)s;
    struct policy *p = shanxi();
    int n, seen = 0;
    struct line *l = lines_of(file_of("facts.txt"), &n);
    for (int i = 0; i < n; i++) {
        char **c = l[i].col, test[80];
        if (strcmp(c[0], "R")) continue;
        assert_int_equal(l[i].n, 8);
        const struct plan_requirement *q = plan_requirement_find(p, str_of(c[1]));
        if (!q) fail_msg("requirement %s is not in the policy", c[1]);
        test_text(p, q, test);
        same(c[1], "test", c[2], test);
        same(c[1], "strive", c[3], q->strive ? "strive" : "");
        same(c[1], "target", c[4], q->target.en);
        same(c[1], "ledgers", c[5], q->ledgers);
        same(c[1], "indicators", c[6], q->indicators);
        same(c[1], "rules", c[7], q->rules);
        assert_int_equal(q->entry, !c[7][0]);
        seen++;
    }
    assert_int_equal(seen, 310);
    assert_int_equal(plan_requirements(p), 310);
    policy_unref(p);
}

static void goals(void **s) {
    (void)s;
    struct policy *p = shanxi();
    int n, seen = 0;
    struct line *l = lines_of(file_of("facts.txt"), &n);
    for (int i = 0; i < n; i++) {
        char **c = l[i].col, day[ZB_TIME_CAP];
        if (strcmp(c[0], "G")) continue;
        const struct plan_goal *g = NULL;
        for (int k = 0; k < p->plan.goals; k++)
            if (!strcmp(p->plan.goal[k].id, c[1])) g = &p->plan.goal[k];
        if (!g) fail_msg("goal %s is not in the policy", c[1]);
        same(c[1], "target", c[3], g->target.en);
        zb_day_text(g->due, day);
        if (g->yearly ? strcmp(c[2], "each 12-31") != 0 : !strstr(c[2], day)) fail_msg("%s: due %s, the facts say %s", c[1], day, c[2]);
        seen++;
    }
    assert_int_equal(seen, 17);
    assert_int_equal(p->plan.goals, 17);
    assert_int_equal(p->plan.agencies, 8);
    policy_unref(p);
}
static void differences_all_used(void **s) {
    (void)s;
    for (int i = 0; i < differs; i++)
        if (!differ_used[i]) fail_msg("differences.txt: %s %s is not among the facts", differ[i].col[0], differ[i].col[1]);
}

/* Targets and days of the indicators: "=100" is at least 100 of a share, "=0" at most 0; words (rising, report) have no number. */
static void indicators(void **s) {
    (void)s;
    static const struct {
        const char *sign;
        enum indicator_aim aim;
    } SIGN[] = {{"=", AIM_MIN}, {"≥", AIM_MIN}, {">", AIM_ABOVE}, {"≤", AIM_MAX}, {"→", AIM_MAX}};
    struct policy *p = shanxi();
    int n, seen = 0;
    struct line *l = lines_of(file_of("facts.txt"), &n);
    for (int i = 0; i < n; i++) {
        char **c = l[i].col, want[80] = "", got[80] = "", day[ZB_TIME_CAP];
        if (strcmp(c[0], "I")) continue;
        int at = policy_indicator(p, str_of(c[1]));
        if (at < 0) fail_msg("indicator %s is not in the policy", c[1]);
        const struct indicator *x = &p->indicator[at];
        double v;
        for (size_t k = 0; k < sizeof SIGN / sizeof *SIGN; k++) {
            const char *sign = SIGN[k].sign;
            if (strncmp(c[2], sign, strlen(sign)) || sscanf(c[2] + strlen(sign), "%lf", &v) != 1) continue;
            snprintf(want, sizeof want, "%d %g", v == 0 ? AIM_MAX : SIGN[k].aim, v);
        }
        if (x->aim < AIM_RISING) snprintf(got, sizeof got, "%d %g", x->aim, x->target);
        same(c[1], "target", want, got);
        if (strstr(c[2], "(s)")) assert_true(x->strive);
        size_t len = strspn(c[3], "0123456789-");
        snprintf(want, sizeof want, "%.*s", len == 10 ? 10 : 0, c[3]);
        same(c[1], "due", want, x->due == INT32_MAX ? "" : zb_day_text(x->due, day));
        seen++;
    }
    assert_int_equal(seen, 197);
    policy_unref(p);
}

/* What is proved by entry alone, by the review of the facts. */
static void proof_by_entry(void **s) {
    (void)s;
    struct policy *p = shanxi();
    static const char *const ENTRY[] = {"T04.2", "T11.5", "T28.7", "T31.4", "S1.1", "S5.3", "S5.4"};
    int n = 0;
    for (size_t i = 0; i < sizeof ENTRY / sizeof *ENTRY; i++) assert_true(plan_requirement_find(p, str_of(ENTRY[i]))->entry);
    for (int a = 0; a < p->areas; a++)
        for (int t = 0; t < p->area[a].tasks; t++)
            for (int i = 0; i < p->area[a].task[t].requirements; i++) n += p->area[a].task[t].requirement[i].entry;
    assert_int_equal(n, 7);
    policy_unref(p);
}

static void dated_duties(void **s) {
    (void)s;
    static const struct {
        const char *key, *day;
        int month, dom;
    } T[] = {{"city_plan", "2024-02-29", 0, 0}, {"contact", "2024-03-01", 0, 0}, {"evaluation", "2026-11-30", 0, 0}, {"annual_summary", NULL, 12, 10}};
    struct policy *p = shanxi();
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        const struct plan_duty *d = NULL;
        char day[ZB_TIME_CAP];
        for (int k = 0; k < p->plan.duties; k++)
            if (!strcmp(p->plan.duty[k].key, T[i].key)) d = &p->plan.duty[k];
        assert_non_null(d);
        assert_false(d->assumed);
        if (T[i].day) assert_string_equal(zb_day_text(d->on, day), T[i].day);
        assert_true(T[i].day || (d->every == PLAN_CYCLE_YEAR && d->month == T[i].month && d->day == T[i].dom));
    }
    policy_unref(p);
}

/* ---- the fact book itself ---- */
static char *trim(char *p) {
    while (*p == ' ') p++;
    for (char *e = p + strlen(p); e > p && (e[-1] == ' ' || e[-1] == '\r'); e--) e[-1] = 0;
    return p;
}
static int cells(char *line, char *cell[14]) {
    int n = 0;
    char *in = line + 1, *out = in;
    cell[n++] = in;
    for (; *in && n < 14; in++) {
        if (*in == '`') continue;
        if (in[0] == '\\' && in[1] == '|') {
            *out++ = *++in;
        } else if (*in == '|') {
            *out++ = 0;
            cell[n++] = out;
        } else {
            *out++ = *in;
        }
    }
    *out = 0;
    for (int i = 0; i < n; i++) cell[i] = trim(cell[i]);
    return n;
}
static bool is_id(const char *s, const char *first) {
    if (!strchr(first, *s)) return false;
    size_t n = strspn(s + 1, "0123456789");
    return s[1 + n] == '.' && strspn(s + 2 + n, "0123456789") > 0 && !s[2 + n + strspn(s + 2 + n, "0123456789")];
}
static void fact_book(void **s) {
    (void)s;
    const char *path = getenv("PLAN_FACTS");
    if (!path) skip();
    int n, checked = 0, covered = 0;
    struct line *l = lines_of(file_of("facts.txt"), &n);
    for (char *p = text_of(path), *end; p && *p; p = end) {
        char *c[14];
        end = strchr(p, '\n');
        if (end) *end++ = 0;
        bool table = *p == '|';
        char copy[2000];
        snprintf(copy, sizeof copy, "%s%s", table ? "" : "|", p);
        int k = cells(copy, c);
        if (k < 5) continue;
        for (int i = 0; i < n; i++) {
            char **f = l[i].col;
            if (strcmp(f[1], c[0])) continue;
            if (table && !strcmp(f[0], "R") && is_id(c[0], "TNOS") && k > 8) {
                assert_string_equal(f[4], c[4]);
                assert_string_equal(f[3], strstr(c[3], "(s)") ? "strive" : "");
                checked++;
            } else if (!table && !strcmp(f[0], "R")) { /* section 8 */
                assert_string_equal(f[2], c[1]);
                assert_string_equal(f[5], c[2]);
                assert_string_equal(f[6], c[3]);
                assert_string_equal(f[7], strcmp(c[4], "—") ? c[4] : "");
                covered++;
            } else if (table && !strcmp(f[0], "G") && k > 6) {
                assert_string_equal(f[2], c[6]);
                assert_string_equal(f[3], c[5]);
                checked++;
            } else if (table && !strcmp(f[0], "I") && k > 5) {
                assert_string_equal(f[2], c[4]);
                assert_string_equal(f[3], c[5]);
                checked++;
            }
        }
    }
    assert_int_equal(covered, 310);
    assert_int_equal(checked, 310 + 17 + 197);
}

static void refusals(void **s) {
    (void)s;
    static const struct {
        const char *file, *from, *to, *where, *why;
    } T[] = {
        {"plan/03_hazards.yaml", "ledgers: L09, indicators: \"I08.1", "ledgers: L99, indicators: \"I08.1",
         "03_hazards.yaml:14:", "ledgers: \"L99\" is not a ledger"},
        {"duties.yaml", "filing: city_plan", "filing: town_plan", "duties.yaml:", "\"town_plan\" is not a member of filing.kind"},
        {"plan/03_hazards.yaml", "indicators: \"I08.1 I08.2\"", "indicators: \"I08.1 i08.2\"", "03_hazards.yaml:14:", "\"i08.2\" is not an id of an indicator"},
        {"plan/03_hazards.yaml", "rules: \"R38 R39", "rules: \"R38 38", "03_hazards.yaml:14:", "\"38\" is not an id of a rule"},
        {"plan/03_hazards.yaml", "id: T08.2,", "id: T08.1,", "03_hazards.yaml:15:9", "requirement T08.1 is there twice"},
        {"plan/03_hazards.yaml", "id: T08.2,", "id: T09.2,", "03_hazards.yaml:15:9", "must begin with T08."},
        {"plan/03_hazards.yaml", "due: 2024-12-31", "due: 2024-13-31", "03_hazards.yaml:", "\"2024-13-31\" is not a day"},
        {"plan/03_hazards.yaml", "due: 2024-12-31", "due: 2028-12-31", "03_hazards.yaml:", "due lies outside the plan's time"},
        {"plan/03_hazards.yaml", "test: dated, due: 2024-12-31", "test: state, due: 2024-12-31",
         "03_hazards.yaml:", "due belongs to the tests dated and period"},
        {"plan/03_hazards.yaml", "who: HEAD", "who: HAED", "03_hazards.yaml:12:", "who: \"HAED\" is not in the list plan_actors"},
        {"plan/03_hazards.yaml", "consequence: \"E11*\"", "consequence: \"E99*\"", "03_hazards.yaml:14:", "\"E99*\" is not in the list measure_means"},
        {"plan/01_people.yaml", "entry: true", "entry: false", "01_people.yaml:", "either rules watch it"},
        {"plan/10_safeguards.yaml", "by: \"12-10\"", "by: \"12-40\"", "10_safeguards.yaml:", "by: \"12-40\" is not a day"},
        {"plan/05_disasters.yaml", "cycle_list: appraisal_cycles", "cycle_list: appraisals", "05_disasters.yaml:", "\"appraisals\" is not a file of lists/"},
        {"plan.yaml", "due: 2025-12-31", "due: 2027-12-31", "plan.yaml:", "due must lie in the plan's time"},
        {"plan.yaml", "key: SASAC", "key: SASAK", "plan.yaml:", "agency SASAK is not in the list"},
        {"duties.yaml", "requirements: N.9", "requirements: N.19", "duties.yaml:", "\"N.19\" is not a requirement"},
        {"duties.yaml", "on: 2024-02-29", "on: 2023-02-29", "duties.yaml:", "is not a day"},
        {"duties.yaml", "every: year, month: 12", "every: year", "duties.yaml:", "every year with month and day"},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        char cmd[700], *dir = scratch();
        snprintf(cmd, sizeof cmd, "cp -r %s/. %s/", getenv("POLICY"), dir);
        assert_int_equal(system(cmd), 0);
        char *text = text_of(join(dir, T[i].file)), *at = strstr(text, T[i].from);
        if (!at) fail_msg("case %zu: the text to replace is not in %s", i, T[i].file);
        FILE *f = fopen(join(dir, T[i].file), "w");
        fprintf(f, "%.*s%s%s", (int)(at - text), text, T[i].to, at + strlen(T[i].from));
        fclose(f);
        struct policy *p;
        struct zb_err e = {0};
        assert_int_equal(policy_load(dir, &p, &e), ZB_E_INPUT);
        if (!strstr(e.msg, T[i].where) || !strstr(e.msg, T[i].why)) fail_msg("case %zu: %s", i, e.msg);
        snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
        assert_int_equal(system(cmd), 0);
        free(text);
    }
}

int main(void) {
    differ = lines_of(file_of("differences.txt"), &differs);
    const struct CMUnitTest t[] = {
        cmocka_unit_test(requirements),   cmocka_unit_test(goals),        cmocka_unit_test(indicators), cmocka_unit_test(differences_all_used),
        cmocka_unit_test(proof_by_entry), cmocka_unit_test(dated_duties), cmocka_unit_test(fact_book),  cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
