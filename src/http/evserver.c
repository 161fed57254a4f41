/* One loop thread owns every connection; handlers run on worker threads with a request of their own and come back through a list. */
#include "http/files.h"
#include "http/gate.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNS_MAX 1024
#define JOBS_MAX 1024
#define BODIES_MAX ((size_t)64 << 20)
#define HEAD_TIME (15 * ZB_SECOND)
#define BODY_TIME (120 * ZB_SECOND)
#define LINGER_TIME (5 * ZB_SECOND)
#define IDLE_TIME (60 * ZB_SECOND)
#define BEAT 15
#define BEHIND_MAX ((size_t)256 << 10)
#define REPLY_MAX ((size_t)64 << 20)

struct conn;
struct work { /* a request on its way through a worker; owns its bytes */
    struct work *next;
    struct http_req req;
    struct http_res res;
    struct gate gate;
    char *head, *body, etag[48];
    struct conn *conn; /* loop thread only; NULL when the client left */
    bool is_file;
};
struct conn {
    struct conn *next, **prev;
    struct http *h;
    struct bufferevent *bev;
    char address[64];
    bool local, sse, closing, linger; /* linger: what still comes is thrown away, so that the refusal is read before a reset */
    uint64_t sse_key;
    struct work *work; /* being received or handled */
    bool handed;       /* with a worker */
    size_t reserved;
    uint64_t share; /* whose body it is */
    zb_time deadline;
};
struct event_out {
    struct event_out *next;
    char *text, *scope;
    size_t n;
};

struct http {
    struct http_config c;
    struct event_base *base;
    struct evconnlistener *tcp, *local;
    struct event *wake, *tick, *beat;
    pthread_t loop, *worker;
    int workers, port;
    bool looping;
    struct conn *conns;
    size_t bodies;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct work *head, *tail, *done;
    struct event_out *out, *out_last;
    int jobs;
    bool stop;
    struct http_stat stat;
};

struct str http_header(const struct http_req *r, const char *name) {
    return gate_find(&((const struct work *)r->lib)->gate, name);
}

struct str http_cookie(const struct http_req *r, const char *name) {
    struct str rest = http_header(r, "Cookie");
    while (rest.p && rest.n) {
        struct str value, one = str_trim(str_cut(rest, ';', &rest)), key = str_cut(one, '=', &value);
        if (value.p && str_is(key, name)) return value;
    }
    return (struct str){"", 0};
}

struct str http_arg(const struct http_req *r, const char *name) {
    struct str rest = r->query;
    while (rest.p && rest.n) {
        struct str value, key = str_cut(str_cut(rest, '&', &rest), '=', &value);
        if (!value.p || !str_is(key, name)) continue;
        char *d = gate_decode(value, true, r->arena);
        return d ? str_of(d) : (struct str){"", 0};
    }
    return (struct str){"", 0};
}

static void work_free(struct work *w) {
    if (!w) return;
    if (w->req.arena) arena_free(w->req.arena);
    buf_done(&w->res.body);
    free(w->head);
    free(w->body);
    free(w);
}

static void conn_close(struct conn *c) {
    struct http *h = c->h;
    if (c->work && c->handed)
        c->work->conn = NULL; /* the worker's answer will find nobody */
    else
        work_free(c->work);
    h->bodies -= c->reserved;
    bufferevent_free(c->bev);
    *c->prev = c->next;
    if (c->next) c->next->prev = c->prev;
    pthread_mutex_lock(&h->lock);
    h->stat.connections--;
    h->stat.streams -= c->sse;
    pthread_mutex_unlock(&h->lock);
    free(c);
}

