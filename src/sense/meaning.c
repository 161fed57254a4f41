/* From cells to what they mean, by the facts of the format's table. */
#include "sense/inside.h"

/* ---- slots ---- */
static struct str mapped(const char *map, struct str s) {
    struct str rest = str_of(map), other = {"", 0};
    while (rest.p) {
        struct str to, from = str_cut(str_cut(rest, ' ', &rest), '=', &to);
        if (!to.p) continue;
        if (str_eq(from, s)) return to;
        if (str_is(from, "*") && s.n) other = to;
    }
    return other;
}

static struct str glued(struct str a, const char *between, struct str b, struct arena *arena) {
    size_t m = strlen(between);
    char *s = arena_alloc(arena, a.n + m + b.n + 1);
    if (!s) return (struct str){"", 0};
    memcpy(s, a.p, a.n);
    memcpy(s + a.n, between, m);
    memcpy(s + a.n + m, b.p, b.n);
    return (struct str){s, a.n + m + b.n};
}

static struct str joined(const struct source *s, const struct record *r, const char *between, struct arena *a) {
    struct str all = {"", 0};
    for (int i = 0; i < s->fields; i++) {
        struct str one = r->cell[s->field[i]];
        if (!one.n) continue;
        all = all.n ? glued(all, between, one, a) : one;
    }
    return all;
}

static struct str composed(const struct source *s, enum slot k, const struct record *r, struct arena *a) {
    struct str v = {"", 0};
    if (s->constant)
        v = str_of(s->constant);
    else if (s->fields == 1)
        v = r->cell[s->field[0]];
    else if (s->first)
        for (int i = 0; i < s->fields && !v.n; i++) v = r->cell[s->field[i]];
    else
        v = joined(s, r, k == SLOT_POINT || k == SLOT_STATION ? "." : " ", a);
    return s->map ? mapped(s->map, v) : v;
}
/* Most slots are one field as it stands, or nothing. */
static inline struct str slot(const struct fact *x, enum slot k, const struct record *r, struct arena *a) {
    const struct source *s = &x->slot[k];
    if (s->constant || s->map || s->fields > 1) return composed(s, k, r, a);
    return s->fields ? r->cell[s->field[0]] : (struct str){"", 0};
}

static bool applies(const struct fact *x, const struct record *r) {
    if (x->when < 0) return true;
    bool in = false;
    struct str rest = str_of(x->when_words);
    while (rest.p && !in) in = str_eq(str_cut(rest, ' ', &rest), r->cell[x->when]);
    return in != x->when_not;
}

static struct str point_code(const struct fact *x, const struct record *r, struct arena *a) {
    struct str point = slot(x, SLOT_POINT, r, a), item = slot(x, SLOT_ITEM, r, a);
    return item.n && point.n ? glued(point, ".", item, a) : point;
}

static zb_time batch_moment(const struct batch *b) { return b->time != ZB_TIME_NONE ? b->time : b->name_time; }

/* A slot's time; when the record has none, the file's. */
static zb_time time_of(const struct batch *b, struct str s) {
    zb_time t;
    return s.n && batch_time(b, s, &t) ? t : batch_moment(b);
}
static zb_time time_or_none(const struct batch *b, struct str s) {
    zb_time t;
    return s.n && batch_time(b, s, &t) ? t : ZB_TIME_NONE;
}
static zb_fix fix_of(struct str s) {
    zb_fix v;
    return s.n && num_fix(s, &v) ? v : ZB_FIX_NONE;
}

/* ---- samples ---- */
static bool sample_make(const struct batch *b, const struct record *r, const struct fact *x, struct arena *a, struct observation *o) {
    int64_t bits = 0;
    struct str value, state;
    if (x->plain) { /* most files, most records */
        o->point = r->cell[x->slot[SLOT_POINT].field[0]];
        value = r->cell[x->slot[SLOT_VALUE].field[0]];
        state = x->slot[SLOT_STATE].fields ? r->cell[x->slot[SLOT_STATE].field[0]] : (struct str){"", 0};
        o->s.t = time_of(b, r->cell[x->slot[SLOT_TIME].field[0]]);
    } else {
        o->point = point_code(x, r, a);
        value = slot(x, SLOT_VALUE, r, a);
        state = slot(x, SLOT_STATE, r, a);
        o->s.t = time_of(b, slot(x, SLOT_TIME, r, a));
    }
    if (!o->point.n || o->point.n > 47 || o->s.t == ZB_TIME_NONE) return false;
    if (state.n && !num_i64(state, 0, 255, &bits)) bits = ST_FAULT; /* a state nobody told the meaning of does not speak for the place */
    o->s.state = (uint32_t)bits;
    if (!value.n || !num_fix(value, &o->s.v)) {
        o->s.v = ZB_FIX_NONE;
        o->s.state |= ST_NO_VALUE;
    }
    return true;
}

