/* The fact log stepped again: after a restart from the oldest checkpoint, for a rebuild from the beginning. */
#include "audit/audit.h"
#include "engine/inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE (60 * ZB_SECOND)

static int file_copy(const char *from, const char *to, struct zb_err *e) {
    FILE *in = fopen(from, "rb");
    FILE *out = in ? fopen(to, "wb") : NULL;
    char part[8192];
    size_t n;
    bool ok = out != NULL;
    while (ok && (n = fread(part, 1, sizeof part, in)) > 0) ok = fwrite(part, 1, n, out) == n;
    if (ok) ok = !ferror(in) && fflush(out) == 0 && fsync(fileno(out)) == 0;
    int err = errno;
    if (in) fclose(in);
    if (out && fclose(out) != 0) ok = false;
    return ok ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot copy %s to %s: %s", from, to, strerror(err));
}

int tree_copy(const char *from, const char *to, int depth, struct zb_err *e) {
    if (depth > 8) return zb_fail(e, ZB_E_LIMIT, "%s: folders nested too deep", from);
    if (mkdir(to, 0755) != 0 && errno != EEXIST) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", to, strerror(errno));
    DIR *d = opendir(from);
    if (!d) return zb_fail(e, ZB_E_IO, "cannot read folder %s: %s", from, strerror(errno));
    int rc = ZB_OK;
    for (struct dirent *f; rc == ZB_OK && (f = readdir(d));) {
        if (f->d_name[0] == '.') continue;
        char a[700], b[700];
        struct stat st;
        if ((size_t)snprintf(a, sizeof a, "%s/%s", from, f->d_name) >= sizeof a || (size_t)snprintf(b, sizeof b, "%s/%s", to, f->d_name) >= sizeof b) {
            rc = zb_fail(e, ZB_E_INPUT, "%s/%s: path too long", from, f->d_name);
        } else if (lstat(a, &st) == 0 && S_ISDIR(st.st_mode)) {
            rc = tree_copy(a, b, depth + 1, e);
        } else if (S_ISREG(st.st_mode)) {
            rc = file_copy(a, b, e);
        }
    }
    closedir(d);
    return rc;
}

static void current_read(const char *path, char hash[80]) {
    hash[0] = 0;
    FILE *f = fopen(path, "r");
    if (!f) return;
    if (!fgets(hash, 80, f)) hash[0] = 0;
    fclose(f);
    hash[strcspn(hash, "\n")] = 0;
}

static int current_write(const char *path, const char *hash, struct zb_err *e) {
    char tmp[600];
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    FILE *f = fopen(tmp, "w");
    bool ok = f && fprintf(f, "%s\n", hash) > 0 && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (f && fclose(f) != 0) ok = false;
    return ok && rename(tmp, path) == 0 ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
}

static int policy_journal(struct engine *en, const char *old, zb_time now, struct zb_err *e) {
    char body[300];
    int n = snprintf(body, sizeof body, "{\"policy\":\"%s\",\"before\":\"%s\"}", en->policy->hash, old);
    if (db_begin(en->db, e) != ZB_OK) return e->rc;
    if (audit_append(en->db, now, STR("engine"), STR("policy.set"), str_of(en->policy->hash), (struct str){body, (size_t)n}, e) != ZB_OK ||
        db_commit(en->db, e) != ZB_OK) {
        db_rollback(en->db);
        return e->rc;
    }
    return ZB_OK;
}

int policy_keep(struct engine *en, struct zb_err *e) {
    char path[500], kept[600], from[500], old[80];
    snprintf(path, sizeof path, "%s/policies/current", en->dir);
    snprintf(from, sizeof from, "%s/policy", en->dir);
    snprintf(kept, sizeof kept, "%s/policies/%s", en->dir, en->policy->hash);
    current_read(path, old);
    if (!strcmp(old, en->policy->hash)) return ZB_OK;
    zb_time now = zb_now();
    if (tree_copy(from, kept, 0, e) != ZB_OK) return e->rc;
    struct raw_record rec = {.kind = RAW_POLICY, .received = now, .origin = STR("engine"), .name = str_of(en->policy->hash)};
    if (raw_append(en->raw, &rec, e) != ZB_OK || policy_journal(en, old, now, e) != ZB_OK) return e->rc;
    en->input = rec.seq;
    return current_write(path, en->policy->hash, e);
}

void step_resume(struct engine *en, uint64_t seq, zb_time now) {
    for (size_t i = 0; i < en->mines.cap; i++) {
        struct mine *m = en->mines.slot[i].key ? en->mines.slot[i].val : NULL;
        if (!m || !m->at || m->checkpoint >= seq) continue;
        pthread_mutex_lock(&m->lock);
        mine_resume(en->policy, m->state, now);
        m->dirty = true;
        m->at = seq;
        pthread_mutex_unlock(&m->lock);
    }
}

