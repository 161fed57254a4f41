/* What the files of this folder share: a point in memory. */
#pragma once
#include "base/map.h"
#include "series/series.h"
#include <pthread.h>

#define TAIL 8   /* plain samples a point */
#define JOIN 64  /* samples after which short blocks become one */
#define SEAL 240 /* samples after which a head becomes a chunk */
#define LATE_MAX 512
#define SHARE 30 /* a point's head is stored every so many flushes */

struct blocks { /* encoded chunks, each after its length, in one piece of memory */
    char *p;
    uint32_t n, cap;
    int samples;
    uint32_t joined; /* bytes of blocks that are joined already */
    int joined_samples;
};
struct point {
    int64_t id;               /* 0: not in the database yet */
    const char *mine, *code;  /* within the map's key */
    const char *family;       /* one of the series' own; "" not known */
    struct sample tail[TAIL]; /* rising */
    int tails;
    struct blocks head, sealed; /* encoded: before the tail; waiting for the flush */
    zb_time newest, sealed_to;  /* newest sample; newest sealed one */
    zb_time midnight;           /* after the newest */
    struct sample *late;
    int lates;
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
int head_seal(struct point *p, struct zb_err *e);
int point_store(struct series *s, struct point *p, struct zb_err *e); /* in a transaction; then stored, or back */
void point_stored(struct point *p);
void point_back(struct point *p);
int commit_or_back(struct series *s, int rc, struct zb_err *e);
void bucket_take(struct bucket *k, const struct sample *v);
/* compact.c: the hours of a day as bytes and back; b has 24 places */
int roll_encode(const struct sample *v, int n, struct buf *out);
ZB_MUST int roll_decode(struct str bytes, int32_t day, struct bucket b[24], int *n, struct zb_err *e);
