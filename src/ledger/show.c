/* One record as a page shows it, as of a date and as known on a date; its history with differences; the definition as its reader may use it. */
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>

static bool hidden(const struct ledger_access *acc, const char *field) { return acc && word_in(acc->hide, str_of(field)); }

static void field_json(struct lcall *c, const struct ledger_field *f, const struct value *v, struct json *j) {
    json_key(j, f->key);
    value_json(j, f, v);
    if (f->type == LF_REF && !v->null) {
        json_key(j, arena_printf(c->arena, "%s_name", f->key));
        json_str(j, ref_title(c, f->to_ledger, v->i));
    }
    const struct list_item *it = f->type == LF_ENUM && !v->null ? list_find(f->list, v->s) : NULL;
    if (it && it->edition && it->edition->key[0]) { /* which document it was judged by is said wherever it is shown */
        json_key(j, arena_printf(c->arena, "%s_name", f->key));
        json_str(j, item_text(c->arena, it));
    }
}

/* ---- the definition ---- */
static void names_json(struct json *j, const char *key, const char *zh, const char *en) {
    json_key(j, "key");
    json_z(j, key);
    json_key(j, "zh");
    json_z(j, zh);
    json_key(j, "en");
    json_z(j, en);
}

static void words_json(struct json *j, const char *key, const char *words) {
    json_key(j, key);
    json_arr(j);
    struct str rest = str_of(words);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, ' ', &rest);
        if (w.n) json_str(j, w);
    }
    json_arr_end(j);
}

/* Only what is said: most lists have neither times nor kinds. */
static void item_json(struct json *j, const struct list_item *it) {
    char day[ZB_TIME_CAP];
    json_obj(j);
    names_json(j, it->key, it->zh, it->en);
    const struct list_edition *ed = it->edition;
    const char *const K[] = {"from", "to", "kinds", "edition", "edition_en", "cite", "heading", "thresholds"};
    const char *kinds = it->kinds[0] || !ed ? it->kinds : ed->kinds, *zh = ed && ed->key[0] ? ed->zh : "", *en = ed && ed->key[0] ? ed->en : "";
    const char *const V[] = {"", "", kinds, zh, en, it->cite, it->heading, it->thresholds};
    for (int i = 0; i < 8; i++) {
        int32_t d = i ? it->to : it->from;
        const char *text = i > 1 ? V[i] : d == (i ? INT32_MAX : INT32_MIN) ? "" : zb_day_text(d, day);
        if (!text[0]) continue;
        json_key(j, K[i]);
        json_z(j, text);
    }
    json_end(j);
}

void list_json(const struct code_list *l, struct json *j) {
    json_obj(j);
    names_json(j, l->key, l->zh, l->en);
    json_key(j, "items");
    json_arr(j);
    for (int i = 0; i < l->items; i++) item_json(j, &l->item[i]);
    json_arr_end(j);
    json_end(j);
}

static void field_def(struct json *j, const struct policy *p, const struct ledger_field *f) {
    json_obj(j);
    names_json(j, f->key, f->zh, f->en);
    json_key(j, "type");
    json_z(j, LFIELD_TYPE_KEY[f->type]);
    json_key(j, "unit");
    json_z(j, f->unit);
    json_key(j, "help");
    json_arr(j);
    json_z(j, f->help_zh);
    json_z(j, f->help_en);
    json_arr_end(j);
    json_key(j, "required");
    json_bool(j, f->required);
    json_key(j, "filter");
    json_bool(j, f->filter);
    json_key(j, "derived");
    json_bool(j, f->derive[0] != 0);
    json_key(j, "min");
    json_fix(j, f->min);
    json_key(j, "max");
    json_fix(j, f->max);
    json_key(j, "max_bytes");
    json_i64(j, f->max_bytes);
    json_key(j, "to");
    json_z(j, f->type == LF_REF ? p->ledger[f->to_ledger].key : "");
    json_key(j, "of");
    json_arr(j);
    for (int i = 0; f->list && i < f->list->items; i++) item_json(j, &f->list->item[i]);
    json_arr_end(j);
    if (f->list_day[0]) {
        json_key(j, "list_day");
        json_z(j, f->list_day);
    }
    if (f->list_of[0]) {
        json_key(j, "list_of");
        json_z(j, f->list_of);
    }
    json_end(j);
}

