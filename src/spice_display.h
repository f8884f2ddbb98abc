/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display that spice-server sees: a QXL device with one primary surface. spice-server's worker
 * thread *takes* commands when it has room for them, and each is made of the frame as it is then,
 * so what changes faster than clients can follow is joined here and not queued.
 *
 * Commands stay with spice-server while any of their pixels are visible. There may be only so many;
 * beyond that it is asked to draw them into its surface and give them back (spice_qxl_oom).
 */
#ifndef PLANECAST_SPICE_DISPLAY_H
#define PLANECAST_SPICE_DISPLAY_H

#include <spice.h>

#include "damage.h"
#include "frame.h"
#include "pointer.h"

#define SPICE_DISPLAY_COMMANDS 128u /* that spice-server holds at a time */

struct spice_display;

struct spice_display_counts {
	uint64_t drawn, bytes; /* commands taken, and of their pixels */
	uint64_t oom;          /* times that spice-server was asked to give some back */
	unsigned int held;     /* now */
};

struct spice_display_ops {
	/* From the worker's thread: all changes were taken. */
	void (*drained)(void *data);
	/* From any thread: turn() is to be called by the server's. */
	void (*needed)(void *data);
	/* From the server's thread: a client wants this size. NULL: clients do not choose it. */
	void (*wished)(uint32_t width, uint32_t height, void *data);
};

/* ops outlives it. NULL without memory. */
struct spice_display *spice_display_create(struct frame *frame, const struct spice_display_ops *ops,
					   void *data);

/* From the server's thread: adds it to the server, which has to be initialised. 0 or -EINVAL. */
int spice_display_attach(struct spice_display *display, SpiceServer *server);

/* From the server's thread: there are clients, or there soon will be; none are left. Before that
 * and after it spice-server has no surface and no command, so nothing is read or kept for nobody.
 */
void spice_display_watch(struct spice_display *display);
void spice_display_rest(struct spice_display *display);

/* From the server's thread: waits until the worker has done all it was told to. */
void spice_display_join(struct spice_display *display);

/* From the server's thread: waits until the worker has been through its loop. False: it looks for
 * no command, because somebody has more than 50 messages to come. Before a surface goes it waits
 * for that to end (server/red-worker.cpp, flush_commands()), half a minute if need be. */
bool spice_display_is_open(struct spice_display *display);

/* From the server's thread: waits for the worker to show the newest frame. */
void spice_display_settle(struct spice_display *display);

/* From the server's thread: a surface of the newest frame's size, if that is another one and
 * anybody watches. */
void spice_display_adapt(struct spice_display *display);

/* From the server's thread: tells spice-server what others want it to know. They do not tell it
 * themselves, since that may take as long as a call of this thread that waits for the worker. */
void spice_display_turn(struct spice_display *display);

/* From the server's thread, now and then: asks again for what could not be freed. False: since the
 * last time the worker has taken nothing of what there was. */
bool spice_display_tick(struct spice_display *display);

/* All below from any thread. */

/* Shows another frame from the next adapt() on. 0 or -ENOMEM, then it keeps the old one. */
int spice_display_resize(struct spice_display *display, struct frame *frame);
void spice_display_damage(struct spice_display *display, const struct damage *damage);
void spice_display_pointer(struct spice_display *display, struct pointer *shape, int32_t x,
			   int32_t y);
/* It could take a frame now. */
bool spice_display_is_idle(struct spice_display *display);
size_t spice_display_pending(struct spice_display *display); /* cells */
void spice_display_count(struct spice_display *display, struct spice_display_counts *counts);

/* After the server's end. Takes NULL. */
void spice_display_destroy(struct spice_display *display);

#endif
