/* Completeness ledger 数据完整性 of a mine: points and kinds by hour, from the hours the series keeps and the files counted; values read at the mine beside ours;
 * what a compared family says beside the judged one. */
#include "audit/audit.h"
#include "detect/complete.h"
#include "op/links.h"
#include <stdio.h>
#include <stdlib.h>

#define HOURS_MAX (31 * 24)
#define BEFORE (30 * ZB_DAY) /* how far back it is looked whether a point has sent before */

struct window {
    int64_t first; /* hour */
    int hours;
    zb_time last_part; /* of the last hour */
};

static int window_of(struct op_call *c, struct window *w, struct zb_err *e) {
    zb_time now = zb_now(), to = op_int(c, "to", now), from = op_int(c, "from", to - 2 * ZB_DAY);
    if (to > now) to = now;
    if (from < 0 || from >= to) return zb_fail(e, ZB_E_INPUT, "from is not before to, or before now");
    int64_t last = (to - 1) / ZB_HOUR;
    w->first = from / ZB_HOUR;
    if (last - w->first >= HOURS_MAX) return zb_fail(e, ZB_E_INPUT, "at most %d days at once", HOURS_MAX / 24);
    w->hours = (int)(last - w->first) + 1;
    w->last_part = to - last * ZB_HOUR;
    return ZB_OK;
}

struct mine_copy {
    struct point_def *def;
    struct sample *last;
    int n;
    zb_time offset, spread;
    int offset_hours;
    bool clock;
    char (*pair)[80]; /* FAMILY/POINT of compared families */
    int pairs;
};

static int copy(void *arg, const struct mine_view *v) {
    struct mine_copy *m = arg;
    const struct linkage *l = v->linkage;
    m->def = xcalloc((size_t)mine_points(v->state) + 1, sizeof *m->def);
    m->last = xcalloc((size_t)mine_points(v->state) + 1, sizeof *m->last);
    for (int i = 0; i < mine_points(v->state); i++) {
        struct point_now p;
        if (!mine_point_at(v->state, i, &p)) continue;
        m->last[m->n] = p.last;
        m->def[m->n++] = *p.def;
    }
    m->clock = skew_of(&l->clock, &m->offset, &m->spread, &m->offset_hours);
    m->pair = xcalloc(l->seen.n + 1, sizeof *m->pair);
    for (size_t i = 0; i < l->seen.cap; i++) {
        if (!l->seen.slot[i].key) continue;
        struct str family = str_cut(str_of(l->seen.slot[i].key), '/', &(struct str){0});
        if (word_in(l->compared, family)) str_copy(str_of(l->seen.slot[i].key), m->pair[m->pairs++], sizeof *m->pair);
    }
    return 1;
}

static void copy_done(struct mine_copy *m) {
    free(m->def);
    free(m->last);
    free(m->pair);
}

