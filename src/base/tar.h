/* Several files in one body: a tar archive (POSIX ustar, also as GNU tar writes plain files). Reading and writing of what a bundle of uploads needs. */
#pragma once
#include "base/err.h"
#include "base/str.h"

#define TAR_NAME_MAX 100 /* bytes of a name that tar_put takes */
/* The next plain file at *at (0 to begin): 1, with views into `all`; its name is what follows the last slash. 0: the archive's end. Folders are passed over.
 * ZB_E_INPUT: no header with a right sum there, cut off, or an entry that is no plain file (link, device, extended header), naming the byte. */
ZB_MUST int tar_next(struct str all, size_t *at, struct str *name, struct str *bytes, struct zb_err *e);
void tar_put(struct buf *b, struct str name, struct str bytes); /* name: 1 to TAR_NAME_MAX bytes */
void tar_end(struct buf *b);
