/* A mine's day in figures: what was below, what ran, what flowed, kept as facts (prove/facts.h) that rules may ask; and each factor against the others and against
 * the mine's own past (逐因素比对). */
#include "detect/compare.h"
#include "detect/people.h"
#include "engine/jobs.h"
#include <math.h>
#include <stdlib.h>

enum { HISTORY = 60, PLACES_MOST = 400, SHIFTS = 6, SHIFT_H = 8 };

struct figures { /* of the day */
    double persons, person_h, kwh, work_h, flow[FLOWS_N];
};
struct day {
    struct night *n;
    const struct copied *m;
    struct arena *a;
    struct people_in in;
    struct figures now;
    struct area_fact *area; /* working places of the position system */
    int areas;
    struct place_seen place[PLACES_MOST];
    struct str key[PLACES_MOST];
    int places, declared; /* declared: places the mine has declared at all */
};

/* ---- what was there ---- */
static int figures_read(struct day *d, struct zb_err *e) {
    struct night *n = d->n;
    struct figures *f = &d->now;
    double hour[24];
    bool any = false;
    *f = (struct figures){NAN, NAN, NAN, NAN, {0}};
    for (int i = 0; i < 24; i++) hour[i] = NAN;
    for (int k = 0; k < FLOWS_N; k++)
        if (flow_day(n, d->m, &n->p->clue.flow[k], &f->flow[k], e) != ZB_OK) return e->rc;
    if (work_hours(n, d->m, &f->work_h, e) != ZB_OK) return e->rc;
    if (n->p->clue.circuits && circuit_hours(n, d->m, &n->p->clue.circuit[0], n->day, 24, hour, &any, e) != ZB_OK) return e->rc;
    for (int i = 0; i < 24; i++)
        if (!isnan(hour[i])) f->kwh = isnan(f->kwh) ? hour[i] : f->kwh + hour[i];
    return ZB_OK;
}

static void persons_count(struct day *d) {
    zb_time when;
    double over;
    if (!d->in.n) return;
    d->now.persons = people_most(&d->in, STR(""), &when, &over, INT32_MAX);
    d->now.person_h = 0;
    for (int i = 0; i < d->in.n; i++) d->now.person_h += (double)(d->in.at[i].to - d->in.at[i].from) / (double)ZB_HOUR;
}

/* ---- working places ---- */
static bool alike(struct str a, struct str b) { return a.p && a.n && b.p && b.n && (memmem(a.p, a.n, b.p, b.n) || memmem(b.p, b.n, a.p, a.n)); }

static struct place_seen *place_get(struct day *d, struct str key, struct str name) {
    for (int i = 0; i < d->places; i++)
        if (alike(d->place[i].name, name)) return &d->place[i];
    if (d->places == PLACES_MOST) return NULL;
    d->key[d->places] = key;
    d->place[d->places] = (struct place_seen){.name = name, .air = NAN, .kwh = NAN};
    return &d->place[d->places++];
}

static void people_placed(struct day *d) {
    const struct detect_place *c = &d->n->p->detect.place;
    for (int i = 0; i < d->in.areas; i++) {
        const struct area_fact *f = &d->in.area[i];
        char name[200];
        zb_time when;
        struct place_seen *p;
        str_copy(f->name, name, sizeof name);
        if (!has_word(name, d->n->p->clue.working) || !(p = place_get(d, f->area, f->name))) continue;
        double most = people_most(&d->in, f->area, &when, &p->persons_s, (int)c->persons - 1);
        if (most > p->persons) p->persons = most;
    }
}

