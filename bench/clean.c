/* A simulated province lived through day by day: every upload through the front door, the night of each day in order, as a served directory does it; then what was
 * found is held against what was planted. Without faults every clue is a false one. One line of JSON.
 * usage: clean POLICY DIR [mines [days [seed [every [faults]]]]] — DIR is made; every: seconds between uploads; faults as for `zhiben simulate`. */
#include "base/log.h"
#include "base/map.h"
#include "engine/engine.h"
#include "ledger/ledger.h"
#include "sense/sense.h"
#include "sim/sim.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define START "2026-03-02 00:00:00" /* with a holiday within the month: 6 April */
enum { GRADED = 2, UNDER_WAY = 64 };

/* By which of the detectors a planted fault should be found, and where a stop has to stand in the records. */
static const struct {
    const char *fault, *detectors;
    bool stop;
} WANT[] = {{"stuck", "flat clamp day", false},   {"replay", "replay near", false}, {"clamp", "clamp flat", false},    {"smooth", "smooth day", false},
            {"understated", "upload", false},     {"clock", "clock", false},        {"hidden", "place hidden", false}, {"pair", "pair", false},
            {"no-leader", "leader", false},       {"overtime", "overtime", false},  {"power", "ratio drift", false},   {"balance", "balance", false},
            {"secret", "idle share rough", true}, {"standstill", "", true}};
enum { WANTS = sizeof WANT / sizeof *WANT, PLANTED_MAX = 600 };

struct planted {
    char mine[24], point[48];
    int want; /* -1: an alarm's business */
    zb_time from, to;
    bool found;
    char by[24];
};
struct province {
    struct engine *en;
    struct policy *p;
    struct arena *arena;
    struct map site; /* code → int64_t * */
    const char *dir;
    struct planted plant[PLANTED_MAX];
    int planted, files;
    struct ticket ticket[UNDER_WAY]; /* one sync serves many */
    int under_way;
};

static int64_t record(struct province *v, const char *ledger, json_t *values, struct zb_err *e) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)4 << 20);
    struct db *w = engine_writer(v->en);
    static const struct actor HEAD = {.user = "head", .role = "head", .area = "14"};
    struct lcall c = {.actor = strcmp(ledger, "suspension") ? NULL : &HEAD, /* a person's act */
                      .db = w,
                      .policy = v->p,
                      .l = &v->p->ledger[policy_ledger(v->p, str_of(ledger))],
                      .now = zb_now(),
                      .arena = a,
                      .dir = v->dir};
    struct lchange ch = {.values = values, .at = ZB_TIME_NONE};
    int64_t id = 0;
    bool done;
    int rc = ledger_change(&c, &ch, &id, &done, e);
    json_decref(values);
    engine_writer_back(v->en);
    return rc == ZB_OK ? id : 0;
}

static int site_make(struct province *v, const char *code, struct zb_err *e) {
    char county[8], face[32], heading[32];
    snprintf(county, sizeof county, "%.6s", code);
    snprintf(face, sizeof face, "%s0002", code), snprintf(heading, sizeof heading, "%s0003", code);
    int64_t *id = xcalloc(1, sizeof *id);
    map_set(&v->site, str_of(code), id);
    json_t *site = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}", "state", "producing", "code", code, "name", "示范矿", "kind",
                             "coal_ug", "county", county, "capacity_kt", 3200, "ug_quota_n", 110, "places", "name", "1101工作面", "kind", "face", "zone_id",
                             face, "name", "1203掘进工作面", "kind", "heading", "zone_id", heading);
    *id = record(v, "site", site, e);
    if (!*id) return e->rc;
    for (int i = 0; i < v->planted; i++) {
        const struct planted *x = &v->plant[i];
        char day[ZB_TIME_CAP];
        if (x->want < 0 || !WANT[x->want].stop || strcmp(x->mine, code)) continue;
        zb_time_text(x->from, day)[10] = 0;
        if (!record(v, "suspension",
                    json_pack("{s:I,s:s,s:s,s:s,s:s,s:i}", "site", (json_int_t)*id, "cause", "self_stop", "reason", "停产检修", "scope", "all", "ordered_on",
                              day, "allowed_crew_n", 45),
                    e))
            return e->rc;
    }
    return ZB_OK;
}

