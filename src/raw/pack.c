/* The packed form of a segment, and the making of it. A block holds records in a row; within it they lie sorted by mine and name, so that files of one kind and
 * mine are neighbours, and are compressed as one. A block is whole or nothing: head, then two zstd frames, each under a check of its compressed bytes:
 *   entries  a fixed part of each record, byte plane by byte plane (what is alike lies together), then mine, origin and name of each
 *   bytes    of each
 * Of a digest the first eight bytes are kept for the memory of repeats; the whole is made anew from the bytes whenever they are read, and those eight must agree. */
#include "raw/segment.h"
#include "store/db.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define BLOCK_BYTES ((size_t)32 << 20)
#define BLOCK_RECORDS 65536
#define LEVEL 9
#define TEXT_MAX 4096 /* names of a record together; raw_append refuses more */

struct pack_entry {
    int64_t received;
    unsigned char digest[DIGEST_KEPT];
    uint32_t index; /* place in the row of numbers */
    uint32_t raw_n;
    uint16_t mine_n, origin_n, name_n, kind;
};
struct pack_block {
    struct pack_head head;
    struct pack_entry *entry;
    const char **text, **data; /* of each entry */
    uint32_t *order;           /* entry of each number */
    char *texts, *bytes;
    uint32_t at; /* records given */
};

void pack_block_free(struct pack_block *b) {
    if (!b) return;
    free(b->entry), free(b->text), free(b->data), free(b->order), free(b->texts), free(b->bytes);
    free(b);
}

static uint32_t head_crc(const struct pack_head *h) { return crc32_of(0, h, offsetof(struct pack_head, head_crc)); }
void pack_head_seal(struct pack_head *h) {
    h->magic = PACK_MAGIC;
    h->pad = 0;
    h->head_crc = head_crc(h);
}

/* ---- reading ---- */
static int damaged(const struct seg_reader *r, const struct pack_head *h, const char *what, struct zb_err *e) {
    return zb_fail(e, ZB_E_IO, "%s at offset %lld: %s of records %llu to %llu are damaged", r->at.path, (long long)r->off, what, (unsigned long long)h->first,
                   (unsigned long long)(h->first + h->records - 1));
}

/* 1: a head, 0: end of file. */
static int head_read(const struct seg_reader *r, struct pack_head *h, struct zb_err *e) {
    ssize_t n = read_at(r->fd, h, sizeof *h, r->off);
    if (n == 0) return 0;
    if (n < 0) return zb_fail(e, ZB_E_IO, "cannot read %s at %lld: %s", r->at.path, (long long)r->off, strerror(errno));
    if (n < (ssize_t)sizeof *h || h->magic != PACK_MAGIC || h->head_crc != head_crc(h) || h->first != r->next || !h->records || h->records > BLOCK_RECORDS ||
        h->entries_n > RECORD_MAX || h->entries_z > RECORD_MAX || h->bytes_n > RECORD_MAX || h->bytes_z > RECORD_MAX)
        return zb_fail(e, ZB_E_IO, "%s at offset %lld: the head of the block with record %llu is damaged", r->at.path, (long long)r->off,
                       (unsigned long long)r->next);
    return 1;
}

/* A frame whose check agrees, unpacked to exactly n bytes; NULL else. The caller's to free(). */
static char *frame_read(int fd, int64_t off, uint32_t z_n, uint32_t crc, uint32_t n) {
    char *z = malloc((size_t)z_n + 1), *out = malloc((size_t)n + 1);
    bool good = z && out && read_at(fd, z, z_n, off) == (ssize_t)z_n && crc32_of(0, z, z_n) == crc && ZSTD_decompress(out, n, z, z_n) == n;
    free(z);
    if (good) return out;
    free(out);
    return NULL;
}

static void planes_join(const char *from, struct pack_entry *to, uint32_t n) {
    unsigned char *t = (unsigned char *)to;
    for (size_t k = 0; k < sizeof *to; k++)
        for (uint32_t i = 0; i < n; i++) t[i * sizeof *to + k] = (unsigned char)from[k * n + i];
}

