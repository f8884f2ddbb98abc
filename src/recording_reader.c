/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "log.h"
#include "recording_decode.h"

#define PLANES 2
#define NEVER  UINT32_MAX

#define CHUNK_BYTES ((size_t)256 << 10)

/* How long the last frame of a recording without an end is seen. */
#define LAST_FRAME_US 33333

struct entry {
	int64_t time_us;
	uint64_t offsets[PLANES]; /* of the records; 0: none, of the cursor plane */
	uint32_t keys[PLANES];    /* where to begin: the last frame that leans on no other */
	uint32_t next_change;
	bool changed;
};

struct recording {
	int fd;
	uint64_t file_bytes;
	int64_t wall_us, end_us;
	struct entry *entries;
	uint32_t frames, room;
	char *damage;
	struct recording_state planes[PLANES];
	uint32_t at; /* NEVER: on no frame */
	uint8_t *body;
	size_t body_room;
};

static size_t plane_index(enum plane_type type)
{
	return type == PLANE_CURSOR;
}

/* 0, -EIO if the file ends before, -errno. */
static int read_at(const struct recording *recording, uint64_t offset, void *to, size_t size)
{
	uint8_t *out = to;

	while (size) {
		ssize_t got = pread(recording->fd, out, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		out += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

static void set_damage(struct recording *recording, uint64_t offset, const char *what)
{
	g_free(recording->damage);
	recording->damage = g_strdup_printf("%s at byte %" PRIu64 " of %" PRIu64, what, offset,
					    recording->file_bytes);
}

/* The walk over all records that makes the index. */
struct scan {
	struct recording *recording;
	uint64_t offset;
	struct recording_head head;
	struct entry next; /* the frame that is being put together */
	bool known[PLANES], on[PLANES];
	bool begun[PLANES]; /* a record of this plane is in the frame */
	uint8_t *chunk;
};

static bool body_fits(const struct recording_head *head)
{
	switch (head->kind) {
	case RECORDING_WHOLE:
		return head->body_bytes > RECORDING_DESCRIPTION_BYTES;
	case RECORDING_DELTA:
		return head->body_bytes > RECORDING_DESCRIPTION_BYTES + 1;
	case RECORDING_MOVED:
		return head->body_bytes == RECORDING_DESCRIPTION_BYTES;
	case RECORDING_STILL:
	case RECORDING_END:
		return !head->body_bytes;
	case RECORDING_OFF:
		return head->body_bytes <= RECORDING_MAX_REASON_BYTES;
	default:
		return false;
	}
}

/* Whether a head may follow what was read before it; NULL, or what is wrong. */
static const char *judge_head(const struct scan *scan)
{
	const struct recording *recording = scan->recording;
	const struct recording_head *head = &scan->head;
	int64_t before = recording->frames ? recording->entries[recording->frames - 1].time_us : 0;
	bool cursor = head->plane == PLANE_CURSOR;

	if (!body_fits(head))
		return "damaged";
	if (head->time_us < before || head->time_us > RECORDING_MAX_TIME_US)
		return "a time that cannot be";
	if (head->frame != recording->frames)
		return "a frame out of order";
	if (head->kind == RECORDING_END)
		return head->plane ? "damaged" : NULL;
	if (head->plane != PLANE_PRIMARY && !cursor)
		return "an unknown plane";
	if (recording->frames >= RECORDING_MAX_FRAMES)
		return "too many frames";
	if (scan->begun[cursor])
		return "a plane twice in a frame";
	if ((head->kind == RECORDING_DELTA || head->kind == RECORDING_MOVED) && !scan->on[cursor])
		return "a change of a plane that is off";
	if (head->kind == RECORDING_STILL && !scan->known[cursor])
		return "a plane that nothing is known of";
	return NULL;
}

/* Adds the body to the head's checksum; whether it is as it was written. */
static const char *judge_body(struct scan *scan)
{
	struct recording_head head = scan->head;
	uint64_t at = scan->offset + RECORDING_HEAD_BYTES, left = head.body_bytes;

	if (left > scan->recording->file_bytes - at)
		return "cut short";
	recording_begin_checksum(&head);
	while (left) {
		size_t size = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

		if (read_at(scan->recording, at, scan->chunk, size))
			return "unreadable";
		head.checksum = (uint32_t)crc32(head.checksum, scan->chunk, (uInt)size);
		at += size;
		left -= size;
	}
	return head.checksum == scan->head.checksum ? NULL : "damaged";
}

static int add_entry(struct scan *scan)
{
	struct recording *recording = scan->recording;

	if (recording->frames == recording->room) {
		uint32_t room = recording->room ? recording->room * 2 : 256;
		struct entry *entries = reallocarray(recording->entries, room, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		recording->entries = entries;
		recording->room = room;
	}
	recording->entries[recording->frames++] = scan->next;
	scan->next.changed = false;
	memset(scan->next.offsets, 0, sizeof(scan->next.offsets));
	memset(scan->begun, 0, sizeof(scan->begun));
	return 0;
}

/* Notes a good record. 0; 1 after the last one; -ENOMEM. */
static int add_record(struct scan *scan)
{
	const struct recording_head *head = &scan->head;
	size_t plane = plane_index((enum plane_type)head->plane);

	if (head->kind == RECORDING_END) {
		scan->recording->end_us = head->time_us;
		return 1;
	}
	if (head->kind == RECORDING_WHOLE || head->kind == RECORDING_OFF) {
		scan->on[plane] = head->kind == RECORDING_WHOLE;
		scan->next.keys[plane] = head->frame;
	}
	scan->known[plane] = true;
	scan->begun[plane] = true;
	scan->next.offsets[plane] = scan->offset;
	scan->next.changed |= head->kind != RECORDING_STILL;
	scan->next.time_us = head->time_us;
	return head->plane == PLANE_PRIMARY ? add_entry(scan) : 0;
}

/* One record. 0; 1 when there are no more; -ENOMEM. */
static int scan_record(struct scan *scan)
{
	struct recording *recording = scan->recording;
	uint8_t bytes[RECORDING_HEAD_BYTES];
	const char *wrong = NULL;
	int ret;

	if (recording->file_bytes - scan->offset < sizeof(bytes))
		wrong = "cut short";
	else if (read_at(recording, scan->offset, bytes, sizeof(bytes)))
		wrong = "unreadable";
	if (!wrong) {
		recording_get_head(bytes, &scan->head);
		wrong = judge_head(scan);
	}
	if (!wrong)
		wrong = judge_body(scan);
	if (wrong) {
		set_damage(recording, scan->offset, wrong);
		return 1;
	}
	ret = add_record(scan);
	scan->offset += RECORDING_HEAD_BYTES + scan->head.body_bytes;
	return ret;
}

/* Tells each frame the next one that is different. */
static void finish_index(struct recording *recording)
{
	uint32_t next = NEVER;

	for (uint32_t i = recording->frames; i-- > 0;) {
		recording->entries[i].next_change = next;
		if (recording->entries[i].changed)
			next = i;
	}
}

static int scan_records(struct recording *recording, GError **error)
{
	struct scan scan = {
		.recording = recording,
		.offset = RECORDING_HEADER_BYTES,
		.chunk = malloc(CHUNK_BYTES),
	};
	int ret = scan.chunk ? 0 : -ENOMEM;

	while (!ret)
		ret = scan_record(&scan);
	free(scan.chunk);
	if (ret < 0)
		return fail(error, EXIT_FAILED, ENOMEM, "no memory");
	finish_index(recording);
	if (recording->frames)
		return 0;
	return fail(error, EXIT_FAILED, EINVAL, "it holds no frame (%s)",
		    recording->damage ? recording->damage : "it ended before the first");
}

static int open_file(struct recording *recording, const char *path, GError **error)
{
	uint8_t header[RECORDING_HEADER_BYTES];
	struct stat status;
	size_t size;

	/* Not to wait for the writer of a FIFO. */
	recording->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (recording->fd < 0 || fstat(recording->fd, &status))
		return fail(error, exit_code_of_file(errno), errno, "cannot open %s: %s", path,
			    g_strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail(error, EXIT_USAGE, EINVAL, "%s is not a regular file", path);
	recording->file_bytes = (uint64_t)status.st_size;
	size = status.st_size < (off_t)sizeof(header) ? (size_t)status.st_size : sizeof(header);
	if (read_at(recording, 0, header, size))
		return fail(error, EXIT_FAILED, EIO, "cannot read %s", path);
	return recording_get_header(header, size, &recording->wall_us, error);
}

int recording_open(const char *path, struct recording **out, GError **error)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	int ret;

	if (!recording)
		return fail(error, EXIT_FAILED, ENOMEM, "no memory");
	recording->at = NEVER;
	recording->fd = -1;
	ret = open_file(recording, path, error);
	if (!ret)
		ret = scan_records(recording, error);
	if (ret)
		recording_close(recording);
	else
		*out = recording;
	return ret;
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < PLANES; i++)
		recording_state_reset(&recording->planes[i]);
	if (recording->fd >= 0)
		close(recording->fd);
	free(recording->entries);
	free(recording->body);
	g_free(recording->damage);
	free(recording);
}

uint32_t recording_frames(const struct recording *recording)
{
	return recording->frames;
}

const char *recording_damage(const struct recording *recording)
{
	return recording->damage;
}

int64_t recording_time(const struct recording *recording, uint32_t frame)
{
	return recording->entries[frame].time_us;
}

int64_t recording_duration(const struct recording *recording)
{
	int64_t last = recording->frames ? recording->entries[recording->frames - 1].time_us : 0;

	return !recording->damage && recording->end_us > last ? recording->end_us
							      : last + LAST_FRAME_US;
}

int64_t recording_started(const struct recording *recording)
{
	return recording->wall_us;
}

uint32_t recording_frame_at(const struct recording *recording, int64_t time_us)
{
	uint32_t low = 0, high = recording->frames;

	/* The first one that is too late. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (recording->entries[middle].time_us <= time_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}

uint32_t recording_next_change(const struct recording *recording, uint32_t frame)
{
	uint32_t next = recording->entries[frame].next_change;

	return next < recording->frames ? next : recording->frames;
}

const struct plane *recording_plane(const struct recording *recording, enum plane_type type)
{
	const struct recording_state *own = &recording->planes[plane_index(type)];

	return own->on ? &own->plane : NULL;
}

const char *recording_reason(const struct recording *recording, enum plane_type type)
{
	return recording->planes[plane_index(type)].reason;
}

void recording_take_changes(struct recording *recording, struct damage *damage)
{
	recording_state_take_changes(&recording->planes[plane_index(PLANE_PRIMARY)], damage);
}

/* The index knows the record, so its numbers are within the file; -EINVAL if they are not now. */
static int read_record(struct recording *recording, uint64_t offset, struct recording_head *head)
{
	uint8_t bytes[RECORDING_HEAD_BYTES];

	if (read_at(recording, offset, bytes, sizeof(bytes)))
		return -EINVAL;
	recording_get_head(bytes, head);
	if (head->body_bytes > recording->file_bytes - offset - sizeof(bytes))
		return -EINVAL;
	if (head->body_bytes > recording->body_room) {
		free(recording->body);
		recording->body = malloc(head->body_bytes);
		recording->body_room = recording->body ? head->body_bytes : 0;
		if (!recording->body)
			return -ENOMEM;
	}
	return read_at(recording, offset + sizeof(bytes), recording->body, head->body_bytes)
		       ? -EINVAL
		       : 0;
}

static int apply_record(struct recording *recording, uint32_t frame, size_t plane)
{
	uint64_t offset = recording->entries[frame].offsets[plane];
	struct recording_head head;
	int ret;

	if (!offset)
		return 0;
	ret = read_record(recording, offset, &head);
	if (!ret)
		ret = recording_decode(&recording->planes[plane], (enum recording_kind)head.kind,
				       recording->body, head.body_bytes);
	return ret;
}

/* Brings one plane to a frame; *bad is the frame that it failed at. */
static int seek_plane(struct recording *recording, uint32_t frame, size_t plane, uint32_t *bad)
{
	uint32_t key = recording->entries[frame].keys[plane], from = key;
	int ret = 0;

	/* What it shows now is on the way, unless that is a detour. */
	if (recording->at != NEVER && recording->at <= frame && recording->at >= key)
		from = recording->at + 1;
	else if (!recording->entries[key].offsets[plane])
		recording_state_reset(&recording->planes[plane]);
	for (uint32_t i = from; i <= frame && !ret; i++) {
		ret = apply_record(recording, i, plane);
		*bad = i;
	}
	return ret;
}

int recording_seek(struct recording *recording, uint32_t frame, GError **error)
{
	uint32_t bad = 0;
	int ret = 0;

	if (frame >= recording->frames)
		return fail(error, EXIT_FAILED, EINVAL, "no frame %u (it has %u, from 0)", frame,
			    recording->frames);
	for (size_t plane = 0; plane < PLANES && !ret; plane++)
		ret = seek_plane(recording, frame, plane, &bad);
	recording->at = ret ? NEVER : frame;
	if (!ret)
		return 0;
	for (size_t plane = 0; plane < PLANES; plane++)
		recording_state_reset(&recording->planes[plane]);
	if (ret == -ENOMEM)
		return fail(error, EXIT_FAILED, ENOMEM, "no memory for frame %u", frame);
	recording->frames = bad;
	set_damage(recording, recording->entries[bad].offsets[0], "a frame that cannot be");
	return fail(error, EXIT_FAILED, EINVAL, "frame %u is damaged", bad);
}
