/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who takes part in the clipboard from one thread: hears there of what others have copied. Of
 * several texts before it gets to that the last one counts.
 */
#ifndef PLANECAST_CLIPBOARD_EAR_H
#define PLANECAST_CLIPBOARD_EAR_H

#include "clipboard.h"

struct clipboard_ear;

/*
 * heard() is called in the context's thread, first for what was copied before, if anything was. The
 * clipboard outlives the ear.
 */
struct clipboard_ear *clipboard_ear_create(struct clipboard *clipboard, GMainContext *context,
					   void (*heard)(GBytes *text, void *data), void *data);
void clipboard_ear_destroy(struct clipboard_ear *ear); /* in that thread; takes NULL */

/* Its owner has copied this: others hear of it. */
void clipboard_ear_copied(struct clipboard_ear *ear, GBytes *text);

#endif
