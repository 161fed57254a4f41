/* A PostgreSQL server of the test's own: in a folder under /tmp, on a unix socket there, gone when the test is (killed too: a watchdog
 * holds the other end of a pipe). Needs /usr/lib/postgresql/15/bin; as root it runs as user postgres. */
#pragma once
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test.h"
#define PG_BIN "/usr/lib/postgresql/15/bin"

static char pg_dir[64];
static int pg_pipe = -1;
static pid_t pg_watchdog;

__attribute__((format(printf, 1, 2))) static int pg_sh(const char *fmt, ...) {
    char cmd[900], as[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(as, sizeof as, fmt, ap);
    va_end(ap);
    snprintf(cmd, sizeof cmd, "cd /tmp && %s%s", geteuid() == 0 ? "runuser -u postgres -- " : "", as);
    return system(cmd);
}

static void pg_halt(void) {
    char cmd[200];
    if (pg_sh(PG_BIN "/pg_ctl -D %s/data -s -m immediate stop >/dev/null 2>&1", pg_dir) != 0) fprintf(stderr, "PostgreSQL in %s did not stop\n", pg_dir);
    snprintf(cmd, sizeof cmd, "rm -rf %s", pg_dir);
    if (system(cmd) != 0) fprintf(stderr, "%s stays\n", pg_dir);
}

__attribute__((unused)) static void pg_stop(void) {
    if (pg_pipe < 0) return;
    close(pg_pipe);
    pg_pipe = -1;
    waitpid(pg_watchdog, NULL, 0);
}

/* false: no server here, *why says it. */
__attribute__((unused)) static bool pg_start(const char **why) {
    *why = "PostgreSQL 15's programs are not installed (" PG_BIN ")";
    if (access(PG_BIN "/initdb", X_OK) != 0 || access(PG_BIN "/pg_ctl", X_OK) != 0) return false;
    snprintf(pg_dir, sizeof pg_dir, "%s/zbpgXXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    *why = "the server did not start";
    if (!mkdtemp(pg_dir)) return false;
    char cmd[200];
    snprintf(cmd, sizeof cmd, "chown postgres %s", pg_dir);
    if (geteuid() == 0 && system(cmd) != 0) return false;
    if (pg_sh(PG_BIN "/initdb -D %s/data -E UTF8 --locale=C -U postgres -A trust -N >%s/initdb.log 2>&1", pg_dir, pg_dir) != 0) return false;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    if (pg_sh(PG_BIN "/pg_ctl -D %s/data -l %s/log -s -w -o \"-c listen_addresses='' -c fsync=off -k %s\" start </dev/null >/dev/null 2>&1", pg_dir, pg_dir,
              pg_dir) != 0)
        return false;
    pg_watchdog = fork();
    if (pg_watchdog == 0) {
        char c;
        setsid();
        close(ends[1]);
        while (read(ends[0], &c, 1) > 0) {}
        pg_halt();
        _exit(0);
    }
    close(ends[0]);
    pg_pipe = ends[1];
    atexit(pg_stop);
    return true;
}

/* Another run of the server: every connection is lost. */
__attribute__((unused)) static bool pg_restart(void) {
    return pg_sh(PG_BIN "/pg_ctl -D %s/data -l %s/log -s -w -m fast -o \"-c listen_addresses='' -c fsync=off -k %s\" restart </dev/null >/dev/null 2>&1",
                 pg_dir, pg_dir, pg_dir) == 0;
}

/* A fresh database's address; `more` are options of createdb. */
__attribute__((unused)) static const char *pg_fresh_with(const char *more) {
    static char url[200];
    static int n;
    if (pg_sh(PG_BIN "/createdb -h %s -U postgres -T template0 %s zb%d", pg_dir, more, ++n) != 0) return NULL;
    snprintf(url, sizeof url, "postgresql://postgres:the-secret@/zb%d?host=%s", n, pg_dir);
    return url;
}
__attribute__((unused)) static const char *pg_fresh(void) { return pg_fresh_with(""); }

/* The tests on SQLite, then on PostgreSQL where it is there, *postgres telling them which. How many failed. */
#define ON_BOTH(tests, postgres) on_both(tests, sizeof(tests) / sizeof *(tests), postgres)
__attribute__((unused)) static int on_both(const struct CMUnitTest *tests, size_t n, bool *postgres) {
    const char *why;
    int bad = _cmocka_run_group_tests("sqlite", tests, n, NULL, NULL);
    if (!pg_start(&why)) {
        printf("skipped on PostgreSQL: %s\n", why);
        return bad;
    }
    *postgres = true;
    bad += _cmocka_run_group_tests("postgres", tests, n, NULL, NULL);
    pg_stop();
    return bad;
}
