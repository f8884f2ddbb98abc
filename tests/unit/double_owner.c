/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "double_owner.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "device.h"
#include "double_calls.h"
#include "double_vfio.h"
#include "log.h"
#include "owner.h"
#include "unit.h"

#define OWNER_PID 4242
#define OWNER_FD  17

struct double_owner double_owner;

int __real_eventfd(unsigned int count, int flags);

gint64 __wrap_g_get_monotonic_time(void);
int __wrap_device_nodes(const char *name, struct device_nodes *nodes, GError **error);
int __wrap_owner_find(const char *const *nodes, struct owner *owner);
bool __wrap_owner_holds(const struct owner *owner);
bool __wrap_owner_is_duplicate(const struct owner *owner, int fd);
bool __wrap_owner_may_trace(void);

void double_owner_init(void)
{
	double_owner = (struct double_owner){.exits = __real_eventfd(0, EFD_CLOEXEC),
					     .now = G_USEC_PER_SEC};
	assert_true(double_owner.exits >= 0);
}

void double_owner_finish(void)
{
	close(double_owner.exits);
}

/* The next one, as it were, is a process like the last. */
void double_owner_start(void)
{
	uint64_t count;

	if (double_owner.exited)
		assert_int_equal(read(double_owner.exits, &count, sizeof(count)), sizeof(count));
	double_owner.exited = false;
	double_owner.there = true;
}

void double_owner_exit(void)
{
	uint64_t one = 1;

	double_owner.there = false;
	if (double_owner.exited)
		return;
	double_owner.exited = true;
	assert_int_equal(write(double_owner.exits, &one, sizeof(one)), sizeof(one));
}

int __wrap_device_nodes(const char *name, struct device_nodes *nodes, GError **error)
{
	int errnum = double_call("nodes");

	memset(nodes, 0, sizeof(*nodes));
	assert_string_equal(name, DOUBLE_NAME);
	if (errnum)
		return fail(error, EXIT_FAILED, errnum, "no such device");
	nodes->group = double_owner.without_group ? NULL : g_strdup(DOUBLE_GROUP_NODE);
	nodes->cdev = double_owner.without_cdev ? NULL : g_strdup(DOUBLE_CDEV_NODE);
	return 0;
}

int __wrap_owner_find(const char *const *nodes, struct owner *owner)
{
	const char *node = double_owner.cdev ? DOUBLE_CDEV_NODE : DOUBLE_GROUP_NODE;

	double_call("owner");
	if (!double_owner.there || !g_strv_contains(nodes, node))
		return double_owner.hidden ? -EACCES : -ENOENT;
	*owner = (struct owner){.pid = OWNER_PID, .fd = OWNER_FD};
	g_strlcpy(owner->node, node, sizeof(owner->node));
	return 0;
}

bool __wrap_owner_holds(const struct owner *owner)
{
	assert_int_equal(owner->pid, OWNER_PID);
	return double_owner.there;
}

bool __wrap_owner_is_duplicate(const struct owner *owner, int fd)
{
	enum double_kind kind = double_kind_of(fd);

	assert_true(kind == (owner_has_cdev(owner) ? DOUBLE_DEVICE : DOUBLE_GROUP));
	return !double_owner.swapped;
}

bool __wrap_owner_may_trace(void)
{
	return !double_owner.powerless;
}

gint64 __wrap_g_get_monotonic_time(void)
{
	return double_owner.now;
}

int double_pidfd_open(int pid)
{
	int errnum = double_call("pidfd_open");

	assert_int_equal(pid, OWNER_PID);
	return errnum ? -errnum : double_descriptor(DOUBLE_PIDFD, double_owner.exits);
}

int double_pidfd_getfd(int number)
{
	int errnum = double_call("pidfd_getfd");

	assert_int_equal(number, OWNER_FD);
	if (errnum)
		return -errnum;
	return double_owner.cdev ? double_descriptor(DOUBLE_DEVICE, double_device.memory)
				 : double_descriptor(DOUBLE_GROUP, -1);
}
