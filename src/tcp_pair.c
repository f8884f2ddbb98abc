/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tcp_pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRANGERS 64     /* who may have connected in between */
#define BUFFER    262144 /* bytes on their way: no more of them than a unix socket would have */

static int dial(int listener, struct sockaddr_in *own)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int fd, r = 0;

	if (getsockname(listener, (struct sockaddr *)&address, &length))
		return -errno;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	length = sizeof(*own);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)own, &length))
		r = -errno;
	if (!r)
		return fd;
	close(fd);
	return r;
}

/* The one that comes from there. */
static int answer(int listener, const struct sockaddr_in *from)
{
	for (int i = 0; i < STRANGERS; i++) {
		struct sockaddr_in peer = {0};
		socklen_t length = sizeof(peer);
		int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);

		if (fd < 0)
			return -errno;
		if (peer.sin_port == from->sin_port &&
		    peer.sin_addr.s_addr == from->sin_addr.s_addr)
			return fd;
		close(fd);
	}
	return -ECONNREFUSED;
}

static void tune(int fd)
{
	const int one = 1, bytes = BUFFER;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int tcp_pair(int pair[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
			   own;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r = 0;

	if (listener < 0)
		return -errno;
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1))
		r = -errno;
	pair[0] = r ? r : dial(listener, &own);
	pair[1] = pair[0] < 0 ? pair[0] : answer(listener, &own);
	close(listener);
	if (pair[1] < 0) {
		if (pair[0] >= 0)
			close(pair[0]);
		return pair[1];
	}
	tune(pair[0]);
	tune(pair[1]);
	return 0;
}

bool tcp_pair_fits(int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t length = sizeof(own);

	return !getsockname(fd, (struct sockaddr *)&own, &length) &&
	       (own.ss_family == AF_INET || own.ss_family == AF_INET6);
}
