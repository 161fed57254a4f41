/* Evidence is packed while uploads come in, and the process is killed in the middle of it, again and again: nothing acknowledged is lost, nothing doubled, the
 * journal ends up speaking of every pack, and a rebuild finds the same. */
#include "dir.h"
#include "engine/inside.h"
#include "raw/raw.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define M "140214900001"
#define KILLS 5
#define SEGMENT (32 << 10)

static void file(int k, char name[80], char text[1400]) { /* noise in the place, so that a file stays a kilobyte when it is compressed */
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+";
    char t[ZB_TIME_CAP], stamp[ZB_TIME_CAP], noise[3][301];
    zb_time when = at("2026-03-01 00:00:00") + (zb_time)k * 30000;
    uint64_t x = (uint64_t)k * 0x9E3779B97F4A7C15u + 1;
    for (int p = 0; p < 3; p++) {
        for (int i = 0; i < 300; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            noise[p][i] = LETTERS[x >> 58];
        }
        noise[p][300] = 0;
    }
    zb_time_text(when, t);
    snprintf(name, 80, M "_CDSS_%s.txt", zb_time_stamp(when, stamp));
    snprintf(text, 1400, M ";示范矿;%s~P1;环境瓦斯;%s;0.%02d;%%CH4;0;%s~P2;环境瓦斯;%s;0.30;%%CH4;0;%s~P3;环境瓦斯;%s;0.20;%%CH4;0;%s~||", t, noise[0], k % 90,
             t, noise[1], t, noise[2], t);
}

struct sender {
    int from, tell;
};
static void *sends(void *arg) {
    struct sender *s = arg;
    for (int k = s->from;; k++) {
        struct upload_result u;
        struct zb_err e;
        char name[80], text[1400];
        file(k, name, text);
        if (engine_submit(en, STR(M), STR("http"), str_of(name), str_of(text), false, &u, &e) != ZB_OK || u.accepted != 3) _exit(3);
        if (write(s->tell, &k, sizeof k) != sizeof k) _exit(4);
    }
    return NULL;
}

/* A life of the server: uploads from `from` on, packing all the while, until it is killed after `many` acknowledgements. The last acknowledged file. */
static int life(int from, int many) {
    int ends[2], last = from - 1, k, status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        struct sender s = {from, ends[1]};
        pthread_t t;
        struct pack_result r;
        struct zb_err e;
        if (engine_open(dir, NULL, &en, &e) != ZB_OK) _exit(1);
        raw_roll(en->raw, SEGMENT);
        if (pthread_create(&t, NULL, sends, &s) != 0) _exit(2);
        for (;;)
            if (engine_pack(en, &r, &e) != ZB_OK || r.failed) _exit(5);
    }
    close(ends[1]);
    while (last < from + many && read(ends[0], &k, sizeof k) == sizeof k) last = k;
    kill(child, SIGKILL);
    while (read(ends[0], &k, sizeof k) == sizeof k) last = k; /* told before it died */
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) fail_msg("the server ended by itself: %d", WEXITSTATUS(status));
    return last;
}

static void killed_while_packing(void **st) {
    (void)st;
    struct pack_result r;
    struct evidence_check c;
    struct rebuild_result b;
    struct sample *v;
    int n, next = 1;
    close_();
    srand(20261126);
    for (int i = 0; i < KILLS; i++) next = life(next, 60 + rand() % 80) + 1;
    open_();
    OK(engine_pack(en, &r, &err));
    assert_int_equal(r.failed, 0);
    struct db *db = engine_reader(en, &err);
    OK(evidence_verify(db, dir, &c, &err));
    engine_reader_back(en, db);
    if (c.bad_seq || c.unsaid) fail_msg("%s", c.what);
    if (c.packs < KILLS) fail_msg("%lld packs", (long long)c.packs);
    OK(series_read(engine_series(en), STR(M), STR("P1"), 0, INT64_MAX, &v, &n, &err));
    int expected = 1, extra = 0;
    for (int i = 0; i < n; i++) {
        int k = (int)((v[i].t - at("2026-03-01 00:00:00")) / 30000);
        if (k >= next) { /* kept, but the answer did not get out */
            extra++;
            continue;
        }
        if (k != expected++ || v[i].v != (int64_t)(k % 90) * 10000) fail_msg("file %d where %d was acknowledged", k, expected - 1);
    }
    free(v);
    assert_int_equal(expected, next);
    assert_in_range(extra, 0, 1);
    close_();
    OK(engine_rebuild(dir, NULL, &b, &err));
    if (b.differ) fail_msg("%s", b.first);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test_setup_teardown(killed_while_packing, up, down)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
