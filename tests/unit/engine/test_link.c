/* A link on trial and what officers decide about it; counts of what came; the last people file. */
#include "dir.h"
#include "store/db.h"

static struct upload_result u;
#define M "140214900001"
#define OTHER "140214900777"

static zb_time when(int k) { return at("2026-03-01 00:00:00") + (zb_time)k * 30000; }
static int put(const char *code, const char *type, int k, const char *body) {
    char name[80], text[900], t[ZB_TIME_CAP], st[ZB_TIME_CAP];
    zb_time_text(when(k), t);
    snprintf(name, sizeof name, "%s_%s_%s.%s", code, type, zb_time_stamp(when(k), st), "txt");
    snprintf(text, sizeof text, "%s;示范矿;%s%s~%s||", code, strcmp(type, "CDDY") ? "" : "K;S;M;2027-12-31;", t, body);
    return engine_submit(en, STR(M), STR("http"), str_of(name), str_of(text), true, &u, &err);
}
static int sample(const char *code, int k, const char *value, int state) {
    char body[200], t[ZB_TIME_CAP];
    snprintf(body, sizeof body, "P1;环境瓦斯;1101工作面上隅角;%s;%%CH4;%d;%s~", value, state, zb_time_text(when(k), t));
    return put(code, "CDSS", k, body);
}
static void define(void) { OK(put(M, "CDDY", 0, "P1;01;001;0001;MN;%CH4;4;0;1.0;1.0;;;1.5;1.0;;;;;1101工作面上隅角;;;;;2026-03-01 00:00:00~")); }
static void set(const char *lines) { OK(engine_link_set(en, STR("officer"), STR(M), str_of(lines), &err)); }
static int samples(const char *point) {
    struct sample *v;
    int n;
    OK(series_read(engine_series(en), STR(M), str_of(point), 0, INT64_MAX, &v, &n, &err));
    free(v);
    return n;
}
static int seen_limit(void *arg, const struct mine_view *v) {
    struct point_now p;
    assert_true(mine_point(v->state, STR("P1"), &p));
    *(struct point_now *)arg = p;
    return 0;
}
static struct point_now p1(void) {
    struct point_now p;
    engine_mines(en, STR(M), seen_limit, &p);
    return p;
}

static void a_trial_raises_nothing_until_it_is_accepted(void **s) {
    (void)s;
    set("phase trial");
    define();
    for (int k = 1; k < 20; k++) OK(sample(M, k, k > 10 ? "1.60" : "0.40", 0));
    assert_int_equal(number("select count(*) from alarm"), 0);
    assert_int_equal(number("select count(*) from outbox"), 0);
    assert_int_equal(number("select count(*) from trial_alarm where kind=0 and peak=1600000"), 1);
    assert_int_equal(samples("P1"), 19); /* durable like any other */
    close_();
    open_();
    OK(sample(M, 20, "1.70", 0));
    assert_int_equal(number("select count(*) from alarm"), 0); /* still on trial */
    set("phase live");
    assert_int_equal(number("select count(*) from alarm where kind=0 and cleared is null and peak=1700000"), 1); /* what stands goes to the desk */
    OK(sample(M, 21, "0.10", 0));
    OK(sample(M, 60, "0.10", 0));
    assert_int_equal(number("select count(*) from alarm where kind=0 and cleared is not null"), 1);
    assert_int_equal(number("select count(*) from trial_alarm where kind=0 and cleared is null"), 1); /* the trial's word stays as it was */
    close_();
    struct rebuild_result r;
    OK(engine_rebuild(dir, NULL, &r, &err));
    assert_int_equal(r.differ, 0);
    open_();
}

static void a_confirmed_class_stays(void **s) {
    (void)s;
    define();
    OK(sample(M, 1, "0.40", 0));
    assert_true(p1().eff.hi_alarm == fx("1.0") && !p1().confirmed);
    set("class P1 F_INT\nclass NOT_THERE F_INT");
    assert_true(p1().eff.hi_alarm == fx("0.5") && p1().confirmed);
    define(); /* the text says another class: the person's word stands */
    OK(sample(M, 2, "0.40", 0));
    close_();
    open_();
    assert_true(p1().eff.hi_alarm == fx("0.5") && p1().confirmed);
    OK(sample(M, 3, "0.60", 0));
    assert_int_equal(number("select count(*) from alarm where kind=0 and lim=500000"), 1);
}

