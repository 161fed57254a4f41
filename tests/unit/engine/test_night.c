/* The night's judgement: uploads become a clue record in the shadow; the same day again gives the same; a stop that is none is found. */
#include "dir.h"
#include "../vectors.h"
#include "base/log.h"
#include "ledger/ledger.h"

static struct upload_result u;
#define M1 "140214900001"
#define M2 "140303900002"
static int64_t change(const char *ledger, const struct actor *who, json_t *values) {
    struct arena *a = arena_new(1 << 22);
    struct db *w = engine_writer(en);
    struct policy *p = engine_policy(en);
    struct lcall c = {.db = w, .policy = p, .l = &p->ledger[policy_ledger(p, str_of(ledger))], .now = zb_now(), .arena = a, .dir = dir, .actor = who};
    struct lchange ch = {.values = values, .at = ZB_TIME_NONE};
    int64_t id = 0;
    bool done;
    OK(ledger_change(&c, &ch, &id, &done, &err));
    json_decref(values);
    policy_unref(p);
    engine_writer_back(en);
    arena_free(a);
    return id;
}
static void words(const char *sql, char out[700]) {
    struct db *db = engine_reader(en, &err);
    struct stmt *q = db_once(db, sql, &err);
    assert_non_null(q);
    assert_int_equal(stmt_row(q, &err), 1);
    str_copy(stmt_col_text(q, 0), out, 700);
    stmt_done(&q);
    engine_reader_back(en, db);
}

/* Values as one CSV upload: what a mine without a national system sends. */
static struct buf file;
static void csv_begin(void) {
    buf_init(&file, 20 << 20);
    buf_puts(&file, "point,time,value,unit,location\n");
}
static void csv_row(const char *point, zb_time t, double v, const char *unit, const char *place) {
    char text[ZB_TIME_CAP];
    buf_printf(&file, "%s,%s,%.2f,%s,%s\n", point, zb_time_text(t, text), v, unit, place);
}
static void send(const char *mine, const char *type, const char *stamp, const char *end) {
    char name[80];
    snprintf(name, sizeof name, "%s_%s_%s.%s", mine, type, stamp, end);
    assert_false(file.over);
    OK(engine_submit(en, str_of(mine), STR("http"), str_of(name), buf_str(&file), true, &u, &err));
    assert_int_equal(u.refused, 0);
    buf_done(&file);
}
static json_t *site(const char *code, const char *name) {
    return json_pack("{s:s, s:s, s:s, s:s}", "code", code, "name", name, "county", "140214", "kind", "coal_ug");
}

