/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which version of a file was looked at. */
#ifndef PLANECAST_STAMP_H
#define PLANECAST_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/* All zero for one that is not there, and for NULL. */
struct stamp stamp_of(const char *path);

bool stamp_is_same(const struct stamp *a, const struct stamp *b);

#endif
