/* The story: one input of a mine is stepped through the detectors. Timers due before it fire first, at their due time. */
#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>

static int by_time(const void *a, const void *b) {
    const struct observation *x = a, *y = b;
    if (x->s.t != y->s.t) return x->s.t < y->s.t ? -1 : 1;
    return x->point.p < y->point.p ? -1 : x->point.p > y->point.p; /* cells lie in file order: a later record wins */
}

int job_observe(const struct policy *p, struct job *j, struct zb_err *e) {
    const struct batch *b = &j->batch;
    struct observation one[FACTS_MAX];
    if (!(b->format->has & 1u << FACT_SAMPLE)) return ZB_OK;
    int many = 0;
    for (int k = 0; k < b->format->facts; k++) many += b->format->fact[k].kind == FACT_SAMPLE;
    int convert = conversions_of(p, b->mine);
    size_t cap = (size_t)(b->n + 1) * (size_t)many * (size_t)(1 + convert);
    j->obs = cap < INT32_MAX ? arena_alloc(j->arena, cap * sizeof *j->obs) : NULL;
    bool rising = true;
    for (int i = 0; i < b->n && j->obs; i++) {
        int n = samples_of(p, b, i, j->arena, one);
        for (int k = 0; k < n; k++) {
            if (j->nobs && one[k].s.t < j->obs[j->nobs - 1].s.t) rising = false;
            j->obs[j->nobs++] = one[k];
        }
    }
    if (!j->obs || arena_over(j->arena)) return zb_fail(e, ZB_E_LIMIT, "%s: %d records need more memory than one upload may take", j->name, b->n);
    int raw = j->nobs;
    if (convert) j->nobs = observations_convert(p, b->mine, j->obs, j->nobs, (int)cap, j->arena);
    if (!rising || j->nobs > raw) qsort(j->obs, (size_t)j->nobs, sizeof *j->obs, by_time);
    return ZB_OK;
}

static zb_time sent_of(const struct job *j) { return j->batch.time != ZB_TIME_NONE ? j->batch.time : j->batch.name_time; }

/* A definition out of a backlog says how a point was, not how it is: it stands only where there is none yet. */
static bool outdated(const struct engine *en, const struct job *j, const struct point_def *def) {
    zb_time sent = sent_of(j);
    struct point_now now;
    if (!en->policy->intake.files || sent == ZB_TIME_NONE || !mine_point(j->mine->state, str_of(def->code), &now)) return false;
    return now.defined && now.last.t != ZB_TIME_NONE && sent < now.last.t - en->policy->intake.live_within;
}

static void step_define(struct engine *en, struct job *j) {
    struct point_def def[FACTS_MAX];
    for (int i = 0; i < j->batch.n; i++)
        for (int k = 0, n = points_of(en->policy, &j->batch, i, j->arena, def); k < n; k++)
            if (!outdated(en, j, &def[k])) mine_define(en->policy, j->mine->state, &def[k], j->received, &en->diffs);
}

static void step_stations(struct engine *en, struct job *j) {
    struct station_state s[FACTS_MAX];
    for (int i = 0; i < j->batch.n; i++)
        for (int k = 0, n = stations_of(en->policy, &j->batch, i, j->arena, s); k < n; k++)
            mine_station(en->policy, j->mine->state, s[k].station, s[k].run, s[k].t, j->received, &en->diffs);
}

/* What a file out of a backlog says stands, stood when the file was made: whether it stands still, only what is live can say. */
static void step_told(struct engine *en, struct job *j) {
    struct event v[FACTS_MAX];
    zb_time sent = sent_of(j);
    bool past = en->policy->intake.files && sent != ZB_TIME_NONE && sent < j->received - en->policy->intake.live_within;
    for (int i = 0; i < j->batch.n; i++)
        for (int k = 0, n = events_of(en->policy, &j->batch, i, j->arena, v); k < n; k++) {
            v[k].past = past && v[k].end == ZB_TIME_NONE;
            if (v[k].past) v[k].end = sent > v[k].start ? sent : v[k].start;
            mine_told(en->policy, j->mine->state, &v[k], j->received, &en->diffs);
        }
}

