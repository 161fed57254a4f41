/* Criteria lists and tables of law: what they hold, which item is in force when and for what, and what a file may not say. */
#include "../policy.h"

static const struct code_list *list(const char *key) {
    for (int i = 0; i < p->lists; i++)
        if (!strcmp(p->list[i].key, key)) return &p->list[i];
    fail_msg("no list %s", key);
    return NULL;
}
static int32_t day(const char *text) {
    int32_t d;
    assert_true(zb_day_parse(str_of(text), &d));
    return d;
}

/* Items counted as the documents count them: COAL-2026-02.09.01 is part of the item 02.09. */
static void items_of_each_edition(void **s) {
    (void)s;
    static const struct {
        const char *edition;
        int items, first_level;
    } T[] = {{"coal_2020", 80, 80}, {"coal_2026", 141, 123}, {"nm_ug_2022", 32, 32},  {"nm_open_2022", 13, 13}, {"tailings_2022", 19, 19},
             {"nm_ug_2024", 4, 4},  {"nm_open_2024", 2, 2},  {"tailings_2024", 2, 2}, {"coal_2015", 0, 0},      {"nm_2017", 0, 0}};
    const struct code_list *l = list("major_hazard_criteria");
    assert_int_equal(l->editions, sizeof T / sizeof *T);
    for (size_t t = 0; t < sizeof T / sizeof *T; t++) {
        int n = 0, first = 0;
        char last[40] = "";
        bool there = false;
        for (int i = 0; i < l->editions; i++) {
            if (strcmp(l->edition[i].key, T[t].edition)) continue;
            there = true;
            assert_int_equal(l->edition[i].document[0] != 0, T[t].items == 0); /* what is empty says what must be got */
        }
        assert_true(there);
        for (int i = 0; i < l->items; i++) {
            const struct list_item *it = &l->item[i];
            if (strcmp(it->edition->key, T[t].edition)) continue;
            char head[40];
            str_copy(str_of(it->key), head, sizeof head);
            if (!strncmp(head, "COAL-", 5)) head[15] = 0; /* COAL-2026-02.09 */
            n++;
            if (strcmp(head, last)) first++;
            str_copy(str_of(head), last, sizeof last);
            assert_true(it->cite[0] && it->detect[0] && it->zh[0] && it->en[0]);
        }
        if (n != T[t].items || first != T[t].first_level) fail_msg("%s: %d items, %d of the first level", T[t].edition, n, first);
    }
}

static void in_force(void **s) {
    (void)s;
    const struct code_list *l = list("major_hazard_criteria");
    static const struct {
        const char *key, *day, *kind;
        bool good;
    } T[] = {{"COAL-2020-02.02", "2026-06-30", "coal_ug", true},   {"COAL-2020-02.02", "2026-07-01", "coal_ug", false},
             {"COAL-2026-02.01", "2026-07-01", "coal_ug", true},   {"COAL-2026-02.01", "2026-06-30", "coal_ug", false},
             {"COAL-2026-12.03", "2026-07-01", "coal_open", true}, {"COAL-2026-12.03", "2026-07-01", "coal_ug", false},
             {"NCM-UG-2022-30", "2022-09-01", "nm_ug", true},      {"NCM-UG-2022-30", "2022-08-31", "nm_ug", false},
             {"TSF-2024-02", "2024-04-23", "tailings", true},      {"TSF-2024-02", "2024-04-23", "nm_ug", false},
             {"COAL-2026-01.01", "2027-01-01", "", true},          {"nonsense", "2026-07-01", "", false}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++)
        if ((list_valid(l, str_of(T[i].key), day(T[i].day), str_of(T[i].kind)) != NULL) != T[i].good)
            fail_msg("%s on %s for %s", T[i].key, T[i].day, T[i].kind);
    assert_string_equal(list_find(l, STR("COAL-2026-02.01"))->root, "COAL-2020-02.02");
    assert_string_equal(list_find(l, STR("COAL-2026-17.18"))->root, "COAL-2026-17.18"); /* new in 2026 */
    assert_string_equal(list_find(l, STR("COAL-2026-08.05"))->sources, "POS RUN SEIS");
}

static void what_was_not_seen_is_empty(void **s) {
    (void)s;
    static const char *const LISTS[] = {"industry_stages", "checkup_details", "banned_equipment", "discretion_benchmark"}, *const TABLES[] = {"mineral_minimum",
                                                                                                                                              "warning_levels",
                                                                                                                                              "listing_days"};
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) assert_true(!list(LISTS[i])->items && list(LISTS[i])->edition[0].document[0]);
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        const struct code_table *t = NULL;
        for (int k = 0; k < p->tables; k++)
            if (!strcmp(p->table[k].key, TABLES[i])) t = &p->table[k];
        assert_non_null(t);
        assert_true(!t->rows && t->document[0]);
    }
}

