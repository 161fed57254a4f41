#include "inlet/drop.h"
#include "base/file.h"
#include "base/log.h"
#include "policy/policy.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define UPLOAD_MAX ((off_t)20 << 20)
#define RESCAN 30000
#define TURN 200        /* of one mine, ms; then the next */
#define LIST_MAX 200000 /* files of a folder looked at in a turn */

struct drop {
    struct engine *en;
    char dir[400];
    int watch, stop;
    pthread_t thread;
    zb_time truncated_wait;
};

static void refuse(const char *folder, const char *name, int dirfd, const char *reason) {
    char to[600], why[620];
    mkdirat(dirfd, "bad", 0755);
    snprintf(to, sizeof to, "bad/%.300s", name);
    snprintf(why, sizeof why, "%s.reason", to);
    if (renameat(dirfd, name, dirfd, to) != 0) log_event("event=drop_stuck folder=%s file=%s reason=\"%s\"", folder, name, strerror(errno));
    int fd = openat(dirfd, why, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd >= 0) {
        if (write(fd, reason, strlen(reason)) < 0 || write(fd, "\n", 1) < 0) log_event("event=drop_reason_unwritten file=%s", name);
        close(fd);
    }
    log_event("event=drop_refused folder=%s file=%s reason=\"%s\"", folder, name, reason);
}

/* How long until it is worth another look, INT64_MAX: not before something happens. */
static zb_time file_one(struct drop *d, const char *mine, int dirfd, const char *name) {
    char *bytes = NULL, reason[500];
    size_t n = 0;
    zb_time age = 0, again = INT64_MAX;
    int rc = file_take(dirfd, name, UPLOAD_MAX, zb_now(), &bytes, &n, &age);
    if (rc == 1) {
        snprintf(reason, sizeof reason, "the file is larger than %lld bytes: split it", (long long)UPLOAD_MAX);
        refuse(mine, name, dirfd, reason);
    } else if (rc == 0) {
        struct upload_result u;
        struct zb_err e;
        /* incomplete files are looked at again: refusing them at once would lose one that is still being written */
        bool whole = file_looks_whole(name, bytes, n);
        if (whole || age > d->truncated_wait) {
            int done = engine_submit(d->en, str_of(mine), STR("drop"), str_of(name), (struct str){bytes, n}, false, &u, &e);
            if (done == ZB_OK)
                unlinkat(dirfd, name, 0);
            else if (done == ZB_E_BUSY)
                again = u.wait * ZB_SECOND;
            else if (done != ZB_E_IO && !(u.truncated && age <= d->truncated_wait))
                refuse(mine, name, dirfd, e.msg);
        }
    }
    free(bytes);
    return again;
}

struct waiting {
    struct upload_order order;
    char name[200];
};
static int by_order(const void *a, const void *b) {
    const struct waiting *x = a, *y = b;
    int r = upload_order_cmp(&x->order, &y->order);
    return r ? r : strcmp(x->name, y->name);
}
static int visible(const struct dirent *x) { return x->d_name[0] != '.'; }
static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static bool stopped(const struct drop *d) {
    struct pollfd p = {d->stop, POLLIN, 0};
    return poll(&p, 1, 0) > 0;
}

static int folder_list(struct drop *d, const char *path, const char *mine, struct waiting **ret) {
    DIR *dir = opendir(path);
    int n = 0, cap = 0;
    *ret = NULL;
    if (!dir) return 0;
    struct policy *p = engine_policy(d->en);
    zb_time now = zb_now();
    for (struct dirent *f; (f = readdir(dir)) && n < LIST_MAX;) {
        if (!file_name_final(f->d_name)) continue;
        if (n == cap) *ret = xrealloc(*ret, (size_t)(cap = cap ? 2 * cap : 64) * sizeof **ret);
        struct waiting *w = &(*ret)[n++];
        str_copy(str_of(f->d_name), w->name, sizeof w->name);
        w->order = upload_order_of(p, str_of(mine), str_of(w->name), now);
    }
    closedir(dir);
    policy_unref(p);
    if (n) qsort(*ret, (size_t)n, sizeof **ret, by_order);
    return n;
}

