/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A map: the bytes of a plane, readable by this process. Reading may raise SIGBUS (guard.h). A map
 * of a vfio region keeps the device open: unmap before vfio_close().
 */
#ifndef PLANECAST_MAP_H
#define PLANECAST_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "vfio.h"

/* No scanout is larger; it bounds what a driver can make us map. */
#define MAP_MAX_BYTES ((size_t)1 << 32)

struct map {
	const uint8_t *data; /* NULL while unmapped */
	size_t size;         /* bytes */
	int dmabuf;          /* its descriptor, -1 for a region */
};

/* A closed one. */
#define MAP_CLOSED ((struct map){.dmabuf = -1})

/* The whole of a device's region, live. -errno and a line in error. */
int map_region(const struct vfio *vfio, uint32_t index, struct map *map, GError **error);

/* The dma-buf of an id that the driver has just named; gets it exactly once. */
int map_dmabuf(const struct vfio *vfio, uint32_t id, struct map *map, GError **error);

/* Around every read, so that a dma-buf's exporter can flush caches; nothing for a region. */
int map_begin_read(const struct map *map);
void map_end_read(const struct map *map);

void map_close(struct map *map); /* any number of times */

#endif
