/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scancode.h"

#include <linux/input-event-codes.h>

#include "unit.h"

static void test_scancode_names_the_places_of_a_keyboard(void **state)
{
	static const struct {
		uint32_t scancode;
		uint16_t code;
	} cases[] = {
		{0x01, KEY_ESC},        {0x1e, KEY_A},       {0x1c, KEY_ENTER},
		{0x36, KEY_RIGHTSHIFT}, {0x39, KEY_SPACE},   {0x45, KEY_NUMLOCK},
		{0x53, KEY_KPDOT},      {0x54, KEY_SYSRQ},   {0x56, KEY_102ND},
		{0x58, KEY_F12},        {0x64, KEY_F13},     {0x76, KEY_F24},
		{0x7d, KEY_YEN},        {0x9c, KEY_KPENTER}, {0xe01c, KEY_KPENTER},
		{0xc8, KEY_UP},         {0xe048, KEY_UP},    {0xdb, KEY_LEFTMETA},
		{0xb8, KEY_RIGHTALT},   {0xc6, KEY_PAUSE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(scancode_to_key(cases[i].scancode), cases[i].code);
}

static void test_scancode_knows_what_is_none(void **state)
{
	static const uint32_t none[] = {0,     0x55,   0x5a,   0x7f,      0x80,
					0x100, 0xe000, 0xe100, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(scancode_to_key(none[i]), 0);
	assert_int_equal(scancode_from_key(0), 0);
	assert_int_equal(scancode_from_key(KEY_MAX), 0);
}

static void test_scancode_and_back_is_the_same_key(void **state)
{
	unsigned int keys = 0;

	(void)state;
	for (uint32_t scancode = 0; scancode < 0x100; scancode++) {
		uint16_t code = scancode_to_key(scancode);

		if (!code)
			continue;
		keys++;
		assert_int_equal(scancode_to_key(scancode_from_key(code)), code);
	}
	assert_in_range(keys, 120, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scancode_names_the_places_of_a_keyboard),
		cmocka_unit_test(test_scancode_knows_what_is_none),
		cmocka_unit_test(test_scancode_and_back_is_the_same_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
