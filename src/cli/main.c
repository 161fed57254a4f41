#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/coverage.h"
#include "sim/sim.h"

static const char HELP[] = "zhiben 治本 — keeps a province's miners alive\n\n"
                           "  zhiben init DIR [--policy P] [--db URL]       make a data directory\n"
                           "  zhiben serve DIR [--listen ADDR:PORT] [--mqtt mqtt://USER@HOST:PORT]  run everything in one process\n"
                           "  zhiben edge CONFIG [state]                    at the mine: folders and meters, stored and sent on until acknowledged\n"
                           "  zhiben import DIR FILE|FOLDER...              through the same door as any upload\n"
                           "  zhiben query DIR POINT [--from T] [--to T]    samples of a point\n"
                           "  zhiben rebuild DIR                            judge the whole fact log anew and compare\n"
                           "  zhiben replay DIR --policy P [--from T]       what another policy would have found; nothing is changed\n"
                           "  zhiben night DIR [--from DAY] [--day DAY]     judge the sensors, people and standstills of a day, or of days in order, now\n"
                           "  zhiben pack DIR                               pack closed segments of the evidence now\n"
                           "  zhiben backup DIR FILE | restore DIR FILE     one archive of everything, while serving\n"
                           "  zhiben check POLICY [--coverage]              validate a policy; what holds each requirement of its plan\n"
                           "  zhiben simulate OUT [--mines N] [--hours H | --years Y] [--faults LIST] [--seed S]\n"
                           "  zhiben history DIR FOLDER [--until DAY]       take over a past of ledgers told in files\n"
                           "  zhiben paper pdf|docx|xlsx                    a document tree (JSON) on stdin to a file on stdout\n"
                           "  zhiben help                                   this text, and the operations below\n\n"
                           "--json prints one object a line; --as USER names who acts (password asked, or in ZHIBEN_PASSWORD).\n"
                           "Operations on DIR, served or not:\n";

const char *cli_option(const struct cli *c, const char *name) {
    for (int i = 0; i < c->options; i++)
        if (!strcmp(c->option[i][0], name)) return c->option[i][1];
    return NULL;
}

int cli_failed(const struct zb_err *e) {
    fprintf(stderr, "zhiben: %s\n", e->msg);
    return 1;
}

int cli_usage(const char *why) {
    fprintf(stderr, "zhiben: usage: zhiben %s\n", why);
    return 2;
}

static int help(void) {
    fputs(HELP, stdout);
    for (int i = 0; i < OPS_N; i++) {
        if (!strcmp(OPS[i].name, "login") || !strcmp(OPS[i].name, "logout") || !strcmp(OPS[i].name, "events") || !strcmp(OPS[i].name, "upload")) continue;
        char name[40], usage[300] = "";
        str_copy(str_of(OPS[i].name), name, sizeof name);
        char *dot = strchr(name, '.');
        if (dot) *dot = ' ';
        snprintf(usage, sizeof usage, "%.*s DIR%s%s", dot ? (int)(dot - name) : (int)strlen(name), name, dot ? " " : "", dot ? dot + 1 : "");
        for (int k = 0; k < OP_ARGS_MAX && OPS[i].arg[k].name; k++) {
            const struct op_arg *a = &OPS[i].arg[k];
            size_t at = strlen(usage);
            snprintf(usage + at, sizeof usage - at, a->positional ? (a->required ? " %s" : " [%s]") : (a->required ? " --%s X" : " [--%s X]"), a->name);
        }
        printf("  zhiben %-52s %s\n", usage, OPS[i].doc);
    }
    return 0;
}

static int cmd_init(struct cli *c) {
    struct zb_err e;
    const char *p = cli_option(c, "policy");
    if (engine_init(c->dir, p ? p : "policies/shanxi", cli_option(c, "db"), &e) != ZB_OK) return cli_failed(&e);
    printf("%s is ready: zhiben user %s add NAME --role officer, then zhiben serve %s\n", c->dir, c->dir, c->dir);
    return 0;
}

static int cmd_backup(struct cli *c) {
    struct zb_err e;
    int n;
    bool back = !strcmp(c->command, "restore");
    if (c->n != 1) return cli_usage(back ? "restore DIR FILE" : "backup DIR FILE");
    if ((back ? engine_restore(c->dir, c->rest[0], &n, &e) : engine_backup(c->dir, c->rest[0], &n, &e)) != ZB_OK) return cli_failed(&e);
    printf(c->json ? "{\"files\":%d}\n" : "%d files\n", n);
    return 0;
}

