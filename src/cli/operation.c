/* A row of the operation table from the command line: over the server's socket when DIR is served, else on the directory itself. */
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *password_ask(const char *user, char *out, size_t cap) {
    const char *env = getenv("ZHIBEN_PASSWORD");
    if (env) {
        str_copy(str_of(env), out, cap);
        return out;
    }
    char prompt[120];
    snprintf(prompt, sizeof prompt, "password of %.60s: ", user);
    const char *p = getpass(prompt);
    str_copy(str_of(p), out, cap);
    return p ? out : NULL;
}

static int file_read(const char *path, struct buf *b) {
    FILE *f = fopen(path, "rb");
    char part[65536];
    size_t n;
    if (!f) {
        fprintf(stderr, "zhiben: cannot read %s: %s\n", path, strerror(errno));
        return 1;
    }
    while ((n = fread(part, 1, sizeof part, f)) > 0) buf_put(b, part, n);
    fclose(f);
    if (!b->over) return 0;
    fprintf(stderr, "zhiben: %s is larger than %zu MiB\n", path, b->max >> 20);
    return 1;
}

static int file_write(const char *path, struct str b) {
    FILE *f = fopen(path, "wb");
    bool good = f && fwrite(b.p, 1, b.n, f) == b.n;
    if (f) good &= fclose(f) == 0;
    if (!good) fprintf(stderr, "zhiben: cannot write %s: %s\n", path, strerror(errno));
    return good ? 0 : 1;
}

static int values_take(struct cli *c, const struct op *op, int taken, struct str value[OP_ARGS_MAX], struct buf *file) {
    int at = taken;
    for (int i = 0; i < OP_ARGS_MAX && op->arg[i].name; i++)
        if (op->arg[i].positional && at < c->n) value[i] = str_of(c->rest[at++]);
    if (op->file && at < c->n) {
        const char *path = c->rest[at++], *slash = strrchr(path, '/');
        int name = op_arg_index(op, "name"), bad = file_read(path, file);
        if (bad) return bad;
        if (name >= 0) value[name] = str_of(slash ? slash + 1 : path);
    }
    if (at < c->n) {
        fprintf(stderr, "zhiben: %s: \"%s\" is one argument too many\n", op->name, c->rest[at]);
        return 2;
    }
    for (int k = 0; k < c->options; k++) {
        if (!strcmp(c->option[k][0], "as") || !strcmp(c->option[k][0], "out")) continue;
        int i = op_arg_index(op, c->option[k][0]);
        if (i < 0) {
            fprintf(stderr, "zhiben: %s has no option --%s\n", op->name, c->option[k][0]);
            return 2;
        }
        value[i] = str_of(c->option[k][1]);
    }
    const char *out = cli_option(c, "out"), *dot = out ? strrchr(out, '.') : NULL;
    int format = op_arg_index(op, "format");
    if (dot && !strchr(dot, '/') && format >= 0 && !value[format].n) value[format] = str_of(dot + 1); /* FILE.docx asks for docx */
    return 0;
}

static void target_make(const struct op *op, const struct str *value, struct buf *target, json_t *body) {
    bool used[OP_ARGS_MAX] = {0};
    for (const char *p = op->path; *p; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            buf_putc(target, *p);
            continue;
        }
        char name[40];
        str_copy((struct str){p + 1, (size_t)(end - p - 1)}, name, sizeof name);
        int i = op_arg_index(op, name);
        if (i >= 0 && target_encode(target, value[i]) == ZB_OK) used[i] = true;
        p = end;
    }
    char sep = '?';
    for (int i = 0; i < OP_ARGS_MAX && op->arg[i].name; i++) {
        if (used[i] || !value[i].n) continue;
        if (op->method == HTTP_GET || op->file) {
            buf_printf(target, "%c%s=", sep, op->arg[i].name);
            if (target_encode(target, value[i]) != ZB_OK) return;
            sep = '&';
        } else {
            json_object_set_new(body, op->arg[i].name, json_stringn(value[i].p, value[i].n));
        }
    }
}

