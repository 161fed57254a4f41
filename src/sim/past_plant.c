/* The planted cases: which rule at which mine, and what they add to its records. truth.jsonl names what a rule run on the last day should find. */
#include "sim/past.h"

enum where { ANY, UG, COAL, COAL_UG, NM, NM_UG, POND, BY_COUNTY, WORLD }; /* BY_COUNTY: the county supervises it */
static const struct {
    const char *rule, *also; /* also: another rule the same facts meet */
    enum where where;
    int years; /* seen only after so many */
} PLANT[] = {
    {"R01", "", ANY, 1},     {"R02", "", UG, 1},        {"R03", "", COAL, 1},         {"R04", "", UG, 1},    {"R05", "", ANY, 1},     {"R07", "", ANY, 1},
    {"R08", "", ANY, 1},     {"R09", "", ANY, 1},       {"R10", "", UG, 1},           {"R13", "", ANY, 1},   {"R14", "", ANY, 1},     {"R15", "", ANY, 1},
    {"R16", "", COAL, 1},    {"R17", "", ANY, 1},       {"R38", "", ANY, 1},          {"R39", "", ANY, 1},   {"R40", "", ANY, 1},     {"R41", "", ANY, 1},
    {"R42", "", ANY, 1},     {"R43", "", ANY, 1},       {"R44", "", ANY, 1},          {"R45", "", ANY, 1},   {"R46", "", ANY, 1},     {"R48", "", ANY, 1},
    {"R50", "", COAL, 1},    {"R51", "", NM, 1},        {"R52", "R05", ANY, 1},       {"R53", "", ANY, 1},   {"R54", "", ANY, 1},     {"R55", "", NM, 1},
    {"R56", "", NM, 1},      {"R57", "", NM, 2},        {"R58", "", NM_UG, 1},        {"R59", "", NM_UG, 1}, {"R60", "", NM_UG, 2},   {"R61", "R71", NM, 1},
    {"R62", "", NM_UG, 1},   {"R63", "", POND, 1},      {"R64", "", COAL, 1},         {"R65", "", COAL, 1},  {"R66", "", COAL_UG, 1}, {"R67", "", COAL_UG, 1},
    {"R68", "", COAL_UG, 1}, {"R69", "", COAL_UG, 1},   {"R70", "", POND, 1},         {"R71", "", COAL, 1},  {"R72", "", ANY, 1},     {"R73", "", ANY, 1},
    {"R75", "", COAL_UG, 1}, {"R76", "", ANY, 1},       {"R77", "", COAL, 1},         {"R78", "", ANY, 1},   {"R79", "", ANY, 1},     {"R80", "", ANY, 1},
    {"R82", "", ANY, 1},     {"R83", "", ANY, 1},       {"R84", "", ANY, 1},          {"R87", "", ANY, 1},   {"R90", "", ANY, 1},     {"R91", "", ANY, 1},
    {"R92", "", ANY, 1},     {"R93", "", COAL, 1},      {"R94", "", ANY, 1},          {"R95", "", ANY, 1},   {"R96", "", ANY, 1},     {"R97", "", ANY, 1},
    {"R98", "", ANY, 1},     {"R99", "", ANY, 1},       {"R101", "", ANY, 1},         {"R102", "", ANY, 1},  {"R06", "", WORLD, 1},   {"R11", "", WORLD, 1},
    {"R12", "", WORLD, 1},   {"R49", "", WORLD, 1},     {"R74", "", WORLD, 1},        {"R89", "", WORLD, 1}, {"R88", "", WORLD, 1},   {"R100", "", WORLD, 1},
    {"R85", "", ANY, 1},     {"R86", "", BY_COUNTY, 1}, {"R81", "R87", BY_COUNTY, 1}, {"R47", "", ANY, 2},   {"R28", "", ANY, 1}};
enum { PLANTS = sizeof PLANT / sizeof *PLANT };

