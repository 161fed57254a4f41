/* Backup while serving, and restore elsewhere. One archive: snapshots of both databases, then the fact log up to where it stood after them (what the log has more
 * is stepped again when the copy is opened), the policies, the keys, the checkpoints and the attached files. It holds keys: keep it as you keep them. */
#include "engine/inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#define DEPTH 6
static const char *const FOLDERS[] = {"policy", "policies", "keys", "checkpoints", "files", "raw"};
struct pack {
    zip_t *z;
    const char *dir;
    struct zb_err *e;
    int files;
};

static int snapshot(const char *dir, const char *name, const char *to, struct zb_err *e) {
    char path[600];
    struct db *db;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (db_open(path, DB_WRITE, &db, e) != ZB_OK) return e->rc; /* vacuum into writes beside, and wants a handle that may */
    struct stmt *q = db_use(db, "vacuum into ?1", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_z(q, 1, to);
        rc = stmt_run(q, e);
        stmt_done(&q);
    }
    db_close(db);
    return rc;
}

static int file_add(struct pack *p, const char *path, const char *name) {
    struct stat st;
    if (stat(path, &st) != 0) return zb_fail(p->e, ZB_E_IO, "cannot read %s: %s", path, strerror(errno));
    zip_source_t *s = zip_source_file(p->z, path, 0, st.st_size); /* as long as it is now: a log that grows meanwhile is cut here */
    zip_int64_t at = s ? zip_file_add(p->z, name, s, ZIP_FL_ENC_UTF_8) : -1;
    if (at < 0) {
        zip_source_free(s);
        return zb_fail(p->e, ZB_E_IO, "cannot add %s: %s", name, zip_strerror(p->z));
    }
    if (!strncmp(name, "raw/", 4)) zip_set_file_compression(p->z, (zip_uint64_t)at, ZIP_CM_STORE, 0); /* is compressed */
    p->files++;
    return ZB_OK;
}

static int folder_add(struct pack *p, const char *sub, int depth) {
    char path[900], name[500];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/%s", p->dir, sub);
    if (depth > DEPTH) return zb_fail(p->e, ZB_E_LIMIT, "%s is nested too deep", path);
    int n = scandir(path, &list, NULL, alphasort), rc = ZB_OK;
    if (n < 0) return errno == ENOENT ? ZB_OK : zb_fail(p->e, ZB_E_IO, "cannot read folder %s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        struct stat st;
        const char *f = list[i]->d_name;
        size_t len = strlen(f);
        bool skip = f[0] == '.' || (len > 4 && !strcmp(f + len - 4, ".tmp"));
        snprintf(path, sizeof path, "%s/%.300s/%.255s", p->dir, sub, f);
        snprintf(name, sizeof name, "%.200s/%.255s", sub, f);
        if (rc == ZB_OK && !skip && lstat(path, &st) == 0)
            rc = S_ISDIR(st.st_mode) ? folder_add(p, name, depth + 1) : S_ISREG(st.st_mode) ? file_add(p, path, name) : ZB_OK;
        free(list[i]);
    }
    free(list);
    return rc;
}

int engine_backup(const char *dir, const char *file, int *files, struct zb_err *e) {
    char a[700], b[700], part[700], url[700], log[700];
    struct stat st;
    records_path(dir, url, sizeof url);
    if (strstr(url, "://")) return zb_fail(e, ZB_E_INPUT, "the records of %s are in PostgreSQL: take them with pg_dump, and the folder by a copy", dir);
    if (stat(file, &st) == 0) return zb_fail(e, ZB_E_CONFLICT, "%s is there already: choose another name", file);
    snprintf(a, sizeof a, "%s.zhiben.db", file);
    snprintf(b, sizeof b, "%s.series.db", file);
    snprintf(part, sizeof part, "%s.part", file);
    unlink(a);
    unlink(b);
    snprintf(log, sizeof log, "%s/raw", dir);
    int held = raw_hold(log, false); /* nothing is packed meanwhile */
    int rc = held < 0 ? zb_fail(e, ZB_E_IO, "cannot hold %s: %s", log, strerror(errno)) : snapshot(dir, "zhiben.db", a, e);
    if (rc == ZB_OK) rc = snapshot(dir, "series.db", b, e);
    int zerr = 0;
    struct pack p = {rc == ZB_OK ? zip_open(part, ZIP_CREATE | ZIP_TRUNCATE, &zerr) : NULL, dir, e, 0};
    if (rc == ZB_OK && !p.z) rc = zb_fail(e, ZB_E_IO, "cannot write %s", part);
    if (rc == ZB_OK) rc = file_add(&p, a, "zhiben.db");
    if (rc == ZB_OK) rc = file_add(&p, b, "series.db");
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS && rc == ZB_OK; i++) rc = folder_add(&p, FOLDERS[i], 0);
    if (rc == ZB_OK && zip_close(p.z) != 0) rc = zb_fail(e, ZB_E_IO, "cannot write %s: %s", part, zip_strerror(p.z));
    if (rc != ZB_OK && p.z) zip_discard(p.z);
    if (held >= 0) close(held);
    unlink(a);
    unlink(b);
    if (rc == ZB_OK && (chmod(part, 0600) != 0 || rename(part, file) != 0)) rc = zb_fail(e, ZB_E_IO, "cannot write %s: %s", file, strerror(errno));
    if (rc != ZB_OK) unlink(part);
    *files = p.files;
    return rc;
}

