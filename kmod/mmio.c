// SPDX-License-Identifier: GPL-2.0-or-later
#include "mmio.h"

#include <linux/minmax.h>
#include <linux/string.h>

#include "format.h"
#include "scanout.h"

#define MPLANE_MMIO_VBE    0x500u
#define MPLANE_VBE_ID5     0xb0c5
#define MPLANE_VBE_ENABLED 0x01
#define MPLANE_VBE_LFB     0x40

void mplane_mmio_reset(struct mplane_mmio *mmio, size_t vram_size)
{
	memset(mmio->vbe, 0, sizeof(mmio->vbe));
	mmio->vbe[MPLANE_VBE_ID] = MPLANE_VBE_ID5;
	mmio->vbe[MPLANE_VBE_MEMORY] = vram_size / 0x10000;
}

static u8 mplane_mmio_read_byte(const struct mplane_mmio *mmio, u32 offset)
{
	u32 byte = offset - MPLANE_MMIO_VBE;

	if (offset < MPLANE_MMIO_EDID_SIZE)
		return mmio->edid[offset];
	if (offset >= MPLANE_MMIO_VBE && byte < sizeof(mmio->vbe))
		return mmio->vbe[byte / 2] >> (byte % 2 * 8);
	return 0;
}

static void mplane_mmio_write_byte(struct mplane_mmio *mmio, u32 offset, u8 data)
{
	u32 byte = offset - MPLANE_MMIO_VBE;
	u32 shift = byte % 2 * 8;
	u16 *reg;

	if (offset < MPLANE_MMIO_VBE || byte >= sizeof(mmio->vbe))
		return;
	if (byte / 2 == MPLANE_VBE_ID || byte / 2 == MPLANE_VBE_MEMORY)
		return;
	reg = &mmio->vbe[byte / 2];
	*reg = (*reg & ~(0xff << shift)) | data << shift;
}

void mplane_mmio_read(const struct mplane_mmio *mmio, u32 offset, u8 *data, u32 count)
{
	while (count--)
		*data++ = mplane_mmio_read_byte(mmio, offset++);
}

void mplane_mmio_write(struct mplane_mmio *mmio, u32 offset, const u8 *data, u32 count)
{
	while (count--)
		mplane_mmio_write_byte(mmio, offset++, *data++);
}

void mplane_mmio_set_mode(struct mplane_mmio *mmio, u32 width, u32 height, u32 bits)
{
	mmio->vbe[MPLANE_VBE_WIDTH] = width;
	mmio->vbe[MPLANE_VBE_HEIGHT] = height;
	mmio->vbe[MPLANE_VBE_BPP] = bits;
	mmio->vbe[MPLANE_VBE_VIRTUAL_WIDTH] = width;
	mmio->vbe[MPLANE_VBE_VIRTUAL_HEIGHT] = height;
	mmio->vbe[MPLANE_VBE_X_OFFSET] = 0;
	mmio->vbe[MPLANE_VBE_Y_OFFSET] = 0;
	mmio->vbe[MPLANE_VBE_ENABLE] = MPLANE_VBE_ENABLED | MPLANE_VBE_LFB;
}

bool mplane_mmio_mode(const struct mplane_mmio *mmio, size_t vram_size, struct mplane_mode *mode)
{
	const u16 *vbe = mmio->vbe;
	u32 pitch = max(vbe[MPLANE_VBE_VIRTUAL_WIDTH], vbe[MPLANE_VBE_WIDTH]);

	if (!(vbe[MPLANE_VBE_ENABLE] & MPLANE_VBE_ENABLED))
		return false;
	mode->format = mplane_format_of_depth(vbe[MPLANE_VBE_BPP]);
	if (!mode->format)
		return false;
	mode->width = vbe[MPLANE_VBE_WIDTH];
	mode->height = vbe[MPLANE_VBE_HEIGHT];
	mode->stride = pitch * mode->format->cpp;
	mode->offset = (u64)vbe[MPLANE_VBE_Y_OFFSET] * mode->stride +
		       (u64)vbe[MPLANE_VBE_X_OFFSET] * mode->format->cpp;
	return mplane_mode_fits(mode, vram_size);
}
