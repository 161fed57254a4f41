/* The tables of figures, and what SQL of the policy may look up of the policy itself. */
#include "prove/inside.h"
#include "prove/statistic.h"
#include <stdlib.h>

#define SUMS                                                                                                                                                   \
    "a real not null, b real not null, c real not null, d real not null, least real not null, n integer not null, missing integer not null, has integer not "  \
    "null, value real not null"
static const char *const MIGRATIONS[] = {
    "create table zb_region(code text primary key, level text not null, city text not null, name text not null) strict;"
    "create table zb_list(list text not null, key text not null, since integer not null, until integer not null, zh text not null, "
    "primary key(list,key,since)) strict;"
    "create table prove_base(indicator text not null, area text not null, mine text not null, " SUMS ", primary key(indicator,area,mine)) strict;"
    "create index prove_base_mine on prove_base(mine,indicator);"
    "create table prove_area(area text not null, indicator text not null, " SUMS
    ", light integer not null, since integer not null, zh text not null, en text not null, due integer, "
    "before real, path real, ahead real, low real, high real, primary key(area,indicator)) strict;"
    "create index prove_area_indicator on prove_area(indicator);"
    "create table prove_month(indicator text not null, area text not null, day integer not null, known integer not null, " SUMS
    ", primary key(indicator,area,day)) strict;"
    "create table prove_frozen(id integer primary key, asof integer not null, known integer not null, policy text not null, t integer not null, who text not "
    "null, why text not null) strict;"
    "create table prove_figure(frozen integer not null, area text not null, indicator text not null, " SUMS
    ", light integer not null, zh text not null, en text not null, primary key(frozen,area,indicator)) strict;"
    "create table prove_state(key text primary key, value text not null) strict;",
    /* lists are p_list, of ledger/codes.c */
    "drop table zb_list;"
    "create table zb_indicator(id text primary key, zh text not null, en text not null, unit text not null, reading integer not null, secret integer not null, "
    "once integer not null, sign integer not null, target real not null) strict"};

static const char *level_of(const char *code) { return strcmp(code + 4, "00") ? "county" : strcmp(code + 2, "0000") ? "city" : "province"; }

