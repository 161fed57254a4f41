/* Lines of four colours (thresholds B): of the value itself, of its change within a window, of rain within a window, of a state. */
#include "detect/state.h"
#include <stdio.h>
#include <stdlib.h>

static bool any(const zb_fix line[COLOURS]) {
    for (int i = LEVEL_BLUE; i < COLOURS; i++)
        if (line[i] != ZB_FIX_NONE) return true;
    return false;
}

enum alarm_level line_reached(const zb_fix line[COLOURS], zb_fix v, int sign, zb_fix *ret) {
    for (int i = LEVEL_RED; i >= LEVEL_BLUE; i--)
        if (line[i] != ZB_FIX_NONE && (sign > 0 ? v >= line[i] : v <= line[i])) {
            *ret = line[i];
            return (enum alarm_level)i;
        }
    return LEVEL_NONE;
}

static void stricter(struct lines *to, const struct lines *l) {
    for (int i = LEVEL_BLUE; i < COLOURS; i++) {
        if (l->hi[i] != ZB_FIX_NONE && (to->hi[i] == ZB_FIX_NONE || l->hi[i] < to->hi[i])) to->hi[i] = l->hi[i];
        if (l->lo[i] != ZB_FIX_NONE && (to->lo[i] == ZB_FIX_NONE || l->lo[i] > to->lo[i])) to->lo[i] = l->lo[i];
    }
}

static bool has_state(const struct limit_rule *l) { return l->is[LEVEL_BLUE] || l->is[LEVEL_YELLOW] || l->is[LEVEL_ORANGE] || l->is[LEVEL_RED]; }
static bool has_change(const struct limit_rule *l) { return any(l->change.hi) || any(l->change.lo); }
static bool has_rain(const struct limit_rule *l) { return any(l->sum) || l->antecedent.recent > 0; }

static bool wanted(const struct limit_rule *l) { return any(l->line.hi) || any(l->line.lo) || has_change(l) || has_rain(l) || has_state(l); }

static int joint_of(const struct policy *p, const char *sensor) {
    for (int j = 0; sensor[0] && j < p->joints; j++) {
        struct str items = str_of(p->joint[j].items);
        while (items.p) {
            struct str one = str_cut(items, '|', &items);
            while (one.p)
                if (str_is(str_trim(str_cut(one, ' ', &one)), sensor)) return j;
        }
    }
    return -1;
}

static struct ring *ring_for(struct watch *w, zb_time within) {
    zb_time slot = within / CHANGE_SLOTS > 0 ? within / CHANGE_SLOTS : 1;
    for (int i = 0; i < WINDOWS_MAX; i++) {
        if (w->change[i].slot == slot) return &w->change[i];
        if (w->change[i].slot) continue;
        ring_make(&w->change[i], slot, CHANGE_SLOTS + 1);
        return &w->change[i];
    }
    return NULL; /* more different windows than WINDOWS_MAX: the policy's check refuses them */
}

void watch_make(struct step *s, struct pt *pt, int32_t day) {
    const struct limit_rule *row[LIMIT_ROWS_MAX];
    int n = policy_limit_rows(s->p, pt->def.loc_class, pt->def.sensor_type, s->m->f.gas_class, day, row), rows = 0, joint = joint_of(s->p, pt->def.sensor_type);
    for (int i = 0; i < n; i++)
        if (wanted(row[i])) row[rows++] = row[i];
    bool own = any(pt->def.line.hi) || any(pt->def.line.lo);
    if (!rows && !own && joint < 0 && !pt->watch) return;
    if (!pt->watch) {
        pt->watch = xcalloc(1, sizeof *pt->watch);
        pt->watch->joint = -1;
    }
    struct watch *w = pt->watch;
    s->m->joints += (joint >= 0) - (w->joint >= 0);
    w->joint = joint;
    w->line = pt->def.line;
    w->rows = rows;
    for (int i = 0; i < rows; i++) {
        w->row[i] = row[i];
        stricter(&w->line, &row[i]->line);
        if (has_change(row[i])) (void)ring_for(w, row[i]->within);
        if (has_rain(row[i]) && !w->rain.slot) ring_make(&w->rain, ZB_HOUR, RAIN_SLOTS);
    }
}

void watch_done(struct pt *pt) {
    if (!pt->watch) return;
    for (int i = 0; i < WINDOWS_MAX; i++) ring_done(&pt->watch->change[i]);
    ring_done(&pt->watch->rain);
    free(pt->watch);
    pt->watch = NULL;
}

