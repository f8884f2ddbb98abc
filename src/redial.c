/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redial.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define FIRST_PAUSE_MS 250u
#define LONG_PAUSE_MS  8000u

struct redial {
	char *what, *path;
	void (*opened)(int fd, void *data);
	void *data;
	guint retry; /* a source */
	guint pause_ms;
	bool complained;
};

/* A unix socket connects at once or not at all: its backlog may be full. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static gboolean on_retry(gpointer data)
{
	struct redial *redial = data;
	int fd = open_socket(redial->path);

	redial->retry = 0;
	if (fd < 0)
		redial_lost(redial, g_strerror(-fd));
	else
		redial->opened(fd, redial->data);
	return G_SOURCE_REMOVE;
}

void redial_lost(struct redial *redial, const char *reason)
{
	if (!redial->complained)
		log_warning("%s: %s: %s; trying again", redial->what, redial->path, reason);
	redial->complained = true;
	redial->retry = g_timeout_add(redial->pause_ms, on_retry, redial);
	redial->pause_ms = MIN(2 * redial->pause_ms, LONG_PAUSE_MS);
}

void redial_proved(struct redial *redial)
{
	redial->pause_ms = FIRST_PAUSE_MS;
	redial->complained = false;
}

struct redial *redial_create(const char *what, const char *path, void (*opened)(int fd, void *data),
			     void *data)
{
	struct redial *redial = g_new0(struct redial, 1);

	redial->what = g_strdup(what);
	redial->path = g_strdup(path);
	redial->opened = opened;
	redial->data = data;
	redial->pause_ms = FIRST_PAUSE_MS;
	on_retry(redial);
	return redial;
}

void redial_destroy(struct redial *redial)
{
	if (!redial)
		return;
	if (redial->retry)
		g_source_remove(redial->retry);
	g_free(redial->what);
	g_free(redial->path);
	g_free(redial);
}
