/* What is remembered of what came, and how much of the log a start reads: the log with a memory of 16 files instead of two million. */
#define SEEN_MAX ((size_t)8)
#include "raw/raw.c"
#include "../test.h"

static void put(struct raw *r, int i, struct raw_record *rec) {
    static char name[20];
    snprintf(name, sizeof name, "%d.txt", i);
    *rec = (struct raw_record){.kind = RAW_UPLOAD, .received = 1, .mine = STR("m"), .origin = STR("o"), .name = str_of(name), .bytes = str_of(name)};
    OK(raw_append(r, rec, &err));
}
static int seen(struct raw *r, const struct raw_record *rec, int i) {
    char name[20];
    snprintf(name, sizeof name, "%d.txt", i);
    return raw_seen(r, STR("m"), str_of(name), rec[i].sha256);
}

static void a_start_reads_the_newest_only(void **s) {
    (void)s;
    struct raw *r;
    struct raw_record rec[60];
    struct raw_stat before, after;
    char *dir = scratch();
    OK(raw_open(dir, &r, &err));
    raw_roll(r, 300); /* two or three files a segment */
    for (int i = 0; i < 60; i++) put(r, i, &rec[i]);
    for (int i = 52; i < 60; i++) assert_int_equal(seen(r, rec, i), 2);
    assert_int_equal(seen(r, rec, 3), 0);
    raw_stats(r, &before);
    raw_close(r);
    FILE *f = fopen(join(dir, "000000000001.seg"), "r+"); /* nobody reads it at a start */
    fseek(f, 100, SEEK_SET), fputs("damage", f), fclose(f);
    OK(raw_open(dir, &r, &err));
    assert_int_equal(raw_last(r), 60);
    for (int i = 52; i < 60; i++) assert_int_equal(seen(r, rec, i), 2);
    assert_int_equal(seen(r, rec, 3), 0);
    raw_stats(r, &after);
    assert_int_equal(after.records, before.records);
    assert_int_equal(after.bytes_disk, before.bytes_disk);
    put(r, 60, &rec[0]);
    assert_int_equal(rec[0].seq, 61);
    raw_close(r);
    char newest[40];
    snprintf(newest, sizeof newest, "%012llu.seg", (unsigned long long)rec[54].place.segment);
    f = fopen(join(dir, newest), "r+"); /* this one is read */
    fseek(f, 100, SEEK_SET), fputs("damage", f), fclose(f);
    assert_int_equal(raw_open(dir, &r, &err), ZB_E_IO);
    assert_non_null(strstr(err.msg, newest));
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(a_start_reads_the_newest_only)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
