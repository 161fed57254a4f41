/* The night's judgement: sensor-days, copies between points and mines, mines that should stand still; each hour the people below. A thread of its own with the least urgency: it reads the
 * series by its own handles, waits while uploads wait, and can stop after any point. What is done is kept, so that a restart goes on where it was. */
#include "detect/compare.h"
#include "detect/integrity.h"
#include "detect/relate.h"
#include "engine/inside.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PRINTS_MAX (4 << 20) /* fingerprints of a night: 128 MiB */
#define EVENTS_MAX 2000
#define BASE_DAYS 40 /* days of load before a stop */

struct print {
    uint64_t hash;
    int mine, point, at; /* at: index of the value in the day */
};
struct copied { /* what the judge may change meanwhile */
    char code[24], gas[12];
    struct point_def *def;
    const struct point_def **list;
    int n;
};
struct night {
    struct engine *en;
    struct policy *p;
    zb_time day, now;
    struct copied *mine;
    int mines;
    struct print *print;
    int prints;
    struct night_result *ret;
};

static bool stopped(struct engine *en) { return __atomic_load_n(&en->jobs_stop, __ATOMIC_RELAXED); }

/* Live alarms first. */
static bool wait_turn(struct engine *en) {
    for (int i = 0; i < 100 && !stopped(en); i++) {
        pthread_mutex_lock(&en->q_lock);
        int waiting = en->queue;
        pthread_mutex_unlock(&en->q_lock);
        if (waiting < 8) break;
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    return !stopped(en);
}

static int mine_copy(void *arg, const struct mine_view *v) {
    struct night *n = arg;
    if (v->linkage->trial) return 0; /* no clue before it is accepted */
    n->mine = xrealloc(n->mine, (size_t)(n->mines + 1) * sizeof *n->mine);
    struct copied *c = &n->mine[n->mines++];
    *c = (struct copied){.n = mine_points(v->state)};
    str_copy(str_of(v->code), c->code, sizeof c->code);
    str_copy(str_of(v->gas_class), c->gas, sizeof c->gas);
    c->def = xmalloc((size_t)(c->n + 1) * sizeof *c->def);
    c->list = xmalloc((size_t)(c->n + 1) * sizeof *c->list);
    for (int i = 0; i < c->n; i++) {
        struct point_now now;
        c->def[i] = mine_point_at(v->state, i, &now) ? *now.def : (struct point_def){0};
        c->list[i] = &c->def[i];
    }
    return 0;
}

static int read_point(struct night *n, const struct copied *m, int i, zb_time from, struct sample **s, int *k, struct zb_err *e) {
    return series_read(n->en->series, str_of(m->code), str_of(m->def[i].code), from, n->day + ZB_DAY, s, k, e);
}

/* Beginnings of losses: no value, fault, calibration, not polled, paused; or a gap of more than three periods. */
static int losses(const struct sample *s, int n, zb_time *out) {
    const uint32_t LOST = ST_CALIB | ST_NOT_POLLED | ST_PAUSED | ST_FAULT | ST_NO_VALUE;
    zb_time period = samples_period(s, n);
    int k = 0;
    for (int i = 1; i < n && k < EVENTS_MAX; i++) {
        if ((s[i].state & LOST) && !(s[i - 1].state & LOST))
            out[k++] = s[i].t;
        else if (period && s[i].t - s[i - 1].t > 3 * period && k < EVENTS_MAX)
            out[k++] = s[i - 1].t + period;
    }
    return k;
}
/* Losses in which the whole station was lost are one event and no secret. */
static int stations(const struct sample *s, int n, zb_time *out) {
    int k = 0;
    for (int i = 1; i < n && k < EVENTS_MAX; i++)
        if ((s[i].state & ST_STATION) && !(s[i - 1].state & ST_STATION)) out[k++] = s[i].t;
    return k;
}
static int fan_stops(const struct sample *s, int n, zb_time *out) {
    int k = 0;
    for (int i = 1; i < n && k < EVENTS_MAX; i++)
        if (s[i].v == 0 && s[i - 1].v > 0) out[k++] = s[i].t;
    return k;
}

static void prints_add(struct night *n, const struct sample *s, int k, int mine, int point) {
    struct fingerprint f[400];
    zb_fix *v = xmalloc((size_t)(k + 1) * sizeof *v);
    int c = 0;
    for (int i = 0; i < k; i++)
        if (s[i].t >= n->day && s[i].v != ZB_FIX_NONE) v[c++] = s[i].v;
    int got = replay_fingerprints(v, c, 0, &n->p->detect.replay, f, 400);
    free(v);
    for (int i = 0; i < got && n->prints < PRINTS_MAX; i++) {
        if (!(n->prints & (n->prints - 1))) n->print = xrealloc(n->print, (size_t)(n->prints ? 2 * n->prints : 1) * sizeof *n->print);
        n->print[n->prints++] = (struct print){f[i].hash, mine, point, f[i].at};
    }
}

static int score_keep(struct night *n, const struct copied *m, int i, const struct integrity_day *d, struct zb_err *e) {
    if (d->score <= 0) return ZB_OK; /* a good day needs no row */
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 8000);
    json_init(&j, &b);
    json_obj(&j);
    for (int k = 0; k < d->parts; k++) json_key(&j, n->p->detect.who[d->part[k].detector].key), json_i64(&j, (int64_t)(d->part[k].score * 100));
    json_end(&j);
    struct db *w = engine_writer(n->en);
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(w,
                            "insert into sensor_day(mine,point,day,score,grade,parts) values(?1,?2,?3,?4,?5,?6) on conflict(mine,point,day) do update set "
                            "score=?4,grade=?5,parts=?6",
                            e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_z(q, 1, m->code), stmt_z(q, 2, m->def[i].code);
        stmt_i64(q, 3, zb_day_of(n->day)), stmt_i64(q, 4, (int64_t)(d->score * 100)), stmt_i64(q, 5, d->grade);
        stmt_z(q, 6, b.p);
        rc = stmt_run(q, e);
    }
    stmt_done(&q);
    engine_writer_back(n->en);
    return rc;
}

