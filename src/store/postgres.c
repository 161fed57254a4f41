/* The PostgreSQL backend: a connection a handle, statements prepared with the kinds of what is bound, results taken whole (so that an outer
 * statement's rows stay while an inner one runs). */
#include "store/inside.h"
#include <libpq-fe.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OID_NONE = 0,
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NUMERIC = 1700
};
enum { BAD_INDEX = 1, BAD_NUL, BAD_LONG };

struct pg {
    PGconn *c;
    char *secret; /* the password: never in a message */
    bool read_only, lost;
    int conn, shape; /* count connections made, and db_exec run: what was prepared before is prepared again */
    int names;
    int64_t changes;
};

struct param {
    Oid type, prepared;
    bool null;
    char *p;
    size_t n, cap;
};

struct cell {
    int row;
    char *p;
    size_t n, cap;
};

struct pgq {
    char *sql;
    int params, conn, shape;
    struct param *param;
    char name[24];
    PGresult *res;
    int row;
    bool empty; /* nothing is left of it, like a pragma */
    struct cell *cell;
    int cells;
};

/* ---- errors ---- */
static void hide(char *text, const char *secret) {
    size_t n = secret ? strlen(secret) : 0;
    for (char *p = n ? strstr(text, secret) : NULL; p; p = strstr(p, secret)) memset(p, '*', n), p += n;
}

static void one_line(char *text) {
    size_t n = strlen(text);
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' ')) text[--n] = '\0';
    for (; *text; text++)
        if (*text == '\n' || *text == '\t') *text = ' ';
}

static enum zb_rc code(const char *state) {
    if (!strcmp(state, "23505") || !strcmp(state, "40001") || !strcmp(state, "40P01")) return ZB_E_CONFLICT;
    if (!strncmp(state, "23", 2) || !strncmp(state, "22", 2)) return ZB_E_INPUT; /* a key or check broken; a value that does not fit its column */
    if (!strncmp(state, "54", 2)) return ZB_E_LIMIT;
    return ZB_E_IO;
}

static int failed(struct db *db, const PGresult *r, const char *doing, struct zb_err *e) {
    struct pg *g = db->h;
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL, *said = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char text[300];
    str_copy(str_of(said ? said : PQerrorMessage(g->c)), text, sizeof text);
    one_line(text);
    hide(text, g->secret);
    if (PQstatus(g->c) == CONNECTION_BAD || (state && (!strncmp(state, "57P0", 4) || !strncmp(state, "08", 2)))) g->lost = true;
    if (g->lost) return zb_fail(e, ZB_E_IO, "database %s: the connection is lost: %s", db->path, text);
    return zb_fail(e, state ? code(state) : ZB_E_IO, "database %s: %.200s: %s", db->path, doing, text);
}

static int not_done(struct db *db, const PGresult *r) { /* 0: done */
    (void)db;
    ExecStatusType s = PQresultStatus(r);
    return s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK && s != PGRES_EMPTY_QUERY;
}

static int plain(struct db *db, const char *sql, const char *doing, struct zb_err *e) {
    PGresult *r = PQexec(((struct pg *)db->h)->c, sql);
    int rc = not_done(db, r) ? failed(db, r, doing, e) : ZB_OK;
    PQclear(r);
    return rc;
}

static void count(struct pg *g, PGresult *r) {
    const char *tag = PQcmdStatus(r);
    if (!strncmp(tag, "INSERT", 6) || !strncmp(tag, "UPDATE", 6) || !strncmp(tag, "DELETE", 6)) {
        if (!num_i64(str_of(PQcmdTuples(r)), 0, INT64_MAX, &g->changes)) g->changes = 0;
    }
}

/* ---- connection ---- */
static void quiet(void *arg, const char *text) {
    (void)arg;
    (void)text;
}

static bool alive(const struct pg *g) { return !g->lost && PQstatus(g->c) == CONNECTION_OK; }

