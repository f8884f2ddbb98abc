/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "end_signals.h"
#include "log.h"
#include "output.h"
#include "recording.h"
#include "recording_look.h"

#define MAX_FPS     240
#define MAX_SECONDS (7 * 86400)

/* A source that tells when something changes is looked at this seldom all the same. */
#define QUIET_US G_USEC_PER_SEC

/* A plane that changes under the reading is read again after this pause. */
#define RETRY_US 10000

struct record_options {
	char *output;
	double seconds; /* 0: until a signal, like frames */
	gint64 frames;
	int max_fps;
};

struct recorder {
	const struct record_options *options;
	struct source *source;
	struct output *output;
	struct recording_writer *writer;
	struct recording_look look;
	/* Of the monotonic clock: no look is before next_us, one is at quiet_us at the latest. */
	int64_t started_us, next_us, quiet_us;
	int ret;
	GMainLoop *loop;
	GSource *turns;
	gpointer event_tag;
	int event_fd;
};

struct turn_source {
	GSource base;
	struct recorder *recorder;
};

static void stop(struct recorder *recorder, int ret)
{
	recorder->ret = ret;
	g_main_loop_quit(recorder->loop);
}

static int64_t end_us(const struct recorder *recorder)
{
	int64_t seconds_us = (int64_t)(recorder->options->seconds * G_USEC_PER_SEC);

	return seconds_us ? recorder->started_us + seconds_us : G_MAXINT64;
}

static bool has_all_frames(const struct recorder *recorder)
{
	uint32_t frames = recording_writer_frames(recorder->writer);

	return frames == recorder->options->frames || frames == RECORDING_MAX_FRAMES;
}

/* The descriptor that tells of changes may be another one after each look. */
static void watch_event(struct recorder *recorder)
{
	int fd = recorder->source->ops->event_fd(recorder->source);

	if (fd == recorder->event_fd)
		return;
	if (recorder->event_tag)
		g_source_remove_unix_fd(recorder->turns, recorder->event_tag);
	recorder->event_tag = fd < 0 ? NULL : g_source_add_unix_fd(recorder->turns, fd, 0);
	recorder->event_fd = fd;
}

static void look(struct recorder *recorder, int64_t now)
{
	int64_t interval = G_USEC_PER_SEC / recorder->options->max_fps;
	int ret = recording_look_take(&recorder->look, now - recorder->started_us);

	if (ret == -EAGAIN) {
		recorder->quiet_us = recorder->next_us = now + RETRY_US;
		return;
	}
	if (ret)
		stop(recorder, ret);
	else if (has_all_frames(recorder))
		stop(recorder, 0);
	/* In step with the clock, unless it was missed. */
	recorder->next_us += interval;
	if (recorder->next_us <= now)
		recorder->next_us = now + interval;
	recorder->quiet_us = now + QUIET_US;
}

static void turn(struct recorder *recorder)
{
	int64_t now = g_get_monotonic_time(), ready;
	bool fired = recorder->event_tag &&
		     g_source_query_unix_fd(recorder->turns, recorder->event_tag);

	if (now >= end_us(recorder)) {
		stop(recorder, 0);
		return;
	}
	if (now >= recorder->next_us &&
	    (!recorder->event_tag || fired || now >= recorder->quiet_us))
		look(recorder, now);
	watch_event(recorder);
	/* Until a look may be, nobody listens: the event will still be there. */
	ready = recorder->next_us;
	if (recorder->event_tag) {
		g_source_modify_unix_fd(recorder->turns, recorder->event_tag,
					now >= ready ? G_IO_IN : 0);
		if (now >= ready)
			ready = recorder->quiet_us;
	}
	g_source_set_ready_time(recorder->turns, MIN(ready, end_us(recorder)));
}

