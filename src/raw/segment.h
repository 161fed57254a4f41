/* A segment on disk, in one of two forms. Plain (.seg): records as they came, appended to: little-endian, a fixed head, then mine, origin, name and the zstd bytes; a
 * check over each part. Packed (.pack, pack.c): closed for good, blocks of records, each block compressed as a whole. Where both are there the plain one counts. */
#pragma once
#include "raw/raw.h"
#include "base/num.h"
#include <sys/types.h>

#define SEG_MAGIC 0x3152425Au /* "ZBR1" */
#define SEG_MAX ((int64_t)64 << 20)
#define RECORD_MAX ((uint32_t)64 << 20)
#define DIGEST_KEPT 8 /* bytes of a record's digest that are at hand without its bytes */

struct seg_head {
    uint32_t magic, kind;
    uint64_t seq;
    int64_t received;
    uint32_t mine_n, origin_n, name_n, raw_n, z_n, body_crc;
    unsigned char sha256[32];
    uint32_t head_crc, pad;
};
static inline uint64_t seg_body(const struct seg_head *h) { return (uint64_t)h->mine_n + h->origin_n + h->name_n + h->z_n; }
uint32_t crc32_of(uint32_t crc, const void *p, size_t n);
void seg_head_seal(struct seg_head *h);
bool seg_head_good(const struct seg_head *h, uint64_t seq); /* seq 0: any */

/* Segments of DIR by rising first sequence. The array is the caller's to free(). */
struct segment {
    uint64_t first;
    bool packed;
    char path[460];
};
ZB_MUST int segments_list(const char *dir, struct segment **ret, int *n, struct zb_err *e);
void segment_at(const char *dir, uint64_t first, struct segment *ret); /* in the form it has now */

int segment_remove(const char *dir, uint64_t first); /* both forms; 0, or -1 with errno */

/* Reads a segment's records one by one, whichever form it has; one that was packed since it was listed is read packed. Zeroed before the first use. */
struct pack_block;
struct seg_reader {
    struct segment at;
    int fd;
    bool heads;    /* only what is known without unpacking: no bytes, and DIGEST_KEPT bytes of the digest */
    uint64_t next; /* number of the record to come */
    int64_t off;   /* plain: of that record; packed: of the next block. Stays at what does not check; -1: the disk could not be read */
    int64_t bytes; /* of the record given last, before compression */
    struct buf body;
    char *out;
    struct pack_block *block;
};
ZB_MUST int seg_open(struct seg_reader *r, const struct segment *s, bool heads, struct zb_err *e);
void seg_close(struct seg_reader *r);
/* Records before seq that can be passed over without reading them are. */
ZB_MUST int seg_skip(struct seg_reader *r, uint64_t seq, struct zb_err *e);
/* 1 read (views live until the next call), 0 end of file, ZB_E_IO what does not check: file, offset and record are named. */
ZB_MUST int seg_next(struct seg_reader *r, struct raw_record *rec, struct zb_err *e);

/* pack.c. Before each block; then its two frames */
#define PACK_MAGIC 0x3150425Au /* "ZBP1" */
struct pack_head {
    uint32_t magic, records;
    uint64_t first;
    uint32_t entries_n, entries_z, bytes_n, bytes_z; /* before and after compression */
    uint32_t entries_crc, bytes_crc, pad, head_crc;
};
void pack_head_seal(struct pack_head *h);
ZB_MUST int pack_next(struct seg_reader *r, struct raw_record *rec, struct zb_err *e);
ZB_MUST int pack_skip(struct seg_reader *r, uint64_t seq, struct zb_err *e);
void pack_block_free(struct pack_block *b);
ssize_t read_at(int fd, void *to, size_t n, int64_t off); /* whole or to the end of file: bytes read, -1 on failure */
int dir_sync(const char *dir);                            /* 0 or -1 with errno */
