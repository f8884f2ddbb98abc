/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dma-buf mapped by the CPU, with DMA_BUF_IOCTL_SYNC around reads (linux/dma-buf.h). */
#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <unistd.h>

#include "log.h"

static int sync_dmabuf(const struct map *map, uint64_t flags)
{
	struct dma_buf_sync sync = {.flags = flags | DMA_BUF_SYNC_READ};

	return map_ioctl(map->fd, DMA_BUF_IOCTL_SYNC, &sync);
}

static int mmap_open(const struct map_target *target, struct map *map, GError **error)
{
	size_t size;
	int ret = map_dmabuf_size(target->dmabuf, &size, error);

	if (ret)
		return ret;
	map->fd = fcntl(target->dmabuf, F_DUPFD_CLOEXEC, 3);
	if (map->fd < 0)
		return -errno;
	ret = map_base_mmap(map, map->fd, 0, size);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret));
	map->data = map->base;
	map->size = map->base_size;
	return 0;
}

static int mmap_begin(struct map *map)
{
	return sync_dmabuf(map, DMA_BUF_SYNC_START);
}

static void mmap_end(struct map *map)
{
	sync_dmabuf(map, DMA_BUF_SYNC_END);
}

static void mmap_close(struct map *map)
{
	map_base_munmap(map);
	if (map->fd >= 0)
		close(map->fd);
}

const struct map_way map_dmabuf_mmap = {
	.name = "dma-buf mmap",
	.open = mmap_open,
	.begin = mmap_begin,
	.end = mmap_end,
	.close = mmap_close,
};
