/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "owner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODE_PREFIX "/dev/vfio/"
#define CONTAINER   "/dev/vfio/vfio"

/* The vfio node that a /proc/PID/fd link is an open descriptor of, the container apart. */
static bool link_node(const char *path, char node[48])
{
	char target[48];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length <= 0 || length == sizeof(target) - 1)
		return false;
	target[length] = '\0';
	if (!g_str_has_prefix(target, NODE_PREFIX) || !strcmp(target, CONTAINER))
		return false;
	memcpy(node, target, sizeof(target));
	return true;
}

int owner_of_process(pid_t pid, GArray **out)
{
	char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
	GError *error = NULL;
	GDir *dir = g_dir_open(path, 0, &error);
	GArray *owners;
	const char *entry;

	g_free(path);
	if (!dir) {
		int ret = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
					  g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PERM)
				  ? -EACCES
				  : -ESRCH;

		g_error_free(error);
		return ret;
	}
	owners = g_array_new(FALSE, TRUE, sizeof(struct owner));
	while ((entry = g_dir_read_name(dir))) {
		struct owner owner = {.pid = pid, .fd = atoi(entry)};
		char name[64];

		g_snprintf(name, sizeof(name), "/proc/%d/fd/%s", (int)pid, entry);
		if (link_node(name, owner.node))
			g_array_append_val(owners, owner);
	}
	g_dir_close(dir);
	*out = owners;
	return 0;
}

/* Calls each() for every process but this one until it returns false; whether some were hidden. */
static bool each_process(bool (*each)(GArray *owners, void *data), void *data)
{
	GDir *dir = g_dir_open("/proc", 0, NULL);
	bool hidden = false, more = true;
	const char *entry;

	while (more && dir && (entry = g_dir_read_name(dir))) {
		GArray *owners;
		guint64 pid;
		int ret;

		if (!g_ascii_string_to_unsigned(entry, 10, 1, INT_MAX, &pid, NULL) ||
		    (pid_t)pid == getpid())
			continue;
		ret = owner_of_process((pid_t)pid, &owners);
		hidden |= ret == -EACCES;
		if (ret)
			continue;
		more = each(owners, data);
		g_array_unref(owners);
	}
	if (dir)
		g_dir_close(dir);
	return hidden;
}

struct search {
	const char *const *nodes;
	struct owner *found;
	bool done;
};

static bool match(GArray *owners, void *data)
{
	struct search *search = data;

	for (guint i = 0; i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);

		if (g_strv_contains(search->nodes, owner->node)) {
			*search->found = *owner;
			search->done = true;
			return false;
		}
	}
	return true;
}

int owner_find(const char *const *nodes, struct owner *owner)
{
	struct search search = {.nodes = nodes, .found = owner};
	bool hidden = each_process(match, &search);

	if (search.done)
		return 0;
	return hidden ? -EACCES : -ENOENT;
}

static bool collect(GArray *owners, void *data)
{
	g_array_append_vals(data, owners->data, owners->len);
	return true;
}

GArray *owner_all(void)
{
	GArray *all = g_array_new(FALSE, TRUE, sizeof(struct owner));

	each_process(collect, all);
	return all;
}

bool owner_holds(const struct owner *owner)
{
	char name[64], node[48];

	g_snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)owner->pid, owner->fd);
	return link_node(name, node) && !strcmp(node, owner->node);
}

bool owner_has_cdev(const struct owner *owner)
{
	return g_str_has_prefix(owner->node, NODE_PREFIX "devices/");
}

char *owner_command(const struct owner *owner)
{
	char *path = g_strdup_printf("/proc/%d/comm", (int)owner->pid);
	char *text = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL))
		g_strchomp(text);
	else
		text = g_strdup("?");
	g_free(path);
	return text;
}
