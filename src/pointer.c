/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pointer.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct pointer *pointer_create(uint32_t width, uint32_t height, int32_t hot_x, int32_t hot_y,
			       const uint32_t *pixels, size_t stride)
{
	static uint64_t last_serial;
	struct pointer *pointer = malloc(sizeof(*pointer) + (size_t)width * height * 4);

	if (!pointer)
		return NULL;
	*pointer = (struct pointer){
		.width = width,
		.height = height,
		.hot_x = hot_x,
		.hot_y = hot_y,
		.serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED),
		.references = 1,
	};
	for (uint32_t y = 0; y < height; y++)
		memcpy(pointer->pixels + (size_t)y * width, (const uint8_t *)pixels + y * stride,
		       (size_t)width * 4);
	return pointer;
}

struct pointer *pointer_acquire(struct pointer *pointer)
{
	if (pointer)
		g_atomic_int_inc(&pointer->references);
	return pointer;
}

void pointer_release(struct pointer *pointer)
{
	if (pointer && g_atomic_int_dec_and_test(&pointer->references))
		free(pointer);
}

bool pointer_is(const struct pointer *pointer, uint32_t width, uint32_t height, int32_t hot_x,
		int32_t hot_y, const uint32_t *pixels, size_t stride)
{
	if (pointer->width != width || pointer->height != height || pointer->hot_x != hot_x ||
	    pointer->hot_y != hot_y)
		return false;
	for (uint32_t y = 0; y < height; y++)
		if (memcmp(pointer->pixels + (size_t)y * width,
			   (const uint8_t *)pixels + y * stride, (size_t)width * 4) != 0)
			return false;
	return true;
}

bool pointer_area(const struct pointer *pointer, int32_t x, int32_t y, const struct frame *frame,
		  struct detile_rect *area)
{
	int64_t x1 = MAX(x, 0), x2 = MIN((int64_t)x + pointer->width, frame->width);
	int64_t y1 = MAX(y, 0), y2 = MIN((int64_t)y + pointer->height, frame->height);

	if (x1 >= x2 || y1 >= y2)
		return false;
	*area = (struct detile_rect){(uint32_t)x1, (uint32_t)y1, (uint32_t)(x2 - x1),
				     (uint32_t)(y2 - y1)};
	return true;
}

/* Bytes of the pixel below show by how much the one above is not opaque; rounds as pixman does. */
static uint32_t over(uint32_t above, uint32_t below)
{
	uint32_t clear = 255 - (above >> 24), result = 0;

	for (unsigned int shift = 0; shift < 24; shift += 8) {
		uint32_t part = (below >> shift & 255) * clear + 128;

		part = (part + (part >> 8)) >> 8;
		part += above >> shift & 255;
		result |= MIN(part, 255u) << shift;
	}
	return result;
}

void pointer_draw(const struct pointer *pointer, int32_t x, int32_t y, struct frame *frame)
{
	struct detile_rect area;

	if (!pointer_area(pointer, x, y, frame, &area))
		return;
	for (uint32_t row = area.y; row < area.y + area.height; row++) {
		uint32_t *to = frame->pixels + (size_t)row * (frame->stride / 4);
		const uint32_t *from = pointer->pixels +
				       (size_t)((int64_t)row - y) * pointer->width;

		for (uint32_t column = area.x; column < area.x + area.width; column++)
			to[column] = over(from[(int64_t)column - x], to[column]);
	}
}
