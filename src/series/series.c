/* Memory of a point: its open head, late samples as they came, and sealed chunks that wait for the next flush. */
#include "series/inside.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const MIGRATIONS[] = {"create table point(id integer primary key, mine text not null, code text not null, unique(mine, code)) strict;"
                                         "create table chunk(point integer not null, t0 integer not null, t1 integer not null, n integer not null, data blob "
                                         "not null, primary key(point, t0)) strict, without rowid;"
                                         "create table head(point integer primary key, data blob not null) strict;"
                                         "create table state(id integer primary key check(id=1), input integer not null) strict;",
                                         /* The codec changed: all is made anew from the fact log. whole: the chunk of a day; part: what is not yet in one. */
                                         "drop table chunk; delete from head; delete from state;"
                                         "create table chunk(id integer primary key, point integer not null, t0 integer not null, t1 integer not null, n "
                                         "integer not null, day integer not null, whole integer not null, data blob not null, unique(point, t0)) strict;"
                                         "create index chunk_part on chunk(day, point) where whole=0; create index chunk_whole on chunk(day) where whole=1;"
                                         "create table roll(point integer not null, day integer not null, data blob not null, primary key(point, day)) strict, "
                                         "without rowid;",
                                         "alter table point add column family text not null default '';"};

static void blocks_free(struct blocks *l) {
    free(l->p);
    *l = (struct blocks){0};
}

static void block_add(struct blocks *l, const struct buf *bytes) {
    uint32_t n = (uint32_t)bytes->n;
    l->p = xrealloc(l->p, l->n + sizeof n + n);
    memcpy(l->p + l->n, &n, sizeof n);
    memcpy(l->p + l->n + sizeof n, bytes->p, n);
    l->n += (uint32_t)sizeof n + n;
}

bool block_next(const struct blocks *l, uint32_t *at, struct str *data) {
    uint32_t n;
    if (*at == l->n) return false;
    memcpy(&n, l->p + *at, sizeof n);
    *data = (struct str){l->p + *at + sizeof n, n};
    *at += (uint32_t)sizeof n + n;
    return true;
}

/* Samples of a list of blocks appended to *v. */
int blocks_decode(const struct blocks *l, struct sample **v, int *n, struct zb_err *e) {
    struct str data;
    for (uint32_t at = 0; block_next(l, &at, &data);) {
        struct sample *part;
        int k;
        if (chunk_decode(data, &part, &k, e) != ZB_OK) return e->rc;
        *v = xrealloc(*v, (size_t)(*n + k) * sizeof **v);
        memcpy(*v + *n, part, (size_t)k * sizeof *part);
        *n += k;
        free(part);
    }
    return ZB_OK;
}

/* Late samples that fall into the open head: the head is taken apart and put together again. The others stay. */
static void late_into_head(struct point *p) {
    struct sample *v = NULL;
    int n = 0, kept = 0;
    if (!p->lates || !p->head.samples) return;
    head_samples(&p->head, &v, &n);
    v = xrealloc(v, (size_t)(n + p->lates) * sizeof *v);
    zb_time first = v[0].t;
    for (int i = 0; i < p->lates; i++) {
        bool open = p->late[i].t > p->sealed_to && (p->sealed_to != INT64_MIN || p->late[i].t >= first);
        if (open)
            v[n++] = p->late[i];
        else
            p->late[kept++] = p->late[i];
    }
    if (kept < p->lates) {
        p->lates = (uint16_t)kept;
        samples_tidy(v, &n);
        head_done(&p->head);
        for (int i = 0; i < n; i++) head_add(&p->head, &v[i]);
    }
    free(v);
}

int head_seal(struct point *p, struct zb_err *e) {
    struct sample *v = NULL;
    int n = 0;
    late_into_head(p);
    head_samples(&p->head, &v, &n);
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    int rc = n ? chunk_encode(v, n, &b, e) : ZB_OK;
    if (rc == ZB_OK && n) {
        block_add(&p->sealed, &b);
        p->sealed_to = v[n - 1].t;
        head_done(&p->head);
    }
    free(v);
    return rc;
}

