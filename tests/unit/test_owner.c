/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owners are real processes here, with files open in a folder that a double of readlink() shows as
 * /dev/vfio and /dev/iommu.
 */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char *folder;

ssize_t __real_readlink(const char *path, char *target, size_t size);
ssize_t __wrap_readlink(const char *path, char *target, size_t size);

/* What leads into the folder leads to the node of that name, '=' standing for '/'. */
ssize_t __wrap_readlink(const char *path, char *target, size_t size)
{
	char real[256], *name;
	ssize_t length = __real_readlink(path, real, sizeof(real) - 1);

	if (length <= 0)
		return length;
	real[length] = '\0';
	if (!folder || !g_str_has_prefix(real, folder))
		return __real_readlink(path, target, size);
	name = real + strlen(folder) + 1;
	g_strdelimit(name, "=", '/');
	length = g_snprintf(target, size, "/dev/%s", name);
	return length < (ssize_t)size ? length : (ssize_t)size;
}

static int setup(void **state)
{
	(void)state;
	folder = g_dir_make_tmp("planecast-XXXXXX", NULL);
	assert_non_null(folder);
	return 0;
}

static int teardown(void **state)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *entry;

	(void)state;
	while ((entry = g_dir_read_name(dir))) {
		char *path = g_build_filename(folder, entry, NULL);

		g_unlink(path);
		g_free(path);
	}
	g_dir_close(dir);
	g_rmdir(folder);
	g_free(folder);
	folder = NULL;
	return 0;
}

