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
	expect_refusal("nothing", "key.pem", EXIT_USAGE, "nothing");
	expect_refusal("nonsense", NULL, EXIT_USAGE, "it takes PEM");
	expect_refusal("certificate.pem", "nonsense", EXIT_USAGE, "it takes PEM");
	expect_refusal("certificate.pem", "loose", EXIT_REFUSED, "chmod 600");
	remove_file("both");
	remove_file("nonsense");
	remove_file("loose");
	g_free(path);
	g_free(both);
	g_free(text);
	g_free(key);
}

/* Two pairs that belong together, each the folder's own for a while. */
struct pair {
	char *text, *key;
};

static struct pair new_pair(void)
{
	remove_file("certificate.pem");
	g_free(own_fingerprint());
	return (struct pair){read_file("certificate.pem"), read_file("key.pem")};
}

static void pair_free(struct pair *pair)
{
	g_free(pair->text);
	g_free(pair->key);
}

static void test_certificate_comes_from_credentials(void **state)
{
	struct pair first = new_pair(), second = new_pair();
	struct certificate *certificate;
	char *before, *now;
	GError *error = NULL;

	(void)state;
	g_unsetenv("CREDENTIALS_DIRECTORY");
	assert_true(certificate_open("cred:cert", "cred:key", &certificate, &error) < 0);
	assert_non_null(strstr(error->message, "LoadCredential="));
	g_clear_error(&error);
	g_setenv("CREDENTIALS_DIRECTORY", folder, TRUE);
	/* The certificate is no secret, its key is. */
	write_file("cert", first.text, 0644);
	write_file("key", first.key, 0644);
	assert_true(certificate_open("cred:cert", "cred:key", &certificate, &error) < 0);
	assert_int_equal(error->code, EXIT_REFUSED);
	assert_true(g_str_has_prefix(error->message, "cred:key"));
	g_clear_error(&error);
	write_file("key", first.key, 0600);
	assert_int_equal(certificate_open("cred:cert", "cred:key", &certificate, NULL), 0);
	assert_string_equal(certificate_name(certificate), "cred:cert");
	before = fingerprint(certificate);
	write_file("cert", second.text, 0644);
	write_file("key", second.key, 0600);
	now = fingerprint(certificate);
	assert_string_not_equal(now, before);
	certificate_close(certificate);
	g_unsetenv("CREDENTIALS_DIRECTORY");
	remove_file("cert");
	remove_file("key");
	g_free(now);
	g_free(before);
	pair_free(&first);
	pair_free(&second);
}

/* "fd:N" of a pipe that has the text and ends; *fd is the caller's to close. */
static char *pipe_name(const char *text, int *fd)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	close(ends[1]);
	*fd = ends[0];
	return g_strdup_printf("fd:%d", ends[0]);
}

/* What a descriptor said stays, though it says it only once and is closed. */
static void test_certificate_comes_by_descriptors(void **state)
{
	struct pair first = new_pair(), second = new_pair();
	struct certificate *certificate;
	char *name, *key, *path = path_of("cert"), *before, *now;
	int fds[2];

	(void)state;
	name = pipe_name(first.text, &fds[0]);
	key = pipe_name(first.key, &fds[1]);
	assert_int_equal(certificate_open(name, key, &certificate, NULL), 0);
	close(fds[0]);
	close(fds[1]);
	before = fingerprint(certificate);
	certificate_close(certificate);
	g_free(name);
	g_free(key);
	/* Next to a file that changes, and changes back. */
	write_file("cert", first.text, 0644);
	key = pipe_name(first.key, &fds[0]);
	assert_int_equal(certificate_open(path, key, &certificate, NULL), 0);
	close(fds[0]);
	write_file("cert", second.text, 0644);
	now = fingerprint(certificate);
	assert_string_equal(now, before);
	g_free(now);
	write_file("cert", first.text, 0644);
	now = fingerprint(certificate);
	assert_string_equal(now, before);
	g_free(now);
	certificate_close(certificate);
	remove_file("cert");
	g_free(before);
	g_free(path);
	g_free(key);
	pair_free(&first);
	pair_free(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_is_made_once_and_kept),
		cmocka_unit_test(test_certificate_is_read_again_when_it_changes),
		cmocka_unit_test(test_certificate_refuses_bad_files_with_one_line),
		cmocka_unit_test(test_certificate_comes_from_credentials),
		cmocka_unit_test(test_certificate_comes_by_descriptors),
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
