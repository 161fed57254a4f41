/* What happens at a mine without anybody doing wrong: rest days, stoppages, calibrations, moved sensors, losses, tests of fans. Each is a function of seed, mine
 * and day alone, so nothing has to be remembered and the same seed gives the same month. */
#include "sim/inside.h"
#include <math.h>
#include <string.h>

enum {
    W_OVERHAUL,
    W_LEVEL,
    W_STOP,
    W_LINK,
    W_MAIN_FAN,
    W_WEATHER,
    W_SCALE,
    W_STATION,
    W_LOST = 100,
    W_CALIB = 200,
    W_MOVE = 300,
    W_FAN_TEST = 400,
    W_FAN_STOP = 500
};
enum { CALIB_DAYS = 15, MOVE_DAYS = 30 }; /* 15 days: the longest between calibrations of methane sensors */

/* 0..1 for anything that has a number. */
double sim_dice(const struct sim *s, int mi, int what, int64_t n, int m) {
    uint64_t x = s->c.seed * 0x9E3779B97F4A7C15u + (uint64_t)mi * 0xBF58476D1CE4E5B9u + (uint64_t)what * 0x94D049BB133111EBu +
                 (uint64_t)n * 0xD6E8FEB86659FD93u + (uint64_t)m * 0xA0761D6478BD642Fu;
    for (int i = 0; i < 3; i++) x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u, x ^= x >> 27;
    return (double)(x >> 11) * 0x1p-53;
}

/* An event of the day with its chance, beginning between two hours, so many minutes long: is it now? */
static bool now_is(const struct sim *s, int mi, int what, zb_time t, double chance, double h0, double h1, double m0, double m1, zb_time *from, zb_time *to) {
    int32_t day = zb_day_of(t);
    if (sim_dice(s, mi, what, day, 0) >= chance) return false;
    *from = zb_day_start(day) + (zb_time)((h0 + (h1 - h0) * sim_dice(s, mi, what, day, 1)) * 120) * SIM_STEP;
    *to = *from + (zb_time)((m0 + (m1 - m0) * sim_dice(s, mi, what, day, 2)) * 2 + 0.5) * SIM_STEP;
    return t >= *from && t < *to;
}

static bool holiday(const struct sim *s, int32_t day) {
    for (int i = 0; i < s->p->calendar_days; i++)
        if (s->p->calendar[i].day == day) return !s->p->calendar[i].work;
    return false;
}
/* No coal: a public holiday, or the monthly overhaul from 06 to 22. */
bool sim_rests(const struct sim *s, int mi, zb_time t) {
    int32_t day = zb_day_of(t);
    int hour = (int)((t - zb_day_start(day)) / ZB_HOUR), overhaul = (int)(sim_dice(s, mi, W_OVERHAUL, 0, 0) * MOVE_DAYS);
    return s->c.whole && (holiday(s, day) || ((day + overhaul) % MOVE_DAYS == 0 && hour >= 6 && hour < 22));
}

/* The declared stop of a mine, kept or broken. */
const struct planted *sim_stopped(const struct sim *s, int mi, zb_time t, bool *secret) {
    const struct planted *f = fault_on(s, mi, -1, F_SECRET, t);
    *secret = f != NULL;
    return f ? f : fault_on(s, mi, -1, F_STANDSTILL, t);
}

double sim_work(const struct sim *s, int mi, zb_time t) {
    double work = sim_rhythm(t);
    bool secret;
    int32_t day = zb_day_of(t);
    int hour = (int)((t - zb_day_start(day)) / ZB_HOUR);
    if (sim_stopped(s, mi, t, &secret)) return secret && (hour >= 22 || hour < 6) ? 0.8 * work : 0;
    if (!s->c.whole) return work;
    if (sim_rests(s, mi, t)) return 0;
    if ((day + 4) % 7 == 6) work *= 0.85; /* Sunday: 1970-01-01 was a Thursday */
    work *= 0.88 + 0.16 * sim_dice(s, mi, W_LEVEL, day, 0);
    int64_t slot = t / ZB_HOUR; /* a stoppage in one hour of eight */
    double minute = (double)(t % ZB_HOUR) / (double)ZB_MINUTE, at = 35 * sim_dice(s, mi, W_STOP, slot, 1), lasts = 5 + 20 * sim_dice(s, mi, W_STOP, slot, 2);
    return sim_dice(s, mi, W_STOP, slot, 0) < 0.125 && minute >= at && minute < at + lasts ? 0.02 : work;
}

