#include "model/alarm.h"
#define X(id, key, zh) key,
const char *const ALARM_KIND_KEY[] = {ALARM_KINDS(X)}, *const ALARM_LEVEL_KEY[] = {ALARM_LEVELS(X)}, *const ALARM_STATE_KEY[] = {ALARM_STATES(X)};
const char *const VALUE_TYPE_KEY[] = {VALUE_TYPES(X)};
#undef X
#define X(id, key, zh) zh,
const char *const ALARM_KIND_ZH[] = {ALARM_KINDS(X)}, *const ALARM_LEVEL_ZH[] = {ALARM_LEVELS(X)}, *const ALARM_STATE_ZH[] = {ALARM_STATES(X)};
#undef X
