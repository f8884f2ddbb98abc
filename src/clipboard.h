/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text that was copied last, shared by all viewers of a display, whatever they speak, and by
 * the guest where something speaks for it.
 *
 * A text is valid UTF-8 with lines that end with a line feed alone, without a NUL, and at most
 * CLIPBOARD_LIMIT bytes long; it is never changed, only referred to (GBytes). Every call is allowed
 * from any thread.
 */
#ifndef PLANECAST_CLIPBOARD_H
#define PLANECAST_CLIPBOARD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define CLIPBOARD_LIMIT (1u << 20) /* bytes */

struct clipboard;

struct clipboard *clipboard_create(void);
void clipboard_destroy(struct clipboard *clipboard); /* nobody watches any more; takes NULL */

/*
 * A text out of what somebody sent: carriage returns before line feeds go, it ends at the first
 * NUL. NULL if it is too long or no UTF-8.
 */
GBytes *clipboard_text(const char *bytes, size_t length);
GBytes *clipboard_text_from_latin1(const char *bytes, size_t length);

/* As Latin-1, with question marks for what that does not have. */
GBytes *clipboard_text_to_latin1(GBytes *text);

/* Somebody has copied this. `from` tells watchers who (any pointer that is theirs). */
void clipboard_set(struct clipboard *clipboard, GBytes *text, const void *from);

/* A reference to the last text; NULL: nothing was copied yet. */
GBytes *clipboard_get(struct clipboard *clipboard);

/*
 * changed() is called for each text, that of the watcher's own clients too, in their order, without
 * a lock of the caller's, one call at a time. It must not call any of these functions.
 */
void clipboard_watch(struct clipboard *clipboard,
		     void (*changed)(GBytes *text, const void *from, void *data), void *data);
void clipboard_unwatch(struct clipboard *clipboard, void *data); /* no call is under way after it */

#endif
