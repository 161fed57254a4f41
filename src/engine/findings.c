#include "audit/audit.h"
#include "detect/warn.h"
#include "engine/inside.h"
#include "notify/notify.h"
#include "prove/facts.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const MIGRATIONS[] = {
    "create table meta(key text primary key, value integer not null) strict;"
    "create table alarm("
    " id text primary key, mine text not null, point text not null, kind integer not null, level integer not null,"
    " raised integer not null, cleared integer, last integer not null, peak integer, lim integer, labels integer not null,"
    " count integer not null, grp text not null, note text not null, region text not null, location text not null, unit text not null,"
    " input integer not null, judged integer not null,"
    /* the officer's half: never written by the judge */
    " state integer not null default 0, acked integer, acked_by text, cause text, cause_note text, caused integer, caused_by text,"
    " measure text, measured integer, measured_by text, verified integer, verified_by text, closed integer, closed_by text,"
    " shelved_until integer, shelved_by text, shelf_approver text, shelf_reason text) strict;"
    "create index alarm_mine on alarm(mine, raised);"
    "create index alarm_open on alarm(level, raised) where state < 5 or cleared is null;"
    "create index alarm_raised on alarm(raised);"
    "create table checkpoint("
    " mine text primary key, input integer not null, name text not null, region text not null, gas_class text not null, state blob not null,"
    " last_file text not null, last_received integer, delay integer, files integer not null, records integer not null, refused integer not null,"
    " duplicates integer not null, late integer not null) strict;"
    "create table refusal(id integer primary key, mine text not null, file text not null, origin text not null, received integer not null, reason text not "
    "null) strict;"
    "create index refusal_mine on refusal(mine, id);"
    "create table latest(mine text not null, type text not null, received integer not null, file text not null, bytes blob not null, primary key(mine, type)) "
    "strict;",
    /* late: found when the past was judged again; merged: the earlier beginning that late data gave it */
    "alter table alarm add column late integer not null default 0; alter table alarm add column merged text;",
    /* score: hundredths, of days with something to tell; parts: {detector: hundredths} */
    "create table sensor_day(mine text not null, point text not null, day integer not null, score integer not null, grade integer not null, parts text not "
    "null,"
    " primary key(mine, point, day)) strict;",
    /* links: alarms of mines on trial; what came by kind and hour of the data; who opened and accepted a link, with the report as it was accepted; values read
       at the mine beside ours. t of latest: the time the file speaks of */
    "create table trial_alarm("
    " id text primary key, mine text not null, point text not null, kind integer not null, level integer not null,"
    " raised integer not null, cleared integer, last integer not null, peak integer, lim integer, labels integer not null,"
    " count integer not null, grp text not null, note text not null, region text not null, location text not null, unit text not null,"
    " input integer not null, judged integer not null, late integer not null default 0) strict;"
    "create index trial_alarm_mine on trial_alarm(mine, raised);"
    "create table feed_hour(mine text not null, type text not null, hour integer not null, files integer not null, records integer not null, refused integer "
    "not "
    "null, doubled integer not null, primary key(mine, type, hour)) strict;"
    "create table onboarding(mine text primary key, opened integer not null, opened_by text not null, accepted integer, accepted_by text, note text not null "
    "default '', report text) strict;"
    "create table sampled(id integer primary key, mine text not null, point text not null, t integer not null, v integer not null, way text not null, who text "
    "not null, entered integer not null, n integer not null, lo integer, hi integer, last integer) strict;"
    "create index sampled_mine on sampled(mine, t);"
    "alter table checkpoint add column linkage text not null default '';"
    "alter table checkpoint add column clock text not null default '';"
    "alter table latest add column t integer not null default 0;",
    /* the earliest and latest time of the data in the hour */
    "alter table feed_hour add column t0 integer not null default 0; alter table feed_hour add column t1 integer not null default 0;",
    /* why: rule and facts of a warning; note_en: its note in English. foreseen: warnings of hazards in the shadow, the machine's half only; clue: of which record */
    "alter table alarm add column why text not null default ''; alter table alarm add column note_en text not null default '';"
    "alter table trial_alarm add column why text not null default ''; alter table trial_alarm add column note_en text not null default '';"
    "create table foreseen(id text primary key, mine text not null, point text not null, hazard text not null, level integer not null, raised integer not null,"
    " cleared integer, last integer not null, note text not null, why text not null, input integer not null, clue text) strict;"
    "create index foreseen_new on foreseen(raised) where clue is null;",
    /* merged: also of what a mine told and we find ourselves (merge.c) */
    "alter table trial_alarm add column merged text;"
    "create index alarm_why on alarm(mine, why) where why<>'';"};

