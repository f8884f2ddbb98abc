/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "libvirt_xml.h"
#include "log.h"
#include "member.h"
#include "probe.h"

/* A driver that does not answer must not hang whoever asks. */
#define TIME_LIMIT_MS 10000

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
	for (guint i = 0; i < json_array_get_length(evidence); i++) {
		JsonObject *one = json_array_get_object_element(evidence, i);

		printf("evidence  %s: %s\n", text_of(one, "answer"), text_of(one, "seen"));
	}
}

static void print_json(JsonNode *node)
{
	char *text = json_to_string(node, TRUE);

	puts(text);
	g_free(text);
}

static int print_xml(const char *spec, char *xml)
{
	if (!xml) {
		log_error("%s: its name is not known (give mdev:UUID or pci:ADDRESS)", spec);
		return EXIT_FAILED;
	}
	fputs(xml, stdout);
	g_free(xml);
	return EXIT_DONE;
}

struct probe_options {
	gboolean json, nodedev, hostdev;
	char *vm_uuid;
};

static int print(const char *spec, JsonNode *report, const struct probe_options *options)
{
	JsonObject *object = json_node_get_object(report);
	int ret = EXIT_DONE;

	if (options->json)
		print_json(report);
	else if (options->nodedev)
		ret = print_xml(spec, libvirt_xml_nodedev(object));
	else if (options->hostdev)
		ret = print_xml(spec, libvirt_xml_hostdev(object));
	else
		print_text(report);
	if (ret)
		return ret;
	return strcmp(text_of(object, "display"), "none") ? EXIT_DONE : EXIT_NO_DISPLAY;
}

static JsonNode *wrap_failure(const GError *error)
{
	JsonBuilder *json = json_builder_new();
	JsonNode *node;

	json_builder_begin_object(json);
	member_string(json, "failure", error->message);
	member_int(json, "code", error->domain == PLANECAST_ERROR ? error->code : EXIT_FAILED);
	json_builder_end_object(json);
	node = json_builder_get_root(json);
	g_object_unref(json);
	return node;
}

static void write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t n = 0;

	for (; left && n >= 0; text += n, left -= (size_t)n)
		n = write(fd, text, left);
}

/* In the child: the report, or why there is none. The device is closed before it is written. */
static void work(int fd, void *data)
{
	GError *error = NULL;
	JsonNode *node;
	char *text;

	if (probe_device(data, &node, &error))
		node = wrap_failure(error);
	text = json_to_string(node, FALSE);
	write_all(fd, text);
	g_free(text);
	json_node_unref(node);
	g_clear_error(&error);
}

static int probe_apart(const char *spec, JsonNode **report, GError **error)
{
	GString *text;
	int ret = apart_run(work, (void *)spec, TIME_LIMIT_MS, &text);
	JsonObject *object;

	if (ret == -ETIMEDOUT)
		return fail(error, EXIT_FAILED, ETIMEDOUT,
			    "its driver did not answer within %d seconds", TIME_LIMIT_MS / 1000);
	if (ret)
		return fail(error, EXIT_FAILED, -ret, "asking it failed: %s", g_strerror(-ret));
	*report = json_from_string(text->str, NULL);
	g_string_free(text, TRUE);
	if (!*report)
		return fail(error, EXIT_FAILED, EIO, "asking it failed");
	object = json_node_get_object(*report);
	if (!json_object_has_member(object, "failure"))
		return 0;
	ret = fail(error, (enum exit_code)json_object_get_int_member(object, "code"), EIO, "%s",
		   json_object_get_string_member(object, "failure"));
	json_node_unref(*report);
	return ret;
}

static int probe(const char *spec, const struct probe_options *options)
{
	JsonNode *report = NULL;
	GError *error = NULL;
	int ret;

	if (probe_apart(spec, &report, &error))
		return cmd_report(spec, error);
	ret = print(spec, report, options);
	json_node_unref(report);
	return ret;
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
		"opened; neither is reset, nor is a guest disturbed. Exit code 3: no display.\n\n"
		"The JSON: device, name (its UUID or PCI address, or null), display (region, dmabuf,\n"
		"both or none), needs_gl (whether QEMU's display=on needs OpenGL), features\n"
		"(display-region, display-dmabuf), owner (pid, command; or null), opened (attached,\n"
		"opened or inherited), needed (kvm: opening took a KVM machine), primary and cursor\n"
		"(null while off; format, modifier, layout or null, width, height, stride, size, the\n"
		"way to its bytes or null; the cursor's x and y), edid (max_width, max_height,\n"
		"max_size, link; or null), damage (compare or status region), evidence (answer: the\n"
		"member that it is for; seen).\n\n"
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
