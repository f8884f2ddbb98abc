/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"
#include "unit.h"

#define WIDTH  200u
#define HEIGHT 100u

struct fixture {
	struct capture *capture;
	struct frame *frame;
	struct damage changed;
	struct plane plane;
	uint8_t *bytes;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_int_equal(capture_create(&fixture->capture), 0);
	fixture->frame = frame_create(WIDTH, HEIGHT);
	assert_int_equal(damage_init(&fixture->changed, WIDTH, HEIGHT), 0);
	fixture->bytes = calloc(1, 1024 * 128);
	fixture->plane = (struct plane){
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = WIDTH,
		.height = HEIGHT,
		.stride = 1024,
		.data = fixture->bytes,
		.size = 1024 * 128,
	};
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	capture_destroy(fixture->capture);
	frame_release(fixture->frame);
	damage_finish(&fixture->changed);
	free(fixture->bytes);
	free(fixture);
	return 0;
}

static uint32_t frame_pixel(const struct fixture *fixture, uint32_t x, uint32_t y)
{
	return fixture->frame->pixels[y * fixture->frame->stride / 4 + x] & 0xffffff;
}

static int pass(struct fixture *fixture, const struct damage *limit)
{
	damage_clear(&fixture->changed);
	assert_int_equal(plane_validate(&fixture->plane, NULL), 0);
	return capture_pass(fixture->capture, &fixture->plane, limit, fixture->frame,
			    &fixture->changed);
}

static void test_capture_reports_exactly_the_changed_cell(void **state)
{
	struct fixture *fixture = *state;
	uint32_t pixel = 0x123456;

	assert_int_equal(pass(fixture, NULL), 0);
	assert_true(damage_is_empty(&fixture->changed));
	memcpy(fixture->bytes + 70 * 1024 + 150 * 4, &pixel, 4);
	assert_int_equal(pass(fixture, NULL), 0);
	assert_int_equal(damage_count(&fixture->changed), 1);
	assert_int_equal(fixture->changed.cells.words[2 * fixture->changed.cells.stride], 1 << 2);
	assert_int_equal(frame_pixel(fixture, 150, 70), 0x123456);
	assert_int_equal(pass(fixture, NULL), 0);
	assert_true(damage_is_empty(&fixture->changed));
}

static void test_capture_ignores_the_x_byte(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 3; i < 1024 * HEIGHT; i += 4)
		fixture->bytes[i] = 0xff;
	assert_int_equal(pass(fixture, NULL), 0);
	assert_true(damage_is_empty(&fixture->changed));
}

static void test_capture_reads_only_where_it_may(void **state)
{
	struct fixture *fixture = *state;
	struct damage limit;
	uint64_t before;

	assert_int_equal(damage_init(&limit, WIDTH, HEIGHT), 0);
	memset(fixture->bytes, 0x55, 1024 * HEIGHT);
	damage_add(&limit, &(struct detile_rect){64, 32, 1, 1});
	before = capture_bytes_read(fixture->capture);
	assert_int_equal(pass(fixture, &limit), 0);
	assert_int_equal(damage_count(&fixture->changed), 1);
	assert_int_equal(capture_bytes_read(fixture->capture) - before, 64 * 32 * 4);
	assert_int_equal(frame_pixel(fixture, 64, 32), 0x555555);
	assert_int_equal(frame_pixel(fixture, 127, 63), 0x555555);
	assert_int_equal(frame_pixel(fixture, 63, 32), 0);
	assert_int_equal(frame_pixel(fixture, 128, 63), 0);
	damage_finish(&limit);
}

static void test_capture_converts_formats(void **state)
{
	static const struct {
		uint32_t fourcc, value, expected;
	} cases[] = {
		{DRM_FORMAT_XBGR8888, 0x00112233, 0x332211},
		{DRM_FORMAT_RGBX8888, 0x11223300, 0x112233},
		{DRM_FORMAT_BGRA8888, 0x112233ff, 0x332211},
		{DRM_FORMAT_RGB565, 0xf81ff81f, 0xff00ff},
		{DRM_FORMAT_BGR565, 0x001f001f, 0xff0000},
		{DRM_FORMAT_XRGB2101010, 0x000ffc00, 0x00ff00},
		{DRM_FORMAT_ABGR2101010, 0xc00003ff, 0xff0000},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t offset = 0; offset < 1024 * HEIGHT; offset += 4)
			memcpy(fixture->bytes + offset, &cases[i].value, 4);
		fixture->plane.fourcc = cases[i].fourcc;
		assert_int_equal(pass(fixture, NULL), 0);
		for (uint32_t y = 0; y < HEIGHT; y++)
			for (uint32_t x = 0; x < WIDTH; x++)
				assert_int_equal(frame_pixel(fixture, x, y), cases[i].expected);
		assert_int_equal(damage_count(&fixture->changed), 4 * 4);
	}
}

/* A device whose memory goes away in the middle of a pass ends the pass, not the process. */
static void test_capture_survives_sigbus(void **state)
{
	struct fixture *fixture = *state;
	int fd = memfd_create("plane", MFD_CLOEXEC);
	void *data;

	guard_init(); /* cmocka has its own handler in each test */
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1024 * 128), 0);
	data = mmap(NULL, 1024 * 128, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	fixture->plane.data = data;
	assert_int_equal(pass(fixture, NULL), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(pass(fixture, NULL), -EFAULT);
	fixture->plane.fourcc = DRM_FORMAT_RGB565;
	assert_int_equal(pass(fixture, NULL), -EFAULT);
	assert_int_equal(ftruncate(fd, 1024 * 128), 0);
	assert_int_equal(pass(fixture, NULL), 0);
	munmap(data, 1024 * 128);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capture_reports_exactly_the_changed_cell,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_ignores_the_x_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_reads_only_where_it_may, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_capture_converts_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_survives_sigbus, setup, teardown),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