int findings_init(struct db *db, struct zb_err *e) {
    return db_migrate(db, "engine", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e) == ZB_OK ? facts_init(db, e) : e->rc;
}

static void *grow(void *list, int n, int *cap, size_t size) {
    if (n < *cap) return list;
    *cap = *cap ? 2 * *cap : 64;
    return xrealloc(list, (size_t)*cap * size);
}

void found_add(struct engine *en, struct mine *m, const struct alarm_diffs *d, uint64_t input, bool late) {
    for (int i = 0; i < d->n; i++) {
        en->found = grow(en->found, en->nfound, &en->cfound, sizeof *en->found);
        en->found[en->nfound++] = (struct found){m, d->a[i], input, late, m->linkage.trial};
    }
}

void refused_add(struct engine *en, const char *mine, const char *file, const char *origin, const char *reason, zb_time received) {
    en->refused = grow(en->refused, en->nrefused, &en->crefused, sizeof *en->refused);
    struct refused *r = &en->refused[en->nrefused++];
    str_copy(str_of(mine), r->mine, sizeof r->mine);
    str_copy(str_of(file), r->file, sizeof r->file);
    str_copy(str_of(origin), r->origin, sizeof r->origin);
    str_copy(str_of(reason), r->reason, sizeof r->reason);
    r->received = received;
}

/* A file that speaks of an earlier time than the one at hand, of this round or stored (store_latest), came late: it replaces nothing. */
void latest_add(struct engine *en, struct mine *m, const struct job *j) {
    const char *type = j->batch.format->keep;
    zb_time t = j->batch.time != ZB_TIME_NONE ? j->batch.time : j->batch.name_time != ZB_TIME_NONE ? j->batch.name_time : j->received;
    struct latest *l = NULL;
    for (int i = 0; i < en->nlatest && !l; i++)
        if (en->latest[i].mine == m && !strcmp(en->latest[i].type, type)) l = &en->latest[i];
    if (l && t < l->t) return;
    if (!l) {
        en->latest = grow(en->latest, en->nlatest, &en->clatest, sizeof *en->latest);
        l = &en->latest[en->nlatest++];
        *l = (struct latest){.mine = m};
        str_copy(str_of(type), l->type, sizeof l->type);
    }
    free(l->bytes);
    l->bytes = xstrndup(j->bytes, j->size);
    l->n = j->size;
    l->received = j->received;
    l->t = t;
    str_copy(str_of(j->name), l->name, sizeof l->name);
}

void findings_drop(struct engine *en) {
    for (int i = 0; i < en->nlatest; i++) free(en->latest[i].bytes);
    en->nfound = en->nrefused = en->nlatest = en->ntracks = 0;
}

static void point_words(struct mine *m, const struct alarm *a, char *location, size_t lcap, char *unit, size_t ucap) {
    struct point_now p;
    bool known = a->point[0] && mine_point(m->state, str_of(a->point), &p);
    snprintf(location, lcap, "%s", known ? p.def->location : "");
    snprintf(unit, ucap, "%s", known ? p.def->unit : "");
}

#define UPSERT(table)                                                                                                                                          \
    "insert into " table "(id,mine,point,kind,level,raised,cleared,last,peak,lim,labels,count,grp,note,region,location,unit,input,judged,late,why,note_en)"    \
    " values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22)"                                                                  \
    " on conflict(id) do update set level=?5,cleared=?7,last=?8,peak=?9,lim=?10,labels=?11,count=?12,grp=?13,note=?14,input=?18,why=?21,note_en=?22"           \
    " where level<>?5 or cleared is not ?7 or last<>?8 or peak is not ?9 or lim is not ?10 or labels<>?11 or count<>?12 or grp<>?13 or note<>?14"

#define UPSERT_FORESEEN                                                                                                                                        \
    "insert into foreseen(id,mine,point,hazard,level,raised,cleared,last,note,why,input,clue) values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,null)"                 \
    " on conflict(id) do update set level=?5,cleared=?7,last=?8,note=?9,why=?10,input=?11,clue=case when level<>?5 then null else clue end"

/* A warning of a hazard in the shadow: no alarm; it becomes a clue for its owner (jobs_models.c), once more when its level rises. */
static int foreseen_store(struct engine *en, const struct found *f, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, UPSERT_FORESEEN, e);
    if (!q) return e->rc;
    stmt_z(q, 1, a->id);
    stmt_z(q, 2, a->mine);
    stmt_z(q, 3, a->point);
    stmt_z(q, 4, a->group + sizeof ALARM_SHADOW - 1);
    stmt_i64(q, 5, a->level);
    stmt_time(q, 6, a->raised);
    stmt_time(q, 7, a->cleared);
    stmt_time(q, 8, a->last);
    stmt_z(q, 9, a->note);
    stmt_z(q, 10, a->why);
    stmt_i64(q, 11, (int64_t)f->input);
    return stmt_run(q, e);
}

