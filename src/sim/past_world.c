/* The bodies of the province: regulators with their officers and cards, third parties, a training body, a contractor; and what they do year by year. */
#include "sim/past.h"
#include <stdlib.h>

static const char *const KINDS[] = {"coal_ug", "coal_open", "nm_ug", "nm_open", "tailings"};

/* Counties that have mines, cities above them, the province. */
static void bodies_make(struct past_sim *s) {
    int counties = s->c.mines / 9 + 3, all = 0, used = 0;
    for (int i = 0; i < s->p->regions; i++) all += strcmp(s->p->region[i].code + 4, "00") != 0;
    if (counties > all) counties = all;
    s->body = xcalloc((size_t)counties * 2 + 2, sizeof *s->body);
    snprintf(s->body[s->bodies++].area, 8, "14");
    for (int i = 0, k = 0; i < s->p->regions && used < counties; i++) { /* evenly over the list */
        const char *code = s->p->region[i].code;
        char city[8];
        if (!strcmp(code + 4, "00") || (int64_t)k++ * counties / all < used) continue;
        used++;
        snprintf(city, sizeof city, "%.4s", code);
        bool there = false;
        for (int b = 0; b < s->bodies; b++) there |= !strcmp(s->body[b].area, city);
        if (!there) snprintf(s->body[s->bodies++].area, 8, "%s", city);
        snprintf(s->body[s->bodies++].area, 8, "%.6s", code);
    }
    for (int b = 0; b < s->bodies; b++) {
        struct pbody *x = &s->body[b];
        snprintf(x->level, sizeof x->level, "%s", strlen(x->area) == 2 ? "province" : strlen(x->area) == 4 ? "city" : "county");
        snprintf(x->key, sizeof x->key, "reg%s", x->area);
        x->officers = 2;
    }
}

static void mines_place(struct past_sim *s) {
    int county[400], n = 0;
    for (int b = 0; b < s->bodies; b++)
        if (!strcmp(s->body[b].level, "county") && n < 400) county[n++] = b;
    for (int i = 0; i < s->c.mines; i++) {
        struct pmine *m = &s->m[i];
        int b = county[i % n], r = i % 20;
        m->i = i;
        snprintf(m->county, sizeof m->county, "%s", s->body[b].area);
        snprintf(m->code, sizeof m->code, "%s9%05d", m->county, i + 1);
        snprintf(m->key, sizeof m->key, "m%d", i + 1);
        snprintf(m->kind, sizeof m->kind, "%s", r < 13 ? "coal_ug" : r == 13 ? "coal_open" : r < 17 ? "nm_ug" : r < 19 ? "nm_open" : "tailings");
        m->ug = strstr(m->kind, "_ug") != NULL;
        m->coal = !strncmp(m->kind, "coal", 4);
        m->graded = !strcmp(m->kind, "coal_ug");
        s->body[b].mines++;
        m->body = b;
        for (int k = 0; k < s->bodies && i % 10 >= 7; k++) /* some are supervised by the city, a few by the province */
            if (i % 10 == 9 ? !strcmp(s->body[k].area, "14") : strlen(s->body[k].area) == 4 && !strncmp(s->body[k].area, m->county, 4)) m->body = k;
    }
    for (int b = 0; b < s->bodies; b++)
        if (!strcmp(s->body[b].level, "county")) s->body[b].officers += s->body[b].mines / 5;
}

static void region_of(const struct pbody *b, char out[8]) {
    snprintf(out, 8, "%s%s", b->area, strlen(b->area) == 2 ? "0000" : strlen(b->area) == 4 ? "00" : "");
}