static struct str cell(const struct batch *b, int i, const char *f) {
    int k = format_field(&b->format->body, f);
    return k < 0 ? STR("") : b->rec[i].cell[k];
}
/* The files of the persons, as the mine's own roster says. */
static int roster_take(struct province *v, const char *mine, const struct batch *b, struct zb_err *e) {
    int64_t site = *(int64_t *)map_get(&v->site, str_of(mine));
    for (int i = 0; i < b->n; i++) {
        struct str card = cell(b, i, "card"), name = cell(b, i, "name");
        bool leader = str_is(cell(b, i, "leader"), "1"), special = str_is(cell(b, i, "special"), "1");
        int64_t id = record(v, "person",
                            json_pack("{s:s%,s:I,s:s,s:s%,s:s}", "name", name.p, name.n, "site", (json_int_t)site, "post",
                                      leader    ? "dep_production"
                                      : special ? "special_op"
                                                : "worker",
                                      "card_no", card.p, card.n, "employ_type", "own"),
                            e);
        if (!id) return e->rc;
        if (special && !record(v, "credential",
                               json_pack("{s:I,s:s,s:s%,s:s,s:s,s:s}", "person", (json_int_t)id, "kind", "special_op_cert", "number", card.p, card.n,
                                         "issued_on", "2024-01-01", "valid_to", "2029-12-31", "state", "valid"),
                               e))
            return e->rc;
    }
    return ZB_OK;
}

static int ended(struct province *v, struct zb_err *e) {
    int rc = ZB_OK;
    for (int i = 0; i < v->under_way; i++) {
        struct upload_result u;
        struct zb_err own;
        int r = engine_submit_end(v->en, &v->ticket[i], &u, &own);
        if (rc == ZB_OK && r != ZB_OK) *e = own, rc = r;
    }
    v->under_way = 0;
    return rc;
}

static int take(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e) {
    struct province *v = arg;
    struct upload_name un;
    struct upload_result u;
    bool fresh = !map_get(&v->site, str_of(mine));
    if (fresh && site_make(v, mine, e) != ZB_OK) return e->rc;
    if (upload_name_parse(v->p, str_of(name), STR(""), &un, e) != ZB_OK) return e->rc;
    if (str_is(un.type, "RYXX") && v->files < 200000) {
        struct batch b;
        bool truncated;
        char seen[40];
        snprintf(seen, sizeof seen, "roster %s", mine);
        if (!map_get(&v->site, str_of(seen))) {
            map_set(&v->site, str_of(seen), xcalloc(1, 8));
            if (batch_decode(v->p, str_of(name), STR(""), bytes, un.time, v->arena, &b, &truncated, e) != ZB_OK || roster_take(v, mine, &b, e) != ZB_OK)
                return e->rc;
            arena_reset(v->arena);
        }
    }
    v->files++;
    if (v->under_way == UNDER_WAY && ended(v, e) != ZB_OK) return e->rc;
    if (engine_submit_begin(v->en, STR(""), STR("import"), str_of(name), bytes, false, &u, &v->ticket[v->under_way], e) != ZB_OK) return e->rc;
    v->under_way++;
    return u.refused ? zb_fail(e, ZB_E_INPUT, "%s: %s", name, u.reason) : ZB_OK;
}

static void truth_read(struct province *v, struct str truth) {
    while (truth.p && truth.n && v->planted < PLANTED_MAX) {
        struct str line = str_cut(truth, '\n', &truth);
        json_error_t why;
        json_t *o = json_loadb(line.p, line.n, 0, &why);
        const char *mine, *point, *fault, *from, *to;
        struct planted *x = &v->plant[v->planted];
        *x = (struct planted){.want = -1};
        if (!o || json_unpack(o, "{s:s,s:s,s:s,s:s,s:s}", "mine", &mine, "point", &point, "fault", &fault, "from", &from, "to", &to)) ZB_BUG("a line of truth");
        str_copy(str_of(mine), x->mine, sizeof x->mine), str_copy(str_of(point), x->point, sizeof x->point);
        if (!zb_time_parse(str_of(from), &x->from) || !zb_time_parse(str_of(to), &x->to)) ZB_BUG("a time of truth");
        for (int k = 0; k < WANTS; k++)
            if (!strcmp(WANT[k].fault, fault)) x->want = k;
        v->planted++;
        json_decref(o);
    }
}

