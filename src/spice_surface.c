/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_surface.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The server has written zeros to a new surface: until it is drawn on that needs no memory. */
static void give_back(uint8_t *memory, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);

	if (begin < end)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}

bool spice_surface_create(struct spice_surface *surface, QXLInstance *instance, uint32_t width,
			  uint32_t height)
{
	QXLDevSurfaceCreate form = {
		.width = width,
		.height = height,
		.stride = -(int32_t)(width * 4), /* negative: top down */
		.format = SPICE_SURFACE_FMT_32_xRGB,
		.mouse_mode = TRUE,
		.type = QXL_SURF_TYPE_PRIMARY,
	};
	uint8_t *pixels = calloc(height, (size_t)width * 4);

	if (!pixels)
		return false;
	spice_surface_destroy(surface, instance);
	surface->pixels = pixels;
	form.mem = (uintptr_t)pixels;
	spice_qxl_create_primary_surface(instance, SPICE_SURFACE, &form);
	give_back(pixels, (size_t)width * height * 4);
	return true;
}

void spice_surface_destroy(struct spice_surface *surface, QXLInstance *instance)
{
	if (surface->pixels)
		spice_qxl_destroy_primary_surface(instance, SPICE_SURFACE);
	spice_surface_finish(surface);
}

void spice_surface_finish(struct spice_surface *surface)
{
	free(surface->pixels);
	surface->pixels = NULL;
}