bool sim_link_down(const struct sim *s, int mi, zb_time t, zb_time *back) {
    zb_time from;
    return s->c.whole && now_is(s, mi, W_LINK, t, 0.35, 0.5, 23, 3, 25, &from, back);
}

/* A local fan tested (the other one takes over within seconds: the place has air) or really standing. */
enum fan sim_fan(const struct sim *s, int mi, int k, zb_time t) {
    zb_time a, b;
    if (!s->c.whole) return FAN_RUNS;
    if (now_is(s, mi, W_FAN_STOP + SPECS[k].zone, t, 1.0 / 30, 8, 12, 8, 20, &a, &b)) return FAN_STANDS;
    return now_is(s, mi, W_FAN_TEST + k, t, 0.95, 6.2, 8, 0.5, 1, &a, &b) ? FAN_TEST : FAN_RUNS;
}

/* What gas and air do besides work: the barometer, a sensor's new place, a fan that stands. */
double sim_level(const struct sim *s, int mi, int k, zb_time t) {
    if (!s->c.whole) return 1;
    zb_time a, b;
    int64_t half = t / (ZB_DAY / 2);
    double into = (double)(t % (ZB_DAY / 2)) / (double)(ZB_DAY / 2);
    double w = (1 - into) * sim_dice(s, mi, W_WEATHER, half, 0) + into * sim_dice(s, mi, W_WEATHER, half + 1, 0);
    bool gas = SPECS[k].role == R_CH4 || SPECS[k].role == R_CO, swap = now_is(s, mi, W_MAIN_FAN, t, 1.0 / 30, 8, 11, 5, 10, &a, &b);
    if (SPECS[k].role == R_PRESSURE || SPECS[k].role == R_WIND) return swap ? 0.5 : 1;
    if (!gas) return 1;
    int64_t moved = (zb_day_of(t) + (int)(sim_dice(s, mi, W_MOVE + k, -1, 0) * MOVE_DAYS)) / MOVE_DAYS;
    double place = SPECS[k].zone >= 0 ? 1 + 0.12 * (2 * sim_dice(s, mi, W_MOVE + k, moved, 3) - 1) : 1;
    double stands = 0;
    for (int i = 0; i < SPECS_N; i++)
        if (SPECS[i].role == R_FAN && SPECS[i].zone == SPECS[k].zone && sim_fan(s, mi, i, t) == FAN_STANDS) stands = 1.2;
    return (0.94 + 0.12 * w) * place + stands + (swap ? 0.15 : 0);
}

/* Calibration with its flag (zero gas, then 2.0 % test gas), the hour a sensor is carried to its new place, a loose wire, a station without power. */
void sim_innocent(const struct sim *s, int mi, int k, zb_time t, double *shown, int *state) {
    zb_time a, b;
    int32_t day = zb_day_of(t);
    if (!s->c.whole) return;
    bool due = (day + (int)(sim_dice(s, mi, W_CALIB + k, -1, 0) * CALIB_DAYS)) % CALIB_DAYS == 0;
    if (SPECS[k].role == R_CH4 && due && now_is(s, mi, W_CALIB + k, t, 1, 6.5, 12.5, 5, 8, &a, &b)) {
        *state |= ST_CALIB;
        *shown = 2 * (t - a) < b - a ? 0.0 : 1.98 + 0.04 * sim_dice(s, mi, W_CALIB + k, t, 4);
    }
    bool carried = (day + (int)(sim_dice(s, mi, W_MOVE + k, -1, 0) * MOVE_DAYS)) % MOVE_DAYS == 0;
    if (SPECS[k].role == R_CH4 && SPECS[k].zone >= 0 && carried && now_is(s, mi, W_MOVE + k, t, 1, 7, 12, 10, 20, &a, &b)) *state |= ST_FAULT;
    if (now_is(s, mi, W_LOST + k, t, 0.03, 0, 23.5, 1, 6, &a, &b)) *state |= ST_FAULT;
    if (now_is(s, mi, W_STATION + k / 10, t, 1.0 / 7, 0, 23.5, 2, 6, &a, &b)) *state |= ST_STATION;
}

double sim_scale(const struct sim *s, int mi) { return s->c.whole ? 0.992 + 0.016 * sim_dice(s, mi, W_SCALE, 0, 0) : 1; } /* a belt scale within 0.8 % */
