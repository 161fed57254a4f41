/* Another day, as known on another day: records changed and corrected later through the one function that changes records, on both databases. And what is kept
 * up to date: a changed record alone must bring the figures to where asking everything anew would. */
#include "../pg.h"
#include "fixture.h"
#include "ledger/ledger.h"
#include "prove/inside.h"
#include <math.h>

static struct fixture f;
static char url[400];
static bool postgres;
static const struct actor HEAD = {.id = 1, .user = "head", .role = "head", .area = "14"};

static int setup(void **st) {
    (void)st;
    if (postgres)
        snprintf(url, sizeof url, "%s", pg_fresh());
    else
        snprintf(url, sizeof url, "%s/p.db", scratch());
    fixture_open(&f, url);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    fixture_close(&f);
    return 0;
}

/* Done at `now`, so since `at`. */
static int64_t change(const char *ledger, int64_t id, const char *values, const char *now, const char *since) {
    struct arena *ar = arena_new(16 << 20);
    struct lcall c = {
        .db = f.db, .policy = f.p, .actor = &HEAD, .l = &f.p->ledger[policy_ledger(f.p, str_of(ledger))], .now = at(now), .arena = ar, .dir = "/tmp"};
    json_error_t je;
    bool done;
    struct lchange ch = {.id = id, .values = json_loads(values, 0, &je), .at = at(since), .password_ok = true, .why = STR("test")};
    if (!ch.values) fail_msg("%s", values);
    char sql[100];
    snprintf(sql, sizeof sql, "select rev from l_%s where id=?1", ledger);
    if (id) {
        struct stmt *q = db_once(f.db, sql, &err);
        stmt_i64(q, 1, id);
        assert_int_equal(stmt_row(q, &err), 1);
        ch.rev = stmt_col_i64(q, 0);
        stmt_done(&q);
    }
    if (ledger_change(&c, &ch, &id, &done, &err) != ZB_OK) fail_msg("%s %s: %s", ledger, values, err.msg);
    json_decref(ch.values);
    arena_free(ar);
    return id;
}

static double value_in(struct db *db, const char *id, enum figure_has *has) {
    struct figure_row *row;
    struct figure sum = {0};
    int n;
    double v;
    const struct indicator *x = &f.p->indicator[policy_indicator(f.p, str_of(id))];
    OK(figure_rows(db, x, NULL, &row, &n, &err));
    for (int i = 0; i < n; i++) figure_add(&sum, &row[i].f);
    free(row);
    *has = figure_value(x, &sum, &v);
    return v;
}
static void past_is(const char *id, const char *asof, const char *known, double want) { /* want < 0: no case */
    struct other_day past;
    enum figure_has has;
    int32_t day;
    assert_true(zb_day_parse(str_of(asof), &day));
    OK(past_open(url, f.p, f.p->indicator[policy_indicator(f.p, str_of(id))].uses, past_end_of(day), at(known), &past, &err));
    double v = value_in(past.db, id, &has);
    past_close(&past);
    if ((has != FIGURE_VALUE) != (want < 0) || (want >= 0 && fabs(v - want) > 0.01))
        fail_msg("%s on %s as known %s: %g (%d), not %g", id, asof, known, v, has, want);
}

static int64_t site, person, org;
static void people_make(void) {
    char v[600];
    site = change("site", 0, "{\"code\":\"140214900001\",\"name\":\"示范一矿\",\"kind\":\"coal_ug\",\"county\":\"140214\",\"sup_level\":\"province\"}",
                  "2024-01-02 09:00:00", "2024-01-01 00:00:00");
    org = change("org", 0, "{\"code\":\"R1\",\"name\":\"云冈区应急管理局\",\"kind\":\"regulator\",\"level\":\"county\",\"region\":\"140214\"}",
                 "2024-01-02 09:00:00", "2024-01-01 00:00:00");
    snprintf(v, sizeof v, "{\"name\":\"甲\",\"post\":\"mine_manager\",\"site\":%lld,\"edu\":\"senior_high\",\"major_ok\":true,\"state\":\"active\"}",
             (long long)site);
    person = change("person", 0, v, "2024-01-10 09:00:00", "2024-01-10 00:00:00");
}