static void another_code_of_the_mine(void **s) {
    (void)s;
    define();
    assert_int_equal(sample(OTHER, 1, "0.40", 0), ZB_E_DENIED);
    set("alias " OTHER);
    assert_int_equal(engine_aliases(en, STR(M), NULL, NULL), 1);
    OK(sample(OTHER, 2, "0.41", 0));
    assert_string_equal(u.mine, M);
    assert_int_equal(samples("P1"), 1);
    close_();
    struct rebuild_result r;
    OK(engine_rebuild(dir, NULL, &r, &err));
    open_();
    assert_int_equal(samples("P1"), 1); /* the log knew what the code meant */
    OK(sample(OTHER, 3, "0.42", 0));
    set("unalias " OTHER);
    assert_int_equal(sample(OTHER, 4, "0.43", 0), ZB_E_DENIED);
}

static void a_compared_family_is_kept_beside(void **s) {
    (void)s;
    define();
    OK(sample(M, 1, "0.40", 0));
    set("compare F4\ntwin F4 P1 Q1"); /* as if another family were the judged one */
    OK(sample(M, 2, "1.60", 0));
    assert_int_equal(number("select count(*) from alarm where kind=0"), 0);
    assert_int_equal(samples("P1"), 1);
    assert_int_equal(samples("Q1@F4"), 1);
    close_();
    open_();
    set("twin F4 P1 -");
    OK(sample(M, 3, "1.60", 0));
    assert_int_equal(samples("P1@F4"), 1);
    set("judge F4");
    OK(sample(M, 4, "1.60", 0));
    assert_int_equal(samples("P1"), 2);
    assert_int_equal(number("select count(*) from alarm where kind=0"), 1);
}

static void what_came_is_counted_once(void **s) {
    (void)s;
    define();
    for (int k = 1; k < 130; k++) {
        OK(sample(M, k, "0.40", 0));
        if (k % 50 == 49) {
            close_();
            open_();
        }
    }
    engine_settle(en);
    assert_int_equal(number("select files from feed_hour where type='CDSS' order by hour limit 1"), 119);
    assert_int_equal(number("select sum(files) from feed_hour where type='CDSS'"), 129);
    assert_int_equal(number("select sum(records) from feed_hour"), 130);
    OK(put(M, "CDSS", 131, "P1;环境瓦斯;x;0.1;%CH4;0;2026-03-01 01:05:30~P1;环境瓦斯;x;0.2;%CH4;0;2026-03-01 01:05:30~"));
    engine_settle(en);
    assert_int_equal(number("select sum(doubled) from feed_hour"), 1);
    close_();
    struct rebuild_result r;
    OK(engine_rebuild(dir, NULL, &r, &err));
    open_();
    assert_int_equal(number("select sum(files) from feed_hour where type='CDSS'"), 130);
}

static void an_older_people_file_replaces_nothing(void **s) {
    (void)s;
    OK(put(M, "RYSS", 10, "C1;甲;1;2026-03-01 00:00:00;;A1;;R1;2026-03-01 00:00:00~"));
    OK(put(M, "RYSS", 5, "")); /* of before, nobody below: comes late */
    assert_int_equal(number("select t from latest where type='RYSS'"), when(10));
    close_();
    open_();
    OK(put(M, "RYSS", 6, "")); /* and after a restart, against what is stored */
    assert_int_equal(number("select t from latest where type='RYSS'"), when(10));
    OK(put(M, "RYSS", 11, ""));
    assert_int_equal(number("select t from latest where type='RYSS'"), when(11));
}

