/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The EDID region (struct vfio_region_gfx_edid): user space plugs a monitor in and out, the guest
 * sees its EDID in BAR2, or none. Under the device's lock.
 */
#ifndef MPLANE_EDID_H
#define MPLANE_EDID_H

#include <linux/types.h>

#define MPLANE_EDID_REGION_SIZE 0x1000u
#define MPLANE_EDID_BLOB        0x100u /* offset of the EDID in the region */
#define MPLANE_EDID_MAX         0x400u /* bytes of the EDID, as many as BAR2 has room for */

struct mplane_edid {
	u32 size;
	u32 link_state;
	u8 blob[MPLANE_EDID_MAX];
};

/* A monitor of 1024x768 is plugged in. */
void mplane_edid_reset(struct mplane_edid *edid);

/* What the guest sees. */
void mplane_edid_show(const struct mplane_edid *edid, u8 out[MPLANE_EDID_MAX]);

/* count bytes at offset; they lie inside. */
void mplane_edid_read(const struct mplane_edid *edid, u32 offset, u8 *data, u32 count);

/* A register as a whole, or a part of the blob; -EINVAL for anything else and for bad values. */
int mplane_edid_write(struct mplane_edid *edid, u32 offset, const u8 *data, u32 count);

#endif
