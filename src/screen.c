/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "screen_own.h"

/* The size of a display that never showed anything: what firmware comes up with. */
#define FIRST_WIDTH  1024u
#define FIRST_HEIGHT 768u

/* Viewers wait for a finished look: a plane that cannot be read for so long is none. */
#define RETRYING_US G_USEC_PER_SEC

struct loop_source {
	GSource base;
	struct screen *screen;
};

static void tell_captured(struct screen *screen)
{
	struct sink *sink;

	for_each_sink(screen, sink) sink->ops->captured(sink);
}

static void tell_damage(struct screen *screen)
{
	struct moves moves = {.since = screen->told};
	struct sink *sink;

	screen->told = frame_touched(screen->frame);
	if (damage_is_empty(&screen->changed))
		return;
	if (screen->motion)
		motion_find(screen->motion, screen->frame, &screen->changed, &moves);
	for_each_sink(screen, sink) sink->ops->wake(sink, &screen->changed, &moves);
	if (screen->motion)
		motion_keep(screen->motion, screen->frame, &screen->changed);
	damage_clear(&screen->changed);
}

static void tell_pointer(struct screen *screen)
{
	const struct pointer_watch *pointer = &screen->pointer;
	struct sink *sink;

	for_each_sink(screen, sink)
		sink->ops->pointer(sink, pointer->shape, pointer->x, pointer->y);
}

/* Makes a frame of a size and the damage maps that go with it the screen's own. */
static int adopt_frame(struct screen *screen, struct frame *frame)
{
	struct damage changed, hinted = {0};

	if (damage_init(&changed, frame->width, frame->height) ||
	    damage_init(&hinted, frame->width, frame->height)) {
		damage_finish(&changed);
		damage_finish(&hinted);
		return -ENOMEM;
	}
	damage_finish(&screen->changed);
	damage_finish(&screen->hinted);
	screen->changed = changed;
	screen->hinted = hinted;
	frame_release(screen->frame);
	screen->frame = frame_acquire(frame);
	screen->told = frame_touched(frame);
	return 0;
}

static void tell_resize(struct screen *screen)
{
	struct sink *sink;

	screen->counters.resizes++;
	for_each_sink(screen, sink)
	{
		int ret = sink->ops->resize(sink, screen->frame);

		if (ret)
			log_warning("%s: no new frame: %s", sink->ops->name, g_strerror(-ret));
	}
}

/* Shows why there is no picture, at the size of the last one. */
static void show_card(struct screen *screen, const char *reason)
{
	bool known = !screen->has_signal && !g_strcmp0(screen->reason, reason);

	if (known && !screen->blank)
		return;
	if (!known) {
		log_info("no signal: %s", reason);
		g_free(screen->reason);
		screen->reason = g_strdup(reason);
	}
	screen->has_signal = screen->blank = false;
	frame_touch(screen->frame);
	card_draw(screen->frame, reason);
	damage_add_all(&screen->changed);
	tell_damage(screen);
	if (pointer_watch_hide(&screen->pointer))
		tell_pointer(screen);
}

static void log_mode(struct screen *screen, const struct plane *plane)
{
	enum detile_layout layout = DETILE_LINEAR;
	unsigned int missed;
	char name[5];

	if (!log_limit_pass(&screen->mode_limit, 5, 10 * G_TIME_SPAN_SECOND, &missed))
		return;
	plane_layout(plane->modifier, &layout);
	plane_fourcc_name(plane->fourcc, name);
	log_info("mode %ux%u %s %s%s", plane->width, plane->height, name, plane_layout_name(layout),
		 missed ? " (and others, too many to list)" : "");
}

static int read_plane(struct screen *screen, const struct plane *plane, const struct damage *limit,
		      struct frame *frame, struct damage *changed)
{
	int64_t begun = g_get_monotonic_time();
	size_t before = damage_count(changed);
	int ret;

	screen->counters.passes++;
	frame_touch(frame);
	ret = capture_pass(screen->capture, plane, limit, frame, changed);
	histogram_add(&screen->reading, g_get_monotonic_time() - begun);
	screen->counters.cells += damage_count(changed) - before;
	return ret;
}