/* One alarm's machine half; *changed: the row is not what it was; *gone: it is part of another. */
static int alarm_store(struct engine *en, const struct found *f, zb_time now, bool *changed, bool *gone, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    char location[128], unit[16];
    int known = merge_known(en, f, e);
    if (known) return known < 0 ? known : ZB_OK;
    point_words(f->mine, a, location, sizeof location, unit, sizeof unit);
    ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, f->trial ? UPSERT("trial_alarm") : UPSERT("alarm"), e);
    if (!q) return e->rc;
    stmt_z(q, 1, a->id);
    stmt_z(q, 2, a->mine);
    stmt_z(q, 3, a->point);
    stmt_i64(q, 4, a->kind);
    stmt_i64(q, 5, a->level);
    stmt_time(q, 6, a->raised);
    stmt_time(q, 7, a->cleared);
    stmt_time(q, 8, a->last);
    stmt_fix(q, 9, a->peak);
    stmt_fix(q, 10, a->limit);
    stmt_i64(q, 11, a->labels);
    stmt_i64(q, 12, a->count);
    stmt_z(q, 13, a->group);
    stmt_z(q, 14, a->note);
    stmt_z(q, 15, f->mine->facts.region);
    stmt_z(q, 16, location);
    stmt_z(q, 17, unit);
    stmt_i64(q, 18, (int64_t)f->input);
    stmt_time(q, 19, now);
    stmt_i64(q, 20, f->late);
    stmt_z(q, 21, a->why);
    stmt_z(q, 22, a->note_en);
    if (stmt_run(q, e) != ZB_OK) return e->rc;
    *changed = db_changes(en->db) > 0;
    return merge_found(en, f, gone, e);
}

static void digest_line(EVP_MD_CTX *md, const struct alarm *a) {
    char line[400];
    int n = snprintf(line, sizeof line, "%s|%d|%lld|%lld|%lld|%lld|%u\n", a->id, (int)a->level, (long long)a->raised, (long long)a->cleared, (long long)a->peak,
                     (long long)a->limit, a->labels);
    EVP_DigestUpdate(md, line, (size_t)n);
}

/* The journal keeps how many findings and their SM3, so that a row changed behind its back shows. */
static int journal_findings(struct engine *en, EVP_MD_CTX *md, int n, uint64_t input, zb_time now, struct zb_err *e) {
    unsigned char h[EVP_MAX_MD_SIZE];
    unsigned hn = 0;
    EVP_DigestFinal_ex(md, h, &hn);
    char body[200], hex[2 * EVP_MAX_MD_SIZE + 1];
    for (unsigned i = 0; i < hn; i++) snprintf(hex + 2 * i, 3, "%02x", h[i]);
    int bn = snprintf(body, sizeof body, "{\"alarms\":%d,\"sm3\":\"%s\"}", n, hex);
    char subject[40];
    int sn = snprintf(subject, sizeof subject, "input/%llu", (unsigned long long)input);
    return audit_append(en->db, now, STR("engine"), STR("findings"), (struct str){subject, (size_t)sn}, (struct str){body, (size_t)bn}, e);
}

/* Every red alarm that stands rings a phone: the notice is in the same transaction as the alarm. A backlog of days ago does not. */
static int ring(struct engine *en, const struct found *f, zb_time now, struct zb_err *e) {
    const struct alarm *a = &f->alarm;
    char dedup[60], body[900], body_en[900], v[ZB_FIX_CAP], t[ZB_TIME_CAP], location[128], unit[16];
    if (a->level != LEVEL_RED || a->cleared != ZB_TIME_NONE || now - a->raised > ZB_DAY) return ZB_OK;
    snprintf(dedup, sizeof dedup, "alarm/%s", a->id);
    point_words(f->mine, a, location, sizeof location, unit, sizeof unit);
    const char *mine = f->mine->facts.name, *place = location[0] ? location : a->point;
    zb_fix_text(a->peak, v);
    zb_time_text(a->raised, t);
    snprintf(body, sizeof body, "%s %s %s %s%s %s\n%s\n%s", mine, place, ALARM_KIND_ZH[a->kind], v, v[0] ? unit : "", t, a->note, a->point);
    snprintf(body_en, sizeof body_en, "%s %s %s %s%s %s\n%s\n%s", mine, place, ALARM_KIND_KEY[a->kind], v, v[0] ? unit : "", t, a->note_en, a->point);
    struct notice n = {dedup, a->id, f->mine->facts.region, ALARM_KIND_ZH[a->kind], ALARM_KIND_KEY[a->kind], body, body_en, true};
    return notify_put(en->db, &n, now, e);
}

