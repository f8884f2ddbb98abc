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

static void add_owner(JsonBuilder *json, const char *name, GArray *owners)
{
	unsigned int group;

	json_builder_set_member_name(json, "owner");
	for (guint i = 0; !device_group(name, &group, NULL) && i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);
		char *command;

		if (owner->group != group)
			continue;
		command = owner_command(owner);
		json_builder_begin_object(json);
		json_builder_set_member_name(json, "pid");
		json_builder_add_int_value(json, owner->pid);
		json_builder_set_member_name(json, "command");
		json_builder_add_string_value(json, command);
		json_builder_end_object(json);
		g_free(command);
		return;
	}
	json_builder_add_null_value(json);
}

static void add_devices(JsonBuilder *json)
{
	GPtrArray *devices = entries(MDEV_DEVICES);
	GArray *owners = devices->len ? owner_all() : g_array_new(FALSE, FALSE, 1);

	json_builder_set_member_name(json, "devices");
	json_builder_begin_array(json);
	for (guint i = 0; i < devices->len; i++) {
		const char *uuid = g_ptr_array_index(devices, i);
		char *link = g_build_filename(MDEV_DEVICES, uuid, "mdev_type", NULL);
		char *target = g_file_read_link(link, NULL);
		char *type = g_path_get_basename(target ? target : "unknown");
		char *spec = g_strdup_printf("mdev:%s", uuid);

		json_builder_begin_object(json);
		json_builder_set_member_name(json, "device");
		json_builder_add_string_value(json, spec);
		json_builder_set_member_name(json, "type");
		json_builder_add_string_value(json, type);
		add_owner(json, uuid, owners);
		json_builder_end_object(json);
		g_free(spec);
		g_free(type);
		g_free(target);
		g_free(link);
	}
	json_builder_end_array(json);
	g_array_unref(owners);
	g_ptr_array_unref(devices);
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
		"description, available) and \"devices\" (device, type, owner: pid and\n"
		"command, or null).");

	if (ret)
		return ret;
	root = gather();
	if (json)
		print_json(root);
	else
		print_tables(root);
	json_node_unref(root);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("list: cannot write to standard output");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