static int open_node(const char *node)
{
	char *name = g_strdelimit(g_strdup(node), "/", '=');
	char *path = g_build_filename(folder, name, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	g_free(path);
	g_free(name);
	return fd;
}

/* A process that has these open (NULL at the end), and waits; go has it close the first, and end.
 */
static pid_t start(const char *const *nodes, int *go)
{
	int ready[2], goes[2];
	pid_t pid;
	char byte = 0;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(goes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int first = -1;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		close(goes[1]);
		for (; *nodes; nodes++) {
			int fd = open_node(*nodes);

			first = first < 0 ? fd : first;
		}
		if (write(ready[1], &byte, 1) == 1 && read(goes[0], &byte, 1) == 1 &&
		    !close(first) && write(ready[1], &byte, 1) == 1)
			byte = (char)read(goes[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(goes[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	go[0] = ready[0];
	go[1] = goes[1];
	return pid;
}

/* Its first node closes, and it lives on. */
static void let_close(const int *go)
{
	char byte = 0;

	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(read(go[0], &byte, 1), 1);
}

static void end(pid_t pid, const int *go)
{
	close(go[1]);
	close(go[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_owner_of_a_group_is_found_until_it_closes(void **state)
{
	static const char *const wanted[] = {"/dev/vfio/99042", NULL};
	struct owner owner;
	int go[2];
	pid_t pid;

	(void)state;
	assert_int_not_equal(owner_find(wanted, &owner), 0);
	pid = start((const char *[]){"vfio/99042", "vfio/vfio", NULL}, go);
	assert_int_equal(owner_find(wanted, &owner), 0);
	assert_int_equal(owner.pid, pid);
	assert_string_equal(owner.node, wanted[0]);
	assert_false(owner_has_cdev(&owner));
	assert_true(owner_holds(&owner));
	let_close(go);
	assert_false(owner_holds(&owner));
	assert_int_not_equal(owner_find(wanted, &owner), 0);
	end(pid, go);
	assert_false(owner_holds(&owner));
}

/* Who only attached has a duplicate of the node, and no iommufd that the device is bound to. */
static void test_owner_of_a_node_has_an_iommufd(void **state)
{
	static const char *const wanted[] = {"/dev/vfio/devices/vfio99", NULL};
	struct owner owner;
	int go[2][2];
	pid_t watcher, pid;

	(void)state;
	watcher = start((const char *[]){"vfio/devices/vfio99", NULL}, go[0]);
	assert_int_not_equal(owner_find(wanted, &owner), 0);
	pid = start((const char *[]){"vfio/devices/vfio99", "iommu", NULL}, go[1]);
	assert_int_equal(owner_find(wanted, &owner), 0);
	assert_int_equal(owner.pid, pid);
	assert_true(owner_has_cdev(&owner));
	end(pid, go[1]);
	assert_int_not_equal(owner_find(wanted, &owner), 0);
	end(watcher, go[0]);
}

static void test_owner_lists_what_a_process_has(void **state)
{
	GArray *owners;
	int go[2];
	pid_t pid = start((const char *[]){"vfio/99001", "vfio/vfio", "vfio/99002", "null",
					   "vfio/with-a-name-that-no-node-of-vfio-ever-had", NULL},
			  go);
	unsigned int groups = 0;

	(void)state;
	assert_int_equal(owner_of_process(pid, &owners), 0);
	for (guint i = 0; i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);

		groups |= !strcmp(owner->node, "/dev/vfio/99001") ? 1 : 0;
		groups |= !strcmp(owner->node, "/dev/vfio/99002") ? 2 : 0;
	}
	assert_int_equal(owners->len, 2);
	assert_int_equal(groups, 3);
	g_array_unref(owners);
	end(pid, go);
	assert_int_equal(owner_of_process(pid, &owners), -ESRCH);
}

static void test_owner_all_is_everybody_but_this_process(void **state)
{
	int go[2], mine = open_node("vfio/99003");
	pid_t pid = start((const char *[]){"vfio/99004", NULL}, go);
	GArray *owners = owner_all();
	bool found = false;

	(void)state;
	for (guint i = 0; i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);

		assert_int_not_equal(owner->pid, getpid());
		found |= owner->pid == pid && !strcmp(owner->node, "/dev/vfio/99004");
	}
	assert_true(found);
	g_array_unref(owners);
	close(mine);
	end(pid, go);
}

static void test_owner_duplicate_is_of_its_node(void **state)
{
	struct owner owner = {.pid = getpid(), .node = "/dev/vfio/99005"};
	int fd = open_node("vfio/99005"), other = open_node("vfio/99006");

	(void)state;
	assert_true(owner_is_duplicate(&owner, fd));
	assert_false(owner_is_duplicate(&owner, other));
	close(other);
	assert_false(owner_is_duplicate(&owner, other));
	close(fd);
}

/* A process may call itself anything; a terminal shall not be told. */
static void test_owner_command_is_printable(void **state)
{
	struct owner owner = {.pid = getpid()};
	char before[16] = "", *command;

	(void)state;
	prctl(PR_GET_NAME, before);
	prctl(PR_SET_NAME, "a\033[2J\nb\377c");
	command = owner_command(&owner);
	prctl(PR_SET_NAME, before);
	assert_string_equal(command, "a?[2J?b?c");
	g_free(command);
	owner.pid = 0;
	command = owner_command(&owner);
	assert_string_equal(command, "?");
	g_free(command);
}

/* Nobody that can be seen is not nobody. */
static void test_owner_that_may_not_be_looked_at_may_be_there(void **state)
{
	static const char *const wanted[] = {"/dev/vfio/99044", NULL};
	bool root = !geteuid();
	struct owner owner;
	int ret;

	(void)state;
	if (root)
		assert_int_equal(owner_find(wanted, &owner), -ENOENT);
	/* Somebody else's process is needed: the first one's, or for root its own. */
	if (root ? seteuid(65534) : !access("/proc/1/fd", R_OK))
		skip();
	ret = owner_find(wanted, &owner);
	if (root) {
		assert_int_equal(seteuid(0), 0);
		prctl(PR_SET_DUMPABLE, 1);
	}
	assert_int_equal(ret, -EACCES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_owner_of_a_group_is_found_until_it_closes),
		TEST(test_owner_of_a_node_has_an_iommufd),
		TEST(test_owner_lists_what_a_process_has),
		TEST(test_owner_all_is_everybody_but_this_process),
		TEST(test_owner_duplicate_is_of_its_node),
		TEST(test_owner_command_is_printable),
		TEST(test_owner_that_may_not_be_looked_at_may_be_there),
	};
#undef TEST

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
