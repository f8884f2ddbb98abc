/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "frame.h"
#include "heap.h"
#include "member.h"
#include "privileges.h"

/* What /proc says of this process's memory, in bytes; 0 where it says nothing. */
static void read_memory(gint64 *rss, gint64 *private)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[128], name[32];
	long long kib;

	*rss = *private = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %lld kB", name, &kib) != 2)
			continue;
		if (!strcmp(name, "Rss:"))
			*rss = kib * 1024;
		else if (!strcmp(name, "Private_Clean:") || !strcmp(name, "Private_Dirty:"))
			*private += kib * 1024;
	}
	if (file)
		fclose(file);
}

static void describe_memory(JsonBuilder *json)
{
	gint64 rss, private;
	unsigned int frames;
	size_t bytes, used, held;

	read_memory(&rss, &private);
	frame_held(&frames, &bytes);
	heap_count(&used, &held);
	member_object(json, "memory");
	member_int(json, "rss_bytes", rss);
	member_int(json, "private_bytes", private);
	member_int(json, "frames", frames);
	member_int(json, "frame_bytes", (gint64)bytes);
	member_int(json, "heap_bytes", (gint64)used);
	member_int(json, "heap_held_bytes", (gint64)held);
	json_builder_end_object(json);
}

/* What is in force, as the kernel has it where it can be asked. */
static void describe_sandbox(const struct status *status, JsonBuilder *json)
{
	char *user = privileges_user();

	member_object(json, "sandbox");
	member_string(json, "user", user);
	member_bool(json, "capabilities", privileges_any());
	member_bool(json, "no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	member_bool(json, "calls", status->calls);
	member_int(json, "landlock", status->landlock);
	json_builder_end_object(json);
	g_free(user);
}

static void describe_input(const struct status *status, JsonBuilder *json)
{
	member_object(json, "input");
	member_string(json, "to", status->input);
	member_array(json, "nodes");
	for (const char *const *node = status->input_nodes; node && *node; node++)
		json_builder_add_string_value(json, *node);
	json_builder_end_array(json);
	json_builder_end_object(json);
}

static const char *agent_state(const struct status *status)
{
	if (!status->agent || !*status->agent)
		return "none";
	return guest_agent_is_there(*status->agent) ? "present" : "absent";
}

JsonNode *status_node(const struct status *status)
{
	JsonBuilder *json = json_builder_new();
	JsonNode *root;

	json_builder_begin_object(json);
	member_string(json, "version", PLANECAST_VERSION);
	member_int(json, "pid", getpid());
	member_string(json, "device", status->device);
	member_int(json, "uptime_ms", (g_get_monotonic_time() - status->started_us) / 1000);
	screen_describe(status->screen, json);
	describe_memory(json);
	describe_sandbox(status, json);
	member_string(json, "vdagent", agent_state(status));
	describe_input(status, json);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	g_object_unref(json);
	return root;
}

char *status_text(const struct status *status)
{
	JsonNode *root = status_node(status);
	char *text = json_to_string(root, FALSE);
	char *line = g_strconcat(text, "\n", NULL);

	g_free(text);
	json_node_unref(root);
	return line;
}
