/* Bytes of a record on disk. Little-endian, fixed head, then mine, origin, name and the zstd bytes; a check over each part. */
#pragma once
#include "raw/raw.h"
#include "base/num.h"

#define SEG_MAGIC 0x3152425Au /* "ZBR1" */
#define SEG_MAX ((int64_t)64 << 20)
#define RECORD_MAX ((uint32_t)64 << 20)

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

/* Segment files of DIR by rising first sequence. The array is the caller's to free(). */
struct segment {
    uint64_t first;
    char path[460];
};
ZB_MUST int segments_list(const char *dir, struct segment **ret, int *n, struct zb_err *e);

/* Reads one record's head and body at *off; 1 read, 0 end of file, ZB_E_IO what does not check (*off stays). body is grown as needed, NUL-ended. */
struct seg_reader {
    int fd;
    const char *path;
    int64_t off;
    struct buf *body;
};
ZB_MUST int seg_next(struct seg_reader *r, uint64_t seq, struct seg_head *h, struct zb_err *e);
