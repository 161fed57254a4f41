/* The functions behind the rows. */
#pragma once
#include "op/op.h"
int op_login(struct op_call *c, struct zb_err *e);
int op_logout(struct op_call *c, struct zb_err *e);
int op_me(struct op_call *c, struct zb_err *e);
int op_user_add(struct op_call *c, struct zb_err *e);
int op_token_add(struct op_call *c, struct zb_err *e);
int op_token_revoke(struct op_call *c, struct zb_err *e);
int op_journal(struct op_call *c, struct zb_err *e);
int op_audit_verify(struct op_call *c, struct zb_err *e);
int op_mines(struct op_call *c, struct zb_err *e);
int op_mine(struct op_call *c, struct zb_err *e);
int op_mine_set(struct op_call *c, struct zb_err *e);
int op_points(struct op_call *c, struct zb_err *e);
int op_people(struct op_call *c, struct zb_err *e);
int op_series(struct op_call *c, struct zb_err *e);
int op_samples(struct op_call *c, struct zb_err *e);
int op_health(struct op_call *c, struct zb_err *e);
int op_alarms(struct op_call *c, struct zb_err *e);
int op_alarm(struct op_call *c, struct zb_err *e);
int op_alarm_act(struct op_call *c, struct zb_err *e);
int op_causes(struct op_call *c, struct zb_err *e);
int op_cause_counts(struct op_call *c, struct zb_err *e);
int op_kpi(struct op_call *c, struct zb_err *e);
int op_ledgers(struct op_call *c, struct zb_err *e);
int op_ledger_list(struct op_call *c, struct zb_err *e);
int op_ledger_show(struct op_call *c, struct zb_err *e);
int op_ledger_history(struct op_call *c, struct zb_err *e);
int op_ledger_new(struct op_call *c, struct zb_err *e);
int op_ledger_edit(struct op_call *c, struct zb_err *e);
int op_ledger_do(struct op_call *c, struct zb_err *e);
int op_ledger_unseal(struct op_call *c, struct zb_err *e);
int op_ledger_erase(struct op_call *c, struct zb_err *e);
int op_ledger_attach(struct op_call *c, struct zb_err *e);
int op_ledger_file(struct op_call *c, struct zb_err *e);
int op_ledger_import(struct op_call *c, struct zb_err *e);
int op_ledger_export(struct op_call *c, struct zb_err *e);
int op_regions(struct op_call *c, struct zb_err *e);
int op_notices(struct op_call *c, struct zb_err *e);
int op_notice_receipt(struct op_call *c, struct zb_err *e);
int op_duty(struct op_call *c, struct zb_err *e);
int op_duty_add(struct op_call *c, struct zb_err *e);
int op_plan(struct op_call *c, struct zb_err *e);
int op_indicator(struct op_call *c, struct zb_err *e);
int op_indicator_rows(struct op_call *c, struct zb_err *e);
int op_wallmap(struct op_call *c, struct zb_err *e);
int op_duties(struct op_call *c, struct zb_err *e);
int op_overdue(struct op_call *c, struct zb_err *e);
int op_ranking(struct op_call *c, struct zb_err *e);
int op_proposals(struct op_call *c, struct zb_err *e);
int op_reported(struct op_call *c, struct zb_err *e);
int op_plan_freeze(struct op_call *c, struct zb_err *e);
int op_openapi(struct op_call *c, struct zb_err *e);
const char *op_code(int rc); /* "ok", "input", "busy" …, as replies say it */
/* bundle.c: a tar's files one by one; the verdicts go to j. ZB_E_INPUT, ZB_E_LIMIT: the body as a whole, and nothing of it was taken. */
ZB_MUST int bundle_take(struct engine *en, struct str mine, struct str origin, struct str body, bool wait, struct json *j, struct zb_err *e);
int op_upload(struct op_call *c, struct zb_err *e); /* answered by the HTTP side, which has the bytes */
int op_events(struct op_call *c, struct zb_err *e); /* likewise */

int op_report(struct op_call *c, struct zb_err *e);
int op_report_kinds(struct op_call *c, struct zb_err *e);
/* Content-Disposition of a reply that is a file. */
void op_file_named(struct op_call *c, const char *name);

/* shared: "type" and "type_en" of a point */
void type_json(struct json *j, const struct policy *p, const struct point_def *d);
/* shared: may the actor see this mine; the last head-count underground of a mine (-1 unknown) */
bool sees(const struct op_call *c, const char *region, const char *mine);
int below_count(struct op_call *c, const char *mine, zb_time *t);
int op_hits(struct op_call *c, struct zb_err *e);
int op_rules(struct op_call *c, struct zb_err *e);
int op_rules_run(struct op_call *c, struct zb_err *e);
int op_list(struct op_call *c, struct zb_err *e);
int op_basemap(struct op_call *c, struct zb_err *e);
int op_screens(struct op_call *c, struct zb_err *e);
int op_statistics(struct op_call *c, struct zb_err *e);
int op_statistic(struct op_call *c, struct zb_err *e);
int op_statistic_export(struct op_call *c, struct zb_err *e);

int op_links(struct op_call *c, struct zb_err *e);
int op_link(struct op_call *c, struct zb_err *e);
int op_link_open(struct op_call *c, struct zb_err *e);
int op_link_classes(struct op_call *c, struct zb_err *e);
int op_link_codes(struct op_call *c, struct zb_err *e);
int op_link_families(struct op_call *c, struct zb_err *e);
int op_link_accept(struct op_call *c, struct zb_err *e);
int op_completeness(struct op_call *c, struct zb_err *e);
int op_families(struct op_call *c, struct zb_err *e);
int op_sampled(struct op_call *c, struct zb_err *e);
int op_sampled_new(struct op_call *c, struct zb_err *e);
