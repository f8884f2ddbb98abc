/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_BUFFER 262144
#define IN_BUFFER  16384 /* a TLS record; clients say little */
/* A peer floods when its words cost so much of a core over this time. */
#define FLOOD_WINDOW_US (4 * G_TIME_SPAN_SECOND)
#define FLOOD_CPU_US    (FLOOD_WINDOW_US / 4)
#define FLOOD_READS     256 /* between two looks at the clocks */

struct pump {
	const struct pump_ops *ops;
	void *stream;
	int wire, pair;
	GThread *in, *out;
	const char *reason; /* of `in`, until it is joined */
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

static gpointer run_in(gpointer data)
{
	struct pump *pump = data;
	struct meter meter = {g_get_monotonic_time(), thread_cpu(), 0};
	char *buffer = g_malloc(IN_BUFFER);
	ssize_t n = 0;

	block_sigpipe();
	do {
		n = pump->ops->read(pump->stream, buffer, IN_BUFFER);
		if (n > 0 && is_flood(&meter))
			n = -EDQUOT;
	} while (n > 0 && send_all(pump->pair, buffer, (size_t)n));
	if (n == -EDQUOT)
		pump->reason = "it floods";
	else if (n == -EPROTO)
		pump->reason = "it broke the protocol";
	/* Half-open is gone, as for plain sockets. If the plain end closed, `out` still finishes.
	 */
	if (n <= 0)
		shutdown(pump->wire, SHUT_RDWR);
	shutdown(pump->pair, SHUT_WR);
	g_free(buffer);
	return NULL;
}

static gpointer run_out(gpointer data)
{
	struct pump *pump = data;
	char *buffer = g_malloc(OUT_BUFFER);
	bool good = true;
	ssize_t n;

	block_sigpipe();
	while (good && (n = receive(pump->pair, buffer, OUT_BUFFER)) > 0)
		good = !pump->ops->write(pump->stream, buffer, (size_t)n);
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

int pump_create(const struct pump_ops *ops, void *stream, int wire, struct pump **result,
		int *plain)
{
	struct pump *pump;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pump = g_new(struct pump, 1);
	*pump = (struct pump){.ops = ops, .stream = stream, .wire = wire, .pair = pair[0]};
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
	reason = pump->reason;
	pump->ops->close(pump->stream);
	close(pump->pair);
	g_free(pump);
	return reason;
}

void pump_destroy(struct pump *pump)
{
	pump_finish(pump);
}
