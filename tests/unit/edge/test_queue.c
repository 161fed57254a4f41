/* The queue of the program at the mine: order, what survives a stop, what is given back, what is refused. */
#include "../test.h"
#include "edge/edge.h"
#include <sys/stat.h>

static struct edge_config c;
static char dir[64];
static struct queue *q;

static int up(void **s) {
    (void)s;
    strcpy(dir, scratch());
    c = (struct edge_config){.mine = "140214900001", .dir = dir, .queue_max = 1 << 20, .live_within = 10 * ZB_MINUTE};
    OK(queue_open(&c, &q, &err));
    return 0;
}
static int down(void **s) {
    (void)s;
    char cmd[100];
    queue_close(q);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}
static void again(void) {
    queue_close(q);
    OK(queue_open(&c, &q, &err));
}
static zb_time put(const char *time, const char *text, zb_time now) {
    char name[80], st[ZB_TIME_CAP];
    snprintf(name, sizeof name, "140214900001_CDSS_%s.txt", zb_time_stamp(at(time), st));
    OK(queue_put(q, str_of(name), str_of(text), now, &err));
    return at(time);
}
static int64_t pending(void) {
    struct queue_stat st;
    queue_stats(q, &st);
    return st.pending;
}
static char text[100];
static int keep(void *arg, const struct raw_record *r, struct zb_err *e) {
    (void)arg, (void)e;
    str_copy(r->bytes, text, sizeof text);
    return ZB_OK;
}
/* What is sent next, by its bytes; "" none. */
static const char *next(zb_time now, bool done) {
    struct queue_item i;
    text[0] = 0;
    if (!queue_next(q, now, &i, 1)) return text;
    OK(queue_read(q, &i, keep, NULL, &err));
    if (done) OK(queue_done(q, &i, 1, 0, now, &err));
    return text;
}

static void live_first_then_the_newest_of_the_backlog(void **s) {
    (void)s;
    zb_time now = at("2026-03-01 12:00:00");
    put("2026-03-01 09:00:00", "old 9", now);
    put("2026-03-01 11:58:00", "live 58", now);
    put("2026-03-01 10:00:00", "old 10", now);
    put("2026-03-01 11:55:00", "live 55", now);
    put("2026-03-01 09:30:00", "old 9:30", now);
    static const char *const ORDER[] = {"live 55", "live 58", "old 10", "old 9:30", "old 9", ""};
    for (int i = 0; i < 6; i++) {
        if (i == 2) again(); /* a stop changes nothing */
        assert_string_equal(next(now, true), ORDER[i]);
    }
    again();
    assert_int_equal(pending(), 0);
}

static void not_twice_and_not_lost(void **s) {
    (void)s;
    zb_time now = at("2026-03-01 12:00:00");
    put("2026-03-01 11:59:00", "one", now);
    put("2026-03-01 11:59:00", "one", now); /* the folder was read again after a stop */
    assert_int_equal(pending(), 1);
    again();
    put("2026-03-01 11:59:00", "one", now);
    assert_int_equal(pending(), 1);
    assert_string_equal(next(now, false), "one"); /* sent, and no answer came */
    again();
    assert_string_equal(next(now, true), "one");
    again();
    put("2026-03-01 11:59:00", "one", now); /* done, and still known */
    assert_int_equal(pending(), 0);
    put("2026-03-01 11:59:00", "corrected", now);
    assert_string_equal(next(now, true), "corrected");
}

/* a kill while a number was written: the torn number is not believed, those before it are */
static void a_torn_done_file(void **s) {
    (void)s;
    char path[100];
    struct stat st;
    zb_time now = at("2026-03-01 12:00:00");
    put("2026-03-01 11:51:00", "one", now);
    put("2026-03-01 11:52:00", "two", now);
    put("2026-03-01 11:53:00", "three", now);
    next(now, true), next(now, true);
    queue_close(q);
    snprintf(path, sizeof path, "%s/done", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 16);
    assert_int_equal(truncate(path, 13), 0);
    OK(queue_open(&c, &q, &err));
    assert_int_equal(pending(), 2);
    assert_string_equal(next(now, true), "two");
    assert_string_equal(next(now, true), "three");
    assert_string_equal(next(now, true), "");
}

static void full_tells_and_gives_room_back(void **s) {
    (void)s;
    char name[80], *big = malloc(20000);
    uint64_t x = 1;
    int n = 0, rc = ZB_OK;
    zb_time now = at("2026-03-01 12:00:00");
    for (int i = 0; i < 20000; i++) x = x * 6364136223846793005u + 1442695040888963407u, big[i] = (char)(x >> 40); /* as it is: zstd gains nothing */
    while (rc == ZB_OK && n < 200) {
        memcpy(big, &n, sizeof n);
        snprintf(name, sizeof name, "140214900001_CDSS_202603011150%02d.%d", n % 60, n);
        rc = queue_put(q, str_of(name), (struct str){big, 20000}, now, &err);
        n += rc == ZB_OK;
    }
    assert_int_equal(rc, ZB_E_LIMIT);
    assert_non_null(strstr(err.msg, "full"));
    assert_true(n > 40 && n < 60);
    assert_int_equal(pending(), n);
    struct queue_stat st;
    queue_stats(q, &st);
    int64_t disk = st.disk_bytes;
    for (int i = 0; i < n - 1; i++) next(now, true);
    queue_stats(q, &st);
    assert_true(st.disk_bytes < disk);
    assert_int_equal(st.pending, 1);
    OK(queue_put(q, STR("140214900001_CDSS_20260301115900.txt"), (struct str){big, 20000}, now, &err));
    again(); /* the numbers of what was removed are forgotten, those of the rest are not */
    assert_int_equal(pending(), 2);
    next(now, true), next(now, true);
    again();
    assert_int_equal(pending(), 0);
    free(big);
}

