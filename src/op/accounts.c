#include "audit/audit.h"
#include "op/fns.h"
#include <stdio.h>
#include <stdlib.h>

#define RIGHTS_ALL                                                                                                                                             \
    "mine.read mine.write alarm.read alarm.ack alarm.cause alarm.measure alarm.verify alarm.close alarm.shelve people.read health.read journal.read "          \
    "journal.verify user.write token.write link.open link.sample"

static void me_json(struct op_call *c, const struct actor *a) {
    struct json *j = c->out;
    const struct role_rule *r = policy_role(c->policy, str_of(a->role));
    struct str rest = str_of(r && strcmp(r->rights, "*") ? r->rights : r ? RIGHTS_ALL : "");
    json_obj(j);
    json_key(j, "user");
    json_z(j, a->user);
    json_key(j, "role");
    json_z(j, a->role);
    json_key(j, "area");
    json_z(j, a->area);
    json_key(j, "rights");
    json_arr(j);
    while (rest.p) {
        struct str one = str_cut(rest, ' ', &rest);
        if (one.n) json_str(j, one);
    }
    json_arr_end(j);
    json_key(j, "csrf");
    json_z(j, a->csrf);
    json_end(j);
}

int op_login(struct op_call *c, struct zb_err *e) {
    char token[65];
    struct actor a;
    struct db *w = engine_writer(c->en);
    int rc = session_open(w, op_text(c, "user"), op_text(c, "password"), c->address, zb_now(), token, &a, e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    snprintf(c->cookie, sizeof c->cookie, "zb_session=%s; Path=/; HttpOnly; SameSite=Strict", token);
    me_json(c, &a);
    return ZB_OK;
}

int op_logout(struct op_call *c, struct zb_err *e) {
    struct str token = str_of(c->cookie); /* the HTTP side hands the session's token in, and out the order to forget it */
    struct db *w = engine_writer(c->en);
    int rc = session_close(w, token, e);
    engine_writer_back(c->en);
    snprintf(c->cookie, sizeof c->cookie, "zb_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    json_obj(c->out);
    json_end(c->out);
    return rc;
}

int op_me(struct op_call *c, struct zb_err *e) {
    (void)e;
    me_json(c, &c->actor);
    return ZB_OK;
}

int op_user_add(struct op_call *c, struct zb_err *e) {
    struct str user = op_text(c, "user"), role = op_text(c, "role"), area = op_text(c, "area");
    if (!area.n) area = STR("14");
    struct db *w = engine_writer(c->en);
    int rc = user_add(w, c->policy, str_of(c->actor.user), zb_now(), user, role, area, op_text(c, "password"), e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    json_obj(c->out);
    json_key(c->out, "user");
    json_str(c->out, user);
    json_key(c->out, "role");
    json_str(c->out, role);
    json_key(c->out, "area");
    json_str(c->out, area);
    json_end(c->out);
    return ZB_OK;
}

int op_token_add(struct op_call *c, struct zb_err *e) {
    char token[65];
    struct db *w = engine_writer(c->en);
    int rc = token_add(w, str_of(c->actor.user), zb_now(), op_text(c, "mine"), token, e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    json_obj(c->out);
    json_key(c->out, "mine");
    json_str(c->out, op_text(c, "mine"));
    json_key(c->out, "token");
    json_z(c->out, token);
    json_end(c->out);
    return ZB_OK;
}

int op_token_revoke(struct op_call *c, struct zb_err *e) {
    struct db *w = engine_writer(c->en);
    int rc = token_revoke(w, str_of(c->actor.user), zb_now(), op_text(c, "mine"), e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    json_obj(c->out);
    json_key(c->out, "mine");
    json_str(c->out, op_text(c, "mine"));
    json_end(c->out);
    return ZB_OK;
}

static void entry_json(void *arg, int64_t seq, zb_time t, struct str who, struct str what, struct str subject, struct str body) {
    struct json *j = arg;
    json_obj(j);
    json_key(j, "seq");
    json_i64(j, seq);
    json_key(j, "t");
    json_time(j, t);
    json_key(j, "who");
    json_str(j, who);
    json_key(j, "what");
    json_str(j, what);
    json_key(j, "subject");
    json_str(j, subject);
    json_key(j, "body");
    json_raw(j, body.n ? body : STR("null"));
    json_end(j);
}

int op_journal(struct op_call *c, struct zb_err *e) {
    json_obj(c->out);
    json_key(c->out, "entries");
    json_arr(c->out);
    if (audit_list(c->db, op_int(c, "before", 0), (int)op_int(c, "n", 100), entry_json, c->out, e) != ZB_OK) return e->rc;
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

int op_audit_verify(struct op_call *c, struct zb_err *e) {
    struct audit_result r;
    struct evidence_check v = {0};
    if (audit_verify(c->db, engine_dir(c->en), NULL, &r, e) != ZB_OK) return e->rc;
    if (!r.bad_seq && op_int(c, "evidence", 0)) {
        if (evidence_verify(c->db, engine_dir(c->en), &v, e) != ZB_OK) return e->rc;
        if (v.bad_seq) r.bad_seq = v.bad_seq;
        if (v.what[0]) str_copy(str_of(v.what), r.what, sizeof r.what);
    }
    json_obj(c->out);
    json_key(c->out, "ok");
    json_bool(c->out, r.bad_seq == 0);
    json_key(c->out, "entries");
    json_i64(c->out, r.entries);
    json_key(c->out, "checkpoints");
    json_i64(c->out, r.checkpoints);
    json_key(c->out, "bad_seq");
    json_i64(c->out, r.bad_seq);
    json_key(c->out, "packs");
    json_i64(c->out, v.packs);
    json_key(c->out, "unsaid");
    json_i64(c->out, v.unsaid);
    json_key(c->out, "what");
    json_z(c->out, r.what);
    json_end(c->out);
    return ZB_OK;
}

int op_openapi(struct op_call *c, struct zb_err *e) {
    (void)e;
    openapi_write(c->out);
    return ZB_OK;
}

int op_upload(struct op_call *c, struct zb_err *e) {
    (void)c;
    return zb_fail(e, ZB_E_INPUT, "send the file as the body of POST /api/v1/uploads/NAME");
}

int op_events(struct op_call *c, struct zb_err *e) {
    (void)c;
    return zb_fail(e, ZB_E_INPUT, "open the stream with GET /api/v1/events");
}
