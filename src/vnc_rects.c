/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_rects.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum {
	ENCODING_RAW = 0,
	ENCODING_COPY_RECT = 1,
	ENCODING_DESKTOP_SIZE = -223,
	ENCODING_POINTER_POSITION = -232,
	ENCODING_CURSOR = -239,
	ENCODING_X_CURSOR = -240,
	ENCODING_EXTENDED_KEYS = -258,
	ENCODING_LED_STATE = -261,
	ENCODING_DESKTOP_NAME = -307,
	ENCODING_EXTENDED_DESKTOP_SIZE = -308,
	ENCODING_ALPHA_CURSOR = -314,
	ENCODING_EXTENDED_MOUSE = -316,
};

/* Reasons of ExtendedDesktopSize. */
#define BY_SERVER 0
#define BY_CLIENT 1

#define OPAQUE 128u /* where a shape has no alpha, pixels of this and more are seen */

void vnc_rects_finish(struct vnc_rects *rects)
{
	g_free(rects->bytes);
	*rects = (struct vnc_rects){0};
}

static void add(struct vnc_rects *rects, const uint8_t *bytes, size_t length)
{
	if (rects->length + length > rects->room) {
		rects->room = (rects->length + length) * 2;
		rects->bytes = g_realloc(rects->bytes, rects->room);
	}
	memcpy(rects->bytes + rects->length, bytes, length);
	rects->length += length;
}

static void add16(struct vnc_rects *rects, uint16_t number)
{
	const uint8_t wire[2] = {(uint8_t)(number >> 8), (uint8_t)number};

	add(rects, wire, sizeof(wire));
}

static void add32(struct vnc_rects *rects, uint32_t number)
{
	add16(rects, (uint16_t)(number >> 16));
	add16(rects, (uint16_t)number);
}

static void add_head(struct vnc_rects *rects, uint16_t x, uint16_t y, uint16_t width,
		     uint16_t height, int32_t encoding)
{
	add16(rects, x);
	add16(rects, y);
	add16(rects, width);
	add16(rects, height);
	add32(rects, (uint32_t)encoding);
	rects->count++;
}

void vnc_rects_add_size(struct vnc_rects *rects, uint16_t width, uint16_t height)
{
	add_head(rects, 0, 0, width, height, ENCODING_DESKTOP_SIZE);
}

void vnc_rects_add_extended_size(struct vnc_rects *rects, enum vnc_size_status status,
				 uint16_t width, uint16_t height)
{
	bool asked = status != VNC_SIZE_SILENT;

	add_head(rects, asked ? BY_CLIENT : BY_SERVER, asked ? (uint16_t)status : 0, width, height,
		 ENCODING_EXTENDED_DESKTOP_SIZE);
	add32(rects, 1u << 24); /* one screen, which is all of it */
	add32(rects, 1);
	add32(rects, 0);
	add16(rects, width);
	add16(rects, height);
	add32(rects, 0);
}

static void add_shape_head(struct vnc_rects *rects, const struct pointer *shape, int32_t encoding)
{
	if (shape)
		add_head(rects, (uint16_t)shape->hot_x, (uint16_t)shape->hot_y,
			 (uint16_t)shape->width, (uint16_t)shape->height, encoding);
	else
		add_head(rects, 0, 0, 0, 0, encoding);
}

/* The colour without its alpha: 0 .. 255. */
static uint32_t colour_of(uint32_t pixel, unsigned int shift)
{
	uint32_t alpha = pixel >> 24;

	return alpha ? MIN(255u, ((pixel >> shift & 255) * 255 + alpha / 2) / alpha) : 0;
}

static uint32_t to_format(uint32_t pixel, const struct vnc_format *format)
{
	return (colour_of(pixel, 16) * format->red_max + 127) / 255 << format->red_shift |
	       (colour_of(pixel, 8) * format->green_max + 127) / 255 << format->green_shift |
	       (colour_of(pixel, 0) * format->blue_max + 127) / 255 << format->blue_shift;
}

static bool is_opaque(uint32_t pixel)
{
	return pixel >> 24 >= OPAQUE;
}

