/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certificate.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

static char *folder;

static char *path_of(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static char *read_file(const char *name)
{
	char *path = path_of(name), *text;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_free(path);
	return text;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char *path = path_of(name);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, mode), 0);
	g_free(path);
}

static void remove_file(const char *name)
{
	char *path = path_of(name);

	g_unlink(path);
	g_free(path);
}

static char *fingerprint(struct certificate *certificate)
{
	struct certificate_use *use = certificate_acquire(certificate);
	char *copy = g_strdup(use->fingerprint);

	certificate_release(use);
	return copy;
}

static char *own_fingerprint(void)
{
	struct certificate *certificate;
	char *text;

	assert_int_equal(certificate_open_own(folder, &certificate, NULL), 0);
	text = fingerprint(certificate);
	certificate_close(certificate);
	return text;
}

static void test_certificate_is_made_once_and_kept(void **state)
{
	char *first = own_fingerprint(), *again = own_fingerprint(), *other,
	     *key = path_of("key.pem");
	struct stat st;

	(void)state;
	assert_int_equal(strlen(first), 32 * 3 - 1);
	assert_string_equal(first, again);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	remove_file("certificate.pem");
	other = own_fingerprint();
	assert_string_not_equal(first, other);
	g_free(first);
	g_free(again);
	g_free(other);
	g_free(key);
}

static void test_certificate_is_read_again_when_it_changes(void **state)
{
	char *old_text, *old_key, *new_text, *new_key, *before, *path, *key, *now;
	struct certificate *certificate;
	struct certificate_use *held;

	(void)state;
	g_free(own_fingerprint());
	old_text = read_file("certificate.pem");
	old_key = read_file("key.pem");
	remove_file("certificate.pem");
	g_free(own_fingerprint());
	new_text = read_file("certificate.pem");
	new_key = read_file("key.pem");
	write_file("cert", old_text, 0644);
	write_file("key", old_key, 0600);
	path = path_of("cert");
	key = path_of("key");
	assert_int_equal(certificate_open(path, key, &certificate, NULL), 0);
	held = certificate_acquire(certificate);
	before = g_strdup(held->fingerprint);
	/* The new certificate with the old key: the last good ones serve. */
	write_file("cert", new_text, 0644);
	now = fingerprint(certificate);
	assert_string_equal(now, before);
	g_free(now);
	write_file("key", new_key, 0600);
	now = fingerprint(certificate);
	assert_string_not_equal(now, before);
	certificate_close(certificate);
	assert_string_equal(held->fingerprint, before);
	certificate_release(held);
	remove_file("cert");
	remove_file("key");
	g_free(now);
	g_free(before);
	g_free(path);
	g_free(key);
	g_free(old_text);
	g_free(old_key);
	g_free(new_text);
	g_free(new_key);
}

static void expect_refusal(const char *file, const char *key, enum exit_code code,
			   const char *words)
{
	char *path = path_of(file), *key_path = key ? path_of(key) : NULL;
	struct certificate *certificate;
	GError *error = NULL;

	assert_true(certificate_open(path, key_path, &certificate, &error) < 0);
	assert_int_equal(error->code, code);
	if (!strstr(error->message, words) || strchr(error->message, '\n'))
		fail_msg("%s", error->message);
	g_error_free(error);
	g_free(path);
	g_free(key_path);
}

static void test_certificate_refuses_bad_files_with_one_line(void **state)
{
	char *text, *key, *both, *path;
	struct certificate *certificate;

	(void)state;
	g_free(own_fingerprint());
	text = read_file("certificate.pem");
	key = read_file("key.pem");
	both = g_strconcat(text, key, NULL);
	write_file("both", both, 0600);
	path = path_of("both");
	assert_int_equal(certificate_open(path, NULL, &certificate, NULL), 0);
	certificate_close(certificate);
	write_file("both", both, 0644);
	write_file("nonsense", "nonsense", 0600);
	write_file("loose", key, 0644);
	expect_refusal("both", NULL, EXIT_REFUSED, "chmod 600");
	expect_refusal("nothing", "key.pem", EXIT_FAILED, "nothing");
	expect_refusal("nonsense", NULL, EXIT_FAILED, "it takes PEM");
	expect_refusal("certificate.pem", "nonsense", EXIT_FAILED, "it takes PEM");
	expect_refusal("certificate.pem", "loose", EXIT_REFUSED, "chmod 600");
	remove_file("both");
	remove_file("nonsense");
	remove_file("loose");
	g_free(path);
	g_free(both);
	g_free(text);
	g_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_is_made_once_and_kept),
		cmocka_unit_test(test_certificate_is_read_again_when_it_changes),
		cmocka_unit_test(test_certificate_refuses_bad_files_with_one_line),
	};
	int failed;

	folder = g_dir_make_tmp("certificate-XXXXXX", NULL);
	failed = cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
	remove_file("certificate.pem");
	remove_file("key.pem");
	g_rmdir(folder);
	g_free(folder);
	return failed;
}
