/* What is the same for every database: statement cache, transactions' opener, migrations, fault points. */
#include "store/inside.h"
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

static int planted(const struct db *db, struct zb_err *e) { return zb_fail(e, ZB_E_IO, "database %s: fault planted by a test", db->path); }

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

int db_open(const char *path, enum db_mode mode, struct db **ret, struct zb_err *e) {
    struct db *db = xcalloc(1, sizeof *db);
    db->now = ZB_TIME_NONE;
    db->reads = mode == DB_READ;
    db->b = begins(path, "postgresql://") || begins(path, "postgres://") ? &db_postgres : &db_sqlite;
    int rc = db->b->open(db, path, mode, e);
    if (rc != ZB_OK) {
        db_close(db);
        return rc;
    }
    *ret = db;
    return ZB_OK;
}

static void stmt_free(struct stmt *q) {
    q->db->b->free(q);
    free(q->own);
    free(q);
}

void db_close(struct db *db) {
    if (!db) return;
    for (int i = -1; i < STMT_BUCKETS; i++)
        for (struct stmt *q = i < 0 ? db->all : db->kept[i], *next; q; q = next) {
            next = q->next;
            stmt_free(q);
        }
    db->b->close(db);
    free(db);
}

int db_survey(struct db *db, struct zb_err *e) {
    if (db->b->kind != DB_SQLITE) return ZB_OK;
    return db_exec(db, db->reads ? "pragma cache_size=-32768" : "pragma cache_size=-32768; pragma analysis_limit=1000; analyze", e);
}

enum db_kind db_kind(const struct db *db) { return db->b->kind; }

int db_clock(struct db *db, zb_time now, struct zb_err *e) {
    char text[24] = "";
    db->now = now;
    if (db->b->kind == DB_SQLITE) return ZB_OK;
    if (now != ZB_TIME_NONE) snprintf(text, sizeof text, "%lld", (long long)now);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select set_config('zb.now',?1,false)", e);
    if (!q) return e->rc;
    stmt_z(q, 1, text);
    return stmt_run(q, e);
}

int db_exec(struct db *db, const char *sql, struct zb_err *e) {
    if (zb_fault()) return planted(db, e);
    if (db->b->ready && !db->tx_file) {
        int rc = db->b->ready(db, e);
        if (rc != ZB_OK) return rc;
    }
    return db->b->exec(db, sql, e);
}

static struct stmt *make(struct db *db, const char *sql, bool once, struct stmt **list, struct zb_err *e) {
    struct stmt *q = xcalloc(1, sizeof *q);
    char *own = once ? xstrndup(sql, strlen(sql)) : NULL;
    *q = (struct stmt){.next = *list, .sql = once ? own : sql, .db = db, .busy = true, .once = once, .own = own};
    if (db->b->make(q, e) != ZB_OK) {
        free(own);
        free(q);
        return NULL;
    }
    *list = q;
    return q;
}

struct stmt *db_use(struct db *db, const char *sql, struct zb_err *e) {
    if (db->b->ready && !db->tx_file && db->b->ready(db, e) != ZB_OK) return NULL;
    for (struct stmt *q = db->all; q; q = q->next)
        if (q->sql == sql && !q->busy) {
            q->busy = true;
            return q;
        }
    return make(db, sql, false, &db->all, e);
}

