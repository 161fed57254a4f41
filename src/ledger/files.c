/* Attached files, kept once by digest below DIR/files; what they are is judged by their bytes, not their names. */
#include "base/utf8.h"
#include "ledger/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)20 << 20)

static const char *kind_of(struct str b) {
    static const struct {
        const char *magic;
        size_t n;
        const char *kind;
    } K[] = {{"%PDF-", 5, "application/pdf"}, {"\x89PNG\r\n", 6, "image/png"}, {"\xff\xd8\xff", 3, "image/jpeg"}, {"PK\x03\x04", 4, "application/zip"}};
    for (size_t i = 0; i < sizeof K / sizeof *K; i++)
        if (b.n >= K[i].n && !memcmp(b.p, K[i].magic, K[i].n)) return K[i].kind;
    return b.n && utf8_valid(b) && !memchr(b.p, 0, b.n) ? "text/plain" : NULL;
}

static void path_of(const struct lcall *c, const char *hex, char out[600]) { snprintf(out, 600, "%s/files/%.2s/%s", c->dir, hex, hex); }

/* Whole and synced under its final name, or not there. */
static int keep(const struct lcall *c, const char *hex, struct str b, struct zb_err *e) {
    char path[600], tmp[640];
    snprintf(path, sizeof path, "%s/files", c->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/files/%.2s", c->dir, hex);
    mkdir(path, 0700);
    path_of(c, hex, path);
    struct stat st;
    if (stat(path, &st) == 0 && (size_t)st.st_size == b.n) return ZB_OK;
    snprintf(tmp, sizeof tmp, "%s.%d.tmp", path, (int)gettid());
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < b.n) {
        ssize_t n = write(fd, b.p + done, b.n - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    bool good = fd >= 0 && done == b.n && !zb_fault() && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    if (good && rename(tmp, path) == 0) return ZB_OK;
    int no = errno;
    unlink(tmp);
    return zb_fail(e, ZB_E_IO, "cannot keep the file: %s", strerror(no));
}

static int file_row(struct lcall *c, int64_t id, int64_t rec, struct str name, const char *kind, size_t size, const char *hex, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(c->db, "insert into ledger_file(id,ledger,rec,name,kind,size,sha256,t,who) values(?1,?2,?3,?4,?5,?6,?7,?8,?9)", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    stmt_z(q, 2, c->l->key);
    stmt_i64(q, 3, rec);
    stmt_text(q, 4, name);
    stmt_z(q, 5, kind);
    stmt_i64(q, 6, (int64_t)size);
    stmt_z(q, 7, hex);
    stmt_time(q, 8, c->now);
    stmt_z(q, 9, c->actor ? c->actor->user : "auto");
    if (stmt_run(q, e) != ZB_OK) return e->rc;
    char body[200], subject[120], what[80];
    snprintf(body, sizeof body, "{\"file\":%lld,\"sha256\":\"%s\",\"size\":%zu}", (long long)id, hex, size);
    snprintf(subject, sizeof subject, "%s/%lld", c->l->key, (long long)rec);
    snprintf(what, sizeof what, "%s.file", c->l->key);
    return audit_append(c->db, c->now, str_of(c->actor ? c->actor->user : "auto"), str_of(what), str_of(subject), str_of(body), e);
}

int ledger_attach(struct lcall *c, int64_t rec, struct str name, struct str b, struct json *j, struct zb_err *e) {
    struct record r;
    unsigned char h[SHA256_DIGEST_LENGTH];
    char hex[65];
    const char *kind = kind_of(b);
    if (record_load(c, rec, false, &r, e) != ZB_OK) return e->rc;
    if (!c->dir) return zb_fail(e, ZB_E_IO, "files need a data directory");
    if (b.n > FILE_MAX) return zb_fail(e, ZB_E_LIMIT, "a file has at most %zu MiB", FILE_MAX >> 20);
    if (!kind) return zb_fail(e, ZB_E_INPUT, "附件类型不支持; the file is neither PDF, PNG, JPEG, an Office or ZIP file nor UTF-8 text");
    if (!name.n || name.n > 190 || !utf8_valid(name) || memchr(name.p, '/', name.n) || memchr(name.p, '\\', name.n) || memchr(name.p, 0, name.n) ||
        memchr(name.p, '\n', name.n) || memchr(name.p, '"', name.n))
        return zb_fail(e, ZB_E_INPUT, "name: 1 to 190 bytes without / \\ \" and line breaks");
    SHA256((const unsigned char *)b.p, b.n, h);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", h[i]);
    if (keep(c, hex, b, e) != ZB_OK || db_begin(c->db, e) != ZB_OK) return e->rc;
    int64_t id = id_make(c->now);
    int rc = file_row(c, id, rec, name, kind, b.n, hex, e);
    if (rc == ZB_OK) rc = db_commit(c->db, e);
    if (rc != ZB_OK) {
        db_rollback(c->db);
        return rc;
    }
    json_obj(j);
    json_key(j, "file");
    json_i64(j, id);
    json_key(j, "sha256");
    json_z(j, hex);
    json_key(j, "kind");
    json_z(j, kind);
    json_end(j);
    return ZB_OK;
}

int ledger_file(struct lcall *c, int64_t file, struct buf *bytes, char name[200], const char **kind, struct zb_err *e) {
    char hex[65] = "", ledger[64] = "", path[600];
    int64_t rec = 0;
    struct record r;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select ledger,rec,name,kind,sha256 from ledger_file where id=?1", e);
        if (!q) return e->rc;
        stmt_i64(q, 1, file);
        int got = stmt_row(q, e);
        if (got < 0) return got;
        if (got == 1) {
            str_copy(stmt_col_text(q, 0), ledger, sizeof ledger);
            rec = stmt_col_i64(q, 1);
            str_copy(stmt_col_text(q, 2), name, 200);
            *kind = arena_str(c->arena, stmt_col_text(q, 3));
            str_copy(stmt_col_text(q, 4), hex, sizeof hex);
        }
    }
    int l = policy_ledger(c->policy, str_of(ledger));
    if (l < 0) return zb_fail(e, ZB_E_ABSENT, "no such file");
    c->l = &c->policy->ledger[l];
    if (record_load(c, rec, false, &r, e) != ZB_OK) return zb_fail(e, ZB_E_ABSENT, "no such file"); /* who may not see the record may not see its files */
    path_of(c, hex, path);
    FILE *f = fopen(path, "rb");
    if (!f) return zb_fail(e, ZB_E_IO, "the file is not where it was kept: %s", strerror(errno));
    char part[65536];
    size_t n;
    while ((n = fread(part, 1, sizeof part, f)) > 0) buf_put(bytes, part, n);
    fclose(f);
    unsigned char h[SHA256_DIGEST_LENGTH];
    char now[65];
    SHA256((const unsigned char *)bytes->p, bytes->n, h);
    for (int i = 0; i < 32; i++) snprintf(now + 2 * i, 3, "%02x", h[i]);
    return strcmp(now, hex) ? zb_fail(e, ZB_E_IO, "the file's bytes are not those that were kept (digest differs)") : ZB_OK;
}
