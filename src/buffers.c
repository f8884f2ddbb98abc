/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "buffers.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static void close_buffer(struct buffer *buffer)
{
	if (!buffer->used)
		return;
	while (buffer->readers)
		buffer_return(buffer);
	map_close(&buffer->map);
	if (buffer->dmabuf >= 0)
		close(buffer->dmabuf);
	memset(buffer, 0, sizeof(*buffer));
}

void buffers_close(struct buffers *buffers)
{
	for (size_t i = 0; i < BUFFERS_KEPT; i++)
		close_buffer(&buffers->slots[i]);
}

uint32_t buffers_id(uint32_t transport, const struct vfio_device_gfx_plane_info *info)
{
	return transport == VFIO_GFX_PLANE_TYPE_REGION ? info->region_index : info->dmabuf_id;
}

static struct buffer *known_buffer(struct buffers *buffers, uint32_t id)
{
	for (size_t i = 0; i < BUFFERS_KEPT; i++)
		if (buffers->slots[i].used && buffers->slots[i].id == id)
			return &buffers->slots[i];
	return NULL;
}

/* A slot that is free or can be made so; NULL: all are lent. */
static struct buffer *free_slot(struct buffers *buffers)
{
	struct buffer *oldest = NULL;

	for (size_t i = 0; i < BUFFERS_KEPT; i++) {
		struct buffer *buffer = &buffers->slots[i];

		if (!buffer->used)
			return buffer;
		if (!buffer->readers && (!oldest || buffer->last_use < oldest->last_use))
			oldest = buffer;
	}
	if (oldest)
		close_buffer(oldest);
	return oldest;
}

static int open_buffer(struct buffers *buffers, const struct vfio *vfio, uint32_t transport,
		       const struct vfio_device_gfx_plane_info *info, struct buffer **out,
		       GError **error)
{
	struct buffer *buffer = free_slot(buffers);
	int fd = -1;

	if (!buffer)
		return fail(error, EXIT_FAILED, EAGAIN, "all its buffers are being read");
	if (transport == VFIO_GFX_PLANE_TYPE_DMABUF && map_wants_dmabuf(vfio)) {
		fd = vfio_get_dmabuf(vfio, info->dmabuf_id);
		if (fd < 0)
			return fail(error, EXIT_FAILED, -fd, "no dma-buf %u: %s", info->dmabuf_id,
				    g_strerror(-fd));
	}
	*buffer = (struct buffer){
		.used = true,
		.id = buffers_id(transport, info),
		.transport = transport,
		.dmabuf = fd,
		.map = MAP_CLOSED,
	};
	*out = buffer;
	return 0;
}

int buffers_find(struct buffers *buffers, const struct vfio *vfio, uint32_t transport,
		 const struct vfio_device_gfx_plane_info *info, struct buffer **buffer,
		 GError **error)
{
	int ret = 0;

	*buffer = known_buffer(buffers, buffers_id(transport, info));
	if (!*buffer)
		ret = open_buffer(buffers, vfio, transport, info, buffer, error);
	if (!ret)
		(*buffer)->last_use = ++buffers->uses;
	return ret;
}

struct buffer *buffers_lent(struct buffers *buffers, uint32_t id)
{
	struct buffer *buffer = known_buffer(buffers, id);

	return buffer && buffer->readers ? buffer : NULL;
}

const char *buffers_way(const struct buffers *buffers)
{
	const struct buffer *last = NULL;

	for (size_t i = 0; i < BUFFERS_KEPT; i++) {
		const struct buffer *buffer = &buffers->slots[i];

		if (buffer->used && buffer->map.way && (!last || buffer->last_use > last->last_use))
			last = buffer;
	}
	return last ? last->map.way->name : NULL;
}

static int map_buffer(struct buffer *buffer, const struct vfio *vfio, const char *name,
		      const struct vfio_device_gfx_plane_info *info, GError **error)
{
	struct map_target target = {
		.vfio = vfio,
		.name = name,
		.info = info,
		.transport = buffer->transport,
		.dmabuf = buffer->dmabuf,
	};
	int ret;

	if (buffer->map.way && map_is_for(&buffer->map, info))
		return 0;
	if (buffer->readers)
		return fail(error, EXIT_FAILED, EAGAIN, "another plane in its bytes is being read");
	map_close(&buffer->map);
	ret = map_open(&target, &buffer->map, error);
	if (!ret)
		log_debug("%s: reading by %s", name ? name : "descriptor", buffer->map.way->name);
	return ret;
}

int buffer_lend(struct buffer *buffer, const struct vfio *vfio, const char *name,
		const struct vfio_device_gfx_plane_info *info, struct plane *plane, GError **error)
{
	struct map *map = &buffer->map;
	int ret = map_buffer(buffer, vfio, name, info, error);

	if (ret)
		return ret;
	ret = map_begin_read(map);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "its pixels cannot be read now: %s",
			    g_strerror(-ret));
	buffer->readers++;
	if (map->linear)
		plane->modifier = DRM_FORMAT_MOD_LINEAR;
	plane->data = map->data;
	plane->size = map->size;
	plane->wc = map->wc;
	return 0;
}

void buffer_return(struct buffer *buffer)
{
	map_end_read(&buffer->map);
	buffer->readers--;
}
