/* Between the files of this folder: what a simulated mine is made of. */
#pragma once
#include "base/arena.h"
#include "sense/sense.h"
#include "sim/sim.h"

enum role {
    R_CH4,
    R_CO,
    R_WIND,
    R_TEMP,
    R_O2,
    R_PRESSURE,
    R_FAN,
    R_DUCT,
    R_MAIN_FAN,
    R_DOOR,
    R_SMOKE,
    R_FEED,
    R_CUTTER,
    R_BELT,
    R_MACHINE,
    R_OUTPUT,
    R_STATION,
    R_POWER
};

enum { ZONE_NONE = -1, ZONE_FACE, ZONE_HEAD_A, ZONE_HEAD_B, ZONES };
struct spec {
    enum role role;
    const char *type, *vt, *unit, *name, *place, *range;
    double base, gas, noise; /* level at rest; what coal cutting adds; size of a step */
    const char *hi[4];       /* alarm, clear, cut, restore as the mine uploads them */
    int zone;                /* whose power its gas commands, or whose power it is */
};
extern const struct spec SPECS[];
extern const int SPECS_N;
#define POINTS_MAX 64

enum fault {
    F_OVER,
    F_BURST,
    F_STUCK,
    F_REPLAY,
    F_CLAMP,
    F_DROPOUT,
    F_MASKED,
    F_LATE,
    F_DRIFT,
    F_UNDER,
    F_HIDDEN,
    F_SMOOTH,
    F_CLOCK,
    F_PAIR,
    F_NO_LEADER,
    F_OVERTIME,
    F_POWER,
    F_BALANCE,
    F_SECRET,
    F_STANDSTILL, /* declared and kept: nothing is to be found */
    F_N
};
struct planted {
    int mine, point; /* point -1: the whole mine */
    enum fault f;
    zb_time from, to;
    int lag; /* replay: how many readings back the shown hour lies */
};
enum { FAULTS_MAX = 512, CIRCUITS_N = 6, DAY_RING = 120, REPORT_KINDS = 4, SWITCH_NONE = -1 };

struct outlet;
struct reading {
    char value[16]; /* as uploaded; "" none */
    double v;       /* the same as a number */
    int state;
};
struct span_stat { /* extremes over a span of time */
    zb_time since, max_t, min_t;
    double max, min, sum;
    int n;
};
struct held { /* made while the line was down, sent when it is back */
    char name[80];
    struct str bytes;
};
struct smine {
    char code[24], name[64];
    int people, first_card;
    double level, output;
    zb_time defined; /* day of the last definitions */
    bool cut[ZONES];
    double v[POINTS_MAX], ring[POINTS_MAX][DAY_RING];
    int sw[POINTS_MAX]; /* last switch value, SWITCH_NONE before the first */
    struct reading now[POINTS_MAX];
    struct span_stat five[POINTS_MAX], alarm[POINTS_MAX][REPORT_KINDS]; /* since ZB_TIME_NONE: not open */
    struct held *held;
    int n_held, cap_held;
    double kwh[CIRCUITS_N], stock; /* counters of energy; coal on the heap, t */
    int tickets, sold;             /* of all time; of them already in a file */
    struct ticket {
        zb_time t;
        double net;
    } ticket[64]; /* those not yet in a file */
};
struct sim {
    const struct policy *p;
    struct sim_config c;
    uint64_t rng[2];
    struct smine *m;
    struct planted fault[FAULTS_MAX];
    int faults;
    struct buf truth;
    zb_time start, at;
    int step; /* steps of 30 s since start */
};
#define SIM_STEP (30 * ZB_SECOND)

uint64_t sim_rnd(struct sim *s);
double sim_uniform(struct sim *s);
double sim_normal(struct sim *s);

ZB_MUST int faults_plan(struct sim *s, struct zb_err *e);
const struct planted *fault_on(const struct sim *s, int mine, int point, enum fault f, zb_time t);
const struct planted *fault_at(const struct sim *s, int mine, int point, zb_time t);

/* days.c: what happens without anybody doing wrong; only in a whole mine */
enum fan { FAN_RUNS, FAN_TEST, FAN_STANDS };
double sim_dice(const struct sim *s, int mi, int what, int64_t n, int m);
bool sim_rests(const struct sim *s, int mi, zb_time t);
const struct planted *sim_stopped(const struct sim *s, int mi, zb_time t, bool *secret);
double sim_work(const struct sim *s, int mi, zb_time t); /* share of full cutting */
bool sim_link_down(const struct sim *s, int mi, zb_time t, zb_time *back);
enum fan sim_fan(const struct sim *s, int mi, int k, zb_time t);
double sim_level(const struct sim *s, int mi, int k, zb_time t);
void sim_innocent(const struct sim *s, int mi, int k, zb_time t, double *shown, int *state);
double sim_scale(const struct sim *s, int mi);

/* output.c: coal and power of a whole mine */
void output_next(struct sim *s, int mi, zb_time t, double work, double gained); /* tons cut in the step */
double output_counted(const struct sim *s, int mi, zb_time t, double gained);   /* what the belt's counter shows of it */
ZB_MUST int write_meters(struct outlet *o, struct zb_err *e);
ZB_MUST int write_output(struct outlet *o, struct zb_err *e);

void readings_next(struct sim *s, int mine, zb_time t);
double sim_rhythm(zb_time t);
void point_code(const struct smine *m, int k, char out[48]);

/* One file being filled; out: where it goes. */
struct outlet {
    struct sim *s;
    int mine;
    zb_time t, device, host; /* true time (also the file's stamp); clock of the safety system; when the upload goes */
    bool down;               /* the line is down: keep it back */
    sim_sink sink;
    void *arg;
};
struct sheet {
    struct arena *a;
    const struct str **row;
    int n, cap;
    const struct format *f;
};
ZB_MUST int sheet_begin(struct sheet *w, const struct sim *s, const char *type, struct zb_err *e);
struct str *sheet_row(struct sheet *w);
void sheet_set(struct sheet *w, struct str *row, const char *field, const char *text);
ZB_MUST int sheet_end(struct sheet *w, struct outlet *o, bool even_empty, struct zb_err *e);
ZB_MUST int held_send(struct outlet *o, struct zb_err *e); /* what the down line kept back */

ZB_MUST int write_definitions(struct outlet *o, struct zb_err *e);
ZB_MUST int write_readings(struct outlet *o, struct zb_err *e);
ZB_MUST int write_statistics(struct outlet *o, struct zb_err *e);
ZB_MUST int write_reported(struct outlet *o, struct zb_err *e);
ZB_MUST int write_people_master(struct outlet *o, struct zb_err *e);
ZB_MUST int write_people(struct outlet *o, struct zb_err *e);
ZB_MUST int write_readers(struct outlet *o, struct zb_err *e);
