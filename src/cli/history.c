/* zhiben history DIR FOLDER [--until DAY] [--rules FILE]: takes over a past told in files, such as simulate --years writes; FILE gets what the rules find on
 * the last day, one JSON object a line. */
#include "base/json.h"
#include "cli/cli.h"
#include "ledger/ledger.h"
#include "prove/rule.h"
#include <errno.h>
#include <stdio.h>

static int hit_write(void *arg, const struct rule_hit *h, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 1 << 20);
    json_init(&j, &b);
    json_obj(&j);
    const char *const K[][2] = {{"rule", h->rule->id}, {"area", h->area}, {"key", h->key}, {"zh", h->zh}, {"en", h->en}};
    for (int i = 0; i < 5; i++) {
        json_key(&j, K[i][0]);
        json_z(&j, K[i][1]);
    }
    json_key(&j, "site");
    json_i64(&j, h->site);
    json_key(&j, "unknown");
    json_bool(&j, h->unknown);
    json_key(&j, "excused");
    json_bool(&j, h->excused != NULL);
    json_end(&j);
    buf_puts(&b, "\n");
    return !b.over && fwrite(b.p, 1, b.n, arg) == b.n ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write what the rules find");
}

int cmd_history(struct cli *c) {
    struct past_result r;
    struct zb_err e;
    int32_t day;
    const char *until = cli_option(c, "until"), *rules = cli_option(c, "rules");
    zb_time end = zb_now(), began = end;
    if (c->n != 1 || (until && !zb_day_parse(str_of(until), &day))) return cli_usage("history DIR FOLDER [--until 2026-12-31] [--rules FILE]");
    if (until) end = (zb_time)(day + 1) * ZB_DAY - 8 * ZB_HOUR - 1; /* the end of that day in Beijing */
    FILE *f = rules ? fopen(rules, "we") : NULL;
    if (rules && !f) {
        (void)zb_fail(&e, ZB_E_IO, "cannot write %s: %s", rules, strerror(errno));
        return cli_failed(&e);
    }
    int rc = engine_past(c->dir, c->rest[0], end, stderr, f ? hit_write : NULL, f, &r, &e);
    if (f && fclose(f) != 0 && rc == ZB_OK) rc = zb_fail(&e, ZB_E_IO, "cannot write %s: %s", rules, strerror(errno));
    if (rc != ZB_OK) return cli_failed(&e);
    double s = (double)(zb_now() - began) / 1000.0;
    if (c->json)
        printf("{\"changes\":%lld,\"clock_steps\":%lld}\n", (long long)r.changes, (long long)r.clocks);
    else
        printf("%lld changes and %lld steps of clocks taken over in %.1f s\n", (long long)r.changes, (long long)r.clocks, s);
    return 0;
}
