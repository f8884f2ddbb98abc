/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replay source: a recording as a device. The words after `replay:` are FILE and what follows
 * it of
 *
 *	,loop       begins anew after the end
 *	,from=N     begins at frame N
 *	,frame=N    stays at frame N; the first frame is 0
 *	,epoch=N    leaves its first frame from then on, in microseconds of CLOCK_MONOTONIC
 *	            (otherwise when it is opened)
 *
 * A comma before any other word belongs to the file's name.
 */
#ifndef PLANECAST_SOURCE_REPLAY_H
#define PLANECAST_SOURCE_REPLAY_H

#include "source.h"

/*
 * -EINVAL with EXIT_USAGE: the options, or a frame that the recording does not have; with
 * EXIT_FAILED: not a recording. One that is damaged is played up to there, and a warning says so.
 * The recording's clock starts here, if it has no epoch.
 */
int source_replay_open(const char *options, struct source **source, GError **error);

#endif
