/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_input.h"

#include <linux/input-event-codes.h>

#define PREFIX       0xe0
#define PREFIX_PAUSE 0xe1
#define UP           0x80

/* As spice-server gives them to tablets (its RED_MOUSE_STATE_TO_LOCAL), and QEMU's ui/spice-input.c
 * reads them. */
enum {
	BUTTON_LEFT = 0x01,
	BUTTON_RIGHT = 0x02,
	BUTTON_MIDDLE = 0x04,
	BUTTON_SIDE = 0x40,
	BUTTON_EXTRA = 0x80,
};

struct spice_input {
	SpiceKbdInstance keyboard;
	SpiceTabletInstance tablet;
	struct input *input;
	struct input_seat *seat;
	GMainContext *context;
	gint leds;        /* atomic */
	GSource *telling; /* of the lights; under `lock` */
	GMutex lock;
	uint32_t width, height, x, y;
	uint8_t prefix; /* of the scancode that is coming; 0 */
	uint8_t pause;  /* bytes of the pause key's that are to come */
};

static struct spice_input *of_keyboard(SpiceKbdInstance *instance)
{
	return (struct spice_input *)((char *)instance - offsetof(struct spice_input, keyboard));
}

static struct spice_input *of_tablet(SpiceTabletInstance *instance)
{
	return (struct spice_input *)((char *)instance - offsetof(struct spice_input, tablet));
}

static void push_scan_frag(SpiceKbdInstance *instance, uint8_t byte)
{
	struct spice_input *input = of_keyboard(instance);

	if (input->pause) { /* e1 1d 45, e1 9d c5 */
		if (!--input->pause)
			input_seat_key(input->seat, KEY_PAUSE, !(byte & UP));
	} else if (byte == PREFIX_PAUSE) {
		input->pause = 2;
	} else if (byte == PREFIX) {
		input->prefix = UP;
	} else {
		input_seat_scancode(input->seat, (uint32_t)(byte & ~UP) | input->prefix,
				    !(byte & UP));
		input->prefix = 0;
	}
}

static uint8_t get_leds(SpiceKbdInstance *instance)
{
	return (uint8_t)g_atomic_int_get(&of_keyboard(instance)->leds);
}

static const SpiceKbdInterface keyboard_interface = {
	.base =
		{
			.type = SPICE_INTERFACE_KEYBOARD,
			.description = "planecast keyboard",
			.major_version = SPICE_INTERFACE_KEYBOARD_MAJOR,
			.minor_version = SPICE_INTERFACE_KEYBOARD_MINOR,
		},
	.push_scan_freg = push_scan_frag,
	.get_leds = get_leds,
};

static unsigned int buttons_of(uint32_t state)
{
	return (state & BUTTON_LEFT ? INPUT_LEFT : 0u) |
	       (state & BUTTON_MIDDLE ? INPUT_MIDDLE : 0u) |
	       (state & BUTTON_RIGHT ? INPUT_RIGHT : 0u) | (state & BUTTON_SIDE ? INPUT_SIDE : 0u) |
	       (state & BUTTON_EXTRA ? INPUT_EXTRA : 0u);
}

static void point(struct spice_input *input, uint32_t buttons)
{
	if (input->width && input->height)
		input_seat_pointer(input->seat, input->x, input->y, input->width, input->height,
				   buttons_of(buttons));
}

static void set_logical_size(SpiceTabletInstance *tablet, int width, int height)
{
	struct spice_input *input = of_tablet(tablet);

	input->width = (uint32_t)MAX(width, 0);
	input->height = (uint32_t)MAX(height, 0);
}

static void position(SpiceTabletInstance *tablet, int x, int y, uint32_t buttons)
{
	struct spice_input *input = of_tablet(tablet);

	input->x = (uint32_t)MAX(x, 0);
	input->y = (uint32_t)MAX(y, 0);
	point(input, buttons);
}

static void wheel(SpiceTabletInstance *tablet, int steps, uint32_t buttons)
{
	(void)buttons;
	input_seat_wheel(of_tablet(tablet)->seat, 0, steps);
}

static void buttons(SpiceTabletInstance *tablet, uint32_t state)
{
	point(of_tablet(tablet), state);
}

static const SpiceTabletInterface tablet_interface = {
	.base =
		{
			.type = SPICE_INTERFACE_TABLET,
			.description = "planecast tablet",
			.major_version = SPICE_INTERFACE_TABLET_MAJOR,
			.minor_version = SPICE_INTERFACE_TABLET_MINOR,
		},
	.set_logical_size = set_logical_size,
	.position = position,
	.wheel = wheel,
	.buttons = buttons,
};

static gboolean tell_leds(gpointer data)
{
	struct spice_input *input = data;

	g_mutex_lock(&input->lock);
	g_source_unref(g_steal_pointer(&input->telling));
	g_mutex_unlock(&input->lock);
	spice_server_kbd_leds(&input->keyboard, g_atomic_int_get(&input->leds));
	return G_SOURCE_REMOVE;
}

/* From any thread; INPUT_* are numbered as SPICE's. */
static void on_leds(unsigned int leds, void *data)
{
	struct spice_input *input = data;

	g_atomic_int_set(&input->leds, (gint)leds);
	g_mutex_lock(&input->lock);
	if (!input->telling) {
		input->telling = g_idle_source_new();
		g_source_set_callback(input->telling, tell_leds, input, NULL);
		g_source_attach(input->telling, input->context);
	}
	g_mutex_unlock(&input->lock);
}

struct spice_input *spice_input_create(struct input *input, SpiceServer *server,
				       GMainContext *context)
{
	struct spice_input *joined = g_new0(struct spice_input, 1);

	joined->input = input;
	joined->context = context;
	joined->seat = input_seat_create(input);
	joined->leds = (gint)input_leds(input);
	g_mutex_init(&joined->lock);
	joined->keyboard.base.sif = &keyboard_interface.base;
	joined->tablet.base.sif = &tablet_interface.base;
	spice_server_add_interface(server, &joined->keyboard.base);
	spice_server_add_interface(server, &joined->tablet.base);
	input_watch_leds(input, on_leds, joined);
	return joined;
}

void spice_input_release(struct spice_input *input)
{
	input->prefix = input->pause = 0;
	input_seat_release(input->seat);
}

void spice_input_destroy(struct spice_input *input)
{
	if (!input)
		return;
	input_unwatch_leds(input->input, input);
	if (input->telling) {
		g_source_destroy(input->telling);
		g_source_unref(input->telling);
	}
	input_seat_destroy(input->seat);
	g_mutex_clear(&input->lock);
	g_free(input->keyboard.st); /* the server's, which leaves it behind (0.14, 0.15) */
	g_free(input);
}
