/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture.h"
#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_vfio.h"
#include "guard.h"
#include "log.h"
#include "unit.h"

#define WIDTH  640u
#define HEIGHT 480u
#define STRIDE 2560u

/* The registers of a bochs-display. */
#define DISPI 0x500

static struct vfio vfio;
static int dmabuf;

static int setup(void **state)
{
	(void)state;
	double_owner_init();
	double_device_init();
	double_gpu_init();
	double_start();
	vfio = VFIO_CLOSED;
	vfio.device = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	dmabuf = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (dmabuf >= 0)
		close(dmabuf);
	vfio_close(&vfio);
	double_expect_balance();
	double_gpu_finish();
	double_device_finish();
	double_owner_finish();
	return 0;
}

/* The picture that everything here shows. */
static uint32_t pixel(uint32_t x, uint32_t y)
{
	return (x * 0x010203 ^ y * 0x030507) & 0xffffff;
}

static void draw_linear(uint8_t *bytes)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			memcpy(bytes + y * STRIDE + x * 4, &(uint32_t){pixel(x, y)}, 4);
}

static void draw(uint32_t id, uint8_t *bytes)
{
	static uint8_t linear[STRIDE * HEIGHT];
	struct detile_surface surface = {
		.size = STRIDE * HEIGHT,
		.width = WIDTH,
		.height = HEIGHT,
		.stride = STRIDE,
		.cpp = 4,
	};
	struct detile_image image = {linear, STRIDE};

	(void)id;
	draw_linear(linear);
	assert_int_equal(plane_layout(double_device.primary.drm_format_mod, &surface.layout), 0);
	detile_tile(bytes, &surface, &(struct detile_rect){0, 0, WIDTH, HEIGHT}, &image);
}

static struct map_target region_target(void)
{
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	return (struct map_target){
		&vfio, DOUBLE_NAME, &double_device.primary, VFIO_GFX_PLANE_TYPE_REGION, -1, NULL};
}

static struct map_target dmabuf_target(uint64_t modifier)
{
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, modifier);
	double_device.fill = draw;
	dmabuf = vfio_get_dmabuf(&vfio, 1);
	assert_true(dmabuf >= 0);
	return (struct map_target){
		&vfio,  DOUBLE_NAME, &double_device.primary, VFIO_GFX_PLANE_TYPE_DMABUF,
		dmabuf, NULL};
}

static void set_dispi(unsigned int index, uint16_t value)
{
	memcpy(double_device.bytes + (VFIO_PCI_BAR2_REGION_INDEX << DOUBLE_REGION_BIT) + DISPI +
		       2 * index,
	       &value, 2);
}

static void open_map(const struct map_target *target, const char *way, struct map *map)
{
	GError *error = NULL;

	if (map_open(target, map, &error))
		fail_msg("%s\n", error->message);
	assert_string_equal(map->way->name, way);
}

/* Reads the map as a plane of the target's and expects the picture, to the pixel. */
static void expect_picture(struct map *map)
{
	struct plane plane = {
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = map->linear ? DRM_FORMAT_MOD_LINEAR : map->info.drm_format_mod,
		.width = WIDTH,
		.height = HEIGHT,
		.stride = STRIDE,
		.wc = map->wc,
	};
	struct frame *frame = frame_create(WIDTH, HEIGHT);
	struct capture *capture;
	struct damage changed;

	assert_int_equal(map_begin_read(map), 0);
	plane.data = map->data;
	plane.size = map->size;
	assert_int_equal(plane_validate(&plane, NULL), 0);
	assert_int_equal(capture_create(&capture), 0);
	assert_int_equal(damage_init(&changed, WIDTH, HEIGHT), 0);
	assert_int_equal(capture_pass(capture, &plane, NULL, frame, &changed), 0);
	map_end_read(map);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			if ((frame->pixels[y * frame->stride / 4 + x] & 0xffffff) != pixel(x, y))
				fail_msg("pixel %u,%u is wrong\n", x, y);
	damage_finish(&changed);
	capture_destroy(capture);
	frame_release(frame);
}