/* Text must sort by its bytes, as everywhere else in this program. */
static int fitting(struct db *db, struct zb_err *e) {
    struct pg *g = db->h;
    PGresult *r = PQexec(g->c, "select pg_encoding_to_char(encoding), datcollate, 'Z'<'a' and 'a '<'a!' and 'z'<'é' from pg_database"
                               " where datname=current_database()");
    int rc = ZB_OK;
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
        rc = failed(db, r, "asking for its collation", e);
    else {
        const char *enc = PQgetvalue(r, 0, 0), *coll = PQgetvalue(r, 0, 1), *bytes = PQgetvalue(r, 0, 2);
        bool c = !strcmp(coll, "C") || !strcmp(coll, "POSIX") || !strncmp(coll, "C.", 2);
        if (strcmp(enc, "UTF8") != 0 || !c || *bytes != 't')
            rc = zb_fail(e, ZB_E_INPUT,
                         "database %s: encoding %s, collation %s: text must be UTF8 and sort by bytes; make it by createdb -T template0 -E UTF8"
                         " --locale=C --locale-provider=libc NAME",
                         db->path, enc, c && *bytes != 't' ? "of ICU" : coll);
    }
    PQclear(r);
    return rc;
}

static int session(struct db *db, struct zb_err *e) {
    struct pg *g = db->h;
    PQsetNoticeProcessor(g->c, quiet, NULL);
    g->conn++;
    g->lost = false;
    if (PQserverVersion(g->c) < 120000) return zb_fail(e, ZB_E_INPUT, "database %s: PostgreSQL 12 or newer is needed", db->path);
    int rc = plain(db,
                   "set client_encoding='UTF8'; set standard_conforming_strings=on; set bytea_output='hex'; set client_min_messages=warning;"
                   " set lock_timeout='5s'; set synchronous_commit=on; set default_transaction_isolation='read committed'",
                   "setting the session up", e);
    if (rc == ZB_OK) rc = fitting(db, e);
    if (rc == ZB_OK && g->read_only) rc = plain(db, "set default_transaction_read_only=on", "making the session read only", e);
    return rc;
}

static int again(struct db *db, struct zb_err *e) {
    struct pg *g = db->h;
    PQreset(g->c);
    g->lost = false;
    int rc = PQstatus(g->c) == CONNECTION_OK ? session(db, e) : failed(db, NULL, "connecting", e);
    if (rc != ZB_OK) g->lost = true;
    return rc;
}

/* Takes the password and what messages may name out of the address. */
static int address(struct db *db, const char *url, struct zb_err *e) {
    struct pg *g = db->h;
    str_copy(STR("postgresql:"), db->path, sizeof db->path);
    char *why = NULL; /* may hold the whole address: not shown */
    PQconninfoOption *o = PQconninfoParse(url, &why), *i;
    PQfreemem(why);
    if (!o) return zb_fail(e, ZB_E_INPUT, "the database address is not a proper postgresql://user@host:port/name");
    const char *host = "", *name = "";
    for (i = o; i->keyword; i++) {
        if (!i->val) continue;
        if (!strcmp(i->keyword, "password")) g->secret = xstrndup(i->val, strlen(i->val));
        if (!strcmp(i->keyword, "host")) host = i->val;
        if (!strcmp(i->keyword, "dbname")) name = i->val;
    }
    snprintf(db->path, sizeof db->path, "postgresql://%s/%s", host, name);
    PQconninfoFree(o);
    return ZB_OK;
}

