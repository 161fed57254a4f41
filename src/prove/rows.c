/* The records behind a figure: the cases themselves, of the area asked for, those not met first. */
#include "ledger/ledger.h"
#include "prove/look.h"

static void scope_bind(const struct look *l, struct stmt *q) {
    size_t n = strcmp(l->area + 4, "00") ? 6 : strcmp(l->area + 2, "0000") ? 4 : 0;
    if (l->mine[0])
        stmt_z(q, 1, l->mine);
    else
        stmt_text(q, 1, (struct str){l->area, n});
}

/* ?1: the mine, or how the area's code begins. */
static void rows_sql(struct buf *b, const struct look *l, const struct indicator *x) {
    buf_puts(b, "select t.* from (");
    buf_puts(b, x->sql);
    buf_puts(b, ") t where ");
    buf_puts(b, l->mine[0] ? "t.mine=?1" : "substr(t.area,1,length(?1))=?1");
    buf_puts(b, " order by coalesce(t.a,-1),t.area,t.mine,t.rec");
}

static void number_or_null(struct json *j, struct stmt *q, int col) {
    json_key(j, stmt_col_name(q, col));
    json_fix(j, col < 0 || stmt_col_null(q, col) ? ZB_FIX_NONE : (zb_fix)(stmt_col_real(q, col) * 1e6 + (stmt_col_real(q, col) < 0 ? -0.5 : 0.5)));
}

/* What the ledger itself would show of it to this actor: number and title, or that it is kept back. */
static int record_json(struct look *l, const struct indicator *x, int64_t rec, struct json *j, struct zb_err *e) {
    struct lcall c = {.db = l->db, .policy = l->p, .actor = l->actor, .l = &l->p->ledger[x->of_ledger], .now = l->now, .arena = l->arena};
    char no[64] = "", title[200] = "";
    int got = rec && ledger_access(c.l, l->actor) ? ledger_title(&c, rec, no, title, e) : ZB_E_ABSENT;
    bool shown = got == ZB_OK;
    if (!shown && got != ZB_E_ABSENT && got != ZB_E_DENIED) return got;
    json_key(j, "id");
    if (shown)
        json_i64(j, rec);
    else
        json_none(j);
    json_key(j, "no");
    json_z(j, no);
    json_key(j, "title");
    json_z(j, title);
    json_key(j, "withheld");
    json_bool(j, rec && !shown);
    return ZB_OK;
}

static int col_of(struct stmt *q, const char *name) {
    for (int i = 0; i < stmt_cols(q); i++)
        if (!strcmp(stmt_col_name(q, i), name)) return i;
    return -1;
}

static int row_json(struct look *l, const struct indicator *x, struct stmt *q, struct json *j, struct zb_err *e) {
    int note = col_of(q, "note"), area = col_of(q, "area"), mine = col_of(q, "mine"), rec = col_of(q, "rec");
    static const char *const NUMBER[] = {"a", "b", "c", "d"};
    json_obj(j);
    json_key(j, "ledger");
    json_z(j, x->of);
    int rc = record_json(l, x, stmt_col_null(q, rec) ? 0 : stmt_col_i64(q, rec), j, e);
    json_key(j, "area");
    json_str(j, stmt_col_text(q, area));
    json_key(j, "mine");
    json_str(j, stmt_col_text(q, mine));
    for (int i = 0; i < 4; i++) {
        int col = col_of(q, NUMBER[i]);
        if (col >= 0) {
            number_or_null(j, q, col);
        } else {
            json_key(j, NUMBER[i]);
            json_none(j);
        }
    }
    json_key(j, "note");
    json_str(j, note >= 0 && !stmt_col_null(q, note) ? stmt_col_text(q, note) : STR(""));
    json_end(j);
    return rc;
}

int view_rows(struct look *l, struct str id, int64_t after, int64_t limit, struct json *j, struct zb_err *e) {
    int at = policy_indicator(l->p, id);
    const struct indicator *x = at >= 0 ? &l->p->indicator[at] : NULL;
    if (!x || !look_shows(l, x) || x->kind == IK_MEAN_OF)
        return zb_fail(e, ZB_E_ABSENT, "no indicator \"%.*s\" with records of its own that you see", id.n > 40 ? 40 : (int)id.n, id.p ? id.p : "");
    struct other_day past = {0};
    look_moment(l);
    struct db *db = l->db;
    if (l->asof != ZB_TIME_NONE) {
        if (past_open(l->path, l->p, x->uses, l->asof, l->known, &past, e) != ZB_OK) return e->rc;
        db = past.db;
    }
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 128 << 10);
    rows_sql(&b, l, x);
    struct stmt *q = db_once(db, b.p, e);
    int rc = q ? ZB_OK : e->rc, r = 0;
    int64_t seen = 0, given = 0;
    if (q) scope_bind(l, q);
    json_obj(j);
    json_key(j, "indicator");
    json_z(j, x->id);
    json_key(j, "rows");
    json_arr(j);
    while (rc == ZB_OK && given <= limit && (r = stmt_row(q, e)) == 1) {
        if (seen++ < after || given++ == limit) continue;
        rc = row_json(l, x, q, j, e);
    }
    if (r < 0) rc = r;
    json_arr_end(j);
    json_key(j, "next");
    if (given > limit)
        json_i64(j, after + limit);
    else
        json_none(j);
    json_end(j);
    stmt_done(&q);
    past_close(&past);
    return rc;
}
