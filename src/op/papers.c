/* Reports and letters: which template, whose values, which file. */
#include "op/paper_sets.h"
#include <stdio.h>

static int lcall_open(struct op_call *c, struct db *db, const struct ledger *l, struct lcall *lc, struct zb_err *e) {
    *lc = (struct lcall){
        .db = db, .policy = c->policy, .actor = &c->actor, .l = l, .now = zb_now(), .arena = arena_new((size_t)64 << 20), .dir = engine_dir(c->en)};
    return ledger_access(l, &c->actor) ? ZB_OK : zb_fail(e, ZB_E_ABSENT, "no ledger \"%s\" that your role sees: see /api/v1/ledgers", l->key);
}

/* "measure/DB-2026-00001": the ledger and the record in it. */
static const struct ledger *ledger_named(struct op_call *c, struct str *rest, struct zb_err *e) {
    struct str all = op_text(c, "record"), key = str_cut(all, '/', rest);
    int i = policy_ledger(c->policy, key);
    if (i < 0) {
        zb_fail(e, ZB_E_INPUT, "record \"%.*s\": write LEDGER/NUMBER, such as measure/DB-2026-00001", all.n > 80 ? 80 : (int)all.n, all.n ? all.p : "");
        return NULL;
    }
    if (!rest->p) *rest = STR("");
    return &c->policy->ledger[i];
}

static int area_take(struct paper_ask *a, struct zb_err *e) {
    struct str want = op_text(a->c, "area");
    const char *own = a->c->actor.area;
    char code[8];
    if (!want.n) want = str_of(own);
    size_t n = want.n;
    if (n == 6 && !memcmp(want.p + 2, "0000", 4)) n = 2;
    if (n == 6 && !memcmp(want.p + 4, "00", 2)) n = 4;
    snprintf(code, sizeof code, "%.*s%s", (int)(n > 6 ? 6 : n), want.p, n == 2 ? "0000" : n == 4 ? "00" : "");
    if ((n != 2 && n != 4 && n != 6) || want.n > 6 || !policy_region(a->c->policy, str_of(code)))
        return zb_fail(e, ZB_E_INPUT, "area \"%.*s\": write a division's code: 14, 1402 or 140214", want.n > 20 ? 20 : (int)want.n, want.p);
    if (n < strlen(own) || strncmp(own, want.p, strlen(own)) != 0) return zb_fail(e, ZB_E_DENIED, "area %.*s is not within yours, %s", (int)n, want.p, own);
    str_copy((struct str){want.p, n}, a->area, sizeof a->area);
    return ZB_OK;
}

static const char *area_name(const struct paper_ask *a) {
    char code[8];
    size_t n = strlen(a->area);
    snprintf(code, sizeof code, "%s%s", a->area, n == 2 ? "0000" : n == 4 ? "00" : "");
    const struct region *g = policy_region(a->c->policy, str_of(code));
    return g ? g->name : a->area;
}

static void paper_set(struct paper_ask *a) {
    int32_t today = zb_day_of(zb_now()), asof = a->asof == INT32_MIN ? today : a->asof;
    char t[ZB_TIME_CAP];
    sheaf_set(a->s, PAPER_SET.key, PAPER_SET.columns);
    sheaf_date(a->s, today, true);
    sheaf_put(a->s, (struct str){zb_day_text(asof, t), 4}, ZB_FIX_NONE);
    sheaf_date(a->s, asof, true);
    sheaf_date(a->s, a->known == INT32_MIN ? today : a->known, true);
    sheaf_z(a->s, area_name(a));
    sheaf_z(a->s, a->area);
    sheaf_z(a->s, a->c->actor.user);
}

/* A template by its key; "letter": the one that fits the record. */
static int from_template(struct paper_ask *a, struct paper **ret, struct zb_err *e) {
    struct op_call *c = a->c;
    struct str kind = op_text(c, "kind"), rest = STR("");
    bool any = str_is(kind, "letter");
    if (!any) a->l = letter_find(c->policy, kind);
    if (!any && !a->l) return zb_fail(e, ZB_E_ABSENT, "no paper of the kind \"%.*s\": see report.kinds", kind.n > 60 ? 60 : (int)kind.n, kind.p);
    paper_set(a);
    if (a->l && a->l->facts < LETTER_FACTS_N) {
        if ((a->l->facts == FACTS_PLAN ? sets_of_plan(a, e) : sets_of_link(a, e)) != ZB_OK) return e->rc;
        return paper_fill(a->l, a->s, a->asof == INT32_MIN ? zb_day_of(zb_now()) : a->asof, ret, e);
    }
    const struct ledger *l = any || op_text(c, "record").n ? ledger_named(c, &rest, e) : NULL;
    if (!l && (any || op_text(c, "record").n)) return e->rc;
    if (!any && (!l || l != &c->policy->ledger[a->l->of_ledger])) {
        const struct ledger *of = &c->policy->ledger[a->l->of_ledger];
        return zb_fail(e, ZB_E_INPUT, "%s %s is about a record of %s: give record=%s/NUMBER", a->l->key, a->l->zh, of->zh, of->key);
    }
    struct db *w = engine_writer(c->en); /* reading some ledgers is itself written down */
    struct lcall lc;
    int rc = lcall_open(c, w, l, &lc, e);
    if (rc == ZB_OK) rc = sets_of_record(a, &lc, rest, e);
    engine_writer_back(c->en);
    if (rc == ZB_OK) rc = paper_fill(a->l, a->s, zb_day_of(lc.now), ret, e);
    arena_free(lc.arena);
    return rc;
}

