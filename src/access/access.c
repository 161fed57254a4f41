#include "access/access.h"
#include "audit/audit.h"
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>

#define SESSION_LIFE (12 * ZB_HOUR)
#define SESSION_IDLE (2 * ZB_HOUR)
#define WRONG_MAX 5
#define WRONG_WINDOW (15 * ZB_MINUTE)

static const char *const MIGRATIONS[] = {
    "create table account(id integer primary key, name text not null unique, role text not null, area text not null, password text not null, created integer "
    "not null) strict;"
    "create table session(token blob primary key, account integer not null references account(id), csrf text not null, opened integer not null, seen integer "
    "not null) strict;"
    "create table upload_token(token blob primary key, mine text not null, created integer not null, revoked integer) strict;"
    "create table wrong_password(id integer primary key, key text not null, t integer not null) strict;"
    "create index wrong_password_key on wrong_password(key, t);"};

int access_init(struct db *db, struct zb_err *e) {
    if (sodium_init() < 0) return zb_fail(e, ZB_E_IO, "libsodium does not start");
    return db_migrate(db, "access", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e);
}

static int end_tx(struct db *db, int rc, struct zb_err *e) {
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

/* Names, roles and areas were checked before: nothing in them needs quoting. */
static int journal(struct db *db, zb_time now, struct str who, const char *what, struct str subject, const char *role, const char *area, struct zb_err *e) {
    char body[300];
    int n = role ? snprintf(body, sizeof body, "{\"role\":\"%s\",\"area\":\"%s\"}", role, area) : snprintf(body, sizeof body, "{}");
    return audit_append(db, now, who, str_of(what), subject, (struct str){body, n < 0 ? 0 : (size_t)n}, e);
}

static bool plain(struct str s, size_t max) { /* letters, digits, . _ - and Chinese; no quotes */
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80 && !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-')) return false;
    }
    return s.n > 0 && s.n <= max;
}

static bool digits(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n >= 2;
}

static bool body_code(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z'))) return false;
    return true;
}

int user_add(struct db *db, const struct policy *p, struct str who, zb_time now, struct str user, struct str role, struct str area, struct str password,
             struct zb_err *e) {
    char hash[crypto_pwhash_STRBYTES];
    if (!plain(user, 63)) return zb_fail(e, ZB_E_INPUT, "user name: 1 to 63 letters, digits, . _ -");
    if (!policy_role(p, role)) return zb_fail(e, ZB_E_INPUT, "role \"%.*s\" is not one of the policy", role.n > 31 ? 31 : (int)role.n, role.p);
    if (area.n > 23 || (area.n < 8 ? !digits(area) : !body_code(area)))
        return zb_fail(e, ZB_E_INPUT,
                       "area: 14 for the province, 4 digits for a city, 6 for a county, or the code of a mine or body (8 to 23 digits and capitals)");
    if (password.n < 12 || password.n > 200) return zb_fail(e, ZB_E_INPUT, "password: at least 12 bytes, at most 200");
    if (str_eq(password, user)) return zb_fail(e, ZB_E_INPUT, "password: not the user's name");
    if (crypto_pwhash_str_alg(hash, password.p, password.n, 2, 19 << 20, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return zb_fail(e, ZB_E_IO, "no memory for hashing the password");
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db, "insert into account(name,role,area,password,created) values(?,?,?,?,?)", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_text(q, 1, user);
        stmt_text(q, 2, role);
        stmt_text(q, 3, area);
        stmt_z(q, 4, hash);
        stmt_time(q, 5, now);
        rc = stmt_run(q, e);
        if (rc == ZB_E_CONFLICT) zb_fail(e, ZB_E_CONFLICT, "there is a user " STR_FMT " already", STR_ARG(user));
        stmt_done(&q);
    }
    char r[32], a[24];
    str_copy(role, r, sizeof r);
    str_copy(area, a, sizeof a);
    if (rc == ZB_OK) rc = journal(db, now, who, "user.add", user, r, a, e);
    return end_tx(db, rc, e);
}

/* ---- wrong passwords, counted by user and by address ---- */
static void throttle_key(char out[100], char kind, struct str s) { snprintf(out, 100, "%c%.*s", kind, s.n > 90 ? 90 : (int)s.n, s.p ? s.p : ""); }

static int wrong_count(struct db *db, const char *key, zb_time now, int64_t *n, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select count(*) from wrong_password where key=? and t>?", e);
    if (!q) return e->rc;
    stmt_z(q, 1, key);
    stmt_i64(q, 2, now - WRONG_WINDOW);
    int r = stmt_row(q, e);
    *n = r == 1 ? stmt_col_i64(q, 0) : 0;
    return r < 0 ? r : ZB_OK;
}

static int wrong_add(struct db *db, const char *key, zb_time now, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "insert into wrong_password(key,t) values(?,?)", e);
    ZB_AUTO(stmt_done) struct stmt *d = q ? db_use(db, "delete from wrong_password where t<?", e) : NULL;
    if (!q || !d) return e->rc;
    stmt_z(q, 1, key);
    stmt_i64(q, 2, now);
    stmt_i64(d, 1, now - WRONG_WINDOW);
    return stmt_run(q, e) == ZB_OK ? stmt_run(d, e) : e->rc;
}

