#include "sim/sim.h"
#include "base/arena.h"
#include "sense/sense.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum role { R_CH4, R_CO, R_WIND, R_TEMP, R_O2, R_PRESSURE, R_FAN, R_MAIN_FAN, R_DOOR, R_FEED, R_CUTTER, R_BELT, R_OUTPUT, R_POWER };
struct spec { enum role role; const char *type, *vt, *unit, *name, *place; double base, gas, noise; const char *hi[4]; int feed; };
/* A mine's points. gas: how much coal cutting adds; hi: alarm, clear, cut, restore as uploaded. feed: index of feed and cutter points it commands. */
static const struct spec SPECS[] = {
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "1101工作面上隅角", 0.42, 0.30, 0.02, {"1.0", "1.0", "1.5", "1.0"}, 20},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "1101工作面", 0.30, 0.25, 0.02, {"1.0", "1.0", "1.5", "1.0"}, 20},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "1101工作面回风巷", 0.36, 0.26, 0.02, {"1.0", "1.0", "1.0", "1.0"}, 20},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "1101工作面进风巷", 0.08, 0.02, 0.01, {"0.5", "0.5", "0.5", "0.5"}, 20},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "1203掘进工作面", 0.22, 0.15, 0.02, {"1.0", "1.0", "1.5", "1.0"}, 22},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "1203掘进回风流", 0.28, 0.16, 0.02, {"1.0", "1.0", "1.0", "1.0"}, 22},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "一采区回风巷", 0.30, 0.12, 0.01, {"1.0", "1.0", "1.0", "1.0"}, -1},
    {R_CH4, "0001", "MN", "%CH4", "环境瓦斯", "总回风巷", 0.24, 0.08, 0.01, {"0.75", "0.75", "", ""}, -1},
    {R_CO, "0004", "MN", "ppm", "一氧化碳", "1101工作面回风巷", 4, 1.5, 0.4, {"24", "24", "", ""}, -1},
    {R_CO, "0004", "MN", "ppm", "一氧化碳", "总回风巷", 2.5, 0.6, 0.3, {"24", "24", "", ""}, -1},
    {R_WIND, "0002", "MN", "m/s", "风速", "1101工作面回风巷", 1.6, 0, 0.06, {"", "", "", ""}, -1},
    {R_WIND, "0002", "MN", "m/s", "风速", "总回风巷", 4.8, 0, 0.10, {"8", "8", "", ""}, -1},
    {R_TEMP, "0003", "MN", "℃", "环境温度", "1101工作面", 21.5, 1.2, 0.1, {"26", "26", "", ""}, -1},
    {R_TEMP, "0003", "MN", "℃", "环境温度", "1203掘进工作面", 20.8, 0.8, 0.1, {"26", "26", "", ""}, -1},
    {R_O2, "0012", "MN", "%", "氧气", "1101工作面", 20.7, -0.1, 0.02, {"", "", "", ""}, -1},
    {R_PRESSURE, "0006", "MN", "kPa", "负压", "主通风机风硐", 1.85, 0, 0.02, {"", "", "", ""}, -1},
    {R_FAN, "1001", "KG", "", "局部通风机", "1203掘进局扇", 1, 0, 0, {0}, -1},
    {R_MAIN_FAN, "1010", "KG", "", "主通风机", "主通风机", 1, 0, 0, {0}, -1},
    {R_DOOR, "1002", "KG", "", "风门", "一采区1号风门", 0, 0, 0, {0}, -1},
    {R_DOOR, "1002", "KG", "", "风门", "一采区2号风门", 0, 0, 0, {0}, -1},
    {R_FEED, "1011", "KG", "", "馈电器", "1101工作面开关负荷侧", 1, 0, 0, {0}, -1},
    {R_CUTTER, "1009", "KG", "", "断电器", "1101工作面断电器", 1, 0, 0, {0}, -1},
    {R_FEED, "1011", "KG", "", "馈电器", "1203掘进开关负荷侧", 1, 0, 0, {0}, -1},
    {R_CUTTER, "1009", "KG", "", "断电器", "1203掘进断电器", 1, 0, 0, {0}, -1},
    {R_BELT, "1004", "KG", "", "设备开停", "主斜井带式输送机", 1, 0, 0, {0}, -1},
    {R_OUTPUT, "3001", "LJ", "t", "产量", "主斜井皮带秤", 0, 0, 0, {0}, -1},
    {R_POWER, "4002", "DT", "", "电源状态", "地面变电所", 1, 0, 0, {0}, -1},
};
enum { POINTS = sizeof SPECS / sizeof *SPECS, PEOPLE = 90, AREAS = 4, FAULTS_MAX = 64 };
static const char *const AREA_NAME[AREAS] = {"井口", "1101工作面", "1203掘进工作面", "一采区运输大巷"};
static const char *const FAULT_NAME[] = {"over-limit", "burst", "stuck", "replay", "clamp", "dropout", "masked", "late", "drift"};
enum fault { F_OVER, F_BURST, F_STUCK, F_REPLAY, F_CLAMP, F_DROPOUT, F_MASKED, F_LATE, F_DRIFT, F_N };
static const char *const FOUND[] = {"over-limit and cut alarm", "over-range alarm, red", "flat line clue", "replayed hours clue", "clamped below the limit clue", "point or sensor fault alarm", "masked alarm", "late upload", "clock skew"};
static const char *const COUNTY[] = {"140214", "140303", "140402", "140525", "140623", "140729", "140826", "140981", "141002", "141182"};
static const char *const NUMBER[] = {"一", "二", "三", "四", "五", "六", "七", "八", "九", "十"};

