/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pattern_video.h"

#include "pattern_static.h"

/*
 * video: a plasma of crossed and bent waves, computed at every 16th pixel of the picture and drawn
 * straight between. Blue's lowest bit is the frame's, so that really every pixel changes.
 */
#define KNOT 16u

struct plasma {
	uint32_t step;             /* phase a pixel, as wide as high pictures see the same waves */
	uint32_t y1, y2, bend;     /* phases of this row */
	uint32_t shift;            /* of time, along x */
	uint32_t red, green, blue; /* of the colour circle */
};

/* A wave as 0 .. 255 * 4, for a lane of a knot. */
static uint64_t plasma_lane(uint32_t phase)
{
	return (uint32_t)(brush_wave(phase) + 32768) * 255 >> 14;
}

/* The colour of a knot: lanes of 16 bits for red, green and blue, each 4 times the value. */
static uint64_t plasma_knot(const struct plasma *plasma, uint32_t x)
{
	uint32_t phase = x * plasma->step;
	int32_t bent = brush_wave(phase / 2 + plasma->bend);
	int32_t value = brush_wave(phase + plasma->y1 + (uint32_t)bent) +
			brush_wave(plasma->y2 - phase / 2 + plasma->shift) +
			brush_wave(plasma->y1 * 2 + (uint32_t)bent / 2);
	uint32_t turn = (uint32_t)(value / 3);

	return plasma_lane(turn + plasma->red) << 32 | plasma_lane(turn + plasma->green) << 16 |
	       plasma_lane(turn + plasma->blue);
}

void video_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	uint32_t size = pattern->width > pattern->height ? pattern->width : pattern->height;
	uint32_t step = 2 * 65536 / size, y = (uint32_t)brush->y * step;
	struct plasma plasma = {
		.step = step,
		.y1 = y - frame * 211,
		.y2 = y / 2 + frame * 307,
		.bend = y + frame * 127 + pattern->seed * 7919,
		.shift = pattern->seed * 104729,
		.red = frame * 89 + pattern->seed * 1299709,
		.green = frame * 89 + pattern->seed * 1299709 + 16000,
		.blue = frame * 89 + pattern->seed * 1299709 + 29000,
	};
	uint32_t x = (uint32_t)brush->x, end = (uint32_t)brush->end, parity = frame & 1;
	uint32_t *out = brush->out;
	uint64_t knot = plasma_knot(&plasma, x / KNOT * KNOT);

	while (x < end) {
		uint32_t first = x / KNOT * KNOT, stop = first + KNOT < end ? first + KNOT : end;
		uint64_t next = plasma_knot(&plasma, first + KNOT);
		/* Lanes of the slope borrow from each other, but each sum is whole again. */
		uint64_t slope = next - knot;
		uint64_t lanes = knot * KNOT + slope * (x - first);

		for (; x < stop; x++, lanes += slope)
			*out++ = ((lanes >> 22 & 0xff0000) | (lanes >> 14 & 0xff00) |
				  (lanes >> 6 & 0xfe)) |
				 parity;
		knot = next;
	}
}

static struct box movie_box(const struct pattern *pattern)
{
	int32_t width = (int32_t)pattern->width, height = (int32_t)pattern->height;

	return (struct box){width / 4, height / 4, width / 2, height / 2};
}

/* The test card, and the video of a picture of the window's size in it. */
void movie_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	struct box box = movie_box(pattern);
	struct pattern window = {PATTERN_VIDEO, pattern->seed, (uint32_t)box.width,
				 (uint32_t)box.height};
	int32_t x = brush->x > box.x ? brush->x : box.x, end = box.x + box.width;

	static_row(pattern, brush);
	if (end > brush->end)
		end = brush->end;
	if (brush_crosses(brush, &box))
		video_row(&window, frame,
			  &(struct brush){brush->out + (x - brush->x), x - box.x, end - box.x,
					  brush->y - box.y});
	brush_stamp(brush, frame);
}

unsigned int movie_damage(const struct pattern *pattern, struct box boxes[PATTERN_MAX_RECTS])
{
	boxes[0] = movie_box(pattern);
	boxes[1] = BRUSH_STAMP;
	return 2;
}

/* The video with a fine texture that drifts over it: as detailed as films and games are. */
void film_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	uint32_t y = (uint32_t)brush->y + 2 * frame, x = (uint32_t)brush->x + 3 * frame;
	uint32_t n = (uint32_t)(brush->end - brush->x);

	video_row(pattern, frame, brush);
	for (uint32_t i = 0; i < n; i++)
		brush->out[i] ^= (((x + i) ^ y) & 30) * 0x010101;
	brush_stamp(brush, frame);
}
