/* Notices 通知: an outbox written in the transaction of what they tell (nothing lost, nothing sent for an act that was rolled back), handed to a channel by a
 * thread, answered by a receipt 已收到; an urgent one without receipt goes to the next person of the day's roster 值班表.
 * A hand-over may happen twice after a crash between sending and remembering: every notice carries its number, so that the receiver can tell. */
#pragma once
#include "base/json.h"
#include "policy/policy.h"
#include "store/db.h"

ZB_MUST int notify_init(struct db *db, struct zb_err *e);
struct notice {
    const char *dedup, *subject, *area, *title, *title_en, *body, *body_en;
    bool urgent;
}; /* dedup: the same again is nothing; subject: ledger/id or alarm id. Chinese is what is sent; English is for the screen */
ZB_MUST int notify_put(struct db *db, const struct notice *n, zb_time now, struct zb_err *e); /* inside the caller's transaction */

struct duty {
    int64_t id;
    int32_t day;
    int from_min, to_min, rank;
    char area[24], person[64], channel[32], address[200];
}; /* to_min > 1440: into the next day */
ZB_MUST int duty_put(struct db *db, const struct policy *p, struct str who, const struct duty *d, zb_time now, int64_t *id, struct zb_err *e); /* journalled */
ZB_MUST int duty_json(struct db *db, const char *area, int32_t day, struct json *j, struct zb_err *e);
/* Who is on duty for the area (or the nearest area above it) with the lowest rank above `after`. ZB_E_ABSENT: nobody. */
ZB_MUST int duty_find(struct db *db, const char *area, zb_time now, int after, struct duty *ret, struct zb_err *e);

struct message {
    int64_t id;
    const char *channel, *address, *title, *body, *subject, *area;
    bool urgent;
};
typedef int notify_send_fn(void *arg, const struct policy *p, const struct message *m, struct zb_err *e);
int channel_send(void *arg, const struct policy *p, const struct message *m, struct zb_err *e); /* by the kind of the policy's channel */
/* One pass over what is due; sends outside any transaction. */
ZB_MUST int notify_step(struct db *db, const struct policy *p, zb_time now, notify_send_fn *send, void *arg, int *did, struct zb_err *e);
ZB_MUST int notify_receipt(struct db *db, int64_t id, struct str who, zb_time now, struct zb_err *e); /* journalled; ends the climb */
ZB_MUST int notify_json(struct db *db, const char *area, int limit, struct json *j, struct zb_err *e);
bool header_safe(const char *s); /* no line break, no other control byte */