static gboolean turn_dispatch(GSource *base, GSourceFunc callback, gpointer data)
{
	(void)callback;
	(void)data;
	turn(((struct turn_source *)base)->recorder);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs turn_funcs = {.dispatch = turn_dispatch};

static void on_source_changed(void *data)
{
	struct recorder *recorder = data;

	recorder->quiet_us = recorder->next_us;
	g_source_set_ready_time(recorder->turns, recorder->next_us);
}

static gboolean on_signal(gpointer data)
{
	stop(data, 0);
	return G_SOURCE_CONTINUE;
}

/* Looks until it is enough; 0, or why there can be no more. */
static int run(struct recorder *recorder)
{
	struct end_signals signals;

	end_signals_watch(&signals, on_signal, recorder);
	recorder->event_fd = -1;
	recorder->started_us = recorder->next_us = g_get_monotonic_time();
	recorder->turns = g_source_new(&turn_funcs, sizeof(struct turn_source));
	((struct turn_source *)recorder->turns)->recorder = recorder;
	g_source_set_name(recorder->turns, "recorder");
	g_source_set_ready_time(recorder->turns, 0);
	g_source_attach(recorder->turns, NULL);
	recorder->source->changed = on_source_changed;
	recorder->source->changed_data = recorder;
	g_main_loop_run(recorder->loop);
	recorder->source->changed = NULL;
	g_source_destroy(recorder->turns);
	g_source_unref(recorder->turns);
	end_signals_unwatch(&signals);
	return recorder->ret;
}

static void say_what_was_recorded(const struct recorder *recorder, double seconds)
{
	uint32_t frames = recording_writer_frames(recorder->writer);

	log_info("recorded %u frames (%u without a picture) in %.1f s, %" PRIu64 " bytes", frames,
		 recorder->look.frames_without, seconds, recording_writer_bytes(recorder->writer));
}

/* Everything between an open source and a finished file. */
static int write_recording(struct recorder *recorder, GError **error)
{
	int64_t time_us;
	int ret = recording_writer_create(recorder->output, g_get_real_time(), &recorder->writer);

	if (!ret)
		ret = recording_look_init(&recorder->look, recorder->source, recorder->writer);
	if (!ret)
		ret = run(recorder);
	if (!ret && !recording_writer_frames(recorder->writer))
		return fail(error, EXIT_FAILED, EAGAIN, "ended before anything was recorded");
	time_us = g_get_monotonic_time() - recorder->started_us;
	if (!ret)
		ret = recording_writer_end(recorder->writer, time_us);
	if (ret)
		output_spoil(recorder->output, ret);
	ret = output_commit(recorder->output, error);
	if (!ret)
		say_what_was_recorded(recorder, (double)time_us / G_USEC_PER_SEC);
	return ret;
}

static int record(const char *spec, const struct record_options *options)
{
	struct recorder recorder = {.options = options};
	GError *error = NULL;
	int ret = cmd_open_source(spec, SOURCE_VFIO_ATTACH_OPEN, &recorder.source, &error);

	if (ret)
		return cmd_report(spec, error);
	recorder.loop = g_main_loop_new(NULL, FALSE);
	ret = output_open_partial(options->output, &recorder.output, &error);
	if (!ret)
		ret = write_recording(&recorder, &error);
	recording_look_finish(&recorder.look);
	recording_writer_destroy(recorder.writer);
	output_close(recorder.output);
	recorder.source->ops->close(recorder.source);
	g_main_loop_unref(recorder.loop);
	return ret ? cmd_report(spec, error) : EXIT_DONE;
}

static int check(const struct record_options *options)
{
	if (!options->output || !*options->output) {
		log_error("record: no file given (give -o FILE; - is standard output)");
		return EXIT_USAGE;
	}
	if (!strcmp(options->output, "-") && isatty(STDOUT_FILENO)) {
		log_error("record: standard output is a terminal (give -o FILE)");
		return EXIT_USAGE;
	}
	if (!(options->seconds >= 0 && options->seconds <= MAX_SECONDS)) {
		log_error("record: --seconds %g is out of range (0 to %d; 0: no limit)",
			  options->seconds, MAX_SECONDS);
		return EXIT_USAGE;
	}
	if (options->frames < 0 || options->frames > RECORDING_MAX_FRAMES) {
		log_error("record: --frames %" PRId64 " is out of range (0 to %u; 0: no limit)",
			  (int64_t)options->frames, RECORDING_MAX_FRAMES);
		return EXIT_USAGE;
	}
	if (options->max_fps < 1 || options->max_fps > MAX_FPS) {
		log_error("record: --max-fps %d is out of range (1 to %d)", options->max_fps,
			  MAX_FPS);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int cmd_record(int argc, char **argv)
{
	struct record_options options = {.max_fps = 30};
	const GOptionEntry entries[] = {
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
		 "write here; - is standard output", "FILE"},
		{"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds,
		 "end after so long [0: no limit]", "N"},
		{"frames", 0, 0, G_OPTION_ARG_INT64, &options.frames,
		 "end after so many frames [0: no limit]", "N"},
		{"max-fps", 0, 0, G_OPTION_ARG_INT, &options.max_fps,
		 "at most so many frames a second [30]", "N"},
		G_OPTION_ENTRY_NULL,
	};
	int ret = cmd_options(
		&argc, &argv, entries, "DEVICE", 1,
		"Records the planes of a display as they are in memory.",
		"Pixels are kept as they are, tiled, with everything that the driver says of them:\n"
		"replay:FILE is a device that shows the same. SIGINT, SIGTERM and SIGHUP end a\n"
		"recording as --seconds and --frames do. Until then it is FILE.part, which stays,\n"
		"and can be replayed, if the disk is full or planecast is killed.\n\n"
		"  planecast record sim: -o sim.rec --seconds 10\n"
		"  planecast screenshot replay:sim.rec,frame=7 -o frame7.png\n"
		"  planecast serve replay:sim.rec,loop");

	signal(SIGPIPE, SIG_IGN);
	if (!ret)
		ret = check(&options);
	if (!ret)
		ret = record(argv[1], &options);
	g_free(options.output);
	return ret;
}
