/* How much came, kind by kind and hour by hour of the data: counted as files are stepped, added to the table once a minute. What is added and up to which input
 * goes into one transaction, so that a crash neither loses nor doubles a file. Points are counted by the series' own hours. */
#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>

#define STORE_EVERY ZB_MINUTE
#define STORE_TRIAL ZB_SECOND /* while somebody looks at a trial */
#define FEEDS_MAX 20000       /* then it is stored at once: a backlog touches many hours */

struct feed {
    struct mine *mine;
    char type[16];
    int64_t hour, files, records, refused, doubled;
    zb_time t0, t1; /* earliest and latest of the hour */
};

void feed_count(struct engine *en, struct mine *m, const struct job *j) {
    const struct batch *b = &j->batch;
    if (j->seq <= en->fed) return; /* stored before a restart */
    /* its samples' time; what has none, the time it was written */
    zb_time t = j->nobs ? j->obs[j->nobs - 1].s.t : b->time != ZB_TIME_NONE ? b->time : b->name_time != ZB_TIME_NONE ? b->name_time : j->received;
    if (t > j->received + ZB_DAY || t < 0) t = j->received;
    char key[80];
    snprintf(key, sizeof key, "%s/%s/%lld", m->code, b->format->type, (long long)(t / ZB_HOUR));
    struct feed *f = map_get(&en->feeds, str_of(key));
    if (!f) {
        f = xcalloc(1, sizeof *f);
        f->mine = m;
        str_copy(str_of(b->format->type), f->type, sizeof f->type);
        f->hour = t / ZB_HOUR;
        f->t0 = f->t1 = t;
        map_set(&en->feeds, str_of(key), f);
    }
    f->files++;
    if (t < f->t0) f->t0 = t;
    if (t > f->t1) f->t1 = t;
    f->records += b->n;
    f->refused += b->refused;
    f->doubled += b->warned;
    en->feed_soon |= m->linkage.trial;
}

void feeds_drop(struct engine *en) {
    for (size_t i = 0; i < en->feeds.cap; i++)
        if (en->feeds.slot[i].key) free(en->feeds.slot[i].val);
    map_done(&en->feeds);
    en->feeds = (struct map){0};
}

static int row(struct engine *en, const struct feed *f, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(en->db,
               "insert into feed_hour(mine,type,hour,files,records,refused,doubled,t0,t1) values(?1,?2,?3,?4,?5,?6,?7,?8,?9) on conflict(mine,type,hour) do "
               "update set files=feed_hour.files+excluded.files,records=feed_hour.records+excluded.records,"
               "refused=feed_hour.refused+excluded.refused,doubled=feed_hour.doubled+excluded.doubled,"
               "t0=case when excluded.t0<feed_hour.t0 then excluded.t0 else feed_hour.t0 end,t1=case when excluded.t1>feed_hour.t1 then excluded.t1 else "
               "feed_hour.t1 end",
               e);
    if (!q) return e->rc;
    stmt_z(q, 1, f->mine->code);
    stmt_z(q, 2, f->type);
    stmt_i64(q, 3, f->hour);
    stmt_i64(q, 4, f->files);
    stmt_i64(q, 5, f->records);
    stmt_i64(q, 6, f->refused);
    stmt_i64(q, 7, f->doubled);
    stmt_time(q, 8, f->t0);
    stmt_time(q, 9, f->t1);
    return stmt_run(q, e);
}

int feeds_store(struct engine *en, struct zb_err *e) {
    if (en->fed == en->input) return ZB_OK;
    if (db_begin(en->db, e) != ZB_OK) return e->rc;
    int rc = ZB_OK;
    for (size_t i = 0; i < en->feeds.cap && rc == ZB_OK; i++)
        if (en->feeds.slot[i].key) rc = row(en, en->feeds.slot[i].val, e);
    if (rc == ZB_OK) rc = meta_set(en->db, "fed", en->input, e);
    if (rc == ZB_OK) rc = db_commit(en->db, e);
    if (rc != ZB_OK) {
        db_rollback(en->db);
        return rc;
    }
    feeds_drop(en);
    en->feed_soon = false;
    en->fed = en->input;
    return ZB_OK;
}

bool feeds_due(const struct engine *en, zb_time now) {
    return en->feeds.n > FEEDS_MAX || (now - en->fed_at >= (en->feed_soon ? STORE_TRIAL : STORE_EVERY) && en->fed != en->input);
}