struct planted { int mine, point; enum fault f; zb_time from, to; };
struct smine { char code[24], name[64]; double v[POINTS], level; double output; bool power_cut; zb_time defined; int face_shift; double day[120]; bool reported[POINTS]; zb_time since[POINTS]; double peak[POINTS]; };
struct sim { const struct policy *p; struct sim_config c; uint64_t rng[2]; struct smine *m; struct planted fault[FAULTS_MAX]; int faults; struct buf truth; zb_time at; };

static uint64_t rnd(struct sim *s) { /* xoroshiro128+ */
    uint64_t a = s->rng[0], b = s->rng[1], r = a + b;
    b ^= a;
    s->rng[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
    s->rng[1] = (b << 37) | (b >> 27);
    return r;
}
static double uniform(struct sim *s) { return (double)(rnd(s) >> 11) * 0x1p-53; }
static double normal(struct sim *s) { return uniform(s) + uniform(s) + uniform(s) + uniform(s) + uniform(s) + uniform(s) - 3.0; } /* near enough, and the same everywhere */

/* ---- faults and their truth ---- */
static void plant(struct sim *s, int mine, enum fault f, zb_time from, zb_time to) {
    if (s->faults == FAULTS_MAX) return;
    int point = f == F_LATE || f == F_DRIFT ? -1 : f == F_MASKED ? 2 : f == F_DROPOUT ? 1 : f == F_STUCK || f == F_REPLAY ? 4 : f == F_CLAMP ? 5 : 0;
    s->fault[s->faults++] = (struct planted){mine, point, f, from, to};
    char a[ZB_TIME_CAP], b[ZB_TIME_CAP], code[64] = "";
    if (point >= 0) snprintf(code, sizeof code, "%s01MN%04d%04d", s->m[mine].code, 1, point + 1);
    buf_printf(&s->truth, "{\"mine\":\"%s\",\"point\":\"%s\",\"fault\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"expect\":\"%s\"}\n", s->m[mine].code, code, FAULT_NAME[f], zb_time_iso(from, a), zb_time_iso(to, b), FOUND[f]);
}

static int faults_plan(struct sim *s, struct zb_err *e) {
    struct str rest = str_of(s->c.faults);
    zb_time length = (zb_time)(s->c.hours * (double)ZB_HOUR), slot = length / 4;
    for (int k = 0; rest.p && rest.n; k++) {
        struct str one = str_trim(str_cut(rest, ',', &rest));
        int f = -1;
        for (int i = 0; i < F_N; i++)
            if (str_is(one, FAULT_NAME[i])) f = i;
        if (f < 0) return zb_fail(e, ZB_E_INPUT, "fault \"" STR_FMT "\" is not known: over-limit burst stuck replay clamp dropout masked late drift", STR_ARG(one));
        zb_time from = s->c.start + slot + (zb_time)(uniform(s) * (double)slot) / 30000 * 30000;
        if (s->c.live) from = s->at + 2 * ZB_MINUTE + k * 90 * ZB_SECOND; /* an onlooker does not wait long */
        zb_time last = f == F_STUCK || f == F_CLAMP || f == F_REPLAY ? slot : f == F_LATE ? 5 * ZB_MINUTE : 6 * ZB_MINUTE;
        plant(s, k % s->c.mines, (enum fault)f, from, from + (last < 90 * ZB_SECOND ? 90 * ZB_SECOND : last));
    }
    return ZB_OK;
}

static const struct planted *fault_on(const struct sim *s, int mine, int point, zb_time t) {
    for (int i = 0; i < s->faults; i++) {
        const struct planted *f = &s->fault[i];
        if (f->mine == mine && f->point == point && t >= f->from && t < f->to) return f;
    }
    return NULL;
}

/* ---- the mine breathes ---- */
static double rhythm(zb_time t) { /* three shifts; 06-14 is maintenance 检修班; short pauses between */
    int minute = (int)((t + 8 * ZB_HOUR) / ZB_MINUTE % 1440), hour = minute / 60;
    double work = hour >= 6 && hour < 14 ? 0.15 : 1.0;
    int in_shift = (minute + 120) % 480;
    return in_shift < 30 || in_shift > 450 ? 0.1 * work : work;
}

struct reading { char value[16]; int state; };

static void point_next(struct sim *s, int mi, int k, zb_time t, double work, struct reading *out) {
    struct smine *m = &s->m[mi];
    const struct spec *sp = &SPECS[k];
    double *v = &m->v[k], wave = sin((double)(t % ZB_DAY) / (double)ZB_DAY * 6.283185307) * 0.03;
    double level = sp->role == R_CH4 ? m->level : 1.0, to = sp->base * (sp->role == R_O2 ? 1.0 : 1 + wave) * level + sp->gas * work * level;
    *v += (to - *v) * 0.05 + sp->noise * normal(s) * 0.6;
    double shown = *v;
    out->state = 0;
    const struct planted *f = fault_on(s, mi, k, t);
    if (f) {
        double into = (double)(t - f->from) / (double)(f->to - f->from);
        if (f->f == F_OVER) shown = 0.9 + 1.0 * sin(into * 3.141592654);
        if (f->f == F_BURST) {
            shown = 4.0;
            out->state = ST_OVER_RANGE | ST_ALARM;
        }
        if (f->f == F_STUCK) shown = sp->base;
        if (f->f == F_REPLAY) shown = m->day[(t / 30000) % 120];
        if (f->f == F_CLAMP) shown = shown > 0.35 ? 0.35 : shown;
        if (f->f == F_DROPOUT) out->state = ST_FAULT;
        if (f->f == F_MASKED) out->state = ST_PAUSED;
    } else if (k == 4) {
        m->day[(t / 30000) % 120] = shown;
    }
    if (shown < 0) shown = 0;
    if (sp->role == R_CH4 && shown >= 1.0) out->state |= ST_ALARM;
    if (sp->role == R_CH4 && sp->hi[2][0] && shown >= 1.5) out->state |= ST_CUT;
    snprintf(out->value, sizeof out->value, "%.2f", shown);
    if (out->state & ST_FAULT) out->value[0] = 0;
    if (sp->role == R_CH4) m->power_cut |= shown >= 1.5 && sp->feed == 20;
}

static void switch_next(struct sim *s, int mi, int k, double work, struct reading *out) {
    struct smine *m = &s->m[mi];
    int on = 1;
    switch (SPECS[k].role) {
    case R_DOOR: on = uniform(s) < 0.02; break;
    case R_BELT: on = work > 0.12; break;
    case R_FEED:
    case R_CUTTER: on = !(k < 22 && m->power_cut); break;
    case R_OUTPUT:
        m->output += work * 4.2 * (0.8 + 0.4 * uniform(s));
        snprintf(out->value, sizeof out->value, "%.2f", m->output);
        out->state = 0;
        return;
    default: break;
    }
    snprintf(out->value, sizeof out->value, "%d", on);
    out->state = 0;
}

/* ---- files ---- */
struct sheet { struct arena *a; const struct str **row; int n, cap; const struct format *f; };

static struct str t_(struct sheet *w, const char *z) { return (struct str){arena_str(w->a, str_of(z)), strlen(z)}; }

static struct str *row(struct sheet *w) {
    struct str *r = arena_alloc(w->a, (size_t)w->f->body.n * sizeof *r);
    for (int i = 0; i < w->f->body.n; i++) r[i] = STR("");
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->row = xrealloc(w->row, (size_t)w->cap * sizeof *w->row);
    }
    w->row[w->n++] = r;
    return r;
}

