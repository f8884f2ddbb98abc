/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/* From linux 6.2's landlock.h, where the build machine's is older. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define USE  (READ | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define SOCKET                                                        \
	(LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* All rights of the first version: what is not named is forbidden. */
#define FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Those that a rule on something that is no folder may have. */
#define OF_FILES \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

struct rule {
	char *path;
	guint64 access;
};

struct landlock {
	GArray *rules;
};

static void rule_clear(gpointer data)
{
	g_free(((struct rule *)data)->path);
}

struct landlock *landlock_new(void)
{
	struct landlock *landlock = g_new0(struct landlock, 1);

	landlock->rules = g_array_new(FALSE, FALSE, sizeof(struct rule));
	g_array_set_clear_func(landlock->rules, rule_clear);
	return landlock;
}

void landlock_free(struct landlock *landlock)
{
	g_array_unref(landlock->rules);
	g_free(landlock);
}

static void add(struct landlock *landlock, char *path, guint64 access)
{
	struct rule rule = {path, access};

	g_array_append_val(landlock->rules, rule);
}

void landlock_read(struct landlock *landlock, const char *path)
{
	add(landlock, g_strdup(path), READ);
}

void landlock_read_beside(struct landlock *landlock, const char *file)
{
	add(landlock, g_path_get_dirname(file), READ);
}

void landlock_use(struct landlock *landlock, const char *path)
{
	add(landlock, g_strdup(path), USE);
}

void landlock_socket(struct landlock *landlock, const char *file)
{
	add(landlock, g_path_get_dirname(file), SOCKET);
}

static int apply_rule(int ruleset, const struct rule *rule)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = rule->access};
	struct stat st;
	int ret = 0;

	attr.parent_fd = open(rule->path, O_PATH | O_CLOEXEC);
	if (attr.parent_fd < 0)
		return 0;
	if (!fstat(attr.parent_fd, &st) && !S_ISDIR(st.st_mode))
		attr.allowed_access &= OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0))
		ret = -errno;
	close(attr.parent_fd);
	return ret;
}

static int apply_all(const struct landlock *landlock, int ruleset)
{
	int ret = 0;

	for (guint i = 0; i < landlock->rules->len && !ret; i++)
		ret = apply_rule(ruleset, &g_array_index(landlock->rules, struct rule, i));
	if (!ret && syscall(SYS_landlock_restrict_self, ruleset, 0))
		ret = -errno;
	return ret;
}

int landlock_restrict(const struct landlock *landlock, GError **error)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = FIRST};
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
				   LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset, ret;

	if (version < 1)
		return 0;
	if (version >= 3)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	ret = ruleset < 0 ? -errno : apply_all(landlock, ruleset);
	if (ruleset >= 0)
		close(ruleset);
	return ret ? fail(error, EXIT_FAILED, -ret,
			  "cannot restrict its files by Landlock: %s (--no-sandbox does without)",
			  g_strerror(-ret))
		   : version;
}
