/* zhiben edge CONFIG: the program at the mine. With `state`: what it is doing, from another terminal. */
#include "cli/cli.h"
#include "edge/edge.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int state(const struct edge_config *c) {
    char path[520], line[4096];
    snprintf(path, sizeof path, "%.400s/state.json", c->dir);
    FILE *f = fopen(path, "r");
    bool any = f && fgets(line, sizeof line, f);
    if (f) fclose(f);
    if (!any) return fprintf(stderr, "zhiben: %s is not there: the edge has not run yet\n", path), 1;
    fputs(line, stdout);
    return 0;
}

int cmd_edge(struct cli *c) {
    struct zb_err e;
    sigset_t set;
    if (c->n > 1 || (c->n && strcmp(c->rest[0], "state"))) return cli_usage("edge CONFIG [state]");
    if (c->n) {
        struct edge_config cfg;
        if (edge_config_load(c->dir, &cfg, &e) != ZB_OK) return cli_failed(&e);
        int rc = state(&cfg);
        edge_config_done(&cfg);
        return rc;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int stop = signalfd(-1, &set, SFD_CLOEXEC), rc = edge_run(c->dir, stop, &e);
    close(stop);
    return rc == ZB_OK ? 0 : cli_failed(&e);
}
