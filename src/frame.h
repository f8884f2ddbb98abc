/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame: the linear x8r8g8b8 image of a screen that all sinks read. Written only by the main
 * thread; reference-counted from any thread, so that a resize makes a new one and the old one dies
 * with its last reader.
 */
#ifndef PLANECAST_FRAME_H
#define PLANECAST_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct frame {
	uint32_t width, height; /* pixels */
	size_t stride;          /* bytes a row, a multiple of 64 */
	uint32_t *pixels;       /* 64-byte aligned, PIXMAN_x8r8g8b8; the X byte means nothing */
	uint64_t generation;    /* distinct for every frame of a process */
	int references;         /* atomic */
};

/* A black frame, or NULL without memory. One reference, the caller's. */
struct frame *frame_create(uint32_t width, uint32_t height);
struct frame *frame_acquire(struct frame *frame);
void frame_release(struct frame *frame); /* takes NULL */

/* How many frames the process holds now, and their bytes. Any thread. */
void frame_held(unsigned int *count, size_t *bytes);

#endif
