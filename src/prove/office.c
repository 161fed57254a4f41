#include "prove/office.h"
#include "ledger/ledger.h"
#include "prove/key.h"
#include "prove/look.h"
#include <stdio.h>
#include <stdlib.h>

static const char *level_word(const char *code) { return strcmp(code + 4, "00") ? "county" : strcmp(code + 2, "0000") ? "city" : "province"; }
/* Mines that are not closed, by region of the policy. */
static int mines_count(struct look *l, int *n, struct zb_err *e) {
    const struct ledger *s = &l->p->ledger[l->p->site.at];
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 4000);
    buf_printf(&b, "select area,count(*) from l_%s where state in (''", s->key);
    for (int i = 0; i < s->states; i++)
        if (s->state[i].open) buf_printf(&b, ",'%s'", s->state[i].key);
    buf_puts(&b, ") group by area");
    ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        char area[8];
        str_copy(stmt_col_text(q, 0), area, sizeof area);
        for (int i = 0; i < l->p->regions; i++)
            if (within(area, l->p->region[i].code)) n[i] += (int)stmt_col_i64(q, 1);
    }
    return r;
}

/* ---- duties ---- */
static int32_t at_day(int32_t first, int day) { /* of the month that begins with first; its last day when it has none such */
    int32_t next = zb_period_start(ZB_MONTH_UNIT, first, 1);
    return !day || first + day - 1 >= next ? next - 1 : first + day - 1;
}
/* The k-th time of a duty from `from` on; INT32_MAX: no more. */
static int32_t duty_day(const struct plan_duty *d, int32_t from, int k) {
    int32_t day;
    if (d->every == PLAN_CYCLE_NONE) return k ? INT32_MAX : d->on;
    if (d->every == PLAN_CYCLE_YEAR) {
        int32_t year = zb_period_start(ZB_YEAR_UNIT, from, k);
        day = at_day(zb_months(year, d->month - 1), d->day);
    } else { /* of the month after the period; 0: the last day of the period itself */
        enum zb_unit u = d->every == PLAN_CYCLE_QUARTER ? ZB_QUARTER_UNIT : ZB_MONTH_UNIT;
        int32_t next = zb_period_start(u, from, k);
        day = d->day ? at_day(next, d->day) : next - 1;
    }
    return d->until != PLAN_DAY_NONE && day > d->until ? INT32_MAX : day;
}

struct filed { /* what came in for one duty's day */
    int done, late;
    bool by[140]; /* by region */
};
static int filed_read(struct look *l, const struct plan_duty *d, int32_t day, struct filed *f, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_printf(&b, "select t.area,t.sent from (%s) t where t.filing=?1 and t.due between ?2 and ?3 and t.done=1", l->p->plan.duty_sql);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(l->db, b.p, e);
    *f = (struct filed){0};
    if (!q) return e->rc;
    stmt_z(q, 1, d->filing);
    stmt_i64(q, 2, day - 5); /* a due day moved from a weekend is the same duty */
    stmt_i64(q, 3, day + 5);
    int r;
    while ((r = stmt_row(q, e)) == 1)
        for (int i = 0; i < l->p->regions && i < 140; i++) {
            if (!str_is(stmt_col_text(q, 0), l->p->region[i].code) || f->by[i]) continue;
            f->by[i] = true;
            f->done++;
            f->late += stmt_col_i64(q, 1) > day;
        }
    return r;
}

static int duty_json(struct look *l, const struct plan_duty *d, int32_t day, const int *mines, struct json *j, struct zb_err *e) {
    struct filed f = {0};
    int32_t today = zb_day_of(l->now);
    int owed = 0, done = 0, late = 0;
    if (d->filing[0] && d->levels[0] && filed_read(l, d, day, &f, e) != ZB_OK) return e->rc;
    json_obj(j);
    kv_z(j, "key", d->key);
    kv_z(j, "zh", d->name.zh);
    kv_z(j, "en", d->name.en);
    key_day(j, "due", day);
    kv_i(j, "days", day - today);
    kv_z(j, "owner", d->owner);
    kv_z(j, "to", d->to);
    kv_z(j, "requirements", d->requirements);
    json_key(j, "assumed");
    json_bool(j, d->assumed);
    json_key(j, "without");
    json_arr(j);
    for (int i = 0; i < l->p->regions && i < 140; i++) {
        const char *code = l->p->region[i].code;
        bool owes = d->filing[0] && word_in(d->levels, str_of(level_word(code))) && within(code, l->area) && (strcmp(level_word(code), "county") || mines[i]);
        if (!owes) continue;
        owed++;
        done += f.by[i];
        if (!f.by[i]) json_z(j, code);
    }
    json_arr_end(j);
    late = f.late < done ? f.late : done;
    kv_i(j, "owed", owed);
    kv_i(j, "done", done);
    kv_i(j, "late", late);
    kv_z(j, "state", !owed ? "entry" : done == owed ? (late ? "late" : "done") : day < today ? "missed" : "open");
    json_end(j);
    return ZB_OK;
}

int view_duties(struct look *l, int32_t from, int32_t to, struct json *j, struct zb_err *e) {
    int mines[140] = {0}, rc = mines_count(l, mines, e);
    json_obj(j);
    kv_z(j, "area", l->area);
    json_key(j, "duties");
    json_arr(j);
    for (int i = 0; i < l->p->plan.duties && rc == ZB_OK; i++) {
        const struct plan_duty *d = &l->p->plan.duty[i];
        for (int k = 0; k < 400 && rc == ZB_OK; k++) {
            int32_t day = duty_day(d, from, k);
            if (day > to) break;
            if (day >= from && day >= l->p->plan.from) rc = duty_json(l, d, day, mines, j, e);
        }
    }
    json_arr_end(j);
    json_end(j);
    return rc;
}

