#include "dir.h"
#include "audit/audit.h"
#include "base/log.h"
#include "raw/raw.h"
#include <pthread.h>

static struct upload_result u;
#define M1 "140214900001"
#define M2 "140303900002"

/* file k of a mine: one defined point, a value that goes over the limit now and then */
static const char *cdss(const char *mine, int k, char name[80], const char *value) {
    static _Thread_local char text[600];
    char t[ZB_TIME_CAP], st[ZB_TIME_CAP];
    zb_time when = at("2026-03-01 00:00:00") + (zb_time)k * 30000;
    zb_time_text(when, t);
    snprintf(name, 80, "%s_CDSS_%s.txt", mine, zb_time_stamp(when, st));
    snprintf(text, sizeof text, "%s;示范矿;%s~P1;环境瓦斯;1101工作面上隅角;%s;%%CH4;0;%s~P2;环境瓦斯;总回风巷;0.30;%%CH4;0;%s~||", mine, t, value, t, t);
    return text;
}
static const char *value(int k) { return k % 40 > 20 && k % 40 < 25 ? "1.60" : "0.40"; }
static int send(const char *mine, int k, bool wait) {
    char name[80];
    const char *text = cdss(mine, k, name, value(k));
    return engine_submit(en, str_of(mine), STR("http"), str_of(name), str_of(text), wait, &u, &err);
}
static void define(const char *mine) {
    char name[80], text[600];
    snprintf(name, sizeof name, "%s_CDDY_20260301000000.txt", mine);
    snprintf(text, sizeof text,
             "%s;示范矿;K;S;M;2027-12-31;2026-03-01 00:00:00~P1;01;001;0001;MN;%%CH4;4;0;1.0;1.0;;;1.5;1.0;;;;;1101工作面上隅角;;;;;2026-03-01 "
             "00:00:00~P2;01;001;0001;MN;%%CH4;4;0;0.75;0.75;;;;;;;;;总回风巷;;;;;2026-03-01 00:00:00~||",
             mine);
    OK(engine_submit(en, str_of(mine), STR("http"), str_of(name), str_of(text), true, &u, &err));
}
static int samples(const char *mine, const char *point) {
    struct sample *v;
    int n;
    OK(series_read(engine_series(en), str_of(mine), str_of(point), 0, INT64_MAX, &v, &n, &err));
    free(v);
    return n;
}
static void an_upload_becomes_an_alarm(void **s) {
    (void)s;
    define(M1);
    for (int k = 0; k < 40; k++) OK(send(M1, k, k == 39));
    assert_int_equal(number("select count(*) from alarm where kind=0 and peak=1600000"), 1);
    assert_int_equal(number("select count(*) from alarm where kind=2"), 1);
    assert_int_equal(samples(M1, "P1"), 40);
    assert_true(number("select count(*) from journal where what='findings'") >= 1);
    assert_int_equal(number("select count(*) from journal where what='policy.set'"), 1);
}
static void duplicates_corrections_and_strangers(void **s) {
    (void)s;
    char name[80];
    OK(send(M1, 1, true));
    OK(send(M1, 1, true));
    assert_true(u.duplicate);
    const char *other = cdss(M1, 1, name, "0.55");
    OK(engine_submit(en, STR(M1), STR("http"), str_of(name), str_of(other), true, &u, &err));
    assert_true(u.correction && !u.duplicate);
    struct sample *v;
    int n;
    OK(series_read(engine_series(en), STR(M1), STR("P1"), 0, INT64_MAX, &v, &n, &err));
    assert_true(n == 1 && v[0].v == fx("0.55"));
    free(v);
    const char *mine2 = cdss(M2, 1, name, "0.5");
    assert_int_equal(engine_submit(en, STR(M1), STR("http"), str_of(name), str_of(mine2), true, &u, &err), ZB_E_DENIED);
    assert_int_equal(engine_submit(en, STR(M1), STR("http"), STR("x"), STR("y"), true, &u, &err), ZB_E_INPUT);
    assert_int_equal(engine_submit(en, STR(M1), STR("http"), STR(M1 "_CDSS_20260301000030.txt"), (struct str){"", 30 << 20}, true, &u, &err), ZB_E_LIMIT);
    engine_settle(en);
    assert_int_equal(number("select count(*) from refusal where mine='" M1 "'"), 3);
}
static void restart_changes_nothing(void **s) {
    (void)s;
    define(M1);
    define(M2);
    for (int k = 0; k < 120; k++) {
        OK(send(M1, k, false));
        OK(send(M2, k, false));
        if (k % 17 == 16) {
            engine_close(en);
            open_();
        }
    }
    engine_settle(en);
    int64_t alarms = number("select count(*) from alarm");
    assert_int_equal(number("select count(*) from alarm where kind=2"), 6);
    engine_close(en);
    en = NULL;
    struct rebuild_result r;
    OK(engine_rebuild(dir, NULL, &r, &err));
    assert_int_equal(r.differ, 0);
    assert_int_equal(r.alarms, alarms);
    open_();
    struct engine_stat now;
    engine_stats(en, &now);
    assert_in_range(number("select value from meta where key='checkpoint'"), now.inputs - 1, now.inputs); /* the start stepped nothing of it again */
    assert_int_equal(samples(M1, "P1"), 120);
    assert_int_equal(number("select count(*) from alarm"), alarms);
    struct db *db = engine_reader(en, &err);
    struct audit_result a;
    OK(audit_verify(db, dir, NULL, &a, &err));
    engine_reader_back(en, db);
    assert_int_equal(a.bad_seq, 0);
}
/* the packed evidence of a directory against its journal: the first entry that is not met, in words */
static void journal_knows(const char *data, bool bad, int packs, int unsaid, const char *what) {
    struct db *db;
    struct evidence_check v;
    char file[100];
    snprintf(file, sizeof file, "%s/zhiben.db", data);
    OK(db_open(file, DB_READ, &db, &err));
    OK(evidence_verify(db, data, &v, &err));
    assert_int_equal(v.bad_seq != 0, bad);
    assert_int_equal(v.packs, bad ? 1 : packs);
    assert_int_equal(v.unsaid, unsaid);
    if (!strstr(v.what, what)) fail_msg("%s", v.what);
    db_close(db);
}
/* a pack that is whole in itself, of other records, in the place of the first */
static void forged(const char *data) {
    char cmd[300], *other = scratch();
    struct raw *r;
    struct raw_packed k;
    OK(raw_open(other, &r, &err));
    for (int i = 0; i < 2; i++) {
        struct raw_record rec = {.kind = RAW_FACTS, .received = zb_now(), .origin = STR("engine"), .name = STR("forged")};
        OK(raw_append(r, &rec, &err));
        raw_roll(r, 1);
    }
    raw_close(r);
    assert_int_equal(raw_pack(other, 0, NULL, NULL, &k, &err), 1);
    snprintf(cmd, sizeof cmd, "cp %s/000000000001.pack %s/raw/ && rm -rf %s", other, data, other);
    assert_int_equal(system(cmd), 0);
}
/* what a night makes of the evidence: the same to whoever reads it; and what is not there is not passed over in silence */
static void packed_evidence(void **s) {
    (void)s;
    char raw[100], file[100], copy[100];
    struct raw *r;
    snprintf(raw, sizeof raw, "%s/raw", dir);
    define(M1);
    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < 40; k++) OK(send(M1, round * 40 + k, false));
        close_();
        OK(raw_open(raw, &r, &err));
        raw_roll(r, 1); /* whatever comes next begins a segment */
        struct raw_record rec = {.kind = RAW_FACTS, .received = zb_now(), .origin = STR("engine"), .name = STR("resume")};
        OK(raw_append(r, &rec, &err));
        raw_close(r);
        open_();
    }
    engine_settle(en);
    int64_t alarms = number("select count(*) from alarm");
    struct pack_result k;
    struct raw_packed first;
    close_();
    assert_int_equal(raw_pack(raw, 0, NULL, NULL, &first, &err), 1); /* a kill between the pack and its entry leaves this */
    journal_knows(dir, 0, 0, 1, "pack from input 1 on");
    open_();
    OK(engine_pack(en, &k, &err));
    assert_int_equal(k.segments, 2);
    assert_int_equal(k.failed, 0);
    assert_true(k.after > 0 && k.after < k.before / 3);
    OK(engine_pack(en, &k, &err));
    assert_int_equal(k.segments, 0);
    assert_int_equal(number("select count(*) from journal where what='evidence.packed'"), 3);
    OK(send(M1, 7, true));
    assert_true(u.duplicate);
    close_();
    snprintf(file, sizeof file, "%s.zip", dir), snprintf(copy, sizeof copy, "%s.copy", dir);
    int files;
    struct rebuild_result b;
    OK(engine_backup(dir, file, &files, &err));
    OK(engine_restore(copy, file, &files, &err));
    OK(engine_rebuild(copy, NULL, &b, &err));
    assert_int_equal(b.differ, 0);
    journal_knows(copy, 0, 3, 0, "");
    forged(copy);
    journal_knows(copy, 1, 0, 0, "holds 1 records");
    assert_int_equal(b.alarms, alarms);
    snprintf(raw, sizeof raw, "%s/raw/000000000001.pack", copy);
    assert_int_equal(unlink(raw), 0);
    assert_int_equal(engine_rebuild(copy, NULL, &b, &err), ZB_E_IO);
    assert_non_null(strstr(err.msg, "input 1 is needed"));
    journal_knows(copy, 1, 0, 0, "000000000001");
    struct series *still; /* the samples that were are still there */
    struct sample *v;
    int n;
    snprintf(raw, sizeof raw, "%s/series.db", copy);
    OK(series_open(raw, &still, &err));
    OK(series_read(still, STR(M1), STR("P1"), 0, INT64_MAX, &v, &n, &err));
    assert_int_equal(n, 120);
    free(v);
    series_close(still);
    snprintf(raw, sizeof raw, "rm -rf %s %s", file, copy);
    assert_int_equal(system(raw), 0);
}
struct job {
    const char *mine;
    int from, to;
};
static void *sender(void *arg) {
    struct job *j = arg;
    for (int k = j->from; k < j->to; k++) {
        char name[80];
        struct upload_result r;
        struct zb_err e;
        const char *text = cdss(j->mine, k, name, value(k));
        if (engine_submit(en, str_of(j->mine), STR("http"), str_of(name), str_of(text), k % 10 == 0, &r, &e) != ZB_OK) abort();
    }
    return NULL;
}
static int look(void *arg, const struct mine_view *v) {
    struct point_now p;
    if (mine_points(v->state) && mine_point_at(v->state, 0, &p)) *(int64_t *)arg += p.last.v != ZB_FIX_NONE;
    return 0;
}
static void *reader(void *arg) {
    int64_t seen = 0;
    for (int i = 0; i < 50; i++) {
        engine_mines(en, STR(""), look, &seen);
        struct engine_stat st;
        engine_stats(en, &st);
        struct sample *v;
        int n;
        struct zb_err e;
        if (series_read(engine_series(en), STR(M1), STR("P1"), 0, INT64_MAX, &v, &n, &e) == ZB_OK) free(v);
    }
    return arg;
}
static void many_senders_and_readers(void **s) {
    (void)s;
    pthread_t t[6];
    struct job j[4] = {{M1, 0, 100}, {M1, 100, 200}, {M2, 0, 100}, {M2, 100, 200}};
    for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, sender, &j[i]);
    for (int i = 4; i < 6; i++) pthread_create(&t[i], NULL, reader, NULL);
    for (int i = 0; i < 6; i++) pthread_join(t[i], NULL);
    engine_settle(en);
    assert_int_equal(samples(M1, "P1"), 200);
    assert_int_equal(samples(M2, "P2"), 200);
    engine_close(en);
    en = NULL;
    struct rebuild_result r;
    OK(engine_rebuild(dir, NULL, &r, &err));
    assert_int_equal(r.differ, 0);
}
/* the k-th write, sync, step or commit fails, for every k: what was acknowledged is judged, nothing doubled, and work goes on */
static void faults(void **s) {
    down(s);
    for (long k = 1;; k += k < 12 ? 1 : k < 60 ? 8 : 67) {
        if (k > 1500) fail_msg("the faults never ended");
        up(s);
        define(M1);
        int good = 0;
        zb_fault_at = 0;
        (void)zb_fault();
        zb_fault_at = k;
        for (int i = 0; i < 26; i++) {
            int rc = send(M1, i, true);
            if (rc != ZB_OK) {
                assert_int_equal(rc, ZB_E_IO);
                rc = send(M1, i, true); /* "send again" */
            }
            good += rc == ZB_OK;
        }
        engine_settle(en);
        zb_fault_at = 0;
        assert_int_equal(good, 26);
        assert_int_equal(samples(M1, "P1"), 26);
        assert_int_equal(number("select count(*) from alarm where kind=2"), 1);
        assert_int_equal(number("select count(*) from alarm where kind=0"), 1);
        engine_close(en);
        open_();
        assert_int_equal(samples(M1, "P1"), 26);
        assert_int_equal(number("select count(*) from alarm where kind=2"), 1);
        down(s);
        if (k > 400) break;
    }
    up(s);
}
int main(void) {
    log_quiet(1);
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest t[] = {T(an_upload_becomes_an_alarm), T(duplicates_corrections_and_strangers),
                                   T(restart_changes_nothing),    T(packed_evidence),
                                   T(many_senders_and_readers),   T(faults)};
    cmocka_set_skip_filter(getenv("SKIP"));
    return cmocka_run_group_tests(t, NULL, NULL);
}
