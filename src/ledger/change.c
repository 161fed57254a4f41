/* One function through which every change of a record goes: new, edit and act. */
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 8

struct change { /* what one change is made of while it is made */
    struct lcall *c;
    const struct lchange *in;
    const struct ledger *l;
    const struct ledger_act *act; /* NULL: new, edit */
    struct record old, r;
    bool fresh;
    zb_time at;
    const char *name; /* "new", "edit" or the act's key */
};

static const char *who(const struct lcall *c) { return c->actor ? c->actor->user : "auto"; }

/* ---- values ---- */
static bool writable(const struct change *x, const struct ledger_access *acc, const char *field) {
    if (x->c->depth) return true; /* an effect writes what its policy says */
    if (word_in(acc->hide, str_of(field))) return false;
    if (x->act) return word_in(x->act->needs, str_of(field)) || word_in(x->act->asks, str_of(field));
    return true;
}

static int values_take(struct change *x, const struct ledger_access *acc, struct zb_err *e) {
    const char *key;
    json_t *v;
    json_object_foreach(x->in->values, key, v) {
        int i = lfield_find(x->l->field, x->l->fields, str_of(key));
        bool sub = false;
        if (x->fresh && !strcmp(key, "state")) {
            int st = lstate_find(x->l, str_of(json_string_value(v)));
            if (st < 0 || !(x->l->start >> st & 1))
                return zb_fail(e, ZB_E_INPUT, "state \"%.40s\": a new record of %s cannot begin there", json_string_value(v) ? json_string_value(v) : "",
                               x->l->key);
            x->r.state = st;
            continue;
        }
        for (int k = 0; k < x->l->subs; k++) sub |= !strcmp(x->l->sub[k].key, key);
        if (i < 0 && !sub) return zb_fail(e, ZB_E_INPUT, "%.60s is not a field of %s %s", key, x->l->id, x->l->zh);
        if (i >= 0 && x->l->field[i].derive[0]) return zb_fail(e, ZB_E_INPUT, "%s %s is worked out, not entered", key, x->l->field[i].zh);
        if (!writable(x, acc, key)) return zb_fail(e, ZB_E_DENIED, "%s may not be written here", key);
        if (sub) continue;
        if (value_json_in(x->c, &x->l->field[i], v, &x->r.v[i], e) != ZB_OK) return e->rc;
        if (x->l->field[i].type == LF_SEALED && !x->r.v[i].null && seal_put(x->c, x->r.id, x->r.v[i].s, &x->r.v[i].s, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static bool filled(const struct change *x, struct str key) {
    int i = lfield_find(x->l->field, x->l->fields, key);
    if (i >= 0) return !x->r.v[i].null;
    return true; /* sub-tables are looked at after they are written */
}

static int needs_check(struct change *x, struct zb_err *e) {
    for (int i = 0; i < x->l->fields; i++)
        if (x->l->field[i].required && x->r.v[i].null) return zb_fail(e, ZB_E_INPUT, "%s %s is required", x->l->field[i].key, x->l->field[i].zh);
    struct str rest = str_of(x->act ? x->act->needs : "");
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        if (!w.n || filled(x, w)) continue;
        int i = lfield_find(x->l->field, x->l->fields, w);
        return zb_fail(e, ZB_E_INPUT, "%s %s must be filled for %s", x->l->field[i].key, x->l->field[i].zh, x->act->zh);
    }
    return ZB_OK;
}

/* Area and mine of a record come from the first of its scope fields that is filled. */
static int scope_take(struct change *x, struct zb_err *e) {
    int s = -1, m = x->l->mine[0] ? lfield_find(x->l->field, x->l->fields, str_of(x->l->mine)) : -1;
    for (struct str w, rest = str_of(x->l->scope); rest.p && rest.n && (s < 0 || x->r.v[s].null);) {
        w = str_cut(rest, ' ', &rest);
        s = lfield_find(x->l->field, x->l->fields, w);
    }
    x->r.area[0] = x->r.mine[0] = 0;
    const struct value *v = &x->r.v[s];
    if (v->null) return zb_fail(e, ZB_E_INPUT, "%s %s is required: it says whose record this is", x->l->scope, x->l->field[s].zh);
    if (x->l->field[s].type == LF_REGION) {
        str_copy(v->s, x->r.area, sizeof x->r.area);
    } else {
        char sql[120];
        snprintf(sql, sizeof sql, "select area,mine from l_%s where id=?1", x->c->policy->ledger[x->l->field[s].to_ledger].key);
        ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, sql, e);
        if (!q) return e->rc;
        stmt_i64(q, 1, v->i);
        int r = stmt_row(q, e);
        if (r < 0) return r;
        if (r == 0) return zb_fail(e, ZB_E_INPUT, "%s %s: no record %lld", x->l->field[s].key, x->l->field[s].zh, (long long)v->i);
        str_copy(stmt_col_text(q, 0), x->r.area, sizeof x->r.area);
        str_copy(stmt_col_text(q, 1), x->r.mine, sizeof x->r.mine);
    }
    if (m >= 0 && !x->r.v[m].null) str_copy(x->r.v[m].s, x->r.mine, sizeof x->r.mine);
    return ZB_OK;
}

static int number_make(struct change *x, struct zb_err *e) {
    char key[80] = "", day[ZB_TIME_CAP];
    int width = 0;
    zb_day_text(zb_day_of(x->c->now), day);
    for (const char *p = x->l->number; *p;) {
        size_t at = strlen(key);
        if (!strncmp(p, "{yyyy}", 6)) {
            snprintf(key + at, sizeof key - at, "%.4s", day);
            p += 6;
        } else if (!strncmp(p, "{area}", 6)) {
            snprintf(key + at, sizeof key - at, "%.6s", x->r.area);
            p += 6;
        } else if (p[0] == '{' && p[1] == 'n' && p[2] >= '1' && p[2] <= '9' && p[3] == '}') {
            width = p[2] - '0';
            p += 4;
        } else {
            snprintf(key + at, sizeof key - at, "%c", *p++);
        }
    }
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(x->c->db, "insert into ledger_number(key,n) values(?1,1) on conflict(key) do update set n=ledger_number.n+1 returning n", e);
    if (!q) return e->rc;
    stmt_z(q, 1, key);
    if (stmt_row(q, e) != 1) return e->rc;
    snprintf(x->r.no, sizeof x->r.no, "%.50s%0*lld", key, width, (long long)stmt_col_i64(q, 0));
    return ZB_OK;
}

/* ---- writing ---- */
static int row_write(struct change *x, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct record *r = &x->r;
    buf_init(&b, 64 << 10);
    int n = 0;
    if (x->fresh) {
        buf_printf(&b, "insert into l_%s(id,no,rev,state,state_at,area,city,mine,updated,updated_by,created,created_by", x->l->key);
        for (int i = 0; i < x->l->fields; i++)
            if (!x->l->field[i].derive[0]) buf_printf(&b, ",\"%s\"", x->l->field[i].key);
        buf_puts(&b, ") values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?9,?10");
        for (int i = 0, k = 11; i < x->l->fields; i++)
            if (!x->l->field[i].derive[0]) buf_printf(&b, ",?%d", k++);
        buf_puts(&b, ")");
    } else {
        buf_printf(&b, "update l_%s set no=?2,rev=?3,state=?4,state_at=?5,area=?6,city=?7,mine=?8,updated=?9,updated_by=?10", x->l->key);
        for (int i = 0, k = 11; i < x->l->fields; i++)
            if (!x->l->field[i].derive[0]) buf_printf(&b, ",\"%s\"=?%d", x->l->field[i].key, k++);
        buf_puts(&b, " where id=?1");
    }
    ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, b.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, r->id);
    stmt_z(q, 2, r->no[0] ? r->no : NULL);
    stmt_i64(q, 3, r->rev);
    stmt_z(q, 4, x->l->state[r->state].key);
    stmt_i64(q, 5, r->state_at);
    stmt_z(q, 6, r->area);
    stmt_text(q, 7, (struct str){r->area, strlen(r->area) < 4 ? strlen(r->area) : 4});
    stmt_z(q, 8, r->mine);
    stmt_time(q, 9, x->c->now);
    stmt_z(q, 10, who(x->c));
    n = 11;
    for (int i = 0; i < x->l->fields; i++)
        if (!x->l->field[i].derive[0]) value_bind(q, n++, &x->l->field[i], &r->v[i]);
    int rc = stmt_run(q, e);
    if (rc == ZB_E_CONFLICT)
        return zb_fail(e, ZB_E_CONFLICT, "%s %s: there is a record with this %s already", x->l->id, x->l->zh, x->l->unique[0] ? x->l->unique : "number");
    return rc;
}

static int history_write(struct change *x, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    if (!x->fresh) {
        buf_printf(&b, "update h_%s set known_to=?2 where id=?1 and rev=?3", x->l->key);
        ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, b.p, e);
        if (!q) return e->rc;
        stmt_i64(q, 1, x->r.id);
        stmt_time(q, 2, x->c->now);
        stmt_i64(q, 3, x->old.rev);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
        buf_clear(&b);
    }
    ZB_AUTO(buf_done) struct buf f;
    buf_init(&f, 32 << 10);
    for (int i = 0; i < x->l->fields; i++)
        if (!x->l->field[i].derive[0]) buf_printf(&f, ",\"%s\"", x->l->field[i].key);
    buf_printf(
        &b, "insert into h_%s(id,rev,act,who,why,known,as_from,no,state,area,mine%s) select id,rev,?2,?3,?4,?5,?6,no,state,area,mine%s from l_%s where id=?1",
        x->l->key, f.p ? f.p : "", f.p ? f.p : "", x->l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, b.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, x->r.id);
    stmt_z(q, 2, x->name);
    stmt_z(q, 3, who(x->c));
    stmt_text(q, 4, x->in->why);
    stmt_time(q, 5, x->c->now);
    stmt_time(q, 6, x->at);
    return stmt_run(q, e);
}

