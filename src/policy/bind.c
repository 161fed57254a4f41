/* Schema tables: trees to structs. What a file may hold stands here, once. */
#include "policy/bind.h"
#include <stdio.h>

static void *list(struct reader *r, const struct node *seq, size_t size) {
    void *p = r->bad ? NULL : arena_alloc(r->a, (size_t)(seq->n + 1) * size);
    if (!r->bad && !p) node_fail(r, seq, "too much for one policy");
    return p;
}

static void bind_regions(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source regions");
    const struct node *seq = node_seq(r, root, "regions");
    struct region *out = seq ? list(r, seq, sizeof *out) : NULL;
    if (!out) return;
    for (const struct node *n = seq->child; n; n = n->next) {
        node_keys(r, n, "code name en also was");
        struct region *g = &out[p->regions];
        *g = (struct region){node_text(r, n, "code", NULL), node_text(r, n, "name", NULL), node_text(r, n, "en", ""), node_text(r, n, "also", ""),
                             node_text(r, n, "was", "")};
        if (!r->bad && strlen(g->code) != 6) node_fail(r, n, "code \"%s\" must have 6 digits", g->code);
        for (int i = 0; i < p->regions && !r->bad; i++)
            if (!strcmp(out[i].code, g->code)) node_fail(r, n, "region %s is there twice", g->code);
        if (r->bad) return;
        p->regions++;
    }
    p->region = out;
}

static void bind_units(struct reader *r, const struct node *root, struct policy *p) {
    const struct node *seq = node_seq(r, root, "units");
    struct unit_rule *out = seq ? list(r, seq, sizeof *out) : NULL;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "unit also");
        out[p->units++] = (struct unit_rule){node_text(r, n, "unit", NULL), node_text(r, n, "also", NULL)};
    }
    p->unit = out;
}

static void bind_sensors(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source sensors units");
    const struct node *seq = node_seq(r, root, "sensors");
    struct sensor_type *out = seq ? list(r, seq, sizeof *out) : NULL;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "code zh en unit by_unit also source");
        struct sensor_type *t = &out[p->sensors];
        *t = (struct sensor_type){node_text(r, n, "code", NULL), node_text(r, n, "zh", NULL),       node_text(r, n, "en", NULL),
                                  node_text(r, n, "unit", NULL), node_bool(r, n, "by_unit", false), node_text(r, n, "also", "")};
        for (int i = 0; i < p->sensors && !r->bad; i++)
            if (!strcmp(out[i].code, t->code)) node_fail(r, n, "sensor type %s is there twice", t->code);
        p->sensors++;
    }
    p->sensor = out;
    bind_units(r, root, p);
}

static void bind_alarms(struct reader *r, const struct node *root, struct policy *p) {
    char kinds[400] = "";
    for (int k = 0; k < ALARM_KINDS_N; k++) snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), "%s%s", k ? " " : "", ALARM_KIND_KEY[k]);
    node_keys(r, root, "source kinds shelf_max");
    const struct node *map = r->bad ? NULL : node_get(root, "kinds");
    if (!map) {
        node_fail(r, root, "key kinds is missing");
        return;
    }
    node_keys(r, map, kinds);
    for (int k = 0; k < ALARM_KINDS_N && !r->bad; k++) {
        const struct node *n = node_get(map, ALARM_KIND_KEY[k]);
        if (!n) {
            node_fail(r, map, "kind %s is missing", ALARM_KIND_KEY[k]);
            return;
        }
        node_keys(r, n, "level on_delay off_delay deadband ack_due cause_due shelvable source");
        zb_fix band = node_fix(r, n, "deadband");
        p->kind[k] = (struct kind_rule){(enum alarm_level)node_choice(r, n, "level", ALARM_LEVEL_KEY, ALARM_LEVELS_N),
                                        node_duration(r, n, "on_delay", 0),
                                        node_duration(r, n, "off_delay", 0),
                                        band == ZB_FIX_NONE ? 0 : band,
                                        node_duration(r, n, "ack_due", ZB_TIME_NONE),
                                        node_duration(r, n, "cause_due", ZB_TIME_NONE),
                                        node_bool(r, n, "shelvable", false)};
    }
    p->shelf.max = node_duration(r, root, "shelf_max", ZB_TIME_NONE);
}

static void bind_causes(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source causes");
    const struct node *seq = node_seq(r, root, "causes");
    struct cause *out = seq ? list(r, seq, sizeof *out) : NULL;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en");
        out[p->causes++] = (struct cause){node_text(r, n, "key", NULL), node_text(r, n, "zh", NULL), node_text(r, n, "en", NULL)};
    }
    p->cause = out;
}

