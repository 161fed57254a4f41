/* Lists: declared filters use an index, others are allowed and slower; totals exact to 10,000. */
#include "ledger/inside.h"
#include <stdio.h>

#define TERMS_MAX 20
#define TOTAL_MAX 10000
struct term {
    const struct ledger_field *f;
    const char *base;
    enum { EQ, GE, LE, HAS, IS_EMPTY } op;
    struct value v[20];
    int n;
};
struct where {
    struct term t[TERMS_MAX];
    int n;
    bool overdue;
};

static const struct ledger_field BASE[] = {{.key = "state", .type = LF_TEXT, .max_bytes = 40, .derive = ""},
                                           {.key = "due", .type = LF_TIME, .derive = ""},
                                           {.key = "created", .type = LF_TIME, .derive = ""},
                                           {.key = "updated", .type = LF_TIME, .derive = ""},
                                           {.key = "no", .type = LF_TEXT, .max_bytes = 60, .derive = ""},
                                           {.key = "area", .type = LF_TEXT, .max_bytes = 12, .derive = ""},
                                           {.key = "city", .type = LF_TEXT, .max_bytes = 12, .derive = ""},
                                           {.key = "mine", .type = LF_TEXT, .max_bytes = 24, .derive = ""},
                                           {.key = "id", .type = LF_INT, .derive = "", .min = ZB_FIX_NONE, .max = ZB_FIX_NONE},
                                           {.key = "created_by", .type = LF_TEXT, .max_bytes = 64, .derive = ""}};

static const struct ledger_field *named(struct lcall *c, struct str key) {
    for (size_t i = 0; i < sizeof BASE / sizeof *BASE; i++)
        if (str_is(key, BASE[i].key)) return &BASE[i];
    int i = lfield_find(c->l->field, c->l->fields, key);
    if (i < 0 || c->l->field[i].type == LF_SEALED) return NULL;
    const struct ledger_access *acc = c->actor ? ledger_access(c->l, c->actor) : NULL;
    return acc && word_in(acc->hide, key) ? NULL : &c->l->field[i];
}

static int term_take(struct lcall *c, struct where *w, struct str one, struct zb_err *e) {
    size_t at = 0;
    while (at < one.n && !strchr("=<>~", one.p[at])) at++;
    struct str key = str_trim((struct str){one.p, at});
    int len = at + 1 < one.n && (one.p[at] == '<' || one.p[at] == '>') && one.p[at + 1] == '=' ? 2 : 1;
    if (at == one.n) return zb_fail(e, ZB_E_INPUT, "where: \"" STR_FMT "\": write field=value, field>=value, field<=value or field~text", STR_ARG(one));
    struct str val = {one.p + at + len, one.n - at - (size_t)len};
    if (str_is(key, "overdue")) {
        w->overdue = true;
        return ZB_OK;
    }
    if (w->n == TERMS_MAX) return zb_fail(e, ZB_E_LIMIT, "where: at most %d conditions", TERMS_MAX);
    struct term *t = &w->t[w->n++];
    t->f = named(c, key);
    if (!t->f) return zb_fail(e, ZB_E_INPUT, "where: " STR_FMT " is not a field of %s", STR_ARG(key), c->l->key);
    t->op = one.p[at] == '~' ? HAS : one.p[at] == '>' ? GE : one.p[at] == '<' ? LE : val.n ? EQ : IS_EMPTY;
    struct str rest = val;
    while (rest.p && t->op != IS_EMPTY) {
        struct str v = t->op == EQ ? str_cut(rest, '|', &rest) : rest;
        if (t->op != EQ) rest.p = NULL;
        if (t->n == 20) return zb_fail(e, ZB_E_LIMIT, "where: at most 20 values");
        struct ledger_field plain = *t->f;
        if (t->op == HAS) plain = (struct ledger_field){.key = t->f->key, .zh = "", .type = LF_TEXT, .max_bytes = 200};
        int32_t day;
        if (plain.type == LF_TIME && zb_day_parse(v, &day)) { /* a day for a time: its beginning, or its end with <= */
            t->v[t->n++] = (struct value){.i = (day + (t->op == LE)) * ZB_DAY - 8 * ZB_HOUR - (t->op == LE)};
            continue;
        }
        if (!plain.zh) plain.zh = "";
        if (!plain.unit) plain.unit = "";
        if (value_parse(c, &plain, v, &t->v[t->n], e) != ZB_OK) return e->rc;
        if (!t->v[t->n].null) t->n++;
    }
    return ZB_OK;
}

