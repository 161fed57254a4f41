/* One target a container: bytes from outside. Built with -fsanitize=fuzzer it fuzzes; with REPLAY it runs files given by name (in ./dev test). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
#ifdef REPLAY
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) return perror(argv[i]), 1;
        uint8_t *p = malloc(1 << 20);
        size_t n = fread(p, 1, 1 << 20, f);
        fclose(f);
        uint8_t *exact = malloc(n ? n : 1); /* a read beyond the end is found */
        for (size_t k = 0; k < n; k++) exact[k] = p[k];
        LLVMFuzzerTestOneInput(exact, n);
        for (size_t cut = 0; cut < n; cut += 1 + n / 50) LLVMFuzzerTestOneInput(exact, cut);
        for (size_t k = 0; k < n; k += 1 + n / 200) {
            exact[k] ^= 0x20;
            LLVMFuzzerTestOneInput(exact, n);
            exact[k] ^= 0x20;
        }
        free(exact);
        free(p);
    }
    printf("%d files replayed\n", argc - 1);
    return 0;
}
#endif
