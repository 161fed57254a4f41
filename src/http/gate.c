#include "http/gate.h"
#include "base/num.h"
#include "base/utf8.h"
#include <strings.h>

static int refuse(struct gate *g, int status, const char *reason) {
    g->status = status;
    g->reason = reason;
    return -1;
}

static bool token_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c)); }

static int request_line(struct gate *g, struct str line) {
    static const struct {
        const char *name;
        enum http_method m;
        bool head;
    } M[] = {{"GET", HTTP_GET, false}, {"HEAD", HTTP_GET, true}, {"POST", HTTP_POST, false}, {"DELETE", HTTP_DELETE, false}};
    struct str rest, version, method = str_cut(line, ' ', &rest);
    g->target = rest.p ? str_cut(rest, ' ', &version) : (struct str){"", 0};
    if (!rest.p || !version.p) return refuse(g, 400, "the request line is not METHOD TARGET VERSION");
    if (!str_is(version, "HTTP/1.1")) return refuse(g, 505, "only HTTP/1.1");
    bool known = false;
    for (size_t i = 0; i < 4 && !known; i++)
        if (str_is(method, M[i].name)) {
            g->method = M[i].m;
            g->head_only = M[i].head;
            known = true;
        }
    if (!known) return refuse(g, 501, "unknown method");
    if (!g->target.n || g->target.p[0] != '/' || g->target.n > 4096) return refuse(g, 400, "the target must be a path of at most 4096 bytes");
    for (size_t i = 0; i < g->target.n; i++)
        if ((unsigned char)g->target.p[i] <= ' ' || (unsigned char)g->target.p[i] >= 0x7f || g->target.p[i] == '#')
            return refuse(g, 400, "odd bytes in the target");
    g->path_raw = str_cut(g->target, '?', &g->query);
    if (!g->query.p) g->query = (struct str){"", 0};
    return 0;
}

static int header_line(struct gate *g, struct str line) {
    if (g->headers == GATE_HEADERS_MAX) return refuse(g, 431, "more than 100 headers");
    if (line.p[0] == ' ' || line.p[0] == '\t') return refuse(g, 400, "a folded header line");
    struct str value, name = str_cut(line, ':', &value);
    if (!value.p || !name.n) return refuse(g, 400, "a header line without a name or colon");
    for (size_t i = 0; i < name.n; i++)
        if (!token_char(name.p[i])) return refuse(g, 400, "an odd byte in a header's name");
    value = str_trim(value);
    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f) return refuse(g, 400, "a control byte in a header's value");
    g->header[g->headers++] = (struct gate_header){name, value};
    return 0;
}

static bool name_is(struct str s, const char *z) { return s.n == strlen(z) && !strncasecmp(s.p, z, s.n); }

struct str gate_find(const struct gate *g, const char *name) {
    for (int i = 0; i < g->headers; i++)
        if (name_is(g->header[i].name, name)) return g->header[i].value;
    return (struct str){"", 0};
}

static int times(const struct gate *g, const char *name) {
    int n = 0;
    for (int i = 0; i < g->headers; i++) n += name_is(g->header[i].name, name);
    return n;
}

static int meaning(struct gate *g) {
    struct str length = gate_find(g, "Content-Length"), connection = gate_find(g, "Connection"), expect = gate_find(g, "Expect");
    int64_t n = 0;
    if (times(g, "Transfer-Encoding")) return refuse(g, 501, "Transfer-Encoding is not taken: send Content-Length");
    if (times(g, "Content-Length") > 1) return refuse(g, 400, "Content-Length is there twice");
    if (times(g, "Host") != 1 || !gate_find(g, "Host").n) return refuse(g, 400, "there must be exactly one Host");
    if (times(g, "Content-Length") == 1) {
        if (!length.n || length.n > 15) return refuse(g, 400, "odd Content-Length");
        for (size_t i = 0; i < length.n; i++)
            if (length.p[i] < '0' || length.p[i] > '9') return refuse(g, 400, "odd Content-Length");
        if (!num_i64(length, 0, INT64_MAX, &n)) return refuse(g, 400, "odd Content-Length");
    } else if (g->method == HTTP_POST) {
        return refuse(g, 411, "a POST needs Content-Length");
    }
    if (expect.n && !name_is(expect, "100-continue")) return refuse(g, 417, "unknown expectation");
    g->length = (uint64_t)n;
    g->expect = expect.n > 0;
    g->close = name_is(connection, "close");
    if (times(g, "Upgrade") && name_is(connection, "upgrade")) return refuse(g, 400, "no upgrades here");
    return 1;
}

