/* What db.c asks of a backend. A backend keeps its own things behind `h`; it counts no fault points and knows no cache. */
#pragma once
#include "store/db.h"

#define STMT_BUCKETS 512
#define STMT_KEPT 2000
struct stmt {
    struct stmt *next;
    const char *sql;
    struct db *db;
    void *h;
    int bad; /* first bind error, the backend's number */
    bool busy, once;
    char *own;     /* the SQL of a statement made at run time */
    uint64_t used; /* when last taken: the longest idle goes first */
};

struct backend;
struct db {
    const struct backend *b;
    void *h;
    struct stmt *all;                /* by address of their literal */
    struct stmt *kept[STMT_BUCKETS]; /* by text */
    int kept_n;
    uint64_t tick;
    zb_time now; /* db_clock */
    bool reads;  /* DB_READ */
    const char *tx_file;
    int tx_line;
    char path[300]; /* for messages: never a password */
};

struct backend {
    enum db_kind kind;
    int (*open)(struct db *db, const char *path, enum db_mode mode, struct zb_err *e); /* when it fails, close is called */
    void (*close)(struct db *db);                                                      /* after every stmt_free */
    int (*ready)(struct db *db, struct zb_err *e);                                     /* before a use outside a transaction; may be NULL */
    int (*exec)(struct db *db, const char *sql, struct zb_err *e);
    int (*begin)(struct db *db, struct zb_err *e);
    int (*commit)(struct db *db, struct zb_err *e);
    void (*rollback)(struct db *db);
    int64_t (*changes)(struct db *db);
    int (*alone)(struct db *db, bool on, struct zb_err *e); /* one migrator at a time, of all processes; may be NULL */
    int (*make)(struct stmt *q, struct zb_err *e);
    void (*free)(struct stmt *q);
    void (*reset)(struct stmt *q);
    void (*text)(struct stmt *q, int i, struct str s);
    void (*blob)(struct stmt *q, int i, struct str s);
    void (*i64)(struct stmt *q, int i, int64_t v);
    void (*null)(struct stmt *q, int i);
    void (*real)(struct stmt *q, int i, double v);
    int (*row)(struct stmt *q, struct zb_err *e);
    struct str (*col_text)(struct stmt *q, int col);
    struct str (*col_blob)(struct stmt *q, int col);
    int64_t (*col_i64)(struct stmt *q, int col);
    double (*col_real)(struct stmt *q, int col);
    bool (*col_null)(struct stmt *q, int col);
    int (*cols)(struct stmt *q);
    const char *(*col_name)(struct stmt *q, int col);
    enum col_kind (*col_kind)(struct stmt *q, int col); /* of a value that is not null */
};
extern const struct backend db_sqlite, db_postgres;

/* dialect.c: the SQLite subset callers write, put into PostgreSQL's words, its parameters as their number between marks. `out` was made by
 * buf_init. */
#define PG_MARK "\001"
struct pg_text {
    int params, statements;
};
ZB_MUST int pg_translate(const char *sql, struct buf *out, struct pg_text *ret, struct zb_err *e);
