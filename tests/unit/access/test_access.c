#include "../test.h"
#include "access/access.h"
#include "audit/audit.h"

static struct db *db;
static struct policy *p;
static zb_time now;
static int up(void **s) {
    (void)s;
    now = at("2026-03-01 00:00:00");
    OK(policy_load(getenv("POLICY"), &p, &err));
    OK(db_open(join(scratch(), "z.db"), DB_WRITE, &db, &err));
    OK(audit_init(db, &err));
    OK(access_init(db, &err));
    OK(user_add(db, p, STR("root"), now, STR("duty"), STR("officer"), STR("1402"), STR("a long password"), &err));
    return 0;
}
static int down(void **s) {
    (void)s;
    db_close(db);
    policy_unref(p);
    return 0;
}
static char token[65];
static struct actor a;
static int login(const char *u, const char *pw) {
    err.msg[0] = 0;
    return session_open(db, str_of(u), str_of(pw), STR("10.0.0.1"), now, token, &a, &err);
}

static void sessions(void **s) {
    (void)s;
    OK(login("duty", "a long password"));
    assert_string_equal(a.role, "officer");
    struct actor b;
    OK(session_find(db, str_of(token), now + ZB_HOUR, &b, &err));
    assert_string_equal(b.csrf, a.csrf);
    assert_int_equal(session_find(db, str_of(token), now + 13 * ZB_HOUR, &b, &err), ZB_E_DENIED);
    token[0] ^= 1;
    assert_int_equal(session_find(db, str_of(token), now, &b, &err), ZB_E_DENIED);
    token[0] ^= 1;
    OK(session_close(db, str_of(token), &err));
    assert_int_equal(session_find(db, str_of(token), now, &b, &err), ZB_E_DENIED);
}
static void wrong_name_and_wrong_password_look_alike(void **s) {
    (void)s;
    char first[200];
    assert_int_equal(login("duty", "wrong password"), ZB_E_DENIED);
    strcpy(first, err.msg);
    assert_int_equal(login("nobody", "wrong password"), ZB_E_DENIED);
    assert_string_equal(err.msg, first);
    assert_null(strstr(err.msg, "wrong password "));
    for (int i = 0; i < 4; i++) assert_int_equal(login("duty", "x"), ZB_E_DENIED);
    assert_int_equal(login("duty", "a long password"), ZB_E_LIMIT); /* throttled, even with the right one */
    now += 16 * ZB_MINUTE;
    OK(login("duty", "a long password"));
}
static void rules_for_accounts(void **s) {
    (void)s;
    assert_int_equal(user_add(db, p, STR("root"), now, STR("duty"), STR("officer"), STR("14"), STR("a long password"), &err), ZB_E_CONFLICT);
    assert_int_equal(user_add(db, p, STR("root"), now, STR("x\"y"), STR("officer"), STR("14"), STR("a long password"), &err), ZB_E_INPUT);
    assert_int_equal(user_add(db, p, STR("root"), now, STR("b"), STR("king"), STR("14"), STR("a long password"), &err), ZB_E_INPUT);
    assert_int_equal(user_add(db, p, STR("root"), now, STR("b"), STR("officer"), STR("x"), STR("a long password"), &err), ZB_E_INPUT);
    assert_int_equal(user_add(db, p, STR("root"), now, STR("b"), STR("officer"), STR("14"), STR("short"), &err), ZB_E_INPUT);
}
static void upload_tokens(void **s) {
    (void)s;
    char mine[24];
    OK(token_add(db, STR("root"), now, STR("140214000123"), token, &err));
    OK(token_find(db, str_of(token), mine, &err));
    assert_string_equal(mine, "140214000123");
    OK(token_revoke(db, STR("root"), now, STR("140214000123"), &err));
    assert_int_equal(token_find(db, str_of(token), mine, &err), ZB_E_DENIED);
    assert_int_equal(token_revoke(db, STR("root"), now, STR("140214000123"), &err), ZB_E_ABSENT);
}
static void rights_and_areas(void **s) {
    (void)s;
    struct actor x = {.role = "viewer", .area = "1402"};
    assert_true(may(p, &x, "mine.read") && !may(p, &x, "alarm.ack") && !may(p, &x, "people.read"));
    strcpy(x.role, "operator");
    assert_true(may(p, &x, "anything"));
    x.upload = true;
    assert_false(may(p, &x, "mine.read"));
    assert_true(may_see(&x, "140214", "140214000123"));
    assert_false(may_see(&x, "140303", "140303000001"));
    strcpy(x.area, "140303000001");
    assert_true(may_see(&x, "140303", "140303000001"));
    assert_false(may_see(&x, "140303", "140303000002"));
    x.area[0] = 0;
    assert_false(may_see(&x, "140303", "140303000002"));
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest t[] = {T(sessions), T(wrong_name_and_wrong_password_look_alike), T(rules_for_accounts), T(upload_tokens), T(rights_and_areas)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
