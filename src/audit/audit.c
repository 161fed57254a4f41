#include "audit/audit.h"
#include "audit/sign.h"
#include <openssl/evp.h>
#include <stdio.h>

static const char *const MIGRATIONS[] = {
    "create table journal(seq integer primary key, t integer not null, who text not null, what text not null, subject text not null, body text not null, prev "
    "blob not null, hash blob not null) strict;"
    "create table journal_checkpoint(seq integer primary key, t integer not null, hash blob not null, sig text not null) strict;"
    "create trigger journal_kept before delete on journal begin select raise(abort, 'the journal is never deleted'); end;"
    "create trigger journal_fixed before update on journal begin select raise(abort, 'the journal is never changed'); end;"};

int audit_init(struct db *db, struct zb_err *e) { return db_migrate(db, "audit", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e); }

struct entry {
    int64_t seq;
    zb_time t;
    struct str who, what, subject, body;
};

/* SM3 over the previous hash and every part with its length before it. */
static bool entry_hash(EVP_MD_CTX *md, const unsigned char prev[32], const struct entry *en, unsigned char out[32]) {
    const struct str part[] = {en->who, en->what, en->subject, en->body};
    const int64_t number[] = {en->seq, en->t};
    unsigned n = 0;
    bool ok = EVP_DigestInit_ex(md, EVP_sm3(), NULL) == 1 && EVP_DigestUpdate(md, prev, 32) == 1;
    for (int i = 0; i < 2 && ok; i++) {
        unsigned char b[8];
        for (int k = 0; k < 8; k++) b[k] = (unsigned char)((uint64_t)number[i] >> (56 - 8 * k));
        ok = EVP_DigestUpdate(md, b, 8) == 1;
    }
    for (int i = 0; i < 4 && ok; i++) {
        unsigned char b[4] = {(unsigned char)(part[i].n >> 24), (unsigned char)(part[i].n >> 16), (unsigned char)(part[i].n >> 8), (unsigned char)part[i].n};
        ok = EVP_DigestUpdate(md, b, 4) == 1 && EVP_DigestUpdate(md, part[i].p ? part[i].p : "", part[i].n) == 1;
    }
    return ok && EVP_DigestFinal_ex(md, out, &n) == 1 && n == 32;
}

static int last_entry(struct db *db, int64_t *seq, zb_time *t, unsigned char hash[32], struct zb_err *e) {
    *seq = 0;
    *t = INT64_MIN;
    memset(hash, 0, 32);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select seq, t, hash from journal order by seq desc limit 1", e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : ZB_OK;
    *seq = stmt_col_i64(q, 0);
    *t = stmt_col_i64(q, 1);
    struct str h = stmt_col_blob(q, 2);
    if (h.n != 32) return zb_fail(e, ZB_E_IO, "journal entry %lld has no proper hash: run zhiben audit verify", (long long)*seq);
    memcpy(hash, h.p, 32);
    return ZB_OK;
}

int audit_append(struct db *db, zb_time t, struct str who, struct str what, struct str subject, struct str body_json, struct zb_err *e) {
    if (!db_in_tx(db)) ZB_BUG("journal entry " STR_FMT " outside a transaction", STR_ARG(what));
    unsigned char prev[32], hash[32];
    if (db_kind(db) == DB_POSTGRES) { /* one writer of the chain at a time; SQLite has but one */
        ZB_AUTO(stmt_done) struct stmt *lock = db_use(db, "select pg_advisory_xact_lock(7311)", e);
        if (!lock || stmt_run(lock, e) != ZB_OK) return e->rc;
    }
    struct entry en = {.who = who, .what = what, .subject = subject, .body = body_json};
    zb_time last;
    if (last_entry(db, &en.seq, &last, prev, e) != ZB_OK) return e->rc;
    en.seq++;
    en.t = t < last ? last : t;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && entry_hash(md, prev, &en, hash);
    EVP_MD_CTX_free(md);
    if (!ok) return zb_fail(e, ZB_E_IO, "SM3 is not available in this OpenSSL");
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "insert into journal(seq,t,who,what,subject,body,prev,hash) values(?,?,?,?,?,?,?,?)", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, en.seq);
    stmt_i64(q, 2, en.t);
    stmt_text(q, 3, who);
    stmt_text(q, 4, what);
    stmt_text(q, 5, subject);
    stmt_text(q, 6, body_json);
    stmt_blob(q, 7, (struct str){(char *)prev, 32});
    stmt_blob(q, 8, (struct str){(char *)hash, 32});
    return stmt_run(q, e);
}

/* ---- verify ---- */
static void bad(struct audit_result *r, int64_t seq, const char *why) {
    if (r->bad_seq) return;
    r->bad_seq = seq;
    snprintf(r->what, sizeof r->what, "entry %lld: %s", (long long)seq, why);
}

