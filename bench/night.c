/* A night of integrity jobs over a simulated county: clues a mine-month without a planted fault, planted ones found, and what a point-day costs. One JSON line.
 * usage: night POLICY [mines [days [seed [faults]]]] — faults as for `zhiben simulate`, "" none. */
#include "base/map.h"
#include "detect/ahead_fit.h"
#include "detect/integrity.h"
#include "detect/relate.h"
#include "sense/sense.h"
#include "sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct series_of {
    struct point_def def;
    struct sample *s;
    int n, cap;
};
struct mine_of {
    struct series_of **p;
    int n, cap;
    struct map by_code;
};
struct county {
    const struct policy *p;
    struct map mines;
    struct arena *arena;
};

static struct mine_of *mine_of(struct county *c, struct str code) {
    struct mine_of *m = map_get(&c->mines, code);
    if (!m) map_set(&c->mines, code, m = xcalloc(1, sizeof *m));
    return m;
}
static struct series_of *point_of_mine(struct mine_of *m, struct str code) {
    struct series_of *x = map_get(&m->by_code, code);
    if (x) return x;
    if (m->n == m->cap) m->p = xrealloc(m->p, (size_t)(m->cap = m->cap ? 2 * m->cap : 64) * sizeof *m->p);
    x = m->p[m->n++] = xcalloc(1, sizeof *x);
    map_set(&m->by_code, code, x);
    return x;
}

static int take(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e) {
    struct county *c = arg;
    struct upload_name un;
    struct batch b;
    bool truncated;
    if (upload_name_parse(c->p, str_of(name), STR(""), &un, e) != ZB_OK) return e->rc;
    if (!str_is(un.type, "CDSS") && !str_is(un.type, "CDDY")) return ZB_OK;
    if (batch_decode(c->p, str_of(name), STR(""), bytes, un.time + 5 * ZB_MINUTE, c->arena, &b, &truncated, e) != ZB_OK) return e->rc;
    struct mine_of *m = mine_of(c, str_of(mine));
    for (int i = 0; i < b.n; i++) {
        struct point_def d[FACTS_MAX];
        struct observation o[FACTS_MAX];
        for (int k = 0, n = points_of(c->p, &b, i, c->arena, d); k < n; k++) point_of_mine(m, str_of(d[k].code))->def = d[k];
        for (int k = 0, n = samples_of(c->p, &b, i, c->arena, o); k < n; k++) {
            struct series_of *x = point_of_mine(m, o[k].point);
            if (x->n == x->cap) x->s = xrealloc(x->s, (size_t)(x->cap = x->cap ? 2 * x->cap : 4096) * sizeof *x->s);
            x->s[x->n++] = o[k].s;
        }
    }
    arena_reset(c->arena);
    return ZB_OK;
}

struct tally {
    int mines, mine_days, point_days, clues, graded, by[DETECTORS_N];
    int planted, found;
    double seconds;
    char first[700];
};

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void point_night(const struct county *c, const char *mine, struct mine_of *m, int i, const struct point_def *const *def, zb_time from, zb_time day,
                        struct clues *out, struct tally *t) {
    const struct policy *p = c->p;
    struct series_of *x = m->p[i];
    bool gas = word_in(p->detect.gas_types, str_of(x->def.sensor_type)), steady = word_in(p->detect.steady_types, str_of(x->def.sensor_type));
    if (!gas && !steady) return;
    double start = cpu();
    struct grid g, b = {0};
    const char *source;
    zb_time step = (zb_time)(p->detect.near.grid_s * 1000);
    grid_make(&g, x->s, x->n, from, day, day + ZB_DAY, step);
    int k = relate_beside(def, m->n, i, p), w = relate_work(def, m->n, i, p);
    if (k >= 0) grid_make(&b, m->p[k]->s, m->p[k]->n, from, day, day + ZB_DAY, step);
    if (w >= 0) grid_regime(&g, m->p[w]->s, m->p[w]->n, 10 * ZB_MINUTE);
    struct limits law = policy_limits(p, x->def.loc_class, x->def.sensor_type, "", zb_day_of(day), &source);
    struct sensor_day in = {.mine = str_of(mine),
                            .point = str_of(x->def.code),
                            .location = str_of(x->def.location),
                            .g = &g,
                            .beside = k >= 0 ? &b : NULL,
                            .s = x->s,
                            .n = x->n,
                            .limit = law.hi_alarm,
                            .range_hi = x->def.range_hi,
                            .own = &x->def.own,
                            .law = &law,
                            .steady = steady};
    struct integrity_day d;
    integrity_judge(&in, p, &d, out);
    grid_free(&g), grid_free(&b);
    t->seconds += cpu() - start;
    t->point_days++;
}

