/* links.yaml: what a link is tried by, and what completeness is measured by. */
#include "policy/bind.h"

static void type_known(struct reader *r, const struct node *n, const struct policy *p, const char *types) {
    for (struct str one, rest = str_of(types); rest.p && rest.n && !r->bad;) {
        const struct format *const *f;
        one = str_cut(rest, ' ', &rest);
        if (one.n && !policy_formats(p, one, &f)) node_fail(r, n, "types: \"%s\" is no type of formats/", arena_str(r->a, one));
    }
}

void bind_links(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source assumed trial_minutes completeness_percent clock_max vanish_hours bulk_points bulk_percent required streams");
    p->link = (struct link_rule){.assumed = node_text(r, root, "assumed", ""),
                                 .trial_minutes = (int)node_int(r, root, "trial_minutes", INT64_MIN, 1, 1440),
                                 .percent = (int)node_int(r, root, "completeness_percent", INT64_MIN, 1, 100),
                                 .clock_max = node_duration(r, root, "clock_max", ZB_TIME_NONE),
                                 .vanish_hours = (int)node_int(r, root, "vanish_hours", INT64_MIN, 1, 720),
                                 .bulk_points = (int)node_int(r, root, "bulk_points", INT64_MIN, 2, 20000),
                                 .bulk_percent = (int)node_int(r, root, "bulk_percent", INT64_MIN, 1, 100),
                                 .required = node_text(r, root, "required", NULL)};
    const struct node *seq = node_seq(r, root, "streams");
    p->link.stream = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *p->link.stream);
    for (const struct node *n = p->link.stream ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "stream zh en types sensors");
        p->link.stream[p->link.streams++] = (struct link_stream){node_text(r, n, "stream", NULL), node_text(r, n, "zh", NULL),    node_text(r, n, "en", NULL),
                                                                 node_text(r, n, "types", ""),    node_text(r, n, "sensors", ""), n};
    }
}

void links_check(struct zb_err *e, struct policy *p, bool *bad) {
    struct reader r = {p->arena, "links.yaml", e, false};
    for (int i = 0; i < p->link.streams && !r.bad; i++) {
        const struct link_stream *s = &p->link.stream[i];
        type_known(&r, s->at, p, s->types);
        for (struct str one, rest = str_of(s->sensors); rest.p && rest.n && !r.bad;) {
            one = str_cut(rest, ' ', &rest);
            if (one.n && !policy_sensor_coded(p, one)) node_fail(&r, s->at, "sensors: \"%s\" is no code of sensors.yaml", arena_str(r.a, one));
        }
        if (!s->types[0] && !s->sensors[0]) node_fail(&r, s->at, "stream %s: write types or sensors", s->key);
    }
    *bad = r.bad;
}
