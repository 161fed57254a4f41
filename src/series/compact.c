/* The night's work: a day's parts become one chunk, cut at midnight, and 24 hours that outlive it. */
#include "series/inside.h"
#include "series/range.h"
#include <stdlib.h>

#define WHOLE_MAX 50000 /* samples of a chunk; a day of more becomes several */

/* ---- the hours of a day ---- */
static int hours_of(const struct sample *v, int n, struct bucket b[24]) {
    int k = 0;
    for (int i = 0; i < n; i++) {
        zb_time t = (v[i].t + 8 * ZB_HOUR) / ZB_HOUR * ZB_HOUR - 8 * ZB_HOUR;
        if (!k || b[k - 1].t != t) {
            if (k == 24) return -1;
            b[k++] = (struct bucket){t, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, 0, 0};
        }
        bucket_take(&b[k - 1], &v[i]);
    }
    return k;
}

int roll_encode(const struct sample *v, int n, struct buf *out) {
    struct bucket b[24];
    int k = hours_of(v, n, b), rc = k < 0 ? ZB_E_LIMIT : ZB_OK;
    struct rc_num *m = xmalloc(8 * sizeof *m);
    struct rc_out o;
    rc_out_init(&o, out);
    for (int i = 0; i < 8; i++) rc_num_init(&m[i]);
    zb_fix before = 0, unit = 1000000; /* what all of them are whole multiples of */
    for (int i = 0; i < k; i++)
        while (b[i].min != ZB_FIX_NONE && (b[i].min % unit || b[i].max % unit || b[i].last % unit)) unit /= 10;
    rc_num_put(&o, &m[7], unit);
    for (int i = 0; i < k; i++) {
        bool none = b[i].min == ZB_FIX_NONE;
        rc_num_put(&o, &m[0], i ? (b[i].t - b[i - 1].t) / ZB_HOUR - 1 : (b[0].t + 8 * ZB_HOUR) % ZB_DAY / ZB_HOUR);
        rc_num_put(&o, &m[1], i ? b[i].n - b[i - 1].n : b[i].n);
        rc_num_put(&o, &m[2], b[i].states);
        rc_num_put(&o, &m[3], none);
        if (none) continue;
        zb_fix least = b[i].min / unit;
        rc_num_put(&o, &m[4], (int64_t)((uint64_t)least - (uint64_t)before));
        rc_num_put(&o, &m[5], (int64_t)((uint64_t)(b[i].max / unit) - (uint64_t)least));
        rc_num_put(&o, &m[6], (int64_t)((uint64_t)(b[i].last / unit) - (uint64_t)least));
        before = least;
    }
    rc_num_put(&o, &m[0], 24); /* the end */
    rc_out_done(&o);
    free(m);
    return rc;
}

int roll_decode(struct str bytes, int32_t day, struct bucket b[24], int *n, struct zb_err *e) {
    struct rc_num *m = xmalloc(8 * sizeof *m);
    struct rc_in r;
    rc_in_init(&r, bytes);
    for (int i = 0; i < 8; i++) rc_num_init(&m[i]);
    int64_t hour = -1;
    uint64_t before = 0, unit = (uint64_t)rc_num_get(&r, &m[7]);
    *n = 0;
    while (!r.bad) {
        int64_t step = rc_num_get(&r, &m[0]);
        if (step == 24 || step < 0 || step > 23) break;
        hour += step + 1;
        if (hour > 23 || *n == 24) break;
        struct bucket *k = &b[*n];
        *k = (struct bucket){zb_day_start(day) + hour * ZB_HOUR, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, 0, 0};
        k->n = (int)(rc_num_get(&r, &m[1]) + (*n ? b[*n - 1].n : 0));
        k->states = (uint32_t)rc_num_get(&r, &m[2]);
        ++*n;
        if (rc_num_get(&r, &m[3])) continue;
        before += (uint64_t)rc_num_get(&r, &m[4]);
        k->min = (zb_fix)(before * unit);
        k->max = (zb_fix)((before + (uint64_t)rc_num_get(&r, &m[5])) * unit);
        k->last = (zb_fix)((before + (uint64_t)rc_num_get(&r, &m[6])) * unit);
    }
    free(m);
    return r.bad || r.p != r.end ? zb_fail(e, ZB_E_IO, "the hours of a day are damaged (zhiben rebuild makes them anew)") : ZB_OK;
}

/* ---- compacting ---- */
static int parts_read(struct series *s, int64_t point, int32_t day, struct sample **v, int *n, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "select data from chunk where point=?1 and t0>=?2 and t0<?3 order by t0", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, point);
    stmt_i64(q, 2, zb_day_start(day));
    stmt_i64(q, 3, zb_day_start(day + 1));
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct sample *part;
        int k;
        if (chunk_decode(stmt_col_blob(q, 0), &part, &k, e) != ZB_OK) return e->rc;
        *v = xrealloc(*v, (size_t)(*n + k) * sizeof **v);
        memcpy(*v + *n, part, (size_t)k * sizeof *part);
        *n += k;
        free(part);
    }
    return r;
}

