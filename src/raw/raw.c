#include "raw/segment.h"
#include "store/db.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zstd.h>

#define QUEUE_MAX ((size_t)64 << 20)
#ifndef SEEN_MAX                   /* a test takes fewer */
#define SEEN_MAX ((size_t)1 << 20) /* a generation; two are kept, so at least the last million files are remembered */
#endif

struct pending {
    struct pending *next;
    struct seg_head head;
    struct raw_place place;
    char *body; /* all of it */
    size_t n;
    uint64_t key; /* of its mine and name */
    raw_done *done;
    void *arg;
};
struct seen {
    uint64_t name, content;
};
struct generation {
    struct seen *slot;
    size_t n;
};

struct raw {
    char dir[420], path[460];
    int fd;
    int64_t size;   /* bytes known good in the open segment */
    int64_t most;   /* a segment that has so many is full */
    uint64_t first; /* of the open segment */
    int32_t day;
    bool cut_back; /* a failed write may have left bytes beyond size */
    uint64_t last;
    struct pending *head, *tail, *group; /* waiting; being written */
    size_t queued;
    int queue;
    bool stop;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    struct generation seen[2];
    struct raw_stat stat;
};

/* ---- what came before ---- */
static uint64_t hash64(uint64_t h, const void *p, size_t n) {
    const unsigned char *c = p;
    for (size_t i = 0; i < n; i++) h = (h ^ c[i]) * 1099511628211u;
    return h;
}
static uint64_t name_key(struct str mine, struct str name) {
    uint64_t h = hash64(hash64(hash64(14695981039346656037u, mine.p, mine.n), "/", 1), name.p, name.n);
    return h ? h : 1;
}
static uint64_t content_key(const unsigned char sha[32]) {
    uint64_t h;
    memcpy(&h, sha, sizeof h);
    return h;
}
static struct seen *seen_slot(const struct generation *g, uint64_t name) {
    for (size_t at = (name ^ (name >> 29)) & (2 * SEEN_MAX - 1);; at = (at + 1) & (2 * SEEN_MAX - 1))
        if (!g->slot[at].name || g->slot[at].name == name) return &g->slot[at];
}
static void seen_add(struct raw *r, struct str mine, struct str name, const unsigned char sha[32]) {
    if (!r->seen[0].slot) r->seen[0].slot = xcalloc(2 * SEEN_MAX, sizeof(struct seen));
    if (r->seen[0].n >= SEEN_MAX) {
        free(r->seen[1].slot);
        r->seen[1] = r->seen[0];
        r->seen[0] = (struct generation){xcalloc(2 * SEEN_MAX, sizeof(struct seen)), 0};
    }
    struct seen *s = seen_slot(&r->seen[0], name_key(mine, name));
    if (!s->name) r->seen[0].n++;
    *s = (struct seen){name_key(mine, name), content_key(sha)};
}

static bool under_way(const struct pending *p, uint64_t key) {
    while (p && p->key != key) p = p->next;
    return p;
}

int raw_seen(struct raw *r, struct str mine, struct str name, const unsigned char sha256[32]) {
    uint64_t k = name_key(mine, name), c = content_key(sha256);
    int found = 0;
    pthread_mutex_lock(&r->lock);
    while (under_way(r->head, k) || under_way(r->group, k)) pthread_cond_wait(&r->less, &r->lock);
    for (int g = 0; g < 2 && !found; g++) {
        const struct seen *s = r->seen[g].slot ? seen_slot(&r->seen[g], k) : NULL;
        if (s && s->name) found = s->content == c ? 2 : 1;
    }
    pthread_mutex_unlock(&r->lock);
    return found;
}

/* ---- writing ---- */
static int segment_new(struct raw *r, uint64_t seq, zb_time now, struct zb_err *e) {
    char path[460];
    snprintf(path, sizeof path, "%.420s/%012llu.seg", r->dir, (unsigned long long)seq);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || zb_fault() || dir_sync(r->dir) != 0) {
        int err = errno;
        if (fd >= 0) {
            close(fd);
            unlink(path);
        }
        return zb_fail(e, ZB_E_IO, "cannot make segment %s: %s", path, strerror(err));
    }
    if (r->fd >= 0) close(r->fd);
    r->fd = fd;
    r->size = 0;
    r->first = seq;
    r->cut_back = false;
    r->day = zb_day_of(now);
    str_copy(str_of(path), r->path, sizeof r->path);
    return ZB_OK;
}

