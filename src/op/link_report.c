/* Acceptance report of a link 联网接入验收报告: each check with its value, what is needed and whether it passes; behind it kinds, streams, points, codes, families. */
#include "model/alarm.h"
#include "op/links.h"
#include "sense/sense.h"
#include <stdio.h>
#include <stdlib.h>

#define REFUSED_SHOWN 20

struct rpoint { /* a point as the detectors know it */
    struct point_def def;
    bool defined, confirmed;
    char families[40];
    const char *lax; /* what is laxer than the regulation; NULL */
    int64_t expected, received;
};
struct report {
    struct op_call *c;
    const struct link_head *h;
    struct json *j;
    zb_time opened, from, to; /* from, to: of the data */
    struct rpoint *p;
    int n, open;
    char compared[80];
    zb_time offset, spread;
    int hours;
    bool clock;
    int64_t files, records, refused, doubled, expected, received; /* expected, received: files of kinds with a period */
    struct map types;                                             /* that came */
};

static int copy(void *arg, const struct mine_view *v) {
    struct report *r = arg;
    r->n = mine_points(v->state);
    r->p = xcalloc((size_t)r->n + 1, sizeof *r->p);
    for (int i = 0; i < r->n; i++) {
        struct point_now now;
        if (!mine_point_at(v->state, i, &now)) continue;
        r->p[i].def = *now.def;
        r->p[i].defined = now.defined;
        r->p[i].confirmed = now.confirmed;
    }
    struct map at = {0};
    for (int i = 0; i < r->n; i++) map_set(&at, str_of(r->p[i].def.code), &r->p[i]);
    for (size_t i = 0; i < v->linkage->seen.cap; i++) {
        if (!v->linkage->seen.slot[i].key) continue;
        struct str point, family = str_cut(str_of(v->linkage->seen.slot[i].key), '/', &point);
        struct rpoint *p = map_get(&at, point);
        size_t n = p ? strlen(p->families) : 0;
        if (p) snprintf(p->families + n, sizeof p->families - n, "%s" STR_FMT, n ? " " : "", STR_ARG(family));
    }
    map_done(&at);
    str_copy(str_of(v->linkage->compared), r->compared, sizeof r->compared);
    r->clock = skew_of(&v->linkage->clock, &r->offset, &r->spread, &r->hours);
    return 1;
}

/* ---- what came, by kind ---- */
static int kinds(struct report *r, struct zb_err *e) {
    static char there[] = "";
    struct json *j = r->j;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(r->c->db,
                            "select type,sum(files),sum(records),sum(refused),sum(doubled),min(t0),max(t1) from feed_hour where mine=?1 and hour>=?2 group by "
                            "type order by type",
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, r->h->code);
    stmt_i64(q, 2, r->opened / ZB_HOUR - 1);
    json_key(j, "kinds");
    json_arr(j);
    int rc;
    while ((rc = stmt_row(q, e)) == 1) {
        struct str type = stmt_col_text(q, 0);
        const struct format *f = policy_format(r->c->policy, type);
        int64_t files = stmt_col_i64(q, 1), t0 = stmt_col_i64(q, 5), t1 = stmt_col_i64(q, 6);
        int64_t due = f && f->period_s > 0 && f->period_s < 86400 ? (t1 - t0) / (f->period_s * ZB_SECOND) + 1 : 0;
        map_set(&r->types, type, there);
        r->files += files;
        r->records += stmt_col_i64(q, 2);
        r->refused += stmt_col_i64(q, 3);
        r->doubled += stmt_col_i64(q, 4);
        r->expected += due;
        r->received += files < due ? files : due;
        if (due && (r->from == ZB_TIME_NONE || t0 < r->from)) r->from = t0;
        if (due && (r->to == ZB_TIME_NONE || t1 > r->to)) r->to = t1;
        json_obj(j);
        kv_str(j, "type", type);
        kv_z(j, "zh", f ? f->zh : "");
        kv_z(j, "family", f ? f->family : "");
        kv_i(j, "files", files);
        kv_i(j, "records", stmt_col_i64(q, 2));
        kv_i(j, "refused", stmt_col_i64(q, 3));
        kv_i(j, "doubled", stmt_col_i64(q, 4));
        kv_i(j, "expected", due);
        kv_fix(j, "percent", percent_of(files < due ? files : due, due));
        kv_t(j, "from", t0);
        kv_t(j, "to", t1);
        json_end(j);
    }
    json_arr_end(j);
    return rc < 0 ? rc : ZB_OK;
}

