/* Samples of points: open heads in memory, sealed chunks in series.db, one a day after the night (scaled-integer
 * differences through an adaptive range coder), and the hours of each day (n, min, max, last, states).
 * Rebuildable from raw/. One writer thread (series_put, series_flush); reads from any thread on their own handle, heads included.
 * A sample with the time of an existing one replaces it (a correction); late ones are merged on read and when sealed. */
#pragma once
#include "model/point.h"
#include "store/db.h"

struct series;
ZB_MUST int series_open(const char *path, struct series **ret, struct zb_err *e);
void series_close(struct series *s);
ZB_MUST int series_put(struct series *s, struct str mine, struct str point, const struct sample *v, int n, struct zb_err *e);
/* The same for samples of many points of one family of uploads, rising by time within each: one lock for all. */
ZB_MUST int series_put_all(struct series *s, struct str mine, struct str family, const struct observation *o, int n, struct zb_err *e);
/* Makes everything put so far durable, together with the input number it came from (one transaction). Seals full heads. */
ZB_MUST int series_flush(struct series *s, uint64_t input, struct zb_err *e);
/* The same for a share of the points each time: what series_input then says is what a restart must step from. */
ZB_MUST int series_flush_some(struct series *s, uint64_t input, struct zb_err *e);
uint64_t series_input(const struct series *s); /* last flushed input number */
/* Samples from <= t < to, rising. The array is the caller's to free(). */
ZB_MUST int series_read(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, struct sample **ret, int *n, struct zb_err *e);
struct bucket {
    zb_time t;
    zb_fix min, max, last;
    int n;
    uint32_t states;
}; /* t: start of the bucket; min NONE when only valueless samples */
/* Makes one chunk of each day's parts, and its hours beside it, for days before `before` (Beijing day): at most `most` point-days, oldest first.
 * *did 0: nothing is left to do. A late sample undoes its day, which is then done again. */
ZB_MUST int series_compact(struct series *s, int32_t before, int most, int *did, struct zb_err *e);
/* Drops day chunks older than the days kept for their point's family ("": not known), at most `most` points a call; the hours stay for ever.
 * A point silent since before today is made ready to be compacted, however little its last day had. *did: points looked at; 0: all have been, and the next call begins anew. */
ZB_MUST int series_forget(struct series *s, int32_t today, int (*days)(const void *arg, const char *family), const void *arg, int most, int *did,
                          struct zb_err *e);
/* Buckets of whole hours, and of days whose samples were dropped, come from the hours kept.
 * At most `buckets` buckets of equal length over [from,to), empty ones left out. */
ZB_MUST int series_buckets(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, int buckets, struct bucket **ret, int *n,
                           struct zb_err *e);
/* codec, pure; for tests and bench */
ZB_MUST int chunk_encode(const struct sample *v, int n, struct buf *out, struct zb_err *e); /* rising by time */
ZB_MUST int chunk_decode(struct str bytes, struct sample **ret, int *n, struct zb_err *e);
