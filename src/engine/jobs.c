/* The night's judgement: sensor-days, copies between points and mines, mines that should stand still, people by the hour; each hour the people below. A thread of its own with the least urgency: it reads the
 * series by its own handles, waits while uploads wait, and can stop after any point. What is done is kept, so that a restart goes on where it was. */
#include "detect/compare.h"
#include "detect/integrity.h"
#include "detect/relate.h"
#include "engine/jobs.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PRINTS_MAX (4 << 20) /* fingerprints of a night: 128 MiB */
#define EVENTS_MAX 2000

bool night_stopped(struct engine *en) { return __atomic_load_n(&en->jobs_stop, __ATOMIC_RELAXED); }

/* Live alarms first. */
bool night_turn(struct engine *en) {
    for (int i = 0; i < 100 && !night_stopped(en); i++) {
        pthread_mutex_lock(&en->q_lock);
        int waiting = en->queue;
        pthread_mutex_unlock(&en->q_lock);
        if (waiting < 8) break;
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    return !night_stopped(en);
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

int night_read(struct night *n, const struct copied *m, int i, zb_time from, struct sample **s, int *k, struct zb_err *e) {
    return series_read(n->en->series, str_of(m->code), str_of(m->def[i].code), from, n->day + ZB_DAY, s, k, e);
}

/* The past of a point, read once while the points beside it ask for it too. Borrowed: it stays until MONTHS_KEPT others were asked for. */
static int month_read(struct night *n, const struct copied *m, int i, const struct sample **s, int *k, struct zb_err *e) {
    int at = 0;
    while (at < MONTHS_KEPT - 1 && (n->month[at].m != m || n->month[at].point != i)) at++;
    struct month x = n->month[at];
    if (x.m != m || x.point != i) {
        free(x.s);
        n->month[at] = x = (struct month){.m = m, .point = i};
        if (night_read(n, m, i, n->day - (zb_time)n->p->detect.near.history_d * ZB_DAY, &x.s, &x.n, e) != ZB_OK) {
            n->month[at] = (struct month){0};
            return e->rc;
        }
    }
    memmove(n->month + 1, n->month, (size_t)at * sizeof x);
    n->month[0] = x;
    *s = x.s, *k = x.n;
    return ZB_OK;
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
/* Beginnings of stops that lasted; last: what is known until. */
static int fan_stops(const struct sample *s, int n, zb_time last, zb_time least, zb_time *out) {
    int k = 0;
    for (int i = 1, j; i < n && k < EVENTS_MAX; i++) {
        if (s[i].v != 0 || s[i - 1].v <= 0) continue;
        for (j = i; j < n && s[j].v == 0; j++) {}
        if ((j < n ? s[j].t : last) - s[i].t >= least) out[k++] = s[i].t;
    }
    return k;
}

static void prints_add(struct night *n, const struct sample *s, int k, int mine, int point) {
    struct fingerprint f[400];
    zb_fix *v = xmalloc((size_t)(k + 1) * sizeof *v);
    int c = 0;
    for (int i = 0; i < k; i++)
        if (s[i].t >= n->day && cell_value(s[i].v)) v[c++] = s[i].v;
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

/* The statistics the mine made of the day's readings: samples beside the point (format facts: quiet), each at the end of its five minutes. */
static int fives_read(struct night *n, const struct copied *m, int i, struct five **ret, int *k, struct zb_err *e) {
    static const char *const ITEM[] = {".max5", ".min5", ".avg5"};
    struct sample *s[3] = {NULL};
    int got[3] = {0}, rc = ZB_OK;
    for (int j = 0; j < 3 && rc == ZB_OK; j++) {
        char code[64];
        snprintf(code, sizeof code, "%s%s", m->def[i].code, ITEM[j]);
        rc = series_read(n->en->series, str_of(m->code), str_of(code), n->day, n->day + ZB_DAY, &s[j], &got[j], e);
    }
    *ret = xcalloc((size_t)got[0] + 1, sizeof **ret);
    *k = rc == ZB_OK ? got[0] : 0;
    for (int q = 0, a = 0, b = 0; q < *k; q++) {
        zb_time t = s[0][q].t;
        while (a < got[1] && s[1][a].t < t) a++;
        while (b < got[2] && s[2][b].t < t) b++;
        (*ret)[q] = (struct five){t - 5 * ZB_MINUTE, t, s[0][q].v, a < got[1] && s[1][a].t == t ? s[1][a].v : ZB_FIX_NONE,
                                  b < got[2] && s[2][b].t == t ? s[2][b].v : ZB_FIX_NONE};
    }
    free(s[0]), free(s[1]), free(s[2]);
    return rc;
}

static int point_judge(struct night *n, int mi, int i, struct clues *out, struct zb_err *e) {
    const struct copied *m = &n->mine[mi];
    const struct policy *p = n->p;
    const struct point_def *def = &m->def[i];
    bool steady = word_in(p->detect.steady_types, str_of(def->sensor_type));
    if (def->vt != VALUE_MN || (!steady && !word_in(p->detect.gas_types, str_of(def->sensor_type)))) return ZB_OK;
    zb_time from = n->day - (zb_time)p->detect.near.history_d * ZB_DAY, step = (zb_time)(p->detect.near.grid_s * 1000);
    const struct sample *s = NULL, *b = NULL, *on = NULL, *fan = NULL;
    struct five *five = NULL;
    int fives = 0;
    zb_time *lost = xmalloc(3 * EVENTS_MAX * sizeof *lost), *station = lost + EVENTS_MAX, *stop = station + EVENTS_MAX;
    int k = 0, kb = 0, ko = 0, kf = 0, beside = relate_beside(m->list, m->n, i, p), work = relate_work(m->list, m->n, i, p),
        f = relate_fan(m->list, m->n, i, p);
    int rc = month_read(n, m, i, &s, &k, e);
    if (rc == ZB_OK && k && beside >= 0) rc = month_read(n, m, beside, &b, &kb, e);
    if (rc == ZB_OK && k && work >= 0) rc = month_read(n, m, work, &on, &ko, e);
    if (rc == ZB_OK && k && f >= 0) rc = month_read(n, m, f, &fan, &kf, e);
    if (rc == ZB_OK && k) rc = fives_read(n, m, i, &five, &fives, e);
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
                                .fan_stops = fan_stops(fan, kf, n->day + ZB_DAY, (zb_time)(p->detect.react.stop_s * 1000), stop),
                                .five = five,
                                .fives = fives};
        in.events = (struct coincide_in){
            .lost = lost, .nlost = losses(s, k, lost), .visit = m->visit, .nvisit = m->visits, .excused = station, .nexcused = stations(s, k, station)};
        struct integrity_day d;
        integrity_judge(&in, p, &d, out);
        const struct stop *still = stop_of(n, m->code);
        if (still && word_in(p->detect.gas_types, str_of(def->sensor_type))) {
            struct rough_in rough = {str_of(m->code), str_of(def->code), str_of(def->location), &g, still->zh, still->en};
            rough_find(&rough, p, out);
        }
        rc = score_keep(n, m, i, &d, e);
        prints_add(n, s, k, mi, i);
        grid_free(&g), grid_free(&gb);
        n->ret->points++;
    }
    free(lost), free(five);
    return rc;
}

/* The clock of the mine's devices by the files of the day, each type of its own. */
static int clocks_judge(struct night *n, const struct copied *m, struct clues *out, struct zb_err *e) {
    for (int f = 0; f < n->p->formats; f++) {
        char code[CLOCK_CODE_CAP];
        struct sample *s;
        int k;
        if (!n->p->format[f].link || n->p->format[f].period_s > CLOCK_PERIOD_S) continue;
        clock_code(&n->p->format[f], code);
        if (series_read(n->en->series, str_of(m->code), str_of(code), n->day, n->day + ZB_DAY, &s, &k, e) != ZB_OK) return e->rc;
        struct clock_in *r = xcalloc((size_t)k + 1, sizeof *r);
        for (int i = 0; i < k; i++) r[i] = (struct clock_in){s[i].t - s[i].v / (ZB_FIX_ONE / ZB_SECOND), s[i].t};
        if (k) clock_find(str_of(m->code), str_of(n->p->format[f].type), n->day, r, k, n->p, out);
        free(s), free(r);
    }
    return ZB_OK;
}

static int visits_load(struct night *n, struct copied *m, struct zb_err *e) {
    struct db *db = engine_reader(n->en, e);
    int r = db ? db_clock(db, n->day + ZB_DAY - 1, e) : e->rc;
    if (r == ZB_OK) {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, n->p->clue.visits, e);
        if (q) stmt_z(q, 1, m->code);
        r = q ? 1 : e->rc;
        m->visit = xmalloc(EVENTS_MAX * sizeof *m->visit);
        while (r == 1 && m->visits < EVENTS_MAX && (r = stmt_row(q, e)) == 1) m->visit[m->visits++] = stmt_col_time(q, 0);
    }
    if (db && db_clock(db, ZB_TIME_NONE, r >= 0 ? e : &(struct zb_err){0}) != ZB_OK && r >= 0) r = e->rc;
    if (db) engine_reader_back(n->en, db);
    return r < 0 ? e->rc : ZB_OK;
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
    if (night_read(n, &n->mine[x->mine], x->point, n->day, &s, &got, e) != ZB_OK) return e->rc;
    *v = xmalloc((size_t)(got + 1) * sizeof **v), *t = xmalloc((size_t)(got + 1) * sizeof **t), *k = 0;
    for (int i = 0; i < got; i++)
        if (cell_value(s[i].v)) (*t)[*k] = s[i].t, (*v)[(*k)++] = s[i].v;
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
    if (n->prints) qsort(n->print, (size_t)n->prints, sizeof *n->print, by_hash);
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

/* ---- the night ---- */
static int mine_judge(struct night *n, int mi, struct zb_err *e) {
    struct clues found = {0};
    int fresh = 0, rc = visits_load(n, &n->mine[mi], e);
    for (int i = 0; i < n->mine[mi].n && rc == ZB_OK && night_turn(n->en); i++) rc = point_judge(n, mi, i, &found, e);
    if (rc == ZB_OK && night_turn(n->en)) rc = clocks_judge(n, &n->mine[mi], &found, e);
    if (rc == ZB_OK && night_turn(n->en)) rc = people_day(n->en, n->p, n->mine[mi].code, n->day, &found, e);
    if (rc == ZB_OK && night_turn(n->en)) rc = day_judge(n, mi, &found, e);
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
    rc = stops_load(&n, e);
    for (int i = 0; i < n.mines && rc == ZB_OK && !night_stopped(en); i++) rc = mine_judge(&n, i, e);
    if (rc == ZB_OK && !night_stopped(en)) rc = copies_join(&n, &found, e);
    if (rc == ZB_OK && !night_stopped(en)) rc = stops_judge(&n, &found, e);
    if (rc == ZB_OK) rc = clues_store(en, n.p, &found, now, &fresh, e);
    if (rc == ZB_OK && zb_day_of(now) <= day + 2) rc = facts_trim(&n, e); /* an older day judged again on demand loses nothing */
    ret->clues += found.n, ret->fresh += fresh;
    if (rc == ZB_OK && !night_stopped(en)) rc = models_night(en, n.p, day, &ret->models, e);
    int told = 0;
    if (rc == ZB_OK && !night_stopped(en)) rc = foreseen_tell(en, n.p, now, &told, &fresh, e);
    if (rc == ZB_OK) ret->clues += told, ret->fresh += fresh;
    ret->mines = n.mines;
    ret->whole = rc == ZB_OK && !night_stopped(en);
    clues_done(&found);
    for (int i = 0; i < MONTHS_KEPT; i++) free(n.month[i].s);
    for (int i = 0; i < n.mines; i++) free(n.mine[i].def), free(n.mine[i].list), free(n.mine[i].visit);
    free(n.mine), free(n.print), free(n.stop);
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
    bool due = policy_night(p, now);
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
        log_event("event=night_judged mines=%d points=%d clues=%d new=%d models=%d", r.mines, r.points, r.clues, r.fresh, r.models);
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
    for (int i = 0; i < n.mines && rc == ZB_OK && night_turn(en); i++) rc = people_look(en, n.p, n.mine[i].code, now, &found, e);
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

static void foreseen_look(struct engine *en, zb_time now) {
    struct zb_err e;
    int n, fresh;
    struct policy *p = engine_policy(en);
    if (foreseen_tell(en, p, now, &n, &fresh, &e) != ZB_OK) log_event("event=shadow_warnings_failed reason=\"%s\" next=\"tried again in a minute\"", e.msg);
    policy_unref(p);
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
        while (!night_stopped(en) && pthread_cond_timedwait(&en->jobs_wake, &en->jobs_lock, &until) == 0) {}
        pthread_mutex_unlock(&en->jobs_lock);
        if (night_stopped(en)) return NULL;
        people_hourly(en, zb_now());
        foreseen_look(en, zb_now());
        evidence_look(en, zb_now());
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
