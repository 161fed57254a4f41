/* Slopes live: each new hour of a component judges it on the middle readings of its days and on its last two days by the hour, then its wall. */
#include "detect/ahead.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BEIJING (8 * ZB_HOUR)

static int by_value(const void *a, const void *b) {
    const zb_fix *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The middle one of the hours kept of this day, and its hour; a day all of whose hours are forgotten keeps what it has. */
static void day_put(struct slope_ahead *a, zb_time t) {
    zb_time begin = (t + BEIJING) / ZB_DAY * ZB_DAY - BEIJING;
    zb_fix v[24][2];
    int n = 0;
    for (int h = 0; h < 24; h++) {
        zb_time at = begin + h * ZB_HOUR;
        if (at / ZB_HOUR > a->hour.newest) break;
        const zb_fix *one = ring_at(&a->hour, at);
        if (one && *one != ZB_FIX_NONE) v[n][0] = *one, v[n++][1] = at;
    }
    zb_fix *day = n ? ring_at(&a->day, t + BEIJING) : NULL, *when = n ? ring_at(&a->when, t + BEIJING) : NULL;
    if (!day || !when) return;
    qsort(v, (size_t)n, sizeof *v, by_value);
    *day = v[n / 2][0];
    *when = v[n / 2][1];
}

void slope_ahead_put(struct slope_ahead *a, zb_time t, zb_fix v) {
    zb_fix *hour = ring_at(&a->hour, t);
    if (hour) *hour = v;
    if (hour) day_put(a, t);
}

static int readings_of(const struct ring *value, const struct ring *when, double sign, struct slope_reading *out) {
    int n = 0;
    for (int64_t k = value->newest - value->n + 1; k <= value->newest; k++) {
        int at = (int)(((k % value->n) + value->n) % value->n);
        if (value->v[at] == ZB_FIX_NONE) continue;
        out[n++] = (struct slope_reading){when ? when->v[at] : k * value->slot, sign * zb_fix_double(value->v[at])};
    }
    return n;
}

/* Movement has a direction, a component has a sign: the one in which it moves surely is taken. */
static void state_of(const struct detect_slope *r, const struct slope_ahead *a, zb_time now, struct slope_state *ret) {
    struct slope_reading day[SLOPE_DAYS_MAX], hour[SLOPE_HOURS];
    for (int k = 0; k < 2; k++) {
        struct slope_state s;
        double sign = k ? -1 : 1;
        int n = readings_of(&a->day, &a->when, sign, day), h = readings_of(&a->hour, NULL, sign, hour);
        slope_point(r, day, n, now, &s);
        slope_quick(r, hour, h, &s);
        if (!k || s.sure > ret->sure) *ret = s;
    }
}

static void judge_one(struct step *s, struct pt *pt, zb_time t) {
    struct slope_ahead *a = pt->ahead->slope;
    struct slope_state st;
    struct warn_facts f;
    struct warning w;
    state_of(&s->p->detect.slope, a, t, &st);
    a->speed = st.sure, a->angle = st.angle, a->days = st.days, a->days_low = st.days_low, a->days_high = st.days_high;
    slope_facts(s->p, &st, rain_within(s->m, t, (zb_time)(s->p->detect.slope.rain * ZB_DAY)), &f);
    warn_fact(s->p, &f, "slope_low", st.days_low);
    warn_fact(s->p, &f, "slope_high", st.days_high);
    warn_judge(s->p, DETECTOR_SLOPE, &f, &w);
    a->level = w.level;
    a->at = t;
    str_copy(str_of(w.why), a->why, sizeof a->why);
}

/* It moved and has not been read since: somebody must look. Told once, as of the day it became so. */
static void judge_lost(struct step *s, struct pt *pt, zb_time t) {
    struct slope_ahead *a = pt->ahead->slope;
    const struct detect_slope *r = &s->p->detect.slope;
    struct warn_facts f;
    struct warning w;
    bool lost = a->at != ZB_TIME_NONE && a->angle >= r->moving && pt->last.t < t - (zb_time)(r->lost * ZB_DAY) && a->at <= pt->last.t;
    if (!lost) return;
    warn_facts_clear(&f);
    warn_fact(s->p, &f, "slope_lost", 1);
    warn_judge(s->p, DETECTOR_SLOPE, &f, &w);
    a->level = w.level > a->level ? w.level : a->level;
    a->at = t;
    str_copy(str_of(w.why), a->why, sizeof a->why);
}

/* x, y and z of one receiver are one point of the wall: their codes differ after the last dot. */
static bool same_receiver(const char *a, const char *b) {
    const char *dot = strrchr(a, '.');
    size_t n = dot ? (size_t)(dot - a) + 1 : strlen(a) + 1;
    return !strncmp(a, b, n);
}

static void wall_judge(struct step *s, const struct pt *of, zb_time t) {
    struct slope_point_now now[SLOPE_POINTS_MAX] = {{0}};
    const struct pt *who[SLOPE_POINTS_MAX], *top = NULL;
    int n = 0;
    for (int i = 0; i < s->m->n; i++) {
        struct pt *pt = s->m->pt[i];
        if (!pt->ahead || !pt->ahead->slope || strcmp(pt->def.station, of->def.station)) continue;
        judge_lost(s, pt, t);
        const struct slope_ahead *a = pt->ahead->slope;
        if (a->at == ZB_TIME_NONE || a->at > t || t - a->at > s->p->detect.slope.together * ZB_DAY) continue;
        if (a->level > LEVEL_NONE && (!top || a->level > top->ahead->slope->level)) top = pt;
        int k = 0;
        while (k < n && !same_receiver(who[k]->def.code, pt->def.code)) k++;
        if (k == SLOPE_POINTS_MAX) continue;
        if (k == n) who[n] = pt, now[n++] = (struct slope_point_now){a->level, a->at};
        if (a->level > now[k].level) now[k] = (struct slope_point_now){a->level, a->at};
    }
    struct slope_wall wall;
    struct warning w = {.level = LEVEL_NONE};
    slope_wall_now(s->p, now, n, t, &wall);
    if (wall.level > LEVEL_NONE && top) {
        struct str rest, key = str_cut(str_of(top->ahead->slope->why), ' ', &rest);
        w.level = wall.level;
        snprintf(w.why, sizeof w.why, STR_FMT " @%s " STR_FMT " slope_together=%d", STR_ARG(key), top->def.code, STR_ARG(rest),
                 wall.count[LEVEL_YELLOW] + wall.count[LEVEL_ORANGE] + wall.count[LEVEL_RED]);
        warn_retell(s->p, &w);
    }
    mine_warn(s->p, s->m, str_of(of->def.station), DETECTOR_SLOPE, &w, t, s->now, s->out);
}

void slope_ahead_sample(struct step *s, struct pt *pt, const struct sample *x) {
    struct slope_ahead *a = pt->ahead->slope;
    int64_t before = a->hour.newest;
    slope_ahead_put(a, x->t, x->v);
    if (a->hour.newest == before) return;
    judge_one(s, pt, x->t);
    wall_judge(s, pt, x->t);
}
