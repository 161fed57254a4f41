/* The life of one mine: what it files at the beginning, and month by month. A planted fault is a branch where the life goes otherwise. */
#include "sim/past.h"

enum { POSTS = 16 };
static const struct {
    const char *post, *section;
} POST[POSTS] = {{"principal", ""},
                 {"chief_engineer", ""},
                 {"dep_safety", ""},
                 {"dep_production", ""},
                 {"dep_mech", ""},
                 {"section_tech", "technical"},
                 {"section_tech", "ventilation"},
                 {"section_tech", "mechanical"},
                 {"section_tech", "geology"},
                 {"section_tech", "safety"},
                 {"safety_mgr", ""},
                 {"special_op", ""},
                 {"special_op", ""},
                 {"worker", ""},
                 {"worker", ""},
                 {"worker", ""}};

/* A certificate and its renewals; lapse: none after this day. subject: "'person':'@k'". */
static void licence(struct past_sim *s, const struct pmine *m, const char *name, const char *kind, const char *subject, int32_t issued, int months,
                    int32_t lapse) {
    for (int k = 0;; k++) {
        char key[60], old[60];
        int32_t valid = zb_months(issued, months);
        snprintf(key, sizeof key, "%s.%s.%d", m->key, name, k);
        snprintf(old, sizeof old, "%s.%s.%d", m->key, name, k - 1);
        int32_t day = issued < s->from + 3 ? s->from + 3 : issued;
        if (lapse && valid > lapse && issued < lapse) valid = lapse;
        say(s, past_at(day, 11, m->i), "credential", key, "issuer iss.14 14", "new", "'number':'%s-%s-%d','kind':'%s',%s,'issued_on':'%s','valid_to':'%s'%s",
            m->code, name, k, kind, subject, dt(issued), dt(valid), strcmp(kind, "special_op_cert") ? "" : ",'first_issue':false");
        if (k) say(s, past_at(day, 12, m->i), "credential", old, "issuer iss.14 14", "renew", "%s", "");
        if (valid > s->to + 120 || (lapse && valid >= lapse)) return;
        issued = valid - 110;
    }
}

static void site(struct past_sim *s, const struct pmine *m) {
    int32_t d = s->from + 2;
    char more[600] = "";
    bool nm = !m->coal && strcmp(m->kind, "tailings") != 0;
    if (m->coal)
        snprintf(more, sizeof more, ",'capacity_kt':%d,'gas':'%s','hydro':'medium','fire':'prone','burst':'none','shift_max_n':160,'ug_quota_n':280",
                 1200 + m->i % 5 * 600, m->i % 3 ? "low" : "high");
    if (nm)
        snprintf(
            more, sizeof more,
            ",'capacity_kt':%d,'scale':'%s','life_y':%d,'levels_n':%d,'depth_m':%d,'mech_scaling':%s,'shaft_depth_m':%d,'cage_device':%s,'min_distance_m':%d",
            260, "medium", planted(s, m, "R57") ? 3 : 12, planted(s, m, "R58") ? 5 : 2, planted(s, m, "R59") ? 900 : 300,
            planted(s, m, "R59") ? "false" : "true", planted(s, m, "R60") ? 100 : 40, planted(s, m, "R60") ? "false" : "true",
            planted(s, m, "R56") ? 120 : 800);
    if (!strcmp(m->kind, "tailings"))
        snprintf(more, sizeof more, ",'pond_grade':4,'dam_method':'one_time','overhead':false,'final_level':%s,'discharging':true,'has_operator':true",
                 planted(s, m, "R70") ? "true" : "false");
    char owner[40], head[80];
    snprintf(owner, sizeof owner, "own%d", m->i + 1);
    snprintf(head, sizeof head, "head h.%s %s", m->county, m->county);
    say(s, past_at(s->from + 1, 15, m->i), "org", owner, "head h.14 14", "new",
        "'code':'91%s00%05dX','name':'示范矿业%d公司','kind':'enterprise','region':'%s','state':'active'%s", m->county, m->i + 1, m->i + 1, m->county,
        m->i % 3 ? "" : ",'parent':'@group'");
    const char *level = s->body[m->body].level;
    say(s, past_at(d, 8, m->i), "site", m->key, head, "new",
        "'code':'%s','name':'示范%d矿','kind':'%s','county':'%s','sup_level':'%s','org':'@%s','reserves_kt':%d,'file_on':'2023-06-01','state':'producing','"
        "buildings':[{'name':'澡堂','kind':'bath','fire_ok':true,"
        "'checked_on':'%s'}]%s",
        m->code, m->i + 1, m->kind, m->county, level, owner, planted(s, m, "R55") ? 0 : 20000, dt(d), more);
}

