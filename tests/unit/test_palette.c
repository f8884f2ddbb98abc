/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "palette.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "log.h"
#include "unit.h"

static uint32_t colours[PALETTE_COLOURS];

static void test_palette_by_name(void **state)
{
	(void)state;
	assert_int_equal(palette_get("grey", colours, NULL), 0);
	assert_int_equal(colours[0], 0);
	assert_int_equal(colours[77], 0x4d4d4d);
	assert_int_equal(colours[255], 0xffffff);
	assert_int_equal(palette_get("rgb332", colours, NULL), 0);
	assert_int_equal(colours[0], 0);
	assert_int_equal(colours[0xe0], 0xff0000);
	assert_int_equal(colours[0x1c], 0x00ff00);
	assert_int_equal(colours[0x03], 0x0000ff);
	assert_int_equal(colours[0x92], 0x9191aa);
}

static int get_file(const char *bytes, size_t size, GError **error)
{
	char *folder = g_dir_make_tmp("planecast-XXXXXX", NULL);
	char *path = g_build_filename(folder, "palette", NULL);
	int ret;

	assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	ret = palette_get(path, colours, error);
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
	return ret;
}

static void test_palette_of_a_file(void **state)
{
	char bytes[772] = "";

	(void)state;
	memcpy(bytes + 3, "\x11\x22\x33", 3);
	memcpy(bytes + 765, "\xfe\xfd\xfc", 3);
	for (size_t size = 768; size <= 772; size += 4) { /* as bare bytes, and as .act */
		memset(colours, 0x55, sizeof(colours));
		assert_int_equal(get_file(bytes, size, NULL), 0);
		assert_int_equal(colours[0], 0);
		assert_int_equal(colours[1], 0x112233);
		assert_int_equal(colours[255], 0xfefdfc);
	}
}

static void test_palette_that_is_none_is_refused(void **state)
{
	static const size_t sizes[] = {0, 1, 767, 769, 771, 773, 4000};
	static const char bytes[4000];
	GError *error = NULL;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		assert_int_equal(get_file(bytes, sizes[i], &error), -EINVAL);
		assert_int_equal(error->code, EXIT_USAGE);
		assert_non_null(strstr(error->message, "grey, rgb332 or a file of 768 bytes"));
		g_clear_error(&error);
	}
	assert_int_equal(palette_get("/nonexistent/palette", colours, &error), -ENOENT);
	assert_int_equal(error->code, EXIT_USAGE);
	g_clear_error(&error);
	assert_int_equal(palette_get("/", colours, &error), -EISDIR);
	g_clear_error(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_palette_by_name),
		cmocka_unit_test(test_palette_of_a_file),
		cmocka_unit_test(test_palette_that_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("palette", tests, NULL, NULL);
}
