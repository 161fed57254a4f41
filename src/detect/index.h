/* Indices of outburst, fire, water, roof and ventilation that the tables of warning levels compare (methods.md C2-C4, C6-C8). Pure arithmetic; NAN where an index
 * cannot be evaluated, so that no rule holds on it. */
#pragma once
#include <stdbool.h>

/* ---- gas emission, C2 ---- */
double emission_absolute(double air, double percent);         /* m³/min from air m³/min and %CH4 */
double emission_relative(double absolute, double tonnes_day); /* m³/t */
/* m³ above background c0 by the trapezoidal rule: c[] %CH4 at even minutes `step`, air m³/min. */
double emission_after_blast(const double *c, int n, double step, double c0, double air);

/* ---- outburst drilling, C3 ---- */
struct k1 { /* Q = k1·√t - w, least squares; t min, Q mL/g */
    double k1, w;
};
bool k1_of(const double *t, const double *q, int n, struct k1 *ret); /* false: fewer than 2 points or all at one time */
double r_index(double s_max, double q_max);                          /* (S-1.8)(q-4); NAN when both brackets are negative: no danger by this index */

/* ---- spontaneous combustion, C4; all in percent ---- */
struct fire_gas {
    double o2, n2, co, co2, h2;
};
struct fire_ratios {
    double deficit, graham, r1, r3, jones_trickett; /* NAN: not evaluable (oxygen deficit below `least`, or no CO2) */
};
struct fire_ratios fire_ratios_of(const struct fire_gas *g, double air_ratio, double least); /* air_ratio: O2 over N2 of fresh air, 0.265 */
struct mann_kendall {
    double s, var, z, p; /* two-sided */
};
struct mann_kendall mann_kendall_of(const double *v, int n); /* n <= 3: z 0, p 1 */

/* ---- water, C6 ---- */
double inrush_coefficient(double pressure, double floor);                             /* MPa/m */
double floor_thickness(double width, double gamma, double strength, double pressure); /* m: L, γ MPa/m, Kp MPa, p MPa */
struct pumps {                                                                        /* m³/h that must be there */
    double work, standby, service, together;
};
struct pumps pumps_needed(double normal, double greatest); /* inflow m³/h; 24 h in 20 h, standby 70 %, service 25 % (规程第315条) */

/* ---- roof, C7 ---- */
/* Weighting cycles: pressure above mean + 1 standard deviation (of n). at[]: their indexes, at most max; *factor: mean of them over mean of the others. */
int roof_weighting(const double *p, int n, int *at, int max, double *limit, double *factor);
/* ---- ventilation, C8 ---- */
double air_quantity(double speed, double section);   /* m³/min from m/s and m² */
double air_resistance(double pressure, double flow); /* Pa·s²/m⁶ or as given: Δp/Q² */
