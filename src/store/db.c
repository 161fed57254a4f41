#include "store/db.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

long zb_fault_at;
static atomic_long fault_calls;

bool zb_fault(void) {
    if (!zb_fault_at) {
        atomic_store(&fault_calls, 0);
        return false;
    }
    return atomic_fetch_add(&fault_calls, 1) + 1 == zb_fault_at;
}

struct stmt {
    struct stmt *next;
    const char *sql;
    struct db *db;
    sqlite3_stmt *q;
    int bad; /* first bind error */
    bool busy, once;
};

struct db {
    sqlite3 *h;
    struct stmt *all;
    const char *tx_file;
    int tx_line;
    char path[300];
};

static int fail(struct db *db, const char *doing, struct zb_err *e) {
    int x = sqlite3_extended_errcode(db->h);
    enum zb_rc rc = x == SQLITE_CONSTRAINT_UNIQUE || x == SQLITE_CONSTRAINT_PRIMARYKEY ? ZB_E_CONFLICT
                    : (x & 0xff) == SQLITE_CONSTRAINT                                  ? ZB_E_INPUT
                    : (x & 0xff) == SQLITE_TOOBIG                                      ? ZB_E_LIMIT
                                                                                       : ZB_E_IO;
    return zb_fail(e, rc, "database %s: %s: %s", db->path, doing, sqlite3_errmsg(db->h));
}

int db_exec(struct db *db, const char *sql, struct zb_err *e) {
    if (zb_fault()) return zb_fail(e, ZB_E_IO, "database %s: fault planted by a test", db->path);
    return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? ZB_OK : fail(db, sql, e);
}

_Thread_local zb_time zb_sql_now = ZB_TIME_NONE;
static zb_time sql_clock(void) { return zb_sql_now == ZB_TIME_NONE ? zb_now() : zb_sql_now; }
static void sql_now(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    (void)v;
    sqlite3_result_int64(c, sql_clock());
}
static void sql_today(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    (void)v;
    sqlite3_result_int64(c, zb_day_of(sql_clock()));
}

static int tune(struct db *db, enum db_mode mode, struct zb_err *e) {
    sqlite3_busy_timeout(db->h, 5000);
    sqlite3_extended_result_codes(db->h, 1);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db->h, SQLITE_LIMIT_ATTACHED, 2);
    sqlite3_create_function(db->h, "zb_now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, sql_now, NULL, NULL);
    sqlite3_create_function(db->h, "zb_today", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, sql_today, NULL, NULL);
    if (db_exec(db, "pragma foreign_keys=on; pragma cell_size_check=on; pragma mmap_size=0; pragma temp_store=memory", e) != ZB_OK) return e->rc;
    if (mode == DB_WRITE) return db_exec(db, "pragma journal_mode=wal; pragma synchronous=full; pragma wal_autocheckpoint=2000", e);
    return db_exec(db, "pragma query_only=on", e);
}

