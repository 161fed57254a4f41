/* Rules over what comes in by itself: each case of tests/fixtures/stream/ brings uploads to a mine of its own through the engine's own step (as replay does,
 * with the receive time of the case), lets the hour, the night and the timers run, and compares the alarms and clues that came of it.
 *   R18:
 *     on:  {uploads: [...], expect: [{alarm: over-limit, point: P1}]}    off: the same without the fault, expecting nothing of this rule
 * Keys of a case (`base` holds what all of a rule have in common; lists add up): today, rows (fixture.h; site 1 is the mine), uploads, people: time at which
 * the people below are judged, night: day that is judged, tick: receive time to which timers run, expect.
 * An upload: {name, text} or {name, head, rows: [{from, every, n, row, …}], tail} or, sent again and again, {name, each: {from, every, n, …}, text}. {mine},
 * {t}, {stamp} and the names of further keys are put into texts. Such a key is a number made step by step: {base, walk, jitter, digits, plus: key,
 * sum: true, spans: [{from, to, hours: [22, 10], is}], copy: {to, from, n}, hold: {at, n}, top: {at, n, v}, skip: {at, n}, seed}, or words in turn:
 * {words: [A, B], hold: steps}; {since} is when the words last changed.
 * past: {from: 2026-02-01, n: 30, kwh: {base: 1000, jitter: 0.03}, …}: days of the mine as the nights before have kept them (prove/facts.h, mine_day). */
#include "../vectors.h"
#include "../prove/fixture.h"
#include "audit/audit.h"
#include "engine/inside.h"
#include "ledger/ledger.h"
#include "prove/hit.h"
#include "prove/prove.h"

static struct fixture f;
static struct engine *en;
static char dir[200], mine[24];
static int cases, bad;
static unsigned seen[1000];
#define WRONG(...) (print_error(__VA_ARGS__), bad++)

/* ---- texts made of templates ---- */
enum { VARS = 8, STEPS = 60000 };
struct var {
    const struct node *n;
    double v[STEPS];
    const char *word[STEPS];
    int since[STEPS];
};
static struct var var[VARS];
static int vars;

static double real(const struct node *n, const char *key, double absent) {
    const struct node *x = n ? node_get(n, key) : NULL;
    double v;
    return x && fixture_number(x, &v) ? v : absent;
}
static const char *text(const struct node *n, const char *key) {
    const struct node *x = n ? node_get(n, key) : NULL;
    return x && x->kind == NODE_SCALAR ? x->text : "";
}
static zb_time moment(const struct node *n, const char *key) {
    zb_time t;
    if (!zb_time_parse(str_of(text(n, key)), &t)) fail_msg("%s:%d: %s: \"2026-03-01 00:00:00\" is expected", f.file, n->line, key);
    return t;
}

static double spanned(const struct node *n, int i, zb_time t, double v) {
    const struct node *spans = node_get(n, "spans");
    int hour = (int)((t + 8 * ZB_HOUR) / ZB_HOUR % 24);
    for (const struct node *s = spans ? spans->child : NULL; s; s = s->next) {
        const struct node *h = node_get(s, "hours");
        int a = h ? atoi(h->child->text) : 0, b = h ? atoi(h->child->next->text) : 24;
        bool in = a < b ? hour >= a && hour < b : hour >= a || hour < b;
        if (in && i >= real(s, "from", 0) && i < real(s, "to", 1e9)) v = real(s, "is", 0);
    }
    return v;
}

static void words_make(struct var *x, int n) {
    const struct node *w = node_get(x->n, "words"), *at = w->child;
    int hold = (int)real(x->n, "hold", 1), since = 0;
    for (int i = 0; i < n; i++) {
        if (i && i % hold == 0) {
            at = at->next ? at->next : w->child;
            since = i;
        }
        x->word[i] = at->text;
        x->since[i] = since;
    }
}

