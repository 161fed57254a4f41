/* Links 联网: opening, codes, classes, families, acceptance. Every act goes into the journal; what changes judgement goes through the fact log. */
#include "op/links.h"
#include "audit/audit.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- reading ---- */
static int head(void *arg, const struct mine_view *v) {
    struct link_head *h = arg;
    str_copy(str_of(v->code), h->code, sizeof h->code);
    str_copy(str_of(v->name), h->name, sizeof h->name);
    str_copy(str_of(v->region), h->region, sizeof h->region);
    str_copy(str_of(v->gas_class), h->gas_class, sizeof h->gas_class);
    h->trial = v->linkage->trial;
    h->files = v->link->files;
    return 1;
}

int link_head_read(struct op_call *c, struct str mine, struct link_head *ret, struct zb_err *e) {
    *ret = (struct link_head){0};
    if (mine.n) engine_mines(c->en, mine, head, ret);
    if (!ret->code[0] || !sees(c, ret->region, ret->code)) return zb_fail(e, ZB_E_ABSENT, "no mine " STR_FMT " here, or not in your area", STR_ARG(mine));
    return ZB_OK;
}

int link_state_read(struct op_call *c, const char *mine, struct link_state *ret, struct zb_err *e) {
    *ret = (struct link_state){.opened = ZB_TIME_NONE, .accepted = ZB_TIME_NONE};
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select opened,opened_by,accepted,accepted_by,note,report from onboarding where mine=?", e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    int r = stmt_row(q, e);
    if (r != 1) return r;
    ret->there = true;
    ret->opened = stmt_col_time(q, 0);
    str_copy(stmt_col_text(q, 1), ret->opened_by, sizeof ret->opened_by);
    ret->accepted = stmt_col_time(q, 2);
    str_copy(stmt_col_text(q, 3), ret->accepted_by, sizeof ret->accepted_by);
    str_copy(stmt_col_text(q, 4), ret->note, sizeof ret->note);
    if (stmt_col_text(q, 5).n && !(ret->report = arena_str(c->arena, stmt_col_text(q, 5))))
        return zb_fail(e, ZB_E_LIMIT, "the report of %s is too large", mine);
    return ZB_OK;
}

int link_json(struct op_call *c, struct str mine, struct json *j, struct zb_err *e) {
    struct link_head h;
    struct link_state s;
    int open;
    if (link_head_read(c, mine, &h, e) != ZB_OK || link_state_read(c, h.code, &s, e) != ZB_OK) return e->rc;
    const struct region *g = policy_region(c->policy, str_of(h.region));
    json_obj(j);
    kv_z(j, "mine", h.code);
    kv_z(j, "name", h.name);
    kv_z(j, "region", h.region);
    kv_z(j, "region_name", g ? g->name : "");
    kv_z(j, "gas_class", h.gas_class);
    kv_z(j, "phase", h.trial ? "trial" : "live");
    kv_t(j, "opened", s.opened);
    kv_z(j, "opened_by", s.opened_by);
    kv_t(j, "accepted", s.accepted);
    kv_z(j, "accepted_by", s.accepted_by);
    kv_z(j, "note", s.note);
    json_key(j, "report");
    if (s.report && !h.trial)
        json_raw(j, str_of(s.report));
    else if (link_report(c, &h, s.there ? s.opened : zb_now() - ZB_DAY, j, &open, e) != ZB_OK)
        return e->rc;
    json_end(j);
    return ZB_OK;
}

int op_link(struct op_call *c, struct zb_err *e) { return link_json(c, op_text(c, "mine"), c->out, e); }

struct listing {
    struct op_call *c;
    struct map open; /* mine → its row of onboarding and its files */
};
struct line {
    zb_time opened, accepted;
    int64_t files, expected;
};

static struct line *line_of(struct listing *l, struct str mine) {
    struct line *x = map_get(&l->open, mine);
    if (x) return x;
    x = arena_alloc(l->c->arena, sizeof *x);
    if (!x) return NULL;
    *x = (struct line){ZB_TIME_NONE, ZB_TIME_NONE, 0, 0};
    map_set(&l->open, mine, x);
    return x;
}

