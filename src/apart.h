/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work done apart: in a child process with a time limit, for a driver may hang whoever calls it, in
 * a way that no signal ends.
 */
#ifndef PLANECAST_APART_H
#define PLANECAST_APART_H

#include <glib.h>

/*
 * Has work() done in a child. What it writes to fd comes back in *text, for g_string_free(); at
 * most so much time goes by. 0; -ETIMEDOUT: it was killed, or will be when the driver lets go of
 * it; -ECHILD: it died; -errno. To be called before there are other threads.
 */
int apart_run(void (*work)(int fd, void *data), void *data, unsigned int limit_ms, GString **text);

/*
 * For a child that stays: it has nothing but this descriptor and the log, and is called `name`.
 * What a terminal sends to its group is for the parent.
 */
void apart_be_alone(int fd, const char *name);

#endif
