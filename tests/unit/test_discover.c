/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a process's devices is its display. */
#include "discover.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>

#include "device.h"
#include "double_calls.h"
#include "double_owner.h"
#include "double_source.h"
#include "double_vfio.h"
#include "log.h"
#include "owner.h"
#include "unit.h"

#define PID        4242
#define FD         17
#define OTHER_NODE "/dev/vfio/devices/vfio1"
#define OTHER_NAME "0000:00:02.1"

int __wrap_owner_of_process(pid_t pid, GArray **owners);
GPtrArray *__wrap_device_names_of_node(const char *node);

static int looking_ret;
static const char *held[3];       /* the nodes of the process */
static const char *names_of_node; /* of the first one */

int __wrap_owner_of_process(pid_t pid, GArray **owners)
{
	assert_int_equal(pid, PID);
	if (looking_ret)
		return looking_ret;
	*owners = g_array_new(FALSE, FALSE, sizeof(struct owner));
	for (size_t i = 0; i < G_N_ELEMENTS(held) && held[i]; i++) {
		struct owner owner = {.pid = PID, .fd = FD};

		g_strlcpy(owner.node, held[i], sizeof(owner.node));
		g_array_append_val(*owners, owner);
	}
	return 0;
}

GPtrArray *__wrap_device_names_of_node(const char *node)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	if (!strcmp(node, OTHER_NODE))
		g_ptr_array_add(names, g_strdup(OTHER_NAME));
	else if (names_of_node)
		g_ptr_array_add(names, g_strdup(names_of_node));
	return names;
}

/* A process that has a display, by its group's node. */
static int setup(void **state)
{
	double_setup(state);
	double_owner.there = true;
	looking_ret = 0;
	memset(held, 0, sizeof(held));
	held[0] = DOUBLE_GROUP_NODE;
	names_of_node = DOUBLE_NAME;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	return 0;
}

static void expect_display(const char *expected)
{
	GError *error = NULL;
	char *name = NULL;

	if (discover_display(PID, &name, &error))
		fail_msg("%s\n", error->message);
	assert_string_equal(name, expected);
	g_free(name);
}

static void expect_none(int ret, int code, const char *words)
{
	GError *error = NULL;
	char *name = NULL;

	assert_int_equal(discover_display(PID, &name, &error), ret);
	assert_null(name);
	assert_int_equal(error->code, code);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	g_error_free(error);
}

static void test_discover_finds_the_display(void **state)
{
	(void)state;
	expect_display(DOUBLE_NAME);
	held[1] = DOUBLE_GROUP_NODE; /* open twice */
	expect_display(DOUBLE_NAME);
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	expect_display(DOUBLE_NAME);
}

static void test_discover_of_a_process_that_cannot_be_looked_at(void **state)
{
	(void)state;
	looking_ret = -EACCES;
	expect_none(-EACCES, EXIT_REFUSED, "no permission to look at the process");
	looking_ret = -ESRCH;
	expect_none(-ESRCH, EXIT_FAILED, "no such process");
}

static void test_discover_of_a_process_without_a_display(void **state)
{
	(void)state;
	double_device.probes = 0;
	expect_none(-ENODEV, EXIT_NO_DISPLAY, "no vfio device with a display");
	names_of_node = NULL;
	expect_none(-ENODEV, EXIT_NO_DISPLAY, "no vfio device with a display");
	held[0] = NULL;
	expect_none(-ENODEV, EXIT_NO_DISPLAY, "no vfio device with a display");
}

/* One that fails for another reason than a lack of rights is no display, as far as one can tell. */
static void test_discover_of_a_device_that_cannot_be_attached_to(void **state)
{
	(void)state;
	double_fail("pidfd_getfd", -1, EPERM);
	expect_none(-EACCES, EXIT_REFUSED, "may not be attached to");
	double_heal();
	double_fail("GET_DEVICE_FD", -1, EIO);
	expect_none(-ENODEV, EXIT_NO_DISPLAY, "no vfio device with a display");
}

static void test_discover_names_all_displays_of_several(void **state)
{
	(void)state;
	double_owner.cdev = true;
	held[0] = DOUBLE_CDEV_NODE;
	held[1] = OTHER_NODE;
	expect_none(-ENOTUNIQ, EXIT_USAGE,
		    "2 displays (name one of them: mdev:" DOUBLE_NAME ", pci:" OTHER_NAME ")");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, double_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_discover_finds_the_display),
		TEST(test_discover_of_a_process_that_cannot_be_looked_at),
		TEST(test_discover_of_a_process_without_a_display),
		TEST(test_discover_of_a_device_that_cannot_be_attached_to),
		TEST(test_discover_names_all_displays_of_several),
	};
#undef TEST

	return cmocka_run_group_tests_name("discover", tests, NULL, NULL);
}
