/* What the files of src/engine/ share. */
#pragma once
#include "base/log.h"
#include "base/map.h"
#include "detect/clue.h"
#include "engine/engine.h"
#include "sense/sense.h"
#include "store/db.h"
#include <pthread.h>

struct mine {
    char code[24];
    struct mine_facts facts;
    struct mine_state *state;
    struct link link;
    struct linkage linkage;
    struct track_book *book; /* where its cards are; NULL: no position file yet */
    uint64_t checkpoint, at; /* input of the stored checkpoint; of the last step */
    bool dirty;              /* changed since the checkpoint */
    pthread_mutex_t lock;    /* facts, state and link: the judge writes, readers read */
    struct quota {           /* under q_lock */
        double files, bytes; /* saved up at `at` */
        zb_time at;          /* 0: never asked */
        int64_t held, waits; /* bytes between door and judge; how often a sender was told to wait */
        zb_time waited;      /* last time; ZB_TIME_NONE never */
    } quota;
    pthread_mutex_t door; /* stamp and put into the log as one step, so that a mine's order is the log's */
};

enum job_kind { JOB_UPLOAD, JOB_REFUSED, JOB_FACTS, JOB_SETTLE };
struct job {                           /* one input on its way to the judge; owns its arena and bytes */
    struct job *next, *before, *after; /* in the queue; among those stamped and not yet judged */
    bool flying;
    enum job_kind kind;
    uint64_t seq;
    zb_time received;
    size_t size;
    bool correction, digested;
    struct engine *en;
    struct ticket *ticket; /* of whom waits for it, NULL nobody; told when it is in the log, or (till_judged) judged and stored */
    bool till_judged;
    struct hold { /* counted in its mine's share, and in the backlogs' (quota.c) */
        struct mine *mine;
        int64_t bytes, backlog;
    } hold;
    unsigned char sha256[32];
    struct mine *mine;
    struct arena *arena;
    char *bytes;
    char name[160], origin[64], reason[400];
    struct batch batch;
    struct observation *obs;
    int nobs;
};

struct found {
    struct mine *mine;
    struct alarm alarm;
    uint64_t input;
    bool late;  /* found when the past was judged again */
    bool trial; /* its link is on trial: kept aside, no desk, no telephone */
};
struct refused {
    char mine[24], file[160], origin[64], reason[400];
    zb_time received;
};
struct latest {
    struct mine *mine;
    char type[16], name[160];
    zb_time received, t; /* t: the time it speaks of */
    char *bytes;
    size_t n;
};

struct track { /* a stay that ended or went on */
    struct mine *mine;
    char card[48], area[48], reader[64];
    zb_time since, until;
};

struct engine {
    char dir[400];
    int lock_fd;
    struct engine_hooks hooks;
    struct policy *policy;
    pthread_rwlock_t policy_lock;
    bool one_policy; /* replay by this policy alone, whatever was in force then */
    struct raw *raw;
    struct series *series;
    struct db *db;     /* the judge's */
    struct db *writer; /* acts and accounts, under writer_lock */
    pthread_mutex_t writer_lock;
    struct db *reader[16];
    int readers;
    pthread_mutex_t reader_lock;

    struct map mines; /* code → struct mine; never shrinks */
    struct map alias; /* another code of a mine → struct mine; written by the judge, under mines_lock */
    pthread_rwlock_t mines_lock;

    /* queue to the judge */
    struct job *head, *tail;
    int queue;
    int64_t queue_bytes;
    int64_t held_backlog; /* of all mines (quota.c) */
    pthread_mutex_t q_lock;
    pthread_cond_t q_more, q_less;
    struct job *fly_first, *fly_last;
    zb_time stamped; /* newest receive time given */
    bool stop;
    pthread_t judge;
    bool judging; /* the thread runs */

