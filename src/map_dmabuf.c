/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map.h"

#include <errno.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

int map_dmabuf(const struct vfio *vfio, uint32_t id, struct map *map, GError **error)
{
	off_t size;
	void *data;
	int ret;

	*map = MAP_CLOSED;
	map->dmabuf = vfio_get_dmabuf(vfio, id);
	if (map->dmabuf < 0) {
		ret = map->dmabuf;
		map->dmabuf = -1;
		return fail(error, EXIT_FAILED, -ret, "no dma-buf %u: %s", id, g_strerror(-ret));
	}
	size = lseek(map->dmabuf, 0, SEEK_END);
	if (size <= 0 || (size_t)size > MAP_MAX_BYTES) {
		ret = fail(error, EXIT_FAILED, EINVAL, "dma-buf %u has an impossible size", id);
		goto fail;
	}
	data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, map->dmabuf, 0);
	if (data == MAP_FAILED) {
		ret = fail(error, EXIT_FAILED, errno, "cannot map dma-buf %u: %s", id,
			   g_strerror(errno));
		goto fail;
	}
	map->data = data;
	map->size = (size_t)size;
	return 0;
fail:
	map_close(map);
	return ret;
}

static int sync_dmabuf(const struct map *map, uint64_t flags)
{
	struct dma_buf_sync sync = {.flags = flags | DMA_BUF_SYNC_READ};
	int ret;

	if (map->dmabuf < 0)
		return 0;
	do {
		ret = ioctl(map->dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	return ret ? -errno : 0;
}

int map_begin_read(const struct map *map)
{
	return sync_dmabuf(map, DMA_BUF_SYNC_START);
}

void map_end_read(const struct map *map)
{
	sync_dmabuf(map, DMA_BUF_SYNC_END);
}

void map_close(struct map *map)
{
	if (map->data)
		munmap((void *)(uintptr_t)map->data, map->size);
	if (map->dmabuf >= 0)
		close(map->dmabuf);
	*map = MAP_CLOSED;
}
