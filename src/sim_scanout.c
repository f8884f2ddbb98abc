/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim_scanout.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

/* As drivers do it: i915 and virtual adapters align the rows of linear scanouts to 64 bytes. */
#define LINEAR_ALIGNMENT 64u

/* Beyond so many frames the union of their damage is as good as everything. */
#define MAX_STEPS 64u

static uint64_t modifier_of(enum detile_layout layout)
{
	switch (layout) {
	case DETILE_X:
		return I915_FORMAT_MOD_X_TILED;
	case DETILE_Y:
		return I915_FORMAT_MOD_Y_TILED;
	case DETILE_YF:
		return I915_FORMAT_MOD_Yf_TILED;
	case DETILE_4:
		return I915_FORMAT_MOD_4_TILED;
	default:
		return DRM_FORMAT_MOD_LINEAR;
	}
}

static uint32_t stride_of(enum detile_layout layout, uint32_t bytes)
{
	uint32_t alignment = layout == DETILE_LINEAR ? LINEAR_ALIGNMENT
			     : layout == DETILE_X    ? 512
						     : 128;

	return (bytes + alignment - 1) / alignment * alignment;
}

/* A memfd stands in for a dma-buf: written here, mapped read-only for who reads the plane. */
static int map_memfd(struct sim_scanout *scanout, int fd, size_t size)
{
	void *memory;
	int ret;

	/* Takes the pages now: a full tmpfs is an error here and a SIGBUS later. */
	ret = posix_fallocate(fd, 0, (off_t)size);
	if (ret)
		return -ret;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	scanout->memory = memory;
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	scanout->plane.data = memory;
	return 0;
}

static int make_memory(struct sim_scanout *scanout, enum sim_transport transport, size_t size)
{
	void *memory;
	int fd, ret;

	if (transport == SIM_DMABUF) {
		fd = memfd_create("planecast-sim", MFD_CLOEXEC);
		if (fd < 0)
			return -errno;
		ret = map_memfd(scanout, fd, size);
		close(fd);
		return ret;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	scanout->memory = memory;
	scanout->plane.data = memory;
	return 0;
}

static int make_bands(struct sim_scanout *scanout, const struct plane_format *format)
{
	int width = (int)scanout->plane.width;

	scanout->band = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, DETILE_CELL_HEIGHT, NULL,
						 0);
	if (!scanout->band)
		return -ENOMEM;
	if (format->pixman == PIXMAN_x8r8g8b8)
		return 0;
	scanout->converted = pixman_image_create_bits(format->pixman, width, DETILE_CELL_HEIGHT,
						      NULL, 0);
	return scanout->converted ? 0 : -ENOMEM;
}

int sim_scanout_init(struct sim_scanout *scanout, const struct sim_options *options,
		     const struct sim_mode *mode, GError **error)
{
	const struct plane_format *format = plane_format(options->fourcc);
	struct plane *plane = &scanout->plane;
	int ret;

	memset(scanout, 0, sizeof(*scanout));
	scanout->pattern = (struct pattern){options->pattern, options->seed, mode->width,
					    mode->height};
	plane->fourcc = options->fourcc;
	plane->modifier = modifier_of(options->layout);
	plane->width = mode->width;
	plane->height = mode->height;
	plane->stride = stride_of(options->layout, mode->width * format->cpp);
	plane->size = detile_size(options->layout, format->cpp, plane->stride, mode->height);
	ret = make_memory(scanout, options->transport, plane->size);
	if (!ret)
		ret = make_bands(scanout, format);
	if (!ret)
		ret = damage_init(&scanout->change, mode->width, mode->height);
	if (!ret)
		return 0;
	fail(error, EXIT_FAILED, -ret, "no memory for a plane of %ux%u: %s", mode->width,
	     mode->height, g_strerror(-ret));
	sim_scanout_finish(scanout);
	return ret;
}

