/* The plan room over a province that was simulated and taken over (`zhiben simulate`, `zhiben history`): every indicator for all areas and mines, one changed
 * record, every rule over the province and over one mine, the wall map, the records of another day. One line of JSON each, the slowest SQL behind.
 * usage: bench_province POLICY DIR/zhiben.db */
#include "prove/hit.h"
#include "prove/inside.h"
#include "prove/office.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static struct policy *p;
static struct db *db;
static const char *path;
static struct zb_err e;
static void must(int rc) {
    if (rc == ZB_OK) return;
    fprintf(stderr, "%s\n", e.msg);
    exit(1);
}
struct clocks { /* wall and processor, ms */
    double wall, cpu;
};
static struct clocks clocks(void) {
    struct timespec t;
    struct rusage u;
    clock_gettime(CLOCK_MONOTONIC, &t);
    getrusage(RUSAGE_SELF, &u);
    return (struct clocks){(double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6,
                           (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3};
}
static void told(const char *what, struct clocks from, double budget) {
    struct clocks now = clocks();
    printf("{\"bench\":\"province\",\"what\":\"%s\",\"ms\":%.1f,\"cpu_ms\":%.1f,\"budget_ms\":%.0f}\n", what, now.wall - from.wall, now.cpu - from.cpu, budget);
    fflush(stdout);
}

struct slow {
    const char *id;
    double ms;
};
static int slower(const void *a, const void *b) {
    const struct slow *x = a, *y = b;
    return (x->ms < y->ms) - (x->ms > y->ms);
}
static void slowest(struct slow *s, int n) {
    qsort(s, (size_t)n, sizeof *s, slower);
    for (int i = 0; i < n && i < 12; i++) printf("  %-14s %8.1f ms\n", s[i].id, s[i].ms);
    fflush(stdout);
}

static void indicators(void) {
    struct slow *s = xcalloc((size_t)p->indicators + 1, sizeof *s);
    must(db_clock(db, zb_now(), &e));
    struct clocks from = clocks();
    for (int i = 0; i < p->indicators; i++) {
        struct figure_row *row;
        int n;
        struct clocks at = clocks();
        s[i].id = p->indicator[i].id;
        if (p->indicator[i].kind == IK_MEAN_OF) continue;
        must(figure_rows(db, &p->indicator[i], NULL, &row, &n, &e));
        free(row);
        s[i].ms = clocks().cpu - at.cpu;
    }
    told("every indicator's SQL over the province", from, 0);
    slowest(s, p->indicators);
    free(s);
}

static void figures(void) {
    struct prover *pr;
    int did;
    must(keep_state_set(db, "full", "", &e)); /* as on a new day */
    must(prover_open(path, &pr, &e));
    struct clocks from = clocks();
    must(prover_step(pr, p, zb_now(), &did, &e));
    told("all indicators asked and kept for all areas and mines", from, 60000);
    if (prover_trouble(pr)[0]) fprintf(stderr, "%s\n", prover_trouble(pr));
    for (int i = 0; i < p->ledgers; i++) {
        if (strcmp(p->ledger[i].key, "person") && strcmp(p->ledger[i].key, "training") && strcmp(p->ledger[i].key, "major_hazard")) continue;
        char what[80], sql[200];
        snprintf(sql, sizeof sql, "insert into ledger_touch(ledger,area,mine) select '%s',area,mine from l_site order by id limit 1", p->ledger[i].key);
        must(db_exec(db, sql, &e));
        from = clocks();
        must(prover_step(pr, p, zb_now(), &did, &e));
        snprintf(what, sizeof what, "one changed record: %s", p->ledger[i].key);
        told(what, from, 2000);
    }
    prover_close(pr);
}

static void rules(int64_t site) {
    struct hits *h;
    struct hits_sum sum;
    struct clocks from = clocks();
    must(hits_look(db, p, site, &h, &e));
    must(hits_store(db, p, h, zb_now(), &sum, &e));
    hits_free(h);
    told(site ? "every rule for one changed mine" : "every rule for the province", from, site ? 2000 : 30000);
    fprintf(stderr, "%d hits, %d rules failed %s\n", sum.found, sum.failed, sum.trouble);
    struct stmt *q = site ? NULL : db_use(db, "select rule,ms from rule_run order by ms desc limit 12", &e);
    while (q && stmt_row(q, &e) == 1) printf("  %-14.*s %8lld ms\n", STR_ARG(stmt_col_text(q, 0)), (long long)stmt_col_i64(q, 1));
    stmt_done(&q);
}

static void wall(void) {
    static const struct actor TEAM = {.id = 1, .user = "team", .role = "working_team", .area = "14"};
    double worst = 0;
    struct clocks from = clocks();
    for (int i = 0; i < 21; i++) {
        struct look l = look_new(db, p, &TEAM, path);
        struct buf b;
        struct json j;
        buf_init(&b, 64 << 20);
        json_init(&j, &b);
        must(look_area(&l, STR("14"), &e));
        struct clocks at = clocks();
        must(view_wallmap(&l, &j, &e));
        if (i && clocks().wall - at.wall > worst) worst = clocks().wall - at.wall;
        buf_done(&b);
        look_end(&l);
    }
    told("wall map of the province, 21 times", from, 0);
    printf("{\"bench\":\"province\",\"what\":\"wall map of the province, worst of 20\",\"ms\":%.1f,\"budget_ms\":50}\n", worst);
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: bench_province POLICY DIR/zhiben.db\n"), 2;
    path = argv[2];
    must(policy_load(argv[1], &p, &e));
    must(db_open(path, DB_WRITE, &db, &e));
    must(prove_migrate(db, p, &e));
    must(hits_init(db, &e));
    indicators();
    figures();
    wall();
    rules(0);
    int64_t site;
    struct stmt *q = db_once(db, "select id from l_site order by id limit 1", &e);
    site = q && stmt_row(q, &e) == 1 ? stmt_col_i64(q, 0) : 0;
    stmt_done(&q);
    rules(site);
    struct other_day past;
    struct clocks from = clocks();
    must(past_open(path, p, NULL, past_end_of(zb_day_of(zb_now()) - 300), zb_now(), &past, &e));
    told("the records of another day", from, 60000);
    past_close(&past);
    db_close(db);
    policy_unref(p);
    return 0;
}