static void set(struct sheet *w, struct str *r, const char *field, const char *text) {
    int i = format_field(&w->f->body, field);
    if (i < 0) ZB_BUG("format %s has no field %s", w->f->type, field);
    r[i] = t_(w, text);
}

static int sheet_begin(struct sheet *w, struct sim *s, const char *type, struct zb_err *e) {
    *w = (struct sheet){.f = policy_format(s->p, str_of(type))};
    if (!w->f) return zb_fail(e, ZB_E_INPUT, "the policy has no format %s", type);
    w->a = arena_new((size_t)16 << 20);
    return ZB_OK;
}

static int sheet_end(struct sheet *w, const struct smine *m, zb_time stamp, sim_sink sink, void *arg, struct zb_err *e) {
    struct str head[FORMAT_FIELDS_MAX];
    char time[ZB_TIME_CAP], st[ZB_TIME_CAP], name[80];
    ZB_AUTO(buf_done) struct buf out;
    buf_init(&out, (size_t)4 << 20);
    for (int i = 0; i < w->f->header.n; i++) {
        const char *f = w->f->header.f[i].name;
        head[i] = str_of(!strcmp(f, "mine") ? m->code : !strcmp(f, "mine_name") ? m->name : !strcmp(f, "time") ? zb_time_text(stamp, time) : !strcmp(f, "model") ? "ZBSIM" : !strcmp(f, "system") ? "模拟系统" :
                         !strcmp(f, "maker") ? "示范科技" : !strcmp(f, "certificate_until") ? "2029-12-31" : !strcmp(f, "approved_people") ? "260" : "");
    }
    int rc = batch_encode(w->f, head, w->row, w->n, &out, e);
    snprintf(name, sizeof name, "%s_%s_%s.txt", m->code, w->f->type, zb_time_stamp(stamp, st));
    if (rc == ZB_OK) rc = sink(arg, m->code, name, buf_str(&out), e);
    arena_free(w->a);
    free(w->row);
    return rc;
}