/* Names of families are few and kept once; one too many or too long counts as unknown. */
const char *family_of(struct series *s, struct str name) {
    if (!s->families) s->families = 1;
    for (int i = 0; i < s->families; i++)
        if (str_is(name, s->family[i])) return s->family[i];
    if (s->families == (int)(sizeof s->family / sizeof *s->family) || name.n >= sizeof *s->family) return s->family[0];
    str_copy(name, s->family[s->families], sizeof *s->family);
    return s->family[s->families++];
}

struct point *point_get(struct series *s, struct str mine, struct str code, bool make) {
    char key[96];
    if (mine.n + code.n + 1 >= sizeof key || !code.n) return NULL;
    memcpy(key, code.p, code.n);
    key[code.n] = 0;
    if (mine.n) memcpy(key + code.n + 1, mine.p, mine.n);
    struct str k = {key, mine.n + code.n + 1};
    struct point *p = map_get(&s->points, k);
    if (p || !make) return p;
    p = xcalloc(1, sizeof *p);
    p->newest = p->sealed_to = INT64_MIN;
    p->family = family_of(s, STR(""));
    p->code = map_set(&s->points, k, p);
    p->mine = p->code + code.n + 1;
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->list = xrealloc(s->list, (size_t)s->cap * sizeof *s->list);
    }
    s->list[s->n++] = p;
    return p;
}

static int late_merge(struct series *s, struct point *p, struct zb_err *e);

/* Late ones gather: a few are tried in the head, and again whenever their room is doubled; when it is full the database takes them. */
static int late_put(struct series *s, struct point *p, const struct sample *x, struct zb_err *e) {
    if (p->lates == p->late_cap) {
        late_into_head(p);
        if (p->lates == LATE_MAX && late_merge(s, p, e) != ZB_OK) return e->rc;
    }
    if (p->lates == p->late_cap) {
        p->late_cap = (uint16_t)(p->late_cap ? 2 * p->late_cap : LATE_FEW);
        p->late = xrealloc(p->late, p->late_cap * sizeof *p->late);
    }
    p->late[p->lates++] = *x;
    return ZB_OK;
}

static int sample_put(struct series *s, struct point *p, const struct sample *x, struct zb_err *e) {
    if (x->t <= p->newest) return late_put(s, p, x, e);
    bool day_over = p->newest != INT64_MIN && zb_day_of(x->t) != zb_day_of(p->newest); /* a chunk holds one day */
    if (day_over && head_seal(p, e) != ZB_OK) return e->rc;
    head_add(&p->head, x);
    p->newest = x->t;
    return p->head.samples >= SEAL ? head_seal(p, e) : ZB_OK;
}

static struct point *point_for(struct series *s, struct point *before, struct str mine, struct str code, struct zb_err *e) {
    struct point *p = before ? before->after : NULL;
    if (!p || !str_is(code, p->code) || !str_is(mine, p->mine)) {
        p = point_get(s, mine, code, true);
        if (before) before->after = p;
    }
    if (!p) zb_fail(e, ZB_E_INPUT, "point code " STR_FMT " is empty or too long", STR_ARG(code));
    if (p && !p->dirty) {
        p->dirty = true;
        p->since = s->current;
    }
    return p;
}

