/* methane-mm116, the integrity half: clean days, resting runs, calibration, and faults injected into the real series (issue 7, methods.md section D and G).
 * Rows are 30 s; every block of 2,880 is a day judged against all rows before it and nothing after. */
#include "accuracy.h"
#include "detect/integrity.h"
#include <stdio.h>
#include <stdlib.h>

enum { DAY_ROWS = 2880, SEEDS = 200, STEP = 30 * ZB_SECOND };
struct mine_rows {
    int n, scored; /* rows; first row that is scored */
    zb_fix *v[2];  /* MM31, MM116 */
    uint8_t *work;
    double *pd;
    struct policy *p;
};
static const char *const SENSOR[] = {"MM31", "MM116"};

static uint64_t state_;
static double uniform(void) { /* xorshift*, seeded per trial */
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return (double)((state_ * 2685821657736338717ull) >> 11) * 0x1p-53;
}
static int below(int n) { return (int)(uniform() * n); }

static int column(const struct table *t, const char *name, zb_fix *out, struct zb_err *e) {
    for (int i = 0; i < t->rows; i++) {
        struct str s = table_text(t, i, name);
        if (!s.n || str_is(s, "?"))
            out[i] = ZB_FIX_NONE; /* no reading */
        else if (!num_fix(s, &out[i]))
            return zb_fail(e, ZB_E_INPUT, "data row %d, %s: \"" STR_FMT "\" is not a number", i + 1, name, STR_ARG(s));
    }
    return ZB_OK;
}

static int rows_read(const struct split *s, struct mine_rows *m, struct zb_err *e) {
    m->scored = s->train.rows;
    m->n = s->train.rows + s->test.rows;
    m->pd = xmalloc((size_t)m->n * sizeof *m->pd);
    m->work = xmalloc((size_t)m->n);
    for (int k = 0; k < 2; k++) {
        m->v[k] = xmalloc((size_t)m->n * sizeof(zb_fix));
        if (column(&s->train, SENSOR[k], m->v[k], e) != ZB_OK || column(&s->test, SENSOR[k], m->v[k] + m->scored, e) != ZB_OK) return e->rc;
    }
    if (table_nums(&s->train, "PD", m->pd, e) != ZB_OK || table_nums(&s->test, "PD", m->pd + m->scored, e) != ZB_OK) return e->rc;
    for (int i = 0; i < m->n; i++) m->work[i] = isnan(m->pd[i]) ? REGIME_UNKNOWN : m->pd[i] > 0.5 ? REGIME_WORK : REGIME_REST;
    return ZB_OK;
}

static struct grid grid_of(const struct mine_rows *m, int k, const zb_fix *v, int day, int to) {
    struct sample *s = xmalloc((size_t)to * sizeof *s);
    for (int i = 0; i < to; i++) s[i] = (struct sample){i * STEP, v[i], 0};
    struct grid g;
    grid_make(&g, s, to, 0, day * STEP, to * STEP, STEP);
    free(s);
    g.work = xmalloc((size_t)to);
    memcpy(g.work, m->work, (size_t)to);
    (void)k;
    return g;
}

struct found {
    int clues, spans;
    int from[200], to[200];
    enum detector_id what[200];
    struct calib_span calib[20];
    int calibs;
};
/* Judges the day [day, to) of sensor k with values v in place of its own. */
static void day_judge(const struct mine_rows *m, int k, const zb_fix *v, int day, int to, struct found *f) {
    struct grid g = grid_of(m, k, v, day, to), b = grid_of(m, 1 - k, m->v[1 - k], day, to);
    struct sensor_day in = {
        .mine = STR("1"), .point = str_of(SENSOR[k]), .location = STR(""), .g = &g, .beside = &b, .limit = ZB_FIX_NONE, .range_hi = ZB_FIX_NONE};
    struct integrity_day d;
    struct clues c = {0};
    integrity_judge(&in, m->p, &d, &c);
    for (int i = 0; i < c.n && f->spans < 200; i++) {
        f->from[f->spans] = (int)(c.c[i].from / STEP), f->to[f->spans] = (int)(c.c[i].to / STEP);
        f->what[f->spans] = DETECTORS_N;
        for (int w = 0; w < DETECTORS_N; w++)
            if (!strcmp(m->p->detect.who[w].key, c.c[i].detector)) f->what[f->spans] = (enum detector_id)w;
        f->spans++;
    }
    f->clues += c.n;
    for (int i = 0; i < d.calibs && f->calibs < 20; i++) f->calib[f->calibs++] = d.calib[i];
    clues_done(&c);
    grid_free(&g), grid_free(&b);
}
static void days_judge(const struct mine_rows *m, int k, const zb_fix *v, int from, int to, struct found *f) {
    for (int day = m->scored + (from - m->scored) / DAY_ROWS * DAY_ROWS; day < to; day += DAY_ROWS)
        day_judge(m, k, v, day, day + DAY_ROWS < m->n ? day + DAY_ROWS : m->n, f);
}

