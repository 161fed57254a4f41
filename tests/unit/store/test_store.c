/* The same cases on both databases. */
#include "../test.h"
#include "../pg.h"
#include "store/db.h"
#include <pthread.h>

static bool have_pg;
static struct db *db;
static char where[200];

static const char *const PART[] = {
    "create table item(id integer primary key, name text not null unique, n integer, weight real, data blob, "
    "check(n is null or n<>13)) strict;"
    "create index item_n on item(n) where n is not null;",
    "create table pair(a text not null, b integer not null, v text not null default '', primary key(a, b)) strict, without rowid;"
    "create table child(item integer not null references item(id), t integer not null) strict"};

static int up(void **s) {
    bool pg = *s != NULL;
    snprintf(where, sizeof where, "%s", pg ? pg_fresh() : join(scratch(), "z.db"));
    OK(db_open(where, DB_WRITE, &db, &err));
    assert_int_equal(db_kind(db), pg ? DB_POSTGRES : DB_SQLITE);
    OK(db_migrate(db, "test", PART, 2, &err));
    return 0;
}
static int down(void **s) {
    (void)s;
    db_close(db);
    db = NULL;
    return 0;
}

static struct stmt *use(const char *sql) {
    struct stmt *q = db_use(db, sql, &err);
    if (!q) fail_msg("%s", err.msg);
    return q;
}
static int row(struct stmt *q) {
    int r = stmt_row(q, &err);
    if (r < 0) fail_msg("%s", err.msg);
    return r;
}
static int64_t number(const char *sql) {
    struct stmt *q = use(sql);
    int64_t v = row(q) ? stmt_col_i64(q, 0) : -1;
    stmt_done(&q);
    return v;
}
/* Adds an item; n < 0: null. The id, or the error. */
static int64_t add(const char *name, int64_t n) {
    struct stmt *q = use("insert into item(name,n) values(?,?) returning id");
    stmt_z(q, 1, name);
    n < 0 ? stmt_null(q, 2) : stmt_i64(q, 2, n);
    int64_t r = stmt_row(q, &err);
    if (r == 1) r = stmt_col_i64(q, 0);
    stmt_done(&q);
    return r;
}
static void list(const char *sql, char *to, size_t cap) { /* first columns, blank between */
    struct stmt *q = use(sql);
    size_t n = 0;
    to[0] = 0;
    while (row(q)) {
        struct str v = stmt_col_text(q, 0);
        n += (size_t)snprintf(to + n, cap - n, "%s" STR_FMT, n ? " " : "", STR_ARG(v));
    }
    stmt_done(&q);
}

static void migrations(void **s) {
    (void)s;
    OK(db_migrate(db, "test", PART, 2, &err)); /* nothing to do */
    assert_int_equal(number("select version from zb_schema where name='test'"), 2);
    assert_int_equal(db_migrate(db, "test", PART, 1, &err), ZB_E_CONFLICT);
    static const char *const BAD[] = {"create table good(a integer) strict", "create table half(a integer) strict; create table item(a integer) strict"};
    assert_int_not_equal(db_migrate(db, "bad", BAD, 2, &err), ZB_OK);
    assert_non_null(strstr(err.msg, "migration 2 of bad"));
    assert_int_equal(number("select version from zb_schema where name='bad'"), 1);
    assert_int_equal(number("select count(*) from good"), 0);
    OK(db_exec(db, "create table half(a integer) strict", &err)); /* was rolled back */
    struct db *other;
    OK(db_open(where, DB_WRITE, &other, &err));
    OK(db_migrate(other, "test", PART, 2, &err));
    db_close(other);
}

