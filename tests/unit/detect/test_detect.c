#include "mine.h"

static struct mine_facts F = {.code = "140214900001", .name = "示范一矿", .region = "140214"};

static void define(const char *code, const char *type, const char *place, const char *relation, struct limits own) {
    struct point_def x = {.vt = type[0] == '1' ? VALUE_KG : VALUE_MN,
                          .range_hi = fx("4"),
                          .range_lo = 0,
                          .x = ZB_FIX_NONE,
                          .y = ZB_FIX_NONE,
                          .z = ZB_FIX_NONE,
                          .own = own,
                          .line = LINES_NONE,
                          .every = 30 * ZB_SECOND};
    str_copy(str_of(code), x.code, sizeof x.code);
    strcpy(x.station, "001");
    str_copy(str_of(type), x.sensor_type, sizeof x.sensor_type);
    str_copy(str_of(place), x.location, sizeof x.location);
    strcpy(x.unit, "%CH4");
    x.relation = str_of(relation);
    str_copy(str_of(policy_loc_class(p, str_of(place))), x.loc_class, sizeof x.loc_class);
    mine_define(p, m, &x, t0, &d);
}
static struct limits own(const char *alarm, const char *cut) {
    struct limits l = LIMITS_NONE;
    if (alarm) l.hi_alarm = l.hi_clear = fx(alarm);
    if (cut) l.hi_cut = fx(cut), l.hi_restore = fx(alarm);
    return l;
}
static void feed(const char *code, const char *v, uint32_t state, zb_time t) {
    struct sample x = {t, v ? fx(v) : ZB_FIX_NONE, state | (v ? 0 : ST_NO_VALUE)};
    if (mine_due(m) <= t) mine_tick(p, m, t, &d);
    mine_sample(p, m, str_of(code), &x, t, &d);
    mine_heard(p, m, 30 * ZB_SECOND, t, &d);
}
/* the last diff of a kind; NULL none */
static struct alarm *last(enum alarm_kind k) {
    for (int i = d.n; i--;)
        if (d.a[i].kind == k) return &d.a[i];
    return NULL;
}
static int raised(enum alarm_kind k) { /* different alarms of a kind */
    int n = 0;
    for (int i = 0; i < d.n; i++) {
        int first = d.a[i].kind == k;
        for (int j = 0; j < i; j++)
            if (!strcmp(d.a[j].id, d.a[i].id)) first = 0;
        n += first;
    }
    return n;
}
static bool standing(enum alarm_kind k) {
    struct alarm *a = last(k);
    return a && a->cleared == ZB_TIME_NONE;
}
#define G "14021490000101MN00010001"

