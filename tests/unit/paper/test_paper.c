/* One tree, three files: well-formed XML, hostile text without harm, spans, repeated headings, maxima, the JSON of the child, templates filled. */
#include "../test.h"
#include "paper/fill.h"
#include <expat.h>
#include <sys/stat.h>
#include <zip.h>

static const struct page_style STYLE = {.key = "t",
                                        .width = 210,
                                        .height = 297,
                                        .top = 37,
                                        .right = 26,
                                        .bottom = 35,
                                        .left = 28,
                                        .body_size = 16,
                                        .line_step = 28.99,
                                        .title_size = 22,
                                        .title_step = 36,
                                        .table_size = 10.5,
                                        .note_size = 9,
                                        .foot_size = 14,
                                        .line_chars = 28,
                                        .outer_numbers = true,
                                        .face = {"Noto Serif CJK SC", "Noto Serif CJK SC", "Noto Sans CJK SC", "Noto Serif CJK SC", "Noto Serif CJK SC"}};
static struct buf out;
static struct paper_stat told;
static int setup(void **st) {
    (void)st;
    buf_init(&out, PAPER_OUT);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    buf_done(&out);
    return 0;
}
static void write_as(const struct paper *p, enum paper_format f) {
    buf_clear(&out);
    OK(paper_write(p, f, &out, &told, &err));
}

static void XMLCALL text_of(void *arg, const char *s, int n) { buf_put(arg, s, (size_t)n); }
/* Every XML part is well formed; returns the text of part `want`, and its bytes in raw. */
static void parts(const char *want, struct buf *text, struct buf *raw) {
    zip_error_t ze;
    zip_t *z = zip_open_from_source(zip_source_buffer_create(out.p, out.n, 0, &ze), ZIP_RDONLY, &ze);
    assert_non_null(z);
    int xml = 0;
    for (zip_int64_t i = 0; i < zip_get_num_entries(z, 0); i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, 0);
        ZB_AUTO(buf_done) struct buf b = {0};
        ZB_AUTO(buf_done) struct buf t = {0};
        buf_init(&b, (size_t)256 << 20);
        buf_init(&t, (size_t)256 << 20);
        zip_file_t *f = zip_fopen_index(z, (zip_uint64_t)i, 0);
        char part[65536];
        zip_int64_t n;
        while ((n = zip_fread(f, part, sizeof part)) > 0) buf_put(&b, part, (size_t)n);
        zip_fclose(f);
        if (!strstr(name, ".png")) {
            XML_Parser x = XML_ParserCreate(NULL);
            XML_SetUserData(x, &t);
            XML_SetCharacterDataHandler(x, text_of);
            if (XML_Parse(x, b.p, (int)b.n, 1) != XML_STATUS_OK)
                fail_msg("%s line %lu: %s", name, XML_GetCurrentLineNumber(x), XML_ErrorString(XML_GetErrorCode(x)));
            XML_ParserFree(x);
            xml++;
        }
        if (want && !strcmp(name, want)) {
            if (text) buf_put(text, t.p, t.n);
            if (raw) buf_put(raw, b.p, b.n);
        }
    }
    assert_true(xml >= 5);
    zip_close(z);
}
static int count(const struct buf *b, const char *what) {
    int n = 0;
    for (const char *p = b->p; p && (p = strstr(p, what)); p += strlen(what)) n++;
    return n;
}

