/* Wires the rooms: the door, the judge, the stores. engine_submit is the only way in for uploads, whatever inlet they came by.
 *
 * Threads: any number submit (name, size, decode, digest, durable append). One judge thread owns every mine's detector state and both
 * rebuildable stores: it takes inputs in the order of the fact log, fires timers due before each, steps the detectors and stores findings
 * with the number of the input they came from. Readers look at a mine under its own lock and at the database by handles of their own. */
#pragma once
#include "access/access.h"
#include "base/json.h"
#include "base/map.h"
#include "detect/detect.h"
#include "detect/skew.h"
#include "raw/raw.h"
#include "series/series.h"
#include <pthread.h>
#include <stdio.h>

struct engine;
struct engine_hooks { /* after what they tell is durable; on the judge thread; NULL: none */
    void (*alarm)(void *arg, const struct alarm *a, const char *region);
    void *arg;
};
/* Makes a data directory: policy copied into DIR/policy, stores, keys. ZB_E_CONFLICT: there is one already. */
ZB_MUST int engine_init(const char *dir, const char *policy_dir, const char *db_url,
                        struct zb_err *e); /* db_url: postgresql://… for records and findings; NULL: a file in DIR */
/* While DIR is served or not; FILE must not be there. Restore makes DIR. *files: how many the archive holds. */
ZB_MUST int engine_backup(const char *dir, const char *file, int *files, struct zb_err *e);
ZB_MUST int engine_restore(const char *dir, const char *file, int *files, struct zb_err *e);
/* What only a database can tell of a policy: every SQL in it is prepared on empty tables. */
ZB_MUST int engine_policy_check(const struct policy *p, struct zb_err *e);
/* Locks DIR (ZB_E_CONFLICT: somebody has it), cuts a torn tail, steps what was acknowledged but not yet judged. */
ZB_MUST int engine_open(const char *dir, const struct engine_hooks *h, struct engine **ret, struct zb_err *e);
void engine_close(struct engine *en); /* judges what is queued, writes a checkpoint */

struct upload_result { /* what one file came to */
    uint64_t seq;
    char mine[24], family[8], type[16];
    int records, accepted, refused;
    bool duplicate, correction, truncated;
    int wait;         /* ZB_E_BUSY: seconds */
    char reason[400]; /* "" when nothing was refused; the first reason otherwise */
};
/* Durable when it returns ZB_OK; judged and stored too when `wait`. mine: whose token or folder it came by ("" any: import by an operator).
 * ZB_E_INPUT/LIMIT: refused, kept visible with its reason in the link's list. ZB_E_IO: not acknowledged, send again. ZB_E_BUSY: the mine (or its
 * backlog) has more inside, or has sent more, than its share: send again after ret->wait seconds; an import is never told so. */
struct ticket { /* of an upload under way; the engine's own */
    pthread_cond_t wake;
    bool under_way, done;
    int rc;
    uint64_t seq;
    struct zb_err err;
};
/* In two steps, so that one sync serves several: what engine_submit_begin took (ZB_OK) must be ended, in any order; bytes may go in between, the ticket
 * may not. Not to be begun while one's own ended by nobody else fill the house: it may wait for the log and for room. */
ZB_MUST int engine_submit_begin(struct engine *en, struct str mine, struct str origin, struct str name, struct str bytes, bool wait, struct upload_result *ret,
                                struct ticket *t, struct zb_err *e);
ZB_MUST int engine_submit_end(struct engine *en, struct ticket *t, struct upload_result *ret, struct zb_err *e);
ZB_MUST int engine_submit(struct engine *en, struct str mine, struct str origin, struct str name, struct str bytes, bool wait, struct upload_result *ret,
                          struct zb_err *e);
/* An upload's reply, the same by every way in. code: why the whole file was refused, NULL none. */
void upload_json(struct json *j, struct str name, const struct upload_result *u, const char *code);
/* In which order what waits should come in: live by rising time, then of a backlog the definitions by rising time, then the rest, newest first. */
struct upload_order {
    int rank;
    zb_time t;
};
struct upload_order upload_order_of(const struct policy *p, struct str mine, struct str name, zb_time now);
int upload_order_cmp(const struct upload_order *a, const struct upload_order *b);
/* Seconds such an upload would be told to wait, 0 none: asked before its bytes are read. Nothing is taken. */
int engine_wait(struct engine *en, struct str mine, struct str name, size_t bytes);
/* Sets what the ledgers know of a mine ("" keeps). Goes through the fact log like any input. gas_class: "low", "high", "outburst". */
ZB_MUST int engine_mine_set(struct engine *en, struct str who, struct str mine, struct str name, struct str gas_class, struct zb_err *e);
/* What an officer decides about a mine's link, a line each; goes through the fact log like any input, and is in force when this returns.
 *   phase trial|live          trial: judged in the shadow. Live: what stands goes to the desk
 *   alias CODE, unalias CODE  files that carry this code are the mine's
 *   class POINT CLASS|-       location class as a person confirmed it
 *   compare FAMILY, judge FAMILY     samples of a compared family are kept beside, and no detector sees them
 *   twin FAMILY CODE POINT|-  CODE of a compared family is the same sensor as POINT */
ZB_MUST int engine_link_set(struct engine *en, struct str who, struct str mine, struct str lines, struct zb_err *e);
bool engine_alias_of(struct engine *en, struct str code, struct str mine);                                  /* code is mapped to this mine */
int engine_aliases(struct engine *en, struct str mine, void (*fn)(void *arg, const char *code), void *arg); /* how many; fn may be NULL */
void engine_settle(struct engine *en); /* returns when everything submitted before is judged and stored, series included */

/* Judges the whole fact log anew by the policy of each time, into fresh state and series, and compares. DIR must not be served.
 * *differ: alarms whose machine half is not what live judgement had stored. Officers' acts stay. */
