/* Sealed fields: SM4-CTR under a key of the record's own, with HMAC-SM3 over nonce and text; the record's key lies in ledger_seal, itself sealed under the key
 * of the data directory (DIR/keys/seal.key). Erasing a record's key erases what it sealed, in every version and every backup made without the key. */
#include "ledger/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY 48 /* 16 SM4, 32 HMAC */
#define HEAD 16
#define TAG 32

static int master(struct lcall *c, unsigned char key[KEY], struct zb_err *e) {
    char path[500];
    if (!c->dir) return zb_fail(e, ZB_E_IO, "sealed fields need a data directory");
    snprintf(path, sizeof path, "%s/keys", c->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/keys/seal.key", c->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        arc4random_buf(key, KEY);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        bool good = fd >= 0 && write(fd, key, KEY) == KEY && fsync(fd) == 0;
        if (fd >= 0) close(fd);
        return good ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
    }
    bool good = fd >= 0 && read(fd, key, KEY) == KEY;
    if (fd >= 0) close(fd);
    return good ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot read %s", path);
}

static bool sm4(const unsigned char key[KEY], const unsigned char iv[16], const unsigned char *in, size_t n, unsigned char *out) {
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    int len = 0;
    bool good = x && EVP_EncryptInit_ex(x, EVP_sm4_ctr(), NULL, key, iv) == 1 && EVP_EncryptUpdate(x, out, &len, in, (int)n) == 1 && (size_t)len == n;
    EVP_CIPHER_CTX_free(x);
    return good;
}

static bool tag(const unsigned char key[KEY], const unsigned char *p, size_t n, unsigned char out[TAG]) {
    unsigned len = 0;
    return HMAC(EVP_sm3(), key + 16, KEY - 16, p, n, out, &len) && len == TAG;
}

static int seal(const unsigned char key[KEY], struct str plain, struct arena *a, struct str *ret, struct zb_err *e) {
    unsigned char *out = arena_alloc(a, HEAD + plain.n + TAG + 1);
    if (!out) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    arc4random_buf(out, HEAD);
    if (!sm4(key, out, (const unsigned char *)plain.p, plain.n, out + HEAD) || !tag(key, out, HEAD + plain.n, out + HEAD + plain.n))
        return zb_fail(e, ZB_E_IO, "SM4 or SM3 is not available");
    *ret = (struct str){(char *)out, HEAD + plain.n + TAG};
    return ZB_OK;
}

static int unseal(const unsigned char key[KEY], struct str s, struct arena *a, struct str *ret, struct zb_err *e) {
    unsigned char t[TAG];
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n < HEAD + TAG || !tag(key, p, s.n - TAG, t) || CRYPTO_memcmp(t, p + s.n - TAG, TAG))
        return zb_fail(e, ZB_E_IO, "a sealed value does not open: it was changed or its key is another");
    unsigned char *out = arena_alloc(a, s.n - HEAD - TAG + 1);
    if (!out || !sm4(key, p, p + HEAD, s.n - HEAD - TAG, out)) return zb_fail(e, ZB_E_IO, "SM4 is not available");
    *ret = (struct str){(char *)out, s.n - HEAD - TAG};
    return ZB_OK;
}

