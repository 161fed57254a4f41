/* A small streaming JSON writer over a buf. Commas and quoting are its business; nesting is checked (ZB_BUG). */
#pragma once
#include "base/num.h"
#include "base/time.h"

struct json {
    struct buf *b;
    unsigned depth;
    bool comma[32];
};
void json_init(struct json *j, struct buf *b);
void json_obj(struct json *j); /* { */
void json_end(struct json *j); /* } */
void json_arr(struct json *j); /* [ */
void json_arr_end(struct json *j);
void json_key(struct json *j, const char *k);
void json_str(struct json *j, struct str s); /* invalid UTF-8 bytes become U+FFFD */
void json_z(struct json *j, const char *z);  /* NULL: null */
void json_i64(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_none(struct json *j);
void json_fix(struct json *j, zb_fix v);                                                  /* NONE: null */
void json_time(struct json *j, zb_time t);                                                /* ISO with +08:00; NONE: null */
void json_texts(struct json *j, int n, const char *const *key, const char *const *value); /* n members of texts */
void json_raw(struct json *j, struct str s);                                              /* already JSON */
/* A member at once. */
static inline void kv_z(struct json *j, const char *k, const char *v) {
    json_key(j, k);
    json_z(j, v);
}
static inline void kv_str(struct json *j, const char *k, struct str v) {
    json_key(j, k);
    json_str(j, v);
}
static inline void kv_i(struct json *j, const char *k, int64_t v) {
    json_key(j, k);
    json_i64(j, v);
}
static inline void kv_t(struct json *j, const char *k, zb_time v) {
    json_key(j, k);
    json_time(j, v);
}
static inline void kv_fix(struct json *j, const char *k, zb_fix v) {
    json_key(j, k);
    json_fix(j, v);
}
static inline void kv_b(struct json *j, const char *k, bool v) {
    json_key(j, k);
    json_bool(j, v);
}
