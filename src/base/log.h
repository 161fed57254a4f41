/* One line a happening, key=value, to stderr: log_event("event=batch_refused mine=%s n=%d", ...). Only cli, http, inlet and engine log.
 * No personal data, no secrets. The log may be lost; the journal may not. */
#pragma once
#include "base/err.h"
void log_event(const char *fmt, ...) ZB_PRINTF(1, 2);
void log_quiet(int on); /* tests */
