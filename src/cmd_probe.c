/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "probe.h"

/* A driver that does not answer must not hang whoever asks. */
#define TIME_LIMIT_S 10

static void on_alarm(int number)
{
	static const char line[] = "planecast: probe: the driver did not answer in time\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)n;
	(void)number;
	_exit(EXIT_FAILED);
}

static const char *text_of(JsonObject *object, const char *member)
{
	return json_object_get_null_member(object, member)
		       ? "-"
		       : json_object_get_string_member(object, member);
}

static void print_list(JsonObject *report, const char *member, const char *title)
{
	JsonArray *array = json_object_get_array_member(report, member);

	printf("%-10s", title);
	for (guint i = 0; i < json_array_get_length(array); i++)
		printf("%s%s", i ? ", " : "", json_array_get_string_element(array, i));
	puts(json_array_get_length(array) ? "" : "-");
}

static void print_plane(JsonObject *report, const char *member)
{
	JsonObject *plane;

	printf("%-10s", member);
	if (json_object_get_null_member(report, member)) {
		puts("off or none");
		return;
	}
	plane = json_object_get_object_member(report, member);
	printf("%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT " %s %s, stride %" G_GINT64_FORMAT
	       ", read by %s\n",
	       json_object_get_int_member(plane, "width"),
	       json_object_get_int_member(plane, "height"), text_of(plane, "format"),
	       json_object_get_null_member(plane, "layout") ? text_of(plane, "modifier")
							    : text_of(plane, "layout"),
	       json_object_get_int_member(plane, "stride"),
	       json_object_get_null_member(plane, "way") ? "nothing (see evidence)"
							 : text_of(plane, "way"));
}

static void print_edid(JsonObject *report)
{
	JsonObject *edid;

	if (json_object_get_null_member(report, "edid")) {
		puts("edid      none: viewers cannot resize it");
		return;
	}
	edid = json_object_get_object_member(report, "edid");
	printf("edid      up to %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT ", link %s\n",
	       json_object_get_int_member(edid, "max_width"),
	       json_object_get_int_member(edid, "max_height"), text_of(edid, "link"));
}

static void print_owner(JsonObject *report)
{
	JsonObject *owner;

	if (json_object_get_null_member(report, "owner")) {
		printf("owner     none, %s for this\n", text_of(report, "opened"));
		return;
	}
	owner = json_object_get_object_member(report, "owner");
	printf("owner     process %" G_GINT64_FORMAT " (%s), %s\n",
	       json_object_get_int_member(owner, "pid"), text_of(owner, "command"),
	       text_of(report, "opened"));
}

static void print_text(JsonNode *node)
{
	JsonObject *report = json_node_get_object(node);
	JsonArray *evidence = json_object_get_array_member(report, "evidence");

	printf("device    %s\n", text_of(report, "device"));
	printf("display   %s\n", text_of(report, "display"));
	printf("qemu      display=on %s\n",
	       !strcmp(text_of(report, "display"), "none")          ? "has nothing to show"
	       : json_object_get_boolean_member(report, "needs_gl") ? "needs OpenGL"
								    : "works without OpenGL");
	print_owner(report);
	print_list(report, "needed", "needed");
	print_plane(report, "primary");
	print_plane(report, "cursor");
	print_edid(report);
	printf("damage    %s\n", text_of(report, "damage"));
	for (guint i = 0; i < json_array_get_length(evidence); i++)
		printf("evidence  %s\n", json_array_get_string_element(evidence, i));
}

static void print_json(JsonNode *node)
{
	char *text = json_to_string(node, TRUE);

	puts(text);
	g_free(text);
}

