/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tcp_pair.h"

#define OUT_BUFFER 262144
#define WAIT_US    1000  /* in write(); the rest of the wait is poll()'s, which a hurry ends */
#define QUIET_MS   20    /* for more to keep, before the hurry is looked at again */
#define IN_BUFFER  16384 /* a TLS record; clients say little */
/* A peer floods when its words cost so much of a core over this time. */
#define FLOOD_WINDOW_US (4 * G_TIME_SPAN_SECOND)
#define FLOOD_CPU_US    (FLOOD_WINDOW_US / 4)
#define FLOOD_READS     256 /* between two looks at the clocks */

struct pump {
	const struct pump_ops *ops;
	void *stream;
	struct pump_tap tap; /* heard NULL: none */
	int wire, pair;
	GThread *in, *out;
	const char *reason; /* of `in`, until it is joined */
	const char *late;   /* of `out` */
	GQueue kept;        /* of `out`: GByteArrays, at most OUT_BUFFER each */
	size_t kept_bytes;
	bool ended; /* the plain end has written its last */
};

/* What the thread has cost. */
struct meter {
	gint64 wall, cpu;
	unsigned int reads;
};

static gint64 thread_cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * G_TIME_SPAN_SECOND + now.tv_nsec / 1000;
}

static bool is_flood(struct meter *meter)
{
	gint64 wall, cpu;
	bool flood;

	if (++meter->reads % FLOOD_READS)
		return false;
	wall = g_get_monotonic_time();
	if (wall - meter->wall < FLOOD_WINDOW_US)
		return false;
	cpu = thread_cpu();
	/* In proportion: a window may be long, for a peer that says little. */
	flood = (cpu - meter->cpu) * FLOOD_WINDOW_US > FLOOD_CPU_US * (wall - meter->wall);
	meter->wall = wall;
	meter->cpu = cpu;
	return flood;
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

static ssize_t receive(int fd, void *bytes, size_t size)
{
	ssize_t n;

	do
		n = recv(fd, bytes, size, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* A peer that is gone must not kill the process, whatever the stream writes with. */
static void block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void tell_passed(struct pump *pump)
{
	if (pump->tap.passed)
		pump->tap.passed(pump->tap.data);
}

/* The words go on, by way of the tap; false at the end. */
static bool pass_on(struct pump *pump, const char *bytes, size_t length, GByteArray *out)
{
	bool good = true;

	if (!pump->tap.heard)
		return send_all(pump->pair, bytes, length);
	while (good && length) {
		size_t taken = 0;

		g_byte_array_set_size(out, 0);
		pump->reason = pump->tap.heard(pump->tap.data, bytes, length, &taken, out);
		good = !pump->reason && send_all(pump->pair, (const char *)out->data, out->len);
		tell_passed(pump);
		bytes += taken;
		length -= taken;
	}
	return good;
}

static gpointer run_in(gpointer data)
{
	struct pump *pump = data;
	struct meter meter = {g_get_monotonic_time(), thread_cpu(), 0};
	GByteArray *out = g_byte_array_new();
	char *buffer = g_malloc(IN_BUFFER);
	size_t none = 0;
	ssize_t n = 0;

	block_sigpipe();
	do {
		n = pump->ops->read(pump->stream, buffer, IN_BUFFER);
		if (n > 0 && is_flood(&meter))
			n = -EDQUOT;
	} while (n > 0 && pass_on(pump, buffer, (size_t)n, out));
	if (n == -EDQUOT)
		pump->reason = "it floods";
	else if (n == -EPROTO)
		pump->reason = "it broke the protocol";
	/* Half-open is gone, as for plain sockets. If the plain end closed, `out` still finishes.
	 */
	if (n <= 0 || pump->reason)
		shutdown(pump->wire, SHUT_RDWR);
	if (pump->tap.heard)
		pump->tap.heard(pump->tap.data, NULL, 0, &none, out);
	shutdown(pump->pair, SHUT_WR);
	tell_passed(pump);
	g_byte_array_unref(out);
	g_free(buffer);
	return NULL;
}

static void tell(struct pump *pump, const void *bytes, size_t length)
{
	if (pump->tap.said)
		pump->tap.said(pump->tap.data, bytes, length);
}

/* What the plain end has written while it must not wait; false if that is too much. */
static bool keep(struct pump *pump)
{
	GByteArray *piece = g_byte_array_new();
	int length = 0;
	ssize_t n;

	if (ioctl(pump->pair, FIONREAD, &length) || length < 1)
		length = 1; /* the end, or an error */
	g_byte_array_set_size(piece, (guint)MIN(length, OUT_BUFFER));
	n = recv(pump->pair, piece->data, piece->len, MSG_DONTWAIT);
	if (n <= 0) {
		pump->ended = !n || errno != EAGAIN;
		g_byte_array_unref(piece);
		return true;
	}
	g_byte_array_set_size(piece, (guint)n);
	tell(pump, piece->data, (size_t)n);
	g_queue_push_tail(&pump->kept, piece);
	pump->kept_bytes += (size_t)n;
	return pump->kept_bytes < PUMP_KEPT;
}

static bool is_ready(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&ready, 1, 0) > 0;
}

/* Until the peer takes something, or is gone; false if too much had to be kept meanwhile. */
static bool wait_for_peer(struct pump *pump)
{
	struct pollfd ready[2] = {{.fd = pump->wire, .events = POLLOUT}, {.events = POLLIN}};
	bool good = true;

	while (good && !ready[0].revents) {
		bool hurried = is_ready(pump->tap.hurry);

		ready[1].fd = !hurried ? pump->tap.hurry : pump->ended ? -1 : pump->pair;
		if (poll(ready, G_N_ELEMENTS(ready), hurried ? QUIET_MS : -1) > 0 && hurried &&
		    ready[1].revents)
			good = keep(pump);
	}
	return good;
}

/* How many bytes there are to be sent next; none at the end. */
static ssize_t next(struct pump *pump, char *buffer)
{
	GByteArray *piece = g_queue_pop_head(&pump->kept);
	ssize_t n;

	if (!piece) {
		n = receive(pump->pair, buffer, OUT_BUFFER);
		if (n > 0)
			tell(pump, buffer, (size_t)n);
		return n;
	}
	n = piece->len;
	memcpy(buffer, piece->data, piece->len);
	pump->kept_bytes -= piece->len;
	g_byte_array_unref(piece);
	return n;
}

static bool put(struct pump *pump, const char *bytes, size_t length)
{
	int r;

	while ((r = pump->ops->write(pump->stream, bytes, length)) == -EAGAIN)
		if (!wait_for_peer(pump)) {
			pump->late = "it takes too little";
			break;
		}
	return !r;
}

static gpointer run_out(gpointer data)
{
	struct pump *pump = data;
	char *buffer = g_malloc(OUT_BUFFER);
	bool good = true;
	ssize_t n;

	block_sigpipe();
	while (good && (n = next(pump, buffer)) > 0)
		good = put(pump, buffer, (size_t)n);
	if (good)
		pump->ops->end(pump->stream);
	shutdown(pump->wire, SHUT_RDWR);
	/* Who still writes into the pair must not wait for a reader until it looks for the end. */
	while (!good && receive(pump->pair, buffer, OUT_BUFFER) > 0)
		;
	g_free(buffer);
	return NULL;
}

static void join(struct pump *pump)
{
	shutdown(pump->wire, SHUT_RDWR);
	shutdown(pump->pair, SHUT_RDWR);
	if (pump->in)
		g_thread_join(pump->in);
	if (pump->out)
		g_thread_join(pump->out);
}

int pump_create(const struct pump_ops *ops, void *stream, int wire, struct pump **pump, int *plain)
{
	return pump_create_tapped(ops, stream, wire, NULL, pump, plain);
}

static int make_pair(bool tcp, int pair[2])
{
	if (tcp)
		return tcp_pair(pair);
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ? -errno : 0;
}

int pump_create_tapped(const struct pump_ops *ops, void *stream, int wire,
		       const struct pump_tap *tap, struct pump **result, int *plain)
{
	static const struct timeval patience = {.tv_usec = WAIT_US};
	struct pump *pump;
	int pair[2], r;

	r = make_pair(tap && tap->tcp, pair);
	if (r)
		return r;
	pump = g_new(struct pump, 1);
	*pump = (struct pump){
		.ops = ops, .stream = stream, .tap.hurry = -1, .wire = wire, .pair = pair[0]};
	g_queue_init(&pump->kept);
	if (tap) {
		pump->tap = *tap;
		setsockopt(wire, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	pump->in = g_thread_try_new("pump-in", run_in, pump, NULL);
	pump->out = pump->in ? g_thread_try_new("pump-out", run_out, pump, NULL) : NULL;
	if (!pump->out) {
		join(pump);
		close(pair[0]);
		close(pair[1]);
		g_free(pump);
		return -EAGAIN;
	}
	*result = pump;
	*plain = pair[1];
	return 0;
}

int pump_wire(const struct pump *pump)
{
	return pump->wire;
}

const char *pump_finish(struct pump *pump)
{
	const char *reason;

	if (!pump)
		return NULL;
	join(pump);
	reason = pump->reason ? pump->reason : pump->late;
	pump->ops->close(pump->stream);
	g_queue_clear_full(&pump->kept, (GDestroyNotify)g_byte_array_unref);
	close(pump->pair);
	g_free(pump);
	return reason;
}

void pump_destroy(struct pump *pump)
{
	pump_finish(pump);
}
