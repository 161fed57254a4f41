/* Tracks of cards: a position file is a moment, and the files of a day together are a track. The judge keeps in memory where each card of a mine is and writes a
 * row when it goes to another reader or is gone; the same stay has the same key, so that stepping again doubles nothing. Kept for days only (clues.yaml). */
#include "detect/people.h"
#include "engine/inside.h"
#include <math.h>
#include <stdlib.h>

struct stay { /* a card at a reader */
    char card[48], area[48], reader[64];
    zb_time since, last;
    bool seen; /* in the file at hand */
};
struct track_book {
    struct map cards; /* card → struct stay */
    zb_time newest;   /* time of the newest file */
    zb_time written;  /* when all stays were last written: a stay that lasts is known up to a quarter of an hour ago */
};

void track_book_free(struct track_book *b) {
    if (!b) return;
    for (size_t i = 0; i < b->cards.cap; i++)
        if (b->cards.slot[i].key) free(b->cards.slot[i].val);
    map_done(&b->cards);
    free(b);
}

struct str batch_cell(const struct batch *b, int i, const char *name) {
    int k = format_field(&b->format->body, name);
    return k < 0 ? STR("") : b->rec[i].cell[k];
}
zb_time batch_cell_time(const struct batch *b, int i, const char *name, zb_time absent) {
    zb_time t;
    return zb_time_parse(batch_cell(b, i, name), &t) ? t : absent;
}

static void told(struct engine *en, struct mine *m, const struct stay *s) {
    if (en->ntracks == en->ctracks) en->tracks = xrealloc(en->tracks, (size_t)(en->ctracks = en->ctracks ? 2 * en->ctracks : 256) * sizeof *en->tracks);
    struct track *t = &en->tracks[en->ntracks++];
    *t = (struct track){.mine = m, .since = s->since, .until = s->last};
    str_copy(str_of(s->card), t->card, sizeof t->card);
    str_copy(str_of(s->area), t->area, sizeof t->area);
    str_copy(str_of(s->reader), t->reader, sizeof t->reader);
}

/* before: time of the file before this one. */
static void card_step(struct engine *en, struct mine *m, const struct batch *b, int i, zb_time before) {
    struct str card = batch_cell(b, i, "card"), area = batch_cell(b, i, "area"), reader = batch_cell(b, i, "reader");
    zb_time down = batch_cell_time(b, i, "in_time", b->time), since = batch_cell_time(b, i, "reader_in", batch_cell_time(b, i, "area_in", b->time));
    if (since > b->time || since < down) since = b->time;
    struct stay *s = map_get(&m->book->cards, card);
    bool came = before != ZB_TIME_NONE && down <= since && down > (s ? s->last : before - 10 * ZB_MINUTE); /* and was not merely missing in a file */
    if (came) since = down;                                                                                /* the first stay begins with going down */
    if (s && (came || !str_is(area, s->area) || !str_is(reader, s->reader) || since > s->last)) {
        if (!came && since > s->last) s->last = since; /* between two files of one trip he was on his way, however long no file came */
        told(en, m, s);
        s->since = since;
    }
    if (!s) {
        s = xcalloc(1, sizeof *s);
        s->since = since;
        map_set(&m->book->cards, card, s);
    }
    str_copy(card, s->card, sizeof s->card);
    str_copy(area, s->area, sizeof s->area);
    str_copy(reader, s->reader, sizeof s->reader);
    s->last = b->time;
    s->seen = true;
}

/* A file of who is below. Older ones than the newest change nothing. */
void tracks_step(struct engine *en, struct mine *m, const struct batch *b) {
    if (b->time == ZB_TIME_NONE || format_field(&b->format->body, "card") < 0) return;
    if (!m->book) m->book = xcalloc(1, sizeof *m->book), m->book->newest = ZB_TIME_NONE;
    if (b->time <= m->book->newest) return;
    zb_time before = m->book->newest;
    m->book->newest = b->time;
    int flag = format_field(&b->format->body, "flag");
    for (int i = 0; i < b->n; i++)
        if (flag < 0 || str_is(b->rec[i].cell[flag], "1")) card_step(en, m, b, i, before);
    for (size_t i = 0; i < m->book->cards.cap; i++) {
        struct map_slot *slot = &m->book->cards.slot[i];
        struct stay *s = slot->key ? slot->val : NULL;
        if (s && !s->seen) {
            told(en, m, s);
            map_del(&m->book->cards, str_of(s->card));
            free(s);
            i = (size_t)-1; /* a deletion may move others */
        }
    }
    bool all = b->time - m->book->written >= 15 * ZB_MINUTE;
    for (size_t i = 0; i < m->book->cards.cap; i++) {
        struct stay *s = m->book->cards.slot[i].key ? m->book->cards.slot[i].val : NULL;
        if (!s) continue;
        s->seen = false;
        if (all) told(en, m, s);
    }
    if (all) m->book->written = b->time;
}

int tracks_store(struct engine *en, struct zb_err *e) {
    for (int i = 0; i < en->ntracks; i++) {
        const struct track *t = &en->tracks[i];
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(en->db,
                                "insert into track(mine,card,since,until,area,reader) values(?1,?2,?3,?4,?5,?6) on conflict(mine,card,since) do update set "
                                "until=?4,area=?5,reader=?6",
                                e);
        if (!q) return e->rc;
        stmt_z(q, 1, t->mine->code), stmt_z(q, 2, t->card);
        stmt_i64(q, 3, t->since), stmt_i64(q, 4, t->until);
        stmt_z(q, 5, t->area), stmt_z(q, 6, t->reader);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

/* Stays that touch [from, to), cut to it, by card and time. */
int tracks_read(struct db *db, const char *mine, zb_time from, zb_time to, struct arena *a, struct presence **ret, int *n, struct zb_err *e) {
    enum { MOST = 400000 };
    *n = 0;
    *ret = arena_alloc(a, sizeof **ret);
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(db, "select count(*) from track where mine=?1 and until>=?2 and since<?3", e);
    if (!q || !*ret) return q ? zb_fail(e, ZB_E_LIMIT, "no memory for tracks") : e->rc;
    stmt_z(q, 1, mine), stmt_i64(q, 2, from), stmt_i64(q, 3, to);
    int64_t many = stmt_row(q, e) == 1 ? stmt_col_i64(q, 0) : 0;
    struct presence *p = many && many <= MOST ? arena_alloc(a, (size_t)many * sizeof *p) : NULL;
    if (many && !p) return zb_fail(e, ZB_E_LIMIT, "mine %s: %lld stays in a day are too many", mine, (long long)many);
    ZB_AUTO(stmt_done)
    struct stmt *r = db_use(db, "select card,area,reader,since,until from track where mine=?1 and until>=?2 and since<?3 order by card,since", e);
    if (!r) return e->rc;
    stmt_z(r, 1, mine), stmt_i64(r, 2, from), stmt_i64(r, 3, to);
    int got = 0;
    while (*n < many && (got = stmt_row(r, e)) == 1) {
        zb_time since = stmt_col_time(r, 3), until = stmt_col_time(r, 4);
        p[(*n)++] = (struct presence){str_of(arena_str(a, stmt_col_text(r, 0))),
                                      str_of(arena_str(a, stmt_col_text(r, 1))),
                                      str_of(arena_str(a, stmt_col_text(r, 2))),
                                      since < from ? from : since,
                                      until > to ? to : until,
                                      NAN,
                                      NAN};
    }
    if (many) *ret = p;
    return got < 0 ? got : ZB_OK;
}
