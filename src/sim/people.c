/* The files of the personnel system 人员位置监测. Names are plainly made up; nobody has them. */
#include "sim/inside.h"
#include <stdio.h>

enum { AREAS = 5, READERS = 2, A_MOUTH = 0, A_FACE, A_HEADING, A_ROAD, A_HIDDEN, LEADER_POST = 0 };
enum { PAIR_A = 3, PAIR_B = 6, OVERTIME_MAN = 12 }; /* numbers in the shift, of those who come on every day */
enum { W_WAY = 600, W_ABSENT, W_LATE, W_MISSED };   /* of sim_dice */
static const struct {
    const char *name, *type, *approved;
} AREA[AREAS] = {{"井口", "井口区域", "100"},
                 {"1101工作面", "重点区域", "25"},
                 {"1203掘进工作面", "重点区域", "16"},
                 {"一采区运输大巷", "其它区域", "100"},
                 {"1305掘进工作面", "重点区域", "16"}};
static const int AT_X[AREAS] = {0, 2100, 2600, 900, 3100}; /* m from the mouth */
static const char *const TRADE[] = {"采煤机司机", "支架工", "瓦斯检查工", "电工", "皮带司机", "掘进机司机", "安全检查工", "班长"};

/* Cards are dealt to the three shifts in turn: card i works in shift i % 3, and is number i / 3 of it. Number 0 is the leader on duty 带班矿领导. */
static bool is_leader(int i) { return i / 3 == LEADER_POST; }
static bool is_special(int i) { return !is_leader(i) && (i % 8 == 2 || i % 8 == 3 || i % 8 == 6); }

static void person_texts(const struct smine *m, int i, char card[40], char name[40]) {
    static const char *const STEM[] = {"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"};
    snprintf(card, 40, "%s%05d", m->code, m->first_card + i);
    snprintf(name, 40, "模拟%s%03d", STEM[i % 10], i + 1);
}
static void area_text(const struct smine *m, int area, char out[48]) { snprintf(out, 48, "%s%04d", m->code, area + 1); }
static void reader_text(const struct smine *m, int area, int reader, char out[64]) { snprintf(out, 64, "%s%04d%06d", m->code, area + 1, reader + 1); }

/* The last area is there only where a crew works at a place that was not declared. */
static int areas_of(const struct outlet *o) {
    for (int i = 0; i < o->s->faults; i++)
        if (o->s->fault[i].f == F_HIDDEN && o->s->fault[i].mine == o->mine) return AREAS;
    return A_HIDDEN;
}

static int write_places(struct outlet *o, struct zb_err *e) {
    const struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char text[80], reader[64];
    if (sheet_begin(&w, o->s, "RYQY", e) != ZB_OK) return e->rc;
    for (int i = 0; i < areas_of(o); i++) {
        struct str *r = sheet_row(&w);
        area_text(m, i, text);
        sheet_set(&w, r, "area_type", AREA[i].type);
        sheet_set(&w, r, "area", text);
        sheet_set(&w, r, "approved", AREA[i].approved);
        sheet_set(&w, r, "name", AREA[i].name);
    }
    if (sheet_end(&w, o, true, e) != ZB_OK || sheet_begin(&w, o->s, "RYJZ", e) != ZB_OK) return e->rc;
    for (int i = 0; i < areas_of(o) * READERS; i++) {
        struct str *r = sheet_row(&w);
        reader_text(m, i / READERS, i % READERS, reader);
        snprintf(text, sizeof text, "%s%d号基站", AREA[i / READERS].name, i % READERS + 1);
        sheet_set(&w, r, "reader", reader);
        sheet_set(&w, r, "name", text);
        if (!o->s->c.whole) continue;
        snprintf(text, sizeof text, "%d", AT_X[i / READERS] + 300 * (i % READERS));
        sheet_set(&w, r, "x", text);
        sheet_set(&w, r, "y", "0");
    }
    return sheet_end(&w, o, true, e);
}