/* Lengths must add up and numbers be each there once: what a check cannot know. */
static bool entries_take(struct pack_block *b) {
    uint32_t n = b->head.records;
    size_t fixed = n * sizeof(struct pack_entry), texts = fixed, bytes = 0;
    if (b->head.entries_n < fixed) return false;
    b->entry = xmalloc(fixed);
    planes_join(b->texts, b->entry, n);
    b->text = xmalloc(n * sizeof *b->text);
    b->data = xmalloc(n * sizeof *b->data);
    b->order = xmalloc(n * sizeof *b->order);
    memset(b->order, 0xff, n * sizeof *b->order);
    for (uint32_t i = 0; i < n; i++) {
        const struct pack_entry *x = &b->entry[i];
        size_t text = (size_t)x->mine_n + x->origin_n + x->name_n;
        if (x->index >= n || b->order[x->index] != UINT32_MAX || text > b->head.entries_n - texts || x->raw_n > b->head.bytes_n - bytes) return false;
        b->order[x->index] = i;
        b->text[i] = b->texts + texts;
        b->data[i] = b->bytes ? b->bytes + bytes : "";
        texts += text;
        bytes += x->raw_n;
    }
    return texts == b->head.entries_n && bytes == b->head.bytes_n;
}

static int block_read(struct seg_reader *r, struct zb_err *e) {
    struct pack_head h;
    int rc = head_read(r, &h, e);
    if (rc != 1) return rc;
    struct pack_block *b = r->block = xcalloc(1, sizeof *b);
    int64_t at = r->off + (int64_t)sizeof h;
    b->head = h;
    b->texts = frame_read(r->fd, at, h.entries_z, h.entries_crc, h.entries_n);
    if (!b->texts) return damaged(r, &h, "the names", e);
    if (!r->heads && !(b->bytes = frame_read(r->fd, at + h.entries_z, h.bytes_z, h.bytes_crc, h.bytes_n))) return damaged(r, &h, "the bytes", e);
    if (!entries_take(b)) return damaged(r, &h, "the lengths", e);
    r->off = at + h.entries_z + h.bytes_z;
    return 1;
}

int pack_next(struct seg_reader *r, struct raw_record *rec, struct zb_err *e) {
    if (!r->block || r->block->at == r->block->head.records) {
        pack_block_free(r->block);
        r->block = NULL;
        int rc = block_read(r, e);
        if (rc != 1) return rc;
    }
    struct pack_block *b = r->block;
    uint32_t i = b->order[b->at++];
    const struct pack_entry *x = &b->entry[i];
    const char *t = b->text[i];
    *rec = (struct raw_record){.seq = r->next,
                               .kind = (enum raw_kind)x->kind,
                               .received = x->received,
                               .mine = {t, x->mine_n},
                               .origin = {t + x->mine_n, x->origin_n},
                               .name = {t + x->mine_n + x->origin_n, x->name_n},
                               .bytes = {b->data[i], r->heads ? 0 : x->raw_n},
                               .digested = true,
                               .place = {r->at.first, 0, r->next}};
    if (r->heads)
        memcpy(rec->sha256, x->digest, DIGEST_KEPT);
    else
        SHA256((const unsigned char *)rec->bytes.p, rec->bytes.n, rec->sha256);
    if (memcmp(rec->sha256, x->digest, DIGEST_KEPT) != 0)
        return zb_fail(e, ZB_E_IO, "%s: the bytes of record %llu do not have the digest they had", r->at.path, (unsigned long long)r->next);
    r->bytes = x->raw_n;
    r->next++;
    return 1;
}

int pack_skip(struct seg_reader *r, uint64_t seq, struct zb_err *e) {
    struct pack_head h;
    int rc;
    while ((rc = head_read(r, &h, e)) == 1 && h.first + h.records <= seq) {
        r->off += (int64_t)sizeof h + h.entries_z + h.bytes_z;
        r->next += h.records;
    }
    return rc < 0 ? rc : ZB_OK;
}

/* ---- making ---- */
struct member {
    struct pack_entry x;
    size_t text, data; /* where in the gathered ones */
};
struct maker {
    int fd;
    int64_t off;
    uint64_t first; /* of the block */
    struct member *m;
    uint32_t n;
    struct buf text, data, out;
    ZSTD_CCtx *z;
};

