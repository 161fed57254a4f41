/* Static files: nothing outside the folder, nothing hidden, index.html for the pages of the front end. */
#include "http/files.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)32 << 20)

static const char *type_of(const char *path) {
    static const struct {
        const char *end, *type;
    } T[] = {{".html", "text/html; charset=utf-8"},
             {".js", "text/javascript; charset=utf-8"},
             {".css", "text/css; charset=utf-8"},
             {".svg", "image/svg+xml"},
             {".png", "image/png"},
             {".ico", "image/x-icon"},
             {".json", "application/json; charset=utf-8"},
             {".woff2", "font/woff2"},
             {".txt", "text/plain; charset=utf-8"}};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        size_t k = strlen(T[i].end);
        if (n > k && !strcmp(path + n - k, T[i].end)) return T[i].type;
    }
    return "application/octet-stream";
}

static int open_inside(const char *root, const char *path, struct stat *st) {
    char full[PATH_MAX], real[PATH_MAX], base[PATH_MAX];
    if (strstr(path, "/.") || (size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full) return -1;
    if (!realpath(full, real) || !realpath(root, base)) return -1;
    size_t n = strlen(base);
    if (strncmp(real, base, n) || real[n] != '/') return -1; /* a link led outside */
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode) || st->st_size > (off_t)FILE_MAX)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void files_serve(const char *root, const struct http_req *r, struct http_res *res, char etag[48]) {
    struct stat st;
    char path[1024];
    str_copy(r->path, path, sizeof path);
    etag[0] = 0;
    bool page = r->path.n >= sizeof path || !strcmp(path, "/");
    int fd = root && !page ? open_inside(root, path, &st) : -1;
    if (fd < 0 && root && (page || !strchr(path, '.'))) {
        str_copy(STR("/index.html"), path, sizeof path);
        fd = open_inside(root, path, &st);
    }
    if (fd < 0) {
        res->status = 404;
        res->type = "text/plain; charset=utf-8";
        buf_puts(&res->body, root ? "no such page\n" : "the pages are not built: run ./dev build\n");
        return;
    }
    snprintf(etag, 48, "\"%llx-%llx\"", (unsigned long long)st.st_mtim.tv_sec * 1000000000ull + (unsigned long long)st.st_mtim.tv_nsec,
             (unsigned long long)st.st_size);
    res->type = type_of(path);
    if (str_is(http_header(r, "If-None-Match"), etag)) {
        res->status = 304;
    } else {
        char part[65536];
        ssize_t n;
        while ((n = read(fd, part, sizeof part)) > 0) buf_put(&res->body, part, (size_t)n);
    }
    close(fd);
}
