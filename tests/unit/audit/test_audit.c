#include "../test.h"
#include "audit/audit.h"
#include <sys/stat.h>

static struct db *db;
static char dir[64];
static int up(void **s) {
    (void)s;
    strcpy(dir, scratch());
    mkdir(join(dir, "keys"), 0700);
    mkdir(join(dir, "checkpoints"), 0755);
    OK(db_open(join(dir, "z.db"), DB_WRITE, &db, &err));
    OK(audit_init(db, &err));
    for (int i = 0; i < 20; i++) {
        OK(db_begin(db, &err));
        OK(audit_append(db, at("2026-03-01 00:00:00") + i * 1000, STR("duty"), STR("alarm.ack"), STR("A1"), STR("{\"n\":1}"), &err));
        OK(db_commit(db, &err));
        if (i == 14) OK(audit_checkpoint(db, dir, at("2026-03-01 12:00:00"), &err));
    }
    return 0;
}
static int down(void **s) {
    (void)s;
    db_close(db);
    return 0;
}
static struct audit_result verify(void) {
    struct audit_result r;
    OK(audit_verify(db, dir, NULL, &r, &err));
    return r;
}
static void forge(const char *sql) {
    OK(db_exec(db, "drop trigger if exists journal_kept; drop trigger if exists journal_fixed", &err));
    OK(db_exec(db, sql, &err));
}
static void finds(const char *sql, int seq, const char *why) {
    forge(sql);
    struct audit_result r = verify();
    assert_int_equal(r.bad_seq, seq);
    if (!strstr(r.what, why)) fail_msg("%s", r.what);
}
static void clean(void **s) {
    (void)s;
    struct audit_result r = verify();
    assert_int_equal(r.bad_seq, 0);
    assert_int_equal(r.entries, 20);
    assert_int_equal(r.checkpoints, 1);
    assert_int_not_equal(db_exec(db, "delete from journal where seq=3", &err), ZB_OK);
    assert_int_not_equal(db_exec(db, "update journal set who='x' where seq=3", &err), ZB_OK);
    struct stat st;
    assert_int_equal(stat(join(dir, "keys/journal.pem"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}
static void altered(void **s) {
    (void)s;
    finds("update journal set body='{\"n\":2}' where seq=7", 7, "changed");
}
static void removed(void **s) {
    (void)s;
    finds("delete from journal where seq=7", 7, "missing");
}
static void removed_and_renumbered(void **s) {
    (void)s;
    finds("delete from journal where seq=7; update journal set seq=seq-1 where seq>7", 7, "does not follow");
}
static void reordered(void **s) {
    (void)s;
    finds("update journal set seq=-1 where seq=7; update journal set seq=7 where seq=8; update journal set seq=8 where seq=-1", 7, "does not follow");
}
static void dated_back(void **s) {
    (void)s;
    finds("update journal set t=t-86400000 where seq=7", 7, "changed");
}
static void tail_cut(void **s) {
    (void)s;
    finds("delete from journal where seq>10", 15, "cut off");
}
static void chain_made_anew(void **s) {
    (void)s;
    forge("delete from journal");
    for (int i = 0; i < 20; i++) {
        OK(db_begin(db, &err));
        OK(audit_append(db, at("2026-03-01 00:00:00") + i * 1000, STR("mallory"), STR("alarm.ack"), STR("A1"), STR("{}"), &err));
        OK(db_commit(db, &err));
    }
    struct audit_result r = verify();
    assert_int_equal(r.bad_seq, 15);
    assert_non_null(strstr(r.what, "made anew"));
}
static void foreign_checkpoint(void **s) {
    (void)s;
    char cmd[300];
    snprintf(cmd, sizeof cmd, "rm %s/keys/journal.pem", dir);
    assert_int_equal(system(cmd), 0);
    OK(audit_checkpoint(db, dir, at("2026-03-02 12:00:00"), &err)); /* makes a new key: the old checkpoint is no longer its */
    assert_non_null(strstr(verify().what, "not signed by this journal's key"));
}
static void a_clock_set_back_does_not_turn_the_order(void **s) {
    (void)s;
    OK(db_begin(db, &err));
    OK(audit_append(db, at("2020-01-01 00:00:00"), STR("x"), STR("y"), STR("z"), STR("{}"), &err));
    OK(db_commit(db, &err));
    assert_int_equal(verify().bad_seq, 0);
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest t[] = {T(clean),      T(altered),  T(removed),         T(removed_and_renumbered), T(reordered),
                                   T(dated_back), T(tail_cut), T(chain_made_anew), T(foreign_checkpoint),     T(a_clock_set_back_does_not_turn_the_order)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
