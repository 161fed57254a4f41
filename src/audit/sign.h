/* Checkpoints of the journal: one small JSON file a day, signed with SM2 by the key of this data directory. */
#pragma once
#include "base/time.h"
struct checkpoint {
    int64_t seq;
    zb_time t;
    char hash[65];
};
void hex_of(const unsigned char *p, size_t n, char *out); /* 2n + 1 bytes */
ZB_MUST int checkpoint_write(const char *dir, const struct checkpoint *c, char *sig, size_t cap, struct zb_err *e);
/* false: why says what is wrong; checks the signature by DIR/keys/journal.pem's public part. */
bool checkpoint_read(const char *path, const char *dir, struct checkpoint *ret, char *why, size_t cap);
ZB_MUST int checkpoints_each(const char *dir, int (*fn)(void *arg, const char *path), void *arg, struct zb_err *e);