/* No way leads to it; the line has all those words, and the last way's errno is the answer. */
static void expect_no_way(const struct map_target *target, int ret, const char *const *words)
{
	GError *error = NULL;
	struct map map;

	assert_int_equal(map_open(target, &map, &error), ret);
	assert_int_equal(error->code, EXIT_FAILED);
	assert_true(g_str_has_prefix(error->message, "no way to its pixels ("));
	for (; *words; words++)
		if (!strstr(error->message, *words))
			fail_msg("\"%s\" is not in: %s\n", *words, error->message);
	assert_null(strchr(error->message, '\n'));
	g_error_free(error);
	map_close(&map); /* closed already: nothing happens */
}

static void test_map_reads_a_mapped_region(void **state)
{
	struct map_target target = region_target();
	struct map map;

	(void)state;
	open_map(&target, "region mmap", &map);
	/* Live: drawn after it was mapped. */
	draw_linear(double_device.bytes + (16 << DOUBLE_REGION_BIT));
	expect_picture(&map);
	assert_int_equal(double_count("pread"), 0);
	map_close(&map);
	map_close(&map);
}

static void test_map_reads_a_region_that_cannot_be_mapped(void **state)
{
	struct map_target target = region_target();
	struct map map;

	(void)state;
	double_device.regions[16].size = 16 << 20;
	double_fail("mmap region", -1, EINVAL);
	double_shorten_transfers(100000);
	open_map(&target, "region pread", &map);
	assert_int_equal(map.size, STRIDE * HEIGHT); /* not all of the region */
	draw_linear(double_device.bytes + (16 << DOUBLE_REGION_BIT));
	expect_picture(&map); /* read again, as it is now */
	double_fail("pread", -1, EIO);
	assert_int_equal(map_begin_read(&map), -EIO);
	map_close(&map);
}

static void test_map_region_without_a_way_says_why(void **state)
{
	struct map_target target = region_target();

	(void)state;
	double_fail("mmap region", -1, EINVAL);
	double_fail("pread", -1, EIO);
	expect_no_way(&target, -EIO,
		      (const char *[]){"region mmap: Invalid argument; ",
				       "region pread: Input/output error)", NULL});
	double_device.regions[16].size = (uint64_t)1 << 40;
	expect_no_way(&target, -EINVAL,
		      (const char *[]){"region mmap: region 16 has an impossible size", NULL});
	double_device.primary.region_index = 1000;
	expect_no_way(&target, -EINVAL,
		      (const char *[]){"no information on region 1000: Invalid argument", NULL});
}

static void test_map_region_offset_of_another_world(void **state)
{
	static const uint64_t offsets[] = {UINT64_MAX, UINT64_MAX & ~4095ull, (uint64_t)1 << 63, 1};
	struct map_target target = region_target();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++) {
		struct map map;

		double_device.regions[16].offset = offsets[i];
		if (!map_open(&target, &map, NULL)) {
			assert_int_equal(offsets[i], 1); /* pread() needs no page's start */
			assert_string_equal(map.way->name, "region pread");
			map_close(&map);
		}
	}
}

static void test_map_synchronises_a_dmabuf_around_reads(void **state)
{
	struct map_target target = dmabuf_target(I915_FORMAT_MOD_X_TILED);
	struct map map;

	(void)state;
	open_map(&target, "dma-buf mmap", &map);
	assert_int_equal(double_gpu.begins, 0);
	for (unsigned int i = 1; i <= 3; i++) {
		expect_picture(&map);
		assert_int_equal(double_gpu.begins, i);
		assert_int_equal(double_gpu.reading, 0);
	}
	map_close(&map);
}

static void test_map_dmabuf_that_never_gets_ready(void **state)
{
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
	struct map map;

	(void)state;
	open_map(&target, "dma-buf mmap", &map);
	double_fail("SYNC begin", 7, EINTR);
	assert_int_equal(map_begin_read(&map), 0);
	map_end_read(&map);
	double_fail("SYNC begin", -1, EAGAIN);
	assert_int_equal(map_begin_read(&map), -EAGAIN); /* and not for ever */
	assert_in_range(double_count("SYNC begin"), 10, 1000);
	map_close(&map);
}

static void test_map_dmabuf_outlives_the_descriptor_it_came_by(void **state)
{
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
	struct map map;

	(void)state;
	open_map(&target, "dma-buf mmap", &map);
	close(dmabuf);
	dmabuf = -1;
	expect_picture(&map);
	map_close(&map);
}

