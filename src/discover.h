/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a process's vfio devices has a display. */
#ifndef PLANECAST_DISCOVER_H
#define PLANECAST_DISCOVER_H

#include <glib.h>
#include <sys/types.h>

/*
 * The name of the one device with a display that a process owns, for g_free(). Several: -ENOTUNIQ,
 * and the line lists them; none: -ENODEV with EXIT_NO_DISPLAY. Each device is attached for a moment
 * and asked; nothing is disturbed.
 */
int discover_display(pid_t pid, char **name, GError **error);

#endif
