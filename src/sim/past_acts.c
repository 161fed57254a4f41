/* Whole ways of records, from their beginning to where they are left. */
#include "sim/past.h"

/* After what asks for it a grade is put on watch, and kept after a new look. */
void grade_reset(struct past_sim *s, const struct pmine *m, int32_t day, bool keep) {
    char key[40];
    snprintf(key, sizeof key, "%s.std", m->key);
    say(s, past_at(day, 17, m->i), "stdgrade", key, by(s, m, "head", "h"), "watch", "'triggers':'发生触发事项','watch_on':'%s'", dt(day));
    if (keep) say(s, past_at(day + 20, 10, m->i), "stdgrade", key, by(s, m, "head", "h"), "keep", "'score':86,'assessed_on':'%s'", dt(day + 20));
}

static void hazard_end(struct past_sim *s, const struct pmine *m, const struct hazard_way *w) {
    int32_t d = w->quick ? w->found : w->deadline - 6;
    double h = w->quick ? 14 : 9;
    say(s, past_at(d, h, m->i), "major_hazard", w->key, own(m, "principal"), "self_accept", "'self_accept_note':'整改到位','progress_pct':100");
    if (!w->quick) d += 3;
    for (int k = 0; k < 2; k++)
        say(s, past_at(d, h + 1 + k, m->i), "major_hazard", w->key, by(s, m, "hazard_officer", k ? "v2" : "v1"), "verify",
            "'verify_note':'现场核查合格','closed_on':'%s'", dt(d));
}

void hazard(struct past_sim *s, const struct pmine *m, const struct hazard_way *w) {
    bool reg = strcmp(w->source, "self") != 0;
    const char *finder = reg ? by(s, m, "inspector", "i1") : own(m, "safety_manager");
    say(s, past_at(w->found, 9, m->i), "major_hazard", w->key, finder, "new",
        "'site':'@%s','place':'1101工作面','criterion':'%s','source':'%s','found_on':'%s','text':'重大事故隐患情形（演示）'%s", m->key,
        criterion_of(s, m, w->criterion, w->found), w->source, dt(w->found), w->basic ? ",'basic_condition':true" : "");
    say(s, past_at(w->found, 9.5, m->i), "major_hazard", w->key, by(s, m, "inspector", "i1"), "withdraw",
        "'stop_scope':'1101工作面','withdraw_at':'%s','withdrawn_n':20", tm(past_at(w->found, 9.4, m->i)));
    if (w->producing)
        for (int k = 0; k < 2; k++)
            say(s, past_at(w->found + 1, 8 + k, m->i), "major_hazard", w->key, by(s, m, "inspector", k ? "i2" : "i1"), "still_producing",
                "'producing_after':true");
    double h = w->quick ? 10 : 16;
    if (w->stop && w->stop <= w->found) return;
    say(s, past_at(w->found, w->producing ? 20 : h, m->i), "major_hazard", w->key, own(m, "safety_manager"), "register",
        "'resp_person':'职工4','measures':'停产整改','fund_plan':20,'deadline':'%s','emergency_plan':'专项应急预案','cause':'管理不到位'", dt(w->deadline));
    if (w->inquiry) {
        say(s, past_at(w->found + 1, 14, m->i), "major_hazard", w->key, by(s, m, "head", "h"), "inquire", "'inquiry_team':'甲、乙、丙','inquiry_due':'%s'",
            dt(w->found + 15));
        say(s, past_at(w->found + 10, 14, m->i), "major_hazard", w->key, by(s, m, "head", "h"), "inquiry_report",
            "'inquiry_cause':'管理不到位','inquiry_proposal':'追究责任','inquiry_report_on':'%s','inquiry_liability':'移送有权机关'", dt(w->found + 10));
    }
    int32_t until = w->stop ? w->stop : w->deadline - 7;
    for (int32_t d = w->found + 5; !w->quick && d <= until; d += 6) {
        int pct = (int)((d - w->found) * 100 / (w->deadline - w->found));
        say(s, past_at(d, 10, m->i), "major_hazard", w->key, own(m, "safety_manager"), "note",
            "'notes':{'add':[{'day':'%s','text':'按方案推进','pct':%d}]},'progress_pct':%d,'fund_spent':%d", dt(d), pct > 90 ? 90 : pct,
            pct > 90   ? 90
            : pct < 35 ? 35
                       : pct,
            5);
    }
    if (!w->stop) hazard_end(s, m, w);
    if (reg) grade_reset(s, m, w->found, true);
}

