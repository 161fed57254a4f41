#include "../alarm_table.h"
#include "fixture.h"
#include "audit/audit.h"
#include "ledger/ledger.h"
#include "prove/facts.h"
#include "prove/prove.h"
#include <dirent.h>

static const char *where(const struct fixture *f, const struct node *n) {
    static char at[300];
    snprintf(at, sizeof at, "%s:%d:%d", f->file, n->line, n->col);
    return at;
}

void fixture_open(struct fixture *f, const char *url) {
    f->arena = arena_new(256 << 20);
    OK(policy_load(getenv("POLICY"), &f->p, &err));
    OK(db_open(url ? url : ":memory:", DB_WRITE, &f->db, &err));
    OK(audit_init(f->db, &err));
    OK(db_exec(f->db, ALARM_TABLE, &err));
    OK(facts_init(f->db, &err));
    OK(ledger_migrate(f->db, f->p, 0, &err));
    OK(prove_migrate(f->db, f->p, &err)); /* rules ask figures too */
}

void fixture_close(struct fixture *f) {
    db_close(f->db);
    policy_unref(f->p);
    arena_free(f->arena);
}

void fixture_read(struct fixture *f, const char *name) {
    char path[600];
    snprintf(path, sizeof path, "%s/tests/fixtures/%s", getenv("SRC"), name);
    FILE *in = fopen(path, "rb");
    if (!in) fail_msg("cannot read %s", path);
    struct buf b;
    char part[65536];
    size_t n;
    buf_init(&b, 4 << 20);
    while ((n = fread(part, 1, sizeof part, in)) > 0) buf_put(&b, part, n);
    fclose(in);
    f->file = arena_str(f->arena, str_of(name));
    char *bytes = arena_str(f->arena, buf_str(&b));
    struct reader r = {f->arena, f->file, &err, false};
    OK(tree_parse(&r, (struct str){bytes, b.n}, &f->root));
    buf_done(&b);
}

bool fixture_number(const struct node *n, double *ret) {
    int32_t day;
    if (n->kind != NODE_SCALAR || n->quoted) return false;
    if (zb_day_parse(str_of(n->text), &day)) {
        *ret = day;
        return true;
    }
    if (!strcmp(n->text, "true") || !strcmp(n->text, "false")) {
        *ret = n->text[0] == 't';
        return true;
    }
    return num_double(str_of(n->text), ret);
}

/* ---- rows ---- */
#define COLS 120
struct row {
    const char *name[COLS];
    const struct ledger_field *field[COLS];
    const struct node *value[COLS]; /* NULL: the default below */
    const char *text[COLS];
    int64_t number[COLS];
    bool is_number[COLS];
    int n;
};

static void put(struct row *r, const char *name, const char *text, int64_t number) {
    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->name[i], name)) return;
    assert_true(r->n < COLS);
    r->name[r->n] = name;
    r->text[r->n] = text;
    r->number[r->n] = number;
    r->is_number[r->n] = !text;
    r->n++;
}

static void bind(struct fixture *f, struct stmt *q, int at, const struct row *r, int i) {
    const struct node *v = r->value[i];
    const struct ledger_field *d = r->field[i];
    double x;
    zb_time t;
    int32_t day;
    if (!v) {
        if (r->is_number[i])
            stmt_i64(q, at, r->number[i]);
        else
            stmt_z(q, at, r->text[i]);
        return;
    }
    if (v->kind != NODE_SCALAR) fail_msg("%s: one value is expected", where(f, v));
    if (!v->quoted && (!strcmp(v->text, "null") || !v->text[0])) {
        stmt_null(q, at);
    } else if (d && (d->type == LF_TEXT || d->type == LF_ENUM || d->type == LF_SET || d->type == LF_REGION)) {
        if (d->type == LF_ENUM && d->list->items && !list_find(d->list, str_of(v->text))) fail_msg("%s: %s has no member %s", where(f, v), d->key, v->text);
        stmt_z(q, at, v->text);
    } else if (d && d->type == LF_SEALED) {
        stmt_blob(q, at, str_of(v->text));
    } else if (d && d->type == LF_TIME && zb_time_parse(str_of(v->text), &t)) {
        stmt_i64(q, at, t);
    } else if (d && d->type == LF_TIME && zb_day_parse(str_of(v->text), &day)) {
        stmt_i64(q, at, day * ZB_DAY + 4 * ZB_HOUR); /* noon */
    } else if (!fixture_number(v, &x)) {
        if (d) fail_msg("%s: %s: \"%s\" is no value of this kind", where(f, v), d->key, v->text);
        stmt_z(q, at, v->text);
    } else if (d && d->type == LF_NUM) {
        stmt_real(q, at, x);
    } else {
        stmt_i64(q, at, (int64_t)x);
    }
}