static void regulator(struct past_sim *s, const struct pbody *b, int salt) {
    char region[8], who[80], key[60];
    int32_t d = s->from + 1;
    region_of(b, region);
    snprintf(who, sizeof who, "head h.%s %s", b->area, b->area);
    say(s, past_at(d, 8, salt), "org", b->key, who, "new",
        "'code':'11%sMB00001','name':'%s矿山安全监管部门','kind':'regulator','level':'%s','region':'%s','state':'active'", region, region, b->level, region);
    snprintf(key, sizeof key, "cancel%s", b->area);
    say(s, past_at(d, 9, salt), "setup", key, who, "new", "'org':'@%s','kind':'mechanism','mechanism':'cancel_system','title':'重大隐患整改销号制度'", b->key);
    say(s, past_at(d, 10, salt), "setup", key, who, "issue", "'issued_on':'%s','head':'负责人'", dt(d));
    for (int i = 0; i < b->officers; i++) {
        snprintf(key, sizeof key, "off%s.%d", b->area, i);
        say(s, past_at(d, 11, salt + i), "person", key, who, "new", "'name':'检查员%s%d','org':'@%s','post':'inspector','state':'active'", b->area, i, b->key);
        char card[60], issuer[60];
        snprintf(card, sizeof card, "card%s.%d", b->area, i);
        snprintf(issuer, sizeof issuer, "issuer iss.%s %s", b->area, b->area);
        say(s, past_at(d, 12, salt + i), "credential", card, issuer, "new",
            "'number':'ZF%s%d','kind':'enforcement_cert','person':'@%s','holder':'检查员%s%d','issued_on':'2023-12-01','valid_to':'2034-12-01'", b->area, i,
            key, b->area, i);
        bool lacks = i == 0 && planted(s, NULL, "R89") && !strcmp(b->level, "county") && b == &s->body[s->bodies - 1];
        if (lacks) continue;
        snprintf(key, sizeof key, "term%s.%d", b->area, i);
        snprintf(who, sizeof who, "head h.%s %s", b->area, b->area);
        say(s, past_at(d, 13, salt + i), "device", key, who, "new", "'name':'执法终端','org':'@%s','kind':'enforcement_terminal'", b->key);
        say(s, past_at(d, 14, salt + i), "device", key, who, "install", "%s", "");
        snprintf(who, sizeof who, "hazard_officer hz.%s %s", b->area, b->area);
        say(s, past_at(d, 15, salt + i), "device", key, who, "accept", "'accepted_on':'%s'", dt(d));
        snprintf(who, sizeof who, "head h.%s %s", b->area, b->area);
    }
}

static void outside(struct past_sim *s) {
    int32_t d = s->from + 1;
    static const char *const BODY[][4] = {{"lab", "third_party", "示范检测公司", "testing"},
                                          {"geo", "third_party", "示范地质普查公司", "consulting"},
                                          {"school", "training", "示范安全培训中心", "training"},
                                          {"digger", "contractor", "示范工程公司", ""},
                                          {"group", "parent", "示范矿业集团", ""}};
    for (int i = 0; i < 5; i++)
        say(s, past_at(d, 8.5, i), "org", BODY[i][0], "head h.14 14", "new",
            "'code':'9114000MA0000%dX','name':'%s','kind':'%s','region':'140000','state':'active'%s%s%s", i, BODY[i][2], BODY[i][1],
            BODY[i][3][0] ? ",'services':'" : "", BODY[i][3], BODY[i][3][0] ? "'" : "");
    for (int b = 1; b < s->bodies; b++)
        if (!strcmp(s->body[b].level, "city")) {
            char key[40];
            snprintf(key, sizeof key, "lab%s", s->body[b].area);
            say(s, past_at(d, 9, b), "org", key, "head h.14 14", "new",
                "'code':'91%s00000LAB0X','name':'示范检测公司%s','kind':'third_party','region':'%s00','state':'active','services':'testing'", s->body[b].area,
                s->body[b].area, s->body[b].area);
        }
    static const char *const QUAL[][2] = {{"lab", "third_party_qual"}, {"geo", "third_party_qual"}, {"school", "training_qual"}, {"digger", "contractor_qual"}};
    for (int i = 0; i < 4; i++) {
        char key[40];
        snprintf(key, sizeof key, "q.%s", QUAL[i][0]);
        say(s, past_at(d, 9.5, i), "credential", key, "issuer iss.14 14", "new",
            "'number':'ZZ%d','kind':'%s','org':'@%s','issued_on':'2022-01-01','valid_to':'2034-12-31'", i, QUAL[i][1], QUAL[i][0]);
    }
    if (!planted(s, NULL, "R11")) {
        say(s, past_at(d, 10.5, 0), "device", "classcam", "head h.14 14", "new",
            "'name':'教室视频','org':'@school','kind':'classroom_camera','networked_to':'province'");
        say(s, past_at(d, 11.5, 0), "device", "classcam", "head h.14 14", "install", "%s", "");
        say(s, past_at(d, 12.5, 0), "device", "classcam", "hazard_officer hz.14 14", "accept", "'accepted_on':'%s'", dt(d));
    }
}

void world_begin(struct past_sim *s) {
    bodies_make(s);
    mines_place(s);
    plants_choose(s);
    for (int b = 0; b < s->bodies; b++) regulator(s, &s->body[b], b);
    outside(s);
}

