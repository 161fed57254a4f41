/* Drop folders: DIR/drop/<mine>/, one a mine. inotify wakes it, a rescan every 30 s finds what it missed. A file is taken by its final name only
 * (no .tmp, no dot, no link), when its size rests and it is complete; then it goes through the door and is removed. Refused ones go to
 * <mine>/bad/ with NAME.reason; when the door cannot store, files stay and are tried again. */
#pragma once
#include "engine/engine.h"
struct drop;
ZB_MUST int drop_start(struct engine *en, const char *dir, struct drop **ret, struct zb_err *e);
/* Puts bytes into DIR/drop/MINE/NAME, synced: the folder takes it in the mine's turn. ZB_E_INPUT: no name for a file. ZB_E_IO. */
ZB_MUST int drop_put(const char *dir, struct str mine, struct str name, struct str bytes, struct zb_err *e);
void drop_stop(struct drop *d);
