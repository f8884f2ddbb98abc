// SPDX-License-Identifier: GPL-2.0-or-later
#include "edid.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "types.h"

/* 1024x768 at 60 Hz as VESA's DMT has it: 65 MHz, 1344 x 806 in all, 320 x 240 mm. */
static const u8 mplane_edid_default[127] = {
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* header */
	0x36, 0x0c, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, /* "MPL", product, serial number */
	0x01, 0x20, 0x01, 0x04,                         /* week, year 2022, EDID 1.4 */
	0xa5, 0x20, 0x18, 0x78, 0x02,                   /* digital, 32 x 24 cm, gamma 2.2, RGB */
	0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* sRGB */
	0x21, 0x08, 0x00,                               /* 640x480, 800x600, 1024x768 at 60 Hz */
	0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, /* no standard timings */
	0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
	/* detailed timing */
	0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x40, 0xf0, 0x10,
	0x00, 0x00, 0x18,
	/* name */
	0x00, 0x00, 0x00, 0xfc, 0x00, 'm', 'p', 'l', 'a', 'n', 'e', '\n', ' ', ' ', ' ', ' ', ' ',
	' ',
	/* range: 30 - 240 Hz, 30 - 255 kHz, up to 600 MHz */
	0x00, 0x00, 0x00, 0xfd, 0x00, 30, 240, 30, 255, 60, 0x00, '\n', ' ', ' ', ' ', ' ', ' ',
	' ',
	/* dummy */
	0x00, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0x00, /* no extensions; the checksum follows */
};

void mplane_edid_reset(struct mplane_edid *edid)
{
	u8 sum = 0;
	unsigned int i;

	memset(edid, 0, sizeof(*edid));
	memcpy(edid->blob, mplane_edid_default, sizeof(mplane_edid_default));
	for (i = 0; i < 127; i++)
		sum += edid->blob[i];
	edid->blob[127] = -sum;
	edid->size = 128;
	edid->link_state = VFIO_DEVICE_GFX_LINK_STATE_UP;
}

void mplane_edid_show(const struct mplane_edid *edid, u8 out[MPLANE_EDID_MAX])
{
	memset(out, 0, MPLANE_EDID_MAX);
	if (edid->link_state == VFIO_DEVICE_GFX_LINK_STATE_UP)
		memcpy(out, edid->blob, edid->size);
}

static void mplane_edid_registers(const struct mplane_edid *edid, struct vfio_region_gfx_edid *out)
{
	out->edid_offset = MPLANE_EDID_BLOB;
	out->edid_max_size = MPLANE_EDID_MAX;
	out->edid_size = edid->size;
	mplane_max_mode(&out->max_xres, &out->max_yres);
	out->link_state = edid->link_state;
}

void mplane_edid_read(const struct mplane_edid *edid, u32 offset, u8 *data, u32 count)
{
	struct vfio_region_gfx_edid registers;

	mplane_edid_registers(edid, &registers);
	for (; count; count--, offset++, data++) {
		if (offset < sizeof(registers))
			*data = ((u8 *)&registers)[offset];
		else if (offset - MPLANE_EDID_BLOB < MPLANE_EDID_MAX)
			*data = edid->blob[offset - MPLANE_EDID_BLOB];
		else
			*data = 0;
	}
}

static int mplane_edid_write_register(struct mplane_edid *edid, u32 offset, u32 value)
{
	switch (offset) {
	case offsetof(struct vfio_region_gfx_edid, edid_size):
		if (value > MPLANE_EDID_MAX)
			return -EINVAL;
		edid->size = value;
		return 0;
	case offsetof(struct vfio_region_gfx_edid, link_state):
		if (value != VFIO_DEVICE_GFX_LINK_STATE_UP &&
		    value != VFIO_DEVICE_GFX_LINK_STATE_DOWN)
			return -EINVAL;
		edid->link_state = value;
		return 0;
	default:
		return -EINVAL;
	}
}

int mplane_edid_write(struct mplane_edid *edid, u32 offset, const u8 *data, u32 count)
{
	u32 value;

	if (offset >= MPLANE_EDID_BLOB && offset - MPLANE_EDID_BLOB + count <= MPLANE_EDID_MAX) {
		memcpy(edid->blob + offset - MPLANE_EDID_BLOB, data, count);
		return 0;
	}
	if (count != sizeof(value))
		return -EINVAL;
	memcpy(&value, data, sizeof(value));
	return mplane_edid_write_register(edid, offset, value);
}
