#include "prove/rule.h"
#include "base/json.h"
#include <math.h>
#include <stdio.h>

/* ---- statements ---- */
enum part { HIT, MISSING };

/* select EXCUSE, h.* from (SQL) h [where h.site=?1]; EXCUSE is the number of the first suppression that holds, 0 none. */
static void sql_make(const struct rule *u, enum part part, bool one, struct buf *b, int *top) {
    const struct rule_sql *q = part == HIT ? &u->hit : &u->missing;
    *top = q->top;
    buf_puts(b, "select ");
    int n = part == HIT ? u->suppresses : 0;
    if (n) buf_puts(b, "case");
    for (int i = 0; i < n; i++) {
        buf_printf(b, " when (%s) then %d", u->suppress[i].when.text, i + 1);
        if (u->suppress[i].when.top > *top) *top = u->suppress[i].when.top;
    }
    buf_printf(b, "%s as zb_excuse, h.* from (%s) h%s", n ? " else 0 end" : "0", q->text, one ? " where h.site=?1" : "");
}

static void params_bind(const struct rule *u, struct stmt *q, int top, int64_t site) {
    if (site) stmt_i64(q, 1, site);
    for (int i = 0; i < u->params; i++)
        for (int k = 0; k < u->param[i].values; k++) {
            const struct rule_value *v = &u->param[i].value[k];
            int at = u->param[i].first + k;
            if (at > top) continue;
            if (v->kind == RULE_INT)
                stmt_i64(q, at, v->i);
            else if (v->kind == RULE_REAL)
                stmt_real(q, at, v->r);
            else
                stmt_z(q, at, v->s);
        }
}

static struct stmt *open_part(struct db *db, const struct rule *u, enum part part, int64_t site, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    int top;
    buf_init(&b, 256 << 10);
    sql_make(u, part, site != 0, &b, &top);
    struct stmt *q = b.over ? NULL : db_once(db, b.p, e);
    if (b.over) zb_fail(e, ZB_E_LIMIT, "%s: its SQL is too long", u->id);
    if (q) params_bind(u, q, top, site);
    return q;
}

/* ---- columns ---- */
static bool is_day(const char *name) {
    size_t n = strlen(name);
    return !strcmp(name, "since") || (n > 3 && !strcmp(name + n - 3, "_on"));
}
static int column(struct stmt *q, struct str name) {
    for (int i = 1; i < stmt_cols(q); i++)
        if (str_is(name, stmt_col_name(q, i))) return i;
    return -1;
}
static bool is_frame(const char *name) {
    static const char *const FRAME[] = {"zb_excuse", "site", "id", "key", "score", "act", "area"};
    for (size_t i = 0; i < sizeof FRAME / sizeof *FRAME; i++)
        if (!strcmp(name, FRAME[i])) return true;
    return false;
}

static void value_text(struct stmt *q, int i, struct buf *b) {
    char t[ZB_TIME_CAP];
    if (stmt_col_kind(q, i) == COL_NULL) {
        buf_puts(b, "—");
    } else if (is_day(stmt_col_name(q, i))) {
        buf_puts(b, zb_day_text((int32_t)stmt_col_i64(q, i), t));
    } else if (stmt_col_kind(q, i) == COL_REAL) {
        buf_puts(b, zb_fix_text((zb_fix)llround(stmt_col_real(q, i) * 1e6), t));
    } else {
        struct str s = stmt_col_text(q, i);
        buf_put(b, s.p, s.n);
    }
}

/* {name} stands for a column. false: *unknown is none. */
static bool say(struct stmt *q, const char *text, struct buf *b, struct str *unknown) {
    for (const char *p = text; *p;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            buf_putc(b, *p++);
            continue;
        }
        struct str name = {p + 1, (size_t)(end - p - 1)};
        int i = column(q, name);
        if (i < 0) {
            *unknown = name;
            return false;
        }
        value_text(q, i, b);
        p = end + 1;
    }
    return true;
}

static void evidence(struct stmt *q, struct buf *b) {
    struct json j;
    json_init(&j, b);
    json_obj(&j);
    for (int i = 0; i < stmt_cols(q); i++) {
        const char *name = stmt_col_name(q, i);
        char t[ZB_TIME_CAP];
        if (is_frame(name)) continue;
        json_key(&j, name);
        switch (stmt_col_kind(q, i)) {
        case COL_NULL: json_none(&j); break;
        case COL_INT:
            if (is_day(name))
                json_z(&j, zb_day_text((int32_t)stmt_col_i64(q, i), t));
            else
                json_i64(&j, stmt_col_i64(q, i));
            break;
        case COL_REAL: json_fix(&j, (zb_fix)llround(stmt_col_real(q, i) * 1e6)); break;
        case COL_TEXT: json_str(&j, stmt_col_text(q, i)); break;
        }
    }
    json_end(&j);
}

/* ---- a hit ---- */
static int64_t number(struct stmt *q, const char *name, int64_t absent) {
    int i = column(q, str_of(name));
    return i >= 0 && !stmt_col_null(q, i) ? stmt_col_i64(q, i) : absent;
}

