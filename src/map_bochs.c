/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bochs-display's scanout through BAR0, for exporters whose dma-buf cannot be mapped (mbochs,
 * linux samples/vfio-mdev/mbochs.c: exported read-only, so that every shared mapping is refused).
 * The dispi registers in BAR2 say where the scanout lies (QEMU docs/specs/standard-vga.rst).
 */
#include "map.h"

#include <drm_fourcc.h>
#include <errno.h>

#include "log.h"
#include "tracker.h"

#define PCI_ID       0x11111234u /* device and vendor, at the head of the configuration space */
#define DISPI_OFFSET 0x500
#define DISPI_ID     0xb0c0 /* to 0xb0c5 */

enum {
	ID,
	XRES,
	YRES,
	BPP,
	ENABLE,
	BANK,
	VIRT_WIDTH,
	VIRT_HEIGHT,
	X_OFFSET,
	Y_OFFSET,
	REGISTERS,
};

/* Asked first: reading the registers of any other device may do something to it. */
static bool is_bochs_display(const struct vfio *vfio)
{
	struct vfio_region_info config;
	uint32_t id;

	return !vfio_region_info(vfio, VFIO_PCI_CONFIG_REGION_INDEX, &config) &&
	       !vfio_region_read(vfio, &config, &id, sizeof(id)) && id == PCI_ID;
}

/* mplane is a bochs-display as well, and its dma-bufs are as good as its status region. */
bool map_wants_dmabuf(const struct vfio *vfio)
{
	struct vfio_region_info status;

	return !is_bochs_display(vfio) || !tracker_find(vfio, &status);
}

static int read_dispi(const struct vfio *vfio, uint16_t *registers)
{
	struct vfio_region_info mmio;
	int ret = vfio_region_info(vfio, VFIO_PCI_BAR2_REGION_INDEX, &mmio);

	if (!ret && mmio.size < DISPI_OFFSET + REGISTERS * sizeof(*registers))
		ret = -EIO;
	for (unsigned int i = 0; i < REGISTERS && !ret; i++)
		ret = vfio_read(vfio->device, mmio.offset + DISPI_OFFSET + i * sizeof(*registers),
				&registers[i], sizeof(*registers));
	return ret;
}

/* Where the scanout lies now: a guest moves it by two registers, and the driver tells only later.
 */
static int locate(struct map *map, GError **error)
{
	uint16_t dispi[REGISTERS];
	uint64_t offset;
	int ret = read_dispi(map->vfio, dispi);

	if (ret || (dispi[ID] & 0xfff0) != DISPI_ID)
		return fail(error, EXIT_FAILED, ENODEV, "its registers cannot be read");
	if (dispi[XRES] != map->info.width || dispi[YRES] != map->info.height)
		return fail(error, EXIT_FAILED, EAGAIN, "its registers are of another mode");
	offset = (uint64_t)dispi[Y_OFFSET] * map->info.stride +
		 dispi[X_OFFSET] * ((dispi[BPP] + 7ull) / 8);
	if (offset >= map->base_size)
		return fail(error, EXIT_FAILED, EINVAL, "its scanout lies outside its memory");
	map->data = (const uint8_t *)map->base + offset;
	map->size = map->base_size - offset;
	return 0;
}

static int bochs_open(const struct map_target *target, struct map *map, GError **error)
{
	struct vfio_region_info bar;
	int ret;

	if (!is_bochs_display(target->vfio))
		return fail(error, EXIT_FAILED, ENODEV, "not a bochs-display");
	if (target->info->drm_plane_type != PLANE_PRIMARY)
		return fail(error, EXIT_FAILED, ENOTSUP, "only its primary plane lies there");
	if (target->info->drm_format_mod != DRM_FORMAT_MOD_LINEAR)
		return fail(error, EXIT_FAILED, ENOTSUP, "tiled pixels are a copy, elsewhere");
	ret = vfio_region_info(target->vfio, VFIO_PCI_BAR0_REGION_INDEX, &bar);
	if (ret || !bar.size || bar.size > MAP_MAX_BYTES)
		return fail(error, EXIT_FAILED, EINVAL, "it has no video memory");
	ret = map_base_mmap(map, target->vfio->device, bar.offset, bar.size);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret));
	return locate(map, error);
}

static int bochs_begin(struct map *map)
{
	return locate(map, NULL);
}

const struct map_way map_bochs = {
	.name = "bochs",
	.open = bochs_open,
	.begin = bochs_begin,
	.end = map_end_nothing,
	.close = map_base_munmap,
};