int engine_pause(struct engine *en, struct zb_err *e) {
    zb_time now = zb_now(), last = en->stamped;
    if (!en->input || now - last < PAUSE) return ZB_OK;
    struct raw_record rec = {.kind = RAW_FACTS, .received = now, .origin = STR("engine"), .name = STR("resume")};
    if (raw_append(en->raw, &rec, e) != ZB_OK) return e->rc;
    step_resume(en, rec.seq, now);
    en->input = rec.seq;
    en->stamped = now;
    return ZB_OK;
}

struct replay {
    struct engine *en;
    FILE *progress;
    uint64_t n;
    uint64_t series_from, next;
};

void policy_put(struct engine *en, struct policy *p) {
    bool same = !strcmp(en->policy->hash, p->hash);
    policy_unref(en->policy);
    en->policy = p;
    for (size_t i = 0; i < en->mines.cap && !same; i++) { /* limits of every point follow */
        struct mine *m = en->mines.slot[i].key ? en->mines.slot[i].val : NULL;
        if (m) mine_refresh(p, m->state);
    }
}

static int replay_policy(struct engine *en, struct str hash, struct zb_err *e) {
    if (en->one_policy || str_is(hash, en->policy->hash)) return ZB_OK;
    char path[600];
    snprintf(path, sizeof path, "%s/policies/" STR_FMT, en->dir, STR_ARG(hash));
    struct policy *p;
    if (policy_load(path, &p, e) != ZB_OK) return zb_wrap(e, "the policy of that time");
    policy_put(en, p);
    return ZB_OK;
}

int replay_policy_kept(struct engine *en, struct zb_err *e) {
    char path[500], hash[80];
    snprintf(path, sizeof path, "%s/policies/current", en->dir);
    current_read(path, hash);
    return hash[0] ? replay_policy(en, str_of(hash), e) : ZB_OK;
}

static struct job *job_of(const struct raw_record *r, struct engine *en) {
    struct job *j = xcalloc(1, sizeof *j);
    j->kind = r->kind == RAW_FACTS ? JOB_FACTS : JOB_UPLOAD;
    j->seq = r->seq;
    j->received = r->received;
    j->size = r->bytes.n;
    j->bytes = xstrndup(r->bytes.p, r->bytes.n);
    j->arena = arena_new((size_t)512 << 20);
    str_copy(r->name, j->name, sizeof j->name);
    str_copy(r->origin, j->origin, sizeof j->origin);
    j->mine = mine_get(en, r->mine);
    return j;
}

static int replay_one(void *arg, const struct raw_record *r, struct zb_err *e) {
    struct replay *rp = arg;
    struct engine *en = rp->en;
    if (r->seq != rp->next++)
        return zb_fail(e, ZB_E_IO, "the fact log begins with input %llu, and input %llu is needed: put the older files of raw/ back from a backup",
                       (unsigned long long)r->seq, (unsigned long long)rp->next - 1);
    en->stamped = r->received;
    if (rp->progress && ++rp->n % 500 == 0) fprintf(rp->progress, "\r%llu inputs stepped", (unsigned long long)rp->n);
    if (r->kind == RAW_POLICY) {
        en->input = r->seq;
        return replay_policy(en, r->name, e);
    }
    if (r->kind == RAW_FACTS && !r->mine.n) {
        step_resume(en, r->seq, r->received);
        en->input = r->seq;
        return ZB_OK;
    }
    struct job *j = job_of(r, en);
    bool truncated;
    int rc = j->kind == JOB_FACTS ? ZB_OK : job_decode(en->policy, j, str_of(j->mine->code), r->received, &truncated, e);
    if (rc == ZB_OK)
        rc = batch_step(en, j, r->seq > j->mine->checkpoint, r->seq > rp->series_from, e);
    else
        zb_wrap(e, "input %llu, file %s", (unsigned long long)r->seq, j->name);
    job_free(j);
    if (rc == ZB_OK && en->unflushed > 2000000) {
        rc = series_flush(en->series, en->input, e);
        en->unflushed = 0;
        en->flushed = en->input;
    }
    if (rc == ZB_OK && feeds_due(en, en->fed_at)) rc = feeds_store(en, e);
    return rc == ZB_OK && en->nfound + en->nlatest > 1000 ? findings_store(en, r->received, e) : rc;
}

int replay_from(struct engine *en, uint64_t after, FILE *progress, struct zb_err *e) {
    char dir[500];
    snprintf(dir, sizeof dir, "%s/raw", en->dir);
    struct replay rp = {en, progress, 0, series_input(en->series), after + 1};
    en->input = after;
    if (raw_read(dir, after, replay_one, &rp, e) != ZB_OK) return e->rc;
    if (progress && rp.n >= 500) fprintf(progress, "\r%llu inputs stepped\n", (unsigned long long)rp.n);
    return findings_store(en, en->stamped ? en->stamped : zb_now(), e);
}