static void var_make(struct var *x, zb_time from, zb_time every, int n) {
    const struct node *m = x->n, *plus = node_get(m, "plus"), *copy = node_get(m, "copy"), *hold = node_get(m, "hold"), *top = node_get(m, "top");
    double y = 0, walk = real(m, "walk", 0), jitter = real(m, "jitter", 0), scale = pow(10, real(m, "digits", 2));
    lcg = (uint32_t)real(m, "seed", 3);
    for (int i = 0; i < n; i++) {
        if (walk > 0) y = 0.97 * y + 0.02 * (uni() + uni() + uni() - 1.5);
        double v = spanned(m, i, from + i * every, real(m, "base", 0));
        v = (v + walk * y) * (1 + jitter * (2 * uni() - 1));
        for (int k = 0; plus && k < vars; k++)
            if (!strcmp(var[k].n->key, plus->text)) v += var[k].v[i] - (node_get(var[k].n, "sum") && i ? var[k].v[i - 1] : 0);
        if (node_get(m, "sum") && i) v += x->v[i - 1];
        if (top && i >= real(top, "at", 0) && i < real(top, "at", 0) + real(top, "n", 0)) v = fmin(v, real(top, "v", 0));
        x->v[i] = round(v * scale) / scale;
    }
    for (int i = 0; copy && i < (int)real(copy, "n", 0); i++) x->v[(int)real(copy, "to", 0) + i] = x->v[(int)real(copy, "from", 0) + i];
    for (int i = 0; hold && i < (int)real(hold, "n", 0); i++) x->v[(int)real(hold, "at", 0) + i] = x->v[(int)real(hold, "at", 0)];
}

static void vars_make(const struct node *g, zb_time from, zb_time every, int n) {
    vars = 0;
    assert_true(n <= STEPS);
    for (const struct node *c = g->child; c; c = c->next) {
        if (c->kind != NODE_MAP) continue;
        assert_true(vars < VARS);
        var[vars].n = c;
        if (node_get(c, "words"))
            words_make(&var[vars], n);
        else
            var_make(&var[vars], from, every, n);
        vars++;
    }
}

static void put_name(struct buf *b, struct str name, zb_time t, zb_time from, zb_time every, int i) {
    char s[ZB_TIME_CAP];
    int k = 0, since = 0;
    for (int w = 0; w < vars; w++)
        if (node_get(var[w].n, "words") && var[w].since[i] > since) since = var[w].since[i];
    while (k < vars && !str_is(name, var[k].n->key)) k++;
    if (str_is(name, "mine"))
        buf_puts(b, mine);
    else if (str_is(name, "t"))
        buf_puts(b, zb_time_text(t, s));
    else if (str_is(name, "stamp"))
        buf_puts(b, zb_time_stamp(t, s));
    else if (str_is(name, "since"))
        buf_puts(b, zb_time_text(from + since * every, s));
    else if (k < vars && node_get(var[k].n, "words"))
        buf_puts(b, var[k].word[i]);
    else if (k < vars)
        buf_printf(b, "%.*f", (int)real(var[k].n, "digits", 2), var[k].v[i]);
    else
        fail_msg("%s: nothing is called {" STR_FMT "}", f.file, STR_ARG(name));
}
static void fill(struct buf *b, const char *s, zb_time t, zb_time from, zb_time every, int i) {
    for (const char *end; *s; s++) {
        if (*s == '{' && (end = strchr(s, '}')) && end > s + 1 && strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_0123456789") == (size_t)(end - s - 1)) {
            put_name(b, (struct str){s + 1, (size_t)(end - s - 1)}, t, from, every, i);
            s = end;
        } else {
            buf_putc(b, *s);
        }
    }
}
static bool skipped(int i) {
    for (int k = 0; k < vars; k++) {
        const struct node *s = node_get(var[k].n, "skip");
        if (s && i >= real(s, "at", 0) && i < real(s, "at", 0) + real(s, "n", 0)) return true;
    }
    return false;
}

