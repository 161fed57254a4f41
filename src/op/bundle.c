/* Several files in one body: each is a record of its own with a verdict of its own, and one sync serves them all. */
#include "base/tar.h"
#include "op/fns.h"
#include <stdlib.h>

#define FILES_MAX 1000

struct entry {
    struct str name, bytes;
    struct upload_result u;
    struct ticket ticket;
    int rc;
};

/* All of the archive is looked at before the first file is taken. */
static int list(struct str body, struct entry **ret, int *n, struct zb_err *e) {
    struct str name, bytes;
    size_t at = 0;
    int rc, k = 0;
    while ((rc = tar_next(body, &at, &name, &bytes, e)) == 1)
        if (++k > FILES_MAX) return zb_fail(e, ZB_E_LIMIT, "more than %d files in one body: send them in several", FILES_MAX);
    if (rc != 0) return rc;
    if (!k) return zb_fail(e, ZB_E_INPUT, "the archive holds no file");
    *ret = xcalloc((size_t)k, sizeof **ret);
    at = 0;
    for (*n = 0; *n < k && tar_next(body, &at, &(*ret)[*n].name, &(*ret)[*n].bytes, e) == 1;) ++*n;
    return ZB_OK;
}

int bundle_take(struct engine *en, struct str mine, struct str origin, struct str body, bool wait, struct json *j, struct zb_err *e) {
    struct entry *f = NULL;
    struct zb_err why;
    int n = 0, again = 0;
    if (list(body, &f, &n, e) != ZB_OK) return e->rc;
    for (int i = 0; i < n; i++) {
        f[i].rc = engine_submit_begin(en, mine, origin, f[i].name, f[i].bytes, wait, &f[i].u, &f[i].ticket, &why);
        if (f[i].rc != ZB_OK) str_copy(str_of(why.msg), f[i].u.reason, sizeof f[i].u.reason);
    }
    json_obj(j);
    json_key(j, "files");
    json_arr(j);
    for (int i = 0; i < n; i++) {
        if (f[i].rc == ZB_OK && (f[i].rc = engine_submit_end(en, &f[i].ticket, &f[i].u, &why)) != ZB_OK)
            str_copy(str_of(why.msg), f[i].u.reason, sizeof f[i].u.reason);
        if (f[i].rc == ZB_E_BUSY && f[i].u.wait > again) again = f[i].u.wait;
        if (f[i].rc == ZB_E_IO && again < 2) again = 2;
        upload_json(j, f[i].name, &f[i].u, op_code(f[i].rc));
    }
    json_arr_end(j);
    json_key(j, "wait");
    json_i64(j, again);
    json_end(j);
    free(f);
    return ZB_OK;
}
