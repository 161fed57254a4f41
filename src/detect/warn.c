#include "detect/warn.h"
#include "detect/state.h"
#include <math.h>
#include <stdio.h>

void warn_facts_clear(struct warn_facts *f) {
    for (int i = 0; i < WARN_ITEMS_MAX; i++) f->value[i] = NAN;
}

void warn_fact(const struct policy *p, struct warn_facts *f, const char *item, double v) {
    for (int i = 0; i < p->forecast.items; i++)
        if (!strcmp(p->forecast.item[i].key, item)) {
            f->value[i] = v;
            return;
        }
    ZB_BUG("rules/forecast.yaml has no item %s", item);
}

static bool holds(const struct warn_rule *w, const struct warn_facts *f) {
    for (int c = 0; c < w->conds; c++) {
        double v = f->value[w->cond[c].item];
        if (isnan(v) || (w->cond[c].high ? v < w->cond[c].value : v > w->cond[c].value)) return false;
    }
    return true;
}

static void reason_of(const struct policy *p, const struct warn_rule *w, const struct warn_facts *f, bool zh, char *out, size_t cap) {
    struct buf b;
    buf_init(&b, 2000);
    buf_puts(&b, zh ? w->zh : w->en);
    for (int c = 0; c < w->conds; c++) {
        const struct warn_item *i = &p->forecast.item[w->cond[c].item];
        const char *unit = strcmp(i->unit, "1") && strcmp(i->unit, "p") ? i->unit : "";
        buf_printf(&b, zh ? "%s%s %.4g %s（%s %.4g）" : "%s%s %.4g %s (%s %.4g)", c ? (zh ? "，" : ", ") : (zh ? "：" : ": "), zh ? i->zh : i->en,
                   f->value[w->cond[c].item], unit, w->cond[c].high ? "≥" : "≤", w->cond[c].value);
    }
    str_copy(buf_str(&b), out, cap);
    buf_done(&b);
}

void warn_judge(const struct policy *p, enum detector_id hazard, const struct warn_facts *f, struct warning *ret) {
    *ret = (struct warning){.level = LEVEL_NONE};
    for (int i = 0; i < p->forecast.warns; i++) {
        const struct warn_rule *w = &p->forecast.warn[i];
        if (w->hazard != hazard || !holds(w, f)) continue;
        ret->rules++;
        if (ret->rule && w->level <= ret->level) continue;
        ret->rule = w;
        ret->level = w->level;
    }
    if (!ret->rule) return;
    reason_of(p, ret->rule, f, true, ret->reason, sizeof ret->reason);
    reason_of(p, ret->rule, f, false, ret->reason_en, sizeof ret->reason_en);
}

enum alarm_level levels_joint(const struct policy *p, const enum alarm_level *of_hazard, int n) {
    enum alarm_level highest = LEVEL_NONE;
    int together = 0;
    for (int i = 0; i < n; i++) {
        if (of_hazard[i] > highest) highest = of_hazard[i];
        together += of_hazard[i] >= p->forecast.joint_from && of_hazard[i] > LEVEL_NONE;
    }
    return together >= 2 && highest < LEVEL_RED ? (enum alarm_level)(highest + 1) : highest;
}

bool mine_warn(const struct policy *p, struct mine_state *m, struct str point, enum detector_id hazard, const struct warning *w, zb_time t, zb_time now,
               struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    char code[48], group[64];
    if (p->detect.who[hazard].shadow || point.n >= sizeof code) return false;
    str_copy(point, code, sizeof code);
    snprintf(group, sizeof group, "warning/%.50s", p->detect.who[hazard].key);
    if (w->level == LEVEL_NONE) {
        told_release(&s, NULL, code, ALARM_WARNING, group, t);
    } else {
        struct cond c = {NULL, code, ALARM_WARNING, w->level, t, ZB_FIX_NONE, ZB_FIX_NONE, 0, group, w->reason};
        alarm_hold(&s, &c);
    }
    m->due = now; /* its off-delay is a timer */
    return true;
}

/* Where the level of this rule begins, in words. */
static void begins(const struct warn_rule *w, const struct warn_cond *c, struct clue_factor *f) {
    snprintf(f->how_zh, sizeof f->how_zh, "%s色：%s %.4g；%s", ALARM_LEVEL_ZH[w->level], c->high ? "≥" : "≤", c->value, w->source);
    snprintf(f->how_en, sizeof f->how_en, "%s: %s %.4g; %s", ALARM_LEVEL_KEY[w->level], c->high ? ">=" : "<=", c->value, w->source);
}

void warn_clue(const struct policy *p, enum detector_id hazard, const struct warn_facts *f, const struct warning *w, struct str mine, struct str subject,
               zb_time from, zb_time to, struct clues *out) {
    if (w->level == LEVEL_NONE || !w->rule) return;
    struct clue *c = clue_new(out, p, hazard, mine, subject, from, to);
    for (int i = 0; i < w->rule->conds; i++) {
        const struct warn_cond *cond = &w->rule->cond[i];
        const struct warn_item *item = &p->forecast.item[cond->item];
        begins(w->rule, cond,
               clue_factor(c, item->zh, item->en, strcmp(item->unit, "p") && strcmp(item->unit, "1") ? item->unit : "", f->value[cond->item], cond->value));
    }
    snprintf(c->zh, sizeof c->zh, "%s色预警：%s", ALARM_LEVEL_ZH[w->level], w->reason);
    snprintf(c->en, sizeof c->en, "%s warning: %s", ALARM_LEVEL_KEY[w->level], w->reason_en);
    clue_seal(c);
}
