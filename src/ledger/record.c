/* One record as stored, and who may see it. */
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>

int actor_level(const struct actor *a) { return a ? (int)strlen(a->area) : 0; }

const struct ledger_access *ledger_access(const struct ledger *l, const struct actor *a) {
    for (int i = 0; a && i < l->accesses; i++)
        if (word_in(l->access[i].roles, str_of(a->role)) && l->access[i].see != SEE_NONE) return &l->access[i];
    return NULL;
}

void actor_sql(struct buf *b, const char *sql, int area, int user) {
    for (const char *p = sql; *p; p++) {
        int n = !strncmp(p, ":area", 5) ? area : !strncmp(p, ":user", 5) ? user : 0;
        if (n) {
            buf_printf(b, "?%d", n);
            p += 4;
        } else {
            buf_putc(b, *p);
        }
    }
}

/* What the row of the matrix and the role say of single records; "" and "" mostly. */
struct limits_of {
    const char *w[2];
    bool area, user;
};
static struct limits_of limits_of(const struct lcall *c, const struct ledger_access *x) {
    const struct role_rule *role = policy_role(c->policy, str_of(c->actor->role));
    struct limits_of l = {{x->where, role ? role->where : ""}, false, false};
    for (int i = 0; i < 2; i++) {
        l.area |= strstr(l.w[i], ":area") != NULL;
        l.user |= strstr(l.w[i], ":user") != NULL;
    }
    return l;
}

/* A look that fails shows nothing. */
static bool where_sees(const struct lcall *c, const struct ledger_access *x, int64_t id) {
    struct limits_of l = limits_of(c, x);
    if (!l.w[0][0] && !l.w[1][0]) return true;
    ZB_AUTO(buf_done) struct buf b;
    struct zb_err e;
    int n = 2, area = l.area ? n++ : 0, user = l.user ? n++ : 0;
    buf_init(&b, 64 << 10);
    buf_printf(&b, "select 1 from %s_%s r where r.id=?1", c->l->view[0] ? "v" : "l", c->l->key);
    for (int i = 0; i < 2; i++) {
        if (!l.w[i][0]) continue;
        buf_puts(&b, " and (");
        actor_sql(&b, l.w[i], area, user);
        buf_puts(&b, ")");
    }
    ZB_AUTO(stmt_done) struct stmt *q = b.over ? NULL : db_once(c->db, b.p, &e);
    if (!q) return false;
    stmt_i64(q, 1, id);
    if (area) stmt_z(q, area, c->actor->area);
    if (user) stmt_z(q, user, c->actor->user);
    return stmt_row(q, &e) == 1;
}

bool access_sees(const struct lcall *c, const struct record *r, const struct ledger_access **ret) {
    static const struct ledger_access ALL = {.roles = "auto", .see = SEE_AREA, .create = true, .edit = UINT64_MAX, .hide = "", .where = ""};
    const struct ledger_access *x = c->actor ? ledger_access(c->l, c->actor) : &ALL;
    *ret = x;
    if (!x || (x->not_states >> r->state & 1)) return false;
    if (!c->actor) return true;
    bool in = x->see == SEE_LINKED || (x->see == SEE_OWN ? r->mine[0] && !strcmp(r->mine, c->actor->area) : may_see(c->actor, r->area, r->mine));
    return in && (!r->rev || where_sees(c, x, r->id));
}

bool access_writes(const struct lcall *c, const struct record *r, const struct ledger_access *acc) {
    return !c->actor || c->depth || acc->see != SEE_LINKED || actor_level(c->actor) > 6 || may_see(c->actor, r->area, r->mine);
}

bool scope_sql(const struct lcall *c, struct buf *sql, int *n, bool no_index) {
    const struct ledger_access *x = ledger_access(c->l, c->actor);
    if (!c->actor) {
        buf_puts(sql, "(1=1)");
        return true;
    }
    if (!x) return false;
    struct limits_of l = limits_of(c, x);
    size_t level = strlen(c->actor->area);
    int area = x->see != SEE_LINKED || l.area ? (*n)++ : 0, user = l.user ? (*n)++ : 0;
    if (x->see == SEE_LINKED)
        buf_puts(sql, "(1=1");
    else if (x->see == SEE_OWN || level > 6)
        buf_printf(sql, "(r.mine=?%d", area);
    else if (level == 6)
        buf_printf(sql, "(%sr.area=?%d", no_index ? "+" : "", area);
    else if (level == 4)
        buf_printf(sql, "(%sr.city=?%d", no_index ? "+" : "", area);
    else
        buf_printf(sql, "(substr(r.area,1,%zu)=?%d", level, area);
    for (int i = 0; i < c->l->states; i++)
        if (x->not_states >> i & 1) buf_printf(sql, " and r.state<>'%s'", c->l->state[i].key);
    for (int i = 0; i < 2; i++) {
        if (!l.w[i][0]) continue;
        buf_puts(sql, " and (");
        actor_sql(sql, l.w[i], area, user);
        buf_puts(sql, ")");
    }
    buf_puts(sql, ")");
    return true;
}

