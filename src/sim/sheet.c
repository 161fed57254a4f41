/* Fills rows by field name, has the official encoder write them, and hands the file on, or keeps it while the line is down. */
#include "sim/inside.h"
#include <stdio.h>
#include <stdlib.h>

int sheet_begin(struct sheet *w, const struct sim *s, const char *type, struct zb_err *e) {
    *w = (struct sheet){.f = policy_format(s->p, str_of(type))};
    if (!w->f) return zb_fail(e, ZB_E_INPUT, "the policy has no format %s: the simulator needs formats/%s.yaml", type, type);
    w->a = arena_new((size_t)16 << 20);
    return ZB_OK;
}

static struct str keep(struct sheet *w, const char *z) {
    char *p = arena_str(w->a, str_of(z));
    if (!p) ZB_BUG("a simulated %s file is larger than its arena", w->f->type);
    return str_of(p);
}

struct str *sheet_row(struct sheet *w) {
    struct str *r = arena_alloc(w->a, (size_t)w->f->body.n * sizeof *r);
    if (!r) ZB_BUG("a simulated %s file is larger than its arena", w->f->type);
    for (int i = 0; i < w->f->body.n; i++) r[i] = STR("");
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->row = xrealloc(w->row, (size_t)w->cap * sizeof *w->row);
    }
    w->row[w->n++] = r;
    return r;
}

void sheet_set(struct sheet *w, struct str *row, const char *field, const char *text) {
    int i = format_field(&w->f->body, field);
    if (i < 0) ZB_BUG("format %s has no field %s", w->f->type, field);
    row[i] = keep(w, text);
}

static void header_fill(const struct sheet *w, const struct smine *m, const char *time, const char *approved, struct str *head) {
    const struct {
        const char *field, *text;
    } H[] = {{"mine", m->code},
             {"mine_name", m->name},
             {"time", time},
             {"model", "ZBSIM"},
             {"system", "模拟系统"},
             {"maker", "示范科技"},
             {"certificate_until", "2029-12-31"},
             {"approved_people", approved}};
    for (int i = 0; i < w->f->header.n; i++) {
        head[i] = STR("");
        for (size_t k = 0; k < sizeof H / sizeof *H; k++)
            if (!strcmp(w->f->header.f[i].name, H[k].field)) head[i] = str_of(H[k].text);
    }
}

static void hold(struct smine *m, const char *name, struct str bytes) {
    if (m->n_held == m->cap_held) {
        m->cap_held = m->cap_held ? 2 * m->cap_held : 32;
        m->held = xrealloc(m->held, (size_t)m->cap_held * sizeof *m->held);
    }
    struct held *h = &m->held[m->n_held++];
    str_copy(str_of(name), h->name, sizeof h->name);
    h->bytes = (struct str){xstrndup(bytes.p, bytes.n), bytes.n};
}

int held_send(struct outlet *o, struct zb_err *e) {
    struct smine *m = &o->s->m[o->mine];
    int rc = ZB_OK;
    for (int i = 0; i < m->n_held; i++) {
        if (rc == ZB_OK) rc = o->sink(o->arg, m->code, m->held[i].name, m->held[i].bytes, e);
        free((void *)m->held[i].bytes.p);
    }
    m->n_held = 0;
    return rc;
}

int sheet_end(struct sheet *w, struct outlet *o, bool even_empty, struct zb_err *e) {
    struct smine *m = &o->s->m[o->mine];
    struct str head[FORMAT_FIELDS_MAX];
    char time[ZB_TIME_CAP], stamp[ZB_TIME_CAP], approved[12], name[80];
    ZB_AUTO(buf_done) struct buf out;
    buf_init(&out, (size_t)4 << 20);
    int rc = ZB_OK;
    if (w->n || even_empty) {
        snprintf(approved, sizeof approved, "%d", m->people + 20);
        header_fill(w, m, zb_time_text(o->host, time), approved, head);
        rc = batch_encode(w->f, head, w->row, w->n, &out, e);
        snprintf(name, sizeof name, "%s_%s_%s.txt", m->code, w->f->type, zb_time_stamp(o->t, stamp));
        if (rc == ZB_OK && o->down)
            hold(m, name, buf_str(&out));
        else if (rc == ZB_OK)
            rc = o->sink(o->arg, m->code, name, buf_str(&out), e);
    }
    arena_free(w->a);
    free(w->row);
    *w = (struct sheet){0};
    return rc;
}
