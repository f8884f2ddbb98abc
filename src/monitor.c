/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "monitor.h"

#include <errno.h>
#include <stddef.h>

#include "edid.h"
#include "log.h"

static int write32(const struct monitor *monitor, size_t offset, uint32_t value)
{
	return vfio_region_write(monitor->vfio, &monitor->region, offset, &value, sizeof(value));
}

static int set_link(const struct monitor *monitor, uint32_t state)
{
	return write32(monitor, offsetof(struct vfio_region_gfx_edid, link_state), state);
}

static void plug_in(struct monitor *monitor)
{
	int ret = set_link(monitor, VFIO_DEVICE_GFX_LINK_STATE_UP);

	if (ret)
		log_debug("monitor: the link does not come up: %s", g_strerror(-ret));
	monitor->vfio = NULL;
	monitor->up = 0;
}

static gboolean on_up(gpointer monitor)
{
	plug_in(monitor);
	return G_SOURCE_REMOVE;
}

void monitor_settle(struct monitor *monitor)
{
	if (!monitor->up)
		return;
	g_source_remove(monitor->up);
	plug_in(monitor);
}

/* What the region says of itself is the driver's: checked before it is used. */
static int read_head(const struct vfio *vfio, struct vfio_region_info *region,
		     struct vfio_region_gfx_edid *head)
{
	if (vfio_find_region(vfio, VFIO_REGION_TYPE_GFX, VFIO_REGION_SUBTYPE_GFX_EDID, region) ||
	    vfio_region_read(vfio, region, head, sizeof(*head)))
		return -ENOTSUP;
	if (head->edid_offset < sizeof(*head) || head->edid_offset > region->size ||
	    head->edid_max_size > region->size - head->edid_offset)
		return -ENOTSUP;
	return 0;
}

static int write_edid(const struct monitor *monitor, uint32_t offset, const uint8_t *blob,
		      size_t size)
{
	int ret = set_link(monitor, VFIO_DEVICE_GFX_LINK_STATE_DOWN);

	if (!ret)
		ret = write32(monitor, offsetof(struct vfio_region_gfx_edid, edid_size),
			      (uint32_t)size);
	if (!ret)
		ret = vfio_region_write(monitor->vfio, &monitor->region, offset, blob, size);
	return ret;
}

int monitor_set(struct monitor *monitor, const struct vfio *vfio, uint32_t width, uint32_t height)
{
	struct vfio_region_gfx_edid head;
	struct vfio_region_info region;
	uint8_t blob[EDID_MAX];
	size_t size;
	int ret = read_head(vfio, &region, &head);

	if (ret)
		return ret;
	if ((head.max_xres && width > head.max_xres) || (head.max_yres && height > head.max_yres))
		return -ERANGE;
	ret = edid_build(width, height, head.edid_max_size, blob, &size);
	if (ret)
		return ret;
	monitor->vfio = vfio;
	monitor->region = region;
	ret = write_edid(monitor, head.edid_offset, blob, size);
	/* Also after a failure, and not later by each wish: wishes in a row keep no link down. */
	if (!monitor->up)
		monitor->up = g_timeout_add(MONITOR_DOWN_MS, on_up, monitor);
	return ret;
}
