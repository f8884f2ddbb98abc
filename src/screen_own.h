/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a screen is made of: of screen.c and screen_view.c alone. */
#ifndef PLANECAST_SCREEN_OWN_H
#define PLANECAST_SCREEN_OWN_H

#include "capture.h"
#include "histogram.h"
#include "log.h"
#include "meter.h"
#include "motion.h"
#include "pacer.h"
#include "pointer_watch.h"
#include "screen.h"

struct screen {
	struct source *source;
	struct capture *capture;
	struct frame *frame;
	struct plane shown; /* what the frame shows, while has_signal */
	bool has_signal;
	bool blank;            /* the frame's memory was given back, and nothing was written yet */
	char *reason;          /* on the card, while !has_signal */
	struct damage changed; /* found and written to the frame, not yet told to the sinks */
	struct damage hinted;  /* told by the source, not yet read */
	struct motion *motion; /* NULL while no viewer has a use for what moved */
	uint64_t told;         /* frame_touched() when the sinks heard of the frame last */
	struct pointer_watch pointer;
	int64_t retrying_us; /* when the passes thrown away in a row began; 0: the last was none */
	struct pacer pacer;
	enum pacer_state state;
	GPtrArray *sinks;
	GSource *loop;
	gpointer event_tag;
	int event_fd;
	bool event_armed;
	int poked, urged;                                           /* atomic */
	int (*resize)(uint32_t width, uint32_t height, void *data); /* NULL */
	void *resize_data;
	struct log_limit mode_limit;
	struct screen_counters counters;
	struct meter looks, changes;         /* changes: looks that found one */
	struct histogram acquiring, reading; /* the plane; its pixels */
	struct histogram probing;            /* a few of its rows */
};

#define for_each_sink(screen, sink)                                                              \
	for (guint sink_index = 0; sink_index < (screen)->sinks->len &&                          \
				   ((sink) = g_ptr_array_index((screen)->sinks, sink_index), 1); \
	     sink_index++)

#endif
