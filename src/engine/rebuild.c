/* rebuild: the whole fact log judged anew into a fresh database beside, compared, then its machine half taken over. Nothing known is deleted. */
#include "audit/audit.h"
#include "engine/inside.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int files_remove(const struct engine *en, const char *name, struct zb_err *e) {
    static const char *const TAIL[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s%s", en->dir, name, TAIL[i]);
        if (unlink(path) != 0 && errno != ENOENT) return zb_fail(e, ZB_E_IO, "cannot remove %s: %s", path, strerror(errno));
    }
    return ZB_OK;
}

/* The samples that were are kept aside until the log has been read to its end. */
static int series_move(const struct engine *en, const char *from, const char *to, struct zb_err *e) {
    static const char *const TAIL[] = {"", "-wal", "-shm"};
    if (files_remove(en, to, e) != ZB_OK) return e->rc;
    for (size_t i = 0; i < 3; i++) {
        char a[600], b[600];
        snprintf(a, sizeof a, "%s/%s%s", en->dir, from, TAIL[i]);
        snprintf(b, sizeof b, "%s/%s%s", en->dir, to, TAIL[i]);
        if (rename(a, b) != 0 && errno != ENOENT) return zb_fail(e, ZB_E_IO, "cannot move %s: %s", a, strerror(errno));
    }
    return ZB_OK;
}

static int attach(struct engine *en, struct zb_err *e) {
    char path[600];
    snprintf(path, sizeof path, "%s/zhiben.db", en->dir);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, "attach database ? as live", e);
    if (!q) return e->rc;
    stmt_z(q, 1, path);
    return stmt_run(q, e);
}

static int one_number(struct db *db, const char *sql, int64_t *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done) struct stmt *q = db_use(db, sql, e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    *ret = r == 1 ? stmt_col_i64(q, 0) : 0;
    return r < 0 ? r : ZB_OK;
}

#define MACHINE "id,mine,point,kind,level,raised,cleared,last,peak,lim,labels,count,grp,note,why"
#define DIFFER "select * from (select " MACHINE " from main.alarm except select " MACHINE " from live.alarm)"

static int first_difference(struct engine *en, struct rebuild_result *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(en->db,
               "select d.id, d.mine, d.point, d.kind, json_array(d.level,d.raised,d.cleared,d.last,d.peak,d.lim,d.labels,d.count),"
               " (select json_array(level,raised,cleared,last,peak,lim,labels,count) from live.alarm a where a.id=d.id) from (" DIFFER ") d limit 1",
               e);
    if (!q) return e->rc;
    int r = stmt_row(q, e);
    if (r == 1)
        snprintf(ret->first, sizeof ret->first, "alarm " STR_FMT " of " STR_FMT "/" STR_FMT " %s: now " STR_FMT ", stored " STR_FMT,
                 STR_ARG(stmt_col_text(q, 0)), STR_ARG(stmt_col_text(q, 1)), STR_ARG(stmt_col_text(q, 2)), ALARM_KIND_KEY[stmt_col_i64(q, 3)],
                 STR_ARG(stmt_col_text(q, 4)), STR_ARG(stmt_col_text(q, 5)));
    return r < 0 ? r : ZB_OK;
}

#define ROW "id,mine,point,kind,level,raised,cleared,last,peak,lim,labels,count,grp,note,region,location,unit,input,judged,why,note_en,late,merged"
#define FORESEEN "id,mine,point,hazard,level,raised,cleared,last,note,why"

