/* The door: name, owner, size, decode, digest, then the fact log. Only what is durable is acknowledged. */
#include "engine/inside.h"
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define UPLOAD_MAX (20u << 20)
#define ARENA_MAX ((size_t)512 << 20)

/* A refusal is an input of its own: it shows in the link's list with its reason, whoever sent it. */
static int refuse(struct engine *en, struct str mine, struct str origin, struct str name, struct upload_result *ret, struct zb_err *e) {
    str_copy(str_of(e->msg), ret->reason, sizeof ret->reason);
    struct job *j = xcalloc(1, sizeof *j);
    j->kind = JOB_REFUSED;
    j->mine = mine.n && mine.n < sizeof j->mine->code ? mine_get(en, mine) : NULL;
    j->received = zb_now();
    str_copy(name, j->name, sizeof j->name);
    str_copy(origin, j->origin, sizeof j->origin);
    str_copy(str_of(e->msg), j->reason, sizeof j->reason);
    if (j->mine) {
        pthread_mutex_lock(&j->mine->lock);
        j->mine->link.refused++;
        pthread_mutex_unlock(&j->mine->lock);
    }
    judge_queue(en, j);
    return e->rc;
}

static int name_check(struct engine *en, const struct policy *p, struct str mine, struct str name, struct str bytes, struct upload_name *un, struct zb_err *e) {
    if (upload_name_parse(p, name, mine, un, e) != ZB_OK) return e->rc;
    if (mine.n && !str_eq(mine, un->mine) && !engine_alias_of(en, un->mine, mine))
        return zb_fail(e, ZB_E_DENIED,
                       "file of mine " STR_FMT " came over the link of mine " STR_FMT ": send it over its own link, or map that code to this mine",
                       STR_ARG(un->mine), STR_ARG(mine));
    if (bytes.n > UPLOAD_MAX) return zb_fail(e, ZB_E_LIMIT, "the file has %zu bytes; at most %u are taken: split it", bytes.n, UPLOAD_MAX);
    return ZB_OK;
}

static void count_result(const struct batch *b, struct upload_result *ret) {
    ret->records = b->n + b->refused;
    ret->accepted = b->n;
    ret->refused = b->refused;
    if (b->whys && b->refused)
        snprintf(ret->reason, sizeof ret->reason, "record %d%s%s: %s", b->why[0].record, b->why[0].field[0] ? ", field " : "", b->why[0].field,
                 b->why[0].reason);
}

static struct job *job_make(struct str origin, struct str name, struct str bytes) {
    struct job *j = xcalloc(1, sizeof *j);
    j->kind = JOB_UPLOAD;
    j->bytes = xstrndup(bytes.p, bytes.n);
    j->size = bytes.n;
    j->arena = arena_new(ARENA_MAX);
    str_copy(name, j->name, sizeof j->name);
    str_copy(origin, j->origin, sizeof j->origin);
    return j;
}

int job_decode(const struct policy *p, struct job *j, struct str link, zb_time now, bool *truncated, struct zb_err *e) {
    struct str bytes = {j->bytes, j->size};
    if (batch_decode(p, str_of(j->name), link, bytes, now, j->arena, &j->batch, truncated, e) != ZB_OK) return e->rc;
    if (j->mine) j->batch.mine = str_of(j->mine->code); /* the file may carry another code of it */
    return job_observe(p, j, e);
}

static void duplicate(struct mine *m, struct upload_result *ret) {
    pthread_mutex_lock(&m->lock);
    m->link.duplicates++;
    pthread_mutex_unlock(&m->lock);
    ret->duplicate = true;
}

/* On the log's thread. */
static void on_logged(void *arg, int rc, uint64_t seq, struct raw_place at, const struct zb_err *e) {
    (void)at;
    struct job *j = arg;
    struct engine *en = j->en;
    j->seq = seq;
    if (rc == ZB_OK) {
        judge_queue(en, j);
        return;
    }
    ticket_tell(en, j, rc, e);
    job_drop(en, j);
}

