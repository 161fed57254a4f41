/* The simulated county: same bytes for a seed, nothing refused by the decoders, every fault in the truth and in the bytes. */
#include "../policy.h"
#include "sense/sense.h"
#include "sim/sim.h"
#include <dirent.h>
#include <sys/stat.h>

#define START "2026-03-01 14:00:00"

struct row {
    char type[8], mine[24], point[48], value[16], start[24], end[24], kind[8];
    int state;
    zb_time name, head, t;
};
struct seen {
    uint64_t hash;
    int files, records;
    bool keep;
    struct row *row;
    int n, cap;
    char last_name[80];
};

static struct str cell(const struct batch *b, int r, const char *f) {
    int i = format_field(&b->format->body, f);
    return i < 0 ? STR("") : b->rec[r].cell[i];
}
static void keep_row(struct seen *x, const struct batch *b, const char *mine, int r) {
    if (x->n == x->cap) {
        x->cap = x->cap ? 2 * x->cap : 4096;
        x->row = xrealloc(x->row, (size_t)x->cap * sizeof *x->row);
    }
    struct row *o = &x->row[x->n++];
    int64_t state = 0;
    *o = (struct row){.name = b->name_time, .head = b->time};
    str_copy(str_of(b->format->type), o->type, sizeof o->type);
    str_copy(str_of(mine), o->mine, sizeof o->mine);
    str_copy(cell(b, r, "point_code"), o->point, sizeof o->point);
    str_copy(cell(b, r, "value"), o->value, sizeof o->value);
    str_copy(cell(b, r, "start"), o->start, sizeof o->start);
    str_copy(cell(b, r, "end"), o->end, sizeof o->end);
    str_copy(cell(b, r, "abnormal_type"), o->kind, sizeof o->kind);
    if (cell(b, r, "state").n) assert_true(num_i64(cell(b, r, "state"), 0, 255, &state));
    o->state = (int)state;
    if (!cell(b, r, "time").n || !zb_time_parse(cell(b, r, "time"), &o->t)) o->t = ZB_TIME_NONE;
}
/* Decodes every file as the platform would on arrival. */
static int sink(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e) {
    struct seen *x = arg;
    struct upload_name un;
    struct batch b;
    bool truncated;
    for (size_t i = 0; i < bytes.n; i++) x->hash = (x->hash ^ (unsigned char)bytes.p[i]) * 1099511628211u;
    for (const char *q = name; *q; q++) x->hash = (x->hash ^ (unsigned char)*q) * 1099511628211u;
    x->files++;
    if (!x->keep) return ZB_OK;
    if (upload_name_parse(p, str_of(name), STR(""), &un, e) != ZB_OK) return e->rc;
    struct arena *a = arena_new((size_t)64 << 20);
    int rc = batch_decode(p, str_of(name), STR(""), bytes, un.time + 30 * ZB_MINUTE, a, &b, &truncated, e); /* what a down line kept back comes later */
    if (rc == ZB_OK) {
        if (b.refused || b.warned) fail_msg("%s: %d refused, %d warned; %s", name, b.refused, b.warned, b.whys ? b.why[0].reason : "");
        assert_true(str_is(b.mine, mine));
        x->records += b.n;
        for (int r = 0; r < b.n; r++) keep_row(x, &b, mine, r);
    }
    arena_free(a);
    return rc;
}
static struct seen run(const char *faults, int mines, double hours, uint64_t seed, bool keep, char **truth) {
    struct sim_config c = {.mines = mines, .hours = hours, .start = at(START), .seed = seed, .faults = faults};
    struct seen x = {.hash = 14695981039346656037u, .keep = keep};
    struct sim *s;
    OK(sim_new(p, &c, &s, &err));
    for (zb_time t = c.start; t < c.start + (zb_time)(hours * (double)ZB_HOUR); t += 7 * ZB_MINUTE)
        OK(sim_step(s, t, sink, &x, &err)); /* odd steps: the bytes must not depend on them */
    OK(sim_step(s, c.start + (zb_time)(hours * (double)ZB_HOUR), sink, &x, &err));
    if (truth) *truth = xstrndup(sim_truth(s).p, sim_truth(s).n);
    sim_free(s);
    return x;
}
static int count(const struct seen *x, const char *type) {
    int n = 0;
    for (int i = 0; i < x->n; i++) n += !strcmp(x->row[i].type, type);
    return n;
}

