/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvncserver behind planecast's door: its encoder and its threads, and no more of planecast than
 * what accepts a viewer, so that next to libvncserver alone the door is all that differs.
 */
#include "serve_peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door.h"
#include "web.h"

#define VERSION "RFB 003.008\n"

static enum rfbNewClientAction hold(rfbClientPtr client)
{
	(void)client;
	return RFB_CLIENT_ON_HOLD;
}

/* It has said its ClientInit, which is said again at the inner end; ServerInit goes to the viewer.
 */
static void init_client(rfbClientPtr client, int outer, int fd)
{
	char words[512];
	ssize_t n;

	client->protocolMajorVersion = 3;
	client->protocolMinorVersion = 8;
	client->state = RFB_INITIALISATION;
	if (write(outer, "\1", 1) != 1)
		abort();
	rfbProcessClientMessage(client);
	n = read(outer, words, sizeof(words));
	if (n <= 0 || write(fd, words, (size_t)n) != n)
		abort();
}

/* rfbNewClient greets and looks for a WebSocket: a socket pair stands in until that is over. */
static void welcome(const struct door_guest *guest, void *data)
{
	char greeting[sizeof(VERSION) - 1];
	rfbClientPtr client;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    write(pair[0], VERSION, sizeof(greeting)) != (ssize_t)sizeof(greeting))
		abort();
	client = rfbNewClient(data, pair[1]);
	if (!client || read(pair[0], greeting, sizeof(greeting)) != (ssize_t)sizeof(greeting))
		abort();
	init_client(client, pair[0], guest->fd);
	if (dup2(guest->fd, pair[1]) < 0 ||
	    fcntl(pair[1], F_SETFL, fcntl(pair[1], F_GETFL) | O_NONBLOCK))
		abort();
	close(pair[0]);
	close(guest->fd);
	rfbStartOnHoldClient(client);
}

static void check(int r, GError *error)
{
	if (!r)
		return;
	fprintf(stderr, "serve_peer: %s\n", error ? error->message : strerror(-r));
	exit(1);
}

void serve_peer_door(rfbScreenInfoPtr screen, const char *kind, const char *port)
{
	struct door_options options = {.name = "door", .welcome = welcome, .data = screen};
	bool tls = strstr(kind, "tls") || strstr(kind, "wss");
	struct web_options web_options = {0};
	GError *error = NULL;
	struct door *door;
	struct web *web;

	screen->newClientHook = hold;
	screen->backgroundLoop = TRUE;
	if (tls)
		check(certificate_open_own(NULL, &options.certificate, &error), error);
	check(door_create(&options, &door, &error), error);
	if (strstr(kind, "ws")) {
		web_options.door = door;
		web_options.certificate = options.certificate;
		check(web_create(&web_options, &web, &error), error);
		check(web_listen(web, port, &error), error);
	} else {
		check(door_listen(door, port, &error), error);
	}
}
