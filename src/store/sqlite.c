/* The SQLite backend: one file, WAL, one writer. */
#include "store/inside.h"
#include <sqlite3.h>

static int failed(struct db *db, const char *doing, struct zb_err *e) {
    int x = sqlite3_extended_errcode(db->h);
    enum zb_rc rc = x == SQLITE_CONSTRAINT_UNIQUE || x == SQLITE_CONSTRAINT_PRIMARYKEY ? ZB_E_CONFLICT
                    : (x & 0xff) == SQLITE_CONSTRAINT                                  ? ZB_E_INPUT
                    : (x & 0xff) == SQLITE_TOOBIG                                      ? ZB_E_LIMIT
                                                                                       : ZB_E_IO;
    return zb_fail(e, rc, "database %s: %.200s: %s", db->path, doing, sqlite3_errmsg(db->h));
}

static int lite_exec(struct db *db, const char *sql, struct zb_err *e) {
    return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? ZB_OK : failed(db, sql, e);
}

static zb_time sql_clock(sqlite3_context *c) {
    const struct db *db = sqlite3_user_data(c);
    return db->now == ZB_TIME_NONE ? zb_now() : db->now;
}
static void sql_now(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n, (void)v;
    sqlite3_result_int64(c, sql_clock(c));
}
static void sql_today(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n, (void)v;
    sqlite3_result_int64(c, zb_day_of(sql_clock(c)));
}

/* zb_start('month'|'quarter'|'half'|'year', day, n), zb_months(day, n), zb_date('2024-12-31'), zb_ym(day): '2024-12'; null in, null out. */
static void sql_start(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    static const struct {
        const char *name;
        enum zb_unit u;
    } U[] = {{"month", ZB_MONTH_UNIT}, {"quarter", ZB_QUARTER_UNIT}, {"half", ZB_HALF_UNIT}, {"year", ZB_YEAR_UNIT}};
    const char *unit = (const char *)sqlite3_value_text(v[0]);
    if (!unit || sqlite3_value_type(v[1]) == SQLITE_NULL || sqlite3_value_type(v[2]) == SQLITE_NULL) return;
    for (size_t i = 0; i < sizeof U / sizeof *U; i++)
        if (!strcmp(unit, U[i].name)) sqlite3_result_int64(c, zb_period_start(U[i].u, (int32_t)sqlite3_value_int64(v[1]), (int)sqlite3_value_int64(v[2])));
}
static void sql_months(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    if (sqlite3_value_type(v[0]) == SQLITE_NULL || sqlite3_value_type(v[1]) == SQLITE_NULL) return;
    sqlite3_result_int64(c, zb_months((int32_t)sqlite3_value_int64(v[0]), (int)sqlite3_value_int64(v[1])));
}
static void sql_date(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    int32_t day;
    if (zb_day_parse(str_of((const char *)sqlite3_value_text(v[0])), &day)) sqlite3_result_int64(c, day);
}

static void sql_ym(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    char day[ZB_TIME_CAP];
    if (sqlite3_value_type(v[0]) != SQLITE_NULL) sqlite3_result_text(c, zb_day_text((int32_t)sqlite3_value_int64(v[0]), day), 7, SQLITE_TRANSIENT);
}

/* The first 13 hex digits of an identifier as a number below 2^53. */
static void sql_number(sqlite3_context *c, int n, sqlite3_value **v) {
    (void)n;
    const unsigned char *z = sqlite3_value_text(v[0]);
    int64_t x = 0;
    for (int i = 0; z && i < 13 && z[i]; i++) x = x * 16 + (z[i] >= 'a' ? z[i] - 'a' + 10 : z[i] - '0');
    sqlite3_result_int64(c, x);
}

static int tune(struct db *db, enum db_mode mode, struct zb_err *e) {
    sqlite3_busy_timeout(db->h, 5000);
    sqlite3_extended_result_codes(db->h, 1);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db->h, SQLITE_LIMIT_ATTACHED, 2);
    /* "Deterministic" to SQLite is: the same within one run of a statement. So the clock is asked once a run and what follows from it is a constant. */
    sqlite3_create_function(db->h, "zb_now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, db, sql_now, NULL, NULL);
    sqlite3_create_function(db->h, "zb_today", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, db, sql_today, NULL, NULL);
    sqlite3_create_function(db->h, "zb_number", 1, SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, NULL, sql_number, NULL, NULL);
    static const struct {
        const char *name;
        int args;
        void (*fn)(sqlite3_context *, int, sqlite3_value **);
    } F[] = {{"zb_start", 3, sql_start}, {"zb_months", 2, sql_months}, {"zb_date", 1, sql_date}, {"zb_ym", 1, sql_ym}};
    for (size_t i = 0; i < sizeof F / sizeof *F; i++)
        sqlite3_create_function(db->h, F[i].name, F[i].args, SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, NULL, F[i].fn, NULL, NULL);
    if (db_exec(db, "pragma foreign_keys=on; pragma cell_size_check=on; pragma mmap_size=0; pragma temp_store=memory", e) != ZB_OK) return e->rc;
    if (mode == DB_WIDE && db_exec(db, "pragma page_size=32768", e) != ZB_OK) return e->rc;
    if (mode != DB_READ) return db_exec(db, "pragma journal_mode=wal; pragma synchronous=full; pragma wal_autocheckpoint=2000", e);
    return db_exec(db, "pragma query_only=on", e);
}