static void county_nights(struct county *c, zb_time start, int days, struct tally *t, struct clues *all) {
    const struct policy *p = c->p;
    for (size_t s = 0; s < c->mines.cap; s++) {
        if (!c->mines.slot[s].key) continue;
        struct mine_of *m = c->mines.slot[s].val;
        const struct point_def **def = xmalloc((size_t)(m->n + 1) * sizeof *def);
        for (int i = 0; i < m->n; i++) def[i] = &m->p[i]->def;
        t->mines++;
        for (int d = 2; d < days; d++, t->mine_days++) {
            zb_time day = start + d * ZB_DAY, from = day - (zb_time)p->detect.near.history_d * ZB_DAY;
            for (int i = 0; i < m->n; i++) point_night(c, c->mines.slot[s].key, m, i, def, from > start ? from : start, day, all, t);
        }
        free(def);
    }
    for (int i = 0; i < all->n; i++) {
        t->clues++;
        t->graded += all->c[i].grade >= 2;
        for (int k = 0; k < DETECTORS_N; k++) t->by[k] += !strcmp(all->c[i].detector, p->detect.who[k].key);
        if (!t->first[0]) snprintf(t->first, sizeof t->first, "%s", all->c[i].zh);
    }
}

/* Planted faults of a kind that lasts: is there a clue on that point within it? */
static void planted(struct str truth, const struct clues *all, struct tally *t, struct json *j) {
    static const char *const LASTS[] = {"\"stuck\"", "\"replay\"", "\"clamp\""};
    while (truth.p && truth.n) {
        struct str line = str_cut(truth, '\n', &truth);
        for (int k = 0; k < 3; k++) {
            char text[600], *at;
            str_copy(line, text, sizeof text);
            if (!strstr(text, LASTS[k]) || !(at = strstr(text, "\"point\":\""))) continue;
            struct str rest, point = str_cut(str_of(at + 9), '"', &rest), mine = str_cut(str_of(strstr(text, "\"mine\":\"") + 8), '"', &rest);
            const char *by = NULL;
            for (int i = 0; i < all->n && !by; i++)
                if (str_is(point, all->c[i].subject) && str_is(mine, all->c[i].mine)) by = all->c[i].detector;
            t->planted++, t->found += by != NULL;
            json_str(j, (struct str){LASTS[k] + 1, strlen(LASTS[k]) - 2});
            json_z(j, by);
        }
    }
}

/* What one methane model costs: fitted on the longest series of the county with its neighbour, as the night does it. */
static void model_cost(const struct county *c, struct json *j) {
    const struct detect_gas *r = &c->p->detect.gas;
    struct past ch[2] = {{.n = 0}, {.n = 0}};
    for (size_t s = 0; s < c->mines.cap; s++) {
        struct mine_of *m = c->mines.slot[s].key ? c->mines.slot[s].val : NULL;
        for (int i = 0; m && i < m->n; i++) {
            const struct series_of *x = m->p[i];
            if (!word_in(c->p->detect.gas_types, str_of(x->def.sensor_type)) || x->n <= ch[0].n) continue;
            ch[1] = ch[0].n ? ch[0] : (struct past){STR(""), x->s, x->n};
            ch[0] = (struct past){str_of(x->def.code), x->s, x->n};
        }
    }
    int most = (int)(r->history_d * 86400 / r->step_s);
    for (int k = 0; k < 2; k++)
        if (ch[k].n > most) ch[k].v += ch[k].n - most, ch[k].n = most;
    double *rows = NULL, start = cpu();
    int n = gas_rows(r, ch, 2, &rows);
    struct gas_model *m = gas_fit(r, rows, n, 2);
    struct buf b;
    buf_init(&b, 1 << 20);
    if (m) gas_pack(m, &b);
    double fitted = cpu();
    struct gas_live *live = m ? gas_live_new(m) : NULL;
    struct gas_next next;
    for (int i = 0; live && i < n && i < 2880; i++) gas_live_row(live, rows + 2 * i, 1.0, &next);
    double lived = cpu() - fitted;
    gas_live_free(live);
    json_key(j, "us_a_live_row"), json_raw(j, str_of(arena_printf(c->arena, "%.1f", lived * 1e6 / 2880)));
    json_key(j, "model_rows"), json_i64(j, n);
    json_key(j, "model_bytes"), json_i64(j, (int64_t)b.n);
    json_key(j, "ms_a_model"), json_raw(j, str_of(arena_printf(c->arena, "%.0f", (fitted - start) * 1000)));
    buf_done(&b), free(rows), gas_free(m);
}

