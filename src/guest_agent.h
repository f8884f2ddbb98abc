/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's own agent (spice-vdagent), reached by the socket of QEMU's character device: its
 * clipboard is joined with that of the viewers, and it gives the guest's screen the size that a
 * viewer wishes where the device has no monitor that could. In the main context; nothing waits.
 *
 *   -device virtio-serial -chardev socket,id=agent,path=PATH,server=on,wait=off
 *   -device virtserialport,chardev=agent,name=com.redhat.spice.0
 *
 * The agent may come, go and come again, as may QEMU; what it says is hostile (agent_talk.h).
 */
#ifndef PLANECAST_GUEST_AGENT_H
#define PLANECAST_GUEST_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "clipboard.h"

struct guest_agent;

/* path is that of a unix socket; clipboard NULL: texts are not shared. Nothing fails here. */
struct guest_agent *guest_agent_create(const char *path, struct clipboard *clipboard);
void guest_agent_destroy(struct guest_agent *agent); /* takes NULL */

/* 0: the agent was asked for it; what it does is its own affair. -ENOTSUP: there is none. */
int guest_agent_resize(struct guest_agent *agent, uint32_t width, uint32_t height);

/* Whether an agent has said what it can. */
bool guest_agent_is_there(const struct guest_agent *agent);

#endif