static void check_kept(int64_t id, const char *text, size_t tn, const char *blob, size_t bn, int64_t n) {
    struct stmt *q = use("select name, data, n, n is null, weight from item where id=?1");
    stmt_i64(q, 1, id);
    assert_int_equal(row(q), 1);
    assert_true(str_eq(stmt_col_text(q, 0), (struct str){text, tn}));
    if (blob) {
        assert_false(stmt_col_null(q, 1));
        assert_true(str_eq(stmt_col_blob(q, 1), (struct str){blob, bn}));
        assert_true(str_eq(stmt_col_blob(q, 1), (struct str){blob, bn}));
    } else {
        assert_true(stmt_col_null(q, 1));
        assert_int_equal(stmt_col_blob(q, 1).n, 0);
    }
    assert_true(stmt_col_i64(q, 2) == (n == ZB_FIX_NONE ? 0 : n));
    assert_true(stmt_col_fix(q, 2) == n && stmt_col_time(q, 2) == n);
    assert_int_equal(stmt_col_i64(q, 3), n == ZB_FIX_NONE);
    assert_true(str_is(stmt_col_text(q, 3), n == ZB_FIX_NONE ? "1" : "0"));
    assert_true(stmt_col_null(q, 4));
    assert_int_equal(row(q), 0);
    stmt_done(&q);
}

static void round_trip(void **s) {
    (void)s;
    char all[256], big[300000];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 31 >> 3);
    const struct {
        const char *text;
        const char *blob;
        size_t bn;
        int64_t n;
    } T[] = {{"", "", 0, 0},
             {"瓦斯 CH4 ' \" \\ $1 ?", all, 256, INT64_MAX},
             {"a\nb\tc\r", NULL, 0, INT64_MIN},
             {"𠮷", big, sizeof big, -1},
             {"\\x41", "\\x41", 4, 1},
             {"null", "\0", 1, 2147483648},
             {"none", NULL, 0, ZB_FIX_NONE}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct stmt *q = use("insert into item(name,n,weight,data) values(?1,?2,?4,?3) returning id");
        stmt_text(q, 1, str_of(T[i].text));
        if (!strcmp(T[i].text, "none"))
            stmt_fix(q, 2, T[i].n);
        else
            stmt_i64(q, 2, T[i].n);
        if (T[i].blob) stmt_blob(q, 3, (struct str){T[i].blob, T[i].bn});
        assert_int_equal(row(q), 1);
        int64_t id = stmt_col_i64(q, 0);
        stmt_done(&q);
        if (T[i].n == INT64_MIN && strcmp(T[i].text, "none") != 0) { /* a number, though fix and time take it for none */
            q = use("select n from item where n=?1");
            stmt_i64(q, 1, INT64_MIN);
            assert_int_equal(row(q), 1);
            assert_false(stmt_col_null(q, 0));
            assert_true(stmt_col_i64(q, 0) == INT64_MIN);
            stmt_done(&q);
        } else {
            check_kept(id, T[i].text, strlen(T[i].text), T[i].blob, T[i].bn, T[i].n);
        }
    }
    struct stmt *q = use("insert into item(name) values(?)");
    stmt_text(q, 1, (struct str){NULL, 0}); /* empty, not null; there already */
    assert_int_equal(stmt_run(q, &err), ZB_E_CONFLICT);
    stmt_done(&q);
    q = use("insert into item(name) values(?)");
    stmt_i64(q, 2, 1); /* no such parameter */
    assert_int_equal(stmt_run(q, &err), ZB_E_LIMIT);
    stmt_done(&q);
    assert_int_equal(number("select length(data) from item where name='' and data=x''"), 0);
    assert_int_equal(number("select length(data) from item where name='\\x41' and data=x'5c783431'"), 4);
}

static void errors(void **s) {
    (void)s;
    assert_true(add("a", 1) > 0);
    assert_int_equal(add("a", 2), ZB_E_CONFLICT);
    assert_int_equal(add(NULL, 2), ZB_E_INPUT);
    assert_int_equal(add("b", 13), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "insert into item"));
    struct stmt *q = use("insert into child(item,t) values(?,1)");
    stmt_i64(q, 1, 999);
    assert_int_equal(stmt_run(q, &err), ZB_E_INPUT);
    stmt_done(&q);
    assert_int_equal(db_exec(db, "insert into nowhere values(1)", &err), ZB_E_IO);
    q = db_use(db, "select x from nowhere", &err); /* PostgreSQL may say it at the first row only */
    assert_int_equal(q ? stmt_row(q, &err) : err.rc, ZB_E_IO);
    stmt_done(&q);
    assert_int_equal(number("select count(*) from item"), 1);
}

