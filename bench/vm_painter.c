/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/vm_painter.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/watch.h"
#include "kmod/brush.h"
#include "src/tracker.h"
#include "src/vfio.h"

#define REMEMBERED 4096u /* frames */
#define CYCLE      8u    /* pictures painted beforehand */
#define STAMP_ROWS 8u
#define STAMP      256u /* pixels */
#define PLACES     64u  /* of an event, at most */

struct vm_painter {
	struct pattern pattern;
	unsigned int rate;
	int device;
	uint32_t *pixels; /* of the device */
	size_t length;    /* of a picture, pixels */
	uint32_t *cycle;  /* CYCLE pictures; NULL: painted as they come */
	pthread_t thread;
	bool started;
	atomic_bool ended;
	atomic_uint frames;
	_Atomic int64_t when[REMEMBERED];
};

static void *die(const char *what)
{
	perror(what);
	exit(1);
}

/* A descriptor of ours for what the process has open as a vfio device. */
static int get_device(pid_t owner)
{
	char path[64], name[64];
	struct dirent *entry;
	int pidfd = (int)syscall(SYS_pidfd_open, owner, 0), fd = -1;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)owner);
	list = opendir(path);
	while (list && fd < 0 && (entry = readdir(list))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", (int)owner, entry->d_name);
		n = readlink(path, name, sizeof(name) - 1);
		if (n < 0)
			continue;
		name[n] = 0;
		if (!strcmp(name, "anon_inode:[vfio-device]"))
			fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
	}
	if (list)
		closedir(list);
	close(pidfd);
	if (fd < 0)
		die("vm_viewer: the owner's device");
	return fd;
}

static void paint_rect(struct vm_painter *painter, uint32_t *picture, uint64_t frame,
		       const struct pattern_rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++)
		pattern_row(&painter->pattern, frame, y, rect->x, rect->width,
			    picture + (size_t)y * painter->pattern.width + rect->x);
}

static void paint_all(struct vm_painter *painter, uint32_t *picture, uint64_t frame)
{
	paint_rect(painter, picture, frame,
		   &(struct pattern_rect){0, 0, painter->pattern.width, painter->pattern.height});
}

/* What takes longer to paint than to copy is painted beforehand. */
static void make_cycle(struct vm_painter *painter)
{
	if (painter->pattern.kind != PATTERN_MOVIE && painter->pattern.kind != PATTERN_FILM)
		return;
	painter->cycle = malloc(CYCLE * painter->length * sizeof(*painter->cycle));
	if (!painter->cycle)
		die("vm_viewer: pictures");
	for (uint32_t i = 0; i < CYCLE; i++)
		paint_all(painter, painter->cycle + i * painter->length, i);
}

struct vm_painter *vm_painter_open(pid_t owner, const struct pattern *pattern, unsigned int rate)
{
	struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
	struct vm_painter *painter = calloc(1, sizeof(*painter));

	if (!painter)
		die("vm_viewer");
	painter->pattern = *pattern;
	painter->rate = rate;
	painter->length = (size_t)pattern->width * pattern->height;
	painter->device = get_device(owner);
	if (ioctl(painter->device, VFIO_DEVICE_GET_REGION_INFO, &bar))
		die("vm_viewer: video memory");
	painter->pixels = mmap(NULL, painter->length * sizeof(*painter->pixels),
			       PROT_READ | PROT_WRITE, MAP_SHARED, painter->device,
			       (off_t)bar.offset);
	if (painter->pixels == MAP_FAILED)
		die("vm_viewer: video memory");
	make_cycle(painter);
	return painter;
}

void vm_painter_take_events(const struct vm_painter *painter)
{
	struct vfio vfio = VFIO_CLOSED;
	struct tracker tracker = TRACKER_CLOSED;
	int event = eventfd(0, EFD_CLOEXEC);
	int ret;

	vfio.device = painter->device;
	ret = tracker_open(&vfio, &tracker);
	if (ret || event < 0) {
		fprintf(stderr, "vm_viewer: the device's event: %s\n", strerror(-ret));
		exit(1);
	}
	for (uint32_t place = 0; place < PLACES; place++)
		vfio_set_event(painter->device, tracker.irq, place, event);
}

/* Of one picture into another, but for the stamp's place. */
static void copy_rect(struct vm_painter *painter, const uint32_t *from,
		      const struct pattern_rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++) {
		uint32_t x = y < STAMP_ROWS && rect->x < STAMP ? STAMP : rect->x;
		size_t at = (size_t)y * painter->pattern.width + x;

		if (x < rect->x + rect->width)
			memcpy(painter->pixels + at, from + at,
			       (rect->x + rect->width - x) * sizeof(*from));
	}
}

/* Comes last: whoever reads it has a picture that is whole. */
static void write_stamp(struct vm_painter *painter, uint32_t frame)
{
	uint32_t row[STAMP];

	brush_stamp(&(struct brush){row, 0, STAMP, 0}, frame);
	for (uint32_t y = 0; y < STAMP_ROWS; y++)
		memcpy(painter->pixels + (size_t)y * painter->pattern.width, row, sizeof(row));
}

static bool is_stamp(const struct pattern_rect *rect)
{
	return !rect->x && !rect->y && rect->width == STAMP && rect->height == STAMP_ROWS;
}

static void paint_frame(struct vm_painter *painter, uint32_t frame)
{
	const uint32_t *picture = painter->cycle ? painter->cycle + frame % CYCLE * painter->length
						 : NULL;
	struct pattern_rect rects[PATTERN_MAX_RECTS];
	unsigned int count = pattern_damage(&painter->pattern, frame, rects);

	for (unsigned int i = 0; i < count; i++) {
		if (is_stamp(&rects[i]))
			continue;
		if (picture)
			copy_rect(painter, picture, &rects[i]);
		else
			paint_rect(painter, painter->pixels, frame, &rects[i]);
	}
	write_stamp(painter, frame);
	atomic_store(&painter->when[frame % REMEMBERED], bench_now_us());
	atomic_store(&painter->frames, frame);
}

static void *work(void *data)
{
	struct vm_painter *painter = data;
	int64_t step = 1000000 / painter->rate, next = bench_now_us();

	for (uint32_t frame = 1; !atomic_load(&painter->ended); frame++) {
		struct timespec until;
		int64_t now;

		paint_frame(painter, frame);
		now = bench_now_us();
		next = next + step > now ? next + step : now; /* what is late is not caught up */
		until = (struct timespec){next / 1000000, next % 1000000 * 1000};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	return NULL;
}

void vm_painter_start(struct vm_painter *painter)
{
	paint_all(painter, painter->pixels, 0);
	if (!painter->rate)
		return;
	if (pthread_create(&painter->thread, NULL, work, painter))
		die("vm_viewer: the painter");
	painter->started = true;
}

void vm_painter_stop(struct vm_painter *painter)
{
	atomic_store(&painter->ended, true);
	if (painter->started)
		pthread_join(painter->thread, NULL);
	munmap(painter->pixels, painter->length * sizeof(*painter->pixels));
	close(painter->device);
	free(painter->cycle);
	free(painter);
}

uint32_t vm_painter_frames(const struct vm_painter *painter)
{
	return atomic_load(&painter->frames);
}

int64_t vm_painter_when(const struct vm_painter *painter, uint32_t frame)
{
	uint32_t last = vm_painter_frames(painter);

	return frame && frame <= last && last - frame < REMEMBERED
		       ? atomic_load(&painter->when[frame % REMEMBERED])
		       : 0;
}
