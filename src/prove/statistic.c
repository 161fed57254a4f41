#include "prove/statistic.h"
#include "policy/tree.h"
#include "prove/inside.h"
#include <ctype.h>

#define NAMED_MAX 16
struct asked { /* ?2 and on: the rule's parameters that the SQL names */
    const struct rule_value *value[NAMED_MAX];
    int n;
};

static const struct rule_value *named(const struct policy *p, const struct statistic *s, struct str key) {
    const struct rule *u = s->rule[0] ? policy_rule(p, str_of(s->rule)) : NULL;
    for (int i = 0; u && i < u->params; i++)
        if (str_is(key, u->param[i].key) && u->param[i].values == 1) return u->param[i].value;
    return NULL;
}

/* The policy's SQL with ?N for :key. */
static int body_put(struct buf *b, const struct policy *p, const struct statistic *s, struct asked *a, struct zb_err *e) {
    for (const char *c = s->sql; *c;) {
        if (*c != ':' || !islower((unsigned char)c[1])) {
            buf_putc(b, *c++);
            continue;
        }
        size_t n = strspn(c + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
        struct str key = {c + 1, n};
        const struct rule_value *v = named(p, s, key);
        if (!v || a->n == NAMED_MAX)
            return zb_fail(e, ZB_E_INPUT, "statistics.yaml:%d:%d: %s: :" STR_FMT " is not a parameter with one value of rule \"%s\"", s->at->line, s->at->col,
                           s->key, STR_ARG(key), s->rule);
        a->value[a->n++] = v;
        buf_printf(b, "?%d", a->n + 1);
        c += n + 1;
    }
    return ZB_OK;
}

static int sql_put(struct buf *b, const struct policy *p, const struct statistic *s, int digits, struct asked *a, struct zb_err *e) {
    buf_puts(b, "select t.area,");
    buf_puts(b, s->ledger[0] ? "t.rec" : "null");
    for (int i = 0; i < s->columns; i++) buf_printf(b, ",t.\"%s\"", s->column[i].key);
    buf_puts(b, " from (");
    if (body_put(b, p, s, a, e) != ZB_OK) return e->rc;
    buf_printf(b, ") t where substr(t.area,1,%d)=?1 limit %d", digits, STATISTIC_ROWS_MAX);
    return b->over ? zb_fail(e, ZB_E_LIMIT, "statistics.yaml:%d:%d: %s: its SQL is too long", s->at->line, s->at->col, s->key) : ZB_OK;
}

int statistic_check(struct db *db, const struct policy *p, const struct statistic *s, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct asked a = {0};
    struct zb_err why;
    buf_init(&b, 64 << 10);
    if (sql_put(&b, p, s, 2, &a, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, &why);
    return q ? ZB_OK : zb_fail(e, ZB_E_INPUT, "statistics.yaml:%d:%d: %s: %s", s->at->line, s->at->col, s->key, prove_why(why.msg));
}

int statistic_rows(struct db *db, const struct policy *p, const struct statistic *s, const char *area, statistic_fn *fn, void *arg, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct asked a = {0};
    int digits = strcmp(area + 4, "00") ? 6 : strcmp(area + 2, "0000") ? 4 : 2, r;
    buf_init(&b, 64 << 10);
    if (sql_put(&b, p, s, digits, &a, e) != ZB_OK) return e->rc;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, e);
    if (!q) return e->rc;
    stmt_text(q, 1, (struct str){area, (size_t)digits});
    for (int i = 0; i < a.n; i++) {
        if (a.value[i]->kind == RULE_INT)
            stmt_i64(q, i + 2, a.value[i]->i);
        else if (a.value[i]->kind == RULE_REAL)
            stmt_real(q, i + 2, a.value[i]->r);
        else
            stmt_z(q, i + 2, a.value[i]->s);
    }
    while ((r = stmt_row(q, e)) == 1)
        if (fn(arg, q, e) != ZB_OK) return e->rc;
    return r;
}
