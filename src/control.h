/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: whoever connects is told how the server is, in one line of JSON
 * (doc/status.md), and the connection ends. Nothing is read. Runs in the main context and never
 * blocks: connections are few, the oldest makes room for a newcomer, and who does not take the
 * answer in time is dropped.
 */
#ifndef PLANECAST_CONTROL_H
#define PLANECAST_CONTROL_H

#include <glib.h>

struct control;

/* A new line of text, for g_free(). */
typedef char *(*control_answer)(void *data);

#define CONTROL_CONNECTIONS 8u
#define CONTROL_PATIENCE_MS 2000u

/*
 * Listens on unix:PATH (made with mode 0600) or fd:N; EXIT_USAGE for another kind of
 * address. 0 or -errno with one line in error.
 */
int control_create(const char *address, control_answer answer, void *data, struct control **control,
		   GError **error);

/* Logs where it listens: once nothing else can fail. Takes NULL. */
void control_announce(const struct control *control);

/* Removes the socket's file. Takes NULL. */
void control_destroy(struct control *control);

/*
 * Where a server of that DEVICE listens by default, as an ADDR: in $XDG_RUNTIME_DIR/planecast, or
 * /run/planecast. number 0, or a number that tells several of one DEVICE apart. For g_free().
 */
char *control_default(const char *device, unsigned int number);

/* That folder, for g_free(). */
char *control_folder(void);

#endif