static int walk(struct db *db, struct audit_result *ret, int64_t *last_seq, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select seq,t,who,what,subject,body,prev,hash from journal order by seq", e);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char prev[32] = {0}, hash[32];
    zb_time before = INT64_MIN;
    int r = q && md ? 1 : ZB_E_IO;
    *last_seq = 0;
    while (q && md && (r = stmt_row(q, e)) == 1 && !ret->bad_seq) {
        struct entry en = {stmt_col_i64(q, 0), stmt_col_i64(q, 1), stmt_col_text(q, 2), stmt_col_text(q, 3), stmt_col_text(q, 4), stmt_col_text(q, 5)};
        struct str p = stmt_col_blob(q, 6), h = stmt_col_blob(q, 7);
        ret->entries++;
        if (en.seq != *last_seq + 1)
            bad(ret, *last_seq + 1, "is missing: entries were removed or renumbered");
        else if (p.n != 32 || memcmp(p.p, prev, 32) != 0)
            bad(ret, en.seq, "does not follow the one before it: an entry was changed, removed or put elsewhere");
        else if (!entry_hash(md, prev, &en, hash) || h.n != 32 || memcmp(h.p, hash, 32) != 0)
            bad(ret, en.seq, "its content does not give its hash: it was changed");
        else if (en.t < before)
            bad(ret, en.seq, "is older than the one before it: it was dated back");
        memcpy(prev, hash, 32);
        before = en.t;
        *last_seq = en.seq;
    }
    EVP_MD_CTX_free(md);
    return r < 0 ? r : ZB_OK;
}

/* What a checkpoint says must be on the chain as it is now. */
static int on_chain(struct db *db, const struct checkpoint *c, struct audit_result *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select t, hash from journal where seq=?", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, c->seq);
    int r = stmt_row(q, e);
    if (r < 0) return r;
    if (r == 0) {
        bad(ret, c->seq, "a signed checkpoint names it, but the journal ends before: its end was cut off");
        return ZB_OK;
    }
    char hex[65];
    struct str h = stmt_col_blob(q, 1);
    hex_of((const unsigned char *)h.p, h.n < 32 ? h.n : 32, hex);
    if (strcmp(hex, c->hash)) bad(ret, c->seq, "a signed checkpoint has another hash for it: the chain was made anew");
    return ZB_OK;
}

struct verify {
    struct db *db;
    struct audit_result *ret;
    struct zb_err *e;
    const char *dir;
};

static int checkpoint_one(void *arg, const char *path) {
    struct verify *v = arg;
    struct checkpoint c;
    char why[200];
    v->ret->checkpoints++;
    if (!checkpoint_read(path, v->dir, &c, why, sizeof why)) {
        bad(v->ret, c.seq ? c.seq : 1, why);
        return ZB_OK;
    }
    return on_chain(v->db, &c, v->ret, v->e);
}

int audit_verify(struct db *db, const char *dir, const char *extra, struct audit_result *ret, struct zb_err *e) {
    int64_t last;
    *ret = (struct audit_result){0};
    if (walk(db, ret, &last, e) != ZB_OK) return e->rc;
    struct verify v = {db, ret, e, dir};
    int rc = ret->bad_seq ? ZB_OK : checkpoints_each(dir, checkpoint_one, &v, e);
    if (rc == ZB_OK && extra && !ret->bad_seq) rc = checkpoint_one(&v, extra);
    if (rc != ZB_OK) return rc;
    if (!ret->bad_seq)
        snprintf(ret->what, sizeof ret->what,
                 "%lld entries follow each other unbroken and agree with %lld signed checkpoints; what came after the last checkpoint is proven only against "
                 "checkpoints kept elsewhere",
                 (long long)ret->entries, (long long)ret->checkpoints);
    return ZB_OK;
}

int audit_checkpoint(struct db *db, const char *dir, zb_time now, struct zb_err *e) {
    struct checkpoint c = {.t = now};
    zb_time t;
    unsigned char hash[32];
    if (last_entry(db, &c.seq, &t, hash, e) != ZB_OK) return e->rc;
    if (!c.seq) return ZB_OK;
    hex_of(hash, 32, c.hash);
    char sig[400];
    if (checkpoint_write(dir, &c, sig, sizeof sig, e) != ZB_OK || db_begin(db, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "insert into journal_checkpoint(seq,t,hash,sig) values(?1,?2,?3,?4) on conflict(seq) do update set t=?2,hash=?3,sig=?4", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_i64(q, 1, c.seq);
        stmt_time(q, 2, now);
        stmt_blob(q, 3, (struct str){(char *)hash, 32});
        stmt_z(q, 4, sig);
        rc = stmt_run(q, e);
    }
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

int audit_list(struct db *db, int64_t before, int n, void (*fn)(void *, int64_t, zb_time, struct str, struct str, struct str, struct str), void *arg,
               struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select seq,t,who,what,subject,body from journal where ?1=0 or seq<?1 order by seq desc limit ?2", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, before);
    stmt_i64(q, 2, n);
    int r;
    while ((r = stmt_row(q, e)) == 1)
        fn(arg, stmt_col_i64(q, 0), stmt_col_i64(q, 1), stmt_col_text(q, 2), stmt_col_text(q, 3), stmt_col_text(q, 4), stmt_col_text(q, 5));
    return r < 0 ? r : ZB_OK;
}
