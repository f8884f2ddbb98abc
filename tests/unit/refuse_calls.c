/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is refused besides memory. */
#include <errno.h>
#include <pixman.h>
#include <png.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <zlib.h>

#include "refuse.h"

/* Where off_t is not 64 bits wide the library calls pread64() and its like. */
_Static_assert(sizeof(long) == 8, "the refuser is for 64-bit machines");

REFUSE_WRAP(void *, mmap,
	    (void *address, size_t size, int protection, int flags, int fd, off_t offset))
{
	return refuse_refuses("mmap") ? MAP_FAILED
				      : __real_mmap(address, size, protection, flags, fd, offset);
}

REFUSE_WRAP(int, memfd_create, (const char *name, unsigned int flags))
{
	return refuse_refuses("memfd_create") ? -1 : __real_memfd_create(name, flags);
}

REFUSE_WRAP(int, posix_fallocate, (int fd, off_t offset, off_t size))
{
	return refuse_refuses("posix_fallocate") ? errno : __real_posix_fallocate(fd, offset, size);
}

REFUSE_WRAP(int, timerfd_create, (int clock, int flags))
{
	return refuse_refuses("timerfd_create") ? -1 : __real_timerfd_create(clock, flags);
}

REFUSE_WRAP(pixman_image_t *, pixman_image_create_bits,
	    (pixman_format_code_t format, int width, int height, uint32_t *bits, int stride))
{
	return refuse_refuses("pixman")
		       ? NULL
		       : __real_pixman_image_create_bits(format, width, height, bits, stride);
}

REFUSE_WRAP(pixman_image_t *, pixman_image_create_bits_no_clear,
	    (pixman_format_code_t format, int width, int height, uint32_t *bits, int stride))
{
	return refuse_refuses("pixman") ? NULL
					: __real_pixman_image_create_bits_no_clear(
						  format, width, height, bits, stride);
}

REFUSE_WRAP(int, deflateInit_, (z_streamp stream, int level, const char *version, int size))
{
	return refuse_refuses("deflateInit") ? Z_MEM_ERROR
					     : __real_deflateInit_(stream, level, version, size);
}

REFUSE_WRAP(int, deflate, (z_streamp stream, int flush))
{
	return refuse_fails("deflate") ? Z_STREAM_ERROR : __real_deflate(stream, flush);
}

REFUSE_WRAP(ssize_t, pread, (int fd, void *data, size_t size, off_t offset))
{
	return refuse_fails("pread") ? -1 : __real_pread(fd, data, size, offset);
}

REFUSE_WRAP(ssize_t, read, (int fd, void *data, size_t size))
{
	return refuse_fails("read") ? -1 : __real_read(fd, data, size);
}

REFUSE_WRAP(ssize_t, write, (int fd, const void *data, size_t size))
{
	return refuse_fails("write") ? -1 : __real_write(fd, data, size);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

/* All files that are made here are 0666. */
int __wrap_open(const char *path, int flags, ...)
{
	return refuse_fails("open") ? -1 : __real_open(path, flags, 0666);
}

/* Closed it is in any case, as linux does it. */
REFUSE_WRAP(int, close, (int fd))
{
	int ret = __real_close(fd);

	return refuse_fails("close") ? -1 : ret;
}

REFUSE_WRAP(int, lstat, (const char *path, struct stat *status))
{
	return refuse_fails("lstat") ? -1 : __real_lstat(path, status);
}

REFUSE_WRAP(int, faccessat, (int folder, const char *path, int mode, int flags))
{
	return refuse_fails("faccessat") ? -1 : __real_faccessat(folder, path, mode, flags);
}

REFUSE_WRAP(char *, realpath, (const char *path, char *resolved))
{
	return refuse_fails("realpath") ? NULL : __real_realpath(path, resolved);
}

REFUSE_WRAP(int, fchmod, (int fd, mode_t mode))
{
	return refuse_fails("fchmod") ? -1 : __real_fchmod(fd, mode);
}

REFUSE_WRAP(int, fsync, (int fd))
{
	return refuse_fails("fsync") ? -1 : __real_fsync(fd);
}

REFUSE_WRAP(int, linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags))
{
	return refuse_fails("linkat") ? -1 : __real_linkat(from_dir, from, to_dir, to, flags);
}

REFUSE_WRAP(int, rename, (const char *from, const char *to))
{
	return refuse_fails("rename") ? -1 : __real_rename(from, to);
}

REFUSE_WRAP(int, pipe2, (int ends[2], int flags))
{
	return refuse_fails("pipe2") ? -1 : __real_pipe2(ends, flags);
}

REFUSE_WRAP(pid_t, fork, (void))
{
	return refuse_fails("fork") ? -1 : __real_fork();
}

REFUSE_WRAP(int, poll, (struct pollfd * fds, nfds_t count, int timeout))
{
	return refuse_fails("poll") ? -1 : __real_poll(fds, count, timeout);
}

REFUSE_WRAP(png_structp, png_create_write_struct,
	    (png_const_charp version, png_voidp data, png_error_ptr failed, png_error_ptr warned))
{
	return refuse_refuses("png")
		       ? NULL
		       : __real_png_create_write_struct(version, data, failed, warned);
}

REFUSE_WRAP(png_infop, png_create_info_struct, (png_const_structrp png))
{
	return refuse_refuses("png") ? NULL : __real_png_create_info_struct(png);
}

/* Its own memory, that of zlib among it, libpng gets when it begins to write. */
REFUSE_WRAP(void, png_write_info, (png_structrp png, png_const_inforp info))
{
	if (refuse_refuses("png"))
		png_error(png, "no memory");
	__real_png_write_info(png, info);
}