static int pg_open(struct db *db, const char *path, enum db_mode mode, struct zb_err *e) {
    struct pg *g = db->h = xcalloc(1, sizeof *g);
    g->read_only = mode == DB_READ;
    if (address(db, path, e) != ZB_OK) return e->rc;
    if (zb_fault()) return zb_fail(e, ZB_E_IO, "database %s: fault planted by a test", db->path);
    /* what stands before dbname the address can say otherwise */
    const char *const key[] = {"connect_timeout", "application_name", "keepalives_idle", "tcp_user_timeout", "dbname", "client_encoding", NULL};
    const char *const val[] = {"5", "zhiben", "30", "30000", path, "UTF8", NULL};
    g->c = PQconnectdbParams(key, val, 1);
    if (!g->c) return zb_fail(e, ZB_E_IO, "database %s: no memory", db->path);
    if (PQstatus(g->c) == CONNECTION_OK) return session(db, e);
    char text[300];
    str_copy(str_of(PQerrorMessage(g->c)), text, sizeof text);
    one_line(text);
    hide(text, g->secret);
    return zb_fail(e, ZB_E_IO, "cannot open database %s: %s", db->path, text);
}

static void pg_close(struct db *db) {
    struct pg *g = db->h;
    if (!g) return;
    PQfinish(g->c);
    free(g->secret);
    free(g);
}

static int pg_ready(struct db *db, struct zb_err *e) { return alive(db->h) ? ZB_OK : again(db, e); }

/* ---- whole statements ---- */
static int pg_exec(struct db *db, const char *sql, struct zb_err *e) {
    struct pg *g = db->h;
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    struct pg_text t;
    if (pg_translate(sql, &b, &t, e) != ZB_OK) return e->rc;
    if (t.params) ZB_BUG("values to bind in %s", sql);
    if (!t.statements) return ZB_OK;
    if (!alive(g)) return failed(db, NULL, sql, e);
    PGresult *r = PQexec(g->c, b.p);
    int rc = not_done(db, r) ? failed(db, r, sql, e) : ZB_OK;
    if (rc == ZB_OK) count(g, r);
    g->shape++; /* a table may be another now */
    PQclear(r);
    return rc;
}

static int pg_begin(struct db *db, struct zb_err *e) {
    struct pg *g = db->h;
    bool was = alive(g); /* a connection lost while idle shows only now: nothing is lost with it */
    if (!was && again(db, e) != ZB_OK) return e->rc;
    int rc = plain(db, "begin", "begin", e);
    if (rc == ZB_OK || !g->lost || !was) return rc;
    return again(db, e) == ZB_OK ? plain(db, "begin", "begin", e) : e->rc;
}

static int pg_commit(struct db *db, struct zb_err *e) {
    struct pg *g = db->h;
    if (!alive(g)) return failed(db, NULL, "commit", e);
    if (PQtransactionStatus(g->c) != PQTRANS_INTRANS)
        return zb_fail(e, ZB_E_IO, "database %s: commit: a statement of the transaction failed before: roll back", db->path);
    PGresult *r = PQexec(g->c, "commit");
    int rc = ZB_OK;
    if (not_done(db, r)) {
        rc = failed(db, r, "commit", e);
        if (g->lost) zb_wrap(e, "whether the transaction was kept is not known");
    } else if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
        rc = zb_fail(e, ZB_E_IO, "database %s: commit: the server rolled back", db->path);
    PQclear(r);
    return rc;
}

static void pg_rollback(struct db *db) {
    struct pg *g = db->h;
    struct zb_err ignored;
    if (alive(g) && PQtransactionStatus(g->c) != PQTRANS_IDLE && plain(db, "rollback", "rollback", &ignored) != ZB_OK) g->lost = true;
}

static int64_t pg_changes(struct db *db) { return ((struct pg *)db->h)->changes; }

static int pg_alone(struct db *db, bool on, struct zb_err *e) {
    if (!alive(db->h) && again(db, e) != ZB_OK) return e->rc;
    return plain(db, on ? "select pg_advisory_lock(7102025)" : "select pg_advisory_unlock(7102025)", "waiting for another's migration", e);
}