static int write_one(struct raw *r, struct pending *p, struct zb_err *e) {
    struct iovec v[2] = {{&p->head, sizeof p->head}, {p->body, p->n}};
    size_t want = sizeof p->head + p->n, got = 0;
    errno = EIO;
    while (got < want && !zb_fault()) {
        ssize_t k = pwritev(r->fd, v, 2, r->size + (int64_t)got);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        got += (size_t)k;
        for (int i = 0; i < 2; i++) {
            size_t take = (size_t)k < v[i].iov_len ? (size_t)k : v[i].iov_len;
            v[i].iov_base = (char *)v[i].iov_base + take;
            v[i].iov_len -= take;
            k -= (ssize_t)take;
        }
    }
    if (got < want) return zb_fail(e, ZB_E_IO, "cannot write %s: %s", r->path, strerror(errno));
    r->size += (int64_t)want;
    return ZB_OK;
}

static int room(struct raw *r, zb_time now, struct zb_err *e) {
    if (r->fd >= 0 && r->cut_back) {
        if (ftruncate(r->fd, r->size) != 0) return zb_fail(e, ZB_E_IO, "cannot cut %s back to %lld: %s", r->path, (long long)r->size, strerror(errno));
        r->cut_back = false;
    }
    if (r->fd >= 0 && r->size < __atomic_load_n(&r->most, __ATOMIC_RELAXED) && r->day == zb_day_of(now)) return ZB_OK;
    return segment_new(r, r->last + 1, now, e);
}

/* All of the group or none of it. */
static int group_write(struct raw *r, struct pending *group, struct zb_err *e) {
    if (room(r, group->head.received, e) != ZB_OK) return e->rc;
    int64_t good = r->size;
    uint64_t seq = r->last;
    int rc = ZB_OK;
    for (struct pending *p = group; p && rc == ZB_OK; p = p->next) {
        p->head.seq = ++seq;
        seg_head_seal(&p->head);
        p->place = (struct raw_place){r->first, r->size, seq};
        rc = write_one(r, p, e);
    }
    if (rc == ZB_OK && (zb_fault() || fdatasync(r->fd) != 0)) rc = zb_fail(e, ZB_E_IO, "cannot sync %s: %s", r->path, strerror(errno));
    if (rc != ZB_OK) {
        r->size = good;
        r->cut_back = ftruncate(r->fd, good) != 0;
        return rc;
    }
    pthread_mutex_lock(&r->lock);
    r->last = seq;
    r->stat.syncs++;
    for (struct pending *p = group; p; p = p->next) {
        r->stat.records++;
        r->stat.bytes_in += p->head.raw_n;
        r->stat.bytes_disk += sizeof p->head + p->n;
        const char *s = p->body;
        seen_add(r, (struct str){s, p->head.mine_n}, (struct str){s + p->head.mine_n + p->head.origin_n, p->head.name_n}, p->head.sha256);
    }
    pthread_mutex_unlock(&r->lock);
    return ZB_OK;
}