static struct stmt **bucket_of(struct db *db, const char *sql) {
    uint32_t h = 2166136261u;
    for (const char *p = sql; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
    return &db->kept[h % STMT_BUCKETS];
}

struct stmt *db_once(struct db *db, const char *sql, struct zb_err *e) {
    if (db->b->ready && !db->tx_file && db->b->ready(db, e) != ZB_OK) return NULL;
    struct stmt **list = bucket_of(db, sql), *q = *list;
    while (q && (q->busy || strcmp(q->sql, sql) != 0)) q = q->next;
    if (q) {
        q->busy = true;
    } else if ((q = make(db, sql, true, list, e)) != NULL) {
        db->kept_n++;
    }
    if (q) q->used = ++db->tick;
    return q;
}

/* Too many are kept: the one that lay idle longest goes. */
static void oldest_drop(struct db *db) {
    struct stmt **oldest = NULL;
    for (int i = 0; i < STMT_BUCKETS; i++)
        for (struct stmt **at = &db->kept[i]; *at; at = &(*at)->next)
            if (!(*at)->busy && (!oldest || (*at)->used < (*oldest)->used)) oldest = at;
    if (!oldest) return;
    struct stmt *q = *oldest;
    *oldest = q->next;
    stmt_free(q);
    db->kept_n--;
}

void stmt_done(struct stmt **qp) {
    struct stmt *q = *qp;
    *qp = NULL;
    if (!q) return;
    struct db *db = q->db;
    db->b->reset(q);
    q->bad = 0;
    q->busy = false;
    if (db->kept_n > STMT_KEPT) oldest_drop(db);
}

void stmt_text(struct stmt *q, int i, struct str s) { q->db->b->text(q, i, s); }
void stmt_blob(struct stmt *q, int i, struct str s) { q->db->b->blob(q, i, s); }
void stmt_real(struct stmt *q, int i, double v) { q->db->b->real(q, i, v); }
void stmt_i64(struct stmt *q, int i, int64_t v) { q->db->b->i64(q, i, v); }
void stmt_null(struct stmt *q, int i) { q->db->b->null(q, i); }
void stmt_z(struct stmt *q, int i, const char *z) { z ? stmt_text(q, i, str_of(z)) : stmt_null(q, i); }
void stmt_fix(struct stmt *q, int i, zb_fix v) { v == ZB_FIX_NONE ? stmt_null(q, i) : stmt_i64(q, i, v); }
void stmt_time(struct stmt *q, int i, zb_time t) { t == ZB_TIME_NONE ? stmt_null(q, i) : stmt_i64(q, i, t); }

int stmt_row(struct stmt *q, struct zb_err *e) {
    if (!q->bad && zb_fault()) return planted(q->db, e);
    return q->db->b->row(q, e);
}

int stmt_run(struct stmt *q, struct zb_err *e) {
    int r;
    while ((r = stmt_row(q, e)) == 1) {}
    return r;
}

struct str stmt_col_text(struct stmt *q, int col) {
    return q->db->b->col_text(q, col);
}
struct str stmt_col_blob(struct stmt *q, int col) {
    return q->db->b->col_blob(q, col);
}
double stmt_col_real(struct stmt *q, int col) { return q->db->b->col_real(q, col); }
int64_t stmt_col_i64(struct stmt *q, int col) { return q->db->b->col_i64(q, col); }
bool stmt_col_null(struct stmt *q, int col) { return q->db->b->col_null(q, col); }
int stmt_cols(struct stmt *q) { return q->db->b->cols(q); }
const char *stmt_col_name(struct stmt *q, int col) { return q->db->b->col_name(q, col); }
enum col_kind stmt_col_kind(struct stmt *q, int col) { return stmt_col_null(q, col) ? COL_NULL : q->db->b->col_kind(q, col); }
zb_fix stmt_col_fix(struct stmt *q, int col) { return stmt_col_null(q, col) ? ZB_FIX_NONE : stmt_col_i64(q, col); }
zb_time stmt_col_time(struct stmt *q, int col) { return stmt_col_null(q, col) ? ZB_TIME_NONE : stmt_col_i64(q, col); }

static void col_json(struct stmt *q, int col, struct json *j, struct str kind) {
    char day[ZB_TIME_CAP];
    switch (kind.p[0]) {
    case 'i': json_i64(j, stmt_col_i64(q, col)); return;
    case 't': json_time(j, stmt_col_time(q, col)); return;
    case 'b': json_bool(j, stmt_col_i64(q, col) != 0); return;
    case 'd': json_z(j, zb_day_text((int32_t)stmt_col_i64(q, col), day)); return;
    case 's':
        if (kind.n > 1 && stmt_col_null(q, col))
            json_none(j);
        else
            json_str(j, stmt_col_text(q, col));
        return;
    default: ZB_BUG("a column of kind " STR_FMT, STR_ARG(kind));
    }
}

void stmt_json(struct stmt *q, struct json *j, const char *columns) {
    const char *p = columns;
    for (int col = 0; *p; col++) {
        char name[40];
        size_t n = 0;
        while (*p && *p != ':' && *p != ' ' && n < sizeof name - 1) name[n++] = *p++;
        name[n] = '\0';
        if (*p != ':' || !p[1] || p[1] == ' ') ZB_BUG("column %d of \"%s\" is not key:kind", col, columns);
        struct str kind = {++p, 0};
        while (*p && *p != ' ') p++;
        kind.n = (size_t)(p - kind.p);
        while (*p == ' ') p++;
        json_key(j, name);
        col_json(q, col, j, kind);
    }
}

int db_begin_at(struct db *db, const char *file, int line, struct zb_err *e) {
    if (db->tx_file) ZB_BUG("transaction begun at %s:%d while the one of %s:%d is open", file, line, db->tx_file, db->tx_line);
    if (zb_fault()) return planted(db, e);
    int rc = db->b->begin(db, e);
    if (rc != ZB_OK) return rc;
    db->tx_file = file;
    db->tx_line = line;
    return ZB_OK;
}

int db_commit(struct db *db, struct zb_err *e) {
    if (!db->tx_file) ZB_BUG("commit without a transaction");
    if (zb_fault()) return planted(db, e);
    int rc = db->b->commit(db, e);
    if (rc == ZB_OK) db->tx_file = NULL; /* else still open: roll back, or (SQLite) commit again */
    return rc;
}

void db_rollback(struct db *db) {
    db->tx_file = NULL;
    db->b->rollback(db);
}
bool db_in_tx(const struct db *db) { return db->tx_file != NULL; }
int64_t db_changes(struct db *db) { return db->b->changes(db); }

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

static int migrate(struct db *db, const char *name, const char *const *sql, int n, struct zb_err *e) {
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

int db_migrate(struct db *db, const char *name, const char *const *sql, int n, struct zb_err *e) {
    if (!db->b->alone) return migrate(db, name, sql, n, e);
    int rc = db->b->alone(db, true, e);
    if (rc != ZB_OK) return rc;
    rc = migrate(db, name, sql, n, e);
    struct zb_err ignored;
    if (db->b->alone(db, false, &ignored) != ZB_OK && rc == ZB_OK) rc = zb_fail(e, ignored.rc, "%s", ignored.msg);
    return rc;
}
