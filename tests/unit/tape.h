/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tape: a source whose planes a test sets, recorded frame by frame into a file, with a memory of
 * what every frame was.
 */
#ifndef PLANECAST_TAPE_H
#define PLANECAST_TAPE_H

#include <glib.h>

#include "output.h"
#include "recording_look.h"
#include "recording_reader.h"

struct tape_plane {
	bool on;
	struct plane plane; /* data points to bytes */
	GBytes *bytes;      /* NULL while off */
};

struct tape_frame {
	struct tape_plane planes[2]; /* primary, cursor */
	uint64_t end;                /* how long the file was after it */
	int64_t time_us;
};

struct tape {
	struct source source;
	struct tape_plane planes[2];
	int hint_ret;            /* -ENOTSUP */
	struct detile_rect hint; /* told when hint_ret is 0; width 0: nothing */
	unsigned int changes;    /* so many times the plane changes under the reading */
	const char *off_reason;
	char *folder, *path;
	struct output *output;
	struct recording_writer *writer;
	struct recording_look look;
	int64_t time_us, step_us; /* of the next frame, and to the one after it */
	GArray *frames;           /* of struct tape_frame */
};

void tape_open(struct tape *tape);
void tape_close(struct tape *tape); /* removes the file */

/* Shows what a simulated device of these options shows, both planes. */
void tape_show_sim(struct tape *tape, const char *options);

/* The same with a cursor, of a frame of its. */
void tape_show_desktop(struct tape *tape, const char *options, int frame);

/* Shows a plane with a copy of these bytes; plane->size of them. */
void tape_show(struct tape *tape, enum plane_type type, const struct plane *plane,
	       const void *bytes);
void tape_show_off(struct tape *tape, enum plane_type type);

/* Records what is shown. */
void tape_record(struct tape *tape);

/* Ends the recording; the file is then at tape->path. */
void tape_finish(struct tape *tape);

const struct tape_frame *tape_frame(const struct tape *tape, uint32_t frame);

/* Fails the test unless a plane is the one that a frame had, byte for byte. NULL: off. */
void tape_expect_plane(const struct tape *tape, uint32_t frame, enum plane_type type,
		       const struct plane *plane);

/* What is in a file, or the test fails. */
struct recording *tape_open_recording(const char *path);

/* Goes to a frame and fails the test unless both planes are as they were. */
void tape_expect_frame(const struct tape *tape, struct recording *recording, uint32_t frame);

#endif
