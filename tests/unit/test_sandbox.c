/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process can no longer do: privileges, Landlock and system calls, each in a child. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "landlock.h"
#include "log.h"
#include "privileges.h"
#include "unit.h"

#define UNRESTRICTED 99 /* of a child: this kernel cannot do that */

/* In the child, whose asserts nobody would see. */
#define CHECK(holds)                                                                \
	do {                                                                        \
		if (!(holds)) {                                                     \
			print_error("%s:%d: %s (%s)\n", __FILE__, __LINE__, #holds, \
				    g_strerror(errno));                             \
			_exit(1);                                                   \
		}                                                                   \
	} while (0)

static int in_child(void (*work)(const char *folder), const char *folder)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		work(folder);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void *nothing(void *data)
{
	return data;
}

static void restrict_calls(const char *unused)
{
	int fds[2], bytes = 0;
	pthread_t thread;
	char *arguments[] = {NULL};

	(void)unused;
	CHECK(!calls_restrict(CALLS_SERVER, NULL));
	errno = 0;
	CHECK(execve("/bin/true", arguments, arguments) == -1 && errno == ENOSYS);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == ENOSYS);
	CHECK(unshare(CLONE_NEWUSER) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL) == -1 &&
	      errno == ENOSYS);
	CHECK(syscall(SYS_pidfd_open, getpid(), 0) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == ENOSYS);
	CHECK(setuid(0) == -1 && errno == ENOSYS);
#ifndef __SANITIZE_ADDRESS__
	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == ENOSYS);
#endif
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	CHECK(ioctl(fds[0], TIOCSTI, "x") == -1 && errno == ENOSYS);
	CHECK(ioctl(fds[0], 0xae01, 0) == -1 && errno == ENOSYS); /* KVM_CREATE_VM */
	CHECK(!ioctl(fds[0], FIONREAD, &bytes));
	CHECK(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	CHECK(!pthread_create(&thread, NULL, nothing, NULL) && !pthread_join(thread, NULL));
}

static void restrict_broker(const char *unused)
{
	(void)unused;
	CHECK(!calls_restrict(CALLS_BROKER, NULL));
	CHECK(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_pidfd_open, getpid(), 0) >= 0);
	CHECK(ioctl(STDIN_FILENO, 0xae01, 0) == -1 && errno != ENOSYS); /* it is no KVM */
}

/* Only who may not get rights may have a filter: so both begin without. */
static void without_rights(void (*work)(const char *), const char *folder)
{
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	work(folder);
}

static void calls_of_server(const char *folder)
{
	without_rights(restrict_calls, folder);
}

static void calls_of_broker(const char *folder)
{
	without_rights(restrict_broker, folder);
}

static void test_calls_that_are_not_on_the_list(void **state)
{
	(void)state;
	assert_int_equal(in_child(calls_of_server, NULL), 0);
	assert_int_equal(in_child(calls_of_broker, NULL), 0);
}

static bool make_socket(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
	return fd >= 0 && !bind(fd, (const struct sockaddr *)&name, sizeof(name));
}

/* The folder has read/file, read/more/file, use, sockets/, secret. */
static void use_files(void)
{
	CHECK(open("read/file", O_RDONLY) >= 0);
	CHECK(open("read/more/file", O_RDONLY) >= 0);
	CHECK(open("read/file", O_WRONLY) == -1 && errno == EACCES);
	CHECK(open("use", O_RDWR) >= 0);
	CHECK(unlink("use") == -1 && errno == EACCES);
	CHECK(open("secret", O_RDONLY) == -1 && errno == EACCES);
	CHECK(open("read/new", O_WRONLY | O_CREAT, 0600) == -1 && errno == EACCES);
	CHECK(make_socket("sockets/one") && !unlink("sockets/one"));
	CHECK(open("sockets/new", O_WRONLY | O_CREAT, 0600) == -1 && errno == EACCES);
	CHECK(!make_socket("read/one") && errno == EACCES);
}

static void restrict_files(const char *folder)
{
	struct landlock *landlock = landlock_new();
	int version;

	CHECK(!chdir(folder));
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	landlock_read_beside(landlock, "read/file");
	landlock_use(landlock, "use");
	landlock_socket(landlock, "sockets/one");
	landlock_read(landlock, "nothing/here");
	version = landlock_restrict(landlock, NULL);
	landlock_free(landlock);
	CHECK(version >= 0);
	if (!version)
		_exit(UNRESTRICTED);
	use_files();
}

static void make_files(const char *folder)
{
	CHECK(!chdir(folder));
	CHECK(!mkdir("read", 0700) && !mkdir("read/more", 0700) && !mkdir("sockets", 0700));
	CHECK(g_file_set_contents("read/file", "1", 1, NULL));
	CHECK(g_file_set_contents("read/more/file", "2", 1, NULL));
	CHECK(g_file_set_contents("use", "3", 1, NULL));
	CHECK(g_file_set_contents("secret", "4", 1, NULL));
}

static void remove_files(const char *folder)
{
	CHECK(!chdir(folder));
	CHECK(!unlink("read/file") && !unlink("read/more/file") && !unlink("use") &&
	      !unlink("secret"));
	CHECK(!rmdir("read/more") && !rmdir("read") && !rmdir("sockets"));
}

static void test_landlock_leaves_what_was_named(void **state)
{
	char *folder = g_dir_make_tmp("planecast-XXXXXX", NULL);
	int code;

	(void)state;
	assert_non_null(folder);
	assert_int_equal(in_child(make_files, folder), 0);
	code = in_child(restrict_files, folder);
	assert_int_equal(in_child(remove_files, folder), 0);
	assert_int_equal(g_rmdir(folder), 0);
	g_free(folder);
	if (code == UNRESTRICTED) {
		print_message("SKIP: this kernel has no Landlock\n");
		skip();
	}
	assert_int_equal(code, 0);
}

static void drop(const char *user)
{
	char *name;

	CHECK(!privileges_drop(user, NULL));
	CHECK(!privileges_any());
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0);
	name = privileges_user();
	CHECK(!user || !strcmp(name, user));
	CHECK(!user || setuid(0) == -1);
	g_free(name);
}

static void keep_tracing(const char *unused)
{
	(void)unused;
	CHECK(!privileges_keep_tracing(NULL));
	CHECK(privileges_any());
	CHECK(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0);
	CHECK(setuid(65534) == -1);
}

static void test_privileges_are_given_up(void **state)
{
	GError *error = NULL;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: only root has rights to give up\n");
		skip();
	}
	assert_int_equal(in_child(drop, NULL), 0);
	assert_int_equal(in_child(drop, "nobody"), 0);
	assert_int_equal(in_child(keep_tracing, NULL), 0);
	assert_int_equal(privileges_drop("no-such-user", &error), -ENOENT);
	assert_int_equal(error->code, EXIT_USAGE);
	g_error_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_that_are_not_on_the_list),
		cmocka_unit_test(test_landlock_leaves_what_was_named),
		cmocka_unit_test(test_privileges_are_given_up),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