static int point_judge(struct night *n, int mi, int i, struct clues *out, struct zb_err *e) {
    const struct copied *m = &n->mine[mi];
    const struct policy *p = n->p;
    const struct point_def *def = &m->def[i];
    bool steady = word_in(p->detect.steady_types, str_of(def->sensor_type));
    if (def->vt != VALUE_MN || (!steady && !word_in(p->detect.gas_types, str_of(def->sensor_type)))) return ZB_OK;
    zb_time from = n->day - (zb_time)p->detect.near.history_d * ZB_DAY, step = (zb_time)(p->detect.near.grid_s * 1000);
    struct sample *s = NULL, *b = NULL, *on = NULL, *fan = NULL;
    zb_time *lost = xmalloc(3 * EVENTS_MAX * sizeof *lost), *station = lost + EVENTS_MAX, *stop = station + EVENTS_MAX;
    int k = 0, kb = 0, ko = 0, kf = 0, beside = relate_beside(m->list, m->n, i, p), work = relate_work(m->list, m->n, i, p),
        f = relate_fan(m->list, m->n, i, p);
    int rc = read_point(n, m, i, from, &s, &k, e);
    if (rc == ZB_OK && k && beside >= 0) rc = read_point(n, m, beside, from, &b, &kb, e);
    if (rc == ZB_OK && k && work >= 0) rc = read_point(n, m, work, from, &on, &ko, e);
    if (rc == ZB_OK && k && f >= 0) rc = read_point(n, m, f, from, &fan, &kf, e);
    if (rc == ZB_OK && k) {
        struct grid g, gb = {0};
        const char *source;
        zb_time begin = s[0].t > from ? s[0].t - (s[0].t - from) % step : from, period = samples_period(s, k);
        if (period > step) step = period;
        if (begin > n->day) begin = n->day;
        grid_make(&g, s, k, begin, n->day, n->day + ZB_DAY, step);
        if (kb) grid_make(&gb, b, kb, begin, n->day, n->day + ZB_DAY, step);
        if (ko) grid_regime(&g, on, ko, ZB_DAY);
        struct limits law = policy_limits(p, def->loc_class, def->sensor_type, m->gas, zb_day_of(n->day), &source);
        struct sensor_day in = {.mine = str_of(m->code),
                                .point = str_of(def->code),
                                .location = str_of(def->location),
                                .g = &g,
                                .beside = kb ? &gb : NULL,
                                .s = s,
                                .n = k,
                                .limit = law.hi_alarm,
                                .range_hi = def->range_hi,
                                .own = &def->own,
                                .law = &law,
                                .steady = steady,
                                .fan_stop = stop,
                                .fan_stops = fan_stops(fan, kf, stop)};
        in.events = (struct coincide_in){.lost = lost, .nlost = losses(s, k, lost), .excused = station, .nexcused = stations(s, k, station)};
        struct integrity_day d;
        integrity_judge(&in, p, &d, out);
        rc = score_keep(n, m, i, &d, e);
        prints_add(n, s, k, mi, i);
        grid_free(&g), grid_free(&gb);
        n->ret->points++;
    }
    free(s), free(b), free(on), free(fan), free(lost);
    return rc;
}