int samples_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct observation *ret) {
    const struct format *f = b->format;
    const struct record *r = &b->rec[i];
    int n = 0;
    (void)p;
    for (int k = 0; k < f->facts; k++) {
        const struct fact *x = &f->fact[k];
        if (x->kind != FACT_SAMPLE || !applies(x, r)) continue;
        ret[n].from = (uint32_t)i * FACTS_MAX + (uint32_t)k;
        ret[n].quiet = x->quiet;
        n += sample_make(b, r, x, a, &ret[n]);
    }
    return n;
}

/* ---- points ---- */
/* Gauss-Krueger: X is the northing (7 whole digits), Y the easting with its zone (8). Vendors swap them. */
static void swap_xy(struct point_def *d) {
    const zb_fix ten_million = 10000000 * ZB_FIX_ONE;
    if (d->x == ZB_FIX_NONE || d->y == ZB_FIX_NONE || d->x < ten_million || d->y >= ten_million) return;
    zb_fix x = d->x;
    d->x = d->y;
    d->y = x;
}

static enum value_type value_type_of(struct str s, struct str sensor) {
    for (int i = 0; i < VALUE_TYPES_N; i++)
        if (str_is(s, VALUE_TYPE_KEY[i])) return (enum value_type)i;
    if (s.n && s.p[0] == 'K') return VALUE_KG; /* Shanxi's K-codes */
    if (sensor.n == 4 && sensor.p[0] == '1' && sensor.p[1] == '0') return VALUE_KG;
    if (sensor.n == 4 && sensor.p[0] == '3' && sensor.p[1] == '0') return VALUE_LJ;
    return sensor.n == 4 && sensor.p[0] == '4' && sensor.p[1] == '0' ? VALUE_DT : VALUE_MN;
}

/* How the family writes "not set" (data-access 8.3): -0.01; 0 for a high limit, and for a low one unless the range goes below 0;
 * low equal to high: the high one only, else the point were cut for ever. */
static void limits_read(const struct fact *x, struct point_def *d) {
    zb_fix *hi[] = {&d->own.hi_alarm, &d->own.hi_clear, &d->own.hi_cut, &d->own.hi_restore};
    zb_fix *lo[] = {&d->own.lo_alarm, &d->own.lo_clear, &d->own.lo_cut, &d->own.lo_restore};
    for (int i = 0; i < 4; i++) {
        if (x->unset_negative && *hi[i] == -ZB_FIX_ONE / 100) *hi[i] = ZB_FIX_NONE;
        if (x->unset_negative && *lo[i] == -ZB_FIX_ONE / 100) *lo[i] = ZB_FIX_NONE;
        if (x->unset_zero && *hi[i] == 0) *hi[i] = ZB_FIX_NONE;
        if (x->unset_zero && *lo[i] == 0 && !(d->range_lo != ZB_FIX_NONE && d->range_lo < 0)) *lo[i] = ZB_FIX_NONE;
        if (*lo[i] == *hi[i]) *lo[i] = ZB_FIX_NONE;
    }
}

static bool four_digits(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n == 4;
}

/* The type by its code, else by its name (which some families put where the code belongs), else by the only one of this unit. */
static const struct sensor_type *sensor_of(const struct policy *p, struct str *code, struct str *name, struct str unit) {
    if (!code->n && four_digits(*name)) {
        *code = *name;
        *name = (struct str){"", 0};
    }
    const struct sensor_type *t = code->n ? policy_sensor_coded(p, *code) : NULL;
    return t || (code->n && !name->n) ? t : policy_sensor(p, *name, unit);
}

static bool point_make(const struct policy *p, const struct record *r, const struct fact *x, struct arena *a, struct point_def *d) {
    struct str code = point_code(x, r, a), sensor = slot(x, SLOT_SENSOR, r, a), name = slot(x, SLOT_TYPE_NAME, r, a);
    if (!code.n || code.n >= sizeof d->code) return false;
    struct str unit = str_of(policy_unit(p, slot(x, SLOT_UNIT, r, a), a));
    const struct sensor_type *t = sensor_of(p, &sensor, &name, unit);
#define FIX(k) fix_of(slot(x, SLOT_##k, r, a))
    *d = (struct point_def){.range_hi = FIX(RANGE_HIGH),
                            .range_lo = FIX(RANGE_LOW),
                            .x = FIX(X),
                            .y = FIX(Y),
                            .z = FIX(Z),
                            .own = {FIX(HI_ALARM), FIX(HI_CLEAR), FIX(LO_ALARM), FIX(LO_CLEAR), FIX(HI_CUT), FIX(HI_RESTORE), FIX(LO_CUT), FIX(LO_RESTORE)},
                            .line = {{ZB_FIX_NONE, ZB_FIX_NONE, FIX(HI_YELLOW), FIX(HI_ORANGE), FIX(HI_RED)},
                                     {ZB_FIX_NONE, ZB_FIX_NONE, FIX(LO_YELLOW), FIX(LO_ORANGE), FIX(LO_RED)}},
                            .every = x->every};
#undef FIX
    limits_read(x, d);
    swap_xy(d);
    str_copy(code, d->code, sizeof d->code);
    str_copy(slot(x, SLOT_STATION, r, a), d->station, sizeof d->station);
    str_copy(slot(x, SLOT_SYS, r, a), d->sys, sizeof d->sys);
    str_copy(unit.n ? unit : str_of(t ? t->unit : ""), d->unit, sizeof d->unit);
    str_copy(slot(x, SLOT_LOCATION, r, a), d->location, sizeof d->location);
    str_copy(slot(x, SLOT_ON_DESC, r, a), d->on_desc, sizeof d->on_desc);
    str_copy(slot(x, SLOT_OFF_DESC, r, a), d->off_desc, sizeof d->off_desc);
    d->relation = slot(x, SLOT_RELATION, r, a);
    str_copy(t ? str_of(t->code) : sensor, d->sensor_type, sizeof d->sensor_type);
    str_copy(name.n ? name : str_of(t ? t->zh : ""), d->type_name, sizeof d->type_name);
    struct str vt = slot(x, SLOT_VALUE_TYPE, r, a), cls = slot(x, SLOT_CLASS, r, a);
    d->vt = value_type_of(vt, str_of(d->sensor_type));
    str_copy(cls.n ? cls : str_of(policy_loc_class(p, str_of(d->location))), d->loc_class, sizeof d->loc_class);
    return true;
}