static void insert(struct fixture *f, const char *table, const struct row *r, const struct node *at) {
    char sql[8000];
    int n = snprintf(sql, sizeof sql, "insert into %s(", table);
    for (int i = 0; i < r->n; i++) n += snprintf(sql + n, sizeof sql - (size_t)n, "%s\"%s\"", i ? "," : "", r->name[i]);
    n += snprintf(sql + n, sizeof sql - (size_t)n, ") values(");
    for (int i = 0; i < r->n; i++) n += snprintf(sql + n, sizeof sql - (size_t)n, "%s?%d", i ? "," : "", i + 1);
    snprintf(sql + n, sizeof sql - (size_t)n, ")");
    struct stmt *q = db_once(f->db, sql, &err);
    if (!q) fail_msg("%s: %s", where(f, at), err.msg);
    for (int i = 0; i < r->n; i++) bind(f, q, i + 1, r, i);
    if (stmt_run(q, &err) != ZB_OK) fail_msg("%s: %s", where(f, at), err.msg);
    stmt_done(&q);
}

static void defaults(struct row *r, const struct ledger_field *d, int n, int32_t today, const char *text) {
    for (int i = 0; i < n; i++) {
        if (!d[i].required || d[i].derive[0]) continue;
        switch (d[i].type) {
        case LF_TEXT: put(r, d[i].key, text, 0); break;
        case LF_SEALED: break; /* null: nobody's */
        case LF_REGION: put(r, d[i].key, "140214", 0); break;
        case LF_SET:
        case LF_ENUM: put(r, d[i].key, d[i].list->items ? d[i].list->item[0].key : "x", 0); break;
        case LF_DAY: put(r, d[i].key, NULL, today); break;
        case LF_TIME: put(r, d[i].key, NULL, today * ZB_DAY); break;
        default: put(r, d[i].key, NULL, 0); break;
        }
    }
}

/* Columns every record and every version has, of the kinds that need reading. */
static const struct ledger_field STATE_AT = {.key = "state_at", .type = LF_TIME}, CREATED = {.key = "created", .type = LF_TIME},
                                 UPDATED = {.key = "updated", .type = LF_TIME}, KNOWN = {.key = "known", .type = LF_TIME},
                                 KNOWN_TO = {.key = "known_to", .type = LF_TIME}, AS_FROM = {.key = "as_from", .type = LF_TIME},
                                 AREA = {.key = "area", .type = LF_TEXT}, MINE = {.key = "mine", .type = LF_TEXT};
static const struct ledger_field *const FRAME[] = {&STATE_AT, &CREATED, &UPDATED, &KNOWN, &KNOWN_TO, &AS_FROM, &AREA, &MINE};