/* A mine's turn: what is live, then its backlog, newest first, until its time is up or its quota is used. */
static zb_time mine_scan(struct drop *d, const char *mine) {
    char path[600];
    struct waiting *list;
    zb_time again = INT64_MAX, end = zb_now() + TURN;
    snprintf(path, sizeof path, "%s/%.100s", d->dir, mine);
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dirfd < 0) return again;
    if (inotify_add_watch(d->watch, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
        log_event("event=drop_unwatched folder=%s reason=\"%s\"", path, strerror(errno));
    int n = folder_list(d, path, mine, &list);
    for (int i = 0; i < n && again == INT64_MAX && !stopped(d); i++) again = zb_now() > end ? 0 : file_one(d, mine, dirfd, list[i].name);
    free(list);
    close(dirfd);
    return again;
}

static zb_time scan(struct drop *d) {
    struct dirent **list;
    zb_time again = RESCAN;
    int n = scandir(d->dir, &list, visible, by_name);
    for (int i = 0; i < n; i++) {
        zb_time one = mine_scan(d, list[i]->d_name);
        if (one < again) again = one;
        free(list[i]);
    }
    if (n >= 0) free(list);
    return again;
}

static void *drop_main(void *arg) {
    struct drop *d = arg;
    char events[8192];
    while (!stopped(d)) {
        zb_time again = scan(d);
        struct pollfd p[2] = {{d->watch, POLLIN, 0}, {d->stop, POLLIN, 0}};
        if (poll(p, 2, (int)again) > 0 && (p[0].revents & POLLIN)) /* which one does not matter: the folders are read anew */
            while (read(d->watch, events, sizeof events) > 0) {}
    }
    return NULL;
}

int drop_start(struct engine *en, const char *dir, struct drop **ret, struct zb_err *e) {
    struct drop *d = xcalloc(1, sizeof *d);
    d->en = en;
    str_copy(str_of(dir), d->dir, sizeof d->dir);
    struct policy *p = engine_policy(en);
    d->truncated_wait = p->silence.truncated_wait;
    policy_unref(p);
    d->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    d->stop = eventfd(0, EFD_CLOEXEC);
    bool ok = d->watch >= 0 && d->stop >= 0 && inotify_add_watch(d->watch, dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) >= 0;
    if (!ok || pthread_create(&d->thread, NULL, drop_main, d)) {
        zb_fail(e, ZB_E_IO, "cannot watch drop folder %s: %s", dir, strerror(errno));
        if (d->watch >= 0) close(d->watch);
        if (d->stop >= 0) close(d->stop);
        free(d);
        return ZB_E_IO;
    }
    *ret = d;
    return ZB_OK;
}

void drop_stop(struct drop *d) {
    if (!d) return;
    uint64_t one = 1;
    if (write(d->stop, &one, sizeof one) < 0) ZB_BUG("eventfd");
    pthread_join(d->thread, NULL);
    close(d->watch);
    close(d->stop);
    free(d);
}

static int file_put(int at, const char *tmp, const char *final, struct str bytes) {
    int fd = openat(at, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return -1;
    size_t n = 0;
    for (ssize_t k; n < bytes.n && (k = write(fd, bytes.p + n, bytes.n - n)) > 0;) n += (size_t)k;
    bool good = n == bytes.n && fdatasync(fd) == 0;
    close(fd);
    if (!good || renameat(at, tmp, at, final) != 0) return -1;
    return fsync(at);
}

int drop_put(const char *dir, struct str mine, struct str name, struct str bytes, struct zb_err *e) {
    char path[600], tmp[240], final[200];
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '/') return zb_fail(e, ZB_E_INPUT, "this is no name for a file");
    str_copy(name, final, sizeof final);
    if (name.n >= sizeof final || strlen(final) != name.n || !file_name_final(final)) return zb_fail(e, ZB_E_INPUT, "\"%.60s\" is no name for a file", final);
    snprintf(path, sizeof path, "%.400s/drop/" STR_FMT, dir, STR_ARG(mine));
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return zb_fail(e, ZB_E_IO, "cannot make folder %s: %s", path, strerror(errno));
    int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    snprintf(tmp, sizeof tmp, "%s.tmp", final);
    int rc = at < 0 || file_put(at, tmp, final, bytes) != 0 ? zb_fail(e, ZB_E_IO, "cannot write %s/%s: %s", path, final, strerror(errno)) : ZB_OK;
    if (at >= 0) close(at);
    return rc;
}
