/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated device. Its time is the monotonic clock since it was opened, or since `epoch`;
 * nothing runs while nobody asks: a frame is drawn when its plane is acquired, or by hint().
 */
#include "source.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "log.h"
#include "member.h"
#include "sim_cursor.h"
#include "sim_options.h"
#include "sim_scanout.h"

struct sim {
	struct source base;
	struct sim_options options;
	int64_t epoch_us; /* when its time began */
	int timer;        /* fires when the next frame or mode is due; -1: it does not tell */

	int64_t at_us;        /* the moment that advance() last brought the device to */
	uint64_t wishes;      /* turns up to the last mode that a viewer has set */
	uint64_t turn;        /* how many times the mode had changed then */
	uint64_t hinted_turn; /* and when hint() last spoke */
	struct sim_scanout scanouts[SIM_MAX_CYCLE]; /* only the first, unless `cycle` is set */
	struct sim_scanout *scanout; /* of the primary plane; plane.data NULL while there is none */
	struct damage pending;       /* since the last hint, of scanout's size */
	unsigned int holders;        /* of the primary plane */

	uint32_t cursor[SIM_CURSOR_SIZE * SIM_CURSOR_SIZE];
};

static struct sim *sim_of(struct source *source)
{
	return (struct sim *)source;
}

static int64_t now_us(const struct sim *sim)
{
	int64_t time = g_get_monotonic_time() - sim->epoch_us;

	return time > 0 ? time : 0;
}

static uint64_t frame_at(const struct sim *sim, int64_t time_us)
{
	return sim->options.frame + (uint64_t)time_us * sim->options.fps / G_USEC_PER_SEC;
}

/* How many times the mode has changed. */
static uint64_t turn_at(const struct sim *sim, int64_t time_us)
{
	if (sim->options.mode_count == 1)
		return sim->wishes;
	return (uint64_t)(time_us / sim->options.period_us);
}

static const struct sim_mode *mode_of(const struct sim *sim, uint64_t turn)
{
	return &sim->options.modes[turn % sim->options.mode_count];
}

/* Whether frames differ in anything that a reader sees. */
static bool moves(const struct sim_options *options)
{
	return options->fps && (options->cursor || (options->pattern != PATTERN_STATIC &&
						    options->pattern != PATTERN_OFF));
}

/* The next moment after time_us when something changes, or -1. */
static int64_t next_change(const struct sim *sim, int64_t time_us)
{
	const struct sim_options *options = &sim->options;
	int64_t next = -1;

	if (options->mode_count > 1)
		next = (time_us / options->period_us + 1) * options->period_us;
	if (moves(options) && mode_of(sim, turn_at(sim, time_us))->width) {
		uint64_t frame = frame_at(sim, time_us) + 1;
		int64_t due = (int64_t)((frame * G_USEC_PER_SEC + options->fps - 1) / options->fps);

		if (next < 0 || due < next)
			next = due;
	}
	return next;
}

