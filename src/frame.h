/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame: the linear x8r8g8b8 image of a screen that all sinks read. Written only by the main
 * thread; reference-counted from any thread, so that a resize makes a new one and the old one dies
 * with its last reader.
 */
#ifndef PLANECAST_FRAME_H
#define PLANECAST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
	uint32_t width, height; /* pixels */
	size_t stride;          /* bytes a row, a multiple of 64 */
	uint32_t *pixels;       /* page-aligned, PIXMAN_x8r8g8b8; the X byte means nothing */
	uint64_t generation;    /* distinct for every frame of a process */
	int references;         /* atomic */
	bool rests;             /* the writer's: frame_rest() */
	uint64_t touched;       /* atomic: frame_touch() */
};

/* A black frame, or NULL without memory. One reference, the caller's. */
struct frame *frame_create(uint32_t width, uint32_t height);
struct frame *frame_acquire(struct frame *frame);
void frame_release(struct frame *frame); /* takes NULL */

/*
 * Gives the memory of the pixels back while nobody watches: they are black from then on, for who
 * still reads, too. To be woken before a pixel is written again. The writer's thread.
 */
void frame_rest(struct frame *frame);
void frame_wake(struct frame *frame);

/*
 * The writer is about to write: who reads from now on may see some of that. Whoever finds the
 * number unchanged after it has read saw nothing of what was written since. Any thread asks.
 */
void frame_touch(struct frame *frame);
uint64_t frame_touched(const struct frame *frame);

/* How many frames the process holds now, and their bytes; not those at rest. Any thread. */
void frame_held(unsigned int *count, size_t *bytes);

#endif
