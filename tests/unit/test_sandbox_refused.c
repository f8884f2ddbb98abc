/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel that refuses a restriction: it is told, with the way out, and nobody goes on without. */
#include <errno.h>
#include <glib.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cap-ng.h>

#include "calls.h"
#include "landlock.h"
#include "log.h"
#include "privileges.h"
#include "unit.h"

/* What is refused, by name; NULL: nothing. None of these calls reaches the kernel. */
static const char *refused;
static int version; /* of Landlock */
static unsigned int rules, restrictions;

long __wrap_syscall(long number, long a, long b, long c, long d);
int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_capng_apply(capng_select_t set);
int __wrap_capng_change_id(int uid, int gid, capng_flags_t flags);
scmp_filter_ctx __real_seccomp_init(uint32_t action);
scmp_filter_ctx __wrap_seccomp_init(uint32_t action);
int __wrap_seccomp_load(scmp_filter_ctx filter);

static bool refuses(const char *name)
{
	errno = ENOSPC;
	return !g_strcmp0(refused, name);
}

static int create_ruleset(long flags)
{
	if (flags == LANDLOCK_CREATE_RULESET_VERSION)
		return version;
	return refuses("create") ? -1 : dup(STDIN_FILENO);
}

long __wrap_syscall(long number, long a, long b, long c, long d)
{
	(void)a;
	(void)b;
	(void)d;
	switch (number) {
	case SYS_landlock_create_ruleset:
		return create_ruleset(c);
	case SYS_landlock_add_rule:
		rules++;
		return refuses("rule") ? -1 : 0;
	default:
		assert_int_equal(number, SYS_landlock_restrict_self);
		restrictions++;
		return refuses("restrict") ? -1 : 0;
	}
}

int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	assert_int_equal(option, PR_SET_NO_NEW_PRIVS);
	return refuses("prctl") ? -1 : 0;
}

int __wrap_capng_apply(capng_select_t set)
{
	(void)set;
	return refuses("apply") ? -1 : 0;
}

int __wrap_capng_change_id(int uid, int gid, capng_flags_t flags)
{
	(void)uid;
	(void)gid;
	(void)flags;
	return refuses("change") ? -1 : 0;
}

scmp_filter_ctx __wrap_seccomp_init(uint32_t action)
{
	return refuses("init") ? NULL : __real_seccomp_init(action);
}

int __wrap_seccomp_load(scmp_filter_ctx filter)
{
	assert_non_null(filter);
	return refuses("load") ? -EINVAL : 0;
}

static void expect_refusal(int ret, int expected, GError **error, const char *words)
{
	assert_int_equal(ret, expected);
	assert_non_null(*error);
	if (!strstr((*error)->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, (*error)->message);
	assert_null(strchr((*error)->message, '\n'));
	g_clear_error(error);
}

/* Three folders, one of which is not there. */
static int restrict_files(GError **error)
{
	struct landlock *landlock = landlock_new();
	int ret;

	landlock_read(landlock, "/");
	landlock_use(landlock, "/dev/null");
	landlock_read(landlock, "/no such folder");
	rules = restrictions = 0;
	ret = landlock_restrict(landlock, error);
	landlock_free(landlock);
	return ret;
}

static void test_landlock_that_is_refused_is_told(void **state)
{
	static const char *const calls[] = {"create", "rule", "restrict"};
	int next = dup(STDIN_FILENO);

	(void)state;
	close(next);
	for (version = 1; version <= 4; version++)
		for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
			GError *error = NULL;

			refused = calls[i];
			expect_refusal(restrict_files(&error), -ENOSPC, &error,
				       "cannot restrict its files by Landlock: No space left on "
				       "device (--no-sandbox does without)");
			assert_int_equal(restrictions, i == 2);
		}
	refused = NULL;
	version = 3;
	assert_int_equal(restrict_files(NULL), 3);
	assert_int_equal(rules, 2);
	assert_int_equal(restrictions, 1);
	assert_int_equal(dup(STDIN_FILENO), next); /* no descriptor stayed */
	close(next);
}

static void test_kernel_without_landlock_is_no_failure(void **state)
{
	(void)state;
	refused = NULL;
	version = -1;
	assert_int_equal(restrict_files(NULL), 0);
	assert_int_equal(rules + restrictions, 0);
}

static void test_privileges_that_cannot_be_given_up_are_told(void **state)
{
	static const char *const calls[] = {"prctl", "apply"};
	const char *other = geteuid() ? "root" : "nobody";
	GError *error = NULL;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		refused = calls[i];
		expect_refusal(privileges_drop(NULL, &error), -EPERM, &error,
			       "cannot give up capabilities (--no-sandbox keeps them)");
		expect_refusal(privileges_keep_tracing(&error), -EPERM, &error,
			       "cannot give up capabilities");
	}
	refused = "change";
	expect_refusal(privileges_drop(other, &error), -EPERM, &error,
		       "only root may become another user");
	refused = NULL;
	assert_int_equal(privileges_drop(NULL, NULL), 0);
}

static void test_calls_that_cannot_be_restricted_are_told(void **state)
{
	GError *error = NULL;

	(void)state;
	for (enum calls calls = CALLS_SERVER; calls <= CALLS_BROKER; calls++) {
		refused = "init";
		expect_refusal(calls_restrict(calls, &error), -ENOMEM, &error,
			       "cannot restrict its system calls: Cannot allocate memory");
		refused = "load";
		expect_refusal(calls_restrict(calls, &error), -EINVAL, &error,
			       "a kernel without seccomp?");
		refused = NULL;
		assert_int_equal(calls_restrict(calls, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landlock_that_is_refused_is_told),
		cmocka_unit_test(test_kernel_without_landlock_is_no_failure),
		cmocka_unit_test(test_privileges_that_cannot_be_given_up_are_told),
		cmocka_unit_test(test_calls_that_cannot_be_restricted_are_told),
	};

	return cmocka_run_group_tests_name("sandbox_refused", tests, NULL, NULL);
}
