/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop that spice-server runs on: timers and watches of a GMainContext. spice-server hands
 * its callbacks no data of ours, so there is one at a time in a process.
 */
#ifndef PLANECAST_SPICE_CORE_H
#define PLANECAST_SPICE_CORE_H

#include <glib.h>
#include <spice.h>

/*
 * What a channel's socket goes through (SPICE_CHANNEL_EVENT_*), in the context's thread; `info` is
 * the same pointer for all events of one socket, the last of which is DISCONNECTED.
 */
typedef void spice_core_event(int event, const SpiceChannelEventInfo *info, void *data);

/* spice-server has been called for one watch, and the next is not looked at yet. */
typedef void spice_core_after(void *data);

/* Static; the context is borrowed. */
SpiceCoreInterface *spice_core_open(GMainContext *context, spice_core_event *event,
				    spice_core_after *after, void *data);
void spice_core_close(void); /* neither is called after it */

#endif
