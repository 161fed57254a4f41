/* A request's head. */
#include "fuzz.h"
#include "http/gate.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct gate g;
    if (gate_parse((const char *)p, n, &g) != 1) return 0;
    struct arena *a = arena_new(1 << 20);
    (void)gate_path(g.path_raw, a);
    (void)gate_decode(g.query, true, a);
    arena_free(a);
    return 0;
}