static int lite_open(struct db *db, const char *path, enum db_mode mode, struct zb_err *e) {
    str_copy(str_of(path), db->path, sizeof db->path);
    int flags = SQLITE_OPEN_NOMUTEX | (mode != DB_READ ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
    sqlite3 *h = NULL;
    int rc = sqlite3_open_v2(path, &h, flags, NULL);
    db->h = h;
    return rc == SQLITE_OK ? tune(db, mode, e) : zb_fail(e, ZB_E_IO, "cannot open database %s: %s", path, h ? sqlite3_errmsg(h) : "no memory");
}

static void lite_close(struct db *db) {
    if (db->h && sqlite3_close(db->h) != SQLITE_OK) ZB_BUG("database %s closed while a statement is open", db->path);
}

static int lite_begin(struct db *db, struct zb_err *e) { return lite_exec(db, "begin immediate", e); }
static int lite_commit(struct db *db, struct zb_err *e) { return lite_exec(db, "commit", e); }
static void lite_rollback(struct db *db) {
    if (!sqlite3_get_autocommit(db->h)) sqlite3_exec(db->h, "rollback", NULL, NULL, NULL);
}
static int64_t lite_changes(struct db *db) { return sqlite3_changes64(db->h); }

static int lite_make(struct stmt *q, struct zb_err *e) {
    sqlite3_stmt *h = NULL;
    const char *tail = NULL;
    if (sqlite3_prepare_v3(q->db->h, q->sql, -1, SQLITE_PREPARE_PERSISTENT, &h, &tail) != SQLITE_OK) return failed(q->db, q->sql, e);
    if (!h || (tail && *tail)) {
        if (!q->once) ZB_BUG("not one statement: %s", q->sql);
        sqlite3_finalize(h);
        return zb_fail(e, ZB_E_INPUT, "not one statement: %.300s", q->sql);
    }
    q->h = h;
    return ZB_OK;
}
static void lite_free(struct stmt *q) { sqlite3_finalize(q->h); }
static void lite_reset(struct stmt *q) {
    sqlite3_reset(q->h);
    sqlite3_clear_bindings(q->h);
}

static void bound(struct stmt *q, int rc) {
    if (rc != SQLITE_OK && !q->bad) q->bad = rc;
}
static void lite_text(struct stmt *q, int i, struct str s) { bound(q, sqlite3_bind_text64(q->h, i, s.p ? s.p : "", s.n, SQLITE_TRANSIENT, SQLITE_UTF8)); }
static void lite_i64(struct stmt *q, int i, int64_t v) { bound(q, sqlite3_bind_int64(q->h, i, v)); }
static void lite_real(struct stmt *q, int i, double v) { bound(q, sqlite3_bind_double(q->h, i, v)); }
static void lite_null(struct stmt *q, int i) { bound(q, sqlite3_bind_null(q->h, i)); }
static void lite_blob(struct stmt *q, int i, struct str s) {
    bound(q, s.n ? sqlite3_bind_blob64(q->h, i, s.p, s.n, SQLITE_TRANSIENT) : sqlite3_bind_zeroblob(q->h, i, 0));
}

static int lite_row(struct stmt *q, struct zb_err *e) {
    if (q->bad) return zb_fail(e, ZB_E_LIMIT, "database %s: a value could not be bound (%s) in: %.200s", q->db->path, sqlite3_errstr(q->bad), q->sql);
    int r = sqlite3_step(q->h);
    return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : failed(q->db, q->sql, e);
}

static struct str lite_col_text(struct stmt *q, int col) {
    const char *p = (const char *)sqlite3_column_text(q->h, col);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(q->h, col)};
}
static struct str lite_col_blob(struct stmt *q, int col) {
    const char *p = sqlite3_column_blob(q->h, col);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(q->h, col)};
}
static double lite_col_real(struct stmt *q, int col) { return sqlite3_column_double(q->h, col); }
static int64_t lite_col_i64(struct stmt *q, int col) { return sqlite3_column_int64(q->h, col); }
static bool lite_col_null(struct stmt *q, int col) { return sqlite3_column_type(q->h, col) == SQLITE_NULL; }
static int lite_cols(struct stmt *q) { return sqlite3_column_count(q->h); }
static const char *lite_col_name(struct stmt *q, int col) { return sqlite3_column_name(q->h, col); }
static enum col_kind lite_col_kind(struct stmt *q, int col) {
    int t = sqlite3_column_type(q->h, col);
    return t == SQLITE_INTEGER ? COL_INT : t == SQLITE_FLOAT ? COL_REAL : COL_TEXT;
}

const struct backend db_sqlite = {
    .kind = DB_SQLITE,
    .open = lite_open,
    .close = lite_close,
    .exec = lite_exec,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .changes = lite_changes,
    .make = lite_make,
    .free = lite_free,
    .reset = lite_reset,
    .text = lite_text,
    .blob = lite_blob,
    .i64 = lite_i64,
    .null = lite_null,
    .real = lite_real,
    .col_real = lite_col_real,
    .row = lite_row,
    .col_text = lite_col_text,
    .col_blob = lite_col_blob,
    .col_i64 = lite_col_i64,
    .col_null = lite_col_null,
    .cols = lite_cols,
    .col_name = lite_col_name,
    .col_kind = lite_col_kind,
};
