/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words after `sim:`: KEY=VALUE, separated by commas.
 *
 *	mode=WxH|off             1920x1080; off: the plane is off
 *	modes=WxH+off+WxH...     one after the other, in place of mode
 *	period=SECONDS           5: how long each of modes lasts, 0.01 to 86400
 *	layout=linear|x|y|yf|4   linear
 *	format=XR24|...          XR24: a fourcc of plane.h's formats (yf: 4 bytes a pixel)
 *	pattern=desktop|...      desktop: a name of kmod/pattern.h
 *	fps=N                    30: 0 to 1000; 0 stays at frame 0
 *	frame=N                  stays at frame N, fps does not matter
 *	transport=region|dmabuf  region (dmabuf: a memfd that is mapped as one)
 *	damage=flag|rects|none   rects: what hint() tells
 *	cursor=on|off            off
 *	edid=on|off              on: viewers may set the mode, which takes the place of all others
 *	seed=N                   0
 *	cycle=N                  0: after N frames the first comes again; each is drawn once, into
 *	                         memory of its own, as by a guest that flips (at most 64); then
 *	                         damage=rects is a flag
 *	epoch=N                  when frame 0 begins, microseconds of CLOCK_MONOTONIC (otherwise
 *	                         when the device is opened)
 */
#ifndef PLANECAST_SIM_OPTIONS_H
#define PLANECAST_SIM_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "detile/detile.h"
#include "kmod/pattern.h"

#define SIM_MAX_MODES 16u
#define SIM_MAX_CYCLE 64u

/* 8192 x 8192; with the sides' own limit PLANE_MAX_DIMENSION. */
#define SIM_MAX_PIXELS (1u << 26)

/* Of all that a cycle holds: 2 GiB. */
#define SIM_MAX_CYCLE_PIXELS (8ull * SIM_MAX_PIXELS)

enum sim_transport {
	SIM_REGION, /* plain memory */
	SIM_DMABUF, /* a memfd, mapped a second time, read-only, by the reader */
};

enum sim_damage {
	SIM_DAMAGE_FLAG,  /* whether anything changed */
	SIM_DAMAGE_RECTS, /* where */
	SIM_DAMAGE_NONE,  /* not known: the reader has to compare */
};

struct sim_mode {
	uint32_t width, height; /* pixels, both 0 for off */
};

struct sim_options {
	struct sim_mode modes[SIM_MAX_MODES];
	unsigned int mode_count; /* at least 1 */
	int64_t period_us;       /* of each mode, if there are several */
	enum detile_layout layout;
	uint32_t fourcc;
	enum pattern_kind pattern;
	uint32_t fps;   /* 0: the frame never changes */
	uint64_t frame; /* the first one */
	enum sim_transport transport;
	enum sim_damage damage;
	bool cursor, edid;
	uint32_t seed;
	uint32_t cycle;   /* 0: none */
	int64_t epoch_us; /* -1: when it is opened */
};

/*
 * Fills options from text (NULL and "" are the defaults). -EINVAL and one line in error, of code
 * EXIT_USAGE, that names the key or the value and what is allowed.
 */
int sim_options_parse(const char *text, struct sim_options *options, GError **error);

#endif