/* ---- into the engine ---- */
static void step(const char *name, struct str bytes, zb_time received) {
    static uint64_t seq;
    struct job *j = xcalloc(1, sizeof *j);
    bool truncated;
    j->kind = JOB_UPLOAD;
    j->seq = ++seq;
    j->received = received;
    j->size = bytes.n;
    j->bytes = xstrndup(bytes.p, bytes.n);
    j->arena = arena_new((size_t)512 << 20);
    str_copy(str_of(name), j->name, sizeof j->name);
    str_copy(STR("http"), j->origin, sizeof j->origin);
    j->mine = mine_get(en, str_of(mine));
    mine_step_tick(en, j->mine, received - 1);
    if (job_decode(en->policy, j, str_of(mine), received, &truncated, &err) != ZB_OK) fail_msg("%s: %s: %s", f.file, name, err.msg);
    if (j->batch.refused) fail_msg("%s: %s: record %d, %s: %s", f.file, name, j->batch.why[0].record, j->batch.why[0].field, j->batch.why[0].reason);
    OK(batch_step(en, j, true, true, &err));
    job_free(j);
}

static void send(const struct node *u) {
    const struct node *each = node_get(u, "each"), *rows = node_get(u, "rows");
    zb_time from = each ? moment(each, "from") : 0, every = each ? (zb_time)(real(each, "every", 30) * 1000) : 0, last = ZB_TIME_NONE;
    int n = each ? (int)real(each, "n", 1) : 1;
    vars = 0;
    if (each) vars_make(each, from, every, n);
    for (int i = 0; i < n; i++) {
        ZB_AUTO(buf_done) struct buf b;
        ZB_AUTO(buf_done) struct buf name;
        zb_time t = from + i * every;
        if (each && skipped(i)) continue;
        buf_init(&b, 20 << 20);
        buf_init(&name, 200);
        fill(&name, text(u, "name"), t, from, every, i);
        fill(&b, text(u, rows ? "head" : "text"), t, from, every, i);
        for (const struct node *g = rows ? rows->child : NULL; g; g = g->next) {
            zb_time f0 = moment(g, "from"), step_ms = (zb_time)(real(g, "every", 30) * 1000);
            int m = (int)real(g, "n", 1);
            vars_make(g, f0, step_ms, m);
            for (int k = 0; k < m; k++)
                if (!skipped(k)) fill(&b, text(g, "row"), f0 + k * step_ms, f0, step_ms, k);
            last = f0 + (m - 1) * step_ms;
        }
        fill(&b, text(u, "tail"), t, from, every, i);
        assert_false(b.over || name.over);
        zb_time received = node_get(u, "received") ? moment(u, "received") : (each ? t : last) + ZB_SECOND;
        step(name.p, buf_str(&b), received);
    }
}

static void past_put(const struct node *past) {
    int32_t first;
    if (!zb_day_parse(str_of(text(past, "from")), &first)) fail_msg("%s:%d: past: from is missing", f.file, past->line);
    int n = (int)real(past, "n", 0);
    vars_make(past, zb_day_start(first), ZB_DAY, n);
    OK(db_begin(en->writer, &err));
    for (int i = 0; i < n; i++) {
        ZB_AUTO(buf_done) struct buf b;
        buf_init(&b, 4000);
        buf_puts(&b, "insert into mine_day(mine,day");
        for (int k = 0; k < vars; k++) buf_printf(&b, ",%s", var[k].n->key);
        buf_printf(&b, ") values('%s',%d", mine, first + i);
        for (int k = 0; k < vars; k++) buf_printf(&b, ",%.3f", var[k].v[i]);
        buf_puts(&b, ")");
        OK(db_exec(en->writer, b.p, &err));
    }
    OK(db_commit(en->writer, &err));
}

static void both(const struct node *subject, const struct node *one, const char *key, void (*fn)(const struct node *)) {
    const struct node *base = node_get(subject, "base"), *part[] = {base ? node_get(base, key) : NULL, node_get(one, key)};
    for (int k = 0; k < 2; k++)
        for (const struct node *u = part[k] ? part[k]->child : NULL; u; u = u->next) fn(u);
}
static const char *either(const struct node *subject, const struct node *one, const char *key) {
    const struct node *base = node_get(subject, "base");
    return node_get(one, key) ? text(one, key) : base ? text(base, key) : "";
}

/* ---- what came of it ---- */
struct got {
    bool clue, used;
    char kind[40], point[60], level[12], says[1200];
};
static struct got got[200];
static int gots;

