/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a driver says of its EDID region, and what a viewer wants of the monitor: what is written
 * lies in the region and is an EDID. Input: the mode, the region's size, its head, then a byte a
 * write: whether it is taken.
 */
#include "edid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "monitor.h"

/* The region, by the calls that monitor.c makes (-Wl,--wrap). */
static struct {
	struct vfio_region_info info;
	struct vfio_region_gfx_edid head;
	struct fuzz *fuzz;
	size_t blob_bytes;
} device;

int __wrap_vfio_find_region(const struct vfio *vfio, uint32_t type, uint32_t subtype,
			    struct vfio_region_info *info);
int __wrap_vfio_region_read(const struct vfio *vfio, const struct vfio_region_info *region,
			    void *data, size_t size);
int __wrap_vfio_region_write(const struct vfio *vfio, const struct vfio_region_info *region,
			     uint64_t offset, const void *data, size_t size);

int __wrap_vfio_find_region(const struct vfio *vfio, uint32_t type, uint32_t subtype,
			    struct vfio_region_info *info)
{
	(void)vfio;
	fuzz_expect(type == VFIO_REGION_TYPE_GFX && subtype == VFIO_REGION_SUBTYPE_GFX_EDID);
	*info = device.info;
	return 0;
}

int __wrap_vfio_region_read(const struct vfio *vfio, const struct vfio_region_info *region,
			    void *data, size_t size)
{
	(void)vfio;
	if (size > region->size)
		return -EIO;
	fuzz_expect(size == sizeof(device.head));
	memcpy(data, &device.head, size);
	return 0;
}

/* Blocks whose sums are 0 modulo 256, as many as the first one says. */
static void expect_edid(const uint8_t *blob, size_t size)
{
	static const uint8_t magic[8] = {0, 255, 255, 255, 255, 255, 255, 0};

	fuzz_expect(size >= EDID_BLOCK && size % EDID_BLOCK == 0 && size <= EDID_MAX);
	fuzz_expect(!memcmp(blob, magic, sizeof(magic)));
	fuzz_expect(size == (1u + blob[126]) * EDID_BLOCK);
	for (size_t block = 0; block < size; block += EDID_BLOCK) {
		uint8_t sum = 0;

		for (size_t i = 0; i < EDID_BLOCK; i++)
			sum = (uint8_t)(sum + blob[block + i]);
		fuzz_expect(!sum);
	}
}

int __wrap_vfio_region_write(const struct vfio *vfio, const struct vfio_region_info *region,
			     uint64_t offset, const void *data, size_t size)
{
	(void)vfio;
	fuzz_expect(offset <= region->size && size <= region->size - offset);
	if (size > sizeof(uint32_t)) {
		fuzz_expect(offset == device.head.edid_offset && size <= device.head.edid_max_size);
		expect_edid(data, size);
		device.blob_bytes = size;
	}
	return fuzz_number(device.fuzz, 1) & 1 ? -EINVAL : 0;
}

static void build(uint32_t width, uint32_t height, size_t room)
{
	uint8_t blob[EDID_MAX];
	size_t size = 0;

	if (edid_build(width, height, room, blob, &size))
		return;
	fuzz_expect(size <= room);
	expect_edid(blob, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	const struct vfio vfio = VFIO_CLOSED;
	uint32_t width = (uint32_t)fuzz_number(&fuzz, 4), height = (uint32_t)fuzz_number(&fuzz, 4);
	struct monitor monitor = {0};
	int ret;

	device.fuzz = &fuzz;
	device.blob_bytes = 0;
	device.info.size = fuzz_number(&fuzz, 8);
	fuzz_fill(&fuzz, &device.head, sizeof(device.head));
	build(width, height, device.head.edid_max_size);
	ret = monitor_set(&monitor, &vfio, width, height);
	fuzz_expect(ret || device.blob_bytes);
	monitor_settle(&monitor);
	fuzz_expect(!monitor.up && !monitor.vfio);
	return 0;
}
