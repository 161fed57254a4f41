/* What a report of an area needs at once: lights of the areas below, months kept by then, how many records there are to prove it. */
#include "ledger/ledger.h"
#include "prove/look.h"
#include <math.h>
#include <stdlib.h>

struct below { /* one area's lights, default readings */
    const char *code;
    int n[LIGHTS_N];
};

static void below_json(const struct look *l, const struct below *b, int n, struct json *j) {
    json_key(j, "below");
    json_arr(j);
    for (int i = 0; i < n; i++) {
        json_obj(j);
        json_key(j, "area");
        json_z(j, b[i].code);
        json_key(j, "area_name");
        json_z(j, look_name(l, b[i].code));
        for (int k = 0; k < LIGHTS_N; k++) {
            json_key(j, LIGHT_KEY[k]);
            json_i64(j, b[i].n[k]);
        }
        json_end(j);
    }
    json_arr_end(j);
}

static struct below *below_find(struct below *b, int n, const char *code) {
    for (int i = 0; i < n; i++)
        if (!strcmp(b[i].code, code)) return &b[i];
    return NULL;
}

static bool counts(const struct look *l, int i) { return l->p->indicator[i].reading_of < 0 && look_shows(l, &l->p->indicator[i]); }

static int below_today(struct look *l, struct below *b, int n, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select area,indicator,light from prove_area", e);
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        char code[8];
        str_copy(stmt_col_text(q, 0), code, sizeof code);
        struct below *to = below_find(b, n, code);
        int i = policy_indicator(l->p, stmt_col_text(q, 1));
        int64_t light = stmt_col_i64(q, 2);
        if (to && i >= 0 && counts(l, i) && light >= 0 && light < LIGHTS_N) to->n[light]++;
    }
    return r;
}

static int below_past(struct look *l, struct other_day *past, struct below *b, int n, struct zb_err *e) {
    struct area_figure **all = xcalloc((size_t)l->p->indicators + 1, sizeof *all);
    int *many = xcalloc((size_t)l->p->indicators + 1, sizeof *many), rc = past_areas(past, l->p, NULL, all, many, e);
    for (int i = 0; i < l->p->indicators && rc == ZB_OK; i++) {
        const struct indicator *x = &l->p->indicator[i];
        struct trends t;
        if (!counts(l, i)) continue;
        rc = keep_trends(l->db, x, &t, e);
        for (int k = 0; k < many[i] && rc == ZB_OK; k++) {
            struct below *to = below_find(b, n, all[i][k].area);
            if (!to) continue;
            trend_use(x, &l->p->light, &t, zb_day_of(l->asof), &all[i][k]);
            to->n[all[i][k].out.light]++;
        }
        if (rc == ZB_OK) trends_free(&t);
    }
    for (int i = 0; i < l->p->indicators; i++) free(all[i]);
    free(all);
    free(many);
    return rc;
}

static int months_json(struct look *l, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(l->db, "select indicator,day,has,value from prove_month where area=?1 and day<=?2 and known<=?3 order by indicator,day", e);
    if (!q) return e->rc;
    char text[ZB_TIME_CAP];
    stmt_z(q, 1, l->area);
    stmt_i64(q, 2, zb_day_of(l->asof == ZB_TIME_NONE ? l->now : l->asof));
    stmt_time(q, 3, l->known == ZB_TIME_NONE ? l->now : l->known);
    json_key(j, "months");
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        double v = stmt_col_real(q, 3);
        int i = policy_indicator(l->p, stmt_col_text(q, 0));
        if (i < 0 || !look_shows(l, &l->p->indicator[i])) continue;
        json_obj(j);
        json_key(j, "indicator");
        json_str(j, stmt_col_text(q, 0));
        json_key(j, "day");
        json_z(j, zb_day_text((int32_t)stmt_col_i64(q, 1), text));
        json_key(j, "value");
        json_fix(j, stmt_col_i64(q, 2) == FIGURE_VALUE && fabs(v) < 9e11 ? (zb_fix)llround(v * 1e6) : ZB_FIX_NONE);
        json_end(j);
    }
    json_arr_end(j);
    return r;
}