static void *log_main(void *arg) {
    pthread_setname_np(pthread_self(), "fact log");
    struct raw *r = arg;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->head && !r->stop) pthread_cond_wait(&r->more, &r->lock);
        if (!r->head) break;
        struct pending *group = r->group = r->head;
        r->head = r->tail = NULL;
        pthread_mutex_unlock(&r->lock);
        struct zb_err e = {0};
        int rc = group_write(r, group, &e);
        pthread_mutex_lock(&r->lock);
        r->group = NULL;
        for (const struct pending *p = group; p; p = p->next) {
            r->queued -= p->n;
            r->queue--;
        }
        pthread_cond_broadcast(&r->less);
        pthread_mutex_unlock(&r->lock);
        for (struct pending *p = group, *next; p; p = next) {
            next = p->next;
            p->done(p->arg, rc, rc == ZB_OK ? p->head.seq : 0, p->place, &e);
            free(p->body);
            free(p);
        }
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static int pending_fill(struct pending *p, struct raw_record *in, struct zb_err *e) {
    size_t strings = in->mine.n + in->origin.n + in->name.n, bound = ZSTD_compressBound(in->bytes.n);
    if (in->bytes.n > RECORD_MAX / 2 || strings > 4096) return zb_fail(e, ZB_E_LIMIT, "a record of %zu bytes is too large for the log", in->bytes.n);
    p->body = xmalloc(strings + bound + 1);
    char *w = p->body;
    const struct str part[] = {in->mine, in->origin, in->name};
    for (int i = 0; i < 3; i++)
        if (part[i].n) {
            memcpy(w, part[i].p, part[i].n);
            w += part[i].n;
        }
    size_t z = ZSTD_compress(w, bound, in->bytes.p ? in->bytes.p : "", in->bytes.n, 1);
    if (ZSTD_isError(z)) return zb_fail(e, ZB_E_IO, "zstd: %s", ZSTD_getErrorName(z));
    p->n = strings + z;
    if (!in->digested) SHA256((const unsigned char *)(in->bytes.p ? in->bytes.p : ""), in->bytes.n, in->sha256);
    p->head = (struct seg_head){.kind = in->kind,
                                .received = in->received,
                                .mine_n = (uint32_t)in->mine.n,
                                .origin_n = (uint32_t)in->origin.n,
                                .name_n = (uint32_t)in->name.n,
                                .raw_n = (uint32_t)in->bytes.n,
                                .z_n = (uint32_t)z,
                                .body_crc = crc32_of(0, p->body, p->n)};
    memcpy(p->head.sha256, in->sha256, 32);
    return ZB_OK;
}

int raw_put(struct raw *r, struct raw_record *in, raw_done *done, void *arg, struct zb_err *e) {
    struct pending *p = xcalloc(1, sizeof *p);
    if (pending_fill(p, in, e) != ZB_OK) {
        free(p->body);
        free(p);
        return e->rc;
    }
    p->key = name_key(in->mine, in->name);
    p->done = done;
    p->arg = arg;
    pthread_mutex_lock(&r->lock);
    while (r->queued > QUEUE_MAX) pthread_cond_wait(&r->less, &r->lock);
    if (r->tail)
        r->tail->next = p;
    else
        r->head = p;
    r->tail = p;
    r->queued += p->n;
    r->queue++;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
    return ZB_OK;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    int rc;
    struct raw_record *rec;
    struct zb_err *e;
};
static void append_done(void *arg, int rc, uint64_t seq, struct raw_place at, const struct zb_err *e) {
    struct waiter *w = arg;
    pthread_mutex_lock(&w->lock);
    w->rec->seq = seq;
    w->rec->place = at;
    w->rc = rc;
    if (rc != ZB_OK && w->e) *w->e = *e;
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

int raw_append(struct raw *r, struct raw_record *in, struct zb_err *e) {
    struct waiter w = {.rec = in, .e = e};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.wake, NULL);
    int rc = raw_put(r, in, append_done, &w, e);
    pthread_mutex_lock(&w.lock);
    while (rc == ZB_OK && !w.done) pthread_cond_wait(&w.wake, &w.lock);
    if (rc == ZB_OK) rc = w.rc;
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.wake);
    return rc;
}

/* ---- opening ---- */
/* Is there a good record with a later number behind the damage? Then it is not a torn tail. */
static bool later_record(int fd, int64_t off, uint64_t seq) {
    char part[65536 + sizeof(struct seg_head)];
    const uint32_t magic = SEG_MAGIC;
    for (off++;; off += 65536) {
        ssize_t n = pread(fd, part, sizeof part, off);
        if (n < (ssize_t)sizeof(struct seg_head)) return false;
        for (ssize_t i = 0; i + (ssize_t)sizeof(struct seg_head) <= n && i < 65536; i++) {
            struct seg_head h;
            if (memcmp(part + i, &magic, 4) != 0) continue;
            memcpy(&h, part + i, sizeof h);
            if (seg_head_good(&h, 0) && h.seq > seq) return true;
        }
    }
}

