/* What the plan office works through: dated duties, what is overdue and with whom, a fair ranking, the next rung, reported beside computed. */
#pragma once
#include "prove/view.h"

/* Duties whose day lies in from..to, of the areas at and below l->area: who has filed, late, not. */
ZB_MUST int view_duties(struct look *l, int32_t from, int32_t to, struct json *j, struct zb_err *e);
/* Records past their due date by ledger and owner, as far as the actor may see them. */
ZB_MUST int view_overdue(struct look *l, struct json *j, struct zb_err *e);
/* The areas below among their peers: share of judged indicators that are met. Never amounts of fines, never numbers of visits. */
ZB_MUST int view_ranking(struct look *l, struct json *j, struct zb_err *e);
/* Red lights of requirements for which the next rung is due, with the reasons and the values of a draft. */
ZB_MUST int view_proposals(struct look *l, struct json *j, struct zb_err *e);
/* What was reported for a day (NONE: the latest reported one) beside what is computed of that day; corrected values stand beside. */
ZB_MUST int view_reported(struct look *l, int32_t day, struct json *j, struct zb_err *e);
