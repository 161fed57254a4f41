/* Folders where the mine's own programs leave files. Looked at each second rather than watched: shares of other machines tell nothing. */
#include "edge/edge.h"
#include "base/file.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define UPLOAD_MAX ((off_t)20 << 20)
#define WHOLE_WAIT (10 * ZB_SECOND) /* a file without an end is taken as it is after so long: the province says what is wrong with it */

/* A meter's table goes by a name of ours; official names and what is only letters, digits and _-. keep theirs. */
static bool own_name(const char *name) {
    size_t n = strlen(name);
    return n > 4 && !strcasecmp(name + n - 4, ".csv") && !strstr(name, "_CSV_");
}
static bool plain(const char *name) {
    for (; *name; name++)
        if (!((*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || strchr("_-. :", *name))) return false;
    return true;
}

static int take(const struct edge_config *c, struct queue *q, int dirfd, const char *name, struct zb_err *e) {
    char *bytes = NULL;
    size_t n = 0;
    zb_time age = 0, now = zb_now();
    int rc = file_take(dirfd, name, UPLOAD_MAX, now, &bytes, &n, &age);
    if (rc == 1) return zb_fail(e, ZB_E_INPUT, "%s is larger than %lld bytes: split it", name, (long long)UPLOAD_MAX);
    if (rc != 0 || (!file_looks_whole(name, bytes, n) && age < WHOLE_WAIT)) {
        free(bytes);
        return ZB_OK; /* later */
    }
    struct str b = {bytes, n};
    rc = own_name(name) ? queue_put_table(q, c->mine, b, now - age, e)
         : plain(name)  ? queue_put(q, str_of(name), b, now, e)
                        : zb_fail(e, ZB_E_INPUT, "%s: letters, digits and _ - . only", name);
    free(bytes);
    if (rc != ZB_OK) return rc;
    return unlinkat(dirfd, name, 0) == 0 ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot remove %s: %s; it is looked at again and again", name, strerror(errno));
}

static int visible(const struct dirent *d) { return file_name_final(d->d_name); }

void folders_read(const struct edge_config *c, struct queue *q, char trouble[300]) {
    for (int i = 0; i < c->folders; i++) {
        struct zb_err e = {0};
        struct dirent **list;
        int fd = open(c->folder[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = fd < 0 ? -1 : scandir(c->folder[i], &list, visible, alphasort), full = 0;
        if (n < 0) zb_fail(&e, ZB_E_IO, "cannot read folder %s: %s", c->folder[i], strerror(errno));
        for (int k = 0; k < n; k++) {
            if (!full) full = take(c, q, fd, list[k]->d_name, &e) == ZB_E_LIMIT;
            free(list[k]);
        }
        if (n >= 0) free(list);
        if (fd >= 0) close(fd);
        if (e.msg[0]) snprintf(trouble, 300, "%.290s", e.msg);
    }
}
