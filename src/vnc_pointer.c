/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_pointer.h"

#include <glib.h>

#include "tight_pixels.h"
#include "vnc_region.h"

void vnc_pointer_finish(struct vnc_pointer *pointer)
{
	pointer_release(pointer->shape);
	frame_release(pointer->composed);
	*pointer = (struct vnc_pointer){0};
}

static bool is_told(const struct vnc_pointer *pointer)
{
	return pointer->alpha || pointer->rich || pointer->two_colours;
}

static void mark(const struct vnc_pointer *pointer, const struct frame *frame,
		 sraRegionPtr modified)
{
	struct detile_rect area;

	if (is_told(pointer) || !pointer->shape ||
	    !pointer_area(pointer->shape, pointer->x, pointer->y, frame, &area))
		return;
	vnc_region_add_rect(modified, (int)area.x, (int)area.y, (int)(area.x + area.width),
			    (int)(area.y + area.height));
}

void vnc_pointer_set_encodings(struct vnc_pointer *pointer, const struct vnc_encodings *encodings,
			       const struct frame *frame, sraRegionPtr modified)
{
	mark(pointer, frame, modified);
	pointer->alpha = encodings->alpha_cursor;
	pointer->rich = encodings->rich_cursor;
	pointer->two_colours = encodings->x_cursor;
	pointer->position = encodings->pointer_position;
	pointer->shape_pending = is_told(pointer);
	pointer->position_pending = pointer->position && pointer->shape;
	mark(pointer, frame, modified);
}

void vnc_pointer_set(struct vnc_pointer *pointer, struct pointer *shape, int32_t x, int32_t y,
		     const struct frame *frame, sraRegionPtr modified)
{
	struct pointer *old = pointer->shape;

	mark(pointer, frame, modified);
	pointer->shape_pending |= is_told(pointer) && old != shape;
	pointer->position_pending |= pointer->position && shape &&
				     (!old || x != pointer->x || y != pointer->y);
	pointer->shape = pointer_acquire(shape);
	pointer->x = x;
	pointer->y = y;
	pointer_release(old);
	mark(pointer, frame, modified);
}

void vnc_pointer_renew(struct vnc_pointer *pointer)
{
	pointer->shape_pending = is_told(pointer);
	frame_release(pointer->composed);
	pointer->composed = NULL;
}

bool vnc_pointer_is_drawn(const struct vnc_pointer *pointer)
{
	return pointer->shape && !is_told(pointer);
}

bool vnc_pointer_is_pending(const struct vnc_pointer *pointer)
{
	return pointer->shape_pending || pointer->position_pending;
}

void vnc_pointer_tell(struct vnc_pointer *pointer, const struct vnc_format *format,
		      const struct frame *frame, struct vnc_rects *rects)
{
	const struct pointer *shape = pointer->shape;
	int32_t right = (int32_t)frame->width - 1, bottom = (int32_t)frame->height - 1;

	if (pointer->shape_pending && pointer->alpha)
		vnc_rects_add_alpha_cursor(rects, shape);
	else if (pointer->shape_pending && pointer->rich)
		vnc_rects_add_cursor(rects, shape, format);
	else if (pointer->shape_pending)
		vnc_rects_add_x_cursor(rects, shape);
	if (pointer->position_pending && shape)
		vnc_rects_add_position(rects, (uint16_t)CLAMP(pointer->x + shape->hot_x, 0, right),
				       (uint16_t)CLAMP(pointer->y + shape->hot_y, 0, bottom));
	pointer->shape_pending = pointer->position_pending = false;
}

/* The frame may change meanwhile. */
static void copy_rect(const struct frame *from, struct frame *to, const sraRect *rect)
{
	for (int y = rect->y1; y < rect->y2; y++)
		tight_pixels_read(from->pixels + (size_t)y * (from->stride / 4) + rect->x1,
				  (uint32_t)(rect->x2 - rect->x1),
				  to->pixels + (size_t)y * (to->stride / 4) + rect->x1);
}

static void copy_region(const struct frame *from, struct frame *to, sraRegionPtr region)
{
	sraRectangleIterator *each = sraRgnGetIterator(region);
	sraRect rect;

	while (sraRgnIteratorNext(each, &rect))
		copy_rect(from, to, &rect);
	sraRgnReleaseIterator(each);
}

const struct frame *vnc_pointer_compose(struct vnc_pointer *pointer, const struct frame *frame,
					sraRegionPtr region)
{
	struct detile_rect area;
	sraRect under;

	if (!vnc_pointer_is_drawn(pointer)) {
		frame_release(pointer->composed);
		pointer->composed = NULL;
		return frame;
	}
	if (!pointer->composed)
		pointer->composed = frame_create(frame->width, frame->height);
	if (!pointer->composed)
		return NULL;
	copy_region(frame, pointer->composed, region);
	if (pointer_area(pointer->shape, pointer->x, pointer->y, frame, &area)) {
		/* Beyond the region, too: nothing may be drawn over twice. */
		under = (sraRect){(int)area.x, (int)area.y, (int)(area.x + area.width),
				  (int)(area.y + area.height)};
		copy_rect(frame, pointer->composed, &under);
		pointer_draw(pointer->shape, pointer->x, pointer->y, pointer->composed);
	}
	return pointer->composed;
}