static void code_of(const struct smine *m, int k, char out[48]) { snprintf(out, 48, "%s01%s%04d%04d", m->code, SPECS[k].vt, 1, k + 1); }

static int write_definitions(struct sim *s, struct smine *m, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    struct sheet w;
    char code[48], time[ZB_TIME_CAP], rel[120], feed[48], cutter[48];
    zb_time_text(t, time);
    if (sheet_begin(&w, s, "CDDY", e) != ZB_OK) return e->rc;
    for (int k = 0; k < POINTS; k++) {
        const struct spec *sp = &SPECS[k];
        struct str *r = row(&w);
        code_of(m, k, code);
        set(&w, r, "point_code", code); set(&w, r, "sys_code", "01"); set(&w, r, "station_code", k < 16 ? "001" : "002");
        set(&w, r, "sensor_type", sp->type); set(&w, r, "value_type", sp->vt); set(&w, r, "unit", sp->unit);
        set(&w, r, "location", sp->place); set(&w, r, "time", time);
        if (sp->role == R_CH4) set(&w, r, "range_high", "4.00"), set(&w, r, "range_low", "0.00");
        static const char *const F[] = {"hi_alarm", "hi_clear", "hi_cut", "hi_restore"};
        for (int i = 0; i < 4; i++)
            if (sp->hi[i]) set(&w, r, F[i], sp->hi[i]);
        if (sp->feed >= 0) {
            code_of(m, sp->feed, feed);
            code_of(m, sp->feed + 1, cutter);
            snprintf(rel, sizeof rel, "K-%s-断电器:D-%s", cutter, feed);
            set(&w, r, "relation", rel);
        }
    }
    if (sheet_end(&w, m, t, sink, arg, e) != ZB_OK || sheet_begin(&w, s, "FZDY", e) != ZB_OK) return e->rc;
    for (int i = 1; i <= 2; i++) {
        struct str *r = row(&w);
        snprintf(code, sizeof code, "%03d", i);
        set(&w, r, "station_code", code); set(&w, r, "location", i == 1 ? "一采区变电所" : "地面机房"); set(&w, r, "time", time);
    }
    return sheet_end(&w, m, t, sink, arg, e);
}

