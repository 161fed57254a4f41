/* A mine's saved state. */
#include "fuzz.h"
#include "detect/detect.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct mine_state *m;
    struct zb_err e;
    if (mine_thaw((struct str){(const char *)p, n}, &m, &e) == ZB_OK) mine_free(m);
    return 0;
}
