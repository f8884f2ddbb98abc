/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source_vfio.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffers.h"
#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_source.h"
#include "double_vfio.h"
#include "log.h"
#include "unit.h"

#define SIZE (2560u * 480u)

static void test_source_lends_a_region(void **state)
{
	struct plane plane;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	plane = double_acquire();
	assert_int_equal(plane.width, 640);
	assert_int_equal(plane.size, SIZE);
	double_device.bytes[(16 << DOUBLE_REGION_BIT) + SIZE - 1] = 77;
	assert_int_equal(plane.data[SIZE - 1], 77);
	assert_true(double_same(&plane));
	double_release(&plane);
	double_look();
	assert_int_equal(double_count("mmap"), 1);
	assert_int_equal(double_source->ops->event_fd(double_source), -1);
	assert_int_equal(double_source->ops->hint(double_source, NULL), -ENOTSUP);
}

/* A driver that says yes to every question is taken at the word that needs least. */
static void test_source_takes_a_region_where_all_is_yes(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.probes = ~0u;
	double_open_source(SOURCE_VFIO_ATTACH_OPEN);
	double_look();
	assert_int_equal(double_count("GET_DMABUF"), 0);
}

static void test_source_without_a_display_is_refused(void **state)
{
	(void)state;
	double_expect_no_source(SOURCE_VFIO_ATTACH_OPEN, -ENODEV, EXIT_NO_DISPLAY,
				"has no display");
	double_owner.there = true;
	double_expect_no_source(SOURCE_VFIO_FOLLOW, -ENODEV, EXIT_NO_DISPLAY, "has no display");
	double_fail("nodes", -1, ENOENT);
	double_expect_no_source(SOURCE_VFIO_FOLLOW, -ENOENT, EXIT_FAILED, "no such device");
}

/* The region's index is what the driver says, counted by it or not. */
static void test_source_region_beyond_those_counted(void **state)
{
	(void)state;
	double_device.counted = 9;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_look();
	double_device.primary.region_index = 4000;
	double_expect_refusal(PLANE_PRIMARY, -EINVAL, EXIT_FAILED, "no information on region 4000");
}

static uint32_t next_id, id_cycle;

/* Another buffer at every query, as of a guest that flips faster than anybody looks. */
static int flip(struct vfio_device_gfx_plane_info *info)
{
	*info = double_device.primary;
	info->dmabuf_id = 1 + next_id++ % id_cycle;
	return 0;
}

static void test_source_gets_each_dmabuf_once(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_device.query = flip;
	next_id = 0;
	id_cycle = UINT32_MAX;
	for (int i = 0; i < 300; i++) {
		double_look();
		/* Five are kept, each with a mapping's copy at most. */
		assert_in_range(double_open(DOUBLE_DMABUF), 1, 10);
	}
	assert_int_equal(next_id, 600);
	for (uint32_t id = 1; id <= 600; id++)
		assert_int_equal(double_device_got(id), 1);
}

static void test_source_keeps_the_buffers_of_a_swap_chain(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_device.query = flip;
	next_id = 0;
	id_cycle = 5;
	for (int i = 0; i < 100; i++)
		double_look();
	for (uint32_t id = 1; id <= 5; id++)
		assert_int_equal(double_device_got(id), 1);
	assert_int_equal(double_count("mmap"), 5);
}

/* Four that come again and again, and every fifth a stranger: only the strangers leave. */
static int flip_with_strangers(struct vfio_device_gfx_plane_info *info)
{
	*info = double_device.primary;
	info->dmabuf_id = next_id % 5 == 4 ? 100 + next_id : 1 + next_id % 5;
	next_id++;
	return 0;
}

static void test_source_lets_the_longest_unused_leave(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_device.query = flip_with_strangers;
	next_id = 0;
	for (int i = 0; i < 100; i++)
		double_look();
	for (uint32_t id = 1; id <= 4; id++)
		assert_int_equal(double_device_got(id), 1);
}

static void test_source_keeps_what_is_lent(void **state)
{
	struct plane plane;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_device.query = flip;
	next_id = 0;
	id_cycle = UINT32_MAX;
	plane = double_acquire();
	for (int i = 0; i < 50; i++)
		assert_true(double_same(&plane));
	assert_int_equal(plane.data[plane.size - 1], 0);
	assert_int_equal(double_gpu.reading, 1);
	double_release(&plane);
	assert_int_equal(double_gpu.reading, 0);
	assert_int_equal(double_gpu.begins, 1);
}

