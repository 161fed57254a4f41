/* Reading: what memory has is copied first and the database read after: what moves between is then seen twice, never not at all. */
#include "series/inside.h"
#include <stdlib.h>

/* Rising by time; of equal times the one that came later in the array stays: a bottom-up merge, which keeps the order of equals. */
void samples_tidy(struct sample *v, int *n) {
    bool rising = true;
    for (int i = 1; i < *n && rising; i++) rising = v[i].t > v[i - 1].t;
    if (rising) return;
    int64_t *order = xmalloc((size_t)*n * sizeof *order + 1);
    struct sample *w = xmalloc((size_t)*n * sizeof *w + 1);
    memcpy(w, v, (size_t)*n * sizeof *w);
    for (int width = 1; width < *n; width *= 2) {
        for (int lo = 0; lo + width < *n; lo += 2 * width) {
            int mid = lo + width, hi = mid + width < *n ? mid + width : *n, i = lo, j = mid;
            if (w[mid - 1].t <= w[mid].t) continue;
            for (int k = 0; i < mid || j < hi; k++) order[k] = i < mid && (j == hi || w[i].t <= w[j].t) ? i++ : j++;
            for (int k = 0; k < hi - lo; k++) v[k] = w[order[k]];
            memcpy(w + lo, v, (size_t)(hi - lo) * sizeof *w);
        }
    }
    int out = 0;
    for (int i = 0; i < *n; i++) {
        if (out && v[out - 1].t == w[i].t) out--;
        v[out++] = w[i];
    }
    *n = out;
    free(order);
    free(w);
}

static int memory_copy(struct series *s, struct str mine, struct str point, struct sample **v, int *n, struct zb_err *e) {
    pthread_mutex_lock(&s->lock);
    struct point *p = point_get(s, mine, point, false);
    int rc = ZB_OK;
    if (p) {
        rc = blocks_decode(&p->sealed, v, n, e);
        head_samples(&p->head, v, n);
        *v = xrealloc(*v, (size_t)(*n + p->lates + 1) * sizeof **v);
        if (p->lates) memcpy(*v + *n, p->late, (size_t)p->lates * sizeof **v);
        *n += p->lates;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static int disk_copy(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, struct sample **v, int *n, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(s->rdb, "select c.data from point p join chunk c on c.point=p.id where p.mine=?1 and p.code=?2 and c.t0<?4 and c.t1>=?3 order by c.t0", e);
    if (!q) return e->rc;
    stmt_text(q, 1, mine);
    stmt_text(q, 2, point);
    stmt_i64(q, 3, from);
    stmt_i64(q, 4, to);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct sample *part;
        int k;
        if (chunk_decode(stmt_col_blob(q, 0), &part, &k, e) != ZB_OK) return zb_wrap(e, "point " STR_FMT " (zhiben rebuild makes it anew)", STR_ARG(point));
        *v = xrealloc(*v, (size_t)(*n + k) * sizeof **v);
        memcpy(*v + *n, part, (size_t)k * sizeof *part);
        *n += k;
        free(part);
    }
    return r;
}

int series_read(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, struct sample **ret, int *n, struct zb_err *e) {
    struct sample *mem = NULL, *v = NULL;
    int mems = 0;
    *ret = NULL;
    *n = 0;
    int rc = memory_copy(s, mine, point, &mem, &mems, e);
    if (rc == ZB_OK) {
        pthread_mutex_lock(&s->rlock);
        rc = disk_copy(s, mine, point, from, to, &v, n, e);
        pthread_mutex_unlock(&s->rlock);
    }
    if (rc == ZB_OK) { /* what memory has wins over the same time on disk */
        v = xrealloc(v, (size_t)(*n + mems + 1) * sizeof *v);
        if (mems) memcpy(v + *n, mem, (size_t)mems * sizeof *v);
        *n += mems;
        samples_tidy(v, n);
        int a = 0, b = *n;
        while (a < b && v[a].t < from) a++;
        while (b > a && v[b - 1].t >= to) b--;
        *n = b - a;
        memmove(v, v + a, (size_t)*n * sizeof *v);
        *ret = v;
    } else {
        free(v);
    }
    free(mem);
    return rc;
}

void bucket_take(struct bucket *k, const struct sample *v) {
    k->n++;
    k->states |= v->state;
    if (v->v == ZB_FIX_NONE) return;
    if (k->min == ZB_FIX_NONE || v->v < k->min) k->min = v->v;
    if (k->max == ZB_FIX_NONE || v->v > k->max) k->max = v->v;
    k->last = v->v;
}

struct gather { /* buckets being filled, in rising time */
    zb_time from, width;
    struct bucket *b;
    int n;
};
static struct bucket *bucket_at(struct gather *g, zb_time t) {
    t = g->from + (t - g->from) / g->width * g->width;
    if (!g->n || g->b[g->n - 1].t != t) g->b[g->n++] = (struct bucket){t, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, 0, 0};
    return &g->b[g->n - 1];
}

static int samples_gather(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, struct gather *g, struct zb_err *e) {
    struct sample *v;
    int n;
    if (from >= to) return ZB_OK;
    if (series_read(s, mine, point, from, to, &v, &n, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++) bucket_take(bucket_at(g, v[i].t), &v[i]);
    free(v);
    return ZB_OK;
}

static void hour_gather(struct gather *g, const struct bucket *h) {
    struct bucket *k = bucket_at(g, h->t < g->from ? g->from : h->t);
    k->n += h->n;
    k->states |= h->states;
    if (h->min == ZB_FIX_NONE) return;
    if (k->min == ZB_FIX_NONE || h->min < k->min) k->min = h->min;
    if (k->max == ZB_FIX_NONE || h->max > k->max) k->max = h->max;
    k->last = h->last;
}

/* Days whose kept hours stand in for their samples: all when the buckets are of whole hours, else those whose samples were dropped. */
struct kept {
    int32_t day;
    struct bucket b[24];
    int n;
};
static int kept_read(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, bool all, struct kept **ret, int *n, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(s->rdb,
                            "select r.day, r.data from point p join roll r on r.point=p.id where p.mine=?1 and p.code=?2 and r.day>=?3 and r.day<=?4 and "
                            "(?5=1 or not exists (select 1 from chunk c where c.point=p.id and c.day=r.day and c.whole=1)) order by r.day",
                            e);
    if (!q) return e->rc;
    stmt_text(q, 1, mine);
    stmt_text(q, 2, point);
    stmt_i64(q, 3, zb_day_of(from));
    stmt_i64(q, 4, zb_day_of(to - 1));
    stmt_i64(q, 5, all);
    int r, cap = 0;
    while ((r = stmt_row(q, e)) == 1) {
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 32) * sizeof **ret);
        struct kept *k = &(*ret)[(*n)++];
        k->day = (int32_t)stmt_col_i64(q, 0);
        if (roll_decode(stmt_col_blob(q, 1), k->day, k->b, &k->n, e) != ZB_OK) return e->rc;
    }
    return r;
}