/* Whose records changed: read and emptied by what is computed from them. */
static int touch(struct change *x, const char *area, const char *mine, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(x->c->db, "insert into ledger_touch(ledger,area,mine) values(?1,?2,?3)", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->l->key);
    stmt_z(q, 2, area);
    stmt_z(q, 3, mine);
    return stmt_run(q, e);
}

/* ---- sub-tables: a full list keeps rows by number and ends those left out; {"add":[…]} only adds ---- */
static int sub_end(struct change *x, const struct ledger_sub *s, int64_t row, struct zb_err *e) {
    char sql[160];
    snprintf(sql, sizeof sql, "update s_%s_%s set until=?3 where rec=?1 and row=?2 and until is null", x->l->key, s->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, x->r.id);
    stmt_i64(q, 2, row);
    stmt_i64(q, 3, x->r.rev);
    return stmt_run(q, e);
}

static int sub_row(struct change *x, const struct ledger_sub *s, int64_t row, json_t *o, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 32 << 10);
    buf_printf(&b, "insert into s_%s_%s(rec,row,since", x->l->key, s->key);
    for (int i = 0; i < s->fields; i++) buf_printf(&b, ",\"%s\"", s->field[i].key);
    buf_puts(&b, ") values(?1,?2,?3");
    for (int i = 0; i < s->fields; i++) buf_printf(&b, ",?%d", 4 + i);
    buf_puts(&b, ")");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, b.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, x->r.id);
    stmt_i64(q, 2, row);
    stmt_i64(q, 3, x->r.rev);
    const char *key;
    json_t *v;
    json_object_foreach(o, key, v) if (strcmp(key, "row") && lfield_find(s->field, s->fields, str_of(key)) <
                                                                 0) return zb_fail(e, ZB_E_INPUT, "%s: %.60s is not a field of it", s->key, key);
    for (int i = 0; i < s->fields; i++) {
        struct value val = {.null = true};
        v = json_object_get(o, s->field[i].key);
        if (v && value_json_in(x->c, &s->field[i], v, &val, e) != ZB_OK) return zb_wrap(e, "%s row %lld", s->key, (long long)row);
        if (val.null && s->field[i].required)
            return zb_fail(e, ZB_E_INPUT, "%s row %lld: %s %s is required", s->key, (long long)row, s->field[i].key, s->field[i].zh);
        value_bind(q, 4 + i, &s->field[i], &val);
    }
    return stmt_run(q, e);
}

