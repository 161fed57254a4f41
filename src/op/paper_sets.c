/* Records and lists as sets of texts. */
#include "op/paper_sets.h"
#include <math.h>
#include <stdio.h>

#define LIST_MAX 10000

static struct str date_shown(struct arena *a, const char *t, bool words, bool time) {
    int64_t y, m, d, h = 0, min = 0; /* "2026-03-01" or "2026-03-01T08:30:00+08:00" */
    struct str s = str_of(t);
    if (s.n < 10 || !num_i64((struct str){t, 4}, 0, 9999, &y) || !num_i64((struct str){t + 5, 2}, 1, 12, &m) || !num_i64((struct str){t + 8, 2}, 1, 31, &d))
        return s;
    if (time && (s.n < 16 || !num_i64((struct str){t + 11, 2}, 0, 23, &h) || !num_i64((struct str){t + 14, 2}, 0, 59, &min))) return s;
    char *out = !time && words ? arena_printf(a, "%d年%d月%d日", (int)y, (int)m, (int)d)
                : words        ? arena_printf(a, "%d年%d月%d日%d时%02d分", (int)y, (int)m, (int)d, (int)h, (int)min)
                : time         ? arena_printf(a, "%04d-%02d-%02d %02d:%02d", (int)y, (int)m, (int)d, (int)h, (int)min)
                               : arena_printf(a, "%04d-%02d-%02d", (int)y, (int)m, (int)d);
    return str_of(out ? out : "");
}

struct str field_shown(const struct policy *p, struct arena *a, const struct ledger_field *f, const json_t *rec, bool words, zb_fix *num) {
    char key[100], t[ZB_FIX_CAP];
    *num = ZB_FIX_NONE;
    snprintf(key, sizeof key, f->type == LF_REF ? "%s_name" : "%s", f->key);
    const json_t *v = json_object_get(rec, key);
    if (json_is_number(v) && fabs(json_number_value(v)) < 9e12) {
        *num = (zb_fix)llround(json_number_value(v) * 1e6);
        char *z = arena_str(a, str_of(zb_fix_text(*num, t)));
        return str_of(z ? z : "");
    }
    if (json_is_boolean(v)) return json_is_true(v) ? STR("是") : STR("否");
    const char *z = json_string_value(v);
    if (!z) return STR("");
    const struct list_item *it = f->type == LF_ENUM ? list_find(f->list, str_of(z)) : NULL;
    const struct region *g = f->type == LF_REGION ? policy_region(p, str_of(z)) : NULL;
    if (f->type == LF_SET) return ledger_set_text(a, f, str_of(z));
    if (f->type == LF_DAY || f->type == LF_TIME) return date_shown(a, z, words, f->type == LF_TIME);
    return it ? str_of(it->zh) : g ? str_of(g->name) : str_of(z);
}

static const char *columns_of(struct arena *a, const struct ledger_field *f, int n, const char *before) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 32 << 10);
    buf_puts(&b, before);
    for (int i = 0; i < n; i++) buf_printf(&b, "%s%s", b.n ? " " : "", f[i].key);
    char *z = arena_str(a, buf_str(&b));
    return z ? z : "";
}

static void row_put(struct paper_ask *a, struct lcall *lc, const struct ledger_field *f, int n, const json_t *rec, bool words) {
    for (int i = 0; i < n; i++) {
        zb_fix num;
        struct str s = field_shown(lc->policy, lc->arena, &f[i], rec, words, &num);
        sheaf_put(a->s, s, num);
        if (f[i].type == LF_DAY && words) sheaf_blank(a->s, "　　年　　月　　日");
    }
}

/* no and state, then the fields; values: where the fields stand. */
static void record_put(struct paper_ask *a, struct lcall *lc, const char *key, const struct ledger *l, const json_t *head, const json_t *values, bool words) {
    const char *state = json_string_value(json_object_get(head, "state"));
    int at = state ? lstate_find(l, str_of(state)) : -1;
    sheaf_set(a->s, key, columns_of(lc->arena, l->field, l->fields, "no state"));
    sheaf_z(a->s, json_string_value(json_object_get(head, "no")));
    sheaf_z(a->s, at >= 0 ? l->state[at].zh : "");
    row_put(a, lc, l->field, l->fields, values, words);
}

static zb_time end_of(int32_t day) { return day == INT32_MIN ? ZB_TIME_NONE : (zb_time)(day + 1) * ZB_DAY - 8 * ZB_HOUR - 1; }

