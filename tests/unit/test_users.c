/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include <crypt.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "unit.h"

/* Of "correct horse battery staple" and of "watch", as cheap as the method goes. */
#define STAPLE                                                                     \
	"$6$rounds=1000$planecast$f43JWBVVL6KqNQb7aUtj5Fs3QVEC3IXIAmQ1YiV7NIPQOts" \
	"Odw6rTVE3F.mjvFcQszBvjLp/hGgScdhOOJKVr1"
#define WATCH "$2b$04$abcdefghijklmnopqrstuuKwII2SibDLOYnhfdl0HlZn/IUfqih52"

static char *path;

static int load(const char *text, mode_t mode, struct users **users, GError **error)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(g_chmod(path, mode), 0);
	return users_load(path, users, error);
}

static struct users *load_good(const char *text)
{
	struct users *users = NULL;
	GError *error = NULL;

	if (load(text, 0600, &users, &error))
		fail_msg("%s", error->message);
	return users;
}

static void test_users_are_known_by_name_and_password(void **state)
{
	struct users *users = load_good("# who may come in\n"
					"alice:" STAPLE "\r\n"
					"\n"
					"Bøb at home:" WATCH ":view-only");

	(void)state;
	assert_int_equal(users_check(users, "alice", "correct horse battery staple"),
			 PASSWORD_FULL);
	assert_int_equal(users_check(users, "Bøb at home", "watch"), PASSWORD_VIEW);
	assert_int_equal(users_check(users, "alice", "watch"), PASSWORD_WRONG);
	assert_int_equal(users_check(users, "Bøb at home", "correct horse battery staple"),
			 PASSWORD_WRONG);
	assert_int_equal(users_check(users, "alice", ""), PASSWORD_WRONG);
	assert_int_equal(users_check(users, "alice", STAPLE), PASSWORD_WRONG);
	assert_int_equal(users_check(users, "Alice", "correct horse battery staple"),
			 PASSWORD_WRONG);
	assert_int_equal(users_check(users, "# who may come in", ""), PASSWORD_WRONG);
	/* Whoever stands in for a stranger, his password opens nothing. */
	for (char name[] = "a"; *name <= 'z'; (*name)++) {
		assert_int_equal(users_check(users, name, "correct horse battery staple"),
				 PASSWORD_WRONG);
		assert_int_equal(users_check(users, name, "watch"), PASSWORD_WRONG);
	}
	users_free(users);
}

static void test_users_take_the_hashes_that_are_made_today(void **state)
{
	static const char *const methods[] = {"$y$", "$7$", "$2b$", "$6$", "$gy$"};
	char longest[USERS_PASSWORD + 1];

	(void)state;
	memset(longest, 'x', USERS_PASSWORD);
	longest[USERS_PASSWORD] = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		struct crypt_data *data = g_new0(struct crypt_data, 1);
		char salt[CRYPT_GENSALT_OUTPUT_SIZE], *line;
		struct users *users;

		assert_non_null(crypt_gensalt_rn(methods[i], 0, NULL, 0, salt, (int)sizeof(salt)));
		line = g_strdup_printf("eve:%s\n", crypt_r("längst", salt, data));
		users = load_good(line);
		assert_int_equal(users_check(users, "eve", "längst"), PASSWORD_FULL);
		assert_int_equal(users_check(users, "eve", "langst"), PASSWORD_WRONG);
		assert_int_equal(users_check(users, "eve", longest), PASSWORD_WRONG);
		users_free(users);
		g_free(line);
		g_free(data);
	}
}

static void test_users_refuse_lines_that_are_none(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "no users"},
		{"# nobody\n\n", "no users"},
		{"alice\n", "line 1: not NAME:HASH"},
		{"alice:" STAPLE "\nsecret\n", "line 2: not NAME:HASH"},
		{"\n\nalice:" STAPLE ":view-only:x\n", "line 3: not NAME:HASH"},
		{"alice:" STAPLE ":18000:0:99999:7:::\n", "line 1: not NAME:HASH"},
		{"alice:" STAPLE ":\n", "line 1: after the hash only \"view-only\""},
		{"alice:" STAPLE ":admin\n", "line 1: after the hash only \"view-only\""},
		{":" STAPLE "\n", "line 1: not a name"},
		{"al\tice:" STAPLE "\n", "line 1: not a name"},
		{"al\x7fice:" STAPLE "\n", "line 1: not a name"},
		{"al\xffice:" STAPLE "\n", "line 1: not a name"},
		{"alice:" STAPLE "\nalice:" WATCH "\n", "line 2: this user has a line already"},
		{"alice:\n", "line 1: not a hash"},
		{"alice:secret\n", "line 1: not a hash"},
		{"alice:!\n", "line 1: not a hash"},
		{"alice:!" STAPLE "\n", "line 1: not a hash"},
		{"alice:*\n", "line 1: not a hash"},
		{"alice:*0\n", "line 1: not a hash"},
		{"alice:$6$\n", "line 1: the hash is cut off"},
		{"alice:$y$j9T$salt$short\n", "line 1: the hash is cut off"},
		{"alice:plARFGvDJbJsY\n", "line 1: not a hash"},
		{"alice:$1$planecas$LPZCd5ankyUdOHm3dKfzP.\n", "line 1: not a hash"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct users *users = NULL;
		GError *error = NULL;

		assert_true(load(cases[i].text, 0600, &users, &error) < 0);
		assert_null(users);
		assert_true(g_str_has_prefix(error->message, path));
		if (!strstr(error->message, cases[i].words))
			fail_msg("\"%s\": %s", cases[i].text, error->message);
		assert_null(strstr(error->message, "secret"));
		assert_null(strstr(error->message, "f43JWBVV"));
		g_error_free(error);
	}
}

