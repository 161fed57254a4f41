/* The samples printed in the reference decode to the values written there; the deviations it lists are met family by family. */
#include "decode.h"

static char file[64 << 10];
static int up(void **s) {
    now = at("2026-03-01 09:05:00");
    return policy_up(s);
}
static void fixture(const char *name) {
    char path[600];
    snprintf(path, sizeof path, "%s/tests/fixtures/formats/%s", getenv("SRC"), name);
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    size_t n = fread(file, 1, sizeof file - 1, f);
    fclose(f);
    file[n] = 0;
    if (dec(name, file) != ZB_OK) fail_msg("%s: %s", name, err.msg);
    assert_int_equal(b.refused, 0);
}
static const char *cell(int r, const char *f) {
    int i = format_field(&b.format->body, f);
    if (i < 0) fail_msg("%s has no field %s", b.format->type, f);
    return arena_str(a, b.rec[r].cell[i]);
}
#define CELL(r, f, v) assert_string_equal(cell(r, f), v)
static void sample(int r, int k, int of, const char *point, const char *v, const char *t) {
    struct observation o[FACTS_MAX];
    assert_int_equal(samples_of(p, &b, r, a, o), of);
    assert_string_equal(arena_str(a, o[k].point), point);
    if (o[k].s.v != fx(v)) fail_msg("%s is %lld", point, (long long)o[k].s.v);
    assert_int_equal(o[k].s.t, at(t));
    assert_int_equal(o[k].s.state, 0);
}
static struct point_def define(int r, int k, int of) {
    static struct point_def d[FACTS_MAX];
    assert_int_equal(points_of(p, &b, r, a, d), of);
    return d[k];
}
static struct event event(int r) {
    static struct event v[FACTS_MAX];
    assert_int_equal(events_of(p, &b, r, a, v), 1);
    return v[0];
}

