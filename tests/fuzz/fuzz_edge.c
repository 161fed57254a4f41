/* What comes to the program at the mine: "M", kind, swap, then a Modbus answer; or "A" and a reply of the province, to one file or to several. */
#include "fuzz.h"
#include "edge/edge.h"
#include <string.h>
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    struct zb_err e;
    if (n && p[0] == 'A') {
        char why[300], code[20];
        struct parcel f[] = {{.name = STR("a")}, {.name = STR("b")}};
        int wait;
        answer_read((struct str){(const char *)p + 1, n - 1}, "", why, code);
        if (!verdicts_read((struct str){(const char *)p + 1, n - 1}, f, 2, &wait) && (f[0].sent != SENT_NOT || f[1].sent != SENT_NOT)) abort();
        if (wait < 0 || wait > 3600) abort();
        return 0;
    }
    if (n < 3 + MODBUS_HEAD || p[0] != 'M') return 0;
    const struct meter m = {.host = "h", .port = "502", .unit = 1};
    const struct meter_value v = {
        .point = "W1", .unit = "", .location = "", .function = 3, .kind = (enum meter_kind)(p[1] % 5), .swap = p[2] & 1, .scale = ZB_FIX_ONE};
    unsigned char q[MODBUS_ASK];
    double x;
    modbus_ask(&m, &v, 1, q);
    int more = modbus_head(&m, &v, q, p + 3, &e);
    if (more < 0) return 0;
    if (more != 2 && more != 4) abort();
    if (n - 3 - MODBUS_HEAD < (size_t)more) return 0;
    uint8_t *exact = malloc((size_t)more); /* a read beyond the end is found */
    memcpy(exact, p + 3 + MODBUS_HEAD, (size_t)more);
    if (modbus_value(&v, exact, &x) && !(x > -1e13 && x < 1e13)) abort();
    free(exact);
    return 0;
}
