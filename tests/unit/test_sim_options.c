/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim_options.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>

#include "log.h"
#include "source.h"
#include "unit.h"

static void test_bad_options_are_named(void **state)
{
	static const struct {
		const char *options, *needle;
	} cases[] = {
		{"colour=red", "unknown key \"colour=red\""},
		{",", "unknown key \"\""},
		{"mode=64x64,", "unknown key \"\""},
		{"mod=1x1", "unknown key"},
		{"modes", "modes has no value"},
		{"mode=64x64,mode=64x64", "mode is given twice"},
		{"mode=64x64,modes=64x64", "mode and modes"},
		{"mode=0x64", "mode=0x64"},
		{"mode=64", "mode=64"},
		{"mode=64x", "mode=64x"},
		{"mode=64x64x64", "mode=64x64x64"},
		{"mode=-64x64", "mode=-64x64"},
		{"mode= 64x64", "mode= 64x64"},
		{"mode=16385x1", "1 to 16384"},
		{"mode=16384x16384", "pixels"},
		{"mode=99999999999999999999x1", "mode="},
		{"modes=", "modes="},
		{"modes=64x64+", "modes="},
		{"modes=1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1+1x1",
		 "at most"},
		{"period=0", "period=0"},
		{"period=nan", "period=nan"},
		{"period=1s", "period=1s"},
		{"period=1e9", "period=1e9"},
		{"layout=z", "linear, x, y, yf, 4"},
		{"layout=", "linear, x, y, yf, 4"},
		{"format=NV12", "XR24, AR24"},
		{"format=RG16,layout=yf", "layout=yf"},
		{"pattern=snow", "desktop, bars"},
		{"fps=1001", "0 to 1000"},
		{"fps=30.5", "0 to 1000"},
		{"fps=-1", "0 to 1000"},
		{"frame=18446744073709551616", "frame="},
		{"transport=tcp", "region, dmabuf"},
		{"damage=some", "flag, rects, none"},
		{"cursor=yes", "off, on"},
		{"seed=4294967296", "0 to 4294967295"},
		{"cycle=65", "0 to 64"},
		{"mode=8192x8192,cycle=9", "cycle=9"},
		{"epoch=9223372036855", "epoch="},
		{"seed=\n\x01\xff", "seed=\\n\\001\\377"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct source *source = NULL;
		GError *error = NULL;

		assert_int_equal(source_sim_open(cases[i].options, &source, &error), -EINVAL);
		assert_null(source);
		assert_non_null(error);
		assert_int_equal(error->code, EXIT_USAGE);
		if (!strstr(error->message, cases[i].needle) || strchr(error->message, '\n') ||
		    strlen(error->message) > 200)
			fail_msg("%s: %s", cases[i].options, error->message);
		g_error_free(error);
	}
}

static void test_all_good_options_are_taken(void **state)
{
	struct sim_options options;

	(void)state;
	assert_int_equal(sim_options_parse("", &options, NULL), 0);
	assert_int_equal(options.modes[0].width, 1920);
	assert_int_equal(options.fps, 30);
	assert_int_equal(options.epoch_us, -1);
	assert_int_equal(
		sim_options_parse("modes=1x2+off+16384x4096,period=0.25,layout=4,format=XB30,"
				  "pattern=clock,fps=144,transport=dmabuf,damage=flag,cycle=7,"
				  "cursor=on,seed=4294967295,epoch=9223372036854",
				  &options, NULL),
		0);
	assert_int_equal(options.mode_count, 3);
	assert_int_equal(options.modes[0].height, 2);
	assert_int_equal(options.modes[1].width, 0);
	assert_int_equal(options.modes[2].width, 16384);
	assert_int_equal(options.period_us, 250000);
	assert_int_equal(options.layout, DETILE_4);
	assert_int_equal(options.fourcc, DRM_FORMAT_XBGR2101010);
	assert_int_equal(options.pattern, PATTERN_CLOCK);
	assert_int_equal(options.fps, 144);
	assert_int_equal(options.transport, SIM_DMABUF);
	assert_int_equal(options.damage, SIM_DAMAGE_FLAG);
	assert_true(options.cursor);
	assert_int_equal(options.seed, UINT32_MAX);
	assert_int_equal(options.cycle, 7);
	assert_int_equal(options.epoch_us, 9223372036854);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_options_are_named),
		cmocka_unit_test(test_all_good_options_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
