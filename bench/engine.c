/* The whole way in one process: durable ingest with detectors on, alarm latency, silence, storage, queries, memory. One JSON line each.
 * usage: engine POLICY DIR [points [files [senders [LINES]]]]   DIR must not exist. Files are CDSS of `points` samples, 30 s apart, a mine a sender.
 * LINES: a folder that gets the same samples as line protocol, a file each, for a peer.
 * engine POLICY DIR live [mines [points [files]]]   what a province costs at its own pace: a file a mine and half minute, each waited for. */
#include "audit/audit.h"
#include "engine/engine.h"
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct engine *en;
static int points = 18000, files = 120, senders = 2;
static zb_time start;
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static void must(int rc, const struct zb_err *e) {
    if (rc != ZB_OK) {
        fprintf(stderr, "bench: %s\n", e->msg);
        exit(1);
    }
}

struct text {
    char name[80], *p;
    size_t n;
};
/* a day's walk of a methane value in hundredths: mostly still, sometimes a step */
static int value(int k, int i, int cap) {
    unsigned h = (unsigned)i * 2654435761u + (unsigned)(k / 7 + i % 5) * 40503u;
    return 20 + (int)(h >> 8) % 40 % cap;
}

static void lines_write(const char *dir, int mine, int k, int n) {
    char path[600];
    snprintf(path, sizeof path, "%s/%03d-%05d.influx", dir, mine, k);
    FILE *f = fopen(path, "w");
    if (!f) exit(1);
    for (int i = 0; i < n; i++) fprintf(f, "ch4,m=%d,p=%d v=0.%02d %lld\n", mine, i, value(k, i, 40), (long long)(start / 1000 + k * 30));
    fclose(f);
}

static struct text cdss(int mine, int k, int n, int cap) {
    struct text t;
    char time[ZB_TIME_CAP], stamp[ZB_TIME_CAP];
    zb_time at = start + (zb_time)k * 30000;
    zb_time_text(at, time);
    snprintf(t.name, sizeof t.name, "14021490%04d_CDSS_%s.txt", mine, zb_time_stamp(at, stamp));
    struct buf b;
    buf_init(&b, (size_t)64 << 20);
    buf_printf(&b, "14021490%04d;示范矿;%s~", mine, time);
    for (int i = 0; i < n; i++) {
        int v = value(k, i, cap);
        buf_printf(&b, "14021490%04d01MN%08d;环境瓦斯;%d工作面;0.%02d;%%CH4;0;%s~", mine, i, i % 90, v, time);
    }
    buf_puts(&b, "||");
    t.p = b.p;
    t.n = b.n;
    return t;
}

struct sender {
    pthread_t thread;
    int mine;
    struct text *t;
};
static void *send_main(void *arg) {
    struct sender *s = arg;
    struct upload_result u;
    struct zb_err e;
    for (int k = 0; k < files; k++) must(engine_submit(en, STR(""), STR("bench"), str_of(s->t[k].name), (struct str){s->t[k].p, s->t[k].n}, false, &u, &e), &e);
    return NULL;
}