static bool is_light(uint32_t pixel)
{
	return colour_of(pixel, 16) * 2 + colour_of(pixel, 8) * 5 + colour_of(pixel, 0) >= 1024;
}

/* One bit a pixel, the first one highest, rows of whole bytes. */
static void add_bits(struct vnc_rects *rects, const struct pointer *shape,
		     bool (*is_set)(uint32_t pixel))
{
	for (uint32_t y = 0; y < shape->height; y++) {
		const uint32_t *row = shape->pixels + (size_t)y * shape->width;

		for (uint32_t x = 0; x < shape->width; x += 8) {
			uint8_t byte = 0;

			for (uint32_t bit = 0; bit < 8 && x + bit < shape->width; bit++)
				byte |= (uint8_t)(is_set(row[x + bit]) << (7 - bit));
			add(rects, &byte, 1);
		}
	}
}

void vnc_rects_add_cursor(struct vnc_rects *rects, const struct pointer *shape,
			  const struct vnc_format *format)
{
	unsigned int bytes = format->bits / 8;

	add_shape_head(rects, shape, ENCODING_CURSOR);
	if (!shape)
		return;
	for (size_t i = 0; i < (size_t)shape->width * shape->height; i++) {
		uint32_t pixel = to_format(shape->pixels[i], format);
		uint8_t wire[4];

		for (unsigned int j = 0; j < bytes; j++)
			wire[format->big_endian ? bytes - 1 - j : j] = (uint8_t)(pixel >> 8 * j);
		add(rects, wire, bytes);
	}
	add_bits(rects, shape, is_opaque);
}

void vnc_rects_add_x_cursor(struct vnc_rects *rects, const struct pointer *shape)
{
	static const uint8_t white_and_black[6] = {255, 255, 255, 0, 0, 0};

	add_shape_head(rects, shape, ENCODING_X_CURSOR);
	if (!shape)
		return;
	add(rects, white_and_black, sizeof(white_and_black));
	add_bits(rects, shape, is_light);
	add_bits(rects, shape, is_opaque);
}

void vnc_rects_add_alpha_cursor(struct vnc_rects *rects, const struct pointer *shape)
{
	add_shape_head(rects, shape, ENCODING_ALPHA_CURSOR);
	/* The encoding of its pixels is there although there are none (as TigerVNC has it). */
	add32(rects, ENCODING_RAW);
	if (!shape)
		return;
	for (size_t i = 0; i < (size_t)shape->width * shape->height; i++) {
		uint32_t pixel = shape->pixels[i];

		add32(rects, pixel << 8 | pixel >> 24);
	}
}

void vnc_rects_add_copy(struct vnc_rects *rects, const struct move *move)
{
	const struct detile_rect from = move_from(move);

	add_head(rects, (uint16_t)move->to.x, (uint16_t)move->to.y, (uint16_t)move->to.width,
		 (uint16_t)move->to.height, ENCODING_COPY_RECT);
	add16(rects, (uint16_t)from.x);
	add16(rects, (uint16_t)from.y);
}

void vnc_rects_add_extended_keys(struct vnc_rects *rects)
{
	add_head(rects, 0, 0, 0, 0, ENCODING_EXTENDED_KEYS);
}

void vnc_rects_add_extended_mouse(struct vnc_rects *rects)
{
	add_head(rects, 0, 0, 0, 0, ENCODING_EXTENDED_MOUSE);
}

void vnc_rects_add_leds(struct vnc_rects *rects, unsigned int leds)
{
	const uint8_t state = (uint8_t)leds;

	add_head(rects, 0, 0, 0, 0, ENCODING_LED_STATE);
	add(rects, &state, 1);
}

void vnc_rects_add_name(struct vnc_rects *rects, const char *name)
{
	size_t length = strlen(name);

	add_head(rects, 0, 0, 0, 0, ENCODING_DESKTOP_NAME);
	add32(rects, (uint32_t)length);
	add(rects, (const uint8_t *)name, length);
}

void vnc_rects_add_position(struct vnc_rects *rects, uint16_t x, uint16_t y)
{
	add_head(rects, x, y, 0, 0, ENCODING_POINTER_POSITION);
}
