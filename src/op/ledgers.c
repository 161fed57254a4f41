/* Records through the operation table: definitions, lists, one record, acts, history, files, import and export. What an actor may is the ledger's own access table. */
#include "op/fns.h"
#include "ledger/ledger.h"
#include "sheet/sheet.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static int open_call(struct op_call *c, struct db *db, struct lcall *lc, struct zb_err *e) {
    int i = policy_ledger(c->policy, op_text(c, "ledger"));
    *lc = (struct lcall){.db = db, .policy = c->policy, .actor = &c->actor, .now = zb_now(), .arena = arena_new((size_t)64 << 20), .dir = engine_dir(c->en)};
    if (i >= 0 && ledger_access(&c->policy->ledger[i], &c->actor)) {
        lc->l = &c->policy->ledger[i];
        return ZB_OK;
    }
    struct str k = op_text(c, "ledger");
    return zb_fail(e, ZB_E_ABSENT, "no ledger \"%.*s\" that your role sees: see /api/v1/ledgers", k.n > 40 ? 40 : (int)k.n, k.p);
}

/* A reading or writing call: fn does it with the handle that fits. */
typedef int ledger_fn(struct op_call *c, struct lcall *lc, struct zb_err *e);
static int with(struct op_call *c, bool write, ledger_fn *fn, struct zb_err *e) {
    struct lcall lc;
    struct db *w = write ? engine_writer(c->en) : NULL;
    int rc = open_call(c, write ? w : c->db, &lc, e);
    if (rc == ZB_OK) rc = fn(c, &lc, e);
    if (write) engine_writer_back(c->en);
    arena_free(lc.arena);
    return rc;
}

static bool logs_reads(const struct op_call *c) {
    int i = policy_ledger(c->policy, op_text(c, "ledger"));
    return i >= 0 && c->policy->ledger[i].log_reads;
}

