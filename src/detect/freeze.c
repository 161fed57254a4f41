/* A mine's state to bytes and back. One walk serves both directions, so they cannot differ; every read is checked against what is left. */
#include "detect/state.h"
#include <stdlib.h>

#define VERSION 3
#define FROZEN_MAX ((size_t)256 << 20)

struct io {
    struct buf *out;
    const char *p, *end;
    bool bad;
};

static void bytes(struct io *f, void *v, size_t n) {
    if (f->out) {
        buf_put(f->out, v, n);
    } else if (f->bad || (size_t)(f->end - f->p) < n) {
        f->bad = true;
        memset(v, 0, n);
    } else {
        memcpy(v, f->p, n);
        f->p += n;
    }
}
static void i64(struct io *f, int64_t *v) { bytes(f, v, sizeof *v); }
static void u32(struct io *f, uint32_t *v) { bytes(f, v, sizeof *v); }
static void flag(struct io *f, bool *v) {
    uint8_t b = *v;
    bytes(f, &b, 1);
    if (b > 1) f->bad = true;
    *v = b == 1;
}
static void number(struct io *f, int *v, int min, int max) {
    int32_t x = *v;
    bytes(f, &x, sizeof x);
    if (x < min || x > max) {
        f->bad = true;
        x = min;
    }
    *v = x;
}
static void text(struct io *f, char *s, size_t cap) {
    uint16_t n = (uint16_t)strlen(s);
    bytes(f, &n, sizeof n);
    if (!f->out && n >= cap) f->bad = true;
    if (f->bad) {
        s[0] = 0;
        return;
    }
    bytes(f, s, n);
    s[n] = 0;
}

static void limits(struct io *f, struct limits *l) {
    zb_fix *v[] = {&l->hi_alarm, &l->hi_clear, &l->lo_alarm, &l->lo_clear, &l->hi_cut, &l->hi_restore, &l->lo_cut, &l->lo_restore};
    for (int i = 0; i < 8; i++) i64(f, v[i]);
}

static void relation(struct io *f, struct pt *p) {
    char s[RELATION_MAX + 1];
    str_copy(str_of(p->relation ? p->relation : ""), s, sizeof s);
    text(f, s, sizeof s);
    if (!f->out && s[0]) p->relation = xstrndup(s, strlen(s));
}

static void definition(struct io *f, struct pt *p) {
    struct point_def *d = &p->def;
    text(f, d->code, sizeof d->code);
    text(f, d->station, sizeof d->station);
    text(f, d->sensor_type, sizeof d->sensor_type);
    text(f, d->unit, sizeof d->unit);
    text(f, d->sys, sizeof d->sys);
    text(f, d->location, sizeof d->location);
    text(f, d->type_name, sizeof d->type_name);
    text(f, d->on_desc, sizeof d->on_desc);
    text(f, d->off_desc, sizeof d->off_desc);
    relation(f, p);
    text(f, d->loc_class, sizeof d->loc_class);
    int vt = (int)d->vt;
    number(f, &vt, 0, VALUE_TYPES_N - 1);
    d->vt = (enum value_type)vt;
    zb_fix *v[] = {&d->range_hi, &d->range_lo, &d->x, &d->y, &d->z};
    for (int i = 0; i < 5; i++) i64(f, v[i]);
    limits(f, &d->own);
    for (int i = 0; i < COLOURS; i++) {
        i64(f, &d->line.hi[i]);
        i64(f, &d->line.lo[i]);
    }
    i64(f, &d->every);
}

static void alarm(struct io *f, struct alarm *a) {
    int kind = (int)a->kind, level = (int)a->level;
    text(f, a->id, sizeof a->id);
    text(f, a->mine, sizeof a->mine);
    text(f, a->point, sizeof a->point);
    number(f, &kind, 0, ALARM_KINDS_N - 1);
    number(f, &level, 0, ALARM_LEVELS_N - 1);
    a->kind = (enum alarm_kind)kind;
    a->level = (enum alarm_level)level;
    i64(f, &a->raised);
    i64(f, &a->cleared);
    i64(f, &a->last);
    i64(f, &a->peak);
    i64(f, &a->limit);
    u32(f, &a->labels);
    number(f, &a->count, 0, INT32_MAX);
    text(f, a->group, sizeof a->group);
    text(f, a->note, sizeof a->note);
}

static void lives(struct io *f, struct live **list) {
    int n = 0;
    for (struct live *l = *list; l; l = l->next) n++;
    number(f, &n, 0, 100000);
    struct live **at = list;
    for (int i = 0; i < n && !f->bad; i++) {
        if (!f->out) *at = xcalloc(1, sizeof **at);
        alarm(f, &(*at)->a);
        flag(f, &(*at)->on);
        i64(f, &(*at)->off_from);
        i64(f, &(*at)->off_due);
        at = &(*at)->next;
    }
}

