/* Silence (data-access.md 2.5): one cause, one alarm. A mine that is late or silent is one alarm, not one a point; an outstation likewise. */
#include "detect/state.h"
#include <stdio.h>

static void own_hold(struct step *s, const char *point, enum alarm_kind k, zb_time t, const char *group, const char *note) {
    struct cond c = {NULL, point, k, s->p->kind[k].level, t, ZB_FIX_NONE, ZB_FIX_NONE, 0, group, note};
    alarm_hold(s, &c);
}

void mine_station(const struct policy *p, struct mine_state *m, struct str station, int run, zb_time t, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    char code[48], group[64], note[160];
    if (!station.n || station.n >= sizeof code) return;
    str_copy(station, code, sizeof code);
    if (run == 0) {
        alarm_release(&s, NULL, code, ALARM_STATION, t);
    } else if (run == 1 || run == 2) {
        snprintf(group, sizeof group, "station/%.50s", code);
        snprintf(note, sizeof note, "分站 %s %s", code, run == 1 ? "通信中断" : "故障");
        own_hold(&s, code, ALARM_STATION, t, group, note);
    }
    m->due = now;
}

static enum alarm_kind kind_of_report(struct str type) {
    static const struct {
        const char *code;
        enum alarm_kind k;
    } T[] = {{"001", ALARM_OVER_HI}, {"002", ALARM_CUT},     {"003", ALARM_FEED},  {"004", ALARM_FAULT},
             {"005", ALARM_STATION}, {"006", ALARM_STATION}, {"007", ALARM_CALIB}, {"008", ALARM_OVER_RANGE}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++)
        if (str_is(type, T[i].code)) return T[i].k;
    return ALARM_REPORTED;
}

void mine_reported(const struct policy *p, struct mine_state *m, struct str point, struct str type, zb_time start, zb_time end, zb_fix peak, zb_time now,
                   struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    char key[48], group[64], note[160];
    enum alarm_kind k = kind_of_report(type);
    struct pt *pt = pt_find(m, point);
    int n = snprintf(key, sizeof key, STR_FMT, STR_ARG(point));
    if (n <= 0 || n >= (int)sizeof key) return;
    snprintf(group, sizeof group, "report/%.*s/%lld", type.n > 10 ? 10 : (int)type.n, type.p ? type.p : "", (long long)start);
    bool l = report_stands(m, key, group);
    if (!l && end != ZB_TIME_NONE) return; /* came and went before we heard of it: our own judgement of the samples stands */
    if (!l && ((pt && alarm_find(m, pt, "", k)) || (k == ALARM_STATION && pt && alarm_find(m, NULL, pt->def.station, k)))) return;
    if (end != ZB_TIME_NONE) {
        report_release(&s, NULL, key, ALARM_REPORTED, group, end);
        return;
    }
    snprintf(note, sizeof note, "矿方上报异常 %.*s%s%s", type.n > 10 ? 10 : (int)type.n, type.p ? type.p : "", k < ALARM_KINDS_N ? " " : "", ALARM_KIND_ZH[k]);
    struct cond c = {NULL, key, ALARM_REPORTED, p->kind[ALARM_REPORTED].level, start, peak, ZB_FIX_NONE, 0, group, note};
    alarm_hold(&s, &c);
}

void mine_heard(const struct policy *p, struct mine_state *m, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    m->heard = now;
    if (m->own) {
        alarm_release(&s, NULL, "", ALARM_MINE_LATE, now);
        alarm_release(&s, NULL, "", ALARM_MINE_SILENT, now);
    }
    zb_time due = now + p->silence.late_after;
    if (due < m->due) m->due = due;
}

static bool watched(const struct pt *pt) { return pt->defined && pt->received != ZB_TIME_NONE; }

/* Points unheard while their mine is heard. Returns when the next could be. */
static zb_time points_tick(struct step *s) {
    zb_time next = INT64_MAX, after = s->p->silence.point_after;
    for (int i = 0; i < s->m->n; i++) {
        struct pt *pt = s->m->pt[i];
        if (!watched(pt)) continue;
        zb_time due = pt->received + after;
        if (due > s->now) {
            if (due < next) next = due;
            continue;
        }
        /* heard since? only then is it the point and not the link */
        if (s->m->heard < due - s->p->silence.sample_period || alarm_find(s->m, pt, "", ALARM_POINT_SILENT)) continue;
        char group[64] = "";
        if (pt->def.station[0] && alarm_find(s->m, NULL, pt->def.station, ALARM_STATION)) snprintf(group, sizeof group, "station/%.50s", pt->def.station);
        enum alarm_level level = s->p->kind[ALARM_POINT_SILENT].level;
        const char *note = "测点中断：矿井在传而此测点无数据";
        const zb_fix *v = pt->valid;
        if (is_methane(pt) && v[2] != ZB_FIX_NONE && pt->eff.hi_alarm != ZB_FIX_NONE && v[0] > v[1] && v[1] > v[2] && v[0] * 2 >= pt->eff.hi_alarm) {
            level = LEVEL_RED;
            note = "疑似突出：甲烷上升中失联";
        }
        struct cond c = {pt, "", ALARM_POINT_SILENT, level, due, ZB_FIX_NONE, ZB_FIX_NONE, 0, group[0] ? group : pt->def.code, note};
        alarm_hold(s, &c);
    }
    return next;
}

static zb_time mine_silence(struct step *s) {
    struct mine_state *m = s->m;
    zb_time late = m->heard + s->p->silence.late_after, silent = m->heard + s->p->silence.mine_after;
    if (s->now >= silent) {
        alarm_release(s, NULL, "", ALARM_MINE_LATE, silent); /* it has become the greater one */
        if (!alarm_find(m, NULL, "", ALARM_MINE_SILENT)) own_hold(s, "", ALARM_MINE_SILENT, silent, "", "联网中断：超过规定时间未收到任何上传");
        return INT64_MAX;
    }
    if (s->now >= late) {
        if (!alarm_find(m, NULL, "", ALARM_MINE_LATE)) own_hold(s, "", ALARM_MINE_LATE, late, "", "上传迟到：连续三个周期未收到");
        return silent;
    }
    return late;
}

void mine_tick(const struct policy *p, struct mine_state *m, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    zb_time next = alarms_tick(&s), t;
    if (m->heard != ZB_TIME_NONE) {
        t = mine_silence(&s);
        if (t < next) next = t;
        t = points_tick(&s);
        if (t < next) next = t;
    }
    m->due = next > now ? next : now + 1;
}

void mine_resume(const struct policy *p, struct mine_state *m, zb_time now) {
    if (m->heard == ZB_TIME_NONE || alarm_find(m, NULL, "", ALARM_MINE_SILENT)) return;
    m->heard = now;
    for (int i = 0; i < m->n; i++)
        if (m->pt[i]->received != ZB_TIME_NONE && !alarm_find(m, m->pt[i], "", ALARM_POINT_SILENT)) m->pt[i]->received = now;
    m->due = now + p->silence.late_after;
}