static void file_count(struct raw *r, const struct segment *s) {
    struct stat st;
    if (stat(s->path, &st) == 0) r->stat.bytes_disk += (uint64_t)st.st_size;
}

/* The newest segment is appended to; what a crash left at its end is cut off first. */
static int newest_take(struct raw *r, const struct seg_reader *rd, bool torn, struct zb_err *e) {
    r->fd = open(rd->at.path, O_RDWR | O_CLOEXEC);
    if (r->fd < 0) return zb_fail(e, ZB_E_IO, "cannot open %s: %s", rd->at.path, strerror(errno));
    if (torn && (rd->off < 0 || later_record(r->fd, rd->off, r->last))) return e->rc;
    if (torn && (ftruncate(r->fd, rd->off) != 0 || fsync(r->fd) != 0))
        return zb_fail(e, ZB_E_IO, "cannot cut the torn end of %s: %s", rd->at.path, strerror(errno));
    r->first = rd->at.first;
    r->size = rd->off;
    str_copy(str_of(rd->at.path), r->path, sizeof r->path);
    return ZB_OK;
}

static int scan(struct raw *r, const struct segment *s, bool newest, struct zb_err *e) {
    struct seg_reader rd;
    struct raw_record rec;
    if (!r->last) r->last = s->first - 1;
    if (s->first != r->last + 1)
        return zb_fail(e, ZB_E_IO, "%s: records %llu to %llu before it are missing", s->path, (unsigned long long)r->last + 1,
                       (unsigned long long)s->first - 1);
    int rc = seg_open(&rd, s, true, e);
    while (rc == ZB_OK && (rc = seg_next(&rd, &rec, e)) == 1) {
        r->last = rec.seq;
        r->day = zb_day_of(rec.received);
        r->stat.records++;
        r->stat.bytes_in += (uint64_t)rd.bytes;
        seen_add(r, rec.mine, rec.name, rec.sha256);
        rc = ZB_OK;
    }
    if (newest && !rd.at.packed && (rc == ZB_OK || rc == ZB_E_IO)) rc = newest_take(r, &rd, rc == ZB_E_IO, e);
    file_count(r, &rd.at);
    seg_close(&rd);
    return rc;
}

/* What is older than all that is remembered is not read again at each start: whoever reads it (replay, rebuild) checks it. */
static void skip(struct raw *r, const struct segment *s, uint64_t next) {
    r->last = next - 1;
    r->stat.records += next - s->first;
    file_count(r, s);
}

int raw_open(const char *dir, struct raw **ret, struct zb_err *e) {
    struct raw *r = xcalloc(1, sizeof *r);
    r->fd = -1;
    r->most = SEG_MAX;
    str_copy(str_of(dir), r->dir, sizeof r->dir);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
    pthread_cond_init(&r->less, NULL);
    struct segment *s = NULL;
    int n = 0, rc = segments_list(dir, &s, &n, e), from = n ? n - 1 : 0;
    while (from > 0 && s[n - 1].first - s[from].first < 2 * SEEN_MAX) from--;
    for (int i = 0; i < from; i++) skip(r, &s[i], s[i + 1].first);
    for (int i = from; i < n && rc == ZB_OK; i++) rc = scan(r, &s[i], i == n - 1, e);
    free(s);
    if (rc == ZB_OK && pthread_create(&r->thread, NULL, log_main, r)) rc = zb_fail(e, ZB_E_IO, "cannot start the log's thread");
    if (rc != ZB_OK) {
        raw_close(r);
        return rc;
    }
    r->running = true;
    *ret = r;
    return ZB_OK;
}

void raw_close(struct raw *r) {
    if (!r) return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->more);
    pthread_mutex_unlock(&r->lock);
    if (r->running) pthread_join(r->thread, NULL);
    if (r->fd >= 0) close(r->fd);
    free(r->seen[0].slot);
    free(r->seen[1].slot);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->more);
    pthread_cond_destroy(&r->less);
    free(r);
}