/* ---- prepared statements ---- */
static int pg_make(struct stmt *q, struct zb_err *e) {
    struct buf b;
    buf_init(&b, 1 << 20);
    struct pg_text t;
    if (pg_translate(q->sql, &b, &t, e) != ZB_OK) {
        buf_done(&b);
        return e->rc;
    }
    if (t.statements > 1) ZB_BUG("more than one statement in %s", q->sql);
    struct pgq *p = q->h = xcalloc(1, sizeof *p);
    p->empty = t.statements == 0;
    p->sql = b.p;
    p->params = t.params;
    p->param = xcalloc((size_t)t.params + 1, sizeof *p->param);
    for (int i = 0; i < p->params; i++) p->param[i].null = true;
    return ZB_OK;
}

static void pg_free(struct stmt *q) {
    struct pgq *p = q->h;
    for (int i = 0; i < p->params; i++) free(p->param[i].p);
    for (int i = 0; i < p->cells; i++) free(p->cell[i].p);
    PQclear(p->res);
    free(p->cell);
    free(p->param);
    free(p->sql);
    free(p);
}

#define KEEP ((size_t)64 << 10) /* larger buffers go back after use */

static void pg_reset(struct stmt *q) {
    struct pgq *p = q->h;
    PQclear(p->res);
    p->res = NULL;
    for (int i = 0; i < p->params; i++) {
        struct param *a = &p->param[i];
        a->null = true;
        if (a->cap <= KEEP) continue;
        free(a->p);
        a->p = NULL;
        a->cap = 0;
    }
    for (int i = 0; i < p->cells; i++) {
        struct cell *c = &p->cell[i];
        c->row = -1;
        if (c->cap <= KEEP) continue;
        free(c->p);
        c->p = NULL;
        c->cap = 0;
    }
}

static void bad(struct stmt *q, int why) {
    if (!q->bad) q->bad = why;
}

static struct param *param(struct stmt *q, int i) {
    struct pgq *p = q->h;
    if (i >= 1 && i <= p->params) return &p->param[i - 1];
    bad(q, BAD_INDEX);
    return NULL;
}

static void put(struct stmt *q, int i, Oid type, struct str s) {
    struct param *a = param(q, i);
    if (!a) return;
    if (s.n >= INT_MAX / 2) {
        bad(q, BAD_LONG);
        return;
    }
    if (s.n + 1 > a->cap) a->p = xrealloc(a->p, a->cap = s.n + 1);
    if (s.n) memcpy(a->p, s.p, s.n);
    a->p[s.n] = '\0';
    a->n = s.n;
    a->type = type;
    a->null = false;
}

static void pg_text_(struct stmt *q, int i, struct str s) {
    if (s.n && memchr(s.p, 0, s.n)) bad(q, BAD_NUL);
    put(q, i, OID_TEXT, s);
}
static void pg_blob(struct stmt *q, int i, struct str s) { put(q, i, OID_BYTEA, s); }
static void pg_i64(struct stmt *q, int i, int64_t v) {
    char z[24];
    int n = snprintf(z, sizeof z, "%lld", (long long)v);
    put(q, i, OID_INT8, (struct str){z, (size_t)n});
}
static void pg_real(struct stmt *q, int i, double v) {
    char z[40];
    int n = snprintf(z, sizeof z, "%.17g", v);
    put(q, i, OID_FLOAT8, (struct str){z, (size_t)n});
}
static void pg_null(struct stmt *q, int i) {
    struct param *a = param(q, i);
    if (a) a->null = true; /* its kind stays what it was last time */
}

