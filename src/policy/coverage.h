/* Which requirement of the plan is held by what: its ledgers, indicators and rules, and for each indicator and rule the fixture that turns it on and the one
 * that turns it off; for an indicator also the one without data. What is missing is a hole: an indicator or rule that the plan names and the policy does not hold,
 * or one of the policy that lacks a fixture. */
#pragma once
#include "base/str.h"
#include "policy/policy.h"

/* fixtures: folder with rules/, insights/, indicators/, stream/ (rules over streams: alarms and detectors); NULL or not there: every indicator and rule lacks its fixtures. json: one object a line, the last one
 * {"requirements":n,"entry":n,"covered":n,"holes":[{"id","why"}]}; else text with the holes at the end. *holes: how many. ZB_E_INPUT: a fixture file that
 * does not parse. */
ZB_MUST int coverage_write(const struct policy *p, const char *fixtures, bool json, struct buf *out, int *holes, struct zb_err *e);
