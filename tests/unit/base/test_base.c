#include "../test.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/tar.h"
#include "base/utf8.h"

static void numbers_whole_or_not_at_all(void **s) {
    (void)s;
    zb_fix v;
    static const char *const BAD[] = {"1,0", "1.0ppm", " 1", "1 ", "", "-", ".5", "1.", "0x1", "nan", "inf", "1e3", "--1", "9999999999999", "1.0.0", "１"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(num_fix(str_of(BAD[i]), &v));
    assert_true(fx("1.00") == fx("1.0") && fx("1.0") == fx("1"));
    assert_true(fx("-0.01") == -10000);
    assert_true(fx("0.30000001192") == 300000);
    char t[ZB_FIX_CAP];
    assert_string_equal(zb_fix_text(fx("-3.20"), t), "-3.2");
    int64_t n;
    assert_true(num_i64(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &n) && n == INT64_MIN);
    assert_false(num_i64(STR("9223372036854775808"), INT64_MIN, INT64_MAX, &n));
}
static void times(void **s) {
    (void)s;
    char t[ZB_TIME_CAP];
    assert_true(at("1970-01-01 08:00:00") == 0);
    assert_string_equal(zb_time_text(at("2026-03-01 00:00:30"), t), "2026-03-01 00:00:30");
    assert_string_equal(zb_time_iso(at("2026-03-01T00:00:30Z"), t), "2026-03-01T08:00:30+08:00");
    zb_time x;
    static const char *const BAD[] = {"2026-02-29 00:00:00", "2026-13-01 00:00:00",  "2026-01-01 24:00:00",
                                      "2026-01-01",          "2026-01-01 00:00:00x", "2026-1-1 0:0:0"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(zb_time_parse(str_of(BAD[i]), &x));
    assert_true(zb_day_of(at("2026-03-01 00:00:00")) - zb_day_of(at("2026-02-28 23:59:59")) == 1);
}
static void texts(void **s) {
    (void)s;
    assert_true(utf8_valid(STR("瓦斯")));
    assert_false(utf8_valid(STR("\xc0\x80")));
    assert_false(utf8_valid(STR("\xed\xa0\x80")));
    assert_false(utf8_valid(STR("\xcd\xdf\xcb\xb9")));
    char cut[6];
    str_copy(STR("瓦斯"), cut, sizeof cut); /* 6 bytes into 5: never half a letter */
    assert_string_equal(cut, "瓦");
    struct buf b;
    buf_init(&b, 4);
    buf_puts(&b, "12345");
    assert_true(b.over && b.n == 0);
    buf_done(&b);
    struct map m = {0};
    int one = 1;
    for (int i = 0; i < 1000; i++) {
        char k[16];
        snprintf(k, sizeof k, "%d", i);
        map_set(&m, str_of(k), &one);
    }
    assert_int_equal(m.n, 1000);
    assert_ptr_equal(map_del(&m, STR("500")), &one);
    assert_null(map_get(&m, STR("500")));
    assert_non_null(map_get(&m, STR("999")));
    map_done(&m);
}
static void json_escapes(void **s) {
    (void)s;
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 1000);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "a");
    json_str(&j, STR("\"\\\n\x01\xff"));
    json_key(&j, "v");
    json_fix(&j, fx("0.42"));
    json_end(&j);
    assert_string_equal(b.p, "{\"a\":\"\\\"\\\\\\n\\u0001\xef\xbf\xbd\",\"v\":0.42}");
}
static void arena_has_a_maximum(void **s) {
    (void)s;
    struct arena *a = arena_new(1 << 20);
    assert_non_null(arena_alloc(a, 1000));
    assert_null(arena_alloc(a, 2 << 20));
    assert_true(arena_over(a));
    arena_free(a);
}
/* What was put is read; cut or changed anywhere it is refused or reads as what it was, never beyond its end. */
static void archives(void **s) {
    (void)s;
    ZB_AUTO(buf_done) struct buf b;
    struct str name, bytes;
    size_t at = 0;
    char big[1024];
    memset(big, 'x', sizeof big);
    buf_init(&b, 1 << 20);
    tar_put(&b, STR("a.txt"), STR("hello"));
    tar_put(&b, STR("b.txt"), (struct str){big, sizeof big}); /* whole blocks */
    tar_put(&b, STR("c.txt"), STR(""));
    tar_end(&b);
    assert_int_equal(b.n % 512, 0);
    static const char *const NAME[] = {"a.txt", "b.txt", "c.txt"};
    static const size_t SIZE[] = {5, 1024, 0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tar_next(buf_str(&b), &at, &name, &bytes, &err), 1);
        assert_true(str_is(name, NAME[i]) && bytes.n == SIZE[i]);
    }
    assert_int_equal(tar_next(buf_str(&b), &at, &name, &bytes, &err), 0);
    for (size_t cut = 0; cut < b.n - 1024; cut++) {
        char *exact = malloc(cut ? cut : 1); /* a read beyond the end is found */
        int rc;
        memcpy(exact, b.p, cut);
        for (at = 0; (rc = tar_next((struct str){exact, cut}, &at, &name, &bytes, &err)) == 1;) assert_true(bytes.p + bytes.n <= exact + cut);
        assert_int_equal(rc, ZB_E_INPUT);
        free(exact);
    }
    b.p[124] ^= 1; /* its size: the sum holds no more */
    at = 0;
    assert_int_equal(tar_next(buf_str(&b), &at, &name, &bytes, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "byte 0"));
    b.p[124] ^= 1;
    b.p[156] = '2', b.p[148 + 5] += 2; /* a link, with a sum that holds */
    at = 0;
    assert_int_equal(tar_next(buf_str(&b), &at, &name, &bytes, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "plain files"));
}
int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(numbers_whole_or_not_at_all), cmocka_unit_test(times),   cmocka_unit_test(texts), cmocka_unit_test(json_escapes),
        cmocka_unit_test(arena_has_a_maximum),         cmocka_unit_test(archives)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