/* ---- the series as it is ---- */
static void clean(const struct mine_rows *m, struct json *out) {
    json_key(out, "clean");
    json_obj(out);
    for (int k = 0; k < 2; k++) {
        struct found f = {0};
        int days = 0;
        for (int day = DAY_ROWS; day < m->n; day += DAY_ROWS, days++) day_judge(m, k, m->v[k], day, day + DAY_ROWS < m->n ? day + DAY_ROWS : m->n, &f);
        json_key(out, SENSOR[k]);
        json_obj(out);
        json_key(out, "days"), json_i64(out, days);
        json_key(out, "clues"), json_i64(out, f.clues);
        json_key(out, "where"), json_arr(out);
        for (int i = 0; i < f.spans; i++) {
            json_obj(out);
            json_key(out, "detector"), json_z(out, m->p->detect.who[f.what[i]].key);
            json_key(out, "from_row"), json_i64(out, f.from[i]);
            json_key(out, "to_row"), json_i64(out, f.to[i] - 1);
            json_end(out);
        }
        json_arr_end(out);
        /* resting runs: the same value for at least four hours while nothing is cut */
        int runs = 0, stuck = 0;
        for (int i = 0, e; i < m->n; i = e) {
            for (e = i + 1; e < m->n && m->v[k][e] == m->v[k][i]; e++) {}
            if (e - i < 480) continue;
            runs++;
            for (int h = 0; h < f.spans; h++) stuck += f.what[h] == DETECTOR_FLAT && f.from[h] < e && i < f.to[h];
        }
        json_key(out, "resting_runs_4h"), json_i64(out, runs);
        json_key(out, "stuck_clues_there"), json_i64(out, stuck);
        /* labels need no past of days: looked for over all rows */
        struct grid g = grid_of(m, k, m->v[k], 0, m->n), b = grid_of(m, 1 - k, m->v[1 - k], 0, m->n);
        struct calib_span c[40];
        int n = calib_find(&g, &b, &m->p->detect.calib, c, 40);
        json_key(out, "calibration_like"), json_arr(out);
        for (int i = 0; i < n; i++) {
            json_arr(out);
            json_i64(out, c[i].from), json_i64(out, c[i].to - 1);
            json_arr_end(out);
        }
        json_arr_end(out);
        json_end(out);
        grid_free(&g), grid_free(&b);
    }
    json_end(out);
}

/* ---- injected ---- */
enum fault { STUCK, EXACT, OFFSET, NOISY, NOISY_ALL, CLAMPED, FAULTS };
static const char *const FAULT[] = {"stuck", "exact_copy", "offset_copy", "noisy_copy_20_percent", "noisy_copy_every_value", "clamp_85_percent_4h"};

static zb_fix unit_of(const zb_fix *v, int n) {
    zb_fix u = 0;
    for (int i = 1; i < n; i++) {
        zb_fix d = v[i] == ZB_FIX_NONE || v[i - 1] == ZB_FIX_NONE ? 0 : llabs(v[i] - v[i - 1]);
        if (d && (!u || d < u)) u = d;
    }
    return u ? u : 1;
}
static int working(const struct mine_rows *m, int from, int n) {
    int w = 0;
    for (int i = from; i < from + n; i++) w += m->work[i] == REGIME_WORK;
    return w;
}
static int moves(const zb_fix *v, int from, int n) {
    int c = 0;
    for (int i = from + 1; i < from + n; i++) c += v[i] != ZB_FIX_NONE && v[i - 1] != ZB_FIX_NONE && v[i] != v[i - 1];
    return c;
}
static int up(const void *a, const void *b) {
    zb_fix x = *(const zb_fix *)a, y = *(const zb_fix *)b;
    return (x > y) - (x < y);
}

