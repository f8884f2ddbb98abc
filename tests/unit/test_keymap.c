/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keymap.h"

#include <linux/input-event-codes.h>
#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#include "log.h"
#include "unit.h"

static void test_keymap_knows_where_layouts_have_their_keys(void **state)
{
	static const struct {
		const char *layout;
		uint32_t keysym;
		uint16_t code;
	} cases[] = {
		{"us", XKB_KEY_a, KEY_A},
		{"us", XKB_KEY_A, KEY_A},
		{"us", XKB_KEY_exclam, KEY_1},
		{"us", XKB_KEY_Return, KEY_ENTER},
		{"us", XKB_KEY_KP_7, KEY_KP7},
		{"us", XKB_KEY_KP_Home, KEY_KP7},
		{"us", XKB_KEY_Left, KEY_LEFT},
		{"us", XKB_KEY_Shift_R, KEY_RIGHTSHIFT},
		{"us", XKB_KEY_F12, KEY_F12},
		{"us", XKB_KEY_z, KEY_Z},
		{"de", XKB_KEY_z, KEY_Y},
		{"de", XKB_KEY_udiaeresis, KEY_LEFTBRACE},
		{"de", XKB_KEY_at, KEY_Q},
		{"de(nodeadkeys)", XKB_KEY_asciicircum, KEY_GRAVE},
		{"fr", XKB_KEY_a, KEY_Q},
		{"us", XKB_KEY_udiaeresis, 0},
		{"us", 0, 0},
		{"us", UINT32_MAX, 0},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct keymap *keymap;
		uint16_t code;

		assert_int_equal(keymap_create(cases[i].layout, &keymap, NULL), 0);
		code = keymap_code(cases[i].keysym, keymap);
		if (code != cases[i].code)
			fail_msg("%s: keysym %#x is key %u, not %u", cases[i].layout,
				 cases[i].keysym, code, cases[i].code);
		keymap_destroy(keymap);
	}
}

static void test_keymap_names_a_layout_that_is_none(void **state)
{
	static const char *const names[] = {"", "klingon", "us(klingon)", "../../etc"};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		struct keymap *keymap = NULL;
		GError *error = NULL;

		if (!keymap_create(names[i], &keymap, &error))
			fail_msg("\"%s\" is a layout", names[i]);
		assert_int_equal(error->code, EXIT_USAGE);
		assert_non_null(strstr(error->message, names[i]));
		g_error_free(error);
	}
	keymap_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keymap_knows_where_layouts_have_their_keys),
		cmocka_unit_test(test_keymap_names_a_layout_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