static int from_list(struct paper_ask *a, bool all, struct paper **ret, struct zb_err *e) {
    struct str rest;
    struct lcall lc;
    const struct ledger *l = ledger_named(a->c, &rest, e);
    if (!l) return e->rc;
    int rc = lcall_open(a->c, a->c->db, l, &lc, e);
    if (rc == ZB_OK) rc = paper_of_list(&lc, op_text(a->c, "where"), all, ret, e);
    arena_free(lc.arena);
    return rc;
}

static int format_of(struct str s, struct zb_err *e) {
    if (!s.n) return PAPER_PDF;
    for (int i = 0; i < PAPER_FORMATS_N; i++)
        if (str_is(s, PAPER_FORMAT_KEY[i])) return i;
    if (str_is(s, "json")) return PAPER_FORMATS_N; /* the tree itself, for checks and for other programs */
    zb_fail(e, ZB_E_INPUT, "format \"%.*s\": pdf, docx, xlsx or json", s.n > 20 ? 20 : (int)s.n, s.p);
    return -1;
}

static int deliver(struct op_call *c, struct paper *p, int f, const char *name, struct zb_err *e) {
    struct paper_stat stat;
    char file[300];
    if (f == PAPER_FORMATS_N) {
        paper_json(p, c->out);
        return ZB_OK;
    }
    int rc = paper_render("/proc/self/exe", p, (enum paper_format)f, c->out->b, &stat, e);
    if (rc == ZB_OK && stat.unknown_glyphs) { /* the paper itself says what it lacks */
        char note[200];
        snprintf(note, sizeof note, "（本件有%d个字符在本机字体中没有，请安装字体后重新生成。）", stat.unknown_glyphs);
        paper_para(p, PARA_NOTE, str_of(note));
        buf_clear(c->out->b);
        rc = paper_render("/proc/self/exe", p, (enum paper_format)f, c->out->b, &stat, e);
    }
    if (rc != ZB_OK) return rc;
    c->type = PAPER_FORMAT_TYPE[f];
    snprintf(file, sizeof file, "%.240s.%s", name, PAPER_FORMAT_KEY[f]);
    op_file_named(c, file);
    return ZB_OK;
}

int op_report(struct op_call *c, struct zb_err *e) {
    struct paper_ask a = {.c = c, .asof = INT32_MIN, .known = INT32_MIN};
    ZB_AUTO(paper_drop) struct paper *p = NULL;
    int f = format_of(op_text(c, "format"), e);
    if (f < 0 || area_take(&a, e) != ZB_OK) return e->rc;
    if (op_text(c, "asof").n) a.asof = zb_day_of(op_int(c, "asof", 0));
    if (op_text(c, "known").n) a.known = zb_day_of(op_int(c, "known", 0));
    a.s = sheaf_new();
    int rc = str_is(op_text(c, "kind"), "sheet") ? from_list(&a, f == PAPER_XLSX, &p, e) : from_template(&a, &p, e);
    sheaf_free(a.s);
    return rc == ZB_OK ? deliver(c, p, f, paper_name(p), e) : rc;
}

int op_report_kinds(struct op_call *c, struct zb_err *e) {
    (void)e;
    json_obj(c->out);
    json_key(c->out, "kinds");
    json_arr(c->out);
    for (int i = 0; i < c->policy->letters; i++) {
        const struct letter_rule *l = &c->policy->letter[i];
        const char *const K[] = {"kind", "zh", "en", "ledger", "when", "levels"}, *const V[] = {l->key, l->zh, l->en, l->ledger, l->when, l->levels};
        if (l->of_ledger >= 0 && !ledger_access(&c->policy->ledger[l->of_ledger], &c->actor)) continue;
        json_obj(c->out);
        json_texts(c->out, 6, K, V);
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}
