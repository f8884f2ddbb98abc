/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "line.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

/* A server that takes longer hangs: libFuzzer says so with the input, before this ends. */
#define PATIENCE_MS (10 * 60 * 1000)

int line_open(struct line *line)
{
	int pair[2];

	*line = (struct line){.fd = -1};
	fuzz_expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	line->fd = pair[0];
	return pair[1];
}

static short await(struct line *line, short events)
{
	struct pollfd poller = {.fd = line->fd, .events = events};

	int r;

	/* libFuzzer has a timer. */
	do
		r = poll(&poller, 1, PATIENCE_MS);
	while (r < 0 && errno == EINTR);
	fuzz_expect(r == 1);
	return poller.revents;
}

void line_take(struct line *line)
{
	char waste[65536];
	ssize_t n;

	if (line->session)
		do
			n = gnutls_record_recv(line->session, waste, sizeof(waste));
		while (n > 0 || n == GNUTLS_E_INTERRUPTED);
	else
		do
			n = recv(line->fd, waste, sizeof(waste), MSG_DONTWAIT);
		while (n > 0);
	if (line->session ? n != GNUTLS_E_AGAIN : !n || errno != EAGAIN)
		line->over = true;
}

static ssize_t send_some(struct line *line, const void *bytes, size_t size)
{
	ssize_t n;

	if (!line->session)
		return send(line->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	n = gnutls_record_send(line->session, bytes, size);
	if (n >= 0)
		return n;
	errno = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? EAGAIN : EPIPE;
	return -1;
}

bool line_say(struct line *line, const void *bytes, size_t size)
{
	while (size && !line->over) {
		ssize_t n = send_some(line, bytes, size);

		if (n < 0 && errno != EAGAIN) {
			line->over = true;
		} else if (n > 0) {
			bytes = (const char *)bytes + n;
			size -= (size_t)n;
		} else if (await(line, POLLIN | POLLOUT) & (POLLIN | POLLHUP)) {
			line_take(line);
		}
	}
	return !size;
}

bool line_hear(struct line *line, void *bytes, size_t size)
{
	while (size && !line->over) {
		ssize_t n = recv(line->fd, bytes, size, MSG_DONTWAIT);

		if (n > 0) {
			bytes = (char *)bytes + n;
			size -= (size_t)n;
		} else if (!n || errno != EAGAIN) {
			line->over = true;
		} else {
			await(line, POLLIN);
		}
	}
	return !size;
}

static ssize_t pull(gnutls_transport_ptr_t line, void *bytes, size_t size)
{
	return recv(((struct line *)line)->fd, bytes, size, MSG_DONTWAIT);
}

static ssize_t push(gnutls_transport_ptr_t line, const void *bytes, size_t size)
{
	return send(((struct line *)line)->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool line_secure(struct line *line)
{
	int r;

	fuzz_expect(!gnutls_certificate_allocate_credentials(&line->trust));
	fuzz_expect(!gnutls_init(&line->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK));
	gnutls_set_default_priority(line->session);
	gnutls_credentials_set(line->session, GNUTLS_CRD_CERTIFICATE, line->trust);
	gnutls_transport_set_ptr(line->session, line);
	gnutls_transport_set_pull_function(line->session, pull);
	gnutls_transport_set_push_function(line->session, push);
	while ((r = gnutls_handshake(line->session)) < 0 && !gnutls_error_is_fatal(r))
		await(line, gnutls_record_get_direction(line->session) ? POLLOUT : POLLIN);
	line->over = r < 0;
	return !line->over;
}

void line_say_no_more(struct line *line)
{
	if (line->session && !line->over)
		gnutls_bye(line->session, GNUTLS_SHUT_WR);
	shutdown(line->fd, SHUT_WR);
}

void line_end(struct line *line)
{
	line_say_no_more(line);
	while (!line->over) {
		await(line, POLLIN);
		line_take(line);
	}
	if (line->session) {
		gnutls_deinit(line->session);
		gnutls_certificate_free_credentials(line->trust);
	}
	close(line->fd);
	line->fd = -1;
}