static void tables_of_one_second(void **s) {
    (void)s;
    zb_time now = at("2026-03-01 12:00:00");
    OK(queue_put_table(q, c.mine, STR("a"), now, &err));
    OK(queue_put_table(q, c.mine, STR("b"), now, &err)); /* the name is taken: a second later */
    OK(queue_put_table(q, c.mine, STR("a"), now, &err)); /* the same is there */
    assert_int_equal(pending(), 2);
    assert_string_equal(next(now, true), "a");
    assert_string_equal(next(now, true), "b");
}

/* a group is what single files would be in the same order; of one time, the corrected one after the one it corrects */
static void a_group_in_order(void **s) {
    (void)s;
    zb_time now = at("2026-03-01 12:00:00");
    struct queue_item i[EDGE_GROUP];
    put("2026-03-01 10:00:00", "old 10", now);
    put("2026-03-01 11:58:00", "live 58", now);
    put("2026-03-01 10:00:00", "old 10 corrected", now);
    put("2026-03-01 09:00:00", "old 9", now);
    put("2026-03-01 11:55:00", "live 55", now);
    static const char *const ORDER[] = {"live 55", "live 58", "old 10", "old 10 corrected", "old 9"};
    for (int most = 1; most <= 6; most++) {
        int n = queue_next(q, now, i, most);
        assert_int_equal(n, most < 5 ? most : 5);
        for (int k = 0; k < n; k++) {
            OK(queue_read(q, &i[k], keep, NULL, &err));
            assert_string_equal(text, ORDER[k]);
        }
    }
    struct queue_item done[] = {i[1], i[3], i[4]}; /* the others were told to wait */
    OK(queue_done(q, done, 3, 1, now, &err));
    again();
    assert_string_equal(next(now, true), "live 55");
    assert_string_equal(next(now, true), "old 10");
    assert_string_equal(next(now, true), "");
}

static void a_group_has_a_size(void **s) {
    (void)s;
    char name[80], *big = calloc(1, 400000); /* packed away in the log; under way as it is */
    zb_time now = at("2026-03-01 12:00:00");
    struct queue_item i[EDGE_GROUP];
    for (int k = 0; k < 4; k++) {
        snprintf(name, sizeof name, "140214900001_CDSS_2026030109000%d.txt", k);
        OK(queue_put(q, str_of(name), (struct str){big, k == 2 ? 400000 : 300000}, now, &err));
    }
    assert_int_equal(queue_next(q, now, i, EDGE_GROUP), 2); /* 300 and 400 kB: a third is too much */
    char *large = calloc(1, 1040000);
    OK(queue_put(q, STR("140214900001_CDSS_20260301115900.txt"), (struct str){large, 1040000}, now, &err));
    assert_int_equal(queue_next(q, now, i, EDGE_GROUP), 1); /* larger than a group: alone */
    free(large);
    free(big);
}

static void verdicts_go_by_name(void **s) {
    (void)s;
    struct parcel p[] = {{.name = STR("a")}, {.name = STR("b")}, {.name = STR("c")}, {.name = STR("d")}};
    int wait;
    assert_int_equal(
        verdicts_read(STR("{\"files\":[{\"file\":\"c\",\"code\":\"ok\",\"reasons\":[]},{\"file\":\"a\",\"code\":\"busy\",\"reasons\":[\"too much\"]},"
                          "{\"file\":\"x\",\"code\":\"ok\"},{\"file\":\"b\",\"code\":\"input\",\"reasons\":[\"no record is good\"]}],\"wait\":7}"),
                      p, 4, &wait),
        3);
    assert_int_equal(wait, 7);
    assert_int_equal(p[0].sent, SENT_NOT);
    assert_string_equal(p[0].why, "too much");
    assert_int_equal(p[1].sent, SENT_REFUSED);
    assert_string_equal(p[1].why, "no record is good");
    assert_int_equal(p[2].sent, SENT);
    assert_int_equal(p[3].sent, SENT_NOT);
    assert_int_equal(verdicts_read(STR("{\"file\":\"d\",\"duplicate\":true}"), p, 4, &wait), 1);
    assert_int_equal(p[3].sent, SENT);
    static const char *const NONE[] = {
        "", "<html>", "[]", "7", "{\"files\":{\"file\":\"a\"}}", "{\"files\":[\"a\",null]}", "{\"wait\":-1}", "{\"wait\":99999999}"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        assert_int_equal(verdicts_read(str_of(NONE[i]), p, 4, &wait), 0);
        assert_int_equal(wait, 0);
    }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest t[] = {T(live_first_then_the_newest_of_the_backlog),
                                   T(not_twice_and_not_lost),
                                   T(a_torn_done_file),
                                   T(full_tells_and_gives_room_back),
                                   T(tables_of_one_second),
                                   T(a_group_in_order),
                                   T(a_group_has_a_size),
                                   T(verdicts_go_by_name)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
