// SPDX-License-Identifier: GPL-2.0-or-later
#include "quirks.h"

#include <linux/device.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "device.h"

static struct mplane_quirks defaults;

#define MPLANE_QUIRK_PARAM(name, text)                       \
	module_param_named(name, defaults.name, uint, 0644); \
	MODULE_PARM_DESC(name, text)

MPLANE_QUIRK_PARAM(require_kvm, "new devices: 1: cannot be opened without KVM (0)");
MPLANE_QUIRK_PARAM(no_cpu_map, "new devices: 1: dma-bufs cannot be mapped by a CPU (0)");
MPLANE_QUIRK_PARAM(plane_off, "new devices: 1: primary plane off, 2: off, queries fail (0)");
MPLANE_QUIRK_PARAM(first_query_fails, "new devices: 1: a new plane's first query fails (0)");
MPLANE_QUIRK_PARAM(pull_only, "new devices: 1: the picture is taken at a query only (0)");
MPLANE_QUIRK_PARAM(flips, "new devices: buffers that the scanout rotates through, up to 8 (0)");

struct mplane_quirk {
	struct device_attribute attr;
	size_t offset; /* in struct mplane_quirks */
	unsigned int max;
};

static unsigned int *mplane_quirk_of(struct device *dev, struct device_attribute *attr)
{
	struct mplane_device *device = dev_get_drvdata(dev);
	struct mplane_quirk *quirk = container_of(attr, struct mplane_quirk, attr);

	return (void *)&device->quirks + quirk->offset;
}

static ssize_t mplane_quirk_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(*mplane_quirk_of(dev, attr)));
}

static ssize_t mplane_quirk_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t count)
{
	struct mplane_device *device = dev_get_drvdata(dev);
	unsigned int value;
	int ret = kstrtouint(buf, 0, &value);

	if (ret)
		return ret;
	if (value > container_of(attr, struct mplane_quirk, attr)->max)
		return -EINVAL;
	mutex_lock(&device->lock);
	*mplane_quirk_of(dev, attr) = value;
	mplane_planes_forget(&device->planes);
	mplane_scanout_update(device);
	mutex_unlock(&device->lock);
	return count;
}

#define MPLANE_QUIRK(name, max)                                            \
	static struct mplane_quirk quirk_##name = {                        \
		__ATTR(name, 0644, mplane_quirk_show, mplane_quirk_store), \
		offsetof(struct mplane_quirks, name),                      \
		max,                                                       \
	}

MPLANE_QUIRK(require_kvm, 1);
MPLANE_QUIRK(no_cpu_map, 1);
MPLANE_QUIRK(plane_off, 2);
MPLANE_QUIRK(first_query_fails, 1);
MPLANE_QUIRK(pull_only, 1);
MPLANE_QUIRK(flips, MPLANE_MAX_FLIPS);

static struct attribute *mplane_quirks_attrs[] = {
	&quirk_require_kvm.attr.attr,
	&quirk_no_cpu_map.attr.attr,
	&quirk_plane_off.attr.attr,
	&quirk_first_query_fails.attr.attr,
	&quirk_pull_only.attr.attr,
	&quirk_flips.attr.attr,
	NULL,
};

const struct attribute_group mplane_quirks_group = {
	.attrs = mplane_quirks_attrs,
};

void mplane_quirks_init(struct mplane_quirks *quirks)
{
	quirks->require_kvm = min(defaults.require_kvm, 1u);
	quirks->no_cpu_map = min(defaults.no_cpu_map, 1u);
	quirks->plane_off = min(defaults.plane_off, 2u);
	quirks->first_query_fails = min(defaults.first_query_fails, 1u);
	quirks->pull_only = min(defaults.pull_only, 1u);
	quirks->flips = min(defaults.flips, MPLANE_MAX_FLIPS);
}
