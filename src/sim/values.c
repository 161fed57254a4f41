/* How a simulated mine breathes: gas follows coal cutting, cutting follows the shifts and stops when methane cuts the power. */
#include "sim/inside.h"
#include <math.h>
#include <stdio.h>

uint64_t sim_rnd(struct sim *s) { /* xoroshiro128+ */
    uint64_t a = s->rng[0], b = s->rng[1], r = a + b;
    b ^= a;
    s->rng[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
    s->rng[1] = (b << 37) | (b >> 27);
    return r;
}
double sim_uniform(struct sim *s) { return (double)(sim_rnd(s) >> 11) * 0x1p-53; }
double sim_normal(struct sim *s) { /* sum of six: near enough to normal, bounded, and the same on every machine */
    double x = -3.0;
    for (int i = 0; i < 6; i++) x += sim_uniform(s);
    return x;
}

/* Share of full coal cutting: three shifts 三八制, 06-14 is maintenance 检修班; little at both ends of a shift. */
double sim_rhythm(zb_time t) {
    int minute = (int)((t + 8 * ZB_HOUR) / ZB_MINUTE % 1440), hour = minute / 60;
    double work = hour >= 6 && hour < 14 ? 0.15 : 1.0;
    int in_shift = (minute + 120) % 480;
    return in_shift < 30 || in_shift > 450 ? 0.1 * work : work;
}

static double two_decimals(double x) { return floor(x * 100.0 + 0.5) / 100.0; }

static double limit_of(const struct spec *sp, int i) {
    zb_fix v;
    return sp->hi[i] && num_fix(str_of(sp->hi[i]), &v) ? zb_fix_double(v) : HUGE_VAL;
}

/* What the fault shows instead of the truth. */
static double faked(const struct sim *s, const struct planted *f, int k, zb_time t, double truth, int *state) {
    const struct smine *m = &s->m[f->mine];
    double into = (double)(t - f->from) / (double)(f->to - f->from);
    int since = (int)((t - f->from) / SIM_STEP);
    switch (f->f) {
    case F_OVER: return truth + (1.9 - truth) * sin(into * 3.141592653589793);
    case F_BURST:
        if (since < 2) return truth + (4.0 - truth) * (since + 1) / 3.0;
        *state |= ST_OVER_RANGE;
        return 4.0;
    case F_STUCK: return two_decimals(SPECS[k].base * m->level);
    case F_REPLAY: {
        int lag = f->lag > 0 ? f->lag : 1;
        return m->ring[k][(s->step - since - lag + since % lag + DAY_RING) % DAY_RING];
    }
    case F_SMOOTH: return (SPECS[k].base + SPECS[k].gas * (0.5 + 0.3 * sin(into * 12.566370614359172))) * m->level;
    case F_CLAMP: truth += 1.2 * sin(into * 3.141592653589793); return truth > 0.95 ? 0.95 : truth;
    case F_DROPOUT: *state |= ST_FAULT; return truth;
    case F_MASKED: *state |= ST_PAUSED; return truth;
    default: return truth;
    }
}

static void analog_next(struct sim *s, int mi, int k, zb_time t, double work) {
    struct smine *m = &s->m[mi];
    const struct spec *sp = &SPECS[k];
    struct reading *out = &m->now[k];
    bool gas = sp->role == R_CH4 || sp->role == R_CO;
    double wave = sin((double)(t % ZB_DAY) / (double)ZB_DAY * 6.283185307179586) * (gas ? 0.03 : 0.003);
    double level = (gas ? m->level : 1.0) * sim_level(s, mi, k, t), to = (sp->base * (1.0 + wave) + sp->gas * work) * level;
    m->v[k] += (to - m->v[k]) * 0.05 + sp->noise * sim_normal(s) * 0.6;
    out->state = 0;
    const struct planted *f = fault_at(s, mi, k, t);
    double shown = f ? faked(s, f, k, t, m->v[k], &out->state) : m->v[k];
    if (!f) sim_innocent(s, mi, k, t, &shown, &out->state);
    shown = shown < 0 ? 0 : two_decimals(shown);
    if (!f || f->f != F_REPLAY) m->ring[k][s->step % DAY_RING] = shown;
    out->v = shown;
    if (out->state & (ST_FAULT | ST_STATION)) {
        out->value[0] = 0;
        return;
    }
    if (shown >= limit_of(sp, 0)) out->state |= ST_ALARM;
    if (shown >= limit_of(sp, 2)) out->state |= ST_CUT;
    snprintf(out->value, sizeof out->value, "%.2f", shown);
}

/* Power of a zone: off at a cut value, on again when every gas point of it is below its restore value. */
static void zones_next(struct smine *m) {
    for (int z = 0; z < ZONES; z++) {
        bool cut = false, back = true;
        for (int k = 0; k < SPECS_N; k++) {
            if (SPECS[k].role != R_CH4 || SPECS[k].zone != z || (m->now[k].state & (ST_FAULT | ST_STATION | ST_CALIB))) continue;
            cut = cut || (m->now[k].state & ST_CUT);
            back = back && m->now[k].v < limit_of(&SPECS[k], 3);
        }
        m->cut[z] = cut || (m->cut[z] && !back);
    }
}

static enum fan zone_fan(const struct sim *s, int mi, int zone, zb_time t) {
    for (int k = 0; k < SPECS_N; k++)
        if (SPECS[k].role == R_FAN && SPECS[k].zone == zone) return sim_fan(s, mi, k, t);
    return FAN_RUNS;
}

static void switch_next(struct sim *s, int mi, int k, zb_time t, double work) {
    struct smine *m = &s->m[mi];
    const struct spec *sp = &SPECS[k];
    struct reading *out = &m->now[k];
    bool cut = sp->zone >= 0 && m->cut[sp->zone];
    double v = 1, gained;
    bool secret, stopped = sim_stopped(s, mi, t, &secret) != NULL; /* whoever breaks a stop has the switches show none of it */
    switch (sp->role) {
    case R_DOOR: v = sim_uniform(s) < 0.02; break;
    case R_SMOKE: v = 0; break;
    case R_BELT: v = work > 0.12 && !stopped; break;
    case R_MACHINE: v = work > 0.12 && !cut && !stopped && (sp->zone != ZONE_HEAD_A || zone_fan(s, mi, sp->zone, t) != FAN_STANDS); break;
    case R_FAN: v = sim_fan(s, mi, k, t) == FAN_RUNS; break;
    case R_DUCT: v = zone_fan(s, mi, sp->zone, t) != FAN_STANDS; break;
    case R_FEED:
    case R_CUTTER: v = !cut; break;
    case R_OUTPUT:
        gained = (m->cut[ZONE_FACE] ? 0 : work) * 4.2 * (0.8 + 0.4 * sim_uniform(s));
        v = m->output = two_decimals(m->output + output_counted(s, mi, t, gained));
        output_next(s, mi, t, work, gained);
        break;
    default: break;
    }
    out->v = v;
    out->state = 0;
    snprintf(out->value, sizeof out->value, sp->role == R_OUTPUT ? "%.2f" : "%.0f", v);
}

void readings_next(struct sim *s, int mi, zb_time t) {
    struct smine *m = &s->m[mi];
    double work = sim_work(s, mi, t);
    for (int k = 0; k < SPECS_N; k++)
        if (!strcmp(SPECS[k].vt, "MN")) analog_next(s, mi, k, t, SPECS[k].zone >= 0 && m->cut[SPECS[k].zone] ? 0 : work);
    zones_next(m);
    for (int k = 0; k < SPECS_N; k++)
        if (strcmp(SPECS[k].vt, "MN") != 0) switch_next(s, mi, k, t, work);
}
