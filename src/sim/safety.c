/* The files of the safety monitoring system 安全监控: definitions, readings, switch changes, statistics, alarms the mine reports. */
#include "sim/inside.h"
#include <stdio.h>

void point_code(const struct smine *m, int k, char out[48]) { snprintf(out, 48, "%s01%s%s%04d", m->code, SPECS[k].vt, SPECS[k].type, k + 1); }

static const char *station_of(int k) { return k < 10 ? "001" : k < 20 ? "002" : "003"; }

static void relation_set(struct sheet *w, struct str *r, const struct smine *m, int zone) {
    char rel[160], feed[48] = "", cutter[48] = "";
    for (int k = 0; k < SPECS_N; k++) {
        if (SPECS[k].zone != zone) continue;
        if (SPECS[k].role == R_FEED) point_code(m, k, feed);
        if (SPECS[k].role == R_CUTTER) point_code(m, k, cutter);
    }
    snprintf(rel, sizeof rel, "K-%s-断电器:D-%s", cutter, feed);
    sheet_set(w, r, "relation", rel);
}

static void switch_words(struct sheet *w, struct str *r, enum role role) {
    const char *on = "开", *off = "停";
    if (role == R_DOOR) on = "打开", off = "关闭";
    if (role == R_DUCT) on = "有风", off = "无风";
    if (role == R_SMOKE) on = "有", off = "无";
    if (role == R_FEED) on = "有电压", off = "无电压";
    if (role == R_CUTTER) on = "复电", off = "断电";
    sheet_set(w, r, "on_desc", on);
    sheet_set(w, r, "off_desc", off);
}

static void definition_row(struct sheet *w, const struct smine *m, int k, const char *time) {
    static const char *const LIMIT[] = {"hi_alarm", "hi_clear", "hi_cut", "hi_restore"};
    const struct spec *sp = &SPECS[k];
    struct str *r = sheet_row(w);
    char code[48], at[32];
    point_code(m, k, code);
    sheet_set(w, r, "point_code", code);
    sheet_set(w, r, "sys_code", "01");
    sheet_set(w, r, "station_code", station_of(k));
    sheet_set(w, r, "sensor_type", sp->type);
    sheet_set(w, r, "value_type", sp->vt);
    sheet_set(w, r, "unit", sp->unit);
    if (sp->range[0]) sheet_set(w, r, "range_high", sp->range), sheet_set(w, r, "range_low", "0.00");
    for (int i = 0; i < 4; i++) sheet_set(w, r, LIMIT[i], sp->hi[i]);
    if (sp->role == R_O2) sheet_set(w, r, "lo_alarm", "20.0"), sheet_set(w, r, "lo_clear", "20.0");
    if (!strcmp(sp->vt, "KG")) switch_words(w, r, sp->role);
    sheet_set(w, r, "location", sp->place);
    snprintf(at, sizeof at, "%d.20", 4428000 + 35 * k); /* a made-up grid: no mine has these */
    sheet_set(w, r, "x", at);
    snprintf(at, sizeof at, "%d.50", 19626000 + 47 * k);
    sheet_set(w, r, "y", at);
    sheet_set(w, r, "z", "1080.30");
    if (sp->role == R_CH4 && sp->zone >= 0) relation_set(w, r, m, sp->zone);
    sheet_set(w, r, "time", time);
}

int write_definitions(struct outlet *o, struct zb_err *e) {
    static const char *const STATION[][2] = {{"001", "1101工作面分站"}, {"002", "一采区分站"}, {"003", "地面机房分站"}};
    struct sheet w;
    char time[ZB_TIME_CAP];
    zb_time_text(o->device, time);
    if (sheet_begin(&w, o->s, "CDDY", e) != ZB_OK) return e->rc;
    for (int k = 0; k < SPECS_N; k++) definition_row(&w, &o->s->m[o->mine], k, time);
    if (sheet_end(&w, o, true, e) != ZB_OK || sheet_begin(&w, o->s, "FZDY", e) != ZB_OK) return e->rc;
    for (int i = 0; i < 3; i++) {
        struct str *r = sheet_row(&w);
        sheet_set(&w, r, "station_code", STATION[i][0]);
        sheet_set(&w, r, "location", STATION[i][1]);
        sheet_set(&w, r, "time", time);
    }
    return sheet_end(&w, o, true, e);
}

static void state_set(struct sheet *w, struct str *r, int state) {
    char text[12];
    snprintf(text, sizeof text, "%d", state);
    sheet_set(w, r, "state", text);
}

static struct str *point_row(struct sheet *w, const struct smine *m, int k, const char *time) {
    struct str *r = sheet_row(w);
    char code[48];
    point_code(m, k, code);
    sheet_set(w, r, "point_code", code);
    sheet_set(w, r, "type_name", SPECS[k].name);
    sheet_set(w, r, "location", SPECS[k].place);
    sheet_set(w, r, "time", time);
    return r;
}

static int write_changes(struct outlet *o, const char *time, struct zb_err *e) {
    struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    if (sheet_begin(&w, o->s, "KGBH", e) != ZB_OK) return e->rc;
    for (int k = 0; k < SPECS_N; k++) {
        if (strcmp(SPECS[k].vt, "KG") != 0) continue;
        int v = m->now[k].v != 0;
        if (m->sw[k] != SWITCH_NONE && m->sw[k] != v) {
            struct str *r = point_row(&w, m, k, time);
            sheet_set(&w, r, "value", v ? "1" : "0");
            state_set(&w, r, 0);
        }
        m->sw[k] = v;
    }
    return sheet_end(&w, o, false, e);
}