static struct paper *sample(void) {
    struct paper *p = paper_new(&STYLE);
    const struct str names[] = {STR("计算值"), STR("上报值")};
    const double width[] = {1, 3, 2, 2};
    paper_meta(p, STR("关于整改的函"), 20000);
    paper_para(p, PARA_TITLE, STR("关于整改的函"));
    paper_heading(p, 1, STR("基本情况"));
    paper_heading(p, 2, STR("隐患"));
    paper_heading(p, 2, STR("整改"));
    paper_heading(p, 3, STR("责任"));
    paper_heading(p, 4, STR("资金"));
    paper_heading(p, 1, STR("要求"));
    paper_heading(p, 2, STR("期限"));
    paper_para(p, PARA_BODY, STR("经查，你单位存在“超限作业”问题，"));
    paper_run(p, STR("限期整改。"), true);
    paper_table(p, STR("表1　清单"), 4, width, 2);
    paper_cell(p, STR("序号"), CELL_CENTER);
    paper_span(p, 1, 2);
    paper_cell(p, STR("内容"), CELL_CENTER);
    paper_span(p, 1, 2);
    paper_cell(p, STR("期限"), CELL_CENTER);
    paper_span(p, 2, 1);
    paper_row(p, 0);
    paper_cell(p, STR("原定"), CELL_CENTER);
    paper_cell(p, STR("现定"), CELL_CENTER);
    paper_row(p, 0);
    for (int i = 1; i <= 120; i++) {
        char n[20];
        snprintf(n, sizeof n, "%d", i);
        paper_number(p, i * ZB_FIX_ONE, str_of(n));
        paper_cell(p, STR("上隅角瓦斯超限仍在作业，通风系统不可靠，风量不足"), CELL_LEFT);
        paper_cell(p, STR("2026-03-20"), CELL_CENTER);
        paper_cell(p, STR("2026-04-20"), CELL_CENTER);
        paper_row(p, 0);
    }
    paper_chart(p, CHART_BAR, STR("图1　完成率"), STR("%"), 2, names);
    for (int i = 0; i < 3; i++) {
        const zb_fix v[] = {(zb_fix)i * 40 * ZB_FIX_ONE, i == 1 ? ZB_FIX_NONE : 30 * ZB_FIX_ONE};
        paper_point(p, STR("大同市"), v, 90 * ZB_FIX_ONE);
    }
    paper_para(p, PARA_SIGN, STR("某某办公室\n2026年3月1日"));
    OK(paper_check(p, &err));
    return p;
}

static void three_files(void **st) {
    (void)st;
    ZB_AUTO(paper_drop) struct paper *p = sample();
    ZB_AUTO(buf_done) struct buf text = {0};
    ZB_AUTO(buf_done) struct buf raw = {0};
    buf_init(&text, 1 << 24);
    buf_init(&raw, 1 << 24);
    write_as(p, PAPER_PDF);
    assert_memory_equal(out.p, "%PDF-", 5);
    assert_true(told.pages >= 4 && told.pages <= 10);
    assert_int_equal(told.unknown_glyphs, 0);
    assert_string_equal(told.face[FACE_BODY], "Noto Serif CJK SC");
    write_as(p, PAPER_DOCX);
    parts("word/document.xml", &text, &raw);
    static const char *const SAID[] = {"一、基本情况", "（一）隐患", "（二）整改", "1. 责任", "（1）资金",
                                       "二、要求",     "（一）期限", "限期整改。", "无数据",  "2026年3月1日"};
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        if (!strstr(text.p, SAID[i])) fail_msg("the document does not say %s", SAID[i]);
    assert_int_equal(count(&raw, "<w:tblHeader/>"), 3); /* two of the table, one of the chart's figures */
    assert_int_equal(count(&raw, "<w:vMerge w:val=\"restart\"/>"), 2);
    assert_int_equal(count(&raw, "<w:gridSpan w:val=\"2\"/>"), 1);
    assert_int_equal(count(&raw, "仿宋"), 0); /* the faces are the style's, none is built in */
    write_as(p, PAPER_XLSX);
    buf_clear(&raw);
    parts("xl/worksheets/sheet2.xml", NULL, &raw);
    assert_int_equal(count(&raw, "<row "), 122);
    assert_int_equal(count(&raw, "<mergeCell "), 3);
    assert_non_null(strstr(raw.p, "<v>120</v>")); /* a number, not its text */
}

