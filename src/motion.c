/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "motion.h"

#include <glib.h>
#include <string.h>

#include "motion_search.h"

#define MOST_IDLE 15u

struct motion {
	struct frame *kept;  /* NULL: none yet */
	uint64_t generation; /* of the frame that it is a picture of */
	struct damage stale; /* where it shows what was before */
	struct motion_shift shift;
	unsigned int idle, next_idle; /* changes to let pass: now, and after the next failure */
};

struct motion *motion_create(void)
{
	return g_new0(struct motion, 1);
}

static void forget(struct motion *motion)
{
	frame_release(motion->kept);
	motion->kept = NULL;
	damage_finish(&motion->stale);
}

void motion_destroy(struct motion *motion)
{
	if (!motion)
		return;
	forget(motion);
	g_free(motion);
}

void motion_find(struct motion *motion, const struct frame *frame, const struct damage *changed,
		 struct moves *moves)
{
	moves->count = 0;
	if (!motion->kept || motion->generation != frame->generation ||
	    damage_count(changed) < MOTION_CELLS)
		return;
	if (motion->idle) {
		motion->idle--;
		return;
	}
	motion_search(motion->kept, frame, changed, &motion->shift, moves);
	motion->next_idle = moves->count ? 0 : MIN(2 * motion->next_idle + 1, MOST_IDLE);
	motion->idle = motion->next_idle;
}

static void copy_rect(const struct detile_rect *rect, void *data)
{
	const struct frame *const *frames = data;

	for (uint32_t y = rect->y; y < rect->y + rect->height; y++)
		memcpy((uint8_t *)frames[1]->pixels + y * frames[1]->stride + rect->x * 4,
		       (const uint8_t *)frames[0]->pixels + y * frames[0]->stride + rect->x * 4,
		       (size_t)rect->width * 4);
}

/* Another frame: all of it is stale. */
static bool renew(struct motion *motion, const struct frame *frame)
{
	forget(motion);
	motion->kept = frame_create(frame->width, frame->height);
	if (!motion->kept || damage_init(&motion->stale, frame->width, frame->height)) {
		forget(motion);
		return false;
	}
	motion->generation = frame->generation;
	damage_add_all(&motion->stale);
	return true;
}

void motion_keep(struct motion *motion, const struct frame *frame, const struct damage *changed)
{
	const struct frame *frames[2];

	if (!motion->kept || motion->generation != frame->generation) {
		if (!renew(motion, frame))
			return;
	} else {
		damage_merge(&motion->stale, changed);
	}
	if (motion->idle)
		return;
	frames[0] = frame;
	frames[1] = motion->kept;
	damage_each(&motion->stale, copy_rect, frames);
	damage_clear(&motion->stale);
}
