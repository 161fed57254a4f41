#include "raw/segment.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
    uint64_t x = ((const struct segment *)a)->first, y = ((const struct segment *)b)->first;
    return x < y ? -1 : x > y;
}

int segments_list(const char *dir, struct segment **ret, int *n, struct zb_err *e) {
    *ret = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d) return zb_fail(e, ZB_E_IO, "cannot read folder %s: %s", dir, strerror(errno));
    for (struct dirent *f; (f = readdir(d));) {
        struct str tail, head = str_cut(str_of(f->d_name), '.', &tail);
        int64_t first;
        if (!tail.p || !str_is(tail, "seg") || !num_i64(head, 1, INT64_MAX, &first)) continue;
        *ret = xrealloc(*ret, (size_t)(*n + 1) * sizeof **ret);
        struct segment *s = &(*ret)[(*n)++];
        s->first = (uint64_t)first;
        snprintf(s->path, sizeof s->path, "%.420s/%.30s", dir, f->d_name);
    }
    closedir(d);
    if (*n) qsort(*ret, (size_t)*n, sizeof **ret, by_first);
    return ZB_OK;
}

/* Whole or end of file: number of bytes read, -1 on failure. */
static ssize_t read_at(int fd, void *to, size_t n, int64_t off) {
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

int seg_next(struct seg_reader *r, uint64_t seq, struct seg_head *h, struct zb_err *e) {
    ssize_t n = read_at(r->fd, h, sizeof *h, r->off);
    if (n == 0) return 0;
    if (n < 0) return zb_fail(e, ZB_E_IO, "cannot read %s at %lld: %s", r->path, (long long)r->off, strerror(errno));
    if (n < (ssize_t)sizeof *h || !seg_head_good(h, seq))
        return zb_fail(e, ZB_E_IO, "%s at offset %lld: the record's head is damaged", r->path, (long long)r->off);
    size_t want = (size_t)seg_body(h);
    buf_clear(r->body);
    char part[65536];
    uint32_t crc = 0;
    for (size_t got = 0; got < want;) {
        size_t k = want - got < sizeof part ? want - got : sizeof part;
        n = read_at(r->fd, part, k, r->off + (int64_t)sizeof *h + (int64_t)got);
        if (n < (ssize_t)k) return zb_fail(e, ZB_E_IO, "%s at offset %lld: record %llu is cut short", r->path, (long long)r->off, (unsigned long long)h->seq);
        crc = crc32_of(crc, part, k);
        buf_put(r->body, part, k);
        got += k;
    }
    if (crc != h->body_crc || r->body->over)
        return zb_fail(e, ZB_E_IO, "%s at offset %lld: record %llu is damaged", r->path, (long long)r->off, (unsigned long long)h->seq);
    r->off += (int64_t)sizeof *h + (int64_t)want;
    return 1;
}