static void a_faked_day_becomes_a_record_in_the_shadow(void **s) {
    (void)s;
    zb_time t = at("2026-03-01 00:00:00");
    static int v[4 * 2880];
    lcg = 3;
    double y = 0;
    for (int i = 0; i < 4 * 2880; i++) {
        y = 0.97 * y + 0.02 * (uni() + uni() + uni() - 1.5);
        v[i] = (int)(50 + 100 * y);
    }
    memcpy(v + 3 * 2880 + 600, v + 2880, 900 * sizeof *v); /* the fourth day shows a stretch of the second */
    csv_begin();
    for (int i = 0; i < 4 * 2880; i++) csv_row("P1", t + i * 30 * ZB_SECOND, v[i] / 100.0, "%CH4", "1101工作面");
    send(M1, "CSV", "20260305000000", "csv");
    csv_begin(); /* another mine shows the same four hours as its own */
    for (int i = 0; i < 480; i++) csv_row("Q7", t + 3 * ZB_DAY + (2000 + i) * 30 * ZB_SECOND, v[3 * 2880 + 1700 + i] / 100.0, "%CH4", "2203工作面");
    send(M2, "CSV", "20260305000000", "csv");
    struct night_result r;
    zb_time now = at("2026-03-05 02:00:00");
    OK(engine_night(en, zb_day_of(t) + 3, now, &r, &err)); /* the mines have no record yet: logged, nothing stored, nothing fails */
    assert_true(r.clues >= 2);
    assert_int_equal(r.fresh, 0);
    change("site", NULL, site(M1, "示范一矿"));
    change("site", NULL, site(M2, "示范二矿"));
    OK(engine_night(en, zb_day_of(t) + 3, now, &r, &err));
    assert_true(r.whole);
    assert_true(r.fresh >= 2);
    int64_t before = number("select count(*) from l_clue");
    char text[700];
    words("select reason from l_clue where rule='R36' and evidence like '%\"detector\":\"replay\"%'", text);
    assert_non_null(strstr(text, "逐一相同"));
    assert_int_equal(number("select count(*) from l_clue where state='trial' and shadow=1"), before);
    assert_int_equal(number("select count(*) from l_clue where evidence like '%\"detector\":\"twin\"%'"), 1);
    words("select reason from l_clue where evidence like '%\"detector\":\"twin\"%'", text);
    assert_true(strstr(text, M1) || strstr(text, M2));
    assert_true(number("select count(*) from s_clue_factors") > 0);
    assert_true(number("select count(*) from sensor_day where score>=90 and grade=3") >= 1);
    assert_true(number("select count(*) from journal where what='clue.new'") == before);
    OK(engine_night(en, zb_day_of(t) + 3, now + ZB_HOUR, &r, &err)); /* again: nothing new */
    assert_int_equal(r.fresh, 0);
    assert_int_equal(number("select count(*) from l_clue"), before);
    OK(engine_night(en, zb_day_of(t) + 1, now, &r, &err)); /* an honest day */
    assert_int_equal(r.clues, 0);
}

/* A wall that goes, its hazard in the shadow: no alarm of a warning, one clue for its owner; told again it is the same clue. */
static void a_warning_in_the_shadow(void **s) {
    (void)s;
    const char *mine = "140221000009";
    zb_time t = at("2026-01-02 08:00:00");
    json_t *v = json_pack("{s:s, s:s, s:s, s:s}", "code", mine, "name", "示范露天矿", "county", "140221", "kind", "coal_open");
    change("site", NULL, v);
    buf_init(&file, 20 << 20);
    buf_printf(&file, "{\"send_time\":\"2026-03-23 08:00:00\",\"open_pit_no\":\"%s\",\"data\":[", mine);
    for (int day = 0; day < 80; day++) {
        char text[ZB_TIME_CAP];
        double mm = .7 * day + (day > 60 ? 80 * (1 / (80.5 - day) - 1 / 20.5) : 0);
        buf_printf(&file, "%s{\"equip_no\":\"G1\",\"monitor_time\":\"%s\",\"x_disp\":\"%.2f\"}", day ? "," : "", zb_time_text(t + day * ZB_DAY, text), mm);
    }
    buf_puts(&file, "]}");
    char name[80];
    snprintf(name, sizeof name, "%s_gnssrealtime_20260323080000_0001.json", mine);
    OK(engine_submit(en, str_of(mine), STR("import"), str_of(name), buf_str(&file), true, &u, &err));
    assert_int_equal(u.refused, 0);
    buf_done(&file);
    engine_settle(en);
    char kind[80];
    snprintf(kind, sizeof kind, "select count(*) from alarm where kind=%d", (int)ALARM_WARNING);
    assert_int_equal(number(kind), 0);
    assert_int_equal(number("select count(*) from foreseen where clue is null"), 1);
    struct night_result r;
    OK(engine_night(en, zb_day_of(t) + 80, at("2026-03-24 02:00:00"), &r, &err));
    assert_int_equal(number("select count(*) from foreseen where clue is null"), 0);
    assert_int_equal(number("select count(*) from l_clue where rule='R25' and state='trial' and shadow=1"), 1);
    char text[700];
    words("select reason from l_clue where rule='R25'", text);
    assert_non_null(strstr(text, "色预警："));
    OK(engine_night(en, zb_day_of(t) + 80, at("2026-03-24 03:00:00"), &r, &err));
    assert_int_equal(number("select count(*) from l_clue where rule='R25'"), 1);
}

