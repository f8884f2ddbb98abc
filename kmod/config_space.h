/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space of a bochs-display: 1234:1111, class 0x0380, BAR0 video memory, BAR2
 * registers, no interrupt, no ROM, no capabilities.
 */
#ifndef MPLANE_CONFIG_SPACE_H
#define MPLANE_CONFIG_SPACE_H

#include <linux/pci_regs.h>
#include <linux/types.h>

struct mplane_config_space {
	u8 data[PCI_CFG_SPACE_SIZE];
	u8 writable[PCI_CFG_SPACE_SIZE]; /* bits that a write changes */
};

/* As after power on. BAR sizes in bytes, powers of two of at least 16. */
void mplane_config_reset(struct mplane_config_space *config, u32 bar0_size, u32 bar2_size);

/* count bytes at offset; they lie inside. */
void mplane_config_read(const struct mplane_config_space *config, u32 offset, u8 *data, u32 count);
void mplane_config_write(struct mplane_config_space *config, u32 offset, const u8 *data, u32 count);

#endif
