/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plane.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "detile/layout.h"
#include "log.h"
#include "unit.h"

static uint8_t somewhere[1];

/* A good plane: 100x40 XR24 linear of stride 512, exactly as large as it must be. */
static struct plane good_plane(void)
{
	return (struct plane){
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = 100,
		.height = 40,
		.stride = 512,
		.data = somewhere,
		.size = 39 * 512 + 400,
	};
}

static void expect_refusal(const struct plane *plane, int expected, const char *words)
{
	GError *error = NULL;

	assert_int_equal(plane_validate(plane, &error), expected);
	assert_non_null(error);
	assert_non_null(strstr(error->message, words));
	g_error_free(error);
}

static void test_plane_accepts_what_fits_exactly(void **state)
{
	struct plane plane = good_plane();

	(void)state;
	assert_int_equal(plane_validate(&plane, NULL), 0);
	plane.size--;
	expect_refusal(&plane, -EINVAL, "does not fit the 20367 bytes");
}

static void test_plane_refuses_numbers_that_do_not_fit(void **state)
{
	static const struct {
		size_t offset, width;
		uint64_t value;
		int ret;
		const char *words;
	} cases[] = {
#define SET(member, value, ret, words) \
	{offsetof(struct plane, member), sizeof(((struct plane *)0)->member), value, ret, words}
		SET(width, 0, -EINVAL, "impossible size"),
		SET(height, 0, -EINVAL, "impossible size"),
		SET(width, UINT32_MAX, -EINVAL, "impossible size"),
		SET(height, UINT32_MAX, -EINVAL, "impossible size"),
		SET(width, PLANE_MAX_DIMENSION + 1, -EINVAL, "impossible size"),
		SET(width, 129, -EINVAL, "stride 512 is too small"),
		SET(height, 41, -EINVAL, "does not fit"),
		SET(stride, 0, -EINVAL, "stride 0 is too small"),
		SET(stride, 399, -EINVAL, "stride 399 is too small"),
		SET(stride, UINT32_MAX, -EINVAL, "impossible stride"),
		SET(stride, 0x80000000u, -EINVAL, "impossible stride"),
		SET(size, 0, -EINVAL, "does not fit the 0 bytes"),
		SET(data, 0, -EINVAL, "does not fit"),
		SET(fourcc, 0, -ENOTSUP, "unknown pixel format ???? (0x00000000)"),
		SET(fourcc, DRM_FORMAT_NV12, -ENOTSUP, "unknown pixel format NV12"),
		SET(modifier, I915_FORMAT_MOD_Y_TILED_CCS, -ENOTSUP,
		    "y-tiled with CCS (0x0100000000000004) are not known"),
		SET(modifier, DRM_FORMAT_MOD_INVALID, -ENOTSUP, "none told (0x00ff"),
#undef SET
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct plane plane = good_plane();

		memcpy((char *)&plane + cases[i].offset, &cases[i].value, cases[i].width);
		expect_refusal(&plane, cases[i].ret, cases[i].words);
	}
}

static void test_plane_rounds_tiles_up(void **state)
{
	static const struct {
		uint64_t modifier;
		uint32_t tile_width;
	} cases[] = {
		{I915_FORMAT_MOD_X_TILED, 512},
		{I915_FORMAT_MOD_Y_TILED, 128},
		{I915_FORMAT_MOD_4_TILED, 128},
		{I915_FORMAT_MOD_Yf_TILED, 128},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct plane plane = good_plane();

		plane.modifier = cases[i].modifier;
		plane.size = 512 * 64;
		assert_int_equal(plane_validate(&plane, NULL), 0);
		plane.stride = 512 + cases[i].tile_width / 2;
		plane.size = 1 << 20;
		expect_refusal(&plane, -EINVAL, "does not fit");
		/* One row of pixels reaches into the last row of tiles: that must be there. */
		plane = good_plane();
		plane.modifier = cases[i].modifier;
		plane.size = 512 * 32;
		expect_refusal(&plane, -EINVAL, "does not fit");
	}
}

/* One past the last byte that any pixel lies in: those of the last tile decide. */
static uint64_t reach(const struct plane *plane)
{
	enum detile_layout layout;
	uint32_t tile_width, tile_height;
	uint64_t end = 0;

	assert_int_equal(plane_layout(plane->modifier, &layout), 0);
	assert_true(detile_tile_shape(layout, &tile_width, &tile_height));
	for (uint32_t y = (plane->height - 1) / tile_height * tile_height; y < plane->height; y++) {
		uint32_t columns = tile_width / 4 ? tile_width / 4 : 1;

		for (uint32_t x = (plane->width - 1) / columns * columns; x < plane->width; x++) {
			uint64_t offset = detile_offset(layout, DETILE_SWIZZLE_NONE, 4,
							plane->stride, x, y);

			end = offset + 4 > end ? offset + 4 : end;
		}
	}
	return end;
}

/* Whatever the numbers, an accepted plane never reaches past its bytes. */
static void test_plane_random_numbers_never_overflow(void **state)
{
	static const uint64_t modifiers[] = {
		DRM_FORMAT_MOD_LINEAR,    I915_FORMAT_MOD_X_TILED, I915_FORMAT_MOD_Y_TILED,
		I915_FORMAT_MOD_Yf_TILED, I915_FORMAT_MOD_4_TILED, DRM_FORMAT_MOD_INVALID,
	};
	unsigned int accepted = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		struct plane plane = good_plane();

		plane.width = (uint32_t)rand() >> (rand() % 31);
		plane.height = (uint32_t)rand() >> (rand() % 31);
		plane.stride = ((uint32_t)rand() >> (rand() % 31)) & (rand() % 2 ? ~511u : ~0u);
		plane.size = (size_t)rand() << (rand() % 8);
		plane.modifier = modifiers[(size_t)rand() % G_N_ELEMENTS(modifiers)];
		if (plane_validate(&plane, NULL))
			continue;
		accepted++;
		assert_true(reach(&plane) <= plane.size);
	}
	assert_true(accepted > 100);
}

static void test_plane_same_means_same_scanout(void **state)
{
	struct plane a = good_plane(), b = a;

	(void)state;
	b.x = 5;
	assert_true(plane_is_same(&a, &b));
	b.stride = 1024;
	assert_false(plane_is_same(&a, &b));
	b = a;
	b.generation++;
	assert_false(plane_is_same(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plane_accepts_what_fits_exactly),
		cmocka_unit_test(test_plane_refuses_numbers_that_do_not_fit),
		cmocka_unit_test(test_plane_rounds_tiles_up),
		cmocka_unit_test(test_plane_random_numbers_never_overflow),
		cmocka_unit_test(test_plane_same_means_same_scanout),
	};

	return cmocka_run_group_tests_name("plane", tests, NULL, NULL);
}