/* All that are kept are being read: that plane cannot be had before one of them is given back. */
static void test_source_lends_only_so_many(void **state)
{
	struct plane planes[BUFFERS_KEPT];

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_device.query = flip;
	double_device.ungettable = true;
	next_id = 0;
	id_cycle = UINT32_MAX;
	for (size_t i = 0; i < G_N_ELEMENTS(planes); i++)
		planes[i] = double_acquire();
	double_expect_refusal(PLANE_PRIMARY, -EAGAIN, EXIT_FAILED,
			      "all its buffers are being read");
	double_release(&planes[2]);
	planes[2] = double_acquire();
	for (size_t i = 0; i < G_N_ELEMENTS(planes); i++)
		double_release(&planes[i]);
}

/* A buffer to which no way leads is not got again at each look. */
static void test_source_without_a_way_gets_it_once(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_fail("mmap", -1, ENODEV);
	for (int i = 0; i < 20; i++)
		double_expect_refusal(PLANE_PRIMARY, -ENODEV, EXIT_FAILED,
				      "dma-buf mmap: No such device");
	assert_int_equal(double_device_got(1), 1);
	double_heal();
	double_look();
	assert_int_equal(double_device_got(1), 1);
}

static void test_source_dmabuf_that_cannot_be_got(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_fail("GET_DMABUF", 2, EIO);
	double_expect_refusal(PLANE_PRIMARY, -EIO, EXIT_FAILED, "no dma-buf 1: Input/output error");
	double_expect_refusal(PLANE_PRIMARY, -EIO, EXIT_FAILED, "no dma-buf 1: Input/output error");
	double_look();
}

static void test_source_says_why_there_is_no_plane(void **state)
{
	static const struct {
		enum plane_type type;
		int errnum;
		const char *words;
	} cases[] = {
		{PLANE_PRIMARY, ENODEV, "the guest has not switched its display on"},
		{PLANE_PRIMARY, EINVAL, "the guest has not switched its display on"},
		{PLANE_CURSOR, ENODEV, "it shows no cursor"},
		{PLANE_CURSOR, 0, "it shows no cursor"},
		{PLANE_PRIMARY, ENOMEM, "the driver tells no plane: Cannot allocate memory"},
		{PLANE_PRIMARY, EIO, "the driver tells no plane: Input/output error"},
	};

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double_heal();
		if (cases[i].errnum)
			double_fail("QUERY", -1, cases[i].errnum);
		double_expect_refusal(cases[i].type, -ENODATA, EXIT_FAILED, cases[i].words);
	}
	double_heal();
	double_fail("QUERY", 1, ENOMEM); /* the first after a mode change */
	double_look();
	double_device.primary.drm_format = 0; /* off, and on again */
	double_expect_refusal(PLANE_PRIMARY, -ENODATA, EXIT_FAILED,
			      "has not switched its display on");
	double_device.primary.drm_format = DRM_FORMAT_XRGB8888;
	double_look();
}

static int succeed_untouched(struct vfio_device_gfx_plane_info *info)
{
	(void)info;
	return 0;
}

static void test_source_answer_that_was_never_written(void **state)
{
	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_look(); /* leaves good numbers wherever the answer is kept */
	double_device.query = succeed_untouched;
	double_expect_refusal(PLANE_PRIMARY, -ENODATA, EXIT_FAILED,
			      "has not switched its display on");
}

static void test_source_plane_that_its_bytes_do_not_hold(void **state)
{
	struct plane plane;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.regions[16].size = SIZE - 4;
	double_open_source(SOURCE_VFIO_ATTACH_OPEN);
	plane = double_acquire();
	assert_int_equal(plane_validate(&plane, NULL), -EINVAL);
	double_release(&plane);
}

