/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

/* A call that is interrupted more often is not going to end. */
#define MAX_INTERRUPTIONS 100

/* The rows of the tallest tile. */
#define TILE_ROWS 32u

static const struct map_way *const region_ways[] = {&map_region_mmap, &map_region_pread, NULL};

static const struct map_way *const dmabuf_ways[] = {&map_dmabuf_mmap, &map_i915_pread,
						    &map_i915_gtt, &map_bochs, NULL};

static const struct map_way *const ways_beside[] = {&map_bochs, NULL};

static const struct map_way *const *ways_of(const struct map_target *target)
{
	if (target->transport == VFIO_GFX_PLANE_TYPE_REGION)
		return region_ways;
	return target->dmabuf < 0 ? ways_beside : dmabuf_ways;
}

static int try_way(const struct map_way *way, const struct map_target *target, struct map *map,
		   GString *reasons)
{
	GError *error = NULL;
	int ret;

	*map = MAP_CLOSED;
	map->vfio = target->vfio;
	map->info = *target->info;
	ret = way->open(target, map, &error);
	if (!ret) {
		map->way = way;
		return 0;
	}
	way->close(map);
	*map = MAP_CLOSED;
	g_string_append_printf(reasons, "%s%s: %s", reasons->len ? "; " : "", way->name,
			       error ? error->message : g_strerror(-ret));
	g_clear_error(&error);
	return ret;
}

int map_open(const struct map_target *target, struct map *map, GError **error)
{
	const struct map_way *const *way = ways_of(target);
	GString *reasons = g_string_new(NULL);
	int ret = -ENOTSUP;

	for (; *way && ret; way++)
		ret = try_way(*way, target, map, reasons);
	if (ret)
		fail(error, EXIT_FAILED, -ret, "no way to its pixels (%s)", reasons->str);
	else if (target->tried)
		g_string_append(target->tried, reasons->str);
	g_string_free(reasons, TRUE);
	return ret;
}

bool map_is_for(const struct map *map, const struct vfio_device_gfx_plane_info *info)
{
	return map->info.drm_format == info->drm_format &&
	       map->info.drm_format_mod == info->drm_format_mod && map->info.width == info->width &&
	       map->info.height == info->height && map->info.stride == info->stride;
}

int map_begin_read(struct map *map)
{
	return map->way->begin(map);
}

void map_end_read(struct map *map)
{
	map->way->end(map);
}

void map_close(struct map *map)
{
	if (map->way)
		map->way->close(map);
	*map = MAP_CLOSED;
}

size_t map_plane_bytes(const struct vfio_device_gfx_plane_info *info, uint64_t limit)
{
	uint64_t rows = ((uint64_t)info->height + TILE_ROWS - 1) & ~(uint64_t)(TILE_ROWS - 1);
	uint64_t bytes = info->stride * rows;

	return (size_t)(bytes < limit ? bytes : limit);
}

int map_dmabuf_size(int dmabuf, size_t *size, GError **error)
{
	off_t end = lseek(dmabuf, 0, SEEK_END);

	if (end <= 0 || (uint64_t)end > MAP_MAX_BYTES)
		return fail(error, EXIT_FAILED, EINVAL, "the dma-buf has an impossible size");
	*size = (size_t)end;
	return 0;
}

int map_ioctl(int fd, unsigned long request, void *argument)
{
	for (int i = 0; i < MAX_INTERRUPTIONS; i++) {
		if (!ioctl(fd, request, argument))
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}

int map_base_mmap(struct map *map, int fd, uint64_t offset, size_t size)
{
	void *base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);

	if (base == MAP_FAILED)
		return -errno;
	map->base = base;
	map->base_size = size;
	return 0;
}

void map_base_munmap(struct map *map)
{
	if (map->base)
		munmap(map->base, map->base_size);
}

int map_begin_nothing(struct map *map)
{
	(void)map;
	return 0;
}

void map_end_nothing(struct map *map)
{
	(void)map;
}
