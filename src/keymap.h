/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which key of a keyboard layout makes a keysym, by libxkbcommon and the system's layouts. For
 * viewers that send keysyms alone; the shift that a keysym needs, they send themselves.
 */
#ifndef PLANECAST_KEYMAP_H
#define PLANECAST_KEYMAP_H

#include <glib.h>
#include <stdint.h>

#define KEYMAP_DEFAULT "us"

struct keymap;

/* LAYOUT or LAYOUT(VARIANT), as setxkbmap has them. -EINVAL with EXIT_USAGE: there is none. */
int keymap_create(const char *layout, struct keymap **keymap, GError **error);
void keymap_destroy(struct keymap *keymap); /* takes NULL */

/* The key's code (KEY_*), 0: none. keymap is a struct keymap. Any thread. */
uint16_t keymap_code(uint32_t keysym, void *keymap);

#endif