static void fields_def(struct json *j, const struct policy *p, const struct ledger_field *f, int n, const struct ledger_access *acc) {
    json_key(j, "fields");
    json_arr(j);
    for (int i = 0; i < n; i++)
        if (!hidden(acc, f[i].key)) field_def(j, p, &f[i]);
    json_arr_end(j);
}

void ledger_json(const struct lcall *c, struct json *j) {
    const struct ledger *l = c->l;
    const struct ledger_access *acc = c->actor ? ledger_access(l, c->actor) : NULL;
    json_obj(j);
    names_json(j, l->key, l->zh, l->en);
    json_key(j, "id");
    json_z(j, l->id);
    json_key(j, "source");
    json_z(j, l->source);
    json_key(j, "master");
    json_z(j, l->master);
    json_key(j, "title");
    json_z(j, l->title);
    json_key(j, "search");
    json_bool(j, l->search[0] != 0);
    json_key(j, "read_only");
    json_bool(j, l->view[0] != 0);
    json_key(j, "can_new");
    json_bool(j, acc && acc->create && !l->view[0]);
    json_key(j, "can_import");
    json_bool(j, acc && acc->import && !l->view[0]);
    json_key(j, "can_unseal");
    json_bool(j, acc && acc->unseal);
    words_json(j, "columns", l->columns);
    fields_def(j, c->policy, l->field, l->fields, acc);
    json_key(j, "subs");
    json_arr(j);
    for (int i = 0; i < l->subs; i++) {
        if (hidden(acc, l->sub[i].key)) continue;
        json_obj(j);
        names_json(j, l->sub[i].key, l->sub[i].zh, l->sub[i].en);
        fields_def(j, c->policy, l->sub[i].field, l->sub[i].fields, NULL);
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "states");
    json_arr(j);
    for (int i = 0; i < l->states; i++) {
        if (acc && (acc->not_states >> i & 1)) continue;
        json_obj(j);
        names_json(j, l->state[i].key, l->state[i].zh, l->state[i].en);
        json_key(j, "open");
        json_bool(j, l->state[i].open);
        json_key(j, "edit");
        json_bool(j, acc && (acc->edit >> i & 1));
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "acts");
    json_arr(j);
    for (int i = 0; i < l->acts; i++) {
        const struct ledger_act *a = &l->act[i];
        json_obj(j);
        names_json(j, a->key, a->zh, a->en);
        json_key(j, "to");
        json_z(j, a->to >= 0 ? l->state[a->to].key : "");
        words_json(j, "needs", a->needs);
        words_json(j, "asks", a->asks);
        json_key(j, "signed");
        json_bool(j, a->is_signed);
        json_key(j, "why");
        json_bool(j, a->why);
        json_key(j, "officers");
        json_i64(j, a->officers);
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
}

/* ---- one record ---- */
static int acts_json(struct lcall *c, const struct record *r, struct json *j, struct zb_err *e) {
    char zh[200], en[240];
    struct rectify_facts f;
    if (facts_of(c, r, &f, e) != ZB_OK) return e->rc;
    const struct ledger_access *acc = c->actor ? ledger_access(c->l, c->actor) : NULL;
    bool here = !acc || access_writes(c, r, acc);
    json_key(j, "acts");
    json_arr(j);
    for (int i = 0; i < c->l->acts; i++) {
        const struct ledger_act *a = &c->l->act[i];
        enum verdict no = rectify_may(c->l, a, &f);
        if (!(a->from >> r->state & 1) || !strcmp(a->roles, "auto") || !here) continue; /* not of this state: not worth a line */
        rectify_why(c->l, a, no, &f, zh, en);
        json_obj(j);
        json_key(j, "key");
        json_z(j, a->key);
        json_key(j, "allowed");
        json_bool(j, no == ALLOWED);
        json_key(j, "why_not");
        json_arr(j);
        json_z(j, zh);
        json_z(j, en);
        json_arr_end(j);
        json_key(j, "signed_by"); /* the officers who put their name so far; each does it once */
        json_arr(j);
        ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select who from ledger_cosign where ledger=?1 and rec=?2 and rev=?3 and act=?4 order by t", e);
        if (!q) return e->rc;
        stmt_z(q, 1, c->l->key);
        stmt_i64(q, 2, r->id);
        stmt_i64(q, 3, r->rev);
        stmt_z(q, 4, a->key);
        while (stmt_row(q, e) == 1) json_str(j, stmt_col_text(q, 0));
        json_arr_end(j);
        json_end(j);
    }
    json_arr_end(j);
    return ZB_OK;
}

static int clocks_json(struct lcall *c, const struct record *r, struct json *j, struct zb_err *e) {
    json_key(j, "clocks");
    json_arr(j);
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(c->db, "select clock,started,due,first_due,step,stopped from ledger_clock where ledger=?1 and rec=?2 order by due", e);
    if (!q) return e->rc;
    stmt_z(q, 1, c->l->key);
    stmt_i64(q, 2, r->id);
    int got;
    while ((got = stmt_row(q, e)) == 1) {
        const struct ledger_clock *ck = NULL;
        for (int i = 0; i < c->l->clocks; i++)
            if (str_is(stmt_col_text(q, 0), c->l->clock[i].key)) ck = &c->l->clock[i];
        if (!ck) continue;
        json_obj(j);
        names_json(j, ck->key, ck->zh, ck->en);
        json_key(j, "started");
        json_time(j, stmt_col_i64(q, 1));
        json_key(j, "due");
        json_time(j, stmt_col_i64(q, 2));
        json_key(j, "first_due");
        json_time(j, stmt_col_i64(q, 3));
        json_key(j, "stopped");
        json_time(j, stmt_col_time(q, 5));
        json_key(j, "late");
        json_bool(j, (stmt_col_null(q, 5) ? c->now : stmt_col_i64(q, 5)) > stmt_col_i64(q, 2));
        json_end(j);
    }
    json_arr_end(j);
    return got;
}

static int subs_json(struct lcall *c, int64_t id, int64_t rev, const struct ledger_access *acc, struct json *j, struct zb_err *e) {
    json_key(j, "subs");
    json_obj(j);
    for (int s = 0; s < c->l->subs; s++) {
        const struct ledger_sub *sub = &c->l->sub[s];
        if (hidden(acc, sub->key)) continue;
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 32 << 10);
        buf_puts(&b, "select row");
        for (int i = 0; i < sub->fields; i++) buf_printf(&b, ",\"%s\"", sub->field[i].key);
        buf_printf(&b, " from s_%s_%s where rec=?1 and since<=?2 and (until is null or until>?2) order by row", c->l->key, sub->key);
        ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
        if (!q) return e->rc;
        stmt_i64(q, 1, id);
        stmt_i64(q, 2, rev);
        json_key(j, sub->key);
        json_arr(j);
        int r;
        while ((r = stmt_row(q, e)) == 1) {
            json_obj(j);
            json_key(j, "row");
            json_i64(j, stmt_col_i64(q, 0));
            for (int i = 0; i < sub->fields; i++) {
                struct value v;
                value_read(q, 1 + i, &sub->field[i], c->arena, &v);
                field_json(c, &sub->field[i], &v, j);
            }
            json_end(j);
        }
        if (r < 0) return r;
        json_arr_end(j);
    }
    json_end(j);
    return ZB_OK;
}

