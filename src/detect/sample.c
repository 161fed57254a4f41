/* One sample against limits and state bits (thresholds A.1, corrections 1): any value can raise, only a valid one can clear. */
#include "detect/ahead.h"
#include <stdio.h>

/* bits under which a value does not speak for the place */
/* choices of this project for "lost while rising" and "lost together" */
#define TOGETHER (60 * ZB_SECOND)

static const char *labels_text(uint32_t labels, bool zh) {
    return labels & ST_CALIB        ? zh ? "（标校中，须有标校记录）" : " (being calibrated: there must be a record)"
           : labels & ST_PAUSED     ? zh ? "（暂停中）" : " (paused)"
           : labels & ST_NOT_POLLED ? zh ? "（不巡检）" : " (not polled)"
           : labels & ST_FAULT      ? zh ? "（传感器故障）" : " (sensor fault)"
                                    : "";
}

static void limit_note(struct note *n, const struct pt *pt, const char *zh, const char *en, const struct sample *x, bool high, zb_fix limit) {
    char a[ZB_FIX_CAP], b[ZB_FIX_CAP];
    const char *unit = pt->def.unit, *sign = high ? "≥" : "≤";
    zb_fix_text(x->v, a);
    zb_fix_text(limit, b);
    snprintf(n->zh, sizeof n->zh, "%s %s%s %s %s%s%s", zh, a, unit, sign, b, unit, labels_text(x->state, true));
    snprintf(n->en, sizeof n->en, "%s: %s%s %s %s%s%s", en, a, unit, sign, b, unit, labels_text(x->state, false));
}

static void hold(struct step *s, struct pt *pt, enum alarm_kind k, enum alarm_level level, const struct sample *x, zb_fix limit, const char *zh,
                 const char *en) {
    struct cond c = {pt, "", k, level, x->t, x->v, limit, x->state & UNSURE, pt->def.code, zh, en, NULL};
    alarm_hold(s, &c);
}

/* The legal limit and the coloured lines of one direction together. */
struct reach {
    enum alarm_level level; /* reached; NONE below all */
    zb_fix limit;           /* which was */
    zb_fix clear;           /* beyond this nothing of it holds any more; NONE: no limit there */
};

static struct reach reach_of(const struct pt *pt, zb_fix v, int sign, zb_fix alarm, zb_fix clear, enum alarm_level legal) {
    const zb_fix *line = !pt->watch ? NULL : sign > 0 ? pt->watch->line.hi : pt->watch->line.lo;
    struct reach r = {LEVEL_NONE, ZB_FIX_NONE, alarm == ZB_FIX_NONE ? ZB_FIX_NONE : clear};
    if (alarm != ZB_FIX_NONE && (sign > 0 ? v >= alarm : v <= alarm)) r.level = legal, r.limit = alarm;
    for (int i = LEVEL_BLUE; line && i < COLOURS; i++) {
        if (line[i] == ZB_FIX_NONE) continue;
        if (r.clear == ZB_FIX_NONE || (sign > 0 ? line[i] < r.clear : line[i] > r.clear)) r.clear = line[i];
        if ((sign > 0 ? v >= line[i] : v <= line[i]) && (enum alarm_level)i >= r.level) r.level = (enum alarm_level)i, r.limit = line[i];
    }
    return r;
}

static void over_check(struct step *s, struct pt *pt, const struct sample *x, bool sure) {
    const struct limits *e = &pt->eff;
    struct note note;
    if (x->v == ZB_FIX_NONE) return;
    struct reach hi = reach_of(pt, x->v, 1, e->hi_alarm, e->hi_clear, s->p->kind[ALARM_OVER_HI].level);
    if (hi.level) {
        limit_note(&note, pt, "超限", "over the limit", x, true, hi.limit);
        hold(s, pt, ALARM_OVER_HI, hi.level, x, hi.limit, note.zh, note.en);
    } else if (sure && hi.clear != ZB_FIX_NONE) {
        if (x->v < hi.clear - s->p->kind[ALARM_OVER_HI].deadband)
            alarm_release(s, pt, "", ALARM_OVER_HI, x->t);
        else
            alarm_rest(s, pt, ALARM_OVER_HI);
    }
    struct reach lo = reach_of(pt, x->v, -1, e->lo_alarm, e->lo_clear, s->p->kind[ALARM_OVER_LO].level);
    if (lo.level && (sure || x->v != 0)) { /* a flagged zero is no air lack, it is no value: its own alarm tells it */
        limit_note(&note, pt, "低限", "below the limit", x, false, lo.limit);
        hold(s, pt, ALARM_OVER_LO, lo.level, x, lo.limit, note.zh, note.en);
    } else if (sure && !lo.level && lo.clear != ZB_FIX_NONE) {
        if (x->v > lo.clear + s->p->kind[ALARM_OVER_LO].deadband)
            alarm_release(s, pt, "", ALARM_OVER_LO, x->t);
        else
            alarm_rest(s, pt, ALARM_OVER_LO);
    }
}

