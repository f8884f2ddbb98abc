/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A map: how the bytes of a plane become readable by this process. There are several ways, tried
 * in order; a plane that none can read says why each failed. Reading may raise SIGBUS (guard.h).
 * A map of a vfio region keeps the device open: map_close() before vfio_close().
 */
#ifndef PLANECAST_MAP_H
#define PLANECAST_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfio.h"

/* No scanout is larger; it bounds what a driver can make us map. */
#define MAP_MAX_BYTES ((size_t)1 << 32)

/* What is to be mapped. */
struct map_target {
	const struct vfio *vfio;
	const char *name; /* the device's vfio name, NULL if it has none */
	const struct vfio_device_gfx_plane_info *info;
	uint32_t transport; /* VFIO_GFX_PLANE_TYPE_{REGION,DMABUF} */
	int dmabuf;     /* the plane's dma-buf, borrowed; -1: a region, or !map_wants_dmabuf() */
	GString *tried; /* NULL, or gets why the ways before the one that works do not */
};

struct map {
	const struct map_way *way;              /* NULL while closed */
	const struct vfio *vfio;                /* the device, borrowed */
	struct vfio_device_gfx_plane_info info; /* the plane it was opened for */
	const uint8_t *data;
	size_t size; /* bytes */
	bool linear; /* what is read here is linear already, whatever the plane's modifier */
	bool wc;     /* uncached or write-combined: each line is to be read once */
	/* Of the way that opened it: */
	int fd;          /* a dma-buf or a DRM node, its own; -1 */
	uint32_t handle; /* a GEM handle of fd */
	uint64_t offset; /* of the plane's first byte in the device's file */
	void *base;      /* what was mapped or allocated, of base_size bytes */
	size_t base_size;
};

/* All of a way's members are mandatory. */
struct map_way {
	const char *name;

	/* 0 with data and size set, or -errno with one line; then close() is called. */
	int (*open)(const struct map_target *target, struct map *map, GError **error);

	/*
	 * Around each read: flushes caches, fetches what is not live. May move data and size.
	 * -EAGAIN: not in this moment; -errno.
	 */
	int (*begin)(struct map *map);
	void (*end)(struct map *map);
	void (*close)(struct map *map);
};

extern const struct map_way map_region_mmap, map_region_pread; /* map_region.c */
extern const struct map_way map_dmabuf_mmap;                   /* map_dmabuf.c */
extern const struct map_way map_i915_pread, map_i915_gtt;      /* map_i915.c */
extern const struct map_way map_bochs;                         /* map_bochs.c */

/*
 * Whether a dma-buf of this device is of use to any way. One of mbochs' is not, for no CPU can map
 * it, and its driver miscounts when an id is got while another has it open (linux
 * samples/vfio-mdev/mbochs.c, mbochs_get_gfx_dmabuf()): such a device is read beside it.
 */
bool map_wants_dmabuf(const struct vfio *vfio);

/*
 * Opens the first way that works. The plane's numbers have passed plane_check(). -errno of the last
 * and a line that names all.
 */
int map_open(const struct map_target *target, struct map *map, GError **error);

/* Whether it was opened for a plane of the same size and format, of the same buffer. */
bool map_is_for(const struct map *map, const struct vfio_device_gfx_plane_info *info);
int map_begin_read(struct map *map);
void map_end_read(struct map *map);
void map_close(struct map *map); /* any number of times */

#define MAP_CLOSED ((struct map){.fd = -1})

/* For ways: the bytes that a plane of whole tiles has, at most limit. */
size_t map_plane_bytes(const struct vfio_device_gfx_plane_info *info, uint64_t limit);

/* For ways: the size of a dma-buf, -EINVAL with a line if that is impossible. */
int map_dmabuf_size(int dmabuf, size_t *size, GError **error);

/* For ways: an ioctl, repeated (not for ever) while it was interrupted; -errno. */
int map_ioctl(int fd, unsigned long request, void *argument);

/* For ways: a shared read-only mapping as the map's base; munmap() of the base. */
int map_base_mmap(struct map *map, int fd, uint64_t offset, size_t size);
void map_base_munmap(struct map *map);

/* For ways without anything to do around a read. */
int map_begin_nothing(struct map *map);
void map_end_nothing(struct map *map);

#endif
