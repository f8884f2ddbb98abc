/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_talk.h"

#include <string.h>

#include "vnc_client_own.h"

static void on_format(void *data, const struct vnc_format *format)
{
	struct vnc_client *client = data;

	client->format = *format;
	client->new_format = true;
	client->force_look = true; /* a pointer comes again in it */
}

static void on_encodings(void *data, const struct vnc_encodings *encodings)
{
	struct vnc_client *client = data;

	client->encodings = *encodings;
	client->new_encodings = true;
	/* A pointer or a size to tell, or a picture without a pointer, may answer a request. */
	client->force_look = true;
	if (encodings->extended_clipboard && client->owner.clipboard)
		vnc_clipboard_offer(&client->clipboard);
	if (encodings->fence && !client->fence_told)
		client->probe = client->fence_told = true;
	/* Without fences nobody would know how much is under way. */
	if (encodings->fence && encodings->continuous_updates && !client->continuous_told) {
		client->continuous_told = true;
		vnc_fences_add_end(&client->fences);
	}
}

static void join_rects(struct vnc_rect *a, const struct vnc_rect *b)
{
	uint32_t x2 = MAX((uint32_t)a->x + a->width, (uint32_t)b->x + b->width);
	uint32_t y2 = MAX((uint32_t)a->y + a->height, (uint32_t)b->y + b->height);

	a->x = MIN(a->x, b->x);
	a->y = MIN(a->y, b->y);
	a->width = (uint16_t)MIN(x2 - a->x, UINT16_MAX);
	a->height = (uint16_t)MIN(y2 - a->y, UINT16_MAX);
}

static void on_request(void *data, bool incremental, const struct vnc_rect *rect)
{
	struct vnc_client *client = data;

	if (incremental && client->continuous)
		return;
	if (client->new_request)
		join_rects(&client->request, rect);
	else
		client->request = *rect;
	client->new_request = true;
	if (incremental)
		return;
	client->whole = true;
	damage_add(&client->changes.damage,
		   &(struct detile_rect){rect->x, rect->y, rect->width, rect->height});
	client->announce_size = true;
}

static void on_set_desktop_size(void *data, uint16_t width, uint16_t height, bool valid)
{
	struct vnc_client *client = data;

	if (client->owner.view_only)
		vnc_wish_answer(&client->wish, VNC_SIZE_PROHIBITED);
	else if (!valid)
		vnc_wish_answer(&client->wish, VNC_SIZE_INVALID);
	else
		vnc_wish_make(&client->wish, width, height);
}

static void on_key(void *data, bool down, uint32_t keysym, uint32_t scancode)
{
	struct vnc_client *client = data;

	vnc_input_key(&client->input, keysym, scancode, down);
}

static void on_pointer(void *data, uint16_t buttons, uint16_t x, uint16_t y)
{
	struct vnc_client *client = data;

	vnc_input_pointer(&client->input, buttons, x, y, client->frame->width,
			  client->frame->height);
}

static void on_continuous(void *data, bool on, const struct vnc_rect *rect)
{
	struct vnc_client *client = data;

	client->continuous = on;
	client->continuous_part = *rect;
	client->force_look = true;
	if (!on)
		vnc_fences_add_end(&client->fences);
}

static void on_fence(void *data, uint32_t flags, const uint8_t *payload, size_t length)
{
	struct vnc_client *client = data;
	uint32_t number;

	if (flags & VNC_FENCE_REQUEST) {
		vnc_fences_add(&client->fences, flags, payload, length, client->parser.messages,
			       client->new_format || client->new_encodings);
	} else if (length == sizeof(number)) {
		memcpy(&number, payload, sizeof(number));
		vnc_window_answer(&client->window, number, g_get_monotonic_time());
	}
}

static void on_cut_text(void *data, const uint8_t *bytes, size_t n, size_t left, bool extended)
{
	struct vnc_client *client = data;

	if (client->owner.clipboard)
		vnc_cut_text_add(&client->cut, bytes, n, left, extended);
}

static bool holds(void *data)
{
	const struct vnc_client *client = data;

	return client->answering || client->cut.complete ||
	       vnc_fences_hold(&client->fences, client->parser.messages);
}

/* Called with the lock. */
const struct vnc_parser_ops vnc_talk_ops = {
	.format = on_format,
	.encodings = on_encodings,
	.request = on_request,
	.set_desktop_size = on_set_desktop_size,
	.key = on_key,
	.pointer = on_pointer,
	.continuous = on_continuous,
	.fence = on_fence,
	.cut_text = on_cut_text,
	.holds = holds,
};
