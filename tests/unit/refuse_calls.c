/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is refused besides memory. */
#include <errno.h>
#include <pixman.h>
#include <stdint.h>
#include <sys/mman.h>
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
