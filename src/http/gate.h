/* The strict gate: a request's head as a pure function of bytes. What is odd is refused, not guessed (RFC 9112 with less). */
#pragma once
#include "http/http.h"

#define GATE_HEAD_MAX 16384
#define GATE_HEADERS_MAX 100
struct gate_header {
    struct str name, value;
};
struct gate {
    enum http_method method;
    bool head_only; /* HEAD */
    struct str target, path_raw, query;
    struct gate_header header[GATE_HEADERS_MAX];
    int headers;
    uint64_t length; /* Content-Length */
    bool close, expect;
    size_t head_n; /* bytes of the head with its empty line */
    int status;    /* when refused */
    const char *reason;
};
/* 1 whole head read, 0 more bytes needed, -1 refused (status, reason). */
int gate_parse(const char *p, size_t n, struct gate *g);
struct str gate_find(const struct gate *g, const char *name);
/* Percent-decoded path, checked; NULL: not acceptable. In arena a. */
char *gate_path(struct str raw, struct arena *a);
char *gate_decode(struct str raw, bool plus, struct arena *a);
const char *gate_phrase(int status); /* "Not Found"; "Answer" for one not in use here */
