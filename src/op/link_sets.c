/* A link's report as sets of a paper: made from the very object the API gives, so that paper and screen cannot differ. */
#include "op/links.h"
#include "op/paper_sets.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>

static bool yes(const json_t *o, const char *key) { return json_is_true(json_object_get(o, key)); }

static void put(struct sheaf *s, const json_t *o, const char *keys) {
    for (struct str one, rest = str_of(keys); rest.p && rest.n;) {
        char key[40];
        one = str_cut(rest, ' ', &rest);
        str_copy(one, key, sizeof key);
        if (json_is_number(json_object_get(o, key)))
            sheaf_fix(s, member_fix(o, key));
        else
            sheaf_z(s, member_text(o, key));
    }
}
/* "2026-03-01T08:30:00+08:00" as people write it */
static void when(struct sheaf *s, const json_t *o, const char *key) {
    const char *z = member_text(o, key);
    char out[32];
    snprintf(out, sizeof out, "%.10s %.8s", z, strlen(z) > 11 ? z + 11 : "");
    sheaf_z(s, z[0] ? out : "");
}

static void head_set(struct sheaf *s, const json_t *o, const json_t *r) {
    static const char *const GAS[][2] = {{"low", "低瓦斯"}, {"high", "高瓦斯"}, {"outburst", "突出"}};
    const char *gas = "未登记";
    for (int i = 0; i < 3; i++)
        if (!strcmp(member_text(o, "gas_class"), GAS[i][0])) gas = GAS[i][1];
    sheaf_set(s, "link", facts_columns(FACTS_LINK, "link"));
    put(s, o, "mine name region_name");
    sheaf_z(s, gas);
    sheaf_z(s, !strcmp(member_text(o, "phase"), "trial") ? "试运行" : "正式运行");
    when(s, o, "opened");
    put(s, o, "opened_by");
    when(s, o, "accepted");
    put(s, o, "accepted_by note");
    when(s, r, "from");
    when(s, r, "to");
    put(s, r, "files records expected received compared");
    zb_fix ms = member_fix(r, "offset_ms"), spread = member_fix(r, "spread_ms");
    char clock[120] = "未测得", a[ZB_FIX_CAP], b[ZB_FIX_CAP];
    if (ms != ZB_FIX_NONE)
        snprintf(clock, sizeof clock, "%s %s s（离散 %s s）", ms < 0 ? "超前" : "滞后", zb_fix_text((ms < 0 ? -ms : ms) / 1000, a),
                 zb_fix_text(spread == ZB_FIX_NONE ? 0 : spread / 1000, b));
    sheaf_z(s, clock);
    put(s, r, "open");
}

static void checks(struct sheaf *s, const json_t *r) {
    const json_t *o;
    size_t i;
    sheaf_set(s, "check", facts_columns(FACTS_LINK, "check"));
    json_array_foreach(json_object_get(r, "checks"), i, o) {
        const char *state = member_text(o, "state");
        put(s, o, "zh value need unit");
        sheaf_z(s, !strcmp(state, "pass") ? "符合" : !strcmp(state, "fail") ? "不符合" : "无法判断");
    }
}

static void kinds(struct sheaf *s, const json_t *r) {
    const json_t *o;
    size_t i;
    sheaf_set(s, "kind", facts_columns(FACTS_LINK, "kind"));
    json_array_foreach(json_object_get(r, "kinds"), i, o) put(s, o, "type zh family files expected percent records refused doubled");
    sheaf_set(s, "stream", facts_columns(FACTS_LINK, "stream"));
    json_array_foreach(json_object_get(r, "streams"), i, o) {
        put(s, o, "stream zh types");
        sheaf_z(s, !yes(o, "by_upload") ? "不经上传" : yes(o, "came") ? "已收到" : "未收到");
    }
}

/* What is to be said of a point, in one line. */
static const char *remark(const json_t *o, char *out, size_t cap) {
    size_t n = 0;
    out[0] = 0;
#define SAY(...) n += (size_t)(n < cap ? snprintf(out + n, cap - n, __VA_ARGS__) : 0)
    if (!yes(o, "defined")) SAY("未定义；");
    if (!yes(o, "type_known")) SAY("传感器类型%s未知；", member_text(o, "sensor"));
    if (member_text(o, "unit_expected")[0]) SAY("单位应为%s；", member_text(o, "unit_expected"));
    if (yes(o, "class_needed") && !yes(o, "confirmed")) SAY("位置分类未确认；");
    if (member_text(o, "lax")[0]) SAY("%s；", member_text(o, "lax"));
    if (strchr(member_text(o, "families"), ' ')) SAY("经多种格式上传（%s）；", member_text(o, "families"));
    if (member_text(o, "twin")[0]) SAY("与%s位置、类型相同；", member_text(o, "twin"));
#undef SAY
    return out;
}

static void points(struct sheaf *s, const json_t *r) {
    const json_t *o;
    size_t i;
    char say[600];
    sheaf_set(s, "point", facts_columns(FACTS_LINK, "point"));
    json_array_foreach(json_object_get(r, "points"), i, o) {
        put(s, o, "point location type unit class");
        sheaf_z(s, !yes(o, "class_needed") ? "无需" : yes(o, "confirmed") ? "已确认" : "未确认");
        put(s, o, "expected received");
        sheaf_z(s, remark(o, say, sizeof say));
    }
    sheaf_set(s, "fault", facts_columns(FACTS_LINK, "fault"));
    json_array_foreach(json_object_get(r, "points"), i, o) {
        if (!remark(o, say, sizeof say)[0]) continue;
        put(s, o, "point location");
        sheaf_z(s, say);
    }
}

static void rest(struct sheaf *s, const json_t *r) {
    const json_t *o;
    size_t i;
    sheaf_set(s, "code", facts_columns(FACTS_LINK, "code"));
    json_array_foreach(json_object_get(r, "aliases"), i, o) {
        sheaf_z(s, json_string_value(o));
        sheaf_z(s, "已映射至本矿");
    }
    json_array_foreach(json_object_get(r, "unknown_codes"), i, o) {
        sheaf_z(s, json_string_value(o));
        sheaf_z(s, "未知编码，文件已拒收");
    }
    sheaf_set(s, "refusal", facts_columns(FACTS_LINK, "refusal"));
    json_array_foreach(json_object_get(r, "refusals"), i, o) {
        put(s, o, "file");
        when(s, o, "received");
        put(s, o, "reason");
    }
    sheaf_set(s, "alarm", facts_columns(FACTS_LINK, "alarm"));
    json_array_foreach(json_object_get(r, "alarms"), i, o) put(s, o, "zh n");
}

int sets_of_link(struct paper_ask *a, struct zb_err *e) {
    struct str mine = op_text(a->c, "record");
    ZB_AUTO(buf_done) struct buf b = {0};
    struct json j;
    json_error_t err;
    if (!mine.n) return zb_fail(e, ZB_E_INPUT, "record is missing: %s %s is about a mine's link, give record=MINE", a->l->key, a->l->zh);
    buf_init(&b, (size_t)40 << 20);
    json_init(&j, &b);
    if (link_json(a->c, mine, &j, e) != ZB_OK) return e->rc;
    json_t *o = b.over ? NULL : json_loadb(b.p, b.n, 0, &err), *r = json_object_get(o, "report");
    if (!o) return zb_fail(e, ZB_E_LIMIT, "the report of mine " STR_FMT " is too large for a paper", STR_ARG(mine));
    head_set(a->s, o, r);
    checks(a->s, r);
    kinds(a->s, r);
    points(a->s, r);
    rest(a->s, r);
    json_decref(o);
    return ZB_OK;
}
