#include "notify/notify.h"
#include "audit/audit.h"
#include <stdio.h>

static const char *const MIGRATIONS[] = {"create table duty(id integer primary key, area text not null, day integer not null, from_min integer not null, "
                                         "to_min integer not null, person text not null, rank integer not null, "
                                         "channel text not null, address text not null) strict;"
                                         "create index duty_day on duty(day,area,rank);"
                                         "create table outbox(id integer primary key, dedup text not null unique, subject text not null, area text not null, "
                                         "urgent integer not null, title text not null, body text not null, created "
                                         "integer not null, due integer, rank integer not null, tries integer not null, state text not null, person text, "
                                         "channel text, address text, handed integer, received integer, received_by text, "
                                         "error text) strict;"
                                         "create index outbox_due on outbox(due) where due is not null;"
                                         "create index outbox_area on outbox(area,id);",
                                         "alter table outbox add column title_en text not null default '';"
                                         "alter table outbox add column body_en text not null default '';"};

int notify_init(struct db *db, struct zb_err *e) { return db_migrate(db, "notify", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e); }

int notify_put(struct db *db, const struct notice *n, zb_time now, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db,
                            "insert into outbox(dedup,subject,area,urgent,title,body,created,due,rank,tries,state,title_en,body_en) "
                            "values(?1,?2,?3,?4,?5,?6,?7,?7,0,0,'waiting',?8,?9) on conflict(dedup) do nothing",
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, n->dedup);
    stmt_z(q, 2, n->subject);
    stmt_z(q, 3, n->area);
    stmt_i64(q, 4, n->urgent);
    stmt_z(q, 5, n->title);
    stmt_z(q, 6, n->body);
    stmt_time(q, 7, now);
    stmt_z(q, 8, n->title_en);
    stmt_z(q, 9, n->body_en);
    return stmt_run(q, e);
}

/* ---- roster ---- */
static const struct channel_rule *channel_rule(const struct policy *p, struct str key) {
    for (int i = 0; i < p->channels; i++)
        if (str_is(key, p->channel[i].key)) return &p->channel[i];
    return NULL;
}

bool header_safe(const char *s) {
    for (const unsigned char *p = (const unsigned char *)s; *p; p++)
        if (*p < ' ' || *p == 127) return false;
    return true;
}

int duty_put(struct db *db, const struct policy *p, struct str who, const struct duty *d, zb_time now, int64_t *id, struct zb_err *e) {
    if (!channel_rule(p, str_of(d->channel))) return zb_fail(e, ZB_E_INPUT, "channel \"%s\" is not in notify.yaml", d->channel);
    if (!d->person[0] || !header_safe(d->person) || !header_safe(d->address))
        return zb_fail(e, ZB_E_INPUT, "person and address: no line breaks, and a person is required");
    if (d->from_min < 0 || d->from_min >= 1440 || d->to_min <= d->from_min || d->to_min > 2880)
        return zb_fail(e, ZB_E_INPUT, "from and to: minutes of the day, to after from (a night shift ends after 1440)");
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db, "insert into duty(area,day,from_min,to_min,person,rank,channel,address) values(?1,?2,?3,?4,?5,?6,?7,?8) returning id", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_z(q, 1, d->area);
        stmt_i64(q, 2, d->day);
        stmt_i64(q, 3, d->from_min);
        stmt_i64(q, 4, d->to_min);
        stmt_z(q, 5, d->person);
        stmt_i64(q, 6, d->rank);
        stmt_z(q, 7, d->channel);
        stmt_z(q, 8, d->address);
        rc = stmt_row(q, e) == 1 ? ZB_OK : e->rc;
        if (rc == ZB_OK) *id = stmt_col_i64(q, 0);
        stmt_done(&q);
    }
    char subject[40], body[100];
    snprintf(subject, sizeof subject, "%.23s", d->area);
    snprintf(body, sizeof body, "{\"day\":%d,\"from\":%d,\"to\":%d,\"rank\":%d}", d->day, d->from_min, d->to_min, d->rank);
    if (rc == ZB_OK) rc = audit_append(db, now, who, STR("duty.set"), str_of(subject), str_of(body), e);
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

