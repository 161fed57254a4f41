#include "base/tar.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BLOCK ((size_t)512)
struct head { /* all of it text; numbers octal */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2], user[32], group[32], major[8], minor[8],
        prefix[155], pad[12];
};
_Static_assert(sizeof(struct head) == BLOCK, "a header is a block");

/* Octal digits, ended by space or NUL; spaces may lead. */
static bool octal(const char *p, size_t n, uint64_t *ret) {
    size_t i = 0, digits = 0;
    *ret = 0;
    while (i < n && p[i] == ' ') i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++, digits++) *ret = *ret * 8 + (uint64_t)(p[i] - '0');
    return digits && (i == n || p[i] == ' ' || p[i] == 0);
}

static uint64_t sum_of(const struct head *h) { /* its own field counts as spaces */
    const unsigned char *p = (const unsigned char *)h;
    uint64_t s = 0;
    for (size_t i = 0; i < BLOCK; i++) s += i >= offsetof(struct head, sum) && i < offsetof(struct head, sum) + 8 ? ' ' : p[i];
    return s;
}

static bool blank(const struct head *h) {
    const char *p = (const char *)h;
    size_t i = 0;
    while (i < BLOCK && !p[i]) i++;
    return i == BLOCK;
}

int tar_next(struct str all, size_t *at, struct str *name, struct str *bytes, struct zb_err *e) {
    for (;;) {
        size_t here = *at, left = all.n - here;
        const struct head *h = (const struct head *)(all.p + here);
        uint64_t size, sum;
        if (!left && here) return zb_fail(e, ZB_E_INPUT, "the archive breaks off at byte %zu, before its end mark", here);
        if (left < BLOCK) return zb_fail(e, ZB_E_INPUT, "byte %zu: a tar header of 512 bytes is expected, %zu bytes are left", here, left);
        if (blank(h)) return 0;
        if (!octal(h->sum, sizeof h->sum, &sum) || sum != sum_of(h) || !octal(h->size, sizeof h->size, &size))
            return zb_fail(e, ZB_E_INPUT, "byte %zu: this is no tar header (its sum does not hold)", here);
        if (size > left - BLOCK)
            return zb_fail(e, ZB_E_INPUT, "byte %zu: an entry of %llu bytes, but only %zu are left", here, (unsigned long long)size, left - BLOCK);
        size_t padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
        *at = here + BLOCK + (padded < left - BLOCK ? padded : left - BLOCK);
        if (h->type == '5') continue;
        if (h->type != '0' && h->type != 0)
            return zb_fail(e, ZB_E_INPUT, "byte %zu: an entry of type 0x%02x; only plain files are taken (tar --format=ustar)", here, (unsigned char)h->type);
        struct str n = {h->name, strnlen(h->name, sizeof h->name)};
        for (size_t i = n.n; i-- > 0;)
            if (n.p[i] == '/') {
                n = (struct str){n.p + i + 1, n.n - i - 1};
                break;
            }
        *name = n;
        *bytes = (struct str){all.p + here + BLOCK, (size_t)size};
        return 1;
    }
}

void tar_put(struct buf *b, struct str name, struct str bytes) {
    struct head h = {.type = '0'};
    if (!name.n || name.n > TAR_NAME_MAX) ZB_BUG("a name of %zu bytes in a tar", name.n);
    memcpy(h.name, name.p, name.n);
    memcpy(h.magic, "ustar", 6);
    memcpy(h.version, "00", 2);
    memcpy(h.mode, "0000644", 8);
    memcpy(h.uid, "0000000", 8);
    memcpy(h.gid, "0000000", 8);
    memcpy(h.mtime, "00000000000", 12);
    snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)bytes.n & 077777777777u);
    snprintf(h.sum, sizeof h.sum, "%06llo", (unsigned long long)sum_of(&h));
    h.sum[7] = ' ';
    buf_put(b, &h, sizeof h);
    buf_put(b, bytes.p ? bytes.p : "", bytes.n);
    static const char zero[BLOCK];
    buf_put(b, zero, (BLOCK - bytes.n % BLOCK) % BLOCK);
}

void tar_end(struct buf *b) {
    static const char zero[2 * BLOCK];
    buf_put(b, zero, sizeof zero);
}
