/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_window.h"

#include <string.h>

void vnc_window_init(struct vnc_window *window)
{
	*window = (struct vnc_window){.room = VNC_WINDOW_LEAST};
}

bool vnc_window_is_open(struct vnc_window *window)
{
	if (!window->count || window->missing >= VNC_WINDOW_DEAF)
		return true;
	if (window->count < VNC_WINDOW_MARKS && window->sent - window->answered < window->room)
		return true;
	window->filled = true;
	return false;
}

static void forget(struct vnc_window *window, unsigned int count)
{
	window->answered = window->marks[count - 1].position;
	window->count -= count;
	memmove(window->marks, window->marks + count, window->count * sizeof(*window->marks));
}

uint32_t vnc_window_mark(struct vnc_window *window, uint64_t bytes, int64_t now)
{
	if (window->count == VNC_WINDOW_MARKS)
		forget(window, 1);
	window->sent += bytes;
	window->marks[window->count++] = (struct vnc_mark){++window->number, window->sent, now};
	return window->number;
}

/* Twice the room while the queue is short and room is what is short; half of it when it is long. */
static void adapt(struct vnc_window *window, const struct vnc_mark *mark, int64_t now)
{
	int64_t queue = window->last - window->best;

	if (mark->time < window->changed)
		return;
	if (queue < VNC_WINDOW_SLACK && window->filled && window->room < VNC_WINDOW_MOST)
		window->room *= 2;
	else if (queue > 2 * VNC_WINDOW_SLACK && window->room > VNC_WINDOW_LEAST)
		window->room /= 2;
	else
		return;
	window->changed = now;
	window->filled = false;
}

void vnc_window_answer(struct vnc_window *window, uint32_t number, int64_t now)
{
	for (unsigned int i = 0; i < window->count; i++) {
		struct vnc_mark mark = window->marks[i];

		if (mark.number != number)
			continue;
		window->missing = 0;
		window->last = now > mark.time ? now - mark.time : 1;
		if (!window->best || window->last < window->best)
			window->best = window->last;
		forget(window, i + 1);
		adapt(window, &mark, now);
		return;
	}
	/* One that was given up: it does answer, only late. */
	if (number && window->number - number < UINT32_MAX / 2)
		window->missing = 0;
}

bool vnc_window_look(struct vnc_window *window, bool taken, int64_t now)
{
	if (!window->count || !taken || now - window->marks[0].time < VNC_WINDOW_LATE)
		return false;
	forget(window, window->count);
	window->missing++;
	return true;
}
