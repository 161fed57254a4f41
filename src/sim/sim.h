/* The simulated county: fictional mines in real counties that write official upload files. Same seed, same bytes. No invented fault ever stands
 * under a real mine's name. */
#pragma once
#include "policy/policy.h"
#include <stdio.h>

struct sim_config {
    const char *out; /* folder for sim_run */
    int mines;
    double hours;
    zb_time start;
    uint64_t seed;
    bool live;          /* sim_run keeps step with the clock and plants faults soon */
    const char *faults; /* comma list of over-limit,burst,stuck,replay,clamp,dropout,masked,late,drift,understated,hidden,smooth,clock,pair,no-leader,overtime,
                         * power,balance,secret,standstill; "" none. The k-th stands at mine k modulo mines */
    bool whole; /* a whole mine: power, tickets, stock, places of readers, and days as they are: rests, stoppages, calibrations, losses (docs/detection.md) */
    int every;  /* seconds between uploads, a multiple of 30; 0: 30. What is between happens but is not told */
};
/* Writes OUT/<mine>/<files> and OUT/truth.jsonl, one line a planted fault with what should be found. */
ZB_MUST int sim_run(const struct policy *p, const struct sim_config *c, FILE *progress, struct zb_err *e);

/* The past of the ledgers of a fictional province from 2024-01-01 on, whole years: OUT/<ledger>.jsonl for `zhiben history` (ledger/ledger.h says the lines)
 * and OUT/truth.jsonl, one line a planted case that a document rule should find on the last day. Same seed, same bytes. */
struct history_config {
    const char *out;
    int mines, years;
    uint64_t seed;
};
ZB_MUST int sim_history(const struct policy *p, const struct history_config *c, FILE *progress, struct zb_err *e);

/* Step by step, for living through it: every file made until a time goes to the sink, in order of its time. */
struct sim;
typedef int (*sim_sink)(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e);
ZB_MUST int sim_new(const struct policy *p, const struct sim_config *c, struct sim **ret, struct zb_err *e);
ZB_MUST int sim_step(struct sim *s, zb_time until, sim_sink sink, void *arg, struct zb_err *e);
struct str sim_truth(const struct sim *s); /* JSON lines planted so far */
void sim_free(struct sim *s);