static void hostile(void **st) {
    (void)st;
    ZB_AUTO(paper_drop) struct paper *p = paper_new(&STYLE);
    ZB_AUTO(buf_done) struct buf text = {0};
    ZB_AUTO(buf_done) struct buf raw = {0};
    buf_init(&text, 1 << 22);
    buf_init(&raw, 1 << 22);
    const char *bad = "<w:t>&amp;]]>\"'</w:t>\x01\x08\x0b\x1b[31m\xff\xfe甲\xc0\x80\xed\xa0\x80\xe2\x80\xae反\xef\xbf\xbf乙\xf4\x90\x80\x80\x7f";
    static const char *const RUNS[] = {"=HYPERLINK(\"http://x\")", "+1", "-1+2", "@SUM(A1)", "=cmd|' /C calc'!A0"};
    paper_meta(p, str_of(bad), 0);
    paper_para(p, PARA_TITLE, str_of(bad));
    paper_para(p, PARA_BODY, str_of(bad));
    paper_table(p, str_of("[]:*?/\\'名"), 2, NULL, 0);
    for (size_t i = 0; i < 5; i++) {
        paper_cell(p, str_of(RUNS[i]), CELL_LEFT);
        paper_cell(p, str_of(bad), CELL_LEFT);
        paper_row(p, 0);
    }
    write_as(p, PAPER_DOCX);
    parts("word/document.xml", &text, NULL);
    assert_non_null(strstr(text.p, "<w:t>&amp;]]>\"'</w:t>[31m\xef\xbf\xbd\xef\xbf\xbd甲\xef\xbf\xbd"));
    assert_null(strstr(text.p, "\xe2\x80\xae"));
    assert_null(strchr(text.p, '\x1b'));
    write_as(p, PAPER_XLSX);
    parts("xl/worksheets/sheet2.xml", NULL, &raw);
    assert_int_equal(count(&raw, "<f>"), 0);
    assert_int_equal(count(&raw, "t=\"s\""), 10); /* texts, all of them */
    write_as(p, PAPER_PDF);
    assert_int_equal(told.unknown_glyphs, 0);
}

static void large(void **st) {
    (void)st;
    ZB_AUTO(paper_drop) struct paper *p = paper_new(&STYLE);
    paper_table(p, STR("大表"), 3, NULL, 1);
    for (int i = 0; i <= 10000; i++) {
        for (int k = 0; k < 3; k++) paper_cell(p, STR("矿山1101"), CELL_CENTER);
        paper_row(p, 0);
    }
    write_as(p, PAPER_PDF);
    assert_in_range(told.pages, 250, 400); /* 10,000 rows of 20 pt and a heading on pages of 638 pt */
    write_as(p, PAPER_XLSX);
    parts(NULL, NULL, NULL);
}

static void long_row(void **st) { /* a cell no page holds is cut at its lines, a span too */
    (void)st;
    ZB_AUTO(paper_drop) struct paper *p = paper_new(&STYLE);
    ZB_AUTO(buf_done) struct buf t;
    buf_init(&t, PAPER_TEXT);
    while (t.n + 30 < PAPER_TEXT) buf_puts(&t, "通风系统不可靠，");
    paper_table(p, STR(""), 2, NULL, 0);
    paper_cell(p, STR("长"), CELL_CENTER);
    paper_span(p, 1, 2);
    paper_cell(p, buf_str(&t), CELL_LEFT);
    paper_row(p, 0);
    paper_cell(p, STR("短"), CELL_LEFT);
    paper_row(p, 0);
    write_as(p, PAPER_PDF);
    assert_in_range(told.pages, 5, 20);
}

