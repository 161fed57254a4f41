#include "edge/edge.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void values_bind(struct reader *r, const struct node *seq, struct meter *m) {
    static const char *const KIND[] = {"u16", "i16", "u32", "i32", "f32"};
    m->value = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *m->value);
    for (const struct node *n = m->value ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "point function address kind swap scale unit location");
        struct meter_value *v = &m->value[m->values++];
        *v = (struct meter_value){node_text(r, n, "point", NULL),
                                  node_text(r, n, "unit", ""),
                                  node_text(r, n, "location", ""),
                                  (int)node_int(r, n, "function", 3, 3, 4),
                                  (int)node_int(r, n, "address", INT64_MIN, 0, 65535),
                                  (enum meter_kind)node_choice(r, n, "kind", KIND, 5),
                                  node_bool(r, n, "swap", false),
                                  node_fix(r, n, "scale")};
        if (v->scale == ZB_FIX_NONE) v->scale = ZB_FIX_ONE;
        const char *text[] = {v->point, v->unit, v->location};
        for (int i = 0; i < 3 && !r->bad; i++)
            if (strpbrk(text[i], ",\"\r\n") || strlen(text[i]) > 90) node_fail(r, n, "\"%.60s\": at most 90 bytes without comma, quote or line end", text[i]);
    }
}

static void meters_bind(struct reader *r, const struct node *seq, struct edge_config *c) {
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "at unit every timeout values");
        if (c->meters == EDGE_METERS_MAX) node_fail(r, n, "at most %d meters", EDGE_METERS_MAX);
        const char *at = node_text(r, n, "at", NULL);
        if (r->bad) return;
        struct str port, host = str_cut(str_of(at), ':', &port);
        int64_t number = 502;
        if (!host.n || (port.p && !num_i64(port, 1, 65535, &number))) node_fail(r, n, "at: \"%s\": write ADDRESS:PORT, such as 192.168.1.10:502", at);
        struct meter *m = &c->meter[c->meters++];
        *m = (struct meter){.host = arena_str(r->a, host),
                            .port = arena_printf(r->a, "%d", (int)number),
                            .unit = (int)node_int(r, n, "unit", 1, 0, 255),
                            .every = node_duration(r, n, "every", ZB_MINUTE),
                            .timeout = node_duration(r, n, "timeout", 2 * ZB_SECOND),
                            .fd = -1};
        if (!r->bad && (m->every < ZB_SECOND || m->timeout < 1 || m->timeout > ZB_MINUTE))
            node_fail(r, n, "every: a second or more; timeout: at most a minute");
        const struct node *values = node_seq(r, n, "values");
        values_bind(r, values, m);
    }
}

static void config_bind(struct reader *r, const struct node *root, struct edge_config *c) {
    node_keys(r, root, "mine dir to token_file ca folders meters queue_max live_within");
    c->mine = node_text(r, root, "mine", NULL);
    c->dir = node_text(r, root, "dir", NULL);
    c->to = node_text(r, root, "to", NULL);
    c->ca = node_text(r, root, "ca", "");
    c->queue_max = node_int(r, root, "queue_max", (int64_t)4 << 30, 1 << 16, (int64_t)1 << 44);
    c->live_within = node_duration(r, root, "live_within", 10 * ZB_MINUTE);
    const char *token = node_text(r, root, "token_file", NULL);
    const struct node *seq = r->bad ? NULL : node_get(root, "folders");
    for (const struct node *n = seq ? seq->child : NULL; n && !r->bad; n = n->next) {
        if (n->kind != NODE_SCALAR || c->folders == EDGE_FOLDERS_MAX) node_fail(r, n, "a folder's path is expected, at most %d", EDGE_FOLDERS_MAX);
        if (!r->bad) c->folder[c->folders++] = n->text;
    }
    meters_bind(r, r->bad ? NULL : node_get(root, "meters"), c);
    if (r->bad) return;
    if (!c->folders && !c->meters) node_fail(r, root, "neither folders nor meters: there is nothing to read");
    for (const char *p = c->mine; *p; p++)
        if (!((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z')) || strlen(c->mine) > 20) node_fail(r, root, "mine: \"%.40s\" is no mine code", c->mine);
    FILE *f = fopen(token, "r");
    if (!f || !fgets(c->token, sizeof c->token, f)) node_fail(r, root, "token_file: cannot read %s: %s", token, errno ? strerror(errno) : "it is empty");
    if (f) fclose(f);
    c->token[strcspn(c->token, "\r\n")] = 0;
}

int edge_config_load(const char *path, struct edge_config *ret, struct zb_err *e) {
    *ret = (struct edge_config){.arena = arena_new((size_t)8 << 20)};
    char *text = xmalloc((1u << 20) + 1);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, (1u << 20) + 1, f) : 0;
    if (f) fclose(f);
    struct reader r = {ret->arena, path, e, false};
    struct node *root;
    int rc = !f             ? zb_fail(e, ZB_E_INPUT, "cannot read %s: %s", path, strerror(errno))
             : n > 1u << 20 ? zb_fail(e, ZB_E_LIMIT, "%s is larger than 1 MiB", path)
                            : ZB_OK;
    if (rc == ZB_OK) rc = tree_parse(&r, (struct str){arena_str(ret->arena, (struct str){text, n}), n}, &root);
    free(text);
    if (rc == ZB_OK) config_bind(&r, root, ret);
    if (rc != ZB_OK || r.bad) {
        edge_config_done(ret);
        return e->rc;
    }
    return ZB_OK;
}

void edge_config_done(struct edge_config *c) {
    for (int i = 0; i < c->meters; i++) meter_close(&c->meter[i]);
    arena_drop(&c->arena);
}
