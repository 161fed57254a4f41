/* How good the detectors are on a folder of public data. usage: bench_accuracy POLICY NAME [--train DIR] --data DIR; one line of JSON. */
#include "accuracy/accuracy.h"
#include <stdio.h>

static const struct accuracy_set SETS[] = {{"methane-mm116", run_methane}, {"methane-mm116", run_methane_faults}, {"industrial-power", run_power},
                                           {"nab-sensor-faults", run_nab}, {"seismic-bumps", run_bumps},          {"slope-century-mine", run_slope},
                                           {"tailings-pond", run_pond}};
enum { SETS_N = sizeof SETS / sizeof *SETS };

static int usage(void) {
    fprintf(stderr, "usage: bench accuracy NAME [--train DIR] --data DIR\nNAME:");
    for (int i = 0; i < SETS_N; i++) fprintf(stderr, " %s", SETS[i].name);
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv) {
    struct accuracy a = {.policy = argc > 1 ? argv[1] : NULL};
    const struct accuracy_set *set = NULL;
    for (int i = 0; argc > 2 && i < SETS_N; i++)
        if (!strcmp(SETS[i].name, argv[2])) set = &SETS[i];
    for (int i = 3; i < argc; i += 2)
        if (i + 1 < argc && !strcmp(argv[i], "--train"))
            a.train = argv[i + 1];
        else if (i + 1 < argc && !strcmp(argv[i], "--data"))
            a.data = argv[i + 1];
        else
            return usage();
    if (!set || !a.data) return usage();
    struct zb_err e = {0};
    ZB_AUTO(buf_done) struct buf b;
    struct json out;
    buf_init(&b, (size_t)1 << 24);
    json_init(&out, &b);
    json_obj(&out);
    json_key(&out, "set");
    json_z(&out, set->name);
    for (int i = 0; i < SETS_N; i++) /* a folder may be judged in several ways */
        if (!strcmp(SETS[i].name, set->name) && SETS[i].run(&a, &out, &e) != ZB_OK) {
            fprintf(stderr, "bench accuracy %s: %s\n", set->name, e.msg);
            return 1;
        }
    json_end(&out);
    printf("%s\n", b.p);
    return 0;
}
