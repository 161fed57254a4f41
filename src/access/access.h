/* Accounts, sessions, upload tokens, rights. Passwords argon2id (libsodium), tokens random 32 bytes shown once and kept as SHA-256.
 * Roles and rights are policy; `may` is pure. Writes are journalled in their own transaction (audit_append). */
#pragma once
#include "policy/policy.h"
#include "store/db.h"

struct actor {
    int64_t id;
    char user[64], role[32], area[24];
    char csrf[33];
    bool upload; /* area: "14" province, "1401", "140105" or a mine code */
};
ZB_MUST int access_init(struct db *db, struct zb_err *e);
/* Password policy: 12 bytes at least, not the name. area "14" for the province. */
ZB_MUST int user_add(struct db *db, const struct policy *p, struct str who, zb_time now, struct str user, struct str role, struct str area, struct str password,
                     struct zb_err *e);
/* ZB_E_DENIED with one and the same text for a wrong name and a wrong password; ZB_E_LIMIT when throttled (5 wrong in 15 min a user or address). token: 64 hex digits. */
ZB_MUST int session_open(struct db *db, struct str user, struct str password, struct str address, zb_time now, char token[65], struct actor *ret,
                         struct zb_err *e);
/* The same proof again, for signing: name and password, throttled alike; no session. */
ZB_MUST int password_check(struct db *db, struct str user, struct str password, struct str address, zb_time now, struct actor *ret, struct zb_err *e);
ZB_MUST int session_find(struct db *db, struct str token, zb_time now, struct actor *ret, struct zb_err *e); /* 12 h, 2 h idle; reads only */
ZB_MUST int session_close(struct db *db, struct str token, struct zb_err *e);
ZB_MUST int token_add(struct db *db, struct str who, zb_time now, struct str mine, char token[65], struct zb_err *e);
ZB_MUST int token_find(struct db *db, struct str token, char mine[24], struct zb_err *e); /* ZB_E_DENIED */
ZB_MUST int token_stands(struct db *db, struct str mine, struct zb_err *e);               /* has it one that is not revoked? ZB_E_DENIED */
ZB_MUST int token_revoke(struct db *db, struct str who, zb_time now, struct str mine, struct zb_err *e);
bool may(const struct policy *p, const struct actor *a, const char *right); /* pure */
bool may_see(const struct actor *a, const char *region, const char *mine);  /* pure: region of the mine within the actor's area */