void scope_bind(const struct lcall *c, struct stmt *q, int *n) {
    const struct ledger_access *x = ledger_access(c->l, c->actor);
    if (!c->actor || !x) return;
    struct limits_of l = limits_of(c, x);
    if (x->see != SEE_LINKED || l.area) stmt_z(q, (*n)++, c->actor->area);
    if (l.user) stmt_z(q, (*n)++, c->actor->user);
}

int record_load(struct lcall *c, int64_t id, bool derived, struct record *r, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf sql;
    buf_init(&sql, 64 << 10);
    buf_printf(&sql, "select id,no,rev,state,state_at,area,mine,due,due_first,created,created_by,updated,updated_by");
    for (int i = 0; i < c->l->fields; i++) {
        if (c->l->field[i].derive[0] && !derived)
            buf_puts(&sql, ",null");
        else
            buf_printf(&sql, ",r.\"%s\"", c->l->field[i].key);
    }
    buf_printf(&sql, " from %s_%s r where id=?1", derived ? "v" : "l", c->l->key);
    *r = (struct record){.id = id, .v = arena_alloc(c->arena, (size_t)(c->l->fields + 1) * sizeof *r->v)};
    if (!r->v) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    int got = stmt_row(q, e);
    if (got < 0) return got;
    const struct ledger_access *x;
    if (got == 1) {
        str_copy(stmt_col_text(q, 1), r->no, sizeof r->no);
        r->rev = stmt_col_i64(q, 2);
        r->state = lstate_find(c->l, stmt_col_text(q, 3));
        r->state_at = stmt_col_i64(q, 4);
        str_copy(stmt_col_text(q, 5), r->area, sizeof r->area);
        str_copy(stmt_col_text(q, 6), r->mine, sizeof r->mine);
        r->due = stmt_col_time(q, 7);
        r->due_first = stmt_col_time(q, 8);
        r->created = stmt_col_i64(q, 9);
        str_copy(stmt_col_text(q, 10), r->created_by, sizeof r->created_by);
        r->updated = stmt_col_i64(q, 11);
        str_copy(stmt_col_text(q, 12), r->updated_by, sizeof r->updated_by);
        for (int i = 0; i < c->l->fields; i++) value_read(q, 13 + i, &c->l->field[i], c->arena, &r->v[i]);
    }
    if (got == 0 || r->state < 0 || !access_sees(c, r, &x)) return zb_fail(e, ZB_E_ABSENT, "%s %s: no record %lld here", c->l->id, c->l->zh, (long long)id);
    return ZB_OK;
}

struct str ref_title(struct lcall *c, int ledger, int64_t id) {
    struct zb_err e;
    const struct ledger *l = &c->policy->ledger[ledger];
    char sql[200];
    snprintf(sql, sizeof sql, "select %s%s%s from %s_%s where id=?1", l->title[0] ? "\"" : "", l->title[0] ? l->title : "no", l->title[0] ? "\"" : "",
             l->view[0] ? "v" : "l", l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, &e);
    if (!q) c->trouble = e.rc;
    if (!q) return STR("");
    stmt_i64(q, 1, id);
    int got = stmt_row(q, &e);
    if (got < 0) c->trouble = e.rc;
    if (got != 1) return STR("");
    struct str s = stmt_col_text(q, 0);
    return str_of(arena_str(c->arena, s));
}

static int found_seen(struct lcall *c, int64_t n, struct str text, int64_t *id, struct zb_err *e) {
    struct record rec;
    struct zb_err hidden;
    *id = n;
    if (!c->l->view[0] && record_load(c, n, false, &rec, &hidden) != ZB_OK)
        return zb_fail(e, ZB_E_ABSENT, "%s %s: no record \"%.*s\"", c->l->id, c->l->zh, text.n > 60 ? 60 : (int)text.n, text.p);
    return ZB_OK;
}

int ledger_title(struct lcall *c, int64_t id, char no[64], char title[200], struct zb_err *e) {
    struct record r;
    const struct ledger_access *acc;
    int t = lfield_find(c->l->field, c->l->fields, str_of(c->l->title));
    if (record_load(c, id, c->l->view[0] != 0, &r, e) != ZB_OK) return e->rc;
    access_sees(c, &r, &acc);
    str_copy(str_of(r.no), no, 64);
    bool show = t >= 0 && c->l->field[t].type != LF_SEALED && !(acc && word_in(acc->hide, str_of(c->l->field[t].key)));
    str_copy(show ? value_text(c, &c->l->field[t], &r.v[t]) : STR(""), title, 200);
    return c->trouble ? zb_fail(e, c->trouble, "a referenced name could not be read") : ZB_OK;
}