/* Stamp and put into the log as one step of the mine. */
static int admit(struct engine *en, struct job *j, bool till_judged, struct ticket *t, struct zb_err *e) {
    struct raw_record rec = {.kind = j->kind == JOB_FACTS ? RAW_FACTS : RAW_UPLOAD,
                             .mine = str_of(j->mine->code),
                             .origin = str_of(j->origin),
                             .name = str_of(j->name),
                             .bytes = {j->bytes, j->size},
                             .digested = j->digested};
    memcpy(rec.sha256, j->sha256, sizeof rec.sha256);
    job_stamp(en, j);
    rec.received = j->received;
    j->en = en;
    j->till_judged = till_judged;
    ticket_take(t, j);
    int rc = raw_put(en->raw, &rec, on_logged, j, e);
    if (rc == ZB_OK) return rc;
    t->under_way = false;
    pthread_cond_destroy(&t->wake);
    job_drop(en, j);
    return rc;
}

static struct policy *policy_take(struct engine *en) {
    pthread_rwlock_rdlock(&en->policy_lock);
    struct policy *p = policy_ref(en->policy);
    pthread_rwlock_unlock(&en->policy_lock);
    return p;
}
struct policy *engine_policy(struct engine *en) {
    return policy_take(en);
}

/* Decode, digest, seen before? then in. */
static int take_in(struct engine *en, const struct policy *p, struct job *j, struct str link, bool wait, struct upload_result *ret, struct ticket *t,
                   struct zb_err *e) {
    int rc = job_decode(p, j, link, zb_now(), &ret->truncated, e);
    if (rc == ZB_OK) str_copy(str_of(j->batch.format->family), ret->family, sizeof ret->family);
    if (rc == ZB_OK) str_copy(str_of(j->batch.format->type), ret->type, sizeof ret->type);
    count_result(&j->batch, ret);
    if (rc != ZB_OK) {
        refuse(en, str_of(ret->mine), str_of(j->origin), str_of(j->name), ret, e);
        job_drop(en, j);
        return rc;
    }
    SHA256((const unsigned char *)j->bytes, j->size, j->sha256);
    j->digested = true;
    str_copy(str_of(ret->reason), j->reason, sizeof j->reason);
    struct mine *m = j->mine;
    judge_room(en);
    pthread_mutex_lock(&m->door);
    int seen = raw_seen(en->raw, str_of(ret->mine), str_of(j->name), j->sha256);
    j->correction = ret->correction = seen == 1;
    if (seen != 2) rc = admit(en, j, wait, t, e);
    pthread_mutex_unlock(&m->door);
    if (seen == 2) {
        duplicate(m, ret);
        job_drop(en, j);
    }
    return rc;
}

static int facts_in(struct engine *en, struct job *j, struct mine *m, struct zb_err *e) {
    struct ticket t = {0};
    j->kind = JOB_FACTS;
    j->mine = m;
    judge_room(en);
    pthread_mutex_lock(&m->door);
    int rc = admit(en, j, true, &t, e);
    pthread_mutex_unlock(&m->door);
    return rc == ZB_OK ? ticket_wait(en, &t, e) : rc;
}

int facts_admit(struct engine *en, struct str who, struct str mine, struct str name, struct str lines, struct zb_err *e) {
    struct job *j = job_make(who, name, lines);
    return facts_in(en, j, mine_get(en, mine), e);
}

static int submit(struct engine *en, const struct policy *p, struct str mine, struct str origin, struct str name, struct str bytes, bool wait,
                  struct upload_result *ret, struct ticket *t, struct zb_err *e) {
    struct upload_name un = {.time = ZB_TIME_NONE};
    struct hold hold = {0};
    struct zb_err busy;
    int named = name_check(en, p, mine, name, bytes, &un, e);
    if (mine.n && mine.n < sizeof((struct mine *)0)->code &&
        quota_take(en, &p->intake, mine_resolve(en, mine), un.time, bytes.n < UPLOAD_MAX ? bytes.n : UPLOAD_MAX, &hold, &ret->wait, &busy) != ZB_OK) {
        *e = busy;
        return e->rc;
    }
    struct job *j = job_make(origin, name, named == ZB_OK ? bytes : STR(""));
    j->hold = hold;
    if (named != ZB_OK) {
        refuse(en, mine, origin, name, ret, e);
        job_drop(en, j);
        return named;
    }
    j->mine = mine_resolve(en, un.mine);
    str_copy(str_of(j->mine->code), ret->mine, sizeof ret->mine);
    str_copy(un.type, ret->type, sizeof ret->type);
    int rc = disk_admits(en, p, e);
    if (rc == ZB_OK) return take_in(en, p, j, mine, wait, ret, t, e);
    job_drop(en, j);
    return rc;
}

