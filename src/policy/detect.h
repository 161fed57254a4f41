/* Parameters of detectors, from rules/detect_*.yaml and rules/forecast.yaml. Every detector stands once in a file, with its rule of the plan, what it may be evidence of, whether it
 * still works in the shadow (only its owner sees its clues), and each parameter with unit and source. A parameter whose unit is not the one written here is
 * refused, so that no "10" changes its meaning. */
#pragma once
#include "policy/tree.h"

/* X(parameter, unit). Units: s seconds, d days, 1 a pure number or count, p a probability, % percent, rows samples of the even step, and what is named. */
#define DETECT_FLAT(X)                                                                                                                                         \
    X(alpha_day, "p")                                                                                                                                          \
    X(min_s, "s") X(min_samples, "1") X(margin, "1") X(learn_min, "1") X(end_share, "p") X(beside_s, "s") X(beside_steps, "1") X(beside_moves, "1")
#define DETECT_REPLAY(X) X(window, "1") X(changes, "1") X(own_share, "p")
#define DETECT_NEAR(X) X(window, "1") X(changes, "1") X(grid_s, "s") X(history_d, "d") X(noise, "1") X(second, "1") X(learn, "1") X(natural, "1")
#define DETECT_CLAMP(X)                                                                                                                                        \
    X(window_s, "s")                                                                                                                                           \
    X(cells, "1")                                                                                                                                              \
    X(range_steps, "1")                                                                                                                                        \
    X(top_share, "p") X(mass, "1") X(mass_rest, "1") X(work_share, "p") X(coarse_steps, "1") X(coarse_chance, "p") X(learn, "1") X(own_factor, "1")            \
        X(visits, "1")
#define DETECT_SMOOTH(X) X(window_s, "s") X(own_quantile, "p") X(learn, "1") X(windows, "1")
#define DETECT_COINCIDE(X) X(near_limit, "1") X(before_s, "s") X(p_max, "p") X(visit_before_s, "s") X(min_events, "1") X(same_minute, "1")
#define DETECT_CALIB(X) X(max_s, "s") X(rise_steps, "1") X(rise_factor, "1") X(below_factor, "1") X(beside_steps, "1") X(plateau_s, "s")
#define DETECT_CLOCK(X) X(gap_factor, "1") X(back_max, "1") X(jumps_min, "1") X(jump_s, "s")
#define DETECT_TWIN(X) X(window_s, "s") X(changes, "1") X(same_share, "p")
#define DETECT_REACT(X) X(stop_s, "s") X(after_s, "s") X(steps, "1") X(min_events, "1") X(p_react, "p") X(gas_s, "s") X(gas_rise, "p") X(gas_events, "1")
#define DETECT_UPLOAD(X) X(tolerance_steps, "1") X(min_samples, "1") X(min_breaks, "1")
#define DETECT_LIMITS(X) X(tolerance, "1")
#define DETECT_LEVEL(X) X(z, "1") X(hold_s, "s") X(floor_share, "p") X(learn_d, "d") X(step_s, "s")
#define DETECT_DAY(X) X(open_grade, "1")

#define DETECT_QUOTA(X) X(hold_s, "s") X(over_share, "p") X(handover_s, "s") X(handover_factor, "1")
#define DETECT_OVERTIME(X) X(hours, "h") X(no_exit_hours, "h")
#define DETECT_RESTRICTED(X) X(hold_s, "s")
#define DETECT_JUMP(X) X(speed, "m/s") X(slack_s, "s")
#define DETECT_PAIR(X) X(passes, "1") X(within_s, "s") X(same_share, "p")
#define DETECT_UNKNOWN(X) /* papers have no parameters */
#define DETECT_CERTIFICATE(X)
#define DETECT_TRAINING(X)
#define DETECT_CONTRACT(X)
#define DETECT_LEADER(X) X(hold_s, "s")
#define DETECT_COUNTS(X) X(persons, "1") X(share, "p") X(shifts, "1")

#define DETECT_RATIO(X)                                                                                                                                        \
    X(baseline_min, "1")                                                                                                                                       \
    X(baseline_max, "1") X(low, "1") X(attend_low, "1") X(attend_high, "1") X(high, "1") X(tail, "p") X(z_floor, "p") X(z, "1") X(days, "d")