/* Which hours of the window hold samples of a point. */
static int hours_read(struct op_call *c, const char *mine, const char *point, const struct window *w, struct point_hour *out, struct zb_err *e) {
    struct bucket *b = NULL;
    int n = 0;
    zb_time from = w->first * ZB_HOUR;
    if (series_buckets(engine_series(c->en), str_of(mine), str_of(point), from, from + w->hours * ZB_HOUR, w->hours, &b, &n, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++) {
        int64_t at = (b[i].t - from) / ZB_HOUR;
        if (at < 0 || at >= w->hours) continue;
        out[at].n += b[i].n;
        out[at].states |= b[i].states;
    }
    free(b);
    return ZB_OK;
}

static int before_read(struct op_call *c, const char *mine, const char *point, const struct window *w, bool *ret, struct zb_err *e) {
    struct bucket *b = NULL;
    int n = 0;
    zb_time to = w->first * ZB_HOUR;
    if (series_buckets(engine_series(c->en), str_of(mine), str_of(point), to - BEFORE, to, 1, &b, &n, e) != ZB_OK) return e->rc;
    *ret = n > 0;
    free(b);
    return ZB_OK;
}

static void point_json(struct json *j, const struct policy *policy, const struct point_feed *p, const struct point_feed *all, const struct sample *last, const struct window *w) {
    json_obj(j);
    kv_z(j, "point", p->def->code);
    kv_z(j, "location", p->def->location);
    type_json(j, policy, p->def);
    kv_i(j, "per_hour", p->per_hour);
    kv_i(j, "expected", p->expected);
    kv_i(j, "received", p->received);
    kv_fix(j, "percent", percent_of(p->received, p->expected));
    json_key(j, "marks");
    json_arr(j);
    for (int k = 0; k < POINT_MARKS_N; k++)
        if (p->marks & 1u << k) json_z(j, POINT_MARK_KEY[k]);
    json_arr_end(j);
    kv_z(j, "renamed_to", p->renamed >= 0 ? all[p->renamed].def->code : "");
    kv_i(j, "masked_hours", p->masked);
    kv_i(j, "calibrated_hours", p->calibrated);
    kv_t(j, "last", last->t);
    json_key(j, "hours");
    json_arr(j);
    for (int h = 0; h < w->hours; h++) json_i64(j, p->hour[h].n);
    json_arr_end(j);
    json_end(j);
}

static int points(struct op_call *c, const char *mine, const struct mine_copy *m, const struct window *w, struct zb_err *e) {
    const struct link_rule *l = &c->policy->link;
    struct complete_rule rule = {l->vanish_hours, l->bulk_points, l->bulk_percent};
    struct point_feed *p = xcalloc((size_t)m->n + 1, sizeof *p);
    struct point_hour *hour = xcalloc((size_t)(m->n + 1) * (size_t)w->hours, sizeof *hour);
    int *bulk = xcalloc((size_t)w->hours, sizeof *bulk), rc = ZB_OK;
    struct json *j = c->out;
    for (int i = 0; i < m->n && rc == ZB_OK; i++) {
        p[i] = (struct point_feed){
            .def = &m->def[i], .per_hour = m->def[i].every > 0 ? (int)(ZB_HOUR / m->def[i].every) : 0, .hour = hour + (size_t)i * (size_t)w->hours};
        rc = hours_read(c, mine, m->def[i].code, w, p[i].hour, e);
        if (rc == ZB_OK && !p[i].hour[0].n) rc = before_read(c, mine, m->def[i].code, w, &p[i].before, e);
    }
    if (rc == ZB_OK) {
        complete_judge(&rule, p, m->n, w->hours, w->last_part, bulk);
        json_key(j, "points");
        json_arr(j);
        for (int i = 0; i < m->n; i++) point_json(j, c->policy, &p[i], p, &m->last[i], w);
        json_arr_end(j);
        json_key(j, "bulk");
        json_arr(j);
        for (int h = 0; h < w->hours; h++) {
            if (!bulk[h]) continue;
            json_obj(j);
            kv_t(j, "t", (w->first + h) * ZB_HOUR);
            kv_i(j, "points", bulk[h]);
            json_end(j);
        }
        json_arr_end(j);
    }
    free(p);
    free(hour);
    free(bulk);
    return rc;
}

/* Files of one kind: from the first one in the window on a file is expected each period. */
struct kind {
    char type[16];
    int64_t files, records, refused, doubled, expected, received, *hour;
    zb_time t0;
};

static void kind_json(struct op_call *c, const struct kind *k, const struct window *w) {
    struct json *j = c->out;
    const struct format *f = policy_format(c->policy, str_of(k->type));
    int64_t expected = 0, received = 0, first = k->t0 / ZB_HOUR, per_hour = f && f->period_s > 0 && f->period_s < 86400 ? 3600 / f->period_s : 0;
    for (int h = 0; h < w->hours && per_hour; h++) {
        zb_time from = (w->first + h) * ZB_HOUR, to = h == w->hours - 1 ? from + w->last_part : from + ZB_HOUR;
        if (w->first + h < first) continue;
        if (w->first + h == first) from = k->t0;
        int64_t due = per_hour * (to - from) / ZB_HOUR;
        expected += due;
        received += k->hour[h] < due ? k->hour[h] : due;
    }
    json_obj(j);
    kv_z(j, "type", k->type);
    kv_z(j, "zh", f ? f->zh : "");
    kv_i(j, "per_hour", per_hour);
    kv_i(j, "expected", expected);
    kv_i(j, "received", received);
    kv_fix(j, "percent", percent_of(received, expected));
    kv_i(j, "files", k->files);
    kv_i(j, "records", k->records);
    kv_i(j, "refused", k->refused);
    kv_i(j, "doubled", k->doubled);
    json_key(j, "hours");
    json_arr(j);
    for (int h = 0; h < w->hours; h++) json_i64(j, k->hour[h]);
    json_arr_end(j);
    json_end(j);
}

static int kinds(struct op_call *c, const char *mine, const struct window *w, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(c->db, "select type,hour,files,records,refused,doubled,t0 from feed_hour where mine=?1 and hour>=?2 and hour<?3 order by type,hour", e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    stmt_i64(q, 2, w->first);
    stmt_i64(q, 3, w->first + w->hours);
    struct kind k = {.hour = xcalloc((size_t)w->hours, sizeof *k.hour)};
    int rc;
    json_key(c->out, "kinds");
    json_arr(c->out);
    while ((rc = stmt_row(q, e)) == 1) {
        struct str type = stmt_col_text(q, 0);
        if (!str_is(type, k.type)) {
            if (k.type[0]) kind_json(c, &k, w);
            int64_t *hour = k.hour;
            memset(hour, 0, (size_t)w->hours * sizeof *hour);
            k = (struct kind){.hour = hour, .t0 = stmt_col_time(q, 6)};
            str_copy(type, k.type, sizeof k.type);
        }
        k.hour[stmt_col_i64(q, 1) - w->first] = stmt_col_i64(q, 2);
        k.files += stmt_col_i64(q, 2);
        k.records += stmt_col_i64(q, 3);
        k.refused += stmt_col_i64(q, 4);
        k.doubled += stmt_col_i64(q, 5);
    }
    if (rc == 0 && k.type[0]) kind_json(c, &k, w);
    json_arr_end(c->out);
    free(k.hour);
    return rc < 0 ? rc : ZB_OK;
}

int op_completeness(struct op_call *c, struct zb_err *e) {
    struct link_head h;
    struct window w;
    struct mine_copy m = {0};
    struct json *j = c->out;
    if (link_head_read(c, op_text(c, "mine"), &h, e) != ZB_OK || window_of(c, &w, e) != ZB_OK) return e->rc;
    engine_mines(c->en, str_of(h.code), copy, &m);
    json_obj(j);
    kv_z(j, "mine", h.code);
    kv_z(j, "name", h.name);
    kv_z(j, "phase", h.trial ? "trial" : "live");
    kv_t(j, "from", w.first * ZB_HOUR);
    kv_t(j, "to", (w.first + w.hours - 1) * ZB_HOUR + w.last_part);
    json_key(j, "offset_ms");
    if (m.clock)
        json_i64(j, m.offset);
    else
        json_none(j);
    kv_i(j, "spread_ms", m.clock ? m.spread : 0);
    kv_i(j, "offset_hours", m.offset_hours);
    kv_b(j, "clock_good", !m.clock || (m.offset <= c->policy->link.clock_max && -m.offset <= c->policy->link.clock_max));
    kv_z(j, "assumed", c->policy->link.assumed);
    int rc = points(c, h.code, &m, &w, e);
    if (rc == ZB_OK) rc = kinds(c, h.code, &w, e);
    json_end(j);
    copy_done(&m);
    return rc;
}

/* ---- a value read at the mine beside ours ---- */
static void sampled_json(struct json *j, struct stmt *q) {
    json_obj(j);
    kv_i(j, "id", stmt_col_i64(q, 0));
    kv_str(j, "point", stmt_col_text(q, 1));
    kv_t(j, "t", stmt_col_time(q, 2));
    zb_fix v = stmt_col_fix(q, 3), lo = stmt_col_fix(q, 8), hi = stmt_col_fix(q, 9);
    kv_fix(j, "mine_value", v);
    kv_str(j, "way", stmt_col_text(q, 4));
    kv_str(j, "who", stmt_col_text(q, 5));
    kv_t(j, "entered", stmt_col_time(q, 6));
    kv_i(j, "samples", stmt_col_i64(q, 7));
    kv_fix(j, "min", lo);
    kv_fix(j, "max", hi);
    kv_fix(j, "last", stmt_col_fix(q, 10));
    kv_fix(j, "difference", lo == ZB_FIX_NONE ? ZB_FIX_NONE : v < lo ? v - lo : v > hi ? v - hi : 0); /* from the nearest of what we had in that minute */
    json_end(j);
}

int op_sampled(struct op_call *c, struct zb_err *e) {
    struct link_head h;
    if (link_head_read(c, op_text(c, "mine"), &h, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(c->db, "select id,point,t,v,way,who,entered,n,lo,hi,last from sampled where mine=? order by id desc limit 500", e);
    if (!q) return e->rc;
    stmt_z(q, 1, h.code);
    json_obj(c->out);
    json_key(c->out, "sampled");
    json_arr(c->out);
    int r;
    while ((r = stmt_row(q, e)) == 1) sampled_json(c->out, q);
    json_arr_end(c->out);
    json_end(c->out);
    return r < 0 ? r : ZB_OK;
}

struct minute { /* what the platform has of it */
    int n;
    zb_fix lo, hi, last;
};

static int minute_read(struct op_call *c, const char *mine, struct str point, zb_time t, struct minute *ret, struct zb_err *e) {
    struct sample *s = NULL;
    int n = 0;
    *ret = (struct minute){0, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE};
    if (series_read(engine_series(c->en), str_of(mine), point, t, t + ZB_MINUTE, &s, &n, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++) {
        if (s[i].v == ZB_FIX_NONE) continue;
        if (!ret->n || s[i].v < ret->lo) ret->lo = s[i].v;
        if (!ret->n || s[i].v > ret->hi) ret->hi = s[i].v;
        ret->last = s[i].v;
        ret->n++;
    }
    free(s);
    return ZB_OK;
}

static int sampled_keep(struct op_call *c, struct db *w, const char *mine, zb_time t, zb_fix v, const char *way, const struct minute *m, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(w, "insert into sampled(mine,point,t,v,way,who,entered,n,lo,hi,last) values(?,?,?,?,?,?,?,?,?,?,?)", e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    stmt_text(q, 2, op_text(c, "point"));
    stmt_time(q, 3, t);
    stmt_fix(q, 4, v);
    stmt_z(q, 5, way);
    stmt_z(q, 6, c->actor.user);
    stmt_time(q, 7, zb_now());
    stmt_i64(q, 8, m->n);
    stmt_fix(q, 9, m->lo);
    stmt_fix(q, 10, m->hi);
    stmt_fix(q, 11, m->last);
    if (stmt_run(q, e) != ZB_OK) return e->rc;
    char subject[80], body[200], a[ZB_FIX_CAP], b[ZB_FIX_CAP], at[ZB_TIME_CAP];
    snprintf(subject, sizeof subject, "mine/%s/" STR_FMT, mine, STR_ARG(op_text(c, "point")));
    snprintf(body, sizeof body, "{\"t\":\"%s\",\"mine\":\"%s\",\"platform\":\"%s\"}", zb_time_text(t, at), zb_fix_text(v, a),
             m->n ? zb_fix_text(m->last, b) : "");
    return audit_append(w, zb_now(), str_of(c->actor.user), STR("sampled.new"), str_of(subject), str_of(body), e);
}

struct wanted {
    struct str point;
    bool there;
};
static int point_there(void *arg, const struct mine_view *v) {
    struct wanted *w = arg;
    struct point_now p;
    w->there = mine_point(v->state, w->point, &p);
    return 1;
}

int op_sampled_new(struct op_call *c, struct zb_err *e) {
    struct link_head h;
    struct minute m;
    struct wanted p = {op_text(c, "point"), false};
    zb_fix v;
    zb_time t = op_int(c, "t", 0) / ZB_MINUTE * ZB_MINUTE;
    if (link_head_read(c, op_text(c, "mine"), &h, e) != ZB_OK) return e->rc;
    engine_mines(c->en, str_of(h.code), point_there, &p);
    if (!p.there) return zb_fail(e, ZB_E_ABSENT, "mine %s has no point " STR_FMT, h.code, STR_ARG(p.point));
    if (!num_fix(op_text(c, "value"), &v)) return zb_fail(e, ZB_E_INPUT, "value \"" STR_FMT "\" is not a number (write 1.0)", STR_ARG(op_text(c, "value")));
    if (t > zb_now()) return zb_fail(e, ZB_E_INPUT, "t lies in the future");
    if (minute_read(c, h.code, p.point, t, &m, e) != ZB_OK) return e->rc;
    const struct role_rule *role = policy_role(c->policy, str_of(c->actor.role));
    struct db *w = engine_writer(c->en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        rc = sampled_keep(c, w, h.code, t, v, role && role->mine ? "mine" : "inspector", &m, e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
    }
    engine_writer_back(c->en);
    return rc == ZB_OK ? op_sampled(c, e) : rc;
}

/* ---- one sensor by two families ---- */
static int pair_json(struct op_call *c, const char *mine, const char *pair, const struct window *w, struct zb_err *e) {
    struct str point, family = str_cut(str_of(pair), '/', &point);
    char beside[80];
    struct bucket *a = NULL, *b = NULL;
    int na = 0, nb = 0, both = 0;
    int64_t judged = 0, compared = 0;
    zb_time from = w->first * ZB_HOUR, to = from + w->hours * ZB_HOUR, at = ZB_TIME_NONE;
    zb_fix worst = ZB_FIX_NONE;
    snprintf(beside, sizeof beside, STR_FMT "@" STR_FMT, STR_ARG(point), STR_ARG(family));
    int rc = series_buckets(engine_series(c->en), str_of(mine), point, from, to, w->hours, &a, &na, e);
    if (rc == ZB_OK) rc = series_buckets(engine_series(c->en), str_of(mine), str_of(beside), from, to, w->hours, &b, &nb, e);
    for (int i = 0; i < na && rc == ZB_OK; i++) judged += a[i].n;
    for (int k = 0, i = 0; k < nb && rc == ZB_OK; k++) {
        compared += b[k].n;
        while (i < na && a[i].t < b[k].t) i++;
        if (i == na || a[i].t != b[k].t || a[i].min == ZB_FIX_NONE || b[k].min == ZB_FIX_NONE) continue;
        zb_fix lo = a[i].min - b[k].min, hi = a[i].max - b[k].max, d = (lo < 0 ? -lo : lo) > (hi < 0 ? -hi : hi) ? lo : hi;
        both++;
        if (worst != ZB_FIX_NONE && (d < 0 ? -d : d) <= (worst < 0 ? -worst : worst)) continue;
        worst = d;
        at = a[i].t;
    }
    free(a);
    free(b);
    if (rc != ZB_OK) return rc;
    struct json *j = c->out;
    json_obj(j);
    kv_str(j, "point", point);
    kv_str(j, "family", family);
    kv_z(j, "beside", beside);
    kv_i(j, "judged", judged);
    kv_i(j, "compared", compared);
    kv_i(j, "hours", both);
    kv_fix(j, "difference", worst);
    kv_t(j, "at", at);
    json_end(j);
    return ZB_OK;
}

int op_families(struct op_call *c, struct zb_err *e) {
    struct link_head h;
    struct window w;
    struct mine_copy m = {0};
    if (link_head_read(c, op_text(c, "mine"), &h, e) != ZB_OK || window_of(c, &w, e) != ZB_OK) return e->rc;
    engine_mines(c->en, str_of(h.code), copy, &m);
    json_obj(c->out);
    json_key(c->out, "points");
    json_arr(c->out);
    int rc = ZB_OK;
    for (int i = 0; i < m.pairs && rc == ZB_OK; i++) rc = pair_json(c, h.code, m.pair[i], &w, e);
    json_arr_end(c->out);
    json_end(c->out);
    copy_done(&m);
    return rc;
}