static void cut_check(struct step *s, struct pt *pt, const struct sample *x, bool sure) {
    const struct limits *e = &pt->eff;
    struct note note;
    bool high = e->hi_cut != ZB_FIX_NONE && x->v != ZB_FIX_NONE && x->v >= e->hi_cut;
    bool low = e->lo_cut != ZB_FIX_NONE && x->v != ZB_FIX_NONE && x->v <= e->lo_cut && sure;
    if (high || low || (x->state & ST_CUT)) {
        if (high || low) {
            limit_note(&note, pt, "达到断电值", "at the value that cuts power", x, high, high ? e->hi_cut : e->lo_cut);
        } else {
            snprintf(note.zh, sizeof note.zh, "测点状态为断电%s", labels_text(x->state, true));
            snprintf(note.en, sizeof note.en, "the point says that power is cut%s", labels_text(x->state, false));
        }
        hold(s, pt, ALARM_CUT, s->p->kind[ALARM_CUT].level, x, low ? e->lo_cut : e->hi_cut, note.zh, note.en);
    } else if (sure) {
        bool back = (e->hi_cut == ZB_FIX_NONE || x->v < e->hi_restore) && (e->lo_cut == ZB_FIX_NONE || x->v > e->lo_restore);
        if (back)
            alarm_release(s, pt, "", ALARM_CUT, x->t);
        else
            alarm_rest(s, pt, ALARM_CUT);
    }
}

/* How many other methane points of the same outstation were lost about now? */
static int lost_together(const struct mine_state *m, const struct pt *pt) {
    int n = 0;
    for (int i = 0; i < m->n; i++) {
        const struct pt *o = m->pt[i];
        if (o != pt && o->lost_at != ZB_TIME_NONE && is_methane(o) && pt->def.station[0] && !strcmp(o->def.station, pt->def.station)) {
            zb_time d = o->lost_at - pt->lost_at;
            n += d <= TOGETHER && -d <= TOGETHER;
        }
    }
    return n;
}

static bool was_rising(const struct pt *pt) {
    const zb_fix *v = pt->valid;
    if (v[2] == ZB_FIX_NONE || pt->eff.hi_alarm == ZB_FIX_NONE) return false;
    return v[0] > v[1] && v[1] > v[2] && v[0] * 2 >= pt->eff.hi_alarm;
}

/* Lost: no value or sensor fault. Methane lost while rising, or several of one place together: suspected outburst 疑似突出, red. */
static void fault_check(struct step *s, struct pt *pt, const struct sample *x) {
    bool lost = (x->state & (ST_FAULT | ST_STATION)) || ((x->state & ST_NO_VALUE) && !(x->state & (ST_OVER_RANGE | ST_NOT_POLLED | ST_PAUSED | ST_CALIB)));
    if (!lost) {
        if (!(x->state & UNSURE)) {
            pt->lost_at = ZB_TIME_NONE;
            alarm_release(s, pt, "", ALARM_FAULT, x->t);
        }
        return;
    }
    const char *zh = x->state & ST_STATION ? "分站故障，无有效值"
                     : x->state & ST_FAULT ? "传感器故障"
                                           : "无值",
               *en = x->state & ST_STATION ? "the outstation is faulty: no valid value"
                     : x->state & ST_FAULT ? "the sensor is faulty"
                                           : "no value";
    enum alarm_level level = s->p->kind[ALARM_FAULT].level;
    bool first = pt->lost_at == ZB_TIME_NONE;
    if (first) pt->lost_at = x->t;
    if (first && is_methane(pt)) {
        bool rising = was_rising(pt);
        int others = lost_together(s->m, pt);
        if (rising || (others > 0 && !alarm_find(s->m, NULL, pt->def.station, ALARM_STATION))) {
            level = LEVEL_RED;
            zh = rising ? "疑似突出：甲烷上升中失联" : "疑似突出：同一地点多个甲烷传感器同时失联";
            en = rising ? "outburst suspected: methane was lost while it rose" : "outburst suspected: several methane sensors of one place were lost together";
        }
    }
    char group[64] = "";
    if (pt->def.station[0] && alarm_find(s->m, NULL, pt->def.station, ALARM_STATION)) snprintf(group, sizeof group, "station/%.50s", pt->def.station);
    struct cond c = {pt, "", ALARM_FAULT, level, x->t, ZB_FIX_NONE, ZB_FIX_NONE, x->state & UNSURE, group[0] ? group : pt->def.code, zh, en, NULL};
    alarm_hold(s, &c);
}

