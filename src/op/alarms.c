/* Alarms as people see and answer them: the machine's half from the judge, the officer's half written here, each act with its journal entry. */
#include "audit/audit.h"
#include "op/fns.h"
#include <stdio.h>
#include <stdlib.h>

#define COLS                                                                                                                                                   \
    "id,mine,point,location,unit,kind,level,state,raised,cleared,last,peak,lim,labels,count,grp,note,acked,acked_by,cause,cause_note,caused_by,measure,"       \
    "measured_by,verified_by,closed_by,shelved_until,shelved_by,shelf_approver,shelf_reason,region,"                                                           \
    "coalesce((select name from checkpoint c where c.mine=alarm.mine),mine),late,merged,judged,note_en"

static const struct {
    uint32_t bit;
    const char *zh, *en;
} LABELS[] = {
    {ST_CALIB, "标校", "calibration"},       {ST_OVER_RANGE, "超量程", "over range"}, {ST_STATION, "分站故障", "station fault"},
    {ST_NOT_POLLED, "不巡检", "not polled"}, {ST_PAUSED, "暂停", "paused"},           {ST_FAULT, "传感器故障", "sensor fault"},
    {ST_NO_VALUE, "无值", "no value"},       {ST_FUTURE, "时间超前", "time ahead"},
};

static void text_key(struct json *j, const char *key, struct stmt *q, int col) {
    json_key(j, key);
    if (stmt_col_null(q, col))
        json_none(j);
    else
        json_str(j, stmt_col_text(q, col));
}
static void time_key(struct json *j, const char *key, struct stmt *q, int col) {
    json_key(j, key);
    json_time(j, stmt_col_time(q, col));
}

static void row_json(struct json *j, struct stmt *q) {
    int64_t kind = stmt_col_i64(q, 5), level = stmt_col_i64(q, 6), state = stmt_col_i64(q, 7), labels = stmt_col_i64(q, 13);
    if (kind < 0 || kind >= ALARM_KINDS_N || level < 0 || level >= ALARM_LEVELS_N || state < 0 || state >= ALARM_STATES_N) kind = level = state = 0;
    json_obj(j);
    text_key(j, "id", q, 0);
    text_key(j, "mine", q, 1);
    text_key(j, "mine_name", q, 31);
    text_key(j, "point", q, 2);
    text_key(j, "location", q, 3);
    text_key(j, "unit", q, 4);
    json_key(j, "kind");
    json_z(j, ALARM_KIND_KEY[kind]);
    json_key(j, "kind_zh");
    json_z(j, ALARM_KIND_ZH[kind]);
    json_key(j, "level");
    json_z(j, ALARM_LEVEL_KEY[level]);
    json_key(j, "level_zh");
    json_z(j, ALARM_LEVEL_ZH[level]);
    json_key(j, "state");
    json_z(j, ALARM_STATE_KEY[state]);
    json_key(j, "state_zh");
    json_z(j, ALARM_STATE_ZH[state]);
    time_key(j, "raised", q, 8);
    time_key(j, "cleared", q, 9);
    time_key(j, "last", q, 10);
    json_key(j, "peak");
    json_fix(j, stmt_col_fix(q, 11));
    json_key(j, "limit");
    json_fix(j, stmt_col_fix(q, 12));
    for (int en = 0; en < 2; en++) {
        json_key(j, en ? "labels_en" : "labels");
        json_arr(j);
        for (size_t i = 0; i < sizeof LABELS / sizeof *LABELS; i++)
            if (labels & LABELS[i].bit) json_z(j, en ? LABELS[i].en : LABELS[i].zh);
        json_arr_end(j);
    }
    json_key(j, "count");
    json_i64(j, stmt_col_i64(q, 14));
    text_key(j, "group", q, 15);
    text_key(j, "note", q, 16);
    text_key(j, "note_en", q, 35);
    time_key(j, "acked", q, 17);
    text_key(j, "acked_by", q, 18);
    text_key(j, "cause", q, 19);
    text_key(j, "cause_note", q, 20);
    text_key(j, "caused_by", q, 21);
    text_key(j, "measure", q, 22);
    text_key(j, "measured_by", q, 23);
    text_key(j, "verified_by", q, 24);
    text_key(j, "closed_by", q, 25);
    time_key(j, "shelved_until", q, 26);
    text_key(j, "shelved_by", q, 27);
    text_key(j, "shelf_approver", q, 28);
    text_key(j, "shelf_reason", q, 29);
    json_key(j, "late");
    json_bool(j, stmt_col_i64(q, 32) != 0);
    text_key(j, "merged", q, 33);
    time_key(j, "judged", q, 34);
    json_end(j);
}

