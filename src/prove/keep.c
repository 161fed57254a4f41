/* Reading and writing the tables of figures. */
#include "prove/inside.h"
#include <stdlib.h>

void keep_sums_bind(struct stmt *q, int at, const struct figure *f, enum figure_has has, double value) {
    const double v[] = {f->a, f->b, f->c, f->d, f->least};
    for (int i = 0; i < 5; i++) stmt_real(q, at + i, v[i]);
    stmt_i64(q, at + 5, f->n);
    stmt_i64(q, at + 6, f->missing);
    stmt_i64(q, at + 7, has);
    stmt_real(q, at + 8, value);
}
void keep_sums(struct stmt *q, int at, struct figure *f, enum figure_has *has, double *value) {
    *f = (struct figure){stmt_col_real(q, at),     stmt_col_real(q, at + 1), stmt_col_real(q, at + 2), stmt_col_real(q, at + 3),
                         stmt_col_real(q, at + 4), stmt_col_i64(q, at + 5),  stmt_col_i64(q, at + 6)};
    *has = (enum figure_has)stmt_col_i64(q, at + 7);
    *value = stmt_col_real(q, at + 8);
}
static void real_or_null(struct stmt *q, int i, bool there, double v) {
    if (there)
        stmt_real(q, i, v);
    else
        stmt_null(q, i);
}

/* ---- by mine ---- */
static int base_drop(struct db *db, const struct indicator *x, const struct figure_scope *s, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(db, s->area ? "delete from prove_base where indicator=?1 and area=?2 and mine in (?3,'')" : "delete from prove_base where indicator=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    if (s->area) {
        stmt_z(q, 2, s->area);
        stmt_z(q, 3, s->mine);
    }
    return stmt_run(q, e);
}

int keep_base(struct db *db, const struct indicator *x, const struct figure_scope *s, const struct figure_row *row, int n, struct zb_err *e) {
    if (base_drop(db, x, s, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++) {
        double value;
        enum figure_has has = figure_value(x, &row[i].f, &value);
        ZB_AUTO(stmt_done)
        struct stmt *q =
            db_use(db, "insert into prove_base(indicator,area,mine,a,b,c,d,least,n,missing,has,value) values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)", e);
        if (!q) return e->rc;
        stmt_z(q, 1, x->id);
        stmt_z(q, 2, row[i].area);
        stmt_z(q, 3, row[i].mine);
        keep_sums_bind(q, 4, &row[i].f, has, value);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

int keep_base_read(struct db *db, const struct indicator *x, struct figure_row **ret, int *n, struct zb_err *e) {
    int cap = 0, r;
    *ret = NULL;
    *n = 0;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select area,mine,a,b,c,d,least,n,missing,has,value from prove_base where indicator=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    while ((r = stmt_row(q, e)) == 1) {
        enum figure_has has;
        double value;
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 256) * sizeof **ret);
        struct figure_row *f = &(*ret)[(*n)++];
        str_copy(stmt_col_text(q, 0), f->area, sizeof f->area);
        str_copy(stmt_col_text(q, 1), f->mine, sizeof f->mine);
        keep_sums(q, 2, &f->f, &has, &value);
    }
    if (r < 0) free(*ret);
    return r;
}

/* ---- by area ---- */
int keep_area(struct db *db, const struct indicator *x, const struct area_figure *a, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(db,
               "insert into prove_area(area,indicator,a,b,c,d,least,n,missing,has,value,light,zh,en,due,before,path,ahead,low,high,since) "
               "values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21) on conflict(area,indicator) do update set "
               "a=excluded.a,b=excluded.b,c=excluded.c,d=excluded.d,least=excluded.least,n=excluded.n,missing=excluded.missing,has=excluded.has,"
               "value=excluded.value,light=excluded.light,zh=excluded.zh,en=excluded.en,due=excluded.due,before=excluded.before,path=excluded.path,"
               "ahead=excluded.ahead,low=excluded.low,high=excluded.high,"
               "since=case when prove_area.light=excluded.light then prove_area.since else excluded.since end",
               e);
    if (!q) return e->rc;
    const struct forecast *f = &a->in.forecast;
    stmt_z(q, 1, a->area);
    stmt_z(q, 2, x->id);
    keep_sums_bind(q, 3, &a->f, a->has, a->value);
    stmt_i64(q, 12, a->out.light);
    stmt_z(q, 13, a->out.zh);
    stmt_z(q, 14, a->out.en);
    if (a->due == INT32_MAX)
        stmt_null(q, 15);
    else
        stmt_i64(q, 15, a->due);
    real_or_null(q, 16, a->in.has_before, a->in.before);
    real_or_null(q, 17, a->out.has_path, a->out.path);
    real_or_null(q, 18, f->given, f->at);
    real_or_null(q, 19, f->given, f->low);
    real_or_null(q, 20, f->given, f->high);
    stmt_i64(q, 21, a->in.today);
    return stmt_run(q, e);
}

int keep_areas_read(struct db *db, const struct indicator *x, struct area_figure **ret, int *n, struct zb_err *e) {
    int cap = 0, r;
    *ret = NULL;
    *n = 0;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select area,a,b,c,d,least,n,missing,has,value from prove_area where indicator=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    while ((r = stmt_row(q, e)) == 1) {
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 160) * sizeof **ret);
        struct area_figure *a = &(*ret)[(*n)++];
        *a = (struct area_figure){0};
        str_copy(stmt_col_text(q, 0), a->area, sizeof a->area);
        keep_sums(q, 1, &a->f, &a->has, &a->value);
    }
    if (r < 0) free(*ret);
    return r;
}