int db_open(const char *path, enum db_mode mode, struct db **ret, struct zb_err *e) {
    struct db *db = xcalloc(1, sizeof *db);
    str_copy(str_of(path), db->path, sizeof db->path);
    int flags = SQLITE_OPEN_NOMUTEX | (mode == DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
    int rc = sqlite3_open_v2(path, &db->h, flags, NULL) == SQLITE_OK
                 ? tune(db, mode, e)
                 : zb_fail(e, ZB_E_IO, "cannot open database %s: %s", path, db->h ? sqlite3_errmsg(db->h) : "no memory");
    if (rc != ZB_OK) {
        db_close(db);
        return rc;
    }
    *ret = db;
    return ZB_OK;
}

void db_close(struct db *db) {
    if (!db) return;
    for (struct stmt *q = db->all, *next; q; q = next) {
        next = q->next;
        sqlite3_finalize(q->q);
        free(q);
    }
    if (db->h && sqlite3_close(db->h) != SQLITE_OK) ZB_BUG("database %s closed while a statement is open", db->path);
    free(db);
}

static struct stmt *prepare(struct db *db, const char *sql, bool once, struct zb_err *e) {
    sqlite3_stmt *h = NULL;
    const char *tail = NULL;
    if (sqlite3_prepare_v3(db->h, sql, -1, once ? 0 : SQLITE_PREPARE_PERSISTENT, &h, &tail) != SQLITE_OK) {
        fail(db, sql, e);
        return NULL;
    }
    if (!h || (tail && *tail)) {
        sqlite3_finalize(h);
        if (!once) ZB_BUG("not one statement: %s", sql);
        zb_fail(e, ZB_E_INPUT, "not one statement: %.300s", sql);
        return NULL;
    }
    struct stmt *q = xcalloc(1, sizeof *q);
    *q = (struct stmt){db->all, once ? sqlite3_sql(h) : sql, db, h, 0, true, once};
    db->all = q;
    return q;
}

struct stmt *db_use(struct db *db, const char *sql, struct zb_err *e) {
    for (struct stmt *q = db->all; q; q = q->next)
        if (q->sql == sql && !q->busy) {
            q->busy = true;
            return q;
        }
    return prepare(db, sql, false, e);
}

struct stmt *db_once(struct db *db, const char *sql, struct zb_err *e) {
    return prepare(db, sql, true, e);
}

void stmt_done(struct stmt **qp) {
    struct stmt *q = *qp;
    *qp = NULL;
    if (!q) return;
    if (q->once) {
        struct stmt **at = &q->db->all;
        while (*at != q) at = &(*at)->next;
        *at = q->next;
        sqlite3_finalize(q->q);
        free(q);
        return;
    }
    sqlite3_reset(q->q);
    sqlite3_clear_bindings(q->q);
    q->bad = 0;
    q->busy = false;
}

static void bound(struct stmt *q, int rc) {
    if (rc != SQLITE_OK && !q->bad) q->bad = rc;
}
void stmt_text(struct stmt *q, int i, struct str s) { bound(q, sqlite3_bind_text64(q->q, i, s.p ? s.p : "", s.n, SQLITE_TRANSIENT, SQLITE_UTF8)); }
void stmt_z(struct stmt *q, int i, const char *z) { bound(q, z ? sqlite3_bind_text(q->q, i, z, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(q->q, i)); }
void stmt_i64(struct stmt *q, int i, int64_t v) { bound(q, sqlite3_bind_int64(q->q, i, v)); }
void stmt_fix(struct stmt *q, int i, zb_fix v) { bound(q, v == ZB_FIX_NONE ? sqlite3_bind_null(q->q, i) : sqlite3_bind_int64(q->q, i, v)); }
void stmt_time(struct stmt *q, int i, zb_time t) { bound(q, t == ZB_TIME_NONE ? sqlite3_bind_null(q->q, i) : sqlite3_bind_int64(q->q, i, t)); }
void stmt_real(struct stmt *q, int i, double v) { bound(q, sqlite3_bind_double(q->q, i, v)); }
void stmt_blob(struct stmt *q, int i, struct str s) {
    bound(q, s.n ? sqlite3_bind_blob64(q->q, i, s.p, s.n, SQLITE_TRANSIENT) : sqlite3_bind_zeroblob(q->q, i, 0));
}
void stmt_null(struct stmt *q, int i) { bound(q, sqlite3_bind_null(q->q, i)); }

int stmt_row(struct stmt *q, struct zb_err *e) {
    if (q->bad) return zb_fail(e, ZB_E_LIMIT, "database %s: a value could not be bound (%s) in: %s", q->db->path, sqlite3_errstr(q->bad), q->sql);
    if (zb_fault()) return zb_fail(e, ZB_E_IO, "database %s: fault planted by a test", q->db->path);
    int r = sqlite3_step(q->q);
    return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : fail(q->db, q->sql, e);
}

int stmt_run(struct stmt *q, struct zb_err *e) {
    int r;
    while ((r = stmt_row(q, e)) == 1) {}
    return r;
}

struct str stmt_col_text(struct stmt *q, int col) {
    const char *p = (const char *)sqlite3_column_text(q->q, col);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(q->q, col)};
}
struct str stmt_col_blob(struct stmt *q, int col) {
    const char *p = sqlite3_column_blob(q->q, col);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(q->q, col)};
}
double stmt_col_real(struct stmt *q, int col) { return sqlite3_column_double(q->q, col); }
int64_t stmt_col_i64(struct stmt *q, int col) { return sqlite3_column_int64(q->q, col); }
bool stmt_col_null(struct stmt *q, int col) { return sqlite3_column_type(q->q, col) == SQLITE_NULL; }
zb_fix stmt_col_fix(struct stmt *q, int col) { return stmt_col_null(q, col) ? ZB_FIX_NONE : stmt_col_i64(q, col); }
zb_time stmt_col_time(struct stmt *q, int col) { return stmt_col_null(q, col) ? ZB_TIME_NONE : stmt_col_i64(q, col); }