bool alarm_json(struct db *db, struct str id, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select " COLS " from alarm where id=?", e);
    if (!q) return false;
    stmt_text(q, 1, id);
    if (stmt_row(q, e) != 1) return false;
    row_json(j, q);
    return true;
}

static int key_index(struct str key, const char *const *keys, int n, const char *what, int64_t *ret, struct zb_err *e) {
    *ret = -1;
    if (!key.n) return ZB_OK;
    for (int i = 0; i < n; i++)
        if (str_is(key, keys[i])) *ret = i;
    return *ret >= 0 ? ZB_OK : zb_fail(e, ZB_E_INPUT, "%s \"" STR_FMT "\" is not known", what, STR_ARG(key));
}

#define WHERE                                                                                                                                                  \
    " from alarm where merged is null and (?1='' or mine=?1) and (?2=0 or state<5) and (?3<0 or kind=?3) and (?4<0 or level=?4) and (?5='' or point=?5)"       \
    " and raised>=?6 and raised<?7 and (substr(region,1,length(?8))=?8 or mine=?8)"

static void bind_filters(struct op_call *c, struct stmt *q, int64_t kind, int64_t level) {
    stmt_text(q, 1, op_text(c, "mine"));
    stmt_i64(q, 2, op_int(c, "active", 0));
    stmt_i64(q, 3, kind);
    stmt_i64(q, 4, level);
    stmt_text(q, 5, op_text(c, "point"));
    stmt_i64(q, 6, op_int(c, "from", 0));
    stmt_i64(q, 7, op_int(c, "to", (zb_time)1 << 52));
    stmt_z(q, 8, c->actor.area);
}

int op_alarms(struct op_call *c, struct zb_err *e) {
    int64_t kind, level;
    if (key_index(op_text(c, "kind"), ALARM_KIND_KEY, ALARM_KINDS_N, "kind", &kind, e) != ZB_OK ||
        key_index(op_text(c, "level"), ALARM_LEVEL_KEY, ALARM_LEVELS_N, "level", &level, e) != ZB_OK)
        return e->rc;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select " COLS WHERE " order by (cleared is null) desc, level desc, raised desc limit ?9", e);
    ZB_AUTO(stmt_done) struct stmt *t = q ? db_use(c->db, "select count(*)" WHERE, e) : NULL;
    if (!q || !t) return e->rc;
    bind_filters(c, q, kind, level);
    stmt_i64(q, 9, op_int(c, "limit", 500));
    json_obj(c->out);
    json_key(c->out, "alarms");
    json_arr(c->out);
    int r;
    while ((r = stmt_row(q, e)) == 1) row_json(c->out, q);
    if (r < 0) return r;
    json_arr_end(c->out);
    bind_filters(c, t, kind, level);
    if (stmt_row(t, e) != 1) return e->rc;
    json_key(c->out, "total");
    json_i64(c->out, stmt_col_i64(t, 0));
    json_end(c->out);
    return ZB_OK;
}

static int absent(struct op_call *c, struct zb_err *e) {
    return zb_fail(e, ZB_E_ABSENT, "no alarm " STR_FMT " here, or not in your area", STR_ARG(op_text(c, "id")));
}

struct standing {
    int64_t kind, state;
    bool cleared;
    char mine[24], region[8], merged[ALARM_ID_CAP];
};

