/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define PCI_DEVICES  "/sys/bus/pci/devices"
#define IOMMU_GROUPS "/sys/kernel/iommu_groups"

static int parse_pid(const char *text, struct device *device, GError **error)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 1, INT_MAX, &value, NULL))
		return fail(error, EXIT_USAGE, EINVAL, "no process id (give pid:NUMBER)");
	device->kind = DEVICE_PID;
	device->pid = (pid_t)value;
	return 0;
}

static int parse_uuid(const char *text, struct device *device, GError **error)
{
	if (!g_uuid_string_is_valid(text))
		return fail(error, EXIT_USAGE, EINVAL,
			    "not a UUID (give mdev:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)");
	device->kind = DEVICE_VFIO;
	device->name = g_ascii_strdown(text, -1);
	return 0;
}

static int parse_pci(const char *text, struct device *device, GError **error)
{
	if (!g_regex_match_simple("^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$", text,
				  G_REGEX_CASELESS, 0))
		return fail(error, EXIT_USAGE, EINVAL, "not a PCI address (give pci:0000:00:02.0)");
	device->kind = DEVICE_VFIO;
	device->name = g_ascii_strdown(text, -1);
	return 0;
}

int device_parse(const char *spec, struct device *device, GError **error)
{
	memset(device, 0, sizeof(*device));
	device->spec = g_strdup(spec);
	if (!strcmp(spec, "sim") || g_str_has_prefix(spec, "sim:")) {
		device->kind = DEVICE_SIM;
		device->options = g_strdup(spec[3] ? spec + 4 : "");
		return 0;
	}
	if (g_str_has_prefix(spec, "mdev:"))
		return parse_uuid(spec + 5, device, error);
	if (g_str_has_prefix(spec, "pci:"))
		return parse_pci(spec + 4, device, error);
	if (g_str_has_prefix(spec, "pid:"))
		return parse_pid(spec + 4, device, error);
	if (g_uuid_string_is_valid(spec))
		return parse_uuid(spec, device, error);
	return fail(error, EXIT_USAGE, EINVAL,
		    "unknown kind of device (give sim[:OPTIONS], mdev:UUID, pci:ADDRESS or "
		    "pid:PID)");
}

void device_finish(struct device *device)
{
	g_free(device->spec);
	g_free(device->options);
	g_free(device->name);
	memset(device, 0, sizeof(*device));
}

/* The number at the end of the link DIRECTORY/NAME/iommu_group; -errno of the link. */
static int read_group(const char *directory, const char *name, unsigned int *group)
{
	char *path = g_build_filename(directory, name, "iommu_group", NULL);
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	int ret = length < 0 ? -errno : 0;
	guint64 value;

	g_free(path);
	if (ret)
		return ret;
	target[length] = '\0';
	if (!strrchr(target, '/') ||
	    !g_ascii_string_to_unsigned(strrchr(target, '/') + 1, 10, 0, UINT_MAX, &value, NULL))
		return -EIO;
	*group = (unsigned int)value;
	return 0;
}

static bool exists(const char *directory, const char *name)
{
	char *path = g_build_filename(directory, name, NULL);
	bool found = !access(path, F_OK);

	g_free(path);
	return found;
}

int device_group(const char *name, unsigned int *group, GError **error)
{
	if (!read_group(MDEV_DEVICES, name, group) || !read_group(PCI_DEVICES, name, group))
		return 0;
	if (exists(MDEV_DEVICES, name) || exists(PCI_DEVICES, name))
		return fail(error, EXIT_FAILED, ENOENT,
			    "in no IOMMU group (bind it to a vfio driver: modprobe vfio_mdev or "
			    "vfio-pci)");
	if (access(MDEV_DEVICES, F_OK))
		return fail(error, EXIT_FAILED, ENOENT,
			    "this host has no mediated devices (modprobe mdev and the device's "
			    "driver)");
	return fail(error, EXIT_FAILED, ENOENT,
		    "no such device (planecast list shows those there are)");
}

GPtrArray *device_group_names(unsigned int group)
{
	char *path = g_strdup_printf(IOMMU_GROUPS "/%u/devices", group);
	GDir *dir = g_dir_open(path, 0, NULL);
	GPtrArray *names;
	const char *entry;

	g_free(path);
	if (!dir)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	while ((entry = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(entry));
	g_dir_close(dir);
	return names;
}