/* Files of kinds with a period in the day that has passed, of what was expected in the hours in which the mine was linked. */
static int lines_read(struct listing *l, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(l->c->db, "select mine,opened,accepted from onboarding", e);
    ZB_AUTO(stmt_done) struct stmt *f = db_use(l->c->db, "select mine,type,sum(files),min(t0),max(t1) from feed_hour where hour>=?1 group by mine,type", e);
    if (!q || !f) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct line *x = line_of(l, stmt_col_text(q, 0));
        if (!x) return zb_fail(e, ZB_E_LIMIT, "too many links for one reply");
        x->opened = stmt_col_time(q, 1);
        x->accepted = stmt_col_time(q, 2);
    }
    if (r < 0) return r;
    stmt_i64(f, 1, zb_now() / ZB_HOUR - 24);
    while ((r = stmt_row(f, e)) == 1) {
        const struct format *m = policy_format(l->c->policy, stmt_col_text(f, 1));
        struct line *x = m && m->period_s > 0 && m->period_s < 86400 ? line_of(l, stmt_col_text(f, 0)) : NULL;
        if (!x) continue;
        int64_t due = (stmt_col_i64(f, 4) - stmt_col_i64(f, 3)) / (m->period_s * ZB_SECOND) + 1, n = stmt_col_i64(f, 2);
        x->expected += due;
        x->files += n < due ? n : due;
    }
    return r < 0 ? r : ZB_OK;
}

static int one_line(void *arg, const struct mine_view *v) {
    struct listing *l = arg;
    struct json *j = l->c->out;
    if (!sees(l->c, v->region, v->code)) return 0;
    const struct line *x = map_get(&l->open, str_of(v->code));
    const struct region *g = policy_region(l->c->policy, str_of(v->region));
    zb_time off, spread;
    int hours;
    bool clock = skew_of(&v->linkage->clock, &off, &spread, &hours);
    json_obj(j);
    kv_z(j, "mine", v->code);
    kv_z(j, "name", v->name);
    kv_z(j, "region_name", g ? g->name : "");
    kv_z(j, "phase", v->linkage->trial ? "trial" : "live");
    kv_t(j, "opened", x ? x->opened : ZB_TIME_NONE);
    kv_t(j, "accepted", x ? x->accepted : ZB_TIME_NONE);
    kv_t(j, "last_received", v->link->last_received);
    kv_i(j, "points", mine_points(v->state));
    kv_i(j, "files", v->link->files);
    kv_i(j, "refused", v->link->refused);
    kv_fix(j, "percent", x ? percent_of(x->files, x->expected) : ZB_FIX_NONE);
    json_key(j, "offset_ms");
    if (clock)
        json_i64(j, off);
    else
        json_none(j);
    json_key(j, "spread_ms");
    if (clock)
        json_i64(j, spread);
    else
        json_none(j);
    kv_i(j, "offset_hours", hours);
    kv_b(j, "clock_good", !clock || (off <= l->c->policy->link.clock_max && -off <= l->c->policy->link.clock_max));
    json_end(j);
    return 0;
}

int op_links(struct op_call *c, struct zb_err *e) {
    struct listing l = {.c = c};
    int rc = lines_read(&l, e);
    json_obj(c->out);
    json_key(c->out, "links");
    json_arr(c->out);
    if (rc == ZB_OK) engine_mines(c->en, STR(""), one_line, &l);
    json_arr_end(c->out);
    json_end(c->out);
    map_done(&l.open);
    return rc;
}

/* ---- acts ---- */
static int journal(struct op_call *c, struct db *w, const char *what, const char *mine, struct str body, struct zb_err *e) {
    char subject[40];
    snprintf(subject, sizeof subject, "mine/%s", mine);
    return audit_append(w, zb_now(), str_of(c->actor.user), str_of(what), str_of(subject), body, e);
}

