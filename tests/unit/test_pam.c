/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib/gstdio.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pam_ask.h"
#include "pam_helper.h"
#include "unit.h"
#include "users.h"

/* Knows alice by her password, and nobody else. */
#define SCRIPT                                  \
	"#!/bin/sh\n"                           \
	"[ \"$PAM_USER\" = alice ] || exit 1\n" \
	"[ \"$(tr -d '\\0')\" = 'open sesame' ]\n"

static char *folder;

int __wrap_pam_start(const char *service, const char *name, const struct pam_conv *conversation,
		     pam_handle_t **pam);

/* Services of our own, not of the machine's. */
int __wrap_pam_start(const char *service, const char *name, const struct pam_conv *conversation,
		     pam_handle_t **pam)
{
	return pam_start_confdir(service, name, conversation, folder, pam);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(g_chmod(path, mode), 0);
	g_free(path);
}

static void write_service(const char *name, const char *account)
{
	char *text = g_strdup_printf("auth required pam_exec.so expose_authtok quiet %s/script\n"
				     "account required %s\n",
				     folder, account);

	write_file(name, text, 0644);
	g_free(text);
}

static void test_pam_knows_users(void **state)
{
	(void)state;
	assert_true(pam_ask("good", "alice", "open sesame"));
	assert_false(pam_ask("good", "alice", "open"));
	assert_false(pam_ask("good", "alice", ""));
	assert_false(pam_ask("good", "bob", "open sesame"));
}

static void test_pam_looks_at_the_account_too(void **state)
{
	(void)state;
	assert_false(pam_ask("expired", "alice", "open sesame"));
}

/* By a helper, as libpam loses memory of services that it cannot read. */
static void test_pam_lets_nobody_in_without_a_service(void **state)
{
	static const char *const services[] = {"missing", "broken"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(services); i++) {
		struct pam_helper *helper;

		assert_int_equal(pam_helper_start(services[i], &helper, NULL), 0);
		assert_int_equal(pam_helper_check(helper, "alice", "open sesame"), PASSWORD_WRONG);
		pam_helper_stop(helper);
	}
}

/* As the door asks. */
static void test_a_helper_asks_for_the_server(void **state)
{
	char longest[USERS_PASSWORD + 1];
	struct pam_helper *helper;
	struct users *users;

	(void)state;
	memset(longest, 'x', USERS_PASSWORD);
	longest[USERS_PASSWORD] = 0;
	assert_int_equal(pam_helper_start("good", &helper, NULL), 0);
	users = users_ask(pam_helper_check, helper);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(users_check(users, "alice", "open sesame"), PASSWORD_FULL);
		assert_int_equal(users_check(users, "alice", "guess"), PASSWORD_WRONG);
		assert_int_equal(users_check(users, "bob", "open sesame"), PASSWORD_WRONG);
		assert_int_equal(users_check(users, "alice", longest), PASSWORD_WRONG);
		/* No name for a log. */
		assert_int_equal(users_check(users, "alice\nroot", "open sesame"), PASSWORD_WRONG);
	}
	users_free(users);
	pam_helper_stop(helper);
}

/* One that dies lets nobody in, and holds nobody up. */
static void test_a_helper_that_is_gone(void **state)
{
	struct pam_helper *helper;
	char *children, *text;
	pid_t pid;

	(void)state;
	assert_int_equal(pam_helper_start("good", &helper, NULL), 0);
	assert_int_equal(pam_helper_check(helper, "alice", "open sesame"), PASSWORD_FULL);
	/* The youngest child; those of other tests may not be buried yet. */
	children = g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
	assert_true(g_file_get_contents(children, &text, NULL, NULL));
	pid = (pid_t)g_ascii_strtoll(strrchr(g_strchomp(text), ' ') ?: text, NULL, 10);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(pam_helper_check(helper, "alice", "open sesame"), PASSWORD_WRONG);
	assert_int_equal(pam_helper_check(helper, "alice", "open sesame"), PASSWORD_WRONG);
	pam_helper_stop(helper);
	g_free(children);
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pam_knows_users),
		cmocka_unit_test(test_pam_looks_at_the_account_too),
		cmocka_unit_test(test_pam_lets_nobody_in_without_a_service),
		cmocka_unit_test(test_a_helper_asks_for_the_server),
		cmocka_unit_test(test_a_helper_that_is_gone),
	};
	static const char *const files[] = {"script", "good", "expired", "broken"};
	int failed;

	folder = g_dir_make_tmp("pam-XXXXXX", NULL);
	write_file("script", SCRIPT, 0700);
	write_service("good", "pam_permit.so");
	write_service("expired", "pam_deny.so");
	write_file("broken", "auth required pam_no_such_module.so\n", 0644);
	failed = cmocka_run_group_tests_name("pam", tests, NULL, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		char *path = g_build_filename(folder, files[i], NULL);

		g_unlink(path);
		g_free(path);
	}
	g_rmdir(folder);
	g_free(folder);
	return failed;
}
