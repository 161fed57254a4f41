/* Records out of a table of texts: every refused cell is told by its line and column; dry runs do everything but keep it. */
#include "base/map.h"
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>

#define COLS_MAX 500
#define TOLD_MAX 1000
#define STATE_FIELD (-2)
struct plan { /* which column of the file fills what; a column may fill several fields */
    struct {
        int col, field; /* field: index, or STATE_FIELD */
        const struct import_column *rule;
    } use[COLS_MAX];
    int n;
};

static bool in_also(const char *also, struct str h) {
    struct str rest = str_of(also);
    while (rest.p && rest.n)
        if (str_eq(str_cut(rest, '|', &rest), h)) return true;
    return false;
}

static void plan_make(const struct lcall *c, const struct limport *im, struct plan *p) {
    for (int k = 0; k < im->cols; k++) {
        struct str h = str_trim(im->cell[k]);
        for (int i = 0; im->profile && i < im->profile->columns && p->n < COLS_MAX; i++) {
            const struct import_column *r = &im->profile->column[i];
            if (!str_is(h, r->from)) continue;
            p->use[p->n].col = k;
            p->use[p->n].rule = r;
            p->use[p->n++].field = strcmp(r->to, "state") ? lfield_find(c->l->field, c->l->fields, str_of(r->to)) : STATE_FIELD;
        }
        for (int i = 0; !im->profile && i < c->l->fields && p->n < COLS_MAX; i++) {
            const struct ledger_field *f = &c->l->field[i];
            if (f->derive[0] || !(str_is(h, f->key) || str_is(h, f->zh) || str_is(h, f->en) || in_also(f->also, h))) continue;
            p->use[p->n].col = k;
            p->use[p->n++].field = i;
        }
    }
}

static bool used(const struct plan *p, int col) {
    for (int i = 0; i < p->n; i++)
        if (p->use[i].col == col) return true;
    return false;
}

/* A decimal comma to a point, a map, what is to be dropped, a factor: as the profile says. */
static struct str cell_clean(struct lcall *c, const struct import_column *r, struct str t, struct zb_err *e) {
    struct str s = str_trim(t);
    if (!r) return s;
    if (r->drop[0] && in_also(r->drop, s)) return STR("");
    if (r->map[0]) {
        struct str rest = str_of(r->map);
        while (rest.p && rest.n) {
            struct str to, one = str_cut(rest, '|', &rest), from = str_cut(one, '=', &to);
            if (str_eq(from, s)) return to;
        }
    }
    if (r->comma && s.n) {
        char *z = arena_str(c->arena, s);
        char *to = z;
        for (const char *p = z; p && *p; p++) /* "8, 0341" is 8.0341 */
            if (*p != ' ') *to++ = *p == ',' ? '.' : *p;
        if (z) *to = 0;
        s = str_of(z);
    }
    if (r->scale != ZB_FIX_NONE && s.n) {
        zb_fix v;
        char out[ZB_FIX_CAP];
        if (num_fix(s, &v)) s = str_of(arena_str(c->arena, str_of(zb_fix_text((zb_fix)((__int128)v * r->scale / ZB_FIX_ONE), out))));
    }
    if (!strcmp(r->as, "address") && s.n) {
        const struct region *g = policy_region_of(c->policy, s);
        if (!g) {
            zb_fail(e, ZB_E_INPUT, "%s: no county of the province is named in \"" STR_FMT "\"", r->to, STR_ARG(s));
            return (struct str){NULL, 0};
        }
        return str_of(g->code);
    }
    return s;
}

struct told {
    struct json *j;
    int n, refused;
};
static void tell(struct told *t, const struct limport *im, int line, const char *column, struct str value, const char *reason) {
    if (t->n++ >= TOLD_MAX) return;
    json_obj(t->j);
    json_key(t->j, "sheet");
    json_z(t->j, im->sheet);
    json_key(t->j, "line");
    json_i64(t->j, line);
    json_key(t->j, "column");
    json_z(t->j, column);
    json_key(t->j, "value");
    json_str(t->j, value.n > 200 ? (struct str){value.p, 0} : value);
    json_key(t->j, "reason");
    json_z(t->j, reason);
    json_end(t->j);
}

static const char *column_name(int k, char out[8]) { /* A … Z, AA … */
    char rev[8];
    int n = 0;
    for (k++; k > 0 && n < 6; k = (k - 1) / 26) rev[n++] = (char)('A' + (k - 1) % 26);
    for (int i = 0; i < n; i++) out[i] = rev[n - 1 - i];
    out[n] = 0;
    return out;
}

static bool row_values(struct lcall *c, const struct limport *im, const struct plan *p, int row, json_t *values, struct told *t) {
    bool good = true;
    char col[8];
    struct str rest = str_of(im->profile ? im->profile->constant : "");
    while (rest.p && rest.n) {
        struct str v, one = str_cut(rest, '|', &rest), k = str_cut(one, '=', &v);
        json_object_set_new(values, arena_str(c->arena, k), json_stringn(v.p, v.n));
    }
    for (int k = 0; k < p->n; k++) {
        struct zb_err e = {0};
        struct value v;
        const struct ledger_field *f = p->use[k].field >= 0 ? &c->l->field[p->use[k].field] : NULL;
        struct str cell = im->cell[(size_t)row * (size_t)im->cols + (size_t)p->use[k].col], s = cell_clean(c, p->use[k].rule, cell, &e);
        if (e.rc != ZB_OK || (f && s.n && value_parse(c, f, s, &v, &e) != ZB_OK)) {
            tell(t, im, im->line[row], column_name(p->use[k].col, col), cell, e.msg);
            good = false;
        } else if (s.n && !json_object_get(values, f ? f->key : "state")) {
            json_object_set_new(values, f ? f->key : "state", json_stringn(s.p, s.n)); /* of two columns for one field the first filled one counts */
        }
    }
    return good;
}