/* As GVT-g's: no CPU may map it, its GPU's node imports it and gives the tiled bytes. */
static void test_map_i915_gives_tiled_bytes(void **state)
{
	static const uint64_t modifiers[] = {DRM_FORMAT_MOD_LINEAR, I915_FORMAT_MOD_X_TILED,
					     I915_FORMAT_MOD_Y_TILED, I915_FORMAT_MOD_Yf_TILED,
					     I915_FORMAT_MOD_4_TILED};

	(void)state;
	double_gpu_plug("i915");
	double_fail("mmap dma-buf", -1, ENODEV);
	for (size_t i = 0; i < G_N_ELEMENTS(modifiers); i++) {
		struct map_target target = dmabuf_target(modifiers[i]);
		struct map map;

		double_forget();
		double_fail("GEM_PREAD", 2, EINTR);
		open_map(&target, "i915 pread", &map);
		assert_string_equal(double_calls(),
				    "dup; mmap dma-buf; open /dev/dri/renderD128; VERSION; "
				    "PRIME_FD_TO_HANDLE; GEM_PREAD; GEM_PREAD; GEM_PREAD");
		assert_int_equal(double_gpu.handles, 1);
		assert_false(map.linear);
		expect_picture(&map);
		map_close(&map);
		assert_int_equal(double_count("GEM_CLOSE"), 1);
		assert_int_equal(double_gpu.handles, 0);
		close(dmabuf);
	}
	dmabuf = -1;
}

/* Where PREAD is refused a mapping through the GTT shows X and Y linear. */
static void test_map_i915_gtt_shows_it_linear(void **state)
{
	static const uint64_t modifiers[] = {DRM_FORMAT_MOD_LINEAR, I915_FORMAT_MOD_X_TILED,
					     I915_FORMAT_MOD_Y_TILED};
	uint8_t *linear;

	(void)state;
	double_gpu_plug("i915");
	double_gpu.linear = memfd_create("gtt", MFD_CLOEXEC);
	assert_int_equal(ftruncate(double_gpu.linear, STRIDE * HEIGHT), 0);
	linear = mmap(NULL, STRIDE * HEIGHT, PROT_READ | PROT_WRITE, MAP_SHARED, double_gpu.linear,
		      0);
	draw_linear(linear);
	double_fail("mmap dma-buf", -1, ENODEV);
	double_fail("GEM_PREAD", -1, EOPNOTSUPP);
	for (size_t i = 0; i < G_N_ELEMENTS(modifiers); i++) {
		struct map_target target = dmabuf_target(modifiers[i]);
		struct map map;

		double_forget();
		open_map(&target, "i915 gtt", &map);
		assert_true(map.linear);
		assert_true(map.wc);
		expect_picture(&map);
		map_close(&map);
		assert_int_equal(double_count("GEM_CLOSE"), 2); /* the refused way's as well */
		close(dmabuf);
	}
	dmabuf = -1;
	munmap(linear, STRIDE * HEIGHT);
	close(double_gpu.linear);
}

/* No fence knows Yf, and no other vendor's GPU is asked. */
static void test_map_dmabuf_without_a_way_says_why(void **state)
{
	struct map_target target = dmabuf_target(I915_FORMAT_MOD_Yf_TILED);

	(void)state;
	double_fail("mmap dma-buf", -1, ENODEV);
	expect_no_way(&target, -ENODEV,
		      (const char *[]){"dma-buf mmap: No such device; ",
				       "i915 pread: its GPU has no render node; ",
				       "i915 gtt: no fence knows this tiling; ",
				       "bochs: not a bochs-display)", NULL});
	double_gpu_plug("i915");
	double_fail("GEM_PREAD", -1, EOPNOTSUPP);
	expect_no_way(
		&target, -ENODEV,
		(const char *[]){"i915 pread: read refused: Operation not supported; ", NULL});
	target.name = NULL;
	expect_no_way(&target, -ENODEV,
		      (const char *[]){"i915 pread: its GPU has no render node; ", NULL});
}

