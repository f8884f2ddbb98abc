// SPDX-License-Identifier: GPL-2.0-or-later
#include "types.h"

#include <drm/drm_fourcc.h>
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

#define MPLANE_TYPE(name, words, transport, layout, modifier)                                    \
	{                                                                                        \
		{.sysfs_name = name, .pretty_name = "mplane " words ", guest ABI 1"}, transport, \
			layout, modifier,                                                        \
	}

static struct mplane_type mplane_type_table[] = {
	MPLANE_TYPE("region", "region", MPLANE_REGION, DETILE_LINEAR, DRM_FORMAT_MOD_LINEAR),
	MPLANE_TYPE("dmabuf", "dma-buf", MPLANE_DMABUF, DETILE_LINEAR, DRM_FORMAT_MOD_LINEAR),
	MPLANE_TYPE("dmabuf-x", "X-tiled dma-buf", MPLANE_DMABUF, DETILE_X,
		    I915_FORMAT_MOD_X_TILED),
	MPLANE_TYPE("dmabuf-y", "Y-tiled dma-buf", MPLANE_DMABUF, DETILE_Y,
		    I915_FORMAT_MOD_Y_TILED),
	MPLANE_TYPE("dmabuf-yf", "Yf-tiled dma-buf", MPLANE_DMABUF, DETILE_YF,
		    I915_FORMAT_MOD_Yf_TILED),
	MPLANE_TYPE("dmabuf-4", "4-tiled dma-buf", MPLANE_DMABUF, DETILE_4,
		    I915_FORMAT_MOD_4_TILED),
};

struct mdev_type *mplane_types[] = {
	&mplane_type_table[0].mdev, &mplane_type_table[1].mdev, &mplane_type_table[2].mdev,
	&mplane_type_table[3].mdev, &mplane_type_table[4].mdev, &mplane_type_table[5].mdev,
};

const unsigned int mplane_types_count = ARRAY_SIZE(mplane_types);

int mplane_types_check(void)
{
	BUILD_BUG_ON(ARRAY_SIZE(mplane_types) != ARRAY_SIZE(mplane_type_table));
	if (vram_mb < 4 || vram_mb > 256 || !is_power_of_2(vram_mb)) {
		pr_err("vram_mb=%u: not a power of two from 4 to 256\n", vram_mb);
		return -EINVAL;
	}
	if (memory_mb < 2 * vram_mb || memory_mb > 65536) {
		pr_err("memory_mb=%u: not from %u (one device) to 65536\n", memory_mb, 2 * vram_mb);
		return -EINVAL;
	}
	return 0;
}

size_t mplane_vram_size(void)
{
	return (size_t)vram_mb * SZ_1M;
}

/* A tiled type has a copy of what is shown besides. */
static u64 mplane_type_cost(const struct mplane_type *type)
{
	return type->layout == DETILE_LINEAR ? mplane_vram_size() : 2 * mplane_vram_size();
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

void mplane_budget_check(void)
{
	WARN_ON(mplane_budget_used);
}

void mplane_max_mode(u32 *width, u32 *height)
{
	static const struct {
		u32 width, height;
	} modes[] = {
		{7680, 4320}, {5120, 2880}, {3840, 2160}, {2560, 1600},
		{1920, 1200}, {1280, 1024}, {1024, 768},
	};
	unsigned int i = 0;

	while (i < ARRAY_SIZE(modes) - 1 &&
	       (size_t)modes[i].width * modes[i].height * 4 > mplane_vram_size())
		i++;
	*width = modes[i].width;
	*height = modes[i].height;
}

/* In the words that NVIDIA's types use, which management software reads already. */
ssize_t mplane_type_describe(struct mdev_type *mdev, char *buf)
{
	u32 width, height;

	mplane_max_mode(&width, &height);
	return sysfs_emit(buf,
			  "num_heads=1, frl_config=%u, framebuffer=%uM, max_resolution=%ux%u\n",
			  MPLANE_MAX_RATE, vram_mb, width, height);
}