/* Air and power by the place in the words of the point. */
static int points_placed(struct day *d, struct zb_err *e) {
    struct night *n = d->n;
    for (int i = 0; i < d->m->n; i++) {
        const struct point_def *def = &d->m->def[i];
        bool air = word_in(n->p->clue.air_types, str_of(def->sensor_type)), kwh = word_in(n->p->clue.energy_types, str_of(def->sensor_type));
        struct place_seen *p;
        double x;
        if ((!air && !kwh) || !has_word(def->location, n->p->clue.working) || !(p = place_get(d, str_of(def->location), str_of(def->location)))) continue;
        struct copied one = {.def = (struct point_def *)def, .n = 1};
        str_copy(str_of(d->m->code), one.code, sizeof one.code);
        struct flow_rule f = {def->sensor_type, "", air ? FLOW_WAY_MEAN : FLOW_WAY_GAIN};
        if (flow_day(n, &one, &f, &x, e) != ZB_OK) return e->rc;
        double *to = air ? &p->air : &p->kwh;
        if (!isnan(x)) *to = isnan(*to) ? x : fmax(*to, x);
    }
    return ZB_OK;
}

static int declared_read(struct day *d, struct db *db, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, d->n->p->clue.places, e);
    if (!q) return e->rc;
    stmt_z(q, 1, d->m->code);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct str name = stmt_col_text(q, 0), zone = stmt_col_text(q, 1);
        d->declared++;
        for (int i = 0; i < d->places; i++)
            if ((zone.n && str_eq(zone, d->key[i])) || alike(name, d->place[i].name)) d->place[i].declared = true;
    }
    return r < 0 ? r : ZB_OK;
}

/* ---- kept as facts ---- */
static void real_or_null(struct stmt *q, int at, double x) {
    if (isfinite(x))
        stmt_real(q, at, x);
    else
        stmt_null(q, at);
}

static int mine_put(struct day *d, struct db *w, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(w,
               "insert into mine_day(mine,day,persons,person_h,kwh,tons,belt,skip,ticket,stock,work_h,air) values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,"
               "?12) on conflict(mine,day) do update set persons=?3,person_h=?4,kwh=?5,tons=?6,belt=?7,skip=?8,ticket=?9,stock=?10,work_h=?11,air=?12",
               e);
    const struct figures *f = &d->now;
    if (!q) return e->rc;
    stmt_z(q, 1, d->m->code), stmt_i64(q, 2, zb_day_of(d->n->day));
    const double v[] = {f->persons,           f->person_h,         f->kwh,    f->flow[FLOW_TONS], f->flow[FLOW_BELT], f->flow[FLOW_SKIP],
                        f->flow[FLOW_TICKET], f->flow[FLOW_STOCK], f->work_h, f->flow[FLOW_AIR]};
    for (int i = 0; i < 10; i++) real_or_null(q, i + 3, v[i]);
    return stmt_run(q, e);
}