/* He finished college in June 2024; it was entered in March 2025; in September the diploma turned out to be false. */
static void fields(void **st) {
    (void)st;
    people_make();
    past_is("I01.4", "2024-01-05", "2026-01-01 00:00:00", -1); /* he was not there yet */
    past_is("I01.4", "2024-03-31", "2026-01-01 00:00:00", 0);
    change("person", person, "{\"edu\":\"college\"}", "2025-03-01 10:00:00", "2024-06-20 00:00:00");
    past_is("I01.4", "2024-12-31", "2024-12-31 23:59:59", 0); /* as the report of that day said */
    past_is("I01.4", "2024-12-31", "2025-03-01 09:59:59", 0);
    past_is("I01.4", "2024-12-31", "2025-03-01 10:00:00", 100); /* as we knew in March */
    past_is("I01.4", "2024-06-19", "2026-01-01 00:00:00", 0);
    past_is("I01.4", "2024-06-20", "2026-01-01 00:00:00", 100);
    change("person", person, "{\"edu\":\"senior_high\"}", "2025-09-01 10:00:00", "2024-06-20 00:00:00");
    past_is("I01.4", "2024-12-31", "2025-06-01 00:00:00", 100); /* what was reported then can be made again */
    past_is("I01.4", "2024-12-31", "2025-09-02 00:00:00", 0);   /* and what is known today stands beside it */
}

/* Rows of a sub-table change with the version they belong to; the clock of the SQL is the day asked for. */
static void rows(void **st) {
    (void)st;
    people_make();
    char v[600];
    snprintf(v, sizeof v,
             "{\"name\":\"五职培训\",\"kind\":\"annual_special\",\"organiser\":%lld,\"start_on\":\"2024-05-06\",\"end_on\":\"2024-05-10\",\"hours\":40,"
             "\"participants\":[{\"person\":%lld,\"present\":true,\"pass\":false}]}",
             (long long)org, (long long)person);
    int64_t class = change("training", 0, v, "2024-05-12 09:00:00", "2024-05-10 00:00:00");
    past_is("I01.3", "2024-12-31", "2026-01-01 00:00:00", 0);
    snprintf(v, sizeof v, "{\"participants\":[{\"row\":1,\"person\":%lld,\"present\":true,\"pass\":true}]}", (long long)person);
    change("training", class, v, "2024-06-01 09:00:00", "2024-06-01 00:00:00"); /* he passed when he was examined again */
    past_is("I01.3", "2024-05-31", "2026-01-01 00:00:00", 0);
    past_is("I01.3", "2024-06-01", "2026-01-01 00:00:00", 100);
    past_is("I01.3", "2024-12-31", "2024-05-20 00:00:00", 0);
    past_is("I01.3", "2025-06-30", "2026-01-01 00:00:00", 0); /* another year, another class */
    enum figure_has has;
    OK(db_clock(f.db, at("2024-12-31 12:00:00"), &err));
    assert_true(fabs(value_in(f.db, "I01.3", &has) - 100) < 0.01); /* the lasting tables were left alone */
    OK(db_clock(f.db, ZB_TIME_NONE, &err));
}

static void area_is(const char *id, const char *area, double want, enum light light) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(f.db, "select value,light,has from prove_area where indicator=?1 and area=?2", &err);
    stmt_z(q, 1, id);
    stmt_z(q, 2, area);
    if (stmt_row(q, &err) != 1) fail_msg("%s %s: no figure", id, area);
    if (fabs(stmt_col_real(q, 0) - want) > 0.01 || stmt_col_i64(q, 1) != (int64_t)light)
        fail_msg("%s %s: %g %s, not %g %s", id, area, stmt_col_real(q, 0), LIGHT_KEY[stmt_col_i64(q, 1)], want, LIGHT_KEY[light]);
}
static char *all_figures(void) {
    struct buf b;
    buf_init(&b, 64 << 20);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(f.db, "select area,indicator,value,light,n,missing from prove_area order by area,indicator", &err);
    while (stmt_row(q, &err) == 1)
        buf_printf(&b, STR_FMT " " STR_FMT " %.6f %d %d %d\n", STR_ARG(stmt_col_text(q, 0)), STR_ARG(stmt_col_text(q, 1)), stmt_col_real(q, 2),
                   (int)stmt_col_i64(q, 3), (int)stmt_col_i64(q, 4), (int)stmt_col_i64(q, 5));
    return b.p;
}