static int take_over(struct engine *en, struct zb_err *e) {
    static const char *const SQL[] = {
        "insert into live.alarm(" ROW ") select " ROW " from main.alarm where true on conflict(id) do update set level=excluded.level,cleared=excluded.cleared,"
        "last=excluded.last,peak=excluded.peak,lim=excluded.lim,labels=excluded.labels,count=excluded.count,grp=excluded.grp,note=excluded.note,input=excluded."
        "input,why=excluded.why,note_en=excluded.note_en,merged=coalesce(merged,excluded.merged)",
        "insert into live.foreseen(" FORESEEN ",input) select " FORESEEN
        ",input from main.foreseen where true on conflict(id) do update set level=excluded.level,"
        "cleared=excluded.cleared,last=excluded.last,note=excluded.note,why=excluded.why,input=excluded.input",
        "delete from live.checkpoint",
        "insert into live.checkpoint select * from main.checkpoint",
        "delete from live.meta",
        "insert into live.meta select * from main.meta",
        "insert or replace into live.latest select * from main.latest",
        "insert or replace into live.trial_alarm select * from main.trial_alarm",
        "delete from live.feed_hour",
        "insert into live.feed_hour select * from main.feed_hour",
    };
    if (db_begin(en->db, e) != ZB_OK) return e->rc;
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++)
        if (db_exec(en->db, SQL[i], e) != ZB_OK) {
            db_rollback(en->db);
            return e->rc;
        }
    if (db_commit(en->db, e) != ZB_OK) {
        db_rollback(en->db);
        return e->rc;
    }
    return ZB_OK;
}

static int journal(struct engine *en, const struct rebuild_result *r, struct zb_err *e) {
    char body[160];
    int n = snprintf(body, sizeof body, "{\"inputs\":%llu,\"alarms\":%lld,\"differ\":%lld}", (unsigned long long)r->inputs, (long long)r->alarms,
                     (long long)r->differ);
    if (db_begin(en->writer, e) != ZB_OK) return e->rc;
    if (audit_append(en->writer, zb_now(), STR("engine"), STR("rebuild"), STR("findings"), (struct str){body, (size_t)n}, e) != ZB_OK ||
        db_commit(en->writer, e) != ZB_OK) {
        db_rollback(en->writer);
        return e->rc;
    }
    return ZB_OK;
}

static int rebuild(struct engine *en, FILE *progress, struct rebuild_result *ret, struct zb_err *e) {
    if (open_stores(en, "rebuild.db", e) != ZB_OK || replay_from(en, 0, progress, e) != ZB_OK) return e->rc;
    if (judge_settle(en, true, e) != ZB_OK || attach(en, e) != ZB_OK) return e->rc;
    ret->inputs = en->input;
    if (one_number(en->db, "select count(*) from main.alarm", &ret->alarms, e) != ZB_OK) return e->rc;
    /* what only timers after the last input found is not in the log's reach: the next start finds it again */
    if (one_number(
            en->db,
            "select (select count(*) from (select " MACHINE " from main.alarm except select " MACHINE " from live.alarm))"
            "+(select count(*) from live.alarm a where a.input<=(select max(input) from main.alarm) and not exists (select 1 from main.alarm b where "
            "b.id=a.id))"
            "+(select count(*) from (select " FORESEEN " from main.foreseen except select " FORESEEN " from live.foreseen))"
            "+(select count(*) from live.foreseen a where a.input<=(select max(input) from main.foreseen) and not exists (select 1 from main.foreseen b where "
            "b.id=a.id))",
            &ret->differ, e) != ZB_OK)
        return e->rc;
    if (ret->differ && first_difference(en, ret, e) != ZB_OK) return e->rc;
    return take_over(en, e) == ZB_OK ? journal(en, ret, e) : e->rc;
}

int engine_rebuild(const char *dir, FILE *progress, struct rebuild_result *ret, struct zb_err *e) {
    char url[600];
    records_path(dir, url, sizeof url);
    if (strstr(url, "://")) return zb_fail(e, ZB_E_INPUT, "rebuild compares within one SQLite file: the records of %s are in PostgreSQL", dir);
    struct engine *en = engine_make(dir), *lock = engine_make(dir);
    *ret = (struct rebuild_result){0};
    int rc = lock_dir(lock, e) == ZB_OK && files_remove(en, "rebuild.db", e) == ZB_OK ? series_move(en, "series.db", "series.before", e) : e->rc;
    bool moved = rc == ZB_OK;
    if (moved) rc = rebuild(en, progress, ret, e);
    engine_free(en);
    struct zb_err more;
    if (moved && rc == ZB_OK && (files_remove(lock, "rebuild.db", &more) != ZB_OK || files_remove(lock, "series.before", &more) != ZB_OK))
        log_event("event=rebuild_leftover reason=\"%s\"", more.msg);
    if (moved && rc != ZB_OK && series_move(lock, "series.before", "series.db", &more) != ZB_OK) zb_wrap(e, "%s; and", more.msg);
    engine_free(lock);
    return rc;
}