static void people(struct past_sim *s, const struct pmine *m) {
    int32_t d = s->from + 3;
    char key[40], subject[60], name[20];
    for (int i = 0; i < POSTS; i++) {
        bool low = planted(s, m, "R01") && i == 4, young = planted(s, m, "R02") && i == 7;
        snprintf(key, sizeof key, "%s.p%d", m->key, i);
        say(s, past_at(d, 8 + i * 0.05, m->i), "person", key, own(m, "principal"), "new",
            "'name':'职工%d','site':'@%s','org':'@own%d','post':'%s'%s%s%s,'edu':'%s','major':'采矿','major_ok':true,'graduated':true,'front_years':%d,'employ_"
            "type':'own','hired_on':'2018-07-01','state':'active'",
            i + 1, m->key, m->i + 1, POST[i].post, POST[i].section[0] ? ",'section':'" : "", POST[i].section, POST[i].section[0] ? "'" : "",
            low       ? "senior_high"
            : i >= 11 ? "senior_high"
                      : "bachelor",
            young ? 2 : 14);
        snprintf(subject, sizeof subject, "'person':'@%s','holder':'职工%d'", key, i + 1);
        snprintf(name, sizeof name, "c%d", i);
        int32_t issued = s->from - 40 - (m->i * 7 + i * 13) % 500;
        if (i == 0) licence(s, m, name, "principal_cert", subject, issued, 36, 0);
        if (i == 10) licence(s, m, name, "safety_mgr_cert", subject, issued, 36, 0);
        if (i == 11 || i == 12) licence(s, m, name, "special_op_cert", subject, issued, 72, planted(s, m, "R05") && i == 12 ? s->to + 20 : 0);
    }
    snprintf(subject, sizeof subject, "'site':'@%s'", m->key);
    if (strcmp(m->kind, "tailings") != 0) licence(s, m, "mine", "mining_licence", subject, s->from - 900 - m->i % 300, 120, 0);
    licence(s, m, "safe", "safety_licence", subject, s->from - 60 - m->i * 11 % 700, 36, planted(s, m, "R52") ? s->to - 15 : 0);
}

static void setup(struct past_sim *s, const struct pmine *m, const char *kind, const char *title, int32_t valid) {
    char key[60];
    int32_t d = s->from + 4;
    snprintf(key, sizeof key, "%s.%s", m->key, kind);
    say(s, past_at(d, 8, m->i), "setup", key, own(m, "principal"), "new", "'site':'@%s','kind':'%s','title':'%s','staff_n':6%s%s%s", m->key, kind, title,
        valid ? ",'valid_to':'" : "", valid ? dt(valid) : "", valid ? "'" : "");
    say(s, past_at(d, 9, m->i), "setup", key, own(m, "principal"), "issue", "'issued_on':'%s','head':'职工3'", dt(d));
}

static void survey(struct past_sim *s, const struct pmine *m) {
    int32_t d = s->from + 60 + m->i % 60;
    char key[40], seen[120];
    snprintf(key, sizeof key, "%s.survey", m->key);
    say(s, past_at(s->from + 6, 8, m->i), "survey", key, own(m, "principal"), "new",
        "'name':'隐蔽致灾因素普查','scope':'mine','site':'@%s','due_on':'2024-06-30'", m->key);
    if (planted(s, m, "R64")) return;
    say(s, past_at(d, 9, m->i), "survey", key, own(m, "principal"), "finish",
        "'done_on':'%s','range_years':5,'methods':'geophysics drilling','surveyor':'@geo'", dt(d));
    snprintf(seen, sizeof seen, "'review_on':'%s','review_by':'专家组'", dt(d + 10));
    for (int k = 0; k < 2; k++)
        say(s, past_at(d + 10, 9 + k, m->i), "survey", key, by(s, m, "hazard_officer", k ? "hz2" : "hz1"), "review", "%s,'quality':'clear','valid_to':'%s'",
            seen, dt(s->to + 900));
}

