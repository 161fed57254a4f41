#include "../test.h"
#include "series/series.h"

#define M STR("140214000123")
#define P STR("P1")
static struct sample sm(zb_time t, zb_fix v, uint32_t st) { return (struct sample){t, v, st}; }
static int keep(const void *arg, const char *family) {
    (void)arg;
    return !strcmp(family, "F7") ? 100 : !strcmp(family, "F4") ? 20 : 50;
}
static void same(const struct sample *a, const struct sample *b, int n) {
    for (int i = 0; i < n; i++)
        if (a[i].t != b[i].t || a[i].v != b[i].v || a[i].state != b[i].state) fail_msg("sample %d differs", i);
}
static uint64_t seed = 7;
static uint64_t rnd(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* samples of all sorts, rising by time */
static struct sample *sorts(int round, int n) {
    struct sample *v = malloc((size_t)n * sizeof *v);
    zb_time t = (zb_time)(rnd() % 2000000000000);
    for (int i = 0; i < n; i++) {
        t += rnd() % 4 ? 30000 : 1 + (zb_time)(rnd() % 100000);
        zb_fix x = rnd() % 5 ? (zb_fix)(rnd() % 300) * 10000 : (zb_fix)(rnd() >> 20) - (zb_fix)(1ull << 42);
        if (round % 3 == 0) x = x / 1000000 * 1000000;
        if (round % 7 == 0 && rnd() % 9 == 0) x = rnd() % 2 ? INT64_MAX : -INT64_MAX;
        v[i] = sm(t, rnd() % 20 ? x : ZB_FIX_NONE, rnd() % 10 ? 0 : (uint32_t)(rnd() % 512));
    }
    return v;
}
static void codec(void **s) {
    (void)s;
    for (int round = 0; round < 300; round++) {
        int n = 1 + (int)(rnd() % 600);
        struct sample *v = sorts(round, n), *w;
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 1 << 20);
        OK(chunk_encode(v, n, &b, &err));
        int k;
        OK(chunk_decode(buf_str(&b), &w, &k, &err));
        assert_int_equal(k, n);
        same(v, w, n);
        free(w);
        for (size_t cut = 0; cut < b.n; cut += 1 + b.n / 40) { /* damage never crashes, never gives other samples silently by length */
            int rc = chunk_decode((struct str){b.p, cut}, &w, &k, &err);
            if (rc == ZB_OK) free(w);
            assert_int_not_equal(rc, ZB_OK);
        }
        free(v);
    }
}
/* What an open head remembers is what was put, unpacked or stored and loaded, and with corrections of its last samples. */
static void heads(void **s) {
    (void)s;
    struct series *x;
    char *dir = scratch(), code[16];
    struct sample *v[40], *w;
    int n[40], k;
    OK(series_open(join(dir, "s.db"), &x, &err));
    for (int stored = 0; stored < 2; stored++) {
        for (int p = 0; p < 40; p++) {
            snprintf(code, sizeof code, "p%d", p);
            if (!stored) {
                n[p] = 1 + (int)(rnd() % 700);
                v[p] = sorts(p, n[p]);
                for (int i = 0; i < n[p]; i++) {
                    OK(series_put(x, M, str_of(code), &v[p][i], 1, &err));
                    if (p % 2 == 0) continue;
                    int back = i - (int)(rnd() % 4);
                    if (back < 0) continue;
                    v[p][back].v = (zb_fix)(rnd() % 100000);
                    OK(series_put(x, M, str_of(code), &v[p][back], 1, &err));
                }
            }
            OK(series_read(x, M, str_of(code), INT64_MIN, INT64_MAX, &w, &k, &err));
            assert_int_equal(k, n[p]);
            same(v[p], w, k);
            free(w);
            if (stored) free(v[p]);
        }
        OK(series_flush(x, 1, &err));
        series_close(x);
        OK(series_open(join(dir, "s.db"), &x, &err));
    }
    series_close(x);
}
static struct sample truth[5000];
static int truths;
static void check(struct series *x, zb_time from, zb_time to) {
    struct sample *v;
    int n, k = 0;
    OK(series_read(x, M, P, from, to, &v, &n, &err));
    for (int i = 0; i < truths; i++)
        if (truth[i].t >= from && truth[i].t < to) {
            if (k >= n || v[k].t != truth[i].t || v[k].v != truth[i].v) fail_msg("sample %d of %d differs", k, n);
            k++;
        }
    assert_int_equal(k, n);
    free(v);
}
/* live samples, flushes, reopen, then late ones and corrections everywhere: reads equal a plain array */
static void lives(void **s) {
    (void)s;
    struct series *x;
    char *dir = scratch();
    const zb_time t0 = at("2026-03-01 00:00:00");
    OK(series_open(join(dir, "s.db"), &x, &err));
    truths = 0;
    for (int i = 0; i < 2000; i++) {
        struct sample v = sm(t0 + i * 60000, (zb_fix)(i % 97) * 10000, 0);
        truth[truths++] = v;
        OK(series_put(x, M, P, &v, 1, &err));
        if (i % 333 == 0) OK(i % 2 ? series_flush(x, (uint64_t)i, &err) : series_flush_some(x, (uint64_t)i, &err));
        if (i == 100 || i == 700 || i == 1999) check(x, t0, t0 + 3000 * 60000);
    }
    OK(series_flush(x, 2000, &err));
    series_close(x);
    OK(series_open(join(dir, "s.db"), &x, &err));
    assert_int_equal(series_input(x), 2000);
    check(x, 0, INT64_MAX);
    for (int r = 0; r < 3; r++) {
        for (int i = 0; i < 700; i++) { /* corrections */
            int k = (int)(rnd() % 2000);
            truth[k].v = (zb_fix)(rnd() % 1000) * 1000;
            OK(series_put(x, M, P, &truth[k], 1, &err));
        }
        check(x, t0 + 100 * 60000, t0 + 1900 * 60000);
        OK(series_flush(x, 2001, &err));
        check(x, 0, INT64_MAX);
    }
    for (int i = 0; i < 2000; i++) { /* late: between the others, and before all */
        struct sample v = sm(t0 - 500 * 60000 + i * 60000 + 30000, fx("7"), 4);
        truth[truths++] = v;
        OK(series_put(x, M, P, &v, 1, &err));
    }
    for (int i = 1; i < truths; i++)
        for (int k = i; k && truth[k].t < truth[k - 1].t; k--) {
            struct sample h = truth[k];
            truth[k] = truth[k - 1];
            truth[k - 1] = h;
        }
    check(x, 0, INT64_MAX);
    OK(series_flush(x, 2002, &err));
    series_close(x);
    OK(series_open(join(dir, "s.db"), &x, &err));
    check(x, 0, INT64_MAX);
    check(x, t0 + 55 * 60000, t0 + 60 * 60000);
    series_close(x);
}
static void input_is_never_too_late(void **s) { /* what series_input says is durable really is */
    (void)s;
    struct series *x;
    char *dir = scratch(), code[16];
    OK(series_open(join(dir, "s.db"), &x, &err));
    for (int in = 1; in <= 50; in++) {
        for (int k = 0; k < 200; k++) {
            struct sample v = sm(in * 1000, fx("1"), 0);
            snprintf(code, sizeof code, "p%d", k);
            OK(series_put(x, M, str_of(code), &v, 1, &err));
        }
        OK(series_flush_some(x, (uint64_t)in, &err));
    }
    uint64_t safe = series_input(x);
    assert_true(safe < 50);
    series_close(x);
    OK(series_open(join(dir, "s.db"), &x, &err));
    for (int k = 0; k < 200; k++) {
        struct sample *v;
        int n;
        snprintf(code, sizeof code, "p%d", k);
        OK(series_read(x, M, str_of(code), 0, INT64_MAX, &v, &n, &err));
        assert_true(n >= (int)safe);
        free(v);
    }
    series_close(x);
}
static void buckets(void **s) {
    (void)s;
    struct series *x;
    char *dir = scratch();
    OK(series_open(join(dir, "s.db"), &x, &err));
    for (int i = 0; i < 100; i++) {
        struct sample v = sm(i * 1000, i == 55 ? ZB_FIX_NONE : i * ZB_FIX_ONE, i == 42 ? 1 : 0);
        OK(series_put(x, M, P, &v, 1, &err));
    }
    struct bucket *b;
    int n;
    OK(series_buckets(x, M, P, 0, 100000, 10, &b, &n, &err));
    assert_int_equal(n, 10);
    assert_true(b[4].min == 40 * ZB_FIX_ONE && b[4].max == 49 * ZB_FIX_ONE && b[4].last == 49 * ZB_FIX_ONE && b[4].n == 10 && b[4].states == 1 && b[5].n == 10);
    free(b);
    series_close(x);
}
/* Hours by the plain array. */
static void hours_equal(struct series *x, zb_time from, int hours) {
    struct bucket *b;
    int n, k = 0;
    OK(series_buckets(x, M, P, from, from + hours * ZB_HOUR, hours, &b, &n, &err));
    for (int h = 0; h < hours; h++) {
        struct bucket w = {from + h * ZB_HOUR, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, 0, 0};
        for (int i = 0; i < truths; i++) {
            if (truth[i].t < w.t || truth[i].t >= w.t + ZB_HOUR) continue;
            w.n++;
            w.states |= truth[i].state;
            if (truth[i].v == ZB_FIX_NONE) continue;
            if (w.min == ZB_FIX_NONE || truth[i].v < w.min) w.min = truth[i].v;
            if (w.max == ZB_FIX_NONE || truth[i].v > w.max) w.max = truth[i].v;
            w.last = truth[i].v;
        }
        if (!w.n) continue;
        if (k == n || b[k].t != w.t || b[k].n != w.n || b[k].min != w.min || b[k].max != w.max || b[k].last != w.last || b[k].states != w.states)
            fail_msg("hour %d differs", h);
        k++;
    }
    assert_int_equal(k, n);
    free(b);
}
static void compact_all(struct series *x, int32_t before) {
    for (int did = 1; did;) OK(series_compact(x, before, 3, &did, &err));
}
static int64_t chunks_of(const char *path, bool whole) {
    struct db *db;
    OK(db_open(path, DB_READ, &db, &err));
    struct stmt *q = db_use(db, "select count(*) from chunk where whole=?1", &err);
    stmt_i64(q, 1, whole);
    assert_int_equal(stmt_row(q, &err), 1);
    int64_t n = stmt_col_i64(q, 0);
    stmt_done(&q);
    db_close(db);
    return n;
}
/* Nights: a day becomes one chunk and its hours; a late sample undoes it and the next night mends it; dropped samples leave their hours. */
static void nights(void **s) {
    (void)s;
    struct series *x;
    char *dir = scratch();
    const zb_time t0 = at("2026-03-01 00:00:00");
    int32_t day = zb_day_of(t0);
    OK(series_open(join(dir, "s.db"), &x, &err));
    truths = 0;
    for (int i = 0; i < 4600; i++) { /* four days and some, a sample a minute and a half; falls silent within the last */
        struct sample v = sm(t0 + i * 90000, i % 50 == 7 ? ZB_FIX_NONE : (zb_fix)(rnd() % 400) * 10000, i % 31 ? 0 : 4);
        if (i % 9) truth[truths++] = v; /* the others come late */
        if (i % 9) OK(series_put(x, M, P, &v, 1, &err));
        if (i % 200 == 0) OK(series_flush(x, (uint64_t)i, &err));
        if (i == 3000) compact_all(x, zb_day_of(v.t));
    }
    OK(series_flush(x, 4000, &err));
    compact_all(x, day + 4);
    assert_int_equal(chunks_of(join(dir, "s.db"), true), 4);
    check(x, 0, INT64_MAX);
    hours_equal(x, t0 - 5 * ZB_HOUR, 120);
    int n = truths;
    for (int i = 0; i < 4600; i += 9) {
        struct sample v = sm(t0 + i * 90000, fx("9"), 0);
        truth[truths++] = v;
        OK(series_put(x, M, P, &v, 1, &err));
    }
    for (int i = n; i < truths; i++)
        for (int k = i; k && truth[k].t < truth[k - 1].t; k--) {
            struct sample h = truth[k];
            truth[k] = truth[k - 1];
            truth[k - 1] = h;
        }
    check(x, 0, INT64_MAX);
    OK(series_flush(x, 4001, &err));
    check(x, 0, INT64_MAX);
    hours_equal(x, t0, 120);
    compact_all(x, day + 10); /* the silent point's open head too */
    assert_int_equal(chunks_of(join(dir, "s.db"), true), 5);
    assert_int_equal(chunks_of(join(dir, "s.db"), false), 0);
    check(x, 0, INT64_MAX);
    hours_equal(x, t0, 120);
    int did;
    OK(series_forget(x, day + 2 + 50, keep, NULL, 100, &did, &err)); /* kept 50 days: two are dropped */
    assert_int_equal(did, 1);
    OK(series_forget(x, day + 2 + 50, keep, NULL, 100, &did, &err));
    assert_int_equal(did, 0);
    series_close(x);
    OK(series_open(join(dir, "s.db"), &x, &err));
    check(x, t0 + 2 * ZB_DAY, INT64_MAX);
    struct sample *v;
    OK(series_read(x, M, P, 0, t0 + 2 * ZB_DAY, &v, &n, &err));
    assert_int_equal(n, 0);
    free(v);
    hours_equal(x, t0, 120);
    struct bucket *b; /* narrower than an hour: where samples are gone each hour stands as one */
    OK(series_buckets(x, M, P, t0, t0 + ZB_DAY, 240, &b, &n, &err));
    assert_int_equal(n, 24);
    free(b);
    series_close(x);
}
/* each family's samples are kept as long as its days say, the newest family's where it changed; hours stay; a portion at a time, and after a restart */
static void a_family_is_kept_its_time(void **s) {
    (void)s;
    struct series *x;
    char *dir = scratch();
    static const char *const FAMILY[] = {"F7", "F4", "", "F4"};
    int32_t day = zb_day_of(at("2026-03-01 00:00:00"));
    OK(series_open(join(dir, "s.db"), &x, &err));
    for (int p = 0; p < 4; p++) {
        char code[8];
        snprintf(code, sizeof code, "P%d", p);
        for (int i = 0; i < (p == 1 ? 100 : 300); i++) { /* P1 fell silent before a chunk was full */
            struct observation o = {.point = str_of(code), .s = sm(zb_day_start(day) + i * ZB_MINUTE, i, 0)};
            OK(series_put_all(x, M, str_of(p == 3 && i < 150 ? "F7" : FAMILY[p]), &o, 1, &err));
            if (i == 149) OK(series_flush(x, 1, &err));
        }
    }
    OK(series_flush(x, 2, &err));
    int did, n;
    do OK(series_forget(x, day + 1, keep, NULL, 3, &did, &err));
    while (did);
    do OK(series_compact(x, day + 1, 10, &did, &err));
    while (did);
    series_close(x);
    OK(series_open(join(dir, "s.db"), &x, &err));
    static const struct {
        int age;
        bool kept[4];
    } AT[] = {{20, {1, 1, 1, 1}}, {21, {1, 0, 1, 0}}, {50, {1, 0, 1, 0}}, {51, {1, 0, 0, 0}}, {100, {1, 0, 0, 0}}, {101, {0, 0, 0, 0}}};
    for (size_t a = 0; a < sizeof AT / sizeof *AT; a++) {
        int looked = 0;
        do {
            OK(series_forget(x, day + AT[a].age, keep, NULL, 3, &did, &err));
            looked += did;
        } while (did);
        assert_int_equal(looked, 4);
        for (int p = 0; p < 4; p++) {
            char code[8];
            struct sample *v;
            struct bucket *b;
            snprintf(code, sizeof code, "P%d", p);
            OK(series_read(x, M, str_of(code), 0, INT64_MAX, &v, &n, &err));
            assert_int_equal(n, AT[a].kept[p] ? p == 1 ? 100 : 300 : 0);
            free(v);
            OK(series_buckets(x, M, str_of(code), zb_day_start(day), zb_day_start(day + 1), 24, &b, &n, &err));
            assert_int_equal(n, p == 1 ? 2 : 5);
            assert_int_equal(b[0].n + b[n - 1].n, p == 1 ? 100 : 120);
            free(b);
        }
    }
    series_close(x);
}
static void faults(void **s) {
    (void)s;
    for (long k = 1; k < 400; k++) {
        struct series *x;
        char *dir = scratch();
        OK(series_open(join(dir, "s.db"), &x, &err));
        zb_fault_at = 0;
        (void)zb_fault();
        zb_fault_at = k;
        int failed = 0;
        for (int i = 0; i < 60; i++) {
            struct sample v = sm(i * 1000, i, 0);
            while (series_put(x, M, P, &v, 1, &err) != ZB_OK) failed++;
            if (i % 20 == 19)
                while (series_flush(x, (uint64_t)i, &err) != ZB_OK) failed++;
        }
        int did = 1;
        while (did)
            while (series_compact(x, 2, 10, &did, &err) != ZB_OK) failed++;
        zb_fault_at = 0;
        series_close(x);
        OK(series_open(join(dir, "s.db"), &x, &err));
        struct sample *v;
        int n;
        OK(series_read(x, M, P, 0, INT64_MAX, &v, &n, &err));
        assert_int_equal(n, 60);
        free(v);
        series_close(x);
        if (!failed) return;
    }
    fail_msg("the faults never ended");
}
int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(codec),
                                   cmocka_unit_test(heads),
                                   cmocka_unit_test(lives),
                                   cmocka_unit_test(input_is_never_too_late),
                                   cmocka_unit_test(buckets),
                                   cmocka_unit_test(nights),
                                   cmocka_unit_test(a_family_is_kept_its_time),
                                   cmocka_unit_test(faults)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
