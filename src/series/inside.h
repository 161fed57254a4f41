/* What the files of this folder share: a point in memory. */
#pragma once
#include "base/map.h"
#include "series/series.h"
#include <pthread.h>

#define SEAL 240 /* samples after which a head becomes a chunk */
#define LATE_MAX 512
#define LATE_FEW 16 /* late samples after which they are tried in the head */
#define SHARE 30    /* a point's head is stored every so many flushes */

/* head.c: a zeroed one is empty */
struct head {
    unsigned char *p;
    uint32_t n, cap;
    int samples;
    struct head_last {
        uint8_t scale; /* decimal zeros of all values so far */
        uint32_t state;
        zb_time t, step;
        int64_t v; /* in 10^scale */
    } last;
};
void head_add(struct head *h, const struct sample *x);              /* later than the last */
void head_samples(const struct head *h, struct sample **v, int *n); /* appended to *v */
void head_done(struct head *h);
struct blocks { /* encoded chunks, each after its length, in one piece of memory */
    char *p;
    uint32_t n;
};
struct point {
    int64_t id;              /* 0: not in the database yet */
    const char *mine, *code; /* within the map's key */
    const char *family;      /* one of the series' own; "" not known */
    struct head head;
    struct blocks sealed;      /* waiting for the flush */
    zb_time newest, sealed_to; /* newest sample; newest sealed one */
    struct sample *late;       /* came after a later one, in the order they came */
    uint16_t lates, late_cap;
    bool dirty, fresh;   /* fresh: its id is of a transaction not yet committed */
    bool moved;          /* its family is not the one stored */
    uint64_t since;      /* flushed input when it became dirty */
    struct point *after; /* whose sample came after its own: files keep their order */
};

struct series {
    struct db *db, *rdb;
    pthread_mutex_t lock, rlock;
    struct map points;
    struct point **list;
    int n, cap, next;
    int forget;          /* next point to drop samples of */
    char family[64][16]; /* all that points have; family[0] is "" */
    int families;
    uint64_t current, input; /* last flush; what a restart may trust */
};

struct point *point_get(struct series *s, struct str mine, struct str code, bool make);
const char *family_of(struct series *s, struct str name);
bool block_next(const struct blocks *l, uint32_t *at, struct str *data);                /* *at begins at 0 */
int blocks_decode(const struct blocks *l, struct sample **v, int *n, struct zb_err *e); /* appended to *v */
void samples_tidy(struct sample *v, int *n);                                            /* rising by time; of equal times the later one in the array stays */
int chunk_store(struct series *s, int64_t point, const struct sample *v, int n, bool whole, struct str data, struct zb_err *e); /* in a transaction */
/* Unsigned numbers, seven bits a byte. */
#define VARINT_MAX 10
static inline int varint_put(unsigned char *to, uint64_t v) {
    int n = 0;
    for (; v >= 128; v >>= 7) to[n++] = (unsigned char)(v | 128);
    to[n++] = (unsigned char)v;
    return n;
}
static inline uint64_t varint_get(const unsigned char **p, const unsigned char *end, bool *bad) {
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && *p < end; shift += 7) {
        unsigned char c = *(*p)++;
        v |= (uint64_t)(c & 127) << shift;
        if (!(c & 128)) return v;
    }
    *bad = true;
    return 0;
}
int head_seal(struct point *p, struct zb_err *e);
int point_store(struct series *s, struct point *p, struct zb_err *e); /* in a transaction; then stored, or back */
void point_stored(struct point *p);
void point_back(struct point *p);
int commit_or_back(struct series *s, int rc, struct zb_err *e);
void bucket_take(struct bucket *k, const struct sample *v);
/* compact.c: the hours of a day as bytes and back; b has 24 places */
int roll_encode(const struct sample *v, int n, struct buf *out);
ZB_MUST int roll_decode(struct str bytes, int32_t day, struct bucket b[24], int *n, struct zb_err *e);
