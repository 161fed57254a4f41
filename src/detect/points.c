#include "detect/ahead.h"
#include <stdio.h>
#include <stdlib.h>

struct mine_state *mine_new(const struct mine_facts *f) {
    struct mine_state *m = xcalloc(1, sizeof *m);
    m->f = *f;
    m->heard = m->pond_at = ZB_TIME_NONE;
    m->due = m->late_from = m->late_due = m->late_by = INT64_MAX;
    return m;
}

static void lives_free(struct live *l) {
    for (struct live *next; l; l = next) {
        next = l->next;
        free(l);
    }
}

void mine_free(struct mine_state *m) {
    if (!m) return;
    for (int i = 0; i < m->n; i++) {
        lives_free(m->pt[i]->live);
        watch_done(m->pt[i]);
        ahead_done(m->pt[i]);
        free(m->pt[i]->relation);
        free(m->pt[i]);
    }
    lives_free(m->own);
    burst_ahead_free(m->burst);
    free(m->pt);
    map_done(&m->by_code);
    map_done(&m->station);
    free(m);
}

void mine_facts_set(struct mine_state *m, const struct mine_facts *f) {
    bool limits = strcmp(m->f.gas_class, f->gas_class) != 0;
    m->f = *f;
    for (int i = 0; i < m->n && limits; i++) m->pt[i]->eff_day = INT32_MIN;
}

struct pt *pt_find(const struct mine_state *m, struct str code) {
    return map_get(&m->by_code, code);
}

struct pt *pt_after(struct mine_state *m, struct str code) {
    int i = m->n ? m->pt[m->at]->next : 0;
    struct pt *pt = i < m->n && str_is(code, m->pt[i]->def.code) ? m->pt[i] : NULL;
    if (!pt && (pt = pt_find(m, code))) {
        i = pt->index;
        m->pt[m->at]->next = i;
    }
    if (pt) m->at = i;
    return pt;
}

/* What outlives the upload. */
static void def_keep(struct pt *pt, const struct point_def *def) {
    pt->def = *def;
    pt->def.relation = (struct str){NULL, 0};
    free(pt->relation);
    size_t n = def->relation.n < RELATION_MAX ? def->relation.n : RELATION_MAX;
    pt->relation = n ? xstrndup(def->relation.p, n) : NULL;
}

struct pt *pt_make(struct mine_state *m, const struct point_def *def) {
    if (m->n >= MINE_POINTS_MAX) return NULL;
    struct pt *pt = xcalloc(1, sizeof *pt);
    def_keep(pt, def);
    pt->eff = LIMITS_NONE;
    pt->source = "";
    pt->eff_day = INT32_MIN;
    pt->last = (struct sample){ZB_TIME_NONE, ZB_FIX_NONE, 0};
    pt->received = pt->lost_at = ZB_TIME_NONE;
    for (int i = 0; i < 3; i++) pt->valid[i] = ZB_FIX_NONE;
    if (m->n == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 64;
        m->pt = xrealloc(m->pt, (size_t)m->cap * sizeof *m->pt);
    }
    pt->index = m->n;
    m->pt[m->n++] = pt;
    map_set(&m->by_code, str_of(def->code), pt);
    return pt;
}

bool is_methane(const struct pt *pt) {
    static const char *const T[] = {"0001", "0011", "0043"};
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(pt->def.sensor_type, T[i])) return true;
    return false;
}

static zb_fix own_hi(zb_fix v) { return v != ZB_FIX_NONE && v <= 0 ? ZB_FIX_NONE : v; } /* 0 and -0.01 are written for "not set" */
static zb_fix low_of(zb_fix a, zb_fix b) { return a == ZB_FIX_NONE ? b : b == ZB_FIX_NONE ? a : a < b ? a : b; }
static zb_fix high_of(zb_fix a, zb_fix b) { return a == ZB_FIX_NONE ? b : b == ZB_FIX_NONE ? a : a > b ? a : b; }

static bool laxer(zb_fix own, zb_fix law) { return law != ZB_FIX_NONE && (own == ZB_FIX_NONE || own > law); }

static void lax_check(struct step *s, struct pt *pt, const struct limits *law, zb_time t) {
    zb_fix alarm = own_hi(pt->def.own.hi_alarm), cut = own_hi(pt->def.own.hi_cut);
    if (!pt->defined || pt->def.vt != VALUE_MN) return;
    if (!laxer(alarm, law->hi_alarm) && !laxer(cut, law->hi_cut)) {
        alarm_release(s, pt, "", ALARM_LAX_LIMIT, t);
        return;
    }
    char own[ZB_FIX_CAP], reg[ZB_FIX_CAP];
    struct note note;
    bool a = laxer(alarm, law->hi_alarm), unset = (a ? alarm : cut) == ZB_FIX_NONE;
    const char *unit = pt->def.unit;
    zb_fix_text(a ? alarm : cut, own);
    zb_fix_text(a ? law->hi_alarm : law->hi_cut, reg);
    snprintf(note.zh, sizeof note.zh, "%s限值%s%s，规定%s%s (%.60s)", a ? "报警" : "断电", unset ? "未设" : own, unset ? "" : unit, reg, unit, pt->source);
    snprintf(note.en, sizeof note.en, "%s limit %s%s, required %s%s (%.60s)", a ? "alarm" : "cut", unset ? "not set" : own, unset ? "" : unit, reg, unit,
             pt->source);
    struct cond c = {pt,      "",  ALARM_LAX_LIMIT, s->p->kind[ALARM_LAX_LIMIT].level, t, a ? alarm : cut, a ? law->hi_alarm : law->hi_cut, 0, "", note.zh,
                     note.en, NULL};
    alarm_hold(s, &c);
}

