/* Tables in and out: LibreOffice's and our own workbooks, CSV of every habit, hostile archives. */
#include "../test.h"
#include "sheet/sheet.h"
#include <zip.h>

static struct arena *a;
static int setup(void **st) {
    (void)st;
    a = arena_new((size_t)256 << 20);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    arena_free(a);
    return 0;
}
static struct str slurp(const char *path) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *p = arena_alloc(a, 1 << 20);
    size_t n = fread(p, 1, 1 << 20, f);
    fclose(f);
    return (struct str){p, n};
}
static void is(const struct sheet *s, int row, int col, const char *want) {
    char got[200];
    str_copy(s->cell[row * s->cols + col], got, sizeof got);
    assert_string_equal(got, want);
}

static void libreoffice(void **st) {
    (void)st;
    struct sheet s;
    char path[400];
    snprintf(path, sizeof path, "%s/tests/unit/sheet/libreoffice.xlsx", getenv("SRC"));
    OK(sheet_read(a, slurp(path), &s, &err));
    assert_int_equal(s.rows, 3);
    assert_string_equal(s.name, "a");
    is(&s, 0, 1, "名称");
    is(&s, 1, 2, "2026-03-01");
    is(&s, 1, 3, "12.5");
    is(&s, 1, 4, "true");
    is(&s, 2, 1, "乙,矿\n二号");
    is(&s, 2, 3, "0.3");
}

static void round_trip(bool xlsx) {
    struct table_writer *w = table_begin(xlsx, "名单");
    struct sheet s;
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    table_text(w, STR("甲"));
    table_text(w, STR("=1+1"));
    table_row(w);
    table_fix(w, fx("0.1"));
    table_text(w, STR("带\"引号\",逗号\n换行"));
    table_row(w);
    table_fix(w, fx("-123456.789"));
    table_text(w, STR("-5"));
    table_row(w);
    OK(table_end(w, &b, &err));
    OK(sheet_read(a, buf_str(&b), &s, &err));
    assert_int_equal(s.rows, 3);
    is(&s, 0, 0, "甲");
    is(&s, 0, 1, xlsx ? "=1+1" : "'=1+1"); /* text in a workbook; defused where a spreadsheet would run it */
    is(&s, 1, 0, "0.1");
    is(&s, 1, 1, "带\"引号\",逗号\n换行");
    is(&s, 2, 0, "-123456.789");
    is(&s, 2, 1, "-5");
}
static void ours(void **st) {
    (void)st;
    round_trip(true);
    round_trip(false);
}

static void csv_habits(void **st) {
    (void)st;
    struct sheet s;
    OK(sheet_read(a, STR("\xef\xbb\xbf甲;乙\r\n1,5;2\r\n"), &s, &err));
    is(&s, 1, 0, "1,5");
    OK(sheet_read(a, STR("a\tb\n\n\nc\td"), &s, &err));
    assert_int_equal(s.rows, 2);
    assert_int_equal(s.line[1], 4);
    OK(sheet_read(a, STR("\xb1\xe0\xc2\xeb,\xc3\xfb\xb3\xc6\n1,2\n"), &s, &err)); /* GB18030 */
    is(&s, 0, 0, "编码");
    OK(sheet_read(a, STR(""), &s, &err));
    assert_int_equal(s.rows, 0);
    assert_int_equal(sheet_read(a, STR("a,\"b\n1,2\n"), &s, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "line 1"));
    assert_int_equal(sheet_read(a, STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx"), &s, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, ".xlsx"));
    assert_int_equal(sheet_read(a, STR("\xff\xff\xff"), &s, &err), ZB_E_INPUT);
    assert_int_equal(sheet_read(a, STR("a\0b"), &s, &err), ZB_E_INPUT);
}

/* A workbook of our own making, part by part. */
static struct str workbook(const char *sheet, const char *more_name, const char *more, size_t more_n) {
    static const char BOOK[] = "<workbook xmlns:r=\"r\"><workbookPr date1904=\"1\"/><sheets><sheet name=\"S\" r:id=\"x\"/></sheets></workbook>",
                      REL[] = "<Relationships><Relationship Id=\"x\" Target=\"worksheets/a.xml\"/></Relationships>";
    char path[] = "/tmp/zbxlsxXXXXXX";
    close(mkstemp(path));
    int ze;
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &ze);
    zip_file_add(z, "xl/workbook.xml", zip_source_buffer(z, BOOK, strlen(BOOK), 0), 0);
    zip_file_add(z, "xl/_rels/workbook.xml.rels", zip_source_buffer(z, REL, strlen(REL), 0), 0);
    zip_file_add(z, "xl/worksheets/a.xml", zip_source_buffer(z, sheet, strlen(sheet), 0), 0);
    if (more_name) zip_file_add(z, more_name, zip_source_buffer(z, more, more_n, 0), 0);
    assert_int_equal(zip_close(z), 0);
    struct str s = slurp(path);
    unlink(path);
    return s;
}

static void hostile(void **st) {
    (void)st;
    struct sheet s;
    struct str good =
        workbook("<worksheet><sheetData><row r=\"2\"><c r=\"B2\"><v>1.5E-3</v></c><c r=\"C2\" t=\"inlineStr\"><is><t>甲</t><rPh><t>kana</t></rPh></is></c>"
                 "<c r=\"D2\"><f>SUM(1,2)</f><v>3</v></c></row></sheetData></worksheet>",
                 NULL, NULL, 0);
    OK(sheet_read(a, good, &s, &err));
    assert_int_equal(s.line[0], 2);
    is(&s, 0, 1, "0.0015");
    is(&s, 0, 2, "甲");
    is(&s, 0, 3, "3");
    for (size_t n = 5; n < good.n; n += 7) assert_true(sheet_read(a, (struct str){good.p, n}, &s, &err) != ZB_OK); /* cut anywhere */
    struct str bad = workbook("<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet/>", NULL, NULL, 0);
    assert_int_equal(sheet_read(a, bad, &s, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "DOCTYPE"));
    bad = workbook("<worksheet><sheetData><row><c t=\"s\"><v>7</v></c></row></sheetData></worksheet>", NULL, NULL, 0);
    assert_int_equal(sheet_read(a, bad, &s, &err), ZB_E_INPUT);
    bad = workbook("<worksheet><sheetData><row r=\"1999999\"><c><v>7</v></c></row></sheetData></worksheet>", NULL, NULL, 0);
    assert_int_equal(sheet_read(a, bad, &s, &err), ZB_E_LIMIT);
    static char zeros[40 << 20]; /* 40 MiB of blanks pack into 40 KiB */
    memset(zeros, ' ', sizeof zeros);
    memcpy(zeros, "<sst>", 5);
    bad = workbook("<worksheet/>", "xl/sharedStrings.xml", zeros, sizeof zeros);
    assert_true(bad.n < 100000);
    assert_int_equal(sheet_read(a, bad, &s, &err), ZB_E_LIMIT);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test_setup_teardown(libreoffice, setup, teardown), cmocka_unit_test_setup_teardown(ours, setup, teardown),
                                   cmocka_unit_test_setup_teardown(csv_habits, setup, teardown), cmocka_unit_test_setup_teardown(hostile, setup, teardown)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