static void ring(struct io *f, struct ring *r) {
    i64(f, &r->slot);
    if (!r->slot) return;
    int n = r->n;
    int64_t newest = r->newest;
    number(f, &n, 1, RAIN_SLOTS);
    zb_time last = r->last;
    i64(f, &newest);
    i64(f, &last);
    const int64_t far = (int64_t)1 << 40;
    if (!f->out && (f->bad || r->slot < 0 || r->slot > 40 * ZB_DAY || (newest != INT64_MIN && (newest > far || newest < -far)))) {
        r->slot = 0;
        f->bad = true;
        return;
    }
    if (!f->out) ring_make(r, r->slot, n);
    r->newest = newest;
    r->last = last;
    for (int i = 0; i < n; i++) i64(f, &r->v[i]);
}

/* Its memories; the lines follow from policy and definition. */
static void watch(struct io *f, struct pt *p) {
    bool there = p->watch != NULL;
    flag(f, &there);
    if (!there || f->bad) return;
    if (!f->out) {
        p->watch = xcalloc(1, sizeof *p->watch);
        p->watch->line = LINES_NONE;
        p->watch->joint = -1;
    }
    for (int i = 0; i < WINDOWS_MAX; i++) ring(f, &p->watch->change[i]);
    ring(f, &p->watch->rain);
}

static void point(struct io *f, struct pt *p) {
    definition(f, p);
    i64(f, &p->last.t);
    i64(f, &p->last.v);
    u32(f, &p->last.state);
    i64(f, &p->received);
    for (int i = 0; i < 3; i++) i64(f, &p->valid[i]);
    i64(f, &p->lost_at);
    flag(f, &p->defined);
    flag(f, &p->confirmed);
    lives(f, &p->live);
    watch(f, p);
}

static void facts(struct io *f, struct mine_facts *x) {
    text(f, x->code, sizeof x->code);
    text(f, x->name, sizeof x->name);
    text(f, x->gas_class, sizeof x->gas_class);
    text(f, x->region, sizeof x->region);
}

void mine_freeze(const struct mine_state *m, struct buf *out) {
    struct io f = {.out = out};
    struct mine_state *w = (struct mine_state *)m; /* the walk only reads when it writes out */
    uint32_t version = VERSION;
    int n = m->n;
    u32(&f, &version);
    facts(&f, &w->f);
    i64(&f, &w->heard);
    i64(&f, &w->due);
    i64(&f, &w->period);
    i64(&f, &w->late_from);
    i64(&f, &w->late_due);
    i64(&f, &w->late_by);
    lives(&f, &w->own);
    number(&f, &n, 0, MINE_POINTS_MAX);
    for (int i = 0; i < n; i++) point(&f, w->pt[i]);
}

int mine_thaw(struct str in, struct mine_state **ret, struct zb_err *e) {
    struct io f = {.p = in.p, .end = in.p + in.n};
    uint32_t version = 0;
    struct mine_facts x = {0};
    u32(&f, &version);
    if (f.bad || version != VERSION || in.n > FROZEN_MAX) return zb_fail(e, ZB_E_IO, "a mine's saved state is not of version %d", VERSION);
    facts(&f, &x);
    struct mine_state *m = mine_new(&x);
    int n = 0;
    i64(&f, &m->heard);
    i64(&f, &m->due);
    i64(&f, &m->period);
    i64(&f, &m->late_from);
    i64(&f, &m->late_due);
    i64(&f, &m->late_by);
    lives(&f, &m->own);
    number(&f, &n, 0, MINE_POINTS_MAX);
    for (int i = 0; i < n && !f.bad; i++) {
        struct pt p = {.eff = LIMITS_NONE, .source = "", .eff_day = INT32_MIN};
        point(&f, &p);
        struct pt *kept = p.def.code[0] && !pt_find(m, str_of(p.def.code)) ? pt_make(m, &p.def) : NULL;
        if (!kept) f.bad = true;
        if (kept) p.index = kept->index, *kept = p;
        if (!kept) watch_done(&p), free(p.relation);
        for (struct live *l = kept ? NULL : p.live, *next; l; l = next) {
            next = l->next;
            free(l);
        }
    }
    if (f.bad || f.p != f.end) {
        mine_free(m);
        return zb_fail(e, ZB_E_IO, "a mine's saved state of %zu bytes is damaged", in.n);
    }
    for (int i = 0; i < m->n; i++) links_make(m, m->pt[i]);
    *ret = m;
    return ZB_OK;
}