static int by_name(const void *a, const void *b, void *arg) {
    const struct member *x = a, *y = b;
    const struct buf *text = arg;
    const char *p = text->p + x->text, *q = text->p + y->text;
    size_t n = (size_t)x->x.mine_n + x->x.origin_n + x->x.name_n, k = (size_t)y->x.mine_n + y->x.origin_n + y->x.name_n;
    int d = memcmp(p, q, n < k ? n : k);
    if (d) return d;
    if (n != k) return n < k ? -1 : 1;
    return x->x.index < y->x.index ? -1 : x->x.index > y->x.index;
}

/* One frame out of pieces, appended to m->out. */
static int piece_put(struct maker *m, const char *p, size_t n, ZSTD_EndDirective how, struct zb_err *e) {
    ZSTD_inBuffer in = {p, n, 0};
    char part[65536];
    for (size_t left = 1; in.pos < n || (how == ZSTD_e_end && left);) {
        ZSTD_outBuffer out = {part, sizeof part, 0};
        left = ZSTD_compressStream2(m->z, &out, &in, how);
        if (ZSTD_isError(left)) return zb_fail(e, ZB_E_IO, "zstd: %s", ZSTD_getErrorName(left));
        buf_put(&m->out, part, out.pos);
    }
    return ZB_OK;
}

static int entries_put(struct maker *m, struct pack_head *h, struct zb_err *e) {
    char *plane = xmalloc((size_t)m->n * sizeof(struct pack_entry));
    for (size_t k = 0; k < sizeof(struct pack_entry); k++)
        for (uint32_t i = 0; i < m->n; i++) plane[k * m->n + i] = ((const char *)&m->m[i].x)[k];
    int rc = piece_put(m, plane, (size_t)m->n * sizeof(struct pack_entry), ZSTD_e_continue, e);
    free(plane);
    for (uint32_t i = 0; i < m->n && rc == ZB_OK; i++) {
        const struct pack_entry *x = &m->m[i].x;
        rc = piece_put(m, m->text.p + m->m[i].text, (size_t)x->mine_n + x->origin_n + x->name_n, ZSTD_e_continue, e);
    }
    h->entries_n = (uint32_t)((size_t)m->n * sizeof(struct pack_entry) + m->text.n);
    return rc == ZB_OK ? piece_put(m, "", 0, ZSTD_e_end, e) : rc;
}

static int whole_write(int fd, const void *p, size_t n, int64_t off, struct zb_err *e) {
    errno = EIO;
    for (size_t got = 0; got < n;) {
        ssize_t k = zb_fault() ? -1 : pwrite(fd, (const char *)p + got, n - got, off + (int64_t)got);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return zb_fail(e, ZB_E_IO, "cannot write a pack of the fact log: %s", strerror(errno));
        got += (size_t)k;
    }
    return ZB_OK;
}

static int block_put(struct maker *m, struct zb_err *e) {
    if (!m->n) return ZB_OK;
    struct pack_head h = {.records = m->n, .first = m->first, .bytes_n = (uint32_t)m->data.n};
    qsort_r(m->m, m->n, sizeof *m->m, by_name, &m->text);
    buf_clear(&m->out);
    if (entries_put(m, &h, e) != ZB_OK) return e->rc;
    h.entries_z = (uint32_t)m->out.n;
    for (uint32_t i = 0; i < m->n; i++)
        if (piece_put(m, m->data.p + m->m[i].data, m->m[i].x.raw_n, ZSTD_e_continue, e) != ZB_OK) return e->rc;
    if (piece_put(m, "", 0, ZSTD_e_end, e) != ZB_OK) return e->rc;
    if (m->out.over || m->data.over || m->text.over) return zb_fail(e, ZB_E_LIMIT, "a block of the fact log is too large to be packed");
    h.bytes_z = (uint32_t)m->out.n - h.entries_z;
    h.entries_crc = crc32_of(0, m->out.p, h.entries_z);
    h.bytes_crc = crc32_of(0, m->out.p + h.entries_z, h.bytes_z);
    pack_head_seal(&h);
    if (whole_write(m->fd, &h, sizeof h, m->off, e) != ZB_OK || whole_write(m->fd, m->out.p, m->out.n, m->off + (int64_t)sizeof h, e) != ZB_OK) return e->rc;
    m->off += (int64_t)(sizeof h + m->out.n);
    m->first += m->n;
    m->n = 0;
    buf_clear(&m->text), buf_clear(&m->data);
    return ZB_OK;
}

