/* zhiben import DIR FILE|FOLDER...: through the same door as any upload, one summary line a file. */
#include "cli/cli.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define UPLOAD_MAX ((off_t)20 << 20)
struct run {
    struct cli *c;
    struct client cl;
    struct engine *en;
    int files, bad;
};

static void outcome(struct run *r, const char *name, const struct upload_result *u) {
    if (r->c->json) {
        json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:b,s:[]}", "file", name, "mine", u->mine, "family", u->family, "type", u->type, "records",
                              u->records, "accepted", u->accepted, "refused", u->refused, "duplicate", u->duplicate, "reasons");
        if (u->reason[0]) json_array_append_new(json_object_get(o, "reasons"), json_string(u->reason));
        char *t = json_dumps(o, JSON_COMPACT);
        puts(t ? t : "{}");
        free(t);
        json_decref(o);
    } else {
        printf("%s: %s%d of %d records accepted%s%s\n", name, u->duplicate ? "already there, " : "", u->accepted, u->records, u->reason[0] ? "; " : "",
               u->reason);
    }
}

static int file_bytes(const char *path, struct str *ret, char **own, struct zb_err *e) {
    struct stat st;
    *own = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0) close(fd);
        return zb_fail(e, ZB_E_INPUT, "cannot read %s as a file: %s", path, errno ? strerror(errno) : "not a regular file");
    }
    *ret = (struct str){"", (size_t)st.st_size};
    if (st.st_size <= UPLOAD_MAX) { /* a larger one is refused by its size alone */
        *own = xmalloc((size_t)st.st_size + 1);
        size_t n = 0;
        ssize_t k;
        while (n < (size_t)st.st_size && (k = read(fd, *own + n, (size_t)st.st_size - n)) > 0) n += (size_t)k;
        *ret = (struct str){*own, n};
    }
    close(fd);
    return ZB_OK;
}

static void from_reply(struct str reply, struct upload_result *u) {
    json_error_t err;
    json_t *o = json_loadb(reply.p, reply.n, 0, &err);
    const char *mine = "", *family = "", *type = "", *why = NULL;
    int dup = 0;
    json_unpack(o, "{s?s,s?s,s?s,s?i,s?i,s?i,s?b}", "mine", &mine, "family", &family, "type", &type, "records", &u->records, "accepted", &u->accepted,
                "refused", &u->refused, "duplicate", &dup);
    u->duplicate = dup;
    why = json_string_value(json_array_get(json_object_get(o, "reasons"), 0));
    if (!why) why = json_string_value(json_object_get(o, "error"));
    str_copy(str_of(mine), u->mine, sizeof u->mine);
    str_copy(str_of(family), u->family, sizeof u->family);
    str_copy(str_of(type), u->type, sizeof u->type);
    str_copy(str_of(why), u->reason, sizeof u->reason);
    json_decref(o);
}

static int submit(struct run *r, const char *name, struct str bytes, struct upload_result *u, struct zb_err *e) {
    if (r->en) return engine_submit(r->en, STR(""), STR("import"), str_of(name), bytes, false, u, e);
    if (bytes.n > (size_t)UPLOAD_MAX) return zb_fail(e, ZB_E_LIMIT, "the file has %zu bytes; at most %lld are taken: split it", bytes.n, (long long)UPLOAD_MAX);
    ZB_AUTO(buf_done) struct buf target;
    ZB_AUTO(buf_done) struct buf reply;
    buf_init(&target, 2048);
    buf_init(&reply, 1 << 20);
    buf_puts(&target, "/api/v1/uploads/");
    if (target_encode(&target, str_of(name)) != ZB_OK) return zb_fail(e, ZB_E_INPUT, "the name is too long");
    int status;
    if (client_call(&r->cl, "POST", target.p, bytes, &status, &reply, e) != ZB_OK) return e->rc;
    from_reply(buf_str(&reply), u);
    if (status == 200) return ZB_OK;
    return zb_fail(e, status == 503 ? ZB_E_IO : ZB_E_INPUT, "%s", u->reason[0] ? u->reason : "refused");
}

static void one_file(struct run *r, const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *mine = cli_option(r->c, "mine"), *format = cli_option(r->c, "format");
    struct upload_result u = {0};
    struct zb_err e = {0};
    struct str bytes;
    char *own = NULL, name[200], stamp[ZB_TIME_CAP];
    str_copy(str_of(base), name, sizeof name);
    if (mine && format) snprintf(name, sizeof name, "%.24s_%.12s_%s.%s", mine, format, zb_time_stamp(zb_now(), stamp), strcmp(format, "CSV") ? "txt" : "csv");
    errno = 0;
    int rc = file_bytes(path, &bytes, &own, &e);
    if (rc == ZB_OK) rc = submit(r, name, bytes, &u, &e);
    if (rc != ZB_OK && !u.reason[0]) str_copy(str_of(e.msg), u.reason, sizeof u.reason);
    outcome(r, base, &u);
    r->files++;
    r->bad += rc != ZB_OK;
    free(own);
}

static int no_dots(const struct dirent *d) { return d->d_name[0] != '.'; }

static const char *stamp_of(const char *name) {
    const char *last = strrchr(name, '_');
    return last ? last : name;
}
/* In the order the mine sent them: by the stamp in the name, of equal ones definitions (CDDY) come first by their letters. */
static int by_stamp(const struct dirent **a, const struct dirent **b) {
    int r = strcmp(stamp_of((*a)->d_name), stamp_of((*b)->d_name));
    return r ? r : strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(struct run *r, const char *path, int depth) {
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || depth > 8) {
        one_file(r, path);
        return;
    }
    struct dirent **list;
    int n = scandir(path, &list, no_dots, by_stamp);
    for (int i = 0; i < n; i++) {
        char sub[2048];
        if ((size_t)snprintf(sub, sizeof sub, "%s/%s", path, list[i]->d_name) < sizeof sub) walk(r, sub, depth + 1);
        free(list[i]);
    }
    if (n >= 0) free(list);
}

int cmd_import(struct cli *c) {
    struct run r = {.c = c};
    struct zb_err e;
    if (!c->n) return cli_usage("import DIR FILE|FOLDER... [--mine CODE --format CSV]");
    if (!client_open(&r.cl, c->dir) && engine_open(c->dir, NULL, &r.en, &e) != ZB_OK) return cli_failed(&e);
    for (int i = 0; i < c->n; i++) walk(&r, c->rest[i], 0);
    if (r.en) {
        engine_settle(r.en);
        engine_close(r.en);
    }
    client_close(&r.cl);
    if (r.bad) fprintf(stderr, "zhiben: %d of %d files were refused\n", r.bad, r.files);
    return r.bad ? 1 : 0;
}