static int hours_put(struct day *d, struct db *w, struct zb_err *e) {
    int most[24], least[24];
    people_hours(&d->in, d->n->day, 24, most, least);
    for (int h = 0; h < 24; h++) {
        if (!most[h]) continue;
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(w, "insert into mine_hour(mine,hour,most,least) values(?1,?2,?3,?4) on conflict(mine,hour) do update set most=?3,least=?4", e);
        if (!q) return e->rc;
        stmt_z(q, 1, d->m->code), stmt_i64(q, 2, (d->n->day + h * ZB_HOUR) / ZB_HOUR);
        stmt_i64(q, 3, most[h]), stmt_i64(q, 4, least[h]);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* The stays at[from, to) of one card. */
static int card_put(struct day *d, struct db *w, int from, int to, struct zb_err *e) {
    const struct presence *at = d->in.at;
    double hours = 0, longest = 0;
    struct str area = STR("");
    for (int i = from; i < to; i++) {
        double here = 0;
        for (int k = from; k < to; k++)
            if (str_eq(at[k].area, at[i].area)) here += (double)(at[k].to - at[k].from) / (double)ZB_HOUR;
        hours += (double)(at[i].to - at[i].from) / (double)ZB_HOUR;
        if (here > longest) longest = here, area = at[i].area;
    }
    bool below = at[to - 1].to >= d->n->day + ZB_DAY - 20 * ZB_MINUTE; /* the book of stays is written every quarter of an hour */
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(w,
               "insert into card_day(mine,day,card,down,up,hours,area,area_h) values(?1,?2,?3,?4,?5,?6,?7,?8) on conflict(mine,day,card) do update set "
               "down=?4,up=?5,hours=?6,area=?7,area_h=?8",
               e);
    if (!q) return e->rc;
    stmt_z(q, 1, d->m->code), stmt_i64(q, 2, zb_day_of(d->n->day)), stmt_text(q, 3, at[from].card);
    stmt_i64(q, 4, at[from].from);
    if (below)
        stmt_null(q, 5);
    else
        stmt_i64(q, 5, at[to - 1].to);
    stmt_real(q, 6, hours), stmt_text(q, 7, area), stmt_real(q, 8, longest);
    return stmt_run(q, e);
}

static int places_put(struct day *d, struct db *w, struct zb_err *e) {
    for (int i = 0; i < d->places; i++) {
        const struct place_seen *p = &d->place[i];
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(w,
                                "insert into place_day(mine,day,place,name,declared,persons,persons_h,air,kwh) values(?1,?2,?3,?4,?5,?6,?7,?8,?9) on "
                                "conflict(mine,day,place) do update set name=?4,declared=?5,persons=?6,persons_h=?7,air=?8,kwh=?9",
                                e);
        if (!q) return e->rc;
        stmt_z(q, 1, d->m->code), stmt_i64(q, 2, zb_day_of(d->n->day)), stmt_text(q, 3, d->key[i]), stmt_text(q, 4, p->name);
        stmt_i64(q, 5, p->declared), stmt_real(q, 6, p->persons), stmt_real(q, 7, p->persons_s / 3600);
        real_or_null(q, 8, p->air), real_or_null(q, 9, p->kwh);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int facts_put(struct day *d, struct zb_err *e) {
    struct db *w = engine_writer(d->n->en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) rc = mine_put(d, w, e);
    if (rc == ZB_OK) rc = hours_put(d, w, e);
    for (int i = 0, k; i < d->in.n && rc == ZB_OK; i = k) {
        for (k = i; k < d->in.n && str_eq(d->in.at[k].card, d->in.at[i].card);) k++;
        rc = card_put(d, w, i, k, e);
    }
    if (rc == ZB_OK) rc = places_put(d, w, e);
    if (rc == ZB_OK) rc = db_commit(w, e);
    if (rc != ZB_OK && db_in_tx(w)) db_rollback(w);
    engine_writer_back(d->n->en);
    return rc;
}

/* ---- against its past ---- */
struct history { /* the last HISTORY days, the judged one last */
    double persons[HISTORY], kwh[HISTORY], tons[HISTORY], air[HISTORY], per_ton[HISTORY];
    struct balance_window flow[HISTORY];
    double stock[HISTORY];
};

static int history_read(struct day *d, struct db *db, struct history *h, struct zb_err *e) {
    int32_t today = zb_day_of(d->n->day), first = today - HISTORY + 1;
    for (int i = 0; i < HISTORY; i++)
        h->persons[i] = h->kwh[i] = h->tons[i] = h->air[i] = h->per_ton[i] = h->stock[i] = NAN, h->flow[i] = (struct balance_window){NAN, NAN, NAN, NAN};
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "select day,persons,kwh,tons,air,belt,skip,ticket,stock from mine_day where mine=?1 and day>=?2 and day<=?3", e);
    if (!q) return e->rc;
    stmt_z(q, 1, d->m->code), stmt_i64(q, 2, first), stmt_i64(q, 3, today);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        int i = (int)(stmt_col_i64(q, 0) - first);
        double *to[] = {&h->persons[i], &h->kwh[i], &h->tons[i], &h->air[i], &h->flow[i].belt, &h->flow[i].skip, &h->flow[i].ticket, &h->stock[i]};
        for (int k = 0; k < 8; k++)
            if (!stmt_col_null(q, k + 1)) *to[k] = stmt_col_real(q, k + 1);
        if (h->tons[i] > 0) h->per_ton[i] = h->kwh[i] / h->tons[i];
    }
    for (int i = 1; i < HISTORY; i++) h->flow[i].stock = h->stock[i] - h->stock[i - 1];
    return r < 0 ? r : ZB_OK;
}

static int capacity_judge(struct day *d, struct db *db, struct clues *out, struct zb_err *e) {
    int32_t today = zb_day_of(d->n->day);
    struct capacity_in in = {.mine = str_of(d->m->code), .day = today};
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, d->n->p->clue.capacity, e);
    if (!q) return e->rc;
    stmt_z(q, 1, d->m->code);
    int r = stmt_row(q, e);
    if (r != 1 || stmt_col_null(q, 0)) return r < 0 ? r : ZB_OK;
    in.annual = stmt_col_real(q, 0), in.underground = stmt_col_i64(q, 1) != 0;
    const enum zb_unit unit[] = {ZB_MONTH_UNIT, ZB_QUARTER_UNIT, ZB_YEAR_UNIT};
    double *to[] = {&in.month, &in.quarter, &in.year};
    for (int i = 0; i < 3; i++) {
        ZB_AUTO(stmt_done) struct stmt *s = db_use(db, "select sum(tons) from mine_day where mine=?1 and day>=?2 and day<=?3", e);
        if (!s) return e->rc;
        stmt_z(s, 1, d->m->code), stmt_i64(s, 2, zb_period_start(unit[i], today, 0)), stmt_i64(s, 3, today);
        if ((r = stmt_row(s, e)) < 0) return r;
        *to[i] = r == 1 && !stmt_col_null(s, 0) ? stmt_col_real(s, 0) : NAN;
    }
    capacity_find(&in, d->n->p, out);
    return ZB_OK;
}

static void past_judge(struct day *d, const struct history *h, struct clues *out) {
    const struct policy *p = d->n->p;
    struct str mine = str_of(d->m->code);
    zb_time t0 = d->n->day - (HISTORY - 1) * ZB_DAY, t[HISTORY];
    if (stop_of(d->n, d->m->code)) return; /* what stands still is judged as such */
    struct ratio_in ratio = {mine, "吨煤电耗", "power per ton", "kWh/t", h->per_ton, HISTORY, t0};
    ratio_find(&ratio, p, out);
    struct factor_days f[] = {{"井下人数", "persons underground", "人", h->persons},
                              {"用电量", "electricity", "kWh", h->kwh},
                              {"产量", "output", "t", h->tons},
                              {"总风量", "air", "m³/min", h->air}};
    int first = 0; /* the baseline is the first days there are */
    while (first < HISTORY && isnan(f[0].day[first]) && isnan(f[1].day[first]) && isnan(f[2].day[first]) && isnan(f[3].day[first])) first++;
    for (int k = 0; k < 4; k++) f[k].day += first;
    drift_find(mine, f, 4, HISTORY - first, t0 + first * ZB_DAY, p, out);
    for (int i = 0; i < HISTORY; i++) t[i] = t0 + i * ZB_DAY;
    balance_find(mine, h->flow, HISTORY, t, ZB_DAY, p, out);
}

/* Cards against persons counted by cameras, by shift of today and yesterday. */
static int counts_judge(struct day *d, struct db *db, struct clues *out, struct zb_err *e) {
    double card[SHIFTS], seen[SHIFTS];
    zb_time from = d->n->day + ZB_DAY - SHIFTS * SHIFT_H * ZB_HOUR;
    struct people_in in = {.mine = str_of(d->m->code)};
    struct presence *at;
    int at_hour[SHIFT_H], least[SHIFT_H], any = 0;
    for (int s = 0; s < SHIFTS; s++) card[s] = seen[s] = NAN;
    for (int i = 0; i < d->m->n; i++) {
        struct sample *s;
        int k;
        if (!word_in(d->n->p->clue.count_types, str_of(d->m->def[i].sensor_type))) continue;
        if (night_read(d->n, d->m, i, from, &s, &k, e) != ZB_OK) return e->rc;
        for (int q = 0; q < k; q++) {
            int at_shift = (int)((s[q].t - from) / (SHIFT_H * ZB_HOUR));
            if (s[q].v == ZB_FIX_NONE || at_shift < 0 || at_shift >= SHIFTS) continue;
            any++;
            if (!(seen[at_shift] >= zb_fix_double(s[q].v))) seen[at_shift] = zb_fix_double(s[q].v);
        }
        free(s);
    }
    if (!any) return ZB_OK;
    if (tracks_read(db, d->m->code, from, d->n->day + ZB_DAY, d->a, &at, &in.n, e) != ZB_OK) return e->rc;
    in.at = at;
    for (int s = 0; s < SHIFTS; s++) {
        people_hours(&in, from + s * SHIFT_H * ZB_HOUR, SHIFT_H, at_hour, least);
        for (int h = 0; h < SHIFT_H; h++)
            if (at_hour[h] && !(card[s] >= at_hour[h])) card[s] = at_hour[h];
    }
    struct head_count c[] = {{"定位卡人数", "cards", card}, {"视频识别人数", "persons counted by cameras", seen}};
    counts_find(in.mine, c, 2, SHIFTS, d->n->day + ZB_DAY, d->n->p, out);
    return ZB_OK;
}

static int judge(struct day *d, struct db *db, struct history *h, struct clues *out, struct zb_err *e) {
    if (declared_read(d, db, e) != ZB_OK || facts_put(d, e) != ZB_OK || history_read(d, db, h, e) != ZB_OK || capacity_judge(d, db, out, e) != ZB_OK ||
        counts_judge(d, db, out, e) != ZB_OK)
        return e->rc;
    past_judge(d, h, out);
    struct places_in places = {str_of(d->m->code), d->place, d->places, d->now.flow[FLOW_AIR], d->n->day, d->n->day + ZB_DAY};
    if (d->declared) places_find(&places, d->n->p, out); /* a mine that has declared nothing is told by its file's gaps, not by every place */
    return ZB_OK;
}

int day_judge(struct night *n, int mi, struct clues *out, struct zb_err *e) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)128 << 20);
    struct day *d = xcalloc(1, sizeof *d);
    struct history *h = xcalloc(1, sizeof *h);
    struct presence *at;
    *d = (struct day){.n = n, .m = &n->mine[mi], .a = a, .in = {.mine = str_of(n->mine[mi].code), .from = n->day, .to = n->day + ZB_DAY}};
    struct db *db = engine_reader(n->en, e);
    int rc = db ? db_clock(db, n->day + ZB_DAY - 1, e) : e->rc;
    if (rc == ZB_OK) rc = tracks_read(db, d->m->code, n->day, n->day + ZB_DAY, a, &at, &d->in.n, e);
    if (rc == ZB_OK) d->in.at = at;
    if (rc == ZB_OK) rc = areas_read(db, n->p, d->m->code, a, &d->in, e);
    if (rc == ZB_OK) rc = figures_read(d, e);
    if (rc == ZB_OK) {
        persons_count(d);
        people_placed(d);
        rc = points_placed(d, e);
    }
    if (rc == ZB_OK) rc = judge(d, db, h, out, e);
    if (db && db_clock(db, ZB_TIME_NONE, rc == ZB_OK ? e : &(struct zb_err){0}) != ZB_OK && rc == ZB_OK) rc = e->rc;
    if (db) engine_reader_back(n->en, db);
    free(h), free(d);
    return rc;
}

/* What the facts say of persons goes when no clue needs it any more. */
int facts_trim(struct night *n, struct zb_err *e) {
    static const char *const SQL[] = {"delete from track where until<?1", "delete from card_day where day<?1", "delete from mine_hour where hour<?1"};
    const struct clue_rule *c = &n->p->clue;
    const int64_t before[] = {n->day - c->track_days * ZB_DAY, zb_day_of(n->day) - c->person_days, (n->day - c->hour_days * ZB_DAY) / ZB_HOUR};
    struct db *w = engine_writer(n->en);
    int rc = ZB_OK;
    for (int i = 0; i < 3 && rc == ZB_OK; i++) {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(w, SQL[i], e);
        if (q) stmt_i64(q, 1, before[i]);
        rc = q ? stmt_run(q, e) : e->rc;
    }
    engine_writer_back(n->en);
    return rc;
}