/* libvirt's domain form (formatdomain, "Host device assignment"). */
static void print_hostdev(JsonNode *node)
{
	JsonObject *report = json_node_get_object(node);
	const char *name = text_of(report, "name");
	bool display = strcmp(text_of(report, "display"), "none");
	unsigned int domain, bus, slot, function;

	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4) {
		printf("<hostdev mode='subsystem' type='pci' managed='yes'>\n  <source>\n"
		       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
		       "function='0x%x'/>\n  </source>\n</hostdev>\n",
		       domain, bus, slot, function);
		return;
	}
	printf("<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='%s'>\n  <source>\n"
	       "    <address uuid='%s'/>\n  </source>\n</hostdev>\n",
	       display ? "on" : "off", name);
	if (display && json_object_get_boolean_member(report, "needs_gl"))
		puts("<!-- its display needs OpenGL there: -->\n<graphics type='egl-headless'/>");
}

/* libvirt's node device form (formatnode, capability mdev). */
static void print_nodedev(JsonNode *node)
{
	JsonObject *report = json_node_get_object(node);
	const char *name = text_of(report, "name");
	char *link = g_build_filename("/sys/bus/mdev/devices", name, "mdev_type", NULL);
	char *target = g_file_read_link(link, NULL);
	char *type = target ? g_path_get_basename(target) : NULL;
	char *id = g_strdup(name);
	JsonArray *features = json_object_get_array_member(report, "features");

	g_strdelimit(id, "-:.", '_');
	printf("<device>\n  <name>%s_%s</name>\n  <capability type='%s'>\n", type ? "mdev" : "pci",
	       id, type ? "mdev" : "pci");
	if (type)
		printf("    <type id='%s'/>\n    <uuid>%s</uuid>\n", type, name);
	puts("  </capability>");
	for (guint i = 0; i < json_array_get_length(features); i++)
		printf("  <!-- feature: %s -->\n", json_array_get_string_element(features, i));
	puts("</device>");
	g_free(id);
	g_free(type);
	g_free(target);
	g_free(link);
}

struct probe_options {
	gboolean json, nodedev, hostdev;
	char *vm_uuid;
};

static int probe(const char *spec, const struct probe_options *options)
{
	GError *error = NULL;
	JsonNode *report;
	bool display;

	signal(SIGALRM, on_alarm);
	alarm(TIME_LIMIT_S);
	if (probe_device(spec, &report, &error))
		return cmd_report(spec, error);
	alarm(0);
	display = strcmp(text_of(json_node_get_object(report), "display"), "none");
	if (options->json)
		print_json(report);
	else if (options->nodedev)
		print_nodedev(report);
	else if (options->hostdev)
		print_hostdev(report);
	else
		print_text(report);
	json_node_unref(report);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("probe: cannot write to standard output");
		return EXIT_FAILED;
	}
	return display ? EXIT_DONE : EXIT_NO_DISPLAY;
}

int cmd_probe(int argc, char **argv)
{
	struct probe_options options = {0};
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "print JSON", NULL},
		{"nodedev-xml", 0, 0, G_OPTION_ARG_NONE, &options.nodedev,
		 "print libvirt's node device", NULL},
		{"hostdev-xml", 0, 0, G_OPTION_ARG_NONE, &options.hostdev,
		 "print libvirt's hostdev of a domain", NULL},
		{"vm-uuid", 0, 0, G_OPTION_ARG_STRING, &options.vm_uuid,
		 "a machine's UUID on this command line, where NVIDIA's manager is said to look "
		 "for one (unverified)",
		 "UUID"},
		G_OPTION_ENTRY_NULL,
	};
	int ret = cmd_options(
		&argc, &argv, entries, "DEVICE", 1,
		"Says what display a device has, and whether QEMU would need OpenGL for it.",
		"A device that a virtual machine owns is attached for that moment, a free one is\n"
		"opened. Exit code 3: it has no display.\n\n"
		"  planecast probe mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 --json");

	if (!ret && options.json + options.nodedev + options.hostdev > 1) {
		log_error("probe: give one of --json, --nodedev-xml and --hostdev-xml");
		ret = EXIT_USAGE;
	}
	if (!ret && options.vm_uuid && !g_uuid_string_is_valid(options.vm_uuid)) {
		log_error("probe: --vm-uuid \"%s\" is not a UUID", options.vm_uuid);
		ret = EXIT_USAGE;
	}
	if (!ret)
		ret = probe(argv[1], &options);
	g_free(options.vm_uuid);
	return ret;
}
