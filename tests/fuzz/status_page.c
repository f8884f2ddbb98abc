/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status page of an mplane device, which may say anything and change between two reads. Input:
 * flags, the size of the screen, then looks; each overwrites a part of the page (offset, length,
 * bytes).
 */
#include "tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "kmod/uapi/mplane.h"

#define LOOKS 64

static uint8_t *page;
static int memory;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	memory = memfd_create("status", MFD_CLOEXEC);
	fuzz_expect(memory >= 0 && !ftruncate(memory, sizeof(struct mplane_status)));
	page = mmap(NULL, sizeof(struct mplane_status), PROT_READ | PROT_WRITE, MAP_SHARED, memory,
		    0);
	fuzz_expect(page != MAP_FAILED);
	return 0;
}

static void reset_page(void)
{
	struct mplane_status status = {
		.magic = MPLANE_STATUS_MAGIC,
		.version = MPLANE_STATUS_VERSION,
		.size = sizeof(status),
		.flags = MPLANE_STATUS_TRACKED,
	};

	memcpy(page, &status, sizeof(status));
}

static void look(struct fuzz *fuzz, struct tracker *tracker, struct damage *damage)
{
	size_t offset = fuzz_number(fuzz, 2) % sizeof(struct mplane_status), length;
	const uint8_t *bytes;
	int ret;

	length = fuzz_take(fuzz, fuzz_number(fuzz, 1), &bytes);
	memcpy(page + offset, bytes, MIN(length, sizeof(struct mplane_status) - offset));
	damage_clear(damage);
	ret = tracker_hint(tracker, damage);
	fuzz_expect(!ret || ret == -ENOTSUP || ret == -ESHUTDOWN);
	fuzz_expect(damage_count(damage) <= (size_t)damage->columns * damage->rows);
	if (tracker_event_fd(tracker) < 0)
		fuzz_expect(!tracker->tracked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	struct tracker tracker = {.device = memory};
	uint32_t width, height;
	struct damage damage;

	reset_page();
	tracker.tracked = fuzz_number(&fuzz, 1) & 1;
	tracker.sequence = fuzz_number(&fuzz, 8);
	tracker.compared_us = g_get_monotonic_time();
	width = 1 + (uint32_t)fuzz_number(&fuzz, 2) % PLANE_MAX_DIMENSION;
	height = 1 + (uint32_t)fuzz_number(&fuzz, 2) % PLANE_MAX_DIMENSION;
	tracker.event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	fuzz_expect(tracker.event >= 0 && !damage_init(&damage, width, height));
	for (int i = 0; i < LOOKS && fuzz.left; i++)
		look(&fuzz, &tracker, &damage);
	damage_finish(&damage);
	close(tracker.event);
	return 0;
}
