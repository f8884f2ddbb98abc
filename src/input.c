/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "scancode.h"

struct watcher {
	void (*changed)(unsigned int leds, void *data);
	void *data;
};

struct input {
	GMutex lock; /* of all below but what is set once */
	struct input_sink *sink;
	uint16_t (*code_of)(uint32_t keysym, void *data);
	void *code_data;
	void (*active)(void *data);
	void *active_data;
	uint16_t keys[KEY_CNT];          /* how many seats hold it */
	uint16_t buttons[INPUT_BUTTONS]; /* likewise */
	uint32_t pixel_x, pixel_y;       /* the last position, in a picture of */
	uint32_t width, height;          /* this size, */
	bool placed;                     /* if there was one */
	unsigned int leds;
	GRecMutex watch_lock; /* held while watchers are called */
	GArray *watchers;
};

struct input_seat {
	struct input *input;
	uint8_t keys[(KEY_CNT + 7) / 8]; /* that it holds */
	unsigned int buttons;
	GHashTable *keysyms; /* held: keysym -> the code that it went down as */
};

struct input *input_create(struct input_sink *sink,
			   uint16_t (*code_of)(uint32_t keysym, void *data), void *data)
{
	struct input *input = g_new0(struct input, 1);

	g_mutex_init(&input->lock);
	g_rec_mutex_init(&input->watch_lock);
	input->watchers = g_array_new(FALSE, FALSE, sizeof(struct watcher));
	input->sink = sink;
	input->code_of = code_of;
	input->code_data = data;
	sink->input = input;
	return input;
}

void input_destroy(struct input *input)
{
	if (!input)
		return;
	input->sink->ops->close(input->sink);
	g_array_unref(input->watchers);
	g_rec_mutex_clear(&input->watch_lock);
	g_mutex_clear(&input->lock);
	g_free(input);
}

void input_on_activity(struct input *input, void (*active)(void *data), void *data)
{
	input->active = active;
	input->active_data = data;
}

/* Lights. */

unsigned int input_leds(struct input *input)
{
	unsigned int leds;

	g_mutex_lock(&input->lock);
	leds = input->leds;
	g_mutex_unlock(&input->lock);
	return leds;
}

void input_set_leds(struct input *input, unsigned int leds)
{
	bool changed;

	g_rec_mutex_lock(&input->watch_lock);
	g_mutex_lock(&input->lock);
	changed = input->leds != leds;
	input->leds = leds;
	g_mutex_unlock(&input->lock);
	for (guint i = 0; changed && i < input->watchers->len; i++) {
		struct watcher watcher = g_array_index(input->watchers, struct watcher, i);

		watcher.changed(leds, watcher.data);
	}
	g_rec_mutex_unlock(&input->watch_lock);
}

void input_watch_leds(struct input *input, void (*changed)(unsigned int leds, void *data),
		      void *data)
{
	struct watcher watcher = {changed, data};

	g_rec_mutex_lock(&input->watch_lock);
	g_array_append_val(input->watchers, watcher);
	g_rec_mutex_unlock(&input->watch_lock);
}

void input_unwatch_leds(struct input *input, void *data)
{
	g_rec_mutex_lock(&input->watch_lock);
	for (guint i = input->watchers->len; i > 0; i--)
		if (g_array_index(input->watchers, struct watcher, i - 1).data == data)
			g_array_remove_index(input->watchers, i - 1);
	g_rec_mutex_unlock(&input->watch_lock);
}

/* Seats. */

struct input_seat *input_seat_create(struct input *input)
{
	struct input_seat *seat;

	if (!input)
		return NULL;
	seat = g_new0(struct input_seat, 1);
	seat->input = input;
	seat->keysyms = g_hash_table_new(NULL, NULL);
	return seat;
}

void input_seat_destroy(struct input_seat *seat)
{
	if (!seat)
		return;
	input_seat_release(seat);
	g_hash_table_unref(seat->keysyms);
	g_free(seat);
}

/* The end of each call: what it did is one event of the guest's, and somebody is at work. */
static void finish(struct input *input, bool any)
{
	if (any)
		input->sink->ops->sync(input->sink);
	g_mutex_unlock(&input->lock);
	if (any && input->active)
		input->active(input->active_data);
}

/* With the lock. True if the guest was told anything. */
static bool set_key(struct input_seat *seat, uint16_t code, bool down)
{
	struct input *input = seat->input;
	uint8_t bit = (uint8_t)(1 << code % 8), *held;
	bool was;

	if (!code || code > KEY_MAX)
		return false;
	held = &seat->keys[code / 8];
	was = *held & bit;
	if (!down && !was)
		return false;
	if (down != was) {
		*held ^= bit;
		input->keys[code] = (uint16_t)(input->keys[code] + (down ? 1 : -1));
		/* Another seat holds it still. */
		if (!down && input->keys[code])
			return false;
	}
	input->sink->ops->key(input->sink, code, down);
	return true;
}