/* ---- copies between points and mines ---- */
static int by_hash(const void *a, const void *b) {
    const struct print *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->mine != y->mine ? x->mine - y->mine : x->point - y->point;
}

static int day_values(struct night *n, const struct print *x, zb_fix **v, zb_time **t, int *k, struct zb_err *e) {
    struct sample *s;
    int got;
    if (read_point(n, &n->mine[x->mine], x->point, n->day, &s, &got, e) != ZB_OK) return e->rc;
    *v = xmalloc((size_t)(got + 1) * sizeof **v), *t = xmalloc((size_t)(got + 1) * sizeof **t), *k = 0;
    for (int i = 0; i < got; i++)
        if (s[i].v != ZB_FIX_NONE) (*t)[*k] = s[i].t, (*v)[(*k)++] = s[i].v;
    free(s);
    return ZB_OK;
}

static int pair_look(struct night *n, const struct print *a, const struct print *b, struct clues *out, struct zb_err *e) {
    zb_fix *va = NULL, *vb = NULL, off;
    zb_time *ta = NULL, *tb = NULL;
    int na, nb, fa, fb, rc = day_values(n, a, &va, &ta, &na, e);
    if (rc == ZB_OK) rc = day_values(n, b, &vb, &tb, &nb, e);
    if (rc == ZB_OK && a->at < na && b->at < nb) {
        int length = replay_extent(va, na, a->at, vb, nb, b->at, &fa, &fb, &off), changes = 0;
        for (int i = fa + 1; i < fa + length; i++) changes += va[i] != va[i - 1];
        if (length > n->p->detect.replay.window && changes >= n->p->detect.replay.changes) {
            const struct copied *ma = &n->mine[a->mine], *mb = &n->mine[b->mine];
            struct clue *c = clue_new(out, n->p, DETECTOR_TWIN, str_of(ma->code), str_of(ma->def[a->point].code), ta[fa], ta[fa + length - 1]);
            char from[ZB_TIME_CAP], by[ZB_FIX_CAP];
            zb_time_text(tb[fb], from), zb_fix_text(off, by);
            clue_factor(c, "相同读数", "equal readings", "", length, 0);
            snprintf(c->zh, sizeof c->zh, "%s（%s）%d个读数与%s测点%s（%s起）逐一%s%s，其间变化%d次。", ma->def[a->point].location, ma->def[a->point].code,
                     length, a->mine == b->mine ? "本矿" : mb->code, mb->def[b->point].code, from, off ? "相差" : "相同", off ? by : "", changes);
            snprintf(c->en, sizeof c->en, "%s (%s): %d readings equal those of %s, point %s from %s, one by one (difference %s), with %d changes among them.",
                     ma->def[a->point].location, ma->def[a->point].code, length, a->mine == b->mine ? "the same mine" : mb->code, mb->def[b->point].code, from,
                     off ? by : "0", changes);
            clue_innocent(c, "同一传感器重复登记", "one sensor registered twice", LOOKED_NO);
            clue_seal(c);
        }
    }
    free(va), free(vb), free(ta), free(tb);
    return rc;
}

