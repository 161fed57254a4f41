/* What a night learns: models of the forecasts, fitted on the stored series. Each becomes an input of its mine (detect.h mine_model), so that the judge, a restart
 * and a rebuild all work with the same bytes. Then the warnings of hazards in the shadow: they become clues for their owners. */
#include "detect/ahead_fit.h"
#include "detect/relate.h"
#include "detect/warn.h"
#include "engine/jobs.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct spot { /* a point as the judge knows it now */
    struct point_def def;
    zb_fix limit;
    int32_t gas, pond; /* day of its model, 0 none */
};
struct learn {
    struct engine *en;
    const struct policy *p;
    int32_t day;
    zb_time until;
    int left, fitted; /* methane models this night may still make; all made */
    char (*code)[24];
    int mines;
    struct spot *spot; /* of the mine in work */
    const struct point_def **def;
    int n;
    int32_t burst;
    struct mine *mine;
};

static int code_copy(void *arg, const struct mine_view *v) {
    struct learn *l = arg;
    l->code = xrealloc(l->code, (size_t)(l->mines + 1) * sizeof *l->code);
    str_copy(str_of(v->code), l->code[l->mines++], sizeof *l->code);
    return 0;
}

static int spots_copy(void *arg, const struct mine_view *v) {
    struct learn *l = arg;
    l->n = mine_points(v->state);
    l->spot = xmalloc((size_t)(l->n + 1) * sizeof *l->spot);
    l->def = xmalloc((size_t)(l->n + 1) * sizeof *l->def);
    for (int i = 0; i < l->n; i++) {
        struct point_now now;
        struct spot *s = &l->spot[i];
        *s = (struct spot){.limit = ZB_FIX_NONE};
        if (mine_point_at(v->state, i, &now)) s->def = *now.def, s->limit = now.eff.hi_alarm;
        (void)mine_fitted(v->state, str_of(s->def.code), DETECTOR_GAS, &s->gas);
        (void)mine_fitted(v->state, str_of(s->def.code), DETECTOR_POND, &s->pond);
        l->def[i] = &s->def;
    }
    (void)mine_fitted(v->state, STR(""), DETECTOR_BURST, &l->burst);
    return 0;
}

static int read_spot(struct learn *l, int i, double days, struct past *ret, struct zb_err *e) {
    struct sample *s = NULL;
    int n = 0;
    if (series_read(l->en->series, str_of(l->mine->code), str_of(l->spot[i].def.code), l->until - (zb_time)(days * (double)ZB_DAY), l->until, &s, &n, e) !=
        ZB_OK)
        return e->rc;
    *ret = (struct past){str_of(l->spot[i].def.code), s, n};
    return ZB_OK;
}
static void past_free(struct past *p, int n) {
    for (int i = 0; i < n; i++) free((struct sample *)p[i].v);
}

static int keep(struct learn *l, struct buf *b, struct zb_err *e) {
    if (b->over) return zb_fail(e, ZB_E_LIMIT, "a model of mine %s is larger than 1 MiB", l->mine->code);
    l->fitted++;
    return engine_model(l->en, l->mine, buf_str(b), e);
}

/* ---- methane ---- */
static bool reached(const struct learn *l, const struct spot *s, const struct past *x) {
    for (int i = 0; i < x->n; i++)
        if (x->v[i].v != ZB_FIX_NONE && (double)x->v[i].v >= l->p->detect.gas.reach * (double)s->limit) return true;
    return false;
}

static int gas_fit_one(struct learn *l, const struct past *ch, const char *const *with, int channels, struct zb_err *e) {
    double *rows = NULL;
    int n = gas_rows(&l->p->detect.gas, ch, channels, &rows);
    struct gas_model *m = gas_fit(&l->p->detect.gas, rows, n, channels);
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    free(rows);
    if (!m) return ZB_OK; /* too short a past */
    model_head(&b, DETECTOR_GAS, l->p, l->day, with[0], with + 1, channels - 1);
    gas_pack(m, &b);
    gas_free(m);
    l->left--;
    return keep(l, &b, e);
}

