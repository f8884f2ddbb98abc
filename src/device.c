/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define PCI_DEVICES  "/sys/bus/pci/devices"
#define IOMMU_GROUPS "/sys/kernel/iommu_groups"
#define CDEV_CLASS   "/sys/class/vfio-dev"
#define GROUP_CLASS  "/sys/class/vfio"
#define VFIO_NODES   "/dev/vfio"

/*
 * Whether a process's arguments give it that name, as in "-name guest=NAME,debug-threads=on" or
 * "-name NAME" (QEMU's qemu-options.hx; libvirt gives every machine one).
 */
static bool has_name(char **arguments, const char *name)
{
	for (char **argument = arguments; *argument; argument++) {
		bool found = false;
		char **parts;

		if (strcmp(*argument, "-name") && strcmp(*argument, "--name"))
			continue;
		if (!argument[1])
			return false;
		parts = g_strsplit(argument[1], ",", -1);
		for (char **part = parts; *part && !found; part++)
			found = g_str_has_prefix(*part, "guest=")
					? !strcmp(*part + 6, name)
					: part == parts && !strcmp(*part, name);
		g_strfreev(parts);
		return found;
	}
	return false;
}

static char **process_arguments(const char *pid)
{
	char *path = g_build_filename("/proc", pid, "cmdline", NULL);
	GPtrArray *arguments = g_ptr_array_new();
	char *text = NULL;
	gsize length = 0;

	if (g_file_get_contents(path, &text, &length, NULL))
		for (gsize i = 0; i < length; i += strlen(text + i) + 1)
			g_ptr_array_add(arguments, g_strdup(text + i));
	g_ptr_array_add(arguments, NULL);
	g_free(text);
	g_free(path);
	return (char **)g_ptr_array_free(arguments, FALSE);
}

/* The QEMU of that name, 0 if there is none. */
static pid_t process_of_vm(const char *name)
{
	GDir *dir = g_dir_open("/proc", 0, NULL);
	const char *entry;
	pid_t found = 0;

	while (!found && dir && (entry = g_dir_read_name(dir))) {
		char **arguments;
		guint64 pid;

		if (!g_ascii_string_to_unsigned(entry, 10, 1, INT_MAX, &pid, NULL) ||
		    (pid_t)pid == getpid())
			continue;
		arguments = process_arguments(entry);
		if (has_name(arguments, name))
			found = (pid_t)pid;
		g_strfreev(arguments);
	}
	if (dir)
		g_dir_close(dir);
	return found;
}

static bool exists(const char *directory, const char *name)
{
	char *path = g_build_filename(directory, name, NULL);
	bool found = !access(path, F_OK);

	g_free(path);
	return found;
}

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

/* A device node names its device, so that its owner can be found in the same way. */
static int parse_cdev(const char *text, struct device *device, GError **error)
{
	GPtrArray *names;

	if (!g_regex_match_simple("^/dev/vfio/devices/vfio[0-9]{1,9}$", text, 0, 0))
		return fail(error, EXIT_USAGE, EINVAL,
			    "not a vfio device node (give cdev:/dev/vfio/devices/vfioN)");
	names = device_names_of_node(text);
	if (names->len == 1) {
		device->kind = DEVICE_VFIO;
		device->name = g_strdup(g_ptr_array_index(names, 0));
	}
	g_ptr_array_unref(names);
	return device->name ? 0
			    : fail(error, EXIT_FAILED, ENOENT,
				   "no such device node (linux 6.6 and later have them)");
}

/* A path of sysfs ends in the device's name; links like those of /sys/bus are followed. */
static int parse_path(const char *text, struct device *device, GError **error)
{
	char *real = realpath(text, NULL);
	char *name;

	if (!real)
		return fail(error, EXIT_FAILED, ENOENT, "no such path: %s", g_strerror(errno));
	name = g_path_get_basename(real);
	if (!g_str_has_prefix(real, "/sys/devices/") ||
	    (!exists(MDEV_DEVICES, name) && !exists(PCI_DEVICES, name))) {
		g_free(name);
		free(real);
		return fail(
			error, EXIT_USAGE, EINVAL,
			"not a mediated or PCI device of sysfs (give /sys/bus/mdev/devices/UUID "
			"or /sys/bus/pci/devices/ADDRESS)");
	}
	free(real);
	device->kind = DEVICE_VFIO;
	device->name = name;
	return 0;
}

static int parse_fd(const char *text, struct device *device, GError **error)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 3, INT_MAX, &value, NULL))
		return fail(error, EXIT_USAGE, EINVAL,
			    "no descriptor's number (give fd:N, 3 or above)");
	device->kind = DEVICE_FD;
	device->fd = (int)value;
	return 0;
}

