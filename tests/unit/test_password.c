/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "secret.h"
#include "unit.h"

static char *folder;

static char *write_file(const char *name, const char *text, mode_t mode)
{
	char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

/* DES of FIPS 81's plain text by FIPS 81's key, whose bytes the protocol mirrors. */
static void test_password_answers_by_des(void **state)
{
	static const uint8_t key[] = {0x80, 0xc4, 0xa2, 0xe6, 0x91, 0xd5, 0xb3, 0xf7};
	static const uint8_t cipher[] = {0x3f, 0xa4, 0x0e, 0x8a, 0x98, 0x4d, 0x48, 0x15};
	uint8_t answer[PASSWORD_CHALLENGE];

	(void)state;
	assert_int_equal(password_answer(key, (const uint8_t *)"Now is tNow is t", answer), 0);
	assert_memory_equal(answer, cipher, 8);
	assert_memory_equal(answer + 8, cipher, 8);
}

static void test_password_tells_full_from_watching(void **state)
{
	char *path = write_file("both", "full pass that is long\r\nwatch\n", 0600);
	uint8_t challenge[PASSWORD_CHALLENGE], again[PASSWORD_CHALLENGE];
	uint8_t answer[PASSWORD_CHALLENGE], nothing[PASSWORD_LENGTH] = {0};
	struct passwords passwords = {0};

	(void)state;
	assert_int_equal(password_load(&passwords, path, FALSE, NULL), 0);
	assert_true(password_challenge(challenge));
	assert_true(password_challenge(again));
	assert_memory_not_equal(challenge, again, PASSWORD_CHALLENGE);
	password_answer((const uint8_t *)"full pas", challenge, answer);
	assert_int_equal(password_check(&passwords, challenge, answer), PASSWORD_FULL);
	assert_int_equal(password_check(&passwords, again, answer), PASSWORD_WRONG);
	answer[15] ^= 1;
	assert_int_equal(password_check(&passwords, challenge, answer), PASSWORD_WRONG);
	password_answer((const uint8_t *)"watch\0\0\0", challenge, answer);
	assert_int_equal(password_check(&passwords, challenge, answer), PASSWORD_VIEW);
	/* A password that there is not is none that proves anything. */
	passwords.has_view = FALSE;
	memset(passwords.view, 0, PASSWORD_LENGTH);
	password_answer(nothing, challenge, answer);
	assert_int_equal(password_check(&passwords, challenge, answer), PASSWORD_WRONG);
	g_unlink(path);
	g_free(path);
}

static void test_password_refuses_bad_files_with_one_line(void **state)
{
	static const struct {
		const char *text, *words;
		mode_t mode;
		enum exit_code code;
	} cases[] = {
		{"", "no password", 0600, EXIT_USAGE},
		{"\nwatch\n", "no password", 0600, EXIT_USAGE},
		{"hushhush\n\n", "second line is empty", 0600, EXIT_USAGE},
		{"hushhush\nwatch\nmore\n", "more lines", 0600, EXIT_USAGE},
		{"hushhush\nhushhush\n", "is the full one", 0600, EXIT_USAGE},
		{"hushhush\n", "chmod 600", 0604, EXIT_REFUSED},
		{"hushhush\n", "chmod 600", 0620, EXIT_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *path = write_file("bad", cases[i].text, cases[i].mode);
		struct passwords passwords = {0};
		GError *error = NULL;

		assert_true(password_load(&passwords, path, FALSE, &error) < 0);
		assert_int_equal(error->code, cases[i].code);
		assert_non_null(strstr(error->message, cases[i].words));
		assert_null(strstr(error->message, "hush"));
		assert_null(strchr(error->message, '\n'));
		g_error_free(error);
		g_unlink(path);
		g_free(path);
	}
}

static void expect_secret(const char *name, const char *expected)
{
	char *text = NULL;

	assert_int_equal(secret_read(name, &text, NULL), 0);
	assert_string_equal(text, expected);
	secret_free(text);
}

static void test_secret_comes_from_credentials_and_descriptors(void **state)
{
	char *path = write_file("word", "by credential", 0440), *name, *big, *text;
	int pipes[2];

	(void)state;
	expect_secret(path, "by credential");
	g_unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(secret_read("cred:word", &text, NULL), -ENOENT);
	g_setenv("CREDENTIALS_DIRECTORY", folder, TRUE);
	expect_secret("cred:word", "by credential");
	assert_int_equal(secret_read("cred:../word", &text, NULL), -EINVAL);
	assert_int_equal(secret_read("fd:x", &text, NULL), -EINVAL);
	assert_int_equal(secret_read("fd:9999", &text, NULL), -EBADF);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "by pipe", 7), 7);
	close(pipes[1]);
	name = g_strdup_printf("fd:%d", pipes[0]);
	expect_secret(name, "by pipe");
	close(pipes[0]);
	g_free(name);
	g_unlink(path);
	g_free(path);
	big = g_strnfill(SECRET_SIZE + 1, 'x');
	path = write_file("big", big, 0600);
	assert_int_equal(secret_read(path, &text, NULL), -EFBIG);
	g_unlink(path);
	g_free(path);
	g_free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password_answers_by_des),
		cmocka_unit_test(test_password_tells_full_from_watching),
		cmocka_unit_test(test_password_refuses_bad_files_with_one_line),
		cmocka_unit_test(test_secret_comes_from_credentials_and_descriptors),
	};
	int failed;

	folder = g_dir_make_tmp("password-XXXXXX", NULL);
	failed = cmocka_run_group_tests_name("password", tests, NULL, NULL);
	g_rmdir(folder);
	g_free(folder);
	return failed;
}
