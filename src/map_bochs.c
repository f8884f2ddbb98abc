/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bochs-display's scanout through BAR0, for exporters whose dma-buf cannot be mapped (mbochs,
 * linux samples/vfio-mdev/mbochs.c: exported read-only, so that every shared mapping is refused).
 * The dispi registers in BAR2 say where the scanout lies (QEMU docs/specs/standard-vga.rst).
 */
#include "map.h"

#include <errno.h>
#include <unistd.h>

#include "log.h"

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

static int read_dispi(const struct vfio *vfio, uint16_t *registers)
{
	struct vfio_region_info mmio;
	int ret = vfio_region_info(vfio, VFIO_PCI_BAR2_REGION_INDEX, &mmio);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < REGISTERS; i++)
		if (pread(vfio->device, &registers[i], sizeof(*registers),
			  (off_t)(mmio.offset + DISPI_OFFSET + i * sizeof(*registers))) !=
		    sizeof(*registers))
			return -EIO;
	return 0;
}

static int bochs_open(const struct map_target *target, struct map *map, GError **error)
{
	const struct vfio_device_gfx_plane_info *info = target->info;
	struct vfio_region_info bar;
	uint16_t dispi[REGISTERS];
	int ret = read_dispi(target->vfio, dispi);

	if (ret || (dispi[ID] & 0xfff0) != DISPI_ID)
		return fail(error, EXIT_FAILED, ENODEV, "not a bochs-display");
	if (info->drm_plane_type != PLANE_PRIMARY || dispi[XRES] != info->width ||
	    dispi[YRES] != info->height)
		return fail(error, EXIT_FAILED, EAGAIN, "its registers are of another mode");
	ret = vfio_region_info(target->vfio, VFIO_PCI_BAR0_REGION_INDEX, &bar);
	if (ret || !bar.size || bar.size > MAP_MAX_BYTES)
		return fail(error, EXIT_FAILED, EINVAL, "it has no video memory");
	map->offset = (uint64_t)dispi[Y_OFFSET] * info->stride +
		      dispi[X_OFFSET] * ((dispi[BPP] + 7ull) / 8);
	if (map->offset >= bar.size)
		return fail(error, EXIT_FAILED, EINVAL, "its scanout lies outside its memory");
	ret = map_base_mmap(map, target->vfio->device, bar.offset, bar.size);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret));
	map->data = (const uint8_t *)map->base + map->offset;
	map->size = map->base_size - map->offset;
	return 0;
}

const struct map_way map_bochs = {
	.name = "bochs",
	.open = bochs_open,
	.begin = map_begin_nothing,
	.end = map_end_nothing,
	.close = map_base_munmap,
};
