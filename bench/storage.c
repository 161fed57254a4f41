/* Samples of a day as mines send them: what they cost on disk once the night has made day chunks, and what reading them costs. One line of JSON each.
 * A mine has 40 methane, 10 CO, 10 air speed, 5 temperature, 20 on/off, 5 power, 5 head-count, 3 pressure and 2 displacement points, 10 s apart, 2 % a second late. */
#include "series/series.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum kind { CH4, CO, AIR, TEMP, SWITCH, KW, MEN, PA, MM };
static const struct {
    int from;
    enum kind kind;
} KINDS[] = {{0, CH4}, {40, CO}, {50, AIR}, {60, TEMP}, {65, SWITCH}, {85, KW}, {90, MEN}, {95, PA}, {98, MM}};
struct sensor {
    uint64_t seed;
    double base, x;
    int left;
};
static double uniform(struct sensor *s) {
    s->seed ^= s->seed << 13;
    s->seed ^= s->seed >> 7;
    s->seed ^= s->seed << 17;
    return (double)(s->seed >> 11) / 9007199254740992.0;
}
static double noise(struct sensor *s) { /* standard deviation 0.7 */
    double n = -3;
    for (int i = 0; i < 6; i++) n += uniform(s);
    return n;
}
static enum kind kind_of(int point) {
    enum kind k = CH4;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (point >= KINDS[i].from) k = KINDS[i].kind;
    return k;
}
static double whole(double v, double step) { return round(v / step) * step; }
static double step(struct sensor *s, enum kind k) {
    switch (k) {
    case CH4:
        s->x = s->x * 0.98 + noise(s) * 0.004;
        if (!s->left && uniform(s) < 1.0 / 20000) s->left = 30;
        if (s->left) s->left--;
        return whole(fmax(0, s->base + s->x + (s->left ? 1 : 0)), 0.01);
    case CO: return s->base = uniform(s) < 0.05 ? floor(uniform(s) * 9) : s->base;
    case AIR: s->x = s->x * 0.9 + noise(s) * 0.05; return whole(s->base + s->x, 0.1);
    case TEMP: s->base += uniform(s) < 0.02 ? (uniform(s) < 0.5 ? 0.1 : -0.1) : 0; return whole(s->base, 0.1);
    case SWITCH: return s->base = uniform(s) < 1.0 / 3600 ? 1 - s->base : s->base;
    case KW: return whole(s->base + noise(s) * s->base * 0.01, 0.1);
    case MEN: s->base = fmax(0, s->base + (uniform(s) < 0.1 ? (uniform(s) < 0.5 ? 1 : -1) : 0)); return s->base;
    case PA: return whole(s->base + noise(s) * 5, 1);
    default: s->base += 0.0005; return whole(s->base + noise(s) * 0.02, 0.01);
    }
}
static void begin(struct sensor *s, enum kind k, uint64_t seed) {
    static const double LOW[] = {0.05, 0, 1, 15, 0, 50, 0, 1500, 0}, WIDE[] = {0.55, 9, 5, 12, 2, 450, 120, 1000, 20};
    *s = (struct sensor){.seed = seed * 0x9E3779B97F4A7C15ull | 1};
    s->base = LOW[k] + uniform(s) * WIDE[k];
    if (k == CO || k == SWITCH || k == MEN) s->base = floor(s->base);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static void must(int rc, const struct zb_err *e) {
    if (rc == ZB_OK) return;
    fprintf(stderr, "%s\n", e->msg);
    exit(1);
}
static double size_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? 0 : (double)st.st_size;
}

int main(int argc, char **argv) { /* FILE [MINES] */
    int64_t mines = 10;
    struct zb_err e;
    struct series *x;
    if (argc < 2 || (argc > 2 && !num_i64(str_of(argv[2]), 1, 1000, &mines))) return 2;
    must(series_open(argv[1], &x, &e), &e);
    int32_t day = zb_day_of(zb_now()) - 2;
    zb_time t0 = zb_day_start(day);
    int n = (int)mines * 100, did = 1;
    struct sensor *s = calloc((size_t)n, sizeof *s);
    for (int i = 0; i < n; i++) begin(&s[i], kind_of(i % 100), (uint64_t)i + 1);
    char mine[16], code[24];
    double from = seconds();
    for (int k = 0; k <= 8640; k++) { /* one after midnight: the day is complete */
        for (int i = 0; i < n; i++) {
            struct sample v = {t0 + k * 10 * ZB_SECOND + (uniform(&s[i]) < 0.02 ? ZB_SECOND : 0),
                               (zb_fix)llround(step(&s[i], kind_of(i % 100)) * 100) * (ZB_FIX_ONE / 100), 0};
            snprintf(mine, sizeof mine, "14021400%04d", i / 100);
            snprintf(code, sizeof code, "P%02d", i % 100);
            must(series_put(x, str_of(mine), str_of(code), &v, 1, &e), &e);
        }
        if (k % 360 == 0) must(series_flush_some(x, (uint64_t)k, &e), &e);
    }
    must(series_flush(x, 8641, &e), &e);
    double put = seconds() - from, samples = n * 8641.0;
    from = seconds();
    while (did) must(series_compact(x, day + 1, 64, &did, &e), &e);
    printf("{\"bench\":\"night\",\"point_days\":%d,\"ms_each\":%.3f,\"put_and_seal_per_s\":%.0f}\n", n, (seconds() - from) * 1e3 / n, samples / put);
    series_close(x); /* the last handle folds the log into the file */
    struct db *db;
    must(db_open(argv[1], DB_WRITE, &db, &e), &e);
    must(db_exec(db, "vacuum", &e), &e); /* a file that has been in use for days has no more free pages than this */
    db_close(db);
    printf("{\"bench\":\"storage_day_chunks\",\"samples\":%.0f,\"bytes_per_sample\":%.4f,\"budget\":0.22}\n", samples, size_of(argv[1]) / samples);
    must(series_open(argv[1], &x, &e), &e);
    from = seconds();
    int count = 0;
    for (int i = 0; i < 100; i++) {
        struct sample *v;
        int got;
        snprintf(code, sizeof code, "P%02d", i);
        must(series_read(x, STR("140214000000"), str_of(code), t0, t0 + ZB_DAY, &v, &got, &e), &e);
        count += got;
        free(v);
    }
    printf("{\"bench\":\"read_day_chunk\",\"samples_per_s\":%.0f,\"day_ms\":%.2f}\n", count / (seconds() - from), (seconds() - from) * 10);
    series_close(x);
    free(s);
    return 0;
}
