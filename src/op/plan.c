/* The plan room through the operation table. */
#include "op/fns.h"
#include "prove/office.h"
#include <stdlib.h>

/* A day means its end: what was so on that day. */
static zb_time moment(const struct op_call *c, const char *name) {
    int32_t day;
    if (zb_day_parse(op_text(c, name), &day)) return past_end_of(day);
    return op_int(c, name, ZB_TIME_NONE);
}

typedef int look_fn(struct op_call *c, struct look *l, struct zb_err *e);
static int with(struct op_call *c, bool moments, look_fn *fn, struct zb_err *e) {
    char path[600];
    engine_records(c->en, path, sizeof path);
    struct look l = look_new(c->db, c->policy, &c->actor, path);
    if (moments) {
        l.asof = moment(c, "asof");
        l.known = moment(c, "known");
    }
    int rc = ZB_OK;
    if ((l.asof != ZB_TIME_NONE && l.asof > l.now + ZB_DAY) || (l.known != ZB_TIME_NONE && l.known > l.now + ZB_DAY))
        rc = zb_fail(e, ZB_E_INPUT, "asof and known lie in the past or are today");
    if (rc == ZB_OK && op_arg_index(c->op, "area") >= 0) rc = look_area(&l, op_text(c, "area"), e);
    if (rc == ZB_OK && l.asof == ZB_TIME_NONE && l.known == ZB_TIME_NONE) rc = engine_figures(c->en, e);
    if (rc == ZB_OK) rc = fn(c, &l, e);
    look_end(&l);
    return rc;
}

static int plan(struct op_call *c, struct look *l, struct zb_err *e) { return view_plan(l, op_text(c, "id"), c->out, e); }
int op_plan(struct op_call *c, struct zb_err *e) { return with(c, true, plan, e); }

static int indicator(struct op_call *c, struct look *l, struct zb_err *e) { return view_indicator(l, op_text(c, "id"), c->out, e); }
int op_indicator(struct op_call *c, struct zb_err *e) { return with(c, true, indicator, e); }

static int rows(struct op_call *c, struct look *l, struct zb_err *e) {
    return view_rows(l, op_text(c, "id"), op_int(c, "after", 0), op_int(c, "limit", 200), c->out, e);
}
int op_indicator_rows(struct op_call *c, struct zb_err *e) { return with(c, true, rows, e); }

static int wallmap(struct op_call *c, struct look *l, struct zb_err *e) {
    return l->mine[0] ? zb_fail(e, ZB_E_DENIED, "the wall map is of areas: a mine sees its own lines with plan") : view_wallmap(l, c->out, e);
}
int op_wallmap(struct op_call *c, struct zb_err *e) { return with(c, false, wallmap, e); }

static int freeze(struct op_call *c, struct look *l, struct zb_err *e) {
    int64_t id;
    if (strlen(c->actor.area) != 2) return zb_fail(e, ZB_E_DENIED, "figures are frozen by the province");
    if (view_freeze(l, str_of(c->actor.user), op_text(c, "why"), &id, e) != ZB_OK) return e->rc;
    json_obj(c->out);
    json_key(c->out, "frozen");
    json_i64(c->out, id);
    json_end(c->out);
    return ZB_OK;
}
int op_plan_freeze(struct op_call *c, struct zb_err *e) { return with(c, true, freeze, e); }

/* ---- the office ---- */
static int32_t day_or(const struct op_call *c, const char *name, int32_t absent) {
    zb_time t = op_int(c, name, ZB_TIME_NONE);
    return t == ZB_TIME_NONE ? absent : zb_day_of(t);
}
static int area_only(const struct look *l, struct zb_err *e) {
    return l->mine[0] ? zb_fail(e, ZB_E_DENIED, "this is of areas: a mine sees its own lines with plan") : ZB_OK;
}
static int duties(struct op_call *c, struct look *l, struct zb_err *e) {
    int32_t today = zb_day_of(l->now), from = day_or(c, "from", today - 62), to = day_or(c, "to", today + 62);
    if (area_only(l, e) != ZB_OK) return e->rc;
    if (to < from || to - from > 1200) return zb_fail(e, ZB_E_INPUT, "from and to: at most 1,200 days, from first");
    return view_duties(l, from, to, c->out, e);
}
int op_duties(struct op_call *c, struct zb_err *e) { return with(c, false, duties, e); }

static int overdue(struct op_call *c, struct look *l, struct zb_err *e) { return view_overdue(l, c->out, e); }
int op_overdue(struct op_call *c, struct zb_err *e) { return with(c, false, overdue, e); }

static int ranking(struct op_call *c, struct look *l, struct zb_err *e) { return area_only(l, e) == ZB_OK ? view_ranking(l, c->out, e) : e->rc; }
int op_ranking(struct op_call *c, struct zb_err *e) { return with(c, false, ranking, e); }

static int proposals(struct op_call *c, struct look *l, struct zb_err *e) { return area_only(l, e) == ZB_OK ? view_proposals(l, c->out, e) : e->rc; }
int op_proposals(struct op_call *c, struct zb_err *e) { return with(c, false, proposals, e); }

static int reported(struct op_call *c, struct look *l, struct zb_err *e) {
    return area_only(l, e) == ZB_OK ? view_reported(l, day_or(c, "day", INT32_MAX), c->out, e) : e->rc;
}
int op_reported(struct op_call *c, struct zb_err *e) { return with(c, false, reported, e); }
