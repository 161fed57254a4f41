/* The story: one input of a mine is stepped through the detectors. Timers due before it fire first, at their due time. */
#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>

static int by_time(const void *a, const void *b) {
    const struct observation *x = a, *y = b;
    if (x->s.t != y->s.t) return x->s.t < y->s.t ? -1 : 1;
    return x->point.p < y->point.p ? -1 : x->point.p > y->point.p; /* cells lie in file order: a later record wins */
}

/* KGBH 开关变化: the new state of a switch at the moment it changed. */
static bool switch_of(const struct batch *b, const struct record *r, int point, int value, int time, struct observation *o) {
    (void)b;
    if (point < 0 || value < 0 || time < 0 || !zb_time_parse(r->cell[time], &o->s.t)) return false;
    o->point = r->cell[point];
    o->s.state = 0;
    if (!num_fix(r->cell[value], &o->s.v)) return false;
    return true;
}

int job_observe(const struct policy *p, struct job *j, struct zb_err *e) {
    const struct batch *b = &j->batch;
    struct str type = str_of(b->format->type);
    bool values = str_is(type, "CDSS") || str_is(type, "CSV"), switches = str_is(type, "KGBH");
    if (!values && !switches) return ZB_OK;
    j->obs = arena_alloc(j->arena, (size_t)(b->n + 1) * sizeof *j->obs);
    if (!j->obs) return zb_fail(e, ZB_E_LIMIT, "%s: %d records need more memory than one upload may take", j->name, b->n);
    const struct record_layout *l = &b->format->body;
    int kp = format_field(l, "point_code"), kv = format_field(l, "value"), kt = format_field(l, "time");
    bool rising = true;
    for (int i = 0; i < b->n; i++) {
        struct observation *o = &j->obs[j->nobs];
        if (values ? !sample_of(p, b, &b->rec[i], &o->point, &o->s) : !switch_of(b, &b->rec[i], kp, kv, kt, o)) continue;
        if (j->nobs && o->s.t < o[-1].s.t) rising = false;
        j->nobs++;
    }
    if (!rising) qsort(j->obs, (size_t)j->nobs, sizeof *j->obs, by_time);
    return ZB_OK;
}

static struct str cell(const struct batch *b, const struct record *r, const char *name) {
    int i = format_field(&b->format->body, name);
    return i < 0 ? (struct str){"", 0} : r->cell[i];
}
static zb_time cell_time(const struct batch *b, const struct record *r, const char *name) {
    zb_time t;
    return zb_time_parse(cell(b, r, name), &t) ? t : ZB_TIME_NONE;
}

static void step_define(struct engine *en, struct job *j) {
    for (int i = 0; i < j->batch.n; i++) {
        struct point_def def;
        if (point_of(en->policy, &j->batch, &j->batch.rec[i], &def)) mine_define(en->policy, j->mine->state, &def, j->received, &en->diffs);
    }
}

static void step_stations(struct engine *en, struct job *j) {
    for (int i = 0; i < j->batch.n; i++) {
        const struct record *r = &j->batch.rec[i];
        int64_t run;
        if (!num_i64(cell(&j->batch, r, "run"), 0, 9, &run)) continue;
        zb_time t = cell_time(&j->batch, r, "time");
        mine_station(en->policy, j->mine->state, cell(&j->batch, r, "station_code"), (int)run, t == ZB_TIME_NONE ? j->batch.time : t, j->received, &en->diffs);
    }
}

static void step_reported(struct engine *en, struct job *j) {
    for (int i = 0; i < j->batch.n; i++) {
        const struct record *r = &j->batch.rec[i];
        zb_fix peak;
        zb_time start = cell_time(&j->batch, r, "start");
        if (start == ZB_TIME_NONE) continue;
        if (!num_fix(cell(&j->batch, r, "max"), &peak)) peak = ZB_FIX_NONE;
        mine_reported(en->policy, j->mine->state, cell(&j->batch, r, "point_code"), cell(&j->batch, r, "abnormal_type"), start, cell_time(&j->batch, r, "end"),
                      peak, j->received, &en->diffs);
    }
}