static void taken(struct fixture *f, struct row *r, const struct ledger_field *d, int n, const struct node *map, const struct ledger *l) {
    for (const struct node *c = map->child; c; c = c->next) {
        bool sub = false;
        for (int i = 0; l && i < l->subs; i++) sub |= !strcmp(l->sub[i].key, c->key);
        if (sub) continue;
        int i = lfield_find(d, n, str_of(c->key));
        const struct ledger_field *field = i >= 0 ? &d[i] : NULL;
        for (size_t k = 0; !field && k < sizeof FRAME / sizeof *FRAME; k++)
            if (!strcmp(FRAME[k]->key, c->key)) field = FRAME[k];
        if (field && field->derive && field->derive[0]) fail_msg("%s: %s is derived", where(f, c), c->key);
        static const char OTHER[] = "id no rev state city due due_first created_by updated_by act who why row since until";
        if (!field && !word_in(OTHER, str_of(c->key))) fail_msg("%s: %s is no field", where(f, c), c->key);
        if (!strcmp(c->key, "state") && l && lstate_find(l, str_of(c->text)) < 0) fail_msg("%s: %s is no state of %s", where(f, c), c->text, l->key);
        put(r, c->key, "", 0);
        r->field[r->n - 1] = field;
        r->value[r->n - 1] = c;
    }
}

static const struct node *field_of(const struct node *map, const char *key) { return map ? node_get(map, key) : NULL; }

static void subs_put(struct fixture *f, const struct ledger *l, const struct node *map, const char *id, int32_t today) {
    for (int i = 0; i < l->subs; i++) {
        const struct node *seq = field_of(map, l->sub[i].key);
        char table[100];
        int k = 0;
        snprintf(table, sizeof table, "s_%s_%s", l->key, l->sub[i].key);
        for (const struct node *n = seq ? seq->child : NULL; n; n = n->next) {
            struct row r = {0};
            int64_t rec = 0;
            assert_true(num_i64(str_of(id), 0, INT64_MAX, &rec));
            taken(f, &r, l->sub[i].field, l->sub[i].fields, n, NULL);
            put(&r, "rec", NULL, rec);
            put(&r, "row", NULL, ++k);
            put(&r, "since", NULL, 1);
            defaults(&r, l->sub[i].field, l->sub[i].fields, today, "x");
            insert(f, table, &r, n);
        }
    }
}

/* A county of the province: areas end in two digits that are not 00. */
static void record_put(struct fixture *f, const char *table, const struct node *n, int32_t today) {
    bool versions = !strncmp(table, "h_", 2);
    int i = policy_ledger(f->p, str_of(versions ? table + 2 : table));
    if (i < 0) fail_msg("%s: no ledger %s", where(f, n), table);
    const struct ledger *l = &f->p->ledger[i];
    const struct node *id = node_get(n, "id"), *area = node_get(n, "area"), *site = node_get(n, "site");
    char name[60], city[8] = "1402", mine[24];
    struct row r = {0};
    if (!id) fail_msg("%s: a row needs its id", where(f, n));
    taken(f, &r, l->field, l->fields, n, l);
    if (area) snprintf(city, sizeof city, "%.4s", area->text);
    snprintf(mine, sizeof mine, "M%s", site && site->kind == NODE_SCALAR ? site->text : i == f->p->site.at ? id->text : "");
    put(&r, "rev", NULL, 1);
    put(&r, "state", l->state[0].key, 0);
    put(&r, "area", "140214", 0);
    put(&r, "mine", mine[1] ? arena_str(f->arena, str_of(mine)) : "", 0);
    zb_time before = (today - 30) * ZB_DAY;
    if (versions) {
        put(&r, "act", "edit", 0);
        put(&r, "who", "fixture", 0);
        put(&r, "why", "", 0);
        put(&r, "known", NULL, before);
        put(&r, "as_from", NULL, before);
    } else {
        put(&r, "city", arena_str(f->arena, str_of(city)), 0);
        put(&r, "state_at", NULL, before);
        put(&r, "created", NULL, before);
        put(&r, "updated", NULL, before);
        put(&r, "created_by", "fixture", 0);
        put(&r, "updated_by", "fixture", 0);
    }
    defaults(&r, l->field, l->fields, today, arena_printf(f->arena, "x%s", id->text));
    snprintf(name, sizeof name, "%s%s", versions ? "" : "l_", table);
    insert(f, name, &r, n);
    if (!versions) subs_put(f, l, n, id->text, today);
}

