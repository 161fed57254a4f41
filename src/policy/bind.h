/* Between the loader and the schema tables. */
#pragma once
#include "policy/policy.h"
#include "policy/tree.h"
struct schema {
    const char *file;
    void (*bind)(struct reader *r, const struct node *root, struct policy *p);
    bool may_lack; /* came later: policies kept from before do without */
};
extern const struct schema SCHEMAS[]; /* every one must be there but those that may lack; formats/ holds one format a file */
extern const int SCHEMAS_N;
/* A file is one format, or `formats:` of them, each taking what it does not say from the file. *n grows; at most FORMATS_MAX. */
#define FORMATS_MAX 400
void bind_formats(struct reader *r, const struct node *root, struct format *f, int *n);
void formats_index(struct policy *p);
/* Into *out, which may hold earlier editions of the same list; *joined says so. */
void bind_list(struct reader *r, const struct node *root, const struct policy *p, struct code_list *out, bool *joined);
void bind_table(struct reader *r, const struct node *root, struct code_table *out);
void columns_bind(struct reader *r, const struct node *seq, bool words, struct table_column **ret, int *n); /* words: `of` is allowed */
void bind_basemap(struct reader *r, const struct node *root, struct policy *p);
void bind_screens(struct reader *r, const struct node *root, struct policy *p);
void bind_statistics(struct reader *r, const struct node *root, struct policy *p);
void screens_all(struct zb_err *e, struct policy *p, bool *bad);
struct code_list *list_inline(struct reader *r, const struct node *seq, const char *key); /* members that stand in a field */
void bind_conversions(struct reader *r, const struct node *root, struct policy *p);
void bind_limits(struct reader *r, const struct node *root, struct policy *p);
void bind_ledger(struct reader *r, const struct node *root, const struct policy *p, struct ledger *l);
void bind_import(struct reader *r, const struct node *root, struct import_profile *out);
void bind_indicators(struct reader *r, const struct node *root, struct indicator_file *out);
void bind_prove(struct reader *r, const struct node *root, struct policy *p);
void indicators_all(struct zb_err *e, struct policy *p, bool *bad);
void bind_ladder(struct reader *r, const struct node *root, struct policy *p);
void bind_calendar(struct reader *r, const struct node *root, struct policy *p);
void bind_notify(struct reader *r, const struct node *root, struct policy *p);
void bind_sites(struct reader *r, const struct node *root, struct policy *p);
void bind_plan(struct reader *r, const struct node *root, struct policy *p);
void bind_duties(struct reader *r, const struct node *root, struct policy *p);
void bind_area(struct reader *r, const struct node *root, struct plan_area *out);
/* The plan over all files: unique ids, actors, means, dates, ledgers, duties. */
void bind_plan_all(struct zb_err *e, struct policy *p, bool *bad);
void bind_rules(struct reader *r, const struct node *root, bool insight, struct rule_file *out);
void bind_follow(struct reader *r, const struct node *root, struct policy *p);
void rules_all(struct zb_err *e, struct policy *p, bool *bad);
void bind_letter(struct reader *r, const struct node *root, const struct policy *p, struct letter_rule *l); /* after the ledgers */
void bind_pages(struct reader *r, const struct node *root, struct policy *p);
void bind_detectors(struct reader *r, const struct node *root, struct policy *p); /* its key detectors */
void bind_detect(struct reader *r, const struct node *root, struct policy *p);    /* each rules/detect_*.yaml */
void bind_clues(struct reader *r, const struct node *root, struct policy *p);
void detect_complete(struct reader *r, struct policy *p); /* every detector was there */
/* What one file cannot know: references, effects and their cycles and rights, imports. */
void bind_all(struct zb_err *e, struct policy *p, bool *bad);
void bind_storage(struct reader *r, const struct node *root, struct policy *p);
void storage_check(struct zb_err *e, struct policy *p, bool *bad); /* its families are there */
void bind_links(struct reader *r, const struct node *root, struct policy *p);
void links_check(struct zb_err *e, struct policy *p, bool *bad); /* its types are there */
void bind_forecast(struct reader *r, const struct node *root, struct policy *p); /* rules/forecast.yaml */
