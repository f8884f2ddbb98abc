/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"
#include "web_files.h"
#include "web_rules.h"

static const char *const names[] = {"screens.example", "10.9.8.7", NULL};

static void test_rules_know_the_names_of_this_server(void **state)
{
	static const struct {
		const char *host;
		bool good;
	} cases[] = {
		{"localhost", true},
		{"LOCALHOST:6080", true},
		{"127.0.0.1", true},
		{"127.9.9.9:80", true},
		{"[::1]:6080", true},
		{"192.0.2.1:6080", true},
		{"screens.example", true},
		{"Screens.Example:443", true},
		{"10.9.8.7", true},
		{"192.0.2.2", false},
		{"evil.example", false},
		{"localhost.evil.example", false},
		{"evil.example:6080@localhost", false},
		{"localhost:6080/x", false},
		{"localhost:x", false},
		{"localhost;script-src *", false},
		{"[::1", false},
		{"[]", false},
		{":6080", false},
		{"", false},
		{NULL, false},
	};
	const struct web_rules rules = {names, "192.0.2.1", false}, on_unix = {NULL, NULL, true};
	char *endless = g_strnfill(300, 'a');

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		if (web_rules_take_host(&rules, cases[i].host) != cases[i].good)
			fail_msg("host %s\n", cases[i].host);
	assert_true(web_rules_take_host(&on_unix, "whatever.example"));
	assert_false(web_rules_take_host(&on_unix, "what ever"));
	assert_false(web_rules_take_host(&on_unix, endless));
	g_free(endless);
}

static void test_rules_take_upgrades_of_own_pages_only(void **state)
{
	static const struct {
		const char *host, *origin;
		bool good;
	} cases[] = {
		{"localhost:6080", "http://localhost:6080", true},
		{"localhost:6080", "https://LOCALHOST:6080", true},
		{"localhost:6080", NULL, true},
		{"localhost:6080", "https://screens.example", true},
		{"localhost:6080", "https://screens.example:8443", true},
		{"localhost:6080", "http://localhost:3000", false},
		{"localhost:6080", "http://localhost", false},
		{"localhost:6080", "http://127.0.0.1:6080", false},
		{"localhost:6080", "http://evil.example", false},
		{"localhost:6080", "http://screens.example.evil.example", false},
		{"localhost:6080", "null", false},
		{"localhost:6080", "file://localhost:6080", false},
		{"localhost:6080", "", false},
		{"localhost:6080", "http://", false},
	};
	const struct web_rules rules = {names, NULL, false};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		if (web_rules_take_origin(&rules, cases[i].host, cases[i].origin) != cases[i].good)
			fail_msg("host %s, origin %s\n", cases[i].host, cases[i].origin);
}