static const char *const CHECK_ACT[] = {"new", "approve", "start", "record", "sign", "file", "close"};
void check(struct past_sim *s, const struct pmine *m, const struct check_way *w) {
    const struct pbody *b = &s->body[m->body];
    int32_t d = w->day;
    int end = 6;
    for (int i = 0; w->until && i < 7; i++)
        if (!strcmp(w->until, CHECK_ACT[i])) end = i;
    say(s, past_at(d - 4, 9, m->i), "inspection", w->key, by(s, m, "inspector", "i1"), "new",
        "'site':'@%s','subject_note':'日常检查','kind':'daily','mode':'routine','campaign':'none','level':'%s','plan_on':'%s','leader':'甲','members':'甲、乙'",
        m->key, b->level, dt(w->plan));
    say(s, past_at(d - 3, 9, m->i), "inspection", w->key, by(s, m, "team_leader", "tl"), "approve", "'approval_no':'批1','item_code':'0101'");
    if (end < 2) return;
    say(s, past_at(d, 9, m->i), "inspection", w->key, by(s, m, "inspector", "i1"), "start", "'arrive_at':'%s','cards':'ZF%s0 ZF%s1','notice_no':'通1'",
        tm(past_at(d, 8.5, m->i)), b->area, b->area);
    say(s, past_at(d, 15, m->i), "inspection", w->key, by(s, m, "inspector", "i1"), "record",
        "'findings':'检查情况','found_general':%d,'found_major':%d,'serious_n':%d,'leave_at':'%s'", w->found_general, w->found_major, w->serious,
        tm(past_at(d, 14, m->i)));
    if (end < 4) return;
    say(s, past_at(d, 16, m->i), "inspection", w->key, by(s, m, "inspector", "i1"), "sign", "'signed_subject':'signed'");
    say(s, past_at(d, 16.5, m->i), "inspection", w->key, by(s, m, "inspector", "i2"), "sign", "'signed_subject':'signed'");
    if (end < 5 || w->no_quiz) return;
    say(s, past_at(d, 17, m->i), "inspection", w->key, by(s, m, "inspector", "i1"), "file", "'publicity_done':true,'quiz_done':true%s%s%s",
        w->recheck ? ",'recheck_on':'" : "", w->recheck ? dt(w->recheck) : "", w->recheck ? "'" : "");
    if (w->recheck) say(s, past_at(d, 17.5, m->i), "inspection", w->key, by(s, m, "inspector", "i1"), "await_recheck", "%s", "");
    if (!w->recheck) say(s, past_at(d + 12, 10, m->i), "inspection", w->key, by(s, m, "team_leader", "tl"), "close", "%s", "");
    if (w->found_general && !w->until) { /* what was found is put right before its date */
        char f[60];
        snprintf(f, sizeof f, "%s.f", w->key);
        say(s, past_at(d, 15.5, m->i), "finding", f, by(s, m, "inspector", "i1"), "new",
            "'site':'@%s','source':'%s','category':'management','text':'岗位记录填写不完整','found_on':'%s','inspection':'@%s','severity':'general'", m->key,
            b->level, dt(d), w->key);
        say(s, past_at(d, 15.6, m->i), "finding", f, by(s, m, "inspector", "i1"), "assign", "'deadline':'%s'", dt(d + 10));
        say(s, past_at(d + 6, 9, m->i), "finding", f, own(m, "safety_manager"), "rectify", "'measure':'补齐记录','rectified_on':'%s'", dt(d + 6));
        say(s, past_at(d + 8, 9, m->i), "finding", f, by(s, m, "inspector", "i2"), "verify", "'verifier':'检查员'");
        say(s, past_at(d + 8, 10, m->i), "finding", f, by(s, m, "inspector", "i2"), "close", "'closed_on':'%s'", dt(d + 8));
    }
}

static const char *const CASE_ACT[] = {"new", "collect", "review", "notify", "decide", "publish", "deliver", "execute", "close"};
void penalty(struct past_sim *s, const struct pmine *m, const char *key, int32_t opened, const char *category, const char *penalties, const char *until) {
    int end = 8;
    for (int i = 0; until && i < 9; i++)
        if (!strcmp(until, CASE_ACT[i])) end = i;
    bool serious = strstr(penalties, "'serious':true") != NULL;
    say(s, past_at(opened, 9, m->i), "case", key, by(s, m, "inspector", "i1"), "new",
        "'site':'@%s','category':'%s','opened_on':'%s','facts':'违法事实（演示）'", m->key, category, dt(opened));
    if (end >= 1) say(s, past_at(opened + 2, 9, m->i), "case", key, by(s, m, "inspector", "i1"), "collect", "'evidence':'笔录、照片'");
    if (end >= 2) say(s, past_at(opened + 4, 9, m->i), "case", key, by(s, m, "legal", "l"), "review", "'legal_opinion':'事实清楚','legal_by':'丙'");
    if (end >= 3) say(s, past_at(opened + 5, 9, m->i), "case", key, by(s, m, "inspector", "i1"), "notify", "'hearing':'已告知'");
    if (end >= 4)
        say(s, past_at(opened + 8, 9, m->i), "case", key, by(s, m, "head", "h"), "decide", "'decided_on':'%s','doc_no':'罚1'%s%s", dt(opened + 8),
            serious ? ",'collective':'集体讨论'," : ",", penalties);
    if (end >= 5) say(s, past_at(opened + 9, 9, m->i), "case", key, by(s, m, "head", "h"), "publish", "'published_on':'%s'", dt(opened + 9));
    if (end >= 6) say(s, past_at(opened + 9, 10, m->i), "case", key, by(s, m, "inspector", "i1"), "deliver", "'delivered_on':'%s'", dt(opened + 9));
    if (end >= 7)
        say(s, past_at(opened + 15, 9, m->i), "case", key, by(s, m, "inspector", "i1"), "execute", "'executed_on':'%s','paid_on':'%s'", dt(opened + 15),
            dt(opened + 15));
    if (end >= 8) say(s, past_at(opened + 20, 9, m->i), "case", key, by(s, m, "head", "h"), "close", "%s", "");
}