/* ---- by month-end ---- */
int keep_month(struct db *db, const struct indicator *x, int32_t day, zb_time known, const struct area_figure *a, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db,
                            "insert into prove_month(indicator,area,day,known,a,b,c,d,least,n,missing,has,value) "
                            "values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13) on conflict(indicator,area,day) do nothing",
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    stmt_z(q, 2, a->area);
    stmt_i64(q, 3, day);
    stmt_time(q, 4, known);
    keep_sums_bind(q, 5, &a->f, a->has, a->value);
    return stmt_run(q, e);
}

void trends_free(struct trends *t) {
    free(t->p);
    *t = (struct trends){0};
}
int keep_trends(struct db *db, const struct indicator *x, struct trends *t, struct zb_err *e) {
    int cap = 0, r;
    *t = (struct trends){0};
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select area,day,has,value from prove_month where indicator=?1 order by area,day", e);
    if (!q) return e->rc;
    stmt_z(q, 1, x->id);
    while ((r = stmt_row(q, e)) == 1) {
        if (t->n == cap) t->p = xrealloc(t->p, (size_t)(cap = cap ? 2 * cap : 256) * sizeof *t->p);
        struct trend_point *p = &t->p[t->n++];
        str_copy(stmt_col_text(q, 0), p->area, sizeof p->area);
        p->day = (int32_t)stmt_col_i64(q, 1);
        p->has = (enum figure_has)stmt_col_i64(q, 2);
        p->value = stmt_col_real(q, 3);
    }
    if (r < 0) trends_free(t);
    return r;
}

/* What the past says of this area: the figure a year before, on the base day, at the end of the last period, and the line. */
void trend_use(const struct indicator *x, const struct light_rule *rule, const struct trends *t, int32_t today, struct area_figure *a) {
    struct point line[64];
    int n = 0;
    int32_t year_ago = zb_months(today, -12), period = INT32_MAX;
    a->in = (struct light_in){.has = a->has, .value = a->value, .today = today};
    a->due = light_due(x, today);
    if (x->by_end) period = light_period(x, today) - 1;
    for (int i = 0; i < t->n; i++) {
        const struct trend_point *p = &t->p[i];
        if (strcmp(p->area, a->area) || p->has != FIGURE_VALUE || p->day > today) continue;
        if (p->day <= year_ago && p->day > year_ago - 31) {
            a->in.has_before = true;
            a->in.before = p->value;
        }
        if (p->day == x->base_on) {
            a->in.has_base = true;
            a->in.base = p->value;
        }
        if (p->day == period) a->in.last_missed = !light_met(x, p->value);
        if (n == 64) memmove(line, line + 1, (size_t)--n * sizeof *line);
        line[n++] = (struct point){p->day, p->value};
    }
    if (x->cycle == EACH_ONCE && x->due > today && a->has == FIGURE_VALUE) a->in.forecast = forecast_make(rule, line, n, x->due);
    light_make(x, rule, &a->in, &a->out);
}

/* ---- what was done last ---- */
int keep_state(struct db *db, const char *key, char *out, size_t cap, struct zb_err *e) {
    out[0] = 0;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select value from prove_state where key=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, key);
    int r = stmt_row(q, e);
    if (r == 1) str_copy(stmt_col_text(q, 0), out, cap);
    return r < 0 ? r : ZB_OK;
}
int keep_state_set(struct db *db, const char *key, const char *value, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "insert into prove_state(key,value) values(?1,?2) on conflict(key) do update set value=excluded.value", e);
    if (!q) return e->rc;
    stmt_z(q, 1, key);
    stmt_z(q, 2, value);
    return stmt_run(q, e);
}
