/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source_vfio.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <unistd.h>

#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_source.h"
#include "double_vfio.h"
#include "log.h"
#include "unit.h"

static void test_source_follows_its_owner(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_open_source(SOURCE_VFIO_FOLLOW); /* nobody owns it: no failure */
	assert_int_equal(double_count("open"), 0);
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_REFUSED, "waiting for a machine");
	assert_string_equal(double_calls(), ""); /* too soon to look again */
	for (int i = 0; i < 10; i++) {
		double_owner_start();
		double_owner.now += G_USEC_PER_SEC;
		double_look();
		assert_int_equal(double_open(DOUBLE_DEVICE), 1);
		assert_int_equal(double_open(DOUBLE_GROUP), 0);
		double_owner_exit();
		while (g_main_context_iteration(NULL, FALSE))
			;
		assert_int_equal(double_changes, i + 1);
		double_expect_balance(); /* its next start finds the device free */
		double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_REFUSED,
				      "waiting for a machine");
	}
	assert_int_equal(double_count("open"), 0);
}

static void test_source_lets_go_when_its_owner_does(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_owner_start();
	double_open_source(SOURCE_VFIO_FOLLOW);
	double_look();
	double_owner.there = false; /* unplugged, and alive */
	while (!double_changes)
		g_main_context_iteration(NULL, TRUE);
	double_expect_balance();
}

/* What fails is not tried again for a second on a device that its owner no longer has. */
static void test_source_lets_go_at_once_when_asking_fails(void **state)
{
	struct plane plane;
	GError *error = NULL;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_owner_start();
	double_open_source(SOURCE_VFIO_FOLLOW);
	double_look();
	double_fail("QUERY", -1, EIO);
	double_expect_refusal(PLANE_PRIMARY, -ENODATA, EXIT_FAILED, "tells no plane");
	assert_int_equal(double_changes, 0); /* the owner has it still */
	double_owner.there = false;
	assert_int_equal(double_source->ops->acquire(double_source, PLANE_PRIMARY, &plane, &error),
			 -EAGAIN);
	g_clear_error(&error);
	assert_int_equal(double_changes, 1);
	double_expect_balance();
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_REFUSED, "waiting for a machine");
}

static void test_source_gives_an_attached_device_back(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	double_owner_start();
	double_open_source(SOURCE_VFIO_FOLLOW);
	for (int i = 1; i <= 3; i++) {
		double_look();
		double_source->ops->rest(double_source);
		double_expect_balance();
		double_source->ops->rest(double_source);
		assert_int_equal(double_device_got(1), i); /* what closed is got anew */
	}
	assert_int_equal(double_changes, 0);
}

static void test_source_keeps_an_opened_device_at_rest(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_look();
	double_source->ops->rest(double_source);
	assert_int_equal(double_open(DOUBLE_DEVICE), 1);
}

static void test_source_goes_while_a_plane_is_lent(void **state)
{
	struct plane plane, old;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	double_owner_start();
	double_open_source(SOURCE_VFIO_FOLLOW);
	plane = double_acquire();
	old = plane;
	double_source->ops->rest(double_source);
	assert_int_equal(double_gpu.reading, 0);
	assert_false(double_same(&plane));
	double_release(&plane);
	/* The same id in another connection is another buffer. */
	plane = double_acquire();
	assert_false(double_same(&old));
	double_release(&old);
	assert_int_equal(double_gpu.reading, 1);
	double_release(&plane);
}

static void test_source_owner_that_may_not_be_attached_to(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_owner.hidden = true;
	double_expect_no_source(SOURCE_VFIO_FOLLOW, -EACCES, EXIT_REFUSED, "CAP_SYS_PTRACE");
	double_fail("open /dev/vfio/42", -1, EBUSY);
	double_expect_no_source(SOURCE_VFIO_ATTACH_OPEN, -EBUSY, EXIT_REFUSED, "CAP_SYS_PTRACE");
	double_owner_start();
	double_fail("pidfd_getfd", -1, EPERM);
	double_expect_no_source(SOURCE_VFIO_FOLLOW, -EACCES, EXIT_REFUSED, "CAP_SYS_PTRACE");
	double_expect_no_source(SOURCE_VFIO_ATTACH_OPEN, -EACCES, EXIT_REFUSED, "CAP_SYS_PTRACE");
}

/* Until the next try a failure stays what it was. */
static void test_source_repeats_a_failure_with_its_code(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_open_source(SOURCE_VFIO_FOLLOW);
	double_owner_start();
	double_owner.now += G_USEC_PER_SEC;
	double_fail("pidfd_getfd", -1, EPERM);
	double_expect_refusal(PLANE_PRIMARY, -EACCES, EXIT_REFUSED, "CAP_SYS_PTRACE");
	double_forget();
	double_expect_refusal(PLANE_PRIMARY, -EACCES, EXIT_REFUSED, "CAP_SYS_PTRACE");
	assert_string_equal(double_calls(), "");
}

static void test_source_owner_that_goes_while_it_is_attached_to(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_owner_start();
	double_fail("pidfd_getfd", -1, EBADF);
	double_open_source(SOURCE_VFIO_FOLLOW); /* as if there had been none */
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_REFUSED, "waiting for a machine");
	double_heal();
	double_fail("pidfd_open", 1, ESRCH); /* gone, and another there at once */
	double_owner.now += G_USEC_PER_SEC;
	double_look();
}

