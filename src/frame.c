/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_ALIGNMENT 64u

struct frame *frame_create(uint32_t width, uint32_t height)
{
	static uint64_t last_generation;
	size_t stride = ((size_t)width * 4 + FRAME_ALIGNMENT - 1) & ~(size_t)(FRAME_ALIGNMENT - 1);
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->pixels = aligned_alloc(FRAME_ALIGNMENT, stride * height);
	if (!frame->pixels) {
		free(frame);
		return NULL;
	}
	memset(frame->pixels, 0, stride * height);
	frame->width = width;
	frame->height = height;
	frame->stride = stride;
	frame->generation = __atomic_add_fetch(&last_generation, 1, __ATOMIC_RELAXED);
	frame->references = 1;
	return frame;
}

struct frame *frame_acquire(struct frame *frame)
{
	g_atomic_int_inc(&frame->references);
	return frame;
}

void frame_release(struct frame *frame)
{
	if (!frame || !g_atomic_int_dec_and_test(&frame->references))
		return;
	free(frame->pixels);
	free(frame);
}