static int journal_alone(struct op_call *c, const char *what, const char *mine, struct str body, struct zb_err *e) {
    struct db *w = engine_writer(c->en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        rc = journal(c, w, what, mine, body, e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
    }
    engine_writer_back(c->en);
    return rc;
}

static bool code_good(struct str s) {
    bool good = s.n >= 8 && s.n <= 20;
    for (size_t i = 0; i < s.n; i++) good &= (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z');
    return good;
}

static int opened_keep(struct op_call *c, const char *mine, struct zb_err *e) {
    struct db *w = engine_writer(c->en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        struct stmt *q = db_use(w, "insert into onboarding(mine,opened,opened_by) values(?,?,?)", e);
        rc = q ? ZB_OK : e->rc;
        if (q) {
            stmt_z(q, 1, mine);
            stmt_time(q, 2, zb_now());
            stmt_z(q, 3, c->actor.user);
            rc = stmt_run(q, e);
            stmt_done(&q);
        }
        if (rc == ZB_OK) rc = journal(c, w, "link.open", mine, STR("{}"), e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
    }
    engine_writer_back(c->en);
    return rc == ZB_E_CONFLICT ? zb_fail(e, ZB_E_CONFLICT, "the link of mine %s is open already", mine) : rc;
}

int op_link_open(struct op_call *c, struct zb_err *e) {
    struct str mine = op_text(c, "mine"), name = op_text(c, "name"), gas = op_text(c, "gas_class");
    struct link_head h = {0};
    struct link_state s;
    char token[65], code[24], region[8];
    if (!code_good(mine)) return zb_fail(e, ZB_E_INPUT, "mine \"%.*s\": a mine's code has 12 digits", mine.n > 40 ? 40 : (int)mine.n, mine.p);
    str_copy(mine, code, sizeof code);
    engine_mines(c->en, mine, head, &h);
    str_copy((struct str){mine.p, 6}, region, sizeof region);
    if (!sees(c, h.code[0] ? h.region : region, code)) return zb_fail(e, ZB_E_DENIED, "mine %s is not in your area %s", code, c->actor.area);
    if (link_state_read(c, code, &s, e) != ZB_OK) return e->rc;
    if (s.there) return zb_fail(e, ZB_E_CONFLICT, "the link of mine %s was opened by %s already%s", code, s.opened_by, h.trial ? " and is on trial" : "");
    if (h.files && !h.trial) return zb_fail(e, ZB_E_CONFLICT, "mine %s is on line already: %lld files came", code, (long long)h.files);
    if (engine_link_set(c->en, str_of(c->actor.user), mine, STR("phase trial"), e) != ZB_OK) return e->rc;
    if ((name.n || gas.n) && engine_mine_set(c->en, str_of(c->actor.user), mine, name, gas, e) != ZB_OK) return e->rc;
    if (opened_keep(c, code, e) != ZB_OK) return e->rc;
    struct db *w = engine_writer(c->en);
    int rc = token_add(w, str_of(c->actor.user), zb_now(), mine, token, e);
    engine_writer_back(c->en);
    if (rc != ZB_OK) return rc;
    json_obj(c->out);
    kv_z(c->out, "mine", code);
    kv_z(c->out, "token", token);
    json_end(c->out);
    return ZB_OK;
}

/* Lines for engine_link_set, then the reply is the link as it is now. */
static int decide(struct op_call *c, const char *what, struct buf *lines, struct zb_err *e) {
    struct link_head h;
    ZB_AUTO(buf_done) struct buf body = {0};
    struct json j;
    if (link_head_read(c, op_text(c, "mine"), &h, e) != ZB_OK) return e->rc;
    if (lines->over) return zb_fail(e, ZB_E_LIMIT, "too much at once: set fewer");
    if (!lines->n) return zb_fail(e, ZB_E_INPUT, "nothing to set");
    buf_init(&body, 1 << 20);
    json_init(&j, &body);
    json_obj(&j);
    kv_str(&j, "set", buf_str(lines));
    json_end(&j);
    if (engine_link_set(c->en, str_of(c->actor.user), str_of(h.code), buf_str(lines), e) != ZB_OK || journal_alone(c, what, h.code, buf_str(&body), e) != ZB_OK)
        return e->rc;
    return link_json(c, str_of(h.code), c->out, e);
}

static bool plain_code(const char *z) {
    if (!z[0] || strlen(z) > 47) return false;
    for (; *z; z++)
        if ((unsigned char)*z <= ' ' || *z == '/' || *z == '@') return false;
    return true;
}

static bool class_known(const struct policy *p, const char *z) {
    for (int i = 0; i < p->limits; i++)
        if (!strcmp(p->limit[i].loc_class, z)) return true;
    return false;
}

/* {point: class}; "-" or "": none fits. */
int op_link_classes(struct op_call *c, struct zb_err *e) {
    json_error_t err;
    struct str text = op_text(c, "classes");
    ZB_AUTO(buf_done) struct buf lines;
    buf_init(&lines, 200 << 10);
    json_t *o = json_loadb(text.p, text.n, 0, &err), *v;
    const char *point;
    int rc = json_is_object(o) ? ZB_OK : zb_fail(e, ZB_E_INPUT, "classes: write {point: class}");
    json_object_foreach(o, point, v) {
        const char *cls = json_string_value(v);
        if (rc != ZB_OK) break;
        if (!plain_code(point))
            rc = zb_fail(e, ZB_E_INPUT, "classes: \"%.60s\" is no point code", point);
        else if (!cls || (cls[0] && strcmp(cls, "-") && !class_known(c->policy, cls)))
            rc = zb_fail(e, ZB_E_INPUT, "classes: point %s: \"%.40s\" is no class of limits.yaml", point, cls ? cls : "(no text)");
        else
            buf_printf(&lines, "%sclass %s %s", lines.n ? "\n" : "", point, cls[0] ? cls : "-");
    }
    json_decref(o);
    return rc == ZB_OK ? decide(c, "link.classes", &lines, e) : rc;
}

static int files_of(void *arg, const struct mine_view *v) {
    *(int64_t *)arg = v->link->files;
    return 1;
}

int op_link_codes(struct op_call *c, struct zb_err *e) {
    struct str code = op_text(c, "code"), mine = op_text(c, "mine");
    bool remove = op_int(c, "remove", 0);
    int64_t files = 0;
    ZB_AUTO(buf_done) struct buf lines;
    buf_init(&lines, 200);
    if (!code_good(code)) return zb_fail(e, ZB_E_INPUT, "code \"%.*s\": a mine's code has 12 digits", code.n > 40 ? 40 : (int)code.n, code.p);
    if (str_eq(code, mine)) return zb_fail(e, ZB_E_INPUT, "code " STR_FMT " is the mine's own", STR_ARG(code));
    engine_mines(c->en, code, files_of, &files);
    if (!remove && files)
        return zb_fail(e, ZB_E_CONFLICT, "code " STR_FMT " is a mine of its own here with %lld files: they would stay apart", STR_ARG(code), (long long)files);
    buf_printf(&lines, "%s " STR_FMT, remove ? "unalias" : "alias", STR_ARG(code));
    return decide(c, "link.codes", &lines, e);
}

static bool family_known(const struct policy *p, struct str family) {
    for (int i = 0; i < p->formats; i++)
        if (str_is(family, p->format[i].family)) return true;
    return false;
}

int op_link_families(struct op_call *c, struct zb_err *e) {
    struct str family = op_text(c, "family"), text = op_text(c, "points");
    json_error_t err;
    json_t *v;
    const char *code;
    ZB_AUTO(buf_done) struct buf lines;
    buf_init(&lines, 200 << 10);
    if (!family_known(c->policy, family)) return zb_fail(e, ZB_E_INPUT, "family \"" STR_FMT "\" is none of formats/", STR_ARG(family));
    buf_printf(&lines, "%s " STR_FMT, op_int(c, "compared", 0) ? "compare" : "judge", STR_ARG(family));
    json_t *o = text.n ? json_loadb(text.p, text.n, 0, &err) : json_object();
    int rc = json_is_object(o) ? ZB_OK : zb_fail(e, ZB_E_INPUT, "points: write {its code: the judged point}");
    json_object_foreach(o, code, v) {
        const char *point = json_string_value(v);
        if (rc == ZB_OK && (!plain_code(code) || !point || !plain_code(point)))
            rc = zb_fail(e, ZB_E_INPUT, "points: \"%.60s\": write {its code: the judged point}", code);
        if (rc == ZB_OK) buf_printf(&lines, "\ntwin " STR_FMT " %s %s", STR_ARG(family), code, point);
    }
    json_decref(o);
    return rc == ZB_OK ? decide(c, "link.families", &lines, e) : rc;
}

static int accepted_keep(struct op_call *c, const char *mine, struct str note, struct str report, struct zb_err *e) {
    unsigned char h[EVP_MAX_MD_SIZE];
    unsigned hn = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    ZB_AUTO(buf_done) struct buf body = {0};
    struct json j;
    if (EVP_Digest(report.p, report.n, h, &hn, EVP_sm3(), NULL) != 1) return zb_fail(e, ZB_E_IO, "SM3 is not available in this OpenSSL");
    for (unsigned i = 0; i < hn; i++) snprintf(hex + 2 * i, 3, "%02x", h[i]);
    buf_init(&body, 20000);
    json_init(&j, &body);
    json_obj(&j);
    kv_z(&j, "report_sm3", hex);
    kv_str(&j, "note", note);
    json_end(&j);
    struct db *w = engine_writer(c->en);
    int rc = db_begin(w, e);
    if (rc == ZB_OK) {
        struct stmt *q =
            db_use(w,
                   "insert into onboarding(mine,opened,opened_by,accepted,accepted_by,note,report) values(?1,?2,?3,?2,?3,?4,?5) on conflict(mine) do "
                   "update set accepted=?2,accepted_by=?3,note=?4,report=?5",
                   e);
        rc = q ? ZB_OK : e->rc;
        if (q) {
            stmt_z(q, 1, mine);
            stmt_time(q, 2, zb_now());
            stmt_z(q, 3, c->actor.user);
            stmt_text(q, 4, note);
            stmt_text(q, 5, report);
            rc = stmt_run(q, e);
            stmt_done(&q);
        }
        if (rc == ZB_OK) rc = journal(c, w, "link.accept", mine, buf_str(&body), e);
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
    }
    engine_writer_back(c->en);
    return rc;
}

/* The officer decides: what does not pass needs a reason, and stays in the report. */
int op_link_accept(struct op_call *c, struct zb_err *e) {
    struct link_head h;
    struct link_state s;
    struct str note = str_trim(op_text(c, "note"));
    int open;
    ZB_AUTO(buf_done) struct buf report = {0};
    struct json j;
    if (link_head_read(c, op_text(c, "mine"), &h, e) != ZB_OK || link_state_read(c, h.code, &s, e) != ZB_OK) return e->rc;
    bool half = s.there && s.accepted == ZB_TIME_NONE; /* live already, but the word of it was not kept */
    if (!h.trial && !half) return zb_fail(e, ZB_E_CONFLICT, "mine %s is not on trial: nothing is to be accepted", h.code);
    engine_settle(c->en); /* the report counts everything that came */
    buf_init(&report, (size_t)32 << 20);
    json_init(&j, &report);
    if (link_report(c, &h, s.there ? s.opened : 0, &j, &open, e) != ZB_OK) return e->rc;
    if (report.over) return zb_fail(e, ZB_E_LIMIT, "the report of mine %s is too large", h.code);
    if (open && !note.n) return zb_fail(e, ZB_E_INPUT, "%d checks do not pass: give the reason why the link is accepted all the same", open);
    if (engine_link_set(c->en, str_of(c->actor.user), str_of(h.code), STR("phase live"), e) != ZB_OK) return e->rc;
    if (accepted_keep(c, h.code, note, buf_str(&report), e) != ZB_OK) return e->rc;
    return link_json(c, str_of(h.code), c->out, e);
}
