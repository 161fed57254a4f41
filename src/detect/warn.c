#include "detect/warn.h"
#include "detect/state.h"
#include <math.h>
#include <stdio.h>

#define WARNING_GROUP "warning/"

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

static void why_item(const struct policy *p, struct buf *b, int item, const struct warn_facts *f) {
    if (isfinite(f->value[item])) buf_printf(b, " %s=%.6g", p->forecast.item[item].key, f->value[item]);
}

static void why_of(const struct policy *p, const struct warn_rule *w, const struct warn_facts *f, char *out, size_t cap) {
    struct buf b;
    buf_init(&b, 2000);
    buf_puts(&b, w->key);
    for (int c = 0; c < w->conds; c++) why_item(p, &b, w->cond[c].item, f);
    for (int i = 0; i < w->shows; i++) why_item(p, &b, w->show[i], f);
    str_copy(buf_str(&b), out, cap);
    buf_done(&b);
}

/* ---- a why in words ---- */
static const struct warn_rule *rule_named(const struct policy *p, struct str key) {
    for (int i = 0; i < p->forecast.warns; i++)
        if (str_is(key, p->forecast.warn[i].key)) return &p->forecast.warn[i];
    return NULL;
}
static int item_named(const struct policy *p, struct str key) {
    for (int i = 0; i < p->forecast.items; i++)
        if (str_is(key, p->forecast.item[i].key)) return i;
    return -1;
}

static void number_say(struct buf *b, const struct warn_item *i, double v) {
    bool share = !strcmp(i->unit, "p");
    buf_printf(b, "%.4g", share ? v * 100 : v);
    if (share)
        buf_puts(b, "%");
    else if (strcmp(i->unit, "1"))
        buf_printf(b, " %s", i->unit);
}

static void item_say(const struct policy *p, const struct warn_rule *w, struct str word, bool zh, bool first, struct buf *b) {
    struct str value, key = str_cut(word, '=', &value);
    int at = item_named(p, key);
    double v;
    if (at < 0 || !num_double(value, &v)) return;
    const struct warn_item *i = &p->forecast.item[at];
    const struct warn_cond *cond = NULL;
    for (int c = 0; c < w->conds && !cond; c++)
        if (w->cond[c].item == at) cond = &w->cond[c];
    buf_printf(b, "%s%s", first ? (zh ? "：" : ": ") : (zh ? "，" : ", "), zh ? i->zh : i->en);
    if (cond && cond->high && cond->value == 1 && v == 1 && !strcmp(i->unit, "1")) return; /* a yes: its name says it */
    buf_puts(b, " ");
    number_say(b, i, v);
    if (!cond) return;
    buf_printf(b, zh ? "（%s " : " (%s ", cond->high ? "≥" : "≤");
    number_say(b, &(struct warn_item){.unit = strcmp(i->unit, "p") ? "1" : "p"}, cond->value);
    buf_puts(b, zh ? "）" : ")");
}

/* "hazards gas=yellow slope=orange red": two hazards, and the colour they come to. */
static void hazards_say(const struct policy *p, struct str rest, bool zh, struct buf *b) {
    bool first = true;
    while (rest.p && rest.n) {
        struct str level, key = str_cut(str_cut(rest, ' ', &rest), '=', &level);
        for (int k = 0; k < DETECTORS_N && level.p; k++)
            if (str_is(key, p->detect.who[k].key))
                buf_printf(b, "%s%s", first ? "" : zh ? "、" : ", ", zh ? p->detect.who[k].zh : p->detect.who[k].en), first = false;
        for (int i = 0; i < ALARM_LEVELS_N; i++) {
            if (str_is(level.p ? level : key, ALARM_LEVEL_KEY[i]))
                buf_printf(b, level.p ? (zh ? "（%s）" : " (%s)") : (zh ? "同时存在，升为%s色" : " together: raised to %s"),
                           zh ? ALARM_LEVEL_ZH[i] : ALARM_LEVEL_KEY[i]);
        }
    }
}

bool warn_say(const struct policy *p, const char *why, bool zh, char *out, size_t cap) {
    struct str rest, key = str_cut(str_of(why), ' ', &rest);
    const struct warn_rule *w = rule_named(p, key);
    bool hazards = str_is(key, "hazards"), first = true;
    struct buf b;
    out[0] = 0;
    if (!w && !hazards) return false;
    buf_init(&b, 4000);
    if (hazards) hazards_say(p, rest, zh, &b);
    if (w) buf_puts(&b, zh ? w->zh : w->en);
    while (w && rest.p && rest.n) {
        struct str word = str_cut(rest, ' ', &rest);
        if (word.n && word.p[0] == '@')
            buf_printf(&b, zh ? "（测点" STR_FMT "）" : " (point " STR_FMT ")", (int)word.n - 1, word.p + 1);
        else
            item_say(p, w, word, zh, first, &b), first = false;
    }
    str_copy(buf_str(&b), out, cap);
    buf_done(&b);
    return true;
}

