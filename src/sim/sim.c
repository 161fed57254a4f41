/* Mines, steps of thirty seconds, and the run into a folder. Nothing here reads a clock but the live run. */
#include "sim/inside.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Real counties with coal; the mines in them are not real. */
static const char *const COUNTY[] = {"140214", "140303", "140403", "140525", "140623", "140729", "140826", "140981", "141002", "141182"};
static const char *const NUMBER[] = {"一", "二", "三", "四", "五", "六", "七", "八", "九", "十"};
enum { COUNTIES = sizeof COUNTY / sizeof *COUNTY };

static void mine_make(struct sim *s, int i) {
    struct smine *m = &s->m[i];
    snprintf(m->code, sizeof m->code, "%s9%05d", COUNTY[i % COUNTIES], i + 1);
    if (i < COUNTIES)
        snprintf(m->name, sizeof m->name, "示范%s矿", NUMBER[i]);
    else
        snprintf(m->name, sizeof m->name, "示范%d矿", i + 1);
    m->level = 0.85 + 0.3 * sim_uniform(s);
    m->people = 60 + (int)(sim_rnd(s) % 91);
    m->first_card = 1 + (int)(sim_rnd(s) % 9000);
    m->defined = ZB_TIME_NONE;
    m->stock = 20000;
    for (int k = 0; k < SPECS_N; k++) {
        bool gas = SPECS[k].role == R_CH4 || SPECS[k].role == R_CO;
        m->v[k] = SPECS[k].base * (gas ? m->level : 1.0);
        m->sw[k] = SWITCH_NONE;
        m->five[k].since = ZB_TIME_NONE;
        for (int j = 0; j < REPORT_KINDS; j++) m->alarm[k][j].since = ZB_TIME_NONE;
    }
}

int sim_new(const struct policy *p, const struct sim_config *c, struct sim **ret, struct zb_err *e) {
    if (c->mines < 1 || c->mines > 99999) return zb_fail(e, ZB_E_INPUT, "%d mines cannot be simulated: give 1 to 99999", c->mines);
    if (c->every < 0 || c->every % 30 != 0 || c->every > 3600)
        return zb_fail(e, ZB_E_INPUT, "an upload every %d seconds cannot be simulated: give a multiple of 30, at most 3600", c->every);
    if (!(c->hours > 0) || c->hours > 24 * 366) return zb_fail(e, ZB_E_INPUT, "%.3f hours cannot be simulated: give more than 0 and at most a year", c->hours);
    struct sim *s = xcalloc(1, sizeof *s);
    s->p = p;
    s->c = *c;
    s->rng[0] = c->seed * 0x9E3779B97F4A7C15u + 1;
    s->rng[1] = c->seed ^ 0xD1B54A32D192ED03u;
    for (int i = 0; i < 16; i++) (void)sim_rnd(s);
    buf_init(&s->truth, (size_t)1 << 20);
    s->m = xcalloc((size_t)c->mines, sizeof *s->m);
    s->start = s->at = c->start / SIM_STEP * SIM_STEP;
    if (!s->c.every) s->c.every = 30;
    for (int i = 0; i < c->mines; i++) mine_make(s, i);
    if (faults_plan(s, e) != ZB_OK) {
        sim_free(s);
        return e->rc;
    }
    *ret = s;
    return ZB_OK;
}

static int mine_step(struct sim *s, int i, zb_time t, sim_sink sink, void *arg, struct zb_err *e) {
    struct smine *m = &s->m[i];
    const struct planted *late = fault_on(s, i, -1, F_LATE, t), *drift = fault_on(s, i, -1, F_DRIFT, t), *games = fault_on(s, i, -1, F_CLOCK, t);
    zb_time back = t, until;
    bool down = late != NULL;
    if (late)
        back = late->to;
    else if ((down = sim_link_down(s, i, t, &until)))
        back = until;
    struct outlet o = {.s = s, .mine = i, .t = t, .device = t, .host = back, .sink = sink, .arg = arg, .down = down};
    if (games && t / (20 * ZB_MINUTE) % 3 == 2) o.device = t - ZB_HOUR; /* twenty minutes of each hour show the hour before */
    if (drift) {                                                        /* the clock loses four minutes little by little, then is set right */
        double into = (double)(t - drift->from) / (double)(drift->to - drift->from);
        o.device = t - (zb_time)(into * 240.0) * ZB_SECOND;
    }
    if (!o.down && m->n_held && held_send(&o, e) != ZB_OK) return e->rc;
    if (m->defined == ZB_TIME_NONE || t - m->defined >= ZB_DAY) {
        if (write_definitions(&o, e) != ZB_OK || write_people_master(&o, e) != ZB_OK || write_meters(&o, e) != ZB_OK) return e->rc;
        m->defined = t;
    }
    readings_next(s, i, t);
    if (t % (s->c.every * ZB_SECOND) != 0) return ZB_OK;
    if (write_readings(&o, e) != ZB_OK || write_reported(&o, e) != ZB_OK || write_statistics(&o, e) != ZB_OK || write_people(&o, e) != ZB_OK ||
        write_output(&o, e) != ZB_OK)
        return e->rc;
    return t % (5 * ZB_MINUTE) == 0 ? write_readers(&o, e) : ZB_OK;
}

