/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An Intel GVT-g dma-buf, which no CPU can map, through the render node of the same GPU (linux
 * include/uapi/drm/i915_drm.h). GEM_PREAD gives the raw tiled bytes; a mapping through the GTT
 * gives X- and Y-tiled ones linear, uncached. Written from the interface; not yet seen on hardware.
 */
#include "map.h"

#include <drm.h>
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <i915_drm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"

#define MDEV_DEVICES "/sys/bus/mdev/devices"

/* The render node of the GPU that an mdev belongs to, for g_free(); NULL without one. */
static char *render_node(const char *name)
{
	char *link = name ? g_build_filename(MDEV_DEVICES, name, NULL) : NULL;
	char *device = link ? realpath(link, NULL) : NULL;
	char *parent = device ? g_path_get_dirname(device) : NULL;
	char *drm = parent ? g_build_filename(parent, "drm", NULL) : NULL;
	GDir *dir = drm ? g_dir_open(drm, 0, NULL) : NULL;
	const char *entry;
	char *node = NULL;

	while (!node && dir && (entry = g_dir_read_name(dir)))
		if (g_str_has_prefix(entry, "renderD"))
			node = g_build_filename("/dev/dri", entry, NULL);
	if (dir)
		g_dir_close(dir);
	g_free(drm);
	g_free(parent);
	free(device);
	g_free(link);
	return node;
}

static bool is_i915(int fd)
{
	char name[8] = "";
	struct drm_version version = {.name = name, .name_len = sizeof(name) - 1};

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "i915");
}

/* Opens the GPU and imports the dma-buf: map->fd and map->handle. */
static int import(const struct map_target *target, struct map *map, GError **error)
{
	struct drm_prime_handle prime = {.fd = target->dmabuf};
	char *node = render_node(target->name);
	int ret;

	if (!node)
		return fail(error, EXIT_FAILED, ENODEV, "its GPU has no render node");
	map->fd = open(node, O_RDWR | O_CLOEXEC);
	ret = map->fd < 0 ? fail(error, EXIT_REFUSED, errno, "cannot open %s: %s", node,
				 g_strerror(errno))
			  : 0;
	g_free(node);
	if (ret)
		return ret;
	if (!is_i915(map->fd))
		return fail(error, EXIT_FAILED, ENODEV, "its GPU's driver is not i915");
	ret = map_ioctl(map->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "import refused: %s", g_strerror(-ret));
	map->handle = prime.handle;
	return 0;
}

static void close_import(struct map *map)
{
	struct drm_gem_close gem = {.handle = map->handle};

	if (map->fd < 0)
		return;
	if (map->handle)
		ioctl(map->fd, DRM_IOCTL_GEM_CLOSE, &gem);
	close(map->fd);
}

/* The bytes of the dma-buf that are the plane's. */
static int plane_size(const struct map_target *target, size_t *size, GError **error)
{
	int ret = map_dmabuf_size(target->dmabuf, size, error);

	if (!ret)
		*size = map_plane_bytes(target->info, *size);
	return ret;
}

static int pread_begin(struct map *map)
{
	struct drm_i915_gem_pread read = {
		.handle = map->handle,
		.size = map->size,
		.data_ptr = (uint64_t)(uintptr_t)map->base,
	};

	return map_ioctl(map->fd, DRM_IOCTL_I915_GEM_PREAD, &read);
}

static int pread_open(const struct map_target *target, struct map *map, GError **error)
{
	int ret = plane_size(target, &map->size, error);

	if (!ret)
		ret = import(target, map, error);
	if (ret)
		return ret;
	map->base = malloc(map->size);
	if (!map->base)
		return -ENOMEM;
	map->data = map->base;
	ret = pread_begin(map);
	return ret ? fail(error, EXIT_FAILED, -ret, "read refused: %s", g_strerror(-ret)) : 0;
}

static void pread_close(struct map *map)
{
	free(map->base);
	close_import(map);
}

const struct map_way map_i915_pread = {
	.name = "i915 pread",
	.open = pread_open,
	.begin = pread_begin,
	.end = map_end_nothing,
	.close = pread_close,
};

/* A fence makes X and Y linear; it knows no other tiling. */
static bool gtt_reads(uint64_t modifier)
{
	return modifier == DRM_FORMAT_MOD_LINEAR || modifier == I915_FORMAT_MOD_X_TILED ||
	       modifier == I915_FORMAT_MOD_Y_TILED;
}

static int gtt_open(const struct map_target *target, struct map *map, GError **error)
{
	struct drm_i915_gem_mmap_offset offset = {.flags = I915_MMAP_OFFSET_GTT};
	size_t size;
	int ret;

	if (!gtt_reads(target->info->drm_format_mod))
		return fail(error, EXIT_FAILED, ENOTSUP, "no fence knows this tiling");
	ret = plane_size(target, &size, error);
	if (!ret)
		ret = import(target, map, error);
	if (ret)
		return ret;
	offset.handle = map->handle;
	ret = map_ioctl(map->fd, DRM_IOCTL_I915_GEM_MMAP_OFFSET, &offset);
	if (!ret)
		ret = map_base_mmap(map, map->fd, offset.offset, size);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "mapping refused: %s", g_strerror(-ret));
	map->data = map->base;
	map->size = size;
	map->linear = true;
	map->wc = true;
	return 0;
}

static void gtt_close(struct map *map)
{
	map_base_munmap(map);
	close_import(map);
}

const struct map_way map_i915_gtt = {
	.name = "i915 gtt",
	.open = gtt_open,
	.begin = map_begin_nothing,
	.end = map_end_nothing,
	.close = gtt_close,
};