/* kWh counters of a mine by the hour: normal, then a suspension in which the hoist goes on at night. */
static void a_standstill_that_is_none(void **s) {
    (void)s;
    zb_time t = at("2026-04-01 00:00:00");
    double total = 0, hoist = 0;
    lcg = 8;
    int64_t id = number("select id from l_site where code='" M2 "'");
    if (id < 0) id = change("site", NULL, site(M2, "示范二矿"));
    buf_init(&file, 1 << 20);
    buf_puts(&file, M2 ";示范二矿;2026-04-01 00:00:00~E1;总进线;35kV总进线;;;;;2026-04-01 00:00:00~E2;提升机;主井提升机;;;;;2026-04-01 00:00:00~||");
    send(M2, "DLDY", "20260401000000", "txt");
    buf_init(&file, 8 << 20);
    buf_puts(&file, M2 ";示范二矿;2026-05-16 00:00:00~");
    for (int h = 0; h < 45 * 24; h++) {
        bool stop = h >= 42 * 24, night = h % 24 >= 22 || h % 24 < 10;
        double k = stop ? (night ? 180 : 0) : 127, rest = stop ? 615 : 600 + 583;
        char when[ZB_TIME_CAP];
        hoist += k * (0.97 + 0.06 * uni());
        total += k + rest * (0.97 + 0.06 * uni());
        zb_time_text(t + h * ZB_HOUR + 59 * ZB_MINUTE, when);
        buf_printf(&file, "E1;;;;;;%.1f;0;%s~E2;;;;;;%.1f;0;%s~", total, when, hoist, when);
    }
    buf_puts(&file, "||");
    send(M2, "DLSS", "20260516000000", "txt");
    struct night_result r;
    OK(engine_night(en, zb_day_of(t) + 44, at("2026-05-16 02:00:00"), &r, &err));
    assert_int_equal(r.clues, 0); /* nobody has ordered a stop */
    static const struct actor HEAD = {.user = "chu", .role = "head", .area = "1402"};
    change("suspension", &HEAD,
           json_pack("{s:I, s:s, s:s, s:s, s:s}", "site", (json_int_t)id, "cause", "self_stop", "reason", "停产检修十天", "scope", "all", "ordered_on",
                     "2026-05-13"));
    OK(engine_night(en, zb_day_of(t) + 44, at("2026-05-16 02:00:00"), &r, &err));
    assert_int_equal(r.stops, 1);
    assert_int_equal(number("select count(*) from l_clue where rule='X04'"), 1);
    char text[700];
    words("select reason from l_clue where rule='X04'", text);
    assert_non_null(strstr(text, "主提升用电占比由平时"));
    assert_non_null(strstr(text, "主提升夜间规律用电"));
}