/* Two rows of one file about one record would overwrite each other: the second is told, and whoever sent it decides. */
static int row_repeats(const struct lcall *c, const struct limport *im, const json_t *values, int row, struct map *rows, struct zb_err *e) {
    const char *key = c->l->unique[0] ? json_string_value(json_object_get(values, c->l->unique)) : NULL;
    if (!key) return ZB_OK;
    void *before = map_get(rows, str_of(key));
    if (before)
        return zb_fail(e, ZB_E_CONFLICT, "line %d repeats %s %s of line %d, and may differ from it: keep one line a record", im->line[row], c->l->unique, key,
                       im->line[(intptr_t)before]);
    map_set(rows, str_of(key), (void *)(intptr_t)row);
    return ZB_OK;
}

/* A record with the same unique value is changed where it differs, not doubled. */
static int row_store(struct lcall *c, json_t *values, bool *fresh, bool *same, struct zb_err *e) {
    struct lchange ch = {.values = values, .at = ZB_TIME_NONE, .why = STR("import")};
    json_t *u = c->l->unique[0] ? json_object_get(values, c->l->unique) : NULL;
    struct record r;
    bool done;
    *fresh = true;
    *same = false;
    if (u) {
        char sql[160];
        snprintf(sql, sizeof sql, "select id from l_%s where \"%s\"=?1", c->l->key, c->l->unique);
        ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, e);
        if (!q) return e->rc;
        stmt_z(q, 1, json_string_value(u));
        int got = stmt_row(q, e);
        if (got < 0) return got;
        if (got == 1) {
            ch.id = stmt_col_i64(q, 0);
            *fresh = false;
            if (record_load(c, ch.id, false, &r, e) != ZB_OK) return e->rc;
            ch.rev = r.rev;
            *same = true;
            const char *key;
            json_t *v;
            json_object_foreach(values, key, v) {
                int i = lfield_find(c->l->field, c->l->fields, str_of(key));
                struct value now;
                if (i < 0) continue; /* the state of a record that is there already is moved by acts */
                if (value_json_in(c, &c->l->field[i], v, &now, e) != ZB_OK) return e->rc;
                *same &= value_same(&c->l->field[i], &r.v[i], &now);
            }
            if (*same) return ZB_OK;
        }
    }
    if (ch.id) json_object_del(values, "state");
    return ledger_change_in(c, &ch, &ch.id, &done, e);
}

int ledger_import(struct lcall *c, const struct limport *im, struct json *j, struct zb_err *e) {
    const struct ledger_access *acc = c->actor ? ledger_access(c->l, c->actor) : NULL;
    if (!acc || !acc->import) return zb_fail(e, ZB_E_DENIED, "您的角色不能导入%s; your role may not import into %s", c->l->zh, c->l->en);
    if (im->rows < 1) return zb_fail(e, ZB_E_INPUT, "the table is empty: its first row holds the headings");
    struct plan *p = arena_alloc(c->arena, sizeof *p);
    if (!p) return zb_fail(e, ZB_E_LIMIT, "the file is too large");
    plan_make(c, im, p);
    if (!p->n) return zb_fail(e, ZB_E_INPUT, "no heading of the first row is a field of %s: use its Chinese or English names or keys", c->l->key);
    json_obj(j);
    json_key(j, "ignored");
    json_arr(j);
    for (int k = 0; k < im->cols; k++)
        if (!used(p, k)) json_str(j, im->cell[k]);
    json_arr_end(j);
    json_key(j, "refusals");
    json_arr(j);
    struct told t = {.j = j};
    int made = 0, changed = 0, unchanged = 0;
    struct map rows = {0}; /* unique value → its row */
    struct arena *outer = c->arena;
    int rc = db_begin(c->db, e);
    if (rc != ZB_OK) return rc;
    for (int row = 1; row < im->rows && rc == ZB_OK; row++) {
        c->arena = arena_new((size_t)8 << 20);
        json_t *values = json_object();
        struct zb_err why = {0};
        bool fresh, same;
        bool good = row_values(c, im, p, row, values, &t);
        if (good && (rc = db_exec(c->db, "savepoint import_row", e)) == ZB_OK) {
            int stored = row_repeats(c, im, values, row, &rows, &why);
            if (stored == ZB_OK) stored = row_store(c, values, &fresh, &same, &why);
            if (stored == ZB_E_IO) {
                *e = why;
                rc = stored;
            } else if (stored != ZB_OK) {
                tell(&t, im, im->line[row], "", STR(""), why.msg);
                good = false;
                rc = db_exec(c->db, "rollback to import_row", e);
            }
            if (rc == ZB_OK) rc = db_exec(c->db, "release import_row", e);
        }
        if (!good) t.refused++;
        if (good && rc == ZB_OK) ++*(same ? &unchanged : fresh ? &made : &changed);
        json_decref(values);
        arena_free(c->arena);
    }
    c->arena = outer;
    map_done(&rows);
    if (rc == ZB_OK && !im->dry) rc = db_commit(c->db, e);
    if (rc != ZB_OK || im->dry) db_rollback(c->db);
    if (rc != ZB_OK) return rc;
    json_arr_end(j);
    json_key(j, "rows");
    json_i64(j, im->rows - 1);
    json_key(j, "made");
    json_i64(j, made);
    json_key(j, "changed");
    json_i64(j, changed);
    json_key(j, "unchanged");
    json_i64(j, unchanged);
    json_key(j, "refused");
    json_i64(j, t.refused);
    json_key(j, "dry");
    json_bool(j, im->dry);
    json_end(j);
    return ZB_OK;
}
