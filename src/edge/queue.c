/* The queue: a fact log of what was taken, and a file of the numbers that are done. What is pending is kept in memory, rising by the time of its name. */
#include "edge/edge.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_HEAD 512 /* a record's head, names and what packing may add, at most */
#define SYNC_EVERY 32   /* done numbers; what is lost of them is sent again and known there */

struct queue {
    char raw_dir[500], done_path[500];
    const char *mine;
    int64_t max, live_within;
    struct raw *raw;
    pthread_mutex_t lock;
    struct queue_item *item;
    int n, cap;
    uint64_t *done; /* rising while loading */
    size_t dones;
    int done_fd, unsynced;
    struct queue_stat stat;
};

static zb_time name_time(struct str name, zb_time absent) {
    for (size_t i = 0, run = 0; i <= name.n; i++) {
        bool digit = i < name.n && name.p[i] >= '0' && name.p[i] <= '9';
        zb_time t;
        if (!digit && run == 14 && zb_time_stamp_parse((struct str){name.p + i - 14, 14}, &t)) return t;
        run = digit ? run + 1 : 0;
    }
    return absent;
}

static void add(struct queue *q, const struct raw_record *r) {
    if (q->n == q->cap) q->item = xrealloc(q->item, (size_t)(q->cap = q->cap ? 2 * q->cap : 256) * sizeof *q->item);
    struct queue_item it = {r->seq, r->place, name_time(r->name, r->received), (int64_t)r->bytes.n};
    int at = q->n++;
    for (; at > 0 && q->item[at - 1].t > it.t; at--) q->item[at] = q->item[at - 1];
    q->item[at] = it;
    q->stat.pending_bytes += it.bytes;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int on_record(void *arg, const struct raw_record *r, struct zb_err *e) {
    (void)e;
    struct queue *q = arg;
    if (!bsearch(&r->seq, q->done, q->dones, sizeof *q->done, by_number)) add(q, r);
    return ZB_OK;
}

static int done_load(struct queue *q, struct zb_err *e) {
    struct stat st;
    q->done_fd = open(q->done_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (q->done_fd < 0 || fstat(q->done_fd, &st) != 0) return zb_fail(e, ZB_E_IO, "cannot open %s: %s", q->done_path, strerror(errno));
    q->dones = (size_t)st.st_size / sizeof *q->done; /* a torn last number is cut off */
    q->done = xmalloc((q->dones + 1) * sizeof *q->done);
    ssize_t want = (ssize_t)(q->dones * sizeof *q->done);
    if (pread(q->done_fd, q->done, (size_t)want, 0) != want || ftruncate(q->done_fd, want) != 0)
        return zb_fail(e, ZB_E_IO, "cannot read %s: %s", q->done_path, strerror(errno));
    qsort(q->done, q->dones, sizeof *q->done, by_number);
    return ZB_OK;
}

int queue_open(const struct edge_config *c, struct queue **ret, struct zb_err *e) {
    struct queue *q = xcalloc(1, sizeof *q);
    snprintf(q->raw_dir, sizeof q->raw_dir, "%.400s/raw", c->dir);
    snprintf(q->done_path, sizeof q->done_path, "%.400s/done", c->dir);
    q->mine = c->mine;
    q->max = c->queue_max;
    q->live_within = c->live_within;
    q->done_fd = -1;
    q->stat.last_sent = ZB_TIME_NONE;
    pthread_mutex_init(&q->lock, NULL);
    if ((mkdir(c->dir, 0700) != 0 && errno != EEXIST) || (mkdir(q->raw_dir, 0700) != 0 && errno != EEXIST)) {
        zb_fail(e, ZB_E_IO, "cannot make folder %s: %s", q->raw_dir, strerror(errno));
        queue_close(q);
        return e->rc;
    }
    if (raw_open(q->raw_dir, &q->raw, e) != ZB_OK) {
        queue_close(q);
        return e->rc;
    }
    raw_roll(q->raw, q->max / 8); /* small segments, so that what is done gives its room back */
    if (done_load(q, e) != ZB_OK || raw_read(q->raw_dir, 0, on_record, q, e) != ZB_OK) {
        queue_close(q);
        return e->rc;
    }
    *ret = q;
    return ZB_OK;
}

void queue_close(struct queue *q) {
    if (!q) return;
    if (q->raw) raw_close(q->raw);
    if (q->done_fd >= 0) {
        fdatasync(q->done_fd);
        close(q->done_fd);
    }
    free(q->item);
    free(q->done);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

int queue_seen(struct queue *q, struct str name, struct str bytes) {
    unsigned char sha[32];
    SHA256((const unsigned char *)(bytes.p ? bytes.p : ""), bytes.n, sha);
    return raw_seen(q->raw, str_of(q->mine), name, sha);
}

int queue_put(struct queue *q, struct str name, struct str bytes, zb_time now, struct zb_err *e) {
    if (queue_seen(q, name, bytes) == 2) return ZB_OK;
    int64_t disk = raw_disk(q->raw_dir);
    if (disk + (int64_t)(bytes.n + RECORD_HEAD) > q->max)
        return zb_fail(e, ZB_E_LIMIT, "the queue is full (%lld of %lld bytes): nothing more is taken until the province has some of it", (long long)disk,
                       (long long)q->max);
    struct raw_record r = {.kind = RAW_UPLOAD, .received = now, .mine = str_of(q->mine), .origin = STR("edge"), .name = name, .bytes = bytes};
    if (raw_append(q->raw, &r, e) != ZB_OK) return e->rc;
    pthread_mutex_lock(&q->lock);
    add(q, &r);
    pthread_mutex_unlock(&q->lock);
    return ZB_OK;
}

int queue_put_table(struct queue *q, const char *mine, struct str csv, zb_time now, struct zb_err *e) {
    for (int i = 0; i < 60; i++) {
        char name[80], stamp[ZB_TIME_CAP];
        snprintf(name, sizeof name, "%s_CSV_%s.csv", mine, zb_time_stamp(now + i * ZB_SECOND, stamp));
        if (queue_seen(q, str_of(name), csv) != 1) return queue_put(q, str_of(name), csv, now, e);
    }
    return zb_fail(e, ZB_E_LIMIT, "more than 60 tables in one minute");
}

struct group {
    struct queue_item *item;
    int n, most;
    int64_t bytes;
    bool full;
};
/* Under lock. */
static void take(const struct queue *q, int from, int to, struct group *g) {
    for (int i = from; i < to && !g->full; i++) {
        g->bytes += q->item[i].bytes + RECORD_HEAD;
        g->full = g->n == g->most || (g->n && g->bytes > EDGE_GROUP_BYTES);
        if (!g->full) g->item[g->n++] = q->item[i];
    }
}

int queue_next(struct queue *q, zb_time now, struct queue_item *ret, int most) {
    struct group g = {.item = ret, .most = most};
    pthread_mutex_lock(&q->lock);
    int live = q->n; /* the first that is not of the backlog */
    while (live > 0 && q->item[live - 1].t >= now - q->live_within) live--;
    take(q, live, q->n, &g);
    for (int from, to = live; to > 0 && !g.full; to = from) {
        for (from = to - 1; from > 0 && q->item[from - 1].t == q->item[to - 1].t;) from--;
        take(q, from, to, &g);
    }
    pthread_mutex_unlock(&q->lock);
    return g.n;
}

int queue_read(struct queue *q, const struct queue_item *i, int (*fn)(void *, const struct raw_record *, struct zb_err *), void *arg, struct zb_err *e) {
    return raw_get(q->raw_dir, i->place, fn, arg, e);
}

/* Under lock. The least number still pending, or the next to come. */
static uint64_t least(const struct queue *q) {
    uint64_t m = raw_last(q->raw) + 1;
    for (int i = 0; i < q->n; i++)
        if (q->item[i].seq < m) m = q->item[i].seq;
    return m;
}

/* Numbers of records that are there no more are forgotten. */
static int done_shrink(struct queue *q, uint64_t first, struct zb_err *e) {
    char tmp[520];
    snprintf(tmp, sizeof tmp, "%s.tmp", q->done_path);
    close(q->done_fd);
    free(q->done);
    q->done = NULL;
    if (done_load(q, e) != ZB_OK) return e->rc;
    size_t k = 0;
    while (k < q->dones && q->done[k] < first) k++;
    size_t n = (q->dones - k) * sizeof *q->done;
    int fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, q->done + k, n) != (ssize_t)n || fdatasync(fd) != 0 || rename(tmp, q->done_path) != 0) {
        zb_fail(e, ZB_E_IO, "cannot write %s: %s", tmp, strerror(errno));
        if (fd >= 0) close(fd);
        return e->rc;
    }
    close(q->done_fd);
    q->done_fd = fd;
    return ZB_OK;
}

/* Under lock. */
static void forget(struct queue *q, uint64_t seq) {
    int k = q->n - 1;
    while (k >= 0 && q->item[k].seq != seq) k--;
    if (k < 0) return;
    q->stat.pending_bytes -= q->item[k].bytes;
    memmove(&q->item[k], &q->item[k + 1], (size_t)(q->n - k - 1) * sizeof *q->item);
    q->n--;
}

/* A write that stops in the middle of a number leaves none of it. */
static int done_write(struct queue *q, const struct queue_item *i, int n, struct zb_err *e) {
    uint64_t seq[EDGE_GROUP];
    struct stat st;
    for (int k = 0; k < n; k++) seq[k] = i[k].seq;
    ssize_t want = (ssize_t)((size_t)n * sizeof *seq), k = write(q->done_fd, seq, (size_t)want);
    if (k == want) return ZB_OK;
    zb_fail(e, ZB_E_IO, "cannot write %s: %s", q->done_path, k < 0 ? strerror(errno) : "the disk is full");
    if (k > 0 && (fstat(q->done_fd, &st) != 0 || ftruncate(q->done_fd, st.st_size - k) != 0)) log_event("event=edge_done_torn path=%s", q->done_path);
    return e->rc;
}

int queue_done(struct queue *q, const struct queue_item *i, int n, int refused, zb_time now, struct zb_err *e) {
    if (done_write(q, i, n, e) != ZB_OK) return e->rc;
    pthread_mutex_lock(&q->lock);
    for (int k = 0; k < n; k++) forget(q, i[k].seq);
    q->stat.sent += n - refused;
    q->stat.refused += refused;
    q->stat.last_sent = now;
    q->unsynced += n;
    bool sync = q->unsynced >= SYNC_EVERY || !q->n;
    uint64_t from = sync ? least(q) : 0;
    if (sync) q->unsynced = 0;
    pthread_mutex_unlock(&q->lock);
    if (!sync) return ZB_OK;
    if (fdatasync(q->done_fd) != 0) return zb_fail(e, ZB_E_IO, "cannot sync %s: %s", q->done_path, strerror(errno));
    int gone = 0;
    uint64_t first = 0;
    if (raw_drop(q->raw_dir, from, &gone, &first, e) != ZB_OK) return e->rc;
    return gone ? done_shrink(q, first, e) : ZB_OK;
}

void queue_stats(struct queue *q, struct queue_stat *ret) {
    pthread_mutex_lock(&q->lock);
    *ret = q->stat;
    ret->pending = q->n;
    ret->oldest = q->n ? q->item[0].t : ZB_TIME_NONE;
    pthread_mutex_unlock(&q->lock);
    ret->disk_bytes = raw_disk(q->raw_dir);
}
