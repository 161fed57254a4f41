#include "base/file.h"
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not hidden, not being written, not what we put there ourselves. */
bool file_name_final(const char *name) {
    size_t n = strlen(name);
    return name[0] != '.' && n > 4 && n < 200 && strcasecmp(name + n - 4, ".tmp") && (n < 7 || strcmp(name + n - 7, ".reason"));
}

/* The last byte of a whole file of any family: marks || and ]]], a line's end, > of XML, } and ] of JSON, the quote some writers put round it all. */
bool file_looks_whole(const char *name, const char *bytes, size_t n) {
    bool csv = strlen(name) > 4 && !strcasecmp(name + strlen(name) - 4, ".csv");
    return n >= 2 && (csv || memchr("|]\n\r\">}", bytes[n - 1], 7));
}

int file_take(int dirfd, const char *name, off_t max, zb_time now, char **ret, size_t *n, zb_time *age) {
    struct stat st, after;
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    int rc = -1;
    *ret = NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *age = now - ((zb_time)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
        rc = st.st_size > max ? 1 : 0;
        if (rc == 0) {
            *ret = xmalloc((size_t)st.st_size + 1);
            *n = 0;
            ssize_t k;
            while (*n < (size_t)st.st_size && (k = read(fd, *ret + *n, (size_t)st.st_size - *n)) > 0) *n += (size_t)k;
            if (fstat(fd, &after) != 0 || after.st_size != st.st_size || *n != (size_t)st.st_size || after.st_mtim.tv_nsec != st.st_mtim.tv_nsec)
                rc = -1; /* still growing */
        }
    }
    close(fd);
    return rc;
}