static int files_json(struct lcall *c, int64_t id, struct json *j, struct zb_err *e) {
    json_key(j, "files");
    json_arr(j);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select id,name,kind,size,sha256,t,who from ledger_file where ledger=?1 and rec=?2 order by id", e);
    if (!q) return e->rc;
    stmt_z(q, 1, c->l->key);
    stmt_i64(q, 2, id);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        json_obj(j);
        stmt_json(q, j, "file:i name:s kind:s size:i sha256:s t:t who:s");
        json_end(j);
    }
    json_arr_end(j);
    return r;
}

/* Records of other ledgers that refer to this one: how many of each, as far as the actor may see them. */
static int links_json(struct lcall *c, int64_t id, struct json *j, struct zb_err *e) {
    json_key(j, "linked");
    json_arr(j);
    int me = (int)(c->l - c->policy->ledger);
    for (int i = 0; i < c->policy->ledgers; i++) {
        const struct ledger *o = &c->policy->ledger[i];
        struct lcall oc = *c;
        oc.l = o;
        if (o->view[0] || (c->actor && !ledger_access(o, c->actor))) continue;
        for (int k = 0; k < o->fields; k++) {
            if (o->field[k].type != LF_REF || o->field[k].to_ledger != me || o->field[k].derive[0]) continue;
            ZB_AUTO(buf_done) struct buf b;
            buf_init(&b, 8192);
            int n = 2;
            buf_printf(&b, "select count(*) from (select 1 from l_%s r where r.\"%s\"=?1 and ", o->key, o->field[k].key);
            if (!scope_sql(&oc, &b, &n, db_kind(c->db) == DB_SQLITE)) continue;
            buf_puts(&b, " limit 1001) t");
            ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
            if (!q) return e->rc;
            stmt_i64(q, 1, id);
            n = 2;
            scope_bind(&oc, q, &n);
            int r = stmt_row(q, e);
            if (r < 0) return r;
            if (r != 1 || !stmt_col_i64(q, 0)) continue;
            json_obj(j);
            json_key(j, "ledger");
            json_z(j, o->key);
            json_key(j, "field");
            json_z(j, o->field[k].key);
            json_key(j, "n");
            json_i64(j, stmt_col_i64(q, 0));
            json_end(j);
        }
    }
    json_arr_end(j);
    return ZB_OK;
}