/* Over a day: power, tickets and stock beside, innocent events in the readings, and nothing a decoder would refuse. */
static void a_whole_mine(void **s) {
    (void)s;
    const char *faults = "pair,no-leader,overtime,smooth,clock,standstill,secret,power,balance";
    struct sim_config c = {.mines = 2, .hours = 30, .start = at("2026-03-04 00:00:00"), .seed = 4, .faults = "", .whole = true, .every = 300};
    struct seen x = {.hash = 14695981039346656037u, .keep = true};
    struct sim *m;
    OK(sim_new(p, &c, &m, &err));
    OK(sim_step(m, c.start + 30 * ZB_HOUR, sink, &x, &err));
    sim_free(m);
    assert_int_equal(count(&x, "DLDY"), 2 * 2 * 6);
    assert_int_equal(count(&x, "KCRB"), 2);
    assert_true(count(&x, "DLSS") > 2 * 6 * 100 && count(&x, "YSPD") > 2 * 150);
    int states = 0;
    for (int i = 0; i < x.n; i++) states += !strcmp(x.row[i].type, "CDSS") && x.row[i].state;
    assert_true(states > 0);
    c.faults = faults, c.hours = 24 * 20;
    OK(sim_new(p, &c, &m, &err));
    for (const char *f = faults; f; f = strchr(f, ',') ? strchr(f, ',') + 1 : NULL) {
        char key[40];
        snprintf(key, sizeof key, "\"fault\":\"%.*s\"", (int)strcspn(f, ","), f);
        assert_non_null(memmem(sim_truth(m).p, sim_truth(m).n, key, strlen(key)));
    }
    sim_free(m);
    c.whole = false;
    assert_int_equal(sim_new(p, &c, &m, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "whole mine"));
    free(x.row);
}

static void same_seed_same_bytes(void **s) {
    (void)s;
    const char *all = "over-limit,burst,stuck,replay,clamp,dropout,masked,late,drift";
    uint64_t a = run(all, 3, 1, 7, false, NULL).hash;
    assert_true(a == run(all, 3, 1, 7, false, NULL).hash);
    assert_true(a != run(all, 3, 1, 8, false, NULL).hash);
    assert_true(a != run("", 3, 1, 7, false, NULL).hash);
}

static void a_quiet_day(void **s) {
    (void)s;
    struct seen x = run("", 2, 9, 3, true, NULL); /* over a change of shift */
    assert_true(count(&x, "CDDY") == 2 * 39 && count(&x, "FZDY") == 2 * 3 && count(&x, "RYQY") == 2 * 4 && count(&x, "RYJZ") == 2 * 8);
    assert_int_equal(count(&x, "CDSS"), 2 * 9 * 120 * 39);
    assert_int_equal(count(&x, "JZSS"), 2 * 9 * 12 * 8);
    assert_int_equal(count(&x, "TJSJ"), 2 * (9 * 12 - 1) * 19);
    assert_int_equal(count(&x, "YCBJ"), 0);
    assert_true(count(&x, "RYXX") >= 2 * 60 && count(&x, "RYXX") <= 2 * 150 && count(&x, "RYSS") > 2 * 9 * 100 * 20 && count(&x, "KGBH") > 10);
    for (int i = 0; i < x.n; i++)
        if (!strcmp(x.row[i].type, "CDSS"))
            assert_true(x.row[i].state == 0 && x.row[i].value[0] && x.row[i].t == x.row[i].name && x.row[i].head == x.row[i].name);
    free(x.row);
}

