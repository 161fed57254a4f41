/* Several files in one body. */
#include "fuzz.h"
#include "base/tar.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct str name, bytes;
    struct zb_err e;
    size_t at = 0;
    while (tar_next((struct str){(const char *)p, n}, &at, &name, &bytes, &e) == 1)
        if (at > n || bytes.n > n || (const uint8_t *)bytes.p + bytes.n > p + n || (const uint8_t *)name.p + name.n > p + n) abort();
    return 0;
}
