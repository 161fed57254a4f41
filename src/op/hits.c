/* Hits of rules through the operation table. Who sees them: the roles a rule is addressed to (`to`), heads and the committee's team those of their area; a mine
 * sees what asks something of it, never a clue about itself nor what is tried in shadow. */
#include "op/fns.h"
#include "prove/hit.h"
#include <stdio.h>

static bool all_rights(const struct op_call *c, const struct role_rule **role) {
    *role = policy_role(c->policy, str_of(c->actor.role));
    return *role && !strcmp((*role)->rights, "*");
}

static bool rule_seen(const struct op_call *c, const struct rule *u) {
    const struct role_rule *role;
    if (all_rights(c, &role)) return true;
    return role && word_in(u->to, str_of(c->actor.role));
}

/* A mine: what asks something of it. */
static bool action_seen(const struct op_call *c, const struct rule *u, struct str action) {
    const struct role_rule *role = policy_role(c->policy, str_of(c->actor.role));
    bool open_to_mine = str_is(action, "reminder") || str_is(action, "finding") || str_is(action, "map");
    return !role || !role->mine || (open_to_mine && !u->shadow && u->action != RULE_CLUE);
}

static void hit_json(struct stmt *q, struct json *j) {
    static const char *const TEXT[] = {"rule", "subject", "key", "area", "mine", "action", "zh", "en", "excused_zh", "excused_en"};
    char t[ZB_TIME_CAP];
    json_obj(j);
    json_key(j, "id");
    json_i64(j, stmt_col_i64(q, 0));
    for (int i = 0; i < 10; i++) {
        json_key(j, TEXT[i]);
        json_str(j, stmt_col_text(q, 1 + i));
    }
    json_key(j, "record");
    json_i64(j, stmt_col_i64(q, 11));
    json_key(j, "unknown");
    json_bool(j, stmt_col_i64(q, 12) != 0);
    json_key(j, "shadow");
    json_bool(j, stmt_col_i64(q, 13) != 0);
    json_key(j, "since");
    json_z(j, zb_day_text((int32_t)stmt_col_i64(q, 14), t));
    json_key(j, "score");
    json_fix(j, (zb_fix)(stmt_col_real(q, 15) * 1e6));
    json_key(j, "first_seen");
    json_time(j, stmt_col_time(q, 16));
    json_key(j, "last_seen");
    json_time(j, stmt_col_time(q, 17));
    json_key(j, "ended");
    json_time(j, stmt_col_time(q, 18));
    json_key(j, "evidence");
    json_raw(j, stmt_col_text(q, 19));
    json_end(j);
}

int op_hits(struct op_call *c, struct zb_err *e) {
    int64_t limit = op_int(c, "limit", 200), given = 0;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(c->db,
                            "select id,rule,subject,key,area,mine,action,zh,en,coalesce(excused_zh,''),coalesce(excused_en,''),rec,unknown,shadow,since,score,"
                            "first_seen,last_seen,ended,evidence from hit where id>?1 and (?2='' or rule=?2) and (?3='' or mine=?3) and "
                            "substr(area,1,length(?4))=?4 and (?5=1 or ended is null) and (?6=1 or (unknown=0 and excused_zh is null)) order by id",
                            e);
    if (!q) return e->rc;
    struct str area = op_text(c, "area"), mine = op_text(c, "mine");
    char own[24];
    str_copy(str_of(c->actor.area), own, sizeof own);
    const struct role_rule *role = policy_role(c->policy, str_of(c->actor.role));
    bool at_mine = role && role->mine;
    if (!at_mine && area.n && !may_see(&c->actor, arena_str(c->arena, area), ""))
        return zb_fail(e, ZB_E_DENIED, "area " STR_FMT " is not yours", STR_ARG(area));
    stmt_i64(q, 1, op_int(c, "after", 0));
    stmt_text(q, 2, op_text(c, "rule"));
    stmt_text(q, 3, at_mine ? str_of(own) : mine);
    stmt_text(q, 4, at_mine ? STR("") : area.n ? area : str_of(own));
    stmt_i64(q, 5, op_int(c, "ended", 0));
    stmt_i64(q, 6, op_int(c, "all", 0));
    json_obj(c->out);
    json_key(c->out, "hits");
    json_arr(c->out);
    int r;
    while ((r = stmt_row(q, e)) == 1 && given < limit) {
        const struct rule *u = policy_rule(c->policy, stmt_col_text(q, 1));
        if (!u || !rule_seen(c, u) || !action_seen(c, u, stmt_col_text(q, 6))) continue;
        hit_json(q, c->out);
        given++;
    }
    json_arr_end(c->out);
    json_end(c->out);
    return r < 0 ? r : ZB_OK;
}