static int record_put(struct maker *m, const struct raw_record *r, struct zb_err *e) {
    if (r->mine.n + r->origin.n + r->name.n > TEXT_MAX) return zb_fail(e, ZB_E_LIMIT, "record %llu has too long a name", (unsigned long long)r->seq);
    if (m->n && (m->data.n + r->bytes.n > BLOCK_BYTES || m->text.n > BLOCK_BYTES || m->n == BLOCK_RECORDS) && block_put(m, e) != ZB_OK) return e->rc;
    struct member *x = &m->m[m->n];
    *x = (struct member){{.received = r->received,
                          .index = m->n,
                          .raw_n = (uint32_t)r->bytes.n,
                          .mine_n = (uint16_t)r->mine.n,
                          .origin_n = (uint16_t)r->origin.n,
                          .name_n = (uint16_t)r->name.n,
                          .kind = (uint16_t)r->kind},
                         m->text.n,
                         m->data.n};
    memcpy(x->x.digest, r->sha256, DIGEST_KEPT);
    buf_put(&m->text, r->mine.p, r->mine.n), buf_put(&m->text, r->origin.p, r->origin.n), buf_put(&m->text, r->name.p, r->name.n);
    buf_put(&m->data, r->bytes.p, r->bytes.n);
    m->n++;
    return ZB_OK;
}

struct going {
    bool (*go)(void *);
    void *arg;
    uint32_t asked;
};
static bool on(struct going *g) { return !g->go || g->asked++ % 256 || g->go(g->arg); }

/* 1 done, 0 told to stop. */
static int make(const struct segment *s, int fd, struct going *g, struct zb_err *e) {
    struct maker m = {.fd = fd, .first = s->first, .m = xmalloc(BLOCK_RECORDS * sizeof *m.m), .z = ZSTD_createCCtx()};
    struct seg_reader r;
    struct raw_record rec;
    bool going = true;
    buf_init(&m.text, RECORD_MAX), buf_init(&m.data, RECORD_MAX), buf_init(&m.out, RECORD_MAX);
    int rc = seg_open(&r, s, false, e);
    if (rc == ZB_OK && (!m.z || ZSTD_isError(ZSTD_CCtx_setParameter(m.z, ZSTD_c_compressionLevel, LEVEL)))) rc = zb_fail(e, ZB_E_IO, "zstd cannot be set up");
    while (rc == ZB_OK && (going = on(g)) && (rc = seg_next(&r, &rec, e)) == 1) rc = record_put(&m, &rec, e);
    if (rc == ZB_OK && going) rc = block_put(&m, e) == ZB_OK ? 1 : e->rc;
    seg_close(&r);
    ZSTD_freeCCtx(m.z);
    free(m.m);
    buf_done(&m.text), buf_done(&m.data), buf_done(&m.out);
    return rc;
}

static bool same(const struct raw_record *a, const struct raw_record *b) {
    return a->seq == b->seq && a->kind == b->kind && a->received == b->received && str_eq(a->mine, b->mine) && str_eq(a->origin, b->origin) &&
           str_eq(a->name, b->name) && str_eq(a->bytes, b->bytes) && !memcmp(a->sha256, b->sha256, sizeof a->sha256);
}

/* of the records in order: each SHA-256(what was, digest), from zeros */
static void chain_add(unsigned char root[32], const struct raw_record *r) {
    unsigned char both[64];
    memcpy(both, root, 32);
    memcpy(both + 32, r->sha256, 32);
    SHA256(both, sizeof both, root);
}

int raw_chain(const char *dir, uint64_t first, struct raw_packed *ret, struct zb_err *e) {
    struct segment s;
    struct seg_reader r;
    struct raw_record rec;
    *ret = (struct raw_packed){.first = first};
    segment_at(dir, first, &s);
    int rc = seg_open(&r, &s, false, e);
    while (rc == ZB_OK && (rc = seg_next(&r, &rec, e)) == 1) {
        chain_add(ret->root, &rec);
        ret->records++;
        rc = ZB_OK;
    }
    struct stat st;
    if (r.fd >= 0 && fstat(r.fd, &st) == 0) ret->after = st.st_size;
    seg_close(&r);
    return rc;
}

