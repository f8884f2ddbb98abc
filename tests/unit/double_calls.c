/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "double_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "double_gpu.h"
#include "double_owner.h"
#include "double_vfio.h"
#include "unit.h"

/* Where off_t is not 64 bits wide the library calls open64() and its like, which are not wrapped.
 */
_Static_assert(sizeof(long) == 8, "the doubles are for 64-bit machines");

#define MAX_FDS 1024

struct failure {
	char *call;
	int times, errnum;
};

static enum double_kind kinds[MAX_FDS];
static GArray *failures;
static GString *calls;
static unsigned int fds_at_start;
static int mappings, bad_closes;
static size_t transfer_limit;

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_fcntl(int fd, int command, ...);
int __real_ioctl(int fd, unsigned long request, void *argument);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *address, size_t size);
ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t offset);
int __real_eventfd(unsigned int count, int flags);
long __real_syscall(long number, long a, long b, long c);

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_ioctl(int fd, unsigned long request, void *argument);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *address, size_t size);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset);
int __wrap_eventfd(unsigned int count, int flags);
long __wrap_syscall(long number, long a, long b, long c);

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void clear_failure(void *data)
{
	g_free(((struct failure *)data)->call);
}

void double_start(void)
{
	if (failures)
		g_array_unref(failures);
	if (calls)
		g_string_free(calls, TRUE);
	failures = g_array_new(FALSE, FALSE, sizeof(struct failure));
	g_array_set_clear_func(failures, clear_failure);
	calls = g_string_new(NULL);
	memset(kinds, 0, sizeof(kinds));
	mappings = 0;
	bad_closes = 0;
	transfer_limit = 0;
	g_main_context_default(); /* has a descriptor of its own for ever */
	fds_at_start = count_fds();
}

void double_expect_balance(void)
{
	assert_int_equal(count_fds(), fds_at_start);
	assert_int_equal(mappings, 0);
	assert_int_equal(bad_closes, 0);
}

void double_fail(const char *call, int times, int errnum)
{
	struct failure failure = {g_strdup(call), times, errnum};

	g_array_append_val(failures, failure);
}

void double_heal(void)
{
	g_array_set_size(failures, 0);
}

int double_call(const char *format, ...)
{
	va_list args;
	char *call;
	int errnum = 0;

	va_start(args, format);
	call = g_strdup_vprintf(format, args);
	va_end(args);
	g_string_append_printf(calls, "%s%s", calls->len ? "; " : "", call);
	for (guint i = failures->len; i > 0 && !errnum; i--) {
		struct failure *failure = &g_array_index(failures, struct failure, i - 1);

		if (!failure->times || !g_str_has_prefix(call, failure->call))
			continue;
		if (failure->times > 0)
			failure->times--;
		errnum = failure->errnum;
	}
	g_free(call);
	return errnum;
}

const char *double_calls(void)
{
	return calls->str;
}

unsigned int double_count(const char *call)
{
	char **all = g_strsplit(calls->str, "; ", -1);
	unsigned int count = 0;

	for (char **one = all; *one; one++)
		count += g_str_has_prefix(*one, call);
	g_strfreev(all);
	return count;
}

void double_forget(void)
{
	g_string_truncate(calls, 0);
}

void double_shorten_transfers(size_t bytes)
{
	transfer_limit = bytes;
}

enum double_kind double_kind_of(int fd)
{
	return fd >= 0 && fd < MAX_FDS ? kinds[fd] : DOUBLE_NONE;
}

void double_set_kind(int fd, enum double_kind kind)
{
	assert_in_range(fd, 0, MAX_FDS - 1);
	kinds[fd] = kind;
}

unsigned int double_open(enum double_kind kind)
{
	unsigned int count = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		count += kinds[fd] == kind;
	return count;
}

int double_descriptor(enum double_kind kind, int memory)
{
	int fd = memory < 0 ? memfd_create("double", MFD_CLOEXEC)
			    : __real_fcntl(memory, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0)
		double_set_kind(fd, kind);
	return fd;
}

static int answer(int errnum, int value)
{
	if (!errnum)
		return value;
	errno = errnum;
	return -1;
}