static int parse_vm(const char *text, struct device *device, GError **error)
{
	if (!*text)
		return fail(error, EXIT_USAGE, EINVAL, "no machine's name (give vm:NAME)");
	device->kind = DEVICE_PID;
	device->pid = process_of_vm(text);
	if (device->pid)
		return 0;
	return fail(error, EXIT_FAILED, ESRCH,
		    "no QEMU of that name is running (virsh list shows libvirt's)");
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
	if (g_str_has_prefix(spec, "replay:")) {
		device->kind = DEVICE_REPLAY;
		device->options = g_strdup(spec + 7);
		return 0;
	}
	if (g_str_has_prefix(spec, "mdev:"))
		return parse_uuid(spec + 5, device, error);
	if (g_str_has_prefix(spec, "pci:"))
		return parse_pci(spec + 4, device, error);
	if (g_str_has_prefix(spec, "pid:"))
		return parse_pid(spec + 4, device, error);
	if (g_str_has_prefix(spec, "vm:"))
		return parse_vm(spec + 3, device, error);
	if (g_str_has_prefix(spec, "cdev:"))
		return parse_cdev(spec + 5, device, error);
	if (g_str_has_prefix(spec, "fd:"))
		return parse_fd(spec + 3, device, error);
	if (g_str_has_prefix(spec, "/"))
		return parse_path(spec, device, error);
	if (g_uuid_string_is_valid(spec))
		return parse_uuid(spec, device, error);
	return fail(error, EXIT_USAGE, EINVAL,
		    "unknown kind of device (give sim[:OPTIONS], mdev:UUID, pci:ADDRESS, pid:PID, "
		    "vm:NAME, cdev:NODE, fd:N, replay:FILE or a path in /sys)");
}

void device_finish(struct device *device)
{
	g_free(device->spec);
	g_free(device->options);
	g_free(device->name);
	memset(device, 0, sizeof(*device));
}

/* The last part of the link DIRECTORY/NAME/LINK, for g_free(); NULL without it. */
static char *read_link_name(const char *directory, const char *name, const char *link)
{
	char *path = g_build_filename(directory, name, link, NULL);
	char *target = g_file_read_link(path, NULL);
	char *last = target ? g_path_get_basename(target) : NULL;

	g_free(target);
	g_free(path);
	return last;
}

/* The one entry of DIRECTORY/NAME/vfio-dev, for g_free(); NULL without it. */
static char *read_cdev_name(const char *directory, const char *name)
{
	char *path = g_build_filename(directory, name, "vfio-dev", NULL);
	GDir *dir = g_dir_open(path, 0, NULL);
	char *entry = dir ? g_strdup(g_dir_read_name(dir)) : NULL;

	if (dir)
		g_dir_close(dir);
	g_free(path);
	return entry;
}

/* The node DIRECTORY/NAME, if vfio has it; frees the name. It may not be in this container. */
static char *node_of(const char *class, const char *directory, char *name)
{
	char *node = name && exists(class, name) ? g_build_filename(directory, name, NULL) : NULL;

	g_free(name);
	return node;
}

int device_nodes(const char *name, struct device_nodes *nodes, GError **error)
{
	const char *bus = exists(MDEV_DEVICES, name) ? MDEV_DEVICES : PCI_DEVICES;

	memset(nodes, 0, sizeof(*nodes));
	if (!exists(bus, name))
		return access(MDEV_DEVICES, F_OK)
			       ? fail(error, EXIT_FAILED, ENOENT,
				      "no such device, and this host has no mediated devices "
				      "(modprobe mdev and the device's driver)")
			       : fail(error, EXIT_FAILED, ENOENT,
				      "no such device (planecast list shows those there are)");
	nodes->group = node_of(GROUP_CLASS, VFIO_NODES, read_link_name(bus, name, "iommu_group"));
	nodes->cdev = node_of(CDEV_CLASS, VFIO_NODES "/devices", read_cdev_name(bus, name));
	if (nodes->group || nodes->cdev)
		return 0;
	return fail(error, EXIT_FAILED, ENOENT,
		    "vfio does not have it (bind it to its vfio driver: modprobe "
		    "vfio_iommu_type1, and vfio_mdev or vfio-pci)");
}

void device_nodes_finish(struct device_nodes *nodes)
{
	g_free(nodes->group);
	g_free(nodes->cdev);
	memset(nodes, 0, sizeof(*nodes));
}

GPtrArray *device_names_of_node(const char *node)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	char *last = g_path_get_basename(node);
	char *path = g_build_filename(IOMMU_GROUPS, last, "devices", NULL);
	char *name = read_link_name(CDEV_CLASS, last, "device");
	GDir *dir = name ? NULL : g_dir_open(path, 0, NULL);
	const char *entry;

	if (name)
		g_ptr_array_add(names, name);
	while (dir && (entry = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(entry));
	if (dir)
		g_dir_close(dir);
	g_free(path);
	g_free(last);
	return names;
}
