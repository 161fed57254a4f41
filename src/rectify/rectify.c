#include "rectify/rectify.h"
#include <stdio.h>

static bool did(const struct rectify_facts *f, const char *acts) {
    struct str rest = str_of(f->done_by);
    while (rest.p && rest.n) {
        struct str who, one = str_cut(rest, ' ', &rest), act = str_cut(one, ':', &who);
        if (who.p && str_is(who, f->user) && word_in(acts, act)) return true;
    }
    return false;
}

enum verdict rectify_may(const struct ledger *l, const struct ledger_act *a, const struct rectify_facts *f) {
    (void)l;
    if (f->state < 0 || f->state > 63 || !(a->from >> f->state & 1)) return NOT_IN_STATE;
    if (f->automatic) return word_in(a->roles, STR("auto")) ? ALLOWED : NOT_YOUR_ROLE;
    if (!word_in(a->roles, str_of(f->role))) return NOT_YOUR_ROLE;
    if (a->supervisor && f->sup_level && f->level > f->sup_level) return NOT_YOUR_LEVEL; /* a higher level may, a lower may not */
    if (a->not_by[0] && did(f, a->not_by)) return SAME_PERSON;
    return ALLOWED;
}

void rectify_why(const struct ledger *l, const struct ledger_act *a, enum verdict r, const struct rectify_facts *f, char zh[200], char en[240]) {
    const struct ledger_state *s = f->state >= 0 && f->state < l->states ? &l->state[f->state] : NULL;
    static const char *const LEVEL_ZH[] = {"", "", "省级", "", "市级", "", "县级"}, *const LEVEL_EN[] = {"",         "", "the province", "",
                                                                                                         "the city", "", "the county"};
    int sup = f->sup_level >= 0 && f->sup_level <= 6 ? f->sup_level : 0;
    zh[0] = en[0] = 0;
    if (r == NOT_IN_STATE) {
        snprintf(zh, 200, "当前状态为“%s”，不能“%s”", s ? s->zh : "?", a->zh);
        snprintf(en, 240, "the record is %s: %s is not possible now", s ? s->en : "?", a->en);
    } else if (r == NOT_YOUR_ROLE) {
        snprintf(zh, 200, "您的角色无权“%s”", a->zh);
        snprintf(en, 240, "your role may not do: %s", a->en);
    } else if (r == NOT_YOUR_LEVEL) {
        snprintf(zh, 200, "该矿由%s监管，“%s”须由%s或上级办理", LEVEL_ZH[sup], a->zh, LEVEL_ZH[sup]);
        snprintf(en, 240, "the site is supervised by %s: %s is theirs or of a higher level", LEVEL_EN[sup], a->en);
    } else if (r == SAME_PERSON) {
        snprintf(zh, 200, "您办理过前一环节，“%s”须由另一人办理（四眼原则）", a->zh);
        snprintf(en, 240, "you did an earlier step: %s needs another person", a->en);
    }
}

zb_time rectify_due(const struct policy *p, const struct ledger_clock *c, zb_time start, zb_time field) {
    if (c->field[0]) return field;
    zb_time from = c->from_field[0] ? field : start;
    if (from == ZB_TIME_NONE) return ZB_TIME_NONE;
    if (!c->work_days) return from + c->after;
    int32_t day = zb_day_of(from);
    for (int n = c->work_days; n > 0;)
        if (policy_work_day(p, ++day)) n--;
    return (zb_time)(day + 1) * ZB_DAY - 8 * ZB_HOUR - 1; /* the last moment of that day in Beijing */
}

int rectify_step(const struct ladder *l, int from, zb_time start, zb_time due, zb_time *when) {
    for (int i = from; i < l->steps; i++) {
        const struct ladder_step *s = &l->step[i];
        zb_time t = s->percent >= 0 ? start + (due - start) / 100 * s->percent : due + s->offset;
        if (t < start && s->percent < 0 && s->offset < 0) continue; /* a reminder before it even began */
        *when = t;
        return i;
    }
    return l->steps;
}
