/* Mines that should stand still: what the ledgers say may not work, against its load by hours, its machines and its output. */
#include "detect/compare.h"
#include "engine/jobs.h"
#include <math.h>
#include <stdlib.h>

#define BASE_DAYS 40 /* days of load before a stop */

bool has_word(const char *place, const char *words) {
    struct str rest = str_of(words);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, '|', &rest);
        if (w.n && memmem(place, strlen(place), w.p, w.n)) return true;
    }
    return false;
}

/* kWh of each hour from a counter: what it gained since the hour before. */
static int hours_add(struct night *n, const struct copied *m, int i, zb_time from, int hours, double *out, struct zb_err *e) {
    struct bucket *b;
    int k;
    if (series_buckets(n->en->series, str_of(m->code), str_of(m->def[i].code), from - ZB_HOUR, from + hours * ZB_HOUR, hours + 1, &b, &k, e) != ZB_OK)
        return e->rc;
    for (int q = 1; q < k; q++) {
        int at = (int)((b[q].t - from) / ZB_HOUR);
        if (b[q].t - b[q - 1].t != ZB_HOUR || b[q].last == ZB_FIX_NONE || b[q - 1].last == ZB_FIX_NONE || b[q].last < b[q - 1].last || at < 0 || at >= hours)
            continue;
        double v = zb_fix_double(b[q].last - b[q - 1].last);
        out[at] = isnan(out[at]) ? v : out[at] + v;
    }
    free(b);
    return ZB_OK;
}