int gate_parse(const char *p, size_t n, struct gate *g) {
    *g = (struct gate){0};
    size_t at = 0, have = n < GATE_HEAD_MAX ? n : GATE_HEAD_MAX;
    for (bool first = true;; first = false) {
        const char *nl = memchr(p + at, '\n', have - at);
        size_t end = nl ? (size_t)(nl - p) : have;
        if (memchr(p + at, 0, end - at)) return refuse(g, 400, "a NUL byte in the head");
        if (!nl) return n >= GATE_HEAD_MAX ? refuse(g, 431, "the head is larger than 16 KiB") : 0;
        if (end == at || p[end - 1] != '\r') return refuse(g, 400, "a line that does not end with CR LF");
        struct str line = {p + at, end - 1 - at};
        if (memchr(line.p, '\r', line.n)) return refuse(g, 400, "a stray CR");
        at = end + 1;
        if (first) {
            if (request_line(g, line) < 0) return -1;
        } else if (!line.n) {
            g->head_n = at;
            return meaning(g);
        } else if (header_line(g, line) < 0) {
            return -1;
        }
    }
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

char *gate_decode(struct str raw, bool plus, struct arena *a) {
    char *out = arena_alloc(a, raw.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%') {
            bool whole = i + 2 < raw.n;
            int h = whole ? hex(raw.p[i + 1]) : -1, l = whole ? hex(raw.p[i + 2]) : -1;
            if (h < 0 || l < 0 || (h == 0 && l == 0)) return NULL;
            c = (char)(h * 16 + l);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        out[n++] = c;
    }
    return out && utf8_valid((struct str){out, n}) ? out : NULL;
}

char *gate_path(struct str raw, struct arena *a) {
    for (size_t i = 0; i + 2 < raw.n; i++) /* an encoded slash or dot has no business here */
        if (raw.p[i] == '%' && raw.p[i + 1] == '2' && (raw.p[i + 2] == 'f' || raw.p[i + 2] == 'F' || raw.p[i + 2] == 'e' || raw.p[i + 2] == 'E')) return NULL;
    char *p = gate_decode(raw, false, a);
    if (!p) return NULL;
    for (struct str rest = str_of(p + 1), part; rest.p;) {
        part = str_cut(rest, '/', &rest);
        if (str_is(part, "..") || str_is(part, ".") || (!part.n && rest.p)) return NULL;
        for (size_t i = 0; i < part.n; i++)
            if ((unsigned char)part.p[i] < ' ' || part.p[i] == '\\' || part.p[i] == 0x7f) return NULL;
    }
    return p;
}

const char *gate_phrase(int status) {
    static const struct {
        int s;
        const char *p;
    } P[] = {{200, "OK"},
             {303, "See Other"},
             {304, "Not Modified"},
             {400, "Bad Request"},
             {401, "Unauthorized"},
             {403, "Forbidden"},
             {404, "Not Found"},
             {405, "Method Not Allowed"},
             {408, "Request Timeout"},
             {409, "Conflict"},
             {411, "Length Required"},
             {413, "Content Too Large"},
             {417, "Expectation Failed"},
             {429, "Too Many Requests"},
             {431, "Header Fields Too Large"},
             {501, "Not Implemented"},
             {503, "Service Unavailable"},
             {505, "Version Not Supported"}};
    for (size_t i = 0; i < sizeof P / sizeof *P; i++)
        if (P[i].s == status) return P[i].p;
    return "Answer";
}
