/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread of the VNC sink: what clients say, who stalls, and the end of clients. */
#ifndef PLANECAST_VNC_THREAD_H
#define PLANECAST_VNC_THREAD_H

#include "vnc_own.h"

gpointer vnc_thread_run(gpointer vnc);

/* From any thread, with the lock: hears what a client says from now on. */
void vnc_thread_watch(struct guest *guest);

/* As struct vnc_client_owner has them; data is the guest. */
void vnc_thread_ended(void *data);
void vnc_thread_resume(void *data);
void vnc_thread_stir(void *data);

/* With the lock. Clients that are slow to finish an old frame keep it in memory: a few may. */
void vnc_thread_drop_behind(struct vnc *vnc, gint64 now);

/* A line about a client, unless they come by the dozen. reason may be NULL. */
void vnc_say(struct vnc *vnc, const char *peer, const char *what, const char *reason);

void vnc_guest_free(struct guest *guest);

#endif
