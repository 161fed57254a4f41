/* The HTTP side of the table: routes, sessions, tokens, bodies, live events. */
#include "base/log.h"
#include "base/map.h"
#include "op/fns.h"
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BODY_SMALL ((size_t)64 << 10)
#define BODY_RECORD ((size_t)256 << 10)
#define BODY_UPLOAD ((size_t)20 << 20)
#define REPLY_MAX ((size_t)64 << 20)

struct api {
    struct http *http; /* NULL before the server is up and after it is down: the judge may find alarms then too */
    pthread_mutex_t lock;
    struct engine *en;
};

static const char *CODE[] = {"ok", "input", "denied", "absent", "conflict", "limit", "io", "busy"};
static const int STATUS[] = {200, 400, 403, 404, 409, 413, 503, 429};

const char *op_code(int rc) { return CODE[-rc]; }

static void refuse(struct http_res *res, int status, const char *code, const char *text) {
    struct json j;
    buf_clear(&res->body);
    json_init(&j, &res->body);
    json_obj(&j);
    json_key(&j, "error");
    json_z(&j, text);
    json_key(&j, "code");
    json_z(&j, code);
    json_end(&j);
    res->status = status;
}

static struct str bearer(const struct http_req *r) {
    struct str h = http_header(r, "Authorization");
    return h.n > 7 && !memcmp(h.p, "Bearer ", 7) ? (struct str){h.p + 7, h.n - 7} : (struct str){"", 0};
}

/* Who calls: session cookie, upload token, or the owner of the data directory on its own socket. */
static bool caller(struct api *a, const struct http_req *r, struct actor *ret) {
    struct zb_err e;
    struct str token = bearer(r), cookie = http_cookie(r, "zb_session");
    struct db *db = engine_reader(a->en, &e);
    bool known = false;
    *ret = (struct actor){0};
    if (db && cookie.n) {
        known = session_find(db, cookie, zb_now(), ret, &e) == ZB_OK;
    } else if (db && token.n) {
        known = token_find(db, token, ret->area, &e) == ZB_OK;
        ret->upload = known;
        str_copy(STR("link"), ret->user, sizeof ret->user);
    } else if (r->local) {
        *ret = op_local_actor();
        known = true;
    }
    engine_reader_back(a->en, db);
    return known;
}

static void body_max(void *arg, const struct http_req *r, uint64_t length, struct http_verdict *ret) {
    struct api *a = arg;
    struct str v[OP_ARGS_MAX];
    bool seen;
    const struct op *op = op_route(r->method, r->path, v, &seen);
    if (!op) {
        ret->status = seen ? 405 : 404;
        return;
    }
    if (op->who != WHO_TOKEN && !op->file) {
        ret->most = op->who == WHO_RIGHT ? BODY_RECORD : BODY_SMALL;
        return;
    }
    struct actor who;
    ret->status = 401;
    if (!caller(a, r, &who) || (op->file ? who.upload : !who.upload && !r->local)) return;
    ret->most = BODY_UPLOAD;
    if (!who.upload) return;
    ret->share = map_hash(str_of(who.area)) | (uint64_t)1 << 32;
    int named = op_arg_index(op, "name"); /* a pushed event has no name: it is live */
    ret->retry_after = length <= BODY_UPLOAD ? engine_wait(a->en, str_of(who.area), named < 0 ? STR("") : v[named], (size_t)length) : 0;
    if (ret->retry_after) *ret = (struct http_verdict){.status = 429, .retry_after = ret->retry_after};
}

/* A JSON object's top-level texts, numbers and flags by the row's names. */
static int body_args(struct op_call *c, const struct http_req *r, struct zb_err *e) {
    if (!r->body.n) return ZB_OK;
    json_error_t err;
    json_t *o = json_loadb(r->body.p, r->body.n, JSON_REJECT_DUPLICATES, &err);
    if (!o) return zb_fail(e, ZB_E_INPUT, "the body is not JSON: line %d column %d: %s", err.line, err.column, err.text);
    int rc = json_is_object(o) ? ZB_OK : zb_fail(e, ZB_E_INPUT, "the body must be a JSON object");
    const char *key;
    json_t *v;
    if (rc == ZB_OK) json_object_foreach(o, key, v) {
            int i = op_arg_index(c->op, key);
            if (i < 0) {
                rc = zb_fail(e, ZB_E_INPUT, "%.60s is not an argument of %s", key, c->op->name);
                break;
            }
            if (json_is_string(v))
                c->value[i] = str_of(arena_str(c->arena, (struct str){json_string_value(v), json_string_length(v)}));
            else if (json_is_integer(v))
                c->value[i] = str_of(arena_printf(c->arena, "%lld", (long long)json_integer_value(v)));
            else if (json_is_boolean(v))
                c->value[i] = json_is_true(v) ? STR("1") : STR("0");
            else if (json_is_object(v) && c->op->arg[i].kind == ARG_JSON) {
                char *text = json_dumps(v, JSON_COMPACT);
                c->value[i] = str_of(arena_str(c->arena, str_of(text)));
                free(text);
            } else
                rc = zb_fail(e, ZB_E_INPUT, "%s: write a text, a whole number, true or false", key);
            if (rc != ZB_OK) break;
        }
    json_decref(o);
    return rc;
}

