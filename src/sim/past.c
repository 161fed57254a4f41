/* The simulated past of the ledgers: events are told by those who live them, put in order month by month, and written as files that `zhiben history` reads. */
#include "sim/past.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t past_rnd(struct past_sim *s) {
    s->rng ^= s->rng << 13;
    s->rng ^= s->rng >> 7;
    return s->rng ^= s->rng << 17;
}

zb_time past_at(int32_t day, double hour, int salt) {
    return (zb_time)day * ZB_DAY - 8 * ZB_HOUR + (zb_time)(hour * (double)ZB_HOUR) + salt % 1000 * ZB_SECOND + salt % 997;
}

static char *ring(void) {
    static _Thread_local char text[16][100];
    static _Thread_local int at;
    return text[at++ % 16];
}
const char *dt(int32_t day) {
    char t[ZB_TIME_CAP], *out = ring();
    snprintf(out, 100, "%s", zb_day_text(day, t));
    return out;
}
const char *tm(zb_time at) {
    char t[ZB_TIME_CAP], *out = ring();
    snprintf(out, 100, "%s", zb_time_text(at, t));
    return out;
}
const char *by(const struct past_sim *s, const struct pmine *m, const char *role, const char *user) {
    char *out = ring();
    snprintf(out, 100, "%s %s.%s %s", role, user, s->body[m->body].area, s->body[m->body].area);
    return out;
}
const char *own(const struct pmine *m, const char *role) {
    char *out = ring();
    snprintf(out, 100, "%s %.3s.%s %s", role, role, m->code, m->code);
    return out;
}

int32_t month_day(int32_t any, int months, int day) { return zb_period_start(ZB_MONTH_UNIT, any, months) + day - 1; }

static bool holds(const struct list_item *it, const char *kind, int32_t day) {
    const char *kinds = it->kinds[0] ? it->kinds : it->edition ? it->edition->kinds : "";
    return it->from <= day && day <= it->to && (!kinds[0] || word_in(kinds, str_of(kind)));
}

/* A criterion that holds for this kind of mine on the day. */
const char *criterion_of(const struct past_sim *s, const struct pmine *m, int nth, int32_t day) {
    const struct ledger *l = &s->p->ledger[policy_ledger(s->p, STR("major_hazard"))];
    const struct code_list *list = l->field[lfield_find(l->field, l->fields, STR("criterion"))].list;
    int good = 0;
    for (int i = 0; i < list->items; i++) good += holds(&list->item[i], m->kind, day);
    for (int i = 0, k = good ? nth % good : 0; i < list->items; i++)
        if (holds(&list->item[i], m->kind, day) && k-- == 0) return list->item[i].key;
    return list->item[0].key;
}

void say(struct past_sim *s, zb_time at, const char *ledger, const char *key, const char *who, const char *act, const char *fmt, ...) {
    char *v = NULL;
    va_list ap;
    int l = policy_ledger(s->p, str_of(ledger));
    if (l < 0) {
        s->failed = true;
        return;
    }
    if (at > past_at(s->to, 23.9, 0)) return;
    ZB_AUTO(buf_done) struct buf b;
    va_start(ap, fmt);
    int n = vasprintf(&v, fmt, ap);
    va_end(ap);
    for (int i = 0; i < n; i++)
        if (v[i] == '\'') v[i] = '"';
    buf_init(&b, 1 << 20);
    buf_printf(&b, "\"id\":\"%s\",\"who\":\"%s\",\"act\":\"%s\",\"why\":\"%s\",\"v\":{%s}}\n", key, who, act, strcmp(act, "new") ? "按规定办理" : "",
               n < 0 ? "" : v);
    free(v);
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 65536;
        s->ev = realloc(s->ev, (size_t)s->cap * sizeof *s->ev);
    }
    if (!s->ev || b.over) abort();
    s->ev[s->n++] = (struct pevent){at, s->order++, l, xstrndup(b.p, b.n)};
}

static int in_order(const void *a, const void *b) {
    const struct pevent *x = a, *y = b;
    return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->order < y->order ? -1 : x->order > y->order;
}