/* ---- what came of it ---- */
struct kind {
    char key[60];
    int n, wrong;
};
struct tally {
    struct kind kind[60];
    int kinds, clues, graded, wrong, firsts;
    json_t *first;
};

static bool explained(struct province *v, const char *mine, const char *subject, const char *detector, zb_time from, zb_time to) {
    bool ours = false;
    for (int i = 0; i < v->planted; i++) {
        struct planted *x = &v->plant[i];
        if (x->want < 0 || strcmp(x->mine, mine) || from >= x->to + ZB_DAY || to <= x->from) continue;
        bool by = word_in(WANT[x->want].detectors, str_of(detector)) && (!x->point[0] || !strcmp(x->point, subject));
        if (by && !x->found) x->found = true, str_copy(str_of(detector), x->by, sizeof x->by);
        ours = ours || by || (x->point[0] && !strcmp(x->point, subject));
    }
    return ours;
}

static int clues_read(struct province *v, struct tally *t, struct zb_err *e) {
    struct db *db = engine_reader(v->en, e);
    if (!db) return e->rc;
    int r = -1;
    {
        ZB_AUTO(stmt_done) struct stmt *q = db_once(db, "select s.code, c.evidence from l_clue c join l_site s on s.id=c.site order by c.id", e);
        while (q && (r = stmt_row(q, e)) == 1) {
            json_error_t why;
            char mine[24];
            struct str ev = stmt_col_text(q, 1);
            json_t *o = json_loadb(ev.p, ev.n, 0, &why);
            const char *rule, *detector, *subject, *from, *to, *zh;
            int grade;
            zb_time a, b;
            str_copy(stmt_col_text(q, 0), mine, sizeof mine);
            if (!o || json_unpack(o, "{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "rule", &rule, "detector", &detector, "subject", &subject, "from", &from, "to", &to,
                                  "grade", &grade, "zh", &zh))
                ZB_BUG("a clue's evidence");
            if (!zb_time_parse(str_of(from), &a) || !zb_time_parse(str_of(to), &b)) ZB_BUG("a clue's window");
            char key[60];
            snprintf(key, sizeof key, "%s %s %d", rule, detector, grade);
            int k = 0;
            while (k < t->kinds && strcmp(t->kind[k].key, key)) k++;
            if (k == 60) ZB_BUG("kinds of clues");
            if (k == t->kinds) str_copy(str_of(key), t->kind[t->kinds++].key, sizeof key);
            bool wrong = !explained(v, mine, subject, detector, a, b);
            t->kind[k].n++, t->kind[k].wrong += wrong;
            t->clues++, t->graded += grade >= GRADED, t->wrong += wrong && grade >= GRADED;
            if (wrong && t->kind[k].wrong <= 3 && json_array_size(t->first) < 40)
                json_array_append_new(t->first, json_pack("{s:s,s:s,s:s}", "mine", mine, "by", key, "zh", zh));
            json_decref(o);
        }
    }
    engine_reader_back(v->en, db);
    return r < 0 ? e->rc : ZB_OK;
}

static json_t *share(int hit, int n) { /* with its Wilson interval of 95 % */
    double z = 1.959964, p = n ? (double)hit / n : 0, d = 1 + z * z / n, c = p + z * z / (2 * n), w = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
    return json_pack("{s:i,s:i,s:f,s:f,s:f}", "planted", n, "found", hit, "recall", round(p * 1000) / 1000, "low", round((c - w) / d * 1000) / 1000, "high",
                     round((c + w) / d * 1000) / 1000);
}