static void test_map_i915_each_failure_is_told(void **state)
{
	static const struct {
		const char *call;
		int errnum;
		const char *words;
	} cases[] = {
		{"open /dev/dri", EACCES,
		 "i915 gtt: cannot open /dev/dri/renderD128: Permission denied"},
		{"VERSION", EINVAL, "i915 gtt: its GPU's driver is not i915"},
		{"PRIME_FD_TO_HANDLE", ENOENT, "i915 gtt: import refused: No such file"},
		{"GEM_MMAP_OFFSET", ENODEV, "i915 gtt: mapping refused: No such device"},
		{"mmap gtt", ENOMEM, "i915 gtt: mapping refused: Cannot allocate memory"},
		{"GEM_MMAP_OFFSET", EAGAIN, "i915 gtt: mapping refused: Resource temporarily"},
	};
	struct map_target target = dmabuf_target(I915_FORMAT_MOD_X_TILED);

	(void)state;
	double_gpu_plug("i915");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double_heal();
		double_fail("mmap dma-buf", -1, ENODEV);
		double_fail("GEM_PREAD", -1, EOPNOTSUPP);
		double_fail(cases[i].call, -1, cases[i].errnum);
		double_gpu.linear = i == 3 ? -1 : dmabuf;
		expect_no_way(&target, -ENODEV, (const char *[]){cases[i].words, NULL});
		assert_int_equal(double_gpu.handles, 0);
	}
	double_heal();
	double_fail("mmap dma-buf", -1, ENODEV);
	double_gpu.driver = "i915-of-another-name";
	expect_no_way(&target, -ENODEV, (const char *[]){"its GPU's driver is not i915", NULL});
	double_gpu.driver = "xe";
	expect_no_way(&target, -ENODEV, (const char *[]){"its GPU's driver is not i915", NULL});
	assert_int_equal(double_count("PRIME_FD_TO_HANDLE") > 0, 1);
}

static void test_map_bochs_reads_where_the_registers_point(void **state)
{
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
	struct map map;

	(void)state;
	double_device_plug_bochs(0, 100);
	draw_linear(double_device.bytes + 100 * STRIDE);
	double_fail("mmap dma-buf", -1, EINVAL);
	open_map(&target, "bochs", &map);
	expect_picture(&map);
	/* The guest flips: what is read follows, though the buffer is the same. */
	memset(double_device.bytes, 0, 4 << 20);
	set_dispi(9, 3);
	set_dispi(8, 16);
	draw_linear(double_device.bytes + 3 * STRIDE + 16 * 4);
	expect_picture(&map);
	set_dispi(1, 800);
	assert_int_equal(map_begin_read(&map), -EAGAIN);
	set_dispi(1, WIDTH);
	set_dispi(9, 60000);
	assert_int_equal(map_begin_read(&map), -EINVAL);
	map_close(&map);
}

/* Near the end of the memory there is less than the plane says: its validation then refuses. */
static void test_map_bochs_never_reaches_past_its_memory(void **state)
{
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
	struct map map;

	(void)state;
	double_device_plug_bochs(0, 1600);
	double_fail("mmap dma-buf", -1, EINVAL);
	open_map(&target, "bochs", &map);
	assert_int_equal(map.size, (4 << 20) - 1600 * STRIDE);
	map_close(&map);
}

/* Such a one's dma-buf is a copy that was tiled: what lies in video memory is not that. */
static void test_map_bochs_is_no_way_to_a_tiled_copy(void **state)
{
	struct map_target target = dmabuf_target(I915_FORMAT_MOD_X_TILED);

	(void)state;
	double_device_plug_bochs(0, 0);
	double_fail("mmap dma-buf", -1, ENODEV);
	expect_no_way(&target, -ENOTSUP, (const char *[]){"bochs: tiled pixels are a copy", NULL});
}

/* Without a dma-buf no other way is asked. */
static void test_map_bochs_reads_beside_a_dmabuf(void **state)
{
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
	struct map map;

	(void)state;
	assert_true(map_wants_dmabuf(&vfio));
	double_device_plug_bochs(0, 0);
	assert_false(map_wants_dmabuf(&vfio));
	draw_linear(double_device.bytes);
	target.dmabuf = -1;
	double_forget();
	open_map(&target, "bochs", &map);
	assert_int_equal(double_count("mmap"), 1);
	expect_picture(&map);
	map_close(&map);
}

static void test_map_tells_what_was_tried_before(void **state)
{
	struct map_target target = region_target();
	struct map map;

	(void)state;
	target.tried = g_string_new(NULL);
	open_map(&target, "region mmap", &map);
	assert_string_equal(target.tried->str, "");
	map_close(&map);
	double_fail("mmap region", -1, EINVAL);
	open_map(&target, "region pread", &map);
	assert_string_equal(target.tried->str, "region mmap: Invalid argument");
	map_close(&map);
	g_string_free(target.tried, TRUE);
}