static int whole_store(struct series *s, int64_t point, const struct sample *v, int n, bool whole, struct zb_err *e) {
    for (int at = 0; at < n; at += WHOLE_MAX) {
        int part = n - at < WHOLE_MAX ? n - at : WHOLE_MAX;
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 4 << 20);
        if (chunk_encode(v + at, part, &b, e) != ZB_OK || chunk_store(s, point, v + at, part, whole, buf_str(&b), e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int roll_store(struct series *s, int64_t point, int32_t day, const struct sample *v, int n, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 4096);
    if (roll_encode(v, n, &b) != ZB_OK) return zb_fail(e, ZB_E_LIMIT, "more than 24 hours in a day");
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "insert into roll(point,day,data) values(?1,?2,?3) on conflict(point,day) do update set data=?3", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, point);
    stmt_i64(q, 2, day);
    stmt_blob(q, 3, buf_str(&b));
    return stmt_run(q, e);
}

/* A point that fell silent has its last samples still in its open head: they are the day's too. */
static int head_close(struct series *s, int64_t point, int32_t day, struct point **closed, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "select mine, code from point where id=?1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, point);
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : ZB_OK;
    struct point *p = point_get(s, stmt_col_text(q, 0), stmt_col_text(q, 1), false);
    if (!p || p->newest >= zb_day_start(day + 1) || !p->head.samples) return ZB_OK;
    *closed = p;
    return head_seal(p, e) == ZB_OK ? point_store(s, p, e) : e->rc;
}

static int day_compact(struct series *s, int64_t point, int32_t day, struct point **closed, struct zb_err *e) {
    struct sample *v = NULL;
    int n = 0, today = 0, rc = head_close(s, point, day, closed, e);
    if (rc == ZB_OK) rc = parts_read(s, point, day, &v, &n, e);
    if (rc == ZB_OK) {
        samples_tidy(v, &n);
        while (today < n && v[today].t < zb_day_start(day + 1)) today++;
        ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "delete from chunk where point=?1 and t0>=?2 and t0<?3", e);
        if (!q) rc = e->rc;
        if (q) {
            stmt_i64(q, 1, point);
            stmt_i64(q, 2, zb_day_start(day));
            stmt_i64(q, 3, zb_day_start(day + 1));
            rc = stmt_run(q, e);
        }
    }
    if (rc == ZB_OK) rc = whole_store(s, point, v, today, true, e);
    if (rc == ZB_OK && today < n) rc = whole_store(s, point, v + today, n - today, false, e); /* what lies past midnight waits for its own day */
    if (rc == ZB_OK && today) rc = roll_store(s, point, day, v, today, e);
    free(v);
    return rc;
}

int series_compact(struct series *s, int32_t before, int most, int *did, struct zb_err *e) {
    struct {
        int64_t point;
        int32_t day;
        struct point *closed;
    } *todo = xcalloc((size_t)most, sizeof *todo);
    *did = 0;
    pthread_mutex_lock(&s->lock);
    int rc = db_begin(s->db, e), r = 0;
    bool begun = rc == ZB_OK;
    if (begun) {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "select distinct day, point from chunk where whole=0 and day<?1 order by day, point limit ?2", e);
        if (!q) rc = e->rc;
        if (q) stmt_i64(q, 1, before), stmt_i64(q, 2, most);
        while (q && (r = stmt_row(q, e)) == 1) todo[*did].day = (int32_t)stmt_col_i64(q, 0), todo[(*did)++].point = stmt_col_i64(q, 1);
        if (r < 0) rc = r;
    }
    for (int i = 0; i < *did && rc == ZB_OK; i++) rc = day_compact(s, todo[i].point, todo[i].day, &todo[i].closed, e);
    if (begun) rc = commit_or_back(s, rc, e);
    for (int i = 0; i < *did; i++)
        if (todo[i].closed) rc == ZB_OK ? point_stored(todo[i].closed) : point_back(todo[i].closed);
    pthread_mutex_unlock(&s->lock);
    free(todo);
    return rc;
}

static int point_forget(struct series *s, int64_t point, int32_t before, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "delete from chunk where point=?1 and t0<?2 and whole=1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, point);
    stmt_i64(q, 2, zb_day_start(before));
    return stmt_run(q, e);
}

/* What a silent point has left in its open head is a part of its day like any. */
static int silent_close(struct series *s, struct point *p, int32_t today, bool *closed, struct zb_err *e) {
    *closed = p->newest < zb_day_start(today) && p->head.samples;
    if (!*closed) return ZB_OK;
    return head_seal(p, e) == ZB_OK ? point_store(s, p, e) : e->rc;
}

int series_forget(struct series *s, int32_t today, int (*days)(const void *arg, const char *family), const void *arg, int most, int *did, struct zb_err *e) {
    bool *closed = xcalloc((size_t)most, sizeof *closed);
    pthread_mutex_lock(&s->lock);
    int rc = db_begin(s->db, e), from = s->forget;
    bool begun = rc == ZB_OK;
    *did = 0;
    for (; *did < most && from + *did < s->n && rc == ZB_OK; ++*did) {
        struct point *p = s->list[from + *did];
        rc = silent_close(s, p, today, &closed[*did], e);
        if (rc == ZB_OK && p->id) rc = point_forget(s, p->id, today - days(arg, p->family), e);
    }
    if (begun) rc = commit_or_back(s, rc, e);
    for (int i = 0; i < *did; i++)
        if (closed[i]) rc == ZB_OK ? point_stored(s->list[from + i]) : point_back(s->list[from + i]);
    if (rc == ZB_OK) s->forget = *did ? from + *did : 0;
    pthread_mutex_unlock(&s->lock);
    free(closed);
    return rc;
}
