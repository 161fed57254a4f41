#include "../test.h"
#include "raw/raw.h"
#include "store/db.h"
#include <dirent.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#define N 40
static struct raw_place place[N];

/* Some records, four or so a segment, alike and not alike, empty ones and one that does not compress. */
static char *fill(void) {
    char *dir = scratch(), name[40], text[6000];
    struct raw *r;
    OK(raw_open(dir, &r, &err));
    raw_roll(r, 600);
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "14021400012%d;%d~", i % 3, i);
        for (int k = 0; k < i % 7 * 20; k++) n += (size_t)snprintf(text + n, sizeof text - n, "MN%05d;0.%02d~", k, (i + k) % 100);
        if (i == 9) n = 0;
        for (int k = 0; i == 11 && k < 2000; k++) text[n++] = (char)(k * k * 31 + k / 7);
        snprintf(name, sizeof name, "14021400012%d_CDSS_202603010000%02d.txt", i % 3, i);
        struct raw_record rec = {.kind = i % 5 ? RAW_UPLOAD : RAW_FACTS,
                                 .received = at("2026-03-01 00:00:00") + i * 1000,
                                 .mine = {name, i % 5 == 1 ? 0 : 12},
                                 .origin = STR("link"),
                                 .name = str_of(name),
                                 .bytes = {text, n}};
        OK(raw_append(r, &rec, &err));
        place[i] = rec.place;
    }
    raw_close(r);
    return dir;
}

struct look {
    uint64_t last;
    int n;
    uint64_t hash;
};
static uint64_t mix(uint64_t h, const void *p, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h ^ ((const unsigned char *)p)[i]) * 1099511628211u;
    return h * 31 + n;
}
/* Every part of every record goes into the hash; a digest that is not of the bytes is refused. */
static int look(void *arg, const struct raw_record *r, struct zb_err *e) {
    struct look *l = arg;
    unsigned char sha[32];
    SHA256((const unsigned char *)r->bytes.p, r->bytes.n, sha);
    if (memcmp(sha, r->sha256, 32) != 0 || (l->last && r->seq != l->last + 1)) return zb_fail(e, ZB_E_INPUT, "wrong record %llu", (unsigned long long)r->seq);
    l->last = r->seq;
    l->n++;
    int64_t part[] = {(int64_t)r->seq, r->received, r->kind};
    l->hash = mix(mix(l->hash, part, sizeof part), r->sha256, 32);
    l->hash = mix(mix(mix(mix(l->hash, r->mine.p, r->mine.n), r->origin.p, r->origin.n), r->name.p, r->name.n), r->bytes.p, r->bytes.n);
    return ZB_OK;
}
static struct look all(const char *dir, uint64_t after) {
    struct look l = {0};
    OK(raw_read(dir, after, look, &l, &err));
    return l;
}
static int count(const char *dir, const char *end) {
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *f; (f = readdir(d));) {
        size_t a = strlen(f->d_name), b = strlen(end);
        n += a > b && !strcmp(f->d_name + a - b, end);
    }
    closedir(d);
    return n;
}
static int pack_all(const char *dir) {
    struct raw_packed k;
    int n = 0, rc;
    while ((rc = raw_pack(dir, 0, NULL, NULL, &k, &err)) == 1) {
        assert_true(k.records > 0 && k.before > 0 && k.after > 0);
        n++;
    }
    OK(rc);
    return n;
}

static void every_reader_takes_both_forms(void **s) {
    (void)s;
    char *dir = fill();
    struct look plain = all(dir, 0);
    int segments = count(dir, ".seg");
    assert_int_equal(plain.n, N);
    assert_true(segments > 5);
    assert_int_equal(pack_all(dir), segments - 1);
    assert_int_equal(count(dir, ".seg"), 1);
    assert_int_equal(count(dir, ".pack"), segments - 1);
    assert_int_equal(count(dir, ".tmp"), 0);
    assert_true(all(dir, 0).hash == plain.hash);
    for (uint64_t after = 0; after < N; after++) {
        struct look l = all(dir, after);
        assert_int_equal(l.n, N - after);
        assert_int_equal(l.last, N);
    }
    for (int i = 0; i < N; i++) { /* by the places they had before */
        struct look l = {0};
        OK(raw_get(dir, place[i], look, &l, &err));
        assert_int_equal(l.last, i + 1);
    }
    struct raw_place none = {place[0].segment, 0, N + 7};
    struct look l = {0};
    assert_int_equal(raw_get(dir, none, look, &l, &err), ZB_E_IO);
}

