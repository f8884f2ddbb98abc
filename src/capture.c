/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <pixman.h>
#include <stdlib.h>

#include "detile/cpu.h"
#include "guard.h"

/* The X byte of x8r8g8b8 means nothing, so a change of it alone is no change. */
#define PIXEL_MASK 0x00ffffffu

#define SCRATCH_ALIGNMENT 64u

struct capture {
	struct detile detile;
	uint8_t *scratch; /* one row of cells: raw pixels, then converted ones */
	size_t scratch_size;
	struct damage probed; /* of the size that was probed last */
	uint64_t bytes_read;
};

/* What one pass works on; lives on the stack of capture_pass(). */
struct pass {
	struct capture *capture;
	const struct plane_format *format;
	const uint32_t *palette;
	struct detile_surface surface;
	const struct damage *limit;
	struct frame *frame;
	struct damage *changed;
	bool direct; /* the plane's pixels are the frame's: no conversion */
	uint8_t *raw, *converted;
	size_t raw_stride, converted_stride;
	pixman_image_t *from, *to; /* scratch in both formats: made outside the guard */
};

int capture_create(struct capture **out)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture)
		return -ENOMEM;
	detile_init(&capture->detile, detile_cpu_flags());
	*out = capture;
	return 0;
}

void capture_destroy(struct capture *capture)
{
	if (!capture)
		return;
	damage_finish(&capture->probed);
	free(capture->scratch);
	free(capture);
}

const char *capture_strerror(int ret)
{
	if (ret == -EFAULT)
		return "its memory went away while it was read";
	if (ret == -EAGAIN)
		return "it changes faster than it can be read";
	return g_strerror(-ret);
}

uint64_t capture_bytes_read(const struct capture *capture)
{
	return capture->bytes_read;
}

static void compare_rect(struct pass *pass, const struct detile_surface *surface,
			 const struct detile_rect *rect, void *pixels, uint64_t *words)
{
	struct detile_image image = {pixels, pass->frame->stride};
	struct detile_cells cells = {words, pass->changed->cells.stride};

	detile_compare(&pass->capture->detile, surface, rect, &image, PIXEL_MASK, &cells);
}

/* A rectangle of the scratch from the plane's format to the frame's. */
static void convert_rect(struct pass *pass, const struct detile_rect *rect)
{
	if (!pass->format->convert) {
		pixman_image_composite32(PIXMAN_OP_SRC, pass->from, NULL, pass->to, (int)rect->x,
					 (int)rect->y, 0, 0, (int)rect->x, (int)rect->y,
					 (int)rect->width, (int)rect->height);
		return;
	}
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++)
		pass->format->convert(
			pass->raw + y * pass->raw_stride + (size_t)rect->x * pass->format->cpp,
			(uint32_t *)(pass->converted + y * pass->converted_stride) + rect->x,
			rect->width, pass->palette);
}

/* A rectangle within one row of cells: detile to scratch, convert there, compare with the frame. */
static void convert_band(struct pass *pass, const struct detile_rect *rect)
{
	uint32_t row = rect->y / DETILE_CELL_HEIGHT, top = row * DETILE_CELL_HEIGHT;
	/* detile_copy() counts from the frame's first row, scratch has only this band. */
	struct detile_image raw = {(void *)((uintptr_t)pass->raw - top * pass->raw_stride),
				   pass->raw_stride};
	struct detile_surface band = {
		.data = pass->converted,
		.size = pass->converted_stride * DETILE_CELL_HEIGHT,
		.width = pass->frame->width,
		.height = DETILE_CELL_HEIGHT,
		.stride = (uint32_t)pass->converted_stride,
		.cpp = 4,
		.layout = DETILE_LINEAR,
	};
	struct detile_rect inside = {rect->x, rect->y - top, rect->width, rect->height};
	struct detile_rect whole = *rect;

	/* The pixels of the last group that lie beyond the plane belong to its colour. */
	whole.width = (rect->width + pass->format->group - 1) / pass->format->group *
		      pass->format->group;
	detile_copy(&pass->capture->detile, &pass->surface, &whole, &raw, DETILE_NORMAL);
	convert_rect(pass, &inside);
	compare_rect(pass, &band, &inside,
		     (uint8_t *)pass->frame->pixels + top * pass->frame->stride,
		     pass->changed->cells.words + row * pass->changed->cells.stride);
}

