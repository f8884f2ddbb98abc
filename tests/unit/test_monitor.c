/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The EDID region of a vfio device, as a viewer's wish of a mode writes it. */
#include "monitor.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>

#include "double_source.h"
#include "double_vfio.h"
#include "edid.h"
#include "unit.h"

#define REGION 11
#define BLOB   64

static const struct vfio_region_info_cap_type caps = {
	.header = {VFIO_REGION_INFO_CAP_TYPE, 1, 0},
	.type = VFIO_REGION_TYPE_GFX,
	.subtype = VFIO_REGION_SUBTYPE_GFX_EDID,
};

/* What the driver and the guest see of it. */
static volatile struct vfio_region_gfx_edid *region(void)
{
	return (void *)(double_device.bytes + ((size_t)REGION << DOUBLE_REGION_BIT));
}

static const uint8_t *blob(void)
{
	return (const uint8_t *)(uintptr_t)region() + BLOB;
}

static void plug(void)
{
	double_device.counted = REGION + 1;
	double_device.regions[REGION].size = 4096;
	double_device.regions[REGION].caps = &caps;
	double_device.regions[REGION].caps_size = sizeof(caps);
	double_device.regions[REGION].first_cap = sizeof(struct vfio_region_info);
	region()->edid_offset = BLOB;
	region()->edid_max_size = 256;
	region()->max_xres = 4096;
	region()->max_yres = 2160;
	double_open_free(VFIO_GFX_PLANE_TYPE_REGION);
}

static int set_mode(uint32_t width, uint32_t height)
{
	return double_source->ops->set_mode(double_source, width, height);
}

static void expect_edid(uint32_t width, uint32_t height)
{
	uint8_t expected[EDID_MAX];
	size_t size;

	assert_int_equal(edid_build(width, height, 256, expected, &size), 0);
	assert_int_equal(region()->edid_size, size);
	assert_memory_equal(blob(), expected, size);
}

static void test_monitor_is_unplugged_and_plugged_in_with_the_mode(void **state)
{
	(void)state;
	plug();
	assert_int_equal(set_mode(1440, 900), 0);
	assert_int_equal(region()->link_state, VFIO_DEVICE_GFX_LINK_STATE_DOWN);
	expect_edid(1440, 900);
	while (region()->link_state != VFIO_DEVICE_GFX_LINK_STATE_UP)
		g_main_context_iteration(NULL, TRUE);
	expect_edid(1440, 900);
}

/* Who wishes again and again gets the last one, and the link does come up. */
static void test_monitor_comes_back_in_a_storm_of_wishes(void **state)
{
	uint32_t width = 640;

	(void)state;
	plug();
	do {
		assert_int_equal(set_mode(++width, 480), 0);
		g_usleep(1000);
		g_main_context_iteration(NULL, FALSE);
	} while (region()->link_state != VFIO_DEVICE_GFX_LINK_STATE_UP && width < 4000);
	assert_int_equal(region()->link_state, VFIO_DEVICE_GFX_LINK_STATE_UP);
	expect_edid(width, 480);
}

static void test_monitor_is_plugged_in_before_the_device_is_let_go(void **state)
{
	(void)state;
	plug();
	assert_int_equal(set_mode(800, 600), 0);
	double_source->ops->close(double_source);
	double_source = NULL;
	assert_int_equal(region()->link_state, VFIO_DEVICE_GFX_LINK_STATE_UP);
}

static void test_monitor_refuses_sizes_that_the_device_cannot_have(void **state)
{
	static const uint32_t sizes[][2] = {{0, 0}, {1, 1}, {4097, 600}, {800, 2161}, {63, 600}};

	(void)state;
	plug();
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		assert_int_equal(set_mode(sizes[i][0], sizes[i][1]), -ERANGE);
	region()->max_xres = region()->max_yres = 0; /* no limit: that of an EDID */
	assert_int_equal(set_mode(16385, 600), -ERANGE);
	region()->edid_max_size = 127;
	assert_int_equal(set_mode(800, 600), -ERANGE);
	assert_int_equal(region()->link_state, 0);
}

static void test_monitor_believes_no_region(void **state)
{
	static const struct {
		uint32_t offset, max_size;
		uint64_t size;
	} cases[] = {
		{0, 256, 4096},         {23, 256, 4096},  {4097, 0, 4096}, {UINT32_MAX, 256, 4096},
		{64, UINT32_MAX, 4096}, {4000, 97, 4096}, {64, 256, 23},
	};

	(void)state;
	plug();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		region()->edid_offset = cases[i].offset;
		region()->edid_max_size = cases[i].max_size;
		double_device.regions[REGION].size = cases[i].size;
		assert_int_equal(set_mode(800, 600), -ENOTSUP);
	}
	double_device.regions[REGION].caps = NULL;
	assert_int_equal(set_mode(800, 600), -ENOTSUP);
	assert_int_equal(region()->link_state, 0);
}

#define MONITOR_TEST(name) cmocka_unit_test_setup_teardown(name, double_setup, double_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MONITOR_TEST(test_monitor_is_unplugged_and_plugged_in_with_the_mode),
		MONITOR_TEST(test_monitor_comes_back_in_a_storm_of_wishes),
		MONITOR_TEST(test_monitor_is_plugged_in_before_the_device_is_let_go),
		MONITOR_TEST(test_monitor_refuses_sizes_that_the_device_cannot_have),
		MONITOR_TEST(test_monitor_believes_no_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