static json_t *show(struct paper_ask *a, struct lcall *lc, int64_t id, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    json_error_t err;
    buf_init(&b, (size_t)16 << 20);
    json_init(&j, &b);
    if (ledger_show(lc, id, end_of(a->asof), end_of(a->known), &j, e) != ZB_OK) return NULL;
    json_t *o = json_loadb(b.p, b.n, 0, &err);
    if (!o) zb_fail(e, ZB_E_LIMIT, "the record is too large for a paper");
    return o;
}

/* What a reference field leads to, if the actor may see it; else the set has no row and its fields stay blank. */
static void ref_put(struct paper_ask *a, struct lcall *lc, const struct ledger_field *f, const json_t *values) {
    struct lcall to = *lc;
    struct zb_err none;
    to.l = &lc->policy->ledger[f->to_ledger];
    const json_t *id = json_object_get(values, f->key);
    if (!json_is_integer(id) || !ledger_access(to.l, to.actor)) return;
    json_t *o = show(a, &to, json_integer_value(id), &none);
    if (o) record_put(a, &to, f->key, to.l, o, json_object_get(o, "values"), true);
    json_decref(o);
}

static int linked_put(struct paper_ask *a, struct lcall *lc, const struct letter_linked *k, int64_t id, struct zb_err *e) {
    struct lcall to = *lc;
    char where[120];
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    json_error_t err;
    to.l = &lc->policy->ledger[k->to_ledger];
    if (!ledger_access(to.l, to.actor)) return zb_fail(e, ZB_E_DENIED, "this paper lists %s %s, which your role does not see", to.l->id, to.l->zh);
    snprintf(where, sizeof where, "%s=%lld", k->by, (long long)id);
    struct lquery q = {str_of(where), STR("id"), STR(""), 0, 2000, true};
    buf_init(&b, (size_t)64 << 20);
    json_init(&j, &b);
    sheaf_set(a->s, k->set, columns_of(lc->arena, to.l->field, to.l->fields, "no state"));
    if (ledger_list(&to, &q, &j, e) != ZB_OK) return e->rc;
    json_t *o = json_loadb(b.p, b.n, 0, &err), *rec, *all = json_object_get(o, "records");
    size_t i;
    json_array_foreach(all, i, rec) record_put(a, &to, k->set, to.l, rec, rec, false);
    json_decref(o);
    return ZB_OK;
}

/* "field=value" of the template. */
static bool fits(const struct letter_rule *l, const json_t *values) {
    struct str value, field = str_cut(str_of(l->when), '=', &value);
    char key[80];
    str_copy(field, key, sizeof key);
    const char *have = json_string_value(json_object_get(values, key));
    return !l->when[0] || (have && str_is(value, have));
}

/* The template that names what this record is. */
static const struct letter_rule *pick(const struct lcall *lc, const json_t *values) {
    for (int i = 0; i < lc->policy->letters; i++) {
        const struct letter_rule *l = &lc->policy->letter[i];
        if (l->of_ledger >= 0 && &lc->policy->ledger[l->of_ledger] == lc->l && l->when[0] && fits(l, values)) return l;
    }
    return NULL;
}

int sets_of_record(struct paper_ask *a, struct lcall *lc, struct str ref, struct zb_err *e) {
    int64_t id;
    if (!ref.n) return zb_fail(e, ZB_E_INPUT, "record is missing: this paper is about a record of %s %s, give its number", lc->l->id, lc->l->zh);
    if (ledger_find(lc, ref, &id, e) != ZB_OK) return e->rc;
    json_t *o = show(a, lc, id, e), *values = json_object_get(o, "values"), *rows, *r;
    if (!o) return e->rc;
    int rc = ZB_OK;
    if (!a->l) a->l = pick(lc, values);
    if (!a->l)
        rc = zb_fail(e, ZB_E_ABSENT, "%s %s: no letter is meant for this record: see report.kinds", lc->l->id, lc->l->zh);
    else if (!fits(a->l, values))
        rc = zb_fail(e, ZB_E_INPUT, "%s %s is for records with %s: see report.kinds", a->l->key, a->l->zh, a->l->when);
    if (rc == ZB_OK) record_put(a, lc, "record", lc->l, o, values, true);
    for (int i = 0; i < lc->l->fields && rc == ZB_OK; i++)
        if (lc->l->field[i].type == LF_REF) ref_put(a, lc, &lc->l->field[i], values);
    for (int i = 0; i < lc->l->subs && rc == ZB_OK; i++) {
        const struct ledger_sub *s = &lc->l->sub[i];
        size_t n;
        sheaf_set(a->s, s->key, columns_of(lc->arena, s->field, s->fields, ""));
        rows = json_object_get(json_object_get(o, "subs"), s->key);
        json_array_foreach(rows, n, r) row_put(a, lc, s->field, s->fields, r, false);
    }
    for (int i = 0; i < a->l->links && rc == ZB_OK; i++) rc = linked_put(a, lc, &a->l->link[i], id, e);
    json_decref(o);
    return rc;
}