int op_ledgers(struct op_call *c, struct zb_err *e) {
    (void)e;
    struct lcall lc = {.db = c->db, .policy = c->policy, .actor = &c->actor};
    json_obj(c->out);
    json_key(c->out, "ledgers");
    json_arr(c->out);
    for (int i = 0; i < c->policy->ledgers; i++) {
        lc.l = &c->policy->ledger[i];
        if (ledger_access(lc.l, &c->actor)) ledger_json(&lc, c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

int op_regions(struct op_call *c, struct zb_err *e) {
    (void)e;
    json_obj(c->out);
    json_key(c->out, "regions");
    json_arr(c->out);
    for (int i = 0; i < c->policy->regions; i++) {
        const struct region *g = &c->policy->region[i];
        const char *const K[] = {"code", "name", "en"}, *const V[] = {g->code, g->name, g->en};
        json_obj(c->out);
        json_texts(c->out, 3, K, V);
        json_end(c->out);
    }
    json_arr_end(c->out);
    json_end(c->out);
    return ZB_OK;
}

static int list(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    struct lquery q = {op_text(c, "where"), op_text(c, "sort"), op_text(c, "q"), op_int(c, "after", 0), op_int(c, "limit", 100), false};
    return ledger_list(lc, &q, c->out, e);
}
int op_ledger_list(struct op_call *c, struct zb_err *e) { return with(c, false, list, e); }

static int show(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    int64_t id;
    return ledger_find(lc, op_text(c, "id"), &id, e) == ZB_OK
               ? ledger_show(lc, id, op_int(c, "asof", ZB_TIME_NONE), op_int(c, "known", ZB_TIME_NONE), c->out, e)
               : e->rc;
}
int op_ledger_show(struct op_call *c, struct zb_err *e) { return with(c, logs_reads(c), show, e); }

static int history(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    int64_t id;
    return ledger_find(lc, op_text(c, "id"), &id, e) == ZB_OK ? ledger_history(lc, id, c->out, e) : e->rc;
}
int op_ledger_history(struct op_call *c, struct zb_err *e) { return with(c, false, history, e); }

static json_t *values_of(struct op_call *c, struct zb_err *e) {
    struct str v = op_text(c, "values");
    json_error_t err;
    json_t *o = v.n ? json_loadb(v.p, v.n, JSON_REJECT_DUPLICATES, &err) : json_object();
    if (!o) zb_fail(e, ZB_E_INPUT, "values: not JSON: column %d: %s", err.column, err.text);
    if (o && !json_is_object(o)) {
        json_decref(o);
        o = NULL;
        zb_fail(e, ZB_E_INPUT, "values: an object {field: value} is expected");
    }
    return o;
}

/* What the ledger knows of mines becomes facts of the judge: name and gas class. */
struct site_seek {
    struct op_call *c;
    struct lcall *lc;
    struct {
        char code[24], name[96], gas[12];
    } set[200];
    int n;
};
static int site_differs(void *arg, const struct mine_view *v) {
    struct site_seek *s = arg;
    struct site_said said;
    struct zb_err e;
    if (ledger_site(s->lc, str_of(v->code), &said, &e) != ZB_OK) return 0;
    if (s->n == 200 || (!strcmp(said.name, v->name) && (!said.gas[0] || !strcmp(said.gas, v->gas_class)))) return 0;
    str_copy(str_of(v->code), s->set[s->n].code, 24);
    str_copy(str_of(said.name), s->set[s->n].name, 96);
    str_copy(str_of(said.gas), s->set[s->n++].gas, 12);
    return 0;
}

static void sites_tell(struct op_call *c, struct lcall *lc) {
    if (strcmp(lc->l->key, c->policy->site.ledger)) return;
    struct site_seek *s = xcalloc(1, sizeof *s);
    struct zb_err e;
    *s = (struct site_seek){.c = c, .lc = lc};
    engine_mines(c->en, STR(""), site_differs, s);
    for (int i = 0; i < s->n; i++)
        if (engine_mine_set(c->en, str_of(c->actor.user), str_of(s->set[i].code), str_of(s->set[i].name), str_of(s->set[i].gas), &e) != ZB_OK) break;
    free(s);
}

static int change(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    struct lchange ch = {.at = ZB_TIME_NONE};
    bool fresh = !strcmp(c->op->name, "ledger.new"), act = !strcmp(c->op->name, "ledger.do"), done = true;
    char key[64] = "";
    int64_t id = 0;
    if (!fresh && ledger_find(lc, op_text(c, "id"), &ch.id, e) != ZB_OK) return e->rc;
    if (!fresh) ch.rev = op_int(c, "rev", 0);
    if (act) {
        str_copy(op_text(c, "act"), key, sizeof key);
        ch.act = key;
        struct str password = op_text(c, "password");
        struct actor again;
        if (password.n && password_check(lc->db, str_of(c->actor.user), password, c->address, lc->now, &again, e) != ZB_OK) return e->rc;
        ch.password_ok = password.n > 0;
    }
    ch.why = op_text(c, "why");
    ch.at = op_int(c, "at", ZB_TIME_NONE);
    if (!(ch.values = values_of(c, e))) return e->rc;
    int rc = ledger_change(lc, &ch, &id, &done, e);
    json_decref(ch.values);
    if (rc != ZB_OK) return rc;
    sites_tell(c, lc);
    json_obj(c->out);
    json_key(c->out, "id");
    json_i64(c->out, id);
    json_key(c->out, "done");
    json_bool(c->out, done);
    json_end(c->out);
    return ZB_OK;
}
int op_ledger_new(struct op_call *c, struct zb_err *e) { return with(c, true, change, e); }
int op_ledger_edit(struct op_call *c, struct zb_err *e) { return with(c, true, change, e); }
int op_ledger_do(struct op_call *c, struct zb_err *e) { return with(c, true, change, e); }

static int unseal(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    int64_t id;
    return ledger_find(lc, op_text(c, "id"), &id, e) == ZB_OK ? ledger_unseal(lc, id, op_text(c, "field"), op_text(c, "why"), c->out, e) : e->rc;
}
int op_ledger_unseal(struct op_call *c, struct zb_err *e) { return with(c, true, unseal, e); }

static int erase(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    int64_t id;
    if (ledger_find(lc, op_text(c, "id"), &id, e) != ZB_OK || ledger_erase(lc, id, op_text(c, "why"), e) != ZB_OK) return e->rc;
    json_obj(c->out);
    json_end(c->out);
    return ZB_OK;
}
int op_ledger_erase(struct op_call *c, struct zb_err *e) { return with(c, true, erase, e); }

static int attach(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    int64_t id;
    return ledger_find(lc, op_text(c, "id"), &id, e) == ZB_OK ? ledger_attach(lc, id, op_text(c, "name"), c->body, c->out, e) : e->rc;
}
int op_ledger_attach(struct op_call *c, struct zb_err *e) { return with(c, true, attach, e); }

void op_file_named(struct op_call *c, const char *name) { /* RFC 6266: the real name in UTF-8 */
    static const char HEX[] = "0123456789ABCDEF";
    size_t n = (size_t)snprintf(c->disposition, sizeof c->disposition, "attachment; filename*=UTF-8''");
    for (const unsigned char *p = (const unsigned char *)name; *p && n + 4 < sizeof c->disposition; p++) {
        if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || strchr("-._", *p)) {
            c->disposition[n++] = (char)*p;
        } else {
            c->disposition[n++] = '%';
            c->disposition[n++] = HEX[*p >> 4];
            c->disposition[n++] = HEX[*p & 15];
        }
    }
    c->disposition[n] = 0;
}

int op_ledger_file(struct op_call *c, struct zb_err *e) {
    struct lcall lc = {.db = c->db, .policy = c->policy, .actor = &c->actor, .now = zb_now(), .arena = c->arena, .dir = engine_dir(c->en)};
    char name[200];
    const char *kind = "";
    if (ledger_file(&lc, op_int(c, "file", 0), c->out->b, name, &kind, e) != ZB_OK) return e->rc;
    c->type = arena_str(c->arena, str_of(kind));
    op_file_named(c, name);
    return ZB_OK;
}

/* ---- import ---- */
static const struct import_profile *profile_for(const struct policy *p, const struct ledger *l, const struct sheet *s) {
    for (int i = 0; i < p->imports; i++) {
        const struct import_profile *im = &p->import[i];
        int there = 0;
        if (&p->ledger[im->to_ledger] != l) continue;
        for (int k = 0; k < im->columns; k++)
            for (int col = 0; col < s->cols; col++)
                if (str_is(str_trim(s->cell[col]), im->column[k].from)) {
                    there++;
                    break;
                }
        if (there == im->columns) return im; /* every column it knows is there */
    }
    return NULL;
}

static int import(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    struct sheet s;
    if (sheet_read(lc->arena, c->body, &s, e) != ZB_OK) return e->rc;
    struct limport im = {.profile = s.rows ? profile_for(c->policy, lc->l, &s) : NULL,
                         .dry = op_int(c, "dry", 0) == 1,
                         .sheet = s.name,
                         .rows = s.rows,
                         .cols = s.cols,
                         .cell = s.cell,
                         .line = s.line};
    int rc = ledger_import(lc, &im, c->out, e);
    if (rc == ZB_OK && !im.dry) sites_tell(c, lc);
    return rc;
}
int op_ledger_import(struct op_call *c, struct zb_err *e) { return with(c, true, import, e); }

/* ---- export: what the list gives, as people read it ---- */
static int export_rows(struct lcall *lc, const struct lquery *in, struct table_writer *w, struct zb_err *e) {
    const struct ledger_access *acc = ledger_access(lc->l, lc->actor);
    const struct ledger *l = lc->l;
    table_text(w, STR("编号"));
    table_text(w, STR("状态"));
    for (int i = 0; i < l->fields; i++)
        if (!word_in(acc->hide, str_of(l->field[i].key))) table_text(w, str_of(l->field[i].zh));
    table_row(w);
    struct lquery q = *in;
    q.limit = 2000;
    for (;;) {
        struct arena *a = arena_new((size_t)64 << 20);
        ZB_AUTO(buf_done) struct buf b;
        struct json j;
        buf_init(&b, (size_t)64 << 20);
        json_init(&j, &b);
        struct lcall one = *lc;
        one.arena = a;
        int rc = ledger_list(&one, &q, &j, e);
        if (rc != ZB_OK) {
            arena_free(a);
            return rc;
        }
        json_error_t err;
        json_t *o = json_loadb(b.p, b.n, 0, &err), *rec;
        size_t n;
        json_array_foreach(json_object_get(o, "records"), n, rec) {
            int s = lstate_find(l, str_of(json_string_value(json_object_get(rec, "state"))));
            const char *no = json_string_value(json_object_get(rec, "no"));
            table_text(w, str_of(no ? no : ""));
            table_text(w, str_of(s >= 0 ? l->state[s].zh : ""));
            for (int i = 0; i < l->fields; i++) {
                const struct ledger_field *f = &l->field[i];
                if (word_in(acc->hide, str_of(f->key))) continue;
                json_t *v = json_object_get(rec, f->key);
                char nk[80];
                snprintf(nk, sizeof nk, "%s_name", f->key);
                if (f->type == LF_REF) v = json_object_get(rec, nk);
                if (json_is_number(v)) {
                    table_fix(w, (zb_fix)(json_number_value(v) * 1e6 + (json_number_value(v) < 0 ? -0.5 : 0.5)));
                } else if (json_is_boolean(v)) {
                    table_text(w, json_is_true(v) ? STR("是") : STR("否"));
                } else {
                    const char *t = json_string_value(v);
                    struct str s2 = str_of(t ? t : "");
                    const struct list_item *it = f->type == LF_ENUM && t ? list_find(f->list, s2) : NULL;
                    const struct region *g = f->type == LF_REGION && t ? policy_region(lc->policy, s2) : NULL;
                    if (f->type == LF_SET) s2 = ledger_set_text(lc->arena, f, s2);
                    table_text(w, it ? item_text(a, it) : g ? str_of(g->name) : f->type == LF_TIME && s2.n > 19 ? (struct str){s2.p, 19} : s2);
                }
            }
            table_row(w);
        }
        json_t *next = json_object_get(o, "next");
        bool more = json_is_integer(next) && json_array_size(json_object_get(o, "records")) == 2000;
        q.after = json_integer_value(next);
        json_decref(o);
        arena_free(a);
        if (!more) return ZB_OK;
    }
}

static int export(struct op_call *c, struct lcall *lc, struct zb_err *e) {
    bool csv = str_is(op_text(c, "format"), "csv");
    if (op_text(c, "format").n && !csv && !str_is(op_text(c, "format"), "xlsx")) return zb_fail(e, ZB_E_INPUT, "format: xlsx or csv");
    struct lquery q = {op_text(c, "where"), op_text(c, "sort"), op_text(c, "q"), 0, 2000, true};
    struct table_writer *w = table_begin(!csv, lc->l->zh);
    int rc = export_rows(lc, &q, w, e);
    struct zb_err e2;
    int rc2 = table_end(w, c->out->b, rc == ZB_OK ? e : &e2);
    if (rc != ZB_OK || rc2 != ZB_OK) return rc != ZB_OK ? rc : rc2;
    c->type = csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    char name[200], day[ZB_TIME_CAP];
    snprintf(name, sizeof name, "%s-%s.%s", lc->l->zh, zb_day_text(zb_day_of(lc->now), day), csv ? "csv" : "xlsx");
    op_file_named(c, name);
    return ZB_OK;
}
int op_ledger_export(struct op_call *c, struct zb_err *e) { return with(c, false, export, e); }