/* The lists of each kind, anew each year, so that none is older than the criteria in force. */
static void criteria(struct past_sim *s, int32_t day, int year) {
    const struct ledger *l = &s->p->ledger[policy_ledger(s->p, STR("setup"))];
    bool known = lfield_find(l->field, l->fields, STR("for_kind")) >= 0;
    for (int k = 0; k < 5; k++) {
        char key[40], old[40];
        if (k == 4 && planted(s, NULL, "R49")) continue;
        snprintf(key, sizeof key, "crit%d.%d", year, k);
        snprintf(old, sizeof old, "crit%d.%d", year - 1, k);
        say(s, past_at(day, 9, k), "setup", key, "head h.14 14", "new", "'region':'140000','kind':'criteria_list','title':'一行业一清单 %s'%s%s%s", KINDS[k],
            known ? ",'for_kind':'" : "", known ? KINDS[k] : "", known ? "'" : "");
        say(s, past_at(day, 10, k), "setup", key, "head h.14 14", "issue", "'issued_on':'%s','head':'负责人'", dt(day));
        if (year > 2024) say(s, past_at(day, 11, k), "setup", old, "head h.14 14", "replace", "%s", "");
    }
}

static void bank(struct past_sim *s, int32_t day, int year) {
    char key[40], old[40];
    if (year > 2024 && planted(s, NULL, "R06")) return;
    snprintf(key, sizeof key, "bank%d", year);
    snprintf(old, sizeof old, "bank%d", year - 1);
    say(s, past_at(day, 9, 0), "exam", key, "issuer iss.14 14", "new", "'name':'题库%d','kind':'bank_version','org':'@reg14'", year);
    int32_t version = planted(s, NULL, "R06") ? s->to - 400 : day;
    say(s, past_at(day, 10, 0), "exam", key, "issuer iss.14 14", "publish", "'version_on':'%s','items_n':3000", dt(version));
    if (year > 2024) say(s, past_at(day, 11, 0), "exam", old, "issuer iss.14 14", "replace", "%s", "");
}

/* A regulator's inspection of a body: the school's conditions, the third parties. */
static void body_check(struct past_sim *s, const struct pbody *b, const char *key, const char *org, const char *mode, const char *campaign, int32_t day) {
    char insp[80], second[80], lead[80];
    snprintf(insp, sizeof insp, "inspector i1.%s %s", b->area, b->area);
    snprintf(second, sizeof second, "inspector i2.%s %s", b->area, b->area);
    snprintf(lead, sizeof lead, "team_leader tl.%s %s", b->area, b->area);
    say(s, past_at(day - 3, 9, 0), "inspection", key, insp, "new",
        "'org':'@%s','subject_note':'机构检查','kind':'special','mode':'%s','campaign':'%s','level':'%s','plan_on':'%s','leader':'甲','members':'甲、乙'", org,
        mode, campaign, b->level, dt(day));
    say(s, past_at(day - 2, 9, 0), "inspection", key, lead, "approve", "'approval_no':'1','item_code':'0301'");
    say(s, past_at(day, 10, 0), "inspection", key, insp, "start", "'arrive_at':'%s','cards':'ZF%s0 ZF%s1','notice_no':'1'", tm(past_at(day, 9, 0)), b->area,
        b->area);
    say(s, past_at(day, 15, 0), "inspection", key, insp, "record", "'findings':'未发现问题','found_general':0,'found_major':0,'serious_n':0,'leave_at':'%s'",
        tm(past_at(day, 14, 0)));
    say(s, past_at(day, 16, 0), "inspection", key, insp, "sign", "'signed_subject':'signed'");
    say(s, past_at(day, 16.5, 0), "inspection", key, second, "sign", "'signed_subject':'signed'");
    say(s, past_at(day, 17, 0), "inspection", key, insp, "file", "'publicity_done':true,'quiz_done':true");
    say(s, past_at(day + 1, 9, 0), "inspection", key, lead, "close", "%s", "");
}

static void officers_class(struct past_sim *s, const struct pbody *b, int32_t day, int year, int salt) {
    ZB_AUTO(buf_done) struct buf rows;
    char key[40], who[80];
    buf_init(&rows, 1 << 20);
    for (int i = 0; i < b->officers; i++)
        buf_printf(&rows, "%s{'person':'@off%s.%d','present':true,'id_verified':true,'hours':40,'pass':true}", i ? "," : "", b->area, i);
    snprintf(key, sizeof key, "oc%s.%d", b->area, year);
    snprintf(who, sizeof who, "head h.%s %s", b->area, b->area);
    say(s, past_at(day, 9, salt), "training", key, who, "new",
        "'name':'执法人员培训','kind':'officer','organiser':'@%s','mode':'live','start_on':'%s','hours':40", b->key, dt(day));
    say(s, past_at(day + 5, 9, salt), "training", key, who, "hold", "'end_on':'%s','participants':[%s]", dt(day + 4), rows.p ? rows.p : "");
    say(s, past_at(day + 6, 9, salt), "training", key, who, "submit", "'submitted_on':'%s'", dt(day + 6));
}

