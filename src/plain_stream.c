/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plain_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

struct plain_stream {
	int wire;
	size_t done; /* bytes of what write() was given */
};

static ssize_t plain_read(void *stream, void *bytes, size_t size)
{
	const struct plain_stream *plain = stream;
	ssize_t n;

	do
		n = recv(plain->wire, bytes, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int plain_write(void *stream, const void *bytes, size_t length)
{
	struct plain_stream *plain = stream;

	while (plain->done < length) {
		ssize_t n = send(plain->wire, (const char *)bytes + plain->done,
				 length - plain->done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		plain->done += (size_t)n;
	}
	plain->done = 0;
	return 0;
}

static void plain_end(void *stream)
{
	shutdown(((struct plain_stream *)stream)->wire, SHUT_WR);
}

static void plain_close(void *stream)
{
	close(((struct plain_stream *)stream)->wire);
	g_free(stream);
}

static const struct pump_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.end = plain_end,
	.close = plain_close,
};

int plain_stream_pump(int fd, const struct pump_tap *tap, struct pump **pump, int *plain)
{
	struct plain_stream *stream = g_new(struct plain_stream, 1);
	int flags = fcntl(fd, F_GETFL), r = 0;

	*stream = (struct plain_stream){.wire = fd};
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK))
		r = -errno;
	if (!r)
		r = pump_create_tapped(&plain_ops, stream, fd, tap, pump, plain);
	if (r)
		plain_close(stream);
	return r;
}