static void query_args(struct op_call *c, const struct http_req *r) {
    for (int i = 0; i < OP_ARGS_MAX && c->op->arg[i].name; i++)
        if (!c->value[i].n) c->value[i] = http_arg(r, c->op->arg[i].name);
}

/* What gateways push has no file name: its type stands in the address, its time is now, its mine that of the token. */
static struct str push_name(struct op_call *c) {
    char t[ZB_TIME_CAP];
    char *name = arena_printf(c->arena, STR_FMT "_%s.json", STR_ARG(op_text(c, "type")), zb_time_stamp(zb_now(), t));
    return str_of(name ? name : "");
}

static void push_json(struct json *j, int code, const char *msg) { /* the gateways' own reply */
    json_obj(j);
    json_key(j, "code");
    json_i64(j, code);
    json_key(j, "msg");
    json_z(j, msg);
    json_end(j);
}

static void upload(struct api *a, struct op_call *c, const struct http_req *r, struct http_res *res) {
    struct upload_result u = {0};
    struct zb_err e;
    struct json j;
    struct str mine = c->actor.upload ? str_of(c->actor.area) : STR(""), origin = r->local ? STR("import") : STR("http");
    if (!c->actor.upload && c->actor.id) {
        refuse(res, 403, "denied", "uploads need the mine's upload token");
        return;
    }
    bool push = !strcmp(c->op->name, "push"), many = !strcmp(c->op->name, "uploads"), wait = op_int(c, "wait", 0) == 1;
    struct str name = push ? push_name(c) : many ? STR("") : op_text(c, "name");
    json_init(&j, &res->body);
    int rc = many ? bundle_take(a->en, mine, origin, r->body, wait, &j, &e) : engine_submit(a->en, mine, origin, name, r->body, wait, &u, &e);
    if (push)
        push_json(&j, rc == ZB_OK ? 200 : STATUS[-rc], rc == ZB_OK ? u.reason : e.msg);
    else if (rc == ZB_E_IO || rc == ZB_E_BUSY || (many && rc != ZB_OK))
        refuse(res, STATUS[-rc], CODE[-rc], e.msg);
    else if (!many)
        upload_json(&j, name, &u, NULL); /* a refused file has its reason in the same shape */
    if (rc != ZB_OK) res->status = STATUS[-rc];
    if (rc == ZB_E_BUSY) res->retry_after = u.wait;
}

/* "region/mine" seen by the area in the stream's key */
static bool sse_may(void *arg, uint64_t key, const char *scope) {
    (void)arg;
    struct actor a = {0};
    snprintf(a.area, sizeof a.area, "%llu", (unsigned long long)key);
    struct str mine, region = str_cut(str_of(scope), '/', &mine);
    char reg[16], m[24];
    str_copy(region, reg, sizeof reg);
    str_copy(mine.p ? mine : STR(""), m, sizeof m);
    return may_see(&a, reg, m);
}

static void publish(struct api *a, const char *id) {
    struct zb_err e;
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 64 << 10);
    json_init(&j, &b);
    struct db *db = engine_reader(a->en, &e);
    if (!db) return;
    char scope[64] = "";
    struct stmt *q = db_use(db, "select region||'/'||mine from alarm where id=?", &e);
    if (q) {
        stmt_z(q, 1, id);
        if (stmt_row(q, &e) == 1) str_copy(stmt_col_text(q, 0), scope, sizeof scope);
        stmt_done(&q);
    }
    bool found = scope[0] && alarm_json(db, str_of(id), &j, &e);
    pthread_mutex_lock(&a->lock);
    if (found && a->http) http_publish(a->http, "alarm", buf_str(&b), scope);
    pthread_mutex_unlock(&a->lock);
    engine_reader_back(a->en, db);
}

