/* Templates: what the loader refuses and where, and what a filled one says. One copy of the policy; each case replaces one template. */
#include "../test.h"
#include "paper/fill.h"

static char dir[64];
static const char HEAD[] = "letter: t\nzh: 试\nen: trial\nsource: test\npage: letter\nledger: inspection\nlinked: [{set: findings, ledger: finding, by: "
                           "inspection}]\ntitle: \"{record.subject_note}\"\n";

static int setup(void **st) {
    (void)st;
    char cmd[600];
    snprintf(dir, sizeof dir, "%s", scratch());
    snprintf(cmd, sizeof cmd, "cp -r %s/. %s/", getenv("POLICY"), dir);
    return system(cmd);
}
static int teardown(void **st) {
    (void)st;
    char cmd[600];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}
/* As letters/ztrial.yaml; load it. */
static int load(const char *head, const char *body, struct policy **p, struct zb_err *e) {
    FILE *f = fopen(join(dir, "letters/ztrial.yaml"), "w");
    assert_non_null(f);
    fputs(head, f);
    fputs(body, f);
    fclose(f);
    return policy_load(dir, p, e);
}

static void refusals(void **st) {
    (void)st;
    static const struct {
        const char *head, *body, *where, *why;
    } T[] = {
        {HEAD, "blocks: [{block: para, zh: \"a{record.nope}b\"}]\n", "ztrial.yaml:9:28", "unknown field {record.nope}; record has: no state site"},
        {HEAD, "blocks: [{block: para, zh: \"{nobody.name}\"}]\n", "ztrial.yaml:9:28", "unknown set \"nobody\"; this paper has: paper record"},
        {HEAD, "blocks: [{block: para, zh: \"{record}\"}]\n", "ztrial.yaml:9:28", "{set.column}"},
        {HEAD, "blocks: [{block: para, zh: \"{site.name}{plan.name}\"}]\n", "ztrial.yaml:9:28", "unknown set \"plan\""},
        {HEAD, "blocks: [{block: parra, zh: x}]\n", "ztrial.yaml:9:18", "\"parra\" is not one of para, heading, table"},
        {HEAD, "blocks: [{block: para, zh: x, size: 3}]\n", "ztrial.yaml:9:37", "unknown key size; allowed: block style lead zh"},
        {HEAD, "blocks: [{block: heading, level: 5, zh: x}]\n", "ztrial.yaml:9:34", "from 1 to 4"},
        {HEAD, "blocks: [{block: table, set: findings, columns: [{zh: x, of: nope}]}]\n", "ztrial.yaml:9:62", "{findings.nope}"},
        {HEAD, "blocks: [{block: table, set: findings, columns: []}]\n", "ztrial.yaml:9:49", "one at least"},
        {HEAD, "blocks: [{block: table, set: findings, same: category, columns: [{zh: x, of: text}]}]\n", "ztrial.yaml:9:46", "no repeat around"},
        {HEAD, "blocks: [{block: if, set: record, has: nope, blocks: []}]\n", "ztrial.yaml:9:40", "{record.nope}"},
        {HEAD, "blocks: [{block: grid, cols: [0], rows: []}]\n", "ztrial.yaml:9:31", "from 1 to 1000"},
        {"letter: t\nzh: a\nen: b\nsource: s\npage: nopage\nledger: measure\ntitle: x\n", "blocks: []\n", "ztrial.yaml:5:7", "not in pages.yaml"},
        {"letter: t\nzh: a\nen: b\nsource: s\npage: letter\nledger: nothing\ntitle: x\n", "blocks: []\n", "ztrial.yaml:6:9", "\"nothing\" is not there"},
        {"letter: t\nzh: a\nen: b\nsource: s\npage: letter\nledger: measure\nwhen: \"nope=1\"\ntitle: x\n", "blocks: []\n", "ztrial.yaml:7:7", "field=value"},
        {"letter: t\nzh: a\nen: b\nsource: s\npage: letter\ntitle: x\n", "blocks: []\n", "ztrial.yaml:1:1", "either ledger"},
        {"letter: t\nzh: a\nen: b\nsource: s\npage: letter\nledger: measure\nlinked: [{set: f, ledger: finding, by: text}]\ntitle: x\n", "blocks: []\n",
         "ztrial.yaml:7:40", "does not refer to measure"},
        {"letter: urging\nzh: a\nen: b\nsource: s\npage: letter\nledger: measure\ntitle: x\n", "blocks: []\n", "ztrial.yaml:1:1", "in another file too"},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct policy *p = NULL;
        struct zb_err e = {0};
        if (load(T[i].head, T[i].body, &p, &e) != ZB_E_INPUT) fail_msg("case %zu was taken", i);
        if (!strstr(e.msg, T[i].where) || !strstr(e.msg, T[i].why)) fail_msg("case %zu: %s", i, e.msg);
    }
}

