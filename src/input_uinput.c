/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input_uinput.h"

#include <glib-unix.h>
#include <linux/input.h>

#include "uinput.h"

#define WHEEL_STEPS 8      /* of one event; more are somebody's flood */
#define DISTANCE    65536  /* pixels at once, at most */
#define ASK_AGAIN   100000 /* microseconds, whether a device has been taken meanwhile */

/* A device and what is down on it. */
struct end {
	struct uinput *device;
	uint8_t down[(KEY_CNT + 7) / 8];
	bool taken;
	gint64 asked_us;
};

struct input_uinput {
	struct input_sink sink; /* first: ops get it */
	bool relative;
	GSource *late; /* of the main context, woken by its ready time for a position that waits */
	GSource *lights;   /* likewise, by the keyboard's descriptor */
	unsigned int leds; /* of the main context */

	GMutex lock; /* of all below */
	struct end keyboard, pointer;
	bool moved; /* these wait: */
	uint16_t x, y;
	int32_t dx, dy;
	gint64 told_us; /* when the last position went out */
};

static void add(struct input_event *events, size_t *count, uint16_t type, uint16_t code,
		int32_t value)
{
	events[(*count)++] = (struct input_event){.type = type, .code = code, .value = value};
}

static void put(struct end *end, struct input_event *events, size_t count)
{
	add(events, &count, EV_SYN, SYN_REPORT, 0);
	uinput_write(end->device, events, count);
}

/* Who has it keeps it for long; who has not is asked now and then. */
static bool is_taken(struct end *end)
{
	gint64 now = g_get_monotonic_time();

	if (end->taken || !end->asked_us || now - end->asked_us >= ASK_AGAIN) {
		end->taken = uinput_taken(end->device);
		end->asked_us = now;
	}
	return end->taken;
}

static void press(struct end *end, uint16_t code, bool down)
{
	uint8_t bit = (uint8_t)(1 << code % 8), *held = &end->down[code / 8];
	struct input_event events[2];
	size_t count = 0;

	if (down ? !is_taken(end) : !(*held & bit))
		return;
	/* 2 is a repeat. */
	add(events, &count, EV_KEY, code, !down ? 0 : *held & bit ? 2 : 1);
	*held = (uint8_t)(down ? *held | bit : *held & ~bit);
	put(end, events, count);
}

static void tell_position(struct input_uinput *to)
{
	struct input_event events[3];
	size_t count = 0;

	if (!to->moved)
		return;
	to->moved = false;
	to->told_us = g_get_monotonic_time();
	if (!to->relative) {
		add(events, &count, EV_ABS, ABS_X, to->x);
		add(events, &count, EV_ABS, ABS_Y, to->y);
	} else {
		add(events, &count, EV_REL, REL_X, to->dx);
		add(events, &count, EV_REL, REL_Y, to->dy);
	}
	to->dx = to->dy = 0;
	if (is_taken(&to->pointer))
		put(&to->pointer, events, count);
}

static void go(struct input_uinput *to, int32_t dx, int32_t dy)
{
	to->dx = (int32_t)CLAMP((gint64)to->dx + dx, -DISTANCE, DISTANCE);
	to->dy = (int32_t)CLAMP((gint64)to->dy + dy, -DISTANCE, DISTANCE);
	to->moved = true;
}

static struct input_uinput *lock(struct input_sink *sink)
{
	struct input_uinput *to = (struct input_uinput *)sink;

	g_mutex_lock(&to->lock);
	return to;
}

static void uinput_key(struct input_sink *sink, uint16_t code, bool down)
{
	struct input_uinput *to = lock(sink);

	if (code < BTN_MISC)
		press(&to->keyboard, code, down);
	g_mutex_unlock(&to->lock);
}

static void uinput_position(struct input_sink *sink, uint16_t x, uint16_t y, int32_t dx, int32_t dy)
{
	struct input_uinput *to = lock(sink);

	to->x = x;
	to->y = y;
	go(to, dx, dy);
	g_mutex_unlock(&to->lock);
}

static void uinput_motion(struct input_sink *sink, int32_t dx, int32_t dy)
{
	struct input_uinput *to = lock(sink);

	if (to->relative)
		go(to, dx, dy);
	g_mutex_unlock(&to->lock);
}

static uint16_t button_code(enum input_button button)
{
	switch (button) {
	case INPUT_LEFT:
		return BTN_LEFT;
	case INPUT_MIDDLE:
		return BTN_MIDDLE;
	case INPUT_RIGHT:
		return BTN_RIGHT;
	case INPUT_SIDE:
		return BTN_SIDE;
	default:
		return BTN_EXTRA;
	}
}

static void uinput_button(struct input_sink *sink, enum input_button button, bool down)
{
	struct input_uinput *to = lock(sink);

	tell_position(to);
	press(&to->pointer, button_code(button), down);
	g_mutex_unlock(&to->lock);
}

