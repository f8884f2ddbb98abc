/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A broker in front of a reach that is made up: it runs in the child. */
#include "broker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

/* What the next reach gives: shared with the broker. */
static struct made {
	int ret;      /* 0: a device */
	bool dies;    /* instead of an answer */
	bool hangs;   /* the server waits for nothing */
	bool holds;   /* what the owner does */
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

#define BROKER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BROKER_TEST(test_broker_hands_a_device_over),
		BROKER_TEST(test_broker_tells_failures),
		BROKER_TEST(test_broker_tells_whether_it_is_held),
		BROKER_TEST(test_broker_that_is_late),
		BROKER_TEST(test_broker_that_has_ended),
	};

	return cmocka_run_group_tests_name("broker", tests, NULL, NULL);
}