static void coal_safety(void **s) {
    (void)s;
    fixture("140214000123_CDDY_20260301000010.txt");
    assert_int_equal(b.n, 2);
    struct point_def d = define(0, 0, 1);
    assert_string_equal(d.code, "14021400012301MN00010001");
    assert_true(d.own.hi_alarm == fx("1") && d.own.hi_clear == fx("0.99") && d.own.hi_cut == fx("1.5") && d.range_hi == fx("4") && d.vt == VALUE_MN);
    assert_true(d.x == fx("4428001.20") && d.y == fx("19626001.50") && d.z == fx("1080.30") && d.every == 30 * ZB_SECOND);
    assert_true(define(1, 0, 1).vt == VALUE_KG);
    fixture("140214000123_CDSS_20260301000030.txt");
    sample(0, 0, 1, "14021400012301MN00010001", "0.32", "2026-03-01 00:00:30");
    sample(1, 0, 1, "14021400012301KG10010003", "1", "2026-03-01 00:00:29");
    fixture("140214000123_TJSJ_20260301000500.txt");
    CELL(0, "max", "0.41");
    CELL(0, "max_time", "2026-03-01 00:03:12");
    CELL(0, "min", "0.28");
    CELL(0, "avg", "0.33");
    fixture("140214000123_YCBJ_20260301013030.txt");
    struct event v = event(0);
    assert_true(v.kind == ALARM_REPORTED && v.same_as == ALARM_OVER_HI && v.end == ZB_TIME_NONE && v.peak == fx("1.12") &&
                v.start == at("2026-03-01 01:28:00"));
}
static void people(void **s) {
    (void)s;
    fixture("140214000123_RYXX_20260301000100.txt");
    assert_int_equal(b.n, 2);
    CELL(0, "name", "张三");
    CELL(1, "leader", "1");
    assert_string_equal(b.format->keep, "RYXX");
    fixture("140214000123_RYSS_20260301080000.txt");
    assert_int_equal(b.n, 2);
    CELL(0, "distance", "-3.20");
    CELL(0, "track", "1402140001230001000001&2026-03-01 07:12:05,1402140001230003000017&2026-03-01 07:55:40");
    CELL(1, "flag", "2");
    fixture("140214000123_RYCY_20260301081500.txt");
    struct event v = event(0);
    assert_true(v.kind == ALARM_OVER_PEOPLE && str_is(v.subject, "1402140001230003") && v.peak == fx("21") && v.end == ZB_TIME_NONE &&
                str_is(v.say, "1101工作面"));
    CELL(0, "approved", "18");
    OK(dec("140214000123_RYQJ_20260301081500.txt",
           "140214000123;示范一矿;2026-03-01 08:15:00~14021400012301234;张三;2026-03-01 08:12:00;2026-03-01 08:14:00;2026-03-01 "
           "07:12:05;1402140001230003;2026-03-01 07:40:11;1402140001230003000017;2026-03-01 07:55:40~||"));
    v = event(0);
    assert_true(v.kind == ALARM_CALL && v.end == at("2026-03-01 08:14:00") && str_is(v.subject, "14021400012301234"));
    /* the older variant: no mine in the header, cards of 25, xxxx for no time */
    OK(dec("150622B0012000200092_RYSS_20260301080000.txt", "2026-03-01 08:00:00;1;00123/李四;~150622B001200020009200123;李四;1;2026-03-01 07:00:00;xxxx-xx-xx "
                                                           "xx:xx:xx;0001;2026-03-01 07:01:00;000001;2026-03-01 07:02:00;000001&2026-03-01 07:02:00~||"));
    assert_string_equal(b.format->family, "F4-NM");
    CELL(0, "out_time", "");
    CELL(0, "track", "000001&2026-03-01 07:02:00");
}
static void shanxi_xml(void **s) {
    (void)s;
    fixture("067000123_AQSS_20260301000030.xml");
    assert_int_equal(b.n, 2);
    sample(0, 0, 1, "000001.001A01", "0.32", "2026-03-01 00:00:30");
    sample(1, 0, 1, "000001.001D02", "1", "2026-03-01 00:00:30");
    fixture("067000123_AQMC_20260301000000.xml");
    struct point_def d = define(0, 0, 1);
    assert_string_equal(d.sensor_type, "0001");
    assert_string_equal(d.type_name, "甲烷");
    assert_string_equal(d.loc_class, "F_CORNER");
    assert_true(d.own.hi_alarm == fx("1") && d.own.hi_cut == fx("1.5") && d.own.hi_restore == fx("0.99") && d.own.lo_alarm == ZB_FIX_NONE &&
                d.range_hi == fx("4"));
    fixture("067000123_RYWZ_20260301080000.xml");
    CELL(0, "card", "01315");
    CELL(0, "track", "000012&2026-03-01 07:31:02,000017&2026-03-01 07:55:40");
    assert_string_equal(b.format->keep, "RYSS");
}
#define XML(body)                                                                                                                                              \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<root code=\"DB14/T 671.1-2012\"><head cs_mine_code=\"067000123\" cs_data_time=\"2026-03-01 "                 \
    "00:00:30\"/>" body "</root>"
