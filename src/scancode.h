/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PC scancodes of set 1, as QEMU's extended key events and SPICE have them, and Linux's key codes.
 * The latter are numbered after the former (include/uapi/linux/input-event-codes.h: "the first 88
 * are the scancodes"); those after an 0xe0 prefix are listed in drivers/input/keyboard/atkbd.c.
 */
#ifndef PLANECAST_SCANCODE_H
#define PLANECAST_SCANCODE_H

#include <stdint.h>

/* 0x80 stands for the prefix 0xe0 (0xe0xx is taken, too). 0: no such key. */
uint16_t scancode_to_key(uint32_t scancode);

/* The other way, in the form with 0x80; 0: no such scancode. */
uint8_t scancode_from_key(uint16_t code);

#endif