struct rebuild_result {
    uint64_t inputs;
    int64_t alarms, differ;
    char first[400]; /* the first that differs: as judged anew, and as stored */
};
ZB_MUST int engine_rebuild(const char *dir, FILE *progress, struct rebuild_result *ret, struct zb_err *e);

/* Takes over a past of records (ledger/past.c), then (fn not NULL) asks every rule what it finds on the day `until`. DIR must not be served. */
struct past_result;
struct rule_hit;
ZB_MUST int engine_past(const char *dir, const char *folder, zb_time until, FILE *progress, int (*fn)(void *arg, const struct rule_hit *h, struct zb_err *e),
                        void *arg, struct past_result *ret, struct zb_err *e);

/* Judges one day of every mine: sensor-days, copies between points and mines, mines that should stand still; clues become records as of `now`. The same day
 * again gives the same clues. The engine does this itself each night while it serves. */
struct night_result {
    int mines, points, stops, clues, fresh; /* fresh: clues that were not there before */
    int models;                             /* of forecasts, fitted anew */
    bool whole;                             /* not cut short by a stop */
};
ZB_MUST int engine_night(struct engine *en, int32_t day, zb_time now, struct night_result *ret, struct zb_err *e);
/* Packs what closed segments of the fact log are not packed yet, and puts what each holds into the journal. One that does not check stays as it is and is told.
 * A pack that a stop left without its entry gets it first. The engine does this itself by night while it serves. */
struct pack_result {
    int segments, failed;
    int64_t records, before, after; /* bytes */
    char why[300];                  /* of the first that failed */
};
ZB_MUST int engine_pack(struct engine *en, struct pack_result *ret, struct zb_err *e);
/* Reads every packed segment of DIR again and compares it with what the journal of `db` says of it; where all are as it says, `what` names the first that it does
 * not speak of (a stop came between pack and entry). */
struct evidence_check {
    int64_t packs, records;
    int64_t bad_seq; /* journal entry of the first that differs or cannot be read; 0 none */
    int64_t unsaid;  /* packs that no entry speaks of: the next packing looks at them and says what they hold */
    char what[300];
};
ZB_MUST int evidence_verify(struct db *db, const char *dir, struct evidence_check *ret, struct zb_err *e);
/* The people below by each mine's last position file. The engine does this itself each hour while it serves. */
ZB_MUST int engine_people(struct engine *en, zb_time now, int *clues, int *fresh, struct zb_err *e);

/* What another policy would have found in the whole log: alarms raised from `from` on that only one side has, or both with another level, limit or end.
 * DIR is only read, served or not; fn may be NULL. */
struct whatif {
    const char *change; /* "new", "gone", "changed" */
    char mine[24], point[48];
    enum alarm_kind kind;
    enum alarm_level level, was_level;
    zb_time raised, cleared;
    zb_fix peak, limit, was_limit;
};
struct whatif_result {
    uint64_t inputs;
    int64_t fresh, gone, changed;
};
typedef void engine_whatif_fn(void *arg, const struct whatif *w);
ZB_MUST int engine_whatif(const char *dir, const char *policy_dir, zb_time from, FILE *progress, engine_whatif_fn *fn, void *arg, struct whatif_result *ret,
                          struct zb_err *e);

/* Figures of the plan are up to date when this returns, or follow by themselves within seconds where the directory is served. */
ZB_MUST int engine_figures(struct engine *en, struct zb_err *e);
void engine_records(const struct engine *en, char *out, size_t cap); /* path or address of the database of records: a secret */

/* ---- reading ---- */
struct link {
    char last_file[120];
    zb_time last_received, delay;
    int64_t files, records, refused, duplicates, late;
};
struct linkage {
    bool trial;
    char compared[80]; /* families, space-separated */
    struct map twin;   /* "FAMILY/CODE" → char *: the judged point it is compared with */
    struct map seen;   /* "FAMILY/POINT": which family a point came by, while on trial; for compared families always */
    struct skew clock;
};
struct link_wait {       /* since the start of the program */
    int64_t held, waits; /* bytes inside; how often a sender was told to wait */
    zb_time last;
};
struct mine_view {
    const char *code, *name, *region, *gas_class;
    const struct link *link;
    const struct linkage *linkage;
    struct link_wait wait;
    zb_time heard;
    const struct mine_state *state;
};
/* Calls fn for each mine by rising code with the mine locked; a non-zero return ends. mine "": all. Returns how many were seen. */
int engine_mines(struct engine *en, struct str mine, int (*fn)(void *arg, const struct mine_view *v), void *arg);
struct policy *engine_policy(struct engine *en); /* a reference: policy_unref it */
struct series *engine_series(struct engine *en);
const char *engine_dir(const struct engine *en);
/* Handles: a reader from a small pool, the one writer handle under its lock (for acts and accounts). Give back what was taken. */
struct db *engine_reader(struct engine *en, struct zb_err *e);
void engine_reader_back(struct engine *en, struct db *db);
struct db *engine_writer(struct engine *en);
void engine_writer_back(struct engine *en);
/* Runs the rules now over the province (site 0) or one mine, keeps the hits and writes what follows from the new ones. `look` reads. */
struct hits_sum;
ZB_MUST int engine_rules_run(struct engine *en, struct db *look, int64_t site, zb_time now, struct hits_sum *ret, struct zb_err *e);
struct engine_stat {
    int queue;
    int64_t queue_bytes;
    zb_time lag;
    uint64_t inputs, judged;
    struct raw_stat raw;
    int64_t disk_free;
    int disk_used;     /* percent; -1 unknown */
    char trouble[300]; /* "" all well */
};
void engine_stats(struct engine *en, struct engine_stat *ret);