static void opens_goes_on_and_drops(void **s) {
    (void)s;
    char *dir = fill();
    struct raw *r;
    unsigned char sha[32];
    pack_all(dir);
    OK(raw_open(dir, &r, &err));
    assert_int_equal(raw_last(r), N);
    SHA256((const unsigned char *)"", 0, sha); /* record 10 was empty */
    assert_int_equal(raw_seen(r, STR("140214000120"), STR("140214000120_CDSS_20260301000009.txt"), sha), 2);
    sha[0] ^= 1;
    assert_int_equal(raw_seen(r, STR("140214000120"), STR("140214000120_CDSS_20260301000009.txt"), sha), 1);
    struct raw_record rec = {
        .kind = RAW_UPLOAD, .received = at("2026-03-02 00:00:00"), .mine = STR("m"), .origin = STR("o"), .name = STR("n"), .bytes = STR("b")};
    OK(raw_append(r, &rec, &err));
    raw_close(r);
    assert_int_equal(all(dir, 0).n, N + 1);
    int gone;
    uint64_t first;
    int64_t before = raw_disk(dir);
    OK(raw_drop(dir, 20, &gone, &first, &err));
    assert_true(gone > 0 && first > 1 && first <= 20);
    assert_true(raw_disk(dir) < before);
    assert_int_equal(all(dir, first - 1).n, N + 2 - (int)first);
}

/* the k-th write, sync, rename or removal fails, for every k: nothing is lost, and the next packing ends it */
static void faults(void **s) {
    (void)s;
    char *dir = fill();
    struct look plain = all(dir, 0);
    int failed = 0;
    for (long k = 1; k < 200; k++) {
        struct raw_packed p;
        zb_fault_at = 0;
        (void)zb_fault();
        zb_fault_at = k % 6 + 1; /* each segment meets each fault in turn */
        int rc = raw_pack(dir, 0, NULL, NULL, &p, &err);
        zb_fault_at = 0;
        failed += rc < 0;
        assert_true(all(dir, 0).hash == plain.hash);
        assert_int_equal(count(dir, ".tmp"), 0);
        if (rc == 0) break;
    }
    assert_true(failed >= 5);
    assert_int_equal(count(dir, ".seg"), 1);
}

static void file_put(const char *path, const char *p, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}
static size_t file_get(const char *path, char *p, size_t cap) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(p, 1, cap, f);
    fclose(f);
    return n;
}
/* what a kill leaves: a part of the pack under its first name; the pack beside its segment; that pack from before a change of mind */
static void a_killed_packer(void **s) {
    (void)s;
    char *dir = fill(), seg[9000], pack[9000];
    struct look plain = all(dir, 0);
    struct raw_packed k;
    size_t sn = file_get(join(dir, "000000000001.seg"), seg, sizeof seg);
    assert_int_equal(raw_pack(dir, 0, NULL, NULL, &k, &err), 1);
    assert_int_equal(k.first, 1);
    size_t pn = file_get(join(dir, "000000000001.pack"), pack, sizeof pack);
    for (size_t part = 0; part < pn; part += 1 + pn / 9) {
        file_put(join(dir, "000000000001.seg"), seg, sn);
        file_put(join(dir, "000000000001.pack"), "not a pack", part % 10); /* the segment counts */
        file_put(join(dir, "000000000001.pack.tmp"), pack, part);
        struct raw *r;
        OK(raw_open(dir, &r, &err));
        raw_close(r);
        assert_true(all(dir, 0).hash == plain.hash);
        assert_int_equal(raw_pack(dir, 0, NULL, NULL, &k, &err), 1);
        assert_int_equal(k.first, 1);
        assert_int_equal(access(join(dir, "000000000001.seg"), F_OK), -1);
        assert_int_equal(count(dir, ".tmp"), 0);
        assert_true(all(dir, 0).hash == plain.hash);
    }
}

