/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording as a device. Its time is the monotonic clock since it was opened; nothing runs while
 * nobody asks: it is brought to the frame that is due when a plane is acquired, or by hint().
 */
#include "source_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "log.h"
#include "member.h"
#include "recording.h"
#include "recording_reader.h"

struct replay_options {
	char *path;
	bool loop, frozen;
	uint32_t frame;   /* the first one, or the only one */
	int64_t epoch_us; /* when that was shown first; 0: when it is opened */
};

struct replay {
	struct source base;
	struct replay_options options;
	struct recording *recording;
	int64_t started_us; /* of the monotonic clock, when the recording's time was 0 */
	int timer;          /* fires when the next change is due; -1 if none ever is */
	uint32_t shown;     /* the frame that planes are of */
	unsigned int holders;
	bool warned; /* of damage */
};

static struct replay *replay_of(struct source *source)
{
	return (struct replay *)source;
}

static int parse_frame(const char *key, const char *value, uint32_t *frame, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT32, &number, NULL))
		return fail(error, EXIT_USAGE, EINVAL, "%s has no number of a frame (give %s=N)",
			    key, key);
	*frame = (uint32_t)number;
	return 0;
}

static int parse_epoch(const char *value, int64_t *epoch_us, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, 1, RECORDING_MAX_TIME_US, &number, NULL))
		return fail(error, EXIT_USAGE, EINVAL,
			    "epoch has no time (give epoch=N, "
			    "microseconds of the monotonic clock)");
	*epoch_us = (int64_t)number;
	return 0;
}

/* Takes one option off the end of the path. 1: there is none. */
static int parse_last(struct replay_options *options, bool *first, GError **error)
{
	char *comma = strrchr(options->path, ',');
	bool frame = comma && g_str_has_prefix(comma, ",frame=");
	bool from = comma && g_str_has_prefix(comma, ",from=");
	bool epoch = comma && g_str_has_prefix(comma, ",epoch=");
	int ret = 0;

	if (!frame && !from && !epoch && g_strcmp0(comma, ",loop"))
		return 1;
	*comma++ = '\0';
	if (epoch)
		return parse_epoch(strchr(comma, '=') + 1, &options->epoch_us, error);
	if (!frame && !from) {
		options->loop = true;
		return 0;
	}
	if (*first)
		ret = parse_frame(frame ? "frame" : "from", strchr(comma, '=') + 1, &options->frame,
				  error);
	else
		ret = fail(error, EXIT_USAGE, EINVAL, "frame and from are given twice (use one)");
	*first = false;
	options->frozen |= frame;
	return ret;
}

static int parse(const char *text, struct replay_options *options, GError **error)
{
	bool first = true;
	int ret;

	options->path = g_strdup(text);
	do
		ret = parse_last(options, &first, error);
	while (!ret);
	if (ret < 0)
		return ret;
	if (!*options->path)
		return fail(error, EXIT_USAGE, EINVAL, "no file (give replay:FILE[,loop])");
	return 0;
}

/* Once, however much damage is found. */
static void warn(struct replay *replay)
{
	const char *damage = recording_damage(replay->recording);

	if (!damage || replay->warned)
		return;
	log_warning("%s: %s: only the %u frames before are played", replay->options.path, damage,
		    recording_frames(replay->recording));
	replay->warned = true;
}

/* The recording's time now; negative before its epoch. */
static int64_t now_us(const struct replay *replay)
{
	int64_t now = g_get_monotonic_time() - replay->started_us;

	return replay->options.loop && now > 0 ? now % recording_duration(replay->recording) : now;
}

/* Goes to a frame, or to the last one before the damage that is found on the way. */
static int go_to(struct replay *replay, uint32_t frame, GError **error)
{
	struct recording *recording = replay->recording;
	int ret = -EINVAL;

	/* Each failure leaves fewer frames. */
	while (ret == -EINVAL && recording_frames(recording)) {
		if (frame >= recording_frames(recording))
			frame = recording_frames(recording) - 1;
		ret = recording_seek(recording, frame, NULL);
		warn(replay);
	}
	if (ret == -EINVAL)
		return fail(error, EXIT_FAILED, EINVAL, "no frame of it can be read (%s)",
			    recording_damage(recording));
	if (!ret)
		replay->shown = frame;
	return ret ? fail(error, EXIT_FAILED, -ret, "%s", g_strerror(-ret)) : 0;
}

/* Who holds a plane reads one frame in peace. */
static int advance(struct replay *replay, GError **error)
{
	uint32_t frame = replay->options.frame;

	if (replay->holders)
		return 0;
	if (!recording_frames(replay->recording))
		return go_to(replay, 0, error);
	if (!replay->options.frozen)
		frame = recording_frame_at(replay->recording, now_us(replay));
	return go_to(replay, frame, error);
}

