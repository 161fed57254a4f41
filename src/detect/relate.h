/* Which points belong together, by type and place: the neighbour a sensor is compared with, the switch that tells whether its place works, its fan. Pure. */
#pragma once
#include "model/point.h"
#include "policy/policy.h"

/* How alike two places are: bytes of the longest common beginning, whole letters; 0 unless at least 4 bytes (a face's number) agree. */
int place_alike(const char *a, const char *b);
/* Index in def of the one that fits i best; -1: none. A neighbour measures the same; of several as near the first. */
int relate_beside(const struct point_def *const *def, int n, int i, const struct policy *p);
int relate_kind(const struct point_def *const *def, int n, int i, const char *types); /* of one of these types, at the place nearest */
int relate_work(const struct point_def *const *def, int n, int i, const struct policy *p);
int relate_fan(const struct point_def *const *def, int n, int i, const struct policy *p);