static void step_values(struct engine *en, struct job *j) {
    for (int i = 0; i < j->nobs; i++)
        if (!mine_sample(en->policy, j->mine->state, j->obs[i].point, &j->obs[i].s, j->received, &en->diffs)) j->mine->link.late++;
}

static void step_link(struct job *j) {
    struct link *l = &j->mine->link;
    str_copy(str_of(j->name), l->last_file, sizeof l->last_file);
    l->last_received = j->received;
    zb_time sent = j->batch.time != ZB_TIME_NONE ? j->batch.time : j->batch.name_time;
    l->delay = sent == ZB_TIME_NONE ? ZB_TIME_NONE : j->received - sent;
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

static bool kept_whole(const char *type) { /* people files: the last of each is what "who is below" is read from */
    static const char *const T[] = {"RYXX", "RYQY", "RYJZ", "RYSS", "JZSS", "FZDY"};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++)
        if (!strcmp(T[i], type)) return true;
    return false;
}

void mine_step_tick(struct engine *en, struct mine *m, zb_time now) {
    if (mine_due(m->state) > now) return;
    pthread_mutex_lock(&m->lock);
    mine_tick(en->policy, m->state, now, &en->diffs);
    m->dirty = true;
    pthread_mutex_unlock(&m->lock);
    found_add(en, m, &en->diffs, en->input);
    en->diffs.n = 0;
}

static void step_upload(struct engine *en, struct job *j) {
    struct mine *m = j->mine;
    const char *type = j->batch.format->type;
    take_name(j);
    if (!strcmp(type, "CDDY"))
        step_define(en, j);
    else if (!strcmp(type, "FZSS"))
        step_stations(en, j);
    else if (!strcmp(type, "YCBJ"))
        step_reported(en, j);
    if (!strcmp(type, "CSV")) step_define(en, j); /* plain CSV defines its points as it goes */
    step_values(en, j);
    /* history brought in by hand and tables without a period say nothing about the link */
    if (strcmp(j->origin, "import") && strcmp(type, "CSV")) mine_heard(en->policy, m->state, j->received, &en->diffs);
    step_link(j);
    if (kept_whole(type)) latest_add(en, m, type, j->name, j->received, j->bytes, j->size);
}

/* What the ledgers know, as "name\ngas class"; an empty line keeps what was there. */
static void step_facts(struct job *j) {
    struct str gas, name = str_cut((struct str){j->bytes, j->size}, '\n', &gas);
    struct mine_facts *f = &j->mine->facts;
    if (name.n) str_copy(name, f->name, sizeof f->name);
    if (gas.p && gas.n) str_copy(gas, f->gas_class, sizeof f->gas_class);
    mine_facts_set(j->mine->state, f);
}

/* state: step detectors (not when a checkpoint already has it); series: put samples. On an error nothing of the input is lost: step it again. */
int batch_step(struct engine *en, struct job *j, bool state, bool series, struct zb_err *e) {
    struct mine *m = j->mine;
    if (series && j->nobs) {
        if (series_put_all(en->series, str_of(m->code), j->obs, j->nobs, e) != ZB_OK) return e->rc;
        en->unflushed += j->nobs;
    }
    if (state) {
        pthread_mutex_lock(&m->lock);
        if (j->kind == JOB_UPLOAD) {
            if (mine_due(m->state) <= j->received) mine_tick(en->policy, m->state, j->received, &en->diffs);
            step_upload(en, j);
        } else {
            step_facts(j);
        }
        m->dirty = true;
        if (!m->at) m->checkpoint = j->seq - 1;
        m->at = j->seq;
        pthread_mutex_unlock(&m->lock);
        found_add(en, m, &en->diffs, j->seq);
        en->diffs.n = 0;
    }
    if (j->batch.refused && j->kind == JOB_UPLOAD && state) refused_add(en, m->code, j->name, j->origin, j->reason, j->received);
    en->input = j->seq;
    return ZB_OK;
}