/* ---- points ---- */
static bool needs_class(const struct policy *p, const char *sensor) {
    for (int i = 0; i < p->limits; i++)
        if (!p->limit[i].mine_default && word_in(p->limit[i].sensor_types, str_of(sensor))) return true;
    return false;
}

static int lax_read(struct report *r, struct zb_err *e) {
    struct map at = {0};
    ZB_AUTO(stmt_done)
    struct stmt *q = r->h->trial ? db_use(r->c->db, "select point,note from trial_alarm where mine=? and kind=? and cleared is null and merged is null", e)
                                 : db_use(r->c->db, "select point,note from alarm where mine=? and kind=? and cleared is null and merged is null", e);
    if (!q) return e->rc;
    stmt_z(q, 1, r->h->code);
    stmt_i64(q, 2, ALARM_LAX_LIMIT);
    for (int i = 0; i < r->n; i++) map_set(&at, str_of(r->p[i].def.code), &r->p[i]);
    int rc;
    while ((rc = stmt_row(q, e)) == 1) {
        struct rpoint *p = map_get(&at, stmt_col_text(q, 0));
        if (p) p->lax = arena_str(r->c->arena, stmt_col_text(q, 1));
    }
    map_done(&at);
    return rc < 0 ? rc : ZB_OK;
}

static int point_count(struct report *r, struct rpoint *p, struct zb_err *e) {
    struct bucket *b = NULL;
    int n = 0;
    if (p->def.every <= 0 || r->from == ZB_TIME_NONE || !p->defined) return ZB_OK;
    if (series_buckets(engine_series(r->c->en), str_of(r->h->code), str_of(p->def.code), r->from, r->to + 1, 1, &b, &n, e) != ZB_OK) return e->rc;
    p->expected = (r->to - r->from) / p->def.every + 1;
    for (int i = 0; i < n; i++) p->received += b[i].n;
    if (p->received > p->expected) p->received = p->expected;
    free(b);
    return ZB_OK;
}

/* Another code at the same place with the same kind of sensor: one registered twice, or one that comes by two families. */
static const struct rpoint *twin_of(const struct report *r, int i) {
    const struct point_def *d = &r->p[i].def;
    for (int k = 0; k < r->n; k++)
        if (k != i && d->location[0] && !strcmp(d->location, r->p[k].def.location) && !strcmp(d->sensor_type, r->p[k].def.sensor_type)) return &r->p[k];
    return NULL;
}

struct sums {
    int64_t expected, received;
    int undefined, unknown_type, unit, unconfirmed, lax, two, twins;
};

static void point_json(struct report *r, int i, struct sums *s) {
    struct json *j = r->j;
    struct rpoint *p = &r->p[i];
    const struct policy *pol = r->c->policy;
    const struct sensor_type *t = policy_sensor_coded(pol, str_of(p->def.sensor_type));
    const struct rpoint *twin = p->def.vt == VALUE_MN ? twin_of(r, i) : NULL;
    bool analog = p->def.vt == VALUE_MN, unit = t && t->unit[0] && p->def.unit[0] && strcmp(t->unit, p->def.unit) != 0;
    bool need = analog && needs_class(pol, p->def.sensor_type);
    s->expected += p->expected;
    s->received += p->received;
    s->undefined += !p->defined;
    s->unknown_type += p->defined && !t;
    s->unit += unit;
    s->unconfirmed += need && !p->confirmed;
    s->lax += p->lax != NULL;
    s->two += strchr(p->families, ' ') != NULL;
    s->twins += twin != NULL;
    json_obj(j);
    kv_z(j, "point", p->def.code);
    kv_z(j, "location", p->def.location);
    kv_z(j, "type", t ? t->zh : p->def.type_name);
    kv_z(j, "type_en", t ? t->en : p->def.type_name);
    kv_z(j, "sensor", p->def.sensor_type);
    kv_z(j, "unit", p->def.unit);
    kv_z(j, "unit_expected", unit ? t->unit : "");
    kv_b(j, "defined", p->defined);
    kv_b(j, "type_known", t != NULL);
    kv_z(j, "class", p->def.loc_class);
    kv_b(j, "class_needed", need);
    kv_b(j, "confirmed", p->confirmed);
    kv_z(j, "lax", p->lax ? p->lax : "");
    kv_z(j, "families", p->families);
    kv_z(j, "twin", twin ? twin->def.code : "");
    kv_i(j, "expected", p->expected);
    kv_i(j, "received", p->received);
    json_end(j);
}

