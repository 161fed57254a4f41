/* Each hour, live or of a day that is over: where the tracks saw each card and who is below by the last position file, against quotas, time, areas, papers, moves, pairs and leaders. */
#include "detect/people.h"
#include "engine/inside.h"
#include <math.h>
#include <stdlib.h>

#define TRIP_GAP (30 * ZB_MINUTE) /* longer between two stays: he was up */

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

/* What the mine's own file says: persons at once, and whether it works, so that a leader must be below. */
static int mine_load(struct db *db, const struct policy *p, const char *mine, struct people_in *in, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, p->clue.quota, e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    int r = stmt_row(q, e);
    if (r == 1) in->quota = (int)stmt_col_i64(q, 0), in->producing = stmt_col_i64(q, 1) != 0; /* null: 0 */
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
        if (!num_i64(batch_cell(&k->b, i, "approved"), 0, 100000, &quota)) quota = 0;
        f[i] =
            (struct area_fact){batch_cell(&k->b, i, "area"), batch_cell(&k->b, i, "name"), (int)quota, forbidden(p, batch_cell(&k->b, i, "area_type")), true};
    }
    in->area = f, in->areas = f ? k->b.n : 0;
}

int areas_read(struct db *db, const struct policy *p, const char *mine, struct arena *a, struct people_in *in, struct zb_err *e) {
    struct kept areas;
    if (kept_load(db, p, mine, PEOPLE_AREAS, a, &areas, e) != ZB_OK) return e->rc;
    areas_of(&areas, p, a, in);
    return ZB_OK;
}

/* ---- where they were today ---- */
struct stays {
    struct presence *at;
    int n, cap;
};
static bool stay_add(struct stays *s, struct str card, struct str area, struct str reader, zb_time from, zb_time to) {
    if (to > from && s->n < s->cap) s->at[s->n++] = (struct presence){card, area, reader, from, to, NAN, NAN};
    return s->n < s->cap;
}

/* The first stay of a card on this trip among its tracks, and the last moment they tell of; n when there is none. */
static int trip_start(const struct presence *t, int n, struct str card, zb_time down, zb_time *last) {
    int first = n;
    for (int i = 0; i < n; i++) {
        if (!str_eq(t[i].card, card) || t[i].to <= down) continue;
        if (first == n) first = i;
        if (t[i].to > *last) *last = t[i].to;
    }
    return first;
}

/* Tracks by card and time: what was over before the day goes, but not the beginning of a trip that reaches into it. */
static int trips_of_day(struct presence *t, int n, zb_time day) {
    int kept = 0;
    for (int i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && str_eq(t[k].card, t[i].card); k++) {}
        int first = k;
        while (first > i && t[first - 1].to > day) first--;
        while (first > i && first < k && t[first].from - t[first - 1].to < TRIP_GAP) first--;
        for (; first < k; first++) t[kept++] = t[first];
    }
    return kept;
}

/* Tracks until the judged moment; and who is below by a file newer than they: from going down to what the tracks know first, and from what they know last
 * until the file. below NULL: the tracks are all there is, as of a day that is over. */
static bool stays_of(const struct kept *below, const struct presence *track, int tracks, struct arena *a, struct people_in *in) {
    const struct batch *b = below ? &below->b : NULL;
    struct stays s = {.cap = tracks + (b ? 2 * b->n : 0) + 1};
    s.at = arena_alloc(a, (size_t)s.cap * sizeof *s.at);
    for (int i = 0; s.at && i < tracks; i++) stay_add(&s, track[i].card, track[i].area, track[i].reader, track[i].from, track[i].to);
    for (int i = 0; s.at && b && i < b->n; i++) {
        struct str card = batch_cell(b, i, "card"), reader = batch_cell(b, i, "reader"), area = batch_cell(b, i, "area");
        if (!str_is(batch_cell(b, i, "flag"), "1") || !card.n) continue;
        zb_time down = batch_cell_time(b, i, "in_time", b->time), here = batch_cell_time(b, i, "area_in", down);
        if (down > b->time) continue;
        if (here < down || here > b->time) here = down;
        zb_time last = down;
        int first = trip_start(track, tracks, card, down, &last);
        stay_add(&s, card, STR(""), reader, down, first < tracks ? track[first].from : here);
        stay_add(&s, card, area, reader, first < tracks ? last : here, b->time);
    }
    if (s.at) qsort(s.at, (size_t)s.n, sizeof *s.at, by_card_time);
    in->at = s.at, in->n = s.n;
    return s.at != NULL;
}