/* A record by its id, its number, or its unique field. */
int ledger_find(struct lcall *c, struct str text, int64_t *id, struct zb_err *e) {
    int64_t n = 0;
    char sql[400];
    const char *t = c->l->view[0] ? "v" : "l";
    if (num_i64(text, 1, INT64_MAX, &n)) { /* mostly it is an id, and found by its key at once; names have no index */
        snprintf(sql, sizeof sql, "select 1 from %s_%s where id=?1", t, c->l->key);
        ZB_AUTO(stmt_done) struct stmt *k = db_once(c->db, sql, e);
        if (!k) return e->rc;
        stmt_i64(k, 1, n);
        int there = stmt_row(k, e);
        if (there < 0) return there;
        if (there == 1) return found_seen(c, n, text, id, e);
    }
    snprintf(sql, sizeof sql, "select id from %s_%s where id=?1 or no=?2%s%s%s%s%s%s limit 1", t, c->l->key, c->l->unique[0] ? " or \"" : "", c->l->unique,
             c->l->unique[0] ? "\"=?2" : "", c->l->title[0] ? " or \"" : "", c->l->title, c->l->title[0] ? "\"=?2" : "");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, n);
    stmt_text(q, 2, text);
    int r = stmt_row(q, e);
    if (r < 0) return r;
    if (r == 0) return zb_fail(e, ZB_E_ABSENT, "%s %s: no record \"%.*s\"", c->l->id, c->l->zh, text.n > 60 ? 60 : (int)text.n, text.p);
    return found_seen(c, stmt_col_i64(q, 0), text, id, e);
}

int done_by(struct lcall *c, int64_t id, const char **ret, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    char sql[200];
    buf_init(&b, 64 << 10);
    snprintf(sql, sizeof sql, "select distinct act,who from h_%s where id=?1", c->l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct str act = stmt_col_text(q, 0);
        buf_printf(&b, STR_FMT ":", STR_ARG(act));
        struct str who = stmt_col_text(q, 1);
        buf_printf(&b, STR_FMT " ", STR_ARG(who));
    }
    *ret = arena_str(c->arena, buf_str(&b));
    return r;
}

int ledger_site(struct lcall *c, struct str code, struct site_said *ret, struct zb_err *e) {
    const struct site_rule *r = &c->policy->site;
    char sql[400];
    *ret = (struct site_said){0};
    snprintf(sql, sizeof sql, "select coalesce(\"%s\",''),coalesce(\"%s\",''),coalesce(\"%s\",'') from l_%s where \"%s\"=?1", r->name, r->gas, r->level,
             r->ledger, r->code);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_text(q, 1, code);
    int got = stmt_row(q, e);
    if (got < 0) return got;
    if (!got) return zb_fail(e, ZB_E_ABSENT, "%s has no mine " STR_FMT, r->ledger, STR_ARG(code));
    str_copy(stmt_col_text(q, 0), ret->name, sizeof ret->name);
    str_copy(stmt_col_text(q, 1), ret->gas, sizeof ret->gas);
    struct str v = stmt_col_text(q, 2);
    ret->level = str_is(v, "province") ? 2 : str_is(v, "city") ? 4 : str_is(v, "county") ? 6 : 0;
    return ZB_OK;
}

/* Who supervises the record's site: digits of the area; 0 when nobody said. */
int sup_level(struct lcall *c, const struct record *r, int *ret, struct zb_err *e) {
    struct site_said said = {0};
    if (r->mine[0] && ledger_site(c, str_of(r->mine), &said, e) != ZB_OK && e->rc != ZB_E_ABSENT) return e->rc;
    *ret = said.level;
    return ZB_OK;
}

int facts_of(struct lcall *c, const struct record *r, struct rectify_facts *ret, struct zb_err *e) {
    const char *done = "";
    int level = 0;
    if (done_by(c, r->id, &done, e) != ZB_OK || sup_level(c, r, &level, e) != ZB_OK) return e->rc;
    *ret = (struct rectify_facts){.state = r->state,
                                  .role = c->actor ? c->actor->role : "auto",
                                  .user = c->actor ? c->actor->user : "auto",
                                  .automatic = !c->actor,
                                  .level = actor_level(c->actor),
                                  .sup_level = level,
                                  .done_by = done};
    return ZB_OK;
}

int64_t id_make(zb_time now) { /* milliseconds since 2020 and 11 random bits: rising, below 2^53, and no count to be read from it */
    static _Thread_local unsigned last;
    static _Thread_local zb_time last_ms;
    unsigned low;
    if (now == last_ms) {
        low = last + 1;
    } else {
        unsigned char r[2];
        arc4random_buf(r, sizeof r);
        low = (unsigned)(r[0] | r[1] << 8) & 1023;
    }
    last = low;
    last_ms = now;
    return ((now - 1577836800000) << 11) + low;
}

int ledger_head(struct lcall *c, int64_t id, int64_t *rev, int *state, struct zb_err *e) {
    struct record r;
    if (record_load(c, id, false, &r, e) != ZB_OK) return e->rc;
    *rev = r.rev;
    *state = r.state;
    return ZB_OK;
}