int __wrap_open(const char *path, int flags, ...)
{
	static const struct {
		const char *path;
		enum double_kind kind;
	} nodes[] = {
		{"/dev/vfio/vfio", DOUBLE_CONTAINER},
		{DOUBLE_GROUP_NODE, DOUBLE_GROUP},
		{DOUBLE_CDEV_NODE, DOUBLE_CDEV},
		{"/dev/iommu", DOUBLE_IOMMUFD},
		{"/dev/kvm", DOUBLE_KVM},
		{"/dev/dri/renderD128", DOUBLE_RENDER},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
		int errnum;

		if (strcmp(path, nodes[i].path))
			continue;
		assert_true(flags & O_CLOEXEC);
		errnum = double_call("open %s", path);
		if (errnum)
			return answer(errnum, 0);
		return double_descriptor(nodes[i].kind,
					 nodes[i].kind == DOUBLE_CDEV ? double_device.memory : -1);
	}
	return __real_open(path, flags, 0600);
}

int __wrap_close(int fd)
{
	int ret;

	if (double_kind_of(fd) == DOUBLE_RENDER)
		double_gpu_close(fd);
	ret = __real_close(fd);
	if (ret)
		bad_closes++;
	else if (fd < MAX_FDS)
		kinds[fd] = DOUBLE_NONE;
	return ret;
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	long argument;
	int errnum, ret;

	va_start(args, command);
	argument = va_arg(args, long);
	va_end(args);
	if (command != F_DUPFD_CLOEXEC || !double_kind_of(fd))
		return __real_fcntl(fd, command, argument);
	errnum = double_call("dup");
	if (errnum)
		return answer(errnum, 0);
	ret = __real_fcntl(fd, command, argument);
	if (ret >= 0)
		double_set_kind(ret, double_kind_of(fd));
	return ret;
}

/* Of the double's kinds each goes where it belongs; the answer is 0, a descriptor, or -errno. */
int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	int ret;

	switch (double_kind_of(fd)) {
	case DOUBLE_NONE:
		return __real_ioctl(fd, request, argument);
	case DOUBLE_DMABUF:
	case DOUBLE_RENDER:
		ret = double_gpu_ioctl(fd, request, argument);
		break;
	default:
		ret = double_vfio_ioctl(fd, request, argument);
	}
	return answer(ret < 0 ? -ret : 0, ret);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	enum double_kind kind = double_kind_of(fd);
	int errnum = 0;
	void *base;

	if (kind)
		errnum = double_call("mmap %s", kind == DOUBLE_DMABUF   ? "dma-buf"
						: kind == DOUBLE_RENDER ? "gtt"
									: "region");
	if (errnum) {
		errno = errnum;
		return MAP_FAILED;
	}
	if (kind) {
		assert_int_equal(protection, PROT_READ);
		assert_int_equal(flags, MAP_SHARED);
	}
	base = kind == DOUBLE_RENDER ? __real_mmap(address, size, protection, flags,
						   double_gpu_memory((uint64_t)offset), 0)
				     : __real_mmap(address, size, protection, flags, fd, offset);
	if (base != MAP_FAILED)
		mappings++;
	return base;
}

int __wrap_munmap(void *address, size_t size)
{
	int ret = __real_munmap(address, size);

	assert_int_equal(ret, 0);
	mappings--;
	return ret;
}

ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	int errnum = 0;

	if (double_kind_of(fd) == DOUBLE_DEVICE) {
		errnum = double_call("pread");
		if (transfer_limit && size > transfer_limit)
			size = transfer_limit;
	}
	if (errnum)
		return answer(errnum, 0);
	return __real_pread(fd, data, size, offset);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset)
{
	int errnum = 0;

	if (double_kind_of(fd) == DOUBLE_DEVICE) {
		errnum = double_call("pwrite");
		if (transfer_limit && size > transfer_limit)
			size = transfer_limit;
	}
	if (errnum)
		return answer(errnum, 0);
	return __real_pwrite(fd, data, size, offset);
}

int __wrap_eventfd(unsigned int count, int flags)
{
	int errnum = double_call("eventfd");

	return errnum ? answer(errnum, 0) : __real_eventfd(count, flags);
}

long __wrap_syscall(long number, long a, long b, long c)
{
	int ret;

	if (number != SYS_pidfd_open && number != SYS_pidfd_getfd)
		return __real_syscall(number, a, b, c);
	ret = number == SYS_pidfd_open ? double_pidfd_open((int)a) : double_pidfd_getfd((int)b);
	return answer(ret < 0 ? -ret : 0, ret);
}
