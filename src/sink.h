/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink: something that shows a frame (VNC, SPICE). The screen calls it from the main
 * thread; its own threads speak back only through sink_poke(). Every member is mandatory.
 */
#ifndef PLANECAST_SINK_H
#define PLANECAST_SINK_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "damage.h"
#include "frame.h"
#include "moves.h"
#include "pointer.h"

struct sink;

struct sink_demand {
	unsigned int clients; /* connected and past their handshake */
	unsigned int waiting; /* of these, how many could take a frame now */
	unsigned int fresh;   /* joined since the last call: they need a finished capture first */
	bool moves;           /* a viewer is served by what has moved, instead of pixels */
	/* A viewer wants a mode of this size, 0: none does. It is told of once: answer() follows.
	 */
	uint32_t wish_width, wish_height;
};

struct sink_ops {
	const char *name;

	/*
	 * A new frame replaces the old one: another size, or the same. The sink takes its own
	 * reference and drops the one to the old frame when its last reader is done. Never blocks
	 * on a client. 0 or -errno (then the sink keeps the old frame).
	 */
	int (*resize)(struct sink *sink, struct frame *frame);

	/*
	 * Pixels of the current frame changed (they are written already); some of them, perhaps,
	 * because they moved, which need not be used.
	 */
	void (*wake)(struct sink *sink, const struct damage *damage, const struct moves *moves);

	/*
	 * The guest's pointer: its shape, NULL while it shows none (the sink takes its own
	 * reference), with its left top corner at x, y of the frame, perhaps beyond its edges. It
	 * is no part of the frame. Called once for a new sink, then when anything of it changes.
	 */
	void (*pointer)(struct sink *sink, struct pointer *shape, int32_t x, int32_t y);

	/* A pass has finished, whatever it found: the frame is what the device shows. */
	void (*captured)(struct sink *sink);

	/* Who watches. Cheap: called at every turn of the pacer. */
	void (*demand)(struct sink *sink, struct sink_demand *demand);

	/*
	 * What became of the wish that demand() told of: 0, that is the mode already; -EINPROGRESS,
	 * the guest was told, and a resize() may follow; else as source_ops' set_mode.
	 */
	void (*answer)(struct sink *sink, int ret);

	/*
	 * For `planecast status`: adds members to the object that is open in json, among them
	 * "clients", an array of one object each (doc/status.md has the members that all sinks'
	 * clients share).
	 */
	void (*describe)(struct sink *sink, JsonBuilder *json);

	void (*close)(struct sink *sink); /* disconnects all, frees the sink */
};

struct sink {
	const struct sink_ops *ops;
	/* Set by the screen before the sink has a client; poke is safe to call from any thread. */
	void (*poke)(void *data);
	void *poke_data;
};

/* From any thread: demand() would answer something new. */
static inline void sink_poke(struct sink *sink)
{
	if (sink->poke)
		sink->poke(sink->poke_data);
}

#endif