/* From the truth: whether the fault is there, its place and time. */
static bool told(const char *truth, const char *fault, char mine[24], char point[48], zb_time *from, zb_time *to) {
    char key[40], t[40];
    snprintf(key, sizeof key, "\"fault\":\"%s\"", fault);
    const char *line = truth;
    for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *end = strchr(line, '\n'), *f = strstr(line, key);
        if (end && f && f < end) break;
    }
    if (!line || !*line) return false;
    static const char *const K[] = {"\"mine\":\"", "\"point\":\"", "\"from\":\"", "\"to\":\"", "\"expect\":\""};
    struct str v[5];
    for (int i = 0; i < 5; i++) {
        const char *q = strstr(line, K[i]);
        assert_non_null(q);
        q += strlen(K[i]);
        v[i] = (struct str){q, (size_t)(strchr(q, '"') - q)};
    }
    str_copy(v[0], mine, 24);
    str_copy(v[1], point, 48);
    str_copy(v[2], t, sizeof t);
    assert_true(zb_time_parse(str_of(t), from));
    str_copy(v[3], t, sizeof t);
    assert_true(zb_time_parse(str_of(t), to));
    assert_true(v[4].n > 5 && *from < *to);
    return true;
}

struct window {
    struct seen x;
    char *truth, mine[24], point[48];
    zb_time from, to;
    zb_fix v[400];
    int state[400], n;
};
/* The planted point's readings while the fault lasts. */
static struct window look(const char *fault, int mines) {
    struct window w = {0};
    w.x = run(fault, mines, 4, 11, true, &w.truth);
    assert_true(told(w.truth, fault, w.mine, w.point, &w.from, &w.to));
    for (int i = 0; i < w.x.n && w.point[0]; i++) {
        const struct row *r = &w.x.row[i];
        if (strcmp(r->type, "CDSS") != 0 || strcmp(r->mine, w.mine) != 0 || strcmp(r->point, w.point) != 0 || r->t < w.from || r->t >= w.to) continue;
        w.v[w.n] = r->value[0] ? fx(r->value) : ZB_FIX_NONE;
        w.state[w.n++] = r->state;
    }
    if (w.point[0]) assert_int_equal(w.n, (int)((w.to - w.from) / (30 * ZB_SECOND)));
    return w;
}
static void done(struct window *w) {
    free(w->x.row);
    free(w->truth);
}
static bool any_state(const struct window *w, int bit) {
    for (int i = 0; i < w->n; i++)
        if (w->state[i] & bit) return true;
    return false;
}

