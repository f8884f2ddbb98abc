/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_agent.h"

#include <stddef.h>

#include "agent_talk.h"
#include "clipboard_ear.h"

struct spice_agent {
	SpiceCharDeviceInstance device;
	struct agent_talk *talk;
	struct clipboard_ear *ear; /* NULL: there is no clipboard */
	GMainContext *context;
	GSource *waking; /* that will have the server read; NULL */
};

static struct spice_agent *agent_of(SpiceCharDeviceInstance *instance)
{
	return (struct spice_agent *)((char *)instance - offsetof(struct spice_agent, device));
}

static gboolean on_waking(gpointer data)
{
	struct spice_agent *agent = data;

	g_clear_pointer(&agent->waking, g_source_unref);
	spice_server_char_device_wakeup(&agent->device);
	return G_SOURCE_REMOVE;
}

/* Not from inside a call of the server. */
static void wake_later(struct spice_agent *agent)
{
	if (agent->waking)
		return;
	agent->waking = g_idle_source_new();
	g_source_set_priority(agent->waking, G_PRIORITY_DEFAULT);
	g_source_set_callback(agent->waking, on_waking, agent, NULL);
	g_source_attach(agent->waking, agent->context);
}

static void on_heard(GBytes *text, void *data)
{
	struct spice_agent *agent = data;

	agent_talk_offer(agent->talk, text);
	spice_server_char_device_wakeup(&agent->device);
}

static void on_copied(GBytes *text, void *data)
{
	struct spice_agent *agent = data;

	clipboard_ear_copied(agent->ear, text);
}

static void state(SpiceCharDeviceInstance *instance, int connected)
{
	(void)instance;
	(void)connected;
}

static int write_bytes(SpiceCharDeviceInstance *instance, const uint8_t *bytes, int length)
{
	agent_talk_take(agent_of(instance)->talk, bytes, (size_t)length);
	wake_later(agent_of(instance));
	return length;
}

static int read_bytes(SpiceCharDeviceInstance *instance, uint8_t *bytes, int length)
{
	return (int)agent_talk_give(agent_of(instance)->talk, bytes, (size_t)length);
}

static const SpiceCharDeviceInterface interface = {
	.base =
		{
			.type = SPICE_INTERFACE_CHAR_DEVICE,
			.description = "planecast agent",
			.major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
			.minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR,
		},
	.state = state,
	.write = write_bytes,
	.read = read_bytes,
};

struct spice_agent *spice_agent_create(bool resizes, struct clipboard *clipboard,
				       SpiceServer *server, GMainContext *context)
{
	struct spice_agent *agent = g_new0(struct spice_agent, 1);

	agent->talk = agent_talk_create(resizes, clipboard ? on_copied : NULL, agent);
	agent->context = g_main_context_ref(context);
	agent->device.base.sif = &interface.base;
	agent->device.subtype = "vdagent";
	spice_server_set_agent_copypaste(server, clipboard != NULL);
	spice_server_set_agent_file_xfer(server, FALSE);
	if (spice_server_add_interface(server, &agent->device.base)) {
		spice_agent_destroy(agent);
		return NULL;
	}
	if (clipboard)
		agent->ear = clipboard_ear_create(clipboard, context, on_heard, agent);
	wake_later(agent);
	return agent;
}

void spice_agent_destroy(struct spice_agent *agent)
{
	if (!agent)
		return;
	clipboard_ear_destroy(agent->ear);
	if (agent->waking) {
		g_source_destroy(agent->waking);
		g_source_unref(agent->waking);
	}
	agent_talk_destroy(agent->talk);
	g_main_context_unref(agent->context);
	g_free(agent);
}