static void reference_sequence(void **s) { /* thresholds A.1 */
    (void)s;
    static const char *const V[] = {"0.80", "0.99", "1.00", "1.20", "1.49", "1.50", "1.30", "1.00", "0.99"};
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    for (int i = 0; i < 9; i++) {
        feed(G, V[i], 0, t0 + i * 30000);
        assert_int_equal(standing(ALARM_OVER_HI), i >= 2);
        assert_int_equal(standing(ALARM_CUT), i >= 5);
    }
    mine_tick(p, m, t0 + 8 * 30000 + 5 * ZB_MINUTE, &d); /* held for the off-delay */
    assert_false(standing(ALARM_OVER_HI) || standing(ALARM_CUT));
    assert_true(last(ALARM_OVER_HI)->raised == t0 + 60000 && last(ALARM_OVER_HI)->cleared == t0 + 240000 && last(ALARM_CUT)->peak == fx("1.5"));
    assert_int_equal(raised(ALARM_OVER_HI), 1);
}
static void back_within_the_off_delay_is_one_alarm(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    for (int i = 0; i < 20; i++) feed(G, i % 2 ? "0.5" : "1.1", 0, t0 + i * 30000);
    assert_int_equal(raised(ALARM_OVER_HI), 1);
    assert_int_equal(last(ALARM_OVER_HI)->count, 10);
    for (int i = 20; i < 31; i++) feed(G, "0.5", 0, t0 + i * 30000);
    feed(G, "1.1", 0, t0 + 31 * 30000);
    assert_int_equal(raised(ALARM_OVER_HI), 2);
}
static void over_range_is_the_top_alarm(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    feed(G, "0.5", 0, t0);
    feed(G, NULL, ST_OVER_RANGE, t0 + 30000);
    assert_true(standing(ALARM_OVER_RANGE) && last(ALARM_OVER_RANGE)->level == LEVEL_RED);
    feed(G, NULL, ST_FAULT, t0 + 60000);
    assert_true(standing(ALARM_OVER_RANGE)); /* no value ends nothing */
}
static void flags_label_and_never_silence(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    feed(G, "2.0", ST_CALIB, t0);
    assert_true(standing(ALARM_OVER_HI) && (last(ALARM_OVER_HI)->labels & ST_CALIB) && standing(ALARM_CALIB));
    feed(G, "0.0", ST_CALIB, t0 + 30000);
    feed(G, "0.0", ST_PAUSED, t0 + 10 * ZB_MINUTE);
    assert_true(standing(ALARM_OVER_HI) && standing(ALARM_MASKED));
    feed(G, "0.2", 0, t0 + 11 * ZB_MINUTE);
    feed(G, "0.2", 0, t0 + 17 * ZB_MINUTE);
    assert_false(standing(ALARM_OVER_HI) || standing(ALARM_CALIB) || standing(ALARM_MASKED));
}
static void stricter_limit_and_lax_alarm(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("2.5", "2.5"));
    assert_true(standing(ALARM_LAX_LIMIT));
    feed(G, "1.0", 0, t0);
    assert_true(standing(ALARM_OVER_HI) && last(ALARM_OVER_HI)->limit == fx("1"));
    define("B", "0001", "1101工作面上隅角", "", own("0.8", "1.0"));
    feed("B", "0.8", 0, t0);
    assert_true(last(ALARM_OVER_HI)->limit == fx("0.8"));
    define("C", "0001", "某处", "", LIMITS_NONE); /* no class: the strictest */
    feed("C", "1.0", 0, t0);
    assert_string_equal(last(ALARM_CUT)->point, "C");
    feed("UNKNOWN", "9.9", 0, t0); /* never defined: kept, without limits, and nothing falls over */
}
static void low_limit(void **s) {
    (void)s;
    define("O2", "0012", "1101工作面", "", LIMITS_NONE);
    feed("O2", "20.0", 0, t0);
    assert_false(standing(ALARM_OVER_LO));
    feed("O2", "19.8", 0, t0 + 30000);
    assert_true(standing(ALARM_OVER_LO) && last(ALARM_OVER_LO)->peak == fx("19.8"));
}
static void lost_while_rising_is_red(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    define("B", "0001", "1101工作面", "", own("1.0", "1.5"));
    feed(G, "0.40", 0, t0);
    feed(G, "0.60", 0, t0 + 30000);
    feed(G, "0.90", 0, t0 + 60000);
    feed(G, NULL, ST_FAULT, t0 + 90000);
    assert_true(standing(ALARM_FAULT) && last(ALARM_FAULT)->level == LEVEL_RED);
    feed("B", "0.3", 0, t0 + 60000);
    feed("B", NULL, ST_FAULT, t0 + 95000); /* and a second of the same place with it */
    assert_true(!strcmp(last(ALARM_FAULT)->point, "B") && last(ALARM_FAULT)->level == LEVEL_RED);
}
static void one_lost_at_rest_is_yellow(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    for (int i = 0; i < 4; i++) feed(G, "0.3", 0, t0 + i * 30000);
    feed(G, NULL, ST_FAULT, t0 + 120000);
    assert_int_equal(last(ALARM_FAULT)->level, LEVEL_YELLOW);
}
static void cut_that_does_not_cut(void **s) {
    (void)s;
    define("F", "1011", "开关负荷侧", "", LIMITS_NONE);
    define("K", "1009", "断电器", "", LIMITS_NONE);
    define(G, "0001", "1101工作面上隅角", "K-K-断电器:D-F", own("1.0", "1.5"));
    feed("F", "1", 0, t0);
    feed("K", "1", 0, t0);
    feed(G, "1.6", 0, t0);
    assert_null(last(ALARM_FEED)); /* 2 s and a scan are allowed */
    feed("F", "1", 0, t0 + 30000);
    feed(G, "1.6", 0, t0 + 40000);
    assert_true(standing(ALARM_FEED) && last(ALARM_FEED)->level == LEVEL_RED && !strcmp(last(ALARM_FEED)->point, "F"));
    feed("F", "0", 0, t0 + 60000);
    feed("F", "0", 0, t0 + 120000);
    assert_false(standing(ALARM_FEED));
}
static void one_cause_one_alarm(void **s) {
    (void)s;
    char code[32];
    for (int i = 0; i < 50; i++) {
        snprintf(code, sizeof code, "P%d", i);
        define(code, "0001", "某处", "", own("1.0", "1.0"));
    }
    for (int k = 0; k < 20; k++)
        for (int i = 0; i < 50; i++)
            if (i || k < 4) {
                snprintf(code, sizeof code, "P%d", i);
                feed(code, "0.2", 0, t0 + k * 30000);
            }
    assert_int_equal(raised(ALARM_POINT_SILENT), 1); /* P0 went quiet while its mine talked */
    for (zb_time t = t0 + 600000; t < t0 + 3600000; t += 1000) mine_tick(p, m, t, &d);
    assert_int_equal(raised(ALARM_POINT_SILENT), 1); /* then the mine: one alarm, not fifty */
    assert_int_equal(raised(ALARM_MINE_SILENT), 1);
    assert_true(standing(ALARM_MINE_SILENT) && !standing(ALARM_MINE_LATE));
    feed("P1", "0.2", 0, t0 + 3700000);
    assert_false(standing(ALARM_MINE_SILENT));
}
static void silence_never_ends_an_over_limit(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    feed(G, "1.2", 0, t0);
    for (zb_time t = t0; t < t0 + 2 * ZB_HOUR; t += 60000) mine_tick(p, m, t, &d);
    assert_true(standing(ALARM_OVER_HI) && standing(ALARM_MINE_SILENT));
}
static void a_stop_of_ours_is_nobodys_silence(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    feed(G, "0.2", 0, t0);
    mine_resume(p, m, t0 + ZB_HOUR);
    mine_tick(p, m, t0 + ZB_HOUR + 1000, &d);
    assert_null(last(ALARM_MINE_SILENT));
    assert_null(last(ALARM_POINT_SILENT));
}
static void tell(const char *code, zb_time start, zb_time end, zb_fix peak, zb_time now) {
    static const enum alarm_kind SAME[] = {ALARM_KINDS_N, ALARM_OVER_HI, ALARM_CUT,   ALARM_FEED,      ALARM_FAULT,
                                           ALARM_STATION, ALARM_STATION, ALARM_CALIB, ALARM_OVER_RANGE};
    struct event v = {ALARM_REPORTED, SAME[code[2] - '0'], LEVEL_NONE, STR(G), str_of(code), STR(""), start, end, peak, false};
    mine_told(p, m, &v, now, &d);
}
static void station_and_report(void **s) {
    (void)s;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    mine_station(p, m, STR("001"), 1, t0, t0, &d);
    feed(G, NULL, ST_STATION, t0);
    assert_true(standing(ALARM_STATION));
    assert_string_equal(last(ALARM_FAULT)->group, last(ALARM_STATION)->group);
    mine_station(p, m, STR("001"), 0, t0 + 60000, t0 + 60000, &d);
    mine_tick(p, m, t0 + 5 * ZB_MINUTE, &d);
    assert_false(standing(ALARM_STATION));
    tell("001", t0, ZB_TIME_NONE, fx("1.1"), t0);
    assert_true(standing(ALARM_REPORTED));
    tell("001", t0, t0 + 60000, fx("1.1"), t0 + 60000);
    assert_false(standing(ALARM_REPORTED));
    tell("004", t0, ZB_TIME_NONE, ZB_FIX_NONE, t0); /* two things of one point, side by side */
    tell("008", t0 + 1000, ZB_TIME_NONE, fx("4"), t0 + 1000);
    assert_int_equal(raised(ALARM_REPORTED), 3);
    tell("008", t0 + 1000, t0 + 2000, fx("4"), t0 + 2000);
    assert_false(standing(ALARM_REPORTED));
    tell("001", t0 + 90000, ZB_TIME_NONE, fx("1.2"), t0 + 120000);
    assert_string_equal(last(ALARM_REPORTED)->why, "same_as over-limit " G); /* whether we find it ourselves is for the record to say */
    tell("005", t0 + 90000, ZB_TIME_NONE, ZB_FIX_NONE, t0 + 120000);
    assert_string_equal(last(ALARM_REPORTED)->why, "same_as station 001");
}
/* a report came and went before we heard of it; what an older file says then changes nothing that stands, and an end that came first stays */
static void reports_in_any_order(void **s) {
    (void)s;
    struct event v = {ALARM_REPORTED, ALARM_OVER_HI, LEVEL_NONE, STR(G), STR("001"), STR(""), t0, t0 + 60000, ZB_FIX_NONE, false};
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    mine_told(p, m, &v, t0 + ZB_HOUR, &d);
    assert_int_equal(last(ALARM_REPORTED)->raised, t0);
    assert_int_equal(last(ALARM_REPORTED)->cleared, t0 + 60000);
    assert_false(standing(ALARM_REPORTED));
    v.start = t0 + ZB_HOUR, v.end = ZB_TIME_NONE;
    mine_told(p, m, &v, v.start, &d);
    assert_true(standing(ALARM_REPORTED));
    v.end = v.start + 30000, v.past = true; /* of a file of the backlog: it stood then */
    mine_told(p, m, &v, v.start + ZB_HOUR, &d);
    assert_true(standing(ALARM_REPORTED));
    v.past = false; /* the end itself */
    mine_told(p, m, &v, v.start + ZB_HOUR, &d);
    assert_false(standing(ALARM_REPORTED));
}
static void late_backlog(void **s) {
    (void)s;
    zb_time now = t0 + 6 * ZB_HOUR;
    define(G, "0001", "1101工作面上隅角", "", own("1.0", "1.5"));
    for (int i = 0; i < 60; i++) {
        struct sample x = {t0 + i * 30000, i > 10 && i < 20 ? fx("1.3") : i > 55 ? fx("1.2") : fx("0.3"), 0};
        mine_sample(p, m, STR(G), &x, now, &d);
    }
    assert_int_equal(raised(ALARM_OVER_HI), 2);
    assert_true(standing(ALARM_OVER_HI)); /* its last value is over: live */
    struct sample old = {t0, fx("9"), 0}, future = {now + ZB_HOUR, fx("9"), 0};
    assert_false(mine_sample(p, m, STR(G), &old, now, &d));
    assert_false(mine_sample(p, m, STR(G), &future, now, &d));
}
/* The past is judged by all that is known of the points, what they are tied to included. */
static void late_feed(void **s) {
    (void)s;
    define("F", "1011", "开关负荷侧", "", LIMITS_NONE);
    define(G, "0001", "1101工作面上隅角", "D-F", own("1.0", "1.5"));
    struct sample gas[20], power[20];
    for (int i = 0; i < 20; i++) {
        gas[i] = (struct sample){t0 + i * 30000, fx("0.3"), 0};
        power[i] = (struct sample){t0 + i * 30000, i > 5 && i < 12 ? fx("0") : fx("1"), 0};
    }
    const struct past past[] = {{STR(G), gas, 20}, {STR("F"), power, 20}};
    mine_rejudge(p, m, past, 2, false, &d);
    assert_non_null(last(ALARM_FEED));
    assert_int_equal(last(ALARM_FEED)->raised, t0 + 6 * 30000);
    assert_int_equal(last(ALARM_FEED)->cleared, t0 + 12 * 30000);
}
/* frozen and thawed at every step gives the same alarms as a straight run; no id twice for different alarms */
static void freeze_anywhere(void **s) {
    (void)s;
    static struct alarm straight[500];
    int n = 0;
    uint64_t seed = 5;
    for (int pass = 0; pass < 2; pass++) {
        each_end(s);
        each(s);
        seed = 5;
        define("F", "1011", "开关负荷侧", "", LIMITS_NONE);
        define(G, "0001", "1101工作面上隅角", "D-F", own("1.0", "1.5"));
        for (int i = 0; i < 400; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned r = (unsigned)(seed >> 40);
            char v[16];
            snprintf(v, sizeof v, "%u.%02u", r % 40 == 0 ? 1u : 0u, r % 100);
            feed(G, r % 23 == 0 ? NULL : v, r % 31 == 0 ? ST_CALIB : r % 37 == 0 ? ST_FAULT : 0, t0 + i * 30000);
            feed("F", r % 3 ? "1" : "0", 0, t0 + i * 30000);
            if (pass) {
                ZB_AUTO(buf_done) struct buf b;
                buf_init(&b, 1 << 20);
                mine_freeze(m, &b);
                mine_free(m);
                OK(mine_thaw(buf_str(&b), &m, &err));
                if (i % 100 == 0)
                    for (size_t cut = 0; cut < b.n; cut += 7) {
                        struct mine_state *x;
                        assert_int_not_equal(mine_thaw((struct str){b.p, cut}, &x, &err), ZB_OK);
                    }
            }
        }
        assert_true(d.n > 10 && d.n < 500);
        if (!pass) {
            n = d.n;
            memcpy(straight, d.a, (size_t)d.n * sizeof *d.a);
        }
    }
    assert_int_equal(d.n, n);
    for (int i = 0; i < n; i++)
        assert_true(!strcmp(straight[i].id, d.a[i].id) && straight[i].cleared == d.a[i].cleared && straight[i].peak == d.a[i].peak &&
                    straight[i].count == d.a[i].count);
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, each, each_end)
    const struct CMUnitTest t[] = {T(reference_sequence),
                                   T(back_within_the_off_delay_is_one_alarm),
                                   T(over_range_is_the_top_alarm),
                                   T(flags_label_and_never_silence),
                                   T(stricter_limit_and_lax_alarm),
                                   T(low_limit),
                                   T(lost_while_rising_is_red),
                                   T(one_lost_at_rest_is_yellow),
                                   T(cut_that_does_not_cut),
                                   T(one_cause_one_alarm),
                                   T(silence_never_ends_an_over_limit),
                                   T(a_stop_of_ours_is_nobodys_silence),
                                   T(station_and_report),
                                   T(reports_in_any_order),
                                   T(late_backlog),
                                   T(late_feed),
                                   T(freeze_anywhere)};
    return cmocka_run_group_tests(t, up, policy_down);
}