static void head_send(struct conn *c, const struct http_res *res, size_t n, const char *etag, bool close_after) {
    struct evbuffer *o = bufferevent_get_output(c->bev);
    evbuffer_add_printf(o, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n", res->status, gate_phrase(res->status), res->type);
    if (!res->sse) evbuffer_add_printf(o, "Content-Length: %zu\r\n", n);
    evbuffer_add_printf(o, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\nX-Frame-Options: DENY\r\n"
                           "Content-Security-Policy: default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'\r\n");
    evbuffer_add_printf(o, etag[0] ? "ETag: %s\r\nCache-Control: no-cache\r\n" : "Cache-Control: no-store%s\r\n", etag);
    if (res->location[0]) evbuffer_add_printf(o, "Location: %s\r\n", res->location);
    if (res->cookie[0]) evbuffer_add_printf(o, "Set-Cookie: %s\r\n", res->cookie);
    if (res->disposition[0]) evbuffer_add_printf(o, "Content-Disposition: %s\r\n", res->disposition);
    int wait = res->retry_after ? res->retry_after : res->status == 503 ? 2 : 0;
    if (wait) evbuffer_add_printf(o, "Retry-After: %d\r\n", wait);
    evbuffer_add_printf(o, "Connection: %s\r\n\r\n", close_after ? "close" : "keep-alive");
}

static void on_written(struct bufferevent *bev, void *arg) {
    struct conn *c = arg;
    if (!c->closing || evbuffer_get_length(bufferevent_get_output(bev))) return;
    if (c->linger)
        shutdown(bufferevent_getfd(bev), SHUT_WR);
    else
        conn_close(c);
}

/* The connection ends after this: nothing that follows a refused head can be trusted. */
static void refuse_until(struct conn *c, int status, int retry_after, const char *reason) {
    struct http_res res = {.status = status, .type = "application/json; charset=utf-8", .retry_after = retry_after};
    char body[300];
    int n = snprintf(body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\"}", reason,
                     status == 413                    ? "limit"
                     : status == 401 || status == 403 ? "denied"
                     : status == 503                  ? "io"
                     : status == 429                  ? "busy"
                     : status == 404                  ? "absent"
                                                      : "input");
    pthread_mutex_lock(&c->h->lock);
    c->h->stat.refused++;
    pthread_mutex_unlock(&c->h->lock);
    head_send(c, &res, (size_t)n, "", true);
    evbuffer_add(bufferevent_get_output(c->bev), body, (size_t)n);
    c->closing = c->linger = true;
    c->deadline = zb_now() + LINGER_TIME;
    evbuffer_drain(bufferevent_get_input(c->bev), evbuffer_get_length(bufferevent_get_input(c->bev)));
    bufferevent_enable(c->bev, EV_READ);
}

static void refuse(struct conn *c, int status, const char *reason) { refuse_until(c, status, 0, reason); }

static void hand_over(struct conn *c) {
    struct http *h = c->h;
    struct work *w = c->work;
    pthread_mutex_lock(&h->lock);
    bool full = h->jobs >= JOBS_MAX || h->stop;
    if (!full) {
        c->handed = true;
        w->next = NULL;
        if (h->tail)
            h->tail->next = w;
        else
            h->head = w;
        h->tail = w;
        h->jobs++;
        h->stat.requests++;
        pthread_cond_signal(&h->more);
    }
    pthread_mutex_unlock(&h->lock);
    if (full) refuse(c, 503, "too many requests are waiting: try again");
}

static void request_fill(struct conn *c, struct work *w) {
    w->req = (struct http_req){
        .method = w->gate.method, .query = w->gate.query, .address = str_of(c->address), .local = c->local, .arena = arena_new((size_t)1 << 20), .lib = w};
    w->res.status = 200;
    w->res.type = "application/json; charset=utf-8";
    buf_init(&w->res.body, REPLY_MAX);
}

/* Looked at only when bodies take more than their quarter: one sender then has no more than that. */
static bool share_full(const struct http *h, uint64_t share, uint64_t n) {
    size_t own = 0;
    if (!share || h->bodies + n <= BODIES_MAX / 4) return false;
    for (const struct conn *c = h->conns; c; c = c->next)
        if (c->share == share) own += c->reserved;
    return own && own + n > BODIES_MAX / 4;
}

/* The head is in: route, size, budget. false: refused or still waiting. */
static bool head_take(struct conn *c) {
    struct http *h = c->h;
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(in) < GATE_HEAD_MAX ? evbuffer_get_length(in) : GATE_HEAD_MAX;
    struct gate probe;
    if (!n) return false;
    if (c->deadline == INT64_MAX) c->deadline = zb_now() + HEAD_TIME;
    int r = gate_parse((const char *)evbuffer_pullup(in, (ev_ssize_t)n), n, &probe);
    if (r < 0) refuse(c, probe.status, probe.reason);
    if (r <= 0) return false;
    struct work *w = xcalloc(1, sizeof *w);
    w->head = xmalloc(probe.head_n + 1);
    evbuffer_remove(in, w->head, probe.head_n);
    if (gate_parse(w->head, probe.head_n, &w->gate) != 1) ZB_BUG("the gate judged the same head twice and differently");
    request_fill(c, w);
    w->conn = c;
    c->work = w;
    char *path = gate_path(w->gate.path_raw, w->req.arena);
    if (!path) {
        refuse(c, 400, "the path is not acceptable");
        return false;
    }
    w->req.path = str_of(path);
    w->is_file = strncmp(path, "/api/", 5) != 0;
    struct http_verdict v = {.status = 413};
    if (!w->is_file && (w->gate.length || w->req.method != HTTP_GET)) h->c.body_max(h->c.arg, &w->req, w->gate.length, &v);
    if (w->gate.length > v.most || v.retry_after) {
        refuse_until(c, v.most ? 413 : v.status, v.retry_after,
                     v.most            ? "the body is too large"
                     : v.status == 429 ? "this mine sends more than its share: try again after a while"
                     : v.status == 401 ? "an upload token is needed"
                     : v.status == 404 ? "no such address"
                                       : "no body is taken here");
        return false;
    }
    if (share_full(h, v.share, w->gate.length)) {
        refuse_until(c, 429, 1, "this sender has too many bodies under way: try again");
        return false;
    }
    c->share = v.share;
    if (h->bodies + w->gate.length > BODIES_MAX) {
        refuse(c, 503, "too many large bodies are under way: try again");
        return false;
    }
    c->reserved = (size_t)w->gate.length;
    h->bodies += c->reserved;
    c->deadline = zb_now() + BODY_TIME;
    bufferevent_setwatermark(c->bev, EV_READ, 0, (size_t)w->gate.length + GATE_HEAD_MAX);
    if (w->gate.expect && w->gate.length) evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
    return true;
}

static void on_read(struct bufferevent *bev, void *arg) {
    struct conn *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    if (c->linger) evbuffer_drain(in, evbuffer_get_length(in));
    if (c->closing || c->handed || c->sse) return;
    if (!c->work && !head_take(c)) return;
    struct work *w = c->work;
    if (evbuffer_get_length(in) < w->gate.length) return;
    w->body = xmalloc((size_t)w->gate.length + 1);
    evbuffer_remove(in, w->body, (size_t)w->gate.length);
    w->body[w->gate.length] = 0;
    w->req.body = (struct str){w->body, (size_t)w->gate.length};
    c->deadline = INT64_MAX; /* a worker has it */
    bufferevent_disable(bev, EV_READ);
    hand_over(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg) {
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) conn_close(arg);
}

static void answer(struct conn *c, struct work *w) {
    struct http_res *res = &w->res;
    struct evbuffer *o = bufferevent_get_output(c->bev);
    if (res->body.over) {
        buf_clear(&res->body);
        res->body.over = false;
        res->status = 413;
    }
    c->handed = false;
    c->work = NULL;
    c->h->bodies -= c->reserved;
    c->reserved = 0;
    bool close_after = w->gate.close && !res->sse;
    if (res->sse) res->type = "text/event-stream; charset=utf-8";
    head_send(c, res, res->body.n, w->etag, close_after);
    if (res->sse) {
        c->sse = true;
        c->sse_key = res->sse_key;
        c->deadline = INT64_MAX;
        pthread_mutex_lock(&c->h->lock);
        c->h->stat.streams++;
        pthread_mutex_unlock(&c->h->lock);
        evbuffer_add_printf(o, "event: hello\ndata: {}\n\n");
    } else if (!w->gate.head_only && res->status != 304) {
        evbuffer_add(o, res->body.p ? res->body.p : "", res->body.n);
    }
    work_free(w);
    c->closing = close_after;
    if (!c->sse) c->deadline = zb_now() + IDLE_TIME;
    bufferevent_setwatermark(c->bev, EV_READ, 0, GATE_HEAD_MAX);
    if (!close_after) {
        bufferevent_enable(c->bev, EV_READ);
        if (evbuffer_get_length(bufferevent_get_input(c->bev))) on_read(c->bev, c);
    }
}

static void stream_out(struct http *h, const struct event_out *o) {
    for (struct conn *c = h->conns, *next; c; c = next) {
        next = c->next;
        if (!c->sse || (o->scope[0] && h->c.sse_may && !h->c.sse_may(h->c.arg, c->sse_key, o->scope))) continue;
        struct evbuffer *b = bufferevent_get_output(c->bev);
        if (evbuffer_get_length(b) > BEHIND_MAX)
            conn_close(c);
        else
            evbuffer_add(b, o->text, o->n);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct http *h = arg;
    pthread_mutex_lock(&h->lock);
    struct work *done = h->done;
    struct event_out *out = h->out;
    h->done = NULL;
    h->out = h->out_last = NULL;
    bool stop = h->stop && !h->jobs;
    pthread_mutex_unlock(&h->lock);
    for (struct work *w = done, *next; w; w = next) {
        next = w->next;
        if (w->conn)
            answer(w->conn, w);
        else
            work_free(w);
    }
    for (struct event_out *o = out, *next; o; o = next) {
        next = o->next;
        stream_out(h, o);
        free(o->text);
        free(o->scope);
        free(o);
    }
    if (stop) event_base_loopexit(h->base, &(struct timeval){0, 50000});
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct http *h = arg;
    zb_time now = zb_now();
    for (struct conn *c = h->conns, *next; c; c = next) {
        next = c->next;
        if (!c->handed && now > c->deadline) conn_close(c);
    }
}

static void on_beat(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct event_out beat = {NULL, (char *)":\n\n", (char *)"", 3};
    stream_out(arg, &beat);
}

static void address_of(struct sockaddr *sa, char out[64]) {
    str_copy(STR("local"), out, 64);
    if (sa->sa_family == AF_INET) inet_ntop(AF_INET, &((struct sockaddr_in *)sa)->sin_addr, out, 64);
    if (sa->sa_family == AF_INET6) inet_ntop(AF_INET6, &((struct sockaddr_in6 *)sa)->sin6_addr, out, 64);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg) {
    (void)n;
    struct http *h = arg;
    pthread_mutex_lock(&h->lock);
    bool full = h->stat.connections >= CONNS_MAX || h->stop;
    h->stat.connections += !full;
    pthread_mutex_unlock(&h->lock);
    struct bufferevent *bev = full ? NULL : bufferevent_socket_new(h->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        evutil_closesocket(fd);
        return;
    }
    struct conn *c = xcalloc(1, sizeof *c);
    c->h = h;
    c->bev = bev;
    c->local = l == h->local;
    c->deadline = zb_now() + HEAD_TIME;
    address_of(sa, c->address);
    c->next = h->conns;
    c->prev = &h->conns;
    if (h->conns) h->conns->prev = &c->next;
    h->conns = c;
    bufferevent_setcb(bev, on_read, on_written, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, GATE_HEAD_MAX);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void *loop_main(void *arg) {
    pthread_setname_np(pthread_self(), "loop");
    struct http *h = arg;
    event_base_loop(h->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void *worker_main(void *arg) {
    pthread_setname_np(pthread_self(), "worker");
    struct http *h = arg;
    for (;;) {
        pthread_mutex_lock(&h->lock);
        while (!h->head && !h->stop) pthread_cond_wait(&h->more, &h->lock);
        struct work *w = h->head;
        if (w) {
            h->head = w->next;
            if (!h->head) h->tail = NULL;
        }
        pthread_mutex_unlock(&h->lock);
        if (!w) return NULL;
        if (w->is_file && w->req.method == HTTP_GET)
            files_serve(h->c.web_dir, &w->req, &w->res, w->etag);
        else if (w->is_file)
            w->res.status = 405;
        else
            h->c.handle(h->c.arg, &w->req, &w->res);
        pthread_mutex_lock(&h->lock);
        w->next = h->done;
        h->done = w;
        h->jobs--;
        pthread_mutex_unlock(&h->lock);
        event_active(h->wake, EV_READ, 0);
    }
}

/* ---- start and stop ---- */
static int listen_tcp(struct http *h, struct zb_err *e) {
    struct sockaddr_storage ss;
    int n = sizeof ss;
    /* port 0, any free one, is not understood by the parser: it gets another number that is then taken back */
    char text[80];
    size_t len = strlen(h->c.listen);
    bool any = len > 2 && len < sizeof text - 1 && !strcmp(h->c.listen + len - 2, ":0");
    snprintf(text, sizeof text, "%.*s%s", any ? (int)len - 1 : (int)len, h->c.listen, any ? "1" : "");
    bool good = evutil_parse_sockaddr_port(text, (struct sockaddr *)&ss, &n) == 0;
    if (good && any && ss.ss_family == AF_INET) ((struct sockaddr_in *)&ss)->sin_port = 0;
    if (good && any && ss.ss_family == AF_INET6) ((struct sockaddr_in6 *)&ss)->sin6_port = 0;
    if (!good) return zb_fail(e, ZB_E_INPUT, "listen address \"%s\": write ADDRESS:PORT such as 127.0.0.1:8080", h->c.listen);
    h->tcp = evconnlistener_new_bind(h->base, on_accept, h, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 256, (struct sockaddr *)&ss, n);
    if (!h->tcp) return zb_fail(e, ZB_E_IO, "cannot listen on %s: %s", h->c.listen, strerror(errno));
    socklen_t sn = sizeof ss;
    getsockname(evconnlistener_get_fd(h->tcp), (struct sockaddr *)&ss, &sn);
    h->port = ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port : ((struct sockaddr_in *)&ss)->sin_port);
    return ZB_OK;
}

static int listen_local(struct http *h, struct zb_err *e) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (!h->c.unix_path) return ZB_OK;
    if (strlen(h->c.unix_path) >= sizeof un.sun_path) return zb_fail(e, ZB_E_INPUT, "%s: the path is too long for a socket", h->c.unix_path);
    str_copy(str_of(h->c.unix_path), un.sun_path, sizeof un.sun_path);
    unlink(h->c.unix_path);
    mode_t old = umask(0177);
    h->local = evconnlistener_new_bind(h->base, on_accept, h, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 64, (struct sockaddr *)&un, sizeof un);
    umask(old);
    return h->local ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot make socket %s: %s", h->c.unix_path, strerror(errno));
}

static int start(struct http *h, struct zb_err *e) {
    evthread_use_pthreads();
    signal(SIGPIPE, SIG_IGN);
    h->base = event_base_new();
    if (!h->base) return zb_fail(e, ZB_E_IO, "libevent does not start");
    h->wake = event_new(h->base, -1, EV_PERSIST, on_wake, h);
    h->tick = event_new(h->base, -1, EV_PERSIST, on_tick, h);
    h->beat = event_new(h->base, -1, EV_PERSIST, on_beat, h);
    if (!h->wake || !h->tick || !h->beat) return zb_fail(e, ZB_E_IO, "libevent does not start");
    event_add(h->tick, &(struct timeval){1, 0});
    event_add(h->beat, &(struct timeval){BEAT, 0});
    if (listen_tcp(h, e) != ZB_OK || listen_local(h, e) != ZB_OK) return e->rc;
    h->worker = xcalloc((size_t)h->c.workers, sizeof *h->worker);
    for (; h->workers < h->c.workers; h->workers++)
        if (pthread_create(&h->worker[h->workers], NULL, worker_main, h)) return zb_fail(e, ZB_E_IO, "cannot start worker threads");
    h->looping = pthread_create(&h->loop, NULL, loop_main, h) == 0;
    return h->looping ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot start the loop's thread");
}

int http_start(const struct http_config *c, struct http **ret, struct zb_err *e) {
    struct http *h = xcalloc(1, sizeof *h);
    h->c = *c;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->more, NULL);
    if (start(h, e) != ZB_OK) {
        http_stop(h);
        return e->rc;
    }
    *ret = h;
    return ZB_OK;
}

int http_port(const struct http *h) { return h->port; }

void http_publish(struct http *h, const char *event, struct str json, const char *scope) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, json.n + 200);
    buf_printf(&b, "event: %s\ndata: ", event);
    buf_put(&b, json.p, json.n);
    buf_puts(&b, "\n\n");
    struct event_out *o = xcalloc(1, sizeof *o);
    o->text = xstrndup(b.p, b.n);
    o->n = b.n;
    o->scope = xstrndup(scope, strlen(scope));
    pthread_mutex_lock(&h->lock);
    if (h->out_last)
        h->out_last->next = o;
    else
        h->out = o;
    h->out_last = o;
    pthread_mutex_unlock(&h->lock);
    event_active(h->wake, EV_READ, 0);
}

void http_stats(const struct http *h, struct http_stat *ret) {
    struct http *w = (struct http *)h;
    pthread_mutex_lock(&w->lock);
    *ret = h->stat;
    pthread_mutex_unlock(&w->lock);
}

void http_stop(struct http *h) {
    if (!h) return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->more);
    pthread_mutex_unlock(&h->lock);
    for (int i = 0; i < h->workers; i++) pthread_join(h->worker[i], NULL);
    if (h->looping) {
        event_active(h->wake, EV_READ, 0);
        pthread_join(h->loop, NULL);
    }
    while (h->conns) {
        h->conns->handed = false;
        conn_close(h->conns);
    }
    for (struct event_out *o = h->out, *next; o; o = next) {
        next = o->next;
        free(o->text);
        free(o->scope);
        free(o);
    }
    if (h->tcp) evconnlistener_free(h->tcp);
    if (h->local) evconnlistener_free(h->local);
    if (h->c.unix_path) unlink(h->c.unix_path);
    if (h->wake) event_free(h->wake);
    if (h->tick) event_free(h->tick);
    if (h->beat) event_free(h->beat);
    if (h->base) event_base_free(h->base);
    free(h->worker);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->more);
    free(h);
}
