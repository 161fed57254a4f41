#include "../test.h"
#include "http/gate.h"

static struct gate g;
#define H "Host: x\r\n"
static void good(void **s) {
    (void)s;
    const char *r = "POST /api/v1/uploads/a?wait=1 HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello";
    assert_int_equal(gate_parse(r, strlen(r), &g), 1);
    assert_true(g.length == 5 && g.expect && g.method == HTTP_POST && str_is(g.path_raw, "/api/v1/uploads/a") && str_is(g.query, "wait=1"));
    assert_int_equal(g.head_n, strlen(r) - 5);
    for (size_t n = 0; n < g.head_n; n++) assert_int_equal(gate_parse(r, n, &(struct gate){0}), 0);
}
static void refused(void **s) {
    (void)s;
    static const struct {
        const char *head;
        int status;
    } T[] = {{"GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
             {"GET / HTTP/1.1\r\nX: y\r\n\r\n", 400},
             {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 501},
             {"POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", 400},
             {"POST / HTTP/1.1\r\n" H "Content-Length: 5,5\r\n\r\n", 400},
             {"POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400},
             {"POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 400},
             {"POST / HTTP/1.1\r\n" H "\r\n", 411},
             {"GET / HTTP/1.1\n"
              "Host: x\n\n",
              400},
             {"GET / HTTP/1.1\r\n" H "X : y\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\n" H "X: y\r\n folded\r\n\r\n", 400},
             {"BREW / HTTP/1.1\r\n" H "\r\n", 501},
             {"GET / HTTP/1.0\r\n" H "\r\n", 505},
             {"GET /\r\n" H "\r\n", 400},
             {"GET http://x/ HTTP/1.1\r\n" H "\r\n", 400},
             {"GET / x HTTP/1.1\r\n" H "\r\n", 505},
             {"GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\n" H "Expect: magic\r\n\r\n", 417},
             {"GET /\xe7 HTTP/1.1\r\n" H "\r\n", 400},
             {"GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        assert_int_equal(gate_parse(T[i].head, strlen(T[i].head), &g), -1);
        if (g.status != T[i].status) fail_msg("case %zu: %d %s", i, g.status, g.reason);
    }
    const char nul[] = "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n";
    assert_int_equal(gate_parse(nul, sizeof nul - 1, &g), -1);
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 100000);
    buf_puts(&b, "GET / HTTP/1.1\r\n" H);
    for (int i = 0; i < 101; i++) buf_printf(&b, "X%d: y\r\n", i);
    buf_puts(&b, "\r\n");
    assert_true(gate_parse(b.p, b.n, &g) == -1 && g.status == 431);
    buf_clear(&b);
    buf_puts(&b, "GET / HTTP/1.1\r\n" H "X: ");
    for (int i = 0; i < 20000; i++) buf_putc(&b, 'a');
    assert_true(gate_parse(b.p, b.n, &g) == -1 && g.status == 431);
}
static void paths(void **s) {
    (void)s;
    struct arena *a = arena_new(1 << 20);
    static const char *const BAD[] = {"/../x", "/a/../b", "/%2e%2e/x", "/a%2fb", "/%00", "/a%", "/a%4", "/%zz", "/./a", "//a", "/a\\b", "/%c3%28", "/a%0a"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (gate_path(str_of(BAD[i]), a)) fail_msg("%s was taken", BAD[i]);
    assert_string_equal(gate_path(STR("/%E7%93%A6/b"), a), "/瓦/b");
    assert_string_equal(gate_path(STR("/"), a), "/");
    assert_string_equal(gate_decode(STR("a+b%20c"), true, a), "a b c");
    arena_free(a);
}
int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(good), cmocka_unit_test(refused), cmocka_unit_test(paths)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