static int write_people_master(struct sim *s, struct smine *m, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    static const char *const TRADE[] = {"采煤机司机", "支架工", "瓦斯检查工", "电工", "皮带司机", "掘进机司机", "安全检查工", "班长"};
    static const char *const SURNAME[] = {"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"};
    struct sheet w;
    char card[40], name[40], area[40];
    if (sheet_begin(&w, s, "RYXX", e) != ZB_OK) return e->rc;
    for (int i = 0; i < PEOPLE; i++) {
        struct str *r = row(&w);
        snprintf(card, sizeof card, "%s%05d", m->code, i + 1);
        snprintf(name, sizeof name, "模拟%s%02d", SURNAME[i % 10], i + 1);
        set(&w, r, "card", card); set(&w, r, "name", name); set(&w, r, "trade", i % 30 == 0 ? "副矿长" : TRADE[i % 8]);
        set(&w, r, "leader", i % 30 == 0 ? "1" : "0"); set(&w, r, "special", i % 8 == 2 || i % 8 == 3 ? "1" : "0");
    }
    if (sheet_end(&w, m, t, sink, arg, e) != ZB_OK || sheet_begin(&w, s, "RYQY", e) != ZB_OK) return e->rc;
    for (int i = 0; i < AREAS; i++) {
        struct str *r = row(&w);
        snprintf(area, sizeof area, "%s%04d", m->code, i + 1);
        set(&w, r, "area_type", i == 0 ? "井口区域" : "重点区域"); set(&w, r, "area", area); set(&w, r, "approved", i == 1 ? "25" : i == 2 ? "16" : "100"); set(&w, r, "name", AREA_NAME[i]);
    }
    if (sheet_end(&w, m, t, sink, arg, e) != ZB_OK || sheet_begin(&w, s, "RYJZ", e) != ZB_OK) return e->rc;
    for (int i = 0; i < AREAS; i++) {
        struct str *r = row(&w);
        snprintf(area, sizeof area, "%s%04d%06d", m->code, i + 1, 1);
        set(&w, r, "reader", area); set(&w, r, "name", AREA_NAME[i]);
    }
    return sheet_end(&w, m, t, sink, arg, e);
}

static int write_people(struct sim *s, struct smine *m, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    struct sheet w;
    char card[40], time[ZB_TIME_CAP], area[40], reader[60], name[40];
    static const char *const SURNAME[] = {"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"};
    zb_time shift = (t + 10 * ZB_HOUR) / (8 * ZB_HOUR) * (8 * ZB_HOUR) - 10 * ZB_HOUR;
    int which = (int)(((t + 10 * ZB_HOUR) / (8 * ZB_HOUR)) % 3);
    if (sheet_begin(&w, s, "RYSS", e) != ZB_OK) return e->rc;
    for (int i = which * 30; i < which * 30 + 30; i++) {
        struct str *r = row(&w);
        int place = 1 + i % 3;
        snprintf(card, sizeof card, "%s%05d", m->code, i + 1);
        snprintf(name, sizeof name, "模拟%s%02d", SURNAME[i % 10], i + 1);
        snprintf(area, sizeof area, "%s%04d", m->code, place + 1);
        snprintf(reader, sizeof reader, "%s%06d", area, 1);
        set(&w, r, "card", card); set(&w, r, "name", name); set(&w, r, "flag", "1");
        set(&w, r, "in_time", zb_time_text(shift + (i % 20) * ZB_MINUTE, time)); set(&w, r, "area", area);
        set(&w, r, "area_in", zb_time_text(shift + (25 + i % 20) * ZB_MINUTE < t ? shift + (25 + i % 20) * ZB_MINUTE : t, time)); set(&w, r, "reader", reader);
        set(&w, r, "reader_in", zb_time_text(t - (i % 7) * 10 * ZB_SECOND, time)); set(&w, r, "work_mode", "三八制"); set(&w, r, "work_state", "正常");
        set(&w, r, "leader", i % 30 == 0 ? "1" : "0"); set(&w, r, "special", "0");
    }
    return sheet_end(&w, m, t, sink, arg, e);
}

