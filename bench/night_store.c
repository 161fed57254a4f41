/* What a night costs with its reading: a month of a simulated county in the real series store, then the real night over its last day. One JSON line: what is
 * judged, core-seconds a point with the reading, a model of a forecast, what 80,000 points and the most models of a night would take, memory.
 * usage: bench_night_store POLICY DIR [mines [days [seed]]]   DIR must not exist. */
#include "engine/engine.h"
#include "sense/sense.h"
#include "sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static struct zb_err e;
static void must(int rc) {
    if (rc == ZB_OK) return;
    fprintf(stderr, "night_store: %s\n", e.msg);
    exit(1);
}
static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static double memory_mib(const char *key) { /* of /proc/self/status */
    char line[200];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) kb = strtod(line + strlen(key), NULL);
    if (f) fclose(f);
    return kb / 1024;
}

struct fill {
    const struct policy *p;
    struct engine *en;     /* the first quarter of an hour comes by the door, so that mines and points are known */
    struct series *series; /* the rest goes where the judge would have put it */
    struct arena *arena;
    int64_t samples;
};
static int take(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *err) {
    struct fill *f = arg;
    struct upload_result u;
    struct upload_name un;
    struct batch b;
    bool truncated;
    if (f->en) return engine_submit(f->en, STR(""), STR("bench"), str_of(name), bytes, false, &u, err);
    if (upload_name_parse(f->p, str_of(name), STR(""), &un, err) != ZB_OK) return err->rc;
    if (!str_is(un.type, "CDSS")) return ZB_OK;
    int rc = batch_decode(f->p, str_of(name), STR(""), bytes, un.time + 5 * ZB_MINUTE, f->arena, &b, &truncated, err);
    for (int i = 0; rc == ZB_OK && i < b.n; i++) {
        struct observation o[FACTS_MAX];
        int n = samples_of(f->p, &b, i, f->arena, o);
        if (n) rc = series_put_all(f->series, str_of(mine), str_of(b.format->family), o, n, err);
        f->samples += n;
    }
    arena_reset(f->arena);
    return rc;
}

static void fill_series(struct fill *f, struct sim *s, const char *path, zb_time start, int days) {
    int did = 1;
    must(series_open(path, &f->series, &e));
    for (int d = 1; d <= days; d++) {
        must(sim_step(s, start + d * ZB_DAY, take, f, &e));
        must(series_flush(f->series, 1, &e));
        for (did = 1; did;) must(series_compact(f->series, zb_day_of(start + d * ZB_DAY), 1000, &did, &e));
        fprintf(stderr, "\rday %d of %d", d, days);
    }
    fprintf(stderr, "\n");
    series_close(f->series);
}

int main(int n, char **v) {
    struct policy *p;
    struct sim *s;
    struct fill f = {0};
    struct night_result r;
    struct stat st;
    char path[600];
    int64_t mines = 20, days = 31, seed = 1;
    if (n < 3 || (n > 3 && !num_i64(str_of(v[3]), 1, 2000, &mines)) || (n > 4 && !num_i64(str_of(v[4]), 3, 60, &days)) ||
        (n > 5 && !num_i64(str_of(v[5]), 1, 1000000, &seed)))
        return fprintf(stderr, "usage: bench_night_store POLICY DIR [mines [days [seed]]]\n"), 2;
    must(policy_load(v[1], &p, &e));
    struct sim_config c = {.mines = (int)mines, .hours = (double)days * 24, .seed = (uint64_t)seed, .faults = ""};
    if (!zb_time_parse(STR("2026-03-01 00:00:00"), &c.start)) return 1;
    must(engine_init(v[2], v[1], NULL, &e));
    must(engine_open(v[2], NULL, &f.en, &e));
    must(sim_new(p, &c, &s, &e));
    must(sim_step(s, c.start + 15 * ZB_MINUTE, take, &f, &e));
    engine_settle(f.en);
    engine_close(f.en);
    f = (struct fill){.p = p, .arena = arena_new((size_t)64 << 20)};
    snprintf(path, sizeof path, "%s/series.db", v[2]);
    double made = wall();
    fill_series(&f, s, path, c.start, (int)days);
    made = wall() - made;
    sim_free(s);
    arena_drop(&f.arena);
    must(engine_open(v[2], NULL, &f.en, &e));
    zb_time day = c.start + (days - 1) * ZB_DAY;
    double before = memory_mib("VmRSS:"), t0 = cpu();
    must(engine_night(f.en, zb_day_of(day), day + ZB_DAY + 2 * ZB_HOUR, &r, &e));
    double first = cpu() - t0, w0 = wall();
    int models = r.models;
    t0 = cpu();
    must(engine_night(f.en, zb_day_of(day), day + ZB_DAY + 3 * ZB_HOUR, &r, &e)); /* again: the models are there already */
    double judged = cpu() - t0, lasted = wall() - w0, each = judged / r.points, model = models ? (first - judged) / models : 0;
    if (stat(path, &st)) st.st_size = 0;
    printf("{\"bench\":\"night_store\",\"mines\":%d,\"days\":%lld,\"samples\":%lld,\"series_bytes\":%lld,\"points\":%d,\"clues\":%d,\"core_ms_a_point\":%.2f,"
           "\"wall_s\":%.2f,\"models\":%d,\"core_s_a_model\":%.2f,\"core_hours_80000_points\":%.2f,\"core_hours_most_models\":%.2f,\"rss_before_mib\":%.0f,"
           "\"peak_mib\":%.0f,\"fill_s\":%.0f}\n",
           r.mines, (long long)days, (long long)f.samples, (long long)st.st_size, r.points, r.clues, each * 1000, lasted, models, model, each * 80000 / 3600,
           model * p->detect.gas.most / 3600, before, memory_mib("VmHWM:"), made);
    engine_close(f.en);
    policy_unref(p);
    return r.whole ? 0 : 1;
}
