/* storage.yaml: the hours of the night's work, how long samples are kept, when the disk is full. */
#include "policy/bind.h"

#define DAYS_MOST 36500

static int days_bind(struct reader *r, const struct node *n, int least) {
    int days = (int)node_int(r, n, "sample_days", INT64_MIN, 7, DAYS_MOST);
    if (!r->bad && days < least) node_fail(r, n, "sample_days: %d is less than the %d days that are asked (at_least_days)", days, least);
    return days;
}

void bind_storage(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source night_from_hour night_to_hour sample_days at_least_days families disk_warn_percent disk_refuse_percent");
    struct storage_rule *s = &p->storage;
    int least = (int)node_int(r, root, "at_least_days", 7, 7, DAYS_MOST);
    *s = (struct storage_rule){.night_from = (int)node_int(r, root, "night_from_hour", INT64_MIN, 0, 23),
                               .night_to = (int)node_int(r, root, "night_to_hour", INT64_MIN, 1, 24),
                               .sample_days = days_bind(r, root, least),
                               .disk_warn = (int)node_int(r, root, "disk_warn_percent", INT64_MIN, 0, 100),
                               .disk_refuse = (int)node_int(r, root, "disk_refuse_percent", INT64_MIN, 0, 100)};
    if (!r->bad && s->night_to <= s->night_from) node_fail(r, root, "night_to_hour must lie after night_from_hour");
    if (!r->bad && s->disk_refuse < s->disk_warn) node_fail(r, root, "disk_refuse_percent must not be less than disk_warn_percent");
    const struct node *seq = r->bad ? NULL : node_get(root, "families");
    if (!seq) return;
    if (seq->kind != NODE_SEQ) {
        node_fail(r, seq, "families: a list is expected");
        return;
    }
    s->keep = arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *s->keep);
    for (const struct node *n = seq->child; n && !r->bad; n = n->next) {
        node_keys(r, n, "source families sample_days");
        (void)node_text(r, n, "source", NULL); /* a choice says why */
        s->keep[s->keeps++] = (struct keep_rule){node_text(r, n, "families", NULL), days_bind(r, n, least), n};
    }
}

void storage_check(struct zb_err *e, struct policy *p, bool *bad) {
    struct reader r = {p->arena, "storage.yaml", e, false};
    for (int i = 0; i < p->storage.keeps && !r.bad; i++) {
        const struct keep_rule *k = &p->storage.keep[i];
        for (struct str one, rest = str_of(k->families); rest.p && rest.n && !r.bad;) {
            one = str_cut(rest, ' ', &rest);
            int f = 0, before = 0;
            while (f < p->formats && !str_is(one, p->format[f].family)) f++;
            while (before < i && !word_in(p->storage.keep[before].families, one)) before++;
            if (one.n && f == p->formats) node_fail(&r, k->at, "families: \"%s\" is no family of formats/", arena_str(r.a, one));
            if (one.n && before < i) node_fail(&r, k->at, "families: \"%s\" stands twice", arena_str(r.a, one));
        }
    }
    *bad = r.bad;
}

bool policy_night(const struct policy *p, zb_time now) {
    int hour = (int)((now - zb_day_start(zb_day_of(now))) / ZB_HOUR);
    return hour >= p->storage.night_from && hour < p->storage.night_to;
}

int policy_sample_days(const struct policy *p, const char *family) {
    for (int i = 0; i < p->storage.keeps; i++)
        if (family[0] && word_in(p->storage.keep[i].families, str_of(family))) return p->storage.keep[i].sample_days;
    return p->storage.sample_days;
}