static void test_users_refuse_what_is_too_long(void **state)
{
	struct users *users = NULL;
	GError *error = NULL;
	char name[USERS_NAME + 2], hash[CRYPT_OUTPUT_SIZE + 1], *text;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[USERS_NAME + 1] = 0;
	text = g_strdup_printf("%s:%s", name, STAPLE);
	assert_true(load(text, 0600, &users, &error) < 0);
	assert_non_null(strstr(error->message, "line 1: not a name"));
	g_clear_error(&error);
	g_free(text);
	name[USERS_NAME] = 0;
	text = g_strdup_printf("%s:%s", name, STAPLE);
	users = load_good(text);
	assert_int_equal(users_check(users, name, "correct horse battery staple"), PASSWORD_FULL);
	users_free(users);
	g_free(text);
	memset(hash, 'x', sizeof(hash));
	memcpy(hash, "$6$", 3);
	hash[CRYPT_OUTPUT_SIZE] = 0;
	text = g_strdup_printf("alice:%s", hash);
	assert_true(load(text, 0600, &users, &error) < 0);
	assert_non_null(strstr(error->message, "line 1: not a hash"));
	g_clear_error(&error);
	g_free(text);
}

static void test_users_refuse_a_file_that_others_read(void **state)
{
	struct users *users = NULL;
	GError *error = NULL;

	(void)state;
	assert_true(load("alice:" STAPLE "\n", 0644, &users, &error) < 0);
	assert_int_equal(error->code, EXIT_REFUSED);
	assert_non_null(strstr(error->message, "chmod 600"));
	g_error_free(error);
}

static void test_users_are_read_again_when_their_file_changes(void **state)
{
	struct users *users = load_good("alice:" STAPLE "\n");
	const char *good = "correct horse battery staple";

	(void)state;
	/* For others to read, then not: its mode is a change, too. */
	assert_true(g_file_set_contents(path, "bob:" WATCH ":view-only\n", -1, NULL));
	assert_int_equal(g_chmod(path, 0644), 0);
	assert_int_equal(users_check(users, "alice", good), PASSWORD_FULL);
	assert_int_equal(users_check(users, "bob", "watch"), PASSWORD_WRONG);
	assert_int_equal(g_chmod(path, 0600), 0);
	assert_int_equal(users_check(users, "alice", good), PASSWORD_WRONG);
	assert_int_equal(users_check(users, "bob", "watch"), PASSWORD_VIEW);
	assert_true(g_file_set_contents(path, "nonsense\n", -1, NULL));
	assert_int_equal(g_chmod(path, 0600), 0);
	assert_int_equal(users_check(users, "bob", "watch"), PASSWORD_VIEW);
	assert_int_equal(g_unlink(path), 0);
	assert_int_equal(users_check(users, "bob", "watch"), PASSWORD_VIEW);
	assert_true(g_file_set_contents(path, "bob:" STAPLE "\n", -1, NULL));
	assert_int_equal(g_chmod(path, 0600), 0);
	assert_int_equal(users_check(users, "bob", "watch"), PASSWORD_WRONG);
	assert_int_equal(users_check(users, "bob", good), PASSWORD_FULL);
	users_free(users);
}

/* Whatever bytes a file has: users or one line that says why not. */
static void test_users_survive_any_bytes(void **state)
{
	static const char pieces[] = ":\n#\r$6y2b!*/.\x01\xff\0alice";
	GRand *random = g_rand_new_with_seed(262);
	char text[400];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		gint32 length = g_rand_int_range(random, 0, sizeof(text) - 1);
		struct users *users = NULL;
		GError *error = NULL;

		strcpy(text, "alice:" STAPLE ":view-only\nbob:" WATCH "\n");
		for (gint32 j = i % 3 ? 0 : length, at = 0; j < length; j += 1 + at % 7) {
			at = g_rand_int_range(random, 0, (gint32)sizeof(text) - 1);
			text[at] = pieces[g_rand_int_range(random, 0, sizeof(pieces) - 1)];
		}
		text[length] = 0;
		if (load(text, 0600, &users, &error)) {
			assert_true(g_str_has_prefix(error->message, path));
			assert_null(strchr(error->message, '\n'));
			assert_true(g_utf8_validate(error->message, -1, NULL));
			g_error_free(error);
		} else {
			users_free(users);
		}
	}
	g_rand_free(random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_are_known_by_name_and_password),
		cmocka_unit_test(test_users_take_the_hashes_that_are_made_today),
		cmocka_unit_test(test_users_refuse_lines_that_are_none),
		cmocka_unit_test(test_users_refuse_what_is_too_long),
		cmocka_unit_test(test_users_refuse_a_file_that_others_read),
		cmocka_unit_test(test_users_are_read_again_when_their_file_changes),
		cmocka_unit_test(test_users_survive_any_bytes),
	};
	char *folder = g_dir_make_tmp("users-XXXXXX", NULL);
	int failed;

	path = g_build_filename(folder, "users", NULL);
	failed = cmocka_run_group_tests_name("users", tests, NULL, NULL);
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	g_free(folder);
	return failed;
}