static void head_json(struct lcall *c, const struct record *r, struct json *j) {
    json_key(j, "ledger");
    json_z(j, c->l->key);
    json_key(j, "id");
    json_i64(j, r->id);
    json_key(j, "no");
    if (r->no[0])
        json_z(j, r->no);
    else
        json_none(j);
    json_key(j, "rev");
    json_i64(j, r->rev);
    json_key(j, "state");
    json_z(j, c->l->state[r->state].key);
    json_key(j, "area");
    json_z(j, r->area);
    json_key(j, "mine");
    json_z(j, r->mine);
}

static int read_journal(struct lcall *c, int64_t id, struct zb_err *e) {
    char subject[120];
    snprintf(subject, sizeof subject, "%s/%lld", c->l->key, (long long)id);
    char name[80];
    snprintf(name, sizeof name, "%s.read", c->l->key);
    if (db_begin(c->db, e) != ZB_OK) return e->rc;
    int rc = audit_append(c->db, c->now, str_of(c->actor ? c->actor->user : "auto"), str_of(name), str_of(subject), STR("{}"), e);
    if (rc == ZB_OK) rc = db_commit(c->db, e);
    if (rc != ZB_OK) db_rollback(c->db);
    return rc;
}

/* The version that was so at asof, as known at known. */
static int version_find(struct lcall *c, int64_t id, zb_time asof, zb_time known, struct record *r, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    buf_puts(&b, "select rev,state,no,area,mine,as_from,who");
    for (int i = 0; i < c->l->fields; i++) c->l->field[i].derive[0] ? buf_puts(&b, ",null") : buf_printf(&b, ",\"%s\"", c->l->field[i].key);
    buf_printf(&b, " from h_%s where id=?1 and known<=?2 and as_from<=?3 order by as_from desc, rev desc limit 1", c->l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    stmt_i64(q, 2, known == ZB_TIME_NONE ? INT64_MAX : known);
    stmt_i64(q, 3, asof == ZB_TIME_NONE ? INT64_MAX : asof);
    int got = stmt_row(q, e);
    if (got < 0) return got;
    if (got == 0) return zb_fail(e, ZB_E_ABSENT, "此时尚无该记录; the record was not there, or not known, at that time");
    r->rev = stmt_col_i64(q, 0);
    r->state = lstate_find(c->l, stmt_col_text(q, 1));
    if (r->state < 0) return zb_fail(e, ZB_E_ABSENT, "its state of that time is not in the policy of today");
    str_copy(stmt_col_text(q, 2), r->no, sizeof r->no);
    for (int i = 0; i < c->l->fields; i++) value_read(q, 7 + i, &c->l->field[i], c->arena, &r->v[i]);
    return ZB_OK;
}

int ledger_show(struct lcall *c, int64_t id, zb_time asof, zb_time known, struct json *j, struct zb_err *e) {
    struct record r;
    const struct ledger_access *acc;
    bool past = asof != ZB_TIME_NONE || known != ZB_TIME_NONE;
    if (record_load(c, id, true, &r, e) != ZB_OK) return e->rc;
    if (c->l->log_reads && c->actor && read_journal(c, id, e) != ZB_OK) return e->rc;
    if (past && version_find(c, id, asof, known, &r, e) != ZB_OK) return e->rc;
    if (!access_sees(c, &r, &acc)) return zb_fail(e, ZB_E_ABSENT, "%s %s: no record %lld here", c->l->id, c->l->zh, (long long)id);
    json_obj(j);
    head_json(c, &r, j);
    json_key(j, "created");
    json_time(j, r.created);
    json_key(j, "created_by");
    json_z(j, r.created_by);
    json_key(j, "updated");
    json_time(j, r.updated);
    json_key(j, "updated_by");
    json_z(j, r.updated_by);
    json_key(j, "due");
    json_time(j, r.due);
    json_key(j, "due_first");
    json_time(j, r.due_first);
    json_key(j, "overdue");
    json_bool(j, r.due != ZB_TIME_NONE && r.due < c->now);
    json_key(j, "past");
    json_bool(j, past);
    json_key(j, "values");
    json_obj(j);
    for (int i = 0; i < c->l->fields; i++)
        if (!hidden(acc, c->l->field[i].key)) field_json(c, &c->l->field[i], &r.v[i], j);
    json_end(j);
    json_key(j, "can_edit");
    json_bool(j, !past && acc && (acc->edit >> r.state & 1) && access_writes(c, &r, acc));
    if (c->l->view[0]) {
        json_end(j);
        return ZB_OK;
    }
    if (subs_json(c, id, r.rev, acc, j, e) != ZB_OK || acts_json(c, &r, j, e) != ZB_OK || clocks_json(c, &r, j, e) != ZB_OK ||
        files_json(c, id, j, e) != ZB_OK || links_json(c, id, j, e) != ZB_OK)
        return e->rc;
    json_end(j);
    return ZB_OK;
}

/* ---- history ---- */
int ledger_history(struct lcall *c, int64_t id, struct json *j, struct zb_err *e) {
    struct record now;
    const struct ledger_access *acc;
    ZB_AUTO(buf_done) struct buf b;
    if (record_load(c, id, false, &now, e) != ZB_OK) return e->rc;
    access_sees(c, &now, &acc);
    buf_init(&b, 64 << 10);
    buf_puts(&b, "select rev,act,who,why,known,as_from,state");
    for (int i = 0; i < c->l->fields; i++) c->l->field[i].derive[0] ? buf_puts(&b, ",null") : buf_printf(&b, ",\"%s\"", c->l->field[i].key);
    buf_printf(&b, " from h_%s where id=?1 order by rev", c->l->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, b.p, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, id);
    struct value *was = arena_alloc(c->arena, (size_t)(c->l->fields + 1) * sizeof *was), v;
    if (!was) return zb_fail(e, ZB_E_LIMIT, "the request is too large");
    for (int i = 0; i < c->l->fields; i++) was[i].null = true;
    json_obj(j);
    json_key(j, "versions");
    json_arr(j);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        int s = lstate_find(c->l, stmt_col_text(q, 6));
        bool unseen = acc && s >= 0 && (acc->not_states >> s & 1); /* what was hidden then stays hidden */
        if (!unseen) {
            json_obj(j);
            stmt_json(q, j, "rev:i act:s who:s why:s known:t as_from:t state:s");
            json_key(j, "changes");
            json_arr(j);
        }
        for (int i = 0; i < c->l->fields; i++) {
            const struct ledger_field *f = &c->l->field[i];
            if (f->derive[0] || hidden(acc, f->key)) continue;
            value_read(q, 7 + i, f, c->arena, &v);
            if (!unseen && !value_same(f, &was[i], &v)) {
                json_obj(j);
                json_key(j, "field");
                json_z(j, f->key);
                json_key(j, "old");
                json_str(j, value_text(c, f, &was[i]));
                json_key(j, "new");
                json_str(j, value_text(c, f, &v));
                json_end(j);
            }
            if (!unseen) was[i] = v;
        }
        if (unseen) continue;
        json_arr_end(j);
        json_end(j);
    }
    if (r < 0) return r;
    json_arr_end(j);
    json_end(j);
    return ZB_OK;
}