static int plant_find(const char *rule) {
    for (int i = 0; i < PLANTS; i++)
        if (!strcmp(PLANT[i].rule, rule)) return i;
    ZB_BUG("no planted case of %s", rule);
}
bool planted(const struct past_sim *s, const struct pmine *m, const char *rule) {
    if (!m) return s->world >> (plant_find(rule) % 64) & 1;
    return m->planted == plant_find(rule) + 1;
}

static bool fits(const struct pmine *m, enum where w) {
    bool nm = !m->coal && strcmp(m->kind, "tailings") != 0;
    return w == ANY       ? strcmp(m->kind, "tailings") != 0
           : w == UG      ? m->ug
           : w == COAL    ? m->coal
           : w == COAL_UG ? m->coal && m->ug
           : w == NM      ? nm
           : w == NM_UG   ? nm && m->ug
                          : w == POND && !strcmp(m->kind, "tailings");
}

/* The hit names no mine: a tip-off of which it is not told, a county's numbers. */
static bool of_area(const char *rule) { return word_in("R47 R81 R94 R95", str_of(rule)); }
/* So many mines of one county make the case. */
static int together(const char *rule) { return strcmp(rule, "R47") ? 1 : 3; }

static bool takes(const struct past_sim *s, const struct pmine *m, int plant) {
    bool county = !strcmp(s->body[m->body].level, "county");
    return !m->planted && (PLANT[plant].where == BY_COUNTY ? county && fits(m, ANY) : fits(m, PLANT[plant].where));
}

/* So many mines of the same county that are free, the first of them at `first`; false: there are not so many. */
static bool together_take(struct past_sim *s, int plant, int first) {
    int at[8], n = 0, want = together(PLANT[plant].rule);
    for (int k = first; k < s->c.mines && n < want; k++)
        if (takes(s, &s->m[k], plant) && !strcmp(s->m[k].county, s->m[first].county)) at[n++] = k;
    for (int k = 0; k < n && n == want; k++) s->m[at[k]].planted = plant + 1;
    return n == want;
}

static void truth(struct past_sim *s, const char *rule, const char *mine) {
    buf_printf(&s->truth, "{\"rule\":\"%s\",\"mine\":\"%s\",\"on\":\"%s\"}\n", rule, mine, dt(s->to));
}

/* One planted case a mine, the first that fits and is free; a tenth of the mines stays clean. */
void plants_choose(struct past_sim *s) {
    int most = s->c.mines * 9 / 10, used = 0;
    int offset = (int)(past_rnd(s) % 7);
    for (int i = 0; i < PLANTS; i++) {
        if (PLANT[i].years > s->c.years || s->c.mines < 10) continue;
        if (PLANT[i].where == WORLD) {
            s->world |= (uint64_t)1 << (i % 64);
            truth(s, PLANT[i].rule, "");
            continue;
        }
        for (int k = 0; k < s->c.mines && used < most; k++) {
            struct pmine *m = &s->m[(k + offset) % s->c.mines];
            if (!takes(s, m, i) || !together_take(s, i, m->i)) continue;
            used++;
            truth(s, PLANT[i].rule, of_area(PLANT[i].rule) ? "" : m->code);
            if (PLANT[i].also[0]) truth(s, PLANT[i].also, m->code);
            break;
        }
    }
}

/* ---- what they add ---- */
static char *key_of(const struct pmine *m, const char *what) {
    static _Thread_local char key[60];
    snprintf(key, sizeof key, "%s.%s", m->key, what);
    return key;
}