static int gas_learn(struct learn *l, int i, struct zb_err *e) {
    const struct detect_gas *r = &l->p->detect.gas;
    const struct spot *s = &l->spot[i];
    if (!word_in(l->p->detect.gas_types, str_of(s->def.sensor_type)) || s->limit == ZB_FIX_NONE || l->left <= 0 || (s->gas && l->day - s->gas < r->refit_d))
        return ZB_OK;
    int beside[] = {relate_beside(l->def, l->n, i, l->p), relate_work(l->def, l->n, i, l->p), relate_kind(l->def, l->n, i, l->p->forecast.types[FORECAST_AIR])};
    struct past ch[GAS_CHANNELS_MAX];
    const char *with[GAS_CHANNELS_MAX] = {s->def.code};
    int channels = 1, rc = read_spot(l, i, r->history_d, &ch[0], e);
    if (rc != ZB_OK) return rc;
    bool worth = reached(l, s, &ch[0]);
    for (int k = 0; k < 3 && worth && rc == ZB_OK; k++) {
        if (beside[k] < 0) continue;
        rc = read_spot(l, beside[k], r->history_d, &ch[channels], e);
        if (rc == ZB_OK && ch[channels].n)
            with[channels++] = l->spot[beside[k]].def.code;
        else if (rc == ZB_OK)
            past_free(&ch[channels], 1);
    }
    if (rc == ZB_OK && worth) rc = gas_fit_one(l, ch, with, channels, e);
    past_free(ch, channels);
    return rc;
}

/* ---- pond ---- */
static int pond_learn(struct learn *l, int i, struct zb_err *e) {
    const struct detect_pond *r = &l->p->detect.pond;
    if (!word_in(l->p->forecast.types[FORECAST_LEVEL], str_of(l->spot[i].def.sensor_type))) return ZB_OK;
    enum { GAUGES = 8 };
    struct past level = {0}, rain[GAUGES];
    struct pond_model m;
    int gauges = 0, rc = read_spot(l, i, r->history_d, &level, e);
    for (int k = 0; k < l->n && rc == ZB_OK && gauges < GAUGES; k++)
        if (word_in(l->p->forecast.types[FORECAST_RAIN], str_of(l->spot[k].def.sensor_type))) {
            rc = read_spot(l, k, r->history_d + r->wet_days, &rain[gauges], e);
            gauges += rc == ZB_OK;
        }
    if (rc == ZB_OK && pond_learn_from(r, &level, rain, gauges, &m)) {
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 1 << 20);
        model_head(&b, DETECTOR_POND, l->p, l->day, l->spot[i].def.code, NULL, 0);
        buf_put(&b, &m, sizeof m);
        rc = keep(l, &b, e);
    }
    past_free(&level, 1);
    past_free(rain, gauges);
    return rc;
}

/* ---- rock burst ---- */
static int burst_learn(struct learn *l, struct zb_err *e) {
    const struct detect_burst *r = &l->p->detect.burst;
    enum { SOURCES = 16 };
    struct burst_source src[SOURCES];
    struct past past[SOURCES];
    struct burst_model m;
    int n = 0, rc = ZB_OK;
    bool seismic = false;
    for (int i = 0; i < l->n; i++) seismic |= word_in(l->p->forecast.types[FORECAST_SEISMIC], str_of(l->spot[i].def.sensor_type));
    for (int i = 0; i < l->n && seismic && rc == ZB_OK && n < SOURCES; i++) {
        struct str type = str_of(l->spot[i].def.sensor_type);
        enum burst_part part = word_in(l->p->forecast.types[FORECAST_SEISMIC], type)    ? BURST_EVENTS
                               : word_in(l->p->forecast.types[FORECAST_ACOUSTIC], type) ? BURST_SOUND
                               : word_in(l->p->detect.work_types, type)                 ? BURST_WORK
                                                                                        : BURST_PARTS;
        if (part == BURST_PARTS) continue;
        rc = read_spot(l, i, r->history_d, &past[n], e);
        if (rc == ZB_OK) src[n] = (struct burst_source){part, &past[n]}, n++;
    }
    if (rc == ZB_OK && n && burst_learn_from(r, src, n, l->until, &m)) {
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 1 << 20);
        model_head(&b, DETECTOR_BURST, l->p, l->day, "", NULL, 0);
        buf_put(&b, &m, sizeof m);
        rc = keep(l, &b, e);
    }
    past_free(past, n);
    return rc;
}