static int points(struct report *r, struct sums *s, struct zb_err *e) {
    if (lax_read(r, e) != ZB_OK) return e->rc;
    for (int i = 0; i < r->n; i++)
        if (point_count(r, &r->p[i], e) != ZB_OK) return e->rc;
    json_key(r->j, "points");
    json_arr(r->j);
    for (int i = 0; i < r->n; i++) point_json(r, i, s);
    json_arr_end(r->j);
    return ZB_OK;
}

/* Classes a person may choose from: those with limits of their own. */
static void classes(struct report *r) {
    const struct policy *p = r->c->policy;
    struct json *j = r->j;
    json_key(j, "classes");
    json_arr(j);
    for (int i = 0; i < p->limits; i++) {
        const struct limit_rule *l = &p->limit[i];
        bool before = l->mine_default;
        for (int k = 0; k < i && !before; k++) before = !strcmp(p->limit[k].loc_class, l->loc_class);
        if (before) continue;
        json_obj(j);
        kv_z(j, "class", l->loc_class);
        kv_z(j, "zh", l->zh);
        kv_z(j, "sensors", l->sensor_types);
        json_end(j);
    }
    json_arr_end(j);
}

/* ---- streams ---- */
static bool stream_came(const struct report *r, const struct link_stream *s) {
    for (struct str one, rest = str_of(s->types); rest.p && rest.n;) {
        one = str_cut(rest, ' ', &rest);
        if (one.n && map_get(&r->types, one)) return true;
    }
    for (int i = 0; i < r->n && s->sensors[0]; i++)
        if (r->p[i].received && word_in(s->sensors, str_of(r->p[i].def.sensor_type))) return true;
    return false;
}

static int streams(struct report *r, int *asked, int *missing, struct zb_err *e) {
    const struct link_rule *l = &r->c->policy->link;
    struct json *j = r->j;
    if (!l->required) return zb_fail(e, ZB_E_ABSENT, "this policy has no links.yaml: it says what a link is accepted by");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(r->c->db, l->required, e);
    if (!q) return e->rc;
    stmt_z(q, 1, r->h->code);
    json_key(j, "streams");
    json_arr(j);
    int rc;
    while ((rc = stmt_row(q, e)) == 1) {
        const struct link_stream *s = NULL;
        struct str key = stmt_col_text(q, 0);
        for (int i = 0; i < l->streams && !s; i++)
            if (str_is(key, l->stream[i].key)) s = &l->stream[i];
        bool came = s && stream_came(r, s);
        *asked += s != NULL;
        *missing += s && !came;
        json_obj(j);
        kv_str(j, "stream", key);
        kv_str(j, "zh", stmt_col_text(q, 1));
        kv_z(j, "en", s ? s->en : "");
        kv_z(j, "types", s ? s->types : "");
        kv_b(j, "by_upload", s != NULL);
        kv_b(j, "came", came);
        json_end(j);
    }
    json_arr_end(j);
    return rc < 0 ? rc : ZB_OK;
}

/* ---- codes ---- */
static void alias_one(void *arg, const char *code) { json_z(arg, code); }