static long file_size(const char *dir, const char *name) {
    char path[600];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) ? 0 : (long)st.st_size;
}
static int by_double(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static long rss(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return pages * 4096;
}

static void ingest(const char *dir) {
    struct sender s[16];
    size_t bytes = 0;
    for (int m = 0; m < senders; m++) {
        s[m] = (struct sender){.mine = m + 1, .t = calloc((size_t)files, sizeof(struct text))};
        for (int k = 0; k < files; k++) {
            s[m].t[k] = cdss(m + 1, k, points, 40);
            bytes += s[m].t[k].n;
        }
    }
    long before = rss();
    double t0 = seconds();
    for (int m = 0; m < senders; m++) pthread_create(&s[m].thread, NULL, send_main, &s[m]);
    for (int m = 0; m < senders; m++) pthread_join(s[m].thread, NULL);
    double acked = seconds() - t0;
    engine_settle(en);
    double judged = seconds() - t0, n = (double)points * files * senders;
    struct engine_stat st;
    engine_stats(en, &st);
    printf("{\"bench\":\"ingest\",\"samples\":%.0f,\"file_bytes\":%zu,\"acknowledged_per_s\":%.0f,\"judged_per_s\":%.0f,\"mb_per_s\":%.0f,\"syncs\":%llu}\n", n,
           s[0].t[0].n, n / acked, n / judged, (double)bytes / 1e6 / judged, (unsigned long long)st.raw.syncs);
    printf("{\"bench\":\"storage\",\"raw_bytes_per_sample\":%.3f,\"series_bytes_per_sample\":%.3f}\n", (double)st.raw.bytes_disk / n,
           (double)(file_size(dir, "series.db") + file_size(dir, "series.db-wal")) / n);
    printf("{\"bench\":\"memory\",\"points\":%d,\"rss_growth_mb\":%.0f}\n", points * senders, (double)(rss() - before) / 1e6);
    for (int m = 0; m < senders; m++) {
        for (int k = 0; k < files; k++) free(s[m].t[k].p);
        free(s[m].t);
    }
}

static void live(int mines) {
    long before = rss();
    double t0 = seconds();
    struct upload_result u;
    struct zb_err e;
    for (int k = 0; k < files; k++)
        for (int m = 0; m < mines; m++) {
            struct text t = cdss(m + 1, k, points, 40);
            must(engine_submit(en, STR(""), STR("bench"), str_of(t.name), (struct str){t.p, t.n}, true, &u, &e), &e);
            free(t.p);
        }
    printf("{\"bench\":\"live\",\"points\":%d,\"minutes\":%.0f,\"seconds\":%.0f,\"rss_mb\":%.0f,\"rss_before_mb\":%.0f}\n", mines * points, files / 2.0,
           seconds() - t0, (double)rss() / 1e6, (double)before / 1e6);
}

/* One small file of a mine goes over the limit and back; the time until its alarm row is durable. */
static void latency(const char *what, int mine) {
    enum { N = 300 };
    static double ms[N];
    char name[80], text[400], t[ZB_TIME_CAP], st[ZB_TIME_CAP];
    struct upload_result u;
    struct zb_err e;
    for (int i = 0; i < N; i++) {
        zb_time at = start + (zb_time)i * 600000;
        zb_time_text(at, t);
        snprintf(name, sizeof name, "1402149%05d_CDSS_%s.txt", mine, zb_time_stamp(at, st));
        snprintf(text, sizeof text, "1402149%05d;示范矿;%s~P1;环境瓦斯;上隅角;%s;%%CH4;%s;%s~||", mine, t, i % 2 ? "0.3" : "1.9", i % 2 ? "0" : "3", t);
        double t0 = seconds();
        must(engine_submit(en, STR(""), STR("bench"), str_of(name), str_of(text), true, &u, &e), &e);
        ms[i] = (seconds() - t0) * 1e3;
    }
    qsort(ms, N, sizeof *ms, by_double);
    printf("{\"bench\":\"%s\",\"n\":%d,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n", what, N, ms[N / 2], ms[N * 99 / 100]);
}

/* Half a million samples a second from four mines, made as they are sent. */
static atomic_bool over;
static atomic_long sent;
static void *load_main(void *arg) {
    struct upload_result u;
    struct zb_err e;
    double from = seconds();
    for (int k = 0; !atomic_load(&over); k++) {
        struct text t = cdss(101 + k % 4, k / 4, points, 40);
        must(engine_submit(en, STR(""), STR("bench"), str_of(t.name), (struct str){t.p, t.n}, false, &u, &e), &e);
        free(t.p);
        sent += points;
        double ahead = from + (double)sent / 5e5 - seconds();
        if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
    }
    return arg;
}
static void latency_loaded(void) {
    pthread_t t;
    double from = seconds();
    pthread_create(&t, NULL, load_main, NULL);
    latency("alarm_latency_loaded", 9998);
    over = true;
    pthread_join(t, NULL);
    printf("{\"bench\":\"load_beside\",\"samples_per_s\":%.0f}\n", (double)sent / (seconds() - from));
    engine_settle(en);
}

static void queries(void) {
    struct zb_err e;
    struct sample *v = calloc(43200 * 2, sizeof *v), *got;
    int n, count = 86400;
    for (int i = 0; i < count; i++) v[i] = (struct sample){start + (zb_time)i * 30000, (zb_fix)(20 + (i / 9) % 37) * 10000, 0};
    must(series_put(engine_series(en), STR("140214908888"), STR("Q"), v, count, &e), &e);
    must(series_flush(engine_series(en), series_input(engine_series(en)), &e), &e);
    static const struct {
        const char *what;
        zb_time length;
        int buckets;
    } Q[] = {{"day_by_minute", ZB_DAY, 1440}, {"month_raw", 30 * ZB_DAY, 0}, {"month_2000_buckets", 30 * ZB_DAY, 2000}};
    for (int q = 0; q < 3; q++) {
        double t0 = seconds();
        for (int i = 0; i < 20; i++) {
            struct bucket *b;
            if (Q[q].buckets)
                must(series_buckets(engine_series(en), STR("140214908888"), STR("Q"), start, start + Q[q].length, Q[q].buckets, &b, &n, &e), &e), free(b);
            else
                must(series_read(engine_series(en), STR("140214908888"), STR("Q"), start, start + Q[q].length, &got, &n, &e), &e), free(got);
        }
        printf("{\"bench\":\"query\",\"what\":\"%s\",\"rows\":%d,\"ms\":%.2f}\n", Q[q].what, n, (seconds() - t0) / 20 * 1e3);
    }
    free(v);
}

static void journal(void) {
    enum { N = 200000 };
    struct zb_err e;
    struct db *w = engine_writer(en);
    must(db_begin(w, &e), &e);
    for (int i = 0; i < N; i++)
        must(audit_append(w, start + i, STR("bench"), STR("alarm.ack"), STR("888901b25d42c960ed59d605"),
                          STR("{\"mine\":\"140214900001\",\"from\":\"raised\",\"to\":\"acked\"}"), &e),
             &e);
    must(db_commit(w, &e), &e);
    struct audit_result r;
    double t0 = seconds();
    must(audit_verify(w, engine_dir(en), NULL, &r, &e), &e);
    printf("{\"bench\":\"journal_verify\",\"entries\":%lld,\"per_s\":%.0f,\"ok\":%s}\n", (long long)r.entries, (double)r.entries / (seconds() - t0),
           r.bad_seq ? "false" : "true");
    engine_writer_back(en);
}

struct sum {
    int64_t n, over;
};
static int count_points(void *arg, const struct mine_view *v) {
    struct sum *s = arg;
    for (int i = 0; i < mine_points(v->state); i++) {
        struct point_now p;
        if (mine_point_at(v->state, i, &p)) s->n++, s->over += p.level >= LEVEL_ORANGE;
    }
    return 0;
}

int main(int argc, char **argv) {
    struct zb_err e;
    struct sum s = {0};
    int64_t x;
    if (argc < 3) return fprintf(stderr, "usage: engine POLICY DIR [points [files [senders]]]\n"), 2;
    bool at_pace = argc > 3 && !strcmp(argv[3], "live");
    if (at_pace) { /* 50 mines of 4,000 points, half an hour */
        senders = argc > 4 && num_i64(str_of(argv[4]), 1, 9000, &x) ? (int)x : 50;
        points = argc > 5 && num_i64(str_of(argv[5]), 1, 20000, &x) ? (int)x : 4000;
        files = argc > 6 && num_i64(str_of(argv[6]), 1, 100000, &x) ? (int)x : 60;
        argc = 3;
    }
    if (argc > 3 && num_i64(str_of(argv[3]), 1, 20000, &x)) points = (int)x;
    if (argc > 4 && num_i64(str_of(argv[4]), 1, 100000, &x)) files = (int)x;
    if (argc > 5 && num_i64(str_of(argv[5]), 1, 16, &x)) senders = (int)x;
    start = zb_now() / ZB_DAY * ZB_DAY - 40 * ZB_DAY;
    for (int m = 1; argc > 6 && m <= senders; m++)
        for (int k = 0; k < files; k++) lines_write(argv[6], m, k, points);
    must(engine_init(argv[2], argv[1], NULL, &e), &e);
    must(engine_open(argv[2], NULL, &en, &e), &e);
    if (at_pace) {
        live(senders);
        engine_close(en);
        return 0;
    }
    latency("alarm_latency", 9999);
    latency_loaded();
    ingest(argv[2]);
    double t0 = seconds();
    engine_mines(en, STR(""), count_points, &s);
    printf("{\"bench\":\"province_now\",\"points\":%lld,\"ms\":%.2f}\n", (long long)s.n, (seconds() - t0) * 1e3);
    queries();
    journal();
    t0 = seconds();
    engine_close(en);
    printf("{\"bench\":\"close\",\"s\":%.2f}\n", seconds() - t0);
    t0 = seconds();
    must(engine_open(argv[2], NULL, &en, &e), &e);
    printf("{\"bench\":\"open\",\"s\":%.2f}\n", seconds() - t0);
    engine_close(en);
    return 0;
}
