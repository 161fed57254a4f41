#include "policy/bind.h"
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)
#define ARENA_MAX ((size_t)128 << 20)

struct load {
    struct policy *p;
    const char *dir;
    struct zb_err *e;
    EVP_MD_CTX *md;
    bool joined; /* the file just bound is a further edition of something that is there */
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
    char path[700];
    snprintf(path, sizeof path, "%s/%s", l->dir, s->file);
    if (s->may_lack && access(path, F_OK) != 0 && errno == ENOENT) return ZB_OK;
    if (tree_load(l, s->file, &r, &root) != ZB_OK) return l->e->rc;
    s->bind(&r, root, l->p);
    return r.bad ? l->e->rc : ZB_OK;
}

/* Folders of one thing a file: who binds it, and where it is kept. */
struct folder {
    const char *name;
    int (*bind)(struct load *l, struct reader *r, const struct node *root, int at);
    size_t size, list, count; /* of a thing; where the policy keeps them and how many */
    int max;
};

/* Several formats may stand in a file: it counts them itself. */
static int bind_formats_at(struct load *l, struct reader *r, const struct node *root, int at) {
    (void)at;
    bind_formats(r, root, (struct format *)l->p->format, &l->p->formats);
    return ZB_OK;
}
static int bind_list_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_list(r, root, l->p, &l->p->list[at], &l->joined);
    return ZB_OK;
}
static int bind_table_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_table(r, root, &l->p->table[at]);
    for (int i = 0; i < at && !r->bad; i++)
        if (!strcmp(l->p->table[i].key, l->p->table[at].key)) node_fail(r, root, "table %s is in another file too", l->p->table[at].key);
    return ZB_OK;
}
static int bind_ledger_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_ledger(r, root, l->p, &l->p->ledger[at]);
    for (int i = 0; i < at && !r->bad; i++)
        if (!strcmp(l->p->ledger[i].key, l->p->ledger[at].key)) node_fail(r, root, "ledger %s is in another file too", l->p->ledger[at].key);
    return ZB_OK;
}
static int bind_indicators_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_indicators(r, root, &l->p->indicator_file[at]);
    return ZB_OK;
}
static int bind_import_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_import(r, root, &l->p->import[at]);
    return ZB_OK;
}
static int bind_area_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_area(r, root, &l->p->area[at]);
    return ZB_OK;
}
static int bind_rules_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_rules(r, root, false, &l->p->rule_file[at]);
    return ZB_OK;
}
static int bind_insights_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_rules(r, root, true, &l->p->insight_file[at]);
    return ZB_OK;
}
static int bind_letter_at(struct load *l, struct reader *r, const struct node *root, int at) {
    bind_letter(r, root, l->p, &l->p->letter[at]);
    for (int i = 0; i < at && !r->bad; i++)
        if (!strcmp(l->p->letter[i].key, l->p->letter[at].key)) node_fail(r, root, "letter %s is in another file too", l->p->letter[at].key);
    return ZB_OK;
}
#define KEPT(thing) sizeof *((struct policy *)0)->thing, offsetof(struct policy, thing), offsetof(struct policy, thing##s)
static const struct folder FOLDERS[] = {{"formats", bind_formats_at, KEPT(format), 200},
                                        {"lists", bind_list_at, KEPT(list), 200},
                                        {"tables", bind_table_at, KEPT(table), 200},
                                        {"ledgers", bind_ledger_at, KEPT(ledger), 200},
                                        {"indicators", bind_indicators_at, KEPT(indicator_file), 200},
                                        {"imports", bind_import_at, KEPT(import), 200},
                                        {"rules", bind_rules_at, KEPT(rule_file), 200},
                                        {"insights", bind_insights_at, KEPT(insight_file), 200},
                                        {"plan", bind_area_at, KEPT(area), 50},
                                        {"letters", bind_letter_at, KEPT(letter), 200}};

static int yaml_only(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".yaml");
}

static int folder_file(struct load *l, const struct folder *f, const char *file) {
    char name[320];
    struct reader r;
    struct node *root;
    int *count = (int *)((char *)l->p + f->count);
    snprintf(name, sizeof name, "%s/%s", f->name, file);
    if (tree_load(l, name, &r, &root) != ZB_OK) return l->e->rc;
    f->bind(l, &r, root, *count);
    if (r.bad) return l->e->rc;
    if (f->bind != bind_formats_at && !l->joined) ++*count;
    l->joined = false;
    return ZB_OK;
}

/* Some files of a folder have a schema of their own. */
static bool has_schema(const char *folder, const char *file) {
    char name[320];
    snprintf(name, sizeof name, "%s/%s", folder, file);
    for (int k = 0; k < SCHEMAS_N; k++)
        if (!strcmp(SCHEMAS[k].file, name)) return true;
    return false;
}

static int folder_load(struct load *l, const struct folder *f) {
    char path[700];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/%s", l->dir, f->name);
    int n = scandir(path, &list, yaml_only, alphasort);
    if (n < 0 && errno != ENOENT) return zb_fail(l->e, ZB_E_INPUT, "cannot read folder %s: %s", path, strerror(errno));
    if (n < 0) return ZB_OK; /* no such folder: nothing of the kind */
    int rc = n <= f->max ? ZB_OK : zb_fail(l->e, ZB_E_LIMIT, "%s: more than %d files", path, f->max);
    void *kept = arena_alloc(l->p->arena, (size_t)(f->bind == bind_formats_at ? FORMATS_MAX : n + 1) * f->size);
    memcpy((char *)l->p + f->list, &kept, sizeof kept);
    for (int i = 0; i < n; i++) {
        if (rc == ZB_OK && !has_schema(f->name, list[i]->d_name)) rc = folder_file(l, f, list[i]->d_name);
        free(list[i]);
    }
    free(list);
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
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++)
        if (folder_load(l, &FOLDERS[i]) != ZB_OK) return l->e->rc;
    formats_index(l->p);
    bool bad = false;
    bind_all(l->e, l->p, &bad);
    if (!bad) bind_plan_all(l->e, l->p, &bad);
    if (bad) return l->e->rc;
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
    struct load l = {.p = p, .dir = dir, .e = e, .md = EVP_MD_CTX_new()};
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
