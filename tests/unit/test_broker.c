/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A broker in front of a reach that is made up: it runs in the child. */
#include "broker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

/* What the next reach gives: shared with the broker. */
static struct made {
	int ret;      /* 0: a device */
	bool dies;    /* instead of an answer */
	bool hangs;   /* the server waits for nothing */
	bool holds;   /* what the owner does */
	bool cuts;    /* a byte off its answer */
	int asked;    /* times */
	int pipes[2]; /* the device is the end that is written to */
} * made;

int __wrap_reach_device(struct reach *reach, struct vfio *vfio, GError **error);
bool __wrap_reach_holds(struct reach *reach);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

int __wrap_reach_device(struct reach *reach, struct vfio *vfio, GError **error)
{
	made->asked++;
	if (made->dies)
		_exit(1);
	if (made->ret)
		return fail(error, EXIT_REFUSED, -made->ret, "%s: %0600d", reach->name, 1);
	vfio->device = dup(made->pipes[1]);
	vfio->pidfd = dup(made->pipes[0]);
	vfio->owner = (struct owner){.pid = 77, .fd = 5, .node = "/dev/vfio/9"};
	return 0;
}

bool __wrap_reach_holds(struct reach *reach)
{
	(void)reach;
	return made->holds;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (!made->hangs)
		return __real_poll(fds, count, timeout);
	made->hangs = false;
	return 0;
}

/* What the kernel refuses the server, by errno; 0: nothing. */
static struct {
	int socketpair, fork, send, recvmsg;
} refuses;

int __real_socketpair(int domain, int type, int protocol, int ends[2]);
int __wrap_socketpair(int domain, int type, int protocol, int ends[2]);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

static bool refused(int errnum)
{
	errno = errnum;
	return errnum;
}

int __wrap_socketpair(int domain, int type, int protocol, int ends[2])
{
	return refused(refuses.socketpair) ? -1 : __real_socketpair(domain, type, protocol, ends);
}

pid_t __wrap_fork(void)
{
	return refused(refuses.fork) ? -1 : __real_fork();
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
	return refused(refuses.send) ? -1 : __real_send(fd, data, size, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	return refused(refuses.recvmsg) ? -1 : __real_recvmsg(fd, message, flags);
}

/* Only the broker sends messages with descriptors. */
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (made->cuts)
		message->msg_iov->iov_len--;
	return __real_sendmsg(fd, message, flags);
}

static struct reach reach = {.name = "a-device"};
static struct broker *broker;

static int setup(void **state)
{
	GError *error = NULL;

	(void)state;
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(made, MAP_FAILED);
	if (broker_start(&reach, &broker, &error))
		fail_msg("%s\n", error->message);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	broker_stop(broker);
	munmap(made, sizeof(*made));
	return 0;
}

static void expect_failure(int ret, int code, const char *words)
{
	struct vfio vfio;
	GError *error = NULL;

	assert_int_equal(broker_reach(broker, &vfio, &error), ret);
	assert_non_null(error);
	assert_int_equal(error->code, code);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	assert_int_equal(vfio.device, -1);
	g_error_free(error);
}

/* stdin and stdout stand for what the driver gives: the broker has no others. */
static void test_broker_hands_a_device_over(void **state)
{
	struct vfio vfio;
	int ends[2];

	(void)state;
	made->pipes[0] = STDIN_FILENO;
	made->pipes[1] = STDERR_FILENO;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(broker_reach(broker, &vfio, NULL), 0);
		assert_int_equal(made->asked, i);
		assert_true(vfio.device >= 0 && vfio.pidfd >= 0 && vfio.device != vfio.pidfd);
		assert_int_equal(vfio.group, -1);
		assert_int_equal(vfio.container, -1);
		assert_int_equal(vfio.kvm.machine, -1);
		assert_int_equal(vfio.kvm.vfio, -1);
		assert_int_equal(vfio.owner.pid, 77);
		assert_string_equal(vfio.owner.node, "/dev/vfio/9");
		ends[0] = vfio.device;
		ends[1] = vfio.pidfd;
		vfio_close(&vfio);
		assert_int_equal(dup(ends[0]), -1);
		assert_int_equal(dup(ends[1]), -1);
	}
}

static void test_broker_tells_failures(void **state)
{
	(void)state;
	made->ret = -ENODEV;
	expect_failure(-ENODEV, EXIT_REFUSED, "a-device: 0000");
	made->ret = -EACCES;
	expect_failure(-EACCES, EXIT_REFUSED, "a-device: 0000");
	assert_int_equal(made->asked, 2);
}

