/* Planted faults and the truth about them. Each point fault has a point of its own, so that faults of one mine never hide each other. */
#include "sim/inside.h"
#include "base/json.h"

/* How long: some minutes; a quarter of the run; the last fifth of the run from a midnight on, after which there is a past to compare with. */
enum shape { SHORT, QUARTER, REST };
static const struct {
    const char *name;
    int point;
    enum shape shape;
    const char *expect;
} KIND[F_N] = {
    [F_OVER] = {"over-limit", 0, SHORT, "over-limit and cut alarm; the face's power goes off and comes back"},
    [F_BURST] = {"burst", 4, SHORT, "over-range alarm, red"},
    [F_STUCK] = {"stuck", 6, QUARTER, "flat line while its neighbours breathe"},
    [F_REPLAY] = {"replay", 7, QUARTER, "an earlier stretch shown again, value by value"},
    [F_CLAMP] = {"clamp", 5, QUARTER, "held just below the alarm limit"},
    [F_DROPOUT] = {"dropout", 1, SHORT, "sensor fault alarm, no value"},
    [F_MASKED] = {"masked", 2, SHORT, "masked alarm: the point is paused"},
    [F_LATE] = {"late", -1, SHORT, "late upload alarm; the backlog arrives when the line is back"},
    [F_DRIFT] = {"drift", -1, QUARTER, "the device clock falls behind the upload's time"},
    [F_UNDER] = {"understated", 8, QUARTER, "five-minute statistics below the readings: clue R36"},
    [F_HIDDEN] = {"hidden", -1, QUARTER, "the crew of the face is at a place not declared: clue R30"},
    [F_SMOOTH] = {"smooth", 9, QUARTER, "a curve drawn instead of readings"},
    [F_CLOCK] = {"clock", -1, QUARTER, "the device clock is set an hour back and forth: clue R19"},
    [F_PAIR] = {"pair", -1, QUARTER, "one man carries two cards: clue R36"},
    [F_NO_LEADER] = {"no-leader", -1, QUARTER, "no leader is below: clue X16"},
    [F_OVERTIME] = {"overtime", -1, QUARTER, "a man stays below for two shifts: clue R22"},
    [F_POWER] = {"power", -1, REST, "two fifths of the coal is on no scale and no ticket: power per ton, clue R32"},
    [F_BALANCE] = {"balance", -1, REST, "the belt shows four fifths of what is sold and stored: clue R33"},
    [F_SECRET] = {"secret", -1, REST, "coal is cut by night while a declared stop stands: clue of the stop"},
    [F_STANDSTILL] = {"standstill", -1, REST, "a declared stop that is kept: nothing"},
};

static void truth_put(struct sim *s, const struct planted *f) {
    const struct smine *m = &s->m[f->mine];
    struct json j;
    char code[48] = "";
    if (f->point >= 0) point_code(m, f->point, code);
    json_init(&j, &s->truth);
    json_obj(&j);
    json_key(&j, "mine"), json_z(&j, m->code);
    json_key(&j, "point"), json_z(&j, code);
    json_key(&j, "fault"), json_z(&j, KIND[f->f].name);
    json_key(&j, "from"), json_time(&j, f->from);
    json_key(&j, "to"), json_time(&j, f->to);
    json_key(&j, "expect"), json_z(&j, KIND[f->f].expect);
    json_end(&j);
    buf_putc(&s->truth, '\n');
}

static int plant(struct sim *s, int k, enum fault f, struct zb_err *e) {
    enum shape shape = KIND[f].shape;
    zb_time length = (zb_time)(s->c.hours * (double)ZB_HOUR), slot = length / 4, end = s->start + length - SIM_STEP;
    zb_time from = s->start + (slot + (zb_time)(sim_uniform(s) * (double)slot)) / SIM_STEP * SIM_STEP;
    if (s->c.live) from = s->start + 2 * ZB_MINUTE + k * 90 * ZB_SECOND; /* an onlooker does not wait long */
    zb_time lasts = (shape == QUARTER ? slot : f == F_LATE ? 5 * ZB_MINUTE : 6 * ZB_MINUTE) / SIM_STEP * SIM_STEP;
    if (shape == REST) {
        from = zb_day_start(zb_day_of(s->start + (zb_time)((0.78 + 0.07 * sim_uniform(s)) * (double)length)) + 1), lasts = end - from;
        if (lasts < ZB_DAY) return zb_fail(e, ZB_E_INPUT, "%.3f hours are too short for the fault %s: give some days", s->c.hours, KIND[f].name);
    }
    if (lasts < 90 * ZB_SECOND) lasts = 90 * ZB_SECOND;
    if (s->faults == FAULTS_MAX) return zb_fail(e, ZB_E_LIMIT, "more than %d faults in the list", FAULTS_MAX);
    if (from + lasts > end) lasts = end - from;
    if (lasts < 90 * ZB_SECOND) return zb_fail(e, ZB_E_INPUT, "%.3f hours are too short for faults: give at least 0.1", s->c.hours);
    int elapsed = (int)((from - s->start) / SIM_STEP);
    struct planted *p = &s->fault[s->faults++];
    *p = (struct planted){k % s->c.mines, KIND[f].point, f, from, from + lasts, elapsed < DAY_RING ? elapsed : DAY_RING};
    truth_put(s, p);
    return ZB_OK;
}

int faults_plan(struct sim *s, struct zb_err *e) {
    struct str rest = str_of(s->c.faults);
    for (int k = 0; rest.p && rest.n; k++) {
        struct str one = str_trim(str_cut(rest, ',', &rest));
        int f = F_N;
        for (int i = 0; i < F_N; i++)
            if (str_is(one, KIND[i].name)) f = i;
        if (f == F_N)
            return zb_fail(
                e, ZB_E_INPUT,
                "fault \"%.*s\" is not known: over-limit burst stuck replay clamp dropout masked late drift understated hidden smooth clock pair no-leader "
                "overtime power balance secret standstill",
                one.n > 60 ? 60 : (int)one.n, one.p);
        if (plant(s, k, (enum fault)f, e) != ZB_OK) return e->rc;
    }
    for (int i = 0; i < s->faults; i++)
        if (s->fault[i].f >= F_POWER && !s->c.whole)
            return zb_fail(e, ZB_E_INPUT, "the fault %s needs a whole mine (--whole): power, tickets and stock", KIND[s->fault[i].f].name);
    return s->truth.over ? zb_fail(e, ZB_E_LIMIT, "too many faults for one truth file") : ZB_OK;
}

static bool covers(const struct planted *f, int mine, int point, zb_time t) { return f->mine == mine && f->point == point && t >= f->from && t < f->to; }

const struct planted *fault_on(const struct sim *s, int mine, int point, enum fault kind, zb_time t) {
    for (int i = 0; i < s->faults; i++)
        if (s->fault[i].f == kind && covers(&s->fault[i], mine, point, t)) return &s->fault[i];
    return NULL;
}

const struct planted *fault_at(const struct sim *s, int mine, int point, zb_time t) {
    for (int i = 0; i < s->faults; i++)
        if (covers(&s->fault[i], mine, point, t)) return &s->fault[i];
    return NULL;
}