static int copies_join(struct night *n, struct clues *out, struct zb_err *e) {
    qsort(n->print, (size_t)n->prints, sizeof *n->print, by_hash);
    int told = -1, pairs = 0;
    for (int i = 1; i < n->prints && pairs < 2000; i++) {
        const struct print *a = &n->print[i], *b = &n->print[i - 1];
        if (a->hash != b->hash || (a->mine == b->mine && a->point == b->point) || told == a->mine * MINE_POINTS_MAX + a->point) continue;
        told = a->mine * MINE_POINTS_MAX + a->point; /* many windows of one copy meet: told once */
        pairs++;
        bool there = false;
        for (int k = 0; k < out->n; k++)
            there = there || (!strcmp(out->c[k].subject, n->mine[a->mine].def[a->point].code) && !strcmp(out->c[k].mine, n->mine[a->mine].code));
        if (!there && pair_look(n, a, b, out, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* ---- mines that should stand still ---- */
struct stop {
    char mine[24], rule[16], zh[80], en[80];
    int32_t since;
    double crew, hours;
    bool power;
};
static bool has_word(const char *place, const char *words) {
    struct str rest = str_of(words);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, '|', &rest);
        if (w.n && memmem(place, strlen(place), w.p, w.n)) return true;
    }
    return false;
}

/* kWh of each hour from a counter: what it gained since the hour before. */
static int hours_add(struct night *n, const struct copied *m, int i, zb_time from, int hours, double *out, struct zb_err *e) {
    struct bucket *b;
    int k;
    if (series_buckets(n->en->series, str_of(m->code), str_of(m->def[i].code), from - ZB_HOUR, from + hours * ZB_HOUR, hours + 1, &b, &k, e) != ZB_OK)
        return e->rc;
    for (int q = 1; q < k; q++) {
        int at = (int)((b[q].t - from) / ZB_HOUR);
        if (b[q].t - b[q - 1].t != ZB_HOUR || b[q].last == ZB_FIX_NONE || b[q - 1].last == ZB_FIX_NONE || b[q].last < b[q - 1].last || at < 0 || at >= hours)
            continue;
        double v = zb_fix_double(b[q].last - b[q - 1].last);
        out[at] = isnan(out[at]) ? v : out[at] + v;
    }
    free(b);
    return ZB_OK;
}

/* Hours yesterday in which a switch of work was on; tons an output counter gained. */
static int signs_of(struct night *n, const struct copied *m, double *work_h, double *tons, struct zb_err *e) {
    *work_h = *tons = NAN;
    for (int i = 0; i < m->n; i++) {
        bool work = word_in(n->p->detect.work_types, str_of(m->def[i].sensor_type)), out = word_in(n->p->clue.output_types, str_of(m->def[i].sensor_type));
        struct sample *s;
        int k;
        if (!work && !out) continue;
        if (read_point(n, m, i, n->day, &s, &k, e) != ZB_OK) return e->rc;
        double x = 0;
        for (int q = 1; q < k; q++) {
            if (work && s[q - 1].v > 0) x += (double)(s[q].t - s[q - 1].t) / (double)ZB_HOUR;
            if (out && s[q].v != ZB_FIX_NONE && s[q - 1].v != ZB_FIX_NONE && s[q].v > s[q - 1].v) x += zb_fix_double(s[q].v - s[q - 1].v);
        }
        free(s);
        double *to = work ? work_h : tons;
        if (k && !(*to >= x)) *to = x; /* the busiest switch, the largest counter */
    }
    return ZB_OK;
}

static int stop_judge(struct night *n, const struct stop *s, struct clues *out, struct zb_err *e) {
    const struct copied *m = NULL;
    for (int i = 0; i < n->mines && !m; i++)
        if (!strcmp(n->mine[i].code, s->mine)) m = &n->mine[i];
    int32_t today = zb_day_of(n->day);
    if (!m || s->since > today || today - s->since > 400) return ZB_OK; /* what stands for longer than a year is asked of its first year's load no more */
    enum { CIRCUITS = 16 };
    int hours = (BASE_DAYS + today - s->since + 1) * 24, k = 0;
    zb_time from = zb_day_start(s->since - BASE_DAYS);
    struct circuit c[CIRCUITS];
    double *hour = xmalloc((size_t)hours * CIRCUITS * sizeof *hour), work_h, tons;
    for (int i = 0; i < hours * CIRCUITS; i++) hour[i] = NAN;
    int rc = ZB_OK;
    for (int r = 0; r < n->p->clue.circuits && k < CIRCUITS && s->power; r++) {
        const struct circuit_rule *cr = &n->p->clue.circuit[r];
        bool any = false;
        for (int i = 0; i < m->n && rc == ZB_OK; i++) {
            if (!word_in(n->p->clue.energy_types, str_of(m->def[i].sensor_type)) || !has_word(m->def[i].location, cr->words)) continue;
            any = true;
            rc = hours_add(n, m, i, from, hours, hour + (size_t)k * (size_t)hours, e);
        }
        if (!any && !r) break; /* without the whole there is no share */
        if (any) c[k] = (struct circuit){cr->zh, cr->en, hour + (size_t)k * (size_t)hours, cr->works}, k++;
    }
    if (rc == ZB_OK) rc = signs_of(n, m, &work_h, &tons, e);
    if (rc == ZB_OK) {
        struct sign g[] = {{"采掘运输设备运行", "machines ran", "h", work_h, s->hours}, {"产量", "output", "t", tons, 0}};
        struct still_in in = {.mine = str_of(m->code),
                              .subject = STR(""),
                              .rule = s->rule,
                              .zh = s->zh,
                              .en = s->en,
                              .t0 = from,
                              .n = hours,
                              .stop = BASE_DAYS * 24,
                              .circuit = c,
                              .circuits = k,
                              .sign = g,
                              .signs = 2};
        still_find(&in, n->p, out);
        n->ret->stops++;
    }
    free(hour);
    return rc;
}

static int stops_judge(struct night *n, struct clues *out, struct zb_err *e) {
    struct stop *list = NULL;
    int k = 0, r = -1;
    struct db *db = engine_reader(n->en, e);
    if (!db) return e->rc;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, n->p->clue.stops, e);
        while (q && k < 20000 && (r = stmt_row(q, e)) == 1) {
            list = xrealloc(list, (size_t)(k + 1) * sizeof *list);
            struct stop *s = &list[k++];
            str_copy(stmt_col_text(q, 0), s->mine, sizeof s->mine);
            s->since = (int32_t)stmt_col_i64(q, 1);
            str_copy(stmt_col_text(q, 2), s->rule, sizeof s->rule);
            str_copy(stmt_col_text(q, 3), s->zh, sizeof s->zh);
            str_copy(stmt_col_text(q, 4), s->en, sizeof s->en);
            s->crew = stmt_col_null(q, 5) ? NAN : stmt_col_real(q, 5);
            s->hours = stmt_col_null(q, 6) ? INFINITY : stmt_col_real(q, 6);
            s->power = stmt_col_i64(q, 7) != 0;
        }
    }
    engine_reader_back(n->en, db);
    int rc = r < 0 ? e->rc : ZB_OK;
    for (int i = 0; i < k && rc == ZB_OK && wait_turn(n->en); i++) rc = stop_judge(n, &list[i], out, e);
    free(list);
    return rc;
}