int duty_find(struct db *db, const char *area, zb_time now, int after, struct duty *ret, struct zb_err *e) {
    int32_t day = zb_day_of(now);
    int minute = (int)((now + 8 * ZB_HOUR - (zb_time)day * ZB_DAY) / ZB_MINUTE);
    for (size_t n = strlen(area); n >= 2; n = n > 6 ? 6 : n - 2) { /* a mine's county, its city, the province */
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(db,
                                "select id,area,day,from_min,to_min,person,rank,channel,address from duty where area=?1 and rank>?2 and ((day=?3 and "
                                "from_min<=?4 and to_min>?4) or (day=?3-1 and to_min>?4+1440)) order by rank, id limit 1",
                                e);
        if (!q) return e->rc;
        stmt_text(q, 1, (struct str){area, n});
        stmt_i64(q, 2, after);
        stmt_i64(q, 3, day);
        stmt_i64(q, 4, minute);
        int r = stmt_row(q, e);
        if (r < 0) return r;
        if (r == 0) continue;
        *ret = (struct duty){.id = stmt_col_i64(q, 0),
                             .day = (int32_t)stmt_col_i64(q, 2),
                             .from_min = (int)stmt_col_i64(q, 3),
                             .to_min = (int)stmt_col_i64(q, 4),
                             .rank = (int)stmt_col_i64(q, 6)};
        str_copy(stmt_col_text(q, 1), ret->area, sizeof ret->area);
        str_copy(stmt_col_text(q, 5), ret->person, sizeof ret->person);
        str_copy(stmt_col_text(q, 7), ret->channel, sizeof ret->channel);
        str_copy(stmt_col_text(q, 8), ret->address, sizeof ret->address);
        return ZB_OK;
    }
    return zb_fail(e, ZB_E_ABSENT, "nobody is on the roster of %s now", area);
}

int duty_json(struct db *db, const char *area, int32_t day, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db,
                            "select area,day,from_min,to_min,person,rank,channel,address from duty where day between ?2 and ?2+6 and "
                            "substr(area,1,length(?1))=?1 order by day,area,rank",
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, area);
    stmt_i64(q, 2, day);
    json_obj(j);
    json_key(j, "duties");
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(j);
        stmt_json(q, j, "area:s day:d from:i to:i person:s rank:i channel:s address:s");
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
    return r;
}

/* ---- the pass ---- */
struct due {
    int64_t id, rank, tries;
    bool urgent;
    char subject[120], area[24], title[300], body[2000], channel[32], address[200], person[64], state[12];
};

static int due_take(struct db *db, zb_time now, struct due *d, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db,
                            "select id,rank,tries,urgent,subject,area,title,body,coalesce(channel,''),coalesce(address,''),coalesce(person,''),state from "
                            "outbox where due<=?1 order by urgent desc, due limit 1",
                            e);
    if (!q) return e->rc;
    stmt_time(q, 1, now);
    int r = stmt_row(q, e);
    if (r != 1) return r;
    *d = (struct due){.id = stmt_col_i64(q, 0), .rank = stmt_col_i64(q, 1), .tries = stmt_col_i64(q, 2), .urgent = stmt_col_i64(q, 3) != 0};
    str_copy(stmt_col_text(q, 4), d->subject, sizeof d->subject);
    str_copy(stmt_col_text(q, 5), d->area, sizeof d->area);
    str_copy(stmt_col_text(q, 6), d->title, sizeof d->title);
    str_copy(stmt_col_text(q, 7), d->body, sizeof d->body);
    str_copy(stmt_col_text(q, 8), d->channel, sizeof d->channel);
    str_copy(stmt_col_text(q, 9), d->address, sizeof d->address);
    str_copy(stmt_col_text(q, 10), d->person, sizeof d->person);
    str_copy(stmt_col_text(q, 11), d->state, sizeof d->state);
    return 1;
}

static int due_store(struct db *db, const struct due *d, zb_time due, zb_time handed, const char *error, struct zb_err *e) {
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db,
                            "update outbox set rank=?2,tries=?3,state=?4,person=?5,channel=?6,address=?7,due=?8,handed=coalesce(?9,handed),error=?10 where "
                            "id=?1 and received is null",
                            e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_i64(q, 1, d->id);
        stmt_i64(q, 2, d->rank);
        stmt_i64(q, 3, d->tries);
        stmt_z(q, 4, d->state);
        stmt_z(q, 5, d->person);
        stmt_z(q, 6, d->channel);
        stmt_z(q, 7, d->address);
        stmt_time(q, 8, due);
        stmt_time(q, 9, handed);
        stmt_z(q, 10, error);
        rc = stmt_run(q, e);
        stmt_done(&q);
    }
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

