#include "op/fns.h"

static int reasons_json(struct op_call *c, const char *mine, struct zb_err *e) {
    struct json *j = c->out;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select file, received, reason from refusal where mine=? order by id desc limit 20", e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(j);
        json_key(j, "file");
        json_str(j, stmt_col_text(q, 0));
        json_key(j, "received");
        json_time(j, stmt_col_time(q, 1));
        json_key(j, "reason");
        json_str(j, stmt_col_text(q, 2));
        json_end(j);
    }
    json_arr_end(j);
    return r < 0 ? r : ZB_OK;
}

struct links {
    struct op_call *c;
    struct zb_err *e;
    int rc;
};

static int link_json(void *arg, const struct mine_view *v) {
    struct links *l = arg;
    if (!sees(l->c, v->region, v->code)) return 0;
    struct json *j = l->c->out;
    const struct link *k = v->link;
    json_obj(j);
    json_key(j, "mine");
    json_z(j, v->code);
    json_key(j, "name");
    json_z(j, v->name);
    json_key(j, "last_file");
    json_z(j, k->last_file);
    json_key(j, "last_received");
    json_time(j, k->last_received);
    json_key(j, "delay_ms");
    if (k->delay == ZB_TIME_NONE)
        json_none(j);
    else
        json_i64(j, k->delay);
    json_key(j, "files");
    json_i64(j, k->files);
    json_key(j, "records");
    json_i64(j, k->records);
    json_key(j, "refused");
    json_i64(j, k->refused);
    json_key(j, "duplicates");
    json_i64(j, k->duplicates);
    json_key(j, "late");
    json_i64(j, k->late);
    json_key(j, "held_bytes");
    json_i64(j, v->wait.held);
    json_key(j, "waits");
    json_i64(j, v->wait.waits);
    json_key(j, "last_wait");
    json_time(j, v->wait.last);
    json_key(j, "reasons");
    l->rc = reasons_json(l->c, v->code, l->e);
    json_end(j);
    return l->rc != ZB_OK;
}

int op_health(struct op_call *c, struct zb_err *e) {
    struct json *j = c->out;
    struct links l = {c, e, ZB_OK};
    struct engine_stat s;
    engine_stats(c->en, &s);
    json_obj(j);
    json_key(j, "links");
    json_arr(j);
    engine_mines(c->en, op_text(c, "mine"), link_json, &l);
    if (l.rc != ZB_OK) return l.rc;
    json_arr_end(j);
    json_key(j, "stray"); /* files that could not be laid to any mine */
    if (reasons_json(c, "", e) != ZB_OK) return e->rc;
    json_key(j, "queue");
    json_i64(j, s.queue);
    json_key(j, "queue_bytes");
    json_i64(j, s.queue_bytes);
    json_key(j, "lag_ms");
    json_i64(j, s.lag);
    json_key(j, "disk_free");
    json_i64(j, s.disk_free);
    json_key(j, "disk_used_percent");
    json_i64(j, s.disk_used);
    json_key(j, "disk_state");
    json_z(j, s.disk_used >= c->policy->storage.disk_refuse ? "refuse" : s.disk_used >= c->policy->storage.disk_warn ? "warn" : "good");
    json_key(j, "raw_records");
    json_i64(j, (int64_t)s.raw.records);
    json_key(j, "raw_bytes_in");
    json_i64(j, (int64_t)s.raw.bytes_in);
    json_key(j, "raw_bytes_disk");
    json_i64(j, (int64_t)s.raw.bytes_disk);
    json_key(j, "policy");
    json_z(j, c->policy->name);
    json_key(j, "policy_hash");
    json_z(j, c->policy->hash);
    json_key(j, "trouble");
    json_z(j, s.trouble);
    json_end(j);
    return ZB_OK;
}