/* ---- the night ---- */
static int mine_judge(struct night *n, int mi, struct zb_err *e) {
    struct clues found = {0};
    int rc = ZB_OK, fresh = 0;
    for (int i = 0; i < n->mine[mi].n && rc == ZB_OK && wait_turn(n->en); i++) rc = point_judge(n, mi, i, &found, e);
    if (rc == ZB_OK) rc = clues_store(n->en, n->p, &found, n->now, &fresh, e);
    n->ret->clues += found.n, n->ret->fresh += fresh;
    clues_done(&found);
    return rc;
}

int engine_night(struct engine *en, int32_t day, zb_time now, struct night_result *ret, struct zb_err *e) {
    *ret = (struct night_result){0};
    struct night n = {.en = en, .p = engine_policy(en), .day = zb_day_start(day), .now = now, .ret = ret};
    struct clues found = {0};
    int rc = ZB_OK, fresh = 0;
    engine_mines(en, STR(""), mine_copy, &n);
    for (int i = 0; i < n.mines && rc == ZB_OK && !stopped(en); i++) rc = mine_judge(&n, i, e);
    if (rc == ZB_OK && !stopped(en)) rc = copies_join(&n, &found, e);
    if (rc == ZB_OK && !stopped(en)) rc = stops_judge(&n, &found, e);
    if (rc == ZB_OK) rc = clues_store(en, n.p, &found, now, &fresh, e);
    ret->mines = n.mines;
    ret->clues += found.n, ret->fresh += fresh;
    ret->whole = rc == ZB_OK && !stopped(en);
    clues_done(&found);
    for (int i = 0; i < n.mines; i++) free(n.mine[i].def), free(n.mine[i].list);
    free(n.mine), free(n.print);
    policy_unref(n.p);
    return rc;
}

static int done_day(struct engine *en, int32_t set, int64_t *day, struct zb_err *e) {
    struct db *w = engine_writer(en);
    int rc = ZB_OK;
    {
        ZB_AUTO(stmt_done)
        struct stmt *q = set ? db_use(w, "insert into meta(key,value) values('night_judged',?1) on conflict(key) do update set value=?1", e)
                             : db_use(w, "select value from meta where key='night_judged'", e);
        if (q && set) stmt_i64(q, 1, set);
        int r = !q ? -1 : set ? stmt_run(q, e) : stmt_row(q, e);
        if (!q || r < 0) rc = e->rc;
        if (rc == ZB_OK && !set) *day = r == 1 ? stmt_col_i64(q, 0) : 0;
    }
    engine_writer_back(en);
    return rc;
}

