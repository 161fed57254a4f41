/* replay --policy: the whole fact log judged by another policy in a folder of its own, compared with what was found. The directory itself is only read, also
 * while it is served; nothing known is touched. */
#include "audit/audit.h"
#include "engine/inside.h"
#include "notify/notify.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void folder_remove(const char *dir) {
    static const char *const F[] = {"raw", "series.db", "series.db-wal", "series.db-shm", "found.db", "found.db-wal", "found.db-shm"};
    char path[600];
    for (size_t i = 0; i < sizeof F / sizeof *F; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, F[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int stores_make(struct engine *en, const char *from, struct zb_err *e) {
    char path[600], log[4200], *full = realpath(from, NULL);
    if (!full) return zb_fail(e, ZB_E_ABSENT, "%s: %s", from, strerror(errno));
    snprintf(log, sizeof log, "%.4000s/raw", full);
    free(full);
    snprintf(path, sizeof path, "%s/raw", en->dir);
    if (symlink(log, path) != 0) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%s/series.db", en->dir);
    if (series_open(path, &en->series, e) != ZB_OK) return e->rc;
    snprintf(path, sizeof path, "%s/found.db", en->dir);
    if (db_open(path, DB_WRITE, &en->db, e) != ZB_OK) return e->rc;
    if (audit_init(en->db, e) != ZB_OK || access_init(en->db, e) != ZB_OK || findings_init(en->db, e) != ZB_OK) return e->rc;
    return notify_init(en->db, e);
}

static int live_attach(struct engine *en, const char *dir, struct zb_err *e) {
    char path[600];
    records_path(dir, path, sizeof path);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, "attach database ? as live", e);
    if (!q) return e->rc;
    stmt_z(q, 1, path);
    return stmt_run(q, e);
}

/* Alarms that only one side has, or both have with another level, limit, peak or end. */
static int tell(struct engine *en, zb_time from, engine_whatif_fn *fn, void *arg, struct whatif_result *ret, struct zb_err *e) {
    ZB_AUTO(stmt_done)
    struct stmt *q =
        db_use(en->db,
               "select n.mine,n.point,n.kind,n.level,n.raised,n.cleared,n.peak,n.lim,o.id is null,o.level,o.lim from main.alarm n left join live.alarm o "
               "on o.id=n.id where n.raised>=?1 and n.merged is null and (o.id is null or o.level<>n.level or o.lim is not n.lim or o.cleared is not n.cleared)"
               " union all "
               "select o.mine,o.point,o.kind,o.level,o.raised,o.cleared,o.peak,o.lim,2,null,null from live.alarm o where o.raised>=?1 and o.merged is "
               "null and not exists (select 1 from main.alarm n where n.id=o.id) order by 5,1,2,3",
               e);
    if (!q) return e->rc;
    stmt_time(q, 1, from);
    int r;
    while ((r = stmt_row(q, e)) == 1) {
        struct whatif w = {.kind = (enum alarm_kind)stmt_col_i64(q, 2),
                           .level = (enum alarm_level)stmt_col_i64(q, 3),
                           .raised = stmt_col_time(q, 4),
                           .cleared = stmt_col_time(q, 5),
                           .peak = stmt_col_fix(q, 6),
                           .limit = stmt_col_fix(q, 7)};
        str_copy(stmt_col_text(q, 0), w.mine, sizeof w.mine);
        str_copy(stmt_col_text(q, 1), w.point, sizeof w.point);
        int64_t side = stmt_col_i64(q, 8);
        w.change = side == 1 ? "new" : side == 2 ? "gone" : "changed";
        w.was_level = stmt_col_null(q, 9) ? LEVEL_NONE : (enum alarm_level)stmt_col_i64(q, 9);
        w.was_limit = stmt_col_fix(q, 10);
        ++*(side == 1 ? &ret->fresh : side == 2 ? &ret->gone : &ret->changed);
        if (fn) fn(arg, &w);
    }
    return r;
}

int engine_whatif(const char *dir, const char *policy_dir, zb_time from, FILE *progress, engine_whatif_fn *fn, void *arg, struct whatif_result *ret,
                  struct zb_err *e) {
    char tmp[500], url[600];
    *ret = (struct whatif_result){0};
    records_path(dir, url, sizeof url);
    if (strstr(url, "://")) return zb_fail(e, ZB_E_INPUT, "replay compares SQLite files: the records of %s are in PostgreSQL", dir);
    if (access(url, R_OK) != 0) return zb_fail(e, ZB_E_ABSENT, "%s is not a data directory: make one with zhiben init %s", dir, dir);
    snprintf(tmp, sizeof tmp, "%.400s/replay-XXXXXX", dir);
    if (!mkdtemp(tmp)) return zb_fail(e, ZB_E_IO, "cannot make a folder in %s: %s", dir, strerror(errno));
    struct engine *en = engine_make(tmp);
    en->one_policy = true;
    int rc = policy_load(policy_dir, &en->policy, e);
    if (rc == ZB_OK) rc = engine_policy_check(en->policy, e);
    if (rc == ZB_OK) rc = stores_make(en, dir, e);
    if (rc == ZB_OK) rc = replay_from(en, 0, progress, e);
    if (rc == ZB_OK) rc = judge_settle(en, false, e);
    if (rc == ZB_OK) rc = live_attach(en, dir, e);
    ret->inputs = en->input;
    if (rc == ZB_OK) rc = tell(en, from, fn, arg, ret, e);
    engine_free(en);
    folder_remove(tmp);
    return rc;
}
