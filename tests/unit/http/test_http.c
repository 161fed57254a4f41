#include "../test.h"
#include "http/http.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

static struct http *h;
static void body_max(void *arg, const struct http_req *r, uint64_t length, struct http_verdict *ret) {
    (void)arg;
    (void)length;
    *ret = (struct http_verdict){.most = 1000, .status = 401};
    if (str_is(r->path, "/api/closed")) ret->most = 0;
    if (str_is(r->path, "/api/busy")) *ret = (struct http_verdict){.status = 429, .retry_after = 7};
}
static void handle(void *arg, const struct http_req *r, struct http_res *res) {
    (void)arg;
    if (str_is(r->path, "/api/live")) {
        res->sse = true;
        res->sse_key = 7;
        return;
    }
    struct str q = http_arg(r, "q"), c = http_cookie(r, "b");
    buf_printf(&res->body, STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(r->body), STR_ARG(q), STR_ARG(c));
}
static bool sse_may(void *arg, uint64_t key, const char *scope) {
    (void)arg;
    return key == 7 && !strcmp(scope, "mine");
}
static int up(void **s) {
    (void)s;
    static char page[200];
    char *dir = scratch();
    FILE *f = fopen(join(dir, "index.html"), "w");
    fputs("<p>page</p>", f);
    fclose(f);
    assert_int_equal(symlink("/etc/passwd", join(dir, "out.txt")), 0);
    strcpy(page, dir);
    const struct http_config c = {.listen = "127.0.0.1:0", .web_dir = page, .workers = 3, .body_max = body_max, .handle = handle, .sse_may = sse_may};
    return http_start(&c, &h, &err);
}
static int down(void **s) {
    (void)s;
    http_stop(h);
    return 0;
}
static int dial(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(h)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval t = {5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}
/* sends, reads until the text has come or the other side closes */
static char *talk(int fd, const char *text, const char *until) {
    static _Thread_local char got[100000];
    size_t n = 0;
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    got[0] = 0;
    while (n < sizeof got - 1 && !(until[0] && strstr(got, until))) {
        ssize_t k = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (k <= 0) break;
        n += (size_t)k;
        got[n] = 0;
    }
    return got;
}
static void keep_alive_and_arguments(void **s) {
    (void)s;
    int fd = dial();
    for (int i = 0; i < 3; i++)
        assert_non_null(
            strstr(talk(fd, "POST /api/x?q=%E7%93%A6+1 HTTP/1.1\r\nHost: x\r\nCookie: a=1; b=two\r\nContent-Length: 5\r\n\r\nhello", "two"), "hello|瓦 1|two"));
    assert_non_null(
        strstr(talk(fd, "GET /api/a HTTP/1.1\r\nHost: x\r\n\r\nGET /api/b?q=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", ""), "|2|")); /* pipelined */
    close(fd);
}
static void refused_before_the_body(void **s) {
    (void)s;
    int fd = dial();
    char *busy = talk(fd, "POST /api/busy HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", "}");
    assert_non_null(strstr(busy, " 429 "));
    assert_non_null(strstr(busy, "Retry-After: 7\r\n"));
    close(fd);
    fd = dial();
    assert_non_null(strstr(talk(fd, "POST /api/closed HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n", "}"), " 401 "));
    close(fd);
    fd = dial();
    assert_non_null(strstr(talk(fd, "POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "}"), " 413 "));
    close(fd);
    fd = dial();
    assert_non_null(strstr(talk(fd, "POST /api/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "100 Continue"), "100 Continue"));
    assert_non_null(strstr(talk(fd, "ok", "||"), "ok||"));
    close(fd);
}
static void files_and_their_limits(void **s) {
    (void)s;
    int fd = dial();
    char *page = talk(fd, "GET /mines/1 HTTP/1.1\r\nHost: x\r\n\r\n", "</p>");
    assert_non_null(strstr(page, "<p>page</p>"));
    assert_non_null(strstr(page, "Content-Security-Policy: default-src 'self'"));
    assert_non_null(strstr(talk(fd, "GET /out.txt HTTP/1.1\r\nHost: x\r\n\r\n", "such page"), " 404 ")); /* a link that leads outside */
    assert_non_null(strstr(talk(fd, "GET /.hidden.txt HTTP/1.1\r\nHost: x\r\n\r\n", "such page"), " 404 "));
    close(fd);
}
static void live_events_go_where_they_may(void **s) {
    (void)s;
    int fd = dial();
    assert_non_null(strstr(talk(fd, "GET /api/live HTTP/1.1\r\nHost: x\r\n\r\n", "hello"), "text/event-stream"));
    http_publish(h, "alarm", STR("{\"n\":1}"), "foreign");
    http_publish(h, "alarm", STR("{\"n\":2}"), "mine");
    char *got = talk(fd, "", "\"n\":2");
    assert_non_null(strstr(got, "event: alarm\ndata: {\"n\":2}"));
    assert_null(strstr(got, "\"n\":1"));
    close(fd);
}
static void *many(void *arg) {
    for (int i = 0; i < 40; i++) {
        int fd = dial();
        if (i % 4 == 0)
            send(fd, "GET / HT", 8, MSG_NOSIGNAL); /* leaves in the middle */
        else if (i % 4 == 1) {
            send(fd, "GET /api/x HTTP/1.1\r\nHost: x\r\n\r\n", 31, MSG_NOSIGNAL);
        } /* leaves before the answer */
        else if (!strstr(talk(fd, "GET /api/x?q=7 HTTP/1.1\r\nHost: x\r\n\r\n", "|7|"), "|7|"))
            abort();
        close(fd);
        http_publish(h, "alarm", STR("{}"), "mine");
    }
    return arg;
}
static void many_at_once(void **s) {
    (void)s;
    pthread_t t[6];
    for (int i = 0; i < 6; i++) pthread_create(&t[i], NULL, many, NULL);
    for (int i = 0; i < 6; i++) pthread_join(t[i], NULL);
    struct http_stat st;
    http_stats(h, &st);
    assert_true(st.requests >= 120);
}
int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest t[] = {T(keep_alive_and_arguments), T(refused_before_the_body), T(files_and_their_limits), T(live_events_go_where_they_may),
                                   T(many_at_once)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
