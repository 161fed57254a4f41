/* Every rule and insight by its fixtures, on SQLite and on PostgreSQL: on, off, suppressed, missing (insights: on, off). A rule without its cases fails. */
#include "../pg.h"
#include "fixture.h"
#include "prove/rule.h"

enum kind { ON, OFF, SUPPRESSED, MISSING, KINDS };
static const char *const KIND[] = {"on", "off", "suppressed", "missing"};
static struct fixture f;
static unsigned seen[1000]; /* by rule: kinds that were there */
static int bad;             /* cases that were not as expected: all are told before the test fails */
#define WRONG(...) (print_error(__VA_ARGS__), bad++)

struct got {
    int n;
    struct one {
        enum kind kind;
        double site, id, since, score;
        char key[120], act[20], zh[600];
        bool used;
    } hit[64];
};
static int keep(void *arg, const struct rule_hit *h, struct zb_err *e) {
    (void)e;
    struct got *g = arg;
    assert_true(g->n < 64);
    struct one *o = &g->hit[g->n++];
    *o = (struct one){h->unknown ? MISSING : h->excused ? SUPPRESSED : ON, (double)h->site, (double)h->id, h->since, h->score, "", "", "", false};
    str_copy(str_of(h->key), o->key, sizeof o->key);
    str_copy(str_of(RULE_ACTION_KEY[h->action]), o->act, sizeof o->act);
    str_copy(str_of(h->zh), o->zh, sizeof o->zh);
    assert_true(h->zh[0] && h->en[0] && h->evidence[0] == '{');
    return ZB_OK;
}

static bool agrees(const struct one *o, const struct node *want) {
    for (const struct node *c = want->child; c; c = c->next) {
        double x = 0, is = 0;
        bool number = fixture_number(c, &x);
        if (!strcmp(c->key, "site"))
            is = o->site;
        else if (!strcmp(c->key, "id"))
            is = o->id;
        else if (!strcmp(c->key, "since"))
            is = o->since;
        else if (!strcmp(c->key, "score"))
            is = o->score;
        else if (!strcmp(c->key, "key") || !strcmp(c->key, "act")) {
            if (strcmp(c->text, c->key[0] == 'k' ? o->key : o->act)) return false;
            continue;
        } else if (!strcmp(c->key, "says")) {
            if (!strstr(o->zh, c->text)) return false;
            continue;
        } else {
            fail_msg("expect: %s:%d: unknown %s", f.file, c->line, c->key);
        }
        if (!number || x != is) return false;
    }
    return true;
}

static void case_run(const struct rule *u, const struct node *subject, const struct node *one, enum kind kind) {
    fixture_begin(&f, subject, one);
    struct got none = {0};
    OK(rule_run(f.db, u, 987654321, keep, &none, &err)); /* a mine that is not there has none */
    assert_int_equal(none.n, 0);
    for (int only = 0; only < 2; only++) { /* the province, and mine by mine: the same */
        struct got g = {0};
        const struct node *want = node_get(one, "expect");
        if (!only)
            OK(rule_run(f.db, u, 0, keep, &g, &err));
        else {
            double done[64];
            int n = 0;
            struct got all = g;
            OK(rule_run(f.db, u, 0, keep, &all, &err));
            for (int i = 0; i < all.n; i++) {
                bool again = !all.hit[i].site;
                for (int k = 0; k < n; k++) again |= done[k] == all.hit[i].site;
                if (!all.hit[i].site) g.hit[g.n++] = all.hit[i];
                if (again) continue;
                done[n++] = all.hit[i].site;
                OK(rule_run(f.db, u, (int64_t)all.hit[i].site, keep, &g, &err));
            }
        }
        int wanted = 0;
        for (const struct node *w = want ? want->child : NULL; w; w = w->next, wanted++) {
            bool found = false;
            for (int i = 0; i < g.n && !found; i++)
                if (!g.hit[i].used && g.hit[i].kind == kind && agrees(&g.hit[i], w)) found = g.hit[i].used = true;
            if (!found) WRONG("%s:%d: %s %s: not found; %d hits, the first: %s\n", f.file, w->line, u->id, one->key, g.n, g.n ? g.hit[0].zh : "none");
        }
        for (int i = 0; i < g.n; i++)
            if (!g.hit[i].used)
                WRONG("%s:%d: %s %s: not expected (%s): site %.0f id %.0f key %s: %s\n", f.file, one->line, u->id, one->key, KIND[g.hit[i].kind], g.hit[i].site,
                      g.hit[i].id, g.hit[i].key, g.hit[i].zh);
        if ((kind == OFF) != !wanted) WRONG("%s:%d: %s %s: %s\n", f.file, one->line, u->id, one->key, wanted ? "off expects nothing" : "expect is empty");
    }
    fixture_end(&f);
}

static void file_run(void *arg, const char *name) {
    bool subset = *(bool *)arg;
    fixture_read(&f, name);
    for (const struct node *s = f.root->child; s; s = s->next) {
        int at = -1;
        for (int i = 0; i < f.p->rules; i++)
            if (!strcmp(f.p->rule[i]->id, s->key)) at = i;
        if (at < 0 || !f.p->rule[at]->hit.text) fail_msg("%s:%d: no rule %s", name, s->line, s->key);
        for (const struct node *one = s->child; one; one = one->next) {
            struct str kind = str_cut(str_of(one->key), ' ', &(struct str){0}); /* "on", "on vacant" … */
            int k = 0;
            while (k < KINDS && !str_is(kind, KIND[k])) k++;
            if (k == KINDS && strcmp(one->key, "base")) fail_msg("%s:%d: case %s: on, off, suppressed or missing", name, one->line, one->key);
            if (k == KINDS || (subset && k != ON)) continue;
            seen[at] |= 1u << k;
            case_run(f.p->rule[at], s, one, (enum kind)k);
        }
    }
}

static void rules(void **st) {
    (void)st;
    bool subset = false;
    fixture_open(&f, NULL);
    OK(rules_check(f.db, f.p, &err));
    fixture_files("rules", file_run, &subset);
    fixture_files("insights", file_run, &subset);
    for (int i = 0; i < f.p->rules; i++)
        for (int k = 0; k < (f.p->rule[i]->insight ? 2 : KINDS) && f.p->rule[i]->hit.text; k++)
            if (!(seen[i] >> k & 1)) {
                print_error("%s has no case %s\n", f.p->rule[i]->id, KIND[k]);
                bad++;
            }
    assert_int_equal(bad, 0);
    fixture_close(&f);
}

/* The other database reads the same SQL and finds the same. */
static void on_postgres(void **st) {
    (void)st;
    bool subset = true;
    fixture_open(&f, pg_fresh());
    fixture_files("rules", file_run, &subset);
    fixture_files("insights", file_run, &subset);
    assert_int_equal(bad, 0);
    fixture_close(&f);
}

int main(void) {
    const char *why;
    const struct CMUnitTest lite[] = {cmocka_unit_test(rules)}, pg[] = {cmocka_unit_test(on_postgres)};
    int failed = cmocka_run_group_tests(lite, NULL, NULL);
    if (failed) return failed;
    if (!pg_start(&why)) {
        printf("skipped on PostgreSQL: %s\n", why);
        return 0;
    }
    failed = cmocka_run_group_tests(pg, NULL, NULL);
    pg_stop();
    return failed;
}
