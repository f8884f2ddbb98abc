/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display region: mapped live, or, where the driver refuses that, as much of it as the plane
 * has is read as a file.
 */
#include "map.h"

#include <errno.h>
#include <stdlib.h>

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

static int pread_begin(struct map *map)
{
	return vfio_read(map->vfio->device, map->offset, map->base, map->size);
}

static int pread_open(const struct map_target *target, struct map *map, GError **error)
{
	struct vfio_region_info region;
	int ret = region_info(target, &region, error);

	if (ret)
		return ret;
	map->size = map_plane_bytes(target->info, region.size);
	map->base = malloc(map->size);
	if (!map->base)
		return -ENOMEM;
	map->data = map->base;
	map->offset = region.offset;
	ret = pread_begin(map);
	return ret ? fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret)) : 0;
}

static void pread_close(struct map *map)
{
	free(map->base);
}

const struct map_way map_region_pread = {
	.name = "region pread",
	.open = pread_open,
	.begin = pread_begin,
	.end = map_end_nothing,
	.close = pread_close,
};