static void over_limit_shows(void **s) {
    (void)s;
    struct window w = look("over-limit", 2);
    zb_fix peak = 0;
    for (int i = 0; i < w.n; i++) peak = w.v[i] > peak ? w.v[i] : peak;
    assert_true(peak >= fx("1.5") && any_state(&w, ST_ALARM) && any_state(&w, ST_CUT));
    int open = 0, ended = 0, off = 0, on = 0;
    for (int i = 0; i < w.x.n; i++) {
        const struct row *r = &w.x.row[i];
        if (strcmp(r->mine, w.mine) != 0) continue;
        if (!strcmp(r->type, "YCBJ") && !strcmp(r->kind, "001")) open += !r->end[0], ended += r->end[0] != 0;
        if (!strcmp(r->type, "KGBH") && strstr(r->point, "KG1011")) off += !strcmp(r->value, "0"), on += !strcmp(r->value, "1");
    }
    assert_true(open > 3 && ended == 1);
    assert_true(off == 1 && on == 1); /* the feed side goes dead and is back */
    done(&w);
}
static void burst_shows(void **s) {
    (void)s;
    struct window w = look("burst", 2);
    int beyond = 0;
    for (int i = 0; i < w.n; i++) beyond += w.v[i] == fx("4") && (w.state[i] & ST_OVER_RANGE);
    assert_true(beyond >= 5);
    done(&w);
}
static void stuck_shows(void **s) {
    (void)s;
    struct window w = look("stuck", 1);
    for (int i = 1; i < w.n; i++) assert_true(w.v[i] == w.v[0]);
    assert_true(w.n >= 100);
    done(&w);
}
static void replay_shows(void **s) {
    (void)s;
    struct window w = look("replay", 1);
    int moved = 0, at_first = -1, k = 0;
    zb_fix all[1000] = {0};
    for (int i = 0; i < w.x.n; i++)
        if (!strcmp(w.x.row[i].type, "CDSS") && !strcmp(w.x.row[i].point, w.point)) {
            if (w.x.row[i].t == w.from) at_first = k;
            all[k++] = fx(w.x.row[i].value);
        }
    assert_true(at_first >= 120);
    for (int i = 0; i < w.n; i++) assert_true(w.v[i] == all[at_first - 120 + i % 120]); /* the hour before, value by value */
    for (int i = 1; i < w.n; i++) moved += w.v[i] != w.v[i - 1];
    assert_true(moved > 10);
    done(&w);
}
static void clamp_shows(void **s) {
    (void)s;
    struct window w = look("clamp", 1);
    int flat = 0;
    for (int i = 0; i < w.n; i++) {
        assert_true(w.v[i] <= fx("0.95"));
        flat += w.v[i] == fx("0.95");
    }
    assert_true(flat > 30 && !any_state(&w, ST_ALARM));
    done(&w);
}
static void dropout_and_mask_show(void **s) {
    (void)s;
    struct window w = look("dropout", 1);
    for (int i = 0; i < w.n; i++) assert_true(w.v[i] == ZB_FIX_NONE && w.state[i] == ST_FAULT);
    done(&w);
    w = look("masked", 1);
    for (int i = 0; i < w.n; i++) assert_true(w.v[i] != ZB_FIX_NONE && (w.state[i] & ST_PAUSED));
    done(&w);
}
static void late_shows(void **s) {
    (void)s;
    struct window w = look("late", 2);
    int late = 0, other = 0;
    for (int i = 0; i < w.x.n; i++) {
        const struct row *r = &w.x.row[i];
        bool in = r->name >= w.from && r->name < w.to;
        if (strcmp(r->mine, w.mine) != 0) {
            other += in && r->head != r->name;
        } else if (in) {
            assert_true(r->head == w.to); /* sent only when the line was back */
            late++;
            for (int k = 0; k < i; k++) assert_false(!strcmp(w.x.row[k].mine, w.mine) && w.x.row[k].name >= w.to); /* and before anything newer */
        } else {
            assert_true(r->head == r->name);
        }
    }
    assert_true(late > 10 * 39 && other == 0);
    done(&w);
}
static void drift_shows(void **s) {
    (void)s;
    struct window w = look("drift", 2);
    zb_time most = 0, last = 0;
    for (int i = 0; i < w.x.n; i++) {
        const struct row *r = &w.x.row[i];
        if (strcmp(r->type, "CDSS") != 0 || strcmp(r->mine, w.mine) != 0) continue;
        zb_time lag = r->head - r->t;
        assert_true(r->t >= last); /* the slow clock still goes forward */
        last = r->t;
        if (r->name < w.from || r->name >= w.to) assert_true(lag == 0);
        most = lag > most ? lag : most;
    }
    assert_true(most > 3 * ZB_MINUTE && most <= 4 * ZB_MINUTE);
    done(&w);
}
static void all_nine_are_told(void **s) {
    (void)s;
    static const char *const ALL[] = {"over-limit", "burst", "stuck", "replay", "clamp", "dropout", "masked", "late", "drift"};
    char list[200] = "", *truth, mine[24], point[48];
    for (size_t i = 0; i < 9; i++) snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? "," : "", ALL[i]);
    struct seen x = run(list, 1, 2, 5, true, &truth);
    int lines = 0;
    for (const char *q = truth; (q = strchr(q, '\n')); q++) lines++;
    assert_int_equal(lines, 9);
    for (size_t i = 0; i < 9; i++) {
        zb_time from, to;
        assert_true(told(truth, ALL[i], mine, point, &from, &to));
        bool known = !point[0];
        for (int k = 0; k < x.n && !known; k++) known = !strcmp(x.row[k].type, "CDDY") && !strcmp(x.row[k].point, point);
        assert_true(known); /* the point named is one that was defined */
    }
    free(truth);
    free(x.row);
}

