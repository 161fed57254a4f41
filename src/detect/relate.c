#include "detect/relate.h"

int place_alike(const char *a, const char *b) {
    int n = 0;
    while (a[n] && a[n] == b[n]) n++;
    while (n > 0 && ((unsigned char)a[n] & 0xC0) == 0x80) n--; /* not inside a letter */
    return n >= 4 ? n : 0;
}

static int best(const struct point_def *const *def, int n, int i, const char *types, bool same) {
    int at = -1, most = 0;
    for (int k = 0; k < n; k++) {
        if (k == i || (same ? strcmp(def[k]->sensor_type, def[i]->sensor_type) != 0 : !word_in(types, str_of(def[k]->sensor_type)))) continue;
        int alike = place_alike(def[i]->location, def[k]->location);
        if (alike > most) most = alike, at = k;
    }
    return at;
}

int relate_beside(const struct point_def *const *def, int n, int i, const struct policy *p) {
    (void)p;
    return best(def, n, i, NULL, true);
}
int relate_kind(const struct point_def *const *def, int n, int i, const char *types) { return best(def, n, i, types, false); }
int relate_work(const struct point_def *const *def, int n, int i, const struct policy *p) { return best(def, n, i, p->detect.work_types, false); }
int relate_fan(const struct point_def *const *def, int n, int i, const struct policy *p) { return best(def, n, i, p->detect.fan_types, false); }