/* A point nobody has defined yet becomes what its first sample says of it, before that sample is judged. */
static void step_values(struct engine *en, struct job *j) {
    struct mine_state *m = j->mine->state;
    for (int i = 0; i < j->nobs; i++) {
        const struct observation *o = &j->obs[i];
        struct point_def def;
        if (o->quiet) continue;
        int known = mine_points(m);
        bool judged = mine_sample(en->policy, m, o->point, &o->s, j->received, &en->diffs);
        if (j->mine->linkage.trial) linkage_see(&j->mine->linkage, j->batch.format->family, o->point);
        if (mine_points(m) > known && sample_point(en->policy, &j->batch, o->from, j->arena, &def)) {
            mine_define(en->policy, m, &def, j->received, &en->diffs);
            judged = mine_sample(en->policy, m, o->point, &o->s, j->received, &en->diffs);
        }
        j->mine->link.late += !judged;
    }
}

static void step_link(struct job *j) {
    struct link *l = &j->mine->link;
    str_copy(str_of(j->name), l->last_file, sizeof l->last_file);
    l->last_received = j->received;
    zb_time sent = sent_of(j);
    l->delay = sent == ZB_TIME_NONE ? ZB_TIME_NONE : j->received - sent;
    if (sent != ZB_TIME_NONE && strcmp(j->origin, "import")) skew_add(&j->mine->linkage.clock, j->received, l->delay);
    l->files++;
    l->records += j->batch.n + j->batch.refused;
    l->refused += j->batch.refused;
}

static void take_name(struct job *j) { /* the mine's name stands in every header of the families that have it */
    int i = format_field(&j->batch.format->header, "mine_name");
    if (i < 0) i = format_field(&j->batch.format->header, "name");
    if (i < 0 || !j->batch.header[i].n || j->batch.header[i].n >= sizeof j->mine->facts.name) return;
    if (str_is(j->batch.header[i], j->mine->facts.name)) return;
    str_copy(j->batch.header[i], j->mine->facts.name, sizeof j->mine->facts.name);
    mine_facts_set(j->mine->state, &j->mine->facts);
}

void mine_step_tick(struct engine *en, struct mine *m, zb_time now) {
    struct zb_err e;
    if (late_step(en, m, now, &e) != ZB_OK) log_event("event=late_failed mine=%s reason=\"%s\" next=\"tried again\"", m->code, e.msg);
    if (mine_due(m->state) > now) return;
    pthread_mutex_lock(&m->lock);
    mine_tick(en->policy, m->state, now, &en->diffs);
    m->dirty = true;
    pthread_mutex_unlock(&m->lock);
    found_add(en, m, &en->diffs, en->input, false);
    en->diffs.n = 0;
}

/* What a compared family says is kept beside: no definition, no event, no detector. */
static void step_compared(struct job *j) {
    const char *family = j->batch.format->family;
    size_t tail = strlen(family) + 1; /* "@F3" */
    for (int i = 0; i < j->nobs; i++) linkage_see(&j->mine->linkage, family, (struct str){j->obs[i].point.p, j->obs[i].point.n - tail});
}

static void step_judged(struct engine *en, struct job *j) {
    const struct format *f = j->batch.format;
    take_name(j);
    if (f->has & 1u << FACT_DEFINE) step_define(en, j);
    if (f->has & 1u << FACT_STATION) step_stations(en, j);
    if (f->has & 1u << FACT_EVENT) step_told(en, j);
    step_values(en, j);
}

static void step_upload(struct engine *en, struct job *j, bool compared) {
    struct mine *m = j->mine;
    const struct format *f = j->batch.format;
    if (compared)
        step_compared(j);
    else
        step_judged(en, j);
    /* history brought in by hand and tables without a period say nothing about the link */
    if (strcmp(j->origin, "import") && f->link) mine_heard(en->policy, m->state, f->period_s * ZB_SECOND, j->received, &en->diffs);
    step_link(j);
    if (f->keep[0] && !compared) latest_add(en, m, j);
    if (!compared && !strcmp(f->keep, PEOPLE_BELOW)) tracks_step(en, m, &j->batch);
}

/* What the ledgers know, as "name\ngas class"; an empty line keeps what was there. */
static void step_facts(struct job *j) {
    struct str gas, name = str_cut((struct str){j->bytes, j->size}, '\n', &gas);
    struct mine_facts *f = &j->mine->facts;
    if (name.n) str_copy(name, f->name, sizeof f->name);
    if (gas.p && gas.n) str_copy(gas, f->gas_class, sizeof f->gas_class);
    mine_facts_set(j->mine->state, f);
}

