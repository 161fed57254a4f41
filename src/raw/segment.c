#include "raw/segment.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

static uint32_t crc_table[8][256];

__attribute__((constructor)) static void crc_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0x82F63B78u ^ (c >> 1) : c >> 1; /* Castagnoli, reflected */
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++) crc_table[t][i] = (crc_table[t - 1][i] >> 8) ^ crc_table[0][crc_table[t - 1][i] & 255];
}

uint32_t crc32_of(uint32_t crc, const void *data, size_t n) {
    const unsigned char *p = data;
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + 4, 4);
        a ^= crc;
        crc = crc_table[7][a & 255] ^ crc_table[6][(a >> 8) & 255] ^ crc_table[5][(a >> 16) & 255] ^ crc_table[4][a >> 24] ^ crc_table[3][b & 255] ^
              crc_table[2][(b >> 8) & 255] ^ crc_table[1][(b >> 16) & 255] ^ crc_table[0][b >> 24];
    }
    for (; n; n--, p++) crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 255];
    return ~crc;
}

static uint32_t head_crc(const struct seg_head *h) { return crc32_of(0, h, offsetof(struct seg_head, head_crc)); }
void seg_head_seal(struct seg_head *h) {
    h->magic = SEG_MAGIC;
    h->pad = 0;
    h->head_crc = head_crc(h);
}
bool seg_head_good(const struct seg_head *h, uint64_t seq) {
    return h->magic == SEG_MAGIC && h->head_crc == head_crc(h) && (!seq || h->seq == seq) && seg_body(h) <= RECORD_MAX;
}

static int by_first(const void *a, const void *b) {
    const struct segment *x = a, *y = b;
    return x->first != y->first ? (x->first < y->first ? -1 : 1) : x->packed - y->packed;
}

int segments_list(const char *dir, struct segment **ret, int *n, struct zb_err *e) {
    *ret = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d) return zb_fail(e, ZB_E_IO, "cannot read folder %s: %s", dir, strerror(errno));
    int all = 0;
    for (struct dirent *f; (f = readdir(d));) {
        struct str tail, head = str_cut(str_of(f->d_name), '.', &tail);
        int64_t first;
        bool packed = str_is(tail, "pack");
        if (!tail.p || (!packed && !str_is(tail, "seg")) || !num_i64(head, 1, INT64_MAX, &first)) continue;
        *ret = xrealloc(*ret, (size_t)(all + 1) * sizeof **ret);
        struct segment *s = &(*ret)[all++];
        *s = (struct segment){.first = (uint64_t)first, .packed = packed};
        snprintf(s->path, sizeof s->path, "%.420s/%.30s", dir, f->d_name);
    }
    closedir(d);
    if (all) qsort(*ret, (size_t)all, sizeof **ret, by_first);
    for (int i = 0; i < all; i++) /* of two forms the plain one, which sorts first */
        if (!*n || (*ret)[*n - 1].first != (*ret)[i].first) (*ret)[(*n)++] = (*ret)[i];
    return ZB_OK;
}

static void segment_name(const char *dir, uint64_t first, bool packed, struct segment *ret) {
    *ret = (struct segment){.first = first, .packed = packed};
    snprintf(ret->path, sizeof ret->path, "%.420s/%012llu.%s", dir, (unsigned long long)first, packed ? "pack" : "seg");
}

void segment_at(const char *dir, uint64_t first, struct segment *ret) {
    segment_name(dir, first, false, ret);
    if (access(ret->path, F_OK) != 0) segment_name(dir, first, true, ret);
}

int segment_remove(const char *dir, uint64_t first) {
    for (int packed = 1; packed >= 0; packed--) { /* a pack left alone would count again */
        struct segment s;
        segment_name(dir, first, packed, &s);
        if (unlink(s.path) != 0 && errno != ENOENT) return -1;
    }
    return 0;
}

int dir_sync(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

ssize_t read_at(int fd, void *to, size_t n, int64_t off) {
    size_t got = 0;
    while (got < n) {
        ssize_t k = pread(fd, (char *)to + got, n - got, off + (int64_t)got);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return -1;
        if (k == 0) break;
        got += (size_t)k;
    }
    return (ssize_t)got;
}

/* ---- reading one by one ---- */
int seg_open(struct seg_reader *r, const struct segment *s, bool heads, struct zb_err *e) {
    *r = (struct seg_reader){.at = *s, .heads = heads, .next = s->first};
    buf_init(&r->body, RECORD_MAX + 1);
    r->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0 && errno == ENOENT && !s->packed) { /* since it was listed */
        size_t n = strlen(r->at.path) - strlen("seg");
        r->at.packed = true;
        snprintf(r->at.path + n, sizeof r->at.path - n, "pack");
        r->fd = open(r->at.path, O_RDONLY | O_CLOEXEC);
    }
    return r->fd < 0 ? zb_fail(e, ZB_E_IO, "cannot open %s: %s", r->at.path, strerror(errno)) : ZB_OK;
}

