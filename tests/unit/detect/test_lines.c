/* Lines of four colours, change, rain, states, joint levels (thresholds B), and silence by how often a point comes. */
#include "mine.h"

static struct mine_facts F = {.code = "140981300007", .name = "示范尾矿库", .region = "140981"};
static struct point_def def(const char *code, const char *sensor) {
    struct point_def x = {.vt = VALUE_MN, POINT_PLAIN, .every = 10 * ZB_MINUTE};
    str_copy(str_of(code), x.code, sizeof x.code);
    str_copy(str_of(sensor), x.sensor_type, sizeof x.sensor_type);
    return x;
}
static void define(const char *code, const char *sensor) {
    struct point_def x = def(code, sensor);
    mine_define(p, m, &x, t0, &d);
}
static void feed(const char *code, const char *v, zb_time t) {
    struct sample x = {t, fx(v), 0};
    if (mine_due(m) <= t) mine_tick(p, m, t, &d);
    mine_sample(p, m, str_of(code), &x, t, &d);
    mine_heard(p, m, 10 * ZB_MINUTE, t, &d);
}
/* level of the point's standing alarm of a kind; NONE */
static enum alarm_level stands(const char *code, enum alarm_kind k) {
    struct pt *pt = pt_find(m, str_of(code));
    struct live *l = alarm_find(m, pt, code, k);
    return l && l->on && l->off_from == ZB_TIME_NONE ? l->a.level : LEVEL_NONE;
}