/* C01 to C24 of the plan are each a list, a table or named in one. */
static void every_numbered_list(void **s) {
    (void)s;
    for (int c = 1; c <= 24; c++) {
        char id[8];
        bool there = c == 22; /* the ladder has a file of its own, ladder.yaml; C25 is duties.yaml */
        snprintf(id, sizeof id, "C%02d", c);
        for (int i = 0; i < p->lists; i++)
            for (int k = 0; k < p->list[i].editions; k++) there |= word_in(p->list[i].edition[k].id, str_of(id));
        for (int i = 0; i < p->tables; i++) there |= word_in(p->table[i].id, str_of(id));
        if (!there) fail_msg("%s is nowhere", id);
    }
}

static void refusals(void **s) {
    (void)s;
    static const char HEAD[] = "list: x\nzh: x\nen: x\nsource: x\n", THEAD[] = "table: x\nzh: x\nen: x\nsource: x\n";
    static const struct {
        const char *file, *head, *text, *where, *why;
    } T[] = {
        {"lists/zz.yaml", HEAD, "items: [{key: a, zh: a, en: a}, {key: a, zh: b, en: b}]\n", "zz.yaml:5:", "a is there twice"},
        {"lists/zz.yaml", HEAD, "items: [{key: a, zh: a, en: a, detect: E}]\n", "zz.yaml:5:", "detect: \"E\""},
        {"lists/zz.yaml", HEAD, "items: [{key: a, zh: a, en: a, after: b}]\n", "zz.yaml:5:", "after: \"b\""},
        {"lists/zz.yaml", HEAD, "items: [{key: a, zh: a, en: a, from: 2026-02-01, to: 2026-01-01}]\n", "zz.yaml:5:", "ends before"},
        {"lists/zz.yaml", HEAD, "status: to_be_loaded\nitems: []\n", "zz.yaml:1:1", "document"},
        {"lists/zz.yaml", HEAD, "status: soon\ndocument: x\nitems: []\n", "zz.yaml:5:9", "to_be_loaded"},
        {"lists/zz.yaml", HEAD, "status: to_be_loaded\ndocument: x\nitems: [{key: a, zh: a, en: a}]\n", "zz.yaml:7:8", "no items yet"},
        {"lists/zz.yaml", "list: named_sets\nzh: x\nen: x\nsource: x\n", "items: []\n", "zz.yaml:1:1", "is in another file too"},
        {"lists/zz.yaml", "list: major_hazard_criteria\nzh: x\nen: x\nsource: x\n", "edition: {key: coal_2026, zh: x, en: x}\nitems: []\n",
         "zz.yaml:5:", "edition coal_2026"},
        {"tables/zz.yaml", THEAD, "columns: [{key: a, zh: a, en: a, type: num}]\nrows: [[1], [1.0ppm]]\n", "zz.yaml:6:14", "1.0ppm"},
        {"tables/zz.yaml", THEAD, "columns: [{key: a, zh: a, en: a, type: num}]\nrows: [[1, 2]]\n", "zz.yaml:6:8", "a row of 1 values"},
        {"tables/zz.yaml", THEAD, "columns: [{key: a, zh: a, en: a, type: int}, {key: a, zh: a, en: a, type: int}]\nrows: [[1, 2]]\n",
         "zz.yaml:5:", "column a is there twice"},
        {"tables/zz.yaml", THEAD, "columns: [{key: a, zh: a, en: a, type: int}]\nrows: []\n", "zz.yaml:6:7", "rows, or it is to be loaded"},
        {"tables/zz.yaml", THEAD, "columns: [{key: \"a;b\", zh: a, en: a, type: int}]\nrows: [[1]]\n", "zz.yaml:5:", "column \"a;b\""},
    };
    char cmd[600], *dir = scratch();
    snprintf(cmd, sizeof cmd, "cp -r %s/. %s/", getenv("POLICY"), dir);
    assert_int_equal(system(cmd), 0);
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        FILE *f = fopen(join(dir, T[i].file), "w");
        fprintf(f, "%s%s", T[i].head, T[i].text);
        fclose(f);
        struct policy *q;
        struct zb_err e = {0};
        assert_int_equal(policy_load(dir, &q, &e), ZB_E_INPUT);
        if (!strstr(e.msg, T[i].where) || !strstr(e.msg, T[i].why)) fail_msg("case %zu: %s", i, e.msg);
        remove(join(dir, T[i].file));
    }
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(items_of_each_edition), cmocka_unit_test(in_force), cmocka_unit_test(what_was_not_seen_is_empty),
                                   cmocka_unit_test(every_numbered_list), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(t, policy_up, policy_down);
}
