/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage for a VNC sink: it plays the screen, in a thread that does a pass whenever it is poked,
 * and paints pictures that a client can be compared with.
 */
#ifndef PLANECAST_STAGE_H
#define PLANECAST_STAGE_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#include "frame.h"
#include "motion.h"
#include "vnc.h"

struct stage {
	struct sink *sink;
	struct frame *frame;
	struct motion
		*motion;     /* a test's own: it ends with the stage. NULL: nobody tells of moves */
	unsigned int lag_us; /* between writing pixels and telling of them */
	uint64_t told;       /* as in screen_own.h */
	uint16_t port;       /* on 127.0.0.1 */
	bool hold;           /* no passes: newcomers wait */
	unsigned int seed;
	int grants; /* what a client hears of its wish of a size, as sink_ops' answer() */
	pthread_t thread;
	pthread_mutex_t main; /* who has it is "the main thread": it may call the sink */
	pthread_mutex_t lock; /* of what follows, and of hold */
	pthread_cond_t poked;
	unsigned int pokes, passes, wishes;
	uint32_t wish_width, wish_height; /* the last one */
	bool stop;
};

/* A frame with a picture, and a sink that listens on loopback. NULL options: defaults. */
void stage_open(struct stage *stage, const struct vnc_options *options, uint32_t width,
		uint32_t height);
void stage_close(struct stage *stage);

/* Another mode, another picture. */
void stage_resize(struct stage *stage, uint32_t width, uint32_t height);

/* Paints a rectangle (as far as it lies inside) with something new and tells the sink. */
void stage_paint(struct stage *stage, uint32_t x, uint32_t y, uint32_t width, uint32_t height);

/*
 * Moves what is in a rectangle (as far as it lies inside) and lands inside; where it came from is
 * left as it was, or, with `fresh`, painted anew. Tells the sink.
 */
void stage_move(struct stage *stage, const struct detile_rect *from, int32_t dx, int32_t dy,
		bool fresh);

/* The guest's pointer, or NULL: as in sink_ops. */
void stage_point(struct stage *stage, struct pointer *shape, int32_t x, int32_t y);

void stage_grant(struct stage *stage, int ret); /* what wishes are answered */
void stage_set_hold(struct stage *stage, bool hold);
struct sink_demand stage_demand(struct stage *stage);

/* Looks until a condition on the counts holds, for RFB_PATIENCE_MS at most. */
bool stage_wait(struct stage *stage, bool (*holds)(const struct vnc_counts *counts, unsigned int n),
		unsigned int n);
bool stage_has_clients(const struct vnc_counts *counts, unsigned int n);

/* A free TCP port of loopback, as it was a moment ago. */
uint16_t stage_free_port(void);

#endif