static int standing_read(struct op_call *c, struct db *db, struct standing *s, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select kind,state,cleared,mine,region,merged from alarm where id=?", e);
    if (!q) return e->rc;
    stmt_text(q, 1, op_text(c, "id"));
    int r = stmt_row(q, e);
    if (r < 0) return r;
    if (r == 0) return absent(c, e);
    s->kind = stmt_col_i64(q, 0);
    s->state = stmt_col_i64(q, 1);
    s->cleared = !stmt_col_null(q, 2);
    str_copy(stmt_col_text(q, 3), s->mine, sizeof s->mine);
    str_copy(stmt_col_text(q, 4), s->region, sizeof s->region);
    str_copy(stmt_col_text(q, 5), s->merged, sizeof s->merged);
    return sees(c, s->region, s->mine) ? ZB_OK : absent(c, e);
}

int op_alarm(struct op_call *c, struct zb_err *e) {
    struct standing s;
    if (standing_read(c, c->db, &s, e) != ZB_OK) return e->rc;
    return alarm_json(c->db, op_text(c, "id"), c->out, e) ? ZB_OK : absent(c, e);
}

/* ---- the acts: from which state, to which, and the statement that writes them. ?1 id ?2 who ?3 time ?4.. of the act */
struct act {
    const char *name;
    unsigned from;
    int to;
    bool needs_cleared;
    const char *sql, *args[3];
};
#define ST(x) (1u << ALARM_ST_##x)
static const struct act ACTS[] = {
    {"alarm.ack", ST(RAISED), ALARM_ST_ACKED, false, "update alarm set state=1,acked=?3,acked_by=?2 where id=?1", {0}},
    {"alarm.cause",
     ST(ACKED) | ST(CAUSED),
     ALARM_ST_CAUSED,
     false,
     "update alarm set state=2,caused=?3,caused_by=?2,cause=?4,cause_note=?5 where id=?1",
     {"cause", "note"}},
    {"alarm.measure",
     ST(CAUSED) | ST(MEASURED),
     ALARM_ST_MEASURED,
     false,
     "update alarm set state=3,measured=?3,measured_by=?2,measure=?4 where id=?1",
     {"note"}},
    {"alarm.verify", ST(MEASURED), ALARM_ST_VERIFIED, false, "update alarm set state=4,verified=?3,verified_by=?2 where id=?1", {0}},
    {"alarm.close", ST(VERIFIED), ALARM_ST_CLOSED, true, "update alarm set state=5,closed=?3,closed_by=?2 where id=?1", {0}},
    {"alarm.shelve",
     ST(RAISED) | ST(ACKED) | ST(CAUSED) | ST(MEASURED) | ST(VERIFIED),
     -1,
     false,
     "update alarm set shelved_by=?2,shelved_until=?3+?4*60000,shelf_reason=?5,shelf_approver=?6 where id=?1",
     {"minutes", "reason", "approver"}},
};

static bool cause_known(const struct policy *p, struct str key) {
    for (int i = 0; i < p->causes; i++)
        if (str_is(key, p->cause[i].key)) return true;
    return false;
}

static int shelf_allowed(struct op_call *c, const struct standing *s, struct zb_err *e) {
    zb_time length = op_int(c, "minutes", 0) * ZB_MINUTE;
    if (!c->policy->kind[s->kind].shelvable)
        return zb_fail(e, ZB_E_CONFLICT, "an alarm of kind %s (%s) cannot be shelved", ALARM_KIND_KEY[s->kind], ALARM_KIND_ZH[s->kind]);
    if (length > c->policy->shelf.max) return zb_fail(e, ZB_E_INPUT, "minutes: at most %lld", (long long)(c->policy->shelf.max / ZB_MINUTE));
    if (str_is(op_text(c, "approver"), c->actor.user)) return zb_fail(e, ZB_E_INPUT, "approver: somebody other than %s must approve it", c->actor.user);
    return ZB_OK;
}

