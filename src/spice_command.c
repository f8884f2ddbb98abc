/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_command.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct draw {
	struct spice_command base; /* first */
	QXLDrawable drawable;
	QXLImage image;
	uint32_t pixels[];
};

struct cursor {
	struct spice_command base; /* first */
	QXLCursorCmd command;
	QXLCursor shape; /* its data follow */
	uint32_t pixels[];
};

static uint64_t address(const void *pointer)
{
	return (uintptr_t)pointer;
}

/* qxl: within the command, what spice-server sees; it begins with the release number. */
static void begin(struct spice_command *command, size_t bytes, uint32_t type, QXLReleaseInfo *qxl)
{
	command->bytes = bytes;
	command->ext.cmd.type = type;
	command->ext.cmd.data = address(qxl);
	qxl->id = address(command);
}

static struct cursor *cursor_new(size_t pixels)
{
	size_t bytes = sizeof(struct cursor) + pixels * 4;
	struct cursor *cursor = calloc(1, bytes);

	if (cursor)
		begin(&cursor->base, bytes, QXL_CMD_CURSOR, &cursor->command.release_info);
	return cursor;
}

struct spice_command *spice_command_of(QXLReleaseInfoExt release)
{
	return (struct spice_command *)(uintptr_t)release.info->id;
}

void spice_command_free(struct spice_command *command)
{
	free(command);
}

static void copy_pixels(uint32_t *to, const struct frame *frame, const struct detile_rect *rect)
{
	const uint8_t *from = (const uint8_t *)frame->pixels + rect->y * frame->stride +
			      (size_t)rect->x * 4;

	for (uint32_t y = 0; y < rect->height; y++, from += frame->stride, to += rect->width)
		memcpy(to, from, (size_t)rect->width * 4);
}

static void describe_image(struct draw *draw, const struct detile_rect *rect)
{
	static gint unique;
	uint64_t number = (uint32_t)g_atomic_int_add(&unique, 1);
	QXLImage *image = &draw->image;

	QXL_SET_IMAGE_ID(image, QXL_IMAGE_GROUP_DEVICE, number);
	image->descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
	image->descriptor.width = image->bitmap.x = rect->width;
	image->descriptor.height = image->bitmap.y = rect->height;
	image->bitmap.format = SPICE_BITMAP_FMT_32BIT;
	image->bitmap.flags = QXL_BITMAP_DIRECT | QXL_BITMAP_TOP_DOWN;
	image->bitmap.stride = rect->width * 4;
	image->bitmap.data = address(draw->pixels);
}

struct spice_command *spice_command_draw(const struct frame *frame, const struct detile_rect *rect)
{
	size_t bytes = sizeof(struct draw) + (size_t)rect->width * rect->height * 4;
	struct draw *draw = malloc(bytes);
	QXLDrawable *drawable;

	if (!draw)
		return NULL;
	memset(draw, 0, sizeof(*draw));
	drawable = &draw->drawable;
	begin(&draw->base, bytes, QXL_CMD_DRAW, &drawable->release_info);
	copy_pixels(draw->pixels, frame, rect);
	describe_image(draw, rect);
	drawable->effect = QXL_EFFECT_OPAQUE;
	drawable->type = QXL_DRAW_COPY;
	drawable->bbox = (QXLRect){
		.top = (int32_t)rect->y,
		.left = (int32_t)rect->x,
		.bottom = (int32_t)(rect->y + rect->height),
		.right = (int32_t)(rect->x + rect->width),
	};
	drawable->clip.type = SPICE_CLIP_TYPE_NONE;
	drawable->mm_time = (uint32_t)(g_get_monotonic_time() / 1000);
	for (int i = 0; i < 3; i++)
		drawable->surfaces_dest[i] = -1;
	drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
	drawable->u.copy.src_bitmap = address(&draw->image);
	drawable->u.copy.src_area.right = (int32_t)rect->width;
	drawable->u.copy.src_area.bottom = (int32_t)rect->height;
	return &draw->base;
}

/* The protocol counts from the hot spot, in 16 bits. */
static QXLPoint16 place(const struct pointer *shape, int32_t x, int32_t y)
{
	return (QXLPoint16){
		.x = (int16_t)CLAMP((int64_t)x + shape->hot_x, INT16_MIN, INT16_MAX),
		.y = (int16_t)CLAMP((int64_t)y + shape->hot_y, INT16_MIN, INT16_MAX),
	};
}

/* Clients take colours that are not multiplied by alpha yet. */
static uint32_t straight(uint32_t pixel)
{
	uint32_t alpha = pixel >> 24, result = alpha << 24;

	for (int shift = 0; alpha && shift < 24; shift += 8) {
		uint32_t channel = (((pixel >> shift) & 0xff) * 255 + alpha / 2) / alpha;

		result |= MIN(channel, 255u) << shift;
	}
	return result;
}

struct spice_command *spice_command_cursor(const struct pointer *shape, int32_t x, int32_t y)
{
	size_t count = shape ? (size_t)shape->width * shape->height : 0;
	struct cursor *cursor = cursor_new(count);

	if (!cursor)
		return NULL;
	if (!shape) {
		cursor->command.type = QXL_CURSOR_HIDE;
		return &cursor->base;
	}
	cursor->command.type = QXL_CURSOR_SET;
	cursor->command.u.set.position = place(shape, x, y);
	cursor->command.u.set.visible = 1;
	cursor->command.u.set.shape = address(&cursor->shape);
	cursor->shape.header = (QXLCursorHeader){
		.unique = shape->serial,
		.type = SPICE_CURSOR_TYPE_ALPHA,
		.width = (uint16_t)shape->width,
		.height = (uint16_t)shape->height,
		.hot_spot_x = (uint16_t)CLAMP(shape->hot_x, 0, (int32_t)shape->width - 1),
		.hot_spot_y = (uint16_t)CLAMP(shape->hot_y, 0, (int32_t)shape->height - 1),
	};
	cursor->shape.data_size = cursor->shape.chunk.data_size = (uint32_t)(count * 4);
	for (size_t i = 0; i < count; i++)
		cursor->pixels[i] = straight(shape->pixels[i]);
	return &cursor->base;
}

struct spice_command *spice_command_move(const struct pointer *shape, int32_t x, int32_t y)
{
	struct cursor *cursor = cursor_new(0);

	if (!cursor)
		return NULL;
	cursor->command.type = QXL_CURSOR_MOVE;
	cursor->command.u.position = place(shape, x, y);
	return &cursor->base;
}