/* $N for the marks; null where nothing but null was bound yet: a parameter whose kind nobody knows would be an error. */
static void numbered(const struct pgq *p, struct buf *sql) {
    for (const char *at = p->sql, *mark; *at; at = mark) {
        mark = strchr(at, *PG_MARK);
        if (!mark) mark = at + strlen(at);
        buf_put(sql, at, (size_t)(mark - at));
        if (!*mark) return;
        const char *end = strchr(++mark, *PG_MARK);
        struct str n = {mark, (size_t)(end - mark)};
        int64_t i;
        if (!num_i64(n, 1, p->params, &i)) ZB_BUG("parameter " STR_FMT, STR_ARG(n));
        if (p->param[i - 1].type == OID_NONE)
            buf_puts(sql, "null");
        else
            buf_printf(sql, "$" STR_FMT, STR_ARG(n));
        mark = end + 1;
    }
}

static bool still_good(const struct pgq *p, const struct pg *g) {
    bool good = p->name[0] && p->conn == g->conn && p->shape == g->shape;
    for (int i = 0; i < p->params && good; i++) good = p->param[i].type == p->param[i].prepared;
    return good;
}

/* The server would take ?1=0 for a 32-bit comparison: it is told the kinds of what is bound, so the statement is prepared with the first run. */
static int prepared(struct stmt *q, struct zb_err *e) {
    struct pgq *p = q->h;
    struct pg *g = q->db->h;
    if (still_good(p, g)) return ZB_OK;
    if (p->name[0] && p->conn == g->conn) {
        char drop[48];
        snprintf(drop, sizeof drop, "deallocate %s", p->name);
        p->name[0] = '\0';
        if (plain(q->db, drop, q->sql, e) != ZB_OK) return e->rc;
    }
    char name[sizeof p->name];
    snprintf(name, sizeof name, "zb%d", ++g->names);
    Oid *type = xcalloc((size_t)p->params + 1, sizeof *type);
    for (int i = 0; i < p->params; i++) {
        p->param[i].prepared = p->param[i].type;
        type[i] = p->param[i].type == OID_NONE ? OID_TEXT : p->param[i].type;
    }
    ZB_AUTO(buf_done) struct buf sql;
    buf_init(&sql, 2 << 20);
    numbered(p, &sql);
    PGresult *r = PQprepare(g->c, name, sql.p, p->params, type);
    int rc = PQresultStatus(r) == PGRES_COMMAND_OK ? ZB_OK : failed(q->db, r, q->sql, e);
    PQclear(r);
    free(type);
    if (rc != ZB_OK) return rc;
    memcpy(p->name, name, sizeof name);
    p->conn = g->conn;
    p->shape = g->shape;
    return ZB_OK;
}

static int run(struct stmt *q, struct zb_err *e) {
    struct pgq *p = q->h;
    struct pg *g = q->db->h;
    if (!alive(g)) return failed(q->db, NULL, q->sql, e);
    if (prepared(q, e) != ZB_OK) return e->rc;
    size_t n = (size_t)p->params + 1;
    const char **val = xcalloc(n, sizeof *val);
    int *len = xcalloc(n, sizeof *len), *form = xcalloc(n, sizeof *form);
    for (int i = 0; i < p->params; i++) {
        const struct param *a = &p->param[i];
        val[i] = a->null ? NULL : a->p;
        len[i] = (int)a->n;
        form[i] = a->type == OID_BYTEA;
    }
    p->res = PQexecPrepared(g->c, p->name, p->params, val, len, form, 0);
    free(val);
    free(len);
    free(form);
    if (!not_done(q->db, p->res)) {
        count(g, p->res);
        p->row = -1;
        return ZB_OK;
    }
    failed(q->db, p->res, q->sql, e);
    PQclear(p->res);
    p->res = NULL;
    return e->rc;
}

static int cells_for(struct pgq *p) {
    int n = PQnfields(p->res);
    if (n > p->cells) {
        p->cell = xrealloc(p->cell, (size_t)n * sizeof *p->cell);
        for (; p->cells < n; p->cells++) p->cell[p->cells] = (struct cell){.row = -1};
    }
    for (int i = 0; i < p->cells; i++) p->cell[i].row = -1;
    return n;
}