/* Yesterday, once, in the night's hours; a night that was cut short begins again: what was found keeps its identity. */
static void night_look(struct engine *en, zb_time now) {
    struct policy *p = engine_policy(en);
    int hour = (int)((now - zb_day_start(zb_day_of(now))) / ZB_HOUR);
    bool due = hour >= p->storage.night_from && hour < p->storage.night_to;
    policy_unref(p);
    struct zb_err e;
    struct night_result r;
    int64_t done = 0;
    int32_t day = zb_day_of(now) - 1;
    if (!due) return;
    int rc = done_day(en, 0, &done, &e);
    if (rc == ZB_OK && done >= day) return;
    if (rc == ZB_OK) rc = engine_night(en, day, now, &r, &e);
    if (rc == ZB_OK && r.whole) rc = done_day(en, day, &done, &e);
    if (rc != ZB_OK)
        log_event("event=night_judgement_failed reason=\"%s\" next=\"tried again in a minute\"", e.msg);
    else
        log_event("event=night_judged mines=%d points=%d clues=%d new=%d", r.mines, r.points, r.clues, r.fresh);
}

static int mine_code(void *arg, const struct mine_view *v) {
    struct night *n = arg;
    if (v->linkage->trial) return 0;
    n->mine = xrealloc(n->mine, (size_t)(n->mines + 1) * sizeof *n->mine);
    n->mine[n->mines] = (struct copied){0};
    str_copy(str_of(v->code), n->mine[n->mines++].code, sizeof n->mine->code);
    return 0;
}

int engine_people(struct engine *en, zb_time now, int *clues, int *fresh, struct zb_err *e) {
    struct night n = {.en = en, .p = engine_policy(en)};
    struct clues found = {0};
    int rc = ZB_OK;
    engine_mines(en, STR(""), mine_code, &n);
    for (int i = 0; i < n.mines && rc == ZB_OK && wait_turn(en); i++) rc = people_look(en, n.p, n.mine[i].code, now, &found, e);
    *clues = found.n;
    *fresh = 0;
    if (rc == ZB_OK) rc = clues_store(en, n.p, &found, now, fresh, e);
    clues_done(&found);
    free(n.mine);
    policy_unref(n.p);
    return rc;
}

static void people_hourly(struct engine *en, zb_time now) {
    struct zb_err e;
    int n, fresh;
    if (now / ZB_HOUR == en->people_hour) return;
    en->people_hour = now / ZB_HOUR;
    if (engine_people(en, now, &n, &fresh, &e) != ZB_OK)
        log_event("event=people_judgement_failed reason=\"%s\" next=\"tried again in an hour\"", e.msg);
    else if (fresh)
        log_event("event=people_judged clues=%d new=%d", n, fresh);
}

static void *run(void *arg) {
    struct engine *en = arg;
    pthread_setname_np(pthread_self(), "night");
    (void)!setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 15); /* Linux: of this thread alone */
    for (;;) {
        pthread_mutex_lock(&en->jobs_lock);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 60;
        while (!stopped(en) && pthread_cond_timedwait(&en->jobs_wake, &en->jobs_lock, &until) == 0) {}
        pthread_mutex_unlock(&en->jobs_lock);
        if (stopped(en)) return NULL;
        people_hourly(en, zb_now());
        night_look(en, zb_now());
    }
}

int jobs_start(struct engine *en, struct zb_err *e) {
    if (pthread_create(&en->jobs, NULL, run, en) != 0) return zb_fail(e, ZB_E_IO, "cannot start the thread of the night's judgement");
    en->jobbing = true;
    return ZB_OK;
}

void jobs_stop(struct engine *en) {
    if (!en->jobbing) return;
    pthread_mutex_lock(&en->jobs_lock);
    __atomic_store_n(&en->jobs_stop, true, __ATOMIC_RELAXED);
    pthread_cond_signal(&en->jobs_wake);
    pthread_mutex_unlock(&en->jobs_lock);
    pthread_join(en->jobs, NULL);
    en->jobbing = false;
}