/* Fails when there is a hole. */
static int coverage(const struct cli *c, const struct policy *p) {
    struct zb_err e;
    int holes = 0;
    char beside[700];
    const char *fixtures = cli_option(c, "fixtures");
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, (size_t)8 << 20);
    snprintf(beside, sizeof beside, "%s/../../tests/fixtures", c->dir); /* a policy in a source tree */
    if (coverage_write(p, fixtures ? fixtures : beside, c->json, &b, &holes, &e) != ZB_OK) return cli_failed(&e);
    fwrite(b.p, 1, b.n, stdout);
    return holes ? 1 : 0;
}

static int cmd_check(struct cli *c) {
    struct policy *p;
    struct zb_err e;
    if (policy_load(c->dir, &p, &e) != ZB_OK) return cli_failed(&e);
    if (engine_policy_check(p, &e) != ZB_OK) {
        policy_unref(p);
        return cli_failed(&e);
    }
    int rc = 0;
    if (c->coverage)
        rc = coverage(c, p);
    else if (c->json)
        printf("{\"policy\":\"%s\",\"hash\":\"%s\",\"formats\":%d,\"limits\":%d,\"regions\":%d}\n", p->name, p->hash, p->formats, p->limits, p->regions);
    else
        printf("%s: good; %d formats, %d limits (%d tables still to be loaded), %d regions, %d causes, %d roles, %d ledgers; hash %s\n", c->dir, p->formats,
               p->limits, p->limits_pending, p->regions, p->causes, p->roles, p->ledgers, p->hash);
    policy_unref(p);
    return rc;
}

static void whatif_print(void *arg, const struct whatif *w) {
    const struct cli *c = arg;
    char t[ZB_TIME_CAP], u[ZB_TIME_CAP], peak[ZB_FIX_CAP], limit[ZB_FIX_CAP];
    if (c->json) {
        ZB_AUTO(buf_done) struct buf b;
        struct json j;
        buf_init(&b, 4096);
        json_init(&j, &b);
        json_obj(&j);
        json_key(&j, "change"), json_z(&j, w->change);
        json_key(&j, "mine"), json_z(&j, w->mine);
        json_key(&j, "point"), json_z(&j, w->point);
        json_key(&j, "kind"), json_z(&j, ALARM_KIND_KEY[w->kind]);
        json_key(&j, "level"), json_z(&j, ALARM_LEVEL_KEY[w->level]);
        json_key(&j, "raised"), json_time(&j, w->raised);
        json_key(&j, "cleared"), json_time(&j, w->cleared);
        json_key(&j, "peak"), json_fix(&j, w->peak);
        json_key(&j, "limit"), json_fix(&j, w->limit);
        json_key(&j, "was_level"), json_z(&j, w->was_level == LEVEL_NONE ? NULL : ALARM_LEVEL_KEY[w->was_level]);
        json_key(&j, "was_limit"), json_fix(&j, w->was_limit);
        json_end(&j);
        puts(b.p);
        return;
    }
    printf("%-7s %s  %s %s  %s %s  %s – %s", w->change, w->mine, w->point, ALARM_KIND_ZH[w->kind], ALARM_LEVEL_ZH[w->level], zb_fix_text(w->peak, peak),
           zb_time_text(w->raised, t), w->cleared == ZB_TIME_NONE ? "…" : zb_time_text(w->cleared, u));
    if (w->limit != ZB_FIX_NONE) printf("  限值 %s", zb_fix_text(w->limit, limit));
    if (w->was_level != LEVEL_NONE) printf("  (原 %s)", ALARM_LEVEL_ZH[w->was_level]);
    putchar('\n');
}

static int cmd_replay(struct cli *c) {
    struct zb_err e;
    struct whatif_result r;
    zb_time from = 0;
    const char *p = cli_option(c, "policy"), *at = cli_option(c, "from");
    if (!p) return fputs("zhiben replay DIR --policy P [--from T]: the policy to judge by is missing\n", stderr), 2;
    if (at && !zb_time_parse(str_of(at), &from)) return fprintf(stderr, "zhiben: --from %s: a time such as 2026-03-01 00:00:00 is expected\n", at), 2;
    if (engine_whatif(c->dir, p, from, isatty(2) ? stderr : NULL, whatif_print, c, &r, &e) != ZB_OK) return cli_failed(&e);
    if (!c->json)
        printf("%llu inputs judged by %s: %lld alarms more, %lld fewer, %lld otherwise\n", (unsigned long long)r.inputs, p, (long long)r.fresh,
               (long long)r.gone, (long long)r.changed);
    return 0;
}

