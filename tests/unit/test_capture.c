/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <glib.h>
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

static void test_capture_converts_by_a_given_palette(void **state)
{
	uint32_t palette[256];
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 256; i++)
		palette[i] = i * 0x010203 ^ 0xabcdef;
	memset(fixture->bytes, 0x42, 1024 * HEIGHT);
	fixture->plane.fourcc = DRM_FORMAT_C8;
	fixture->plane.palette = palette;
	assert_int_equal(pass(fixture, NULL), 0);
	assert_int_equal(frame_pixel(fixture, 0, 0), palette[0x42]);
	assert_int_equal(frame_pixel(fixture, WIDTH - 1, HEIGHT - 1), palette[0x42]);
	fixture->plane.palette = NULL;
	assert_int_equal(pass(fixture, NULL), 0);
	assert_int_equal(frame_pixel(fixture, 1, 1), 0x424242);
}

/* One row of bytes, repeated down the plane, and what its first pixels become. */
static void expect_row(struct fixture *fixture, uint32_t fourcc, const uint8_t *bytes, size_t size,
		       const uint32_t *expected, uint32_t count)
{
	memset(fixture->bytes, 0, 1024 * HEIGHT);
	for (size_t y = 0; y < HEIGHT; y++)
		memcpy(fixture->bytes + y * 1024, bytes, size);
	fixture->plane.fourcc = fourcc;
	assert_int_equal(pass(fixture, NULL), 0);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < count; x++)
			assert_int_equal(frame_pixel(fixture, x, y), expected[x]);
}

static void test_capture_shows_indices_as_grey(void **state)
{
	static const uint32_t expected[] = {0, 0x010101, 0x808080, 0xffffff};

	expect_row(*state, DRM_FORMAT_C8, (const uint8_t[]){0, 1, 128, 255}, 4, expected, 4);
}

/* Black and white, the bars' red and blue, and what is out of range, in the four orders of bytes.
 */
static void test_capture_converts_yuv_pairs(void **state)
{
	static const uint8_t yuyv[] = {16, 128, 235, 128, 81, 90,  82,  240,
				       41, 240, 41,  110, 0,  128, 255, 128};
	static const uint32_t expected[] = {0,        0xffffff, 0xff0000, 0xff0100,
					    0x0000ff, 0x0000ff, 0,        0xffffff};
	static const struct {
		uint32_t fourcc;
		uint8_t place[4]; /* of YUYV's bytes */
	} orders[] = {
		{DRM_FORMAT_YUYV, {0, 1, 2, 3}},
		{DRM_FORMAT_YVYU, {0, 3, 2, 1}},
		{DRM_FORMAT_UYVY, {1, 0, 3, 2}},
		{DRM_FORMAT_VYUY, {3, 0, 1, 2}},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
		uint8_t bytes[sizeof(yuyv)];

		for (size_t at = 0; at < sizeof(bytes); at++)
			bytes[at] = yuyv[(at & ~3u) + orders[i].place[at & 3]];
		expect_row(*state, orders[i].fourcc, bytes, sizeof(bytes), expected, 8);
	}
}

static void put_yuv(uint8_t *bytes, uint32_t x, uint32_t y, int v)
{
	bytes[0] = (uint8_t)(x + 40);
	bytes[1] = (uint8_t)(x & 1 ? v : (int)y * 2);
}

/* Every brightness and colour against the matrix in real numbers: off by one at most. */
static void test_capture_yuv_is_bt601(void **state)
{
	struct fixture *fixture = *state;

	fixture->plane.fourcc = DRM_FORMAT_YUYV;
	for (int v = 0; v < 256; v += 5) {
		for (uint32_t y = 0; y < HEIGHT; y++)
			for (uint32_t x = 0; x < WIDTH; x++)
				put_yuv(fixture->bytes + y * 1024 + x * 2, x, y, v);
		assert_int_equal(pass(fixture, NULL), 0);
		for (uint32_t y = 0; y < HEIGHT; y++) {
			for (uint32_t x = 0; x < WIDTH; x++) {
				double grey = 255.0 / 219 * (x + 40 - 16.0);
				double u = 255.0 / 224 * (y * 2 - 128.0);
				double w = 255.0 / 224 * (v - 128.0);
				double rgb[] = {grey + 1.772 * u,
						grey - 0.344136 * u - 0.714136 * w,
						grey + 1.402 * w};

				for (int i = 0; i < 3; i++) {
					double value = rgb[i] < 0 ? 0 : rgb[i] > 255 ? 255 : rgb[i];
					double is = frame_pixel(fixture, x, y) >> 8 * i & 255;

					assert_true(is - value < 1.5 && value - is < 1.5);
				}
			}
		}
	}
}

