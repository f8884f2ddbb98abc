/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that this process still reaches: Landlock (linux Documentation/userspace-api/
 * landlock.rst), where the kernel has it. It is a thread's own: for the main thread, before there
 * are others.
 */
#ifndef PLANECAST_LANDLOCK_H
#define PLANECAST_LANDLOCK_H

#include <glib.h>

struct landlock;

struct landlock *landlock_new(void);
void landlock_free(struct landlock *landlock);

/* What may be read: a file, or a folder with all below. One that is not there is left out. */
void landlock_read(struct landlock *landlock, const char *path);

/* The folder of a file that is replaced from time to time. */
void landlock_read_beside(struct landlock *landlock, const char *file);

/* What may be read and written; nothing is made or removed there. */
void landlock_use(struct landlock *landlock, const char *path);

/* The folder of a socket's file, which is made and removed. */
void landlock_socket(struct landlock *landlock, const char *file);

/*
 * From here on nothing else can be opened, made or removed. The version of Landlock that the kernel
 * has; 0 where it has none, and nothing is restricted; -errno with a line.
 */
int landlock_restrict(const struct landlock *landlock, GError **error);

#endif