const struct warn_rule *warn_rule_of(const struct policy *p, const char *why) {
    struct str rest;
    return rule_named(p, str_cut(str_of(why), ' ', &rest));
}

void warn_retell(const struct policy *p, struct warning *w) {
    (void)warn_say(p, w->why, true, w->reason, sizeof w->reason);
    (void)warn_say(p, w->why, false, w->reason_en, sizeof w->reason_en);
}

void warn_recall(const struct policy *p, const char *why, struct warn_facts *f) {
    struct str rest = str_of(why);
    warn_facts_clear(f);
    while (rest.p && rest.n) {
        struct str value, key = str_cut(str_cut(rest, ' ', &rest), '=', &value);
        int at = value.p ? item_named(p, key) : -1;
        double v;
        if (at >= 0 && num_double(value, &v)) f->value[at] = v;
    }
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
    why_of(p, ret->rule, f, ret->why, sizeof ret->why);
    warn_retell(p, ret);
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

/* Two hazards of a mine: the higher colour is an alarm of its own while both stand, as with the items of a pond (joint.c). */
#define HAZARDS "joint-hazards"
static void hazards_check(struct step *s, zb_time t) {
    enum alarm_level of[DETECTORS_N] = {LEVEL_NONE}, highest = LEVEL_NONE;
    char why[ALARM_WHY_CAP] = "hazards", note[320], note_en[320];
    for (const struct live *l = s->m->own; l; l = l->next)
        for (int k = 0; k < DETECTORS_N; k++) {
            bool stands = l->a.kind == ALARM_WARNING && l->on && l->off_from == ZB_TIME_NONE && !alarm_shadow(&l->a);
            if (stands && !strcmp(l->a.group + sizeof WARNING_GROUP - 1, s->p->detect.who[k].key) && l->a.level > of[k]) of[k] = l->a.level;
        }
    size_t n = strlen(why);
    for (int k = 0; k < DETECTORS_N; k++) {
        if (of[k] > highest) highest = of[k];
        if (of[k] >= s->p->forecast.joint_from && n < sizeof why - 40)
            n += (size_t)snprintf(why + n, sizeof why - n, " %s=%s", s->p->detect.who[k].key, ALARM_LEVEL_KEY[of[k]]);
    }
    enum alarm_level level = levels_joint(s->p, of, DETECTORS_N);
    if (level <= highest) {
        alarm_release(s, NULL, HAZARDS, ALARM_JOINT, t);
        return;
    }
    snprintf(why + n, sizeof why - n, " %s", ALARM_LEVEL_KEY[level]);
    (void)warn_say(s->p, why, true, note, sizeof note);
    (void)warn_say(s->p, why, false, note_en, sizeof note_en);
    struct cond c = {NULL, HAZARDS, ALARM_JOINT, level, t, ZB_FIX_NONE, ZB_FIX_NONE, 0, HAZARDS, note, note_en, why};
    alarm_hold(s, &c);
}

void mine_warn(const struct policy *p, struct mine_state *m, struct str point, enum detector_id hazard, const struct warning *w, zb_time t, zb_time now,
               struct alarm_diffs *out) {
    struct step s = {p, m, now, out};
    char code[48], group[2][64];
    if (point.n >= sizeof code) return;
    str_copy(point, code, sizeof code);
    bool trial = p->detect.who[hazard].shadow;
    snprintf(group[0], sizeof group[0], WARNING_GROUP "%.50s", p->detect.who[hazard].key);
    snprintf(group[1], sizeof group[1], ALARM_SHADOW "%.50s", p->detect.who[hazard].key);
    told_release(&s, NULL, code, ALARM_WARNING, group[!trial], t); /* of before its owner switched it */
    if (w->level == LEVEL_NONE) {
        told_release(&s, NULL, code, ALARM_WARNING, group[trial], t);
    } else {
        struct cond c = {NULL, code, ALARM_WARNING, w->level, t, ZB_FIX_NONE, ZB_FIX_NONE, 0, group[trial], w->reason, w->reason_en, w->why};
        alarm_hold(&s, &c);
    }
    hazards_check(&s, t);
    for (const struct live *l = m->own; l; l = l->next) /* their off-delays are timers */
        if (l->off_from != ZB_TIME_NONE && l->off_due < m->due) m->due = l->off_due;
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
