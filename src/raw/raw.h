/* The fact log: append-only segments of uploads under DIR/raw/. A record is (seq, origin, received time, name, SHA-256, zstd bytes, CRC).
 * Many threads append; one log thread writes and fdatasyncs them in groups; raw_append returns only after its record is durable, raw_put's `done` is told.
 * A torn tail (crash in the middle) is cut off at open; anything else that does not check is ZB_E_IO naming segment and offset.
 * Open reads the newest segments only, as many as the two million files whose repeats are known; older ones are checked when they are read.
 * A closed segment may be packed: the same records in a quarter of the room. Every reader takes either form.
 * Sequence numbers are 1,2,3… without holes and are the input sequence. Segment: 64 MiB or a new day. */
#pragma once
#include "base/arena.h"
#include "base/time.h"

enum raw_kind { RAW_UPLOAD = 1, RAW_ACT = 2, RAW_POLICY = 3, RAW_FACTS = 4 };
struct raw_place {    /* where a record lies, to read it alone; holds when its segment is packed, too */
    uint64_t segment; /* its first record */
    int64_t offset;   /* there, while it is not packed */
    uint64_t seq;
};
struct raw_record { /* views valid while the arena or the call lives */
    uint64_t seq;
    enum raw_kind kind;
    zb_time received;
    struct str mine, origin, name, bytes;
    unsigned char sha256[32];
    bool digested; /* raw_append: sha256 is filled in already */
    struct raw_place place;
};
struct raw;
ZB_MUST int raw_open(const char *dir, struct raw **ret, struct zb_err *e);
void raw_close(struct raw *r);
/* Blocks until durable. in->seq, sha256 and place are filled in. ZB_E_IO: nothing was acknowledged, the log is cut back to the last good record and a later append is tried anew. */
ZB_MUST int raw_append(struct raw *r, struct raw_record *in, struct zb_err *e);
/* As raw_append, without waiting: the order of the calls is that of the log. `done` is called once, on the log's thread, in the log's order, and holds up
 * the log meanwhile: rc, seq and place as above. What `in` points at may go when this returns; sha256 is filled in. Not ZB_OK: nothing was put. */
typedef void raw_done(void *arg, int rc, uint64_t seq, struct raw_place at, const struct zb_err *e);
ZB_MUST int raw_put(struct raw *r, struct raw_record *in, raw_done *done, void *arg, struct zb_err *e);
uint64_t raw_last(const struct raw *r); /* last durable sequence, 0 none */
/* Calls fn for records with seq > after, in order; a non-zero return ends and is returned. Own file handles: safe beside appends. */
ZB_MUST int raw_read(const char *dir, uint64_t after, int (*fn)(void *arg, const struct raw_record *rec, struct zb_err *e), void *arg, struct zb_err *e);
ZB_MUST int raw_get(const char *dir, struct raw_place at, int (*fn)(void *arg, const struct raw_record *rec, struct zb_err *e), void *arg, struct zb_err *e);
/* For a log that is a queue: segments are full at so many bytes; whole segments from the oldest on, whose records are all
 * before `seq`, are removed (never the newest; *first: the least number that is left); bytes on disk. */
void raw_roll(struct raw *r, int64_t bytes);
ZB_MUST int raw_drop(const char *dir, uint64_t seq, int *gone, uint64_t *first, struct zb_err *e);
int64_t raw_disk(const char *dir);
struct raw_packed {
    uint64_t first, records;
    int64_t before, after;  /* bytes on disk */
    unsigned char root[32]; /* of its records in order: each SHA-256(what was, digest), from zeros */
};
/* Packs the oldest closed segment that is not and begins at `from` or after (*ret is zeroed; first: which): writes the pack beside, reads it back against the segment
 * record by record, and only then removes the segment. A crash at any moment leaves the segment, or the pack, or both (then the segment counts). 1: one was packed;
 * 0: none is left, or `go` (asked now and then, may be NULL) said no, or the log is held. One packer at a time; beside appends and readers. */
ZB_MUST int raw_pack(const char *dir, uint64_t from, bool (*go)(void *arg), void *arg, struct raw_packed *ret, struct zb_err *e);
/* Records, chain and size (after) of the segment that begins at `first`, packed or not, every byte read again. ZB_E_IO: gone, or what does not check. */
ZB_MUST int raw_chain(const char *dir, uint64_t first, struct raw_packed *ret, struct zb_err *e);
/* Calls fn for each packed segment, by its first record, rising; a non-zero return ends and is returned. */
ZB_MUST int raw_packs(const char *dir, int (*fn)(void *arg, uint64_t first, struct zb_err *e), void *arg, struct zb_err *e);
/* While the descriptor is open no file of the log is replaced (alone: takes that right for itself, without waiting). -1: not to be had. close() lets go. */
ZB_MUST int raw_hold(const char *dir, bool alone);
/* Was (mine, name, digest) or (mine, name) seen before? Waits for a record of that name that is under way. Index kept in memory as digests: same: 2 = same name and same bytes, 1 = same name other bytes, 0 = new. */
int raw_seen(struct raw *r, struct str mine, struct str name, const unsigned char sha256[32]);
struct raw_stat {
    uint64_t records, bytes_in /* of what was read since open */, bytes_disk, syncs;
    int queue;
};
void raw_stats(const struct raw *r, struct raw_stat *ret);
