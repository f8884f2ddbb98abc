/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest_agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_talk.h"
#include "clipboard_ear.h"
#include "redial.h"

#define PIECE 65536u

struct guest_agent {
	struct redial *redial;
	struct clipboard_ear *ear; /* NULL: texts are not shared */
	GBytes *text;              /* copied elsewhere; NULL */
	int fd;                    /* -1: no connection, and all below is void */
	struct agent_talk *talk;
	guint readable, writable; /* sources */
	uint8_t piece[PIECE];     /* on its way out: those from `sent` to `given` */
	size_t sent, given;
};

static void close_connection(struct guest_agent *agent)
{
	if (agent->fd < 0)
		return;
	if (agent->readable)
		g_source_remove(agent->readable);
	if (agent->writable)
		g_source_remove(agent->writable);
	agent->readable = agent->writable = 0;
	agent->sent = agent->given = 0;
	close(agent->fd);
	agent->fd = -1;
	agent_talk_destroy(agent->talk);
	agent->talk = NULL;
}

static void lose(struct guest_agent *agent, const char *reason)
{
	close_connection(agent);
	redial_lost(agent->redial, reason);
}

/* As much as goes now; true if more is to go. An error is seen by who reads. */
static bool write_some(struct guest_agent *agent)
{
	for (;;) {
		ssize_t n;

		if (agent->sent == agent->given) {
			agent->sent = 0;
			agent->given = agent_talk_give(agent->talk, agent->piece, PIECE);
		}
		if (!agent->given)
			return false;
		n = send(agent->fd, agent->piece + agent->sent, agent->given - agent->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		agent->sent += (size_t)n;
	}
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct guest_agent *agent = data;

	(void)fd;
	if (write_some(agent) && !(condition & (G_IO_HUP | G_IO_ERR)))
		return G_SOURCE_CONTINUE;
	agent->writable = 0;
	return G_SOURCE_REMOVE;
}

static void flush(struct guest_agent *agent)
{
	if (write_some(agent) && !agent->writable)
		agent->writable = g_unix_fd_add(agent->fd, G_IO_OUT, on_writable, agent);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct guest_agent *agent = data;
	uint8_t bytes[4096];
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)condition;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (got <= 0) {
		lose(agent, got ? g_strerror(errno) : "QEMU has closed it");
		return G_SOURCE_CONTINUE;
	}
	agent_talk_take(agent->talk, bytes, (size_t)got);
	if (guest_agent_is_there(agent))
		redial_proved(agent->redial);
	flush(agent);
	return G_SOURCE_CONTINUE;
}

static void on_copied(GBytes *text, void *data)
{
	struct guest_agent *agent = data;

	clipboard_ear_copied(agent->ear, text);
}

static void on_heard(GBytes *text, void *data)
{
	struct guest_agent *agent = data;

	g_clear_pointer(&agent->text, g_bytes_unref);
	agent->text = g_bytes_ref(text);
	if (agent->fd < 0)
		return;
	agent_talk_offer(agent->talk, text);
	flush(agent);
}

static void on_opened(int fd, void *data)
{
	struct guest_agent *agent = data;

	agent->fd = fd;
	agent->talk = agent_talk_create(false, agent->ear ? on_copied : NULL, agent);
	agent->readable = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, agent);
	agent_talk_greet(agent->talk);
	if (agent->text)
		agent_talk_offer(agent->talk, agent->text);
	flush(agent);
}

int guest_agent_resize(struct guest_agent *agent, uint32_t width, uint32_t height)
{
	if (agent->fd < 0 || !agent_talk_resize(agent->talk, width, height))
		return -ENOTSUP;
	flush(agent);
	return 0;
}

bool guest_agent_is_there(const struct guest_agent *agent)
{
	return agent->fd >= 0 && agent_talk_has_other(agent->talk);
}

struct guest_agent *guest_agent_create(const char *path, struct clipboard *clipboard)
{
	struct guest_agent *agent = g_new0(struct guest_agent, 1);

	agent->fd = -1;
	if (clipboard)
		agent->ear = clipboard_ear_create(clipboard, NULL, on_heard, agent);
	agent->redial = redial_create("vdagent", path, on_opened, agent);
	return agent;
}

void guest_agent_destroy(struct guest_agent *agent)
{
	if (!agent)
		return;
	close_connection(agent);
	redial_destroy(agent->redial);
	clipboard_ear_destroy(agent->ear);
	g_clear_pointer(&agent->text, g_bytes_unref);
	g_free(agent);
}
