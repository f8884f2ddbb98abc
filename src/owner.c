/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "owner.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODE_PREFIX "/dev/vfio/"
#define CONTAINER   "/dev/vfio/vfio"
#define IOMMUFD     "/dev/iommu"

/* The first PID namespace: PROC_PID_INIT_INO of linux include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

/* What a /proc/PID/fd link leads to, if it is no longer than a vfio node's name. */
static bool read_link(const char *path, char target[48])
{
	ssize_t length = readlink(path, target, 47);

	if (length <= 0 || length == 47)
		return false;
	target[length] = '\0';
	return true;
}

/* A device's or a group's node; the container is neither. */
static bool is_node(const char *target)
{
	return g_str_has_prefix(target, NODE_PREFIX) && strcmp(target, CONTAINER) != 0;
}

/* Without an iommufd no node of a device is bound: those are of one who attached, or just looks. */
static void drop_unbound(GArray *owners)
{
	for (guint i = owners->len; i > 0; i--)
		if (owner_has_cdev(&g_array_index(owners, struct owner, i - 1)))
			g_array_remove_index(owners, i - 1);
}

int owner_of_process(pid_t pid, GArray **out)
{
	char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
	GError *error = NULL;
	GDir *dir = g_dir_open(path, 0, &error);
	GArray *owners;
	const char *entry;
	bool bound = false;

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
		if (!read_link(name, owner.node))
			continue;
		bound |= !strcmp(owner.node, IOMMUFD);
		if (is_node(owner.node))
			g_array_append_val(owners, owner);
	}
	g_dir_close(dir);
	if (!bound)
		drop_unbound(owners);
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

bool owner_is_confined(void)
{
	char target[48];

	return read_link("/proc/self/ns/pid", target) && strcmp(target, FIRST_PID_NAMESPACE) != 0;
}

bool owner_may_trace(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return !syscall(SYS_capget, &header, data) && data[0].effective & 1u << CAP_SYS_PTRACE;
}

static bool leads_to(int pid, int fd, const char *node)
{
	char name[64], target[48];

	g_snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, fd);
	return read_link(name, target) && !strcmp(target, node);
}

bool owner_holds(const struct owner *owner)
{
	return leads_to((int)owner->pid, owner->fd, owner->node);
}

bool owner_is_duplicate(const struct owner *owner, int fd)
{
	return leads_to((int)getpid(), fd, owner->node);
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
	for (char *c = text; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	g_free(path);
	return text;
}
