/* What a mine does month by month. */
#include "sim/past.h"

enum { POSTS = 16 };
struct month {
    int32_t first, year_on;
    int m, year, nth; /* 1..12, 2024.., since the beginning */
    bool last, last_but_one;
};

static void selfcheck(struct past_sim *s, const struct pmine *m, const struct month *t) {
    char key[40], period[8];
    if (planted(s, m, "R38") && t->last_but_one) return;
    snprintf(period, sizeof period, "%.7s", dt(t->first));
    snprintf(key, sizeof key, "%s.s%d", m->key, t->nth);
    int32_t d = t->first + 22 + m->i % 4;
    int lead = planted(s, m, "R39") && t->last_but_one ? 1 : 0;
    say(s, past_at(t->first, 8, m->i), "selfcheck", key, own(m, "principal"), "new", "'site':'@%s','kind':'monthly_major','period':'%s','due_on':'%s'", m->key,
        period, dt(month_day(t->first, 1, 1) - 1));
    say(s, past_at(d, 9, m->i), "selfcheck", key, own(m, "principal"), "submit",
        "'major_n':0,'general_n':%d,'zero':true,'submitted_at':'%s','lead':'@%s.p%d','technicians':'职工6、职工9','scope':'全矿'", 1 + (t->nth + m->i) % 4,
        tm(past_at(d, 9, m->i)), m->key, lead);
    say(s, past_at(d, 14, m->i), "selfcheck", key, by(s, m, "hazard_officer", "hz1"), "receive", "%s", "");
    say(s, past_at(d + 1, 9, m->i), "selfcheck", key, by(s, m, "hazard_officer", "hz1"), "accept", "%s", "");
}

/* A class of the mine from plan to archive. */
static void lesson(struct past_sim *s, const struct pmine *m, const char *key, const char *kind, const char *name, int32_t day, double hours, const char *more,
                   const char *rows) {
    say(s, past_at(day - 2, 8, m->i), "training", key, own(m, "safety_manager"), "new",
        "'name':'%s','kind':'%s','site':'@%s','mode':'live','start_on':'%s','hours':%.1f%s", name, kind, m->key, dt(day), hours, more);
    say(s, past_at(day, 17, m->i), "training", key, own(m, "safety_manager"), "hold", "'end_on':'%s','participants':[%s]", dt(day), rows);
    say(s, past_at(day + 1, 9, m->i), "training", key, own(m, "safety_manager"), "submit", "'submitted_on':'%s'", dt(day + 1));
    say(s, past_at(day + 3, 9, m->i), "training", key, by(s, m, "hazard_officer", "hz1"), "check", "'check_note':'材料齐全'");
}

static void lessons(struct past_sim *s, const struct pmine *m, const struct month *t) {
    char key[40], rows[4000] = "";
    if (m->ug && !(planted(s, m, "R10") && t->last_but_one)) {
        snprintf(key, sizeof key, "%s.r%d", m->key, t->nth);
        for (int i = 11; i < POSTS; i++)
            snprintf(rows + strlen(rows), sizeof rows - strlen(rows),
                     "%s{'person':'@%s.p%d','present':true,'pass':true,'wear_s':%d,'blind':true,'training_unit':true}", i > 11 ? "," : "", m->key, i,
                     20 + (m->i + i) % 9);
        lesson(s, m, key, "self_rescuer", "自救器盲戴实操", t->first + 9 + m->i % 8, 2, "", rows);
    }
    snprintf(rows, sizeof rows, "{'person':'@%s.p13','present':true,'pass':true}", m->key);
    if (t->m % 3 == 2 &&
        !(planted(s, m, "R101") && t->first < zb_period_start(ZB_QUARTER_UNIT, s->to, 0) && t->first >= zb_period_start(ZB_QUARTER_UNIT, s->to, -1))) {
        snprintf(key, sizeof key, "%s.v%d", m->key, t->nth);
        lesson(s, m, key, "anti_3v", "反三违警示教育", t->first + 12 + m->i % 5, 2, "", rows);
    }
    if (t->m != 3) return;
    rows[0] = 0; /* once a year everybody */
    for (int i = 0; i < POSTS; i++)
        snprintf(rows + strlen(rows), sizeof rows - strlen(rows), "%s{'person':'@%s.p%d','present':true,'id_verified':true,'hours':%d,'pass':true}",
                 i ? "," : "", m->key, i, planted(s, m, "R09") && i == 8 && t->year_on == zb_period_start(ZB_YEAR_UNIT, s->to, 0) ? 8 : 24);
    snprintf(key, sizeof key, "%s.a%d", m->key, t->nth);
    lesson(s, m, key, "all_staff", "全员安全培训", t->first + 14 + m->i % 6, 24, "", rows);
}

