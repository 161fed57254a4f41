#include "../test.h"
#include "raw/raw.h"
#include "store/db.h"
#include <pthread.h>
#include <sys/stat.h>

static int put(struct raw *r, const char *name, const char *text) {
    struct raw_record rec = {.kind = RAW_UPLOAD,
                             .received = at("2026-03-01 00:00:00"),
                             .mine = STR("140214000123"),
                             .origin = STR("test"),
                             .name = str_of(name),
                             .bytes = str_of(text)};
    return raw_append(r, &rec, &err);
}
struct seen {
    int n;
    uint64_t last;
    char name[32], text[64];
};
static int count(void *arg, const struct raw_record *rec, struct zb_err *e) {
    struct seen *s = arg;
    if (rec->seq != s->last + 1) return zb_fail(e, ZB_E_IO, "hole before %llu", (unsigned long long)rec->seq);
    s->last = rec->seq;
    s->n++;
    str_copy(rec->name, s->name, sizeof s->name);
    str_copy(rec->bytes, s->text, sizeof s->text);
    return ZB_OK;
}
static struct seen all(const char *dir) {
    struct seen s = {0};
    OK(raw_read(dir, 0, count, &s, &err));
    return s;
}
static long size_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? -1 : (long)st.st_size;
}

static void keeps_and_knows(void **s) {
    (void)s;
    struct raw *r;
    char *dir = scratch();
    unsigned char sha[32];
    OK(raw_open(dir, &r, &err));
    struct raw_record rec = {.kind = RAW_UPLOAD, .received = 1, .mine = STR("m"), .origin = STR("o"), .name = STR("a.txt"), .bytes = STR("hello")};
    assert_int_equal(raw_seen(r, STR("m"), STR("a.txt"), (unsigned char[32]){0}), 0);
    OK(raw_append(r, &rec, &err));
    memcpy(sha, rec.sha256, 32);
    assert_int_equal(raw_seen(r, STR("m"), STR("a.txt"), sha), 2);
    raw_close(r);
    OK(raw_open(dir, &r, &err));
    assert_int_equal(raw_last(r), 1);
    assert_int_equal(raw_seen(r, STR("m"), STR("a.txt"), sha), 2);
    sha[0] ^= 1;
    assert_int_equal(raw_seen(r, STR("m"), STR("a.txt"), sha), 1);
    assert_int_equal(raw_seen(r, STR("n"), STR("a.txt"), sha), 0);
    raw_close(r);
    assert_string_equal(all(dir).text, "hello");
}
/* a crash may leave any part of the last record: it is cut off, all before it stay */
static void torn_tail_at_every_byte(void **s) {
    (void)s;
    struct raw *r;
    char *dir = scratch();
    OK(raw_open(dir, &r, &err));
    OK(put(r, "1.txt", "one"));
    OK(put(r, "2.txt", "two"));
    const char *seg = join(dir, "000000000001.seg");
    long two = size_of(seg);
    OK(put(r, "3.txt", "three"));
    raw_close(r);
    long three = size_of(seg);
    for (long cut = three - 1; cut >= two; cut--) {
        assert_int_equal(truncate(seg, cut), 0);
        OK(raw_open(dir, &r, &err));
        assert_int_equal(raw_last(r), 2);
        OK(put(r, "3.txt", "three"));
        raw_close(r);
        assert_int_equal(all(dir).n, 3);
        assert_int_equal(size_of(seg), three);
    }
}
static void damage_in_the_middle_is_told(void **s) {
    (void)s;
    struct raw *r;
    char *dir = scratch();
    OK(raw_open(dir, &r, &err));
    for (int i = 0; i < 5; i++) OK(put(r, "x.txt", "some text"));
    raw_close(r);
    FILE *f = fopen(join(dir, "000000000001.seg"), "r+");
    fseek(f, 150, SEEK_SET);
    int c = fgetc(f);
    fseek(f, 150, SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
    assert_int_equal(raw_open(dir, &r, &err), ZB_E_IO);
    assert_non_null(strstr(err.msg, "000000000001.seg at offset"));
}
struct job {
    struct raw *r;
    int n;
};
static void *appender(void *arg) {
    struct job *j = arg;
    for (int i = 0; i < j->n; i++) {
        struct zb_err e;
        struct raw_record rec = {.kind = RAW_UPLOAD, .received = 1, .mine = STR("m"), .origin = STR("o"), .name = STR("n"), .bytes = STR("0123456789")};
        if (raw_append(j->r, &rec, &e) != ZB_OK) abort();
    }
    return NULL;
}
static void many_threads_no_holes(void **s) {
    (void)s;
    struct raw *r;
    char *dir = scratch();
    OK(raw_open(dir, &r, &err));
    pthread_t t[8];
    struct job j = {r, 100};
    for (int i = 0; i < 8; i++) assert_int_equal(pthread_create(&t[i], NULL, appender, &j), 0);
    for (int i = 0; i < 8; i++) pthread_join(t[i], NULL);
    struct raw_stat st;
    raw_stats(r, &st);
    assert_int_equal(st.records, 800);
    raw_close(r);
    assert_int_equal(all(dir).n, 800);
}
/* the k-th write or sync fails, for every k: what was acknowledged is there, what was not is not, and the log goes on */
static void faults(void **s) {
    (void)s;
    for (long k = 1; k < 60; k++) {
        struct raw *r;
        char *dir = scratch();
        int good = 0;
        OK(raw_open(dir, &r, &err));
        zb_fault_at = 0;
        (void)zb_fault();
        zb_fault_at = k;
        for (int i = 0; i < 12; i++) good += put(r, "n.txt", "text") == ZB_OK;
        zb_fault_at = 0;
        assert_true(good >= 11);
        OK(put(r, "last.txt", "last"));
        raw_close(r);
        struct seen a = all(dir);
        assert_int_equal(a.n, good + 1);
        assert_string_equal(a.name, "last.txt");
        if (good == 12) return; /* the fault lay beyond the run */
    }
    fail_msg("the faults never ended");
}
/* Put without waiting: told in the log's order, all that gathered during one sync share the next; a repeat is known while the first is under way. */
struct told {
    pthread_mutex_t gate;
    uint64_t seq[200];
    int n;
};
static void tell(void *arg, int rc, uint64_t seq, struct raw_place at, const struct zb_err *e) {
    (void)at;
    (void)e;
    struct told *t = arg;
    pthread_mutex_lock(&t->gate);
    if (rc == ZB_OK && t->n < 200) t->seq[t->n++] = seq;
    pthread_mutex_unlock(&t->gate);
}
static void put_without_waiting(void **s) {
    (void)s;
    struct raw *r;
    struct raw_stat st;
    struct told t = {.n = 0};
    char *dir = scratch(), name[20];
    OK(raw_open(dir, &r, &err));
    pthread_mutex_init(&t.gate, NULL);
    pthread_mutex_lock(&t.gate); /* the first group is told nothing until all are put */
    struct raw_record rec = {.kind = RAW_UPLOAD, .received = 1, .mine = STR("m"), .origin = STR("o"), .bytes = STR("hello")};
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "%d.txt", i);
        rec.name = str_of(name);
        OK(raw_put(r, &rec, tell, &t, &err));
    }
    pthread_mutex_unlock(&t.gate);
    assert_int_equal(raw_seen(r, STR("m"), STR("199.txt"), rec.sha256), 2);
    raw_stats(r, &st);
    assert_true(st.syncs <= 2);
    raw_close(r);
    assert_int_equal(t.n, 200);
    for (int i = 0; i < 200; i++) assert_int_equal(t.seq[i], i + 1);
    assert_int_equal(all(dir).n, 200);
}
int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(keeps_and_knows),
                                   cmocka_unit_test(torn_tail_at_every_byte),
                                   cmocka_unit_test(damage_in_the_middle_is_told),
                                   cmocka_unit_test(many_threads_no_holes),
                                   cmocka_unit_test(faults),
                                   cmocka_unit_test(put_without_waiting)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