static void transactions(void **s) {
    (void)s;
    OK(db_begin(db, &err));
    assert_true(db_in_tx(db));
    assert_true(add("a", 1) > 0);
    db_rollback(db);
    assert_false(db_in_tx(db));
    assert_int_equal(number("select count(*) from item"), 0);
    OK(db_begin(db, &err));
    assert_true(add("a", 1) > 0);
    OK(db_commit(db, &err));
    OK(db_begin(db, &err)); /* a failed statement: the caller rolls back */
    assert_true(add("b", 1) > 0);
    assert_int_equal(add("a", 1), ZB_E_CONFLICT);
    db_rollback(db);
    assert_int_equal(number("select count(*) from item"), 1);
    OK(db_begin(db, &err));
    assert_true(add("c", 1) > 0);
    OK(db_commit(db, &err));
    assert_int_equal(number("select count(*) from item"), 2);
    db_rollback(db); /* without one: nothing */
}

static int work(void) {
    if (db_begin(db, &err) != ZB_OK) return err.rc;
    int rc = ZB_OK;
    for (int i = 0; i < 3 && rc == ZB_OK; i++) {
        struct stmt *q = db_use(db, "insert into pair(a,b) values('k',?)", &err);
        if (q) stmt_i64(q, 1, i);
        rc = q ? stmt_run(q, &err) : err.rc;
        stmt_done(&q);
    }
    if (rc == ZB_OK) rc = db_commit(db, &err);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

static void faults(void **s) {
    (void)s;
    for (int k = 1;; k++) {
        zb_fault_at = 0;
        zb_fault();
        zb_fault_at = k;
        int rc = work();
        zb_fault_at = 0;
        int64_t n = number("select count(*) from pair");
        if (rc == ZB_OK) {
            assert_int_equal(n, 3);
            assert_int_equal(k, 6); /* begin, three, commit */
            break;
        }
        assert_int_equal(rc, ZB_E_IO);
        assert_int_equal(n, 0);
    }
    zb_fault();
    zb_fault_at = 1; /* opening fails too, and leaves nothing */
    struct db *other = NULL;
    assert_int_equal(db_open(where, DB_WRITE, &other, &err), ZB_E_IO);
    zb_fault_at = 0;
    assert_null(other);
}

static void upserts(void **s) {
    (void)s;
    for (int i = 0; i < 3; i++) {
        struct stmt *q = use("insert into pair(a,b,v) values(?1,?2,?3) on conflict(a,b) do update set v=?3 where v<>?3 and ?2 is not null");
        stmt_z(q, 1, "x");
        stmt_i64(q, 2, 1);
        stmt_z(q, 3, i ? "new" : "old");
        OK(stmt_run(q, &err));
        assert_int_equal(db_changes(db), i < 2);
        stmt_done(&q);
    }
    char v[100];
    list("select v from pair", v, sizeof v);
    assert_string_equal(v, "new");
    OK(db_exec(db, "insert into pair(a,b,v) values('x',1,'y') on conflict(a,b) do update set v=v||excluded.v", &err));
    list("select v from pair", v, sizeof v);
    assert_string_equal(v, "newy");
    struct stmt *q = use("insert or ignore into pair(a,b) values(?,?) returning v");
    stmt_z(q, 1, "x");
    stmt_i64(q, 2, 1);
    assert_int_equal(row(q), 0);
    assert_int_equal(db_changes(db), 0);
    stmt_done(&q);
    q = use("insert or ignore into pair(a,b) values(?,?)");
    for (int i = 0; i < 5; i++) {
        stmt_z(q, 1, "y");
        stmt_i64(q, 2, i);
        OK(stmt_run(q, &err));
        stmt_done(&q);
        q = use("insert or ignore into pair(a,b) values(?,?)");
    }
    stmt_done(&q);
    assert_int_equal(number("select count(*) from pair"), 6);
    assert_int_equal(db_changes(db), 1); /* a select changes nothing, and not this */
    OK(db_exec(db, "update pair set v='z' where a='y' and b>=2", &err));
    assert_int_equal(db_changes(db), 3);
    q = use("update pair set v='w' where v=?1 returning b");
    stmt_z(q, 1, "z");
    int n = 0;
    while (row(q)) n++;
    assert_int_equal(n, 3);
    assert_int_equal(db_changes(db), 3);
    stmt_done(&q);
    OK(db_exec(db, "delete from pair", &err));
    assert_int_equal(db_changes(db), 6);
    int64_t a = add("a", 1), b = add("b", 1);
    assert_true(a > 0 && b == a + 1);
}

static void nested(void **s) {
    (void)s;
    char name[20];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_true(add(name, i) > 0);
    }
    OK(db_begin(db, &err));
    struct stmt *o = use("select id, name, x'c1' from item order by id");
    int64_t sum = 0;
    while (row(o)) {
        struct stmt *i = use("insert into child(item,t) values(?,?)");
        stmt_i64(i, 1, stmt_col_i64(o, 0));
        stmt_time(i, 2, 5);
        OK(stmt_run(i, &err));
        stmt_done(&i);
        i = use("select id, name, x'c1' from item order by id"); /* the same literal while it is open */
        while (row(i)) sum++;
        stmt_done(&i);
        assert_int_equal(stmt_col_text(o, 1).p[0], 'n');
        assert_true(str_is(stmt_col_blob(o, 2), "\xc1"));
    }
    stmt_done(&o);
    OK(db_commit(db, &err));
    assert_int_equal(sum, 25);
    assert_int_equal(number("select count(*) from child"), 5);
    o = use("select id, name, x'c1' from item order by id"); /* left half way, then anew */
    assert_int_equal(row(o), 1);
    stmt_done(&o);
    o = use("select id, name, x'c1' from item order by id");
    assert_int_equal(row(o), 1);
    assert_true(str_is(stmt_col_text(o, 1), "n0"));
    stmt_done(&o);
}

