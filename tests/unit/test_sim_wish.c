/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's guest follows a monitor's mode. */
#include "source.h"

#include <errno.h>

#include "unit.h"

static struct source *open_sim(const char *options)
{
	struct source *source = NULL;

	assert_int_equal(source_sim_open(options, &source, NULL), 0);
	return source;
}

static void expect_mode(struct source *source, uint32_t width, uint32_t height)
{
	struct plane plane;

	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
	assert_int_equal(plane_validate(&plane, NULL), 0);
	assert_int_equal(plane.width, width);
	assert_int_equal(plane.height, height);
	assert_true(source->ops->same(source, PLANE_PRIMARY, &plane));
	source->ops->release(source, &plane);
}

static void test_sim_changes_its_mode_as_a_viewer_wishes(void **state)
{
	static const char *const cases[] = {"mode=640x480", "mode=off", "mode=640x480,layout=yf",
					    "modes=64x64+32x32,period=0.01",
					    "mode=320x200,cycle=3,damage=flag,fps=1000"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct source *source = open_sim(cases[i]);

		for (uint32_t j = 0; j < 5; j++) {
			assert_int_equal(source->ops->set_mode(source, 501 + j, 99), 0);
			expect_mode(source, 501 + j, 99);
			expect_mode(source, 501 + j, 99);
		}
		source->ops->close(source);
	}
}

static void test_sim_keeps_a_plane_that_is_read_whole(void **state)
{
	struct source *source = open_sim("mode=64x64,pattern=bars");
	struct plane plane;

	(void)state;
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
	assert_int_equal(source->ops->set_mode(source, 4096, 4096), 0);
	assert_false(source->ops->same(source, PLANE_PRIMARY, &plane));
	assert_int_equal(plane.width, 64);
	assert_non_null(plane.data);
	source->ops->release(source, &plane);
	expect_mode(source, 4096, 4096);
	source->ops->close(source);
}

static void test_sim_refuses_what_it_cannot_show(void **state)
{
	static const struct {
		const char *options;
		uint32_t width, height;
		int ret;
	} cases[] = {
		{"edid=off", 640, 480, -ENOTSUP},
		{"", 0, 480, -ERANGE},
		{"", 640, 0, -ERANGE},
		{"", 16385, 1, -ERANGE},
		{"", 65535, 65535, -ERANGE},
		{"", 8193, 8192, -ERANGE},
		{"mode=64x64,cycle=64", 8192, 8192, -ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct source *source = open_sim(cases[i].options);

		assert_int_equal(source->ops->set_mode(source, cases[i].width, cases[i].height),
				 cases[i].ret);
		source->ops->close(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_changes_its_mode_as_a_viewer_wishes),
		cmocka_unit_test(test_sim_keeps_a_plane_that_is_read_whole),
		cmocka_unit_test(test_sim_refuses_what_it_cannot_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