int db_begin_at(struct db *db, const char *file, int line, struct zb_err *e) {
    if (db->tx_file) ZB_BUG("transaction begun at %s:%d while the one of %s:%d is open", file, line, db->tx_file, db->tx_line);
    if (db_exec(db, "begin immediate", e) != ZB_OK) return e->rc;
    db->tx_file = file;
    db->tx_line = line;
    return ZB_OK;
}

int db_commit(struct db *db, struct zb_err *e) {
    if (!db->tx_file) ZB_BUG("commit without a transaction");
    if (db_exec(db, "commit", e) != ZB_OK) return e->rc; /* still open: roll back or commit again */
    db->tx_file = NULL;
    return ZB_OK;
}

void db_rollback(struct db *db) {
    db->tx_file = NULL;
    if (!sqlite3_get_autocommit(db->h)) sqlite3_exec(db->h, "rollback", NULL, NULL, NULL);
}
bool db_in_tx(const struct db *db) { return db->tx_file != NULL; }
int64_t db_changes(struct db *db) { return sqlite3_changes64(db->h); }

static int version_of(struct db *db, const char *name, int *ret, struct zb_err *e) {
    struct stmt *q = db_use(db, "select version from zb_schema where name=?", e);
    if (!q) return e->rc;
    stmt_z(q, 1, name);
    int r = stmt_row(q, e);
    *ret = r == 1 ? (int)stmt_col_i64(q, 0) : 0;
    stmt_done(&q);
    return r < 0 ? r : ZB_OK;
}

static int version_set(struct db *db, const char *name, int version, struct zb_err *e) {
    struct stmt *q = db_use(db, "insert into zb_schema(name,version) values(?1,?2) on conflict(name) do update set version=?2", e);
    if (!q) return e->rc;
    stmt_z(q, 1, name);
    stmt_i64(q, 2, version);
    int rc = stmt_run(q, e);
    stmt_done(&q);
    return rc;
}

int db_migrate(struct db *db, const char *name, const char *const *sql, int n, struct zb_err *e) {
    int have;
    if (db_exec(db, "create table if not exists zb_schema(name text primary key, version integer not null) strict", e) != ZB_OK) return e->rc;
    if (version_of(db, name, &have, e) != ZB_OK) return e->rc;
    if (have > n) return zb_fail(e, ZB_E_CONFLICT, "database %s: part %s has version %d, this program knows %d: use a newer zhiben", db->path, name, have, n);
    for (int i = have; i < n; i++) {
        if (db_begin(db, e) != ZB_OK) return e->rc;
        if (db_exec(db, sql[i], e) != ZB_OK || version_set(db, name, i + 1, e) != ZB_OK || db_commit(db, e) != ZB_OK) {
            db_rollback(db);
            return zb_wrap(e, "migration %d of %s", i + 1, name);
        }
    }
    return ZB_OK;
}
