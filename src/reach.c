/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reach.h"

#include <errno.h>
#include <string.h>

#include "broker.h"
#include "log.h"

/* A found owner that has gone before it could be attached to is looked for again, so often. */
#define ATTACH_TRIES 3

int reach_init(struct reach *reach, const char *name, unsigned int policy, GError **error)
{
	*reach = (struct reach){
		.name = g_strdup(name),
		.policy = policy & ~(unsigned int)SOURCE_VFIO_APART,
	};
	return policy & SOURCE_VFIO_APART ? broker_start(reach, &reach->broker, error) : 0;
}

void reach_finish(struct reach *reach)
{
	broker_stop(reach->broker);
	g_free(reach->name);
	memset(reach, 0, sizeof(*reach));
}

static int find_owner(const struct reach *reach, const struct device_nodes *nodes,
		      struct owner *owner)
{
	const char *wanted[] = {nodes->group ? nodes->group : nodes->cdev, nodes->cdev, NULL};

	*owner = reach->owner;
	if (owner->pid && g_strv_contains(wanted, owner->node) && owner_holds(owner))
		return 0;
	return owner_find(wanted, owner);
}

static int attach_or_open(struct reach *reach, const struct device_nodes *nodes, struct vfio *vfio,
			  GError **error)
{
	struct owner owner;
	int ret = -ENOENT;

	for (int tries = 0; tries < ATTACH_TRIES; tries++) {
		ret = find_owner(reach, nodes, &owner);
		if (ret)
			break;
		ret = vfio_attach(reach->name, &owner, vfio, error);
		reach->owner = owner;
		if (ret != -ESRCH)
			return ret;
		reach->owner.pid = 0;
		g_clear_error(error);
	}
	if (reach->policy == SOURCE_VFIO_ATTACH_OPEN)
		return vfio_open(reach->name, nodes, vfio, error);
	if (ret == -EACCES)
		return fail(error, EXIT_REFUSED, EACCES,
			    "no owner that this user can see (run as root, or with "
			    "CAP_SYS_PTRACE)");
	return fail(error, EXIT_REFUSED, ENODEV, "waiting for a machine that uses it%s",
		    owner_is_confined() ? " (one outside of this container cannot be seen: share "
					  "the host's PID namespace)"
					: "");
}

int reach_device(struct reach *reach, struct vfio *vfio, GError **error)
{
	struct device_nodes nodes;
	int ret;

	if (reach->broker)
		return broker_reach(reach->broker, vfio, error);
	ret = device_nodes(reach->name, &nodes, error);
	if (!ret)
		ret = attach_or_open(reach, &nodes, vfio, error);
	device_nodes_finish(&nodes);
	return ret;
}

bool reach_holds(struct reach *reach)
{
	return reach->broker ? broker_holds(reach->broker) : owner_holds(&reach->owner);
}

int reach_watch(struct reach *reach)
{
	return reach->broker ? broker_watch(reach->broker) : -1;
}

bool reach_lost(struct reach *reach)
{
	return broker_lost(reach->broker);
}

void reach_rest(struct reach *reach)
{
	if (reach->broker)
		broker_rest(reach->broker);
}
