/* A chunk of samples. */
#include "fuzz.h"
#include "series/series.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct sample *v;
    struct zb_err e;
    int k;
    if (chunk_decode((struct str){(const char *)p, n}, &v, &k, &e) == ZB_OK) free(v);
    return 0;
}