/* Sets the timer to what comes after at_us; a moment that is past fires at once. */
static void arm(struct sim *sim)
{
	int64_t next = next_change(sim, sim->at_us);
	struct itimerspec when = {0};

	if (sim->timer < 0 || next < 0)
		return;
	next += sim->epoch_us;
	when.it_value.tv_sec = next / G_USEC_PER_SEC;
	when.it_value.tv_nsec = next % G_USEC_PER_SEC * 1000;
	timerfd_settime(sim->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void drop_scanout(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_MAX_CYCLE; i++)
		sim_scanout_finish(&sim->scanouts[i]);
	sim->scanout = &sim->scanouts[0];
	damage_finish(&sim->pending);
}

/* Makes the frame's memory the scanout; with `cycle`, each has its own. */
static int flip(struct sim *sim, const struct sim_mode *mode, uint64_t *frame, GError **error)
{
	struct sim_scanout *scanout = &sim->scanouts[0];

	if (sim->options.cycle) {
		*frame %= sim->options.cycle;
		scanout = &sim->scanouts[*frame];
		if (scanout != sim->scanout)
			damage_add_all(&sim->pending);
	}
	if (!scanout->plane.data) {
		int ret = sim_scanout_init(scanout, &sim->options, mode, error);

		if (ret)
			return ret;
	}
	sim->scanout = scanout;
	return 0;
}

/* Brings the primary plane to a moment. -ENODATA if it is off then. */
static int advance(struct sim *sim, int64_t time_us, GError **error)
{
	uint64_t turn = turn_at(sim, time_us), frame = frame_at(sim, time_us);
	const struct sim_mode *mode = mode_of(sim, turn);
	int ret;

	if (sim->scanout->plane.data && turn != sim->turn)
		drop_scanout(sim);
	sim->turn = turn;
	sim->at_us = time_us;
	if (!mode->width)
		return fail(error, EXIT_FAILED, ENODATA, "the plane is off (no mode is set)");
	if (!sim->pending.width && damage_init(&sim->pending, mode->width, mode->height))
		return fail(error, EXIT_FAILED, ENOMEM, "no memory");
	ret = flip(sim, mode, &frame, error);
	if (ret)
		return ret;
	sim_scanout_draw(sim->scanout, frame, &sim->pending);
	return 0;
}

static int acquire_cursor(struct sim *sim, struct plane *plane, GError **error)
{
	int64_t now = now_us(sim);
	const struct sim_mode *mode = mode_of(sim, turn_at(sim, now));

	if (!sim->options.cursor)
		return fail(error, EXIT_FAILED, ENODATA, "no cursor plane (use cursor=on)");
	if (!mode->width)
		return fail(error, EXIT_FAILED, ENODATA, "the plane is off (no mode is set)");
	*plane = (struct plane){
		.fourcc = DRM_FORMAT_ARGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = SIM_CURSOR_SIZE,
		.height = SIM_CURSOR_SIZE,
		.stride = SIM_CURSOR_SIZE * 4,
		.data = (const uint8_t *)sim->cursor,
		.size = sizeof(sim->cursor),
		.hot_x = SIM_CURSOR_HOT,
		.hot_y = SIM_CURSOR_HOT,
		.generation = 1,
		.contents = 1,
	};
	sim_cursor_place(mode->width, mode->height, sim->options.seed, frame_at(sim, now),
			 &plane->x, &plane->y);
	return 0;
}

static int sim_acquire(struct source *source, enum plane_type type, struct plane *plane,
		       GError **error)
{
	struct sim *sim = sim_of(source);
	int ret;

	if (type == PLANE_CURSOR)
		return acquire_cursor(sim, plane, error);
	/* Who holds the plane reads one frame in peace. */
	if (!sim->holders) {
		ret = advance(sim, now_us(sim), error);
		if (ret)
			return ret;
	}
	sim->holders++;
	*plane = sim->scanout->plane;
	plane->generation = sim->turn + 1;
	return 0;
}

static bool sim_same(struct source *source, enum plane_type type, const struct plane *plane)
{
	struct sim *sim = sim_of(source);
	uint64_t turn = turn_at(sim, now_us(sim));

	if (type == PLANE_CURSOR)
		return mode_of(sim, turn)->width;
	return plane->generation == turn + 1;
}

static void sim_release(struct source *source, struct plane *plane)
{
	struct sim *sim = sim_of(source);

	if (plane->data == sim->scanout->plane.data && sim->holders)
		sim->holders--;
	memset(plane, 0, sizeof(*plane));
}

static int sim_event_fd(struct source *source)
{
	return sim_of(source)->timer;
}

/* Takes what changed out of pending, which is empty and 0x0 while there is no scanout. */
static void tell(struct sim *sim, struct damage *damage)
{
	bool same_size = damage->width == sim->pending.width &&
			 damage->height == sim->pending.height;

	if (sim->turn == sim->hinted_turn && damage_is_empty(&sim->pending))
		return;
	/* Pending is everything after a new mode, too. */
	if (sim->options.damage == SIM_DAMAGE_FLAG || !same_size)
		damage_add_all(damage);
	else
		damage_merge(damage, &sim->pending);
	sim->hinted_turn = sim->turn;
	if (sim->scanout->plane.data)
		damage_clear(&sim->pending);
}

static int sim_hint(struct source *source, struct damage *damage)
{
	struct sim *sim = sim_of(source);
	uint64_t expirations;

	if (sim->options.damage == SIM_DAMAGE_NONE)
		return -ENOTSUP;
	if (!sim->holders)
		advance(sim, now_us(sim), NULL);
	if (sim->timer >= 0 && read(sim->timer, &expirations, sizeof(expirations)) < 0 &&
	    errno != EAGAIN)
		return -errno;
	arm(sim);
	tell(sim, damage);
	return 0;
}

static void sim_rest(struct source *source)
{
	struct sim *sim = sim_of(source);

	if (!sim->holders)
		drop_scanout(sim);
}

/* As a guest that follows at once, and stays with it. */
static int sim_set_mode(struct source *source, uint32_t width, uint32_t height)
{
	const struct itimerspec now = {.it_value.tv_nsec = 1};
	struct sim *sim = sim_of(source);
	uint64_t pixels = (uint64_t)width * height;

	if (!sim->options.edid)
		return -ENOTSUP;
	if (!width || !height || width > PLANE_MAX_DIMENSION || height > PLANE_MAX_DIMENSION ||
	    pixels > SIM_MAX_PIXELS || pixels * sim->options.cycle > SIM_MAX_CYCLE_PIXELS)
		return -ERANGE;
	sim->wishes = turn_at(sim, now_us(sim)) + 1;
	sim->options.modes[0] = (struct sim_mode){width, height};
	sim->options.mode_count = 1;
	if (sim->timer >= 0)
		timerfd_settime(sim->timer, 0, &now, NULL);
	return 0;
}

static void sim_describe(struct source *source, JsonBuilder *json)
{
	static const char *const words[] = {
		[SIM_DAMAGE_FLAG] = "flag",
		[SIM_DAMAGE_RECTS] = "rectangles",
		[SIM_DAMAGE_NONE] = "compare",
	};

	member_string(json, "damage", words[sim_of(source)->options.damage]);
}

static void sim_close(struct source *source)
{
	struct sim *sim = sim_of(source);

	drop_scanout(sim);
	if (sim->timer >= 0)
		close(sim->timer);
	free(sim);
}

static const struct source_ops sim_ops = {
	.name = "sim",
	.acquire = sim_acquire,
	.same = sim_same,
	.release = sim_release,
	.event_fd = sim_event_fd,
	.hint = sim_hint,
	.rest = sim_rest,
	.set_mode = sim_set_mode,
	.describe = sim_describe,
	.close = sim_close,
};

static int make_timer(struct sim *sim, GError **error)
{
	if (sim->options.damage == SIM_DAMAGE_NONE)
		return 0;
	sim->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (sim->timer < 0)
		return fail(error, EXIT_FAILED, errno, "no timer: %s", g_strerror(errno));
	arm(sim);
	return 0;
}

int source_sim_open(const char *options, struct source **source, GError **error)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	int ret;

	if (!sim)
		return fail(error, EXIT_FAILED, ENOMEM, "no memory");
	sim->base.ops = &sim_ops;
	sim->scanout = &sim->scanouts[0];
	sim->timer = -1;
	sim->hinted_turn = UINT64_MAX;
	ret = sim_options_parse(options, &sim->options, error);
	if (!ret) {
		sim->epoch_us = sim->options.epoch_us < 0 ? g_get_monotonic_time()
							  : sim->options.epoch_us;
		ret = make_timer(sim, error);
	}
	if (ret) {
		sim_close(&sim->base);
		return ret;
	}
	sim_cursor_draw(sim->cursor);
	*source = &sim->base;
	return 0;
}