int write_people_master(struct outlet *o, struct zb_err *e) {
    const struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char card[40], name[40];
    if (sheet_begin(&w, o->s, "RYXX", e) != ZB_OK) return e->rc;
    for (int i = 0; i < m->people; i++) {
        struct str *r = sheet_row(&w);
        person_texts(m, i, card, name);
        sheet_set(&w, r, "card", card);
        sheet_set(&w, r, "name", name);
        sheet_set(&w, r, "trade", is_leader(i) ? "未设置" : TRADE[i % 8]);
        sheet_set(&w, r, "post", is_leader(i) ? "副矿长" : "");
        sheet_set(&w, r, "department", is_leader(i) ? "矿领导" : i % 2 ? "综采一队" : "掘进一队");
        sheet_set(&w, r, "birth", "1990-01-01");
        sheet_set(&w, r, "leader", is_leader(i) ? "1" : "0");
        sheet_set(&w, r, "special", is_special(i) ? "1" : "0");
    }
    if (sheet_end(&w, o, true, e) != ZB_OK) return e->rc;
    return write_places(o, e);
}

/* Whose ways person i goes in a shift: his own, or those of the man who carries his card. */
static int walker(const struct outlet *o, int i, zb_time shift) {
    const int three = i % 3; /* the shift */
    return fault_on(o->s, o->mine, -1, F_PAIR, shift) && i / 3 == PAIR_B ? three + 3 * PAIR_A : i;
}
/* In a whole mine a man goes between the readers of his place, some minutes at each, until he sets out for the next place; since: when he came to this one. */
static int reader_at(const struct outlet *o, int who, zb_time from, zb_time until, zb_time *since) {
    const zb_time slot = 8 * ZB_MINUTE, phase = (zb_time)(sim_dice(o->s, o->mine, W_WAY, who, 0) * 32) * 15 * ZB_SECOND;
    const zb_time leaves = until - 12 * ZB_MINUTE, t = o->t < leaves ? o->t : leaves > from ? leaves : from;
    int64_t k = (t - phase) / slot, first = (from - phase) / slot;
    if (!o->s->c.whole) return who / 3 % READERS;
    bool now = sim_dice(o->s, o->mine, W_WAY, k, who + 1) < 0.5;
    while (k > first && (sim_dice(o->s, o->mine, W_WAY, k - 1, who + 1) < 0.5) == now) k--;
    if (k > first) *since = k * slot + phase;
    return now;
}

/* Is he there at all: on days without coal a third of a shift, and somebody is always ill. */
static bool comes(const struct outlet *o, int i, zb_time shift) {
    const struct sim *s = o->s;
    bool secret;
    zb_time middle = shift + 4 * ZB_HOUR;
    if (is_leader(i)) return !fault_on(s, o->mine, -1, F_NO_LEADER, shift);
    const struct planted *stop = sim_stopped(s, o->mine, middle, &secret);
    if (!s->c.whole) return !stop || i / 3 % 3 == 0;
    if ((stop && !(secret && sim_work(s, o->mine, middle) > 0)) || sim_rests(s, o->mine, middle)) return i / 3 % 3 == 0;
    return sim_dice(s, o->mine, W_ABSENT, shift / ZB_HOUR, i) >= 0.06 && sim_dice(s, o->mine, W_MISSED, o->t / SIM_STEP, i) >= 0.001;
}

/* When he comes up: some stay for an hour or two more, the one of the fault for another shift. */
static zb_time comes_up(const struct outlet *o, int i, zb_time shift) {
    zb_time out = shift + 8 * ZB_HOUR + (10 + i / 3 % 20) * ZB_MINUTE;
    if (i / 3 == OVERTIME_MAN && fault_on(o->s, o->mine, -1, F_OVERTIME, shift)) return out + 8 * ZB_HOUR;
    double late = o->s->c.whole && !is_leader(i) ? sim_dice(o->s, o->mine, W_LATE, shift / ZB_HOUR, i) : 1;
    return late < 0.03 ? out + (zb_time)(30 + late * 3000) * ZB_MINUTE : out;
}

