/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stamp.h"

struct stamp stamp_of(const char *path)
{
	struct stamp stamp = {0};
	struct stat st;

	if (!path || stat(path, &st))
		return stamp;
	stamp.device = st.st_dev;
	stamp.inode = st.st_ino;
	stamp.size = st.st_size;
	stamp.changed = st.st_ctim; /* its mode counts, too */
	return stamp;
}

bool stamp_is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}
