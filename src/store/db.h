/* A thin layer over SQLite and PostgreSQL: prepared statements only, values bound, transactions that remember their opener, numbered
 * migrations, fault points for tests. A handle belongs to one thread at a time; SQLite has one writer, readers open their own handle.
 * SQL is written once, in SQLite's dialect and of it only what PostgreSQL has too (docs: the list in dialect.c). */
#pragma once
#include "base/json.h"
#include "base/num.h"
#include "base/time.h"

struct db;
enum db_mode { DB_WRITE, DB_WIDE, DB_READ }; /* DB_WIDE: DB_WRITE, and a new SQLite file gets pages of 32 KiB, for blobs of about a kilobyte */
enum db_kind { DB_SQLITE, DB_POSTGRES };
/* A path that begins with postgresql:// or postgres:// is a server's (encoding UTF8, collation C; a lost connection fails what runs and is
 * made anew by the next db_begin, db_use or db_exec outside a transaction), any other an SQLite file (WAL, synchronous FULL, foreign_keys,
 * trusted_schema off, busy 5 s). */
ZB_MUST int db_open(const char *path, enum db_mode mode, struct db **ret, struct zb_err *e);
void db_close(struct db *db);
enum db_kind db_kind(const struct db *db); /* for the rare statement that must differ */
/* Before a handle asks about everything: SQLite counts how values are spread, without which it takes wrong indexes on full tables, and gets room for pages. A
 * handle that only reads has the room, and what had been counted when it was opened or for the first time ever. A server does both by itself. */
ZB_MUST int db_survey(struct db *db, struct zb_err *e);
/* Runs the migrations not yet run, each in its own transaction; version kept in table zb_schema(name,version). Never edit an old one. */
ZB_MUST int db_migrate(struct db *db, const char *name, const char *const *sql, int n, struct zb_err *e);

struct stmt; /* cached by the db per SQL literal address: pass the same literal. Bind each parameter always with the same kind (or null) */
/* Usage: q = db_use(db, "select …", e); stmt_text(q,1,…); while ((r = stmt_row(q, e)) == 1) …; stmt_done(&q). NULL on failure. */
struct stmt *db_use(struct db *db, const char *sql, struct zb_err *e);
/* A statement made at run time; the SQL is copied. It stays prepared for the next use of the same text; of some hundred the longest idle goes. */
struct stmt *db_once(struct db *db, const char *sql, struct zb_err *e);
void stmt_done(struct stmt **q);                     /* reset + clear; for ZB_AUTO; NULL fine */
void stmt_text(struct stmt *q, int i, struct str s); /* binds are 1-based; a bind error shows in stmt_row */
void stmt_z(struct stmt *q, int i, const char *z);   /* NULL binds null */
void stmt_i64(struct stmt *q, int i, int64_t v);
void stmt_fix(struct stmt *q, int i, zb_fix v);   /* NONE binds null */
void stmt_time(struct stmt *q, int i, zb_time t); /* NONE binds null */
void stmt_real(struct stmt *q, int i, double v);
void stmt_blob(struct stmt *q, int i, struct str s);
void stmt_null(struct stmt *q, int i);
ZB_MUST int stmt_row(struct stmt *q, struct zb_err *e); /* 1 a row, 0 done, < 0 failed (ZB_E_CONFLICT on a unique key) */
ZB_MUST int stmt_run(struct stmt *q, struct zb_err *e); /* to the end; ZB_OK */
struct str stmt_col_text(struct stmt *q, int col);      /* 0-based; valid until the next row */
struct str stmt_col_blob(struct stmt *q, int col);
double stmt_col_real(struct stmt *q, int col);
int64_t stmt_col_i64(struct stmt *q, int col);
zb_fix stmt_col_fix(struct stmt *q, int col);   /* null: NONE */
zb_time stmt_col_time(struct stmt *q, int col); /* null: NONE */
bool stmt_col_null(struct stmt *q, int col);
/* The first columns of a row as members of the object begun in j: "key:kind key:kind", kinds as in the operations' replies:
 * i whole number, s text, s? text or null, t time or null, b yes or no, and d day. */
void stmt_json(struct stmt *q, struct json *j, const char *columns);
/* Columns of what stmt_row gave (SQLite: also before the first row). */
enum col_kind { COL_NULL, COL_INT, COL_REAL, COL_TEXT };
int stmt_cols(struct stmt *q);
const char *stmt_col_name(struct stmt *q, int col);
enum col_kind stmt_col_kind(struct stmt *q, int col);

/* SQL knows zb_now() (ms) and zb_today() (Beijing day); zb_date('2024-12-31'), zb_ym(day) ('2024-12'), zb_months(day, n) and
 * zb_start('month'|'quarter'|'half'|'year', day, n): the first day of the period that holds day, n periods on. The clock is the machine's, or
 * what db_clock set for this handle (ZB_TIME_NONE: the machine's again). */
ZB_MUST int db_clock(struct db *db, zb_time now, struct zb_err *e);
ZB_MUST int db_exec(struct db *db, const char *sql, struct zb_err *e); /* literal only, no values */
#define db_begin(db, e) db_begin_at(db, __FILE__, __LINE__, e)
ZB_MUST int db_begin_at(struct db *db, const char *file, int line, struct zb_err *e);
ZB_MUST int db_commit(struct db *db, struct zb_err *e);
void db_rollback(struct db *db); /* what to do after any failure in a transaction: PostgreSQL runs nothing more in it */
bool db_in_tx(const struct db *db);
int64_t db_changes(struct db *db);

/* Fault points: the k-th call of db step/commit, raw write/sync anywhere in the process fails with ZB_E_IO. 0: none. Tests only set it. */
extern long zb_fault_at;
bool zb_fault(void); /* true: fail now */
