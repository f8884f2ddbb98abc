/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_agent.h"

#include <stddef.h>

#include "agent_talk.h"

struct spice_agent {
	SpiceCharDeviceInstance device;
	struct agent_talk *talk;
	struct clipboard *clipboard;
	GMainContext *context;

	GMutex lock;
	GBytes *text;     /* copied elsewhere, not offered yet; NULL */
	GSource *telling; /* that will offer it, and have the server read; NULL */
};

static struct spice_agent *agent_of(SpiceCharDeviceInstance *instance)
{
	return (struct spice_agent *)((char *)instance - offsetof(struct spice_agent, device));
}

static GBytes *take_text(struct spice_agent *agent)
{
	GBytes *text;

	g_mutex_lock(&agent->lock);
	text = g_steal_pointer(&agent->text);
	g_clear_pointer(&agent->telling, g_source_unref);
	g_mutex_unlock(&agent->lock);
	return text;
}

static gboolean on_telling(gpointer data)
{
	struct spice_agent *agent = data;
	GBytes *text = take_text(agent);

	if (text) {
		agent_talk_offer(agent->talk, text);
		g_bytes_unref(text);
	}
	spice_server_char_device_wakeup(&agent->device);
	return G_SOURCE_REMOVE;
}

/* With the lock. */
static void attach_telling(struct spice_agent *agent)
{
	if (agent->telling)
		return;
	agent->telling = g_idle_source_new();
	g_source_set_priority(agent->telling, G_PRIORITY_DEFAULT);
	g_source_set_callback(agent->telling, on_telling, agent, NULL);
	g_source_attach(agent->telling, agent->context);
}

static void tell_later(struct spice_agent *agent)
{
	g_mutex_lock(&agent->lock);
	attach_telling(agent);
	g_mutex_unlock(&agent->lock);
}

/* From any thread: a watcher of the clipboard. */
static void on_changed(GBytes *text, const void *from, void *data)
{
	struct spice_agent *agent = data;

	if (from == agent)
		return;
	g_mutex_lock(&agent->lock);
	g_clear_pointer(&agent->text, g_bytes_unref);
	agent->text = g_bytes_ref(text);
	attach_telling(agent);
	g_mutex_unlock(&agent->lock);
}

static void on_copied(GBytes *text, void *data)
{
	struct spice_agent *agent = data;

	clipboard_set(agent->clipboard, text, agent);
}

static void state(SpiceCharDeviceInstance *instance, int connected)
{
	(void)instance;
	(void)connected;
}

static int write_bytes(SpiceCharDeviceInstance *instance, const uint8_t *bytes, int length)
{
	agent_talk_take(agent_of(instance)->talk, bytes, (size_t)length);
	tell_later(agent_of(instance)); /* not from inside the call of the server */
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

	g_mutex_init(&agent->lock);
	agent->talk = agent_talk_create(resizes, clipboard ? on_copied : NULL, agent);
	agent->clipboard = clipboard;
	agent->context = g_main_context_ref(context);
	agent->device.base.sif = &interface.base;
	agent->device.subtype = "vdagent";
	if (clipboard) {
		agent->text = clipboard_get(clipboard);
		clipboard_watch(clipboard, on_changed, agent);
	}
	spice_server_set_agent_copypaste(server, clipboard != NULL);
	spice_server_set_agent_file_xfer(server, FALSE);
	if (spice_server_add_interface(server, &agent->device.base)) {
		spice_agent_destroy(agent);
		return NULL;
	}
	tell_later(agent);
	return agent;
}

void spice_agent_destroy(struct spice_agent *agent)
{
	if (!agent)
		return;
	if (agent->clipboard)
		clipboard_unwatch(agent->clipboard, agent);
	if (agent->telling) {
		g_source_destroy(agent->telling);
		g_source_unref(agent->telling);
	}
	g_clear_pointer(&agent->text, g_bytes_unref);
	agent_talk_destroy(agent->talk);
	g_main_context_unref(agent->context);
	g_mutex_clear(&agent->lock);
	g_free(agent);
}
