/* One fact, one record on the desk. Late data may give an alarm an earlier beginning, and with it another id; and what a mine told of itself may be what we find
 * in its samples, before or after: same point, same kind, times that touch. The row that gives way stays in the history, names the other in `merged` and
 * hands on what officers have done. Which came first makes no difference. */
#include "engine/inside.h"

#define IN(trial, before, after) ((trial) ? before "trial_alarm" after : before "alarm" after)
#define SEEN_BACK (30 * ZB_DAY) /* an alarm that began longer ago is not looked for */

/* Of what a mine told, what is known already: 1, it came out of order and tells nothing new. */
int merge_known(struct engine *en, const struct found *f, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    if (!alarm_told(a) || a->cleared == ZB_TIME_NONE) return 0;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, IN(f->trial, "select 1 from ", " where id=?1 and cleared>=?2"), e);
    if (!q) return e->rc;
    stmt_z(q, 1, a->id);
    stmt_time(q, 2, a->cleared);
    return stmt_row(q, e);
}

/* The same alarm under the id of its former beginning. */
static int beginnings(struct engine *en, const struct found *f, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(en->db,
                            IN(f->trial, "update ",
                               " set merged=?1 where mine=?2 and point=?3 and kind=?4 and id<>?1 and raised>=?5 and (?6 is null or raised<=?6) and "
                               "merged is null"),
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, a->id);
    stmt_z(q, 2, a->mine);
    stmt_z(q, 3, a->point);
    stmt_i64(q, 4, a->kind);
    stmt_time(q, 5, a->raised);
    stmt_time(q, 6, a->cleared);
    return stmt_run(q, e);
}

/* We see a thing only at samples, so it may begin and end a sample's period from what the mine says. */
static void touching(const struct engine *en, const struct alarm *a, struct stmt *q, int at) {
    zb_time slack = en->policy->silence.sample_period;
    stmt_time(q, at, a->raised - slack);
    stmt_time(q, at + 1, a->cleared == ZB_TIME_NONE ? INT64_MAX : a->cleared + slack);
}

/* What the mine told of it gives way to what we find. */
static int reports(struct engine *en, const struct found *f, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    char why[ALARM_WHY_CAP];
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(
        en->db,
        IN(f->trial, "update ", " set merged=?1 where mine=?2 and why=?3 and why<>'' and merged is null and (cleared is null or cleared>=?4) and raised<=?5"),
        e);
    if (!q) return e->rc;
    alarm_same(a->kind, a->point, why);
    stmt_z(q, 1, a->id);
    stmt_z(q, 2, a->mine);
    stmt_z(q, 3, why);
    touching(en, a, q, 4);
    return stmt_run(q, e);
}

/* A report gives way to what we have found. *ret: its id, "" none. */
static int finding_of(struct engine *en, const struct found *f, char ret[ALARM_ID_CAP], struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    ret[0] = 0;
    ZB_AUTO(stmt_done)
    struct stmt *q = db_use(en->db,
                            IN(f->trial, "select id,kind,point from ",
                               " where mine=?1 and raised>=?4 and raised<=?3 and (cleared is null or cleared>=?2) and merged is null order by raised"),
                            e);
    if (!q) return e->rc;
    stmt_z(q, 1, a->mine);
    touching(en, a, q, 2);
    stmt_time(q, 4, a->raised - SEEN_BACK);
    int r;
    while ((r = stmt_row(q, e)) == 1 && !ret[0]) {
        char point[48], why[ALARM_WHY_CAP];
        str_copy(stmt_col_text(q, 2), point, sizeof point);
        alarm_same((enum alarm_kind)stmt_col_i64(q, 1), point, why);
        if (!strcmp(why, a->why)) str_copy(stmt_col_text(q, 0), ret, ALARM_ID_CAP);
    }
    return r < 0 ? r : ZB_OK;
}

#define OFFICERS "state,acked,acked_by,cause,cause_note,caused,caused_by,measure,measured,measured_by,verified,verified_by,closed,closed_by"
/* What officers did about those that gave way to it is done about it, where nobody has done anything yet. */
static int hand_on(struct engine *en, const char *id, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *o = db_use(en->db,
                            "update alarm set (" OFFICERS ")=(select " OFFICERS " from alarm where merged=?1 order by state desc, raised limit 1)"
                            " where id=?1 and state=0 and exists(select 1 from alarm where merged=?1 and state>0)",
                            e);
    if (!o) return e->rc;
    stmt_z(o, 1, id);
    return stmt_run(o, e);
}

int merge_found(struct engine *en, const struct found *f, bool *gone, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    char to[ALARM_ID_CAP] = "";
    int64_t n = 0;
    if (alarm_told(a)) {
        if (a->why[0] && finding_of(en, f, to, e) != ZB_OK) return e->rc;
        if (!to[0]) return ZB_OK;
        *gone = true;
        ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, IN(f->trial, "update ", " set merged=?2 where id=?1 and merged is null"), e);
        if (!q) return e->rc;
        stmt_z(q, 1, a->id);
        stmt_z(q, 2, to);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
        n = db_changes(en->db);
    } else {
        str_copy(str_of(a->id), to, sizeof to);
        if (f->late && beginnings(en, f, e) != ZB_OK) return e->rc;
        n = f->late ? db_changes(en->db) : 0;
        if (reports(en, f, e) != ZB_OK) return e->rc;
        n += db_changes(en->db);
    }
    return n && !f->trial ? hand_on(en, to, e) : ZB_OK;
}
