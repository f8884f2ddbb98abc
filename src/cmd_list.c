/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "log.h"
#include "owner.h"

#define MDEV_PARENTS "/sys/class/mdev_bus"
#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define PCI_DEVICES  "/sys/bus/pci/devices"

/* An attribute of one line, "" where there is none; for g_free(). */
static char *read_attribute(const char *directory, const char *name)
{
	char *path = g_build_filename(directory, name, NULL);
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		text = g_strdup("");
	g_free(path);
	g_strdelimit(g_strchomp(text), "\r\n\t", ' ');
	return text;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a directory in order, none if there is no such directory. */
static GPtrArray *entries(const char *path)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static void add_attribute(JsonBuilder *json, const char *member, const char *directory,
			  const char *name)
{
	char *value = read_attribute(directory, name);

	json_builder_set_member_name(json, member);
	json_builder_add_string_value(json, value);
	g_free(value);
}

static void add_type(JsonBuilder *json, const char *parent, const char *type)
{
	char *path = g_build_filename(MDEV_PARENTS, parent, "mdev_supported_types", type, NULL);
	char *available = read_attribute(path, "available_instances");

	json_builder_begin_object(json);
	json_builder_set_member_name(json, "parent");
	json_builder_add_string_value(json, parent);
	json_builder_set_member_name(json, "type");
	json_builder_add_string_value(json, type);
	add_attribute(json, "name", path, "name");
	add_attribute(json, "description", path, "description");
	json_builder_set_member_name(json, "available");
	json_builder_add_int_value(json, g_ascii_strtoll(available, NULL, 10));
	json_builder_end_object(json);
	g_free(available);
	g_free(path);
}

static void add_types(JsonBuilder *json)
{
	GPtrArray *parents = entries(MDEV_PARENTS);

	json_builder_set_member_name(json, "types");
	json_builder_begin_array(json);
	for (guint i = 0; i < parents->len; i++) {
		const char *parent = g_ptr_array_index(parents, i);
		char *path = g_build_filename(MDEV_PARENTS, parent, "mdev_supported_types", NULL);
		GPtrArray *types = entries(path);

		for (guint j = 0; j < types->len; j++)
			add_type(json, parent, g_ptr_array_index(types, j));
		g_ptr_array_unref(types);
		g_free(path);
	}
	json_builder_end_array(json);
	g_ptr_array_unref(parents);
}

static void add_string(JsonBuilder *json, const char *member, const char *value)
{
	json_builder_set_member_name(json, member);
	if (value)
		json_builder_add_string_value(json, value);
	else
		json_builder_add_null_value(json);
}

static void add_owner(JsonBuilder *json, const char *name, GArray *owners)
{
	struct device_nodes nodes;

	json_builder_set_member_name(json, "owner");
	for (guint i = 0; !device_nodes(name, &nodes, NULL) && i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);
		bool found = !g_strcmp0(owner->node, nodes.group) ||
			     !g_strcmp0(owner->node, nodes.cdev);
		char *command;

		device_nodes_finish(&nodes);
		if (!found)
			continue;
		command = owner_command(owner);
		json_builder_begin_object(json);
		json_builder_set_member_name(json, "pid");
		json_builder_add_int_value(json, owner->pid);
		add_string(json, "command", command);
		json_builder_end_object(json);
		g_free(command);
		return;
	}
	json_builder_add_null_value(json);
}

/* What the device's own files say it can show, as mplane has them: null where there are none. */
static void add_features(JsonBuilder *json, const char *directory)
{
	static const char *const features[][2] = {{"display_region", "display-region"},
						  {"display_dmabuf", "display-dmabuf"}};
	bool known = false;

	for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
		char *value = read_attribute(directory, features[i][0]);

		known |= *value != '\0';
		g_free(value);
	}
	json_builder_set_member_name(json, "features");
	if (!known) {
		json_builder_add_null_value(json);
		return;
	}
	json_builder_begin_array(json);
	for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
		char *value = read_attribute(directory, features[i][0]);

		if (!strcmp(value, "1"))
			json_builder_add_string_value(json, features[i][1]);
		g_free(value);
	}
	json_builder_end_array(json);
}

static void add_device(JsonBuilder *json, const char *kind, const char *bus, const char *name,
		       const char *type_link, GArray *owners)
{
	char *directory = g_build_filename(bus, name, NULL);
	char *link = g_build_filename(directory, type_link, NULL);
	char *target = g_file_read_link(link, NULL);
	char *type = target ? g_path_get_basename(target) : NULL;
	char *spec = g_strdup_printf("%s:%s", kind, name);

	json_builder_begin_object(json);
	add_string(json, "device", spec);
	add_string(json, "type", type ? type : "unknown");
	add_features(json, directory);
	add_owner(json, name, owners);
	json_builder_end_object(json);
	g_free(spec);
	g_free(type);
	g_free(target);
	g_free(link);
	g_free(directory);
}

