/* The writer in a process of its own: `EXE paper FORMAT`, tree on stdin, file on stdout, one line of JSON on stderr. */
#include "paper/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MAX (60 * ZB_SECOND)
#define AT_ONCE 2
extern char **environ;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int running;

struct pipes {
    int in[2], out[2], err[2]; /* [0] read, [1] write */
};

static void shut(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static bool pipes_open(struct pipes *p) {
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    return pipe2(p->in, O_CLOEXEC) == 0 && pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0;
}
static void pipes_close(struct pipes *p) {
    int *all[] = {&p->in[0], &p->in[1], &p->out[0], &p->out[1], &p->err[0], &p->err[1]};
    for (int i = 0; i < 6; i++) shut(all[i]);
}

static int start(const char *exe, enum paper_format f, struct pipes *p, pid_t *pid) {
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t none, reset;
    char *argv[] = {(char *)exe, "paper", (char *)PAPER_FORMAT_KEY[f], NULL};
    sigemptyset(&none);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&at);
    posix_spawn_file_actions_adddup2(&fa, p->in[0], 0);
    posix_spawn_file_actions_adddup2(&fa, p->out[1], 1);
    posix_spawn_file_actions_adddup2(&fa, p->err[1], 2);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&at, &none);
    posix_spawnattr_setsigdefault(&at, &reset);
    int rc = posix_spawn(pid, exe, &fa, &at, argv, environ);
    posix_spawnattr_destroy(&at);
    posix_spawn_file_actions_destroy(&fa);
    shut(&p->in[0]);
    shut(&p->out[1]);
    shut(&p->err[1]);
    return rc;
}

/* One read into b; false at the end. */
static bool pull(int *fd, struct buf *b) {
    char part[65536];
    ssize_t n = read(*fd, part, sizeof part);
    if (n > 0) buf_put(b, part, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) shut(fd);
    return *fd >= 0;
}

/* Feeds and drains until both outputs end. False: out of time or too much. */
static bool talk(struct pipes *p, struct str in, struct buf *out, struct buf *err) {
    zb_time until = zb_now() + WAIT_MAX;
    fcntl(p->in[1], F_SETFL, O_NONBLOCK);
    while (p->out[0] >= 0 || p->err[0] >= 0) {
        struct pollfd fd[3] = {{p->in[1], POLLOUT, 0}, {p->out[0], POLLIN, 0}, {p->err[0], POLLIN, 0}};
        zb_time left = until - zb_now();
        if (left <= 0 || out->over || err->over) return false;
        if (poll(fd, 3, (int)left) < 0 && errno != EINTR) return false;
        if (p->in[1] >= 0 && fd[0].revents) {
            ssize_t n = in.n ? write(p->in[1], in.p, in.n) : 0;
            if (n > 0) {
                in.p += n;
                in.n -= (size_t)n;
            }
            if (!in.n || (n < 0 && errno != EAGAIN && errno != EINTR)) shut(&p->in[1]);
        }
        if (p->out[0] >= 0 && fd[1].revents) pull(&p->out[0], out);
        if (p->err[0] >= 0 && fd[2].revents) pull(&p->err[0], err);
    }
    return true;
}

static void stat_read(struct str s, struct paper_stat *stat) {
    json_error_t err;
    json_t *o = json_loadb(s.p, s.n, JSON_DISABLE_EOF_CHECK, &err);
    stat->pages = (int)json_integer_value(json_object_get(o, "pages"));
    stat->unknown_glyphs = (int)json_integer_value(json_object_get(o, "unknown_glyphs"));
    for (int i = 0; i < PAGE_FACES_N; i++) {
        const char *f = json_string_value(json_object_get(json_object_get(o, "faces"), PAGE_FACE_KEY[i]));
        str_copy(str_of(f ? f : ""), stat->face[i], sizeof stat->face[i]);
    }
    json_decref(o);
}

/* A write to a child that has gone must not end this process. */
static int quietly(const char *exe, struct str tree, enum paper_format f, struct buf *out, struct paper_stat *stat, struct zb_err *e) {
    struct pipes p;
    pid_t pid;
    int status = 0;
    ZB_AUTO(buf_done) struct buf err;
    sigset_t pipe_only, before;
    buf_init(&err, 16 << 10);
    if (!pipes_open(&p) || start(exe, f, &p, &pid) != 0) {
        pipes_close(&p);
        return zb_fail(e, ZB_E_IO, "the paper's own process cannot be started: %s", strerror(errno));
    }
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    bool done = talk(&p, tree, out, &err);
    struct timespec zero = {0};
    while (sigtimedwait(&pipe_only, NULL, &zero) > 0) {}
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!done) kill(pid, SIGKILL);
    pipes_close(&p);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (!done)
        return zb_fail(e, ZB_E_LIMIT, out->over ? "the paper is larger than %zu MiB: ask for less" : "the paper was not done within %zu s: ask for less",
                       out->over ? out->max >> 20 : (size_t)(WAIT_MAX / ZB_SECOND));
    if (WIFSIGNALED(status)) return zb_fail(e, ZB_E_LIMIT, "the paper's process was ended by signal %d: too large, or a fault in the layout", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0) {
        struct str why = str_trim(str_cut(buf_str(&err), '\n', NULL));
        return zb_fail(e, ZB_E_LIMIT, "%.*s", (int)(why.n > 400 ? 400 : why.n), why.n ? why.p : "the paper was refused");
    }
    stat_read(buf_str(&err), stat);
    return ZB_OK;
}

int paper_render(const char *exe, const struct paper *p, enum paper_format f, struct buf *out, struct paper_stat *stat, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf tree;
    struct json j;
    *stat = (struct paper_stat){0};
    if (paper_check(p, e) != ZB_OK) return e->rc;
    buf_init(&tree, (size_t)192 << 20);
    json_init(&j, &tree);
    paper_json(p, &j);
    if (tree.over) return zb_fail(e, ZB_E_LIMIT, "the paper is too large: ask for less");
    pthread_mutex_lock(&lock);
    bool room = running < AT_ONCE;
    running += room;
    pthread_mutex_unlock(&lock);
    if (!room) return zb_fail(e, ZB_E_LIMIT, "%d papers are being made just now: try again in a moment", AT_ONCE);
    int rc = quietly(exe, buf_str(&tree), f, out, stat, e);
    pthread_mutex_lock(&lock);
    running--;
    pthread_mutex_unlock(&lock);
    return rc;
}
