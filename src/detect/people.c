#include "detect/people.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int card_compare(struct str a, struct str b) {
    int c = memcmp(a.p ? a.p : "", b.p ? b.p : "", a.n < b.n ? a.n : b.n);
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static const struct person_fact *person_of(const struct people_in *in, struct str card) {
    int lo = 0, hi = in->persons;
    while (lo < hi) {
        int mid = (lo + hi) / 2, c = card_compare(in->person[mid].card, card);
        if (!c) return &in->person[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

struct edge {
    zb_time t;
    int by;
};
static int by_time(const void *a, const void *b) {
    const struct edge *x = a, *y = b;
    if (x->t != y->t) return x->t < y->t ? -1 : 1;
    return x->by - y->by; /* who leaves leaves first */
}

/* A trip that began before the day counts from the day's beginning on where all of a moment are compared. */
static zb_time in_day(const struct people_in *in, zb_time t) { return t > in->from ? t : in->from; }

int people_most(const struct people_in *in, struct str area, zb_time *when, double *over_s, int limit) {
    struct edge *e = xmalloc((size_t)(2 * in->n + 1) * sizeof *e);
    int k = 0, now = 0, most = 0;
    double over = 0, run = 0;
    for (int i = 0; i < in->n; i++) {
        const struct person_fact *f = person_of(in, in->at[i].card);
        if ((area.n && !str_eq(in->at[i].area, area)) || (f && f->exempt) || in->at[i].to <= in->from) continue;
        e[k++] = (struct edge){in_day(in, in->at[i].from), 1};
        e[k++] = (struct edge){in->at[i].to, -1};
    }
    qsort(e, (size_t)k, sizeof *e, by_time);
    for (int i = 0; i < k; i++) {
        if (i && now > limit)
            run += (double)(e[i].t - e[i - 1].t) / 1000;
        else if (i && e[i].t > e[i - 1].t)
            run = 0;
        if (run > over) over = run;
        now += e[i].by;
        if (now > most) most = now, *when = e[i].t;
    }
    free(e);
    *over_s = over;
    return most;
}

void people_hours(const struct people_in *in, zb_time from, int n, int *most, int *least) {
    struct edge *e = xmalloc((size_t)(2 * in->n + n + 1) * sizeof *e);
    int k = 0, now = 0, h = 0;
    for (int i = 0; i < in->n; i++) {
        e[k++] = (struct edge){in->at[i].from, 1};
        e[k++] = (struct edge){in->at[i].to, -1};
    }
    qsort(e, (size_t)k, sizeof *e, by_time);
    for (int i = 0; i < n; i++) most[i] = 0, least[i] = INT32_MAX;
    for (int i = 0; i < k;) { /* all edges of one moment together: who goes on to the next reader was not away */
        zb_time t = e[i].t, until;
        for (; i < k && e[i].t == t; i++) now += e[i].by;
        until = i < k ? e[i].t : t;
        for (h = (int)((t - from) / ZB_HOUR); h < n && from + h * ZB_HOUR < until; h++) {
            if (h < 0) continue;
            if (now > most[h]) most[h] = now;
            if (now < least[h]) least[h] = now;
        }
    }
    for (int i = 0; i < n; i++)
        if (least[i] == INT32_MAX) least[i] = 0;
    free(e);
}

static void quota_find(const struct people_in *in, struct str area, struct str name, int quota, const struct policy *p, struct clues *out) {
    const struct detect_quota *c = &p->detect.quota;
    zb_time when = in->from;
    double over, far;
    /* at a handover two shifts overlap: only more than the factor counts then, and only for the whole mine */
    int limit = quota, most = people_most(in, area, &when, &over, limit);
    if (most <= limit) return;
    bool handover = !area.n && over <= c->handover_s && most <= c->handover_factor * limit;
    int line = (int)floor((1 + c->over_share) * limit);
    people_most(in, area, &(zb_time){0}, &far, line);
    if (handover || over < c->hold_s) return;
    bool major = most > line && far >= c->hold_s;
    struct clue *k = clue_new(out, p, DETECTOR_QUOTA, in->mine, area.n ? area : STR(""), in->from, in->to);
    k->grade = major ? 3 : 2;
    struct clue_factor *f = clue_factor(k, "同时人数", "persons at once", "人", most, limit);
    snprintf(f->how_zh, sizeof f->how_zh, "核定人数；超过20%%为重大隐患线");
    snprintf(f->how_en, sizeof f->how_en, "approved number; 20 %% above is the major-hazard line");
    char t[ZB_TIME_CAP];
    zb_time_text(when, t);
    snprintf(k->zh, sizeof k->zh, "%.*s最多%d人（%s），核定%d人，超出持续%.0f分钟%s。", STR_ARG(name), most, t, limit, over / 60,
             major ? "，超过核定20%以上" : "");
    snprintf(k->en, sizeof k->en, "%.*s: at most %d persons (%s), %d approved, over for %.0f min%s.", STR_ARG(name), most, t, limit, over / 60,
             major ? ", by more than 20 %" : "");
    clue_innocent(k, "交接班", "shift handover", over <= c->handover_s ? LOOKED_FOUND : LOOKED_ABSENT);
    clue_innocent(k, "检查、救援等不计人员", "inspectors, rescuers and others not counted", LOOKED_ABSENT);
    clue_seal(k);
}

struct run {      /* of one card */
    int from, to; /* presences [from, to) */
};
static bool next_run(const struct people_in *in, struct run *r) {
    r->from = r->to;
    if (r->from >= in->n) return false;
    while (r->to < in->n && str_eq(in->at[r->to].card, in->at[r->from].card)) r->to++;
    return true;
}

static struct clue *card_clue(const struct people_in *in, enum detector_id d, const struct presence *a, zb_time from, const struct policy *p,
                              struct clues *out) {
    struct clue *k = clue_new(out, p, d, in->mine, a->card, from, in->to);
    return k;
}

static void time_find(const struct people_in *in, struct run r, const struct policy *p, struct clues *out) {
    const struct detect_overtime *c = &p->detect.overtime;
    zb_time down = in->at[r.from].from, up = in->at[r.from].to;
    for (int i = r.from + 1; i <= r.to; i++) {
        if (i < r.to && in->at[i].from - up < 30 * ZB_MINUTE) { /* the same stay */
            if (in->at[i].to > up) up = in->at[i].to;
            continue;
        }
        double hours = (double)(up - down) / (double)ZB_HOUR;
        if (hours > c->hours) {
            bool out_never = hours >= c->no_exit_hours;
            struct clue *k = card_clue(in, DETECTOR_OVERTIME, &in->at[r.from], down, p, out);
            k->to = up;
            clue_factor(k, "在井时间", "time underground", "h", hours, c->hours);
            snprintf(k->zh, sizeof k->zh, "卡%.*s在井%.1f小时%s。", STR_ARG(in->at[r.from].card), hours, out_never ? "，未见出井" : "");
            snprintf(k->en, sizeof k->en, "Card %.*s was underground for %.1f hours%s.", STR_ARG(in->at[r.from].card), hours,
                     out_never ? " and never came out" : "");
            clue_innocent(k, "标识卡遗留井下或损坏", "the card was left below or is broken", LOOKED_NO);
            clue_seal(k);
        }
        if (i < r.to) down = in->at[i].from, up = in->at[i].to;
    }
}

static void jump_find(const struct people_in *in, struct run r, const struct policy *p, struct clues *out) {
    const struct detect_jump *c = &p->detect.jump;
    for (int i = r.from + 1; i < r.to; i++) {
        const struct presence *a = &in->at[i - 1], *b = &in->at[i];
        /* a card stays at its last reader until the next one sees it: when he left is not known, so he has all the time since he came there */
        double d = hypot(b->x - a->x, b->y - a->y), s = fmax(0, (double)(b->from - a->from) / 1000) + c->slack_s;
        if (isnan(d) || d <= c->speed * s) continue;
        struct clue *k = card_clue(in, DETECTOR_JUMP, a, b->from, p, out);
        clue_factor(k, "移动速度", "speed", "m/s", d / s, c->speed);
        snprintf(k->zh, sizeof k->zh, "卡%.*s在%.0f秒内由%.*s到%.*s，相距%.0f米，不可能到达。", STR_ARG(a->card), s, STR_ARG(a->reader), STR_ARG(b->reader), d);
        snprintf(k->en, sizeof k->en, "Card %.*s went from %.*s to %.*s, %.0f m, in %.0f s: it cannot.", STR_ARG(a->card), STR_ARG(a->reader),
                 STR_ARG(b->reader), d, s);
        clue_innocent(k, "基站误读、串读", "readers see the card through the rock", LOOKED_NO);
        clue_seal(k);
        return; /* one a card and day */
    }
}

static void papers_find(const struct people_in *in, struct run r, const struct policy *p, struct clues *out) {
    const struct presence *a = &in->at[r.from];
    const struct person_fact *f = person_of(in, a->card);
    const struct {
        bool bad;
        enum detector_id detector;
        const char *zh, *en;
    } WHY[] = {{!f || !f->known, DETECTOR_UNKNOWN, "不在人员档案中", "is nobody's on file"},
               {f && f->known && f->special && !f->certified, DETECTOR_CERTIFICATE, "为特种作业岗位，当日无有效证件",
                "is of a special operator without a valid certificate that day"},
               {f && f->known && !f->trained, DETECTOR_TRAINING, "无有效培训考核记录", "is of somebody without a valid training pass"},
               {f && f->known && !f->contracted, DETECTOR_CONTRACT, "用工单位无有效合同", "is of somebody whose employer has no contract in force"}};
    for (size_t i = 0; i < sizeof WHY / sizeof *WHY; i++) {
        if (!WHY[i].bad) continue;
        struct clue *k = card_clue(in, WHY[i].detector, a, in->from, p, out); /* once a day */
        struct str firm = f ? f->employer : STR("");
        snprintf(k->zh, sizeof k->zh, "入井标识卡%.*s%s%s%.*s。", STR_ARG(a->card), WHY[i].zh, firm.n ? "，单位：" : "", STR_ARG(firm));
        snprintf(k->en, sizeof k->en, "Card %.*s underground %s%s%.*s.", STR_ARG(a->card), WHY[i].en, firm.n ? "; employer: " : "", STR_ARG(firm));
        clue_innocent(k, "档案更新滞后", "the file is behind", LOOKED_NO);
        clue_seal(k);
    }
}

static void restricted_find(const struct people_in *in, struct run r, const struct policy *p, struct clues *out) {
    for (int i = r.from; i < r.to; i++) {
        const struct presence *a = &in->at[i];
        double s = (double)(a->to - a->from) / 1000;
        for (int k = 0; k < in->areas; k++) {
            if (!in->area[k].restricted || !str_eq(in->area[k].area, a->area) || s < p->detect.restricted.hold_s) continue;
            struct clue *c = card_clue(in, DETECTOR_RESTRICTED, a, a->from, p, out);
            c->to = a->to;
            clue_factor(c, "停留时间", "time there", "s", s, 0);
            snprintf(c->zh, sizeof c->zh, "卡%.*s进入限制区域%.*s，停留%.0f分钟。", STR_ARG(a->card), STR_ARG(in->area[k].name), s / 60);
            snprintf(c->en, sizeof c->en, "Card %.*s was in the restricted area %.*s for %.0f min.", STR_ARG(a->card), STR_ARG(in->area[k].name), s / 60);
            clue_innocent(c, "批准的作业", "approved work there", LOOKED_NO);
            clue_seal(c);
        }
    }
}

/* Longest time somebody was below and no leader was. */
static void leader_find(const struct people_in *in, const struct policy *p, struct clues *out) {
    struct edge *e = xmalloc((size_t)(4 * in->n + 1) * sizeof *e);
    int k = 0, people = 0, leaders = 0;
    for (int i = 0; i < in->n; i++) {
        const struct person_fact *f = person_of(in, in->at[i].card);
        int by = f && f->leader ? 1000000 : 1;
        if (in->at[i].to <= in->from) continue;
        e[k++] = (struct edge){in_day(in, in->at[i].from), by};
        e[k++] = (struct edge){in->at[i].to, -by};
    }
    qsort(e, (size_t)k, sizeof *e, by_time);
    double run = 0, most = 0;
    zb_time since = 0, start = 0;
    for (int i = 0; i < k; i++) {
        if (i && people > 0 && !leaders) {
            if (run == 0) since = e[i - 1].t;
            run += (double)(e[i].t - e[i - 1].t) / 1000;
            if (run > most) most = run, start = since;
        } else if (i && e[i].t > e[i - 1].t) {
            run = 0;
        }
        if (abs(e[i].by) == 1)
            people += e[i].by;
        else
            leaders += e[i].by > 0 ? 1 : -1;
    }
    free(e);
    if (!in->producing || most < p->detect.leader.hold_s) return;
    struct clue *c = clue_new(out, p, DETECTOR_LEADER, in->mine, STR(""), start, start + (zb_time)(most * 1000));
    clue_factor(c, "无领导带班时间", "time without a leader", "min", most / 60, 0);
    char t[ZB_TIME_CAP];
    zb_time_text(start, t);
    snprintf(c->zh, sizeof c->zh, "自%s起%.0f分钟井下有人而无带班领导。", t, most / 60);
    snprintf(c->en, sizeof c->en, "From %s for %.0f min people were underground and no leader was.", t, most / 60);
    clue_innocent(c, "带班领导标识卡故障", "the leader's card failed", LOOKED_NO);
    clue_seal(c);
}

void people_pairs(const struct people_in *in, const struct policy *p, struct clues *out) {
    const struct detect_pair *c = &p->detect.pair;
    zb_time within = (zb_time)(c->within_s * 1000);
    struct run a = {0, 0}, b;
    while (next_run(in, &a)) {
        b.to = a.to;
        int na = a.to - a.from;
        while (na >= c->passes && next_run(in, &b)) {
            int nb = b.to - b.from, i = a.from, k = b.from, same = 0;
            if (nb < c->passes || nb * c->same_share > na || na * c->same_share > nb) continue;
            while (i < a.to && k < b.to) {
                zb_time d = in->at[i].from - in->at[k].from;
                if (llabs(d) <= within && str_eq(in->at[i].reader, in->at[k].reader))
                    same++, i++, k++;
                else if (d < 0)
                    i++;
                else
                    k++;
            }
            if (same < c->passes || same < c->same_share * (na > nb ? na : nb)) continue;
            char two[64];
            snprintf(two, sizeof two, "%.*s+%.*s", (int)(in->at[a.from].card.n < 30 ? in->at[a.from].card.n : 30), in->at[a.from].card.p,
                     (int)(in->at[b.from].card.n < 30 ? in->at[b.from].card.n : 30), in->at[b.from].card.p);
            struct clue *k2 = clue_new(out, p, DETECTOR_PAIR, in->mine, str_of(two), in->from, in->to);
            k2->grade = 3;
            clue_factor(k2, "同时经过的基站次数", "passes together", "次", same, 0);
            snprintf(k2->zh, sizeof k2->zh, "两张卡%s当日%d次经过基站均同时同地（相差不超过%.0f秒），疑似一人带多卡。", two, same, c->within_s);
            snprintf(k2->en, sizeof k2->en, "Cards %s passed readers together %d times that day, within %.0f s each time: one person may carry both.", two,
                     same, c->within_s);
            clue_innocent(k2, "同班组同乘人车", "one crew on the same man train", LOOKED_NO);
            clue_seal(k2);
        }
    }
}

void people_judge(const struct people_in *in, const struct policy *p, struct clues *out) {
    if (in->quota > 0) quota_find(in, STR(""), STR("井下"), in->quota, p, out);
    for (int i = 0; i < in->areas; i++)
        if (in->area[i].quota > 0) quota_find(in, in->area[i].area, in->area[i].name, in->area[i].quota, p, out);
    struct run r = {0, 0};
    while (next_run(in, &r)) {
        time_find(in, r, p, out);
        jump_find(in, r, p, out);
        if (in->persons) papers_find(in, r, p, out); /* without any file of persons nothing is said of papers */
        restricted_find(in, r, p, out);
    }
    bool leaders = false;
    for (int i = 0; i < in->persons; i++) leaders = leaders || in->person[i].leader;
    if (leaders) leader_find(in, p, out);
    people_pairs(in, p, out);
}

void counts_find(struct str mine, const struct head_count *c, int sources, int shifts, zb_time end, const struct policy *p, struct clues *out) {
    const struct detect_counts *k = &p->detect.counts;
    int need = (int)k->shifts;
    for (int a = 0; a < sources; a++)
        for (int b = a + 1; b < sources; b++) {
            int run = 0;
            double x = NAN, y = NAN;
            for (int i = shifts - 1; i >= 0 && run < need; i--, run++) {
                double allowed = fmax(k->persons, k->share * fmax(c[a].shift[i], c[b].shift[i]));
                if (!(fabs(c[a].shift[i] - c[b].shift[i]) > allowed)) break;
                if (isnan(x)) x = c[a].shift[i], y = c[b].shift[i];
            }
            if (run < need) continue;
            struct clue *q = clue_new(out, p, DETECTOR_COUNTS, mine, str_of(c[b].en), end - need * 8 * ZB_HOUR, end);
            clue_factor(q, c[a].zh, c[a].en, "人", x, y);
            clue_factor(q, c[b].zh, c[b].en, "人", y, x);
            snprintf(q->zh, sizeof q->zh, "连续%d班%s与%s不一致，最近一班%.0f人对%.0f人。", need, c[a].zh, c[b].zh, x, y);
            snprintf(q->en, sizeof q->en, "%s and %s differed in %d shifts in a row, lately %.0f against %.0f.", c[a].en, c[b].en, need, x, y);
            clue_innocent(q, "参观、检查人员", "visitors, inspectors", LOOKED_NO);
            clue_seal(q);
        }
}
