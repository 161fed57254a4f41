/* The fact log with files as mines send them: bytes a sample as they come and packed, and how fast packing and reading are, by processor time. One line of JSON.
 * Usage: bench_raw POLICY FOLDER SCRATCH, FOLDER as `zhiben simulate` makes it; SCRATCH is made and left. */
#include "policy/policy.h"
#include "raw/raw.h"
#include "sense/sense.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

struct file {
    char path[600];
    const char *name; /* within path */
};
static struct file *file;
static int files;

static void must(int rc, const struct zb_err *e) {
    if (rc >= 0) return;
    fprintf(stderr, "%s\n", e->msg);
    exit(1);
}
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* of the processor: other work beside does not count */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void walk(const char *dir) {
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *f; (f = readdir(d));) {
        char path[600];
        struct stat st;
        if (f->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", dir, f->d_name) >= (int)sizeof path || stat(path, &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) {
            walk(path);
        } else if (strchr(f->d_name, '_')) {
            if (!(files & (files - 1))) file = xrealloc(file, (size_t)(files ? 2 * files : 1) * sizeof *file);
            str_copy(str_of(path), file[files++].path, sizeof path);
        }
    }
    closedir(d);
}
static const char *stamp(const struct file *f) { /* _YYYYMMDDhhmmss.ext at the end */
    const char *dot = strrchr(f->path, '.');
    return dot && dot - f->path > 14 ? dot - 14 : f->path;
}
static int by_time(const void *a, const void *b) {
    int d = strncmp(stamp(a), stamp(b), 14);
    return d ? d : strcmp(a, b);
}

static int64_t samples, records, bytes;
static void count(const struct policy *p, struct str name, struct str text) {
    struct zb_err e;
    struct arena *a = arena_new((size_t)512 << 20);
    struct batch b;
    struct observation o[FACTS_MAX];
    bool cut;
    if (batch_decode(p, name, (struct str){name.p, strcspn(name.p, "_")}, text, zb_now(), a, &b, &cut, &e) == ZB_OK) {
        records += b.accepted;
        for (int i = 0; i < b.n; i++) samples += samples_of(p, &b, i, a, o);
    }
    arena_free(a);
}

static void append(struct raw *r, const struct policy *p, const char *path) {
    struct zb_err e;
    struct str name = str_of(strrchr(path, '/') + 1);
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0) exit(1);
    char *text = xmalloc((size_t)st.st_size + 1);
    size_t n = fread(text, 1, (size_t)st.st_size, f);
    fclose(f);
    count(p, name, (struct str){text, n});
    struct raw_record rec = {
        .kind = RAW_UPLOAD, .received = zb_now(), .mine = {name.p, strcspn(name.p, "_")}, .origin = STR("bench"), .name = name, .bytes = {text, n}};
    must(raw_append(r, &rec, &e), &e);
    bytes += (int64_t)n;
    free(text);
}
static int look(void *arg, const struct raw_record *rec, struct zb_err *e) {
    (void)e;
    *(int64_t *)arg += (int64_t)rec->bytes.n;
    return ZB_OK;
}
static double read_all(const char *dir) {
    struct zb_err e;
    int64_t sum = 0;
    double t = seconds();
    must(raw_read(dir, 0, look, &sum, &e), &e);
    return (double)sum / 1e6 / (seconds() - t);
}

int main(int argc, char **argv) {
    struct zb_err e;
    struct policy *p;
    struct raw *r;
    if (argc != 4 || mkdir(argv[3], 0700) != 0) return fputs("usage: bench_raw POLICY FOLDER NEW-FOLDER\n", stderr), 2;
    must(policy_load(argv[1], &p, &e), &e);
    walk(argv[2]);
    qsort(file, (size_t)files, sizeof *file, by_time);
    must(raw_open(argv[3], &r, &e), &e);
    for (int i = 0; i < files; i++) append(r, p, file[i].path);
    int64_t plain = raw_disk(argv[3]), had = samples, rows = records;
    double plain_read = read_all(argv[3]);
    raw_roll(r, 1); /* the newest is closed too */
    append(r, p, file[files - 1].path);
    raw_close(r);
    struct raw_packed k;
    int64_t packed = 0, before = 0;
    double t = seconds(), took;
    while (raw_pack(argv[3], 0, NULL, NULL, &k, &e) == 1) packed += k.after, before += k.before;
    took = seconds() - t;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double packed_read = read_all(argv[3]);
    printf("{\"bench\":\"raw\",\"files\":%d,\"samples\":%lld,\"records\":%lld,\"bytes\":%lld,\"plain_bytes_per_sample\":%.3f,\"packed_bytes_per_sample\":%.3f,"
           "\"packed_bytes_per_record\":%.3f,\"pack_mb_s\":%.0f,"
           "\"read_plain_mb_s\":%.0f,\"read_packed_mb_s\":%.0f,\"whole\":%s,\"peak_mb\":%ld}\n",
           files, (long long)had, (long long)rows, (long long)bytes, (double)plain / (double)had, (double)packed / (double)had, (double)packed / (double)rows,
           (double)bytes / 1e6 / took, plain_read, packed_read, before == plain ? "true" : "false", u.ru_maxrss / 1024);
    policy_unref(p);
    return 0;
}
