/* A mine under the detectors: `F` are its facts, set by the file; made anew for each test. */
#pragma once
#include "../policy.h"
#include "detect/state.h"

static struct mine_state *m;
static struct alarm_diffs d;
static zb_time t0;
static struct mine_facts F;
static int up(void **s) {
    t0 = at("2026-03-01 08:00:00");
    return policy_up(s);
}
static int each(void **s) {
    (void)s;
    m = mine_new(&F);
    d = (struct alarm_diffs){0};
    return 0;
}
/* Every alarm says why in both languages; the law's source and a mine's own words are quoted as they are. */
static void both_languages(void) {
    for (int i = 0; i < d.n; i++) {
        const struct alarm *a = &d.a[i];
        if (!a->note[0] || !a->note_en[0]) fail_msg("%s %s: \"%s\" / \"%s\"", ALARM_KIND_KEY[a->kind], a->point, a->note, a->note_en);
        bool quotes = a->kind == ALARM_LAX_LIMIT || !strncmp(a->group, "report/", 7);
        for (const char *c = a->note_en; *c && !quotes; c++)
            if ((unsigned char)*c >= 0xe4 && (unsigned char)*c <= 0xe9) fail_msg("Chinese in the English note \"%s\"", a->note_en);
    }
}
static int each_end(void **s) {
    (void)s;
    both_languages();
    mine_free(m);
    alarm_diffs_done(&d);
    return 0;
}
