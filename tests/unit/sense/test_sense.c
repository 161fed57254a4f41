#include "decode.h"

static int up(void **s) {
    now = at("2026-03-01 09:00:00");
    return policy_up(s);
}
static bool point_of(int i, struct point_def *d) {
    struct point_def all[FACTS_MAX];
    int n = points_of(p, &b, i, a, all);
    *d = all[0];
    return n == 1;
}
static bool sample_of(int i, struct str *code, struct sample *x) {
    struct observation all[FACTS_MAX];
    int n = samples_of(p, &b, i, a, all);
    *code = all[0].point;
    *x = all[0].s;
    return n == 1;
}
static struct str cell(int r, const char *f) { return b.rec[r].cell[format_field(&b.format->body, f)]; }
#define CDSS "140214000123_CDSS_20260301000030.txt"
#define HEAD "140214000123;示范一矿;2026-03-01 00:00:30~"
#define REC1 "14021400012301MN00010001;环境瓦斯;1101工作面上隅角;0.32;%CH4;0;2026-03-01 00:00:30~"

static void samples_of_the_reference(void **s) {
    (void)s;
    OK(dec("140214000123_CDDY_20260301000010.txt",
           "140214000123;示范一矿;KJ90X;煤矿安全监控系统;示范科技有限公司;2027-12-31;2026-03-01 "
           "00:00:10~14021400012301MN00010001;01;001;0001;MN;%CH4;4.00;0.00;1.00;0.99;;;1.50;0.99;;;;;1101工作面上隅角;4428001.20;19626001.50;1080.30;K-"
           "14021400012301KG10090001-断电器;2026-03-01 "
           "00:00:10~\n14021400012301KG10010003;01;001;1001;KG;;;;;;;;;;;;开;停;1102掘进局扇;4428120.00;19626310.00;1079.00;;2026-03-01 00:00:10~\n||\n"));
    struct point_def d;
    assert_int_equal(b.n, 2);
    assert_true(point_of(0, &d));
    assert_string_equal(d.code, "14021400012301MN00010001");
    assert_true(d.own.hi_alarm == fx("1.00") && d.own.hi_restore == fx("0.99") && d.range_hi == fx("4") && d.vt == VALUE_MN);
    assert_string_equal(d.loc_class, "F_CORNER");
    assert_true(point_of(1, &d) && d.vt == VALUE_KG);
    assert_string_equal(d.on_desc, "开");
    OK(dec(CDSS, HEAD REC1 "14021400012301KG10010003;局部通风机;1102掘进局扇;1;;0;2026-03-01 00:00:29~||"));
    struct str code;
    struct sample x;
    assert_true(sample_of(0, &code, &x) && x.v == fx("0.32") && x.t == at("2026-03-01 00:00:30") && x.state == 0);
    assert_true(str_is(code, "14021400012301MN00010001"));
    now = at("2026-03-01 09:00:00");
    OK(dec("140214000123_RYSS_20260301080000.txt",
           "140214000123;示范一矿;2026-03-01 08:00:00~14021400012301234;张三;1;2026-03-01 07:12:05;;1402140001230003;2026-03-01 "
           "07:40:11;1402140001230003000017;2026-03-01 07:55:40;三八制;-3.20;正常;0;1;1402140001230001000001&2026-03-01 "
           "07:12:05,1402140001230003000017&2026-03-01 07:55:40~14021400012300002;李四;2;2026-03-01 05:00:00;2026-03-01 07:58:30;1402140001230001;2026-03-01 "
           "07:56:00;1402140001230001000001;2026-03-01 07:58:00;三八制;1.10;正常;1;0;~||"));
    assert_int_equal(b.n, 2);
    assert_true(str_is(cell(0, "distance"), "-3.20") && str_is(cell(1, "leader"), "1"));
}
static void deviations(void **s) {
    (void)s;
    OK(dec(CDSS, "\xEF\xBB\xBF" HEAD "\r\n" REC1 "\r\n||\r\n")); /* BOM, line ends */
    assert_int_equal(b.n, 1);
    OK(dec(CDSS, "\"" HEAD "14021400012301MN00010001;\\\"甲烷\\\";x;0.32;%CH4;0;2026-03-01 00:00:30~||\"")); /* a JSON text round it */
    assert_true(str_is(cell(0, "type_name"), "\"甲烷\""));
    OK(dec(CDSS, HEAD REC1 REC1 "14021400012301MN00010002;环境瓦斯;a b;null;%CH4;32;2026-03-01 00:00:30;~||")); /* twice, no value, a trailing ; */
    assert_int_equal(b.n, 2);
    assert_int_equal(b.warned, 1);
    struct str code;
    struct sample x;
    assert_true(sample_of(1, &code, &x) && x.v == ZB_FIX_NONE && x.state == (32 | ST_NO_VALUE));
    assert_true(str_is(cell(1, "location"), "a b")); /* inner blanks stay */
    OK(dec(CDSS, HEAD REC1 "14021400012301MN00010003;环境瓦斯;x;0.1;%CH4;0;2026-03-01 00:00:30;extra;more~||"));
    assert_true(str_is(b.rec[1].ext, "extra;more"));
}
static void bad_records(void **s) {
    (void)s;
#define GOOD4 REC1 "a2;x;x;1;;0;2026-03-01 00:00:30~a3;x;x;1;;0;2026-03-01 00:00:30~a4;x;x;1;;0;2026-03-01 00:00:30~a5;x;x;1;;0;2026-03-01 00:00:30~"
    static const struct {
        const char *rec, *field, *why;
    } T[] = {{"a6;x;x;1,0;;0;2026-03-01 00:00:30~", "value", "1,0"},
             {"a6;x;x;1.0ppm;;0;2026-03-01 00:00:30~", "value", "1.0ppm"},
             {"a6;x;x;1;;256;2026-03-01 00:00:30~", "state", "256"},
             {"a6;x;x;1;;0;2026-02-30 00:00:30~", "time", "2026-02-30"},
             {"a6;x;x;1~", "", "4 fields"},
             {"a6；x;x;1;;0;2026-03-01 00:00:30;~", "", "full-width"},
             {";x;x;1;;0;2026-03-01 00:00:30~", "point_code", "empty"}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s%s%s||", HEAD, GOOD4, T[i].rec);
        OK(dec(CDSS, text));
        assert_int_equal(b.refused, 1);
        assert_int_equal(b.n, 5);
        assert_int_equal(b.why[0].record, 6);
        assert_string_equal(b.why[0].field, T[i].field);
        assert_non_null(strstr(b.why[0].reason, T[i].why));
    }
}
static void whole_files_refused(void **s) {
    (void)s;
    static const struct {
        const char *name, *text, *why;
    } T[] = {{CDSS, "", "empty"},
             {CDSS, HEAD REC1, "does not end"},
             {CDSS, HEAD REC1 "||" HEAD REC1 "||", "in the middle"},
             {CDSS, "\xcd\xdf\xcb\xb9||", "UTF-8"},
             {CDSS, "140214000999;x;2026-03-01 00:00:30~" REC1 "||", "another\0mine"},
             {CDSS, "140214000123;x;2026-03-01 09:06:00~" REC1 "||", "future"},
             {CDSS, "140214000123~" REC1 "||", "header has 1 fields"},
             {CDSS, HEAD "a;x;x;1,0;;0;2026-03-01 00:00:30~||", "1 of 1 records are bad"},
             {"140214000123_XXXX_20260301000030.txt", HEAD "||", "no type this policy knows"},
             {"14021400012_CDSS_20260301000030.txt", HEAD "||", "file name"},
             {"../../etc/passwd", HEAD "||", "file name"}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        assert_int_equal(dec(T[i].name, T[i].text), ZB_E_INPUT);
        if (!strstr(err.msg, i == 4 ? "says mine" : T[i].why)) fail_msg("case %zu: %s", i, err.msg);
        assert_int_equal(truncated, i < 2);
    }
    char *big = malloc(21 << 20);
    memset(big, 'x', 21 << 20);
    assert_int_equal(batch_decode(p, STR(CDSS), STR(""), (struct str){big, 21 << 20}, now, a, &b, &truncated, &err), ZB_E_LIMIT);
    big[5] = 0;
    assert_int_equal(batch_decode(p, STR(CDSS), STR(""), (struct str){big, 100}, now, a, &b, &truncated, &err), ZB_E_INPUT);
    free(big);
}
/* what a field of this kind could hold, in the range its table gives */
static struct str some(const struct field *f) {
    static const char *const BY_KIND[] = {"文本", "-1.25", "1", "2026-03-01 00:00:30", "2026-03-01", "1", "A1"};
    if (strchr(f->at, '/')) return STR("000012&2026-03-01 07:31:02,000017&2026-03-01 07:55:40");
    if (f->kind == FIELD_DEC && f->min != ZB_FIX_NONE && f->min > fx("-1.25")) return STR("1.25");
    return str_of(BY_KIND[f->kind]);
}
static const char *name_of(const struct format *f) {
    static const char *const EXT[] = {".txt", "", ".xml", ".json", ".csv", ""};
    static char name[120];
    int64_t digits = 12;
    struct str rest;
    assert_true(num_i64(str_cut(str_of(f->mine_len), ' ', &rest), 1, 20, &digits));
    snprintf(name, sizeof name, "%.*s_%s_20260301000030%s", (int)digits, "14021400012345678901", f->type, EXT[f->syntax]);
    return name;
}
/* every format: encode, decode, the same cells */
static void round_trip(void **s) {
    (void)s;
    for (int i = 0; i < p->formats; i++) {
        const struct format *f = &p->format[i];
        struct str head[FORMAT_FIELDS_MAX], row[2][FORMAT_FIELDS_MAX];
        const struct str *rows[] = {row[0], row[1]};
        if (f->syntax == SYNTAX_RAW) continue;
        const char *name = name_of(f);
        for (int k = 0; k < f->header.n; k++) head[k] = k == f->head_mine ? (struct str){name, strcspn(name, "_")} : some(&f->header.f[k]);
        for (int k = 0; k < f->body.n; k++) row[0][k] = row[1][k] = some(&f->body.f[k]);
        if (f->keys)
            row[1][f->key[0]] = f->body.f[f->key[0]].kind == FIELD_TIME   ? STR("2026-03-01 00:00:31")
                                : f->body.f[f->key[0]].kind == FIELD_DATE ? STR("2026-03-02")
                                                                          : STR("2");
        ZB_AUTO(buf_done) struct buf out;
        buf_init(&out, 1 << 20);
        OK(batch_encode(f, head, rows, 2, &out, &err));
        if (dec(name, out.p) != ZB_OK || b.n != 2) fail_msg("%s %s: %s, %d records: %s", f->family, f->type, err.msg, b.n, out.p);
        if (b.format != f) fail_msg("%s %s was taken for one of %s", f->family, f->type, b.format->family);
        for (int r = 0; r < 2; r++)
            for (int k = 0; k < f->body.n; k++)
                if (!str_eq(b.rec[r].cell[k], row[r][k])) fail_msg("%s: field %s came back as " STR_FMT, f->type, f->body.f[k].name, STR_ARG(b.rec[r].cell[k]));
    }
    struct str bad = STR("a;b"), cells[7];
    const struct str *one[] = {cells};
    for (int k = 0; k < 7; k++) cells[k] = bad;
    ZB_AUTO(buf_done) struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(batch_encode(policy_format(p, STR("CDSS")), cells, one, 1, &out, &err), ZB_E_INPUT);
}
static void csv(void **s) {
    (void)s;
    const char *name = "140214000123_CSV_20260301000030.csv";
    OK(dec(name, "time,point,value,location\r\n2026-03-01 00:00:00,P1,1.5,\"a, \"\"b\"\"\"\r\n2026-03-01 00:00:30,P1,,\r\n"));
    assert_int_equal(b.n, 2);
    assert_true(str_is(cell(0, "location"), "a, \"b\""));
    assert_int_equal(dec(name, "time,point,value,nope\n"), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "nope"));
    assert_int_equal(dec(name, "time,point\n"), ZB_E_INPUT);
    assert_int_equal(dec(name, "time,point,value\n2026-03-01 00:00:00,P1,\"1\n"), ZB_E_INPUT);
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, each, each_end)
    const struct CMUnitTest t[] = {T(samples_of_the_reference), T(deviations), T(bad_records), T(whole_files_refused), T(round_trip), T(csv)};
    return cmocka_run_group_tests(t, up, policy_down);
}