static void bit_check(struct step *s, struct pt *pt, const struct sample *x, uint32_t bits, enum alarm_kind k, const char *zh, const char *en) {
    if (x->state & bits)
        hold(s, pt, k, s->p->kind[k].level, x, ZB_FIX_NONE, zh, en);
    else if (!(x->state & (ST_NO_VALUE | ST_STATION | ST_FAULT)))
        alarm_release(s, pt, "", k, x->t);
}

static void analog_check(struct step *s, struct pt *pt, const struct sample *x) {
    bool sure = !(x->state & UNSURE) && x->v != ZB_FIX_NONE;
    bool beyond = is_methane(pt) && pt->def.range_hi != ZB_FIX_NONE && pt->def.range_hi > 0 && x->v != ZB_FIX_NONE && x->v > pt->def.range_hi;
    if (beyond || (x->state & ST_OVER_RANGE)) {
        hold(s, pt, ALARM_OVER_RANGE, s->p->kind[ALARM_OVER_RANGE].level, x, pt->def.range_hi, "超量程：按最高级处置，不得视为无值",
             "over range: treated as the gravest, never as no value");
    } else if (sure) {
        alarm_release(s, pt, "", ALARM_OVER_RANGE, x->t);
    }
    over_check(s, pt, x, sure);
    cut_check(s, pt, x, sure);
    if (sure) {
        pt->valid[2] = pt->valid[1];
        pt->valid[1] = pt->valid[0];
        pt->valid[0] = x->v;
    }
}

static struct pt *unknown_point(struct step *s, struct str code, const struct sample *x) {
    struct point_def d = {POINT_PLAIN};
    (void)x;
    str_copy(code, d.code, sizeof d.code);
    d.vt = VALUE_MN;
    return d.code[0] && code.n < sizeof d.code ? pt_make(s->m, &d) : NULL;
}

bool mine_sample(const struct policy *p, struct mine_state *m, struct str point, const struct sample *in, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    struct pt *pt = pt_after(m, point);
    if (!pt) pt = unknown_point(&s, point, in);
    if (!pt || in->t > now + p->silence.future_max) return false;
    pt->received = now;
    if (pt->live) alarm_release(&s, pt, "", ALARM_POINT_SILENT, in->t);
    if (pt->last.t != ZB_TIME_NONE && in->t < pt->last.t) {
        if (pt->watch && pt->watch->rain.slot && in->v != ZB_FIX_NONE && !(in->state & UNSURE)) rain_add(&pt->watch->rain, in); /* it has fallen all the same */
        if (pt->ahead && in->v != ZB_FIX_NONE && !(in->state & UNSURE)) ahead_late(pt, in);
        late_note(&s, in->t);
        return false;
    }
    struct sample x = *in;
    pt_limits(&s, pt, x.t);
    /* an ordinary sample of a quiet point takes the short way */
    bool quiet = !pt->live && !(x.state & ~(uint32_t)ST_ALARM) && x.v != ZB_FIX_NONE;
    if (pt->def.vt == VALUE_MN) {
        analog_check(&s, pt, &x);
    }
    if (!quiet) {
        fault_check(&s, pt, &x);
        bit_check(&s, pt, &x, ST_CALIB, ALARM_CALIB, "标校中：核对标校记录、人员定位与标气平台",
                  "being calibrated: compare the record, who is there, and the plateau of the test gas");
        bit_check(&s, pt, &x, ST_NOT_POLLED | ST_PAUSED, ALARM_MASKED, x.state & ST_PAUSED ? "测点暂停" : "测点不巡检",
                  x.state & ST_PAUSED ? "the point is paused" : "the point is not polled");
    } else {
        pt->lost_at = ZB_TIME_NONE;
    }
    if (pt->watch) watch_check(&s, pt, &x, !(x.state & UNSURE) && x.v != ZB_FIX_NONE);
    pt->last = x;
    if (pt->ahead && !m->past) ahead_sample(&s, pt, &x, !(x.state & UNSURE) && x.v != ZB_FIX_NONE);
    if (pt->links || pt->gases) feed_check(&s, pt, x.t);
    if (pt->live) m->due = m->due < now ? m->due : now; /* its timers are looked at on the next tick */
    return true;
}
