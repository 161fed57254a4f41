/* A link's trial and its report, shared by the operations and the paper. */
#pragma once
#include "op/fns.h"

struct link_state { /* the row of its onboarding */
    bool there;
    zb_time opened, accepted; /* accepted NONE: on trial */
    char opened_by[64], accepted_by[64], note[1000];
    char *report; /* as it was accepted; in the call's arena; NULL */
};
ZB_MUST int link_state_read(struct op_call *c, const char *mine, struct link_state *ret, struct zb_err *e);
struct link_head { /* of a mine the actor may see */
    char code[24], name[96], region[8], gas_class[12];
    bool trial;
    int64_t files;
};
/* ZB_E_ABSENT: no such mine here, or not in the actor's area. */
ZB_MUST int link_head_read(struct op_call *c, struct str mine, struct link_head *ret, struct zb_err *e);
/* The report of now as an object: what came, what was expected, what is wrong; *open: checks that do not pass. Reads series and tables. */
ZB_MUST int link_report(struct op_call *c, const struct link_head *h, zb_time opened, struct json *j, int *open, struct zb_err *e);
/* Head, onboarding and report, of now or as it was accepted: the reply of `link` and what the paper is made of. */
ZB_MUST int link_json(struct op_call *c, struct str mine, struct json *j, struct zb_err *e);

/* part of whole in percent, two decimals; NONE without a whole */
static inline zb_fix percent_of(int64_t part, int64_t whole) { return whole > 0 ? (zb_fix)(part * 10000 / whole) * (ZB_FIX_ONE / 100) : ZB_FIX_NONE; }