static void state_set(struct due *d, const char *s) { str_copy(str_of(s), d->state, sizeof d->state); }

static int one(struct db *db, const struct policy *p, zb_time now, struct due *d, notify_send_fn *send, void *arg, struct zb_err *e) {
    struct duty on;
    if (!d->person[0] || !strcmp(d->state, "handed")) { /* the first person, or the next one: nobody answered */
        int rc = duty_find(db, d->area, now, (int)d->rank, &on, e);
        if (rc != ZB_OK && rc != ZB_E_ABSENT) return rc;
        if (rc == ZB_E_ABSENT) { /* looked for again: a roster may be entered late, and a red event must not be forgotten */
            bool first = !d->person[0];
            state_set(d, first ? "nobody" : "unanswered");
            d->rank = 0;
            d->person[0] = 0;
            return due_store(db, d, d->urgent || first ? now + p->receipt_wait : ZB_TIME_NONE, ZB_TIME_NONE, e->msg, e);
        }
        d->rank = on.rank;
        d->tries = 0;
        str_copy(str_of(on.person), d->person, sizeof d->person);
        str_copy(str_of(on.channel), d->channel, sizeof d->channel);
        str_copy(str_of(on.address), d->address, sizeof d->address);
    }
    struct message m = {d->id, d->channel, d->address, d->title, d->body, d->subject, d->area, d->urgent};
    struct zb_err why = {0};
    if (send(arg, p, &m, &why) == ZB_OK) {
        state_set(d, "handed");
        return due_store(db, d, d->urgent ? now + p->receipt_wait : ZB_TIME_NONE, now, NULL, e);
    }
    zb_time wait = d->tries < p->retries ? p->retry[d->tries] : ZB_TIME_NONE;
    d->tries++;
    if (wait != ZB_TIME_NONE) {
        state_set(d, "failed");
        return due_store(db, d, now + wait, ZB_TIME_NONE, why.msg, e);
    }
    state_set(d, "handed"); /* this person cannot be reached: on to the next at once */
    return due_store(db, d, now, ZB_TIME_NONE, why.msg, e);
}

int notify_step(struct db *db, const struct policy *p, zb_time now, notify_send_fn *send, void *arg, int *did, struct zb_err *e) {
    for (*did = 0; *did < 50; ++*did) {
        struct due d;
        int r = due_take(db, now, &d, e);
        if (r <= 0) return r;
        if (one(db, p, now, &d, send, arg, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

int notify_receipt(struct db *db, int64_t id, struct str who, zb_time now, struct zb_err *e) {
    if (db_begin(db, e) != ZB_OK) return e->rc;
    struct stmt *q = db_use(db, "update outbox set received=?2,received_by=?3,state='received',due=null where id=?1 and received is null", e);
    int rc = q ? ZB_OK : e->rc;
    if (q) {
        stmt_i64(q, 1, id);
        stmt_time(q, 2, now);
        stmt_text(q, 3, who);
        rc = stmt_run(q, e);
        if (rc == ZB_OK && !db_changes(db)) rc = zb_fail(e, ZB_E_CONFLICT, "notice %lld is not there or was answered already", (long long)id);
        stmt_done(&q);
    }
    char subject[40];
    snprintf(subject, sizeof subject, "%lld", (long long)id);
    if (rc == ZB_OK) rc = audit_append(db, now, who, STR("notice.receipt"), str_of(subject), STR("{}"), e);
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

int notify_json(struct db *db, const char *area, int limit, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(db,
               "select id,subject,area,urgent,title,body,created,state,person,channel,handed,received,received_by,error,title_en,body_en from outbox where "
               "substr(area,1,length(?1))=?1 order by id desc limit ?2",
               e);
    if (!q) return e->rc;
    stmt_z(q, 1, area);
    stmt_i64(q, 2, limit);
    json_obj(j);
    json_key(j, "notices");
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(j);
        stmt_json(q, j,
                  "id:i subject:s? area:s? urgent:b title:s? body:s? created:t state:s? person:s? channel:s? handed:t received:t received_by:s? error:s? "
                  "title_en:s? body_en:s?");
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
    return r;
}