static void people_plants(struct past_sim *s, struct pmine *m) {
    if (planted(s, m, "R04")) {
        say(s, past_at(s->from + 200, 9, m->i), "credential", key_of(m, "first"), "issuer iss.14 14", "new",
            "'number':'%s-first','kind':'special_op_cert','person':'@%s.p12','holder':'职工13','category':'瓦斯检查','first_issue':true,'edu_at_issue':'junior_"
            "high','issued_on':'%s','valid_to':'%s'",
            m->code, m->key, dt(s->from + 200), dt(s->from + 2300));
    } else if (planted(s, m, "R08") || planted(s, m, "R75")) {
        bool sent = planted(s, m, "R75");
        int32_t d = s->to - 200;
        say(s, past_at(d, 9, m->i), "person", key_of(m, "late"), own(m, "principal"), "new",
            "'name':'职工99','site':'@%s','post':'worker','edu':'senior_high','employ_type':'%s','card_no':'C99','hired_on':'%s','state':'active'", m->key,
            sent ? "dispatch" : "own", dt(d));
        if (sent) {
            say(s, past_at(d + 1, 9, m->i), "training", key_of(m, "newclass"), own(m, "safety_manager"), "new",
                "'name':'新工人培训','kind':'new_worker','site':'@%s','mode':'live','start_on':'%s','hours':72", m->key, dt(d + 2));
            say(s, past_at(d + 12, 9, m->i), "training", key_of(m, "newclass"), own(m, "safety_manager"), "hold",
                "'end_on':'%s','participants':[{'person':'@%s.late','present':true,'hours':72,'pass':true}]", dt(d + 12), m->key);
        }
    } else if (planted(s, m, "R07")) {
        int32_t d = s->to - 60;
        say(s, past_at(d, 9, m->i), "exam", key_of(m, "exam"), own(m, "safety_manager"), "new",
            "'name':'定期考试','kind':'periodic','site':'@%s','date':'%s','state':'held','takers':[{'person':'@%s.p13','score':90,'pass':true,'id_verified':"
            "false,"
            "'minutes':40,'camera_ok':true}]",
            m->key, dt(d), m->key);
    }
}

static void hazard_plants(struct past_sim *s, struct pmine *m) {
    char a[60], b[60];
    snprintf(a, sizeof a, "%s.ha", m->key);
    snprintf(b, sizeof b, "%s.hb", m->key);
    int32_t to = s->to;
    if (planted(s, m, "R40")) hazard(s, m, &(struct hazard_way){a, "self", to - 2, to + 20, to - 3, 1, false, false, false, false});
    if (planted(s, m, "R41")) hazard(s, m, &(struct hazard_way){a, "self", to - 40, to - 4, to, 1, false, false, false, false});
    if (planted(s, m, "R42")) {
        hazard(s, m, &(struct hazard_way){a, "county", to - 120, to - 90, 0, 1, true, true, false, false});
        hazard(s, m, &(struct hazard_way){b, "county", to - 70, to - 45, 0, 2, true, false, false, false});
    }
    if (planted(s, m, "R43")) {
        hazard(s, m, &(struct hazard_way){a, "self", to - 170, to - 140, 0, 3, false, false, false, false});
        hazard(s, m, &(struct hazard_way){b, "self", to - 60, to - 35, 0, 3, false, false, false, false});
    }
    if (planted(s, m, "R44")) hazard(s, m, &(struct hazard_way){a, "county", to - 10, to + 30, to, 1, false, false, false, false});
    if (planted(s, m, "R48")) hazard(s, m, &(struct hazard_way){a, "self", to - 30, to - 10, 0, 1, false, false, true, false});
    if (planted(s, m, "R86")) hazard(s, m, &(struct hazard_way){a, "city", to - 35, to - 12, 0, 1, .inquiry = true, .basic = true});
    for (int k = 0; k < 3 && planted(s, m, "R47"); k++) { /* three mines: three a year ago, six now */
        snprintf(a, sizeof a, "%s.h47%d", m->key, k);
        int32_t found = k ? to - 85 + (k - 1) * 40 : to - 425;
        hazard(s, m, &(struct hazard_way){a, "county", found, found + 30, 0, m->i + 2030 + k, .inquiry = true});
    }
    if (planted(s, m, "R45")) check(s, m, &(struct check_way){.key = a, .day = to - 20, .plan = to - 20, .found_major = 1});
}

