/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to a plane's bytes, on a machine that has neither memory nor descriptors to give. */
#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "double_calls.h"
#include "double_gpu.h"
#include "double_source.h"
#include "double_vfio.h"
#include "log.h"
#include "map.h"
#include "refuse.h"
#include "unit.h"

static struct vfio vfio;

static int setup(void **state)
{
	double_setup(state);
	vfio = VFIO_CLOSED;
	vfio.device = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	return 0;
}

static int teardown(void **state)
{
	vfio_close(&vfio);
	return double_teardown(state);
}

/* The first memory that is asked for is refused. */
static void expect_no_way(const struct map_target *target, int ret, const char *words)
{
	GError *error = NULL;
	struct map map;

	refuse_after(0);
	assert_int_equal(map_open(target, &map, &error), ret);
	assert_true(refuse_end());
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	assert_null(strchr(error->message, '\n'));
	g_error_free(error);
}

static void test_map_region_without_memory_says_so(void **state)
{
	struct map_target target = {
		&vfio, DOUBLE_NAME, &double_device.primary, VFIO_GFX_PLANE_TYPE_REGION, -1, NULL};

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_fail("mmap region", -1, EINVAL);
	expect_no_way(&target, -ENOMEM,
		      "(region mmap: Invalid argument; region pread: Cannot allocate memory)");
}

static void test_map_dmabuf_without_memory_or_descriptors_says_so(void **state)
{
	struct map_target target = {
		&vfio, DOUBLE_NAME, &double_device.primary, VFIO_GFX_PLANE_TYPE_DMABUF, -1, NULL};

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	double_gpu_plug("i915");
	double_device_plug_bochs(0, 0);
	target.dmabuf = vfio_get_dmabuf(&vfio, 1);
	assert_true(target.dmabuf >= 0);
	double_fail("dup", -1, EMFILE);
	double_fail("GEM_MMAP_OFFSET", -1, ENODEV);
	double_fail("mmap region", -1, EINVAL);
	expect_no_way(&target, -EINVAL,
		      "(dma-buf mmap: Too many open files; i915 pread: Cannot allocate memory; "
		      "i915 gtt: mapping refused: No such device; bochs: Invalid argument)");
	assert_int_equal(double_gpu.handles, 0);
	close(target.dmabuf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map_region_without_memory_says_so),
		TEST(test_map_dmabuf_without_memory_or_descriptors_says_so),
	};
#undef TEST

	return cmocka_run_group_tests_name("map_refused", tests, NULL, NULL);
}