/* Reads a plane of another size into a frame of its own; the sinks see it only when complete. */
static int pass_new_frame(struct screen *screen, const struct plane *plane)
{
	struct frame *frame = frame_create(plane->width, plane->height);
	struct damage changed;
	int ret;

	if (!frame)
		return -ENOMEM;
	ret = damage_init(&changed, plane->width, plane->height);
	if (!ret)
		ret = read_plane(screen, plane, NULL, frame, &changed);
	if (!ret && !screen->source->ops->same(screen->source, PLANE_PRIMARY, plane))
		ret = -EAGAIN;
	if (!ret)
		ret = adopt_frame(screen, frame);
	if (!ret)
		tell_resize(screen);
	damage_finish(&changed);
	frame_release(frame);
	return ret;
}

/* 0: not one of the few rows that were looked at differs; -EAGAIN: a pass has to tell. */
static int probe_plane(struct screen *screen, const struct plane *plane)
{
	int64_t begun = g_get_monotonic_time();
	bool differs = true;
	int ret = capture_probe(screen->capture, plane, screen->frame,
				(uint32_t)screen->counters.probes, &differs);

	if (ret == -ENOTSUP)
		return -EAGAIN;
	screen->counters.probes++;
	histogram_add(&screen->probing, g_get_monotonic_time() - begun);
	return !ret && differs ? -EAGAIN : ret;
}

/* Reads what may have changed of a plane of the frame's size. */
static int pass_same_frame(struct screen *screen, const struct plane *plane)
{
	bool whole = screen->blank || !screen->has_signal || !plane_is_same(&screen->shown, plane);
	int ret = screen->source->ops->hint(screen->source, &screen->hinted);

	if (ret == -ENOTSUP && !whole && pacer_is_sparse(&screen->pacer)) {
		ret = probe_plane(screen, plane);
		if (ret != -EAGAIN)
			return ret;
		whole = true;
	} else if (ret == -ENOTSUP) {
		whole = true;
	}
	if (!whole && damage_is_empty(&screen->hinted))
		return 0;
	ret = read_plane(screen, plane, whole ? NULL : &screen->hinted, screen->frame,
			 &screen->changed);
	if (!ret && !screen->source->ops->same(screen->source, PLANE_PRIMARY, plane))
		ret = -EAGAIN;
	if (ret)
		return ret;
	damage_clear(&screen->hinted);
	/* What is black in the plane did not differ, and viewers may show anything. */
	if (screen->blank)
		damage_add_all(&screen->changed);
	return 0;
}

/* Brings the acquired plane to the sinks; *changed says whether that was anything new. */
static int show_plane(struct screen *screen, const struct plane *plane, bool *changed)
{
	bool resize = plane->width != screen->frame->width ||
		      plane->height != screen->frame->height;
	bool new_mode = resize || !screen->has_signal || !plane_is_same(&screen->shown, plane);
	int ret;

	if (resize)
		ret = pass_new_frame(screen, plane);
	else
		ret = pass_same_frame(screen, plane);
	if (ret)
		return ret;
	if (new_mode &&
	    (resize || !screen->has_signal || screen->shown.modifier != plane->modifier ||
	     screen->shown.fourcc != plane->fourcc))
		log_mode(screen, plane);
	screen->has_signal = true;
	screen->blank = false;
	screen->shown = *plane;
	*changed = resize || !damage_is_empty(&screen->changed);
	tell_damage(screen);
	return 0;
}

/* Whether a pass that was thrown away is made again at once. */
static bool retry(struct screen *screen, int ret, int64_t now)
{
	if (ret != -EAGAIN) {
		screen->retrying_us = 0;
		return false;
	}
	screen->counters.retries++;
	if (!screen->retrying_us)
		screen->retrying_us = now;
	return now - screen->retrying_us < RETRYING_US;
}