/* Other mines' codes in refused files of this link: mapped to it, or sent by mistake. */
static int refusals(struct report *r, int *strange, int *whole, struct zb_err *e) {
    struct json *j = r->j;
    struct map codes = {0};
    static char there[] = "";
    ZB_AUTO(stmt_done) struct stmt *q = db_use(r->c->db, "select file,received,reason from refusal where mine=?1 and received>=?2 order by id desc", e);
    if (!q) return e->rc;
    stmt_z(q, 1, r->h->code);
    stmt_time(q, 2, r->opened);
    json_key(j, "refusals");
    json_arr(j);
    int rc, shown = 0;
    while ((rc = stmt_row(q, e)) == 1) {
        struct upload_name un;
        struct zb_err none;
        struct str file = stmt_col_text(q, 0);
        bool foreign = upload_name_parse(r->c->policy, file, str_of(r->h->code), &un, &none) == ZB_OK && !str_is(un.mine, r->h->code);
        if (foreign) map_set(&codes, un.mine, there);
        *whole += !foreign || !engine_alias_of(r->c->en, un.mine, str_of(r->h->code)); /* a code since mapped is put right */
        if (++shown > REFUSED_SHOWN) continue;
        json_obj(j);
        kv_str(j, "file", file);
        kv_t(j, "received", stmt_col_time(q, 1));
        kv_str(j, "reason", stmt_col_text(q, 2));
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "aliases");
    json_arr(j);
    engine_aliases(r->c->en, str_of(r->h->code), alias_one, j);
    json_arr_end(j);
    json_key(j, "unknown_codes");
    json_arr(j);
    for (size_t i = 0; i < codes.cap; i++) {
        struct str code = {codes.slot[i].key, codes.slot[i].klen};
        if (!code.p || engine_alias_of(r->c->en, code, str_of(r->h->code))) continue;
        json_str(j, code);
        ++*strange;
    }
    json_arr_end(j);
    map_done(&codes);
    return rc < 0 ? rc : ZB_OK;
}

static int alarms(struct report *r, struct zb_err *e) {
    struct json *j = r->j;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(r->c->db, "select kind,count(*) from trial_alarm where mine=? and merged is null group by kind order by kind", e);
    if (!q) return e->rc;
    stmt_z(q, 1, r->h->code);
    json_key(j, "alarms");
    json_arr(j);
    int rc;
    while ((rc = stmt_row(q, e)) == 1) {
        int64_t k = stmt_col_i64(q, 0);
        if (k < 0 || k >= ALARM_KINDS_N) continue;
        json_obj(j);
        kv_z(j, "kind", ALARM_KIND_KEY[k]);
        kv_z(j, "zh", ALARM_KIND_ZH[k]);
        kv_i(j, "n", stmt_col_i64(q, 1));
        json_end(j);
    }
    json_arr_end(j);
    return rc < 0 ? rc : ZB_OK;
}

/* ---- checks ---- */
enum verdict { PASS, FAIL, UNKNOWN };

static void check(struct report *r, const char *key, const char *zh, const char *en, zb_fix value, zb_fix need, const char *unit, enum verdict v) {
    static const char *const V[] = {"pass", "fail", "unknown"};
    struct json *j = r->j;
    r->open += v != PASS;
    json_obj(j);
    kv_z(j, "key", key);
    kv_z(j, "zh", zh);
    kv_z(j, "en", en);
    kv_fix(j, "value", value);
    kv_fix(j, "need", need);
    kv_z(j, "unit", unit);
    kv_z(j, "state", V[v]);
    json_end(j);
}

static void count_check(struct report *r, const char *key, const char *zh, const char *en, int64_t n) {
    check(r, key, zh, en, n * ZB_FIX_ONE, 0, "", n ? FAIL : PASS);
}

static zb_fix abs_fix(zb_time ms) { return (ms < 0 ? -ms : ms) * (ZB_FIX_ONE / 1000); }