/* Records of the area whose number may be known: not those in states that hide it, nor what the actor's role does not see. */
static int records_json(struct look *l, struct db *db, struct json *j, struct zb_err *e) {
    char like[12];
    size_t n = !strcmp(l->area + 2, "0000") ? 2 : !strcmp(l->area + 4, "00") ? 4 : 6;
    str_copy((struct str){l->area, n}, like, sizeof like);
    memcpy(like + n, "%", 2);
    json_key(j, "records");
    json_arr(j);
    for (int i = 0; i < l->p->ledgers; i++) {
        const struct ledger *g = &l->p->ledger[i];
        const struct ledger_access *acc = ledger_access(g, l->actor);
        if (!acc || g->view[0] || acc->see == SEE_NONE) continue;
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 8192);
        buf_printf(&b, "select count(*) from l_%s where area like ?1 and state not in (''", g->key);
        for (int k = 0; k < g->states; k++)
            if (g->state[k].hidden_number || (acc->not_states >> k & 1)) buf_printf(&b, ",'%s'", g->state[k].key);
        buf_puts(&b, ")");
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, e);
        if (!q) return e->rc;
        stmt_z(q, 1, like);
        int r = stmt_row(q, e);
        if (r < 0) return r;
        json_obj(j);
        json_key(j, "ledger");
        json_z(j, g->id);
        json_key(j, "zh");
        json_z(j, g->zh);
        json_key(j, "n");
        json_i64(j, stmt_col_i64(q, 0));
        json_end(j);
    }
    json_arr_end(j);
    return ZB_OK;
}

/* The newest figure each indicator was reported with for this very area, up to the day: of several for one day the one not corrected. */
static int reported_json(struct look *l, struct db *db, struct json *j, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_printf(&b,
               "select t.indicator,t.day,t.value,t.signer from (%s) t where t.area=?1 and t.day<=?2 and t.valid=1 and not exists(select 1 from (%s) o where "
               "o.area=t.area and o.indicator=t.indicator and o.valid=1 and o.day<=?2 and (o.day>t.day or (o.day=t.day and o.rec>t.rec))) order by t.indicator",
               l->p->light.reported_sql, l->p->light.reported_sql);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, e);
    if (!q) return e->rc;
    char text[ZB_TIME_CAP];
    stmt_z(q, 1, l->area);
    stmt_i64(q, 2, zb_day_of(l->asof == ZB_TIME_NONE ? l->now : l->asof));
    json_key(j, "reported");
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(j);
        json_key(j, "indicator");
        json_str(j, stmt_col_text(q, 0));
        json_key(j, "day");
        json_z(j, zb_day_text((int32_t)stmt_col_i64(q, 1), text));
        json_key(j, "value");
        json_fix(j, stmt_col_null(q, 2) ? ZB_FIX_NONE : (zb_fix)llround(stmt_col_real(q, 2) * 1e6));
        json_key(j, "signer");
        json_str(j, stmt_col_text(q, 3));
        json_end(j);
    }
    json_arr_end(j);
    return r;
}

int view_report(struct look *l, struct json *j, struct zb_err *e) {
    struct below b[140];
    struct other_day own, *past = NULL;
    int n = 0, rc = ZB_OK;
    look_moment(l);
    bool then = l->asof != ZB_TIME_NONE;
    for (int i = 0; i < l->p->regions && n < 140; i++)
        if (look_below(l->p->region[i].code, l->area)) b[n++] = (struct below){.code = l->p->region[i].code};
    if (then) rc = look_past(l, NULL, &own, &past, e);
    if (rc == ZB_OK) rc = then ? below_past(l, past, b, n, e) : below_today(l, b, n, e);
    json_obj(j);
    below_json(l, b, n, j);
    if (rc == ZB_OK) rc = months_json(l, j, e);
    if (rc == ZB_OK) rc = records_json(l, then ? past->db : l->db, j, e);
    if (rc == ZB_OK) rc = reported_json(l, then ? past->db : l->db, j, e);
    json_end(j);
    if (past) look_past_done(l, past);
    return rc;
}
