/* The ledgers of another day: temporary tables under the names of today's, made from the versions h_<key>. The version that counts is the one ledger_show
 * shows: of those recorded by `known` and so by `asof`, the latest. Tables and not views, because their indexes keep SQL over them as fast as today's. */
#include "prove/inside.h"
#include <stdio.h>
#include <stdlib.h>

struct make {
    struct db *db;
    const struct policy *p;
    const char *schema; /* where the lasting tables are */
    zb_time asof, known;
};

static int run(struct make *m, struct buf *b, struct zb_err *e) {
    int rc = b->over ? zb_fail(e, ZB_E_LIMIT, "a definition is too large") : db_exec(m->db, b->p, e);
    buf_clear(b);
    return rc;
}

static void columns(struct buf *b, const char *of, const struct ledger_field *f, int n) {
    for (int i = 0; i < n; i++)
        if (!f[i].derive[0]) buf_printf(b, ",%s.\"%s\"", of, f[i].key);
}

static void indexes(struct buf *b, const char *table, const struct ledger_field *f, int n) {
    for (int i = 0; i < n; i++)
        if (!f[i].derive[0] && (f[i].filter || f[i].type == LF_REF)) buf_printf(b, "create index \"t_%s_%s\" on %s(\"%s\");", table, f[i].key, table, f[i].key);
}

/* A version's own moment: seen by `known`, so by `asof`. */
static void seen(struct make *m, struct buf *b, const char *of) {
    buf_printf(b, "%s.known<=%lld and %s.as_from<=%lld", of, (long long)m->known, of, (long long)m->asof);
}

static int table(struct make *m, const struct ledger *l, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    const char *k = l->key, *s = m->schema;
    buf_printf(&b,
               "create temp table l_%s as select h.id as id,h.no as no,h.rev as rev,h.state as state,coalesce((select min(g.as_from) from %s.h_%s g where "
               "g.id=h.id and g.rev<=h.rev and g.state=h.state and not exists(select 1 from %s.h_%s o where o.id=h.id and o.rev<h.rev and o.rev>g.rev and "
               "o.state<>h.state)),h.as_from) as state_at,h.area as area,substr(h.area,1,4) as city,h.mine as mine,cast(null as integer) as due,cast(null as "
               "integer) as due_first,(select min(g.known) from %s.h_%s g where g.id=h.id) as created,(select g.who from %s.h_%s g where g.id=h.id and "
               "g.rev=1) as created_by,h.known as updated,h.who as updated_by",
               k, s, k, s, k, s, k, s, k);
    columns(&b, "h", l->field, l->fields);
    buf_printf(&b, " from %s.h_%s h where ", s, k);
    seen(m, &b, "h");
    buf_printf(&b, " and not exists(select 1 from %s.h_%s g where g.id=h.id and ", s, k);
    seen(m, &b, "g");
    buf_printf(&b, " and (g.as_from>h.as_from or (g.as_from=h.as_from and g.rev>h.rev)))");
    if (run(m, &b, e) != ZB_OK) return e->rc;
    char name[64];
    snprintf(name, sizeof name, "l_%s", k);
    static const char *const BASE[] = {"id", "area", "mine", "state"};
    for (int i = 0; i < 4; i++) buf_printf(&b, "create index \"t_%s_%s\" on %s(%s);", name, BASE[i], name, BASE[i]);
    indexes(&b, name, l->field, l->fields);
    for (int i = 0; i < l->subs; i++) {
        const struct ledger_sub *sub = &l->sub[i];
        buf_printf(&b, "create temp table s_%s_%s as select s.rec as rec,s.row as row,s.since as since,cast(null as integer) as until", k, sub->key);
        columns(&b, "s", sub->field, sub->fields);
        buf_printf(&b, " from %s.s_%s_%s s join l_%s r on r.id=s.rec where s.since<=r.rev and (s.until is null or s.until>r.rev);", s, k, sub->key, k);
        snprintf(name, sizeof name, "s_%s_%s", k, sub->key);
        buf_printf(&b, "create index \"t_%s_rec\" on %s(rec);", name, name);
        indexes(&b, name, sub->field, sub->fields);
    }
    if (db_kind(m->db) == DB_POSTGRES) {
        buf_printf(&b, "analyze l_%s", k);
        for (int i = 0; i < l->subs; i++) buf_printf(&b, ";analyze s_%s_%s", k, l->sub[i].key);
    }
    return run(m, &b, e);
}

