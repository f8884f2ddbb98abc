/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that sends to a VNC client: the only one that ever waits for it. */
#ifndef PLANECAST_VNC_SENDER_H
#define PLANECAST_VNC_SENDER_H

#include <glib.h>
#include <stdbool.h>

struct vnc_client;

gpointer vnc_sender_run(gpointer client);

/* With the client's lock. Is there anything that the thread can do now? Signal `news` then. */
bool vnc_sender_has_work(struct vnc_client *client);

/* True if the client has just begun to wait for a frame: poke, after unlocking. */
bool vnc_sender_begins_to_wait(struct vnc_client *client);

#endif
