/* Coal and power of a whole mine: tons on the belt, the heap and the lorries, energy by circuit. */
#include "sim/inside.h"
#include <math.h>
#include <stdio.h>

static const struct {
    const char *name, *at;
} CIRCUIT[CIRCUITS_N] = {{"总进线", "地面变电所35kV"}, {"主运输皮带", "主斜井"}, {"1101工作面", ""},
                         {"1203掘进工作面", ""},       {"主通风机", "风井"},     {"排水泵", "中央泵房"}};
enum { HEAP = 24000, LORRY = 33, TICKETS_EVERY = 15 };

double output_counted(const struct sim *s, int mi, zb_time t, double gained) {
    bool secret;
    if (sim_stopped(s, mi, t, &secret)) return 0;
    double share = fault_on(s, mi, -1, F_POWER, t) ? 0.6 : fault_on(s, mi, -1, F_BALANCE, t) ? 0.8 : 1;
    return share * sim_scale(s, mi) * gained;
}

/* Lorries leave from 06 to 22, more of them when the heap is high. */
static void lorries(struct sim *s, struct smine *m, zb_time t) {
    int hour = (int)((t + 8 * ZB_HOUR) / ZB_HOUR % 24);
    double day = 7000 * (m->stock > 1.4 * HEAP ? 1.2 : m->stock < 0.6 * HEAP ? 0.7 : 1), a_step = day / 16 / 120 / LORRY;
    if (hour < 6 || hour >= 22 || m->stock < 2000 || sim_uniform(s) >= a_step || m->tickets - m->sold == 64) return;
    double net = floor((LORRY + 1.5 * sim_normal(s)) * 100 + 0.5) / 100;
    m->ticket[m->tickets++ % 64] = (struct ticket){t, net};
    m->stock -= net;
}

void output_next(struct sim *s, int mi, zb_time t, double work, double gained) {
    struct smine *m = &s->m[mi];
    if (!s->c.whole) return;
    bool secret, stopped = sim_stopped(s, mi, t, &secret) != NULL;
    double hour = (double)((t + 8 * ZB_HOUR) % ZB_DAY) / (double)ZB_HOUR, noise = 1 + 0.02 * sim_normal(s);
    double kw[CIRCUITS_N] = {[1] = work > 0.12 ? 300 + 500 * work : 20,
                             [2] = 90 + 2100 * work,
                             [3] = 60 + 400 * work,
                             [4] = 1150,
                             [5] = hour < 6 || hour >= 22 ? 480 : 220}; /* pumps run on cheap power by night */
    kw[0] = 280 + (sim_rests(s, mi, t) ? 60 : 0);
    for (int i = 1; i < CIRCUITS_N; i++) kw[0] += 1.015 * kw[i];
    for (int i = 0; i < CIRCUITS_N; i++) m->kwh[i] += kw[i] * noise * (double)SIM_STEP / (double)ZB_HOUR;
    m->stock += fault_on(s, mi, -1, F_POWER, t) ? output_counted(s, mi, t, gained) / sim_scale(s, mi)
                : stopped                       ? 0
                                                : gained; /* the same share is sold without a ticket */
    lorries(s, m, t);
}

static void meter_code(const struct smine *m, int i, char out[48]) { snprintf(out, 48, "%sDL%02d", m->code, i + 1); }

int write_meters(struct outlet *o, struct zb_err *e) {
    struct sheet w;
    char code[48], time[ZB_TIME_CAP];
    if (!o->s->c.whole) return ZB_OK;
    if (sheet_begin(&w, o->s, "DLDY", e) != ZB_OK) return e->rc;
    for (int i = 0; i < CIRCUITS_N; i++) {
        struct str *r = sheet_row(&w);
        meter_code(&o->s->m[o->mine], i, code);
        sheet_set(&w, r, "point_code", code);
        sheet_set(&w, r, "name", CIRCUIT[i].name);
        sheet_set(&w, r, "location", CIRCUIT[i].at);
        sheet_set(&w, r, "time", zb_time_text(o->t, time));
    }
    return sheet_end(&w, o, true, e);
}

static int write_power(struct outlet *o, struct zb_err *e) {
    const struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char code[48], time[ZB_TIME_CAP], text[32];
    if (sheet_begin(&w, o->s, "DLSS", e) != ZB_OK) return e->rc;
    for (int i = 0; i < CIRCUITS_N; i++) {
        struct str *r = sheet_row(&w);
        meter_code(m, i, code);
        snprintf(text, sizeof text, "%.1f", m->kwh[i]);
        sheet_set(&w, r, "point_code", code);
        sheet_set(&w, r, "kwh", text);
        sheet_set(&w, r, "state", "0");
        sheet_set(&w, r, "time", zb_time_text(o->t, time));
    }
    return sheet_end(&w, o, true, e);
}

static int write_tickets(struct outlet *o, struct zb_err *e) {
    struct smine *m = &o->s->m[o->mine];
    struct sheet w;
    char time[ZB_TIME_CAP], text[32], scale[48];
    if (sheet_begin(&w, o->s, "YSPD", e) != ZB_OK) return e->rc;
    snprintf(scale, sizeof scale, "%sBF01", m->code);
    for (; m->sold < m->tickets; m->sold++) {
        const struct ticket *k = &m->ticket[m->sold % 64];
        struct str *r = sheet_row(&w);
        snprintf(text, sizeof text, "%s%08d", m->code, m->sold + 1);
        sheet_set(&w, r, "ticket", text);
        sheet_set(&w, r, "scale", scale);
        snprintf(text, sizeof text, "%.2f", k->net);
        sheet_set(&w, r, "net", text);
        sheet_set(&w, r, "material", "原煤");
        sheet_set(&w, r, "time", zb_time_text(k->t, time));
    }
    return sheet_end(&w, o, false, e);
}

/* The heap as it is booked each evening, within 0.2 %. */
static int write_stock(struct outlet *o, struct zb_err *e) {
    struct sheet w;
    char time[ZB_TIME_CAP], text[32];
    if (sheet_begin(&w, o->s, "KCRB", e) != ZB_OK) return e->rc;
    struct str *r = sheet_row(&w);
    zb_time_text(o->t, time);
    snprintf(text, sizeof text, "%.10s", time);
    sheet_set(&w, r, "date", text);
    snprintf(text, sizeof text, "%.0f", o->s->m[o->mine].stock * (1 + 0.002 * sim_normal(o->s)));
    sheet_set(&w, r, "stock", text);
    sheet_set(&w, r, "time", time);
    return sheet_end(&w, o, true, e);
}

int write_output(struct outlet *o, struct zb_err *e) {
    if (!o->s->c.whole || o->t % (TICKETS_EVERY * ZB_MINUTE) != 0) return ZB_OK;
    if (write_power(o, e) != ZB_OK || write_tickets(o, e) != ZB_OK) return e->rc;
    zb_time every = o->s->c.every * ZB_SECOND > TICKETS_EVERY * ZB_MINUTE ? o->s->c.every * ZB_SECOND : TICKETS_EVERY * ZB_MINUTE;
    return (o->t + 8 * ZB_HOUR) % ZB_DAY + every >= ZB_DAY ? write_stock(o, e) : ZB_OK; /* the last of the day */
}
