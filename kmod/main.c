// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading and unloading: one parent device, /sys/devices/virtual/mplane/mplane. */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>

#include "device.h"
#include "memory.h"
#include "types.h"

static struct class mplane_class = {
	.name = "mplane",
};

static struct device *mplane_dev;
static struct mdev_parent mplane_parent;

static int __init mplane_init(void)
{
	int ret;

	ret = mplane_types_check();
	if (ret)
		return ret;
	ret = class_register(&mplane_class);
	if (ret)
		return ret;
	ret = mdev_register_driver(&mplane_driver);
	if (ret)
		goto err_class;
	mplane_dev = device_create(&mplane_class, NULL, MKDEV(0, 0), NULL, "mplane");
	if (IS_ERR(mplane_dev)) {
		ret = PTR_ERR(mplane_dev);
		goto err_driver;
	}
	ret = mdev_register_parent(&mplane_parent, mplane_dev, &mplane_driver, mplane_types,
				   mplane_types_count);
	if (ret)
		goto err_device;
	return 0;

err_device:
	device_unregister(mplane_dev);
err_driver:
	mdev_unregister_driver(&mplane_driver);
err_class:
	class_unregister(&mplane_class);
	return ret;
}

static void __exit mplane_exit(void)
{
	mdev_unregister_parent(&mplane_parent);
	device_unregister(mplane_dev);
	mdev_unregister_driver(&mplane_driver);
	class_unregister(&mplane_class);
	mplane_budget_check();
	mplane_memory_check();
}

module_init(mplane_init);
module_exit(mplane_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated display device whose planes user space can read");
MODULE_VERSION("0.1.0");