void seg_close(struct seg_reader *r) {
    if (r->fd >= 0) close(r->fd);
    r->fd = -1;
    buf_done(&r->body);
    free(r->out);
    r->out = NULL;
    pack_block_free(r->block);
    r->block = NULL;
}

static int unreadable(struct seg_reader *r, struct zb_err *e) {
    zb_fail(e, ZB_E_IO, "cannot read %s at %lld: %s", r->at.path, (long long)r->off, strerror(errno));
    r->off = -1;
    return e->rc;
}

static int body_read(struct seg_reader *r, const struct seg_head *h, struct zb_err *e) {
    size_t want = (size_t)seg_body(h);
    buf_clear(&r->body);
    char part[65536];
    uint32_t crc = 0;
    for (size_t got = 0; got < want;) {
        size_t k = want - got < sizeof part ? want - got : sizeof part;
        ssize_t n = read_at(r->fd, part, k, r->off + (int64_t)sizeof *h + (int64_t)got);
        if (n < 0) return unreadable(r, e);
        if (n < (ssize_t)k)
            return zb_fail(e, ZB_E_IO, "%s at offset %lld: record %llu is cut short", r->at.path, (long long)r->off, (unsigned long long)h->seq);
        crc = crc32_of(crc, part, k);
        buf_put(&r->body, part, k);
        got += k;
    }
    if (crc != h->body_crc || r->body.over)
        return zb_fail(e, ZB_E_IO, "%s at offset %lld: record %llu is damaged", r->at.path, (long long)r->off, (unsigned long long)h->seq);
    return ZB_OK;
}

static int unpack(struct seg_reader *r, const struct seg_head *h, const char *z, struct zb_err *e) {
    free(r->out);
    r->out = h->raw_n < RECORD_MAX ? malloc((size_t)h->raw_n + 1) : NULL;
    size_t n = r->out ? ZSTD_decompress(r->out, h->raw_n, z, h->z_n) : 0;
    if (!r->out || ZSTD_isError(n) || n != h->raw_n)
        return zb_fail(e, ZB_E_IO, "%s at offset %lld: record %llu does not unpack", r->at.path, (long long)r->off, (unsigned long long)h->seq);
    r->out[n] = 0;
    return ZB_OK;
}

int seg_next(struct seg_reader *r, struct raw_record *rec, struct zb_err *e) {
    if (r->at.packed) return pack_next(r, rec, e);
    struct seg_head h;
    ssize_t n = read_at(r->fd, &h, sizeof h, r->off);
    if (n == 0) return 0;
    if (n < 0) return unreadable(r, e);
    if (n < (ssize_t)sizeof h || !seg_head_good(&h, r->next))
        return zb_fail(e, ZB_E_IO, "%s at offset %lld: the record's head is damaged", r->at.path, (long long)r->off);
    if (body_read(r, &h, e) != ZB_OK) return e->rc;
    const char *p = r->body.p ? r->body.p : "";
    if (!r->heads && unpack(r, &h, p + h.mine_n + h.origin_n + h.name_n, e) != ZB_OK) return e->rc;
    *rec = (struct raw_record){.seq = h.seq,
                               .kind = (enum raw_kind)h.kind,
                               .received = h.received,
                               .mine = {p, h.mine_n},
                               .origin = {p + h.mine_n, h.origin_n},
                               .name = {p + h.mine_n + h.origin_n, h.name_n},
                               .bytes = {r->heads ? "" : r->out, r->heads ? 0 : h.raw_n},
                               .digested = true,
                               .place = {r->at.first, r->off, h.seq}};
    memcpy(rec->sha256, h.sha256, 32);
    r->bytes = h.raw_n;
    r->off += (int64_t)sizeof h + (int64_t)seg_body(&h);
    r->next++;
    return 1;
}

int seg_skip(struct seg_reader *r, uint64_t seq, struct zb_err *e) { return r->at.packed ? pack_skip(r, seq, e) : ZB_OK; }
