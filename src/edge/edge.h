/* The program at the mine: takes files from folders and values from Modbus meters into a fact log of its own, which is the queue, and sends them on to the
 * province over HTTP or MQTT, several under way at once, until each is acknowledged there by its name. What is live goes first by rising time, then the
 * backlog, newest first. Kept until acknowledged, through any stop of either side; a file sent twice is known there by name and digest. When the queue is full
 * nothing more is taken: files stay in their folders. */
#pragma once
#include "policy/tree.h"
#include "raw/raw.h"
#include <pthread.h>

#define EDGE_FOLDERS_MAX 16
#define EDGE_METERS_MAX 32
#define EDGE_GROUP 64            /* files under way at once */
#define EDGE_GROUP_BYTES 1000000 /* of them together, but for a single larger one: what a proxy takes that nobody has set up */

enum meter_kind { METER_U16, METER_I16, METER_U32, METER_I32, METER_F32 };
struct meter_value {
    const char *point, *unit, *location;
    int function, address; /* 3 holding, 4 input registers; from 0 */
    enum meter_kind kind;
    bool swap; /* low word first */
    zb_fix scale;
};
struct meter { /* a Modbus TCP device */
    const char *host, *port;
    int unit;
    zb_time every, timeout, due;
    struct meter_value *value;
    int values;
    int fd;
};
struct edge_config {
    struct arena *arena;
    const char *mine, *dir, *to, *ca, *folder[EDGE_FOLDERS_MAX];
    char token[200];
    int folders, meters;
    struct meter meter[EDGE_METERS_MAX];
    int64_t queue_max; /* bytes of the log on disk */
    zb_time live_within;
};
/* ZB_E_INPUT with file:line:column. */
ZB_MUST int edge_config_load(const char *path, struct edge_config *ret, struct zb_err *e);
void edge_config_done(struct edge_config *c);

/* ---- queue.c ---- */
struct queue_item {
    uint64_t seq;
    struct raw_place place;
    zb_time t; /* of the name; else received */
    int64_t bytes;
};
struct queue_stat {
    int64_t pending, pending_bytes, disk_bytes, sent, refused;
    zb_time oldest, last_sent;
};
struct queue;
ZB_MUST int queue_open(const struct edge_config *c, struct queue **ret, struct zb_err *e);
void queue_close(struct queue *q);
/* Durable when it returns ZB_OK, also when it was there already. ZB_E_LIMIT: full. */
ZB_MUST int queue_put(struct queue *q, struct str name, struct str bytes, zb_time now, struct zb_err *e);
int queue_seen(struct queue *q, struct str name, struct str bytes); /* as raw_seen */
/* What goes next, in the order it goes, at most `most` files of EDGE_GROUP_BYTES in all: live by rising time, then the backlog, newest first; of one time as it came. */
int queue_next(struct queue *q, zb_time now, struct queue_item *ret, int most);
ZB_MUST int queue_read(struct queue *q, const struct queue_item *i, int (*fn)(void *, const struct raw_record *, struct zb_err *), void *arg, struct zb_err *e);
/* These n (at most EDGE_GROUP) are not sent again after this; so many of them were refused for good. Segments of which all is done are removed. */
ZB_MUST int queue_done(struct queue *q, const struct queue_item *i, int n, int refused, zb_time now, struct zb_err *e);
void queue_stats(struct queue *q, struct queue_stat *ret);

/* ---- read.c, modbus.c ---- */
void folders_read(const struct edge_config *c, struct queue *q, char trouble[300]);
/* Values of a meter as lines of the plain table format. ZB_E_IO: no answer; ZB_E_INPUT: an answer that is none, or the device's refusal. */
ZB_MUST int meter_poll(struct meter *m, zb_time now, struct buf *csv, struct zb_err *e);
/* Pure: a request; the head of its answer: how many bytes of registers follow (2 or 4), ZB_E_INPUT none of ours, or the device's refusal; the value in those
 * bytes, false: no number. */
#define MODBUS_ASK 12
#define MODBUS_HEAD 9
void modbus_ask(const struct meter *m, const struct meter_value *v, uint16_t id, unsigned char q[MODBUS_ASK]);
ZB_MUST int modbus_head(const struct meter *m, const struct meter_value *v, const unsigned char q[MODBUS_ASK], const unsigned char a[MODBUS_HEAD],
                        struct zb_err *e);
bool modbus_value(const struct meter_value *v, const unsigned char *registers, double *ret);
void meter_close(struct meter *m);
/* MINE_CSV_yyyyMMddHHmmss.csv, a second later while the name is taken by other bytes. */
ZB_MUST int queue_put_table(struct queue *q, const char *mine, struct str csv, zb_time now, struct zb_err *e);

/* ---- send.c ---- */
struct sender;
enum sent { SENT_NOT, SENT, SENT_REFUSED };
struct parcel { /* a file under way */
    struct str name, bytes;
    enum sent sent;
    char why[300]; /* what was wrong with it; "" nothing */
};
ZB_MUST int sender_open(const struct edge_config *c, struct sender **ret, struct zb_err *e);
void sender_close(struct sender *s);
/* What a reply of the province says was wrong: its error, else its first reason, else absent; its code, "" none. Pure. */
void answer_read(struct str text, const char *absent, char why[300], char code[20]);
/* What a reply (of one file, or of several as "files") says of each parcel that it names; how many it names. *wait: its "wait", in seconds, else 0. Pure. */
int verdicts_read(struct str text, struct parcel *p, int n, int *wait);
int sender_most(const struct sender *s); /* so many files at once are a sensible size now: fewer after a refusal for size or share, then more again */
/* Names are all different. Every parcel is told what became of it; *wait: seconds before those SENT_NOT are worth another try. */
void sender_send(struct sender *s, struct parcel *p, int n, int *wait);

/* Runs until `stop` becomes readable. */
ZB_MUST int edge_run(const char *config, int stop, struct zb_err *e);