static void who_is_below(void **s) {
    (void)s;
    int64_t site_id = number("select id from l_site where code='" M2 "'"), before = number("select count(*) from l_clue");
    int n, fresh;
    assert_true(site_id > 0);
    change("person", NULL, json_pack("{s:s, s:I, s:s, s:s}", "name", "甲", "site", (json_int_t)site_id, "post", "worker", "card_no", "77001"));
    change("person", NULL, json_pack("{s:s, s:I, s:s, s:s}", "name", "乙", "site", (json_int_t)site_id, "post", "special_op", "card_no", "77002"));
    buf_init(&file, 1 << 20);
    buf_puts(&file, M2 ";示范二矿;2026-06-01 10:00:00~77001;甲;1;2026-06-01 02:00:00;;A1;2026-06-01 03:00:00;R1;2026-06-01 03:00:00~"
                       "77002;乙;1;2026-05-31 20:00:00;;A1;2026-05-31 21:00:00;R1;2026-05-31 21:00:00~"
                       "77003;丙;1;2026-06-01 09:00:00;;A1;2026-06-01 09:10:00;R1;2026-06-01 09:10:00~||");
    send(M2, "RYSS", "20260601100000", "txt");
    OK(engine_people(en, at("2026-06-01 12:00:00"), &n, &fresh, &err)); /* two hours old: says nothing of now */
    assert_int_equal(n, 0);
    OK(engine_people(en, at("2026-06-01 10:01:00"), &n, &fresh, &err));
    assert_int_equal(n, 3); /* no certificate, fourteen hours below, a card of nobody */
    assert_int_equal(fresh, 3);
    assert_int_equal(number("select count(*) from l_clue where rule='X01'"), 1);
    assert_int_equal(number("select count(*) from l_clue where rule='R22'"), 2);
    assert_int_equal(number("select count(*) from l_clue where reason like '%甲%' or reason like '%乙%'"), 0); /* cards, not names */
    OK(engine_people(en, at("2026-06-01 10:31:00"), &n, &fresh, &err));
    assert_int_equal(fresh, 0);
    assert_int_equal(number("select count(*) from l_clue"), before + 3);
}

/* A day that is over is judged by its tracks, hour by hour, as it would have been judged then: the same clues. */
static void the_hours_of_a_past_day(void **s) {
    (void)s;
    zb_time down = at("2026-06-02 16:00:00");
    struct night_result r;
    int n, fresh;
    for (int i = 0; i <= 16 * 6; i++) { /* thirteen hours, over midnight; then nobody is below */
        char text[ZB_TIME_CAP], stamp[ZB_TIME_CAP];
        zb_time t = down + ZB_MINUTE + i * 10 * ZB_MINUTE;
        buf_init(&file, 1 << 20);
        buf_printf(&file, M2 ";示范二矿;%s~", zb_time_text(t, text));
        if (i <= 13 * 6) buf_puts(&file, "77001;甲;1;2026-06-02 16:00:00;;A1;2026-06-02 16:00:30;R1;2026-06-02 16:00:30~");
        buf_puts(&file, "||");
        send(M2, "RYSS", zb_time_stamp(t, stamp), "txt");
        if (t != down + 12 * ZB_HOUR + 51 * ZB_MINUTE) continue;
        OK(engine_people(en, t + ZB_SECOND, &n, &fresh, &err)); /* live: the first hour after the twelfth */
        assert_int_equal(fresh, 1);
    }
    int64_t before = number("select count(*) from l_clue where rule='R22'");
    OK(engine_people(en, at("2026-06-03 08:00:00"), &n, &fresh, &err));
    assert_int_equal(fresh, 0);
    OK(engine_night(en, zb_day_of(down), zb_now(), &r, &err)); /* eight hours then: nothing */
    assert_int_equal(number("select count(*) from l_clue where rule='R22'"), before);
    OK(engine_night(en, zb_day_of(down) + 1, zb_now(), &r, &err));
    assert_int_equal(number("select count(*) from l_clue where rule='R22'"), before);
    OK(db_exec(engine_writer(en), "delete from l_clue where reason like '%77001%'", &err));
    engine_writer_back(en);
    OK(engine_night(en, zb_day_of(down) + 1, zb_now(), &r, &err)); /* nobody had looked then: by its tracks alone */
    assert_int_equal(number("select count(*) from l_clue where reason like '卡77001在井13.%小时%'"), 1);
}

int main(void) {
    log_quiet(1);
    const struct CMUnitTest t[] = {cmocka_unit_test(a_faked_day_becomes_a_record_in_the_shadow), cmocka_unit_test(a_warning_in_the_shadow),
                                   cmocka_unit_test(a_standstill_that_is_none), cmocka_unit_test(who_is_below), cmocka_unit_test(the_hours_of_a_past_day)};
    return cmocka_run_group_tests(t, up, down);
}
