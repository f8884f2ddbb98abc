// SPDX-License-Identifier: GPL-2.0-or-later
#include "types.h"

#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>

#include "painter.h"

static unsigned int vram_mb = 16;
module_param(vram_mb, uint, 0444);
MODULE_PARM_DESC(vram_mb, "video memory of a device in MiB, a power of two from 4 to 256 (16)");

static unsigned int memory_mb = 512;
module_param(memory_mb, uint, 0444);
MODULE_PARM_DESC(memory_mb, "memory of all devices together in MiB, up to 65536 (512)");

static DEFINE_MUTEX(mplane_budget_lock);
static u64 mplane_budget_used;

static struct mplane_type mplane_type_table[] = {
	{{.sysfs_name = "region", .pretty_name = "mplane region, guest ABI 1"}, MPLANE_REGION},
	{{.sysfs_name = "dmabuf", .pretty_name = "mplane dma-buf, guest ABI 1"}, MPLANE_DMABUF},
};

struct mdev_type *mplane_types[] = {
	&mplane_type_table[0].mdev,
	&mplane_type_table[1].mdev,
};

const unsigned int mplane_types_count = ARRAY_SIZE(mplane_types);

int mplane_types_check(void)
{
	BUILD_BUG_ON(ARRAY_SIZE(mplane_types) != ARRAY_SIZE(mplane_type_table));
	if (vram_mb < 4 || vram_mb > 256 || !is_power_of_2(vram_mb)) {
		pr_err("vram_mb=%u: not a power of two from 4 to 256\n", vram_mb);
		return -EINVAL;
	}
	if (memory_mb < vram_mb || memory_mb > 65536) {
		pr_err("memory_mb=%u: not from %u (one device) to 65536\n", memory_mb, vram_mb);
		return -EINVAL;
	}
	return 0;
}

size_t mplane_vram_size(void)
{
	return (size_t)vram_mb * SZ_1M;
}

static u64 mplane_type_cost(const struct mplane_type *type)
{
	return mplane_vram_size();
}

unsigned int mplane_type_available(struct mdev_type *mdev)
{
	u64 available;

	mutex_lock(&mplane_budget_lock);
	available = (u64)memory_mb * SZ_1M - mplane_budget_used;
	mutex_unlock(&mplane_budget_lock);
	return div64_u64(available, mplane_type_cost(mplane_type_of(mdev)));
}

int mplane_budget_take(const struct mplane_type *type)
{
	u64 cost = mplane_type_cost(type);
	int ret = -ENOSPC;

	mutex_lock(&mplane_budget_lock);
	if (mplane_budget_used + cost <= (u64)memory_mb * SZ_1M) {
		mplane_budget_used += cost;
		ret = 0;
	}
	mutex_unlock(&mplane_budget_lock);
	return ret;
}

void mplane_budget_give(const struct mplane_type *type)
{
	mutex_lock(&mplane_budget_lock);
	mplane_budget_used -= mplane_type_cost(type);
	mutex_unlock(&mplane_budget_lock);
}

/* In the words that NVIDIA's types use, which management software reads already. */
ssize_t mplane_type_describe(struct mdev_type *mdev, char *buf)
{
	static const struct {
		unsigned int width, height;
	} modes[] = {
		{7680, 4320}, {5120, 2880}, {3840, 2160}, {2560, 1600},
		{1920, 1200}, {1280, 1024}, {1024, 768},
	};
	unsigned int i = 0;

	while (i < ARRAY_SIZE(modes) - 1 &&
	       (size_t)modes[i].width * modes[i].height * 4 > mplane_vram_size())
		i++;
	return sysfs_emit(buf,
			  "num_heads=1, frl_config=%u, framebuffer=%uM, max_resolution=%ux%u\n",
			  MPLANE_MAX_RATE, vram_mb, modes[i].width, modes[i].height);
}