static int act_allowed(struct op_call *c, const struct act *a, const struct standing *s, struct zb_err *e) {
    if (s->merged[0]) return zb_fail(e, ZB_E_CONFLICT, "the alarm became part of alarm %s: answer that one", s->merged);
    if (!(a->from & (1u << s->state)))
        return zb_fail(e, ZB_E_CONFLICT, "the alarm is %s (%s): %s is not possible now", ALARM_STATE_KEY[s->state], ALARM_STATE_ZH[s->state], a->name);
    if (a->needs_cleared && !s->cleared) return zb_fail(e, ZB_E_CONFLICT, "the alarm still lasts: it can be closed when the value is back");
    if (!strcmp(a->name, "alarm.cause") && !cause_known(c->policy, op_text(c, "cause")))
        return zb_fail(e, ZB_E_INPUT, "cause \"" STR_FMT "\" is not in the list of causes", STR_ARG(op_text(c, "cause")));
    return a->to < 0 ? shelf_allowed(c, s, e) : ZB_OK;
}

static int act_journal(struct op_call *c, struct db *w, const struct act *a, const struct standing *s, zb_time now, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 8192);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "mine");
    json_z(&j, s->mine);
    json_key(&j, "from");
    json_z(&j, ALARM_STATE_KEY[s->state]);
    json_key(&j, "to");
    json_z(&j, ALARM_STATE_KEY[a->to < 0 ? s->state : a->to]);
    for (int i = 0; i < 3 && a->args[i]; i++) {
        json_key(&j, a->args[i]);
        json_str(&j, op_text(c, a->args[i]));
    }
    json_end(&j);
    return audit_append(w, now, str_of(c->actor.user), str_of(a->name), op_text(c, "id"), buf_str(&b), e);
}