/* Judged before anything is mapped; and got all the same, or the driver's reference would leak. */
static void test_source_refuses_numbers_before_it_maps(void **state)
{
	static const struct {
		uint32_t fourcc, width, height, stride;
		uint64_t modifier;
		int ret;
		const char *words;
	} cases[] = {
		{DRM_FORMAT_XRGB8888, 640, 480, 2560, I915_FORMAT_MOD_Y_TILED_CCS, -ENOTSUP,
		 "y-tiled with CCS (0x0100000000000004)"},
		{DRM_FORMAT_XRGB8888, 640, 480, 2560, I915_FORMAT_MOD_Y_TILED_GEN12_RC_CCS,
		 -ENOTSUP, "y-tiled with gen12 render CCS (0x0100000000000006)"},
		{DRM_FORMAT_NV12, 640, 480, 2560, 0, -ENOTSUP, "unknown pixel format NV12"},
		{DRM_FORMAT_XRGB8888, 65535, 480, 262144, 0, -EINVAL, "impossible size 65535x480"},
		{DRM_FORMAT_XRGB8888, 640, UINT32_MAX, 2560, 0, -EINVAL, "impossible size 640x"},
		{DRM_FORMAT_XRGB8888, 640, 480, UINT32_MAX, 0, -EINVAL, "impossible stride"},
		{DRM_FORMAT_XRGB8888, 640, 480, 2559, 0, -EINVAL, "stride 2559 is too small"},
		{DRM_FORMAT_XRGB8888, 640, 480, 0, 0, -EINVAL, "stride 0 is too small"},
	};

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	for (uint32_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double_device.primary.drm_format = cases[i].fourcc;
		double_device.primary.width = cases[i].width;
		double_device.primary.height = cases[i].height;
		double_device.primary.stride = cases[i].stride;
		double_device.primary.drm_format_mod = cases[i].modifier;
		double_device.primary.dmabuf_id = 100 + i;
		double_expect_refusal(PLANE_PRIMARY, cases[i].ret, EXIT_FAILED, cases[i].words);
		assert_int_equal(double_device_got(100 + i), 1);
	}
	assert_int_equal(double_count("mmap"), 0);
}

/* A mode that is larger than the one at which the region was read first. */
static void test_source_region_grows_with_the_mode(void **state)
{
	struct plane plane;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.regions[16].size = 16 << 20;
	double_fail("mmap", -1, EINVAL); /* read by pread() */
	double_open_source(SOURCE_VFIO_ATTACH_OPEN);
	double_look();
	double_device.primary.width = 1920;
	double_device.primary.height = 1080;
	double_device.primary.stride = 7680;
	plane = double_acquire();
	assert_int_equal(plane_validate(&plane, NULL), 0);
	assert_in_range(plane.size, 7680 * 1080, 7680 * 1100);
	double_release(&plane);
}

static void test_source_tells_another_picture(void **state)
{
	struct vfio_device_gfx_plane_info *info = &double_device.primary;
	struct plane plane;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_device.regions[17].size = SIZE;
	plane = double_acquire();
	info->x_pos = 5;
	assert_true(double_same(&plane));
	info->region_index = 17;
	assert_false(double_same(&plane));
	info->region_index = 16;
	info->height = 479;
	assert_false(double_same(&plane));
	info->height = 480;
	info->drm_format_mod = I915_FORMAT_MOD_X_TILED;
	assert_false(double_same(&plane));
	info->drm_format_mod = 0;
	double_fail("QUERY", 1, EIO);
	assert_false(double_same(&plane));
	assert_true(double_same(&plane));
	double_release(&plane);
	assert_false(double_same(&plane)); /* not lent any more */
}

static void test_source_dmabuf_flip_is_the_same_picture(void **state)
{
	struct vfio_device_gfx_plane_info *info = &double_device.primary;
	struct plane plane;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	plane = double_acquire();
	info->dmabuf_id = 2;
	assert_true(double_same(&plane));
	info->dmabuf_id = 3;
	info->width = 600;
	assert_false(double_same(&plane));
	double_release(&plane);
	assert_int_equal(double_device_got(3), 1);
}

/* Through the GTT all is linear, whatever the modifier says: that is no other picture. */
static void test_source_gtt_is_linear_and_the_same(void **state)
{
	struct plane plane;

	(void)state;
	double_gpu_plug("i915");
	double_gpu.linear = double_device.memory;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, I915_FORMAT_MOD_X_TILED);
	double_fail("mmap dma-buf", -1, ENODEV);
	double_fail("GEM_PREAD", -1, EOPNOTSUPP);
	double_open_source(SOURCE_VFIO_ATTACH_OPEN);
	plane = double_acquire();
	assert_true(plane.modifier == DRM_FORMAT_MOD_LINEAR);
	assert_true(plane.wc);
	assert_true(double_same(&plane));
	double_release(&plane);
}

/*
 * mbochs of linux samples/vfio-mdev: the first query of a mode fails, no CPU maps its dma-buf, and
 * getting one that another has open breaks its count. mdpy: region 16 with nine counted, no
 * capabilities.
 */
