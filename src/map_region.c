/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The display region: mapped live, or read as a file where the driver refuses a mapping. */
#include "map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

static int region_info(const struct map_target *target, struct vfio_region_info *region,
		       GError **error)
{
	uint32_t index = target->info->region_index;
	int ret = vfio_region_info(target->vfio, index, region);

	if (ret)
		return fail(error, EXIT_FAILED, -ret, "no information on region %u: %s", index,
			    g_strerror(-ret));
	if (!region->size || region->size > MAP_MAX_BYTES)
		return fail(error, EXIT_FAILED, EINVAL, "region %u has an impossible size", index);
	return 0;
}

static int mmap_open(const struct map_target *target, struct map *map, GError **error)
{
	struct vfio_region_info region;
	int ret = region_info(target, &region, error);

	if (ret)
		return ret;
	ret = map_base_mmap(map, target->vfio->device, region.offset, region.size);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret));
	map->data = map->base;
	map->size = map->base_size;
	return 0;
}

const struct map_way map_region_mmap = {
	.name = "region mmap",
	.open = mmap_open,
	.begin = map_begin_nothing,
	.end = map_end_nothing,
	.close = map_base_munmap,
};

/* Only as much as the plane says it has: a region may be larger. */
static size_t plane_bytes(const struct map_target *target, const struct vfio_region_info *region)
{
	uint64_t rows = ((uint64_t)target->info->height + 31) & ~31ull;
	uint64_t bytes = target->info->stride * rows;

	return bytes && bytes < region->size ? (size_t)bytes : (size_t)region->size;
}

static int pread_begin(struct map *map)
{
	size_t done = 0;

	while (done < map->size) {
		ssize_t n = pread(map->fd, (char *)map->base + done, map->size - done,
				  (off_t)(map->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int pread_open(const struct map_target *target, struct map *map, GError **error)
{
	struct vfio_region_info region;
	int ret = region_info(target, &region, error);

	if (ret)
		return ret;
	map->size = plane_bytes(target, &region);
	map->base = malloc(map->size);
	if (!map->base)
		return -ENOMEM;
	map->data = map->base;
	map->fd = dup(target->vfio->device);
	map->offset = region.offset;
	ret = map->fd < 0 ? -errno : pread_begin(map);
	return ret ? fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret)) : 0;
}

static void pread_close(struct map *map)
{
	free(map->base);
	if (map->fd >= 0)
		close(map->fd);
}

const struct map_way map_region_pread = {
	.name = "region pread",
	.open = pread_open,
	.begin = pread_begin,
	.end = map_end_nothing,
	.close = pread_close,
};