int sim_step(struct sim *s, zb_time until, sim_sink sink, void *arg, struct zb_err *e) {
    for (; s->at < until; s->at += SIM_STEP, s->step++)
        for (int i = 0; i < s->c.mines; i++)
            if (mine_step(s, i, s->at, sink, arg, e) != ZB_OK) return e->rc;
    return ZB_OK;
}

struct str sim_truth(const struct sim *s) {
    return buf_str(&s->truth);
}

void sim_free(struct sim *s) {
    if (!s) return;
    for (int i = 0; i < s->c.mines; i++) {
        for (int k = 0; k < s->m[i].n_held; k++) free((void *)s->m[i].held[k].bytes.p);
        free(s->m[i].held);
    }
    buf_done(&s->truth);
    free(s->m);
    free(s);
}

/* ---- to a folder ---- */
static int file_put(const char *path, struct str bytes, struct zb_err *e) {
    char tmp[700];
    snprintf(tmp, sizeof tmp, "%.680s.tmp", path);
    FILE *f = fopen(tmp, "wb");
    bool ok = f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
    if (f && fclose(f) != 0) ok = false;
    return ok && rename(tmp, path) == 0 ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
}

static int to_folder(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e) {
    char path[680];
    snprintf(path, sizeof path, "%.500s/%s", (const char *)arg, mine);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%.500s/%s/%s", (const char *)arg, mine, name);
    return file_put(path, bytes, e);
}

static int run_past(struct sim *s, zb_time end, FILE *progress, struct zb_err *e) {
    bool show = progress && isatty(fileno(progress));
    while (s->at < end) {
        zb_time until = s->at + 10 * ZB_MINUTE;
        if (sim_step(s, until < end ? until : end, to_folder, (void *)s->c.out, e) != ZB_OK) return e->rc;
        if (show) fprintf(progress, "\r%lld of %lld minutes", (long long)((s->at - s->start) / ZB_MINUTE), (long long)((end - s->start) / ZB_MINUTE));
    }
    if (show) fputc('\n', progress);
    return ZB_OK;
}

static int run_live(struct sim *s, zb_time end, struct zb_err *e) {
    while (zb_now() < end) {
        if (sim_step(s, zb_now(), to_folder, (void *)s->c.out, e) != ZB_OK) return e->rc;
        nanosleep(&(struct timespec){0, 500000000}, NULL);
    }
    return ZB_OK;
}

int sim_run(const struct policy *p, const struct sim_config *c, FILE *progress, struct zb_err *e) {
    struct sim *s;
    char path[600];
    if (strlen(c->out) > 500) return zb_fail(e, ZB_E_INPUT, "the folder's name is longer than 500 bytes: %.80s...", c->out);
    if (sim_new(p, c, &s, e) != ZB_OK) return e->rc;
    zb_time end = s->start + (zb_time)(c->hours * (double)ZB_HOUR);
    int rc = ZB_OK;
    if (mkdir(c->out, 0755) != 0 && errno != EEXIST) rc = zb_fail(e, ZB_E_IO, "cannot make %s: %s", c->out, strerror(errno));
    if (rc == ZB_OK) rc = c->live ? run_live(s, end, e) : run_past(s, end, progress, e);
    snprintf(path, sizeof path, "%.500s/truth.jsonl", c->out);
    if (rc == ZB_OK && !c->live) rc = file_put(path, sim_truth(s), e); /* a live drop folder takes uploads only */
    sim_free(s);
    return rc;
}