static int sub_rows(struct change *x, const struct ledger_sub *s, int64_t have[1000], int *n, int64_t *top, struct zb_err *e) {
    char sql[160];
    snprintf(sql, sizeof sql, "select row,until is null from s_%s_%s where rec=?1 order by row", x->l->key, s->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, x->r.id);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        *top = stmt_col_i64(q, 0);
        if (stmt_col_i64(q, 1) && *n < 1000) have[(*n)++] = *top;
    }
    return r;
}

static int sub_write(struct change *x, const struct ledger_sub *s, json_t *in, struct zb_err *e) {
    int64_t have[1000], top = 0;
    int n = 0;
    bool add = json_is_object(in);
    json_t *list = add ? json_object_get(in, "add") : in;
    if (!json_is_array(list) || json_array_size(list) > 1000) return zb_fail(e, ZB_E_INPUT, "%s: a list of at most 1000 rows, or {\"add\": […]}", s->key);
    if (sub_rows(x, s, have, &n, &top, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n && !add; i++)
        if (sub_end(x, s, have[i], e) != ZB_OK) return e->rc;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *o = json_array_get(list, i);
        int64_t row = json_integer_value(json_object_get(o, "row"));
        if (!json_is_object(o)) return zb_fail(e, ZB_E_INPUT, "%s: row %zu is not an object", s->key, i + 1);
        bool known = false;
        for (int k = 0; k < n; k++) known |= have[k] == row;
        if (row && (!known || add)) return zb_fail(e, ZB_E_INPUT, "%s has no row %lld to keep", s->key, (long long)row);
        if (sub_row(x, s, row ? row : ++top, o, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int subs_write(struct change *x, struct zb_err *e) {
    for (int i = 0; i < x->l->subs; i++) {
        const struct ledger_sub *s = &x->l->sub[i];
        json_t *v = json_object_get(x->in->values, s->key);
        if (v && sub_write(x, s, v, e) != ZB_OK) return e->rc;
        if (x->act && word_in(x->act->needs, str_of(s->key))) {
            int64_t have[1000], top = 0;
            int n = 0;
            if (sub_rows(x, s, have, &n, &top, e) != ZB_OK) return e->rc;
            if (!n) return zb_fail(e, ZB_E_INPUT, "%s %s must have a row for %s", s->key, s->zh, x->act->zh);
        }
    }
    return ZB_OK;
}

/* ---- journal: what changed, old and new ---- */
static int journal(struct change *x, const char *what, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    char subject[120];
    buf_init(&b, 1 << 20);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "no");
    json_z(&j, x->r.no);
    json_key(&j, "mine");
    json_z(&j, x->r.mine);
    json_key(&j, "from");
    json_z(&j, x->fresh ? "" : x->l->state[x->old.state].key);
    json_key(&j, "to");
    json_z(&j, x->l->state[x->r.state].key);
    if (x->in->why.n) {
        json_key(&j, "why");
        json_str(&j, x->in->why);
    }
    if (x->act && x->act->is_signed) {
        json_key(&j, "signed");
        json_bool(&j, true);
    }
    json_key(&j, "set");
    json_obj(&j);
    for (int i = 0; i < x->l->fields; i++) {
        const struct ledger_field *f = &x->l->field[i];
        struct value none = {.null = true};
        const struct value *was = x->fresh ? &none : &x->old.v[i];
        if (f->derive[0] || value_same(f, was, &x->r.v[i])) continue;
        json_key(&j, f->key);
        json_arr(&j);
        value_json(&j, f, was);
        value_json(&j, f, &x->r.v[i]);
        json_arr_end(&j);
    }
    for (int i = 0; i < x->l->subs; i++) {
        json_t *v = json_object_get(x->in->values, x->l->sub[i].key);
        char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
        if (text) {
            json_key(&j, x->l->sub[i].key);
            json_raw(&j, str_of(text));
        }
        free(text);
    }
    json_end(&j);
    json_end(&j);
    snprintf(subject, sizeof subject, "%s/%lld", x->l->key, (long long)x->r.id);
    char name[80];
    snprintf(name, sizeof name, "%s.%s", x->l->key, what);
    if (x->c->past) return past_entry(x->c, who(x->c), name, subject, buf_str(&b), e);
    return audit_append(x->c->db, x->c->now, str_of(who(x->c)), str_of(name), str_of(subject), buf_str(&b), e);
}

/* ---- effects ---- */
/* SQL of the policy over this record, with who acts. */
static struct stmt *said(struct change *x, const char *expr, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    bool area = strstr(expr, ":area"), user = strstr(expr, ":user");
    buf_init(&b, 16 << 10);
    buf_puts(&b, "select (");
    actor_sql(&b, expr, 2, area ? 3 : 2);
    buf_printf(&b, ") from v_%s r where r.id=?1", x->l->key);
    struct stmt *q = db_once(x->c->db, b.p, e);
    if (!q) return NULL;
    stmt_i64(q, 1, x->r.id);
    if (area) stmt_z(q, 2, x->c->actor ? x->c->actor->area : "");
    if (user) stmt_z(q, area ? 3 : 2, who(x->c));
    return q;
}

static json_t *set_value(struct change *x, const struct ledger_field *to, const char *expr, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = said(x, expr, e);
    if (!q) return NULL;
    if (stmt_row(q, e) != 1 || stmt_col_null(q, 0)) return json_null();
    char t[ZB_TIME_CAP];
    if (to->type == LF_DAY) return json_string(zb_day_text((int32_t)stmt_col_i64(q, 0), t));
    if (to->type == LF_TIME) return json_string(zb_time_text(stmt_col_i64(q, 0), t));
    if (to->type == LF_NUM) return json_real(stmt_col_real(q, 0));
    if (to->type == LF_REF || to->type == LF_INT) return json_integer(stmt_col_i64(q, 0));
    if (to->type == LF_BOOL) return json_boolean(stmt_col_i64(q, 0) != 0);
    struct str s = stmt_col_text(q, 0);
    return json_stringn(s.p, s.n);
}

static int truth(struct change *x, const char *expr, bool *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = said(x, expr, e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    *ret = r == 1 && !stmt_col_null(q, 0) && stmt_col_i64(q, 0) != 0;
    return r < 0 ? r : ZB_OK;
}

static int effect_one(struct change *x, const struct ledger_effect *f, int64_t id, json_t *values, struct zb_err *e) {
    struct lcall c = *x->c;
    struct record r = {0};
    bool done;
    c.l = &c.policy->ledger[f->to_ledger];
    c.depth++;
    if (c.depth > DEPTH_MAX) return zb_fail(e, ZB_E_LIMIT, "effects go deeper than %d", DEPTH_MAX);
    if (id && record_load(&c, id, false, &r, e) != ZB_OK) return e->rc;
    struct lchange ch = {.id = id,
                         .rev = r.rev,
                         .act = f->to_act < 0 ? NULL : f->act,
                         .values = values,
                         .why = str_of(arena_printf(c.arena, "%s %s", x->l->key, x->r.no)),
                         .at = x->at,
                         .password_ok = true};
    return ledger_change_in(&c, &ch, &id, &done, e);
}

static int effect_do(struct change *x, const struct ledger_effect *f, struct zb_err *e) {
    bool when = true;
    const struct ledger *to = &x->c->policy->ledger[f->to_ledger];
    if (f->when[0] && truth(x, f->when, &when, e) != ZB_OK) return e->rc;
    if (!when) return ZB_OK;
    json_t *values = json_object();
    int rc = ZB_OK;
    for (int i = 0; i < f->sets && rc == ZB_OK; i++) {
        json_t *v = set_value(x, &to->field[lfield_find(to->field, to->fields, str_of(f->set[i].field))], f->set[i].sql, e);
        rc = v ? (json_object_set_new(values, f->set[i].field, v) ? ZB_E_INPUT : ZB_OK) : e->rc;
    }
    int64_t ids[200];
    int n = 0;
    if (rc == ZB_OK && f->to_act >= 0) {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(x->c->db, f->on, e);
        if (q) stmt_i64(q, 1, x->r.id);
        int r = q ? 0 : e->rc;
        while (q && n < 200 && (r = stmt_row(q, e)) == 1) ids[n++] = stmt_col_i64(q, 0);
        if (r < 0) rc = r;
    } else if (rc == ZB_OK) {
        ids[n++] = 0;
    }
    for (int i = 0; i < n && rc == ZB_OK; i++) rc = effect_one(x, f, ids[i], values, e);
    json_decref(values);
    return rc == ZB_OK ? rc : zb_wrap(e, "%s on %s", f->act, to->zh);
}

/* ---- permission ---- */
static int act_permitted(struct change *x, struct zb_err *e) {
    char zh[200], en[240];
    struct rectify_facts f;
    if (facts_of(x->c, &x->old, &f, e) != ZB_OK) return e->rc;
    if (x->c->depth) f.sup_level = 0; /* an effect follows the act that was allowed */
    enum verdict no = rectify_may(x->l, x->act, &f);
    if (no != ALLOWED) {
        rectify_why(x->l, x->act, no, &f, zh, en);
        return zb_fail(e, no == NOT_IN_STATE ? ZB_E_CONFLICT : ZB_E_DENIED, "%s; %s", zh, en);
    }
    if (x->act->is_signed && x->c->actor && !x->in->password_ok)
        return zb_fail(e, ZB_E_DENIED, "“%s”须重新输入密码签名; %s is signed: give the password again", x->act->zh, x->act->en);
    if (x->act->why && !x->in->why.n) return zb_fail(e, ZB_E_INPUT, "why is missing: “%s”须填写理由; %s needs a reason", x->act->zh, x->act->en);
    return ZB_OK;
}

/* So many officers must do it, each another: all but the last only put their name. */
static int cosigned(struct change *x, bool *done, struct zb_err *e) {
    *done = true;
    if (!x->act || x->act->officers < 2 || !x->c->actor || x->c->depth) return ZB_OK;
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(x->c->db,
               "select count(*), coalesce(sum(case when who=?5 then 1 else 0 end),0) from ledger_cosign where ledger=?1 and rec=?2 and rev=?3 and act=?4", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->l->key);
    stmt_i64(q, 2, x->r.id);
    stmt_i64(q, 3, x->old.rev);
    stmt_z(q, 4, x->act->key);
    stmt_z(q, 5, x->c->actor->user);
    if (stmt_row(q, e) != 1) return e->rc;
    if (stmt_col_i64(q, 1))
        return zb_fail(e, ZB_E_DENIED, "“%s”须%d人办理，您已签，等待另一人; %s needs %d officers: you have signed, another must", x->act->zh, x->act->officers,
                       x->act->en, x->act->officers);
    *done = stmt_col_i64(q, 0) + 1 >= x->act->officers;
    ZB_AUTO(stmt_done) struct stmt *w = db_use(x->c->db, "insert into ledger_cosign(ledger,rec,rev,act,who,t) values(?1,?2,?3,?4,?5,?6)", e);
    if (!w) return e->rc;
    stmt_z(w, 1, x->l->key);
    stmt_i64(w, 2, x->r.id);
    stmt_i64(w, 3, x->old.rev);
    stmt_z(w, 4, x->act->key);
    stmt_z(w, 5, x->c->actor->user);
    stmt_time(w, 6, x->c->now);
    return stmt_run(w, e);
}

static int begin_new(struct change *x, const struct ledger_access **acc, struct zb_err *e) {
    x->fresh = true;
    x->r = (struct record){
        .id = id_make(x->c->now), .rev = 0, .v = arena_alloc(x->c->arena, (size_t)(x->l->fields + 1) * sizeof(struct value)), .state_at = x->at};
    if (!x->r.v) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    for (int i = 0; i < x->l->fields; i++) x->r.v[i].null = true;
    access_sees(x->c, &x->r, acc); /* only for the row of the matrix: the area is checked when it is known */
    if (!*acc || !((*acc)->create || x->c->depth))
        return zb_fail(e, ZB_E_DENIED, "您的角色不能新建%s; your role may not make a new record of %s", x->l->zh, x->l->en);
    x->name = "new";
    return ZB_OK;
}

static int begin_old(struct change *x, const struct ledger_access **acc, struct zb_err *e) {
    if (record_load(x->c, x->in->id, false, &x->old, e) != ZB_OK) return e->rc;
    access_sees(x->c, &x->old, acc);
    if (x->old.rev != x->in->rev && !x->c->past)
        return zb_fail(e, ZB_E_CONFLICT, "%s 已被 %s 修改（版本 %lld，您看到的是 %lld），请刷新后再提交; changed meanwhile by %s: load it again", x->old.no,
                       x->old.updated_by, (long long)x->old.rev, (long long)x->in->rev, x->old.updated_by);
    if (!access_writes(x->c, &x->old, *acc)) return zb_fail(e, ZB_E_DENIED, "该记录不在您的辖区，只能查看; outside your area: to be read only");
    x->r = x->old;
    x->r.v = arena_alloc(x->c->arena, (size_t)(x->l->fields + 1) * sizeof(struct value));
    if (!x->r.v) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    memcpy(x->r.v, x->old.v, (size_t)x->l->fields * sizeof(struct value));
    if (!x->in->act) {
        x->name = "edit";
        if (!((*acc)->edit >> x->old.state & 1))
            return zb_fail(e, ZB_E_DENIED, "当前状态“%s”下您不能修改; your role may not edit a record that is %s", x->l->state[x->old.state].zh,
                           x->l->state[x->old.state].en);
        return ZB_OK;
    }
    int a = lact_find(x->l, str_of(x->in->act));
    if (a < 0) return zb_fail(e, ZB_E_INPUT, "%s has no act \"%.40s\"", x->l->key, x->in->act);
    x->act = &x->l->act[a];
    x->name = x->act->key;
    return act_permitted(x, e);
}

/* The act's, or the ledger's own of a new record: asked when the record stands as it will. */
static int guard_check(struct change *x, struct zb_err *e) {
    const struct ledger *l = x->l;
    const char *sql = x->act ? x->act->guard : x->fresh ? l->guard : "";
    bool good = true;
    if (sql[0] && truth(x, sql, &good, e) != ZB_OK) return e->rc;
    return good ? ZB_OK : zb_fail(e, ZB_E_CONFLICT, "%s; %s", x->act ? x->act->guard_zh : l->guard_zh, x->act ? x->act->guard_en : l->guard_en);
}

static int write_all(struct change *x, struct zb_err *e) {
    const struct ledger_access *acc;
    if (x->l->number[0] && !x->r.no[0] && !x->l->state[x->r.state].hidden_number && number_make(x, e) != ZB_OK) return e->rc;
    x->r.rev++;
    bool moved = !x->fresh && (strcmp(x->old.area, x->r.area) || strcmp(x->old.mine, x->r.mine));
    if (row_write(x, e) != ZB_OK || subs_write(x, e) != ZB_OK || history_write(x, e) != ZB_OK || touch(x, x->r.area, x->r.mine, e) != ZB_OK ||
        (moved && touch(x, x->old.area, x->old.mine, e) != ZB_OK) || clocks_set(x->c, &x->r, x->fresh || x->r.state != x->old.state, e) != ZB_OK ||
        search_put(x->c, &x->r, e) != ZB_OK)
        return e->rc;
    if (!x->c->depth && x->fresh && !access_sees(x->c, &x->r, &acc))
        return zb_fail(e, ZB_E_DENIED, "该记录不在您的辖区; this record would lie outside your area");
    if (guard_check(x, e) != ZB_OK) return e->rc;
    if (journal(x, x->name, e) != ZB_OK) return e->rc;
    const struct ledger_effect *f = x->act ? x->act->effect : x->fresh ? x->l->effect : NULL;
    for (int i = 0, n = x->act ? x->act->effects : x->fresh ? x->l->effects : 0; i < n; i++)
        if (effect_do(x, &f[i], e) != ZB_OK) return e->rc;
    return x->c->trouble == ZB_OK ? ZB_OK : zb_fail(e, x->c->trouble, "a referenced name could not be read");
}

int ledger_change_in(struct lcall *c, const struct lchange *ch, int64_t *id, bool *done, struct zb_err *e) {
    struct change x = {.c = c, .in = ch, .l = c->l, .at = ch->at == ZB_TIME_NONE ? c->now : ch->at};
    const struct ledger_access *acc = NULL;
    *done = true;
    if (c->l->view[0]) return zb_fail(e, ZB_E_DENIED, "%s %s is read only here", c->l->id, c->l->zh);
    if (x.at > c->now) return zb_fail(e, ZB_E_INPUT, "at: a time to come cannot be entered as fact");
    if ((ch->id ? begin_old(&x, &acc, e) : begin_new(&x, &acc, e)) != ZB_OK) return e->rc;
    if (!acc) return zb_fail(e, ZB_E_DENIED, "no right on %s", c->l->key);
    if (values_take(&x, acc, e) != ZB_OK || scope_take(&x, e) != ZB_OK || needs_check(&x, e) != ZB_OK ||
        items_check(c, x.fresh ? NULL : x.old.v, x.r.v, zb_day_of(x.at), e) != ZB_OK || cosigned(&x, done, e) != ZB_OK)
        return e->rc;
    *id = x.r.id;
    if (!*done) {
        x.r = x.old;
        return journal(&x, arena_printf(c->arena, "%s.cosign", x.name), e);
    }
    if (x.act && x.act->to >= 0 && x.act->to != x.r.state) {
        x.r.state = x.act->to;
        x.r.state_at = x.at;
    }
    return write_all(&x, e);
}

int ledger_change(struct lcall *c, const struct lchange *ch, int64_t *id, bool *done, struct zb_err *e) {
    if (db_begin(c->db, e) != ZB_OK) return e->rc;
    int rc = ledger_change_in(c, ch, id, done, e);
    if (rc == ZB_OK) rc = db_commit(c->db, e);
    if (rc != ZB_OK) db_rollback(c->db);
    return rc;
}