static int mine_learn(struct learn *l, const char *code, struct zb_err *e) {
    l->mine = mine_get(l->en, str_of(code));
    l->spot = NULL, l->def = NULL, l->n = 0;
    engine_mines(l->en, str_of(code), spots_copy, l);
    int rc = ZB_OK;
    for (int i = 0; i < l->n && rc == ZB_OK && night_turn(l->en); i++) {
        rc = gas_learn(l, i, e);
        if (rc == ZB_OK) rc = pond_learn(l, i, e);
    }
    if (rc == ZB_OK && night_turn(l->en)) rc = burst_learn(l, e);
    free(l->spot), free(l->def);
    return rc;
}

int models_night(struct engine *en, const struct policy *p, int32_t day, int *fitted, struct zb_err *e) {
    *fitted = 0;
    if (!en->judging) return ZB_OK; /* what is learned goes to the judge by the door; where none runs nobody would take it */
    struct learn l = {.en = en, .p = p, .day = day, .until = zb_day_start(day + 1), .left = (int)p->detect.gas.most};
    int rc = ZB_OK;
    engine_mines(en, STR(""), code_copy, &l);
    for (int i = 0; i < l.mines && rc == ZB_OK && night_turn(en); i++) rc = mine_learn(&l, l.code[i], e);
    *fitted = l.fitted;
    free(l.code);
    return rc;
}

/* ---- warnings in the shadow ---- */
static void foreseen_clue(const struct policy *p, struct stmt *q, struct clues *out) {
    struct warn_facts f;
    struct warning w = {.level = (enum alarm_level)stmt_col_i64(q, 4)};
    char why[ALARM_WHY_CAP], key[48];
    int hazard = 0;
    str_copy(stmt_col_text(q, 3), key, sizeof key);
    while (hazard < DETECTORS_N && strcmp(p->detect.who[hazard].key, key)) hazard++;
    if (hazard == DETECTORS_N || w.level <= LEVEL_NONE || w.level >= ALARM_LEVELS_N) return;
    str_copy(stmt_col_text(q, 7), why, sizeof why);
    str_copy(str_of(why), w.why, sizeof w.why);
    warn_retell(p, &w);
    warn_recall(p, why, &f);
    w.rule = warn_rule_of(p, why);
    warn_clue(p, (enum detector_id)hazard, &f, &w, stmt_col_text(q, 1), stmt_col_text(q, 2), stmt_col_time(q, 5), stmt_col_time(q, 6), out);
}

struct foreseen {
    char id[ALARM_ID_CAP];
    int clue; /* its place among the clues; -1: none can be made of it */
};
static int foreseen_mark(struct engine *en, const struct clues *l, const struct foreseen *t, int n, struct zb_err *e) {
    struct db *w = engine_writer(en);
    int rc = db_begin(w, e);
    for (int i = 0; i < n && rc == ZB_OK; i++) {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(w, "update foreseen set clue=?1 where id=?2", e);
        rc = q ? ZB_OK : e->rc;
        if (q) stmt_z(q, 1, t[i].clue >= 0 ? l->c[t[i].clue].id : ""), stmt_z(q, 2, t[i].id), rc = stmt_run(q, e);
    }
    if (rc == ZB_OK) rc = db_commit(w, e);
    if (rc != ZB_OK) db_rollback(w);
    engine_writer_back(en);
    return rc;
}

int foreseen_tell(struct engine *en, const struct policy *p, zb_time now, int *clues, int *fresh, struct zb_err *e) {
    enum { MOST = 200 };
    struct clues found = {0};
    struct foreseen t[MOST];
    int n = 0, r = -1;
    *clues = *fresh = 0;
    struct db *db = engine_reader(en, e);
    if (!db) return e->rc;
    {
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(db, "select id, mine, point, hazard, level, raised, last, why from foreseen where clue is null order by raised limit 200", e);
        while (q && n < MOST && (r = stmt_row(q, e)) == 1) {
            int before = found.n;
            foreseen_clue(p, q, &found);
            str_copy(stmt_col_text(q, 0), t[n].id, sizeof t[n].id);
            t[n++].clue = found.n > before ? before : -1;
        }
    }
    engine_reader_back(en, db);
    int rc = r < 0 ? e->rc : ZB_OK;
    if (rc == ZB_OK && n) rc = clues_store(en, p, &found, now, fresh, e);
    if (rc == ZB_OK && n) rc = foreseen_mark(en, &found, t, n, e);
    *clues = found.n;
    clues_done(&found);
    return rc;
}