/* Writes what lies before `end`; the rest waits. */
static int flush(struct past_sim *s, zb_time end, struct zb_err *e) {
    int kept = 0;
    char t[ZB_TIME_CAP], path[700];
    qsort(s->ev, (size_t)s->n, sizeof *s->ev, in_order);
    for (int i = 0; i < s->n; i++) {
        struct pevent *v = &s->ev[i];
        if (v->at >= end) {
            s->ev[kept++] = *v;
            continue;
        }
        snprintf(path, sizeof path, "%.500s/%s.jsonl", s->c.out, s->p->ledger[v->ledger].key);
        if (!s->file[v->ledger] && !(s->file[v->ledger] = fopen(path, "we"))) return zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
        if (fprintf(s->file[v->ledger], "{\"n\":%lld,\"at\":\"%s.%03d\",%s", (long long)++s->seq, zb_time_text(v->at, t), (int)(v->at % 1000), v->text) < 0)
            return zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
        free(v->text);
    }
    s->n = kept;
    return ZB_OK;
}

static int truth_write(struct past_sim *s, struct zb_err *e) {
    char path[700];
    snprintf(path, sizeof path, "%.500s/truth.jsonl", s->c.out);
    FILE *f = fopen(path, "we");
    bool good = f && fwrite(s->truth.p ? s->truth.p : "", 1, s->truth.n, f) == s->truth.n;
    if (f && fclose(f) != 0) good = false;
    return good ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot write %s: %s", path, strerror(errno));
}

static int run(struct past_sim *s, FILE *progress, struct zb_err *e) {
    bool show = progress && isatty(fileno(progress));
    world_begin(s);
    for (int i = 0; i < s->c.mines; i++) {
        mine_begin(s, &s->m[i]);
        plant_late(s, &s->m[i]); /* told now, they wait for their day */
    }
    for (int32_t first = s->from; first <= s->to; first = month_day(first, 1, 1)) {
        world_month(s, first);
        for (int i = 0; i < s->c.mines; i++) mine_month(s, &s->m[i], first);
        if (s->failed) return zb_fail(e, ZB_E_INPUT, "the policy lacks a ledger the simulation writes");
        if (flush(s, past_at(month_day(first, 1, 1), 0, 0), e) != ZB_OK) return e->rc;
        if (show) fprintf(progress, "\r%s %lld changes", dt(first), (long long)s->seq);
    }
    if (show) fputc('\n', progress);
    return truth_write(s, e);
}

int sim_history(const struct policy *p, const struct history_config *c, FILE *progress, struct zb_err *e) {
    if (c->mines < 1 || c->mines > 20000 || c->years < 1 || c->years > 10)
        return zb_fail(e, ZB_E_INPUT, "%d mines and %d years cannot be simulated: 1 to 20000 mines, 1 to 10 years", c->mines, c->years);
    if (strlen(c->out) > 500) return zb_fail(e, ZB_E_INPUT, "the folder's name is longer than 500 bytes: %.80s...", c->out);
    if (mkdir(c->out, 0755) != 0 && errno != EEXIST) return zb_fail(e, ZB_E_IO, "cannot make %s: %s", c->out, strerror(errno));
    struct past_sim s = {.p = p, .c = *c, .rng = c->seed * 0x9E3779B97F4A7C15u + 0x1234567};
    if (!zb_day_parse(STR("2024-01-01"), &s.from)) ZB_BUG("a day");
    s.to = zb_period_start(ZB_YEAR_UNIT, s.from, c->years) - 1;
    s.file = xcalloc((size_t)p->ledgers + 1, sizeof *s.file);
    s.m = xcalloc((size_t)c->mines, sizeof *s.m);
    buf_init(&s.truth, (size_t)16 << 20);
    int rc = run(&s, progress, e);
    for (int i = 0; i < p->ledgers; i++)
        if (s.file[i] && fclose(s.file[i]) != 0 && rc == ZB_OK) rc = zb_fail(e, ZB_E_IO, "cannot write into %s: %s", c->out, strerror(errno));
    for (int i = 0; i < s.n; i++) free(s.ev[i].text);
    free(s.ev);
    free(s.file);
    free(s.m);
    free(s.body);
    buf_done(&s.truth);
    return rc;
}