static int over_socket(struct cli *c, struct client *cl, const struct op *op, const struct str *value, struct str file, struct buf *reply, struct zb_err *e) {
    static const char *const METHOD[] = {"GET", "POST", "DELETE"};
    const char *user = cli_option(c, "as");
    char password[256];
    if (user) {
        if (!password_ask(user, password, sizeof password) || client_login(cl, user, password, e) != ZB_OK) return e->rc ? e->rc : ZB_E_DENIED;
        char cookie[120], csrf[40];
        str_copy(str_of(cl->cookie), cookie, sizeof cookie);
        str_copy(str_of(cl->csrf), csrf, sizeof csrf);
        client_close(cl);
        if (!client_open(cl, c->dir)) return zb_fail(e, ZB_E_IO, "the server went away");
        str_copy(str_of(cookie), cl->cookie, sizeof cl->cookie);
        str_copy(str_of(csrf), cl->csrf, sizeof cl->csrf);
    }
    ZB_AUTO(buf_done) struct buf target;
    buf_init(&target, 8192);
    json_t *body = json_object();
    target_make(op, value, &target, body);
    char *text = op->method == HTTP_GET ? NULL : json_dumps(body, 0);
    json_decref(body);
    int status = 0;
    int rc = client_call(cl, METHOD[op->method], target.p, op->file ? file : str_of(text), &status, reply, e);
    free(text);
    if (rc == ZB_OK && status != 200) {
        json_error_t err;
        json_t *o = json_loadb(reply->p, reply->n, 0, &err);
        const char *why = json_string_value(json_object_get(o, "error"));
        rc = zb_fail(e, ZB_E_INPUT, "%s", why ? why : "the server refused");
        json_decref(o);
    }
    return rc;
}

static int in_process(struct cli *c, const struct op *op, const struct str *value, struct str file, struct buf *reply, struct zb_err *e) {
    struct engine *en;
    if (engine_open(c->dir, NULL, &en, e) != ZB_OK) return e->rc;
    struct op_call call = {
        .op = op, .en = en, .actor = op_local_actor(), .known = true, .arena = arena_new((size_t)4 << 20), .address = STR("local"), .body = file};
    memcpy(call.value, value, sizeof call.value);
    const char *user = cli_option(c, "as");
    int rc = ZB_OK;
    if (user) {
        char password[256], token[65];
        struct db *w = engine_writer(en);
        rc = password_ask(user, password, sizeof password) ? session_open(w, str_of(user), str_of(password), STR("local"), zb_now(), token, &call.actor, e)
                                                           : zb_fail(e, ZB_E_DENIED, "no password");
        engine_writer_back(en);
    }
    if (rc == ZB_OK) rc = op_run(&call, reply, e);
    arena_free(call.arena);
    engine_close(en);
    return rc;
}

/* Long lists come in parts: "next" says where to go on. */
static bool next_of(struct str reply, char next[40]) {
    json_error_t err;
    json_t *o = json_loadb(reply.p, reply.n, 0, &err);
    const char *n = json_string_value(json_object_get(o, "next"));
    if (n) str_copy(str_of(n), next, 40);
    bool more = n != NULL;
    json_decref(o);
    return more;
}

int cmd_operation(struct cli *c, const struct op *op, int taken) {
    struct str value[OP_ARGS_MAX] = {{0}};
    struct zb_err e = {0};
    char next[40];
    ZB_AUTO(buf_done) struct buf file;
    buf_init(&file, (size_t)20 << 20);
    int bad = values_take(c, op, taken, value, &file);
    if (bad) return bad;
    char asked[256];
    int ask = op_arg_index(op, "password");
    if (ask >= 0 && !value[ask].n && !strcmp(op->name, "ledger.do")) { /* whoever names himself with --as signs with the same password */
        const char *as = cli_option(c, "as");
        if (as) value[ask] = str_of(password_ask(as, asked, sizeof asked));
    } else if (ask >= 0 && !value[ask].n)
        value[ask] = str_of(password_ask("the new account", asked, sizeof asked));
    for (;;) {
        ZB_AUTO(buf_done) struct buf reply;
        buf_init(&reply, (size_t)80 << 20);
        struct client cl;
        int rc = client_open(&cl, c->dir) ? over_socket(c, &cl, op, value, buf_str(&file), &reply, &e) : in_process(c, op, value, buf_str(&file), &reply, &e);
        client_close(&cl);
        if (rc != ZB_OK) return cli_failed(&e);
        if (cli_option(c, "out")) return file_write(cli_option(c, "out"), buf_str(&reply));
        print_reply(op, buf_str(&reply), c->json);
        if (strcmp(op->name, "query") || !next_of(buf_str(&reply), next)) {
            if (!strcmp(op->name, "audit.verify") && !memmem(reply.p, reply.n, "\"ok\":true", 9)) return 1;
            return 0;
        }
        value[op_arg_index(op, "from")] = str_of(next);
    }
}