static int counts(struct op_call *c, const struct rule *u, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(c->db,
               "select (select count(*) from hit where rule=?1 and ended is null and unknown=0 and excused_zh is null and substr(area,1,length(?2))=?2),"
               "(select count(*) from hit where rule=?1 and ended is null and unknown=0 and excused_zh is not null and substr(area,1,length(?2))=?2),"
               "(select count(*) from hit where rule=?1 and ended is null and unknown=1 and substr(area,1,length(?2))=?2)",
               e);
    if (!q) return e->rc;
    stmt_z(q, 1, u->id);
    stmt_z(q, 2, c->actor.area);
    if (stmt_row(q, e) != 1) return e->rc;
    static const char *const KEY[] = {"open", "excused", "unknown"};
    for (int i = 0; i < 3; i++) {
        json_key(j, KEY[i]);
        json_i64(j, stmt_col_i64(q, i));
    }
    return ZB_OK;
}

static int last_run(struct op_call *c, const struct rule *u, struct json *j, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select t,ms,trouble from rule_run where rule=?1", e);
    if (!q) return e->rc;
    stmt_z(q, 1, u->id);
    int r = stmt_row(q, e);
    if (r < 0) return r;
    json_key(j, "ran");
    json_time(j, r == 1 ? stmt_col_time(q, 0) : ZB_TIME_NONE);
    json_key(j, "ms");
    json_i64(j, r == 1 ? stmt_col_i64(q, 1) : 0);
    json_key(j, "trouble");
    json_str(j, r == 1 ? stmt_col_text(q, 2) : STR(""));
    return ZB_OK;
}

int op_rules(struct op_call *c, struct zb_err *e) {
    json_obj(c->out);
    json_key(c->out, "rules");
    json_arr(c->out);
    for (int i = 0; i < c->policy->rules; i++) {
        const struct rule *u = c->policy->rule[i];
        if (u->hit.text && !rule_seen(c, u)) continue;
        const char *const K[] = {"id", "zh", "en", "serves", "source", "alarms", "detectors"}, *const V[] = {u->id,     u->zh,     u->en,       u->serves,
                                                                                                             u->source, u->alarms, u->detectors};
        json_obj(c->out);
        json_texts(c->out, 7, K, V);
        json_key(c->out, "action");
        json_z(c->out, u->hit.text ? RULE_ACTION_KEY[u->action] : "");
        json_key(c->out, "shadow");
        json_bool(c->out, u->shadow);
        if (counts(c, u, c->out, e) != ZB_OK || last_run(c, u, c->out, e) != ZB_OK) return e->rc;
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

int op_rules_run(struct op_call *c, struct zb_err *e) {
    struct hits_sum s;
    int64_t site = 0;
    struct str mine = op_text(c, "mine");
    if (mine.n) {
        if (hits_site(c->db, c->policy, mine, &site, e) != ZB_OK) return e->rc;
        if (!site) return zb_fail(e, ZB_E_ABSENT, "no mine \"" STR_FMT "\"", STR_ARG(mine));
    }
    if (engine_rules_run(c->en, c->db, site, zb_now(), &s, e) != ZB_OK) return e->rc;
    const char *const K[] = {"found", "new", "ended", "failed", "ms"};
    const int64_t V[] = {s.found, s.fresh, s.ended, s.failed, s.ms};
    json_obj(c->out);
    for (int i = 0; i < 5; i++) {
        json_key(c->out, K[i]);
        json_i64(c->out, V[i]);
    }
    json_key(c->out, "trouble");
    json_z(c->out, s.trouble);
    json_end(c->out);
    return ZB_OK;
}