int series_buckets(struct series *s, struct str mine, struct str point, zb_time from, zb_time to, int buckets, struct bucket **ret, int *n, struct zb_err *e) {
    *ret = NULL;
    *n = 0;
    if (buckets < 1 || from >= to) return zb_fail(e, ZB_E_INPUT, "no buckets between these times");
    struct gather g = {from, (to - from + buckets - 1) / buckets, xmalloc(((size_t)buckets + 1) * sizeof *g.b), 0};
    bool hours = g.width % ZB_HOUR == 0 && from % ZB_HOUR == 0 && to % ZB_HOUR == 0;
    struct kept *kept = NULL;
    int kepts = 0;
    pthread_mutex_lock(&s->rlock);
    int rc = kept_read(s, mine, point, from, to, hours, &kept, &kepts, e);
    pthread_mutex_unlock(&s->rlock);
    zb_time at = from;
    for (int i = 0; i < kepts && rc == ZB_OK; i++) {
        zb_time start = zb_day_start(kept[i].day);
        rc = samples_gather(s, mine, point, at, start, &g, e);
        for (int k = 0; k < kept[i].n && rc == ZB_OK; k++)
            if (kept[i].b[k].t > from - ZB_HOUR && kept[i].b[k].t < to) hour_gather(&g, &kept[i].b[k]);
        at = start + ZB_DAY > from ? start + ZB_DAY : from;
    }
    if (rc == ZB_OK) rc = samples_gather(s, mine, point, at, to, &g, e);
    free(kept);
    if (rc != ZB_OK) {
        free(g.b);
        return rc;
    }
    *ret = g.b;
    *n = g.n;
    return ZB_OK;
}