static bool set_buttons(struct input_seat *seat, unsigned int buttons)
{
	struct input *input = seat->input;
	unsigned int changed = (seat->buttons ^ buttons) & ((1u << INPUT_BUTTONS) - 1);
	bool any = false;

	seat->buttons ^= changed;
	for (unsigned int i = 0; i < INPUT_BUTTONS; i++) {
		bool down = buttons & 1u << i;

		if (!(changed & 1u << i))
			continue;
		input->buttons[i] = (uint16_t)(input->buttons[i] + (down ? 1 : -1));
		if (input->buttons[i] != (down ? 1 : 0))
			continue;
		input->sink->ops->button(input->sink, (enum input_button)(1 << i), down);
		any = true;
	}
	return any;
}

void input_seat_key(struct input_seat *seat, uint16_t code, bool down)
{
	if (!seat)
		return;
	g_mutex_lock(&seat->input->lock);
	finish(seat->input, set_key(seat, code, down));
}

/* A keysym is released as the key that it went down as, whatever the map says by then. */
void input_seat_keysym(struct input_seat *seat, uint32_t keysym, bool down)
{
	gpointer key = GUINT_TO_POINTER(keysym);
	struct input *input;
	uint16_t code;

	if (!seat)
		return;
	input = seat->input;
	g_mutex_lock(&input->lock);
	code = (uint16_t)GPOINTER_TO_UINT(g_hash_table_lookup(seat->keysyms, key));
	if (!code && down)
		code = input->code_of(keysym, input->code_data);
	if (down && code)
		g_hash_table_insert(seat->keysyms, key, GUINT_TO_POINTER((guint)code));
	else
		g_hash_table_remove(seat->keysyms, key);
	finish(input, set_key(seat, code, down));
}

void input_seat_scancode(struct input_seat *seat, uint32_t scancode, bool down)
{
	input_seat_key(seat, scancode_to_key(scancode), down);
}

static uint16_t scale(uint32_t at, uint32_t size)
{
	if (size < 2)
		return 0;
	return (uint16_t)(((uint64_t)at * INPUT_POSITION_MAX + (size - 1) / 2) / (size - 1));
}

/* With the lock. True if that is news. */
static bool place(struct input *input, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	bool same_size = input->placed && input->width == width && input->height == height;

	if (same_size && input->pixel_x == x && input->pixel_y == y)
		return false;
	input->sink->ops->position(input->sink, scale(x, width), scale(y, height),
				   same_size ? (int32_t)(x - input->pixel_x) : 0,
				   same_size ? (int32_t)(y - input->pixel_y) : 0);
	input->placed = true;
	input->pixel_x = x;
	input->pixel_y = y;
	input->width = width;
	input->height = height;
	return true;
}

void input_seat_pointer(struct input_seat *seat, uint32_t x, uint32_t y, uint32_t width,
			uint32_t height, unsigned int buttons)
{
	struct input *input;
	bool any;

	if (!seat || !width || !height)
		return;
	input = seat->input;
	g_mutex_lock(&input->lock);
	any = place(input, MIN(x, width - 1), MIN(y, height - 1), width, height);
	any |= set_buttons(seat, buttons);
	finish(input, any);
}

void input_seat_motion(struct input_seat *seat, int32_t dx, int32_t dy, unsigned int buttons)
{
	struct input *input;
	bool any = false;

	if (!seat)
		return;
	input = seat->input;
	g_mutex_lock(&input->lock);
	if (dx || dy) {
		input->sink->ops->motion(input->sink, dx, dy);
		/* Where that leads to, the guest alone knows. */
		input->placed = false;
		any = true;
	}
	any |= set_buttons(seat, buttons);
	finish(input, any);
}

void input_seat_wheel(struct input_seat *seat, int32_t dx, int32_t dy)
{
	if (!seat)
		return;
	g_mutex_lock(&seat->input->lock);
	if (dx || dy)
		seat->input->sink->ops->wheel(seat->input->sink, dx, dy);
	finish(seat->input, dx || dy);
}

void input_seat_release(struct input_seat *seat)
{
	bool any = false;

	if (!seat)
		return;
	g_mutex_lock(&seat->input->lock);
	for (unsigned int code = 1; code <= KEY_MAX; code++)
		if (seat->keys[code / 8] & 1 << code % 8)
			any |= set_key(seat, (uint16_t)code, false);
	any |= set_buttons(seat, 0);
	g_hash_table_remove_all(seat->keysyms);
	finish(seat->input, any);
}