/* The class the authority holds for those who lead. */
static void special_class(struct past_sim *s, const struct pmine *m, const struct month *t) {
    char key[40], rows[2000] = "";
    int32_t d = t->first + 10 + m->i % 5;
    if (t->m != 5) return;
    for (int i = planted(s, m, "R03") && t->year_on == zb_period_start(ZB_YEAR_UNIT, s->to, 0) ? 1 : 0; i < 5; i++)
        snprintf(rows + strlen(rows), sizeof rows - strlen(rows), "%s{'person':'@%s.p%d','present':true,'id_verified':true,'hours':16,'pass':true}",
                 rows[0] ? "," : "", m->key, i);
    snprintf(key, sizeof key, "%s.y%d", m->key, t->nth);
    say(s, past_at(d - 3, 8, m->i), "training", key, by(s, m, "head", "h"), "new",
        "'name':'主要负责人和五职矿长专题培训','kind':'%s','site':'@%s','organiser':'@%s','mode':'live','start_on':'%s','hours':16", "annual_special", m->key,
        s->body[m->body].key, dt(d));
    say(s, past_at(d + 1, 17, m->i), "training", key, by(s, m, "head", "h"), "hold", "'end_on':'%s','participants':[%s]", dt(d + 1), rows);
    say(s, past_at(d + 2, 9, m->i), "training", key, by(s, m, "head", "h"), "submit", "'submitted_on':'%s'", dt(d + 2));
    say(s, past_at(d + 4, 9, m->i), "training", key, by(s, m, "hazard_officer", "hz1"), "check", "'check_note':'合格'");
    if (t->year != 2024) return;
    snprintf(key, sizeof key, "%s.central", m->key);
    snprintf(rows, sizeof rows, "{'person':'@%s.p0','present':true,'id_verified':true,'hours':16,'pass':true}", m->key);
    say(s, past_at(d + 80, 8, m->i), "training", key, by(s, m, "head", "h"), "new",
        "'name':'主要负责人集中培训','kind':'central_class','site':'@%s','organiser':'@%s','mode':'live','start_on':'%s','hours':16", m->key,
        s->body[m->body].key, dt(d + 85));
    say(s, past_at(d + 87, 8, m->i), "training", key, by(s, m, "head", "h"), "hold", "'end_on':'%s','participants':[%s]", dt(d + 86),
        planted(s, m, "R03") && s->c.years == 1 ? "" : rows);
}

/* Texts with a known day of effect that are for this kind of mine, each in a class of its own; those older than the plan in its first weeks. */
static bool is_for(const struct list_item *it, const struct pmine *m) { return it->from > INT32_MIN && list_item_for(it, str_of(m->kind)); }
static void laws(struct past_sim *s, const struct pmine *m, const struct month *t) {
    for (int i = 0; i < s->p->lists; i++) {
        const struct code_list *l = &s->p->list[i];
        if (strcmp(l->key, "documents") != 0) continue;
        for (int k = 0; k < l->items; k++) {
            char key[60], more[80], rows[100];
            int32_t from = l->item[k].from, d = from + 12 < s->from + 40 ? s->from + 40 : from + 12;
            if (!is_for(&l->item[k], m) || d > l->item[k].to || d < t->first || d >= month_day(t->first, 1, 1)) continue;
            bool newest = true;
            for (int o = 0; o < l->items; o++) newest &= !is_for(&l->item[o], m) || l->item[o].from <= from || l->item[o].from + 61 > s->to;
            if (planted(s, m, "R16") && newest) continue;
            snprintf(key, sizeof key, "%s.law%d", m->key, k);
            snprintf(more, sizeof more, ",'laws':'%s'", l->item[k].key);
            snprintf(rows, sizeof rows, "{'person':'@%s.p0','present':true,'pass':true}", m->key);
            lesson(s, m, key, "law_study", "学法", d, 2, more, rows);
        }
    }
}

/* An unsafe act that was seen and settled: the score sheet of the month. */
static void unsafe_act(struct past_sim *s, const struct pmine *m, const struct month *t) {
    char key[40];
    int32_t d = t->first + 3 + m->i % 15;
    int who = planted(s, m, "R17") && s->to - t->first < 95 ? 15 : 12 + t->nth % 4;
    snprintf(key, sizeof key, "%s.u%d", m->key, t->nth);
    say(s, past_at(d, 9, m->i), "finding", key, own(m, "safety_manager"), "new",
        "'site':'@%s','source':'self','category':'unsafe_act','text':'未按规程操作被制止','found_on':'%s','person':'职工%d','severity':'general'", m->key,
        dt(d), who + 1);
    say(s, past_at(d, 10, m->i), "finding", key, own(m, "safety_manager"), "assign", "'deadline':'%s','measure':'停岗学习'", dt(d + 5));
    say(s, past_at(d + 2, 10, m->i), "finding", key, own(m, "five_post"), "rectify", "'measure':'停岗学习并考核','rectified_on':'%s'", dt(d + 2));
    say(s, past_at(d + 3, 10, m->i), "finding", key, own(m, "safety_manager"), "verify_own", "'verifier':'职工11'");
    say(s, past_at(d + 3, 11, m->i), "finding", key, own(m, "safety_manager"), "close", "'closed_on':'%s'", dt(d + 3));
}

