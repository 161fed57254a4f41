/* Definitions to tables. What stands in the database is remembered in ledger_column; a change is made by itself where nothing is lost, and refused where something would be. */
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const MIGRATIONS[] = {
    "create table ledger_column(ledger text not null, tab text not null, name text not null, type text not null, primary key(ledger,tab,name)) strict;"
    "create table ledger_number(key text primary key, n integer not null) strict;"
    "create table ledger_clock(ledger text not null, rec integer not null, clock text not null, started integer not null, due integer not null, first_due "
    "integer not null, step integer not "
    "null, next integer, stopped integer, primary key(ledger,rec,clock)) strict;"
    "create index ledger_clock_next on ledger_clock(next) where next is not null;"
    "create table ledger_cosign(ledger text not null, rec integer not null, rev integer not null, act text not null, who text not null, t integer not null, "
    "primary key(ledger,rec,rev,act,who)) strict;"
    "create table ledger_file(id integer primary key, ledger text not null, rec integer not null, name text not null, kind text not null, size integer not "
    "null, sha256 text not null, t integer "
    "not null, who text not null) strict;"
    "create index ledger_file_rec on ledger_file(ledger,rec);"
    "create table ledger_seal(ledger text not null, rec integer not null, sealed_key blob not null, primary key(ledger,rec)) strict;",
    "create table code_item(list text not null, at integer not null, key text not null, zh text not null, en text not null, from_on integer not null, to_on "
    "integer not null, kinds text not null, root text not null, primary key(list,at)) strict, without rowid;"
    "create index code_item_key on code_item(list,key)",
    "create table ledger_touch(n integer primary key, ledger text not null, area text not null, mine text not null) strict",
    "drop table code_item" /* lists are p_list */};

static void columns_sql(struct buf *b, const struct ledger_field *f, int n, const char *sep) {
    for (int i = 0; i < n; i++)
        if (!f[i].derive[0]) buf_printf(b, "%s\"%s\" %s", sep, f[i].key, sql_type(&f[i]));
}

static int run(struct db *db, struct buf *b, struct zb_err *e) {
    int rc = b->over ? zb_fail(e, ZB_E_LIMIT, "a definition is too large") : db_exec(db, b->p, e);
    buf_clear(b);
    return rc;
}

static int remember(struct db *db, const struct ledger *l, const char *tab, const struct ledger_field *f, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "insert into ledger_column(ledger,tab,name,type) values(?1,?2,?3,?4)", e);
    if (!q) return e->rc;
    stmt_z(q, 1, l->key);
    stmt_z(q, 2, tab);
    stmt_z(q, 3, f ? f->key : "");
    stmt_z(q, 4, f ? LFIELD_TYPE_KEY[f->type] : "");
    return stmt_run(q, e);
}