static int cmd_rebuild(struct cli *c) {
    struct zb_err e;
    struct rebuild_result r;
    if (engine_rebuild(c->dir, stderr, &r, &e) != ZB_OK) return cli_failed(&e);
    if (c->json)
        printf("{\"inputs\":%llu,\"alarms\":%lld,\"differ\":%lld}\n", (unsigned long long)r.inputs, (long long)r.alarms, (long long)r.differ);
    else
        printf("%llu inputs judged anew: %lld alarms, %lld differ from what was stored\n", (unsigned long long)r.inputs, (long long)r.alarms,
               (long long)r.differ);
    if (r.first[0]) fprintf(stderr, "zhiben: %s\n", r.first);
    return r.differ ? 1 : 0;
}

/* One day, or each from one to another in order: a day is judged against those before it. */
static int cmd_night(struct cli *c) {
    struct zb_err e;
    struct engine *en;
    struct night_result r;
    int32_t day = zb_day_of(zb_now()) - 1, from;
    const char *d = cli_option(c, "day"), *f = cli_option(c, "from");
    if ((d && !zb_day_parse(str_of(d), &day)) || (f && !zb_day_parse(str_of(f), &from)) || (f && (from > day || day - from > 400)))
        return cli_usage("night DIR [--from 2026-03-01] [--day 2026-03-04]");
    if (!f) from = day;
    if (engine_open(c->dir, NULL, &en, &e) != ZB_OK) return cli_failed(&e);
    struct night_result sum = {0};
    int rc = ZB_OK;
    for (; from <= day && rc == ZB_OK; from++) {
        rc = engine_night(en, from, zb_now(), &r, &e);
        sum.mines = r.mines, sum.points += r.points, sum.stops += r.stops, sum.clues += r.clues, sum.fresh += r.fresh, sum.models += r.models;
    }
    engine_close(en);
    if (rc != ZB_OK) return cli_failed(&e);
    r = sum;
    printf(c->json ? "{\"mines\":%d,\"points\":%d,\"standstills\":%d,\"clues\":%d,\"new\":%d,\"models\":%d}\n"
                   : "%d mines, %d sensor-days, %d standstills judged: %d clues, %d of them new; %d models fitted\n",
           r.mines, r.points, r.stops, r.clues, r.fresh, r.models);
    return 0;
}

static int cmd_pack(struct cli *c) {
    struct zb_err e;
    struct engine *en;
    struct pack_result r;
    if (engine_open(c->dir, NULL, &en, &e) != ZB_OK) return cli_failed(&e);
    int rc = engine_pack(en, &r, &e);
    engine_close(en);
    if (rc != ZB_OK) return cli_failed(&e);
    printf(c->json ? "{\"segments\":%d,\"records\":%lld,\"before\":%lld,\"after\":%lld,\"failed\":%d}\n"
                   : "%d segments of evidence packed: %lld records, %lld bytes before, %lld after; %d kept as they are\n",
           r.segments, (long long)r.records, (long long)r.before, (long long)r.after, r.failed);
    if (r.failed) fprintf(stderr, "zhiben: %s\n", r.why);
    return r.failed ? 1 : 0;
}

