#include "policy/bind.h"
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)4 << 20)
#define ARENA_MAX ((size_t)128 << 20)
#define FORMATS_MAX 200

struct load {
    struct policy *p;
    const char *dir;
    struct zb_err *e;
    EVP_MD_CTX *md;
    struct format *formats;
};

static int file_read(const char *path, struct arena *a, struct str *ret, struct zb_err *e) {
    FILE *f = fopen(path, "rb");
    if (!f) return zb_fail(e, ZB_E_INPUT, "cannot read %s: %s", path, strerror(errno));
    char *p = xmalloc(FILE_MAX + 1);
    size_t n = fread(p, 1, FILE_MAX + 1, f);
    bool bad = ferror(f);
    fclose(f);
    char *kept = n <= FILE_MAX ? arena_str(a, (struct str){p, n}) : NULL;
    free(p);
    *ret = (struct str){kept, n};
    if (bad) return zb_fail(e, ZB_E_IO, "cannot read %s", path);
    return kept ? ZB_OK : zb_fail(e, ZB_E_LIMIT, "%s is larger than %zu MiB", path, FILE_MAX >> 20);
}

/* Reads, digests and parses DIR/name. */
static int tree_load(struct load *l, const char *name, struct reader *r, struct node **root) {
    char path[700];
    struct str bytes;
    snprintf(path, sizeof path, "%s/%s", l->dir, name);
    if (file_read(path, l->p->arena, &bytes, l->e) != ZB_OK) return l->e->rc;
    EVP_DigestUpdate(l->md, name, strlen(name) + 1);
    EVP_DigestUpdate(l->md, bytes.p, bytes.n);
    *r = (struct reader){l->p->arena, arena_str(l->p->arena, str_of(path)), l->e, false};
    return tree_parse(r, bytes, root);
}

static int schema_load(struct load *l, const struct schema *s) {
    struct reader r;
    struct node *root;
    if (tree_load(l, s->file, &r, &root) != ZB_OK) return l->e->rc;
    s->bind(&r, root, l->p);
    return r.bad ? l->e->rc : ZB_OK;
}

static int format_load(struct load *l, const char *file) {
    char name[320];
    struct reader r;
    struct node *root;
    snprintf(name, sizeof name, "formats/%s", file);
    if (tree_load(l, name, &r, &root) != ZB_OK) return l->e->rc;
    struct format *f = &l->formats[l->p->formats];
    bind_format(&r, root, f);
    for (int i = 0; i < l->p->formats && !r.bad; i++)
        if (!strcmp(l->formats[i].type, f->type)) node_fail(&r, root, "type %s is in another file too", f->type);
    if (r.bad) return l->e->rc;
    l->p->formats++;
    return ZB_OK;
}

static int yaml_only(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".yaml");
}

static int formats_load(struct load *l) {
    char path[700];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/formats", l->dir);
    int n = scandir(path, &list, yaml_only, alphasort);
    if (n < 0) return zb_fail(l->e, ZB_E_INPUT, "cannot read folder %s: %s", path, strerror(errno));
    int rc = n <= FORMATS_MAX ? ZB_OK : zb_fail(l->e, ZB_E_LIMIT, "%s: more than %d formats", path, FORMATS_MAX);
    l->formats = arena_alloc(l->p->arena, (size_t)(n + 1) * sizeof *l->formats);
    for (int i = 0; i < n; i++) {
        if (rc == ZB_OK) rc = format_load(l, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    l->p->format = l->formats;
    return rc;
}

/* An unknown file is a mistake as an unknown key is. */
static int strays_check(struct load *l) {
    struct dirent **list;
    int n = scandir(l->dir, &list, yaml_only, alphasort);
    if (n < 0) return zb_fail(l->e, ZB_E_INPUT, "cannot read folder %s: %s", l->dir, strerror(errno));
    int rc = ZB_OK;
    for (int i = 0; i < n; i++) {
        bool known = false;
        for (int k = 0; k < SCHEMAS_N; k++) known |= !strcmp(SCHEMAS[k].file, list[i]->d_name);
        if (!known && rc == ZB_OK) rc = zb_fail(l->e, ZB_E_INPUT, "%s/%s:1:1: a policy has no such file", l->dir, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return rc;
}

static int load_all(struct load *l) {
    if (EVP_DigestInit_ex(l->md, EVP_sha256(), NULL) != 1) return zb_fail(l->e, ZB_E_IO, "SHA-256 is not available");
    if (strays_check(l) != ZB_OK) return l->e->rc;
    for (int i = 0; i < SCHEMAS_N; i++)
        if (schema_load(l, &SCHEMAS[i]) != ZB_OK) return l->e->rc;
    if (formats_load(l) != ZB_OK) return l->e->rc;
    unsigned char h[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_DigestFinal_ex(l->md, h, &n);
    for (unsigned i = 0; i < n && i < 32; i++) snprintf(l->p->hash + 2 * i, 3, "%02x", h[i]);
    return ZB_OK;
}

int policy_load(const char *dir, struct policy **ret, struct zb_err *e) {
    struct arena *a = arena_new(ARENA_MAX);
    struct policy *p = xcalloc(1, sizeof *p);
    p->refs = 1;
    p->arena = a;
    p->dir = arena_str(a, str_of(dir));
    struct load l = {p, dir, e, EVP_MD_CTX_new(), NULL};
    if (!l.md) zb_bug(__FILE__, __LINE__, "no memory");
    int rc = load_all(&l);
    EVP_MD_CTX_free(l.md);
    if (rc != ZB_OK) {
        policy_unref(p);
        return rc;
    }
    *ret = p;
    return ZB_OK;
}
