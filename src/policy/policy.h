/* The province as data: policies/<name>/ → one immutable, reference-counted snapshot with a hash (SHA-256 over names and bytes, sorted).
 * Loader: libyaml events → node tree with file:line:column → schema tables → structs in the snapshot's arena.
 * Refused with file:line:column and the allowed names: unknown and duplicate keys, aliases, wrong kinds, numbers not read whole,
 * trailing junk, second documents, depth > 32, file > 4 MiB, nodes > 200,000. */
#pragma once
#include "base/arena.h"
#include "model/alarm.h"
#include "model/format.h"
#include "policy/detect.h"
#include "policy/forecast.h"
#include "policy/indicator.h"
#include "policy/ledger.h"
#include "policy/plan.h"
#include "policy/rule.h"
#include "policy/letter.h"
#include "policy/screen.h"

struct region {
    const char *code, *name, *en;
    const char *also; /* former names, separated by | */
    const char *was;  /* former codes, separated by | */
};                    /* "140214", 6 digits; city ends in 00 */

struct sensor_type { /* 传感器类型; by_unit: a point of which only this unit is known is taken for one */
    const char *code, *zh, *en, *unit;
    bool by_unit;
    const char *also; /* other codes and names of it, separated by | */
};
struct unit_rule { /* a unit and other ways to write it, separated by blanks */
    const char *unit, *also;
};
#define RAIN_MAX (18 * ZB_DAY) /* rain is remembered by the hour for so long */
struct limit_rule {            /* thresholds.md A.1, A.2, B: one row of the limits table */
    const char *loc_class, *zh;
    const char *sensor_types; /* space-separated "0001 0011 0043" */
    const char *gas_class;    /* "" any, "low", "high", "outburst" */
    struct limits lim;
    struct lines line;          /* value at or above, at or below: a colour */
    struct lines change;        /* hi: has risen, lo: has fallen by so much (both positive) within `within` */
    zb_fix sum[COLOURS];        /* what fell within `within` together; ZB_FIX_NONE none */
    struct antecedent {         /* rain of the `recent` time >= at - less * rain of the `before` time that lies before it */
        zb_time recent, before; /* recent 0: no such rule */
        zb_fix at, less;
        enum alarm_level level;
    } antecedent;
    zb_time within;          /* of change and sum */
    const char *is[COLOURS]; /* switch and multi-state values of that colour, space-separated; NULL none */
    const char *unit, *cut_range, *source;
    int32_t from, to;  /* validity of the edition at the data time, days; to INT32_MAX: open */
    bool mine_default; /* taken when a point has no class: the stricter of all default rows of its sensor type */
};
struct joint_rule {                  /* GB 39496-2020 5.5: so many points or items of a colour together make the next */
    const char *zh, *en, *items, *source; /* items: sensor types, space-separated, "|" between items */
    int blue, yellow, orange;
};
enum formula { FORMULA_LINEAR, FORMULA_THERMISTOR, FORMULA_VIBRATING_WIRE };
/* conversions.yaml: a raw point of one mine to another point. linear: a x + b. thermistor (x in ohm): 1 / (a + b ln x + c ln³ x) - 273.15 + offset.
 * vibrating_wire (x in Hz): (a x² + b x + c + (t0 - T) k + d - (barometer - ref)) scale + offset; without temperature T is t0, without barometer it is ref. */
struct conversion {
    const char *mine, *point, *to, *sensor, *unit, *location, *temperature, *barometer;
    enum formula formula;
    double a, b, c, t0, k, d, ref, scale, offset;
};
struct loc_pattern {
    const char *words;
    const char *loc_class;
}; /* all space-separated words occur in the location text → class */

struct kind_rule { /* alarms.yaml: per alarm kind */
    enum alarm_level level;
    zb_time on_delay, off_delay; /* ms; legal limits have on_delay 0 */
    zb_fix deadband;             /* in units of the point */
    zb_time ack_due, cause_due;  /* ms after raised */
    bool shelvable;
};
struct cause {
    const char *key, *zh, *en;
};
struct role_rule {
    const char *key, *zh, *en;
    const char *rights;
    bool mine;         /* works at a mine: sees it alone */
    const char *where; /* SQL over r of any ledger: what this role sees at most (ledger.h); "" no limit */
};                     /* space-separated permission names, "*" all */

enum channel_kind { CHANNEL_LOG, CHANNEL_WEBHOOK, CHANNEL_SMTP, CHANNEL_EXEC };
struct channel_rule { /* notify.yaml; secrets stand in files of their own */
    const char *key;
    enum channel_kind kind;
    const char *url, *program, *from, *user, *password_file;
};

struct silence_rule {
    zb_time sample_period, late_after, point_after, mine_after, future_max, truncated_wait;
    zb_time late_settle, late_at_most,
        late_window; /* late data is judged again so long after its last file, but no later than so long after its first; older data is not */
};
struct keep_rule { /* samples of points that these families of uploads bring */
    const char *families; /* space-separated */
    int sample_days;
    const struct node *at;
};
struct storage_rule {
    int night_from, night_to;   /* hours of Beijing between which day chunks are made and old samples dropped */
    int sample_days;            /* samples are kept so long where no family says otherwise; hours for ever */
    struct keep_rule *keep;
    int keeps;
    int disk_warn, disk_refuse; /* percent in use: from the first it is told, from the second uploads wait (records never) */
};
struct intake_rule {           /* what one mine may ask of the door (engine/quota.c); files 0: a policy from before it, nobody waits */
    zb_time live_within;       /* an upload whose name is older belongs to a backlog */
    int64_t files, files_most; /* a second; saved up at most */
    int64_t bytes, bytes_most;
    int64_t mine_share, backlog_share; /* bytes between door and judge: of one mine, of all backlogs; a single larger upload comes in alone */
};
struct link_stream { /* a stream of required_streams, and what says that it comes */
    const char *key, *zh, *en;
    const char *types, *sensors; /* upload types, sensor types; space-separated */
    const struct node *at;
};
struct link_rule { /* links.yaml; required NULL: a policy from before it */
    const char *assumed;
    int trial_minutes, percent; /* minutes of data, least completeness */
    zb_time clock_max;
    int vanish_hours, bulk_points, bulk_percent;
    const char *required; /* SQL, ?1 a mine: stream, name */
    struct link_stream *stream;
    int streams;
};
struct shelf_rule {
    zb_time max;
};