int engine_submit_begin(struct engine *en, struct str mine, struct str origin, struct str name, struct str bytes, bool wait, struct upload_result *ret,
                        struct ticket *t, struct zb_err *e) {
    *ret = (struct upload_result){0};
    *t = (struct ticket){0};
    str_copy(mine, ret->mine, sizeof ret->mine);
    struct policy *p = policy_take(en);
    int rc = submit(en, p, mine, origin, name, bytes, wait, ret, t, e);
    policy_unref(p);
    return rc;
}

int engine_submit_end(struct engine *en, struct ticket *t, struct upload_result *ret, struct zb_err *e) {
    int rc = ticket_wait(en, t, e);
    ret->seq = t->seq;
    return rc;
}

int engine_submit(struct engine *en, struct str mine, struct str origin, struct str name, struct str bytes, bool wait, struct upload_result *ret,
                  struct zb_err *e) {
    struct ticket t;
    int rc = engine_submit_begin(en, mine, origin, name, bytes, wait, ret, &t, e);
    return rc == ZB_OK ? engine_submit_end(en, &t, ret, e) : rc;
}

void upload_json(struct json *j, struct str name, const struct upload_result *u, const char *code) {
    json_obj(j);
    json_key(j, "file");
    json_str(j, name);
    json_key(j, "mine");
    json_z(j, u->mine);
    json_key(j, "family");
    json_z(j, u->family);
    json_key(j, "type");
    json_z(j, u->type);
    json_key(j, "records");
    json_i64(j, u->records);
    json_key(j, "accepted");
    json_i64(j, u->accepted);
    json_key(j, "refused");
    json_i64(j, u->refused);
    json_key(j, "duplicate");
    json_bool(j, u->duplicate);
    json_key(j, "reasons");
    json_arr(j);
    if (u->reason[0]) json_z(j, u->reason);
    json_arr_end(j);
    if (code) {
        json_key(j, "code");
        json_z(j, code);
    }
    json_end(j);
}

int engine_mine_set(struct engine *en, struct str who, struct str mine, struct str name, struct str gas_class, struct zb_err *e) {
    static const char *const GAS[] = {"low", "high", "outburst"};
    bool known = !gas_class.n;
    for (size_t i = 0; i < 3; i++) known |= str_is(gas_class, GAS[i]);
    if (!known) return zb_fail(e, ZB_E_INPUT, "gas_class \"" STR_FMT "\": write low, high or outburst", STR_ARG(gas_class));
    if (mine.n < 8 || mine.n >= sizeof((struct mine *)0)->code)
        return zb_fail(e, ZB_E_INPUT, "mine \"" STR_FMT "\": a mine's code has 12 digits", STR_ARG(mine));
    if (name.n >= sizeof((struct mine_facts *)0)->name || memchr(name.p ? name.p : "", '\n', name.n))
        return zb_fail(e, ZB_E_INPUT, "name: at most 95 bytes on one line");
    char line[200];
    int n = snprintf(line, sizeof line, STR_FMT "\n" STR_FMT, STR_ARG(name), STR_ARG(gas_class));
    return facts_admit(en, who, mine, STR("facts"), (struct str){line, (size_t)n}, e);
}

int engine_model(struct engine *en, struct mine *m, struct str bytes, struct zb_err *e) {
    struct job *j = job_make(STR("engine"), STR(MODEL_NAME), bytes);
    return facts_in(en, j, m, e);
}