/* At most WHEEL_STEPS, a step each: QEMU's input-linux takes any number of them for one. */
static void roll(struct input_uinput *to, uint16_t axis, int32_t steps)
{
	struct input_event events[2 * WHEEL_STEPS];
	size_t count = 0;

	for (int32_t i = 0; i < ABS(steps); i++) {
		add(events, &count, EV_REL, axis, steps > 0 ? 1 : -1);
		add(events, &count, EV_SYN, SYN_REPORT, 0);
	}
	if (count && is_taken(&to->pointer))
		uinput_write(to->pointer.device, events, count);
}

static void uinput_wheel(struct input_sink *sink, int32_t dx, int32_t dy)
{
	struct input_uinput *to = lock(sink);

	tell_position(to);
	/* The kernel's wheel goes up. */
	roll(to, REL_WHEEL, -CLAMP(dy, -WHEEL_STEPS, WHEEL_STEPS));
	roll(to, REL_HWHEEL, CLAMP(dx, -WHEEL_STEPS, WHEEL_STEPS));
	g_mutex_unlock(&to->lock);
}

static void uinput_sync(struct input_sink *sink)
{
	struct input_uinput *to = lock(sink);
	gint64 due = to->told_us + INPUT_UINPUT_PAUSE;

	if (g_get_monotonic_time() >= due)
		tell_position(to);
	else if (to->moved)
		g_source_set_ready_time(to->late, due);
	g_mutex_unlock(&to->lock);
}

static gboolean on_late(gpointer data)
{
	struct input_uinput *to = lock(data);

	g_source_set_ready_time(to->late, -1);
	tell_position(to);
	g_mutex_unlock(&to->lock);
	return G_SOURCE_CONTINUE;
}

static unsigned int led_of(uint16_t code)
{
	switch (code) {
	case LED_NUML:
		return INPUT_NUM_LOCK;
	case LED_CAPSL:
		return INPUT_CAPS_LOCK;
	case LED_SCROLLL:
		return INPUT_SCROLL_LOCK;
	default:
		return 0;
	}
}

/* While nobody has the keyboard, its lights are the host's own. */
static gboolean on_lights(gint fd, GIOCondition condition, gpointer data)
{
	struct input_uinput *to = data;
	struct input_event event;
	bool taken, any = false;

	(void)fd;
	(void)condition;
	while (uinput_read(to->keyboard.device, &event)) {
		unsigned int led = event.type == EV_LED ? led_of(event.code) : 0;

		to->leds = event.value ? to->leds | led : to->leds & ~led;
		any |= led != 0;
	}
	/* Two that ask at once would find each other. */
	g_mutex_lock(&to->lock);
	taken = any && uinput_taken(to->keyboard.device);
	g_mutex_unlock(&to->lock);
	if (taken)
		input_set_leds(to->sink.input, to->leds);
	return G_SOURCE_CONTINUE;
}

static void end_source(GSource *source)
{
	if (!source)
		return;
	g_source_destroy(source);
	g_source_unref(source);
}

static void uinput_close(struct input_sink *sink)
{
	struct input_uinput *to = (struct input_uinput *)sink;

	end_source(to->late);
	end_source(to->lights);
	uinput_destroy(to->keyboard.device);
	uinput_destroy(to->pointer.device);
	g_mutex_clear(&to->lock);
	g_free(to);
}

static const struct input_sink_ops uinput_ops = {
	.name = "uinput",
	.key = uinput_key,
	.position = uinput_position,
	.motion = uinput_motion,
	.button = uinput_button,
	.wheel = uinput_wheel,
	.sync = uinput_sync,
	.close = uinput_close,
};

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	(void)source;
	return callback(data);
}

static GSourceFuncs late_funcs = {.dispatch = dispatch};

static void attach(struct input_uinput *to)
{
	to->late = g_source_new(&late_funcs, sizeof(GSource));
	g_source_set_callback(to->late, on_late, to, NULL);
	g_source_attach(to->late, NULL);
	to->lights = g_unix_fd_source_new(uinput_descriptor(to->keyboard.device), G_IO_IN);
	g_source_set_callback(to->lights, (GSourceFunc)(void (*)(void))on_lights, to, NULL);
	g_source_attach(to->lights, NULL);
}

int input_uinput_create(const char *name, bool relative, struct input_sink **sink, GError **error)
{
	struct input_uinput *to = g_new0(struct input_uinput, 1);
	int ret;

	to->sink.ops = &uinput_ops;
	to->relative = relative;
	g_mutex_init(&to->lock);
	ret = uinput_create(UINPUT_KEYBOARD, name, &to->keyboard.device, error);
	if (!ret)
		ret = uinput_create(relative ? UINPUT_MOUSE : UINPUT_TABLET, name,
				    &to->pointer.device, error);
	if (ret) {
		uinput_close(&to->sink);
		return ret;
	}
	attach(to);
	*sink = &to->sink;
	return 0;
}

const char *input_uinput_keyboard(const struct input_sink *sink)
{
	return uinput_node(((const struct input_uinput *)sink)->keyboard.device);
}

const char *input_uinput_pointer(const struct input_sink *sink)
{
	return uinput_node(((const struct input_uinput *)sink)->pointer.device);
}
