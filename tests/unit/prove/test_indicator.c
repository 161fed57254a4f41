/* Every indicator of the policy on its fixtures, readings beside the default and means of others too, on both databases: what is met, what is missed, what is
 * not known. Cases: green, red, no_data (a second word tells cases apart), each with `expect`: value, a, b, n, missing, of the whole province, and `light`
 * where it is not the case's name; `before`: the figure a year earlier. no_data: no case or nothing known. */
#include "../pg.h"
#include "fixture.h"
#include "prove/inside.h"
#include <math.h>

static struct fixture f;
enum { GREEN, RED, NO_DATA, KINDS };
static const char *const KIND[] = {"green", "red", "no_data"};
static unsigned *seen;

static void number_is(const struct node *want, const char *key, double got, const char *where) {
    double v;
    const struct node *n = want ? node_get(want, key) : NULL;
    if (n && !fixture_number(n, &v)) fail_msg("%s: %s is no number", where, key);
    if (n && fabs(v - got) > 0.005) fail_msg("%s: %s is %g, not %s", where, key, got, n->text);
}

static bool fits(int kind, const struct indicator *x, enum light l) {
    if (kind == GREEN) return l == LIGHT_GREEN || (l == LIGHT_SHOWN && (x->aim == AIM_NONE));
    if (kind == RED) return l == LIGHT_RED || (l == LIGHT_AMBER && (x->strive || x->proxy)) || (l == LIGHT_SHOWN && x->aim == AIM_NONE);
    return l == LIGHT_NO_DATA || l == LIGHT_NO_CASE;
}

/* The province's sums; `in` gets the value. The mean of other indicators: of theirs, asked in the same rows. */
static int province_ask(const struct indicator *x, struct figure *sum, struct light_in *in) {
    struct figure_row *row;
    int n, parts_n[40];
    struct area_figure *part[40], *out;
    if (x->kind != IK_MEAN_OF) {
        if (figure_rows(f.db, x, NULL, &row, &n, &err) != ZB_OK) return err.rc;
        for (int i = 0; i < n; i++) figure_add(sum, &row[i].f);
        free(row);
        in->has = figure_value(x, sum, &in->value);
        return ZB_OK;
    }
    for (int k = 0; k < x->parts_n; k++) {
        if (figure_rows(f.db, &f.p->indicator[x->part[k]], NULL, &row, &n, &err) != ZB_OK) return err.rc;
        parts_n[k] = figure_areas(f.p, &f.p->indicator[x->part[k]], row, n, &part[k]);
        free(row);
    }
    n = figure_means(f.p, x, (const struct area_figure *const *)part, parts_n, &out);
    for (int i = 0; i < n; i++)
        if (!strcmp(out[i].area + 2, "0000")) {
            *sum = out[i].f;
            in->has = out[i].has;
            in->value = out[i].value;
        }
    for (int k = 0; k < x->parts_n; k++) free(part[k]);
    free(out);
    return ZB_OK;
}

static void case_run(const struct indicator *x, const struct node *subject, const struct node *one, int kind) {
    char where[200];
    struct figure sum = {0};
    struct light_in in = {0};
    struct light_out out;
    snprintf(where, sizeof where, "%s:%d: %s %s", f.file, one->line, x->id, one->key);
    const struct node *want = node_get(one, "expect"), *before = node_get(one, "before"), *light = want ? node_get(want, "light") : NULL;
    if (kind != NO_DATA && (!want || !node_get(want, "value"))) fail_msg("%s: expect: {value: …} is missing", where);
    fixture_begin(&f, subject, one);
    if (province_ask(x, &sum, &in) != ZB_OK) fail_msg("%s: %s", where, err.msg);
    const struct node *today = node_get(one, "today") ? node_get(one, "today") : node_get(node_get(subject, "base"), "today");
    assert_true(zb_day_parse(str_of(today->text), &in.today));
    in.has_before = before && fixture_number(before, &in.before);
    light_make(x, &f.p->light, &in, &out);
    if (light ? strcmp(light->text, LIGHT_KEY[out.light]) != 0 : !fits(kind, x, out.light))
        fail_msg("%s: the light is %s at %g (%s)", where, LIGHT_KEY[out.light], in.value, out.en);
    number_is(want, "value", in.value, where);
    number_is(want, "a", sum.a, where);
    number_is(want, "b", sum.b, where);
    number_is(want, "n", (double)sum.n, where);
    number_is(want, "missing", (double)sum.missing, where);
    fixture_end(&f);
}

static void file_run(void *arg, const char *name) {
    (void)arg;
    fixture_read(&f, name);
    for (const struct node *s = f.root->child; s; s = s->next) {
        int at = policy_indicator(f.p, str_of(s->key));
        if (at < 0) fail_msg("%s:%d: no indicator %s", name, s->line, s->key);
        for (const struct node *one = s->child; one; one = one->next) {
            struct str kind = str_cut(str_of(one->key), ' ', &(struct str){0});
            int k = 0;
            while (k < KINDS && !str_is(kind, KIND[k])) k++;
            if (k == KINDS && strcmp(one->key, "base")) fail_msg("%s:%d: case %s: green, red or no_data", name, one->line, one->key);
            if (k == KINDS) continue;
            case_run(&f.p->indicator[at], s, one, k);
            seen[at] |= 1u << k;
        }
    }
}

static void all_run(const char *url) {
    fixture_open(&f, url);
    seen = xcalloc((size_t)f.p->indicators + 1, sizeof *seen);
    fixture_files("indicators", file_run, NULL);
    int bad = 0;
    for (int i = 0; i < f.p->indicators; i++)
        for (int k = 0; k < KINDS; k++)
            if (!(seen[i] >> k & 1)) {
                print_error("%s has no case %s\n", f.p->indicator[i].id, KIND[k]);
                bad++;
            }
    assert_int_equal(bad, 0);
    free(seen);
    fixture_close(&f);
}
static void indicators(void **st) {
    (void)st;
    all_run(NULL);
}
static void on_postgres(void **st) {
    (void)st;
    all_run(pg_fresh());
}

int main(void) {
    const char *why;
    const struct CMUnitTest lite[] = {cmocka_unit_test(indicators)}, pg[] = {cmocka_unit_test(on_postgres)};
    int bad = cmocka_run_group_tests(lite, NULL, NULL);
    if (bad) return bad;
    if (!pg_start(&why)) {
        printf("skipped on PostgreSQL: %s\n", why);
        return 0;
    }
    bad = cmocka_run_group_tests(pg, NULL, NULL);
    pg_stop();
    return bad;
}
