/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls.h"

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/socket.h>

#include "log.h"

/* What the C library, GLib and the libraries of the server need; names unknown here are left out.
 */
static const char *const common[] = {
	/* memory */
	"brk",
	"madvise",
	"membarrier",
	"memfd_create",
	"mincore",
	"mlock",
	"mmap",
	"mmap2",
	"mprotect",
	"mremap",
	"msync",
	"munlock",
	"munmap",
	/* threads, time, signals */
	"arch_prctl",
	"clock_getres",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"exit",
	"exit_group",
	"futex",
	"futex_time64",
	"futex_waitv",
	"get_robust_list",
	"getcpu",
	"gettimeofday",
	"nanosleep",
	"prctl",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"sched_getaffinity",
	"sched_getattr",
	"sched_getparam",
	"sched_getscheduler",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"sigaltstack",
	"sigreturn",
	"tgkill",
	"time",
	"timer_create",
	"timer_delete",
	"timer_settime",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	"timerfd_settime64",
	"wait4",
	"waitid",
	/* descriptors */
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd",
	"eventfd2",
	"fcntl",
	"fcntl64",
	"inotify_add_watch",
	"inotify_init1",
	"inotify_rm_watch",
	"pipe",
	"pipe2",
	"poll",
	"ppoll",
	"ppoll_time64",
	"pread64",
	"preadv",
	"preadv2",
	"pselect6",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readv",
	"select",
	"_newselect",
	"sendfile",
	"sendfile64",
	"signalfd",
	"signalfd4",
	"splice",
	"write",
	"writev",
	/* files: which of them, the rights and Landlock tell */
	"access",
	"chdir",
	"chmod",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fallocate",
	"fchmod",
	"fchmodat",
	"fchown",
	"fdatasync",
	"flock",
	"fstat",
	"fstat64",
	"fstatat64",
	"fstatfs",
	"fsync",
	"ftruncate",
	"getcwd",
	"getdents",
	"getdents64",
	"getxattr",
	"_llseek",
	"lseek",
	"lstat",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"openat2",
	"readlink",
	"readlinkat",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	"umask",
	"unlink",
	"unlinkat",
	"utimensat",
	/* who we are */
	"capget",
	"getegid",
	"geteuid",
	"getgid",
	"getgroups",
	"getpgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getpriority",
	"getrandom",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"gettid",
	"getuid",
	"prlimit64",
	"sysinfo",
	"times",
	"ugetrlimit",
	"uname",
	/* messages on sockets */
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"shutdown",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	/* the search for leaks stops all threads from a process beside them */
	"kill",
	"process_vm_readv",
	"ptrace",
	"setpriority",
#endif
};

static const char *const of_server[] = {
	"accept",     "accept4", "bind",        "connect",    "getpeername", "getsockname",
	"getsockopt", "listen",  "setpriority", "setsockopt", "socketpair",
};

static const char *const of_broker[] = {"pidfd_getfd", "pidfd_open"};

/* The second byte of ioctl()'s command: linux Documentation/userspace-api/ioctl/ioctl-number.rst */
#define IOCTL_VFIO   0x3b
#define IOCTL_EVDEV  'E'
#define IOCTL_UINPUT 'U'
#define IOCTL_DMABUF 'b'
#define IOCTL_DRM    'd'
#define IOCTL_KVM    0xae

/* Everything in clone()'s flags that makes a namespace: linux include/uapi/linux/sched.h. */
#define CLONE_NAMESPACES 0x7e020080u

static int allow(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number >= 0)
			ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return ret;
}

static int allow_threads(scmp_filter_ctx filter)
{
	/* clone3() has its flags in memory, out of a filter's sight: without it libraries use
	 * clone().
	 */
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NAMESPACES, 0));
}

static int allow_sockets(scmp_filter_ctx filter)
{
	static const unsigned int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	int ret = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(families) && !ret; i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0_32(SCMP_CMP_EQ, families[i], 0));
	return ret;
}

static int allow_ioctl(scmp_filter_ctx filter, unsigned int type)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1_32(SCMP_CMP_MASKED_EQ, 0xff00, type << 8));
}

/* Of sockets and terminals: FIONREAD, FIONBIO, what isatty() asks, an interface's number. */
static int allow_small_ioctls(scmp_filter_ctx filter)
{
	static const unsigned int commands[] = {0x5401, 0x5411, 0x5413, 0x541b, 0x5421,
						0x5450, 0x5451, 0x8910, 0x8933};
	int ret = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(commands) && !ret; i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1_32(SCMP_CMP_EQ, commands[i], 0));
	return ret;
}

static int allow_ioctls(scmp_filter_ctx filter, const unsigned int *types, size_t count)
{
	int ret = allow_small_ioctls(filter);

	for (size_t i = 0; i < count && !ret; i++)
		ret = allow_ioctl(filter, types[i]);
	return ret;
}

static int allow_server(scmp_filter_ctx filter)
{
	static const unsigned int types[] = {IOCTL_VFIO, IOCTL_DMABUF, IOCTL_DRM, IOCTL_EVDEV,
					     IOCTL_UINPUT};
	int ret = allow(filter, of_server, G_N_ELEMENTS(of_server));

	if (!ret)
		ret = allow_sockets(filter);
	return ret ? ret : allow_ioctls(filter, types, G_N_ELEMENTS(types));
}

static int allow_broker(scmp_filter_ctx filter)
{
	static const unsigned int types[] = {IOCTL_VFIO, IOCTL_KVM};
	int ret = allow(filter, of_broker, G_N_ELEMENTS(of_broker));

	return ret ? ret : allow_ioctls(filter, types, G_N_ELEMENTS(types));
}

static int fill(scmp_filter_ctx filter, enum calls calls)
{
	/* Threads that are there already get it as well. */
	int ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	/* A search by size instead of one call after the other. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!ret)
		ret = allow(filter, common, G_N_ELEMENTS(common));
	if (!ret)
		ret = allow_threads(filter);
	if (!ret)
		ret = calls == CALLS_SERVER ? allow_server(filter) : allow_broker(filter);
	return ret ? ret : seccomp_load(filter);
}

int calls_restrict(enum calls calls, GError **error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int ret = filter ? fill(filter, calls) : -ENOMEM;

	if (filter)
		seccomp_release(filter);
	if (!ret)
		return 0;
	return fail(error, EXIT_FAILED, -ret,
		    "cannot restrict its system calls: %s (a kernel without seccomp? --no-sandbox "
		    "does without)",
		    g_strerror(-ret));
}
