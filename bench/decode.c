/* MB/s of processor time of the decoders over simulated files: what one core takes in before anything is judged or stored. One JSON line a file type.
 * usage: decode POLICY [mines [minutes [seconds]]] */
#include "sense/sense.h"
#include "sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct file {
    char name[80], type[16];
    zb_time time;
    struct str bytes;
};
struct pile {
    const struct policy *p;
    struct file *f;
    int n, cap;
};

static int keep(void *arg, const char *mine, const char *name, struct str bytes, struct zb_err *e) {
    (void)mine;
    struct pile *p = arg;
    struct upload_name un;
    if (upload_name_parse(p->p, str_of(name), STR(""), &un, e) != ZB_OK) return e->rc;
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 1024;
        p->f = xrealloc(p->f, (size_t)p->cap * sizeof *p->f);
    }
    struct file *f = &p->f[p->n++];
    str_copy(str_of(name), f->name, sizeof f->name);
    str_copy(un.type, f->type, sizeof f->type);
    f->time = un.time;
    f->bytes = (struct str){xstrndup(bytes.p, bytes.n), bytes.n};
    return ZB_OK;
}

struct sum {
    uint64_t files, records, samples, refused;
    double bytes;
    zb_time ms;
};

/* Time of this thread: what else the machine does meanwhile is not ours. */
static zb_time own_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (zb_time)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int by_type(const void *a, const void *b) { return strcmp(((const struct file *)a)->type, ((const struct file *)b)->type); }

/* The pile is sorted by type, so that only files of the type are walked. */
static int decode_all(const struct policy *p, const struct pile *all, const char *type, zb_time least, struct sum *x, struct zb_err *e) {
    struct arena *a = arena_new((size_t)64 << 20);
    int rc = ZB_OK, from = 0, to;
    while (from < all->n && strcmp(all->f[from].type, type)) from++;
    for (to = from; to < all->n && !strcmp(all->f[to].type, type);) to++;
    zb_time begin = own_time();
    do {
        for (int i = from; i < to && rc == ZB_OK; i++) {
            struct batch b;
            bool truncated;
            const struct file *f = &all->f[i];
            rc = batch_decode(p, str_of(f->name), STR(""), f->bytes, f->time + 5 * ZB_MINUTE, a, &b, &truncated, e);
            if (rc != ZB_OK) break;
            for (int r = 0; r < b.n; r++) {
                struct observation o[FACTS_MAX];
                x->samples += (uint64_t)samples_of(p, &b, r, a, o);
            }
            x->files++, x->records += (uint64_t)b.n, x->refused += (uint64_t)b.refused, x->bytes += (double)f->bytes.n;
            arena_reset(a);
        }
        x->ms = own_time() - begin;
    } while (rc == ZB_OK && x->files && x->ms < least);
    arena_free(a);
    return rc;
}

/* The simulated county sends the national families: one file of 500 sensors in the XML of DB14/T 671.1 beside them. */
static int xml_file(const struct policy *p, struct pile *all, struct zb_err *e) {
    enum { SENSORS = 500 };
    const struct format *const *named, *f = NULL;
    int many = policy_formats(p, STR("AQSS"), &named);
    for (int i = 0; i < many; i++)
        if (named[i]->syntax == SYNTAX_XML) f = named[i];
    if (!f) return zb_fail(e, ZB_E_ABSENT, "the policy has no XML format AQSS");
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)16 << 20);
    ZB_AUTO(buf_done) struct buf out;
    struct str head[FORMAT_FIELDS_MAX] = {{"", 0}};
    const struct str *row[SENSORS];
    head[f->head_mine] = STR("067000123");
    head[f->head_time] = STR("2026-03-01 14:00:00");
    for (int r = 0; r < SENSORS; r++) {
        struct str *cell = arena_alloc(a, (size_t)f->body.n * sizeof *cell);
        for (int i = 0; cell && i < f->body.n; i++) cell[i] = (struct str){"", 0};
        if (!cell) return zb_fail(e, ZB_E_LIMIT, "no room");
        cell[format_field(&f->body, "station_code")] = str_of(arena_printf(a, "%06d", r / 16));
        cell[format_field(&f->body, "point_code")] = str_of(arena_printf(a, "%03dA%02d", r / 16, r % 16));
        cell[format_field(&f->body, "state")] = STR("0");
        cell[format_field(&f->body, "value")] = str_of(arena_printf(a, "0.%02d", r % 100));
        row[r] = cell;
    }
    buf_init(&out, 1 << 20);
    if (batch_encode(f, head, row, SENSORS, &out, e) != ZB_OK) return e->rc;
    return keep(all, "067000123", "067000123_AQSS_20260301140000.xml", buf_str(&out), e);
}

static int number(char **v, int n, int i, int64_t absent, int64_t max, int64_t *ret) {
    *ret = absent;
    if (i >= n || num_i64(str_of(v[i]), 1, max, ret)) return 0;
    fprintf(stderr, "decode: \"%s\" is not a whole number from 1 to %lld\n", v[i], (long long)max);
    return 2;
}

int main(int n, char **v) {
    static const char *const TYPE[] = {"CDSS", "RYSS", "FZSS", "TJSJ", "CDDY", "AQSS"};
    struct policy *p;
    struct zb_err e = {0};
    struct sim *s;
    struct pile all = {0};
    int64_t mines, minutes, seconds;
    if (n < 2) return fprintf(stderr, "usage: decode POLICY [mines [minutes [seconds]]]\n"), 2;
    if (number(v, n, 2, 20, 500, &mines) || number(v, n, 3, 10, 600, &minutes) || number(v, n, 4, 2, 60, &seconds)) return 2;
    if (policy_load(v[1], &p, &e) != ZB_OK) return fprintf(stderr, "decode: %s\n", e.msg), 1;
    all.p = p;
    struct sim_config c = {.mines = (int)mines, .hours = (double)minutes / 60.0, .seed = 1, .faults = ""};
    if (!zb_time_parse(STR("2026-03-01 14:00:00"), &c.start)) return 1;
    int rc = sim_new(p, &c, &s, &e);
    if (rc == ZB_OK) {
        rc = sim_step(s, c.start + minutes * ZB_MINUTE, keep, &all, &e);
        sim_free(s);
    }
    if (rc == ZB_OK) rc = xml_file(p, &all, &e);
    if (rc == ZB_OK) qsort(all.f, (size_t)all.n, sizeof *all.f, by_type);
    for (size_t i = 0; i < sizeof TYPE / sizeof *TYPE && rc == ZB_OK; i++) {
        struct sum x = {0};
        rc = decode_all(p, &all, TYPE[i], seconds * ZB_SECOND, &x, &e);
        if (rc != ZB_OK || !x.files) continue;
        double sec = (double)x.ms / 1000.0;
        printf("{\"bench\":\"decode\",\"type\":\"%s\",\"mb_per_s\":%.1f,\"records_per_s\":%.0f,\"files_per_s\":%.0f,\"bytes_a_file\":%.0f,\"refused\":%llu,"
               "\"seconds\":%.2f}\n",
               TYPE[i], x.bytes / 1e6 / sec, (double)x.records / sec, (double)x.files / sec, x.bytes / (double)x.files, (unsigned long long)x.refused, sec);
        if (x.refused) rc = zb_fail(&e, ZB_E_INPUT, "%llu simulated records were refused", (unsigned long long)x.refused);
    }
    for (int i = 0; i < all.n; i++) free((void *)all.f[i].bytes.p);
    free(all.f);
    policy_unref(p);
    return rc == ZB_OK ? 0 : (fprintf(stderr, "decode: %s\n", e.msg), 1);
}
