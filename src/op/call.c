#include "op/op.h"
#include <stdio.h>
#include <stdlib.h>

const struct op *op_find(struct str name) {
    for (int i = 0; i < OPS_N; i++)
        if (str_is(name, OPS[i].name)) return &OPS[i];
    return NULL;
}

int op_arg_index(const struct op *op, const char *name) {
    for (int i = 0; i < OP_ARGS_MAX && op->arg[i].name; i++)
        if (!strcmp(op->arg[i].name, name)) return i;
    return -1;
}

struct str op_text(const struct op_call *c, const char *name) {
    int i = op_arg_index(c->op, name);
    if (i < 0) ZB_BUG("operation %s has no argument %s", c->op->name, name);
    return c->value[i];
}

int64_t op_int(const struct op_call *c, const char *name, int64_t absent) {
    int i = op_arg_index(c->op, name);
    if (i < 0) ZB_BUG("operation %s has no argument %s", c->op->name, name);
    return c->value[i].n ? c->number[i] : absent;
}

/* "/a/{x}/b" against a path; parameters by name into value[]. */
static bool path_match(const struct op *op, struct str path, struct str value[OP_ARGS_MAX]) {
    struct str rest = str_of(op->path);
    if (!rest.n) return false;
    while (rest.p || path.p) {
        if (!rest.p || !path.p) return false;
        struct str want = str_cut(rest, '/', &rest), have = str_cut(path, '/', &path);
        if (want.n > 2 && want.p[0] == '{') {
            char name[32];
            str_copy((struct str){want.p + 1, want.n - 2}, name, sizeof name);
            int i = op_arg_index(op, name);
            if (i < 0 || !have.n) return false;
            value[i] = have;
        } else if (!str_eq(want, have)) {
            return false;
        }
    }
    return true;
}

const struct op *op_route(enum http_method m, struct str path, struct str value[OP_ARGS_MAX], bool *seen_path) {
    *seen_path = false;
    for (int i = 0; i < OPS_N; i++) {
        struct str v[OP_ARGS_MAX] = {{0}};
        if (!path_match(&OPS[i], path, v)) continue;
        *seen_path = true;
        if (OPS[i].method != m) continue;
        memcpy(value, v, sizeof v);
        return &OPS[i];
    }
    return NULL;
}

static int arg_check(struct op_call *c, int i, struct zb_err *e) {
    const struct op_arg *a = &c->op->arg[i];
    struct str v = c->value[i];
    if (!v.n) {
        c->number[i] = a->kind == ARG_TIME ? ZB_TIME_NONE : 0;
        return a->required ? zb_fail(e, ZB_E_INPUT, "%s is missing: %s", a->name, a->doc) : ZB_OK;
    }
    int32_t day;
    switch (a->kind) {
    case ARG_INT:
        if (num_i64(v, a->min, a->max, &c->number[i])) return ZB_OK;
        return zb_fail(e, ZB_E_INPUT, "%s \"" STR_FMT "\": write a whole number from %lld to %lld", a->name, STR_ARG(v), (long long)a->min, (long long)a->max);
    case ARG_TIME:
        if (zb_time_parse(v, &c->number[i]) || num_i64(v, 0, 4102444800000, &c->number[i])) return ZB_OK;
        if (zb_day_parse(v, &day)) {
            c->number[i] = (zb_time)day * ZB_DAY - 8 * ZB_HOUR;
            return ZB_OK;
        }
        return zb_fail(e, ZB_E_INPUT, "%s \"" STR_FMT "\": write a time like 2026-03-01 00:00:30 (Beijing)", a->name, STR_ARG(v));
    case ARG_FLAG:
        c->number[i] = str_is(v, "1") || str_is(v, "true");
        if (c->number[i] || str_is(v, "0") || str_is(v, "false")) return ZB_OK;
        return zb_fail(e, ZB_E_INPUT, "%s \"" STR_FMT "\": write 1 or 0", a->name, STR_ARG(v));
    default: /* texts and JSON */
        if (v.n > (size_t)(a->max ? a->max : 200))
            return zb_fail(e, ZB_E_INPUT, "%s has %zu bytes: at most %lld", a->name, v.n, (long long)(a->max ? a->max : 200));
        return ZB_OK;
    }
}

int op_args_check(struct op_call *c, struct zb_err *e) {
    for (int i = 0; i < OP_ARGS_MAX && c->op->arg[i].name; i++)
        if (arg_check(c, i, e) != ZB_OK) return e->rc;
    return ZB_OK;
}

static int permitted(const struct op_call *c, struct zb_err *e) {
    if (c->op->who == WHO_ANYONE) return ZB_OK;
    if (!c->known) return zb_fail(e, ZB_E_DENIED, "please log in");
    if (c->op->who == WHO_TOKEN) return c->actor.upload || !c->actor.id ? ZB_OK : zb_fail(e, ZB_E_DENIED, "uploads need the mine's upload token");
    if (c->actor.upload) return zb_fail(e, ZB_E_DENIED, "an upload token opens uploads only");
    if (c->op->human && !c->actor.id) return zb_fail(e, ZB_E_DENIED, "%s is a named person's act: say who with --as USER", c->op->name);
    if (c->op->who == WHO_RIGHT && !may(c->policy, &c->actor, c->op->right))
        return zb_fail(e, ZB_E_DENIED, "%s needs the right %s, which the role %s does not have", c->op->name, c->op->right, c->actor.role);
    return ZB_OK;
}

int op_run(struct op_call *c, struct buf *body, struct zb_err *e) {
    struct json j;
    json_init(&j, body);
    c->out = &j;
    c->policy = engine_policy(c->en);
    c->db = NULL;
    int rc = permitted(c, e);
    if (rc == ZB_OK) rc = op_args_check(c, e);
    if (rc == ZB_OK) rc = (c->db = engine_reader(c->en, e)) ? ZB_OK : e->rc;
    if (rc == ZB_OK) rc = c->op->fn(c, e);
    if (rc == ZB_OK && body->over) rc = zb_fail(e, ZB_E_LIMIT, "the reply is larger than %zu MiB: ask for less", body->max >> 20);
    engine_reader_back(c->en, c->db);
    policy_unref(c->policy);
    return rc;
}

struct actor op_local_actor(void) {
    struct actor a = {0};
    str_copy(STR("local"), a.user, sizeof a.user);
    str_copy(STR("operator"), a.role, sizeof a.role);
    str_copy(STR("14"), a.area, sizeof a.area);
    return a;
}
