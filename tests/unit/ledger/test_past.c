/* A past told in files: its dates, its order, its refusals, its clocks, its one journal entry; on SQLite and PostgreSQL. */
#include "../alarm_table.h"
#include "../pg.h"
#include "../test.h"
#include "ledger/inside.h"

static struct policy *p;
static struct db *db;
static char url[400], folder[200];
static bool postgres;

static void file(const char *name, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}
static int64_t number(const char *sql) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, &err);
    if (!q || stmt_row(q, &err) != 1) fail_msg("%s: %s", sql, err.msg);
    return stmt_col_i64(q, 0);
}
static int setup(void **st) {
    (void)st;
    if (!p) OK(policy_load(getenv("POLICY"), &p, &err));
    if (postgres)
        snprintf(url, sizeof url, "%s", pg_fresh());
    else
        snprintf(url, sizeof url, "%s/p.db", scratch());
    snprintf(folder, sizeof folder, "%s", scratch());
    OK(db_open(url, DB_WRITE, &db, &err));
    OK(audit_init(db, &err));
    OK(db_exec(db, ALARM_TABLE, &err));
    OK(ledger_migrate(db, p, 0, &err));
    file("site", "{\"n\":1,\"at\":\"2024-01-02 08:00:00\",\"id\":\"a\",\"who\":\"head h "
                 "140214\",\"act\":\"new\",\"v\":{\"code\":\"140214900001\",\"name\":\"示范一矿\",\"kind\":"
                 "\"coal_ug\",\"county\":\"140214\",\"sup_level\":\"county\"}}\n"
                 "{\"n\":4,\"at\":\"2025-03-01 08:00:00\",\"id\":\"a\",\"who\":\"head h 140214\",\"act\":\"edit\",\"v\":{\"name\":\"新名矿\"}}\n");
    file("credential", "{\"n\":2,\"at\":\"2024-01-03 08:00:00\",\"id\":\"k\",\"who\":\"issuer i "
                       "14\",\"act\":\"new\",\"v\":{\"site\":\"@a\",\"number\":\"X1\",\"kind\":\"safety_licence\","
                       "\"issued_on\":\"2024-01-01\",\"valid_to\":\"2025-06-30\"}}\n"
                       "{\"n\":3,\"at\":\"2024-01-03 08:00:00\",\"id\":\"k2\",\"who\":\"issuer i "
                       "14\",\"act\":\"new\",\"v\":{\"site\":\"@a\",\"number\":\"X2\",\"kind\":\"mining_licence\","
                       "\"issued_on\":\"2024-01-01\",\"valid_to\":\"2034-06-30\"}}\n");
    return 0;
}
static int teardown(void **st) {
    (void)st;
    db_close(db);
    return 0;
}
static int load(const char *until, struct past_result *r) { return ledger_past_load(db, p, "/tmp", folder, at(until), NULL, r, &err); }

static void dates(void **st) {
    (void)st;
    struct past_result r;
    OK(load("2025-12-31 23:59:59", &r));
    assert_int_equal(r.changes, 4);
    assert_int_equal(number("select known from h_site where rev=1"), at("2024-01-02 08:00:00"));
    assert_int_equal(number("select known_to from h_site where rev=1"), at("2025-03-01 08:00:00"));
    assert_int_equal(number("select created from l_site"), at("2024-01-02 08:00:00"));
    assert_int_equal(number("select count(*) from l_credential where number='X1' and state='expired'"), 1); /* by its clock, on its day */
    assert_int_equal(number("select known from h_credential where act='expire'") / 60000, at("2025-07-01 00:00:59") / 60000);
    assert_int_equal(number("select count(*) from h_credential where act='fall_due'"), 1);
    assert_int_equal(number("select count(*) from l_credential where number='X2' and state='valid'"), 1);
    char sql[120];
    snprintf(sql, sizeof sql, "select count(*) from ledger_clock where next<=%lld", (long long)at("2025-12-31 23:59:59"));
    assert_int_equal(number(sql), 0); /* no flood of reminders when it is served */
    assert_int_equal(number("select count(*) from journal"), 1);
    assert_int_equal(number("select count(*) from journal where what='ledger.past' and body like '%\"entries\":8%'"), 1);
    struct audit_result res;
    OK(audit_verify(db, "/nonexistent", NULL, &res, &err));
    assert_int_equal(res.bad_seq, 0);
}

static void until(void **st) {
    (void)st;
    struct past_result r;
    OK(load("2025-02-01 00:00:00", &r));
    assert_int_equal(r.changes, 3);
    assert_int_equal(number("select count(*) from l_site where name='示范一矿'"), 1);
    assert_int_equal(number("select count(*) from l_credential where number='X1' and state='valid'"), 1);
}

static void refused(void **st) {
    (void)st;
    struct past_result r;
    static const struct {
        const char *line, *want;
    } BAD[] = {{"{\"n\":5,\"at\":\"2025-04-01 08:00:00\",\"id\":\"f\",\"who\":\"inspector i "
                "140105\",\"act\":\"new\",\"v\":{\"site\":\"@a\",\"source\":\"self\",\"category\":\"gas\",\"text\":\"t\","
                "\"found_on\":\"2024-01-01\"}}",
                "finding.jsonl:1: new of f by inspector: site"}, /* a far county */
               {"{\"n\":5,\"at\":\"2025-04-01 08:00:00\",\"id\":\"f\",\"who\":\"inspector i 140214\",\"act\":\"new\",\"v\":{\"site\":\"@b\"}}", "\"@b\""},
               {"{\"n\":5,\"at\":\"2025-04-01 08:00:00\",\"id\":\"f\",\"who\":\"king i 140214\",\"act\":\"new\",\"v\":{}}", "role"},
               {"{\"n\":5,\"at\":\"yesterday\",\"id\":\"f\",\"who\":\"inspector i 140214\",\"act\":\"new\",\"v\":{}}", "at:"},
               {"{\"n\":5,\"at\":\"2025-04-01 08:00:00\",\"id\":\"f\",\"who\":\"inspector i 140214\",\"act\":\"close\",\"v\":{}}", "no such record"},
               {"{\"n\":5", "finding.jsonl:1"},
               {"{\"n\":5,\"at\":\"2024-02-01 08:00:00\",\"id\":\"f\",\"who\":\"inspector i "
                "140214\",\"act\":\"new\",\"v\":{\"site\":\"@a\",\"source\":\"self\",\"category\":\"gas\",\"text\":\"t\","
                "\"found_on\":\"2024-01-01\"}}",
                "earlier than"}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        file("finding", BAD[i].line);
        assert_int_not_equal(load("2026-12-31 00:00:00", &r), ZB_OK);
        if (!strstr(err.msg, BAD[i].want)) fail_msg("%zu: %s", i, err.msg);
        assert_int_equal(number("select count(*) from l_site"), 0); /* the batch as a whole */
    }
}

static const struct CMUnitTest TESTS[] = {cmocka_unit_test_setup_teardown(dates, setup, teardown), cmocka_unit_test_setup_teardown(until, setup, teardown),
                                          cmocka_unit_test_setup_teardown(refused, setup, teardown)};

int main(void) {
    int bad = ON_BOTH(TESTS, &postgres);
    policy_unref(p);
    return bad;
}
