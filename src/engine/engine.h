/* Wires the rooms: the door, the workers, the stores. engine_submit is the only way in for uploads, whatever inlet they came by. */
#pragma once
#include "access/access.h"
#include "detect/detect.h"
#include "raw/raw.h"
#include "series/series.h"

struct engine;
struct engine_hooks { /* after what they tell is durable; any thread; NULL: none */
    void (*alarm)(void *arg, const struct alarm *a, const char *region);
    void *arg;
};
ZB_MUST int engine_open(const char *dir, const struct engine_hooks *h, struct engine **ret, struct zb_err *e); /* steps what was acknowledged but not yet judged */
void engine_close(struct engine *en);

struct upload_result { /* what one file came to */
    uint64_t seq;
    char mine[24], family[8], type[16];
    int records, accepted, refused;
    bool duplicate, correction;
    char reason[400]; /* "" when nothing was refused; the first reason otherwise */
};
/* Durable when it returns ZB_OK; judged too when `wait`. mine: whose token or folder it came by ("" any: import by an operator).
 * ZB_E_INPUT/LIMIT: refused, kept visible with its reason in the link's list. ZB_E_IO: not acknowledged, send again. */
ZB_MUST int engine_submit(struct engine *en, struct str mine, struct str origin, struct str name, struct str bytes, bool wait, struct upload_result *ret, struct zb_err *e);