static void alarms_read(const struct rule *u) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(en->writer, "select kind,point,level,note from alarm where mine=?1", &err);
    assert_non_null(q);
    stmt_z(q, 1, mine);
    while (stmt_row(q, &err) == 1 && gots < 200) {
        struct got *g = &got[gots];
        *g = (struct got){0};
        str_copy(str_of(ALARM_KIND_KEY[stmt_col_i64(q, 0)]), g->kind, sizeof g->kind);
        str_copy(stmt_col_text(q, 1), g->point, sizeof g->point);
        str_copy(str_of(ALARM_LEVEL_KEY[stmt_col_i64(q, 2)]), g->level, sizeof g->level);
        str_copy(stmt_col_text(q, 3), g->says, sizeof g->says);
        gots += word_in(u->alarms, str_of(g->kind));
    }
}
static void clues_read(const struct rule *u) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(en->writer, "select evidence,reason from l_clue where rule=?1", &err);
    assert_non_null(q);
    stmt_z(q, 1, u->id);
    while (stmt_row(q, &err) == 1 && gots < 200) {
        struct got *g = &got[gots++];
        *g = (struct got){.clue = true};
        static const char MARK[] = "\"detector\":\"";
        struct str ev = stmt_col_text(q, 0);
        const char *at = memmem(ev.p, ev.n, MARK, sizeof MARK - 1);
        if (at) snprintf(g->kind, sizeof g->kind, "%.*s", (int)strcspn(at + sizeof MARK - 1, "\""), at + sizeof MARK - 1);
        str_copy(stmt_col_text(q, 1), g->says, sizeof g->says);
        if (!word_in(u->detectors, str_of(g->kind))) WRONG("%s: %s: a clue by %s, which the rule does not name\n", f.file, u->id, g->kind);
    }
}

static bool agrees(const struct got *g, const struct node *want) {
    for (const struct node *c = want->child; c; c = c->next) {
        if (!strcmp(c->key, "alarm") || !strcmp(c->key, "clue")) {
            if (g->clue != (c->key[0] == 'c') || strcmp(g->kind, c->text)) return false;
        } else if (!strcmp(c->key, "point") || !strcmp(c->key, "level")) {
            if (strcmp(c->key[0] == 'p' ? g->point : g->level, c->text)) return false;
        } else if (!strcmp(c->key, "says")) {
            if (!strstr(g->says, c->text)) return false;
        } else {
            fail_msg("%s:%d: expect: unknown %s", f.file, c->line, c->key);
        }
    }
    return true;
}

static void compare(const struct rule *u, const struct node *one) {
    const struct node *expect = node_get(one, "expect");
    int wanted = 0;
    gots = 0;
    alarms_read(u);
    clues_read(u);
    for (const struct node *w = expect ? expect->child : NULL; w; w = w->next, wanted++) {
        bool found = false;
        for (int i = 0; i < gots && !found; i++)
            if (!got[i].used && agrees(&got[i], w)) found = got[i].used = true;
        if (!found)
            WRONG("%s:%d: %s %s: not found; %d came, the first: %s %s\n", f.file, w->line, u->id, one->key, gots, gots ? got[0].kind : "none",
                  gots ? got[0].says : "");
    }
    for (int i = 0; i < gots; i++)
        if (!got[i].used) WRONG("%s:%d: %s %s: not expected: %s %s %s\n", f.file, one->line, u->id, one->key, got[i].kind, got[i].point, got[i].says);
    if ((one->key[1] == 'f') != !wanted) WRONG("%s:%d: %s %s: %s\n", f.file, one->line, u->id, one->key, wanted ? "off expects nothing" : "expect is empty");
}

static void clear(void) {
    char sql[200];
    OK(db_begin(en->writer, &err));
    for (int i = 0; i < f.p->ledgers; i++) {
        const struct ledger *l = &f.p->ledger[i];
        if (l->view[0]) continue;
        static const char *const OF[] = {"l_", "h_"};
        for (int k = 0; k < 2; k++) {
            snprintf(sql, sizeof sql, "delete from %s%s", OF[k], l->key);
            OK(db_exec(en->writer, sql, &err));
        }
        for (int k = 0; k < l->subs; k++) {
            snprintf(sql, sizeof sql, "delete from s_%s_%s", l->key, l->sub[k].key);
            OK(db_exec(en->writer, sql, &err));
        }
    }
    OK(db_commit(en->writer, &err));
}

