/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that tells of its changes, and pages that tell nonsense. */
#include "tracker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_vfio.h"
#include "unit.h"

#define WIDTH  640u
#define HEIGHT 480u
#define CELLS  (WIDTH / DETILE_CELL_WIDTH * (HEIGHT / DETILE_CELL_HEIGHT))

static struct mplane_status *page;
static struct vfio vfio;
static struct tracker tracker;
static struct damage damage;

static int setup(void **state)
{
	(void)state;
	double_owner_init();
	double_device_init();
	double_gpu_init();
	double_start();
	page = double_device_plug_status();
	vfio = VFIO_CLOSED;
	vfio.device = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	tracker = TRACKER_CLOSED;
	return damage_init(&damage, WIDTH, HEIGHT);
}

static int teardown(void **state)
{
	(void)state;
	damage_finish(&damage);
	tracker_close(&tracker);
	vfio_close(&vfio);
	assert_int_equal(double_device.event, -1);
	double_expect_balance();
	double_gpu_finish();
	double_device_finish();
	double_owner_finish();
	return 0;
}

static void add_record(uint32_t x, uint32_t y)
{
	uint64_t number = page->sequence++;

	page->ring[number % MPLANE_STATUS_RING] = (struct mplane_status_damage){number, x, y, 1, 1};
}

/* An open tracker that has compared everything once. */
static void begin(void)
{
	double_owner.now += 10 * G_USEC_PER_SEC;
	assert_int_equal(tracker_open(&vfio, &tracker), 0);
	assert_int_equal(tracker_hint(&tracker, &damage), -ENOTSUP);
	assert_int_equal(tracker_hint(&tracker, &damage), 0);
	assert_true(damage_is_empty(&damage));
	assert_true(tracker_event_fd(&tracker) >= 0);
}

static void expect_hint(int ret, size_t cells)
{
	assert_int_equal(tracker_hint(&tracker, &damage), ret);
	assert_int_equal(damage_count(&damage), cells);
	damage_clear(&damage);
}

static void test_tracker_takes_the_first_free_place(void **state)
{
	(void)state;
	double_fail("SET_EVENT 0", -1, EBUSY);
	double_fail("SET_EVENT 1", -1, EBUSY);
	assert_int_equal(tracker_open(&vfio, &tracker), 0);
	assert_int_equal(tracker.place, 2);
	assert_int_equal(double_device.event, tracker.event);
	double_forget();
	tracker_close(&tracker);
	assert_string_equal(double_calls(), "SET_EVENT 2");
}

static void break_page(void)
{
	page->magic = 0;
}

static void test_tracker_each_failure_to_open_leaves_it_closed(void **state)
{
	static const struct {
		const char *call;
		int errnum, ret;
	} cases[] = {
		{"GET_INFO", EIO, -EIO},        {"GET_REGION_INFO", EINVAL, -ENOENT},
		{"pread", EFAULT, -EIO},        {"eventfd", EMFILE, -EMFILE},
		{"SET_EVENT", EINVAL, -EINVAL}, {"SET_EVENT", EBUSY, -EBUSY},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double_heal();
		double_fail(cases[i].call, -1, cases[i].errnum);
		assert_int_equal(tracker_open(&vfio, &tracker), cases[i].ret);
		assert_int_equal(tracker.event, -1);
		assert_int_equal(double_device.event, -1);
	}
	double_heal();
	assert_in_range(double_count("SET_EVENT"), 2, 70);
	/* A page that goes bad between the event and the second reading of it. */
	double_device.on_event = break_page;
	assert_int_equal(tracker_open(&vfio, &tracker), -EIO);
	assert_int_equal(tracker.event, -1);
	assert_int_equal(tracker_hint(&tracker, &damage), -ENOTSUP);
}

static void test_tracker_believes_no_page_that_cannot_be(void **state)
{
	const struct mplane_status good = *page;

	(void)state;
	for (int i = 0; i < 5; i++) {
		*page = good;
		page->magic ^= i == 0;
		page->version += i == 1;
		page->size -= i == 2;
		page->lock |= i == 3; /* always being written */
		page->flags |= i == 4 ? MPLANE_STATUS_LEAVING : 0;
		double_forget();
		assert_int_equal(tracker_open(&vfio, &tracker), i == 4 ? -ESHUTDOWN : -EIO);
		assert_in_range(double_count("pread"), 1, 300);
		assert_int_equal(double_count("SET_EVENT"), 0);
	}
}

static void test_tracker_tells_what_was_recorded(void **state)
{
	(void)state;
	begin();
	add_record(0, 0);
	add_record(1, 1);
	add_record(WIDTH - 1, HEIGHT - 1);
	add_record(WIDTH, 0); /* outside */
	expect_hint(0, 2);
	expect_hint(0, 0);
	for (int i = 0; i < MPLANE_STATUS_RING; i++)
		add_record(0, 0);
	expect_hint(0, 1);
	for (int i = 0; i < MPLANE_STATUS_RING + 1; i++)
		add_record(0, 0);
	expect_hint(0, CELLS); /* one is lost */
	add_record(0, 0);
	page->ring[(page->sequence - 1) % MPLANE_STATUS_RING].number += MPLANE_STATUS_RING;
	expect_hint(0, CELLS); /* overwritten while it was read */
}

static void test_tracker_leaves_what_it_cannot_tell_to_a_compare(void **state)
{
	(void)state;
	begin();
	page->generation++;
	expect_hint(-ENOTSUP, 0); /* another plane */
	expect_hint(0, 0);
	double_owner.now += 10 * G_USEC_PER_SEC;
	expect_hint(-ENOTSUP, 0); /* its word is checked */
	expect_hint(0, 0);
	page->flags &= ~MPLANE_STATUS_TRACKED;
	expect_hint(-ENOTSUP, 0);
	assert_int_equal(tracker_event_fd(&tracker), -1);
	page->flags |= MPLANE_STATUS_TRACKED;
	expect_hint(-ENOTSUP, 0); /* what happened before is not in the ring */
	expect_hint(0, 0);
	assert_true(tracker_event_fd(&tracker) >= 0);
	page->lock |= 1;
	expect_hint(-ENOTSUP, 0);
	assert_int_equal(tracker_event_fd(&tracker), -1);
}

static void test_tracker_hears_that_the_device_is_wanted_back(void **state)
{
	(void)state;
	begin();
	page->flags |= MPLANE_STATUS_LEAVING;
	expect_hint(-ESHUTDOWN, 0);
}

static void test_tracker_event_that_cannot_be_read_tells_nothing(void **state)
{
	int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	begin();
	assert_true(folder >= 0);
	assert_int_equal(dup3(folder, tracker.event, O_CLOEXEC), tracker.event);
	expect_hint(-ENOTSUP, 0);
	close(folder);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_tracker_takes_the_first_free_place),
		TEST(test_tracker_each_failure_to_open_leaves_it_closed),
		TEST(test_tracker_believes_no_page_that_cannot_be),
		TEST(test_tracker_tells_what_was_recorded),
		TEST(test_tracker_leaves_what_it_cannot_tell_to_a_compare),
		TEST(test_tracker_hears_that_the_device_is_wanted_back),
		TEST(test_tracker_event_that_cannot_be_read_tells_nothing),
	};
#undef TEST

	return cmocka_run_group_tests_name("tracker", tests, NULL, NULL);
}