    /* the judge's own */
    uint64_t input;          /* last input stepped */
    uint64_t findings_input; /* findings of inputs up to this are stored */
    uint64_t oldest;         /* at start: what is after this must be stepped again */
    uint64_t flushed;        /* series durable up to this input */
    zb_time flushed_at, checkpoint_at;
    int64_t unflushed; /* samples put since */
    struct found *found;
    int nfound, cfound;
    struct refused *refused;
    int nrefused, crefused;
    struct latest *latest;
    int nlatest, clatest;
    struct track *tracks;
    int ntracks, ctracks;
    struct alarm_diffs diffs;
    struct map feeds; /* "mine/type/hour" → struct feed: counted since they were stored */
    uint64_t fed;     /* inputs up to this are in the table */
    zb_time fed_at;
    bool feed_soon; /* of a mine on trial there is something */
    size_t checkpoint_next;
    zb_time disk_at;  /* looked at */
    int disk;         /* percent in use, -1 unknown; atomic */
    zb_time night_at; /* when to look for the night's work again */
    int32_t forgot;   /* day of the last night whose old samples were dropped to the end */
    pthread_t jobs;   /* the night's judgement */
    bool jobbing, jobs_stop;
    bool packs_said;     /* every pack has its entry in the journal */
    uint64_t pack_from;  /* segments before this did not let themselves be packed */
    zb_time people_hour; /* last hour the people below were judged in */
    pthread_mutex_t jobs_lock;
    pthread_cond_t jobs_wake;
    pthread_t clerk; /* clocks of records and notices */
    bool clerking, clerk_stop;
    struct db *clerk_db;
    pthread_mutex_t clerk_lock;
    pthread_cond_t clerk_wake;
    pthread_t rules; /* rules over the ledgers */
    bool ruling, rules_stop;
    struct db *rules_db;
    pthread_mutex_t rules_lock;
    pthread_cond_t rules_wake;
    struct prover *prover; /* figures of the plan */
    pthread_t prove_thread;
    bool proving, prove_stop;
    pthread_mutex_t prove_lock;
    pthread_cond_t prove_wake;
    pthread_mutex_t trouble_lock;
    char trouble[300];
};

/* mines.c */
struct mine *mine_get(struct engine *en, struct str code); /* makes it when new */
void mines_free(struct engine *en);

/* batch.c: pure of files and databases but for series_put; fills en->found, latest, refused */
int job_observe(const struct policy *p, struct job *j, struct zb_err *e); /* the batch's samples, rising by time */
int batch_step(struct engine *en, struct job *j, bool state, bool series, struct zb_err *e);
void mine_step_tick(struct engine *en, struct mine *m, zb_time now);

/* linkage.c: lines of what officers decide about a link (engine_link_set), stepped in the log's order */
bool linkage_compares(const struct linkage *l, const char *family);
void linkage_see(struct linkage *l, const char *family, struct str point);
void linkage_aliases(struct engine *en, struct mine *m, struct str lines); /* takes mines_lock: not under m->lock */
void linkage_step(struct engine *en, struct mine *m, struct str lines, zb_time received);
void linkage_freeze(struct engine *en, const struct mine *m, struct buf *out);
int linkage_thaw(struct engine *en, struct mine *m, struct str lines, struct str clock, struct zb_err *e);
void linkage_done(struct linkage *l);
int linkage_rename(const struct linkage *l, struct job *j, struct zb_err *e);
struct mine *mine_resolve(struct engine *en, struct str code); /* by its own code or another mapped to it; makes it when new */
int facts_admit(struct engine *en, struct str who, struct str mine, struct str name, struct str lines, struct zb_err *e); /* door.c */

/* feed.c */
void feed_count(struct engine *en, struct mine *m, const struct job *j);
int feeds_store(struct engine *en, struct zb_err *e); /* one transaction; findings of the same inputs may come before or after */
bool feeds_due(const struct engine *en, zb_time now);
void feeds_drop(struct engine *en);

/* late.c */
int late_step(struct engine *en, struct mine *m, zb_time now, struct zb_err *e); /* judges the past again when that is due; on an error it stays due */

/* door.c */
int job_decode(const struct policy *p, struct job *j, struct str link, zb_time now, bool *truncated, struct zb_err *e);

/* quota.c */
/* Takes a place in the mine's quota for n bytes, and in the shares what quota_give returns. ZB_E_BUSY: *wait seconds until it is worth another try. */
int quota_take(struct engine *en, const struct intake_rule *r, struct mine *m, zb_time sent, size_t n, struct hold *ret, int *wait, struct zb_err *e);
void quota_give(struct engine *en, struct hold *h); /* under q_lock */

/* findings.c */
int findings_init(struct db *db, struct zb_err *e);
int findings_load(struct engine *en, struct zb_err *e);               /* mines, checkpoints */
int findings_store(struct engine *en, zb_time now, struct zb_err *e); /* one transaction; empties the lists on success, then tells the hooks */
/* checkpoint.c */
int meta_set(struct db *db, const char *key, uint64_t v, struct zb_err *e);
int findings_checkpoint(struct engine *en, size_t at_most, struct zb_err *e);
void found_add(struct engine *en, struct mine *m, const struct alarm_diffs *d, uint64_t input, bool late);
void refused_add(struct engine *en, const char *mine, const char *file, const char *origin, const char *reason, zb_time received);
void latest_add(struct engine *en, struct mine *m, const struct job *j);
void findings_drop(struct engine *en);

/* merge.c */
int merge_known(struct engine *en, const struct found *f, struct zb_err *e);
int merge_found(struct engine *en, const struct found *f, bool *gone, struct zb_err *e); /* after its row is stored; *gone: it is part of another */