void sim_scanout_finish(struct sim_scanout *scanout)
{
	struct plane *plane = &scanout->plane;

	if (plane->data && plane->data != scanout->memory)
		munmap((void *)(uintptr_t)plane->data, plane->size);
	if (scanout->memory)
		munmap(scanout->memory, plane->size);
	if (scanout->band)
		pixman_image_unref(scanout->band);
	if (scanout->converted)
		pixman_image_unref(scanout->converted);
	damage_finish(&scanout->change);
	memset(scanout, 0, sizeof(*scanout));
}

/* A rectangle within one row of cells. */
static void draw_band(struct sim_scanout *scanout, const struct detile_rect *rect)
{
	uint32_t top = rect->y / DETILE_CELL_HEIGHT * DETILE_CELL_HEIGHT;
	int x = (int)rect->x, y = (int)(rect->y - top);
	uint8_t *pixels = (uint8_t *)pixman_image_get_data(scanout->band);
	size_t stride = (size_t)pixman_image_get_stride(scanout->band);
	struct detile_surface surface;
	struct detile_image image;

	for (uint32_t row = rect->y; row < rect->y + rect->height; row++)
		pattern_row(&scanout->pattern, scanout->frame, row, rect->x, rect->width,
			    (uint32_t *)(void *)(pixels + (row - top) * stride) + rect->x);
	if (scanout->converted) {
		pixman_image_composite32(PIXMAN_OP_SRC, scanout->band, NULL, scanout->converted, x,
					 y, 0, 0, x, y, (int)rect->width, (int)rect->height);
		pixels = (uint8_t *)pixman_image_get_data(scanout->converted);
		stride = (size_t)pixman_image_get_stride(scanout->converted);
	}
	/* detile_tile() counts from the picture's first row, the band has only these. */
	image = (struct detile_image){(void *)((uintptr_t)pixels - top * stride), stride};
	plane_surface(&scanout->plane, &surface);
	detile_tile(scanout->memory, &surface, rect, &image);
}

/* As the band has it, or straight into linear XRGB8888. */
static void draw_rect(const struct detile_rect *rect, void *data)
{
	struct sim_scanout *scanout = data;
	struct detile_rect band = *rect;
	uint32_t end = rect->y + rect->height;

	if (!scanout->converted && scanout->plane.modifier == DRM_FORMAT_MOD_LINEAR) {
		for (uint32_t y = rect->y; y < end; y++)
			pattern_row(&scanout->pattern, scanout->frame, y, rect->x, rect->width,
				    (uint32_t *)(void *)(scanout->memory +
							 (size_t)y * scanout->plane.stride) +
					    rect->x);
		return;
	}
	for (; band.y < end; band.y += band.height) {
		band.height = DETILE_CELL_HEIGHT - band.y % DETILE_CELL_HEIGHT;
		if (band.height > end - band.y)
			band.height = end - band.y;
		draw_band(scanout, &band);
	}
}

static void find_change(struct sim_scanout *scanout, uint64_t frame)
{
	struct pattern_rect rects[PATTERN_MAX_RECTS];

	damage_clear(&scanout->change);
	if (!scanout->drawn || frame < scanout->frame || frame - scanout->frame > MAX_STEPS) {
		damage_add_all(&scanout->change);
		return;
	}
	for (uint64_t step = scanout->frame + 1; step <= frame; step++) {
		unsigned int count = pattern_damage(&scanout->pattern, step, rects);

		for (unsigned int i = 0; i < count; i++)
			damage_add(&scanout->change,
				   &(struct detile_rect){rects[i].x, rects[i].y, rects[i].width,
							 rects[i].height});
	}
}

void sim_scanout_draw(struct sim_scanout *scanout, uint64_t frame, struct damage *damage)
{
	if (scanout->drawn && frame == scanout->frame)
		return;
	find_change(scanout, frame);
	scanout->frame = frame;
	scanout->drawn = true;
	damage_each(&scanout->change, draw_rect, scanout);
	damage_merge(damage, &scanout->change);
}
