/* Notices and the roster through the operation table. */
#include "op/fns.h"
#include "notify/notify.h"

int op_notices(struct op_call *c, struct zb_err *e) { return notify_json(c->db, c->actor.area, (int)op_int(c, "limit", 100), c->out, e); }

/* Notices carry what their record says: only of the actor's own area, and mines have none. */
int op_notice_receipt(struct op_call *c, struct zb_err *e) {
    struct db *w = engine_writer(c->en);
    int rc;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(w, "select 1 from outbox where id=?1 and substr(area,1,length(?2))=?2", e);
        rc = q ? ZB_OK : e->rc;
        if (q) {
            stmt_i64(q, 1, op_int(c, "id", 0));
            stmt_z(q, 2, c->actor.area);
            int r = stmt_row(q, e);
            rc = r == 1 ? ZB_OK : r < 0 ? r : zb_fail(e, ZB_E_ABSENT, "no such notice in your area");
        }
    }
    if (rc == ZB_OK) rc = notify_receipt(w, op_int(c, "id", 0), str_of(c->actor.user), zb_now(), e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    json_obj(c->out);
    json_end(c->out);
    return ZB_OK;
}

int op_duty(struct op_call *c, struct zb_err *e) {
    zb_time from = op_int(c, "from", zb_now());
    return duty_json(c->db, c->actor.area, zb_day_of(from), c->out, e);
}

int op_duty_add(struct op_call *c, struct zb_err *e) {
    struct duty d = {
        .day = zb_day_of(op_int(c, "day", 0)), .from_min = (int)op_int(c, "from", 0), .to_min = (int)op_int(c, "to", 1440), .rank = (int)op_int(c, "rank", 1)};
    int64_t id = 0;
    str_copy(op_text(c, "area").n ? op_text(c, "area") : str_of(c->actor.area), d.area, sizeof d.area);
    str_copy(op_text(c, "person"), d.person, sizeof d.person);
    str_copy(op_text(c, "channel").n ? op_text(c, "channel") : STR("log"), d.channel, sizeof d.channel);
    str_copy(op_text(c, "address"), d.address, sizeof d.address);
    if (!may_see(&c->actor, d.area, "")) return zb_fail(e, ZB_E_DENIED, "area %s is not yours", d.area);
    struct db *w = engine_writer(c->en);
    int rc = duty_put(w, c->policy, str_of(c->actor.user), &d, zb_now(), &id, e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    json_obj(c->out);
    json_key(c->out, "id");
    json_i64(c->out, id);
    json_end(c->out);
    return ZB_OK;
}