/* ---- overdue ---- */
struct overdue {
    struct look *l;
    struct json *j;
};
static int overdue_row(void *arg, const struct ledger *g, const struct loverdue *o, struct zb_err *e) {
    struct overdue *x = arg;
    (void)e;
    json_obj(x->j);
    kv_z(x->j, "ledger", g->key);
    kv_z(x->j, "zh", g->zh);
    kv_z(x->j, "en", g->en);
    kv_z(x->j, "area", o->area);
    kv_z(x->j, "area_name", look_name(x->l, o->area));
    kv_z(x->j, "mine", o->mine);
    kv_i(x->j, "n", o->n);
    json_key(x->j, "oldest");
    json_time(x->j, o->oldest);
    kv_i(x->j, "days", zb_day_of(x->l->now) - zb_day_of(o->oldest));
    json_end(x->j);
    return ZB_OK;
}
int view_overdue(struct look *l, struct json *j, struct zb_err *e) {
    struct overdue x = {l, j};
    int rc = ZB_OK;
    json_obj(j);
    kv_z(j, "area", l->mine[0] ? l->mine : l->area);
    json_key(j, "owners");
    json_arr(j);
    for (int i = 0; i < l->p->ledgers && rc == ZB_OK; i++) {
        struct lcall c = {.db = l->db, .policy = l->p, .actor = l->actor, .l = &l->p->ledger[i], .now = l->now, .arena = l->arena};
        size_t n = strcmp(l->area + 4, "00") ? 6 : strcmp(l->area + 2, "0000") ? 4 : 0;
        rc = ledger_overdue(&c, (struct str){l->area, n}, str_of(l->mine), overdue_row, &x, e);
    }
    json_arr_end(j);
    json_end(j);
    return rc;
}

/* ---- ranking ---- */
struct rank {
    const char *code;
    int mines, peers, judged, met, place, among;
    double score;
};
static bool ranked(const struct indicator *x) { /* shares and what falls against a base; numbers of cases, visits or fines never */
    return x->reading_of < 0 && !x->secret && x->aim <= AIM_BELOW &&
           (x->kind == IK_SHARE || x->kind == IK_LEAST || x->kind == IK_FALL || x->kind == IK_RATE_FALL);
}
static int rank_read(struct look *l, struct rank *k, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->db, "select indicator,has,value,light from prove_area where area=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, k->code);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        int i = policy_indicator(l->p, stmt_col_text(q, 0));
        if (i < 0 || !ranked(&l->p->indicator[i]) || stmt_col_i64(q, 1) != FIGURE_VALUE || stmt_col_i64(q, 3) == LIGHT_NOT_DUE) continue;
        k->judged++;
        k->met += light_met(&l->p->indicator[i], stmt_col_real(q, 2));
    }
    k->score = k->judged ? 100.0 * k->met / k->judged : 0;
    return r;
}
static int better_first(const void *a, const void *b) {
    const struct rank *x = a, *y = b;
    if (x->peers != y->peers) return y->peers - x->peers;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return strcmp(x->code, y->code);
}
static void places_set(struct rank *k, int n) {
    for (int i = 0; i < n; i++) {
        int among = 0, above = 0;
        for (int m = 0; m < n; m++) {
            if (k[m].peers != k[i].peers || !k[m].judged) continue;
            among++;
            above += k[m].score > k[i].score;
        }
        k[i].place = k[i].judged && k[i].peers >= 0 ? above + 1 : 0;
        k[i].among = among;
    }
}
static int peers_of(const struct light_rule *r, int mines) {
    int at = -1;
    while (at + 1 < r->peers && mines >= r->peer_mines[at + 1]) at++;
    return at;
}
int view_ranking(struct look *l, struct json *j, struct zb_err *e) {
    struct rank k[140];
    int mines[140] = {0}, n = 0, rc = mines_count(l, mines, e);
    const char *level = !strcmp(level_word(l->area), "province") ? "city" : "county";
    for (int i = 0; i < l->p->regions && i < 140 && rc == ZB_OK; i++) {
        const char *code = l->p->region[i].code;
        if (strcmp(level_word(code), level) || !within(code, l->area)) continue;
        k[n] = (struct rank){.code = code, .mines = mines[i], .peers = peers_of(&l->p->light, mines[i])};
        rc = rank_read(l, &k[n++], e);
    }
    if (rc != ZB_OK) return rc;
    places_set(k, n);
    qsort(k, (size_t)n, sizeof *k, better_first);
    json_obj(j);
    kv_z(j, "area", l->area);
    json_key(j, "areas");
    json_arr(j);
    for (int i = 0; i < n; i++) {
        json_obj(j);
        kv_z(j, "area", k[i].code);
        kv_z(j, "area_name", look_name(l, k[i].code));
        kv_i(j, "mines", k[i].mines);
        kv_i(j, "peers_from", k[i].peers < 0 ? 0 : l->p->light.peer_mines[k[i].peers]);
        kv_i(j, "judged", k[i].judged);
        kv_i(j, "met", k[i].met);
        key_real(j, "score", k[i].judged > 0, k[i].score);
        json_key(j, "place");
        if (k[i].place)
            json_i64(j, k[i].place);
        else
            json_none(j);
        kv_i(j, "among", k[i].among);
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
    return ZB_OK;
}