static int view(struct make *m, const struct ledger *l, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    const char *k = l->key;
    if (l->view[0]) {
        zb_time until = m->known < m->asof ? m->known : m->asof;
        buf_printf(&b, "create temp view v_%s as select r.* from %s.v_%s r where r.created<=%lld", k, m->schema, k, (long long)until);
        return run(m, &b, e);
    }
    buf_printf(&b, "create temp view v_%s as select r.*", k);
    for (int i = 0; i < l->fields; i++)
        if (l->field[i].derive[0]) buf_printf(&b, ", (%s) as \"%s\"", l->field[i].derive, l->field[i].key);
    buf_printf(&b, " from l_%s r;create temp view h_%s as select h.* from %s.h_%s h where ", k, k, m->schema, k);
    seen(m, &b, "h");
    return run(m, &b, e);
}

void prove_closure(const struct policy *p, uint64_t uses[4]) {
    for (bool more = true; more;) {
        uint64_t all[4];
        memcpy(all, uses, sizeof all);
        for (int i = 0; i < p->ledgers; i++) {
            if (!(uses[i / 64] >> (i % 64) & 1)) continue;
            for (int k = 0; k < p->ledger[i].fields; k++) indicator_reads(p, p->ledger[i].field[k].derive, all);
            indicator_reads(p, p->ledger[i].view, all);
        }
        more = memcmp(all, uses, sizeof all) != 0;
        memcpy(uses, all, sizeof all);
    }
}

static int make_all(struct make *m, const uint64_t *uses, struct zb_err *e) {
    for (int i = 0; i < m->p->ledgers; i++)
        if ((uses[i / 64] >> (i % 64) & 1) && !m->p->ledger[i].view[0] && table(m, &m->p->ledger[i], e) != ZB_OK) return e->rc;
    for (int i = 0; i < m->p->ledgers; i++)
        if ((uses[i / 64] >> (i % 64) & 1) && view(m, &m->p->ledger[i], e) != ZB_OK) return e->rc;
    return db_kind(m->db) == DB_SQLITE ? db_exec(m->db, "pragma analysis_limit=1000; analyze temp", e) : ZB_OK;
}

int past_open(const char *path, const struct policy *p, const uint64_t uses[4], zb_time asof, zb_time known, struct other_day *ret, struct zb_err *e) {
    uint64_t all[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    *ret = (struct other_day){.asof = asof, .known = known};
    if (db_open(path, DB_WRITE, &ret->db, e) != ZB_OK) return e->rc;
    if (uses) memcpy(all, uses, sizeof all);
    prove_closure(p, all);
    bool server = db_kind(ret->db) == DB_POSTGRES;
    struct make m = {ret->db, p, server ? "public" : "main", asof, known};
    int rc = db_clock(ret->db, asof, e);
    /* On a server in one transaction: were the connection lost and made anew, the names would mean today again. */
    if (rc == ZB_OK && server) rc = db_begin(ret->db, e);
    if (rc == ZB_OK) rc = make_all(&m, all, e);
    if (rc != ZB_OK) past_close(ret);
    return rc == ZB_OK ? rc : zb_wrap(e, "the records of another day");
}

void past_close(struct other_day *x) {
    if (x->db && db_in_tx(x->db)) db_rollback(x->db);
    db_close(x->db);
    x->db = NULL;
}

zb_time past_end_of(int32_t day) { return ((zb_time)day + 1) * ZB_DAY - 8 * ZB_HOUR - 1; }

int past_areas(struct other_day *x, const struct policy *p, const bool *want, struct area_figure **a, int *n, struct zb_err *e) {
    for (int i = 0; i < p->indicators; i++) {
        struct figure_row *row;
        int rows;
        if (p->indicator[i].kind == IK_MEAN_OF || (want && !want[i])) continue;
        if (figure_rows(x->db, &p->indicator[i], NULL, &row, &rows, e) != ZB_OK) return e->rc;
        n[i] = figure_areas(p, &p->indicator[i], row, rows, &a[i]);
        free(row);
    }
    for (int i = 0; i < p->indicators; i++) {
        const struct indicator *m = &p->indicator[i];
        const struct area_figure *part[40];
        int parts_n[40];
        if (m->kind != IK_MEAN_OF || (want && !want[i])) continue;
        for (int k = 0; k < m->parts_n; k++) {
            part[k] = a[m->part[k]];
            parts_n[k] = n[m->part[k]];
        }
        n[i] = figure_means(p, m, part, parts_n, &a[i]);
    }
    return ZB_OK;
}
