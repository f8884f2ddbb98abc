// SPDX-License-Identifier: GPL-2.0-or-later
#include "config_space.h"

#include <linux/pci_ids.h>
#include <linux/string.h>

#include "compat.h"
#include "uapi/mplane.h"

/* The low bits of a BAR are its type, the others read back only down to its size. */
static void mplane_config_bar(struct mplane_config_space *config, u32 offset, u32 size, u32 type)
{
	put_unaligned_le32(type, config->data + offset);
	put_unaligned_le32(~(size - 1), config->writable + offset);
}

void mplane_config_reset(struct mplane_config_space *config, u32 bar0_size, u32 bar2_size)
{
	memset(config, 0, sizeof(*config));
	put_unaligned_le16(MPLANE_PCI_VENDOR, config->data + PCI_VENDOR_ID);
	put_unaligned_le16(MPLANE_PCI_DEVICE, config->data + PCI_DEVICE_ID);
	put_unaligned_le16(PCI_CLASS_DISPLAY_OTHER, config->data + PCI_CLASS_DEVICE);
	config->data[PCI_REVISION_ID] = 2;
	put_unaligned_le16(MPLANE_PCI_SUBSYSTEM_VENDOR, config->data + PCI_SUBSYSTEM_VENDOR_ID);
	put_unaligned_le16(MPLANE_PCI_SUBSYSTEM_DEVICE, config->data + PCI_SUBSYSTEM_ID);
	put_unaligned_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE,
			   config->writable + PCI_COMMAND);
	config->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	config->writable[PCI_LATENCY_TIMER] = 0xff;
	config->writable[PCI_INTERRUPT_LINE] = 0xff;
	mplane_config_bar(config, PCI_BASE_ADDRESS_0, bar0_size, PCI_BASE_ADDRESS_MEM_PREFETCH);
	mplane_config_bar(config, PCI_BASE_ADDRESS_2, bar2_size, 0);
}

void mplane_config_read(const struct mplane_config_space *config, u32 offset, u8 *data, u32 count)
{
	memcpy(data, config->data + offset, count);
}

void mplane_config_write(struct mplane_config_space *config, u32 offset, const u8 *data, u32 count)
{
	for (; count; count--, offset++, data++) {
		u8 mask = config->writable[offset];

		config->data[offset] = (config->data[offset] & ~mask) | (*data & mask);
	}
}