/* Puts one fault into v; false: no place for it. Stuck spans lie in production (three quarters of their rows), where a standing value means something. */
static bool inject(const struct mine_rows *m, int k, enum fault f, zb_fix *v, int *from, int *n) {
    zb_fix unit = unit_of(m->v[k], m->scored);
    for (int tries = 0; tries < 20000; tries++) {
        int least = f == STUCK ? (k == 0 ? 20 : 120) : f == CLAMPED ? 480 : 120, most = f == STUCK ? (k == 0 ? 120 : 240) : f == CLAMPED ? 480 : 480;
        *n = least + below(most - least + 1);
        if (m->n - m->scored <= *n) return false;
        *from = m->scored + below(m->n - m->scored - *n);
        if (f == STUCK) {
            if (v[*from] == ZB_FIX_NONE || working(m, *from, *n) * 4 < 3 * *n || working(m, *from, least) * 4 < 3 * least) continue;
            for (int i = 1; i < *n; i++)
                if (v[*from + i] != ZB_FIX_NONE) v[*from + i] = v[*from];
            return true;
        }
        if (f == CLAMPED) {
            zb_fix s[480], top;
            int known = 0;
            for (int i = 0; i < 480; i++)
                if (v[*from + i] != ZB_FIX_NONE) s[known++] = v[*from + i];
            if (known < 400) continue;
            qsort(s, (size_t)known, sizeof *s, up);
            top = s[known * 85 / 100 - 1];
            if (s[known - 1] - s[0] < 6 * unit || top == s[known - 1]) continue; /* nothing would change */
            for (int i = 0; i < 480; i++)
                if (v[*from + i] > top) v[*from + i] = top;
            return true;
        }
        if (*from <= *n) return false; /* no past to copy from */
        int src = below(*from - *n);
        if (moves(m->v[k], src, *n) * 4 < *n) continue;
        zb_fix off = f == OFFSET ? (1 + below(5)) * unit * (uniform() < 0.5 ? 1 : -1) : 0;
        for (int i = 0; i < *n; i++) {
            zb_fix d = off;
            if (m->v[k][src + i] == ZB_FIX_NONE) {
                v[*from + i] = ZB_FIX_NONE;
                continue;
            }
            if (f == NOISY && uniform() < 0.2) d += uniform() < 0.5 ? unit : -unit;
            if (f == NOISY_ALL) d += (below(3) - 1) * unit;
            v[*from + i] = m->v[k][src + i] + d;
        }
        return true;
    }
    return false;
}

static void injected(const struct mine_rows *m, struct json *out) {
    zb_fix *v = xmalloc((size_t)m->n * sizeof *v);
    json_key(out, "injected");
    json_obj(out);
    for (int f = 0; f < FAULTS; f++)
        for (int k = 0; k < 2; k++) {
            int tried = 0, hit = 0;
            for (int seed = 1; seed <= SEEDS; seed++) {
                int from, n;
                state_ = 0x9E3779B97F4A7C15ull * (uint64_t)(seed + 1000 * f + 10000 * k);
                memcpy(v, m->v[k], (size_t)m->n * sizeof *v);
                if (!inject(m, k, (enum fault)f, v, &from, &n)) break;
                struct found found = {0};
                days_judge(m, k, v, from, from + n, &found);
                bool seen = false;
                for (int i = 0; i < found.spans; i++) seen = seen || (found.from[i] < from + n && from < found.to[i]);
                tried++, hit += seen;
            }
            char name[64];
            snprintf(name, sizeof name, "%s_%s", FAULT[f], SENSOR[k]);
            json_key(out, name);
            json_obj(out);
            double p = tried ? (double)hit / tried : NAN, z = 1.959964, mid = tried ? (p + z * z / 2 / tried) / (1 + z * z / tried) : NAN,
                   half = tried ? z * sqrt(p * (1 - p) / tried + z * z / 4 / tried / tried) / (1 + z * z / tried) : NAN;
            json_key(out, "n"), json_i64(out, tried);
            put(out, "recall", p), put(out, "low", mid - half), put(out, "high", mid + half);
            json_end(out);
        }
    json_end(out);
    free(v);
}

int run_methane_faults(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct split s;
    struct mine_rows m = {0};
    if (split_load(a, "MM31|MM116|PD", &s, e) != ZB_OK) return e->rc;
    int rc = policy_load(a->policy, &m.p, e);
    if (rc == ZB_OK) rc = rows_read(&s, &m, e);
    if (rc == ZB_OK) {
        json_key(out, "integrity");
        json_obj(out);
        clean(&m, out);
        injected(&m, out);
        json_end(out);
    }
    policy_unref(m.p);
    free(m.v[0]), free(m.v[1]), free(m.work), free(m.pd);
    split_done(&s);
    return rc;
}
