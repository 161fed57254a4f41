/* Silence (data-access.md 2.5): one cause, one alarm. A mine that is late or silent is one alarm, not one a point; an outstation likewise. */
#include "detect/ahead.h"
#include <stdio.h>

static void own_hold(struct step *s, const char *point, enum alarm_kind k, zb_time t, const char *group, const char *zh, const char *en) {
    struct cond c = {NULL, point, k, s->p->kind[k].level, t, ZB_FIX_NONE, ZB_FIX_NONE, 0, group, zh, en, NULL};
    alarm_hold(s, &c);
}

void mine_station(const struct policy *p, struct mine_state *m, struct str station, int run, zb_time t, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    char code[48], group[64];
    struct note note;
    if (!station.n || station.n >= sizeof code) return;
    str_copy(station, code, sizeof code);
    if (run == 0) {
        alarm_release(&s, NULL, code, ALARM_STATION, t);
    } else if (run == 1 || run == 2) {
        snprintf(group, sizeof group, "station/%.50s", code);
        snprintf(note.zh, sizeof note.zh, "分站 %s %s", code, run == 1 ? "通信中断" : "故障");
        snprintf(note.en, sizeof note.en, "outstation %s %s", code, run == 1 ? "does not answer" : "is faulty");
        own_hold(&s, code, ALARM_STATION, t, group, note.zh, note.en);
    }
    m->due = now;
}

void mine_told(const struct policy *p, struct mine_state *m, const struct event *v, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    char key[48], group[64], said[120], why[ALARM_WHY_CAP] = "";
    struct note note;
    struct pt *pt = pt_find(m, v->subject);
    if (!v->subject.n || v->subject.n >= sizeof key || v->start > now + p->silence.future_max) return;
    str_copy(v->subject, key, sizeof key);
    snprintf(group, sizeof group, ALARM_TOLD "%.*s/%lld", v->code.n > 10 ? 10 : (int)v->code.n, v->code.p ? v->code.p : "", (long long)v->start);
    bool stands = told_stands(m, key, v->kind, group), moment = v->end == v->start && !v->past;
    int before = out->n;
    if (stands && v->past) return; /* it stands still, as what is live says */
    if (v->same_as == ALARM_STATION)
        alarm_same(ALARM_STATION, pt ? pt->def.station : "", why);
    else if (v->same_as < ALARM_KINDS_N)
        alarm_same(v->same_as, key, why);
    if (v->end == ZB_TIME_NONE || moment || !stands) {
        snprintf(said, sizeof said, STR_FMT "%s" STR_FMT, v->code.n > 20 ? 20 : (int)v->code.n, v->code.p ? v->code.p : "", v->say.n ? " " : "",
                 v->say.n > 90 ? 90 : (int)v->say.n, v->say.p ? v->say.p : ""); /* the mine's own words */
        bool known = v->same_as < ALARM_KINDS_N, reported = v->kind == ALARM_REPORTED;
        snprintf(note.zh, sizeof note.zh, "%s%s%s", reported ? "矿方上报异常 " : "", known ? ALARM_KIND_ZH[v->same_as] : "", said);
        snprintf(note.en, sizeof note.en, "%s%s%s%s", reported ? "reported by the mine: " : "", known ? ALARM_KIND_KEY[v->same_as] : "", known ? " " : "",
                 said);
        struct cond c = {NULL, key, v->kind, v->level ? v->level : p->kind[v->kind].level, v->start, v->peak, ZB_FIX_NONE, 0, group, note.zh, note.en, why};
        alarm_hold(&s, &c);
    }
    if (v->end != ZB_TIME_NONE) told_release(&s, NULL, key, v->kind, group, v->end);
    if (!stands && !moment && out->n == before + 2) out->a[before] = out->a[--out->n]; /* it came and went: that is one word */
    m->due = now;
}

