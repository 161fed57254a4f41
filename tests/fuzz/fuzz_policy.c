/* YAML to a tree. */
#include "fuzz.h"
#include "policy/tree.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct zb_err e;
    struct arena *a = arena_new((size_t)32 << 20);
    struct reader r = {a, "f", &e, false};
    struct node *root;
    if (tree_parse(&r, (struct str){(const char *)p, n}, &root) == ZB_OK) node_keys(&r, root, "name limits");
    arena_free(a);
    return 0;
}
