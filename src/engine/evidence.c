/* The evidence's life on disk: by night the closed segments of the fact log are packed, and the journal keeps what each pack holds. */
#include "audit/audit.h"
#include "engine/jobs.h"
#include <jansson.h>
#include <stdio.h>

static void root_text(const unsigned char root[32], char out[65]) {
    for (size_t i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", root[i]);
}

/* What the journal says of one packed segment, against what lies on disk; *ret->bad_seq stays 0 when it is the same. */
static void evidence_one(const char *dir, int64_t seq, struct str body, struct evidence_check *ret) {
    struct raw_packed k;
    struct zb_err e;
    char root[65];
    json_error_t je;
    json_t *o = json_loadb(body.p, body.n, 0, &je);
    uint64_t first = (uint64_t)json_integer_value(json_object_get(o, "first")), records = (uint64_t)json_integer_value(json_object_get(o, "records"));
    const char *said = json_string_value(json_object_get(o, "sha256"));
    ret->packs++;
    if (raw_chain(dir, first, &k, &e) != ZB_OK) {
        str_copy(str_of(e.msg), ret->what, sizeof ret->what);
        ret->bad_seq = seq;
    } else if (root_text(k.root, root), k.records != records || !said || strcmp(said, root)) {
        snprintf(ret->what, sizeof ret->what, "the segment from input %llu holds %llu records of chain %.16s…; the journal says %llu of %.16s…",
                 (unsigned long long)first, (unsigned long long)k.records, root, (unsigned long long)records, said ? said : "");
        ret->bad_seq = seq;
    } else {
        ret->records += (int64_t)records;
    }
    json_decref(o);
}

struct unsaid { /* packs that the journal does not speak of */
    struct map said;
    int (*fn)(struct unsaid *u, uint64_t first, struct zb_err *e);
    struct evidence_check *ret;
    struct engine *en;
};
static void subject_of(uint64_t first, char out[40]) { snprintf(out, 40, "%012llu", (unsigned long long)first); }

static int on_pack(void *arg, uint64_t first, struct zb_err *e) {
    struct unsaid *u = arg;
    char subject[40];
    subject_of(first, subject);
    return map_get(&u->said, str_of(subject)) ? ZB_OK : u->fn(u, first, e);
}

static int unsaid_find(struct db *db, const char *dir, struct unsaid *u, int (*fn)(struct unsaid *, uint64_t, struct zb_err *), struct zb_err *e) {
    int r;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select subject from journal where what='evidence.packed'", e);
    if (!q) return e->rc;
    u->fn = fn;
    while ((r = stmt_row(q, e)) == 1) map_set(&u->said, stmt_col_text(q, 0), u);
    if (r == 0) r = raw_packs(dir, on_pack, u, e);
    map_done(&u->said);
    return r;
}

static int unsaid_name(struct unsaid *u, uint64_t first, struct zb_err *e) {
    (void)e;
    if (!u->ret->unsaid++)
        snprintf(u->ret->what, sizeof u->ret->what,
                 "the journal does not speak of the pack from input %llu on: a stop came between, and the next packing (zhiben pack, or the night) says what "
                 "it holds",
                 (unsigned long long)first);
    return ZB_OK;
}

int evidence_verify(struct db *db, const char *data, struct evidence_check *ret, struct zb_err *e) {
    char dir[500];
    int r = 1;
    *ret = (struct evidence_check){0};
    snprintf(dir, sizeof dir, "%.480s/raw", data);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select seq,body from journal where what='evidence.packed' order by seq", e);
    if (!q) return e->rc;
    while (!ret->bad_seq && (r = stmt_row(q, e)) == 1) evidence_one(dir, stmt_col_i64(q, 0), stmt_col_text(q, 1), ret);
    struct unsaid u = {.ret = ret};
    if (r >= 0 && !ret->bad_seq && unsaid_find(db, dir, &u, unsaid_name, e) != ZB_OK) return e->rc;
    return r < 0 ? r : ZB_OK;
}

static bool turn(void *arg) { return night_turn(arg); }

static int journal(struct engine *en, const struct raw_packed *k, struct zb_err *e) {
    char what[40], body[300], root[65];
    root_text(k->root, root);
    subject_of(k->first, what);
    int n = snprintf(body, sizeof body, "{\"first\":%llu,\"records\":%llu,\"sha256\":\"%s\",\"bytes\":%lld}", (unsigned long long)k->first,
                     (unsigned long long)k->records, root, (long long)k->after);
    struct db *w = engine_writer(en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        rc = audit_append(w, zb_now(), STR("engine"), STR("evidence.packed"), str_of(what), (struct str){body, (size_t)n}, e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
    }
    engine_writer_back(en);
    return rc;
}

static int unsaid_say(struct unsaid *u, uint64_t first, struct zb_err *e) {
    char dir[500];
    struct raw_packed k;
    snprintf(dir, sizeof dir, "%s/raw", u->en->dir);
    if (raw_chain(dir, first, &k, e) != ZB_OK) {
        log_event("event=pack_unsaid first=%llu reason=\"%s\"", (unsigned long long)first, e->msg);
        return ZB_OK; /* the journal goes on saying nothing of it */
    }
    log_event("event=pack_said first=%llu reason=\"a stop came between the pack and its entry\"", (unsigned long long)first);
    return journal(u->en, &k, e);
}

/* Once a run: only a stop, or a journal that could not be written, leaves a pack without its entry. */
static int all_said(struct engine *en, const char *dir, struct zb_err *e) {
    struct unsaid u = {.en = en};
    if (en->packs_said) return ZB_OK;
    struct db *db = engine_reader(en, e);
    int rc = db ? unsaid_find(db, dir, &u, unsaid_say, e) : e->rc;
    engine_reader_back(en, db);
    en->packs_said = rc == ZB_OK;
    return rc;
}

int engine_pack(struct engine *en, struct pack_result *ret, struct zb_err *e) {
    char dir[500];
    struct raw_packed k;
    int rc;
    *ret = (struct pack_result){0};
    snprintf(dir, sizeof dir, "%s/raw", en->dir);
    if (all_said(en, dir, e) != ZB_OK) return e->rc;
    while ((rc = raw_pack(dir, en->pack_from, turn, en, &k, e)) != 0) {
        if (rc < 0 && !k.first) return rc;
        if (rc < 0) { /* that one stays as it is; the others are not to wait for it */
            en->pack_from = k.first + 1;
            if (!ret->failed++) str_copy(str_of(e->msg), ret->why, sizeof ret->why);
            continue;
        }
        en->packs_said = false;
        if (journal(en, &k, e) != ZB_OK) return e->rc;
        en->packs_said = true;
        ret->segments++;
        ret->records += (int64_t)k.records, ret->before += k.before, ret->after += k.after;
    }
    return ZB_OK;
}

void evidence_look(struct engine *en, zb_time now) {
    struct policy *p = engine_policy(en);
    bool due = policy_night(p, now);
    policy_unref(p);
    struct pack_result r;
    struct zb_err e;
    if (!due) return;
    if (engine_pack(en, &r, &e) != ZB_OK)
        log_event("event=packing_failed reason=\"%s\" next=\"tried again in a minute\"", e.msg);
    else if (r.segments || r.failed)
        log_event("event=evidence_packed segments=%d records=%lld before=%lld after=%lld failed=%d%s%s%s", r.segments, (long long)r.records,
                  (long long)r.before, (long long)r.after, r.failed, r.failed ? " reason=\"" : "", r.why, r.failed ? "\" next=\"kept as it is\"" : "");
}