int write_readings(struct outlet *o, struct zb_err *e) {
    const struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char time[ZB_TIME_CAP], code[12];
    zb_time_text(o->device, time);
    if (sheet_begin(&w, o->s, "CDSS", e) != ZB_OK) return e->rc;
    for (int k = 0; k < SPECS_N; k++) {
        struct str *r = point_row(&w, m, k, time);
        sheet_set(&w, r, "value", m->now[k].value);
        sheet_set(&w, r, "unit", SPECS[k].unit);
        state_set(&w, r, m->now[k].state);
    }
    if (sheet_end(&w, o, true, e) != ZB_OK || sheet_begin(&w, o->s, "FZSS", e) != ZB_OK) return e->rc;
    for (int i = 1; i <= 3; i++) {
        struct str *r = sheet_row(&w);
        snprintf(code, sizeof code, "%03d", i);
        sheet_set(&w, r, "station_code", code);
        sheet_set(&w, r, "run", "0");
        sheet_set(&w, r, "power", "1");
        sheet_set(&w, r, "time", time);
    }
    if (sheet_end(&w, o, true, e) != ZB_OK) return e->rc;
    return write_changes(o, time, e);
}

static void span_add(struct span_stat *x, double v, zb_time t) {
    if (!x->n || v > x->max) x->max = v, x->max_t = t;
    if (!x->n || v < x->min) x->min = v, x->min_t = t;
    x->sum += v;
    x->n++;
}

static void span_set(struct sheet *w, struct str *r, const struct span_stat *x) {
    char text[ZB_TIME_CAP];
    if (!x->n) return;
    snprintf(text, sizeof text, "%.2f", x->max);
    sheet_set(w, r, "max", text);
    sheet_set(w, r, "max_time", zb_time_text(x->max_t, text));
    snprintf(text, sizeof text, "%.2f", x->min);
    sheet_set(w, r, "min", text);
    sheet_set(w, r, "min_time", zb_time_text(x->min_t, text));
    snprintf(text, sizeof text, "%.2f", x->sum / x->n);
    sheet_set(w, r, "avg", text);
}

/* Statistics of five minutes; readings whose state speaks against them do not count. */
int write_statistics(struct outlet *o, struct zb_err *e) {
    struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char text[ZB_TIME_CAP];
    if (sheet_begin(&w, o->s, "TJSJ", e) != ZB_OK) return e->rc;
    bool due = o->t % (5 * ZB_MINUTE) == 0;
    for (int k = 0; k < SPECS_N; k++) {
        if (strcmp(SPECS[k].vt, "MN") != 0) continue;
        struct span_stat *x = &m->five[k];
        if (x->since == ZB_TIME_NONE) x->since = o->device;
        if (!(m->now[k].state & ~(ST_ALARM | ST_CUT))) span_add(x, m->now[k].v, o->device);
        if (!due) continue;
        if (x->n && o->device > x->since) {
            struct str *r = point_row(&w, m, k, zb_time_text(o->device, text));
            sheet_set(&w, r, "unit", SPECS[k].unit);
            sheet_set(&w, r, "start", zb_time_text(x->since, text));
            sheet_set(&w, r, "end", zb_time_text(o->device, text));
            if (fault_on(o->s, o->mine, k, F_UNDER, o->t)) x->max = x->min + 0.2 * (x->max - x->min), x->sum = x->n * x->min;
            span_set(&w, r, x);
        }
        *x = (struct span_stat){.since = o->device};
    }
    return sheet_end(&w, o, false, e);
}

/* Alarms the mine's own system reports 异常报警: sent again each period until they have an end. */
int write_reported(struct outlet *o, struct zb_err *e) {
    static const struct {
        const char *type;
        int bit;
    } KIND[REPORT_KINDS] = {{"001", ST_ALARM}, {"002", ST_CUT}, {"004", ST_FAULT}, {"008", ST_OVER_RANGE}};
    struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char text[ZB_TIME_CAP];
    if (sheet_begin(&w, o->s, "YCBJ", e) != ZB_OK) return e->rc;
    for (int i = 0; i < SPECS_N * REPORT_KINDS; i++) {
        int k = i / REPORT_KINDS, j = i % REPORT_KINDS;
        struct span_stat *x = &m->alarm[k][j];
        bool on = m->now[k].state & KIND[j].bit, was = x->since != ZB_TIME_NONE;
        if (!on && !was) continue;
        if (!was) *x = (struct span_stat){.since = o->device};
        if (on && m->now[k].value[0]) span_add(x, m->now[k].v, o->device);
        struct str *r = point_row(&w, m, k, zb_time_text(o->device, text));
        sheet_set(&w, r, "unit", SPECS[k].unit);
        sheet_set(&w, r, "abnormal_type", KIND[j].type);
        sheet_set(&w, r, "start", zb_time_text(x->since, text));
        if (!on) sheet_set(&w, r, "end", zb_time_text(o->device, text));
        span_set(&w, r, x);
        if (!on) x->since = ZB_TIME_NONE;
    }
    return sheet_end(&w, o, false, e);
}