/* ---- a list ---- */
static int list_rows(struct lcall *lc, struct str where, const int *field, int fields, struct paper *p, struct zb_err *e) {
    struct lquery q = {where, STR(""), STR(""), 0, 2000, true};
    for (int total = 0;;) {
        ZB_AUTO(buf_done) struct buf b;
        struct json j;
        json_error_t err;
        struct lcall part = *lc;
        buf_init(&b, (size_t)64 << 20);
        json_init(&j, &b);
        part.arena = arena_new((size_t)64 << 20);
        int rc = ledger_list(&part, &q, &j, e);
        json_t *o = rc == ZB_OK ? json_loadb(b.p, b.n, 0, &err) : NULL, *rec, *all = json_object_get(o, "records");
        size_t i, n = json_array_size(all);
        total += (int)n;
        if (total > LIST_MAX) rc = zb_fail(e, ZB_E_LIMIT, "more than %d records: narrow the list with where, or take ledger.export", LIST_MAX);
        json_array_foreach(all, i, rec) {
            const char *no = json_string_value(json_object_get(rec, "no")), *state = json_string_value(json_object_get(rec, "state"));
            int at = state ? lstate_find(lc->l, str_of(state)) : -1;
            if (rc != ZB_OK) break;
            paper_cell(p, str_of(no ? no : ""), CELL_LEFT);
            paper_cell(p, str_of(at >= 0 ? lc->l->state[at].zh : ""), CELL_CENTER);
            for (int k = 0; k < fields; k++) {
                zb_fix num;
                struct str s = field_shown(lc->policy, part.arena, &lc->l->field[field[k]], rec, false, &num);
                if (num != ZB_FIX_NONE)
                    paper_number(p, num, s);
                else
                    paper_cell(p, s, CELL_LEFT);
            }
            paper_row(p, 0);
        }
        q.after = json_integer_value(json_object_get(o, "next"));
        bool more = json_is_integer(json_object_get(o, "next")) && n == 2000;
        json_decref(o);
        arena_free(part.arena);
        if (rc != ZB_OK || !more) return rc;
    }
}

int paper_of_list(struct lcall *lc, struct str where, bool all, struct paper **ret, struct zb_err *e) {
    const struct ledger *l = lc->l;
    const struct ledger_access *acc = ledger_access(l, lc->actor);
    const struct page_style *page = NULL;
    int field[PAPER_COLS], n = 0;
    double width[PAPER_COLS] = {1.6, 1};
    char title[300], day[ZB_TIME_CAP];
    for (int i = 0; i < lc->policy->pages; i++)
        if (!strcmp(lc->policy->page[i].key, "sheet")) page = &lc->policy->page[i];
    if (!page) return zb_fail(e, ZB_E_ABSENT, "pages.yaml has no page \"sheet\"");
    for (int i = 0; i < l->fields && n < PAPER_COLS - 2; i++) {
        const struct ledger_field *f = &l->field[i];
        if (word_in(acc->hide, str_of(f->key)) || (!all && !word_in(l->columns, str_of(f->key)))) continue;
        width[2 + n] = f->type == LF_TEXT ? 3 : f->type == LF_REF ? 2 : 1.2;
        field[n++] = i;
    }
    struct paper *p = paper_new(page);
    snprintf(title, sizeof title, "%s", l->zh);
    paper_meta(p, str_of(title), zb_day_of(lc->now));
    paper_para(p, PARA_TITLE, str_of(title));
    paper_table(p, STR(""), 2 + n, width, 1);
    paper_cell(p, STR("编号"), CELL_CENTER);
    paper_label(p);
    paper_cell(p, STR("状态"), CELL_CENTER);
    paper_label(p);
    for (int i = 0; i < n; i++) {
        const struct ledger_field *f = &l->field[field[i]];
        snprintf(title, sizeof title, f->unit[0] ? "%s（%s）" : "%s", f->zh, f->unit);
        paper_cell(p, str_of(title), CELL_CENTER);
        paper_label(p);
    }
    paper_row(p, 0);
    int rc = list_rows(lc, where, field, n, p, e);
    snprintf(title, sizeof title, "制表日期：%s%s" STR_FMT, zb_day_text(zb_day_of(lc->now), day), where.n ? "；条件：" : "", STR_ARG(where));
    paper_para(p, PARA_NOTE, str_of(title));
    if (rc == ZB_OK) rc = paper_check(p, e);
    if (rc == ZB_OK)
        *ret = p;
    else
        paper_free(p);
    return rc;
}
