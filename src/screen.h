/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen: one source shown by any number of sinks. It captures the plane when the pacer says so
 * and tells the sinks what changed. Runs in the main context; every call is the main thread's.
 */
#ifndef PLANECAST_SCREEN_H
#define PLANECAST_SCREEN_H

#include <glib.h>

#include "frame.h"
#include "sink.h"
#include "source.h"

struct screen;

struct screen_options {
	unsigned int max_fps;
};

struct screen_counters {
	uint64_t looks;      /* how often the plane was asked for */
	uint64_t passes;     /* how often all pixels that may have changed were read */
	uint64_t probes;     /* how often a few rows were, and whether a pass has to follow */
	uint64_t bytes_read; /* of planes */
	uint64_t cells;      /* found changed */
	uint64_t retries;    /* passes thrown away because the plane changed meanwhile */
	uint64_t resizes;
};

/*
 * Takes the source over. The first frame has the plane's size, if there is a plane; it is at rest,
 * as it is whenever no sink has a client, and filled when one comes. 0 or -ENOMEM.
 */
int screen_create(struct source *source, const struct screen_options *options,
		  struct screen **screen);

/* Closes all its sinks, then the source. Takes NULL. */
void screen_destroy(struct screen *screen);

/* The frame as it is now: valid until the next turn of the main loop, acquire it to keep it. */
struct frame *screen_frame(struct screen *screen);

/* Takes the sink over: wakes it, asks it, closes it. */
void screen_add_sink(struct screen *screen, struct sink *sink);

/*
 * Where a viewer's wish for a size goes when the source has no monitor that could be another one: 0
 * if somebody was told of it, or -ENOTSUP. It is asked in the main context; NULL: nobody is.
 */
void screen_set_resizer(struct screen *screen,
			int (*resize)(uint32_t width, uint32_t height, void *data), void *data);

/*
 * From any thread, cheap and as often as one likes: the guest was given input, so the next frame is
 * wanted at once. Not after screen_destroy() has begun.
 */
void screen_urge(struct screen *screen);

/*
 * For `planecast status`: members of the object that is open in json, doc/status.md. Asks the
 * device nothing.
 */
void screen_describe(struct screen *screen, JsonBuilder *json);

const struct screen_counters *screen_counters(const struct screen *screen);

#endif
