/* Each hour: who is below by the last position file, against quotas, time, areas and papers. The file is a moment, not a track: moves, pairs and leaders that
 * were there before need tracks and are not judged from it. */
#include "detect/people.h"
#include "engine/inside.h"
#include <math.h>
#include <stdlib.h>

struct kept {
    struct batch b;
    bool ok;
};
static int kept_load(struct db *db, const struct policy *p, const char *mine, const char *type, struct arena *a, struct kept *ret, struct zb_err *e) {
    ret->ok = false;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select bytes, file, received from latest where mine=? and type=?", e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine), stmt_z(q, 2, type);
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : ZB_OK;
    struct str blob = stmt_col_blob(q, 0);
    char *copy = arena_str(a, blob), *name = arena_str(a, stmt_col_text(q, 1));
    bool truncated;
    struct zb_err why;
    if (!copy || !name) return zb_fail(e, ZB_E_LIMIT, "people files of mine %s are too large", mine);
    ret->ok = batch_decode(p, str_of(name), str_of(mine), (struct str){copy, blob.n}, stmt_col_time(q, 2), a, &ret->b, &truncated, &why) == ZB_OK;
    return ZB_OK;
}
static struct str cell(const struct batch *b, int i, const char *name) {
    int k = format_field(&b->format->body, name);
    return k < 0 ? STR("") : b->rec[i].cell[k];
}
static zb_time cell_time(const struct batch *b, int i, const char *name, zb_time absent) {
    zb_time t;
    return zb_time_parse(cell(b, i, name), &t) ? t : absent;
}

static int by_card(const void *a, const void *b) { return card_compare(((const struct person_fact *)a)->card, ((const struct person_fact *)b)->card); }
static int by_card_time(const void *a, const void *b) {
    const struct presence *x = a, *y = b;
    int c = card_compare(x->card, y->card);
    return c ? c : (x->from > y->from) - (x->from < y->from);
}

static int persons_load(struct db *db, const struct policy *p, const char *mine, struct arena *a, struct people_in *in, struct zb_err *e) {
    enum { MOST = 20000 };
    struct person_fact *f = arena_alloc(a, MOST * sizeof *f);
    ZB_AUTO(stmt_done) struct stmt *q = f ? db_once(db, p->clue.persons, e) : NULL;
    if (!q) return f ? e->rc : zb_fail(e, ZB_E_LIMIT, "persons of mine %s: too many", mine);
    stmt_z(q, 1, mine);
    int r, n = 0;
    while (n < MOST && (r = stmt_row(q, e)) == 1)
        f[n++] = (struct person_fact){.card = str_of(arena_str(a, stmt_col_text(q, 0))),
                                      .employer = str_of(arena_str(a, stmt_col_text(q, 1))),
                                      .known = true,
                                      .special = stmt_col_i64(q, 2) != 0,
                                      .certified = stmt_col_i64(q, 3) != 0,
                                      .trained = stmt_col_i64(q, 4) != 0,
                                      .contracted = stmt_col_i64(q, 5) != 0,
                                      .leader = stmt_col_i64(q, 6) != 0};
    qsort(f, (size_t)n, sizeof *f, by_card);
    in->person = f, in->persons = n;
    return r < 0 ? r : ZB_OK;
}

static int quota_load(struct db *db, const struct policy *p, const char *mine, int *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, p->clue.quota, e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    int r = stmt_row(q, e);
    *ret = r == 1 ? (int)stmt_col_i64(q, 0) : 0; /* null: 0 */
    return r < 0 ? r : ZB_OK;
}

static bool forbidden(const struct policy *p, struct str kind) {
    struct str rest = str_of(p->clue.restricted);
    while (rest.p && rest.n) {
        struct str w = str_cut(rest, '|', &rest);
        if (w.n && kind.n && memmem(kind.p, kind.n, w.p, w.n)) return true;
    }
    return false;
}
static void areas_of(const struct kept *k, const struct policy *p, struct arena *a, struct people_in *in) {
    struct area_fact *f = k->ok ? arena_alloc(a, (size_t)(k->b.n + 1) * sizeof *f) : NULL;
    for (int i = 0; f && i < k->b.n; i++) {
        int64_t quota = 0;
        if (!num_i64(cell(&k->b, i, "approved"), 0, 100000, &quota)) quota = 0;
        f[i] = (struct area_fact){cell(&k->b, i, "area"), cell(&k->b, i, "name"), (int)quota, forbidden(p, cell(&k->b, i, "area_type")), true};
    }
    in->area = f, in->areas = f ? k->b.n : 0;
}

/* A row is two stays: from going down to the area, and in the area until the file's time. */
static bool stays_of(const struct kept *k, struct arena *a, struct people_in *in) {
    struct presence *f = arena_alloc(a, (size_t)(2 * k->b.n + 1) * sizeof *f);
    int n = 0;
    for (int i = 0; f && i < k->b.n; i++) {
        if (!str_is(cell(&k->b, i, "flag"), "1")) continue;
        zb_time down = cell_time(&k->b, i, "in_time", k->b.time), here = cell_time(&k->b, i, "area_in", down);
        struct str card = cell(&k->b, i, "card"), reader = cell(&k->b, i, "reader");
        if (here < down || here > k->b.time) here = down;
        if (down > k->b.time || !card.n) continue;
        if (here > down) f[n++] = (struct presence){card, STR(""), reader, down, here, NAN, NAN};
        f[n++] = (struct presence){card, cell(&k->b, i, "area"), reader, here, k->b.time, NAN, NAN};
    }
    if (f) qsort(f, (size_t)n, sizeof *f, by_card_time);
    in->at = f, in->n = n;
    return f != NULL;
}

int people_look(struct engine *en, const struct policy *p, const char *mine, zb_time now, struct clues *out, struct zb_err *e) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)96 << 20);
    struct kept now_below, areas;
    struct people_in in = {.mine = str_of(mine), .producing = false};
    struct db *db = engine_reader(en, e);
    if (!db) return e->rc;
    int rc = db_clock(db, now, e); /* what holds is asked as of then */
    if (rc == ZB_OK) rc = kept_load(db, p, mine, "RYSS", a, &now_below, e);
    if (rc == ZB_OK) rc = kept_load(db, p, mine, "RYQY", a, &areas, e);
    if (rc == ZB_OK) rc = persons_load(db, p, mine, a, &in, e);
    if (rc == ZB_OK) rc = quota_load(db, p, mine, &in.quota, e);
    if (db_clock(db, ZB_TIME_NONE, rc == ZB_OK ? e : &(struct zb_err){0}) != ZB_OK && rc == ZB_OK) rc = e->rc;
    engine_reader_back(en, db);
    if (rc != ZB_OK || !now_below.ok || now - now_below.b.time > ZB_HOUR) return rc; /* an old file says nothing of now */
    in.from = zb_day_start(zb_day_of(now_below.b.time)), in.to = now_below.b.time;
    areas_of(&areas, p, a, &in);
    if (!stays_of(&now_below, a, &in)) return zb_fail(e, ZB_E_LIMIT, "people of mine %s: too many", mine);
    people_judge(&in, p, out);
    return ZB_OK;
}
