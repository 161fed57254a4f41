#include "audit/audit.h"
#include "engine/inside.h"
#include "ledger/ledger.h"
#include "notify/notify.h"
#include "prove/hit.h"
#include "prove/prove.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder(const char *dir, const char *sub, mode_t mode, struct zb_err *e) {
    char path[600];
    snprintf(path, sizeof path, "%s%s%s", dir, sub[0] ? "/" : "", sub);
    return mkdir(path, mode) == 0 || errno == EEXIST ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot make folder %s: %s", path, strerror(errno));
}

int engine_policy_check(const struct policy *p, struct zb_err *e) {
    struct db *db;
    if (db_open(":memory:", DB_WRITE, &db, e) != ZB_OK) return e->rc;
    int rc = findings_init(db, e) == ZB_OK && notify_init(db, e) == ZB_OK ? ledger_migrate(db, p, zb_now(), e) : e->rc;
    if (rc == ZB_OK) rc = prove_migrate(db, p, e);
    if (rc == ZB_OK) rc = rules_check(db, p, e);
    if (rc == ZB_OK) rc = clue_sql_check(db, p, e);
    db_close(db);
    return rc;
}

void records_path(const char *dir, char *out, size_t cap) {
    char path[600], url[600] = "";
    snprintf(path, sizeof path, "%s/db.url", dir);
    FILE *f = fopen(path, "r");
    if (f && fgets(url, sizeof url, f)) url[strcspn(url, "\r\n")] = 0;
    if (f) fclose(f);
    if (url[0])
        str_copy(str_of(url), out, cap);
    else
        snprintf(out, cap, "%s/zhiben.db", dir);
}

static int url_keep(const char *dir, const char *url, struct zb_err *e) {
    char path[600];
    struct db *db;
    if (!url) return ZB_OK;
    if (!strstr(url, "://")) return zb_fail(e, ZB_E_INPUT, "--db \"%.40s\": write postgresql://USER@HOST/NAME", url);
    if (db_open(url, DB_WRITE, &db, e) != ZB_OK) return e->rc; /* it answers, before it is believed */
    db_close(db);
    snprintf(path, sizeof path, "%s/db.url", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, url, strlen(url)) == (ssize_t)strlen(url) && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s", path);
}

int engine_init(const char *dir, const char *policy_dir, const char *db_url, struct zb_err *e) {
    static const char *const SUB[] = {"", "raw", "drop", "keys", "checkpoints", "policies"};
    struct policy *p;
    char path[600];
    struct stat st;
    snprintf(path, sizeof path, "%s/policy", dir);
    if (stat(path, &st) == 0) return zb_fail(e, ZB_E_CONFLICT, "%s is a data directory already", dir);
    if (policy_load(policy_dir, &p, e) != ZB_OK) return e->rc;
    int rc = engine_policy_check(p, e);
    policy_unref(p);
    if (rc != ZB_OK) return rc;
    for (size_t i = 0; i < sizeof SUB / sizeof *SUB; i++)
        if (folder(dir, SUB[i], i == 3 ? 0700 : 0755, e) != ZB_OK) return e->rc;
    if (url_keep(dir, db_url, e) != ZB_OK) return e->rc;
    return tree_copy(policy_dir, path, 0, e);
}

int lock_dir(struct engine *en, struct zb_err *e) {
    char path[500];
    snprintf(path, sizeof path, "%s/policy", en->dir);
    struct stat st;
    if (stat(path, &st) != 0) return zb_fail(e, ZB_E_ABSENT, "%s is not a data directory: make one with zhiben init %s", en->dir, en->dir);
    snprintf(path, sizeof path, "%s/lock", en->dir);
    en->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (en->lock_fd < 0) return zb_fail(e, ZB_E_IO, "cannot open %s: %s", path, strerror(errno));
    if (flock(en->lock_fd, LOCK_EX | LOCK_NB) != 0) return zb_fail(e, ZB_E_CONFLICT, "%s is in use by another zhiben process", en->dir);
    return ZB_OK;
}

int open_stores(struct engine *en, const char *findings, struct zb_err *e) {
    char path[600];
    snprintf(path, sizeof path, "%s/policy", en->dir);
    if (policy_load(path, &en->policy, e) != ZB_OK) return e->rc;
    snprintf(path, sizeof path, "%s/raw", en->dir);
    if (raw_open(path, &en->raw, e) != ZB_OK) return e->rc;
    snprintf(path, sizeof path, "%s/series.db", en->dir);
    if (series_open(path, &en->series, e) != ZB_OK) return e->rc;
    if (findings)
        snprintf(path, sizeof path, "%s/%s", en->dir, findings);
    else
        records_path(en->dir, path, sizeof path);
    if (db_open(path, DB_WRITE, &en->db, e) != ZB_OK || db_open(path, DB_WRITE, &en->writer, e) != ZB_OK) return e->rc;
    if (audit_init(en->db, e) != ZB_OK || access_init(en->db, e) != ZB_OK || findings_init(en->db, e) != ZB_OK || notify_init(en->db, e) != ZB_OK ||
        hits_init(en->db, e) != ZB_OK)
        return e->rc;
    return ZB_OK;
}