static int store_found(struct engine *en, zb_time now, struct zb_err *e) {
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (!md || EVP_DigestInit_ex(md, EVP_sm3(), NULL) != 1) {
        EVP_MD_CTX_free(md);
        return zb_fail(e, ZB_E_IO, "SM3 is not available in this OpenSSL");
    }
    int n = 0, rc = ZB_OK;
    for (int i = 0; i < en->nfound && rc == ZB_OK; i++) {
        if (en->found[i].input < en->findings_input) continue; /* stored before a restart */
        bool changed = false, gone = false;
        if (alarm_shadow(&en->found[i].alarm)) {
            rc = foreseen_store(en, &en->found[i], e);
            en->found[i].alarm.id[0] = 0; /* nobody is told */
            continue;
        }
        rc = alarm_store(en, &en->found[i], now, &changed, &gone, e);
        if (rc == ZB_OK && changed && !en->found[i].trial) {
            digest_line(md, &en->found[i].alarm);
            n++;
            if (!gone) rc = ring(en, &en->found[i], now, e);
        } else {
            en->found[i].alarm.id[0] = 0; /* nothing new to tell, or not for the desk */
        }
    }
    if (rc == ZB_OK && n) rc = journal_findings(en, md, n, en->input, now, e);
    EVP_MD_CTX_free(md);
    return rc;
}

static int store_refused(struct engine *en, struct zb_err *e) {
    for (int i = 0; i < en->nrefused; i++) {
        const struct refused *r = &en->refused[i];
        ZB_AUTO(stmt_done) struct stmt *q = db_use(en->db, "insert into refusal(mine,file,origin,received,reason) values(?,?,?,?,?)", e);
        if (!q) return e->rc;
        stmt_z(q, 1, r->mine);
        stmt_z(q, 2, r->file);
        stmt_z(q, 3, r->origin);
        stmt_time(q, 4, r->received);
        stmt_z(q, 5, r->reason);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
        /* the newest 500 of a mine stay */
        ZB_AUTO(stmt_done)
        struct stmt *d =
            db_use(en->db, "delete from refusal where mine=?1 and id <= (select id from refusal where mine=?1 order by id desc limit 1 offset 500)", e);
        if (!d) return e->rc;
        stmt_z(d, 1, r->mine);
        if (stmt_run(d, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int store_latest(struct engine *en, struct zb_err *e) {
    for (int i = 0; i < en->nlatest; i++) {
        const struct latest *l = &en->latest[i];
        ZB_AUTO(stmt_done)
        struct stmt *q = db_use(en->db,
                                "insert into latest(mine,type,received,file,bytes,t) values(?1,?2,?3,?4,?5,?6)"
                                " on conflict(mine,type) do update set received=?3,file=?4,bytes=?5,t=?6 where latest.t<=?6",
                                e);
        if (!q) return e->rc;
        stmt_z(q, 1, l->mine->code);
        stmt_z(q, 2, l->type);
        stmt_time(q, 3, l->received);
        stmt_z(q, 4, l->name);
        stmt_blob(q, 5, (struct str){l->bytes, l->n});
        stmt_time(q, 6, l->t);
        if (stmt_run(q, e) != ZB_OK) return e->rc;
    }
    return ZB_OK;
}

static int store_all(struct engine *en, zb_time now, struct zb_err *e) {
    if (store_found(en, now, e) != ZB_OK || store_refused(en, e) != ZB_OK || store_latest(en, e) != ZB_OK || tracks_store(en, e) != ZB_OK) return e->rc;
    return en->nfound ? meta_set(en->db, "findings_input", en->input, e) : ZB_OK;
}

int findings_store(struct engine *en, zb_time now, struct zb_err *e) {
    if (!en->nfound && !en->nrefused && !en->nlatest && !en->ntracks) return ZB_OK;
    if (db_begin(en->db, e) != ZB_OK) return e->rc;
    if (store_all(en, now, e) != ZB_OK || db_commit(en->db, e) != ZB_OK) {
        db_rollback(en->db);
        return e->rc;
    }
    if (en->nfound && en->findings_input < en->input) en->findings_input = en->input;
    if (en->hooks.alarm)
        for (int i = 0; i < en->nfound; i++)
            if (en->found[i].alarm.id[0]) en->hooks.alarm(en->hooks.arg, &en->found[i].alarm, en->found[i].mine->facts.region);
    findings_drop(en);
    return ZB_OK;
}