static double clock_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(struct province *v, struct tally *t, int mines, int days, double in_s, double night_s) {
    double months = mines * days / 30.0;
    json_t *o = json_pack("{s:s,s:i,s:i,s:f,s:i,s:i,s:i,s:f,s:i,s:f,s:f,s:f}", "bench", "clean", "mines", mines, "days", days, "mine_months", months, "files",
                          v->files, "clues", t->clues, "graded", t->graded, "graded_a_mine_month", round(t->graded / months * 1000) / 1000, "false_graded",
                          t->wrong, "false_graded_a_mine_month", round(t->wrong / months * 1000) / 1000, "import_s", round(in_s), "nights_s", round(night_s));
    json_t *by = json_object(), *recall = json_object();
    for (int k = 0; k < t->kinds; k++) json_object_set_new(by, t->kind[k].key, json_pack("{s:i,s:i}", "clues", t->kind[k].n, "false", t->kind[k].wrong));
    json_object_set_new(o, "by", by);
    for (int k = 0; k < WANTS; k++) {
        int n = 0, hit = 0;
        for (int i = 0; i < v->planted; i++) n += v->plant[i].want == k, hit += v->plant[i].want == k && v->plant[i].found;
        if (n && WANT[k].detectors[0]) json_object_set_new(recall, WANT[k].fault, share(hit, n));
    }
    if (v->planted)
        json_object_set_new(o, "recall", recall);
    else
        json_decref(recall);
    json_object_set_new(o, "false_first", t->first);
    char *z = json_dumps(o, JSON_COMPACT);
    puts(z ? z : "{}");
    free(z), json_decref(o);
}

int main(int n, char **a) {
    struct zb_err e = {0};
    struct sim *s;
    int64_t mines = 8, days = 30, seed = 1, every = 30;
    if (n < 3 || n > 8 || (n > 3 && !num_i64(str_of(a[3]), 1, 1000, &mines)) || (n > 4 && !num_i64(str_of(a[4]), 1, 366, &days)) ||
        (n > 5 && !num_i64(str_of(a[5]), 1, 1000000, &seed)) || (n > 6 && !num_i64(str_of(a[6]), 30, 3600, &every)))
        return fprintf(stderr, "usage: clean POLICY DIR [mines [days [seed [every [faults]]]]]\n"), 2;
    struct province *v = xcalloc(1, sizeof *v);
    struct tally t = {.first = json_array()};
    struct sim_config c = {
        .mines = (int)mines, .hours = (double)days * 24, .seed = (uint64_t)seed, .faults = n > 7 ? a[7] : "", .whole = true, .every = (int)every};
    double in_s = 0, night_s = 0;
    v->dir = a[2], v->arena = arena_new((size_t)64 << 20);
    log_quiet(1);
    int rc = zb_time_parse(STR(START), &c.start) ? policy_load(a[1], &v->p, &e) : ZB_E_INPUT;
    if (rc == ZB_OK) rc = engine_init(a[2], a[1], NULL, &e);
    if (rc == ZB_OK) rc = engine_open(a[2], NULL, &v->en, &e);
    if (rc == ZB_OK) rc = sim_new(v->p, &c, &s, &e);
    if (rc == ZB_OK) truth_read(v, sim_truth(s));
    for (int d = 0; d < days && rc == ZB_OK; d++) {
        struct night_result r;
        double t0 = clock_s();
        rc = sim_step(s, c.start + (d + 1) * ZB_DAY, take, v, &e);
        if (rc == ZB_OK) rc = ended(v, &e);
        if (rc == ZB_OK) engine_settle(v->en);
        double t1 = clock_s();
        if (rc == ZB_OK) rc = engine_night(v->en, zb_day_of(c.start) + d, zb_now(), &r, &e);
        in_s += t1 - t0, night_s += clock_s() - t1;
        if (rc == ZB_OK)
            fprintf(stderr, "day %d of %lld: %d clues, %d new; %.0f s in, %.0f s judged\n", d + 1, (long long)days, r.clues, r.fresh, in_s, night_s);
    }
    if (rc == ZB_OK) rc = clues_read(v, &t, &e);
    if (rc != ZB_OK) {
        fprintf(stderr, "clean: %s\n", e.msg);
        if (v->en) engine_close(v->en);
        return 1;
    }
    tell(v, &t, (int)mines, (int)days, in_s, night_s);
    engine_close(v->en);
    return 0;
}
