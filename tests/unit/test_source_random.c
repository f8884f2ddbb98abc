/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source on a driver that answers anything: 10,000 rounds of acquire, same and release, in
 * connections of a hundred. Nothing may crash, leak, or be read where it is not.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_source.h"
#include "double_vfio.h"
#include "guard.h"
#include "unit.h"

#define CONNECTIONS 100
#define ROUNDS      100
#define PAGE        4096u

/* What happened, so that a run that never came to anything is no success. */
static struct {
	unsigned int lent, valid, read, bus_errors, same, none;
} seen;

static uint32_t below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

#define ANY(...) any((const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8)

static uint64_t any(const uint64_t *values, size_t count)
{
	return values[below((uint32_t)count)];
}

/* Mostly a plane that some device could have, often with one number of another world. */
static int invent(struct vfio_device_gfx_plane_info *info)
{
	static const int errors[] = {ENOMEM, EAGAIN, EINTR, ENODEV, EINVAL, EIO, EFAULT};

	memset(info, 0, sizeof(*info));

	if (one_in(6))
		return -errors[below(G_N_ELEMENTS(errors))];
	if (one_in(20))
		return 0; /* untouched: off */
	info->drm_format = (uint32_t)ANY(DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888,
					 DRM_FORMAT_RGB565, DRM_FORMAT_XBGR2101010, DRM_FORMAT_C8);
	info->drm_format_mod = ANY(DRM_FORMAT_MOD_LINEAR, DRM_FORMAT_MOD_LINEAR,
				   I915_FORMAT_MOD_X_TILED, I915_FORMAT_MOD_Y_TILED,
				   I915_FORMAT_MOD_Yf_TILED, I915_FORMAT_MOD_4_TILED);
	info->width = (uint32_t)ANY(1, 64, 640, 641, 800);
	info->height = (uint32_t)ANY(1, 8, 31, 480, 600);
	info->stride = (uint32_t)ANY(512, 2560, 2564, 3072, 4096);
	info->size = info->stride * info->height;
	info->x_pos = (uint32_t)rand() << 1;
	info->y_pos = (uint32_t)rand() << 1;
	info->dmabuf_id = one_in(10) ? (uint32_t)rand() : below(9); /* or the region's index */
	if (one_in(4)) {
		uint32_t *const numbers[] = {&info->drm_format, &info->width,        &info->height,
					     &info->stride,     &info->region_index, &info->size};

		*numbers[below(G_N_ELEMENTS(numbers))] = (uint32_t)ANY(
			0, 1, 16384, 16385, 262144, INT32_MAX, UINT32_MAX, rand());
	}
	if (one_in(12))
		info->drm_format_mod = (uint64_t)rand() << below(40);
	return 0;
}

/* As often as not what it answered last. */
static int answer(struct vfio_device_gfx_plane_info *info)
{
	static struct vfio_device_gfx_plane_info last;
	static int ret;

	if (one_in(3))
		ret = invent(&last);
	if (one_in(8))
		last.dmabuf_id = below(9); /* flips */
	if (!ret)
		*info = last;
	return ret;
}

