#pragma once
#include "base/str.h"
bool utf8_valid(struct str s); /* strict: no overlong, no surrogate, <= U+10FFFF */