static int where_take(struct lcall *c, struct str text, struct where *w, struct zb_err *e) {
    while (text.p && text.n) {
        struct str one = str_trim(str_cut(text, ';', &text));
        if (one.n && term_take(c, w, one, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static void where_sql(struct db *db, const struct where *w, struct buf *b, int *n) {
    for (int i = 0; i < w->n; i++) {
        const struct term *t = &w->t[i];
        if (t->op == IS_EMPTY) {
            buf_printf(b, " and r.\"%s\" is null", t->f->key);
        } else if (t->op == HAS) {
            buf_printf(b, db_kind(db) == DB_POSTGRES ? " and strpos(r.\"%s\",?%d)>0" : " and instr(r.\"%s\",?%d)>0", t->f->key, (*n)++);
        } else if (t->op == EQ && t->n > 1) {
            buf_printf(b, " and r.\"%s\" in (", t->f->key);
            for (int k = 0; k < t->n; k++) buf_printf(b, "%s?%d", k ? "," : "", (*n)++);
            buf_puts(b, ")");
        } else if (t->n) {
            buf_printf(b, " and r.\"%s\"%s?%d", t->f->key, t->op == EQ ? "=" : t->op == GE ? ">=" : "<=", (*n)++);
        }
    }
    if (w->overdue) buf_printf(b, " and r.due<?%d", (*n)++);
}

static void where_bind(struct lcall *c, const struct where *w, struct stmt *q, int *n) {
    for (int i = 0; i < w->n; i++)
        for (int k = 0; k < w->t[i].n; k++) {
            struct ledger_field f = *w->t[i].f;
            if (w->t[i].op == HAS) f.type = LF_TEXT;
            value_bind(q, (*n)++, &f, &w->t[i].v[k]);
        }
    if (w->overdue) stmt_time(q, (*n)++, c->now);
}

/* " from … where …" with values from ?1 on; false: nothing may be seen. */
static bool from_sql(struct lcall *c, const struct lquery *in, const struct where *w, bool derived, struct buf *b, int *n) {
    bool pg = db_kind(c->db) == DB_POSTGRES;
    if (in->search.n && c->l->search[0])
        buf_printf(b, " from f_%s f join %s_%s r on r.id=f.rowid where %s%s%s?%d%s and ", c->l->key, derived ? "v" : "l", c->l->key,
                   pg ? "f.body @@ to_tsquery('simple'," : "f_", pg ? "" : c->l->key, pg ? "" : " match ", (*n)++, pg ? ")" : "");
    else
        buf_printf(b, " from %s_%s r where ", derived ? "v" : "l", c->l->key);
    if (!scope_sql(c, b, n)) return false;
    where_sql(c->db, w, b, n);
    return true;
}

static void from_bind(struct lcall *c, const struct lquery *in, const struct where *w, struct str match, struct stmt *q, int *n) {
    if (in->search.n && c->l->search[0]) stmt_text(q, (*n)++, match);
    scope_bind(c, q, n);
    where_bind(c, w, q, n);
}

static int total(struct lcall *c, const struct lquery *in, const struct where *w, struct str match, bool derived, int64_t *ret, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    int n = 1;
    buf_puts(&b, "select count(*) from (select 1");
    from_sql(c, in, w, derived, &b, &n);
    buf_printf(&b, " limit %d) t", TOTAL_MAX + 1);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    n = 1;
    from_bind(c, in, w, match, q, &n);
    int r = stmt_row(q, e);
    if (r == 1) *ret = stmt_col_i64(q, 0);
    return r < 0 ? r : ZB_OK;
}

static bool is_derived(struct lcall *c, const struct ledger_field *f) { return c->l->view[0] || (f && f->derive && f->derive[0]); }

static int order_sql(struct lcall *c, const struct lquery *in, struct buf *b, bool *derived, struct zb_err *e) {
    struct str key = in->sort;
    bool down = key.n && key.p[0] == '-';
    if (down) key = (struct str){key.p + 1, key.n - 1};
    const struct ledger_field *f = key.n ? named(c, key) : NULL;
    if (key.n && !f) return zb_fail(e, ZB_E_INPUT, "sort: " STR_FMT " is not a field of %s", STR_ARG(key), c->l->key);
    if (is_derived(c, f)) *derived = true;
    if (!f)
        buf_puts(b, " order by r.id desc");
    else if (!strcmp(f->key, "id"))
        buf_printf(b, " order by r.id%s", down ? " desc" : "");
    else
        buf_printf(b, " order by r.\"%s\"%s nulls last, r.id%s", f->key, down ? " desc" : "", down ? " desc" : ""); /* empty values last, both ways */
    return ZB_OK;
}

static int row_json(struct lcall *c, struct stmt *q, const struct ledger_access *acc, struct json *j) {
    json_obj(j);
    json_key(j, "id");
    json_i64(j, stmt_col_i64(q, 0));
    json_key(j, "no");
    if (stmt_col_null(q, 1))
        json_none(j);
    else
        json_str(j, stmt_col_text(q, 1));
    json_key(j, "rev");
    json_i64(j, stmt_col_i64(q, 2));
    json_key(j, "state");
    json_str(j, stmt_col_text(q, 3));
    json_key(j, "area");
    json_str(j, stmt_col_text(q, 4));
    json_key(j, "mine");
    json_str(j, stmt_col_text(q, 5));
    json_key(j, "due");
    json_time(j, stmt_col_time(q, 6));
    json_key(j, "overdue");
    json_bool(j, !stmt_col_null(q, 6) && stmt_col_i64(q, 6) < c->now);
    json_key(j, "updated");
    json_time(j, stmt_col_i64(q, 7));
    json_key(j, "updated_by");
    json_str(j, stmt_col_text(q, 8));
    for (int i = 0; i < c->l->fields; i++) {
        const struct ledger_field *f = &c->l->field[i];
        if (acc && word_in(acc->hide, str_of(f->key))) continue;
        struct value v;
        value_read(q, 9 + i, f, c->arena, &v);
        json_key(j, f->key);
        value_json(j, f, &v);
        if (f->type == LF_REF && !v.null) {
            json_key(j, arena_printf(c->arena, "%s_name", f->key));
            json_str(j, ref_title(c, f->to_ledger, v.i));
        }
    }
    json_end(j);
    return ZB_OK;
}

int ledger_list(struct lcall *c, const struct lquery *in, struct json *j, struct zb_err *e) {
    struct where *w = arena_alloc(c->arena, sizeof *w);
    ZB_AUTO(buf_done) struct buf b;
    ZB_AUTO(buf_done) struct buf order;
    ZB_AUTO(buf_done) struct buf match;
    buf_init(&b, 64 << 10);
    buf_init(&order, 1024);
    buf_init(&match, 4096);
    bool derived = c->l->view[0] != 0;
    if (!w) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    if (where_take(c, in->where, w, e) != ZB_OK || order_sql(c, in, &order, &derived, e) != ZB_OK) return e->rc;
    if (in->search.n) bigrams(&match, in->search, db_kind(c->db) == DB_POSTGRES ? ASK_TSQUERY : ASK_FTS5);
    if (in->search.n && (!match.n || !c->l->search[0]))
        return zb_fail(e, ZB_E_INPUT, c->l->search[0] ? "search: write letters, digits or Chinese" : "%s has no full text", c->l->key);
    for (int i = 0; i < w->n; i++) derived |= is_derived(c, w->t[i].f);
    int64_t count = 0, limit = in->limit > 0 && in->limit <= 2000 ? in->limit : 100;
    const struct ledger_access *acc = c->actor ? ledger_access(c->l, c->actor) : NULL;
    if (c->actor && !acc) return zb_fail(e, ZB_E_DENIED, "您的角色看不到%s; your role does not see %s", c->l->zh, c->l->en);
    if (total(c, in, w, buf_str(&match), derived, &count, e) != ZB_OK) return e->rc;
    int n = 1;
    /* the page's ids first, then their rows with what is derived: work for the rows shown, not for all */
    buf_puts(&b, "select r.id,r.no,r.rev,r.state,r.area,r.mine,r.due,r.updated,r.updated_by");
    for (int i = 0; i < c->l->fields; i++) buf_printf(&b, ",r.\"%s\"", c->l->field[i].key);
    buf_puts(&b, " from (select r.id as page_id");
    from_sql(c, in, w, derived, &b, &n);
    bool by_text = in->search.n && !in->sort.n; /* the index gives rows by number */
    buf_printf(&b, "%s limit %lld offset %lld) page join v_%s r on r.id=page_id%s", by_text ? " order by f.rowid desc" : order.p, (long long)limit,
               (long long)in->after, c->l->key, order.p);
    if (b.over) return zb_fail(e, ZB_E_LIMIT, "the query is too long");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    n = 1;
    from_bind(c, in, w, buf_str(&match), q, &n);
    json_obj(j);
    json_key(j, "records");
    json_arr(j);
    int r, rows = 0;
    while ((r = stmt_row(q, e)) == 1) {
        row_json(c, q, acc, j);
        rows++;
    }
    if (r < 0) return r;
    json_arr_end(j);
    json_key(j, "total");
    json_i64(j, count > TOTAL_MAX ? TOTAL_MAX : count);
    json_key(j, "more_than_total");
    json_bool(j, count > TOTAL_MAX);
    json_key(j, "next");
    if (rows == limit && in->after + rows < count)
        json_i64(j, in->after + rows);
    else
        json_none(j);
    json_end(j);
    return ZB_OK;
}