#define AQSS "067000123_AQSS_20260301000030.xml"
#define AQMC "067000123_AQMC_20260301000030.xml"
#define ONE "<data ss_station_code=\"000001\" ss_transducer_code=\"001A01\" ss_transducer_state=\"0\" ss_analog_value=\"0.32\"/>"
static void xml_deviations(void **s) {
    (void)s;
    /* raw < and & in a place, two blanks, another order, blanks round values, </data>, unknown attributes, null */
    OK(dec(AQMC, XML("<Data  ss_transducer_point=\"1101<回风>&联巷\"  ss_transducer_code=\" 001A01 \" ss_station_code=\"000001\" ss_transducer_type=\"M0104\" "
                     "ss_analog_lower=\"0\" ss_analog_high=\"1000\" ss_analog_alarmlow=\"0.00\" ss_analog_alarmhigh=\"24.00\" ss_analog_pofflow=\"0.00\" "
                     "ss_analog_poffhigh=\"0.00\" ss_analog_ponlow=\"0.00\" ss_analog_ponhigh=\"23.50\" ss_gisnode_code=\"null\" vendor_note=\"x\"></Data>")));
    assert_true(b.repaired);
    CELL(0, "location", "1101<回风>&联巷");
    CELL(0, "point_code", "001A01");
    CELL(0, "node", "");
    assert_true(str_is(b.rec[0].ext, "vendor_note=x"));
    struct point_def d = define(0, 0, 1);
    assert_string_equal(d.sensor_type, "0004");
    assert_string_equal(d.unit, "ppm");
    assert_true(d.own.hi_alarm == fx("24") && d.own.hi_cut == ZB_FIX_NONE && d.own.lo_alarm == ZB_FIX_NONE && d.own.lo_cut == ZB_FIX_NONE);
    /* low cut = high cut: the high one; a low limit of 0 stands where the range goes below */
    OK(dec(
        AQMC,
        XML("<data ss_station_code=\"000001\" ss_transducer_code=\"001040\" ss_transducer_name=\"瓦斯\" ss_analog_unit=\"％CH4\" ss_analog_alarmlow=\"-0.01\" "
            "ss_analog_alarmhigh=\"0.75\" ss_analog_pofflow=\"1.00\" ss_analog_poffhigh=\"1.00\" ss_analog_ponlow=\"0.90\" ss_analog_ponhigh=\"0.90\"/>"
            "<data ss_station_code=\"000001\" ss_transducer_code=\"001041\" ss_transducer_type=\"M0201\" ss_analog_lower=\"-5.00\" ss_analog_alarmlow=\"0.00\" "
            "ss_analog_alarmhigh=\"34.00\"/>")));
    d = define(0, 0, 1);
    assert_string_equal(d.unit, "%CH4");
    assert_string_equal(d.sensor_type, "0001");
    assert_true(d.own.hi_cut == fx("1") && d.own.lo_cut == ZB_FIX_NONE && d.own.lo_restore == ZB_FIX_NONE && d.own.lo_alarm == ZB_FIX_NONE);
    d = define(1, 0, 1);
    assert_true(d.own.lo_alarm == 0 && d.own.hi_alarm == fx("34"));
    /* a mine's code that lost its zero, a state not 0, both values given, neither given */
    OK(dec(AQSS, "<root><head cs_mine_code=\"67000123\" cs_data_time=\"2026-03-01 00:00:30\"/>" ONE
                 "<data ss_station_code=\"000001\" ss_transducer_code=\"001A02\" ss_transducer_state=\"7\" ss_analog_value=\"null\"/></root>"));
    struct observation o[FACTS_MAX];
    assert_int_equal(samples_of(p, &b, 1, a, o), 1);
    assert_true(o[0].s.state == (ST_FAULT | ST_NO_VALUE));
    /* pretty printing; a name with only the type in it */
    OK(batch_decode(p, STR("AQSS_20260301000030.xml"), STR("067000123"), STR(XML("\n\n  " ONE "\n")), now, a, &b, &truncated, &err));
    assert_true(str_is(b.mine, "067000123"));
    static const struct {
        const char *text, *why;
        bool cut;
    } T[] = {
        {"<root><head cs_mine_code=\"067000123\" cs_data_time=\"2026-03-01 00:00:30\"/>" ONE, "</root>", true},
        {"<!DOCTYPE root [<!ENTITY a \"aaaa\">]><root><head cs_mine_code=\"067000123\" cs_data_time=\"2026-03-01 00:00:30\"/></root>", "document type", false},
        {"<root>" ONE "</root>", "no head", false},
        {"<other><head cs_mine_code=\"067000123\" cs_data_time=\"2026-03-01 00:00:30\"/></other></root>", "root element", false},
        {XML("<data><a><b><c/></b></a></data>"), "too deep", false},
        {XML("<head cs_mine_code=\"067000123\" cs_data_time=\"2026-03-01 00:00:30\"/>"), "second", false},
        {XML("<data ss_station_code=\"1\" ss_station_code=\"2\"/>"), "duplicate", false},
        {"<root><head cs_mine_code=\"067000999\" cs_data_time=\"2026-03-01 00:00:30\"/></root>", "says mine", false},
        {XML("<data ss_station_code=\"000001\" ss_transducer_code=\"001A01\" ss_analog_value=\"1,0\"/>"), "1,0", false}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        assert_int_equal(dec(AQSS, T[i].text), ZB_E_INPUT);
        if (!strstr(err.msg, T[i].why)) fail_msg("case %zu: %s", i, err.msg);
        assert_int_equal(truncated, T[i].cut);
    }
}
static void lines(void **s) {
    (void)s;
    fixture("140214001_20260301000030AQSS");
    sample(0, 0, 1, "000001.001A01", "0.32", "2026-03-01 00:00:30");
    CELL(0, "location", "1101上隅角");
    fixture("14021400012_20260301000030RYQY");
    CELL(0, "approved", "18");
    CELL(0, "name", "1101工作面");
    /* GBK; the same token elsewhere means outstations; an unfinished line */
    OK(dec("140214001_20260301000030AQSS",
           "\xC9\xBD\xCE\xF7;\xB4\xF3\xCD\xAC;x;140214001;000001;001A01;M0101;\xBB\xD8\xB7\xE7;0;0;0.32;2026-03-01/00:00:30;;\r\n"));
    CELL(0, "location", "回风");
    OK(dec("140214001_20260301000500AQFZ",
           "s;d;y;140214001;000001;001A01;M0101;x;0;0;0.3;0.4;2026-03-01/00:03:12;0.2;2026-03-01/00:01:05;2026-03-01/00:05:00;;\n"));
    CELL(0, "avg", "0.3");
    OK(dec("067000123_AQFZ_20260301000030.xml", XML("<data ss_station_code=\"000001\" ss_station_name=\"一号\"/>")));
    assert_string_equal(b.format->family, "F3");
    assert_int_equal(dec("140214001_20260301000030AQSS", "s;d;y;140214001;000001;001A01;M0101;x;0;0;0.32;2026-03-01/00:00:30;;"), ZB_E_INPUT);
    assert_true(truncated);
    assert_int_equal(dec("140214001_20260301000030AQSS", "\xFF\xFE;\n"), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "GB18030"));
}
static void pressure_and_water(void **s) {
    (void)s;
    fixture("140214000123_LCSS_20260301080000.txt");
    sample(0, 0, 2, "14021400012314MN14010001DBLC.shallow", "3", "2026-03-01 08:00:00");
    sample(0, 1, 2, "14021400012314MN14010001DBLC.deep", "9", "2026-03-01 08:00:00");
    struct observation o[FACTS_MAX];
    struct point_def d;
    assert_int_equal(samples_of(p, &b, 0, a, o), 2);
    assert_true(sample_point(p, &b, o[1].from, a, &d));
    assert_string_equal(d.sensor_type, "1401");
    assert_string_equal(d.unit, "mm");
    assert_string_equal(d.location, "1102巷道200m");
    /* state before value, and value before state */
    OK(dec("140214000123_CGKCDSS_20260301080000.txt", "140214000123;示范一矿;2026-03-01 08:00:00~G1;0;12.5;11.0;2026-03-01 08:00:00~||"));
    sample(0, 0, 2, "G1", "12.5", "2026-03-01 08:00:00");
    OK(dec("140214000123_PSLCDSS_20260301080000.txt", "140214000123;示范一矿;2026-03-01 08:00:00~P1;120.5;0;2400;2026-03-01 08:00:00~||"));
    sample(0, 0, 2, "P1", "120.5", "2026-03-01 08:00:00");
    /* a borehole definition with the long and with the short header */
#define BORE "B1;一采区;1201;1101;6.5;2026-01-01;1;2;3;N;5&10~||"
    OK(dec("140214000123_ZKYL_20260301080000.txt", "140214000123;示范一矿;系统;KJ1;2027-01-01;2026-03-01 08:00:00~" BORE));
    assert_string_equal(b.format->family, "F4-KY");
    OK(dec("140214000123_ZKYL_20260301080000.txt", "140214000123;示范一矿;2026-03-01 08:00:00~" BORE));
    assert_string_equal(b.format->family, "F4-KY3");
    OK(dec("140214000123_WZCDSS_20260301080000.txt", "nobody knows"));
    assert_int_equal(b.format->syntax, SYNTAX_RAW);
}
static void noncoal(void **s) {
    (void)s;
    fixture("140981200045_NCDSS_20260301000020.txt");
    sample(0, 0, 1, "14098120004501MN00040001", "2.0", "2026-03-01 00:00:20");
    struct observation o[FACTS_MAX];
    struct point_def d;
    assert_int_equal(samples_of(p, &b, 0, a, o), 1);
    assert_true(sample_point(p, &b, o[0].from, a, &d)); /* the code stands where coal mines write the name */
    assert_string_equal(d.sensor_type, "0004");
    OK(dec("140981200045_NCDSS_20260301000020.txt", "140981200045;示范铁矿;2026-03-01 00:00:20~A1;0004;x;2.0;ppm;0;2026-03-01 00:00:20~||"));
    OK(dec("140981200045_NRYSS_20260301000020.txt",
           "140981200045;示范铁矿;2026-03-01 00:00:20^14098120004500001;张三;1;2026-03-01 00:00:00;;重点区域;2026-03-01 "
           "00:00:01;R1;2026-03-01 00:00:02;1;1;10;1;;;;0;0;1;;;^]]]"));
    CELL(0, "flag", "1");
    CELL(0, "distance", "10");
}
static void ponds(void **s) {
    (void)s;
    fixture("140981300007_GTXDY_20260301000000.txt");
    struct point_def d = define(0, 0, 2);
    assert_string_equal(d.unit, "m");
    assert_string_equal(d.location, "初期坝东侧");
    assert_true(d.line.lo[LEVEL_YELLOW] == fx("100") && d.line.lo[LEVEL_ORANGE] == fx("70") && d.line.lo[LEVEL_RED] == fx("40") &&
                d.line.hi[LEVEL_RED] == ZB_FIX_NONE);
    fixture("140981300007_GTXSS_20260301080000.txt");
    sample(0, 0, 2, "140981300007GT010001", "85.40", "2026-03-01 08:00:00");
    sample(0, 1, 2, "140981300007GT010001.slope", "1.20", "2026-03-01 08:00:00");
    /* no underscores; a definition with the date at its end, and one with the stray date too */
    OK(dec("140981300007BWYSS20260301080000.txt", "140981300007;示范尾矿库;2026-03-01 08:00:00~D1;2026-03-01 08:00:00;1.5;-0.5;0.2~||"));
    sample(0, 1, 3, "D1.dy", "-0.5", "2026-03-01 08:00:00");
#define KSW(dates) "140981300007;示范尾矿库;2026-03-01 00:00:00~K1;库水位;" dates "坝前;2;厂家;型号;4G;0.01;112.7;38.7;921.5;100;120;140;1;2026-03-01~||"
    OK(dec("140981300007_KSWDY_20260301000000.txt", KSW("2025-06-01;")));
    assert_true(define(0, 0, 1).line.hi[LEVEL_RED] == fx("140"));
    OK(dec("140981300007_KSWDY_20260301000000.txt", KSW("2025-06-01;2025-06-01;")));
    d = define(0, 0, 1);
    assert_true(d.line.hi[LEVEL_RED] == fx("140"));
    assert_string_equal(d.location, "坝前");
}
static void slopes(void **s) {
    (void)s;
    fixture("140221000009_gnssrealtime_20260301080000_1234.json");
    sample(0, 0, 9, "140221000009010001.x", "1.2", "2026-03-01 08:00:00");
    sample(0, 6, 9, "140221000009010001.z", "-0.5", "2026-03-01 08:00:00");
    CELL(0, "longitude", "113.1234567");
    fixture("140221000009_gnssalarm_20260301090000_1234.json");
    struct event v = event(0);
    assert_true(v.kind == ALARM_REPORTED && v.level == LEVEL_ORANGE && v.start == at("2026-03-01 08:58:00") && v.end == ZB_TIME_NONE && v.peak == fx("11"));
    CELL(0, "got_velocity", "1.5");
    CELL(0, "limit_acceleration", "0.5");
    /* numbers as texts; the stamp written with blanks and colons; a release */
    OK(dec("140221000009_gnssalarm_2026-03-01 09:01:00_77.json",
           "{\"send_time\":\"2026-03-01 09:01:00\",\"data\":[{\"equip_no\":\"140221000009010001\",\"alarm_time\":"
           "\"2026-03-01 08:58:00\",\"alarm_level\":\"0\"}]}"));
    v = event(0);
    assert_int_equal(v.end, at("2026-03-01 09:01:00"));
    OK(dec("140221000009_clearalarm_20260301090100_77.json",
           "{\"send_time\":\"2026-03-01 09:01:00\",\"data\":[{\"equip_no\":\"E1\",\"alarm_time\":\"2026-03-01 "
           "08:58:00\",\"handle_time\":\"2026-03-01 09:00:00\"}]}"));
    assert_int_equal(event(0).end, at("2026-03-01 09:00:00"));
    static const struct {
        const char *text, *why;
        bool cut;
    } T[] = {
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"data\":[", "not complete", true},
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"send_time\":\"2026-03-01 08:00:00\",\"data\":[]}", "duplicate", false},
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"data\":{}}", "must be there and be a list", false},
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"data\":[[[[[[[[[[1]]]]]]]]]]}", "deep", false},
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"data\":[1]}", "not an object", false},
        {"{\"data\":[]}", "send", false},
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"open_pit_no\":\"140221000001\",\"data\":[]}", "says mine", false},
        {"{\"send_time\":\"2026-03-01 08:00:00\",\"data\":[{\"equip_no\":\"E1\",\"monitor_time\":\"2026-03-01 08:00:00\",\"x_disp\":1e300}]}", "x_disp", false},
        {"{\"send_time\":\"2026-03-01 08:00:00\" \"data\":[]}", "line 1", false}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        int rc = dec("140221000009_gnssrealtime_20260301080000_1234.json", T[i].text);
        if (rc == ZB_OK || !strstr(err.msg, i == 5 ? "time" : T[i].why)) fail_msg("case %zu: %s", i, err.msg);
        assert_int_equal(truncated, T[i].cut);
    }
}
static void open_pit(void **s) {
    (void)s;
    fixture("150724B0012000510054_SSWJ_20260301080000.txt");
    CELL(0, "card", "150724B001200051005400123");
    CELL(0, "area", "北帮采区");
    OK(dec("150724B0012000510054_SSWJ_20260301080000.txt", "2026-03-01 08:00:00;1~T1;晋B12345;C1;119.8;48.5;640;北帮;2~||"));
    assert_string_equal(b.format->family, "F9-V8");
    assert_true(event(0).kind == ALARM_VEHICLE);
    OK(dec("150724B0012000510054_SSSJ_20260301080000.txt", "2026-03-01 08:00:00;1~T1;晋B12345;C1;119.8;48.5;640;2026-03-01 07:59:50;北帮;1;1~||"));
    assert_string_equal(b.format->family, "F9-V10");
    /* RYCS is the register of people here, over-time in coal mines; the mine's code may stand in the link only */
    OK(batch_decode(p, STR("RYCS_20260301080000.txt"), STR("150724B0012000510054"),
                    STR("M1;系统;厂家;2026-03-01 08:00:00;1~C1;张三;;司机;车队;是;男;;;;;A照;2027-01-01~~||"), now, a, &b, &truncated, &err));
    assert_string_equal(b.format->family, "F9");
    CELL(0, "department", "车队");
}
static void seals(void **s) {
    (void)s;
    fixture("140214000123_videoAnomaly_20260301080001.json");
    struct event v = event(0);
    assert_true(v.kind == ALARM_VIDEO && str_is(v.subject, "14021400001320000001") && str_is(v.say, "遮挡") && v.start == v.end);
    OK(dec("140214000123_countingRecog_20260301080001.json",
           "[{\"cameraCode\":\"C1\",\"analysisType\":\"04\",\"analysisCase\":\"0002\",\"dataTime\":\"2026-03-01 "
           "08:00:00\",\"imagesBase64\":[\"data:image/png;base64,AAAA\"]}]"));
    assert_true(event(0).kind == ALARM_SEAL);
    OK(dec("140214000123_undergroundCount_20260301080001.json", "[{\"cameraCode\":\"C1\",\"analysisCase\":\"0085\",\"dataTime\":\"2026-03-01 08:00:00\"},"
                                                                "{\"cameraCode\":\"C1\",\"analysisCase\":\"0086\",\"dataTime\":\"2026-03-01 08:00:00\"}]"));
    assert_int_equal(b.n, 1); /* twice one camera: the last */
    sample(0, 0, 1, "C1.people", "86", "2026-03-01 08:00:00");
}
static void own_types_and_kj(void **s) {
    (void)s;
    fixture("140214000123_DLSS_20260301080000.txt");
    sample(0, 2, 6, "DL001.kw", "780.5", "2026-03-01 08:00:00");
    sample(0, 5, 6, "DL001.kwh", "1023456.7", "2026-03-01 08:00:00");
    fixture("140214000123_MNTJ_20260301000500.txt");
    sample(0, 0, 1, "001A01", "0.33", "2026-03-01 00:05:00");
    OK(dec("140214000123_YSPD_20260301080000.txt",
           "140214000123;示范一矿;2026-03-01 08:00:00~T1;S1;晋B12345;49.5;15.2;34.3;原煤;矿;电厂;2026-03-01 07:30:00;2026-03-01 08:00:00;王~||"));
    sample(0, 0, 1, "S1", "34.3", "2026-03-01 08:00:00");
    /* the Sichuan layout of a type of the same name: its header has no mine, its rows three fields and a trailing ; */
    OK(dec("140214000123_KGBH_20260301080000.TXT", "2026-03-01 08:00:00;1;~\r\nK1;1;2026-03-01 07:59:58;~\r\n~||"));
    assert_string_equal(b.format->family, "F5");
    sample(0, 0, 1, "K1", "1", "2026-03-01 07:59:58");
}
static void names(void **s) {
    (void)s;
    struct upload_name u;
    static const char *const BAD[] = {"140214000123_CDSS_AQSS_20260301000030.txt",
                                      "140214000123_CDSS_20260301000030_20260301000031.txt",
                                      "140214000123_CDSS_20261301000030.txt",
                                      "140214000123_CDSS.txt",
                                      "140214000123_140214000124_CDSS_20260301000030.txt",
                                      "067000123_CDSS_20260301000030.txt",
                                      "140214000123_CDSS_20260301000030.exe",
                                      ".140214000123_CDSS_20260301000030.txt",
                                      ""};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (upload_name_parse(p, str_of(BAD[i]), STR(""), &u, &err) != ZB_E_INPUT) fail_msg("%s was taken", BAD[i]);
    OK(upload_name_parse(p, STR("140214000123_cdss_20260301000030.TXT"), STR(""), &u, &err));
    assert_true(str_is(u.type, "CDSS") && str_is(u.mine, "140214000123") && u.time == at("2026-03-01 00:00:30"));
}
/* a header without its time: the name's; one with an empty field too many */
static void header_deviations(void **s) {
    (void)s;
    OK(dec("140214000123_CDSS_20260301000030.txt", "140214000123;示范一矿~P1;x;y;1;;0;2026-03-01 00:00:30~||"));
    assert_int_equal(b.time, at("2026-03-01 00:00:30"));
    OK(dec("140214000123_CDSS_20260301000030.txt", "140214000123;示范一矿;2026-03-01 00:00:31;;~P1;x;y;1;;0;2026-03-01T00:00:30.000~||"));
    assert_int_equal(b.time, at("2026-03-01 00:00:31"));
    sample(0, 0, 1, "P1", "1", "2026-03-01 00:00:30");
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, each, each_end)
    const struct CMUnitTest t[] = {T(coal_safety), T(people),   T(shanxi_xml), T(xml_deviations),   T(lines), T(pressure_and_water), T(noncoal), T(ponds),
                                   T(slopes),      T(open_pit), T(seals),      T(own_types_and_kj), T(names), T(header_deviations)};
    return cmocka_run_group_tests(t, up, policy_down);
}