/* The old one comes into the ledger when the ledger begins. */
static void old_hazard(struct past_sim *s, struct pmine *m) {
    if (!planted(s, m, "R46")) return;
    int32_t d = s->from + 5;
    char *k = key_of(m, "old");
    say(s, past_at(d, 9, m->i), "major_hazard", k, own(m, "safety_manager"), "new",
        "'site':'@%s','place':'一号井','criterion':'%s','source':'self','found_on':'2023-11-20','text':'存量重大事故隐患（演示）'", m->key,
        criterion_of(s, m, 1, d));
    say(s, past_at(d, 10, m->i), "major_hazard", k, by(s, m, "inspector", "i1"), "withdraw", "'stop_scope':'一号井','withdraw_at':'%s'",
        tm(past_at(d, 9.5, m->i)));
    say(s, past_at(d, 11, m->i), "major_hazard", k, own(m, "safety_manager"), "register",
        "'resp_person':'职工4','measures':'改造','fund_plan':500,'deadline':'%s','emergency_plan':'预案'", dt(s->to + 90));
    for (int i = 0; i < 2; i++)
        say(s, past_at(i ? s->to - 3 : s->from + 100, 9, m->i), "major_hazard", k, own(m, "safety_manager"), "note",
            "'notes':{'add':[{'day':'%s','text':'按方案推进'}]},'progress_pct':60,'fund_spent':200", dt(i ? s->to - 3 : s->from + 100));
}

static void approval(struct past_sim *s, struct pmine *m, const char *more) {
    say(s, past_at(s->to - 50, 9, m->i), "approval", key_of(m, "ap"), "issuer iss.14 14", "new", "'name':'项目审查','site':'@%s','received_on':'%s',%s", m->key,
        dt(s->to - 50), more);
}

static void access_plants(struct past_sim *s, struct pmine *m) {
    int32_t to = s->to;
    if (planted(s, m, "R50")) approval(s, m, "'kind':'expansion','site_kind':'coal_ug','capacity_kt':900,'life_y':20");
    if (planted(s, m, "R62")) approval(s, m, "'kind':'new','site_kind':'nm_ug','scale':'medium','life_y':12,'method':'caving','backfill_justified':false");
    if (planted(s, m, "R63")) approval(s, m, "'kind':'tailings_new','site_kind':'tailings','pond_grade':3,'dam_method':'one_time','overhead':false");
    if (planted(s, m, "R51")) {
        char *k = key_of(m, "ap");
        approval(s, m, "'kind':'safety_licence_first','site_kind':'nm_ug'");
        say(s, past_at(to - 45, 9, m->i), "approval", k, "issuer iss.14 14", "check", "'checklist':[{'item':'规模','result':'pass'}]");
        say(s, past_at(to - 44, 9, m->i), "approval", k, "issuer iss.14 14", "review", "%s", "");
        say(s, past_at(to - 40, 9, m->i), "approval", k, "issuer iss.14 14", "decide",
            "'decision':'approved','decided_on':'%s','decided_by':'省厅','review_note':'同意'", dt(to - 40));
        say(s, past_at(to - 39, 9, m->i), "approval", k, "issuer iss.14 14", "publish", "'doc_no':'晋安许1'");
        say(s, past_at(to - 30, 9, m->i), "approval", k, "nmsa n.14 14", "spot", "'spot_checked':true,'spot_result':'见说明'");
    }
    bool project = planted(s, m, "R61") || planted(s, m, "R71");
    if (project) {
        char *k = key_of(m, "proj");
        say(s, past_at(to - 300, 9, m->i), "project", k, own(m, "principal"), "new",
            "'name':'建设项目','site':'@%s','kind':'%s','due_on':'%s','milestones':[{'name':'主体工程','due_on':'%s'%s}]", m->key,
            planted(s, m, "R61") ? "tech_renovation" : "intelligent", dt(planted(s, m, "R61") ? to - 20 : to + 300),
            dt(planted(s, m, "R61") ? to + 200 : to - 15), "");
        say(s, past_at(to - 295, 9, m->i), "project", k, by(s, m, "head", "h"), "approve", "'design_no':'1'");
        say(s, past_at(to - 290, 9, m->i), "project", k, own(m, "principal"), "start", "'started_on':'%s'", dt(to - 290));
    }
    if (planted(s, m, "R65")) {
        char *k = key_of(m, "survey2");
        say(s, past_at(to - 90, 9, m->i), "survey", k, own(m, "principal"), "new", "'name':'补充区普查','scope':'mine','site':'@%s','due_on':'%s'", m->key,
            dt(to + 30));
        say(s, past_at(to - 70, 9, m->i), "survey", k, own(m, "principal"), "finish", "'done_on':'%s','range_years':5,'methods':'drilling','surveyor':'@geo'",
            dt(to - 70));
        say(s, past_at(to - 60, 9, m->i), "survey", k, by(s, m, "hazard_officer", "hz1"), "unclear",
            "'review_on':'%s','review_by':'专家组','quality':'unclear'", dt(to - 60));
    }
}