/* Where the readers stand, as the mine has said. */
static void readers_place(const struct kept *k, struct people_in *in, struct presence *at) {
    for (int r = 0; k->ok && r < k->b.n; r++) {
        double x, y;
        if (!num_double(batch_cell(&k->b, r, "x"), &x) || !num_double(batch_cell(&k->b, r, "y"), &y)) continue;
        for (int i = 0; i < in->n; i++)
            if (str_eq(at[i].reader, batch_cell(&k->b, r, "reader"))) at[i].x = x, at[i].y = y;
    }
}

/* The tracks of the day until now. They tell of now when they reach into its last hour. */
static int tracks_until(struct db *db, const struct policy *p, zb_time now, struct arena *a, struct people_in *in, struct presence **t, int *n,
                        struct zb_err *e) {
    char mine[24];
    str_copy(in->mine, mine, sizeof mine);
    in->from = zb_day_start(zb_day_of(now - 1)); /* midnight belongs to the day that ends */
    in->to = ZB_TIME_NONE;
    if (tracks_read(db, mine, in->from - (zb_time)(p->detect.overtime.no_exit_hours * (double)ZB_HOUR), now, a, t, n, e) != ZB_OK) return e->rc;
    *n = trips_of_day(*t, *n, in->from);
    for (int i = 0; i < *n; i++)
        if ((*t)[i].to > in->to) in->to = (*t)[i].to;
    return ZB_OK;
}

static int facts_read(struct db *db, const struct policy *p, const char *mine, struct arena *a, struct people_in *in, struct kept *readers, struct zb_err *e) {
    if (areas_read(db, p, mine, a, in, e) != ZB_OK || kept_load(db, p, mine, PEOPLE_READERS, a, readers, e) != ZB_OK ||
        persons_load(db, p, mine, a, in, e) != ZB_OK)
        return e->rc;
    return mine_load(db, p, mine, in, e);
}

int people_look(struct engine *en, const struct policy *p, const char *mine, zb_time now, struct clues *out, struct zb_err *e) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)128 << 20);
    struct kept below = {0}, readers = {0};
    struct people_in in = {.mine = str_of(mine)};
    struct presence *track = NULL;
    int tracks = 0;
    struct db *db = engine_reader(en, e);
    if (!db) return e->rc;
    int rc = db_clock(db, now, e); /* what holds is asked as of then */
    if (rc == ZB_OK) rc = kept_load(db, p, mine, PEOPLE_BELOW, a, &below, e);
    bool file = below.ok && below.b.time <= now && now - below.b.time <= ZB_HOUR; /* an old file says nothing of now, a newer one nothing of then */
    if (rc == ZB_OK) rc = tracks_until(db, p, file ? below.b.time : now, a, &in, &track, &tracks, e);
    if (file) in.to = below.b.time;
    bool known = in.to != ZB_TIME_NONE && now - in.to <= ZB_HOUR;
    if (rc == ZB_OK && known) rc = facts_read(db, p, mine, a, &in, &readers, e);
    if (db_clock(db, ZB_TIME_NONE, rc == ZB_OK ? e : &(struct zb_err){0}) != ZB_OK && rc == ZB_OK) rc = e->rc;
    engine_reader_back(en, db);
    if (rc != ZB_OK || !known) return rc;
    if (!stays_of(file ? &below : NULL, track, tracks, a, &in)) return zb_fail(e, ZB_E_LIMIT, "people of mine %s: too many", mine);
    readers_place(&readers, &in, (struct presence *)in.at);
    int before = out->n;
    people_judge(&in, p, out);
    clues_renew(out, before);
    return ZB_OK;
}

int people_day(struct engine *en, const struct policy *p, const char *mine, zb_time day, struct clues *out, struct zb_err *e) {
    for (int h = 1; h <= 24; h++)
        if (people_look(en, p, mine, day + h * ZB_HOUR, out, e) != ZB_OK) return e->rc;
    return ZB_OK;
}
