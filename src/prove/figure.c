/* From cases to sums: one statement an indicator, grouped by area and mine. */
#include "prove/inside.h"
#include <stdlib.h>

void figure_add(struct figure *to, const struct figure *f) {
    if (f->n && (!to->n || f->least < to->least)) to->least = f->least;
    to->a += f->a;
    to->b += f->b;
    to->c += f->c;
    to->d += f->d;
    to->n += f->n;
    to->missing += f->missing;
}

static enum figure_has over(double up, double down, double scale, double *ret) {
    if (down == 0) return FIGURE_NO_CASE;
    *ret = scale * up / down;
    return FIGURE_VALUE;
}

enum figure_has figure_value(const struct indicator *x, const struct figure *f, double *ret) {
    *ret = 0;
    if (f->n && f->missing == f->n) return FIGURE_MISSING;
    switch (x->kind) {
    case IK_SHARE: return over(f->a, f->b, 100, ret);
    case IK_RATIO: return over(f->a, f->b, 1, ret);
    case IK_COUNT: *ret = f->a; return FIGURE_VALUE;
    case IK_LEAST: *ret = f->least; return f->n ? FIGURE_VALUE : FIGURE_NO_CASE;
    case IK_FALL: return over(f->c - f->a, f->c, 100, ret);
    case IK_GROWTH: return over(f->a - f->c, f->c, 100, ret);
    case IK_RATE_FALL:
    case IK_RATE_GROWTH: {
        double now, base;
        if (over(f->a, f->b, 1, &now) != FIGURE_VALUE || over(f->c, f->d, 1, &base) != FIGURE_VALUE) return FIGURE_NO_CASE;
        return over(x->kind == IK_RATE_FALL ? base - now : now - base, base, 100, ret);
    }
    default: return FIGURE_NO_CASE;
    }
}

/* Which of b, c, d the kind has: the SQL need not give the others. */
static const char *columns_of(enum indicator_kind k) {
    static const char *const OF[INDICATOR_KINDS_N] = {[IK_SHARE] = "t.b,null,null",   [IK_RATIO] = "t.b,null,null",     [IK_COUNT] = "null,null,null",
                                                      [IK_LEAST] = "null,null,null",  [IK_FALL] = "null,t.c,null",      [IK_GROWTH] = "null,t.c,null",
                                                      [IK_RATE_FALL] = "t.b,t.c,t.d", [IK_RATE_GROWTH] = "t.b,t.c,t.d", [IK_MEAN_OF] = ""};
    return OF[k];
}

static void column_sum(struct buf *b, struct str c) {
    if (str_is(c, "null"))
        buf_puts(b, ",0.0");
    else
        buf_printf(b, ",coalesce(cast(sum(" STR_FMT ") as real),0.0)", STR_ARG(c));
}

void figure_sql(struct buf *b, const struct indicator *x, const struct figure_scope *s) {
    buf_puts(b, "select t.area,t.mine,coalesce(cast(sum(t.a) as real),0.0)");
    struct str rest = str_of(columns_of(x->kind));
    while (rest.p) column_sum(b, str_cut(rest, ',', &rest));
    buf_puts(b, ",coalesce(cast(min(t.a) as real),0.0),count(*),coalesce(sum(case when t.a is null then 1 else 0 end),0),min(t.rec) from (");
    buf_puts(b, x->sql);
    buf_puts(b, ") t");
    if (s && s->area) buf_puts(b, " where t.area=?1 and t.mine in (?2,'')");
    buf_puts(b, " group by t.area,t.mine");
}

const char *prove_why(const char *msg) { /* behind the second ": " from the end */
    const char *at[2] = {msg, msg};
    for (const char *p = msg; (p = strstr(p, ": ")); p += 2) {
        at[0] = at[1];
        at[1] = p + 2;
    }
    return at[0];
}

int figure_rows(struct db *db, const struct indicator *x, const struct figure_scope *s, struct figure_row **ret, int *n, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 128 << 10);
    figure_sql(&b, x, s);
    *ret = NULL;
    *n = 0;
    struct zb_err why;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, &why);
    if (q && s && s->area) {
        stmt_z(q, 1, s->area);
        stmt_z(q, 2, s->mine);
    }
    int r = q ? 0 : why.rc, cap = 0;
    while (q && (r = stmt_row(q, &why)) == 1) {
        if (*n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 64) * sizeof **ret);
        struct figure_row *f = &(*ret)[(*n)++];
        *f = (struct figure_row){.f = {stmt_col_real(q, 2), stmt_col_real(q, 3), stmt_col_real(q, 4), stmt_col_real(q, 5), stmt_col_real(q, 6),
                                       stmt_col_i64(q, 7), stmt_col_i64(q, 8)}};
        str_copy(stmt_col_text(q, 0), f->area, sizeof f->area);
        str_copy(stmt_col_text(q, 1), f->mine, sizeof f->mine);
    }
    if (r >= 0) return ZB_OK;
    free(*ret);
    *ret = NULL;
    *n = 0;
    return zb_fail(e, why.rc, "%s:%d:%d: indicator %s: %s", x->file, x->sql_at->line, x->sql_at->col, x->id, prove_why(why.msg));
}

/* ---- up the area tree ---- */
static enum indicator_level level_of(const char *code) {
    return strcmp(code + 4, "00") ? DOWN_TO_COUNTY : strcmp(code + 2, "0000") ? DOWN_TO_CITY : DOWN_TO_PROVINCE;
}
static bool inside(const char *area, const char *code) {
    size_t n = level_of(code) == DOWN_TO_COUNTY ? 6 : level_of(code) == DOWN_TO_CITY ? 4 : 0; /* the province has all, also what lies nowhere */
    return !strncmp(area, code, n);
}

static struct area_figure *areas_begin(const struct policy *p, const struct indicator *x, int *n) {
    struct area_figure *out = xcalloc((size_t)p->regions + 1, sizeof *out);
    *n = 0;
    for (int i = 0; i < p->regions; i++)
        if (level_of(p->region[i].code) <= x->level) str_copy(str_of(p->region[i].code), out[(*n)++].area, sizeof out->area);
    return out;
}

int figure_areas(const struct policy *p, const struct indicator *x, const struct figure_row *row, int n, struct area_figure **ret) {
    int areas;
    struct area_figure *out = areas_begin(p, x, &areas);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < areas; k++)
            if (inside(row[i].area, out[k].area)) figure_add(&out[k].f, &row[i].f);
    for (int k = 0; k < areas; k++) out[k].has = figure_value(x, &out[k].f, &out[k].value);
    *ret = out;
    return areas;
}

int figure_means(const struct policy *p, const struct indicator *x, const struct area_figure *const *parts, const int *parts_n, struct area_figure **ret) {
    int areas;
    struct area_figure *out = areas_begin(p, x, &areas);
    for (int k = 0; k < areas; k++) {
        int with = 0, missing = 0;
        double sum = 0;
        for (int i = 0; i < x->parts_n; i++)
            for (int j = 0; j < parts_n[i]; j++) {
                if (strcmp(parts[i][j].area, out[k].area)) continue;
                with += parts[i][j].has == FIGURE_VALUE;
                missing += parts[i][j].has == FIGURE_MISSING;
                sum += parts[i][j].has == FIGURE_VALUE ? parts[i][j].value : 0;
            }
        out[k].f.n = with;
        out[k].has = with ? FIGURE_VALUE : missing ? FIGURE_MISSING : FIGURE_NO_CASE;
        out[k].value = with ? sum / with : 0;
    }
    *ret = out;
    return areas;
}