static void test_source_reads_mbochs_without_its_dmabufs(void **state)
{
	struct plane plane;

	(void)state;
	double_device_plug_bochs(0, 2);
	double_device.counted = 10;
	double_device.ungettable = true;
	double_open_free(VFIO_GFX_PLANE_TYPE_DMABUF);
	double_fail("QUERY", 1, ENOMEM);
	double_fail("mmap dma-buf", -1, EINVAL);
	memset(double_device.bytes + 2 * 2560, 0x5a, 2560);
	for (uint32_t id = 1; id <= 3; id++) {
		double_device.primary.dmabuf_id = id;
		plane = double_acquire();
		assert_int_equal(plane.data[0], 0x5a);
		assert_int_equal(plane.data[2560], 0);
		assert_true(double_same(&plane));
		double_release(&plane);
	}
	assert_int_equal(double_count("GET_DMABUF"), 0);
}

static void test_source_reads_mdpy(void **state)
{
	struct plane plane;

	(void)state;
	double_device.counted = 9;
	double_device.regions[VFIO_PCI_BAR0_REGION_INDEX].size = SIZE;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_device.regions[16].offset = 0; /* its display region is its BAR 0 */
	double_device.bytes[SIZE - 1] = 77;
	plane = double_acquire();
	assert_int_equal(plane.data[SIZE - 1], 77);
	double_release(&plane);
	assert_int_equal(double_count("pread"), 0); /* which ignores the place */
}

static void test_source_cursor_positions_have_signs(void **state)
{
	struct plane plane;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_device.cursor = double_device.primary;
	double_device.cursor.region_index = 17;
	double_device.cursor.width = double_device.cursor.height = 64;
	double_device.cursor.stride = 256;
	double_device.cursor.x_pos = (uint32_t)-7;
	double_device.cursor.y_pos = 479;
	double_device.cursor.x_hot = double_device.cursor.y_hot = UINT32_MAX; /* unknown */
	double_device.regions[17].size = 64 * 256;
	assert_int_equal(double_source->ops->acquire(double_source, PLANE_CURSOR, &plane, NULL), 0);
	assert_int_equal(plane.x, -7);
	assert_int_equal(plane.y, 479);
	assert_int_equal(plane.hot_x, -1);
	double_release(&plane);
}

/* Both planes in one buffer, of which one is lent: the other waits, and nothing is unmapped. */
static void test_source_two_planes_in_one_region(void **state)
{
	struct plane plane, cursor;

	(void)state;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
	double_device.cursor = double_device.primary;
	double_device.cursor.width = 64;
	plane = double_acquire();
	assert_int_equal(double_source->ops->acquire(double_source, PLANE_CURSOR, &cursor, NULL),
			 -EAGAIN);
	assert_int_equal(plane.data[SIZE - 1], 0);
	double_release(&plane);
	assert_int_equal(double_source->ops->acquire(double_source, PLANE_CURSOR, &cursor, NULL),
			 0);
	double_release(&cursor);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, double_setup, double_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_source_lends_a_region),
		TEST(test_source_takes_a_region_where_all_is_yes),
		TEST(test_source_without_a_display_is_refused),
		TEST(test_source_region_beyond_those_counted),
		TEST(test_source_gets_each_dmabuf_once),
		TEST(test_source_keeps_the_buffers_of_a_swap_chain),
		TEST(test_source_lets_the_longest_unused_leave),
		TEST(test_source_keeps_what_is_lent),
		TEST(test_source_lends_only_so_many),
		TEST(test_source_without_a_way_gets_it_once),
		TEST(test_source_dmabuf_that_cannot_be_got),
		TEST(test_source_says_why_there_is_no_plane),
		TEST(test_source_answer_that_was_never_written),
		TEST(test_source_plane_that_its_bytes_do_not_hold),
		TEST(test_source_refuses_numbers_before_it_maps),
		TEST(test_source_region_grows_with_the_mode),
		TEST(test_source_tells_another_picture),
		TEST(test_source_dmabuf_flip_is_the_same_picture),
		TEST(test_source_gtt_is_linear_and_the_same),
		TEST(test_source_reads_mbochs_without_its_dmabufs),
		TEST(test_source_reads_mdpy),
		TEST(test_source_cursor_positions_have_signs),
		TEST(test_source_two_planes_in_one_region),
	};
#undef TEST

	return cmocka_run_group_tests_name("source_vfio", tests, NULL, NULL);
}