static void kept(void **st) {
    (void)st;
    struct prover *pr;
    int did;
    zb_time now = at("2025-06-02 10:00:00");
    people_make();
    OK(prover_open(url, &pr, &err));
    OK(prover_step(pr, f.p, now, &did, &err));
    assert_true(did > 50);
    assert_string_equal(prover_trouble(pr), "");
    area_is("I01.4", "140214", 0, LIGHT_RED);
    area_is("I01.4", "140000", 0, LIGHT_RED);
    area_is("I01.4", "140300", 0, LIGHT_NO_CASE);
    OK(prover_step(pr, f.p, now + 1000, &did, &err));
    assert_int_equal(did, 0);
    change("person", person, "{\"edu\":\"college\"}", "2025-06-02 10:00:01", "2024-06-20 00:00:00");
    OK(prover_step(pr, f.p, now + 2000, &did, &err));
    assert_int_equal(did, 1);
    area_is("I01.4", "140214", 100, LIGHT_GREEN);
    area_is("I01.4", "140200", 100, LIGHT_GREEN);
    area_is("I01.4", "140000", 100, LIGHT_GREEN);
    /* a second mine moves the sums of county, city and province, and a regulator's class counts at the mine */
    char v[600];
    int64_t other = change("site", 0, "{\"code\":\"140221900002\",\"name\":\"示范二矿\",\"kind\":\"coal_ug\",\"county\":\"140221\",\"sup_level\":\"city\"}",
                           "2025-06-02 10:00:03", "2025-06-01 00:00:00");
    snprintf(v, sizeof v, "{\"name\":\"乙\",\"post\":\"mine_manager\",\"site\":%lld,\"edu\":\"primary\",\"major_ok\":true,\"state\":\"active\"}",
             (long long)other);
    change("person", 0, v, "2025-06-02 10:00:03", "2025-06-01 00:00:00");
    snprintf(v, sizeof v,
             "{\"name\":\"班\",\"kind\":\"annual_special\",\"organiser\":%lld,\"start_on\":\"2025-05-06\",\"hours\":40,\"participants\":[{\"person\":%lld,"
             "\"present\":true,\"pass\":true}]}",
             (long long)org, (long long)person);
    change("training", 0, v, "2025-06-02 10:00:04", "2025-05-06 00:00:00");
    OK(prover_step(pr, f.p, now + 5000, &did, &err));
    area_is("I01.4", "140221", 0, LIGHT_RED);
    area_is("I01.4", "140200", 50, LIGHT_RED);
    area_is("I01.3", "140214", 100, LIGHT_GREEN);
    area_is("I01.3", "140000", 50, LIGHT_NOT_DUE);
    char *step = all_figures();
    OK(db_exec(f.db, "delete from prove_state where key='full'", &err));
    OK(prover_step(pr, f.p, now + 6000, &did, &err));
    char *anew = all_figures();
    assert_string_equal(step, anew);
    free(step);
    free(anew);
    prover_close(pr);
}

/* Month-ends that have passed are asked as of their day; rising and falling compare with the one a year before. */
static void months(void **st) {
    (void)st;
    struct prover *pr;
    int did, n = 0;
    zb_time now = at("2024-04-02 10:00:00");
    people_make();
    change("person", person, "{\"edu\":\"college\"}", "2024-03-20 10:00:00", "2024-02-10 00:00:00");
    OK(prover_open(url, &pr, &err));
    OK(prover_step(pr, f.p, now, &did, &err));
    do {
        OK(prover_month(pr, f.p, now, &did, &err));
        n += did;
    } while (did);
    assert_int_equal(n, 4); /* December 2023 to March 2024 */
    struct trends t;
    OK(keep_trends(f.db, &f.p->indicator[policy_indicator(f.p, STR("I01.4"))], &t, &err));
    int low = 0, high = 0;
    for (int i = 0; i < t.n; i++)
        if (!strcmp(t.p[i].area, "140214") && t.p[i].has == FIGURE_VALUE) *(t.p[i].value > 50 ? &high : &low) += 1;
    trends_free(&t);
    assert_int_equal(low, 1);  /* January */
    assert_int_equal(high, 2); /* February and March, as is known now */
    prover_close(pr);
}

#define TEST(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
static const struct CMUnitTest TESTS[] = {TEST(fields), TEST(rows), TEST(kept), TEST(months)};
int main(void) { return ON_BOTH(TESTS, &postgres); }