static void hold(struct step *s, struct pt *pt, enum alarm_kind k, enum alarm_level level, zb_time t, zb_fix v, zb_fix line, const char *zh, const char *en) {
    char a[ZB_FIX_CAP], b[ZB_FIX_CAP];
    struct note note;
    const char *unit = pt->def.unit;
    zb_fix_text(v, a);
    zb_fix_text(line, b);
    snprintf(note.zh, sizeof note.zh, "%s%s%s，%s色线 %s%s", zh, a, unit, ALARM_LEVEL_ZH[level], b, unit);
    snprintf(note.en, sizeof note.en, "%s%s%s, %s line %s%s", en, a, unit, ALARM_LEVEL_KEY[level], b, unit);
    struct cond c = {pt, "", k, level, t, v, line, 0, pt->def.code, note.zh, note.en, NULL};
    alarm_hold(s, &c);
}

/* How far the value lies from the least and the greatest of the window. */
static void change_check(struct step *s, struct pt *pt, const struct sample *x) {
    enum alarm_level top = LEVEL_NONE;
    zb_fix far = 0, line = ZB_FIX_NONE, one;
    bool looked = false;
    for (int k = 0; k < pt->watch->rows; k++) {
        const struct limit_rule *l = pt->watch->row[k];
        struct ring *r = has_change(l) ? ring_for(pt->watch, l->within) : NULL;
        if (!r) continue;
        looked = true;
        ring_move(r, x->t);
        zb_fix rise = 0, fall = 0;
        for (int i = 0; i < r->n; i++) {
            if (r->v[i] == ZB_FIX_NONE) continue;
            zb_fix d;
            if (__builtin_sub_overflow(x->v, r->v[i], &d)) d = x->v > r->v[i] ? INT64_MAX : -INT64_MAX;
            if (d > rise) rise = d;
            if (-d > fall) fall = -d;
        }
        enum alarm_level up = line_reached(l->change.hi, rise, 1, &one);
        if (up > top) top = up, far = rise, line = one;
        enum alarm_level down = line_reached(l->change.lo, fall, 1, &one);
        if (down > top) top = down, far = -fall, line = one;
    }
    if (top)
        hold(s, pt, ALARM_RATE, top, x->t, far, line, "变化 ", "change ");
    else if (looked)
        alarm_release(s, pt, "", ALARM_RATE, x->t);
    for (int i = 0; i < WINDOWS_MAX && pt->watch->change[i].slot; i++) {
        zb_fix *v = ring_at(&pt->watch->change[i], x->t);
        if (v && *v == ZB_FIX_NONE) *v = x->v;
    }
}

static void rain_check(struct step *s, struct pt *pt, const struct sample *x) {
    struct ring *r = &pt->watch->rain;
    zb_fix sum = 0, line = 0, sum_top = 0, line_top = 0;
    enum alarm_level top = LEVEL_NONE;
    rain_add(r, x);
    for (int k = 0; k < pt->watch->rows; k++) {
        enum alarm_level level = has_rain(pt->watch->row[k]) ? rain_level(pt->watch->row[k], r, x->t, &sum, &line) : LEVEL_NONE;
        if (level > top) top = level, sum_top = sum, line_top = line;
    }
    if (top)
        hold(s, pt, ALARM_RAIN, top, x->t, sum_top, line_top, "累计降雨 ", "rain ");
    else
        alarm_release(s, pt, "", ALARM_RAIN, x->t);
}

static void state_check(struct step *s, struct pt *pt, const struct sample *x) {
    char text[ZB_FIX_CAP];
    struct str v = str_of(zb_fix_text(x->v, text));
    bool looked = false;
    for (int k = 0; k < pt->watch->rows; k++)
        for (int i = LEVEL_RED; i >= LEVEL_BLUE; i--) {
            struct str rest = str_of(pt->watch->row[k]->is[i]);
            looked |= rest.p != NULL;
            while (rest.p) {
                if (!str_eq(str_cut(rest, ' ', &rest), v)) continue;
                struct note note;
                snprintf(note.zh, sizeof note.zh, "%.60s：状态 %s", pt->watch->row[k]->zh, text);
                snprintf(note.en, sizeof note.en, "state %s of %.40s", text, pt->watch->row[k]->loc_class);
                struct cond c = {pt, "", ALARM_STATE, (enum alarm_level)i, x->t, x->v, ZB_FIX_NONE, 0, pt->def.code, note.zh, note.en, NULL};
                alarm_hold(s, &c);
                return;
            }
        }
    if (looked) alarm_release(s, pt, "", ALARM_STATE, x->t);
}

void watch_check(struct step *s, struct pt *pt, const struct sample *x, bool sure) {
    enum alarm_level before = point_level(pt);
    if (sure && pt->def.vt == VALUE_MN) change_check(s, pt, x);
    if (sure && pt->watch->rain.slot) rain_check(s, pt, x);
    if (sure && (pt->def.vt == VALUE_KG || pt->def.vt == VALUE_DT)) state_check(s, pt, x);
    if (pt->watch->joint >= 0 && (before != point_level(pt) || pt->live)) joint_check(s, x->t);
}