/* Limits of silence are made for the ordinary period; what comes less often is waited for as many periods. */
static zb_time stretched(const struct step *s, zb_time limit, zb_time period) {
    zb_time one = s->p->silence.sample_period;
    return period <= one || one <= 0 ? limit : limit * (period / one) + limit * (period % one) / one;
}

void mine_heard(const struct policy *p, struct mine_state *m, zb_time period, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    m->heard = now;
    if (period > 0 && (m->period == 0 || period < m->period)) m->period = period;
    if (m->own) {
        alarm_release(&s, NULL, "", ALARM_MINE_LATE, now);
        alarm_release(&s, NULL, "", ALARM_MINE_SILENT, now);
    }
    zb_time due = now + stretched(&s, p->silence.late_after, m->period);
    if (due < m->due) m->due = due;
}

static bool watched(const struct pt *pt) { return pt->def.every > 0 && pt->received != ZB_TIME_NONE; }

/* Points unheard while their mine is heard. Returns when the next could be. */
static zb_time points_tick(struct step *s) {
    zb_time next = INT64_MAX;
    for (int i = 0; i < s->m->n; i++) {
        struct pt *pt = s->m->pt[i];
        if (!watched(pt)) continue;
        zb_time due = pt->received + stretched(s, s->p->silence.point_after, pt->def.every);
        if (due > s->now) {
            if (due < next) next = due;
            continue;
        }
        /* heard since? only then is it the point and not the link */
        if (s->m->heard < due - (pt->def.every > s->p->silence.sample_period ? pt->def.every : s->p->silence.sample_period) ||
            alarm_find(s->m, pt, "", ALARM_POINT_SILENT))
            continue;
        char group[64] = "";
        if (pt->def.station[0] && alarm_find(s->m, NULL, pt->def.station, ALARM_STATION)) snprintf(group, sizeof group, "station/%.50s", pt->def.station);
        enum alarm_level level = s->p->kind[ALARM_POINT_SILENT].level;
        const char *zh = "测点中断：矿井在传而此测点无数据", *en = "the mine is heard and this point is not";
        const zb_fix *v = pt->valid;
        if (is_methane(pt) && v[2] != ZB_FIX_NONE && pt->eff.hi_alarm != ZB_FIX_NONE && v[0] > v[1] && v[1] > v[2] && v[0] * 2 >= pt->eff.hi_alarm) {
            level = LEVEL_RED;
            zh = "疑似突出：甲烷上升中失联", en = "outburst suspected: methane was lost while it rose";
        }
        struct cond c = {pt, "", ALARM_POINT_SILENT, level, due, ZB_FIX_NONE, ZB_FIX_NONE, 0, group[0] ? group : pt->def.code, zh, en, NULL};
        alarm_hold(s, &c);
    }
    return next;
}

static zb_time mine_silence(struct step *s) {
    struct mine_state *m = s->m;
    zb_time late = m->heard + stretched(s, s->p->silence.late_after, m->period), silent = m->heard + stretched(s, s->p->silence.mine_after, m->period);
    if (s->now >= silent) {
        alarm_release(s, NULL, "", ALARM_MINE_LATE, silent); /* it has become the greater one */
        if (!alarm_find(m, NULL, "", ALARM_MINE_SILENT))
            own_hold(s, "", ALARM_MINE_SILENT, silent, "", "联网中断：超过规定时间未收到任何上传", "the link is broken: nothing came for longer than allowed");
        return INT64_MAX;
    }
    if (s->now >= late) {
        if (!alarm_find(m, NULL, "", ALARM_MINE_LATE))
            own_hold(s, "", ALARM_MINE_LATE, late, "", "上传迟到：连续三个周期未收到", "uploads are late: nothing for three periods");
        return silent;
    }
    return late;
}

void mine_tick(const struct policy *p, struct mine_state *m, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    zb_time next = alarms_tick(&s), t;
    if (m->joints) joint_check(&s, now);
    if (m->burst && (t = burst_tick(&s)) < next) next = t;
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