static int act_write(struct op_call *c, struct db *w, const struct act *a, zb_time now, struct zb_err *e) {
    struct standing s;
    if (standing_read(c, w, &s, e) != ZB_OK || act_allowed(c, a, &s, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(w, a->sql, e);
    if (!q) return e->rc;
    stmt_text(q, 1, op_text(c, "id"));
    stmt_z(q, 2, c->actor.user);
    stmt_time(q, 3, now);
    for (int i = 0; i < 3 && a->args[i]; i++) {
        if (!strcmp(a->args[i], "minutes"))
            stmt_i64(q, 4 + i, op_int(c, "minutes", 0));
        else
            stmt_text(q, 4 + i, op_text(c, a->args[i]));
    }
    return stmt_run(q, e) == ZB_OK ? act_journal(c, w, a, &s, now, e) : e->rc;
}

int op_alarm_act(struct op_call *c, struct zb_err *e) {
    const struct act *a = NULL;
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (!strcmp(ACTS[i].name, c->op->name)) a = &ACTS[i];
    if (!a) ZB_BUG("no act %s", c->op->name);
    struct db *w = engine_writer(c->en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        rc = act_write(c, w, a, zb_now(), e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
    }
    if (rc == ZB_OK && !alarm_json(w, op_text(c, "id"), c->out, e)) rc = e->rc;
    engine_writer_back(c->en);
    str_copy(op_text(c, "id"), c->changed_alarm, sizeof c->changed_alarm);
    return rc;
}

int op_causes(struct op_call *c, struct zb_err *e) {
    (void)e;
    struct json *j = c->out;
    json_obj(j);
    json_key(j, "causes");
    json_arr(j);
    for (int i = 0; i < c->policy->causes; i++) {
        json_obj(j);
        json_key(j, "key");
        json_z(j, c->policy->cause[i].key);
        json_key(j, "zh");
        json_z(j, c->policy->cause[i].zh);
        json_key(j, "en");
        json_z(j, c->policy->cause[i].en);
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
    return ZB_OK;
}

#define AREA "merged is null and (substr(region,1,length(?1))=?1 or mine=?1) and (?2='' or mine=?2)"

static struct stmt *area_query(struct op_call *c, const char *sql, struct zb_err *e) {
    struct stmt *q = db_use(c->db, sql, e);
    if (!q) return NULL;
    stmt_z(q, 1, c->actor.area);
    stmt_text(q, 2, op_text(c, "mine"));
    return q;
}

int op_cause_counts(struct op_call *c, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        area_query(c, "select mine, cause, count(*) from alarm where cause is not null and " AREA " group by mine, cause order by mine, 3 desc", e);
    if (!q) return e->rc;
    json_obj(c->out);
    json_key(c->out, "counts");
    json_arr(c->out);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(c->out);
        json_key(c->out, "mine");
        json_str(c->out, stmt_col_text(q, 0));
        json_key(c->out, "cause");
        json_str(c->out, stmt_col_text(q, 1));
        json_key(c->out, "n");
        json_i64(c->out, stmt_col_i64(q, 2));
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return r < 0 ? r : ZB_OK;
}

static int one(struct op_call *c, const char *sql, zb_time since, int64_t *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = area_query(c, sql, e);
    if (!q) return e->rc;
    stmt_time(q, 3, since);
    int r = stmt_row(q, e);
    *ret = r == 1 ? stmt_col_i64(q, 0) : 0;
    return r < 0 ? r : ZB_OK;
}

/* ISA-18.2: rate an hour over a day; chattering: a point alarming three times or more within the last hour; stale: standing for more than a day;
 * flood: more than ten new alarms within the last ten minutes. */
int op_kpi(struct op_call *c, struct zb_err *e) {
    zb_time now = zb_now();
    struct json *j = c->out;
    int64_t stale, flood, standing, unacked;
    if (one(c, "select count(*) from alarm where " AREA " and cleared is null and raised<?3", now - ZB_DAY, &stale, e) != ZB_OK ||
        one(c, "select count(*) from alarm where " AREA " and raised>=?3", now - 10 * ZB_MINUTE, &flood, e) != ZB_OK ||
        one(c, "select count(*) from alarm where " AREA " and cleared is null and ?3 is not null", now, &standing, e) != ZB_OK ||
        one(c, "select count(*) from alarm where " AREA " and state=0 and ?3 is not null", now, &unacked, e) != ZB_OK)
        return e->rc;
    ZB_AUTO(stmt_done) struct stmt *h = area_query(c, "select raised/3600000, count(*) from alarm where " AREA " and raised>=?3 group by 1 order by 1", e);
    ZB_AUTO(stmt_done)
    struct stmt *p = h ? area_query(c,
                                    "select mine, point, sum(count) from alarm where " AREA
                                    " and last>=?3 and point<>'' group by 1,2 having sum(count)>=3 order by 3 desc limit 50",
                                    e)
                       : NULL;
    if (!h || !p) return e->rc;
    stmt_time(h, 3, now - ZB_DAY);
    stmt_time(p, 3, now - ZB_HOUR);
    json_obj(j);
    json_key(j, "per_hour");
    json_arr(j);
    int r;
    while ((r = stmt_row(h, e)) == 1) {
        json_obj(j);
        json_key(j, "t");
        json_time(j, stmt_col_i64(h, 0) * ZB_HOUR);
        json_key(j, "n");
        json_i64(j, stmt_col_i64(h, 1));
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "chattering");
    json_arr(j);
    while (r >= 0 && (r = stmt_row(p, e)) == 1) {
        json_obj(j);
        json_key(j, "mine");
        json_str(j, stmt_col_text(p, 0));
        json_key(j, "point");
        json_str(j, stmt_col_text(p, 1));
        json_key(j, "n");
        json_i64(j, stmt_col_i64(p, 2));
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "stale");
    json_i64(j, stale);
    json_key(j, "flood");
    json_bool(j, flood > 10);
    json_key(j, "standing");
    json_i64(j, standing);
    json_key(j, "unacknowledged");
    json_i64(j, unacked);
    json_end(j);
    return r < 0 ? r : ZB_OK;
}
