/* A data directory that is not being served takes over a past told in files. */
#include "engine/inside.h"
#include "ledger/ledger.h"

int engine_past(const char *dir, const char *folder, zb_time until, FILE *progress, struct past_result *ret, struct zb_err *e) {
    struct engine *en = engine_make(dir);
    *ret = (struct past_result){0};
    int rc = lock_dir(en, e) == ZB_OK && open_stores(en, NULL, e) == ZB_OK ? ledger_migrate(en->writer, en->policy, zb_now(), e) : e->rc;
    if (rc == ZB_OK) rc = ledger_past_load(en->writer, en->policy, dir, folder, until, progress, ret, e);
    engine_free(en);
    return rc;
}
