/* People underground: each test turned on and off. */
#include "../policy.h"
#include "detect/people.h"
#include <math.h>

static struct presence at_[400];
static int n;
static struct person_fact who[8];
static struct area_fact area[2];
static struct clues c;
static zb_time t0;
static void put(const char *card, const char *place, const char *reader, double from_min, double to_min, double x) {
    at_[n++] = (struct presence){str_of(card), str_of(place), str_of(reader), t0 + (zb_time)(from_min * 60000), t0 + (zb_time)(to_min * 60000), x, 0};
}
static struct people_in day(void) {
    return (struct people_in){.mine = STR("140214900001"),
                              .from = t0,
                              .to = t0 + ZB_DAY,
                              .at = at_,
                              .n = n,
                              .person = who,
                              .persons = 3,
                              .area = area,
                              .areas = 2,
                              .producing = true};
}
static int each(void **s) {
    (void)s;
    t0 = at("2026-03-01 00:00:00");
    n = c.n = 0;
    const char *const CARD[] = {"A", "B", "L"};
    for (int i = 0; i < 3; i++)
        who[i] = (struct person_fact){.card = str_of(CARD[i]),
                                      .employer = STR("某矿"),
                                      .known = true,
                                      .special = i == 0,
                                      .certified = true,
                                      .trained = true,
                                      .contracted = true,
                                      .leader = i == 2};
    area[0] = (struct area_fact){STR("F1"), STR("1101工作面"), 0, false, true};
    area[1] = (struct area_fact){STR("X"), STR("盲巷"), 0, true, false};
    return 0;
}
static int kind(const char *detector) {
    int k = 0;
    for (int i = 0; i < c.n; i++) k += !strcmp(c.c[i].detector, detector);
    return k;
}
static void an_orderly_day(void **s) {
    (void)s;
    put("A", "F1", "r1", 0, 480, NAN), put("B", "F1", "r1", 5, 485, NAN), put("L", "F1", "r1", 0, 490, NAN);
    struct people_in in = day();
    in.quota = 3;
    people_judge(&in, p, &c);
    assert_int_equal(c.n, 0);
}
static void too_many(void **s) {
    (void)s;
    put("A", "F1", "r1", 0, 480, NAN), put("B", "F1", "r1", 5, 485, NAN), put("L", "F1", "r1", 0, 490, NAN);
    struct people_in in = day();
    area[0].quota = 2;
    people_judge(&in, p, &c);
    assert_int_equal(kind("quota"), 1);
    assert_int_equal(c.c[0].grade, 3); /* 3 for 2 is beyond a fifth */
    assert_non_null(strstr(c.c[0].zh, "1101工作面最多3人"));
    who[1].exempt = true;
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("quota"), 0);
    who[1].exempt = false;
    at_[1].to = at_[1].from + 10 * ZB_MINUTE; /* ten minutes over */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("quota"), 0);
    at_[1].to = t0 + 60 * ZB_MINUTE, area[0].quota = 0, in.quota = 2; /* an hour over at handover, at most twice the limit */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("quota"), 0);
    at_[1].to = t0 + 480 * ZB_MINUTE;
    people_judge(&in, p, &c);
    assert_int_equal(kind("quota"), 1);
}
static void too_long_and_never_out(void **s) {
    (void)s;
    put("A", "F1", "r1", 0, 300, NAN), put("A", "F1", "r2", 301, 700, NAN), put("L", "F1", "r1", 0, 710, NAN);
    struct people_in in = day();
    people_judge(&in, p, &c);
    assert_int_equal(kind("overtime"), 0);
    at_[1].to = t0 + 780 * ZB_MINUTE, at_[2].to = at_[1].to;
    people_judge(&in, p, &c);
    assert_int_equal(kind("overtime"), 2);
    assert_null(strstr(c.c[0].zh, "未见出井"));
    at_[1].to = t0 + ZB_DAY;
    c.n = 0;
    people_judge(&in, p, &c);
    assert_non_null(strstr(c.c[0].zh, "未见出井"));
}
static void forbidden_and_impossible(void **s) {
    (void)s;
    put("A", "F1", "r1", 0, 100, 0), put("A", "X", "r2", 110, 130, 900), put("L", "F1", "r1", 0, 200, 0);
    struct people_in in = day();
    people_judge(&in, p, &c);
    assert_int_equal(kind("restricted"), 1);
    assert_int_equal(kind("jump"), 0);
    at_[1].from = t0 + 100 * ZB_MINUTE + 5 * ZB_SECOND; /* r1 was the last that saw him: he may have walked since long */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("jump"), 0);
    at_[1].from = t0 + 5 * ZB_SECOND; /* 900 m in a minute since he came to r1 */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("jump"), 1);
    at_[1].x = NAN; /* a reader without coordinates says nothing */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("jump"), 0);
}
static void papers(void **s) {
    (void)s;
    put("A", "F1", "r1", 0, 100, NAN), put("B", "F1", "r1", 0, 100, NAN), put("L", "F1", "r1", 0, 100, NAN);
    struct people_in in = day();
    who[0].certified = false, who[1].contracted = false;
    people_judge(&in, p, &c);
    assert_int_equal(kind("certificate") + kind("contract"), 2);
    assert_string_equal(c.c[0].rule, "X01");
    assert_string_equal(c.c[1].rule, "R37");
    assert_null(strstr(c.c[0].zh, "姓名"));
    who[1].contracted = true, who[1].trained = false, who[0].certified = true;
    c.n = 0;
    people_judge(&in, p, &c);
    assert_string_equal(c.c[0].rule, "X15");
    who[1].trained = true;
    put("Z", "F1", "r1", 0, 100, NAN);
    in = day();
    c.n = 0;
    people_judge(&in, p, &c);
    assert_string_equal(c.c[0].rule, "R22");
    in.persons = 0; /* no file of persons at all: nothing is said */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(c.n, 0);
}
static void nobody_leads(void **s) {
    (void)s;
    put("A", "F1", "r1", 0, 480, NAN), put("L", "F1", "r1", 0, 430, NAN);
    struct people_in in = day();
    people_judge(&in, p, &c);
    assert_int_equal(kind("leader"), 0);
    at_[1].to = t0 + 300 * ZB_MINUTE;
    people_judge(&in, p, &c);
    assert_int_equal(kind("leader"), 1);
    assert_int_equal(c.c[0].from, t0 + 300 * ZB_MINUTE);
    in.producing = false;
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("leader"), 0);
}
static void two_cards_one_man(void **s) {
    (void)s;
    for (int i = 0; i < 30; i++) put("A", "F1", i % 2 ? "r1" : "r2", i * 10, i * 10 + 9, NAN);
    for (int i = 0; i < 30; i++) put("B", "F1", i % 2 ? "r1" : "r2", i * 10 + 0.02, i * 10 + 9, NAN);
    put("L", "F1", "r1", 0, 320, NAN);
    struct people_in in = day();
    people_judge(&in, p, &c);
    assert_int_equal(kind("pair"), 1);
    assert_string_equal(c.c[kind("quota")].subject, "A+B");
    for (int i = 30; i < 45; i++) at_[i].from += 20 * ZB_SECOND; /* half of them apart */
    c.n = 0;
    people_judge(&in, p, &c);
    assert_int_equal(kind("pair"), 0);
}
static void counts_from_elsewhere(void **s) {
    (void)s;
    double cards[] = {200, 201, 199}, lamps[] = {201, 203, 199}, meals[] = {NAN, NAN, NAN};
    struct head_count h[] = {{"定位卡", "cards", cards}, {"矿灯", "lamps", lamps}, {"班中餐", "meals", meals}};
    counts_find(STR("1"), h, 3, 3, t0, p, &c);
    assert_int_equal(c.n, 0);
    lamps[2] = 240;
    counts_find(STR("1"), h, 3, 3, t0, p, &c);
    assert_int_equal(c.n, 0); /* one shift */
    lamps[1] = 235;
    counts_find(STR("1"), h, 3, 3, t0, p, &c);
    assert_int_equal(c.n, 1);
}
static int last(void **s) {
    clues_done(&c);
    return policy_down(s);
}
int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test_setup(an_orderly_day, each),
                                   cmocka_unit_test_setup(too_many, each),
                                   cmocka_unit_test_setup(too_long_and_never_out, each),
                                   cmocka_unit_test_setup(forbidden_and_impossible, each),
                                   cmocka_unit_test_setup(papers, each),
                                   cmocka_unit_test_setup(nobody_leads, each),
                                   cmocka_unit_test_setup(two_cards_one_man, each),
                                   cmocka_unit_test_setup(counts_from_elsewhere, each)};
    return cmocka_run_group_tests(t, policy_up, last);
}
