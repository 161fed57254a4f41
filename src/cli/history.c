/* zhiben history DIR FOLDER [--until DAY]: takes over a past told in files, such as simulate --years writes. */
#include "cli/cli.h"
#include "ledger/ledger.h"
#include <stdio.h>

int cmd_history(struct cli *c) {
    struct past_result r;
    struct zb_err e;
    int32_t day;
    const char *until = cli_option(c, "until");
    zb_time end = zb_now(), began = end;
    if (c->n != 1 || (until && !zb_day_parse(str_of(until), &day))) return cli_usage("history DIR FOLDER [--until 2026-12-31]");
    if (until) end = (zb_time)(day + 1) * ZB_DAY - 8 * ZB_HOUR - 1; /* the end of that day in Beijing */
    if (engine_past(c->dir, c->rest[0], end, stderr, &r, &e) != ZB_OK) return cli_failed(&e);
    double s = (double)(zb_now() - began) / 1000.0;
    if (c->json)
        printf("{\"changes\":%lld,\"clock_steps\":%lld}\n", (long long)r.changes, (long long)r.clocks);
    else
        printf("%lld changes and %lld steps of clocks taken over in %.1f s\n", (long long)r.changes, (long long)r.clocks, s);
    return 0;
}
