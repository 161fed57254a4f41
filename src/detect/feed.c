/* 馈电异常 (thresholds A.6): the load side of a switch against what the methane of its place demands. A gas point's 关联关系 names its
 * power cutter (1009) and feed points (1011, 1015); 1 means voltage. */
#include "detect/state.h"
#include <stdlib.h>

bool is_feed(const struct pt *pt) { return !strcmp(pt->def.sensor_type, "1011") || !strcmp(pt->def.sensor_type, "1015"); }
static bool is_cutter(const struct pt *pt) { return !strcmp(pt->def.sensor_type, "1009"); }

static void gas_add(struct pt *to, const struct pt *gas) {
    for (int i = 0; i < to->gases; i++)
        if (to->gas[i] == gas->index) return;
    if (to->gases < LINKS_MAX) to->gas[to->gases++] = gas->index;
}

static void link_add(struct pt *gas, struct pt *to) {
    for (int i = 0; i < gas->links; i++)
        if (gas->link[i] == to->index) return;
    if (gas->links == LINKS_MAX) return;
    gas->link[gas->links++] = to->index;
    gas_add(to, gas);
}

/* Groups separated by ◇; in a group pairs separated by ':', each "<letter>-<point>[-<name>]". */
static void relation_walk(struct mine_state *m, struct pt *gas, struct pt *only) {
    const char *p = gas->relation;
    while (*p) {
        const char *dash = p;
        while (*dash && *dash != '-') dash++;
        if (!*dash) return;
        const char *code = dash + 1, *end = code;
        while (*end && *end != '-' && *end != ':' && (unsigned char)*end > ' ' && (unsigned char)*end < 0x80) end++;
        struct pt *to = pt_find(m, (struct str){code, (size_t)(end - code)});
        if (to && (!only || only == to) && (is_feed(to) || is_cutter(to))) link_add(gas, to);
        p = end;
        while (*p && *p != ':' && (unsigned char)*p != 0xE2) p++; /* ':' or the first byte of ◇ */
        if ((unsigned char)*p == 0xE2) p += 2;
        if (*p) p++;
    }
}

void links_make(struct mine_state *m, struct pt *pt) {
    if (is_methane(pt) && pt->relation) relation_walk(m, pt, NULL);
    if (!is_feed(pt) && !is_cutter(pt)) return;
    for (int i = 0; i < m->n; i++)
        if (is_methane(m->pt[i]) && m->pt[i]->relation) relation_walk(m, m->pt[i], pt);
}

static void feed_one(struct step *s, struct pt *feed, zb_time t) {
    if (feed->last.t == ZB_TIME_NONE || feed->last.v == ZB_FIX_NONE) return;
    bool power = feed->last.v != 0, demanded = false, free_to_run = feed->gases > 0;
    const struct pt *why = NULL;
    for (int i = 0; i < feed->gases; i++) {
        struct pt *g = s->m->pt[feed->gas[i]];
        if (alarm_stands(s->m, g, ALARM_CUT)) {
            demanded = true;
            why = g;
        }
        if (g->last.t == ZB_TIME_NONE || g->last.state & ~(uint32_t)ST_ALARM || g->live) free_to_run = false;
        for (int k = 0; k < g->links; k++) { /* a cutter that says "cut" explains a missing voltage */
            const struct pt *c = s->m->pt[g->link[k]];
            if (is_cutter(c) && (c->last.v == 0 || c->last.t == ZB_TIME_NONE)) free_to_run = false;
        }
    }
    struct cond c = {feed, "", ALARM_FEED, s->p->kind[ALARM_FEED].level, t, feed->last.v, ZB_FIX_NONE, 0, why ? why->def.code : feed->def.code, "", "", NULL};
    if (demanded && power) {
        c.note = "断电失效：甲烷达到断电值而负荷侧仍有电", c.note_en = "power was not cut: methane reached the value and the load side is live";
        alarm_hold(s, &c);
    } else if (!power && free_to_run) {
        c.note = "馈电异常：允许送电而负荷侧无电", c.note_en = "feed: power is allowed and the load side is dead";
        c.level = LEVEL_YELLOW;
        alarm_hold(s, &c);
    } else {
        alarm_release(s, feed, "", ALARM_FEED, t);
    }
}

void feed_check(struct step *s, struct pt *pt, zb_time t) {
    if (is_feed(pt)) feed_one(s, pt, t);
    for (int i = 0; i < pt->links; i++)
        if (is_feed(s->m->pt[pt->link[i]])) feed_one(s, s->m->pt[pt->link[i]], t);
}