/* The record's key; made when new. ABSENT: erased. */
static int record_key(struct lcall *c, int64_t id, bool make, unsigned char key[KEY], struct zb_err *e) {
    unsigned char m[KEY];
    struct str s = {0};
    if (master(c, m, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select sealed_key from ledger_seal where ledger=?1 and rec=?2", e);
    if (!q) return e->rc;
    stmt_z(q, 1, c->l->key);
    stmt_i64(q, 2, id);
    int r = stmt_row(q, e);
    if (r < 0) return r;
    if (r == 1) {
        struct str b = stmt_col_blob(q, 0);
        if (!b.n) return zb_fail(e, ZB_E_ABSENT, "已按规定销毁; the key of this record was erased, nobody can read this");
        if (unseal(m, b, c->arena, &s, e) != ZB_OK) return e->rc;
        memcpy(key, s.p, KEY);
        return ZB_OK;
    }
    if (!make) return zb_fail(e, ZB_E_ABSENT, "this record has no key");
    arc4random_buf(key, KEY);
    if (seal(m, (struct str){(char *)key, KEY}, c->arena, &s, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done) struct stmt *w = db_use(c->db, "insert into ledger_seal(ledger,rec,sealed_key) values(?1,?2,?3)", e);
    if (!w) return e->rc;
    stmt_z(w, 1, c->l->key);
    stmt_i64(w, 2, id);
    stmt_blob(w, 3, s);
    return stmt_run(w, e);
}

int seal_put(struct lcall *c, int64_t id, struct str plain, struct str *ret, struct zb_err *e) {
    unsigned char key[KEY];
    return record_key(c, id, true, key, e) == ZB_OK ? seal(key, plain, c->arena, ret, e) : e->rc;
}
int seal_get(struct lcall *c, int64_t id, struct str sealed, struct str *ret, struct zb_err *e) {
    unsigned char key[KEY];
    return record_key(c, id, false, key, e) == ZB_OK ? unseal(key, sealed, c->arena, ret, e) : e->rc;
}

static int act_journal(struct lcall *c, int64_t id, const char *what, struct str field, struct str why, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    char subject[120], name[100];
    buf_init(&b, 8192);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "field");
    json_str(&j, field);
    json_key(&j, "why");
    json_str(&j, why);
    json_end(&j);
    snprintf(subject, sizeof subject, "%s/%lld", c->l->key, (long long)id);
    snprintf(name, sizeof name, "%s.%s", c->l->key, what);
    return audit_append(c->db, c->now, str_of(c->actor ? c->actor->user : "auto"), str_of(name), str_of(subject), buf_str(&b), e);
}

static int opened(struct lcall *c, int64_t id, struct str field, struct record *r, int *at, struct zb_err *e) {
    const struct ledger_access *acc;
    if (record_load(c, id, false, r, e) != ZB_OK) return e->rc;
    access_sees(c, r, &acc);
    if (!acc || !acc->unseal) return zb_fail(e, ZB_E_DENIED, "您的角色不能查看封存内容; your role may not open sealed fields of %s", c->l->en);
    *at = field.n ? lfield_find(c->l->field, c->l->fields, field) : 0;
    if (*at < 0 || (field.n && (c->l->field[*at].type != LF_SEALED || word_in(acc->hide, field))))
        return zb_fail(e, ZB_E_INPUT, "field: not a sealed field of %s", c->l->key);
    return ZB_OK;
}

static int end(struct lcall *c, int rc, struct zb_err *e) {
    if (rc == ZB_OK) rc = db_commit(c->db, e);
    if (rc != ZB_OK) db_rollback(c->db);
    return rc;
}

int ledger_unseal(struct lcall *c, int64_t id, struct str field, struct str why, struct json *j, struct zb_err *e) {
    struct record r;
    int at = 0;
    struct str plain = STR("");
    if (!why.n) return zb_fail(e, ZB_E_INPUT, "why is missing: say for what you need it");
    if (db_begin(c->db, e) != ZB_OK) return e->rc;
    int rc = opened(c, id, field, &r, &at, e);
    if (rc == ZB_OK && !r.v[at].null) rc = seal_get(c, id, r.v[at].s, &plain, e);
    if (rc == ZB_OK) rc = act_journal(c, id, "unseal", field, why, e); /* no reading without its entry */
    rc = end(c, rc, e);
    if (rc != ZB_OK) return rc;
    json_obj(j);
    json_key(j, "value");
    json_str(j, plain);
    json_end(j);
    return ZB_OK;
}

int ledger_erase(struct lcall *c, int64_t id, struct str why, struct zb_err *e) {
    struct record r;
    int at = 0;
    if (!why.n) return zb_fail(e, ZB_E_INPUT, "why is missing: by which rule is it erased?");
    if (db_begin(c->db, e) != ZB_OK) return e->rc;
    int rc = opened(c, id, STR(""), &r, &at, e);
    struct stmt *q = rc == ZB_OK ? db_use(c->db, "update ledger_seal set sealed_key=x'' where ledger=?1 and rec=?2", e) : NULL;
    if (rc == ZB_OK && !q) rc = e->rc;
    if (q) {
        stmt_z(q, 1, c->l->key);
        stmt_i64(q, 2, id);
        rc = stmt_run(q, e);
        stmt_done(&q);
    }
    if (rc == ZB_OK) rc = act_journal(c, id, "erase", STR(""), why, e);
    return end(c, rc, e);
}
