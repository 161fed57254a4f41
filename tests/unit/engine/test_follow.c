/* What follows a hit: a clue becomes a record only once, reminders of one mine are one notice, a measure is a draft; what is excused or in shadow asks nobody. */
#include "../test.h"
#include "audit/audit.h"
#include "engine/inside.h"
#include "prove/hit.h"

static struct engine *en;
static struct db *look;

static int64_t count(const char *sql) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(en->writer, sql, &err);
    if (!q) fail_msg("%s", err.msg);
    if (stmt_row(q, &err) != 1) fail_msg("%s: %s", sql, err.msg);
    return stmt_col_i64(q, 0);
}
static void exec(const char *sql) {
    if (db_exec(en->writer, sql, &err) != ZB_OK) fail_msg("%s", err.msg);
}
static struct hits_sum run(zb_time now) {
    struct hits_sum s;
    OK(db_clock(look, now, &err));
    OK(engine_rules_run(en, look, 0, now, &s, &err));
    assert_int_equal(s.failed, 0);
    return s;
}

static void follow(void **st) {
    (void)st;
    zb_time T = zb_now();
    exec("insert into l_site(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,code,name,kind,county,sup_level) "
         "values(1,1,'producing',0,"
         "'140214','1402','M1',0,'t',0,'t','M1','示范一矿','coal_ug','140214','county')");
    /* R43: the same criterion again within a year: a measure; X05: a proposal, nothing follows */
    exec("insert into "
         "l_major_hazard(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text,closed_on) "
         "values(1,1,'closed',0,'140214','1402','M1',0,'t',0,'t',1,'p','COAL-2026-02.01','self',zb_today()-60,'t',zb_today()-40),"
         "(2,1,'rectifying',0,'140214','1402','M1',0,'t',0,'t',1,'p','COAL-2026-02.01','self',zb_today()-10,'t',null)");
    /* X08: zero report against a find: a clue */
    exec("insert into l_selfcheck(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,kind,period,zero) "
         "values(1,1,'received',0,'140214',"
         "'1402','M1',0,'t',0,'t',1,'monthly_major','2025-05',1)");
    exec("insert into l_major_hazard(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text) "
         "values(3,1,"
         "'rectifying',0,'140214','1402','M1',0,'t',0,'t',1,'p','COAL-2020-02.02','county',zb_date('2025-05-20'),'t')");
    run(at("2025-06-20 12:00:00"));
    int64_t clues = count("select count(*) from l_clue"), drafts = count("select count(*) from l_measure"), notices = count("select count(*) from outbox");
    assert_int_equal(count("select count(*) from l_clue where rule='X08' and site=1 and state='raised' and coalesce(shadow,0)=0 and reason like '%零报告%'"),
                     1);
    assert_int_equal(count("select count(*) from hit where rule='X08' and followed=1"), 1);
    assert_true(notices > 0);
    assert_int_equal(count("select count(*) from outbox where title_en='' or body_en=''"), 0);
    assert_int_equal(count("select count(*) from l_clue where reason_en is null"), 0);
    assert_int_equal(count("select count(*) from outbox where title like 'R44 %' and area='140214'"), 0); /* R44 is late already: a measure, not a reminder */
    assert_int_equal(count("select count(*) from l_measure where rule='R44' and site=1 and state='drafted' and kind='E02'"), 1);
    run(at("2025-06-20 13:00:00")); /* once */
    assert_int_equal(count("select count(*) from l_clue"), clues);
    assert_int_equal(count("select count(*) from l_measure"), drafts);
    assert_int_equal(count("select count(*) from outbox"), notices);
    run(T); /* this summer's repeat */
    assert_int_equal(count("select count(*) from l_measure where rule='R43' and site=1"), 1);
    assert_int_equal(count("select count(*) from hit where rule='X08' and ended is not null"), 1); /* long ago by now */
    assert_int_equal(count("select count(*) from hit where shadow=1 and action='measure' and followed=1"), 0);
    struct audit_result res;
    OK(audit_verify(en->writer, "/nonexistent", NULL, &res, &err));
    assert_int_equal(res.bad_seq, 0);
}

/* The thread sees a change in the journal and asks the rules of that mine. */
static void changed(void **st) {
    (void)st;
    int64_t before = count("select count(*) from hit where rule='R55' and ended is null");
    assert_int_equal(before, 0);
    OK(rules_start(en, &err));
    for (int i = 0; i < 100 && !count("select count(*) from rule_run"); i++) usleep(50000);
    for (int i = 0; i < 400; i++) { /* the first run of the province is over */
        if (count("select count(*) from rule_run where t>=1")) break;
        usleep(50000);
    }
    usleep(300000);
    struct db *w = engine_writer(en);
    OK(db_begin(w, &err));
    OK(db_exec(w, "update l_site set reserves_kt=0 where id=1", &err));
    OK(audit_append(w, zb_now(), STR("t"), STR("site.edit"), STR("site/1"), STR("{}"), &err));
    OK(db_commit(w, &err));
    engine_writer_back(en);
    int64_t got = 0;
    for (int i = 0; i < 400 && !got; i++) {
        usleep(50000);
        w = engine_writer(en);
        got = count("select count(*) from hit where rule='R55' and site=1 and ended is null");
        engine_writer_back(en);
    }
    rules_stop(en);
    assert_int_equal(got, 1);
}

int main(void) {
    char dir[200], path[260];
    snprintf(dir, sizeof dir, "%s/d", scratch());
    OK(engine_init(dir, getenv("POLICY"), NULL, &err));
    OK(engine_open(dir, NULL, &en, &err));
    snprintf(path, sizeof path, "%s/zhiben.db", dir);
    OK(db_open(path, DB_READ, &look, &err));
    const struct CMUnitTest tests[] = {cmocka_unit_test(follow), cmocka_unit_test(changed)};
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    db_close(look);
    engine_close(en);
    return bad;
}