static int remember_all(struct db *db, const struct ledger *l, const char *tab, const struct ledger_field *f, int n, struct zb_err *e) {
    if (remember(db, l, tab, NULL, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++)
        if (!f[i].derive[0] && remember(db, l, tab, &f[i], e) != ZB_OK) return e->rc;
    return ZB_OK;
}

/* "" when the column is not there; its type */
static int known_type(struct db *db, const struct ledger *l, const char *tab, const char *name, char type[16], struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select type from ledger_column where ledger=?1 and tab=?2 and name=?3", e);
    if (!q) return e->rc;
    stmt_z(q, 1, l->key);
    stmt_z(q, 2, tab);
    stmt_z(q, 3, name);
    int r = stmt_row(q, e);
    str_copy(r == 1 ? stmt_col_text(q, 0) : STR("absent"), type, 16);
    return r < 0 ? r : ZB_OK;
}

static int indexes(struct db *db, const struct ledger *l, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    static const char *const BASE[] = {"area", "city", "mine", "state", "due"};
    /* behind what is asked for: the order of lists, and what says who may see a row, so that counting reads the index alone */
    for (int i = 0; i < 5; i++)
        buf_printf(&b, "create index if not exists \"x_%s_%s\" on l_%s(%s,id%s);", l->key, BASE[i], l->key, BASE[i],
                   i < 3    ? ""
                   : i == 3 ? ",area,city,mine"
                            : ",state,area,city,mine");
    for (int i = 0; i < l->fields; i++)
        if (l->field[i].filter && strcmp(l->field[i].key, l->unique))
            buf_printf(&b, "create index if not exists \"x_%s_%s\" on l_%s(\"%s\",id,state,area,city,mine);", l->key, l->field[i].key, l->key, l->field[i].key);
    for (int i = 0; i < l->subs; i++)
        for (int k = 0; k < l->sub[i].fields; k++)
            if (l->sub[i].field[k].filter)
                buf_printf(&b, "create index if not exists \"x_%s_%s_%s\" on s_%s_%s(\"%s\",rec);", l->key, l->sub[i].key, l->sub[i].field[k].key, l->key,
                           l->sub[i].key, l->sub[i].field[k].key);
    if (l->unique[0]) buf_printf(&b, "create unique index if not exists \"x_%s_%s\" on l_%s(\"%s\");", l->key, l->unique, l->key, l->unique);
    buf_printf(&b, "create unique index if not exists \"x_%s_no\" on l_%s(no)", l->key, l->key);
    return run(db, &b, e);
}

static int table_make(struct db *db, const struct ledger *l, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b,
               "create table l_%s(id integer primary key, no text, rev integer not null, state text not null, state_at integer not null, area text not null, "
               "city text not null, mine text not "
               "null, due integer, due_first integer, created integer not null, created_by text not null, updated integer not null, updated_by text not null",
               l->key);
    columns_sql(&b, l->field, l->fields, ", ");
    buf_printf(&b,
               ") strict;create table h_%s(id integer not null, rev integer not null, act text not null, who text not null, why text not null, known integer "
               "not null, known_to integer, "
               "as_from integer not null, no text, state text not null, area text not null, mine text not null",
               l->key);
    columns_sql(&b, l->field, l->fields, ", ");
    buf_printf(&b, ", primary key(id,rev)) strict, without rowid");
    if (run(db, &b, e) != ZB_OK || remember_all(db, l, "", l->field, l->fields, e) != ZB_OK) return e->rc;
    if (l->search[0]) {
        if (db_kind(db) == DB_POSTGRES)
            buf_printf(&b, "create table f_%s(rowid integer primary key, body tsvector not null);create index f_%s_body on f_%s using gin(body)", l->key,
                       l->key, l->key);
        else
            buf_printf(&b, "create virtual table f_%s using fts5(body, tokenize=\"unicode61 remove_diacritics 0\")", l->key);
        if (run(db, &b, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int sub_make(struct db *db, const struct ledger *l, const struct ledger_sub *s, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "create table s_%s_%s(rec integer not null, row integer not null, since integer not null, until integer", l->key, s->key);
    columns_sql(&b, s->field, s->fields, ", ");
    buf_printf(&b, ", primary key(rec,row,since)) strict, without rowid");
    return run(db, &b, e) == ZB_OK ? remember_all(db, l, s->key, s->field, s->fields, e) : e->rc;
}

static int columns_add(struct db *db, const struct ledger *l, const char *tab, const struct ledger_field *f, int n, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    for (int i = 0; i < n; i++) {
        char type[16];
        if (f[i].derive[0]) continue;
        if (known_type(db, l, tab, f[i].key, type, e) != ZB_OK) return e->rc;
        if (!strcmp(type, LFIELD_TYPE_KEY[f[i].type])) continue;
        if (strcmp(type, "absent"))
            return zb_fail(e, ZB_E_CONFLICT, "%s:%d:%d: field %s of %s is %s in the database and %s in the policy: give the new one another key", l->file,
                           f[i].at->line, f[i].at->col, f[i].key, l->key, type, LFIELD_TYPE_KEY[f[i].type]);
        if (tab[0])
            buf_printf(&b, "alter table s_%s_%s add column \"%s\" %s", l->key, tab, f[i].key, sql_type(&f[i]));
        else
            buf_printf(&b, "alter table l_%s add column \"%s\" %s;alter table h_%s add column \"%s\" %s", l->key, f[i].key, sql_type(&f[i]), l->key, f[i].key,
                       sql_type(&f[i]));
        if (run(db, &b, e) != ZB_OK || remember(db, l, tab, &f[i], e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int rows_with(struct db *db, const char *sql, const char *bind, int64_t *n, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, e);
    if (!q) return e->rc;
    if (bind) stmt_z(q, 1, bind);
    int r = stmt_row(q, e);
    if (r == 1) *n = stmt_col_i64(q, 0);
    return r < 0 ? r : ZB_OK;
}

/* A field that left the policy: its column stays, unless it holds values: then the policy would hide them. */
static int columns_gone(struct db *db, const struct ledger *l, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select name from ledger_column where ledger=?1 and tab='' and name<>''", e);
    if (!q) return e->rc;
    stmt_z(q, 1, l->key);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        char name[64], sql[200];
        str_copy(stmt_col_text(q, 0), name, sizeof name);
        int i = lfield_find(l->field, l->fields, str_of(name));
        if (i >= 0 && !l->field[i].derive[0]) continue;
        int64_t n = 0;
        snprintf(sql, sizeof sql, "select count(*) from l_%s where \"%s\" is not null", l->key, name);
        if (rows_with(db, sql, NULL, &n, e) != ZB_OK) return e->rc;
        if (n)
            return zb_fail(e, ZB_E_CONFLICT, "%s:%d:%d: the policy drops field %s, which %lld records of %s have filled: keep the field", l->file, l->at->line,
                           l->at->col, name, (long long)n, l->key);
    }
    return r;
}

static int states_gone(struct db *db, const struct ledger *l, struct zb_err *e) {
    char sql[120];
    snprintf(sql, sizeof sql, "select distinct state from l_%s", l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, e);
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct str s = stmt_col_text(q, 0);
        if (lstate_find(l, s) < 0)
            return zb_fail(e, ZB_E_CONFLICT, "%s:%d:%d: the policy drops state " STR_FMT ", in which records of %s are: keep the state", l->file, l->at->line,
                           l->at->col, STR_ARG(s), l->key);
    }
    return r;
}

/* A member that left its list while records hold it would turn into a bare key. */
static int members_gone(struct db *db, const struct ledger *l, struct zb_err *e) {
    for (int i = 0; i < l->fields; i++) {
        const struct ledger_field *f = &l->field[i];
        if ((f->type != LF_ENUM && f->type != LF_SET) || f->derive[0]) continue;
        char sql[200];
        snprintf(sql, sizeof sql, "select distinct \"%s\" from l_%s where \"%s\" is not null", f->key, l->key, f->key);
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, e);
        if (!q) return e->rc;
        int r;
        while ((r = stmt_row(q, e)) == 1)
            for (struct str s, rest = stmt_col_text(q, 0); rest.p && rest.n;) {
                s = str_cut(rest, ' ', &rest);
                if (!s.n || list_find(f->list, s)) continue;
                return zb_fail(e, ZB_E_CONFLICT, "%s:%d:%d: field %s of %s loses the member \"" STR_FMT "\", which records hold: keep it, or end it by `to:`",
                               l->file, f->at->line, f->at->col, f->key, l->key, STR_ARG(s));
            }
        if (r < 0) return r;
    }
    return ZB_OK;
}

static int view_make(struct db *db, const struct ledger *l, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "drop view if exists v_%s%s;create view v_%s as ", l->key, db_kind(db) == DB_POSTGRES ? " cascade" : "", l->key);
    if (l->view[0]) {
        buf_puts(&b, l->view);
    } else {
        buf_printf(&b, "select r.*");
        for (int i = 0; i < l->fields; i++)
            if (l->field[i].derive[0]) buf_printf(&b, ", (%s) as \"%s\"", l->field[i].derive, l->field[i].key);
        buf_printf(&b, " from l_%s r", l->key);
    }
    struct zb_err why;
    if (run(db, &b, &why) == ZB_OK) return ZB_OK;
    const char *last = strrchr(why.msg, ':');
    return zb_fail(e, ZB_E_INPUT, "%s:%d:%d: view:%s", l->file, l->at->line, l->at->col, last ? last + 1 : why.msg);
}

static int ledger_tables(struct db *db, const struct ledger *l, struct zb_err *e) {
    char type[16];
    if (known_type(db, l, "", "", type, e) != ZB_OK) return e->rc;
    bool there = strcmp(type, "absent") != 0;
    if (!there ? table_make(db, l, e) != ZB_OK
               : columns_add(db, l, "", l->field, l->fields, e) != ZB_OK || columns_gone(db, l, e) != ZB_OK || states_gone(db, l, e) != ZB_OK ||
                     members_gone(db, l, e) != ZB_OK)
        return e->rc;
    for (int i = 0; i < l->subs; i++) {
        const struct ledger_sub *s = &l->sub[i];
        if (known_type(db, l, s->key, "", type, e) != ZB_OK) return e->rc;
        if (strcmp(type, "absent") ? columns_add(db, l, s->key, s->field, s->fields, e) : sub_make(db, l, s, e)) return e->rc;
    }
    return indexes(db, l, e);
}

static int prepares(struct db *db, const struct ledger *l, const struct node *at, const char *what, const char *sql, struct zb_err *e) {
    struct zb_err why;
    struct stmt *q = db_once(db, sql, &why);
    if (!q) {
        const char *last = strrchr(why.msg, ':');
        return zb_fail(e, ZB_E_INPUT, "%s:%d:%d: %s:%s", l->file, at->line, at->col, what, last ? last + 1 : why.msg);
    }
    stmt_done(&q);
    return ZB_OK;
}

/* An expression over r, with :area and :user, as it is asked later. where: a condition of its own over the table, else over the view. */
static int expr_prepares(struct db *db, const struct ledger *l, const struct node *at, const char *what, const char *expr, bool where, struct zb_err *e) {
    if (!expr[0]) return ZB_OK;
    bool area = strstr(expr, ":area");
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_puts(&b, where ? "select 1 where exists(select 1 from " : "select (");
    if (where) buf_printf(&b, "%s_%s r where r.id=?1 and (", l->view[0] ? "v" : "l", l->key);
    actor_sql(&b, expr, 2, area ? 3 : 2);
    buf_printf(&b, where ? "))" : ") from v_%s r where r.id=?1", l->key);
    return prepares(db, l, at, what, b.p, e);
}

static int access_check(struct db *db, const struct policy *p, const struct ledger *l, struct zb_err *e) {
    for (int i = 0; i < l->accesses; i++) {
        const struct ledger_access *x = &l->access[i];
        if (expr_prepares(db, l, x->at, "where", x->where, true, e) != ZB_OK) return e->rc;
        for (int k = 0; k < p->roles; k++) {
            if (!word_in(x->roles, str_of(p->role[k].key))) continue;
            if (expr_prepares(db, l, x->at, "where of the role in roles.yaml", p->role[k].where, true, e) != ZB_OK) return e->rc;
            if (x->see == SEE_LINKED && !x->where[0] && !p->role[k].where[0])
                return zb_fail(e, ZB_E_INPUT, "%s:%d:%d: see linked: `where` must say which records, here or for %s in roles.yaml", l->file, x->at->line,
                               x->at->col, p->role[k].key);
        }
    }
    return ZB_OK;
}

static int effects_check(struct db *db, const struct ledger *l, const struct ledger_effect *f, int n, struct zb_err *e) {
    for (int k = 0; k < n; k++, f++) {
        if (expr_prepares(db, l, f->at, "when", f->when, false, e) != ZB_OK) return e->rc;
        if (f->on[0] && prepares(db, l, f->at, "on", f->on, e) != ZB_OK) return e->rc;
        for (int s = 0; s < f->sets; s++)
            if (expr_prepares(db, l, f->set[s].at, "set", f->set[s].sql, false, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int sql_check(struct db *db, const struct ledger *l, struct zb_err *e) {
    for (int i = 0; i < l->fields; i++)
        if (expr_prepares(db, l, l->field[i].at, "derive", l->field[i].derive, false, e) != ZB_OK) return e->rc;
    for (int i = 0; i < l->acts; i++)
        if (expr_prepares(db, l, l->act[i].at, "guard", l->act[i].guard, false, e) != ZB_OK ||
            effects_check(db, l, l->act[i].effect, l->act[i].effects, e) != ZB_OK)
            return e->rc;
    if (expr_prepares(db, l, l->at, "guard", l->guard, false, e) != ZB_OK) return e->rc;
    return effects_check(db, l, l->effect, l->effects, e);
}

static int migrate(struct db *db, const struct policy *p, struct zb_err *e) {
    for (int i = 0; i < p->ledgers; i++)
        if (!p->ledger[i].view[0] && ledger_tables(db, &p->ledger[i], e) != ZB_OK) return e->rc;
    for (int i = 0; i < p->ledgers; i++)
        for (int k = 0; k < p->ledger[i].fields; k++) { /* a derive is checked before it stands in a view, so that the message has its place */
            const struct ledger_field *f = &p->ledger[i].field[k];
            char sql[4000];
            snprintf(sql, sizeof sql, "select (%s) from l_%s r", f->derive, p->ledger[i].key);
            struct zb_err why;
            if (f->derive[0] && !strstr(f->derive, " v_") && prepares(db, &p->ledger[i], f->at, "derive", sql, &why) != ZB_OK)
                return zb_fail(e, ZB_E_INPUT, "%s", why.msg);
        }
    for (int i = 0; i < p->ledgers; i++)
        if (view_make(db, &p->ledger[i], e) != ZB_OK) return e->rc;
    for (int i = 0; i < p->ledgers; i++) {
        if (!p->ledger[i].view[0] && sql_check(db, &p->ledger[i], e) != ZB_OK) return e->rc;
        if (access_check(db, p, &p->ledger[i], e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* zb.now, set in a session by db_clock, is the clock of whoever looks at another day. */
static const char POSTGRES_FUNCTIONS[] =
    "create or replace function zb_now() returns bigint language sql stable as 'select "
    "coalesce(nullif(current_setting(''zb.now'',true),'''')::bigint,(extract(epoch from clock_timestamp())*1000)::bigint)';"
    "create or replace function zb_today() returns bigint language sql stable as 'select (zb_now()+28800000)/86400000';"
    "create or replace function zb_number(id text) returns bigint language sql immutable as 'select (''x''||lpad(substr(id,1,13),16,''0''))::bit(64)::bigint';"
    "create or replace function zb_date(d text) returns bigint language plpgsql immutable as 'begin if d !~ ''^[0-9]{4}-[0-9]{2}-[0-9]{2}$'' then return null; "
    "end if; return (d::date-date ''1970-01-01'')::bigint; exception when others then return null; end';"
    "create or replace function zb_date(d text) returns bigint language sql immutable as 'select (d::date-date ''1970-01-01'')::bigint';"
    "create or replace function zb_ym(day bigint) returns text language sql immutable as 'select to_char(date ''1970-01-01''+day::int,''YYYY-MM'')';"
    "create or replace function zb_months(day bigint, n bigint) returns bigint language sql immutable as "
    "'select ((date ''1970-01-01''+day::int+make_interval(months=>n::int))::date-date ''1970-01-01'')::bigint';"
    "create or replace function zb_start(unit text, day bigint, n bigint) returns bigint language sql immutable as "
    "'select (make_date((m/12)::int,(m%12)::int+1,1)-date ''1970-01-01'')::bigint from (select t.m/k*k+n*k as m from (select extract(year from d)::bigint*12+"
    "extract(month from d)::bigint-1 as m, case unit when ''month'' then 1 when ''quarter'' then 3 when ''half'' then 6 when ''year'' then 12 end as k from "
    "(select date ''1970-01-01''+day::int as d) u) t) w'";

int ledger_migrate(struct db *db, const struct policy *p, zb_time now, struct zb_err *e) {
    (void)now;
    if (db_migrate(db, "ledger", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e) != ZB_OK || db_begin(db, e) != ZB_OK) return e->rc;
    int rc = db_kind(db) == DB_POSTGRES ? db_exec(db, POSTGRES_FUNCTIONS, e) : ZB_OK;
    if (rc == ZB_OK) rc = codes_put(db, p, e); /* before what may ask them */
    if (rc == ZB_OK) rc = migrate(db, p, e);
    if (rc == ZB_OK) rc = db_commit(db, e);
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}
