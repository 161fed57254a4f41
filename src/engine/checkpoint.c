/* Checkpoints: a mine's detector state with the input it has seen, so that a restart steps only what came after. */
#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>

static int checkpoint_row(struct engine *en, struct mine *m, struct buf *state, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(
        en->db,
        "insert into checkpoint(mine,input,name,region,gas_class,state,last_file,last_received,delay,files,records,refused,duplicates,late,linkage,clock)"
        " values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16) on conflict(mine) do update set"
        " input=?2,name=?3,region=?4,gas_class=?5,state=?6,last_file=?7,last_received=?8,delay=?9,files=?10,records=?11,refused=?12,duplicates=?13,late=?14,"
        "linkage=?15,clock=?16",
        e);
    if (!q) return e->rc;
    pthread_mutex_lock(&m->lock);
    buf_clear(state);
    mine_freeze(m->state, state);
    const struct link l = m->link;
    const struct mine_facts f = m->facts;
    ZB_AUTO(buf_done) struct buf lines, clock;
    buf_init(&lines, 8 << 20);
    buf_init(&clock, 8000);
    linkage_freeze(en, m, &lines);
    skew_freeze(&m->linkage.clock, &clock);
    pthread_mutex_unlock(&m->lock);
    stmt_z(q, 1, m->code);
    stmt_i64(q, 2, (int64_t)en->input);
    stmt_z(q, 3, f.name);
    stmt_z(q, 4, f.region);
    stmt_z(q, 5, f.gas_class);
    stmt_blob(q, 6, buf_str(state));
    stmt_z(q, 7, l.last_file);
    stmt_time(q, 8, l.last_received);
    stmt_time(q, 9, l.delay);
    stmt_i64(q, 10, l.files);
    stmt_i64(q, 11, l.records);
    stmt_i64(q, 12, l.refused);
    stmt_i64(q, 13, l.duplicates);
    stmt_i64(q, 14, l.late);
    stmt_text(q, 15, buf_str(&lines));
    stmt_text(q, 16, buf_str(&clock));
    return stmt_run(q, e);
}

static int checkpoint_input(struct engine *en, struct mine *m, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, "update checkpoint set input=? where mine=?", e);
    if (!q) return e->rc;
    stmt_i64(q, 1, (int64_t)en->input);
    stmt_z(q, 2, m->code);
    return stmt_run(q, e);
}

/* Inputs up to this need not be stepped again, neither by any mine nor for the count of what came. */
static uint64_t oldest_checkpoint(struct engine *en) {
    uint64_t oldest = en->fed;
    for (size_t i = 0; i < en->mines.cap; i++) {
        const struct mine *m = en->mines.slot[i].key ? en->mines.slot[i].val : NULL;
        if (m && m->at && m->checkpoint < oldest) oldest = m->checkpoint;
    }
    return oldest;
}

int meta_set(struct db *db, const char *key, uint64_t v, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "insert into meta(key,value) values(?1,?2) on conflict(key) do update set value=?2", e);
    if (!q) return e->rc;
    stmt_z(q, 1, key);
    stmt_i64(q, 2, (int64_t)v);
    return stmt_run(q, e);
}

/* Up to at_most mines, round robin; findings and series must be stored up to en->input before. */
int findings_checkpoint(struct engine *en, size_t at_most, struct zb_err *e) {
    struct buf state = {0};
    buf_init(&state, 64 << 20);
    struct saved {
        struct mine *m;
        uint64_t was;
    } *done = xmalloc((at_most + 1) * sizeof *done);
    size_t n = 0, cap = en->mines.cap, i = 0;
    int rc = db_begin(en->db, e);
    bool begun = rc == ZB_OK;
    for (; rc == ZB_OK && i < cap && n < at_most; i++) {
        size_t k = (en->checkpoint_next + i) % cap;
        struct mine *m = en->mines.slot[k].key ? en->mines.slot[k].val : NULL;
        if (!m || (m->checkpoint == en->input && !m->dirty)) continue;
        rc = m->dirty ? checkpoint_row(en, m, &state, e) : checkpoint_input(en, m, e);
        done[n++] = (struct saved){m, m->checkpoint};
        m->checkpoint = en->input;
    }
    if (rc == ZB_OK) rc = meta_set(en->db, "checkpoint", oldest_checkpoint(en), e);
    if (rc == ZB_OK) rc = db_commit(en->db, e);
    if (rc != ZB_OK && begun) db_rollback(en->db);
    for (size_t k = 0; k < n; k++)
        if (rc == ZB_OK)
            done[k].m->dirty = false;
        else
            done[k].m->checkpoint = done[k].was;
    if (rc == ZB_OK && cap) en->checkpoint_next = (en->checkpoint_next + i) % cap;
    buf_done(&state);
    free(done);
    return rc;
}

static int load_mine(struct engine *en, struct stmt *q, struct zb_err *e) {
    struct mine *m = mine_get(en, stmt_col_text(q, 0));
    m->checkpoint = m->at = (uint64_t)stmt_col_i64(q, 1);
    str_copy(stmt_col_text(q, 2), m->facts.name, sizeof m->facts.name);
    str_copy(stmt_col_text(q, 3), m->facts.region, sizeof m->facts.region);
    str_copy(stmt_col_text(q, 4), m->facts.gas_class, sizeof m->facts.gas_class);
    struct mine_state *s = NULL;
    if (mine_thaw(stmt_col_blob(q, 5), &s, e) != ZB_OK) return zb_wrap(e, "checkpoint of mine %s (run zhiben rebuild)", m->code);
    mine_free(m->state);
    m->state = s;
    mine_facts_set(m->state, &m->facts);
    mine_refresh(en->policy, m->state);
    str_copy(stmt_col_text(q, 6), m->link.last_file, sizeof m->link.last_file);
    m->link.last_received = stmt_col_time(q, 7);
    m->link.delay = stmt_col_time(q, 8);
    m->link.files = stmt_col_i64(q, 9);
    m->link.records = stmt_col_i64(q, 10);
    m->link.refused = stmt_col_i64(q, 11);
    m->link.duplicates = stmt_col_i64(q, 12);
    m->link.late = stmt_col_i64(q, 13);
    return linkage_thaw(en, m, stmt_col_text(q, 14), stmt_col_text(q, 15), e);
}

static int meta_get(struct db *db, const char *key, uint64_t *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, "select value from meta where key=?", e);
    if (!q) return e->rc;
    stmt_z(q, 1, key);
    int r = stmt_row(q, e);
    *ret = r == 1 ? (uint64_t)stmt_col_i64(q, 0) : 0;
    return r < 0 ? r : ZB_OK;
}

int findings_load(struct engine *en, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(
        en->db,
        "select mine,input,name,region,gas_class,state,last_file,last_received,delay,files,records,refused,duplicates,late,linkage,clock from checkpoint", e);
    if (!q) return e->rc;
    int r;
    while ((r = stmt_row(q, e)) == 1)
        if (load_mine(en, q, e) != ZB_OK) return e->rc;
    if (r < 0) return r;
    return meta_get(en->db, "findings_input", &en->findings_input, e) == ZB_OK && meta_get(en->db, "checkpoint", &en->oldest, e) == ZB_OK &&
                   meta_get(en->db, "fed", &en->fed, e) == ZB_OK
               ? ZB_OK
               : e->rc;
}
