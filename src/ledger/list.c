/* Lists: declared filters use an index, others are allowed and slower; totals exact to 10,000. */
#include "ledger/inside.h"
#include <stdio.h>

#define TERMS_MAX 20
#define TOTAL_MAX 2000
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

/* "today", "today+90", "today-30", "month" (its first day), "year": for filters that are kept. */
static bool day_named(struct str v, int32_t today, int32_t *ret) {
    int64_t n = 0;
    if (str_is(v, "month") || str_is(v, "year")) {
        *ret = zb_period_start(str_is(v, "month") ? ZB_MONTH_UNIT : ZB_YEAR_UNIT, today, 0);
        return true;
    }
    if (v.n < 5 || memcmp(v.p, "today", 5)) return false;
    struct str rest = {v.p + 5, v.n - 5};
    if (rest.n && rest.p[0] == '+') rest = (struct str){rest.p + 1, rest.n - 1};
    if (v.n > 5 && ((v.p[5] != '+' && v.p[5] != '-') || !num_i64(rest, -40000, 40000, &n))) return false;
    *ret = today + (int32_t)n;
    return true;
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
        if (plain.type == LF_DAY && day_named(v, zb_day_of(c->now), &day)) {
            t->v[t->n++] = (struct value){.i = day};
            continue;
        }
        if (plain.type == LF_TIME &&
            (zb_day_parse(v, &day) || day_named(v, zb_day_of(c->now), &day))) { /* a day for a time: its beginning, or its end with <= */
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
            buf_printf(b, "r.\"%s\" is null and ", t->f->key);
        } else if (t->op == HAS) {
            buf_printf(b, db_kind(db) == DB_POSTGRES ? "strpos(r.\"%s\",?%d)>0 and " : "instr(r.\"%s\",?%d)>0 and ", t->f->key, (*n)++);
        } else if (t->op == EQ && t->n > 1) {
            buf_printf(b, "r.\"%s\" in (", t->f->key);
            for (int k = 0; k < t->n; k++) buf_printf(b, "%s?%d", k ? "," : "", (*n)++);
            buf_puts(b, ") and ");
        } else if (t->n) {
            buf_printf(b, "r.\"%s\"%s?%d and ", t->f->key, t->op == EQ ? "=" : t->op == GE ? ">=" : "<=", (*n)++);
        }
    }
    if (w->overdue) buf_printf(b, "r.due<?%d and ", (*n)++);
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
    bool by_filter = false; /* an equal on a declared filter: its index holds who may see the row, too */
    for (int i = 0; i < w->n; i++) by_filter |= w->t[i].op == EQ && w->t[i].n == 1 && (w->t[i].f->filter || !strcmp(w->t[i].f->key, "state"));
    where_sql(c->db, w, b, n); /* first: it lets fewer rows through than who may see them */
    return scope_sql(c, b, n, by_filter && !pg && !in->search.n);
}

static void from_bind(struct lcall *c, const struct lquery *in, const struct where *w, struct str match, struct stmt *q, int *n) {
    if (in->search.n && c->l->search[0]) stmt_text(q, (*n)++, match);
    where_bind(c, w, q, n);
    scope_bind(c, q, n);
}

