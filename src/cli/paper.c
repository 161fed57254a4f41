/* `zhiben paper FORMAT`: the layout's own process. It gets a tree, gives a file, has nothing to lose and little to take. */
#include "cli/cli.h"
#include "paper/paper.h"
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define TREE_MAX ((size_t)192 << 20)

static void bounded(void) {
    struct rlimit cpu = {60, 60}, file = {PAPER_OUT * 4, PAPER_OUT * 4}, core = {0, 0};
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_FSIZE, &file);
    setrlimit(RLIMIT_CORE, &core);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow takes terabytes of addresses */
    struct rlimit memory = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    setrlimit(RLIMIT_AS, &memory);
#endif
    if (nice(10) < 0) return; /* then it runs as urgent as the rest */
}

static void stat_print(const struct paper_stat *s) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 8192);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "pages");
    json_i64(&j, s->pages);
    json_key(&j, "unknown_glyphs");
    json_i64(&j, s->unknown_glyphs);
    json_key(&j, "faces");
    json_obj(&j);
    for (int i = 0; i < PAGE_FACES_N; i++) {
        json_key(&j, PAGE_FACE_KEY[i]);
        json_z(&j, s->face[i]);
    }
    json_end(&j);
    json_end(&j);
    fprintf(stderr, "%s\n", b.p);
}

int cmd_paper(struct cli *c) {
    int f = -1;
    for (int i = 0; i < PAPER_FORMATS_N; i++)
        if (!strcmp(c->dir, PAPER_FORMAT_KEY[i])) f = i;
    if (f < 0) return cli_usage("paper pdf|docx|xlsx <TREE.json >FILE");
    bounded();
    ZB_AUTO(buf_done) struct buf in = {0};
    ZB_AUTO(buf_done) struct buf out = {0};
    ZB_AUTO(paper_drop) struct paper *p = NULL;
    struct paper_stat stat;
    struct zb_err e;
    char part[65536];
    size_t n;
    buf_init(&in, TREE_MAX);
    buf_init(&out, PAPER_OUT);
    while ((n = fread(part, 1, sizeof part, stdin)) > 0) buf_put(&in, part, n);
    if (in.over) return cli_failed(&(struct zb_err){ZB_E_LIMIT, "the tree is larger than 192 MiB"});
    if (paper_read(buf_str(&in), &p, &e) != ZB_OK) return cli_failed(&e);
    buf_done(&in);
    if (paper_write(p, (enum paper_format)f, &out, &stat, &e) != ZB_OK) return cli_failed(&e);
    if (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0) return cli_failed(&(struct zb_err){ZB_E_IO, "stdout cannot be written"});
    stat_print(&stat);
    return 0;
}