static void bad_wishes_are_refused(void **s) {
    (void)s;
    struct sim *m;
    struct sim_config c = {.mines = 1, .hours = 1, .start = at(START), .faults = "flood"};
    assert_int_equal(sim_new(p, &c, &m, &err), ZB_E_INPUT);
    assert_non_null(strstr(err.msg, "flood"));
    c = (struct sim_config){.mines = 0, .hours = 1, .start = at(START), .faults = ""};
    assert_int_equal(sim_new(p, &c, &m, &err), ZB_E_INPUT);
    c = (struct sim_config){.mines = 1, .hours = 0, .start = at(START), .faults = ""};
    assert_int_equal(sim_new(p, &c, &m, &err), ZB_E_INPUT);
    c = (struct sim_config){.mines = 1, .hours = 0.03, .start = at(START), .faults = "over-limit"};
    assert_int_equal(sim_new(p, &c, &m, &err), ZB_E_INPUT);
}

static int files_in(const char *dir, bool *tmp) {
    DIR *d = opendir(dir);
    struct dirent *f;
    int n = 0;
    assert_non_null(d);
    while ((f = readdir(d))) {
        n += strstr(f->d_name, ".txt") != NULL;
        *tmp = *tmp || strstr(f->d_name, ".tmp");
    }
    closedir(d);
    return n;
}
static void a_folder_of_files(void **s) {
    (void)s;
    char *dir = scratch();
    bool tmp = false;
    struct sim_config c = {.out = dir, .mines = 2, .hours = 0.5, .start = at(START), .seed = 11, .faults = "late,masked"};
    OK(sim_run(p, &c, NULL, &err));
    int n = files_in(join(dir, "140214900001"), &tmp) + files_in(join(dir, "140303900002"), &tmp);
    assert_false(tmp);
    assert_int_equal(n, run("late,masked", 2, 0.5, 11, false, NULL).files);
    struct stat st;
    assert_int_equal(stat(join(dir, "truth.jsonl"), &st), 0);
    assert_true(st.st_size > 300);
    c.out = "/proc/none/here";
    assert_int_equal(sim_run(p, &c, NULL, &err), ZB_E_IO);
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -r %.60s", dir);
    assert_int_equal(system(cmd), 0);
}

int main(void) {
    const struct CMUnitTest T[] = {cmocka_unit_test(same_seed_same_bytes),
                                   cmocka_unit_test(a_quiet_day),
                                   cmocka_unit_test(a_whole_mine),
                                   cmocka_unit_test(over_limit_shows),
                                   cmocka_unit_test(burst_shows),
                                   cmocka_unit_test(stuck_shows),
                                   cmocka_unit_test(replay_shows),
                                   cmocka_unit_test(clamp_shows),
                                   cmocka_unit_test(dropout_and_mask_show),
                                   cmocka_unit_test(late_shows),
                                   cmocka_unit_test(drift_shows),
                                   cmocka_unit_test(all_nine_are_told),
                                   cmocka_unit_test(bad_wishes_are_refused),
                                   cmocka_unit_test(a_folder_of_files)};
    return cmocka_run_group_tests(T, policy_up, policy_down);
}