/* The colour of the last pixel of an odd row is in bytes beyond it, which must be there. */
static void test_capture_yuv_of_odd_width(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t red[] = {81, 90, 81, 240};

	frame_release(fixture->frame);
	damage_finish(&fixture->changed);
	fixture->frame = frame_create(33, HEIGHT);
	assert_int_equal(damage_init(&fixture->changed, 33, HEIGHT), 0);
	fixture->plane.fourcc = DRM_FORMAT_YUYV;
	fixture->plane.modifier = I915_FORMAT_MOD_X_TILED;
	fixture->plane.width = 33;
	fixture->plane.stride = 512;
	for (size_t i = 0; i < 1024 * 128; i++)
		fixture->bytes[i] = red[i & 3];
	assert_int_equal(pass(fixture, NULL), 0);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < 33; x++)
			assert_int_equal(frame_pixel(fixture, x, y), 0xff0000);
	fixture->plane.modifier = DRM_FORMAT_MOD_LINEAR;
	fixture->plane.stride = 68;
	fixture->plane.size = 68 * HEIGHT;
	assert_int_equal(plane_validate(&fixture->plane, NULL), 0);
	fixture->plane.size--;
	assert_int_equal(plane_validate(&fixture->plane, NULL), -EINVAL);
	fixture->plane.stride = 67;
	assert_int_equal(plane_validate(&fixture->plane, NULL), -EINVAL);
}

/* Whether a probe finds a difference; it must leave the frame as it is. */
static bool probe(struct fixture *fixture, uint32_t number)
{
	bool differs = false;

	assert_int_equal(
		capture_probe(fixture->capture, &fixture->plane, fixture->frame, number, &differs),
		0);
	assert_int_equal(frame_pixel(fixture, 150, 71), 0);
	return differs;
}

static void test_capture_probe_finds_a_pixel_in_one_pass_of_eight(void **state)
{
	struct fixture *fixture = *state;
	unsigned int found = 0;
	uint64_t before;

	for (uint32_t i = 0; i < DETILE_PROBE_PASSES; i++)
		assert_false(probe(fixture, i));
	fixture->bytes[70 * 1024 + 150 * 4 + 3] = 0xff; /* the X byte is no change */
	fixture->bytes[71 * 1024 + 150 * 4] = 0x12;
	before = capture_bytes_read(fixture->capture);
	for (uint32_t i = 0; i < DETILE_PROBE_PASSES; i++)
		found += probe(fixture, i);
	assert_int_equal(found, 1);
	assert_int_equal(capture_bytes_read(fixture->capture) - before,
			 DETILE_PROBE_PASSES * WIDTH * 13 * 4);
	assert_int_equal(pass(fixture, NULL), 0);
	assert_int_equal(damage_count(&fixture->changed), 1);
	fixture->bytes[71 * 1024 + 150 * 4] = 0;
	assert_int_equal(pass(fixture, NULL), 0);
	for (uint32_t i = 0; i < DETILE_PROBE_PASSES; i++)
		assert_false(probe(fixture, i));
}

static void test_capture_probe_leaves_other_formats_to_a_pass(void **state)
{
	static const uint32_t fourccs[] = {DRM_FORMAT_C8, DRM_FORMAT_RGB565, DRM_FORMAT_XBGR8888,
					   DRM_FORMAT_XRGB2101010, DRM_FORMAT_YUYV};
	struct fixture *fixture = *state;
	uint64_t before = capture_bytes_read(fixture->capture);
	bool differs;

	for (size_t i = 0; i < G_N_ELEMENTS(fourccs); i++) {
		fixture->plane.fourcc = fourccs[i];
		assert_int_equal(capture_probe(fixture->capture, &fixture->plane, fixture->frame, 0,
					       &differs),
				 -ENOTSUP);
	}
	assert_int_equal(capture_bytes_read(fixture->capture), before);
}

/* A device whose memory goes away in the middle of a pass ends the pass, not the process. */
static void test_capture_survives_sigbus(void **state)
{
	struct fixture *fixture = *state;
	int fd = memfd_create("plane", MFD_CLOEXEC);
	bool differs;
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
	assert_int_equal(
		capture_probe(fixture->capture, &fixture->plane, fixture->frame, 0, &differs),
		-ENOTSUP);
	fixture->plane.fourcc = DRM_FORMAT_XRGB8888;
	assert_int_equal(
		capture_probe(fixture->capture, &fixture->plane, fixture->frame, 0, &differs),
		-EFAULT);
	assert_int_equal(ftruncate(fd, 1024 * 128), 0);
	assert_int_equal(pass(fixture, NULL), 0);
	assert_int_equal(
		capture_probe(fixture->capture, &fixture->plane, fixture->frame, 0, &differs), 0);
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
		cmocka_unit_test_setup_teardown(test_capture_shows_indices_as_grey, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_capture_converts_by_a_given_palette, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_capture_converts_yuv_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_yuv_is_bt601, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_yuv_of_odd_width, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_capture_probe_finds_a_pixel_in_one_pass_of_eight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_probe_leaves_other_formats_to_a_pass,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_capture_survives_sigbus, setup, teardown),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
