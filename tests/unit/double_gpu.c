/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "double_gpu.h"

#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <i915_drm.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "double_calls.h"
#include "double_vfio.h"
#include "unit.h"

#define GTT_OFFSET  0x123456000ull
#define MAX_HANDLES 16

struct double_gpu double_gpu;
static char *folder;
static struct {
	int render, memory; /* memory: a copy of the dma-buf's descriptor, -1: a free place */
} handles[MAX_HANDLES];

int __real_close(int fd);
ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
char *__real_realpath(const char *path, char *resolved);
char *__wrap_realpath(const char *path, char *resolved);

void double_gpu_init(void)
{
	double_gpu = (struct double_gpu){.linear = -1};
	for (size_t i = 0; i < MAX_HANDLES; i++)
		handles[i].memory = -1;
	folder = NULL;
}

/* GPU/drm/renderD128, and the mdev GPU/UUID. */
void double_gpu_plug(const char *driver)
{
	static const char *const names[] = {"drm", "drm/card0", "drm/renderD128", DOUBLE_NAME};

	double_gpu.driver = driver;
	folder = g_dir_make_tmp("planecast-XXXXXX", NULL);
	assert_non_null(folder);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *path = g_build_filename(folder, names[i], NULL);

		assert_int_equal(g_mkdir(path, 0700), 0);
		g_free(path);
	}
}

void double_gpu_finish(void)
{
	static const char *const names[] = {"drm/card0", "drm/renderD128", "drm", DOUBLE_NAME, ""};

	assert_int_equal(double_gpu.handles, 0);
	assert_int_equal(double_gpu.reading, 0);
	for (size_t i = 0; folder && i < G_N_ELEMENTS(names); i++) {
		char *path = g_build_filename(folder, names[i], NULL);

		g_rmdir(path);
		g_free(path);
	}
	g_free(folder);
}

char *__wrap_realpath(const char *path, char *resolved)
{
	char *name, *real;

	if (!g_str_has_prefix(path, "/sys/bus/mdev/devices/") || !folder)
		return __real_realpath(path, resolved);
	name = g_build_filename(folder, strrchr(path, '/') + 1, NULL);
	real = __real_realpath(name, resolved);
	g_free(name);
	return real;
}

static int sync_dmabuf(const struct dma_buf_sync *sync)
{
	bool end = sync->flags & DMA_BUF_SYNC_END;
	int ret = -double_call("SYNC %s", end ? "end" : "begin");

	assert_true(sync->flags & DMA_BUF_SYNC_READ);
	if (!ret) {
		double_gpu.reading += end ? -1 : 1;
		double_gpu.begins += !end;
	}
	assert_true(double_gpu.reading >= 0);
	return ret;
}

static int version(struct drm_version *version)
{
	size_t length = strlen(double_gpu.driver);
	int ret = -double_call("VERSION");

	if (ret)
		return ret;
	memcpy(version->name, double_gpu.driver, MIN(length, version->name_len));
	version->name_len = length;
	return 0;
}

static int import(int render, struct drm_prime_handle *prime)
{
	int ret = -double_call("PRIME_FD_TO_HANDLE");

	for (uint32_t i = 0; i < MAX_HANDLES && !ret; i++) {
		if (handles[i].memory >= 0)
			continue;
		assert_int_equal(double_kind_of(prime->fd), DOUBLE_DMABUF);
		handles[i].memory = double_descriptor(DOUBLE_NONE, prime->fd);
		handles[i].render = render;
		prime->handle = i + 1;
		double_gpu.handles++;
		return 0;
	}
	return ret ? ret : -ENOMEM;
}

static int memory_of(int render, uint32_t handle)
{
	bool known = handle >= 1 && handle <= MAX_HANDLES && handles[handle - 1].memory >= 0 &&
		     handles[handle - 1].render == render;

	return known ? handles[handle - 1].memory : -1;
}

static void drop(uint32_t handle)
{
	__real_close(handles[handle - 1].memory);
	handles[handle - 1].memory = -1;
	double_gpu.handles--;
}

void double_gpu_close(int render)
{
	for (uint32_t handle = 1; handle <= MAX_HANDLES; handle++)
		if (memory_of(render, handle) >= 0)
			drop(handle);
}

static int gem_close(int render, const struct drm_gem_close *gem)
{
	double_call("GEM_CLOSE");
	if (memory_of(render, gem->handle) < 0)
		return -EINVAL;
	drop(gem->handle);
	return 0;
}

static int gem_pread(int render, const struct drm_i915_gem_pread *read)
{
	int ret = -double_call("GEM_PREAD");
	void *data = (void *)(uintptr_t)read->data_ptr;

	if (ret)
		return ret;
	return __real_pread(memory_of(render, read->handle), data, read->size,
			    (off_t)read->offset) == (ssize_t)read->size
		       ? 0
		       : -EINVAL;
}

static int mmap_offset(int render, struct drm_i915_gem_mmap_offset *offset)
{
	int ret = -double_call("GEM_MMAP_OFFSET");

	assert_int_equal(offset->flags, I915_MMAP_OFFSET_GTT);
	if (!ret && (memory_of(render, offset->handle) < 0 || double_gpu.linear < 0))
		ret = -ENODEV;
	offset->offset = GTT_OFFSET;
	return ret;
}

int double_gpu_memory(uint64_t offset)
{
	return offset == GTT_OFFSET ? double_gpu.linear : -1;
}

int double_gpu_ioctl(int fd, unsigned long request, void *argument)
{
	switch (request) {
	case DMA_BUF_IOCTL_SYNC:
		return sync_dmabuf(argument);
	case DRM_IOCTL_VERSION:
		return version(argument);
	case DRM_IOCTL_PRIME_FD_TO_HANDLE:
		return import(fd, argument);
	case DRM_IOCTL_GEM_CLOSE:
		return gem_close(fd, argument);
	case DRM_IOCTL_I915_GEM_PREAD:
		return gem_pread(fd, argument);
	case DRM_IOCTL_I915_GEM_MMAP_OFFSET:
		return mmap_offset(fd, argument);
	default:
		return -ENOTTY;
	}
}