#define DETECT_IDLE(X) X(baseline_min, "1") X(rest_quantile, "p") X(work_quantile, "p") X(hours, "h") X(separation, "1") X(factor, "1") X(unchanged, "p")
#define DETECT_SHARE(X) X(baseline_min, "1") X(z, "1") X(z_floor, "p") X(rise, "p") X(days, "d") X(night_r, "1") X(night_hours, "h")
#define DETECT_BALANCE(X) X(p_max, "p") X(sigma_scale, "p") X(sigma_ticket, "p") X(sigma_stock, "p") X(windows, "1")
#define DETECT_CAPACITY(X) X(warn_share, "p") X(year_share, "p") X(quarter_share, "p") X(month_share, "p") X(month_until_d, "d")
#define DETECT_ROUGH(X) X(quantile, "p") X(hours, "h") X(learn, "1")
#define DETECT_PLACE(X) X(persons, "1") X(hold_s, "s")
#define DETECT_AIR(X) X(tolerance, "p") X(least, "m3/min")
#define DETECT_HIDDEN(X) X(factors, "1")
#define DETECT_DRIFT(X) X(k, "1") X(h, "1") X(baseline_min, "1") X(z_floor, "p") X(factors, "1")

#define DETECT_GAS(X)                                                                                                                                          \
    X(step_s, "s")                                                                                                                                             \
    X(horizon, "rows")                                                                                                                                         \
    X(rise, "%CH4")                                                                                                                                            \
    X(rises, "1")                                                                                                                                              \
    X(ridge, "1")                                                                                                                                              \
    X(trees, "1")                                                                                                                                              \
    X(leaves, "1")                                                                                                                                             \
    X(least, "rows")                                                                                                                                           \
    X(rate, "1") X(shrink, "1") X(columns, "p") X(folds, "1") X(prior, "rows") X(memory, "rows") X(trend, "rows") X(history_d, "d") X(refit_d, "d")            \
        X(reach, "p") X(most, "1")
#define DETECT_BURST(X)                                                                                                                                        \
    X(past, "rows")                                                                                                                                            \
    X(strong, "J") X(ridge, "1") X(folds, "1") X(memory, "rows") X(enough, "rows") X(positives, "1") X(shift_h, "h") X(history_d, "d") X(before, "rows")
#define DETECT_SLOPE(X)                                                                                                                                        \
    X(span, "d")                                                                                                                                               \
    X(uniform, "d")                                                                                                                                            \
    X(slowest, "mm/d")                                                                                                                                         \
    X(readings, "1")                                                                                                                                           \
    X(errors, "1") X(sma, "1") X(lma, "1") X(ratio, "1") X(hold, "1") X(points, "1") X(r2, "1") X(lost, "d") X(moving, "1") X(together, "d") X(rain, "d")
#define DETECT_POND(X)                                                                                                                                         \
    X(step_s, "s")                                                                                                                                             \
    X(horizon, "rows")                                                                                                                                         \
    X(look, "rows") X(ridge, "p") X(folds, "1") X(fade, "p") X(wet_days, "d") X(trend, "rows") X(balance, "m") X(beach, "p") X(history_d, "d")
#define DETECT_OUTBURST(X) /* tables of levels only */
#define DETECT_FIRE(X)
#define DETECT_WATER(X)

/* D(ID, key) */
#define DETECTORS(D)                                                                                                                                           \
    D(FLAT, flat)                                                                                                                                              \
    D(REPLAY, replay)                                                                                                                                          \
    D(NEAR, near)                                                                                                                                              \
    D(CLAMP, clamp)                                                                                                                                            \
    D(SMOOTH, smooth)                                                                                                                                          \
    D(COINCIDE, coincide)                                                                                                                                      \
    D(CALIB, calib) D(CLOCK, clock) D(TWIN, twin) D(REACT, react) D(UPLOAD, upload) D(LIMITS, limits) D(LEVEL, level) D(DAY, day) D(QUOTA, quota)              \
        D(OVERTIME, overtime) D(RESTRICTED, restricted) D(JUMP, jump) D(PAIR, pair) D(UNKNOWN, unknown) D(CERTIFICATE, certificate) D(TRAINING, training)      \
            D(CONTRACT, contract) D(LEADER, leader) D(COUNTS, counts) D(RATIO, ratio) D(IDLE, idle) D(SHARE, share) D(BALANCE, balance) D(CAPACITY, capacity)  \
                D(ROUGH, rough) D(PLACE, place) D(AIR, air) D(HIDDEN, hidden) D(DRIFT, drift) D(GAS, gas) D(BURST, burst) D(SLOPE, slope) D(POND, pond)        \
                    D(OUTBURST, outburst) D(FIRE, fire) D(WATER, water)