/* What the ledgers know, or a model that a night fitted (engine_model). */
static void step_told_of(struct engine *en, struct job *j) {
    if (strcmp(j->name, MODEL_NAME))
        step_facts(j);
    else if (!mine_model(en->policy, j->mine->state, (struct str){j->bytes, j->size}))
        log_event(
            "event=model_dropped mine=%s input=%llu reason=\"damaged, of another version, or of a point that is not there\" next=\"the next night fits anew\"",
            j->mine->code, (unsigned long long)j->seq);
}

void clock_code(const struct format *f, char out[CLOCK_CODE_CAP]) { snprintf(out, CLOCK_CODE_CAP, ".clock.%.20s", f->type); }

/* What the clock of the devices says beside the time their file came: kept as a series of the mine, one a type of file, for the night (jobs.c). A backlog, and what
 * is brought in by hand, is judged by its own stamp: when the mine's host made it. */
static int clock_put(struct engine *en, struct job *j, struct zb_err *e) {
    const struct format *f = j->batch.format;
    zb_time newest = ZB_TIME_NONE, made = j->batch.name_time;
    if (j->kind != JOB_UPLOAD || !f->link || f->period_s > CLOCK_PERIOD_S) return ZB_OK;
    for (int i = 0; i < j->nobs; i++)
        if (!j->obs[i].quiet && j->obs[i].s.t > newest) newest = j->obs[i].s.t;
    if (newest == ZB_TIME_NONE) return ZB_OK;
    if (strcmp(j->origin, "import") && (made == ZB_TIME_NONE || j->received - made <= CLOCK_FRESH)) made = j->received;
    if (made == ZB_TIME_NONE || llabs(made - newest) > 30 * ZB_DAY) return ZB_OK;
    char code[CLOCK_CODE_CAP];
    clock_code(f, code);
    struct observation o = {.point = str_of(code), .s = {made, (made - newest) * (ZB_FIX_ONE / ZB_SECOND), 0}, .quiet = true};
    en->unflushed++;
    return series_put_all(en->series, str_of(j->mine->code), str_of(f->family), &o, 1, e);
}

/* state: step detectors (not when a checkpoint already has it); series: put samples. On an error nothing of the input is lost: step it again. */
int batch_step(struct engine *en, struct job *j, bool state, bool series, struct zb_err *e) {
    struct mine *m = j->mine;
    bool facts = j->kind == JOB_FACTS && !strcmp(j->name, "link"), compared = j->kind == JOB_UPLOAD && linkage_compares(&m->linkage, j->batch.format->family);
    if (compared && linkage_rename(&m->linkage, j, e) != ZB_OK) return e->rc;
    /* what follows lies in the series by the new words: nothing before may be put there again by a restart that already knows them */
    if (facts && series && series_flush(en->series, en->input, e) != ZB_OK) return e->rc;
    if (series && j->nobs) {
        if (series_put_all(en->series, str_of(m->code), str_of(j->batch.format->family), j->obs, j->nobs, e) != ZB_OK) return e->rc;
        en->unflushed += j->nobs;
        if (clock_put(en, j, e) != ZB_OK) return e->rc;
    }
    if (state) {
        if (late_step(en, m, j->received, e) != ZB_OK) return e->rc;
        if (facts) linkage_aliases(en, m, (struct str){j->bytes, j->size});
        pthread_mutex_lock(&m->lock);
        if (j->kind == JOB_UPLOAD) {
            if (mine_due(m->state) <= j->received) mine_tick(en->policy, m->state, j->received, &en->diffs);
            step_upload(en, j, compared);
        } else if (facts) {
            linkage_step(en, m, (struct str){j->bytes, j->size}, j->received);
        } else {
            step_told_of(en, j);
        }
        m->dirty = true;
        if (!m->at) m->checkpoint = j->seq - 1;
        m->at = j->seq;
        pthread_mutex_unlock(&m->lock);
        found_add(en, m, &en->diffs, j->seq, false);
        en->diffs.n = 0;
    }
    if (j->batch.refused && j->kind == JOB_UPLOAD && state) refused_add(en, m->code, j->name, j->origin, j->reason, j->received);
    if (j->kind == JOB_UPLOAD) feed_count(en, m, j);
    en->input = j->seq;
    return ZB_OK;
}