static void maxima(void **st) {
    (void)st;
    struct paper *p = paper_new(&STYLE);
    static char big[PAPER_TEXT + 2];
    memset(big, 'x', PAPER_TEXT + 1);
    paper_para(p, PARA_BODY, str_of(big));
    assert_int_equal(paper_check(p, &err), ZB_E_LIMIT);
    assert_non_null(strstr(err.msg, "20000 bytes in one text"));
    assert_int_equal(paper_write(p, PAPER_PDF, &out, &told, &err), ZB_E_LIMIT);
    paper_free(p);
    p = paper_new(&STYLE);
    paper_table(p, STR(""), PAPER_COLS + 1, NULL, 0);
    assert_int_equal(paper_check(p, &err), ZB_E_LIMIT);
    paper_free(p);
    p = paper_new(&STYLE);
    paper_table(p, STR(""), 2, NULL, 0);
    for (int i = 0; i < 3; i++) paper_cell(p, STR("x"), CELL_LEFT);
    assert_int_equal(paper_check(p, &err), ZB_E_LIMIT);
    paper_free(p);
    p = paper_new(&STYLE); /* 40 columns do not fit this page, but a workbook holds them */
    paper_table(p, STR(""), 40, NULL, 0);
    for (int i = 0; i < 40; i++) paper_cell(p, STR("x"), CELL_LEFT);
    paper_row(p, 0);
    assert_int_equal(paper_write(p, PAPER_PDF, &out, &told, &err), ZB_E_LIMIT);
    write_as(p, PAPER_XLSX);
    paper_free(p);
    p = paper_new(&STYLE);
    for (int i = 0; i <= PAPER_BLOCKS; i++) paper_break(p);
    assert_int_equal(paper_check(p, &err), ZB_E_LIMIT);
    paper_free(p);
    p = paper_new(&STYLE); /* pages */
    for (int i = 0; i <= PAPER_PAGES; i++) paper_break(p);
    paper_para(p, PARA_BODY, STR("x"));
    buf_clear(&out);
    assert_int_equal(paper_write(p, PAPER_PDF, &out, &told, &err), ZB_E_LIMIT);
    paper_free(p);
}

/* The JSON read back is the same tree: the same JSON, the same bytes. */
static void exchange(void **st) {
    (void)st;
    ZB_AUTO(paper_drop) struct paper *p = sample();
    ZB_AUTO(paper_drop) struct paper *q = NULL;
    ZB_AUTO(buf_done) struct buf a = {0};
    ZB_AUTO(buf_done) struct buf b = {0};
    struct json j;
    buf_init(&a, 1 << 24);
    buf_init(&b, 1 << 24);
    json_init(&j, &a);
    paper_json(p, &j);
    OK(paper_read(buf_str(&a), &q, &err));
    json_init(&j, &b);
    paper_json(q, &j);
    assert_string_equal(a.p, b.p);
    write_as(p, PAPER_DOCX);
    buf_clear(&b);
    buf_put(&b, out.p, out.n);
    write_as(q, PAPER_DOCX);
    assert_int_equal(b.n, out.n);
    assert_memory_equal(b.p, out.p, out.n);
    static const char *const BAD[] = {"", "[]", "{}", "{\"page\":{\"width\":1}}", "{\"page\":{\"width\":210,\"height\":297,\"top\":199}}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct paper *none;
        assert_int_equal(paper_read(str_of(BAD[i]), &none, &err), ZB_E_INPUT);
    }
    struct paper *none; /* a style nobody has, and any cut of the text */
    char *bad = strstr(a.p, "\"title\",\"runs\"");
    assert_non_null(bad);
    memcpy(bad, "\"tidle\"", 7);
    assert_int_equal(paper_read(buf_str(&a), &none, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "tidle"));
}

static void crash_of_the_child(void **st) {
    (void)st;
    ZB_AUTO(paper_drop) struct paper *p = sample();
    assert_int_equal(paper_render("/bin/false", p, PAPER_PDF, &out, &told, &err), ZB_E_LIMIT);
    assert_int_equal(paper_render("/nowhere/zhiben", p, PAPER_PDF, &out, &told, &err), ZB_E_IO);
    char path[400];
    snprintf(path, sizeof path, "%s", join(scratch(), "kill"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("#!/bin/sh\nkill -SEGV $$\n", f);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(paper_render(path, p, PAPER_PDF, &out, &told, &err), ZB_E_LIMIT);
    assert_non_null(strstr(err.msg, "signal 11"));
    unlink(path);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test_setup_teardown(three_files, setup, teardown),
                                   cmocka_unit_test_setup_teardown(hostile, setup, teardown),
                                   cmocka_unit_test_setup_teardown(large, setup, teardown),
                                   cmocka_unit_test_setup_teardown(long_row, setup, teardown),
                                   cmocka_unit_test_setup_teardown(maxima, setup, teardown),
                                   cmocka_unit_test_setup_teardown(exchange, setup, teardown),
                                   cmocka_unit_test_setup_teardown(crash_of_the_child, setup, teardown)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
