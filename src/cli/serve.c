/* zhiben serve DIR: server, drop folders, the journal's daily checkpoint, in one process until a signal. */
#include "audit/audit.h"
#include "base/log.h"
#include "cli/cli.h"
#include "inlet/broker.h"
#include "inlet/drop.h"
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *web_dir(const struct cli *c, char out[PATH_MAX]) {
    const char *said = cli_option(c, "web");
    if (said) return said;
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n > 0) {
        exe[n] = 0;
        char *slash = strrchr(exe, '/');
        if (slash) *slash = 0;
        static const char *const NEAR[] = {"../web/dist", "../share/zhiben/web"};
        for (int i = 0; i < 2; i++)
            if ((size_t)snprintf(out, PATH_MAX, "%.3000s/%s", exe, NEAR[i]) < PATH_MAX && access(out, R_OK) == 0) return out;
    }
    return NULL;
}

static void checkpoint(struct engine *en, zb_time now) {
    struct zb_err e;
    struct db *w = engine_writer(en);
    if (audit_checkpoint(w, engine_dir(en), now, &e) != ZB_OK) log_event("event=checkpoint_failed reason=\"%s\"", e.msg);
    engine_writer_back(en);
}

int cmd_serve(struct cli *c) {
    struct engine *en;
    struct api *api;
    struct drop *drop = NULL;
    struct broker *broker = NULL;
    struct zb_err e;
    char path[PATH_MAX], folder[600];
    const char *listen = cli_option(c, "listen"), *mqtt = cli_option(c, "mqtt");
    sigset_t set;
    if (c->n) return cli_usage("serve DIR [--listen ADDRESS:PORT] [--web FOLDER] [--mqtt mqtt://USER@HOST:PORT]");
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread: they inherit it */
    if (api_start(&en, c->dir, listen ? listen : "127.0.0.1:8080", web_dir(c, path), &api, &e) != ZB_OK) return cli_failed(&e);
    snprintf(folder, sizeof folder, "%s/drop", c->dir);
    if (drop_start(en, folder, &drop, &e) != ZB_OK) log_event("event=no_drop_folders reason=\"%s\"", e.msg);
    if (mqtt && broker_start(en, mqtt, &broker, &e) != ZB_OK) {
        int rc = cli_failed(&e);
        drop_stop(drop);
        api_stop(api);
        engine_close(en);
        api_free(api);
        return rc;
    }
    printf("serving %s on port %d\n", c->dir, api_port(api));
    fflush(stdout);
    int32_t day = zb_day_of(zb_now());
    while (sigtimedwait(&set, NULL, &(struct timespec){1, 0}) < 0) {
        zb_time now = zb_now();
        if (zb_day_of(now) == day) continue;
        day = zb_day_of(now);
        checkpoint(en, now);
    }
    broker_stop(broker);
    drop_stop(drop);
    checkpoint(en, zb_now());
    api_stop(api);
    engine_close(en);
    api_free(api);
    return 0;
}