/* judge.c */
int judge_start(struct engine *en, struct zb_err *e);
void judge_stop(struct engine *en);
void judge_room(struct engine *en);                 /* waits while the queue is full; before the append, for what is appended must come through */
void judge_queue(struct engine *en, struct job *j); /* of what is in the log: in the log's order */
void ticket_take(struct ticket *t, struct job *j);
int ticket_wait(struct engine *en, struct ticket *t, struct zb_err *e);
void ticket_tell(struct engine *en, struct job *j, int rc, const struct zb_err *e);
int judge_settle(struct engine *en, bool checkpoint, struct zb_err *e); /* on the judge's thread, or before it runs */
void job_free(struct job *j);
void job_stamp(struct engine *en, struct job *j); /* gives the receive time */
void job_drop(struct engine *en, struct job *j);  /* stamped, but not appended */

/* engine.c */
struct engine *engine_make(const char *dir);
void engine_free(struct engine *en);
int lock_dir(struct engine *en, struct zb_err *e);
void records_path(const char *dir, char *out, size_t cap); /* DIR/zhiben.db, or the address kept in DIR/db.url */
int open_stores(struct engine *en, const char *findings, struct zb_err *e);

/* night.c */
int disk_used(const char *dir, int64_t *free);
int disk_admits(struct engine *en, const struct policy *p, struct zb_err *e);
bool night_step(struct engine *en, zb_time now, bool idle);

/* tracks.c */
#define PEOPLE_BELOW "RYSS" /* what formats keep files of who is below, of areas and of readers under */
#define PEOPLE_AREAS "RYQY"
#define PEOPLE_READERS "RYJZ"
struct presence;
void tracks_step(struct engine *en, struct mine *m, const struct batch *b);
int tracks_store(struct engine *en, struct zb_err *e);
int tracks_read(struct db *db, const char *mine, zb_time from, zb_time to, struct arena *a, struct presence **ret, int *n, struct zb_err *e);
void track_book_free(struct track_book *b);
struct str batch_cell(const struct batch *b, int i, const char *name); /* "" when the format has no such field */
zb_time batch_cell_time(const struct batch *b, int i, const char *name, zb_time absent);

/* batch.c: the series of a mine's clock that files of a type make */
enum { CLOCK_CODE_CAP = 32, CLOCK_PERIOD_S = 300 };
#define CLOCK_FRESH (5 * ZB_MINUTE) /* what is older when it comes is a backlog */
void clock_code(const struct format *f, char out[CLOCK_CODE_CAP]);

/* clues.c: fresh: how many were not there before. ZB_OK also for a clue about a mine without a record: that is logged. */
int clues_store(struct engine *en, const struct policy *p, const struct clues *l, zb_time now, int *fresh, struct zb_err *e);
int clue_sql_check(struct db *db, const struct policy *p, struct zb_err *e);
/* jobs_people.c: who was below at a mine until now (or a past moment), as tracks and the last position file say, judged against the files of its persons; and
 * each hour of a day so, one clue of a kind and beginning */
int people_day(struct engine *en, const struct policy *p, const char *mine, zb_time day, struct clues *out, struct zb_err *e);
int people_look(struct engine *en, const struct policy *p, const char *mine, zb_time now, struct clues *out, struct zb_err *e);
struct people_in;
int areas_read(struct db *db, const struct policy *p, const char *mine, struct arena *a, struct people_in *in, struct zb_err *e);
/* jobs.c */
int jobs_start(struct engine *en, struct zb_err *e);
void jobs_stop(struct engine *en);

/* door.c: a model as an input of the mine; waits until it is judged */
#define MODEL_NAME "model"
int engine_model(struct engine *en, struct mine *m, struct str bytes, struct zb_err *e);
/* jobs_models.c */
int models_night(struct engine *en, const struct policy *p, int32_t day, int *fitted, struct zb_err *e);
int foreseen_tell(struct engine *en, const struct policy *p, zb_time now, int *clues, int *fresh, struct zb_err *e);

/* proving.c */
int proving_start(struct engine *en, struct zb_err *e);
void proving_stop(struct engine *en);
/* clerk.c */
int clerk_start(struct engine *en, struct zb_err *e);
void clerk_stop(struct engine *en);
void clerk_step(struct engine *en, zb_time now);

/* rules.c */
int rules_start(struct engine *en, struct zb_err *e);
void rules_stop(struct engine *en);

/* replay.c */
int replay_from(struct engine *en, uint64_t after, FILE *progress, struct zb_err *e);
int policy_keep(struct engine *en, struct zb_err *e);
void policy_put(struct engine *en, struct policy *p);        /* takes the reference; before the judge runs */
int replay_policy_kept(struct engine *en, struct zb_err *e); /* the one last in force here */
int engine_pause(struct engine *en, struct zb_err *e);       /* a stop of more than a minute is an input too: no silence is judged for it */
void step_resume(struct engine *en, uint64_t seq, zb_time now);
int tree_copy(const char *from, const char *to, int depth, struct zb_err *e); /* records a changed policy in the log and the journal, keeps its files */