static int action_of(const struct rule *u, struct stmt *q, enum rule_action *ret, struct zb_err *e) {
    int i = column(q, STR("act"));
    *ret = u->action;
    if (i < 0 || stmt_col_null(q, i)) return ZB_OK;
    for (int k = 0; k < RULE_ACTIONS_N; k++)
        if (str_is(stmt_col_text(q, i), RULE_ACTION_KEY[k])) {
            *ret = (enum rule_action)k;
            return ZB_OK;
        }
    return zb_fail(e, ZB_E_INPUT, "%s:%d:%d: %s: act \"" STR_FMT "\" is no action", u->file, u->at->line, u->at->col, u->id, STR_ARG(stmt_col_text(q, i)));
}

static int hit_tell(const struct rule *u, enum part part, struct stmt *q, rule_hit_fn *fn, void *arg, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf zh;
    ZB_AUTO(buf_done) struct buf en;
    ZB_AUTO(buf_done) struct buf ev;
    char key[120] = "", area[24] = "";
    struct str unknown;
    buf_init(&zh, 4000);
    buf_init(&en, 4000);
    buf_init(&ev, 20000);
    int k = column(q, STR("key")), a = column(q, STR("area")), s = column(q, STR("score")), excuse = (int)stmt_col_i64(q, 0);
    if (k >= 0) str_copy(stmt_col_text(q, k), key, sizeof key);
    if (a >= 0) str_copy(stmt_col_text(q, a), area, sizeof area);
    struct rule_hit h = {.rule = u,
                         .unknown = part == MISSING,
                         .excused = excuse ? &u->suppress[excuse - 1] : NULL,
                         .site = number(q, "site", 0),
                         .id = number(q, "id", 0),
                         .since = (int32_t)number(q, "since", 0),
                         .key = key,
                         .area = area,
                         .score = s >= 0 && !stmt_col_null(q, s) ? stmt_col_real(q, s) : u->score};
    if (action_of(u, q, &h.action, e) != ZB_OK) return e->rc;
    bool said = say(q, part == HIT ? u->say_zh : u->missing_zh, &zh, &unknown) && say(q, part == HIT ? u->say_en : u->missing_en, &en, &unknown);
    evidence(q, &ev);
    if (!said || zh.over || en.over || ev.over) return zb_fail(e, ZB_E_LIMIT, "%s: the reason or the evidence of a hit is too long", u->id);
    h.zh = buf_str(&zh).p;
    h.en = buf_str(&en).p;
    h.evidence = buf_str(&ev).p;
    return fn(arg, &h, e);
}

static int part_run(struct db *db, const struct rule *u, enum part part, int64_t site, rule_hit_fn *fn, void *arg, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = open_part(db, u, part, site, e);
    int r;
    if (!q) return e->rc;
    while ((r = stmt_row(q, e)) == 1)
        if (hit_tell(u, part, q, fn, arg, e) != ZB_OK) return e->rc;
    return r < 0 ? zb_wrap(e, "rule %s", u->id) : ZB_OK;
}

int rule_run(struct db *db, const struct rule *u, int64_t site, rule_hit_fn *fn, void *arg, struct zb_err *e) {
    if (!u->hit.text) return ZB_OK;
    if (part_run(db, u, HIT, site, fn, arg, e) != ZB_OK) return e->rc;
    return u->missing.text ? part_run(db, u, MISSING, site, fn, arg, e) : ZB_OK;
}

/* ---- check ---- */
static int refuse(const struct rule *u, const struct node *at, struct zb_err *e, const char *what, struct str why) {
    return zb_fail(e, ZB_E_INPUT, "%s:%d:%d: %s: %s" STR_FMT, u->file, at->line, at->col, u->id, what, STR_ARG(why));
}

static int part_check(struct db *db, const struct rule *u, enum part part, struct zb_err *e) {
    const struct node *at = part == HIT ? u->hit.at : u->missing.at;
    struct zb_err why;
    for (int one = 0; one < 2; one++) {
        ZB_AUTO(stmt_done) struct stmt *q = open_part(db, u, part, one, &why);
        if (!q) {
            const char *last = strrchr(why.msg, ':');
            return refuse(u, at, e, part == HIT ? "sql:" : "missing:", str_of(last ? last + 1 : why.msg));
        }
        if (column(q, STR("site")) < 0 || column(q, STR("since")) < 0) return refuse(u, at, e, "the columns site and since are needed", STR(""));
        const char *const text[] = {part == HIT ? u->say_zh : u->missing_zh, part == HIT ? u->say_en : u->missing_en};
        for (int i = 0; i < 2; i++) {
            struct str unknown;
            for (const char *p = text[i]; (p = strchr(p, '{')); p++) {
                const char *end = strchr(p, '}');
                unknown = (struct str){p + 1, end ? (size_t)(end - p - 1) : strlen(p + 1)};
                if (!end || column(q, unknown) < 0) return refuse(u, at, e, "no column for {} of say: ", unknown);
            }
        }
    }
    return ZB_OK;
}

int rules_check(struct db *db, const struct policy *p, struct zb_err *e) {
    for (int i = 0; i < p->rules; i++) {
        const struct rule *u = p->rule[i];
        if (!u->hit.text) continue;
        if (part_check(db, u, HIT, e) != ZB_OK || (u->missing.text && part_check(db, u, MISSING, e) != ZB_OK)) return e->rc;
    }
    return ZB_OK;
}