int circuit_hours(struct night *n, const struct copied *m, const struct circuit_rule *c, zb_time from, int hours, double *out, bool *any, struct zb_err *e) {
    *any = false;
    for (int i = 0; i < m->n; i++) {
        if (!word_in(n->p->clue.energy_types, str_of(m->def[i].sensor_type)) || !has_word(m->def[i].location, c->words)) continue;
        *any = true;
        if (hours_add(n, m, i, from, hours, out, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

int work_hours(struct night *n, const struct copied *m, double *ret, struct zb_err *e) {
    *ret = NAN;
    for (int i = 0; i < m->n; i++) {
        struct sample *s;
        int k;
        if (!word_in(n->p->detect.work_types, str_of(m->def[i].sensor_type))) continue;
        if (night_read(n, m, i, n->day, &s, &k, e) != ZB_OK) return e->rc;
        double x = 0;
        for (int q = 1; q < k; q++)
            if (s[q - 1].v > 0) x += (double)(s[q].t - s[q - 1].t) / (double)ZB_HOUR;
        free(s);
        if (k && !(*ret >= x)) *ret = x;
    }
    return ZB_OK;
}

/* What one point gives to a flow in the day; false: nothing. A counter set back begins anew. */
static bool flow_point(const struct sample *s, int k, enum flow_way way, double *ret) {
    double x = 0, last = NAN, was = NAN;
    int got = 0;
    for (int q = 0; q < k; q++) {
        if (s[q].v == ZB_FIX_NONE) continue;
        double v = zb_fix_double(s[q].v);
        if (way == FLOW_WAY_GAIN)
            x += isnan(was) ? 0 : v >= was ? v - was : v;
        else
            x += v;
        was = last = v;
        got++;
    }
    *ret = way == FLOW_WAY_LAST ? last : way == FLOW_WAY_MEAN ? x / got : x;
    return got > (way == FLOW_WAY_GAIN);
}

int flow_day(struct night *n, const struct copied *m, const struct flow_rule *f, double *ret, struct zb_err *e) {
    *ret = NAN;
    for (int i = 0; i < m->n; i++) {
        struct sample *s;
        int k;
        double x;
        if (!word_in(f->types, str_of(m->def[i].sensor_type)) || (f->words[0] && !has_word(m->def[i].location, f->words))) continue;
        if (night_read(n, m, i, n->day, &s, &k, e) != ZB_OK) return e->rc;
        if (flow_point(s, k, f->way, &x)) *ret = isnan(*ret) ? x : f->way == FLOW_WAY_GAIN ? fmax(*ret, x) : *ret + x;
        free(s);
    }
    return ZB_OK;
}

/* Most underground at once in the day, as its figures say; NAN: no position file came. */
static int persons_below(struct night *n, const struct copied *m, double *ret, struct zb_err *e) {
    *ret = NAN;
    struct db *db = engine_reader(n->en, e);
    if (!db) return e->rc;
    int r = -1;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select persons from mine_day where mine=?1 and day=?2", e);
        if (q) stmt_z(q, 1, m->code), stmt_i64(q, 2, zb_day_of(n->day));
        r = q ? stmt_row(q, e) : e->rc;
        if (r == 1 && !stmt_col_null(q, 0)) *ret = stmt_col_real(q, 0);
    }
    engine_reader_back(n->en, db);
    return r < 0 ? e->rc : ZB_OK;
}

static int stop_judge(struct night *n, const struct stop *s, struct clues *out, struct zb_err *e) {
    const struct copied *m = NULL;
    for (int i = 0; i < n->mines && !m; i++)
        if (!strcmp(n->mine[i].code, s->mine)) m = &n->mine[i];
    int32_t today = zb_day_of(n->day);
    if (!m || s->since > today || today - s->since > 400) return ZB_OK; /* what stands for longer than a year is asked of its first year's load no more */
    enum { CIRCUITS = 16 };
    int hours = (BASE_DAYS + today - s->since + 1) * 24, k = 0;
    zb_time from = zb_day_start(s->since - BASE_DAYS);
    struct circuit c[CIRCUITS];
    double *hour = xmalloc((size_t)hours * CIRCUITS * sizeof *hour), work_h, tons, persons;
    for (int i = 0; i < hours * CIRCUITS; i++) hour[i] = NAN;
    int rc = ZB_OK;
    for (int r = 0; r < n->p->clue.circuits && k < CIRCUITS && s->power; r++) {
        const struct circuit_rule *cr = &n->p->clue.circuit[r];
        bool any;
        rc = circuit_hours(n, m, cr, from, hours, hour + (size_t)k * (size_t)hours, &any, e);
        if (rc != ZB_OK || (!any && !r)) break; /* without the whole there is no share */
        if (any) c[k] = (struct circuit){cr->zh, cr->en, hour + (size_t)k * (size_t)hours, cr->works}, k++;
    }
    if (rc == ZB_OK) rc = work_hours(n, m, &work_h, e);
    if (rc == ZB_OK) rc = flow_day(n, m, &n->p->clue.flow[FLOW_TONS], &tons, e);
    if (rc == ZB_OK) rc = persons_below(n, m, &persons, e);
    if (rc == ZB_OK) {
        struct sign g[] = {{"采掘运输设备运行", "machines ran", "h", work_h, s->hours},
                           {"产量", "output", "t", tons, 0},
                           {"井下人数", "persons underground", "人", persons, s->crew}};
        struct still_in in = {.mine = str_of(m->code),
                              .subject = STR(""),
                              .rule = s->rule,
                              .zh = s->zh,
                              .en = s->en,
                              .t0 = from,
                              .n = hours,
                              .stop = BASE_DAYS * 24,
                              .circuit = c,
                              .circuits = k,
                              .sign = g,
                              .signs = 3};
        still_find(&in, n->p, out);
        n->ret->stops++;
    }
    free(hour);
    return rc;
}

int stops_load(struct night *n, struct zb_err *e) {
    int r = -1;
    struct db *db = engine_reader(n->en, e);
    if (!db) return e->rc;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, n->p->clue.stops, e);
        while (q && n->stops < 20000 && (r = stmt_row(q, e)) == 1) {
            n->stop = xrealloc(n->stop, (size_t)(n->stops + 1) * sizeof *n->stop);
            struct stop *s = &n->stop[n->stops++];
            str_copy(stmt_col_text(q, 0), s->mine, sizeof s->mine);
            s->since = (int32_t)stmt_col_i64(q, 1);
            str_copy(stmt_col_text(q, 2), s->rule, sizeof s->rule);
            str_copy(stmt_col_text(q, 3), s->zh, sizeof s->zh);
            str_copy(stmt_col_text(q, 4), s->en, sizeof s->en);
            s->crew = stmt_col_null(q, 5) ? NAN : stmt_col_real(q, 5);
            s->hours = stmt_col_null(q, 6) ? INFINITY : stmt_col_real(q, 6);
            s->power = stmt_col_i64(q, 7) != 0;
        }
    }
    engine_reader_back(n->en, db);
    return r < 0 ? e->rc : ZB_OK;
}

const struct stop *stop_of(const struct night *n, const char *mine) {
    for (int i = 0; i < n->stops; i++)
        if (!strcmp(n->stop[i].mine, mine) && n->stop[i].since <= zb_day_of(n->day)) return &n->stop[i];
    return NULL;
}

int stops_judge(struct night *n, struct clues *out, struct zb_err *e) {
    for (int i = 0; i < n->stops && night_turn(n->en); i++)
        if (stop_judge(n, &n->stop[i], out, e) != ZB_OK) return e->rc;
    return ZB_OK;
}