struct policy {
    int refs;
    char hash[65];
    const char *dir, *name;
    const struct region *region;
    int regions;
    const struct format *format; /* in the order of their files */
    const struct format **format_by_type;
    int formats;
    const struct sensor_type *sensor;
    int sensors;
    const struct unit_rule *unit;
    int units;
    const struct limit_rule *limit;
    int limits;
    const struct joint_rule *joint;
    int joints;
    const char *short_code_province; /* mine codes of 9 digits begin with two digits of a city of this province; "" they do not */
    const struct conversion *conversion;
    int conversions;
    int limits_pending; /* tables known to exist and not yet seen */
    const struct loc_pattern *pattern;
    int patterns;
    struct kind_rule kind[ALARM_KINDS_N];
    const struct cause *cause;
    int causes;
    const struct role_rule *role;
    int roles;
    struct silence_rule silence;
    struct shelf_rule shelf;
    struct storage_rule storage;
    struct intake_rule intake;
    struct link_rule link;
    struct code_list *list;
    int lists;
    struct code_table *table;
    int tables;
    struct ladder *ladder;
    int ladders;
    struct calendar_day *calendar; /* exceptions of the five-day week, rising */
    int calendar_days;
    struct ledger *ledger;
    int ledgers;
    struct import_profile *import;
    int imports;
    struct action_plan plan;
    struct plan_area *area;
    int areas;
    struct rule_file *rule_file, *insight_file;
    int rule_files, insight_files;
    const struct rule **rule; /* of all files */
    int rules;
    struct follow_rules follow;
    struct indicator_file *indicator_file;
    int indicator_files;
    struct indicator *indicator; /* of all files, readings behind their default */
    int indicators;
    struct light_rule light;
    struct site_rule site;
    struct detect_policy detect;
    struct clue_rule clue;
    struct channel_rule *channel;
    int channels;
    zb_time receipt_wait, retry[10]; /* an urgent notice without receipt goes to the next person; waits between tries */
    int retries;
    const char *const *no_value;
    int no_values;          /* words that mean "no value": null, NULL, -, -- … */
    int bad_record_percent; /* more bad records than this: the file is refused */
    struct page_style *page;
    int pages;
    struct letter_rule *letter;
    int letters;
    struct forecast_policy forecast;
    struct basemap basemap;
    struct screen_group *screen_group;
    int screen_groups;
    struct screen *screen;
    int screens;
    struct statistic *statistic;
    int statistics;
    struct arena *arena;
};

/* ZB_E_INPUT: e says file:line:column and what is allowed. *ret holds one reference. */
ZB_MUST int policy_load(const char *dir, struct policy **ret, struct zb_err *e);
struct policy *policy_ref(struct policy *p); /* atomic */
void policy_unref(struct policy *p);         /* atomic; the last one frees */
/* Formats of this type token, whatever its letters' case: one token means different things in different families. Returns how many. */
int policy_formats(const struct policy *p, struct str type, const struct format *const **ret);
const struct format *policy_format(const struct policy *p, struct str type); /* the first of them; NULL: unknown */
int policy_ledger(const struct policy *p, struct str key);                   /* index, also by its number ("L10"); -1 */
const struct rule *policy_rule(const struct policy *p, struct str id);       /* NULL: unknown */
/* The county of an address, by its names of today or before; city when only that is named; NULL. */
const struct region *policy_region_of(const struct policy *p, struct str address);
bool policy_work_day(const struct policy *p, int32_t day);
const struct region *policy_region(const struct policy *p, struct str code);
const struct role_rule *policy_role(const struct policy *p, struct str key);
bool policy_night(const struct policy *p, zb_time now); /* are these the hours of the night's work? */
int policy_sample_days(const struct policy *p, const char *family); /* how long samples of its points are kept; "" not known */
const struct sensor_type *policy_sensor_coded(const struct policy *p, struct str code); /* by its code or another family's; NULL */
/* Type by its Chinese name, else the only one measured in this unit; NULL. */
const struct sensor_type *policy_sensor(const struct policy *p, struct str zh, struct str unit);
/* The one way this policy writes a unit; NUL-ended, in the arena when it is not the policy's. */
const char *policy_unit(const struct policy *p, struct str unit, struct arena *a);
/* Class of a location by its Chinese text; "" when nothing matches. */
const char *policy_loc_class(const struct policy *p, struct str location);
/* Rows that hold for a point; returns how many, at most LIMIT_ROWS_MAX. */
#define LIMIT_ROWS_MAX 16
int policy_limit_rows(const struct policy *p, const char *loc_class, const char *sensor_type, const char *gas_class, int32_t day,
                      const struct limit_rule *ret[LIMIT_ROWS_MAX]);
/* Regulation's limits for a point: class (or "" → the strictest default of its sensor type), gas class, at a day.
 * *source gets the rule's source. All NONE if the sensor type has no rule. */
struct limits policy_limits(const struct policy *p, const char *loc_class, const char *sensor_type, const char *gas_class, int32_t day, const char **source);