int main(int n, char **v) {
    struct policy *p;
    struct zb_err e = {0};
    struct sim *s;
    int64_t mines = 4, days = 8, seed = 1;
    if (n < 2 || (n > 2 && !num_i64(str_of(v[2]), 1, 200, &mines)) || (n > 3 && !num_i64(str_of(v[3]), 3, 60, &days)) ||
        (n > 4 && !num_i64(str_of(v[4]), 1, 1000000, &seed)))
        return fprintf(stderr, "usage: night POLICY [mines [days [seed [faults]]]]\n"), 2;
    if (policy_load(v[1], &p, &e) != ZB_OK) return fprintf(stderr, "night: %s\n", e.msg), 1;
    struct sim_config c = {.mines = (int)mines, .hours = (double)days * 24, .seed = (uint64_t)seed, .faults = n > 5 ? v[5] : ""};
    if (!zb_time_parse(STR("2026-03-01 00:00:00"), &c.start)) return 1;
    struct county county = {.p = p, .arena = arena_new((size_t)64 << 20)};
    struct tally t = {0};
    struct clues all = {0};
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 1 << 20);
    json_init(&j, &b);
    int rc = sim_new(p, &c, &s, &e);
    if (rc == ZB_OK) rc = sim_step(s, c.start + days * ZB_DAY, take, &county, &e);
    if (rc != ZB_OK) return fprintf(stderr, "night: %s\n", e.msg), 1;
    county_nights(&county, c.start, (int)days, &t, &all);
    json_obj(&j);
    json_key(&j, "bench"), json_z(&j, "night");
    json_key(&j, "mines"), json_i64(&j, t.mines);
    json_key(&j, "mine_days"), json_i64(&j, t.mine_days);
    json_key(&j, "point_days"), json_i64(&j, t.point_days);
    json_key(&j, "clues"), json_i64(&j, t.clues);
    json_key(&j, "graded_clues_a_mine_month"), json_raw(&j, str_of(arena_printf(county.arena, "%.3f", t.mine_days ? t.graded * 30.0 / t.mine_days : 0.0)));
    json_key(&j, "by"), json_obj(&j);
    for (int k = 0; k < DETECTORS_N; k++)
        if (t.by[k]) json_key(&j, p->detect.who[k].key), json_i64(&j, t.by[k]);
    json_end(&j);
    json_key(&j, "planted"), json_arr(&j);
    planted(sim_truth(s), &all, &t, &j);
    json_arr_end(&j);
    json_key(&j, "planted_found"), json_i64(&j, t.found);
    json_key(&j, "first"), json_z(&j, t.first[0] ? t.first : NULL);
    double each = t.point_days ? t.seconds / t.point_days : 0;
    json_key(&j, "ms_a_point_day"), json_raw(&j, str_of(arena_printf(county.arena, "%.2f", each * 1000)));
    json_key(&j, "core_hours_80000_points"), json_raw(&j, str_of(arena_printf(county.arena, "%.2f", each * 80000 / 3600)));
    model_cost(&county, &j);
    json_end(&j);
    printf("%s\n", b.p);
    sim_free(s);
    clues_done(&all);
    policy_unref(p);
    return 0;
}
