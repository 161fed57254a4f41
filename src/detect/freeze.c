/* A mine's state to bytes and back. One walk serves both directions, so they cannot differ; every read is checked against what is left. */
#include "detect/ahead.h"
#include <stdlib.h>

#define VERSION 6
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
    text(f, a->note_en, sizeof a->note_en);
    text(f, a->why, sizeof a->why);
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

/* ---- what looks ahead ---- */
static void real(struct io *f, double *v) { bytes(f, v, sizeof *v); }

/* A part that packs itself: its length, then its bytes. */
static struct str packed(struct io *f, struct buf *b) {
    int n = (int)b->n;
    number(f, &n, 0, 1 << 20);
    if (f->out) buf_put(f->out, b->p, b->n);
    if (f->out || f->bad || (size_t)(f->end - f->p) < (size_t)n) {
        f->bad |= !f->out;
        return (struct str){"", 0};
    }
    f->p += n;
    return (struct str){f->p - n, (size_t)n};
}

static void ahead_gas(struct io *f, struct gas_ahead **at) {
    struct gas_ahead *g = *at ? *at : xcalloc(1, sizeof *g);
    ZB_AUTO(buf_done) struct buf model, live;
    buf_init(&model, 1 << 20), buf_init(&live, 1 << 20);
    if (f->out) gas_pack(g->model, &model), gas_live_pack(g->live, &live);
    struct str m = packed(f, &model), l = packed(f, &live);
    for (int i = 0; i < GAS_CHANNELS_MAX - 1; i++) text(f, g->with[i], sizeof g->with[i]);
    number(f, &g->fitted, 0, 200000);
    i64(f, &g->slot), i64(f, &g->at);
    for (int i = 0; i < GAS_CHANNELS_MAX; i++) real(f, &g->row[i]);
    real(f, &g->next.peak), real(f, &g->next.cross);
    if (f->out) return;
    *at = g;
    g->model = f->bad ? NULL : gas_unpack(m);
    g->live = g->model ? gas_live_new(g->model) : NULL;
    f->bad |= !g->live || !gas_live_unpack(g->live, l);
}

static void ahead_slope(struct io *f, struct slope_ahead **at) {
    struct slope_ahead *a = *at = *at ? *at : xcalloc(1, sizeof *a);
    int level = (int)a->level;
    ring(f, &a->hour), ring(f, &a->day), ring(f, &a->when);
    number(f, &level, 0, ALARM_LEVELS_N - 1);
    a->level = (enum alarm_level)level;
    i64(f, &a->at);
    double *v[] = {&a->speed, &a->angle, &a->days, &a->days_low, &a->days_high};
    for (int i = 0; i < 5; i++) real(f, v[i]);
    text(f, a->why, sizeof a->why);
    f->bad |= !a->hour.slot || a->hour.n > SLOPE_HOURS || !a->day.slot || a->day.n > SLOPE_DAYS_MAX || a->when.n != a->day.n;
}

static void ahead_level(struct io *f, struct level_ahead **at) {
    struct level_ahead *a = *at = *at ? *at : xcalloc(1, sizeof *a);
    ring(f, &a->step);
    for (size_t i = 0; i < sizeof a->model / sizeof(double); i++) real(f, (double *)&a->model + i);
    number(f, &a->fitted, 0, 200000);
    real(f, &a->next), i64(f, &a->at);
    f->bad |= !a->step.slot;
}

static void ahead(struct io *f, struct pt *p) {
    bool there = p->ahead != NULL;
    flag(f, &there);
    if (!there || f->bad) return;
    if (!f->out) p->ahead = xcalloc(1, sizeof *p->ahead);
    struct ahead *a = p->ahead;
    int what = (int)a->what;
    bool has[] = {a->gas != NULL, a->slope != NULL, a->level != NULL};
    number(f, &what, 0, FORECAST_TYPES_N);
    a->what = (enum forecast_type)what;
    for (int i = 0; i < 3; i++) flag(f, &has[i]);
    f->bad |= has[1] != (what == FORECAST_SLOPE) || has[2] != (what == FORECAST_LEVEL);
    if (has[0] && !f->bad) ahead_gas(f, &a->gas);
    if (has[1] && !f->bad) ahead_slope(f, &a->slope);
    if (has[2] && !f->bad) ahead_level(f, &a->level);
}

static void burst(struct io *f, struct mine_state *m) {
    bool there = m->burst != NULL;
    flag(f, &there);
    if (!there || f->bad) return;
    if (!f->out) m->burst = burst_ahead_new();
    struct burst_ahead *b = m->burst;
    number(f, &b->n, 0, BURST_KEPT);
    i64(f, &b->open), i64(f, &b->received);
    if (b->open != INT64_MIN && (b->open > 10000000 || b->open < -10000000)) f->bad = true;
    struct burst_shift *one = &b->now;
    for (int i = -1; i < b->n && !f->bad; i++) {
        if (i >= 0) one = &b->shift[i];
        real(f, &one->events), real(f, &one->strong), real(f, &one->energy), real(f, &one->acoustic);
        flag(f, &one->working);
        if (i >= 0) real(f, &b->score[i]);
    }
    for (size_t i = 0; i < sizeof b->model / sizeof(double); i++) real(f, (double *)&b->model + i);
    number(f, &b->fitted, 0, 200000);
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
    ahead(f, p);
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
    i64(&f, &w->pond_at);
    burst(&f, w);
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
    i64(&f, &m->pond_at);
    burst(&f, m);
    number(&f, &n, 0, MINE_POINTS_MAX);
    for (int i = 0; i < n && !f.bad; i++) {
        struct pt p = {.eff = LIMITS_NONE, .source = "", .eff_day = INT32_MIN};
        point(&f, &p);
        struct pt *kept = p.def.code[0] && !pt_find(m, str_of(p.def.code)) ? pt_make(m, &p.def) : NULL;
        if (!kept) f.bad = true;
        if (kept) p.index = kept->index, *kept = p;
        if (!kept) watch_done(&p), ahead_done(&p), free(p.relation);
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