static int account_find(struct db *db, struct str user, struct actor *a, char hash[crypto_pwhash_STRBYTES], struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select id,name,role,area,password from account where name=?", e);
    if (!q) return e->rc;
    stmt_text(q, 1, user);
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : ZB_E_ABSENT;
    a->id = stmt_col_i64(q, 0);
    str_copy(stmt_col_text(q, 1), a->user, sizeof a->user);
    str_copy(stmt_col_text(q, 2), a->role, sizeof a->role);
    str_copy(stmt_col_text(q, 3), a->area, sizeof a->area);
    str_copy(stmt_col_text(q, 4), hash, crypto_pwhash_STRBYTES);
    return ZB_OK;
}

static void token_make(char token[65], unsigned char digest[32]) {
    unsigned char raw[32];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(token, 65, raw, sizeof raw);
    SHA256((const unsigned char *)token, 64, digest);
}

static int session_store(struct db *db, const struct actor *a, const unsigned char digest[32], zb_time now, struct zb_err *e) {
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db, "insert into session(token,account,csrf,opened,seen) values(?,?,?,?,?)", e);
    struct stmt *d = q ? db_use(db, "delete from session where opened<?", e) : NULL;
    int rc = d ? ZB_OK : e->rc;
    if (d) {
        stmt_blob(q, 1, (struct str){(const char *)digest, 32});
        stmt_i64(q, 2, a->id);
        stmt_z(q, 3, a->csrf);
        stmt_time(q, 4, now);
        stmt_time(q, 5, now);
        stmt_i64(d, 1, now - SESSION_LIFE);
        rc = stmt_run(d, e);
        if (rc == ZB_OK) rc = stmt_run(q, e);
    }
    stmt_done(&q);
    stmt_done(&d);
    if (rc == ZB_OK) rc = journal(db, now, str_of(a->user), "login", str_of(a->user), a->role, a->area, e);
    return end_tx(db, rc, e);
}

int password_check(struct db *db, struct str user, struct str password, struct str address, zb_time now, struct actor *ret, struct zb_err *e) {
    char hash[crypto_pwhash_STRBYTES] = "", ku[100], ka[100];
    int64_t nu, na;
    throttle_key(ku, 'u', user);
    throttle_key(ka, 'a', address);
    if (wrong_count(db, ku, now, &nu, e) != ZB_OK || wrong_count(db, ka, now, &na, e) != ZB_OK) return e->rc;
    if (nu >= WRONG_MAX || na >= 4 * WRONG_MAX) return zb_fail(e, ZB_E_LIMIT, "too many wrong passwords: wait 15 minutes");
    *ret = (struct actor){0};
    int rc = account_find(db, user, ret, hash, e);
    if (rc != ZB_OK && rc != ZB_E_ABSENT) return rc;
    /* an unknown name costs as much time as a wrong password */
    static const char DUMMY[crypto_pwhash_STRBYTES] = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$RdescudvJCsgt3ub+b6dWRWJTmaaJObG8rqxgbXhPuA";
    bool good = crypto_pwhash_str_verify(rc == ZB_OK ? hash : DUMMY, password.p ? password.p : "", password.n) == 0 && rc == ZB_OK;
    if (!good) {
        *ret = (struct actor){0};
        if (db_begin(db, e) != ZB_OK) return e->rc;
        rc = wrong_add(db, ku, now, e);
        if (rc == ZB_OK) rc = wrong_add(db, ka, now, e);
        if (end_tx(db, rc, e) != ZB_OK) return e->rc;
        return zb_fail(e, ZB_E_DENIED, "user name or password is wrong");
    }
    return ZB_OK;
}