static void area_filing(struct past_sim *s, const struct pbody *b, int32_t first, int salt) {
    char key[60], who[80], above[80], period[8];
    if (!strcmp(b->level, "province")) return;
    snprintf(period, sizeof period, "%.7s", dt(month_day(first, -1, 1)));
    snprintf(key, sizeof key, "zero%s.%s", b->area, period);
    snprintf(who, sizeof who, "head h.%s %s", b->area, b->area);
    snprintf(above, sizeof above, "hazard_officer hz.14 14");
    say(s, past_at(first + 1, 9, salt), "filing", key, who, "new", "'title':'重大隐患（零）报告','kind':'zero_report','org':'@%s','period':'%s','due_on':'%s'",
        b->key, period, dt(first + 7));
    say(s, past_at(first + 3, 9, salt), "filing", key, who, "send", "'sent_at':'%s','signer':'负责人','zero':true,'major_n':0",
        tm(past_at(first + 3, 9, salt)));
    say(s, past_at(first + 4, 9, salt), "filing", key, above, "receive", "%s", "");
    say(s, past_at(first + 5, 9, salt), "filing", key, above, "accept", "%s", "");
}

/* The month's appraisal of enforcement, from every county to the province. */
static void appraisal(struct past_sim *s, const struct pbody *b, int32_t first, int salt) {
    char key[60], who[80], region[8], period[8];
    if (strcmp(b->level, "county") != 0) return;
    bool last = month_day(first, 1, 1) > s->to;
    region_of(b, region);
    snprintf(period, sizeof period, "%.7s", dt(month_day(first, -1, 1)));
    snprintf(key, sizeof key, "appr%s.%s", b->area, period);
    snprintf(who, sizeof who, "head h.%s %s", b->area, b->area);
    say(s, past_at(first + 1, 9, salt), "filing", key, who, "new",
        "'title':'执法考评月报','kind':'enforcement_appraisal','region':'%s','org':'@%s','period':'%s','due_on':'%s'", region, b->key, period, dt(first + 9));
    if (last && planted(s, NULL, "R88") && b == &s->body[s->bodies - 1]) return;
    say(s, past_at(first + 4, 9, salt), "filing", key, who, "send", "'sent_at':'%s','signer':'负责人'", tm(past_at(first + 4, 9, salt)));
    say(s, past_at(first + 5, 9, salt), "filing", key, "hazard_officer hz.14 14", "receive", "%s", "");
    say(s, past_at(first + 6, 9, salt), "filing", key, "hazard_officer hz.14 14", "accept", "%s", "");
}

void world_month(struct past_sim *s, int32_t first) {
    int32_t year_on = zb_period_start(ZB_YEAR_UNIT, first, 0);
    int month = 0, year = 2024;
    while (month_day(year_on, month, 1) < first) month++;
    while (zb_period_start(ZB_YEAR_UNIT, s->from, year - 2024) < year_on) year++;
    month++;
    char key[40];
    if (month == 2) bank(s, first + 14, year);
    if (month == 6 && year == 2024) criteria(s, first + 10, year);
    if (month == 7 && year > 2024) criteria(s, first + 14, year);
    for (int b = 0; b < s->bodies; b++) {
        const struct pbody *x = &s->body[b];
        if (first > s->from) area_filing(s, x, first, b);
        if (first > s->from) appraisal(s, x, first, b);
        if (month == 3) officers_class(s, x, first + 9, year, b);
        snprintf(key, sizeof key, "camp%s.%d", x->area, year);
        if (month == 5 && strcmp(x->level, "county") != 0 && !(planted(s, NULL, "R74") && b == 0 && zb_period_start(ZB_YEAR_UNIT, first, 1) > s->to)) {
            char lab[40];
            snprintf(lab, sizeof lab, "lab%s", b ? x->area : "");
            body_check(s, x, key, lab, "special", "third_party", first + 12 + b % 5);
        }
        snprintf(key, sizeof key, "month%s.%d", x->area, year);
        char who[80], region[8];
        region_of(x, region);
        snprintf(who, sizeof who, "head h.%s %s", x->area, x->area);
        if (month == 6 && !strcmp(x->level, "county")) {
            say(s, past_at(first + 5, 9, b), "activity", key, who, "new", "'name':'安全生产月','kind':'safety_month','region':'%s','date':'%s'", region,
                dt(first + 15));
            say(s, past_at(first + 15, 9, b), "activity", key, who, "done", "'people_n':200");
            say(s, past_at(first + 20, 9, b), "activity", key, who, "report", "'people_n':200");
        }
    }
    snprintf(key, sizeof key, "school%d", year);
    if (month == 4 && !(planted(s, NULL, "R12") && zb_period_start(ZB_YEAR_UNIT, first, 1) > s->to))
        body_check(s, &s->body[0], key, "school", "condition_review", "none", first + 10);
}