static void look(struct screen *screen, int64_t now)
{
	const struct source_ops *ops = screen->source->ops;
	GError *error = NULL;
	struct plane plane = {0};
	bool changed = false;
	int ret;

	screen->counters.looks++;
	meter_add(&screen->looks, now);
	frame_wake(screen->frame);
	ret = ops->acquire(screen->source, PLANE_PRIMARY, &plane, &error);
	histogram_add(&screen->acquiring, g_get_monotonic_time() - now);
	if (!ret) {
		plane.palette = screen->source->palette;
		ret = plane_validate(&plane, &error);
		if (!ret)
			ret = show_plane(screen, &plane, &changed);
		ops->release(screen->source, &plane);
	}
	screen->counters.bytes_read = capture_bytes_read(screen->capture);
	if (retry(screen, ret, now)) {
		pacer_retry(&screen->pacer, now);
	} else {
		if (!ret && pointer_watch_look(&screen->pointer, screen->source)) {
			tell_pointer(screen);
			changed = true;
		}
		if (ret)
			show_card(screen, error ? error->message : capture_strerror(ret));
		if (changed)
			meter_add(&screen->changes, now);
		pacer_looked(&screen->pacer, now, changed);
		tell_captured(screen);
	}
	g_clear_error(&error);
}

/* What a viewer wishes, as sink_ops' answer() tells it. */
static int grant(struct screen *screen, uint32_t width, uint32_t height)
{
	int ret;

	if (screen->has_signal && width == screen->frame->width && height == screen->frame->height)
		return 0;
	ret = screen->source->ops->set_mode(screen->source, width, height);
	if (ret == -ENOTSUP && screen->resize)
		ret = screen->resize(width, height, screen->resize_data);
	if (ret)
		return ret;
	pacer_urge(&screen->pacer);
	return -EINPROGRESS;
}

static void want_moves(struct screen *screen, bool wanted)
{
	if (wanted == !!screen->motion)
		return;
	motion_destroy(screen->motion);
	screen->motion = wanted ? motion_create() : NULL;
}

static void ask_demand(struct screen *screen)
{
	unsigned int clients = 0, waiting = 0, fresh = 0;
	bool moves = false;
	struct sink *sink;

	for_each_sink(screen, sink)
	{
		struct sink_demand demand = {0};

		sink->ops->demand(sink, &demand);
		clients += demand.clients;
		waiting += demand.waiting;
		fresh += demand.fresh;
		moves |= demand.moves;
		if (demand.wish_width)
			sink->ops->answer(sink,
					  grant(screen, demand.wish_width, demand.wish_height));
	}
	want_moves(screen, moves);
	pacer_demand(&screen->pacer, clients, waiting);
	if (fresh)
		pacer_urge(&screen->pacer);
}

/* The source's descriptor may be another one after each look: watch the one that it has now. */
static void watch_event(struct screen *screen)
{
	int fd = screen->state == PACER_ASLEEP ? -1 : screen->source->ops->event_fd(screen->source);
	bool arm;

	if (fd != screen->event_fd) {
		if (screen->event_tag)
			g_source_remove_unix_fd(screen->loop, screen->event_tag);
		screen->event_tag = fd < 0 ? NULL : g_source_add_unix_fd(screen->loop, fd, 0);
		screen->event_fd = fd;
		screen->event_armed = false;
	}
	screen->pacer.has_events = fd >= 0;
	arm = pacer_wants_event(&screen->pacer);
	if (screen->event_tag && arm != screen->event_armed) {
		g_source_modify_unix_fd(screen->loop, screen->event_tag, arm ? G_IO_IN : 0);
		screen->event_armed = arm;
	}
}

/* Nobody watches: neither the device nor the picture has to be kept. */
static void fall_asleep(struct screen *screen)
{
	screen->source->ops->rest(screen->source);
	frame_rest(screen->frame);
	screen->blank = true;
}

static void turn(struct screen *screen)
{
	int64_t now = g_get_monotonic_time(), next;
	enum pacer_state state;

	if (screen->event_armed &&
	    g_source_query_unix_fd(screen->loop, screen->event_tag) & (G_IO_IN | G_IO_ERR))
		pacer_event(&screen->pacer);
	/* Before demand is asked: a poke that comes after this is a turn of its own. */
	g_atomic_int_set(&screen->poked, 0);
	g_source_set_ready_time(screen->loop, -1);
	if (g_atomic_int_compare_and_exchange(&screen->urged, 1, 0))
		pacer_input(&screen->pacer);
	ask_demand(screen);
	if (pacer_next(&screen->pacer, now) <= now)
		look(screen, now);
	state = pacer_state(&screen->pacer);
	if (state != screen->state) {
		log_debug("screen: %s", pacer_state_name(state));
		if (state == PACER_ASLEEP)
			fall_asleep(screen);
		screen->state = state;
	}
	watch_event(screen);
	next = pacer_next(&screen->pacer, now);
	if (next != PACER_NEVER)
		g_source_set_ready_time(screen->loop, next);
	if (g_atomic_int_get(&screen->poked))
		g_source_set_ready_time(screen->loop, 0);
}