uint64_t raw_last(const struct raw *r) {
    struct raw *w = (struct raw *)r;
    pthread_mutex_lock(&w->lock);
    uint64_t last = r->last;
    pthread_mutex_unlock(&w->lock);
    return last;
}

void raw_stats(const struct raw *r, struct raw_stat *ret) {
    struct raw *w = (struct raw *)r;
    pthread_mutex_lock(&w->lock);
    *ret = r->stat;
    ret->queue = r->queue;
    pthread_mutex_unlock(&w->lock);
}

/* ---- reading back ---- */
typedef int record_fn(void *arg, const struct raw_record *rec, struct zb_err *e);

/* *next: the number after its last record */
static int segment_read(const struct segment *s, uint64_t after, record_fn *fn, void *arg, uint64_t *next, struct zb_err *e) {
    struct seg_reader rd;
    struct raw_record rec;
    int rc = seg_open(&rd, s, false, e);
    if (rc == ZB_OK) rc = seg_skip(&rd, after + 1, e);
    while (rc == ZB_OK && (rc = seg_next(&rd, &rec, e)) == 1) rc = rec.seq > after ? fn(arg, &rec, e) : ZB_OK;
    *next = rd.next;
    seg_close(&rd);
    return rc;
}

int raw_read(const char *dir, uint64_t after, record_fn *fn, void *arg, struct zb_err *e) {
    struct segment *s = NULL;
    uint64_t next;
    int n = 0, rc = segments_list(dir, &s, &n, e);
    for (int i = 0; i < n && rc == ZB_OK; i++) {
        if (i + 1 < n && s[i + 1].first <= after + 1) continue;
        rc = segment_read(&s[i], after, fn, arg, &next, e);
        if (rc == ZB_OK && i + 1 < n && s[i + 1].first != next)
            rc = zb_fail(e, ZB_E_IO, "%s: records %llu to %llu before it are missing", s[i + 1].path, (unsigned long long)next,
                         (unsigned long long)s[i + 1].first - 1);
    }
    free(s);
    return rc;
}

int raw_get(const char *dir, struct raw_place at, record_fn *fn, void *arg, struct zb_err *e) {
    struct segment s;
    struct seg_reader rd;
    struct raw_record rec;
    segment_at(dir, at.segment, &s);
    int rc = seg_open(&rd, &s, false, e);
    if (rc == ZB_OK && rd.at.packed) rc = seg_skip(&rd, at.seq, e);
    if (rc == ZB_OK && !rd.at.packed) rd.off = at.offset, rd.next = at.seq;
    while (rc == ZB_OK && (rc = seg_next(&rd, &rec, e)) == 1 && rec.seq < at.seq) rc = ZB_OK;
    if (rc == 0) rc = zb_fail(e, ZB_E_IO, "%s has no record %llu at offset %lld", rd.at.path, (unsigned long long)at.seq, (long long)at.offset);
    if (rc == 1) rc = fn(arg, &rec, e);
    seg_close(&rd);
    return rc;
}

/* ---- as a queue ---- */
void raw_roll(struct raw *r, int64_t bytes) { __atomic_store_n(&r->most, bytes < SEG_MAX ? bytes : SEG_MAX, __ATOMIC_RELAXED); }

int raw_drop(const char *dir, uint64_t seq, int *gone, uint64_t *first, struct zb_err *e) {
    struct segment *s = NULL;
    int n = 0, i = 0, rc = segments_list(dir, &s, &n, e);
    for (; rc == ZB_OK && i + 1 < n && s[i + 1].first <= seq; i++)
        if (segment_remove(dir, s[i].first) != 0) rc = zb_fail(e, ZB_E_IO, "cannot remove %s: %s", s[i].path, strerror(errno));
    *gone = i;
    *first = i < n ? s[i].first : 0;
    free(s);
    return rc;
}

int64_t raw_disk(const char *dir) {
    struct segment *s = NULL;
    struct stat st;
    struct zb_err ignored;
    int n = 0;
    int64_t sum = 0;
    if (segments_list(dir, &s, &n, &ignored) != ZB_OK) return 0;
    for (int i = 0; i < n; i++)
        if (stat(s[i].path, &st) == 0) sum += st.st_size;
    free(s);
    return sum;
}
