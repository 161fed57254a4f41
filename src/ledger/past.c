/* A past told in files is taken over change by change, in the order of its numbers, each by its actor at its time: the rights, guards, effects and clocks of the
 * policy hold as they do live. What is left out is told in the journal: signatures are claims of the files, and notices of that time are not sent. */
#include "base/map.h"
#include "ledger/inside.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 2000
struct pfile { /* one file, its next line */
    const struct ledger *l;
    FILE *f;
    char path[600], *line;
    size_t cap;
    int n;       /* line number */
    json_t *o;   /* NULL: at its end */
    int64_t seq; /* the order over all files */
    zb_time at;
};
struct load {
    struct lcall c;
    struct past past;
    struct pfile *s;
    int sources, in_batch;
    struct map ids; /* "ledger/key" → id */
    zb_time until;
    FILE *progress;
    struct past_result *r;
};

int past_entry(struct lcall *c, const char *who, const char *what, const char *subject, struct str body, struct zb_err *e) {
    struct past *p = c->past;
    char head[400];
    int n = snprintf(head, sizeof head, "%lld %s %s %s ", (long long)c->now, who, what, subject);
    if (EVP_DigestUpdate(p->md, head, (size_t)n) != 1 || EVP_DigestUpdate(p->md, body.p, body.n) != 1) return zb_fail(e, ZB_E_IO, "SM3 failed");
    if (p->from == ZB_TIME_NONE) p->from = c->now;
    p->to = c->now;
    p->n++;
    return ZB_OK;
}

static int bad_line(const struct pfile *s, struct zb_err *e, const char *what) { return zb_fail(e, ZB_E_INPUT, "%s:%d: %s", s->path, s->n, what); }

static int source_next(struct pfile *s, struct zb_err *e) {
    json_error_t je;
    const char *at;
    int64_t before = s->seq;
    json_decref(s->o);
    s->o = NULL;
    ssize_t n = getline(&s->line, &s->cap, s->f);
    if (n < 0) return ferror(s->f) ? zb_fail(e, ZB_E_IO, "cannot read %s: %s", s->path, strerror(errno)) : ZB_OK;
    s->n++;
    s->o = json_loadb(s->line, (size_t)n, 0, &je);
    if (!s->o) return bad_line(s, e, je.text);
    s->seq = json_integer_value(json_object_get(s->o, "n"));
    at = json_string_value(json_object_get(s->o, "at"));
    if (s->seq <= before) return bad_line(s, e, "n: the order number must rise");
    if (!at || !zb_time_parse(str_of(at), &s->at)) return bad_line(s, e, "at: write a time such as 2024-03-01 08:30:00");
    return ZB_OK;
}

/* "role user area" */
static int actor_read(struct load *x, const struct pfile *s, struct actor *a, struct zb_err *e) {
    const char *who = json_string_value(json_object_get(s->o, "who"));
    *a = (struct actor){.id = 1};
    if (!who || sscanf(who, "%31s %63s %23s", a->role, a->user, a->area) != 3) return bad_line(s, e, "who: write role, user and area");
    return policy_role(x->c.policy, str_of(a->role)) ? ZB_OK : bad_line(s, e, "who: the role is not in roles.yaml");
}

static int64_t *key_find(struct load *x, const char *ledger, const char *key) {
    char name[200];
    snprintf(name, sizeof name, "%.60s/%.120s", ledger, key);
    return map_get(&x->ids, str_of(name));
}

/* "@key" of a reference becomes the record's id. */
static int refs_resolve(struct load *x, const struct pfile *s, const struct ledger_field *f, int n, json_t *values, struct zb_err *e) {
    for (int i = 0; i < n; i++) {
        const char *t = f[i].type == LF_REF ? json_string_value(json_object_get(values, f[i].key)) : NULL;
        if (!t || t[0] != '@') continue;
        int64_t *id = key_find(x, x->c.policy->ledger[f[i].to_ledger].key, t + 1);
        if (!id) return zb_fail(e, ZB_E_INPUT, "%s:%d: %s \"%.60s\": no such record before this line", s->path, s->n, f[i].key, t);
        json_object_set_new(values, f[i].key, json_integer(*id));
    }
    return ZB_OK;
}

