/* Late data is judged again a little after its last file: the engine fetches the past of the mine's points, detect judges it (detect/late.c). */
#include "engine/inside.h"
#include <stdlib.h>

#define MARGIN ZB_HOUR                 /* before the earliest late sample: what it may have to do with */
#define SAMPLES_MAX ((int64_t)3 << 20) /* of one mine; a longer past is judged from later on */

/* The window begins before whatever stood in it. *cut: it would have to begin before `least`. */
static int window_begin(struct engine *en, const struct mine *m, zb_time least, zb_time *from, bool *cut, struct zb_err *e) {
    *from -= MARGIN;
    for (;;) {
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(
            en->db,
            "select kind, raised from (select kind, raised, cleared from alarm where mine=?1 union all select kind, raised, cleared from trial_alarm where "
            "mine=?1) a where raised<=?2 and raised>=?3 and (cleared is null or cleared>=?2) order by raised",
            e);
        if (!q) return e->rc;
        stmt_z(q, 1, m->code);
        stmt_time(q, 2, *from);
        stmt_time(q, 3, least - 30 * ZB_DAY);
        int r;
        zb_time earlier = ZB_TIME_NONE;
        while ((r = stmt_row(q, e)) == 1)
            if (alarm_of_samples((enum alarm_kind)stmt_col_i64(q, 0)) && earlier == ZB_TIME_NONE) earlier = stmt_col_time(q, 1);
        if (r < 0) return r;
        if (earlier == ZB_TIME_NONE) return ZB_OK;
        if (earlier - MARGIN < least) {
            *cut = true;
            return ZB_OK;
        }
        *from = earlier - MARGIN;
    }
}

static int past_read(struct engine *en, const struct mine *m, zb_time from, struct past *past, int64_t *total, struct zb_err *e) {
    for (int i = 0; i < mine_points(m->state); i++) {
        struct point_now p;
        struct sample *v;
        if (!mine_point_at(m->state, i, &p) || p.last.t == ZB_TIME_NONE || p.last.t < from) continue;
        if (series_read(en->series, str_of(m->code), str_of(p.def->code), from, p.last.t + 1, &v, &past[i].n, e) != ZB_OK) return e->rc;
        past[i].point = str_of(p.def->code);
        past[i].v = v;
        *total += past[i].n;
    }
    return ZB_OK;
}
static void past_free(struct past *past, int n) {
    for (int i = 0; i < n; i++) {
        free((struct sample *)past[i].v);
        past[i] = (struct past){0};
    }
}

static int judge_again(struct engine *en, struct mine *m, zb_time from, zb_time due, struct zb_err *e) {
    zb_time least = due - en->policy->silence.late_window;
    bool cut = false;
    /* what was found before must be in the store: it tells where the window begins */
    if (findings_store(en, due, e) != ZB_OK || window_begin(en, m, least, &from, &cut, e) != ZB_OK) return e->rc;
    int n = mine_points(m->state);
    struct past *past = xcalloc((size_t)n + 1, sizeof *past);
    int64_t total = 0;
    int rc = past_read(en, m, from, past, &total, e);
    while (rc == ZB_OK && total > SAMPLES_MAX) { /* the half that is nearer */
        past_free(past, n);
        from += (due - from) / 2;
        cut = true;
        total = 0;
        rc = past_read(en, m, from, past, &total, e);
    }
    if (rc == ZB_OK) {
        pthread_mutex_lock(&m->lock);
        mine_rejudge(en->policy, m->state, past, n, cut, &en->diffs);
        m->dirty = true;
        pthread_mutex_unlock(&m->lock);
        found_add(en, m, &en->diffs, en->input, true);
        en->diffs.n = 0;
    }
    past_free(past, n);
    free(past);
    return rc;
}

int late_step(struct engine *en, struct mine *m, zb_time now, struct zb_err *e) {
    zb_time from, due = mine_late(m->state, &from);
    return due <= now ? judge_again(en, m, from, due, e) : ZB_OK;
}