struct engine *engine_make(const char *dir) {
    struct engine *en = xcalloc(1, sizeof *en);
    en->disk = -1; /* not yet looked at */
    snprintf(en->dir, sizeof en->dir, "%s", dir);
    en->lock_fd = -1;
    pthread_rwlock_init(&en->policy_lock, NULL);
    pthread_rwlock_init(&en->mines_lock, NULL);
    pthread_mutex_init(&en->writer_lock, NULL);
    pthread_mutex_init(&en->reader_lock, NULL);
    pthread_mutex_init(&en->q_lock, NULL);
    pthread_mutex_init(&en->trouble_lock, NULL);
    pthread_mutex_init(&en->clerk_lock, NULL);
    pthread_mutex_init(&en->jobs_lock, NULL);
    pthread_cond_init(&en->jobs_wake, NULL);
    pthread_cond_init(&en->clerk_wake, NULL);
    pthread_mutex_init(&en->rules_lock, NULL);
    pthread_cond_init(&en->rules_wake, NULL);
    pthread_mutex_init(&en->prove_lock, NULL);
    pthread_cond_init(&en->prove_wake, NULL);
    pthread_cond_init(&en->q_more, NULL);
    pthread_cond_init(&en->q_less, NULL);
    return en;
}

void engine_free(struct engine *en) {
    findings_drop(en);
    free(en->found);
    free(en->refused);
    free(en->latest);
    free(en->tracks);
    feeds_drop(en);
    alarm_diffs_done(&en->diffs);
    mines_free(en);
    for (int i = 0; i < en->readers; i++) db_close(en->reader[i]);
    if (en->clerk_db) db_close(en->clerk_db);
    if (en->rules_db) db_close(en->rules_db);
    if (en->writer) db_close(en->writer);
    if (en->db) db_close(en->db);
    if (en->series) series_close(en->series);
    if (en->raw) raw_close(en->raw);
    if (en->policy) policy_unref(en->policy);
    if (en->lock_fd >= 0) close(en->lock_fd);
    free(en);
}

static int start(struct engine *en, struct zb_err *e) {
    if (lock_dir(en, e) != ZB_OK || open_stores(en, NULL, e) != ZB_OK || ledger_migrate(en->writer, en->policy, zb_now(), e) != ZB_OK ||
        prove_migrate(en->writer, en->policy, e) != ZB_OK || findings_load(en, e) != ZB_OK)
        return e->rc;
    uint64_t from = en->oldest < series_input(en->series) ? en->oldest : series_input(en->series);
    struct policy *now = policy_ref(en->policy); /* what was not yet judged is judged by the policy it came under */
    int rc = replay_policy_kept(en, e) == ZB_OK && replay_from(en, from, NULL, e) == ZB_OK ? ZB_OK : e->rc;
    policy_put(en, now);
    if (rc != ZB_OK) return zb_wrap(e, "stepping what was not yet judged");
    if (policy_keep(en, e) != ZB_OK || engine_pause(en, e) != ZB_OK) return e->rc;
    en->flushed = series_input(en->series);
    en->flushed_at = zb_now();
    return ZB_OK;
}

int engine_open(const char *dir, const struct engine_hooks *h, struct engine **ret, struct zb_err *e) {
    struct engine *en = engine_make(dir);
    if (start(en, e) != ZB_OK) {
        engine_free(en);
        return e->rc;
    }
    *ret = en; /* before the judge runs: hooks may use it */
    if (h) en->hooks = *h;
    if (judge_start(en, e) != ZB_OK) {
        engine_free(en);
        return e->rc;
    }
    if (h && (clerk_start(en, e) != ZB_OK || proving_start(en, e) != ZB_OK || jobs_start(en, e) != ZB_OK ||
              rules_start(en, e) != ZB_OK)) { /* where nothing is served, clocks, jobs and rules wait */
        engine_close(en);
        return e->rc;
    }
    return ZB_OK;
}

void engine_close(struct engine *en) {
    if (!en) return;
    rules_stop(en);
    jobs_stop(en);
    clerk_stop(en);
    proving_stop(en);
    judge_stop(en);
    struct zb_err e;
    if (judge_settle(en, true, &e) != ZB_OK) log_event("event=close_unsettled reason=\"%s\" next=\"the next start steps it again\"", e.msg);
    engine_free(en);
}

const char *engine_dir(const struct engine *en) { return en->dir; }
struct series *engine_series(struct engine *en) {
    return en->series;
}

struct db *engine_reader(struct engine *en, struct zb_err *e) {
    pthread_mutex_lock(&en->reader_lock);
    struct db *db = en->readers ? en->reader[--en->readers] : NULL;
    pthread_mutex_unlock(&en->reader_lock);
    if (db) return db;
    char path[600];
    records_path(en->dir, path, sizeof path);
    return db_open(path, DB_READ, &db, e) == ZB_OK ? db : NULL;
}

void engine_reader_back(struct engine *en, struct db *db) {
    if (!db) return;
    pthread_mutex_lock(&en->reader_lock);
    bool kept = en->readers < (int)(sizeof en->reader / sizeof *en->reader);
    if (kept) en->reader[en->readers++] = db;
    pthread_mutex_unlock(&en->reader_lock);
    if (!kept) db_close(db);
}

struct db *engine_writer(struct engine *en) {
    pthread_mutex_lock(&en->writer_lock);
    return en->writer;
}
void engine_writer_back(struct engine *en) { pthread_mutex_unlock(&en->writer_lock); }
