/* One thread takes from folders, one from meters, one sends; the queue is between them. */
#include "edge/edge.h"
#include "base/json.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK 1000     /* ms between two looks at the folders */
#define BAD_MOST 1000 /* refused files that are kept to be looked at */
#define STATE_EVERY (2 * ZB_SECOND)

struct edge {
    struct edge_config c;
    struct queue *q;
    struct sender *s;
    int stop;
    pthread_t reader, meters;
    pthread_mutex_t lock;
    char read_trouble[300], meter_trouble[300], send_trouble[300], last_refusal[300];
    zb_time state_at;
};

static bool stopped(struct edge *d, int ms) {
    struct pollfd p = {d->stop, POLLIN, 0};
    return poll(&p, 1, ms) > 0;
}

static void say(struct edge *d, char *where, const char *text) {
    pthread_mutex_lock(&d->lock);
    bool news = text[0] && strcmp(where, text) != 0;
    snprintf(where, 300, "%s", text);
    pthread_mutex_unlock(&d->lock);
    if (news) log_event("event=edge_trouble reason=\"%s\"", text);
}

static bool meters_read(struct edge *d, char trouble[300]) {
    bool any = false;
    for (int i = 0; i < d->c.meters; i++) {
        struct meter *m = &d->c.meter[i];
        struct zb_err e = {0};
        zb_time now = zb_now();
        if (now < m->due) continue;
        m->due = now + m->every;
        any = true;
        ZB_AUTO(buf_done) struct buf csv;
        buf_init(&csv, (size_t)1 << 20);
        if (meter_poll(m, now, &csv, &e) != ZB_OK || queue_put_table(d->q, d->c.mine, buf_str(&csv), now, &e) != ZB_OK) snprintf(trouble, 300, "%.290s", e.msg);
    }
    return any;
}

static void *reader_main(void *arg) {
    struct edge *d = arg;
    do {
        char trouble[300] = "";
        folders_read(&d->c, d->q, trouble);
        say(d, d->read_trouble, trouble);
    } while (!stopped(d, LOOK));
    return NULL;
}

static void *meters_main(void *arg) { /* beside: a meter that does not answer holds up no file */
    struct edge *d = arg;
    do {
        char trouble[300] = "";
        if (meters_read(d, trouble)) say(d, d->meter_trouble, trouble);
    } while (!stopped(d, LOOK / 4));
    return NULL;
}

/* ---- what became of it ---- */
static void state_write(struct edge *d) {
    struct queue_stat s;
    struct json j;
    char tmp[520], path[520];
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 16384);
    queue_stats(d->q, &s);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "at"), json_time(&j, zb_now());
    json_key(&j, "mine"), json_z(&j, d->c.mine);
    json_key(&j, "to"), json_z(&j, d->c.to);
    json_key(&j, "pending"), json_i64(&j, s.pending);
    json_key(&j, "pending_bytes"), json_i64(&j, s.pending_bytes);
    json_key(&j, "oldest"), json_time(&j, s.oldest);
    json_key(&j, "disk_bytes"), json_i64(&j, s.disk_bytes);
    json_key(&j, "disk_most"), json_i64(&j, d->c.queue_max);
    json_key(&j, "sent"), json_i64(&j, s.sent); /* since the start */
    json_key(&j, "refused"), json_i64(&j, s.refused);
    json_key(&j, "last_sent"), json_time(&j, s.last_sent);
    pthread_mutex_lock(&d->lock);
    json_key(&j, "reading"), json_z(&j, d->read_trouble);
    json_key(&j, "meters"), json_z(&j, d->meter_trouble);
    json_key(&j, "sending"), json_z(&j, d->send_trouble);
    json_key(&j, "last_refusal"), json_z(&j, d->last_refusal);
    pthread_mutex_unlock(&d->lock);
    json_end(&j);
    buf_putc(&b, '\n');
    snprintf(path, sizeof path, "%.400s/state.json", d->c.dir);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    FILE *f = fopen(tmp, "w");
    bool good = f && fwrite(b.p, 1, b.n, f) == b.n;
    if (f) good &= fclose(f) == 0;
    if (!good || rename(tmp, path) != 0) log_event("event=edge_state_unwritten path=%s", path);
}

static void state_tell(struct edge *d) {
    zb_time now = zb_now();
    if (now - d->state_at < STATE_EVERY) return;
    d->state_at = now;
    state_write(d);
}