static int pg_row(struct stmt *q, struct zb_err *e) {
    static const char *const WHY[] = {[BAD_INDEX] = "no such parameter", [BAD_NUL] = "a NUL byte in text", [BAD_LONG] = "string or blob too big"};
    struct pgq *p = q->h;
    if (q->bad)
        return zb_fail(e, q->bad == BAD_NUL ? ZB_E_INPUT : ZB_E_LIMIT, "database %s: a value could not be bound (%s) in: %.200s", q->db->path, WHY[q->bad],
                       q->sql);
    if (p->empty) return 0;
    if (!p->res) {
        if (run(q, e) != ZB_OK) return e->rc;
        cells_for(p);
    }
    if (++p->row < PQntuples(p->res)) return 1;
    PQclear(p->res);
    p->res = NULL;
    return 0;
}

/* ---- columns ---- */
static bool pg_col_null(struct stmt *q, int col) {
    struct pgq *p = q->h;
    return !p->res || col < 0 || col >= PQnfields(p->res) || PQgetisnull(p->res, p->row, col);
}

static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static struct str unhex(struct pgq *p, int col, const char *hex, size_t n) {
    struct cell *c = &p->cell[col];
    if (c->row != p->row) {
        c->n = n >= 2 ? (n - 2) / 2 : 0; /* after \x */
        if (c->n > c->cap) c->p = xrealloc(c->p, c->cap = c->n);
        for (size_t i = 0; i < c->n; i++) c->p[i] = (char)(nibble(hex[2 + 2 * i]) << 4 | nibble(hex[3 + 2 * i]));
        c->row = p->row;
    }
    return (struct str){c->p ? c->p : "", c->n};
}

static struct str pg_col_text(struct stmt *q, int col) {
    struct pgq *p = q->h;
    if (pg_col_null(q, col)) return STR("");
    const char *v = PQgetvalue(p->res, p->row, col);
    size_t n = (size_t)PQgetlength(p->res, p->row, col);
    Oid type = PQftype(p->res, col);
    if (type == OID_BYTEA) return unhex(p, col, v, n);
    if (type == OID_BOOL) return *v == 't' ? STR("1") : STR("0");
    return (struct str){v, n};
}

static int64_t pg_col_i64(struct stmt *q, int col) {
    struct str rest, s = str_cut(pg_col_text(q, col), '.', &rest);
    int64_t v;
    return num_i64(s, INT64_MIN, INT64_MAX, &v) ? v : 0;
}

static double pg_col_real(struct stmt *q, int col) {
    double v;
    return num_double(pg_col_text(q, col), &v) ? v : 0;
}

static int pg_cols(struct stmt *q) {
    struct pgq *p = q->h;
    return p->res ? PQnfields(p->res) : 0;
}
static const char *pg_col_name(struct stmt *q, int col) {
    struct pgq *p = q->h;
    const char *name = p->res ? PQfname(p->res, col) : NULL;
    return name ? name : "";
}
static enum col_kind pg_col_kind(struct stmt *q, int col) {
    switch (PQftype(((struct pgq *)q->h)->res, col)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8: return COL_INT;
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC: return COL_REAL;
    default: return COL_TEXT;
    }
}

const struct backend db_postgres = {
    .kind = DB_POSTGRES,
    .open = pg_open,
    .close = pg_close,
    .ready = pg_ready,
    .exec = pg_exec,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .changes = pg_changes,
    .alone = pg_alone,
    .make = pg_make,
    .free = pg_free,
    .reset = pg_reset,
    .text = pg_text_,
    .blob = pg_blob,
    .i64 = pg_i64,
    .null = pg_null,
    .real = pg_real,
    .col_real = pg_col_real,
    .row = pg_row,
    .col_text = pg_col_text,
    .col_blob = pg_col_text,
    .col_i64 = pg_col_i64,
    .col_null = pg_col_null,
    .cols = pg_cols,
    .col_name = pg_col_name,
    .col_kind = pg_col_kind,
};
