/* Files that another program writes into a folder of ours: which are meant for us, and whether they are whole. */
#pragma once
#include "base/time.h"
#include <sys/types.h>
bool file_name_final(const char *name); /* not hidden, not being written (.tmp), not what we put there ourselves (.reason) */
/* The last byte is one a whole file of some family ends with. */
bool file_looks_whole(const char *name, const char *bytes, size_t n);
/* Whole bytes of a regular file that rests, no link followed; *ret is the caller's to free(). *age: since it was last written. -1 not now, 0 taken, 1 larger than max. */
int file_take(int dirfd, const char *name, off_t max, zb_time now, char **ret, size_t *n, zb_time *age);