int session_open(struct db *db, struct str user, struct str password, struct str address, zb_time now, char token[65], struct actor *ret, struct zb_err *e) {
    if (password_check(db, user, password, address, now, ret, e) != ZB_OK) return e->rc;
    unsigned char digest[32], raw[16];
    token_make(token, digest);
    randombytes_buf(raw, sizeof raw);
    sodium_bin2hex(ret->csrf, sizeof ret->csrf, raw, sizeof raw);
    return session_store(db, ret, digest, now, e);
}

static void digest_of(struct str token, unsigned char digest[32]) { SHA256((const unsigned char *)(token.p ? token.p : ""), token.n, digest); }

int session_find(struct db *db, struct str token, zb_time now, struct actor *ret, struct zb_err *e) {
    unsigned char digest[32];
    digest_of(token, digest);
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "select a.id,a.name,a.role,a.area,s.csrf,s.opened,s.seen from session s join account a on a.id=s.account where s.token=?", e);
    if (!q) return e->rc;
    stmt_blob(q, 1, (struct str){(char *)digest, 32});
    int r = stmt_row(q, e);
    if (r < 0) return r;
    if (r == 0 || now - stmt_col_i64(q, 5) > SESSION_LIFE) return zb_fail(e, ZB_E_DENIED, "the session has ended: log in again");
    *ret = (struct actor){.id = stmt_col_i64(q, 0)};
    str_copy(stmt_col_text(q, 1), ret->user, sizeof ret->user);
    str_copy(stmt_col_text(q, 2), ret->role, sizeof ret->role);
    str_copy(stmt_col_text(q, 3), ret->area, sizeof ret->area);
    str_copy(stmt_col_text(q, 4), ret->csrf, sizeof ret->csrf);
    return ZB_OK;
}

int session_close(struct db *db, struct str token, struct zb_err *e) {
    unsigned char digest[32];
    digest_of(token, digest);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "delete from session where token=?", e);
    if (!q) return e->rc;
    stmt_blob(q, 1, (struct str){(char *)digest, 32});
    return stmt_run(q, e);
}

int token_add(struct db *db, struct str who, zb_time now, struct str mine, char token[65], struct zb_err *e) {
    unsigned char digest[32];
    if (!plain(mine, 23) || mine.n < 8)
        return zb_fail(e, ZB_E_INPUT, "mine \"%.*s\": a mine's code has 12 digits", mine.n > 40 ? 40 : (int)mine.n, mine.p ? mine.p : "");
    token_make(token, digest);
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db, "insert into upload_token(token,mine,created) values(?,?,?)", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_blob(q, 1, (struct str){(char *)digest, 32});
        stmt_text(q, 2, mine);
        stmt_time(q, 3, now);
        rc = stmt_run(q, e);
        stmt_done(&q);
    }
    if (rc == ZB_OK) rc = journal(db, now, who, "token.add", mine, NULL, NULL, e);
    return end_tx(db, rc, e);
}

int token_find(struct db *db, struct str token, char mine[24], struct zb_err *e) {
    unsigned char digest[32];
    digest_of(token, digest);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select mine from upload_token where token=? and revoked is null", e);
    if (!q) return e->rc;
    stmt_blob(q, 1, (struct str){(char *)digest, 32});
    int r = stmt_row(q, e);
    if (r == 1) str_copy(stmt_col_text(q, 0), mine, 24);
    return r == 1 ? ZB_OK : r < 0 ? r : zb_fail(e, ZB_E_DENIED, "the upload token is unknown or revoked");
}

int token_stands(struct db *db, struct str mine, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select 1 from upload_token where mine=? and revoked is null", e);
    if (!q) return e->rc;
    stmt_text(q, 1, mine);
    int r = stmt_row(q, e);
    return r == 1 ? ZB_OK : r < 0 ? r : zb_fail(e, ZB_E_DENIED, "mine " STR_FMT " has no valid upload token", STR_ARG(mine));
}

int token_revoke(struct db *db, struct str who, zb_time now, struct str mine, struct zb_err *e) {
    if (!plain(mine, 23)) return zb_fail(e, ZB_E_INPUT, "no such mine code");
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db, "update upload_token set revoked=? where mine=? and revoked is null", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_time(q, 1, now);
        stmt_text(q, 2, mine);
        rc = stmt_run(q, e);
        if (rc == ZB_OK && !db_changes(db)) rc = zb_fail(e, ZB_E_ABSENT, "mine " STR_FMT " has no valid token", STR_ARG(mine));
        stmt_done(&q);
    }
    if (rc == ZB_OK) rc = journal(db, now, who, "token.revoke", mine, NULL, NULL, e);
    return end_tx(db, rc, e);
}
