/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apart.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "refuse.h"
#include "unit.h"

#define PATIENCE_MS 60000
#define MANY        300000u

static void write_word(int fd, void *data)
{
	if (write(fd, data, strlen(data)) < 0)
		abort();
}

static void write_much(int fd, void *data)
{
	(void)data;
	for (unsigned int i = 0; i < MANY; i += 10)
		write_word(fd, "0123456789");
}

static void hang(int fd, void *data)
{
	write_word(fd, data);
	for (;;)
		pause();
}

static void die(int fd, void *data)
{
	write_word(fd, data);
	_exit(3);
}

static void test_apart_brings_what_was_written(void **state)
{
	GString *text;

	(void)state;
	assert_int_equal(apart_run(write_word, "words", PATIENCE_MS, &text), 0);
	assert_string_equal(text->str, "words");
	g_string_free(text, TRUE);
	assert_int_equal(apart_run(write_much, NULL, PATIENCE_MS, &text), 0);
	assert_int_equal(text->len, MANY);
	g_string_free(text, TRUE);
}

/* Nor does it leave a child behind. */
static void test_apart_work_that_hangs_is_left(void **state)
{
	GString *text;

	(void)state;
	assert_int_equal(apart_run(hang, "half a word", 50, &text), -ETIMEDOUT);
}

static void test_apart_work_that_dies_is_told(void **state)
{
	GString *text;

	(void)state;
	assert_int_equal(apart_run(die, "half a word", PATIENCE_MS, &text), -ECHILD);
}

static void kill_itself(int fd, void *data)
{
	write_word(fd, data);
	raise(SIGKILL);
}

static void test_apart_work_that_is_killed_is_told(void **state)
{
	GString *text;

	(void)state;
	assert_int_equal(apart_run(kill_itself, "half a word", PATIENCE_MS, &text), -ECHILD);
}

static void test_apart_each_failure_is_told(void **state)
{
	static const struct {
		const char *call;
		int errnum;
	} cases[] = {{"pipe2", EMFILE}, {"fork", EAGAIN}, {"poll", EINVAL}, {"read", EIO}};
	GString *text;
	int next = dup(STDIN_FILENO);

	(void)state;
	close(next);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		refuse_call(cases[i].call, 0, cases[i].errnum);
		assert_int_equal(apart_run(write_word, "words", PATIENCE_MS, &text),
				 -cases[i].errnum);
		refuse_no_call();
	}
	refuse_once("poll", EINTR);
	assert_int_equal(apart_run(write_word, "words", PATIENCE_MS, &text), 0);
	assert_string_equal(text->str, "words");
	g_string_free(text, TRUE);
	assert_int_equal(dup(STDIN_FILENO), next); /* no descriptor stayed */
	close(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart_brings_what_was_written),
		cmocka_unit_test(test_apart_work_that_hangs_is_left),
		cmocka_unit_test(test_apart_work_that_dies_is_told),
		cmocka_unit_test(test_apart_work_that_is_killed_is_told),
		cmocka_unit_test(test_apart_each_failure_is_told),
	};

	return cmocka_run_group_tests_name("apart", tests, NULL, NULL);
}
