/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files on a disk that fails at any step: told with the path, nothing is left behind or lost. */
#include "output.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "refuse.h"
#include "unit.h"

static char *folder, *path, *part;

static int setup(void **state)
{
	(void)state;
	folder = g_dir_make_tmp("planecast-test.XXXXXX", NULL);
	assert_non_null(folder);
	path = g_build_filename(folder, "picture", NULL);
	part = g_strconcat(path, ".part", NULL);
	return 0;
}

/* Nothing of any other name is there. */
static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(part);
	assert_int_equal(rmdir(folder), 0);
	g_free(folder);
	g_free(path);
	g_free(part);
	return 0;
}

static void expect_contents(const char *of, const char *expected)
{
	char *text = NULL;

	assert_true(g_file_get_contents(of, &text, NULL, NULL));
	assert_string_equal(text, expected);
	g_free(text);
}

/* Writes "new" to the path; what failed, with the words in error. */
static int write_new(bool partial, GError **error)
{
	struct output *output = NULL;
	int ret = partial ? output_open_partial(path, &output, error)
			  : output_open(path, &output, error);

	if (!ret)
		ret = output_write(output, "new", 3);
	if (!ret)
		ret = output_commit(output, error);
	output_close(output);
	return ret;
}

static void expect_failure(bool partial, int ret, const char *words)
{
	GError *error = NULL;

	assert_int_equal(write_new(partial, &error), ret);
	refuse_no_call();
	assert_non_null(error);
	assert_int_equal(error->code, EXIT_FAILED);
	if (!strstr(error->message, path) || !strstr(error->message, words))
		fail_msg("%s\n", error->message);
	g_error_free(error);
}

static void test_output_each_failure_leaves_the_old_file(void **state)
{
	static const struct {
		const char *call;
		int errnum;
		bool there; /* there is an old file */
	} cases[] = {
		{"lstat", EACCES, false}, {"faccessat", EACCES, true}, {"realpath", ENOENT, true},
		{"open", EMFILE, true},   {"fchmod", EPERM, true},     {"write", ENOSPC, true},
		{"fsync", EIO, true},     {"linkat", EPERM, true},     {"rename", EACCES, true},
		{"close", EDQUOT, false}, {"write", ENOSPC, false},    {"fsync", EIO, false},
		{"linkat", EPERM, false}, {"rename", EACCES, false},   {"open", EMFILE, false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unlink(path);
		if (cases[i].there)
			assert_true(g_file_set_contents(path, "old", 3, NULL));
		refuse_call(cases[i].call, 0, cases[i].errnum);
		expect_failure(false, -cases[i].errnum, g_strerror(cases[i].errnum));
		if (cases[i].there)
			expect_contents(path, "old");
		else if (strcmp(cases[i].call, "close"))
			assert_int_not_equal(access(path, F_OK), 0);
	}
	assert_int_equal(write_new(false, NULL), 0);
	expect_contents(path, "new");
}

/* A filesystem without O_TMPFILE: a name of its own, which goes as well. */
static void test_output_without_unnamed_files_leaves_nothing(void **state)
{
	static const int unable[] = {EOPNOTSUPP, EISDIR, EINVAL};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(unable); i++) {
		refuse_once("open", unable[i]);
		assert_int_equal(write_new(false, NULL), 0);
		expect_contents(path, "new");
		unlink(path);
	}
	refuse_once("open", EOPNOTSUPP);
	refuse_call("rename", 0, EIO);
	expect_failure(false, -EIO, "Input/output error");
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_output_names_are_tried_until_one_is_free(void **state)
{
	(void)state;
	refuse_call("linkat", 0, EEXIST); /* all of them are taken */
	expect_failure(false, -EEXIST, "File exists");
}

/* What was written of a partial one stays, and the line says where. */
static void test_output_partial_keeps_what_there_is(void **state)
{
	(void)state;
	refuse_call("fsync", 0, EIO);
	expect_failure(true, -EIO, "(what was written is in ");
	expect_contents(part, "new");
	expect_failure(true, -EEXIST, ".part is there already");
	unlink(part);
	refuse_call("write", 0, ENOSPC);
	expect_failure(true, -ENOSPC, "No space left on device");
	assert_int_not_equal(access(part, F_OK), 0);
}

static void test_output_stays_failed(void **state)
{
	struct output *output = NULL;
	GError *error = NULL;

	(void)state;
	assert_int_equal(output_open(path, &output, NULL), 0);
	output_spoil(output, -ETIME);
	output_spoil(output, -EIO);
	assert_int_equal(output_write(output, "new", 3), -ETIME);
	assert_int_equal(output_flush(output), -ETIME);
	assert_int_equal(output_commit(output, &error), -ETIME);
	assert_non_null(error);
	g_error_free(error);
	output_close(output);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_output_each_failure_leaves_the_old_file),
		TEST(test_output_without_unnamed_files_leaves_nothing),
		TEST(test_output_names_are_tried_until_one_is_free),
		TEST(test_output_partial_keeps_what_there_is),
		TEST(test_output_stays_failed),
	};
#undef TEST

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