static int subs_resolve(struct load *x, const struct pfile *s, json_t *values, struct zb_err *e) {
    for (int k = 0; k < s->l->subs; k++) {
        json_t *v = json_object_get(values, s->l->sub[k].key), *rows = json_is_object(v) ? json_object_get(v, "add") : v;
        for (size_t i = 0; i < json_array_size(rows); i++)
            if (refs_resolve(x, s, s->l->sub[k].field, s->l->sub[k].fields, json_array_get(rows, i), e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* ---- batches ---- */
static int batch_begin(struct load *x, struct zb_err *e) {
    x->in_batch = 0;
    x->past.n = 0;
    x->past.from = x->past.to = ZB_TIME_NONE;
    if (EVP_DigestInit_ex(x->past.md, EVP_sm3(), NULL) != 1) return zb_fail(e, ZB_E_IO, "SM3 is not available in this OpenSSL");
    return db_begin(x->c.db, e);
}

static int batch_end(struct load *x, struct zb_err *e) {
    unsigned char d[32];
    unsigned n = 0;
    char hex[65], from[ZB_TIME_CAP], to[ZB_TIME_CAP];
    ZB_AUTO(buf_done) struct buf b;
    if (EVP_DigestFinal_ex(x->past.md, d, &n) != 1 || n != 32) return zb_fail(e, ZB_E_IO, "SM3 failed");
    for (int i = 0; i < 32; i++) snprintf(hex + i * 2, 3, "%02x", d[i]);
    buf_init(&b, 4096);
    buf_printf(&b,
               "{\"entries\":%lld,\"from\":\"%s\",\"to\":\"%s\",\"sm3\":\"%s\",\"note\":\"taken over from files: their times, actors and signatures are "
               "claims, the digest is over all entries of the batch\"}",
               (long long)x->past.n, zb_time_text(x->past.from, from), zb_time_text(x->past.to, to), hex);
    if (x->past.n && audit_append(x->c.db, zb_now(), STR("import"), STR("ledger.past"), STR("ledgers"), buf_str(&b), e) != ZB_OK) return e->rc;
    return db_commit(x->c.db, e);
}

static int clocks_to(struct load *x, zb_time t, struct zb_err *e) {
    int did;
    if (clocks_past(&x->c, t, &did, e) != ZB_OK) return e->rc;
    x->r->clocks += did;
    return ZB_OK;
}

static int line_apply(struct load *x, struct pfile *s, struct zb_err *e) {
    struct actor a;
    bool done;
    const char *key = json_string_value(json_object_get(s->o, "id")), *act = json_string_value(json_object_get(s->o, "act")),
               *why = json_string_value(json_object_get(s->o, "why"));
    json_t *values = json_object_get(s->o, "v");
    if (!key || !act) return bad_line(s, e, "id and act are needed");
    int64_t *known = key_find(x, s->l->key, key), id = known ? *known : 0;
    if (!strcmp(act, "new") == (known != NULL)) return bad_line(s, e, known ? "this record is there already" : "no such record before this line");
    if (actor_read(x, s, &a, e) != ZB_OK ||
        (values && (refs_resolve(x, s, s->l->field, s->l->fields, values, e) != ZB_OK || subs_resolve(x, s, values, e) != ZB_OK)))
        return e->rc;
    x->c.l = s->l;
    x->c.actor = &a;
    x->c.now = s->at;
    struct lchange ch = {.id = id,
                         .act = strcmp(act, "new") && strcmp(act, "edit") ? act : NULL,
                         .values = values,
                         .why = str_of(why ? why : ""),
                         .at = ZB_TIME_NONE,
                         .password_ok = true};
    int rc = db_clock(x->c.db, s->at, e) == ZB_OK ? ledger_change_in(&x->c, &ch, &id, &done, e) : e->rc;
    x->c.actor = NULL;
    arena_reset(x->c.arena);
    if (rc != ZB_OK) return zb_wrap(e, "%s:%d: %s of %s by %s", s->path, s->n, act, key, a.role);
    if (known) return ZB_OK;
    char name[200];
    int64_t *kept = xmalloc(sizeof *kept);
    *kept = id;
    snprintf(name, sizeof name, "%.60s/%.120s", s->l->key, key);
    map_set(&x->ids, str_of(name), kept);
    return ZB_OK;
}

static struct pfile *first(struct load *x) {
    struct pfile *best = NULL;
    for (int i = 0; i < x->sources; i++)
        if (x->s[i].o && (!best || x->s[i].seq < best->seq)) best = &x->s[i];
    return best;
}

static int run(struct load *x, struct zb_err *e) {
    bool show = x->progress && isatty(fileno(x->progress));
    zb_time last = ZB_TIME_NONE;
    struct pfile *s;
    if (batch_begin(x, e) != ZB_OK) return e->rc;
    while ((s = first(x)) && s->at <= x->until) {
        if (last != ZB_TIME_NONE && s->at < last) return bad_line(s, e, "at: earlier than the line before it in the order");
        if (clocks_to(x, s->at, e) != ZB_OK || line_apply(x, s, e) != ZB_OK) return e->rc;
        last = s->at;
        x->r->changes++;
        if (source_next(s, e) != ZB_OK) return e->rc;
        if (++x->in_batch < BATCH) continue;
        if (batch_end(x, e) != ZB_OK || batch_begin(x, e) != ZB_OK) return e->rc;
        char t[ZB_TIME_CAP];
        if (show) fprintf(x->progress, "\r%lld changes, %s", (long long)x->r->changes, zb_time_text(last, t));
    }
    if (show) fputc('\n', x->progress);
    return clocks_to(x, x->until, e) == ZB_OK ? batch_end(x, e) : e->rc;
}

static int sources_open(struct load *x, const char *folder, struct zb_err *e) {
    const struct policy *p = x->c.policy;
    x->s = xcalloc((size_t)p->ledgers, sizeof *x->s);
    for (int i = 0; i < p->ledgers; i++) {
        struct pfile *s = &x->s[x->sources];
        s->l = &p->ledger[i];
        snprintf(s->path, sizeof s->path, "%.500s/%s.jsonl", folder, p->ledger[i].key);
        s->f = fopen(s->path, "re");
        if (!s->f && errno == ENOENT) continue;
        if (!s->f) return zb_fail(e, ZB_E_IO, "cannot read %s: %s", s->path, strerror(errno));
        x->sources++;
        if (source_next(s, e) != ZB_OK) return e->rc;
    }
    return x->sources ? ZB_OK : zb_fail(e, ZB_E_ABSENT, "%s holds no file named after a ledger, such as site.jsonl", folder);
}

int ledger_past_load(struct db *db, const struct policy *p, const char *dir, const char *folder, zb_time until, FILE *progress, struct past_result *ret,
                     struct zb_err *e) {
    struct load x = {.c = {.db = db, .policy = p, .arena = arena_new((size_t)16 << 20), .dir = dir}, .until = until, .progress = progress, .r = ret};
    *ret = (struct past_result){0};
    x.past.horizon = until;
    x.past.md = EVP_MD_CTX_new();
    x.c.past = &x.past;
    int rc = x.past.md ? sources_open(&x, folder, e) : zb_fail(e, ZB_E_IO, "no memory");
    if (rc == ZB_OK) rc = run(&x, e);
    if (rc != ZB_OK && db_in_tx(db)) db_rollback(db);
    struct zb_err e2;
    int rc2 = db_clock(db, ZB_TIME_NONE, &e2);
    if (rc == ZB_OK && rc2 != ZB_OK) *e = e2, rc = rc2;
    for (int i = 0; i < x.sources; i++) {
        json_decref(x.s[i].o);
        free(x.s[i].line);
        fclose(x.s[i].f);
    }
    for (size_t i = 0; i < x.ids.cap; i++) free(x.ids.slot[i].key ? x.ids.slot[i].val : NULL);
    map_done(&x.ids);
    free(x.s);
    EVP_MD_CTX_free(x.past.md);
    arena_free(x.c.arena);
    return rc;
}