/* Where person i of a shift is: the road on the way in and out, a work place between. */
static void person_row(struct sheet *w, const struct outlet *o, int i, int who, zb_time in, zb_time out) {
    const struct smine *m = &o->s->m[o->mine];
    zb_time t = o->t;
    struct str *r = sheet_row(w);
    char card[40], name[40], area[48], reader[64], time[ZB_TIME_CAP], text[16];
    int nth = who / 3, work = nth % 10 < 4 ? A_FACE : nth % 10 < 6 ? A_HEADING : A_ROAD;
    zb_time there = in + 25 * ZB_MINUTE, leaves = out - 25 * ZB_MINUTE;
    bool left = t >= out;
    int place = left ? A_MOUTH : t >= there && t < leaves ? work : A_ROAD;
    zb_time since = left ? out : t < there ? in : t < leaves ? there : leaves;
    const struct planted *f = place == A_FACE ? fault_on(o->s, o->mine, -1, F_HIDDEN, t) : NULL;
    if (f) place = A_HIDDEN, since = since > f->from ? since : f->from;
    zb_time seen = since;
    int at = left ? 0 : reader_at(o, who, since, t < there ? there : t < leaves ? leaves : out, &seen);
    person_texts(m, i, card, name);
    area_text(m, place, area);
    reader_text(m, place, at, reader);
    sheet_set(w, r, "card", card);
    sheet_set(w, r, "name", name);
    sheet_set(w, r, "flag", left ? "2" : "1");
    sheet_set(w, r, "in_time", zb_time_text(in, time));
    if (left) sheet_set(w, r, "out_time", zb_time_text(out, time));
    sheet_set(w, r, "area", area);
    sheet_set(w, r, "area_in", zb_time_text(since, time));
    sheet_set(w, r, "reader", reader);
    sheet_set(w, r, "reader_in", zb_time_text(seen, time));
    sheet_set(w, r, "work_mode", "三八制");
    snprintf(text, sizeof text, "%d.%02d", 1 + nth % 40, (int)(t / SIM_STEP * 7 + i) % 100);
    sheet_set(w, r, "distance", text);
    sheet_set(w, r, "work_state", "正常");
    sheet_set(w, r, "leader", is_leader(i) ? "1" : "0");
    sheet_set(w, r, "special", is_special(i) ? "1" : "0");
    char at_mouth[64];
    reader_text(m, A_MOUTH, 0, at_mouth);
    ZB_AUTO(buf_done) struct buf track;
    char first[ZB_TIME_CAP];
    buf_init(&track, 400);
    buf_printf(&track, "%s&%s,%s&%s", at_mouth, zb_time_text(in, first), reader, zb_time_text(since, time));
    sheet_set(w, r, "track", buf_str(&track).p);
}

/* A full snapshot. Shifts change at 06, 14 and 22; a shift goes down in its first quarter of an hour and is up a half after its end. */
int write_people(struct outlet *o, struct zb_err *e) {
    const struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    const zb_time eight = 8 * ZB_HOUR, start = (o->t + 2 * ZB_HOUR) / eight * eight - 2 * ZB_HOUR;
    if (sheet_begin(&w, o->s, "RYSS", e) != ZB_OK) return e->rc;
    for (int before = 2; before >= 0; before--) {
        zb_time shift = start - before * eight;
        int which = (int)((shift + 2 * ZB_HOUR) / eight % 3);
        for (int i = which; i < m->people; i += 3) {
            int who = walker(o, i, shift);
            zb_time in = shift + who / 3 % 15 * ZB_MINUTE, out = comes_up(o, who, shift);
            if (o->t >= in && o->t < out + 2 * ZB_MINUTE && comes(o, who, shift)) person_row(&w, o, i, who, in, out);
        }
    }
    return sheet_end(&w, o, true, e);
}

int write_readers(struct outlet *o, struct zb_err *e) {
    struct sheet w;
    char reader[64], time[ZB_TIME_CAP];
    zb_time_text(o->t, time);
    if (sheet_begin(&w, o->s, "JZSS", e) != ZB_OK) return e->rc;
    for (int i = 0; i < areas_of(o) * READERS; i++) {
        struct str *r = sheet_row(&w);
        reader_text(&o->s->m[o->mine], i / READERS, i % READERS, reader);
        sheet_set(&w, r, "reader", reader);
        sheet_set(&w, r, "run", "0");
        sheet_set(&w, r, "power", "1");
        sheet_set(&w, r, "time", time);
    }
    return sheet_end(&w, o, true, e);
}