static void graded(struct past_sim *s, const struct pmine *m) {
    int32_t d = s->from + 30 + m->i % 20;
    char key[40];
    snprintf(key, sizeof key, "%s.grade", m->key);
    say(s, past_at(d, 8, m->i), "disaster_grade", key, own(m, "principal"), "new", "'site':'@%s','disaster':'gas','appraise_due':'%s','survey_grade':3", m->key,
        dt(planted(s, m, "R67") ? s->to - 10 : s->to + 200));
    say(s, past_at(d + 1, 8, m->i), "disaster_grade", key, own(m, "principal"), "commission", "'appraiser':'@lab'");
    say(s, past_at(d + 10, 8, m->i), "disaster_grade", key, own(m, "principal"), "appraise", "'appraised_on':'%s','result':'三级'", dt(d + 10));
    say(s, past_at(d + 15, 8, m->i), "disaster_grade", key, "head h.14 14", "label", "'assigned_grade':3,'labelled_on':'%s','label_by':'省局'", dt(d + 15));
    if (planted(s, m, "R66")) say(s, past_at(d + 16, 8, m->i), "disaster_grade", key, own(m, "principal"), "edit", "'survey_grade':2");
    say(s, past_at(d + 20, 8, m->i), "disaster_grade", key, own(m, "principal"), "fortify", "'measures':'按三级设防','fortified':true,'fortified_on':'%s'",
        dt(d + 20));
    for (int k = 0; k < 2; k++)
        say(s, past_at(d + 25, 8 + k, m->i), "disaster_grade", key, by(s, m, "hazard_officer", k ? "hz2" : "hz1"), "verify",
            "'verified_on':'%s','verify_note':'符合'", dt(d + 25));
    char f[40];
    snprintf(f, sizeof f, "%s.factor", m->key);
    say(s, past_at(s->from + 130, 8, m->i), "factor", f, own(m, "principal"), "new",
        "'site':'@%s','name':'采空区','survey':'@%s.survey','kind':'goaf','found_on':'%s'", m->key, m->key, dt(s->from + 125));
    say(s, past_at(s->from + 132, 8, m->i), "factor", f, own(m, "five_post"), "assess", "'risk':'larger'");
    int32_t due = planted(s, m, "R68") ? s->to - 12 : s->from + 260;
    say(s, past_at(s->from + 140, 8, m->i), "factor", f, own(m, "five_post"), "plan", "'plan':'注浆充填','treat_due':'%s'", dt(due));
    say(s, past_at(s->from + 150, 8, m->i), "factor", f, own(m, "five_post"), "treat", "%s", "");
    if (planted(s, m, "R68")) return;
    say(s, past_at(s->from + 220, 8, m->i), "factor", f, own(m, "principal"), "treated", "'treated_on':'%s','proof':'验收报告'", dt(s->from + 220));
    say(s, past_at(s->from + 230, 8, m->i), "factor", f, by(s, m, "hazard_officer", "hz1"), "confirm", "'monitor_note':'正常'");
}

static void standing(struct past_sim *s, const struct pmine *m) {
    char key[40];
    int32_t d = s->from + 8;
    snprintf(key, sizeof key, "%s.std", m->key);
    say(s, past_at(d, 8, m->i), "stdgrade", key, own(m, "principal"), "new", "'site':'@%s','standard':'%s','applied_on':'%s'", m->key,
        m->coal ? "coal" : m->kind, dt(d));
    say(s, past_at(d + 10, 8, m->i), "stdgrade", key, by(s, m, "hazard_officer", "hz1"), "review", "'score':88,'assessed_on':'%s'", dt(d + 10));
    say(s, past_at(d + 20, 8, m->i), "stdgrade", key, by(s, m, "head", "h"), "grant", "'level':%d,'granted_on':'%s','valid_to':'%s'",
        planted(s, m, "R77") ? 3 : 2, dt(d + 20), dt(s->to + 400));
    snprintf(key, sizeof key, "%s.check", m->key);
    if (!planted(s, m, "R78")) {
        say(s, past_at(s->from + 90, 8, m->i), "selfcheck", key, own(m, "principal"), "new",
            "'site':'@%s','kind':'checkup','period':'2024-05','due_on':'2024-06-30'", m->key);
        say(s, past_at(s->from + 120, 8, m->i), "selfcheck", key, own(m, "principal"), "submit",
            "'major_n':0,'general_n':3,'zero':true,'submitted_at':'%s','lead':'@%s.p0','technicians':'职工6、职工7'", tm(past_at(s->from + 120, 8, m->i)),
            m->key);
        say(s, past_at(s->from + 121, 8, m->i), "selfcheck", key, by(s, m, "hazard_officer", "hz1"), "receive", "%s", "");
        say(s, past_at(s->from + 122, 8, m->i), "selfcheck", key, by(s, m, "hazard_officer", "hz1"), "accept", "%s", "");
    }
    static const char *const DUTY[] = {"guard", "liaison"};
    for (int k = 0; k < 2; k++) {
        if (k == 0 && planted(s, m, "R79")) continue;
        snprintf(key, sizeof key, "%s.%s", m->key, DUTY[k]);
        say(s, past_at(d, 10, m->i), "duty", key, by(s, m, "head", "h"), "new", "'kind':'%s','site':'@%s','matter':'%s','raised_on':'%s'", DUTY[k], m->key,
            k ? "联系指导" : "包保盯守", dt(d));
        say(s, past_at(d + 1, 10, m->i), "duty", key, by(s, m, "head", "h"), "propose", "'lead':'@%s','lead_name':'监管部门'", s->body[m->body].key);
        say(s, past_at(d + 2, 10, m->i), "duty", key, by(s, m, "head", "h2"), "decide", "'decided_on':'%s','lead_name':'监管部门'", dt(d + 2));
        say(s, past_at(d + 3, 10, m->i), "duty", key, by(s, m, "head", "h2"), "begin", "'holder_name':'检查员'");
    }
}

