/* A data directory of the test's own with its engine. */
#pragma once
#include "../test.h"
#include "engine/engine.h"

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