static int write_reported(struct sim *s, struct smine *m, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    struct sheet w;
    char code[48], a[ZB_TIME_CAP], num[16];
    if (sheet_begin(&w, s, "YCBJ", e) != ZB_OK) return e->rc;
    for (int k = 0; k < 8; k++) {
        bool over = m->v[k] >= 1.0, was = m->reported[k];
        if (!over && !was) continue;
        if (over && !was) m->since[k] = t, m->peak[k] = 0;
        if (m->v[k] > m->peak[k]) m->peak[k] = m->v[k];
        m->reported[k] = over;
        struct str *r = row(&w);
        code_of(m, k, code);
        set(&w, r, "point_code", code); set(&w, r, "type_name", SPECS[k].name); set(&w, r, "location", SPECS[k].place); set(&w, r, "unit", SPECS[k].unit); set(&w, r, "abnormal_type", "001");
        set(&w, r, "start", zb_time_text(m->since[k], a));
        if (!over) set(&w, r, "end", zb_time_text(t, a));
        snprintf(num, sizeof num, "%.2f", m->peak[k]);
        set(&w, r, "max", num); set(&w, r, "time", zb_time_text(t, a));
    }
    if (w.n) return sheet_end(&w, m, t, sink, arg, e);
    arena_free(w.a);
    free(w.row);
    return ZB_OK;
}

static int write_values(struct sim *s, int mi, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    struct smine *m = &s->m[mi];
    struct sheet w, fz;
    char code[48], time[ZB_TIME_CAP], state[12];
    double work = rhythm(t);
    const struct planted *drift = fault_on(s, mi, -1, t);
    zb_time shown = drift && drift->f == F_DRIFT ? t - 4 * ZB_MINUTE : t;
    zb_time_text(shown, time);
    m->power_cut = false;
    if (sheet_begin(&w, s, "CDSS", e) != ZB_OK) return e->rc;
    for (int k = 0; k < POINTS; k++) {
        struct reading x;
        struct str *r = row(&w);
        if (!strcmp(SPECS[k].vt, "MN")) point_next(s, mi, k, t, m->power_cut ? 0.1 : work, &x);
        else switch_next(s, mi, k, m->power_cut ? 0 : work, &x);
        code_of(m, k, code);
        snprintf(state, sizeof state, "%d", x.state);
        set(&w, r, "point_code", code); set(&w, r, "type_name", SPECS[k].name); set(&w, r, "location", SPECS[k].place); set(&w, r, "value", x.value); set(&w, r, "unit", SPECS[k].unit);
        set(&w, r, "state", state); set(&w, r, "time", time);
    }
    if (sheet_end(&w, m, shown, sink, arg, e) != ZB_OK || sheet_begin(&fz, s, "FZSS", e) != ZB_OK) return e->rc;
    for (int i = 1; i <= 2; i++) {
        struct str *r = row(&fz);
        snprintf(code, sizeof code, "%03d", i);
        set(&fz, r, "station_code", code); set(&fz, r, "run", "0"); set(&fz, r, "power", "1"); set(&fz, r, "time", time);
    }
    return sheet_end(&fz, m, shown, sink, arg, e);
}

static int mine_step(struct sim *s, int i, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    struct smine *m = &s->m[i];
    const struct planted *late = fault_on(s, i, -1, t);
    if (m->defined == ZB_TIME_NONE || t - m->defined >= ZB_DAY) {
        if (write_definitions(s, m, t, sink, arg, e) != ZB_OK || write_people_master(s, m, t, sink, arg, e) != ZB_OK) return e->rc;
        m->defined = t;
    }
    if (late && late->f == F_LATE) return ZB_OK; /* the line is down: nothing comes */
    if (write_values(s, i, t, sink, arg, e) != ZB_OK || write_people(s, m, t, sink, arg, e) != ZB_OK) return e->rc;
    return write_reported(s, m, t, sink, arg, e);
}

