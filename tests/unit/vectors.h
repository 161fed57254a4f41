/* The generator of methods.md section 0.2 and its closeness. */
#pragma once
#include "test.h"
#include <math.h>

#define NEAR(a, b, tol) assert_true(fabs((double)(a) - (double)(b)) <= (tol)*fmax(1, fabs((double)(b))))
static uint32_t lcg = 1;
__attribute__((unused)) static double uni(void) { return (lcg = 1664525u * lcg + 1013904223u) / 4294967296.0; }