/* When there is something else to be seen, by the monotonic clock; 0: never. */
static int64_t next_due(const struct replay *replay)
{
	const struct recording *recording = replay->recording;
	int64_t now = now_us(replay), began = g_get_monotonic_time() - now;
	uint32_t frame = recording_frame_at(recording, now), next;

	/* Time went on while who holds a plane read one frame. */
	if (frame != replay->shown)
		return began + now;
	next = recording_next_change(recording, frame);
	if (next < recording_frames(recording))
		return began + recording_time(recording, next);
	return replay->options.loop ? began + recording_duration(recording) : 0;
}

/* Sets the timer to the next change; a moment that is past fires at once. */
static void arm(struct replay *replay)
{
	struct itimerspec when = {0};
	int64_t due;

	if (replay->timer < 0 || !recording_frames(replay->recording))
		return;
	due = next_due(replay);
	when.it_value.tv_sec = due / G_USEC_PER_SEC;
	when.it_value.tv_nsec = due % G_USEC_PER_SEC * 1000;
	timerfd_settime(replay->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static int replay_acquire(struct source *source, enum plane_type type, struct plane *plane,
			  GError **error)
{
	struct replay *replay = replay_of(source);
	const struct plane *shown;
	const char *reason;
	int ret = advance(replay, error);

	if (ret)
		return ret;
	shown = recording_plane(replay->recording, type);
	if (!shown) {
		reason = recording_reason(replay->recording, type);
		return fail(error, EXIT_FAILED, ENODATA, "%s",
			    reason ? reason : "the plane was off when this was recorded");
	}
	*plane = *shown;
	replay->holders++;
	return 0;
}

static bool replay_same(struct source *source, enum plane_type type, const struct plane *plane)
{
	const struct plane *shown = recording_plane(replay_of(source)->recording, type);

	return shown && plane_is_same(shown, plane);
}

static void replay_release(struct source *source, struct plane *plane)
{
	struct replay *replay = replay_of(source);

	if (plane->data && replay->holders)
		replay->holders--;
	memset(plane, 0, sizeof(*plane));
}

static int replay_event_fd(struct source *source)
{
	return replay_of(source)->timer;
}

static int replay_hint(struct source *source, struct damage *damage)
{
	struct replay *replay = replay_of(source);
	uint64_t expirations;
	int ret = advance(replay, NULL);

	if (replay->timer >= 0 && read(replay->timer, &expirations, sizeof(expirations)) < 0 &&
	    errno != EAGAIN)
		return -errno;
	arm(replay);
	if (!ret)
		recording_take_changes(replay->recording, damage);
	return 0;
}

/* The file is the recording's own: nobody else waits for anything of it. */
static void replay_rest(struct source *source)
{
	(void)source;
}

static int replay_set_mode(struct source *source, uint32_t width, uint32_t height)
{
	(void)source;
	(void)width;
	(void)height;
	return -ENOTSUP;
}

static void replay_close(struct source *source)
{
	struct replay *replay = replay_of(source);

	recording_close(replay->recording);
	g_free(replay->options.path);
	if (replay->timer >= 0)
		close(replay->timer);
	free(replay);
}

static void replay_describe(struct source *source, JsonBuilder *json)
{
	struct replay *replay = replay_of(source);

	member_string(json, "damage", "recording");
	member_int(json, "frames", recording_frames(replay->recording));
}

static const struct source_ops replay_ops = {
	.name = "replay",
	.acquire = replay_acquire,
	.same = replay_same,
	.release = replay_release,
	.event_fd = replay_event_fd,
	.hint = replay_hint,
	.rest = replay_rest,
	.set_mode = replay_set_mode,
	.describe = replay_describe,
	.close = replay_close,
};

static bool has_changes(const struct replay *replay)
{
	return !replay->options.frozen &&
	       (recording_next_change(replay->recording, 0) < recording_frames(replay->recording));
}

static int start(struct replay *replay, GError **error)
{
	struct replay_options *options = &replay->options;
	int ret = recording_open(options->path, &replay->recording, error);

	if (ret)
		return ret;
	warn(replay);
	if (options->frame >= recording_frames(replay->recording))
		return fail(error, EXIT_USAGE, EINVAL, "no frame %u (it has %u, from 0)",
			    options->frame, recording_frames(replay->recording));
	/* A frame that was asked for is that frame, not one before it. */
	ret = recording_seek(replay->recording, options->frame, error);
	if (ret)
		return ret;
	if (has_changes(replay)) {
		replay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (replay->timer < 0)
			return fail(error, EXIT_FAILED, errno, "no timer: %s", g_strerror(errno));
	}
	replay->shown = options->frame;
	replay->started_us = (options->epoch_us ? options->epoch_us : g_get_monotonic_time()) -
			     recording_time(replay->recording, options->frame);
	arm(replay);
	return 0;
}

int source_replay_open(const char *options, struct source **source, GError **error)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	int ret;

	if (!replay)
		return fail(error, EXIT_FAILED, ENOMEM, "no memory");
	replay->base.ops = &replay_ops;
	replay->timer = -1;
	ret = parse(options, &replay->options, error);
	if (!ret)
		ret = start(replay, error);
	if (ret) {
		replay_close(&replay->base);
		return ret;
	}
	*source = &replay->base;
	return 0;
}