static void read_only(void **s) {
    (void)s;
    add("a", 1);
    struct db *w = db;
    OK(db_open(where, DB_READ, &db, &err));
    assert_int_equal(number("select count(*) from item"), 1);
    assert_int_equal(add("b", 1), ZB_E_IO);
    assert_int_equal(db_exec(db, "delete from item", &err), ZB_E_IO);
    assert_int_not_equal(db_exec(db, "create table other(a integer) strict", &err), ZB_OK);
    db_close(db);
    db = w;
    assert_int_equal(number("select count(*) from item"), 1);
}

static void order(void **s) {
    (void)s;
    static const char *const T[] = {"中", "a", "B", "山西", "é", "_", "z", "Z", "阳泉", "10", "9", "a b", "a-b", "ab", "𠮷", "～"};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) assert_true(add(T[i], 1) > 0);
    struct stmt *q = use("select name from item order by name");
    char last[64] = "";
    size_t n = 0;
    while (row(q)) {
        char now[64];
        str_copy(stmt_col_text(q, 0), now, sizeof now);
        assert_true(strcmp(last, now) < 0);
        strcpy(last, now);
        n++;
    }
    stmt_done(&q);
    assert_int_equal(n, sizeof T / sizeof *T);
    char max[64];
    list("select max(name) from item where name<'Ａ' and name>='中'", max, sizeof max);
    assert_string_equal(max, "阳泉");
    q = use("select count(*) from item where substr(name,1,length(?1))=?1 and (?2='' or name=?2) and (?3=0 or n<?3)");
    stmt_z(q, 1, "a");
    stmt_z(q, 2, "");
    stmt_i64(q, 3, (int64_t)1 << 40);
    assert_int_equal(row(q), 1);
    assert_int_equal(stmt_col_i64(q, 0), 4);
    stmt_done(&q);
}

