/* Lists and tables of the policy as tables of the database, so that rules and indicators ask the law by SQL: p_list, p_edition, p_<table>. They are made anew
 * whenever the policy is taken over; nothing is kept in them. */
#include "ledger/inside.h"
#include <stdio.h>

static const char LISTS[] = "create table p_list(list text not null, edition text not null, item text not null, zh text not null, en text not null, kinds text "
                            "not null, heading text not null, cite text not null, detect text not null, root text not null, valid_from integer, valid_to "
                            "integer) strict;"
                            "create index p_list_item on p_list(item);"
                            "create table p_edition(list text not null, edition text not null, id text not null, zh text not null, kinds text not null, "
                            "valid_from integer, valid_to integer, loaded integer not null) strict;";

/* With the views that ask it: those are made anew after it. */
static int drop(struct db *db, const char *name, struct zb_err *e) {
    char sql[120];
    snprintf(sql, sizeof sql, "drop table if exists p_%s%s", name, db_kind(db) == DB_POSTGRES ? " cascade" : "");
    return db_exec(db, sql, e);
}

static void day(struct stmt *q, int i, int32_t d, int32_t open) {
    if (d == open)
        stmt_null(q, i);
    else
        stmt_i64(q, i, d);
}

static int edition_put(struct db *db, const struct code_list *l, const struct list_edition *d, struct zb_err *e) {
    const char *const T[] = {l->key, d->key, d->id, d->zh, d->kinds};
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "insert into p_edition(list,edition,id,zh,kinds,valid_from,valid_to,loaded) values(?1,?2,?3,?4,?5,?6,?7,?8)", e);
    if (!q) return e->rc;
    for (int k = 0; k < 5; k++) stmt_z(q, k + 1, T[k]);
    day(q, 6, d->from, INT32_MIN);
    day(q, 7, d->to, INT32_MAX);
    stmt_i64(q, 8, !d->document[0]);
    return stmt_run(q, e);
}

static int item_put(struct db *db, const struct code_list *l, const struct list_item *it, struct zb_err *e) {
    const char *const T[] = {l->key,      it->edition->key, it->key,    it->zh,  it->en, it->kinds[0] ? it->kinds : it->edition->kinds,
                             it->heading, it->cite,         it->detect, it->root};
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db,
                            "insert into p_list(list,edition,item,zh,en,kinds,heading,cite,detect,root,valid_from,valid_to) "
                            "values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                            e);
    if (!q) return e->rc;
    for (int k = 0; k < 10; k++) stmt_z(q, k + 1, T[k]);
    day(q, 11, it->from, INT32_MIN);
    day(q, 12, it->to, INT32_MAX);
    return stmt_run(q, e);
}

static void cell_bind(struct stmt *q, int i, const struct table_column *c, const char *text) {
    zb_fix v;
    int64_t n;
    int32_t d;
    if (!text[0])
        stmt_null(q, i);
    else if (c->type == LF_NUM && num_fix(str_of(text), &v))
        stmt_real(q, i, zb_fix_double(v));
    else if (c->type == LF_INT && num_i64(str_of(text), INT64_MIN, INT64_MAX, &n))
        stmt_i64(q, i, n);
    else if (c->type == LF_BOOL)
        stmt_i64(q, i, !strcmp(text, "true"));
    else if (c->type == LF_DAY && zb_day_parse(str_of(text), &d))
        stmt_i64(q, i, d);
    else
        stmt_z(q, i, text);
}

static int table_put(struct db *db, const struct code_table *t, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    if (drop(db, t->key, e) != ZB_OK) return e->rc;
    buf_printf(&b, "create table p_%s(", t->key);
    for (int i = 0; i < t->columns; i++)
        buf_printf(&b, "%s\"%s\" %s", i ? ", " : "", t->column[i].key,
                   t->column[i].type == LF_TEXT  ? "text"
                   : t->column[i].type == LF_NUM ? "real"
                                                 : "integer");
    buf_puts(&b, ") strict");
    if (db_exec(db, b.p, e) != ZB_OK) return e->rc;
    buf_clear(&b);
    buf_printf(&b, "insert into p_%s values(", t->key);
    for (int i = 0; i < t->columns; i++) buf_printf(&b, "%s?%d", i ? "," : "", i + 1);
    buf_puts(&b, ")");
    for (int r = 0; r < t->rows; r++) {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, e);
        if (!q) return e->rc;
        for (int i = 0; i < t->columns; i++) cell_bind(q, i + 1, &t->column[i], t->cell[r * t->columns + i]);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

int codes_put(struct db *db, const struct policy *p, struct zb_err *e) {
    int rc = drop(db, "list", e) == ZB_OK && drop(db, "edition", e) == ZB_OK ? db_exec(db, LISTS, e) : e->rc;
    for (int i = 0; i < p->lists; i++) {
        const struct code_list *l = &p->list[i];
        for (int k = 0; k < l->editions && rc == ZB_OK; k++) rc = edition_put(db, l, &l->edition[k], e);
        for (int k = 0; k < l->items && rc == ZB_OK; k++) rc = item_put(db, l, &l->item[k], e);
    }
    for (int i = 0; i < p->tables && rc == ZB_OK; i++) rc = table_put(db, &p->table[i], e);
    return rc;
}