static void value_lines(void **s) {
    (void)s;
    struct point_def x = def("GT1", "Z101"); /* a beach: the smaller the worse; its own lines above what every dam must keep */
    x.line.lo[LEVEL_YELLOW] = fx("100"), x.line.lo[LEVEL_ORANGE] = fx("70"), x.line.lo[LEVEL_RED] = fx("30");
    mine_define(p, m, &x, t0, &d);
    static const struct {
        const char *v;
        enum alarm_level level;
    } T[] = {
        {"120", LEVEL_NONE}, {"100", LEVEL_YELLOW}, {"85.4", LEVEL_YELLOW}, {"70", LEVEL_ORANGE}, {"40", LEVEL_RED}}; /* 40: the law's line, not its own 30 */
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        feed("GT1", T[i].v, t0 + (zb_time)i * 10 * ZB_MINUTE);
        if (stands("GT1", ALARM_OVER_LO) != T[i].level) fail_msg("%s is %d", T[i].v, stands("GT1", ALARM_OVER_LO));
    }
    feed("GT1", "100.01", t0 + ZB_HOUR);
    feed("GT1", "100.01", t0 + 2 * ZB_HOUR);
    assert_null(alarm_find(m, pt_find(m, STR("GT1")), "", ALARM_OVER_LO));
    x = def("K1", "Z103"); /* a level: the greater the worse */
    x.line.hi[LEVEL_YELLOW] = fx("100"), x.line.hi[LEVEL_ORANGE] = fx("120"), x.line.hi[LEVEL_RED] = fx("140");
    mine_define(p, m, &x, t0, &d);
    feed("K1", "99.99", t0 + 3 * ZB_HOUR);
    assert_int_equal(stands("K1", ALARM_OVER_HI), LEVEL_NONE);
    feed("K1", "120", t0 + 4 * ZB_HOUR);
    assert_int_equal(stands("K1", ALARM_OVER_HI), LEVEL_ORANGE);
}
static void change(void **s) {
    (void)s;
    char v[32];
    define("E1.x", "Z401");
    for (int i = 0; i < 24 * 6; i++) { /* 9.9 mm in a day, evenly */
        snprintf(v, sizeof v, "%.4f", i * 9.9 / 144);
        feed("E1.x", v, t0 + i * 10 * ZB_MINUTE);
    }
    assert_int_equal(stands("E1.x", ALARM_RATE), LEVEL_NONE);
    feed("E1.x", "11", t0 + 24 * ZB_HOUR);
    assert_int_equal(stands("E1.x", ALARM_RATE), LEVEL_ORANGE);
    feed("E1.x", "16.5", t0 + 24 * ZB_HOUR + 10 * ZB_MINUTE); /* 5.5 in the hour */
    assert_int_equal(stands("E1.x", ALARM_RATE), LEVEL_RED);
    define("E2.x", "Z401"); /* the other way */
    feed("E2.x", "0", t0 + 24 * ZB_HOUR);
    feed("E2.x", "-4.99", t0 + 24 * ZB_HOUR + 30 * ZB_MINUTE);
    assert_int_equal(stands("E2.x", ALARM_RATE), LEVEL_NONE);
    feed("E2.x", "-5", t0 + 24 * ZB_HOUR + 40 * ZB_MINUTE);
    assert_int_equal(stands("E2.x", ALARM_RATE), LEVEL_RED);
}
static void rain(void **s) {
    (void)s;
    define("R1", "0031");
    for (int i = 0; i < 23; i++) feed("R1", "2", t0 + i * ZB_HOUR); /* 46 mm in 23 h, 24 mm in 12 h */
    assert_int_equal(stands("R1", ALARM_RAIN), LEVEL_NONE);
    feed("R1", "4", t0 + 23 * ZB_HOUR);
    assert_int_equal(stands("R1", ALARM_RAIN), LEVEL_YELLOW);
    /* frozen and thawed, the memory of the rain goes on */
    struct buf b;
    buf_init(&b, 1 << 22);
    mine_freeze(m, &b);
    struct mine_state *again;
    OK(mine_thaw(buf_str(&b), &again, &err));
    mine_free(m);
    m = again;
    mine_refresh(p, m);
    struct ring *r = &pt_find(m, STR("R1"))->watch->rain;
    assert_int_equal(ring_sum(r, t0 + 23 * ZB_HOUR, 24 * ZB_HOUR), fx("50"));
    feed("R1", "0", t0 + 30 * ZB_HOUR);
    assert_int_equal(stands("R1", ALARM_RAIN), LEVEL_NONE);
    for (size_t cut = 0; cut < b.n; cut += 1 + b.n / 400) assert_int_not_equal(mine_thaw((struct str){b.p, cut}, &again, &err), ZB_OK);
    buf_done(&b);
}
static void states(void **s) {
    (void)s;
    struct point_def x = def("P1", "4002");
    x.vt = VALUE_DT;
    mine_define(p, m, &x, t0, &d);
    feed("P1", "1", t0);
    assert_int_equal(stands("P1", ALARM_STATE), LEVEL_NONE);
    feed("P1", "2", t0 + ZB_MINUTE);
    assert_int_equal(stands("P1", ALARM_STATE), LEVEL_YELLOW);
    feed("P1", "0", t0 + 2 * ZB_MINUTE);
    assert_int_equal(stands("P1", ALARM_STATE), LEVEL_ORANGE);
    feed("P1", "1", t0 + 3 * ZB_MINUTE);
    assert_int_equal(stands("P1", ALARM_STATE), LEVEL_NONE);
}
static void joint(void **s) {
    (void)s;
    static const int T[][6] = {{0, 0, 0, 0, 0, LEVEL_NONE},   {0, 3, 0, 0, 0, LEVEL_BLUE},   {0, 4, 0, 0, 0, LEVEL_YELLOW},
                               {0, 3, 2, 0, 0, LEVEL_YELLOW}, {0, 0, 3, 0, 0, LEVEL_ORANGE}, {0, 0, 0, 2, 0, LEVEL_RED},
                               {0, 4, 2, 0, 0, LEVEL_YELLOW}, {0, 0, 0, 0, 1, LEVEL_RED},    {0, 0, 0, 1, 0, LEVEL_ORANGE}};
    assert_int_equal(p->joints, 1);
    for (size_t i = 0; i < sizeof T / sizeof *T; i++)
        if (level_raise(&p->joint[0], T[i]) != (enum alarm_level)T[i][5]) fail_msg("case %zu", i);
    /* a beach and a level orange: two items, the pond is red; one of them back: it is not */
    struct point_def x = def("GT1", "Z101");
    x.line.lo[LEVEL_ORANGE] = fx("70");
    mine_define(p, m, &x, t0, &d);
    x = def("K1", "Z103");
    x.line.hi[LEVEL_ORANGE] = fx("120");
    mine_define(p, m, &x, t0, &d);
    feed("GT1", "65", t0);
    assert_int_equal(stands("joint-0", ALARM_JOINT), LEVEL_NONE);
    feed("K1", "121", t0 + 10 * ZB_MINUTE);
    assert_int_equal(stands("joint-0", ALARM_JOINT), LEVEL_RED);
    feed("K1", "100", t0 + 20 * ZB_MINUTE);
    assert_int_equal(stands("joint-0", ALARM_JOINT), LEVEL_NONE);
}
/* a point every ten minutes is not silent after two, and is after four periods */
static void silence_by_period(void **s) {
    (void)s;
    define("K1", "Z103");
    define("K2", "Z103");
    feed("K1", "100", t0);
    feed("K2", "100", t0);
    for (int i = 1; i <= 6; i++) {
        feed("K1", "100", t0 + i * 10 * ZB_MINUTE);
        mine_tick(p, m, t0 + i * 10 * ZB_MINUTE + 9 * ZB_MINUTE, &d);
        assert_int_equal(stands("K2", ALARM_POINT_SILENT), i < 4 ? LEVEL_NONE : LEVEL_YELLOW);
        assert_int_equal(stands("", ALARM_MINE_LATE), LEVEL_NONE);
    }
    mine_tick(p, m, t0 + 91 * ZB_MINUTE, &d); /* three periods without a file */
    assert_null(alarm_find(m, NULL, "", ALARM_MINE_SILENT));
    assert_non_null(alarm_find(m, NULL, "", ALARM_MINE_LATE));
}
static void told_events(void **s) {
    (void)s;
    struct event v = {ALARM_OVER_TIME, ALARM_KINDS_N, LEVEL_NONE, STR("C1"), STR(""), STR("张三"), t0, ZB_TIME_NONE, ZB_FIX_NONE, false};
    mine_told(p, m, &v, t0, &d);
    mine_told(p, m, &v, t0 + ZB_MINUTE, &d); /* told again: the same */
    v.kind = ALARM_CALL;
    mine_told(p, m, &v, t0, &d);
    assert_int_equal(alarm_find(m, NULL, "C1", ALARM_OVER_TIME) != NULL, 0); /* several may stand for one card: found by their group */
    int n = 0;
    for (struct live *l = m->own; l; l = l->next) n += l->on;
    assert_int_equal(n, 2);
    v.end = t0 + ZB_HOUR;
    mine_told(p, m, &v, t0 + ZB_HOUR, &d);
    n = 0;
    for (struct live *l = m->own; l; l = l->next) n += l->a.kind == ALARM_CALL;
    assert_int_equal(n, 0);
    struct event moment = {ALARM_VIDEO, ALARM_KINDS_N, LEVEL_ORANGE, STR("CAM"), STR("0001"), STR("遮挡"), t0, t0, ZB_FIX_NONE, false};
    int before = d.n;
    mine_told(p, m, &moment, t0, &d);
    assert_true(d.n > before && d.a[d.n - 1].cleared == t0 && d.a[d.n - 1].level == LEVEL_ORANGE);
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, each, each_end)
    const struct CMUnitTest t[] = {T(value_lines), T(change), T(rain), T(states), T(joint), T(silence_by_period), T(told_events)};
    return cmocka_run_group_tests(t, up, policy_down);
}
