/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "log.h"

/*
 * With an empty bounding set no program brings any capability back, not even for root: more than
 * PR_SET_NO_NEW_PRIVS says, and a service's manager may not leave the right to it.
 */
static gboolean may_empty_bounding_set(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
}

/* Of what this process may do now, whatever it asks for later, only so many capabilities stay. */
static int keep(const unsigned int *capabilities, unsigned int count, GError **error)
{
	gboolean bounding = may_empty_bounding_set();

	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int i = 0; i < count; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, capabilities[i]);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    capng_apply(bounding ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS))
		return fail(error, EXIT_FAILED, EPERM,
			    "cannot give up capabilities (--no-sandbox keeps them)");
	return 0;
}

static void set_environment(const struct passwd *entry)
{
	char *runtime = g_strdup_printf("/run/user/%u", (unsigned int)entry->pw_uid);

	g_setenv("HOME", entry->pw_dir, TRUE);
	g_unsetenv("XDG_DATA_HOME");
	if (g_file_test(runtime, G_FILE_TEST_IS_DIR))
		g_setenv("XDG_RUNTIME_DIR", runtime, TRUE);
	else
		g_unsetenv("XDG_RUNTIME_DIR");
	g_free(runtime);
}

static int become(const char *user, GError **error)
{
	const struct passwd *entry = getpwnam(user);
	capng_flags_t bounding;

	if (!entry)
		return fail(error, EXIT_USAGE, ENOENT, "--user %s: no such user", user);
	if (entry->pw_uid == geteuid())
		return 0;
	bounding = may_empty_bounding_set() ? CAPNG_CLEAR_BOUNDING : CAPNG_NO_FLAG;
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)entry->pw_uid, (int)entry->pw_gid, CAPNG_INIT_SUPP_GRP | bounding))
		return fail(error, EXIT_REFUSED, EPERM,
			    "--user %s: only root may become another user", user);
	set_environment(entry);
	return 0;
}

int privileges_drop(const char *user, GError **error)
{
	int ret = user ? become(user, error) : 0;

	return ret ? ret : keep(NULL, 0, error);
}

int privileges_keep_tracing(GError **error)
{
	static const unsigned int wanted[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
	unsigned int held[G_N_ELEMENTS(wanted)], count = 0;

	capng_get_caps_process();
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (capng_have_capability(CAPNG_PERMITTED, wanted[i]))
			held[count++] = wanted[i];
	return keep(held, count, error);
}

char *privileges_user(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry ? g_strdup(entry->pw_name) : g_strdup_printf("%u", (unsigned int)geteuid());
}

gboolean privileges_any(void)
{
	capng_get_caps_process();
	return capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE;
}