static void test_broker_tells_whether_it_is_held(void **state)
{
	(void)state;
	assert_false(broker_holds(broker));
	made->holds = true;
	assert_true(broker_holds(broker));
}

/* Asked once, it says by itself when that is over, and to nobody who does not want to know. */
static void test_broker_tells_when_it_is_let_go(void **state)
{
	struct pollfd wait = {.events = POLLIN};

	(void)state;
	made->holds = true;
	wait.fd = broker_watch(broker);
	assert_true(wait.fd >= 0);
	assert_false(broker_lost(broker));
	assert_true(broker_holds(broker));
	made->holds = false;
	assert_int_equal(__real_poll(&wait, 1, 20000), 1);
	assert_true(broker_lost(broker));
	assert_false(broker_lost(broker));
	broker_watch(broker);
	broker_rest(broker);
	made->holds = true;
	assert_true(broker_holds(broker));
	made->holds = false;
	assert_int_equal(__real_poll(&wait, 1, 2500), 0);
}

/* A late answer is nobody's: what came with it is closed, and the next request gets its own. */
static void test_broker_that_is_late(void **state)
{
	struct vfio vfio;
	int next;

	(void)state;
	made->pipes[1] = STDERR_FILENO;
	made->hangs = true;
	next = dup(STDIN_FILENO);
	close(next);
	expect_failure(-ETIMEDOUT, EXIT_FAILED, "does not answer");
	made->ret = -ENODEV;
	while (!made->asked)
		g_usleep(1000);
	expect_failure(-ENODEV, EXIT_REFUSED, "a-device");
	assert_int_equal(dup(STDIN_FILENO), next); /* no descriptor stayed */
	close(next);
	made->ret = 0;
	assert_int_equal(broker_reach(broker, &vfio, NULL), 0);
	vfio_close(&vfio);
}

static void test_broker_that_has_ended(void **state)
{
	(void)state;
	made->dies = true;
	expect_failure(-EPIPE, EXIT_FAILED, "has ended");
	expect_failure(-EPIPE, EXIT_FAILED, "has ended");
	assert_false(broker_holds(broker));
}

static void test_broker_that_cannot_be_started_says_so(void **state)
{
	static const struct {
		int socketpair, fork;
		const char *words;
	} cases[] = {{EMFILE, 0, "no broker: Too many open files"},
		     {0, EAGAIN, "no broker: Resource temporarily unavailable"}};
	int next = dup(STDIN_FILENO);

	(void)state;
	close(next);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct broker *none = NULL;
		GError *error = NULL;

		refuses.socketpair = cases[i].socketpair;
		refuses.fork = cases[i].fork;
		assert_int_equal(broker_start(&reach, &none, &error),
				 -(cases[i].socketpair + cases[i].fork));
		refuses.socketpair = refuses.fork = 0;
		assert_null(none);
		assert_string_equal(error->message, cases[i].words);
		g_error_free(error);
	}
	assert_int_equal(dup(STDIN_FILENO), next); /* no descriptor stayed */
	close(next);
	broker_stop(NULL);
}

static void test_broker_that_cannot_be_spoken_to(void **state)
{
	(void)state;
	refuses.send = EAGAIN; /* it takes nothing any more */
	expect_failure(-ETIMEDOUT, EXIT_FAILED, "does not answer");
	refuses.send = EPIPE;
	expect_failure(-EPIPE, EXIT_FAILED, "has ended");
	refuses.send = 0;
	refuses.recvmsg = ECONNRESET;
	expect_failure(-ECONNRESET, EXIT_FAILED, "has ended");
	refuses.recvmsg = 0;
	made->ret = -ENODEV;
	made->cuts = true;
	/* The answer that was not read is of an older request, and half of one is none. */
	expect_failure(-EPROTO, EXIT_FAILED, "has ended");
}

#define BROKER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BROKER_TEST(test_broker_hands_a_device_over),
		BROKER_TEST(test_broker_tells_failures),
		BROKER_TEST(test_broker_tells_whether_it_is_held),
		BROKER_TEST(test_broker_tells_when_it_is_let_go),
		BROKER_TEST(test_broker_that_is_late),
		BROKER_TEST(test_broker_that_has_ended),
		BROKER_TEST(test_broker_that_cannot_be_started_says_so),
		BROKER_TEST(test_broker_that_cannot_be_spoken_to),
	};

	return cmocka_run_group_tests_name("broker", tests, NULL, NULL);
}
