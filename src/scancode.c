/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scancode.h"

#include <linux/input-event-codes.h>

#define PREFIXED 0x80

/* After the prefix 0xe0. */
static const uint8_t prefixed[128] = {
	[0x10] = KEY_PREVIOUSSONG, [0x19] = KEY_NEXTSONG, [0x1c] = KEY_KPENTER,
	[0x1d] = KEY_RIGHTCTRL,    [0x20] = KEY_MUTE,     [0x21] = KEY_CALC,
	[0x22] = KEY_PLAYPAUSE,    [0x24] = KEY_STOPCD,   [0x2e] = KEY_VOLUMEDOWN,
	[0x30] = KEY_VOLUMEUP,     [0x32] = KEY_HOMEPAGE, [0x35] = KEY_KPSLASH,
	[0x37] = KEY_SYSRQ,        [0x38] = KEY_RIGHTALT, [0x46] = KEY_PAUSE,
	[0x47] = KEY_HOME,         [0x48] = KEY_UP,       [0x49] = KEY_PAGEUP,
	[0x4b] = KEY_LEFT,         [0x4d] = KEY_RIGHT,    [0x4f] = KEY_END,
	[0x50] = KEY_DOWN,         [0x51] = KEY_PAGEDOWN, [0x52] = KEY_INSERT,
	[0x53] = KEY_DELETE,       [0x5b] = KEY_LEFTMETA, [0x5c] = KEY_RIGHTMETA,
	[0x5d] = KEY_COMPOSE,      [0x5e] = KEY_POWER,    [0x5f] = KEY_SLEEP,
	[0x63] = KEY_WAKEUP,       [0x65] = KEY_SEARCH,   [0x66] = KEY_BOOKMARKS,
	[0x67] = KEY_REFRESH,      [0x68] = KEY_STOP,     [0x69] = KEY_FORWARD,
	[0x6a] = KEY_BACK,         [0x6b] = KEY_COMPUTER, [0x6c] = KEY_MAIL,
	[0x6d] = KEY_MEDIA,
};

/* Plain ones that are not numbered after their scancode. */
static const struct {
	uint8_t scancode, code;
} plain[] = {
	{0x54, KEY_SYSRQ},
	{0x59, KEY_KPEQUAL},
	{0x64, KEY_F13},
	{0x65, KEY_F14},
	{0x66, KEY_F15},
	{0x67, KEY_F16},
	{0x68, KEY_F17},
	{0x69, KEY_F18},
	{0x6a, KEY_F19},
	{0x6b, KEY_F20},
	{0x6c, KEY_F21},
	{0x6d, KEY_F22},
	{0x6e, KEY_F23},
	{0x76, KEY_F24},
	{0x70, KEY_KATAKANAHIRAGANA},
	{0x73, KEY_RO},
	{0x77, KEY_ZENKAKUHANKAKU},
	{0x78, KEY_KATAKANA},
	{0x79, KEY_HENKAN},
	{0x7b, KEY_MUHENKAN},
	{0x7d, KEY_YEN},
	{0x7e, KEY_KPCOMMA},
};

uint16_t scancode_to_key(uint32_t scancode)
{
	if ((scancode & ~0xffu) == 0xe000)
		scancode = (scancode & 0x7f) | PREFIXED;
	if (scancode > 0xff)
		return 0;
	if (scancode & PREFIXED)
		return prefixed[scancode & 0x7f];
	for (unsigned int i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (plain[i].scancode == scancode)
			return plain[i].code;
	if (scancode == 0x55 || scancode > KEY_F12)
		return 0;
	return (uint16_t)scancode;
}

uint8_t scancode_from_key(uint16_t code)
{
	for (uint32_t scancode = 1; code && scancode <= 0xff; scancode++)
		if (scancode != 0x54 && scancode_to_key(scancode) == code)
			return (uint8_t)scancode;
	return 0;
}