static void bind_roles(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source roles");
    const struct node *seq = node_seq(r, root, "roles");
    struct role_rule *out = seq ? list(r, seq, sizeof *out) : NULL;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        node_keys(r, n, "key zh en rights mine where");
        out[p->roles++] = (struct role_rule){node_text(r, n, "key", NULL),    node_text(r, n, "zh", NULL),    node_text(r, n, "en", NULL),
                                             node_text(r, n, "rights", NULL), node_bool(r, n, "mine", false), node_text(r, n, "where", "")};
    }
    p->role = out;
}

static void bind_silence(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source sample_period late_after point_after mine_after future_max truncated_wait late_settle late_at_most late_window");
    p->silence = (struct silence_rule){node_duration(r, root, "sample_period", ZB_TIME_NONE), node_duration(r, root, "late_after", ZB_TIME_NONE),
                                       node_duration(r, root, "point_after", ZB_TIME_NONE),   node_duration(r, root, "mine_after", ZB_TIME_NONE),
                                       node_duration(r, root, "future_max", ZB_TIME_NONE),    node_duration(r, root, "truncated_wait", ZB_TIME_NONE),
                                       node_duration(r, root, "late_settle", ZB_TIME_NONE),   node_duration(r, root, "late_at_most", ZB_TIME_NONE),
                                       node_duration(r, root, "late_window", ZB_TIME_NONE)};
}

static void bind_intake(struct reader *r, const struct node *root, struct policy *p) {
    const int64_t most = (int64_t)1 << 40;
    node_keys(r, root, "source live_within files_per_second files_saved_up bytes_per_second bytes_saved_up mine_share_bytes backlog_share_bytes");
    p->intake = (struct intake_rule){node_duration(r, root, "live_within", ZB_TIME_NONE),         node_int(r, root, "files_per_second", INT64_MIN, 1, most),
                                     node_int(r, root, "files_saved_up", INT64_MIN, 1, most),     node_int(r, root, "bytes_per_second", INT64_MIN, 1, most),
                                     node_int(r, root, "bytes_saved_up", INT64_MIN, 1, most),     node_int(r, root, "mine_share_bytes", INT64_MIN, 1, most),
                                     node_int(r, root, "backlog_share_bytes", INT64_MIN, 1, most)};
    if (!r->bad && p->intake.files_most < p->intake.files) node_fail(r, root, "files_saved_up must not be less than files_per_second");
    if (!r->bad && p->intake.bytes_most < p->intake.bytes) node_fail(r, root, "bytes_saved_up must not be less than bytes_per_second");
}

static void bind_policy(struct reader *r, const struct node *root, struct policy *p) {
    node_keys(r, root, "source name no_value bad_record_percent short_code_province");
    p->short_code_province = node_text(r, root, "short_code_province", "");
    p->name = node_text(r, root, "name", NULL);
    p->bad_record_percent = (int)node_int(r, root, "bad_record_percent", INT64_MIN, 0, 100);
    const struct node *seq = node_seq(r, root, "no_value");
    const char **words = seq ? list(r, seq, sizeof *words) : NULL;
    for (const struct node *n = words ? seq->child : NULL; n && !r->bad; n = n->next) {
        if (n->kind != NODE_SCALAR) node_fail(r, n, "a word is expected");
        words[p->no_values++] = n->text;
    }
    p->no_value = words;
}

/* clang-format off: one a line, for several people add to it */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* what a row leaves out is no */
const struct schema SCHEMAS[] = {
    {"policy.yaml", bind_policy},
    {"pages.yaml", bind_pages},
    {"regions.yaml", bind_regions},
    {"sensors.yaml", bind_sensors},
    {"limits.yaml", bind_limits},
    {"conversions.yaml", bind_conversions},
    {"alarms.yaml", bind_alarms},
    {"causes.yaml", bind_causes},
    {"roles.yaml", bind_roles},
    {"silence.yaml", bind_silence},
    {"ladder.yaml", bind_ladder},
    {"calendar.yaml", bind_calendar},
    {"sites.yaml", bind_sites},
    {"notify.yaml", bind_notify},
    {"storage.yaml", bind_storage},
    {"plan.yaml", bind_plan},
    {"duties.yaml", bind_duties},
    {"prove.yaml", bind_prove},
    {"clues.yaml", bind_clues},
    {"rules/detect_integrity.yaml", bind_detect},
    {"rules/forecast.yaml", bind_forecast},
    {"rules/detect_people.yaml", bind_detect},
    {"rules/detect_compare.yaml", bind_detect},
    {"follow.yaml", bind_follow},
    {"intake.yaml", bind_intake, true},
    {"basemap.yaml", bind_basemap, true},
    {"screens.yaml", bind_screens, true},
    {"statistics.yaml", bind_statistics, true},
    {"links.yaml", bind_links, true},
};
/* clang-format on */
const int SCHEMAS_N = sizeof SCHEMAS / sizeof *SCHEMAS;