static int cmd_simulate(struct cli *c) {
    struct policy *p;
    struct zb_err e;
    int64_t mines = 2, seed = 1, years = 0, every = 30;
    zb_fix hours = ZB_FIX_ONE;
    const char *m = cli_option(c, "mines"), *h = cli_option(c, "hours"), *s = cli_option(c, "seed"), *f = cli_option(c, "faults"),
               *pol = cli_option(c, "policy"), *from = cli_option(c, "start"), *y = cli_option(c, "years"), *ev = cli_option(c, "every");
    zb_time start = zb_now() / ZB_HOUR * ZB_HOUR - ZB_HOUR;
    if (y && !m) mines = 1000;
    if ((m && !num_i64(str_of(m), 1, 20000, &mines)) || (y && !num_i64(str_of(y), 1, 10, &years)) || (s && !num_i64(str_of(s), 0, INT64_MAX, &seed)) ||
        (ev && !num_i64(str_of(ev), 30, 3600, &every)) || (h && (!num_fix(str_of(h), &hours) || hours <= 0)) || (from && !zb_time_parse(str_of(from), &start)))
        return cli_usage("simulate OUT [--mines N] [--hours H | --years Y] [--faults LIST] [--seed S] [--live yes] [--whole yes] [--every SECONDS] [--start "
                         "\"2026-03-01 00:00:00\"] [--policy P]");
    if (policy_load(pol ? pol : "policies/shanxi", &p, &e) != ZB_OK) return cli_failed(&e);
    if (cli_option(c, "live")) start = zb_now() / (30 * ZB_SECOND) * (30 * ZB_SECOND);
    struct sim_config cfg = {.out = c->dir,
                             .mines = (int)mines,
                             .hours = zb_fix_double(hours),
                             .start = start,
                             .seed = (uint64_t)seed,
                             .faults = f ? f : "",
                             .live = cli_option(c, "live") != NULL,
                             .whole = cli_option(c, "whole") != NULL,
                             .every = (int)every};
    struct history_config past = {c->dir, (int)mines, (int)years, (uint64_t)seed};
    int rc = years ? sim_history(p, &past, stderr, &e) : sim_run(p, &cfg, stderr, &e);
    policy_unref(p);
    return rc == ZB_OK ? 0 : cli_failed(&e);
}

static int parse(int argc, char **argv, struct cli *c) {
    c->command = argv[1];
    c->rest = calloc((size_t)argc, sizeof *c->rest);
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            c->json = true;
        } else if (!strcmp(argv[i], "--coverage")) {
            c->coverage = true;
        } else if (!strncmp(argv[i], "--", 2)) {
            if (i + 1 == argc || c->options == 32) return cli_usage("an option needs its value: --name VALUE");
            c->option[c->options][0] = argv[i] + 2;
            c->option[c->options++][1] = argv[i + 1];
            i++;
        } else if (!c->dir) {
            c->dir = argv[i];
        } else {
            c->rest[c->n++] = argv[i];
        }
    }
    return 0;
}

/* "alarm DIR ack ID" and "ledger DIR NAME list": the verb stands after DIR, or after the name of what it is about. */
static const struct op *operation_of(const struct cli *c, int *taken) {
    char name[80];
    *taken = 1;
    if (!strcmp(c->command, "ledger") && c->n > 1) {
        snprintf(name, sizeof name, "ledger.%.30s", c->rest[1]);
        c->rest[1] = c->rest[0];
        return op_find(str_of(name));
    }
    snprintf(name, sizeof name, "%.30s.%.30s", c->command, c->n ? c->rest[0] : "");
    const struct op *op = c->n ? op_find(str_of(name)) : NULL;
    if (op) return op;
    *taken = 0;
    return op_find(str_of(c->command));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*fn)(struct cli *);
    } CMD[] = {{"init", cmd_init},       {"serve", cmd_serve},       {"import", cmd_import}, {"rebuild", cmd_rebuild}, {"replay", cmd_replay},
               {"check", cmd_check},     {"simulate", cmd_simulate}, {"backup", cmd_backup}, {"restore", cmd_backup},  {"paper", cmd_paper},
               {"history", cmd_history}, {"night", cmd_night},       {"pack", cmd_pack},     {"edge", cmd_edge}};
    struct cli c = {0};
    if (argc < 2 || !strcmp(argv[1], "help") || !strcmp(argv[1], "--help")) return help();
    if (!strcmp(argv[1], "--version")) return puts("zhiben " VERSION) < 0;
    int bad = parse(argc, argv, &c), taken;
    const struct op *op = operation_of(&c, &taken);
    int (*fn)(struct cli *) = NULL;
    for (size_t i = 0; i < sizeof CMD / sizeof *CMD; i++)
        if (!strcmp(c.command, CMD[i].name)) fn = CMD[i].fn;
    if (!bad && !fn && !op) {
        fprintf(stderr, "zhiben: no command %s; see zhiben help\n", c.command);
        bad = 2;
    }
    if (!bad && !c.dir) bad = cli_usage("COMMAND DIR ...; see zhiben help");
    int rc = bad ? bad : fn ? fn(&c) : cmd_operation(&c, op, taken);
    free(c.rest);
    return rc;
}
