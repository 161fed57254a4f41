#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool client_open(struct client *c, const char *dir) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    *c = (struct client){.fd = -1};
    if ((size_t)snprintf(un.sun_path, sizeof un.sun_path, "%s/run.sock", dir) >= sizeof un.sun_path) return false;
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&un, sizeof un) == 0) return true;
    client_close(c);
    return false;
}

void client_close(struct client *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

int target_encode(struct buf *out, struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_' || ch == '.')
            buf_putc(out, (char)ch);
        else
            buf_printf(out, "%%%02X", ch);
    }
    return out->over ? ZB_E_LIMIT : ZB_OK;
}

static int send_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return -1;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

/* Reads a whole answer: head, then Content-Length bytes. */
static int answer(int fd, int *status, struct buf *reply, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf all;
    buf_init(&all, (size_t)80 << 20);
    size_t head = 0;
    int64_t length = -1;
    for (;;) {
        char part[65536];
        if (!head && all.n && all.p) {
            const char *end = memmem(all.p, all.n, "\r\n\r\n", 4), *l = memmem(all.p, all.n, "Content-Length: ", 16);
            if (end) {
                head = (size_t)(end - all.p) + 4;
                struct str rest, v = l && l < end ? str_cut((struct str){l + 16, (size_t)(end + 2 - l - 16)}, '\r', &rest) : (struct str){"", 0};
                int64_t s;
                if (!num_i64(v, 0, (int64_t)80 << 20, &length) || all.n < 12 || !num_i64((struct str){all.p + 9, 3}, 100, 599, &s)) break;
                *status = (int)s;
            }
        }
        if (head && all.p && all.n >= head + (size_t)length) {
            buf_put(reply, all.p + head, (size_t)length);
            return ZB_OK;
        }
        ssize_t k = read(fd, part, sizeof part);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        buf_put(&all, part, (size_t)k);
    }
    return zb_fail(e, ZB_E_IO, "the server closed the connection before its answer was whole");
}

int client_call(struct client *c, const char *method, const char *target, struct str body, int *status, struct buf *reply, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 16384);
    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: local\r\nContent-Length: %zu\r\n", method, target, body.n);
    if (c->cookie[0]) buf_printf(&b, "Cookie: %s\r\nX-CSRF: %s\r\n", c->cookie, c->csrf);
    buf_puts(&b, "\r\n");
    if (send_all(c->fd, b.p, b.n) != 0 || send_all(c->fd, body.p, body.n) != 0) {
        if (answer(c->fd, status, reply, e) == ZB_OK) return ZB_OK; /* refused before it was all sent */
        return zb_fail(e, ZB_E_IO, "cannot send to the server: %s", strerror(errno));
    }
    return answer(c->fd, status, reply, e);
}

int client_login(struct client *c, const char *user, const char *password, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf reply;
    buf_init(&reply, 65536);
    json_t *o = json_pack("{s:s,s:s}", "user", user, "password", password);
    char *text = json_dumps(o, 0);
    json_decref(o);
    ZB_AUTO(buf_done) struct buf raw;
    buf_init(&raw, 65536);
    /* the cookie is in the head: a login reads it all */
    buf_printf(&raw, "POST /api/v1/login HTTP/1.1\r\nHost: local\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(text), text);
    free(text);
    char part[8192];
    ssize_t k;
    if (send_all(c->fd, raw.p, raw.n) != 0) return zb_fail(e, ZB_E_IO, "cannot send to the server");
    while ((k = read(c->fd, part, sizeof part)) > 0) buf_put(&reply, part, (size_t)k);
    const char *cookie = reply.p ? strstr(reply.p, "Set-Cookie: ") : NULL, *body = reply.p ? strstr(reply.p, "\r\n\r\n") : NULL;
    json_error_t err;
    json_t *me = body ? json_loads(body + 4, 0, &err) : NULL;
    const char *csrf = me ? json_string_value(json_object_get(me, "csrf")) : NULL, *why = me ? json_string_value(json_object_get(me, "error")) : NULL;
    int rc = ZB_OK;
    if (cookie && csrf) {
        struct str rest;
        str_copy(str_cut(str_of(cookie + 12), ';', &rest), c->cookie, sizeof c->cookie);
        str_copy(str_of(csrf), c->csrf, sizeof c->csrf);
    } else {
        rc = zb_fail(e, ZB_E_DENIED, "%s", why ? why : "login failed");
    }
    json_decref(me);
    return rc;
}