static void checks(struct report *r, const struct sums *s, int asked, int missing, int strange, int whole) {
    const struct link_rule *l = &r->c->policy->link;
    zb_fix minutes = r->from == ZB_TIME_NONE ? 0 : (r->to - r->from) / ZB_SECOND * ZB_FIX_ONE / 60, need = (zb_fix)l->percent * ZB_FIX_ONE;
    zb_fix files = percent_of(r->received, r->expected), samples = percent_of(s->received, s->expected);
    json_key(r->j, "checks");
    json_arr(r->j);
    check(r, "minutes", "试运行数据时长", "Data of the trial", minutes, (zb_fix)l->trial_minutes * ZB_FIX_ONE, "min",
          minutes >= (zb_fix)l->trial_minutes * ZB_FIX_ONE ? PASS : FAIL);
    check(r, "files", "文件完整率", "Files received of expected", files, need, "%", files == ZB_FIX_NONE ? UNKNOWN : files >= need ? PASS : FAIL);
    check(r, "samples", "测点数据完整率", "Samples received of expected", samples, need, "%", samples == ZB_FIX_NONE ? UNKNOWN : samples >= need ? PASS : FAIL);
    check(r, "clock", "时钟偏差", "Offset of the mine's clock", r->clock ? abs_fix(r->offset) : ZB_FIX_NONE, l->clock_max * (ZB_FIX_ONE / 1000), "s",
          !r->clock                                                 ? UNKNOWN
          : r->offset <= l->clock_max && -r->offset <= l->clock_max ? PASS
                                                                    : FAIL);
    count_check(r, "refused_files", "整份被拒收的文件", "Files refused as a whole", whole);
    count_check(r, "refused_records", "被拒收的记录", "Records refused", r->refused);
    count_check(r, "unknown_codes", "未知矿井编码", "Unknown mine codes", strange);
    count_check(r, "undefined", "未定义的测点", "Points without a definition", s->undefined);
    count_check(r, "doubled", "重复的记录", "Records sent twice in a file", r->doubled);
    count_check(r, "twins", "同一位置同类传感器重复登记", "Same place and sensor under two codes", s->twins);
    count_check(r, "two_families", "同一测点经两种数据格式上传", "Points judged through two families", s->two);
    count_check(r, "types", "传感器类型未知", "Unknown sensor types", s->unknown_type);
    count_check(r, "units", "计量单位不符", "Units that differ", s->unit);
    count_check(r, "classes", "未确认的位置分类", "Location classes not confirmed", s->unconfirmed);
    count_check(r, "limits", "限值宽于规定的测点", "Limits laxer than the regulation", s->lax);
    check(r, "streams", "应接入而未收到的数据流", "Required streams that did not come", asked ? missing * ZB_FIX_ONE : ZB_FIX_NONE, 0, "",
          !asked    ? UNKNOWN
          : missing ? FAIL
                    : PASS);
    json_arr_end(r->j);
}

static int body(struct report *r, struct zb_err *e) {
    struct sums s = {0};
    struct json *j = r->j;
    int asked = 0, missing = 0, strange = 0, whole = 0;
    if (kinds(r, e) != ZB_OK || points(r, &s, e) != ZB_OK || streams(r, &asked, &missing, e) != ZB_OK || refusals(r, &strange, &whole, e) != ZB_OK ||
        alarms(r, e) != ZB_OK)
        return e->rc;
    classes(r);
    checks(r, &s, asked, missing, strange, whole);
    kv_t(j, "from", r->from);
    kv_t(j, "to", r->to);
    kv_i(j, "files", r->files);
    kv_i(j, "records", r->records);
    kv_i(j, "expected", r->expected);
    kv_i(j, "received", r->received);
    kv_z(j, "compared", r->compared);
    json_key(j, "offset_ms");
    if (r->clock)
        json_i64(j, r->offset);
    else
        json_none(j);
    kv_i(j, "spread_ms", r->clock ? r->spread : 0);
    kv_z(j, "assumed", r->c->policy->link.assumed);
    kv_z(j, "policy", r->c->policy->hash);
    kv_t(j, "made", zb_now());
    return ZB_OK;
}

int link_report(struct op_call *c, const struct link_head *h, zb_time opened, struct json *j, int *open, struct zb_err *e) {
    struct report r = {.c = c, .h = h, .j = j, .opened = opened, .from = ZB_TIME_NONE, .to = ZB_TIME_NONE};
    engine_mines(c->en, str_of(h->code), copy, &r);
    json_obj(j);
    int rc = body(&r, e);
    if (rc == ZB_OK) kv_i(j, "open", r.open);
    if (rc == ZB_OK) json_end(j);
    *open = r.open;
    free(r.p);
    map_done(&r.types);
    return rc;
}