/* A name in an archive is a claim: below DIR, plain, one of the folders we write. */
static bool name_good(const char *n) {
    if (!n || !n[0] || n[0] == '/' || strlen(n) > 450 || strstr(n, "..") || strchr(n, '\\')) return false;
    if (!strcmp(n, "zhiben.db") || !strcmp(n, "series.db")) return true;
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
        size_t len = strlen(FOLDERS[i]);
        if (!strncmp(n, FOLDERS[i], len) && n[len] == '/') return true;
    }
    return false;
}

static int parents(char *path, size_t from, struct zb_err *e) {
    for (char *p = path + from; (p = strchr(p, '/')); p++) {
        *p = 0;
        bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
        *p = '/';
        if (!good) return zb_fail(e, ZB_E_IO, "cannot make the folders of %s: %s", path, strerror(errno));
    }
    return ZB_OK;
}

static int file_take(zip_t *z, zip_uint64_t i, const char *dir, struct zb_err *e) {
    char path[1100], part[65536];
    const char *name = zip_get_name(z, i, 0);
    if (!name_good(name)) return zb_fail(e, ZB_E_INPUT, "the archive holds \"%.100s\", which no backup of ours has: refused", name ? name : "?");
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (parents(path, strlen(dir) + 1, e) != ZB_OK) return e->rc;
    zip_file_t *f = zip_fopen_index(z, i, 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    zip_int64_t n = -1;
    while (f && fd >= 0 && (n = zip_fread(f, part, sizeof part)) > 0)
        if (write(fd, part, (size_t)n) != n) {
            n = -1;
            break;
        }
    bool good = f && fd >= 0 && n == 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    if (f && zip_fclose(f) != 0) good = false; /* the checksum */
    return good ? ZB_OK : zb_fail(e, ZB_E_IO, "%s cannot be restored: the archive is damaged or the disk is full", name);
}

int engine_restore(const char *dir, const char *file, int *files, struct zb_err *e) {
    struct stat st;
    int zerr = 0, rc = ZB_OK;
    if (stat(dir, &st) == 0) return zb_fail(e, ZB_E_CONFLICT, "%s is there already: restore into a new folder", dir);
    zip_t *z = zip_open(file, ZIP_RDONLY | ZIP_CHECKCONS, &zerr);
    if (!z) return zb_fail(e, ZB_E_INPUT, "%s is not a backup that can be read", file);
    if (mkdir(dir, 0700) != 0) rc = zb_fail(e, ZB_E_IO, "cannot make %s: %s", dir, strerror(errno));
    zip_int64_t n = zip_get_num_entries(z, 0);
    for (zip_int64_t i = 0; i < n && rc == ZB_OK; i++) rc = file_take(z, (zip_uint64_t)i, dir, e);
    zip_discard(z);
    char path[600];
    static const char *const MUST[] = {"raw", "drop", "keys", "checkpoints", "policies"};
    for (size_t i = 0; i < 5 && rc == ZB_OK; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, MUST[i]);
        if (mkdir(path, 0755) != 0 && errno != EEXIST) rc = zb_fail(e, ZB_E_IO, "cannot make %s", path);
    }
    *files = (int)n;
    return rc;
}