/* The driver wants it back: closed at once, and not opened again before it could leave. */
static void test_source_gives_an_opened_device_back_on_request(void **state)
{
	uint64_t one = 1;

	(void)state;
	double_device.has_request = true;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_look();
	assert_int_equal(write(double_device.request, &one, sizeof(one)), sizeof(one));
	while (g_main_context_iteration(NULL, FALSE))
		;
	assert_int_equal(double_changes, 1);
	double_expect_balance();
	double_forget();
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_FAILED, "the device is being removed");
	assert_string_equal(double_calls(), "");
	double_owner.now += G_USEC_PER_SEC;
	double_look();
}

static void test_source_adopts_a_descriptor(void **state)
{
	int fd = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	GError *error = NULL;

	(void)state;
	assert_int_equal(source_vfio_adopt(fd, &double_source, &error), -ENODEV);
	assert_int_equal(error->code, EXIT_NO_DISPLAY);
	g_clear_error(&error);
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	assert_int_equal(source_vfio_adopt(fd, &double_source, NULL), 0);
	double_look();
	double_source->ops->rest(double_source);
	double_look();
	close(fd);
	double_look();
}

/* How status tells of the source, a member of it; for g_free(). */
static char *describe(const char *member)
{
	JsonBuilder *json = json_builder_new();
	JsonNode *root;
	char *text;

	json_builder_begin_object(json);
	double_source->ops->describe(double_source, json);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	text = json_to_string(json_object_get_member(json_node_get_object(root), member), FALSE);
	json_node_unref(root);
	g_object_unref(json);
	return text;
}

static void expect_member(const char *member, const char *expected)
{
	char *text = describe(member);

	assert_string_equal(text, expected);
	g_free(text);
}

static void test_source_tells_how_it_holds_the_device(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_owner_start();
	double_open_source(SOURCE_VFIO_ATTACH_OPEN);
	double_look();
	expect_member("held", "\"attached\"");
	double_source->ops->rest(double_source);
	expect_member("held", "null");
	expect_member("way", "null");
	expect_member("owner", "null");
	double_owner_exit();
	double_look();
	expect_member("held", "\"opened\"");
	expect_member("way", "\"region mmap\"");
}

static struct damage hint_of(int ret)
{
	struct damage damage;

	assert_int_equal(damage_init(&damage, 640, 480), 0);
	assert_int_equal(double_source->ops->hint(double_source, &damage), ret);
	return damage;
}

static void expect_hint(int ret, size_t cells)
{
	struct damage damage = hint_of(ret);

	assert_int_equal(damage_count(&damage), cells);
	damage_finish(&damage);
}

static void test_source_passes_on_what_the_device_tells(void **state)
{
	struct mplane_status *page = double_device_plug_status();

	(void)state;
	double_owner.now += 10 * G_USEC_PER_SEC;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_look();
	expect_hint(-ENOTSUP, 0); /* the first picture is compared whole */
	expect_hint(0, 0);
	page->ring[page->sequence % MPLANE_STATUS_RING] = (struct mplane_status_damage){
		page->sequence, 3, 4, 1, 1};
	page->sequence++;
	expect_hint(0, 1);
	expect_member("damage", "\"status region\"");
	/* One whose place in the event is refused is compared. */
	double_source->ops->rest(double_source);
	double_fail("SET_EVENT", -1, EBUSY);
	double_look();
	expect_hint(-ENOTSUP, 0);
	expect_member("damage", "\"compare\"");
}

/* The page says that the device is wanted back: before, or while it is read. */
static void test_source_gives_a_device_back_by_its_page(void **state)
{
	struct mplane_status *page = double_device_plug_status();
	struct plane plane;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	page->flags |= MPLANE_STATUS_LEAVING;
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_FAILED, "the device is being removed");
	double_expect_balance();
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_FAILED, "the device is being removed");
	page->flags &= ~MPLANE_STATUS_LEAVING;
	double_owner.now += G_USEC_PER_SEC;
	plane = double_acquire();
	page->flags |= MPLANE_STATUS_LEAVING;
	expect_hint(-ENOTSUP, 0);
	assert_int_equal(double_changes, 0);
	double_release(&plane);
	assert_int_equal(double_changes, 1);
	double_expect_balance();
}

/* A descriptor that was given back cannot be had again. */
static void test_source_gives_an_adopted_device_back_for_good(void **state)
{
	struct mplane_status *page = double_device_plug_status();
	int fd = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	struct plane plane;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	assert_int_equal(source_vfio_adopt(fd, &double_source, NULL), 0);
	double_watch_source();
	close(fd);
	plane = double_acquire();
	page->flags |= MPLANE_STATUS_LEAVING;
	expect_hint(-ENOTSUP, 0);
	double_release(&plane);
	double_expect_balance();
	double_owner.now += G_USEC_PER_SEC;
	double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_FAILED, "its descriptor is closed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, double_setup, double_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_source_follows_its_owner),
		TEST(test_source_lets_go_when_its_owner_does),
		TEST(test_source_lets_go_at_once_when_asking_fails),
		TEST(test_source_gives_an_attached_device_back),
		TEST(test_source_keeps_an_opened_device_at_rest),
		TEST(test_source_goes_while_a_plane_is_lent),
		TEST(test_source_owner_that_may_not_be_attached_to),
		TEST(test_source_repeats_a_failure_with_its_code),
		TEST(test_source_owner_that_goes_while_it_is_attached_to),
		TEST(test_source_gives_an_opened_device_back_on_request),
		TEST(test_source_adopts_a_descriptor),
		TEST(test_source_tells_how_it_holds_the_device),
		TEST(test_source_passes_on_what_the_device_tells),
		TEST(test_source_gives_a_device_back_by_its_page),
		TEST(test_source_gives_an_adopted_device_back_for_good),
	};
#undef TEST

	return cmocka_run_group_tests_name("source_owner", tests, NULL, NULL);
}