/* What the regions are, and which calls fail for a while, changes under the source. */
static void change_the_world(void)
{
	static const char *const calls[] = {"mmap",      "pread",     "GET_DMABUF", "SYNC",
					    "GEM_PREAD", "GEM_MMAP",  "PRIME",      "QUERY",
					    "VERSION",   "pidfd",     "GET_DEVICE", "SET_IOMMU",
					    "open",      "CREATE_VM", "GET_REGION", "PROBE"};

	double_heal();
	double_forget();
	double_device.dmabuf_size = ANY(0, 1, PAGE, 2560 * 480, 2560 * 512, 8 << 20, 5ull << 30);
	for (uint32_t i = 0; i < DOUBLE_REGIONS; i++) {
		double_device.regions[i].size = ANY(0, 1, 2560 * 480, 2560 * 480, 4096 * 600,
						    16 << 20, UINT64_MAX);
		double_device.regions[i].offset = one_in(8) ? (uint64_t)rand() << below(33)
							    : (uint64_t)i << DOUBLE_REGION_BIT;
	}
	for (uint32_t n = below(4); n > 0; n--)
		double_fail(calls[below(G_N_ELEMENTS(calls))], one_in(3) ? -1 : (int)below(5),
			    (int)ANY(EINTR, EAGAIN, EINVAL, ENODEV, EIO, EPERM, ENOMEM));
	double_shorten_transfers(one_in(4) ? 1 + below(100000) : 0);
	double_owner.now += (int64_t)ANY(0, 100000, 600000, 600000);
	if (one_in(12))
		double_owner_exit();
	else if (one_in(2))
		double_owner_start();
	double_owner.swapped = one_in(10);
	double_owner.hidden = one_in(10);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* Every page that the plane is said to have. */
static void read_plane(void *data)
{
	const struct plane *plane = data;
	unsigned int sum = 0;

	for (size_t at = 0; at < plane->size; at += PAGE)
		sum += ((const volatile uint8_t *)plane->data)[at];
	sum += ((const volatile uint8_t *)plane->data)[plane->size - 1];
	seen.read += sum < UINT32_MAX;
}

static void round_of(enum plane_type type)
{
	struct plane plane = {0};
	GError *error = NULL;

	if (double_source->ops->acquire(double_source, type, &plane, &error)) {
		assert_non_null(error);
		assert_null(strchr(error->message, '\n'));
		g_error_free(error);
		seen.none++;
		return;
	}
	assert_null(error);
	seen.lent++;
	assert_non_null(plane.data);
	if (!plane_validate(&plane, NULL)) {
		seen.valid++;
		if (guard_run(read_plane, &plane))
			seen.bus_errors++;
	}
	if (one_in(4))
		double_source->ops->rest(double_source);
	seen.same += double_source->ops->same(double_source, type, &plane);
	double_source->ops->release(double_source, &plane);
}

static void connection(void)
{
	enum source_vfio_policy policy = one_in(2) ? SOURCE_VFIO_FOLLOW : SOURCE_VFIO_ATTACH_OPEN;

	double_device_show((uint32_t)ANY(VFIO_GFX_PLANE_TYPE_REGION, VFIO_GFX_PLANE_TYPE_DMABUF,
					 VFIO_GFX_PLANE_TYPE_DMABUF),
			   DRM_FORMAT_MOD_LINEAR);
	if (one_in(5))
		double_device.probes = ~0u;
	double_device.wants_kvm = one_in(2);
	double_device.query = answer;
	double_owner.cdev = one_in(2);
	double_owner.without_group = double_owner.cdev && one_in(2);
	double_owner_start();
	double_open_source(policy);
	for (int i = 0; i < ROUNDS; i++) {
		if (one_in(4))
			change_the_world();
		round_of(one_in(4) ? PLANE_CURSOR : PLANE_PRIMARY);
	}
	double_source->ops->close(double_source);
	double_source = NULL;
	double_heal();
	double_expect_balance();
}

static void test_source_survives_any_answers(void **state)
{
	const char *given = g_getenv("PLANECAST_SEED");
	unsigned int seed = given ? (unsigned int)g_ascii_strtoull(given, NULL, 10) : 1;

	(void)state;
	print_message("PLANECAST_SEED=%u\n", seed);
	srand(seed);
	guard_init(); /* cmocka has its own handler in each test */
	double_gpu_plug("i915");
	double_gpu.linear = double_device.memory;
	for (int i = 0; i < CONNECTIONS; i++)
		connection();
	print_message(
		"%u planes lent, %u valid, %u read, %u bus errors, %u the same, %u refusals\n",
		seen.lent, seen.valid, seen.read, seen.bus_errors, seen.same, seen.none);
	assert_int_equal(seen.lent + seen.none, CONNECTIONS * ROUNDS);
	assert_true(seen.read > 100);
	assert_true(seen.same > 50);
	assert_true(seen.bus_errors > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_source_survives_any_answers, double_setup,
						double_teardown),
	};

	return cmocka_run_group_tests_name("source_random", tests, NULL, NULL);
}
