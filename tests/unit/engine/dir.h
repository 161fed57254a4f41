/* A data directory of the test's own with its engine. */
#pragma once
#include "../test.h"
#include "engine/engine.h"
#include "store/db.h"

static char dir[64];
static struct engine *en;
static void open_(void) { OK(engine_open(dir, NULL, &en, &err)); }
static void close_(void) {
    engine_close(en);
    en = NULL;
}
static int up(void **s) {
    (void)s;
    static char made[64]; /* one directory is made, the tests take copies of it */
    char cmd[200];
    if (!made[0]) {
        strcpy(made, scratch());
        OK(engine_init(made, getenv("POLICY"), NULL, &err));
    }
    strcpy(dir, scratch());
    snprintf(cmd, sizeof cmd, "rm -rf %s && cp -r %s %s", dir, made, dir);
    assert_int_equal(system(cmd), 0);
    open_();
    return 0;
}
static int down(void **s) {
    (void)s;
    if (en) close_();
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}
/* What a query of one number gives; -1 no row. */
__attribute__((unused)) static int64_t number(const char *sql) {
    struct db *db = engine_reader(en, &err);
    struct stmt *q = db_use(db, sql, &err);
    assert_non_null(q);
    int64_t n = stmt_row(q, &err) == 1 ? stmt_col_i64(q, 0) : -1;
    stmt_done(&q);
    engine_reader_back(en, db);
    return n;
}