int series_put(struct series *s, struct str mine, struct str point, const struct sample *v, int n, struct zb_err *e) {
    pthread_mutex_lock(&s->lock);
    struct point *p = point_for(s, NULL, mine, point, e);
    int rc = p ? ZB_OK : ZB_E_INPUT;
    for (int i = 0; i < n && rc == ZB_OK; i++) rc = sample_put(s, p, &v[i], e);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int series_put_all(struct series *s, struct str mine, struct str family, const struct observation *o, int n, struct zb_err *e) {
    struct point *p = NULL;
    int rc = ZB_OK;
    pthread_mutex_lock(&s->lock);
    const char *of = family_of(s, family);
    for (int i = 0; i < n && rc == ZB_OK; i++) {
        if (!i || !str_eq(o[i].point, o[i - 1].point)) p = point_for(s, p, mine, o[i].point, e);
        if (p && p->family != of) p->family = of, p->moved = true;
        rc = p ? sample_put(s, p, &o[i].s, e) : ZB_E_INPUT;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* ---- to the database (writer's thread, inside a transaction where not said otherwise) ---- */
static int point_id(struct series *s, struct point *p, struct zb_err *e) {
    if (p->id) return ZB_OK;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(s->db, "insert into point(mine,code) values(?1,?2) on conflict(mine,code) do update set code=code returning id", e);
    if (!q) return e->rc;
    stmt_z(q, 1, p->mine);
    stmt_z(q, 2, p->code);
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : zb_fail(e, ZB_E_IO, "no id for point %s", p->code);
    int64_t id = stmt_col_i64(q, 0);
    r = stmt_run(q, e);
    if (r == ZB_OK) {
        p->id = id;
        p->fresh = true;
    }
    return r;
}

/* What stands in a chunk that is no day's whole makes the hours of its day untrue. */
int chunk_store(struct series *s, int64_t point, const struct sample *v, int n, bool whole, struct str data, struct zb_err *e) {
    int32_t day = zb_day_of(v[0].t);
    if (!whole) {
        ZB_AUTO(stmt_done) struct stmt *r = db_use(s->db, "delete from roll where point=?1 and day>=?2 and day<=?3", e);
        if (!r) return e->rc;
        stmt_i64(r, 1, point);
        stmt_i64(r, 2, day);
        stmt_i64(r, 3, zb_day_of(v[n - 1].t));
        if (stmt_run(r, e) != ZB_OK) return e->rc;
    }
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(s->db,
                            "insert into chunk(point,t0,t1,n,day,whole,data) values(?1,?2,?3,?4,?5,?6,?7) on conflict(point,t0) do update set "
                            "t1=?3,n=?4,day=?5,whole=?6,data=?7",
                            e);
    if (!q) return e->rc;
    stmt_i64(q, 1, point);
    stmt_i64(q, 2, v[0].t);
    stmt_i64(q, 3, v[n - 1].t);
    stmt_i64(q, 4, n);
    stmt_i64(q, 5, day);
    stmt_i64(q, 6, whole);
    stmt_blob(q, 7, data);
    return stmt_run(q, e);
}

static int sealed_store(struct series *s, struct point *p, struct zb_err *e) {
    struct str data;
    for (uint32_t at = 0; block_next(&p->sealed, &at, &data);) {
        struct sample *v;
        int n;
        if (chunk_decode(data, &v, &n, e) != ZB_OK) return e->rc;
        int rc = chunk_store(s, p->id, v, n, false, data, e);
        free(v);
        if (rc != ZB_OK) return rc;
    }
    return ZB_OK;
}

static int head_store(struct series *s, struct point *p, struct zb_err *e) {
    struct sample *v = NULL;
    int n = 0;
    head_samples(&p->head, &v, &n);
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    int rc = n ? chunk_encode(v, n, &b, e) : ZB_OK;
    free(v);
    ZB_AUTO(stmt_done)
    struct stmt *q = rc == ZB_OK ? db_use(s->db,
                                          n ? "insert into head(point,data) values(?1,?2) on conflict(point) do update set data=?2"
                                            : "delete from head where point=?1 and ?2 is not null",
                                          e)
                                 : NULL;
    if (!q) return e->rc;
    stmt_i64(q, 1, p->id);
    stmt_blob(q, 2, n ? buf_str(&b) : STR("-"));
    return stmt_run(q, e);
}

/* The chunk a late sample belongs to: the last that begins at or before it, else a new one. */
static int late_chunk(struct series *s, struct point *p, zb_time t, struct sample **v, int *n, zb_time *t0, zb_time *until, struct zb_err *e) {
    *v = NULL;
    *n = 0;
    *t0 = t;
    *until = INT64_MAX;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "select t0, data from chunk where point=? and t0<=? order by t0 desc limit 1", e);
    ZB_AUTO(stmt_done) struct stmt *x = q ? db_use(s->db, "select min(t0) from chunk where point=? and t0>?", e) : NULL;
    if (!q || !x) return e->rc;
    stmt_i64(q, 1, p->id);
    stmt_i64(q, 2, t);
    stmt_i64(x, 1, p->id);
    stmt_i64(x, 2, t);
    int r = stmt_row(q, e);
    if (r < 0) return r;
    if (r == 1) {
        *t0 = stmt_col_i64(q, 0);
        if (chunk_decode(stmt_col_blob(q, 1), v, n, e) != ZB_OK) return e->rc;
    }
    if ((r = stmt_row(x, e)) < 0) return r;
    if (r == 1 && !stmt_col_null(x, 0)) *until = stmt_col_i64(x, 0);
    return ZB_OK;
}

static int late_one_chunk(struct series *s, struct point *p, int from, int *to, struct zb_err *e) {
    struct sample *v;
    int n;
    zb_time t0, until;
    int rc = late_chunk(s, p, p->late[from].t, &v, &n, &t0, &until, e);
    int k = from;
    while (k < p->lates && p->late[k].t < until) k++;
    *to = k;
    if (rc == ZB_OK) {
        v = xrealloc(v, (size_t)(n + k - from) * sizeof *v);
        memcpy(v + n, p->late + from, (size_t)(k - from) * sizeof *v);
        n += k - from;
        samples_tidy(v, &n);
    }
    for (int at = 0; rc == ZB_OK && at < n; at += 2 * SEAL) { /* a long backlog becomes several */
        int part = n - at < 2 * SEAL ? n - at : 2 * SEAL;
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 4 << 20);
        rc = chunk_encode(v + at, part, &b, e);
        if (rc == ZB_OK) rc = chunk_store(s, p->id, v + at, part, false, buf_str(&b), e);
    }
    free(v);
    return rc;
}

static int late_store(struct series *s, struct point *p, struct zb_err *e) {
    int n = p->lates;
    samples_tidy(p->late, &n);
    p->lates = (uint16_t)n;
    for (int i = 0; i < p->lates;)
        if (late_one_chunk(s, p, i, &i, e) != ZB_OK) return e->rc;
    return ZB_OK;
}

static int family_store(struct series *s, struct point *p, struct zb_err *e) {
    if (!p->moved) return ZB_OK;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "update point set family=?2 where id=?1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, p->id);
    stmt_z(q, 2, p->family);
    return stmt_run(q, e);
}

int point_store(struct series *s, struct point *p, struct zb_err *e) {
    late_into_head(p);
    if (point_id(s, p, e) != ZB_OK || family_store(s, p, e) != ZB_OK || sealed_store(s, p, e) != ZB_OK || late_store(s, p, e) != ZB_OK) return e->rc;
    return head_store(s, p, e);
}

void point_stored(struct point *p) {
    blocks_free(&p->sealed);
    free(p->late);
    p->late = NULL;
    p->lates = p->late_cap = 0;
    p->dirty = p->fresh = p->moved = false;
}

void point_back(struct point *p) { /* the transaction was rolled back, and with it a new id */
    if (p->fresh) p->id = 0;
    p->fresh = false;
}

int commit_or_back(struct series *s, int rc, struct zb_err *e) {
    if (rc == ZB_OK) rc = db_commit(s->db, e);
    if (rc != ZB_OK) db_rollback(s->db);
    return rc;
}

/* The buffer of late samples is full: this point's go to the database now, in a transaction of their own. */
static int late_merge(struct series *s, struct point *p, struct zb_err *e) {
    if (db_begin(s->db, e) != ZB_OK) return e->rc;
    int rc = commit_or_back(s, point_store(s, p, e), e);
    if (rc != ZB_OK) {
        point_back(p);
        return rc;
    }
    point_stored(p);
    p->dirty = true;
    return ZB_OK;
}

static int input_store(struct series *s, uint64_t input, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(s->db, "insert into state(id,input) values(1,?1) on conflict(id) do update set input=?1", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, (int64_t)input);
    return stmt_run(q, e);
}

static int flush(struct series *s, uint64_t input, int share, struct zb_err *e) {
    pthread_mutex_lock(&s->lock);
    int rc = db_begin(s->db, e), most = share ? s->n / share + 64 : s->n, begin = s->next, seen = 0, stored = 0;
    struct point **done = xmalloc((size_t)(most + 1) * sizeof *done);
    bool begun = rc == ZB_OK;
    for (; rc == ZB_OK && seen < s->n && stored < most; seen++) {
        struct point *p = s->list[(begin + seen) % s->n];
        if (!p->dirty) continue;
        done[stored++] = p;
        rc = point_store(s, p, e);
    }
    uint64_t trust = input;
    for (int i = 0; i < stored && rc == ZB_OK; i++) done[i]->since = UINT64_MAX;
    for (int i = 0; i < s->n && rc == ZB_OK; i++)
        if (s->list[i]->dirty && s->list[i]->since < trust) trust = s->list[i]->since;
    if (rc == ZB_OK) rc = input_store(s, trust, e);
    if (begun) rc = commit_or_back(s, rc, e);
    for (int i = 0; i < stored; i++) {
        if (rc == ZB_OK) {
            point_stored(done[i]);
        } else {
            done[i]->since = s->input; /* nothing of this round counts */
            point_back(done[i]);
        }
    }
    if (rc == ZB_OK) {
        s->current = input;
        s->input = trust;
        s->next = s->n ? (begin + seen) % s->n : 0;
    }
    free(done);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int series_flush(struct series *s, uint64_t input, struct zb_err *e) { return flush(s, input, 0, e); }
int series_flush_some(struct series *s, uint64_t input, struct zb_err *e) { return flush(s, input, SHARE, e); }

uint64_t series_input(const struct series *s) { return s->input; }

/* ---- open, close ---- */
static int head_load(struct series *s, struct stmt *q, struct zb_err *e) {
    struct point *p = point_get(s, stmt_col_text(q, 1), stmt_col_text(q, 2), true);
    if (!p) return zb_fail(e, ZB_E_IO, "series: a point's code is too long");
    p->id = stmt_col_i64(q, 0);
    p->family = family_of(s, stmt_col_text(q, 5));
    if (!stmt_col_null(q, 4)) p->newest = p->sealed_to = stmt_col_i64(q, 4);
    if (stmt_col_null(q, 3)) return ZB_OK;
    struct sample *v;
    int n;
    if (chunk_decode(stmt_col_blob(q, 3), &v, &n, e) != ZB_OK) return zb_wrap(e, "series: head of point %s (zhiben rebuild makes it anew)", p->code);
    int rc = ZB_OK;
    for (int i = 0; i < n && rc == ZB_OK; i++) rc = sample_put(s, p, &v[i], e);
    free(v);
    return rc;
}

static int load(struct series *s, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(
        s->db, "select p.id, p.mine, p.code, h.data, (select max(t1) from chunk c where c.point=p.id), p.family from point p left join head h on h.point=p.id",
        e);
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1)
        if (head_load(s, q, e) != ZB_OK) return e->rc;
    if (r < 0) return r;
    ZB_AUTO(stmt_done) struct stmt *i = db_use(s->db, "select input from state", e);
    if (!i) return e->rc;
    if ((r = stmt_row(i, e)) == 1) s->input = s->current = (uint64_t)stmt_col_i64(i, 0);
    return r < 0 ? r : ZB_OK;
}

int series_open(const char *path, struct series **ret, struct zb_err *e) {
    struct series *s = xcalloc(1, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->rlock, NULL);
    int rc = db_open(path, DB_WIDE, &s->db, e);
    if (rc == ZB_OK) rc = db_migrate(s->db, "series", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e);
    if (rc == ZB_OK) rc = db_open(path, DB_READ, &s->rdb, e);
    if (rc == ZB_OK) rc = load(s, e);
    if (rc != ZB_OK) {
        series_close(s);
        return rc;
    }
    *ret = s;
    return ZB_OK;
}

void series_close(struct series *s) {
    if (!s) return;
    for (int i = 0; i < s->n; i++) {
        struct point *p = s->list[i];
        head_done(&p->head);
        blocks_free(&p->sealed);
        free(p->late);
        free(p);
    }
    free(s->list);
    map_done(&s->points);
    db_close(s->rdb);
    db_close(s->db);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->rlock);
    free(s);
}