int points_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct point_def *ret) {
    const struct format *f = b->format;
    int n = 0;
    for (int k = 0; k < f->facts; k++)
        if (f->fact[k].kind == FACT_DEFINE && applies(&f->fact[k], &b->rec[i])) n += point_make(p, &b->rec[i], &f->fact[k], a, &ret[n]);
    return n;
}

bool sample_point(const struct policy *p, const struct batch *b, uint32_t from, struct arena *a, struct point_def *ret) {
    if (from >= CONVERTED) return converted_point(p, from, ret);
    return point_make(p, &b->rec[from / FACTS_MAX], &b->format->fact[from % FACTS_MAX], a, ret) && (ret->sensor_type[0] || ret->location[0] || ret->unit[0]);
}

/* ---- stations and events ---- */
int stations_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct station_state *ret) {
    const struct format *f = b->format;
    const struct record *r = &b->rec[i];
    int n = 0;
    int64_t run;
    (void)p;
    for (int k = 0; k < f->facts; k++) {
        const struct fact *x = &f->fact[k];
        if (x->kind != FACT_STATION || !applies(x, r) || !num_i64(slot(x, SLOT_RUN, r, a), 0, 9, &run)) continue;
        ret[n++] = (struct station_state){slot(x, SLOT_STATION, r, a), (int)run, time_of(b, slot(x, SLOT_TIME, r, a))};
    }
    return n;
}

static int word_at(struct str s, const char *const *names, int n, int absent) {
    for (int i = 0; i < n; i++)
        if (str_is(s, names[i])) return i;
    return absent;
}

static bool event_make(const struct batch *b, const struct record *r, const struct fact *x, struct arena *a, struct event *v) {
    struct str level = slot(x, SLOT_LEVEL, r, a);
    *v = (struct event){.kind = (enum alarm_kind)word_at(slot(x, SLOT_KIND, r, a), ALARM_KIND_KEY, ALARM_KINDS_N, ALARM_KINDS_N),
                        .same_as = (enum alarm_kind)word_at(slot(x, SLOT_SAME_AS, r, a), ALARM_KIND_KEY, ALARM_KINDS_N, ALARM_KINDS_N),
                        .level = (enum alarm_level)word_at(level, ALARM_LEVEL_KEY, ALARM_LEVELS_N, LEVEL_NONE),
                        .subject = slot(x, SLOT_POINT, r, a),
                        .code = slot(x, SLOT_CODE, r, a),
                        .say = slot(x, SLOT_SAY, r, a),
                        .start = time_or_none(b, slot(x, SLOT_START, r, a)),
                        .end = time_or_none(b, slot(x, SLOT_END, r, a)),
                        .peak = fix_of(slot(x, SLOT_PEAK, r, a))};
    const struct source *start = &x->slot[SLOT_START];
    if (!start->fields && !start->constant) v->start = batch_moment(b);
    if (v->kind == ALARM_KINDS_N || v->start == ZB_TIME_NONE || !v->subject.n || v->subject.n > 47) return false;
    if (x->instant) v->end = v->start;
    if (str_is(level, "end") && v->end == ZB_TIME_NONE) v->end = batch_moment(b) > v->start ? batch_moment(b) : v->start; /* a record that ends it */
    return true;
}

int events_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct event *ret) {
    const struct format *f = b->format;
    int n = 0;
    (void)p;
    for (int k = 0; k < f->facts; k++)
        if (f->fact[k].kind == FACT_EVENT && applies(&f->fact[k], &b->rec[i])) n += event_make(b, &b->rec[i], &f->fact[k], a, &ret[n]);
    return n;
}
