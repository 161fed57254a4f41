#include "audit/sign.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SM2_ID "1234567812345678" /* the default user id of GB/T 32918 */

void hex_of(const unsigned char *p, size_t n, char *out) {
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[p[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
    }
    out[2 * n] = 0;
}

static EVP_PKEY *key_read(const char *dir) {
    char path[600];
    snprintf(path, sizeof path, "%s/keys/journal.pem", dir);
    FILE *f = fopen(path, "r");
    EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
    if (f) fclose(f);
    return k;
}

static int key_make(const char *dir, EVP_PKEY **ret, struct zb_err *e) {
    char path[600], tmp[620];
    snprintf(path, sizeof path, "%s/keys/journal.pem", dir);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = k && f && PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0 && fsync(fd) == 0;
    if (f)
        fclose(f);
    else if (fd >= 0)
        close(fd);
    if (ok && rename(tmp, path) == 0) {
        *ret = k;
        return ZB_OK;
    }
    EVP_PKEY_free(k);
    return zb_fail(e, ZB_E_IO, "cannot make the journal's key %s: %s", path, strerror(errno));
}

static EVP_MD_CTX *context(EVP_PKEY *k, EVP_PKEY_CTX **pc) {
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    *pc = EVP_PKEY_CTX_new(k, NULL);
    if (md && *pc && EVP_PKEY_CTX_set1_id(*pc, SM2_ID, strlen(SM2_ID)) == 1) {
        EVP_MD_CTX_set_pkey_ctx(md, *pc);
        return md;
    }
    EVP_MD_CTX_free(md);
    return NULL;
}

static int text_of(const struct checkpoint *c, char *out, size_t cap) {
    return snprintf(out, cap, "zhiben journal %lld %lld %s", (long long)c->seq, (long long)c->t, c->hash);
}

static bool sign(EVP_PKEY *k, const char *text, char *hex, size_t cap) {
    EVP_PKEY_CTX *pc;
    EVP_MD_CTX *md = context(k, &pc);
    unsigned char sig[160];
    size_t n = sizeof sig;
    bool ok = md && EVP_DigestSignInit(md, NULL, EVP_sm3(), NULL, k) == 1 && EVP_DigestSign(md, sig, &n, (const unsigned char *)text, strlen(text)) == 1 &&
              2 * n + 1 <= cap;
    if (ok) hex_of(sig, n, hex);
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(pc);
    return ok;
}

static bool verify(EVP_PKEY *k, const char *text, const char *hex) {
    unsigned char sig[160];
    size_t n = strlen(hex) / 2;
    if (n > sizeof sig) return false;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        if (sscanf(hex + 2 * i, "%2x", &v) != 1) return false;
        sig[i] = (unsigned char)v;
    }
    EVP_PKEY_CTX *pc;
    EVP_MD_CTX *md = context(k, &pc);
    bool ok = md && EVP_DigestVerifyInit(md, NULL, EVP_sm3(), NULL, k) == 1 && EVP_DigestVerify(md, sig, n, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(pc);
    return ok;
}

static int file_write(const char *path, const char *text, struct zb_err *e) {
    char tmp[620];
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    FILE *f = fopen(tmp, "w");
    bool ok = f && fputs(text, f) >= 0 && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (f && fclose(f) != 0) ok = false;
    return ok && rename(tmp, path) == 0 ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
}

int checkpoint_write(const char *dir, const struct checkpoint *c, char *sig, size_t cap, struct zb_err *e) {
    EVP_PKEY *k = key_read(dir);
    if (!k && key_make(dir, &k, e) != ZB_OK) return e->rc;
    char text[200], path[600], day[ZB_TIME_CAP], iso[ZB_TIME_CAP], body[800];
    text_of(c, text, sizeof text);
    bool ok = sign(k, text, sig, cap);
    EVP_PKEY_free(k);
    if (!ok) return zb_fail(e, ZB_E_IO, "SM2 signing failed");
    snprintf(path, sizeof path, "%s/checkpoints/%s.json", dir, zb_day_text(zb_day_of(c->t), day));
    snprintf(body, sizeof body, "{\"seq\":%lld,\"t\":%lld,\"time\":\"%s\",\"hash\":\"%s\",\"sig\":\"%s\"}\n", (long long)c->seq, (long long)c->t,
             zb_time_iso(c->t, iso), c->hash, sig);
    return file_write(path, body, e);
}

bool checkpoint_read(const char *path, const char *dir, struct checkpoint *ret, char *why, size_t cap) {
    *ret = (struct checkpoint){0};
    json_error_t err;
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &err);
    const char *hash = NULL, *sig = NULL;
    json_int_t seq = 0, t = 0;
    bool shape = o && json_unpack(o, "{s:I,s:I,s:s,s:s}", "seq", &seq, "t", &t, "hash", &hash, "sig", &sig) == 0 && strlen(hash) == 64;
    EVP_PKEY *k = key_read(dir);
    bool ok = false;
    if (!shape) {
        snprintf(why, cap, "checkpoint %.120s is damaged", path);
    } else if (!k) {
        snprintf(why, cap, "the key keys/journal.pem is missing: signatures cannot be checked");
    } else {
        char text[200];
        *ret = (struct checkpoint){.seq = seq, .t = t};
        str_copy(str_of(hash), ret->hash, sizeof ret->hash);
        text_of(ret, text, sizeof text);
        ok = verify(k, text, sig);
        if (!ok) snprintf(why, cap, "checkpoint %.120s is not signed by this journal's key", path);
    }
    EVP_PKEY_free(k);
    json_decref(o);
    return ok;
}

static int json_only(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".json");
}

int checkpoints_each(const char *dir, int (*fn)(void *, const char *), void *arg, struct zb_err *e) {
    char path[600];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/checkpoints", dir);
    int n = scandir(path, &list, json_only, alphasort), rc = ZB_OK;
    if (n < 0) return errno == ENOENT ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot read %s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%.380s/checkpoints/%.200s", dir, list[i]->d_name);
        if (rc == ZB_OK) rc = fn(arg, path);
        free(list[i]);
    }
    free(list);
    return rc;
}
