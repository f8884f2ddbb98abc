/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "no signal" card: what viewers see while a device shows nothing. */
#ifndef PLANECAST_CARD_H
#define PLANECAST_CARD_H

#include "frame.h"

/*
 * Fills a frame of any size with the card. reason is one line for the user, wrapped and cut to
 * what fits; other characters than printable ASCII show as '?'. May be NULL.
 */
void card_draw(struct frame *frame, const char *reason);

#endif