/* One of the phrases that R85 looks for. */
static const char *wording(const struct past_sim *s, int nth) {
    for (int i = 0; i < s->p->lists; i++)
        if (!strcmp(s->p->list[i].key, "hazard_words") && s->p->list[i].items) return s->p->list[i].item[nth % s->p->list[i].items].zh;
    return "";
}

static void case_plants(struct past_sim *s, struct pmine *m) {
    char k[60];
    int32_t to = s->to;
    snprintf(k, sizeof k, "%s.case", m->key);
    if (planted(s, m, "R53")) penalty(s, m, k, to - 60, "illegal_mining", "'orders':'correct'", "deliver");
    if (planted(s, m, "R80"))
        penalty(s, m, k, to - 60, "monitor_fraud",
                "'serious':true,'serious_reason':'情节严重','penalties':[{'target':'enterprise','kind':'fine','amount':200000,'low':100000,'high':300000,'in_"
                "range':true,'reason':'裁量'}]",
                NULL);
    if (planted(s, m, "R13")) check(s, m, &(struct check_way){.key = k, .day = to - 20, .plan = to - 20, .no_quiz = true, .until = "sign"});
    if (planted(s, m, "R83")) check(s, m, &(struct check_way){.key = k, .day = to - 20, .plan = to - 18});
    if (planted(s, m, "R84")) check(s, m, &(struct check_way){.key = k, .day = to - 40, .plan = to - 40, .recheck = to - 10, .found_general = 1});
    if (planted(s, m, "R87")) check(s, m, &(struct check_way){.key = k, .day = to - 40, .plan = to - 40, .serious = 1});
    if (planted(s, m, "R81")) { /* all in one quarter, one of them serious, and no case */
        int32_t q = zb_period_start(ZB_QUARTER_UNIT, to, -1);
        for (int i = 0; i < 5; i++) {
            char c[70];
            snprintf(c, sizeof c, "%s.q%d", m->key, i);
            check(s, m, &(struct check_way){.key = c, .day = q + 6 + 17 * i, .plan = q + 6 + 17 * i, .serious = i == 3});
        }
    }
    if (planted(s, m, "R85")) {
        say(s, past_at(to - 25, 9, m->i), "finding", k, by(s, m, "inspector", "i1"), "new",
            "'site':'@%s','source':'county','category':'management','text':'现场检查时采区处于%s状态','found_on':'%s','severity':'general'", m->key,
            wording(s, m->i), dt(to - 25));
        say(s, past_at(to - 25, 10, m->i), "finding", k, by(s, m, "inspector", "i1"), "assign", "'deadline':'%s'", dt(to - 15));
        say(s, past_at(to - 20, 9, m->i), "finding", k, own(m, "safety_manager"), "rectify", "'measure':'已整改','rectified_on':'%s'", dt(to - 20));
        say(s, past_at(to - 18, 9, m->i), "finding", k, by(s, m, "inspector", "i2"), "verify", "'verifier':'检查员'");
        say(s, past_at(to - 18, 10, m->i), "finding", k, by(s, m, "inspector", "i2"), "close", "'closed_on':'%s'", dt(to - 18));
    }
    if (planted(s, m, "R82"))
        say(s, past_at(to - 5, 9, m->i), "clue", k, "officer o.14 14", "new",
            "'site':'@%s','rule':'X01','raised_at':'%s','score':0.5,'reason':'用电与停产状态不符'", m->key, tm(past_at(to - 5, 8, m->i)));
    if (planted(s, m, "R72")) {
        say(s, past_at(to - 30, 9, m->i), "finding", k, by(s, m, "inspector", "i1"), "new",
            "'site':'@%s','source':'county','category':'device','text':'仍在使用淘汰设备','found_on':'%s','severity':'general'", m->key, dt(to - 30));
        say(s, past_at(to - 30, 10, m->i), "finding", k, by(s, m, "inspector", "i1"), "assign", "'deadline':'%s'", dt(to - 10));
    }
    if (planted(s, m, "R54") || planted(s, m, "R93")) {
        bool early = planted(s, m, "R93");
        say(s, past_at(to - 100, 9, m->i), "suspension", k, by(s, m, "head", "h"), "new",
            "'site':'@%s','cause':'rectify','reason':'责令停产整顿','scope':'%s','ordered_on':'%s','deadline':'%s'", m->key, early ? "part" : "all",
            dt(to - 100), dt(early ? to + 10 : to - 20));
        say(s, past_at(to - 98, 9, m->i), "suspension", k, own(m, "principal"), "start", "'plan':'整顿方案'");
        grade_reset(s, m, to - 100, early);
        if (!early) return;
        say(s, past_at(to - 60, 9, m->i), "suspension", k, own(m, "principal"), "apply", "'apply_on':'%s'", dt(to - 60));
        say(s, past_at(to - 58, 9, m->i), "suspension", k, by(s, m, "head", "h"), "begin_accept", "'accept_team':'甲、乙'");
        for (int i = 0; i < 2; i++)
            say(s, past_at(to - 55, 9 + i, m->i), "suspension", k, by(s, m, "inspector", i ? "i2" : "i1"), "accept",
                "'accept_on':'%s','accept_result':'合格','accept_signers':'甲、乙','accept_items':[{'item':'通风','result':'pass'}]", dt(to - 40));
        say(s, past_at(to - 54, 9, m->i), "suspension", k, by(s, m, "head", "h"), "sign", "'dept_signed_on':'%s'", dt(to - 54));
        say(s, past_at(to - 53, 9, m->i), "suspension", k, "nmsa n.14 14", "agree", "'nmsa_signed_on':'%s'", dt(to - 53));
        say(s, past_at(to - 52, 9, m->i), "suspension", k, by(s, m, "leader", "gov"), "resume", "'gov_signed_on':'%s','resumed_on':'%s'", dt(to - 52),
            dt(to - 52));
    }
}