static void on_alarm(void *arg, const struct alarm *al, const char *region) {
    (void)region;
    publish(arg, al->id);
}

/* POSTs of a session prove that they come from our own page. */
static bool csrf_ok(const struct http_req *r, const struct actor *who, const struct op *op) {
    if (r->method == HTTP_GET || op->who == WHO_ANYONE || who->upload || !who->id) return true;
    return who->csrf[0] && str_is(http_header(r, "X-CSRF"), who->csrf);
}

static void run(struct api *a, struct op_call *c, const struct http_req *r, struct http_res *res) {
    struct zb_err e;
    if (!strcmp(c->op->name, "logout")) str_copy(http_cookie(r, "zb_session"), c->cookie, sizeof c->cookie);
    int rc = op_run(c, &res->body, &e);
    if (rc != ZB_OK) {
        bool login = rc == ZB_E_DENIED && (!c->known || c->op->who == WHO_ANYONE);
        bool often = rc == ZB_E_LIMIT && c->op->who == WHO_ANYONE;
        refuse(res, login ? 401 : often ? 429 : STATUS[-rc], CODE[-rc], e.msg);
        return;
    }
    if (c->op->who != WHO_ANYONE || !strcmp(c->op->name, "login"))
        str_copy(str_of(strncmp(c->cookie, "zb_session=", 11) ? "" : c->cookie), res->cookie, sizeof res->cookie);
    if (c->type) res->type = c->type;
    str_copy(str_of(c->disposition), res->disposition, sizeof res->disposition);
    if (c->changed_alarm[0]) publish(a, c->changed_alarm);
}

static void handle(void *arg, const struct http_req *r, struct http_res *res) {
    struct api *a = arg;
    struct op_call c = {.en = a->en, .arena = r->arena, .address = r->address};
    struct zb_err e;
    bool seen;
    c.op = op_route(r->method, r->path, c.value, &seen);
    if (!c.op) {
        refuse(res, seen ? 405 : 404, "absent", seen ? "this address does not take that method" : "no such address: see /api/v1/openapi.json");
        return;
    }
    c.known = caller(a, r, &c.actor);
    if (c.known && !csrf_ok(r, &c.actor, c.op)) {
        refuse(res, 403, "denied", "the X-CSRF header is missing or not that of this session");
        return;
    }
    if (c.op->who == WHO_TOKEN) {
        query_args(&c, r);
        if (!c.known)
            refuse(res, 401, "denied", "uploads need the mine's upload token");
        else if (op_args_check(&c, &e) != ZB_OK)
            refuse(res, 400, "input", e.msg);
        else
            upload(a, &c, r, res);
        return;
    }
    if (!strcmp(c.op->name, "events") && c.known && !c.actor.upload) {
        int64_t area;
        res->sse = num_i64(str_of(c.actor.area), 0, INT64_MAX, &area);
        res->sse_key = (uint64_t)area;
        return;
    }
    if (c.op->file)
        c.body = r->body;
    else if (r->method != HTTP_GET && body_args(&c, r, &e) != ZB_OK) {
        refuse(res, 400, "input", e.msg);
        return;
    }
    query_args(&c, r);
    run(a, &c, r, res);
}

int api_start(struct engine **en, const char *dir, const char *listen, const char *web_dir, struct api **ret, struct zb_err *e) {
    struct api *a = xcalloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    struct engine_hooks hooks = {on_alarm, a};
    if (engine_open(dir, &hooks, &a->en, e) != ZB_OK) {
        free(a);
        return e->rc;
    }
    *en = a->en;
    char sock[500];
    snprintf(sock, sizeof sock, "%s/run.sock", dir);
    struct http_config cfg = {
        .listen = listen, .web_dir = web_dir, .unix_path = sock, .workers = 16, .body_max = body_max, .handle = handle, .sse_may = sse_may, .arg = a};
    struct http *http = NULL;
    if (http_start(&cfg, &http, e) != ZB_OK) {
        engine_close(*en);
        free(a);
        return e->rc;
    }
    pthread_mutex_lock(&a->lock);
    a->http = http;
    pthread_mutex_unlock(&a->lock);
    *ret = a;
    return ZB_OK;
}

int api_port(const struct api *a) { return http_port(a->http); }

void api_stop(struct api *a) {
    struct http *h = a->http;
    pthread_mutex_lock(&a->lock);
    a->http = NULL;
    pthread_mutex_unlock(&a->lock);
    http_stop(h);
}

void api_free(struct api *a) {
    pthread_mutex_destroy(&a->lock);
    free(a);
}
