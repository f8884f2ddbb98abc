/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: what viewers type and point at, on its way to the guest.
 *
 * Any number of viewers, each with a *seat* that remembers what it holds down, share one *hub*;
 * the hub gives what comes out of them, in order, to one *sink* (QEMU's monitor, uinput). A key is
 * down for the guest while any seat holds it, and is released when the last one lets go or leaves.
 *
 * Every call is allowed from any thread and never blocks on a guest or a viewer. Functions of a
 * seat take NULL (a view-only viewer): nothing happens.
 *
 * Keys are Linux's codes (KEY_*, include/uapi/linux/input-event-codes.h), which name places on a
 * keyboard and know of no layout.
 */
#ifndef PLANECAST_INPUT_H
#define PLANECAST_INPUT_H

#include <stdbool.h>
#include <stdint.h>

struct input;
struct input_seat;
struct input_sink;

/* Bits of a mask of buttons. */
enum input_button {
	INPUT_LEFT = 1 << 0,
	INPUT_MIDDLE = 1 << 1,
	INPUT_RIGHT = 1 << 2,
	INPUT_SIDE = 1 << 3,  /* "back" */
	INPUT_EXTRA = 1 << 4, /* "forward" */
};
#define INPUT_BUTTONS 5

/* Bits of a mask of lights. */
enum input_led {
	INPUT_SCROLL_LOCK = 1 << 0,
	INPUT_NUM_LOCK = 1 << 1,
	INPUT_CAPS_LOCK = 1 << 2,
};

/* An absolute position: the picture's left or top edge is 0, the last pixel is this. */
#define INPUT_POSITION_MAX 32767

/*
 * Where input goes. The hub calls with its lock held, from any thread, one call at a time: queue
 * and return. Every member is mandatory.
 */
struct input_sink_ops {
	const char *name;
	/* A key that is held may come down again: the viewer's own repeat. */
	void (*key)(struct input_sink *sink, uint16_t code, bool down);
	/* x, y as INPUT_POSITION_MAX says; dx, dy: pixels from the last one, where that is known.
	 */
	void (*position)(struct input_sink *sink, uint16_t x, uint16_t y, int32_t dx, int32_t dy);
	void (*motion)(struct input_sink *sink, int32_t dx, int32_t dy);
	void (*button)(struct input_sink *sink, enum input_button button, bool down);
	/* Steps of the wheel, right and down positive. */
	void (*wheel)(struct input_sink *sink, int32_t dx, int32_t dy);
	/* What came since the last one belongs together. */
	void (*sync)(struct input_sink *sink);
	void (*close)(struct input_sink *sink); /* frees the sink */
};

struct input_sink {
	const struct input_sink_ops *ops;
	/* Set by the hub: the sink tells it of the guest's lights (mask), from any thread but not
	 * from within one of the calls above. */
	struct input *input;
};

/* Takes the sink over. code_of turns an X keysym into a key's code, 0 where there is none. */
struct input *input_create(struct input_sink *sink,
			   uint16_t (*code_of)(uint32_t keysym, void *data), void *data);
/* All its seats are gone by then. Closes the sink. Takes NULL. */
void input_destroy(struct input *input);

/* Called after each input, without a lock, from the thread that brought it: somebody works here. */
void input_on_activity(struct input *input, void (*active)(void *data), void *data);

/* The guest's lights: watchers are called with the mask, without a lock, when it changes. */
void input_set_leds(struct input *input, unsigned int leds);
unsigned int input_leds(struct input *input);
void input_watch_leds(struct input *input, void (*changed)(unsigned int leds, void *data),
		      void *data);
void input_unwatch_leds(struct input *input, void *data); /* no call is under way afterwards */

/* NULL if input is. */
struct input_seat *input_seat_create(struct input *input);
void input_seat_destroy(struct input_seat *seat); /* releases what it holds */

void input_seat_key(struct input_seat *seat, uint16_t code, bool down);
void input_seat_keysym(struct input_seat *seat, uint32_t keysym, bool down);
/* A PC scancode of set 1, with 0x80 set for those after 0xe0 (QEMU's extended keys, SPICE's). */
void input_seat_scancode(struct input_seat *seat, uint32_t scancode, bool down);

/*
 * The pointer is at x, y of a picture of that size, with these buttons down; wheel steps are added
 * by input_seat_wheel(). Positions outside are moved to the edge.
 */
void input_seat_pointer(struct input_seat *seat, uint32_t x, uint32_t y, uint32_t width,
			uint32_t height, unsigned int buttons);
void input_seat_motion(struct input_seat *seat, int32_t dx, int32_t dy, unsigned int buttons);
void input_seat_wheel(struct input_seat *seat, int32_t dx, int32_t dy);

/* The viewer has lost the keyboard's focus, or its keys may be out of step: all up. */
void input_seat_release(struct input_seat *seat);

#endif
