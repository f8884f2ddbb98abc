/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording from anybody. Input: the file. The mutator makes most checksums true, for behind them
 * is what is worth reaching; a reader must not need them.
 */
#include "recording.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "fuzz.h"
#include "recording_reader.h"
#include "source_replay.h"

#define FRAMES 64u
/* 16 KiB may be a plane of 16 MiB, once a frame: that is slow, not wrong. */
#define MOST_BYTES (1u << 14)

static int file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("recording", MFD_CLOEXEC);
	fuzz_expect(file >= 0);
	return 0;
}

/* What it calls a plane, all of it can be read, and the gate may judge it. */
static void read_plane(struct recording *recording, enum plane_type type)
{
	const struct plane *plane = recording_plane(recording, type);
	const char *reason = recording_reason(recording, type);
	unsigned int sum = 0;

	if (!plane) {
		fuzz_expect(!reason || strlen(reason) <= RECORDING_MAX_REASON_BYTES);
		return;
	}
	fuzz_expect(plane->size && plane->size == recording_plane_bytes(plane));
	for (size_t i = 0; i < plane->size; i += 509)
		sum += plane->data[i];
	sum += plane->data[plane->size - 1];
	fuzz_expect(sum < UINT32_MAX);
	plane_validate(plane, NULL);
}

static void read_frame(struct recording *recording, uint32_t frame)
{
	struct damage damage;

	if (recording_seek(recording, frame, NULL)) {
		fuzz_expect(recording_damage(recording));
		return;
	}
	read_plane(recording, PLANE_PRIMARY);
	read_plane(recording, PLANE_CURSOR);
	fuzz_expect(!damage_init(&damage, 640, 480));
	recording_take_changes(recording, &damage);
	damage_finish(&damage);
	fuzz_expect(recording_next_change(recording, frame) > frame);
	fuzz_expect(recording_frame_at(recording, recording_time(recording, frame)) >= frame);
}

static void read_all(const char *path)
{
	struct recording *recording = NULL;
	GError *error = NULL;

	if (recording_open(path, &recording, &error)) {
		fuzz_expect(error);
		g_error_free(error);
		return;
	}
	fuzz_expect(recording_frames(recording) && recording_duration(recording) >= 0);
	for (uint32_t i = 0; i < FRAMES && i < recording_frames(recording); i++)
		read_frame(recording, i);
	for (uint32_t i = FRAMES; i-- && recording_frames(recording);)
		if (i < recording_frames(recording))
			read_frame(recording, i);
	recording_close(recording);
}

static void replay(const char *path)
{
	struct source *source = NULL;
	struct plane plane;

	if (source_replay_open(path, &source, NULL))
		return;
	for (enum plane_type type = PLANE_PRIMARY; type <= PLANE_CURSOR; type++) {
		if (source->ops->acquire(source, type, &plane, NULL))
			continue;
		source->ops->same(source, type, &plane);
		source->ops->release(source, &plane);
	}
	source->ops->close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];

	if (size > MOST_BYTES)
		return -1;
	fuzz_expect(!ftruncate(file, 0) && pwrite(file, data, size, 0) == (ssize_t)size);
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	read_all(path);
	replay(path);
	return 0;
}

static void seal(uint8_t *data, size_t size)
{
	int64_t wall;
	size_t at = RECORDING_HEADER_BYTES;

	if (size < at)
		return;
	if (recording_get_header(data, size, &wall, NULL))
		recording_put_header(data, 0);
	while (size - at >= RECORDING_HEAD_BYTES) {
		struct recording_head head;

		recording_get_head(data + at, &head);
		if (head.body_bytes > size - at - RECORDING_HEAD_BYTES)
			return;
		recording_begin_checksum(&head);
		head.checksum = (uint32_t)crc32(head.checksum, data + at + RECORDING_HEAD_BYTES,
						head.body_bytes);
		recording_put_head(data + at, &head);
		at += RECORDING_HEAD_BYTES + head.body_bytes;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8)
		seal(data, size);
	return size;
}