static void test_rules_take_plain_paths_only(void **state)
{
	static const char *const good[] = {"/", "/a", "/novnc/core/rfb.js", "/A-b_c.9/d"};
	static const char *const bad[] = {"",         "a",        "//",           "/..",
					  "/a/../b",  "/a/./b",   "/.git",        "/a//b",
					  "/%2e%2e/", "/a%00.js", "/a\\..\\b.js", "/a b",
					  "/a\n",     "*",        "http://a/",    "/\xc3\xa9"};
	char *endless = g_strnfill(256, '/');

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(web_rules_take_path(good[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		if (web_rules_take_path(bad[i]))
			fail_msg("path %s\n", bad[i]);
	assert_false(web_rules_take_path(endless));
	g_free(endless);
}

/* A folder like noVNC's, with traps in it and a secret beside it. */
struct tree {
	char *top, *root;
};

static void put(const struct tree *tree, const char *name, const char *text)
{
	char *path = g_build_filename(tree->top, name, NULL), *folder = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	g_free(folder);
	g_free(path);
}

static void put_link(const struct tree *tree, const char *name, const char *target)
{
	char *path = g_build_filename(tree->top, name, NULL);

	assert_int_equal(symlink(target, path), 0);
	g_free(path);
}

static int make_tree(void **state)
{
	struct tree *tree = g_new(struct tree, 1);
	char *fifo;

	tree->top = g_dir_make_tmp("planecast-web.XXXXXX", NULL);
	tree->root = g_build_filename(tree->top, "root", NULL);
	put(tree, "secret.js", "secret");
	put(tree, "root/core/rfb.js", "the client");
	put(tree, "root/core/rfb.c", "not for browsers");
	put(tree, "root/empty.css", "");
	put_link(tree, "root/link.js", "../secret.js");
	put_link(tree, "root/inside.js", "core/rfb.js");
	put_link(tree, "root/up", "..");
	fifo = g_build_filename(tree->root, "fifo.js", NULL);
	assert_int_equal(mkfifo(fifo, 0644), 0);
	g_free(fifo);
	*state = tree;
	return 0;
}

static int remove_tree(void **state)
{
	struct tree *tree = *state;
	char *argv[] = {(char *)"rm", (char *)"-rf", tree->top, NULL};

	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
	g_free(tree->top);
	g_free(tree->root);
	g_free(tree);
	return 0;
}

static void check_file(const struct web_files *files, const char *path, const char *text,
		       const char *mime)
{
	const char *type = NULL;
	GBytes *bytes = NULL;

	assert_int_equal(web_files_get(files, path, &bytes, &type), 0);
	if (text) {
		assert_int_equal(g_bytes_get_size(bytes), strlen(text));
		if (*text)
			assert_memory_equal(g_bytes_get_data(bytes, NULL), text, strlen(text));
	}
	assert_string_equal(type, mime);
	g_bytes_unref(bytes);
}

static void test_files_give_out_the_page_and_novnc(void **state)
{
	const struct tree *tree = *state;
	struct web_files *files;

	assert_int_equal(web_files_create(tree->root, &files, NULL), 0);
	check_file(files, "/novnc/core/rfb.js", "the client", "text/javascript; charset=utf-8");
	check_file(files, "/novnc/empty.css", "", "text/css; charset=utf-8");
	check_file(files, "/", NULL, "text/html; charset=utf-8");
	check_file(files, "/page.js", NULL, "text/javascript; charset=utf-8");
	check_file(files, "/page.css", NULL, "text/css; charset=utf-8");
	check_file(files, "/icon.svg", NULL, "image/svg+xml");
	web_files_destroy(files);
}

static void test_files_give_out_nothing_else(void **state)
{
	static const char *const paths[] = {
		"/novnc",
		"/novnc/",
		"/novnc/core",
		"/novnc/core/rfb.c",
		"/novnc/nothing.js",
		"/novnc/link.js",
		"/novnc/inside.js",
		"/novnc/up/secret.js",
		"/novnc/up/root/core/rfb.js",
		"/novnc/../secret.js",
		"/novnc/%2e%2e/secret.js",
		"/novnc/fifo.js",
		"/novnc/core/rfb.js/",
		"/novnc/core/rfb.js/x.js",
		"/novnc//etc/x.js",
		"/web.gresource.xml",
		"/secret.js",
	};
	const struct tree *tree = *state;
	struct web_files *files;

	assert_int_equal(web_files_create(tree->root, &files, NULL), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		const char *type;
		GBytes *bytes;

		if (web_files_get(files, paths[i], &bytes, &type) != -ENOENT)
			fail_msg("%s\n", paths[i]);
	}
	web_files_destroy(files);
}

static void test_files_refuse_a_file_beyond_all_measure(void **state)
{
	const struct tree *tree = *state;
	char *path = g_build_filename(tree->root, "huge.js", NULL);
	struct web_files *files;
	const char *type;
	GBytes *bytes;

	assert_true(g_file_set_contents(path, "", 0, NULL));
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	assert_int_equal(web_files_create(tree->root, &files, NULL), 0);
	assert_int_equal(web_files_get(files, "/novnc/huge.js", &bytes, &type), -EFBIG);
	web_files_destroy(files);
	g_free(path);
}

static void test_files_say_when_novnc_is_not_there(void **state)
{
	const struct tree *tree = *state;
	struct web_files *files;
	GError *error = NULL;

	assert_int_equal(web_files_create(tree->top, &files, &error), -ENOENT);
	assert_non_null(strstr(error->message, tree->top));
	assert_non_null(strstr(error->message, "--web-root"));
	g_clear_error(&error);
	assert_int_equal(web_files_create("/nowhere/at/all", &files, &error), -ENOENT);
	g_clear_error(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_know_the_names_of_this_server),
		cmocka_unit_test(test_rules_take_upgrades_of_own_pages_only),
		cmocka_unit_test(test_rules_take_plain_paths_only),
		cmocka_unit_test_setup_teardown(test_files_give_out_the_page_and_novnc, make_tree,
						remove_tree),
		cmocka_unit_test_setup_teardown(test_files_give_out_nothing_else, make_tree,
						remove_tree),
		cmocka_unit_test_setup_teardown(test_files_refuse_a_file_beyond_all_measure,
						make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_files_say_when_novnc_is_not_there, make_tree,
						remove_tree),
	};

	return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
