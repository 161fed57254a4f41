/* Hits over time: they begin, stay, end and come back; one mine's run touches no other; a rule whose SQL fails spoils nothing. */
#include "fixture.h"
#include "prove/hit.h"

static struct fixture f;
static zb_time T;

static int64_t count(const char *sql) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(f.db, sql, &err);
    if (!q) fail_msg("%s", err.msg);
    assert_int_equal(stmt_row(q, &err), 1);
    return stmt_col_i64(q, 0);
}
static void exec(const char *sql) { OK(db_exec(f.db, sql, &err)); }
static struct hits_sum look(int64_t site, zb_time now) {
    struct hits *h;
    struct hits_sum s;
    OK(db_clock(f.db, now, &err));
    OK(hits_look(f.db, f.p, site, &h, &err));
    OK(hits_store(f.db, f.p, h, now, &s, &err));
    hits_free(h);
    return s;
}
static void site_put(int id) {
    char sql[600];
    snprintf(sql, sizeof sql,
             "insert into l_site(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,code,name,kind,county,scale,levels_n,depth_m,"
             "shaft_depth_m,orebody,life_y) values(%d,1,'producing',0,'140214','1402','M%d',0,'t',0,'t','M%d','m','nm_ug','140214','small',5,100,10,'o%d',9)",
             id, id, id, id);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(f.db, sql, &err);
    if (!q) fail_msg("%s", err.msg);
    OK(stmt_run(q, &err));
}

static void life(void **st) {
    (void)st;
    T = at("2025-06-10 03:00:00");
    site_put(1);
    site_put(2);
    struct hits_sum s = look(0, T);
    assert_int_equal(s.failed, 0);
    assert_true(s.fresh > 0 && s.fresh == s.found);
    assert_int_equal(count("select count(*) from hit where rule='R58' and ended is null and unknown=0"), 2);
    assert_int_equal(count("select count(*) from hit where rule='R58' and site=1 and mine='M1' and area='140214' and times=1"), 1);
    s = look(0, T + ZB_DAY); /* seen again: nothing new */
    assert_int_equal(count("select count(*) from hit where rule='R58' and first_seen<last_seen and ended is null"), 2);
    assert_int_equal(count("select count(*) from hit where rule='R58'"), 2);
    exec("update l_site set levels_n=3 where id=1");
    s = look(1, T + 2 * ZB_DAY); /* one mine: its hit ends, the other's stays untouched */
    assert_int_equal(count("select count(*) from hit where rule='R58' and site=1 and ended is not null"), 1);
    assert_int_equal(count("select count(*) from hit where rule='R58' and site=2 and ended is null and last_seen>first_seen"), 1);
    exec("update l_site set levels_n=6 where id=1");
    s = look(0, T + 3 * ZB_DAY); /* back: the same hit a second time */
    assert_int_equal(count("select times from hit where rule='R58' and site=1 and ended is null and first_seen=last_seen"), 2);
    assert_int_equal(count("select count(*) from rule_run where trouble=''"), count("select count(*) from rule_run"));
}

static void failing(void **st) {
    (void)st;
    struct rule *u = (struct rule *)policy_rule(f.p, STR("R58"));
    struct rule_sql was = u->hit;
    int64_t others = count("select count(*) from hit where rule<>'R58' and ended is null");
    u->hit.text = "select 1 as site, 1 as since from l_no_such_table";
    struct hits_sum s = look(0, T + 4 * ZB_DAY);
    u->hit = was;
    assert_int_equal(s.failed, 1);
    assert_non_null(strstr(s.trouble, "l_no_such_table"));
    assert_int_equal(count("select count(*) from rule_run where rule='R58' and trouble<>''"), 1);
    assert_int_equal(count("select count(*) from hit where rule='R58' and ended is null"), 2); /* not known to be over */
    assert_int_equal(count("select count(*) from hit where rule<>'R58' and ended is null"), others);
}

/* A file with a parameter nobody named, one nobody uses, a value written into the SQL: refused with its place. */
static void refused(void **st) {
    (void)st;
    static const struct {
        const char *yaml, *why;
    } BAD[] = {
        {"source: s\nrules:\n  - {id: R1, zh: z, en: e, serves: x, action: clue, to: head, sql: \"select :no as site\", say: {zh: z, en: e}}\n", "x.yaml:3:"},
        {"source: s\nrules:\n  - {id: R1, zh: z, en: e, serves: x, action: clue, to: head, params: {a: {value: 1, note: n}}, sql: \"select 1 as site\", say: "
         "{zh: z, "
         "en: e}}\n",
         "not used"},
        {"source: s\nrules:\n  - {id: R1, zh: z, en: e, serves: x, action: clue, to: head, sql: \"select ?1 as site\", say: {zh: z, en: e}}\n", "no place"},
        {"source: s\nrules:\n  - {id: R1, zh: z, en: e, serves: x, action: shout, to: head, sql: \"select 1 as site\", say: {zh: z, en: e}}\n", "shout"}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char dir[64], cmd[400], path[300];
        snprintf(dir, sizeof dir, "%s", scratch());
        snprintf(cmd, sizeof cmd, "cp -r %s %s/p", getenv("POLICY"), dir);
        assert_int_equal(system(cmd), 0);
        snprintf(path, sizeof path, "%s/p/rules/x.yaml", dir);
        FILE *out = fopen(path, "w");
        fputs(BAD[i].yaml, out);
        fclose(out);
        struct policy *p;
        snprintf(path, sizeof path, "%s/p", dir);
        assert_int_equal(policy_load(path, &p, &err), ZB_E_INPUT);
        if (!strstr(err.msg, BAD[i].why) || !strstr(err.msg, "rules/x.yaml:3:")) fail_msg("%s: %s", BAD[i].why, err.msg);
        snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
        assert_int_equal(system(cmd), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(life), cmocka_unit_test(failing), cmocka_unit_test(refused)};
    fixture_open(&f, NULL);
    OK(hits_init(f.db, &err));
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    fixture_close(&f);
    return bad;
}
