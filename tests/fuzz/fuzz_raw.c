/* A file of the fact log, in either form. First byte: even plain, odd packed; above 127 the checks of a pack's first block are made to agree, so that what lies
 * behind them is reached. */
#include "fuzz.h"
#include "raw/segment.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void agree(uint8_t *p, size_t n) {
    struct pack_head h;
    if (n < sizeof h) return;
    memcpy(&h, p, sizeof h);
    size_t rest = n - sizeof h;
    if (h.entries_z > rest) h.entries_z = (uint32_t)rest;
    if (h.bytes_z > rest - h.entries_z) h.bytes_z = (uint32_t)(rest - h.entries_z);
    h.first = 1;
    h.entries_crc = crc32_of(0, p + sizeof h, h.entries_z);
    h.bytes_crc = crc32_of(0, p + sizeof h + h.entries_z, h.bytes_z);
    pack_head_seal(&h);
    memcpy(p, &h, sizeof h);
}

static void walk(const char *path, bool packed, bool heads) {
    struct segment s = {.first = 1, .packed = packed};
    struct seg_reader r;
    struct raw_record rec;
    struct zb_err e;
    strcpy(s.path, path);
    if (seg_open(&r, &s, heads, &e) == ZB_OK && seg_skip(&r, 1, &e) == ZB_OK)
        while (seg_next(&r, &rec, &e) == 1) {
            size_t sum = 0;
            const struct str part[] = {rec.mine, rec.origin, rec.name, rec.bytes};
            for (int i = 0; i < 4; i++)
                for (size_t k = 0; k < part[i].n; k++) sum += (unsigned char)part[i].p[k];
            if (sum == SIZE_MAX) abort();
        }
    seg_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    if (!n) return 0;
    int fd = memfd_create("raw", 0);
    char path[40];
    uint8_t *copy = malloc(n);
    memcpy(copy, p + 1, n - 1);
    if (p[0] > 127) agree(copy, n - 1);
    if (fd < 0 || write(fd, copy, n - 1) != (ssize_t)(n - 1)) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    walk(path, p[0] & 1, false);
    walk(path, p[0] & 1, true);
    close(fd);
    free(copy);
    return 0;
}
