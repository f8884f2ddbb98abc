/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void apart_be_alone(int fd, const char *name)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		signal(signals[i], SIG_IGN);
	if (fd > 3)
		close_range(3, (unsigned int)fd - 1, 0);
	close_range((unsigned int)fd + 1, ~0u, 0);
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_DUMPABLE, 0);
}

/* Runs in the child, and ends there. */
static void be_child(pid_t parent, int fd, void (*work)(int fd, void *data), void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		work(fd, data);
	_exit(0);
}

/* All that comes until the other end closes, or the time is up. */
static int read_until(int fd, gint64 end, GString *text)
{
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
		char bytes[4096];
		ssize_t n;
		int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;

		if (!ready)
			return -ETIMEDOUT;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return -errno;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return n ? -errno : 0;
		g_string_append_len(text, bytes, n);
	}
}

/* A child that does not end is not waited for. */
static int end_child(pid_t pid, int ret)
{
	int status = 0;

	if (ret) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, WNOHANG);
		return ret;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}

int apart_run(void (*work)(int fd, void *data), void *data, unsigned int limit_ms, GString **text)
{
	gint64 end = g_get_monotonic_time() + limit_ms * G_GINT64_CONSTANT(1000);
	pid_t parent = getpid(), pid;
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		be_child(parent, ends[1], work, data);
	ret = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!ret) {
		*text = g_string_new(NULL);
		ret = end_child(pid, read_until(ends[0], end, *text));
		if (ret)
			g_string_free(*text, TRUE);
	}
	close(ends[0]);
	return ret;
}