static gboolean loop_dispatch(GSource *base, GSourceFunc callback, gpointer data)
{
	(void)callback;
	(void)data;
	turn(((struct loop_source *)base)->screen);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs loop_funcs = {.dispatch = loop_dispatch};

/* From any thread. */
static void on_poke(void *data)
{
	struct screen *screen = data;

	g_atomic_int_set(&screen->poked, 1);
	g_source_set_ready_time(screen->loop, 0);
}

void screen_urge(struct screen *screen)
{
	if (g_atomic_int_compare_and_exchange(&screen->urged, 0, 1))
		on_poke(screen);
}

static void on_source_changed(void *data)
{
	struct screen *screen = data;

	pacer_urge(&screen->pacer);
	g_source_set_ready_time(screen->loop, 0);
}

/* The size of the plane as it is now, without reading a pixel. */
static void first_size(struct screen *screen, uint32_t *width, uint32_t *height)
{
	struct plane plane = {0};
	GError *error = NULL;

	if (!screen->source->ops->acquire(screen->source, PLANE_PRIMARY, &plane, &error)) {
		if (!plane_validate(&plane, &error)) {
			*width = plane.width;
			*height = plane.height;
		}
		screen->source->ops->release(screen->source, &plane);
	}
	screen->reason = g_strdup(error ? error->message : "waiting for the first picture");
	g_clear_error(&error);
	screen->source->ops->rest(screen->source);
}

int screen_create(struct source *source, const struct screen_options *options, struct screen **out)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	uint32_t width = FIRST_WIDTH, height = FIRST_HEIGHT;
	struct frame *frame;
	int ret = -ENOMEM;

	if (!screen)
		return -ENOMEM;
	screen->sinks = g_ptr_array_new();
	screen->event_fd = -1;
	pacer_init(&screen->pacer, options->max_fps, false);
	if (capture_create(&screen->capture))
		goto fail;
	screen->source = source;
	first_size(screen, &width, &height);
	screen->blank = true;
	frame = frame_create(width, height);
	if (!frame)
		goto fail;
	ret = adopt_frame(screen, frame);
	frame_release(frame);
	if (ret)
		goto fail;
	frame_rest(screen->frame);
	screen->loop = g_source_new(&loop_funcs, sizeof(struct loop_source));
	((struct loop_source *)screen->loop)->screen = screen;
	g_source_set_name(screen->loop, "screen");
	g_source_attach(screen->loop, NULL);
	source->changed = on_source_changed;
	source->changed_data = screen;
	*out = screen;
	return 0;
fail:
	screen->source = NULL; /* still the caller's */
	screen_destroy(screen);
	return ret;
}

void screen_destroy(struct screen *screen)
{
	struct sink *sink;

	if (!screen)
		return;
	for_each_sink(screen, sink) sink->ops->close(sink);
	g_ptr_array_free(screen->sinks, TRUE);
	if (screen->loop) {
		g_source_destroy(screen->loop);
		g_source_unref(screen->loop);
	}
	if (screen->source)
		screen->source->ops->close(screen->source);
	capture_destroy(screen->capture);
	motion_destroy(screen->motion);
	pointer_watch_finish(&screen->pointer);
	damage_finish(&screen->changed);
	damage_finish(&screen->hinted);
	frame_release(screen->frame);
	g_free(screen->reason);
	free(screen);
}

struct frame *screen_frame(struct screen *screen)
{
	return screen->frame;
}

void screen_set_resizer(struct screen *screen,
			int (*resize)(uint32_t width, uint32_t height, void *data), void *data)
{
	screen->resize = resize;
	screen->resize_data = data;
}

void screen_add_sink(struct screen *screen, struct sink *sink)
{
	g_ptr_array_add(screen->sinks, sink);
	sink->poke_data = screen;
	sink->poke = on_poke;
	sink->ops->pointer(sink, screen->pointer.shape, screen->pointer.x, screen->pointer.y);
	sink_poke(sink);
}