static int report(int k, const char *type, int from, int end) { /* of the file of minute k/2; end 0: it lasts */
    char body[300], a[ZB_TIME_CAP], b[ZB_TIME_CAP], c[ZB_TIME_CAP];
    snprintf(body, sizeof body, "P1;环境瓦斯;1101工作面上隅角;%%CH4;%s;%s;%s;;;;;;;;;;%s~", type, zb_time_text(when(from), a),
             end ? zb_time_text(when(end), b) : "", zb_time_text(when(k), c));
    return put(M, "YCBJ", k, body);
}
static void desk(const char *expect) { /* what stands there, with what officers did, and what gave way */
    struct db *db = engine_reader(en, &err);
    struct stmt *q = db_use(db, "select kind, raised, cleared, state, merged is not null from alarm order by merged is not null, kind, raised", &err);
    char got[600] = "";
    assert_non_null(q);
    while (stmt_row(q, &err) == 1)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s %lld-%lld %lld;", stmt_col_i64(q, 4) ? "gone " : "", ALARM_KIND_KEY[stmt_col_i64(q, 0)],
                 (long long)(stmt_col_i64(q, 1) - when(0)) / 30000, stmt_col_null(q, 2) ? -1ll : (long long)(stmt_col_i64(q, 2) - when(0)) / 30000,
                 (long long)stmt_col_i64(q, 3));
    stmt_done(&q);
    engine_reader_back(en, db);
    assert_string_equal(got, expect);
}
static void acknowledge(void) {
    struct db *w = engine_writer(en);
    struct stmt *q = db_use(w, "update alarm set state=1, acked=1, acked_by='officer' where kind=?", &err);
    stmt_i64(q, 1, ALARM_REPORTED);
    OK(stmt_run(q, &err));
    stmt_done(&q);
    engine_writer_back(en);
}
#define ONE "over-limit 10-20 1;reported 5-7 0;gone reported 10-20 1;"
/* What the mine tells of itself and what we find is one fact, whatever comes first; a report of something else stays. */
static void a_report_and_a_finding_are_one(void **s) {
    (void)s;
    define();
    OK(report(5, "004", 5, 0));
    OK(report(7, "004", 5, 7));
    for (int k = 10; k < 20; k++) OK(report(k, "001", 10, 0));
    acknowledge(); /* before a sample was there */
    OK(report(20, "001", 10, 20));
    for (int k = 1; k < 40; k++) OK(sample(M, k, k >= 10 && k < 20 ? "1.20" : "0.40", 0));
    desk("over-limit 10-20 1;reported 5-7 1;gone reported 10-20 1;");
    close_();
    struct rebuild_result r;
    OK(engine_rebuild(dir, NULL, &r, &err));
    assert_int_equal(r.differ, 0);
    open_();
    desk("over-limit 10-20 1;reported 5-7 1;gone reported 10-20 1;");
}
static void newest_first_it_is_the_same(void **s) {
    (void)s;
    define();
    OK(report(20, "001", 10, 20));
    desk("reported 10-20 0;");
    acknowledge();
    for (int k = 19; k >= 10; k--) OK(report(k, "001", 10, 0)); /* it stood then: that is known */
    desk("reported 10-20 1;");
    for (int k = 1; k < 40; k++) OK(sample(M, k, k >= 10 && k < 20 ? "1.20" : "0.40", 0));
    OK(report(7, "004", 5, 7));
    OK(report(5, "004", 5, 0));
    desk(ONE);
    OK(report(12, "008", 12, 14)); /* of a kind that we do not find */
    OK(report(28, "001", 28, 29)); /* of the kind, at another time */
    desk("over-limit 10-20 1;reported 5-7 0;reported 12-14 0;reported 28-29 0;gone reported 10-20 1;");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(a_report_and_a_finding_are_one, up, down),
                                       cmocka_unit_test_setup_teardown(newest_first_it_is_the_same, up, down),
                                       cmocka_unit_test_setup_teardown(a_trial_raises_nothing_until_it_is_accepted, up, down),
                                       cmocka_unit_test_setup_teardown(a_confirmed_class_stays, up, down),
                                       cmocka_unit_test_setup_teardown(another_code_of_the_mine, up, down),
                                       cmocka_unit_test_setup_teardown(a_compared_family_is_kept_beside, up, down),
                                       cmocka_unit_test_setup_teardown(what_came_is_counted_once, up, down),
                                       cmocka_unit_test_setup_teardown(an_older_people_file_replaces_nothing, up, down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
