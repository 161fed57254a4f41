/* The journal: human and policy acts and digests of findings, chained by SM3, tied by SM2-signed daily checkpoints that leave the machine.
 * Table journal(seq, t, who, what, subject, body JSON, prev, hash) in zhiben.db; an entry is written in the transaction of what it proves.
 * hash = SM3(prev || seq || t || who || what || subject || body), each part length-prefixed. Never updated, never deleted (triggers refuse). */
#pragma once
#include "store/db.h"

ZB_MUST int audit_init(struct db *db, struct zb_err *e); /* migrations */
/* Must be inside a transaction. t may not be before the last entry's (back-dating): then the last entry's time is used. */
ZB_MUST int audit_append(struct db *db, zb_time t, struct str who, struct str what, struct str subject, struct str body_json, struct zb_err *e);
/* Key pair in DIR/keys/journal.pem, mode 0600, made when absent. Writes checkpoint to DIR/checkpoints/<day>.json: {"seq","t","hash","sig","pub"} and remembers it in a table. */
ZB_MUST int audit_checkpoint(struct db *db, const char *dir, zb_time now, struct zb_err *e);
struct audit_result {
    int64_t entries, checkpoints;
    int64_t bad_seq; /* 0: all well */
    char what[300];  /* what it proves, or what is wrong, in words */
};
/* Walks the chain; checks sequence, times rising, hashes, and the checkpoint files in DIR/checkpoints plus `extra` (NULL none), which must be on the chain and signed by the key. */
ZB_MUST int audit_verify(struct db *db, const char *dir, const char *extra, struct audit_result *ret, struct zb_err *e);
/* Newest first, at most n, seq < before (0: newest): calls fn. */
ZB_MUST int audit_list(struct db *db, int64_t before, int n,
                       void (*fn)(void *arg, int64_t seq, zb_time t, struct str who, struct str what, struct str subject, struct str body), void *arg,
                       struct zb_err *e);