/* A refused file is kept beside its reason, as long as there are not too many. more: refused with it, not counted yet. */
static void bad_keep(struct edge *d, const struct parcel *p, int more) {
    char path[800];
    struct queue_stat s;
    queue_stats(d->q, &s);
    log_event("event=edge_refused file=" STR_FMT " reason=\"%s\"", STR_ARG(p->name), p->why);
    snprintf(path, sizeof path, STR_FMT ": %.200s", STR_ARG(p->name), p->why);
    say(d, d->last_refusal, path);
    if (s.refused + more >= BAD_MOST) return;
    snprintf(path, sizeof path, "%.400s/bad", d->c.dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%.400s/bad/" STR_FMT, d->c.dir, STR_ARG(p->name));
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(path, "w");
        struct str b = i ? str_of(p->why) : p->bytes;
        if (!f || fwrite(b.p, 1, b.n, f) != b.n) log_event("event=edge_bad_unwritten path=%s", path);
        if (f) fclose(f);
        snprintf(path, sizeof path, "%.400s/bad/" STR_FMT ".reason", d->c.dir, STR_ARG(p->name));
    }
}

struct group { /* what is under way */
    struct edge *d;
    struct queue_item item[EDGE_GROUP];
    struct parcel p[EDGE_GROUP];
    char *own[EDGE_GROUP]; /* name and bytes */
    int n;
};
/* A second file of a name waits for the answer to the first: answers go by names. */
static int on_record(void *arg, const struct raw_record *r, struct zb_err *e) {
    (void)e;
    struct group *g = arg;
    for (int i = 0; i < g->n; i++)
        if (str_eq(g->p[i].name, r->name)) return ZB_OK;
    char *own = g->own[g->n] = xmalloc(r->name.n + r->bytes.n + 1);
    memcpy(own, r->name.p, r->name.n);
    memcpy(own + r->name.n, r->bytes.p ? r->bytes.p : "", r->bytes.n);
    g->p[g->n++] = (struct parcel){.name = {own, r->name.n}, .bytes = {own + r->name.n, r->bytes.n}};
    return ZB_OK;
}

static int group_read(struct group *g, const struct queue_item *next, int n, struct zb_err *e) {
    for (int i = 0; i < n; i++) {
        int before = g->n;
        if (queue_read(g->d->q, &next[i], on_record, g, e) != ZB_OK) return e->rc;
        if (g->n > before) g->item[before] = next[i];
    }
    return ZB_OK;
}

/* Those of which the province has said what becomes of them are done; *left: why others are not. */
static int group_done(struct group *g, const char **left, struct zb_err *e) {
    struct queue_item done[EDGE_GROUP];
    int n = 0, refused = 0;
    for (int i = 0; i < g->n; i++) {
        const struct parcel *p = &g->p[i];
        if (p->sent == SENT_NOT) {
            if (!(*left)[0]) *left = p->why;
            continue;
        }
        if (p->sent == SENT_REFUSED) bad_keep(g->d, p, refused++);
        done[n++] = g->item[i];
    }
    return n ? queue_done(g->d->q, done, n, refused, zb_now(), e) : ZB_OK;
}

static void rest(struct edge *d, int seconds) {
    for (zb_time end = zb_now() + seconds * ZB_SECOND; zb_now() < end && !stopped(d, 200);) state_tell(d);
}

/* What goes next, at once. */
static void send_group(struct edge *d, const struct queue_item *next, int n) {
    struct group g = {.d = d};
    struct zb_err e;
    const char *left = "";
    int wait = 0, rc = group_read(&g, next, n, &e);
    if (rc == ZB_OK) {
        sender_send(d->s, g.p, g.n, &wait);
        rc = group_done(&g, &left, &e);
    }
    say(d, d->send_trouble, rc == ZB_OK ? left : e.msg);
    for (int i = 0; i < g.n; i++) free(g.own[i]);
    rest(d, rc == ZB_OK ? wait : 1);
}

static void send_all(struct edge *d) {
    while (!stopped(d, 0)) {
        struct queue_item next[EDGE_GROUP];
        int n = queue_next(d->q, zb_now(), next, sender_most(d->s));
        state_tell(d);
        if (n)
            send_group(d, next, n);
        else
            stopped(d, 100);
    }
}

int edge_run(const char *config, int stop, struct zb_err *e) {
    struct edge *d = xcalloc(1, sizeof *d);
    d->stop = stop;
    pthread_mutex_init(&d->lock, NULL);
    int rc = edge_config_load(config, &d->c, e);
    if (rc != ZB_OK) {
        free(d);
        return rc;
    }
    if (queue_open(&d->c, &d->q, e) == ZB_OK && sender_open(&d->c, &d->s, e) == ZB_OK) {
        bool reads = pthread_create(&d->reader, NULL, reader_main, d) == 0, meters = reads && pthread_create(&d->meters, NULL, meters_main, d) == 0;
        if (meters)
            send_all(d);
        else
            rc = zb_fail(e, ZB_E_IO, "cannot start the readers' threads");
        if (reads) pthread_join(d->reader, NULL);
        if (meters) pthread_join(d->meters, NULL);
        state_write(d);
    } else {
        rc = e->rc;
    }
    sender_close(d->s);
    queue_close(d->q);
    edge_config_done(&d->c);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return rc;
}
