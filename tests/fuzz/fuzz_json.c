/* The JSON container: the first line names the type. */
#include "fuzz_decode.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) { return fuzz_named(p, n, SYNTAX_JSON); }