static void dialect(void **s) {
    (void)s;
    add("a", -1);
    OK(db_exec(db, "pragma optimize", &err));
    OK(db_exec(db, "/* nothing */ ; -- at all", &err));
    struct stmt *q = use("select ifnull(n,-7), cast('12' as integer), '?1 strict integer', \"name\" /* ? */ from item where n is ?1 and name is not ?2 -- ?");
    stmt_null(q, 1);
    stmt_z(q, 2, "it's");
    for (int i = 0; i < 2; i++) { /* run again after the end */
        assert_int_equal(row(q), 1);
        assert_int_equal(stmt_col_i64(q, 0), -7);
        assert_int_equal(stmt_col_i64(q, 1), 12);
        assert_true(str_is(stmt_col_text(q, 2), "?1 strict integer"));
        assert_true(str_is(stmt_col_text(q, 3), "a"));
        assert_int_equal(row(q), 0);
    }
    stmt_done(&q);
    q = use("update item set n=?1+?2*60000 where name=?3"); /* not in 32 bits */
    stmt_i64(q, 1, 1772000000000);
    stmt_i64(q, 2, 3);
    stmt_z(q, 3, "a");
    OK(stmt_run(q, &err));
    stmt_done(&q);
    assert_true(number("select sum(n) from item") == 1772000180000);
    assert_true(number("select avg(n) from item") == 1772000180000);
    q = use("select ?1 is null, ?1=1");
    for (int i = 0; i < 4; i++) { /* a null, a number, a null */
        i % 2 ? stmt_i64(q, 1, 1) : stmt_null(q, 1);
        assert_int_equal(row(q), 1);
        assert_int_equal(stmt_col_i64(q, 0), i % 2 == 0);
        assert_int_equal(stmt_col_i64(q, 1), i % 2);
        stmt_done(&q);
        q = use("select ?1 is null, ?1=1");
    }
    stmt_done(&q);
    q = use("select count(*) from item where (?2 is null or n=?2) and (?3 is null or name=?3)");
    assert_int_equal(row(q), 1);
    assert_int_equal(stmt_col_i64(q, 0), 1);
    stmt_done(&q);
    OK(db_exec(db, "create trigger pair_kept before delete on pair begin select raise(abort, 'never'' deleted'); end; insert into pair(a,b) values('a',1)",
               &err));
    assert_int_equal(db_exec(db, "delete from pair", &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "never' deleted"));
    if (db_kind(db) == DB_SQLITE) return;
    assert_int_equal(db_exec(db, "truncate pair", &err), ZB_E_INPUT);
    assert_null(db_use(db, "insert or replace into pair(a,b) values('a',1)", &err));
    q = use("insert into item(name) values(?)");
    stmt_text(q, 1, (struct str){"a\0b", 3});
    assert_int_equal(stmt_run(q, &err), ZB_E_INPUT);
    stmt_done(&q);
    assert_int_equal(add("\xff\xfe", 1), ZB_E_INPUT); /* no UTF-8 */
    assert_int_equal(number("select count(*) from pair"), 1);
}

#define THREADS 4
static void *worker(void *arg) {
    struct db *mine;
    struct zb_err e;
    int64_t bad = 0;
    if (db_open(where, DB_WRITE, &mine, &e) != ZB_OK) return (void *)1;
    for (int i = 0; i < 25; i++) {
        if (db_begin(mine, &e) != ZB_OK) {
            bad++;
            continue;
        }
        struct stmt *q = db_use(mine, "insert into pair(a,b,v) values(?,?,'t')", &e);
        if (q) stmt_z(q, 1, arg);
        if (q) stmt_i64(q, 2, i);
        int rc = q ? stmt_run(q, &e) : e.rc;
        stmt_done(&q);
        if (rc == ZB_OK) rc = db_commit(mine, &e);
        if (rc != ZB_OK) db_rollback(mine), bad++;
    }
    db_close(mine);
    return (void *)(intptr_t)bad;
}

