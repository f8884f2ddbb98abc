/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE      ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

#define ROW_ALIGNMENT 64u

static int held_count;
static size_t held_bytes;

static void hold(const struct frame *frame, int sign)
{
	size_t bytes = frame->stride * frame->height;

	__atomic_add_fetch(&held_count, sign, __ATOMIC_RELAXED);
	__atomic_add_fetch(&held_bytes, sign < 0 ? -bytes : bytes, __ATOMIC_RELAXED);
}

void frame_held(unsigned int *count, size_t *bytes)
{
	*count = (unsigned int)__atomic_load_n(&held_count, __ATOMIC_RELAXED);
	*bytes = __atomic_load_n(&held_bytes, __ATOMIC_RELAXED);
}

/* Makes pixels black by giving whole pages of them back: they come, zero, to who touches them. */
static void clear(void *pixels, size_t bytes)
{
	size_t pages = bytes & ~(PAGE - 1);

	if (pages && madvise(pixels, pages, MADV_DONTNEED))
		pages = 0;
	memset((uint8_t *)pixels + pages, 0, bytes - pages);
}

/*
 * Pixels, all zero. A detiler writes 32 rows at a time, each in pages of its own: in huge pages it
 * is faster, and so is everybody who reads. Where the kernel has none to give nothing is lost.
 */
static uint32_t *pixels_create(size_t bytes)
{
	size_t huge = bytes & ~(HUGE_PAGE - 1);
	void *pixels;

	if (posix_memalign(&pixels, huge ? HUGE_PAGE : PAGE, bytes))
		return NULL;
	if (huge)
		madvise(pixels, huge, MADV_HUGEPAGE);
	clear(pixels, bytes);
	return pixels;
}

struct frame *frame_create(uint32_t width, uint32_t height)
{
	static uint64_t last_generation;
	size_t stride = ((size_t)width * 4 + ROW_ALIGNMENT - 1) & ~(size_t)(ROW_ALIGNMENT - 1);
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->pixels = pixels_create(stride * height);
	if (!frame->pixels) {
		free(frame);
		return NULL;
	}
	frame->width = width;
	frame->height = height;
	frame->stride = stride;
	frame->generation = __atomic_add_fetch(&last_generation, 1, __ATOMIC_RELAXED);
	frame->references = 1;
	hold(frame, 1);
	return frame;
}

void frame_rest(struct frame *frame)
{
	if (frame->rests)
		return;
	clear(frame->pixels, frame->stride * frame->height);
	frame->rests = true;
	hold(frame, -1);
}

void frame_wake(struct frame *frame)
{
	if (!frame->rests)
		return;
	frame->rests = false;
	hold(frame, 1);
}

void frame_touch(struct frame *frame)
{
	__atomic_add_fetch(&frame->touched, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

uint64_t frame_touched(const struct frame *frame)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&frame->touched, __ATOMIC_RELAXED);
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
	frame_wake(frame);
	hold(frame, -1);
	free(frame->pixels);
	free(frame);
}