static void raw_put(struct fixture *f, const char *table, const struct node *n) {
    static const struct ledger_field ANY = {.key = "", .type = LF_TIME};
    struct row r = {0};
    for (const struct node *c = n->child; c; c = c->next) {
        zb_time t;
        put(&r, c->key, "", 0);
        r.value[r.n - 1] = c;
        if (zb_time_parse(str_of(c->text), &t)) r.field[r.n - 1] = &ANY;
    }
    insert(f, table, &r, n);
}

/* The row of `base` with what the case says of the same id. */
static struct node *merged(struct fixture *f, const struct node *a, const struct node *b) {
    struct node *out = arena_alloc(f->arena, sizeof *out), *tail = NULL;
    *out = *a;
    out->child = out->last = NULL;
    const struct node *part[] = {b, a};
    for (int k = 0; k < 2; k++)
        for (const struct node *c = part[k] ? part[k]->child : NULL; c; c = c->next) {
            if (k == 1 && b && node_get(b, c->key)) continue;
            struct node *m = arena_alloc(f->arena, sizeof *m);
            *m = *c;
            m->next = NULL;
            if (tail)
                tail->next = m;
            else
                out->child = m;
            tail = m;
        }
    return out;
}

static const struct node *by_id(const struct node *seq, const struct node *row) {
    const struct node *id = node_get(row, "id");
    for (const struct node *n = seq ? seq->child : NULL; n && id; n = n->next)
        if (node_get(n, "id") && !strcmp(node_get(n, "id")->text, id->text)) return n;
    return NULL;
}

static void table_put(struct fixture *f, const struct node *base, const struct node *more, int32_t today) {
    const char *table = base ? base->key : more->key;
    bool merge = strncmp(table, "h_", 2) != 0 && strncmp(table, "raw_", 4) != 0;
    const struct node *part[] = {base, more};
    for (int k = 0; k < 2; k++)
        for (const struct node *n = part[k] ? part[k]->child : NULL; n; n = n->next) {
            if (n->kind != NODE_MAP) fail_msg("%s: a row is {field: value}", where(f, n));
            if (merge && k == 1 && by_id(base, n)) continue;
            const struct node *row = merge && k == 0 && more ? merged(f, n, by_id(more, n)) : n;
            if (!strncmp(table, "raw_", 4))
                raw_put(f, table + 4, row);
            else
                record_put(f, table, row, today);
        }
}

int32_t fixture_rows(struct fixture *f, const struct node *subject, const struct node *one) {
    const struct node *base = node_get(subject, "base"), *rows = field_of(one, "rows"), *base_rows = field_of(base, "rows");
    const struct node *today = field_of(one, "today") ? field_of(one, "today") : field_of(base, "today");
    int32_t day = 0;
    if (!today || !zb_day_parse(str_of(today->text), &day)) fail_msg("%s: today: 2025-06-01 is missing", where(f, one));
    for (const struct node *t = base_rows ? base_rows->child : NULL; t; t = t->next) table_put(f, t, field_of(rows, t->key), day);
    for (const struct node *t = rows ? rows->child : NULL; t; t = t->next)
        if (!field_of(base_rows, t->key)) table_put(f, NULL, t, day);
    return day;
}

void fixture_begin(struct fixture *f, const struct node *subject, const struct node *one) {
    OK(db_begin(f->db, &err));
    int32_t day = fixture_rows(f, subject, one);
    OK(db_clock(f->db, day * ZB_DAY + 4 * ZB_HOUR, &err)); /* noon in Beijing */
}

void fixture_end(struct fixture *f) {
    db_rollback(f->db);
    OK(db_clock(f->db, ZB_TIME_NONE, &err));
}

static int yaml_only(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 5 && !strcmp(d->d_name + n - 5, ".yaml");
}

void fixture_files(const char *folder, void (*fn)(void *arg, const char *name), void *arg) {
    char path[600], name[400];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/tests/fixtures/%s", getenv("SRC"), folder);
    int n = scandir(path, &list, yaml_only, alphasort);
    if (n < 0) fail_msg("cannot read %s", path);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, list[i]->d_name);
        fn(arg, name);
        free(list[i]);
    }
    free(list);
}