int sim_new(const struct policy *p, const struct sim_config *c, struct sim **ret, struct zb_err *e) {
    struct sim *s = xcalloc(1, sizeof *s);
    s->p = p;
    s->c = *c;
    s->rng[0] = c->seed * 0x9E3779B97F4A7C15u + 1;
    s->rng[1] = c->seed ^ 0xD1B54A32D192ED03u;
    for (int i = 0; i < 16; i++) (void)rnd(s);
    buf_init(&s->truth, (size_t)1 << 20);
    s->m = xcalloc((size_t)c->mines, sizeof *s->m);
    s->at = c->start / (30 * ZB_SECOND) * (30 * ZB_SECOND);
    for (int i = 0; i < c->mines; i++) {
        struct smine *m = &s->m[i];
        snprintf(m->code, sizeof m->code, "%s9%05d", COUNTY[i % 10], i + 1);
        if (i < 10) snprintf(m->name, sizeof m->name, "示范%s矿", NUMBER[i]);
        else snprintf(m->name, sizeof m->name, "示范%d矿", i + 1);
        m->level = 0.85 + 0.3 * uniform(s);
        m->defined = ZB_TIME_NONE;
        for (int k = 0; k < POINTS; k++) m->v[k] = SPECS[k].base * (SPECS[k].role == R_CH4 ? m->level : 1.0);
        for (int k = 0; k < 120; k++) m->day[k] = SPECS[4].base * m->level;
    }
    int rc = faults_plan(s, e);
    if (rc != ZB_OK) {
        sim_free(s);
        return rc;
    }
    *ret = s;
    return ZB_OK;
}

int sim_step(struct sim *s, zb_time until, sim_sink sink, void *arg, struct zb_err *e) {
    for (; s->at < until; s->at += 30 * ZB_SECOND)
        for (int i = 0; i < s->c.mines; i++)
            if (mine_step(s, i, s->at, sink, arg, e) != ZB_OK) return e->rc;
    return ZB_OK;
}

struct str sim_truth(const struct sim *s) { return buf_str(&s->truth); }

void sim_free(struct sim *s) {
    if (!s) return;
    buf_done(&s->truth);
    free(s->m);
    free(s);
}

/* ---- to a folder ---- */
static int file_put(const char *path, struct str bytes, struct zb_err *e) {
    char tmp[700];
    snprintf(tmp, sizeof tmp, "%.680s.tmp", path);
    FILE *f = fopen(tmp, "wb");
    bool ok = f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
    if (f && fclose(f) != 0) ok = false;
    return ok && rename(tmp, path) == 0 ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
}

static int to_folder(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e) {
    char path[680];
    snprintf(path, sizeof path, "%.500s/%s", (const char *)arg, mine);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%.500s/%s/%s", (const char *)arg, mine, name);
    return file_put(path, bytes, e);
}

int sim_run(const struct policy *p, const struct sim_config *c, FILE *progress, struct zb_err *e) {
    struct sim *s;
    char path[600];
    if (mkdir(c->out, 0755) != 0 && errno != EEXIST) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", c->out, strerror(errno));
    if (sim_new(p, c, &s, e) != ZB_OK) return e->rc;
    zb_time end = c->start + (zb_time)(c->hours * (double)ZB_HOUR);
    int rc = ZB_OK;
    while (c->live && rc == ZB_OK && zb_now() < end) { /* in step with the clock */
        rc = sim_step(s, zb_now(), to_folder, (void *)c->out, e);
        nanosleep(&(struct timespec){0, 500000000}, NULL);
    }
    for (zb_time t = c->start; !c->live && t < end && rc == ZB_OK; t += 10 * ZB_MINUTE) {
        rc = sim_step(s, t + 10 * ZB_MINUTE < end ? t + 10 * ZB_MINUTE : end, to_folder, (void *)c->out, e);
        if (progress && isatty(fileno(progress))) fprintf(progress, "\r%lld of %lld minutes", (long long)((t - c->start) / ZB_MINUTE), (long long)((end - c->start) / ZB_MINUTE));
    }
    snprintf(path, sizeof path, "%.500s/truth.jsonl", c->out);
    if (rc == ZB_OK && !c->live) rc = file_put(path, sim_truth(s), e);
    sim_free(s);
    return rc;
}
