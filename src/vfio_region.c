/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* More regions, or longer lists of capabilities, no driver has. */
#define MAX_REGIONS  64u
#define MAX_CAP_SIZE 4096u

static int region_info(const struct vfio *vfio, uint32_t index, struct vfio_region_info *info,
		       uint32_t size)
{
	memset(info, 0, size);
	info->argsz = size;
	info->index = index;
	return ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, info) < 0 ? -errno : 0;
}

int vfio_region_info(const struct vfio *vfio, uint32_t index, struct vfio_region_info *info)
{
	return region_info(vfio, index, info, sizeof(*info));
}

/* Walks the capabilities as the driver wrote them: every offset is checked, and the walk ends. */
static bool has_type(const struct vfio_region_info *info, uint32_t size, uint32_t type,
		     uint32_t subtype)
{
	uint32_t offset = info->cap_offset;

	for (uint32_t steps = 0; offset && steps < size / sizeof(struct vfio_info_cap_header);
	     steps++) {
		struct vfio_region_info_cap_type cap;

		if (offset > size - sizeof(cap.header))
			return false;
		memcpy(&cap.header, (const char *)info + offset, sizeof(cap.header));
		if (cap.header.id == VFIO_REGION_INFO_CAP_TYPE && offset <= size - sizeof(cap)) {
			memcpy(&cap, (const char *)info + offset, sizeof(cap));
			return cap.type == type && cap.subtype == subtype;
		}
		offset = cap.header.next;
	}
	return false;
}

static bool region_is(const struct vfio *vfio, uint32_t index, uint32_t type, uint32_t subtype)
{
	struct vfio_region_info *info, first;
	bool found = false;

	if (vfio_region_info(vfio, index, &first) || !(first.flags & VFIO_REGION_INFO_FLAG_CAPS) ||
	    first.argsz <= sizeof(first) || first.argsz > MAX_CAP_SIZE)
		return false;
	info = malloc(first.argsz);
	if (!info)
		return false;
	if (!region_info(vfio, index, info, first.argsz))
		found = has_type(info, first.argsz, type, subtype);
	free(info);
	return found;
}

int vfio_find_region(const struct vfio *vfio, uint32_t type, uint32_t subtype,
		     struct vfio_region_info *info)
{
	struct vfio_device_info device = {.argsz = sizeof(device)};

	if (ioctl(vfio->device, VFIO_DEVICE_GET_INFO, &device))
		return -errno;
	for (uint32_t index = 0; index < device.num_regions && index < MAX_REGIONS; index++)
		if (region_is(vfio, index, type, subtype))
			return vfio_region_info(vfio, index, info);
	return -ENOENT;
}

int vfio_region_read(const struct vfio *vfio, const struct vfio_region_info *region, void *data,
		     size_t size)
{
	if (size > region->size)
		return -EIO;
	return vfio_read(vfio->device, region->offset, data, size);
}

int vfio_read(int fd, uint64_t offset, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));

		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* A driver takes a field or a blob as a whole or not at all. */
int vfio_region_write(const struct vfio *vfio, const struct vfio_region_info *region,
		      uint64_t offset, const void *data, size_t size)
{
	ssize_t n;

	if (offset > region->size || size > region->size - offset)
		return -EIO;
	n = pwrite(vfio->device, data, size, (off_t)(region->offset + offset));
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}
