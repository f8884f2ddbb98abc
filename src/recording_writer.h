/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a recording, record by record, each handed to the kernel at once, so that one that is cut
 * short can be read up to there. One thread. A frame is at most one record of the cursor plane,
 * then one of the primary plane, which completes it.
 */
#ifndef PLANECAST_RECORDING_WRITER_H
#define PLANECAST_RECORDING_WRITER_H

#include "output.h"
#include "plane.h"

struct recording_writer;

/* Writes the header. output stays the caller's. wall_us: microseconds since 1970. */
int recording_writer_create(struct output *output, int64_t wall_us,
			    struct recording_writer **writer);
void recording_writer_destroy(struct recording_writer *writer); /* takes NULL */

/*
 * Reads the bytes of an acquired plane, valid or not, into memory of its own: they are what the
 * next recording_writer_put() may store, if they turn out to be good. -EINVAL (no such plane can be
 * recorded) or -EFAULT (its memory went away) with one line in error; -ENOMEM.
 */
int recording_writer_take(struct recording_writer *writer, enum plane_type type,
			  const struct plane *plane, GError **error);

/*
 * Whether recording_writer_keep() may follow: the plane was recorded before in this shape, and no
 * other bytes have been since.
 */
bool recording_writer_has(const struct recording_writer *writer, enum plane_type type,
			  const struct plane *plane);

/*
 * Each of these adds one record of a plane: with the bytes taken, with the bytes it had before,
 * without a plane (reason is cut to what fits). Times never go back. 0 or -errno of the output;
 * -EFBIG: the recording has as many frames as one may have.
 */
int recording_writer_put(struct recording_writer *writer, enum plane_type type, int64_t time_us);
int recording_writer_keep(struct recording_writer *writer, enum plane_type type,
			  const struct plane *plane, int64_t time_us);
int recording_writer_off(struct recording_writer *writer, enum plane_type type, const char *reason,
			 int64_t time_us);

/* The last record. */
int recording_writer_end(struct recording_writer *writer, int64_t time_us);

uint32_t recording_writer_frames(const struct recording_writer *writer);
uint64_t recording_writer_bytes(const struct recording_writer *writer);

#endif