static void pass_rect(const struct detile_rect *rect, void *data)
{
	struct pass *pass = data;
	struct detile_rect band = *rect;

	pass->capture->bytes_read += (uint64_t)rect->width * rect->height * pass->format->cpp;
	if (pass->direct) {
		compare_rect(pass, &pass->surface, rect, pass->frame->pixels,
			     pass->changed->cells.words);
		return;
	}
	while (band.y < rect->y + rect->height) {
		uint32_t next = (band.y / DETILE_CELL_HEIGHT + 1) * DETILE_CELL_HEIGHT;

		if (next > rect->y + rect->height)
			next = rect->y + rect->height;
		band.height = next - band.y;
		convert_band(pass, &band);
		band.y = next;
	}
}

static void pass_work(void *data)
{
	struct pass *pass = data;
	struct detile_rect whole = {0, 0, pass->frame->width, pass->frame->height};

	if (pass->limit)
		damage_each(pass->limit, pass_rect, pass);
	else
		pass_rect(&whole, pass);
}

static int prepare_scratch(struct pass *pass)
{
	struct capture *capture = pass->capture;
	size_t width = pass->frame->width, size;

	pass->raw_stride = (width * pass->format->cpp + 63) & ~(size_t)63;
	pass->converted_stride = (width * 4 + 63) & ~(size_t)63;
	size = (pass->raw_stride + pass->converted_stride) * DETILE_CELL_HEIGHT;
	if (size > capture->scratch_size) {
		free(capture->scratch);
		capture->scratch = aligned_alloc(SCRATCH_ALIGNMENT, size);
		capture->scratch_size = capture->scratch ? size : 0;
		if (!capture->scratch)
			return -ENOMEM;
	}
	pass->raw = capture->scratch;
	pass->converted = capture->scratch + pass->raw_stride * DETILE_CELL_HEIGHT;
	if (pass->format->convert)
		return 0;
	pass->from = pixman_image_create_bits_no_clear(pass->format->pixman, (int)width,
						       DETILE_CELL_HEIGHT, (uint32_t *)pass->raw,
						       (int)pass->raw_stride);
	pass->to = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)width, DETILE_CELL_HEIGHT, (uint32_t *)pass->converted,
		(int)pass->converted_stride);
	return pass->from && pass->to ? 0 : -ENOMEM;
}

static void finish_scratch(struct pass *pass)
{
	if (pass->from)
		pixman_image_unref(pass->from);
	if (pass->to)
		pixman_image_unref(pass->to);
}

/* Whether the plane's pixels are the frame's, without a conversion. */
static bool is_direct(const struct plane *plane)
{
	return plane->fourcc == DRM_FORMAT_XRGB8888 || plane->fourcc == DRM_FORMAT_ARGB8888;
}

int capture_pass(struct capture *capture, const struct plane *plane, const struct damage *limit,
		 struct frame *frame, struct damage *changed)
{
	struct pass pass = {
		.capture = capture,
		.format = plane_format(plane->fourcc),
		.palette = plane->palette,
		.limit = limit,
		.frame = frame,
		.changed = changed,
		.direct = is_direct(plane),
	};
	int ret = 0;

	plane_surface(plane, &pass.surface);
	if (!pass.direct)
		ret = prepare_scratch(&pass);
	if (!ret)
		ret = guard_run(pass_work, &pass);
	finish_scratch(&pass);
	return ret;
}

/* What one probe works on, and what it found. */
struct probe {
	struct detile_surface surface;
	struct detile_image image;
	struct detile_cells cells;
	uint32_t pass;
	uint32_t found;
};

static void probe_work(void *data)
{
	struct probe *probe = data;
	struct detile_rect whole = {0, 0, probe->surface.width, probe->surface.height};

	probe->found = detile_probe(&probe->surface, &whole, &probe->image, PIXEL_MASK, probe->pass,
				    &probe->cells);
}

static int prepare_probed(struct capture *capture, const struct frame *frame)
{
	struct damage *probed = &capture->probed;

	if (probed->width == frame->width && probed->height == frame->height) {
		damage_clear(probed);
		return 0;
	}
	damage_finish(probed);
	return damage_init(probed, frame->width, frame->height);
}

int capture_probe(struct capture *capture, const struct plane *plane, const struct frame *frame,
		  uint32_t pass, bool *differs)
{
	struct probe probe = {.image = {frame->pixels, frame->stride}, .pass = pass};
	int ret;

	if (!is_direct(plane))
		return -ENOTSUP;
	ret = prepare_probed(capture, frame);
	if (ret)
		return ret;
	plane_surface(plane, &probe.surface);
	probe.cells = capture->probed.cells;
	ret = guard_run(probe_work, &probe);
	capture->bytes_read += (uint64_t)frame->width * 4 *
			       ((frame->height + DETILE_PROBE_PASSES - 1) / DETILE_PROBE_PASSES);
	*differs = probe.found;
	return ret;
}