static const char BODY[] = "blocks:\n"
                           "  - {block: heading, level: 1, zh: \"事项{record.subject_note}\"}\n"
                           "  - {block: para, lead: \"依据。\", zh: \"依据{record.ground}，计划{record.plan_on}。\"}\n"
                           "  - block: if\n    set: findings\n    blocks: [{block: para, zh: 有问题}]\n    else: [{block: para, zh: 无问题}]\n"
                           "  - block: if\n    set: record\n    has: ground\n    blocks: [{block: para, zh: 有依据}]\n    else: [{block: para, zh: 无依据}]\n"
                           "  - block: table\n    set: findings\n    zh: 清单\n    empty: 没有清单\n    columns: [{zh: 甲, of: text, group: 组}, {zh: 乙, of: "
                           "place, group: 组}, {zh: 丙, of: state}]\n"
                           "  - block: repeat\n    set: findings\n    blocks:\n      - {block: para, zh: \"第{findings.no}号：{findings.text}\"}\n"
                           "      - {block: table, set: findings, same: place, columns: [{zh: 同地, of: text}]}\n"
                           "  - {block: grid, cols: [1, 2], rows: [{high: 10, cells: [{zh: 单位, label: true}, {zh: \"{record.organ}\"}]}]}\n";

static struct buf json_of(const struct paper *p) {
    struct buf b;
    struct json j;
    buf_init(&b, 1 << 22);
    json_init(&j, &b);
    paper_json(p, &j);
    return b;
}
static void says(const struct buf *b, const char *what, bool yes) {
    if ((strstr(b->p, what) != NULL) != yes) fail_msg("%s: %s\n%s", yes ? "missing" : "there", what, b->p);
}

static void filled(void **st) {
    (void)st;
    struct policy *p;
    OK(load(HEAD, BODY, &p, &err));
    const struct letter_rule *l = letter_find(p, STR("t"));
    assert_non_null(l);
    for (int with = 0; with < 2; with++) {
        struct sheaf *s = sheaf_new();
        struct paper *tree;
        sheaf_set(s, "record", "no state subject_note ground plan_on organ");
        sheaf_z(s, "JC-1");
        sheaf_z(s, "计划");
        sheaf_z(s, "通风{record.no}"); /* a value is no template */
        sheaf_z(s, with ? "线索" : "");
        sheaf_z(s, "");
        sheaf_blank(s, "　　年　　月　　日");
        sheaf_z(s, "某局");
        sheaf_set(s, "findings", "no state text place");
        static const char *const F[] = {"1", "已发现", "风门", "东", "2", "已发现", "风量", "西", "3", "已发现", "风筒", "东"};
        for (int i = 0; with && i < 12; i++) sheaf_z(s, F[i]);
        OK(paper_fill(l, s, 20000, &tree, &err));
        struct buf b = json_of(tree);
        says(&b, "事项通风{record.no}", true);
        says(&b, "\"title\":\"通风{record.no}\"", true);
        says(&b, with ? "有问题" : "无问题", true);
        says(&b, with ? "无问题" : "有问题", false);
        says(&b, with ? "依据线索，计划　　年　　月　　日。" : "依据＿＿＿＿，计划　　年　　月　　日。", true);
        says(&b, with ? "有依据" : "无依据", true);
        says(&b, "没有清单", !with);
        says(&b, "第2号：风量", with);
        says(&b, "{\"t\":\"组\",\"c\":2,\"l\":1},{\"t\":\"丙\",\"r\":2,\"l\":1}", with);
        says(&b, "\"rows\":[{\"cells\":[{\"t\":\"同地\",\"l\":1}]},{\"cells\":[{\"t\":\"风门\"}]},{\"cells\":[{\"t\":\"风筒\"}]}]", with);
        says(&b, "某局", true);
        buf_done(&b);
        paper_free(tree);
        sheaf_free(s);
    }
    policy_unref(p);
}

static void dates_and_numbers(void **st) {
    (void)st;
    struct sheaf *s = sheaf_new();
    struct policy *p;
    struct paper *tree;
    OK(load(HEAD, "blocks: [{block: para, zh: \"{record.no}|{record.state}|{record.organ}|{record.ground}\"}]\n", &p, &err));
    int32_t day;
    assert_true(zb_day_parse(STR("2026-03-01"), &day));
    sheaf_set(s, "record", "no state organ ground subject_note");
    sheaf_date(s, day, true);
    sheaf_date(s, day, false);
    sheaf_fix(s, fx("-12.5"));
    sheaf_fix(s, ZB_FIX_NONE);
    sheaf_date(s, INT32_MIN, true);
    OK(paper_fill(letter_find(p, STR("t")), s, day, &tree, &err));
    struct buf b = json_of(tree);
    says(&b, "2026年3月1日|2026-03-01|-12.5|＿＿＿＿", true);
    buf_done(&b);
    paper_free(tree);
    sheaf_free(s);
    policy_unref(p);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(refusals), cmocka_unit_test(filled), cmocka_unit_test(dates_and_numbers)};
    return cmocka_run_group_tests(t, setup, teardown);
}