/* every bit of a pack counts: the damage is told with the file's name, and no wrong record is given before */
static void a_flipped_bit_is_found(void **s) {
    (void)s;
    char *dir = fill(), pack[9000];
    struct raw_packed k;
    assert_int_equal(raw_pack(dir, 0, NULL, NULL, &k, &err), 1);
    const char *path = "000000000001.pack";
    size_t n = file_get(join(dir, path), pack, sizeof pack);
    for (size_t i = 0; i < n; i++) {
        struct look l = {0};
        pack[i] ^= (char)(1 << i % 8);
        file_put(join(dir, path), pack, n);
        pack[i] ^= (char)(1 << i % 8);
        assert_int_equal(raw_read(dir, 0, look, &l, &err), ZB_E_IO);
        assert_non_null(strstr(err.msg, path));
        assert_int_equal(l.n, 0);
    }
    for (size_t cut = 0; cut < n; cut += 5) { /* cut at its end it is not mistaken for a shorter one */
        struct look l = {0};
        file_put(join(dir, path), pack, cut);
        assert_int_equal(raw_read(dir, 0, look, &l, &err), ZB_E_IO);
        assert_int_equal(l.n, 0);
    }
}

/* a segment that does not check is never replaced */
static void damage_is_not_packed(void **s) {
    (void)s;
    char *dir = fill(), seg[9000];
    struct raw_packed k;
    size_t n = file_get(join(dir, "000000000001.seg"), seg, sizeof seg);
    seg[n - 3] ^= 4;
    file_put(join(dir, "000000000001.seg"), seg, n);
    assert_int_equal(raw_pack(dir, 0, NULL, NULL, &k, &err), ZB_E_IO);
    assert_non_null(strstr(err.msg, "000000000001.seg"));
    assert_int_equal(access(join(dir, "000000000001.seg"), F_OK), 0);
    assert_int_equal(count(dir, ".pack"), 0);
    assert_int_equal(count(dir, ".tmp"), 0);
}

static bool never(void *arg) {
    (void)arg;
    return false;
}
static void stops_when_told_and_while_held(void **s) {
    (void)s;
    char *dir = fill();
    struct raw_packed k;
    int segments = count(dir, ".seg"), held = raw_hold(dir, false), other = raw_hold(dir, false);
    assert_true(held >= 0 && other >= 0); /* several may hold it */
    assert_int_equal(raw_pack(dir, 0, NULL, NULL, &k, &err), 0);
    close(held), close(other);
    assert_int_equal(raw_pack(dir, 0, never, NULL, &k, &err), 0);
    assert_int_equal(count(dir, ".seg"), segments);
    assert_int_equal(count(dir, ".tmp"), 0);
    assert_int_equal(pack_all(dir), segments - 1);
}

static void a_missing_segment_is_told(void **s) {
    (void)s;
    char *dir = fill();
    struct look l = {0};
    char path[40];
    pack_all(dir);
    snprintf(path, sizeof path, "%012llu.pack", (unsigned long long)place[20].segment);
    assert_int_equal(unlink(join(dir, path)), 0);
    assert_int_equal(raw_read(dir, 0, look, &l, &err), ZB_E_IO);
    assert_non_null(strstr(err.msg, "before it are missing"));
    assert_int_equal(l.last, place[20].segment - 1);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(every_reader_takes_both_forms),
                                   cmocka_unit_test(opens_goes_on_and_drops),
                                   cmocka_unit_test(faults),
                                   cmocka_unit_test(a_killed_packer),
                                   cmocka_unit_test(a_flipped_bit_is_found),
                                   cmocka_unit_test(damage_is_not_packed),
                                   cmocka_unit_test(stops_when_told_and_while_held),
                                   cmocka_unit_test(a_missing_segment_is_told)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