static void accident_plants(struct past_sim *s, struct pmine *m) {
    char k[60];
    int32_t to = s->to;
    snprintf(k, sizeof k, "%s.acc", m->key);
    int32_t d = planted(s, m, "R92") ? to - 100 : to - 20;
    if (planted(s, m, "R90") || planted(s, m, "R91") || planted(s, m, "R92")) {
        double late = planted(s, m, "R90") ? 4 : 0.5;
        say(s, past_at(d, 15, m->i), "accident", k, own(m, "principal"), "new",
            "'site':'@%s','at':'%s','place':'1101','informed_at':'%s','reported_at':'%s','class':'%s','kind':'roof','injured':1,'deaths':0,'danger_reason':'"
            "被困人员3名以上'",
            m->key, tm(past_at(d, 8, m->i)), tm(past_at(d, 8.1, m->i)), tm(past_at(d, 8.1 + late, m->i)), planted(s, m, "R91") ? "danger" : "general");
        if (!planted(s, m, "R92")) return;
        say(s, past_at(d, 16, m->i), "accident", k, by(s, m, "hazard_officer", "hz1"), "verify", "%s", "");
        say(s, past_at(d + 1, 9, m->i), "accident", k, by(s, m, "head", "h"), "inquire", "'inquiry_level':'county','due_on':'%s'", dt(d + 60));
    }
    if (planted(s, m, "R94") || planted(s, m, "R95")) {
        bool reward = planted(s, m, "R95");
        const char *office = "tip_office tip.14 14";
        d = to - (reward ? 100 : 30);
        say(s, past_at(d, 9, m->i), "tipoff", k, office, "new",
            "'subject':'举报','channel':'phone','received_at':'%s','region':'%s','site':'@%s','content':'演示内容','names_officers':false,'real_name':true",
            tm(past_at(d, 8, m->i)), m->county, m->key);
        if (!reward) return;
        say(s, past_at(d + 1, 9, m->i), "tipoff", k, office, "accept", "'accept_on':'%s'", dt(d + 1));
        say(s, past_at(d + 2, 9, m->i), "tipoff", k, office, "refer", "'refer_note':'核查要点','verify_by':'省局','refer_to':'i1.14'");
        say(s, past_at(d + 9, 9, m->i), "tipoff", k, office, "verified", "'verify_on':'%s','verify_result':'true'", dt(d + 9));
        say(s, past_at(d + 15, 9, m->i), "tipoff", k, office, "handle", "'handle_on':'%s','handle_result':'已处理'", dt(d + 15));
        say(s, past_at(d + 20, 9, m->i), "tipoff", k, office, "feedback", "'feedback_on':'%s'", dt(d + 20));
        say(s, past_at(d + 25, 9, m->i), "tipoff", k, "head h.14 14", "reward", "'reward_decided_on':'%s','reward_amount':5000", dt(d + 25));
    }
}

