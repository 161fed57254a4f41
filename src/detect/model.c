/* Models that a night fitted come as inputs of the mine: what is learnt is a fact with its place in the log, so a replay learns nothing anew and finds the same. */
#include "detect/ahead.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* bytes: "kind day point beside…\n", then the model. */
void model_head(struct buf *out, enum detector_id kind, const struct policy *p, int32_t day, const char *point, const char *const *with, int n) {
    buf_printf(out, "%s %d %s", p->detect.who[kind].key, (int)day, point[0] ? point : "-");
    for (int i = 0; i < n; i++) buf_printf(out, " %s", with[i]);
    buf_putc(out, '\n');
}

static bool gas_take(struct pt *pt, int32_t day, struct str beside, struct str bytes) {
    struct gas_model *model = pt ? gas_unpack(bytes) : NULL;
    if (!model) return false;
    if (!pt->ahead) {
        pt->ahead = xcalloc(1, sizeof *pt->ahead);
        pt->ahead->what = FORECAST_TYPES_N;
    }
    struct gas_ahead *g = xcalloc(1, sizeof *g);
    *g = (struct gas_ahead){.model = model, .fitted = day, .slot = INT64_MIN, .at = ZB_TIME_NONE};
    int n = 1;
    while (beside.p && beside.n && n < GAS_CHANNELS_MAX) str_copy(str_cut(beside, ' ', &beside), g->with[n++ - 1], AHEAD_CODE);
    if (n != gas_channels(model) || pt->ahead->what != FORECAST_TYPES_N) {
        gas_ahead_free(g);
        return false;
    }
    g->live = gas_live_new(model);
    struct gas_ahead *old = pt->ahead->gas;
    if (old && gas_channels(old->model) == gas_channels(model) && !memcmp(old->with, g->with, sizeof g->with)) {
        gas_live_follow(g->live, old->live);
        g->slot = old->slot;
        memcpy(g->row, old->row, sizeof g->row);
    }
    gas_ahead_free(old);
    pt->ahead->gas = g;
    return true;
}

static bool plain_take(struct str bytes, void *to, size_t n) { /* a struct of doubles */
    double v[64];
    if (bytes.n != n || n > sizeof v) return false;
    memcpy(v, bytes.p, n);
    for (size_t i = 0; i < n / sizeof *v; i++)
        if (!isfinite(v[i])) return false;
    memcpy(to, v, n);
    return true;
}

bool mine_model(const struct policy *p, struct mine_state *m, struct str in) {
    struct str bytes, rest, head = str_cut(in, '\n', &bytes);
    struct str kind = str_cut(head, ' ', &rest), date = str_cut(rest, ' ', &rest), point = str_cut(rest, ' ', &rest);
    int64_t day;
    if (!bytes.p || !point.n || !num_i64(date, 1, 200000, &day)) return false;
    struct pt *pt = pt_find(m, point);
    if (str_is(kind, p->detect.who[DETECTOR_GAS].key)) return gas_take(pt, (int32_t)day, rest, bytes);
    if (str_is(kind, p->detect.who[DETECTOR_POND].key)) {
        struct level_ahead *a = pt && pt->ahead ? pt->ahead->level : NULL;
        bool good = a && plain_take(bytes, &a->model, sizeof a->model);
        if (good) a->fitted = (int32_t)day;
        return good;
    }
    if (!str_is(kind, p->detect.who[DETECTOR_BURST].key)) return false;
    if (!m->burst) m->burst = burst_ahead_new();
    bool good = plain_take(bytes, &m->burst->model, sizeof m->burst->model);
    if (good) m->burst->fitted = (int32_t)day;
    for (int i = 0; good && i < m->burst->n; i++) m->burst->score[i] = burst_score(&p->detect.burst, &m->burst->model, m->burst->shift, i);
    return good;
}

bool mine_fitted(const struct mine_state *m, struct str point, enum detector_id kind, int32_t *day) {
    const struct pt *pt = pt_find(m, point);
    *day = 0;
    if (kind == DETECTOR_BURST && m->burst) *day = m->burst->fitted;
    if (kind == DETECTOR_GAS && pt && pt->ahead && pt->ahead->gas) *day = pt->ahead->gas->fitted;
    if (kind == DETECTOR_POND && pt && pt->ahead && pt->ahead->level) *day = pt->ahead->level->fitted;
    return *day > 0;
}

bool mine_ahead(const struct policy *p, const struct mine_state *m, struct str point, struct ahead_now *ret) {
    const struct pt *pt = pt_find(m, point);
    const struct ahead *a = pt ? pt->ahead : NULL;
    *ret = (struct ahead_now){
        .hazard = DETECTORS_N, .expected = NAN, .spread = NAN, .chance = NAN, .speed = NAN, .angle = NAN, .days = NAN, .days_low = NAN, .days_high = NAN};
    if (a && a->gas && a->gas->at != ZB_TIME_NONE) {
        ret->hazard = DETECTOR_GAS;
        ret->at = a->gas->at;
        ret->horizon = (zb_time)(p->detect.gas.horizon * p->detect.gas.step_s * ZB_SECOND);
        ret->expected = a->gas->next.peak;
        ret->chance = a->gas->next.cross;
    } else if (a && a->level && a->level->at != ZB_TIME_NONE && isfinite(a->level->next)) {
        ret->hazard = DETECTOR_POND;
        ret->at = a->level->at;
        ret->horizon = (zb_time)(p->detect.pond.horizon * p->detect.pond.step_s * ZB_SECOND);
        ret->expected = a->level->next;
        ret->spread = a->level->model.spread;
    } else if (a && a->slope && a->slope->at != ZB_TIME_NONE) {
        ret->hazard = DETECTOR_SLOPE;
        ret->at = a->slope->at;
        ret->speed = a->slope->speed, ret->angle = a->slope->angle;
        ret->days = a->slope->days, ret->days_low = a->slope->days_low, ret->days_high = a->slope->days_high;
    }
    return ret->hazard != DETECTORS_N;
}