static void mine_code(void) {
    OK(db_exec(en->writer, "update l_site set mine=code", &err));
    ZB_AUTO(stmt_done) struct stmt *q = db_once(en->writer, "update l_site set code=?1, mine=?1 where id=1", &err);
    stmt_z(q, 1, mine);
    OK(stmt_run(q, &err));
}

static void case_run(const struct rule *u, const struct node *subject, const struct node *one) {
    const char *people = either(subject, one, "people"), *night = either(subject, one, "night"), *tick = either(subject, one, "tick");
    zb_time t;
    int32_t day;
    snprintf(mine, sizeof mine, "1402149%05d", ++cases);
    mines_free(en); /* each case is alone */
    en->mines = (struct map){0};
    clear();
    OK(db_begin(en->writer, &err));
    fixture_rows(&f, subject, one);
    mine_code();
    OK(db_commit(en->writer, &err));
    const struct node *base = node_get(subject, "base"), *past = node_get(one, "past") ? node_get(one, "past") : base ? node_get(base, "past") : NULL;
    if (past) past_put(past);
    both(subject, one, "uploads", send);
    if (zb_time_parse(str_of(tick), &t)) mine_step_tick(en, mine_get(en, str_of(mine)), t);
    OK(findings_store(en, zb_now(), &err));
    int n, fresh;
    if (zb_time_parse(str_of(people), &t)) OK(engine_people(en, t, &n, &fresh, &err));
    struct night_result r;
    if (zb_day_parse(str_of(night), &day)) OK(engine_night(en, day, zb_day_start(day + 1) + 2 * ZB_HOUR, &r, &err));
    compare(u, one);
}

static void file_run(void *arg, const char *name) {
    (void)arg;
    fixture_read(&f, name);
    for (const struct node *s = f.root->child; s; s = s->next) {
        int at = -1;
        for (int i = 0; i < f.p->rules; i++)
            if (!strcmp(f.p->rule[i]->id, s->key)) at = i;
        if (at < 0 || (!f.p->rule[at]->alarms[0] && !f.p->rule[at]->detectors[0])) fail_msg("%s:%d: no rule over streams %s", name, s->line, s->key);
        for (const struct node *one = s->child; one; one = one->next) {
            struct str kind = str_cut(str_of(one->key), ' ', &(struct str){0});
            bool on = str_is(kind, "on"), off = str_is(kind, "off");
            if (!on && !off && strcmp(one->key, "base")) fail_msg("%s:%d: case %s: on or off", name, one->line, one->key);
            if (!on && !off) continue;
            seen[at] |= on ? 1u : 2u;
            case_run(f.p->rule[at], s, one);
        }
    }
}

static void streams(void **st) {
    (void)st;
    fixture_files("stream", file_run, NULL);
    for (int i = 0; i < f.p->rules; i++)
        if ((f.p->rule[i]->alarms[0] || f.p->rule[i]->detectors[0]) && seen[i] != 3) WRONG("%s is not turned on and off\n", f.p->rule[i]->id);
    assert_int_equal(bad, 0);
}

static int up(void **st) {
    (void)st;
    log_quiet(1);
    snprintf(dir, sizeof dir, "%s/d", scratch());
    OK(engine_init(dir, getenv("POLICY"), NULL, &err));
    en = engine_make(dir);
    OK(lock_dir(en, &err));
    OK(open_stores(en, NULL, &err));
    OK(db_exec(en->db, "pragma synchronous=off", &err));
    OK(db_exec(en->writer, "pragma synchronous=off", &err));
    OK(ledger_migrate(en->writer, en->policy, 0, &err));
    OK(prove_migrate(en->writer, en->policy, &err));
    OK(findings_load(en, &err));
    f = (struct fixture){.p = en->policy, .db = en->writer, .arena = arena_new(256 << 20)};
    return 0;
}
static int down(void **st) {
    (void)st;
    char cmd[300];
    arena_free(f.arena);
    engine_free(en);
    snprintf(cmd, sizeof cmd, "rm -rf %.200s", dir);
    return system(cmd);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(streams)};
    return cmocka_run_group_tests(t, up, down);
}