static void office_plants(struct past_sim *s, struct pmine *m) {
    char k[60];
    int32_t to = s->to;
    snprintf(k, sizeof k, "%s.off", m->key);
    if (planted(s, m, "R97")) {
        say(s, past_at(to - 200, 9, m->i), "task", k, "working_team w.14 14", "new",
            "'code':'T08.1','level':'enterprise','site':'@%s','title':'专项任务','lead':'企业','start_on':'%s','due_on':'%s'", m->key, dt(to - 200),
            dt(to - 5));
        say(s, past_at(to - 199, 9, m->i), "task", k, "working_team w.14 14", "publish", "%s", "");
        say(s, past_at(to - 198, 9, m->i), "task", k, "working_team w.14 14", "open", "%s", "");
        say(s, past_at(to - 20, 9, m->i), "task", k, own(m, "principal"), "entry", "'entries':[{'on_day':'%s','pct':80,'text':'推进'}],'progress_pct':80",
            dt(to - 20));
    }
    if (planted(s, m, "R99")) {
        say(s, past_at(to - 40, 9, m->i), "measure", k, "working_team w.14 14", "new",
            "'kind':'E02','site':'@%s','basis':'督促整改','text':'请整改并回复','reply_days':10", m->key);
        say(s, past_at(to - 39, 9, m->i), "measure", k, "hazard_officer hz.14 14", "check", "'checked_by':'核稿人'");
        say(s, past_at(to - 38, 9, m->i), "measure", k, "head h.14 14", "approve", "'signed_name':'签发人'");
        say(s, past_at(to - 37, 9, m->i), "measure", k, "working_team w.14 14", "issue", "'doc_no':'督1','issued_on':'%s','sealed_on':'%s','reply_due':'%s'",
            dt(to - 37), dt(to - 37), dt(to - 25));
    }
    if (planted(s, m, "R76"))
        say(s, past_at(to - 60, 9, m->i), "contract", k, own(m, "principal"), "new",
            "'site':'@%s','name':'检修合同','contractor':'@digger','kind':'repair','from_on':'%s','to_on':'%s','subcontract_of':null,'persons_n':5", m->key,
            dt(to - 60), dt(to + 100));
    if (planted(s, m, "R73"))
        say(s, past_at(to - 90, 9, m->i), "service_report", k, "head h.14 14", "new",
            "'org':'@lab','site':'@%s','kind':'testing','doc_no':'JC%s','issued_on':'%s','signers':'丁','site_days':0,'conclusion':'合格'", m->key, m->code,
            dt(to - 92));
}

void plant_late(struct past_sim *s, struct pmine *m) {
    if (!m->planted) return;
    people_plants(s, m);
    hazard_plants(s, m);
    old_hazard(s, m);
    access_plants(s, m);
    case_plants(s, m);
    accident_plants(s, m);
    office_plants(s, m);
}
