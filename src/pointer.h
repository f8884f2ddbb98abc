/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pointer: the shape of a guest's mouse cursor, shared by all sinks. It never changes after it
 * was made; another shape is another pointer. Reference-counted from any thread.
 */
#ifndef PLANECAST_POINTER_H
#define PLANECAST_POINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "detile/detile.h"
#include "frame.h"

struct pointer {
	uint32_t width, height; /* pixels, neither is 0 */
	int32_t hot_x, hot_y;   /* within the shape */
	uint64_t serial;        /* distinct for every shape of a process */
	int references;         /* atomic */
	uint32_t pixels[];      /* width * height, PIXMAN_a8r8g8b8, premultiplied */
};

/* pixels has `stride` bytes a row. NULL without memory. One reference, the caller's. */
struct pointer *pointer_create(uint32_t width, uint32_t height, int32_t hot_x, int32_t hot_y,
			       const uint32_t *pixels, size_t stride);
struct pointer *pointer_acquire(struct pointer *pointer); /* takes NULL */
void pointer_release(struct pointer *pointer);            /* takes NULL */

/* Whether the shape is these pixels. */
bool pointer_is(const struct pointer *pointer, uint32_t width, uint32_t height, int32_t hot_x,
		int32_t hot_y, const uint32_t *pixels, size_t stride);

/* The part of the frame that it covers with its left top corner at x, y: false if none. */
bool pointer_area(const struct pointer *pointer, int32_t x, int32_t y, const struct frame *frame,
		  struct detile_rect *area);

/* Draws it over a frame, clipped. */
void pointer_draw(const struct pointer *pointer, int32_t x, int32_t y, struct frame *frame);

#endif