/* The pack is read back beside the segment: every record, every byte. 1 equal, 0 told to stop. */
static int compare(const struct segment *s, const struct segment *packed, struct going *g, struct raw_packed *ret, struct zb_err *e) {
    struct seg_reader a, b;
    struct raw_record x, y;
    bool going = true;
    int rc = seg_open(&a, s, false, e), more = 0;
    b = (struct seg_reader){.fd = -1};
    if (rc == ZB_OK) rc = seg_open(&b, packed, false, e);
    while (rc == ZB_OK && (going = on(g)) && (more = seg_next(&a, &x, e)) == 1) {
        rc = seg_next(&b, &y, e) == 1 && same(&x, &y)
                 ? ZB_OK
                 : zb_fail(e, ZB_E_IO, "%s: record %llu is not what %s has", packed->path, (unsigned long long)x.seq, s->path);
        chain_add(ret->root, &x);
        ret->records++;
    }
    if (rc == ZB_OK && more < 0) rc = e->rc;
    if (rc == ZB_OK && !more && going) {
        rc = seg_next(&b, &y, e);
        rc = rc == 0 ? 1 : rc < 0 ? rc : zb_fail(e, ZB_E_IO, "%s has more records than %s", packed->path, s->path);
    }
    seg_close(&a), seg_close(&b);
    return rc;
}

static int swap(const char *dir, const struct segment *s, const char *tmp, const char *path, struct zb_err *e) {
    if (zb_fault() || rename(tmp, path) != 0 || dir_sync(dir) != 0) return zb_fail(e, ZB_E_IO, "cannot name %s: %s", path, strerror(errno));
    /* now both are there and the plain one counts */
    if (zb_fault() || unlink(s->path) != 0 || dir_sync(dir) != 0) return zb_fail(e, ZB_E_IO, "cannot remove %s: %s", s->path, strerror(errno));
    return 1;
}

static int pack_one(const char *dir, const struct segment *s, struct going *g, struct raw_packed *ret, struct zb_err *e) {
    struct segment packed = {.first = s->first, .packed = true};
    char path[460];
    struct stat st;
    snprintf(path, sizeof path, "%.420s/%012llu.pack", dir, (unsigned long long)s->first);
    snprintf(packed.path, sizeof packed.path, "%s.tmp", path);
    ret->first = s->first;
    int fd = open(packed.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", packed.path, strerror(errno));
    if (stat(s->path, &st) == 0) ret->before = st.st_size;
    int rc = make(s, fd, g, e);
    if (rc == 1 && (zb_fault() || fsync(fd) != 0)) rc = zb_fail(e, ZB_E_IO, "cannot sync %s: %s", packed.path, strerror(errno));
    if (fstat(fd, &st) == 0) ret->after = st.st_size;
    close(fd);
    if (rc == 1) rc = compare(s, &packed, g, ret, e);
    if (rc == 1) rc = swap(dir, s, packed.path, path, e);
    if (rc != 1) unlink(packed.path);
    return rc;
}

int raw_hold(const char *dir, bool alone) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, alone ? LOCK_EX | LOCK_NB : LOCK_SH) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int raw_packs(const char *dir, int (*fn)(void *arg, uint64_t first, struct zb_err *e), void *arg, struct zb_err *e) {
    struct segment *s = NULL;
    int n = 0, rc = segments_list(dir, &s, &n, e);
    for (int i = 0; i < n && rc == ZB_OK; i++)
        if (s[i].packed) rc = fn(arg, s[i].first, e);
    free(s);
    return rc;
}

int raw_pack(const char *dir, uint64_t from, bool (*go)(void *arg), void *arg, struct raw_packed *ret, struct zb_err *e) {
    struct segment *s = NULL;
    struct going g = {go, arg, 0};
    *ret = (struct raw_packed){0};
    int n = 0, rc = segments_list(dir, &s, &n, e), i = 0, held = -1;
    while (i < n && (s[i].packed || s[i].first < from)) i++;
    if (rc == ZB_OK && i + 1 < n && (held = raw_hold(dir, true)) >= 0) rc = pack_one(dir, &s[i], &g, ret, e);
    if (held >= 0) close(held);
    free(s);
    return rc;
}