/* The ids in order, one more than the page and TOTAL_MAX need: one walk gives page, total and whether there is a next page. */
static int ids_take(struct lcall *c, const struct lquery *in, const struct where *w, struct str match, bool derived, const char *order, int64_t *id,
                    int64_t most, int64_t *got, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    int n = 1, r;
    buf_puts(&b, "select r.id");
    if (!from_sql(c, in, w, derived, &b, &n)) return ZB_OK;
    buf_printf(&b, "%s limit %lld", order, (long long)most);
    if (b.over) return zb_fail(e, ZB_E_LIMIT, "the query is too long");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    n = 1;
    from_bind(c, in, w, match, q, &n);
    while ((r = stmt_row(q, e)) == 1) id[(*got)++] = stmt_col_i64(q, 0);
    return r;
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

/* Which fields the reply holds: stored ones, and of the derived those shown; a reference brings its name. */
static bool wanted(const struct lcall *c, const struct lquery *in, const struct ledger_access *acc, const struct ledger_field *f) {
    if (acc && word_in(acc->hide, str_of(f->key))) return false;
    return !f->derive[0] || in->all || word_in(c->l->columns, str_of(f->key));
}

static const struct ledger *named_by(const struct lcall *c, const struct ledger_field *f) {
    const struct ledger *to = f->type == LF_REF ? &c->policy->ledger[f->to_ledger] : NULL;
    return to && to->title[0] && !to->view[0] ? to : NULL;
}

struct column { /* of a page, behind the nine every record has */
    const struct ledger_field *f;
    const char *name; /* key of what a reference is called; NULL no such column */
};

/* "select …", the joins behind the page's ids and what the columns are; *view: the view is needed. */
static int select_sql(struct lcall *c, const struct lquery *in, const struct ledger_access *acc, struct buf *sel, struct buf *joins, struct column *col,
                      bool *view) {
    int n = 0;
    buf_puts(sel, "select r.id,r.no,r.rev,r.state,r.area,r.mine,r.due,r.updated,r.updated_by");
    for (int i = 0; i < c->l->fields; i++) {
        const struct ledger_field *f = &c->l->field[i];
        if (!wanted(c, in, acc, f)) continue;
        *view |= f->derive[0] != 0;
        buf_printf(sel, ",r.\"%s\"", f->key);
        const struct ledger *to = named_by(c, f);
        col[n++] = (struct column){f, to ? arena_printf(c->arena, "%s_name", f->key) : NULL};
        if (!to) continue;
        buf_printf(sel, ",t%d.\"%s\"", i, to->title);
        buf_printf(joins, " left join l_%s t%d on t%d.id=r.\"%s\"", to->key, i, i, f->key);
    }
    return n;
}

static void text_json(struct stmt *q, int at, struct json *j) {
    if (stmt_col_null(q, at))
        json_none(j);
    else
        json_str(j, stmt_col_text(q, at));
}

static void row_json(struct lcall *c, const struct column *col, int n, struct stmt *q, struct json *j) {
    json_obj(j);
    stmt_json(q, j, "id:i no:s? rev:i state:s? area:s? mine:s? due:t updated:t updated_by:s?");
    json_key(j, "overdue");
    json_bool(j, !stmt_col_null(q, 6) && stmt_col_i64(q, 6) < c->now);
    for (int i = 0, at = 9; i < n; i++) {
        const struct ledger_field *f = col[i].f;
        json_key(j, f->key);
        if (f->type == LF_TEXT || f->type == LF_ENUM || f->type == LF_SET || f->type == LF_REGION) { /* most of a page: not copied on the way */
            text_json(q, at++, j);
        } else {
            struct value v;
            value_read(q, at++, f, c->arena, &v);
            value_json(j, f, &v);
        }
        if (!col[i].name) continue;
        json_key(j, col[i].name);
        text_json(q, at++, j);
    }
    json_end(j);
}

static int rows_json(struct lcall *c, const struct lquery *in, const int64_t *id, int64_t n, bool derived, const char *order, struct json *j,
                     struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    ZB_AUTO(buf_done) struct buf joins;
    const struct ledger_access *acc = c->actor ? ledger_access(c->l, c->actor) : NULL;
    buf_init(&b, 256 << 10);
    buf_init(&joins, 16 << 10);
    struct column *col = arena_alloc(c->arena, ((size_t)c->l->fields + 1) * sizeof *col);
    if (!col) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    bool view = c->l->view[0] != 0;
    int cols = select_sql(c, in, acc, &b, &joins, col, &view);
    buf_printf(&b, " from %s_%s r%s where r.id in (", view || derived ? "v" : "l", c->l->key, joins.p ? joins.p : "");
    for (int64_t i = 0; i < n; i++) buf_printf(&b, i ? ",%lld" : "%lld", (long long)id[i]);
    buf_printf(&b, ")%s", order);
    if (b.over) return zb_fail(e, ZB_E_LIMIT, "the query is too long");
    ZB_AUTO(stmt_done) struct stmt *q = n ? db_once(c->db, b.p, e) : NULL;
    if (n && !q) return e->rc;
    int r = 0;
    while (n && (r = stmt_row(q, e)) == 1) row_json(c, col, cols, q, j);
    return r;
}

int ledger_list(struct lcall *c, const struct lquery *in, struct json *j, struct zb_err *e) {
    struct where *w = arena_alloc(c->arena, sizeof *w);
    ZB_AUTO(buf_done) struct buf order;
    ZB_AUTO(buf_done) struct buf match;
    buf_init(&order, 1024);
    buf_init(&match, 4096);
    bool derived = c->l->view[0] != 0;
    if (c->actor && !ledger_access(c->l, c->actor)) return zb_fail(e, ZB_E_DENIED, "您的角色看不到%s; your role does not see %s", c->l->zh, c->l->en);
    if (!w) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    if (where_take(c, in->where, w, e) != ZB_OK || order_sql(c, in, &order, &derived, e) != ZB_OK) return e->rc;
    if (in->search.n) bigrams(&match, in->search, db_kind(c->db) == DB_POSTGRES ? ASK_TSQUERY : ASK_FTS5);
    if (in->search.n && (!match.n || !c->l->search[0]))
        return zb_fail(e, ZB_E_INPUT, c->l->search[0] ? "search: write letters, digits or Chinese" : "%s has no full text", c->l->key);
    for (int i = 0; i < w->n; i++) derived |= is_derived(c, w->t[i].f);
    int64_t limit = in->limit > 0 && in->limit <= 2000 ? in->limit : 100, got = 0, most = (in->after + limit > TOTAL_MAX ? in->after + limit : TOTAL_MAX) + 1;
    int64_t *id = arena_alloc(c->arena, (size_t)most * sizeof *id);
    bool by_text = in->search.n && !in->sort.n; /* the index gives rows by number */
    if (!id) return zb_fail(e, ZB_E_LIMIT, "after: too far; narrow the list by a filter");
    if (ids_take(c, in, w, buf_str(&match), derived, by_text ? " order by f.rowid desc" : order.p, id, most, &got, e) != ZB_OK) return e->rc;
    int64_t n = got - in->after < 0 ? 0 : got - in->after < limit ? got - in->after : limit;
    json_obj(j);
    json_key(j, "records");
    json_arr(j);
    if (rows_json(c, in, id + in->after, n, derived, order.p, j, e) != ZB_OK) return e->rc;
    json_arr_end(j);
    json_key(j, "total");
    json_i64(j, got > TOTAL_MAX ? TOTAL_MAX : got);
    json_key(j, "more_than_total");
    json_bool(j, got > TOTAL_MAX);
    json_key(j, "next");
    if (in->after + n < got)
        json_i64(j, in->after + n);
    else
        json_none(j);
    json_end(j);
    return ZB_OK;
}

int ledger_count(struct lcall *c, struct str where, int64_t *ret, struct zb_err *e) {
    struct where *w = arena_alloc(c->arena, sizeof *w);
    struct lquery in = {.where = where};
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    bool derived = c->l->view[0] != 0;
    int n = 1;
    *ret = 0;
    if (!w) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    if (where_take(c, where, w, e) != ZB_OK) return e->rc;
    for (int i = 0; i < w->n; i++) derived |= is_derived(c, w->t[i].f);
    buf_puts(&b, "select count(*)");
    if (!from_sql(c, &in, w, derived, &b, &n)) return ZB_OK;
    if (b.over) return zb_fail(e, ZB_E_LIMIT, "the query is too long");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    n = 1;
    from_bind(c, &in, w, STR(""), q, &n);
    int r = stmt_row(q, e);
    if (r == 1) *ret = stmt_col_i64(q, 0);
    return r < 0 ? r : ZB_OK;
}

int ledger_overdue(struct lcall *c, struct str area, struct str mine, ledger_overdue_fn *fn, void *arg, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 8192);
    int n = 4;
    if (c->l->view[0] || (c->actor && !ledger_access(c->l, c->actor))) return ZB_OK;
    buf_printf(&b, "select r.area,r.mine,count(*),min(r.due) from l_%s r where r.due<?1 and substr(r.area,1,length(?2))=?2 and (?3='' or r.mine=?3) and ",
               c->l->key);
    if (!scope_sql(c, &b, &n, db_kind(c->db) == DB_SQLITE)) return ZB_OK;
    buf_puts(&b, " group by r.area,r.mine order by 3 desc,1,2");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    stmt_time(q, 1, c->now);
    stmt_text(q, 2, area);
    stmt_text(q, 3, mine);
    n = 4;
    scope_bind(c, q, &n);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct loverdue o = {.n = stmt_col_i64(q, 2), .oldest = stmt_col_i64(q, 3)};
        str_copy(stmt_col_text(q, 0), o.area, sizeof o.area);
        str_copy(stmt_col_text(q, 1), o.mine, sizeof o.mine);
        if (fn(arg, c->l, &o, e) != ZB_OK) return e->rc;
    }
    return r;
}
