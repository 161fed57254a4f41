/* A message's topic. (Its payload is a file: the other targets.) */
#include "fuzz.h"
#include "inlet/broker.h"
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct str mine, file;
    if (broker_topic((struct str){(const char *)p, n}, &mine, &file) && (mine.n < 8 || mine.n > 23 || !file.n || (const uint8_t *)file.p + file.n != p + n))
        abort();
    return 0;
}
