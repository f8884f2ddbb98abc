/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR2 of a bochs-display: the monitor's EDID at 0, the VBE dispi registers (16 bits each, little
 * endian) at 0x500; all else reads as zero. Source: QEMU, docs/specs/standard-vga.
 */
#ifndef MPLANE_MMIO_H
#define MPLANE_MMIO_H

#include <linux/types.h>

struct mplane_mode;

#define MPLANE_MMIO_SIZE      0x1000u
#define MPLANE_MMIO_EDID_SIZE 0x400u

enum mplane_vbe {
	MPLANE_VBE_ID,
	MPLANE_VBE_WIDTH,
	MPLANE_VBE_HEIGHT,
	MPLANE_VBE_BPP,
	MPLANE_VBE_ENABLE,
	MPLANE_VBE_BANK,
	MPLANE_VBE_VIRTUAL_WIDTH,
	MPLANE_VBE_VIRTUAL_HEIGHT,
	MPLANE_VBE_X_OFFSET,
	MPLANE_VBE_Y_OFFSET,
	MPLANE_VBE_MEMORY, /* video memory, in 64 KiB */
	MPLANE_VBE_REGISTERS,
};

struct mplane_mmio {
	u8 edid[MPLANE_MMIO_EDID_SIZE];
	u16 vbe[MPLANE_VBE_REGISTERS];
};

/* The registers as after power on; the EDID stays, it belongs to the monitor. */
void mplane_mmio_reset(struct mplane_mmio *mmio, size_t vram_size);

/* count bytes at offset; they lie inside. Writing to what cannot be written does nothing. */
void mplane_mmio_read(const struct mplane_mmio *mmio, u32 offset, u8 *data, u32 count);
void mplane_mmio_write(struct mplane_mmio *mmio, u32 offset, const u8 *data, u32 count);

/* Programs a mode at offset 0, as a guest's driver would. */
void mplane_mmio_set_mode(struct mplane_mmio *mmio, u32 width, u32 height, u32 bits);

/* What the registers make of the video memory: false if the display is off or does not fit. */
bool mplane_mmio_mode(const struct mplane_mmio *mmio, size_t vram_size, struct mplane_mode *mode);

#endif