#define X(name, unit) double name;
#define D(ID, key)                                                                                                                                             \
    struct detect_##key {                                                                                                                                      \
        DETECT_##ID(X)                                                                                                                                         \
    };
DETECTORS(D)
#undef D
#undef X
enum detector_id {
#define D(ID, key) DETECTOR_##ID,
    DETECTORS(D)
#undef D
        DETECTORS_N
};
struct detector {                  /* who it is, for clues and for the clue room */
    const char *key;               /* "flat" */
    const char *rule;              /* id in the plan: "R36" */
    const char *zh, *en;           /* its name */
    const char *criterion, *owner; /* ids of criteria it may be evidence of, separated by blanks; role that switches it on */
    int version;
    int grade;   /* of a hit alone: 1 statistical, 2 physical contradiction, 3 exact contradiction (methods D11) */
    bool shadow; /* its clues are seen by its owner only */
};
struct detect_policy {
    struct detector who[DETECTORS_N];
    const char *gas_types, *steady_types, *work_types,
        *fan_types; /* sensor types, separated by blanks: judged by work, by the hour; switches of work, of fans */
#define D(ID, key) struct detect_##key key;
    DETECTORS(D)
#undef D
};

/* clues.yaml: which ledger keeps clues and under which fields, what the night asks of the ledgers, and which meters are which part of a mine's load. */
struct circuit_rule {
    const char *zh, *en, *words; /* words of the meter's place, separated by |; the first circuit is the whole */
    bool works;                  /* its share falls when a mine stands still */
};
/* What a mine's day is made of, read from its points: gain of the largest counter, sum of the values, last value, mean. */
#define FLOWS(X) X(TONS, "tons") X(BELT, "belt") X(SKIP, "skip") X(TICKET, "ticket") X(STOCK, "stock") X(AIR, "air")
#define FLOW_WAYS(X) X(GAIN, "gain") X(VALUES, "values") X(LAST, "last") X(MEAN, "mean")
enum flow {
#define X(id, key) FLOW_##id,
    FLOWS(X)
#undef X
        FLOWS_N
};
enum flow_way {
#define X(id, key) FLOW_WAY_##id,
    FLOW_WAYS(X)
#undef X
        FLOW_WAYS_N
};
struct flow_rule {
    const char *types, *words; /* sensor types; words of the place, separated by |, "" any */
    enum flow_way way;
};
struct clue_rule {
    const char *ledger;
    int at; /* its index */
    const char *site, *rule, *raised_at, *score, *reason, *reason_en, *evidence, *digest, *window, *shadow, *factors;
    const char *trial, *open; /* states a clue of a rule in the shadow, and of one switched on, begins in */
    const char *stops;        /* SQL: mine, since (day), rule, zh, en, crew and hours allowed (null: not limited), power (1: load counts) */
    const char *persons;      /* SQL, ?1 a mine: card, employer, special, certified, trained, contracted, leader */
    const char *quota;        /* SQL, ?1 a mine: persons underground at once, 1 where it works */
    const char *restricted;   /* words of an area's kind, separated by | */
    const char *places;       /* SQL, ?1 a mine: name and position area of the working places that are declared today */
    const char *visits;       /* SQL, ?1 a mine: arrivals of inspectors (ms), rising */
    const char *capacity;     /* SQL, ?1 a mine: t a year, 1 underground */
    const char *working;      /* words of a place at which coal or ore is won, separated by | */
    const char *energy_types, *air_types, *count_types; /* sensor types of kWh counters, of air in m3/min, of persons counted by cameras */
    struct flow_rule flow[FLOWS_N];
    int track_days, person_days, hour_days; /* stays, days of cards, hours of mines are kept so long */
    struct circuit_rule *circuit;
    int circuits;
};