static int column_of(const struct code_table *t, const char *key) {
    for (int i = 0; i < t->columns; i++)
        if (!strcmp(t->column[i].key, key)) return i;
    ZB_BUG("table %s has no column %s", t->key, key);
}

/* What the mine must send it sends: one device a stream that the policy requires of its kind. */
static void devices(struct past_sim *s, const struct pmine *m) {
    static const struct {
        const char *stream, *kind;
    } KIND[] = {{"ST01", "gas"},    {"ST02", "positioning"}, {"ST03", "air"},      {"ST04", "power"},       {"ST07", "camera"},
                {"ST08", "e_seal"}, {"ST09", "slope"},       {"ST10", "tailings"}, {"ST11", "microseismic"}};
    const struct code_table *t = NULL;
    for (int i = 0; i < s->p->tables; i++)
        if (!strcmp(s->p->table[i].key, "required_streams")) t = &s->p->table[i];
    for (int r = 0; t && r < t->rows; r++) {
        const char **row = &t->cell[r * t->columns], *stream = row[column_of(t, "stream")], *kind = NULL;
        char key[60];
        for (size_t i = 0; i < sizeof KIND / sizeof *KIND; i++)
            if (!strcmp(KIND[i].stream, stream)) kind = KIND[i].kind;
        if (!kind || strcmp(row[column_of(t, "kind")], m->kind) || strcmp(row[column_of(t, "device")], "true")) continue;
        if (!strcmp(stream, "ST04") && planted(s, m, "R28")) continue;
        snprintf(key, sizeof key, "%s.%s", m->key, stream);
        int32_t d = s->from + 6;
        say(s, past_at(d, 9, m->i + r), "device", key, own(m, "safety_manager"), "new", "'name':'%s','site':'@%s','kind':'%s','stream':'%s','interval_s':60",
            row[column_of(t, "zh")], m->key, kind, stream);
        say(s, past_at(d + 1, 9, m->i + r), "device", key, own(m, "safety_manager"), "install", "%s", "");
        say(s, past_at(d + 2, 10, m->i + r), "device", key, by(s, m, "hazard_officer", "hz"), "accept", "'accepted_on':'%s'", dt(d + 2));
    }
}

void mine_begin(struct past_sim *s, struct pmine *m) {
    site(s, m);
    devices(s, m);
    people(s, m);
    setup(s, m, "safety_dept", "安全管理机构", 0);
    setup(s, m, "responsibility_system", "安全生产责任体系", 0);
    setup(s, m, "rule_set", "安全规章制度", 0);
    setup(s, m, "equipment_lifecycle", "设备全生命周期管理制度", 0);
    setup(s, m, "rescue_agreement", "矿山救护协议", planted(s, m, "R15") ? s->to - 40 : s->to + 400);
    if (!m->coal && strcmp(m->kind, "tailings") != 0) setup(s, m, "mining_team", "自有采掘队伍", 0);
    if (m->graded) {
        setup(s, m, "disaster_dept", "灾害防治机构", 0);
        setup(s, m, "disaster_rules", "灾害防治制度", 0);
        if (!planted(s, m, "R69")) setup(s, m, "disaster_team", "灾害防治队伍", 0);
        graded(s, m);
    }
    if (strcmp(m->kind, "tailings") != 0) survey(s, m);
    standing(s, m);
}
