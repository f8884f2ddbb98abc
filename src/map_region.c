/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map.h"

#include <errno.h>
#include <sys/mman.h>

#include "log.h"

int map_region(const struct vfio *vfio, uint32_t index, struct map *map, GError **error)
{
	struct vfio_region_info info;
	int ret = vfio_region_info(vfio, index, &info);
	void *data;

	*map = MAP_CLOSED;
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "no information on its display region %u: %s",
			    index, g_strerror(-ret));
	if (!info.size || info.size > MAP_MAX_BYTES)
		return fail(error, EXIT_FAILED, EINVAL, "display region %u has an impossible size",
			    index);
	data = mmap(NULL, info.size, PROT_READ, MAP_SHARED, vfio->device, (off_t)info.offset);
	if (data == MAP_FAILED)
		return fail(error, EXIT_FAILED, errno, "cannot map its display region %u: %s",
			    index, g_strerror(errno));
	map->data = data;
	map->size = info.size;
	return 0;
}