static int regions_fill(struct db *db, const struct policy *p, struct zb_err *e) {
    if (db_exec(db, "delete from zb_region", e) != ZB_OK) return e->rc;
    for (int i = 0; i < p->regions; i++) {
        const struct region *g = &p->region[i];
        ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "insert into zb_region(code,level,city,name) values(?1,?2,?3,?4)", e);
        if (!q) return e->rc;
        stmt_z(q, 1, g->code);
        stmt_z(q, 2, level_of(g->code));
        stmt_text(q, 3, (struct str){g->code, 4});
        stmt_z(q, 4, g->name);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int indicators_fill(struct db *db, const struct policy *p, struct zb_err *e) {
    static const int SIGN[] = {[AIM_MIN] = 1, [AIM_ABOVE] = 1, [AIM_MAX] = -1, [AIM_BELOW] = -1, [AIM_RISING] = 0, [AIM_FALLING] = 0, [AIM_NONE] = 0};
    if (db_exec(db, "delete from zb_indicator", e) != ZB_OK) return e->rc;
    for (int i = 0; i < p->indicators; i++) {
        const struct indicator *x = &p->indicator[i];
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(db, "insert into zb_indicator(id,zh,en,unit,reading,secret,once,sign,target) values(?1,?2,?3,?4,?5,?6,?7,?8,?9)", e);
        if (!q) return e->rc;
        stmt_z(q, 1, x->id);
        stmt_z(q, 2, x->zh);
        stmt_z(q, 3, x->en);
        stmt_z(q, 4, x->unit);
        stmt_i64(q, 5, x->reading_of >= 0);
        stmt_i64(q, 6, x->secret);
        stmt_i64(q, 7, x->cycle == EACH_ONCE);
        stmt_i64(q, 8, SIGN[x->aim]);
        stmt_real(q, 9, x->target);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* The figures of the last step as rules may ask them: of areas with their light, of mines without one. */
static int figures_view(struct db *db, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 4096);
    buf_puts(&b, "drop view if exists zb_figure;"
                 "create view zb_figure as select f.indicator as indicator, x.zh as zh, x.en as en, x.unit as unit, x.reading as reading, x.secret as secret, "
                 "x.once as once, x.sign as sign, case when x.sign <> 0 then x.target end as target, f.area as area, g.level as level, g.name as place, "
                 "'' as mine, f.a as a, f.b as b, f.n as n, f.missing as missing, case when f.has = 0 then f.value end as value, case f.light");
    for (int k = 0; k < LIGHTS_N; k++) buf_printf(&b, " when %d then '%s'", k, LIGHT_KEY[k]);
    buf_puts(&b,
             " end as light, f.zh as why_zh, f.en as why_en, f.since as since, f.due as due, f.before as before, f.path as path, f.ahead as forecast, "
             "f.low as low, f.high as high from prove_area f join zb_indicator x on x.id = f.indicator join zb_region g on g.code = f.area union all "
             "select f.indicator, x.zh, x.en, x.unit, x.reading, x.secret, x.once, x.sign, case when x.sign <> 0 then x.target end, f.area, 'mine', f.mine, "
             "f.mine, f.a, f.b, f.n, f.missing, case when f.has = 0 then f.value end, null, null, null, null, null, null, null, null, null, null from "
             "prove_base f join zb_indicator x on x.id = f.indicator where f.mine <> ''");
    return db_exec(db, b.p, e);
}

static int sql_check(struct db *db, const struct policy *p, struct zb_err *e) {
    for (int i = 0; i < p->indicators; i++) {
        const struct indicator *x = &p->indicator[i];
        if (x->kind == IK_MEAN_OF) continue;
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 128 << 10);
        figure_sql(&b, x, NULL);
        struct zb_err why;
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, &why);
        if (!q) return zb_fail(e, ZB_E_INPUT, "%s:%d:%d: indicator %s: %s", x->file, x->sql_at->line, x->sql_at->col, x->id, prove_why(why.msg));
    }
    return ZB_OK;
}

/* Further SQL of the policy, with the columns each must give. */
static int other_check(struct db *db, const char *file, const char *what, const char *sql, const char *columns, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_printf(&b, "select %s from (%s) t", columns, sql);
    struct zb_err why;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, &why);
    return q ? ZB_OK : zb_fail(e, ZB_E_INPUT, "%s:1:1: %s: %s", file, what, prove_why(why.msg));
}

/* What SQL may look up of the policy. */
static int lookups_fill(struct db *db, const struct policy *p, struct zb_err *e) {
    if (db_begin(db, e) != ZB_OK) return e->rc;
    int rc = regions_fill(db, p, e) == ZB_OK && indicators_fill(db, p, e) == ZB_OK && figures_view(db, e) == ZB_OK ? db_commit(db, e) : e->rc;
    if (rc != ZB_OK) db_rollback(db);
    return rc;
}

int prove_migrate(struct db *db, const struct policy *p, struct zb_err *e) {
    char have[80];
    if (db_migrate(db, "prove", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e) != ZB_OK || keep_state(db, "policy", have, sizeof have, e) != ZB_OK)
        return e->rc;
    if (!strcmp(have, p->hash)) return ZB_OK; /* this policy was taken over before */
    int rc = lookups_fill(db, p, e) == ZB_OK ? sql_check(db, p, e) : e->rc;
    if (rc == ZB_OK) rc = other_check(db, "prove.yaml", "reported_sql", p->light.reported_sql, REPORTED_COLUMNS, e);
    if (rc == ZB_OK) rc = other_check(db, "prove.yaml", "measures_sql", p->light.measures_sql, MEASURES_COLUMNS, e);
    if (rc == ZB_OK) rc = other_check(db, "duties.yaml", "sql", p->plan.duty_sql, DUTIES_COLUMNS, e);
    for (int i = 0; i < p->statistics && rc == ZB_OK; i++) rc = statistic_check(db, p, &p->statistic[i], e);
    return rc == ZB_OK ? keep_state_set(db, "policy", p->hash, e) : rc;
}
