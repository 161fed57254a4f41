#include "detect/index.h"
#include <math.h>

double emission_absolute(double air, double percent) { return air * percent / 100; }
double emission_relative(double absolute, double tonnes_day) { return tonnes_day > 0 ? 1440 * absolute / tonnes_day : NAN; }
double emission_after_blast(const double *c, int n, double step, double c0, double air) {
    double s = 0;
    for (int i = 1; i < n; i++) s += (c[i - 1] - c0 + c[i] - c0) / 2 * step;
    return s * air / 100;
}

bool k1_of(const double *t, const double *q, int n, struct k1 *ret) {
    double mx = 0, my = 0, xx = 0, xy = 0;
    if (n < 2) return false;
    for (int i = 0; i < n; i++) {
        mx += sqrt(t[i]) / n;
        my += q[i] / n;
    }
    for (int i = 0; i < n; i++) {
        xx += (sqrt(t[i]) - mx) * (sqrt(t[i]) - mx);
        xy += (sqrt(t[i]) - mx) * (q[i] - my);
    }
    if (!(xx > 0)) return false;
    ret->k1 = xy / xx;
    ret->w = ret->k1 * mx - my;
    return true;
}

double r_index(double s_max, double q_max) { return s_max < 1.8 && q_max < 4 ? NAN : (s_max - 1.8) * (q_max - 4); }

struct fire_ratios fire_ratios_of(const struct fire_gas *g, double air_ratio, double least) {
    struct fire_ratios r = {air_ratio * g->n2 - g->o2, NAN, NAN, g->co2 > 0 ? 100 * g->co / g->co2 : NAN, NAN};
    if (r.deficit < least) return r;
    r.graham = 100 * g->co / r.deficit;
    r.r1 = 100 * g->co2 / r.deficit;
    r.jones_trickett = (g->co2 + 0.75 * g->co - 0.25 * g->h2) / r.deficit;
    return r;
}

struct mann_kendall mann_kendall_of(const double *v, int n) {
    struct mann_kendall r = {0, 0, 0, 1};
    if (n <= 3) return r;
    double ties = 0;
    for (int i = 0; i < n; i++) {
        int same = 0;
        bool first = true;
        for (int j = 0; j < n; j++) {
            if (j > i) r.s += (v[j] > v[i]) - (v[j] < v[i]);
            same += v[j] == v[i];
            if (j < i && v[j] == v[i]) first = false;
        }
        if (first) ties += (double)same * (same - 1) * (2.0 * same + 5);
    }
    r.var = ((double)n * (n - 1) * (2.0 * n + 5) - ties) / 18;
    if (r.s != 0 && r.var > 0) r.z = (r.s - (r.s > 0 ? 1 : -1)) / sqrt(r.var);
    r.p = erfc(fabs(r.z) / sqrt(2));
    return r;
}

double inrush_coefficient(double pressure, double floor) { return floor > 0 ? pressure / floor : NAN; }
double floor_thickness(double width, double gamma, double strength, double pressure) {
    return width * (sqrt(gamma * gamma * width * width + 8 * strength * pressure) - gamma * width) / (4 * strength);
}
struct pumps pumps_needed(double normal, double greatest) {
    double work = normal * 24 / 20;
    return (struct pumps){work, 0.7 * work, 0.25 * work, greatest * 24 / 20};
}

int roof_weighting(const double *p, int n, int *at, int max, double *limit, double *factor) {
    double mean = 0, q = 0, high = 0, low = 0;
    int k = 0, others = 0;
    for (int i = 0; i < n; i++) mean += p[i] / n;
    for (int i = 0; i < n; i++) q += (p[i] - mean) * (p[i] - mean) / n;
    *limit = mean + sqrt(q);
    for (int i = 0; i < n; i++)
        if (p[i] > *limit) {
            if (k < max) at[k] = i;
            k++;
            high += p[i];
        } else {
            others++;
            low += p[i];
        }
    *factor = k && others && low > 0 ? high / k / (low / others) : NAN;
    return k < max ? k : max;
}

double air_quantity(double speed, double section) { return 60 * speed * section; }
double air_resistance(double pressure, double flow) { return flow != 0 ? pressure / (flow * flow) : NAN; }
