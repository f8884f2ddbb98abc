/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a recording, whose every number is hostile: it is believed up to the first byte that is
 * damaged, and what comes after that does not exist. One thread.
 */
#ifndef PLANECAST_RECORDING_READER_H
#define PLANECAST_RECORDING_READER_H

#include <glib.h>

#include "damage.h"
#include "plane.h"

struct recording;

/*
 * Opens a file, checks all of its records once and stands on no frame. -errno and a line in error:
 * no such file, not a recording, or no frame that is whole.
 */
int recording_open(const char *path, struct recording **recording, GError **error);
void recording_close(struct recording *recording); /* takes NULL */

/* At least 1. Becomes less when recording_seek() finds damage, and may be 0 then. */
uint32_t recording_frames(const struct recording *recording);

/* Where and how the recording is damaged or cut short, NULL if it is complete. */
const char *recording_damage(const struct recording *recording);

/* When a frame was taken, and when the last one ended, microseconds from the start. */
int64_t recording_time(const struct recording *recording, uint32_t frame);
int64_t recording_duration(const struct recording *recording);

/* The wall clock's microseconds since 1970 at the start. */
int64_t recording_started(const struct recording *recording);

/* The frame to be seen at a time. */
uint32_t recording_frame_at(const struct recording *recording, int64_t time_us);

/* The first frame after this one in which anything is new; recording_frames() if there is none. */
uint32_t recording_next_change(const struct recording *recording, uint32_t frame);

/*
 * Goes to a frame. -EINVAL and a line in error: there is no such frame, or it is damaged; the
 * frames before the damage remain, and the reader stands on none. -ENOMEM.
 */
int recording_seek(struct recording *recording, uint32_t frame, GError **error);

/*
 * A plane in the frame it stands on, with its bytes, which are the reader's until the next seek;
 * NULL if it is off: then there may be a reason, one line. Not yet judged by plane_validate().
 */
const struct plane *recording_plane(const struct recording *recording, enum plane_type type);
const char *recording_reason(const struct recording *recording, enum plane_type type);

/* Adds what of the primary plane has become different since the last call to damage. */
void recording_take_changes(struct recording *recording, struct damage *damage);

#endif