/* A display controller (class 0x03) that vfio has: bound to vfio-pci or a vendor's vfio driver. */
static bool is_vfio_display(const char *name)
{
	char *directory = g_build_filename(PCI_DEVICES, name, NULL);
	char *class = read_attribute(directory, "class");
	char *vfio = g_build_filename(directory, "vfio-dev", NULL);
	char *link = g_build_filename(directory, "driver", NULL);
	char *driver = g_file_read_link(link, NULL);
	bool found = g_str_has_prefix(class, "0x03") &&
		     (g_file_test(vfio, G_FILE_TEST_IS_DIR) ||
		      (driver &&
		       strstr(strrchr(driver, '/') ? strrchr(driver, '/') : driver, "vfio")));

	g_free(driver);
	g_free(link);
	g_free(vfio);
	g_free(class);
	g_free(directory);
	return found;
}

static void add_devices(JsonBuilder *json)
{
	GPtrArray *mdevs = entries(MDEV_DEVICES), *pci = entries(PCI_DEVICES);
	GArray *owners = owner_all();

	json_builder_set_member_name(json, "devices");
	json_builder_begin_array(json);
	for (guint i = 0; i < mdevs->len; i++)
		add_device(json, "mdev", MDEV_DEVICES, g_ptr_array_index(mdevs, i), "mdev_type",
			   owners);
	for (guint i = 0; i < pci->len; i++)
		if (is_vfio_display(g_ptr_array_index(pci, i)))
			add_device(json, "pci", PCI_DEVICES, g_ptr_array_index(pci, i), "driver",
				   owners);
	json_builder_end_array(json);
	g_array_unref(owners);
	g_ptr_array_unref(pci);
	g_ptr_array_unref(mdevs);
}

static JsonNode *gather(void)
{
	JsonBuilder *json = json_builder_new();
	JsonNode *root;

	json_builder_begin_object(json);
	add_types(json);
	add_devices(json);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	g_object_unref(json);
	return root;
}

static void print_json(JsonNode *root)
{
	char *text = json_to_string(root, TRUE);

	puts(text);
	g_free(text);
}

static void print_types(JsonArray *types)
{
	printf("%-24s %-16s %9s  %s\n", "TYPE", "PARENT", "AVAILABLE", "DESCRIPTION");
	for (guint i = 0; i < json_array_get_length(types); i++) {
		JsonObject *type = json_array_get_object_element(types, i);
		const char *text = json_object_get_string_member(type, "description");

		printf("%-24s %-16s %9" G_GINT64_FORMAT "  %s\n",
		       json_object_get_string_member(type, "type"),
		       json_object_get_string_member(type, "parent"),
		       json_object_get_int_member(type, "available"),
		       *text ? text : json_object_get_string_member(type, "name"));
	}
}

static void print_devices(JsonArray *devices)
{
	printf("%-41s  %-24s %s\n", "DEVICE", "TYPE", "OWNER");
	for (guint i = 0; i < json_array_get_length(devices); i++) {
		JsonObject *device = json_array_get_object_element(devices, i);

		printf("%-41s  %-24s ", json_object_get_string_member(device, "device"),
		       json_object_get_string_member(device, "type"));
		if (json_object_get_null_member(device, "owner")) {
			puts("-");
		} else {
			JsonObject *owner = json_object_get_object_member(device, "owner");

			printf("%" G_GINT64_FORMAT " %s\n",
			       json_object_get_int_member(owner, "pid"),
			       json_object_get_string_member(owner, "command"));
		}
	}
}

static void print_tables(JsonNode *root)
{
	JsonObject *all = json_node_get_object(root);
	JsonArray *types = json_object_get_array_member(all, "types");
	JsonArray *devices = json_object_get_array_member(all, "devices");

	if (!json_array_get_length(types) && !json_array_get_length(devices)) {
		puts("This host has no mediated devices. sim: works everywhere.");
		return;
	}
	print_types(types);
	putchar('\n');
	print_devices(devices);
}

int cmd_list(int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry options[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	JsonNode *root;
	int ret = cmd_options(
		&argc, &argv, options, NULL, 0,
		"Lists mediated device types, devices and their owners.",
		"Nothing is opened. The JSON has \"types\" (parent, type, name,\n"
		"description, available) and \"devices\" (device, type, features or null,\n"
		"command, or null).");

	if (ret)
		return ret;
	root = gather();
	if (json)
		print_json(root);
	else
		print_tables(root);
	json_node_unref(root);
	return EXIT_DONE;
}