static void half_year(struct past_sim *s, const struct pmine *m, const struct month *t) {
    char key[40];
    int32_t d = t->first + 15 + m->i % 7;
    if (t->m == 2 || t->m == 8 || t->m == 11)
        say(s, past_at(d, 16, m->i), "site", m->key, own(m, "safety_manager"), "edit",
            "'buildings':[{'name':'澡堂','kind':'bath','fire_ok':%s,'checked_on':'%s'}]", planted(s, m, "R102") && t->m == 11 ? "false" : "true", dt(d));
    if ((t->m != 4 && t->m != 9) || (planted(s, m, "R14") && zb_months(t->first, 6) > s->to)) return;
    snprintf(key, sizeof key, "%s.d%d", m->key, t->nth);
    say(s, past_at(t->first, 9, m->i), "drill", key, own(m, "safety_manager"), "new",
        "'site':'@%s','name':'井下撤离演练','kind':'evacuation','year':%d,'half':'%s','planned_on':'%s'", m->key, t->year, t->m < 7 ? "H1" : "H2", dt(d));
    say(s, past_at(d, 15, m->i), "drill", key, own(m, "safety_manager"), "hold",
        "'held_on':'%s','attended_n':120,'planned_n':120,'topics':'route exit self_rescuer','evac_min':28", dt(d));
    say(s, past_at(d + 2, 9, m->i), "drill", key, own(m, "principal"), "report", "'problems':'个别人员动作不熟练','score':90,'planned_n':120");
    say(s, past_at(d + 6, 9, m->i), "drill", key, by(s, m, "inspector", "i1"), "check", "'check_note':'属实'");
}

static void quarter(struct past_sim *s, const struct pmine *m, const struct month *t) {
    char key[40];
    int32_t d = t->first + 5 + m->i % 12;
    if (t->m % 3 == 1) {
        bool late = planted(s, m, "R98") && t->first > s->to - 100;
        snprintf(key, sizeof key, "%s.q%d", m->key, t->nth);
        say(s, past_at(t->first, 8, m->i), "filing", key, own(m, "principal"), "new",
            "'title':'重大隐患季度报告','kind':'quarter_hazard','site':'@%s','period':'%.7s','due_on':'%s'", m->key, dt(t->first), dt(t->first + 14));
        if (!late) {
            say(s, past_at(t->first + 10, 9, m->i), "filing", key, own(m, "principal"), "send", "'sent_at':'%s','signer':'职工1','major_n':0,'zero':true",
                tm(past_at(t->first + 10, 9, m->i)));
            say(s, past_at(t->first + 11, 9, m->i), "filing", key, by(s, m, "hazard_officer", "hz1"), "receive", "%s", "");
            say(s, past_at(t->first + 12, 9, m->i), "filing", key, by(s, m, "hazard_officer", "hz1"), "accept", "%s", "");
        }
        bool less = planted(s, m, "R96") && t->first > s->to - 100;
        snprintf(key, sizeof key, "%s.f%d", m->key, t->nth);
        say(s, past_at(d, 8, m->i), "fund", key, own(m, "principal"), "new", "'site':'@%s','kind':'safety_fund','period':'%.7s','due_amount':100,'planned':100",
            m->key, dt(t->first));
        say(s, past_at(d + 2, 8, m->i), "fund", key, own(m, "principal"), "draw", "'received':%d", less ? 40 : 105);
        say(s, past_at(d + 9, 8, m->i), "fund", key, own(m, "principal"), "pay", "'paid':%d,'use_code':'ventilation'", less ? 35 : 90);
    }
    if (t->m % 3 == 2) {
        struct check_way w = {.key = key, .day = d + 6, .plan = d + 6, .found_general = 1};
        snprintf(key, sizeof key, "%s.i%d", m->key, t->nth);
        check(s, m, &w);
    }
}

void mine_month(struct past_sim *s, struct pmine *m, int32_t first) {
    if (first == s->from) return; /* the files are made in the first month */
    struct month t = {.first = first, .year_on = zb_period_start(ZB_YEAR_UNIT, first, 0), .m = 1, .year = 2024};
    while (month_day(t.year_on, t.m, 1) <= first) t.m++;
    while (zb_period_start(ZB_YEAR_UNIT, s->from, t.year - 2024) < t.year_on) t.year++;
    t.nth = (t.year - 2024) * 12 + t.m;
    t.last = month_day(first, 1, 1) > s->to;
    t.last_but_one = !t.last && month_day(first, 2, 1) > s->to;
    selfcheck(s, m, &t);
    lessons(s, m, &t);
    special_class(s, m, &t);
    laws(s, m, &t);
    unsafe_act(s, m, &t);
    half_year(s, m, &t);
    quarter(s, m, &t);
    if (t.m == 7 && m->i % 4 == t.year % 4) { /* a major hazard of its own finding, settled in two weeks */
        char key[40];
        struct hazard_way w = {.key = key, .source = "self", .found = first + 4 + m->i % 9, .deadline = first + 34, .criterion = m->i + t.year};
        snprintf(key, sizeof key, "%s.h%d", m->key, t.nth);
        hazard(s, m, &w);
    }
}
