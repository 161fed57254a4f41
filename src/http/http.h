/* The web server behind our own seam; the library (libevent) is seen only in http/evserver.c. One event loop thread; handlers run on a pool of
 * `workers` threads and never block the loop. The strict gate refuses, before any handler: duplicate Content-Length or Host, any request
 * Transfer-Encoding, odd lengths, bare LF, NUL, odd names, bad paths (.., %00, %2f), more than 100 headers or 16 KiB of them, unknown methods,
 * bodies over the route's maximum; connections × body cap <= 64 MB in all (then 503 with Retry-After). */
#pragma once
#include "base/arena.h"
#include "base/time.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE };
struct http_req {
    enum http_method method;
    struct str path;  /* decoded, begins with / */
    struct str query; /* raw */
    struct str body;
    struct str address;  /* client's */
    bool local;          /* came over the unix socket (mode 0600): the owner of the data directory */
    struct arena *arena; /* of the request, 1 MiB beyond the body */
    const void *lib;     /* library's own */
};
struct http_res {
    int status;                      /* 200 unless set */
    const char *type;                /* "application/json; charset=utf-8" unless set */
    struct buf body;                 /* max 64 MiB */
    char location[200], cookie[200]; /* "" none; cookie: whole Set-Cookie value */
    char disposition[700];           /* Content-Disposition of a file to keep; "" none */
    int retry_after;                 /* seconds; 0 none (503: 2) */
    bool sse;                        /* turn this connection into a live event stream */
    uint64_t sse_key;                /* handed to the filter */
};
struct str http_header(const struct http_req *r, const char *name); /* "" absent */
struct str http_cookie(const struct http_req *r, const char *name);
/* Query argument, percent- and plus-decoded into the request's arena; "" absent. */
struct str http_arg(const struct http_req *r, const char *name);

struct http_verdict { /* of a head, before its body is read */
    size_t most;      /* largest body this route takes from this caller; 0: refuse */
    int status;       /* of the refusal */
    int retry_after;  /* seconds, with 429 */
    uint64_t share;   /* bodies of one share are together at most a quarter of all, or one; 0: none */
};
struct http_config {
    const char *listen;    /* "127.0.0.1:8080"; port 0: any */
    const char *web_dir;   /* static files (index.html for unknown paths outside /api), NULL none; gzip siblings .gz served if accepted */
    const char *unix_path; /* DIR/run.sock, made with mode 0600, NULL none */
    int workers;
    /* Called on the loop when the headers are in and length bytes of body are announced. */
    void (*body_max)(void *arg, const struct http_req *r, uint64_t length, struct http_verdict *ret);
    void (*handle)(void *arg, const struct http_req *r, struct http_res *res);
    bool (*sse_may)(void *arg, uint64_t sse_key, const char *scope); /* may this stream's holder see an event of this scope? */
    void *arg;
};
struct http;
ZB_MUST int http_start(const struct http_config *c, struct http **ret, struct zb_err *e);
int http_port(const struct http *h);
/* Any thread. scope: region or mine code for the filter. Streams more than 256 KiB behind are closed (they reload). */
void http_publish(struct http *h, const char *event, struct str json, const char *scope);
void http_stop(struct http *h); /* answers what is under way, closes streams, joins */
struct http_stat {
    int connections, streams;
    uint64_t requests, refused;
};
void http_stats(const struct http *h, struct http_stat *ret);