static void test_map_bochs_asks_nothing_of_strangers(void **state)
{
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
	static const uint32_t stranger = 0x5a6a8086;

	(void)state;
	double_device_plug_bochs(0, 0);
	memcpy(double_device.bytes + (VFIO_PCI_CONFIG_REGION_INDEX << DOUBLE_REGION_BIT), &stranger,
	       4);
	double_fail("mmap dma-buf", -1, EINVAL);
	expect_no_way(&target, -ENODEV, (const char *[]){"bochs: not a bochs-display", NULL});
	assert_int_equal(double_count("GET_REGION_INFO 2"), 0);
	assert_int_equal(double_count("pread"), 1);
}

static void test_map_bochs_refuses_what_does_not_fit(void **state)
{
	static const struct {
		unsigned int reg;
		uint16_t value;
		int ret;
		const char *words;
	} cases[] = {
		{1, 641, -EAGAIN, "bochs: its registers are of another mode"},
		{2, 0, -EAGAIN, "bochs: its registers are of another mode"},
		{9, 1639, -EINVAL, "bochs: its scanout lies outside its memory"},
		{9, 65535, -EINVAL, "bochs: its scanout lies outside its memory"},
		{0, 0xffff, -ENODEV, "bochs: its registers cannot be read"},
	};
	struct map_target target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);

	(void)state;
	double_fail("mmap dma-buf", -1, EINVAL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double_device_plug_bochs(0, 0);
		set_dispi(cases[i].reg, cases[i].value);
		expect_no_way(&target, cases[i].ret, (const char *[]){cases[i].words, NULL});
	}
	double_device_plug_bochs(0, 0);
	double_device.regions[VFIO_PCI_BAR2_REGION_INDEX].size = DISPI + 19;
	expect_no_way(&target, -ENODEV, (const char *[]){"registers cannot be read", NULL});
	double_device.regions[VFIO_PCI_BAR2_REGION_INDEX].size = 4096;
	double_device.regions[VFIO_PCI_BAR0_REGION_INDEX].size = 0;
	expect_no_way(&target, -EINVAL, (const char *[]){"bochs: it has no video memory", NULL});
	double_device.primary.drm_plane_type = PLANE_CURSOR;
	expect_no_way(&target, -ENOTSUP, (const char *[]){"bochs: only its primary plane", NULL});
}

static void test_map_dmabuf_of_impossible_size(void **state)
{
	static const uint64_t sizes[] = {0, MAP_MAX_BYTES + 1};
	struct map_target target;

	(void)state;
	double_gpu_plug("i915");
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		target = dmabuf_target(DRM_FORMAT_MOD_LINEAR);
		assert_int_equal(ftruncate(dmabuf, (off_t)sizes[i]), 0);
		expect_no_way(&target, -ENODEV,
			      (const char *[]){"dma-buf mmap: the dma-buf has an impossible size; ",
					       "i915 pread: the dma-buf has an impossible size; ",
					       "i915 gtt: the dma-buf has an impossible size; ",
					       NULL});
		close(dmabuf);
	}
	dmabuf = -1;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map_reads_a_mapped_region),
		TEST(test_map_reads_a_region_that_cannot_be_mapped),
		TEST(test_map_region_without_a_way_says_why),
		TEST(test_map_region_offset_of_another_world),
		TEST(test_map_synchronises_a_dmabuf_around_reads),
		TEST(test_map_dmabuf_that_never_gets_ready),
		TEST(test_map_dmabuf_outlives_the_descriptor_it_came_by),
		TEST(test_map_i915_gives_tiled_bytes),
		TEST(test_map_i915_gtt_shows_it_linear),
		TEST(test_map_dmabuf_without_a_way_says_why),
		TEST(test_map_i915_each_failure_is_told),
		TEST(test_map_bochs_reads_where_the_registers_point),
		TEST(test_map_bochs_never_reaches_past_its_memory),
		TEST(test_map_bochs_is_no_way_to_a_tiled_copy),
		TEST(test_map_bochs_reads_beside_a_dmabuf),
		TEST(test_map_tells_what_was_tried_before),
		TEST(test_map_bochs_asks_nothing_of_strangers),
		TEST(test_map_bochs_refuses_what_does_not_fit),
		TEST(test_map_dmabuf_of_impossible_size),
	};
#undef TEST

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
