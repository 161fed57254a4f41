/* Clues of detectors become records of the clue ledger. Same facts, same clue: a clue that is there already is brought up to date while nobody has taken it
 * up, and left alone afterwards. */
#include "engine/inside.h"
#include "ledger/ledger.h"
#include <math.h>
#include <stdio.h>

#define TOGETHER 20 /* clues a transaction: officers write beside */

static json_t *text(const char *z) { return json_stringn(z, strlen(z)); }

static json_t *number(double v, const char *unit) {
    char s[80];
    if (!isfinite(v)) return json_null();
    snprintf(s, sizeof s, "%.6g%s%s", v, unit[0] ? " " : "", unit);
    return json_string(s);
}

/* The values of a record; trial: of a rule in the shadow. */
static json_t *values_of(const struct policy *p, const struct clue *c, int64_t site, zb_time now) {
    const struct clue_rule *r = &p->clue;
    char from[ZB_TIME_CAP], to[ZB_TIME_CAP], window[80];
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 18000);
    json_init(&j, &b);
    clue_json(c, p->hash, &j);
    snprintf(window, sizeof window, "%s — %s", zb_time_text(c->from, from), zb_time_text(c->to, to));
    json_t *v = json_object(), *rows = json_array();
    for (int i = 0; i < c->factors; i++) {
        const struct clue_factor *f = &c->factor[i];
        json_array_append_new(rows, json_pack("{s:s, s:o, s:o, s:o}", "name", f->zh, "observed", number(f->seen, f->unit), "expected",
                                              number(f->expected, f->unit), "deviation", number(f->seen - f->expected, f->unit)));
    }
    json_object_set_new(v, r->site, json_integer(site));
    json_object_set_new(v, r->rule, text(c->rule));
    json_object_set_new(v, r->raised_at, text(zb_time_text(now, from)));
    json_object_set_new(v, r->score, json_real(round(c->score * 1000) / 1000));
    json_object_set_new(v, r->reason, text(c->zh));
    json_object_set_new(v, r->reason_en, text(c->en));
    json_object_set_new(v, r->evidence, text(b.over ? "{}" : b.p));
    json_object_set_new(v, r->digest, text(c->id));
    json_object_set_new(v, r->window, text(window));
    json_object_set_new(v, r->shadow, json_boolean(c->shadow));
    json_object_set_new(v, r->factors, rows);
    return v;
}

static int clue_put(struct lcall *call, const struct clue *c, bool *fresh, struct zb_err *e) {
    const struct policy *p = call->policy;
    struct lcall at = *call;
    int64_t site, id = 0, rev = 0;
    int state = -1;
    bool done;
    at.l = &p->ledger[p->site.at];
    *fresh = false;
    if (ledger_find(&at, str_of(c->mine), &site, e) != ZB_OK) return e->rc;
    int rc = ledger_find(call, str_of(c->id), &id, e);
    if (rc == ZB_OK) rc = ledger_head(call, id, &rev, &state, e);
    if (rc != ZB_OK && rc != ZB_E_ABSENT) return rc;
    const char *key = state < 0 ? NULL : call->l->state[state].key;
    if (key && strcmp(key, p->clue.trial) && strcmp(key, p->clue.open)) return ZB_OK; /* somebody has it */
    json_t *v = values_of(p, c, site, call->now);
    if (!key) json_object_set_new(v, "state", text(c->shadow ? p->clue.trial : p->clue.open));
    if (key) json_object_del(v, p->clue.raised_at);
    struct lchange ch = {.id = id, .rev = rev, .values = v, .at = ZB_TIME_NONE};
    rc = ledger_change_in(call, &ch, &id, &done, e);
    json_decref(v);
    *fresh = !key;
    return rc;
}

int clues_store(struct engine *en, const struct policy *p, const struct clues *l, zb_time now, int *fresh, struct zb_err *e) {
    *fresh = 0;
    for (int i = 0; i < l->n;) {
        ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)16 << 20);
        struct db *w = engine_writer(en);
        struct lcall call = {.db = w, .policy = p, .l = &p->ledger[p->clue.at], .now = now, .arena = a, .dir = en->dir};
        int rc = db_begin(w, e), made = 0;
        for (int k = 0; k < TOGETHER && i < l->n && rc == ZB_OK; k++, i++) {
            bool news = false;
            rc = clue_put(&call, &l->c[i], &news, e);
            if (rc == ZB_E_ABSENT) {
                log_event("event=clue_without_mine mine=%s rule=%s next=\"the mine has no record yet\"", l->c[i].mine, l->c[i].rule);
                rc = ZB_OK;
            }
            made += news;
        }
        if (rc == ZB_OK) rc = db_commit(w, e);
        if (rc != ZB_OK) db_rollback(w);
        engine_writer_back(en);
        if (rc != ZB_OK) return rc;
        *fresh += made;
    }
    return ZB_OK;
}

/* Every SQL of clues.yaml and links.yaml is one the tables understand. */
int clue_sql_check(struct db *db, const struct policy *p, struct zb_err *e) {
    const struct clue_rule *c = &p->clue;
    const char *sql[] = {c->stops, c->persons, c->quota, c->places, c->visits, c->capacity},
               *name[] = {"stops", "persons", "quota", "places", "visits", "capacity"};
    for (int i = 0; i < 6; i++) {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql[i], e);
        if (!q) return zb_wrap(e, "clues.yaml: %s", name[i]);
        if (i) stmt_z(q, 1, "");
        if (stmt_row(q, e) < 0) return zb_wrap(e, "clues.yaml: %s", name[i]);
    }
    if (!p->link.required) return ZB_OK;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, p->link.required, e);
    if (!q) return zb_wrap(e, "links.yaml: required");
    stmt_z(q, 1, "");
    if (stmt_cols(q) != 2) return zb_fail(e, ZB_E_INPUT, "links.yaml: required gives %d columns; stream and its name are two", stmt_cols(q));
    if (stmt_row(q, e) < 0) return zb_wrap(e, "links.yaml: required");
    return ZB_OK;
}