static void threads(void **s) {
    (void)s;
    static char name[THREADS][4] = {"t0", "t1", "t2", "t3"};
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&t[i], NULL, worker, name[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(number("select count(*) from pair"), 25 * THREADS);
}

/* ---- PostgreSQL alone ---- */
static void lost(void **s) {
    (void)s;
    add("a", 1);
    OK(db_begin(db, &err));
    assert_true(add("b", 1) > 0);
    assert_true(pg_restart());
    assert_int_equal(add("c", 1), ZB_E_IO); /* within: lost */
    assert_non_null(strstr(err.msg, "connection is lost"));
    assert_int_equal(add("c", 1), ZB_E_IO);
    assert_int_equal(db_commit(db, &err), ZB_E_IO);
    db_rollback(db);
    OK(db_begin(db, &err)); /* made anew, statements too */
    assert_true(add("d", 1) > 0);
    OK(db_commit(db, &err));
    assert_true(pg_restart());
    assert_int_equal(add("e", 1), ZB_E_IO); /* outside: one failure, then anew */
    assert_true(add("f", 1) > 0);
    assert_true(pg_restart());
    OK(db_begin(db, &err)); /* nothing was lost */
    assert_true(add("g", 1) > 0);
    OK(db_commit(db, &err));
    char v[100];
    list("select name from item order by name", v, sizeof v);
    assert_string_equal(v, "a d f g");
    struct db *w = db;
    OK(db_open(where, DB_READ, &db, &err));
    assert_true(pg_restart());
    assert_int_equal(add("h", 1), ZB_E_IO);
    assert_int_equal(add("h", 1), ZB_E_IO); /* still read only */
    assert_non_null(strstr(err.msg, "read-only"));
    db_close(db);
    db = w;
}

static void aborted(void **s) {
    (void)s;
    OK(db_begin(db, &err));
    assert_true(add("a", 1) > 0);
    assert_int_equal(add("a", 1), ZB_E_CONFLICT);
    assert_int_equal(add("b", 1), ZB_E_IO);
    assert_int_equal(db_commit(db, &err), ZB_E_IO); /* never a silent rollback */
    assert_true(db_in_tx(db));
    db_rollback(db);
    assert_int_equal(number("select count(*) from item"), 0);
    OK(db_exec(db, "alter table item add column more text", &err)); /* what was prepared is prepared again */
    assert_int_equal(number("select count(*) from item"), 0);
    assert_true(add("a", 1) > 0);
}

static void refuses(const char *url, const char *why) {
    struct db *d = NULL;
    assert_int_not_equal(db_open(url, DB_WRITE, &d, &err), ZB_OK);
    assert_null(d);
    if (!strstr(err.msg, why) || strstr(err.msg, "the-secret")) fail_msg("%s", err.msg);
}

static void addresses(void **s) {
    (void)s;
    refuses(pg_fresh_with("--locale-provider=icu --icu-locale=en"), "createdb -T template0 -E UTF8");
    refuses(pg_fresh_with("-E LATIN1 --locale=C"), "encoding LATIN1");
    char url[300];
    refuses("postgresql://postgres:the-secret@127.0.0.1:1/x", "cannot open database postgresql://127.0.0.1/x");
    refuses("postgresql://postgres:the-secret@[::1/x", "not a proper");
    refuses("postgres://postgres@/x?password=the-secret&nothing=1", "not a proper");
    snprintf(url, sizeof url, "postgresql:///nosuch?host=%s&user=postgres&password=the-secret", pg_dir);
    refuses(url, "does not exist");
}

#define BOTH(x)                                                                                                                                                \
    { #x, x, up, down, NULL }
#define PG(x)                                                                                                                                                  \
    { #x " on PostgreSQL", x, up, down, &have_pg }
int main(void) {
    const struct CMUnitTest lite[] = {BOTH(migrations), BOTH(round_trip), BOTH(errors), BOTH(transactions), BOTH(faults), BOTH(upserts),
                                      BOTH(nested),     BOTH(read_only),  BOTH(order),  BOTH(dialect),      BOTH(threads)};
    const struct CMUnitTest pg[] = {PG(migrations), PG(round_trip), PG(errors),  PG(transactions), PG(faults), PG(upserts), PG(nested),
                                    PG(read_only),  PG(order),      PG(dialect), PG(threads),      PG(lost),   PG(aborted), PG(addresses)};
    int bad = cmocka_run_group_tests_name("store on SQLite", lite, NULL, NULL);
    const char *why;
    have_pg = pg_start(&why);
    if (!have_pg) {
        printf("skipped, the PostgreSQL half: %s\n", why);
        return bad;
    }
    bad += cmocka_run_group_tests_name("store on PostgreSQL", pg, NULL, NULL);
    pg_stop();
    return bad;
}
