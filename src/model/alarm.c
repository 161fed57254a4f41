#include "model/alarm.h"
#include <stdio.h>
#define X(id, key, zh) key,
const char *const ALARM_KIND_KEY[] = {ALARM_KINDS(X)}, *const ALARM_LEVEL_KEY[] = {ALARM_LEVELS(X)}, *const ALARM_STATE_KEY[] = {ALARM_STATES(X)};
const char *const VALUE_TYPE_KEY[] = {VALUE_TYPES(X)};
#undef X
#define X(id, key, zh) zh,
const char *const ALARM_KIND_ZH[] = {ALARM_KINDS(X)}, *const ALARM_LEVEL_ZH[] = {ALARM_LEVELS(X)}, *const ALARM_STATE_ZH[] = {ALARM_STATES(X)};
#undef X

void alarm_same(enum alarm_kind k, const char *point, char out[ALARM_WHY_CAP]) { snprintf(out, ALARM_WHY_CAP, "same_as %s %s", ALARM_KIND_KEY[k], point); }
