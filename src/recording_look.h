/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at a source, recorded: a frame of both planes. Whatever is wrong with a plane is
 * recorded, too: a display that cannot be had is a frame without it, with the reason, and one that
 * planecast cannot show is kept as it is. Main thread.
 */
#ifndef PLANECAST_RECORDING_LOOK_H
#define PLANECAST_RECORDING_LOOK_H

#include "recording_writer.h"
#include "source.h"

struct recording_look {
	struct source *source;           /* the caller's, like the writer */
	struct recording_writer *writer; /* NULL after recording_look_finish() */
	struct damage hinted;            /* told by the source, not yet read */
	struct plane seen;               /* the last primary plane that was read */
	bool shown;                      /* the last frame had one */
	uint32_t frames_without;         /* so many had none */
};

int recording_look_init(struct recording_look *look, struct source *source,
			struct recording_writer *writer); /* -ENOMEM */
void recording_look_finish(struct recording_look *look);  /* takes a zeroed one */

/*
 * Writes one frame. -EAGAIN: the plane changed under the reading, nothing was written; otherwise
 * as the writer.
 */
int recording_look_take(struct recording_look *look, int64_t time_us);

#endif