/* The stricter of the regulation at the day of the data and what the mine uploads; returns the regulation's. */
static struct limits limits_make(const struct policy *p, const struct mine_state *m, struct pt *pt, int32_t day) {
    struct limits law = LIMITS_NONE;
    pt->eff_day = day;
    pt->source = "";
    if (pt->def.vt == VALUE_MN) law = policy_limits(p, pt->def.loc_class, pt->def.sensor_type, m->f.gas_class, day, &pt->source);
    const struct limits *o = &pt->def.own;
    pt->eff = (struct limits){low_of(law.hi_alarm, own_hi(o->hi_alarm)),  low_of(law.hi_clear, own_hi(o->hi_clear)),
                              high_of(law.lo_alarm, own_hi(o->lo_alarm)), high_of(law.lo_clear, own_hi(o->lo_clear)),
                              low_of(law.hi_cut, own_hi(o->hi_cut)),      low_of(law.hi_restore, own_hi(o->hi_restore)),
                              high_of(law.lo_cut, own_hi(o->lo_cut)),     high_of(law.lo_restore, own_hi(o->lo_restore))};
    struct limits *e = &pt->eff;
    if (e->hi_clear == ZB_FIX_NONE || e->hi_clear > e->hi_alarm) e->hi_clear = e->hi_alarm;
    if (e->hi_restore == ZB_FIX_NONE || e->hi_restore > e->hi_cut) e->hi_restore = e->hi_cut;
    if (e->lo_clear == ZB_FIX_NONE || e->lo_clear < e->lo_alarm) e->lo_clear = e->lo_alarm;
    if (e->lo_restore == ZB_FIX_NONE || e->lo_restore < e->lo_cut) e->lo_restore = e->lo_cut;
    return law;
}

void pt_limits(struct step *s, struct pt *pt, zb_time t) {
    int32_t day = zb_day_of(t);
    if (day == pt->eff_day) return;
    struct limits law = limits_make(s->p, s->m, pt, day);
    watch_make(s, pt, day);
    ahead_make(s->p, pt);
    lax_check(s, pt, &law, t);
}

void mine_refresh(const struct policy *p, struct mine_state *m) {
    struct step s = {p, m, 0, NULL};
    for (int i = 0; i < m->n; i++) {
        if (m->pt[i]->last.t == ZB_TIME_NONE) { /* nothing of the policy before stays; made anew with its first sample */
            m->pt[i]->eff_day = INT32_MIN;
            m->pt[i]->source = "";
            if (m->pt[i]->watch) m->pt[i]->watch->rows = 0;
            continue;
        }
        (void)limits_make(p, m, m->pt[i], zb_day_of(m->pt[i]->last.t));
        watch_make(&s, m->pt[i], zb_day_of(m->pt[i]->last.t));
        ahead_make(p, m->pt[i]);
    }
}

void mine_define(const struct policy *p, struct mine_state *m, const struct point_def *def, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    struct pt *pt = pt_find(m, str_of(def->code));
    if (pt) {
        const char *known = pt->def.loc_class;
        struct point_def d = *def;
        if (!d.loc_class[0] || pt->confirmed) str_copy(str_of(known), d.loc_class, sizeof d.loc_class);
        def_keep(pt, &d);
    } else {
        pt = pt_make(m, def);
    }
    if (!pt) return;
    pt->defined |= def->station[0] != 0;
    if (pt->received == ZB_TIME_NONE) pt->received = now;
    pt->eff_day = INT32_MIN;
    links_make(m, pt);
    pt_limits(&s, pt, pt->last.t == ZB_TIME_NONE ? now : pt->last.t);
    m->due = now;
}

void mine_class(const struct policy *p, struct mine_state *m, struct str point, struct str loc_class, zb_time now, struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    struct pt *pt = pt_find(m, point);
    if (!pt || loc_class.n >= sizeof pt->def.loc_class) return;
    str_copy(loc_class, pt->def.loc_class, sizeof pt->def.loc_class);
    pt->confirmed = true;
    pt->eff_day = INT32_MIN;
    if (pt->last.t == ZB_TIME_NONE) return; /* its first sample asks for the limits */
    pt_limits(&s, pt, pt->last.t);
    m->due = m->due < now ? m->due : now;
}

void mine_standing(const struct mine_state *m, struct alarm_diffs *out) {
    for (const struct live *l = m->own; l; l = l->next)
        if (l->on) alarm_tell(out, &l->a);
    for (int i = 0; i < m->n; i++)
        for (const struct live *l = m->pt[i]->live; l; l = l->next)
            if (l->on) alarm_tell(out, &l->a);
}

int mine_points(const struct mine_state *m) { return m->n; }

static void now_of(const struct mine_state *m, const struct pt *pt, struct point_now *ret) {
    (void)m;
    bool silent = false;
    for (const struct live *l = pt->live; l; l = l->next) silent |= l->on && l->a.kind == ALARM_POINT_SILENT;
    *ret = (struct point_now){&pt->def, pt->last, pt->received, pt->eff, pt->source, point_level(pt), silent, pt->defined, pt->confirmed};
}

bool mine_point_at(const struct mine_state *m, int i, struct point_now *ret) {
    if (i < 0 || i >= m->n) return false;
    now_of(m, m->pt[i], ret);
    return true;
}

bool mine_point(const struct mine_state *m, struct str code, struct point_now *ret) {
    const struct pt *pt = pt_find(m, code);
    if (!pt) return false;
    now_of(m, pt, ret);
    return true;
}

zb_time mine_last_heard(const struct mine_state *m) { return m->heard; }
zb_time mine_due(const struct mine_state *m) { return m->due; }
