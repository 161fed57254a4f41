/* Joint levels of a pond (GB 39496-2020 5.5, thresholds B.2): so many points of one colour make their item the next colour, so many items the pond. */
#include "detect/state.h"
#include <stdio.h>

enum alarm_level level_raise(const struct joint_rule *j, const int count[COLOURS]) {
    enum alarm_level top = LEVEL_NONE;
    for (int i = LEVEL_BLUE; i < COLOURS; i++)
        if (count[i]) top = (enum alarm_level)i;
    if (count[LEVEL_BLUE] >= j->blue && top < LEVEL_YELLOW) top = LEVEL_YELLOW;
    if (count[LEVEL_YELLOW] >= j->yellow && top < LEVEL_ORANGE) top = LEVEL_ORANGE;
    if (count[LEVEL_ORANGE] >= j->orange) top = LEVEL_RED;
    return top;
}

/* Levels of value, change and rain: not of faults, silence or labels. */
static enum alarm_level measured(const struct pt *pt) {
    enum alarm_level top = LEVEL_NONE;
    for (const struct live *l = pt->live; l; l = l->next) {
        bool of_value = l->a.kind == ALARM_OVER_HI || l->a.kind == ALARM_OVER_LO || l->a.kind == ALARM_RATE || l->a.kind == ALARM_RAIN;
        if (of_value && l->on && l->off_from == ZB_TIME_NONE && l->a.level > top) top = l->a.level;
    }
    return top;
}

static enum alarm_level item_level(const struct mine_state *m, const struct joint_rule *j, struct str sensors, enum alarm_level *highest) {
    int count[COLOURS] = {0};
    for (int i = 0; i < m->n; i++) {
        if (!m->pt[i]->watch || m->pt[i]->watch->joint < 0) continue;
        struct str rest = sensors;
        bool in = false;
        while (rest.p && !in) in = str_is(str_trim(str_cut(rest, ' ', &rest)), m->pt[i]->def.sensor_type);
        enum alarm_level level = in ? measured(m->pt[i]) : LEVEL_NONE;
        count[level]++;
        if (level > *highest) *highest = level;
    }
    count[LEVEL_NONE] = 0;
    return level_raise(j, count);
}

void joint_check(struct step *s, zb_time t) {
    for (int k = 0; k < s->p->joints; k++) {
        const struct joint_rule *j = &s->p->joint[k];
        int count[COLOURS] = {0};
        enum alarm_level highest = LEVEL_NONE;
        struct str items = str_of(j->items);
        while (items.p) count[item_level(s->m, j, str_cut(items, '|', &items), &highest)]++;
        count[LEVEL_NONE] = 0;
        enum alarm_level level = level_raise(j, count);
        char key[48];
        struct note note;
        snprintf(key, sizeof key, "joint-%d", k);
        if (level <= highest) { /* the points' own alarms say as much */
            alarm_release(s, NULL, key, ALARM_JOINT, t);
            continue;
        }
        snprintf(note.zh, sizeof note.zh, "%.60s：蓝%d 黄%d 橙%d 红%d，升为%s色", j->zh, count[LEVEL_BLUE], count[LEVEL_YELLOW], count[LEVEL_ORANGE],
                 count[LEVEL_RED], ALARM_LEVEL_ZH[level]);
        snprintf(note.en, sizeof note.en, "%.60s: blue %d, yellow %d, orange %d, red %d, raised to %s", j->en, count[LEVEL_BLUE], count[LEVEL_YELLOW],
                 count[LEVEL_ORANGE], count[LEVEL_RED], ALARM_LEVEL_KEY[level]);
        struct cond c = {NULL, key, ALARM_JOINT, level, t, ZB_FIX_NONE, ZB_FIX_NONE, 0, key, note.zh, note.en, NULL};
        alarm_hold(s, &c);
    }
}
