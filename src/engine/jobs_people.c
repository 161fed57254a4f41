/* Each hour, live or of a day that is over: where the tracks saw each card and who is below by the last position file, against quotas, time, areas, papers, moves,
 * pairs and leaders. What is on file is asked as of the judged day, once a day: a paper that holds to its last day holds until midnight. */
#include "detect/people.h"
#include "engine/inside.h"
#include <math.h>
#include <stdlib.h>

#define TRIP_GAP (30 * ZB_MINUTE) /* longer between two stays: he was up */
#define DAY_MOST ((size_t)128 << 20)

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
struct day { /* of a mine, read once */
    struct arena *a;
    struct kept below, readers;
    struct presence *track; /* from no_exit_hours before the day, by card and time */
    int tracks;
    struct people_in in; /* the files of the day; from: its beginning */
};
struct stays {
    struct presence *at;
    int n, cap;
};
static void stay_add(struct stays *s, const struct presence *t, struct str area, zb_time from, zb_time to) {
    if (to > from && s->n < s->cap) s->at[s->n++] = (struct presence){t->card, area, t->reader, from, to, t->x, t->y};
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

/* Where a reader stands, as the mine has said. */
static void reader_place(const struct kept *k, struct presence *t) {
    double x, y;
    t->x = t->y = NAN;
    for (int r = 0; k->ok && r < k->b.n; r++)
        if (str_eq(t->reader, batch_cell(&k->b, r, "reader")) && num_double(batch_cell(&k->b, r, "x"), &x) && num_double(batch_cell(&k->b, r, "y"), &y))
            t->x = x, t->y = y;
}

/* A file newer than the tracks says who is below: from going down to what the tracks know first, and from what they know last until the file. */
static void below_add(const struct day *d, const struct presence *track, int tracks, struct stays *s) {
    const struct batch *b = &d->below.b;
    for (int i = 0; i < b->n; i++) {
        struct presence t = {.card = batch_cell(b, i, "card"), .reader = batch_cell(b, i, "reader")};
        if (!str_is(batch_cell(b, i, "flag"), "1") || !t.card.n) continue;
        zb_time down = batch_cell_time(b, i, "in_time", b->time), here = batch_cell_time(b, i, "area_in", down);
        if (down > b->time) continue;
        if (here < down || here > b->time) here = down;
        zb_time last = down;
        int first = trip_start(track, tracks, t.card, down, &last);
        reader_place(&d->readers, &t);
        stay_add(s, &t, STR(""), down, first < tracks ? track[first].from : here);
        stay_add(s, &t, batch_cell(b, i, "area"), first < tracks ? last : here, b->time);
    }
}

/* The file of who is below when it is of the day: an old file says nothing of now, a newer one nothing of then. */
static bool below_tells(const struct day *d, zb_time now) {
    return d->below.ok && d->below.b.time > d->in.from && d->below.b.time <= now && now - d->below.b.time <= ZB_HOUR;
}

/* The day as it was known at `now`. Nothing is said when what is known ends an hour before. */
static int day_look(const struct day *d, const struct policy *p, zb_time now, struct arena *a, struct clues *out, struct zb_err *e) {
    struct people_in in = d->in;
    bool file = below_tells(d, now);
    zb_time until = file ? d->below.b.time : now;
    struct presence *t = arena_alloc(a, (size_t)(d->tracks + 1) * sizeof *t);
    struct stays s = {.cap = d->tracks + (file ? 2 * d->below.b.n : 0)};
    s.at = arena_alloc(a, (size_t)(s.cap + 1) * sizeof *s.at);
    if (!t || !s.at) return zb_fail(e, ZB_E_LIMIT, "people of mine " STR_FMT ": too many", STR_ARG(in.mine));
    int n = 0;
    for (int i = 0; i < d->tracks; i++) {
        if (d->track[i].from >= until) continue;
        t[n] = d->track[i];
        if (t[n].to > until) t[n].to = until;
        n++;
    }
    n = trips_of_day(t, n, in.from);
    in.to = file ? until : ZB_TIME_NONE;
    for (int i = 0; i < n; i++) {
        if (!file && t[i].to > in.to) in.to = t[i].to;
        stay_add(&s, &t[i], t[i].area, t[i].from, t[i].to);
    }
    if (in.to == ZB_TIME_NONE || now - in.to > ZB_HOUR) return ZB_OK;
    if (file) below_add(d, t, n, &s);
    qsort(s.at, (size_t)s.n, sizeof *s.at, by_card_time);
    in.at = s.at, in.n = s.n;
    int before = out->n;
    people_judge(&in, p, out);
    clues_renew(out, before);
    return ZB_OK;
}

/* Tracks until `to`, and the files as of that day. */
static int day_read(struct db *db, const struct policy *p, const char *mine, zb_time to, struct day *d, struct zb_err *e) {
    zb_time from = d->in.from - (zb_time)(p->detect.overtime.no_exit_hours * (double)ZB_HOUR);
    if (tracks_read(db, mine, from, to, d->a, &d->track, &d->tracks, e) != ZB_OK) return e->rc;
    if (!d->tracks && !d->below.ok) return ZB_OK;
    if (kept_load(db, p, mine, PEOPLE_READERS, d->a, &d->readers, e) != ZB_OK || areas_read(db, p, mine, d->a, &d->in, e) != ZB_OK ||
        db_clock(db, to - 1, e) != ZB_OK)
        return e->rc;
    for (int i = 0; i < d->tracks; i++) reader_place(&d->readers, &d->track[i]);
    int rc = persons_load(db, p, mine, d->a, &d->in, e);
    if (rc == ZB_OK) rc = mine_load(db, p, mine, &d->in, e);
    if (db_clock(db, ZB_TIME_NONE, rc == ZB_OK ? e : &(struct zb_err){0}) != ZB_OK && rc == ZB_OK) rc = e->rc;
    return rc;
}

int people_look(struct engine *en, const struct policy *p, const char *mine, zb_time now, struct clues *out, struct zb_err *e) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new(DAY_MOST);
    struct day d = {.a = a, .in = {.mine = str_of(mine), .from = ZB_TIME_NONE}};
    struct db *db = engine_reader(en, e);
    if (!db) return e->rc;
    int rc = kept_load(db, p, mine, PEOPLE_BELOW, a, &d.below, e);
    zb_time until = below_tells(&d, now) ? d.below.b.time : now;
    d.in.from = zb_day_start(zb_day_of(until - 1)); /* midnight belongs to the day that ends */
    if (rc == ZB_OK) rc = day_read(db, p, mine, until, &d, e);
    engine_reader_back(en, db);
    return rc == ZB_OK ? day_look(&d, p, now, a, out, e) : rc;
}

int people_day(struct engine *en, const struct policy *p, const char *mine, zb_time day, struct clues *out, struct zb_err *e) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new(DAY_MOST);
    ZB_AUTO(arena_drop) struct arena *hour = arena_new(DAY_MOST);
    struct day d = {.a = a, .in = {.mine = str_of(mine), .from = day}};
    struct db *db = engine_reader(en, e);
    if (!db) return e->rc;
    int rc = kept_load(db, p, mine, PEOPLE_BELOW, a, &d.below, e);
    if (rc == ZB_OK) rc = day_read(db, p, mine, day + ZB_DAY, &d, e);
    engine_reader_back(en, db);
    for (int h = 1; h <= 24 && rc == ZB_OK; h++, arena_reset(hour)) rc = day_look(&d, p, day + h * ZB_HOUR, hour, out, e);
    return rc;
}
