// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysfs.h"

#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "device.h"
#include "format.h"
#include "types.h"

static ssize_t pattern_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", pattern_name(READ_ONCE(device->painter.pattern.kind)));
}

static ssize_t pattern_store(struct device *dev, struct device_attribute *attr, const char *buf,
			     size_t count)
{
	unsigned int kind;

	for (kind = 0; kind < PATTERN_KINDS; kind++) {
		if (sysfs_streq(buf, pattern_name(kind)))
			return mplane_painter_set_pattern(dev_get_drvdata(dev), kind) ?: count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_RW(pattern);

static ssize_t rate_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(device->painter.rate));
}

static ssize_t rate_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	unsigned int rate;
	int ret = kstrtouint(buf, 0, &rate);

	return ret ?: mplane_painter_set_rate(dev_get_drvdata(dev), rate) ?: count;
}
static DEVICE_ATTR_RW(rate);

static ssize_t seed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(device->painter.pattern.seed));
}

static ssize_t seed_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	u32 seed;
	int ret = kstrtou32(buf, 0, &seed);

	return ret ?: mplane_painter_set_seed(dev_get_drvdata(dev), seed) ?: count;
}
static DEVICE_ATTR_RW(seed);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);
	u32 width, height;

	mutex_lock(&device->lock);
	width = device->painter.pattern.width;
	height = device->painter.pattern.height;
	mutex_unlock(&device->lock);
	return sysfs_emit(buf, "%ux%u\n", width, height);
}

static ssize_t mode_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	unsigned int width, height;
	int end = 0;

	if (sscanf(buf, "%5ux%5u%n", &width, &height, &end) != 2 || !sysfs_streq(buf + end, ""))
		return -EINVAL;
	return mplane_painter_set_mode(dev_get_drvdata(dev), width, height) ?: count;
}
static DEVICE_ATTR_RW(mode);

static ssize_t frame_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);
	u64 frame;

	mutex_lock(&device->lock);
	frame = device->painter.frame;
	mutex_unlock(&device->lock);
	return sysfs_emit(buf, "%llu\n", frame);
}

static ssize_t frame_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	u64 frame;
	int ret = kstrtou64(buf, 0, &frame);

	return ret ?: mplane_painter_set_frame(dev_get_drvdata(dev), frame) ?: count;
}
static DEVICE_ATTR_RW(frame);

static ssize_t format_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", READ_ONCE(device->painter.format)->name);
}

static ssize_t format_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	unsigned int i;

	for (i = 0; i < mplane_formats_count; i++) {
		if (sysfs_streq(buf, mplane_formats[i].name))
			return mplane_painter_set_format(dev_get_drvdata(dev), &mplane_formats[i])
				       ?: count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_RW(format);

static ssize_t cursor_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(device->cursor.on));
}

static ssize_t cursor_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct mplane_device *device = dev_get_drvdata(dev);
	bool on;
	int ret = kstrtobool(buf, &on);

	if (ret)
		return ret;
	mutex_lock(&device->lock);
	mplane_cursor_set(device, on);
	mutex_unlock(&device->lock);
	return count;
}
static DEVICE_ATTR_RW(cursor);

static ssize_t display_region_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", device->type->transport == MPLANE_REGION);
}
static DEVICE_ATTR_RO(display_region);

static ssize_t display_dmabuf_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mplane_device *device = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", device->type->transport == MPLANE_DMABUF);
}
static DEVICE_ATTR_RO(display_dmabuf);

static struct attribute *mplane_attrs[] = {
	&dev_attr_pattern.attr,        &dev_attr_rate.attr,
	&dev_attr_seed.attr,           &dev_attr_mode.attr,
	&dev_attr_format.attr,         &dev_attr_frame.attr,
	&dev_attr_cursor.attr,         &dev_attr_display_region.attr,
	&dev_attr_display_dmabuf.attr, NULL,
};

static const struct attribute_group mplane_group = {
	.attrs = mplane_attrs,
};

const struct attribute_group *mplane_groups[] = {&mplane_group, &mplane_quirks_group, NULL};
